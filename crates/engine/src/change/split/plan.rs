//! The plan of a split: what was found, what will be made of it, and what stands in the way.
//!
//! Owns looking at the wide table, the findings, and the canary that is always rolled back. What the plan says is bound
//! by its digest; applying it first looks whether the wide table is still what the plan saw.
//!
//! Invariant: a table with a column that the declaration does not know is refused, because that column would be lost.

use plimsoll_core::digest::Hashing;
use plimsoll_core::id::Id;
use plimsoll_core::undo::UndoMode;
use plimsoll_store::duckdb::Analytics;
use serde::{Deserialize, Serialize};

use super::additive::{columns_of, count, indexes_of};
use super::declare::Split;
use super::phases::Way;
use super::statements::{Statements, in_the_making, quoted};
use super::{Place, drive, journal};
use crate::clock::new_id;
use crate::error::EngineError;

/// Something that a plan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked for.
    pub rule: String,
    /// How often it was found.
    pub count: u64,
    /// What it means.
    pub message: String,
}

/// A plan over a wide table: to split it, to take that back, or to drop what was kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitPlan {
    /// Its id.
    pub id: Id,
    /// When it was made.
    pub created_at: String,
    /// Who made it.
    pub actor: String,
    /// The system.
    pub system: String,
    /// The change: the split's name, its drop's, or `undo`.
    pub change: String,
    /// What it makes of the wide table.
    pub way: Way,
    /// The declared wide table.
    pub table: String,
    /// Its columns: name and type, in order.
    pub columns: Vec<(String, String)>,
    /// The statement that made it.
    pub definition: String,
    /// Its indexes: name and statement.
    pub indexes: Vec<(String, String)>,
    /// Its rows.
    pub rows: u64,
    /// Digest of its rows.
    pub content: String,
    /// The new tables: as declared, and as they are called here. The core first.
    pub tables: Vec<(String, String)>,
    /// What was found on the way.
    pub findings: Vec<Finding>,
    /// The run that it is about, when it takes one back or drops what one kept.
    pub of: Option<Id>,
    /// How it deals with later edits, when it takes a run back.
    pub undo_mode: Option<UndoMode>,
    /// Rows that a person says have changed since, and may be lost with the legacy table.
    #[serde(default)]
    pub accepted_changes: u64,
    /// Digest over all members before this one.
    pub digest: String,
}

impl SplitPlan {
    /// The digest that belongs to what the plan says.
    pub fn compute_digest(&self) -> String {
        let bare = Self { digest: String::new(), ..self.clone() };
        let text = serde_json::to_string(&bare).unwrap_or_default();
        Hashing::new("split plan").part(text.as_bytes()).hex()
    }

    /// The plan with its digest.
    pub(super) fn sealed(mut self) -> Self {
        self.digest = self.compute_digest();
        self
    }

    /// What a declared table is called in this store.
    pub fn named(&self, declared: &str) -> String {
        let found = self.tables.iter().find(|(name, _)| name == declared);
        found.map_or_else(|| declared.to_owned(), |(_, name)| name.clone())
    }

    /// The focused tables: as declared, and as they are called here.
    pub fn focused(&self) -> impl Iterator<Item = &(String, String)> {
        self.tables.iter().skip(1)
    }
}

/// Rows and digest of a wide table, as the plan names its columns.
pub(super) fn content_of(
    store: &Analytics,
    columns: &[(String, String)],
    table: &str,
) -> Result<(u64, String), EngineError> {
    let names: Vec<String> = columns.iter().map(|(name, _)| quoted(name)).collect();
    content(store, &format!("SELECT {} FROM {}", names.join(", "), quoted(table)))
}

/// Rows and digest of a selection.
pub(super) fn content(store: &Analytics, selection: &str) -> Result<(u64, String), EngineError> {
    let rows = store.query(&Statements::digest(selection), &[])?.rows;
    let count = rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    Ok((count, rows[0][1].as_text().unwrap_or_default().to_owned()))
}

