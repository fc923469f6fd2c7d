//! The switch: on, off and on again between runs on one store (HB-04, HB-47).
//!
//! Owns the order of the runs and what must hold after each: it went the way that the switch asked for, it
//! left the same tables as the other way does, and switching needed no change of the schema.

use plimsoll_store::Store;
use serde::Serialize;

use super::bench::Bench;
use super::checks;
use super::gauge::median;
use crate::change::cells::Cells;
use crate::error::EngineError;

/// One run with the switch in one position.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Switched {
    /// Whether the switch was on.
    pub on: bool,
    /// The batch size that was set.
    pub batch_size: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// Applying, in milliseconds.
    pub apply_ms: f64,
    /// Whether the run went the way that was asked for.
    pub as_asked: bool,
    /// Whether it left the tables that the plain path leaves.
    pub same_tables: bool,
}

/// Runs the update again and again on one store, taking each run back, with the switch off, on, off, on and
/// off; each time planned anew.
///
/// # Errors
/// What stopped a run.
pub(crate) fn run(bench: &mut Bench<'_>, sizes: &[u64]) -> Result<Vec<Switched>, EngineError> {
    let mut copy = bench.scratch.fresh(&bench.base)?;
    let schema = schema_rows(copy.session.store.as_mut())?;
    let mut found: Vec<Switched> = Vec::new();
    let mut sizes = sizes.iter().copied().cycle();
    for position in 0..5_u64 {
        bench.show("switching", position, 5);
        let on = !position.is_multiple_of(2);
        let size = sizes.next().unwrap_or(super::ASKED_SIZE);
        let what = format!("run {} with the switch {}", position + 1, if on { "on" } else { "off" });
        let (plan, _) = bench.propose(&mut copy.session)?;
        let settings = bench.settings(on.then_some(size));
        let ran = bench.apply(&mut copy.session, &plan, settings, &what)?;
        let (good, tables) = (bench.good(), bench.after.clone());
        bench.expect(&ran, good, &tables, &what);
        let batches = if on { plan.items.div_ceil(size) } else { 1 };
        let as_asked = ran.report.batches == batches && ran.report.batch_metrics.is_some() == on;
        bench
            .ledger
            .switched
            .add(as_asked, || format!("{what}: {} batches of {size}, {batches} asked", ran.report.batches));
        let same_tables = checks::same(&ran.tables, &tables).is_ok();
        if found.last().is_some_and(|before| before.on) && !on {
            let unchanged = schema_rows(copy.session.store.as_mut())? == schema;
            bench.ledger.fell_back.add(as_asked && same_tables && unchanged, || {
                format!("{what}: as asked {as_asked}, same tables {same_tables}, same schema {unchanged}")
            });
        }
        bench.undo(&mut copy.session, &ran.run.id, &what)?;
        found.push(Switched {
            on,
            batch_size: size,
            batches: ran.report.batches,
            apply_ms: ran.wall_ms,
            as_asked,
            same_tables,
        });
    }
    checks::whole_file(&mut copy.session, "the store on which the switch was tried", &mut bench.ledger)?;
    Ok(found)
}

/// Applying on the plain path once the bad records wait in quarantine and are not tried again, in milliseconds.
pub(crate) fn plain_ms(runs: &[Switched]) -> Option<f64> {
    let later: Vec<f64> = runs.iter().skip(1).filter(|run| !run.on).map(|run| run.apply_ms).collect();
    median(&later)
}

/// The schema as it is: applied versions, and every table's and index's definition.
fn schema_rows(store: &mut dyn Store) -> Result<Vec<String>, EngineError> {
    let sql = "SELECT component || ' ' || version || ' ' || digest FROM plimsoll_schema
        UNION ALL SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY 1";
    store.query(sql, &[])?.into_iter().map(|row| Cells(row).text(0)).collect()
}
