//! Sending: each committed edit once, whatever becomes of the answer.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use plimsoll_engine::session::Probe;
use plimsoll_engine::sync::{edit, history, status};
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::{FaultKind, Faults, Options};

use crate::support::{Bench, values};

#[test]
fn an_edit_goes_from_draft_to_synced_and_shows_on_the_way() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let key = bench.key(0);
        let before = bench.here("anna", &key, "model").0;
        let mut anna = bench.session("anna");
        let (id, _) =
            edit::draft(&mut anna, &PfaLink, &key, None, Some(&values(&[("model", "Demo 7")]))).unwrap();
        assert_eq!(bench.here("anna", &key, "model"), (Some("Demo 7".into()), "draft"));
        assert_eq!(bench.here("bert", &key, "model"), (before.clone(), "synced"), "a draft is its author's");
        assert_eq!(bench.send().sent, 0);
        edit::commit(&mut anna, &PfaLink, &id).unwrap();
        assert_eq!(bench.here("bert", &key, "model"), (Some("Demo 7".into()), "queued"));
        let report = bench.send();
        assert_eq!((report.sent, report.applied), (1, 1));
        assert_eq!(bench.there(&key, "model").as_deref(), Some("Demo 7"));
        assert_eq!(bench.here("bert", &key, "model").1, "synced");
        assert_eq!(bench.edit_state(&id).0, "synced");
        // The echo of our own edit is no news.
        assert_eq!(bench.pull().changed, 0);
        assert_eq!(bench.send().sent, 0);
        bench.assert_converged();
        let history = history::of(&mut anna, &PfaLink, &key).unwrap();
        assert_eq!(history.version(0).unwrap().unwrap()["model"].as_text(), before.as_deref());
        history::restore(&mut anna, &PfaLink, &key, 0).unwrap().unwrap();
        bench.settle();
        assert_eq!(bench.there(&key, "model"), before);
    });
}

#[test]
fn defect_p3_a_lost_acknowledgement_is_recognized_and_sent_once() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let key = bench.key(1);
        bench.pems.force(FaultKind::LostAcknowledgement, 1);
        let id = bench.edit("anna", &key, &[("model", "Demo once")]);
        assert_eq!(bench.send().unknown, 1);
        let (state, _) = bench.edit_state(&id);
        assert_eq!(state, "limbo");
        assert_eq!(status::limbo(&mut bench.session("anna"), &PfaLink).unwrap().len(), 1);
        let report = bench.settle();
        assert_eq!((report.read_back, report.sent), (1, 0), "{report:?}");
        assert_eq!(bench.edit_state(&id).0, "synced");
        assert_eq!(bench.status().conflicts, 0, "its own write is no conflict");
        bench.assert_sent_once();
    });
}

#[test]
fn a_request_that_never_arrived_is_sent_again() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let key = bench.key(1);
    bench.pems.force(FaultKind::LostRequest, 1);
    bench.edit("anna", &key, &[("model", "Demo again")]);
    let report = bench.settle();
    assert_eq!((report.sent, report.read_back, report.applied), (2, 1, 1), "{report:?}");
    bench.assert_sent_once();
    bench.assert_converged();
}

#[test]
fn defect_p6_a_remote_that_is_down_gets_few_requests_and_the_edit_waits_visibly() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let key = bench.key(2);
    bench.pems.set_faults(Faults::none().with(FaultKind::ServerError, 1_000));
    bench.pems.turn_faults(true);
    let id = bench.edit("anna", &key, &[("model", "Demo late")]);
    for _ in 0..60 {
        bench.send();
        bench.clock.advance_us(30_000_000);
    }
    assert!(["limbo", "queued"].contains(&bench.edit_state(&id).0.as_str()), "{:?}", bench.edit_state(&id));
    let asked = bench.pems.injected()["server_error"];
    assert!(asked < 60, "{asked} requests in half an hour");
    bench.pems.set_faults(Faults::none());
    bench.settle();
    assert_eq!(bench.edit_state(&id).0, "synced");
    bench.assert_sent_once();
}

#[test]
fn without_the_right_to_write_edits_wait_and_nothing_is_lost() {
    let options = Options {
        token: Some("may write".into()),
        read_only_token: Some("may read".into()),
        ..Options::default()
    };
    let bench = Bench::sqlite(options);
    let connect =
        |token| plimsoll_engine::sync::Link::connect(&PfaLink, bench.pems.address(), Some(token)).unwrap();
    let mut session = bench.session("anna");
    let mut remote = connect("may read");
    plimsoll_engine::sync::pull::Puller {
        session: &mut session,
        link: &PfaLink,
        remote: remote.as_mut(),
        pace: &bench.pace,
    }
    .changes(crate::support::SCOPE)
    .unwrap();
    let key = bench.key(0);
    let id = bench.edit("anna", &key, &[("model", "Demo right")]);
    let work = |token| {
        let settings = plimsoll_engine::sync::worker::WorkerSettings::named("w");
        let session = bench.session("w");
        let worker = plimsoll_engine::sync::worker::Worker::new(
            session,
            &PfaLink,
            connect(token),
            &bench.pace,
            settings,
        );
        worker.unwrap().drain(&AtomicBool::new(false)).unwrap()
    };
    assert_eq!(work("may read").postponed, 1);
    assert_eq!(bench.edit_state(&id).0, "queued");
    bench.clock.advance_us(600_000_000);
    assert_eq!(work("may write").applied, 1);
    assert_eq!(bench.edit_state(&id).0, "synced");
}

