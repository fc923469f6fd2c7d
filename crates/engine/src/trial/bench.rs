//! The bench: prepared stores, the plan on trial, and one measured and checked run at a time.
//!
//! Owns how a trial begins (fill a scratch store, ask the source once, plan) and the one way in which every
//! run of it is applied, undone and looked at. Which runs there are is for the other modules.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::undo::UndoMode;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, DatabaseKind, Store};

use super::Subject;
use super::answers::{Answers, Recording};
use super::checks;
use super::gauge::{Memory, Stopwatch, milliseconds};
use super::ledger::Ledger;
use super::scratch::Scratch;
use crate::change::apply::{self, StartRun};
use crate::change::batch::Exception;
use crate::change::cells::Cells;
use crate::change::plan::Plan;
use crate::change::report::{self, RunReport};
use crate::change::run::{Run, RunSettings};
use crate::change::{copy, propose, retention, setup, undo, verify};
use crate::error::EngineError;
use crate::session::{NoProbe, Probe, Progress, Session};
use crate::source::SourceRequest;
use crate::system::{ChangeKind, System};

/// Rows in one batch while the scratch store is filled.
const FILL_BATCH: u64 = 1_000;

/// Everything that the runs of a trial share.
pub(crate) struct Bench<'t> {
    pub(crate) scratch: Scratch,
    pub(crate) system: &'t System,
    pub(crate) change: &'static dyn ChangeKind,
    source: &'t str,
    request: &'t SourceRequest,
    route: &'t dyn Fn(Option<u64>) -> RunSettings,
    answers: Answers,
    /// The tables as they are in the store, without a plan.
    pub(crate) base: PathBuf,
    /// The same with the plan.
    pub(crate) planned: PathBuf,
    pub(crate) plan: Plan,
    /// The tables before any run.
    pub(crate) before: Vec<TableDigest>,
    /// The tables after the plan, as the plain path leaves them.
    pub(crate) after: Vec<TableDigest>,
    /// Items that cannot be applied, whoever is beside them.
    pub(crate) bad: BTreeSet<u64>,
    pub(crate) memory: Memory,
    pub(crate) ledger: Ledger,
    /// What reading the source and planning took, in milliseconds.
    pub(crate) reading_ms: f64,
    pub(crate) notes: Vec<String>,
}

/// One run of a trial.
pub(crate) struct Ran {
    pub(crate) run: Run,
    pub(crate) report: RunReport,
    /// From before the run was started until it had ended, in milliseconds.
    pub(crate) wall_ms: f64,
    /// Verifying it, in milliseconds.
    pub(crate) verify_ms: f64,
    /// Each batch from its beginning until it was committed, in milliseconds.
    pub(crate) batch_ms: Vec<f64>,
    /// The part of each batch after its rows: quarantine, journal, receipt, commit.
    pub(crate) checkpoint_ms: Vec<f64>,
    /// What the journal says that each batch took up to its commit, in milliseconds.
    pub(crate) journal_ms: Vec<f64>,
    /// Megabytes by which the process's peak lay over its beginning.
    pub(crate) memory_mb: Option<f64>,
    /// Items that did not simply apply.
    pub(crate) exceptions: Vec<Exception>,
    /// The tables afterwards.
    pub(crate) tables: Vec<TableDigest>,
}

impl<'t> Bench<'t> {
    /// Fills a scratch store from the subject's, asks the source, and plans.
    ///
    /// # Errors
    /// Usage when the source changes nothing in the store; otherwise what the steps say.
    pub(crate) fn prepare(subject: Subject<'t>, scratch: Scratch) -> Result<Self, EngineError> {
        let memory = Memory::new();
        let mut notes = Vec::new();
        let Subject { system, change, from, fetch, source, request, route, .. } = subject;
        let (base, planned) = (scratch.path("base.db"), scratch.path("planned.db"));
        let mut session = scratch.open(&base)?;
        fill(&mut session, system, from, &mut notes)?;
        let before = setup::digests(&mut session, system)?;
        drop(session);
        scratch.duplicate(&base, &planned)?;
        let mut session = scratch.open(&planned)?;
        let mut recording = Recording::new(fetch, &scratch.path("answers"))?;
        let begun = Instant::now();
        let plan = propose::propose(&mut session, system, change, &mut recording, source, request)?;
        let reading_ms = milliseconds(begun.elapsed());
        let answers = recording.finish();
        drop(session);
        if plan.items == plan.refused {
            return Err(EngineError::usage(format!(
                "{source} has no change that could be tried on this store: {} records are unchanged, {} refused\nhint: a trial needs a source that is ahead of the store",
                plan.unchanged, plan.refused
            )));
        }
        Ok(Self {
            scratch,
            system,
            change,
            source,
            request,
            route,
            answers,
            base,
            planned,
            plan,
            after: before.clone(),
            before,
            bad: BTreeSet::new(),
            memory,
            ledger: Ledger::default(),
            reading_ms,
            notes,
        })
    }

