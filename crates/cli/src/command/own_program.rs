//! This program, started once more for a command line of its own.
//!
//! Owns how it is started - with the settings of this process, without a shell: each word is one argument - and how long
//! it may take. What becomes of its output is the caller's. A process of its own, so that a command that fails in any way
//! does not take the caller with it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::Context;
use crate::config::REQUEST;

/// How often the process is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// This program with the settings of this process.
pub(crate) struct OwnProgram {
    config: Option<PathBuf>,
    pub(crate) data: PathBuf,
}

impl OwnProgram {
    /// With the settings of a context.
    pub(crate) fn of(context: &Context) -> Self {
        Self { config: context.config.file.clone(), data: context.config.data.clone() }
    }

    /// Starts a command line in somebody's name, for a request of the server where there is one; its output is piped.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub(crate) fn start(
        &self,
        words: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
        actor: &str,
        request: Option<&str>,
    ) -> std::io::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(words).arg("--quiet").arg("--data").arg(&self.data).env("PLIMSOLL_ACTOR", actor);
        if let Some(request) = request {
            command.env(REQUEST, request);
        }
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }
}

/// The exit code, and what there is to say about it; at the limit the process is ended.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> (i32, Option<String>) {
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
