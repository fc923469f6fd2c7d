//! The transport of remotes behind HTTP: one request, one answer, and what a missing answer means.
//!
//! Owns turning a status or a broken connection into an [`Answer`] or a [`Trouble`]. It deliberately repeats nothing,
//! follows no redirect, and does not know what is asked.
//!
//! A request that could not connect was certainly not applied. One that was sent and not answered, or answered with a
//! 5xx, may have been: an HTTP server may fail after its work is done (RFC 9110, section 9.2.2). One that was turned
//! away (3xx, 401, 403, 429) was not, as far as what answered knows: a proxy may have repeated it.
//!
//! Invariant: the token appears in the request and in no error, event or `Debug` text.

use std::fmt;
use std::time::Duration;

use serde_json::Value as Json;

use super::declare::Trouble;
use crate::error::EngineError;

/// The largest body that is read, in bytes.
const BODY_LIMIT: u64 = 32 << 20;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Writes.
    Put,
    /// Deletes.
    Delete,
}

/// An answer below 500 that is none of those that ask to wait or to show a right.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null when there is none.
    pub body: Json,
}

impl Answer {
    /// What the body says of an error, or the status.
    pub fn said(&self) -> String {
        let error = self.body.get("error");
        let text = error.and_then(|error| error.get("message").unwrap_or(error).as_str());
        text.map_or_else(
            || format!("HTTP {}", self.status),
            |text| format!("HTTP {}: {text:.300}", self.status),
        )
    }

    /// The short name of an error.
    pub fn code(&self) -> &str {
        self.body.get("error").and_then(|error| error.get("code")).and_then(Json::as_str).unwrap_or_default()
    }
}

/// Speaks JSON to one HTTP server.
pub struct JsonClient {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
}

impl fmt::Debug for JsonClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonClient").field("base", &self.base).finish_non_exhaustive()
    }
}

impl JsonClient {
    /// A client for the server at `base`; nothing is sent yet.
    ///
    /// # Errors
    /// Usage, when the address is not one.
    pub fn new(base: &str, token: Option<&str>, timeout: Duration) -> Result<Self, EngineError> {
        let base = base.trim().trim_end_matches('/');
        let rest = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        if host.is_empty() || base.contains(['?', '#', ' ', '@']) {
            return Err(EngineError::usage(
                "the remote's address cannot be used\nhint: give one like https://host/path, and the token apart from it",
            ));
        }
        let local = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .accept("application/json")
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")));
        if local {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().new_agent(), base: base.to_owned(), token: token.map(str::to_owned) })
    }

    /// Sends one request. `operation` goes along as `X-Operation-Id`.
    ///
    /// # Errors
    /// [`Trouble`], as the header of this module says.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        operation: Option<&str>,
        body: Option<&Json>,
    ) -> Result<Answer, Trouble> {
        let address = format!("{}/{path}", self.base);
        let method = match method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
        };
        let mut request = ureq::http::Request::builder().method(method).uri(&address);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(operation) = operation {
            request = request.header("x-operation-id", operation);
        }
        let sent = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body.to_string());
                request
                    .map_err(|_| unsendable())
                    .and_then(|request| self.agent.run(request).map_err(|e| broken(&e)))
            }
            None => {
                let request = request.body(());
                request
                    .map_err(|_| unsendable())
                    .and_then(|request| self.agent.run(request).map_err(|e| broken(&e)))
            }
        };
        let mut response = sent?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after_ms =
            header("retry-after").and_then(|text| milliseconds_to_wait(text, header("date")));
        let bytes = response.body_mut().with_config().limit(BODY_LIMIT).read_to_vec();
        let bytes = bytes.map_err(|error| Trouble::Unknown(format!("the answer broke off: {error}")))?;
        let body = if bytes.is_empty() { Ok(Json::Null) } else { serde_json::from_slice(&bytes) };
        let (body, unreadable) = match body {
            Ok(body) => (body, None),
            Err(error) => (Json::Null, Some(error.to_string())),
        };
        let answer = Answer { status, body };
        match (status, unreadable) {
            (429, _) => Err(Trouble::Busy { retry_after_ms }),
            (401 | 403, _) => Err(Trouble::Denied(answer.said())),
            // Moved, or not a server that we know.
            (300..=399, _) => {
                Err(Trouble::TurnedAway(format!("HTTP {status}, and redirects are not followed")))
            }
            (500.., _) => Err(Trouble::Unknown(answer.said())),
            (200..=299, Some(error)) => Err(Trouble::Unknown(format!("the answer is not JSON: {error}"))),
            _ => Ok(answer),
        }
    }
}

fn unsendable() -> Trouble {
    Trouble::NotSent(
        "the request could not be made: its address or a header has characters that HTTP forbids".into(),
    )
}

fn broken(error: &ureq::Error) -> Trouble {
    use ureq::Timeout;

    let what = error.to_string();
    match error {
        ureq::Error::BadUri(_)
        | ureq::Error::Http(_)
        | ureq::Error::InvalidProxyUrl
        | ureq::Error::HostNotFound
        | ureq::Error::ConnectionFailed
        | ureq::Error::Tls(_)
        | ureq::Error::ConnectProxyFailed(_)
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => Trouble::NotSent(what),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Trouble::NotSent(what)
        }
        _ => Trouble::Unknown(what),
    }
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110, section 10.2.3), which is compared with the server's own
/// `date`, because its clock and ours differ.
fn milliseconds_to_wait(text: &str, date: Option<&str>) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let (then, now) = (parser.parse_timestamp(text).ok()?, parser.parse_timestamp(date?).ok()?);
    let wait = then.duration_since(now).as_millis();
    Some(u64::try_from(wait).unwrap_or(0))
}

/// A text as a segment or parameter of an address: everything but letters, digits and `-._~` is encoded.
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
