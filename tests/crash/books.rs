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
    /// Money that does not fit and that nobody accepted.
    pub(super) lies: BTreeSet<String>,
    /// The provider's name of everything that it has of this payment.
    pub(super) objects: BTreeSet<String>,
    /// Refunds that are on their way.
    pub(super) pending: BTreeSet<String>,
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
        let counts = fits || accepted.contains(capture);
        self.objects.insert(capture.clone());
        if !fits {
            self.lies.insert(capture.clone());
        }
        if counts && !reversed {
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
        for dispute in it.disputes.iter() {
            self.objects.insert(dispute["id"].as_str().unwrap().to_owned());
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

/// What till says of every payment. No reference was used twice, and the provider's books say the same.
pub(super) async fn books_agree(shop: &Shop) -> BTreeMap<String, Value> {
    agreed(shop).await.payments
}

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
    let reserved = if book.pending.is_empty() { 0 } else { number("reserved_minor") };
    let expected = [
        ("captured_minor", book.captured),
        ("refunded_minor", book.refunded),
        ("withheld_minor", book.withheld),
        ("reserved_minor", reserved),
    ];
    for (key, held) in expected.into_iter().filter(|(key, held)| number(key) != *held) {
        wrong.push(format!("{key}: {} here, {held} at the provider", number(key)));
    }
    let facts = payment["facts"].to_string();
    for unknown in book.objects.iter().filter(|id| !facts.contains(&format!("\"{id}\""))) {
        wrong.push(format!("{unknown} is not known here"));
    }
    // A person must look where a lie was told and nobody decided, and where more went back than is there.
    let no: BTreeSet<String> = decided(payment, "no").into_iter().chain(decided(payment, "yes")).collect();
    let undecided = book.lies.iter().any(|id| !no.contains(id));
    let looks = undecided || book.refunded > book.captured;
    if looks != (payment["status"] == "needs_review") {
        wrong.push(format!("undecided lies: {undecided}, and it is {}", payment["status"]));
    }
    if !wrong.is_empty() {
        wrong.push(format!("  {book:?}\n  {payment}"));
    }
    wrong
}
