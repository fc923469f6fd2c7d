//! The clients that others wrote, against our server: OpenFeature's providers for Node and for Rust, and Unleash's client
//! for Node.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use plimsoll_testkit::npm;
use serde_json::{Value, json};

use crate::support::Served;

/// A script that prints a line of JSON for each thing that it sees.
struct Script {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Script {
    /// Reads what a program prints.
    fn reading(mut child: Child) -> Self {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Starts `tests/server/node/NAME` with the modules beside `package`.
    fn start(name: &str, package: &Path, arguments: &[&str]) -> Self {
        let modules = package.ancestors().find(|folder| folder.ends_with("node_modules")).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/node").join(name);
        let child = Command::new("node")
            .arg(script)
            .args(arguments)
            .env("NODE_PATH", modules)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self::reading(child)
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("the script prints another line").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn flags() -> Served {
    let served = Served::open();
    served.create("boolean", json!({ "state": "on" }));
    served.create("half", json!({ "state": "on", "rollout": { "percent": 50, "salt": "half" } }));
    let variant = |value: Value| json!({ "state": "on", "variants": [{ "name": "only", "weight": 1000, "value": value }] });
    served.create("text", variant(json!("blue")));
    served.create("number", variant(json!(7)));
    served.create("object", variant(json!({ "size": 3 })));
    served
}

#[test]
fn the_provider_of_openfeature_works() {
    let Some(package) = npm::package("@openfeature/ofrep-provider", "0.1.3") else { return };
    let served = flags();
    let mut script = Script::start("openfeature.js", &package, &[&served.url("")]);
    let mut answers = Vec::new();
    for (flag, value, variant) in [
        ("boolean", json!(true), Value::Null),
        ("text", json!("blue"), json!("only")),
        ("number", json!(7), json!("only")),
        ("object", json!({ "size": 3 }), json!("only")),
    ] {
        let answer = script.next();
        assert_eq!((&answer["flagKey"], &answer["value"]), (&json!(flag), &value), "{answer}");
        assert_eq!((&answer["variant"], answer["errorCode"].is_null()), (&variant, true), "{answer}");
        answers.push(answer);
    }
    assert_eq!(answers[0]["reason"], json!("STATIC"));
    assert!(answers[0]["flagMetadata"]["flagVersion"].is_number(), "{answers:?}");
    let missing = script.next();
    assert_eq!(
        (&missing["value"], &missing["errorCode"]),
        (&json!("mine"), &json!("FLAG_NOT_FOUND")),
        "{missing}"
    );
    let mistyped = script.next();
    assert_eq!(
        (&mistyped["value"], &mistyped["errorCode"]),
        (&json!(true), &json!("TYPE_MISMATCH")),
        "{mistyped}"
    );
    let keyless = script.next();
    assert_eq!(keyless["errorCode"], json!("TARGETING_KEY_MISSING"), "{keyless}");
    // The provider and our own answers agree on who is in the half.
    let halves = script.next();
    for (key, value) in halves.as_object().unwrap() {
        assert_eq!(served.evaluate("half", key).json()["value"], *value, "{key}");
    }
}

#[test]
fn the_provider_of_openfeature_stops_asking_when_told_to_wait() {
    let Some(package) = npm::package("@openfeature/ofrep-provider", "0.1.3") else { return };
    let served = Served::with(|settings| settings.limits.requests_per_second = Some(3));
    let mut script = Script::start("openfeature-limit.js", &package, &[&served.url("")]);
    let seen = script.next();
    assert!(seen["limited"].as_u64().unwrap() > 0, "the limit was met: {seen}");
    assert!(seen["paused"].as_u64().unwrap() > 0, "and the provider waited: {seen}");
}

/// `cargo nextest run --workspace --run-ignored only provider_of_openfeature_for_rust`.
#[test]
#[ignore = "compiles an HTTP client and a TLS library of its own: minutes, once"]
fn the_provider_of_openfeature_for_rust_works() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/rust");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openfeature-provider");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--manifest-path"])
        .arg(project.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()
        .unwrap();
    assert!(built.success());
    let served = flags();
    let child = Command::new(target.join("debug/openfeature-provider"))
        .arg(served.url(""))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut script = Script::reading(child);
    assert_eq!(script.next(), json!({ "boolean": true }));
    assert_eq!(script.next(), json!({ "text": "blue", "variant": "only" }));
    assert_eq!(script.next(), json!({ "number": 7 }));
    assert_eq!(script.next(), json!({ "fields": 1 }));
    assert_eq!(script.next(), json!({ "missing": "FlagNotFound" }));
    // This provider's own word for a value of another type.
    assert_eq!(script.next(), json!({ "mistyped": "ParseError" }));
    let halves = script.next();
    for (key, value) in halves.as_object().unwrap() {
        assert_eq!(served.evaluate("half", key).json()["value"], *value, "{key}");
    }
}

#[test]
fn the_client_of_unleash_works() {
    let Some(package) = npm::package("unleash-client", "6.12.1") else { return };
    let served = flags();
    let mut script = Script::start("unleash.js", &package, &[&served.url("/api")]);
    let first = script.next();
    assert_eq!((&first["boolean"], &first["none"]), (&json!(true), &json!(false)), "{first}");
    assert_eq!(first["text"]["payload"]["value"], json!("blue"), "{first}");
    // It evaluates by itself, and comes to what our server says.
    for (key, value) in first["half"].as_object().unwrap() {
        assert_eq!(served.evaluate("half", key).json()["value"], *value, "{key}");
    }
    assert_eq!(script.next()["event"], json!("registered"));
    assert_eq!(script.next()["event"], json!("sent"));
    served.kill("boolean");
    let changed = script.next();
    assert_eq!((&changed["event"], &changed["boolean"]), (&json!("changed"), &json!(false)));
    let figures = served.get("/metrics").text;
    assert!(
        figures.contains("plimsoll_server_client_evaluations_total{flag=\"boolean\",answer=\"on\"} 1"),
        "{figures}"
    );
}
