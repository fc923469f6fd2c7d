//! The simulated congress.gov as a child process.
//!
//! Owns starting `plimsoll simulate congress`, reading the two lines it prints first (its address, and
//! one line of JSON that lists what it planted), and stopping it.
//!
//! Invariant: the process is ended when the value is dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tinyjson::JsonValue;

use crate::failure::Failure;
use crate::{json, process};

/// How long the simulator may take to generate its data and listen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running simulator.
pub(super) struct Simulator {
    child: Child,
    address: String,
    manifest: JsonValue,
}

impl Simulator {
    /// Starts it on a free port and has it write its starting database to `baseline`.
    ///
    /// What it logs goes to `folder`/simulator.log.
    pub(super) fn start(plimsoll: &Path, folder: &Path, baseline: &Path) -> Result<Self, Failure> {
        let log = folder.join("simulator.log");
        let errors = File::create(&log)
            .map_err(|error| Failure::new(format!("{} could not be created: {error}", log.display())))?;
        let mut command = super::plimsoll_command(plimsoll, folder);
        command.args(["simulate", "congress", "--generate", super::HEARINGS, "--changes", super::CHANGES]);
        command.args(["--bad", &super::BAD.to_string(), "--seed", super::SEED, "--listen", "127.0.0.1:0"]);
        command.arg("--write-baseline").arg(baseline);
        println!("$ plimsoll {}", process::shown_arguments(&command));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| Failure::new(format!("the simulator could not be started: {error}")))?;
        let output = child.stdout.take();
        // From here on Drop ends it.
        let mut simulator = Self { child, address: String::new(), manifest: JsonValue::Null };

        let (send, received) = mpsc::channel();
        if let Some(output) = output {
            // Keeps reading after the second line, so that the simulator never waits for a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // Nobody listens after the second line.
                    let _ = send.send(line);
                }
            });
        }
        let next = |what: &str| {
            received.recv_timeout(PATIENCE).map_err(|_| {
                let logged = fs::read_to_string(&log).unwrap_or_default();
                Failure::new(format!("the simulator did not print {what}\n{}", logged.trim_end()))
            })
        };
        let address = next("its address")?;
        let manifest = json::parse("the simulator's second line", &next("its manifest")?)?;
        if !address.starts_with("http://") {
            return Err(Failure::new(format!("the simulator's first line is no address: {address}")));
        }
        simulator.address = address;
        simulator.manifest = manifest;
        Ok(simulator)
    }

    /// Where it listens, as `--source` takes it.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// What it planted.
    pub(super) fn manifest(&self) -> &JsonValue {
        &self.manifest
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then fail, and that is as wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
