//! Money: arriving through a checkout, at once or by a slow bank debit, and taken back by the bank.

use crate::World;
use crate::ask::MINOR_MAX;
use crate::checkouts::whole;
use crate::db::{Db, begin};
use crate::decimal;
use crate::object::{Api, Capture, Checkout, State};
use serde_json::json;
use till_core::money::Money;
use till_core::time::Timestamp;

/// What a payer can choose: a test card, or a debit. Nothing can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Card {
    /// It works.
    Ok,
    /// It is declined.
    Declined,
    /// The bank asks whether it is really the payer (3-D Secure).
    Challenge,
    /// A debit of a bank account: the bank takes its time.
    Debit,
}

/// What a payer tells the bank that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Said {
    /// It is me.
    Approve,
    /// It is not.
    Refuse,
}

/// What a payer does on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Chooses and presses the button.
    Card(Card),
    /// Answers the bank.
    Said(Said),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// The payer is done, since this press.
    Done,
    /// The bank asks first.
    Challenged,
    /// Nothing was paid; another card may work.
    Declined,
    /// The payer refused at the bank; nothing was paid.
    Refused,
    /// What the payer wrote is no amount.
    NoAmount,
    /// It was done or closed before, or is not offered.
    TooLate,
}

impl World {
    /// What a payer's press does, with the amount that was written where the payer may choose; none for a checkout that
    /// is not there. However often: paid once.
    pub(crate) async fn press(&self, id: &str, press: Press, amount: Option<&str>) -> sqlx::Result<Option<Pressed>> {
        let mut tx = begin(&self.write).await?;
        let now = self.now();
        self.close_when_due(&mut tx, id, now).await?;
        let pressed = match crate::checkouts::by_id(&mut tx, id).await? {
            None => None,
            Some(checkout) if checkout.state == State::Open => Some(match checkout.api {
                Api::Plain => self.press_open(&mut tx, &checkout, press, now).await?,
                Api::Difficult => self.press_order(&mut tx, &checkout, press, amount, now).await?,
            }),
            Some(_) => Some(Pressed::TooLate),
        };
        tx.commit().await?;
        self.news.notify_one();
        Ok(pressed)
    }

    async fn press_open(&self, db: &mut Db, it: &Checkout, press: Press, now: Timestamp) -> sqlx::Result<Pressed> {
        match press {
            Press::Card(Card::Ok) if it.always_challenged => Ok(Pressed::Challenged),
            Press::Card(Card::Challenge) => Ok(Pressed::Challenged),
            Press::Card(Card::Ok) | Press::Said(Said::Approve) => {
                self.arrive(db, it, it.amount, now).await?;
                Ok(Pressed::Done)
            }
            Press::Card(Card::Debit) => {
                self.become_state(db, &it.id, "processing", now).await?;
                self.told(db, "checkout.completed", &it.id, now).await?;
                Ok(Pressed::Done)
            }
            Press::Card(Card::Declined) => {
                self.decline(db, &it.id, "card_declined", now).await?;
                Ok(Pressed::Declined)
            }
            Press::Said(Said::Refuse) => {
                self.decline(db, &it.id, "authentication_failed", now).await?;
                Ok(Pressed::Refused)
            }
        }
    }

    async fn press_order(
        &self,
        db: &mut Db,
        it: &Checkout,
        press: Press,
        amount: Option<&str>,
        now: Timestamp,
    ) -> sqlx::Result<Pressed> {
        match press {
            Press::Card(Card::Ok) => {
                let code = it.amount.currency().code();
                let chosen = amount.map_or(Some(it.amount), |text| decimal::read(text.trim(), code));
                let Some(chosen) = chosen.filter(|chosen| (1..=MINOR_MAX).contains(&chosen.minor())) else {
                    return Ok(Pressed::NoAmount);
                };
                self.approve(db, it, chosen, now).await?;
                Ok(Pressed::Done)
            }
            Press::Card(Card::Declined) => {
                self.decline(db, &it.id, "card_declined", now).await?;
                Ok(Pressed::Declined)
            }
            Press::Card(Card::Challenge | Card::Debit) | Press::Said(Said::Approve | Said::Refuse) => {
                Ok(Pressed::TooLate)
            }
        }
    }

    /// Money arrives through a checkout, which is complete then.
    pub(crate) async fn arrive(
        &self,
        db: &mut Db,
        it: &Checkout,
        amount: Money,
        now: Timestamp,
    ) -> sqlx::Result<Checkout> {
        let amount = self.arriving(amount);
        sqlx::query("insert into captures (id, checkout, amount_minor, currency, created_ms) values (?, ?, ?, ?, ?)")
            .bind(self.id(it.api.prefixes().capture))
            .bind(&it.id)
            .bind(amount.minor())
            .bind(amount.currency().code())
            .bind(now.ms())
            .execute(&mut *db)
            .await?;
        self.become_state(db, &it.id, "complete", now).await?;
        let kind = match it.state {
            State::Processing => "checkout.debit_succeeded",
            State::Open | State::Approved { .. } | State::Failed | State::Paid(_) | State::Expired => {
                "checkout.completed"
            }
        };
        self.told(db, kind, &it.id, now).await
    }

    /// The bank says no to a debit after all.
    pub(crate) async fn fail_debit(&self, db: &mut Db, it: &Checkout, now: Timestamp) -> sqlx::Result<Checkout> {
        self.become_state(db, &it.id, "failed", now).await?;
        self.told(db, "checkout.debit_failed", &it.id, now).await
    }

    /// The bank takes money back.
    pub(crate) async fn reverse(
        &self,
        db: &mut Db,
        it: &Checkout,
        paid: &Capture,
        now: Timestamp,
    ) -> sqlx::Result<Checkout> {
        sqlx::query("update captures set reversed_ms = ? where id = ?")
            .bind(now.ms())
            .bind(&paid.id)
            .execute(&mut *db)
            .await?;
        let checkout = whole(db, &it.id).await?;
        if let Some(paid) = checkout.capture() {
            let object = self.issuer().payment(&checkout, paid, now);
            self.tell(db, &checkout, "payment.reversed", &json!({"object": object}), now).await?;
        }
        Ok(checkout)
    }
}
