//! The schema: its versions agree, its two dialects agree, and a database of the earlier system is adopted.

use std::collections::BTreeMap;

use plimsoll_hearings::schema::{SCHEMA, TABLES};
use plimsoll_store::{Store, StoreUrl, schema};

use crate::support::{Database, NOW, snapshot};

fn new_store(folder: &tempfile::TempDir, name: &str) -> Box<dyn Store> {
    let url: StoreUrl = format!("sqlite:{}/{name}.db", folder.path().display()).parse().unwrap();
    plimsoll_store::open(&url).unwrap()
}

/// Everything that the database knows of our tables, apart from the text that made them.
fn described(store: &mut dyn Store) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in TABLES {
        let mut facts = Vec::new();
        for pragma in ["table_xinfo", "foreign_key_list", "index_list"] {
            for row in store.query(&format!("SELECT * FROM pragma_{pragma}('{table}')"), &[]).unwrap() {
                facts.push(format!("{pragma} {row:?}"));
            }
        }
        let columns = format!(
            "SELECT l.name, i.seqno, i.name FROM pragma_index_list('{table}') l, pragma_index_info(l.name) i ORDER BY 1, 2"
        );
        facts.extend(store.query(&columns, &[]).unwrap().iter().map(|row| format!("index {row:?}")));
        let made = format!("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        let sql = store.query(&made, &[]).unwrap()[0][0].as_text().unwrap().to_owned();
        facts.extend(checks(&sql));
        facts.sort();
        all.insert((*table).to_owned(), facts);
    }
    all
}

/// The CHECK clauses of a statement, white space aside.
fn checks(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    for after in sql.split("CHECK").skip(1) {
        let mut depth = 0;
        let end = after.char_indices().find(|(_, letter)| {
            depth += i32::from(*letter == '(') - i32::from(*letter == ')');
            depth == 0 && *letter == ')'
        });
        let clause = &after[..=end.unwrap().0];
        found.push(format!("check {}", clause.split_whitespace().collect::<String>()));
    }
    found
}

#[test]
fn baseline_and_steps_make_the_current_schema() {
    let folder = tempfile::tempdir().unwrap();
    let mut by_steps = new_store(&folder, "steps");
    assert_eq!(schema::upgrade(by_steps.as_mut(), &SCHEMA, NOW).unwrap(), [1, 2, 3]);
    let mut at_once = new_store(&folder, "current");
    at_once.run_script(SCHEMA.current.sqlite).unwrap();
    let (by_steps, at_once) = (described(by_steps.as_mut()), described(at_once.as_mut()));
    for table in TABLES {
        assert_eq!(by_steps[*table], at_once[*table], "{table}");
    }
    assert!(by_steps["hearings"].iter().any(|fact| fact.contains("video_type")));
    assert!(by_steps["hearings"].iter().any(|fact| fact.contains("'NoChamber'")));
}

#[test]
fn every_step_can_run_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = new_store(&folder, "twice");
    for step in SCHEMA.steps {
        schema::apply_step(store.as_mut(), step).unwrap();
        let once = described_so_far(store.as_mut());
        schema::apply_step(store.as_mut(), step).unwrap();
        assert_eq!(described_so_far(store.as_mut()), once, "{}", step.name);
    }
    for step in SCHEMA.steps {
        schema::apply_step(store.as_mut(), step).unwrap();
    }
}

fn described_so_far(store: &mut dyn Store) -> Vec<String> {
    let rows = store.query("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2", &[]).unwrap();
    rows.iter().map(|row| format!("{row:?}")).collect()
}

/// Table by table: the names of the columns, and the other clauses without white space.
fn outline(script: &str) -> Vec<(String, Vec<String>, Vec<String>)> {
    let without_comments: Vec<&str> = script.lines().map(|line| line.split("--").next().unwrap()).collect();
    let text = without_comments.join("\n");
    let mut tables = Vec::new();
    for part in text.split("CREATE TABLE IF NOT EXISTS ").skip(1) {
        let (name, rest) = part.split_once(" (").unwrap();
        let body = rest.split(");\n").next().unwrap();
        let (mut columns, mut clauses, mut depth, mut line) = (Vec::new(), Vec::new(), 0, String::new());
        for letter in body.chars().chain([',']) {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            if letter != ',' || depth > 0 {
                line.push(letter);
                continue;
            }
            let clause = std::mem::take(&mut line).split_whitespace().collect::<Vec<_>>().join(" ");
            let first = clause.split(' ').next().unwrap_or_default().to_owned();
            if ["CHECK", "FOREIGN", "PRIMARY", "UNIQUE"].contains(&first.as_str()) {
                clauses.push(clause);
            } else {
                let facts =
                    ["NOT NULL", "UNIQUE", "PRIMARY KEY", "DEFAULT"].map(|fact| clause.contains(fact));
                columns.push(format!("{first} {facts:?}"));
            }
        }
        tables.push((name.to_owned(), columns, clauses));
    }
    tables
}

