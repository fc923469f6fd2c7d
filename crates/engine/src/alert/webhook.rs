//! The transport: one `POST` of JSON to a Slack-compatible webhook.
//!
//! Owns the request, its time limits, and what an answer means. It does not repeat: the outbox does. Whoever knows
//! the address of a webhook can write to its channel, so the address is a secret.

use std::fmt;
use std::time::Duration;

use crate::error::EngineError;

/// The address of a webhook. It does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Reads an address; white space around it, as files have it, is dropped.
    ///
    /// # Errors
    /// Usage when it is not an `http` or `https` address. The message does not repeat it.
    pub fn read(text: &str) -> Result<Self, EngineError> {
        let text = text.trim();
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(EngineError::usage(
                "the webhook's address does not start with https:// or http://\nhint: it comes from PLIMSOLL_ALERT_WEBHOOK, or from the file that PLIMSOLL_ALERT_WEBHOOK_FILE names",
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}

/// Why a receiver did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What happened, without the address.
    pub why: String,
    /// How long the receiver asks us to wait, in milliseconds.
    pub wait_ms: Option<i64>,
}

/// The way to a receiver.
pub trait Transport {
    /// Hands one message over.
    ///
    /// # Errors
    /// [`Refusal`]; the message may have arrived nevertheless.
    fn post(&self, body: &str) -> Result<(), Refusal>;
}

/// A webhook behind HTTP.
#[derive(Debug)]
pub struct Webhook {
    address: Address,
    agent: ureq::Agent,
}

impl Webhook {
    /// A webhook: 5 s to connect, 15 s in all, no redirects, because the message would go with them.
    pub fn new(address: Address) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(Duration::from_secs(15)))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { address, agent: config.new_agent() }
    }
}

impl Transport for Webhook {
    fn post(&self, body: &str) -> Result<(), Refusal> {
        let sent = self.agent.post(&self.address.0).content_type("application/json").send(body);
        // The library's errors may name the address, so only their kind is kept.
        let answer = sent.map_err(|error| Refusal { why: kind_of(&error).to_owned(), wait_ms: None })?;
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let seconds =
            answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
        Err(Refusal {
            why: format!("the receiver answered {status}"),
            wait_ms: seconds.map(|seconds| seconds.clamp(0, 86_400) * 1_000),
        })
    }
}

fn kind_of(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "the receiver did not answer in time",
        ureq::Error::HostNotFound => "the receiver's host was not found",
        ureq::Error::ConnectionFailed => "the receiver cannot be reached",
        ureq::Error::Tls(_) => "the receiver's certificate was not accepted",
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => "the webhook's address is not one",
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "the receiver refuses connections"
        }
        _ => "the connection to the receiver broke",
    }
}
