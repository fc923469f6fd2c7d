//! Sessions in the tables of 2.x: `session_v2` and `session_message`.
//!
//! Owns the translation of a session into rows without parts and steps: an answer holds its content, and
//! things that happened between messages are rows of their own. Tools have other names there.
//!
//! Invariant: a message keeps its identifier, so that a row here and the rows of 1.x are known to be the
//! same message.

use plimsoll_core::value::Value;

use super::database::{Rows, column, inner, time, usage};
use super::id::Mint;
use super::json::{Json, Object};
use super::message::{Answer, Message};
use super::parts::Part;
use super::plan::{Origin, Plan};
use super::session::Session;
use crate::random::Random;

/// Columns of `session_v2` that are written.
pub(super) const SESSION: &[&str] = &[
    "id",
    "project_id",
    "parent_id",
    "fork_session_id",
    "fork_boundary",
    "slug",
    "directory",
    "path",
    "title",
    "version",
    "cost",
    "tokens_input",
    "tokens_output",
    "tokens_reasoning",
    "tokens_cache_read",
    "tokens_cache_write",
    "agent",
    "model",
    "time_created",
    "time_updated",
    "time_idle",
    "idle_outcome",
];
/// Columns of `session_message`.
pub(super) const MESSAGE: &[&str] =
    &["id", "session_id", "type", "seq", "time_created", "time_updated", "data"];

/// The name that 2.x gives a tool.
pub(super) fn tool_name(tool: &'static str) -> &'static str {
    match tool {
        "bash" => "shell",
        "apply_patch" => "patch",
        "task" => "subagent",
        other => other,
    }
}

/// The rows of a session, and how many of them are messages.
pub(super) fn rows(session: &Session<'_>, plan: &Plan, random: Random) -> ([Rows; 2], u64) {
    let (outline, info) = (session.outline, &session.info);
    let (fork, boundary) = match outline.origin {
        Origin::Fork { source, .. } => (
            Some(plan.sessions[source].id.clone()),
            outline
                .copied
                .checked_sub(1)
                .and_then(|last| session.messages.get(last))
                .map(|last| last.id.clone()),
        ),
        _ => (None, None),
    };
    let [cost, input, output, reasoning, read, write] = usage(session);
    let model = session.messages.iter().rev().find_map(|message| message.answer.as_ref());
    let model = model.map(|answer| {
        Json::from(Object::new().with("id", answer.model).with("providerID", answer.provider)).compact()
    });
    let row = vec![
        Value::text(&outline.id),
        Value::text(session.project),
        column(info.get("parentID")),
        Value::optional_text(fork),
        Value::optional_text(boundary),
        Value::text(info.text("slug")),
        Value::text(info.text("directory")),
        column(info.get("path")),
        // Nobody has named an empty session yet.
        if session.messages.is_empty() { Value::Null } else { column(info.get("title")) },
        Value::text(outline.version.text()),
        cost,
        input,
        output,
        reasoning,
        read,
        write,
        column(info.get("agent")),
        Value::optional_text(model),
        time(outline.created),
        time(session.updated),
        time(session.updated),
        Value::text("succeeded"),
    ];
    let mut writer =
        Writer { session: &outline.id, mint: Mint::new(random.clone()), random, seq: 3, rows: Rows::new() };
    for message in &session.messages {
        writer.message(message);
    }
    ([vec![row], writer.rows], session.messages.len() as u64)
}

/// Writes the rows of one session in order.
struct Writer<'a> {
    session: &'a str,
    mint: Mint,
    random: Random,
    seq: u64,
    rows: Rows,
}

