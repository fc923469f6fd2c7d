//! An optional cache in Redis, beside a store.
//!
//! Owns the connection, its time limits, and the counting of hits and misses. What is kept under which key is the
//! caller's.
//!
//! Invariants:
//! - It is never the source of truth: every question may be answered with "nothing", and whoever asks then goes to the
//!   store. Losing the cache loses nothing.
//! - It never makes anything slow that it is there to speed up: a server that does not answer within [`PATIENCE`] is
//!   left alone for [`PAUSE`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::Commands;

use crate::error::EngineError;

/// How long the server may take to be reached, and to answer.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// How long a server that failed is left alone.
pub const PAUSE: Duration = Duration::from_secs(1);

/// How often the cache was asked, by what came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// It had what was asked for.
    pub hits: u64,
    /// It had not.
    pub misses: u64,
    /// It could not be asked, or was left alone after a failure.
    pub failures: u64,
}

/// A cache. One connection, used by one thread at a time.
pub struct Cache {
    client: redis::Client,
    connection: Mutex<Connection>,
    hits: AtomicU64,
    misses: AtomicU64,
    failures: AtomicU64,
}

#[derive(Default)]
struct Connection {
    open: Option<redis::Connection>,
    left_alone_until: Option<Instant>,
}

impl std::fmt::Debug for Cache {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Cache {
    /// A cache at `address`, such as `redis://127.0.0.1:6379/0`. Nothing is connected yet.
    ///
    /// # Errors
    /// Usage, when it is no address of Redis. The address itself is not repeated: it may hold a password.
    pub fn at(address: &str) -> Result<Self, EngineError> {
        let client = redis::Client::open(address).map_err(|error| {
            EngineError::usage(format!(
                "this is no address of Redis: {error}\nhint: redis://HOST:PORT/DATABASE"
            ))
        })?;
        Ok(Self {
            client,
            connection: Mutex::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        })
    }

    /// What is kept under `key`, when there is something and the server answers.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.ask(|connection| connection.get::<_, Option<Vec<u8>>>(key));
        let counter = match &answer {
            Some(Some(_)) => &self.hits,
            Some(None) => &self.misses,
            None => &self.failures,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        answer.flatten()
    }

    /// Keeps `bytes` under `key` for `keep`. That it could not be kept is no error.
    pub fn put(&self, key: &str, bytes: &[u8], keep: Duration) {
        // A key without an end would stay for ever.
        let seconds = keep.as_secs().max(1);
        let kept = self.ask(|connection| connection.set_ex::<_, _, ()>(key, bytes, seconds));
        if kept.is_none() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Forgets what is kept under `key`.
    pub fn remove(&self, key: &str) {
        if self.ask(|connection| connection.del::<_, ()>(key)).is_none() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it was asked, and what came of it.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    fn ask<T>(&self, question: impl FnOnce(&mut redis::Connection) -> redis::RedisResult<T>) -> Option<T> {
        // A panic in the middle of a question leaves a connection that may be out of step.
        let mut connection = self.connection.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut connection = poisoned.into_inner();
            *connection = Connection::default();
            connection
        });
        if connection.left_alone_until.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let answer = self.connected(&mut connection).and_then(question);
        match answer {
            Ok(answer) => {
                connection.left_alone_until = None;
                Some(answer)
            }
            Err(error) => {
                tracing::warn!(%error, "the cache does not answer; the store is asked instead");
                *connection = Connection { open: None, left_alone_until: Some(Instant::now() + PAUSE) };
                None
            }
        }
    }

    fn connected<'a>(&self, connection: &'a mut Connection) -> redis::RedisResult<&'a mut redis::Connection> {
        if connection.open.is_none() {
            let opened = self.client.get_connection_with_timeout(PATIENCE)?;
            opened.set_read_timeout(Some(PATIENCE))?;
            opened.set_write_timeout(Some(PATIENCE))?;
            connection.open = Some(opened);
        }
        let missing = || redis::RedisError::from((redis::ErrorKind::Client, "there is no connection"));
        connection.open.as_mut().ok_or_else(missing)
    }
}
