//! The two books: what the provider holds of each payment, read from its objects, and what till says of it.

use super::bank::{Amount, Bank, Standing, minor};
use super::provider::Which;
use super::shop::Shop;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the provider holds of one payment, in minor units of its currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Book {
    pub(super) captured: i64,
    pub(super) refunded: i64,
    pub(super) withheld: i64,
    /// Money that does not fit, whatever was decided about it.
    pub(super) lies: BTreeSet<String>,
    /// The provider's name of everything that it has of this payment.
    pub(super) objects: BTreeSet<String>,
    /// Refunds that are on their way.
    pub(super) pending: BTreeSet<String>,
    /// Pages that can be paid.
    pub(super) open: BTreeSet<String>,
    /// Debits that are on their way.
    pub(super) debits: BTreeSet<String>,
    /// Disputes that the bank has yet to decide, or has decided for the payer; not those that are only asked about.
    pub(super) disputed: BTreeSet<String>,
    pub(super) lost: BTreeSet<String>,
}

/// Everything that a sandbox has of till's payments, by payment. A number that two checkouts were made under fails.
pub(super) async fn of_the_sandbox(which: Which, url: &str, accepted: &BTreeSet<String>) -> BTreeMap<String, Book> {
    let (mut books, mut numbers): (BTreeMap<String, Book>, BTreeSet<_>) = (BTreeMap::new(), BTreeSet::new());
    let bank = Bank::new(url, which);
    for id in bank.checkouts().await {
        let it = bank.look(&id).await.unwrap_or_else(|| panic!("{id} was made and is not there"));
        let (payment, n) = reference(&it.object);
        assert!(numbers.insert((payment.clone(), n.clone())), "checkout {n} of {payment} exists twice: {id}");
        let book = books.entry(payment).or_default();
        if it.is_processing {
            book.debits.insert(id.clone());
        }
        if which == Which::Sandbox && it.object["status"] == "open" {
            book.open.insert(id.clone());
        }
        book.objects.insert(id);
        book.add(&it, which, accepted);
    }
    books
}

/// The payment and the number that a checkout carries.
fn reference(checkout: &Value) -> (String, String) {
    if let Some((payment, n)) = checkout["custom_id"].as_str().and_then(|it| it.split_once(':')) {
        return (payment.to_owned(), n.to_owned());
    }
    let label = |name: &str| checkout["metadata"][name].as_str().unwrap().to_owned();
    (label("till_payment"), label("till_n"))
}

impl Book {
    fn add(&mut self, it: &Standing, which: Which, accepted: &BTreeSet<String>) {
        let Some((capture, came, reversed)) = &it.paid else { return };
        let fits = fits(which, came, &minor(&it.object["amount"]));
        // What becomes of money that the bank took back is between the merchant and the bank.
        let counts = (fits || accepted.contains(capture)) && !reversed;
        self.objects.insert(capture.clone());
        if !fits {
            self.lies.insert(capture.clone());
        }
        if counts {
            self.captured += came.0;
        }
        for refund in &it.refunds {
            let id = refund["id"].as_str().unwrap().to_owned();
            match refund["status"].as_str().unwrap() {
                "pending" => drop(self.pending.insert(id.clone())),
                "succeeded" if counts => self.refunded += minor(&refund["amount"]).0,
                _ => {}
            }
            self.objects.insert(id);
        }
        for dispute in &it.disputes {
            let id = dispute["id"].as_str().unwrap().to_owned();
            match dispute["status"].as_str().unwrap() {
                "needs_response" | "under_review" => drop(self.disputed.insert(id.clone())),
                "lost" => drop(self.lost.insert(id.clone())),
                _ => {}
            }
            self.objects.insert(id);
            if counts {
                self.withheld += minor(&dispute["withdrawn"]).0;
            }
        }
    }
}

/// Whether what came is what the checkout asked for. Difficult payers may choose the amount.
fn fits(which: Which, came: &Amount, asked: &Amount) -> bool {
    match which {
        Which::Sandbox | Which::Stripe => came == asked,
        Which::Difficult => came.1 == asked.1,
    }
}

/// Money that does not fit, by what staff decided about it.
fn decided(payment: &Value, answer: &str) -> BTreeSet<String> {
    let facts = payment["facts"].as_array().unwrap().iter().map(|it| &it["fact"]);
    let resolved = facts.filter(|fact| fact["fact"] == "review_resolved" && fact["answer"] == answer);
    resolved.filter_map(|fact| Some(fact["id"].as_str()?.strip_prefix("capture/")?.to_owned())).collect()
}

