//! The host: this same binary carries out a schedule's command line, as a process of its own.
//!
//! Owns starting it, its time limit, and keeping the end of what it prints. There is no shell: each word is one
//! argument. A process of its own, so that a command that fails in any way does not take the server with it.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use plimsoll_engine::schedule::{Ended, Host};

use crate::command::Context;

/// How much of what is printed is kept, in bytes.
const KEPT: usize = 8_192;
/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Runs command lines with this binary.
pub(crate) struct BinaryHost {
    config: Option<PathBuf>,
    data: PathBuf,
    actor: String,
}

impl BinaryHost {
    /// A host with the settings of this process.
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            config: context.config.file.clone(),
            data: context.config.data.clone(),
            actor: context.config.actor.clone(),
        }
    }

    fn start(&self, words: &[String]) -> std::io::Result<Child> {
        let reports = self.data.join("reports");
        std::fs::create_dir_all(&reports)?;
        let reports = reports.to_string_lossy();
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words.iter().map(|word| word.replace("{reports}", &reports)));
        command.arg("--quiet").arg("--data").arg(&self.data).env("PLIMSOLL_ACTOR", &self.actor);
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

impl Host for BinaryHost {
    fn run(&self, command: &[String], limit: Duration) -> Ended {
        let mut child = match self.start(command) {
            Ok(child) => child,
            Err(error) => return Ended { code: 1, output: format!("it could not be started: {error}") },
        };
        let kept = Arc::new(Mutex::new(Vec::new()));
        let mut readers = Vec::new();
        for pipe in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            let kept = Arc::clone(&kept);
            readers.push(std::thread::spawn(move || keep_end(pipe, &kept)));
        }
        let (code, note) = wait(&mut child, limit);
        for reader in readers {
            drop(reader.join());
        }
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut output = String::from_utf8_lossy(&kept).into_owned();
        if let Some(note) = note {
            output.push_str(&note);
        }
        Ended { code, output }
    }
}

fn boxed(pipe: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(pipe)
}

fn keep_end(mut pipe: Box<dyn Read + Send>, kept: &Mutex<Vec<u8>>) {
    let mut part = [0; 4_096];
    while let Ok(length @ 1..) = pipe.read(&mut part) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&part[..length]);
        let more = kept.len().saturating_sub(KEPT);
        kept.drain(..more);
    }
}

/// The exit code; at the limit the process is ended.
fn wait(child: &mut Child, limit: Duration) -> (i32, Option<String>) {
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                let ended = status.code();
                let note = ended.is_none().then(|| format!("\nit was ended from outside: {status}"));
                return (ended.unwrap_or(1), note);
            }
            Ok(None) if began.elapsed() < limit => std::thread::sleep(LOOK),
            Ok(None) => {
                // It may end by itself at this moment; either way it is gone after the wait.
                drop(child.kill());
                drop(child.wait());
                let minutes = limit.as_secs() / 60;
                return (1, Some(format!("\nit was ended, because it took longer than {minutes} minutes")));
            }
            Err(error) => return (1, Some(format!("\nit cannot be waited for: {error}"))),
        }
    }
}
