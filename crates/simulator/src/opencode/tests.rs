//! What must be true of every generated store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::*;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The text of every file of a store, by its path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let relative = |path: &Path| path.strip_prefix(folder).unwrap().to_owned();
    files(folder).iter().map(|path| (relative(path), fs::read(path).unwrap())).collect()
}

/// Many sessions with few and short parts: a store is mostly the time it takes to make its files.
fn sized(sessions: usize, messages: usize, seed: u64) -> Settings {
    let parts = Settings::usual_parts(messages, sessions);
    Settings { messages, parts, mean_part_bytes: 800, ..Settings::of(sessions, seed) }
}

fn small() -> Settings {
    sized(60, 700, 7)
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let (one, two, three) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = sized(14, 200, 3);
    let first = generate(&settings, one.path()).unwrap();
    assert_eq!(generate(&settings, two.path()).unwrap(), first);
    assert_eq!(contents(one.path()), contents(two.path()));
    generate(&Settings { seed: 4, ..settings }, three.path()).unwrap();
    assert_ne!(contents(one.path()), contents(three.path()));
}

#[test]
fn every_file_is_counted_and_every_json_parses() {
    let folder = tempfile::tempdir().unwrap();
    let settings = small();
    let manifest = generate(&settings, folder.path()).unwrap();
    let storage = folder.path().join("opencode/storage");
    let count = |name: &str| files(&storage.join(name)).len() as u64;
    let source = &manifest.sources[0];
    assert_eq!(count("session"), settings.sessions as u64);
    assert_eq!(count("message"), settings.messages as u64);
    assert_eq!(count("part"), settings.parts as u64);
    assert_eq!((count("todo"), count("session_diff")), (source.todos, source.session_diffs));
    assert_eq!(
        (source.sessions, source.messages, source.parts),
        (manifest.sessions, manifest.messages, manifest.parts)
    );
    assert_eq!((manifest.sessions, manifest.messages), (count("session"), count("message")));
    assert_eq!(manifest.part_types.values().sum::<u64>(), manifest.parts);
    let all = contents(&storage);
    assert_eq!(source.bytes, all.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    for (path, bytes) in &all {
        if path.extension().is_some() {
            let parsed: serde_json::Value =
                serde_json::from_slice(bytes).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            if let Some(id) = parsed.get("id") {
                assert_eq!(path.file_stem().unwrap().to_str(), id.as_str());
            }
        }
    }
}

fn counted(store: &mut dyn plimsoll_store::Store, sql: &str) -> u64 {
    let rows = store.query(sql, &[]).unwrap();
    u64::try_from(rows[0][0].as_integer().unwrap()).unwrap()
}

#[test]
fn every_row_is_counted_and_the_union_is_what_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { generation: Generation::Mixed, ..small() };
    let manifest = generate(&settings, folder.path()).unwrap();
    assert_eq!((manifest.sessions, manifest.messages), (settings.sessions as u64, settings.messages as u64));
    let generations: Vec<(&str, &str)> =
        manifest.sources.iter().map(|source| (source.path.as_str(), source.generation.as_str())).collect();
    let expected = [
        ("storage", "json"),
        ("opencode.db", "sqlite-v1"),
        ("opencode.db", "sqlite-v2"),
        ("opencode-beta.db", "sqlite-v1"),
    ];
    assert_eq!(generations, expected);
    let canary = manifest.canary.clone().unwrap();
    for source in &manifest.sources[1..] {
        let path = folder.path().join("opencode").join(&source.path);
        let mut store = plimsoll_store::read_only_sqlite(&path).unwrap();
        let tables: &[(&str, u64)] = if source.generation == "sqlite-v1" {
            &[
                ("session", source.sessions),
                ("message", source.messages),
                ("part", source.parts),
                ("todo", source.todos),
            ]
        } else {
            &[
                ("session_v2", source.sessions),
                ("session_message WHERE type IN ('user', 'assistant')", source.messages),
            ]
        };
        for (table, rows) in tables {
            assert!(*rows > 0, "{table} of {}", source.path);
            assert_eq!(counted(store.as_mut(), &format!("SELECT count(*) FROM {table}")), *rows, "{table}");
        }
        let secret = format!("SELECT count(*) FROM credential WHERE value = '{canary}'");
        assert_eq!(counted(store.as_mut(), &secret), 1);
    }
    // Only the log of a program that still runs holds the rows of the second database.
    let beta = folder.path().join("opencode/opencode-beta.db");
    assert!(fs::metadata(&beta).unwrap().len() < 10_000 && beta.with_extension("db-wal").exists());
    let files = &manifest.sources[0];
    let in_main = manifest.sources[1].sessions;
    assert!(files.sessions + in_main + manifest.sources[3].sessions > manifest.sessions, "nothing overlaps");
}

