use super::*;
use crate::money::Currency;
use crate::text::{Locale, Texts};
use proptest::prelude::*;

fn locale(tag: &str) -> Locale {
    let mut texts = Texts::embedded().unwrap();
    if tag != "en" {
        texts.add(tag, "no-sentence = none").unwrap();
    }
    texts.locale(tag).unwrap()
}

/// Mentions are written `@id` in the tests' text: every one of them is a mention of the person of that id.
fn read_as(text: &str, own: &str, tag: &str, grammar: &Grammar) -> Option<Result<Command, Misread>> {
    let people = [("@ana", "ana", "Ana Maria"), ("<@U7>", "U7", "@bo\u{202e}")];
    let mentions: Vec<Mention> = people
        .iter()
        .flat_map(|(typed, person, name)| {
            text.match_indices(typed).map(|(at, _)| Mention {
                span: at..at + typed.len(),
                person: (*person).to_owned(),
                name: (*name).to_owned(),
            })
        })
        .collect();
    let reading = Reading { own: Currency::parse(own).unwrap(), locale: &locale(tag) };
    grammar.read(&Said { text, mentions: &mentions }, &reading)
}

fn read(text: &str) -> Option<Result<Command, Misread>> {
    read_as(text, "EUR", "en", &Grammar::default())
}

/// A command in one line, with everything that is in it.
fn show(command: &Command) -> String {
    let option = |name: &str, value: Option<String>| value.map_or(String::new(), |value| format!(" {name}[{value}]"));
    match command {
        Command::Pay(pay) => {
            let items = pay.items.iter().map(|item| format!(" {}×{} [{}]", item.quantity, item.each, item.name));
            let to = pay.to.as_ref().map(|to| match to {
                To::Person { id, name } => format!("{id}={name}"),
                To::Name(name) => name.clone(),
            });
            let expires = pay.expires.map(|expires| format!("{} min", expires.as_secs() / 60));
            format!("pay {}", pay.total)
                + &items.collect::<String>()
                + &option("what", pay.what.clone())
                + &option("to", to)
                + &option("expires", expires)
                + &option("ref", pay.reference.clone())
                + &option("note", pay.note.clone())
        }
        Command::Form => "form".into(),
        Command::About { code, wish } => match wish {
            Wish::Cancel => format!("cancel {code}"),
            Wish::Refund { amount, reason } => {
                format!("refund {code}{}{}", option("amount", amount.clone()), option("reason", reason.clone()))
            }
            Wish::Remind => format!("remind {code}"),
            Wish::Extend { more } => format!("extend {code} {} min", more.as_secs() / 60),
            Wish::Renew => format!("renew {code}"),
            Wish::Approve => format!("approve {code}"),
            Wish::Reject => format!("reject {code}"),
            Wish::Accept => format!("accept {code}"),
            Wish::Honour => format!("honour {code}"),
            Wish::Retry => format!("retry {code}"),
        },
        Command::Payments { status } => format!("payments{}", option("status", status.map(|it| it.to_string()))),
        Command::Verify { what } => format!("verify {what}"),
        Command::Status { code } => format!("status{}", option("code", code.map(|code| code.to_string()))),
        Command::Help { about } => format!("help{}", option("about", about.map(|verb| verb.name().to_owned()))),
    }
}

