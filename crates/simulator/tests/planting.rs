//! What is planted, seen from outside: through HTTP, compared with the corpus served as it is.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_simulator::congress::defects::BadReason;
use plimsoll_simulator::congress::manifest::ChangeKind;
use plimsoll_simulator::congress::model::witness_token;
use plimsoll_simulator::congress::{Corpus, Faults, Manifest, Mutation, Scenario, generate, serve};
use serde_json::Value;
use support::{Answer, Client, any_port, statement};

type Everything = BTreeMap<String, Result<Value, Answer>>;

fn read(scenario: Scenario) -> (Manifest, Everything) {
    let running = serve(scenario, Faults::none(), any_port()).unwrap();
    let everything = Client::new(running.socket()).everything(250);
    (running.manifest().clone(), everything)
}

fn mutated(corpus: &Corpus, changes: usize, bad: usize, seed: u64) -> Scenario {
    Scenario::mutate(corpus, &Mutation { changes, bad, seed, ..Mutation::default() }).unwrap()
}

#[test]
fn exactly_what_the_manifest_says_differs_from_the_corpus() {
    let corpus = generate::corpus(600, 11);
    // Another seed for the plain corpus, so that style differs wherever it can and must not count.
    let (_, before) = read(Scenario::unchanged(&corpus, 1_000));
    for seed in 0..4 {
        let (manifest, after) = read(mutated(&corpus, 180, 41, seed));
        assert_eq!((manifest.planted.changes, manifest.planted.bad), (180, 41));
        assert_eq!((manifest.changes.len(), manifest.bad.len()), (180, 41));
        assert_eq!((manifest.hearings, manifest.listed), (600, after.len()));

        let changed: BTreeSet<&str> =
            manifest.changes.iter().map(|change| change.event_id.as_str()).collect();
        let bad: BTreeSet<&str> = manifest.bad.iter().map(|bad| bad.event_id.as_str()).collect();
        let touched: BTreeSet<&str> = manifest.touched.iter().map(String::as_str).collect();
        assert_eq!((changed.len(), bad.len(), touched.len()), (180, 41, 15));
        assert!(changed.is_disjoint(&bad) && changed.is_disjoint(&touched) && bad.is_disjoint(&touched));

        for (event_id, item) in &after {
            let stated = item.as_ref().ok().map(statement);
            let differs = match before.get(event_id) {
                Some(before) => stated != Some(statement(before.as_ref().unwrap())),
                None => true,
            };
            let planted = changed.contains(event_id.as_str()) || bad.contains(event_id.as_str());
            assert_eq!(differs, planted, "{event_id} under seed {seed}");
        }
        assert!(
            before.keys().all(|event_id| after.contains_key(event_id)),
            "no meeting of the corpus is lost"
        );
    }
}

#[test]
fn every_planted_meeting_is_newer_than_the_corpus_and_has_its_own_update_date() {
    let corpus = generate::corpus(200, 11);
    let newest = corpus.meetings.iter().filter_map(|meeting| meeting.update_date.clone()).max().unwrap();
    let scenario = mutated(&corpus, 60, 15, 3);
    let dates: BTreeMap<&str, &str> = scenario
        .served
        .iter()
        .map(|served| (served.meeting.event_id.as_str(), served.meeting.update_date.as_deref().unwrap()))
        .collect();
    let manifest = &scenario.manifest;
    let planted = manifest.changes.iter().map(|change| &change.event_id);
    let planted = planted.chain(manifest.bad.iter().map(|bad| &bad.event_id)).chain(&manifest.touched);
    let mut own = BTreeSet::new();
    for event_id in planted {
        assert!(dates[event_id.as_str()] > newest.as_str());
        assert!(own.insert(dates[event_id.as_str()]), "{event_id}");
    }
    let updated = manifest.updated.as_ref().unwrap();
    assert_eq!(
        (own.first().copied(), own.last().copied()),
        (Some(updated.from.as_str()), Some(updated.to.as_str()))
    );

    let later = Mutation {
        changes: 5,
        updated_after: Some("2031-05-06T07:08:09Z".to_owned()),
        ..Mutation::default()
    };
    let updated = Scenario::mutate(&corpus, &later).unwrap().manifest.updated.unwrap();
    assert!(updated.from.starts_with("2031-05-06T08:08:"), "{}", updated.from);
}

