//! Telling those who must know that a playbook stopped.

use plimsoll_engine::playbook::Alarm;
use plimsoll_engine::{EngineError, Session, event};
use serde_json::json;

/// Puts the alarm on record. Where alerts are delivered is theirs to say.
pub(super) fn raise(session: &mut Session, alarm: &Alarm) -> Result<(), EngineError> {
    session.store.begin(plimsoll_store::Access::ReadWrite)?;
    let detail = json!({ "title": alarm.title, "detail": alarm.detail });
    match event::record(session, "playbook.alarm", &alarm.cause, &alarm.title, &detail) {
        Ok(()) => Ok(session.store.commit()?),
        Err(error) => {
            // The first error is the one to tell.
            drop(session.store.rollback());
            Err(error)
        }
    }
}
