//! The seam: what a system contributes to the engine.
//!
//! Owns the types with which a system describes itself. A system declares data (its schema, its tables, its
//! settings) and pure functions (how to read its source through [`Fetch`], how to turn one record into row
//! changes). It never opens a connection, starts a thread, reads the environment, sleeps or asks the time:
//! whatever it needs of that kind is handed to it.

use plimsoll_core::decision::Criterion;
use plimsoll_core::item::Item;
/// What a system's schema is made of.
pub use plimsoll_store::schema::{Dialect, Schema, SchemaAction, SchemaStep};

use crate::alias::{Alias, Field, StoreView};
use crate::change::context::{PlanContext, Proposal};
use crate::change::drive::Drive;
use crate::error::EngineError;
use crate::flag::FlagDeclaration;
use crate::source::{Fetch, SourceDeclaration, SourceRecord, SourceRequest, SourceSummary};

/// A domain application, described as data.
pub struct System {
    /// The name used on the command line, in SQL and in URLs, such as `hearings`.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// The system's tables and their versions.
    pub schema: Schema,
    /// Every table, parents before children.
    pub tables: &'static [&'static str],
    /// What it can do to its tables.
    pub changes: &'static [&'static dyn ChangeKind],
    /// Checks, each the text of an SQL file with its header, or of a TOML file ([`crate::check`]).
    pub checks: &'static [&'static str],
    /// Settings that it reads, for documentation and validation.
    pub settings: &'static [SettingDeclaration],
    /// Flags of the control store that its operations ask for.
    pub flags: &'static [FlagDeclaration],
    /// Drives: many requests from one document.
    pub drives: &'static [&'static Drive],
    /// Views of its store, each answered by a function.
    pub views: &'static [&'static StoreView],
    /// Routes of HTTP that speak its own language.
    pub aliases: &'static [Alias],
    /// Metrics, each the text of an SQL file with its header ([`crate::metric::DeclaredMetric`]).
    pub metrics: &'static [&'static str],
}

impl System {
    /// A system without a name, to fill in what another does not say: `System { name: "..", ..System::EMPTY }`.
    pub const EMPTY: Self = Self {
        name: "",
        title: "",
        schema: Schema { component: "", steps: &[], current: Dialect::both("") },
        tables: &[],
        changes: &[],
        checks: &[],
        settings: &[],
        flags: &[],
        drives: &[],
        views: &[],
        aliases: &[],
        metrics: &[],
    };

    /// The view called `name`.
    ///
    /// # Errors
    /// Usage, naming the views there are.
    pub fn view(&self, name: &str) -> Result<&'static StoreView, EngineError> {
        self.views.iter().copied().find(|view| view.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.views.iter().map(|view| view.name).collect();
            EngineError::usage(format!(
                "system `{}` has no view `{name}`\nhint: it has {}",
                self.name,
                names.join(", ")
            ))
        })
    }

    /// The change called `name`.
    ///
    /// # Errors
    /// Usage, naming the changes there are.
    pub fn change(&self, name: &str) -> Result<&'static dyn ChangeKind, EngineError> {
        self.changes.iter().copied().find(|change| change.name() == name).ok_or_else(|| {
            let names: Vec<&str> = self.changes.iter().map(|change| change.name()).collect();
            EngineError::usage(format!(
                "system `{}` has no change `{name}`\nhint: it has {}",
                self.name,
                names.join(", ")
            ))
        })
    }
}

/// One setting of a system.
#[derive(Debug, Clone, Copy)]
pub struct SettingDeclaration {
    /// The environment variable, such as `BATCH_SIZE`.
    pub environment: &'static str,
    /// The value without one.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// One kind of change that a system offers.
pub trait ChangeKind: Sync {
    /// The name used on the command line, such as `daily-update`.
    fn name(&self) -> &'static str;

    /// One line for people.
    fn help(&self) -> &'static str;

    /// True when a run refuses to start without a verified backup.
    fn needs_backup(&self) -> bool;

    /// What a request of this change says, besides its reason.
    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }

    /// False for a change that is made from what the caller says alone, as one request ([`crate::change::request`]).
    fn asks_source(&self) -> bool {
        true
    }

    /// The path below which an HTTP source answers all questions of this change, such as `v3`; added to the
    /// address unless it ends with it.
    fn source_root(&self) -> &'static str {
        self.source().map_or("", |declared| declared.root)
    }

    /// The table and column that hold when a record was last updated, from which [`SourceRequest::known_until`]
    /// is filled.
    fn known_until(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// The API that its records come from, when there is one.
    fn source(&self) -> Option<&'static SourceDeclaration> {
        None
    }

    /// Reads the source and hands over each record once. Records that the source cannot deliver are handed
    /// over too, with the problem in place of a body, so that nothing vanishes silently.
    ///
    /// # Errors
    /// When the source as a whole cannot be read; single bad records are not an error.
    fn read(
        &self,
        fetch: &mut dyn Fetch,
        request: &SourceRequest,
        each: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError>;

    /// Turns one record into row changes, given the current rows.
    ///
    /// # Errors
    /// When current rows cannot be read. A bad record is not an error but [`Proposal::Refuse`].
    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError>;

    /// Looks at the items of one batch before they are written. Returns the position in `items` and the
    /// reason for each item that must not be applied.
    fn validate(&self, items: &[Item]) -> Vec<(usize, String)> {
        let _ = items;
        Vec::new()
    }

    /// What a trial of the change must show before it is let loose. The names of the measured values are in
    /// [`crate::trial::measures`].
    fn criteria(&self) -> &'static [Criterion] {
        &[]
    }
}