#[test]
fn both_dialects_say_the_same_in_parent_before_child_order() {
    let baseline = match SCHEMA.steps[0].actions {
        [plimsoll_engine::system::SchemaAction::Script(dialect)] => *dialect,
        other => panic!("{other:?}"),
    };
    for dialect in [baseline, SCHEMA.current] {
        let (sqlite, postgres) = (outline(dialect.sqlite), outline(dialect.postgres));
        assert_eq!(sqlite, postgres);
        let names: Vec<&str> = sqlite.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, TABLES);
        for (at, (table, _, clauses)) in sqlite.iter().enumerate() {
            for clause in clauses.iter().filter(|clause| clause.starts_with("FOREIGN")) {
                let parent = clause.split("REFERENCES ").nth(1).unwrap().split('(').next().unwrap();
                assert!(names[..=at].contains(&parent), "{table} refers to {parent}");
            }
        }
    }
    let indexes = include_str!("../../schema/indexes.sql");
    let statements: Vec<&str> = indexes.lines().filter(|line| line.starts_with("CREATE")).collect();
    assert_eq!(statements.len(), 13);
    for statement in statements {
        assert!(SCHEMA.current.sqlite.contains(statement), "{statement}");
        assert!(SCHEMA.current.postgres.contains(statement), "{statement}");
    }
}

#[test]
fn a_database_of_the_earlier_system_is_adopted_without_touching_a_row() {
    let Some(file) = snapshot() else { return };
    let mut original = plimsoll_store::read_only_sqlite(&file).unwrap();
    let mut adopted = Database::copy_of(&file);
    assert_eq!(adopted.ask_one("SELECT max(version) FROM plimsoll_schema WHERE component = 'hearings'"), "3");
    for table in TABLES {
        let columns = original.shape(table).unwrap().unwrap();
        let names: Vec<&str> = columns.columns.iter().map(|column| column.name.as_str()).collect();
        let sql = format!("SELECT rowid, {} FROM {table} ORDER BY rowid", names.join(", "));
        assert_eq!(adopted.store.query(&sql, &[]).unwrap(), original.query(&sql, &[]).unwrap(), "{table}");
    }
    assert_eq!(adopted.ask_one("SELECT count(*) FROM hearings WHERE video_url IS NULL"), "1168");
    assert_eq!(adopted.ask_one("SELECT count(*) FROM sync_tracking"), "8", "its own tables stay");
    adopted.check();
    // Every column of ours is there, whoever made the table.
    let mut ours = Database::empty();
    for table in TABLES {
        let wanted = ours.store.shape(table).unwrap().unwrap();
        let found = adopted.store.shape(table).unwrap().unwrap();
        assert_eq!(found.columns, wanted.columns, "{table}");
        assert_eq!(found.key, wanted.key, "{table}");
    }
}

#[test]
fn the_questions_of_planning_are_answered_by_an_index() {
    let mut database = Database::empty();
    for (table, condition) in [
        ("hearings", "event_id = '1'"),
        ("committees", "system_code = 'x'"),
        ("hearing_committees", "hearing_id = 1"),
        ("hearing_bills", "hearing_id = 1"),
        ("bills", "congress = 1 AND bill_type = 'HR' AND bill_number = 1"),
        ("witnesses", "full_name = 'x' AND organization IS NULL"),
        ("witness_appearances", "hearing_id = 1"),
        ("witness_documents", "appearance_id = 1"),
        ("supporting_documents", "hearing_id = 1"),
        ("hearing_transcripts", "hearing_id = 1"),
    ] {
        let plan = database.ask(&format!("EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {condition}"));
        let steps: Vec<String> = plan.iter().map(|row| row.join(" ")).collect();
        assert!(steps.iter().any(|step| step.contains("USING INDEX")), "{table}: {steps:?}");
    }
}
