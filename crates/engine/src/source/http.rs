//! A source behind HTTP: questions become `GET` requests, answers become JSON.
//!
//! Owns the one retry layer: which answers are worth repeating, how long to wait, when the source as a whole is
//! given up. It deliberately does not know what is asked or what an answer means, caches nothing and follows no
//! redirect, because a key would go with it.
//!
//! What is repeated: 429 after its `Retry-After`, 5xx and broken transport with a growing wait. Every other 4xx is
//! an answer. No single wait is longer than [`LONGEST_WAIT_MS`]; where more is needed the question is refused with
//! the time at which it can be asked again.
//!
//! Invariants:
//! - The API key appears in the request and nowhere else: not in an error, an event or a `Debug` text.
//! - All waiting and all time go through the [`Clock`]; only the transport's timeouts are real.
//! - A body larger than the limit is never held in memory.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use plimsoll_core::clock::Clock;
use plimsoll_core::digest::Hashing;
use serde_json::Value as Json;
use ureq::http::Response;

use super::breaker::{Breaker, Budget};
use super::{Fetch, FetchError, FetchStatistics, Query};
use crate::error::EngineError;

/// The longest single wait, in milliseconds.
pub const LONGEST_WAIT_MS: u64 = 60_000;
/// Repetitions of a question after a 5xx or a broken transport.
const RETRIES: u32 = 3;
/// Repetitions of a question after a 429; the source said when, so a few more are polite enough.
const LIMITED_RETRIES: u32 = 6;
/// The first wait before a repetition, in milliseconds; it doubles.
const FIRST_WAIT_MS: u64 = 200;
/// The wait after a 429 that does not say how long, in milliseconds; it doubles too.
const LIMITED_WAIT_MS: u64 = 1_000;
const HOUR_MS: u64 = 3_600_000;

/// An API key that does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// Wraps a key; white space around it, as files have it, is dropped. None for an empty one.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(***)")
    }
}

/// Where and how to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// The base address, `http://..` or `https://..`.
    pub base: String,
    /// A path that every question is below, such as `v3`; added unless the base ends with it. May be empty.
    pub root: String,
    /// The key, sent as the parameter `api_key`.
    pub key: Option<ApiKey>,
    /// Milliseconds to connect.
    pub connect_timeout_ms: u64,
    /// Milliseconds to wait for the head of an answer, and again for its body.
    pub read_timeout_ms: u64,
    /// Requests in any hour; `None` for as many as wanted.
    pub requests_per_hour: Option<u32>,
    /// The largest body, in bytes after decompression.
    pub body_limit: u64,
}

impl HttpSettings {
    /// The usual settings for `base`: 5 s to connect, 15 s to read, 5,000 requests an hour, 32 MB a body.
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            root: String::new(),
            key: None,
            connect_timeout_ms: 5_000,
            read_timeout_ms: 15_000,
            requests_per_hour: Some(5_000),
            body_limit: 32 * 1024 * 1024,
        }
    }

    fn address(&self) -> Result<String, EngineError> {
        let refuse = |problem: &str| {
            Err(EngineError::usage(format!(
                "the source's address cannot be used: it {problem}\nhint: give one like https://host/path"
            )))
        };
        let base = self.base.trim().trim_end_matches('/');
        let Some(rest) = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://")) else {
            return refuse("does not begin with http:// or https://");
        };
        let host = rest.split('/').next().unwrap_or_default();
        if host.is_empty() || base.contains(['?', '#', ' ']) {
            return refuse("has no host, or more than a host and a path");
        }
        if host.contains('@') {
            return refuse("holds a user name; give the key apart from the address");
        }
        let root = self.root.trim_matches('/');
        let below = root.is_empty() || rest.split('/').skip(1).last() == Some(root);
        Ok(if below { base.to_owned() } else { format!("{base}/{root}") })
    }
}

