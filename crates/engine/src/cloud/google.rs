//! Google's object storage, by its JSON API (version 1).
//!
//! Owns access tokens and the five requests that [`Bucket`] needs. Sources of the rules: Google's "Cloud Storage JSON API"
//! (`/storage/v1/b`, `/upload/storage/v1/b`, the precondition `ifGenerationMatch=0`) and "Instance metadata" (the header
//! `Metadata-Flavor: Google`, the path of the default service account's token). Addresses are settings, so that a stand-in
//! can answer.
//!
//! Invariants: a token is in requests to the storage and nowhere else; no redirect is followed, because it would go with it.

use std::time::Duration;

use plimsoll_core::clock::Clock;
use serde::Deserialize;
use serde_json::Value as Json;
use ureq::http::{Request, Response};

use super::{Bucket, Object};
use crate::error::{EngineError, ErrorKind};

/// Where the storage is unless set otherwise.
pub const STORAGE: &str = "https://storage.googleapis.com";
/// Where the machine's identity is unless set otherwise: a name that only Google's machines resolve.
pub const METADATA: &str = "http://metadata.google.internal";

/// A token that ends sooner than this is not used any more, in seconds.
const LEAST_SECONDS: u64 = 60;
/// The largest object that is read, in bytes.
const LARGEST: u64 = 4 * 1024 * 1024 * 1024;

/// Where a token comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// The service account that is attached to this machine; the address of its metadata.
    Machine(String),
    /// An access token of the caller's, such as `gcloud auth print-access-token` prints.
    Token(String),
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Machine(_) => "Machine",
            Self::Token(_) => "Token(***)",
        })
    }
}

/// Which bucket, where, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoogleSettings {
    /// The bucket's name.
    pub bucket: String,
    /// The storage's address.
    pub storage: String,
    /// As whom.
    pub credential: Credential,
}

/// A bucket.
pub struct GoogleBucket<'clock> {
    settings: GoogleSettings,
    agent: ureq::Agent,
    clock: &'clock dyn Clock,
    /// The token and when it ends, on the monotonic clock.
    token: Option<(String, u64)>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    items: Vec<Listed>,
    #[serde(rename = "nextPageToken")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    /// The API writes 64-bit numbers as texts.
    size: String,
    #[serde(default)]
    updated: String,
}

impl<'clock> GoogleBucket<'clock> {
    /// A bucket. Nothing is asked yet.
    ///
    /// # Errors
    /// Usage when the bucket's name or an address cannot be one.
    pub fn new(settings: GoogleSettings, clock: &'clock dyn Clock) -> Result<Self, EngineError> {
        let plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || "-_.".contains(sign);
        if !(3..=222).contains(&settings.bucket.len()) || !settings.bucket.chars().all(plain) {
            return Err(EngineError::usage(format!(
                "`{}` is no name of a bucket\nhint: small letters, digits, - _ . in `bucket` of [cloud]",
                settings.bucket
            )));
        }
        let machine = match &settings.credential {
            Credential::Machine(address) => Some(address),
            Credential::Token(_) => None,
        };
        for address in [Some(&settings.storage), machine].into_iter().flatten() {
            if !address.starts_with("https://") && !address.starts_with("http://") {
                return Err(EngineError::usage(format!(
                    "`{address}` does not begin with https:// or http://\nhint: `storage` and `metadata` of [cloud]"
                )));
            }
        }
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("plimsoll/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { settings, agent: config.new_agent(), clock, token: None })
    }

    fn token(&mut self) -> Result<String, EngineError> {
        let address = match &self.settings.credential {
            Credential::Token(token) => return Ok(token.clone()),
            Credential::Machine(address) => address.trim_end_matches('/').to_owned(),
        };
        let now = self.clock.monotonic_ms();
        if let Some((token, ends)) = &self.token
            && now + LEAST_SECONDS * 1_000 < *ends
        {
            return Ok(token.clone());
        }
        let path = "computeMetadata/v1/instance/service-accounts/default/token";
        let asked = self.agent.get(format!("{address}/{path}")).header("metadata-flavor", "Google").call();
        let mut answer = asked.map_err(|error| {
            source(format!(
                "this machine's identity cannot be asked at {address}: {error}\nhint: attach a service account to the machine, \
                 or set PLIMSOLL_CLOUD_TOKEN_FILE to a file with an access token"
            ))
        })?;
        if !answer.status().is_success() {
            return Err(source(format!(
                "{address} answers {} to the question for a token\nhint: attach a service account to the machine",
                answer.status()
            )));
        }
        let text =
            answer.body_mut().read_to_string().map_err(|error| source(format!("{address}: {error}")))?;
        // The text holds the token, so it is in no message.
        let token: TokenAnswer = serde_json::from_str(&text)
            .map_err(|_| source(format!("{address} answers something else than a token")))?;
        self.token = Some((token.access_token.clone(), now + token.expires_in * 1_000));
        Ok(token.access_token)
    }

    fn address(&self, path: &str) -> String {
        let storage = self.settings.storage.trim_end_matches('/');
        format!("{storage}{path}")
    }

    fn object(&self, name: &str) -> String {
        self.address(&format!("/storage/v1/b/{}/o/{}", self.settings.bucket, escape(name)))
    }

    fn send(
        &mut self,
        method: &str,
        address: &str,
        body: Option<&[u8]>,
    ) -> Result<Response<ureq::Body>, EngineError> {
        let token = self.token()?;
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/octet-stream");
        let built = |error: ureq::http::Error| EngineError::usage(format!("{address}: {error}"));
        let sent = match body {
            Some(bytes) => self.agent.run(request.body(bytes).map_err(built)?),
            None => self.agent.run(request.body(()).map_err(built)?),
        };
        sent.map_err(|error| {
            source(format!(
                "{} cannot be reached: {error}\nhint: `storage` of [cloud], and this machine's way out",
                self.settings.storage
            ))
        })
    }

    /// What an answer that is none of the expected ones means.
    fn refusal(&self, mut answer: Response<ureq::Body>, what: &str) -> EngineError {
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        let said: Option<Json> = serde_json::from_str(&text).ok();
        let said = said.as_ref().and_then(|said| said["error"]["message"].as_str()).unwrap_or_default();
        let bucket = &self.settings.bucket;
        let hint = match status {
            401 => "the token is not accepted: get a new one, or attach a service account to the machine",
            403 => "give the service account the role of an object user on the bucket",
            404 => "`bucket` of [cloud] names it; was it made?",
            429 | 500.. => "the provider is busy; try again",
            _ => "docs/guide/cloud.md tells what is needed",
        };
        source(format!("{what} in bucket `{bucket}`: {status} {said}\nhint: {hint}"))
    }
}

impl Bucket for GoogleBucket<'_> {
    fn name(&self) -> String {
        format!("bucket `{}` at {}", self.settings.bucket, self.settings.storage)
    }

