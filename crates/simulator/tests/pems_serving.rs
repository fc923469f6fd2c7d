//! The simulated PEMS without faults: paging, versions, rules, tokens, and what is recorded.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

mod support;

use std::collections::BTreeSet;

use plimsoll_simulator::pems::{Author, Options, Running, TokenBucket, serve};
use serde_json::{Value, json};
use support::pems::{Pems, code, row_ids, text, version};

fn calm() -> (Running, Pems) {
    let running = serve(Options::default()).unwrap();
    let pems = Pems::new(&running);
    (running, pems)
}

/// The first row of DEMO01 that has these values.
fn row_with(running: &Running, wanted: Value) -> Value {
    let fits = |row: &Value| wanted.as_object().unwrap().iter().all(|(name, value)| row[name] == *value);
    running.rows(Some("DEMO01")).into_iter().find(fits).unwrap()
}

#[test]
fn keyset_paging_shows_each_row_once_also_where_stamps_are_shared() {
    let (running, mut pems) = calm();
    for limit in [1, 2, 7, 200, 500] {
        let (rows, pages) = pems.pull("DEMO01", limit);
        assert_eq!((rows.len(), pages), (200, 200_usize.div_ceil(limit)), "limit {limit}");
        let places: Vec<(&str, &str)> =
            rows.iter().map(|row| (text(row, "pfs_lastmodified"), text(row, "pfs_id"))).collect();
        assert!(places.is_sorted() && places.windows(2).all(|two| two[0] != two[1]));
        let stamps: BTreeSet<&str> = places.iter().map(|place| place.0).collect();
        assert!(stamps.len() < 180, "stamps are shared");
        let ids: BTreeSet<String> = row_ids(&rows).into_iter().collect();
        assert_eq!(ids, row_ids(&running.rows(Some("DEMO01"))).into_iter().collect());
    }
    let everything = pems.get("/api/pems/pfa?limit=9999").json();
    assert_eq!((everything["rows"].as_array().unwrap().len(), &everything["more"]), (400, &json!(false)));
    for parameters in ["limit=x", "since=yesterday", "since_id=DEMO01-000001"] {
        assert_eq!(pems.get(&format!("/api/pems/pfa?{parameters}")).status, 400, "{parameters}");
    }
}

#[test]
fn a_pull_from_the_last_place_shows_what_changed_and_nothing_else() {
    let (running, mut pems) = calm();
    let (rows, _) = pems.pull("DEMO01", 50);
    let last = rows.last().unwrap();
    let place = format!("since={}&since_id={}", text(last, "pfs_lastmodified"), text(last, "pfs_id"));
    let behind = |pems: &mut Pems| {
        pems.get(&format!("/api/pems/pfa?organization=DEMO01&{place}")).json()["rows"]
            .as_array()
            .unwrap()
            .clone()
    };
    assert_eq!(behind(&mut pems), Vec::<Value>::new());
    let mut expected = BTreeSet::new();
    for row in &rows[..40] {
        running.edit(text(row, "pfs_id"), json!({"pfs_f_model": "Demo Z-1"}).as_object().unwrap()).unwrap();
        expected.insert(text(row, "pfs_id").to_owned());
    }
    running.delete(text(&rows[50], "pfs_id")).unwrap();
    let changed = behind(&mut pems);
    assert_eq!(row_ids(&changed).into_iter().collect::<BTreeSet<_>>(), expected);
    let stamps: BTreeSet<&str> = changed.iter().map(|row| text(row, "pfs_lastmodified")).collect();
    assert!(stamps.len() < 40, "edits of one moment share a stamp");
    assert!(changed.iter().all(|row| version(row) == 2));
}

