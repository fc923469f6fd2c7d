//! Every field that occurs is stored.
//!
//! Two proofs on the real corpora, both by walking documents with an independent JSON reader. Brute force: the text of
//! every leaf of every document appears in the rows that came of it. Marks: for every path that occurs, one document is
//! changed in this leaf alone to a value that occurs nowhere else, and the value has to appear in the rows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use plimsoll_core::value::Value;
use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, ForeignTable, Generation, Refusal, Rows};
use plimsoll_opencode::documents::OpenCode;
use plimsoll_store::analytics::OwnedCell;
use serde_json::Value as Json;

use crate::support::{Row, Stored, buffers, corpus, each_row, files, read_row_into, text};

const CORPORA: [&str; 3] =
    ["opencode_1.1.16_json", "opencode_1.1.16_json_migrated_by_1.2.20", "opencode_1.18.33_sqlite"];

/// A document, and how to read it again after a change.
enum Source {
    File { path: String },
    Row { table: &'static ForeignTable, id: String, columns: Vec<(&'static str, Value)> },
}

impl Source {
    /// The document's identifier.
    fn id(&self) -> String {
        match self {
            Self::File { path } => OpenCode.identify(path).unwrap().id,
            Self::Row { id, .. } => id.clone(),
        }
    }

    /// Reads the document with this identifier and content into `rows`.
    fn read(&self, id: &str, content: &Json, rows: &mut Rows) -> Result<(), Refusal> {
        let content = content.to_string();
        match self {
            Self::File { path } => {
                let identity = OpenCode.identify(path).unwrap();
                let document = Document {
                    kind: identity.kind,
                    id,
                    parent: identity.parent.as_deref(),
                    generation: Generation::Json,
                    body: Body::File(&content),
                };
                OpenCode.read(&document, rows)
            }
            Self::Row { table, columns, .. } => {
                let mut columns = columns.clone();
                for (name, value) in &mut columns {
                    if *name == "data" {
                        *value = Value::text(content.clone());
                    }
                }
                read_row_into(table, id, &columns, rows)
            }
        }
    }

    /// What kind of document, for the name of a path.
    fn kind(&self, content: &Json) -> String {
        let kind = match self {
            Self::File { path } => OpenCode.identify(path).unwrap().kind,
            Self::Row { table, .. } => table.kind,
        };
        let text = |key: &str| content.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        let tool = format!(
            "{}.{}",
            text("tool"),
            content.pointer("/state/status").map(Json::to_string).unwrap_or_default()
        );
        format!("{}.{}{}.{tool}", OpenCode.kinds()[kind].name, text("type"), text("role"))
    }
}

/// All documents with a JSON body below a root.
fn documents(root: &Path) -> Vec<(Source, Json)> {
    let mut found: Vec<(Source, Json)> = Vec::new();
    for (path, content) in files(root) {
        if OpenCode.identify(&path).is_some() {
            let content = serde_json::from_str(&content).unwrap();
            found.push((Source::File { path }, content));
        }
    }
    let database = root.join("opencode.db");
    if database.exists() {
        each_row(&database, &mut |table, id, columns| {
            let data =
                columns.iter().find(|(name, _)| *name == "data").and_then(|(_, value)| value.as_text());
            if let Some(data) = data {
                let source = Source::Row { table, id: id.to_owned(), columns: columns.to_vec() };
                found.push((source, serde_json::from_str(data).unwrap()));
            }
        });
    }
    found
}

/// Leaves of a document with their pointers and, for lists, paths without positions.
fn leaves(value: &Json, pointer: &str, path: &str, found: &mut Vec<(String, String, Json)>) {
    match value {
        Json::Object(map) => {
            for (key, value) in map {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{escaped}"), &format!("{path}.{key}"), found);
            }
        }
        Json::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                leaves(value, &format!("{pointer}/{at}"), &format!("{path}[]"), found);
            }
        }
        Json::Null => {}
        leaf => found.push((pointer.to_owned(), path.to_owned(), leaf.clone())),
    }
}

/// Every text under which a leaf may be found in the rows.
fn forms(leaf: &Json) -> Vec<String> {
    let mut forms = vec![leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned)];
    // A moment is stored in microseconds.
    forms.extend(leaf.as_i64().and_then(|number| number.checked_mul(1000)).map(|number| number.to_string()));
    forms
}

