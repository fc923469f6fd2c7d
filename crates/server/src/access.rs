//! Who may call: tokens, their scopes, and what a browser on this machine may not do.
//!
//! Owns reading and checking tokens, the rules of a server without any, and the one gate of every route: who calls, and
//! whether they have the role. A token is 32 random bytes; only its digest is kept, so a file of tokens gives nobody
//! access. Users are `user`'s, their sessions `login`'s, what they did is `audit`'s.
//!
//! Invariants: while there are users or tokens, every route except `/healthz`, the app's files and logging in needs one;
//! digests are compared in constant time; a change with a cookie needs the session's second secret too; no token is ever
//! logged or printed twice.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::audit;
use crate::error::ApiError;
use crate::login::{CSRF_HEADER, same_secret};
use crate::role::{Role, Roles};
use crate::state::Server;

/// What a token allows. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Look at everything, evaluate flags, follow events.
    Read,
    /// Change flags and records, plan, apply, repair.
    Operate,
    /// Also approve plans and decide at gates.
    Approve,
    /// Everything.
    Admin,
}

impl Scope {
    /// Every scope, the narrowest first.
    pub const ALL: [Self; 4] = [Self::Read, Self::Operate, Self::Approve, Self::Admin];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Approve => "approve",
            Self::Admin => "admin",
        }
    }

    /// The role that a token of this scope has in every system.
    pub const fn role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Operate => Role::Operator,
            Self::Approve => Role::Approver,
            Self::Admin => Role::Admin,
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
            .ok_or_else(|| format!("`{text}` is no scope\nhint: read, operate, approve or admin"))
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

pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let plain = |sign: char| sign.is_alphanumeric() || "-_.@".contains(sign);
    if !name.is_empty() && name.len() <= 64 && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "`{name}` is no name of a user or a token\nhint: letters, digits, - _ . @, at most 64 of them"
    ))
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

    /// Each with its holder and scope.
    pub(crate) fn held(&self) -> impl Iterator<Item = (&str, Scope)> {
        self.0.iter().map(|token| (token.name.as_str(), token.scope))
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

/// How a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It is on this machine, and there are neither users nor tokens.
    Open,
    /// By a cookie.
    Session,
    /// By a token.
    Token,
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// As recorded in events.
    pub(crate) name: Arc<str>,
    /// What is allowed, by system.
    pub(crate) roles: Roles,
    /// How it is known.
    pub(crate) known: Known,
    /// What its page must send with each change.
    pub(crate) csrf: Option<String>,
}

impl Caller {
    /// Somebody who may do everything because nobody else can call.
    pub(crate) fn local(name: &str) -> Self {
        Self { name: name.into(), roles: Roles::everywhere(Role::Admin), known: Known::Open, csrf: None }
    }

    /// Whether the caller may see what belongs to a system.
    pub(crate) fn sees(&self, system: &str) -> bool {
        self.roles.on(system).is_some()
    }

    /// Refuses a caller who lacks a role in a system.
    ///
    /// # Errors
    /// 403, which says what is missing.
    pub(crate) fn must(&self, role: Role, system: &str) -> Result<(), ApiError> {
        if self.roles.on(system) >= Some(role) {
            return Ok(());
        }
        Err(lacks(role, self.roles.on(system), &format!("in `{system}`"), &self.name))
    }
}

