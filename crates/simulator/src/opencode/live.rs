//! Single changes to a JSON store that exists, as a running OpenCode makes them.
//!
//! Owns new exchanges and sessions, the rewriting of a part in place, and deletion. Everything is plain
//! files; databases are not changed. Each change is a function of the store's folder and a seed, and its
//! files can be had without writing them, so that a test decides when (and how torn) each one appears.
//!
//! Invariants: files are listed in the order in which OpenCode writes them; what a change adds carries times
//! later than anything generated.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::id::Mint;
use super::json::{Json, Object, number};
use super::prose::fill;
use crate::random::Random;

/// 2026-11-23T00:00:00Z: later than every generated session, in milliseconds since 1970.
const LATER: u64 = 1_795_392_000_000;

/// One prompt and its answer, not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The session it belongs to.
    pub session: String,
    /// The person's message.
    pub user: String,
    /// The answer.
    pub assistant: String,
    /// Files in the order of writing: where, and what.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// Output tokens of the answer; its input is 1,000 and its cost 0.003 USD and 15 USD per million of these.
    pub output: u64,
}

impl Exchange {
    /// Writes all files, in order.
    ///
    /// # Errors
    /// [`Error::Writing`].
    pub fn write(&self) -> Result<Vec<PathBuf>, Error> {
        for (path, bytes) in &self.files {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|source| Error::writing(folder, source))?;
            }
            fs::write(path, bytes).map_err(|source| Error::writing(path, source))?;
        }
        Ok(self.files.iter().map(|(path, _)| path.clone()).collect())
    }
}

fn storage(folder: &Path) -> PathBuf {
    folder.join("opencode").join("storage")
}

fn reading(path: &Path, source: std::io::Error) -> Error {
    Error::Reading { path: path.to_owned(), source }
}

/// The names of a folder's entries without `.json`, in alphabetical order; none where there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(reading(folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| reading(folder, error))?.file_name();
        let name = name.to_string_lossy();
        names.push(name.strip_suffix(".json").unwrap_or(&name).to_owned());
    }
    names.sort();
    Ok(names)
}

/// The identifiers of the store's sessions that have messages, in alphabetical order. `folder` is the one
/// that was given to [`generate`](super::generate).
///
/// # Errors
/// [`Error::Reading`] when there is no JSON store.
pub fn session_ids(folder: &Path) -> Result<Vec<String>, Error> {
    let messages = storage(folder).join("message");
    if !messages.is_dir() {
        return Err(reading(&messages, std::io::ErrorKind::NotFound.into()));
    }
    names(&messages)
}

/// The next exchange in one of the store's sessions, which the seed chooses; nothing is written.
///
/// # Errors
/// [`Error::Reading`] when there is no JSON store with a session.
pub fn exchange(folder: &Path, seed: u64) -> Result<Exchange, Error> {
    let sessions = session_ids(folder)?;
    if sessions.is_empty() {
        return Err(reading(&storage(folder), std::io::ErrorKind::NotFound.into()));
    }
    let session = Random::named(seed, &["live"]).pick(&sessions).clone();
    Ok(make(folder, &session, seed))
}

/// Writes the next exchange in one of the store's sessions, which the seed chooses. Another seed makes
/// another exchange; the same seed writes the same files again.
///
/// # Errors
/// [`Error`] when there is no JSON store with a session, or a file cannot be written.
pub fn append_exchange(folder: &Path, seed: u64) -> Result<Vec<PathBuf>, Error> {
    exchange(folder, seed)?.write()
}

/// A new session of the project `global` with one exchange; nothing is written.
pub fn new_session(folder: &Path, seed: u64) -> Exchange {
    let at = moment(seed);
    let id = Mint::new(Random::named(seed, &["live session"])).descending("ses", at);
    let record = Object::new()
        .with("id", &id)
        .with("slug", "calm-harbor")
        .with("version", "1.1.65")
        .with("projectID", "global")
        .with("directory", "/srv/demo")
        .with("title", fill(&mut Random::named(seed, &["live title"]), "Demo: {verb} {object}"))
        .with("time", Object::new().with("created", at).with("updated", at));
    let path = storage(folder).join("session/global").join(format!("{id}.json"));
    let mut exchange = make(folder, &id, seed);
    exchange.files.insert(0, (path, pretty(record)));
    exchange
}

