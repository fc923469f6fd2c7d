//! `cargo xtask generate`: files that are written by the product itself, committed, and checked.
//!
//! Owns the table of generated files. To add one, add a row: its path and the function that makes its
//! whole text. `--check` writes nothing and fails if a committed file differs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::{campaigns, dashboards, generate_opencode, process, project};

/// A generated file; the dashboards come in front of these.
struct Generated {
    /// Path relative to the project's folder.
    path: &'static str,
    /// Makes the whole text of the file.
    make: fn() -> Result<String, Failure>,
}

const FILES: &[Generated] = &[
    Generated { path: "docs/reference/cli.md", make: || reference(&[]) },
    Generated { path: "docs/reference/openapi.json", make: || reference(&["openapi"]) },
    Generated { path: "docs/reference/metrics.md", make: || reference(&["metrics"]) },
    Generated { path: "docs/reference/opencode.md", make: || reference(&["opencode"]) },
];

/// Writes every generated file, or compares them with `--check`.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let check = match arguments {
        [] => false,
        [only] if only == "--check" => true,
        [store, rest @ ..] if store == "opencode" => return generate_opencode::run(rest),
        _ => return Err(Failure::usage("generate takes only --check, or `opencode` and its arguments")),
    };
    let mut stale = Vec::new();
    // What needs no compilation comes first.
    for (name, text) in dashboards::files()? {
        stale.extend(settle(name, &text, check)?);
    }
    for file in FILES {
        stale.extend(settle(file.path.to_owned(), &(file.make)()?, check)?);
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("out of date: {}", stale.join(", ")))
        .hinted("cargo xtask generate, then commit what it wrote"))
}

/// Writes a file whose text differs; with `check` its name is returned instead.
fn settle(name: String, text: &str, check: bool) -> Result<Option<String>, Failure> {
    let path = project::root().join(&name);
    if fs::read_to_string(&path).is_ok_and(|current| current == text) {
        println!("generate: {name} is up to date");
        return Ok(None);
    }
    if check {
        println!("generate: {name} is OUT OF DATE");
        return Ok(Some(name));
    }
    write(&path, text)?;
    println!("generate: {name} written");
    Ok(None)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{} could not be written: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

/// A reference, as the binary itself prints it: of the command line, or of the system named.
fn reference(of: &[&str]) -> Result<String, Failure> {
    let plimsoll = campaigns::build_plimsoll(campaigns::Profile::Dev)?;
    let text = process::capture(Command::new(plimsoll).arg("reference").args(of))?;
    if text.trim().is_empty() {
        return Err(Failure::new("`plimsoll reference` printed nothing"));
    }
    Ok(text)
}
