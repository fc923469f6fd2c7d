//! Telling those who must know that a playbook stopped.

use plimsoll_engine::alert::{Severity, Signal};
use plimsoll_engine::playbook::Alarm;
use plimsoll_engine::{EngineError, Session};

use crate::command::Context;

/// What to do about it.
const RUNBOOK: &str = "docs/runbooks/playbook-stopped.md";

/// Raises the incident, and sends its notice when there is somewhere to send it.
pub(super) fn raise(context: &Context, session: &mut Session, alarm: &Alarm) -> Result<(), EngineError> {
    let signal = Signal {
        cause: alarm.cause.clone(),
        severity: Severity::P1,
        title: alarm.title.clone(),
        detail: alarm.detail.clone(),
        runbook: RUNBOOK.to_owned(),
        system: String::new(),
    };
    context.raise(session, &signal)
}
