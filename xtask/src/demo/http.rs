//! Requests to servers on this machine: the simulators' control surfaces and the product's API.
//!
//! Owns one request and its answer over a connection of its own. An answer that is not 2xx is a failure.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use tinyjson::JsonValue;

use crate::failure::Failure;
use crate::json;

/// One request, and the JSON that it is answered with; null for an answer without a body.
pub(super) fn ask(address: &str, method: &str, path: &str, body: &str) -> Result<JsonValue, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{method} {path}: {error}"));
    let host = address.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(failed)?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    if !head.starts_with("HTTP/1.1 2") {
        return Err(Failure::new(format!(
            "{method} {path}: {}\n{body}",
            head.lines().next().unwrap_or_default()
        )));
    }
    json::parse(path, if body.is_empty() { "null" } else { body })
}
