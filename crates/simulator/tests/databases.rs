//! Databases there and back: rows read from a hearings database, served as JSON, and mapped to rows again.
//!
//! The mapping here is written from the table in `plimsoll_simulator::congress` and from nothing else, so it
//! also shows that the table is enough to write one.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_core::value::Value as Cell;
use plimsoll_simulator::congress::baseline::{baseline_sql, video_type, youtube_id};
use plimsoll_simulator::congress::{Corpus, Faults, Mutation, Scenario, generate, serve, snapshot};
use serde_json::Value;
use support::{Client, any_port, entries};

/// One hearing as rows, keys replaced by what they stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Rows {
    hearing: Vec<(&'static str, Option<String>)>,
    committees: Vec<String>,
    /// Name, organization, position.
    witnesses: Vec<[Option<String>; 3]>,
    /// Address, type, format.
    witness_documents: Vec<[Option<String>; 3]>,
    meeting_documents: Vec<[Option<String>; 5]>,
    transcripts: Vec<[Option<String>; 2]>,
    bills: Vec<[Option<String>; 4]>,
}

const COLUMNS: [&str; 15] = [
    "event_id",
    "congress",
    "chamber",
    "title",
    "hearing_type",
    "status",
    "hearing_date",
    "hearing_date_only",
    "hearing_time",
    "location",
    "jacket_number",
    "url",
    "update_date",
    "video_url",
    "video_type",
];

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// JSON to rows, for a hearing that the database does not have yet.
fn map(list: &Value, item: &Value) -> Rows {
    let all = |name: &str| entries(item.get(name)).unwrap_or_default();
    let fields = |entry: &Value, names: [&str; 3]| names.map(|name| text(entry.get(name)));
    let date = text(item.get("date"));
    let day = date.as_ref().map(|date| date[..10].to_owned());
    let time = date.as_ref().and_then(|date| date.get(11..19)).map(str::to_owned);
    let place = |name: &str| text(item.get("location").and_then(|location| location.get(name)));
    let room = place("room").zip(place("building")).map(|(room, building)| format!("{room}, {building}"));
    let transcripts = all("hearingTranscript");
    let update = text(list.get("updateDate")).map(|text| text.replace('T', " ").replace('Z', ""));
    assert_eq!(list.get("updateDate"), item.get("updateDate"));
    let video = all("videos").first().and_then(|video| text(video.get("url")));
    let cells = [
        text(item.get("eventId")),
        text(item.get("congress")),
        text(item.get("chamber")),
        text(item.get("title")),
        text(item.get("type")),
        text(item.get("meetingStatus")),
        day.clone(),
        day,
        time,
        place("address").or(room),
        transcripts.first().and_then(|first| text(first.get("jacketNumber"))),
        text(list.get("url")),
        update,
        video.clone(),
        video.as_deref().map(|url| video_type(url).to_owned()),
    ];
    Rows {
        hearing: COLUMNS.into_iter().zip(cells).collect(),
        committees: all("committees").iter().map(|entry| text(entry.get("systemCode")).unwrap()).collect(),
        witnesses: all("witnesses")
            .iter()
            .map(|entry| fields(entry, ["name", "organization", "position"]))
            .collect(),
        witness_documents: all("witnessDocuments")
            .iter()
            .map(|entry| {
                let [url, document_type, format] = fields(entry, ["url", "documentType", "format"]);
                let stored = snapshot::WITNESS_DOCUMENT_TYPES
                    .iter()
                    .find(|(api, _)| Some(*api) == document_type.as_deref());
                [url, stored.map(|(_, stored)| (*stored).to_owned()), format]
            })
            .collect(),
        meeting_documents: all("meetingDocuments")
            .iter()
            .map(|entry| {
                ["name", "description", "documentType", "format", "url"].map(|name| text(entry.get(name)))
            })
            .collect(),
        transcripts: transcripts
            .iter()
            .map(|entry| ["jacketNumber", "url"].map(|name| text(entry.get(name))))
            .collect(),
        bills: item
            .get("relatedItems")
            .and_then(|related| entries(related.get("bills")))
            .unwrap_or_default()
            .iter()
            .map(|entry| ["congress", "type", "number", "url"].map(|name| text(entry.get(name))))
            .collect(),
    }
}

