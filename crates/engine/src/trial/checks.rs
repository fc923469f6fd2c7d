//! Checks: what is looked at after every run of a trial.
//!
//! Owns the checks and the independent figures that they compare with: the database's own checks of itself,
//! rows that vanished, the run's verification, the report beside the journal, the words of refusals.
//!
//! Invariant: a check never trusts a tally; it counts rows.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use plimsoll_core::digest::{TableDigest, TableHashing, name_order};
use plimsoll_core::item::Outcome;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::ledger::Ledger;
use crate::change::batch::Exception;
use crate::change::cells::Cells;
use crate::change::plan::{self, Plan};
use crate::change::report::{self, RunReport};
use crate::change::run::Run;
use crate::change::verify::Verification;
use crate::error::EngineError;
use crate::session::Session;

/// A system's tables at one moment: their digests, and the key of every row by table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) digests: Vec<TableDigest>,
    keys: BTreeMap<String, HashSet<String>>,
}

/// Reads the tables once.
pub(crate) fn tables(store: &mut dyn Store, names: &[&str]) -> Result<Tables, EngineError> {
    let mut tables = Tables::default();
    for name in names {
        let mut hashing = TableHashing::default();
        if let Some(shape) = store.shape(name)? {
            let order = name_order(&shape);
            let keys = tables.keys.entry((*name).to_owned()).or_default();
            store.scan_rows(&shape, &mut |image| {
                hashing.add(&shape, &order, &image);
                keys.insert(shape.key_of(&image).to_text());
                Ok(())
            })?;
        }
        tables.digests.push(hashing.finish(name));
    }
    Ok(tables)
}

/// How the items of a run ended that did not simply apply.
pub(crate) fn exceptions(store: &mut dyn Store, run: &Run) -> Result<Vec<Exception>, EngineError> {
    let sql = "SELECT exceptions FROM plimsoll_batch WHERE run = $1 ORDER BY partition, number";
    let mut all = Vec::new();
    for row in store.query(sql, &[Value::text(run.id.as_str())])? {
        all.extend(serde_json::from_str::<Vec<Exception>>(&Cells(row).text(0)?)?);
    }
    Ok(all)
}

/// Items that a run refused or found in conflict.
pub(crate) fn not_taken(exceptions: &[Exception]) -> BTreeSet<u64> {
    let bad = |outcome| matches!(outcome, Outcome::Quarantined | Outcome::Conflicted);
    exceptions.iter().filter(|exception| bad(exception.outcome)).map(|exception| exception.item).collect()
}

/// Looks at everything that must hold after a run, whatever it was.
pub(crate) fn after_run(
    session: &mut Session,
    what: &str,
    run: &Run,
    verified: &Verification,
    (before, after): (&Tables, &Tables),
    ledger: &mut Ledger,
) -> Result<(), EngineError> {
    let plan = plan::load(session.store.as_mut(), &run.plan)?;
    let exceptions = exceptions(session.store.as_mut(), run)?;
    let moved = verified.rows_checked - verified.rows_as_applied;
    ledger.sound.add(verified.ok && moved == 0, || {
        format!("{what}: {moved} rows are not as applied; {}", verified.problems.join("; "))
    });
    let store = session.store.as_mut();
    let names: Vec<&str> = before.keys.keys().map(String::as_str).collect();
    whole(store, what, &names, ledger)?;
    let gone = deleted(store, &plan, &exceptions)?;
    let none = HashSet::new();
    for (table, were) in &before.keys {
        let now = after.keys.get(table).unwrap_or(&none);
        let missing: Vec<&String> = were
            .iter()
            .filter(|key| !now.contains(*key) && !gone.contains(&(table.clone(), (*key).clone())))
            .collect();
        let (of, lost) = (were.len() as u64, missing.len() as u64);
        ledger.kept.add_many(of - lost, of, || format!("{what}: {lost} rows of {table} vanished"));
    }
    let report = report::of_run(store, run)?;
    report_equals_journal(store, what, run, &plan, &exceptions, &report, ledger)?;
    failures_are_recorded(store, what, run, &exceptions, ledger)?;
    for refused in exceptions.iter().filter(|exception| exception.outcome == Outcome::Quarantined) {
        ledger.clear.add(is_clear(&refused.class, &refused.reason), || {
            // Without the run and the row: the same rule refuses many.
            let words = refused.reason.split_once(": ").map_or(refused.reason.as_str(), |(_, words)| words);
            format!("refused as `{}`: {words}", refused.class)
        });
    }
    Ok(())
}

