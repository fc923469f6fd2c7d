//! Drafts, edits and their way to the remote, back and from files.

use plimsoll_simulator::pems::{Options, serve};
use serde_json::{Value as Json, json};

use super::Place;
use crate::support::home::Home;
use crate::support::web::Web;

#[test]
fn a_draft_by_put_is_committed_sent_and_can_be_taken_back() {
    Place::each(|place| {
        let key = "DEMO01-000001";
        let record = format!("records/{key}");
        let before = place.get(&record)["theirs"]["model"].clone();
        assert_eq!(before, place.there(key));

        let dry =
            place.put(&format!("{record}/draft?dry_run=true"), &json!({ "fields": { "model": "Demo A" } }));
        assert_eq!((&dry["dry_run"], &dry["edit"], &dry["undo"]), (&json!(true), &Json::Null, &Json::Null));
        assert_eq!(place.get("drafts")["total"], 0, "a dry run leaves nothing");

        let draft = place.put(&format!("{record}/draft"), &json!({ "fields": { "model": "Demo A" } }));
        let shown = place.get(&record);
        assert_eq!(
            (&shown["state"], &shown["mine"]["model"], &shown["theirs"]["model"], &shown["differs"]),
            (&json!("draft"), &json!("Demo A"), &before, &json!(["model"]))
        );
        assert_eq!(place.get("drafts")["items"][0]["edit"], draft["edit"]);
        // The command in the answer is one that works.
        place.run(&draft["undo"]);
        assert_eq!(place.get("drafts")["total"], 0);

        let draft = place.put(&format!("{record}/draft"), &json!({ "fields": { "model": "Demo B" } }));
        let body = json!({ "edits": [draft["edit"]], "reason": "it was replaced" });
        let committed = place.post("drafts/commit", &body);
        assert_eq!((&committed["done"], &committed["items"][0]["key"]), (&json!(1), &json!(key)));
        assert_eq!(place.get(&record)["state"], "queued");
        assert_eq!(place.get("queue")["items"][0]["key"], key);
        assert_eq!(place.there(key), before, "nothing is sent before a round");

        let round = place.post("sync", &json!({ "wait_ms": 20_000 }));
        assert_eq!(round["round"]["report"]["sent"]["applied"], 1, "{round}");
        assert_eq!(place.there(key), "Demo B");
        let status = place.get("sync");
        assert_eq!((&status["status"]["due"], &status["status"]["edits"]["synced"]), (&json!(0), &json!(1)));

        let versions = place.get(&format!("{record}/versions"));
        let last = versions["steps"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["actor"], &last["because"]), (&json!("tester"), &json!("it was replaced")));
        assert_eq!(place.get(&format!("{record}/versions/0"))["fields"]["model"], before);
        let back = place.post(&format!("{record}/restore"), &json!({ "version": 0, "dry_run": true }));
        assert_eq!((&back["fields"]["model"], &back["edit"]), (&before, &Json::Null));
        assert_eq!(place.get("queue")["total"], 0);
        // The command that takes the commit back does the same as the route.
        place.run(&committed["items"][0]["undo"]);
        place.post("sync", &json!({ "pull": false, "wait_ms": 20_000 }));
        assert_eq!(place.there(key), before);
        place.post(&format!("{record}/restore"), &json!({ "version": 1, "reason": "once more" }));
        place.post("sync", &json!({ "pull": false, "wait_ms": 20_000 }));
        assert_eq!(place.there(key), "Demo B");
        for (operation, times) in place.pems.effects().operations {
            assert_eq!(times, 1, "{operation}");
        }
    });
}

