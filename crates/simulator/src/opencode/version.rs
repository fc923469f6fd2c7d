//! The versions of OpenCode that wrote the sessions, and what each of them does differently.
//!
//! Owns the list of versions and the rules that depend on them: which fields exist, what the token fields
//! mean, how a cost is made. The rules follow what the published binaries do; a session keeps the version
//! that created it.

/// One version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V0_5_29,
    V1_0_61,
    V1_0_98,
    V1_1_65,
    V1_2_27,
    V1_14_34,
    V1_15_13,
    V1_18_34,
    /// Writes the newest tables only.
    V2_0_12,
}

use Version::{V0_5_29, V1_0_61, V1_0_98, V1_1_65, V1_2_27, V1_14_34, V1_15_13, V1_18_34, V2_0_12};

/// All versions that write messages and parts, oldest first.
pub(super) const ALL: [Version; 8] =
    [V0_5_29, V1_0_61, V1_0_98, V1_1_65, V1_2_27, V1_14_34, V1_15_13, V1_18_34];

/// How often each of [`ALL`] appears in 100 sessions of a JSON store. Versions that no longer write JSON
/// appear where somebody brought an exported session into an older one.
pub(super) const IN_JSON: [usize; 8] = [10, 14, 22, 48, 2, 1, 1, 2];
/// How often each of [`ALL`] appears in 100 sessions of a database.
pub(super) const IN_DATABASE: [usize; 8] = [3, 3, 6, 16, 20, 12, 14, 26];

const DAY: u64 = 86_400_000;
/// 2025-08-01T00:00:00Z, in milliseconds since 1970.
const AUGUST_2025: u64 = 1_754_006_400_000;

impl Version {
    /// As the session states it.
    pub(super) const fn text(self) -> &'static str {
        match self {
            V0_5_29 => "0.5.29",
            V1_0_61 => "1.0.61",
            V1_0_98 => "1.0.98",
            V1_1_65 => "1.1.65",
            V1_2_27 => "1.2.27",
            V1_14_34 => "1.14.34",
            V1_15_13 => "1.15.13",
            V1_18_34 => "1.18.34",
            V2_0_12 => "2.0.12",
        }
    }

    /// When people used it, in milliseconds since 1970. Some never left 1.1.65, the last one that wrote JSON.
    pub(super) const fn window(self) -> (u64, u64) {
        let (first, days) = match self {
            V0_5_29 => (5, 60),
            V1_0_61 => (98, 20),
            V1_0_98 => (116, 60),
            V1_1_65 => (195, 275),
            V1_2_27 => (222, 40),
            V1_14_34 => (272, 25),
            V1_15_13 => (296, 70),
            V1_18_34 => (375, 100),
            V2_0_12 => (400, 75),
        };
        (AUGUST_2025 + first * DAY, AUGUST_2025 + (first + days) * DAY)
    }

    /// One message holds all steps of an answer, and its tokens are those of the last step only.
    pub(super) fn many_steps(self) -> bool {
        self == V0_5_29
    }

    /// The input of providers that report the cached tokens inside it is kept as they report it.
    pub(super) fn input_holds_cached(self) -> bool {
        self <= V1_0_61
    }

    /// The output holds the reasoning too.
    pub(super) fn output_holds_reasoning(self) -> bool {
        self <= V1_2_27
    }

    /// Reasoning is charged (before 1.14.34: a second time).
    pub(super) fn charges_reasoning(self) -> bool {
        self >= V1_0_98
    }

    /// The price of a long context is chosen by the model's tiers.
    pub(super) fn has_tiers(self) -> bool {
        self >= V1_15_13
    }

    /// There is a price for a long context at all.
    pub(super) fn has_long_context(self) -> bool {
        self >= V1_0_98
    }

    /// `tokens.total` is written.
    pub(super) fn writes_total(self) -> bool {
        self >= V1_1_65
    }

    /// `finish`, the agent and model of a user message, and compaction and subtask parts exist.
    pub(super) fn since_1_0_100(self) -> bool {
        self >= V1_1_65
    }

    /// File differences are patches; before, they hold both whole texts.
    pub(super) fn diffs_are_patches(self) -> bool {
        self >= V1_14_34
    }

    /// The fields of a database row are in the newer order.
    pub(super) fn newer_order(self) -> bool {
        self >= V1_14_34
    }

    /// The session itself keeps agent, model, cost and tokens.
    pub(super) fn session_keeps_usage(self) -> bool {
        self >= V1_15_13
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_hundredths_and_windows_lie_on_both_sides_of_the_wrap() {
        assert_eq!(IN_JSON.iter().sum::<usize>(), 100);
        assert_eq!(IN_DATABASE.iter().sum::<usize>(), 100);
        let wrap = super::super::id::WRAP;
        let (first, last) = V1_1_65.window();
        assert!(first < wrap && wrap < last);
        assert!(ALL.iter().all(|version| version.window().1 <= 1_795_305_600_000));
    }
}