/// The rows of a database, by event id, read with the store and without the simulator.
fn stored(path: &Path) -> BTreeMap<String, Rows> {
    let mut store = plimsoll_store::read_only_sqlite(path).unwrap();
    let mut query = |sql: &str| -> Vec<Vec<Option<String>>> {
        let rows = store.query(sql, &[]).unwrap();
        let cell = |cell: Cell| match cell {
            Cell::Null => None,
            Cell::Integer(number) => Some(number.to_string()),
            // The store shows an instant in the JSON form; the database holds it with a space.
            Cell::Timestamp(text) => Some(text.replace('T', " ").replace('Z', "")),
            other => Some(other.as_text().unwrap().to_owned()),
        };
        rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect()
    };
    let has_video = !query("SELECT 1 FROM pragma_table_info('hearings') WHERE name = 'video_url'").is_empty();
    let columns =
        COLUMNS.map(|name| if name.starts_with("video") && !has_video { "NULL" } else { name }).join(", ");
    let mut hearings: BTreeMap<String, Rows> = BTreeMap::new();
    for cells in query(&format!("SELECT {columns} FROM hearings")) {
        let event_id = cells[0].clone().unwrap();
        let hearing = COLUMNS.into_iter().zip(cells).collect();
        hearings.insert(event_id, Rows { hearing, ..Rows::default() });
    }
    fn child<const N: usize>(row: Vec<Option<String>>) -> (String, [Option<String>; N]) {
        let mut cells = row.into_iter();
        (cells.next().unwrap().unwrap(), cells.collect::<Vec<_>>().try_into().unwrap())
    }
    for row in query(
        "SELECT event_id, system_code FROM hearing_committees l JOIN hearings USING (hearing_id) \
         JOIN committees USING (committee_id) ORDER BY l.rowid",
    ) {
        let (event_id, [code]) = child(row);
        hearings.get_mut(&event_id).unwrap().committees.push(code.unwrap());
    }
    for row in query(
        "SELECT event_id, full_name, organization, position FROM witness_appearances \
         JOIN hearings USING (hearing_id) JOIN witnesses USING (witness_id) ORDER BY appearance_order, appearance_id",
    ) {
        let (event_id, witness) = child(row);
        hearings.get_mut(&event_id).unwrap().witnesses.push(witness);
    }
    for row in query(
        "SELECT event_id, document_url, document_type, format_type FROM witness_documents \
         JOIN witness_appearances USING (appearance_id) JOIN hearings USING (hearing_id) ORDER BY document_id",
    ) {
        let (event_id, document) = child(row);
        hearings.get_mut(&event_id).unwrap().witness_documents.push(document);
    }
    for row in query(
        "SELECT event_id, d.title, description, document_type, format_type, document_url FROM supporting_documents d \
         JOIN hearings USING (hearing_id) ORDER BY document_id",
    ) {
        let (event_id, document) = child(row);
        hearings.get_mut(&event_id).unwrap().meeting_documents.push(document);
    }
    for row in query(
        "SELECT event_id, t.jacket_number, document_url FROM hearing_transcripts t \
         JOIN hearings USING (hearing_id) ORDER BY transcript_id",
    ) {
        let (event_id, transcript) = child(row);
        hearings.get_mut(&event_id).unwrap().transcripts.push(transcript);
    }
    for row in query(
        "SELECT event_id, b.congress, bill_type, bill_number, b.url FROM hearing_bills \
         JOIN hearings USING (hearing_id) JOIN bills b USING (bill_id) ORDER BY hearing_bill_id",
    ) {
        let (event_id, bill) = child(row);
        hearings.get_mut(&event_id).unwrap().bills.push(bill);
    }
    hearings
}

/// Every hearing of a scenario as rows, through HTTP; bad ones are left out.
fn mapped(scenario: Scenario) -> BTreeMap<String, Rows> {
    let running = serve(scenario, Faults::none(), any_port()).unwrap();
    let mut client = Client::new(running.socket());
    let (list, _) = client.list("/v3/committee-meeting", "", 250);
    let bad: Vec<&str> = running.manifest().bad.iter().map(|bad| bad.event_id.as_str()).collect();
    list.iter()
        .filter(|(event_id, _)| !bad.contains(&event_id.as_str()))
        .map(|(event_id, entry)| {
            let answer = client.item(entry);
            assert_eq!(answer.status, 200, "{event_id}");
            (event_id.clone(), map(entry, &answer.json()["committeeMeeting"]))
        })
        .collect()
}

fn write(corpus: &Corpus, path: &Path) {
    let url = format!("sqlite:{}", path.display()).parse().unwrap();
    let mut store = plimsoll_store::open(&url).unwrap();
    let mut script = vec!["BEGIN".to_owned()];
    script.extend(baseline_sql(corpus));
    script.push("COMMIT".to_owned());
    store.run_script(&script.join(";\n")).unwrap();
    let broken = store.query("PRAGMA foreign_key_check", &[]).unwrap();
    assert_eq!(broken, Vec::<Vec<Cell>>::new());
}

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn real_snapshot() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let path = root.join("../shared/data/hearings_snapshot.db");
    if !path.exists() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn every_real_hearing_comes_back_as_the_row_it_was() {
    let Some(path) = real_snapshot() else { return };
    let corpus = snapshot::load(&path).unwrap();
    assert_eq!((corpus.meetings.len(), corpus.committees.len()), (1_168, 214));
    let before = stored(&path);
    assert_eq!(before.values().map(|rows| rows.witnesses.len()).sum::<usize>(), 1_620);
    assert_eq!(before.values().map(|rows| rows.committees.len()).sum::<usize>(), 1_389);
    for seed in [1, 2] {
        let after = mapped(Scenario::unchanged(&corpus, seed));
        assert_eq!(after.len(), 1_168);
        for (event_id, rows) in &before {
            assert_eq!(&after[event_id], rows, "{event_id} under seed {seed}");
        }
    }
}

