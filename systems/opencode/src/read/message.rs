//! Messages of the JSON and the first SQLite generation.
//!
//! Owns `storage/message/<session>/<id>.json` and the column `data` of the table `message`, which hold the same.
//! What a user or the model wrote is in the parts. The second generation is `version2`'s.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::clock::{Moment, minted_since};
use super::failures::{self, Failure, Origin, WriterError};
use super::fields::Fields;
use super::leftovers::Leftovers;
use super::usage::Tokens;
use super::{Source, no_object, split};
use crate::table::core::MESSAGES;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let text = source.json()?;
    let tape = split(&text)?;
    let mut fields = Fields::new(tape.root(), "message").ok_or_else(|| no_object("message"))?;
    let role =
        fields.text("role").ok_or_else(|| Refusal::new("wrong-shape", "a message without a `role`"))?;
    fields.is_a(match &*role {
        "user" => "message.user",
        "assistant" => "message.assistant",
        _ => "message",
    });
    let mut left = Leftovers::default();
    fields.same("id", Some(source.id));
    let session = match source.columns.text("session_id").or(source.parent.map(Into::into)) {
        Some(session) => {
            fields.same("sessionID", Some(&session));
            Some(session)
        }
        None => fields.text("sessionID"),
    };
    let parent = fields.text("parentID");
    let mode = fields.text("mode");
    let agent = fields.text("agent");
    let finish = fields.text("finish");
    let system = fields.json("system");
    let tools = fields.json("tools");
    let format = fields.json("format");
    let structured = fields.json("structured");
    let cost = fields.money("cost");
    let tokens = Tokens::take(&mut fields, &mut left);

    // The model stands at the top of an answer, and in an object of a user's message.
    let mut model = fields.object("model");
    let mut named = |key| model.as_mut().and_then(|model| model.text(key));
    let provider = named("providerID").or_else(|| fields.text("providerID"));
    let model_id = named("modelID").or_else(|| fields.text("modelID"));
    let variant = named("variant").or_else(|| fields.text("variant"));
    left.add(model);

    let mut path = fields.object("path");
    let mut folder = |key| path.as_mut().and_then(|path| path.text(key));
    let (root, working) = (folder("root"), folder("cwd"));
    left.add(path);

    // What a user's message changed, or whether an answer is the summary of a compaction.
    let is_summary = fields.boolean("summary");
    let mut summary = if is_summary.is_some() { None } else { fields.object("summary") };
    let mut told = |key| summary.as_mut().and_then(|summary| summary.text(key));
    let (title, body) = (told("title"), told("body"));
    let diffs = summary.as_mut().and_then(|summary| summary.json("diffs"));
    left.add(summary);

    let mut time = fields.object("time");
    let mut moment = |key| time.as_mut().and_then(|time| time.moment(key));
    let (created, completed) = (moment("created"), moment("completed"));
    left.add(time);

    let error = WriterError::take(&mut fields, &mut left);
    left.add(fields);
    let extra = left.into_extra(rows);
    let created = Moment::of(created, source.id, None, source.columns.moment("time_created"));
    let is_answer = role == "assistant";
    push_row!(rows, MESSAGES, {
        id: source.id,
        session_id: session.as_deref(),
        role: &*role,
        parent_id: parent.as_deref(),
        provider: provider.as_deref(),
        model: model_id.as_deref(),
        model_variant: variant.as_deref(),
        mode: mode.as_deref(),
        agent: agent.as_deref().or(if is_answer { mode.as_deref() } else { None }),
        root_path: root.as_deref(),
        working_directory: working.as_deref(),
        finish: finish.as_deref(),
        is_summary: is_summary,
        summary_title: title.as_deref(),
        summary_body: body.as_deref(),
        summary_diffs: diffs.map(|diffs| diffs.raw()),
        system: system.map(|system| system.raw()),
        tools: tools.map(|tools| tools.raw()),
        format: format.map(|format| format.raw()),
        structured: structured.map(|structured| structured.raw()),
        stored_cost: cost,
        tokens_input: tokens.input,
        tokens_output: tokens.output,
        tokens_reasoning: tokens.reasoning,
        tokens_cache_read: tokens.cache_read,
        tokens_cache_write: tokens.cache_write,
        tokens_total: tokens.total,
        error_name: error.as_ref().and_then(|error| error.name.as_deref()),
        error_data: error.as_ref().and_then(|error| error.data.map(|data| data.raw())),
        time_created: created.at,
        time_completed: completed,
        time_minted: created.at.and_then(|created| minted_since(source.id, created)),
        time_source: created.source,
        generation: source.generation.as_str(),
        extra: extra.as_deref(),
    })?;
    if let Some(error) = error {
        let failure = Failure {
            id: source.id,
            origin: Origin::Message,
            message_id: Some(source.id),
            session_id: session.as_deref(),
            created: completed.or(created.at),
            document_id: Some(source.id),
            ..error.failure()
        };
        failures::store(&failure, rows)?;
    }
    Ok(())
}
