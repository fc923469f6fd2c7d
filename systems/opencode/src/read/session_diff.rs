//! Files that a session changed.
//!
//! Owns `storage/session_diff/<session>.json`, which is written by the SQLite generations too: whole contents until
//! 1.3, patches since 1.4.10.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::fields::Fields;
use super::json::Kind;
use super::leftovers::Leftovers;
use super::{Source, split};
use crate::table::core::SESSION_DIFFS;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let text = source.json()?;
    let tape = split(&text)?;
    if tape.root().kind() != Kind::Array {
        return Err(Refusal::new(
            "wrong-shape",
            "a list of files is an array; line 1 column 1 begins something else",
        ));
    }
    for (position, item) in (0_i64..).zip(tape.root().items()) {
        let Some(mut fields) = Fields::new(item, "session_diff") else {
            rows.unknown("session_diff[]");
            push_row!(rows, SESSION_DIFFS, {
                session_id: source.id,
                position: position,
                generation: source.generation.as_str(),
                extra: item.raw(),
            })?;
            continue;
        };
        let path = fields.text("file").or_else(|| fields.text("path"));
        let status = fields.text("status");
        let additions = fields.integer("additions");
        let deletions = fields.integer("deletions");
        let before = fields.text("before");
        let after = fields.text("after");
        let patch = fields.text("patch");
        let mut left = Leftovers::default();
        left.add(fields);
        let extra = left.into_extra(rows);
        push_row!(rows, SESSION_DIFFS, {
            session_id: source.id,
            position: position,
            path: path.as_deref(),
            status: status.as_deref(),
            additions: additions,
            deletions: deletions,
            before: before.as_deref(),
            after: after.as_deref(),
            patch: patch.as_deref(),
            generation: source.generation.as_str(),
            extra: extra.as_deref(),
        })?;
    }
    Ok(())
}
