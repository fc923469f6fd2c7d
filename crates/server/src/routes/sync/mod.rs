//! `/api/v1/systems/{system}/..`: the records of a linked system, in the same words for each.
//!
//! Owns nothing itself. Every handler asks for the link of the system in its path, calls one engine function in the name
//! of the caller, and shapes the answer (`shape`). A change takes `dry_run=true` in the query or in its body, says what
//! it did, and names the command that takes it back where there is one.

pub(crate) mod conflicts;
pub(crate) mod drafts;
pub(crate) mod events;
pub(crate) mod manner;
pub(crate) mod records;
pub(crate) mod rounds;
mod shape;
pub(crate) mod waiting;
