//! Guards: triggers that refuse to change what is written once, lifted for the time of a restore.
//!
//! Owns the one convention: a trigger whose name contains `_guard_` refuses and does nothing else. A restore has to take
//! rows away that came after the backup, so guards step aside inside its transaction and stand again when it commits; any
//! other trigger fires.
//!
//! Invariant: lifted and set again in one transaction, so nobody else ever sees a table without its guards.

use plimsoll_core::value::Value;

use crate::error::StoreError;
use crate::store::{DatabaseKind, Store};

/// Lifts the guards of these tables; returns the statements that set them again.
pub(super) fn lift(store: &mut dyn Store, tables: &[&str]) -> Result<Vec<String>, StoreError> {
    let kind = store.kind();
    let sql = match kind {
        DatabaseKind::Sqlite => {
            "SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger' AND tbl_name = $1
             AND instr(name, '_guard_') > 0 ORDER BY name"
        }
        DatabaseKind::Postgres => {
            "SELECT tgname::text, tgrelid::regclass::text FROM pg_trigger WHERE tgrelid = to_regclass($1)
             AND NOT tgisinternal AND tgenabled <> 'D' AND strpos(tgname::text, '_guard_') > 0 ORDER BY 1"
        }
    };
    let mut again = Vec::new();
    for table in tables {
        for row in store.query(sql, &[Value::text(*table)])? {
            let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default();
            let name = text(0).replace('"', "\"\"");
            match kind {
                DatabaseKind::Sqlite => {
                    store.run_script(&format!("DROP TRIGGER main.\"{name}\""))?;
                    again.push(text(1).to_owned());
                }
                DatabaseKind::Postgres => {
                    store.run_script(&format!("ALTER TABLE {} DISABLE TRIGGER \"{name}\"", text(1)))?;
                    again.push(format!("ALTER TABLE {} ENABLE TRIGGER \"{name}\"", text(1)));
                }
            }
        }
    }
    Ok(again)
}

/// Sets guards again.
pub(super) fn stand(store: &mut dyn Store, again: &[String]) -> Result<(), StoreError> {
    again.iter().try_for_each(|statement| store.run_script(statement))
}
