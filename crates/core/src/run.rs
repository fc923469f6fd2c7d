//! The life of a run: one status, one transition function.
//!
//! Owns the statuses, the events and which event is legal when. It does not store or apply anything.
//!
//! ```text
//! Running --stop--> Stopped --resume--> Running     (a lost connection, a full disk, the error budget)
//! Running --pause-> Paused  --resume--> Running     (a person)
//! Running | Paused | Stopped --cancel-> Cancelled   (final; what is applied stays, and can be undone)
//! Running --finish-> Finished --replay-> Running    (a repaired item of the quarantine)
//! ```
//!
//! A process killed with -9 leaves its run `Running`; `resume` on a running run takes over once its owner is gone.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Batches are being applied, or their process died.
    Running,
    /// A person asked it to wait.
    Paused,
    /// It met something that is not the data's fault, or its error budget ran out.
    Stopped,
    /// A person ended it; the rest of the plan will not be applied.
    Cancelled,
    /// Every item of the plan has ended.
    Finished,
}

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEvent {
    /// A person asks it to wait.
    Pause,
    /// It goes on.
    Resume,
    /// A person ends it.
    Cancel,
    /// It cannot go on by itself.
    Stop,
    /// The last item ended.
    Finish,
    /// A quarantined item is applied again.
    Replay,
}

/// An event that does not fit the status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a {status} run cannot {event}\nhint: {hint}")]
pub struct IllegalEvent {
    /// Where the run stands.
    pub status: RunStatus,
    /// What was asked.
    pub event: RunEvent,
    /// What to do instead.
    pub hint: &'static str,
}

impl RunStatus {
    /// All statuses, for tables in tests and documents.
    pub const ALL: [Self; 5] = [Self::Running, Self::Paused, Self::Stopped, Self::Cancelled, Self::Finished];

    /// The word used in SQL, reports and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Finished => "finished",
        }
    }

    /// The status called `word`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// True when the run may still apply batches.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Stopped)
    }

    /// The status after `event`.
    ///
    /// # Errors
    /// [`IllegalEvent`], with a hint, when the event does not fit.
    pub fn next(self, event: RunEvent) -> Result<Self, IllegalEvent> {
        use RunEvent::{Cancel, Finish, Pause, Replay, Resume, Stop};
        use RunStatus::{Cancelled, Finished, Paused, Running, Stopped};
        match (self, event) {
            (Running | Paused | Stopped, Resume) | (Finished | Running, Replay) => Ok(Running),
            (Running | Paused, Pause) => Ok(Paused),
            (Running | Paused | Stopped, Cancel) => Ok(Cancelled),
            (Running, Stop) => Ok(Stopped),
            (Running, Finish) => Ok(Finished),
            (status, event) => {
                let hint = match status {
                    Finished => "it has ended; `plimsoll undo` takes it back",
                    Cancelled => "it was cancelled; `plimsoll undo` takes back what it applied",
                    Paused | Stopped => "`plimsoll resume` lets it go on",
                    Running => "it is running; pause it first",
                };
                Err(IllegalEvent { status, event, hint })
            }
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for RunEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "be cancelled",
            Self::Stop => "stop",
            Self::Finish => "finish",
            Self::Replay => "replay",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_transitions() {
        use RunEvent::{Cancel, Finish, Pause, Replay, Resume, Stop};
        let events = [Pause, Resume, Cancel, Stop, Finish, Replay];
        let table: Vec<String> = RunStatus::ALL
            .into_iter()
            .map(|status| {
                let cells = events.map(|event| status.next(event).map_or("-", RunStatus::as_str));
                format!("{status}: {}", cells.join(" "))
            })
            .collect();
        assert_eq!(
            table,
            [
                "running: paused running cancelled stopped finished running",
                "paused: paused running cancelled - - -",
                "stopped: - running cancelled - - -",
                "cancelled: - - - - - -",
                "finished: - - - - - running",
            ]
        );
    }

    #[test]
    fn words_parse_back() {
        for status in RunStatus::ALL {
            assert_eq!(RunStatus::parse(status.as_str()), Some(status));
        }
    }
}
