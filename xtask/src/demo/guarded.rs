//! The demo's server as it is anywhere but on loopback for oneself: with people who log in, and a token for programs.
//!
//! Owns who they are. Their passwords are of demo data, on loopback, for as long as a command lasts.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::alive::{self, Alive, Served, Size};
use super::program::Program;
use crate::failure::Failure;
use crate::json;

/// Who logs in, with what they may.
const PEOPLE: &[(&str, &str)] = &[("demo-admin", "admin"), ("demo-viewer", "viewer")];
const PASSWORD: &str = "demo data, no secret";

/// A server that asks who one is.
pub(crate) struct Guarded {
    served: Served,
    token: String,
}

impl Guarded {
    /// Fills a folder of this name beside the demo's, and serves it.
    pub(crate) fn serve(plimsoll: &Path, name: &str, size: Size) -> Result<Self, Failure> {
        let alive = Alive::fill(plimsoll, &alive::folder()?.with_file_name(name), size)?;
        for (person, role) in PEOPLE {
            add(alive.program(), person, role)?;
        }
        // Whoever changes something in the laboratory is one of its people, too.
        let mut words = vec!["run", "gauges", "keep-user"];
        for field in ["user=demo-admin", "full_name=Demo administrator", "role=admin", "reason=demo"] {
            words.extend(["--option", field]);
        }
        alive.program().shown(&words, 0)?;
        let made = alive.program().json(&["token", "create", "demo-script", "--scope", "admin"], 0)?;
        let of = |name| json::text(&made, name).ok_or_else(|| Failure::new(format!("no {name} was made")));
        let token = of("token")?.to_owned();
        let served = alive.serve("127.0.0.1:0", &[("PLIMSOLL_TOKENS", of("line")?)])?;
        Ok(Self { served, token })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        self.served.address()
    }

    /// A token that may everything.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Tells a program where the server is and how to come in.
    pub(crate) fn tell(&self, command: &mut Command) {
        command
            .env("PLIMSOLL_URL", self.address())
            .env("PLIMSOLL_FOLDER", &self.served.program().folder)
            .env("PLIMSOLL_TOKEN", &self.token)
            .env("PLIMSOLL_PASSWORD", PASSWORD);
    }
}

/// Adds somebody; the password goes by standard input, as people do it.
fn add(program: &Program, name: &str, role: &str) -> Result<(), Failure> {
    let mut command = program.command(&["user", "add", name, "--roles", role]);
    let failed = |why: String| Failure::new(format!("user {name}: {why}"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(PASSWORD.as_bytes()).map_err(|error| failed(error.to_string()))?;
    }
    let ended = child.wait().map_err(|error| failed(error.to_string()))?;
    if ended.success() { Ok(()) } else { Err(failed(format!("it ended with {ended}"))) }
}
