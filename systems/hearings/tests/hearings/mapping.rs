//! What one record means for the hearing's own row, for unchanged hearings, and for taking an item back.

use plimsoll_core::change::Change;
use plimsoll_engine::source::SourceRecord;
use serde_json::{Value as Json, json};

use crate::support::{Database, meeting, meeting_with, told};

const HEARING: &str = "SELECT event_id, congress, chamber, title, hearing_type, status, hearing_date, \
     hearing_date_only, hearing_time, location, jacket_number, update_date, video_url, youtube_video_id, video_type, \
     created_at, updated_at FROM hearings";

#[test]
fn a_new_hearing_comes_with_all_its_parts_parents_first() {
    let mut database = Database::empty();
    let item = database.take(&meeting());
    let wanted = [
        "insert hearings",
        "insert committees",
        "insert hearing_committees",
        "insert bills",
        "insert hearing_bills",
        "insert witnesses",
        "insert witness_appearances",
        "insert witnesses",
        "insert witness_appearances",
        "insert witness_documents",
        "insert supporting_documents",
        "insert hearing_transcripts",
    ];
    assert_eq!(told(&item), wanted);
    assert_eq!(
        database.ask_one(HEARING),
        "118296 | 119 | House | On lighthouses | Hearing | Scheduled | 2025-05-21 | 2025-05-21 | 14:00:00 | \
         1324, Longworth House Office Building | 58428 | 2025-10-01 19:59:54 | \
         https://www.youtube.com/watch?v=Demoabcdefg | Demoabcdefg | youtube | 2026-01-02 03:04:00 | \
         2026-01-02 03:04:00"
    );
    let committee = "SELECT system_code, name, chamber, type, parent_committee_id, is_current, congress, is_primary \
         FROM committees JOIN hearing_committees USING (committee_id)";
    assert_eq!(
        database.ask_one(committee),
        "hsii24 | Indian and Insular Affairs Subcommittee | House | Subcommittee | null | 1 | 119 | 1"
    );
    let people = "SELECT appearance_order, full_name, first_name, last_name, title, organization, position, \
         witness_type FROM witness_appearances JOIN witnesses USING (witness_id) ORDER BY 1";
    let people = database.ask(people);
    assert_eq!(
        people[0].join("|"),
        "1|Nicol Turner Lee|Nicol|Turner Lee|Director|Institute of Lamps|Director|null"
    );
    assert_eq!(people[1].join("|"), "2|Mary Osceola|Mary|Osceola|Keeper|null|Keeper|null");
    let document = "SELECT full_name, document_type, format_type FROM witness_documents \
         JOIN witness_appearances USING (appearance_id) JOIN witnesses USING (witness_id)";
    assert_eq!(database.ask_one(document), "Mary Osceola | Statement | PDF");
    database.check();
}

#[test]
fn the_same_record_again_changes_nothing() {
    let mut database = Database::empty();
    database.take(&meeting());
    assert!(database.plan(&meeting()).is_unchanged());
}

#[test]
fn a_newer_update_time_alone_is_not_a_change() {
    let mut database = Database::empty();
    database.take(&meeting());
    assert!(database.plan(&meeting_with(json!({ "updateDate": "2025-11-30T00:00:00Z" }))).is_unchanged());
}

