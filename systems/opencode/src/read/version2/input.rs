//! What a user or OpenCode itself put in: texts, files, named agents, skills.
//!
//! Owns the messages of types `user`, `system`, `synthetic` and `skill`.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::Message;
use crate::read::fields::Fields;
use crate::read::json::{Json, Kind};
use crate::read::leftovers::Leftovers;
use crate::read::part::{self, Attachment, Outline, Text, mention};

impl<'s, 'a: 's> Message<'s, 'a> {
    pub(super) fn user(&mut self, fields: &mut Fields<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        fields.is_a("session_message.user");
        if let Some(text) = fields.text("text") {
            self.text(&Text { text: Some(text), ..Text::default() }, rows)?;
        }
        for item in list(fields, "files") {
            self.file(item, rows)?;
        }
        for item in list(fields, "agents") {
            self.agent(item, rows)?;
        }
        for item in list(fields, "skills") {
            let part = self.next_part();
            let mut left = Leftovers::default();
            left.keep_value("skill", item);
            part::store(&part, "skill", Outline { moment: part.moment(None), characters: None }, left, rows)?;
        }
        Ok(())
    }

    /// What the model is told without the user having written it.
    pub(super) fn told(&mut self, fields: &mut Fields<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        fields.is_a(if self.kind == "system" {
            "session_message.system"
        } else {
            "session_message.synthetic"
        });
        match fields.text("text") {
            Some(text) => {
                self.text(&Text { text: Some(text), synthetic: Some(true), ..Text::default() }, rows)
            }
            None => Ok(()),
        }
    }

    pub(super) fn skill<'f>(
        &mut self,
        fields: &mut Fields<'f>,
        left: &mut Leftovers<'f>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        fields.is_a("session_message.skill");
        for key in ["name", "skill", "description", "location"] {
            left.keep(fields, key);
        }
        match fields.text("text").or_else(|| fields.text("content")) {
            Some(text) => {
                self.text(&Text { text: Some(text), synthetic: Some(true), ..Text::default() }, rows)
            }
            None => Ok(()),
        }
    }

    fn file(&mut self, item: Json<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let part = self.next_part();
        let mut left = Leftovers::default();
        let outline = if let Some(mut fields) = Fields::new(item, "session_message.user.files") {
            let attachment = Attachment {
                mime: fields.text("mime"),
                filename: fields.text("name").or_else(|| fields.text("filename")),
                url: fields.text("uri").or_else(|| fields.text("url")),
                source: fields.json("source"),
            };
            left.keep(&mut fields, "description");
            left.add(fields);
            attachment.store(&part, rows)?
        } else {
            let url = item.text();
            if url.is_none() {
                rows.unknown("session_message.user.files[]");
                left.keep_value("file", item);
            }
            Attachment { url, ..Attachment::default() }.store(&part, rows)?
        };
        part::store(&part, "file", outline, left, rows)
    }

    fn agent(&mut self, item: Json<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        let part = self.next_part();
        let mut left = Leftovers::default();
        let outline = if let Some(mut fields) = Fields::new(item, "session_message.user.agents") {
            let name = fields.text("name");
            let source = fields.json("source").map(Json::raw);
            left.add(fields);
            mention(&part, name.as_deref(), source, rows)?
        } else {
            let name = item.text();
            if name.is_none() {
                rows.unknown("session_message.user.agents[]");
                left.keep_value("agent", item);
            }
            mention(&part, name.as_deref(), None, rows)?
        };
        part::store(&part, "agent", outline, left, rows)
    }
}

/// The items of a list that is taken; none where it is no list, which is then left over.
fn list<'f>(fields: &mut Fields<'f>, key: &str) -> Vec<Json<'f>> {
    match fields.whole().get(key) {
        Some(list) if list.kind() == Kind::Array => {
            fields.json(key);
            list.items().collect()
        }
        _ => Vec::new(),
    }
}