fn lacks(role: Role, has: Option<Role>, place: &str, name: &str) -> ApiError {
    let has = has.map_or("no role", Role::as_str);
    ApiError::forbidden(format!("this needs the role `{role}` {place}, and {name} has {has}")).hint(format!(
        "an admin grants it: plimsoll user grant {name} {role}; a token is made with a wider --scope"
    ))
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needed {
    /// The role in the system that the path names.
    pub(crate) role: Role,
    /// Where the path names no system: whether the handler finds out which system it is about and asks
    /// [`Caller::must`]; otherwise the role is needed for every system.
    pub(crate) of_item: bool,
}

/// Lets a request through when its caller is known and has the role, and keeps on record who changed what.
pub(crate) async fn require(
    State((server, needed)): State<(Server, Needed)>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = authenticate(&server, request.method(), request.headers()).await?;
    let system = params.ok().and_then(|params| {
        params.iter().find(|(name, _)| *name == "system").map(|(_, value)| value.to_owned())
    });
    let record = (needed.role > Role::Viewer && !request.method().is_safe())
        .then(|| audit::Entry::begin(&caller, &request));
    let admitted = admit(&server, &caller, needed, system.as_deref());
    let answered = match admitted {
        Err(error) => Err(error),
        Ok(()) => pass(&server, caller, request, next, record.is_some()).await,
    };
    let Some(mut entry) = record else { return answered.map(|(response, _)| response) };
    let (response, reason) = answered.unwrap_or_else(|error| (error.into_response(), None));
    entry.end(response.status(), reason);
    audit::keep(&server, entry).await;
    Ok(response)
}

fn admit(server: &Server, caller: &Caller, needed: Needed, system: Option<&str>) -> Result<(), ApiError> {
    match system {
        Some(system) => caller.must(needed.role, system)?,
        None => {
            let anywhere = needed.of_item || needed.role == Role::Viewer;
            let has = if anywhere { caller.roles.widest() } else { caller.roles.on_all() };
            if has < Some(needed.role) {
                let place = if anywhere { "in some system" } else { "in every system" };
                return Err(lacks(needed.role, has, place, &caller.name));
            }
        }
    }
    server.rates.take(&caller.name)
}

/// Hands the request to its handler, with the reason that its body gives when it is to be kept on record.
async fn pass(
    server: &Server,
    caller: Caller,
    mut request: Request,
    next: Next,
    recorded: bool,
) -> Result<(Response, Option<String>), ApiError> {
    let mut reason = None;
    if recorded {
        (request, reason) = audit::reason_of(request, server.settings.limits.body_bytes).await?;
    }
    request.extensions_mut().insert(caller);
    Ok((next.run(request).await, reason))
}

async fn authenticate(server: &Server, method: &Method, headers: &HeaderMap) -> Result<Caller, ApiError> {
    // Programs may send a token all the same: clients of Unleash cannot do without.
    if server.settings.listen.ip().is_loopback()
        && server.settings.tokens.is_empty()
        && server.logins.users(&server.control).await?.is_empty()
    {
        refuse_strangers(method, headers)?;
        return Ok(server.local.clone());
    }
    if let Some(secret) = presented(headers) {
        let found = server.settings.tokens.find(secret).ok_or_else(|| {
            ApiError::unauthorized("this server does not know the token")
                .hint("PLIMSOLL_TOKENS_FILE names the file with the digests of tokens")
        })?;
        let roles = Roles::everywhere(found.scope.role());
        return Ok(Caller { name: found.name.as_str().into(), roles, known: Known::Token, csrf: None });
    }
    if let Some(logged_in) = server.logins.of(headers, &server.control).await? {
        let sent = headers.get(CSRF_HEADER).and_then(|sent| sent.to_str().ok()).unwrap_or_default();
        if !method.is_safe() && !same_secret(sent, &logged_in.csrf) {
            return Err(ApiError::new(
                axum::http::StatusCode::FORBIDDEN,
                "csrf",
                "a change by a browser needs the second secret of its session",
            )
            .hint("send what GET /api/v1/session says in `csrf` as the header x-csrf-token"));
        }
        return Ok(Caller {
            name: logged_in.user,
            roles: logged_in.roles,
            known: Known::Session,
            csrf: Some(logged_in.csrf),
        });
    }
    Err(ApiError::unauthorized("this server answers only who logged in or has a token")
        .hint("POST /api/v1/session, or send `Authorization: Bearer TOKEN` or `X-API-Key: TOKEN`"))
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
