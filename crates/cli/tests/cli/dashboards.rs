//! Every dashboard on generated data: each panel is answered, has the columns that it draws, and has rows.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::support::home::Home;
use crate::support::web::Web;

/// Panels that show what is wrong: nothing is wrong with generated data, and an empty answer is the right one.
const MAY_BE_EMPTY: &[&str] = &["quarantine", "unknown-fields"];

/// What each parameter that a click would set is: of the session with the most exchanges.
fn chosen(web: &Web) -> BTreeMap<&'static str, String> {
    let answer = web.ask("GET", "/api/v1/views/opencode/exchanges?limit=1", &[], None);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let names: Vec<&str> =
        answer["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    let of = |name: &str| {
        let at = names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}: {names:?}"));
        answer["rows"][0][at].as_str().unwrap().to_owned()
    };
    BTreeMap::from([("session", of("session_id")), ("exchange", of("exchange_id"))])
}

#[test]
fn every_panel_of_every_dashboard_has_its_columns_and_rows() {
    let home = Home::new();
    let to = home.file(".local/share");
    let sessions = ["--sessions", "12", "--messages", "400"];
    home.expect(0, &[&["simulate", "opencode", "--to", to.to_str().unwrap()][..], &sessions].concat());
    home.expect(0, &["ingest", "opencode"]);
    home.run(&["check", "opencode"]);
    // What the report shows besides views: verdicts of milestones, and what a build server states.
    home.run(&["gate", "evaluate", "opencode/m1"]);
    std::fs::write(home.file("quality.json"), "{\"coverage_percent\": 90.0, \"bugs_open\": 2}").unwrap();
    home.expect(0, &["gate", "facts", "record", "quality", "quality.json"]);
    let web = Web::at(&home);
    let chosen = chosen(&web);
    let list = web.ask("GET", "/api/v1/dashboards", &[], None).json();
    assert_eq!(list["problems"], serde_json::json!([]));
    let items = list["items"].as_array().unwrap();
    let of_opencode: Vec<&Json> = items.iter().filter(|item| item["system"] == "opencode").collect();
    assert!(of_opencode.len() >= 45, "{}", of_opencode.len());
    let mut wrong = Vec::new();
    for item in of_opencode {
        let name = item["dashboard"].as_str().unwrap();
        let dashboard = web.ask("GET", &format!("/api/v1/dashboards/{name}"), &[], None).json();
        let takes = |parameter: &str| {
            dashboard["parameters"].as_array().unwrap().iter().any(|known| known == parameter)
        };
        let query: Vec<String> = ["session", "exchange"]
            .into_iter()
            .filter(|parameter| {
                ["session", "exchange"].contains(&name) && takes(parameter) && *parameter == name
            })
            .map(|parameter| format!("{parameter}={}", chosen[parameter]))
            .collect();
        for panel in
            dashboard["row"].as_array().unwrap().iter().flat_map(|row| row["panel"].as_array().unwrap())
        {
            let at = format!(
                "/api/v1/dashboards/{name}/panels/{}?{}",
                panel["panel"].as_str().unwrap(),
                query.join("&")
            );
            let answered = web.ask("GET", &at, &[], None);
            if answered.status != 200 {
                wrong.push(format!("{at}: {}", answered.text));
                continue;
            }
            let data = answered.json()["data"].clone();
            let columns: Vec<&str> =
                data["columns"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
            let drawn = ["x", "series", "label", "length", "depth", "source", "target"]
                .map(|role| panel[role].as_str());
            let drawn = drawn
                .into_iter()
                .flatten()
                .chain(panel["y"].as_array().unwrap().iter().filter_map(Json::as_str));
            let drawn = drawn.chain(panel["drill"]["column"].as_str());
            wrong.extend(
                drawn
                    .filter(|column| !columns.contains(column))
                    .map(|column| format!("{at}: no column {column}")),
            );
            let view = panel["view"].as_str().unwrap_or_default();
            if data["rows"].as_array().unwrap().is_empty() && !MAY_BE_EMPTY.contains(&view) {
                wrong.push(format!("{at}: no rows"));
            }
            if let Some(drill) = panel["drill"]["dashboard"].as_str() {
                let there = items.iter().any(|item| item["dashboard"] == drill);
                wrong.extend((!there).then(|| format!("{at}: leads to no dashboard {drill}")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    checks(&web);
    let csv = web.ask("GET", "/api/v1/views/opencode/cost-by-model?format=csv", &[], None);
    assert!(csv.header("content-type").starts_with("text/csv") && csv.text.lines().count() > 1, "{csv:?}");
    assert_eq!(web.ask("GET", "/api/v1/views/opencode/cost-by-model?nonsense=1", &[], None).code(), "usage");
    // While nobody asks, the file is let go: another process may fill it.
    std::thread::sleep(std::time::Duration::from_secs(4));
    home.expect(0, &["ingest", "opencode"]);
}

/// A check's page: its results, newest first, and what breaks its rule now, which keeps nothing.
fn checks(web: &Web) {
    let ask = |path: &str| web.ask("GET", &format!("/api/v1/checks{path}"), &[], None);
    let list = ask("?system=opencode&limit=500").json();
    let failing = list["items"].as_array().unwrap().iter().find(|one| one["last"]["verdict"] == "fail");
    let failing =
        failing.unwrap_or_else(|| panic!("generated data breaks no rule: {list}"))["check"].as_str().unwrap();
    let path = format!("/opencode/{failing}");
    let run = serde_json::json!({ "system": "opencode", "check": failing, "reason": "a test" }).to_string();
    let ran = web.ask("POST", "/api/v1/checks/run", &[], Some(("application/json", &run)));
    assert_eq!(ran.status, 200, "{ran:?}");
    let trend = ask(&path).json()["trend"].clone();
    let moments: Vec<&str> =
        trend.as_array().unwrap().iter().map(|one| one["checked_at"].as_str().unwrap()).collect();
    assert!(moments.len() == 2 && moments[0] > moments[1], "{trend}");
    let looked = ask(&format!("{path}/look")).json();
    assert_eq!((&looked["check"], &looked["verdict"]), (&failing.into(), &"fail".into()), "{looked}");
    assert_eq!(looked["value"], trend[0]["value"], "{looked}");
    assert_eq!(ask(&path).json()["trend"].as_array().unwrap().len(), 2, "looking keeps nothing");
    assert_eq!(ask(&format!("{path}/look?cohort=,")).status, 400);
    assert_eq!(ask(&format!("{path}/look?colour=red")).status, 400);
    assert_eq!(ask("/opencode/none/look").status, 404);
}
