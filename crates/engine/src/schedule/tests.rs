//! Times, claims, missed times, failures, on a clock that moves when it is told to.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll_core::clock::Clock;
use plimsoll_core::value::Value;
use plimsoll_store::{Durability, StoreUrl};

use super::*;
use crate::alert::{self, Severity};
use crate::{ErrorKind, Session};

struct TestClock(AtomicI64);

impl TestClock {
    fn set(&self, moment: &str) {
        self.0.store(moment.parse::<jiff::Timestamp>().unwrap().as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> String {
        format!("{:.3}", jiff::Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap())
    }

    fn monotonic_ms(&self) -> u64 {
        u64::try_from(self.0.load(Ordering::SeqCst)).unwrap()
    }

    fn sleep_ms(&self, ms: u64) {
        self.0.fetch_add(i64::try_from(ms).unwrap(), Ordering::SeqCst);
    }
}

/// A host that notes what it is asked to run, takes time on the clock, and ends as it is told.
struct TestHost {
    clock: Arc<TestClock>,
    asked: Mutex<Vec<String>>,
    code: i32,
    takes_ms: u64,
}

impl Host for TestHost {
    fn run(&self, command: &[String], _limit: Duration) -> Ended {
        self.asked.lock().unwrap().push(command.join(" "));
        self.clock.sleep_ms(self.takes_ms);
        Ended { code: self.code, output: format!("exit {}", self.code) }
    }
}

struct Bench {
    session: Session,
    host: TestHost,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(moment: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite { path: folder.path().join("control.db"), durability: Durability::Normal };
        let mut session = Session::new(plimsoll_store::open(&url).unwrap(), "tester");
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        clock.set(moment);
        session.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        crate::control::prepare(&mut session).unwrap();
        let host = TestHost { clock, asked: Mutex::default(), code: 0, takes_ms: 1_500 };
        Self { session, host, _folder: folder }
    }

    fn add(&mut self, name: &str, cron: &str, missed: Missed) {
        let command = ["check", "opencode", "--report", "health-{date}.md"].map(str::to_owned).to_vec();
        let new = NewSchedule {
            name: name.to_owned(),
            cron: cron.to_owned(),
            zone: "Europe/Berlin".to_owned(),
            command,
            missed,
            severity: Severity::P1,
            limit_minutes: 60,
        };
        add(&mut self.session, &new, "test").unwrap();
    }

    fn at(&mut self, moment: &str) -> Vec<Executed> {
        self.host.clock.set(moment);
        run_due(&mut self.session, &self.host).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.host.asked.lock().unwrap())
    }

    fn outcomes(&mut self) -> Vec<(String, &'static str)> {
        let runs = history(&mut self.session, None, 100).unwrap();
        runs.into_iter().rev().map(|run| (run.due_at, run.outcome.as_str())).collect()
    }
}

fn times(cron: &str, from: &str, count: usize) -> Vec<String> {
    let timetable = Timetable::read(cron, "Europe/Berlin").unwrap();
    let mut found = Vec::new();
    let mut at = from.to_owned();
    for _ in 0..count {
        at = timetable.next(&at).unwrap().unwrap();
        found.push(at.replace(":00.000Z", "Z"));
    }
    found
}

#[test]
fn fixed_times_and_intervals_follow_summer_time() {
    // On 2026-03-29 Berlin goes from 02:00 to 03:00 (01:00 UTC), on 2026-10-25 from 03:00 back to 02:00.
    assert_eq!(
        times("30 2 * * *", "2026-03-27T12:00:00Z", 3),
        ["2026-03-28T01:30Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"],
        "a time that does not exist is run right after the gap"
    );
    assert_eq!(
        times("30 2 * * *", "2026-10-24T12:00:00Z", 2),
        ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
        "a time that exists twice is run once"
    );
    assert_eq!(
        times("*/30 * * * *", "2026-10-25T00:15:00Z", 5),
        [
            "2026-10-25T00:30Z",
            "2026-10-25T01:00Z",
            "2026-10-25T01:30Z",
            "2026-10-25T02:00Z",
            "2026-10-25T02:30Z"
        ],
        "an interval goes on"
    );
    assert_eq!(times("0 6 * * *", "2026-03-28T06:00:00Z", 2), ["2026-03-29T04:00Z", "2026-03-30T04:00Z"]);
    assert_eq!(times("@weekly", "2026-01-01T00:00:00Z", 1), ["2026-01-03T23:00Z"]);
    for wrong in ["", "61 * * * *", "* * * *", "* * * * * *", "every day"] {
        assert!(Timetable::read(wrong, "UTC").unwrap_err().message.contains("hint:"), "{wrong}");
    }
}

#[test]
fn a_daily_check_runs_each_day_once() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    bench.add("daily-health", "0 6 * * *", Missed::Once);
    assert!(bench.at("2026-01-11T04:59:59Z").is_empty());
    let executed = bench.at("2026-01-11T05:00:00Z");
    assert_eq!((executed.len(), executed[0].duration_ms, executed[0].outcome), (1, 1_500, RunOutcome::Done));
    assert!(bench.at("2026-01-11T05:00:30Z").is_empty());
    bench.at("2026-01-12T05:00:20Z");
    assert_eq!(
        bench.asked(),
        ["check opencode --report health-2026-01-11.md", "check opencode --report health-2026-01-12.md"]
    );
    set_enabled(&mut bench.session, "daily-health", false, "holiday").unwrap();
    assert!(bench.at("2026-01-20T12:00:00Z").is_empty());
    set_enabled(&mut bench.session, "daily-health", true, "back").unwrap();
    assert!(bench.at("2026-01-20T12:01:00Z").is_empty(), "times while it was disabled are not missed");
    assert_eq!(bench.at("2026-01-21T05:00:00Z").len(), 1);
}