#[test]
fn each_stated_column_is_compared_by_its_name_and_moves_the_update_times_with_it() {
    // Defects 3 and 5: the earlier system compared columns by wrong positions.
    let cases = [
        (json!({ "title": "On harbours" }), "title"),
        (json!({ "type": "Markup" }), "hearing_type"),
        (json!({ "meetingStatus": "Postponed" }), "status"),
        (json!({ "chamber": "Senate" }), "chamber"),
        (json!({ "congress": 118 }), "congress"),
        (json!({ "location": { "address": "1 Demo Street" } }), "location"),
        (json!({ "date": "2025-05-21T16:30:00Z" }), "hearing_time"),
        (json!({ "date": "2025-05-22T14:00:00Z" }), "hearing_date,hearing_date_only"),
        (json!({ "videos": [] }), "video_url,youtube_video_id,video_type"),
        (
            json!({ "videos": [{ "url": "https://www.senate.gov/isvp/?x" }] }),
            "video_url,youtube_video_id,video_type",
        ),
    ];
    for (members, columns) in cases {
        let mut database = Database::empty();
        database.take(&meeting());
        let mut changed = meeting_with(members);
        changed["updateDate"] = json!("2025-12-01T00:00:00Z");
        let item = database.plan(&changed).changes();
        let [line] = told(&item).try_into().unwrap_or_else(|lines| panic!("{lines:?}"));
        let named: Vec<&str> = line.rsplit(' ').next().unwrap().split(',').collect();
        let mut wanted: Vec<&str> = columns.split(',').chain(["update_date", "updated_at"]).collect();
        wanted.sort_unstable();
        let mut found = named.clone();
        found.sort_unstable();
        assert_eq!(found, wanted, "{columns}");
        database.write(&item.changes).unwrap();
        assert!(database.plan(&changed).is_unchanged(), "{columns}");
    }
}

#[test]
fn what_a_record_does_not_state_stays() {
    let optional = [
        "type",
        "meetingStatus",
        "date",
        "location",
        "updateDate",
        "committees",
        "witnesses",
        "witnessDocuments",
        "meetingDocuments",
        "hearingTranscript",
        "relatedItems",
        "videos",
    ];
    for name in optional {
        for nothing in [Json::Null, json!({})] {
            if nothing == json!({}) && ["type", "meetingStatus", "date", "updateDate"].contains(&name) {
                continue;
            }
            let mut database = Database::empty();
            database.take(&meeting());
            let mut bare = meeting();
            bare[name] = nothing.clone();
            assert!(database.plan(&bare).is_unchanged(), "{name}: {nothing}");
            bare.as_object_mut().unwrap().remove(name);
            assert!(database.plan(&bare).is_unchanged(), "{name} absent");
        }
    }
    // A day without a time says nothing about the time.
    let mut database = Database::empty();
    database.take(&meeting());
    assert!(database.plan(&meeting_with(json!({ "date": "2025-05-21" }))).is_unchanged());
}

#[test]
fn titles_are_kept_byte_for_byte_and_may_be_empty() {
    let odd = " “Ports”\u{a0}–\r\n\r\n1) H.R. 1;\t ";
    let mut database = Database::empty();
    database.take(&meeting_with(json!({ "title": odd })));
    assert_eq!(database.ask_one("SELECT title FROM hearings"), odd);
    let placeholder = meeting_with(json!({ "eventId": "2", "title": "", "date": null }));
    database.take(&placeholder);
    assert!(database.plan(&placeholder).is_unchanged());
    database.take(&meeting_with(json!({ "eventId": "2", "title": "Now it has one", "date": null })));
}

#[test]
fn times_with_a_zone_are_brought_to_utc() {
    let mut database = Database::empty();
    database.take(&meeting_with(json!({ "date": "2025-05-21T22:30:00-04:00" })));
    let held = "SELECT hearing_date, hearing_time FROM hearings";
    assert_eq!(database.ask_one(held), "2025-05-22 | 02:30:00");
}

#[test]
fn the_lists_address_is_the_hearings_url() {
    let mut database = Database::empty();
    let url = "https://api.congress.gov/v3/committee-meeting/119/house/118296?format=json";
    let record = SourceRecord {
        label: "hearing 118296".into(),
        body: Ok(json!({ "committeeMeeting": meeting(), "list": { "eventId": "118296", "url": url } })),
    };
    let item = database.plan_record(&record).changes();
    database.write(&item.changes).unwrap();
    assert_eq!(database.ask_one("SELECT url FROM hearings"), url);
    assert!(database.plan_record(&record).is_unchanged());
    assert!(database.plan(&meeting()).is_unchanged(), "a record without a list entry does not state it");
}

