//! LLVM's coverage tools, of the LLVM that this compiler is built on.
//!
//! Owns where they are looked for: the variables LLVM_PROFDATA and LLVM_COV, the toolchain in use, the other
//! toolchains of rustup, PATH; and adding rustup's component `llvm-tools` when they are nowhere. A profile
//! can only be read by tools of the same LLVM, so the major version must be equal.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::{process, project};

/// The two programs.
pub(super) struct Tools {
    /// `llvm-profdata`.
    pub(super) profiles: PathBuf,
    /// `llvm-cov`.
    pub(super) coverage: PathBuf,
}

/// Finds the tools; adds them to the toolchain when they are missing and `install` is set.
pub(super) fn find(install: bool) -> Result<Tools, Failure> {
    let compiler = Compiler::ask()?;
    if let Some(tools) = look(&compiler) {
        return Ok(tools);
    }
    if install && process::works("rustup", &["--version"]) {
        println!("coverage: LLVM's tools are missing; adding rustup's component llvm-tools");
        let added = process::run(rustup().args(["component", "add", "llvm-tools"]));
        match (added, look(&compiler)) {
            (Ok(()), Some(tools)) => return Ok(tools),
            (Err(failure), _) => println!("coverage: {failure}"),
            (Ok(()), None) => {}
        }
    }
    Err(Failure::new(format!(
        "llvm-profdata and llvm-cov of LLVM {} are not here, so nothing can be measured",
        compiler.llvm
    ))
    .hinted(format!(
        "rustup component add llvm-tools, or a package llvm-{} of the distribution, or set LLVM_PROFDATA and LLVM_COV",
        compiler.llvm
    )))
}

fn rustup() -> Command {
    let mut command = Command::new("rustup");
    command.current_dir(project::root());
    command
}

/// What the compiler says about itself.
struct Compiler {
    /// The major version of its LLVM.
    llvm: String,
    host: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn ask() -> Result<Self, Failure> {
        let rustc = |argument: &[&str]| {
            process::capture(Command::new("rustc").args(argument).current_dir(project::root()))
        };
        let version = rustc(&["-vV"])?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let llvm = field("LLVM version:").and_then(major);
        let (Some(llvm), Some(host)) = (llvm, field("host:")) else {
            return Err(Failure::new(format!("`rustc -vV` names no LLVM or host:\n{version}")));
        };
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
        Ok(Self { llvm, host: host.to_owned(), sysroot })
    }
}

/// The first number of a version such as `22.1.2-rust-1.95.0`.
fn major(version: &str) -> Option<String> {
    let digits: String = version.trim().chars().take_while(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

fn look(compiler: &Compiler) -> Option<Tools> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    if let (Some(profiles), Some(coverage)) = (named("LLVM_PROFDATA"), named("LLVM_COV")) {
        return Some(Tools { profiles, coverage });
    }
    let within = |sysroot: &Path| sysroot.join("lib/rustlib").join(&compiler.host).join("bin");
    let mut folders = vec![within(&compiler.sysroot)];
    if let Some(Ok(siblings)) = compiler.sysroot.parent().map(std::fs::read_dir) {
        let mut others: Vec<PathBuf> = siblings.flatten().map(|entry| within(&entry.path())).collect();
        others.sort();
        folders.extend(others);
    }
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let suffixes = [String::new(), format!("-{}", compiler.llvm)];
    folders.iter().flat_map(|folder| suffixes.iter().map(move |suffix| (folder, suffix))).find_map(
        |(folder, suffix)| {
            let profiles = folder.join(format!("llvm-profdata{suffix}"));
            let coverage = folder.join(format!("llvm-cov{suffix}"));
            (profiles.is_file() && llvm_of(&coverage).as_ref() == Some(&compiler.llvm))
                .then_some(Tools { profiles, coverage })
        },
    )
}

/// The major version of LLVM that a tool says it belongs to.
fn llvm_of(tool: &Path) -> Option<String> {
    if !tool.is_file() {
        return None;
    }
    let told = process::capture(Command::new(tool).arg("--version")).ok()?;
    told.lines().find_map(|line| line.trim().split_once("LLVM version ")).and_then(|(_, rest)| major(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compiler_tells_its_llvm_and_versions_are_compared_by_their_first_number() {
        let compiler = Compiler::ask().unwrap();
        assert!(compiler.llvm.parse::<u32>().is_ok_and(|llvm| llvm >= 20), "{}", compiler.llvm);
        assert!(compiler.sysroot.is_dir());
        assert_eq!(major(" 22.1.2-rust-1.95.0-stable").as_deref(), Some("22"));
        assert_eq!(major("unknown"), None);
    }
}
