//! Requests: one transaction from planning to the receipt, and no trace of what is refused.

use plimsoll_core::value::Value;
use plimsoll_engine::change::{request, run, undo, verify};
use plimsoll_engine::session::Session;
use plimsoll_engine::source::SourceRecord;
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::CrashAt;
use serde_json::json;

crate::on_each_store!(
    a_request_is_a_run_that_verifies_and_can_be_undone,
    a_refused_request_leaves_no_trace,
    a_crash_before_the_commit_leaves_no_trace,
    requests_from_many_connections_lose_nothing
);

fn ask(
    session: &mut Session,
    id: i64,
    balance: i64,
) -> Result<request::Answer, plimsoll_engine::EngineError> {
    let name = format!("account {id:04}");
    let body = Ok(json!({"id": id, "name": name, "balance": balance}));
    let record = SourceRecord { label: name, body };
    request::perform(session, &SYSTEM, &SYNC, &record, "because")
}

fn traces(session: &mut Session) -> i64 {
    ["plan", "change", "run", "batch", "receipt", "event", "quarantine"]
        .iter()
        .map(|table| number(session, &format!("SELECT count(*) FROM plimsoll_{table}")))
        .sum()
}

fn a_request_is_a_run_that_verifies_and_can_be_undone(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let before = dump(session);
    let request::Answer::Done { run: id, changes } = ask(session, 1, 77).unwrap() else { panic!("not done") };
    assert_eq!(changes.len(), 1);
    assert_eq!(cell(session, "account", 1, "balance"), Some(Value::Integer(77)));
    let done = run::load(session.store.as_mut(), &id).unwrap();
    assert_eq!((done.reason.as_str(), done.tally.applied, done.batches), ("because", 1, 1));
    let verified = verify::verify(session, &id).unwrap();
    assert!(verified.ok, "{:?}", verified.problems);
    assert_eq!(ask(session, 1, 77).unwrap(), request::Answer::Unchanged);
    let runs = undo::undo(session, &id, plimsoll_core::undo::UndoMode::Refuse, &batches_of(0), "").unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(dump(session), before);
}

fn a_refused_request_leaves_no_trace(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let (before, traced) = (dump(session), traces(session));
    let answer = ask(session, 1, -5).unwrap();
    assert!(matches!(answer, request::Answer::Refused(_)), "{answer:?}");
    assert_eq!((dump(session), traces(session)), (before, traced));
}

fn a_crash_before_the_commit_leaves_no_trace(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=2);
    let (before, traced) = (dump(session), traces(session));
    for point in ["plan.created", "batch.written", "batch.journaled", "request.written"] {
        session.probe = CrashAt::new(point, 1);
        assert!(ask(session, 1, 5).is_err(), "{point}");
        assert_eq!((dump(session), traces(session)), (before.clone(), traced), "{point}");
    }
}

fn requests_from_many_connections_lose_nothing(place: &Place) {
    let session = &mut place.session();
    seed(session, 1..=8);
    std::thread::scope(|scope| {
        for worker in 0..8_i64 {
            let mut own = session.fork().unwrap();
            scope.spawn(move || {
                for turn in 1..=10 {
                    // Everybody writes account 1 and their own.
                    let answer = ask(&mut own, 1, 1_000 + worker * 100 + turn).unwrap();
                    assert!(!matches!(answer, request::Answer::Refused(_)), "{answer:?}");
                    ask(&mut own, worker + 1, 10_000 + turn).unwrap();
                }
            });
        }
    });
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run WHERE status <> 'finished'"), 0);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_run WHERE conflicted + quarantined > 0"), 0);
    assert!(number(session, "SELECT count(*) FROM plimsoll_run") >= 80 + 70);
    for worker in 1..8 {
        assert_eq!(cell(session, "account", worker + 1, "balance"), Some(Value::Integer(10_010)));
    }
}