/// Asks an HTTP API.
pub struct HttpFetch {
    agent: ureq::Agent,
    base: String,
    key: Option<ApiKey>,
    body_limit: u64,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    budget: Option<Budget>,
    /// What the source last said is left of its own budget.
    left_by_source: Option<u64>,
    statistics: FetchStatistics,
}

/// How one request went.
enum Attempt {
    /// An answer of JSON.
    Answered(Json),
    /// The source answers, but not this question; no use to repeat.
    Refused(FetchError),
    /// The answer is useless; no use to repeat, but a sign of trouble.
    Useless(String),
    /// Too many requests.
    Limited { wait_ms: Option<u64> },
    /// Worth repeating.
    Failed { what: String, reached: bool, wait_ms: Option<u64> },
}

impl HttpFetch {
    /// A client for the API at `settings.base`. Nothing is sent yet.
    ///
    /// # Errors
    /// Usage, when the address is not one.
    pub fn new(settings: HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let base = settings.address()?;
        let host = base.split('/').nth(2).unwrap_or_default();
        let local = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_resolve(Some(Duration::from_millis(settings.connect_timeout_ms)))
            .timeout_connect(Some(Duration::from_millis(settings.connect_timeout_ms)))
            .timeout_send_request(Some(Duration::from_millis(settings.read_timeout_ms)))
            .timeout_recv_response(Some(Duration::from_millis(settings.read_timeout_ms)))
            .timeout_recv_body(Some(Duration::from_millis(settings.read_timeout_ms)))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept("application/json")
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
        if local {
            // A proxy of the machine's settings cannot reach this machine's own ports.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            key: settings.key,
            body_limit: settings.body_limit,
            clock,
            breaker: Breaker::new(),
            budget: settings.requests_per_hour.map(|limit| Budget::new(limit, HOUR_MS)),
            left_by_source: None,
            statistics: FetchStatistics::default(),
        })
    }

    /// The base address in use, without any key.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Takes one request from the budget, waiting when it frees up soon.
    fn spend(&mut self) -> Result<(), FetchError> {
        loop {
            let now = self.clock.monotonic_ms();
            let Some(wait_ms) = self.budget.as_mut().and_then(|budget| budget.spend(now).err()) else {
                return Ok(());
            };
            if wait_ms > LONGEST_WAIT_MS {
                return Err(FetchError::Source(format!(
                    "the hourly budget of requests to {} is used up\nhint: it frees up at {}; run again then, or ask for fewer records",
                    self.base,
                    self.after(wait_ms)
                )));
            }
            tracing::info!(wait_ms, base = %self.base, "source: waiting for the request budget");
            self.wait(wait_ms);
        }
    }

    fn wait(&mut self, wait_ms: u64) {
        self.clock.sleep_ms(wait_ms);
        self.statistics.waited_ms += wait_ms;
    }

    /// The time in `wait_ms`, for a person.
    fn after(&self, wait_ms: u64) -> String {
        let now: Option<Timestamp> = self.clock.now().parse().ok();
        let then = now
            .and_then(|now| now.checked_add(SignedDuration::from_millis(i64::try_from(wait_ms).ok()?)).ok());
        then.map_or_else(|| format!("{} s from now", wait_ms / 1_000), |then| format!("{then:.0}"))
    }

    fn attempt(&mut self, address: &str) -> Attempt {
        self.statistics.requests += 1;
        let mut response = match self.agent.get(address).call() {
            Ok(response) => response,
            Err(error) => return self.broken(&error),
        };
        if let Some(left) = header(&response, "x-ratelimit-remaining").and_then(|text| text.parse().ok()) {
            self.left_by_source = Some(left);
        }
        let status = response.status().as_u16();
        let wait_ms = header(&response, "retry-after").and_then(|text| self.retry_after(text));
        let moved_to = header(&response, "location").map(str::to_owned);
        let body = match response.body_mut().with_config().limit(self.body_limit).read_to_vec() {
            Ok(body) => body,
            Err(ureq::Error::BodyExceedsLimit(limit)) => {
                return Attempt::Useless(format!("the answer is larger than {limit} bytes"));
            }
            Err(error) => return self.broken(&error),
        };
        match status {
            200..=299 => serde_json::from_slice(&body).map_or_else(
                |error| Attempt::Useless(format!("the answer is not JSON: {error}")),
                Attempt::Answered,
            ),
            429 => Attempt::Limited { wait_ms },
            500..=599 => {
                Attempt::Failed { what: self.said(status, &body), reached: true, wait_ms }
            }
            401 | 403 => Attempt::Refused(FetchError::Source(format!(
                "{}\nhint: check the API key of the source (environment or key file)",
                self.said(status, &body)
            ))),
            300..=399 => Attempt::Refused(FetchError::Answer(self.redact(&format!(
                "HTTP {status}, moved to {}\nhint: give the new address as the source; redirects are not followed, so that the key stays here",
                moved_to.as_deref().unwrap_or("an unnamed place")
            )))),
            _ => Attempt::Refused(FetchError::Answer(self.said(status, &body))),
        }
    }

    /// The status and what the body says of it.
    fn said(&self, status: u16, body: &[u8]) -> String {
        let json: Option<Json> = serde_json::from_slice(body).ok();
        let error = json.as_ref().and_then(|json| json.get("error"));
        let text = error.and_then(|error| error.get("message").unwrap_or(error).as_str());
        match text {
            Some(text) => {
                let short: String = text.chars().take(200).collect();
                self.redact(&format!("HTTP {status}: {short}"))
            }
            None => format!("HTTP {status}"),
        }
    }

    fn broken(&self, error: &ureq::Error) -> Attempt {
        use ureq::Timeout;
        let what = self.redact(&error.to_string());
        let reached = match error {
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
                return Attempt::Refused(FetchError::Source(what));
            }
            ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Tls(_)
            | ureq::Error::ConnectProxyFailed(_)
            | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => false,
            ureq::Error::Io(error) => error.kind() != std::io::ErrorKind::ConnectionRefused,
            _ => true,
        };
        Attempt::Failed { what, reached, wait_ms: None }
    }

    /// Milliseconds that a `Retry-After` asks for: seconds, or an HTTP date.
    fn retry_after(&self, text: &str) -> Option<u64> {
        let text = text.trim();
        if let Ok(seconds) = text.parse::<u64>() {
            return Some(seconds.saturating_mul(1_000));
        }
        let then = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        let now: Timestamp = self.clock.now().parse().ok()?;
        let wait = then.duration_since(now).as_millis();
        Some(u64::try_from(wait).unwrap_or(0))
    }

    fn redact(&self, text: &str) -> String {
        let Some(ApiKey(key)) = &self.key else { return text.to_owned() };
        text.replace(key.as_str(), "***").replace(&encode(key), "***")
    }

    /// Counts a question that stays unanswered and says why.
    fn give_up(&mut self, question: &str, what: &str, reached: bool) -> FetchError {
        let now = self.clock.monotonic_ms();
        if self.breaker.failed(question, now) {
            tracing::warn!(base = %self.base, "source: circuit breaker opened");
        }
        let text = format!("{question}: {what}");
        if reached {
            FetchError::Answer(text)
        } else {
            FetchError::Source(format!("{text}\nhint: check that {} can be reached from here", self.base))
        }
    }

    /// Waits before a repetition, or says why not.
    fn pause(&mut self, question: &str, attempt: u32, wait_ms: u64, what: &str) -> Result<(), FetchError> {
        if wait_ms > LONGEST_WAIT_MS {
            return Err(FetchError::Source(format!(
                "{} asks for a pause until {} ({what})\nhint: run again then",
                self.base,
                self.after(wait_ms)
            )));
        }
        tracing::info!(question, attempt, wait_ms, reason = what, "source: asking again");
        self.wait(wait_ms);
        self.statistics.retries += 1;
        Ok(())
    }
}

