//! `cargo xtask browser`: the web app in a real browser, on the real binary, over demo data of all five systems.
//!
//! Owns finding Chromium, and starting the scripts of `ui/e2e` in order. What they do and how they judge it is theirs. Data,
//! server and simulators are the demo's ([`crate::demo::guarded`]), in a folder of their own.
//!
//! Invariant: the server listens on loopback and has users, so every page is seen by somebody who logged in.

use std::path::PathBuf;
use std::process::Command;

use crate::demo::alive::{self, Size};
use crate::demo::guarded::Guarded;
use crate::failure::Failure;
use crate::{campaigns, packages, process, ui};

/// Runs the command: every script, or those that are named; a word that names no script is a flow of `run.mjs`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (scripts, flows): (Vec<String>, Vec<String>) =
        arguments.iter().cloned().partition(|word| word.ends_with(".mjs"));
    let opened = serve(alive::SMALL)?;
    if arguments.is_empty() || !flows.is_empty() {
        opened.script("run.mjs", &flows)?;
    }
    let looks = if arguments.is_empty() { vec!["look.mjs".to_owned()] } else { scripts };
    looks.iter().try_for_each(|script| opened.script(script, &[]))
}

/// Measures the app in the browser; `cargo xtask bench web`.
pub(crate) fn measure(arguments: &[String]) -> Result<(), Failure> {
    serve(alive::MISSION)?.script("measure.mjs", arguments)
}

/// A guarded server, and the browser.
struct Opened {
    server: Guarded,
    chromium: PathBuf,
}

fn serve(size: Size) -> Result<Opened, Failure> {
    let chromium = chromium()?;
    println!("web app: {}", ui::ensure(true));
    let plimsoll = campaigns::build_plimsoll(campaigns::Profile::Dev)?;
    Ok(Opened { server: Guarded::serve(&plimsoll, "demo-browser", size)?, chromium })
}

impl Opened {
    fn script(&self, script: &str, arguments: &[String]) -> Result<(), Failure> {
        let mut command = ui::node()?;
        self.server.tell(&mut command);
        command.arg(format!("e2e/{script}")).args(arguments).env("CHROMIUM", &self.chromium);
        process::run(&mut command)
    }
}

/// The browser that `CHROMIUM` names, or the distribution's, installed where we may.
fn chromium() -> Result<PathBuf, Failure> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Ok(PathBuf::from(named));
    }
    let found = || {
        let path = process::capture(Command::new("sh").args(["-c", "command -v chromium"])).ok()?;
        Some(PathBuf::from(path.trim()))
    };
    if let Some(path) = found() {
        return Ok(path);
    }
    println!("Chromium is missing; installing the distribution's package `chromium`");
    packages::install("chromium", "")?;
    found().ok_or_else(|| {
        Failure::new("Chromium was installed and is not on the path")
            .hinted("name the browser in the variable CHROMIUM")
    })
}
