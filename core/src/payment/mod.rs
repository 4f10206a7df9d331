//! A payment: the facts about it, and everything that follows from them.
//!
//! ```text
//! facts ──► Payment::of ──► sums()    captured, refunded, reserved, withheld, kept, net   (PAYMENTS.md F.2)
//!                       ├─► status()  the first rule that fits                             (PAYMENTS.md F.3)
//!                       ├─► may()     what staff can do now
//!                       └─► owed()    provider calls, pings and alerts that follow
//! ```
//! Any order and any number of copies of the same facts give the same payment.
//!
//! Deliberately absent: transitions. Nothing here moves from one state to another; a fact is added and all is derived.

mod decide;
mod fact;
mod judge;
mod ledger;
mod status;
#[cfg(test)]
mod tests;

pub use decide::{
    Asked, Decision, LIFE, Limits, OutToday, Refusal, approve, ask, cancel, checkout_again, deadline, extend, honour,
    refund, remind, renew, resolve, unknown,
};
pub use fact::{
    AMOUNT_DIFFERS, Answer, Approval, CheckoutState, DisputeState, Fact, Lasting, MismatchKind, RefundState,
    ReviewState, Seen,
};
pub use judge::{disagrees, judge};
pub use ledger::{Capture, Checkout, Closed, Dispute, Payment, Refund, Review, Sums};
pub use status::{Act, Alert, Owed, Status};
