//! The real planner as a system of the comparison.
//!
//! Owns the adapter: requests and answers in the planner's words, readings, crashes, people's answers. Everything
//! that is decided is decided by [`super::super::super::plan::step`]. Sent each minute, pulled each fifteen minutes,
//! as the earlier equipment system was, so that both meet the same races. All fields are registers with the policy
//! `manual`: a person is asked, as there.

use std::collections::BTreeMap;

use super::super::super::conflict::{Answer, ConflictKind, Pick};
use super::super::super::field::{LinkShape, NoRules};
use super::super::super::hybrid::HybridTime;
use super::super::super::outbox::OutboxState;
use super::super::super::plan::{Action, Dispatch, Event, step};
use super::super::super::record::{
    Edit, Expected, Fields, Intent, Observed, Operation, OperationId, Origin, RowState, SyncRecord, Version,
};
use super::super::super::retry::{Retry, RetryRule};
use super::Link;
use super::master::{Guard, Master, Reply, Request, Shown};
use super::script::{Change, Choice, FIELDS, ROWS, Row};
use crate::value::Value;

const PULL_EVERY: u64 = 15;

pub(super) struct Ours {
    shape: LinkShape,
    records: Vec<SyncRecord>,
    drafts: BTreeMap<usize, usize>,
    reads: Vec<(OperationId, u32)>,
    crashed: bool,
    /// Requests in a row that had no answer, by row.
    failures: [u32; ROWS],
}

fn fields_of(row: &Row) -> Fields {
    row.iter().map(|(field, value)| ((*field).to_owned(), Value::Integer(*value))).collect()
}

fn row_of(fields: &Fields) -> Row {
    let value = |field| Some((field, fields.get(field)?.as_integer()?));
    FIELDS.into_iter().filter_map(value).collect()
}

/// The stream of a record is its row's number.
fn row_number(operation: &OperationId) -> usize {
    operation.stream.parse().unwrap_or(0)
}

fn change_of(intent: &Intent) -> Change {
    match intent {
        Intent::Write(_) => Change::Write(row_of(&intent.values())),
        Intent::Delete { .. } => Change::Delete,
    }
}

fn operations(record: &SyncRecord) -> impl Iterator<Item = &Operation> {
    record.overlay.sending.iter().chain(&record.overlay.pending).chain(&record.dead_letters)
}

impl Ours {
    pub(super) fn new(master: &Master<'_>) -> Self {
        let records = (0..ROWS).map(|row| SyncRecord::new(row.to_string())).collect();
        let mut ours = Self {
            shape: LinkShape::default(),
            records,
            drafts: BTreeMap::new(),
            reads: Vec::new(),
            crashed: false,
            failures: [0; ROWS],
        };
        for row in 0..ROWS {
            let start = Self::state(row, master.row(row), master);
            if let Ok(next) = step(&ours.shape, &NoRules, &ours.records[row], Event::Observed(start)) {
                ours.records[row] = next.record;
            }
        }
        ours
    }

    fn state(row: usize, shown: &Shown, master: &Master<'_>) -> RowState {
        let version = Version(shown.version);
        let Some(fields) = &shown.fields else { return RowState::Gone { version } };
        let origin = match master.origin(row) {
            None => Origin::Untold,
            Some(None) => Origin::Elsewhere,
            Some(Some(number)) => Origin::Operation(OperationId { stream: row.to_string(), number }),
        };
        RowState::Present(Observed { version, fields: fields_of(fields), changed_at: None, origin })
    }

    /// Takes an event; false when the planner refuses it.
    fn take(&mut self, row: usize, event: Event, master: &mut Master<'_>) -> bool {
        let before = &self.records[row];
        let Ok(next) = step(&self.shape, &NoRules, before, event) else { return false };
        self.records[row] = next.record;
        for action in next.actions {
            match action {
                Action::RaiseConflict(_) | Action::ReopenConflict(_) => self.ask(row, master),
                Action::DeadLetter { operation, .. } => {
                    let letters = &self.records[row].dead_letters;
                    if let Some(letter) = letters.iter().find(|letter| letter.id == operation) {
                        master.give_up(row, &change_of(&letter.intent));
                    }
                }
                Action::ReadBack { operation, attempt } => self.reads.push((operation, attempt)),
                Action::Dispatch(dispatch) => self.dispatch(row, &dispatch, master),
                Action::WriteMirror(_)
                | Action::Enqueue(_)
                | Action::Coalesce { .. }
                | Action::CloseConflict(_)
                | Action::Journal(_)
                | Action::Settle { .. } => {}
            }
        }
        true
    }

    fn ask(&self, row: usize, master: &mut Master<'_>) {
        let Some(conflict) = &self.records[row].conflict else { return };
        let both = conflict.fields.values().flat_map(|field| [&field.mine, &field.theirs]);
        let shown: Vec<i64> = both.flatten().filter_map(Value::as_integer).collect();
        let deletion = matches!(conflict.kind, ConflictKind::DeletedHere | ConflictKind::DeletedThere);
        master.ask(row, self.view(row).as_ref(), shown, deletion);
    }

    fn dispatch(&mut self, row: usize, dispatch: &Dispatch, master: &mut Master<'_>) {
        let guard = match dispatch.expected {
            Expected::Version(version) => Guard::Version(version.0),
            Expected::Absent { gone } => Guard::Gone(gone.map_or(0, |version| version.0)),
        };
        let change = dispatch.fields.as_ref().map_or(Change::Delete, |fields| Change::Write(row_of(fields)));
        let operation = dispatch.operation.number;
        let reply = master.send(&Request { row, operation, guard, change, stamp_ms: None });
        self.answered(row, &dispatch.operation, &reply, master);
    }

