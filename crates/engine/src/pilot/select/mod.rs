//! Choosing who goes first: candidates of the legacy side, drawn by [`plimsoll_core::pilot::selection`], and kept.
//!
//! Owns the steps: read the legacy side, never write it; take the members of the newest selection as those who stay; draw;
//! keep the whole in the new side's store. Who has the new system is not decided here: enrolment freezes a cohort in the
//! pilot's flag.
//!
//! Reading order: [`candidates`] (who could be chosen), this file, [`kept`] (what was chosen), [`export`].
//!
//! Invariants: a selection keeps every member of the one before, except those who were rolled back since; two that were drawn from the same one are never both
//! kept; nobody is chosen who cannot be moved ([`candidates::UNMOVABLE`]), though who was a member before stays one.

pub mod candidates;
pub mod document;
pub mod export;
pub mod kept;

use plimsoll_core::pilot::selection::{self, Customer, Selection, SelectionError};
use plimsoll_store::{Store, schema};
use serde_json::json;

use self::kept::StoredSelection;
use super::declare::Pilot;
use super::member;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::{Session, in_transaction};

/// The salt of a pilot's first selection when nobody names another: its flag's name.
pub const SALT: &str = "pilot_program";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask<'ask> {
    /// The request. An empty salt stands for that of the newest selection, or [`SALT`].
    pub selection: Selection,
    /// Draw with this many salts and keep the cohort that is most like the rest.
    pub best_of: u32,
    /// Why, in the actor's words.
    pub reason: &'ask str,
    /// Keep nothing.
    pub dry_run: bool,
}

/// Brings the table of selections up to date.
///
/// # Errors
/// When the store fails.
pub fn prepare(new: &mut Session) -> Result<(), EngineError> {
    let now = new.clock.now();
    schema::upgrade(new.store.as_mut(), &kept::SCHEMA, &now)?;
    Ok(())
}

/// Chooses members, and keeps the selection in the new side's store, unless it is a dry run.
///
/// # Errors
/// Usage when the request cannot be met, with what could be; refused when another selection was kept meanwhile; when a
/// store fails.
pub fn select(
    new: &mut Session,
    legacy: &mut dyn Store,
    pilot: &dyn Pilot,
    ask: &Ask<'_>,
) -> Result<StoredSelection, EngineError> {
    let before = kept::latest(new.store.as_mut())?;
    let members = before.as_ref().map(StoredSelection::members).unwrap_or_default();
    let mut earlier = before.as_ref().map(|before| before.selected.members.clone()).unwrap_or_default();
    // Whoever was taken back has no claim to stay; it may be drawn again like anybody else.
    for code in member::rolled_back(new.store.as_mut())? {
        earlier.remove(&code);
    }
    let listed = candidates::read(legacy, pilot, &members)?;
    let customers: Vec<Customer> = listed.iter().map(|one| one.customer.clone()).collect();
    let mut request = ask.selection.clone();
    if request.salt.is_empty() {
        let salt = before.as_ref().map(|before| before.selected.selection.salt.clone());
        request.salt = salt.unwrap_or_else(|| SALT.into());
    }
    request.refused_marks.extend(candidates::UNMOVABLE.map(String::from));
    let salts: Vec<String> = std::iter::once(request.salt.clone())
        .chain((2..=ask.best_of).map(|more| format!("{}-{more}", request.salt)))
        .collect();
    let refused = |error: SelectionError| EngineError::usage(error.to_string());
    let selected = match salts.as_slice() {
        [_] => selection::select(&customers, &request, &earlier).map_err(refused)?,
        salts => selection::best_salt(&customers, &request, &earlier, salts)
            .map_err(refused)?
            .ok_or_else(|| EngineError::usage("there is no salt to draw with"))?,
    };
    let made = StoredSelection {
        id: new_id(),
        number: before.as_ref().map_or(0, |before| before.number) + 1,
        made_at: new.clock.now(),
        made_by: new.actor.clone(),
        reason: ask.reason.to_owned(),
        selected,
        candidates: listed,
    };
    if !ask.dry_run {
        keep(new, &made)?;
    }
    Ok(made)
}

/// Keeps a selection that was drawn as a dry run.
///
/// # Errors
/// Refused when another selection was kept since it was drawn; when the store fails.
pub fn keep(new: &mut Session, made: &StoredSelection) -> Result<(), EngineError> {
    in_transaction(new, |session| {
        if kept::newest_number(session.store.as_mut())? + 1 != made.number {
            return Err(EngineError::refused(
                "another selection was made meanwhile, and this one does not know its members\nhint: select again",
            ));
        }
        kept::write(session.store.as_mut(), made)?;
        let detail = json!({
            "number": made.number,
            "request": made.selected.selection,
            "customers": made.selected.of,
            "members": made.selected.members.len(),
            "entered": made.selected.enter,
            "gone": made.selected.gone,
        });
        event::record(session, "pilot.selected", made.id.as_str(), &made.reason, &detail)
    })
}
