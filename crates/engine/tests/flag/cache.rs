//! Flags with a cache in a real Redis (LG-04): it is asked first, it is never wrong, and losing it loses nothing.

use std::sync::Arc;

use plimsoll_core::flag::{Algorithm, Flag, State};
use plimsoll_engine::cache::Cache;
use plimsoll_engine::flag::{EvaluationContext, Flags, How, change};
use plimsoll_testkit::redis_server::RedisServer;

use crate::support::{Place, at_percent};

fn turn(on: bool) -> impl Fn(&mut Flag) -> Result<(), plimsoll_engine::EngineError> {
    move |flag| {
        flag.state = if on { State::On } else { State::Off };
        Ok(())
    }
}

#[test]
fn a_second_process_reads_definitions_from_the_cache_and_is_never_behind() {
    Place::each(|place| {
        let Some(mut server) = RedisServer::start().unwrap() else { return };
        let (mut writer, mut first, mut second) = (place.session(), place.session(), place.session());
        let cache = Arc::new(Cache::at(&server.url()).unwrap());
        let load = |session: &mut _| Flags::load_with(session, Some(Arc::clone(&cache))).unwrap();
        let nothing = load(&mut first);
        assert_eq!(cache.counts(), Default::default(), "before the first flag there is nothing to keep");
        change::create(&mut writer, at_percent("pilot", 40, Algorithm::Quota1), &How::because("new"))
            .unwrap();
        let keys = (0..50).map(|number| format!("c{number}")).collect();
        change::set_keys(&mut writer, "pilot", keys, &How::because("keys")).unwrap();
        assert!(nothing.refresh(&mut first).unwrap());
        assert_eq!((cache.counts().hits, cache.counts().misses), (0, 1));
        let flags = load(&mut second);
        assert_eq!((cache.counts().hits, cache.counts().misses), (1, 1));
        let asked = |number: usize| EvaluationContext::of(format!("c{number}"));
        let members = |flags: &Flags| (0..50).filter(|number| flags.is_on("pilot", &asked(*number))).count();
        assert_eq!((members(&nothing), members(&flags)), (20, 20), "the exact quota survives the cache");
        // Every change is seen at the next look: by the first process from the store, by the second from the cache.
        for on in [false, true, false] {
            change::update(&mut writer, "pilot", "flag.changed", &How::because("turn"), turn(on)).unwrap();
            let hits = cache.counts().hits;
            for (flags, session) in [(&nothing, &mut first), (&flags, &mut second)] {
                assert!(flags.refresh(session).unwrap() && !flags.refresh(session).unwrap());
                assert_eq!(members(flags), if on { 20 } else { 0 });
            }
            assert_eq!(cache.counts().hits, hits + 1);
        }
        // Gone in the middle: the same answers, from the store.
        server.stop();
        change::update(&mut writer, "pilot", "flag.changed", &How::because("turn"), turn(true)).unwrap();
        assert!(flags.refresh(&mut second).unwrap() && members(&flags) == 20);
        assert_eq!(members(&load(&mut first)), 20);
        assert!(cache.counts().failures > 0);
    });
}

/// A store that went back to an earlier state and changed otherwise has the same version again, and must not be given
/// what the other history left in the cache.
#[test]
fn two_histories_with_the_same_version_do_not_meet() {
    let Some(server) = RedisServer::start().unwrap() else { return };
    let cache = Arc::new(Cache::at(&server.url()).unwrap());
    for on in [true, false] {
        let place = Place::sqlite();
        let mut session = place.session();
        change::create(&mut session, Flag::new("pilot"), &How::because("new")).unwrap();
        change::update(&mut session, "pilot", "flag.changed", &How::because("turn"), turn(on)).unwrap();
        let flags = Flags::load_with(&mut session, Some(Arc::clone(&cache))).unwrap();
        assert_eq!(flags.is_on("pilot", &EvaluationContext::of("1")), on);
    }
    assert_eq!((cache.counts().hits, cache.counts().misses), (0, 2));
}