/// What till and its provider say of every payment, by reference.
pub(super) struct Agreed {
    pub(super) payments: BTreeMap<String, Value>,
    /// By payment.
    pub(super) books: BTreeMap<String, Book>,
}

/// What both say of every payment. No reference was used twice, and they say the same.
pub(super) async fn agreed(shop: &Shop) -> Agreed {
    let all = shop.payments();
    let accepted: BTreeSet<String> = all.iter().flat_map(|payment| decided(payment, "yes")).collect();
    let books = shop.provider.books(&accepted).await;
    let (mut payments, mut wrong) = (BTreeMap::new(), Vec::new());
    for payment in all {
        let book = books.get(payment["id"].as_str().unwrap()).cloned().unwrap_or_default();
        wrong.extend(disagreements(&payment, &book));
        let reference = payment["wording"]["reference"].as_str().unwrap().to_owned();
        if let Some(twin) = payments.insert(reference.clone(), payment) {
            panic!("{reference} was made twice: {twin:#}");
        }
    }
    let known: BTreeSet<&str> = payments.values().filter_map(|payment| payment["id"].as_str()).collect();
    assert!(books.keys().all(|id| known.contains(id.as_str())), "the provider knows no payment that till does not");
    assert!(wrong.is_empty(), "{} disagreements:\n{}", wrong.len(), wrong.join("\n"));
    let paid = payments.values().filter(|payment| payment["captured_minor"] != 0).count();
    assert!(payments.len() > 10 && paid > 3, "a load that means something: {} payments, {paid} paid", payments.len());
    Agreed { payments, books }
}

/// Where till and the provider differ about one payment.
fn disagreements(payment: &Value, book: &Book) -> Vec<String> {
    let mut wrong = Vec::new();
    let number = |key: &str| payment[key].as_i64().unwrap();
    let expected = [
        ("captured_minor", book.captured),
        ("refunded_minor", book.refunded),
        ("withheld_minor", book.withheld),
        ("reserved_minor", 0),
    ];
    for (key, held) in expected.into_iter().filter(|(key, held)| number(key) != *held) {
        wrong.push(format!("{key}: {} here, {held} at the provider", number(key)));
    }
    let facts = payment["facts"].to_string();
    for unknown in book.objects.iter().filter(|id| !facts.contains(&format!("\"{id}\""))) {
        wrong.push(format!("{unknown} is not known here"));
    }
    wrong.extend(status_is_wrong(payment, book));
    if !wrong.is_empty() {
        wrong.push(format!("  {book:?}\n  {payment}"));
    }
    wrong
}

/// Why the status cannot be what it is, as far as the provider's objects say it by themselves.
fn status_is_wrong(payment: &Value, book: &Book) -> Option<String> {
    let status = payment["status"].as_str().unwrap();
    let lied = !undecided(payment, book).is_empty();
    let net = book.captured - book.refunded - book.withheld;
    // In the order of the rules (PAYMENTS.md F.3).
    let expected = if lied || book.refunded > book.captured {
        "needs_review"
    } else if !book.lost.is_empty() && net <= 0 {
        "charged_back"
    } else if !book.disputed.is_empty() {
        "disputed"
    } else if book.captured > 0 && book.captured == book.refunded {
        "refunded"
    } else if book.captured == 0 && !book.debits.is_empty() {
        "processing"
    } else if ["needs_review", "charged_back", "disputed", "refunded", "processing"].contains(&status) {
        "something else"
    } else {
        status
    };
    if expected != status {
        return Some(format!("it is {status}, and should be {expected}"));
    }
    let payable = ["open", "partially_paid"].contains(&status);
    (!book.open.is_empty() && !payable).then(|| format!("it is {status}, and can be paid at {:?}", book.open))
}

/// Money that does not fit and that nobody has decided about.
pub(super) fn undecided<'a>(payment: &Value, book: &'a Book) -> Vec<&'a String> {
    let decided: BTreeSet<String> = ["yes", "no"].into_iter().flat_map(|answer| decided(payment, answer)).collect();
    book.lies.iter().filter(|id| !decided.contains(*id)).collect()
}
