//! Live events of a link: one look at the store for everybody who follows it.
//!
//! Owns the task that looks every [`EVERY`] while somebody follows, and each follower's stream. Events are found in the
//! store, so what the command or a worker of another process does arrives too. What an event is, is the engine's
//! (`sync::events`).
//!
//! Invariants: a follower gets each event once, those that happened between its question and the first look included; one
//! that is more than [`BEHIND`] events behind is sent away and may come back with the last id that it saw; nothing is
//! kept for anybody beyond that.

use std::sync::Arc;
use std::time::Duration;

use axum::response::sse;
use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::sync::events::{Follower, Found, SyncEvent};
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use crate::access::Caller;
use crate::error::ApiError;
use crate::sessions::Sessions;

/// How often the store is asked while somebody follows.
pub(crate) const EVERY: Duration = Duration::from_millis(250);
/// How long a store that failed is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Events that a follower may lag behind.
const BEHIND: usize = 1_024;

/// One event, as it goes out.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    id: Arc<str>,
    kind: Arc<str>,
    data: Arc<str>,
}

impl Notice {
    fn of(event: &SyncEvent) -> Result<Self, serde_json::Error> {
        let data = serde_json::to_string(event)?.into();
        Ok(Self { id: event.id.as_str().into(), kind: event.kind.as_str().into(), data })
    }

    /// There were too many to tell: look at everything again.
    fn reset(at: &str) -> Self {
        let id = format!("{at}/reset");
        let data = serde_json::json!({ "id": id, "at": at, "kind": "reset" }).to_string().into();
        Self { id: id.into(), kind: "reset".into(), data }
    }

    pub(crate) fn frame(&self) -> sse::Event {
        sse::Event::default().id(&*self.id).event(&*self.kind).data(&*self.data)
    }
}

fn notices(found: &Found) -> Result<Vec<Notice>, serde_json::Error> {
    match found {
        Found::Events(events) => events.iter().map(Notice::of).collect(),
        Found::TooMany(at) => Ok(vec![Notice::reset(at)]),
    }
}

/// Whoever follows one link.
pub(crate) struct Feed {
    live: broadcast::Sender<Notice>,
    /// True while the task looks and knows where it began.
    looking: watch::Sender<Looking>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Looking {
    No,
    Begins,
    Yes,
}

/// One follower: first what it missed, then what comes.
pub(crate) struct Following {
    missed: std::vec::IntoIter<Notice>,
    place: Follower,
    live: broadcast::Receiver<Notice>,
    ending: watch::Receiver<bool>,
    _room: OwnedSemaphorePermit,
}

impl Following {
    /// The next notice; `None` when the follower is too far behind, or the server ends.
    pub(crate) async fn next(&mut self) -> Option<Notice> {
        if let Some(notice) = self.missed.next() {
            return Some(notice);
        }
        loop {
            let notice = tokio::select! {
                notice = self.live.recv() => notice.ok()?,
                _ = self.ending.wait_for(|ending| *ending) => return None,
            };
            // What was told as missed comes once more.
            if self.place.is_new(&notice.id) {
                return Some(notice);
            }
        }
    }
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { live: broadcast::channel(BEHIND).0, looking: watch::channel(Looking::No).0 }
    }

    /// Follows the link, behind the event with the id `last` or from now on.
    ///
    /// # Errors
    /// Usage when `last` is no id; what the store says.
    pub(crate) async fn follow(
        self: &Arc<Self>,
        (store, linked): (&Sessions, &'static LinkedSystem),
        caller: &Caller,
        last: Option<String>,
        ending: watch::Receiver<bool>,
        room: OwnedSemaphorePermit,
    ) -> Result<Following, ApiError> {
        let mut place = match last {
            Some(last) => Follower::after(&last)?,
            None => store.run(&caller.name, |session| Follower::now(session, linked.link)).await?,
        };
        let live = self.live.subscribe();
        self.begin(store.clone(), linked, ending.clone()).await?;
        // From here on everything new arrives live; what happened since the question is looked up.
        let (place, found) = store
            .run(&caller.name, move |session| {
                let found = place.look(session, linked.link)?;
                Ok((place, found))
            })
            .await?;
        let missed = notices(&found).map_err(|error| ApiError::internal(error.to_string()))?.into_iter();
        Ok(Following { missed, place, live, ending, _room: room })
    }

    /// Returns once the task looks.
    async fn begin(
        self: &Arc<Self>,
        store: Sessions,
        linked: &'static LinkedSystem,
        ending: watch::Receiver<bool>,
    ) -> Result<(), ApiError> {
        let started = self.looking.send_if_modified(|looking| {
            let idle = *looking == Looking::No;
            if idle {
                *looking = Looking::Begins;
            }
            idle
        });
        let mut looking = self.looking.subscribe();
        if started {
            let feed = Arc::clone(self);
            tokio::spawn(async move { feed.look(store, linked, ending).await });
        }
        let begun = looking.wait_for(|looking| *looking != Looking::Begins).await;
        match begun.map(|looking| *looking) {
            Ok(Looking::Yes) => Ok(()),
            _ => Err(ApiError::busy("the link's store cannot be read now")),
        }
    }

    async fn look(
        self: Arc<Self>,
        store: Sessions,
        linked: &'static LinkedSystem,
        ending: watch::Receiver<bool>,
    ) {
        let begun = store.run("server", |session| Follower::now(session, linked.link)).await;
        let Ok(mut place) = begun else {
            self.looking.send_replace(Looking::No);
            return;
        };
        self.looking.send_replace(Looking::Yes);
        let mut failing = false;
        while !*ending.borrow() {
            tokio::time::sleep(if failing { AFTER_FAILURE } else { EVERY }).await;
            // Decided under the lock of `looking`, so that who comes now finds the task either looking or gone.
            let alone = self.looking.send_if_modified(|looking| {
                let alone = self.live.receiver_count() == 0;
                if alone {
                    *looking = Looking::No;
                }
                alone
            });
            if alone {
                return;
            }
            let mut next = place.clone();
            let looked = store.run("server", move |session| {
                let found = next.look(session, linked.link)?;
                Ok((next, found))
            });
            match looked.await {
                Ok((next, found)) => {
                    failing = false;
                    place = next;
                    for notice in notices(&found).unwrap_or_default() {
                        // Nobody listening is not a failure.
                        drop(self.live.send(notice));
                    }
                }
                Err(error) => {
                    if !failing {
                        tracing::error!(system = linked.system.name, error = %error.detail, "events cannot be read");
                    }
                    failing = true;
                }
            }
        }
        self.looking.send_replace(Looking::No);
    }
}
