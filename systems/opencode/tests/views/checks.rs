//! Each check: green on the world, red after its fault was planted, and right at its bound.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::clock::Clock;
use plimsoll_engine::check::{Check, Checkup, Report, Verdict};
use plimsoll_engine::ingest::AnalyticTable;
use plimsoll_opencode::checks::CHECKS;
use plimsoll_store::duckdb::Analytics;

use crate::world::{World, empty, tables, views};

/// A clock that moves on by the same step whenever it is asked.
pub(crate) struct Steps {
    microseconds: AtomicU64,
    step: u64,
}

impl Steps {
    pub(crate) fn of(step: u64) -> Self {
        Self { microseconds: AtomicU64::new(0), step }
    }
}

impl Clock for Steps {
    fn now(&self) -> String {
        let second = self.microseconds.fetch_add(1_000_000, Ordering::Relaxed) / 1_000_000 % 60;
        format!("2026-03-20T06:00:{second:02}.000Z")
    }

    fn monotonic_ms(&self) -> u64 {
        self.monotonic_us() / 1_000
    }

    fn monotonic_us(&self) -> u64 {
        self.microseconds.fetch_add(self.step, Ordering::Relaxed)
    }

    fn sleep_ms(&self, _: u64) {}
}

pub(crate) fn checks() -> Vec<Check> {
    Check::parse_all(CHECKS).unwrap()
}

pub(crate) fn run(store: &Analytics, checks: &[Check], clock: &dyn Clock, run_id: &str) -> Report {
    let tables = tables();
    Checkup { views: &views(), tables: &tables, ..Checkup::new("opencode", checks, clock, run_id) }
        .run(store)
        .unwrap()
}

/// Verdict and value of a check that looks at the declaration of a table.
fn of_table(store: &Analytics, check: &Check, table: &'static AnalyticTable) -> (Verdict, Option<f64>) {
    let checks = std::slice::from_ref(check);
    let clock = Steps::of(1);
    let checkup = Checkup { tables: &[table], ..Checkup::new("opencode", checks, &clock, "one") };
    let report = checkup.run(store).unwrap();
    assert_eq!(report.findings[0].message, None, "{}", table.name);
    (report.findings[0].verdict, report.findings[0].value)
}

/// Verdict and value of one check.
pub(crate) fn verdict(store: &Analytics, name: &str) -> (Verdict, Option<f64>) {
    let checks: Vec<Check> = checks().into_iter().filter(|check| check.name == name).collect();
    assert_eq!(checks.len(), 1, "{name}");
    let report = run(store, &checks, &Steps::of(1), "one");
    let found = &report.findings[0];
    assert_eq!(found.message, None, "{name}");
    if found.verdict == Verdict::Fail {
        assert!(
            found.samples.as_ref().is_some_and(|table| !table.rows.is_empty()),
            "{name} fails without a sample"
        );
    }
    (found.verdict, found.value)
}

/// Green on the world, red after `fault`, with this value.
pub(crate) fn planted(name: &str, fault: &str, value: f64) {
    let store = World::new().store();
    assert_eq!(verdict(&store, name).0, Verdict::Pass, "{name} before");
    store.run_script(fault).unwrap();
    assert_eq!(verdict(&store, name), (Verdict::Fail, Some(value)), "{name} after {fault}");
}

/// A share of 100 rows, of which the first `bad` have the fault: red at the bound, green with one less.
fn at_bound(name: &str, rows: impl Fn(i64) -> String, bad: i64) {
    let store = empty();
    assert_eq!(verdict(&store, name).0, Verdict::Unknown, "{name} without rows");
    store.run_script(&rows(bad)).unwrap();
    assert_eq!(verdict(&store, name), (Verdict::Fail, Some((100 - bad) as f64)), "{name} at its bound");
    let store = empty();
    store.run_script(&rows(bad - 1)).unwrap();
    assert_eq!(verdict(&store, name), (Verdict::Pass, Some((101 - bad) as f64)), "{name} above its bound");
}

#[test]
fn every_file_is_listed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/checks");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .collect();
    assert_eq!(files, checks().iter().map(|check| check.name.to_owned()).collect());
    assert!(files.len() >= 17, "{} checks", files.len());
}

#[test]
fn the_world_is_healthy() {
    let store = World::new().store();
    let report = run(&store, &checks(), &Steps::of(1), "first");
    // One row group has nothing to skip.
    for found in &report.findings {
        let expected = if found.check == "ordering" { Verdict::Unknown } else { Verdict::Pass };
        assert_eq!(found.verdict, expected, "{}: {:?} {:?}", found.check, found.value, found.message);
    }
    assert!(report.is_healthy());
}

