//! `serve` and what other commands ask of it, as processes of their own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::{Value as Json, json};

use crate::support::Desk;

/// A server on a desk's store; it ends when this is dropped.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn on(desk: &Desk) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store", &desk.store])
            .args(["--data".into(), desk.folder.path().to_owned().into_os_string()])
            .current_dir(desk.folder.path())
            .env_clear()
            .envs(crate::support::profile())
            .env("HOME", desk.folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().trim_start_matches("http://").to_owned() }
    }

    /// Follows the flags and acknowledges every version, on a thread of its own; returns once it is connected.
    fn acknowledge_all(&self, name: &str) {
        let address = self.address.clone();
        let mut stream = TcpStream::connect(&address).unwrap();
        let query = format!("/ofrep/v1/events?client={name}&acknowledge=true");
        write!(stream, "GET {query} HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let welcome = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
        let welcome: Json = serde_json::from_str(&welcome).unwrap();
        let path = welcome["acknowledge"].as_str().unwrap().to_owned();
        std::thread::spawn(move || {
            for version in lines.filter_map(|line| line.strip_prefix("id: ").map(str::to_owned)) {
                let body = format!("{{\"version\":{version}}}");
                let mut stream = TcpStream::connect(&address).unwrap();
                write!(
                    stream,
                    "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                     content-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
                let mut status = String::new();
                BufReader::new(stream).read_line(&mut status).unwrap();
                assert!(status.starts_with("HTTP/1.1 200"), "{status}");
            }
        });
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_kill_by_the_command_tells_how_many_programs_it_has_reached() {
    let desk = Desk::empty();
    let data = desk.folder.path().to_str().unwrap().to_owned();
    let flag = |words: &[&str]| {
        let ended = desk.plimsoll(&[&["flag"], words, &["--data", &data]].concat());
        assert_eq!(ended.code, 0, "{words:?} {ended:?}");
        ended
    };
    flag(&["create", "checkout", "--reason", "new"]);
    flag(&["set", "checkout", "--on", "--reason", "go"]);
    let alone = flag(&["kill", "checkout", "--reason", "smoke"]);
    assert!(alone.err.contains("no server runs"), "{alone:?}");
    flag(&["set", "checkout", "--on", "--reason", "go"]);

    let served = Served::on(&desk);
    for name in ["shop-1", "shop-2"] {
        served.acknowledge_all(name);
    }
    let killed = flag(&["kill", "checkout", "--reason", "smoke", "--json"]).json();
    let arrival = &killed["arrival"];
    assert_eq!((&arrival["clients"], &arrival["acknowledged"]), (&json!(2), &json!(2)), "{killed}");
    assert!(arrival["slowest"]["name"].as_str().unwrap().starts_with("shop-"), "{killed}");
    let told = flag(&["kill", "checkout", "--reason", "again"]);
    assert!(told.out.starts_with("2 of 2 clients off after "), "{told:?}");

    drop(served);
    let after = flag(&["kill", "checkout", "--reason", "once more"]);
    assert!(after.err.contains("does not answer") && after.err.contains("written all the same"), "{after:?}");
}

#[test]
fn beyond_loopback_serve_wants_a_token_and_a_token_is_shown_once() {
    let desk = Desk::empty();
    let refused = desk.plimsoll(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("not a loopback address") && refused.err.contains("hint:"), "{refused:?}");

    let file = desk.file("tokens");
    let made =
        desk.plimsoll(&["token", "create", "ci", "--scope", "operate", "--file", file.to_str().unwrap()]);
    assert_eq!(made.code, 0, "{made:?}");
    let (secret, kept) = (made.out.trim(), std::fs::read_to_string(&file).unwrap());
    assert!(secret.starts_with("plimsoll_") && secret.len() > 64, "{secret}");
    assert!(kept.starts_with("ci operate blake3:") && !kept.contains(secret) && !made.err.contains(secret));
}