    fn credential_seconds(&mut self) -> Result<u64, EngineError> {
        self.token()?;
        let now = self.clock.monotonic_ms();
        // How long a caller's own token is good for, only the provider knows.
        Ok(self.token.as_ref().map_or(0, |(_, ends)| ends.saturating_sub(now) / 1_000))
    }

    fn look(&mut self) -> Result<(), EngineError> {
        let address = self.address(&format!("/storage/v1/b/{}", self.settings.bucket));
        let answer = self.send("GET", &address, None)?;
        if answer.status().is_success() { Ok(()) } else { Err(self.refusal(answer, "looking")) }
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
        let address = self.address(&format!(
            "/upload/storage/v1/b/{}/o?uploadType=media&ifGenerationMatch=0&name={}",
            self.settings.bucket,
            escape(name)
        ));
        let answer = self.send("POST", &address, Some(bytes))?;
        match answer.status().as_u16() {
            200 => Ok(()),
            412 => Err(EngineError::refused(format!(
                "bucket `{}` has `{name}` already, and nothing is overwritten\nhint: give it another name",
                self.settings.bucket
            ))),
            _ => Err(self.refusal(answer, &format!("writing `{name}`"))),
        }
    }

    fn get(&mut self, name: &str) -> Result<Vec<u8>, EngineError> {
        let address = format!("{}?alt=media", self.object(name));
        let mut answer = self.send("GET", &address, None)?;
        match answer.status().as_u16() {
            200 => answer
                .body_mut()
                .with_config()
                .limit(LARGEST)
                .read_to_vec()
                .map_err(|error| source(format!("reading `{name}`: {error}\nhint: try again"))),
            404 => Err(none(name, &self.settings.bucket)),
            _ => Err(self.refusal(answer, &format!("reading `{name}`"))),
        }
    }

    fn delete(&mut self, name: &str) -> Result<(), EngineError> {
        let address = self.object(name);
        let answer = self.send("DELETE", &address, None)?;
        match answer.status().as_u16() {
            200 | 204 => Ok(()),
            404 => Err(none(name, &self.settings.bucket)),
            _ => Err(self.refusal(answer, &format!("taking `{name}` away"))),
        }
    }

    fn list(&mut self, prefix: &str) -> Result<Vec<Object>, EngineError> {
        let mut found = Vec::new();
        let mut page = String::new();
        loop {
            let path = format!("/storage/v1/b/{}/o?prefix={}{page}", self.settings.bucket, escape(prefix));
            let address = self.address(&path);
            let mut answer = self.send("GET", &address, None)?;
            if !answer.status().is_success() {
                return Err(self.refusal(answer, "listing"));
            }
            let text =
                answer.body_mut().read_to_string().map_err(|error| source(format!("listing: {error}")))?;
            let listing: Listing = serde_json::from_str(&text)
                .map_err(|error| source(format!("listing: this is no answer of the storage: {error}")))?;
            for one in listing.items {
                let bytes = one.size.parse().map_err(|_| source(format!("`{}` has no size", one.name)))?;
                found.push(Object { name: one.name, bytes, updated: one.updated });
            }
            match listing.next {
                Some(next) => page = format!("&pageToken={}", escape(&next)),
                None => return Ok(found),
            }
        }
    }
}

fn source(message: String) -> EngineError {
    EngineError::new(ErrorKind::Source, message)
}

fn none(name: &str, bucket: &str) -> EngineError {
    EngineError::usage(format!("bucket `{bucket}` has no `{name}`\nhint: plimsoll cloud list"))
}

/// A name as a part of a path or query: everything but letters, digits and `-_.~` by its bytes (RFC 3986, 2.1).
fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::MachineClock;

    #[test]
    fn names_are_escaped_and_bad_settings_are_named() {
        assert_eq!(escape("a/b c.db"), "a%2Fb%20c.db");
        let clock = MachineClock::new();
        let settings = |bucket: &str, storage: &str| GoogleSettings {
            bucket: bucket.into(),
            storage: storage.into(),
            credential: Credential::Token("secret".into()),
        };
        let refused = |bucket, storage| {
            GoogleBucket::new(settings(bucket, storage), &clock).err().map(|error| error.message)
        };
        assert!(refused("Großer Eimer", STORAGE).unwrap().contains("no name of a bucket"));
        assert!(refused("bucket", "storage").unwrap().contains("`storage` and `metadata`"));
        assert_eq!(refused("my-bucket", STORAGE), None);
        assert!(!format!("{:?}", settings("my-bucket", STORAGE)).contains("secret"));
    }
}