#[test]
fn a_write_needs_the_version_it_was_made_for() {
    let (running, mut pems) = calm();
    let id = "DEMO01-000007";
    let before = pems.row(id);
    let answer = pems.put(id, 1, json!({"pfs_f_model": "Demo Q-1"}), "first").unwrap();
    assert_eq!(answer.status, 200);
    let after = answer.json();
    assert_eq!((version(&after), &after["pfs_f_model"]), (2, &json!("Demo Q-1")));
    assert!(text(&after, "pfs_lastmodified") > text(&before, "pfs_lastmodified"));
    assert_eq!(after, pems.row(id));

    running.edit(id, json!({"pfs_f_area": "Demo Elsewhere"}).as_object().unwrap()).unwrap();
    let fields = json!({"pfs_f_model": "Demo Q-2", "pfs_f_area": "Demo Mine", "pfs_f_class": "Light"});
    let refused = pems.put(id, 2, fields.clone(), "second").unwrap();
    assert_eq!((refused.status, code(&refused).as_str()), (409, "conflict"));
    let error = &refused.json()["error"];
    assert_eq!(
        (&error["current_version"], &error["conflicting_fields"]),
        (&json!(3), &json!(["pfs_f_area"]))
    );
    // A version that never was says nothing about fields.
    let refused = pems.put(id, 9, fields.clone(), "second").unwrap().json();
    assert!(refused["error"].get("conflicting_fields").is_none());
    assert_eq!(pems.put(id, 3, fields, "second").unwrap().status, 200);

    let refused = pems.delete(id, 3).unwrap();
    assert_eq!((refused.status, &refused.json()["error"]["current_version"]), (409, &json!(4)));
    assert_eq!(pems.delete(id, 4).unwrap().status, 204);
    assert_eq!(code(&pems.get(&format!("/api/pems/pfa/{id}"))), "not_found");
    assert_eq!(pems.put(id, 4, json!({"pfs_f_model": "x"}), "late").unwrap().status, 404);
    assert_eq!(pems.delete(id, 4).unwrap().status, 404);
    // A version names one state of an id, also over its death.
    let create = json!({"id": id, "organization": "DEMO01", "fields": {
        "pfs_f_source": "Purchase", "pfs_f_dor": "BEO", "pfs_f_purchase": "10.00"}});
    let created = pems.post("/api/pems/pfa", create.clone());
    assert_eq!((created.status, version(&created.json())), (201, 5));
    let row = created.json();
    assert_eq!((&row["pfs_f_actualized"], &row["pfs_f_rental"]), (&json!("N"), &Value::Null));
    let again = pems.post("/api/pems/pfa", create);
    assert_eq!((again.status, code(&again).as_str()), (409, "exists"));
    assert_eq!(running.counters().conflicts, 3);
}

#[test]
fn effects_are_counted_by_operation_and_repetitions_are_not_recognized() {
    let options = Options { remembers_operations: true, ..Options::default() };
    let running = serve(options).unwrap();
    let mut pems = Pems::new(&running);
    let id = "DEMO01-000003";
    assert_eq!(pems.row(id)["last_operation"], Value::Null);
    for version in 1..=2 {
        assert_eq!(pems.put(id, version, json!({"pfs_f_model": "Demo R-1"}), "same").unwrap().status, 200);
    }
    assert_eq!(pems.put(id, 1, json!({"pfs_f_model": "Demo R-1"}), "refused").unwrap().status, 409);
    assert_eq!(pems.row(id)["last_operation"], "same");
    running.edit(id, json!({"pfs_f_model": "Demo R-2"}).as_object().unwrap()).unwrap();
    assert_eq!(pems.row(id)["last_operation"], Value::Null);
    assert_eq!(pems.delete(id, 4).unwrap().status, 204);
    let effects = pems.get("/control/effects").json();
    assert_eq!(effects, json!({"operations": {"same": 2}, "unnamed": 1, "total": 3}));
    assert_eq!(effects, serde_json::to_value(running.effects()).unwrap());
    let authors: Vec<Author> = running.log().iter().map(|effect| effect.author).collect();
    assert_eq!(authors, [Author::Client, Author::Client, Author::Another, Author::Client]);
    assert_eq!(pems.get("/control/log").json()["effects"][2]["fields"], json!({"pfs_f_model": "Demo R-2"}));
    let (_calm, mut forgetful) = calm();
    assert!(forgetful.row(id).get("last_operation").is_none());
}