/// Writes a new session with one exchange.
///
/// # Errors
/// [`Error::Writing`].
pub fn append_session(folder: &Path, seed: u64) -> Result<Vec<PathBuf>, Error> {
    new_session(folder, seed).write()
}

fn moment(seed: u64) -> u64 {
    LATER + seed % 1_000_000 * 2_000
}

fn pretty(object: Object) -> Vec<u8> {
    let mut bytes = Vec::new();
    Json::from(object).pretty(&mut bytes);
    bytes
}

fn make(folder: &Path, session: &str, seed: u64) -> Exchange {
    let mut random = Random::named(seed, &["live exchange"]);
    let at = moment(seed);
    let mut mint = Mint::new(Random::named(seed, &["live ids", session]));
    let (user, assistant) = (mint.ascending("msg", at), mint.ascending("msg", at + 20));
    let output = random.between(50, 900) as u64;
    let storage = storage(folder);
    let mut files = Vec::new();
    let mut message = |id: &str, record: Object| {
        let path = storage.join("message").join(session).join(format!("{id}.json"));
        let head = Object::new().with("id", id.to_owned()).with("sessionID", session.to_owned());
        files.push((path, pretty(head.followed_by(record))));
    };
    let model = Object::new().with("providerID", "anthropic").with("modelID", "claude-sonnet-4-5");
    let prompt = Object::new()
        .with("role", "user")
        .with("time", Object::new().with("created", at))
        .with("agent", "build")
        .with("model", model);
    message(&user, prompt);
    let cost = number((1_000 * 30_000 + output * 150_000) as f64 / 1e10);
    let tokens = Object::new()
        .with("input", 1_000_u64)
        .with("output", output)
        .with("reasoning", 0_u64)
        .with("cache", Object::new().with("read", 0_u64).with("write", 0_u64));
    let answer = Object::new()
        .with("role", "assistant")
        .with("time", Object::new().with("created", at + 20).with("completed", at + 1_500))
        .with("parentID", &user)
        .with("modelID", "claude-sonnet-4-5")
        .with("providerID", "anthropic")
        .with("mode", "build")
        .with("agent", "build")
        .with("path", Object::new().with("cwd", "/srv/demo").with("root", "/"))
        .with("cost", cost.clone())
        .with("tokens", tokens.clone())
        .with("finish", "stop");
    message(&assistant, answer);
    let mut part = |message: &str, created: u64, record: Object| {
        let id = mint.ascending("prt", created);
        let path = storage.join("part").join(message).join(format!("{id}.json"));
        let head = Object::new()
            .with("id", id)
            .with("sessionID", session.to_owned())
            .with("messageID", message.to_owned());
        files.push((path, pretty(head.followed_by(record))));
    };
    let time = |start: u64, end: u64| Object::new().with("start", start).with("end", end);
    let text = fill(&mut random, "Please {verb} {object}.");
    part(&user, at, Object::new().with("type", "text").with("text", text));
    part(&assistant, at + 40, Object::new().with("type", "step-start"));
    let state = Object::new()
        .with("status", "completed")
        .with("input", Object::new().with("command", "ls").with("description", "Lists files"))
        .with("output", "README.md\n")
        .with("title", "Lists files")
        .with("metadata", Object::new().with("output", "README.md\n").with("exit", 0))
        .with("time", time(at + 60, at + 90));
    let tool = Object::new().with("type", "tool").with("callID", format!("call_{seed}")).with("tool", "bash");
    part(&assistant, at + 50, tool.with("state", state));
    let text = fill(&mut random, "I did {verb} {object}. There is one file.");
    let text = Object::new().with("type", "text").with("text", text).with("time", time(at + 100, at + 1_400));
    part(&assistant, at + 100, text);
    let finish = Object::new()
        .with("type", "step-finish")
        .with("reason", "stop")
        .with("cost", cost)
        .with("tokens", tokens);
    part(&assistant, at + 1_450, finish);
    Exchange { session: session.to_owned(), user, assistant, files, output }
}

