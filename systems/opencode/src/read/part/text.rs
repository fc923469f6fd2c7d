//! Texts and reasoning.
//!
//! Owns the rows of `text_messages` and `thinking_blocks`.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::{Outline, Part, characters};
use crate::read::cells::push_row;
use crate::read::fields::Fields;
use crate::read::leftovers::Leftovers;
use crate::table::focused::{TEXT_MESSAGES, THINKING_BLOCKS};

/// A text.
#[derive(Debug, Default)]
pub(in crate::read) struct Text<'a> {
    pub(in crate::read) text: Option<Cow<'a, str>>,
    pub(in crate::read) synthetic: Option<bool>,
    pub(in crate::read) ignored: Option<bool>,
    pub(in crate::read) metadata: Option<&'a str>,
    pub(in crate::read) start: Option<i64>,
    pub(in crate::read) end: Option<i64>,
}

impl Text<'_> {
    /// Adds the row of `text_messages`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let text = self.text.as_deref();
        let length = text.map(characters);
        push_row!(rows, TEXT_MESSAGES, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            text: text,
            character_count: length,
            line_count: text.map(lines),
            format: text.map(format),
            synthetic: self.synthetic,
            ignored: self.ignored,
            metadata: self.metadata,
            time_start: self.start,
            time_end: self.end,
            document_id: part.document,
        })?;
        Ok(Outline { moment: part.moment(self.start), characters: length })
    }
}

/// What the model thought.
#[derive(Debug, Default)]
pub(in crate::read) struct Thought<'a> {
    pub(in crate::read) text: Option<Cow<'a, str>>,
    pub(in crate::read) metadata: Option<&'a str>,
    pub(in crate::read) start: Option<i64>,
    pub(in crate::read) end: Option<i64>,
}

impl Thought<'_> {
    /// Adds the row of `thinking_blocks`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let text = self.text.as_deref();
        let length = text.map(characters);
        let duration = self.start.zip(self.end).map(|(start, end)| (end - start).div_euclid(1000));
        push_row!(rows, THINKING_BLOCKS, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            text: text,
            character_count: length,
            duration_ms: duration,
            metadata: self.metadata,
            time_start: self.start,
            time_end: self.end,
            document_id: part.document,
        })?;
        Ok(Outline { moment: part.moment(self.start), characters: length })
    }
}

pub(super) fn text<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.text");
    let (start, end) = span(fields, left);
    let text = Text {
        text: fields.text("text"),
        synthetic: fields.boolean("synthetic"),
        ignored: fields.boolean("ignored"),
        metadata: fields.json("metadata").map(|metadata| metadata.raw()),
        start,
        end,
    };
    text.store(part, rows)
}

pub(super) fn reasoning<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.reasoning");
    let (start, end) = span(fields, left);
    let thought = Thought {
        text: fields.text("text"),
        metadata: fields.json("metadata").map(|metadata| metadata.raw()),
        start,
        end,
    };
    thought.store(part, rows)
}

/// The field `time` with a beginning and an end.
fn span<'a>(fields: &mut Fields<'a>, left: &mut Leftovers<'a>) -> (Option<i64>, Option<i64>) {
    let Some(mut time) = fields.object("time") else { return (None, None) };
    let span = (time.moment("start"), time.moment("end"));
    left.add(time);
    span
}

fn lines(text: &str) -> i64 {
    let ends = text.bytes().filter(|byte| *byte == b'\n').count();
    let unended = !text.is_empty() && !text.ends_with('\n');
    i64::try_from(ends + usize::from(unended)).unwrap_or(i64::MAX)
}

/// `code` for a text that is one fenced block, `markdown` for one with marks of Markdown, else `plain`.
fn format(text: &str) -> &'static str {
    let text = text.trim();
    let has = |byte: u8| text.as_bytes().contains(&byte);
    let fences = if has(b'`') { text.matches("```").count() } else { 0 };
    if fences == 2 && text.starts_with("```") && text.ends_with("```") {
        return "code";
    }
    let is_marked = |line: &str| {
        let line = line.trim_start();
        let heading = line.trim_start_matches('#');
        let number = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
        (heading.len() < line.len() && heading.starts_with(' '))
            || line.starts_with("- ")
            || line.starts_with("* ")
            || line.starts_with("> ")
            || (line.starts_with('|') && line.len() > 1 && line.trim_end().ends_with('|'))
            || (number.len() < line.len() && number.starts_with(". "))
    };
    let marks = || {
        (has(b'*') && text.matches("**").count() >= 2)
            || (has(b'`') && text.matches('`').count() >= 2)
            || (has(b']') && text.contains("]("))
    };
    if fences > 0 || text.lines().any(is_marked) || marks() { "markdown" } else { "plain" }
}

#[cfg(test)]
mod tests {
    use super::{format, lines};

    #[test]
    fn lines_are_counted_as_they_are_read() {
        for text in ["", "a", "a\n", "a\nb", "\n", "a\r\nb\r\n\r\n", "\n\n"] {
            assert_eq!(lines(text), i64::try_from(text.lines().count()).unwrap(), "{text:?}");
        }
    }

    #[test]
    fn a_format_is_told_by_its_marks() {
        for (text, expected) in [
            ("", "plain"),
            ("just words. 3 of them - really", "plain"),
            ("# Heading\ntext", "markdown"),
            ("#hashtag", "plain"),
            ("first\n- item", "markdown"),
            ("2. second", "markdown"),
            ("**bold** move", "markdown"),
            ("see [it](x)", "markdown"),
            ("run `ls` now", "markdown"),
            ("```rust\nfn x() {}\n```", "code"),
            ("so:\n```\nx\n```", "markdown"),
            ("| a | b |", "markdown"),
        ] {
            assert_eq!(format(text), expected, "{text}");
        }
    }
}
