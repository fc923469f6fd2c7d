//! What a split is: one wide table, the focused tables that it becomes, and which column goes where.
//!
//! Owns the declaration that a system makes. It holds data only; the statements are `statements`'s.
//!
//! Invariant: every column of the wide table goes to exactly one place, so that the wide table can be made again.

/// A wide table that is split into focused ones, described as data.
#[derive(Debug)]
pub struct Split {
    /// The name of the change, such as `split-parts`.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// The name of the change that drops the wide table once its time is over.
    pub drop_name: &'static str,
    /// One line for people.
    pub drop_help: &'static str,
    /// The wide table. The core table takes its name.
    pub table: &'static str,
    /// The column that tells its rows apart; a text.
    pub key: &'static str,
    /// What the key is called in focused tables.
    pub reference: &'static str,
    /// Every column that the wide table may have.
    pub columns: &'static [WideColumn],
    /// The columns that stay in the core table, the key first.
    pub core: &'static [&'static str],
    /// Columns of the core table that each focused table repeats, so that it answers without a join.
    pub repeated: &'static [&'static str],
    /// The focused tables.
    pub focused: &'static [Focused],
    /// Columns that are added to focused tables and computed there.
    pub additions: &'static [Addition],
    /// For so many days the wide table is kept.
    pub keep_days: u32,
}

impl Split {
    /// The name under which the wide table is kept.
    pub fn legacy(&self) -> String {
        format!("{}_legacy", self.table)
    }

    /// The view that answers as the wide table did.
    pub fn wide_view(&self) -> String {
        format!("{}_wide", self.table)
    }
}

/// A column of the wide table.
#[derive(Debug)]
pub struct WideColumn {
    /// Its name.
    pub name: &'static str,
    /// The SQL types that it may have.
    pub types: &'static [&'static str],
    /// Whether a table without it is not the table that is meant.
    pub required: bool,
}

/// A focused table.
#[derive(Debug)]
pub struct Focused {
    /// Its name.
    pub table: &'static str,
    /// What one row is.
    pub help: &'static str,
    /// The wide table's columns that go here. A wide row has a row here when one of them is not null.
    pub columns: &'static [FocusedColumn],
}

/// A column of a focused table.
#[derive(Debug)]
pub struct FocusedColumn {
    /// Its name here and in the wide table.
    pub name: &'static str,
    /// Its type here; `None` keeps the type that it has.
    pub kind: Option<&'static str>,
    /// Where a text that is not of this type goes as it is.
    pub otherwise: Option<&'static str>,
}

/// A column that keeps its type.
pub const fn same(name: &'static str) -> FocusedColumn {
    FocusedColumn { name, kind: None, otherwise: None }
}

/// A column of another type, which holds every value of the wide one.
pub const fn wider(name: &'static str, kind: &'static str) -> FocusedColumn {
    FocusedColumn { name, kind: Some(kind), otherwise: None }
}

/// A column that is added to a table that is there.
#[derive(Debug, Clone, Copy)]
pub struct Addition {
    /// The table.
    pub table: &'static str,
    /// The new column.
    pub column: &'static str,
    /// Its SQL type.
    pub kind: &'static str,
    /// What it is filled with, over the table's other columns; `None` leaves it null.
    pub backfill: Option<&'static str>,
    /// Which rows must have a value afterwards; `None` asks nothing.
    pub complete: Option<&'static str>,
}
