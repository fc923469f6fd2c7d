//! Finding where values begin and end.
//!
//! Owns the grammar of JSON (RFC 8259). It keeps the open objects and arrays in a list of its own, so that depth costs no
//! stack.

use super::text::special;
use super::{Kind, Node, NotJson};

pub(super) struct Splitter<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl<'a> Splitter<'a> {
    /// Begins with an empty list of nodes.
    pub(super) fn new(bytes: &'a [u8], nodes: Vec<Node>) -> Self {
        Self { bytes, at: 0, nodes }
    }

    /// The nodes of the whole text.
    pub(super) fn document(mut self) -> Result<Vec<Node>, NotJson> {
        let mut open: Vec<u32> = Vec::with_capacity(8);
        loop {
            // A value begins here.
            self.skip_space();
            let start = self.at;
            let opened = match self.peek()? {
                b'{' => {
                    self.begin(Kind::Object, &mut open);
                    self.skip_space();
                    self.peek()? != b'}'
                }
                b'[' => {
                    self.begin(Kind::Array, &mut open);
                    self.skip_space();
                    self.peek()? != b']'
                }
                b'"' => {
                    self.string()?;
                    false
                }
                b't' => self.literal(b"true", Kind::True)?,
                b'f' => self.literal(b"false", Kind::False)?,
                b'n' => self.literal(b"null", Kind::Null)?,
                _ => self.number(start)?,
            };
            if opened {
                if self.is_object(&open) {
                    self.key()?;
                }
                continue;
            }
            // A value has ended here: close what closes with it, up to the next value.
            loop {
                self.skip_space();
                let Some(&container) = open.last() else {
                    return if self.at == self.bytes.len() { Ok(self.nodes) } else { Err(NotJson) };
                };
                let is_object = self.is_object(&open);
                match (self.peek()?, is_object) {
                    (b',', true) => {
                        self.at += 1;
                        self.skip_space();
                        self.key()?;
                        break;
                    }
                    (b',', false) => {
                        self.at += 1;
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        self.at += 1;
                        open.pop();
                        let (end, next) = (position(self.at), position(self.nodes.len()));
                        let node = &mut self.nodes[container as usize];
                        node.end = end;
                        node.next = next;
                    }
                    _ => return Err(NotJson),
                }
            }
        }
    }

    fn is_object(&self, open: &[u32]) -> bool {
        open.last().is_some_and(|&container| self.nodes[container as usize].kind == Kind::Object)
    }

    fn peek(&self) -> Result<u8, NotJson> {
        self.bytes.get(self.at).copied().ok_or(NotJson)
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn begin(&mut self, kind: Kind, open: &mut Vec<u32>) {
        open.push(position(self.nodes.len()));
        self.nodes.push(Node { start: position(self.at), end: 0, next: 0, kind });
        self.at += 1;
    }

    fn end(&mut self, start: usize, kind: Kind) {
        let next = position(self.nodes.len() + 1);
        self.nodes.push(Node { start: position(start), end: position(self.at), next, kind });
    }

    /// A key and the colon behind it.
    fn key(&mut self) -> Result<(), NotJson> {
        if self.peek()? != b'"' {
            return Err(NotJson);
        }
        self.string()?;
        self.skip_space();
        if self.peek()? != b':' {
            return Err(NotJson);
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &[u8], kind: Kind) -> Result<bool, NotJson> {
        let start = self.at;
        if !self.bytes[start..].starts_with(word) {
            return Err(NotJson);
        }
        self.at += word.len();
        self.end(start, kind);
        Ok(false)
    }

    fn string(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        self.at += 1;
        let mut kind = Kind::String;
        loop {
            self.at = special(self.bytes, self.at);
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    self.end(start, kind);
                    return Ok(());
                }
                b'\\' => {
                    kind = Kind::EscapedString;
                    self.at += 1;
                    match self.peek()? {
                        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
                        b'u' => {
                            let digits = self.bytes.get(self.at + 1..self.at + 5).ok_or(NotJson)?;
                            if !digits.iter().all(u8::is_ascii_hexdigit) {
                                return Err(NotJson);
                            }
                            self.at += 5;
                        }
                        _ => return Err(NotJson),
                    }
                }
                _ => return Err(NotJson),
            }
        }
    }

    fn number(&mut self, start: usize) -> Result<bool, NotJson> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.peek()? == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        self.end(start, Kind::Number);
        Ok(false)
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let first = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        if self.at == first { Err(NotJson) } else { Ok(()) }
    }
}

/// A position as it is stored. The text is shorter than 2 GB, and has at least a byte for each node.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