/// Makes the plan of a split; it is stored with `store_it` only.
///
/// # Errors
/// Usage when there is no such table; refused when it is another one than declared, its keys are not sound, or another
/// run is not done with it.
pub fn plan_split(
    place: &Place,
    system: &str,
    split: &'static Split,
    store_it: bool,
) -> Result<SplitPlan, EngineError> {
    let store = &place.store;
    let columns = columns_of(store, split.table)?;
    if columns.is_empty() {
        return Err(EngineError::usage(format!(
            "there is no table `{}` in this store\nhint: name the earlier system's file: --store duckdb:PATH",
            split.table
        )));
    }
    fits(split, &columns)?;
    if !columns_of(store, &split.legacy())?.is_empty() {
        return Err(EngineError::refused(format!(
            "`{}` is there: this table was split already\nhint: `plimsoll log` names the run; `plimsoll undo` takes it back",
            split.legacy()
        )));
    }
    for run in journal::list_runs(store)? {
        if run.status.is_open() {
            return Err(EngineError::refused(format!(
                "run {} is not done\nhint: plimsoll resume {1}, or plimsoll undo {1}",
                run.id.short(),
                run.id.short()
            )));
        }
    }
    let mut findings = Vec::new();
    let (table, key) = (quoted(split.table), quoted(split.key));
    let unsound = count(store, &format!("SELECT count(*) - count(DISTINCT {key}) FROM {table}"))?;
    if unsound > 0 {
        return Err(EngineError::refused(format!(
            "{unsound} rows of `{}` have no `{}` of their own\nhint: see SELECT {key}, count(*) FROM {table} GROUP BY 1 HAVING count(*) > 1",
            split.table, split.key
        )));
    }
    let statements = Statements::new(split, &columns);
    let taken: Vec<String> = store.table_names()?.into_iter().collect();
    let mut tables = vec![(split.table.to_owned(), split.table.to_owned())];
    for focused in statements.focused() {
        let mut name = focused.table.to_owned();
        if taken.contains(&name) {
            name = format!("{name}_of_{}", split.table);
            findings.push(Finding {
                rule: "name-taken".into(),
                count: 1,
                message: format!(
                    "table `{}` is there and stays as it is; the new one is `{name}`",
                    focused.table
                ),
            });
        }
        tables.push((focused.table.to_owned(), name));
        for column in focused.columns.iter().filter(|column| column.otherwise.is_some()) {
            let (Some(kind), Some(otherwise)) = (column.kind, column.otherwise) else { continue };
            let sql = format!(
                "SELECT count(*) FROM {table} WHERE {0} IS NOT NULL AND TRY_CAST({0} AS {kind}) IS NULL",
                quoted(column.name)
            );
            let malformed = count(store, &sql)?;
            if malformed > 0 {
                findings.push(Finding {
                    rule: "malformed".into(),
                    count: malformed,
                    message: format!("`{}` is no {kind}; the text is kept in `{otherwise}`", column.name),
                });
            }
        }
    }
    let wanted = [in_the_making(split.table), split.wide_view()];
    if let Some(name) = tables
        .iter()
        .flat_map(|(declared, named)| [in_the_making(declared), named.clone()])
        .chain(wanted)
        .find(|name| name != split.table && taken.contains(name))
    {
        return Err(EngineError::refused(format!("a table `{name}` is in the way\nhint: rename it")));
    }
    let views = store
        .query(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND NOT internal AND contains(sql, $1)",
            &[split.table.into()],
        )?
        .rows;
    if !views.is_empty() {
        let names: Vec<&str> = views.iter().filter_map(|row| row[0].as_text()).collect();
        findings.push(Finding {
            rule: "views".into(),
            count: views.len() as u64,
            message: format!(
                "{} may read columns that are elsewhere afterwards; `{}` answers as before",
                names.join(", "),
                split.wide_view()
            ),
        });
    }
    let definition = store
        .query(
            "SELECT sql FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = $1",
            &[split.table.into()],
        )?
        .rows;
    let definition = definition.first().and_then(|row| row[0].as_text()).unwrap_or_default().to_owned();
    let (rows, content) = content_of(store, &columns, split.table)?;
    let plan = SplitPlan {
        id: new_id(),
        created_at: place.clock.now(),
        actor: place.actor.clone(),
        system: system.to_owned(),
        change: split.name.to_owned(),
        way: Way::Split,
        table: split.table.to_owned(),
        definition,
        indexes: indexes_of(store, split.table)?,
        columns,
        rows,
        content,
        tables,
        findings,
        of: None,
        undo_mode: None,
        accepted_changes: 0,
        digest: String::new(),
    };
    if store_it { store_plan(place, plan) } else { Ok(plan.sealed()) }
}

