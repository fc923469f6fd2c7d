//! Secrets in clear text: recognizing and masking them.
//!
//! Owns the forms of well-known tokens and of passwords in addresses and options. It deliberately takes only forms that
//! are hardly anything else; a long random word alone is no secret.

/// How a token begins, and how many letters and digits follow at least.
const TOKENS: &[(&str, usize)] = &[
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
const KEY_MARK: &str = "-----BEGIN ";
/// Shown of a masked secret.
const KEPT: usize = 4;

/// The first line of `text` that holds a secret.
pub(super) fn first_line_with_one(text: &str) -> Option<&str> {
    text.lines().find(|line| places(line).next().is_some() || is_private_key(line))
}

/// `text` with every secret masked.
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

/// Where secrets stand.
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

/// `scheme://user:password@host`, unless the password is a variable or a stand-in.
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

#[cfg(test)]
mod tests {
    use super::*;

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
