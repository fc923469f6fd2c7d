//! What a system contributes to a pilot: its entities and how they map.

use plimsoll_core::pilot::mapping::{NewRows, Problem, References};
use plimsoll_core::sync::record::Fields;

use crate::capture::Outbox;

/// A column of a new row that holds the code of another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReferenceColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// The legacy column that holds that record's number.
    pub legacy: &'static str,
    /// The entity of that record.
    pub entity: &'static str,
}

/// One entity on both sides.
///
/// The legacy table's key is one number. The new tables' key is one code, the same in each of them; the first has
/// the column `legacy_id` with the number of the counterpart.
#[derive(Debug, Clone, Copy)]
pub struct PilotEntity {
    /// Its name.
    pub name: &'static str,
    /// Its legacy table.
    pub legacy_table: &'static str,
    /// Its new tables, parents before children.
    pub tables: &'static [&'static str],
    /// Codes of other records in its rows.
    pub references: &'static [ReferenceColumn],
}

impl PilotEntity {
    /// The new table that holds the record's code and number.
    pub fn root(&self) -> &'static str {
        self.tables.first().copied().unwrap_or_default()
    }
}

/// A pilot: two sides and how one maps to the other.
pub trait Pilot: Sync {
    /// The outbox of each side.
    fn outbox(&self) -> Outbox;

    /// The entities, each after those that it refers to.
    fn entities(&self) -> &'static [PilotEntity];

    /// The new rows of a legacy row.
    ///
    /// # Errors
    /// Every value that cannot be carried.
    fn to_new(
        &self,
        entity: &str,
        legacy: &Fields,
        references: &dyn References,
    ) -> Result<NewRows, Vec<Problem>>;

    /// The legacy row of new rows.
    ///
    /// # Errors
    /// Every value that cannot be carried.
    fn to_legacy(
        &self,
        entity: &str,
        rows: &NewRows,
        references: &dyn References,
    ) -> Result<Fields, Vec<Problem>>;
}
