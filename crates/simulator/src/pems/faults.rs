//! Which faults there are, how often they strike, and how often they did.
//!
//! Owns the rates and the decision for each occasion. What a fault does is done where it happens.
//!
//! Invariants:
//! - With [`Faults::none`] nothing strikes, unless it is asked for by [`super::Running::force`].
//! - Whether a kind strikes depends on the seed, its rate and the number of its earlier occasions only: a rate
//!   changed for one kind moves no strike of another.
//! - A strike is counted when it has its effect, and only then.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::random::{Random, mix};

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    /// 429 with `Retry-After`; nothing was done.
    RateLimited,
    /// 500, 502 or 503; nothing was done.
    ServerError,
    /// The answer comes late; what it tells was done at once.
    Slow,
    /// A write is done, and the connection closes without an answer.
    LostAcknowledgement,
    /// The connection closes without an answer; nothing was done.
    LostRequest,
    /// A keyset page has fewer rows than asked for although there are more.
    PartialPage,
    /// A grid is gone before its last page.
    GridLost,
    /// The rows of a grid move between pages.
    GridMoved,
    /// Another user edits the row before a PUT is looked at.
    ConcurrentEdit,
    /// A PUT that was done arrives again and is judged again.
    DuplicateDelivery,
    /// The stamp of an edit lies up to five minutes in the past or the future.
    ClockSkew,
    /// Another user deletes a row.
    Deleted,
    /// The schema drifts; the next strike takes it back.
    SchemaDrift,
}

/// How many kinds there are.
const KINDS: usize = 13;

impl FaultKind {
    /// Every kind.
    pub const ALL: [Self; KINDS] = [
        Self::RateLimited,
        Self::ServerError,
        Self::Slow,
        Self::LostAcknowledgement,
        Self::LostRequest,
        Self::PartialPage,
        Self::GridLost,
        Self::GridMoved,
        Self::ConcurrentEdit,
        Self::DuplicateDelivery,
        Self::ClockSkew,
        Self::Deleted,
        Self::SchemaDrift,
    ];

    /// The word for it in JSON and in arguments.
    pub fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::ServerError => "server_error",
            Self::Slow => "slow",
            Self::LostAcknowledgement => "lost_acknowledgement",
            Self::LostRequest => "lost_request",
            Self::PartialPage => "partial_page",
            Self::GridLost => "grid_lost",
            Self::GridMoved => "grid_moved",
            Self::ConcurrentEdit => "concurrent_edit",
            Self::DuplicateDelivery => "duplicate_delivery",
            Self::ClockSkew => "clock_skew",
            Self::Deleted => "deleted",
            Self::SchemaDrift => "schema_drift",
        }
    }

    /// The kind that has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// How often each kind strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    rates: [u32; KINDS],
    /// What `Retry-After` says, in seconds.
    pub retry_after: u64,
    /// How late a slow answer comes.
    pub slow_for: Duration,
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}

impl Faults {
    /// No fault at all.
    pub fn none() -> Self {
        Self { rates: [0; KINDS], retry_after: 1, slow_for: Duration::from_millis(50) }
    }

    /// Some of everything, and nothing that costs a client more than some tens of milliseconds.
    pub fn stormy() -> Self {
        Self { retry_after: 0, slow_for: Duration::from_millis(20), ..Self::none() }
            .with(FaultKind::RateLimited, 30)
            .with(FaultKind::ServerError, 30)
            .with(FaultKind::Slow, 20)
            .with(FaultKind::LostAcknowledgement, 60)
            .with(FaultKind::LostRequest, 30)
            .with(FaultKind::PartialPage, 150)
            .with(FaultKind::GridLost, 30)
            .with(FaultKind::GridMoved, 40)
            .with(FaultKind::ConcurrentEdit, 60)
            .with(FaultKind::DuplicateDelivery, 60)
            .with(FaultKind::ClockSkew, 80)
            .with(FaultKind::Deleted, 4)
            .with(FaultKind::SchemaDrift, 2)
    }

    /// These faults, with `kind` at `rate` occasions of 1000.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, rate: u32) -> Self {
        self.rates[kind as usize] = rate;
        self
    }

    /// On how many occasions of 1000 `kind` strikes.
    pub fn rate(&self, kind: FaultKind) -> u32 {
        self.rates[kind as usize]
    }
}

/// Decides and counts.
#[derive(Debug)]
pub(crate) struct Strikes {
    seed: u64,
    pub(crate) faults: Faults,
    /// False while the rates are ignored.
    pub(crate) on: bool,
    occasions: [u64; KINDS],
    forced: [u32; KINDS],
    injected: [u64; KINDS],
}

impl Strikes {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let (occasions, forced, injected) = ([0; KINDS], [0; KINDS], [0; KINDS]);
        Self { seed, faults, on: true, occasions, forced, injected }
    }

    /// Whether `kind` strikes on this occasion, which must be one on which it can have its effect.
    pub(crate) fn strikes(&mut self, kind: FaultKind) -> bool {
        let place = kind as usize;
        let occasion = self.occasions[place].to_string();
        self.occasions[place] += 1;
        let by_rate =
            mix(self.seed, &["pems", kind.name(), &occasion]) % 1_000 < u64::from(self.faults.rates[place]);
        let struck = if self.forced[place] > 0 {
            self.forced[place] -= 1;
            true
        } else {
            self.on && by_rate
        };
        self.injected[place] += u64::from(struck);
        struck
    }

    /// The chance of the strike of `kind` that was just decided.
    pub(crate) fn random(&self, kind: FaultKind) -> Random {
        let number = self.injected[kind as usize].to_string();
        Random::named(self.seed, &["pems", "strike", kind.name(), &number])
    }

    /// Lets `kind` strike on its next `times` occasions, whatever its rate.
    pub(crate) fn force(&mut self, kind: FaultKind, times: u32) {
        self.forced[kind as usize] += times;
    }

    /// How often each kind struck.
    pub(crate) fn injected(&self) -> BTreeMap<&'static str, u64> {
        FaultKind::ALL.into_iter().map(|kind| (kind.name(), self.injected[kind as usize])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_strike_by_seed_at_their_rate_and_independently() {
        let struck = |seed, faults: Faults| {
            let mut strikes = Strikes::new(seed, faults);
            (0..10_000).map(|_| strikes.strikes(FaultKind::Slow)).collect::<Vec<_>>()
        };
        let faults = Faults::none().with(FaultKind::Slow, 100);
        let first = struck(1, faults.clone());
        assert_eq!(first, struck(1, faults.clone().with(FaultKind::Deleted, 500)));
        assert_ne!(first, struck(2, faults));
        let count = first.iter().filter(|struck| **struck).count();
        assert!((850..1_150).contains(&count), "{count}");
        assert!(struck(1, Faults::none()).iter().all(|struck| !struck));
        assert!(struck(1, Faults::none().with(FaultKind::Slow, 1_000)).iter().all(|struck| *struck));
    }

    #[test]
    fn forced_strikes_come_first_and_also_while_rates_are_off() {
        let mut strikes = Strikes::new(1, Faults::none().with(FaultKind::Slow, 1_000));
        strikes.on = false;
        strikes.force(FaultKind::Slow, 2);
        let struck: Vec<bool> = (0..3).map(|_| strikes.strikes(FaultKind::Slow)).collect();
        assert_eq!((struck, strikes.injected()["slow"]), (vec![true, true, false], 2));
    }

    #[test]
    fn names_lead_back_to_their_kinds_in_the_order_of_the_counters() {
        for (place, kind) in FaultKind::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, FaultKind::from_name(kind.name())), (place, Some(kind)));
        }
    }
}
