//! Sessions of people who logged in with a browser.
//!
//! Owns the secrets of cookies (their digests only), how long a session lasts, the second secret that a page must send
//! with each change, and how often somebody may try a password. They live in this process: after a restart people log
//! in again. Who a user is and may do is asked of the control store, a second later at most.
//!
//! Invariants: a cookie is of no use after the idle or the absolute time; a name or a stranger who fails too often waits,
//! whether the name exists or not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use plimsoll_engine::clock::new_id;

use crate::error::ApiError;
use crate::role::Roles;
use crate::sessions::Sessions;
use crate::user::{self, User};

/// The cookie's name.
pub(crate) const COOKIE_NAME: &str = "plimsoll_session";
/// The header in which a page sends its second secret.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";
/// How old what is known of users may be.
const KNOWN_FOR: Duration = Duration::from_secs(1);
/// Wrong passwords that one name may have in [`WINDOW`], and all names together.
const TRIES: (usize, usize) = (8, 100);
const WINDOW: Duration = Duration::from_secs(60);
/// Sessions that are kept at once; the ones that were idle longest go first.
const MOST_SESSIONS: usize = 10_000;

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without any request.
    pub idle: Duration,
    /// From logging in on.
    pub absolute: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_secs(60 * 60), absolute: Duration::from_secs(12 * 60 * 60) }
    }
}

struct WebSession {
    user: Arc<str>,
    csrf: String,
    began: Instant,
    used: Instant,
}

/// A request that came with a good cookie.
#[derive(Debug, Clone)]
pub(crate) struct LoggedIn {
    pub(crate) user: Arc<str>,
    pub(crate) roles: Roles,
    pub(crate) csrf: String,
}

/// A session that just began: what the browser gets.
pub(crate) struct Begun {
    pub(crate) secret: String,
    pub(crate) csrf: String,
}

/// Every session, what is known of users, and who failed.
pub(crate) struct Logins {
    limits: SessionLimits,
    sessions: Mutex<HashMap<blake3::Hash, WebSession>>,
    users: Mutex<Option<(Instant, Arc<Vec<User>>)>>,
    failures: Mutex<Vec<(Instant, blake3::Hash)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while it was locked cannot have left a map half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secret() -> String {
    format!("{}{}", new_id(), new_id())
}

impl Logins {
    pub(crate) fn new(limits: SessionLimits) -> Self {
        Self { limits, sessions: Mutex::default(), users: Mutex::default(), failures: Mutex::default() }
    }

    /// The users, as they were a second ago at most.
    pub(crate) async fn users(&self, control: &Sessions) -> Result<Arc<Vec<User>>, ApiError> {
        if let Some((at, users)) = lock(&self.users).as_ref()
            && at.elapsed() < KNOWN_FOR
        {
            return Ok(Arc::clone(users));
        }
        let users = Arc::new(control.run("server", user::list).await?);
        *lock(&self.users) = Some((Instant::now(), Arc::clone(&users)));
        Ok(users)
    }

    /// Forgets what is known of users: one was changed.
    pub(crate) fn forget_users(&self) {
        *lock(&self.users) = None;
    }

    /// Ends every session of a user.
    pub(crate) fn end_all(&self, user: &str) {
        lock(&self.sessions).retain(|_, session| &*session.user != user);
    }

    /// The session that a request's cookie names, when it is still good.
    pub(crate) async fn of(
        &self,
        headers: &HeaderMap,
        control: &Sessions,
    ) -> Result<Option<LoggedIn>, ApiError> {
        let Some(secret) = cookie(headers) else { return Ok(None) };
        let Some((user, csrf)) = self.touch(secret) else { return Ok(None) };
        let users = self.users(control).await?;
        let known = users.iter().find(|known| *known.name == *user);
        Ok(known.map(|known| LoggedIn { user, roles: known.roles.clone(), csrf }))
    }

    fn touch(&self, secret: &str) -> Option<(Arc<str>, String)> {
        let digest = blake3::hash(secret.as_bytes());
        let mut sessions = lock(&self.sessions);
        let session = sessions.get_mut(&digest)?;
        if session.used.elapsed() >= self.limits.idle || session.began.elapsed() >= self.limits.absolute {
            sessions.remove(&digest);
            return None;
        }
        session.used = Instant::now();
        Some((Arc::clone(&session.user), session.csrf.clone()))
    }

    /// Begins a session of a user whose password was right.
    pub(crate) fn begin(&self, user: &str) -> Begun {
        let begun = Begun { secret: secret(), csrf: secret() };
        let now = Instant::now();
        let mut sessions = lock(&self.sessions);
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, session)| session.used).map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        let session = WebSession { user: user.into(), csrf: begun.csrf.clone(), began: now, used: now };
        sessions.insert(blake3::hash(begun.secret.as_bytes()), session);
        begun
    }

    /// Ends the session that a request's cookie names.
    pub(crate) fn end(&self, headers: &HeaderMap) {
        if let Some(secret) = cookie(headers) {
            lock(&self.sessions).remove(&blake3::hash(secret.as_bytes()));
        }
    }

    /// Whether a password may be tried for a name.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub(crate) fn may_try(&self, name: &str) -> Result<(), ApiError> {
        let mut failures = lock(&self.failures);
        failures.retain(|(at, _)| at.elapsed() < WINDOW);
        let digest = blake3::hash(name.as_bytes());
        let own = failures.iter().filter(|(_, failed)| *failed == digest);
        let oldest = match (own.clone().count() >= TRIES.0, failures.len() >= TRIES.1) {
            (true, _) => own.map(|(at, _)| *at).min(),
            (false, true) => failures.iter().map(|(at, _)| *at).min(),
            (false, false) => return Ok(()),
        };
        let wait = oldest.map_or(WINDOW, |at| WINDOW.saturating_sub(at.elapsed()));
        Err(ApiError::too_many(wait.as_secs().max(1)))
    }

    /// Notes a wrong password.
    pub(crate) fn failed(&self, name: &str) {
        lock(&self.failures).push((Instant::now(), blake3::hash(name.as_bytes())));
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|one| one.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

/// Compares two secrets in the same time whatever they are.
pub(crate) fn same_secret(a: &str, b: &str) -> bool {
    blake3::hash(a.as_bytes()) == blake3::hash(b.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn with(secret: &str) -> HeaderMap {
        let text = format!("theme=dark; {COOKIE_NAME}={secret}");
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(&text).unwrap())])
    }

    #[test]
    fn a_session_ends_when_it_is_idle_old_or_logged_out() {
        let logins = |idle, absolute| {
            Logins::new(SessionLimits {
                idle: Duration::from_secs(idle),
                absolute: Duration::from_secs(absolute),
            })
        };
        let lasting = logins(60, 60);
        let begun = lasting.begin("ann");
        assert!(lasting.touch(cookie(&with(&begun.secret)).unwrap()).is_some());
        assert!(lasting.touch("other").is_none());
        lasting.end(&with(&begun.secret));
        assert!(lasting.touch(&begun.secret).is_none());
        for gone in [logins(0, 60), logins(60, 0)] {
            let begun = gone.begin("ann");
            assert!(gone.touch(&begun.secret).is_none());
        }
    }

    #[test]
    fn a_name_that_fails_too_often_waits_and_others_do_not() {
        let logins = Logins::new(SessionLimits::default());
        for _ in 0..TRIES.0 {
            logins.may_try("ann").unwrap();
            logins.failed("ann");
        }
        assert!(logins.may_try("ann").is_err() && logins.may_try("bob").is_ok());
    }
}
