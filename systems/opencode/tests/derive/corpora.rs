//! The real corpora: what OpenCode itself counted, and the same figures from files and from the database.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::ingest::{Ingest, IngestSettings, Settings};
use plimsoll_opencode::documents::OpenCode;
use plimsoll_store::duckdb::Analytics;

use crate::run::{assert_same, tables};
use crate::stories::{ask, sums_agree};

const JSON: &str = "opencode_1.1.16_json";
const MIGRATED: &str = "opencode_1.1.16_json_migrated_by_1.2.20";
const SQLITE: &str = "opencode_1.18.33_sqlite";

/// A corpus beside the project, brought into a store; `None` where it is absent.
fn ingested(name: &str) -> Option<Analytics> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(format!("{name}.tar.gz"));
    if !archive.exists() {
        println!("skipped: ../shared/data/{name}.tar.gz is absent");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap();
    assert!(done.success(), "tar could not unpack {}", archive.display());
    let settings = IngestSettings {
        roots: vec![root_in(folder.path()).unwrap_or_else(|| panic!("{name} has no OpenCode folder"))],
        threads: 2,
        derive: Settings::default(),
    };
    let store = Analytics::open_in_memory().unwrap();
    let mut ingest = Ingest::open(&OpenCode, store, Arc::new(MachineClock::new()), settings).unwrap();
    ingest.pass(false, &mut |_, _| ()).unwrap();
    Some(ingest.into_store())
}

fn root_in(folder: &Path) -> Option<PathBuf> {
    if folder.join("storage").is_dir() || folder.join("opencode.db").is_file() {
        return Some(folder.to_owned());
    }
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .find_map(|path| root_in(&path))
}

/// Beside the archive lies what `opencode stats` printed of it. It counts a fork's copies like everything else.
#[test]
fn with_the_copies_figures_are_those_that_opencode_counted() {
    let Some(store) = ingested(JSON) else { return };
    let sql = "SELECT provider, model, sum(messages), printf('%.4f', sum(stored_cost)::DOUBLE), round(sum(tokens_input) / 100.0)::BIGINT
        FROM session_usage GROUP BY ALL ORDER BY 3 DESC";
    let expected =
        [["mock", "gpt-5", "202", "1.7036", "9388"], ["mock", "claude-sonnet-4-5", "200", "1.9723", "4054"]];
    assert_eq!(ask(&store, sql), expected);
    sums_agree(&store);
}

/// A fork's session begins after what is in it happened. OpenCode's newer titles say that it is a fork.
#[test]
fn copies_are_found_in_the_sessions_that_are_forks() {
    for name in [JSON, SQLITE] {
        let Some(store) = ingested(name) else { return };
        let sql = "SELECT DISTINCT session_id FROM message_places WHERE is_fork_copy ORDER BY 1";
        let forks = if name == SQLITE {
            "SELECT id FROM sessions WHERE title LIKE '%(fork #%' ORDER BY 1"
        } else {
            "SELECT DISTINCT sessions.id FROM sessions JOIN messages ON session_id = sessions.id
            WHERE messages.time_created < sessions.time_created - INTERVAL 1 SECOND ORDER BY 1"
        };
        let found = ask(&store, sql);
        assert_eq!(found, ask(&store, forks), "{name}");
        assert!(!found.is_empty(), "{name}");
        // Each original in one session only, and none of them a copy itself.
        let sql = "SELECT count(*) FROM message_places a JOIN message_places b ON a.original_message_id = b.message_id
            WHERE b.is_fork_copy OR a.role <> b.role OR a.session_id = b.session_id";
        assert_eq!(ask(&store, sql), [["0"]], "{name}");
    }
}

#[test]
fn files_and_the_database_made_of_them_give_the_same_figures() {
    let (Some(json), Some(migrated)) = (ingested(JSON), ingested(MIGRATED)) else { return };
    assert_same(&tables(&migrated), &tables(&json), &"the corpus that OpenCode moved to SQLite");
}

/// What the earlier system lacked: OC-16, OC-17, OC-18, OC-20, OC-28, OC-31, OC-35, OC-37, OC-49.
#[test]
fn columns_are_filled_as_far_as_opencode_recorded_them() {
    for name in [JSON, SQLITE] {
        let Some(store) = ingested(name) else { return };
        let share = |what: &str, of: &str| {
            let sql = format!(
                "SELECT coalesce(100.0 * count(*) FILTER ({what}) / count(*), 100)::DOUBLE FROM {of}"
            );
            ask(&store, &sql)[0][0].parse::<f64>().unwrap()
        };
        let answered = "session_resource_metrics WHERE session_id IN
            (SELECT session_id FROM message_usage WHERE tokens_input > 0 AND NOT is_fork_copy)";
        assert!(share("root_tokens > 0", answered) >= 95.0, "{name}");
        let answers = "messages WHERE role = 'assistant'";
        assert!(share("root_path IS NOT NULL", answers) >= 100.0, "{name}");
        assert!(share("category IS NOT NULL AND severity IS NOT NULL", "errors") >= 95.0, "{name}");
        let completed = "tool_calls WHERE status = 'completed'";
        assert!(share("execution_time_ms IS NOT NULL", completed) >= 100.0, "{name}");
        assert!(share("stored_cost IS NOT NULL", "session_resource_metrics") >= 100.0, "{name}");
        for table in
            ["exchanges", "exchange_traces", "session_traces", "daily_stats", "tools", "agents", "models"]
        {
            assert_ne!(ask(&store, &format!("SELECT count(*) FROM {table}"))[0][0], "0", "{name} {table}");
        }
        // error_data can be filtered by its fields.
        let sql = "SELECT count(*) FROM errors WHERE json_extract_string(error_data, '$.type') = category";
        assert_eq!(ask(&store, sql), ask(&store, "SELECT count(*) FROM errors"), "{name}");
        // Every part of every turn is an event.
        let sql =
            "SELECT count(*) FROM parts JOIN message_places USING (message_id) WHERE exchange_id IS NOT NULL";
        let events = "SELECT count(*) FROM exchange_traces WHERE part_id IS NOT NULL";
        assert_eq!(ask(&store, sql), ask(&store, events), "{name}");
    }
}
