//! The simulated congress.gov and the simulated PEMS as child processes.
//!
//! Owns starting `plimsoll simulate`, reading the line it prints first, its address, and from congress.gov the second
//! one, JSON that lists what it planted; and stopping it.
//!
//! Invariant: the process is ended when the value is dropped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
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
    /// Starts it on a free port, with so many bad records, and has it write its starting database to `baseline`.
    ///
    /// What it logs goes to `folder`/simulator.log.
    pub(super) fn start(plimsoll: &Path, folder: &Path, baseline: &Path, bad: u32) -> Result<Self, Failure> {
        Self::congress(plimsoll, folder, baseline, bad, [super::HEARINGS, super::CHANGES])
    }

    /// The same with few hearings and changes, and nothing bad.
    pub(super) fn few(plimsoll: &Path, folder: &Path, baseline: &Path) -> Result<Self, Failure> {
        Self::congress(plimsoll, folder, baseline, 0, ["120", "40"])
    }

    fn congress(
        plimsoll: &Path,
        folder: &Path,
        baseline: &Path,
        bad: u32,
        [hearings, changes]: [&str; 2],
    ) -> Result<Self, Failure> {
        let mut command = super::plimsoll_command(plimsoll, folder);
        command.args(["simulate", "congress", "--generate", hearings, "--changes", changes]);
        command.args(["--bad", &bad.to_string(), "--seed", super::SEED, "--listen", "127.0.0.1:0"]);
        command.arg("--write-baseline").arg(baseline);
        let log = folder.join("simulator.log");
        let (mut simulator, lines) = Self::launch(command, &log)?;
        simulator.manifest = json::parse("the simulator's second line", &lines.next("its manifest")?)?;
        Ok(simulator)
    }

    /// Starts the simulated PEMS on a free port.
    pub(super) fn pems(plimsoll: &Path, folder: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = super::plimsoll_command(plimsoll, folder);
        command.args(["simulate", "pems"]).args(arguments);
        Self::of(command, &folder.join("pems.log"))
    }

    /// Starts any verb of the binary whose first line is its address.
    pub(super) fn of(command: Command, log: &Path) -> Result<Self, Failure> {
        Ok(Self::launch(command, log)?.0)
    }

    /// Waits until it ends by itself.
    pub(super) fn wait(&mut self) -> Result<(), Failure> {
        match self.child.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("it ended with {status}"))),
            Err(error) => Err(Failure::new(error.to_string())),
        }
    }

    /// Starts a simulator, whose first line is its address; the second value reads its further lines.
    fn launch(mut command: Command, log: &Path) -> Result<(Self, Lines), Failure> {
        let errors = File::create(log)
            .map_err(|error| Failure::new(format!("{} could not be created: {error}", log.display())))?;
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
            // Keeps reading after the last line that is wanted, so that the simulator never waits for a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // Nobody may listen any more.
                    let _ = send.send(line);
                }
            });
        }
        let lines = Lines { received, log: log.to_owned() };
        simulator.address = lines.next("its address")?;
        if !simulator.address.starts_with("http://") {
            let address = &simulator.address;
            return Err(Failure::new(format!("the simulator's first line is no address: {address}")));
        }
        Ok((simulator, lines))
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

/// What a simulator prints.
struct Lines {
    received: mpsc::Receiver<String>,
    log: PathBuf,
}

impl Lines {
    fn next(&self, what: &str) -> Result<String, Failure> {
        self.received.recv_timeout(PATIENCE).map_err(|_| {
            let logged = fs::read_to_string(&self.log).unwrap_or_default();
            Failure::new(format!("the simulator did not print {what}\n{}", logged.trim_end()))
        })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        // It may have ended by itself; both calls then fail, and that is as wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
