//! Packages from npm that tests read: conformance suites that live there.
//!
//! Owns fetching one package at one version into the ignored folder `.tools/npm`. Nothing of it is part of the project, no
//! script of a package is run, and where npm or the registry is not there, the test is skipped with a message.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The folder of a package at a version; `None`, with a printed line, where it is not to be had.
pub fn package(name: &str, version: &str) -> Option<PathBuf> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/npm");
    let home = root.join(format!("{}-{version}", name.trim_start_matches('@').replace('/', "-")));
    let folder = home.join("node_modules").join(name);
    if folder.join("package.json").is_file() {
        return Some(folder);
    }
    let installed = std::fs::create_dir_all(&home).and_then(|()| {
        Command::new("npm")
            .args([
                "install",
                "--no-save",
                "--no-package-lock",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ])
            .arg("--prefix")
            .arg(&home)
            .arg(format!("{name}@{version}"))
            .stdin(Stdio::null())
            .output()
    });
    match installed {
        Ok(output) if output.status.success() && folder.join("package.json").is_file() => Some(folder),
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            skipped(name, version, why.lines().next().unwrap_or("npm failed"));
            None
        }
        Err(error) => {
            skipped(name, version, &format!("npm: {error}"));
            None
        }
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(name: &str, version: &str, why: &str) {
    eprintln!("skipped: the npm package {name} {version} is not to be had here ({why})");
}