#[test]
fn missed_times_are_skipped_run_once_or_all_run() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    for (name, missed) in [("skip", Missed::Skip), ("once", Missed::Once), ("all", Missed::All)] {
        bench.add(name, "0 6 * * *", missed);
    }
    // Nobody ran anything for three mornings.
    let executed = bench.at("2026-01-13T12:00:00Z");
    let ran: Vec<_> = executed.iter().map(|run| format!("{} {}", run.schedule, &run.due_at[..10])).collect();
    assert_eq!(ran, ["all 2026-01-11", "once 2026-01-13", "all 2026-01-12", "all 2026-01-13"]);
    let skipped: Vec<_> = history(&mut bench.session, None, 100)
        .unwrap()
        .into_iter()
        .filter(|run| run.outcome == RunOutcome::Skipped)
        .map(|run| format!("{}: {}", run.schedule, run.output))
        .collect();
    assert_eq!(
        skipped,
        [
            "skip: missed from 2026-01-11T05:00:00.000Z up to 2026-01-13T05:00:00.000Z",
            "once: missed from 2026-01-11T05:00:00.000Z before 2026-01-13T05:00:00.000Z"
        ]
    );
    // A few seconds late is not missed.
    assert_eq!(bench.at("2026-01-14T05:00:40Z").len(), 3);
}

#[test]
fn a_failure_is_one_incident_until_it_runs_again() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    bench.add("daily-health", "0 6 * * *", Missed::Once);
    bench.host.code = 1;
    bench.at("2026-01-11T05:00:00Z");
    bench.at("2026-01-12T05:00:00Z");
    let open = alert::list(&mut bench.session, false).unwrap();
    assert_eq!((open.len(), open[0].occurrences, open[0].severity), (1, 2, Severity::P1));
    assert!(open[0].detail.contains("plimsoll check opencode") && open[0].detail.contains("exit 1"));
    bench.host.code = 0;
    bench.at("2026-01-13T05:00:00Z");
    assert!(alert::list(&mut bench.session, false).unwrap().is_empty());
    let outcomes: Vec<_> = bench.outcomes().into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["failed", "failed", "done"]);
}

