//! The real binary as a storm uses it: some of its processes run at once, and some die.
//!
//! Owns starting, the kinds of death, and waiting. A process that neither ends nor dies in time is a failure.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::Failure;
use crate::binary;
use crate::chance::Chance;
use crate::place::Address;

/// The points at which a process of a link can die by its own hand.
const POINTS: [&str; 6] =
    ["sync:claimed", "sync:dispatched", "sync:answered", "sync:settled", "sync:committing", "sync:page_read"];

/// Longer than any command takes, with all its waits for leases and next attempts.
const PATIENCE: Duration = Duration::from_secs(300);

/// How a process is to die.
#[derive(Debug, Clone)]
pub(super) enum Death {
    /// Not at all.
    None,
    /// At the n-th pass of a point.
    At { point: &'static str, occurrence: u64 },
    /// At a moment after its start.
    After(Duration),
}

impl Death {
    /// One of three lives, one dies at a point, one at any moment.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        match chance.below(3) {
            0 => Self::None,
            1 => {
                let point = POINTS[usize::try_from(chance.below(POINTS.len() as u64)).unwrap_or(0)];
                // A pull of thirty rows reads one page.
                let passes = if point == "sync:page_read" { 1 } else { 4 };
                Self::At { point, occurrence: 1 + chance.below(passes) }
            }
            _ => Self::After(Duration::from_millis(20 + chance.below(700))),
        }
    }

    /// One of four edits dies before one of its two commits, that of the draft or its own.
    pub(super) fn draw_for_edit(chance: &mut Chance) -> Self {
        if chance.below(4) > 0 {
            return Self::None;
        }
        Self::At { point: "sync:committing", occurrence: 1 + chance.below(2) }
    }
}

/// Clocks that are wrong, by a library that comes between a program and its clock.
pub(super) struct Clocks {
    library: Option<PathBuf>,
}

impl Clocks {
    /// Looks for Debian's libfaketime.
    pub(super) fn find() -> Self {
        let architecture = std::env::consts::ARCH;
        let path = format!("/usr/lib/{architecture}-linux-gnu/faketime/libfaketimeMT.so.1");
        Self { library: Some(PathBuf::from(path)).filter(|path| path.is_file()) }
    }

    /// Whether clocks can be wrong here.
    pub(super) fn are_known(&self) -> bool {
        self.library.is_some()
    }
}

/// A command that has not begun.
pub(super) struct Plimsoll {
    command: Command,
    said: String,
    death: Death,
}

/// A command that runs.
pub(super) struct Started {
    child: Child,
    said: String,
    death: Death,
    began: Instant,
}

/// What became of a command.
pub(super) enum Ended {
    /// It ended by itself.
    Itself { code: i32, out: String, err: String },
    /// It died: at this point, or at a `moment`.
    Killed(String),
}

impl Plimsoll {
    pub(super) fn new(
        at: &Address,
        actor: &str,
        words: &[&str],
        redis: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut command = binary::command(at, words)?;
        command.env("PLIMSOLL_ACTOR", actor).env_remove("PLIMSOLL_REDIS").env_remove("PLIMSOLL_KILL_AT");
        if let Some(address) = redis {
            command.env("PLIMSOLL_REDIS", address);
        }
        Ok(Self { command, said: words.join(" "), death: Death::None })
    }

    /// It is to die so.
    pub(super) fn dying(mut self, death: Death) -> Self {
        if let Death::At { point, occurrence } = &death {
            self.command.env("PLIMSOLL_KILL_AT", format!("{point}:{occurrence}"));
        }
        self.death = death;
        self
    }

    /// Its clock is wrong by so many seconds.
    pub(super) fn with_clock(mut self, clocks: &Clocks, seconds: i64) -> Self {
        if let Some(library) = &clocks.library {
            self.command
                .env("LD_PRELOAD", library)
                .env("FAKETIME", format!("{seconds:+}"))
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self
    }

    pub(super) fn start(mut self) -> Result<Started, Failure> {
        let child = self.command.spawn()?;
        Ok(Started { child, said: self.said, death: self.death, began: Instant::now() })
    }

    pub(super) fn end(self) -> Result<Ended, Failure> {
        self.start()?.end()
    }

    /// Runs it to its end, which must be a good one. Its document.
    pub(super) fn finish(self) -> Result<Json, Failure> {
        let said = self.said.clone();
        match self.end()? {
            Ended::Itself { code: 0 | 3, out, .. } => Ok(serde_json::from_str(&out)?),
            Ended::Itself { code, out, err } => Err(format!("`{said}`: exit {code}: {out}{err}").into()),
            Ended::Killed(by) => Err(format!("`{said}` was killed by something else ({by})").into()),
        }
    }
}

impl Started {
    /// Whether its last hour has come; if it is to be killed from outside, it is. False while it goes on.
    pub(super) fn is_over(&mut self) -> Result<bool, Failure> {
        if self.child.try_wait()?.is_some() {
            return Ok(true);
        }
        if matches!(self.death, Death::After(moment) if self.began.elapsed() >= moment) {
            self.child.kill()?;
        }
        if self.began.elapsed() > PATIENCE {
            self.child.kill()?;
            return Err(format!("`{}` does not end", self.said).into());
        }
        Ok(false)
    }

    pub(super) fn end(mut self) -> Result<Ended, Failure> {
        while !self.is_over()? {
            std::thread::sleep(Duration::from_millis(1));
        }
        let output = self.child.wait_with_output()?;
        let Some(code) = output.status.code() else {
            return Ok(Ended::Killed(match self.death {
                Death::At { point, .. } => point.to_owned(),
                Death::After(_) => "a moment".to_owned(),
                Death::None => "nobody knows what".to_owned(),
            }));
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(Ended::Itself { code, out: text(&output.stdout), err: text(&output.stderr) })
    }
}
