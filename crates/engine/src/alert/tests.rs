//! One incident per cause, its ladder, quiet hours, damping, and an outbox that loses nothing.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use plimsoll_core::clock::Clock;
use plimsoll_store::{Durability, StoreUrl};
use serde_json::Value as Json;

use super::*;
use crate::Session;

/// A clock that moves only when it is told to. 0 is Thursday 2026-01-01T12:00:00Z.
#[derive(Default)]
struct TestClock(AtomicI64);

impl TestClock {
    fn minutes(&self, minutes: i64) {
        self.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> String {
        let at =
            jiff::Timestamp::from_millisecond(1_767_268_800_000 + self.0.load(Ordering::SeqCst)).unwrap();
        format!("{at:.3}")
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn sleep_ms(&self, ms: u64) {
        self.0.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }
}

struct Bench {
    session: Session,
    clock: Arc<TestClock>,
    _folder: tempfile::TempDir,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite { path: folder.path().join("control.db"), durability: Durability::Normal };
    let mut session = Session::new(plimsoll_store::open(&url).unwrap(), "tester");
    let clock = Arc::new(TestClock::default());
    session.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    crate::control::prepare(&mut session).unwrap();
    Bench { session, clock, _folder: folder }
}

/// A receiver that keeps what it takes, and refuses as often as told.
#[derive(Default)]
struct Receiver {
    taken: RefCell<Vec<String>>,
    refusals: RefCell<Vec<Refusal>>,
}

impl Transport for Receiver {
    fn post(&self, body: &str) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusals.borrow_mut().pop() {
            return Err(refusal);
        }
        let body: Json = serde_json::from_str(body).unwrap();
        self.taken.borrow_mut().push(body["text"].as_str().unwrap().to_owned());
        Ok(())
    }
}

impl Receiver {
    fn take(&self) -> Vec<String> {
        self.taken.take()
    }
}

fn signal(cause: &str, severity: Severity) -> Signal {
    Signal {
        cause: cause.to_owned(),
        severity,
        title: format!("{cause} is wrong"),
        detail: "3 of 12 rows <are> wrong".to_owned(),
        runbook: "docs/runbooks/check-failed.md".to_owned(),
        system: "opencode".to_owned(),
    }
}

impl Bench {
    fn raise(&mut self, cause: &str, severity: Severity) -> Outcome {
        raise(&mut self.session, &signal(cause, severity)).unwrap().1
    }

    fn pass(&mut self, receiver: &Receiver) -> Delivery {
        deliver(&mut self.session, &Policy::default(), Some(receiver)).unwrap()
    }

