//! How the source is asked: congresses, pages, budget, and what is told about it.

use std::collections::BTreeMap;

use plimsoll_engine::source::{
    Fetch, FetchError, FetchStatistics, Query, SourceRecord, SourceRequest, SourceSummary,
};
use plimsoll_engine::system::ChangeKind;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_hearings::update::DailyUpdate;
use serde_json::{Value as Json, json};

/// A source that answers from a function and remembers what it was asked.
struct Source<A> {
    answer: A,
    asked: Vec<String>,
    budget: Option<u64>,
    now: Option<String>,
}

impl<A: FnMut(&str, &BTreeMap<String, String>) -> Result<Json, FetchError>> Fetch for Source<A> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        let parameters: BTreeMap<String, String> = query.parameters.iter().cloned().collect();
        self.asked.push(match parameters.get("offset") {
            Some(offset) => format!("{}@{offset}", query.path),
            None => query.path.clone(),
        });
        (self.answer)(&query.path, &parameters)
    }

    fn budget_left(&self) -> Option<u64> {
        self.budget
    }

    fn statistics(&self) -> FetchStatistics {
        FetchStatistics::default()
    }

    fn now(&self) -> Option<String> {
        self.now.clone()
    }
}

fn source<A: FnMut(&str, &BTreeMap<String, String>) -> Result<Json, FetchError>>(answer: A) -> Source<A> {
    Source { answer, asked: Vec::new(), budget: None, now: None }
}

fn entry(event: &str, updated: &str) -> Json {
    json!({ "eventId": event, "congress": 119, "chamber": "House", "updateDate": updated, "url": format!("u/{event}") })
}

fn page(entries: &[Json], count: usize) -> Json {
    json!({ "committeeMeetings": entries, "pagination": { "count": count } })
}

fn item(path: &str) -> Json {
    let event = path.rsplit('/').next().unwrap();
    json!({ "committeeMeeting": {
        "eventId": event, "title": "t", "type": "Hearing", "meetingStatus": "Scheduled", "date": "2025-05-21",
        "committees": [],
    }, "request": {} })
}

fn is_list(path: &str) -> bool {
    path.split('/').count() < 4
}

