//! What is refused, and what is left to the database.

use plimsoll_core::change::Change;
use plimsoll_core::item::{Item, Outcome};
use plimsoll_core::value::Value;
use plimsoll_engine::source::SourceRecord;
use plimsoll_hearings::rules::{self, CHAMBERS};
use serde_json::{Value as Json, json};

use crate::support::{Database, Planned, meeting, meeting_with};

#[test]
fn every_rule_refuses_with_the_event_the_field_the_value_and_a_hint() {
    let cases: &[(Json, &str, &str)] = &[
        (
            json!({ "eventId": "634847912c87197aac1f9800" }),
            "committeeMeeting.eventId",
            "634847912c87197aac1f9800",
        ),
        (json!({ "eventId": null }), "committeeMeeting.eventId", "missing"),
        (json!({ "eventId": "" }), "committeeMeeting.eventId", "\"\""),
        (json!({ "title": null }), "committeeMeeting.title", "missing"),
        (json!({ "chamber": "Joint" }), "committeeMeeting.chamber", "Joint"),
        (json!({ "chamber": "Upper House" }), "committeeMeeting.chamber", "Upper House"),
        (json!({ "chamber": null }), "committeeMeeting.chamber", "missing"),
        (json!({ "congress": 0 }), "committeeMeeting.congress", "0"),
        (json!({ "congress": 201 }), "committeeMeeting.congress", "201"),
        (json!({ "congress": -1 }), "committeeMeeting.congress", "-1"),
        (json!({ "congress": "119th" }), "committeeMeeting.congress", "119th"),
        (json!({ "congress": null }), "committeeMeeting.congress", "missing"),
        (json!({ "date": "2025-02-30T14:00:00Z" }), "committeeMeeting.date", "2025-02-30"),
        (json!({ "date": "2025-13-01T15:00:00Z" }), "committeeMeeting.date", "2025-13-01"),
        (json!({ "date": "2025-06-31" }), "committeeMeeting.date", "2025-06-31"),
        (json!({ "date": "not a date" }), "committeeMeeting.date", "not a date"),
        (json!({ "updateDate": "yesterday" }), "committeeMeeting.updateDate", "yesterday"),
        (
            json!({ "committees": [{ "name": "Nameless" }] }),
            "committeeMeeting.committees.0.systemCode",
            "missing",
        ),
        (
            json!({ "committees": [{ "systemCode": "hsii24" }, { "systemCode": " " }] }),
            "committeeMeeting.committees.1.systemCode",
            "\" \"",
        ),
        (
            json!({ "relatedItems": { "bills": [{ "congress": 119, "type": "HR", "number": "12a" }] } }),
            "committeeMeeting.relatedItems.bills.0.number",
            "12a",
        ),
    ];
    let mut database = Database::empty();
    for (members, field, value) in cases {
        let refusal = database.plan(&meeting_with(members.clone())).refusal();
        assert_eq!((refusal.outcome, refusal.class.as_str()), (Outcome::Quarantined, "validation"));
        for part in [*field, *value, "hearing ", "\nhint: "] {
            assert!(refusal.reason.contains(part), "{members}: {:?} in {}", part, refusal.reason);
        }
    }
    // Everything that is wrong is told at once.
    let reason = database.plan(&meeting_with(json!({ "title": null, "chamber": "Joint" }))).refusal().reason;
    assert!(reason.contains("title") && reason.contains("chamber"), "{reason}");
}

#[test]
fn a_meeting_that_the_source_cannot_show_is_refused_with_its_reason() {
    let mut database = Database::empty();
    let body = Err("HTTP 500 (asked 4 times)".to_owned());
    let refusal = database.plan_record(&SourceRecord { label: "hearing 7".into(), body }).refusal();
    assert_eq!(refusal.class, "source");
    assert!(
        refusal.reason.starts_with("hearing 7: ") && refusal.reason.contains("HTTP 500"),
        "{}",
        refusal.reason
    );
}

#[test]
fn an_answer_about_another_meeting_is_refused() {
    let mut database = Database::empty();
    let body = json!({ "committeeMeeting": meeting(), "list": { "eventId": "1" } });
    let refusal = database.plan_record(&SourceRecord { label: "hearing 1".into(), body: Ok(body) }).refusal();
    assert!(refusal.reason.contains("list.eventId"), "{}", refusal.reason);
}

#[test]
fn a_blank_title_never_replaces_a_title() {
    let mut database = Database::empty();
    database.take(&meeting());
    let refusal = database.plan(&meeting_with(json!({ "title": " " }))).refusal();
    assert!(refusal.reason.contains("committeeMeeting.title"), "{}", refusal.reason);
}

