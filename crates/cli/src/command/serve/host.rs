//! What the server asks of this program: sources by the configuration, and command lines as processes of their own.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::{Ended, Host, OpenedSource};
use plimsoll_store::StoreUrl;

use crate::args::SourceArguments;
use crate::command::{Context, source};

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// This program, for the server that runs in it.
pub(super) struct ServerHost(Context);

impl ServerHost {
    /// With the settings of the command.
    pub(super) fn new(context: &Context) -> Self {
        Self(Context { ui: context.ui, config: context.config.clone(), store: context.store.clone() })
    }

    fn run(&self, words: &[String], actor: &str, limit: Duration) -> std::io::Result<Ended> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(words)
            .arg("--quiet")
            .arg("--data")
            .arg(&self.0.config.data)
            .env("PLIMSOLL_ACTOR", actor);
        if let Some(file) = &self.0.config.file {
            command.arg("--config").arg(file);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let began = Instant::now();
        let code = loop {
            match child.try_wait()? {
                Some(status) => break status.code().unwrap_or(1),
                None if began.elapsed() >= limit => {
                    // It may end by itself at this moment; either way it is gone after the wait.
                    drop(child.kill());
                    drop(child.wait());
                    break 1;
                }
                None => std::thread::sleep(LOOK),
            }
        };
        let text = |reader: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&reader.join().unwrap_or_default()).into_owned()
        };
        Ok(Ended { code, out: text(out), err: text(err) })
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
        let opened = source::open(&self.0, system, change, session, &arguments)?;
        Ok(OpenedSource { fetch: opened.fetch, address: opened.address })
    }

    fn run_settings(&self, system: &str, change: &str) -> Result<RunSettings, EngineError> {
        self.0.run_settings(system, change, None)
    }

    fn backups(&self, store: &StoreUrl) -> PathBuf {
        self.0.backups(store)
    }

    fn approval_required(&self) -> bool {
        self.0.config.approval_required
    }

    fn command(&self, words: &[String], actor: &str, limit: Duration) -> Ended {
        self.run(words, actor, limit).unwrap_or_else(|error| Ended {
            code: 1,
            out: String::new(),
            err: format!("it could not be started: {error}"),
        })
    }
}