#[test]
fn nobody_runs_a_schedule_that_somebody_runs() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    bench.add("often", "* * * * *", Missed::Once);
    bench.host.clock.set("2026-01-10T12:01:00Z");
    let claim = claim_due(&mut bench.session, 9).unwrap().remove(0);
    let mut other = bench.session.fork().unwrap();
    bench.host.clock.set("2026-01-10T12:01:50Z");
    assert!(claim_due(&mut other, 9).unwrap().is_empty());
    bench.host.clock.set("2026-01-10T12:02:00Z");
    assert!(claim_due(&mut other, 9).unwrap().is_empty(), "this process lives and holds the lease");
    assert_eq!(claim_now(&mut other, "often").unwrap_err().kind, ErrorKind::Refused);
    // The holder is on another machine and is not heard of any more.
    let sql = "UPDATE plimsoll_schedule_lease SET holder = 'elsewhere/1/1', until = $1";
    other.store.execute(sql, &[Value::text("2026-01-10T12:03:00.000Z")]).unwrap();
    bench.host.clock.set("2026-01-10T12:02:59Z");
    assert!(claim_due(&mut other, 9).unwrap().is_empty(), "its lease still holds");
    bench.host.clock.set("2026-01-10T12:03:00Z");
    let second = claim_due(&mut other, 9).unwrap().remove(0);
    assert_eq!((claim.epoch, second.epoch), (1, 2));
    // The first wakes up: it was fenced off, and writes nothing.
    let error = execute(&mut bench.session, &bench.host, &claim).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    execute(&mut other, &bench.host, &second).unwrap();
    let outcomes: Vec<_> = bench.outcomes().into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(outcomes, ["abandoned", "skipped", "done"]);
}

#[test]
fn a_holder_that_died_here_is_replaced_at_once() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    bench.add("often", "* * * * *", Missed::Once);
    bench.host.clock.set("2026-01-10T12:01:00Z");
    claim_due(&mut bench.session, 9).unwrap();
    // The start of this process is another than that of the dead one which had its number.
    let dead = crate::owner::current().rsplit_once('/').unwrap().0.to_owned() + "/1";
    bench
        .session
        .store
        .execute("UPDATE plimsoll_schedule_lease SET holder = $1", &[Value::text(dead)])
        .unwrap();
    assert_eq!(bench.at("2026-01-10T12:02:00Z").len(), 1);
}

#[test]
fn two_processes_start_each_time_once() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    bench.add("often", "* * * * *", Missed::All);
    bench.host.clock.set("2026-01-10T12:20:00Z");
    bench.host.takes_ms = 0;
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let mut session = bench.session.fork().unwrap();
            let host = &bench.host;
            scope.spawn(move || run_due(&mut session, host).unwrap());
        }
    });
    run_due(&mut bench.session, &bench.host).unwrap();
    let due: Vec<_> = bench.outcomes().into_iter().map(|(due, _)| due).collect();
    let mut distinct = due.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((due.len(), distinct.len()), (20, 20));
}

#[test]
fn only_commands_from_the_list_are_taken() {
    let mut bench = Bench::new("2026-01-10T12:00:00Z");
    let mut new = NewSchedule {
        name: "a".to_owned(),
        cron: "@daily".to_owned(),
        zone: "UTC".to_owned(),
        command: vec!["purge".to_owned()],
        missed: Missed::Skip,
        severity: Severity::P2,
        limit_minutes: 1,
    };
    assert!(add(&mut bench.session, &new, "").unwrap_err().message.contains("it runs one of: check, run"));
    new.command = vec!["alert".to_owned(), "resolve".to_owned()];
    assert!(add(&mut bench.session, &new, "").is_err());
    new.command = vec!["alert".to_owned(), "digest".to_owned()];
    add(&mut bench.session, &new, "").unwrap();
    assert!(add(&mut bench.session, &new, "").unwrap_err().message.contains("already"));
    new.name = "A b".to_owned();
    assert!(add(&mut bench.session, &new, "").is_err());
    remove(&mut bench.session, "a", "").unwrap();
    assert!(find(&mut bench.session, "a").is_err());
    let never = NewSchedule { name: "b".to_owned(), cron: "0 0 30 2 *".to_owned(), ..new };
    assert!(add(&mut bench.session, &never, "").is_err());
}
