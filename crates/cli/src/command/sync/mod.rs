//! `sync`, `edit`, `conflicts` and the other commands about records that are linked with a remote.
//!
//! Owns the wording. What happens to a record is the engine's.

mod arguments;
mod conflicts;
mod edits;
mod migrate;
mod records;
mod run;

pub(crate) use arguments::{
    ConflictsCommand, DeadLettersCommand, DecideArguments, DraftsArguments, EditArguments, ImportArguments,
    LimboArguments, RecordsArguments, SyncArguments, VersionsArguments,
};
pub(crate) use conflicts::{conflicts, dead_letters, limbo};
pub(crate) use edits::{commit, discard, drafts, edit, import};
pub(crate) use migrate::migrate;
pub(crate) use records::{links, records, versions};
pub(crate) use run::sync;

use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_engine::sync::edit as edits_of_records;
use plimsoll_engine::sync::{Link, LinkedSystem};
use plimsoll_engine::{EngineError, Session};

use super::Context;
use crate::registry;

/// A session on a linked system's store, with its tables up to date.
fn open(context: &Context, system: &str) -> Result<(Session, &'static LinkedSystem), EngineError> {
    let linked = registry::find_linked(system)?;
    let mut session = context.session(linked.system)?;
    plimsoll_engine::sync::prepare(&mut session, linked)?;
    Ok((session, linked))
}

/// Fields from `name=value` words.
fn fields(link: &dyn Link, words: &[String]) -> Result<Fields, EngineError> {
    let pairs = words.iter().map(|word| {
        word.split_once('=')
            .ok_or_else(|| EngineError::usage(format!("`{word}` is no FIELD=VALUE\nhint: model=Crane")))
    });
    let pairs: Vec<(&str, &str)> = pairs.collect::<Result<_, _>>()?;
    edits_of_records::written(link, pairs)
}

/// A value for a person.
fn shown(value: &Value) -> String {
    match value.as_text() {
        Some(text) => text.to_owned(),
        None if value.is_null() => "-".into(),
        None => value.to_string(),
    }
}

/// Fields for a person: `model=Crane, class=-`.
fn shown_fields(fields: &Fields) -> String {
    let words: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
    words.join(", ")
}