#[test]
fn nothing_is_unknown_and_not_green() {
    let report = run(&empty(), &checks(), &Steps::of(1), "first");
    for found in &report.findings {
        let of_views = ["query-performance", "view-budgets"].contains(&found.check.as_str());
        let expected = if of_views { Verdict::Pass } else { Verdict::Unknown };
        assert_eq!(found.verdict, expected, "{}: {:?} {:?}", found.check, found.value, found.message);
    }
}

#[test]
fn tracing_filled() {
    for table in ["exchanges", "exchange_traces", "session_traces"] {
        planted("tracing-filled", &format!("DELETE FROM {table}"), 0.0);
    }
    let store = World::new().store();
    store.run_script("DELETE FROM exchanges WHERE id <> 'msg_0_0_user'").unwrap();
    assert_eq!(verdict(&store, "tracing-filled"), (Verdict::Pass, Some(1.0)));
}

#[test]
fn root_tokens() {
    planted("root-tokens", "UPDATE session_resource_metrics SET root_tokens = 0", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO message_usage (message_id, session_id, is_fork_copy, time_completed)
                 SELECT 'm' || i, 's' || i, false, TIMESTAMP '2026-03-01' FROM range(100) t(i);
             -- A session in which nothing was finished does not count.
             INSERT INTO message_usage (message_id, session_id, is_fork_copy) VALUES ('m', 's', false);
             INSERT INTO session_resource_metrics (session_id, root_tokens)
                 SELECT 's' || i, CASE WHEN i < {bad} THEN 0 ELSE 9 END FROM range(100) t(i)"
        )
    };
    at_bound("root-tokens", rows, 5);
}

#[test]
fn root_path() {
    planted("root-path", "UPDATE messages SET root_path = NULL", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO messages (id, role, root_path)
                 SELECT 'm' || i, 'assistant', CASE WHEN i >= {bad} THEN '/r' WHEN i % 2 = 0 THEN '' END
                 FROM range(100) t(i);
             INSERT INTO messages (id, role) VALUES ('u', 'user')"
        )
    };
    at_bound("root-path", rows, 20);
}

#[test]
fn errors_classified() {
    planted("errors-classified", "UPDATE errors SET category = 'unknown'", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO errors (id, category, severity)
                 SELECT 'e' || i, CASE WHEN i < {bad} THEN 'unknown' ELSE 'timeout' END, 'low' FROM range(100) t(i)"
        )
    };
    at_bound("errors-classified", rows, 5);
    let rows = |bad| {
        format!(
            "INSERT INTO errors (id, category, severity)
                 SELECT 'e' || i, 'timeout', CASE WHEN i >= {bad} THEN 'low' END FROM range(100) t(i)"
        )
    };
    at_bound("errors-classified", rows, 5);
}

#[test]
fn tool_timing() {
    planted("tool-timing", "UPDATE tool_calls SET execution_time_ms = NULL", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO tool_calls (part_id, status, is_aborted, execution_time_ms)
                 SELECT 'p' || i, 'completed', false, CASE WHEN i >= {bad} THEN 5 END FROM range(100) t(i);
             -- Neither a call that runs nor one that was stopped counts.
             INSERT INTO tool_calls (part_id, status, is_aborted) VALUES ('a', 'running', false), ('b', 'error', true)"
        )
    };
    at_bound("tool-timing", rows, 10);
}

#[test]
fn git_metadata() {
    let unknown = "DELETE FROM git_facts; UPDATE projects SET id = 'local-' || id;
        UPDATE sessions SET project_id = 'local-' || project_id";
    planted("git-metadata", unknown, 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO projects (id, vcs) VALUES
                 ('4b825dc642cb6eb9a060e54bf8d69288fbee4904', 'git'), ('fresh', 'git'), ('global', NULL);
             INSERT INTO sessions (id, project_id)
                 SELECT 's' || i, CASE WHEN i < {bad} OR i >= 90 THEN 'fresh'
                     ELSE '4b825dc642cb6eb9a060e54bf8d69288fbee4904' END FROM range(100) t(i);
             -- Ten sessions of a repository without a commit show a branch; a folder without one does not count.
             INSERT INTO git_facts (part_id, ordinal, session_id, branch)
                 SELECT 'g' || i, 0, 's' || i, 'main' FROM range(90, 100) t(i);
             INSERT INTO sessions (id, project_id) VALUES ('outside', 'global');
             INSERT INTO file_operations (part_id, ordinal, session_id)
                 SELECT 'p' || i, 0, 's' || i FROM range(100) t(i) UNION ALL SELECT 'o', 0, 'outside'"
        )
    };
    at_bound("git-metadata", rows, 30);
}

