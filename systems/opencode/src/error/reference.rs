//! The decision over text as it was first written: pattern by pattern, line by line.
//!
//! Owns a slow but plain reading of the rules, to which the fast one in [`super::words`] and [`super::lowered`] is
//! held. It deliberately shares only the table of rules with it. Only tests read this.

use super::lowered::{READ_AT_EACH_END, without_quoted_program};
use super::rules::rules;
use super::{Category, Failure, FailureSource};

/// What [`super::decide`] is to answer.
pub(super) fn decide(failure: &Failure<'_>) -> (Category, &'static str) {
    if let Some(decision) = super::by_name(failure.name).or_else(|| super::by_signal(failure)) {
        return decision;
    }
    let status = failure.status_code.or_else(|| status_in(failure.text));
    let by_text = by_text(failure.source, &lines(failure.text));
    match failure.source {
        FailureSource::MessageError | FailureSource::ToolError => by_text
            .filter(|(category, _)| super::says_more_than_a_status(*category))
            .or_else(|| status.and_then(|status| super::by_status(failure.source, status)))
            .or(by_text)
            .or_else(|| super::by_tool(failure))
            .unwrap_or((Category::Unknown, "nothing-recognized")),
        FailureSource::BashExit => {
            by_text.or_else(|| super::by_exit(failure.exit)).unwrap_or((Category::CommandFailed, "exit-code"))
        }
    }
}

fn by_text(source: FailureSource, text: &str) -> Option<(Category, &'static str)> {
    let reader = source.letter();
    let mut rules = rules().iter().filter(|rule| rule.reads.contains(reader));
    let matches = |pattern: &super::pattern::Pattern| matches(pattern.text(), text);
    rules.find(|rule| rule.patterns.iter().any(matches)).map(|rule| (rule.category, rule.id))
}

/// What [`super::lowered::status_in`] is to answer.
pub(super) fn status_in(text: &str) -> Option<i64> {
    let lower = text.get(..text.floor_char_boundary(READ_AT_EACH_END))?.to_lowercase();
    ["status code", "error (", "http error ", "http ", "status ", "failed: ", "error: ", "error "]
        .into_iter()
        .find_map(|mark| {
            let (_, after) = lower.split_once(mark)?;
            let digits: String = after
                .trim_start_matches([':', ' '])
                .chars()
                .take_while(char::is_ascii_digit)
                .take(4)
                .collect();
            digits.parse().ok().filter(|status| (100..600).contains(status))
        })
}

fn lines(text: &str) -> String {
    let head_end = text.floor_char_boundary(READ_AT_EACH_END);
    let tail_start = text.ceil_char_boundary(text.len().saturating_sub(READ_AT_EACH_END)).max(head_end);
    let mut lower = text[..head_end].to_lowercase();
    if tail_start > head_end {
        lower.push('\n');
    }
    lower.push_str(&text[tail_start..].to_lowercase());
    if lower.contains("traceback (most recent call last)") {
        lower = without_quoted_program(&lower);
    }
    lower
}

/// Whether a pattern matches a line of `text`.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let needle = pattern.split(['*', '#', '^', '$']).max_by_key(|piece| piece.len()).unwrap();
    if !text.contains(needle) {
        return false;
    }
    needle.len() == pattern.len()
        || text.lines().any(|line| line.contains(needle) && matches_line(pattern, line))
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

fn find<'a>(segment: &str, text: &'a str, only_here: bool, to_end: bool) -> Option<&'a str> {
    if only_here {
        return here(segment, text, to_end);
    }
    text.char_indices()
        .map(|(at, _)| at)
        .chain([text.len()])
        .find_map(|at| here(segment, &text[at..], to_end))
}

fn here<'a>(segment: &str, text: &'a str, to_end: bool) -> Option<&'a str> {
    let mut parts = segment.split('#');
    let mut rest = text.strip_prefix(parts.next().unwrap_or_default())?;
    for part in parts {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        rest = rest[digits..].strip_prefix(part).filter(|_| digits > 0)?;
    }
    (!to_end || rest.is_empty()).then_some(rest)
}
