//! The shape of a session before it has words: which messages follow each other, and when.
//!
//! Owns the drawing of slots (one slot is one message) and of their times relative to the session's start.
//! How many slots a session has, and how many parts each slot gets, is `plan`'s.
//!
//! Invariant: slots are in the order of their times, and no slot begins before the one in front has ended.

use super::version::Version;
use crate::random::Random;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A person asks.
    Prompt,
    /// A person (or OpenCode itself) asks for a compaction.
    Compact,
    /// The model works with tools and will go on.
    Work,
    /// The model gives its last answer of a turn.
    Answer,
    /// The model's summary after a compaction.
    Summary,
    /// The provider failed.
    Failed,
    /// A person pressed escape.
    Aborted,
    /// Still being written, or left behind by a crash.
    Unfinished,
}

impl Kind {
    pub(super) fn is_user(self) -> bool {
        matches!(self, Self::Prompt | Self::Compact)
    }

    /// The fewest parts that such a message has.
    pub(super) fn least_parts(self) -> usize {
        match self {
            Self::Failed => 0,
            Self::Prompt | Self::Compact | Self::Aborted | Self::Unfinished => 1,
            Self::Work | Self::Answer | Self::Summary => 3,
        }
    }

    /// How strongly it draws further parts.
    pub(super) fn pull(self, random: &mut Random, version: Version) -> u64 {
        let usual = match self {
            Self::Prompt => [0, 0, 0, 1, 2][random.below(5)],
            Self::Compact | Self::Summary | Self::Failed => 0,
            Self::Answer => [1, 1, 2][random.below(3)],
            Self::Aborted | Self::Unfinished => 2,
            Self::Work => [1, 2, 2, 3, 3, 4, 9][random.below(7)],
        };
        // All steps of an answer are in one message.
        if version.many_steps() && matches!(self, Self::Work | Self::Answer) { usual * 6 + 4 } else { usual }
    }
}

/// One message to be.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// How many parts it has.
    pub(super) parts: usize,
    /// When it begins, in milliseconds after the session's start.
    pub(super) offset: u64,
    /// How long it takes, in milliseconds.
    pub(super) duration: u64,
    /// The session of the sub-agent that one of its tools starts.
    pub(super) child: Option<usize>,
}

/// Draws `count` slots.
pub(super) fn slots(
    random: &mut Random,
    version: Version,
    count: usize,
    child: bool,
    compacts: bool,
) -> Vec<Slot> {
    let mut kinds: Vec<Kind> = Vec::with_capacity(count + 16);
    while kinds.len() < count {
        if compacts && kinds.len() > 12 && random.percent(5) {
            // Before 1.0.100 a compaction is only the summary itself.
            if version.since_1_0_100() {
                kinds.push(Kind::Compact);
            }
            kinds.push(Kind::Summary);
            continue;
        }
        kinds.push(Kind::Prompt);
        let steps = match (version.many_steps(), child) {
            (true, _) => 0,
            (_, true) => random.between(2, 12),
            (_, false) => [0, 1, 2, 3, 3, 4, 5, 7, 12][random.below(9)],
        };
        kinds.extend(std::iter::repeat_n(Kind::Work, steps));
        kinds.push(match random.below(100) {
            0..=4 => Kind::Failed,
            5..=8 if !child => Kind::Aborted,
            _ => Kind::Answer,
        });
    }
    kinds.truncate(count);
    if let Some(last) = kinds.last_mut() {
        if *last == Kind::Work && child {
            *last = Kind::Answer;
        } else if !last.is_user() && !child && random.percent(4) {
            *last = Kind::Unfinished;
        }
    }
    let mut slots: Vec<Slot> =
        kinds.into_iter().map(|kind| Slot { kind, parts: 0, offset: 0, duration: 0, child: None }).collect();
    times(random, &mut slots);
    slots
}

/// Draws when each slot begins and how long it takes.
fn times(random: &mut Random, slots: &mut [Slot]) {
    let mut now = 15 + random.below(400) as u64;
    for slot in slots {
        now += match slot.kind {
            Kind::Prompt if random.percent(8) => random.between(600_000, 7_200_000),
            Kind::Prompt => random.between(4_000, 240_000),
            Kind::Compact => random.between(500, 4_000),
            _ => random.between(2, 60),
        } as u64;
        slot.offset = now;
        slot.duration = match slot.kind {
            Kind::Prompt | Kind::Compact => 0,
            Kind::Failed => random.between(90, 30_000),
            Kind::Work => [900, 2_500, 4_000, 7_000, 15_000, 45_000][random.below(6)] + random.below(3_000),
            _ => 1_200 + random.below(25_000),
        } as u64;
        now += slot.duration;
    }
}

/// Makes room in a parent's slots for a child that takes `duration`.
pub(super) fn host(slots: &mut [Slot], at: usize, child: usize, duration: u64) {
    slots[at].child = Some(child);
    slots[at].duration += duration;
    for later in &mut slots[at + 1..] {
        later.offset += duration;
    }
}

/// When the last slot ends, in milliseconds after the session's start.
pub(super) fn end(slots: &[Slot]) -> u64 {
    slots.last().map_or(0, |slot| slot.offset + slot.duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_each_other_in_time_and_a_child_makes_room() {
        let mut random = Random::new(4);
        let mut slots = slots(&mut random, Version::V1_1_65, 300, false, true);
        assert_eq!(slots.len(), 300);
        let ordered =
            |slots: &[Slot]| slots.windows(2).all(|pair| pair[0].offset + pair[0].duration <= pair[1].offset);
        assert!(ordered(&slots));
        let before = end(&slots);
        let at = slots.iter().position(|slot| slot.kind == Kind::Work).unwrap();
        host(&mut slots, at, 7, 60_000);
        assert!(ordered(&slots));
        assert_eq!(end(&slots), before + 60_000);
        for kind in [Kind::Prompt, Kind::Compact, Kind::Work, Kind::Answer, Kind::Summary, Kind::Failed] {
            assert!(slots.iter().any(|slot| slot.kind == kind), "{kind:?}");
        }
    }

    #[test]
    fn an_old_version_answers_in_one_message() {
        let slots = slots(&mut Random::new(1), Version::V0_5_29, 50, false, true);
        assert!(slots.iter().all(|slot| slot.kind != Kind::Work && slot.kind != Kind::Compact));
    }
}
