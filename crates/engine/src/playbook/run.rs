//! Running a playbook: one loop for starting, resuming, and going on after an approval.
//!
//! Owns the order of things: what is done is read from the journal, the next step is put on record, done, and put on
//! record as done. The loop itself remembers nothing.
//!
//! Invariants: a step that changes a system's data does not begin before a backup of that system was made in the same
//! run; a failing step stops the run; what a run did is taken back unless it was told to keep it; a step whose process
//! still works is not begun a second time.

use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_core::gate::Duration;
use plimsoll_core::id::Id;
use serde_json::{Value as Json, json};

use super::document::{Document, Step, StepKind};
use super::host::{Alarm, Host};
use super::journal::{self, End, Entry, PlaybookRun, PlaybookStatus};
use super::rollback;
use super::words::Known;
use crate::alert;
use crate::clock::later;
use crate::error::{EngineError, ErrorKind};
use crate::owner;
use crate::session::Session;

/// What is kept of a command's output.
const KEPT_OUTPUT: usize = 65_536;
/// How often a wait on the machine's clock looks whether it was asked to pause.
const LOOK_EVERY_MS: u64 = 5_000;

/// Everything that running needs.
pub struct Runner<'a> {
    /// The control store.
    pub session: &'a mut Session,
    /// Runs commands.
    pub host: &'a mut dyn Host,
    /// The clock by which waiting goes: the machine's, or a simulated one.
    pub clock: Arc<dyn Clock>,
    /// Where progress is told, one line at a time.
    pub say: &'a dyn Fn(&str),
}

/// How a step ended.
enum StepEnd {
    Done,
    Waiting(String),
    Paused,
    Failed(String),
}

/// What a command came to.
pub(super) struct Called {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) message: Option<String>,
}

