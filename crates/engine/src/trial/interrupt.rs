//! Interruption: a run that ends in the middle of a batch, as if the process had died there.
//!
//! Owns the three things that must hold then: the open batch left nothing behind, the run resumes to the same
//! tables as an uninterrupted one, and it can still be taken back exactly.

use std::sync::Arc;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use serde::Serialize;

use super::bench::Bench;
use super::checks;
use super::gauge::DieAt;
use super::scratch::ScratchStore;
use crate::change::apply::{self, StartRun};
use crate::change::{control, setup};
use crate::error::{EngineError, ErrorKind};
use crate::session::{NoProbe, Probe};

/// One interrupted run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interruption {
    /// Where in the batch the work ended.
    pub point: &'static str,
    /// Batches that were committed before.
    pub committed_batches: u64,
    /// Whether the tables were as after the last committed batch.
    pub nothing_half_done: bool,
    /// Whether the resumed run came to the same tables as an uninterrupted one.
    pub resumed_to_the_same: bool,
    /// Whether undoing it restored every table.
    pub undone_exactly: bool,
}

/// Where a batch is interrupted: after its items were read, after its rows were written, after its journal
/// was.
const POINTS: [&str; 3] = ["batch.read", "batch.written", "batch.journaled"];

/// Interrupts a middle batch at each point. No interruptions when the plan has no two batches.
///
/// # Errors
/// What stopped a run besides.
pub(crate) fn run(bench: &mut Bench<'_>, asked_size: u64) -> Result<Vec<Interruption>, EngineError> {
    let size = bench.size_for_four(asked_size);
    let batches = bench.plan.items.div_ceil(size);
    let mut found = Vec::new();
    if batches < 2 {
        return Ok(found);
    }
    let committed = batches / 2;
    // What a run looks like of which exactly that many batches were committed.
    let Some(wanted) = stopped(bench, size, "batch.committed", committed)?.map(|stopped| stopped.tables)
    else {
        return Ok(found);
    };
    for (done, point) in POINTS.into_iter().enumerate() {
        bench.show("interrupting", done as u64, POINTS.len() as u64);
        let what = format!("a run that ended at {point} of batch {committed}");
        let Some(Stopped { mut copy, run, tables }) = stopped(bench, size, point, committed + 1)? else {
            continue;
        };
        let left = checks::same(&tables, &wanted).err();
        let nothing_half_done = left.is_none();
        bench.ledger.recovered.add(nothing_half_done, || format!("{what}: {}", left.unwrap_or_default()));
        checks::whole_file(&mut copy.session, &what, &mut bench.ledger)?;
        // What is left of the dead process is its open connection; another one takes the run over.
        copy.reopen()?;
        control::resume(&mut copy.session, &run, Some(bench.change), &|_| {})?;
        let tables = setup::digests(&mut copy.session, bench.system)?;
        let resumed = checks::same(&tables, &bench.after).err();
        let same = resumed.is_none();
        bench.ledger.recovered.add(same, || format!("{what}, resumed: {}", resumed.unwrap_or_default()));
        let undone_before = bench.ledger.undone.failed();
        bench.undo(&mut copy.session, &run, &what)?;
        let undone = bench.ledger.undone.failed() == undone_before;
        bench.ledger.recovered.add(undone, || format!("{what}: its undo does not restore the tables"));
        checks::whole_file(&mut copy.session, &what, &mut bench.ledger)?;
        found.push(Interruption {
            point,
            committed_batches: committed,
            nothing_half_done,
            resumed_to_the_same: same,
            undone_exactly: undone,
        });
    }
    Ok(found)
}

/// A run that ended in the middle.
struct Stopped {
    copy: ScratchStore,
    run: Id,
    /// The tables as it left them.
    tables: Vec<TableDigest>,
}

/// A run that ended when `point` was passed for the `occurrence`th time; none when it did not come to that,
/// which counts as not recovered: it was cut into other batches than asked.
fn stopped(
    bench: &mut Bench<'_>,
    size: u64,
    point: &'static str,
    occurrence: u64,
) -> Result<Option<Stopped>, EngineError> {
    let mut copy = bench.scratch.fresh(&bench.planned)?;
    let start = StartRun { settings: bench.settings(Some(size)), ..StartRun::default() };
    let started = apply::start(&mut copy.session, &bench.plan, &start)?;
    copy.session.probe = Arc::new(DieAt::new(point, occurrence)) as Arc<dyn Probe>;
    match apply::drive(&mut copy.session, &started.id, Some(bench.change)) {
        Err(error) if error.kind == ErrorKind::Crash => {}
        Err(error) => return Err(error),
        Ok(_) => {
            bench.ledger.recovered.add(false, || format!("no run came to {point} {occurrence} times"));
            return Ok(None);
        }
    }
    copy.session.probe = Arc::new(NoProbe);
    let tables = setup::digests(&mut copy.session, bench.system)?;
    Ok(Some(Stopped { copy, run: started.id, tables }))
}
