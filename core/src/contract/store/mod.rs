//! What every store must hold, as claims that run against an empty one each.
//!
//! ```text
//! payments   facts, versions, codes, lists      cards      desired and shown revisions
//! guards     inbox, moments, day totals         kept       leases, values, staff
//! work       outbox and parked claims           transcript lines and their numbers
//! races      two at once: one wins              merchants  nobody sees another's rows
//! upkeep     what waits, was given up, comes again, is forgotten
//! agrees     a walk by seed: the store and the model answer alike
//! ```
//! Deliberately absent: durability and crashes. Only the adapter knows how to pull its plug; its own tests do.

// A contract says what is wrong by panicking, as a test does.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "test code: a broken claim panics")]

mod accounts;
mod agrees;
mod cards;
mod guards;
mod kept;
mod merchants;
mod payments;
mod races;
mod shop;
mod transcript;
mod upkeep;
mod work;

pub use agrees::agrees;

use crate::port::store::Store;
use crate::port::transcript::Transcript;
use std::sync::Arc;

/// One store, by both its ports.
#[derive(Clone)]
pub struct Both {
    /// Decisions, work and cards.
    pub store: Arc<dyn Store>,
    /// Conversations.
    pub transcript: Arc<dyn Transcript>,
}

impl Both {
    /// The same value behind both ports.
    pub fn of<S: Store + Transcript + 'static>(store: Arc<S>) -> Self {
        Self { store: store.clone(), transcript: store }
    }
}

macro_rules! each_on_a_fresh_store {
    ($fresh:ident: $($area:ident { $($claim:ident)* })*) => {
        $($( $area::$claim(&$fresh().await).await; )*)*
    };
}

/// Runs every claim, each on an empty store from `fresh`.
///
/// # Panics
/// When a claim does not hold: the place of the panic names it.
pub async fn suite<F, Fut>(fresh: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Both>,
{
    each_on_a_fresh_store! { fresh:
        payments {
            a_new_payment_comes_back_whole
            a_payment_is_found_by_its_code_its_objects_and_its_links
            a_code_names_one_payment
            a_fact_that_is_known_is_left_as_it_is
            a_change_counts_and_a_stale_one_has_moved
            a_provider_s_object_belongs_to_one_payment_for_ever
            payments_are_listed_newest_first_and_by_status
            what_may_differ_from_the_provider_comes_in_pages
            a_check_comes_once_and_again_when_its_lease_ends
            a_refused_decision_writes_nothing_at_all
        }
        guards {
            a_second_delivery_names_the_payment
            a_delivery_about_no_payment_is_remembered_too
            the_same_a_moment_ago_names_the_payment_until_the_moment_has_passed
            a_total_is_a_sum_and_its_version_moves
        }
        work {
            work_of_every_kind_comes_back_as_it_was_written
            a_work_key_is_one_row_for_ever
            work_comes_when_due_earliest_first_and_no_more_than_asked_for
            a_claim_is_exclusive_until_its_lease_ends
            a_lost_claim_settles_nothing
            what_is_settled_cannot_be_settled_again
            work_comes_again_when_it_says_so_and_never_once_it_is_given_up
            a_delivery_is_parked_once_claimed_and_settled
            a_claim_of_one_table_is_worth_nothing_in_another
            the_backlog_counts_what_is_open_and_what_was_given_up
            the_next_moment_is_the_earliest_of_all
        }
        cards {
            a_card_wants_to_show_every_change_and_many_changes_once
            a_change_that_shows_nowhere_moves_the_version_and_no_card
            a_card_is_claimed_by_one_until_its_lease_ends
            a_change_while_the_card_is_drawn_is_drawn_next
            a_card_with_nothing_to_show_waits_for_the_next_change
            a_card_that_failed_comes_again_when_it_says_so
            an_unsure_card_is_drawn_once_more
            a_lost_claim_of_a_card_asks_for_one_more_edit_and_writes_nothing_else
            a_successor_takes_the_card_s_place
            the_messages_of_a_payment_are_those_that_show_it_now
            a_lost_card_never_comes_again
            a_place_shows_one_card_of_a_payment
        }
        upkeep {
            what_was_given_up_is_listed_newest_first_with_its_reason
            dead_letters_are_those_of_one_payment_and_of_one_merchant
            what_is_revived_is_due_at_once_at_its_second_try_and_as_old_as_before
            many_tries_are_counted_anew_and_an_old_claim_is_worth_nothing
            of_what_waits_the_oldest_is_named_with_what_stood_in_its_way
            a_card_is_behind_since_the_first_change_that_it_does_not_show
            payments_are_counted_by_status
            only_what_is_old_is_forgotten_and_no_more_than_asked_for
            a_delivery_is_forgotten_once_it_is_settled_and_old
        }
        kept {
            a_lease_is_one_holder_s_until_it_ends_and_its_fence_grows
            a_kept_value_is_overwritten_expires_and_is_taken_once
            kept_values_are_listed_by_how_their_keys_begin
            staff_are_listed_by_id_and_can_be_renamed
        }
        accounts {
            an_account_comes_back_whole
            accounts_come_newest_choice_first_and_then_by_id
            a_closed_account_keeps_its_first_reason_until_it_is_put_again
            accounts_are_one_merchant_s
        }
        transcript {
            a_conversation_begins_once_and_changes_with_its_lines
            numbers_grow_with_every_line_and_every_change
            a_line_is_written_once_per_key_and_conversation
            what_is_not_there_is_not_written
            a_customer_sees_neither_staff_lines_nor_other_conversations
            pages_leave_no_gap_and_repeat_nothing
            conversations_come_latest_change_first
        }
        merchants {
            payments_and_what_finds_them_are_one_merchant_s
            guards_and_totals_are_one_merchant_s
            a_claim_is_worth_nothing_to_another_merchant
            kept_values_and_staff_are_one_merchant_s
            conversations_are_one_merchant_s
        }
        races {
            of_two_decisions_on_one_payment_one_is_done
            of_two_decisions_on_one_total_one_is_done_and_the_sum_is_right
            of_two_equal_deliveries_one_is_done
            of_two_equal_wishes_one_is_done
            of_two_payments_with_one_code_one_is_done
            of_two_workers_each_row_has_one
            of_two_who_take_one_gets_it
            of_two_who_settle_one_claim_one_does
            of_two_writers_of_one_line_both_get_the_same
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::model::Model;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    /// The model never waits, so polling is enough of a runtime.
    fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return done;
            }
        }
    }

    async fn model() -> Both {
        Both::of(Arc::new(Model::new()))
    }

    #[test]
    fn the_model_keeps_the_store_s_contract() {
        block_on(suite(model));
    }

    #[test]
    fn the_model_agrees_with_itself() {
        for seed in 0..20 {
            block_on(async { agrees(seed, &model().await, &model().await).await });
        }
    }
}
