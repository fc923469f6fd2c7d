//! The HTTP source against a server that follows a script, on a clock that only moves when somebody waits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use plimsoll_core::clock::Clock;
use plimsoll_engine::source::http::{ApiKey, HttpFetch, HttpSettings};
use plimsoll_engine::source::{Fetch, FetchError, Query};
use serde_json::json;

/// A clock that moves by what is slept.
#[derive(Default)]
struct StepClock {
    ms: AtomicU64,
    slept: Mutex<Vec<u64>>,
}

impl Clock for StepClock {
    fn now(&self) -> String {
        let at = jiff::Timestamp::from_millisecond(1_760_000_000_000 + self.ms.load(Ordering::SeqCst) as i64);
        at.unwrap().to_string()
    }

    fn monotonic_ms(&self) -> u64 {
        self.ms.load(Ordering::SeqCst)
    }

    fn sleep_ms(&self, ms: u64) {
        self.slept.lock().unwrap().push(ms);
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl StepClock {
    fn slept(&self) -> Vec<u64> {
        self.slept.lock().unwrap().clone()
    }

    fn pass(&self, ms: u64) {
        self.ms.fetch_add(ms, Ordering::SeqCst);
    }
}

/// What the script answers to one request.
#[derive(Clone)]
enum Reply {
    Json(u16, &'static str),
    Header(u16, &'static str, String),
    Bytes(Vec<u8>, &'static str),
    Big(usize),
    Close,
    Never,
}

struct Script {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

/// Answers request number `n` with `reply(n, request line)`.
fn script(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let connections = Arc::new(AtomicUsize::new(0));
    let (log, opened, reply) = (Arc::clone(&seen), Arc::clone(&connections), Arc::new(reply));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            opened.fetch_add(1, Ordering::SeqCst);
            let (log, reply) = (Arc::clone(&log), Arc::clone(&reply));
            std::thread::spawn(move || converse(stream.unwrap(), &log, &*reply));
        }
    });
    Script { address, seen, connections }
}

fn converse(stream: TcpStream, log: &Mutex<Vec<String>>, reply: &dyn Fn(usize, &str) -> Reply) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
        }
        let number = {
            let mut log = log.lock().unwrap();
            log.push(head.clone());
            log.len() - 1
        };
        let write = |stream: &mut TcpStream, status: u16, header: &str, body: &[u8]| {
            let length = body.len();
            let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{header}\r\n");
            stream.write_all(head.as_bytes()).is_ok() && stream.write_all(body).is_ok()
        };
        match reply(number, head.lines().next().unwrap()) {
            Reply::Json(status, body) => write(&mut stream, status, "", body.as_bytes()),
            Reply::Header(status, name, value) => {
                write(&mut stream, status, &format!("{name}: {value}\r\n"), b"{}")
            }
            Reply::Bytes(body, header) => write(&mut stream, 200, header, &body),
            Reply::Big(length) => {
                let body = format!("\"{}\"", "x".repeat(length));
                write(&mut stream, 200, "", body.as_bytes())
            }
            Reply::Close => return,
            Reply::Never => stream.read(&mut [0; 1]).is_ok(),
        };
    }
}

fn client(script: &Script, change: impl FnOnce(&mut HttpSettings)) -> (HttpFetch, Arc<StepClock>) {
    let clock = Arc::new(StepClock::default());
    let mut settings = HttpSettings::new(&script.address);
    change(&mut settings);
    (HttpFetch::new(settings, Arc::clone(&clock) as Arc<dyn Clock>).unwrap(), clock)
}

fn meeting(number: usize) -> Query {
    Query::new(format!("committee-meeting/119/house/{number}"))
}

fn answer(error: FetchError) -> String {
    match error {
        FetchError::Answer(text) => text,
        FetchError::Source(text) => panic!("the source was blamed: {text}"),
    }
}

fn source(error: FetchError) -> String {
    match error {
        FetchError::Source(text) => text,
        FetchError::Answer(text) => panic!("one answer was blamed: {text}"),
    }
}

