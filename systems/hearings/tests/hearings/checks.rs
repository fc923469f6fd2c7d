//! The system's checks: green on a small world, each red after its fault was planted, on SQLite and PostgreSQL.

use std::collections::BTreeSet;

use plimsoll_core::clock::Clock;
use plimsoll_engine::check::{Check, Checkup, Report, Severity, Verdict};
use plimsoll_hearings::SYSTEM;
use plimsoll_store::DatabaseKind;

use crate::support::{Database, snapshot};

/// Six in the morning; a question for the time takes a millisecond.
struct Morning(std::sync::atomic::AtomicU64);

impl Clock for Morning {
    fn now(&self) -> String {
        "2026-01-20T06:00:00.000Z".into()
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_us() / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        self.0.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed)
    }

    fn sleep_ms(&self, _: u64) {}
}

/// Twenty hearings of one committee, each with a witness, a document and a transcript.
const WORLD: &str = "
    INSERT INTO committees (committee_id, system_code, name, chamber, type, congress)
        VALUES (1, 'hsii00', 'Natural Resources', 'House', 'Standing', 119);
    INSERT INTO hearings (hearing_id, event_id, congress, chamber, title, hearing_type, status, hearing_date,
            hearing_date_only, update_date, youtube_video_id)
        SELECT n, 'e' || n, 119, 'House', 'Water ' || n, 'Hearing', 'Scheduled', '2026-01-15', '2026-01-15',
            '2026-01-19 20:00:00', 'abcdefghij_' FROM numbers;
    INSERT INTO hearing_committees (hearing_id, committee_id) SELECT n, 1 FROM numbers;
    INSERT INTO witnesses (witness_id, full_name, organization) SELECT n, 'Witness ' || n, 'River Trust' FROM numbers;
    INSERT INTO witness_appearances (appearance_id, witness_id, hearing_id) SELECT n, n, n FROM numbers;
    INSERT INTO witness_documents (document_id, appearance_id, document_type, document_url)
        SELECT n, n, 'Statement', 'https://example.org/' || n FROM numbers;
    INSERT INTO hearing_transcripts (transcript_id, hearing_id) SELECT n, n FROM numbers;
    DROP TABLE numbers;";

fn world(mut database: Database) -> Database {
    let postgres = database.store.kind() == DatabaseKind::Postgres;
    let numbers = if postgres {
        "CREATE TABLE numbers AS SELECT n FROM generate_series(1, 20) AS g(n);"
    } else {
        "CREATE TABLE numbers AS WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 20) SELECT n FROM g;"
    };
    let world = if postgres {
        // A text becomes a date where it is written as one.
        WORLD
            .replace("'2026-01-15', '2026-01-15'", "DATE '2026-01-15', DATE '2026-01-15'")
            .replace("'2026-01-19 20:00:00'", "TIMESTAMPTZ '2026-01-19 20:00:00+00'")
    } else {
        WORLD.to_owned()
    };
    database.store.run_script(&format!("{numbers}{world}")).unwrap();
    // From here on, faults that the database itself would refuse are to be planted.
    let lax = if postgres {
        "SET session_replication_role = replica; ALTER TABLE hearings DROP CONSTRAINT hearings_chamber_check,
             DROP CONSTRAINT hearings_status_check, DROP CONSTRAINT hearings_event_id_key;"
    } else {
        "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
    };
    database.store.run_script(lax).unwrap();
    database
}

fn worlds() -> Vec<Database> {
    let mut worlds = vec![world(Database::empty())];
    match Database::on_postgres() {
        Some(database) => worlds.push(world(database)),
        None => println!("skipped: PostgreSQL is not installed"),
    }
    worlds
}

fn checks() -> Vec<Check> {
    Check::parse_all(SYSTEM.checks).unwrap()
}

fn run(database: &mut Database) -> Report {
    let checks = checks();
    let clock = Morning(0.into());
    Checkup::new(SYSTEM.name, &checks, &clock, "one").run_on(database.store.as_mut()).unwrap()
}

/// The faults: check, what plants it, and what is measured then.
const FAULTS: &[(&str, &str, f64)] = &[
    ("hearings-are-there", "DELETE FROM hearings", 0.0),
    ("columns-are-as-declared", "ALTER TABLE hearings RENAME COLUMN video_type TO kind_of_video", 1.0),
    ("update-times-are-there", "UPDATE hearings SET update_date = NULL WHERE hearing_id < 3", 2.0),
    ("updates-are-recent", "UPDATE hearings SET update_date = '2026-01-16 06:00:00+00'", 4.0),
    ("titles-are-there", "UPDATE hearings SET title = '' WHERE hearing_id = 1", 5.0),
    (
        "dates-are-there",
        "UPDATE hearings SET hearing_date = NULL, hearing_date_only = NULL WHERE hearing_id = 1",
        5.0,
    ),
    ("chambers-are-known", "UPDATE hearings SET chamber = 'Lords' WHERE hearing_id < 4", 3.0),
    ("statuses-are-known", "UPDATE hearings SET status = 'Maybe' WHERE hearing_id = 1", 1.0),
    ("video-ids-are-ids", "UPDATE hearings SET youtube_video_id = 'watch?v=1' WHERE hearing_id = 1", 1.0),
    ("committees-of-hearings-exist", "DELETE FROM committees", 20.0),
    ("hearings-of-committees-exist", "DELETE FROM hearings WHERE hearing_id = 1", 1.0),
    ("hearings-of-witnesses-exist", "DELETE FROM hearings WHERE hearing_id < 3", 2.0),
    ("witnesses-of-hearings-exist", "DELETE FROM witnesses WHERE witness_id = 1", 1.0),
    ("documents-have-their-witness", "DELETE FROM witness_appearances WHERE appearance_id = 1", 1.0),
    ("transcripts-have-their-hearing", "DELETE FROM hearings WHERE hearing_id = 1", 1.0),
    ("witnesses-are-there-once", "UPDATE witnesses SET full_name = 'Witness 1' WHERE witness_id = 2", 5.0),
    ("congresses-are-possible", "UPDATE hearings SET congress = 1190 WHERE hearing_id = 1", 1.0),
    ("witnesses-of-a-hearing-by-index", "DROP INDEX idx_appearances_hearing", 1.0),
    ("every-hearing-has-a-committee", "DELETE FROM hearing_committees WHERE hearing_id = 1", 5.0),
    (
        "dates-fit-their-congress",
        "UPDATE hearings SET hearing_date = '2031-01-15', hearing_date_only = '2031-01-15' WHERE hearing_id = 1",
        1.0,
    ),
    ("days-agree", "UPDATE hearings SET hearing_date_only = NULL WHERE hearing_id = 1", 1.0),
];