#[test]
fn rules_refuse_a_write_and_name_its_fields() {
    let (running, mut pems) = calm();
    let (open, actualized) = (json!("N"), json!("Y"));
    let rental = row_with(
        &running,
        json!({"pfs_f_source": "Rental", "pfs_f_actualized": open, "pfs_f_discontinued": "N"}),
    );
    let purchase = row_with(&running, json!({"pfs_f_source": "Purchase"}));
    let actual = row_with(
        &running,
        json!({"pfs_f_actualized": actualized, "pfs_f_source": "Rental", "pfs_a_enddate": null}),
    );
    let refused = [
        (
            &rental,
            json!({"pfs_p_startdate": "2027-05-02", "pfs_p_enddate": "2027-05-01"}),
            vec!["pfs_p_enddate", "pfs_p_startdate"],
        ),
        (&rental, json!({"pfs_f_enddate": "2001-01-01"}), vec!["pfs_f_enddate", "pfs_f_startdate"]),
        (&rental, json!({"pfs_f_rental": "-0.01"}), vec!["pfs_f_rental"]),
        (&rental, json!({"pfs_f_rental": null}), vec!["pfs_f_rental"]),
        (&rental, json!({"pfs_f_rental": 12.5}), vec!["pfs_f_rental"]),
        (&rental, json!({"pfs_f_source": "Purchase"}), vec!["pfs_f_purchase"]),
        (&purchase, json!({"pfs_f_purchase": "-1"}), vec!["pfs_f_purchase"]),
        (&actual, json!({"pfs_a_startdate": "2099-01-01"}), vec!["pfs_a_startdate"]),
        (&actual, json!({"pfs_f_source": "Purchase", "pfs_f_purchase": "1.00"}), vec!["pfs_f_source"]),
        (&rental, json!({"pfs_f_colour": "red", "pfs_f_model": "Demo"}), vec!["pfs_f_colour"]),
        (
            &rental,
            json!({"pfs_lastmodified": "2026-01-01", "version": 3}),
            vec!["pfs_lastmodified", "version"],
        ),
        (
            &rental,
            json!({"pfs_f_dor": "beo", "pfs_f_fundstrans": true}),
            vec!["pfs_f_dor", "pfs_f_fundstrans"],
        ),
    ];
    for (row, fields, expected) in refused {
        let answer = pems.put(text(row, "pfs_id"), 1, fields.clone(), "refused").unwrap();
        assert_eq!((answer.status, code(&answer).as_str()), (400, "validation"), "{fields}");
        assert_eq!(answer.json()["error"]["fields"], json!(expected), "{fields}");
    }
    assert_eq!(running.effects().total, 0);

    let id = text(&rental, "pfs_id");
    for (version, discontinued, status) in [(1, "Y", 200), (2, "N", 400), (2, "Y", 200)] {
        let answer =
            pems.put(id, version, json!({"pfs_f_discontinued": discontinued}), "discontinue").unwrap();
        assert_eq!(answer.status, status, "{discontinued}");
    }
    let earlier =
        pems.put(text(&actual, "pfs_id"), 1, json!({"pfs_a_startdate": "2020-01-01"}), "earlier").unwrap();
    assert_eq!(earlier.status, 200);
    let both = json!({"pfs_f_source": "Purchase", "pfs_f_purchase": "5.00", "pfs_f_rental": null});
    assert_eq!(pems.put(id, 3, both, "convert").unwrap().status, 200);

    let lacking = json!({"id": "DEMO01-new", "organization": "DEMO01", "fields": {"pfs_f_source": "Rental"}});
    assert_eq!(pems.post("/api/pems/pfa", lacking).json()["error"]["fields"], json!(["pfs_f_dor"]));
    let named = json!({"id": "a b", "organization": "DEMO01", "fields": {}});
    assert_eq!(pems.post("/api/pems/pfa", named).json()["error"]["fields"], json!(["id"]));
    let unversioned =
        pems.client.send("PUT", &format!("/api/pems/pfa/{id}"), "", Some(&json!({"fields": {}})));
    assert_eq!(code(&unversioned.unwrap()), "malformed");
    assert_eq!(pems.put(id, 4, json!({}), "nothing").unwrap().status, 400);
}

