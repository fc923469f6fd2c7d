//! Tool parts: what became of a call.
//!
//! Owns the states (pending, running, completed, error) and the cases that lead to them: a failure, a person
//! who stopped it, an answer that was never finished. What was asked and given back is `tools`'.

use super::failure;
use super::json::{Json, Object};
use super::money::Style;
use super::parts::{Part, Writer};
use super::plan::Outline;
use super::prose::hexadecimal;
use super::script::{Kind, Slot};
use super::session::sub_agent;
use super::tools::{self, Facts};
use super::version::Version;

impl Writer<'_, '_> {
    /// A tool part. What it changed is added to `changed`; `child` is the sub-agent's session it starts.
    pub(super) fn tool(
        &mut self,
        slot: &Slot,
        message: &str,
        begun: u64,
        end: u64,
        child: Option<&Outline>,
        changed: &mut Vec<Json>,
    ) -> Part {
        let hosted = child.map(|child| (child.id.as_str(), sub_agent(child.index)));
        let mut call = tools::draw(self.random, &self.place, hosted);
        let start = begun + self.random.between(1, 9) as u64;
        let end = end.max(start);
        let time = |end: u64| Object::new().with("start", start).with("end", end);
        let newer = self.outline.version.newer_order();
        let call_id = match self.turn.model.style {
            Style::Anthropic => format!("toolu_{}", hexadecimal(self.random, 24)),
            Style::OpenAi => format!("call_{}", hexadecimal(self.random, 24)),
        };
        let fails =
            hosted.is_none() && call.facts.exit.is_none_or(|exit| exit == 0) && self.random.percent(7);
        let mut updated = end;
        let state = if slot.kind == Kind::Aborted {
            // Start and end are both the moment of the key press.
            let moment = self.outline.start + slot.offset + slot.duration;
            call.facts =
                Facts { tool: call.facts.tool, aborted: true, failure: Some("aborted"), ..Facts::default() };
            updated = moment;
            Object::new()
                .with("status", "error")
                .with("input", call.input)
                .with("error", failure::ABORTED)
                .with("time", Object::new().with("start", moment).with("end", moment))
        } else if slot.kind == Kind::Unfinished {
            call.facts = Facts { tool: call.facts.tool, ..Facts::default() };
            updated = start;
            if self.random.percent(50) {
                let raw = self.outline.version >= Version::V1_0_61;
                let input = if raw { Object::new() } else { Object::new().with("partial", true) };
                Object::new()
                    .with("status", "pending")
                    .maybe("input", raw.then_some(input))
                    .maybe("raw", raw.then_some("{\"filePa"))
            } else {
                Object::new()
                    .with("status", "running")
                    .with("input", call.input)
                    .with("title", call.title)
                    .with("metadata", call.metadata)
                    .with("time", Object::new().with("start", start))
            }
        } else if fails {
            let (family, text) =
                failure::of_tool(self.random, call.facts.tool, &call.path, self.outline.version);
            call.facts = Facts { tool: call.facts.tool, failure: Some(family), ..Facts::default() };
            let metadata = self.random.percent(10).then(|| Object::new().with("truncated", false));
            Object::new()
                .with("status", "error")
                .with("input", call.input)
                .with("error", text)
                .maybe("metadata", metadata)
                .with("time", time(end))
        } else {
            if call.changes_file {
                changed.push(Json::from(call.path));
            }
            let compacted = self.outline.version >= Version::V1_0_61 && self.random.percent(3);
            let time = time(end).maybe("compacted", compacted.then_some(end + 600_000));
            let head = Object::new()
                .with("status", "completed")
                .with("input", call.input)
                .with("output", call.output);
            let state = if newer {
                head.with("metadata", call.metadata).with("title", call.title)
            } else {
                head.with("title", call.title).with("metadata", call.metadata)
            };
            state.with("time", time).maybe("attachments", call.attachments)
        };
        let named = if newer {
            Object::new().with("type", "tool").with("tool", call.facts.tool).with("callID", call_id)
        } else {
            Object::new().with("callID", call_id).with("tool", call.facts.tool)
        };
        let body = named.with("state", state).maybe("metadata", self.provider_metadata(15));
        let mut part = self.ordered(message, "tool", begun, updated, body);
        part.facts = Some(call.facts);
        part
    }
}
