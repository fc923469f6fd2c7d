//! The search for secrets as it was first written: line by line, form by form.
//!
//! Owns a slow but plain search, to which [`super::super::secret`] is held. It deliberately shares only the forms with
//! it.

use crate::security::secret::{KEPT, KEY_MARK, TOKENS};

/// What [`super::super::secret::first_line_with_one`] is to answer.
pub(super) fn first_line_with_one(text: &str) -> Option<&str> {
    text.lines().find(|line| places(line).next().is_some() || is_private_key(line))
}

/// What [`super::super::secret::masked`] is to answer.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut after = 0;
    let mut found: Vec<_> = places(text).collect();
    found.sort_unstable();
    for (from, to) in found {
        if from >= after {
            let kept = text[from..to].char_indices().nth(KEPT).map_or(to, |(at, _)| from + at);
            masked.push_str(&text[after..kept]);
            masked.push_str("****");
            after = to;
        }
    }
    masked.push_str(&text[after..]);
    masked
}

fn is_private_key(line: &str) -> bool {
    line.split_once(KEY_MARK).is_some_and(|(_, rest)| rest.contains("PRIVATE KEY-----"))
}

fn places(text: &str) -> impl Iterator<Item = (usize, usize)> {
    TOKENS
        .iter()
        .flat_map(move |(begin, length)| token_places(text, begin, *length))
        .chain(password_places(text))
}

fn token_places<'a>(
    text: &'a str,
    begin: &'a str,
    least: usize,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    text.match_indices(begin).filter_map(move |(from, _)| {
        let is_inside = text[..from].ends_with(|before: char| before.is_ascii_alphanumeric());
        let rest = &text[from + begin.len()..];
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            .count();
        let has_digit = rest[..length].bytes().any(|byte| byte.is_ascii_digit());
        (!is_inside && length >= least && has_digit).then_some((from, from + begin.len() + length))
    })
}

fn password_places(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    text.match_indices("://").filter_map(|(at, mark)| {
        let from = at + mark.len();
        let authority = text[from..].split(['/', ' ', '"', '\'', '\n', '?']).next().unwrap_or_default();
        let (user_and_password, _) = authority.rsplit_once('@')?;
        let (user, password) = user_and_password.split_once(':')?;
        let stands_in = password.is_empty()
            || password.starts_with(['$', '<', '{', '*', '%'])
            || ["password", "pass", "secret", "postgres", "user", "changeme", "example", "test", "root", "x"]
                .contains(&password);
        let from = from + user.len() + 1;
        (!stands_in).then_some((from, from + password.len()))
    })
}
