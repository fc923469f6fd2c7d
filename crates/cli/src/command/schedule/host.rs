//! The host: this same binary carries out a schedule's command line, as a process of its own.
//!
//! Owns where reports go, and keeping the end of what is printed. Starting it and its time limit are
//! [`crate::command::own_program`]'s.

use std::io::Read;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plimsoll_engine::schedule::{Ended, Host};

use crate::command::Context;
use crate::command::own_program::{OwnProgram, wait};

/// How much of what is printed is kept, in bytes.
const KEPT: usize = 8_192;

/// Runs command lines with this binary.
pub(crate) struct BinaryHost {
    program: OwnProgram,
    actor: String,
}

impl BinaryHost {
    /// A host with the settings of this process.
    pub(crate) fn new(context: &Context) -> Self {
        Self { program: OwnProgram::of(context), actor: context.config.actor.clone() }
    }

    fn start(&self, words: &[String]) -> std::io::Result<Child> {
        let reports = self.program.data.join("reports");
        std::fs::create_dir_all(&reports)?;
        let reports = reports.to_string_lossy();
        self.program.start(words.iter().map(|word| word.replace("{reports}", &reports)), &self.actor, None)
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
