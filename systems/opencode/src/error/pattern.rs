//! Patterns for lines of error text.
//!
//! Owns a small notation and its matching. It deliberately is no regular expression: rules are read more often than
//! they are written, and all that they need is a few words in one line.
//!
//! The notation: text stands for itself, in lower case; `*` for anything within the line; `#` for a number; `^` at the
//! beginning and `$` at the end for the ends of the line, white space around it not counted.
//!
//! Invariants:
//! - A pattern matches within one line, never across two.
//! - The work is bounded by the length of the text times the length of the pattern.

/// A pattern in the notation of this module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pattern {
    text: &'static str,
    /// The longest piece that must stand in the text as it is; a text without it is not looked at closer.
    needle: &'static str,
}

impl Pattern {
    /// `None` if nothing in it stands for itself.
    pub(super) fn new(text: &'static str) -> Option<Self> {
        let needle = text.split(['*', '#', '^', '$']).max_by_key(|piece| piece.len())?;
        (!needle.is_empty()).then_some(Self { text, needle })
    }

    /// The notation.
    #[cfg(test)]
    pub(super) const fn text(&self) -> &'static str {
        self.text
    }

    /// Whether it matches a line of `text`, which is in lower case already.
    pub(super) fn matches(&self, text: &str) -> bool {
        if !text.contains(self.needle) {
            return false;
        }
        self.needle.len() == self.text.len()
            || text.lines().any(|line| line.contains(self.needle) && matches_line(self.text, line))
    }
}

fn matches_line(pattern: &str, line: &str) -> bool {
    let (pattern, from_start) = pattern.strip_prefix('^').map_or((pattern, false), |rest| (rest, true));
    let (pattern, to_end) = pattern.strip_suffix('$').map_or((pattern, false), |rest| (rest, true));
    let mut rest = line.trim();
    let mut segments = pattern.split('*').peekable();
    let mut only_here = from_start;
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let Some(after) = find(segment, rest, only_here, is_last && to_end) else { return false };
        rest = after;
        only_here = false;
    }
    true
}

/// What follows the first place where `segment` matches.
fn find<'a>(segment: &str, text: &'a str, only_here: bool, to_end: bool) -> Option<&'a str> {
    if only_here {
        return here(segment, text, to_end);
    }
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .find_map(|at| here(segment, &text[at..], to_end))
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
    use super::Pattern;

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
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), expected, "{pattern} in {text}");
        }
        for nothing in ["", "*", "^$", "#*"] {
            assert!(Pattern::new(nothing).is_none(), "{nothing}");
        }
    }
}
