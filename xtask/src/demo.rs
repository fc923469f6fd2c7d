//! Placeholder until written.
use crate::failure::Failure;
/// x
pub(crate) fn run(_: &[String]) -> Result<(), Failure> {
    Err(Failure::new("not yet"))
}