/// Everything that a set of rows says: the cells, and the leaves of the JSON in them.
fn said(rows: &[(&'static str, &Row)]) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for cell in rows.iter().flat_map(|(_, row)| row.values()) {
        if let OwnedCell::Text(json) = cell
            && json.starts_with(['{', '[', '"'])
            && let Ok(value) = serde_json::from_str::<Json>(json)
        {
            let mut inside = Vec::new();
            leaves(&value, "", "", &mut inside);
            said.extend(inside.into_iter().flat_map(|(_, _, leaf)| forms(&leaf)));
        }
        said.insert(text(cell));
    }
    said
}

#[test]
fn every_leaf_of_the_real_documents_is_in_the_rows() {
    for name in CORPORA {
        let Some((_folder, root)) = corpus(name) else { continue };
        let documents = documents(&root);
        let mut rows = buffers();
        for (source, content) in &documents {
            source.read(&source.id(), content, &mut rows).unwrap();
        }
        let stored = Stored::of(rows);
        assert_eq!(stored.unknown, BTreeMap::new(), "{name}");
        let stored = stored.by_document();
        let mut checked = 0;
        for (source, content) in &documents {
            let mut found = Vec::new();
            leaves(content, "", &source.kind(content), &mut found);
            let said = stored.get(&source.id()).map(|rows| said(rows)).unwrap_or_default();
            for (_, path, leaf) in found {
                checked += 1;
                assert!(
                    forms(&leaf).iter().any(|form| said.contains(form)),
                    "{name}: {path} = {leaf} is lost"
                );
            }
        }
        println!("{name}: {checked} leaves");
        assert!(checked > 5_000, "{name}: {checked} leaves");
    }
}

/// A change of one leaf.
struct Mark {
    place: String,
    before: String,
    after: String,
    value: Json,
}

#[test]
fn a_change_of_any_field_that_occurs_changes_the_rows() {
    let mut paths = BTreeSet::new();
    let mut marks: Vec<Mark> = Vec::new();
    let mut rows = buffers();
    for name in CORPORA {
        let Some((_folder, root)) = corpus(name) else { continue };
        for (source, content) in documents(&root) {
            let mut found = Vec::new();
            leaves(&content, "", &source.kind(&content), &mut found);
            for (pointer, path, leaf) in found {
                let is_file = matches!(source, Source::File { .. });
                if !paths.insert((is_file, path.clone(), leaf.is_string(), leaf.is_number())) {
                    continue;
                }
                let number = 1_700_000_000_000 + marks.len();
                let value = match &leaf {
                    Json::String(_) => Json::from(format!("mark {number}")),
                    // Money has no place for so many dollars.
                    Json::Number(_) if path.ends_with(".cost") => Json::from(123.456_789_012_3),
                    Json::Number(_) => Json::from(number),
                    other => Json::from(other != &Json::Bool(true)),
                };
                let mut changed = content.clone();
                *changed.pointer_mut(&pointer).unwrap() = value.clone();
                let (before, after) = (format!("before{number}"), format!("after{number}"));
                source.read(&before, &content, &mut rows).unwrap();
                source.read(&after, &changed, &mut rows).unwrap();
                marks.push(Mark { place: format!("{name}: {path}"), before, after, value });
            }
        }
    }
    let stored = Stored::of(rows);
    let documents = stored.by_document();
    for mark in &marks {
        let after = said(&documents[&mark.after]);
        if mark.value.is_boolean() {
            let before = said(&documents[&mark.before]).into_iter().filter(|text| *text != mark.before);
            let after: BTreeSet<String> = after.into_iter().filter(|text| *text != mark.after).collect();
            assert_ne!(before.collect::<BTreeSet<_>>(), after, "{} is lost", mark.place);
        } else {
            assert!(forms(&mark.value).iter().any(|form| after.contains(form)), "{} is lost", mark.place);
        }
    }
    println!("{} paths", marks.len());
    if corpus(CORPORA[0]).is_some() {
        assert!(marks.len() > 300, "{} paths", marks.len());
    }
}

/// Pointers to the objects of a document, with their paths.
fn objects(value: &Json, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Json::Object(map) => {
            found.push((pointer.to_owned(), path.to_owned()));
            for (key, value) in map {
                objects(
                    value,
                    &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                    &format!("{path}.{key}"),
                    found,
                );
            }
        }
        Json::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                objects(value, &format!("{pointer}/{at}"), &format!("{path}[]"), found);
            }
        }
        _ => {}
    }
}

/// A later writer adds a field somewhere: it is kept, wherever that is, in documents of every kind and type.
#[test]
fn a_field_that_is_new_is_kept_in_whatever_object_it_stands() {
    let mut sources: Vec<(Source, Json)> = Vec::new();
    let file = |path: &str| Source::File { path: path.to_owned() };
    for (source, fields) in [
        (
            file("storage/session/p/s.json"),
            r#"{"share":{"url":"u"},"summary":{"files":1,"diffs":[{"a":1}]},"model":{"id":"m"},"tokens":{"input":1,"cache":{"read":1}},"time":{"created":1},"revert":{"messageID":"m"}}"#,
        ),
        (
            file("storage/project/p.json"),
            r#"{"icon":{"url":"u"},"time":{"created":1},"commands":{"start":"s"}}"#,
        ),
        (file("storage/todo/s.json"), r#"[{"content":"c"}]"#),
        (file("storage/session_diff/s.json"), r#"[{"file":"f"}]"#),
    ] {
        sources.push((source, serde_json::from_str(fields).unwrap()));
    }
    for text in crate::parts::examples() {
        sources.push((file("storage/part/m/p.json"), serde_json::from_str(&text).unwrap()));
    }
    for text in crate::messages::examples() {
        sources.push((file("storage/message/s/m.json"), serde_json::from_str(&text).unwrap()));
    }
    for (kind, text) in crate::version2::EXAMPLES {
        let columns = vec![("type", Value::text(*kind)), ("data", Value::Null)];
        let table = crate::support::foreign("session_message");
        sources
            .push((Source::Row { table, id: "m".to_owned(), columns }, serde_json::from_str(text).unwrap()));
    }
    let mut rows = buffers();
    let mut marks: Vec<(String, String)> = Vec::new();
    for (source, content) in &sources {
        let mut found = Vec::new();
        objects(content, "", &source.kind(content), &mut found);
        for (pointer, path) in found {
            let mut changed = content.clone();
            let mark = format!("mark {}", marks.len());
            changed.pointer_mut(&pointer).unwrap()["glow"] = Json::from(mark.clone());
            source.read(&format!("doc{}", marks.len()), &changed, &mut rows).unwrap();
            marks.push((mark, path));
        }
    }
    let stored = Stored::of(rows);
    let documents = stored.by_document();
    for (at, (mark, path)) in marks.iter().enumerate() {
        assert!(said(&documents[&format!("doc{at}")]).contains(mark), "{path}.glow is lost");
    }
    assert!(marks.len() > 100, "{} objects", marks.len());
}
