//! The parts of a person's message: the text, and what was attached to it.
//!
//! Owns text, file, agent, subtask and compaction parts of prompts, with every kind of source that a file can
//! have.

use super::json::Object;
use super::parts::{Part, Writer};
use super::prose::{encoded, fill};
use super::script::{Kind, Slot};
use super::version::Version;
use super::vocabulary as words;

impl Writer<'_, '_> {
    /// The parts of a person's message.
    pub(super) fn prompt(&mut self, slot: &Slot, message: &str) -> Vec<Part> {
        let created = self.outline.start + slot.offset;
        let version = self.outline.version;
        let mut parts = Vec::with_capacity(slot.parts);
        if slot.kind == Kind::Compact {
            let auto = self.random.percent(60);
            let body = Object::new()
                .with("auto", auto)
                .maybe("overflow", (version >= Version::V1_2_27 && auto).then_some(true))
                .maybe("tail_start_id", (version >= Version::V1_14_34).then_some(message.to_owned()));
            parts.push(self.part(message, "compaction", created, created, body));
        } else {
            let template = self.random.word(&words::PROMPTS);
            let mut text = fill(self.random, template);
            if self.random.percent(12) {
                let length = self.place.length(self.random, 3_000);
                text = format!("{text}\n\n```\n{}```", self.place.prose.code(self.random, length));
            }
            parts.push(self.part(message, "text", created, created, Object::new().with("text", text)));
        }
        while parts.len() < slot.parts {
            let made = self.attachment(message, created, slot.parts - parts.len());
            parts.extend(made);
        }
        parts
    }

    /// Up to `room` parts that come with a prompt.
    fn attachment(&mut self, message: &str, at: u64, room: usize) -> Vec<Part> {
        let version = self.outline.version;
        let path = format!("{}/{}", self.place.worktree, self.random.word(&words::FILES));
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let span = |value: &str, end: usize| {
            Object::new().with("value", value.to_owned()).with("start", 7_usize).with("end", 7 + end)
        };
        match self.random.below(if version.since_1_0_100() { 12 } else { 8 }) {
            // A file that OpenCode reads for the model: the call, what it gave, the file.
            0..=3 if room >= 3 => {
                let call =
                    format!("Called the Read tool with the following input: {{\"filePath\":\"{path}\"}}");
                let length = self.place.length(self.random, 6_000);
                let content = self.place.prose.numbered(self.random, length);
                let source = Object::new()
                    .with("type", "file")
                    .with("text", span(&format!("@{name}"), name.len() + 1))
                    .with("path", path.clone());
                let file = Object::new()
                    .with("mime", "text/plain")
                    .with("filename", name)
                    .with("url", format!("file://{path}"))
                    .with("source", source);
                let synthetic = |text: String| Object::new().with("synthetic", true).with("text", text);
                vec![
                    self.part(message, "text", at, at, synthetic(call)),
                    self.part(message, "text", at, at, synthetic(content)),
                    self.part(message, "file", at, at, file),
                ]
            }
            0..=4 => {
                let length = self.place.length(self.random, 45_000);
                let image = Object::new()
                    .with("mime", "image/png")
                    .with("filename", "screenshot.png")
                    .with("url", format!("data:image/png;base64,{}", encoded(self.random, length)));
                vec![self.part(message, "file", at, at, image)]
            }
            5 => {
                let point = |line: usize| Object::new().with("line", line).with("character", 4_usize);
                let range = Object::new().with("start", point(12)).with("end", point(31));
                let source = Object::new()
                    .with("type", "symbol")
                    .with("path", path.clone())
                    .with("range", range)
                    .with("name", self.random.word(&words::IDENTIFIERS).to_owned())
                    .with("kind", 12_usize)
                    .with("text", span("@symbol", 7));
                let file = Object::new()
                    .with("mime", "text/plain")
                    .with("filename", name)
                    .with("url", format!("file://{path}?start=12&end=31"))
                    .with("source", source);
                vec![self.part(message, "file", at, at, file)]
            }
            6 | 7 => {
                let agent = self.random.word(&words::SUB_AGENTS);
                let source = span(&format!("@{agent}"), agent.len() + 1);
                let body = Object::new().with("name", agent.to_owned()).with("source", source);
                vec![self.part(message, "agent", at, at, body)]
            }
            8 | 9 => {
                let model = Object::new()
                    .with("providerID", self.turn.model.provider)
                    .with("modelID", self.turn.model.id);
                let body = Object::new()
                    .with("prompt", fill(self.random, "{verb} {object} and report back."))
                    .with("description", fill(self.random, "{verb} {object}"))
                    .with("agent", self.random.word(&words::SUB_AGENTS).to_owned())
                    .with("command", "review")
                    .with("model", model);
                vec![self.part(message, "subtask", at, at, body)]
            }
            10 => {
                let source = Object::new()
                    .with("type", "resource")
                    .with("clientName", "tide-charts")
                    .with("uri", "tides://harbor/7")
                    .with("text", span("@tides", 6));
                let file = Object::new()
                    .with("mime", "application/json")
                    .with("filename", "harbor-7")
                    .with("url", "tides://harbor/7")
                    .with("source", source);
                vec![self.part(message, "file", at, at, file)]
            }
            _ => {
                let body = Object::new().with("text", "(draft, not sent)").with("ignored", true);
                vec![self.part(message, "text", at, at, body)]
            }
        }
    }
}
