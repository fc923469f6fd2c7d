//! Trials (HB-41..46): what they write, what they decide, and that they leave the store alone.

use std::sync::Arc;

use plimsoll_core::decision::{Decision, Verdict};
use plimsoll_core::item::Item;
use plimsoll_engine::change::context::{PlanContext, Proposal};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::source::{self, Fetch, SourceRecord, SourceRequest, SourceSummary};
use plimsoll_engine::system::{ChangeKind, Dialect, Schema, SchemaAction, SchemaStep, System};
use plimsoll_engine::trial::{self, Subject, TrialSettings};
use plimsoll_engine::{EngineError, Session};
use plimsoll_hearings::{schema, update::DailyUpdate};
use plimsoll_store::Durability;
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::Value as Json;

use crate::support::{Desk, Ended};

const EVIDENCE: &str =
    r#"{"coverage_percent": 91.5, "check_passed": true, "source": "a test", "at": "2026-01-31T00:00:00Z"}"#;

/// What stands in the way.
fn blocking(decision: &Json) -> Vec<String> {
    let lines = decision["decision"]["blocking"].as_array().unwrap();
    lines.iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

/// Runs a trial into `out`. A machine that is busy with other tests may miss a criterion of time (P): then, and
/// only then, it is measured again.
fn trial(desk: &Desk, words: &[&str]) -> Ended {
    let store = format!("{}?durability=normal", desk.store);
    let mut all = vec!["trial", "hearings", "daily-update", "--out", "out", "--json"];
    all.extend(["--source", desk.source.as_ref().unwrap().address()]);
    all.extend(words);
    let mut ended = desk.plimsoll_on(&store, &all);
    for _ in 0..2 {
        let only_time = ended.code == 3
            && blocking(&ended.json()).iter().any(|line| line.starts_with('P'))
            && blocking(&ended.json())
                .iter()
                .all(|line| line.starts_with('P') || line.contains("no evidence"));
        if !only_time {
            break;
        }
        ended = desk.plimsoll_on(&store, &all);
    }
    ended
}

fn report(desk: &Desk, name: &str) -> Json {
    let text = std::fs::read_to_string(desk.file("out").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_good_change_proceeds_and_the_store_is_left_alone() {
    let desk = Desk::generated(600, 520, 9, 81);
    std::fs::write(desk.file("evidence.json"), EVIDENCE).unwrap();
    let before = std::fs::read(desk.file("store.db")).unwrap();
    let ended = trial(&desk, &["--evidence", "evidence.json", "--rounds", "3"]);
    let decision = ended.json();
    assert_eq!(blocking(&decision), Vec::<String>::new());
    assert_eq!((ended.code, &decision["decision"]["verdict"]), (0, &"proceed".into()));
    assert_eq!(decision["decision"]["met"], 19);
    assert!(std::fs::read(desk.file("store.db")).unwrap() == before, "the store was written");
    // The decision is on record: the gate asks the same 19 criteria of it (HB-46).
    let gate = desk.at_home(&["gate", "hearings/decision", "--json"]);
    let judged = gate.json();
    let yes = judged["judgement"]["criteria"].as_array().unwrap().iter().filter(|one| one["answer"] == "YES");
    assert_eq!(yes.count() as u64, decision["decision"]["met"].as_u64().unwrap(), "{judged}");
    assert_eq!(gate.code == 0, ended.code == 0, "GO is Proceed: {judged}");

    let mut names: Vec<String> = std::fs::read_dir(desk.file("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let wanted =
        ["decision.json", "decision.md", "trial.json", "trial.md", "validation.json", "validation.md"];
    assert_eq!(names, wanted, "three reports, and no scratch store is left");
    assert_eq!(report(&desk, "decision.json")["decision"], decision["decision"]);

    let speed = report(&desk, "trial.json");
    let batches: Vec<u64> = speed["speed"]["sizes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|size| size["batches"].as_u64().unwrap())
        .collect();
    assert_eq!(batches, [22, 11, 6], "529 items in batches of 25, 50 and 100 (HB-43)");
    assert_eq!(speed["speed"]["plain"]["batches"], 1);
    let asked = desk.source.as_ref().unwrap().stats().requests;
    assert_eq!(asked % speed["about"]["source_requests"].as_u64().unwrap(), 0, "asked once in each trial");
    let observed = &speed["observation"];
    assert_eq!((&observed["updates"], &observed["with_work"]), (&48.into(), &24.into()), "HB-42");

    let validation = report(&desk, "validation.json");
    assert_eq!((&validation["about"]["good"], &validation["about"]["bad"]), (&520.into(), &9.into()));
    let cases = validation["injections"]["cases"].as_array().unwrap();
    for kind in ["validation", "independence", "partial success"] {
        assert!(cases.iter().any(|case| case["kind"] == kind), "{kind} (HB-44)");
    }
    assert_eq!(validation["interruptions"].as_array().unwrap().len(), 3, "rollback (HB-44)");
    let lost = &validation["counted"]["kept"];
    assert!(lost["of"].as_u64().unwrap() > 10_000 && lost["good"] == lost["of"], "{lost}");
    let text = std::fs::read_to_string(desk.file("out").join("decision.md")).unwrap();
    assert!(text.starts_with("# Decision report: ") && text.contains("| R4 |"), "{text}");
}

#[test]
fn without_evidence_it_iterates_and_says_what_is_missing() {
    let desk = Desk::generated(160, 110, 6, 82);
    let ended = trial(&desk, &["--rounds", "1"]);
    let decision = ended.json();
    assert_eq!((ended.code, &decision["decision"]["verdict"]), (3, &"iterate".into()));
    let told = blocking(&decision);
    assert_eq!(told.len(), 2, "{told:?}");
    for (line, id, member) in [(&told[0], "Q1", "coverage_percent"), (&told[1], "Q5", "check_passed")] {
        assert!(line.starts_with(id) && line.contains("unknown"), "{line}");
        assert!(line.contains("--evidence FILE") && line.contains(member), "{line}");
    }
}

/// The daily update with the earlier system's defect 7: one bad record drops its whole batch.
#[derive(Debug)]
struct Careless;

impl ChangeKind for Careless {
    fn name(&self) -> &'static str {
        DailyUpdate.name()
    }

    fn help(&self) -> &'static str {
        DailyUpdate.help()
    }

    fn needs_backup(&self) -> bool {
        DailyUpdate.needs_backup()
    }

    fn source_root(&self) -> &'static str {
        DailyUpdate.source_root()
    }

    fn source(&self) -> Option<&'static source::SourceDeclaration> {
        DailyUpdate.source()
    }

    fn read(
        &self,
        fetch: &mut dyn Fetch,
        request: &SourceRequest,
        each: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError> {
        DailyUpdate.read(fetch, request, each)
    }

    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
        DailyUpdate.propose(record, context)
    }

    fn validate(&self, items: &[Item]) -> Vec<(usize, String)> {
        let refused = DailyUpdate.validate(items);
        if refused.is_empty() && items.iter().all(|item| item.refusal.is_none()) {
            return refused;
        }
        let dropped = |at| (at, "its batch has a bad record\nhint: none".to_owned());
        (0..items.len()).map(dropped).collect()
    }

    fn criteria(&self) -> &'static [plimsoll_core::decision::Criterion] {
        DailyUpdate.criteria()
    }
}

static CARELESS: System = System { changes: &[&Careless], ..HEARINGS };

/// The hearings system, as a constant to plant faults in.
const HEARINGS: System = System {
    name: "hearings",
    title: "Hearings, perhaps with a planted fault",
    schema: schema::SCHEMA,
    tables: schema::TABLES,
    changes: &[&DailyUpdate],
    checks: &[],
    settings: &[],
    ..System::EMPTY
};

static SOUND: System = HEARINGS;

/// A database that loses a row of another hearing whenever a title changes.
static LOSING: System = System {
    schema: Schema {
        steps: &[
            schema::SCHEMA.steps[0],
            schema::SCHEMA.steps[1],
            schema::SCHEMA.steps[2],
            SchemaStep {
                version: 4,
                name: "a planted fault",
                actions: &[SchemaAction::Script(Dialect::both(
                    "CREATE TRIGGER IF NOT EXISTS planted AFTER UPDATE OF title ON hearings WHEN OLD.title <> NEW.title
                     BEGIN DELETE FROM hearing_committees WHERE hearing_id = (SELECT max(hearing_id)
                     FROM hearing_committees WHERE hearing_id <> NEW.hearing_id); END",
                ))],
            },
        ],
        ..schema::SCHEMA
    },
    ..HEARINGS
};

fn by_the_switch(batch_size: Option<u64>) -> RunSettings {
    RunSettings { batch_size, ..RunSettings::default() }
}

fn decide(desk: &Desk, system: &'static System, route: fn(Option<u64>) -> RunSettings) -> Decision {
    let change = system.changes[0];
    let store = plimsoll_store::read_only_sqlite(&desk.file("store.db")).unwrap();
    let mut session = Session::new(store, "tester");
    let address = desk.source.as_ref().unwrap().address();
    let clock = Arc::new(MachineClock::new());
    let mut fetch =
        source::open(change.source().unwrap(), Some(address), None, Arc::clone(&clock) as Arc<_>).unwrap();
    let request = SourceRequest::default();
    let subject = Subject {
        system,
        change,
        from: session.store.as_mut(),
        fetch: fetch.as_mut(),
        source: address,
        request: &request,
        route: &route,
    };
    let settings = TrialSettings {
        sizes: vec![10, 20],
        rounds: 1,
        durability: Durability::Normal,
        scratch: &desk.file("scratch"),
        evidence: None,
        clock,
        progress: Arc::new(|_| {}),
    };
    trial::run(subject, settings).unwrap().decision
}

/// The decision must be to abort, and name each of these criteria as not met.
fn must_abort(decision: &Decision, ids: &[&str]) {
    assert_eq!(decision.verdict, Verdict::Abort, "{:#?}", decision.blocking);
    for id in ids {
        let named = decision.blocking.iter().any(|line| line.starts_with(&format!("{id} not met")));
        assert!(named, "{id}: {:#?}", decision.blocking);
    }
}

#[test]
fn a_change_that_drops_good_rows_beside_bad_ones_is_aborted() {
    let desk = Desk::generated(90, 48, 3, 83);
    let decision = decide(&desk, &CARELESS, by_the_switch);
    must_abort(&decision, &["F2", "F3", "R1"]);
    let r1 = decision.criteria.iter().find(|judged| judged.criterion.id == "R1").unwrap();
    assert!(r1.value.is_some_and(|percent| percent < 95.0), "{r1:?}");
}

#[test]
fn a_store_that_loses_rows_is_aborted() {
    let desk = Desk::generated(90, 48, 3, 85);
    must_abort(&decide(&desk, &LOSING, by_the_switch), &["Q2", "Q3", "R3"]);
}

#[test]
fn a_switch_that_is_ignored_is_aborted() {
    let desk = Desk::generated(90, 48, 3, 86);
    let always_on = |_| by_the_switch(Some(20));
    must_abort(&decide(&desk, &SOUND, always_on), &["F1", "F5", "R4"]);
}

#[test]
fn the_same_small_change_without_a_fault_is_not_aborted() {
    let desk = Desk::generated(90, 48, 3, 86);
    let decision = decide(&desk, &SOUND, by_the_switch);
    assert_eq!(decision.verdict, Verdict::Iterate, "{:#?}", decision.blocking);
    let p1 = decision.criteria.iter().find(|judged| judged.criterion.id == "P1").unwrap();
    assert!(p1.value.is_none() && p1.basis.contains("at least 100 are needed"), "{p1:?}");
}

#[test]
fn a_postgresql_store_is_tried_on_sqlite_copies_and_left_alone() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut desk = Desk::generated(60, 40, 3, 87);
    let from = desk.store.clone();
    desk.store = server.database().unwrap();
    let copied = desk.plimsoll(&["copy-store", "hearings", "--from", &from]);
    assert_eq!(copied.code, 0, "{copied:?}");
    let count = "SELECT (SELECT count(*) FROM plimsoll_plan) + (SELECT count(*) FROM plimsoll_event)";
    let (before, journal) = (desk.digest(), desk.figure(count));
    let address = desk.source.as_ref().unwrap().address();
    let words = ["trial", "hearings", "daily-update", "--out", "out", "--rounds", "1", "--source", address];
    let ended = desk.plimsoll(&words);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.out.contains("Iterate"), "{}", ended.out);
    assert_eq!((desk.digest(), desk.figure(count)), (before, journal), "the store was written");
    let notes = report(&desk, "decision.json")["about"]["notes"].to_string();
    assert!(notes.contains("the store is PostgreSQL"), "{notes}");
}

#[test]
fn what_cannot_be_tried_is_refused_before_the_work() {
    let desk = Desk::generated(40, 0, 0, 84);
    let address = desk.source.as_ref().unwrap().address().to_owned();
    let cases: [(&[&str], &str); 5] = [
        (&["--evidence", "nowhere.json"], "nowhere.json"),
        (&["--sizes", "0"], "--sizes"),
        (&["--sizes", "25,many"], "--sizes"),
        (&["--rounds", "0"], "--rounds"),
        (&[], "has no change that could be tried on this store"),
    ];
    for (words, told) in cases {
        let mut all = vec!["trial", "hearings", "daily-update", "--out", "out", "--source", &address];
        all.extend(words);
        let ended = desk.plimsoll(&all);
        assert_eq!(ended.code, 2, "{words:?}: {ended:?}");
        assert!(ended.err.contains(told), "{words:?}: {}", ended.err);
    }
    let nowhere = format!("sqlite:{}", desk.file("nowhere.db").display());
    let ended = desk
        .plimsoll_on(&nowhere, &["trial", "hearings", "daily-update", "--out", "out", "--source", &address]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(!desk.file("nowhere.db").exists(), "a trial makes no store");
}
