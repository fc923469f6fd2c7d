//! Stores that the real OpenCode wrote, against what its own `opencode stats` printed of them.
//!
//! They are not part of the project; without them the tests say so and pass.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::support::{open, pass, tables, view};

/// What is said where the stores are not.
const SKIPPED: &str = "skipped: the real stores are not in ../shared/data";

fn unpack(name: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(format!("{name}.tar.gz"));
    if !archive.is_file() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let ended = Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap();
    assert!(ended.success());
    let root = folder.path().join("opencode");
    Some((folder, root))
}

fn stats(name: &str) -> Json {
    let Some((_folder, root)) = unpack(name) else { return Json::Null };
    let mut ingest = open(&[root]);
    assert_eq!(pass(&mut ingest).tally.quarantined, 0);
    let unknown = ingest.store().query("SELECT place FROM plimsoll_ingest_unknown", &[]).unwrap().rows;
    assert_eq!(unknown, Vec::<Vec<_>>::new(), "fields of a real store that no column takes");
    let told = view(ingest.store(), "opencode-stats");
    let usage = view(ingest.store(), "usage");
    assert!(usage["fork_copies"].as_u64().unwrap() > 0);
    assert!(usage["total_cost"].as_f64().unwrap() < told["total_cost"].as_f64().unwrap());
    told
}

fn model<'a>(told: &'a Json, name: &str) -> &'a Json {
    told["models"].as_array().unwrap().iter().find(|model| model["model"] == name).unwrap()
}

fn calls(told: &Json) -> Vec<(&str, u64)> {
    let tools = told["tools"].as_array().unwrap();
    tools.iter().map(|tool| (tool["tool"].as_str().unwrap(), tool["calls"].as_u64().unwrap())).collect()
}

fn rounded(value: &Json, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value.as_f64().unwrap() * scale).round() / scale
}

#[test]
fn files_of_1_1_16_are_counted_as_opencode_counts_them() {
    let told = stats("opencode_1.1.16_json");
    if told.is_null() {
        println!("{SKIPPED}");
        return;
    }
    assert_eq!((&told["sessions"], &told["messages"]), (&31.into(), &498.into()));
    assert_eq!(rounded(&told["total_cost"], 2), 3.68);
    // 1.3M, 74.9K, 671.9K and 0, as printed.
    assert_eq!(told["tokens"]["input"].as_u64().unwrap() / 50_000, 26);
    assert_eq!(rounded(&(told["tokens"]["output"].as_f64().unwrap() / 1_000.0).into(), 1), 74.9);
    assert_eq!(rounded(&(told["tokens"]["cache_read"].as_f64().unwrap() / 1_000.0).into(), 1), 671.9);
    assert_eq!(told["tokens"]["cache_write"], 0);
    assert_eq!(model(&told, "gpt-5")["messages"], 202);
    assert_eq!(rounded(&model(&told, "gpt-5")["cost"], 4), 1.7036);
    assert_eq!(model(&told, "claude-sonnet-4-5")["messages"], 200);
    assert_eq!(rounded(&model(&told, "claude-sonnet-4-5")["cost"], 4), 1.9723);
    let expected = [
        ("bash", 71),
        ("write", 44),
        ("read", 43),
        ("todowrite", 42),
        ("webfetch", 40),
        ("glob", 35),
        ("grep", 31),
    ];
    assert_eq!(calls(&told), expected);
}

#[test]
fn a_database_of_1_18_33_is_counted_as_opencode_counts_it() {
    let told = stats("opencode_1.18.33_sqlite");
    if told.is_null() {
        println!("{SKIPPED}");
        return;
    }
    assert_eq!((&told["sessions"], &told["messages"]), (&19.into(), &219.into()));
    assert_eq!(rounded(&told["total_cost"], 2), 1.36);
    assert_eq!(rounded(&(told["tokens"]["input"].as_f64().unwrap() / 1_000.0).into(), 1), 412.9);
    assert_eq!(rounded(&(told["tokens"]["output"].as_f64().unwrap() / 1_000.0).into(), 1), 23.4);
    assert_eq!(rounded(&(told["tokens"]["cache_read"].as_f64().unwrap() / 1_000.0).into(), 1), 206.4);
    assert_eq!(model(&told, "claude-sonnet-4-5")["messages"], 92);
    assert_eq!(rounded(&model(&told, "claude-sonnet-4-5")["cost"], 4), 0.9806);
    assert_eq!(model(&told, "gpt-5")["messages"], 77);
    assert_eq!(rounded(&model(&told, "gpt-5")["cost"], 4), 0.3776);
    let mut calls = calls(&told);
    calls.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let expected = [
        ("bash", 38),
        ("read", 17),
        ("webfetch", 17),
        ("todowrite", 16),
        ("glob", 15),
        ("write", 12),
        ("grep", 11),
    ];
    assert_eq!(calls, expected);
}

#[test]
fn a_store_that_opencode_moved_to_sqlite_gives_the_same_analytics() {
    let both = unpack("opencode_1.1.16_json").zip(unpack("opencode_1.1.16_json_migrated_by_1.2.20"));
    let Some(((_a, json), (_b, moved))) = both else {
        println!("{SKIPPED}");
        return;
    };
    let (mut before, mut after) = (open(&[json]), open(&[moved]));
    pass(&mut before);
    assert!(pass(&mut after).tally.superseded > 2_000);
    for name in [
        "opencode-stats",
        "usage",
        "agents-by-name",
        "tools-by-session",
        "error-breakdown",
        "cost-trends",
        "session-details",
    ] {
        assert_eq!(view(before.store(), name), view(after.store(), name), "{name}");
    }
    let (before, after) = (tables(&before), tables(&after));
    for table in ["message_usage", "exchanges", "session_resource_metrics", "daily_stats", "tools"] {
        assert_eq!(before[table], after[table], "{table}");
    }
}
