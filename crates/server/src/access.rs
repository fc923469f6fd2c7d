//! Who may call: tokens, their scopes, and what a browser on this machine may not do.
//!
//! Owns reading and checking tokens, and the rules of a server without any. A token is 32 random bytes; only its
//! digest is kept, so a file of tokens gives nobody access. It deliberately does not own users, roles and sessions
//! of the web app: they will be further kinds of `Caller`.
//!
//! Invariants: while there are tokens, every route except `/healthz` needs one; digests are compared in constant time;
//! no token is ever logged or printed twice.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::error::ApiError;
use crate::state::Server;

/// What a token allows. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look at everything, evaluate flags, follow events.
    Read,
    /// Change flags, and records of linked systems.
    Operate,
    /// Everything.
    Admin,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no scope\nhint: read, operate or admin"))
    }
}

/// What every token begins with, so that one found in a log or a repository is recognized.
const TOKEN_PREFIX: &str = "plimsoll_";

/// One token as it is kept: who holds it, what it allows, and its digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Who holds it, as recorded in events.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    digest: blake3::Hash,
}

impl Token {
    /// A token for `name`, and its secret, which is known from here on to the caller only. `secret` is 32 random bytes
    /// as hexadecimal digits.
    ///
    /// # Errors
    /// A sentence, when the name has spaces or other signs that a line of tokens cannot hold.
    pub fn create(name: &str, scope: Scope, random: &str) -> Result<(Self, String), String> {
        check_name(name)?;
        let secret = format!("{TOKEN_PREFIX}{random}");
        Ok((Self { name: name.to_owned(), scope, digest: blake3::hash(secret.as_bytes()) }, secret))
    }
}

impl fmt::Display for Token {
    /// The line that a file of tokens holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} blake3:{}", self.name, self.scope, self.digest.to_hex())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({} {})", self.name, self.scope)
    }
}

impl FromStr for Token {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [name, scope, digest] = parts.as_slice() else {
            return Err("it has the form NAME SCOPE blake3:DIGEST".to_owned());
        };
        check_name(name)?;
        let digest = digest
            .strip_prefix("blake3:")
            .and_then(|hex| blake3::Hash::from_hex(hex).ok())
            .ok_or_else(|| "its third part is not blake3: and 64 hexadecimal digits".to_owned())?;
        Ok(Self { name: (*name).to_owned(), scope: scope.parse()?, digest })
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let plain = |sign: char| sign.is_alphanumeric() || "-_.@".contains(sign);
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!("`{name}` is no name of a token\nhint: letters, digits, - _ . @, at most 64 of them"))
}

/// Every token that the server accepts.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Reads lines of tokens; empty lines and those that begin with `#` say nothing. Lines may also be separated by `;`.
    ///
    /// # Errors
    /// A sentence with the number of the line that is wrong, and never its text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<Token> = Vec::new();
        for (at, line) in text.split(['\n', ';']).enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let token: Token = line.parse().map_err(|problem| format!("line {}: {problem}", at + 1))?;
            if tokens.iter().any(|known| known.name == token.name) {
                return Err(format!("line {}: there is a token named {} already", at + 1, token.name));
            }
            tokens.push(token);
        }
        Ok(Self(tokens))
    }

    /// The same tokens and those of `others`.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Who holds them.
    pub(crate) fn names(&self) -> impl Iterator<Item = Arc<str>> {
        self.0.iter().map(|token| token.name.as_str().into())
    }

    /// True when there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, secret: &str) -> Option<&Token> {
        let digest = blake3::hash(secret.as_bytes());
        // Comparing blake3 digests takes the same time whatever they are.
        self.0.iter().find(|token| token.digest == digest)
    }
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// As recorded in events.
    pub(crate) name: Arc<str>,
    /// What is allowed.
    pub(crate) scope: Scope,
}

/// Lets a request through when its caller is known and `scope` is allowed.
pub(crate) async fn require(
    State((server, scope)): State<(Server, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = authenticate(&server, request.method(), request.headers())?;
    if caller.scope < scope {
        return Err(ApiError::forbidden(format!(
            "this needs the scope `{scope}`, and the token has `{}`",
            caller.scope
        ))
        .hint(format!("plimsoll token create NAME --scope {scope}")));
    }
    server.rates.take(&caller.name)?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

fn authenticate(server: &Server, method: &Method, headers: &HeaderMap) -> Result<Caller, ApiError> {
    if server.settings.tokens.is_empty() {
        refuse_strangers(method, headers)?;
        return Ok(server.local.clone());
    }
    let secret = presented(headers).ok_or_else(|| {
        ApiError::unauthorized("this server answers only with a token")
            .hint("send it as `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`")
    })?;
    match server.settings.tokens.find(secret) {
        Some(token) => Ok(Caller { name: token.name.as_str().into(), scope: token.scope }),
        None => Err(ApiError::unauthorized("this server does not know the token")
            .hint("PLIMSOLL_TOKENS_FILE names the file with the digests of tokens")),
    }
}

/// The secret of a request. Unleash clients send it without the word Bearer.
fn presented(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let key = || headers.get("x-api-key").and_then(|value| value.to_str().ok());
    authorization.map(|text| text.strip_prefix("Bearer ").unwrap_or(text).trim()).or_else(key)
}

/// A server without tokens answers this machine only. A page in a browser runs on this machine too: it must not reach
/// the server through a name that was pointed at loopback, nor post to it from another origin.
fn refuse_strangers(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    let host = text(HOST).unwrap_or_default();
    if !is_loopback_name(host) {
        return Err(ApiError::forbidden("without tokens the server answers to the names of loopback only")
            .hint("call it as 127.0.0.1, [::1] or localhost"));
    }
    let foreign = text(ORIGIN).is_some_and(|origin| origin.split_once("://").map(|(_, at)| at) != Some(host));
    if foreign && !method.is_safe() {
        return Err(ApiError::forbidden("a page of another origin may not change anything here"));
    }
    Ok(())
}

fn is_loopback_name(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_by_its_secret_only() {
        let (token, secret) = Token::create("ci", Scope::Operate, &"ab".repeat(32)).unwrap();
        let line = token.to_string();
        assert!(!line.contains(&secret) && !format!("{token:?}").contains("blake3"), "{line}");
        let tokens = Tokens::parse(&format!("# who\n\n{line}\n")).unwrap();
        assert_eq!(tokens.find(&secret), Some(&token));
        assert_eq!(tokens.find("plimsoll_other"), None);
        assert_eq!(tokens.find(""), None);
    }

    #[test]
    fn wrong_lines_are_named_without_their_text() {
        let line = Token::create("a", Scope::Read, "00").unwrap().0.to_string();
        for (text, wrong) in [
            ("only-a-name", "line 1"),
            ("a root blake3:00", "blake3"),
            ("# fine\nb/c read blake3:00", "line 2"),
            (&*format!("{line};{line}"), "already"),
        ] {
            let problem = Tokens::parse(text).unwrap_err();
            assert!(problem.contains(wrong) && !problem.contains("only-a-name"), "{problem}");
        }
    }

    #[test]
    fn scopes_include_the_ones_before() {
        assert!(Scope::Read < Scope::Operate && Scope::Operate < Scope::Admin);
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }

    #[test]
    fn names_of_loopback() {
        for host in ["localhost", "localhost:8620", "127.0.0.1:1", "127.8.0.1", "[::1]:80", "[::1]"] {
            assert!(is_loopback_name(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:8620", "10.0.0.1", "127.0.0.1.evil.example", "[::2]:1"]
        {
            assert!(!is_loopback_name(host), "{host}");
        }
    }
}
