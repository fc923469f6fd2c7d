//! A small HTTP client, and the careful reading of the API that `plimsoll_simulator::congress` asks for; in
//! [`pems`] the requests of the other API.
//!
//! Owns nothing of the simulator: it speaks HTTP/1.1 over a socket, so that what the tests see is what any
//! client would see.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses another part of it")]

pub(crate) mod pems;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A client on one kept connection, which it opens again when it was closed.
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    /// How often a request was repeated because it ended without an answer, with 429 or with 5xx.
    pub(crate) repeated: usize,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, connection: None, repeated: 0 }
    }

    /// One request, one attempt; an error where the connection closed without an answer.
    pub(crate) fn get(&mut self, target: &str) -> std::io::Result<Answer> {
        self.get_with(target, "")
    }

    pub(crate) fn get_with(&mut self, target: &str, headers: &str) -> std::io::Result<Answer> {
        self.send("GET", target, headers, None)
    }

    /// One request, one attempt, with a body where one is given.
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: Option<&Value>,
    ) -> std::io::Result<Answer> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, Duration::from_secs(5))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(10)))?;
                BufReader::new(stream)
            }
        };
        let body = body.map(Value::to_string).unwrap_or_default();
        let length =
            if method == "GET" { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let address = self.address;
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n{length}{headers}\r\n{body}");
        connection.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        if connection.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            connection.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        self.connection = Some(connection);
        Ok(Answer { status, headers, body })
    }

    /// Repeats what may be repeated, up to four times in all.
    pub(crate) fn get_patiently(&mut self, target: &str) -> Answer {
        let mut last = None;
        for attempt in 0..4 {
            if attempt > 0 {
                self.repeated += 1;
            }
            match self.get(target) {
                Ok(answer) if answer.status == 429 => {
                    let wait = answer.headers["retry-after"].parse().unwrap();
                    std::thread::sleep(Duration::from_secs(wait));
                    last = Some(answer);
                }
                Ok(answer) if answer.status >= 500 => last = Some(answer),
                Ok(answer) => return answer,
                Err(_) => {}
            }
        }
        last.unwrap()
    }

    /// Every entry of a list by event id, read as the module page says; and how many readings it took.
    pub(crate) fn list(
        &mut self,
        path: &str,
        filters: &str,
        limit: usize,
    ) -> (BTreeMap<String, Value>, usize) {
        let mut entries = BTreeMap::new();
        for reading in 1..=3 {
            let mut offset = 0;
            let mut count = usize::MAX;
            while offset < count {
                let target = format!("{path}?format=json&limit={limit}&offset={offset}{filters}");
                let answer = self.get_patiently(&target);
                assert_eq!(answer.status, 200, "{target}");
                let page = answer.json();
                count = usize::try_from(page["pagination"]["count"].as_u64().unwrap()).unwrap();
                for entry in page["committeeMeetings"].as_array().unwrap() {
                    entries.insert(entry["eventId"].as_str().unwrap().to_owned(), entry.clone());
                }
                offset += limit;
            }
            assert!(entries.len() <= count);
            if entries.len() == count {
                return (entries, reading);
            }
        }
        panic!("three readings did not show every meeting");
    }

    /// The item of a list entry.
    pub(crate) fn item(&mut self, entry: &Value) -> Answer {
        let chamber = entry["chamber"].as_str().unwrap().to_lowercase();
        let event_id = entry["eventId"].as_str().unwrap();
        self.get_patiently(&format!(
            "/v3/committee-meeting/{}/{chamber}/{event_id}?format=json",
            entry["congress"]
        ))
    }

    /// Every item by event id: its meeting, or what was answered instead.
    pub(crate) fn everything(&mut self, limit: usize) -> BTreeMap<String, Result<Value, Answer>> {
        let (entries, _) = self.list("/v3/committee-meeting", "", limit);
        let mut items = BTreeMap::new();
        for (event_id, entry) in entries {
            let answer = self.item(&entry);
            let meeting = match answer.status {
                200 => answer.json().get("committeeMeeting").cloned().ok_or(answer),
                _ => Err(answer),
            };
            items.insert(event_id, meeting);
        }
        items
    }
}

/// The entries of a container in either shape; none where it states nothing.
pub(crate) fn entries(container: Option<&Value>) -> Option<Vec<Value>> {
    match container {
        Some(Value::Array(entries)) => Some(entries.clone()),
        Some(Value::Object(wrapper)) => entries(wrapper.get("item")),
        _ => None,
    }
}

/// A meeting as what it states: nothing that only style decides, and no update date.
pub(crate) fn statement(meeting: &Value) -> Value {
    let mut stated = serde_json::Map::new();
    for (name, value) in meeting.as_object().unwrap() {
        let value = match name.as_str() {
            "updateDate" | "isManuallyCurated" => continue,
            "location" if value.is_object() => value.clone(),
            "relatedItems" => Value::Array(entries(value.get("bills")).unwrap_or_default()),
            _ => match entries(Some(value)) {
                Some(list) => Value::Array(list.iter().map(without_nulls).collect()),
                None => value.clone(),
            },
        };
        let nothing = value.is_null() || value == serde_json::json!([]) || value == serde_json::json!({});
        if !nothing {
            stated.insert(name.clone(), value);
        }
    }
    Value::Object(stated)
}

fn without_nulls(entry: &Value) -> Value {
    let kept = entry.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A free port of this machine.
pub(crate) fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

pub(crate) fn ids<T>(map: &BTreeMap<String, T>) -> BTreeSet<&str> {
    map.keys().map(String::as_str).collect()
}
