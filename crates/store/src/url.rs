//! Store addresses: `sqlite:PATH[?durability=full|normal]` and `postgres://USER[:PASSWORD]@HOST[:PORT]/DB`.
//!
//! Owns parsing and printing. Printing never shows a password.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// How a SQLite store commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// `synchronous=FULL`: a commit survives a power loss.
    #[default]
    Full,
    /// `synchronous=NORMAL`: a power loss may take the last commits, whole and in order; because data,
    /// journal and receipt share each transaction, `resume` redoes exactly those.
    Normal,
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// How it commits.
        durability: Durability,
    },
    /// A PostgreSQL database.
    Postgres {
        /// The connection URL, with its password when it has one.
        url: String,
    },
}

/// Text that is no store address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a store address: {problem}\nhint: use sqlite:PATH, sqlite:PATH?durability=normal, or postgres://USER@HOST/DATABASE"
)]
pub struct StoreUrlError {
    text: String,
    problem: &'static str,
}

impl FromStr for StoreUrl {
    type Err = StoreUrlError;

    fn from_str(text: &str) -> Result<Self, StoreUrlError> {
        let refuse = |problem| Err(StoreUrlError { text: redact(text), problem });
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres { url: text.to_owned() });
        }
        let Some(rest) = text.strip_prefix("sqlite:") else {
            return refuse("it starts with neither `sqlite:` nor `postgres://`");
        };
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        if path.is_empty() {
            return refuse("it names no file");
        }
        let durability = match query {
            None | Some("durability=full") => Durability::Full,
            Some("durability=normal") => Durability::Normal,
            Some(_) => return refuse("the only option is `durability=full` or `durability=normal`"),
        };
        Ok(Self::Sqlite { path: PathBuf::from(path), durability })
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path, durability: Durability::Full } => write!(f, "sqlite:{}", path.display()),
            Self::Sqlite { path, durability: Durability::Normal } => {
                write!(f, "sqlite:{}?durability=normal", path.display())
            }
            Self::Postgres { url } => f.write_str(&redact(url)),
        }
    }
}

/// The URL with its password replaced by `***`.
fn redact(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority_end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let redacted = match authority.rsplit_once('@') {
        Some((login, host)) => match login.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}"),
            None => format!("{scheme}://{login}@{host}"),
        },
        None => format!("{scheme}://{authority}"),
    };
    let path = path.split_once("password=").map_or(path.to_owned(), |(start, end)| {
        let tail = end.find('&').map_or("", |at| &end[at..]);
        format!("{start}password=***{tail}")
    });
    redacted + &path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_parse_and_print() {
        for text in ["sqlite:a/b.db", "sqlite:a.db?durability=normal", "postgres://me@host:5432/db"] {
            assert_eq!(text.parse::<StoreUrl>().unwrap().to_string(), text);
        }
        for text in ["", "a.db", "sqlite:", "sqlite:a?x=1", "mysql://x"] {
            assert!(text.parse::<StoreUrl>().unwrap_err().to_string().contains("hint:"), "{text}");
        }
    }

    #[test]
    fn passwords_are_never_printed() {
        for text in ["postgres://me:secret@h/db", "postgresql://h/db?user=a&password=secret&x=1"] {
            let shown = text.parse::<StoreUrl>().unwrap().to_string();
            assert!(!shown.contains("secret") && shown.contains("***"), "{shown}");
        }
    }
}