    /// How runs go with the switch on at this size, or off. Only the error budget is taken away: a trial is
    /// there to see every failure.
    pub(crate) fn settings(&self, size: Option<u64>) -> RunSettings {
        RunSettings { max_errors: None, max_error_share: 1.0, ..(self.route)(size) }
    }

    /// How many items of the plan are good.
    pub(crate) fn good(&self) -> u64 {
        self.plan.items - self.bad.len() as u64
    }

    /// A batch size that cuts the plan into at least four batches, and at most `size`.
    pub(crate) fn size_for_four(&self, size: u64) -> u64 {
        size.min(self.plan.items / 4).max(1)
    }

    /// Plans anew from the recorded answers; also how long that took, in milliseconds.
    ///
    /// # Errors
    /// As `propose`.
    pub(crate) fn propose(&mut self, session: &mut Session) -> Result<(Plan, f64), EngineError> {
        let mut replay = self.answers.replay()?;
        self.memory.begin();
        let begun = Instant::now();
        let plan =
            propose::propose(session, self.system, self.change, &mut replay, self.source, self.request)?;
        let took = milliseconds(begun.elapsed());
        self.memory.end();
        Ok((plan, took))
    }

    /// Applies a plan, measures it and looks at everything that must hold after any run.
    ///
    /// # Errors
    /// What stopped the run.
    pub(crate) fn apply(
        &mut self,
        session: &mut Session,
        plan: &Plan,
        settings: RunSettings,
        what: &str,
    ) -> Result<Ran, EngineError> {
        // Reading every row also fills the caches, as planning does before a real run.
        let before = checks::tables(session.store.as_mut(), self.system.tables)?;
        let watch = Arc::new(Stopwatch::default());
        session.probe = Arc::clone(&watch) as Arc<dyn Probe>;
        let start = StartRun { settings, reason: what.to_owned(), ..StartRun::default() };
        self.memory.begin();
        let begun = Instant::now();
        let run = apply::start(session, plan, &start)
            .and_then(|run| apply::drive(session, &run.id, Some(self.change)));
        let wall_ms = milliseconds(begun.elapsed());
        session.probe = Arc::new(NoProbe);
        let run = run.map_err(|error| error.during(what))?;
        let begun = Instant::now();
        let verified = verify::verify(session, &run.id)?;
        let verify_ms = milliseconds(begun.elapsed());
        let memory_mb = self.memory.end();
        let mut batch_ms: Vec<f64> = watch.between("run.started", "batch.committed");
        batch_ms.truncate(1);
        batch_ms.extend(watch.between("batch.committed", "batch.committed"));
        let checkpoint_ms = watch.between("batch.written", "batch.committed");
        let after = checks::tables(session.store.as_mut(), self.system.tables)?;
        checks::after_run(session, what, &run, &verified, (&before, &after), &mut self.ledger)?;
        let store = session.store.as_mut();
        let exceptions = checks::exceptions(store, &run)?;
        let mut journal_ms = Vec::new();
        let sql = "SELECT duration_us FROM plimsoll_batch WHERE run = $1 ORDER BY partition, number";
        for row in store.query(sql, &[Value::text(run.id.as_str())])? {
            journal_ms.push(Cells(row).count(0)? as f64 / 1_000.0);
        }
        Ok(Ran {
            report: report::of_run(store, &run)?,
            exceptions,
            tables: after.digests,
            run,
            wall_ms,
            verify_ms,
            batch_ms,
            checkpoint_ms,
            journal_ms,
            memory_mb,
        })
    }