#[test]
fn a_grid_shows_every_row_and_a_session_keeps_three() {
    let (running, mut pems) = calm();
    let mut seen = Vec::new();
    let mut later = String::new();
    for offset in (0..200).step_by(30) {
        let page = pems.grid("s", 30, &later).json();
        assert_eq!((&page["total"], &page["grid"]), (&json!(200), &json!(1)));
        seen.extend(row_ids(page["rows"].as_array().unwrap()));
        later = format!("&grid=1&offset={}", offset + 30);
    }
    assert_eq!(seen, row_ids(&running.rows(Some("DEMO01"))));

    // The list stands still while rows come and go; values are those of the moment.
    running.edit(&seen[30], json!({"pfs_f_model": "Demo New"}).as_object().unwrap()).unwrap();
    running.delete(&seen[31]).unwrap();
    let page = pems.grid("s", 5, "&grid=1&offset=30").json();
    assert_eq!((page["rows"].as_array().unwrap().len(), &page["total"]), (4, &json!(200)));
    assert_eq!(page["rows"][0]["pfs_f_model"], "Demo New");
    assert_eq!(pems.grid("s", 5, "").json()["total"], 199);

    assert_eq!(pems.grid("other", 5, "").json()["grid"], 3);
    for _ in 0..2 {
        assert_eq!(pems.grid("s", 5, "&grid=1&offset=5").status, 200);
        pems.grid("s", 5, "");
    }
    let gone = pems.grid("s", 5, "&grid=1&offset=5");
    assert_eq!((gone.status, code(&gone).as_str()), (410, "grid_gone"));
    assert_eq!(pems.grid("other", 5, "&grid=3&offset=5").status, 200);
    assert_eq!(pems.grid("s", 5, "&grid=3&offset=5").status, 410, "a grid belongs to its session");
    assert_eq!(pems.grid("s", 5, "&offset=5").status, 400);
}