#[test]
fn sentences_become_commands() {
    let table = [
        ("/pay", "form"),
        ("  /PAY  ", "form"),
        ("/pay 25 EUR coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay\n25 coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay\u{a0}25\u{a0}coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay 25", "pay 25.00 EUR"),
        ("/pay 25 EUR, coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay EUR 25 coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay eur 25 coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay usd25 coffee", "pay 25.00 USD what[coffee]"),
        ("/pay 25 € coffee", "pay 25.00 EUR what[coffee]"),
        ("/pay 25,50 euro coffee", "pay 25.50 EUR what[coffee]"),
        ("/pay €25 USB cable", "pay 25.00 EUR what[USB cable]"),
        ("/pay 25 \"USB cable\"", "pay 25.00 EUR what[USB cable]"),
        ("/pay 25 EUR cup of tea", "pay 25.00 EUR what[cup of tea]"),
        ("/pay 25 ft cable", "pay 25.00 EUR what[ft cable]"),
        ("/pay 1,234.50 coffee", "pay 1234.50 EUR what[coffee]"),
        (
            "/pay €25 \"two coffees\" to:@ana expires:2h ref:A-17 note:\"window seat\"",
            "pay 25.00 EUR what[two coffees] to[ana=Ana Maria] expires[120 min] ref[A-17] note[window seat]",
        ),
        (
            "/pay to: @ana ref: A-17 25 note:“window  seat” coffee Expires:1h30m",
            "pay 25.00 EUR what[coffee] to[ana=Ana Maria] expires[90 min] ref[A-17] note[window seat]",
        ),
        ("/pay 25 to:<@U7> for <@U7>", "pay 25.00 EUR what[for @bo] to[U7=bo]"),
        ("/pay 25 to:\"Mrs Smith\"", "pay 25.00 EUR to[Mrs Smith]"),
        ("/pay 25 to:@smith", "pay 25.00 EUR to[smith]"),
        (
            "/pay 25 at 10:30 https://x.example/a :coffee: a:b",
            "pay 25.00 EUR what[at 10:30 https://x.example/a :coffee: a:b]",
        ),
        ("/pay 25 \"tel:5\" 5\" pipe", "pay 25.00 EUR what[tel:5 5\" pipe]"),
        ("/pay 25 cof\u{200b}fee\u{202e} \u{7}\u{200b} now", "pay 25.00 EUR what[coffee now]"),
        ("/pay 2 x 4.50 EUR coffee + 3 EUR cake", "pay 12.00 EUR 2×4.50 EUR [coffee] 1×3.00 EUR [cake]"),
        (
            "/pay 2x 4.50 flat white + 3×€1 tip to:@ana",
            "pay 12.00 EUR 2×4.50 EUR [flat white] 3×1.00 EUR [tip] to[ana=Ana Maria]",
        ),
        ("/pay 2x4.50 coffee", "pay 9.00 EUR 2×4.50 EUR [coffee]"),
        ("/pay 25 \"coffee + cake\"", "pay 25.00 EUR what[coffee + cake]"),
        ("/pay 25 coffee+cake", "pay 25.00 EUR what[coffee+cake]"),
        ("/till", "help"),
        ("/till pay 25 coffee", "pay 25.00 EUR what[coffee]"),
        ("/till cancel K7Q2F9", "cancel K7Q2F9"),
        ("/cancel #k7q2f9", "cancel K7Q2F9"),
        ("/till renew K7Q2F9", "renew K7Q2F9"),
        ("/till remind K7Q2F9", "remind K7Q2F9"),
        ("/till extend K7Q2F9 1d2h", "extend K7Q2F9 1560 min"),
        ("/till approve K7Q2F9", "approve K7Q2F9"),
        ("/till accept K7Q2F9", "accept K7Q2F9"),
        ("/till reject K7Q2F9", "reject K7Q2F9"),
        ("/till honour K7Q2F9", "honour K7Q2F9"),
        ("/till payments", "payments"),
        ("/till payments Paid", "payments status[paid]"),
        ("/till payments partially refunded", "payments status[partially_refunded]"),
        ("/till verify K7Q2F9", "verify K7Q2F9"),
        ("/till verify https://till.example/p/x?a=b:c", "verify https://till.example/p/x?a=b:c"),
        ("/till retry K7Q2F9", "retry K7Q2F9"),
        ("/till refund K7Q2F9", "refund K7Q2F9"),
        ("/refund K7Q2F9 10 EUR", "refund K7Q2F9 amount[10 EUR]"),
        ("/refund K7Q2F9 EUR 10 cold coffee", "refund K7Q2F9 amount[EUR 10] reason[cold coffee]"),
        ("/refund K7Q2F9 10.50 cold coffee", "refund K7Q2F9 amount[10.50] reason[cold coffee]"),
        ("/refund K7Q2F9 $10 USD cold", "refund K7Q2F9 amount[$10 USD] reason[cold]"),
        ("/refund K7Q2F9 -5", "refund K7Q2F9 amount[-5]"),
        ("/refund K7Q2F9 cold: note:x", "refund K7Q2F9 reason[cold: note:x]"),
        ("/refund K7Q2F9 ABC123 was wrong", "refund K7Q2F9 reason[ABC123 was wrong]"),
        ("/refund K7Q2F9 VIP 2 guests", "refund K7Q2F9 reason[VIP 2 guests]"),
        ("/refund K7Q2F9 \"2 cups were cold\"", "refund K7Q2F9 reason[2 cups were cold]"),
        ("/status", "status"),
        ("/till Status k7q2f9", "status code[K7Q2F9]"),
        ("/help", "help"),
        ("/till help Refund", "help about[refund]"),
    ];
    for (text, wanted) in table {
        let command = read(text).unwrap_or_else(|| panic!("{text}: taken for talk"));
        let shown = command.as_ref().map(show).map_err(|misread| misread.say(&locale("en")));
        assert_eq!(shown, Ok(wanted.to_owned()), "{text}");
    }
}