impl Writer<'_> {
    fn message(&mut self, message: &Message) {
        match &message.answer {
            None => {
                if self.random.percent(6) {
                    self.between(message.created);
                }
                self.push(&message.id, "user", message.created, message.updated, user(message));
            }
            Some(answer) => {
                let data = self.answer(message, answer);
                self.push(&message.id, "assistant", message.created, message.updated, data);
                let waits = message.info.text("finish") == "stop" || answer.failure.is_some();
                if waits {
                    let outcome = if answer.failure.is_some() { "failed" } else { "succeeded" };
                    let data = Object::new()
                        .with("time", Object::new().with("created", message.updated + 1))
                        .with("outcome", outcome);
                    self.extra("idle", message.updated + 1, data);
                }
            }
        }
    }

    /// Something that is no message, before a person's message.
    fn between(&mut self, at: u64) {
        let time = Object::new().with("created", at);
        let head = Object::new().with("time", time);
        let model = |id: &'static str, provider: &'static str| {
            Object::new().with("id", id).with("providerID", provider)
        };
        let (kind, data) = match self.random.below(7) {
            0 => ("agent-switched", head.with("agent", "plan")),
            1 => (
                "model-switched",
                head.with("model", model("gpt-5.2", "openai"))
                    .with("previous", model("claude-sonnet-4-5", "anthropic")),
            ),
            2 => (
                "location-switched",
                head.with("location", Object::new().with("directory", "/srv/demo/lantern-web")),
            ),
            3 => (
                "synthetic",
                head.with("text", "<system-reminder>\nThe agent is in plan mode.\n</system-reminder>"),
            ),
            4 => (
                "shell",
                head.with("shellID", "shl_demo")
                    .with("command", "git status --short")
                    .with("status", "completed")
                    .with("exit", 0)
                    .with("output", " M src/cache.rs\n"),
            ),
            5 => (
                "skill",
                head.with("name", "release-notes").with("text", "Write the notes from the commits."),
            ),
            _ => (
                "compaction",
                head.with("status", "completed")
                    .with("reason", "auto")
                    .with("summary", "The cache was rewritten; two tests are left.")
                    .with("recent", ""),
            ),
        };
        self.extra(kind, at, data);
    }

    fn extra(&mut self, kind: &'static str, at: u64, data: Object) {
        let id = self.mint.ascending("msg", at);
        self.push(&id, kind, at, at, data);
    }

    fn push(&mut self, id: &str, kind: &'static str, created: u64, updated: u64, data: Object) {
        self.seq += 1 + self.random.below(9) as u64;
        self.rows.push(vec![
            Value::text(id),
            Value::text(self.session),
            Value::text(kind),
            time(self.seq),
            time(created),
            time(updated),
            Value::Text(Json::from(data).compact()),
        ]);
    }

    fn answer(&mut self, message: &Message, answer: &Answer) -> Object {
        let completed = inner(&message.info, "time", "completed").cloned();
        let times = Object::new()
            .with("created", message.created)
            .maybe("streamed", completed.clone())
            .maybe("completed", completed);
        let content: Vec<Json> = message.parts.iter().filter_map(content).collect();
        let snapshots: Vec<Json> =
            message.parts.iter().filter_map(|part| part.info.get("snapshot").cloned()).collect();
        let files = message
            .parts
            .iter()
            .find(|part| part.kind == "patch")
            .and_then(|part| part.info.get("files").cloned());
        let snapshot = snapshots.first().map(|first| {
            Object::new()
                .with("start", first.clone())
                .maybe("end", snapshots.last().cloned())
                .maybe("files", files)
        });
        let retry = message.parts.iter().find(|part| part.kind == "retry").map(|part| {
            Object::new()
                .with("attempt", 1_u64)
                .with("at", part.created)
                .with("error", Object::new().with("type", "provider").with("message", "Overloaded"))
        });
        let finish = message.info.get("finish").cloned();
        let raw = match message.info.text("finish") {
            "" => None,
            "tool-calls" => Some("tool_calls"),
            _ => Some("stop"),
        };
        let usage = answer.stored;
        let tokens = Object::new()
            .with("input", usage.input)
            .with("output", usage.output)
            .with("reasoning", usage.reasoning)
            .with("cache", Object::new().with("read", usage.cache_read).with("write", usage.cache_write));
        let error = message.info.get("error").map(|error| {
            let (name, text) = match error {
                Json::Object(error) => (error.text("name").to_owned(), inner(error, "data", "message")),
                _ => (String::new(), None),
            };
            Object::new()
                .with("type", name)
                .with("message", text.cloned().unwrap_or_else(|| "The answer was stopped.".into()))
        });
        let used = answer.used.total() > 0;
        Object::new()
            .with("time", times)
            .with("agent", answer.agent)
            .with(
                "model",
                Object::new()
                    .with("id", answer.model)
                    .with("providerID", answer.provider)
                    .with("variant", "default"),
            )
            .with("content", content)
            .maybe("snapshot", snapshot)
            .maybe("finish", finish)
            .maybe("rawFinish", raw)
            .maybe("cost", used.then(|| answer.cost.json()))
            .maybe("tokens", used.then_some(tokens))
            .maybe("error", error)
            .maybe("retry", retry)
    }
}

