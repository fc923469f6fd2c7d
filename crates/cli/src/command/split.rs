//! Runs over wide tables of analytical stores, under the verbs that all runs have.
//!
//! Owns opening such a store and the order of a run: look, copy the file while it is closed, record, plan, apply,
//! verify, report. What a phase does is the engine's.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use plimsoll_core::id::Id;
use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::change::run::Run;
use plimsoll_engine::change::setup::Named;
use plimsoll_engine::change::split::backup::{self, FileCopy};
use plimsoll_engine::change::split::{self, Canary, Place, Split, SplitPlan, Start, journal};
use plimsoll_engine::change::verify::Verification;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_store::duckdb::{Analytics, Resources};
use plimsoll_store::{ErrorClass, StoreError};
use serde_json::{Value as Json, json};

use super::{Context, apply as apply_command};
use crate::args::{
    ApplyArguments, ControlArguments, ResumeArguments, RunArguments, SettingsArguments, UndoArguments,
};
use crate::exit;
use crate::registry::ANALYTIC_SYSTEMS;
use crate::ui::{Ui, duration, grouped, plural, table};

/// Something in the journal of an analytical store.
pub(super) struct Found {
    system: &'static AnalyticSystem,
    path: PathBuf,
    place: Place,
    id: Id,
}

impl Context {
    fn is_duckdb_named(&self) -> bool {
        let named = self.store.as_ref().or(self.config.store.as_ref());
        named.is_some_and(|url| url.starts_with("duckdb:"))
    }

    fn is_store_named(&self) -> bool {
        self.store.is_some() || self.config.store.is_some()
    }

