//! Who may ask what.

use serde_json::json;

use super::Place;

/// Every route that changes records: what it takes does not matter to whoever may not ask.
const CHANGING: &[(&str, &str)] = &[
    ("PUT", "records/DEMO01-000001/draft"),
    ("DELETE", "records/DEMO01-000001/draft"),
    ("POST", "records/DEMO01-000001/restore"),
    ("POST", "drafts/commit"),
    ("POST", "drafts/discard"),
    ("POST", "import"),
    ("POST", "conflicts"),
    ("POST", "conflicts/DEMO01-000001/resolve"),
    ("POST", "conflicts/DEMO01-000001/undo"),
    ("PUT", "conflict-rules/model"),
    ("DELETE", "conflict-rules/model"),
    ("POST", "dead-letters/retry"),
    ("POST", "dead-letters/drop"),
    ("POST", "sync"),
];

/// Every route that only looks.
const LOOKING: &[&str] = &[
    "records",
    "records/DEMO01-000001",
    "records/DEMO01-000001/versions",
    "records/DEMO01-000001/versions/0",
    "figures",
    "edits",
    "drafts",
    "conflicts",
    "conflict-rules",
    "queue",
    "limbo",
    "dead-letters",
    "sync",
];

#[test]
fn strangers_see_nothing_and_readers_change_nothing() {
    let (place, secrets) = Place::with_tokens(&[("reader", "read"), ("writer", "operate")]);
    let (reader, writer) = (secrets[0].as_str(), secrets[1].as_str());
    let body =
        json!({ "fields": { "model": "x" }, "take": "mine", "all": true, "version": 0, "revision": 1 });
    for (method, path) in CHANGING {
        let body = (*method != "DELETE").then_some(&body);
        for (token, status, code) in [
            (None, 401, "unauthorized"),
            (Some("plimsoll_other"), 401, "unauthorized"),
            (Some(reader), 403, "forbidden"),
        ] {
            let answered = place.ask_as(token, method, path, body);
            assert_eq!((answered.status, answered.code().as_str()), (status, code), "{method} {path}");
        }
        let answered = place.ask_as(Some(writer), method, path, body);
        assert!(![401, 403, 405, 500].contains(&answered.status), "{method} {path}: {answered:?}");
    }
    for path in LOOKING {
        assert_eq!(place.ask_as(None, "GET", path, None).code(), "unauthorized", "{path}");
        assert_eq!(place.ask_as(Some(reader), "GET", path, None).status, 200, "{path}");
    }
    assert_eq!(place.ask_as(None, "GET", "events", None).code(), "unauthorized");
}
