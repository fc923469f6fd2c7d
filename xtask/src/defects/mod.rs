//! `cargo xtask defects`: puts defects of the earlier systems back, one at a time, and sees the tests go red.
//!
//! Owns the copy of the project in which it is done, and the judgement. What a defect is - an edit of our
//! source and the tests that must notice - is listed in one module for each system.
//!
//! Invariants: the project itself is never edited; a test counts as red only when it was compiled, ran and
//! failed, and when it is green without the defect; an edit that no longer fits the source is a failure.

mod gauges;
mod hearings;
mod pilot;
mod sync;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::{duckdb, metadata, process, project};

/// A defect of an earlier system.
pub(crate) struct Defect {
    /// The system of ours that must not have it.
    pub(crate) system: &'static str,
    /// Its number in the list of that system, with a letter where it takes several edits.
    pub(crate) number: &'static str,
    /// What the earlier system did.
    pub(crate) what: &'static str,
    /// The edits that put it back.
    pub(crate) edits: &'static [Edit],
    /// The tests that must notice, each for itself.
    pub(crate) tests: &'static [Test],
}

/// A text of a file, which must stand there once, and what it is replaced with.
pub(crate) struct Edit {
    /// The file, relative to the project.
    pub(crate) file: &'static str,
    /// What stands there.
    pub(crate) from: &'static str,
    /// What stands there with the defect.
    pub(crate) to: &'static str,
}

/// A test, as cargo is told to run it.
pub(crate) struct Test {
    /// The package.
    pub(crate) package: &'static str,
    /// The test program.
    pub(crate) program: &'static str,
    /// A part of the name.
    pub(crate) name: &'static str,
}

/// Every known defect.
fn all() -> Vec<&'static Defect> {
    hearings::DEFECTS.iter().chain(sync::DEFECTS).chain(pilot::DEFECTS).chain(gauges::DEFECTS).collect()
}

/// Runs the campaign, or with arguments only the defects that they name: `hearings-3`, or `sync` for all of a system.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let named = |defect: &Defect| format!("{}-{}", defect.system, defect.number);
    let is = |defect: &Defect, name: &str| named(defect) == name || defect.system == name;
    if let Some(unknown) = arguments.iter().find(|name| all().iter().all(|defect| !is(defect, name))) {
        let known: Vec<String> = all().into_iter().map(named).collect();
        return Err(Failure::usage(format!("there is no defect `{unknown}`")).hinted(known.join(" ")));
    }
    let chosen: Vec<&Defect> = all()
        .into_iter()
        .filter(|defect| arguments.is_empty() || arguments.iter().any(|name| is(defect, name)))
        .collect();
    duckdb::ensure(true)?;
    let tree = Tree::copy(&metadata::target_folder()?.join("defects"))?;
    let mut lines = Vec::new();
    let mut missed = 0;
    let mut caught = 0;
    for defect in &chosen {
        println!("\n== {} put back: {}", named(defect), defect.what);
        for edit in defect.edits {
            tree.edit(edit)?;
        }
        let mut noticed = false;
        for test in defect.tests {
            let seen = tree.test(test)?;
            noticed |= seen == Seen::Red;
            missed += u64::from(seen != Seen::Red);
            lines.push(format!("{:<13} {seen:<9} {}", named(defect), shown(test)));
        }
        caught += u64::from(noticed);
        for edit in defect.edits {
            tree.restore(edit.file)?;
        }
    }
    println!("\n== none put back");
    for test in chosen.iter().flat_map(|defect| defect.tests) {
        let seen = tree.test(test)?;
        if seen != Seen::Green {
            missed += 1;
            lines.push(format!("{:<13} {seen:<9} {}", "without", shown(test)));
        }
    }
    println!("\n{:<13} {:<9} test", "defect", "seen");
    lines.iter().for_each(|line| println!("{line}"));
    let tests: usize = chosen.iter().map(|defect| defect.tests.len()).sum();
    println!(
        "defects: {caught}/{} caught, put back one at a time; {tests} tests looked at, {missed} not as they must be",
        chosen.len()
    );
    if missed == 0 {
        Ok(())
    } else {
        Err(Failure::new("a defect was put back and not noticed, or a test is red anyway"))
    }
}

fn shown(test: &Test) -> String {
    format!("{} {} {}", test.package, test.program, test.name)
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Red,
    Green,
    /// Nothing ran: the defect does not compile, or no test has that name.
    Nothing,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Red => "red",
            Self::Green => "GREEN",
            Self::Nothing => "NOT RUN",
        })
    }
}