#[test]
fn a_database_alone_holds_everything() {
    for generation in [Generation::Sqlite, Generation::SqliteV2] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { generation, ..sized(30, 600, 2) };
        let manifest = generate(&settings, folder.path()).unwrap();
        assert_eq!(manifest.messages, settings.messages as u64);
        assert!(!folder.path().join("opencode/storage").exists());
        let refused = Settings { bad: 1, ..settings };
        assert!(matches!(generate(&refused, folder.path().join("other").as_path()), Err(Error::NoFiles)));
    }
}

#[test]
fn bad_files_are_named_and_stand_beside_good_ones() {
    let (clean, damaged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = sized(10, 150, 2);
    let before = generate(&settings, clean.path()).unwrap();
    let after = generate(&Settings { bad: 23, ..settings }, damaged.path()).unwrap();
    assert_eq!(Manifest { bad: Vec::new(), ..after.clone() }, before);
    assert_eq!(after.bad.len(), 23);
    let (good, all) = (contents(clean.path()), contents(damaged.path()));
    assert_eq!(all.len(), good.len() + 23);
    assert!(good.iter().all(|(path, bytes)| all[path] == *bytes));
    for bad in &after.bad {
        let bytes = &all[&Path::new("opencode").join(&bad.path)];
        let parses = serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
        assert_eq!(parses, bad.kind == BadKind::Orphan, "{bad:?}");
    }
    let kinds: std::collections::HashSet<BadKind> = after.bad.iter().map(|bad| bad.kind).collect();
    assert_eq!(kinds.len(), 5);
}

#[test]
fn sizes_follow_the_mean_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    generate(&Settings { mean_part_bytes: 5_000, ..sized(60, 1_200, 5) }, folder.path()).unwrap();
    let parts = files(&folder.path().join("opencode/storage/part"));
    let bytes: u64 = parts.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    let mean = bytes as usize / parts.len();
    assert!((4_500..5_500).contains(&mean), "{mean}");
}

#[test]
fn a_store_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("opencode")).unwrap();
    assert!(matches!(generate(&Settings::default(), folder.path()), Err(Error::Exists { .. })));
}

/// All records of a kind of file, by path.
fn records(folder: &Path, kind: &str) -> Vec<serde_json::Value> {
    let storage = folder.join("opencode/storage").join(kind);
    files(&storage).iter().map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).collect()
}

