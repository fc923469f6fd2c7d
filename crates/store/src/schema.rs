//! Schema versions: how a component's tables come to be and move forward.
//!
//! Owns the version table and the runner. A component is the journal or a system; each declares a list of
//! steps, forward only, and the full current schema. It does not generate steps and has no way back: taking
//! a schema step back means restoring the backup that was made before it.
//!
//! Invariants: every step is safe to run twice; a step that was applied may not change (its digest is
//! stored); a store that is newer than this program is refused, not touched; baseline + steps = current.

use plimsoll_core::digest::Hashing;
use plimsoll_core::value::Value;

use crate::error::{ErrorClass, StoreError};
use crate::store::{Access, DatabaseKind, Store, in_transaction};

/// A text that may differ between the databases.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
}

impl Dialect {
    /// The same text for both.
    pub const fn both(text: &'static str) -> Self {
        Self { sqlite: text, postgres: text }
    }

    /// The text for one database.
    pub fn of(&self, kind: DatabaseKind) -> &'static str {
        match kind {
            DatabaseKind::Sqlite => self.sqlite,
            DatabaseKind::Postgres => self.postgres,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy)]
pub enum SchemaAction {
    /// Runs statements that say `IF NOT EXISTS` where they create something.
    Script(Dialect),
    /// Adds a column unless the table has it.
    AddColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// Its type and constraints.
        declared: Dialect,
    },
}

/// One forward step.
#[derive(Debug, Clone, Copy)]
pub struct SchemaStep {
    /// The version that the step leads to; steps count 1, 2, 3, ..
    pub version: i64,
    /// What it is for, in a few words.
    pub name: &'static str,
    /// What it does, in order.
    pub actions: &'static [SchemaAction],
}

/// The schema of one component.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// The component: `journal` or a system's name.
    pub component: &'static str,
    /// Every step, oldest first.
    pub steps: &'static [SchemaStep],
    /// The whole current schema in one script, which all steps together must equal.
    pub current: Dialect,
}

impl Schema {
    /// The version after all steps.
    pub fn latest(&self) -> i64 {
        self.steps.last().map_or(0, |step| step.version)
    }
}

const VERSION_TABLE: &str = "CREATE TABLE IF NOT EXISTS plimsoll_schema (
    component text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at text NOT NULL,
    PRIMARY KEY (component, version)
)";

/// The version a component has in this store; 0 when it was never set up.
///
/// # Errors
/// [`StoreError`] when the version table cannot be read.
pub fn version(store: &mut dyn Store, component: &str) -> Result<i64, StoreError> {
    if store.shape("plimsoll_schema")?.is_none() {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM plimsoll_schema WHERE component = $1";
    let rows = store.query(sql, &[Value::text(component)])?;
    Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_integer).unwrap_or(0))
}

/// Applies the steps that the store lacks, each in a transaction of its own; returns their versions.
///
/// # Errors
/// Class `refused` when the store is newer than `schema` or when an applied step differs from ours;
/// otherwise the error of the step, which then left nothing behind.
pub fn upgrade(store: &mut dyn Store, schema: &Schema, now: &str) -> Result<Vec<i64>, StoreError> {
    let found = version(store, schema.component)?;
    if found > schema.latest() {
        let message = format!(
            "the store has version {found} of schema `{}`, this program knows {}\nhint: use a newer plimsoll",
            schema.component,
            schema.latest()
        );
        return Err(StoreError::new(ErrorClass::Refused, message));
    }
    check_applied(store, schema, found)?;
    let mut applied = Vec::new();
    for step in schema.steps.iter().filter(|step| step.version > found) {
        in_transaction(store, Access::ReadWrite, |store| {
            store.run_script(VERSION_TABLE)?;
            apply_step(store, step)?;
            let digest = step_digest(step, store.kind());
            store.execute(
                "INSERT INTO plimsoll_schema (component, version, name, digest, applied_at)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT (component, version) DO NOTHING",
                &[
                    Value::text(schema.component),
                    Value::Integer(step.version),
                    Value::text(step.name),
                    Value::text(digest),
                    Value::text(now),
                ],
            )?;
            Ok(())
        })
        .map_err(|error: StoreError| {
            error.during(&format!("schema `{}` step {} ({})", schema.component, step.version, step.name))
        })?;
        store.forget_shapes();
        applied.push(step.version);
    }
    Ok(applied)
}

/// Runs one step inside the caller's transaction. Safe to run twice.
///
/// # Errors
/// The error of its statements.
pub fn apply_step(store: &mut dyn Store, step: &SchemaStep) -> Result<(), StoreError> {
    for action in step.actions {
        match action {
            SchemaAction::Script(script) => store.run_script(script.of(store.kind()))?,
            SchemaAction::AddColumn { table, column, declared } => {
                store.forget_shapes();
                let present = store.shape(table)?.is_some_and(|shape| shape.position(column).is_some());
                if !present {
                    let declared = declared.of(store.kind());
                    store.run_script(&format!("ALTER TABLE {table} ADD COLUMN {column} {declared}"))?;
                }
            }
        }
    }
    store.forget_shapes();
    Ok(())
}

fn check_applied(store: &mut dyn Store, schema: &Schema, found: i64) -> Result<(), StoreError> {
    if found == 0 {
        return Ok(());
    }
    let kind = store.kind();
    let sql = "SELECT version, digest FROM plimsoll_schema WHERE component = $1 ORDER BY version";
    for row in store.query(sql, &[Value::text(schema.component)])? {
        let (Some(version), Some(digest)) =
            (row.first().and_then(Value::as_integer), row.get(1).and_then(Value::as_text))
        else {
            continue;
        };
        let ours = schema.steps.iter().find(|step| step.version == version);
        if ours.is_none_or(|step| step_digest(step, kind) != digest) {
            let message = format!(
                "step {version} of schema `{}` was applied in a form that this program does not know\nhint: use the plimsoll version that wrote this store, or restore a backup",
                schema.component
            );
            return Err(StoreError::new(ErrorClass::Refused, message));
        }
    }
    Ok(())
}

fn step_digest(step: &SchemaStep, kind: DatabaseKind) -> String {
    let mut hashing = Hashing::new("schema step");
    for action in step.actions {
        match action {
            SchemaAction::Script(script) => hashing.part(script.of(kind).as_bytes()),
            SchemaAction::AddColumn { table, column, declared } => {
                hashing.part(table.as_bytes()).part(column.as_bytes()).part(declared.of(kind).as_bytes())
            }
        };
    }
    hashing.hex()
}
