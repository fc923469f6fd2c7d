//! PostgreSQL's server programs, and a throw-away cluster made with them.
//!
//! Owns finding the programs and running one private cluster in a temporary folder. PostgreSQL refuses
//! to run as root, so as root everything is done as the user `postgres` of Debian's package.
//!
//! Invariant: a started cluster is stopped when its value is dropped, on every way out.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
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

/// A private cluster on a free loopback port, stopped when dropped.
pub(crate) struct Cluster {
    programs: PathBuf,
    data: PathBuf,
    url: String,
}

impl Cluster {
    /// Creates a cluster in `folder`/cluster, which must not exist, and starts it.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let programs = server_programs().ok_or_else(|| {
            Failure::new("no PostgreSQL server programs were found").hinted("cargo xtask setup")
        })?;
        let data = folder.join("cluster");
        std::fs::create_dir(&data)
            .map_err(|error| Failure::new(format!("{} could not be created: {error}", data.display())))?;
        if is_root() {
            process::run(Command::new("chown").arg("postgres:").arg(&data))?;
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .map_err(|error| Failure::new(format!("no free loopback port: {error}")))?
            .port();
        process::capture(
            program(&programs, "initdb")
                .args(["--username=plimsoll", "--auth=trust", "--encoding=UTF8", "--no-locale", "--pgdata"])
                .arg(&data),
        )?;
        // From here on Drop stops it, even if the start is reported as failed.
        let cluster = Self { programs, data, url: format!("postgres://plimsoll@127.0.0.1:{port}/postgres") };
        let sockets = cluster.data.display();
        let options =
            format!("-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{sockets}'");
        process::capture(
            program(&cluster.programs, "pg_ctl")
                .args(["start", "--wait", "--silent", "--options", &options, "--log"])
                .arg(cluster.data.join("server.log"))
                .arg("--pgdata")
                .arg(&cluster.data),
        )?;
        Ok(cluster)
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
        }
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
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
