//! The records of messages, as each version writes them.
//!
//! Owns the fields of user and assistant messages and what is remembered of an answer beside its JSON:
//! tokens, cost and steps as whole numbers. Parts are `parts`'s.

use super::failure;
use super::json::{Json, Object, number};
use super::money::{Money, Usage};
use super::parts::Part;
use super::plan::{Outline, Project};
use super::prose::fill;
use super::script::{Kind, Slot};
use super::session::Turn;
use super::tools::Place;
use super::version::Version;
use crate::random::Random;

/// A message with its parts.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) created: u64,
    /// When its record was last written.
    pub(super) updated: u64,
    pub(super) info: Object,
    /// Present in assistant messages.
    pub(super) answer: Option<Answer>,
    /// It has no time of completion though it is an answer.
    pub(super) unfinished: bool,
    pub(super) parts: Vec<Part>,
}

/// What an assistant message used.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) provider: &'static str,
    pub(super) model: &'static str,
    pub(super) agent: &'static str,
    /// The message's own token fields.
    pub(super) stored: Usage,
    /// The message's own cost, exact.
    pub(super) cost: Money,
    /// Tokens and cost of each step-finish part.
    pub(super) steps: Vec<(Usage, Money)>,
    /// All tokens that were used, each in one place only.
    pub(super) used: Usage,
    /// The family of the error it ended with.
    pub(super) failure: Option<&'static str>,
}

/// What the parts of an answer add up to.
#[derive(Debug, Default)]
pub(super) struct Sum {
    pub(super) steps: Vec<(Usage, Money)>,
    pub(super) used: Usage,
    /// Of the last step.
    pub(super) last_total: u64,
}

/// A user message without its parts; they are minted after it.
pub(super) fn user(
    random: &mut Random,
    place: &Place<'_>,
    outline: &Outline,
    slot: &Slot,
    turn: &Turn,
    diffs: Vec<Json>,
    id: String,
) -> Message {
    let version = outline.version;
    let created = outline.start + slot.offset;
    let placed = version.since_1_0_100();
    let summary = (version >= Version::V1_0_61 && !random.percent(10)).then(|| {
        let titled = !version.newer_order() && random.percent(70);
        let body = titled && !version.since_1_0_100() && random.percent(30);
        Object::new()
            .maybe("title", titled.then(|| fill(random, "{verb} {object}")))
            .maybe("body", body.then(|| place.prose.sentences(random, 200)))
            .with("diffs", diffs)
    });
    let variant = (placed && random.percent(8)).then_some("high");
    let model = Object::new()
        .with("providerID", turn.model.provider)
        .with("modelID", turn.model.id)
        .maybe("variant", variant.filter(|_| version.newer_order()));
    let tools =
        (placed && random.percent(3)).then(|| Object::new().with("webfetch", false).with("task", false));
    let format = (placed && random.percent(1)).then(|| Object::new().with("type", "text"));
    let system = (placed && random.percent(2)).then_some("Answer briefly. This is a demo.");
    let head = Object::new()
        .with("id", &id)
        .with("sessionID", &outline.id)
        .with("role", "user")
        .with("time", Object::new().with("created", created));
    let (early, late) = if version.newer_order() { (None, summary) } else { (summary, None) };
    let info = head
        .maybe("summary", early)
        .maybe("agent", placed.then_some(if slot.kind == Kind::Compact { "build" } else { turn.agent }))
        .maybe("model", placed.then_some(model))
        .maybe("system", system)
        .maybe("tools", tools)
        .maybe("variant", variant.filter(|_| !version.newer_order()))
        .maybe("format", format)
        .maybe("summary", late);
    Message { id, created, updated: created, info, answer: None, unfinished: false, parts: Vec::new() }
}