#[test]
fn drafts_are_their_authors_and_the_caller_is_the_actor() {
    let (place, secrets) = Place::with_tokens(&[("anna", "operate"), ("bert", "operate")]);
    let record = "records/DEMO01-000005";
    let draft = place.put(&format!("{record}/draft"), &json!({ "fields": { "model": "Demo anna" } }));
    let theirs = place.get(record)["theirs"]["model"].clone();
    let bert =
        |method: &str, path: &str, body: Option<&Json>| place.ask_as(Some(&secrets[1]), method, path, body);
    let seen = bert("GET", record, None).json();
    assert_eq!(
        (&seen["mine"]["model"], &seen["state"], &seen["drafts"]),
        (&theirs, &json!("synced"), &json!([]))
    );
    assert_eq!(bert("GET", "drafts", None).json()["total"], 0);
    assert_eq!(bert("GET", "drafts?everybody=true", None).json()["total"], 1);
    let refused = bert("POST", "drafts/commit", Some(&json!({ "edits": [draft["edit"]] })));
    assert_eq!((refused.status, refused.code().as_str()), (409, "refused"), "{refused:?}");
    assert_eq!(bert("POST", "drafts/commit", Some(&json!({ "all": true }))).json()["done"], 0);
    assert_eq!(place.post("drafts/commit", &json!({ "all": true }))["done"], 1);
    let steps = place.get(&format!("{record}/versions"));
    assert_eq!(steps["steps"][0]["actor"], "anna", "{steps}");
    // What is committed is everyone's.
    assert_eq!(bert("GET", record, None).json()["mine"]["model"], "Demo anna");
}

#[test]
fn a_refused_edit_changes_nothing_and_says_why() {
    let place = Place::open();
    let record = "records/DEMO01-000006";
    for (body, status, words) in [
        (json!({ "fields": { "nonsense": 1 } }), 400, "the fields are"),
        (json!({ "fields": { "forecast_start": "soon" } }), 400, "no date"),
        (json!({ "fields": { "model": ["x"] } }), 400, "is wanted"),
        (json!({ "fields": {} }), 400, "is wanted"),
        // A whole row is judged: the start lies after the end that nobody edited.
        (json!({ "fields": { "forecast_start": "2999-01-01" }, "commit": true }), 409, "lies after"),
    ] {
        let answered = place.ask("PUT", &format!("{record}/draft"), Some(&body));
        assert_eq!(answered.status, status, "{body}: {answered:?}");
        assert!(answered.text.contains(words), "{body}: {answered:?}");
    }
    assert_eq!(
        (place.get("edits")["total"].as_u64(), place.get("queue")["total"].as_u64()),
        (Some(0), Some(0))
    );
    let nobody = place.ask("PUT", "records/nobody/draft", Some(&json!({ "fields": { "model": "x" } })));
    assert_eq!(nobody.status, 400, "{nobody:?}");
    assert_eq!(place.ask("GET", "records/nobody", None).status, 404);
    assert_eq!(place.web.ask("GET", "/api/v1/systems/hearings/records", &[], None).status, 404);
    assert_eq!(place.web.ask("GET", "/api/v1/systems/nobody/records", &[], None).status, 404);
}

#[test]
fn a_bad_file_tells_its_lines_and_loses_none() {
    let place = Place::open();
    let import = |query: &str, kind: &str, text: &str| {
        place.web.ask("POST", &format!("/api/v1/systems/pfa/import{query}"), &[], Some((kind, text)))
    };
    let theirs = place.get("records/DEMO01-000007")["theirs"]["model"].as_str().unwrap().to_owned();
    let text = format!(
        "pfa_id,model,forecast_start\nDEMO01-000003,\"Demo, quoted\",\nDEMO01-000004,Demo,soon\nnobody,x,\n\
         DEMO01-000007,{theirs}\nDEMO01-000003,twice,\n"
    );
    let lines = |done: &Json| -> Vec<u64> {
        done["problems"].as_array().unwrap().iter().map(|one| one["line"].as_u64().unwrap()).collect()
    };
    let foreseen = import("?dry_run=true", "text/csv; charset=utf-8", &text).json();
    assert_eq!((lines(&foreseen), &foreseen["edited"]), (vec![3, 4, 5, 6], &json!(1)), "{foreseen}");
    assert_eq!(place.get("edits")["total"], 0);
    let done = import("", "text/csv", &text).json();
    assert_eq!((lines(&done), &done["edited"]), (vec![3, 4, 5, 6], &json!(1)), "{done}");
    let problem = &done["problems"][0];
    assert_eq!(problem["column"], "forecast_start");
    assert!(problem["reason"].as_str().unwrap().contains("`soon`"), "{problem}");
    assert_eq!(place.get("records/DEMO01-000003")["mine"]["model"], "Demo, quoted");
    place.run(&done["undo"]);
    assert_eq!(place.get("drafts")["total"], 0);

    // A line that breaks a rule of the whole row leaves no draft behind.
    let text = "pfa_id,forecast_start\nDEMO01-000008,2999-01-01\n";
    let refused = import("?commit=true", "text/csv", text).json();
    assert_eq!((lines(&refused), &refused["edited"]), (vec![2], &json!(0)), "{refused}");
    assert_eq!(place.get("edits?open=true")["total"], 0);
    let headless = import("", "text/csv", "model\nx\n");
    assert_eq!((headless.status, headless.code().as_str()), (400, "usage"), "{headless:?}");
    assert!(headless.text.contains("pfa_id"), "{headless:?}");
    assert_eq!(import("", "application/json", text).status, 415);
}

