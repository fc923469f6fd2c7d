//! What a system contributes to a pilot: its entities and how they map.

use plimsoll_core::pilot::mapping::{NewRows, Problem, References};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;

use super::select::candidates::CandidateSource;
use crate::capture::Outbox;
use crate::sync::{Link, MirrorTable};

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
    /// The legacy column with the number of the customer whose record it is; none for what belongs to nobody and is
    /// carried always.
    pub owner: Option<&'static str>,
    /// Whether changes travel both ways, or from legacy to new only.
    pub both_ways: bool,
    /// Where the new side's store mirrors the legacy rows, in the form that people read.
    pub mirror: &'static MirrorTable,
}

/// The entity whose records are the customers.
pub const CUSTOMER: &str = "customer";

/// The field of a mirror that says why a legacy row cannot be carried; null for one that can.
pub const TROUBLE: &str = "trouble";

/// A question about a customer that both sides can answer, as users ask it: what shadow reads compare.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Its name.
    pub name: &'static str,
    /// How the legacy side answers; `$1` is the customer's legacy number.
    pub legacy: &'static str,
    /// How the new side does.
    pub new: &'static str,
}

/// A field in which a rehearsal of the way back makes a change that nobody would make, and takes it back.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    /// The legacy column; its text is replaced.
    pub legacy: &'static str,
    /// The new table.
    pub table: &'static str,
    /// The new column.
    pub column: &'static str,
}

/// Tables that a pilot keeps in each side's own store, under the system's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PilotTables {
    /// Who may write for a customer: `customer` (text), `epoch`, `open` (0 or 1).
    pub fence: &'static str,
    /// Legacy only: which legacy row is the counterpart of a record that began on the new side: `entity`, `code`,
    /// `number`.
    pub number: &'static str,
    /// SQLite only: one row whose `at_work` is 1 while the carrier writes, so that its own writes pass the fences.
    pub carrier: &'static str,
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

    /// The pilot's own tables of each side.
    fn tables(&self) -> PilotTables;

    /// The link of an entity to the legacy side.
    fn link(&self, entity: &str) -> &'static dyn Link;

    /// A legacy row in the form that people read and merges compare, without the key: the fields of the mirror. A value
    /// that has no such form is null there, and [`TROUBLE`] says so.
    fn shown(&self, entity: &str, legacy: &Fields) -> Fields;

    /// Fields of that form as the legacy database keeps them.
    ///
    /// # Errors
    /// Every value that cannot be written there.
    fn kept(&self, entity: &str, shown: &Fields) -> Result<Fields, Vec<Problem>>;

    /// The columns of the new side that a legacy column becomes.
    fn columns_of(&self, entity: &str, legacy: &str) -> Vec<(&'static str, &'static str)>;

    /// Questions for shadow reads.
    fn questions(&self) -> &'static [Question];

    /// Where a rehearsal of the way back makes its change; none for an entity that does not travel back.
    fn probe(&self, entity: &str) -> Option<Probe>;

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

    /// Whom a selection chooses among: the legacy side's customers, and what a row of theirs says.
    fn candidates(&self) -> CandidateSource;

    /// A value of the common form as a person reads it; none where the value shows itself. A side that keeps its texts as
    /// bytes says here what they spell.
    fn readable(&self, value: &Value) -> Option<String> {
        let _ = value;
        None
    }
}