impl Runner<'_> {
    /// Goes on with a run until it ends, waits, or is paused.
    ///
    /// # Errors
    /// Refused when another process works on it, or it has ended; otherwise when the control store fails.
    pub fn drive(&mut self, id: &Id) -> Result<PlaybookRun, EngineError> {
        let run = journal::find_run(self.session, id.as_str())?;
        let document = Document::parse(&run.text)?;
        self.take_over(&run)?;
        journal::set_status(self.session, id, PlaybookStatus::Running, "", &Json::Null)?;
        for step in &document.steps {
            let entries = journal::entries(self.session, id)?;
            if is_done(&entries, &step.id) {
                continue;
            }
            if journal::pause_requested(self.session, id)? {
                return self.ended(id, PlaybookStatus::Paused, "a person asked for it");
            }
            self.session.probe.reach("playbook.step")?;
            (self.say)(&format!("{}: {}", step.id, step.title));
            match self.step(&run, &document, step, &entries)? {
                StepEnd::Done => {}
                StepEnd::Waiting(what) => return self.ended(id, PlaybookStatus::Waiting, &what),
                StepEnd::Paused => return self.ended(id, PlaybookStatus::Paused, "a person asked for it"),
                StepEnd::Failed(why) => return self.failed(&run, &document, step, &why),
            }
        }
        let run = self.ended(id, PlaybookStatus::Done, "")?;
        alert::clear(self.session, &cause(&run.playbook), "the playbook ran to its end")?;
        Ok(run)
    }

    fn ended(&mut self, id: &Id, status: PlaybookStatus, reason: &str) -> Result<PlaybookRun, EngineError> {
        journal::set_status(self.session, id, status, reason, &Json::Null)?;
        journal::find_run(self.session, id.as_str())
    }

    /// Refuses what another process still works on.
    fn take_over(&mut self, run: &PlaybookRun) -> Result<(), EngineError> {
        match run.status {
            PlaybookStatus::Done | PlaybookStatus::RolledBack => {
                return Err(EngineError::refused(format!(
                    "the run {} has ended: it is {}",
                    run.id.short(),
                    run.status.as_str()
                )));
            }
            PlaybookStatus::Running => {
                let elsewhere = run.owner.as_ref().filter(|owner| **owner != owner::current());
                if elsewhere.is_some_and(|owner| owner::is_gone(owner) != Some(true)) {
                    return Err(EngineError::refused(format!(
                        "the process {} works on the run {}\nhint: let it end, or end it",
                        elsewhere.map(String::as_str).unwrap_or_default(),
                        run.id.short()
                    )));
                }
            }
            _ => {}
        }
        // A command may outlive the process that began it.
        let entries = journal::entries(self.session, &run.id)?;
        let mut working = entries.iter().filter(|entry| entry.status == "started").filter_map(|entry| {
            let worker = entry.worker.as_ref()?;
            (owner::is_gone(worker) == Some(false)).then_some((entry, worker))
        });
        match working.next_back() {
            Some((entry, worker)) => Err(EngineError::refused(format!(
                "step `{}` is still being done by the process {worker}\nhint: let it end, or end it, and resume",
                entry.step
            ))),
            None => Ok(()),
        }
    }

    fn failed(
        &mut self,
        run: &PlaybookRun,
        document: &Document,
        step: &Step,
        why: &str,
    ) -> Result<PlaybookRun, EngineError> {
        (self.say)(&format!("{} FAILED: {why}", step.id));
        let detail = json!({ "step": step.id });
        journal::set_status(self.session, &run.id, PlaybookStatus::Failed, why, &detail)?;
        let mut told =
            format!("Step `{}` ({}) of run {} failed: {why}.", step.id, step.title, run.id.short());
        if run.keep {
            told += " What was done stands, as it was asked for.";
        } else {
            let whole = rollback::take_back(self, run, document)?;
            told +=
                if whole { " Everything was taken back." } else { " TAKING IT BACK DID NOT SUCCEED WHOLLY." };
        }
        let alarm = Alarm {
            cause: cause(&run.playbook),
            title: format!("Playbook {} stopped at step {}", run.playbook, step.id),
            detail: told,
        };
        if let Err(error) = self.host.alert(self.session, &alarm) {
            // The failure must be told even when telling it elsewhere fails.
            (self.say)(&format!("the alert could not be raised: {}", error.message));
        }
        journal::find_run(self.session, run.id.as_str())
    }

    fn step(
        &mut self,
        run: &PlaybookRun,
        document: &Document,
        step: &Step,
        entries: &[Entry],
    ) -> Result<StepEnd, EngineError> {
        if let Some(system) = &step.changes
            && !has_backup(document, entries, system)
        {
            let why = format!("it changes the data of `{system}`, and this run made no backup of it");
            let now = self.clock.now();
            let sequence = journal::begin(self.session, &run.id, &step.id, "do", "refused", &now)?;
            self.finish(
                run,
                sequence,
                step,
                "failed",
                &Called { code: None, out: String::new(), message: Some(why.clone()) },
            )?;
            return Ok(StepEnd::Failed(why));
        }
        match step.kind {
            StepKind::Approval => self.approval(run, step),
            StepKind::Wait | StepKind::Watch => self.watch(run, document, step, entries),
            StepKind::Command | StepKind::Check | StepKind::Gate | StepKind::Backup | StepKind::Flag => {
                let words = match line(step).and_then(|line| known(document, run, entries).words(&line)) {
                    Ok(words) => words,
                    Err(why) => return Ok(StepEnd::Failed(why)),
                };
                let called = self.call(run, &step.id, "do", &words, step.limit, &step.expect)?;
                Ok(called.message.map_or(StepEnd::Done, StepEnd::Failed))
            }
        }
    }

    /// Runs a command line on record. Its message says why it is not good, when it is not.
    pub(super) fn call(
        &mut self,
        run: &PlaybookRun,
        step: &str,
        action: &'static str,
        words: &[String],
        limit: Duration,
        expect: &[i32],
    ) -> Result<Called, EngineError> {
        let shown = words.join(" ");
        let sequence = journal::begin(self.session, &run.id, step, action, &shown, &self.clock.now())?;
        self.session.probe.reach("playbook.begun")?;
        let called = self.plimsoll(run, sequence, words, limit, expect)?;
        let status = if called.message.is_none() { "done" } else { "failed" };
        self.session.probe.reach("playbook.ran")?;
        let clock_at = self.clock.now();
        let end = End {
            status,
            code: called.code,
            output: Some(kept(&called.out)),
            message: called.message.as_deref(),
            clock_at: &clock_at,
        };
        journal::end(self.session, &run.id, sequence, step, action, &end)?;
        Ok(called)
    }

    fn plimsoll(
        &mut self,
        run: &PlaybookRun,
        sequence: i64,
        words: &[String],
        limit: Duration,
        expect: &[i32],
    ) -> Result<Called, EngineError> {
        let mut words = words.to_vec();
        if !words.iter().any(|word| word == "--json") {
            words.push("--json".to_owned());
        }
        let session = &mut *self.session;
        let ended = self.host.run(&words, limit, &mut |pid| {
            journal::note_worker(session, &run.id, sequence, &owner::of(pid))
        })?;
        let message = match ended.code {
            Some(code) if expect.contains(&code) => None,
            Some(code) => {
                Some(format!("`{}` ended with {code}{}", words.join(" "), reason(&ended.out, &ended.err)))
            }
            None => Some(format!("`{}` did not end within {limit}", words.join(" "))),
        };
        Ok(Called { code: ended.code, out: ended.out, message })
    }

    fn finish(
        &mut self,
        run: &PlaybookRun,
        sequence: i64,
        step: &Step,
        status: &'static str,
        called: &Called,
    ) -> Result<(), EngineError> {
        let clock_at = self.clock.now();
        let end = End {
            status,
            code: called.code,
            output: None,
            message: called.message.as_deref(),
            clock_at: &clock_at,
        };
        journal::end(self.session, &run.id, sequence, &step.id, "do", &end)
    }

    fn approval(&mut self, run: &PlaybookRun, step: &Step) -> Result<StepEnd, EngineError> {
        let whom = step.by.as_deref().unwrap_or("somebody");
        let Some(by) = journal::approval(self.session, run, &step.id)? else {
            return Ok(StepEnd::Waiting(format!(
                "step `{}` waits for the approval of {whom}: plimsoll playbook approve {} {} --by PERSON",
                step.id,
                run.id.short(),
                step.id
            )));
        };
        let now = self.clock.now();
        let sequence = journal::begin(self.session, &run.id, &step.id, "do", "approval", &now)?;
        let called = Called { code: None, out: String::new(), message: Some(format!("approved by {by}")) };
        self.finish(run, sequence, step, "done", &called)?;
        Ok(StepEnd::Done)
    }

    /// Lets time pass, and watches meanwhile. After an interruption it goes on from where it began first.
    fn watch(
        &mut self,
        run: &PlaybookRun,
        document: &Document,
        step: &Step,
        entries: &[Entry],
    ) -> Result<StepEnd, EngineError> {
        let lasts = step.lasts.unwrap_or(Duration { ms: 0 });
        let begun = entries.iter().find(|entry| entry.step == step.id && entry.action == "do");
        let now = self.clock.now();
        let from = begun.map_or_else(|| now.clone(), |entry| entry.clock_started_at.clone());
        let until = later(&from, lasts.ms)?;
        let words =
            match step.run.as_deref().map(|line| known(document, run, entries).words(line)).transpose() {
                Ok(words) => words,
                Err(why) => return Ok(StepEnd::Failed(why)),
            };
        let shown = words.as_ref().map(|words| words.join(" ")).unwrap_or_default();
        let shown = format!("{} {lasts} {shown}", step.kind.as_str());
        let sequence = journal::begin(self.session, &run.id, &step.id, "do", shown.trim_end(), &from)?;
        let (mut looked, mut failed, mut in_a_row) = (0_u64, 0_u64, 0_u64);
        let mut look_at = now;
        loop {
            let now = self.clock.now();
            if let Some(words) = words.as_ref().filter(|_| now >= look_at) {
                let called = self.plimsoll(run, sequence, words, step.limit, &step.expect)?;
                looked += 1;
                match called.message {
                    None => in_a_row = 0,
                    Some(why) => {
                        failed += 1;
                        in_a_row += 1;
                        if in_a_row > step.failures_allowed {
                            let why = format!("after {looked} looks, {failed} of them bad: {why}");
                            let called =
                                Called { code: called.code, out: String::new(), message: Some(why.clone()) };
                            self.finish(run, sequence, step, "failed", &called)?;
                            return Ok(StepEnd::Failed(why));
                        }
                    }
                }
                look_at = later(&now, step.every.unwrap_or(lasts).ms.max(1))?;
            }
            journal::tick(self.session, &run.id, &now)?;
            self.session.probe.reach("playbook.tick")?;
            if now >= until {
                break;
            }
            if journal::pause_requested(self.session, &run.id)? {
                return Ok(StepEnd::Paused);
            }
            let next = if words.is_some() { look_at.clone().min(until.clone()) } else { until.clone() };
            let rest = millis_between(&self.clock.now(), &next)?;
            self.clock.sleep_ms(if run.simulated { rest } else { rest.min(LOOK_EVERY_MS) });
        }
        let label = if run.simulated { ", on a simulated clock" } else { "" };
        let told = format!("{lasts} passed{label}; {looked} looks, {failed} of them bad");
        self.finish(
            run,
            sequence,
            step,
            "done",
            &Called { code: None, out: String::new(), message: Some(told) },
        )?;
        Ok(StepEnd::Done)
    }
}

