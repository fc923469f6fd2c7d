//! What shell commands tell about version control, and which calls are risky.
//!
//! Owns the rows of `git_facts` and `security_findings`; the reading of commands and the rules are those of the
//! modules for git and security.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::part::Part;
use super::tool_calls::{Call, Ending};

/// Adds the rows of a call that has ended.
pub(super) fn store(
    _call: &Call<'_>,
    _command: Option<&str>,
    _part: &Part<'_>,
    _how: Ending,
    _created: Option<i64>,
    _rows: &mut Rows,
) -> Result<(), Refusal> {
    Ok(())
}
