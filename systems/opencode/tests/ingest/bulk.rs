//! One pass, a second pass, a changed source, a rebuilt store.

use std::fs;

use plimsoll_simulator::opencode::{BadKind, Generation};
use plimsoll_simulator::opencode::{
    append_exchange, append_session, delete_message, delete_session, rewrite_part, session_ids,
};
use plimsoll_store::duckdb::{Analytics, Resources};

use crate::support::{Demo, afresh, age, assert_keys, count, files, open, open_in, pass, tables, view};

#[test]
fn a_pass_stores_everything_once_and_a_second_one_nothing() {
    let demo = Demo::new(40, 1, Generation::Json, 0);
    let mut ingest = open(&[demo.root()]);
    let first = pass(&mut ingest);
    assert_eq!(first.found, first.tally.stored);
    let before = tables(&ingest);
    assert_eq!(before["sessions"].0, demo.manifest.sessions);
    assert_eq!(before["messages"].0, demo.manifest.messages);
    assert_eq!(before["parts"].0, demo.manifest.parts);
    let second = pass(&mut ingest);
    assert!(second.tally.is_nothing() && second.derived == 0, "{second:?}");
    assert_eq!(tables(&ingest), before);
    assert_keys(ingest.store());
}

#[test]
fn figures_are_those_that_the_generator_counted() {
    for (generation, seed) in
        [(Generation::Json, 2), (Generation::Sqlite, 3), (Generation::SqliteV2, 4), (Generation::Mixed, 5)]
    {
        let demo = Demo::new(40, seed, generation, 0);
        let mut ingest = open(&[demo.root()]);
        pass(&mut ingest);
        let manifest = &demo.manifest;
        let told = view(ingest.store(), "opencode-stats");
        let way = &manifest.opencode_way;
        assert_eq!(told["sessions"], way.sessions, "{generation:?}");
        assert_eq!(told["messages"], way.messages, "{generation:?}");
        assert_eq!(told["tokens"]["input"], way.tokens.input, "{generation:?}");
        assert_eq!(told["tokens"]["output"], way.tokens.output, "{generation:?}");
        assert_eq!(told["tokens"]["cache_read"], way.tokens.cache_read, "{generation:?}");
        assert_eq!(told["tokens"]["cache_write"], way.tokens.cache_write, "{generation:?}");
        let money = |text: &str| (text.parse::<f64>().unwrap() * 1e9).round();
        assert_eq!(money(&told["total_cost"].to_string()), money(&way.total_cost), "{generation:?}");
        let tools: u64 =
            told["tools"].as_array().unwrap().iter().map(|tool| tool["calls"].as_u64().unwrap()).sum();
        assert_eq!(tools, way.tools.iter().map(|tool| tool.calls).sum::<u64>(), "{generation:?}");

        let usage = view(ingest.store(), "usage");
        let tokens = &manifest.disjoint_tokens;
        assert_eq!(usage["fork_copies"], manifest.fork_copies.messages, "{generation:?}");
        assert_eq!(usage["tokens"]["input"], tokens.input, "{generation:?}");
        assert_eq!(usage["tokens"]["output"], tokens.output, "{generation:?}");
        assert_eq!(usage["tokens"]["reasoning"], tokens.reasoning, "{generation:?}");
        assert_eq!(usage["tokens"]["cache_read"], tokens.cache_read, "{generation:?}");
        assert_eq!(usage["tokens"]["cache_write"], tokens.cache_write, "{generation:?}");
        let total = &manifest.deduplicated.total_cost;
        assert_eq!(money(&usage["total_cost"].to_string()), money(total), "{generation:?}");
        assert_keys(ingest.store());
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_reason_and_nothing_else_is_lost() {
    let demo = Demo::new(30, 6, Generation::Json, 12);
    let mut ingest = open(&[demo.root()]);
    let report = pass(&mut ingest);
    let unreadable: Vec<_> = demo.manifest.bad.iter().filter(|bad| bad.kind != BadKind::Orphan).collect();
    assert_eq!(report.tally.quarantined, unreadable.len() as u64);
    let sql = "SELECT path, class, reason FROM plimsoll_ingest_document WHERE outcome = 'quarantined'";
    let told = ingest.store().query(sql, &[]).unwrap().rows;
    for bad in unreadable {
        let path = bad.path.strip_prefix("opencode/").unwrap_or(&bad.path);
        let line =
            told.iter().find(|line| line[0].as_text() == Some(path)).unwrap_or_else(|| panic!("{path}"));
        let class = line[1].as_text().unwrap();
        let expected: &[&str] = match bad.kind {
            BadKind::Empty => &["empty"],
            BadKind::Truncated => &["truncated"],
            BadKind::NulFilled => &["nul-bytes"],
            _ => &["not-json"],
        };
        assert!(expected.contains(&class), "{path}: {class}");
        assert!(!line[2].as_text().unwrap().is_empty());
    }
    let orphans = demo.manifest.bad.iter().filter(|bad| bad.kind == BadKind::Orphan).count() as u64;
    assert_eq!(tables(&ingest)["parts"].0, demo.manifest.parts + orphans);

    // Repaired, it is taken in; broken while nothing writes it, its rows go.
    let good =
        files(&demo.root()).into_iter().find(|path| path.to_string_lossy().contains("/part/msg")).unwrap();
    let content = fs::read(&good).unwrap();
    fs::write(&good, &content[..content.len() / 2]).unwrap();
    age(demo.folder.path());
    assert_eq!(pass(&mut ingest).tally.quarantined, 1);
    fs::write(&good, content).unwrap();
    age(demo.folder.path());
    assert_eq!(pass(&mut ingest).tally.stored, 1);
    assert_eq!(tables(&ingest), afresh(&[demo.root()]));
}

#[test]
fn changed_and_deleted_files_leave_the_tables_as_a_new_pass_would() {
    let demo = Demo::new(30, 7, Generation::Json, 0);
    let mut ingest = open(&[demo.root()]);
    pass(&mut ingest);
    let folder = demo.folder.path();
    for seed in 0..12 {
        let sessions = session_ids(folder).unwrap();
        let session = &sessions[seed as usize * 7 % sessions.len()];
        match seed % 5 {
            0 => drop(append_exchange(folder, seed).unwrap()),
            1 => drop(append_session(folder, seed).unwrap()),
            2 => drop(delete_session(folder, session).unwrap()),
            3 => {
                let messages = demo.root().join("storage/message").join(session);
                let message = files(&messages).remove(0);
                let message = message.file_stem().unwrap().to_str().unwrap().to_owned();
                delete_message(folder, session, &message).unwrap();
            }
            _ => {
                let part = files(&demo.root().join("storage/part")).swap_remove(seed as usize * 31);
                rewrite_part(&part, seed).unwrap();
            }
        }
        pass(&mut ingest);
        let (found, expected) = (tables(&ingest), afresh(&[demo.root()]));
        for (table, rows) in &expected {
            assert_eq!(&found[table], rows, "{table} after change {seed}");
        }
    }
    assert_keys(ingest.store());
}

#[test]
fn the_better_source_wins_and_the_other_takes_over_when_it_goes() {
    let demo = Demo::new(30, 8, Generation::Mixed, 0);
    let mut ingest = open(&[demo.root()]);
    let report = pass(&mut ingest);
    assert!(report.tally.superseded > 0);
    assert_eq!(tables(&ingest), afresh(&[demo.root()]));
    let databases: Vec<_> = files(&demo.root())
        .into_iter()
        .filter(|path| path.to_string_lossy().contains("opencode.db"))
        .collect();
    let hidden = demo.folder.path().join("hidden");
    fs::create_dir(&hidden).unwrap();
    for path in &databases {
        fs::rename(path, hidden.join(path.file_name().unwrap())).unwrap();
    }
    // The database is gone, and with it what only it held; what it superseded is back.
    let without = afresh(&[demo.root()]);
    let mut again = open(&[demo.root()]);
    pass(&mut again);
    assert_eq!(tables(&again), without);
    for path in &databases {
        fs::rename(hidden.join(path.file_name().unwrap()), path).unwrap();
    }
    let report = pass(&mut again);
    assert!(report.tally.superseded > 0);
    assert_eq!(tables(&again), afresh(&[demo.root()]));
    assert_keys(again.store());
}

#[test]
fn a_dropped_store_is_built_again_to_the_same_tables() {
    let demo = Demo::new(30, 9, Generation::Mixed, 4);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("opencode.duckdb");
    let build = || {
        let mut ingest = open_in(Analytics::open(&path, Resources::default()).unwrap(), &[demo.root()]);
        pass(&mut ingest);
        let reopened = tables(&ingest);
        drop(ingest);
        // What is read again from the file is what was written.
        let mut ingest = open_in(Analytics::open(&path, Resources::default()).unwrap(), &[demo.root()]);
        assert_eq!(tables(&ingest), reopened);
        assert!(pass(&mut ingest).tally.is_nothing());
        reopened
    };
    let first = build();
    fs::remove_file(&path).unwrap();
    assert_eq!(build(), first);
}

#[test]
fn a_source_is_only_read_and_its_secrets_not_even_that() {
    for generation in [Generation::Json, Generation::Sqlite, Generation::Mixed] {
        let demo = Demo::new(12, 10, generation, 0);
        let look = || {
            files(&demo.root())
                .into_iter()
                .map(|path| {
                    (fs::metadata(&path).unwrap().modified().unwrap(), fs::read(&path).unwrap(), path)
                })
                .collect::<Vec<_>>()
        };
        let before = look();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opencode.duckdb");
        let mut ingest = open_in(Analytics::open(&path, Resources::default()).unwrap(), &[demo.root()]);
        pass(&mut ingest);
        ingest.store().checkpoint().unwrap();
        assert!(count(ingest.store(), "SELECT count(*) FROM parts") > 0);
        drop(ingest);
        assert!(look() == before, "{generation:?}: a source was changed");
        if let Some(canary) = &demo.manifest.canary {
            let stored = fs::read(&path).unwrap();
            let found = stored.windows(canary.len()).any(|window| window == canary.as_bytes());
            assert!(!found, "{generation:?}: a secret was read");
        }
    }
}
