//! Headers of SQL files: the lines `-- key: value` with which a view or a check begins.
//!
//! Owns reading them and saying where they are wrong. Which keys there are is the view's or the check's.

use crate::error::{EngineError, ErrorKind};

/// The header of a file, and the SQL after it.
#[derive(Debug)]
pub(crate) struct Header<'text> {
    /// `view` or `check`; also the first key.
    pub(crate) what: &'static str,
    /// The value of the first key.
    pub(crate) name: &'text str,
    /// The file, where it is not one of the system's own.
    origin: Option<&'text str>,
    fields: Vec<Field<'text>>,
    /// Everything after the header.
    pub(crate) body: &'text str,
    /// The number of the body's first line, from 1.
    pub(crate) body_line: usize,
}

#[derive(Debug)]
struct Field<'text> {
    key: &'text str,
    value: &'text str,
    line: usize,
}

impl<'text> Header<'text> {
    /// Reads the header: the lines up to the first that does not begin with `--`. A line `--` with more spaces before
    /// its text continues nothing; every line is `-- key: value`.
    pub(crate) fn read(what: &'static str, text: &'text str) -> Result<Self, EngineError> {
        Self::read_from(what, None, text)
    }

    /// As [`Header::read`], of a file that `origin` names.
    pub(crate) fn read_from(
        what: &'static str,
        origin: Option<&'text str>,
        text: &'text str,
    ) -> Result<Self, EngineError> {
        let misread = |what, name: &str, line, reason: &str| misread(what, name, origin, line, reason);
        let mut fields: Vec<Field<'_>> = Vec::new();
        let mut offset = 0;
        let mut line_number = 1;
        for line in text.split_inclusive('\n') {
            let Some(rest) = line.strip_prefix("--") else { break };
            let file = fields.first().map_or("", |first| first.value);
            let Some((key, value)) = rest.split_once(':') else {
                let reason = format!("`{}` is not of the form `-- key: value`", line.trim_end());
                return Err(misread(what, file, line_number, &reason));
            };
            let (key, value) = (key.trim(), value.trim());
            if fields.is_empty() && key != what {
                let reason = format!("begins with `{}` instead of `-- {what}: name`", line.trim_end());
                return Err(misread(what, "", line_number, &reason));
            }
            if fields.iter().any(|field| field.key == key) {
                return Err(misread(what, file, line_number, &format!("`{key}` is there twice")));
            }
            fields.push(Field { key, value, line: line_number });
            offset += line.len();
            line_number += 1;
        }
        let Some(first) = fields.first() else {
            let begin = text.lines().next().unwrap_or_default();
            return Err(misread(what, "", 1, &format!("begins with `{begin}` instead of `-- {what}: name`")));
        };
        let name = first.value;
        let proper = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !proper {
            let reason = "a name is lower-case letters, digits and hyphens";
            return Err(misread(what, name, 1, reason));
        }
        Ok(Self { what, name, origin, fields, body: &text[offset..], body_line: line_number })
    }

    /// Refuses keys that are not among `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), EngineError> {
        match self.fields.iter().find(|field| !known.contains(&field.key)) {
            None => Ok(()),
            Some(field) => {
                let reason = format!("`{}` is none of {}", field.key, known.join(", "));
                Err(self.wrong_at(field.line, &reason))
            }
        }
    }

    /// The value of a key, if it is there.
    pub(crate) fn found(&self, key: &str) -> Option<&'text str> {
        self.fields.iter().find(|field| field.key == key).map(|field| field.value)
    }

    /// The value of a key that must be there and not be empty.
    pub(crate) fn needed(&self, key: &str) -> Result<&'text str, EngineError> {
        match self.found(key) {
            Some(value) if !value.is_empty() => Ok(value),
            Some(_) => Err(self.wrong(key, "is empty")),
            None => Err(self.wrong_at(1, &format!("the header has no line `-- {key}:`"))),
        }
    }

    /// The words of a key's value; the key must be there, and may be empty.
    pub(crate) fn words(&self, key: &str) -> Result<Vec<&'text str>, EngineError> {
        match self.found(key) {
            Some(value) => Ok(value.split([' ', ',']).filter(|word| !word.is_empty()).collect()),
            None => Err(self.wrong_at(1, &format!("the header has no line `-- {key}:`"))),
        }
    }

    /// An error about a key's value.
    pub(crate) fn wrong(&self, key: &str, reason: &str) -> EngineError {
        let line = self.fields.iter().find(|field| field.key == key).map_or(1, |field| field.line);
        self.wrong_at(line, &format!("`{key}`: {reason}"))
    }

    /// An error in the SQL.
    pub(crate) fn wrong_at(&self, line: usize, reason: &str) -> EngineError {
        misread(self.what, self.name, self.origin, line, reason)
    }

    /// The keys and their values, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'text str, &'text str)> {
        self.fields.iter().map(|field| (field.key, field.value))
    }
}

fn misread(what: &str, name: &str, origin: Option<&str>, line: usize, reason: &str) -> EngineError {
    if let Some(origin) = origin {
        return EngineError::new(ErrorKind::Usage, format!("{origin}, line {line}: {reason}"));
    }
    let file = if name.is_empty() { format!("a {what}'s file") } else { format!("{what}s/{name}.sql") };
    EngineError::new(ErrorKind::Usage, format!("{file}, line {line}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &'static str) -> String {
        match Header::read("view", text) {
            Ok(header) => {
                header.only(&["view", "title"]).and(header.needed("title").map(drop)).unwrap_err().message
            }
            Err(error) => error.message,
        }
    }

    #[test]
    fn a_bad_header_is_told_with_file_and_line() {
        let cases = [
            ("SELECT 1", "a view's file, line 1: begins with `SELECT 1` instead of `-- view: name`"),
            ("-- veiw: a\n", "a view's file, line 1: begins with `-- veiw: a` instead of `-- view: name`"),
            ("-- view: A b\n", "views/A b.sql, line 1: a name is lower-case letters, digits and hyphens"),
            ("-- view: a\n-- titel: b\n", "views/a.sql, line 2: `titel` is none of view, title"),
            ("-- view: a\n-- title\n", "views/a.sql, line 2: `-- title` is not of the form `-- key: value`"),
            ("-- view: a\n-- title: b\n-- title: c\n", "views/a.sql, line 3: `title` is there twice"),
            ("-- view: a\n", "views/a.sql, line 1: the header has no line `-- title:`"),
            ("-- view: a\n-- title:\n", "views/a.sql, line 2: `title`: is empty"),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text), expected);
        }
    }

    #[test]
    fn the_body_begins_after_the_header() {
        let header = Header::read("view", "-- view: a\n-- title: b: c\n\nSELECT 1\n").unwrap();
        assert_eq!((header.name, header.found("title")), ("a", Some("b: c")));
        assert_eq!((header.body, header.body_line), ("\nSELECT 1\n", 3));
    }
}
