//! The DuckDB library inside DuckDB's own Python package.
//!
//! Owns fetching the package by pip, checking it, and making a plain C library of its extension module:
//! the module exports DuckDB's whole C API, and all that keeps it from being loaded without Python are
//! names of Python's own (see `weaken`).
//!
//! Invariants: pip accepts the package only with the pinned checksum; the finished library is accepted
//! only with its pinned checksum, on every run, so a library spoiled later is made anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::{LIBRARY, VERSION, weaken, write};
use crate::failure::Failure;
use crate::{packages, process, project};

/// SHA-256 of the package for CPython 3.11 on x86-64 Linux (glibc 2.28 or newer), as pip checks it.
const PACKAGE_SHA256: &str = "5a3601121c7cc50d0b70412995634682fafcb58a0156d5d663dfd0b3bbe30a33";
/// SHA-256 of the library that we make of the package's module.
const LIBRARY_SHA256: &str = "573fd2c4090cd21c48e7c8944d102419f1cd606235fad2e822914b7635948073";
/// The module in the package.
const MODULE: &str = "_duckdb.cpython-311-x86_64-linux-gnu.so";
/// How many of Python's names the module leaves to be found.
const PYTHON_NAMES: usize = 212;

/// Returns `folder` with the library in it, fetching it if it is not there or not as pinned.
pub(super) fn library(folder: &Path, install: bool) -> Result<PathBuf, Failure> {
    let finished = folder.join(LIBRARY);
    match fs::read(&finished) {
        Ok(bytes) if sha256(&bytes) == LIBRARY_SHA256 => return Ok(folder.to_owned()),
        Ok(_) => println!("duckdb: {} is not as pinned; fetching it again", finished.display()),
        Err(_) => {}
    }
    if cfg!(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))) {
        return Err(Failure::new("the prebuilt library is for Linux with glibc on x86-64"));
    }
    let pip = pip(install)?;
    let temporary = project::temporary_folder("duckdb")?;
    let made = make(&pip, &temporary, folder);
    // What is left of a failed attempt is of no use to anybody.
    let _ = fs::remove_dir_all(&temporary);
    made.map(|()| folder.to_owned())
}

fn make(pip: &[&str], temporary: &Path, folder: &Path) -> Result<(), Failure> {
    println!("duckdb: fetching duckdb=={VERSION} (24 MB) by {}", pip.join(" "));
    let wanted = temporary.join("wanted.txt");
    write(&wanted, format!("duckdb=={VERSION} --hash=sha256:{PACKAGE_SHA256}\n").as_bytes())?;
    process::capture(
        Command::new(pip[0])
            .args(&pip[1..])
            .args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"])
            .args(["--only-binary=:all:", "--implementation=cp", "--python-version=3.11", "--abi=cp311"])
            .args(["--platform=manylinux_2_27_x86_64", "--platform=manylinux_2_28_x86_64"])
            .arg("--dest")
            .arg(temporary)
            .arg("--requirement")
            .arg(&wanted),
    )?;
    let package = one_package(temporary)?;
    // pip is a Python program, so Python is there to unpack.
    process::capture(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&package).arg(temporary))?;

    let module = temporary.join(MODULE);
    let mut bytes =
        fs::read(&module).map_err(|error| Failure::new(format!("the package has no {MODULE}: {error}")))?;
    let weakened = weaken::undefined(&mut bytes, |name| name.starts_with("Py") || name.starts_with("_Py"))?;
    let made = sha256(&bytes);
    if weakened != PYTHON_NAMES || made != LIBRARY_SHA256 {
        return Err(Failure::new(format!(
            "{LIBRARY} is not as pinned: {weakened} names of Python, sha256 {made}"
        )));
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::new(format!("{} could not be created: {error}", folder.display())))?;
    // The license goes with the library; its absence is no reason to do without.
    let license = temporary.join(format!("duckdb-{VERSION}.dist-info/licenses/LICENSE"));
    let _ = fs::copy(license, folder.join("LICENSE"));
    // Written under another name first: a half-written library would fail only when it is loaded.
    let half = folder.join("libduckdb.so.part");
    write(&half, &bytes)?;
    fs::rename(&half, folder.join(LIBRARY))
        .map_err(|error| Failure::new(format!("{LIBRARY} could not be put in place: {error}")))
}

/// How pip is called here; installed from the distribution if it is missing and we may.
pub(crate) fn pip(install: bool) -> Result<Vec<&'static str>, Failure> {
    const WAYS: &[&[&str]] = &[&["pip3"], &["pip"], &["python3", "-m", "pip"]];
    let find = || WAYS.iter().find(|way| process::works(way[0], &[&way[1..], &["--version"]].concat()));
    if let Some(way) = find() {
        return Ok(way.to_vec());
    }
    if !install {
        return Err(Failure::new("pip was not found"));
    }
    println!("duckdb: pip is missing; installing the distribution's package `python3-pip`");
    packages::install("python3-pip", "").map_err(|failure| Failure::new(format!("pip was {failure}")))?;
    find().map(|way| way.to_vec()).ok_or_else(|| Failure::new("pip was not found after its installation"))
}

/// The package that pip left in a folder.
pub(crate) fn one_package(folder: &Path) -> Result<PathBuf, Failure> {
    fs::read_dir(folder)
        .ok()
        .and_then(|entries| {
            entries
                .flatten()
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|end| end == "whl"))
        })
        .ok_or_else(|| Failure::new("pip ended well, but left no package"))
}

/// The digest of bytes, as lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha_256_in_hexadecimal() {
        // The example of FIPS 180-4's publication for the three bytes "abc".
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
