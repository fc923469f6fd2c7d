//! The weekly digest: what happened, in figures (OC-105).
//!
//! Owns counting and the texts. Every figure is computed from the incidents and from the samples that the caller
//! hands over; nothing is stated that is not in the stores.

use std::collections::BTreeMap;

use plimsoll_core::id::Id;
use serde::Serialize;

use super::incident::{self, Incident, Status};
use super::notice::{self, NoticeKind};
use super::{Severity, message};
use crate::clock::{between_ms, earlier};
use crate::error::EngineError;
use crate::session::{Session, in_transaction};

const DAY_MS: u64 = 86_400_000;
/// How many causes are named.
const CAUSES: usize = 5;

/// A figure of the snapshot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it counts.
    pub name: String,
    /// The value, as text with its unit.
    pub value: String,
}

/// What happened in some days.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Digest {
    /// The first moment.
    pub from: String,
    /// The last moment.
    pub to: String,
    /// Incidents that opened in this time, by severity, the gravest first.
    pub opened: Vec<(Severity, u64)>,
    /// Incidents that were resolved in this time.
    pub resolved: u64,
    /// Signals that these incidents stand for: what would have been messages without them.
    pub signals: u64,
    /// The median time from the first signal to acknowledgement, in milliseconds.
    pub median_to_acknowledge_ms: Option<i64>,
    /// The median time from the first signal to the end, in milliseconds.
    pub median_to_resolve_ms: Option<i64>,
    /// Incidents that are not resolved.
    pub still_open: Vec<Incident>,
    /// The causes that were signalled most.
    pub causes: Vec<(String, u64)>,
    /// Notices that no receiver took yet.
    pub waiting_notices: u64,
    /// Figures of the systems at the end.
    pub figures: Vec<Figure>,
}

/// Computes the digest of the last `days` days.
///
/// # Errors
/// When the control store fails.
pub fn digest(session: &mut Session, days: u16, figures: Vec<Figure>) -> Result<Digest, EngineError> {
    let to = session.clock.now();
    let from = earlier(&to, DAY_MS * u64::from(days))?;
    let within = |moment: &Option<String>| moment.as_ref().is_some_and(|moment| *moment >= from);
    let all = incident::list(session, true)?;
    let mut causes: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut to_acknowledge, mut to_resolve) = (Vec::new(), Vec::new());
    let (mut resolved, mut signals) = (0, 0);
    for incident in all.iter().filter(|incident| incident.last_at >= from || within(&incident.resolved_at)) {
        *causes.entry(&incident.cause).or_default() += incident.occurrences;
        signals += incident.occurrences;
        if within(&incident.acknowledged_at)
            && let Some(at) = &incident.acknowledged_at
        {
            to_acknowledge.push(between_ms(&incident.first_at, at)?);
        }
        if incident.status == Status::Resolved
            && within(&incident.resolved_at)
            && let Some(at) = &incident.resolved_at
        {
            resolved += 1;
            to_resolve.push(between_ms(&incident.first_at, at)?);
        }
    }
    let mut causes: Vec<_> = causes.into_iter().map(|(cause, count)| (cause.to_owned(), count)).collect();
    causes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    causes.truncate(CAUSES);
    let opened_in = |severity| {
        let count = all.iter().filter(|one| one.severity == severity && one.first_at >= from).count();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    let waiting = notice::notices(session, None)?.len();
    Ok(Digest {
        opened: Severity::ALL.map(|severity| (severity, opened_in(severity))).to_vec(),
        resolved,
        signals,
        median_to_acknowledge_ms: median(to_acknowledge),
        median_to_resolve_ms: median(to_resolve),
        causes,
        still_open: all.into_iter().filter(|incident| incident.status != Status::Resolved).collect(),
        waiting_notices: u64::try_from(waiting).unwrap_or(u64::MAX),
        figures,
        from,
        to,
    })
}

/// The middle value; of an even number, the lower of the two in the middle, which did occur.
fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

fn span(ms: i64) -> String {
    let minutes = (ms + 30_000) / 60_000;
    match minutes {
        ..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} d {} h", minutes / 1_440, minutes % 1_440 / 60),
    }
}

impl Digest {
    /// The digest as Markdown.
    pub fn to_markdown(&self) -> String {
        let day = |moment: &str| moment.get(..10).unwrap_or(moment).to_owned();
        let mut lines = vec![format!("# Plimsoll, {} to {}", day(&self.from), day(&self.to)), String::new()];
        let opened: Vec<_> =
            self.opened.iter().map(|(severity, count)| format!("{count} {}", severity.as_str())).collect();
        lines.push(format!("- Incidents opened: {}", opened.join(", ")));
        lines.push(format!("- Resolved: {}, still open: {}", self.resolved, self.still_open.len()));
        lines.push(format!("- Signals behind them: {}", self.signals));
        let typical = |ms: Option<i64>| ms.map_or_else(|| "none in this time".to_owned(), span);
        lines.push(format!("- Median time to acknowledge: {}", typical(self.median_to_acknowledge_ms)));
        lines.push(format!("- Median time to resolve: {}", typical(self.median_to_resolve_ms)));
        if self.waiting_notices > 0 {
            lines.push(format!("- Notices that no receiver took yet: {}", self.waiting_notices));
        }
        let mut section = |title: &str, entries: Vec<String>| {
            if !entries.is_empty() {
                lines.extend([String::new(), format!("## {title}"), String::new()]);
                lines.extend(entries);
            }
        };
        let open = self.still_open.iter().map(|open| {
            format!(
                "- {} {} (incident {}, since {})",
                open.severity.as_str(),
                open.title,
                open.number,
                open.first_at
            )
        });
        section("Still open", open.collect());
        let causes = self.causes.iter().map(|(cause, count)| format!("- {cause}: {count}"));
        section("Signalled most", causes.collect());
        let figures = self.figures.iter().map(|figure| format!("- {}: {}", figure.name, figure.value));
        section("Figures", figures.collect());
        lines.push(String::new());
        lines.join("\n")
    }

    /// Puts the digest into the outbox.
    ///
    /// # Errors
    /// When the control store fails.
    pub fn send(&self, session: &mut Session) -> Result<Id, EngineError> {
        let text = self.to_markdown();
        let (title, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let body = message::of_digest(title.trim_start_matches("# "), &rest.trim().replace("## ", ""));
        in_transaction(session, |session| {
            incident::lock(session)?;
            let now = session.clock.now();
            notice::leave(session, None, NoticeKind::Digest, &body, &now)
        })
    }
}
