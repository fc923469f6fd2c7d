//! Plans as files: out, in, and what is refused on the way in.

use std::io::Cursor;

use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::value::Value;
use plimsoll_engine::change::plan::Plan;
use plimsoll_engine::change::{exchange, plan as plans};
use plimsoll_engine::session::Session;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_testkit::fixture::*;
use serde_json::json;

crate::on_each_store!(
    a_plan_that_went_through_a_file_is_the_same_plan,
    a_file_that_was_changed_is_refused_unless_it_claims_nothing,
    a_file_that_does_not_fit_names_its_line,
    a_plan_written_by_hand_is_applied
);

fn exported(session: &mut Session, plan: &Plan) -> String {
    let mut out = Vec::new();
    exchange::export(session, plan, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn imported(session: &mut Session, text: &str) -> Result<Plan, EngineError> {
    exchange::import(session, "plan.jsonl", &mut Cursor::new(text))
}

fn items(session: &mut Session) -> Vec<Item> {
    seed(session, 1..=3);
    let odd = [("note", Value::text("a \"quoted\"\nline \u{e9}")), ("rate", Value::Null)];
    vec![
        set_balance(session, 1, 1),
        item([update(session, "account", 2, &odd), insert(session, "entry", &entry(1, 2))]),
        item([delete(session, "account", 3)]),
        Item {
            label: "account x".into(),
            record: Some(json!({"id": "x"}).to_string()),
            refusal: Some(Refusal::quarantined("source", "the id is no number")),
            ..Item::default()
        },
    ]
}

fn a_plan_that_went_through_a_file_is_the_same_plan(place: &Place) {
    let session = &mut place.session();
    let items = items(session);
    let plan = plan(session, &items);
    let text = exported(session, &plan);
    assert_eq!(text.lines().count(), 5);
    // Another store with the same rows.
    let other =
        if place.is_postgres() { Place::postgres().unwrap() } else { plimsoll_testkit::fixture::place() };
    let there = &mut other.session();
    seed(there, 1..=3);
    let read = imported(there, &text).unwrap();
    assert_eq!((&read.digest, read.items, read.changes, read.refused), (&plan.digest, 4, 4, 1));
    assert_eq!(exported(there, &read).replace("plan.jsonl", "a test"), text);
    let here = apply_plan(session, &plan, batches_of(50)).unwrap();
    let there_run = apply_plan(there, &read, batches_of(50)).unwrap();
    assert_eq!(here.tally, there_run.tally);
    assert_eq!(digests(session), digests(there));
}

fn a_file_that_was_changed_is_refused_unless_it_claims_nothing(place: &Place) {
    let session = &mut place.session();
    let items = items(session);
    let plan = plan(session, &items);
    let text = exported(session, &plan);
    let before = plans::list(session.store.as_mut()).unwrap().len();
    let changed = text.replace("\"balance\":1}", "\"balance\":2}");
    assert_ne!(changed, text);
    let shortened: String = text.lines().take(4).map(|line| format!("{line}\n")).collect();
    for wrong in [&changed, &shortened] {
        let error = imported(session, wrong).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("is not the plan that was exported"), "{error}");
    }
    assert_eq!(plans::list(session.store.as_mut()).unwrap().len(), before);
    assert_eq!(number(session, "SELECT count(DISTINCT plan) FROM plimsoll_change"), 1);
    // Without the claim it is a plan of its own.
    let claim = format!(",\"digest\":\"{}\"", plan.digest);
    let own = imported(session, &changed.replace(&claim, "")).unwrap();
    assert_ne!(own.digest, plan.digest);
}

fn a_file_that_does_not_fit_names_its_line(place: &Place) {
    let session = &mut place.session();
    let header = r#"{"plimsoll_plan":1,"system":"fixture","change":"file"}"#;
    let good = r#"{"changes":[{"table":"account","after":{"id":1,"name":"n","balance":1}}]}"#;
    let cases = [
        (
            format!("{header}\n{good}\n{{\"changes\":[{{\"table\":\"nowhere\"}}]}}"),
            "line 3",
            "no table `nowhere`",
        ),
        (
            format!("{header}\n\n{}", good.replace("\"name\"", "\"nothing\"")),
            "line 3",
            "table `account` has no column `nothing`",
        ),
        (format!("{header}\n{good}\nnot JSON"), "line 3", "not an item of a plan"),
        (
            format!("{header}\n{{\"changes\":[{{\"table\":\"account\"}}]}}"),
            "line 2",
            "neither before nor after",
        ),
        (
            format!(
                "{header}\n{}",
                r#"{"changes":[{"table":"account","before":{"id":1},"after":{"id":2}}]}"#
            ),
            "line 2",
            "would change the key",
        ),
        (good.to_owned(), "line 1", "no plan header"),
        (header.replace(":1,", ":2,"), "plan format 2", "newer plimsoll"),
        (String::new(), "plan.jsonl", "is empty"),
    ];
    for (text, place, problem) in cases {
        let error = imported(session, &text).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Usage | ErrorKind::Refused), "{:?} {error}", error.kind);
        assert!(error.message.contains(place) && error.message.contains(problem), "{error}");
    }
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_plan"), 0);
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_change"), 0);
}

fn a_plan_written_by_hand_is_applied(place: &Place) {
    let session = &mut place.session();
    // Plain JSON values; the store brings them into the form that it reads back.
    let text = r#"{"plimsoll_plan":1,"system":"fixture","change":"file"}
{"changes":[{"table":"account","after":{"id":1,"name":"by hand","balance":1,"active":true,"rate":"1.5","opened_at":"2026-01-01T00:00:00Z"}},{"table":"entry","after":{"id":1,"account_id":1,"amount":2}}]}"#;
    let plan = imported(session, text).unwrap();
    let run = apply_plan(session, &plan, batches_of(50)).unwrap();
    assert_eq!((run.tally.applied, run.rows_written), (1, 2));
    let found = plimsoll_engine::change::verify::verify(session, &run.id).unwrap();
    assert!(found.ok && found.rows_as_applied == 2, "{found:?}");
    assert_eq!(cell(session, "account", 1, "active"), Some(Value::Boolean(true)));
}
