//! `cargo xtask coverage`: which lines of the product the tests run.
//!
//! Owns the instrumented run of all tests, the figures by crate, and the evidence that `plimsoll trial` takes.
//! Finding LLVM's tools is `tools`', reading what they say and leaving the tests' own lines out is `lines`'.
//!
//! Decisions: only this workspace's crates are instrumented (a wrapper around rustc for its members), so that
//! nothing else is compiled anew. Lines of test code do not count, covered or not. The total is that of the
//! product: `testkit` and `xtask` are shown and left out of it. A process that a test kills with -9 tells
//! nothing of what it ran, so the figure is a lower bound.

mod lines;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::{json, metadata, process, project, setup};
use lines::Figures;

/// Crates that are not the product.
const NOT_THE_PRODUCT: &[&str] = &["crates/testkit", "xtask"];

struct Options {
    install: bool,
    evidence: Option<PathBuf>,
    uncovered: Option<PathBuf>,
    filter: Vec<String>,
}

impl Options {
    fn read(arguments: &[String]) -> Result<Self, Failure> {
        let mut options = Self { install: true, evidence: None, uncovered: None, filter: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let mut file = || {
                rest.next().map(PathBuf::from).ok_or_else(|| Failure::usage(format!("{word} needs a file")))
            };
            match word.as_str() {
                "--no-install" => options.install = false,
                "--evidence" => options.evidence = Some(file()?),
                "--uncovered" => options.uncovered = Some(file()?),
                "--" => {
                    options.filter = rest.cloned().collect();
                    break;
                }
                other => return Err(Failure::usage(format!("coverage does not take {other}"))),
            }
        }
        if options.evidence.is_some() && !options.filter.is_empty() {
            return Err(Failure::usage("a part of the tests is no evidence for the whole"));
        }
        Ok(options)
    }
}

/// Runs the tests instrumented and prints the coverage of each crate; arguments after `--` go to the runner.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let options = Options::read(arguments)?;
    // Looked for before the long part.
    let tools = tools::find(options.install)?;
    println!("coverage: {}", tools.coverage.display());
    let found = setup::prepare(options.install)?;
    let folder = metadata::target_folder()?.join("coverage");
    let raw = folder.join("raw");
    if raw.exists() {
        fs::remove_dir_all(&raw).map_err(|error| unwritten(&raw, &error))?;
    }
    fs::create_dir_all(&raw).map_err(|error| unwritten(&raw, &error))?;
    let instrumented = Instrumented { wrapper: wrapper(&folder)?, raw: raw.clone() };

    let objects = objects(&instrumented)?;
    let mut tests = instrumented.cargo();
    tests.args(if found.nextest { ["nextest", "run"] } else { ["test", "--tests"] });
    tests.args(["--workspace", "--no-fail-fast"]).args(&options.filter);
    let tested = process::run(&mut tests);

    let merged = folder.join("merged.profdata");
    merge(&tools, &raw, &merged)?;
    let report = export(&tools, &merged, &objects)?;
    let figures = lines::read(&report, &project::root())?;
    let total = print(&figures)?;
    if let Some(file) = &options.uncovered {
        fs::write(file, lines::uncovered(&figures)).map_err(|error| unwritten(file, &error))?;
        println!("written: {}", file.display());
    }
    tested?;
    if let Some(file) = &options.evidence {
        fs::write(file, evidence(total)?).map_err(|error| unwritten(file, &error))?;
        println!("written: {}; `plimsoll trial --evidence` reads it", file.display());
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} could not be written: {error}", path.display()))
}

/// How cargo is started so that this workspace's crates count what they run.
struct Instrumented {
    wrapper: PathBuf,
    raw: PathBuf,
}

impl Instrumented {
    fn cargo(&self) -> Command {
        let mut command = process::cargo();
        // A few files for each program (`%4m`), merged as the processes end, instead of one for each process.
        command
            .env("RUSTC_WORKSPACE_WRAPPER", &self.wrapper)
            .env("LLVM_PROFILE_FILE", self.raw.join("plimsoll-%4m.profraw"));
        command
    }
}

/// A program that calls the compiler it is given, with instrumentation. Cargo keeps what it builds apart.
fn wrapper(folder: &Path) -> Result<PathBuf, Failure> {
    let path = folder.join("instrumented-rustc");
    let text = "#!/bin/sh\nexec \"$@\" -C instrument-coverage\n";
    // Written once: cargo compiles anew when it changes.
    if fs::read_to_string(&path).is_ok_and(|known| known == text) {
        return Ok(path);
    }
    fs::write(&path, text).map_err(|error| unwritten(&path, &error))?;
    process::run(Command::new("chmod").arg("+x").arg(&path))?;
    Ok(path)
}

