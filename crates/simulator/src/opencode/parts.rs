//! The parts of messages: their order inside a message, their times, and every type's fields.
//!
//! Owns which parts an answer is made of, given how many it must have, and the records of the types that only
//! answers have. The parts of a person's message are `prompt`'s, tool parts are `calls`'.
//!
//! Invariants: a message gets exactly the number of parts its slot names; their identifiers ascend in the
//! order of their creation; a tool's times lie inside its message's.

use super::failure;
use super::id::Mint;
use super::json::{Json, Object};
use super::message::{Sum, loses_steps};
use super::money::cost;
use super::plan::{Outline, Plan};
use super::prose::{encoded, fill, hexadecimal};
use super::script::{Kind, Slot};
use super::session::{Context, Turn, ended};
use super::tools::{Facts, Place};
use super::version::Version;
use super::vocabulary as words;
use crate::random::Random;

/// A part.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) created: u64,
    /// When its record was last written.
    pub(super) updated: u64,
    pub(super) info: Object,
    /// Present in tool parts.
    pub(super) facts: Option<Facts>,
}

impl Part {
    /// The status of a tool part's state; empty for other parts.
    pub(super) fn status(&self) -> &str {
        match self.info.get("state") {
            Some(Json::Object(state)) => state.text("status"),
            _ => "",
        }
    }
}

/// What one part of an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    StepStart,
    StepFinish { last: bool },
    Reasoning,
    Text,
    Tool,
    Patch,
    Retry,
    Snapshot,
}

/// Writes the parts of one message.
pub(super) struct Writer<'a, 'b> {
    pub(super) random: &'b mut Random,
    pub(super) mint: &'b mut Mint,
    pub(super) place: Place<'a>,
    pub(super) plan: &'a Plan,
    pub(super) outline: &'a Outline,
    pub(super) turn: &'b Turn,
}

impl Writer<'_, '_> {
    /// The parts of an answer, and what its steps add up to.
    pub(super) fn answer(&mut self, slot: &Slot, message: &str, context: &mut Context) -> (Vec<Part>, Sum) {
        let begun = self.outline.start + slot.offset;
        let plan = self.plan;
        let child = slot.child.map(|index| &plan.sessions[index]);
        let shapes = self.shapes(slot);
        let mut sum = Sum::default();
        let mut parts: Vec<Part> = Vec::with_capacity(shapes.len());
        // The child's time was added to the slot's; before and after it, parts share what is left.
        let child_end = child.map(|child| ended(child) + 300);
        let own = slot.duration - child_end.map_or(0, |end| (end - begun).min(slot.duration));
        let step = own / (shapes.len() as u64 + 1);
        let mut now = begun + if child.is_some() { 60 } else { step.min(400) };
        let mut snapshot = hexadecimal(self.random, 40);
        let mut changed = Vec::new();
        let mut waiting = child;
        for shape in &shapes {
            // A sub-agent's session begins soon after its message; the call that starts it comes before.
            let stride = if waiting.is_some() { step.clamp(1, 90) } else { step.max(1) };
            let until = now + stride;
            match shape {
                Shape::StepStart => {
                    let kept = self.outline.version >= Version::V1_0_61;
                    let body = Object::new().maybe("snapshot", kept.then_some(&snapshot));
                    parts.push(self.ordered(message, "step-start", now, now, body));
                }
                Shape::StepFinish { last } => {
                    if !changed.is_empty() {
                        snapshot = hexadecimal(self.random, 40);
                    }
                    let body = self.step(context, &mut sum, &snapshot, *last && slot.kind != Kind::Work);
                    parts.push(self.ordered(message, "step-finish", now, now, body));
                }
                Shape::Reasoning => {
                    let body = self.reasoning(now, until);
                    parts.push(self.part(message, "reasoning", now, until, body));
                }
                Shape::Text => {
                    let usual = if slot.kind == Kind::Summary { 5_000 } else { 900 };
                    let length = self.place.length(self.random, usual);
                    let text = self.place.prose.sentences(self.random, length);
                    let body = Object::new()
                        .with("text", text)
                        .with("time", Object::new().with("start", now).with("end", until))
                        .maybe("metadata", self.provider_metadata(4));
                    parts.push(self.part(message, "text", now, until, body));
                }
                Shape::Tool => {
                    let end = match (waiting, child_end) {
                        (Some(_), Some(end)) => end,
                        _ => until,
                    };
                    let part = self.tool(slot, message, now, end, waiting.take(), &mut changed);
                    now = now.max(end - stride.min(end));
                    parts.push(part);
                }
                Shape::Patch => {
                    let files = if changed.is_empty() {
                        vec![Json::from(format!("{}/README.md", self.place.worktree))]
                    } else {
                        std::mem::take(&mut changed)
                    };
                    let body = Object::new().with("hash", &snapshot).with("files", files);
                    parts.push(self.part(message, "patch", now, now, body));
                }
                Shape::Retry => {
                    let body = Object::new()
                        .with("attempt", 1_usize)
                        .with("error", failure::retried())
                        .with("time", Object::new().with("created", now));
                    parts.push(self.part(message, "retry", now, now, body));
                }
                Shape::Snapshot => {
                    let body = Object::new().with("snapshot", &snapshot);
                    parts.push(self.part(message, "snapshot", now, now, body));
                }
            }
            now += stride;
        }
        if loses_steps(self.outline.version, slot) {
            self.step(context, &mut sum, &snapshot, true);
        }
        (parts, sum)
    }

