//! Gauge sets over HTTP, on both databases: the contract of the routes that the system declares, and many clients at once.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::{Value as Json, json};

use crate::support::home::Home;
use crate::support::web::{Answered, Web};

/// A laboratory with registers and 60 sets, in a store of the given address.
fn laboratory(store: Option<&str>) -> Home {
    let mut home = Home::new();
    if let Some(store) = store {
        home.set("PLIMSOLL_STORE", store);
    }
    home.expect(0, &["simulate", "gauges", "--sets", "60"]);
    home
}

/// Runs a test on SQLite and, where it is installed, on PostgreSQL.
fn on_both(test: impl Fn(&Home, &Web)) {
    let home = laboratory(None);
    test(&home, &Web::at(&home));
    if let Some(server) = PostgresServer::shared() {
        let home = laboratory(Some(&server.database().unwrap()));
        test(&home, &Web::at(&home));
    }
}

fn get(web: &Web, path: &str) -> Answered {
    web.ask("GET", &format!("/api/v1{path}"), &[], None)
}

fn post(web: &Web, path: &str, body: &Json) -> Answered {
    web.ask("POST", &format!("/api/v1{path}"), &[], Some(("application/json", &body.to_string())))
}

/// Posts what must be done.
fn done(web: &Web, path: &str, mut body: Json) -> Json {
    if body.get("reason").is_none() {
        body["reason"] = json!("a reason of the test");
    }
    let answered = post(web, path, &body);
    assert!(matches!(answered.status, 200 | 201), "{path} {body}: {answered:?}");
    answered.json()
}

