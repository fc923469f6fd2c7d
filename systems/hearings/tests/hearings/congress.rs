//! The whole way: a simulated congress.gov over real HTTP, read, planned, and written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use plimsoll_engine::Session;
use plimsoll_engine::change::propose::propose;
use plimsoll_engine::change::setup;
use plimsoll_engine::source::directory::{DirectoryFetch, SavingFetch};
use plimsoll_engine::source::http::ApiKey;
use plimsoll_engine::source::{self, Fetch, SourceRecord, SourceRequest, SourceSummary};
use plimsoll_engine::system::ChangeKind;
use plimsoll_hearings::SYSTEM;
use plimsoll_hearings::mapping::documents::{WITNESS_DOCUMENT_TYPES, mark};
use plimsoll_hearings::mapping::recordings;
use plimsoll_hearings::update::DailyUpdate;
use plimsoll_simulator::congress::defects::BadReason;
use plimsoll_simulator::congress::{
    Corpus, Faults, Mutation, Running, Scenario, ServeOptions, baseline, generate, model, serve, serve_with,
    snapshot,
};

use crate::support::{self, Database, Planned, QuickClock};

pub(crate) fn open(server: &Running) -> Box<dyn Fetch> {
    let declaration = DailyUpdate.source().unwrap();
    source::open(declaration, Some(server.address()), ApiKey::new("demo"), Arc::new(QuickClock::default()))
        .unwrap()
}

pub(crate) fn read(fetch: &mut dyn Fetch) -> (Vec<SourceRecord>, SourceSummary) {
    let mut records = Vec::new();
    let mut each = |record| {
        records.push(record);
        Ok(())
    };
    let summary = DailyUpdate.read(fetch, &SourceRequest::default(), &mut each).unwrap();
    assert_eq!(records.len() as u64, summary.delivered);
    (records, summary)
}

pub(crate) fn served(scenario: Scenario, faults: Faults) -> Running {
    serve(scenario, faults, "127.0.0.1:0".parse().unwrap()).unwrap()
}

fn event(record: &SourceRecord) -> String {
    record.label.trim_start_matches("hearing ").to_owned()
}

/// Plans every record; returns the events that would change, and why.
fn changes(database: &mut Database, records: &[SourceRecord]) -> BTreeMap<String, String> {
    let planned = records.iter().map(|record| (event(record), database.plan_record(record)));
    planned
        .filter_map(|(event, planned)| match planned {
            Planned::Unchanged => None,
            Planned::Changes(item) => Some((event, support::told(&item).join("; "))),
            Planned::Refused(refusal) => Some((event, refusal.reason)),
        })
        .collect()
}

pub(crate) fn assert_unchanged(database: &mut Database, records: &[SourceRecord]) {
    let changes = changes(database, records);
    assert_eq!(changes, BTreeMap::new(), "{} of {} records", changes.len(), records.len());
}

/// Defect 5: the earlier system saw a change in nearly every unchanged hearing.
#[test]
fn the_real_hearings_change_nothing_in_their_own_database() {
    let Some(file) = support::snapshot() else { return };
    let corpus = snapshot::load(&file).unwrap();
    assert_eq!(corpus.meetings.len(), 1_168);
    for seed in [1, 2, 3] {
        let server = served(Scenario::unchanged(&corpus, seed), Faults::none());
        let (records, summary) = read(open(&server).as_mut());
        assert_eq!((summary.listed, summary.delivered, summary.left_out), (1_168, 1_168, 0));
        assert!(summary.notes.is_empty(), "{:?}", summary.notes);
        let mut database = Database::copy_of(&file);
        let started = Instant::now();
        assert_unchanged(&mut database, &records);
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "planned {} unchanged records in {seconds:.3} s: {:.0} a second",
            records.len(),
            1_168.0 / seconds
        );
    }
}

#[test]
fn generated_hearings_change_nothing_in_their_own_database() {
    for seed in 1..=4 {
        let corpus = generate::corpus(700, seed);
        let server = served(Scenario::unchanged(&corpus, seed), Faults::mild(seed));
        let (records, summary) = read(open(&server).as_mut());
        assert_eq!(summary.delivered, 700);
        assert_unchanged(&mut Database::of_corpus(&corpus), &records);
    }
}