#[test]
fn the_world_is_healthy() {
    for mut database in worlds() {
        let report = run(&mut database);
        for found in &report.findings {
            assert_eq!(
                found.verdict,
                Verdict::Pass,
                "{}: {:?} {:?}",
                found.check,
                found.value,
                found.message
            );
        }
        assert!(report.is_healthy() && report.findings.len() >= 20, "{}", report.to_text());
    }
}

#[test]
fn each_check_sees_its_fault() {
    for (name, fault, value) in FAULTS {
        for mut database in worlds() {
            database.store.run_script(fault).unwrap();
            let report = run(&mut database);
            let found = report.finding(name).unwrap();
            assert_eq!(
                (found.verdict, found.value),
                (Verdict::Fail, Some(*value)),
                "{name}: {}",
                report.to_text()
            );
            assert_eq!(
                report.is_healthy(),
                found.severity == Severity::Warn
                    && report
                        .findings
                        .iter()
                        .all(|one| { one.verdict.is_kept() || one.severity == Severity::Warn })
            );
        }
    }
}

#[test]
fn an_event_that_is_two_hearings_is_seen() {
    for mut database in worlds() {
        if database.store.kind() == DatabaseKind::Sqlite {
            // The rule stands in the table itself: a copy has none.
            let without = "CREATE TABLE copy AS SELECT * FROM hearings; DROP TABLE hearings; ALTER TABLE copy RENAME TO hearings";
            database.store.run_script(without).unwrap();
        }
        database.store.run_script("UPDATE hearings SET event_id = 'e1' WHERE hearing_id < 4").unwrap();
        let report = run(&mut database);
        let found = report.finding("events-are-there-once").unwrap();
        assert_eq!((found.verdict, found.value), (Verdict::Fail, Some(3.0)), "{}", report.to_text());
    }
}

#[test]
fn a_slow_look_up_is_seen() {
    struct Slow;
    impl Clock for Slow {
        fn now(&self) -> String {
            "2026-01-20T06:00:00.000Z".into()
        }
        fn monotonic_ms(&self) -> u64 {
            self.monotonic_us() / 1_000
        }
        fn monotonic_us(&self) -> u64 {
            static AT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
            AT.fetch_add(250_000, std::sync::atomic::Ordering::Relaxed)
        }
        fn sleep_ms(&self, _: u64) {}
    }
    let mut database = world(Database::empty());
    let checks = checks();
    let report = Checkup::new(SYSTEM.name, &checks, &Slow, "one").run_on(database.store.as_mut()).unwrap();
    assert_eq!(report.finding("newest-update-is-quick").unwrap().verdict, Verdict::Fail);
}

#[test]
fn every_check_has_its_fault() {
    let planted: BTreeSet<&str> = FAULTS.iter().map(|(name, ..)| *name).collect();
    let others = ["events-are-there-once", "newest-update-is-quick"];
    let all: BTreeSet<String> = checks().into_iter().map(|check| check.name).collect();
    let covered: BTreeSet<String> = planted.iter().chain(&others).map(|name| (*name).to_owned()).collect();
    assert_eq!(all, covered);
}

#[test]
fn an_empty_store_is_not_healthy() {
    let report = run(&mut Database::empty());
    assert!(!report.is_healthy());
    assert_eq!(report.finding("hearings-are-there").unwrap().verdict, Verdict::Fail);
}

#[test]
fn the_real_hearings_keep_their_grave_rules() {
    let Some(file) = snapshot() else { return };
    let report = run(&mut Database::copy_of(&file));
    assert!(report.is_healthy(), "{}", report.to_text());
    // 20 of 1,168 have no date, 20 no title.
    let shares: Vec<Option<f64>> = ["dates-are-there", "titles-are-there"]
        .iter()
        .map(|name| report.finding(name).unwrap().value)
        .collect();
    assert!(shares.iter().all(|share| share.is_some_and(|share| (1.7..1.8).contains(&share))), "{shares:?}");
    assert_eq!(report.finding("updates-are-recent").unwrap().verdict, Verdict::Fail);
}
