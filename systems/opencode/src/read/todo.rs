//! Todo lists.
//!
//! Owns `storage/todo/<session>.json`, one file for a session's list, and the table `todo`, one row for a line. A list
//! goes by the identifier of its first line, `session/0`: OpenCode copies lists from files to rows and leaves the
//! files, and the first row supersedes the whole file.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::fields::Fields;
use super::json::Kind;
use super::leftovers::Leftovers;
use super::{Source, split};
use crate::table::core::TODOS;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    match source.file {
        Some(text) => file(source, text, rows),
        None => row(source, rows),
    }
}

fn file(source: &Source<'_>, text: &str, rows: &mut Rows) -> Result<(), Refusal> {
    let tape = split(text)?;
    if tape.root().kind() != Kind::Array {
        return Err(Refusal::new(
            "wrong-shape",
            "a todo list is an array; line 1 column 1 begins something else",
        ));
    }
    let (session, _) = owner(source);
    for (position, item) in (0_i64..).zip(tape.root().items()) {
        let Some(mut fields) = Fields::new(item, "todo") else {
            rows.unknown("todo[]");
            push_row!(rows, TODOS, {
                session_id: session,
                position: position,
                generation: source.generation.as_str(),
                extra: item.raw(),
                document_id: source.id,
            })?;
            continue;
        };
        let id = fields.text("id");
        let content = fields.text("content");
        let status = fields.text("status");
        let priority = fields.text("priority");
        let mut left = Leftovers::default();
        left.add(fields);
        let extra = left.into_extra(rows);
        push_row!(rows, TODOS, {
            session_id: session,
            position: position,
            todo_id: id.as_deref(),
            content: content.as_deref(),
            status: status.as_deref(),
            priority: priority.as_deref(),
            generation: source.generation.as_str(),
            extra: extra.as_deref(),
            document_id: source.id,
        })?;
    }
    Ok(())
}

fn row(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let columns = source.columns;
    let (session, position) = owner(source);
    push_row!(rows, TODOS, {
        session_id: columns.text("session_id").as_deref().unwrap_or(session),
        position: columns.integer("position").or_else(|| position.parse().ok()),
        content: columns.text("content").as_deref(),
        status: columns.text("status").as_deref(),
        priority: columns.text("priority").as_deref(),
        time_created: columns.moment("time_created"),
        time_updated: columns.moment("time_updated"),
        generation: source.generation.as_str(),
        document_id: source.id,
    })
}

/// Session and position, as the identifier tells them.
fn owner<'a>(source: &Source<'a>) -> (&'a str, &'a str) {
    source.id.rsplit_once('/').unwrap_or((source.id, ""))
}
