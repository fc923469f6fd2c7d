//! The earlier write-back of equipment records, in our own words, with its defects.
//!
//! Owns its mirror with a history of former contents, its edits as deltas, its queue, its detector and its retries.
//! Sent each minute, pulled each fifteen minutes, as it was set up.
//!
//! Kept as described: the detector compares the first and last former content of the versions *after* the edit's base
//! (so it sees nothing after one or two changes); a write names the mirror's version, not the edit's; a request
//! without an answer is repeated as it was, and the 409 that its own effect causes is a conflict; three tries in a
//! call below four in the queue; what was being processed at a crash stays so for ever; a pull only adds and changes.
//!
//! Open in the description, chosen so that less is lost: the mirror takes the row of an answer and of a 409 at once;
//! an answer of a person is sent against the row that was shown; an edit given up is shown; one worker only, although
//! nothing kept two from sending the same.

use std::collections::BTreeMap;

use super::Link;
use super::master::{Guard, Master, Reply, Request, Shown, changed};
use super::script::{Change, Choice, ROWS, Row, Script};

const PULL_EVERY: u64 = 15;
const TRIES_IN_A_CALL: u32 = 3;
const MOST_RETRIES: u32 = 3;

struct Mirror {
    fields: Option<Row>,
    version: u64,
    /// The former contents, each under the version that it had.
    history: Vec<(u64, Option<Row>)>,
}

impl Mirror {
    fn take(&mut self, row: &Shown) {
        if row.version != self.version {
            self.history.push((self.version, self.fields.take()));
            self.version = row.version;
            self.fields.clone_from(&row.fields);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Draft,
    Queued,
    Processing,
    Conflict,
    Over,
}

struct Modification {
    row: usize,
    change: Change,
    base: u64,
    state: State,
    retries: u32,
    operation: u64,
}

pub(super) struct Vanguard {
    mirrors: Vec<Mirror>,
    modifications: Vec<Modification>,
    by_draft: BTreeMap<usize, usize>,
    operations: u64,
}

impl Vanguard {
    pub(super) fn new(script: &Script) -> Self {
        let mirror = |row: &Row| Mirror { fields: Some(row.clone()), version: 1, history: Vec::new() };
        Self {
            mirrors: script.start.iter().map(mirror).collect(),
            modifications: Vec::new(),
            by_draft: BTreeMap::new(),
            operations: 0,
        }
    }

    /// Whether the detector sees a conflict: a field of the edit that differs between the first and the last former
    /// content of the versions after the edit's base.
    fn detects(&self, modification: &Modification) -> bool {
        let Change::Write(values) = &modification.change else { return false };
        let mirror = &self.mirrors[modification.row];
        let between = |version: u64| version > modification.base && version <= mirror.version;
        let mut former = mirror.history.iter().filter(|(version, _)| between(*version));
        let Some((_, first)) = former.next() else { return false };
        let last = former.next_back().map_or(first, |(_, last)| last);
        let value = |row: &Option<Row>, field| row.as_ref().and_then(|row| row.get(field).copied());
        values.keys().any(|field| value(first, *field) != value(last, *field))
    }

    fn conflict(&mut self, at: usize, master: &mut Master<'_>) {
        let row = self.modifications[at].row;
        self.modifications[at].state = State::Conflict;
        let view = self.view(row);
        // Both whole rows are shown side by side.
        let theirs = self.mirrors[row].fields.clone().unwrap_or_default();
        let shown: Vec<i64> = view.iter().flat_map(Row::values).chain(theirs.values()).copied().collect();
        let deletes = self.modifications[at].change == Change::Delete;
        master.ask(row, view.as_ref(), shown, deletes || self.mirrors[row].fields.is_none());
    }

    /// One call of the client, with its own tries. `None` when the program ended in it.
    fn call(request: &Request, master: &mut Master<'_>) -> Option<Reply> {
        let mut reply = Reply::Silence;
        for _ in 0..TRIES_IN_A_CALL {
            reply = master.send(request);
            match reply {
                Reply::Crash => return None,
                Reply::TooMany | Reply::ServerError | Reply::Silence => {}
                Reply::Done(_) | Reply::Stale(_) | Reply::Missing(_) => break,
            }
        }
        Some(reply)
    }

    fn give_up(&mut self, at: usize, master: &mut Master<'_>) {
        let modification = &mut self.modifications[at];
        modification.state = State::Over;
        master.give_up(modification.row, &modification.change);
    }
}

impl Link for Vanguard {
    fn view(&self, row: usize) -> Option<Row> {
        let mut open = self.modifications.iter().filter(|modification| {
            modification.row == row && !matches!(modification.state, State::Draft | State::Over)
        });
        let mirrored = self.mirrors[row].fields.clone()?;
        open.try_fold(mirrored, |view, modification| changed(Some(&view), &modification.change))
    }

    fn draft(&mut self, id: usize, row: usize, change: &Change, _master: &Master<'_>) -> bool {
        self.by_draft.insert(id, self.modifications.len());
        self.operations += 1;
        self.modifications.push(Modification {
            row,
            change: change.clone(),
            base: self.mirrors[row].version,
            state: State::Draft,
            retries: 0,
            operation: self.operations,
        });
        true
    }

    fn commit(&mut self, id: usize, _master: &mut Master<'_>) -> bool {
        let Some(at) = self.by_draft.remove(&id) else { return false };
        self.modifications[at].state = State::Queued;
        true
    }

    fn work(&mut self, master: &mut Master<'_>) {
        if master.minute.is_multiple_of(PULL_EVERY) {
            for row in 0..ROWS {
                let there = master.row(row);
                if there.fields.is_some() && !master.script.reading_fails(master.minute, row) {
                    self.mirrors[row].take(there);
                }
            }
        }
        for at in 0..self.modifications.len() {
            if self.modifications[at].state != State::Queued {
                continue;
            }
            self.modifications[at].state = State::Processing;
            if self.detects(&self.modifications[at]) {
                self.conflict(at, master);
                continue;
            }
            let Modification { row, change, operation, .. } = &self.modifications[at];
            let (row, version) = (*row, self.mirrors[*row].version);
            let guard = Guard::Version(version);
            let request =
                Request { row, operation: *operation, guard, change: change.clone(), stamp_ms: None };
            match Self::call(&request, master) {
                // The program starts again in the next minute, and asks for queued ones only.
                None => return,
                Some(Reply::Done(current)) => {
                    self.mirrors[row].take(&current);
                    self.modifications[at].state = State::Over;
                }
                Some(Reply::Stale(current)) => {
                    self.mirrors[row].take(&current);
                    self.conflict(at, master);
                }
                Some(Reply::Missing(_)) => self.give_up(at, master),
                Some(_) => {
                    let modification = &mut self.modifications[at];
                    modification.retries += 1;
                    modification.state = State::Queued;
                    if modification.retries > MOST_RETRIES {
                        self.give_up(at, master);
                    }
                }
            }
        }
    }

    fn inbox(&mut self, choice: &dyn Fn(usize) -> Choice, _master: &mut Master<'_>) {
        for modification in &mut self.modifications {
            if modification.state != State::Conflict {
                continue;
            }
            match choice(modification.row) {
                Choice::Theirs => modification.state = State::Over,
                Choice::Mine => {
                    self.operations += 1;
                    modification.operation = self.operations;
                    modification.base = self.mirrors[modification.row].version;
                    modification.retries = 0;
                    modification.state = State::Queued;
                }
            }
        }
    }

    fn at_rest(&self) -> bool {
        self.modifications.iter().all(|modification| matches!(modification.state, State::Draft | State::Over))
    }
}
