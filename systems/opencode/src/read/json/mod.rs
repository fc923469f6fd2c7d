//! A JSON text, split once.
//!
//! Owns the tape: one pass over a document notes where each value begins and ends, so that any value can be looked
//! at afterwards - as text, as a number's digits, or as the bytes the writer wrote - without being read again. It
//! deliberately converts nothing: a cost keeps its digits, an input its spelling. That is why this is not serde: a
//! tool's output inside its state inside a part would be scanned once for each level.
//!
//! Invariants:
//! - A text is taken exactly when serde_json takes it; there is no limit to the depth, and nothing here recurses.
//! - Half a surrogate pair, which JavaScript writes when it cuts a text in two, reads as U+FFFD and refuses nothing.

mod splitter;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;

use self::splitter::Splitter;
use self::text::unescape;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::read) enum Kind {
    Object,
    Array,
    String,
    EscapedString,
    Number,
    True,
    False,
    Null,
}

/// One value, or the key of an entry.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The node behind this value and everything in it.
    next: u32,
    kind: Kind,
}

/// A text and where its values lie.
#[derive(Debug)]
pub(in crate::read) struct Tape<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// A value on a tape.
#[derive(Debug, Clone, Copy)]
pub(in crate::read) struct Json<'a> {
    tape: &'a Tape<'a>,
    at: u32,
}

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::read) struct NotJson;

impl<'a> Tape<'a> {
    /// Splits a text of less than 2 GB.
    pub(in crate::read) fn new(text: &'a str) -> Result<Self, NotJson> {
        if i32::try_from(text.len()).is_err() {
            return Err(NotJson);
        }
        let nodes = Vec::with_capacity(16 + text.len() / 64);
        let nodes = Splitter::new(text.as_bytes(), nodes).document()?;
        Ok(Self { text, nodes })
    }

    /// The outermost value.
    pub(in crate::read) fn root(&'a self) -> Json<'a> {
        Json { tape: self, at: 0 }
    }
}

impl<'a> Json<'a> {
    fn node(self) -> Node {
        self.tape.nodes[self.at as usize]
    }

    fn over(self, at: u32) -> Self {
        Self { tape: self.tape, at }
    }

    pub(in crate::read) fn kind(self) -> Kind {
        self.node().kind
    }

    pub(in crate::read) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value as it was written.
    pub(in crate::read) fn raw(self) -> &'a str {
        let node = self.node();
        &self.tape.text[node.start as usize..node.end as usize]
    }

    /// The text, of a string.
    pub(in crate::read) fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.raw();
        match self.kind() {
            Kind::String => Some(Cow::Borrowed(&raw[1..raw.len() - 1])),
            Kind::EscapedString => Some(Cow::Owned(unescape(&raw[1..raw.len() - 1]))),
            _ => None,
        }
    }

    /// The entries of an object with their keys; of anything else none.
    pub(in crate::read) fn entries(self) -> impl Iterator<Item = (Self, Self)> {
        let node = self.node();
        let end = if node.kind == Kind::Object { node.next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let entry = (self.over(at), self.over(at + 1));
                at = entry.1.node().next;
                entry
            })
        })
    }

    /// The values of an array; of anything else none.
    pub(in crate::read) fn items(self) -> impl Iterator<Item = Self> {
        let node = self.node();
        let end = if node.kind == Kind::Array { node.next } else { 0 };
        let mut at = self.at + 1;
        std::iter::from_fn(move || {
            (at < end).then(|| {
                let item = self.over(at);
                at = item.node().next;
                item
            })
        })
    }

    /// The value of an object's entry; of several with one key the last, as JavaScript reads it.
    pub(in crate::read) fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(found, _)| found.is_text(key)).last().map(|(_, value)| value)
    }

    /// The text of an object's entry.
    pub(in crate::read) fn text_of(self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.text()
    }

    /// The whole number of an object's entry.
    pub(in crate::read) fn integer_of(self, key: &str) -> Option<i64> {
        let value = self.get(key)?;
        if value.kind() == Kind::Number { value.raw().parse().ok() } else { None }
    }

    /// True for a string that says this.
    pub(in crate::read) fn is_text(self, text: &str) -> bool {
        match self.kind() {
            Kind::String => {
                let raw = self.raw();
                raw.len() == text.len() + 2 && &raw[1..raw.len() - 1] == text
            }
            Kind::EscapedString => self.text().is_some_and(|found| found == text),
            _ => false,
        }
    }
}
