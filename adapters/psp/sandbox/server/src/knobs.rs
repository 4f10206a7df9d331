//! Knobs: how the provider behaves, changed while it runs. Off, it behaves well.
//!
//! Deliberately absent: memory. A restart turns every knob off.

use crate::World;
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

/// All knobs and how they are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Knobs {
    /// Refunds stay pending until the bank decides.
    pub(crate) refunds_take_time: bool,
}

impl World {
    /// How the knobs are set.
    pub(crate) fn knobs(&self) -> Knobs {
        *self.knobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets all knobs: those that are left out are turned off.
    pub(crate) fn set_knobs(&self, knobs: Knobs) -> Result<Knobs, Problem> {
        *self.knobs.lock().unwrap_or_else(PoisonError::into_inner) = knobs;
        Ok(knobs)
    }
}
