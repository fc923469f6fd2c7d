//! Rows that are no longer there: when their absence is believed, and how it is remembered.
//!
//! Owns the cap on vanishing rows and the tombstone. It reads nothing: the counts come from a pull. Absence is the
//! weakest evidence there is; a remote whose filter broke and that answers with an empty list says "all deleted".
//!
//! Invariants: an incomplete pull deletes nothing; above the cap nothing is deleted before a person says so; a
//! tombstone is not undone by an older row.

use serde::{Deserialize, Serialize};

use super::record::Version;

/// How many rows may vanish in one pull without a person being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VanishCap {
    /// At most so many rows.
    pub most_rows: u64,
    /// And at most this share of the known rows, in hundredths of a percent.
    pub most_share: u32,
    /// Up to this number the share is not asked: one row of three is a third.
    pub always: u64,
}

impl Default for VanishCap {
    fn default() -> Self {
        Self { most_rows: 1_000, most_share: 500, always: 5 }
    }
}

/// What becomes of the rows that a pull did not bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vanishing {
    /// The pull did not read everything, so absence means nothing.
    Unknown,
    /// They are gone.
    Gone,
    /// They are more than the cap allows; a person decides.
    Held {
        /// What is wrong and what to do, in one sentence and a hint.
        reason: String,
    },
}

impl VanishCap {
    /// Judges a pull that knew `known` rows before and did not bring `missing` of them.
    pub fn judge(&self, known: u64, missing: u64, complete: bool) -> Vanishing {
        if !complete {
            return Vanishing::Unknown;
        }
        let share = u128::from(missing) * 10_000;
        let over_share = share > u128::from(self.most_share) * u128::from(known);
        if missing <= self.always || (missing <= self.most_rows && !over_share) {
            return Vanishing::Gone;
        }
        let percent = share / u128::from(known.max(1));
        Vanishing::Held {
            reason: format!(
                "{missing} of {known} rows ({}.{:02} %) vanished in one pull; {} rows and {}.{:02} % are allowed\n\
                 hint: look whether the remote's filter or rights changed; if they are really gone, confirm this pull",
                percent / 100,
                percent % 100,
                self.most_rows,
                self.most_share / 100,
                self.most_share % 100,
            ),
        }
    }
}

/// The memory of a row that is gone, kept so that an old page cannot bring it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The version of the deletion, or the last version seen when the row just vanished.
    pub version: Version,
    /// When it was written, in milliseconds.
    pub at_ms: u64,
}

impl Tombstone {
    /// Whether a row of this version is a new row rather than an old page.
    pub fn yields_to(&self, version: Version) -> bool {
        version > self.version
    }

    /// Whether it may be forgotten: no page as old as it can still arrive.
    pub fn is_over(&self, now_ms: u64, kept_ms: u64) -> bool {
        now_ms.saturating_sub(self.at_ms) > kept_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defect_p11_rows_that_vanish_are_gone_but_not_all_at_once() {
        let cap = VanishCap { most_rows: 100, most_share: 500, always: 2 };
        assert_eq!(cap.judge(1_000, 50, true), Vanishing::Gone);
        assert_eq!(cap.judge(1_000, 50, false), Vanishing::Unknown);
        let Vanishing::Held { reason } = cap.judge(1_000, 51, true) else { panic!("a share above the cap") };
        assert!(reason.starts_with("51 of 1000 rows (5.10 %)") && reason.contains("hint:"), "{reason}");
        assert!(matches!(cap.judge(1_000_000, 101, true), Vanishing::Held { .. }), "a number above the cap");
        assert_eq!(cap.judge(3, 2, true), Vanishing::Gone);
        assert!(matches!(cap.judge(0, 3, true), Vanishing::Held { .. }), "and never a division by zero");
        assert!(matches!(cap.judge(u64::MAX, u64::MAX, true), Vanishing::Held { .. }));
    }

    #[test]
    fn a_tombstone_yields_to_newer_rows_only() {
        let tombstone = Tombstone { version: Version(4), at_ms: 10 };
        assert!(!tombstone.yields_to(Version(4)) && tombstone.yields_to(Version(5)));
        assert!(!tombstone.is_over(20, 10) && tombstone.is_over(21, 10));
    }
}
