//! For each rule: calls that break it, and calls that only look like it.

use serde_json::json;

mod agreement;
mod cases;
mod reference;

use super::*;
use cases::CASES;

fn ids(tool: &str, input: &Value) -> Vec<&'static str> {
    findings(tool, input).into_iter().map(|finding| finding.rule.id).collect()
}

fn bash(command: &str) -> Vec<&'static str> {
    ids("bash", &json!({ "command": command }))
}

#[test]
fn every_rule_has_hits_and_near_misses() {
    assert!(RULES.len() >= 20, "{}", RULES.len());
    for (rule, hits, near_misses) in CASES {
        for command in *hits {
            assert!(bash(command).contains(rule), "{rule} is not found: {command}: {:?}", bash(command));
        }
        for command in *near_misses {
            assert!(!bash(command).contains(rule), "{rule} is found: {command}");
        }
        assert!(!hits.is_empty() && !near_misses.is_empty(), "{rule}");
    }
    for rule in RULES {
        assert_eq!(CASES.iter().filter(|case| case.0 == rule.id).count(), 1, "{}", rule.id);
        assert!(rule.explanation.ends_with('.'), "{}", rule.id);
        let is_technique = |technique: &str| {
            let (main, sub) = technique.split_once('.').unwrap_or((technique, "001"));
            main.len() == 5 && main.starts_with('T') && sub.len() == 3
        };
        assert!(rule.technique.is_none_or(is_technique), "{}", rule.id);
    }
}

#[test]
fn ordinary_work_has_no_findings() {
    for command in [
        "ls -la && git log --oneline | head -3",
        "sleep 0.2; cat /nonexistent; exit 3",
        "cargo test --workspace 2>&1 | tail -20",
        "npm ci && npm run build",
        "git add -A && git commit -m \"$(cat <<'EOF'\nfix: don't rm -rf / by accident\nEOF\n)\"",
        "python3 -m venv .venv && . .venv/bin/activate && pip install -r requirements.txt",
        "docker compose up -d && curl -s localhost:3000/health",
        "grep -rn \"sudo\\|chmod 777\\|DROP TABLE\" docs/",
        "find . -name '*.tmp' -exec rm {} +",
        "sed -n '1,20p' src/main.rs; wc -l src/*.rs > /tmp/lines.txt",
        "kubectl get pods -A | grep -v Running",
        "ssh build@ci.example 'make test'",
        "",
    ] {
        assert_eq!(findings("bash", &json!({ "command": command })), [], "{command}");
    }
}

#[test]
fn other_tools_are_judged_by_the_files_they_touch() {
    let key = format!("token = \"ghp_{}\"", "a1B2c3D4e5".repeat(4));
    for (tool, input, expected) in [
        ("read", json!({ "filePath": "~/.ssh/id_rsa" }), &["read-private-key"][..]),
        ("read", json!({ "filePath": "/srv/app/.env" }), &["read-credentials"]),
        ("read", json!({ "path": "/srv/app/.env.production" }), &["read-credentials"]),
        ("read", json!({ "filePath": "/srv/app/.env.example" }), &[]),
        ("read", json!({ "filePath": "/srv/app/src/env.ts" }), &[]),
        ("grep", json!({ "pattern": "x", "path": "~/.aws/credentials" }), &["read-credentials"]),
        ("write", json!({ "filePath": "/etc/hosts", "content": "" }), &["system-file"]),
        ("write", json!({ "filePath": "~/.zshrc", "content": "alias l=ls" }), &["shell-startup"]),
        ("write", json!({ "filePath": "src/a.rs", "content": "fn main() { /* rm -rf / */ }" }), &[]),
        ("write", json!({ "filePath": "a.toml", "content": key }), &["secret-in-text"]),
        ("edit", json!({ "filePath": "a.toml", "oldString": key, "newString": "" }), &[]),
        ("edit", json!({ "filePath": "~/.ssh/authorized_keys", "newString": "x" }), &["authorized-keys"]),
        (
            "apply_patch",
            json!({ "patchText": "*** Begin Patch\n*** Update File: /etc/cron.d/x\n+* * * * * root x\n*** End Patch" }),
            &["scheduled"],
        ),
        ("apply_patch", json!({ "patchText": format!("*** Add File: a\n+{key}\n") }), &["secret-in-text"]),
        ("webfetch", json!({ "url": "http://169.254.169.254/latest" }), &["cloud-metadata"]),
        ("webfetch", json!({ "url": "https://docs.example/169.254.169.254" }), &[]),
        ("shell", json!({ "command": "sudo ls" }), &["elevated"]),
        ("todowrite", json!({ "todos": "rm -rf /" }), &[]),
        ("bash", json!({ "command": 3 }), &[]),
        ("bash", json!(null), &[]),
    ] {
        assert_eq!(ids(tool, &input), expected, "{tool} {input}");
    }
}

#[test]
fn a_finding_shows_what_was_done_but_never_the_secret() {
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4));
    let command = format!("sudo curl -k -H 'Authorization: token {token}' https://x.example");
    let found = findings("bash", &json!({ "command": command }));
    let found_ids: Vec<_> = found.iter().map(|finding| finding.rule.id).collect();
    assert_eq!(found_ids, ["elevated", "no-tls-check", "secret-in-text"]);
    for finding in &found {
        assert!(!finding.evidence.contains(&token[..12]), "{}", finding.evidence);
        assert!(finding.evidence.contains("ghp_****"), "{}", finding.evidence);
    }
    let long = format!("sudo echo {}", "é".repeat(500));
    let [finding] = &findings("bash", &json!({ "command": long }))[..] else { panic!() };
    assert_eq!(finding.evidence.chars().count(), SHOWN + 1);
}

#[test]
fn the_same_rule_is_found_once_for_the_same_command() {
    assert_eq!(bash("sudo ls; sudo ls; sudo pwd"), ["elevated", "elevated"]);
}