    fn kinds(&mut self) -> Vec<String> {
        crate::event::list(self.session.store.as_mut(), None)
            .unwrap()
            .into_iter()
            .map(|event| event.kind)
            .collect()
    }
}

#[test]
fn a_cause_is_one_incident_however_often_it_is_signalled() {
    let mut bench = bench();
    let receiver = Receiver::default();
    assert_eq!(bench.raise("check/a", Severity::P2), Outcome::Opened);
    for _ in 0..50 {
        assert_eq!(bench.raise("check/a", Severity::P2), Outcome::Counted);
    }
    assert_eq!(bench.raise("check/b", Severity::P1), Outcome::Opened);
    assert_eq!(bench.raise("check/a", Severity::P1), Outcome::Escalated);
    assert_eq!(bench.pass(&receiver).sent, 3);
    assert_eq!(
        receiver.take(),
        [
            "[P2] check/a is wrong (incident 1)",
            "[P1] check/b is wrong (incident 2)",
            "[P1, it got worse] check/a is wrong (incident 1)"
        ]
    );
    let known = find(&mut bench.session, "check/a").unwrap();
    assert_eq!((known.number, known.occurrences, known.severity), (1, 52, Severity::P1));
    assert_eq!(
        clear(&mut bench.session, "check/a", "passes again").unwrap().unwrap().status,
        Status::Resolved
    );
    assert_eq!(clear(&mut bench.session, "check/a", "passes again").unwrap(), None);
    assert_eq!(bench.pass(&receiver).sent, 1);
    assert_eq!(receiver.take(), ["[resolved] check/a is wrong (incident 1)"]);
    assert_eq!(
        bench.kinds(),
        ["incident.opened", "incident.opened", "incident.escalated", "incident.resolved"]
    );
}

#[test]
fn an_incident_that_nobody_takes_is_repeated_at_declared_intervals() {
    let mut bench = bench();
    let receiver = Receiver::default();
    bench.raise("check/a", Severity::P0);
    bench.pass(&receiver);
    let mut heard = Vec::new();
    receiver.take();
    for minute in 1..=130 {
        bench.clock.minutes(1);
        bench.pass(&receiver);
        if !receiver.take().is_empty() {
            heard.push(minute);
        }
    }
    // 5, 10, 15, 30, then 60 and 60 again.
    assert_eq!(heard, [5, 15, 30, 60, 120]);
    acknowledge(&mut bench.session, "1", "looking").unwrap();
    bench.clock.minutes(600);
    assert_eq!(bench.pass(&receiver), Delivery::default());
    assert_eq!(bench.raise("check/a", Severity::P0), Outcome::Counted);
    assert_eq!(bench.pass(&receiver).sent, 0);
}

#[test]
fn a_cause_that_comes_and_goes_is_damped() {
    let mut bench = bench();
    let receiver = Receiver::default();
    bench.raise("check/a", Severity::P1);
    let mut told = 0;
    for round in 0..20 {
        bench.clock.minutes(1);
        clear(&mut bench.session, "check/a", "passes").unwrap();
        told += bench.pass(&receiver).sent;
        bench.clock.minutes(1);
        let outcome = bench.raise("check/a", Severity::P1);
        assert_eq!(outcome, if round < 3 { Outcome::Reopened } else { Outcome::Counted }, "round {round}");
        told += bench.pass(&receiver).sent;
    }
    assert!(told <= 8, "{told} messages for 40 changes");
    assert_eq!(list(&mut bench.session, true).unwrap().len(), 1);
    clear(&mut bench.session, "check/a", "passes").unwrap();
    bench.clock.minutes(14);
    assert_eq!(bench.pass(&receiver).settled, 0);
    bench.clock.minutes(1);
    assert_eq!(bench.pass(&receiver).settled, 1);
    assert!(receiver.take().last().unwrap().starts_with("[resolved]"));
    // Long afterwards it is a new incident.
    bench.clock.minutes(600);
    assert_eq!(bench.raise("check/a", Severity::P1), Outcome::Opened);
}

#[test]
fn in_quiet_hours_only_p0_is_told_and_the_rest_waits() {
    let mut bench = bench();
    let receiver = Receiver::default();
    let policy = Policy { quiet: Some(QuietHours::read("22:00-07:00 Europe/Berlin").unwrap()) };
    // 21:30 UTC is 22:30 in Berlin.
    bench.clock.minutes(9 * 60 + 30);
    bench.raise("check/a", Severity::P1);
    bench.raise("check/short", Severity::P2);
    bench.raise("check/b", Severity::P0);
    clear(&mut bench.session, "check/short", "passes").unwrap();
    let pass = deliver(&mut bench.session, &policy, Some(&receiver)).unwrap();
    assert_eq!((pass.sent, pass.held), (1, 2));
    assert_eq!(receiver.take(), ["[P0] check/b is wrong (incident 3)"]);
    acknowledge(&mut bench.session, "check/b", "").unwrap();
    // The ladder makes no second notice of one that nobody could hear.
    bench.clock.minutes(8 * 60 + 29);
    assert_eq!(deliver(&mut bench.session, &policy, Some(&receiver)).unwrap().sent, 0);
    bench.clock.minutes(1);
    assert_eq!(deliver(&mut bench.session, &policy, Some(&receiver)).unwrap().sent, 2);
    assert_eq!(
        receiver.take(),
        ["[P1] check/a is wrong (incident 1)", "[resolved] check/short is wrong (incident 2)"]
    );
}

#[test]
fn a_receiver_that_fails_loses_nothing_and_is_not_pressed() {
    let mut bench = bench();
    let receiver = Receiver::default();
    let refuse = |wait_ms| Refusal { why: "the receiver answered 500".to_owned(), wait_ms };
    receiver.refusals.borrow_mut().extend([refuse(Some(120_000)), refuse(None), refuse(None)]);
    bench.raise("check/a", Severity::P1);
    bench.raise("check/b", Severity::P1);
    let mut tries = Vec::new();
    for second in 0..300 {
        let pass = bench.pass(&receiver);
        if pass.failed + pass.sent > 0 {
            tries.push((second, pass.failed, pass.sent));
        }
        bench.clock.sleep_ms(1_000);
    }
    // The first is refused and the second waits for the next pass; both wait longer each time, or as they are asked.
    assert_eq!(tries, [(0, 1, 0), (1, 1, 0), (10, 1, 0), (11, 0, 1), (130, 0, 1)]);
    assert_eq!(receiver.take().len(), 2);
    assert!(notices(&mut bench.session, None).unwrap().is_empty());
}

#[test]
fn a_process_that_dies_while_sending_leaves_the_notice_to_the_next() {
    struct Dies;
    impl Transport for Dies {
        fn post(&self, _body: &str) -> Result<(), Refusal> {
            std::panic::panic_any("killed");
        }
    }
    let mut bench = bench();
    bench.raise("check/a", Severity::P1);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drop(deliver(&mut bench.session, &Policy::default(), Some(&Dies)));
    }));
    assert!(died.is_err());
    let receiver = Receiver::default();
    assert_eq!(bench.pass(&receiver).sent, 0, "the claim of the dead process holds for a minute");
    bench.clock.minutes(1);
    assert_eq!(bench.pass(&receiver).sent, 1);
}

