//! `cargo xtask invariants`: the architecture, held by reading manifests and source text.
//!
//! Owns the list of rules and how their findings are shown. What the compiler or clippy can hold
//! (unsafe code, disallowed functions, unwraps) is left to them. Each rule is a pure function over
//! packages or files, and has a test with a planted violation.

mod layers;
mod machine;
mod ops;
mod sources;

use crate::failure::Failure;
use crate::{metadata, project};

/// What a rule found: where, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// A path relative to the project, with `:line` where there is one.
    place: String,
    /// What is wrong, and the rule in a few words.
    what: String,
}

impl Violation {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

/// A text file of the project, with its path relative to the project's folder.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    path: String,
    text: String,
}

impl TextFile {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Runs every rule, lists what it found, and fails if there is anything but warnings.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("invariants takes no argument, got `{argument}`")));
    }
    let packages = metadata::workspace()?;
    let paths = project::files()?;
    let mut files = Vec::new();
    for path in &paths {
        if let Some(text) = project::read_text(&project::root().join(path))? {
            files.push(TextFile { path: path.clone(), text });
        }
    }
    let rust: Vec<TextFile> = files.iter().filter(|file| file.is_rust()).cloned().collect();
    let systems = layers::systems(&packages);

    let rules = [
        ("dependencies point from the core outwards only", layers::direction(&packages)),
        ("one crate per outside interface", layers::reserved(&packages)),
        ("xtask stands alone", layers::xtask(&packages)),
        ("systems are named in the registry only", sources::system_names(&rust, &systems)),
        ("every Rust file begins with //!", sources::headers(&rust)),
        ("no Rust file over 800 lines", sources::too_long(&rust)),
        ("clippy's rules hold for systems too", sources::unrepeated_lints(&files)),
        ("no grab-bag modules", sources::names(&paths, &rust)),
        ("every alert has a severity, a runbook and tests", ops::alerts(&files)),
        ("rules, dashboards and runbooks ask for metrics that exist", ops::metrics(&files)),
        ("no absolute machine path", machine::paths(&files)),
        ("no host name of a package registry", machine::registries(&files)),
    ];

    for warning in sources::rather_long(&rust) {
        println!("warning: {}: {}", warning.place, warning.what);
    }
    let mut found = 0;
    for (rule, violations) in &rules {
        println!("{} {rule}", if violations.is_empty() { "ok  " } else { "FAIL" });
        for violation in violations {
            println!("     {}: {}", violation.place, violation.what);
        }
        found += violations.len();
    }
    println!(
        "{} rules, {} packages, {} text files: {found} violations",
        rules.len(),
        packages.len(),
        files.len()
    );
    match found {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{found} violations of the architecture's rules")).hinted(
            "the rules and their reasons are in ARCHITECTURE.md; move the code, do not widen the rule",
        )),
    }
}

#[cfg(test)]
fn file(path: &str, text: &str) -> TextFile {
    TextFile { path: path.to_owned(), text: text.to_owned() }
}