#[test]
fn git_facts() {
    planted("git-facts", "UPDATE git_facts SET branch = NULL, commit_hash = NULL", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO git_facts (part_id, ordinal, session_id, kind, succeeded, commit_hash)
                 SELECT 'g' || i, 0, 's' || i, 'commit', true, CASE WHEN i >= {bad} THEN '1a2b3c4' END
                 FROM range(100) t(i)"
        )
    };
    at_bound("git-facts", rows, 30);
}

#[test]
fn session_cost() {
    planted("session-cost", "UPDATE message_usage SET stored_cost = 0, list_cost = NULL", 0.0);
    let rows = |bad| {
        format!(
            "INSERT INTO message_usage (message_id, session_id, is_fork_copy, tokens_input, stored_cost, list_cost)
                 SELECT 'm' || i, 's' || i, false, 7, CASE WHEN i >= {bad} AND i < 90 THEN 1 ELSE 0 END,
                     CASE WHEN i >= 90 THEN 0.5 END FROM range(100) t(i);
             -- A session that used nothing does not count.
             INSERT INTO message_usage (message_id, session_id, is_fork_copy, tokens_input) VALUES ('m', 's', false, 0)"
        )
    };
    at_bound("session-cost", rows, 5);
}

#[test]
fn orphans() {
    planted(
        "orphans",
        "INSERT INTO messages (id, session_id, role) VALUES ('msg_lost', 'ses_gone', 'user')",
        1.0,
    );
    planted("orphans", "INSERT INTO parts (id, message_id) VALUES ('prt_lost', 'msg_gone')", 1.0);
}

#[test]
fn duplicates_of_every_table() {
    let store = World::new().store();
    let check = checks().into_iter().find(|check| check.name == "duplicates").unwrap();
    let mut covered = 0;
    for table in tables() {
        let name = table.name;
        let copied = store
            .execute(
                &format!(
                    "INSERT INTO {name} SELECT * FROM {name} WHERE rowid = (SELECT min(rowid) FROM {name})"
                ),
                &[],
            )
            .unwrap();
        // A table without rows has nothing to measure.
        let expected = if copied == 1 { (Verdict::Fail, Some(1.0)) } else { (Verdict::Unknown, None) };
        assert_eq!(of_table(&store, &check, table), expected, "{name}");
        covered += copied;
        // A check reads in a transaction of its own, so the fault is committed, and taken out again.
        if copied == 1 {
            let latest = format!("DELETE FROM {name} WHERE rowid = (SELECT max(rowid) FROM {name})");
            store.execute(&latest, &[]).unwrap();
        }
    }
    assert!(covered > 24, "{covered} tables with rows");
    assert_eq!(verdict(&store, "duplicates"), (Verdict::Pass, Some(0.0)));
}

#[test]
fn broken_references_of_every_table() {
    let store = World::new().store();
    let check = checks().into_iter().find(|check| check.name == "foreign-keys").unwrap();
    let mut covered = 0;
    for table in tables() {
        for (column, _, _) in table.references {
            let name = table.name;
            // A table without a row gets one; its other references stay empty.
            store.run_script(&format!("INSERT INTO {name} ({column}) VALUES ('gone')")).unwrap();
            let excepted = name == "todos" || name == "session_diffs";
            let expected = if excepted { (Verdict::Unknown, None) } else { (Verdict::Fail, Some(1.0)) };
            assert_eq!(of_table(&store, &check, table), expected, "{name}.{column}");
            covered += 1;
            store.execute(&format!("DELETE FROM {name} WHERE {column} = 'gone'"), &[]).unwrap();
        }
    }
    assert!(covered > 40, "{covered} references");
    assert_eq!(verdict(&store, "foreign-keys"), (Verdict::Pass, Some(0.0)));
}

#[test]
fn leftovers() {
    planted("leftovers", "INSERT INTO todos (session_id, position) VALUES ('ses_gone', 0)", 1.0);
    planted("leftovers", "INSERT INTO session_diffs (session_id, position) VALUES ('ses_gone', 0)", 1.0);
}

#[test]
fn query_performance() {
    let store = World::new().store();
    let checks: Vec<Check> = checks().into_iter().filter(|check| check.name == "query-performance").collect();
    let slow = run(&store, &checks, &Steps::of(250_000), "slow");
    assert_eq!((slow.findings[0].verdict, slow.findings[0].value), (Verdict::Fail, Some(250.0)));
    assert_eq!(slow.findings[0].samples.as_ref().unwrap().rows.len(), 5);
    let quick = run(&store, &checks, &Steps::of(249_999), "quick");
    assert_eq!((quick.findings[0].verdict, quick.findings[0].value), (Verdict::Pass, Some(249.999)));
}