/// Gives a plan its digest and stores it.
pub(super) fn store_plan(place: &Place, plan: SplitPlan) -> Result<SplitPlan, EngineError> {
    let plan = plan.sealed();
    journal::prepare(&place.store)?;
    place.store.in_transaction(|store| {
        journal::save_plan(store, &plan)?;
        let detail = serde_json::json!({"change": plan.change, "rows": plan.rows, "digest": plan.digest});
        journal::record(place, "plan.made", plan.id.as_str(), "", &detail)
    })?;
    Ok(plan)
}

/// Whether the columns found are those declared.
fn fits(split: &'static Split, columns: &[(String, String)]) -> Result<(), EngineError> {
    let refuse = |problem: String| {
        EngineError::refused(format!(
            "`{}` is not the wide table that `{}` splits: {problem}",
            split.table, split.name
        ))
    };
    for declared in split.columns.iter().filter(|column| column.required) {
        if !columns.iter().any(|(name, _)| name == declared.name) {
            let hint = "hint: a store that `plimsoll ingest` filled has focused tables from the first day";
            return Err(refuse(format!("it has no column `{}`\n{hint}", declared.name)));
        }
    }
    for (name, kind) in columns {
        match split.columns.iter().find(|declared| declared.name == name) {
            None => {
                return Err(refuse(format!(
                    "column `{name}` is not known and would be lost\nhint: rename the column's table, or drop the column"
                )));
            }
            Some(declared) if !declared.types.contains(&kind.as_str()) => {
                return Err(refuse(format!(
                    "column `{name}` is {kind}, not {}",
                    declared.types.join(" or ")
                )));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// What a canary showed: the first batch, made and rolled back.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Canary {
    /// The plan.
    pub plan: Id,
    /// Wide rows in the plan.
    pub rows: u64,
    /// Wide rows that the canary copied.
    pub tried: u64,
    /// Rows that it wrote.
    pub written: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// How long all rows will take by that, in milliseconds.
    pub estimate_ms: u64,
    /// What the plan found.
    pub findings: Vec<Finding>,
}

/// Makes the first batch of a split and rolls it back.
///
/// # Errors
/// When the store refuses what the run would do.
pub fn assess(
    place: &Place,
    split: &'static Split,
    plan: &SplitPlan,
    batch_size: u64,
) -> Result<Canary, EngineError> {
    let began = place.clock.monotonic_ms();
    place.store.begin()?;
    let tried = (|| {
        drive::create_tables(place, split, plan)?;
        drive::copy_range(place, split, plan, None, batch_size)
    })();
    place.store.rollback();
    let (tried, written) = tried?.map_or((0, 0), |batch| (batch.items, batch.rows));
    let took_ms = place.clock.monotonic_ms().saturating_sub(began);
    let estimate_ms = (took_ms.max(1) * plan.rows).checked_div(tried).unwrap_or(0);
    Ok(Canary {
        plan: plan.id.clone(),
        rows: plan.rows,
        tried,
        written,
        took_ms,
        estimate_ms,
        findings: plan.findings.clone(),
    })
}
