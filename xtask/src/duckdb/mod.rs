//! `cargo xtask duckdb`: the DuckDB library that builds link, without compiling DuckDB.
//!
//! Owns the order of the routes (docs/decisions/0001-duckdb-build.md says why): a library the user has,
//! the one inside DuckDB's Python package, and last the sources bundled with the crate, which take over
//! an hour to compile. Whatever the route, the library stands in one folder, `.tools/duckdb`, which
//! `.cargo/config.toml` names to every build.
//!
//! Invariants: what is fetched is checked against pinned checksums before and after unpacking; nothing
//! is written outside the ignored folders `.tools` and `target`.

pub(crate) mod fetch;
mod weaken;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Failure;
use crate::{metadata, process, project};

/// The version of DuckDB that the crate in use is made for (crate 1.20000.x is DuckDB 2.0.0).
const VERSION: &str = "2.0.0";
/// The file that the linker and the loader look for.
const LIBRARY: &str = "libduckdb.so";

/// Where the library comes from.
#[derive(Debug, PartialEq, Eq)]
enum Route {
    /// The user's own, in this folder.
    Own(PathBuf),
    /// Unpacked from DuckDB's Python package into this folder.
    Fetched(PathBuf),
}

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let install = match arguments {
        [] => true,
        [only] if only == "--no-install" => false,
        _ => return Err(Failure::usage("duckdb takes only --no-install")),
    };
    let stable = ensure(install)?;
    let environment = format!("DUCKDB_LIB_DIR={}\n", stable.display());
    write(&stable.with_extension("env"), environment.as_bytes())?;
    println!(
        "duckdb: .cargo/config.toml names this folder to every build; for other tools (.tools/duckdb.env):"
    );
    print!("{environment}");
    Ok(())
}

/// Finds or fetches the library and puts it where every build looks for it; returns that folder.
pub(crate) fn ensure(install: bool) -> Result<PathBuf, Failure> {
    let tools = project::root().join(".tools");
    let route = match own_library(&tools) {
        Some(folder) => Route::Own(folder),
        None => match fetch::library(&tools.join(format!("duckdb-{VERSION}")), install) {
            Ok(folder) => Route::Fetched(folder),
            Err(failure) => return Err(bundled_remains(&failure)),
        },
    };
    let (Route::Own(folder) | Route::Fetched(folder)) = &route;
    let from = match &route {
        Route::Own(_) => "the user's own library",
        Route::Fetched(_) => "from DuckDB's Python package",
    };
    println!("duckdb: {VERSION}, {from}, in {}", folder.display());

    let stable = tools.join("duckdb");
    point(&stable, folder)?;
    for profile in ["debug", "release"] {
        place_beside_binaries(&stable.join(LIBRARY), &metadata::target_folder()?.join(profile))?;
    }
    Ok(stable)
}

/// A library that the user already has: named by `DUCKDB_LIB_DIR`, or known to pkg-config.
fn own_library(tools: &Path) -> Option<PathBuf> {
    let named = std::env::var_os("DUCKDB_LIB_DIR").map(PathBuf::from);
    // Our own folder comes from .cargo/config.toml and is no choice of the user's.
    if let Some(folder) = named.filter(|folder| !folder.starts_with(tools)) {
        if folder.join(LIBRARY).exists() {
            return Some(folder);
        }
        println!("duckdb: DUCKDB_LIB_DIR is {}, which has no {LIBRARY}", folder.display());
    }
    if !process::works("pkg-config", &["--exists", &format!("duckdb >= {VERSION}")]) {
        return None;
    }
    let folder = process::capture(Command::new("pkg-config").args(["--variable=libdir", "duckdb"])).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.join(LIBRARY).exists())
}

fn bundled_remains(failure: &Failure) -> Failure {
    Failure::new(format!("no prebuilt DuckDB: {failure}")).hinted(
        "install pip and try again, set DUCKDB_LIB_DIR to a folder with DuckDB 2.0's libduckdb.so, or build \
         with the feature `bundled`, which compiles DuckDB itself (over an hour on two cores)",
    )
}

/// Makes `stable` a link to `folder`, replacing a link that was there.
fn point(stable: &Path, folder: &Path) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("{} could not be linked: {error}", stable.display()));
    if let Some(parent) = stable.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    // A new link would have everything linked again.
    if fs::read_link(stable).is_ok_and(|target| target == folder) {
        return Ok(());
    }
    if stable.is_symlink() {
        fs::remove_file(stable).map_err(failed)?;
    }
    symbolic_link(folder, stable).map_err(failed)
}

#[cfg(unix)]
fn symbolic_link(to: &Path, from: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(to, from)
}

#[cfg(not(unix))]
fn symbolic_link(_: &Path, _: &Path) -> std::io::Result<()> {
    Err(std::io::Error::new(std::io::ErrorKind::Unsupported, "prebuilt DuckDB is for Linux"))
}

/// Puts the library where a binary with the loader path `$ORIGIN` finds it when it is started without
/// cargo. A hard link where that is possible, because the library has 68 MB.
fn place_beside_binaries(library: &Path, folder: &Path) -> Result<(), Failure> {
    let failed =
        |error| Failure::new(format!("{LIBRARY} could not be put into {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    let place = folder.join(LIBRARY);
    if place.is_symlink() || place.exists() {
        fs::remove_file(&place).map_err(failed)?;
    }
    let library = fs::canonicalize(library).map_err(failed)?;
    if fs::hard_link(&library, &place).is_ok() {
        return Ok(());
    }
    fs::copy(&library, &place).map(|_| ()).map_err(failed)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes)
        .map_err(|error| Failure::new(format!("{} could not be written: {error}", path.display())))
}
