//! Names, the text form, selectors, and the samples of real stores.

use super::*;

fn sample(name: &str, labels: &[(&'static str, &str)], value: f64) -> Sample {
    let labels = labels.iter().map(|(label, value)| (*label, (*value).to_owned())).collect();
    Sample { name: name.to_owned(), help: "help", kind: Kind::Gauge, labels, value }
}

#[test]
fn names_follow_the_conventions() {
    let all: Vec<_> = FAMILIES.iter().collect();
    for (at, family) in all.iter().enumerate() {
        let name = family.name;
        assert!(name.starts_with("plimsoll_") || name.starts_with("process_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        assert_eq!(family.kind == Kind::Counter, name.ends_with("_total"), "{name}");
        let milliseconds = name.contains("_ms") || name.contains("millis") || name.contains("minutes");
        assert!(!milliseconds, "{name} is in base units");
        assert!(family.help.ends_with('.') && family.help.len() > 15, "{name}");
        assert!(!all[..at].iter().any(|earlier| earlier.name == name), "{name} is there twice");
    }
}

#[test]
fn the_text_form_groups_and_escapes() {
    let mut samples = vec![
        RUNS_STARTED.count(&["hearings", "daily \"update\"\\\n"], 3),
        BUILD.sample(&["1.0"], 1.0),
        RUNS_STARTED.count(&["gauges", "pair"], 1),
        CHECK_VALUE.sample(&["opencode", "a"], f64::NAN),
    ];
    samples.extend(HTTP_SECONDS.histogram(&["/metrics"], &[(0.005, 1), (0.1, 4)], 0.75, 5));
    let expected = "# HELP plimsoll_build_info Always 1; the version of the program is the label.
# TYPE plimsoll_build_info gauge
plimsoll_build_info{version=\"1.0\"} 1
# HELP plimsoll_check_value What the check measured last, in the unit of its rule; absent when there was nothing to measure.
# TYPE plimsoll_check_value gauge
plimsoll_check_value{system=\"opencode\",check=\"a\"} NaN
# HELP plimsoll_http_request_duration_seconds How long answers took, in seconds.
# TYPE plimsoll_http_request_duration_seconds histogram
plimsoll_http_request_duration_seconds_bucket{route=\"/metrics\",le=\"0.005\"} 1
plimsoll_http_request_duration_seconds_bucket{route=\"/metrics\",le=\"0.1\"} 4
plimsoll_http_request_duration_seconds_bucket{route=\"/metrics\",le=\"+Inf\"} 5
plimsoll_http_request_duration_seconds_sum{route=\"/metrics\"} 0.75
plimsoll_http_request_duration_seconds_count{route=\"/metrics\"} 5
# HELP plimsoll_runs_started_total Runs that were started.
# TYPE plimsoll_runs_started_total counter
plimsoll_runs_started_total{system=\"hearings\",change=\"daily \\\"update\\\"\\\\\\n\"} 3
plimsoll_runs_started_total{system=\"gauges\",change=\"pair\"} 1
";
    assert_eq!(render(&samples), expected);
    let open = render_open_metrics(&samples);
    assert_eq!(
        open,
        expected
            .replace("HELP plimsoll_runs_started_total", "HELP plimsoll_runs_started")
            .replace("TYPE plimsoll_runs_started_total", "TYPE plimsoll_runs_started")
    );
}

#[test]
fn a_selector_finds_one_value_or_says_why_not() {
    let samples = [
        sample("a", &[("x", "1"), ("y", "p,\"q\"")], 10.0),
        sample("a", &[("x", "2"), ("y", "")], 32.0),
        sample("b", &[], 0.0),
        sample("c", &[("x", "1")], f64::NAN),
        sample("c", &[("x", "2")], 1.0),
    ];
    let ask = |selector: &str| value(&samples, selector).map_err(|error| error.message);
    assert_eq!(ask("a{x=\"1\"}"), Ok(Some(10.0)));
    assert_eq!(ask(" a { x != \"1\" , y=\"\" } "), Ok(Some(32.0)));
    assert_eq!(ask("a{y=\"p,\\\"q\\\"\"}"), Ok(Some(10.0)));
    assert_eq!(ask("b"), Ok(Some(0.0)));
    assert_eq!(ask("sum(a)"), Ok(Some(42.0)));
    assert_eq!(ask("max(a{x!=\"3\"})"), Ok(Some(32.0)));
    assert_eq!(ask("min( a )"), Ok(Some(10.0)));
    assert_eq!(ask("count(a)"), Ok(Some(2.0)));
    // Absent is not zero, and unknown is not a number.
    assert_eq!(ask("a{x=\"3\"}"), Ok(None));
    assert_eq!(ask("sum(d)"), Ok(None));
    assert!(ask("max(c)").unwrap().unwrap().is_nan());
    for (selector, why) in [
        ("a", "2 samples match"),
        ("a{z=\"1\"}", "`z` is no label of a"),
        ("a{x=1}", "is not quoted"),
        ("a{x=\"1\"", "the brace is not closed"),
        ("a{x}", "has no `=`"),
        ("a{x=\"1}", "does not end"),
        ("a{x=\"1\" y=\"2\"}", "where a comma belongs"),
        ("avg(a)", "is no name"),
        ("", "is no name"),
    ] {
        let message = ask(selector).unwrap_err();
        assert!(message.contains(why), "{selector}: {message}");
    }
}

#[test]
fn a_declared_metric_says_what_is_wrong_with_it() {
    const FILE: &str = "-- metric: cost
-- name: plimsoll_test_cost_dollars
-- help: What it cost.
-- kind: gauge
-- labels: model day

SELECT 'a' AS model, 7 AS day, CAST(2.5 AS DECIMAL(18, 10)) AS value
UNION ALL SELECT NULL, 8, 1 UNION ALL SELECT 'none', 9, NULL
";
    let store = plimsoll_store::duckdb::Analytics::open_in_memory().unwrap();
    let metric = DeclaredMetric::parse(FILE).unwrap();
    let samples = metric.samples(&store).unwrap();
    assert_eq!(samples.len(), 2);
    assert_eq!(value(&samples, "plimsoll_test_cost_dollars{model=\"a\",day=\"7\"}").unwrap(), Some(2.5));
    assert_eq!(value(&samples, "plimsoll_test_cost_dollars{model=\"\"}").unwrap(), Some(1.0));
    for (from, to, why) in [
        ("plimsoll_test", "test", "metrics/cost.sql, line 2: `name`: it begins with"),
        ("cost_dollars", "cost_total", "metrics/cost.sql, line 2: `name`: a counter's name"),
        ("kind: gauge", "kind: number", "metrics/cost.sql, line 4: `kind`: `number` is neither"),
        (
            "model day",
            "day model",
            "metrics/cost.sql: the columns are model, day, value, and must be day, model",
        ),
        ("SELECT 'a'", "SELEKT 'a'", "metrics/cost.sql: "),
    ] {
        let text: &'static str = Box::leak(FILE.replacen(from, to, 1).into_boxed_str());
        let result = DeclaredMetric::parse(text).and_then(|metric| metric.samples(&store));
        let message = result.unwrap_err().message;
        assert!(message.starts_with(why), "{message}");
    }
}

#[test]
fn a_store_that_cannot_be_read_costs_only_its_own_samples() {
    let folder = tempfile::tempdir().unwrap();
    let url = plimsoll_store::StoreUrl::Sqlite {
        path: folder.path().join("control.db"),
        durability: plimsoll_store::Durability::Normal,
    };
    let mut session = crate::Session::new(plimsoll_store::open(&url).unwrap(), "tester");
    crate::control::prepare(&mut session).unwrap();
    let signal = crate::alert::Signal {
        cause: "check/a".to_owned(),
        severity: crate::alert::Severity::P1,
        title: "wrong".to_owned(),
        detail: String::new(),
        runbook: String::new(),
        system: String::new(),
    };
    for _ in 0..3 {
        crate::alert::raise(&mut session, &signal).unwrap();
    }
    for (name, body, expires_at) in [
        ("quality", serde_json::json!({ "coverage_percent": 71.0 }), None),
        ("quality", serde_json::json!({ "coverage_percent": 90.5, "passed": true, "at": "today" }), None),
        ("old", serde_json::json!({ "bugs": 3 }), Some("2026-01-02T00:00:00Z".to_owned())),
    ] {
        let mut fact = crate::gate::Record::new(&session, crate::gate::Kind::Facts, name, "a file", body);
        fact.at = "2026-01-01T00:00:00Z".to_owned();
        fact.expires_at = expires_at;
        crate::gate::record(&mut session, &fact).unwrap();
    }
    let broken = crate::EngineError::refused("no");
    let mut stores = Stores {
        control: Some(SystemStore {
            system: "control",
            session: Ok(session),
            links: Vec::new(),
            metrics: Vec::new(),
        }),
        systems: vec![SystemStore {
            system: "hearings",
            session: Err(broken.clone()),
            links: Vec::new(),
            metrics: Vec::new(),
        }],
        analytics: vec![AnalyticStore { system: "opencode", store: Err(broken), metrics: Vec::new() }],
    };
    let mut samples = collect(&mut stores);
    samples.extend(process());
    let ask = |selector: &str| value(&samples, selector).unwrap();
    assert_eq!(ask("plimsoll_store_up{system=\"control\"}"), Some(1.0));
    assert_eq!(ask("plimsoll_store_up{system=\"hearings\"}"), Some(0.0));
    assert_eq!(ask("plimsoll_store_up{system=\"opencode\"}"), Some(0.0));
    assert_eq!(ask("plimsoll_incidents{severity=\"P1\",status=\"open\"}"), Some(1.0));
    assert_eq!(ask("plimsoll_incidents{severity=\"P0\",status=\"open\"}"), Some(0.0));
    assert_eq!(ask("plimsoll_incident_signals_total{severity=\"P1\"}"), Some(3.0));
    assert_eq!(ask("plimsoll_notices{status=\"waiting\"}"), Some(1.0));
    assert_eq!(ask("plimsoll_fact{name=\"quality\",member=\"coverage_percent\"}"), Some(90.5), "the latest");
    assert_eq!(ask("plimsoll_fact{name=\"quality\",member=\"passed\"}"), Some(1.0));
    assert_eq!(ask("count(plimsoll_fact)"), Some(2.0), "a text is no figure, and what expired is not stated");
    assert!(ask("plimsoll_store_size_bytes{system=\"control\"}").unwrap() > 4_096.0);
    assert!(ask("process_resident_memory_bytes").unwrap() > 1e6);
    assert!(ask("process_start_time_seconds").unwrap() > 1.7e9);
    // Every sample belongs to a family that is described, with its labels.
    for sample in &samples {
        let family = FAMILIES.iter().find(|family| family.name == sample.name).unwrap();
        let labels: Vec<_> = sample.labels.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, family.labels, "{}", sample.name);
    }
}
