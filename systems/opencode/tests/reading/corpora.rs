//! The real corpora: everything is read, and the same data give the same rows in every generation.

use std::collections::BTreeMap;

use crate::support::{Row, Stored, corpus, read_root, text};

const JSON: &str = "opencode_1.1.16_json";
const MIGRATED: &str = "opencode_1.1.16_json_migrated_by_1.2.20";
const SQLITE: &str = "opencode_1.18.33_sqlite";

fn counts(stored: &Stored) -> BTreeMap<&'static str, usize> {
    stored.tables.iter().map(|(table, rows)| (*table, rows.len())).collect()
}

#[test]
fn every_document_of_the_json_corpus_is_read() {
    let Some((_folder, root)) = corpus(JSON) else { return };
    let stored = read_root(&root, true);
    assert_eq!(stored.unknown, BTreeMap::new());
    let expected = [
        ("errors", 208),
        ("file_operations", 153),
        ("messages", 498),
        ("parts", 1998),
        ("projects", 1),
        ("sessions", 31),
        ("step_events", 786),
        ("text_messages", 503),
        ("thinking_blocks", 384),
        ("tool_calls", 306),
    ];
    let counts = counts(&stored);
    for (table, count) in expected {
        assert_eq!(counts[table], count, "{table}");
    }
    assert!(stored.rows("parts").iter().all(|part| part.contains_key("time_created")), "a part has no time");
}

#[test]
fn every_row_of_the_sqlite_corpus_is_read() {
    let Some((_folder, root)) = corpus(SQLITE) else { return };
    let stored = read_root(&root, true);
    assert_eq!(stored.unknown, BTreeMap::new());
    let counts = counts(&stored);
    for (table, count) in
        [("messages", 219), ("parts", 907), ("projects", 1), ("sessions", 19), ("patches", 13), ("todos", 10)]
    {
        assert_eq!(counts[table], count, "{table}");
    }
    let cost = stored.rows("sessions").iter().map(|row| text(&row["stored_cost"])).find(|cost| cost != "0");
    assert!(cost.is_some_and(|cost| cost.len() <= 12), "a double was not read by its shortest decimal");
}

/// The corpus that the real OpenCode moved to SQLite says the same as the files it came from.
#[test]
fn the_same_data_give_the_same_rows_from_files_and_from_the_database() {
    let (Some((_one, json)), Some((_two, migrated))) = (corpus(JSON), corpus(MIGRATED)) else { return };
    let (mut json, mut migrated) = (read_root(&json, true), read_root(&migrated, false));
    // Not moved: lists of changed files stay files, todo lists lose their items' identifiers and get new times,
    // and a project is made for sessions without one.
    for stored in [&mut json, &mut migrated] {
        for table in ["session_diffs", "todos", "projects"] {
            stored.tables.remove(table);
        }
    }
    assert_eq!(counts(&json), counts(&migrated));
    for (table, rows) in &json.tables {
        let key = |row: &Row| ["id", "part_id", "ordinal"].map(|name| row.get(name).map(text));
        let sorted = |rows: &[Row]| {
            let mut rows: Vec<Row> = rows.to_vec();
            for row in &mut rows {
                row.remove("generation");
            }
            rows.sort_by_key(key);
            rows
        };
        let (left, right) = (sorted(rows), sorted(migrated.rows(table)));
        for (left, right) in left.iter().zip(&right) {
            assert_eq!(normal(left), normal(right), "{table}");
        }
    }
}

/// JSON without the writer's white space.
fn normal(row: &Row) -> BTreeMap<String, String> {
    let spaceless = |text: String| match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(value) if text.starts_with(['{', '[']) => value.to_string(),
        _ => text,
    };
    row.iter().map(|(name, cell)| (name.clone(), spaceless(text(cell)))).collect()
}