/// Defect 3: what an update overwrote must come back whole, not four columns of it.
#[test]
fn the_inverse_of_an_update_restores_the_whole_row_and_its_parts() {
    let mut database = Database::empty();
    database.take(&meeting());
    let before = database.digests();
    let changed = meeting_with(json!({
        "title": "On harbours", "meetingStatus": "Canceled", "date": "2025-06-01T09:00:00Z",
        "updateDate": "2025-12-01T00:00:00Z", "location": { "address": "Elsewhere" }, "videos": [],
        "committees": [{ "systemCode": "hsqa00", "name": "Quays" }],
        "witnesses": [
            { "name": "Mary Osceola", "position": "Head Keeper", "organization": "Harbour Board" },
            { "name": "New Person", "position": null },
        ],
        "witnessDocuments": [], "meetingDocuments": [{ "name": "Other", "documentType": "Support Document" }],
        "hearingTranscript": [], "relatedItems": { "bills": [{ "congress": 119, "type": "S", "number": 1 }] },
    }));
    let item = database.take(&changed);
    assert_ne!(database.digests(), before);
    database.check();
    let inverse: Vec<Change> = item.changes.iter().rev().map(Change::inverse).collect();
    database.write(&inverse).unwrap();
    assert_eq!(database.digests(), before);
    database.check();
}

/// Defect 4: an added hearing could not be taken back once committees were attached.
#[test]
fn the_inverse_of_an_added_hearing_takes_its_children_first() {
    let mut database = Database::empty();
    let before = database.digests();
    let item = database.take(&meeting());
    let inverse: Vec<Change> = item.changes.iter().rev().map(Change::inverse).collect();
    database.write(&inverse).unwrap();
    assert_eq!(database.digests(), before);
    let wrong: Vec<Change> = item.changes.iter().map(Change::inverse).collect();
    database.write(&item.changes).unwrap();
    let refused = database.write(&wrong).unwrap_err();
    assert!(refused.to_lowercase().contains("foreign key"), "the order matters: {refused}");
}

/// Defect 7: a bad record took its whole batch with it. Here it takes nothing, and leaves nothing behind.
#[test]
fn a_refused_record_leaves_nothing_for_its_neighbours() {
    let mut database = Database::empty();
    let bad = meeting_with(json!({ "eventId": "1", "chamber": "Joint" }));
    let worse = meeting_with(json!({ "eventId": "3", "title": null }));
    database.plan(&bad).refusal();
    database.plan(&worse).refusal();
    let good = database.plan(&meeting_with(json!({ "eventId": "2" }))).changes();
    assert_eq!(good.changes.iter().filter(|change| change.table.name == "committees").count(), 1);
    database.write(&good.changes).unwrap();
    assert_eq!(database.ask_one("SELECT event_id FROM hearings"), "2");
}

#[test]
fn hearings_of_one_plan_share_new_committees_witnesses_and_bills_and_stand_alone() {
    let two = [meeting(), meeting_with(json!({ "eventId": "2", "witnessDocuments": [] }))];
    for first in [0, 1] {
        let mut database = Database::empty();
        let items = [database.plan(&two[0]).changes(), database.plan(&two[1]).changes()];
        // Each item brings everything it needs, so either can be applied without the other.
        database.write(&items[first].changes).unwrap();
        database.check();
        let key = |item: usize, table: &str| {
            let found = items[item].changes.iter().find(|change| change.table.name == table);
            found.map(|change| change.key().to_text())
        };
        for table in ["committees", "witnesses", "bills"] {
            assert_eq!(key(0, table), key(1, table), "{table}");
        }
        for table in ["hearings", "witness_appearances", "hearing_bills"] {
            assert_ne!(key(0, table), key(1, table), "{table}");
        }
    }
}

#[test]
fn times_of_planning_are_the_engines() {
    let mut database = Database::empty();
    database.take(&meeting());
    let stamps = "SELECT count(*) FROM (SELECT created_at AS at FROM hearings UNION ALL SELECT created_at FROM witnesses \
         UNION ALL SELECT created_at FROM committees UNION ALL SELECT created_at FROM bills \
         UNION ALL SELECT created_at FROM witness_documents UNION ALL SELECT created_at FROM hearing_committees) \
         WHERE at <> ";
    assert_eq!(database.ask_one(&format!("{stamps}'2026-01-02 03:04:00'")), "0");
}