#[test]
fn the_mix_has_every_kind_and_every_reason_new_and_existing() {
    let corpus = generate::corpus(600, 2);
    let manifest = mutated(&corpus, 270, 100, 8).manifest;
    let mut kinds: BTreeMap<ChangeKind, usize> = BTreeMap::new();
    for change in &manifest.changes {
        *kinds.entry(change.kind).or_default() += 1;
        let name = match change.kind {
            ChangeKind::Title => "title",
            ChangeKind::Status => "status",
            ChangeKind::Date => "hearing_date",
            ChangeKind::Location => "location",
            ChangeKind::WitnessAdded | ChangeKind::WitnessRemoved => "witnesses",
            ChangeKind::DocumentAdded if change.fields == ["witness_documents"] => "witness_documents",
            ChangeKind::DocumentAdded => "meeting_documents",
            ChangeKind::Committee => "committees",
            ChangeKind::New => "title",
        };
        assert!(change.fields.iter().any(|field| field == name), "{change:?}");
    }
    assert_eq!(kinds.len(), 9);
    assert_eq!(kinds[&ChangeKind::New], 30);
    assert!(kinds.values().all(|count| *count >= 20), "{kinds:?}");

    for reason in BadReason::ALL {
        let of = |existing| {
            manifest.bad.iter().filter(|bad| bad.reason == reason && bad.existing == existing).count()
        };
        let expected = if reason == BadReason::EventIdNotNumeric { (0, 10) } else { (5, 5) };
        assert_eq!((of(true), of(false)), expected, "{reason:?}");
    }
}

#[test]
fn every_bad_meeting_is_bad_in_the_way_the_manifest_says() {
    let corpus = generate::corpus(400, 2);
    let (manifest, everything) = read(mutated(&corpus, 30, 80, 8));
    for bad in &manifest.bad {
        let item = &everything[&bad.event_id];
        if matches!(bad.reason, BadReason::EventIdNotNumeric | BadReason::DetailError) {
            let answer = item.as_ref().unwrap_err();
            assert!(answer.json()["error"].is_string());
            assert_eq!(answer.json()["request"]["eventId"], bad.event_id.as_str());
            let numeric = bad.event_id.parse::<u64>().is_ok();
            assert_eq!(numeric, bad.reason == BadReason::DetailError);
            continue;
        }
        let item = item.as_ref().unwrap();
        let text = |field: &str| item[field].as_str().unwrap();
        match bad.reason {
            BadReason::TitleMissing => assert!(item.get("title").is_none()),
            BadReason::TitleNull => assert!(item["title"].is_null() && item.get("title").is_some()),
            BadReason::ChamberUnknown => {
                assert!(!["House", "Senate", "NoChamber"].contains(&text("chamber")));
            }
            BadReason::StatusUnknown => {
                assert!(
                    !["Scheduled", "Canceled", "Postponed", "Rescheduled"].contains(&text("meetingStatus"))
                );
            }
            BadReason::TypeUnknown => assert!(!["Hearing", "Meeting", "Markup"].contains(&text("type"))),
            BadReason::DateImpossible => {
                let day = text("date").get(..10).unwrap();
                assert!(day.parse::<jiff::civil::Date>().is_err(), "{day}");
            }
            BadReason::CongressOutOfRange => {
                assert!(!(1..=200).contains(&item["congress"].as_i64().unwrap()));
            }
            BadReason::CommitteeWithoutCode => {
                let committees = support::entries(item.get("committees")).unwrap();
                assert!(committees[0].get("systemCode").is_none() && committees[0].get("url").is_none());
            }
            BadReason::EventIdNotNumeric | BadReason::DetailError => unreachable!(),
        }
    }
    // Nothing else is bad in any of these ways.
    let bad: BTreeSet<&str> = manifest.bad.iter().map(|bad| bad.event_id.as_str()).collect();
    for (event_id, item) in everything.iter().filter(|(event_id, _)| !bad.contains(event_id.as_str())) {
        let item = item.as_ref().unwrap();
        assert!(event_id.parse::<u64>().is_ok());
        assert!(item["title"].is_string() && item["congress"] == 119);
        let day = item.get("date").and_then(Value::as_str).map(|date| date.get(..10).unwrap().to_owned());
        assert!(day.is_none_or(|day| day.parse::<jiff::civil::Date>().is_ok()));
        let committees = support::entries(item.get("committees")).unwrap_or_default();
        assert!(committees.iter().all(|committee| committee["systemCode"].is_string()));
    }
}

