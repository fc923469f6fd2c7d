//! OFREP 0.3, as its document has it (open-feature/protocol, `service/openapi.yaml`): what is asked, what is answered.

use serde_json::{Value, json};

use crate::support::Served;

/// A server with a flag of each kind.
fn with_flags() -> Served {
    let served = Served::open();
    served.create("off", json!({}));
    served.create("everybody", json!({ "state": "on" }));
    served.create("half", json!({ "state": "on", "rollout": { "percent": 50, "salt": "half" } }));
    served.create(
        "listed",
        json!({ "state": "on", "rollout": { "percent": 0, "salt": "listed" }, "deny": ["x"] }),
    );
    let variants = |values: [Value; 2]| {
        let [a, b] = values;
        json!({ "state": "on", "variants": [
            { "name": "first", "weight": 1000, "value": a }, { "name": "second", "weight": 0, "value": b } ] })
    };
    served.create("text", variants([json!("blue"), json!("red")]));
    served.create("number", variants([json!(7), json!(8)]));
    served.create("ratio", variants([json!(0.5), json!(0.25)]));
    served.create("object", variants([json!({ "size": 3 }), json!({ "size": 4 })]));
    served.create("list", variants([json!([1]), json!([2])]));
    served.create(
        "by-organization",
        json!({
        "state": "on", "key": "organization_id", "rollout": { "percent": 50, "salt": "by-organization" } }),
    );
    served
}

#[test]
fn one_flag_is_answered_with_value_reason_and_variant() {
    let served = with_flags();
    for (flag, value, reason, variant) in [
        ("off", json!(false), "DISABLED", None),
        ("everybody", json!(true), "STATIC", None),
        ("listed", json!(false), "STATIC", None),
        ("text", json!("blue"), "SPLIT", Some("first")),
        ("number", json!(7), "SPLIT", Some("first")),
        ("ratio", json!(0.5), "SPLIT", Some("first")),
        ("object", json!({ "size": 3 }), "SPLIT", Some("first")),
    ] {
        let answered = served.evaluate(flag, "user-123");
        assert_eq!(answered.status, 200, "{flag} {answered:?}");
        assert!(answered.header("content-type").starts_with("application/json"), "{flag}");
        let body = answered.json();
        assert_eq!(
            (&body["key"], &body["value"], &body["reason"]),
            (&json!(flag), &value, &json!(reason)),
            "{body}"
        );
        assert_eq!(body["variant"].as_str(), variant, "{body}");
        for metadata in body["metadata"].as_object().unwrap().values() {
            assert!(metadata.is_string() || metadata.is_number() || metadata.is_boolean(), "{body}");
        }
    }
    let denied = served.evaluate("listed", "x").json();
    assert_eq!((&denied["value"], &denied["reason"]), (&json!(false), &json!("TARGETING_MATCH")));
    // The same caller always gets the same half.
    let halves: Vec<_> =
        (0..200).map(|n| served.evaluate("half", &n.to_string()).json()["value"].clone()).collect();
    let again: Vec<_> =
        (0..200).map(|n| served.evaluate("half", &n.to_string()).json()["value"].clone()).collect();
    assert_eq!(halves, again);
    let on = halves.iter().filter(|value| **value == json!(true)).count();
    assert!((60..140).contains(&on), "{on} of 200");
}

