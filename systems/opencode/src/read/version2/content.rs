//! What the model answered: texts, reasoning and tool calls in the order in which they came.
//!
//! Owns the shape of `content` in an assistant's message.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::Message;
use crate::read::fields::Fields;
use crate::read::json::{Json, Kind};
use crate::read::leftovers::Leftovers;
use crate::read::part::{self, Outline, Part, Text, Thought};
use crate::read::tool_calls::Call;

impl<'s, 'a: 's> Message<'s, 'a> {
    pub(super) fn assistant<'f>(
        &mut self,
        fields: &mut Fields<'f>,
        left: &mut Leftovers<'f>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        fields.is_a("session_message.assistant");
        if let Some(content) = fields.whole().get("content").filter(|content| content.kind() == Kind::Array) {
            fields.json("content");
            for item in content.items() {
                self.content(item, rows)?;
            }
        }
        self.retry(fields.object("retry"), rows)?;
        let snapshot = fields.whole().get("snapshot").and_then(|snapshot| snapshot.text_of("end"));
        let reason = fields.whole().text_of("finish");
        self.take_usage(fields, left, reason, snapshot, rows)
    }

    /// One piece of the content.
    fn content(&mut self, item: Json<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let part = self.next_part();
        let mut left = Leftovers::default();
        let Some(mut fields) = Fields::new(item, "session_message.content") else {
            let outline = Outline { moment: part.moment(None), characters: None };
            rows.unknown("session_message.content[]");
            left.keep_value("content", item);
            return part::store(&part, "unknown", outline, left, rows);
        };
        let kind = fields.text("type").unwrap_or_else(|| "unknown".into());
        let outline = match &*kind {
            "text" => {
                fields.is_a("session_message.content.text");
                let text = Text {
                    text: fields.text("text"),
                    synthetic: fields.boolean("synthetic"),
                    metadata: provider_data(&mut fields, &mut left).map(Json::raw),
                    ..Text::default()
                };
                left.keep(&mut fields, "id");
                text.store(&part, rows)?
            }
            "reasoning" => {
                fields.is_a("session_message.content.reasoning");
                let (start, end) = span(&mut fields, &mut left);
                self.until(end.or(start));
                left.keep(&mut fields, "id");
                let metadata = provider_data(&mut fields, &mut left).map(Json::raw);
                Thought { text: fields.text("text"), metadata, start, end }.store(&part, rows)?
            }
            "tool" => {
                fields.is_a("session_message.content.tool");
                let call = call(&mut fields, &mut left);
                self.until(call.end.or(call.start));
                call.store(&part, rows)?
            }
            unknown => {
                let outline = Outline { moment: part.moment(None), characters: None };
                left.keep_whole(&fields, rows, format!("session_message.content.{unknown}"));
                return part::store(&part, &kind, outline, left, rows);
            }
        };
        left.add(fields);
        part::store(&part, &kind, outline, left, rows)
    }

    /// Stores a text as the next part.
    pub(super) fn text(&mut self, text: &Text<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let part: Part<'_> = self.next_part();
        let outline = text.store(&part, rows)?;
        part::store(&part, "text", outline, Leftovers::default(), rows)
    }
}

/// What the provider wants to see again with the next request, under the names that it has had. The first is the
/// metadata, others are kept beside it.
fn provider_data<'f>(fields: &mut Fields<'f>, left: &mut Leftovers<'f>) -> Option<Json<'f>> {
    let mut found = None;
    for name in ["metadata", "providerMetadata", "native", "providerState"] {
        match found {
            None => found = fields.json(name),
            Some(_) => left.keep(fields, name),
        }
    }
    // A tool's `state` is another thing.
    if fields.whole().get("name").is_none() {
        match found {
            None => found = fields.json("state"),
            Some(_) => left.keep(fields, "state"),
        }
    }
    found
}

fn span<'f>(fields: &mut Fields<'f>, left: &mut Leftovers<'f>) -> (Option<i64>, Option<i64>) {
    let Some(mut time) = fields.object("time") else { return (None, None) };
    let start = time.moment("created").or_else(|| time.moment("start"));
    let end = time.moment("completed").or_else(|| time.moment("end"));
    left.add(time);
    (start, end)
}

/// A tool call: `{id, name, executed?, state, time}`.
fn call<'f>(fields: &mut Fields<'f>, left: &mut Leftovers<'f>) -> Call<'f> {
    let mut call = Call {
        call_id: fields.text("id"),
        tool: fields.text("name"),
        executed: fields.boolean("executed"),
        part_metadata: provider_data(fields, left),
        ..Call::default()
    };
    if let Some(mut time) = fields.object("time") {
        let ran = time.moment("ran");
        if ran.is_some() {
            left.keep(&mut time, "created");
        }
        call.start = ran.or_else(|| time.moment("created"));
        call.end = time.moment("completed");
        call.compacted = time.moment("pruned");
        left.add(time);
    }
    let Some(mut state) = fields.object("state") else { return call };
    // While the input is still coming in, it is the text received so far.
    call.status =
        state.text("status").map(|status| if status == "streaming" { "pending".into() } else { status });
    match state.whole().get("input").map(Json::kind) {
        Some(Kind::String | Kind::EscapedString) => call.raw = state.text("input"),
        _ => call.input = state.json("input"),
    }
    call.raw = call.raw.or_else(|| state.text("raw"));
    call.title = state.text("title");
    call.metadata = state.json("metadata").or_else(|| state.json("structured"));
    call.output = state.text("output");
    if let Some(content) = state.json("content") {
        let (text, is_all) = texts(content);
        call.output = call.output.or(text);
        if !is_all {
            call.attachments = Some(content);
        }
    }
    if call.attachments.is_none() {
        call.attachments = state.json("attachments");
    }
    if let Some(error) = state.json("error") {
        call.error = error.text().or_else(|| error.text_of("message")).or_else(|| Some(error.raw().into()));
        call.error_data = (error.kind() == Kind::Object).then_some(error);
    }
    left.keep(&mut state, "result");
    left.add(state);
    call
}

/// The texts of an output's blocks, and whether the blocks hold nothing else.
fn texts<'f>(content: Json<'f>) -> (Option<Cow<'f, str>>, bool) {
    if let Some(text) = content.text() {
        return (Some(text), true);
    }
    let mut joined: Option<Cow<'f, str>> = None;
    let mut is_all = content.kind() == Kind::Array;
    for block in content.items() {
        let text = block.get("type").filter(|kind| kind.is_text("text")).and_then(|_| block.text_of("text"));
        is_all &= text.is_some() && block.entries().count() == 2;
        joined = match (joined, text) {
            (Some(before), Some(text)) => Some(format!("{before}\n{text}").into()),
            (before, text) => before.or(text),
        };
    }
    (joined, is_all)
}
