//! Steps as processes: this same program, started again with the same settings.
//!
//! Owns starting, the time limit, and what a child inherits: its arguments are words, never text for a shell.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration as Span, Instant};

use clap::{CommandFactory as _, Parser as _};
use plimsoll_core::gate::Duration;
use plimsoll_engine::playbook::{Alarm, Ended, Host};
use plimsoll_engine::{EngineError, ErrorKind, Session};

use crate::args::Arguments;
use crate::command::Context;
use crate::registry;

/// How often a child is looked at.
const LOOK_EVERY: Span = Span::from_millis(20);

/// This program as its own host.
pub(super) struct SelfHost<'a> {
    pub(super) context: &'a Context,
    pub(super) gates: Vec<String>,
}

impl<'a> SelfHost<'a> {
    pub(super) fn new(context: &'a Context) -> Result<Self, EngineError> {
        let gates = context.gates()?.iter().map(|(gate, _)| gate.gate.clone()).collect();
        Ok(Self { context, gates })
    }

    fn command(&self, words: &[String]) -> Result<Command, EngineError> {
        let program = std::env::current_exe().map_err(failed)?;
        let mut command = Command::new(program);
        command.args(words).arg("--quiet");
        command.arg("--data").arg(&self.context.config.data);
        if let Some(file) = &self.context.config.file {
            command.arg("--config").arg(file);
        }
        // `--store` of a playbook names the control store; a step on another store says so itself.
        let on_control =
            words.first().is_some_and(|word| ["gate", "flag", "playbook", "alert"].contains(&word.as_str()));
        if let Some(store) = &self.context.store
            && on_control
            && !words.iter().any(|word| word == "--store")
        {
            command.arg("--store").arg(store);
        }
        command.env("PLIMSOLL_ACTOR", &self.context.config.actor);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }
}

fn failed(error: impl std::fmt::Display) -> EngineError {
    EngineError::new(ErrorKind::Stopped, format!("a step could not be started: {error}"))
}

impl Host for SelfHost<'_> {
    fn run(
        &mut self,
        words: &[String],
        limit: Duration,
        started: &mut dyn FnMut(u32) -> Result<(), EngineError>,
    ) -> Result<Ended, EngineError> {
        let mut child = self.command(words)?.spawn().map_err(failed)?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        if let Err(error) = started(child.id()) {
            stop(&mut child);
            return Err(error);
        }
        let began = Instant::now();
        let code = loop {
            match child.try_wait().map_err(failed)? {
                Some(status) => break status.code(),
                None if began.elapsed() > Span::from_millis(limit.ms) => {
                    stop(&mut child);
                    break None;
                }
                None => std::thread::sleep(LOOK_EVERY),
            }
        };
        let text = |collected: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8_lossy(&collected.join().unwrap_or_default()).into_owned()
        };
        Ok(Ended { code, out: text(out), err: text(err) })
    }

    fn problem(&self, words: &[String]) -> Option<String> {
        let all = std::iter::once("plimsoll").chain(words.iter().map(String::as_str));
        let error = Arguments::try_parse_from(all).err()?;
        let text = error.to_string();
        text.lines().next().map(|line| line.trim_start_matches("error: ").to_owned())
    }

    fn has_system(&self, name: &str) -> bool {
        registry::find(name).is_ok() || registry::find_analytic(name).is_ok()
    }

    fn has_command(&self, name: &str) -> bool {
        Arguments::command().find_subcommand(name).is_some()
    }

    fn has_gate(&self, name: &str) -> bool {
        self.gates.iter().any(|known| known == name)
    }

    fn alert(&mut self, session: &mut Session, alarm: &Alarm) -> Result<(), EngineError> {
        super::alert::raise(self.context, session, alarm)
    }
}

fn stop(child: &mut Child) {
    // It may have ended by itself just now; then there is nothing to end.
    drop(child.kill());
    drop(child.wait());
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What was read before an error is all there is.
            drop(pipe.read_to_end(&mut bytes));
        }
        bytes
    })
}
