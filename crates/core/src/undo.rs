//! Undo decisions: what to do with one row of a run that is being taken back.
//!
//! Owns the five modes and the decision for one row, as a pure function of what the run recorded and what
//! the row is now. It does not read rows, and it does not know about runs: `cascade` decides like `skip`
//! here, after the engine has undone the later runs.
//!
//! Invariant: except with [`UndoMode::Force`], no value that was written after the run is overwritten.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::table::Image;

/// What to do about rows that were edited after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoMode {
    /// Any later edit stops the undo before it writes anything.
    Refuse,
    /// Items with an edited row are left as they are and reported.
    #[default]
    Skip,
    /// Columns that nobody touched since are restored, the others are left.
    Merge,
    /// Later runs that touched the same rows are undone first, newest first; other edits are skipped.
    Cascade,
    /// The row is restored to what it was before the run, whatever happened since.
    Force,
}

impl UndoMode {
    /// All modes.
    pub const ALL: [Self; 5] = [Self::Refuse, Self::Skip, Self::Merge, Self::Cascade, Self::Force];

    /// The word used in SQL, reports and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Skip => "skip",
            Self::Merge => "merge",
            Self::Cascade => "cascade",
            Self::Force => "force",
        }
    }
}

impl fmt::Display for UndoMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What to do with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowUndo {
    /// Write `after` where the row is now `before`. `kept` are positions of columns left as edited.
    Restore {
        /// The row as it is now.
        before: Option<Image>,
        /// The row as it shall be.
        after: Option<Image>,
        /// Columns that the run changed and that stay as someone edited them since.
        kept: Vec<usize>,
    },
    /// The row already is what it was before the run.
    Already,
    /// The row was edited after the run and the mode leaves it. The positions are the edited columns, or
    /// empty when the row was inserted or deleted since.
    Edited(Vec<usize>),
}

/// Decides one row: the run recorded `before` and `after`, and it is `current` now.
///
/// All images follow the same shape.
pub fn undo_row(
    mode: UndoMode,
    before: Option<&Image>,
    after: Option<&Image>,
    current: Option<&Image>,
) -> RowUndo {
    let restore = |kept| RowUndo::Restore { before: current.cloned(), after: before.cloned(), kept };
    if current == before {
        return RowUndo::Already;
    }
    if current == after || mode == UndoMode::Force {
        return restore(Vec::new());
    }
    let (Some(after), Some(current)) = (after, current) else { return RowUndo::Edited(Vec::new()) };
    let edited: Vec<usize> = (0..after.len()).filter(|&at| after[at] != current[at]).collect();
    let (UndoMode::Merge, Some(before)) = (mode, before) else { return RowUndo::Edited(edited) };
    let mut merged = current.clone();
    let mut kept = Vec::new();
    for at in 0..after.len() {
        if before[at] == after[at] || current[at] == before[at] {
            continue;
        }
        if current[at] == after[at] {
            merged[at] = before[at].clone();
        } else {
            kept.push(at);
        }
    }
    if merged == *current {
        return if kept.is_empty() { RowUndo::Already } else { RowUndo::Edited(kept) };
    }
    RowUndo::Restore { before: Some(current.clone()), after: Some(merged), kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    fn row(values: [i64; 3]) -> Image {
        values.map(Value::Integer).to_vec()
    }

    #[test]
    fn an_untouched_row_is_restored_in_every_mode() {
        let (before, after) = (row([1, 2, 3]), row([1, 5, 3]));
        for mode in UndoMode::ALL {
            let undo = undo_row(mode, Some(&before), Some(&after), Some(&after));
            assert_eq!(
                undo,
                RowUndo::Restore { before: Some(after.clone()), after: Some(before.clone()), kept: vec![] }
            );
            assert_eq!(undo_row(mode, Some(&before), Some(&after), Some(&before)), RowUndo::Already);
        }
    }

    #[test]
    fn a_later_edit_is_kept_by_all_modes_but_force() {
        let (before, after, now) = (row([1, 2, 3]), row([1, 5, 6]), row([1, 9, 6]));
        for mode in [UndoMode::Refuse, UndoMode::Skip, UndoMode::Cascade] {
            assert_eq!(undo_row(mode, Some(&before), Some(&after), Some(&now)), RowUndo::Edited(vec![1]));
        }
        assert_eq!(
            undo_row(UndoMode::Merge, Some(&before), Some(&after), Some(&now)),
            RowUndo::Restore { before: Some(now.clone()), after: Some(row([1, 9, 3])), kept: vec![1] }
        );
        assert_eq!(
            undo_row(UndoMode::Force, Some(&before), Some(&after), Some(&now)),
            RowUndo::Restore { before: Some(now), after: Some(before), kept: vec![] }
        );
    }

    #[test]
    fn rows_that_vanished_or_appeared_since() {
        let (before, after) = (row([1, 2, 3]), row([1, 5, 3]));
        assert_eq!(undo_row(UndoMode::Merge, Some(&before), Some(&after), None), RowUndo::Edited(vec![]));
        assert_eq!(undo_row(UndoMode::Skip, None, Some(&after), None), RowUndo::Already);
        // Inserted by the run, edited since: deleting it would lose the edit.
        assert_eq!(
            undo_row(UndoMode::Merge, None, Some(&after), Some(&row([1, 5, 4]))),
            RowUndo::Edited(vec![2])
        );
        assert!(matches!(
            undo_row(UndoMode::Force, Some(&before), Some(&after), None),
            RowUndo::Restore { before: None, after: Some(_), .. }
        ));
    }
}