#[test]
fn talk_is_left_alone() {
    for text in [
        "",
        "/",
        "pay 25",
        "I /pay 25",
        "/payment of 25",
        "/me waves",
        "!pay 25",
        "/play song",
        "/pray",
        "/cancle that",
        "/ pay 25",
        "//pay",
        "/stats",
        "/tell him",
        "/refound it",
        "/remind me of it",
        "/verify K7Q2F9",
        "/retry K7Q2F9",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn marks_of_the_language_decide() {
    let fr = |text: &str| read_as(text, "EUR", "fr", &Grammar::default()).unwrap().map(|command| show(&command));
    assert_eq!(fr("/pay 1 234,50 café"), Ok("pay 1234.50 EUR what[café]".into()));
    assert_eq!(fr("/pay 12 500€ café"), Ok("pay 12500.00 EUR what[café]".into()));
    assert_eq!(fr("/pay EUR 1 234 567 café"), Ok("pay 1234567.00 EUR what[café]".into()));
    assert_eq!(fr("/pay 25 EUR 100 roses"), Ok("pay 25.00 EUR what[100 roses]".into()));
    let two_ways = fr("/pay 25 100 roses").unwrap_err();
    assert!(matches!(two_ways.problem, Problem::Money(crate::money::BadMoney::Ambiguous { .. })));
    assert_eq!(two_ways.example, "/pay 25100 EUR roses");
    let de = |text: &str| read_as(text, "KWD", "de", &Grammar::default()).unwrap().map(|command| show(&command));
    assert_eq!(de("/pay 1,234 Kaffee"), Ok("pay 1.234 KWD what[Kaffee]".into()));
    assert_eq!(de("/pay 2 x 1,5 Kaffee +").unwrap_err().example, "/pay 2 x 4 KWD coffee + 3 KWD cake");
}

#[test]
fn the_host_chooses_the_words() {
    let grammar = Grammar::new(vec!["!".into(), "!!".into(), "/".into()], "zahl", "kasse").unwrap();
    let read = |text: &str| read_as(text, "EUR", "en", &grammar).map(|command| command.map(|command| show(&command)));
    assert_eq!(read("!zahl 25 Kaffee"), Some(Ok("pay 25.00 EUR what[Kaffee]".into())));
    assert_eq!(read("!!zahl 25"), Some(Ok("pay 25.00 EUR".into())));
    assert_eq!(read("/KASSE zahl 25"), Some(Ok("pay 25.00 EUR".into())));
    assert_eq!(read("!kasse pay 25"), Some(Ok("pay 25.00 EUR".into())));
    assert_eq!(read("!pay 25"), None);
    assert_eq!(read("!zahl Kaffee").unwrap().unwrap_err().example, "!zahl 25 EUR Kaffee");
    assert_eq!(Verb::Cancel.example(&grammar), "!kasse cancel K7Q2F9");
    let refused = |prefixes: &[&str], pay: &str, till: &str| {
        let prefixes = prefixes.iter().map(|&prefix| prefix.to_owned()).collect();
        Grammar::new(prefixes, pay, till).unwrap_err().to_string()
    };
    assert_eq!(refused(&[], "pay", "till"), "`` cannot begin a command: there is no prefix");
    assert_eq!(refused(&["/"], "", "till"), "`` cannot begin a command: it is empty");
    assert_eq!(refused(&["/ "], "pay", "till"), "`/ ` cannot begin a command: it has a space in it");
    assert_eq!(refused(&["/"], "Help", "till"), "`Help` cannot begin a command: it is a command of its own");
    assert_eq!(refused(&["/"], "zahl", "Zahl"), "`Zahl` cannot begin a command: it already asks for money");
}

#[test]
fn a_refusal_says_what_was_understood_what_was_not_and_what_works() {
    let ask = "I understood: ask for money";
    let long = |n: usize| "é".repeat(n);
    let eleven = ["1 tea"; 11].join(" + ");
    let ten = format!("/pay {}", ["1 x 1.00 EUR tea"; 10].join(" + "));
    #[rustfmt::skip]
    let table = [
        ("/pay coffee".into(), "How much is it? Write the amount first, then what it is for.", format!("{ask}, for “coffee”."), "/pay 25 EUR coffee"),
        ("/pay to:@ana".into(), "How much is it? Write the amount first, then what it is for.", format!("{ask}, to Ana Maria."), "/pay 25 EUR coffee to:\"@Ana Maria\""),
        ("/pay 1,234 USD rent ref:7".into(), "“1,234 USD” can be read in two ways. Write 1234 or 1.23.", format!("{ask}, for “rent”, reference 7."), "/pay 1234 USD rent ref:\"7\""),
        ("/pay 1.005 tea note:hot".into(), "“1.005” is too exact: EUR has 2 decimals. Write 1.00 EUR, for example.", format!("{ask}, for “tea”, note “hot”."), "/pay 1.00 EUR tea note:\"hot\""),
        ("/pay 25 cup of tea".into(), "Is “cup” the currency CUP, or part of the text? Write CUP in capitals, or put the text in quotes.", format!("{ask}, 25, for “cup of tea”."), "/pay 25.00 EUR \"cup of tea\""),
        ("/pay 40 USB cable".into(), "I do not know the currency “USB”. Write three letters, like 25 EUR, or put the text after the amount in quotes.", format!("{ask}, 40, for “USB cable”."), "/pay 40.00 EUR \"USB cable\""),
        ("/pay 25 EUR/hour".into(), "I do not know the currency “EUR/hour”. Write three letters, like 25 EUR, or put the text after the amount in quotes.", format!("{ask}, 25, for “EUR/hour”."), "/pay 25.00 EUR \"EUR/hour\""),
        ("/pay 4 EUR tea + 3 USD cake".into(), "One payment has one currency, and here are EUR and USD. Write the same one with every price.", format!("{ask}, 1 × 4.00 EUR tea."), "/pay 2 x 4 EUR coffee + 3 EUR cake"),
        ("/pay 0 x 4 tea".into(), "I cannot ask for 0 of something. Write a number from 1 to 999.", format!("{ask}."), "/pay 2 x 4 EUR coffee + 3 EUR cake"),
        (format!("/pay {eleven}"), "One payment has at most 10 items. Put some together, or ask twice.", format!("{ask}, {}.", ["1 × 1.00 EUR tea"; 10].join(" + ")), &ten),
        ("/pay 4 tea + cake".into(), "Item 2 does not begin with its price. Write the price first, or put text that has a “+” in quotes.", format!("{ask}, 1 × 4.00 EUR tea."), "/pay 2 x 4 EUR coffee + 3 EUR cake"),
        ("/pay 4 tea + 3 EUR".into(), "Item 2 has no name. Write what it is after its price.", format!("{ask}, 1 × 4.00 EUR tea."), "/pay 2 x 4 EUR coffee + 3 EUR cake"),
        ("/pay 25 \"two teas to:@ana".into(), "This quote is not closed: \"two teas to:@ana Put another quote where it ends.", format!("{ask}, 25.00 EUR, for “two teas to:@Ana Maria”."), "/pay 25.00 EUR \"two teas to:@Ana Maria\""),
        ("/pay 25 tea to:@ana to:<@U7>".into(), "“to:” stands there twice. Keep one of them.", format!("{ask}, 25.00 EUR, for “tea”, to Ana Maria."), "/pay 25.00 EUR tea to:\"@Ana Maria\""),
        ("/pay 25 tea too:@ana".into(), "I do not know “too:”. Did you mean “to:”? If it is part of the text, put the text in quotes.", format!("{ask}, 25.00 EUR, for “tea”."), "/pay 25.00 EUR tea"),
        ("/pay 25 tea expire:2h".into(), "I do not know “expire:”. Did you mean “expires:”? If it is part of the text, put the text in quotes.", format!("{ask}, 25.00 EUR, for “tea”."), "/pay 25.00 EUR tea"),
        ("/pay 25 tea note: hot".into(), "“note:” has nothing after it. Write it like note:\"window seat\".", format!("{ask}, 25.00 EUR, for “tea hot”."), "/pay 25.00 EUR tea hot"),
        ("/pay 25 tea to: ref:7".into(), "“to:” has nothing after it. Write it like to:@ana.", format!("{ask}, 25.00 EUR, for “tea”, reference 7."), "/pay 25.00 EUR tea ref:\"7\""),
        ("/pay 25 tea to:@ana,<@U7>".into(), "“@Ana Maria,@bo” is not one person. Name one, like to:@ana.", format!("{ask}, 25.00 EUR, for “tea”."), "/pay 25.00 EUR tea"),
        ("/pay 25 tea expires:soon to:Bo".into(), "I cannot read “soon” as a time. Write minutes, hours or days, like 30m, 2h, 3d or 1h30m.", format!("{ask}, 25.00 EUR, for “tea”, to Bo."), "/pay 25.00 EUR tea to:\"@Bo\""),
        ("/pay 25 tea expires:9m".into(), "A payment can be open from 10 minutes to 30 days, and “9m” is not between them. Write a time like 2h.", format!("{ask}, 25.00 EUR, for “tea”."), "/pay 25.00 EUR tea"),
        ("/pay 25 tea expires:99999999999999999999d".into(), "A payment can be open from 10 minutes to 30 days, and “99999999999999999999d” is not between them. Write a time like 2h.", format!("{ask}, 25.00 EUR, for “tea”."), "/pay 25.00 EUR tea"),
        ("/pay 25 tea ref:Ä1 expires:1d12h".into(), "“Ä1” has something in it that a reference cannot have. Use the letters a to z, digits and - _ . / #.", format!("{ask}, 25.00 EUR, for “tea”, open for 1d12h."), "/pay 25.00 EUR tea expires:1d12h"),
        (format!("/pay 25 {}", long(2_000)), "That is too long for me. Write at most 2000 characters.", format!("{ask}."), "/pay 25 EUR coffee"),
        (format!("/pay 25 {}", long(121)), "The text is too long for a card. Write at most 120 characters, or put the rest into note:\"…\".", format!("{ask}, 25.00 EUR."), "/pay 25.00 EUR coffee"),
        (format!("/pay 2 x 1 {}", long(81)), "The name of an item is too long for a card. Write at most 80 characters.", format!("{ask}."), "/pay 25 EUR coffee"),
        (format!("/pay 25 to:{}", long(81)), "The name is too long. Write at most 80 characters.", format!("{ask}, 25.00 EUR."), "/pay 25.00 EUR coffee"),
        (format!("/pay 25 ref:{}", "7".repeat(41)), "The reference is too long. Write at most 40 characters.", format!("{ask}, 25.00 EUR."), "/pay 25.00 EUR coffee"),
        (format!("/pay 25 note:{}", long(301)), "The note is too long. Write at most 300 characters.", format!("{ask}, 25.00 EUR."), "/pay 25.00 EUR coffee"),
        (format!("/refund K7Q2F9 5 {}", long(301)), "The reason is too long. Write at most 300 characters.", "I understood: give money back, payment K7Q2F9, 5.".into(), "/till refund K7Q2F9 5"),
        ("/cancel".into(), "Which payment is it? Write the six characters that stand on its card.", "I understood: call a payment off.".into(), "/till cancel K7Q2F9"),
        ("/till refund 10 EUR K7Q2F9".into(), "“10” is not the code of a payment. Write the six characters that stand on its card.", "I understood: give money back.".into(), "/till refund K7Q2F9 10 EUR cold coffee"),
        ("/cancel AAAAAA now please".into(), "I do not know what to do with “now please”. Leave it out.", "I understood: call a payment off, payment AAAAAA.".into(), "/till cancel AAAAAA"),
        ("/refund AAAAAA 5 cup cold".into(), "Is “cup” the currency CUP, or part of the text? Write CUP in capitals, or put the text in quotes.", "I understood: give money back, payment AAAAAA.".into(), "/till refund AAAAAA 10 EUR"),
        ("/till juggle".into(), "I do not know “juggle”. I know: pay, cancel, refund, remind, extend, renew, approve, reject, accept, honour, status, payments, verify, retry, help.", String::new(), "/till help"),
        ("/till cancle AAAAAA".into(), "I do not know “cancle”. Did you mean “cancel”?", String::new(), "/till cancel AAAAAA"),
        ("/till refnd 5".into(), "I do not know “refnd”. Did you mean “refund”?", String::new(), "/till refund K7Q2F9 10 EUR cold coffee"),
        ("/pya 25 EUR coffee".into(), "I do not know “pya”. Did you mean “pay”?", String::new(), "/pay 25 EUR coffee"),
        ("/pya 25 EUR for @ana".into(), "I do not know “pya”. Did you mean “pay”?", String::new(), "/pay 25 EUR coffee"),
        ("/cancle AAAAAA".into(), "I do not know “cancle”. Did you mean “cancel”?", String::new(), "/till cancel AAAAAA"),
        ("/till extend AAAAAA".into(), "By how much? Write minutes, hours or days after the code, like 30m, 2h or 3d.", "I understood: leave a payment open for longer, payment AAAAAA.".into(), "/till extend AAAAAA 2h"),
        ("/till extend AAAAAA soon".into(), "I cannot read “soon” as a time. Write minutes, hours or days, like 30m, 2h, 3d or 1h30m.", "I understood: leave a payment open for longer, payment AAAAAA.".into(), "/till extend AAAAAA 2h"),
        ("/till extend AAAAAA 2h now".into(), "I do not know what to do with “now”. Leave it out.", "I understood: leave a payment open for longer, payment AAAAAA, open for 2h.".into(), "/till extend AAAAAA 2h"),
        ("/till payments gone".into(), "No payment is ever “gone”. Write open, paid, expired, cancelled, refunded or disputed, for example.", "I understood: list payments, and what needs somebody.".into(), "/till payments open"),
        ("/till verify".into(), "Which payment is it? Write the six characters that stand on its card.", "I understood: find out whether a code or link is ours.".into(), "/till verify K7Q2F9"),
        ("/till help juggle".into(), "I do not know “juggle”. I know: pay, cancel, refund, remind, extend, renew, approve, reject, accept, honour, status, payments, verify, retry, help.", "I understood: explain the commands.".into(), "/till help refund"),
    ];
    let en = locale("en");
    for (text, problem, understood, example) in table {
        let misread = read(&text).unwrap_or_else(|| panic!("{text}: talk")).expect_err(&text);
        let wanted = [problem, &understood, &format!("Try: {example}")].map(str::to_owned);
        let wanted: Vec<String> = wanted.into_iter().filter(|line| !line.is_empty()).collect();
        assert_eq!(misread.say(&en), wanted.join("\n"), "{text}");
        assert!(matches!(read(&misread.example), Some(Ok(_))), "{text}: {}", misread.example);
    }
}

#[test]
fn help_works_as_it_is_printed() {
    let (grammar, en) = (Grammar::default(), locale("en"));
    for verb in Verb::ALL {
        assert!(matches!(read(&verb.example(&grammar)), Some(Ok(_))), "{verb:?}");
        assert!(help(&grammar, Some(verb), &en).starts_with(&format!(
            "{} — {}\n",
            verb.example(&grammar),
            verb.about(&en)
        )));
    }
    for option in Opt::ALL {
        assert!(help(&grammar, Some(Verb::Pay), &en).contains(option.example()), "{option:?}");
        assert!(matches!(read(&format!("/pay 25 {}", option.example())), Some(Ok(_))), "{option:?}");
    }
    assert_eq!(
        help(&grammar, None, &en),
        "/pay 25 EUR coffee — ask for money\n\
         /till cancel K7Q2F9 — call a payment off\n\
         /till refund K7Q2F9 10 EUR cold coffee — give money back\n\
         /till remind K7Q2F9 — say a payment again in its conversation\n\
         /till extend K7Q2F9 2h — leave a payment open for longer\n\
         /till renew K7Q2F9 — ask for the same once more\n\
         /till approve K7Q2F9 — agree that a large amount is asked for\n\
         /till reject K7Q2F9 — do not agree; or let money not count that does not fit\n\
         /till accept K7Q2F9 — let money count that does not fit what was asked\n\
         /till honour K7Q2F9 — keep money that came too late\n\
         /till status K7Q2F9 — see how a payment stands\n\
         /till payments open — list payments, and what needs somebody\n\
         /till verify K7Q2F9 — find out whether a code or link is ours\n\
         /till retry K7Q2F9 — try again what was given up\n\
         /till help refund — explain the commands\n\
         For more about one of them, type /till help pay, for example."
    );
}

#[test]
fn everything_that_can_be_said_has_a_sentence() {
    use crate::money::BadMoney;
    let en = locale("en");
    let eur = Currency::parse("EUR").unwrap();
    let text = || "?".to_owned();
    let money = vec![
        BadMoney::Empty,
        BadMoney::NotANumber { text: text() },
        BadMoney::Digits { text: text() },
        BadMoney::Negative { text: text() },
        BadMoney::Zero { text: text() },
        BadMoney::TooMuch { text: text(), max: Money::zero(eur) },
        BadMoney::OverPrecise { text: text(), instead: Money::zero(eur) },
        BadMoney::Ambiguous { text: text(), whole: text().into(), part: text().into(), currency: eur },
        BadMoney::Marks { text: text(), instead: text(), currency: eur },
        BadMoney::UnknownCurrency { text: text() },
        BadMoney::NoMinorUnit { code: text() },
        BadMoney::SharedSign { sign: text() },
        BadMoney::TwoCurrencies { text: text() },
    ];
    let parts = [Part::Text, Part::What, Part::Item, Part::Name, Part::Reference, Part::Note, Part::Reason];
    let mut problems: Vec<Problem> = money.into_iter().map(Problem::Money).collect();
    problems.extend(parts.map(|part| Problem::TooLong { part, max: 7 }));
    problems.extend(Opt::ALL.map(|option| Problem::NoValue { option }));
    problems.extend(Verb::ALL.map(|meant| Problem::NearVerb { text: text(), meant }));
    problems.extend([
        Problem::NoAmount,
        Problem::CurrencyOrWord { text: text(), code: eur },
        Problem::Mixed { first: eur, second: eur },
        Problem::Quantity { text: text() },
        Problem::TooManyItems,
        Problem::ItemAmount { number: 1 },
        Problem::ItemName { number: 1 },
        Problem::OpenQuote { text: text() },
        Problem::Twice { option: Opt::To },
        Problem::NearOption { typed: text(), meant: Opt::To },
        Problem::To { text: text() },
        Problem::Expires { text: text() },
        Problem::ExpiresRange { text: text() },
        Problem::Reference { text: text() },
        Problem::NoCode,
        Problem::BadCode { text: text() },
        Problem::Extra { text: text() },
        Problem::NoSuchVerb { text: text() },
    ]);
    for problem in &problems {
        let said = problem.say(&en);
        assert!(!said.contains("command-") && !said.contains("money-") && !said.contains("{$"), "{problem:?}: {said}");
    }
    for verb in Verb::ALL {
        assert!(!help(&Grammar::default(), Some(verb), &en).contains("command-"), "{verb:?}");
    }
    for phrase in ["code", "amount", "items", "what", "reason", "to", "expires", "ref", "note"] {
        assert!(en.has(&format!("command-understood-{phrase}")), "{phrase}");
    }
}

/// Lines that are nearly commands: their words in any order.
fn any_line() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(vec![
            "25", "1,234", "1.005", "4.50", "9999999999", "0", "-5", "€25", "$5", "EUR", "usd", "cup", "JPY", "XAU", "2", "x",
            "2x", "2×", "3x€4", "+", "100", "coffee", "\"two teas\"", "\"", "“", "to:@ana", "to:", "to:@@", "to:\"", "note:",
            "note:\"a b\"", "ref:A-17", "ref:/", "ref:ä", "expires:2h", "expires:9m", "expires:1h30m", "too:x", "tel:5",
            "K7Q2F9", "k7q2f9", "cold", "help", "cancel", "25EUR", "5ft", "10:30", "\u{202e}", "\u{a0}", "\n", "@ana", "<@U7>",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,12}",
        1 => "[a-z]{100}",
    ];
    let verb = prop::sample::select(vec![
        "/pay",
        "/pay",
        "/pay",
        "/pya",
        "/till",
        "/till pay",
        "/till cancel",
        "/refund",
        "/till refund",
        "/till status",
        "/till help",
        "/cancle",
        "/till cancle",
        "/zahl",
        "",
    ]);
    (verb, prop::collection::vec(word, 0..14)).prop_map(|(verb, words)| format!("{verb} {}", words.join(" ")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_line_is_talk_a_command_or_answered_with_one_that_works(
        line in any_line(), own in "EUR|JPY|KWD|USD|TRY|HUF", tag in "en|de|fr",
    ) {
        let said = read_as(&line, &own, &tag, &Grammar::default());
        prop_assert_eq!(&said, &read_as(&line, &own, &tag, &Grammar::default()));
        if let Some(Err(misread)) = said {
            let again = read_as(&misread.example, &own, &tag, &Grammar::default());
            prop_assert!(matches!(again, Some(Ok(_))), "{:?}: {:?}", misread, again);
            prop_assert!(misread.say(&locale(&tag)).lines().count() >= 2);
        }
    }

    #[test]
    fn any_text_and_any_spans_are_survived(
        text in "(/(pay|till|refund) )?\\PC{0,60}|.{0,60}",
        spans in prop::collection::vec((0_usize..80, 0_usize..80, "\\PC{0,9}"), 0..6),
    ) {
        let mentions: Vec<Mention> = spans
            .into_iter()
            .map(|(start, end, name)| Mention { span: start..end, person: "U1".into(), name })
            .collect();
        let reading = Reading { own: Currency::parse("EUR").unwrap(), locale: &locale("en") };
        let said = Said { text: &text, mentions: &mentions };
        let first = Grammar::default().read(&said, &reading);
        prop_assert_eq!(&first, &Grammar::default().read(&said, &reading));
        if let Some(Ok(Command::Pay(pay))) = first {
            prop_assert!((1..=crate::money::MAX_MINOR).contains(&pay.total.minor()));
            prop_assert!(pay.items.len() <= ITEMS_MAX);
            let texts = [pay.what, pay.note].into_iter().flatten().chain(pay.items.into_iter().map(|item| item.name));
            for text in texts {
                prop_assert_eq!(clean(&text), text);
            }
        }
    }
}
