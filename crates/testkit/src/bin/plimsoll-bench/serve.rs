//! Flags over HTTP, measured on the real binary: answers a second, how long one takes, how soon a kill is seen, memory.
//!
//! Owns the load generator: a few connections of loopback that are kept open, each asking as fast as it is answered. It
//! shares the machine's processors with the server, so the figures are what a small machine gives to both. Every figure
//! is the median of several rounds.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use plimsoll_core::flag::{Flag, Percent, Rollout, State};
use plimsoll_engine::flag::{How, change};
use plimsoll_engine::{Session, control};
use plimsoll_store::{Durability, StoreUrl};

use crate::Failure;
use crate::table::{grouped, median};

/// Flags in the store, clients that follow them, connections that ask.
pub(crate) const FLAGS: usize = 50;
const CLIENTS: usize = 50;
const CONNECTIONS: usize = 8;
const ROUNDS: usize = 5;
const SECONDS: u64 = 3;
const KILLS: usize = 40;

/// A server in a process of its own.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Measures the binary `plimsoll`.
pub(crate) fn run(plimsoll: &str) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut session = fill(folder.path())?;
    let served = serve(plimsoll, folder.path())?;
    println!(
        "\nflags over HTTP: {FLAGS} flags, {CONNECTIONS} connections of loopback, {ROUNDS} rounds of {SECONDS} s"
    );
    println!("  memory, idle                                   {:>10}", megabytes(served.child.id())?);
    for (what, path) in [
        ("one flag (OFREP)", "/ofrep/v1/evaluate/flags/flag-7"),
        ("all flags (OFREP bulk)", "/ofrep/v1/evaluate/flags"),
    ] {
        let address = served.address.clone();
        load(&served.address, what, &move |number| evaluation(&address, path, number))?;
    }
    println!("  memory, after the load                         {:>10}", megabytes(served.child.id())?);
    kills(&served, &mut session)?;
    println!("  memory, with {CLIENTS} clients                        {:>10}", megabytes(served.child.id())?);
    Ok(())
}

fn fill(folder: &Path) -> Result<Session, Failure> {
    let url = StoreUrl::Sqlite { path: folder.join("control.db"), durability: Durability::Full };
    let mut session = Session::new(plimsoll_store::open(&url)?, "bench");
    control::prepare(&mut session)?;
    for number in 0..FLAGS {
        let mut flag = Flag::new(format!("flag-{number}"));
        flag.state = State::On;
        flag.rollout = Some(Rollout {
            percent: Percent::whole(50),
            algorithm: plimsoll_core::flag::Algorithm::Unleash1,
            salt: flag.salt.clone(),
            stages: Vec::new(),
            constraints: Vec::new(),
            segments: Vec::new(),
        });
        change::create(&mut session, flag, &How::because("a benchmark"))?;
    }
    Ok(session)
}

fn serve(plimsoll: &str, folder: &Path) -> Result<Served, Failure> {
    let mut child = Command::new(plimsoll)
        .args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--data"])
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no standard output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().trim_start_matches("http://").to_owned();
    Ok(Served { child, address })
}

/// Asks OFREP for one user.
fn evaluation(address: &str, path: &str, number: usize) -> String {
    let body = format!("{{\"context\":{{\"targetingKey\":\"user-{number}\"}}}}");
    format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Asks a server over all connections, as fast as it answers, and prints the medians. `request` writes the request of a
/// number; each number is asked once.
pub(crate) fn load(
    address: &str,
    what: &str,
    request: &(impl Fn(usize) -> String + Sync),
) -> Result<(), Failure> {
    let (mut rates, mut halves, mut tails) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let mut took = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..CONNECTIONS)
                .map(|connection| {
                    scope.spawn(move || ask(address, request, connection).map_err(|error| error.to_string()))
                })
                .collect();
            let mut took = Vec::new();
            for thread in threads {
                took.extend(thread.join().map_err(|_| "a connection ended by a panic")??);
            }
            Ok::<_, Failure>(took)
        })?;
        rates.push(took.len() as f64 / started.elapsed().as_secs_f64());
        halves.push(quantile(&mut took, 0.5));
        tails.push(quantile(&mut took, 0.99));
    }
    let (rate, spread) = median(rates);
    println!(
        "  {what:<46} {:>10} answers/s  (spread {:>3.0} %)  p50 {:.2} ms  p99 {:.2} ms",
        grouped(rate),
        spread * 100.0,
        median(halves).0,
        median(tails).0
    );
    Ok(())
}

