//! A model of the remote: one row, versions, compare-and-set, and a count of effects.
//!
//! Owns what a remote system does with a request, and nothing about how requests travel.

use std::collections::BTreeMap;

use super::super::hybrid::{HybridClock, HybridTime};
use super::super::plan::{Dispatch, Event};
use super::super::record::{Expected, Fields, Observed, OperationId, Origin, RowState, Version};

/// The remote of one simulated record.
pub(super) struct Remote {
    /// Whether it knows idempotency keys and tells the origin of a version.
    pub(super) knows_keys: bool,
    pub(super) row: Option<Fields>,
    pub(super) version: u64,
    pub(super) effects: BTreeMap<OperationId, u32>,
    pub(super) clock: HybridClock,
    origin: Origin,
    changed_at: Option<HybridTime>,
}

/// What a request did.
pub(super) struct Applied {
    pub(super) answer: Event,
    /// The row before and after, when it was applied.
    pub(super) change: Option<(Option<Fields>, Option<Fields>)>,
}

impl Remote {
    pub(super) fn new(knows_keys: bool) -> Self {
        Self {
            knows_keys,
            row: None,
            version: 0,
            effects: BTreeMap::new(),
            clock: HybridClock::new("remote"),
            origin: Origin::Untold,
            changed_at: None,
        }
    }

    /// The row as a reader sees it.
    pub(super) fn state(&self) -> RowState {
        let version = Version(self.version);
        match &self.row {
            Some(fields) => RowState::Present(Observed {
                version,
                fields: fields.clone(),
                changed_at: self.changed_at.clone(),
                origin: if self.knows_keys { self.origin.clone() } else { Origin::Untold },
            }),
            None if self.version == 0 => RowState::Unknown,
            None => RowState::Gone { version },
        }
    }

    /// Somebody else's change.
    pub(super) fn change(&mut self, row: Option<Fields>, now_ms: u64) {
        self.set(row, Origin::Elsewhere, now_ms);
    }

    /// Whether it knows that an operation was applied.
    pub(super) fn was_applied(&self, operation: &OperationId) -> Option<bool> {
        self.knows_keys.then(|| self.effects.contains_key(operation))
    }

    /// Takes a request.
    pub(super) fn take(&mut self, request: &Dispatch, now_ms: u64) -> Applied {
        let operation = request.operation.clone();
        if self.was_applied(&operation) == Some(true) {
            return Applied {
                answer: Event::Acknowledged { operation, current: self.state() },
                change: None,
            };
        }
        let fits = match request.expected {
            Expected::Absent { .. } => self.row.is_none(),
            Expected::Version(version) => self.row.is_some() && version.0 == self.version,
        };
        if !fits {
            return Applied { answer: Event::Rejected { operation, current: self.state() }, change: None };
        }
        let before = self.row.clone();
        let after = request.fields.clone().map(|fields| {
            let mut row = before.clone().unwrap_or_default();
            row.extend(fields);
            row
        });
        *self.effects.entry(operation.clone()).or_default() += 1;
        self.set(after.clone(), Origin::Operation(operation.clone()), now_ms);
        Applied {
            answer: Event::Acknowledged { operation, current: self.state() },
            change: Some((before, after)),
        }
    }

    fn set(&mut self, row: Option<Fields>, origin: Origin, now_ms: u64) {
        self.row = row;
        self.version += 1;
        self.origin = origin;
        self.changed_at = Some(self.clock.now(now_ms));
    }
}