#[test]
fn a_round_that_cannot_be_gone_says_why() {
    let home = Home::new();
    let ask = |web: &Web, body: &str| {
        web.ask("POST", "/api/v1/systems/pfa/sync", &[], Some(("application/json", body)))
    };
    let web = Web::at(&home);
    let nowhere = ask(&web, "{}");
    assert_eq!((nowhere.status, nowhere.code().as_str()), (409, "refused"), "{nowhere:?}");
    assert!(nowhere.text.contains("sources.pfa"), "{nowhere:?}");
    drop(web);
    let pems = serve(Options { token: Some("right".into()), ..Options::default() }).unwrap();
    std::fs::write(home.file("plimsoll.toml"), format!("[sources]\npfa = \"{}\"\n", pems.address())).unwrap();
    let web = Web::at(&home);
    let unpulled = ask(&web, "{\"wait_ms\": 20000}");
    assert_eq!((unpulled.status, unpulled.code().as_str()), (400, "usage"), "{unpulled:?}");
    // Without the right to read: whose fault it is, and nothing of the token.
    let denied = ask(&web, "{\"scopes\": [\"DEMO01\"], \"wait_ms\": 20000}");
    assert_eq!((denied.status, denied.code().as_str()), (502, "source"), "{denied:?}");
    let state = web.ask("GET", "/api/v1/systems/pfa/sync", &[], None).json();
    assert!(
        state["rounds"]["last"]["problem"].is_string() && state["rounds"]["running"].is_null(),
        "{state}"
    );
    let foreseen = ask(&web, "{\"dry_run\": true}").json();
    assert_eq!((&foreseen["dry_run"], &foreseen["due"]), (&json!(true), &json!(0)), "{foreseen}");
}

/// LG-45: the id that a caller sends is found with the edit in the queue, and in the record of changes.
#[test]
fn a_request_is_found_again_in_the_queue() {
    Place::each(|place| {
        let body = json!({ "fields": { "model": "Demo traced" }, "commit": true, "reason": "traced" });
        let path = "/api/v1/systems/pfa/records/DEMO01-000007/draft";
        let headers = [("x-request-id", "trace-7")];
        let answer = place.web.ask("PUT", path, &headers, Some(("application/json", &body.to_string())));
        assert_eq!((answer.status, answer.header("x-request-id")), (200, "trace-7"), "{answer:?}");
        let queued = place.get("queue")["items"][0].clone();
        assert_eq!((&queued["key"], &queued["request"]), (&json!("DEMO01-000007"), &json!("trace-7")));
        place.run(&json!("plimsoll edit pfa DEMO01-000008 model=Hand --commit"));
        let queued = place.get("queue")["items"].clone();
        let by_hand = queued.as_array().unwrap().iter().find(|edit| edit["key"] == "DEMO01-000008").unwrap();
        assert_eq!(by_hand["request"], Json::Null, "a command is no request");
    });
}