#[test]
fn tokens_are_asked_for_and_one_may_only_read() {
    let options = Options {
        token: Some("open-sesame".to_owned()),
        read_only_token: Some("look-only".to_owned()),
        ..Options::default()
    };
    let running = serve(options).unwrap();
    let mut pems = Pems::new(&running);
    let body = json!({"version": 1, "fields": {"pfs_f_model": "Demo"}});
    let target = "/api/pems/pfa/DEMO01-000001";
    for (token, read, write) in [
        ("", 401, 401),
        ("Bearer wrong", 401, 401),
        ("Bearer look-only", 200, 403),
        ("Bearer open-sesame", 200, 200),
    ] {
        let header = if token.is_empty() { String::new() } else { format!("Authorization: {token}\r\n") };
        let answer = pems.client.get_with(target, &header).unwrap();
        assert_eq!(answer.status, read, "{token}");
        let answer = pems.client.send("PUT", target, &header, Some(&body)).unwrap();
        assert_eq!(answer.status, write, "{token}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("sesame"));
    }
    assert_eq!((running.counters().refused_tokens, running.effects().total), (5, 1));
}

#[test]
fn a_token_bucket_answers_429_and_says_how_long() {
    let limit = Some(TokenBucket { requests_per_second: 1.0, burst: 3 });
    let running = serve(Options { limit, ..Options::default() }).unwrap();
    let mut pems = Pems::new(&running);
    let statuses: Vec<u16> = (0..4).map(|_| pems.get("/api/pems/schema").status).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = pems.get("/api/pems/schema");
    assert_eq!((refused.headers["retry-after"].as_str(), code(&refused).as_str()), ("1", "rate_limited"));
    assert_eq!(running.counters().over_limit, 2);
    assert_eq!(running.injected()["rate_limited"], 0, "nothing was injected");
}

#[test]
fn the_control_paths_do_what_another_user_does() {
    let (running, mut pems) = calm();
    let id = "DEMO02-000001";
    let edited = pems.post("/control/edit", json!({"id": id, "fields": {"pfs_f_model": "Demo C"}}));
    assert_eq!((edited.status, version(&edited.json())), (200, 2));
    assert_eq!(pems.post("/control/edit", json!({"id": id, "fields": {"pfs_f_dor": "x"}})).status, 400);
    let fields = json!({"pfs_f_source": "Rental", "pfs_f_dor": "BEO", "pfs_f_rental": "1.00"});
    let create = json!({"id": "DEMO02-new", "organization": "DEMO02", "fields": fields});
    assert_eq!(pems.post("/control/create", create).status, 201);
    assert_eq!(pems.post("/control/delete", json!({"id": "DEMO02-000002"})).status, 204);
    assert_eq!(pems.post("/control/delete", json!({"id": "DEMO02-000002"})).status, 404);
    assert_eq!(pems.post("/control/nothing", json!({})).status, 404);
    let rows = pems.get("/control/rows?organization=DEMO02").json();
    assert_eq!(rows["rows"], json!(running.rows(Some("DEMO02"))));
    assert_eq!(row_ids(rows["rows"].as_array().unwrap()).last().unwrap(), "DEMO02-new");
    assert_eq!(running.effects().total, 0, "only clients' effects are counted");
    assert_eq!(running.log().len(), 3);
    assert_eq!(pems.get("/control/counters").json()["requests"], 0);
    assert_eq!(pems.client.send("PUT", "/api/pems/schema", "", None).unwrap().status, 405);
    let dropped = running.socket();
    drop(running);
    assert!(std::net::TcpStream::connect(dropped).is_err());
}

#[test]
fn schema_drift_shows_in_the_schema_in_rows_and_in_what_may_be_written() {
    let (running, mut pems) = calm();
    let names = |pems: &mut Pems| {
        let schema = pems.get("/api/pems/schema").json();
        let fields = schema["fields"].as_array().unwrap().iter();
        fields.map(|field| text(field, "name").to_owned()).collect::<BTreeSet<String>>()
    };
    let id = "DEMO01-000001";
    let before = pems.row(id);
    let served: BTreeSet<String> = before.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names(&mut pems), served);
    assert_eq!(served.len(), 24);
    let drift = |pems: &mut Pems, body: Value| pems.post("/control/drift", body).status;
    assert_eq!(drift(&mut pems, json!({"kind": "rename", "field": "pfs_f_model", "to": "pfs_f_type"})), 200);
    assert_eq!(drift(&mut pems, json!({"kind": "remove", "field": "pfs_f_area"})), 200);
    assert_eq!(drift(&mut pems, json!({"kind": "add", "field": "pfs_f_colour"})), 200);
    assert_eq!(drift(&mut pems, json!({"kind": "add", "field": "pfs_f_area"})), 400);
    assert_eq!(drift(&mut pems, json!({"kind": "remove", "field": "pfs_f_model"})), 400);
    let row = pems.row(id);
    assert_eq!(
        (&row["pfs_f_type"], row.get("pfs_f_area"), &row["pfs_f_colour"]),
        (&before["pfs_f_model"], None, &Value::Null)
    );
    assert_eq!(names(&mut pems), row.as_object().unwrap().keys().cloned().collect());
    assert_eq!(pems.put(id, 1, json!({"pfs_f_model": "x"}), "old name").unwrap().status, 400);
    let fields = json!({"pfs_f_type": "Demo T", "pfs_f_colour": "red"});
    assert_eq!(pems.put(id, 1, fields.clone(), "new name").unwrap().status, 200);
    let conflict = pems.put(id, 1, fields, "stale").unwrap().json();
    assert_eq!(conflict["error"]["conflicting_fields"], json!(["pfs_f_colour", "pfs_f_type"]));
    assert_eq!(drift(&mut pems, json!({"kind": "restore"})), 200);
    let after = running.row(id).unwrap();
    assert_eq!((&after["pfs_f_model"], &after["pfs_f_area"]), (&json!("Demo T"), &before["pfs_f_area"]));
}
