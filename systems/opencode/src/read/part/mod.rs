//! Parts of the JSON and the first SQLite generation.
//!
//! Owns what all parts have: identifiers, the moment, the row of `parts`; and which reader a type has. A part of an
//! unknown type is kept whole.

mod attachment;
mod marker;
mod text;
mod tool;

use std::borrow::Cow;

use plimsoll_engine::ingest::{Generation, Refusal, Rows};

pub(super) use self::attachment::{Attachment, mention};
pub(super) use self::marker::{Compaction, Finish, Retry};
pub(super) use self::text::{Text, Thought};

use super::cells::push_row;
use super::clock::Moment;
use super::fields::Fields;
use super::leftovers::Leftovers;
use super::{Source, no_object, split};
use crate::table::core::PARTS;

/// A part's place among the documents.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) message: Option<Cow<'a, str>>,
    pub(super) session: Option<Cow<'a, str>>,
    pub(super) generation: Generation,
    /// When the row was written, in microseconds.
    pub(super) row_time: Option<i64>,
    /// When what came before it ended, for a part that stands in its message without a time of its own.
    pub(super) before: Option<i64>,
    /// The message whose document holds this part too.
    pub(super) document: Option<&'a str>,
}

impl Part<'_> {
    /// When the part began, given the time in its fields.
    pub(super) fn moment(&self, field: Option<i64>) -> Moment {
        Moment::of(field.or(self.before), &self.id, self.message.as_deref(), self.row_time)
    }
}

/// What the row of `parts` tells of a part besides its place.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Outline {
    pub(super) moment: Moment,
    pub(super) characters: Option<i64>,
}

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let json = source.json()?;
    let tape = split(&json)?;
    let mut fields = Fields::new(tape.root(), "part").ok_or_else(|| no_object("part"))?;
    let kind = fields.text("type").ok_or_else(|| Refusal::new("wrong-shape", "a part without a `type`"))?;
    fields.same("id", Some(source.id));
    let mut owner = |column, parent: Option<&str>, key| match source
        .columns
        .text(column)
        .or(parent.map(|id| id.to_owned().into()))
    {
        Some(id) => {
            fields.same(key, Some(&id));
            Some(id)
        }
        None => fields.text(key),
    };
    let part = Part {
        message: owner("message_id", source.parent, "messageID"),
        session: owner("session_id", None, "sessionID"),
        id: source.id.into(),
        generation: source.generation,
        row_time: source.columns.moment("time_created"),
        before: None,
        document: None,
    };
    let mut left = Leftovers::default();
    let outline = match &*kind {
        "text" => text::text(&part, &mut fields, &mut left, rows)?,
        "reasoning" => text::reasoning(&part, &mut fields, &mut left, rows)?,
        "tool" => tool::read(&part, &mut fields, &mut left, rows)?,
        "step-start" => marker::step_start(&part, &mut fields, rows)?,
        "step-finish" => marker::step_finish(&part, &mut fields, &mut left, rows)?,
        "patch" => marker::patch(&part, &mut fields, rows)?,
        "snapshot" => marker::snapshot(&part, &mut fields, rows)?,
        "compaction" => marker::compaction(&part, &mut fields, rows)?,
        "subtask" => marker::subtask(&part, &mut fields, &mut left, rows)?,
        "retry" => marker::retry(&part, &mut fields, &mut left, rows)?,
        "file" => attachment::file(&part, &mut fields, rows)?,
        "agent" => attachment::agent(&part, &mut fields, rows)?,
        unknown => {
            let outline = Outline { moment: part.moment(None), characters: None };
            left.keep_whole(&fields, rows, format!("part.{unknown}"));
            return store(&part, &kind, outline, left, rows);
        }
    };
    left.add(fields);
    store(&part, &kind, outline, left, rows)
}

/// Adds the row of `parts`.
pub(super) fn store(
    part: &Part<'_>,
    kind: &str,
    outline: Outline,
    left: Leftovers<'_>,
    rows: &mut Rows,
) -> Result<(), Refusal> {
    let extra = left.into_extra(rows);
    push_row!(rows, PARTS, {
        id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        part_type: kind,
        time_created: outline.moment.at,
        time_source: outline.moment.source,
        character_count: outline.characters,
        generation: part.generation.as_str(),
        extra: extra.as_deref(),
        document_id: part.document,
    })
}

/// How many characters a text has.
pub(super) fn characters(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}
