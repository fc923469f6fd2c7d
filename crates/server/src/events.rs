//! Events pushed to clients: numbered, kept for a while, and repeated to whoever missed some.
//!
//! Owns one stream of events with its memory. A client that reconnects with the last number it saw gets every later
//! event in order; where the memory does not reach back that far it gets the newest event alone, which is enough
//! because an event says "look again" and carries no state of its own. It does not own who listens (`clients` does).
//!
//! Invariants: numbers only grow; no event is lost between the repeated ones and the live ones, because both are taken
//! under one lock.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

/// Events remembered, and events that a slow client may lag behind.
const MEMORY: usize = 1_024;

/// One event, as text that goes out unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its number.
    pub(crate) id: u64,
    /// Its data, one line of JSON.
    pub(crate) data: std::sync::Arc<str>,
}

/// A stream of events.
#[derive(Debug)]
pub(crate) struct Hub {
    memory: Mutex<VecDeque<Event>>,
    live: broadcast::Sender<Event>,
}

/// What a client gets: first these, then what comes.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// Events that it missed.
    pub(crate) missed: VecDeque<Event>,
    /// Events to come.
    pub(crate) live: broadcast::Receiver<Event>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self { memory: Mutex::default(), live: broadcast::channel(MEMORY).0 }
    }

    /// Sends an event to everybody. Events whose number is not above the last are dropped: they were sent already.
    pub(crate) fn publish(&self, event: Event) -> bool {
        let mut memory = self.lock();
        if memory.back().is_some_and(|last| last.id >= event.id) {
            return false;
        }
        if memory.len() == MEMORY {
            memory.pop_front();
        }
        memory.push_back(event.clone());
        // Nobody listening is not a failure.
        drop(self.live.send(event));
        true
    }

    /// Follows the stream. `last` is the number of the last event that the client saw; without one it gets only what
    /// comes.
    pub(crate) fn subscribe(&self, last: Option<u64>) -> Subscription {
        let memory = self.lock();
        let live = self.live.subscribe();
        let missed = match (last, memory.front(), memory.back()) {
            (Some(last), Some(first), Some(newest)) => {
                if last + 1 >= first.id {
                    memory.iter().filter(|event| event.id > last).cloned().collect()
                } else {
                    VecDeque::from([newest.clone()])
                }
            }
            _ => VecDeque::new(),
        };
        Subscription { missed, live }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// The next event; `None` when the stream has ended. A client that is too slow for the memory goes on with the
    /// oldest event that is still there.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.missed.pop_front() {
            return Some(event);
        }
        loop {
            match self.live.recv().await {
                Ok(event) => return Some(event),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: u64) -> Event {
        Event { id, data: format!("{id}").into() }
    }

    fn ids(events: &VecDeque<Event>) -> Vec<u64> {
        events.iter().map(|event| event.id).collect()
    }

    #[test]
    fn a_client_gets_exactly_what_it_missed() {
        let hub = Hub::new();
        for id in [3, 4, 7] {
            assert!(hub.publish(event(id)));
        }
        assert!(!hub.publish(event(7)), "sent already");
        assert_eq!(ids(&hub.subscribe(Some(2)).missed), [3, 4, 7]);
        assert_eq!(ids(&hub.subscribe(Some(4)).missed), [7]);
        assert_eq!(ids(&hub.subscribe(Some(7)).missed), [0; 0]);
        assert_eq!(ids(&hub.subscribe(None).missed), [0; 0]);
        assert_eq!(ids(&hub.subscribe(Some(1)).missed), [7], "too long ago: the newest alone");
    }

    #[tokio::test]
    async fn nothing_is_lost_between_the_past_and_the_present() {
        let hub = Hub::new();
        hub.publish(event(1));
        let mut subscription = hub.subscribe(Some(0));
        hub.publish(event(2));
        assert_eq!(subscription.next().await.map(|event| event.id), Some(1));
        assert_eq!(subscription.next().await.map(|event| event.id), Some(2));
        drop(hub);
        assert_eq!(subscription.next().await, None);
    }
}
