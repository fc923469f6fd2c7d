//! `ingest`, `doctor` and `digest` of analytical systems.
//!
//! Owns the wording. What is read, and what is skipped and why, is the engine's to say and printed whole: an ingest
//! that finds nothing says where it looked, and fails.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::ingest::{
    Derived, Ingest, IngestSettings, Live, PassReport, Progress, Settings, SyncState, WatchSettings,
};
use plimsoll_engine::session::Progress as Shown;
use plimsoll_engine::{EngineError, ingest};
use plimsoll_store::duckdb::{Analytics, Resources};
use serde_json::{Value as Json, json};

use super::Context;
use crate::args::IngestArguments;
use crate::exit;
use crate::registry;
use crate::ui::{Ui, duration, grouped, plural, table};

/// How long documents that were written a moment ago are waited for at the end of a single pass.
const SETTLING: Duration = Duration::from_millis(2_200);

impl Context {
    /// The file of an analytical system's store.
    pub(crate) fn analytic_path(&self, system: &AnalyticSystem) -> Result<PathBuf, EngineError> {
        let named = self.store.as_ref().or_else(|| self.config.stores.get(system.name));
        match named {
            Some(url) => url.strip_prefix("duckdb:").map(PathBuf::from).ok_or_else(|| {
                EngineError::usage(format!(
                    "{} keeps its figures in a DuckDB file, and `{url}` is none\nhint: --store duckdb:PATH",
                    system.title
                ))
            }),
            None => Ok(self.config.data.join(format!("{}.duckdb", system.name))),
        }
    }

    /// An analytical store for reading.
    pub(crate) fn analytic(&self, system: &AnalyticSystem) -> Result<Analytics, EngineError> {
        Ok(Analytics::open_read_only(&self.analytic_path(system)?, Resources::default())?)
    }
}

/// Brings an analytical store in step with its sources.
pub(crate) fn ingest(context: &Context, arguments: &IngestArguments) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(&arguments.system)?;
    let roots = roots(context, system, &arguments.from)?;
    let path = context.analytic_path(system)?;
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            EngineError::usage(format!("{}: {error}\nhint: --store duckdb:PATH", folder.display()))
        })?;
    }
    if arguments.dry_run {
        return dry_run(context, system, &roots, &path);
    }
    if arguments.rebuild {
        for ending in ["", ".wal"] {
            let mut name = path.clone().into_os_string();
            name.push(ending);
            match std::fs::remove_file(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(EngineError::usage(format!("{}: {error}", path.display())));
                }
                _ => {}
            }
        }
    }
    // A pass gives it less while it reads.
    let resources = Resources { memory_mb: ingest::DERIVING_MEMORY_MB, threads: 1 };
    let store = Analytics::open(&path, resources)?;
    let derive = Settings { prices: given_prices(context, system)? };
    let settings = IngestSettings { roots, threads: arguments.threads, derive };
    let mut open = Ingest::open(system.documents, store, Arc::new(MachineClock::new()), settings)?;
    let teller = Teller::new(context.ui, system);
    if arguments.watch {
        return watch(context, &mut open, &teller);
    }
    let mut report = open.pass(arguments.rebuild, &mut |ingest, progress| teller.tell(ingest, &progress))?;
    // What was being written a moment ago is looked at again before it is judged.
    let waiting = open.waiting();
    if !waiting.is_empty() {
        std::thread::sleep(SETTLING);
        let again = open.touch(&waiting, &mut |_, _| {})?;
        report.tally.waiting = again.tally.waiting;
        report.tally.stored += again.tally.stored;
        report.tally.quarantined += again.tally.quarantined;
        report.duration_ms += again.duration_ms;
    }
    if !report.tally.is_nothing() || report.derived > 0 {
        open.store().checkpoint()?;
    }
    let findings = findings(open.store())?;
    let document = json!({
        "store": path, "found": report.found, "stored": report.tally.stored,
        "unchanged": report.found - (report.tally.looked_at() + report.tally.superseded).min(report.found)
            + report.tally.unchanged,
        "superseded": report.tally.superseded, "forgotten": report.tally.forgotten,
        "waiting": report.tally.waiting, "quarantined": findings.quarantined.len(),
        "bytes": report.tally.bytes, "derived_scopes": report.derived,
        "unreadable": report.unreadable, "duration_ms": report.duration_ms,
    });
    context.ui.print(&document, || summary(&path, &report, findings.quarantined.len()))?;
    if report.found == 0 && open.ledger().is_empty() {
        return Err(EngineError::source("nothing was found\nhint: plimsoll ingest opencode --from DIR"));
    }
    let incomplete = !findings.quarantined.is_empty() || !report.unreadable.is_empty();
    Ok(if incomplete { exit::incomplete() } else { ExitCode::SUCCESS })
}

