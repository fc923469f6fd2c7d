//! Hybrid logical clock: times that respect cause and effect although the machines' clocks disagree.
//!
//! Owns the time type and the two rules by which a clock advances. It does not read a clock: the physical
//! milliseconds are an argument. The policy "newest" compares these times and nothing else, because two wall clocks
//! compared directly let the machine that runs fast win every time.
//!
//! Source: Kulkarni, Demirbas, Madappa, Avva, Leone: Logical Physical Clocks (2014).
//!
//! Invariants: times of one clock strictly increase, even when the physical time stands still or goes back; what
//! follows from an observed time is later than it; no two nodes ever make the same time.

use serde::{Deserialize, Serialize};

/// An instant that can be compared over machines: physical time first, then the tick, then the node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HybridTime {
    /// Milliseconds since the Unix epoch: the greatest that the maker had seen.
    pub ms: u64,
    /// Counts the events within one millisecond.
    pub tick: u32,
    /// The maker's name; breaks ties, the same way everywhere.
    pub node: String,
}

/// A time that lies so far ahead that a broken clock must have made it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "node `{node}` sent a time {ahead_ms} ms ahead of ours; at most {most_ms} ms is believed\n\
     hint: correct that machine's clock; until then its edits go to a person instead of to \"newest\""
)]
pub struct TooFarAhead {
    /// Who made the time.
    pub node: String,
    /// How far ahead it is.
    pub ahead_ms: u64,
    /// How far ahead is believed.
    pub most_ms: u64,
}

/// The clock of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HybridClock {
    node: String,
    ms: u64,
    tick: u32,
}

impl HybridClock {
    /// A clock that has seen nothing yet.
    pub fn new(node: impl Into<String>) -> Self {
        Self { node: node.into(), ms: 0, tick: 0 }
    }

    /// The time of a local event at `physical_ms`.
    pub fn now(&mut self, physical_ms: u64) -> HybridTime {
        self.advance(physical_ms, None)
    }

    /// The time of having seen `other`, at `physical_ms`. It is later than both clocks.
    ///
    /// # Errors
    /// The other time lies more than `most_ahead_ms` ahead of `physical_ms`. Then the clock does not move: one
    /// machine set to the year 2099 would take every other with it.
    pub fn observe(
        &mut self,
        physical_ms: u64,
        other: &HybridTime,
        most_ahead_ms: u64,
    ) -> Result<HybridTime, TooFarAhead> {
        let ahead_ms = other.ms.saturating_sub(physical_ms);
        if ahead_ms > most_ahead_ms {
            return Err(TooFarAhead { node: other.node.clone(), ahead_ms, most_ms: most_ahead_ms });
        }
        Ok(self.advance(physical_ms, Some((other.ms, other.tick))))
    }

    fn advance(&mut self, physical_ms: u64, seen: Option<(u64, u32)>) -> HybridTime {
        let latest = seen.map_or((self.ms, self.tick), |seen| seen.max((self.ms, self.tick)));
        (self.ms, self.tick) = if physical_ms > latest.0 {
            (physical_ms, 0)
        } else {
            // A millisecond whose ticks are used up is over.
            latest.1.checked_add(1).map_or((latest.0 + 1, 0), |tick| (latest.0, tick))
        };
        HybridTime { ms: self.ms, tick: self.tick, node: self.node.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_that_is_far_ahead_is_not_believed_and_moves_nothing() {
        let mut clock = HybridClock::new("a");
        let before = clock.now(1_000);
        let wrong = HybridTime { ms: 900_000, tick: 0, node: "b".into() };
        assert!(clock.observe(1_000, &wrong, 60_000).unwrap_err().to_string().contains("hint:"));
        let after = clock.now(1_000);
        assert!(after > before && after.ms == 1_000);
        clock.tick = u32::MAX;
        assert_eq!(clock.now(1_000).ms, 1_001);
    }

    proptest! {
        #[test]
        fn times_increase_and_follow_what_was_seen(
            events in proptest::collection::vec((0..3_usize, 0..3_usize, 0..50_u64), 1..60),
        ) {
            let mut clocks = ["a", "b", "c"].map(HybridClock::new);
            let mut last: [Option<HybridTime>; 3] = [None, None, None];
            let mut all = std::collections::HashSet::new();
            for (at, from, physical) in events {
                // The physical time jumps about freely.
                let time = match last[from].clone() {
                    Some(seen) if from != at => {
                        let time = clocks[at].observe(physical, &seen, 1_000).unwrap();
                        prop_assert!(time > seen);
                        time
                    }
                    _ => clocks[at].now(physical),
                };
                prop_assert!(last[at].as_ref().is_none_or(|before| time > *before));
                prop_assert!(all.insert(time.clone()));
                last[at] = Some(time);
            }
        }
    }
}