    /// Looks at whether a run of the whole plan came to what it must: the good items, and the tables.
    pub(crate) fn expect(&mut self, ran: &Ran, good: u64, tables: &[TableDigest], what: &str) {
        let committed = ran.report.applied + ran.report.noop;
        if ran.run.settings.batch_size.is_some() {
            self.ledger.count_committed(what, committed, good);
        }
        let problem = checks::same(&ran.tables, tables).err();
        self.ledger.sound.add(problem.is_none() && committed <= good, || {
            let problem = problem.unwrap_or_default();
            format!("{what}: {committed} items were committed, {good} are good; {problem}")
        });
    }

    /// Takes a run back and looks at whether every table is as it was before; milliseconds that it took.
    ///
    /// # Errors
    /// What stopped it.
    pub(crate) fn undo(&mut self, session: &mut Session, run: &Id, what: &str) -> Result<f64, EngineError> {
        let settings = self.settings(Some(super::ASKED_SIZE));
        self.memory.begin();
        let begun = Instant::now();
        let undone = undo::undo(session, run, UndoMode::Skip, &settings, what);
        let took = milliseconds(begun.elapsed());
        self.memory.end();
        undone.map_err(|error| error.during(&format!("undo of {what}")))?;
        let (store, tables) = (session.store.as_mut(), self.system.tables);
        checks::whole(store, &format!("undo of {what}"), tables, &mut self.ledger)?;
        let tables = setup::digests(session, self.system)?;
        let problem = checks::same(&tables, &self.before).err();
        self.ledger
            .undone
            .add(problem.is_none(), || format!("undo of {what}: {}", problem.unwrap_or_default()));
        Ok(took)
    }

    /// Shows how far a part of the trial is.
    pub(crate) fn show(&self, phase: &'static str, done: u64, total: u64) {
        (self.scratch.progress)(&Progress { phase, done, total: Some(total), eta_ms: None });
    }

    /// How many questions the source was asked.
    pub(crate) fn requests(&self) -> u64 {
        self.answers.statistics.requests
    }
}

/// Fills an empty scratch store with the rows of another one, by the engine's own copy, and forgets how.
fn fill(
    session: &mut Session,
    system: &System,
    from: &mut dyn Store,
    notes: &mut Vec<String>,
) -> Result<(), EngineError> {
    setup::prepare(session, Some(system))?;
    // One snapshot: somebody may be writing to the store meanwhile.
    from.begin(Access::ReadOnly)?;
    let planned = copy::plan_copy(session, system, from).and_then(|plan| Ok((plan, counts(from, system)?)));
    // Nothing was written: ending the snapshot either way is the same.
    from.rollback()?;
    let (plan, wanted) = planned?;
    let settings =
        RunSettings { batch_size: Some(FILL_BATCH), max_error_share: 1.0, ..RunSettings::default() };
    let started = apply::start(session, &plan, &StartRun { settings, ..StartRun::default() })?;
    apply::drive(session, &started.id, None)?;
    let found = counts(session.store.as_mut(), system)?;
    if found != wanted {
        return Err(EngineError::integrity(format!(
            "the scratch store holds {found:?} rows, the store {wanted:?}\nhint: `plimsoll verify --all` looks for rows that break the rules of their own tables"
        )));
    }
    if from.kind() == DatabaseKind::Postgres {
        let note = "the store is PostgreSQL and the scratch stores are SQLite: durations are SQLite's";
        notes.push(note.to_owned());
    }
    // The journal of the copy would make every scratch store twice as large.
    retention::purge(session, "9999-12-31", false, "the copy is only the beginning of a trial")?;
    session.store.run_script("VACUUM")?;
    Ok(())
}

/// How many rows each table has.
fn counts(store: &mut dyn Store, system: &System) -> Result<Vec<(String, u64)>, EngineError> {
    let mut counts = Vec::new();
    for table in system.tables {
        let rows = match store.shape(table)? {
            Some(_) => store.query(&format!("SELECT count(*) FROM {table}"), &[])?,
            None => Vec::new(),
        };
        let count = rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
        counts.push(((*table).to_owned(), count));
    }
    Ok(counts)
}