/// Posts what must be refused: the status, and each rule with what it says.
fn refused(web: &Web, path: &str, mut body: Json) -> (u16, Vec<String>) {
    if body.get("reason").is_none() {
        body["reason"] = json!("a reason of the test");
    }
    let answered = post(web, path, &body);
    let document = answered.json();
    let errors = document["errors"].as_array().unwrap_or_else(|| panic!("{answered:?}"));
    let named = errors.iter().map(|error| {
        assert!(error["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answered:?}");
        error["rule"].as_str().or(error["field"].as_str()).unwrap_or_default().to_owned()
    });
    (answered.status, named.collect())
}

fn new_set(go: &str, nogo: &str) -> Json {
    json!({"go": go, "nogo": nogo, "category": "SP", "name": "plug", "location": "CAB-1", "thread_size": ".500-20",
        "thread_form": "UNF", "thread_class": "2B", "certified_on": "2026-11-01", "certificate": format!("C-{go}"),
        "laboratory": "Lab One", "interval_days": 36500})
}

fn spare(serial: &str, side: &str) -> Json {
    json!({"serial": serial, "side": side, "category": "SP", "name": "plug", "location": "CAB-2", "thread_size": ".500-20",
        "thread_form": "UNF", "thread_class": "2B", "certified_on": "2026-11-01", "certificate": format!("C-{serial}"),
        "laboratory": "Lab One", "interval_days": 36500})
}

#[test]
fn a_set_lives_over_http() {
    on_both(|_home, web| {
        let made = post(web, "/gauge-sets", &{
            let mut body = new_set("H-G1", "H-N1");
            body["reason"] = json!("new");
            body
        });
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        let set = made["set"].as_str().unwrap().to_owned();
        assert!(
            made["entry"].is_i64()
                && made["run"].is_string()
                && made["gauges"].as_array().unwrap().len() == 2
        );
        let path = format!("/gauge-sets/{set}");
        assert_eq!(get(web, &path).json()["state"]["usable"], true);
        let free = get(web, "/gauge-sets/check-availability/SP9999").json();
        assert_eq!(free["available"], true);
        let taken = get(web, &format!("/gauge-sets/check-availability/{set}")).json();
        assert!(
            taken["available"] == false && taken["reason"].is_string() && taken["suggestion"].is_string()
        );

        done(web, &format!("{path}/check-out"), json!({"holder": "demo-uma", "work_job": "J-7"}));
        let (status, rules) = refused(web, &format!("{path}/unpair"), json!({}));
        assert_eq!((status, rules.contains(&"status".to_owned())), (409, true), "{rules:?}");
        done(web, &format!("{path}/return"), json!({"acknowledged": true}));
        done(web, &format!("{path}/qc"), json!({"result": "pass"}));
        done(web, &format!("{path}/location"), json!({"location": "CAB-2"}));

        done(web, "/gauges", spare("H-X1", "nogo"));
        done(web, "/gauges/H-N1/lost", json!({}));
        let incomplete = get(web, "/gauge-sets/incomplete?limit=500").json();
        let mine =
            incomplete["items"].as_array().unwrap().iter().find(|one| one["set"] == json!(set)).unwrap();
        assert_eq!((&mine["missing"], &mine["best"]), (&json!(["nogo"]), &json!("H-X1")));
        let candidates = get(web, &format!("{path}/candidates?limit=500")).json();
        let items = candidates["items"].as_array().unwrap();
        assert_eq!((&items[0]["serial"], &items[0]["fits"]), (&json!("H-X1"), &json!(true)));
        assert!(
            items.iter().any(|one| one["fits"] == false && !one["refused"].as_array().unwrap().is_empty())
        );
        let replaced = done(web, &format!("{path}/replace"), json!({"new": "H-X1"}));
        assert_eq!(replaced["set"], json!(set));

        let day = "2026-01-01";
        let then = get(web, &format!("{path}/members-at?at={day}")).json();
        assert_eq!(then["members"], json!([]), "it was not there yet");
        done(web, &format!("{path}/unpair"), json!({}));
        let mut again = new_set("H-G2", "H-N2");
        again["id"] = json!(set);
        assert_eq!(refused(web, "/gauge-sets", again), (409, vec!["set_id.used".to_owned()]));
        let pair = json!({"go": "H-G1", "nogo": "H-X1", "location": "CAB-1", "id": set});
        assert_eq!(refused(web, "/gauge-sets/pair", pair), (409, vec!["set_id.used".to_owned()]));
        let paired =
            done(web, "/gauge-sets/pair", json!({"go": "H-G1", "nogo": "H-X1", "location": "CAB-1"}));
        let new = paired["set"].as_str().unwrap().to_owned();
        assert_ne!(new, set);
        assert_eq!(refused(web, &format!("/gauge-sets/{new}/retire"), json!({"reason": "short"})).0, 409);
        done(web, &format!("/gauge-sets/{new}/retire"), json!({"reason": "both are worn out"}));

        let history = get(web, &format!("{path}/history")).json();
        let told: Vec<&str> = history["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["operation"].as_str().unwrap())
            .collect();
        assert_eq!(told, ["create-set", "check-out", "return", "qc", "move", "lose", "replace", "unpair"]);
        assert!(history["items"].as_array().unwrap().iter().all(|line| {
            ["at", "actor", "reason", "digest"]
                .iter()
                .all(|member| line[member].as_str().is_some_and(|text| !text.is_empty()))
        }));
        assert_eq!(get(web, "/gauge-history/verify").json()["ok"], true);
        let csv = get(web, &format!("/gauge-history/export?set={set}"));
        assert_eq!((csv.header("content-type"), csv.text.lines().count()), ("text/csv; charset=utf-8", 9));
        assert!(get(web, "/gauge-history/export?format=html&from=2100-01-01").text.contains("is whole"));
    });
}

/// LG-45: the id that a caller sends is found with everything that the run recorded, and only there.
#[test]
fn a_request_is_found_again_in_its_run() {
    on_both(|_home, web| {
        let mut body = new_set("T-G1", "T-N1");
        body["reason"] = json!("traced");
        let body = body.to_string();
        let headers = [("x-request-id", "trace-17")];
        let made = web.ask("POST", "/api/v1/gauge-sets", &headers, Some(("application/json", &body)));
        assert_eq!((made.status, made.header("x-request-id")), (201, "trace-17"), "{made:?}");
        let next = done(web, "/gauges", spare("T-X1", "go"));
        let requests = |run: &Json| -> Vec<Json> {
            let shown = get(web, &format!("/runs/{}", run.as_str().unwrap())).json();
            let events = shown["events"].as_array().unwrap_or_else(|| panic!("{shown}"));
            assert!(!events.is_empty());
            let detail =
                |event: &Json| serde_json::from_str::<Json>(event["detail"].as_str().unwrap()).unwrap();
            events.iter().map(|event| detail(event)["request"].clone()).collect()
        };
        assert!(requests(&made.json()["run"]).iter().all(|id| id == "trace-17"));
        assert!(requests(&next["run"]).iter().all(|id| id.is_string() && id != "trace-17"));
        let audit = web.ask("GET", "/api/v1/audit?limit=50", &[], None).json();
        let line = audit["items"].as_array().unwrap().iter().find(|one| one["request_id"] == "trace-17");
        assert!(line.is_some_and(|line| line["path"] == "/api/v1/gauge-sets"), "{audit}");
    });
}

#[test]
fn every_mismatch_is_named_and_nothing_is_written() {
    on_both(|_home, web| {
        let set = done(web, "/gauge-sets", new_set("M-G1", "M-N1"))["set"].as_str().unwrap().to_owned();
        let mut unlike = spare("M-X1", "nogo");
        unlike["thread_size"] = json!(".250-20");
        unlike["thread_class"] = json!("3B");
        unlike["thread_form"] = json!("UNEF");
        done(web, "/gauges", unlike);
        let before = get(web, &format!("/gauge-sets/{set}/history")).json()["total"].clone();
        let (status, rules) =
            refused(web, &format!("/gauge-sets/{set}/replace"), json!({"old": "M-G1", "new": "M-X1"}));
        assert_eq!(status, 409);
        for rule in ["pair.size", "pair.class", "pair.form", "pair.side"] {
            assert!(rules.iter().any(|named| named == rule), "{rule}: {rules:?}");
        }
        let (status, fields) =
            refused(web, "/gauge-sets", json!({"go": "M-G2", "colour": "red", "sealed": 7}));
        assert_eq!(status, 400);
        for field in ["colour", "sealed", "nogo", "category", "location"] {
            assert!(fields.iter().any(|named| named == field), "{field}: {fields:?}");
        }
        assert_eq!(post(web, "/gauge-sets", &json!([])).status, 400);
        assert_eq!(refused(web, "/gauge-sets/SP7777/unpair", json!({})), (404, vec!["unknown".to_owned()]));
        for path in [
            "/gauge-sets/SP7777",
            "/gauge-sets/SP7777/history",
            "/gauges/NOBODY",
            "/tolerance-cases/7/touched",
        ] {
            assert_eq!((get(web, path).status, get(web, path).code().as_str()), (404, "not_found"), "{path}");
        }
        assert_eq!(get(web, "/gauge-sets?colour=red").status, 400);
        assert_eq!(get(web, &format!("/gauge-sets/{set}/members-at")).status, 400);
        let dry = done(web, &format!("/gauge-sets/{set}/unpair"), json!({"dry_run": true}));
        assert_eq!((&dry["run"], &dry["dry_run"]), (&Json::Null, &json!(true)));
        let differs =
            post(web, &format!("/gauge-sets/{set}/unpair"), &json!({"set": "SP0001", "reason": "no"}));
        assert_eq!(differs.status, 400, "the address and the body name different sets");
        assert_eq!(
            get(web, &format!("/gauge-sets/{set}/history")).json()["total"],
            before,
            "nothing was written"
        );
        let shown = web.ask("GET", "/api/v1/systems/gauges", &[], None).json();
        let routes = shown["routes"].as_array().unwrap();
        let replace =
            routes.iter().find(|route| route["path"] == "/api/v1/gauge-sets/{set}/replace").unwrap();
        assert_eq!((&replace["role"], &replace["fields"][0]["in"]), (&json!("operator"), &json!("path")));
    });
}

#[test]
fn scopes_and_roles_are_kept() {
    let mut home = laboratory(None);
    let token = |name: &str, scope: &str| {
        let made = home.expect(0, &["token", "create", name, "--scope", scope, "--json"]).json();
        (made["token"].as_str().unwrap().to_owned(), made["line"].as_str().unwrap().to_owned())
    };
    let (reader, first) = token("demo-ulf", "read");
    let (user, second) = token("demo-uma", "operate");
    home.set("PLIMSOLL_TOKENS", &format!("{first}\n{second}"));
    let web = Web::at(&home);
    let ask = |token: &str, method: &str, path: &str, body: Option<&Json>| {
        let bearer = format!("Bearer {token}");
        let text = body.map(Json::to_string);
        let body = text.as_deref().map(|text| ("application/json", text));
        web.ask(method, path, &[("authorization", &bearer)], body)
    };
    assert_eq!(web.ask("GET", "/api/v1/gauge-sets", &[], None).status, 401);
    assert_eq!(ask(&reader, "GET", "/api/v1/gauge-sets", None).status, 200);
    let lose = json!({"reason": "gone"});
    let refused = ask(&reader, "POST", "/api/v1/gauges/DEMO-STANDARD-1/lost", Some(&lose));
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"));
    // The scope allows it, the role does not: unpairing is a supervisor's.
    let refused = ask(&user, "POST", "/api/v1/gauge-sets/SP0001/unpair", Some(&lose));
    let error = refused.json()["errors"][0].clone();
    assert_eq!((refused.status, &error["rule"], &error["code"]), (403, &json!("role"), &json!("forbidden")));
}

/// What a minute of load came to.
#[derive(Debug, Default)]
struct Load {
    /// By kind of request, the milliseconds of each answer.
    took: std::collections::BTreeMap<&'static str, Vec<f64>>,
    problems: Vec<String>,
    flips: u64,
}

impl Load {
    fn quantile(&mut self, kind: &str, share: f64) -> f64 {
        let all = self.took.get_mut(kind).unwrap();
        all.sort_by(f64::total_cmp);
        all[((all.len() - 1) as f64 * share).round() as usize]
    }
}

/// So many clients at once, each with its own sets, while somebody flips the flag of the reuse check. Each waits `pause`
/// between two requests.
fn load(web: &Web, clients: usize, time: Duration, pause: Duration, tag: &str) -> Load {
    let created = post(web, "/flags", &json!({"name": "set_id_reuse_check", "reason": "load"}));
    assert!(matches!(created.status, 200 | 400), "{created:?}");
    let (stop, flips) = (AtomicBool::new(false), AtomicU64::new(0));
    let began = Instant::now();
    let mut whole = Load::default();
    std::thread::scope(|scope| {
        let flipper = scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                let on = if flips.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) { "on" } else { "off" };
                let body = json!({"definition": {"state": on}, "reason": "flip"});
                let flipped = post(web, "/flags/set_id_reuse_check/set", &body);
                assert_eq!(flipped.status, 200, "{flipped:?}");
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let workers: Vec<_> = (0..clients)
            .map(|client| scope.spawn(move || work(web, client, tag, began, time, pause)))
            .collect();
        for worker in workers {
            let (took, problems) = worker.join().unwrap();
            for (kind, ms) in took {
                whole.took.entry(kind).or_default().push(ms);
            }
            whole.problems.extend(problems);
        }
        stop.store(true, Ordering::SeqCst);
        flipper.join().unwrap();
    });
    whole.flips = flips.load(Ordering::SeqCst);
    whole
}

/// Requests in a turn of a client.
const STEPS: u32 = 6;

/// One client: a set, a spare, replace, look, until the time is up; everything at least once.
fn work(
    web: &Web,
    client: usize,
    tag: &str,
    began: Instant,
    time: Duration,
    pause: Duration,
) -> (Vec<(&'static str, f64)>, Vec<String>) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let (mut took, mut problems) = (Vec::new(), Vec::new());
    let mut ask = |kind: &'static str, path: &str, body: Option<Json>| -> Json {
        let url = format!("http://{}/api/v1{path}", web.address);
        let sent = Instant::now();
        let answer = match body {
            Some(mut body) => {
                body["reason"] = json!("load");
                agent.post(&url).header("content-type", "application/json").send(body.to_string())
            }
            None => agent.get(&url).call(),
        };
        let document = answer.map_err(|error| error.to_string()).and_then(|mut answer| {
            let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
            if !answer.status().is_success() {
                return Err(format!("{kind} {path}: {} {text}", answer.status()));
            }
            serde_json::from_str::<Json>(&text).map_err(|error| error.to_string())
        });
        took.push((kind, sent.elapsed().as_secs_f64() * 1e3));
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        document.unwrap_or_else(|problem| {
            problems.push(problem);
            Json::Null
        })
    };
    // Clients of real life are not all at the same step at the same moment.
    if !pause.is_zero() {
        std::thread::sleep(STEPS * pause * u32::try_from(client % 100).unwrap_or(0) / 100);
    }
    let mut turn = 0;
    while turn == 0 || began.elapsed() < time {
        let name = |what: &str| format!("{tag}{what}-{client}-{turn}");
        let made = ask("create", "/gauge-sets", Some(new_set(&name("G"), &name("N"))));
        let set = made["set"].as_str().unwrap_or("SP0001").to_owned();
        ask("check", &format!("/gauge-sets/check-availability/{set}"), None);
        ask("register", "/gauges", Some(spare(&name("X"), "go")));
        ask(
            "replace",
            &format!("/gauge-sets/{set}/replace"),
            Some(json!({"old": name("G"), "new": name("X")})),
        );
        ask("history", &format!("/gauge-sets/{set}/history"), None);
        ask("set", &format!("/gauge-sets/{set}"), None);
        turn += 1;
    }
    (took, problems)
}

/// GS-19, GS-32, short: a hundred clients at once and a flag that is flipped, and nobody fails.
#[test]
fn a_hundred_clients_at_once() {
    on_both(|_home, web| {
        let whole = load(web, 100, Duration::ZERO, Duration::ZERO, "L");
        assert_eq!(whole.problems, Vec::<String>::new());
        assert!(whole.flips > 1, "the flag was flipped meanwhile");
        assert_eq!(whole.took["create"].len(), 100);
        assert_eq!(get(web, "/gauge-history/verify").json()["ok"], true);
        let sets = get(web, "/gauge-sets?text=LG-&limit=1").json();
        assert_eq!(sets["total"], 0, "every GO was replaced");
        assert_eq!(get(web, "/gauge-sets?text=LX-&limit=1").json()["total"], 100);
    });
}

/// `cargo xtask bench gauges`: a hundred clients for a minute on each database, once with a pause of a second between two
/// requests of a client, once as fast as it is answered.
#[test]
#[ignore = "a measurement of four minutes"]
fn speed_of_a_hundred_clients() {
    let seconds =
        std::env::var("PLIMSOLL_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let measure = |database: &str, web: &Web| {
        for (what, pause, tag) in [("a request a second each", 1_000, "P"), ("as fast as answered", 0, "F")] {
            let time = Duration::from_secs(seconds);
            let mut whole = load(web, 100, time, Duration::from_millis(pause), tag);
            let count: usize = whole.took.values().map(Vec::len).sum();
            println!(
                "{database}, 100 clients for {seconds} s, {what}: {count} answers, {} errors, flag flipped {} times",
                whole.problems.len(),
                whole.flips
            );
            for kind in ["create", "replace", "register", "check", "history", "set"] {
                let (half, tail) = (whole.quantile(kind, 0.5), whole.quantile(kind, 0.99));
                println!("  {kind:<9} p50 {half:8.2} ms  p99 {tail:8.2} ms");
            }
            assert_eq!(whole.problems.first(), None);
        }
        assert_eq!(get(web, "/gauge-history/verify").json()["ok"], true);
    };
    let home = laboratory(None);
    measure("SQLite", &Web::at(&home));
    match PostgresServer::shared() {
        Some(server) => {
            let home = laboratory(Some(&server.database().unwrap()));
            measure("PostgreSQL", &Web::at(&home));
        }
        None => println!("left out: PostgreSQL is not installed"),
    }
}
