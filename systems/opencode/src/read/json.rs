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

use std::borrow::Cow;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
pub(super) struct Tape<'a> {
    text: &'a str,
    nodes: Vec<Node>,
}

/// A value on a tape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json<'a> {
    tape: &'a Tape<'a>,
    at: u32,
}

/// The text is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotJson;

impl<'a> Tape<'a> {
    /// Splits a text of less than 2 GB.
    pub(super) fn new(text: &'a str) -> Result<Self, NotJson> {
        if i32::try_from(text.len()).is_err() {
            return Err(NotJson);
        }
        let nodes = Vec::with_capacity(16 + text.len() / 64);
        let mut splitter = Splitter { bytes: text.as_bytes(), at: 0, nodes };
        splitter.document()?;
        Ok(Self { text, nodes: splitter.nodes })
    }

    /// The outermost value.
    pub(super) fn root(&'a self) -> Json<'a> {
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

    pub(super) fn kind(self) -> Kind {
        self.node().kind
    }

    pub(super) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value as it was written.
    pub(super) fn raw(self) -> &'a str {
        let node = self.node();
        &self.tape.text[node.start as usize..node.end as usize]
    }

    /// The text, of a string.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        let raw = self.raw();
        match self.kind() {
            Kind::String => Some(Cow::Borrowed(&raw[1..raw.len() - 1])),
            Kind::EscapedString => Some(Cow::Owned(unescape(&raw[1..raw.len() - 1]))),
            _ => None,
        }
    }

    /// The entries of an object with their keys; of anything else none.
    pub(super) fn entries(self) -> impl Iterator<Item = (Self, Self)> {
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
    pub(super) fn items(self) -> impl Iterator<Item = Self> {
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
    pub(super) fn get(self, key: &str) -> Option<Self> {
        self.entries().filter(|(found, _)| found.is_text(key)).last().map(|(_, value)| value)
    }

    /// The text of an object's entry.
    pub(super) fn text_of(self, key: &str) -> Option<Cow<'a, str>> {
        self.get(key)?.text()
    }

    /// The whole number of an object's entry.
    pub(super) fn integer_of(self, key: &str) -> Option<i64> {
        let value = self.get(key)?;
        if value.kind() == Kind::Number { value.raw().parse().ok() } else { None }
    }

    /// True for a string that says this.
    pub(super) fn is_text(self, text: &str) -> bool {
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

struct Splitter<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Splitter<'_> {
    fn document(&mut self) -> Result<(), NotJson> {
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
                    return if self.at == self.bytes.len() { Ok(()) } else { Err(NotJson) };
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

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks the high bit of every byte that is zero. Bytes above a marked one may be marked wrongly, the lowest never is.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The first byte from `at` on that may not simply stand in a string: a quote, a backslash, a control character.
fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let [quote, escape] = [b'"', b'\\'].map(|byte| zero_bytes(word ^ (ONES * u64::from(byte))));
        let found = control | quote | escape;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

/// The text that an already checked string's inside stands for.
fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut at = 0;
    loop {
        let next = backslash(inside.as_bytes(), at);
        text.push_str(&inside[at..next]);
        let Some(escape) = inside.as_bytes().get(next + 1) else { return text };
        at = next + 2;
        text.push(match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (letter, length) = unicode(&inside[at..]);
                at += length;
                letter
            }
            other => char::from(*other),
        });
    }
}

/// The first backslash from `at` on, or the end.
fn backslash(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let found = zero_bytes(u64::from_le_bytes(chunk) ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && bytes[at] != b'\\' {
        at += 1;
    }
    at
}

/// The character of `\uXXXX`, or of a pair of them, and how many bytes behind the `u` it takes.
fn unicode(rest: &str) -> (char, usize) {
    let unit = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = unit(rest) else { return (char::REPLACEMENT_CHARACTER, 0) };
    if let 0xD800..0xDC00 = first
        && let Some(second @ 0xDC00..0xE000) = rest[4..].strip_prefix("\\u").and_then(unit)
    {
        let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::Value;

    use super::*;

    /// What serde makes of the value, with halves of pairs read as we do.
    fn rebuild(json: Json<'_>) -> Value {
        match json.kind() {
            Kind::Object => Value::Object(
                json.entries().map(|(key, value)| (key.text().unwrap().into(), rebuild(value))).collect(),
            ),
            Kind::Array => Value::Array(json.items().map(rebuild).collect()),
            Kind::String | Kind::EscapedString => Value::String(json.text().unwrap().into()),
            _ => serde_json::from_str(json.raw()).unwrap(),
        }
    }

    fn same_as_serde(text: &str) {
        let ours = Tape::new(text);
        match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => {
                let tape = ours.unwrap_or_else(|_| panic!("refused: {text:?}"));
                assert_eq!(tape.root().raw(), text.trim_matches([' ', '\n', '\r', '\t']), "{text:?}");
                if let Ok(value) = serde_json::from_str::<Value>(text) {
                    assert_eq!(rebuild(tape.root()), value, "{text:?}");
                }
            }
            Err(error) => assert!(ours.is_err(), "taken: {text:?}, serde says {error}"),
        }
    }

    #[test]
    fn the_same_texts_are_taken_as_by_serde() {
        for text in [
            "",
            " ",
            "{",
            "}",
            "{}",
            "[]",
            "[ ]",
            "{ }",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\":1}",
            "{\"a\":1 \"b\":2}",
            "[1 2]",
            "[1}",
            "{\"a\":1]",
            "nul",
            "null",
            "nullx",
            "truee",
            "-",
            "-0",
            "01",
            "1.",
            ".1",
            "1e",
            "1e+",
            "1e5",
            "1E-5",
            "-1.5e+3",
            "1 2",
            "\"",
            "\"a",
            "\"\\",
            "\"\\u12",
            "\"\\u12g4\"",
            "\"\\x\"",
            "\"\\u0041\"",
            "\"\\ud83d\\ude00\"",
            "\"tab\there\"",
            "\"tab\\there\"",
            "\"ä\u{1f600}\"",
            "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":[]}",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":1}",
            "\u{feff}{}",
            "{\n  \"a\" : [ true , false , null ]\r\n}\t",
            "\"123456789\\n123456\\\"7\\\\89\"",
            "\"12345678\u{1}\"",
            "[[[[]]]]",
        ] {
            same_as_serde(text);
        }
    }

