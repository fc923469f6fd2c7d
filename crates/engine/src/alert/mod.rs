//! Alerts: what is wrong, who was told, and whether it is over.
//!
//! Owns incidents (one for each cause that holds), the notices that tell of them, when a notice is repeated or held
//! back, and their delivery to a Slack-compatible webhook. It deliberately does not find out what is wrong: checks,
//! gates, playbooks, flags and schedules do, and call [`raise`] and [`clear`].
//!
//! Reading order: `incident` (raise, clear, acknowledge, resolve), `policy` (ladder, quiet hours, damping), `notice`
//! (the outbox), `message` (what a notice looks like), `webhook` (the transport), `deliver` (one pass), `digest`.
//!
//! Invariants: at most one incident that is not resolved has a given cause. A notice commits with the change that it
//! tells of, and stays `waiting` until the receiver took it, so a crash or a dead receiver loses none; it may come
//! twice, and its id tells. The webhook's address is a secret: it is in no table, log, error or `Debug` text.

mod deliver;
mod digest;
mod incident;
mod message;
mod notice;
mod policy;
mod webhook;

use serde::{Deserialize, Serialize};

pub use deliver::{Delivery, deliver};
pub use digest::{Digest, Figure, digest};
pub use incident::{
    Incident, Outcome, Status, acknowledge, clear, clear_within, find, list, raise, raise_within, resolve,
};
pub use notice::{Notice, NoticeKind, NoticeStatus, notices, send_test};
pub use policy::{Policy, QuietHours};
pub use webhook::{Address, Refusal, Transport, Webhook};

use crate::system::{Dialect, Schema, SchemaAction, SchemaStep};

/// The tables of alerts, in the control store.
pub const SCHEMA: Schema = Schema {
    component: "alert",
    steps: &[SchemaStep {
        version: 1,
        name: "incidents and notices",
        actions: &[SchemaAction::Script(TABLES)],
    }],
    current: TABLES,
};

const TABLES: Dialect = Dialect::both(include_str!("tables.sql"));

/// How grave it is, and so how fast somebody has to act (OC-94).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Data is lost or wrong: take the change back at once, and tell everybody concerned.
    P0,
    /// Something is slow or fails: respond within an hour, fix within four.
    P1,
    /// Worth a look on the next business day.
    P2,
}

impl Severity {
    /// All, the gravest first.
    pub const ALL: [Self; 3] = [Self::P0, Self::P1, Self::P2];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P0 => "P0",
            Self::P1 => "P1",
            Self::P2 => "P2",
        }
    }

    /// The severity that a word names.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(text))
    }

    /// What the severity asks of people.
    pub const fn response(self) -> &'static str {
        match self {
            Self::P0 => "take the change back at once and tell everybody concerned",
            Self::P1 => "respond within 1 hour, fix within 4 hours",
            Self::P2 => "look at it on the next business day",
        }
    }

    /// The severity for a broken check: one that says numbers may be wrong is urgent, any other can wait.
    pub const fn of_check(severity: crate::check::Severity) -> Self {
        match severity {
            crate::check::Severity::Error => Self::P1,
            crate::check::Severity::Warn => Self::P2,
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// What it is that is wrong, the same text each time: `check/opencode/root-path`, `schedule/daily-health`.
    pub cause: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, in one line.
    pub title: String,
    /// Figures and names, for whoever looks at it.
    pub detail: String,
    /// The runbook, as a path such as `docs/runbooks/check-failed.md` or an address; may be empty.
    pub runbook: String,
    /// The system it is about; empty when it is about none.
    pub system: String,
}

#[cfg(test)]
mod tests;
