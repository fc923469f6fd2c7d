//! The referee: judges every system by what happened to the rows, and by nothing that the system says of itself.
//!
//! Owns who wrote which value, what that person saw, what was shown to people, and the verdicts. It knows only values
//! and rows, so one referee judges every system alike.
//!
//! A value *follows* another one when its author saw that one, or one that follows it. Replacing a value by one that
//! follows it is an ordinary edit; replacing it by another one, without having shown it to anybody, is a silent
//! overwrite.

use std::collections::{BTreeMap, BTreeSet};

use super::script::Row;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Here,
    There,
}

struct Written {
    row: usize,
    field: &'static str,
    value: i64,
    by: Party,
}

struct Deletion {
    row: usize,
    by: Party,
    seen: Vec<i64>,
    shown: bool,
    /// How many values were written before it.
    after: usize,
}

/// What is known of one history.
#[derive(Default)]
pub(super) struct Referee {
    /// What the authors of a value saw in its place.
    saw: BTreeMap<i64, BTreeSet<i64>>,
    authors: BTreeMap<i64, BTreeSet<Party>>,
    shown: BTreeSet<i64>,
    written: Vec<Written>,
    deletions: Vec<Deletion>,
}

impl Referee {
    /// A value of the beginning.
    pub(super) fn given(&mut self, value: i64) {
        self.authors.entry(value).or_default().insert(Party::There);
    }

    /// Somebody begins to write a value where they see `seen`.
    pub(super) fn authored(&mut self, by: Party, value: i64, seen: Option<i64>) {
        self.authors.entry(value).or_default().insert(by);
        self.saw.entry(value).or_default().extend(seen.filter(|seen| *seen != value));
    }

    /// The value counts from now on: it must not disappear.
    pub(super) fn wrote(&mut self, by: Party, row: usize, field: &'static str, value: i64) {
        self.written.push(Written { row, field, value, by });
    }

    /// A deletion counts from now on; `seen` is the row that was deleted.
    pub(super) fn deleted(&mut self, by: Party, row: usize, seen: &Row) {
        let seen = seen.values().copied().collect();
        self.deletions.push(Deletion { row, by, seen, shown: false, after: self.written.len() });
    }

    /// How much was written and deleted so far.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.written.len(), self.deletions.len())
    }

    /// What was written and deleted since does not count: it was refused, and its author told.
    pub(super) fn forget_since(&mut self, (written, deletions): (usize, usize)) {
        self.written.truncate(written);
        self.deletions.truncate(deletions);
    }

    /// People are shown these values of a row and, if it is about one, its deletion.
    pub(super) fn show(&mut self, row: usize, values: impl IntoIterator<Item = i64>, deletion: bool) {
        self.shown.extend(values);
        if deletion {
            for deletion in self.deletions.iter_mut().filter(|deletion| deletion.row == row) {
                deletion.shown = true;
            }
        }
    }

    /// Whether `newer` follows `older`, or is it.
    fn follows(&self, newer: i64, older: i64) -> bool {
        let (mut open, mut known) = (vec![newer], BTreeSet::new());
        while let Some(value) = open.pop() {
            if value == older {
                return true;
            }
            if known.insert(value) {
                open.extend(self.saw.get(&value).into_iter().flatten());
            }
        }
        false
    }

    fn deleter_saw(&self, deletion: &Deletion, value: i64) -> bool {
        deletion.seen.iter().any(|seen| self.follows(*seen, value))
    }

    /// Whether somebody deleted the row who had seen the value.
    fn deleted_with_sight(&self, by: Option<Party>, row: usize, value: i64) -> bool {
        let mut deletions = self.deletions.iter().filter(|deletion| deletion.row == row);
        deletions.any(|deletion| by.is_none_or(|by| deletion.by == by) && self.deleter_saw(deletion, value))
    }

    /// How many values a machine replaced silently on the side `on`: values of that side's people, or newer values by
    /// older ones. A deletion that was undone silently counts as one.
    pub(super) fn silent(&self, on: Party, row: usize, before: Option<&Row>, after: Option<&Row>) -> u64 {
        let Some(before) = before else {
            let mut deletions = self.deletions.iter().filter(|deletion| deletion.row == row);
            let undone = deletions.any(|deletion| deletion.by == on && !deletion.shown);
            return u64::from(after.is_some() && undone);
        };
        let replaced = before.iter().filter(|(field, old)| {
            let new = after.and_then(|row| row.get(*field)).copied();
            if new == Some(**old) || self.shown.contains(old) {
                return false;
            }
            let Some(new) = new else { return !self.deleted_with_sight(None, row, **old) };
            let theirs = self.authors.get(old).is_some_and(|authors| authors.contains(&on));
            !self.follows(new, **old) && (theirs || self.follows(**old, new))
        });
        replaced.count() as u64
    }

    /// Whether the sides really disagree about a row: over a field that both changed without seeing each other's
    /// value, or over a deletion and a value that the deleter never saw.
    pub(super) fn disagree(&self, row: usize, here: Option<&Row>, there: Option<&Row>) -> bool {
        let unseen_by_deleter =
            |by, rest: &Row| rest.values().any(|value| !self.deleted_with_sight(Some(by), row, *value));
        match (here, there) {
            (None, None) => false,
            (None, Some(there)) => unseen_by_deleter(Party::Here, there),
            (Some(here), None) => unseen_by_deleter(Party::There, here),
            (Some(here), Some(there)) => here.iter().any(|(field, mine)| {
                let apart = |theirs: &i64| !self.follows(*theirs, *mine) && !self.follows(*mine, *theirs);
                there.get(field).is_some_and(apart)
            }),
        }
    }

    /// The committed edits that are nowhere at the end: on neither side, never shown, and replaced by no edit whose
    /// author could know of them (a later one of the same field on the same side, or one that saw the value).
    pub(super) fn lost(&self, here: &[Option<Row>], there: &[Option<Row>]) -> u64 {
        let holds = |rows: &[Option<Row>], row: usize, field, value| {
            rows[row].as_ref().and_then(|row| row.get(field)) == Some(value)
        };
        let lost_values = self.written.iter().enumerate().filter(|(at, edit)| {
            let Written { row, field, value, by } = edit;
            let later = |(place, other): (usize, &Written)| {
                let same_field = (other.row, other.field) == (*row, *field) && other.value != *value;
                same_field && ((other.by == *by && place > *at) || self.follows(other.value, *value))
            };
            let deletes = |deletion: &Deletion| {
                let later = deletion.by == *by && deletion.after > *at;
                deletion.row == *row && (later || self.deleter_saw(deletion, *value))
            };
            !holds(here, *row, field, value)
                && !holds(there, *row, field, value)
                && !self.shown.contains(value)
                && !self.written.iter().enumerate().any(later)
                && !self.deletions.iter().any(deletes)
        });
        let lost_deletions = self.deletions.iter().filter(|deletion| {
            let mut later = self.written[deletion.after..].iter();
            here[deletion.row].is_some()
                && there[deletion.row].is_some()
                && !deletion.shown
                && !later.any(|edit| edit.row == deletion.row && edit.by == deletion.by)
        });
        (lost_values.count() + lost_deletions.count()) as u64
    }
}
