//! The cache against a real Redis: what it keeps, and that losing it costs nothing but the answer.

use std::time::{Duration, Instant};

use plimsoll_engine::cache::{Cache, PATIENCE, PAUSE};
use plimsoll_testkit::redis_server::RedisServer;

const KEEP: Duration = Duration::from_secs(60);

#[test]
fn what_is_kept_is_found_until_it_is_removed_or_over() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let cache = Cache::at(&server.url()).unwrap();
    assert_eq!(cache.get("a"), None);
    cache.put("a", b"\x00\xff", KEEP);
    cache.put("b", b"", Duration::from_millis(1));
    assert_eq!(cache.get("a").as_deref(), Some(&b"\x00\xff"[..]));
    assert_eq!(cache.get("b").as_deref(), Some(&b""[..]));
    cache.remove("a");
    assert_eq!(cache.get("a"), None);
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(cache.get("b"), None, "it is kept for a second at least, and not longer");
    let counts = cache.counts();
    assert_eq!((counts.hits, counts.misses, counts.failures), (2, 3, 0));
}

#[test]
fn a_lost_server_is_left_alone_and_found_again() {
    let Some(mut server) = RedisServer::start().unwrap() else { return };
    let cache = Cache::at(&server.url()).unwrap();
    cache.put("a", b"1", KEEP);
    server.stop();
    let began = Instant::now();
    for _ in 0..1_000 {
        assert_eq!(cache.get("a"), None);
    }
    assert!(began.elapsed() < PATIENCE * 3 + PAUSE, "it does not wait for it a thousand times");
    assert!(cache.counts().failures == 1_000);
    server.restart().unwrap();
    std::thread::sleep(PAUSE);
    assert_eq!(cache.get("a"), None, "it is empty");
    cache.put("a", b"2", KEEP);
    assert_eq!(cache.get("a").as_deref(), Some(&b"2"[..]));
}

#[test]
fn an_address_that_is_none_is_refused_without_repeating_it() {
    let error = Cache::at("https://user:secret@example.org").unwrap_err().to_string();
    assert!(error.contains("redis://") && !error.contains("secret"), "{error}");
}