#[test]
fn failures_have_the_statuses_and_codes_of_the_protocol() {
    let served = with_flags();
    let post = |path: &str, body: &str| served.post_with(path, body, &[]);
    for (flag, body, status, code) in [
        ("none", r#"{"context":{"targetingKey":"1"}}"#, 404, "FLAG_NOT_FOUND"),
        ("half", "{", 400, "PARSE_ERROR"),
        ("half", "[1]", 400, "PARSE_ERROR"),
        ("half", "{}", 400, "INVALID_CONTEXT"),
        ("half", r#"{"context":"me"}"#, 400, "INVALID_CONTEXT"),
        ("half", r#"{"context":{"targetingKey":1}}"#, 400, "INVALID_CONTEXT"),
        ("half", r#"{"context":{}}"#, 400, "TARGETING_KEY_MISSING"),
        ("by-organization", r#"{"context":{"targetingKey":"1"}}"#, 400, "TARGETING_KEY_MISSING"),
        ("list", r#"{"context":{"targetingKey":"1"}}"#, 400, "GENERAL"),
    ] {
        let answered = post(&format!("/ofrep/v1/evaluate/flags/{flag}"), body);
        let failure = answered.json();
        assert_eq!((answered.status, &failure["errorCode"]), (status, &json!(code)), "{flag} {body}");
        assert_eq!(failure["key"], json!(flag), "{body}");
        assert!(failure["errorDetails"].is_string(), "{failure}");
    }
    for (body, code) in [
        ("nothing", "PARSE_ERROR"),
        ("{}", "INVALID_CONTEXT"),
        (r#"{"context":{}}"#, "TARGETING_KEY_MISSING"),
    ] {
        let answered = post("/ofrep/v1/evaluate/flags", body);
        let failure = answered.json();
        assert_eq!((answered.status, &failure["errorCode"]), (400, &json!(code)), "{body}");
        assert!(failure.get("key").is_none() && answered.header("etag").is_empty(), "{failure}");
    }
}

#[test]
fn all_flags_are_answered_at_once_with_a_tag_that_changes_when_the_answer_does() {
    let served = with_flags();
    let ask = |key: &str, tag: &str| {
        let body = json!({ "context": { "targetingKey": key } }).to_string();
        served.post_with("/ofrep/v1/evaluate/flags", &body, &[("if-none-match", tag)])
    };
    let first = ask("user-1", "");
    let body = first.json();
    let flags = body["flags"].as_array().unwrap();
    assert_eq!(flags.len(), 10);
    let find = |name: &str| flags.iter().find(|flag| flag["key"] == json!(name)).unwrap();
    assert_eq!(find("everybody")["value"], json!(true));
    assert_eq!(find("by-organization")["errorCode"], json!("TARGETING_KEY_MISSING"));
    assert_eq!(find("list")["errorCode"], json!("GENERAL"));
    assert_eq!(
        body["eventStreams"],
        json!([
        { "type": "sse", "endpoint": { "requestUri": "/ofrep/v1/events" }, "inactivityDelaySec": 120 }])
    );

    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.len() > 10, "{tag}");
    for sent in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let unchanged = ask("user-1", &sent);
        assert_eq!(
            (unchanged.status, &*unchanged.text, unchanged.header("etag")),
            (304, "", &*tag),
            "{sent}"
        );
    }
    assert_eq!(ask("user-1", "\"other\"").status, 200);
    // What a provider sends after a notice of the stream does not matter to the answer.
    let body = json!({ "context": { "targetingKey": "user-1" } }).to_string();
    let path = "/ofrep/v1/evaluate/flags?flagConfigEtag=v3&flagConfigLastModified=1771622898";
    assert_eq!(served.post_with(path, &body, &[("if-none-match", &tag)]).status, 304);

    served.kill("everybody");
    let changed = ask("user-1", &tag);
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
}

#[test]
fn the_configuration_of_the_earlier_protocol_is_there() {
    let served = Served::open();
    let answered = served.get("/ofrep/v1/configuration");
    let body = answered.json();
    assert_eq!(body["name"], json!("plimsoll"));
    assert_eq!(body["capabilities"]["cacheInvalidation"]["polling"]["enabled"], json!(true));
    assert!(body["capabilities"]["cacheInvalidation"]["polling"]["minPollingIntervalMs"].is_number());
    let tag = answered.header("etag").to_owned();
    assert_eq!(served.get_with("/ofrep/v1/configuration", &[("if-none-match", &tag)]).status, 304);
}

#[test]
fn who_evaluates_too_often_waits_as_long_as_told() {
    let served = Served::with(|settings| settings.limits.requests_per_second = Some(2));
    let answers: Vec<_> = (0..8).map(|_| served.evaluate("none", "1")).collect();
    let refused = answers.iter().find(|answered| answered.status == 429).expect("the limit is 2 a second");
    assert_eq!(refused.header("retry-after"), "1");
}
