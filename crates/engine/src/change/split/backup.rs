//! Copies of a DuckDB file, read back before they count.
//!
//! Owns making, verifying and checking a copy, and putting one back in the file's place. It records nothing: the journal
//! does. A file is copied while no process has it open, because closing any handle of a file gives up the locks that
//! this process holds on it (fcntl(2)).
//!
//! Invariants: a copy has the digest of every table that the file had; a half-made one ends in `.part`. A file that is
//! put back is whole or not there: it is written beside and renamed.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use plimsoll_core::clock::Clock;
use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_store::duckdb::{Analytics, Resources};
use serde::{Deserialize, Serialize};

use super::statements::quoted;
use crate::clock::new_id;
use crate::error::{EngineError, ErrorKind};

/// A verified copy of a DuckDB file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Its id.
    pub id: Id,
    /// Where it is.
    pub location: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Digest of its bytes (BLAKE3).
    pub content: String,
    /// Digests of the tables in it.
    pub tables: Vec<TableDigest>,
    /// When it was verified.
    pub verified_at: String,
}

fn failed<'a>(doing: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> EngineError + 'a {
    move |error| EngineError::new(ErrorKind::Store, format!("{doing} {}: {error}", path.display()))
}

/// Copies the file into `folder` and reads the copy back. No process may have the file open.
///
/// # Errors
/// When another process has it open, the disk is full, or the copy is not equal; no copy is left then.
pub fn make(path: &Path, folder: &Path, clock: &dyn Clock) -> Result<FileCopy, EngineError> {
    let before = {
        let store = Analytics::open(path, Resources::default())?;
        store.checkpoint()?;
        table_digests(&store)?
    };
    fs::create_dir_all(folder).map_err(failed("creating", folder))?;
    let folder = fs::canonicalize(folder).map_err(failed("opening", folder))?;
    let id = new_id();
    let stem = path.file_stem().map_or_else(|| "store".into(), |stem| stem.to_string_lossy().into_owned());
    let kept = folder.join(format!("{stem}-{}.duckdb", id.short()));
    let (bytes, content) = copy_bytes(path, &kept)?;
    let copied = {
        let copy = Analytics::open_read_only(&kept, Resources::default())?;
        table_digests(&copy)?
    };
    if copied != before {
        drop(fs::remove_file(&kept));
        return Err(EngineError::integrity(format!(
            "the copy of {} is not equal to it\nhint: see whether another program writes it, then try again",
            path.display()
        )));
    }
    Ok(FileCopy {
        id,
        location: kept.display().to_string(),
        bytes,
        content,
        tables: copied,
        verified_at: clock.now(),
    })
}

/// Looks whether a copy is still what it was: its size, and with `whole` its bytes.
///
/// # Errors
/// Refused, when it is not.
pub fn check(copy: &FileCopy, whole: bool) -> Result<(), EngineError> {
    let refuse = |problem: &str| {
        EngineError::refused(format!(
            "backup {} at {} {problem}\nhint: make another: plimsoll backup",
            copy.id.short(),
            copy.location
        ))
    };
    let path = Path::new(&copy.location);
    let size = fs::metadata(path).map_err(|error| refuse(&format!("cannot be read: {error}")))?.len();
    if size != copy.bytes {
        return Err(refuse("has another size than when it was verified"));
    }
    if whole && digest_of(path)?.1 != copy.content {
        return Err(refuse("has other content than when it was verified"));
    }
    Ok(())
}

/// Puts a copy in the place of the file. No process may have the file open. The journal is the copy's again, too.
///
/// # Errors
/// When the copy is damaged or the file is in use; the file is as it was then.
pub fn restore(copy: &FileCopy, path: &Path) -> Result<(), EngineError> {
    check(copy, true)?;
    if path.exists() {
        // Nobody else has it open, and nothing of it is left in a log.
        Analytics::open(path, Resources::default())?.checkpoint()?;
    }
    copy_bytes(Path::new(&copy.location), path)?;
    Ok(())
}

/// Copies bytes to a `.part` beside the target, puts them on the disk, and renames.
fn copy_bytes(from: &Path, to: &Path) -> Result<(u64, String), EngineError> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let result = (|| {
        let mut source = File::open(from).map_err(failed("opening", from))?;
        let mut target = File::create(&part).map_err(failed("creating", &part))?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0_u8; 1 << 20];
        let mut bytes = 0;
        loop {
            let read = source.read(&mut buffer).map_err(failed("reading", from))?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            target.write_all(&buffer[..read]).map_err(failed("writing", &part))?;
            bytes += read as u64;
        }
        target.sync_all().map_err(failed("writing", &part))?;
        fs::rename(&part, to).map_err(failed("renaming", &part))?;
        if let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed("writing", folder))?;
        }
        Ok((bytes, hasher.finalize().to_hex().to_string()))
    })();
    if result.is_err() {
        drop(fs::remove_file(&part));
    }
    result
}

fn digest_of(path: &Path) -> Result<(u64, String), EngineError> {
    let mut source = File::open(path).map_err(failed("opening", path))?;
    let mut hasher = blake3::Hasher::new();
    let bytes = std::io::copy(&mut source, &mut hasher).map_err(failed("reading", path))?;
    Ok((bytes, hasher.finalize().to_hex().to_string()))
}

/// Digest and rows of every table, by name.
///
/// # Errors
/// When a table cannot be read.
pub fn table_digests(store: &Analytics) -> Result<Vec<TableDigest>, EngineError> {
    let mut names: Vec<String> = store
        .query("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main' AND NOT internal", &[])?
        .rows
        .iter()
        .filter_map(|row| row[0].as_text().map(str::to_owned))
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|table| {
            let sql = format!(
                "SELECT count(*), CAST(coalesce(sum(hash(t)), 0) AS VARCHAR) FROM {} t",
                quoted(&table)
            );
            let rows = store.query(&sql, &[])?.rows;
            let count = rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
            let digest = rows[0][1].as_text().unwrap_or_default().to_owned();
            Ok(TableDigest { table, rows: count, digest })
        })
        .collect()
}
