//! The rows that are changed: a table of invented items and the plan that updates three columns of each.

use std::sync::Arc;

use plimsoll_core::change::Change;
use plimsoll_core::item::Item;
use plimsoll_core::value::Value;
use plimsoll_engine::Session;
use plimsoll_engine::change::plan::{NewPlan, Plan, PlanWriter};
use plimsoll_engine::change::setup;
use plimsoll_store::{Access, DatabaseKind, StoreUrl, in_transaction};

use crate::Failure;

const COLUMNS: [&str; 6] = ["id", "name", "status", "amount", "note", "updated_at"];

/// Opens a store with `count` rows in table `item` and an empty journal.
pub(crate) fn prepare(url: &StoreUrl, count: i64) -> Result<Session, Failure> {
    let mut session = Session::new(plimsoll_store::open(url)?, "bench");
    let ddl = match session.store.kind() {
        DatabaseKind::Sqlite => {
            "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL,
             amount INTEGER NOT NULL CHECK (amount >= 0), note TEXT, updated_at TEXT)"
        }
        DatabaseKind::Postgres => {
            "CREATE TABLE item (id bigint PRIMARY KEY, name text NOT NULL, status text NOT NULL,
             amount bigint NOT NULL CHECK (amount >= 0), note text, updated_at text)"
        }
    };
    session.store.run_script(ddl)?;
    let rows: Vec<Vec<Value>> = (0..count).map(before).collect();
    for chunk in rows.chunks(20_000) {
        in_transaction(session.store.as_mut(), Access::ReadWrite, |store| {
            store.append("item", &COLUMNS, chunk)
        })?;
    }
    setup::prepare(&mut session, None)?;
    Ok(session)
}

fn before(id: i64) -> Vec<Value> {
    vec![
        Value::Integer(id),
        Value::Text(format!("Item number {id}")),
        Value::text("Scheduled"),
        Value::Integer(id % 1_000),
        Value::text("as it was before the change"),
        Value::text("2026-01-01T00:00:00Z"),
    ]
}

/// The new values of the three columns that change.
pub(crate) fn after(id: i64) -> [Value; 3] {
    [Value::text("Postponed"), Value::Integer(id % 1_000 + 1), Value::text("2026-01-02T00:00:00Z")]
}

/// A plan that updates every row; those in `bad` get an amount that the table refuses.
pub(crate) fn plan(session: &mut Session, count: i64, bad: &[i64]) -> Result<Plan, Failure> {
    let shape = session.store.shape("item")?.ok_or("no table")?;
    let new = NewPlan {
        system: "bench".into(),
        change: "update".into(),
        source: "generated".into(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    for id in 0..count {
        let old = before(id);
        let mut row = old.clone();
        let [status, amount, updated_at] = after(id);
        row[2] = status;
        row[3] = if bad.contains(&id) { Value::Integer(-1) } else { amount };
        row[5] = updated_at;
        let change = Change::new(Arc::clone(&shape), Some(old), Some(row))?;
        writer.add(session, &Item { changes: vec![change], ..Item::default() })?;
    }
    Ok(writer.finish(session, 0, serde_json::json!({}))?)
}
