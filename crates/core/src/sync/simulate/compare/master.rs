//! The remote of the comparison, and the way to it.
//!
//! Owns the rows there, versions and compare-and-set for whoever uses it, the faults on the way, and the counts that
//! can be made from requests. The same remote serves every system: it guards a version when a request names one, it
//! writes blindly when a request names none, and it keeps idempotency keys only where the comparison says so.

use std::collections::BTreeMap;

use super::Tally;
use super::referee::{Party, Referee};
use super::script::{Change, Fault, ROWS, Row, Script};

/// What a request wants the remote to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing: write whatever is there.
    Nothing,
    /// The row in this version.
    Version(u64),
    /// No row, deleted in this version.
    Gone(u64),
}

/// A request to write.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) row: usize,
    /// Names the request over all its attempts; the idempotency key where the remote keeps them.
    pub(super) operation: u64,
    pub(super) guard: Guard,
    pub(super) change: Change,
    /// The change time that the writer stamps on the row; by the remote's clock where absent.
    pub(super) stamp_ms: Option<i64>,
}

/// A row as the remote shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) fields: Option<Row>,
    pub(super) version: u64,
    pub(super) changed_ms: i64,
}

/// What the sender learns.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// Applied; the row afterwards.
    Done(Shown),
    /// 409: the row is in another version.
    Stale(Shown),
    /// 404: there is no such row.
    Missing(Shown),
    /// 429.
    TooMany,
    /// 5xx.
    ServerError,
    /// No answer.
    Silence,
    /// The sender's program ended.
    Crash,
}

/// The remote, the network, the referee and the tally of one history and one system.
pub(super) struct Master<'a> {
    pub(super) script: &'a Script,
    pub(super) minute: u64,
    pub(super) referee: Referee,
    pub(super) tally: Tally,
    pub(super) keeps_keys: bool,
    rows: Vec<Shown>,
    effects: BTreeMap<(usize, u64), u64>,
    /// The operation that made each row's version; none for people there.
    origins: [Option<u64>; ROWS],
    requests_of_minute: [u64; ROWS],
    underway: Vec<(u64, Request)>,
}

impl<'a> Master<'a> {
    pub(super) fn new(script: &'a Script, keeps_keys: bool) -> Self {
        let mut referee = Referee::default();
        for value in script.start.iter().flat_map(Row::values) {
            referee.given(*value);
        }
        let shown = |row: &Row| Shown { fields: Some(row.clone()), version: 1, changed_ms: -60_000 };
        Self {
            script,
            minute: 0,
            referee,
            tally: Tally::default(),
            keeps_keys,
            rows: script.start.iter().map(shown).collect(),
            effects: BTreeMap::new(),
            origins: [None; ROWS],
            requests_of_minute: [0; ROWS],
            underway: Vec::new(),
        }
    }

    /// The clock here.
    pub(super) fn here_ms(&self) -> i64 {
        i64::try_from(self.minute).unwrap_or(0) * 60_000
    }

    fn there_ms(&self) -> i64 {
        self.here_ms() + self.script.skew_ms
    }

    pub(super) fn row(&self, row: usize) -> &Shown {
        &self.rows[row]
    }

    pub(super) fn rows(&self) -> Vec<Option<Row>> {
        self.rows.iter().map(|row| row.fields.clone()).collect()
    }

    /// Whether the operation was applied, where the remote can tell.
    pub(super) fn was_applied(&self, row: usize, operation: u64) -> Option<bool> {
        self.keeps_keys.then(|| self.effects.contains_key(&(row, operation)))
    }

    /// Which operation made the row's version, `Some(None)` for somebody there; `None` where the remote cannot tell.
    pub(super) fn origin(&self, row: usize) -> Option<Option<u64>> {
        self.keeps_keys.then(|| self.origins[row])
    }

    /// The next minute begins; the copies of doubled requests that arrive in it are taken, and their answers returned.
    pub(super) fn turn(&mut self, minute: u64) -> Vec<(Request, Reply)> {
        self.minute = minute;
        self.requests_of_minute = [0; ROWS];
        let (due, later) = std::mem::take(&mut self.underway).into_iter().partition(|(at, _)| *at <= minute);
        self.underway = later;
        let due: Vec<(u64, Request)> = due;
        due.into_iter().map(|(_, request)| (request.clone(), self.take(&request))).collect()
    }