impl Fetch for HttpFetch {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        let question = question(query);
        if let Err(wait_ms) = self.breaker.admit(self.clock.monotonic_ms()) {
            return Err(FetchError::Source(format!(
                "{} did not answer several different questions in a row and is left alone for now\nhint: it is asked again from {} on; check that the source is up",
                self.base,
                self.after(wait_ms)
            )));
        }
        let mut address = format!("{}/{question}", self.base);
        if let Some(ApiKey(key)) = &self.key {
            address.push(if question.contains('?') { '&' } else { '?' });
            address.push_str(&format!("api_key={}", encode(key)));
        }
        let (mut failures, mut limited) = (0, 0);
        loop {
            self.spend()?;
            match self.attempt(&address) {
                Attempt::Answered(json) => {
                    self.breaker.succeeded();
                    return Ok(json);
                }
                Attempt::Refused(FetchError::Answer(what)) => {
                    return Err(FetchError::Answer(format!("{question}: {what}")));
                }
                Attempt::Refused(source) => return Err(source),
                Attempt::Useless(what) => return Err(self.give_up(&question, &what, true)),
                Attempt::Limited { wait_ms } => {
                    self.statistics.rate_limited += 1;
                    let what = "too many requests";
                    if limited == LIMITED_RETRIES {
                        let error =
                            format!("{} keeps answering HTTP 429: {what}\nhint: run again later", self.base);
                        return Err(FetchError::Source(error));
                    }
                    let wait_ms = wait_ms.unwrap_or(LIMITED_WAIT_MS << limited);
                    limited += 1;
                    self.pause(&question, limited, wait_ms + jitter(&question, limited, wait_ms), what)?;
                }
                Attempt::Failed { what, reached, wait_ms } => {
                    if failures == RETRIES {
                        let what = format!("{what} (asked {} times)", failures + 1);
                        return Err(self.give_up(&question, &what, reached));
                    }
                    let back_off = FIRST_WAIT_MS << failures;
                    failures += 1;
                    let wait_ms = wait_ms.unwrap_or(0).max(back_off + jitter(&question, failures, back_off));
                    self.pause(&question, failures, wait_ms, &what)?;
                }
            }
        }
    }

    fn budget_left(&self) -> Option<u64> {
        // Who sets no budget wants none, whatever the source says; a 429 is still honoured.
        let ours = self.budget.as_ref()?.left(self.clock.monotonic_ms());
        Some(self.left_by_source.map_or(ours, |theirs| ours.min(theirs)))
    }

    fn statistics(&self) -> FetchStatistics {
        self.statistics
    }

    fn now(&self) -> Option<String> {
        Some(self.clock.now())
    }
}

impl fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFetch").field("base", &self.base).field("statistics", &self.statistics).finish()
    }
}

fn header<'response, B>(response: &'response Response<B>, name: &str) -> Option<&'response str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// The question as a person reads it: path and parameters, encoded, without any key.
fn question(query: &Query) -> String {
    let segments: Vec<String> = query.path.split('/').filter(|part| !part.is_empty()).map(encode).collect();
    let mut text = segments.join("/");
    for (place, (name, value)) in query.parameters.iter().enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        text.push_str(&format!("{}={}", encode(name), encode(value)));
    }
    text
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// Up to a quarter of `wait_ms`, the same for the same question and attempt, so that clients that failed
/// together do not come back together and a replay waits the same.
fn jitter(question: &str, attempt: u32, wait_ms: u64) -> u64 {
    let hex = Hashing::new("jitter").part(question.as_bytes()).part(&attempt.to_le_bytes()).hex();
    let share = u64::from_str_radix(&hex[..4], 16).unwrap_or(0);
    wait_ms / 4 * share / 0x1_0000
}
