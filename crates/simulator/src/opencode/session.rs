//! One session with all its messages, put together from its outline.
//!
//! Owns the session's own record, the turn (which model and agent answer a prompt), the growth of the
//! context, and the todo list and file differences kept beside a session. A message's record is
//! `message`'s, its parts are `parts`', a fork's copy is `fork`'s.
//!
//! Invariant: a session depends on the settings, the plan and its own index only, so sessions can be made in
//! any order and by any thread, and a fork makes its source again instead of keeping it.

use super::id::Mint;
use super::json::{Json, Object};
use super::message::{self, Message};
use super::money::{MODELS, Model, Money, SMALL, Style, Usage};
use super::parts::Writer;
use super::plan::{Origin, Outline, Plan, Special};
use super::prose::{Prose, fill, hexadecimal};
use super::script::{self, Kind, Slot};
use super::tools::{Place, todo_items};
use super::version::Version;
use super::vocabulary as words;
use super::{Settings, fork};
use crate::random::Random;

/// A finished session.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) outline: &'a Outline,
    pub(super) project: &'a str,
    /// The record in `storage/session`.
    pub(super) info: Object,
    pub(super) messages: Vec<Message>,
    /// The list in `storage/todo`.
    pub(super) todos: Option<Vec<Json>>,
    /// The list in `storage/session_diff`.
    pub(super) diffs: Vec<Json>,
    /// When anything in it was last changed, in milliseconds since 1970.
    pub(super) updated: u64,
}

/// Who answers a prompt.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) user: String,
    pub(super) model: Model,
    pub(super) agent: &'static str,
    pub(super) subscription: bool,
}

/// Makes the sessions of one store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Maker<'a> {
    pub(super) settings: &'a Settings,
    pub(super) plan: &'a Plan,
    pub(super) prose: &'a Prose,
    /// Thousandths by which the usual lengths of texts are scaled.
    pub(super) scale: usize,
}

/// The name of the sub-agent that works in a child session.
pub(super) fn sub_agent(index: usize) -> &'static str {
    words::SUB_AGENTS[index % words::SUB_AGENTS.len()]
}