    fn answered(&mut self, row: usize, id: &OperationId, reply: &Reply, master: &mut Master<'_>) {
        let operation = id.clone();
        let event = match reply {
            Reply::Done(shown) => Event::Acknowledged { operation, current: Self::state(row, shown, master) },
            Reply::Stale(shown) | Reply::Missing(shown) => {
                Event::Rejected { operation, current: Self::state(row, shown, master) }
            }
            Reply::TooMany => Event::TurnedAway { operation, reason: "429".into() },
            Reply::ServerError => Event::Unknown { operation, reason: "503".into() },
            Reply::Silence => Event::Unknown { operation, reason: "timeout".into() },
            Reply::Crash => {
                self.crashed = true;
                self.failures[row] += 1;
                return;
            }
        };
        let failed = matches!(event, Event::TurnedAway { .. } | Event::Unknown { .. });
        self.failures[row] = if failed { self.failures[row] + 1 } else { 0 };
        self.take(row, event, master);
    }

    /// The one retry layer, as the engine has it: after the last attempt the operation waits for a person.
    fn send(&mut self, row: usize, master: &mut Master<'_>) {
        let overlay = &self.records[row].overlay;
        let next = overlay.sending.as_ref().or(overlay.pending.as_ref());
        let Some(next) = next.filter(|operation| operation.state == OutboxState::Queued) else { return };
        let attempt = self.failures[row];
        let event = match RetryRule::default().after(attempt, None, 0) {
            Retry::After(_) => Event::Send,
            Retry::Never => {
                self.failures[row] = 0;
                Event::GiveUp {
                    operation: next.id.clone(),
                    reason: format!("{attempt} requests had no answer"),
                }
            }
        };
        self.take(row, event, master);
    }

    fn read_back(&mut self, master: &mut Master<'_>) {
        for (operation, attempt) in std::mem::take(&mut self.reads) {
            let row = row_number(&operation);
            if master.script.reading_fails(master.minute, row) {
                self.reads.push((operation, attempt));
                continue;
            }
            let current = Self::state(row, master.row(row), master);
            let applied = master.was_applied(row, operation.number);
            self.take(row, Event::ReadBack { operation, attempt, current, applied }, master);
        }
    }
}

impl Link for Ours {
    fn view(&self, row: usize) -> Option<Row> {
        self.records[row].view().as_ref().map(row_of)
    }

    fn draft(&mut self, id: usize, row: usize, change: &Change, master: &Master<'_>) -> bool {
        let edit = Edit { id: id.to_string(), author: "someone".into() };
        let ms = u64::try_from(master.here_ms()).unwrap_or(0);
        let event = match change {
            Change::Write(values) => {
                let at = HybridTime { ms, tick: 0, node: "here".into() };
                Event::Draft { edit, at, fields: fields_of(values) }
            }
            Change::Delete => Event::DraftDelete { edit },
        };
        // A draft causes no action, so the remote is not needed.
        let Ok(next) = step(&self.shape, &NoRules, &self.records[row], event) else { return false };
        self.records[row] = next.record;
        self.drafts.insert(id, row);
        true
    }

    fn commit(&mut self, id: usize, master: &mut Master<'_>) -> bool {
        let Some(row) = self.drafts.remove(&id) else { return false };
        let edit = id.to_string();
        let taken = self.take(row, Event::Commit { edit: edit.clone() }, master);
        if !taken {
            self.take(row, Event::Discard { edit }, master);
        }
        taken
    }

    fn work(&mut self, master: &mut Master<'_>) {
        if std::mem::take(&mut self.crashed) {
            self.reads.clear();
            for row in 0..ROWS {
                self.take(row, Event::Recover, master);
            }
        }
        self.read_back(master);
        if master.minute.is_multiple_of(PULL_EVERY) {
            for row in 0..ROWS {
                if !master.script.reading_fails(master.minute, row) {
                    let page = Self::state(row, master.row(row), master);
                    self.take(row, Event::Observed(page), master);
                }
            }
        }
        for row in 0..ROWS {
            self.send(row, master);
            if self.crashed {
                return;
            }
        }
    }

    fn inbox(&mut self, choice: &dyn Fn(usize) -> Choice, master: &mut Master<'_>) {
        for row in 0..ROWS {
            let mine = choice(row) == Choice::Mine;
            if let Some(letter) = self.records[row].dead_letters.first() {
                let operation = letter.id.clone();
                let requeue = Event::Requeue { operation: operation.clone() };
                if !mine || !self.take(row, requeue, master) {
                    self.take(row, Event::Dismiss { operation }, master);
                }
            }
            let Some(conflict) = &self.records[row].conflict else { continue };
            let otherwise = if mine { Pick::Mine } else { Pick::Theirs };
            let answer = Answer { shown: conflict.revision, otherwise, fields: BTreeMap::new() };
            self.take(row, Event::Answer(answer), master);
        }
    }

    /// The planner hears the answer to the copy too, and has to make nothing of it.
    fn late(&mut self, request: &Request, reply: &Reply, master: &mut Master<'_>) {
        let operation = OperationId { stream: request.row.to_string(), number: request.operation };
        self.answered(request.row, &operation, reply, master);
    }

    fn at_rest(&self) -> bool {
        let quiet = |record: &SyncRecord| operations(record).next().is_none() && record.conflict.is_none();
        self.reads.is_empty() && self.records.iter().all(quiet)
    }
}
