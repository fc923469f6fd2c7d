//! `pilot`: moving customers from the legacy side to the new one, one by one.
//!
//! Owns dispatch and opening both sides. Each verb is a module of its own.

mod certificate;
mod drive;
mod enrol;
mod moving;
mod print;
mod run;
mod select;
mod show;
mod status;

use std::process::ExitCode;

use plimsoll_engine::pilot::select::prepare;
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::{Store, StoreUrl};

pub(in crate::command) use self::drive::KEY as CERTIFICATE_KEY;
use super::Context;
use crate::args::PilotCommand;
use crate::registry::PILOT_SIDES;

/// Runs one of the commands on a pilot.
pub(crate) fn execute(context: &Context, command: PilotCommand) -> Result<ExitCode, EngineError> {
    match command {
        PilotCommand::Select(arguments) => select::execute(context, &arguments),
        PilotCommand::Show(arguments) => show::execute(context, &arguments),
        PilotCommand::Enrol(arguments) => enrol::execute(context, &arguments),
        PilotCommand::Run(arguments) => run::execute(context, &arguments),
        PilotCommand::Status(arguments) => status::execute(context, arguments.customer.as_deref()),
        PilotCommand::Start(arguments) => moving::start(context, &arguments),
        PilotCommand::Pause(arguments) => moving::pause(context, &arguments),
        PilotCommand::Resume(arguments) => moving::resume(context, &arguments),
        PilotCommand::Advance(arguments) => moving::advance(context, &arguments),
        PilotCommand::Rollback(arguments) => moving::rollback(context, &arguments),
        PilotCommand::Certificate(arguments) => certificate::execute(context, &arguments),
        PilotCommand::Read(arguments) => run::read(context, &arguments),
        PilotCommand::Sync(arguments) => run::sync(context, &arguments.customer),
        PilotCommand::Report(arguments) => status::report(context, &arguments),
    }
}

impl Context {
    /// The addresses of the pilot's sides, legacy and new.
    pub(in crate::command) fn pilot_urls(&self) -> Result<[StoreUrl; 2], EngineError> {
        let [legacy, new] = &PILOT_SIDES;
        let urls = [self.store_url(legacy.system)?, self.store_url(new.system)?];
        if urls[0] == urls[1] {
            return Err(EngineError::usage(
                "both sides would be one database\nhint: leave out --store; name each in `[stores]` of plimsoll.toml",
            ));
        }
        Ok(urls)
    }

    /// A session on the new side with the tables of selections.
    pub(in crate::command) fn new_side(&self) -> Result<Session, EngineError> {
        self.pilot_urls()?;
        let mut session = self.session(PILOT_SIDES[1].system)?;
        prepare(&mut session)?;
        Ok(session)
    }

    /// The legacy side, strictly to read it.
    fn legacy_to_read(&self) -> Result<Box<dyn Store>, EngineError> {
        let [legacy, _] = self.pilot_urls()?;
        match &legacy {
            StoreUrl::Sqlite { path, .. } => plimsoll_store::read_only_sqlite(path).map_err(|error| {
                EngineError::from(error).during(&format!(
                    "opening {legacy}, the legacy side (`[stores]` of plimsoll.toml names it)"
                ))
            }),
            StoreUrl::Postgres { .. } => Ok(self.open_existing(&legacy)?.store),
        }
    }
}
