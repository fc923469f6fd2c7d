//! The history of checks, trends, and the forms of the report.

use plimsoll_engine::check::{Trend, Verdict};
use plimsoll_store::analytics::OwnedCell;

use crate::checks::{Steps, checks, run};
use crate::world::World;

#[test]
fn every_run_is_in_the_history_and_the_trend_is_told() {
    let store = World::new().store();
    let (checks, clock) = (checks(), Steps::of(1));
    let first = run(&store, &checks, &clock, "run-1");
    assert!(first.findings.iter().all(|found| found.trend == Trend::First));
    store.run_script("INSERT INTO parts (id, message_id) VALUES ('prt_lost', 'msg_gone')").unwrap();
    let second = run(&store, &checks, &clock, "run-2");
    let orphans = second.finding("orphans").unwrap();
    assert_eq!((orphans.trend, orphans.before, orphans.value), (Trend::Broke, Some(0.0), Some(1.0)));
    assert!(!second.is_healthy());
    store.run_script("INSERT INTO parts (id, message_id) VALUES ('prt_more', 'msg_gone')").unwrap();
    assert_eq!(run(&store, &checks, &clock, "run-3").finding("orphans").unwrap().trend, Trend::Worse);
    store.run_script("DELETE FROM parts WHERE message_id = 'msg_gone'").unwrap();
    let fourth = run(&store, &checks, &clock, "run-4");
    assert_eq!(fourth.finding("orphans").unwrap().trend, Trend::Recovered);
    assert_eq!(fourth.finding("duplicates").unwrap().trend, Trend::Same);

    let sql = "SELECT run_id, count(*), count(*) FILTER (WHERE json_valid(samples)) FROM health_check_history
        GROUP BY run_id ORDER BY run_id";
    let rows = store.query(sql, &[]).unwrap().rows;
    let number = |row: usize, column: usize| match rows[row][column] {
        OwnedCell::Integer(number) => number,
        _ => panic!("{:?}", rows[row]),
    };
    assert_eq!((0..4).map(|row| number(row, 1)).collect::<Vec<_>>(), [checks.len() as i64; 4]);
    // Orphans, and the reference that is broken with them.
    assert_eq!((0..4).map(|row| number(row, 2)).collect::<Vec<_>>(), [0, 2, 2, 0]);
}

#[test]
fn a_report_names_what_failed_with_sample_and_hint() {
    let store = World::new().store();
    store.run_script("INSERT INTO parts (id, message_id) VALUES ('prt_lost', 'msg_gone')").unwrap();
    let report = run(&store, &checks(), &Steps::of(1), "run-1");
    let text = report.to_text();
    assert!(text.contains("fail     orphans"), "{text}");
    assert!(text.contains("msg_gone") && text.contains("hint: reconcile"), "{text}");
    assert!(text.ends_with("20 of 23 checks pass, 2 fail, 1 have nothing to measure\n"), "{text}");
    let markdown = report.to_markdown();
    assert!(
        markdown.contains(
            "| fail | `orphans`: Every message has its session, every part its message | 1 | = 0 |"
        ),
        "{markdown}"
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["failed"], &json["healthy"]), (&2.into(), &false.into()));
    let orphans =
        json["findings"].as_array().unwrap().iter().find(|found| found["check"] == "orphans").unwrap();
    assert_eq!(orphans["samples"][0]["example"], "prt_lost");
    assert_eq!(orphans["threshold"], "= 0");
}

#[test]
fn a_check_that_cannot_run_has_failed() {
    let store = World::new().store();
    store.run_script("DROP TABLE errors").unwrap();
    let report = run(&store, &checks(), &Steps::of(1), "run-1");
    let found = report.finding("errors-classified").unwrap();
    assert_eq!((found.verdict, found.value), (Verdict::Error, None));
    assert!(!report.is_healthy());
    assert!(found.message.as_ref().unwrap().contains("errors"), "{:?}", found.message);
}
