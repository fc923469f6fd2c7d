//! What no column took.
//!
//! Owns the column `extra`: a JSON object with the fields that were left over, each under the keys where it stood.

use std::borrow::Cow;

use plimsoll_engine::ingest::Rows;

use super::fields::Fields;
use super::json::Json;

/// What no column took.
#[derive(Debug, Default)]
pub(super) struct Leftovers<'a> {
    fields: Vec<Leftover<'a>>,
}

#[derive(Debug)]
struct Leftover<'a> {
    document: &'static str,
    keys: Vec<Cow<'a, str>>,
    value: &'a str,
    is_known: bool,
}

impl<'a> Leftovers<'a> {
    /// Keeps every field that was not taken.
    pub(super) fn add(&mut self, fields: impl Into<Option<Fields<'a>>>) {
        if let Some(fields) = fields.into() {
            self.keep_rest(&fields, false);
        }
    }

    /// Keeps a field that is known and has no column of its own.
    pub(super) fn keep(&mut self, fields: &mut Fields<'a>, key: &'static str) {
        if let Some(value) = fields.json(key) {
            let keys = fields.keys().chain([Cow::Borrowed(key)]).collect();
            self.fields.push(Leftover {
                document: fields.document(),
                keys,
                value: value.raw(),
                is_known: true,
            });
        }
    }

    /// Keeps and takes every field that is not taken yet, without calling it unknown.
    pub(super) fn keep_all(&mut self, fields: &mut Fields<'a>) {
        self.keep_rest(fields, true);
        fields.take_all();
    }

    /// Keeps a value that is no field of an object.
    pub(super) fn keep_value(&mut self, key: &'static str, value: Json<'a>) {
        self.fields.push(Leftover {
            document: "",
            keys: vec![key.into()],
            value: value.raw(),
            is_known: true,
        });
    }

    /// Keeps every field of an object of an unknown kind, taken or not, and counts the kind instead of the fields.
    pub(super) fn keep_whole(&mut self, fields: &Fields<'a>, rows: &mut Rows, unknown: String) {
        rows.unknown(unknown);
        let document = fields.document();
        for (name, value) in fields.whole().entries() {
            let keys = vec![name.text().unwrap_or_default()];
            self.fields.push(Leftover { document, keys, value: value.raw(), is_known: true });
        }
    }

    fn keep_rest(&mut self, fields: &Fields<'a>, is_known: bool) {
        for (name, value) in fields.rest() {
            let keys = fields.keys().chain([name.text().unwrap_or_default()]).collect();
            self.fields.push(Leftover { document: fields.document(), keys, value: value.raw(), is_known });
        }
    }

    /// The column `extra`; counts what is not known.
    pub(super) fn into_extra(self, rows: &mut Rows) -> Option<String> {
        if self.fields.is_empty() {
            return None;
        }
        let mut top = Branch::default();
        for field in &self.fields {
            if !field.is_known {
                rows.unknown(format!("{}.{}", field.document, field.keys.join(".")));
            }
            top.insert(&field.keys, field.value);
        }
        let mut text = String::new();
        top.write(&mut text);
        Some(text)
    }
}

/// An object of `extra` while it is put together.
#[derive(Debug, Default)]
struct Branch<'f> {
    entries: Vec<(&'f str, Leaf<'f>)>,
}

#[derive(Debug)]
enum Leaf<'f> {
    Value(&'f str),
    Branch(Branch<'f>),
}

impl<'f> Branch<'f> {
    fn insert(&mut self, keys: &'f [Cow<'_, str>], value: &'f str) {
        match keys {
            [] => {}
            [key] => self.entries.push((key, Leaf::Value(value))),
            [key, rest @ ..] => {
                let found = self
                    .entries
                    .iter()
                    .position(|(name, leaf)| name == key && matches!(leaf, Leaf::Branch(_)));
                let at = found.unwrap_or_else(|| {
                    self.entries.push((key, Leaf::Branch(Self::default())));
                    self.entries.len() - 1
                });
                if let (_, Leaf::Branch(branch)) = &mut self.entries[at] {
                    branch.insert(rest, value);
                }
            }
        }
    }

    fn write(&self, text: &mut String) {
        for (ordinal, (key, leaf)) in self.entries.iter().enumerate() {
            text.push(if ordinal == 0 { '{' } else { ',' });
            write_string(key, text);
            text.push(':');
            match leaf {
                Leaf::Value(value) => text.push_str(value),
                Leaf::Branch(branch) => branch.write(text),
            }
        }
        text.push('}');
    }
}

/// Adds a text to a JSON text as a string.
pub(super) fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control @ '\0'..' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}