impl<'a> Maker<'a> {
    /// The session at `index` of the plan.
    pub(super) fn session(&self, index: usize) -> Session<'a> {
        let outline = &self.plan.sessions[index];
        let mut session = match outline.origin {
            Origin::Fork { source, .. } => {
                let source = self.original(&self.plan.sessions[source], 0);
                let own = self.original(outline, outline.copied);
                fork::join(source, own, self.random("fork", index))
            }
            _ => self.original(outline, 0),
        };
        session.info = self.record(&session);
        session
    }

    fn random(&self, what: &str, index: usize) -> Random {
        Random::named(self.settings.seed, &[what, &index.to_string()])
    }

    /// A session with everything but its own record, from one of its slots on.
    fn original(&self, outline: &'a Outline, from: usize) -> Session<'a> {
        let mut random = self.random("session", outline.index);
        let project = &self.plan.projects[outline.project];
        let directory = if project.is_git { project.worktree } else { "/srv/demo" };
        let place =
            Place { prose: self.prose, version: outline.version, worktree: directory, scale: self.scale };
        let mut mint = Mint::new(self.random("mint", outline.index));
        let child = matches!(outline.origin, Origin::Child { .. });
        let mut turn = first_turn(&mut random, outline, child);
        let mut context = Context {
            size: 0,
            random: self.random("usage", outline.index),
            huge: outline.special == Some(Special::Huge),
        };
        let mut diffs: Vec<Json> = Vec::new();
        let mut messages: Vec<Message> = Vec::with_capacity(outline.slots.len());
        let mut recent = None;
        for slot in &outline.slots[from..] {
            let created = outline.start + slot.offset;
            let id = mint.ascending("msg", created);
            let made = if slot.kind.is_user() {
                next_turn(&mut random, &mut turn, &id, child);
                let changed = file_diffs(&mut random, &place, slot);
                diffs.extend(changed.iter().cloned());
                let mut message = message::user(&mut random, &place, outline, slot, &turn, changed, id);
                let mut writer = Writer {
                    random: &mut random,
                    mint: &mut mint,
                    place,
                    plan: self.plan,
                    outline,
                    turn: &turn,
                };
                message.parts = writer.prompt(slot, &message.id);
                message
            } else {
                let mut writer = Writer {
                    random: &mut random,
                    mint: &mut mint,
                    place,
                    plan: self.plan,
                    outline,
                    turn: &turn,
                };
                let (parts, sum) = writer.answer(slot, &id, &mut context);
                message::assistant(&mut random, outline, slot, &turn, directory, project, sum, parts, id)
            };
            if slot.kind == Kind::Summary {
                context.size = 9_000;
            }
            recent = recent.max(Some(made.updated));
            messages.push(made);
        }
        let todos =
            (!messages.is_empty() && random.percent(40)).then(|| todo_items(&mut random, outline.version));
        let updated = recent.unwrap_or(outline.created).max(outline.created);
        Session { outline, project: &project.id, info: Object::new(), messages, todos, diffs, updated }
    }

    /// The session's own record.
    fn record(&self, session: &Session<'_>) -> Object {
        let outline = session.outline;
        let (version, project) = (outline.version, &self.plan.projects[outline.project]);
        let mut random = self.random("record", outline.index);
        let title = self.title(outline);
        let directory = if project.is_git { project.worktree } else { "/srv/demo" };
        let parent = match outline.origin {
            Origin::Child { parent } => Some(self.plan.sessions[parent].id.clone()),
            _ => None,
        };
        let placed = version >= Version::V1_0_61;
        let time = Object::new()
            .with("created", outline.created)
            .with("updated", session.updated)
            .maybe("compacting", (version.since_1_0_100() && random.percent(1)).then_some(session.updated))
            .maybe(
                "archived",
                (version.since_1_0_100() && random.percent(4)).then_some(session.updated + 5_000),
            );
        let slug = format!("{}-{}", random.word(&words::SLUG_FIRST), random.word(&words::SLUG_SECOND));
        let share = random.percent(3).then(|| {
            Object::new()
                .with("url", format!("https://share.example.com/s/{}", &outline.id[outline.id.len() - 8..]))
        });
        let permission = (version.since_1_0_100() && parent.is_some()).then(|| {
            let rule = Object::new().with("permission", "task").with("action", "deny").with("pattern", "*");
            Json::List(vec![rule.into()])
        });
        let revert = (random.percent(2) && session.messages.len() > 4).then(|| {
            let message = &session.messages[session.messages.len() - 2];
            Object::new()
                .with("messageID", &message.id)
                .maybe("partID", message.parts.first().map(|part| &part.id))
                .with("snapshot", hexadecimal(&mut random, 40))
                .with("diff", "")
        });
        let object = Object::new()
            .with("id", &outline.id)
            .maybe("slug", version.since_1_0_100().then_some(slug))
            .with("version", version.text())
            .maybe("projectID", placed.then(|| project.id.clone()))
            .maybe("directory", placed.then(|| directory.to_owned()))
            .maybe("path", version.session_keeps_usage().then_some(""))
            .maybe("parentID", parent)
            .with("title", title)
            .maybe("permission", permission)
            .with("time", time)
            .maybe("share", share)
            .maybe("revert", revert)
            .maybe("summary", summary(session));
        if version.session_keeps_usage() { with_usage(object, session) } else { object }
    }

    /// What a session is called.
    fn title(&self, outline: &Outline) -> String {
        let instant = |time: u64| {
            jiff::Timestamp::from_millisecond(time as i64)
                .map_or_else(|_| String::new(), |at| format!("{at:.3}"))
        };
        match outline.origin {
            Origin::Empty => format!("New session - {}", instant(outline.created)),
            Origin::Fork { source, number } => {
                format!("{} (fork #{number})", self.title(&self.plan.sessions[source]))
            }
            Origin::Child { .. } => {
                let mut random = self.random("title", outline.index);
                let agent = sub_agent(outline.index);
                format!("{} (@{agent} subagent)", fill(&mut random, "Demo: {verb} {object}"))
            }
            Origin::Root => fill(&mut self.random("title", outline.index), "Demo: {verb} {object}"),
        }
    }
}

/// `summary` of a session: lines, or before 1.0.51 the list of changed files itself.
fn summary(session: &Session<'_>) -> Option<Object> {
    let version = session.outline.version;
    if session.messages.is_empty()
        || session.diffs.is_empty() && session.outline.copied > 0
        || version < Version::V1_0_61
    {
        return None;
    }
    let sum = |name: &str| -> u64 {
        let value = |diff: &Json| match diff {
            Json::Object(diff) => match diff.get(name) {
                Some(Json::Integer(value)) => *value as u64,
                _ => 0,
            },
            _ => 0,
        };
        session.diffs.iter().map(value).sum()
    };
    let counts = Object::new().with("additions", sum("additions")).with("deletions", sum("deletions"));
    Some(counts.with("files", session.diffs.len()))
}

