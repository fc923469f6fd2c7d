//! `cargo xtask bench gauges`: how long the check of an ID, a set, a replacement and a history take as history grows.
//!
//! In the profile of tests, so the figures are upper bounds. The history that is there already is generated in the
//! database: the tables and indexes are the real ones, the digests are not, and nobody verifies them here.

use std::time::Instant;

use plimsoll_core::value::Value;
use plimsoll_store::DatabaseKind;
use serde_json::json;

use crate::support::{Lab, new_set, perform, spare};

/// Questions for each figure, and operations.
const QUESTIONS: i64 = 2_000;
const OPERATIONS: i64 = 300;

/// Lines of history that are there, with an ID of the ledger and two subjects for each.
const SIZES: [i64; 3] = [1_000, 100_000, 1_000_000];

struct Figures(Vec<f64>);

impl Figures {
    fn take(&mut self, work: impl FnOnce()) {
        let began = Instant::now();
        work();
        self.0.push(began.elapsed().as_secs_f64() * 1e3);
    }

    fn print(mut self, what: &str) -> f64 {
        self.0.sort_by(f64::total_cmp);
        let at = |share: f64| self.0[((self.0.len() - 1) as f64 * share).round() as usize];
        println!("  {what:<34} p50 {:8.3} ms  p95 {:8.3} ms  p99 {:8.3} ms", at(0.5), at(0.95), at(0.99));
        at(0.99)
    }
}

/// Adds lines until there are so many: each of a set of its own that was made and has ended.
fn grow(lab: &mut Lab, from: i64, until: i64) {
    let numbers = match lab.session.store.kind() {
        DatabaseKind::Sqlite => format!(
            "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i FROM n",
            until - 1
        ),
        DatabaseKind::Postgres => {
            format!("SELECT i FROM generate_series(CAST({from} AS bigint), {}) AS i", until - 1)
        }
    };
    let id = "'SR' || CASE WHEN i < 10000 THEN substr('0000' || i, length('0000' || i) - 3) ELSE CAST(i AS text) END";
    let at = "'2026-01-05T08:00:00.000Z'";
    let line = 1_000_000;
    for sql in [
        format!(
            "INSERT INTO gauge_history SELECT i + {line}, {at}, 'ada', 'create-set', {id}, 'before', '[]', '{{}}', 'x', 'x'
             FROM ({numbers}) s"
        ),
        format!("INSERT INTO gauge_history_subjects SELECT 'set:' || {id}, i + {line} FROM ({numbers}) s"),
        format!("INSERT INTO gauge_history_subjects SELECT 'gauge:E-' || i, i + {line} FROM ({numbers}) s"),
        format!(
            "INSERT INTO gauge_set_ids SELECT {id}, 1, 'SR', i, 'backfilled', {}, i + {line}, {at}, 'ada' FROM ({numbers}) s",
            if lab.session.store.kind() == DatabaseKind::Sqlite { "1" } else { "true" }
        ),
        format!(
            "INSERT INTO gauge_sets SELECT {id}, 'SR', '{{}}', i + {line}, {at}, 'ada', 'unpaired', i + {line}, {at}
             FROM ({numbers}) s"
        ),
    ] {
        lab.session.store.execute(&sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    if lab.session.store.kind() == DatabaseKind::Postgres {
        for table in ["gauge_history", "gauge_history_subjects", "gauge_set_ids", "gauge_sets"] {
            lab.session.store.execute(&format!("ANALYZE {table}"), &[]).unwrap();
        }
    }
}

/// Notes a p99 that is over what was asked; every figure is printed first.
fn over(late: &mut Vec<String>, what: &str, took: f64, asked: f64) {
    if took >= asked {
        late.push(format!("{what}: p99 {took:.1} ms, asked is under {asked} ms"));
    }
}

/// What is over what was asked.
fn measure(lab: &mut Lab, name: &str) -> Vec<String> {
    // A line more than the generated ones, which begin behind it.
    lab.ok("keep-rejection-reason", json!({"rejection_reason": "dull", "title": "dull"}));
    let (mut there, mut late) = (1, Vec::new());
    for (at, size) in SIZES.into_iter().enumerate() {
        let began = Instant::now();
        grow(lab, there, size);
        there = size;
        println!("{name}, {size} lines of history (generated in {:.0} s)", began.elapsed().as_secs_f64());
        let mut check = Figures(Vec::new());
        for turn in 0..QUESTIONS {
            // Every other one was given out.
            let number = 1 + (turn * 7_919) % (size * 2 - 1);
            let id = format!("SR{number:04}");
            check.take(|| {
                let found = plimsoll_gauges::register::check_availability(&mut lab.session, &id).unwrap();
                assert_eq!(found.available, number >= size, "{id}");
            });
        }
        over(&mut late, "historical check", check.print("historical check of an ID"), 100.0);
        let (mut make, mut replace, mut refuse, mut history) =
            (Figures(Vec::new()), Figures(Vec::new()), Figures(Vec::new()), Figures(Vec::new()));
        let day = lab.today();
        for turn in 0..OPERATIONS {
            let name = |what: &str| format!("{what}-{at}-{turn}");
            let fields = new_set(&name("G"), &name("N"), &day);
            make.take(|| drop(perform(&mut lab.session, "create-set", fields).unwrap().unwrap()));
            perform(&mut lab.session, "register", spare(&name("X"), "go", &day)).unwrap().unwrap();
            let set = lab.set_of(&name("G")).unwrap();
            let fields = json!({"set": set, "old": name("G"), "new": name("X")});
            replace.take(|| drop(perform(&mut lab.session, "replace", fields).unwrap().unwrap()));
            let mut used = new_set(&name("U"), &name("V"), &day);
            used["id"] = json!(set);
            refuse.take(|| drop(perform(&mut lab.session, "create-set", used).unwrap().unwrap_err()));
            history.take(|| {
                let lines =
                    plimsoll_gauges::audit::lines_about(&mut lab.session, &format!("set:{set}")).unwrap();
                assert_eq!(lines.len(), 2);
            });
        }
        over(&mut late, "create", make.print("create a set"), 200.0);
        over(&mut late, "replace", replace.print("replace a member"), 500.0);
        refuse.print("refuse an ID in use");
        over(&mut late, "history", history.print("history of a set"), 100.0);
    }
    let explain = match lab.session.store.kind() {
        DatabaseKind::Sqlite => "EXPLAIN QUERY PLAN",
        DatabaseKind::Postgres => "EXPLAIN",
    };
    println!("{name}, the plan of the historical check:");
    let sql = "SELECT i.issued_at, s.ended, s.ended_at FROM gauge_set_ids i LEFT JOIN gauge_sets s ON s.set_id = i.set_id
        WHERE i.set_id = 'SR0007' ORDER BY i.issue DESC LIMIT 1";
    for row in lab.rows(&format!("{explain} {sql}")) {
        let cells: Vec<&str> = row.iter().filter_map(Value::as_text).collect();
        println!("  {}", cells.join(" "));
    }
    late
}

#[test]
#[ignore = "a measurement of some minutes"]
fn speed_of_operations_as_history_grows() {
    let mut late = measure(&mut Lab::sqlite(), "SQLite");
    match Lab::postgres() {
        Some(mut lab) => late.extend(measure(&mut lab, "PostgreSQL")),
        None => println!("left out: PostgreSQL is not installed"),
    }
    assert_eq!(late, Vec::<String>::new());
}