fn millis_between(from: &str, to: &str) -> Result<u64, EngineError> {
    let read = |text: &str| -> Result<jiff::Timestamp, EngineError> {
        text.parse().map_err(|error| EngineError::integrity(format!("`{text}` is no time: {error}")))
    };
    let span = read(to)?.duration_since(read(from)?).as_millis();
    Ok(u64::try_from(span.max(0)).unwrap_or(u64::MAX).max(1))
}

/// Whether a step was done, and not taken back since.
pub(super) fn is_done(entries: &[Entry], step: &str) -> bool {
    let last = entries.iter().rev().find(|entry| entry.step == step && entry.status == "done");
    last.is_some_and(|entry| entry.action == "do")
}

fn has_backup(document: &Document, entries: &[Entry], system: &str) -> bool {
    document.steps.iter().any(|step| {
        step.kind == StepKind::Backup && step.system.as_deref() == Some(system) && is_done(entries, &step.id)
    })
}

/// The command line of a step.
///
/// # Errors
/// When a part is missing.
pub(super) fn line(step: &Step) -> Result<String, String> {
    let needed = |part: &Option<String>, name: &str| -> Result<String, String> {
        part.clone().ok_or_else(|| format!("step `{}`: `{name}` is missing", step.id))
    };
    match step.kind {
        StepKind::Command => needed(&step.run, "run"),
        StepKind::Check => Ok(format!("check {}", needed(&step.system, "system")?)),
        StepKind::Gate => Ok(format!("gate evaluate {}", needed(&step.gate, "gate")?)),
        StepKind::Backup => Ok(format!("backup {}", needed(&step.system, "system")?)),
        StepKind::Flag => {
            let flag = needed(&step.flag, "flag")?;
            let set = needed(&step.set, "set")?;
            Ok(format!("flag set {flag} {set} --reason \"playbook step {}\"", step.id))
        }
        StepKind::Approval | StepKind::Wait | StepKind::Watch => Ok(step.run.clone().unwrap_or_default()),
    }
}

