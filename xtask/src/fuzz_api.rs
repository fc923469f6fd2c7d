//! `cargo xtask fuzz-api`: every route of the API under requests that its own description makes up.
//!
//! Owns schemathesis - a pinned version from its Python package, in `.tools/schemathesis` - and what it is asked to do: every
//! route of the served OpenAPI document, with what the document allows and what it does not, in the name of a token that may
//! everything. The one thing it judges is that the server never fails; what routes answer is held by tests.
//!
//! Streams of events are left out: they have no end.

use std::path::PathBuf;
use std::process::Command;

use crate::demo::alive;
use crate::demo::guarded::Guarded;
use crate::failure::Failure;
use crate::{campaigns, packages, process, project};

const FOLDER: &str = ".tools/schemathesis";
const PACKAGE: &str = "schemathesis==4.32.5";
/// How many requests are made up for each route, where nobody says otherwise.
const EXAMPLES: &str = "15";

/// Runs the command; arguments go to `schemathesis run`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let program = ensure()?;
    let plimsoll = campaigns::build_plimsoll(campaigns::Profile::Dev)?;
    let server = Guarded::serve(&plimsoll, "demo-fuzz", alive::SMALL)?;
    let mut command = Command::new(program);
    command
        // It keeps what it learned in the folder in which it is started.
        .current_dir(project::root().join(FOLDER))
        .args(["run", &format!("{}/api/v1/openapi.json", server.address())])
        .args(["--checks", "not_a_server_error", "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--request-timeout", "35", "--continue-on-failure"])
        .args(["--exclude-path-regex", "events$", "--warnings", "off", "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", server.token())])
        .args(arguments);
    process::run(&mut command)
}

/// The program, installed into a folder of its own unless it is there.
fn ensure() -> Result<PathBuf, Failure> {
    let folder = project::root().join(FOLDER);
    let program = folder.join("bin/schemathesis");
    let wanted = PACKAGE.rsplit('=').next().unwrap_or_default();
    let is_there = || {
        let version = process::capture(Command::new(&program).arg("--version"));
        version.is_ok_and(|text| text.trim().ends_with(wanted))
    };
    if is_there() {
        return Ok(program);
    }
    if !process::works("python3", &["-m", "ensurepip", "--version"]) {
        packages::install("python3-venv", "")?;
    }
    println!("fuzz-api: installing {PACKAGE} into {}", folder.display());
    process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    process::run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
    if is_there() { Ok(program) } else { Err(Failure::new(format!("{PACKAGE} does not start"))) }
}