/// The database's own checks of these tables and their indexes.
pub(crate) fn whole(
    store: &mut dyn Store,
    what: &str,
    tables: &[&str],
    ledger: &mut Ledger,
) -> Result<(), EngineError> {
    let dangling = store.query("PRAGMA foreign_key_check", &[])?.len();
    ledger.sound.add(dangling == 0, || format!("{what}: {dangling} rows name rows that do not exist"));
    for table in tables {
        integrity(store, what, &format!("PRAGMA integrity_check('{table}')"), ledger)?;
    }
    Ok(())
}

/// The database's own check of the whole file, journal and free pages included. What it takes grows with the
/// journal, so it stands at the end of a store's life.
pub(crate) fn whole_file(session: &mut Session, what: &str, ledger: &mut Ledger) -> Result<(), EngineError> {
    integrity(session.store.as_mut(), what, "PRAGMA integrity_check", ledger)
}

fn integrity(
    store: &mut dyn Store,
    what: &str,
    pragma: &str,
    ledger: &mut Ledger,
) -> Result<(), EngineError> {
    let told = store.query(pragma, &[])?;
    let told: Vec<&str> = told.iter().filter_map(|row| row.first().and_then(Value::as_text)).collect();
    ledger.sound.add(told == ["ok"], || format!("{what}: {pragma}: {}", told.join("; ")));
    Ok(())
}

/// What is wrong with tables that must be equal.
pub(crate) fn same(found: &[TableDigest], wanted: &[TableDigest]) -> Result<(), String> {
    let differ: Vec<String> = found
        .iter()
        .zip(wanted)
        .filter(|(found, wanted)| found != wanted)
        .map(|(found, wanted)| format!("{} ({} rows, {} wanted)", found.table, found.rows, wanted.rows))
        .collect();
    if differ.is_empty() && found.len() == wanted.len() {
        return Ok(());
    }
    Err(format!("these tables differ: {}", differ.join(", ")))
}

/// Rows that the applied items of a run delete.
fn deleted(
    store: &mut dyn Store,
    plan: &Plan,
    exceptions: &[Exception],
) -> Result<HashSet<(String, String)>, EngineError> {
    let not_applied: BTreeSet<u64> = exceptions
        .iter()
        .filter(|exception| exception.outcome != Outcome::Applied)
        .map(|exception| exception.item)
        .collect();
    let sql = "SELECT item, table_name, row_key FROM plimsoll_change WHERE plan = $1 AND after_image IS NULL";
    let mut gone = HashSet::new();
    for row in store.query(sql, &[Value::Integer(plan.number)])? {
        let cells = Cells(row);
        if !not_applied.contains(&cells.count(0)?) {
            gone.insert((cells.text(1)?, cells.text(2)?));
        }
    }
    Ok(gone)
}

