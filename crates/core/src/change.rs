//! Changes: one row, before and after.
//!
//! Owns the change type, its inverse, and its encoding in the journal. It does not decide whether a change
//! may be applied (the store compares, the engine decides) nor in which order.
//!
//! Encoding. `before` is the whole row as a JSON array in the order of the table's columns. `after` of an
//! insert is the same; `after` of an update is sparse, `[[position, value], ..]`, and lists only the columns
//! that differ. Positions refer to the [`TableShape`] stored with the plan.
//!
//! Invariants: a change has a `before` or an `after`; an update never changes the key.

use std::fmt;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer as _, Serialize};

use crate::table::{Image, RowKey, TableShape};
use crate::value::Value;

/// What a change does to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The row does not exist before.
    Insert,
    /// The row exists before and after.
    Update,
    /// The row does not exist after.
    Delete,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        })
    }
}

/// One row change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table and the shape its images follow.
    pub table: Arc<TableShape>,
    /// The row before; `None` for an insert.
    pub before: Option<Image>,
    /// The row after; `None` for a delete.
    pub after: Option<Image>,
}

/// Why stored text is not a change.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The text is not JSON of the expected form.
    #[error("a stored change of table `{table}` cannot be read: {source}")]
    Unreadable {
        /// The table.
        table: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The number of values or a position does not fit the table.
    #[error(
        "a stored change of table `{table}` does not fit its {columns} columns\nhint: the table changed since the plan was made; plan again"
    )]
    Shape {
        /// The table.
        table: String,
        /// How many columns the plan knows.
        columns: usize,
    },
    /// Neither before nor after, or a changed key.
    #[error("a change of table `{table}` {problem}")]
    Impossible {
        /// The table.
        table: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Change {
    /// A change from both images.
    ///
    /// # Errors
    /// [`ChangeError::Impossible`] when both are absent or the key differs, [`ChangeError::Shape`] when an
    /// image does not have one value a column.
    pub fn new(
        table: Arc<TableShape>,
        before: Option<Image>,
        after: Option<Image>,
    ) -> Result<Self, ChangeError> {
        let fits = |image: &Option<Image>| image.as_ref().is_none_or(|i| i.len() == table.columns.len());
        if !fits(&before) || !fits(&after) {
            return Err(ChangeError::Shape { table: table.name.clone(), columns: table.columns.len() });
        }
        let problem = match (&before, &after) {
            (None, None) => Some("has neither before nor after"),
            (Some(before), Some(after)) if table.key.iter().any(|&at| before[at] != after[at]) => {
                Some("would change the key of its row; delete the old row and insert the new one instead")
            }
            _ => None,
        };
        match problem {
            Some(problem) => Err(ChangeError::Impossible { table: table.name.clone(), problem }),
            None => Ok(Self { table, before, after }),
        }
    }

    /// Insert, update or delete.
    pub fn kind(&self) -> ChangeKind {
        match (&self.before, &self.after) {
            (None, _) => ChangeKind::Insert,
            (_, None) => ChangeKind::Delete,
            _ => ChangeKind::Update,
        }
    }

    /// The key of the row.
    pub fn key(&self) -> RowKey {
        let image = self.before.as_ref().or(self.after.as_ref());
        image.map_or(RowKey(Vec::new()), |image| self.table.key_of(image))
    }

    /// Positions of the columns that differ; all columns for an insert or delete.
    pub fn changed(&self) -> Vec<usize> {
        let mut positions = Vec::new();
        self.changed_into(&mut positions);
        positions
    }

    /// As [`Self::changed`], into a list that is emptied first, so that a loop needs only one.
    pub fn changed_into(&self, positions: &mut Vec<usize>) {
        positions.clear();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => {
                positions.extend((0..self.table.columns.len()).filter(|&at| before[at] != after[at]));
            }
            _ => positions.extend(0..self.table.columns.len()),
        }
    }

    /// The change that takes this one back.
    #[must_use]
    pub fn inverse(&self) -> Self {
        Self { table: Arc::clone(&self.table), before: self.after.clone(), after: self.before.clone() }
    }

    /// The stored text of `before`.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no value of a database does.
    pub fn before_text(&self) -> Result<Option<String>, ChangeError> {
        self.before.as_ref().map(|image| self.encode(image)).transpose()
    }

    /// The stored text of `after`.
    ///
    /// # Errors
    /// As [`Self::before_text`].
    pub fn after_text(&self) -> Result<Option<String>, ChangeError> {
        match (&self.before, &self.after) {
            (Some(_), Some(after)) => {
                let sparse: Vec<(usize, &Value)> =
                    self.changed().into_iter().map(|at| (at, &after[at])).collect();
                self.encode(&sparse).map(Some)
            }
            (None, Some(after)) => self.encode(after).map(Some),
            (_, None) => Ok(None),
        }
    }

    /// Reads a change back from its stored texts.
    ///
    /// # Errors
    /// [`ChangeError`] when the texts do not stand for a change of this table.
    pub fn decode(
        table: &Arc<TableShape>,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Self, ChangeError> {
        let unreadable = |source| ChangeError::Unreadable { table: table.name.clone(), source };
        let whole = |text: &str| read_image(text, table.columns.len()).map_err(unreadable);
        let before = before.map(whole).transpose()?;
        let after = match (&before, after) {
            (Some(before), Some(text)) => {
                let sparse: Vec<(usize, Value)> = serde_json::from_str(text).map_err(unreadable)?;
                let image = overlay(before, sparse);
                let misfit =
                    || ChangeError::Shape { table: table.name.clone(), columns: table.columns.len() };
                Some(image.ok_or_else(misfit)?)
            }
            (None, Some(text)) => Some(whole(text)?),
            (_, None) => None,
        };
        Self::new(Arc::clone(table), before, after)
    }

    fn encode(&self, value: &impl Serialize) -> Result<String, ChangeError> {
        serde_json::to_string(value)
            .map_err(|source| ChangeError::Unreadable { table: self.table.name.clone(), source })
    }
}

/// Reads a whole image. Journals are read row by row, so it reserves what a row of the table needs at once.
fn read_image(text: &str, columns: usize) -> serde_json::Result<Image> {
    struct Cells(usize);
    impl<'de> Visitor<'de> for Cells {
        type Value = Image;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array of values")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut cells: A) -> Result<Image, A::Error> {
            let mut image = Vec::with_capacity(self.0);
            while let Some(cell) = cells.next_element()? {
                image.push(cell);
            }
            Ok(image)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let image = reader.deserialize_seq(Cells(columns))?;
    reader.end()?;
    Ok(image)
}

/// The image with some of its cells replaced; `None` when a position is not in it. Where a position is
/// given twice the last value counts.
fn overlay(before: &[Value], sparse: Vec<(usize, Value)>) -> Option<Image> {
    let ascending = sparse.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if !ascending || sparse.last().is_some_and(|(at, _)| *at >= before.len()) {
        let mut image = before.to_vec();
        for (at, value) in sparse {
            *image.get_mut(at)? = value;
        }
        return Some(image);
    }
    // What is replaced is not copied first.
    let mut image = Vec::with_capacity(before.len());
    for (at, value) in sparse {
        image.extend_from_slice(&before[image.len()..at]);
        image.push(value);
    }
    image.extend_from_slice(&before[image.len()..]);
    Some(image)
}

/// The image of `from`'s shape moved onto the shape `to`, by column name.
///
/// Columns that only `to` has take their value from `fallback` (the current row) or null. Used when a table
/// has gained columns between a run and its undo.
pub fn reshape(image: &[Value], from: &TableShape, to: &TableShape, fallback: Option<&[Value]>) -> Image {
    to.columns
        .iter()
        .enumerate()
        .map(|(at, column)| match from.position(&column.name) {
            Some(old) => image.get(old).cloned().unwrap_or_default(),
            None => fallback.and_then(|row| row.get(at)).cloned().unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType};

    fn shape() -> Arc<TableShape> {
        let column = |name: &str| Column {
            name: name.into(),
            column_type: ColumnType::Text,
            declared: "text".into(),
            nullable: true,
        };
        Arc::new(TableShape {
            name: "t".into(),
            columns: ["id", "a", "b"].map(column).to_vec(),
            key: vec![0],
        })
    }

    fn row(id: i64, a: &str, b: &str) -> Image {
        vec![Value::Integer(id), Value::text(a), Value::text(b)]
    }

    #[test]
    fn journal_texts_round_trip_and_updates_are_sparse() {
        let cases = [
            (None, Some(row(1, "x", "y"))),
            (Some(row(1, "x", "y")), Some(row(1, "x", "z"))),
            (Some(row(1, "x", "y")), None),
        ];
        for (before, after) in cases {
            let change = Change::new(shape(), before, after).unwrap();
            let (before, after) = (change.before_text().unwrap(), change.after_text().unwrap());
            if change.kind() == ChangeKind::Update {
                assert_eq!(after.as_deref(), Some(r#"[[2,"z"]]"#));
            }
            let back = Change::decode(&shape(), before.as_deref(), after.as_deref()).unwrap();
            assert_eq!(back, change);
            assert_eq!(back.inverse().inverse(), change);
        }
    }

    #[test]
    fn stored_texts_are_read_strictly() {
        let read = |after| Change::decode(&shape(), Some(r#"[1,"a","b"]"#), Some(after));
        let after = |after| read(after).unwrap().after.unwrap();
        assert_eq!(after("[]"), row(1, "a", "b"));
        assert_eq!(after(r#"[[1,"x"]]"#), row(1, "x", "b"));
        assert_eq!(after(r#"[[1,"x"],[2,"y"]]"#), row(1, "x", "y"));
        assert_eq!(after(r#"[[2,"y"],[1,"x"],[1,"z"]]"#), row(1, "z", "y"), "in any order, the last counts");
        assert!(read(r#"[[2,"y"],[7,"x"]]"#).is_err() && read(r#"[[7,"y"],[1,"x"]]"#).is_err());
        assert!(read("[] ]").is_err() && Change::decode(&shape(), Some(r#"[1,"a","b"] x"#), None).is_err());
    }

    #[test]
    fn a_changed_key_a_missing_image_and_a_short_row_are_refused() {
        assert!(Change::new(shape(), Some(row(1, "", "")), Some(row(2, "", ""))).is_err());
        assert!(Change::new(shape(), None, None).is_err());
        assert!(Change::new(shape(), None, Some(vec![Value::Null])).is_err());
        assert!(Change::decode(&shape(), Some(r#"[1,"a","b"]"#), Some(r#"[[3,"z"]]"#)).is_err());
    }
}