fn read<A: FnMut(&str, &BTreeMap<String, String>) -> Result<Json, FetchError>>(
    source: &mut Source<A>,
    request: &SourceRequest,
) -> Result<(Vec<SourceRecord>, SourceSummary), EngineError> {
    let mut records = Vec::new();
    let summary = DailyUpdate.read(source, request, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    Ok((records, summary))
}

fn of_119() -> SourceRequest {
    SourceRequest { options: vec![("congress".into(), "119".into())], ..SourceRequest::default() }
}

fn labels(records: &[SourceRecord]) -> Vec<&str> {
    records.iter().map(|record| record.label.trim_start_matches("hearing ")).collect()
}

/// `count` entries, newest first as the API lists them.
fn entries(count: usize) -> Vec<Json> {
    (0..count)
        .map(|n| entry(&(1_000 + n).to_string(), &format!("2025-09-{:02}T00:00:00Z", 28 - n * 27 / count)))
        .collect()
}

#[test]
fn pages_are_followed_to_the_count_whatever_they_hold() {
    let all = entries(600);
    let mut source = source(|path, parameters| {
        if !is_list(path) {
            return Ok(item(path));
        }
        assert_eq!(parameters["limit"], "250");
        let offset: usize = parameters["offset"].parse().unwrap();
        // A short first page, and each later one repeats an entry of the one before.
        let begin = [0, 239, 489][offset / 250];
        let end = [240, 490, 600][offset / 250];
        Ok(page(&all[begin..end], 600))
    });
    let (records, summary) = read(&mut source, &of_119()).unwrap();
    assert_eq!(
        source.asked[..3],
        ["committee-meeting/119@0", "committee-meeting/119@250", "committee-meeting/119@500"]
    );
    assert_eq!(source.asked.len(), 603);
    assert_eq!((summary.listed, summary.delivered, summary.left_out), (600, 600, 0));
    assert!(summary.notes.iter().any(|note| note.contains("more than once")), "{:?}", summary.notes);
    let first = records[0].body.as_ref().unwrap();
    assert_eq!(first["list"]["updateDate"], "2025-09-02T00:00:00Z", "the oldest update comes first");
    assert_eq!(first.get("request"), None);
}

#[test]
fn of_two_entries_for_a_meeting_the_newest_is_kept() {
    let listed = [
        entry("1", "2025-01-01T00:00:00Z"),
        entry("1", "2025-02-01 00:00:00+00:00"),
        entry("1", "2025-01-15T00:00:00Z"),
    ];
    let mut source = source(|path, _| Ok(if is_list(path) { page(&listed, 1) } else { item(path) }));
    let (records, _) = read(&mut source, &of_119()).unwrap();
    let [record] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(record.body.as_ref().unwrap()["list"]["updateDate"], "2025-02-01 00:00:00+00:00");
}

#[test]
fn a_list_with_gaps_is_read_again_and_given_up_in_the_end() {
    let all = entries(10);
    let mut readings = 0;
    let mut mends = source(|path, _| {
        if !is_list(path) {
            return Ok(item(path));
        }
        readings += 1;
        Ok(page(if readings == 1 { &all[..7] } else { &all[4..] }, 10))
    });
    let (records, summary) = read(&mut mends, &of_119()).unwrap();
    assert_eq!(records.len(), 10, "what one reading lacks, another has");
    assert!(summary.notes.iter().any(|note| note.contains("read 2 times")), "{:?}", summary.notes);

    let mut never = source(|path, _| Ok(if is_list(path) { page(&all[..7], 10) } else { item(path) }));
    let (records, summary) = read(&mut never, &of_119()).unwrap();
    assert_eq!(records.len(), 7);
    assert_eq!(never.asked.iter().filter(|asked| asked.contains('@')).count(), 3);
    assert!(summary.notes.iter().any(|note| note.contains("3 are missing")), "{:?}", summary.notes);
}

#[test]
fn a_meeting_that_cannot_be_shown_is_delivered_with_the_reason() {
    let listed = [
        entry("1", "2025-01-01T00:00:00Z"),
        entry("2", "2025-01-02T00:00:00Z"),
        entry("634847912c87197aac1f9800", "2025-01-03T00:00:00Z"),
        json!({ "eventId": "4", "updateDate": "2025-01-04T00:00:00Z" }),
        json!({ "title": "nothing else" }),
        entry("5", "2025-01-05T00:00:00Z"),
    ];
    let mut source = source(|path, _| match path {
        _ if is_list(path) => Ok(page(&listed, 6)),
        "committee-meeting/119/house/1" => Err(FetchError::Answer("HTTP 500 (asked 4 times)".into())),
        "committee-meeting/119/house/2" => Ok(json!({ "error": "cannot be written" })),
        _ => Ok(item(path)),
    });
    let (records, summary) = read(&mut source, &of_119()).unwrap();
    assert_eq!(summary.delivered, 6);
    let body =
        |event: &str| records.iter().find(|record| record.label.ends_with(event)).unwrap().body.clone();
    assert_eq!(body("hearing 1"), Err("HTTP 500 (asked 4 times)".into()));
    assert!(body("hearing 2").unwrap_err().contains("cannot be written"));
    assert!(body("hearing 4").unwrap_err().contains("neither congress"));
    assert!(body("without an event id").is_err());
    assert!(body("hearing 5").is_ok());
    // It is known to be unanswerable, so it is not asked; the rules refuse its id.
    assert!(body("9800").unwrap().get("committeeMeeting").is_none());
    assert!(!source.asked.iter().any(|asked| asked.contains("9800")), "{:?}", source.asked);
    assert!(
        summary.notes.iter().any(|note| note.starts_with("4 meetings are listed but cannot")),
        "{:?}",
        summary.notes
    );
}

#[test]
fn a_source_that_fails_as_a_whole_ends_the_reading() {
    let listed = entries(5);
    let mut source = source(|path, _| match path {
        _ if is_list(path) => Ok(page(&listed, 5)),
        path if path.ends_with("1002") => Err(FetchError::Source("left alone for now".into())),
        _ => Ok(item(path)),
    });
    let error = read(&mut source, &of_119()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Source);
    assert!(error.message.contains("left alone"), "{error}");
}

#[test]
fn a_window_is_asked_of_the_source_and_kept_where_the_source_ignores_it() {
    let listed = [
        entry("1", "2025-01-01T00:00:00Z"),
        entry("2", "2025-03-01T00:00:00Z"),
        json!({ "eventId": "3", "congress": 119, "chamber": "House" }),
    ];
    for (text, sent) in
        [("2025-02-01", "2025-02-01T00:00:00Z"), ("2025-02-01T05:00:00+05:00", "2025-02-01T00:00:00Z")]
    {
        let mut windows = Vec::new();
        let mut source = source(|path, parameters| {
            if is_list(path) {
                windows.push(parameters.get("fromDateTime").cloned());
                return Ok(page(&listed, 3));
            }
            Ok(item(path))
        });
        let request = SourceRequest { since: Some(text.into()), ..of_119() };
        let (records, summary) = read(&mut source, &request).unwrap();
        assert_eq!(labels(&records), ["3", "2"]);
        assert_eq!((summary.listed, summary.delivered, summary.left_out), (3, 2, 1));
        assert_eq!(windows, [Some(sent.to_owned())]);
    }
    let mut source = source(|_, _| Ok(page(&[], 0)));
    let request = SourceRequest { since: Some("last week".into()), ..of_119() };
    assert_eq!(read(&mut source, &request).unwrap_err().kind, ErrorKind::Usage);
}

#[test]
fn all_meetings_are_asked_while_they_fit_and_otherwise_those_that_may_have_changed() {
    let listed: Vec<Json> =
        (1..=28).rev().map(|day| entry(&day.to_string(), &format!("2025-09-{day:02}T12:00:00Z"))).collect();
    let ask = |known: Option<&str>, budget: Option<u64>, most: Option<&str>| {
        let mut source = source(|path, _| Ok(if is_list(path) { page(&listed, 28) } else { item(path) }));
        source.budget = budget;
        let mut request = SourceRequest { known_until: known.map(str::to_owned), ..of_119() };
        request.options.extend(most.map(|most| ("max_details".to_owned(), most.to_owned())));
        let (records, summary) = read(&mut source, &request).unwrap();
        assert_eq!(summary.listed, summary.delivered + summary.left_out);
        assert_eq!(
            summary.left_out > 0,
            summary.notes.iter().any(|note| note.contains("not asked in detail"))
        );
        labels(&records).iter().map(|label| label.parse::<u32>().unwrap()).collect::<Vec<_>>()
    };
    let days = |from: u32, to: u32| (from..=to).collect::<Vec<_>>();
    assert_eq!(ask(Some("2025-09-20 12:00:00"), None, None), days(1, 28));
    assert_eq!(
        ask(Some("2025-09-20 12:00:00"), Some(30), None),
        days(1, 28),
        "30 less a twentieth is enough"
    );
    // Newer than the newest known, and seven days before it.
    assert_eq!(ask(Some("2025-09-20 12:00:00"), Some(20), None), days(14, 28));
    assert_eq!(ask(Some("2025-09-20T12:00:00Z"), None, Some("16")), days(14, 28));
    // What is certainly new goes before the overlap; of that the oldest, so that the next run goes on from there.
    assert_eq!(ask(Some("2025-09-20T12:00:00Z"), None, Some("10")), [&[14, 15][..], &days(21, 28)].concat());
    assert_eq!(ask(Some("2025-09-20 12:00:00+00"), None, Some("5")), days(21, 25));
    assert_eq!(ask(None, None, Some("5")), days(1, 5));
    assert_eq!(ask(None, Some(0), None), Vec::<u32>::new());
}

#[test]
fn the_congresses_asked_follow_from_what_is_known_and_from_the_day() {
    let ask = |known: Option<&str>, now: Option<&str>, option: Option<&str>| {
        let mut source = source(|path, _| {
            Ok(if is_list(path) { page(&[entry("1", "2025-01-01T00:00:00Z")], 1) } else { item(path) })
        });
        source.now = now.map(str::to_owned);
        let options = option.map(|option| ("congress".to_owned(), option.to_owned())).into_iter().collect();
        let request =
            SourceRequest { known_until: known.map(str::to_owned), options, ..SourceRequest::default() };
        read(&mut source, &request).unwrap();
        source.asked.retain(|asked| asked.contains('@'));
        source.asked.join(" ").replace("committee-meeting", "m").replace("@0", "")
    };
    assert_eq!(ask(None, Some("2025-01-03T00:00:00Z"), None), "m/119");
    assert_eq!(ask(None, Some("2026-12-31T00:00:00Z"), None), "m/119");
    assert_eq!(ask(Some("2026-12-30 00:00:00"), Some("2027-01-05T00:00:00Z"), None), "m/119 m/120");
    assert_eq!(ask(Some("2023-06-01 00:00:00"), Some("2027-01-05T00:00:00Z"), None), "m/118 m/119 m/120");
    assert_eq!(ask(Some("2025-10-01 19:59:54"), None, None), "m/119 m/120");
    assert_eq!(ask(Some("2025-10-01 19:59:54"), Some("2025-11-01T00:00:00Z"), None), "m/119");
    assert_eq!(ask(None, None, None), "m");
    assert_eq!(
        ask(Some("2025-10-01 19:59:54"), Some("2027-01-05T00:00:00Z"), Some("117, 118")),
        "m/117 m/118"
    );
}

#[test]
fn a_congress_that_lists_nothing_yet_or_is_not_there_is_no_failure() {
    let request = SourceRequest::default();
    let mut young = source(|path, _| match path {
        "committee-meeting/120" => Ok(page(&[], 0)),
        path if is_list(path) => Ok(page(&entries(2), 2)),
        _ => Ok(item(path)),
    });
    young.now = Some("2027-01-05T00:00:00Z".into());
    let (records, summary) = read(&mut young, &request).unwrap();
    assert_eq!(records.len(), 2);
    assert!(summary.notes.iter().any(|note| note.contains("took congress 119")), "{:?}", summary.notes);

    let known = SourceRequest { known_until: Some("2025-10-01 19:59:54".into()), ..SourceRequest::default() };
    let mut folder = source(|path, _| match path {
        "committee-meeting/120" => Err(FetchError::Answer("there is no saved answer".into())),
        path if is_list(path) => Ok(page(&entries(2), 2)),
        _ => Ok(item(path)),
    });
    assert_eq!(read(&mut folder, &known).unwrap().0.len(), 2);

    let mut nothing = source(|_, _| Err(FetchError::Answer("there is no saved answer".into())));
    let error = read(&mut nothing, &known).unwrap_err();
    assert!(error.message.contains("--option congress"), "{error}");
    assert_eq!(error.kind, ErrorKind::Source);
}

#[test]
fn a_list_in_another_shape_is_read_and_one_that_is_none_is_refused() {
    let mut wrapped = source(|path, _| {
        if is_list(path) {
            return Ok(
                json!({ "committeeMeetings": { "item": entries(2) }, "pagination": { "count": "2" } }),
            );
        }
        Ok(item(path))
    });
    assert_eq!(read(&mut wrapped, &of_119()).unwrap().0.len(), 2);
    for wrong in [json!({ "bills": [] }), json!({ "committeeMeetings": [] }), json!([])] {
        let mut source = source(|_, _| Ok(wrong.clone()));
        let error = read(&mut source, &of_119()).unwrap_err();
        assert!(error.message.contains("holds no"), "{error}");
    }
}

#[test]
fn options_that_it_does_not_have_or_cannot_read_are_refused() {
    for (name, value) in
        [("congres", "119"), ("congress", "119th"), ("congress", "0"), ("max_details", "many")]
    {
        let mut source = source(|_, _| Ok(page(&[], 0)));
        let request =
            SourceRequest { options: vec![(name.into(), value.into())], ..SourceRequest::default() };
        let error = read(&mut source, &request).unwrap_err();
        assert!(error.kind == ErrorKind::Usage && error.message.contains("hint:"), "{error}");
        assert_eq!(source.asked.len(), 0);
    }
}

#[test]
fn members_that_come_or_go_are_told() {
    let listed = entries(30);
    let mut source = source(|path, _| {
        if is_list(path) {
            return Ok(page(&listed, 30));
        }
        let mut answer = item(path);
        let meeting = answer["committeeMeeting"].as_object_mut().unwrap();
        let date = meeting.remove("date").unwrap();
        meeting.insert("meetingDate".into(), date);
        Ok(answer)
    });
    let (_, summary) = read(&mut source, &of_119()).unwrap();
    assert_eq!(
        summary.notes,
        [
            "`meetingDate` is not a member this program knows (30 of 30 meetings have it)",
            "none of 30 meetings has `date`; the API may have renamed it"
        ]
    );
}
