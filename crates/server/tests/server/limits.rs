//! How much the server takes on.

use crate::support::Served;

#[test]
fn who_asks_too_often_is_told_when_to_ask_again() {
    let served = Served::with(|settings| settings.limits.requests_per_second = Some(3));
    let answers: Vec<_> = (0..12).map(|_| served.get("/api/v1/systems")).collect();
    let refused: Vec<_> = answers.iter().filter(|answered| answered.status == 429).collect();
    assert!(answers[0].status == 200 && !refused.is_empty(), "{answers:?}");
    for refused in refused {
        assert_eq!(refused.code(), "too_many_requests");
        assert_eq!(refused.header("retry-after"), "1");
    }
    assert_eq!(served.get("/healthz").status, 200, "whoever watches is never refused");
}

#[test]
fn a_body_over_the_limit_is_refused() {
    let served = Served::with(|settings| settings.limits.body_bytes = 1_000);
    for path in ["/api/v1/flags", "/ofrep/v1/evaluate/flags", "/api/client/metrics"] {
        let refused = served.post_with(path, &format!("{{\"reason\":\"{}\"}}", "x".repeat(2_000)), &[]);
        assert_eq!((refused.status, &*refused.code()), (413, "too_large"), "{path}");
    }
}

#[test]
fn figures_count_requests_by_pattern_and_show_the_process() {
    let served = Served::open();
    for path in ["/api/v1/systems", "/api/v1/runs/ffff", "/api/v1/runs/eeee", "/nowhere/1", "/nowhere/2"] {
        served.get(path);
    }
    let answered = served.get("/metrics");
    assert!(answered.header("content-type").starts_with("application/openmetrics-text"), "{answered:?}");
    for line in [
        "plimsoll_http_requests_total{method=\"GET\",route=\"/api/v1/systems\",status=\"200\"} 1",
        "plimsoll_http_requests_total{method=\"GET\",route=\"/api/v1/runs/{run}\",status=\"404\"} 2",
        "plimsoll_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 2",
        "plimsoll_http_request_duration_seconds_count{route=\"/api/v1/runs/{run}\"} 2",
    ] {
        assert!(answered.text.lines().any(|found| found == line), "{line}\n{}", answered.text);
    }
    for name in [
        "plimsoll_server_uptime_seconds",
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
    ] {
        let value = answered.text.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap();
        assert!(value.parse::<f64>().unwrap() >= 0.0, "{name} {value}");
    }
    assert!(answered.text.ends_with("# EOF\n"));
}