/// Where the prices that a user gave are kept.
fn prices_path(context: &Context, system: &AnalyticSystem) -> PathBuf {
    context.config.data.join(format!("{}.prices.json", system.name))
}

fn given_prices(context: &Context, system: &AnalyticSystem) -> Result<Option<String>, EngineError> {
    let path = prices_path(context, system);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EngineError::usage(format!("{}: {error}", path.display()))),
    }
}

/// Takes prices from a file, and computes all costs again.
pub(crate) fn update_prices(
    context: &Context,
    system: &str,
    from: &std::path::Path,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(system)?;
    let text = std::fs::read_to_string(from)
        .map_err(|error| EngineError::usage(format!("{}: {error}\nhint: --from FILE", from.display())))?;
    let prices = (system.check_prices)(&text).map_err(|problem| {
        EngineError::usage(format!(
            "{}: {problem}\nhint: the file has the shape of models.dev's api.json",
            from.display()
        ))
    })?;
    let kept = prices_path(context, system);
    let mut scopes = 0;
    if !dry_run {
        std::fs::create_dir_all(&context.config.data)
            .and_then(|()| std::fs::write(&kept, &text))
            .map_err(|error| EngineError::usage(format!("{}: {error}\nhint: --data DIR", kept.display())))?;
        let path = context.analytic_path(system)?;
        if path.is_file() {
            let store = Analytics::open(&path, Resources::default())?;
            scopes = ingest::derive_all(system.documents, &store, &Settings { prices: Some(text) })?;
        }
    }
    let document = json!({"prices": prices, "kept_in": kept, "sessions": scopes, "dry_run": dry_run});
    context.ui.print(&document, || {
        let did =
            if dry_run { "would be taken; nothing was done" } else { "are applied before the embedded ones" };
        format!(
            "{} {did}\nto go back: delete {}, then plimsoll ingest {} --rebuild",
            plural(prices as u64, "price"),
            kept.display(),
            system.name
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn roots(context: &Context, system: &AnalyticSystem, from: &[PathBuf]) -> Result<Vec<PathBuf>, EngineError> {
    if from.is_empty() {
        let root = context.config.user_data.join(system.data_folder);
        return Ok(vec![system.root_at(&root)?]);
    }
    from.iter().map(|path| system.root_at(path)).collect()
}

fn dry_run(
    context: &Context,
    system: &'static AnalyticSystem,
    roots: &[PathBuf],
    path: &std::path::Path,
) -> Result<ExitCode, EngineError> {
    let store = if path.is_file() {
        Analytics::open_read_only(path, Resources::default())?
    } else {
        Analytics::open_in_memory()?
    };
    let work = ingest::foresee(system.documents, &store, roots)?;
    let document =
        json!({"store": path, "read": work.read, "superseded": work.superseded, "forgotten": work.forgotten});
    context.ui.print(&document, || {
        format!(
            "would read {}, set aside {}, forget {}\nnothing was done",
            plural(work.read, "document"),
            grouped(work.superseded),
            grouped(work.forgotten)
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

fn watch(context: &Context, open: &mut Ingest, teller: &Teller) -> Result<ExitCode, EngineError> {
    // Ending the process at any moment is safe: rows and ledger commit together.
    let stop = AtomicBool::new(false);
    let ui = context.ui;
    let state = SyncState::default();
    open.watch(&state, &stop, WatchSettings::default(), &mut |ingest, live| match live {
        Live::Pass(progress) => teller.tell(ingest, &progress),
        Live::Passed(report) if !report.tally.is_nothing() => {
            tell_event(ui, "passed", &report);
        }
        Live::Touched(report) => tell_event(ui, "touched", &report),
        Live::Derived(derived) => tell_derived(ui, derived),
        Live::Listening(folders, deaf) => {
            ui.say(&format!("listening to {}", plural(folders as u64, "folder")));
            for root in deaf {
                ui.say(&format!("cannot listen to {root}; it is compared every minute"));
            }
        }
        Live::Lost(why) => ui.say(&format!("notifications were lost ({why}); comparing everything")),
        Live::Passed(_) => {}
    })?;
    Ok(ExitCode::SUCCESS)
}

fn tell_derived(ui: Ui, derived: Derived) {
    if ui.json {
        let document =
            json!({"event": "derived", "scopes": derived.scopes, "duration_ms": derived.duration_ms});
        ui.line(&document.to_string());
    } else {
        let scopes = plural(derived.scopes, "session");
        ui.line(&format!("derived: figures of {scopes} in {}", duration(derived.duration_ms)));
    }
}

fn tell_event(ui: Ui, what: &str, report: &PassReport) {
    if ui.json {
        ui.line(
            &json!({"event": what, "tally": report.tally, "duration_ms": report.duration_ms}).to_string(),
        );
    } else {
        let tally = &report.tally;
        ui.line(&format!(
            "{what}: {} stored, {} forgotten, {} waiting, {} quarantined in {}",
            tally.stored,
            tally.forgotten,
            tally.waiting,
            tally.quarantined,
            duration(report.duration_ms)
        ));
    }
}

/// Tells of progress.
struct Teller {
    ui: Ui,
    system: &'static AnalyticSystem,
    sink: plimsoll_engine::session::ProgressSink,
    began: std::time::Instant,
}

impl Teller {
    fn new(ui: Ui, system: &'static AnalyticSystem) -> Self {
        Self { ui, system, sink: ui.progress(), began: std::time::Instant::now() }
    }

    fn tell(&self, ingest: &Ingest, progress: &Progress) {
        match progress {
            Progress::Read { done, of, .. } => {
                let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                let eta = (*done > 0).then(|| elapsed.saturating_mul(of.saturating_sub(*done)) / done);
                (self.sink)(&Shown { phase: "reading", done: *done, total: Some(*of), eta_ms: eta });
            }
            Progress::StageDone { stage: 1 } if !self.system.first_figures.is_empty() => {
                // Figures are a service here; a failing query must not stop the ingest.
                if let Ok(answer) = ingest.store().query(self.system.first_figures, &[])
                    && let Some(text) = answer.rows.first().and_then(|row| row[0].as_text())
                {
                    let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                    self.ui.say(&format!("after {}: {text}", duration(elapsed)));
                }
            }
            _ => {}
        }
    }
}

fn summary(path: &std::path::Path, report: &PassReport, quarantined: usize) -> String {
    let tally = &report.tally;
    let mut lines = vec![
        format!("store        {}", path.display()),
        format!("found        {}", grouped(report.found)),
        format!("stored       {}", grouped(tally.stored)),
        format!("superseded   {}", grouped(tally.superseded)),
        format!("forgotten    {}", grouped(tally.forgotten)),
        format!("waiting      {}", grouped(tally.waiting)),
        format!("quarantined  {}", grouped(quarantined as u64)),
        format!("read         {} MB in {}", grouped(tally.bytes / 1_000_000), duration(report.duration_ms)),
    ];
    lines.extend(report.unreadable.iter().map(|(path, why)| format!("unreadable   {path}: {why}")));
    if quarantined > 0 {
        lines.push("see what and why: plimsoll doctor".into());
    }
    lines.join("\n")
}

/// What a store says about its sources.
struct Findings {
    sources: Vec<Vec<String>>,
    quarantined: Vec<Vec<String>>,
    unknown: Vec<Vec<String>>,
}

fn findings(store: &Analytics) -> Result<Findings, EngineError> {
    let read = |sql: &str| -> Result<Vec<Vec<String>>, EngineError> {
        let rows = store.query(sql, &[])?.rows;
        let cell = |cell: &plimsoll_engine::ingest::OwnedCell| match cell.as_text() {
            Some(text) => text.to_owned(),
            None => cell.as_integer().map(|number| number.to_string()).unwrap_or_default(),
        };
        Ok(rows.iter().map(|row| row.iter().map(cell).collect()).collect())
    };
    Ok(Findings {
        sources: read(
            "SELECT s.root, s.name, d.generation, d.kind, d.outcome, count(*), CAST(sum(d.size) AS BIGINT)
             FROM plimsoll_ingest_document d JOIN plimsoll_ingest_source s USING (source)
             GROUP BY ALL ORDER BY ALL",
        )?,
        quarantined: read(
            "SELECT concat_ws('/', s.root, nullif(s.name, ''), d.path), d.outcome, d.class, d.reason
             FROM plimsoll_ingest_document d JOIN plimsoll_ingest_source s USING (source)
             WHERE d.outcome IN ('quarantined', 'waiting') ORDER BY ALL",
        )?,
        unknown: read("SELECT place, occurrences FROM plimsoll_ingest_unknown ORDER BY ALL")?,
    })
}

/// Says what was read, per source and generation, and what was skipped and why.
pub(crate) fn doctor(context: &Context, system: &str) -> Result<ExitCode, EngineError> {
    let system = registry::find_analytic(system)?;
    let store = context.analytic(system)?;
    let found = findings(&store)?;
    let rows = |heads: &[&str], rows: &[Vec<String>]| -> Vec<Json> {
        let object = |row: &Vec<String>| {
            heads.iter().zip(row).map(|(head, cell)| ((*head).to_owned(), Json::from(cell.clone()))).collect()
        };
        rows.iter().map(|row| Json::Object(object(row))).collect()
    };
    let heads = ["root", "database", "generation", "kind", "outcome", "documents", "bytes"];
    let document = json!({
        "store": context.analytic_path(system)?,
        "sources": rows(&heads, &found.sources),
        "not_read": rows(&["path", "outcome", "class", "reason"], &found.quarantined),
        "unknown_fields": rows(&["place", "occurrences"], &found.unknown),
    });
    context.ui.print(&document, || {
        let mut text = table(&heads, &found.sources);
        if found.sources.is_empty() {
            text += "\nnothing was ever found; look elsewhere: plimsoll ingest opencode --from DIR";
        }
        if !found.quarantined.is_empty() {
            text +=
                &format!("\n\n{}\n", table(&["not read", "outcome", "class", "reason"], &found.quarantined));
        }
        if !found.unknown.is_empty() {
            text += &format!("\n\n{}\n", table(&["unknown field, kept in `extra`", "times"], &found.unknown));
        }
        text
    })?;
    let clean = found.quarantined.is_empty() && !found.sources.is_empty();
    Ok(if clean { ExitCode::SUCCESS } else { exit::incomplete() })
}

/// Prints digest and row count of each table.
pub(crate) fn digest(context: &Context, system: &'static AnalyticSystem) -> Result<ExitCode, EngineError> {
    let store = context.analytic(system)?;
    let digests = ingest::digests(system.documents, &store)?;
    let tables: serde_json::Map<String, Json> = digests
        .iter()
        .map(|digest| (digest.table.to_owned(), json!({"digest": digest.digest, "rows": digest.rows})))
        .collect();
    let document = json!({"system": system.name, "tables": tables});
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = digests
            .iter()
            .map(|digest| vec![digest.table.to_owned(), digest.rows.to_string(), digest.digest.clone()])
            .collect();
        table(&["table", "rows", "digest"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}