/// What lines can be filled with by now.
pub(super) fn known(document: &Document, run: &PlaybookRun, entries: &[Entry]) -> Known {
    let mut known = Known { parameters: run.parameters.clone(), ..Known::default() };
    for (name, declared) in &document.front.parameters {
        if let Some(default) = &declared.default {
            known.parameters.entry(name.clone()).or_insert_with(|| default.clone());
        }
    }
    for entry in entries.iter().filter(|entry| entry.action == "do") {
        let output = entry.output.as_deref().and_then(|output| serde_json::from_str(output).ok());
        if let Some(output) = output {
            known.outputs.insert(entry.step.clone(), output);
        }
    }
    known
}

fn kept(out: &str) -> &str {
    if out.len() <= KEPT_OUTPUT {
        return out;
    }
    let end = (0..=KEPT_OUTPUT).rev().find(|at| out.is_char_boundary(*at)).unwrap_or(0);
    &out[..end]
}

/// What a command said about why it failed: the first line of its error, or the blockers of a gate.
fn reason(out: &str, err: &str) -> String {
    let blockers = serde_json::from_str::<Json>(out).ok().and_then(|json| {
        let blockers = json.pointer("/judgement/blockers")?.as_array()?.clone();
        let texts: Vec<String> =
            blockers.iter().filter_map(|one| Some(one.get("text")?.as_str()?.to_owned())).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    });
    let line = blockers.or_else(|| {
        let line = err.lines().find(|line| line.starts_with("error:")).or_else(|| err.lines().next_back());
        line.map(str::to_owned)
    });
    line.map(|line| format!(": {line}")).unwrap_or_default()
}

/// An error that means a playbook's run did not end well.
pub(super) fn incomplete(message: String) -> EngineError {
    EngineError::new(ErrorKind::Stopped, message)
}

/// What the incident about a playbook is named by: a playbook that stops again stops for the same people.
fn cause(playbook: &str) -> String {
    format!("playbook/{playbook}")
}
