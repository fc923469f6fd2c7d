//! Who follows the flags, and who has said that a change has arrived.
//!
//! Owns the list of connected clients and, for each version of the flags that was pushed, a wave: the clients that were
//! connected at that moment and when each acknowledged. What is reported is measured on this process's monotonic
//! clock. A client that does not acknowledge - because it never said it would, has gone, or is late - is listed by
//! name and never counted.
//!
//! Invariant: a wave and its event begin under one lock, as do a client and its subscription, so a client is in a wave
//! if and only if it was sent the event.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::events::{Event, Hub, Subscription};

/// Waves remembered.
const WAVES: usize = 64;

/// The clients that follow the flags.
#[derive(Debug)]
pub(crate) struct Clients {
    hub: Hub,
    state: Mutex<State>,
    /// Counts acknowledgements and departures, so that whoever waits looks again.
    changed: watch::Sender<u64>,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    last_number: u64,
    connected: BTreeMap<u64, Client>,
    waves: VecDeque<Wave>,
}

/// A connected client.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Client {
    /// Its id on this server.
    pub(crate) client: String,
    /// The name it gave itself.
    pub(crate) name: String,
    /// Whether it said that it acknowledges.
    pub(crate) acknowledges: bool,
    /// When it connected.
    pub(crate) connected_at: String,
    /// The newest version that it has acknowledged.
    pub(crate) acknowledged_version: Option<u64>,
}

#[derive(Debug)]
struct Wave {
    version: u64,
    began: Instant,
    members: BTreeMap<u64, Member>,
}

#[derive(Debug)]
struct Member {
    client: String,
    name: String,
    acknowledges: bool,
    acknowledged: Option<Instant>,
    gone: bool,
}

/// How far a version has got with the clients that were connected when it was pushed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    /// The version.
    pub version: u64,
    /// Clients that were connected when it was pushed.
    pub clients: usize,
    /// How many of them have acknowledged it.
    pub acknowledged: usize,
    /// Milliseconds until the last of these acknowledgements.
    pub after_ms: Option<f64>,
    /// The client that took longest.
    pub slowest: Option<Timed>,
    /// Clients that have not acknowledged.
    pub silent: Vec<Silent>,
}

/// A client and how long it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timed {
    /// Its id on the server.
    pub client: String,
    /// The name it gave itself.
    pub name: String,
    /// Milliseconds.
    pub ms: f64,
}

/// A client from which nothing was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// Its id on the server.
    pub client: String,
    /// The name it gave itself.
    pub name: String,
    /// Why nothing was heard.
    pub why: Why,
}

/// Why nothing was heard from a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It acknowledges, and has not yet.
    #[serde(rename = "late")]
    Late,
    /// It closed its connection before it acknowledged.
    #[serde(rename = "gone")]
    Gone,
    /// It never said that it would acknowledge.
    #[serde(rename = "does not acknowledge")]
    Mute,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "late",
            Self::Gone => "gone",
            Self::Mute => "does not acknowledge",
        })
    }
}

impl Arrival {
    /// For a person: `47 of 47 clients off after 38 ms, slowest shop-3`, and who has not acknowledged. `what` is the word
    /// for what has arrived, such as `off`.
    pub fn sentence(&self, what: &str) -> String {
        let mut text = format!("{} of {} clients {what}", self.acknowledged, self.clients);
        if let Some(slowest) = &self.slowest {
            text += &format!(" after {:.0} ms, slowest {}", slowest.ms.ceil(), slowest.name);
        }
        if !self.silent.is_empty() {
            let named: Vec<_> =
                self.silent.iter().map(|silent| format!("{} ({})", silent.name, silent.why)).collect();
            text += &format!("; not acknowledged by {}", named.join(", "));
        }
        text
    }

    /// True when nobody is left from whom an acknowledgement can still come.
    fn settled(&self) -> bool {
        !self.silent.iter().any(|silent| silent.why == Why::Late)
    }
}

/// One client's place in the list; it leaves the list when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: String,
    pub(crate) subscription: Subscription,
    number: u64,
    clients: Arc<Clients>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.clients.lock();
        state.connected.remove(&self.number);
        for wave in &mut state.waves {
            if let Some(member) = wave.members.get_mut(&self.number) {
                member.gone = true;
            }
        }
        drop(state);
        self.clients.changed.send_modify(|count| *count += 1);
    }
}

