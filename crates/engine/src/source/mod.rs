//! Sources: where records come from.
//!
//! Owns the contract between a system and the outside ([`Fetch`]) and its two implementations: HTTP with
//! retries, rate budget and circuit breaker, and a directory of saved responses. What to ask for and how to
//! read the answers is the system's.
//!
//! Invariant: a source is only ever read.

pub mod breaker;
pub mod directory;
pub mod git;
pub mod http;

use std::path::Path;
use std::sync::Arc;

use plimsoll_core::clock::Clock;
use serde_json::Value as Json;

use crate::error::EngineError;
use directory::DirectoryFetch;
use http::{ApiKey, HttpFetch, HttpSettings};

/// What a system says about the API that its records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceDeclaration {
    /// The address used when nobody names another, such as `https://api.congress.gov`.
    pub address: &'static str,
    /// A path that every question is below, such as `v3`; added to an address that does not end with it.
    pub root: &'static str,
    /// Requests that the API grants in any hour.
    pub requests_per_hour: u32,
}

/// Opens the source at `address`: an `http(s)` address or a folder of saved answers. Without one, the
/// address that the system declares.
///
/// # Errors
/// Usage, when the address is neither.
pub fn open(
    declaration: &SourceDeclaration,
    address: Option<&str>,
    key: Option<ApiKey>,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn Fetch>, EngineError> {
    let address = address.unwrap_or(declaration.address);
    if address.starts_with("http://") || address.starts_with("https://") {
        let settings = HttpSettings {
            root: declaration.root.to_owned(),
            key,
            requests_per_hour: Some(declaration.requests_per_hour),
            ..HttpSettings::new(address)
        };
        return Ok(Box::new(HttpFetch::new(settings, clock)?));
    }
    Ok(Box::new(DirectoryFetch::open(Path::new(address))?))
}

/// A question to a source: a path below its base address and query parameters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Path segments below the base, such as `committee-meeting/119/house`.
    pub path: String,
    /// Parameters in order.
    pub parameters: Vec<(String, String)>,
}

impl Query {
    /// A question without parameters.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), parameters: Vec::new() }
    }

    /// The same question with one more parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.parameters.push((name.to_owned(), value.to_string()));
        self
    }
}

/// Why a question got no answer, after all retries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// This one answer cannot be had (a 4xx, a 5xx that stays, or a body that is not JSON). Others may.
    #[error("{0}")]
    Answer(String),
    /// The source as a whole cannot be read (no connection, no key, budget spent, breaker open).
    #[error("{0}")]
    Source(String),
}

/// Asks a source. Implementations retry, wait and count; callers just ask.
pub trait Fetch {
    /// The JSON answer.
    ///
    /// # Errors
    /// [`FetchError`] after all retries.
    fn get(&mut self, query: &Query) -> Result<Json, FetchError>;

    /// How many more questions fit in the source's budget now; `None` without a budget.
    fn budget_left(&self) -> Option<u64>;

    /// What was asked so far.
    fn statistics(&self) -> FetchStatistics;

    /// The time at which the source is asked, `YYYY-MM-DDTHH:MM:SSZ`; `None` where answers have no time of
    /// their own, as in a folder.
    fn now(&self) -> Option<String> {
        None
    }
}

impl<F: Fetch + ?Sized> Fetch for Box<F> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        (**self).get(query)
    }

    fn budget_left(&self) -> Option<u64> {
        (**self).budget_left()
    }

    fn statistics(&self) -> FetchStatistics {
        (**self).statistics()
    }

    fn now(&self) -> Option<String> {
        (**self).now()
    }
}

/// The source of a change that asks none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSource;

impl Fetch for NoSource {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        Err(FetchError::Source(format!("this change has no source to ask for {}", query.path)))
    }

    fn budget_left(&self) -> Option<u64> {
        None
    }

    fn statistics(&self) -> FetchStatistics {
        FetchStatistics::default()
    }
}

/// What a source was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FetchStatistics {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were repeats of a failed one.
    pub retries: u64,
    /// Answers that said "too many requests".
    pub rate_limited: u64,
    /// Milliseconds spent waiting on purpose.
    pub waited_ms: u64,
}

/// What a plan asks of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceRequest {
    /// The newest update time that the store holds, as a lower bound of what must be asked again.
    pub known_until: Option<String>,
    /// Only records updated since this time, when the caller says so.
    pub since: Option<String>,
    /// Further options of the change, by name.
    pub options: Vec<(String, String)>,
}

impl SourceRequest {
    /// The option called `name`.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }
}

/// One record as the source delivered it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceRecord {
    /// What a person calls it, such as `hearing 118296`.
    pub label: String,
    /// The body, or why it could not be had.
    pub body: Result<Json, String>,
}

/// What reading a source came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceSummary {
    /// Records that the source lists.
    pub listed: u64,
    /// Records handed over.
    pub delivered: u64,
    /// Records listed but not asked for, because nothing says that they changed.
    pub left_out: u64,
    /// What a person should know (pages re-read, duplicates dropped, fields that moved).
    pub notes: Vec<String>,
}
