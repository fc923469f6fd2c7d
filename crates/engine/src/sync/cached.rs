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

use super::declare::{Link, LinkedSystem};
use super::read::{self, Filter, RowPage};
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
    /// Whether the rows of all parts are counted.
    pub count: bool,
    /// The name of what `render` makes of them; two that differ must have two names.
    pub form: &'a str,
}

/// What a question is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What [`state`] says of the rows that are in it, or said just before they were read.
    pub state: Option<String>,
    /// What was made of the rows.
    pub bytes: Vec<u8>,
}

/// The answer, from the cache when it has that of this very state, else made by `render` from the rows.
///
/// # Errors
/// As [`read::page`], and what `render` says. A cache that fails is no error.
pub fn answer(
    session: &mut Session,
    link: &dyn Link,
    cache: Option<&Cache>,
    question: &Question<'_>,
    render: impl FnOnce(&RowPage) -> Result<Vec<u8>, EngineError>,
) -> Result<Answer, EngineError> {
    if let Some(cache) = cache
        && let Some(state) = state(session, link, question)?
        && let Some(bytes) = cache.get(&key(link, question, &state)?)
    {
        return Ok(Answer { state: Some(state), bytes });
    }
    // Stamp and rows of one moment.
    let (state, page) = {
        let asked = read::asked(session, link, question.filter, question.count)?;
        in_transaction(session.store.as_mut(), Access::ReadOnly, |store| {
            let state = stamp::of(store, link, question.filter.scope.as_deref(), question.reader)?;
            Ok::<_, EngineError>((state, read::page_within(store, link, question.reader, &asked)?))
        })?
    };
    let bytes = render(&page)?;
    if let (Some(cache), Some(state)) = (cache, &state) {
        cache.put(&key(link, question, state)?, &bytes, KEEP);
    }
    Ok(Answer { state, bytes })
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

/// The figures of the rows that a filter asks for, as JSON: kept once for everybody who asks, over HTTP or by command.
///
/// # Errors
/// As [`answer`].
pub fn figures(
    session: &mut Session,
    linked: &LinkedSystem,
    cache: Option<&Cache>,
    reader: &str,
    filter: &Filter,
) -> Result<Answer, EngineError> {
    let question = Question { reader, filter, count: false, form: "figures" };
    answer(session, linked.link, cache, &question, |page| {
        Ok(serde_json::to_vec(&(linked.figures)(&page.rows))?)
    })
}

fn key(link: &dyn Link, question: &Question<'_>, stamp: &str) -> Result<String, EngineError> {
    let Question { filter, count, form, .. } = question;
    let mut hashing = Hashing::new("sync-answer");
    for text in [link.name(), stamp, form] {
        hashing.part(text.as_bytes());
    }
    // Every member, so that one that is added cannot be forgotten here.
    let Filter { scope, equal, state, sort, after, after_value, limit } = filter;
    let sort = (&sort.field, sort.descending);
    let asked = (scope, equal, state, sort, after, after_value, limit, count);
    hashing.part(serde_json::to_string(&asked)?.as_bytes());
    Ok(format!("plimsoll:sync:{}", hashing.hex()))
}
