//! What the server asks of this program: sources by the configuration, and command lines as processes of their own.

use std::path::PathBuf;
use std::time::Duration;

use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::{Ended, Host, OpenedSource};
use plimsoll_store::StoreUrl;

use crate::args::SourceArguments;
use crate::command::own_program::{OwnProgram, wait};
use crate::command::{Context, source};

/// This program, for the server that runs in it.
pub(super) struct ServerHost {
    context: Context,
    program: OwnProgram,
}

impl ServerHost {
    /// With the settings of the command.
    pub(super) fn new(context: &Context) -> Self {
        Self { context: Context { ui: context.ui, ..context.silent() }, program: OwnProgram::of(context) }
    }

    fn run(
        &self,
        words: &[String],
        actor: &str,
        request: Option<&str>,
        limit: Duration,
    ) -> std::io::Result<Ended> {
        let mut child = self.program.start(words, actor, request)?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let (code, note) = wait(&mut child, limit);
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
        };
        Ok(Ended { code, out: text(out), err: text(err) + &note.unwrap_or_default() })
    }
}

fn collect(pipe: Option<impl std::io::Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is all there is.
            drop(pipe.read_to_end(&mut bytes));
        }
        bytes
    })
}

impl Host for ServerHost {
    fn source(
        &self,
        system: &System,
        change: &'static dyn ChangeKind,
        session: &Session,
    ) -> Result<OpenedSource, EngineError> {
        let arguments = SourceArguments { source: None, since: None, save: None, options: Vec::new() };
        let opened = source::open(&self.context, system, change, session, &arguments)?;
        Ok(OpenedSource { fetch: opened.fetch, address: opened.address })
    }

    fn run_settings(&self, system: &str, change: &str) -> Result<RunSettings, EngineError> {
        self.context.run_settings(system, change, None)
    }

    fn backups(&self, store: &StoreUrl) -> PathBuf {
        self.context.backups(store)
    }

    fn approval_required(&self) -> bool {
        self.context.config.approval_required
    }

    fn command(&self, words: &[String], actor: &str, request: Option<&str>, limit: Duration) -> Ended {
        self.run(words, actor, request, limit).unwrap_or_else(|error| Ended {
            code: 1,
            out: String::new(),
            err: format!("it could not be started: {error}"),
        })
    }
}
