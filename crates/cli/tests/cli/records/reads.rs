//! Pages, tags and figures.

use plimsoll_testkit::redis_server::RedisServer;
use serde_json::{Value as Json, json};

use super::{Place, ROWS};

#[test]
fn what_did_not_change_is_not_sent_again() {
    Place::each(|place| {
        for path in ["records?limit=5", "records/DEMO01-000002", "figures?scope=DEMO01"] {
            let whole = format!("/api/v1/systems/pfa/{path}");
            let first = place.web.ask("GET", &whole, &[], None);
            let tag = first.header("etag").to_owned();
            let again = place.web.ask("GET", &whole, &[("if-none-match", &tag)], None);
            assert_eq!(
                (again.status, again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{path}"
            );
            let body = json!({ "fields": { "model": format!("Demo {path}") } });
            place.put("records/DEMO01-000002/draft", &body);
            let changed = place.web.ask("GET", &whole, &[("if-none-match", &tag)], None);
            assert!(changed.status == 200 && changed.header("etag") != tag, "{path}: {changed:?}");
        }
    });
}

#[test]
fn pages_in_any_order_hold_every_record_once() {
    Place::each(|place| {
        for (key, model) in [("DEMO01-000020", "Aaa"), ("DEMO01-000040", "zzz"), ("DEMO01-000060", "")] {
            place.put(&format!("records/{key}/draft"), &json!({ "fields": { "model": model } }));
        }
        for sort in ["key", "-key", "model", "-model", "monthly_rate", "-monthly_rate", "forecast_end"] {
            let mut seen: Vec<Json> = Vec::new();
            let mut after = String::new();
            loop {
                let page = place.get(&format!("records?sort={sort}&limit=7&scope=DEMO01{after}"));
                assert_eq!(page["total"], ROWS, "{sort}");
                seen.extend(page["items"].as_array().unwrap().iter().cloned());
                let Some(next) = page["next"].as_str() else { break };
                after = format!("&after={}", encoded(next));
            }
            let keys: std::collections::BTreeSet<&str> =
                seen.iter().map(|row| row["key"].as_str().unwrap()).collect();
            assert_eq!((seen.len(), keys.len()), (ROWS, ROWS), "{sort}");
            let name = sort.trim_start_matches('-');
            if name == "key" {
                continue;
            }
            // Empty ones last in both directions, numbers as numbers.
            let held: Vec<Option<String>> =
                seen.iter().map(|row| row["fields"][name].as_str().map(str::to_owned)).collect();
            let full = held.iter().take_while(|held| held.is_some()).count();
            assert!(held[full..].iter().all(Option::is_none), "{sort}: {held:?}");
            let mut sorted: Vec<String> = held[..full].iter().flatten().cloned().collect();
            let as_shown = sorted.clone();
            sorted.sort_by(|a, b| match name {
                "monthly_rate" => a.parse::<f64>().unwrap().total_cmp(&b.parse::<f64>().unwrap()),
                _ => a.cmp(b),
            });
            if sort.starts_with('-') {
                sorted.reverse();
            }
            assert_eq!(as_shown, sorted, "{sort}");
        }
        let model = place.get("records/DEMO01-000001")["mine"]["model"].as_str().unwrap().to_owned();
        let some = place.get(&format!("records?model={}&limit=1000", encoded(&model)));
        let items = some["items"].as_array().unwrap();
        assert!(
            items.iter().all(|row| row["fields"]["model"] == model.as_str()) && some["total"] == items.len()
        );
        assert_eq!(place.get("records?state=draft")["total"], 3);
        assert_eq!(place.ask("GET", "records?nonsense=1", None).code(), "usage");
        assert_eq!(place.ask("GET", "records?sort=nonsense", None).code(), "usage");
        assert_eq!(place.ask("GET", "records?sort=model&after=nonsense", None).code(), "usage");
    });
}

#[test]
fn answers_are_found_in_redis_and_never_old() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    let url = redis.url();
    let place = Place::on(None, &[("PLIMSOLL_REDIS", &url)]);
    let hits = || place.figure("plimsoll_cache_requests_total{outcome=\"hit\"}");
    let page = "records?limit=3&sort=-model&scope=DEMO01";
    let first = place.get(page);
    let before = hits();
    assert_eq!((place.get(page), hits()), (first.clone(), before + 1.0));
    // Another order of the same rows is another answer.
    assert_ne!(place.get("records?limit=3&sort=model&scope=DEMO01")["items"], first["items"]);
    assert_eq!(place.get("records?limit=3&sort=-model&scope=DEMO01&total=false")["total"], Json::Null);
    // The command and the server find each other's answers.
    let figures =
        place.home.expect(0, &["records", "pfa", "--scope", "DEMO01", "--figures", "--json"]).json();
    let before = hits();
    assert_eq!((place.get("figures?scope=DEMO01"), hits()), (figures, before + 1.0));
    // What another process changes is seen at once.
    place.home.expect(0, &["edit", "pfa", "DEMO01-000021", "model=zzzz", "--commit"]);
    assert_eq!(place.get(page)["items"][0]["fields"]["model"], "zzzz");
    redis.stop();
    place.home.expect(0, &["edit", "pfa", "DEMO01-000021", "model=zzzzz", "--commit"]);
    assert_eq!(place.get(page)["items"][0]["fields"]["model"], "zzzzz");
}

/// A text as a parameter of an address.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
