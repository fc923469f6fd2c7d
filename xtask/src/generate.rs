//! `cargo xtask generate`: files that are written by the product itself, committed, and checked.
//!
//! Owns the table of generated files. To add one, add a row: its path and the function that makes its
//! whole text. `--check` writes nothing and fails if a committed file differs.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::Failure;
use crate::{campaigns, generate_opencode, process, project};

/// A generated file.
struct Generated {
    /// Path relative to the project's folder.
    path: &'static str,
    /// Makes the whole text of the file.
    make: fn() -> Result<String, Failure>,
}

const FILES: &[Generated] = &[
    Generated { path: "docs/reference/cli.md", make: || reference(&[]) },
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
    for file in FILES {
        let text = (file.make)()?;
        let path = project::root().join(file.path);
        if fs::read_to_string(&path).is_ok_and(|current| current == text) {
            println!("generate: {} is up to date", file.path);
        } else if check {
            println!("generate: {} is OUT OF DATE", file.path);
            stale.push(file.path);
        } else {
            write(&path, &text)?;
            println!("generate: {} written", file.path);
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("out of date: {}", stale.join(", ")))
        .hinted("cargo xtask generate, then commit what it wrote"))
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
