//! Messages of the second SQLite generation.
//!
//! Owns the table `session_message`: one row of many types, which holds what messages and parts were before. It becomes
//! one row of `messages`, and rows of parts whose identifiers are the message's with the place in it: `msg_..#0001`.
//! All of them name the message in `document_id`. What a request cost stands in a step event `msg_..#finish`, as it does
//! for the generations that record steps.
//!
//! The format is still changing, so it is read as leniently as anything here: what has no column is kept in `extra`.
//!
//! Invariant: a part without a time of its own began when the part before it ended, so that the order of the content is
//! the order of (time, identifier).

mod content;
mod event;
mod input;

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::clock::{Moment, minted_since};
use super::failures::{self, Failure, Origin, WriterError};
use super::fields::Fields;
use super::json::Json;
use super::leftovers::Leftovers;
use super::part::{self, Finish, Outline, Part, Retry};
use super::usage::Tokens;
use super::{Source, no_object, split};
use crate::table::core::MESSAGES;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let text = source.json()?;
    let tape = split(&text)?;
    let mut fields = Fields::new(tape.root(), "session_message").ok_or_else(|| no_object("message"))?;
    let kind = source
        .columns
        .text("type")
        .or_else(|| fields.text("type"))
        .ok_or_else(|| Refusal::new("wrong-shape", "a message without a `type`"))?;
    fields.same("id", Some(source.id));
    fields.same("type", Some(&kind));
    let session = source.columns.text("session_id").or_else(|| fields.text("sessionID"));
    fields.same("sessionID", session.as_deref());
    let mut left = Leftovers::default();
    let mut time = fields.object("time");
    let mut moment = |key| time.as_mut().and_then(|time| time.moment(key));
    let (created, completed) = (moment("created"), moment("completed"));
    if let Some(time) = &mut time {
        left.keep(time, "streamed");
    }
    left.add(time);
    let created = Moment::of(created, source.id, None, source.columns.moment("time_created"));
    let mut message = Message {
        source,
        kind: &kind,
        session: session.as_deref(),
        created,
        completed,
        clock: created.at,
        parts: 0,
        is_summary: None,
        cost: None,
        tokens: Tokens::default(),
    };
    // Parts before the message's row: nothing here can refuse the document any more.
    match &*kind {
        "assistant" => message.assistant(&mut fields, &mut left, rows)?,
        "user" => message.user(&mut fields, rows)?,
        "system" | "synthetic" => message.told(&mut fields, rows)?,
        "skill" => message.skill(&mut fields, &mut left, rows)?,
        "shell" => message.shell(&mut fields, &mut left, rows)?,
        "compaction" => message.compaction(&mut fields, &mut left, rows)?,
        "agent-switched" => fields.is_a("session_message.agent-switched"),
        "model-switched" => fields.is_a("session_message.model-switched"),
        "location-switched" => {
            fields.is_a("session_message.location-switched");
            for key in ["location", "directory", "path"] {
                left.keep(&mut fields, key);
            }
        }
        "idle" => {
            fields.is_a("session_message.idle");
            left.keep(&mut fields, "outcome");
        }
        unknown => {
            rows.unknown(format!("session_message.{unknown}"));
            left.keep_all(&mut fields);
        }
    }
    left.keep(&mut fields, "previous");
    left.keep(&mut fields, "metadata");
    message.store(fields, left, rows)
}

/// A message while it is read.
struct Message<'s, 'a> {
    source: &'s Source<'a>,
    kind: &'s str,
    session: Option<&'s str>,
    created: Moment,
    completed: Option<i64>,
    /// When the last part with a time ended.
    clock: Option<i64>,
    parts: usize,
    is_summary: Option<bool>,
    cost: Option<i64>,
    tokens: Tokens,
}

