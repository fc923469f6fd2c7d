//! PostgreSQL's own programs, and a scratch database to check their work in.
//!
//! Owns finding `pg_dump` and `pg_restore`, running them, and the life of a scratch database. A password
//! reaches them through their environment, never on a command line, which every user of the machine can
//! read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;

use super::BackupError;
use crate::postgres::PostgresStore;
use crate::store::Store;

/// How scratch databases are named.
const SCRATCH: &str = "plimsoll_verify_";

/// The programs of one version.
pub(super) struct Programs {
    dump: PathBuf,
    restore: PathBuf,
}

impl Programs {
    /// The newest programs that are not older than the server's major version.
    pub(super) fn find(server: i64) -> Option<Self> {
        let mut folders: Vec<(i64, PathBuf)> = Vec::new();
        for entry in fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten() {
            if let Ok(version) = entry.file_name().to_string_lossy().parse() {
                folders.push((version, entry.path().join("bin")));
            }
        }
        folders.sort();
        // Without a folder the name is looked up in PATH.
        let folders = folders.into_iter().rev().map(|(_, folder)| folder).chain([PathBuf::new()]);
        let mut pairs =
            folders.map(|folder| Self { dump: folder.join("pg_dump"), restore: folder.join("pg_restore") });
        let new_enough = |program: &Path| version(program).is_some_and(|version| version >= server);
        pairs.find(|pair| new_enough(&pair.dump) && new_enough(&pair.restore))
    }

    /// Dumps the database as the exported snapshot sees it.
    pub(super) fn dump(&self, store: &PostgresStore, snapshot: &str, file: &Path) -> Result<(), BackupError> {
        let mut command = Command::new(&self.dump);
        command.arg("--format=custom").arg("--no-password").arg("--exclude-schema=plimsoll_backup_*");
        command.arg(format!("--snapshot={snapshot}")).arg("--file").arg(file);
        run(command.envs(store.environment()), "pg_dump")
    }

    /// Restores a dump into an empty database.
    pub(super) fn restore(&self, scratch: &mut PostgresStore, file: &Path) -> Result<(), BackupError> {
        let mut command = Command::new(&self.restore);
        command.args(["--exit-on-error", "--no-owner", "--no-privileges", "--no-comments", "--no-password"]);
        command.args(["--no-publications", "--no-subscriptions", "--no-security-labels"]);
        command.arg("--dbname").arg(scratch.database()?).arg(file);
        run(command.envs(scratch.environment()), "pg_restore")
    }
}

/// The major version that a program prints, when it can be run.
fn version(program: &Path) -> Option<i64> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn run(command: &mut Command, program: &str) -> Result<(), BackupError> {
    // A service file or options of the user's shell must not redirect it.
    for name in ["PGSERVICE", "PGSERVICEFILE", "PGPASSFILE", "PGHOSTADDR", "PGSSLMODE"] {
        command.env_remove(name);
    }
    let failed = |problem: String| BackupError::Program { program: program.to_owned(), problem };
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| failed(format!("could not be started: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let printed = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(format!("ended with {}\n{printed}", output.status)))
}

/// A database that exists while a dump is looked at.
pub(super) struct Scratch {
    admin: PostgresStore,
    name: String,
}

impl Scratch {
    /// Creates the scratch database of a backup, with the encoding and locale of the store's own.
    /// First removes those that unfinished backups of the same database left behind.
    pub(super) fn create(url: &str, id: &Id) -> Result<Self, BackupError> {
        let mut admin = PostgresStore::open(url)?;
        sweep(&mut admin)?;
        let name = format!("{SCRATCH}{id}");
        let sql =
            "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L',
                          $1::text, pg_encoding_to_char(encoding), datcollate, datctype),
                   format('COMMENT ON DATABASE %I IS %L', $1::text, $2::text || datname)
                   FROM pg_database WHERE datname = current_database()";
        let found = admin.query(sql, &[Value::text(&name), Value::text(MARK)])?.concat();
        let mut statements = found.iter().filter_map(Value::as_text);
        admin.run_script(statements.next().unwrap_or_default())?;
        let mut scratch = Self { admin, name };
        scratch.admin.run_script(statements.next().unwrap_or_default())?;
        Ok(scratch)
    }

    /// Opens it, looking up tables as the store does.
    pub(super) fn open(&mut self) -> Result<PostgresStore, BackupError> {
        let mut store = self.admin.open_database(&self.name)?;
        let path = self.admin.query("SELECT current_setting('search_path')", &[])?.concat();
        store.query("SELECT set_config('search_path', $1, false)", &path)?;
        Ok(store)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove(&mut self.admin, &self.name) {
            tracing::warn!("the next backup will remove database {}: {error}", self.name);
        }
    }
}

/// How the comment of a scratch database begins; the name of the database it belongs to follows.
const MARK: &str = "scratch of a plimsoll backup of ";

fn sweep(admin: &mut PostgresStore) -> Result<(), BackupError> {
    let sql = "SELECT datname::text FROM pg_database
               WHERE starts_with(datname::text, $1) AND shobj_description(oid, 'pg_database') = $2 || current_database()";
    for name in admin.query(sql, &[Value::text(SCRATCH), Value::text(MARK)])?.concat() {
        remove(admin, name.as_text().unwrap_or_default())?;
    }
    Ok(())
}

fn remove(admin: &mut PostgresStore, name: &str) -> Result<(), BackupError> {
    let quoted = name.replace('"', "\"\"");
    Ok(admin.run_script(&format!("DROP DATABASE IF EXISTS \"{quoted}\" WITH (FORCE)"))?)
}
