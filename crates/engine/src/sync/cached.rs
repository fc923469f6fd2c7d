//! Merged reads through an optional cache.
//!
//! Owns under which key an answer is kept. What is kept is the finished answer - the bytes that the reader gets - because
//! twenty thousand rows are read from the database faster than they are taken apart twice.
//!
//! Invariants:
//! - The store is asked first, always: for the stamp of what is to be read, which is part of the key. An answer of another
//!   state cannot be found, so nothing has to be forgotten, and a process that dies between its change and its forgetting
//!   leaves nothing wrong behind.
//! - Without a cache, with one that is empty, and with one that is gone, the answer is the same.

use std::time::Duration;

use plimsoll_core::digest::Hashing;
use plimsoll_store::{Access, in_transaction};

use super::declare::Link;
use super::read::{self, Filter, MergedRow};
use super::stamp;
use crate::cache::Cache;
use crate::error::EngineError;
use crate::session::Session;

/// How long an answer is kept that nobody asks for: the store's next state makes it useless anyway.
const KEEP: Duration = Duration::from_secs(600);

/// A read, and how it is answered.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who reads.
    pub reader: &'a str,
    /// Which rows.
    pub filter: &'a Filter,
    /// The name of what `render` makes of them; two that differ must have two names.
    pub form: &'a str,
}

/// The answer, from the cache when it has that of this very state, else made by `render` from the rows.
///
/// # Errors
/// As [`read::rows`], and what `render` says. A cache that fails is no error.
pub fn answer(
    session: &mut Session,
    link: &dyn Link,
    cache: Option<&Cache>,
    question: &Question<'_>,
    render: impl FnOnce(&[MergedRow]) -> Result<Vec<u8>, EngineError>,
) -> Result<Vec<u8>, EngineError> {
    let Some(cache) = cache else {
        return render(&read::rows(session, link, question.reader, question.filter)?);
    };
    if let Some(state) = state(session, link, question)?
        && let Some(kept) = cache.get(&key(link, question, &state)?)
    {
        return Ok(kept);
    }
    // Stamp and rows of one moment.
    let (state, rows) = {
        let shape = read::canonical(session, link, question.filter)?;
        in_transaction(session.store.as_mut(), Access::ReadOnly, |store| {
            let state = stamp::of(store, link, shape.scope.as_deref(), question.reader)?;
            Ok::<_, EngineError>((state, read::rows_within(store, link, question.reader, &shape)?))
        })?
    };
    let bytes = render(&rows)?;
    if let Some(state) = state {
        cache.put(&key(link, question, &state)?, &bytes, KEEP);
    }
    Ok(bytes)
}

/// The state of what the question asks for: while it stays, so does the answer. Something for an `ETag`.
///
/// # Errors
/// When the store fails.
pub fn state(
    session: &mut Session,
    link: &dyn Link,
    question: &Question<'_>,
) -> Result<Option<String>, EngineError> {
    stamp::of(session.store.as_mut(), link, question.filter.scope.as_deref(), question.reader)
}

fn key(link: &dyn Link, question: &Question<'_>, state: &str) -> Result<String, EngineError> {
    let filter = question.filter;
    let mut hashing = Hashing::new("sync-answer");
    for text in [link.name(), state, question.form] {
        hashing.part(text.as_bytes());
    }
    let asked = (&filter.scope, &filter.equal, &filter.after, filter.limit);
    hashing.part(serde_json::to_string(&asked)?.as_bytes());
    Ok(format!("plimsoll:sync:{}", hashing.hex()))
}