    #[test]
    fn half_a_pair_is_replaced() {
        for (text, expected) in [
            (r#""cut \ud83d""#, "cut \u{fffd}"),
            (r#""\ude00 cut""#, "\u{fffd} cut"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
        ] {
            let tape = Tape::new(text).unwrap();
            assert_eq!(tape.root().text().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn depth_has_no_limit() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let tape = Tape::new(&deep).unwrap();
        assert_eq!(tape.root().items().count(), 1);
        assert!(Tape::new(&deep[..399_999]).is_err());
    }

    #[test]
    fn a_key_is_found_however_it_is_written_and_the_last_wins() {
        let tape = Tape::new(r#"{"a":1,"\u0062":"x","a":3,"deep":{"a":4}}"#).unwrap();
        let root = tape.root();
        assert_eq!(root.integer_of("a"), Some(3));
        assert_eq!(root.text_of("b").as_deref(), Some("x"));
        assert_eq!(root.get("deep").unwrap().raw(), r#"{"a":4}"#);
        assert!(root.get("c").is_none());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
            "[a-z\"\\\\\n\t\u{1}\u{1f600} ]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,6}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_comes_back(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            same_as_serde(&text);
        }

        #[test]
        fn a_damaged_text_is_judged_as_serde_does(value in any_json(), at in any::<prop::sample::Index>(), with in any::<char>()) {
            let text = serde_json::to_string(&value).unwrap();
            let mut letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len());
            same_as_serde(&letters[..at].iter().collect::<String>());
            letters[at] = with;
            same_as_serde(&letters.iter().collect::<String>());
        }

        #[test]
        fn any_text_is_judged_as_serde_does(text in "[\\[\\]{}:,\"\\\\0-9eE+.tfn alseru-]{0,24}") {
            same_as_serde(&text);
        }
    }
}