/// Compares each figure of the report with a count of journal rows.
fn report_equals_journal(
    store: &mut dyn Store,
    what: &str,
    run: &Run,
    plan: &Plan,
    exceptions: &[Exception],
    report: &RunReport,
    ledger: &mut Ledger,
) -> Result<(), EngineError> {
    let count = |store: &mut dyn Store, sql: &str, parameter: Value| -> Result<u64, EngineError> {
        store.query(sql, &[parameter])?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
    };
    let run_id = || Value::text(run.id.as_str());
    let ended = |outcome| exceptions.iter().filter(|e| e.outcome == outcome).count() as u64;
    let (noop, conflicted) = (ended(Outcome::Noop), ended(Outcome::Conflicted));
    let (quarantined, skipped) = (ended(Outcome::Quarantined), ended(Outcome::Skipped));
    let items = count(
        store,
        "SELECT coalesce(sum(end_item - first_item), 0) FROM plimsoll_batch WHERE run = $1",
        run_id(),
    )?;
    let batches = count(store, "SELECT count(*) FROM plimsoll_batch WHERE run = $1", run_id())?;
    let waiting = count(store, "SELECT count(*) FROM plimsoll_quarantine WHERE run = $1", run_id())?;
    let mut rows =
        count(store, "SELECT count(*) FROM plimsoll_change WHERE plan = $1", Value::Integer(plan.number))?;
    for exception in exceptions {
        rows -= if exception.outcome == Outcome::Applied {
            exception.noop_positions.len() as u64
        } else {
            let sql = "SELECT count(*) FROM plimsoll_change WHERE plan = $1 AND item = $2";
            let parameters = [Value::Integer(plan.number), crate::change::cells::number(exception.item)];
            store.query(sql, &parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?
        };
    }
    let mut figures = vec![
        ("planned", report.planned, items),
        ("applied", report.applied, items - noop - conflicted - quarantined - skipped),
        ("noop", report.noop, noop),
        ("conflicted", report.conflicted, conflicted),
        ("quarantined", report.quarantined, waiting),
        ("skipped", report.skipped, skipped),
        ("batches", report.batches, batches),
        ("rows_written", report.rows_written, rows),
    ];
    if let Some(metrics) = &report.batch_metrics {
        let failed: BTreeSet<(u64, u64)> =
            metrics.batch_errors.iter().map(|error| (error.partition, error.batch)).collect();
        figures.extend([
            ("batch_count", metrics.batch_count, batches),
            ("batches_failed", metrics.batches_failed, failed.len() as u64),
            ("batches_succeeded", metrics.batches_succeeded, batches - failed.len() as u64),
            ("batch_errors", metrics.batch_errors.len() as u64, conflicted + quarantined),
        ]);
    }
    for (name, reported, found) in figures {
        ledger.recorded.add(reported == found, || {
            format!("{what}: the report says {name} {reported}, the journal holds {found}")
        });
    }
    Ok(())
}

/// Every failed item must be told with its batch, its name, its class and its reason, and wait in quarantine.
fn failures_are_recorded(
    store: &mut dyn Store,
    what: &str,
    run: &Run,
    exceptions: &[Exception],
    ledger: &mut Ledger,
) -> Result<(), EngineError> {
    let told = report::errors(store, run)?;
    let sql = "SELECT item FROM plimsoll_quarantine WHERE run = $1 AND label <> '' AND class <> '' AND reason <> ''";
    let mut waiting = BTreeSet::new();
    for row in store.query(sql, &[Value::text(run.id.as_str())])? {
        waiting.insert(Cells(row).count(0)?);
    }
    let failed = |e: &&Exception| matches!(e.outcome, Outcome::Quarantined | Outcome::Conflicted);
    for exception in exceptions.iter().filter(failed) {
        let named = told.iter().any(|error| {
            error.item == exception.item
                && ![&error.label, &error.class, &error.reason].iter().any(|text| text.trim().is_empty())
        });
        let kept = exception.outcome == Outcome::Conflicted || waiting.contains(&exception.item);
        ledger.recorded.add(named && kept, || {
            format!("{what}: item {} failed and is not on record with all its details", exception.item)
        });
    }
    Ok(())
}

/// True when a refusal says what kind of problem it is, what happened, and what to do about it.
pub(crate) fn is_clear(class: &str, reason: &str) -> bool {
    let (happened, hint) = reason.split_once("hint:").unwrap_or((reason, ""));
    ![class, happened, hint].iter().any(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_refusal_has_all_three_parts() {
        assert!(is_clear("check", "status is TBD\nhint: repair it"));
        for (class, reason) in [
            ("", "status is TBD\nhint: repair it"),
            ("check", "\nhint: repair it"),
            ("check", "status is TBD"),
            ("check", "status is TBD\nhint: "),
        ] {
            assert!(!is_clear(class, reason), "{class} {reason}");
        }
    }

    #[test]
    fn differing_tables_are_named() {
        let digest = |table: &str, rows, digest: &str| TableDigest {
            table: table.into(),
            rows,
            digest: digest.into(),
        };
        let (a, b) = (digest("a", 1, "x"), digest("b", 2, "y"));
        assert_eq!(same(&[a.clone(), b.clone()], &[a.clone(), b.clone()]), Ok(()));
        let told = same(&[a.clone(), digest("b", 3, "z")], &[a.clone(), b.clone()]).unwrap_err();
        assert!(told.contains("b (3 rows, 2 wanted)") && !told.contains("a ("), "{told}");
        assert!(same(std::slice::from_ref(&a), &[a.clone(), b]).is_err());
    }
}
