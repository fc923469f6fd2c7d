//! The inbox of conflicts.

use serde_json::{Value as Json, json};

use super::Place;

#[test]
fn conflicts_are_decided_over_http() {
    Place::each(|place| {
        let keys = ["DEMO01-000010", "DEMO01-000011", "DEMO01-000012", "DEMO01-000013"];
        for key in keys {
            let body = json!({ "fields": { "model": format!("Mine {key}") }, "commit": true });
            place.put(&format!("records/{key}/draft"), &body);
            place.elsewhere(key, &format!("Theirs {key}"));
        }
        place.post("sync", &json!({ "wait_ms": 20_000 }));
        let listed = place.get("conflicts?limit=2&offset=1");
        assert_eq!((&listed["total"], listed["items"].as_array().unwrap().len()), (&json!(4), 2), "{listed}");
        let [first, second, third, fourth] = keys;
        let shown = place.get(&format!("conflicts/{first}"));
        let asked = &shown["fields"]["model"];
        assert_eq!(
            (&asked["mine"], &asked["theirs"]),
            (&json!("Mine DEMO01-000010"), &json!("Theirs DEMO01-000010"))
        );
        assert_eq!(place.get("records?state=conflict")["total"], 4);

        // No answer for a field, an answer to another question, a field that is not asked.
        let path = format!("conflicts/{first}/resolve");
        assert_eq!(place.ask("POST", &path, Some(&json!({}))).status, 400);
        assert_eq!(place.ask("POST", &path, Some(&json!({ "take": "mine", "revision": 99 }))).status, 409);
        assert_eq!(
            place.ask("POST", &path, Some(&json!({ "take": "mine", "fields": { "class": "mine" } }))).status,
            400
        );
        // A preview decides nothing.
        let preview = place.post(&format!("{path}?dry_run=true"), &json!({ "take": "theirs" }));
        assert_eq!(preview["becomes"]["model"], "Theirs DEMO01-000010", "{preview}");
        assert_eq!(place.get("conflicts")["total"], 4);
        let body = json!({ "fields": { "model": { "value": "Between" } }, "revision": shown["revision"], "reason": "both" });
        place.post(&path, &body);
        let answer = place.post(&format!("conflicts/{second}/resolve"), &json!({ "take": "theirs" }));

        // The others at once: those that were shown, and only those.
        let body = json!({ "take": "mine", "conflicts": [{ "key": third, "revision": 99 }, { "key": fourth, "revision": 1 }] });
        let many = place.post("conflicts?dry_run=true", &body);
        assert_eq!((&many["done"], place.get("conflicts")["total"].as_u64()), (&json!(1), Some(2)), "{many}");
        let many = place.post("conflicts", &body);
        assert!(many["items"][0]["problem"].is_string() && many["items"][1]["problem"].is_null(), "{many}");
        assert_eq!(place.get("conflicts")["total"], 1);
        let rest = json!({ "take": "theirs", "remember": true });
        assert_eq!(place.post(&format!("conflicts/{third}/resolve"), &rest)["remembered"], json!(["model"]));
        place.post("sync", &json!({ "pull": false, "wait_ms": 20_000 }));
        let there: Vec<Json> = keys.iter().map(|key| place.there(key)).collect();
        let expected = ["Between", "Theirs DEMO01-000011", "Theirs DEMO01-000012", "Mine DEMO01-000013"];
        assert_eq!(there, expected.map(Json::from));

        // Taken back: what was given up is edited again.
        place.run(&answer["undo"]);
        place.post("sync", &json!({ "pull": false, "wait_ms": 20_000 }));
        assert_eq!(place.there(second), "Mine DEMO01-000011");

        // The rule gives the same answer again, until it is taken away.
        assert_eq!(place.get("conflict-rules")[0]["take"], "theirs");
        let body = json!({ "fields": { "model": "Mine again" }, "commit": true });
        place.put(&format!("records/{fourth}/draft"), &body);
        place.elsewhere(fourth, "Theirs again");
        place.post("sync", &json!({ "wait_ms": 20_000 }));
        assert_eq!(
            (place.get("conflicts")["total"].as_u64(), place.there(fourth)),
            (Some(0), json!("Theirs again"))
        );
        let tried = place.put("conflict-rules/model?dry_run=true", &json!({ "take": "mine" }));
        assert!(tried["asked"].as_u64().unwrap() >= 5 && tried["dry_run"] == true, "{tried}");
        assert_eq!(place.ask("DELETE", "conflict-rules/model", None).status, 200);
        assert_eq!(place.get("conflict-rules"), json!([]));
        let undone = place
            .post(&format!("conflicts/{first}/undo?dry_run=true"), &json!({ "revision": shown["revision"] }));
        assert_eq!(undone["edit"], Json::Null, "{undone}");
    });
}