/// The copy of the project.
struct Tree {
    folder: PathBuf,
}

impl Tree {
    /// Copies every file of the project that differs, so that cargo compiles anew only what has changed.
    fn copy(folder: &Path) -> Result<Self, Failure> {
        let tree = Self { folder: folder.to_owned() };
        for path in project::files()? {
            tree.restore(&path)?;
        }
        // The prebuilt library is shared, not fetched again.
        let tools = folder.join(".tools");
        if !tools.exists() {
            let made = std::os::unix::fs::symlink(project::root().join(".tools"), &tools);
            made.map_err(|error| unwritten(&tools, &error))?;
        }
        Ok(tree)
    }

    /// Makes a file what it is in the project.
    fn restore(&self, path: &str) -> Result<(), Failure> {
        let from = project::root().join(path);
        let to = self.folder.join(path);
        let read = |path: &Path| fs::read(path).map_err(|error| unwritten(path, &error));
        let content = read(&from)?;
        if to.is_file() && read(&to)? == content {
            return Ok(());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|error| unwritten(parent, &error))?;
        }
        fs::write(&to, content).map_err(|error| unwritten(&to, &error))
    }

    fn edit(&self, edit: &Edit) -> Result<(), Failure> {
        let path = self.folder.join(edit.file);
        let text = project::read_text(&path)?.unwrap_or_default();
        let edited = edited(&text, edit)?;
        fs::write(&path, edited).map_err(|error| unwritten(&path, &error))
    }

    fn test(&self, test: &Test) -> Result<Seen, Failure> {
        let mut command = process::cargo();
        command.current_dir(&self.folder);
        // One package alone would be built with other features, and every large dependency anew for it.
        command.args(["test", "--workspace", "--test", test.program, "--", test.name]);
        // A folder of its own: cargo names what it builds by places within the workspace, so in a shared one the project
        // would afterwards be given what was built from the copy, and with a defect in it.
        command.env("CARGO_TARGET_DIR", self.folder.join("target"));
        let (_, told) = process::capture_with_codes(&mut both_outputs(command), &[0, 101])?;
        println!("{}: {}", shown(test), summary(&told));
        Ok(judge(&told))
    }
}

/// The command, with its errors in its output, because a compiler's are wanted when nothing ran.
fn both_outputs(command: Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} could not be read or written: {error}", path.display()))
}

fn edited(text: &str, edit: &Edit) -> Result<String, Failure> {
    match text.matches(edit.from).count() {
        1 => Ok(text.replacen(edit.from, edit.to, 1)),
        count => Err(Failure::new(format!("{} has {count} times, not once:\n{}", edit.file, edit.from))
            .hinted("the source has changed; write the defect anew in xtask/src/defects")),
    }
}

/// The summary line of cargo's test runner, or the first error of the compiler.
fn summary(told: &str) -> &str {
    let line = |start: &str| told.lines().find(|line| line.starts_with(start));
    line("test result:").or_else(|| line("error")).unwrap_or("nothing was told")
}

fn judge(told: &str) -> Seen {
    let summary = summary(told);
    let count = |what: &str| {
        let before = summary.split(what).next().unwrap_or_default();
        before.split_whitespace().next_back().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0)
    };
    if !summary.starts_with("test result:") {
        return Seen::Nothing;
    }
    match (count(" passed"), count(" failed")) {
        (_, 1..) => Seen::Red,
        (0, 0) => Seen::Nothing,
        _ => Seen::Green,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_red_only_when_it_ran_and_failed() {
        let told = "running 2 tests\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 3 filtered out";
        assert_eq!(judge(told), Seen::Red);
        assert_eq!(judge("test result: ok. 2 passed; 0 failed; 0 ignored"), Seen::Green);
        assert_eq!(judge("test result: ok. 0 passed; 0 failed; 0 ignored; 9 filtered out"), Seen::Nothing);
        assert_eq!(judge("error[E0308]: mismatched types"), Seen::Nothing);
        assert_eq!(judge(""), Seen::Nothing);
    }

    #[test]
    fn every_defect_fits_the_source_and_has_a_test() {
        for defect in all() {
            assert!(!defect.tests.is_empty(), "{}-{}", defect.system, defect.number);
            for edit in defect.edits {
                let text = project::read_text(&project::root().join(edit.file)).unwrap().unwrap();
                let edited = edited(&text, edit).unwrap_or_else(|failure| panic!("{failure}"));
                assert_ne!(edited, text, "{}-{}", defect.system, defect.number);
            }
        }
    }
}