#[test]
fn what_the_remote_refuses_becomes_a_dead_letter_that_a_person_decides() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let key = bench.key(0);
    // A field that PEMS no longer has: its refusal is final.
    bench.pems.drift(&plimsoll_simulator::pems::Drift::Remove { field: "pfs_f_model".into() }).unwrap();
    let id = bench.edit("anna", &key, &[("model", "Demo refused")]);
    assert_eq!(bench.settle().refused, 1);
    let (state, why) = bench.edit_state(&id);
    assert_eq!(state, "failed");
    assert!(why.unwrap().contains("400"));
    let mut anna = bench.session("anna");
    let letters = status::dead_letters(&mut anna, &PfaLink).unwrap();
    assert_eq!(letters.len(), 1);
    bench.pems.drift(&plimsoll_simulator::pems::Drift::Restore).unwrap();
    status::decide_dead_letter(&mut anna, &PfaLink, &key, &letters[0].operation.id, true).unwrap();
    bench.settle();
    assert_eq!(bench.there(&key, "model").as_deref(), Some("Demo refused"));
    assert_eq!(bench.edit_state(&id).0, "synced");
}

#[test]
fn edits_that_wait_travel_together_and_create_rows() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let key = bench.key(5);
        let first = bench.edit("anna", &key, &[("model", "Demo a")]);
        let second = bench.edit("bert", &key, &[("manufacturer", "Demo b")]);
        let report = bench.send();
        assert_eq!(report.sent, 1, "one request for both");
        assert_eq!(
            (bench.edit_state(&first).0, bench.edit_state(&second).0),
            ("synced".into(), "synced".into())
        );
        let words = [
            ("category", "Demo crane"),
            ("source", "Rental"),
            ("monthly_rate", "12.50"),
            ("dor", "BEO"),
            ("is_discontinued", "N"),
            ("is_actualized", "N"),
            ("is_funds_transferable", "N"),
        ];
        bench.edit("anna", "DEMO-NEW", &words);
        let report = bench.settle();
        assert_eq!(report.applied, 1, "{report:?}");
        assert_eq!(bench.there("DEMO-NEW", "monthly_rate").as_deref(), Some("12.50"));
        bench.assert_converged();
        bench.assert_sent_once();
    });
}

#[test]
fn a_broken_rule_is_told_before_anything_is_sent() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let key = bench.key(0);
    bench.edit("anna", &key, &[("forecast_start", "2026-01-01"), ("forecast_end", "2026-06-30")]);
    bench.settle();
    // Defect P10: the edit alone is right, the row would not be.
    let error = bench.try_edit("anna", &key, &[("forecast_start", "2026-07-01")]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("forecast_end"), "{error}");
}

/// Ends the worker at a point, as a process that dies there.
struct DiesAt(&'static str);

impl Probe for DiesAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if point == self.0 { Err(EngineError::new(ErrorKind::Crash, point)) } else { Ok(()) }
    }
}

#[test]
fn defect_p4_a_worker_that_dies_at_any_point_leaves_nothing_behind_and_sends_nothing_twice() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        for (at, point) in
            ["sync:claimed", "sync:dispatched", "sync:answered", "sync:settled"].iter().enumerate()
        {
            let key = bench.key(10 + at);
            let id = bench.edit("anna", &key, &[("model", point)]);
            let mut session = bench.session("dying");
            session.probe = Arc::new(DiesAt(point));
            let remote = plimsoll_engine::sync::Link::connect(&PfaLink, bench.pems.address(), None).unwrap();
            let settings = plimsoll_engine::sync::worker::WorkerSettings::named("dying");
            let mut worker =
                plimsoll_engine::sync::worker::Worker::new(session, &PfaLink, remote, &bench.pace, settings)
                    .unwrap();
            assert_eq!(worker.drain(&AtomicBool::new(false)).unwrap_err().kind, ErrorKind::Crash);
            bench.settle();
            assert_eq!(bench.there(&key, "model").as_deref(), Some(*point));
            assert_eq!(bench.edit_state(&id).0, "synced", "{point}");
        }
        bench.assert_sent_once();
        bench.assert_converged();
    });
}

#[test]
fn defect_p5_two_workers_send_nothing_twice_and_a_sleeper_is_fenced() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        for at in 0..60 {
            bench.edit("anna", &bench.key(at), &[("model", "Demo both")]);
        }
        std::thread::scope(|scope| {
            for name in ["one", "two", "three"] {
                let mut worker = bench.worker(name);
                scope.spawn(move || worker.drain(&AtomicBool::new(false)).unwrap());
            }
        });
        bench.settle();
        assert_eq!(bench.pems.effects().total, 60);
        assert_eq!(bench.pems.counters().writes, 60, "a request that the version guards is one too many");
        bench.assert_sent_once();
        bench.assert_converged();
    });
}

#[test]
fn defect_p7_a_hundred_edits_take_as_long_as_the_rate_allows_and_no_longer() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    for at in 0..100 {
        bench.edit("anna", &bench.key(at), &[("model", "Demo rate")]);
    }
    let pace = plimsoll_engine::sync::worker::Pace::new(Some(10), bench.now_ms());
    let remote = plimsoll_engine::sync::Link::connect(&PfaLink, bench.pems.address(), None).unwrap();
    let settings = plimsoll_engine::sync::worker::WorkerSettings::named("paced");
    let began = bench.now_ms();
    let session = bench.session("paced");
    let mut worker =
        plimsoll_engine::sync::worker::Worker::new(session, &PfaLink, remote, &pace, settings).unwrap();
    assert_eq!(worker.drain(&AtomicBool::new(false)).unwrap().applied, 100);
    let took = bench.now_ms() - began;
    assert!((9_900..=10_500).contains(&took), "100 requests at 10 a second took {took} ms");
}
