//! A webhook's receiver: a small HTTP server on loopback that keeps what is posted to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver as Incoming};
use std::time::Duration;

use serde_json::Value as Json;

/// A receiver that listens until the test ends.
pub(crate) struct Receiver {
    address: String,
    incoming: Incoming<Json>,
}

impl Receiver {
    /// Listens on a free port. It answers the first `refusals` posts with 503.
    pub(crate) fn start(refusals: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/services/T000/B000/secret", listener.local_addr().unwrap());
        let (sender, incoming) = mpsc::channel();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let Ok(body) = answer(stream.unwrap(), at < refusals) else { continue };
                if at >= refusals && sender.send(body).is_err() {
                    return;
                }
            }
        });
        Self { address, incoming }
    }

    /// The address to post to.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The next message, waited for.
    pub(crate) fn next(&self, patience: Duration) -> Json {
        self.incoming.recv_timeout(patience).unwrap()
    }

    /// The messages so far.
    pub(crate) fn messages(&self) -> Vec<Json> {
        self.incoming.try_iter().collect()
    }
}

fn answer(stream: TcpStream, refuse: bool) -> std::io::Result<Json> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let status = if refuse { "503 Service Unavailable" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    reader.get_mut().write_all(answer.as_bytes())?;
    Ok(serde_json::from_slice(&body).unwrap_or(Json::Null))
}