    /// Somebody at the remote changes a row; false when there is none.
    pub(super) fn people(&mut self, row: usize, change: &Change) -> bool {
        let Some(seen) = self.rows[row].fields.clone() else { return false };
        match change {
            Change::Write(values) => {
                for (field, value) in values {
                    self.referee.authored(Party::There, *value, seen.get(field).copied());
                    self.referee.wrote(Party::There, row, field, *value);
                }
            }
            Change::Delete => self.referee.deleted(Party::There, row, &seen),
        }
        self.origins[row] = None;
        self.set(row, changed(Some(&seen), change), self.there_ms());
        true
    }

    /// Sends a request.
    pub(super) fn send(&mut self, request: &Request) -> Reply {
        let count = self.requests_of_minute[request.row];
        self.requests_of_minute[request.row] += 1;
        let fault = self.script.fault(self.minute, request.row, count);
        if fault == Fault::CrashBefore {
            return Reply::Crash;
        }
        self.tally.writes_sent += 1;
        match fault {
            Fault::None | Fault::CrashBefore => self.take(request),
            Fault::LostAnswer => {
                self.take(request);
                Reply::Silence
            }
            Fault::ServerError => Reply::ServerError,
            Fault::TooMany => Reply::TooMany,
            Fault::CrashAfter => {
                self.take(request);
                Reply::Crash
            }
            Fault::Doubled(minutes) => {
                self.underway.push((self.minute + minutes, request.clone()));
                self.take(request)
            }
        }
    }

    fn take(&mut self, request: &Request) -> Reply {
        let row = request.row;
        if self.was_applied(row, request.operation) == Some(true) {
            return Reply::Done(self.rows[row].clone());
        }
        let held = self.rows[row].clone();
        let fits = match request.guard {
            Guard::Nothing => held.fields.is_some(),
            Guard::Version(version) => held.fields.is_some() && version == held.version,
            Guard::Gone(version) => held.fields.is_none() && version == held.version,
        };
        if !fits {
            let known = held.fields.is_some();
            return if known { Reply::Stale(held) } else { Reply::Missing(held) };
        }
        let after = changed(held.fields.as_ref(), &request.change);
        self.origins[row] = Some(request.operation);
        let times = self.effects.entry((row, request.operation)).or_default();
        *times += 1;
        self.tally.writes_doubled += u64::from(*times > 1);
        self.tally.writes_idle += u64::from(after == held.fields);
        self.tally.silent_overwrites +=
            self.referee.silent(Party::There, row, held.fields.as_ref(), after.as_ref());
        self.set(row, after, request.stamp_ms.unwrap_or_else(|| self.there_ms()));
        Reply::Done(self.rows[row].clone())
    }

    fn set(&mut self, row: usize, fields: Option<Row>, changed_ms: i64) {
        self.rows[row] = Shown { fields, version: self.rows[row].version + 1, changed_ms };
    }

    /// A system asks people about a row: `here` is the row as it stands here, `values` are those that are shown.
    pub(super) fn ask(
        &mut self,
        row: usize,
        here: Option<&Row>,
        values: impl IntoIterator<Item = i64>,
        deletion: bool,
    ) {
        let real = self.referee.disagree(row, here, self.rows[row].fields.as_ref());
        *(if real { &mut self.tally.conflicts_true } else { &mut self.tally.conflicts_false }) += 1;
        self.referee.show(row, values, deletion);
    }

    /// A system shows people an edit that it gave up.
    pub(super) fn give_up(&mut self, row: usize, change: &Change) {
        self.tally.given_up += 1;
        match change {
            Change::Write(values) => self.referee.show(row, values.values().copied(), false),
            Change::Delete => self.referee.show(row, [], true),
        }
    }
}

/// The row after a change.
pub(super) fn changed(row: Option<&Row>, change: &Change) -> Option<Row> {
    match change {
        Change::Delete => None,
        Change::Write(values) => {
            let mut row = row.cloned().unwrap_or_default();
            row.extend(values.iter().map(|(field, value)| (*field, *value)));
            Some(row)
        }
    }
}