#[test]
fn view_budgets() {
    let store = World::new().store();
    let checks: Vec<Check> = checks().into_iter().filter(|check| check.name == "view-budgets").collect();
    // Agents by name have 10 ms, tools by session 50, errors 100, a session 150, trends 200.
    for (microseconds, expected) in
        [(9_999, 0.0), (10_000, 1.0), (50_000, 2.0), (149_999, 3.0), (200_000, 5.0)]
    {
        let report = run(&store, &checks, &Steps::of(microseconds), "run");
        assert_eq!(report.findings[0].value, Some(expected), "{microseconds}");
    }
}

/// Fills `parts` with two row groups, one row for each session, with one row of the first group out of place.
fn two_groups(stray: i64) -> Analytics {
    let store = empty();
    // The order of rows is the point here.
    store.run_script("SET threads = 1; SET preserve_insertion_order = true").unwrap();
    store
        .run_script(&format!(
            "INSERT INTO parts (id, session_id)
                 SELECT 'p' || i, 's' || lpad(CAST(CASE WHEN i = 122879 THEN {stray} ELSE i END AS VARCHAR), 8, '0')
                 FROM range(245760) t(i)"
        ))
        .unwrap();
    store
}

#[test]
fn ordering() {
    let (found, value) = verdict(&two_groups(122_879), "ordering");
    assert_eq!((found, value), (Verdict::Pass, Some(50.0)));
    // One stray row that makes almost every look-up into the second group read the first one too.
    let (found, value) = verdict(&two_groups(245_758), "ordering");
    assert!(found == Verdict::Pass && value.unwrap() > 74.99, "{value:?}");
    let (found, value) = verdict(&two_groups(245_759), "ordering");
    assert!(found == Verdict::Fail && value.unwrap() < 75.01, "{value:?}");
    // The order is lost.
    let store = two_groups(122_879);
    store.run_script("CREATE TEMP TABLE shuffled AS SELECT * FROM parts ORDER BY hash(id)").unwrap();
    store.run_script("DELETE FROM parts; INSERT INTO parts SELECT * FROM shuffled").unwrap();
    let (found, value) = verdict(&store, "ordering");
    assert!(found == Verdict::Fail && value.unwrap() > 99.0, "{value:?}");
}

#[test]
fn recomputed_cost() {
    planted("recomputed-cost", "UPDATE message_usage SET recomputed_cost = 2 * stored_cost", 50.0);
    let costs = |stored: &str| {
        let store = empty();
        store
            .run_script(&format!(
                "INSERT INTO message_usage (message_id, is_fork_copy, stored_cost, recomputed_cost)
                     VALUES ('m', false, {stored}, 100), ('free', false, 0, 100)"
            ))
            .unwrap();
        verdict(&store, "recomputed-cost")
    };
    assert_eq!(costs("105"), (Verdict::Pass, Some(5.0)));
    assert_eq!(costs("105.0001").0, Verdict::Fail);
    assert_eq!(costs("94.9999").0, Verdict::Fail);
}

#[test]
fn ingest_quarantine() {
    planted("ingest-quarantine", "UPDATE plimsoll_ingest_document SET outcome = 'quarantined'", 1.0);
}

#[test]
fn aggregates_agree() {
    let day = "UPDATE daily_stats SET stored_cost = stored_cost + 0.0000000001
        WHERE day = (SELECT min(day) FROM daily_stats)";
    planted("aggregates-agree", day, 1.0);
    planted("aggregates-agree", "DELETE FROM session_resource_metrics WHERE session_id = 'ses_0'", 1.0);
}

#[test]
fn time_order() {
    let answer =
        "UPDATE messages SET time_completed = time_created - INTERVAL 1 MILLISECOND WHERE id = 'msg_0_0_0'";
    planted("time-order", answer, 1.0);
    planted(
        "time-order",
        "UPDATE tool_calls SET time_end = time_start - INTERVAL 1 MILLISECOND
        WHERE part_id = (SELECT min(part_id) FROM tool_calls)",
        1.0,
    );
}

#[test]
fn unknown_fields() {
    planted(
        "unknown-fields",
        "INSERT INTO plimsoll_ingest_unknown VALUES ('message.assistant.flavor', 3)",
        1.0,
    );
}
