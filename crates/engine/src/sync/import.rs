//! Edits from a file.
//!
//! Owns going through the lines that a system's reader found, the edit that each becomes, and the report. Reading the
//! file is the system's ([`LinkedSystem::import`]).
//!
//! Invariants: every line is an edit, unchanged, or a problem with its number; a line whose edit is refused leaves no
//! draft behind when it is to be committed.

use super::declare::{LinkedSystem, Problem};
use super::edit::{self, How, Wanted};
use super::read;
use crate::error::EngineError;
use crate::session::Session;

/// What became of a file's lines.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct ImportReport {
    /// Lines that became an edit, or would.
    pub edited: u64,
    /// Lines that say what is there already.
    pub unchanged: u64,
    /// Lines that changed nothing, each with the reason.
    pub problems: Vec<Problem>,
    /// The edits that were made.
    pub edits: Vec<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// Makes an edit of each line that differs from what the actor sees. With `commit` each is committed at once; without,
/// it stays a draft.
///
/// # Errors
/// Usage when the file as a whole cannot be read; store errors.
pub fn take(
    session: &mut Session,
    linked: &LinkedSystem,
    bytes: &[u8],
    commit: bool,
    how: How<'_>,
) -> Result<ImportReport, EngineError> {
    let link = linked.link;
    let imported = (linked.import)(bytes)
        .map_err(|why| EngineError::usage(format!("{why}\nhint: nothing was imported")))?;
    let mut report =
        ImportReport { problems: imported.problems, dry_run: how.dry_run, ..ImportReport::default() };
    let actor = session.actor.clone();
    for row in imported.rows {
        let known = read::row(session, link, &actor, &row.key)?;
        // Only what differs is an edit: a file that was exported and changed in one cell edits one field.
        let mut differing = row.fields;
        if let Some(known) = &known {
            let names = link.mirror().fields;
            differing.retain(|name, value| {
                let held = names.iter().position(|known| known == name).and_then(|at| known.fields.get(at));
                held.is_none_or(|held| held.as_text() != value.as_text() || held.is_null() != value.is_null())
            });
            if differing.is_empty() {
                report.unchanged += 1;
                continue;
            }
        }
        let wanted = Wanted { key: &row.key, scope: row.scope.as_deref(), fields: Some(&differing) };
        let done = if commit {
            edit::at_once(session, link, wanted, how)
        } else {
            edit::draft_how(session, link, wanted, how)
        };
        match done {
            Ok((id, _)) => {
                report.edited += 1;
                if !how.dry_run {
                    report.edits.push(id);
                }
            }
            Err(error) if error.class.is_some() => return Err(error),
            Err(error) => {
                report.problems.push(Problem { line: row.line, column: None, reason: error.message });
            }
        }
    }
    report.problems.sort_by_key(|problem| problem.line);
    Ok(report)
}
