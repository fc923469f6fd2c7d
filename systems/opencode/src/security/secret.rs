//! Secrets in clear text: recognizing and masking them.
//!
//! Owns the forms of well-known tokens and of passwords in addresses and options. It deliberately takes only forms that
//! are hardly anything else; a long random word alone is no secret.
//!
//! Invariants:
//! - One search over the whole text finds where any form may begin; only those places are looked at closely.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

/// How a token begins, and how many letters and digits follow at least.
pub(super) const TOKENS: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 50),
    ("glpat-", 20),
    ("sk-ant-", 30),
    ("sk-proj-", 30),
    ("sk-", 40),
    ("sk_live_", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("AIza", 35),
    ("npm_", 36),
    ("hf_", 30),
    ("dop_v1_", 40),
    ("SG.", 40),
];
pub(super) const KEY_MARK: &str = "-----BEGIN ";
/// Shown of a masked secret.
pub(super) const KEPT: usize = 4;

/// What stands between a scheme and the user of an address.
const SCHEME_END: &str = "://";

/// The beginnings of all forms; `None` only if they are more than a search can hold, which a test rules out.
static BEGINNINGS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let beginnings = TOKENS.iter().map(|(begin, _)| *begin).chain([SCHEME_END, KEY_MARK]);
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(beginnings).ok()
});

/// The first line of `text` that holds a secret.
pub(super) fn first_line_with_one(text: &str) -> Option<&str> {
    let at =
        beginnings(text).find(|at| places_at(text, *at).next().is_some() || is_private_key(text, *at))?;
    let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[from..].lines().next()
}

/// `text` with every secret masked.
pub(super) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut after = 0;
    let mut found: Vec<_> = beginnings(text).flat_map(|at| places_at(text, at)).collect();
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

/// Where forms may begin in `text`, in order.
fn beginnings(text: &str) -> impl Iterator<Item = usize> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = BEGINNINGS.as_ref()?.find(Input::new(text).range(from..))?;
        // Another form may begin inside this one; all beginnings are ASCII, so the next byte begins a character.
        from = found.start() + 1;
        Some(found.start())
    })
}

/// Whether the mark of a private key stands at `at`.
fn is_private_key(text: &str, at: usize) -> bool {
    text[at..]
        .strip_prefix(KEY_MARK)
        .and_then(|rest| rest.lines().next())
        .is_some_and(|rest| rest.contains("PRIVATE KEY-----"))
}

/// The secrets whose form begins at `at`.
fn places_at(text: &str, at: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
    let is_inside = text[..at].ends_with(|before: char| before.is_ascii_alphanumeric());
    let forms = if is_inside { &[] } else { TOKENS };
    let tokens = forms.iter().filter_map(move |(begin, least)| {
        let rest = text[at..].strip_prefix(begin)?;
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
            .count();
        let has_digit = rest[..length].bytes().any(|byte| byte.is_ascii_digit());
        (length >= *least && has_digit).then_some((at, at + begin.len() + length))
    });
    tokens.chain(password_at(text, at))
}

/// `scheme://user:password@host`, from its `://`, unless the password is a variable or a stand-in.
fn password_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let after = text[at..].strip_prefix(SCHEME_END)?;
    let authority = after.split(['/', ' ', '"', '\'', '\n', '?']).next().unwrap_or_default();
    let (user_and_password, _) = authority.rsplit_once('@')?;
    let (user, password) = user_and_password.split_once(':')?;
    let stands_in = password.is_empty()
        || password.starts_with(['$', '<', '{', '*', '%'])
        || ["password", "pass", "secret", "postgres", "user", "changeme", "example", "test", "root", "x"]
            .contains(&password);
    let from = at + SCHEME_END.len() + user.len() + 1;
    (!stands_in).then_some((from, from + password.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginnings_of_all_forms_can_be_searched_for() {
        assert!(BEGINNINGS.is_some());
        assert!(TOKENS.iter().all(|(begin, _)| begin.is_ascii()));
    }

    #[test]
    fn secrets_are_masked_and_nothing_else_is() {
        let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
        for (text, expected) in [
            (format!("curl -H 'Authorization: {token}' x"), "curl -H 'Authorization: ghp_****' x".to_owned()),
            ("psql postgres://app:s3cr3t@db/x".to_owned(), "psql postgres://app:s3cr****@db/x".to_owned()),
            ("postgres://app:$PASSWORD@db/x".to_owned(), "postgres://app:$PASSWORD@db/x".to_owned()),
            (
                "git clone https://example.org/a:b@c".to_owned(),
                "git clone https://example.org/a:b@c".to_owned(),
            ),
            ("ghp_short1 sk-learn AKIA".to_owned(), "ghp_short1 sk-learn AKIA".to_owned()),
        ] {
            assert_eq!(masked(&text), expected);
        }
    }

    #[test]
    fn a_key_is_found_by_its_mark() {
        let key = concat!("-----BEGIN OPENSSH", " PRIVATE KEY-----");
        assert_eq!(first_line_with_one(&format!("a\n{key}\nb")), Some(key));
        assert_eq!(first_line_with_one("-----BEGIN CERTIFICATE-----"), None);
    }
}