#[test]
fn a_flood_is_one_message() {
    let mut bench = bench();
    let receiver = Receiver::default();
    for number in 0..30 {
        bench.raise(&format!("check/{number}"), if number == 7 { Severity::P0 } else { Severity::P2 });
    }
    assert_eq!(bench.pass(&receiver).sent, 30);
    assert_eq!(receiver.take(), ["[P0] 30 notices at once"]);
}

#[test]
fn what_people_did_is_in_the_digest() {
    let mut bench = bench();
    bench.raise("check/old", Severity::P2);
    clear(&mut bench.session, "check/old", "passes").unwrap();
    bench.clock.minutes(8 * 24 * 60);
    bench.raise("check/a", Severity::P1);
    bench.raise("check/a", Severity::P1);
    bench.clock.minutes(10);
    acknowledge(&mut bench.session, "check/a", "looking").unwrap();
    bench.clock.minutes(50);
    assert!(resolve(&mut bench.session, "check/a", " ").is_err());
    resolve(&mut bench.session, "check/a", "repaired").unwrap();
    bench.raise("check/b", Severity::P2);
    let figures = vec![Figure { name: "Cost".to_owned(), value: "12.50 USD".to_owned() }];
    let digest = digest(&mut bench.session, 7, figures).unwrap();
    let text = digest.to_markdown();
    for line in [
        "- Incidents opened: 0 P0, 1 P1, 1 P2",
        "- Resolved: 1, still open: 1",
        "- Median time to acknowledge: 10 min",
        "- Median time to resolve: 1 h 0 min",
        "- P2 check/b is wrong (incident 3, since 2026-01-09T13:00:00.000Z)",
        "- check/a: 2",
        "- Cost: 12.50 USD",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("check/old"));
    digest.send(&mut bench.session).unwrap();
    let receiver = Receiver::default();
    bench.pass(&receiver);
    assert!(receiver.take().iter().any(|text| text == "Plimsoll, 2026-01-02 to 2026-01-09"));
}

#[test]
fn a_message_is_escaped_and_the_address_does_not_show() {
    let mut bench = bench();
    let (incident, _) = raise(&mut bench.session, &signal("check/a", Severity::P1)).unwrap();
    let waiting = notices(&mut bench.session, Some(&incident.id)).unwrap();
    let attachment = &waiting[0].body["attachments"][0];
    assert_eq!(attachment["text"], "3 of 12 rows &lt;are&gt; wrong");
    assert!(attachment["footer"].as_str().unwrap().contains(waiting[0].id.short()));
    let fields = attachment["fields"].to_string();
    for part in ["docs/runbooks/check-failed.md", "respond within 1 hour", "plimsoll alert acknowledge 1"] {
        assert!(fields.contains(part), "{part} is not in {fields}");
    }
    let secret = "http://127.0.0.1:9/services/T0/B0/verysecret";
    let webhook = Webhook::new(Address::read(&format!(" {secret}\n")).unwrap());
    let refusal = webhook.post("{}").unwrap_err();
    let shown = format!("{webhook:?} {refusal:?} {:?}", Address::read("verysecret").unwrap_err());
    assert!(!shown.contains("verysecret"), "{shown}");
    assert_eq!(refusal.why, "the receiver refuses connections");
}
