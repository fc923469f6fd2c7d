//! A real Redis server for tests, on a socket in a temporary folder.
//!
//! Owns its start, stop and restart. It keeps nothing on disk: a restart is a flush. It does not install Redis.
//!
//! Invariant: the server ends with this process, or with the value: it watches its standard input's other end by a small
//! shell, as the PostgreSQL server of this kit does.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Starts the server and ends it with the end of the input.
const WATCHER: &str = r#"
"$@" </dev/null & server=$!
read -r order
kill -KILL "$server"
wait "$server"
"#;

/// A running server.
pub struct RedisServer {
    folder: TempDir,
    watcher: Option<Child>,
}

impl RedisServer {
    /// Starts one; `None`, with a message, where Redis is not installed.
    ///
    /// # Errors
    /// When it does not start.
    #[expect(clippy::print_stderr, reason = "a skipped case says so")]
    pub fn start() -> std::io::Result<Option<Self>> {
        let known = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        if !known.is_ok_and(|status| status.success()) {
            eprintln!("skipped: redis-server is not installed; cargo xtask setup");
            return Ok(None);
        }
        let mut server = Self { folder: tempfile::tempdir()?, watcher: None };
        server.restart()?;
        Ok(Some(server))
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Kills it. What it kept is gone.
    pub fn stop(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            drop(watcher.stdin.take());
            // It has ended when the shell has.
            drop(watcher.wait());
        }
        drop(std::fs::remove_file(self.socket()));
    }

    /// Empties it.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn flush(&self) -> std::io::Result<()> {
        let mut stream = std::os::unix::net::UnixStream::connect(self.socket())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"FLUSHALL\r\n")?;
        let mut answer = [0; 5];
        stream.read_exact(&mut answer)?;
        if &answer == b"+OK\r\n" {
            Ok(())
        } else {
            Err(std::io::Error::other("redis-server refuses FLUSHALL"))
        }
    }

    /// Starts it again, empty.
    ///
    /// # Errors
    /// When it does not start.
    pub fn restart(&mut self) -> std::io::Result<()> {
        self.stop();
        let socket = self.socket();
        self.watcher = Some(
            Command::new("sh")
                .args([
                    "-c",
                    WATCHER,
                    "watcher",
                    "redis-server",
                    "--port",
                    "0",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ])
                .arg("--unixsocket")
                .arg(&socket)
                .arg("--dir")
                .arg(self.folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?,
        );
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            if began.elapsed() > PATIENCE {
                return Err(std::io::Error::other("redis-server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
