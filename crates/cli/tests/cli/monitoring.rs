//! What is watched, with real Prometheus and Alertmanager: rules, dashboards, and an alert that reaches a webhook.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::Desk;
use crate::support::home::Home;
use crate::support::receiver::Receiver;

const PATIENCE: Duration = Duration::from_secs(90);

/// Where Prometheus' and Alertmanager's programs are; none, with a printed line, where they are not installed.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn installed() -> bool {
    let works = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let all = ["promtool", "prometheus", "prometheus-alertmanager", "amtool"].into_iter().all(works);
    if !all {
        eprintln!(
            "skipped: Prometheus or Alertmanager is not installed here\nhint: `cargo xtask setup` installs them"
        );
    }
    all
}

fn ops() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops")
}

fn run(program: &str, words: &[&str]) -> Output {
    let output = Command::new(program).args(words).current_dir(ops()).output().unwrap();
    assert!(
        output.status.success(),
        "{program} {words:?}\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[test]
fn prometheus_and_alertmanager_accept_the_configuration() {
    if !installed() {
        return;
    }
    run("promtool", &["check", "config", "prometheus/prometheus.yml"]);
    run("promtool", &["check", "rules", "prometheus/rules/recording.yml", "prometheus/rules/alerts.yml"]);
    run("amtool", &["check-config", "alertmanager/alertmanager.yml"]);
}

#[test]
fn every_alert_fires_on_its_planted_condition_and_is_silent_otherwise() {
    if !installed() {
        return;
    }
    run("promtool", &["test", "rules", "prometheus/tests/quick.yml", "prometheus/tests/slow.yml"]);
}

#[test]
fn severities_are_routed() {
    if !installed() {
        return;
    }
    for severity in ["P0", "P1", "P2"] {
        let matched = run(
            "amtool",
            &[
                "config",
                "routes",
                "test",
                "--config.file",
                "alertmanager/alertmanager.yml",
                &format!("severity={severity}"),
            ],
        );
        assert_eq!(String::from_utf8_lossy(&matched.stdout).trim(), "team");
    }
}

/// A process that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The body of an answer to `GET`, by HTTP 1.0, so that it is in one piece.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.lines().next()?.contains(" 200 ").then(|| body.to_owned())
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// How many series a query gives.
fn series(port: u16, query: &str) -> usize {
    let encoded: String =
        query
            .bytes()
            .map(|byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            })
            .collect();
    let body = get(port, &format!("/api/v1/query?query={encoded}"));
    let body: Json = body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default();
    body["data"]["result"].as_array().map_or(0, Vec::len)
}

/// Work of every kind: runs, a backup, documents, checks, a link, schedules that end well and badly, an incident.
fn demo(home: &Home) {
    let desk = Desk::generated(40, 12, 2, 7);
    std::fs::create_dir_all(home.file("data")).unwrap();
    std::fs::copy(desk.file("store.db"), home.file("data/hearings.db")).unwrap();
    let source = desk.source.as_ref().unwrap().address();
    home.expect(3, &["run", "hearings", "daily-update", "--source", source, "--batch-size", "5"]);
    home.expect(0, &["backup", "hearings"]);
    let to = home.file(".local/share");
    home.expect(
        0,
        &["simulate", "opencode", "--to", to.to_str().unwrap(), "--sessions", "6", "--messages", "120"],
    );
    home.expect(0, &["ingest", "opencode"]);
    home.run(&["check", "opencode"]);
    let pems = plimsoll_simulator::pems::serve(plimsoll_simulator::pems::Options::default()).unwrap();
    // With a limit, so that there is one to show.
    let sync = ["sync", "pfa", "--remote", pems.address(), "--scope", "DEMO01", "--rate", "200"];
    home.expect(0, &sync);
    home.expect(0, &["edit", "pfa", "DEMO01-000001", "model=Demo", "--commit"]);
    home.expect(0, &sync);
    home.expect(0, &["schedule", "add", "daily-verify"]);
    home.expect(0, &["schedule", "run", "daily-verify"]);
    home.expect(0, &["schedule", "add", "fails", "--cron", "@daily", "--", "check", "nothing"]);
    home.expect(3, &["schedule", "run", "fails"]);
}

#[test]
fn every_panel_has_data_and_an_alert_reaches_the_webhook() {
    if !installed() {
        return;
    }
    let receiver = Receiver::start(0);
    let home = Home::new();
    demo(&home);

    // What is printed is what Prometheus takes.
    let printed = home.expect(0, &["metrics"]).out;
    let mut check = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    check.stdin.take().unwrap().write_all(printed.as_bytes()).unwrap();
    let checked = check.wait_with_output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let one = home.expect(
        0,
        &[
            "metrics",
            "--select",
            "plimsoll_items_total{system=\"hearings\",change=\"daily-update\",outcome=\"quarantined\"}",
        ],
    );
    assert_eq!(one.out.trim(), "2");

    let mut serving = Running(home.start(&["serve", "--listen", "127.0.0.1:0"]));
    let mut line = String::new();
    BufReader::new(serving.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let serve: u16 = line.trim().rsplit(':').next().unwrap().parse().unwrap();
    assert!(get(serve, "/metrics").unwrap().trim_end().ends_with("# EOF"));

    let (alertmanager, prometheus) = (free_port(), free_port());
    let folder = home.file("monitoring");
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    let text = |name: &str| std::fs::read_to_string(ops().join(name)).unwrap();
    std::fs::write(folder.join("webhook"), receiver.address()).unwrap();
    let routes = text("alertmanager/alertmanager.yml").replace("group_wait: 30s", "group_wait: 0s");
    std::fs::write(folder.join("alertmanager.yml"), routes).unwrap();
    for rules in ["recording.yml", "alerts.yml"] {
        std::fs::write(folder.join("rules").join(rules), text(&format!("prometheus/rules/{rules}"))).unwrap();
    }
    let scrape = text("prometheus/prometheus.yml")
        .replace("15s", "1s")
        .replace("127.0.0.1:9093", &format!("127.0.0.1:{alertmanager}"))
        .replace("127.0.0.1:8620", &format!("127.0.0.1:{serve}"));
    std::fs::write(folder.join("prometheus.yml"), scrape).unwrap();
    let start = |program: &str, words: &[String]| {
        let log = std::fs::File::create(folder.join(format!("{program}.log"))).unwrap();
        let errors = log.try_clone().unwrap();
        let mut command = Command::new(program);
        Running(command.args(words).current_dir(&folder).stdout(log).stderr(errors).spawn().unwrap())
    };
    let _alertmanager = start(
        "prometheus-alertmanager",
        &[
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=alertmanager".to_owned(),
            "--cluster.listen-address=".to_owned(),
            format!("--web.listen-address=127.0.0.1:{alertmanager}"),
        ],
    );
    let _prometheus = start(
        "prometheus",
        &[
            "--config.file=prometheus.yml".to_owned(),
            "--storage.tsdb.path=prometheus".to_owned(),
            format!("--web.listen-address=127.0.0.1:{prometheus}"),
        ],
    );

    wait_for("Prometheus scrapes the server", || (series(prometheus, "up == 1") == 1).then_some(()));
    let mut queries = 0;
    for entry in std::fs::read_dir(ops().join("grafana")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let dashboard: Json = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let query = target["expr"].as_str().unwrap();
                let what = format!("{}: {}: {query}", path.display(), panel["title"]);
                wait_for(&what, || (series(prometheus, query) > 0).then_some(()));
                queries += 1;
            }
        }
    }
    assert!(queries > 60, "{queries} queries");

    // A schedule failed in the demo: the rule finds it, Alertmanager tells it.
    let began = Instant::now();
    let text = loop {
        let message = receiver.next(PATIENCE);
        let text = message["attachments"][0].to_string();
        if text.contains("PlimsollScheduleFailed") {
            break text;
        }
        assert!(began.elapsed() < PATIENCE, "no message about the schedule");
    };
    assert!(text.contains("docs/runbooks/schedule-failed.md") && text.contains("[P1]"), "{text}");
}