    /// What an id or its prefix means in an analytical store: the named one, or those of all systems when no other
    /// store has it. `None` says that other stores are meant.
    pub(super) fn find_analytic(
        &self,
        named: Named,
        prefix: &str,
        write: bool,
    ) -> Result<Option<Found>, EngineError> {
        if !self.is_duckdb_named() && (self.is_store_named() || self.find(named, prefix).is_ok()) {
            return Ok(None);
        }
        for system in ANALYTIC_SYSTEMS {
            let path = self.analytic_path(system)?;
            if !path.is_file() {
                continue;
            }
            let place = match self.place(&path, write) {
                Ok(place) => place,
                // Whoever fills it has it; an id of another store is told by that store.
                Err(error) if error.class == Some(ErrorClass::Contention) && !self.is_duckdb_named() => {
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(id) = journal::find_id(&place.store, named, prefix)? {
                return Ok(Some(Found { system, path, place, id }));
            }
        }
        if self.is_duckdb_named() {
            return Err(EngineError::usage(format!(
                "nothing in this store has the id `{prefix}`\nhint: `plimsoll log` lists ids"
            )));
        }
        Ok(None)
    }

    /// Every analytical store that has a journal, for reading.
    pub(super) fn analytic_journals(&self) -> Result<Vec<Place>, EngineError> {
        let mut places = Vec::new();
        if self.is_store_named() && !self.is_duckdb_named() {
            return Ok(places);
        }
        for system in ANALYTIC_SYSTEMS {
            let path = self.analytic_path(system)?;
            if !path.is_file() {
                continue;
            }
            match self.place(&path, false) {
                Ok(place) if journal::exists(&place.store)? => places.push(place),
                Ok(_) => {}
                Err(error) if error.class == Some(ErrorClass::Contention) => {
                    self.ui.say(&format!("left out: {}, which another process has open", path.display()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(places)
    }

    fn place(&self, path: &Path, write: bool) -> Result<Place, EngineError> {
        let opened = if write {
            absent(path)?;
            Analytics::open(path, Resources::default())
        } else {
            Analytics::open_read_only(path, Resources::default())
        };
        let mut place = Place::new(opened?, self.config.actor.clone());
        place.progress = told(self.ui);
        Ok(place)
    }
}

fn absent(path: &Path) -> Result<(), EngineError> {
    if path.is_file() {
        return Ok(());
    }
    let message = format!("{} is not there\nhint: --store duckdb:PATH names another", path.display());
    Err(EngineError::from(StoreError::new(ErrorClass::Connection, message)))
}

/// Says each phase as it begins, and passes progress on.
fn told(ui: Ui) -> plimsoll_engine::session::ProgressSink {
    let (sink, last) = (ui.progress(), Mutex::new(""));
    Arc::new(move |progress| {
        if let Ok(mut last) = last.lock()
            && *last != progress.phase
        {
            *last = progress.phase;
            ui.say(&format!("phase {}", progress.phase));
        }
        sink(progress);
    })
}

/// The split that a plan is about.
fn split_of(system: &AnalyticSystem, plan: &SplitPlan) -> Result<&'static Split, EngineError> {
    let found = system.splits.iter().copied().find(|split| split.table == plan.table);
    found.ok_or_else(|| EngineError::usage(format!("system `{}` splits no `{}`", system.name, plan.table)))
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map_or_else(|| PathBuf::from("backups"), |folder| folder.join("backups"))
}

/// An analytical system and what can be done to its tables.
pub(super) fn described(system: &AnalyticSystem) -> Json {
    let changes: Vec<Json> = system
        .splits
        .iter()
        .flat_map(|split| [(split.name, split.help), (split.drop_name, split.drop_help)])
        .map(|(name, help)| json!({"name": name, "help": help, "needs_backup": true}))
        .collect();
    let tables: Vec<&str> = system.documents.tables().iter().map(|table| table.name).collect();
    json!({"name": system.name, "title": system.title, "tables": tables, "changes": changes})
}

fn start_of(settings: &SettingsArguments, copy: Option<FileCopy>) -> Start {
    let mut start = Start { reason: settings.reason.clone(), backup: copy, ..Start::default() };
    start.settings.batch_size = settings.batch_size;
    start.settings.batch_size.get_or_insert(split::BATCH_ROWS);
    start.settings.throttle_ms = settings.throttle;
    start
}

fn changed(options: &[(String, String)]) -> Result<u64, EngineError> {
    let mut changed = 0;
    for (name, value) in options {
        changed = match (name.as_str(), value.parse()) {
            ("changed", Ok(number)) => number,
            _ => {
                return Err(EngineError::usage(format!(
                    "there is no option {name}={value}\nhint: changed=N accepts N rows edited since the split"
                )));
            }
        };
    }
    Ok(changed)
}

fn make_plan(
    place: &Place,
    system: &AnalyticSystem,
    change: &str,
    options: &[(String, String)],
    store_it: bool,
) -> Result<(&'static Split, SplitPlan), EngineError> {
    let (split, drops) = system.split(change)?;
    let accepted = changed(options)?;
    let plan = if drops {
        split::plan_drop(place, split, accepted, store_it)?
    } else {
        split::plan_split(place, system.name, split, store_it)?
    };
    Ok((split, plan))
}

/// Makes a plan.
pub(super) fn plan(
    context: &Context,
    system: &'static AnalyticSystem,
    change: &str,
    options: &[(String, String)],
) -> Result<ExitCode, EngineError> {
    let place = context.place(&context.analytic_path(system)?, true)?;
    let (_, plan) = make_plan(&place, system, change, options, true)?;
    context.ui.print(&plan, || summary(&plan))?;
    let id = plan.id.short();
    context.ui.say(&format!("next: plimsoll assess {id}, plimsoll apply {id}"));
    Ok(ExitCode::SUCCESS)
}

/// Tries the first batch and rolls it back.
pub(super) fn assess(context: &Context, found: &Found) -> Result<ExitCode, EngineError> {
    let plan = journal::load_plan(&found.place.store, &found.id)?;
    let canary = split::assess(&found.place, split_of(found.system, &plan)?, &plan, split::BATCH_ROWS)?;
    context.ui.print(&canary, || canary_text(&canary))?;
    Ok(ExitCode::SUCCESS)
}

/// Approves a plan.
pub(super) fn approve(context: &Context, found: &Found, reason: &str) -> Result<ExitCode, EngineError> {
    let plan = journal::approve(&found.place, &found.id, reason)?;
    context.ui.print(&plan, || summary(&plan))?;
    Ok(ExitCode::SUCCESS)
}

/// Looks, backs up, plans, applies, verifies and reports.
pub(super) fn run(
    context: &Context,
    system: &'static AnalyticSystem,
    arguments: &RunArguments,
) -> Result<ExitCode, EngineError> {
    let path = context.analytic_path(system)?;
    let options = &arguments.source.options;
    if context.config.approval_required && !arguments.settings.dry_run {
        let hint = format!("plimsoll plan {} {}, then approve and apply", system.name, arguments.change);
        return Err(EngineError::refused(format!("a plan must be approved first\nhint: {hint}")));
    }
    {
        let place = context.place(&path, true)?;
        let (split, plan) = make_plan(&place, system, &arguments.change, options, false)?;
        if arguments.settings.dry_run {
            let size = arguments.settings.batch_size.unwrap_or(split::BATCH_ROWS);
            let canary = match plan.way {
                split::Way::Split => Some(split::assess(&place, split, &plan, size)?),
                _ => None,
            };
            context.ui.print(&json!({"plan": plan, "canary": canary}), || {
                let canary = canary.as_ref().map(canary_text).unwrap_or_default();
                format!("{}{canary}", summary(&plan))
            })?;
            context.ui.say("dry run: nothing was written, and the plan was discarded");
            return Ok(ExitCode::SUCCESS);
        }
    }
    context.ui.say("phase backup");
    let copy = backup::make(&path, &folder(&path), &MachineClock::new())?;
    let place = context.place(&path, true)?;
    journal::prepare(&place.store)?;
    journal::record_copy(&place, &copy)?;
    let (split, plan) = make_plan(&place, system, &arguments.change, options, true)?;
    let run = split::start(&place, split, &plan, &start_of(&arguments.settings, Some(copy)))?;
    go_on(context, &place, split, &run.id)
}

/// Applies a stored plan.
pub(super) fn apply(
    context: &Context,
    found: Found,
    arguments: &ApplyArguments,
) -> Result<ExitCode, EngineError> {
    let plan = journal::load_plan(&found.place.store, &found.id)?;
    let split = split_of(found.system, &plan)?;
    if arguments.settings.dry_run {
        return assess(context, &found);
    }
    if context.config.approval_required && !journal::is_approved(&found.place.store, &plan)? {
        let hint = format!("plimsoll approve {}", plan.id.short());
        return Err(EngineError::refused(format!("the plan is not approved\nhint: {hint}")));
    }
    if arguments.no_backup {
        return Err(EngineError::refused(format!(
            "`{} {}` needs a backup\nhint: leave out --no-backup",
            plan.system, plan.change
        )));
    }
    let path = found.path.clone();
    drop(found);
    let copy = backup::make(&path, &folder(&path), &MachineClock::new())?;
    let place = context.place(&path, true)?;
    journal::record_copy(&place, &copy)?;
    let run = split::start(&place, split, &plan, &start_of(&arguments.settings, Some(copy)))?;
    go_on(context, &place, split, &run.id)
}

/// Goes on with a run.
pub(super) fn resume(
    context: &Context,
    found: &Found,
    arguments: &ResumeArguments,
) -> Result<ExitCode, EngineError> {
    let ResumeArguments { run: _, batch_size, throttle, max_errors, max_error_share } = arguments;
    if batch_size.or(*throttle).or(*max_errors).is_some() || max_error_share.is_some() {
        return Err(EngineError::usage(
            "a run over a DuckDB file goes on with the settings that it began with\nhint: leave them out",
        ));
    }
    let run = journal::load_run(&found.place.store, &found.id)?;
    let plan = journal::load_plan(&found.place.store, &run.plan)?;
    go_on(context, &found.place, split_of(found.system, &plan)?, &run.id)
}

fn go_on(context: &Context, place: &Place, split: &'static Split, id: &Id) -> Result<ExitCode, EngineError> {
    context.ui.say(&format!("run {}", id.short()));
    let run = split::drive(place, split, id)?;
    let mut report = split::report(&run);
    report.verified = Some(split::verify(place, split, id)?.ok);
    if run.undoes.is_none() {
        return apply_command::finish(context, &report);
    }
    context.ui.print(&report, || apply_command::text(&report))?;
    context.ui.say(&format!("redo with: {}", again(context, "redo", id)));
    Ok(exit::of_tally(&run.tally))
}

fn again(context: &Context, verb: &str, id: &Id) -> String {
    let store = context.store.as_ref().map(|url| format!(" --store {url}")).unwrap_or_default();
    format!("plimsoll {verb} {}{store}", id.short())
}

/// Takes a run back.
pub(super) fn undo(
    context: &Context,
    found: &Found,
    arguments: &UndoArguments,
) -> Result<ExitCode, EngineError> {
    let Found { system, place, id, .. } = found;
    let run = journal::load_run(&place.store, id)?;
    let split = split_of(system, &journal::load_plan(&place.store, &run.plan)?)?;
    let mode = arguments.mode.into();
    let (plan, preview) = split::plan_undo(place, split, id, mode, !arguments.dry_run)?;
    if arguments.dry_run {
        context.ui.print(&preview, || {
            format!(
                "undo of run {} (mode {}): {} afterwards, {} edited since",
                id.short(),
                preview.mode,
                plural(preview.rows, "wide row"),
                grouped(preview.changed_since)
            )
        })?;
        context.ui.say("dry run: nothing was written");
        return Ok(ExitCode::SUCCESS);
    }
    let mut start = Start { reason: arguments.reason.clone(), ..Start::default() };
    start.settings.batch_size = Some(arguments.batch_size.unwrap_or(split::BATCH_ROWS));
    let undoing = split::start(place, split, &plan, &start)?;
    go_on(context, place, split, &undoing.id)
}

/// Takes an undo back: splits again.
pub(super) fn redo(
    context: &Context,
    found: Found,
    arguments: &UndoArguments,
) -> Result<ExitCode, EngineError> {
    let Found { system, path, place, id } = found;
    let runs = journal::list_runs(&place.store)?;
    let undoing = runs.iter().find(|run| run.id == id && run.undoes.is_some());
    let undoing = undoing.or_else(|| runs.iter().find(|run| run.undoes.as_ref() == Some(&id)));
    let Some(undoing) = undoing else {
        return Err(EngineError::usage(format!(
            "run {} was not undone, so there is nothing to redo",
            id.short()
        )));
    };
    let undone = runs.iter().find(|run| Some(&run.id) == undoing.undoes.as_ref());
    let change = undone.map(|run| run.change.clone()).unwrap_or_default();
    let (split, plan) = make_plan(&place, system, &change, &[], false)?;
    if arguments.dry_run {
        context.ui.print(&plan, || summary(&plan))?;
        context.ui.say("dry run: nothing was written, and the plan was discarded");
        return Ok(ExitCode::SUCCESS);
    }
    let undoing = undoing.id.clone();
    drop(place);
    let copy = backup::make(&path, &folder(&path), &MachineClock::new())?;
    let place = context.place(&path, true)?;
    journal::record_copy(&place, &copy)?;
    let (_, plan) = make_plan(&place, system, &change, &[], true)?;
    let mut start = Start { reason: arguments.reason.clone(), backup: Some(copy), ..Start::default() };
    start.undoes = Some(undoing);
    start.settings.batch_size = Some(arguments.batch_size.unwrap_or(split::BATCH_ROWS));
    let run = split::start(&place, split, &plan, &start)?;
    go_on(context, &place, split, &run.id)
}

/// Refuses to pause or cancel: the process that works on the file has it alone.
pub(super) fn no_control(context: &Context, arguments: &ControlArguments) -> Result<(), EngineError> {
    if !context.is_duckdb_named() {
        return Ok(());
    }
    Err(EngineError::usage(format!(
        "a run over a DuckDB file is ended by ending its process\nhint: then plimsoll resume {0}, or plimsoll undo {0}",
        arguments.run
    )))
}

/// Verifies a run that was found.
pub(super) fn verified(found: &Found) -> Result<Verification, EngineError> {
    let run = journal::load_run(&found.place.store, &found.id)?;
    verify(&found.place, &run)
}

/// Verifies a run.
pub(super) fn verify(place: &Place, run: &Run) -> Result<Verification, EngineError> {
    let plan = journal::load_plan(&place.store, &run.plan)?;
    let system = crate::registry::find_analytic(&plan.system)?;
    split::verify(place, split_of(system, &plan)?, &run.id)
}

/// Shows a run or plan of an analytical store, if the id names one.
pub(super) fn show(context: &Context, prefix: &str) -> Result<Option<ExitCode>, EngineError> {
    let ordinary = [Named::Run, Named::Plan, Named::Quarantined];
    if !context.is_duckdb_named() && ordinary.into_iter().any(|named| context.find(named, prefix).is_ok()) {
        return Ok(None);
    }
    let run = match context.find_analytic(Named::Run, prefix, false) {
        Ok(found) => found,
        Err(error) if error.kind == ErrorKind::Usage => None,
        Err(error) => return Err(error),
    };
    if let Some(Found { place, id, .. }) = run {
        let run = journal::load_run(&place.store, &id)?;
        let report = split::report(&run);
        let phases = journal::phases(&place.store, &id)?;
        let events = journal::events(&place.store, Some(id.as_str()))?;
        let document =
            json!({"kind": "run", "run": run, "report": report, "phases": phases, "events": events});
        context.ui.print(&document, || {
            let mut text = apply_command::text(&report);
            if let Some(reason) = &run.stop_reason {
                text += &format!("\n  stopped: {reason}");
            }
            for phase in &phases {
                let done = phase.done_at.as_deref().unwrap_or("not done");
                text += &format!("\n  phase {} {:<9} {}  {done}", phase.number, phase.name, phase.began_at);
                if let Some(until) = phase.detail["keep_until"].as_str() {
                    text += &format!("  kept until {until}");
                }
            }
            for event in &events {
                text += &format!("\n  {}  {}  {}  {}", event.at, event.kind, event.actor, event.reason);
            }
            text
        })?;
        return Ok(Some(ExitCode::SUCCESS));
    }
    let Some(Found { place, id, .. }) = context.find_analytic(Named::Plan, prefix, false)? else {
        return Ok(None);
    };
    let plan = journal::load_plan(&place.store, &id)?;
    context.ui.print(&json!({"kind": "plan", "plan": plan}), || summary(&plan))?;
    Ok(Some(ExitCode::SUCCESS))
}

/// Makes a verified copy of the file, or lists copies.
pub(super) fn backup(
    context: &Context,
    system: &'static AnalyticSystem,
    list: bool,
) -> Result<ExitCode, EngineError> {
    let path = context.analytic_path(system)?;
    absent(&path)?;
    if list {
        let copies = journal::copies(&context.place(&path, false)?.store)?;
        context.ui.print(&copies, || {
            let row = |copy: &FileCopy| {
                let bytes = grouped(copy.bytes);
                vec![copy.id.short().to_owned(), copy.verified_at.clone(), bytes, copy.location.clone()]
            };
            table(&["backup", "verified", "bytes", "location"], &copies.iter().map(row).collect::<Vec<_>>())
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let copy = backup::make(&path, &folder(&path), &MachineClock::new())?;
    let place = context.place(&path, true)?;
    journal::prepare(&place.store)?;
    journal::record_copy(&place, &copy)?;
    context.ui.print(&copy, || {
        format!("backup {} verified: {} bytes at {}", copy.id.short(), grouped(copy.bytes), copy.location)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Puts a copy in the file's place; what was there is copied first.
pub(super) fn restore(
    context: &Context,
    system: &'static AnalyticSystem,
    prefix: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let path = context.analytic_path(system)?;
    let (copy, known, differing) = {
        let place = context.place(&path, true)?;
        let known = journal::copies(&place.store)?;
        let found: Vec<_> = known.iter().filter(|copy| copy.id.as_str().starts_with(prefix)).collect();
        let [copy] = found.as_slice() else {
            return Err(EngineError::usage(format!(
                "`{prefix}` stands for {} of this store\nhint: plimsoll backup {} --list",
                plural(found.len() as u64, "backup"),
                system.name
            )));
        };
        let now = backup::table_digests(&place.store)?;
        let differing: Vec<String> = now
            .iter()
            .filter(|digest| !copy.tables.contains(digest))
            .map(|digest| digest.table.clone())
            .collect();
        ((*copy).clone(), known, differing)
    };
    if dry_run {
        context.ui.print(&json!({"backup": copy, "tables_that_differ": differing}), || {
            let tables = plural(differing.len() as u64, "table");
            format!("restoring {} would replace {tables}: {}", copy.id.short(), differing.join(", "))
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    backup::check(&copy, true)?;
    let kept = backup::make(&path, &folder(&path), &MachineClock::new())?;
    backup::restore(&copy, &path)?;
    let place = context.place(&path, true)?;
    journal::prepare(&place.store)?;
    // The journal is the copy's now, which knows of no backup since. All of them stay known: the one that was just
    // restored may be wanted again.
    let remembered = journal::copies(&place.store)?;
    for copy in known.iter().chain([&kept]).filter(|copy| remembered.iter().all(|known| known.id != copy.id))
    {
        journal::record_copy(&place, copy)?;
    }
    context.ui.print(&json!({"restored": copy, "kept": kept}), || {
        format!("{} is as in backup {}", path.display(), copy.id.short())
    })?;
    context.ui.say(&format!("undo with: plimsoll restore {} {}", system.name, kept.id.short()));
    Ok(ExitCode::SUCCESS)
}

/// A plan for a person.
fn summary(plan: &SplitPlan) -> String {
    let mut text = format!(
        "plan {}  {} {}\n  digest     {}\n  table      {}, {}, {}\n",
        plan.id.short(),
        plan.system,
        plan.change,
        plan.digest,
        plan.table,
        plural(plan.rows, "row"),
        plural(plan.columns.len() as u64, "column"),
    );
    let tables: Vec<&str> = plan.tables.iter().map(|(_, named)| named.as_str()).collect();
    text += &format!("  tables     {}\n", tables.join(", "));
    for finding in &plan.findings {
        text += &format!("  found      {} {}: {}\n", grouped(finding.count), finding.rule, finding.message);
    }
    text
}

fn canary_text(canary: &Canary) -> String {
    let mut text = format!(
        "canary: {} tried and rolled back, {} written in {}\nexpected: about {} for all {}\n",
        plural(canary.tried, "wide row"),
        plural(canary.written, "row"),
        duration(canary.took_ms),
        duration(canary.estimate_ms),
        plural(canary.rows, "wide row"),
    );
    for finding in &canary.findings {
        text += &format!("found: {} {}: {}\n", grouped(finding.count), finding.rule, finding.message);
    }
    text
}
