//! A real PostgreSQL server for tests: one throw-away cluster per test process.
//!
//! Owns finding the server programs, the cluster's folder, its start, crash and end. It does not install
//! PostgreSQL and creates no tables. PostgreSQL refuses to run as root, so as root the server runs as the
//! user `postgres` of the distribution's package.
//!
//! The server listens on a socket inside its own folder, so that no two test processes ever want the same
//! port. `initdb` takes seconds; its result is kept as a template, of which each cluster is a copy.
//!
//! Invariant: no server outlives the test process, however that ends. Each server is started by a small
//! shell that waits for the end of its standard input, stops the server and removes the folder; when the
//! test process dies, the operating system closes that pipe.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use plimsoll_store::{StoreError, StoreUrl};

/// How long a server may take until it answers, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How old a folder without a server must be before it is taken for a left-over.
const STALE: Duration = Duration::from_secs(3600);

/// Who the cluster's superuser is. The name is not `postgres`, so that nothing relies on that.
const SUPERUSER: &str = "plimsoll";

/// The one role that must give a password; tests create it to see that passwords are passed and kept secret.
pub const GUARDED_ROLE: &str = "guarded";

/// Starts the server, waits for an order or the end of input, and ends the server accordingly.
const WATCHER: &str = r#"
folder=$1; shift
"$@" </dev/null & server=$!
read -r order
case "$order" in
    crash) kill -QUIT "$server" ;;
    *) kill -INT "$server" ;;
esac
wait "$server"
[ -n "$order" ] || rm -rf "$folder"
"#;

/// How a cluster is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerOptions {
    /// Whether commits reach the disk. Tests do without and lose their last commits in a crash; campaigns
    /// and benchmarks need it.
    pub fsync: bool,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A file or a program could not be used.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The server or `initdb` ended or did not answer in time.
    #[error("PostgreSQL {what}\n{log}")]
    Server {
        /// What happened.
        what: String,
        /// What the program printed.
        log: String,
    },
    /// A database could not be created.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn io_error(doing: impl Into<String>) -> impl FnOnce(io::Error) -> ServerError {
    let doing = doing.into();
    move |source| ServerError::Io { doing, source }
}

/// The operating system user that runs the server.
#[derive(Debug, Clone, Copy)]
struct Account {
    user: u32,
    group: u32,
}