/// Adds what the newest versions keep in the session itself.
fn with_usage(object: Object, session: &Session<'_>) -> Object {
    let answers = || session.messages.iter().filter_map(|message| message.answer.as_ref());
    let mut usage = Usage::default();
    for answer in answers() {
        usage += answer.stored;
    }
    let cost: Money = answers().map(|answer| answer.cost).sum();
    let last = answers().next_back();
    let tokens = Object::new()
        .with("input", usage.input)
        .with("output", usage.output)
        .with("reasoning", usage.reasoning)
        .with("cache", Object::new().with("read", usage.cache_read).with("write", usage.cache_write));
    let model = last.map(|answer| {
        Object::new().with("id", answer.model).with("providerID", answer.provider).with("variant", "default")
    });
    object
        .with("cost", cost.json())
        .with("tokens", tokens)
        .maybe("agent", last.map(|answer| answer.agent))
        .maybe("model", model)
}

fn first_turn(random: &mut Random, outline: &Outline, child: bool) -> Turn {
    let model = if child {
        SMALL
    } else if outline.special == Some(Special::Huge) || outline.index == 0 {
        MODELS[0]
    } else if random.percent(55) {
        MODELS[random.below(4)]
    } else {
        *random.pick(MODELS)
    };
    let agent = if child { sub_agent(outline.index) } else { "build" };
    let plan =
        matches!(model.provider, "anthropic" | "openai") && outline.special.is_none() && random.percent(12);
    Turn { user: String::new(), model, agent, subscription: model.subscription || plan }
}

fn next_turn(random: &mut Random, turn: &mut Turn, user: &str, child: bool) {
    user.clone_into(&mut turn.user);
    if child {
        return;
    }
    if random.percent(5) {
        turn.model = *random.pick(MODELS);
        turn.subscription = turn.model.subscription;
    }
    if random.percent(10) {
        turn.agent = random.word(&words::AGENTS);
    }
}

/// The files that the answers to a prompt changed.
fn file_diffs(random: &mut Random, place: &Place<'_>, slot: &Slot) -> Vec<Json> {
    let count = if slot.kind == Kind::Prompt { [0, 0, 0, 0, 1, 1, 2][random.below(7)] } else { 0 };
    (0..count)
        .map(|_| {
            let file = random.word(&words::FILES).to_owned();
            let length = place.length(random, 5_500);
            let before = place.prose.code(random, length);
            let added = place.prose.code(random, length / 4);
            let (additions, deletions) = (added.lines().count(), 0_usize);
            let diff = Object::new().with("file", file);
            let diff = if place.version.diffs_are_patches() {
                let patch: String = added.lines().map(|line| format!("+{line}\n")).collect();
                diff.with("patch", format!("@@ -1,0 +1,{additions} @@\n{patch}"))
            } else {
                diff.with("before", before.clone()).with("after", format!("{before}{added}"))
            };
            let diff = diff.with("additions", additions).with("deletions", deletions);
            diff.maybe("status", place.version.diffs_are_patches().then_some("modified")).into()
        })
        .collect()
}

/// How much of a conversation a model has in front of it.
#[derive(Debug)]
pub(super) struct Context {
    size: u64,
    random: Random,
    huge: bool,
}

impl Context {
    /// What the next request uses.
    pub(super) fn request(&mut self, model: &Model) -> Usage {
        let random = &mut self.random;
        if self.size * 10 > model.context * 9 {
            self.size = 12_000;
        }
        let first = if self.size == 0 { random.between(9_000, 16_000) } else { 0 } as u64;
        let fresh = first + [150, 700, 2_000, 4_500, 9_000][random.below(5)] + random.below(900) as u64;
        let output = [40, 120, 300, 900, 2_500][random.below(5)] + random.below(200) as u64;
        let reasoning =
            if model.reasons && random.percent(60) { random.between(20, 2_400) as u64 } else { 0 };
        let mut usage = match model.style {
            Style::Anthropic => Usage {
                input: random.between(2, 12) as u64,
                output,
                reasoning,
                cache_read: self.size,
                cache_write: fresh,
            },
            Style::OpenAi => {
                let cached = if random.percent(85) { self.size / 128 * 128 } else { 0 };
                Usage {
                    input: self.size + fresh - cached,
                    output,
                    reasoning,
                    cache_read: cached,
                    cache_write: 0,
                }
            }
        };
        if std::mem::take(&mut self.huge) {
            usage.cache_read += 2_700_000_000;
        }
        self.size += fresh + output + reasoning;
        usage
    }
}

/// When a session's last message ends, in milliseconds since 1970.
pub(super) fn ended(outline: &Outline) -> u64 {
    outline.start + script::end(&outline.slots)
}
