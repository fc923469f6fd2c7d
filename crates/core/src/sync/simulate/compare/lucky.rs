//! The earlier dual write of a gas supplier, in our own words, with its defects.
//!
//! Owns its rows here with the time of their change, its cursors, its operations with retries, and its rule for
//! conflicts. Every five minutes, both ways, as it was set up.
//!
//! Kept as described: a cycle writes to the other side *before* it reads it; it writes without a version, and stamps
//! the row with its own clock; what failed is written again later with the values of then; two changes conflict only
//! when their times lie within five minutes, and otherwise the row that is read replaces ours; a conflict for a person
//! becomes a retry, so no inbox ever holds it; a row whose turn failed is passed over by the cursor; a deletion never
//! travels.
//!
//! Open in the description: a write carries the whole row, because an operation's data is the entity. Chosen so that
//! less is lost: a row that reads back equal is not written again; operations that failed for good count as shown;
//! retries go before new writes; a row that is gone on one side is not created again; a crash rolls back what the
//! cycle noted.

use std::collections::BTreeMap;

use super::Link;
use super::master::{Guard, Master, Reply, Request};
use super::script::{Change, Choice, ROWS, Row, Script};

const CYCLE: u64 = 5;
const MOST_RETRIES: u32 = 3;
/// Only changes this near to each other count as a conflict.
const NEAR_MS: u64 = 300_000;

struct Held {
    fields: Option<Row>,
    changed_ms: i64,
}

/// A write that failed and is to be repeated.
struct Repeat {
    row: usize,
    operation: u64,
    data: Row,
    retries: u32,
}

pub(super) struct Lucky {
    rows: Vec<Held>,
    drafts: BTreeMap<usize, (usize, Change)>,
    /// The time of the last cycle: what changed here since is written.
    written_ms: i64,
    /// The change time up to which the other side was read.
    read_ms: i64,
    repeats: Vec<Repeat>,
    /// How often a row's reading ended in a conflict.
    clashes: [u32; ROWS],
    operations: u64,
}

enum Written {
    Over,
    Again,
    Crash,
}

impl Lucky {
    pub(super) fn new(script: &Script) -> Self {
        let held = |row: &Row| Held { fields: Some(row.clone()), changed_ms: -60_000 };
        Self {
            rows: script.start.iter().map(held).collect(),
            drafts: BTreeMap::new(),
            written_ms: -1,
            read_ms: -60_000,
            repeats: Vec::new(),
            clashes: [0; ROWS],
            operations: 0,
        }
    }

    fn write(row: usize, operation: u64, data: &Row, master: &mut Master<'_>) -> Written {
        let request = Request {
            row,
            operation,
            guard: Guard::Nothing,
            change: Change::Write(data.clone()),
            stamp_ms: Some(master.here_ms()),
        };
        match master.send(&request) {
            Reply::Crash => Written::Crash,
            // An update of a row that is not there changes no row, which nobody looks at.
            Reply::Done(_) | Reply::Stale(_) | Reply::Missing(_) => Written::Over,
            Reply::TooMany | Reply::ServerError | Reply::Silence => Written::Again,
        }
    }

    /// Writes what failed before, then what changed here since the last cycle. False when the program ended.
    fn write_all(&mut self, master: &mut Master<'_>) -> bool {
        for mut repeat in std::mem::take(&mut self.repeats) {
            match Self::write(repeat.row, repeat.operation, &repeat.data, master) {
                Written::Over => {}
                Written::Crash => {
                    self.repeats.push(repeat);
                    return false;
                }
                Written::Again => {
                    repeat.retries += 1;
                    if repeat.retries > MOST_RETRIES {
                        master.give_up(repeat.row, &Change::Write(repeat.data));
                    } else {
                        self.repeats.push(repeat);
                    }
                }
            }
        }
        for row in 0..ROWS {
            let held = &self.rows[row];
            let Some(data) = held.fields.clone().filter(|_| held.changed_ms > self.written_ms) else {
                continue;
            };
            self.operations += 1;
            match Self::write(row, self.operations, &data, master) {
                Written::Over => {}
                Written::Crash => return false,
                Written::Again => {
                    self.repeats.push(Repeat { row, operation: self.operations, data, retries: 1 });
                }
            }
        }
        true
    }

    /// Reads what changed at the other side since the cursor.
    fn read_all(&mut self, since_ms: i64, master: &mut Master<'_>) {
        let mut cursor = self.read_ms;
        for row in 0..ROWS {
            let there = master.row(row).clone();
            let retried = self.clashes[row] > 0;
            if there.changed_ms <= self.read_ms && !retried {
                continue;
            }
            cursor = cursor.max(there.changed_ms);
            let held = &mut self.rows[row];
            let (Some(mine), Some(theirs)) = (&held.fields, &there.fields) else { continue };
            if mine == theirs {
                self.clashes[row] = 0;
                continue;
            }
            let near = held.changed_ms.abs_diff(there.changed_ms) <= NEAR_MS;
            if near && (retried || held.changed_ms > since_ms) {
                self.clashes[row] += 1;
                if self.clashes[row] > MOST_RETRIES {
                    self.clashes[row] = 0;
                    let both: Vec<i64> = mine.values().chain(theirs.values()).copied().collect();
                    master.tally.given_up += 1;
                    master.referee.show(row, both, false);
                }
                continue;
            }
            self.clashes[row] = 0;
            held.fields = Some(theirs.clone());
            held.changed_ms = there.changed_ms;
        }
        self.read_ms = cursor;
    }
}

impl Link for Lucky {
    fn view(&self, row: usize) -> Option<Row> {
        self.rows[row].fields.clone()
    }

    fn draft(&mut self, id: usize, row: usize, change: &Change, _master: &Master<'_>) -> bool {
        self.drafts.insert(id, (row, change.clone()));
        true
    }

    /// A form that is saved: the edited fields of the row, whatever they hold by now.
    fn commit(&mut self, id: usize, master: &mut Master<'_>) -> bool {
        let Some((row, change)) = self.drafts.remove(&id) else { return false };
        let held = &mut self.rows[row];
        if held.fields.is_none() {
            return false;
        }
        held.fields = super::master::changed(held.fields.as_ref(), &change);
        held.changed_ms = master.here_ms();
        true
    }

    fn work(&mut self, master: &mut Master<'_>) {
        if !master.minute.is_multiple_of(CYCLE) {
            return;
        }
        let (since_ms, now_ms) = (self.written_ms, master.here_ms());
        if self.write_all(master) {
            self.written_ms = now_ms;
            self.read_all(since_ms, master);
        }
    }

    /// There is no inbox that holds anything.
    fn inbox(&mut self, _choice: &dyn Fn(usize) -> Choice, _master: &mut Master<'_>) {}

    fn at_rest(&self) -> bool {
        self.repeats.is_empty()
    }
}
