//! The commands, one module for each group.
//!
//! Owns dispatch and what all commands share: opening stores and finding what an id names.

mod alert;
mod apply;
mod backup;
mod check;
mod cloud;
mod drive;
pub(crate) mod flag;
pub(crate) mod gate;
mod ingest;
mod look;
#[cfg(feature = "meaning")]
mod meaning;
mod metrics;
mod own_program;
mod parity;
mod pilot;
mod plan;
pub(crate) mod playbook;
mod quarantine;
mod reference;
mod schedule;
mod serve;
mod simulate;
mod source;
mod split;
mod store_view;
pub(crate) mod sync;
mod token;
mod trial;
mod undo;
mod user;
mod view;

pub(crate) use alert::AlertCommand;
pub(crate) use metrics::MetricsArguments;
pub(crate) use schedule::ScheduleCommand;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use plimsoll_core::id::Id;
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::change::setup::{self, Named};
use plimsoll_engine::flag::{AskedFlags, EvaluationContext, Reason};
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::StoreUrl;

use crate::args::{Command, PricesCommand};
use crate::config::{BATCH_SWITCH, Config};
use crate::registry::{self, SYSTEMS};
use crate::ui::Ui;

/// What every command works with.
pub(crate) struct Context {
    /// How to print.
    pub(crate) ui: Ui,
    /// The settings.
    pub(crate) config: Config,
    /// The store that the command line names.
    pub(crate) store: Option<String>,
}