/// Asks over one connection for some seconds; the milliseconds of each answer.
fn ask(address: &str, request: &impl Fn(usize) -> String, connection: usize) -> Result<Vec<f64>, Failure> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let mut took = Vec::new();
    let mut number = connection;
    while Instant::now() < end {
        number += CONNECTIONS;
        let request = request(number);
        let started = Instant::now();
        writer.write_all(request.as_bytes())?;
        read_answer(&mut reader)?;
        took.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}

/// Reads an answer to its end, whether its length is told or it comes in chunks, and refuses any that is not a success.
pub(crate) fn read_answer(reader: &mut BufReader<TcpStream>) -> Result<(), Failure> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 20") {
        return Err(format!("the server answers {line}").into());
    }
    let (mut length, mut chunked) = (0_usize, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let text = line.trim().to_ascii_lowercase();
        if text.is_empty() {
            break;
        }
        if let Some(value) = text.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        chunked |= text.starts_with("transfer-encoding:") && text.ends_with("chunked");
    }
    if !chunked {
        return skip(reader, length);
    }
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let chunk = usize::from_str_radix(line.trim(), 16)?;
        // Behind each chunk, also the empty last one, stands an empty line.
        skip(reader, chunk + 2)?;
        if chunk == 0 {
            return Ok(());
        }
    }
}

fn skip(reader: &mut BufReader<TcpStream>, bytes: usize) -> Result<(), Failure> {
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body)?;
    Ok(())
}

/// Kills from another process - this one, straight into the control store - and waits until every client has heard.
fn kills(served: &Served, session: &mut Session) -> Result<(), Failure> {
    let clients: Vec<Receiver<(i64, Instant)>> =
        (0..CLIENTS).map(|_| follow(&served.address)).collect::<Result<_, _>>()?;
    std::thread::sleep(Duration::from_millis(300));
    let (mut every, mut last) = (Vec::new(), Vec::new());
    for kill in 0..KILLS {
        let name = format!("flag-{}", kill % FLAGS);
        let started = Instant::now();
        let changed = change::kill(session, &name, &How::because("a benchmark"))?;
        let mut slowest = 0.0_f64;
        for client in &clients {
            let heard = loop {
                let (version, at) = client.recv_timeout(Duration::from_secs(5))?;
                if version == changed.version {
                    break at.duration_since(started).as_secs_f64() * 1e3;
                }
            };
            slowest = slowest.max(heard);
            every.push(heard);
        }
        last.push(slowest);
    }
    println!(
        "  a kill by another process until a client hears of it, {CLIENTS} clients, {KILLS} kills: p50 {:.1} ms  p99 {:.1} ms; \
         until the last client: p50 {:.1} ms  p99 {:.1} ms (aim < 50 ms)",
        quantile(&mut every, 0.5),
        quantile(&mut every, 0.99),
        quantile(&mut last, 0.5),
        quantile(&mut last, 0.99)
    );
    Ok(())
}

/// Follows the flags: each version and when it was heard of.
fn follow(address: &str) -> Result<Receiver<(i64, Instant)>, Failure> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(format!("GET /ofrep/v1/events HTTP/1.1\r\nhost: {address}\r\n\r\n").as_bytes())?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let Some(version) = line.strip_prefix("id:").and_then(|id| id.trim().parse().ok()) else {
                continue;
            };
            if send.send((version, Instant::now())).is_err() {
                return;
            }
        }
    });
    Ok(receive)
}

fn quantile(figures: &mut [f64], share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let at = (figures.len() as f64 * share).ceil() as usize;
    figures.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// What a process keeps in memory now.
pub(crate) fn megabytes(process: u32) -> Result<String, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(format!("{:.1} MB", kilobytes / 1024.0))
}
