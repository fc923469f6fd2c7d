//! JSON values that keep the order of their fields, written byte for byte as OpenCode writes them.
//!
//! Owns the value, its building and its two renderings: compact, as OpenCode stores it in a database
//! column, and pretty with two spaces, as it writes files (`JSON.stringify(value, null, 2)`). It
//! deliberately does not read JSON.
//!
//! Invariant: both renderings are what JavaScript's `JSON.stringify` gives for the same value, including how
//! numbers look.

use std::borrow::Cow;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that is not an integer, already in the form JavaScript gives it.
    Number(String),
    Text(Cow<'static, str>),
    List(Vec<Self>),
    Object(Object),
}

/// The fields of a JSON object, in the order in which they are written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object {
    fields: Vec<(Cow<'static, str>, Json)>,
}

impl Object {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a field at the end.
    pub(super) fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Json>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Adds a field at the end where there is a value for it.
    pub(super) fn maybe(self, name: &'static str, value: Option<impl Into<Json>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds all fields of another object at the end.
    pub(super) fn followed_by(mut self, other: Self) -> Self {
        self.fields.extend(other.fields);
        self
    }

    /// Gives a field another value in its place, or adds it at the end.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Json>) {
        let value = value.into();
        match self.fields.iter_mut().find(|(have, _)| have == name) {
            Some((_, place)) => *place = value,
            None => self.fields.push((Cow::Borrowed(name), value)),
        }
    }

    /// Takes a field away.
    pub(super) fn remove(&mut self, name: &str) {
        self.fields.retain(|(have, _)| have != name);
    }

    /// Gives a field another name in its place.
    pub(super) fn rename(&mut self, name: &str, new: &'static str) {
        for (have, _) in self.fields.iter_mut().filter(|(have, _)| have == name) {
            *have = Cow::Borrowed(new);
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.fields.iter().find(|(have, _)| have == name).map(|(_, value)| value)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.fields.iter_mut().find(|(have, _)| have == name).map(|(_, value)| value)
    }

    /// The text of a field; empty where there is none.
    pub(super) fn text(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Json::Text(text)) => text,
            _ => "",
        }
    }

    /// Appends the object, compact or as OpenCode writes it into a file.
    pub(super) fn write(&self, out: &mut Vec<u8>, compact: bool) {
        write_object(out, self.fields.iter(), (!compact).then_some(0));
    }

    /// Compact, without some of the outer fields: what OpenCode keeps in a `data` column.
    pub(super) fn compact_without(&self, names: &[&str]) -> String {
        let mut out = Vec::new();
        let kept = self.fields.iter().filter(|(name, _)| !names.contains(&name.as_ref()));
        write_object(&mut out, kept, None);
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl Json {
    /// Compact, as in a database column.
    pub(super) fn compact(&self) -> String {
        let mut out = Vec::new();
        write(&mut out, self, None);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Appends the value as OpenCode writes it into a file: two spaces, no newline at the end.
    pub(super) fn pretty(&self, out: &mut Vec<u8>) {
        write(out, self, Some(0));
    }
}

/// A finite floating-point number in the form JavaScript gives it.
pub(super) fn number(value: f64) -> Json {
    // Rust never uses an exponent in `{}`; JavaScript does below a millionth (and from 1e21 on, which
    // nothing here reaches).
    let text = if value != 0.0 && value.abs() < 1e-6 { format!("{value:e}") } else { format!("{value}") };
    Json::Number(text)
}

fn write(out: &mut Vec<u8>, value: &Json, indent: Option<usize>) {
    match value {
        Json::Null => out.extend_from_slice(b"null"),
        Json::Bool(true) => out.extend_from_slice(b"true"),
        Json::Bool(false) => out.extend_from_slice(b"false"),
        Json::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        Json::Number(text) => out.extend_from_slice(text.as_bytes()),
        Json::Text(text) => write_text(out, text),
        Json::List(values) if values.is_empty() => out.extend_from_slice(b"[]"),
        Json::List(values) => {
            let inner = indent.map(|depth| depth + 1);
            out.push(b'[');
            for (place, value) in values.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                new_line(out, inner);
                write(out, value, inner);
            }
            new_line(out, indent);
            out.push(b']');
        }
        Json::Object(object) => write_object(out, object.fields.iter(), indent),
    }
}

fn write_object<'a>(
    out: &mut Vec<u8>,
    fields: impl Iterator<Item = &'a (Cow<'static, str>, Json)>,
    indent: Option<usize>,
) {
    let inner = indent.map(|depth| depth + 1);
    out.push(b'{');
    let mut empty = true;
    for (name, value) in fields {
        if !empty {
            out.push(b',');
        }
        empty = false;
        new_line(out, inner);
        write_text(out, name);
        out.extend_from_slice(if indent.is_some() { b": " } else { b":" });
        write(out, value, inner);
    }
    if !empty {
        new_line(out, indent);
    }
    out.push(b'}');
}

fn new_line(out: &mut Vec<u8>, indent: Option<usize>) {
    if let Some(depth) = indent {
        out.push(b'\n');
        out.resize(out.len() + 2 * depth, b' ');
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (place, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[written..place]);
        written = place + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0C => out.extend_from_slice(b"\\f"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&bytes[written..]);
    out.push(b'"');
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}
impl From<&'static str> for Json {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}
impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}
impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::Text(Cow::Owned(text.clone()))
    }
}
impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}
impl From<u64> for Json {
    fn from(value: u64) -> Self {
        // Times and token counts; none comes near the limit.
        Self::Integer(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}
impl From<i32> for Json {
    fn from(value: i32) -> Self {
        Self::Integer(i64::from(value))
    }
}
impl From<Vec<Self>> for Json {
    fn from(values: Vec<Self>) -> Self {
        Self::List(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_renderings_are_those_of_javascript() {
        let value = Json::from(
            Object::new()
                .with("id", "a\"b\\c\n\u{1}é")
                .with("none", Json::Null)
                .with("empty", Object::new())
                .with("list", vec![Json::from(1_u64), Json::List(Vec::new()), Json::from(true)])
                .with("cost", number(0.010_547_4)),
        );
        let compact =
            r#"{"id":"a\"b\\c\n\u0001é","none":null,"empty":{},"list":[1,[],true],"cost":0.0105474}"#;
        assert_eq!(value.compact(), compact);
        let mut pretty = Vec::new();
        value.pretty(&mut pretty);
        let expected = "{\n  \"id\": \"a\\\"b\\\\c\\n\\u0001é\",\n  \"none\": null,\n  \"empty\": {},\n  \"list\": [\n    1,\n    [],\n    true\n  ],\n  \"cost\": 0.0105474\n}";
        assert_eq!(String::from_utf8(pretty).unwrap(), expected);
    }

    #[test]
    fn numbers_look_as_javascript_writes_them() {
        let text = |value: f64| number(value).compact();
        assert_eq!(text(3.0), "3");
        assert_eq!(text(0.0), "0");
        assert_eq!(text(0.000_001), "0.000001");
        assert_eq!(text(0.000_000_125), "1.25e-7");
        assert_eq!(text(0.1 + 0.2), "0.30000000000000004");
    }

    #[test]
    fn fields_are_replaced_in_place_and_left_out() {
        let mut object = Object::new().with("a", 1_u64).with("b", 2_u64);
        object.set("a", 3_u64);
        object.set("c", 4_u64);
        assert_eq!(Json::from(object.clone()).compact(), r#"{"a":3,"b":2,"c":4}"#);
        assert_eq!(object.compact_without(&["b"]), r#"{"a":3,"c":4}"#);
    }
}