/// A person's message.
fn user(message: &Message) -> Object {
    let texts: Vec<&str> = message
        .parts
        .iter()
        .filter(|part| part.kind == "text" && part.info.get("synthetic").is_none())
        .map(|part| part.info.text("text"))
        .collect();
    let of_kind = |kind: &'static str| message.parts.iter().filter(move |part| part.kind == kind);
    let files: Vec<Json> = of_kind("file")
        .map(|part| {
            Object::new()
                .with("mime", part.info.text("mime").to_owned())
                .with("name", part.info.text("filename").to_owned())
                .with("uri", part.info.text("url").to_owned())
                .into()
        })
        .collect();
    let agents: Vec<Json> = of_kind("agent")
        .map(|part| Object::new().with("name", part.info.text("name").to_owned()).into())
        .collect();
    Object::new()
        .with("time", Object::new().with("created", message.created))
        .with("text", texts.join("\n"))
        .with("files", files)
        .maybe("agents", (!agents.is_empty()).then_some(agents))
}

/// A part as an entry of an answer's content; parts that only mark steps have none.
fn content(part: &Part) -> Option<Json> {
    let time =
        |created: u64, completed: u64| Object::new().with("created", created).with("completed", completed);
    match part.kind {
        "text" => {
            Some(Object::new().with("type", "text").with("text", part.info.text("text").to_owned()).into())
        }
        "reasoning" => {
            let object = Object::new()
                .with("type", "reasoning")
                .with("text", part.info.text("text").to_owned())
                .with("state", Object::new().with("reasoningField", "reasoning_content"))
                .with("time", time(part.created, part.updated));
            Some(object.into())
        }
        "tool" => Some(tool(part)),
        _ => None,
    }
}

fn tool(part: &Part) -> Json {
    let Some(Json::Object(old)) = part.info.get("state") else { return Json::Null };
    let name = part.facts.map_or("", |facts| tool_name(facts.tool));
    let mut input = old.get("input").cloned().unwrap_or(Json::Null);
    if let Json::Object(fields) = &mut input {
        fields.rename("filePath", "path");
    }
    let text = |text: String| Json::from(Object::new().with("type", "text").with("text", text));
    let exit = part.facts.and_then(|facts| facts.exit);
    let child = inner(old, "metadata", "sessionId").cloned();
    let metadata = Object::new()
        .maybe("sessionID", child)
        .with("status", "completed")
        .with("truncated", false)
        .maybe("exit", exit);
    let state = match part.status() {
        "completed" => {
            let mut content = vec![text(old.text("output").to_owned())];
            content.extend(
                exit.filter(|exit| *exit != 0).map(|exit| text(format!("Command exited with code {exit}."))),
            );
            Object::new()
                .with("status", "completed")
                .with("input", input)
                .with("content", content)
                .with("metadata", metadata)
        }
        "error" => {
            let error =
                Object::new().with("type", "tool.execution").with("message", old.text("error").to_owned());
            Object::new().with("status", "error").with("input", input).with("error", error)
        }
        "running" => Object::new().with("status", "running").with("input", input),
        _ => Object::new().with("status", "streaming").with("input", "{\"filePa"),
    };
    let done = matches!(part.status(), "completed" | "error");
    let time = Object::new()
        .with("created", part.created)
        .maybe("ran", (part.status() != "pending").then_some(part.created + 2))
        .maybe("completed", done.then_some(part.updated));
    Object::new()
        .with("type", "tool")
        .with("id", part.info.text("callID").to_owned())
        .with("name", name)
        .with("executed", false)
        .with("state", state)
        .with("time", time)
        .into()
}