/// Runs one command.
pub(crate) fn execute(context: &Context, command: Command) -> Result<ExitCode, EngineError> {
    match command {
        Command::Systems => look::systems(context),
        Command::Plan(arguments) => plan::plan(context, &arguments),
        Command::Assess { plan } => plan::assess(context, &plan),
        Command::Approve { plan, reason } => plan::approve(context, &plan, &reason),
        Command::Apply(arguments) => apply::apply(context, &arguments),
        Command::Run(arguments) => apply::run(context, &arguments),
        Command::Trial(arguments) => trial::trial(context, &arguments),
        Command::Gate(arguments) => gate::execute(context, arguments),
        Command::Playbook(command) => playbook::execute(context, command),
        Command::Log { events, limit } => look::log(context, events, limit),
        Command::Show { id, limit } => look::show(context, &id, limit),
        Command::Resume(arguments) => apply::resume(context, &arguments),
        Command::Pause(arguments) => apply::pause(context, &arguments),
        Command::Cancel(arguments) => apply::cancel(context, &arguments),
        Command::Quarantine(command) => quarantine::execute(context, command),
        Command::Undo(arguments) => undo::undo(context, &arguments),
        Command::Redo(arguments) => undo::redo(context, &arguments),
        Command::Verify { run, all } => look::verify(context, run.as_deref(), all),
        Command::History { table, key } => look::history(context, &table, &key),
        Command::Backup { system, list } => backup::backup(context, &system, list),
        Command::Restore { system, backup, dry_run } => backup::restore(context, &system, &backup, dry_run),
        Command::Purge { before, confirm, reason } => backup::purge(context, &before, confirm, &reason),
        Command::Digest { system } => look::digest(context, system.as_deref()),
        Command::CopyStore { system, from } => apply::copy_store(context, &system, &from),
        Command::MigrateStore { system, from, dry_run } => sync::migrate(context, &system, &from, dry_run),
        Command::Ingest(arguments) => ingest::ingest(context, &arguments),
        Command::Doctor { system } => ingest::doctor(context, &system),
        Command::View(arguments) => view::view(context, &arguments),
        Command::Check(arguments) => check::check(context, &arguments),
        #[cfg(feature = "meaning")]
        Command::Meaning(command) => meaning::execute(context, command),
        Command::Prices(PricesCommand::Update { system, from, dry_run }) => {
            ingest::update_prices(context, &system, &from, dry_run)
        }
        Command::Export { system, parquet } => view::export(context, &system, &parquet),
        Command::Flag(command) => flag::execute(context, command),
        Command::Alert(command) => alert::execute(context, command),
        Command::Schedule(command) => schedule::execute(context, command),
        Command::Metrics(arguments) => metrics::metrics(context, &arguments),
        Command::Sync(arguments) => sync::sync(context, &arguments),
        Command::Edit(arguments) => sync::edit(context, &arguments),
        Command::Drafts(arguments) => sync::drafts(context, &arguments),
        Command::Commit(arguments) => sync::commit(context, &arguments),
        Command::Discard(arguments) => sync::discard(context, &arguments),
        Command::Conflicts(command) => sync::conflicts(context, command),
        Command::Limbo(arguments) => sync::limbo(context, &arguments),
        Command::DeadLetters(command) => sync::dead_letters(context, command),
        Command::Records(arguments) => sync::records(context, &arguments),
        Command::Versions(arguments) => sync::versions(context, &arguments),
        Command::Import(arguments) => sync::import(context, &arguments),
        Command::Links => sync::links(context),
        Command::Pilot(command) => pilot::execute(context, command),
        Command::Parity(arguments) => parity::execute(context, &arguments),
        Command::Simulate(command) => simulate::execute(context, command),
        Command::Serve(arguments) => serve::serve(context, &arguments),
        Command::Cloud(command) => cloud::execute(context, command),
        Command::Token(command) => token::execute(context, command),
        Command::User(command) => user::execute(context, command),
        Command::Reference { system } => {
            reference::print(context, system.as_deref())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

impl Context {
    /// The address of a system's store.
    pub(crate) fn store_url(&self, system: &System) -> Result<StoreUrl, EngineError> {
        if let Some(url) = self.store.as_ref().or(self.config.store.as_ref()) {
            return parse_url(url);
        }
        match self.config.stores.get(system.name) {
            Some(url) => parse_url(url),
            None => Ok(self.default_url(system)),
        }
    }

    fn default_url(&self, system: &System) -> StoreUrl {
        let path = self.config.data.join(format!("{}.db", system.name));
        StoreUrl::Sqlite { path, durability: plimsoll_store::Durability::Full }
    }

    /// A session on a system's store with its tables up to date; the embedded store is created when absent.
    pub(crate) fn session(&self, system: &System) -> Result<Session, EngineError> {
        let mut session = self.bare_session(system)?;
        setup::prepare(&mut session, Some(system))?;
        Ok(session)
    }

    /// A session on a system's store, whose tables may be missing.
    pub(crate) fn bare_session(&self, system: &System) -> Result<Session, EngineError> {
        let url = self.store_url(system)?;
        if url == self.default_url(system) {
            self.make_data_folder()?;
        }
        self.open(&url)
    }

    /// The address of the control store by the configuration.
    pub(crate) fn control_url(&self) -> Result<StoreUrl, EngineError> {
        match &self.config.control_store {
            Some(url) => parse_url(url),
            None => {
                let path = self.config.data.join("control.db");
                Ok(StoreUrl::Sqlite { path, durability: plimsoll_store::Durability::Full })
            }
        }
    }

    /// A session on the control store with its tables up to date; the embedded one is created when absent. `--store`
    /// names another for commands that work on nothing else.
    pub(crate) fn control_session(&self) -> Result<Session, EngineError> {
        let url = match &self.store {
            Some(url) => parse_url(url)?,
            None => {
                if self.config.control_store.is_none() {
                    self.make_data_folder()?;
                }
                self.control_url()?
            }
        };
        let mut session = self.open(&url)?;
        plimsoll_engine::control::prepare(&mut session)?;
        Ok(session)
    }

    fn make_data_folder(&self) -> Result<(), EngineError> {
        std::fs::create_dir_all(&self.config.data).map_err(|error| {
            EngineError::usage(format!("{}: {error}\nhint: --data DIR", self.config.data.display()))
        })
    }

    /// A session on a store as it is.
    pub(crate) fn open(&self, url: &StoreUrl) -> Result<Session, EngineError> {
        let store = plimsoll_store::open(url)
            .map_err(|error| EngineError::from(error).during(&format!("opening {url}")))?;
        let mut session = Session::new(store, self.config.actor.clone());
        session.request.clone_from(&self.config.request);
        session.progress = self.ui.progress();
        session.probe = crate::fail_point::probe();
        session.switches = Some(Arc::new(AskedFlags::of(self.control_url()?)));
        Ok(session)
    }

    /// A session on an existing store, for reading it without setting anything up.
    pub(crate) fn open_existing(&self, url: &StoreUrl) -> Result<Session, EngineError> {
        if let StoreUrl::Sqlite { path, .. } = url
            && !path.is_file()
        {
            return Err(EngineError::usage(format!(
                "there is no store {}\nhint: `plimsoll run` creates it; --store URL names another",
                path.display()
            )));
        }
        self.open(url)
    }

    /// The session in which an id or its prefix means something, and the id.
    ///
    /// Without a named store, the stores of all systems are asked.
    pub(crate) fn find(&self, named: Named, prefix: &str) -> Result<(Session, Id), EngineError> {
        let mut first_error = None;
        for session in self.journals()? {
            let mut session = session;
            match setup::find_id(&mut session, named, prefix) {
                Ok(id) => return Ok((session, id)),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        Err(first_error
            .unwrap_or_else(|| EngineError::usage("there is no store yet\nhint: --store URL names one")))
    }

    /// A session on every store that has a journal: the named one, or those of all systems.
    pub(crate) fn journals(&self) -> Result<Vec<Session>, EngineError> {
        let named = self.store.as_ref().or(self.config.store.as_ref());
        let urls = match named {
            // An analytical store has a journal of its own kind.
            Some(url) if url.starts_with("duckdb:") => Vec::new(),
            Some(url) => vec![parse_url(url)?],
            None => {
                let mut urls =
                    SYSTEMS.iter().map(|system| self.store_url(system)).collect::<Result<Vec<_>, _>>()?;
                urls.retain(|url| !matches!(url, StoreUrl::Sqlite { path, .. } if !path.is_file()));
                urls
            }
        };
        urls.iter()
            .map(|url| {
                let mut session = self.open_existing(url)?;
                setup::prepare(&mut session, None)?;
                Ok(session)
            })
            .collect()
    }

    /// How a run goes when the command line says nothing else: by the setting `ENABLE_BATCH_PROCESSING`, or where
    /// it is not set by the flag of that name. `batch_size` chooses the batch path whatever they say.
    pub(crate) fn run_settings(
        &self,
        system: &str,
        change: &str,
        batch_size: Option<u64>,
    ) -> Result<RunSettings, EngineError> {
        let switch = match (batch_size, self.config.enable_batch_processing) {
            (Some(_), _) => false,
            (None, Some(switch)) => switch,
            (None, None) => self.batch_flag(system, change)?,
        };
        Ok(self.config.run_settings(switch, batch_size))
    }

    /// What the flag `ENABLE_BATCH_PROCESSING` says of a change kind. A control store is not made for it: where
    /// there is none, there is no flag.
    fn batch_flag(&self, system: &str, change: &str) -> Result<bool, EngineError> {
        let url = self.control_url()?;
        if matches!(&url, StoreUrl::Sqlite { path, .. } if !path.is_file()) {
            return Ok(false);
        }
        let mut session = self.open(&url)?;
        plimsoll_engine::control::prepare(&mut session)?;
        let flags = plimsoll_engine::flag::store::snapshot(&mut session)?;
        let asked = EvaluationContext::of(system).with("system", system).with("change", change);
        let answer = flags.evaluate(BATCH_SWITCH, &asked);
        if answer.reason != Reason::Unknown {
            tracing::info!(flag = BATCH_SWITCH, on = answer.on, reason = ?answer.reason, "the flag chose the path");
        }
        Ok(answer.on)
    }

    /// Where backups go: beside a SQLite store, or in the data folder.
    pub(crate) fn backups(&self, url: &StoreUrl) -> PathBuf {
        match url {
            StoreUrl::Sqlite { path, .. } => {
                path.parent().map_or_else(|| PathBuf::from("backups"), |folder| folder.join("backups"))
            }
            StoreUrl::Postgres { .. } => self.config.data.join("backups"),
        }
    }

    /// The command that takes a run back, as a person would type it.
    pub(crate) fn undo_command(&self, run: &Id) -> String {
        let store = self.store.as_ref().and_then(|url| url.parse::<StoreUrl>().ok());
        let store = store.map(|url| format!(" --store {url}")).unwrap_or_default();
        format!("plimsoll undo {}{store}", run.short())
    }
}

/// The system and change kind that a run or plan names; change kinds such as `undo` have no declaration.
pub(crate) fn declared(
    system: &str,
    change: &str,
) -> Result<(&'static System, Option<&'static dyn ChangeKind>), EngineError> {
    let system = registry::find(system)?;
    Ok((system, system.changes.iter().copied().find(|kind| kind.name() == change)))
}

pub(crate) fn parse_url(url: &str) -> Result<StoreUrl, EngineError> {
    url.parse::<StoreUrl>().map_err(|error| EngineError::usage(error.to_string()))
}