/// Defect 8: the earlier validator took `joint` and refused `NoChamber`, its schema the other way round.
#[test]
fn the_validator_and_the_schema_accept_the_same_chambers() {
    for chamber in ["House", "Senate", "NoChamber", "Joint", "joint", "Assembly", ""] {
        let mut database = Database::empty();
        let planned = database.plan(&meeting_with(json!({ "chamber": chamber })));
        let taken_by_the_rules = matches!(planned, Planned::Changes(_));
        let sql = format!(
            "INSERT INTO hearings (hearing_id, event_id, congress, chamber, title, hearing_type, status) \
             VALUES (1, '1', 119, '{chamber}', 't', 'Hearing', 'Scheduled')"
        );
        let taken_by_the_schema = database.store.execute(&sql, &[]).is_ok();
        assert_eq!(taken_by_the_rules, taken_by_the_schema, "{chamber}");
        assert_eq!(CHAMBERS.contains(&chamber), taken_by_the_schema, "{chamber}");
    }
    // Spelling is put right, not refused.
    let mut database = Database::empty();
    database.take(&meeting_with(json!({ "chamber": "NOCHAMBER" })));
    assert_eq!(database.ask_one("SELECT chamber FROM hearings"), "NoChamber");
}

#[test]
fn status_and_types_are_left_to_the_database_which_refuses_them() {
    let cases = [
        json!({ "meetingStatus": "TBD" }),
        json!({ "type": "Briefing" }),
        json!({ "type": null }),
        json!({ "relatedItems": { "bills": [{ "congress": 119, "type": "HAMDT", "number": 1 }] } }),
        json!({ "witnessDocuments": [{ "documentType": "Witness Poem", "url": "https://x/Wstate-OsceolaM-1.pdf" }] }),
    ];
    for members in cases {
        let mut database = Database::empty();
        let item = database.plan(&meeting_with(members.clone())).changes();
        let before = database.digests();
        let refused = database.write(&item.changes).unwrap_err();
        assert!(refused.to_lowercase().contains("constraint"), "{members}: {refused}");
        assert_eq!(database.digests(), before, "{members}");
    }
}

fn item(database: &mut Database, meeting: &Json) -> Item {
    database.plan(meeting).changes()
}

fn set(item: &mut Item, table: &str, column: &str, value: Value) {
    let change = item.changes.iter_mut().find(|change| change.table.name == table).unwrap();
    let at = change.table.position(column).unwrap();
    let mut after = change.after.clone().unwrap();
    after[at] = value;
    *change = Change::new(change.table.clone(), change.before.clone(), Some(after)).unwrap();
}

#[test]
fn a_batch_with_a_hearing_twice_keeps_the_first() {
    let mut database = Database::empty();
    let items = [
        item(&mut database, &meeting()),
        item(&mut database, &meeting_with(json!({ "eventId": "2" }))),
        item(&mut database, &meeting_with(json!({ "title": "Another" }))),
    ];
    let refused = rules::check_items(&items);
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(refused[0].0, 2);
    assert!(refused[0].1.contains("118296") && refused[0].1.contains("hint:"), "{}", refused[0].1);
}

#[test]
fn rows_of_plans_from_files_are_judged_by_the_same_rules() {
    let mut database = Database::empty();
    let cases = [
        ("hearings", "event_id", Value::text("x1")),
        ("hearings", "event_id", Value::Null),
        ("hearings", "title", Value::Null),
        ("hearings", "chamber", Value::text("Joint")),
        ("hearings", "congress", Value::Integer(201)),
        ("hearings", "hearing_date", Value::text("2025-02-30")),
        ("hearings", "hearing_date_only", Value::Integer(5)),
        ("hearings", "update_date", Value::text("soon")),
        ("committees", "system_code", Value::text(" ")),
    ];
    for (table, column, value) in cases {
        let good = item(&mut database, &meeting());
        assert_eq!(rules::check_items(std::slice::from_ref(&good)), []);
        let mut bad = good.clone();
        set(&mut bad, table, column, value.clone());
        let neighbour = item(&mut database, &meeting_with(json!({ "eventId": "2" })));
        let refused = rules::check_items(&[neighbour, bad]);
        assert_eq!(refused.len(), 1, "{table}.{column} {value}");
        assert_eq!(refused[0].0, 1);
        for part in [column, "hint:"] {
            assert!(refused[0].1.contains(part), "{}", refused[0].1);
        }
    }
}

#[test]
fn an_update_is_judged_by_what_it_sets_and_a_refused_item_not_again() {
    let mut database = Database::empty();
    database.take(&meeting());
    // A row that an earlier system left in a bad state can still be updated in other columns.
    database.store.execute("UPDATE hearings SET event_id = 'x1', congress = 999", &[]).unwrap();
    let row = "UPDATE hearings SET event_id = '118296'";
    database.store.execute(row, &[]).unwrap();
    let mut update = item(&mut database, &meeting_with(json!({ "title": "Other" })));
    assert_eq!(rules::check_items(std::slice::from_ref(&update)), []);
    set(&mut update, "hearings", "title", Value::text(""));
    assert_eq!(rules::check_items(std::slice::from_ref(&update)).len(), 1, "a title does not vanish");
    let refused = Item {
        refusal: Some(plimsoll_core::item::Refusal::quarantined("validation", "x")),
        ..item(&mut database, &meeting_with(json!({ "title": "Third" })))
    };
    let other = item(&mut database, &meeting_with(json!({ "title": "Fourth" })));
    assert_eq!(
        rules::check_items(&[refused, other]),
        [],
        "a refused item does not count as the first of two"
    );
}
