//! PostgreSQL's server programs, and a throw-away cluster made with them.
//!
//! Owns finding the programs and running one private cluster in a temporary folder. PostgreSQL refuses
//! to run as root, so as root everything is done as the user `postgres` of Debian's package.
//!
//! Invariant: a started cluster is stopped when its value is dropped, on every way out.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::process;

/// Folders in which distributions put one folder per version, and what is below it.
const VERSIONED: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"), // Debian and its relatives
    ("/usr", "pgsql-", "bin"),          // Fedora and its relatives
];

/// The folder of `initdb`, `pg_ctl` and `postgres`: the newest installed version, or the one on PATH.
pub(crate) fn server_programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (folder, prefix, below) in VERSIONED {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix(prefix).and_then(|version| version.parse().ok());
            if let Some(version) = version {
                found.push((version, entry.path().join(below)));
            }
        }
    }
    found.sort();
    let newest = found.into_iter().rev().map(|(_, folder)| folder).find(|folder| is_complete(folder));
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest.or_else(|| std::env::split_paths(&path).find(|folder| is_complete(folder)))
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    process::capture(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// How long a new cluster may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// A private cluster on a free loopback port, stopped when dropped.
///
/// The server is a child in our own process group, so that Ctrl-C in a terminal stops it too.
pub(crate) struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    url: String,
    server: Child,
}

impl Cluster {
    /// Creates a cluster in `folder`/cluster, which must not exist, and starts it.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let programs = server_programs().ok_or_else(|| {
            Failure::new("no PostgreSQL server programs were found").hinted("cargo xtask setup")
        })?;
        let data = folder.join("cluster");
        fs::create_dir(&data)
            .map_err(|error| Failure::new(format!("{} could not be created: {error}", data.display())))?;
        if is_root() {
            process::run(Command::new("chown").arg("postgres:").arg(&data))?;
        }
        process::capture(
            program(&programs, "initdb")
                .args(["--username=plimsoll", "--auth=trust", "--encoding=UTF8", "--no-locale", "--pgdata"])
                .arg(&data),
        )?;
        let port = process::free_port()?;
        let log = folder.join("postgresql.log");
        let output = File::create(&log)
            .map_err(|error| Failure::new(format!("{} could not be created: {error}", log.display())))?;
        let errors = output.try_clone().map_err(|error| Failure::new(format!("postgresql.log: {error}")))?;
        let server = program(&programs, "postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", &format!("port={port}"), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", &format!("unix_socket_directories={}", data.display())])
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| Failure::new(format!("`postgres` could not be started: {error}")))?;
        let url = format!("postgres://plimsoll@127.0.0.1:{port}/postgres");
        // From here on Drop stops it.
        let mut cluster = Self { programs, data, url, server };
        cluster.wait_until_ready().map_err(|what| {
            let logged = fs::read_to_string(&log).unwrap_or_default();
            Failure::new(format!("PostgreSQL {what}\n{}", logged.trim_end()))
        })?;
        Ok(cluster)
    }

    /// The server writes `ready` on the last line of its lock file when it takes connections.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        let lock = self.data.join("postmaster.pid");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.server.try_wait() {
                return Err(format!("ended with {status} instead of starting"));
            }
            let status = fs::read_to_string(&lock).unwrap_or_default();
            if status.lines().last().is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("was not ready within {} s", PATIENCE.as_secs()))
    }

    /// The address of its database, as `--store` takes it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let stopped = process::capture(
            program(&self.programs, "pg_ctl").args(["stop", "--mode=fast", "--pgdata"]).arg(&self.data),
        );
        if let Err(failure) = stopped {
            eprintln!("warning: PostgreSQL in {} was not stopped: {failure}", self.data.display());
            // The child we started; nothing else is ended with it.
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// A server program, run by a user that PostgreSQL accepts.
fn program(programs: &Path, name: &str) -> Command {
    let path = programs.join(name);
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(path);
        command
    } else {
        Command::new(path)
    };
    // Not the caller's folder: the user `postgres` may not be able to enter it.
    command.current_dir(programs);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_answers_and_is_gone_after_the_drop() {
        let Some(programs) = server_programs() else {
            eprintln!("skipped: no PostgreSQL server programs; `cargo xtask setup` installs them");
            return;
        };
        let folder = crate::project::temporary_folder("cluster-test").unwrap();
        let cluster = Cluster::start(&folder).unwrap();
        let url = cluster.url().to_owned();
        let ask = || process::works(programs.join("psql"), &[&url, "-c", "select 1"]);
        assert!(ask());
        drop(cluster);
        assert!(!ask());
        fs::remove_dir_all(&folder).unwrap();
    }
}
