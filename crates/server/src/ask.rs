//! Asking a server that runs on this machine: how the command finds it and what it asks.
//!
//! Owns the note that a server leaves in the data folder while it runs, and the one question of `flag kill`: who has
//! said that the change has arrived. Synchronous, because the command is.
//!
//! Invariant: nothing depends on the answer. A change is written to the control store whether a server runs or not.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clients::Arrival;

/// The note's name in the data folder.
const NOTE: &str = "serve.json";

/// A server that runs on a data folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// The control store that it serves, without a password.
    pub control: String,
    /// Its process.
    pub process: u32,
}

/// The note of this process; taken away when this is dropped.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    text: String,
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // Another server may have put its own note there meanwhile; a note that is gone is as good as taken away.
        if fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// How far the version has got.
    Arrived(Arrival),
    /// The server does not answer, or refuses, and why.
    NoAnswer(String),
}

impl RunningServer {
    /// Leaves a note in the data folder that this process serves.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(folder: &Path, address: SocketAddr, control: &str) -> io::Result<Announcement> {
        let process = std::process::id();
        let running = Self { address, control: control.to_owned(), process };
        let text = serde_json::to_string(&running)?;
        let path = folder.join(NOTE);
        let draft = folder.join(format!("{NOTE}.{process}"));
        fs::write(&draft, &text)?;
        fs::rename(&draft, &path)?;
        Ok(Announcement { path, text })
    }

    /// The server that left a note in the data folder for this control store. It may have been killed since.
    pub fn find(folder: &Path, control: &str) -> Option<Self> {
        let text = fs::read_to_string(folder.join(NOTE)).ok()?;
        let running: Self = serde_json::from_str(&text).ok()?;
        (running.control == control).then_some(running)
    }

    /// Asks how far a version of the flags has got, waiting until every client that acknowledges has done so, at most
    /// for `patience`. `token` is the caller's, where the server wants one.
    pub fn arrival(&self, version: i64, patience: Duration, token: Option<&str>) -> Asked {
        let (address, wait) = (self.reachable(), patience.as_millis());
        let url = format!("http://{address}/api/v1/flag-versions/{version}/arrival?wait_ms={wait}");
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(patience + Duration::from_secs(2)))
            .http_status_as_error(false);
        let mut request = ureq::Agent::from(config.build()).get(url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let answer = request.call().and_then(|mut answer| {
            let text = answer.body_mut().read_to_string()?;
            Ok((answer.status(), text))
        });
        match answer {
            Ok((status, text)) if status.is_success() => match serde_json::from_str(&text) {
                Ok(arrival) => Asked::Arrived(arrival),
                Err(error) => {
                    Asked::NoAnswer(format!("the server at {address} answers something else: {error}"))
                }
            },
            Ok((status, text)) => {
                Asked::NoAnswer(format!("the server at {address} answers {status}: {text}"))
            }
            Err(error) => Asked::NoAnswer(format!("the server at {address} does not answer: {error}")),
        }
    }

    /// The address at which this machine reaches a server that listens on every address.
    fn reachable(&self) -> SocketAddr {
        let ip = match self.address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, self.address.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_there_while_its_server_runs() {
        let folder = tempfile::tempdir().unwrap();
        let address = ([0, 0, 0, 0], 8620).into();
        let note = RunningServer::announce(folder.path(), address, "sqlite:control.db").unwrap();
        let found = RunningServer::find(folder.path(), "sqlite:control.db").unwrap();
        assert_eq!((found.address, found.process), (address, std::process::id()));
        assert_eq!(found.reachable().to_string(), "127.0.0.1:8620");
        assert_eq!(RunningServer::find(folder.path(), "sqlite:other.db"), None);
        let later =
            RunningServer::announce(folder.path(), ([127, 0, 0, 1], 1).into(), "sqlite:control.db").unwrap();
        drop(note);
        assert!(RunningServer::find(folder.path(), "sqlite:control.db").is_some(), "the later note stays");
        drop(later);
        assert_eq!(RunningServer::find(folder.path(), "sqlite:control.db"), None);
    }

    #[test]
    fn a_server_that_is_gone_is_no_error() {
        let running =
            RunningServer { address: ([127, 0, 0, 1], 1).into(), control: String::new(), process: 0 };
        let Asked::NoAnswer(why) = running.arrival(1, Duration::ZERO, None) else {
            panic!("nobody listens there")
        };
        assert!(why.contains("does not answer"), "{why}");
    }
}