/// Builds all tests and returns the programs that were made, in which LLVM looks for the lines.
fn objects(instrumented: &Instrumented) -> Result<Vec<PathBuf>, Failure> {
    println!("coverage: building the instrumented tests");
    let mut command = instrumented.cargo();
    command.args(["test", "--workspace", "--tests", "--no-run", "--quiet", "--message-format=json"]);
    let told = process::capture(&mut command)?;
    let mut objects = Vec::new();
    for line in told.lines().filter(|line| line.contains("\"executable\":\"")) {
        let message = json::parse("a message of cargo", line)?;
        objects.extend(json::text(&message, "executable").map(PathBuf::from));
    }
    if objects.is_empty() {
        return Err(Failure::new("cargo built no test"));
    }
    Ok(objects)
}

fn merge(tools: &tools::Tools, raw: &Path, merged: &Path) -> Result<(), Failure> {
    let mut command = Command::new(&tools.profiles);
    // A process that was killed while it wrote leaves a file that cannot be read; the others still count.
    command.args(["merge", "--sparse", "--failure-mode=all", "--output"]).arg(merged);
    let entries = fs::read_dir(raw).map_err(|error| unwritten(raw, &error))?;
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    if files.is_empty() {
        return Err(Failure::new("the tests left no profile; is LLVM_PROFILE_FILE taken from them?"));
    }
    process::run(command.args(files))
}

fn export(tools: &tools::Tools, merged: &Path, objects: &[PathBuf]) -> Result<String, Failure> {
    let mut command = Command::new(&tools.coverage);
    command.args(["export", "--format=lcov", "--instr-profile"]).arg(merged);
    for object in objects {
        command.arg("--object").arg(object);
    }
    process::capture(&mut command)
}

/// Prints a line for each crate and the total, and returns the percentage of the product.
fn print(figures: &[Figures]) -> Result<f64, Failure> {
    let mut names: Vec<&str> = figures.iter().map(|file| file.folder.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    println!("\n{:<20} {:>8} {:>8} {:>8}", "crate", "lines", "covered", "percent");
    let line = |name: &str, of: &[&Figures]| {
        let lines: usize = of.iter().map(|file| file.lines).sum();
        let covered = lines - of.iter().map(|file| file.uncovered.len()).sum::<usize>();
        let percent = covered as f64 * 100.0 / lines.max(1) as f64;
        println!("{name:<20} {lines:>8} {covered:>8} {percent:>7.1}%");
        percent
    };
    for name in names {
        let own: Vec<&Figures> = figures.iter().filter(|file| file.folder == name).collect();
        line(name, &own);
    }
    let is_product = |file: &&Figures| !NOT_THE_PRODUCT.contains(&file.folder.as_str());
    let product: Vec<&Figures> = figures.iter().filter(is_product).collect();
    if product.is_empty() {
        return Err(Failure::new("LLVM told of no line of the product"));
    }
    Ok(line("the product", &product))
}

/// The facts as `plimsoll trial --evidence` takes them.
fn evidence(percent: f64) -> Result<String, Failure> {
    let commit = process::capture(Command::new("git").args(["describe", "--always", "--dirty"]))
        .map_or_else(|_| "an unknown commit".to_owned(), |commit| format!("commit {}", commit.trim()));
    let at = process::capture(Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%SZ"]))?;
    Ok(format!(
        "{{\"coverage_percent\": {percent:.2}, \"source\": \"cargo xtask coverage, {commit}\", \"at\": \"{}\"}}\n",
        at.trim()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, Failure> {
        Options::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_are_read_and_a_part_is_no_evidence() {
        let options = read(&["--evidence", "e.json", "--no-install"]).unwrap();
        assert_eq!((options.evidence.as_deref(), options.install), (Some(Path::new("e.json")), false));
        assert_eq!(read(&["--", "-p", "x"]).unwrap().filter, ["-p", "x"]);
        assert!(read(&["--evidence"]).is_err() && read(&["-p"]).is_err());
        assert!(read(&["--evidence", "e.json", "--", "-p", "x"]).is_err());
    }

    #[test]
    fn evidence_is_json_with_a_source_and_a_time() {
        let text = evidence(87.654).unwrap();
        let value = json::parse("evidence", &text).unwrap();
        assert_eq!(json::number(&value, "coverage_percent"), Some(87.65));
        assert!(json::text(&value, "source").unwrap().starts_with("cargo xtask coverage"));
        assert!(json::text(&value, "at").unwrap().ends_with('Z'));
    }
}