#[test]
fn a_question_is_sent_below_the_root_with_its_parameters_and_the_key() {
    let script = script(|_, _| Reply::Json(200, r#"{"a":1}"#));
    for base in [script.address.clone(), format!("{}/v3", script.address), format!("{}/v3/", script.address)]
    {
        let (mut fetch, _) = client(&script, |settings| {
            settings.base = base;
            settings.root = "v3".into();
            settings.key = ApiKey::new(" s3cr3t/+\n");
        });
        let query = Query::new("committee-meeting/119")
            .with("offset", 250)
            .with("fromDateTime", "2025-10-01T00:00:00Z");
        assert_eq!(fetch.get(&query), Ok(json!({ "a": 1 })));
        let head = script.seen.lock().unwrap().last().unwrap().clone();
        let line = head.lines().next().unwrap().to_owned();
        let wanted = "GET /v3/committee-meeting/119?offset=250&fromDateTime=2025-10-01T00%3A00%3A00Z&api_key=s3cr3t%2F%2B HTTP/1.1";
        assert_eq!(line, wanted);
        assert!(head.to_lowercase().contains("accept-encoding: gzip"), "{head}");
    }
}

#[test]
fn connections_are_kept_and_compressed_answers_are_read() {
    // gzip of {"zipped":true}
    let gz = vec![
        31, 139, 8, 0, 0, 0, 0, 0, 2, 255, 171, 86, 170, 202, 44, 40, 72, 77, 81, 178, 42, 41, 42, 77, 173,
        5, 0, 132, 40, 188, 8, 15, 0, 0, 0,
    ];
    let script = script(move |_, _| Reply::Bytes(gz.clone(), "content-encoding: gzip\r\n"));
    let (mut fetch, _) = client(&script, |_| {});
    for number in 0..20 {
        assert_eq!(fetch.get(&meeting(number)), Ok(json!({ "zipped": true })));
    }
    assert_eq!(script.connections.load(Ordering::SeqCst), 1);
    assert_eq!(fetch.statistics().requests, 20);
}

#[test]
fn a_429_is_repeated_after_the_time_it_names() {
    let script = script(|number, _| match number {
        0 => Reply::Header(429, "retry-after", "7".into()),
        // The clock starts at 2025-10-09 08:53:20 UTC and has slept some 7 s.
        1 => Reply::Header(429, "retry-after", "Thu, 09 Oct 2025 08:54:00 GMT".into()),
        2 => Reply::Json(429, "{}"),
        _ => Reply::Json(200, "{}"),
    });
    let (mut fetch, clock) = client(&script, |_| {});
    assert_eq!(fetch.get(&meeting(1)), Ok(json!({})));
    let slept = clock.slept();
    assert_eq!(slept.len(), 3, "{slept:?}");
    assert!((7_000..=8_750).contains(&slept[0]), "{slept:?}");
    let until = 40_000 - slept[0];
    assert!((until - 1_000..=until + until / 4).contains(&slept[1]), "{slept:?}");
    assert!((4_000..=5_000).contains(&slept[2]), "the third without a time waits 4 s: {slept:?}");
    let statistics = fetch.statistics();
    assert_eq!((statistics.requests, statistics.retries, statistics.rate_limited), (4, 3, 3));
    assert_eq!(statistics.waited_ms, slept.iter().sum::<u64>());
}

#[test]
fn a_long_retry_after_and_an_endless_429_blame_the_source() {
    let patient = script(|_, _| Reply::Header(429, "retry-after", "3600".into()));
    let (mut fetch, clock) = client(&patient, |_| {});
    let error = source(fetch.get(&meeting(1)).unwrap_err());
    assert!(error.contains("2025-10-09T") && error.contains("hint:"), "{error}");
    assert_eq!(clock.slept(), [0_u64; 0]);

    let endless = script(|_, _| Reply::Header(429, "retry-after", "0".into()));
    let (mut fetch, _) = client(&endless, |_| {});
    assert!(source(fetch.get(&meeting(1)).unwrap_err()).contains("429"));
    assert_eq!(fetch.statistics().requests, 7);
}

#[test]
fn a_5xx_and_a_closed_connection_are_repeated_with_a_growing_wait() {
    let script = script(|number, _| match number {
        0 => Reply::Json(500, r#"{"error":{"code":"X","message":"try again"}}"#),
        1 => Reply::Close,
        2 => Reply::Json(503, "Service Unavailable"),
        _ => Reply::Json(200, "[]"),
    });
    let (mut fetch, clock) = client(&script, |_| {});
    assert_eq!(fetch.get(&meeting(1)), Ok(json!([])));
    let slept = clock.slept();
    for (wait, base) in slept.iter().zip([200, 400, 800]) {
        assert!((base..=base + base / 4).contains(wait), "{slept:?}");
    }
    assert_eq!(slept.len(), 3);
    assert_eq!(fetch.statistics().retries, 3);
    // The waits are a function of the question: a second client waits the same.
    let again =
        self::script(|number, _| if number < 3 { Reply::Json(500, "{}") } else { Reply::Json(200, "[]") });
    let (mut second, second_clock) = client(&again, |_| {});
    second.get(&meeting(1)).unwrap();
    assert_eq!(second_clock.slept(), slept);
}

#[test]
fn a_503_that_names_a_time_is_repeated_then() {
    let script = script(|number, _| match number {
        0 => Reply::Header(503, "retry-after", "5".into()),
        _ => Reply::Json(200, "{}"),
    });
    let (mut fetch, clock) = client(&script, |_| {});
    fetch.get(&meeting(1)).unwrap();
    assert_eq!(clock.slept(), [5_000]);
}

#[test]
fn one_record_that_always_fails_blames_itself_and_never_opens_the_breaker() {
    let script = script(|_, line| {
        if line.contains("/house/13 ") {
            Reply::Json(500, r#"{"error":"cannot show it"}"#)
        } else {
            Reply::Json(200, "{}")
        }
    });
    let (mut fetch, _) = client(&script, |_| {});
    for _ in 0..8 {
        let error = answer(fetch.get(&meeting(13)).unwrap_err());
        assert!(error.contains("house/13") && error.contains("HTTP 500: cannot show it"), "{error}");
    }
    assert_eq!(fetch.statistics().requests, 32, "each time once and three repetitions");
    assert_eq!(fetch.get(&meeting(1)), Ok(json!({})));
}

#[test]
fn five_different_failures_open_the_breaker_which_tries_again_after_a_minute() {
    let healthy = Arc::new(AtomicUsize::new(0));
    let switch = Arc::clone(&healthy);
    let script = script(move |_, _| {
        if switch.load(Ordering::SeqCst) == 1 { Reply::Json(200, "{}") } else { Reply::Json(500, "{}") }
    });
    let (mut fetch, clock) = client(&script, |_| {});
    for number in 0..5 {
        answer(fetch.get(&meeting(number)).unwrap_err());
    }
    let sent = fetch.statistics().requests;
    let error = source(fetch.get(&meeting(6)).unwrap_err());
    assert!(error.contains("hint:"), "{error}");
    assert_eq!(fetch.statistics().requests, sent, "an open breaker sends nothing");
    clock.pass(60_000);
    healthy.store(1, Ordering::SeqCst);
    assert_eq!(fetch.get(&meeting(6)), Ok(json!({})));
}

#[test]
fn other_4xx_and_redirects_are_answers_and_keys_are_the_sources_problem() {
    for (status, blames_source) in [(400, false), (404, false), (401, true), (403, true)] {
        let script = script(move |_, _| Reply::Json(status, r#"{"error":{"message":"no such thing"}}"#));
        let (mut fetch, clock) = client(&script, |_| {});
        let error = fetch.get(&meeting(1)).unwrap_err();
        let text = if blames_source { source(error) } else { answer(error) };
        assert!(text.contains(&status.to_string()) && text.contains("no such thing"), "{text}");
        assert_eq!((fetch.statistics().requests, clock.slept().len()), (1, 0));
    }
    let script = script(|_, _| Reply::Header(302, "location", "http://elsewhere.example/".into()));
    let (mut fetch, _) = client(&script, |_| {});
    assert!(answer(fetch.get(&meeting(1)).unwrap_err()).contains("elsewhere.example"));
}

#[test]
fn an_answer_that_is_not_json_or_too_large_is_refused_without_repetition() {
    let script = script(|number, _| match number {
        0 => Reply::Json(200, "<html>"),
        1 => Reply::Big(5_000),
        _ => Reply::Big(10),
    });
    let (mut fetch, _) = client(&script, |settings| settings.body_limit = 1_000);
    assert!(answer(fetch.get(&meeting(1)).unwrap_err()).contains("not JSON"));
    assert!(answer(fetch.get(&meeting(2)).unwrap_err()).contains("larger than 1000 bytes"));
    assert!(fetch.get(&meeting(3)).is_ok());
    assert_eq!(fetch.statistics().requests, 3);
}

#[test]
fn the_budget_waits_a_little_and_refuses_a_long_wait() {
    let script = script(|_, _| Reply::Json(200, "{}"));
    let (mut fetch, clock) = client(&script, |settings| settings.requests_per_hour = Some(3));
    assert_eq!(fetch.budget_left(), Some(3));
    for number in 0..3 {
        fetch.get(&meeting(number)).unwrap();
    }
    assert_eq!(fetch.budget_left(), Some(0));
    let error = source(fetch.get(&meeting(4)).unwrap_err());
    // 08:53:20 and an hour.
    assert!(error.contains("2025-10-09T09:53:20Z") && error.contains("hint:"), "{error}");
    clock.pass(3_600_000 - 30_000);
    fetch.get(&meeting(4)).unwrap();
    assert_eq!(clock.slept(), [30_000]);
    assert_eq!(fetch.statistics().waited_ms, 30_000);
}

#[test]
fn the_sources_own_count_limits_the_budget() {
    let script = script(|_, _| Reply::Header(200, "x-ratelimit-remaining", "12".into()));
    let (mut fetch, _) = client(&script, |_| {});
    assert_eq!(fetch.budget_left(), Some(5_000));
    fetch.get(&meeting(1)).unwrap();
    assert_eq!(fetch.budget_left(), Some(12));
    let (mut fetch, _) = client(&script, |settings| settings.requests_per_hour = None);
    fetch.get(&meeting(1)).unwrap();
    assert_eq!(fetch.budget_left(), None, "who sets no budget wants none");
}

#[test]
fn a_silent_server_times_out_and_an_absent_one_blames_the_source() {
    let silent = script(|_, _| Reply::Never);
    let (mut fetch, clock) = client(&silent, |settings| settings.read_timeout_ms = 50);
    let error = answer(fetch.get(&meeting(1)).unwrap_err());
    assert!(error.contains("timeout"), "{error}");
    assert_eq!(clock.slept().len(), 3);

    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (mut fetch, _) = client(&silent, |settings| {
        settings.base = format!("http://{free}");
        settings.connect_timeout_ms = 500;
    });
    let error = source(fetch.get(&meeting(1)).unwrap_err());
    assert!(error.contains("hint:") && error.contains(&free.to_string()), "{error}");
}

#[test]
fn the_key_is_nowhere_but_in_the_request() {
    // A server that repeats the request line in its error.
    let echo = script(|_, line| {
        let body: &'static str = Box::leak(format!(r#"{{"error":"cannot {line}"}}"#).into_boxed_str());
        Reply::Json(if line.contains("/house/1?") { 404 } else { 500 }, body)
    });
    let (mut fetch, _) = client(&echo, |settings| settings.key = ApiKey::new("s3cr3t/+"));
    for number in [1, 2] {
        let error = fetch.get(&meeting(number)).unwrap_err();
        for text in [error.to_string(), format!("{error:?}"), format!("{fetch:?}")] {
            assert!(!text.contains("s3cr3t"), "{text}");
        }
        assert!(error.to_string().contains("***"), "{error}");
    }
    assert!(echo.seen.lock().unwrap()[0].contains("s3cr3t"), "the request has it");
    assert!(!format!("{:?}", ApiKey::new("s3cr3t")).contains("s3cr3t"));
    assert_eq!(ApiKey::new(" \n"), None);
}

#[test]
fn addresses_that_cannot_be_used_are_refused() {
    for base in ["", "ftp://x", "http://", "http://user:pw@host", "https://host/?api_key=x", "host/v3"] {
        let clock = Arc::new(StepClock::default());
        let error = HttpFetch::new(HttpSettings::new(base), clock).unwrap_err();
        assert!(error.message.contains("hint:") && !error.message.contains("pw"), "{base}: {error}");
    }
}
