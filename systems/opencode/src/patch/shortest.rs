//! The size of a shortest difference between two lists of lines.
//!
//! Owns the algorithm of Myers ("An O(ND) Difference Algorithm and Its Variations", 1986), for the length only, with
//! two bounds: what is equal at both ends is left out first, and after [`MOST_CHANGES`] changes it stops and
//! counts line by line instead, which is never less.

use std::collections::HashMap;

use super::LineStat;

/// Changes after which the exact count is given up: the work grows with their square.
const MOST_CHANGES: usize = 4_000;

pub(super) fn count(before: &[&str], after: &[&str]) -> LineStat {
    let same_at_start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[same_at_start..], &after[same_at_start..]);
    let same_at_end =
        before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[..before.len() - same_at_end], &after[..after.len() - same_at_end]);
    let (before, after) = numbered(before, after);
    let (changes, exact) = shortest(&before, &after)
        .map_or_else(|| (by_place(&before, &after), false), |changes| (changes, true));
    // changes = additions + deletions, and additions - deletions is what the lengths differ by.
    let kept = (before.len() + after.len() - changes) / 2;
    let as_count = |lines: usize| u64::try_from(lines).unwrap_or(u64::MAX);
    LineStat { additions: as_count(after.len() - kept), deletions: as_count(before.len() - kept), exact }
}

/// Equal lines as equal numbers, so that each is compared as text only once.
fn numbered(before: &[&str], after: &[&str]) -> (Vec<usize>, Vec<usize>) {
    let mut numbers = HashMap::new();
    let mut number = |line: &&str| {
        let next = numbers.len();
        *numbers.entry((*line).to_owned()).or_insert(next)
    };
    let before = before.iter().map(&mut number).collect();
    (before, after.iter().map(&mut number).collect())
}

/// The number of changes of a shortest difference; `None` if there are too many.
fn shortest(before: &[usize], after: &[usize]) -> Option<usize> {
    let longest = before.len() + after.len();
    let bound = longest.min(MOST_CHANGES);
    // The furthest place in `before` on each diagonal; diagonal d is at d + bound + 1.
    let mut furthest = vec![0_usize; 2 * bound + 3];
    for changes in 0..=bound {
        for step in 0..=changes {
            // Diagonals -changes, -changes + 2, .. changes.
            let diagonal = bound + 1 + 2 * step - changes;
            let down = step == 0 || (step != changes && furthest[diagonal - 1] < furthest[diagonal + 1]);
            let mut x = if down { furthest[diagonal + 1] } else { furthest[diagonal - 1] + 1 };
            // y = x - (diagonal - bound - 1); a place outside of the texts is not followed.
            let Some(mut y) = (x + bound + 1).checked_sub(diagonal) else { continue };
            while x < before.len() && y < after.len() && before[x] == after[y] {
                x += 1;
                y += 1;
            }
            furthest[diagonal] = x;
            if x >= before.len() && y >= after.len() {
                return Some(changes);
            }
        }
    }
    None
}

/// A number of changes that is at least the shortest, for texts that differ very much: lines at the same place that are
/// equal are kept, all others are changes.
fn by_place(before: &[usize], after: &[usize]) -> usize {
    let kept = before.iter().zip(after).filter(|(one, other)| one == other).count();
    before.len() + after.len() - 2 * kept
}
