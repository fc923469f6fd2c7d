//! Changed lines: counted from a unified diff, or from a text before and after; and the language of a file.
//!
//! Owns counting additions and deletions as `git diff --numstat` does, and the table of file name extensions. It
//! deliberately shows no difference and changes no text.
//!
//! Invariants:
//! - Lines before = lines kept + deletions; lines after = lines kept + additions.
//! - The counts from two texts are those of a shortest difference, except for texts with very many changes, where they
//!   are an upper bound; [`LineStat::exact`] says which.

mod language;
mod shortest;
mod unified;

pub use language::language;
pub use unified::{FilePatch, unified};

/// Lines added and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineStat {
    /// Lines that are only in the text after.
    pub additions: u64,
    /// Lines that are only in the text before.
    pub deletions: u64,
    /// Whether these are the counts of a shortest difference.
    pub exact: bool,
}

/// What changed between two texts, in lines.
///
/// A line ends with a line feed; the end of the last line does not count, so that a missing one is no change.
#[must_use]
pub fn between(before: &str, after: &str) -> LineStat {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    shortest::count(&before, &after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(before: &str, after: &str) -> (u64, u64) {
        let stat = between(before, after);
        assert!(stat.exact);
        (stat.additions, stat.deletions)
    }

    #[test]
    fn changes_between_two_texts_are_counted() {
        for (before, after, expected) in [
            ("", "", (0, 0)),
            ("", "a\nb\n", (2, 0)),
            ("a\nb\n", "", (0, 2)),
            ("a\nb\nc\n", "a\nb\nc\n", (0, 0)),
            ("a\nb\nc", "a\nb\nc\n", (0, 0)),
            ("a\nb\nc\n", "a\nx\nc\n", (1, 1)),
            ("a\nb\nc\nd\n", "b\nc\nd\ne\n", (1, 1)),
            ("a\nb\nc\na\nb\nb\na\n", "c\nb\na\nb\na\nc\n", (2, 3)),
            ("a\r\nb\r\n", "a\nb\n", (0, 0)),
            ("a\n\nb\n", "a\nb\n", (0, 1)),
        ] {
            assert_eq!(counts(before, after), expected, "{before:?} {after:?}");
        }
    }

    #[test]
    fn large_texts_with_few_changes_are_exact_and_with_many_are_bounded() {
        let before: String = (0..200_000).map(|line| format!("line {line}\n")).collect();
        let after = before.replace("line 100000\n", "changed\nadded\n");
        assert_eq!(counts(&before, &after), (2, 1));
        let other: String = (0..20_000).rev().map(|line| format!("line {line}\n")).collect();
        let stat = between(&before[..200_000], &other);
        assert!(!stat.exact);
        assert!(stat.additions <= 20_000 && stat.additions > 10_000, "{stat:?}");
    }

    /// The length of the longest common subsequence, by the table of all prefixes.
    fn kept(before: &[&str], after: &[&str]) -> u64 {
        let mut row = vec![0_u64; after.len() + 1];
        for line in before {
            let mut diagonal = 0;
            for (at, other) in after.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if line == other { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[after.len()]
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_a_shortest_difference(before in "([abc]\n){0,30}", after in "([abcd]\n){0,30}") {
            let stat = between(&before, &after);
            let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
            let kept = kept(&before, &after);
            let lines = |text: &[&str]| u64::try_from(text.len()).unwrap();
            let expected = LineStat { additions: lines(&after) - kept, deletions: lines(&before) - kept, exact: true };
            prop_assert_eq!(stat, expected);
        }
    }
}