/// A running cluster. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct PostgresServer {
    programs: PathBuf,
    folder: PathBuf,
    options: ServerOptions,
    account: Option<Account>,
    watcher: Child,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Starts a cluster of its own; `None`, with a printed line, where PostgreSQL is not installed.
    ///
    /// # Errors
    /// [`ServerError`] when it is installed and does not start.
    pub fn start(options: ServerOptions) -> Result<Option<Self>, ServerError> {
        let Some(programs) = server_programs() else {
            skipped();
            return Ok(None);
        };
        let account = server_account();
        let base = base_folder(account)?;
        sweep(&base);
        let template = template(&base, &programs, account)?;
        let folder = tempfile::Builder::new()
            .prefix("cluster-")
            .tempdir_in(&base)
            .map_err(io_error(format!("creating a folder in {}", base.display())))?;
        own(folder.path(), account)?;
        let data = folder.path().join("data");
        run(account, Command::new("cp").arg("-a").arg(&template).arg(&data))?;
        let folder = folder.keep();
        let watcher = launch(&programs, &folder, options, account)?;
        let mut server = Self { programs, folder, options, account, watcher, databases: AtomicU32::new(0) };
        server.wait_until_ready()?;
        Ok(Some(server))
    }

    /// The cluster that the tests of this process share, without fsync. It ends with the process.
    ///
    /// # Panics
    /// When PostgreSQL is installed and does not start: a test that needs it cannot go on.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: OnceLock<Option<PostgresServer>> = OnceLock::new();
        let started = SHARED.get_or_init(|| match Self::start(ServerOptions::default()) {
            Ok(server) => server,
            Err(error) => panic!("{error}"),
        });
        started.as_ref()
    }

    /// Creates a fresh, empty database and returns its address.
    ///
    /// # Errors
    /// [`ServerError::Store`] when the server refuses.
    pub fn database(&self) -> Result<String, ServerError> {
        // CREATE DATABASE copies template1, which must have no other user at that moment.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let address = StoreUrl::Postgres { url: self.url("postgres") };
        let mut store = plimsoll_store::open(&address)?;
        store.run_script(&format!("CREATE DATABASE {name}"))?;
        Ok(self.url(&name))
    }

    /// The address of a database of this cluster, for its superuser.
    pub fn url(&self, database: &str) -> String {
        self.url_for(SUPERUSER, database)
    }

    /// The address of a database for another user, given as `NAME` or `NAME:PASSWORD`.
    pub fn url_for(&self, login: &str, database: &str) -> String {
        format!("postgres://{login}@/{database}?host={}", self.folder.display())
    }

    /// The folder of the server programs (`pg_dump`, `psql`).
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// The process id of the server.
    ///
    /// # Errors
    /// [`ServerError::Io`] when the server does not run.
    pub fn process_id(&self) -> Result<u32, ServerError> {
        let lock = self.folder.join("data/postmaster.pid");
        let text = fs::read_to_string(&lock).map_err(io_error(format!("reading {}", lock.display())))?;
        let first = text.lines().next().and_then(|line| line.trim().parse().ok());
        first.ok_or_else(|| self.failed("has an unreadable lock file"))
    }

    /// Ends the server without a shutdown, as a crash does, and starts it again on the same data.
    ///
    /// # Errors
    /// [`ServerError`] when it does not come back.
    pub fn crash_and_restart(&mut self) -> Result<(), ServerError> {
        self.order("crash");
        self.watcher.wait().map_err(io_error("waiting for the server to end"))?;
        self.watcher = launch(&self.programs, &self.folder, self.options, self.account)?;
        self.wait_until_ready()
    }

    fn order(&mut self, order: &str) {
        if let Some(mut input) = self.watcher.stdin.take() {
            // A watcher that is already gone needs no order.
            drop(writeln!(input, "{order}"));
        }
    }

    /// The server writes `ready` on the last line of its lock file when it takes connections.
    fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let lock = self.folder.join("data/postmaster.pid");
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let status = fs::read_to_string(&lock).unwrap_or_default();
            if status.lines().nth(7).is_some_and(|line| line.trim() == "ready") {
                return Ok(());
            }
            if self.server_is_gone() {
                return Err(self.failed("ended instead of starting"));
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(self.failed(&format!("was not ready within {} s", PATIENCE.as_secs())))
    }

    /// True when the server ended: the watcher collects it only after its input ended, so until then it
    /// stays in the process table in state `Z`.
    fn server_is_gone(&self) -> bool {
        let id = self.watcher.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let ended = |id: &str| {
            let line = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            line.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
        };
        !children.trim().is_empty() && children.split_whitespace().all(ended)
    }

    fn failed(&self, what: &str) -> ServerError {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        ServerError::Server { what: what.to_owned(), log }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if !matches!(self.watcher.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        // It did not end on request: end the server by its own process id, then the watcher.
        if let Ok(id) = self.process_id() {
            drop(Command::new("kill").args(["-KILL", &id.to_string()]).status());
        }
        drop(self.watcher.kill());
        drop(self.watcher.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[expect(clippy::print_stderr, reason = "a skipped test says so; this crate is used by tests only")]
fn skipped() {
    eprintln!("skipped: PostgreSQL is not installed here\nhint: `cargo xtask setup` installs it");
}

/// The folder of `initdb` and `postgres`: the newest version under Debian's and Fedora's folders.
fn server_programs() -> Option<PathBuf> {
    let versions = |folder: &str, prefix: &str| -> Vec<(u32, PathBuf)> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let versioned = entries.filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let version = name.strip_prefix(prefix)?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        });
        versioned.collect()
    };
    let mut found = versions("/usr/lib/postgresql", "");
    found.extend(versions("/usr", "pgsql-"));
    found.sort();
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let usual = [PathBuf::from("/usr/local/bin"), PathBuf::from("/usr/bin")];
    found.into_iter().rev().map(|(_, folder)| folder).chain(usual).find(complete)
}

/// The account to change to, when we are root and it exists.
fn server_account() -> Option<Account> {
    let root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !root {
        return None;
    }
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some("postgres") {
            return None;
        }
        let (user, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        Some(Account { user, group })
    })
}

/// Makes a command run as the server's account, in a folder that this account can enter.
fn as_server(command: &mut Command, account: Option<Account>) -> &mut Command {
    command.current_dir("/");
    if let Some(account) = account {
        command.uid(account.user).gid(account.group);
    }
    command
}

fn own(path: &Path, account: Option<Account>) -> Result<(), ServerError> {
    let Some(account) = account else { return Ok(()) };
    chown(path, Some(account.user), Some(account.group))
        .map_err(io_error(format!("giving {} to the server's user", path.display())))
}

/// The folder of all clusters of this user.
fn base_folder(account: Option<Account>) -> Result<PathBuf, ServerError> {
    let own_user = fs::metadata("/proc/self").map_or(0, |own| own.uid());
    let base = std::env::temp_dir().join(format!("plimsoll-postgres-{own_user}"));
    match fs::DirBuilder::new().mode(0o700).create(&base) {
        Ok(()) => own(&base, account)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(io_error(format!("creating {}", base.display()))(error)),
    }
    Ok(base)
}