#[test]
fn every_part_type_state_and_relation_appears() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = generate(&sized(120, 3_000, 1), folder.path()).unwrap();
    let types: Vec<&str> = manifest.part_types.keys().map(String::as_str).collect();
    let every = [
        "agent",
        "compaction",
        "file",
        "patch",
        "reasoning",
        "retry",
        "snapshot",
        "step-finish",
        "step-start",
        "subtask",
        "text",
        "tool",
    ];
    assert_eq!(types, every);
    let states: Vec<&str> = manifest.calls.status.keys().map(String::as_str).collect();
    assert_eq!(states, ["completed", "error", "pending", "running"]);
    assert_eq!(manifest.versions.len(), 8);
    assert!(manifest.failures.tools.len() >= 15 && manifest.failures.commands.len() >= 12);
    assert!(manifest.failures.answers.len() >= 8);
    assert!(manifest.calls.git.len() >= 8 && manifest.calls.risks.len() >= 10);
    let copies = manifest.fork_copies;
    assert!(
        copies.messages > 0
            && manifest.opencode_way.messages == manifest.deduplicated.messages + copies.messages
    );
    let huge = manifest.opencode_way.tokens.cache_read;
    assert!(huge > 1 << 31);
    let sessions = records(folder.path(), "session");
    let ids: std::collections::HashSet<&str> =
        sessions.iter().filter_map(|session| session["id"].as_str()).collect();
    let parents: Vec<&str> = sessions.iter().filter_map(|session| session["parentID"].as_str()).collect();
    assert_eq!(parents.len() as u64, manifest.sub_agent_sessions);
    assert!(parents.iter().all(|parent| ids.contains(parent)));
    let titles: Vec<&str> = sessions.iter().filter_map(|session| session["title"].as_str()).collect();
    assert!(titles.iter().any(|title| title.ends_with("(fork #2)")));
    assert!(titles.iter().all(|title| title.starts_with("Demo: ") || title.starts_with("New session - ")));
    let parts = records(folder.path(), "part");
    let tasks: Vec<&str> =
        parts.iter().filter_map(|part| part.pointer("/state/metadata/sessionId")?.as_str()).collect();
    assert!(parents.len() <= tasks.len() && tasks.iter().all(|task| ids.contains(task)));
    let image = |part: &serde_json::Value| {
        part["url"].as_str().is_some_and(|url| url.starts_with("data:image/png;base64,"))
    };
    assert!(parts.iter().any(image));
}

#[test]
fn times_of_calls_lie_inside_their_message() {
    let folder = tempfile::tempdir().unwrap();
    generate(&sized(40, 900, 8), folder.path()).unwrap();
    let messages: BTreeMap<String, (u64, u64)> = records(folder.path(), "message")
        .iter()
        .filter_map(|message| {
            let time = &message["time"];
            Some((
                message["id"].as_str()?.to_owned(),
                (time["created"].as_u64()?, time["completed"].as_u64()?),
            ))
        })
        .collect();
    let mut compared = 0;
    for part in records(folder.path(), "part") {
        let (Some(start), Some(end)) = (
            part.pointer("/state/time/start").and_then(|time| time.as_u64()),
            part.pointer("/state/time/end").and_then(|time| time.as_u64()),
        ) else {
            continue;
        };
        let Some((created, completed)) = messages.get(part["messageID"].as_str().unwrap()) else { continue };
        assert!(start <= end && *created <= start && end <= *completed, "{part:#} {created} {completed}");
        compared += 1;
    }
    assert!(compared > 500);
}

#[test]
fn rows_of_a_seed_are_the_same_and_files_left_behind_are_older() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = Settings { generation: Generation::Mixed, ..sized(40, 600, 6) };
    let manifest = generate(&settings, one.path()).unwrap();
    assert_eq!(generate(&settings, two.path()).unwrap(), manifest);
    let database = |folder: &Path| folder.join("opencode/opencode.db");
    assert!(fs::read(database(one.path())).unwrap() == fs::read(database(two.path())).unwrap());
    let mut store = plimsoll_store::read_only_sqlite(&database(one.path())).unwrap();
    let (mut both, mut shorter) = (0, 0);
    for session in records(one.path(), "session") {
        let id = session["id"].as_str().unwrap();
        let rows = store.query(&format!("SELECT title FROM session WHERE id = '{id}'"), &[]).unwrap();
        let Some(row) = rows.first() else { continue };
        both += 1;
        assert_ne!(row[0].as_text(), session["title"].as_str());
        let in_rows =
            counted(store.as_mut(), &format!("SELECT count(*) FROM message WHERE session_id = '{id}'"));
        let folder = one.path().join("opencode/storage/message").join(id);
        let in_files = if folder.is_dir() { files(&folder).len() as u64 } else { 0 };
        assert!(in_files <= in_rows);
        shorter += u64::from(in_files < in_rows);
    }
    assert!(both >= 3 && shorter >= 2, "{both} {shorter}");
}