impl Clients {
    /// Nobody yet, and room for `limit` clients.
    pub(crate) fn new(limit: usize) -> Self {
        Self { hub: Hub::new(), state: Mutex::default(), changed: watch::channel(0).0, limit }
    }

    /// Adds a client that saw the event `last` last. `None` when there is no room.
    pub(crate) fn connect(
        self: &Arc<Self>,
        name: &str,
        acknowledges: bool,
        last: Option<u64>,
        now: String,
    ) -> Option<Connection> {
        let mut state = self.lock();
        if state.connected.len() >= self.limit {
            return None;
        }
        state.last_number += 1;
        let number = state.last_number;
        let client = format!("client-{number}");
        let name = if name.is_empty() { client.clone() } else { name.to_owned() };
        let listed = Client {
            client: client.clone(),
            name,
            acknowledges,
            connected_at: now,
            acknowledged_version: None,
        };
        state.connected.insert(number, listed);
        let subscription = self.hub.subscribe(last);
        drop(state);
        Some(Connection { client, subscription, number, clients: Arc::clone(self) })
    }

    /// Pushes a version, unless it was pushed already; true when it was pushed now.
    pub(crate) fn push(&self, event: Event) -> bool {
        let mut state = self.lock();
        let version = event.id;
        let began = Instant::now();
        if !self.hub.publish(event) {
            return false;
        }
        let member = |client: &Client| Member {
            client: client.client.clone(),
            name: client.name.clone(),
            acknowledges: client.acknowledges,
            acknowledged: None,
            gone: false,
        };
        let members = state.connected.iter().map(|(number, client)| (*number, member(client))).collect();
        if state.waves.len() == WAVES {
            state.waves.pop_front();
        }
        state.waves.push_back(Wave { version, began, members });
        drop(state);
        self.changed.send_modify(|count| *count += 1);
        true
    }

    /// Notes that a client works with `version`, and so with every earlier one too. False when the client is not
    /// connected.
    pub(crate) fn acknowledge(&self, client: &str, version: u64) -> bool {
        let now = Instant::now();
        let mut state = self.lock();
        let Some((number, listed)) = state.connected.iter_mut().find(|(_, listed)| listed.client == client)
        else {
            return false;
        };
        let number = *number;
        listed.acknowledges = true;
        listed.acknowledged_version = listed.acknowledged_version.max(Some(version));
        for wave in state.waves.iter_mut().filter(|wave| wave.version <= version) {
            if let Some(member) = wave.members.get_mut(&number) {
                member.acknowledged.get_or_insert(now);
            }
        }
        drop(state);
        self.changed.send_modify(|count| *count += 1);
        true
    }

    /// Everybody who is connected.
    pub(crate) fn list(&self) -> Vec<Client> {
        self.lock().connected.values().cloned().collect()
    }

    /// How many are connected.
    pub(crate) fn count(&self) -> usize {
        self.lock().connected.len()
    }

    /// How far a version has got, its times counted from `since`, or from when it was pushed. `None` when it was not
    /// pushed here, or too long ago.
    pub(crate) fn arrival(&self, version: u64, since: Option<Instant>) -> Option<Arrival> {
        let state = self.lock();
        let wave = state.waves.iter().find(|wave| wave.version == version)?;
        Some(wave.arrival(since.unwrap_or(wave.began)))
    }