/// An assistant message. `parent` is absent where no person's message came before.
#[expect(clippy::too_many_arguments, reason = "a record of many fields is put together in one place")]
pub(super) fn assistant(
    random: &mut Random,
    outline: &Outline,
    slot: &Slot,
    turn: &Turn,
    directory: &str,
    project: &Project,
    sum: Sum,
    parts: Vec<Part>,
    id: String,
) -> Message {
    let version = outline.version;
    let created = outline.start + slot.offset;
    let completed = created + slot.duration;
    let unfinished = slot.kind == Kind::Unfinished;
    let (family, error) = match slot.kind {
        Kind::Failed => {
            let (family, error) = failure::of_answer(random, turn.model.provider, version);
            (Some(family), Some(error))
        }
        Kind::Aborted => (Some("aborted"), Some(failure::stopped(version))),
        _ => (None, None),
    };
    // The message keeps the tokens of its last step, and the sum of all costs.
    let stored = sum.steps.last().map_or_else(Usage::default, |(usage, _)| *usage);
    let cost: Money = sum.steps.iter().map(|(_, cost)| *cost).sum();
    let float: f64 = sum.steps.iter().map(|(_, cost)| cost.float()).sum();
    let steps = if loses_steps(version, slot) { Vec::new() } else { sum.steps };
    let summary = slot.kind == Kind::Summary;
    let agent = if summary { "compaction" } else { turn.agent };
    let finish = match slot.kind {
        Kind::Work => Some("tool-calls"),
        Kind::Answer | Kind::Summary => Some("stop"),
        _ => None,
    };
    let time = Object::new().with("created", created).maybe("completed", (!unfinished).then_some(completed));
    let root = if project.is_git { project.worktree } else { "/" };
    let path = Object::new().with("cwd", directory.to_owned()).with("root", root);
    let tokens = stored.json(version, sum.last_total);
    let parent = (version >= Version::V1_0_61 && !turn.user.is_empty()).then_some(&turn.user);
    let head = Object::new().with("id", &id).with("sessionID", &outline.id);
    let mode = if summary && version.since_1_0_100() { "compaction" } else { agent };
    let with_agent = version.since_1_0_100().then_some(agent);
    let variant = (version.since_1_0_100() && random.percent(6)).then_some("high");
    let info = if version.newer_order() {
        head.maybe("parentID", parent)
            .with("role", "assistant")
            .with("mode", mode)
            .maybe("agent", with_agent)
            .maybe("variant", variant)
            .maybe("summary", summary.then_some(true))
            .with("path", path)
            .with("cost", number(float))
            .with("tokens", tokens)
            .with("modelID", turn.model.id)
            .with("providerID", turn.model.provider)
            .with("time", time)
            .maybe("error", error)
            .maybe("finish", finish)
    } else {
        let system = (version < Version::V1_0_61)
            .then(|| vec![Json::from("You are a coding agent on a demo machine.")]);
        head.with("role", "assistant")
            .maybe("system", system)
            .with("time", time)
            .maybe("error", error)
            .maybe("parentID", parent)
            .with("modelID", turn.model.id)
            .with("providerID", turn.model.provider)
            .with("mode", mode)
            .maybe("agent", with_agent)
            .with("path", path)
            .maybe("summary", summary.then_some(true))
            .with("cost", number(float))
            .with("tokens", tokens)
            .maybe("finish", finish.filter(|_| version.since_1_0_100()))
            .maybe("structured", (summary && version == Version::V1_2_27).then(Object::new))
            .maybe("variant", variant)
    };
    let answer = Answer {
        provider: turn.model.provider,
        model: turn.model.id,
        agent,
        stored,
        cost,
        steps,
        used: sum.used,
        failure: family,
    };
    let updated = if unfinished { created } else { completed };
    Message { id, created, updated, info, answer: Some(answer), unfinished, parts }
}

/// Old versions wrote the summary of a conversation without steps, so that only the message knows its cost.
pub(super) fn loses_steps(version: Version, slot: &Slot) -> bool {
    version.many_steps() && slot.kind == Kind::Summary
}