#[test]
fn a_container_that_a_change_emptied_is_sent_empty() {
    let mut corpus = generate::corpus(400, 2);
    corpus.meetings.retain(|meeting| meeting.witnesses.len() == 1);
    let count = corpus.meetings.len();
    assert!(count > 20);
    let (manifest, everything) = read(mutated(&corpus, count / 2, 0, 8));
    let mut emptied = 0;
    for change in manifest.changes.iter().filter(|change| change.kind == ChangeKind::WitnessRemoved) {
        let item = everything[&change.event_id].as_ref().unwrap();
        assert_eq!(support::entries(item.get("witnesses")).map(|list| list.len()), Some(0));
        if change.fields.iter().any(|field| field == "witness_documents") {
            assert_eq!(support::entries(item.get("witnessDocuments")).map(|list| list.len()), Some(0));
        }
        emptied += 1;
    }
    assert!(emptied > 0);
}

#[test]
fn every_witness_document_names_its_one_witness() {
    // Large, because two names with one token rarely meet.
    let corpus = generate::corpus(20_000, 2);
    let scenario = mutated(&corpus, 3_000, 30, 8);
    let mut documents = 0;
    for meeting in corpus.meetings.iter().chain(scenario.served.iter().map(|served| &served.meeting)) {
        let tokens: Vec<String> =
            meeting.witnesses.iter().map(|witness| witness_token(&witness.name)).collect();
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len(), "{tokens:?}");
        for document in meeting.witness_documents.iter().flatten() {
            documents += 1;
            let named: Vec<usize> = (0..tokens.len())
                .filter(|place| document.url.contains(&format!("-{}-", tokens[*place])))
                .collect();
            assert_eq!(named, [document.witness], "{} among {tokens:?}", document.url);
        }
    }
    assert!(documents > 30_000, "{documents}");
}

#[test]
fn the_same_seed_serves_the_same_bytes() {
    let corpus = generate::corpus(150, 4);
    let bytes = |seed| {
        let (mut manifest, everything) = read(mutated(&corpus, 40, 10, seed));
        manifest.address = String::new();
        let bodies = everything.values().map(|item| match item {
            Ok(meeting) => meeting.to_string().into_bytes(),
            Err(answer) => answer.body.clone(),
        });
        (manifest, bodies.collect::<Vec<_>>())
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn both_shapes_of_a_container_and_of_nothing_are_served() {
    let (_, everything) = read(Scenario::unchanged(&generate::corpus(200, 4), 4));
    let items: Vec<&Value> = everything.values().map(|item| item.as_ref().unwrap()).collect();
    for name in
        ["committees", "witnesses", "witnessDocuments", "meetingDocuments", "hearingTranscript", "videos"]
    {
        for (shape, test) in [
            ("list", (|value| value.is_some_and(Value::is_array)) as fn(Option<&Value>) -> bool),
            ("wrapped", |value| value.is_some_and(|value| value.get("item").is_some())),
        ] {
            assert!(items.iter().any(|item| test(item.get(name))), "{name} as {shape}");
        }
    }
    for name in ["witnesses", "meetingDocuments", "location", "relatedItems"] {
        assert!(items.iter().any(|item| item.get(name).is_none()), "{name} absent");
    }
    assert!(
        items.iter().any(|item| item.get("date").is_some_and(Value::is_null))
            || items.iter().any(|item| item.get("date").is_none())
    );
}

#[test]
fn asking_for_more_than_there_is_is_refused_with_the_numbers() {
    let corpus = generate::corpus(20, 4);
    let ask = |changes, bad| {
        let mutation = Mutation { changes, bad, seed: 1, ..Mutation::default() };
        Scenario::mutate(&corpus, &mutation).map(|scenario| scenario.manifest)
    };
    // 18 changes are 16 edits and 2 new meetings; 8 bad ones are 4 existing and 4 new.
    let full = ask(18, 8).unwrap();
    assert_eq!((full.planted.changes, full.planted.bad, full.touched.len()), (18, 8, 0));
    let error = ask(18, 12).unwrap_err().to_string();
    assert!(
        error.contains("18 changes and 12 bad") && error.contains("needs 21") && error.contains("has 20"),
        "{error}"
    );
    assert!(error.contains("hint:"));
    assert!(ask(23, 0).is_err() && ask(22, 0).is_ok());
}
