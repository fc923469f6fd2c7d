//! Who has said that a kill has arrived.
//!
//! Owns asking the server that runs on the data folder, when one does. The kill itself is in the control store by then
//! and does not depend on the answer.

use std::time::Duration;

use plimsoll_engine::Session;
use plimsoll_engine::flag::Changed;
use plimsoll_server::{Arrival, Asked, RunningServer};

use super::Context;

/// How long to wait for the last acknowledgement.
const PATIENCE: Duration = Duration::from_secs(2);

/// How far a change has got with the programs that follow the flags; `None` where no server runs or it does not answer,
/// which is said.
pub(super) fn ask(context: &Context, session: &Session, changed: &Changed) -> Option<Arrival> {
    if changed.dry_run {
        return None;
    }
    let control = session.store.url().to_string();
    let Some(server) = RunningServer::find(&context.config.data, &control) else {
        context
            .ui
            .say("no server runs on this data folder: programs learn of it when they ask the store again");
        return None;
    };
    match server.arrival(changed.version, PATIENCE, context.config.token.as_deref()) {
        Asked::Arrived(arrival) => Some(arrival),
        Asked::NoAnswer(why) => {
            context.ui.say(&format!("{why}; the kill is written all the same"));
            None
        }
    }
}