    /// Which parts an answer is made of.
    fn shapes(&mut self, slot: &Slot) -> Vec<Shape> {
        use Shape::{Patch, Reasoning, Retry, Snapshot, StepFinish, StepStart, Text, Tool};
        let version = self.outline.version;
        match slot.kind {
            Kind::Summary if loses_steps(version, slot) => return vec![Text; slot.parts],
            Kind::Failed => return vec![StepStart; slot.parts],
            Kind::Aborted | Kind::Unfinished => {
                // Cut off: no step is finished, and what was running last stays as it was.
                let mut shapes = vec![StepStart, Reasoning, Text];
                shapes.truncate(slot.parts.saturating_sub(1));
                shapes.resize(slot.parts, Tool);
                return shapes;
            }
            _ => {}
        }
        let mut shapes = Vec::with_capacity(slot.parts);
        let mut left = slot.parts;
        let mut hosts = slot.child.is_some();
        while left > 0 {
            let last = !version.many_steps() || left < 9;
            let mut inner = if last { left - 2 } else { self.random.between(1, 4) };
            left -= inner + 2;
            shapes.push(StepStart);
            let answers = last && slot.kind != Kind::Work && !hosts;
            if inner >= 2 && self.turn.model.reasons && self.random.percent(50) {
                shapes.push(Reasoning);
                inner -= 1;
            }
            if answers || (inner >= 2 && self.random.percent(40)) {
                shapes.push(Text);
                inner -= 1;
            }
            if inner >= 2 && self.random.percent(1) && version >= Version::V1_0_61 {
                shapes.push(Retry);
                inner -= 1;
            }
            let patched = !answers && inner >= 2 && self.random.percent(45);
            let snapped = version.many_steps() && inner >= 3 && self.random.percent(10);
            inner -= usize::from(patched) + usize::from(snapped);
            shapes.extend(std::iter::repeat_n(if answers { Text } else { Tool }, inner));
            hosts &= answers || inner == 0;
            shapes.extend(snapped.then_some(Snapshot));
            shapes.push(StepFinish { last });
            shapes.extend(patched.then_some(Patch));
        }
        shapes
    }

    /// A step-finish part; adds to the sum.
    fn step(&mut self, context: &mut Context, sum: &mut Sum, snapshot: &str, last: bool) -> Object {
        let version = self.outline.version;
        let model = &self.turn.model;
        let used = context.request(model);
        let stored = used.stored(version, model.style);
        let cost = cost(version, model, used, self.turn.subscription);
        let total = used.total();
        sum.used += used;
        sum.steps.push((stored, cost));
        sum.last_total = total;
        let kept = version >= Version::V1_0_61;
        let tokens = stored.json(version, total);
        let reason = kept.then_some(if last { "stop" } else { "tool-calls" });
        let body = Object::new().maybe("reason", reason).maybe("snapshot", kept.then(|| snapshot.to_owned()));
        if version.newer_order() {
            body.with("type", "step-finish").with("tokens", tokens).with("cost", cost.json())
        } else {
            body.with("cost", cost.json()).with("tokens", tokens)
        }
    }

    fn reasoning(&mut self, start: u64, end: u64) -> Object {
        let template = self.random.word(&words::THOUGHTS);
        let first = fill(self.random, template);
        let length = self.place.length(self.random, 700);
        let text = format!("{first} {}", self.place.prose.sentences(self.random, length));
        Object::new()
            .with("text", text)
            .maybe("metadata", self.provider_metadata(70))
            .with("time", Object::new().with("start", start).with("end", end))
    }

    /// What providers attach, in `percent` of 100 cases.
    pub(super) fn provider_metadata(&mut self, percent: usize) -> Option<Object> {
        if self.outline.version < Version::V1_0_61 || !self.random.percent(percent) {
            return None;
        }
        Some(match self.turn.model.provider {
            "anthropic" | "amazon-bedrock" => {
                let signature = encoded(self.random, 180);
                Object::new().with("anthropic", Object::new().with("signature", signature))
            }
            "openai" => {
                let item = format!("rs_{}", hexadecimal(self.random, 40));
                let body = Object::new().with("itemId", item).with("reasoningEncryptedContent", Json::Null);
                Object::new().with("openai", body)
            }
            _ => Object::new()
                .with("google", Object::new().with("thoughtSignature", encoded(self.random, 120))),
        })
    }

    /// A part whose type comes first.
    pub(super) fn part(
        &mut self,
        message: &str,
        kind: &'static str,
        created: u64,
        updated: u64,
        body: Object,
    ) -> Part {
        let typed = Object::new().with("type", kind).followed_by(body);
        self.finish(message, kind, created, updated, typed)
    }

    /// A part of the kinds whose type the newer versions write somewhere else.
    pub(super) fn ordered(
        &mut self,
        message: &str,
        kind: &'static str,
        created: u64,
        updated: u64,
        body: Object,
    ) -> Part {
        if !self.outline.version.newer_order() {
            return self.part(message, kind, created, updated, body);
        }
        let typed = if body.get("type").is_some() { body } else { body.with("type", kind) };
        self.finish(message, kind, created, updated, typed)
    }

    fn finish(
        &mut self,
        message: &str,
        kind: &'static str,
        created: u64,
        updated: u64,
        body: Object,
    ) -> Part {
        let id = self.mint.ascending("prt", created);
        let info = Object::new()
            .with("id", &id)
            .with("sessionID", &self.outline.id)
            .with("messageID", message.to_owned())
            .followed_by(body);
        Part { id, kind, created, updated: updated.max(created), info, facts: None }
    }
}
