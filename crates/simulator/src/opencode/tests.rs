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

fn small() -> Settings {
    Settings { mean_part_bytes: 800, ..Settings::of(60, 7) }
}

#[test]
fn the_same_seed_writes_the_same_bytes() {
    let (one, two, three) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let settings = Settings { mean_part_bytes: 600, ..Settings::of(14, 3) };
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