    /// Waits until everybody who acknowledges has acknowledged `version`, at most for `patience`.
    pub(crate) async fn wait(
        &self,
        version: u64,
        since: Option<Instant>,
        patience: Duration,
    ) -> Option<Arrival> {
        let mut changed = self.changed.subscribe();
        let settled = async {
            loop {
                match self.arrival(version, since) {
                    Some(arrival) if arrival.settled() => return,
                    _ if changed.changed().await.is_err() => return,
                    _ => {}
                }
            }
        };
        // Whether it settled or time ran out, what is known now is the answer.
        drop(tokio::time::timeout(patience, settled).await);
        self.arrival(version, since)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wave {
    fn arrival(&self, since: Instant) -> Arrival {
        let mut timed = Vec::new();
        let mut silent = Vec::new();
        for member in self.members.values() {
            let (client, name) = (member.client.clone(), member.name.clone());
            match member.acknowledged {
                Some(at) => timed.push(Timed { client, name, ms: milliseconds(at.duration_since(since)) }),
                None => {
                    let why = match (member.gone, member.acknowledges) {
                        (true, _) => Why::Gone,
                        (_, false) => Why::Mute,
                        _ => Why::Late,
                    };
                    silent.push(Silent { client, name, why });
                }
            }
        }
        let slowest = timed.iter().max_by(|a, b| a.ms.total_cmp(&b.ms)).cloned();
        Arrival {
            version: self.version,
            clients: self.members.len(),
            acknowledged: timed.len(),
            after_ms: slowest.as_ref().map(|slowest| slowest.ms),
            slowest,
            silent,
        }
    }
}

/// A duration in milliseconds, to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(clients: &Clients, version: u64) {
        clients.push(Event { id: version, data: "{}".into() });
    }

    fn connect(clients: &Arc<Clients>, name: &str, acknowledges: bool) -> Connection {
        clients.connect(name, acknowledges, None, String::new()).unwrap()
    }

    #[tokio::test]
    async fn only_what_was_acknowledged_counts_and_the_others_are_named() {
        let clients = Arc::new(Clients::new(10));
        let quick = connect(&clients, "quick", true);
        let late = connect(&clients, "late", true);
        let _mute = connect(&clients, "mute", false);
        let leaving = connect(&clients, "leaving", true);
        push(&clients, 5);
        let _after = connect(&clients, "after", true);
        assert!(clients.acknowledge(&quick.client, 5));
        drop(leaving);
        let arrival = clients.wait(5, None, Duration::from_millis(20)).await.unwrap();
        assert_eq!((arrival.clients, arrival.acknowledged), (4, 1));
        assert_eq!(arrival.slowest.as_ref().unwrap().name, "quick");
        let silent: Vec<_> = arrival.silent.iter().map(|silent| (&*silent.name, silent.why)).collect();
        assert_eq!(silent, [("late", Why::Late), ("mute", Why::Mute), ("leaving", Why::Gone)]);

        let told = arrival.sentence("off");
        assert!(told.starts_with("1 of 4 clients off after ") && told.contains("slowest quick"), "{told}");
        assert!(told.ends_with("late (late), mute (does not acknowledge), leaving (gone)"), "{told}");

        // A later version includes the earlier ones.
        assert!(clients.acknowledge(&late.client, 6));
        let arrival = clients.wait(5, None, Duration::from_secs(60)).await.unwrap();
        assert_eq!((arrival.acknowledged, arrival.slowest.unwrap().name.as_str()), (2, "late"));
        assert!(clients.arrival(4, None).is_none(), "never pushed");
    }

    #[tokio::test]
    async fn whoever_waits_wakes_with_the_last_acknowledgement() {
        let clients = Arc::new(Clients::new(10));
        let one = connect(&clients, "one", true);
        push(&clients, 1);
        let waiting = {
            let clients = Arc::clone(&clients);
            tokio::spawn(async move { clients.wait(1, None, Duration::from_secs(60)).await })
        };
        tokio::task::yield_now().await;
        clients.acknowledge(&one.client, 1);
        let arrival = waiting.await.unwrap().unwrap();
        assert_eq!((arrival.clients, arrival.acknowledged), (1, 1));
        assert!(arrival.after_ms.is_some());
    }

    #[test]
    fn an_older_acknowledgement_does_not_count_and_a_full_house_is_full() {
        let clients = Arc::new(Clients::new(1));
        let one = connect(&clients, "one", true);
        assert!(clients.connect("two", true, None, String::new()).is_none());
        push(&clients, 2);
        push(&clients, 2);
        clients.acknowledge(&one.client, 1);
        let arrival = clients.arrival(2, None).unwrap();
        assert_eq!((arrival.clients, arrival.acknowledged, arrival.after_ms), (1, 0, None));
        assert!(!clients.acknowledge("client-99", 2));
        drop(one);
        assert_eq!(clients.count(), 0);
    }
}
