//! The links of the served systems: their stores, their remotes, and the rounds that somebody asks for.
//!
//! Owns one round at a time for each link - pull what changed, send what is due - in the pool for blocking work, and what
//! is told of the last one. A worker of another process may send at the same time: leases keep them apart. What a round
//! does is the engine's.
//!
//! Invariants: a round is told to stop after [`ROUND_LIMIT`] and when the server ends, and what it leaves stays due; the
//! remote's token is in the request to it and nowhere else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use plimsoll_core::clock::Clock;
use plimsoll_engine::cache::Cache;
use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::sync::round::{self, RemoteAddress, RoundReport, Task};
use plimsoll_engine::sync::worker::Pace;
use plimsoll_engine::{EngineError, ErrorKind, Session};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::access::Caller;
use crate::error::ApiError;
use crate::feed::{Feed, Following};
use crate::sessions::Sessions;
use crate::settings::ServedLink;

/// How long a round may take before it is told to stop.
pub(crate) const ROUND_LIMIT: Duration = Duration::from_secs(300);

/// A link with what the server keeps of it.
pub(crate) struct LinkState {
    pub(crate) linked: &'static LinkedSystem,
    pub(crate) store: Sessions,
    cache: Option<Arc<Cache>>,
    served: ServedLink,
    pace: Pace,
    rounds: watch::Sender<Rounds>,
    feed: Arc<Feed>,
}

/// The round that runs, and the one before it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Rounds {
    /// Counts the rounds that ended.
    pub(crate) ended: u64,
    /// The one that runs now.
    pub(crate) running: Option<Started>,
    /// The one that ended last.
    pub(crate) last: Option<Ended>,
}

/// A round that began.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Started {
    pub(crate) asked_by: Arc<str>,
    pub(crate) started_at: String,
}

/// A round that ended.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Ended {
    #[serde(flatten)]
    pub(crate) started: Started,
    pub(crate) ended_at: String,
    /// What it did, unless it failed.
    pub(crate) report: Option<RoundReport>,
    /// Why it failed.
    pub(crate) problem: Option<String>,
    /// The same, as whoever waits is answered.
    #[serde(skip)]
    error: Option<EngineError>,
}

impl LinkState {
    pub(crate) fn new(
        served: &ServedLink,
        store: Sessions,
        cache: Option<Arc<Cache>>,
        clock: &dyn Clock,
    ) -> Self {
        let rate = served.requests_per_second.unwrap_or_else(|| served.linked.link.requests_per_second());
        let now: Option<jiff::Timestamp> = clock.now().parse().ok();
        let now_ms = now.and_then(|now| u64::try_from(now.as_millisecond()).ok()).unwrap_or(0);
        Self {
            linked: served.linked,
            store,
            cache,
            served: served.clone(),
            pace: Pace::new(Some(rate).filter(|rate| *rate > 0), now_ms),
            rounds: watch::channel(Rounds::default()).0,
            feed: Arc::new(Feed::new()),
        }
    }

    /// Works on the link's store in the name of a caller.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut Session, &'static LinkedSystem) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let linked = self.linked;
        self.store.run(&caller.name, move |session| work(session, linked)).await
    }

    /// Follows what happens, behind an event or from now on.
    ///
    /// # Errors
    /// As [`Feed::follow`].
    pub(crate) async fn follow(
        &self,
        caller: &Caller,
        last: Option<String>,
        ending: watch::Receiver<bool>,
        room: OwnedSemaphorePermit,
    ) -> Result<Following, ApiError> {
        self.feed.follow((&self.store, self.linked), caller, last, ending, room).await
    }

    /// The cache of merged reads, where there is one.
    pub(crate) fn cache(&self) -> Option<Arc<Cache>> {
        self.cache.clone()
    }

    /// What is known of rounds.
    pub(crate) fn rounds(&self) -> Rounds {
        self.rounds.borrow().clone()
    }

    /// Whether this server knows where the remote is.
    pub(crate) fn has_remote(&self) -> bool {
        self.served.remote.is_some()
    }

    /// Begins a round and waits for its end, for so long at most. `None` when it still runs then; it goes on.
    ///
    /// # Errors
    /// 409 when one runs already, or the server does not know where the remote is; why the round failed, when it did.
    pub(crate) async fn go(
        self: &Arc<Self>,
        caller: &Caller,
        task: Task,
        started_at: String,
        ending: watch::Receiver<bool>,
        patience: Duration,
    ) -> Result<Option<Ended>, ApiError> {
        if !self.has_remote() {
            let name = self.linked.system.name;
            return Err(ApiError::from(EngineError::refused(format!(
                "this server does not know where the remote of `{name}` is\nhint: `sources.{name}` in plimsoll.toml, or \
                 let a worker do it: plimsoll sync {name} --watch"
            ))));
        }
        let started = Started { asked_by: Arc::clone(&caller.name), started_at };
        let mut ended = 0;
        let began = self.rounds.send_if_modified(|rounds| {
            ended = rounds.ended;
            let free = rounds.running.is_none();
            if free {
                rounds.running = Some(started.clone());
            }
            free
        });
        if !began {
            return Err(ApiError::from(EngineError::refused(
                "a round of this link runs already\nhint: GET of this address tells what came of it",
            )));
        }
        let mut rounds = self.rounds.subscribe();
        let link = Arc::clone(self);
        let caller = caller.clone();
        // It outlives the request: who stops waiting does not take a round back that has begun to send.
        tokio::spawn(async move {
            let end = link.round(&caller, started, task, ending).await;
            link.rounds.send_modify(|rounds| {
                rounds.ended += 1;
                rounds.running = None;
                rounds.last = Some(end);
            });
        });
        let over = rounds.wait_for(|rounds| rounds.ended > ended);
        match tokio::time::timeout(patience, over).await {
            Ok(Ok(rounds)) => match rounds.last.clone() {
                Some(Ended { error: Some(error), .. }) => Err(error.into()),
                ended => Ok(ended),
            },
            _ => Ok(None),
        }
    }

    async fn round(
        self: &Arc<Self>,
        caller: &Caller,
        started: Started,
        task: Task,
        mut ending: watch::Receiver<bool>,
    ) -> Ended {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let link = Arc::clone(self);
        let work = self.run(caller, move |session, linked| {
            let base = link.served.remote.as_deref().unwrap_or_default();
            let remote = RemoteAddress { base, token: link.served.token.as_deref() };
            let done = round::go(session, linked, remote, &link.pace, &task, &told);
            Ok((done, session.clock.now()))
        });
        let watch = async {
            tokio::select! {
                () = tokio::time::sleep(ROUND_LIMIT) => {}
                _ = ending.wait_for(|ending| *ending) => {}
            }
            stop.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        };
        let done = tokio::select! {
            done = work => done,
            () = watch => Err(ApiError::busy("the server is ending")),
        };
        let (report, error, ended_at) = match done {
            Ok((Ok(report), ended_at)) => (Some(report), None, ended_at),
            Ok((Err(error), ended_at)) => (None, Some(error), ended_at),
            Err(error) => {
                let error = EngineError::new(ErrorKind::Stopped, error.detail.into_owned());
                (None, Some(error), started.started_at.clone())
            }
        };
        // A database's own words stay here, as in every answer.
        let problem = error.clone().map(|error| {
            tracing::warn!(system = self.linked.system.name, error = %error.message, "a round failed");
            ApiError::from(error).detail.into_owned()
        });
        Ended { started, ended_at, report, problem, error }
    }
}
