//! Patterns for lines of error text.
//!
//! Owns a small notation and its matching. It deliberately is no regular expression: rules are read more often than
//! they are written, and all that they need is a few words in one line. Which patterns are worth a closer look is
//! [`super::words`]'s to find.
//!
//! The notation: text stands for itself, in lower case; `*` for anything within the line; `#` for a number; `^` at the
//! beginning and `$` at the end for the ends of the line, white space around it not counted.
//!
//! Invariants:
//! - A pattern matches within one line, never across two.
//! - The work is bounded by the length of the line times the length of the pattern.

/// A pattern in the notation of this module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    text: &'static str,
    /// The longest piece that must stand in the text as it is; a text without it is not looked at closer.
    needle: &'static str,
    /// Whether a number stands right before the needle, and right after it.
    between_numbers: (bool, bool),
    /// Whether the needle is what it begins with, and no white space that the end of a line would lose.
    begins_with_needle: bool,
}

impl Pattern {
    /// `None` if nothing in it stands for itself.
    pub(super) fn new(text: &'static str) -> Option<Self> {
        let marks = ['*', '#', '^', '$'];
        let needle = text.split(marks).max_by_key(|piece| piece.len()).filter(|piece| !piece.is_empty())?;
        let from = text.rfind(needle)?;
        let stands_once = text.find(needle) == Some(from);
        let before = stands_once && text[..from].ends_with('#');
        let after = stands_once && text[from + needle.len()..].starts_with('#');
        let begins_with_needle = text.starts_with(needle) && !needle.starts_with(char::is_whitespace);
        Some(Self { text, needle, between_numbers: (before, after), begins_with_needle })
    }

    /// The notation.
    #[cfg(test)]
    pub(super) const fn text(&self) -> &'static str {
        self.text
    }

    /// What must stand in a line as it is.
    pub(super) const fn needle(&self) -> &'static str {
        self.needle
    }

    /// Whether the needle is all of it, so that a text matches wherever the needle stands.
    pub(super) const fn is_plain(&self) -> bool {
        self.needle.len() == self.text.len()
    }

    /// Whether it can match with its needle at `place` of `text`: where it wants a number beside that, there is one.
    pub(super) fn may_match_at(&self, text: &str, place: usize) -> bool {
        let is_digit =
            |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
        let (before, after) = self.between_numbers;
        (!before || is_digit(place.checked_sub(1))) && (!after || is_digit(Some(place + self.needle.len())))
    }

    /// Whether it matches `line`, which is in lower case already, with its needle at `place`.
    ///
    /// May also find a match that has the needle elsewhere in the line.
    pub(super) fn matches_at(&self, line: &str, place: usize) -> bool {
        let (pattern, from_start) =
            self.text.strip_prefix('^').map_or((self.text, false), |rest| (rest, true));
        let (pattern, to_end) = pattern.strip_suffix('$').map_or((pattern, false), |rest| (rest, true));
        // What begins with the needle begins at its place, and need not be searched for in the line.
        let mut rest = if self.begins_with_needle { line[place..].trim_end() } else { line.trim() };
        let mut only_here = from_start || self.begins_with_needle;
        let mut segments = pattern.split('*').peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            let to_end = is_last && to_end;
            let after = if only_here { here(segment, rest, to_end) } else { find(segment, rest, to_end) };
            let Some(after) = after else { return false };
            rest = after;
            only_here = false;
        }
        true
    }
}

/// What follows the first place where `segment` matches.
fn find<'a>(segment: &str, text: &'a str, to_end: bool) -> Option<&'a str> {
    match segment.chars().next() {
        None => Some(if to_end { "" } else { text }),
        Some('#') => find_number(segment, text, to_end),
        Some(first) => {
            let mut rest = text;
            loop {
                rest = &rest[rest.find(first)?..];
                if let Some(after) = here(segment, rest, to_end) {
                    return Some(after);
                }
                rest = &rest[first.len_utf8()..];
            }
        }
    }
}

/// What follows the first place where `segment`, which begins with a number, matches.
fn find_number<'a>(segment: &str, text: &'a str, to_end: bool) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let at = rest.bytes().position(|byte| byte.is_ascii_digit())?;
        rest = &rest[at..];
        if let Some(after) = here(segment, rest, to_end) {
            return Some(after);
        }
        // A number is taken whole, so what does not match at its first digit does not match at the others.
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest = &rest[digits..];
    }
}

/// What follows `segment`, if `text` begins with it.
fn here<'a>(segment: &str, text: &'a str, to_end: bool) -> Option<&'a str> {
    let mut parts = segment.split('#');
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default())?;
    for part in parts {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest = rest[digits..].strip_prefix(part).filter(|_| digits > 0)?;
    }
    (!to_end || rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::Pattern;

    fn matches(pattern: &'static str, text: &str) -> bool {
        let pattern = Pattern::new(pattern).unwrap();
        let fits = |line: &str| {
            let mut places = line.match_indices(pattern.needle());
            places.any(|(at, _)| pattern.may_match_at(line, at) && pattern.matches_at(line, at))
        };
        if pattern.is_plain() { text.contains(pattern.needle()) } else { text.lines().any(fits) }
    }

    #[test]
    fn the_notation_means_what_it_says() {
        for (pattern, text, expected) in [
            ("timed out", "request timed out after 5 s", true),
            ("timed out", "request timeout", false),
            ("timed out", "request timed\nout", false),
            ("a*b", "line a\nline b", false),
            ("^fail ", "first\n  fail src/a.test.ts", true),
            ("^fail ", "did fail again", false),
            ("^killed$", "one\nkilled\ntwo", true),
            ("^killed$", "killed by a person", false),
            ("killed$", "was killed", true),
            ("# failed", "1 failed, 31 passed", true),
            ("# failed", "none failed", false),
            ("tests: *# failed", "tests:       1 failed, 12 passed", true),
            ("cannot find module '*'", "error: cannot find module 'express'", true),
            ("cannot find module '*'", "error: cannot find module", false),
            ("error[e#]:", "error[e0308]: mismatched types", true),
            ("error[e#]:", "error[e]: mismatched types", false),
            ("a*b*c", "xa..b..c", true),
            ("a*b*c", "c b a", false),
            ("é #", "was é 7", true),
            ("✖ # problem", "✖ 3 problems", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} in {text}");
            assert_eq!(reference::matches(pattern, text), expected, "{pattern} in {text}");
        }
        for nothing in ["", "*", "^$", "#*"] {
            assert!(Pattern::new(nothing).is_none(), "{nothing}");
        }
    }
}