impl<'s, 'a: 's> Message<'s, 'a> {
    /// The part that stands next in the message.
    fn next_part(&mut self) -> Part<'s> {
        self.parts += 1;
        self.part(&format!("{:04}", self.parts))
    }

    fn part(&self, place: &str) -> Part<'s> {
        Part {
            id: format!("{}#{place}", self.source.id).into(),
            message: Some(self.source.id.into()),
            session: self.session.map(Cow::Borrowed),
            generation: self.source.generation,
            row_time: self.source.columns.moment("time_created"),
            before: self.clock,
            document: Some(self.source.id),
        }
    }

    /// Moves the clock on; it never goes back.
    fn until(&mut self, moment: Option<i64>) {
        self.clock = self.clock.max(moment);
    }

    /// Takes cost and tokens, and stores them as the end of a request.
    fn take_usage<'f>(
        &mut self,
        fields: &mut Fields<'f>,
        left: &mut Leftovers<'f>,
        reason: Option<Cow<'f, str>>,
        snapshot: Option<Cow<'f, str>>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        self.cost = fields.money("cost");
        self.tokens = Tokens::take(fields, left);
        if self.cost.is_none() && self.tokens.is_empty() {
            return Ok(());
        }
        self.until(self.completed);
        let part = self.part("finish");
        let finish = Finish { snapshot, reason, cost: self.cost, tokens: self.tokens };
        let outline = finish.store(&part, rows)?;
        part::store(&part, "step-finish", outline, Leftovers::default(), rows)
    }

    fn retry(&self, retry: Option<Fields<'_>>, rows: &mut Rows) -> Result<(), Refusal> {
        let Some(mut retry) = retry else { return Ok(()) };
        let part = self.part("retry");
        let at = retry.moment("at");
        let outline: Outline = Retry::take(&mut retry, at).store(&part, rows)?;
        let mut left = Leftovers::default();
        left.add(retry);
        part::store(&part, "retry", outline, left, rows)
    }

    /// Adds the row of `messages`, and that of its error.
    fn store<'f>(
        &self,
        mut fields: Fields<'f>,
        mut left: Leftovers<'f>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        let agent = fields.text("agent");
        let parent = fields.text("parentID");
        let finish = fields.text("finish");
        left.keep(&mut fields, "rawFinish");
        let snapshot = fields.json("snapshot");
        let system = fields.json("system");
        let mut model = fields.object("model");
        let mut named = |key| model.as_mut().and_then(|model| model.text(key));
        let provider = named("providerID");
        let model_id = named("id").or_else(|| named("modelID"));
        let variant = named("variant");
        left.add(model);
        let error = WriterError::take(&mut fields, &mut left);
        left.add(fields);
        let extra = left.into_extra(rows);
        let source = self.source;
        push_row!(rows, MESSAGES, {
            id: source.id,
            session_id: self.session,
            role: self.kind,
            sequence: source.columns.integer("seq"),
            parent_id: parent.as_deref(),
            provider: provider.as_deref(),
            model: model_id.as_deref(),
            model_variant: variant.as_deref(),
            agent: agent.as_deref(),
            finish: finish.as_deref(),
            is_summary: self.is_summary,
            system: system.map(Json::raw),
            snapshot: snapshot.map(Json::raw),
            stored_cost: self.cost,
            tokens_input: self.tokens.input,
            tokens_output: self.tokens.output,
            tokens_reasoning: self.tokens.reasoning,
            tokens_cache_read: self.tokens.cache_read,
            tokens_cache_write: self.tokens.cache_write,
            tokens_total: self.tokens.total,
            error_name: error.as_ref().and_then(|error| error.name.as_deref()),
            error_data: error.as_ref().and_then(|error| error.data.map(Json::raw)),
            time_created: self.created.at,
            time_completed: self.completed,
            time_minted: self.created.at.and_then(|created| minted_since(source.id, created)),
            time_source: self.created.source,
            generation: source.generation.as_str(),
            extra: extra.as_deref(),
        })?;
        if let Some(error) = error {
            let failure = Failure {
                id: source.id,
                origin: Origin::Message,
                message_id: Some(source.id),
                session_id: self.session,
                created: self.completed.or(self.created.at),
                document_id: Some(source.id),
                ..error.failure()
            };
            failures::store(&failure, rows)?;
        }
        Ok(())
    }
}