#[test]
fn of_a_mutated_real_corpus_only_the_planted_hearings_differ() {
    let Some(path) = real_snapshot() else { return };
    let corpus = snapshot::load(&path).unwrap();
    let before = stored(&path);
    let scenario =
        Scenario::mutate(&corpus, &Mutation { changes: 300, bad: 37, seed: 4, ..Mutation::default() })
            .unwrap();
    let manifest = scenario.manifest.clone();
    let without_update_date = |rows: &Rows| {
        let mut rows = rows.clone();
        rows.hearing.retain(|(column, _)| *column != "update_date");
        rows
    };
    let mut differing: Vec<String> = mapped(scenario)
        .into_iter()
        .filter(|(event_id, rows)| {
            before.get(event_id).map(&without_update_date) != Some(without_update_date(rows))
        })
        .map(|(event_id, _)| event_id)
        .collect();
    let mut planted: Vec<String> = manifest.changes.iter().map(|change| change.event_id.clone()).collect();
    differing.sort();
    planted.sort();
    assert_eq!(planted.len(), 300);
    assert_eq!(differing, planted);
}

#[test]
fn a_generated_baseline_is_a_database_with_the_same_corpus_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baseline.db");
    let corpus = generate::corpus(700, 3);
    write(&corpus, &path);
    let read = snapshot::load(&path).unwrap();
    assert_eq!(read.meetings.len(), corpus.meetings.len());
    for (read, made) in read.meetings.iter().zip(&corpus.meetings) {
        assert_eq!(read, made);
    }
    let sorted = |corpus: &Corpus| {
        let mut committees = corpus.committees.clone();
        committees.sort_by(|a, b| a.system_code.cmp(&b.system_code));
        committees
    };
    assert_eq!(sorted(&read), sorted(&corpus));

    let before = stored(&path);
    for (event_id, rows) in mapped(Scenario::unchanged(&corpus, 8)) {
        assert_eq!(before[&event_id], rows);
    }
}

#[test]
fn what_the_api_cannot_say_is_left_unsaid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.db");
    let mut corpus = generate::corpus(60, 3);
    corpus.meetings.retain(|meeting| {
        meeting.date.is_some()
            && meeting.witness_documents.as_ref().is_some_and(|documents| !documents.is_empty())
    });
    corpus.meetings.truncate(5);
    assert_eq!(corpus.meetings.len(), 5);
    write(&corpus, &path);
    let url = format!("sqlite:{}", path.display()).parse().unwrap();
    let mut store = plimsoll_store::open(&url).unwrap();
    for sql in [
        "UPDATE hearings SET hearing_date_only = '2024-01-01' WHERE hearing_id = 1",
        "UPDATE hearings SET hearing_date = NULL, hearing_date_only = NULL WHERE hearing_id = 2",
        "UPDATE hearings SET hearing_time = '2 pm' WHERE hearing_id = 3",
        "UPDATE hearings SET update_date = 'last week', jacket_number = '00123' WHERE hearing_id = 4",
        "UPDATE witness_documents SET document_url = NULL WHERE appearance_id IN \
         (SELECT appearance_id FROM witness_appearances WHERE hearing_id = 5)",
    ] {
        assert!(store.execute(sql, &[]).unwrap() > 0, "{sql}");
    }
    drop(store);
    let read = snapshot::load(&path).unwrap();
    let ids: Vec<String> = read.meetings.iter().map(|meeting| meeting.event_id.clone()).collect();
    let running = serve(Scenario::unchanged(&read, 1), Faults::none(), any_port()).unwrap();
    let mut client = Client::new(running.socket());
    let (list, _) = client.list("/v3/committee-meeting", "", 250);
    let items: Vec<Value> =
        ids.iter().map(|event_id| client.item(&list[event_id]).json()["committeeMeeting"].clone()).collect();
    assert!(items[0]["date"].is_null() && items[1]["date"].is_null());
    assert_eq!(items[2]["date"].as_str().map(str::len), Some(10));
    assert!(list[&ids[3]].get("updateDate").is_none() && items[3].get("updateDate").is_none());
    assert!(items[3].get("hearingTranscript").is_none());
    assert!(items[4].get("witnessDocuments").is_none());
}

#[test]
fn a_file_that_is_no_hearings_database_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing.db");
    let absent = snapshot::load(&path).unwrap_err().to_string();
    assert!(absent.contains("nothing.db") && absent.contains("hint:"), "{absent}");
    std::fs::write(&path, "not a database, whatever its name says").unwrap();
    assert!(snapshot::load(&path).is_err());
}

#[test]
fn recordings_are_recognised_by_their_address() {
    let watch = "https://www.youtube.com/watch?v=Demoabcdefg&t=3";
    assert_eq!((youtube_id(watch), video_type(watch)), (Some("Demoabcdefg"), "youtube"));
    let page = "https://www.congress.gov/committees/video/demo/hsqa00/Demoabcdefg";
    assert_eq!((youtube_id(page), video_type(page)), (Some("Demoabcdefg"), "committee_video"));
    let event = "https://www.congress.gov/event/119th-congress/senate-event/336500";
    assert_eq!((youtube_id(event), video_type(event)), (None, "event_page"));
}
