//! One pass of delivery: settle, remind, send.
//!
//! Owns the order of these and what happens when a receiver does not take a message. `serve` makes a pass every few
//! seconds, `alert send` makes one; several processes may do so at once, because each notice is claimed before it is
//! tried.
//!
//! A message that was not taken is tried again after 10 s, 20 s, 40 s, .. up to an hour, or when the receiver says,
//! for as long as it takes. More than [`FLOOD`] messages that are due at once become one.

use serde::Serialize;

use super::incident::{self, Status};
use super::message;
use super::notice::{self, Notice, NoticeKind};
use super::policy::Policy;
use super::webhook::Transport;
use crate::clock::{between_ms, later};
use crate::error::EngineError;
use crate::session::Session;

/// How many messages may go out one by one in a pass.
const FLOOD: usize = 8;
/// How long a claim on a notice holds: longer than a try can take.
const CLAIM_MS: u64 = 60_000;
const FIRST_WAIT_MS: i64 = 10_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Incidents that flapped and were resolved now.
    pub settled: u64,
    /// Reminders made.
    pub reminders: u64,
    /// Notices that the receiver took.
    pub sent: u64,
    /// Notices that it did not take; they are tried again.
    pub failed: u64,
    /// Notices that wait for the end of the quiet hours.
    pub held: u64,
    /// Why the last one was not taken.
    pub last_error: Option<String>,
}

/// Makes one pass. Without a transport notices are made and wait.
///
/// # Errors
/// When the control store fails. A receiver that fails is no error: it is in the answer and in the outbox.
pub fn deliver(
    session: &mut Session,
    policy: &Policy,
    transport: Option<&dyn Transport>,
) -> Result<Delivery, EngineError> {
    let mut delivery = Delivery { settled: incident::settle(session)?, ..Delivery::default() };
    delivery.reminders = remind(session)?;
    let Some(transport) = transport else { return Ok(delivery) };
    let now = session.clock.now();
    let mut ready = Vec::new();
    for notice in notice::due(session, &now)? {
        let asked_for = matches!(notice.kind, NoticeKind::Test | NoticeKind::Digest);
        if !asked_for && policy.holds(notice.severity, &now)? {
            delivery.held += 1;
        } else {
            ready.push(notice);
        }
    }
    if ready.len() > FLOOD {
        send_as_one(session, transport, &ready, &mut delivery)?;
    } else {
        for notice in &ready {
            let body = notice.body.to_string();
            if !send(session, transport, std::slice::from_ref(notice), &body, &mut delivery)? {
                // The next one would wait for the same receiver.
                break;
            }
        }
    }
    Ok(delivery)
}

/// Makes the reminders that are due. One that nobody heard yet is enough.
fn remind(session: &mut Session) -> Result<u64, EngineError> {
    let now = session.clock.now();
    let mut made = 0;
    for open in incident::list(session, false)? {
        let Some(noticed_at) = &open.noticed_at else { continue };
        let due = between_ms(noticed_at, &now)? >= Policy::pause_ms(open.severity, open.notices);
        if open.status != Status::Open || open.clear_since.is_some() || !due {
            continue;
        }
        made += u64::from(incident::remind(session, &open.id, open.notices)?);
    }
    Ok(made)
}

fn send_as_one(
    session: &mut Session,
    transport: &dyn Transport,
    ready: &[Notice],
    delivery: &mut Delivery,
) -> Result<(), EngineError> {
    let texts: Vec<_> = ready
        .iter()
        .map(|notice| (notice.severity, notice.body["text"].as_str().unwrap_or_default()))
        .collect();
    let body = message::of_many(&texts).to_string();
    send(session, transport, ready, &body, delivery)?;
    Ok(())
}

/// Claims the notices, tries once, and notes what came of it. True when the receiver can be asked again now.
fn send(
    session: &mut Session,
    transport: &dyn Transport,
    notices: &[Notice],
    body: &str,
    delivery: &mut Delivery,
) -> Result<bool, EngineError> {
    let until = later(&session.clock.now(), CLAIM_MS)?;
    let mut claimed = Vec::new();
    for notice in notices {
        if notice::claim(session, notice, &until)? {
            claimed.push(notice);
        }
    }
    if claimed.is_empty() {
        return Ok(true);
    }
    let count = u64::try_from(claimed.len()).unwrap_or(u64::MAX);
    match transport.post(body) {
        Ok(()) => {
            let now = session.clock.now();
            for notice in claimed {
                notice::sent(session, &notice.id, &now)?;
            }
            delivery.sent += count;
            Ok(true)
        }
        Err(refusal) => {
            let now = session.clock.now();
            for notice in claimed {
                let doubled = FIRST_WAIT_MS << notice.attempts.min(16);
                let wait = refusal.wait_ms.unwrap_or(doubled.min(LONGEST_WAIT_MS));
                notice::failed(session, &notice.id, &refusal.why, &later(&now, wait.unsigned_abs())?)?;
            }
            tracing::warn!(why = %refusal.why, notices = count, "notices were not taken and are tried again");
            delivery.failed += count;
            delivery.last_error = Some(refusal.why);
            Ok(false)
        }
    }
}
