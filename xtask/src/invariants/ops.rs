//! Rules about what is watched: every alert can be answered, and nothing asks for a metric that is not there.
//!
//! Owns reading the rules, dashboards and runbooks as text; what Prometheus makes of them is tested with Prometheus.

use std::collections::HashSet;

use super::{TextFile, Violation};

/// The reference of metrics, which is generated from their declarations.
const REFERENCE: &str = "docs/reference/metrics.md";
const RECORDING: &str = "ops/prometheus/rules/recording.yml";
const ALERTS: &str = "ops/prometheus/rules/alerts.yml";
const TESTS: &str = "ops/prometheus/tests/";
const RUNBOOKS: &str = "docs/runbooks/";

fn find<'a>(files: &'a [TextFile], path: &str) -> Option<&'a TextFile> {
    files.iter().find(|file| file.path == path)
}

/// Every alert has a severity, a time for which it holds, a runbook that names it, and a test in which it fires and one
/// in which it does not. Every runbook that the program names is there.
pub(super) fn alerts(files: &[TextFile]) -> Vec<Violation> {
    let mut found = Vec::new();
    let Some(rules) = find(files, ALERTS) else { return vec![Violation::new(ALERTS, "it is missing")] };
    let tests: String =
        files.iter().filter(|file| file.path.starts_with(TESTS)).map(|file| file.text.as_str()).collect();
    for block in rules.text.split("- alert: ").skip(1) {
        let name = block.lines().next().unwrap_or_default().trim();
        let mut wrong = |what: String| found.push(Violation::new(ALERTS, format!("{name}: {what}")));
        let value = |key: &str| {
            let line = block.lines().find_map(|line| line.trim_start().strip_prefix(key)?.strip_prefix(':'));
            line.map(str::trim).unwrap_or_default()
        };
        if !["P0", "P1", "P2"].contains(&value("severity")) {
            wrong("its severity is none of P0, P1, P2".to_owned());
        }
        for key in ["for", "summary", "description"] {
            if value(key).is_empty() {
                wrong(format!("it has no `{key}`"));
            }
        }
        match find(files, value("runbook")) {
            None => wrong(format!("its runbook `{}` is not there", value("runbook"))),
            Some(book) if !book.text.contains(name) => wrong(format!("{} does not name it", book.path)),
            Some(_) => {}
        }
        for test in ["fires", "is silent"] {
            if !tests.contains(&format!("- name: {name} {test}\n")) {
                wrong(format!("no test `{name} {test}` below {TESTS}"));
            }
        }
    }
    for file in files.iter().filter(|file| file.is_rust() && !file.path.starts_with("xtask/")) {
        for (at, line) in file.text.lines().enumerate() {
            for part in line.split(RUNBOOKS).skip(1) {
                let name: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
                let path = format!("{RUNBOOKS}{name}");
                if name.ends_with(".md") && find(files, &path).is_none() {
                    found.push(Violation::new(
                        format!("{}:{}", file.path, at + 1),
                        format!("{path} is not there"),
                    ));
                }
            }
        }
    }
    found
}

/// Rules, dashboards and runbooks use metrics and recorded series that exist.
pub(super) fn metrics(files: &[TextFile]) -> Vec<Violation> {
    let Some(reference) = find(files, REFERENCE) else {
        return vec![Violation::new(REFERENCE, "it is missing; `cargo xtask generate` writes it")];
    };
    let mut known: HashSet<&str> = HashSet::new();
    let (present, later) =
        reference.text.split_once("\n## Not exported yet").unwrap_or((&reference.text, ""));
    known.extend(table_names(present));
    let later: HashSet<&str> = table_names(later).collect();
    if let Some(recording) = find(files, RECORDING) {
        known.extend(recording.text.lines().filter_map(|line| line.trim_start().strip_prefix("- record: ")));
    }
    let mut found = Vec::new();
    for file in files {
        let asks = file.path.starts_with("ops/") && !file.path.ends_with(".json");
        if !asks && !file.path.starts_with(RUNBOOKS) {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            let told_later = line.starts_with("> ");
            for word in series(line) {
                let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
                let exists = known.contains(word) || base.is_some_and(|base| known.contains(base));
                let announced = told_later && later.contains(word);
                if !exists && !announced {
                    found.push(Violation::new(
                        format!("{}:{}", file.path, at + 1),
                        format!("there is no metric `{word}`"),
                    ));
                }
            }
        }
    }
    found
}

/// The names in the first column of the reference's tables.
fn table_names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

/// The words of a line that are names of series of ours: `plimsoll_..`, `plimsoll:..`, `process_..`.
fn series(line: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    line.split(move |c| !part(c))
        .map(|word| word.trim_end_matches(':'))
        .filter(|word| ["plimsoll_", "plimsoll:", "process_"].iter().any(|start| word.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    const RULE: &str = "groups:
  - name: a
    rules:
      - alert: Down
        expr: plimsoll_store_up == 0
        for: 2m
        labels:
          severity: P1
        annotations:
          summary: \"a\"
          description: \"b\"
          runbook: docs/runbooks/down.md
";

    fn project(rule: &str) -> Vec<TextFile> {
        vec![
            file(ALERTS, rule),
            file("ops/prometheus/tests/a.yml", "  - name: Down fires\n  - name: Down is silent\n"),
            file("docs/runbooks/down.md", "# Down\n"),
            file(
                REFERENCE,
                "| `plimsoll_store_up` | gauge |\n\n## Not exported yet\n| `plimsoll_sync` | gauge |\n",
            ),
            file(RECORDING, "      - record: plimsoll:a:b\n"),
        ]
    }

    #[test]
    fn an_alert_that_nobody_could_answer_is_found() {
        assert_eq!(alerts(&project(RULE)), []);
        for (from, to, what) in [
            ("P1", "P3", "Down: its severity is none of P0, P1, P2"),
            ("        for: 2m\n", "", "Down: it has no `for`"),
            ("down.md", "up.md", "Down: its runbook `docs/runbooks/up.md` is not there"),
            ("Down", "Gone", "Gone: docs/runbooks/down.md does not name it"),
        ] {
            let violations = alerts(&project(&RULE.replace(from, to)));
            assert_eq!(violations[0].what, what);
        }
        let mut files = project(RULE);
        files.remove(1);
        assert_eq!(alerts(&files).len(), 2);
        files.push(file("crates/a.rs", "const A: &str = \"docs/runbooks/absent.md\";"));
        assert_eq!(alerts(&files)[2].place, "crates/a.rs:1");
    }

    #[test]
    fn a_metric_that_is_not_there_is_found() {
        assert_eq!(metrics(&project(RULE)), []);
        assert_eq!(metrics(&project(&RULE.replace("plimsoll_store_up", "plimsoll:a:b"))), []);
        for wrong in ["plimsoll_store_upp", "plimsoll:a:c", "process_nothing", "plimsoll_sync"] {
            let violations = metrics(&project(&RULE.replace("plimsoll_store_up", wrong)));
            assert_eq!(violations.len(), 1, "{wrong}");
        }
        let mut files = project(RULE);
        files
            .push(file("ops/grafana/dashboards.txt", "> later: (`plimsoll_sync`)\nstat plimsoll_store_up\n"));
        assert_eq!(metrics(&files), []);
    }
}