/// Reads and writes what a mutated corpus serves; exactly the planted changes change something, exactly the planted bad
/// ones are refused by the rules or by the database, and afterwards the database holds what was served.
pub(crate) fn takes_exactly_what_is_planted(
    mut database: Database,
    corpus: &Corpus,
    mutation: &Mutation,
    faults: Faults,
) {
    let scenario = Scenario::mutate(corpus, mutation).unwrap();
    let mut wanted: Vec<model::Meeting> = scenario
        .served
        .iter()
        .filter(|served| served.defect.is_none())
        .map(|served| served.meeting.clone())
        .collect();
    let server = served(scenario, faults);
    let manifest = server.manifest().clone();
    let (records, _) = read(open(&server).as_mut());
    assert_eq!(records.len(), manifest.listed);

    let before = database.digests();
    let (mut changed, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for record in &records {
        match database.plan_record(record) {
            Planned::Unchanged => {}
            Planned::Refused(_) => drop(refused.insert(event(record))),
            Planned::Changes(item) => match database.write(&item.changes) {
                Ok(()) => drop(changed.insert(event(record))),
                Err(_) => drop(refused.insert(event(record))),
            },
        }
    }
    let planted: BTreeSet<String> = manifest.changes.iter().map(|change| change.event_id.clone()).collect();
    let bad: BTreeSet<String> = manifest.bad.iter().map(|bad| bad.event_id.clone()).collect();
    assert_eq!(changed, planted, "seed {}", mutation.seed);
    assert_eq!(refused, bad, "seed {}", mutation.seed);
    assert_ne!(database.digests(), before);
    database.check();

    // The same source again changes nothing more.
    for record in &records {
        if !bad.contains(&event(record)) {
            assert!(database.plan_record(record).is_unchanged(), "{}", record.label);
        }
    }
    // Read back by the simulator's own reader, the rows say what was served.
    let Some(file) = &database.file else { return };
    let held = snapshot::load(file).unwrap();
    let held: BTreeMap<&str, &model::Meeting> =
        held.meetings.iter().map(|meeting| (meeting.event_id.as_str(), meeting)).collect();
    for meeting in &mut wanted {
        // A recording's name is not kept; the reader puts the title there.
        for video in &mut meeting.videos {
            video.name.clone_from(&meeting.title);
        }
        let differences = held[meeting.event_id.as_str()].differences(meeting);
        assert_eq!(differences, Vec::<&str>::new(), "seed {}: {meeting:?}", mutation.seed);
    }
}

#[test]
fn of_the_real_hearings_exactly_what_is_planted_is_taken_or_refused() {
    let Some(file) = support::snapshot() else { return };
    let corpus = snapshot::load(&file).unwrap();
    for seed in 1..=3 {
        let mutation = Mutation { changes: 180, bad: 40, seed, ..Mutation::default() };
        takes_exactly_what_is_planted(Database::copy_of(&file), &corpus, &mutation, Faults::mild(seed));
    }
}

#[test]
fn of_generated_hearings_exactly_what_is_planted_is_taken_or_refused() {
    for seed in 1..=6 {
        let corpus = generate::corpus(400, seed);
        let mutation = Mutation { changes: 150, bad: 30, seed, ..Mutation::default() };
        let faults = if seed % 2 == 0 { Faults::harsh(seed) } else { Faults::none() };
        takes_exactly_what_is_planted(Database::of_corpus(&corpus), &corpus, &mutation, faults);
    }
}

/// Through the engine's own planner: what the stored plan counts is what was planted.
#[test]
fn the_engines_plan_holds_the_planted_records_and_nothing_else() {
    let corpus = generate::corpus(300, 12);
    let mutation = Mutation { changes: 40, bad: 20, seed: 12, ..Mutation::default() };
    let server = served(Scenario::mutate(&corpus, &mutation).unwrap(), Faults::none());
    let manifest = server.manifest().clone();
    let database = Database::of_corpus(&corpus);
    let mut session = Session::new(database.store, "test");
    setup::prepare(&mut session, Some(&SYSTEM)).unwrap();
    let request = SourceRequest::default();
    let fetch = &mut open(&server);
    let plan =
        propose(&mut session, &SYSTEM, &DailyUpdate, fetch.as_mut(), server.address(), &request).unwrap();
    assert_eq!(plan.items as usize, manifest.planted.changes + manifest.planted.bad);
    assert_eq!((plan.items + plan.unchanged) as usize, manifest.listed);
    // The rules refuse all but two of the planted reasons; those are left to the database.
    let left = [BadReason::StatusUnknown, BadReason::TypeUnknown];
    let by_the_rules = manifest.bad.iter().filter(|bad| !left.contains(&bad.reason)).count();
    assert_eq!(plan.refused as usize, by_the_rules);
}

#[test]
fn an_empty_database_takes_a_whole_corpus() {
    let corpus = generate::corpus(300, 9);
    let server = served(Scenario::unchanged(&corpus, 9), Faults::none());
    let (records, _) = read(open(&server).as_mut());
    let mut database = Database::empty();
    let started = Instant::now();
    let items: Vec<_> = records.iter().map(|record| database.plan_record(record).changes()).collect();
    println!(
        "planned {} new hearings at {:.0} a second",
        items.len(),
        300.0 / started.elapsed().as_secs_f64()
    );
    // Planned together, written one after the other in one plan: shared rows are there for the later ones.
    for item in items {
        let fresh: Vec<_> = {
            let store = database.store.as_mut();
            item.changes
                .into_iter()
                .filter(|change| store.read_rows(&change.table, &[change.key()]).unwrap()[0].is_none())
                .collect()
        };
        database.write(&fresh).unwrap();
    }
    database.check();
    assert_unchanged(&mut database, &records);
    let held = snapshot::load(database.file.as_ref().unwrap()).unwrap();
    let held: BTreeMap<&str, &model::Meeting> =
        held.meetings.iter().map(|meeting| (meeting.event_id.as_str(), meeting)).collect();
    for meeting in &corpus.meetings {
        assert_eq!(held[meeting.event_id.as_str()].differences(meeting), Vec::<&str>::new());
    }
}

#[test]
fn a_recorded_folder_reads_like_the_source_it_was_recorded_from() {
    let corpus = generate::corpus(260, 5);
    let mutation = Mutation { changes: 20, bad: 10, seed: 5, ..Mutation::default() };
    let server = served(Scenario::mutate(&corpus, &mutation).unwrap(), Faults::none());
    let folder = tempfile::tempdir().unwrap();
    let mut saving = SavingFetch::new(open(&server), folder.path()).unwrap();
    let (recorded, _) = read(&mut saving);
    let mut saved = DirectoryFetch::open(folder.path()).unwrap();
    let mut replayed = Vec::new();
    let request =
        SourceRequest { options: vec![("congress".into(), "119".into())], ..SourceRequest::default() };
    DailyUpdate
        .read(&mut saved, &request, &mut |record| {
            replayed.push(record);
            Ok(())
        })
        .unwrap();
    assert_eq!(replayed.len(), recorded.len());
    for (replayed, recorded) in replayed.iter().zip(&recorded) {
        assert_eq!(replayed.label, recorded.label);
        assert_eq!(replayed.body.clone().ok(), recorded.body.clone().ok());
    }
}

#[test]
fn renamed_members_change_nothing_and_are_told() {
    let corpus = generate::corpus(120, 6);
    let renamed_fields =
        vec![("date".to_owned(), "meetingDate".to_owned()), ("witnesses".to_owned(), "people".to_owned())];
    let server = served(Scenario::unchanged(&corpus, 6), Faults { renamed_fields, ..Faults::none() });
    let (records, summary) = read(open(&server).as_mut());
    assert_unchanged(&mut Database::of_corpus(&corpus), &records);
    for told in ["`meetingDate`", "`people`", "has `date`"] {
        assert!(summary.notes.iter().any(|note| note.contains(told)), "{told}: {:?}", summary.notes);
    }
}

#[test]
fn a_key_that_is_not_known_is_the_sources_problem() {
    let corpus = generate::corpus(20, 7);
    let options = ServeOptions {
        require_key: Some("the right one".into()),
        ..ServeOptions::at("127.0.0.1:0".parse().unwrap())
    };
    let server = serve_with(Scenario::unchanged(&corpus, 7), options).unwrap();
    let mut each = |_| Ok(());
    let error = DailyUpdate.read(open(&server).as_mut(), &SourceRequest::default(), &mut each).unwrap_err();
    assert!(error.message.contains("403") && error.message.contains("hint:"), "{error}");
    assert!(!error.message.contains("demo"), "{error}");
}

/// The simulator's page and this crate were written apart; where both derive something, they derive the same.
#[test]
fn what_follows_from_an_address_or_a_name_follows_alike_on_both_sides() {
    let corpus = generate::corpus(600, 8);
    let mut seen = 0;
    for meeting in &corpus.meetings {
        for video in &meeting.videos {
            assert_eq!(recordings::youtube_id(&video.url), baseline::youtube_id(&video.url), "{}", video.url);
            assert_eq!(recordings::kind(&video.url), baseline::video_type(&video.url), "{}", video.url);
            seen += 1;
        }
        for witness in &meeting.witnesses {
            assert_eq!(mark(&witness.name), model::witness_token(&witness.name), "{}", witness.name);
            seen += 1;
        }
    }
    assert!(seen > 500, "{seen}");
    assert_eq!(WITNESS_DOCUMENT_TYPES, snapshot::WITNESS_DOCUMENT_TYPES);
}