/// Rewrites a part's file in place: a text or output gets another end, every other part another
/// `metadata`. The fields change their order, their values do not.
///
/// # Errors
/// [`Error`] when the file is not a part or cannot be read or written.
pub fn rewrite_part(path: &Path, seed: u64) -> Result<(), Error> {
    let bytes = fs::read(path).map_err(|source| reading(path, source))?;
    let mut part: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|source| reading(path, source.into()))?;
    let addition = format!(" (rewritten {seed})");
    let place = match part["type"].as_str() {
        Some("text" | "reasoning") => part.get_mut("text"),
        Some("tool") => part.pointer_mut("/state/output"),
        _ => None,
    };
    match place {
        Some(serde_json::Value::String(text)) => text.push_str(&addition),
        _ => part["metadata"] = serde_json::json!({ "rewritten": seed }),
    }
    let text = format!("{part:#}");
    fs::write(path, text).map_err(|source| Error::writing(path, source))
}

/// Deletes a session as OpenCode does: its file and those of its messages and parts. Empty folders, the
/// todo list and the differences stay. Returns what was unlinked.
///
/// # Errors
/// [`Error`] when the store cannot be read or changed.
pub fn delete_session(folder: &Path, session: &str) -> Result<Vec<PathBuf>, Error> {
    let storage = storage(folder);
    let mut gone = Vec::new();
    for message in names(&storage.join("message").join(session))? {
        gone.extend(delete_message(folder, session, &message)?);
    }
    for project in names(&storage.join("session"))? {
        let path = storage.join("session").join(project).join(format!("{session}.json"));
        if path.exists() {
            unlink(path, &mut gone)?;
        }
    }
    Ok(gone)
}

/// Deletes a message and its parts, as reverting does. Returns what was unlinked.
///
/// # Errors
/// [`Error`] when the store cannot be read or changed.
pub fn delete_message(folder: &Path, session: &str, message: &str) -> Result<Vec<PathBuf>, Error> {
    let storage = storage(folder);
    let mut gone = Vec::new();
    let parts = storage.join("part").join(message);
    for part in names(&parts)? {
        unlink(parts.join(format!("{part}.json")), &mut gone)?;
    }
    unlink(storage.join("message").join(session).join(format!("{message}.json")), &mut gone)?;
    Ok(gone)
}

fn unlink(path: PathBuf, gone: &mut Vec<PathBuf>) -> Result<(), Error> {
    fs::remove_file(&path).map_err(|source| Error::writing(&path, source))?;
    gone.push(path);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Settings, generate};
    use super::*;

    #[test]
    fn an_exchange_is_written_rewritten_and_deleted() {
        let folder = tempfile::tempdir().unwrap();
        generate(&Settings { mean_part_bytes: 700, ..Settings::of(3, 1) }, folder.path()).unwrap();
        let exchange = exchange(folder.path(), 4).unwrap();
        let paths = append_exchange(folder.path(), 4).unwrap();
        assert_eq!(paths.len(), 7);
        assert!(
            paths.iter().zip(&exchange.files).all(|(path, (_, bytes))| fs::read(path).unwrap() == *bytes)
        );
        let before = fs::read(&paths[2]).unwrap();
        rewrite_part(&paths[2], 9).unwrap();
        let after = fs::read(&paths[2]).unwrap();
        assert_ne!(before, after);
        assert!(String::from_utf8(after).unwrap().contains("(rewritten 9)"));
        let gone = delete_session(folder.path(), &exchange.session).unwrap();
        assert!(paths.iter().all(|path| gone.contains(path) && !path.exists()));
        assert!(gone.len() > paths.len() && paths[0].parent().unwrap().is_dir());
        let added = append_session(folder.path(), 5).unwrap();
        assert_eq!(added.len(), 8);
        assert!(session_ids(folder.path()).unwrap().contains(&new_session(folder.path(), 5).session));
    }
}
