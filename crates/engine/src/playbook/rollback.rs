//! Taking back what a run did.
//!
//! Owns the order: steps in reverse, each by its own command lines. Steps that only look have nothing to take back.
//!
//! Invariants: taking back goes on after a command that fails, because what can be taken back should be; it is whole
//! only when every command ended well. It is journaled like everything else, so it can be asked for again.

use serde_json::json;

use super::document::{Document, StepKind};
use super::journal::{self, PlaybookRun, PlaybookStatus};
use super::run::{Runner, is_done, known};
use crate::error::EngineError;

/// Takes back everything that was begun and not taken back since. Returns whether all of it succeeded.
pub(super) fn take_back(
    runner: &mut Runner<'_>,
    run: &PlaybookRun,
    document: &Document,
) -> Result<bool, EngineError> {
    let mut whole = true;
    let mut problems = Vec::new();
    for step in document.steps.iter().rev() {
        let entries = journal::entries(runner.session, &run.id)?;
        let begun = entries.iter().rposition(|entry| entry.step == step.id && entry.action == "do");
        let Some(begun) = begun.filter(|at| entries[*at].command != "refused") else { continue };
        let lines = if step.rollback.is_empty() && step.kind == StepKind::Flag {
            let flag = step.flag.clone().unwrap_or_default();
            vec![format!("flag kill {flag} --reason \"taken back by a playbook\"")]
        } else {
            step.rollback.clone()
        };
        // What was taken back after it was last begun need not be taken back again.
        let taken = entries[begun..]
            .iter()
            .filter(|entry| entry.step == step.id && entry.action == "undo" && entry.status == "done");
        for line in lines.iter().skip(taken.count()) {
            (runner.say)(&format!("taking back {}: {line}", step.id));
            let words = match known(document, run, &entries).words(line) {
                Ok(words) => words,
                // A step that failed before it printed what the line needs has nothing of that kind to take back.
                Err(why) if !is_done(&entries, &step.id) => {
                    (runner.say)(&format!("  nothing to take back there: {why}"));
                    continue;
                }
                Err(why) => {
                    whole = false;
                    problems.push(format!("{}: {why}", step.id));
                    continue;
                }
            };
            let called = runner.call(run, &step.id, "undo", &words, step.limit, &step.expect)?;
            if let Some(why) = called.message {
                whole = false;
                problems.push(format!("{}: {why}", step.id));
                break;
            }
        }
    }
    let status = if whole { PlaybookStatus::RolledBack } else { PlaybookStatus::Failed };
    let reason = if whole { "everything was taken back" } else { "not everything could be taken back" };
    journal::set_status(runner.session, &run.id, status, reason, &json!({ "problems": problems }))?;
    Ok(whole)
}

impl Runner<'_> {
    /// Takes a run back.
    ///
    /// # Errors
    /// Refused when another process works on it, or it was taken back already; stopped when not everything could be
    /// taken back.
    pub fn rollback(&mut self, run: &PlaybookRun) -> Result<PlaybookRun, EngineError> {
        match run.status {
            PlaybookStatus::RolledBack => {
                return Err(EngineError::refused(format!(
                    "the run {} was taken back already",
                    run.id.short()
                )));
            }
            PlaybookStatus::Running
                if run.owner.as_ref().is_some_and(|owner| crate::owner::is_gone(owner) != Some(true)) =>
            {
                return Err(EngineError::refused(format!(
                    "the run {} is being worked on\nhint: plimsoll playbook pause {}",
                    run.id.short(),
                    run.id.short()
                )));
            }
            _ => {}
        }
        let document = Document::parse(&run.text)?;
        if take_back(self, run, &document)? {
            return journal::find_run(self.session, run.id.as_str());
        }
        Err(super::run::incomplete(format!(
            "not everything of run {} could be taken back\nhint: plimsoll playbook report {} says what; mend it and ask again",
            run.id.short(),
            run.id.short()
        )))
    }
}
