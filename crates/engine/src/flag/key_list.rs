//! The known keys of a flag and its members, in the control store.
//!
//! Owns the two tables. Members are kept with the versions at which they entered and departed, so that the members at any
//! past version are known; nothing is ever taken out.

use std::collections::BTreeSet;

use plimsoll_core::flag::cohort::Members;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::snapshot::KnownKeys;
use crate::change::cells::Cells;
use crate::error::EngineError;

/// The known keys of a flag, sorted.
pub(super) fn keys(store: &mut dyn Store, flag: &str) -> Result<Vec<String>, EngineError> {
    let rows = store.query("SELECT key FROM plimsoll_flag_key WHERE flag = $1", &[Value::text(flag)])?;
    let mut keys = rows.into_iter().map(|row| Cells(row).text(0)).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable();
    Ok(keys)
}

/// Replaces the known keys.
pub(super) fn set_keys(
    store: &mut dyn Store,
    flag: &str,
    keys: &BTreeSet<String>,
) -> Result<(), EngineError> {
    store.execute("DELETE FROM plimsoll_flag_key WHERE flag = $1", &[Value::text(flag)])?;
    let rows: Vec<Vec<Value>> = keys.iter().map(|key| vec![Value::text(flag), Value::text(key)]).collect();
    store.append("plimsoll_flag_key", &["flag", "key"], &rows)?;
    Ok(())
}

/// The members after the change with the number `version`; `None` for now.
pub(super) fn members(
    store: &mut dyn Store,
    flag: &str,
    version: Option<i64>,
) -> Result<Members, EngineError> {
    let sql = "SELECT key, variant, entered, departed FROM plimsoll_flag_member WHERE flag = $1";
    let mut members = Members::new();
    for row in store.query(sql, &[Value::text(flag)])? {
        let cells = Cells(row);
        let departed = if cells.0.get(3).is_none_or(Value::is_null) { None } else { Some(cells.integer(3)?) };
        let then = match version {
            None => departed.is_none(),
            Some(version) => {
                cells.integer(2)? <= version && departed.is_none_or(|departed| departed > version)
            }
        };
        if then {
            members.insert(cells.text(0)?, cells.optional_text(1)?);
        }
    }
    Ok(members)
}

/// Makes `after` the members from the change with the number `version` on.
pub(super) fn set_members(
    store: &mut dyn Store,
    flag: &str,
    after: &Members,
    version: i64,
) -> Result<(), EngineError> {
    let before = members(store, flag, None)?;
    for (key, variant) in &before {
        if after.get(key) != Some(variant) {
            let sql = "UPDATE plimsoll_flag_member SET departed = $1 WHERE flag = $2 AND key = $3 AND departed IS NULL";
            store.execute(sql, &[Value::Integer(version), Value::text(flag), Value::text(key)])?;
        }
    }
    let rows: Vec<Vec<Value>> = after
        .iter()
        .filter(|(key, variant)| before.get(*key) != Some(*variant))
        .map(|(key, variant)| {
            let variant = Value::optional_text(variant.as_deref());
            vec![Value::text(flag), Value::text(key), variant, Value::Integer(version)]
        })
        .collect();
    store.append("plimsoll_flag_member", &["flag", "key", "variant", "entered"], &rows)?;
    Ok(())
}

/// The known keys and the members of a flag, as a snapshot takes them.
pub(super) fn known(
    store: &mut dyn Store,
    flag: &str,
    version: Option<i64>,
) -> Result<KnownKeys, EngineError> {
    let members = members(store, flag, version)?.into_keys().collect();
    Ok(KnownKeys { keys: keys(store, flag)?, members })
}