/// Removes what test processes that were killed with all their children left behind.
#[expect(clippy::disallowed_methods, reason = "the age of a left-over folder is the machine's affair")]
fn sweep(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > STALE));
        let lock = fs::read_to_string(entry.path().join("data/postmaster.pid")).unwrap_or_default();
        let runs = lock.lines().next().is_some_and(|id| Path::new("/proc").join(id.trim()).exists());
        let template = entry.file_name().to_string_lossy().starts_with("template-");
        if old && !runs && !template {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The folder of a fresh cluster of this version, made once.
fn template(base: &Path, programs: &Path, account: Option<Account>) -> Result<PathBuf, ServerError> {
    let version = run(account, Command::new(programs.join("postgres")).arg("--version"))?;
    let version = version.split_whitespace().nth(2).unwrap_or("unknown");
    let template = base.join(format!("template-{version}"));
    if template.is_dir() {
        return Ok(template);
    }
    let making = tempfile::Builder::new()
        .prefix("making-")
        .tempdir_in(base)
        .map_err(io_error(format!("creating a folder in {}", base.display())))?;
    own(making.path(), account)?;
    let data = making.path().join("data");
    run(
        account,
        Command::new(programs.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"])
            .arg(format!("--username={SUPERUSER}"))
            .arg("--pgdata")
            .arg(&data),
    )?;
    let access = format!("local all {GUARDED_ROLE} scram-sha-256\nlocal all all trust\n");
    let file = data.join("pg_hba.conf");
    fs::write(&file, access).map_err(io_error(format!("writing {}", file.display())))?;
    match fs::rename(&data, &template) {
        Ok(()) => Ok(template),
        // Another process was faster; its template is as good as ours.
        Err(_) if template.is_dir() => Ok(template),
        Err(error) => Err(io_error(format!("keeping {}", template.display()))(error)),
    }
}

/// Runs a program to its end and returns what it printed.
fn run(account: Option<Account>, command: &mut Command) -> Result<String, ServerError> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = as_server(command, account).stdin(Stdio::null()).output();
    let output = output.map_err(io_error(format!("starting {name}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(ServerError::Server { what: format!("program {name} ended with {}", output.status), log })
}

/// Starts the server under its watcher. It stays in our process group, so that an interrupt reaches it too.
fn launch(
    programs: &Path,
    folder: &Path,
    options: ServerOptions,
    account: Option<Account>,
) -> Result<Child, ServerError> {
    let log = folder.join("log");
    let output = File::options().create(true).append(true).open(&log);
    let output = output.map_err(io_error(format!("creating {}", log.display())))?;
    let errors = output.try_clone().map_err(io_error(format!("sharing {}", log.display())))?;
    let socket = format!("unix_socket_directories={}", folder.display());
    let mut settings = vec!["listen_addresses=", socket.as_str(), "dynamic_shared_memory_type=mmap"];
    if !options.fsync {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"]);
    }
    let mut command = Command::new("sh");
    command.args(["-c", WATCHER, "watcher"]).arg(folder).arg(programs.join("postgres"));
    command.arg("-D").arg(folder.join("data"));
    for setting in settings {
        command.args(["-c", setting]);
    }
    as_server(&mut command, account).stdin(Stdio::piped()).stdout(output).stderr(errors);
    command.spawn().map_err(io_error("starting sh"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::value::Value;

    fn opens(url: &str) -> bool {
        plimsoll_store::open(&StoreUrl::Postgres { url: url.to_owned() }).is_ok()
    }

    #[test]
    fn a_cluster_answers_survives_a_crash_and_leaves_nothing() {
        let Some(mut server) = PostgresServer::start(ServerOptions { fsync: true }).unwrap() else { return };
        let url = server.database().unwrap();
        assert_ne!(url, server.database().unwrap());
        let address = StoreUrl::Postgres { url: url.clone() };
        let mut store = plimsoll_store::open(&address).unwrap();
        store.run_script("CREATE TABLE t (id bigint PRIMARY KEY); INSERT INTO t VALUES (7)").unwrap();
        let first = server.process_id().unwrap();
        server.crash_and_restart().unwrap();
        assert_ne!(server.process_id().unwrap(), first);
        assert!(store.query("SELECT id FROM t", &[]).is_err());
        let mut store = store.reopen().unwrap();
        assert_eq!(store.query("SELECT id FROM t", &[]).unwrap(), vec![vec![Value::Integer(7)]]);
        let (folder, last) = (server.folder.clone(), server.process_id().unwrap());
        drop(server);
        assert!(!opens(&url) && !folder.exists() && !Path::new("/proc").join(last.to_string()).exists());
    }

    #[test]
    fn a_server_that_does_not_start_says_why() {
        let Some(mut server) = PostgresServer::start(ServerOptions::default()).unwrap() else { return };
        let settings = server.folder.join("data/postgresql.conf");
        fs::write(&settings, "no_such_setting = 1\n").unwrap();
        let error = server.crash_and_restart().unwrap_err().to_string();
        assert!(error.contains("ended instead of starting") && error.contains("no_such_setting"), "{error}");
    }
}
