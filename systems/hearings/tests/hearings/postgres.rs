//! The same on PostgreSQL: its dialect of the schema, and planning against its rows.
//!
//! Skipped, with a printed line, where PostgreSQL is not installed.

use std::time::Instant;

use plimsoll_hearings::schema::SCHEMA;
use plimsoll_simulator::congress::{Faults, Mutation, Scenario, generate, snapshot};
use plimsoll_store::{Store, schema};

use crate::congress::{assert_unchanged, open, read, served, takes_exactly_what_is_planted};
use crate::support::{self, Database};

/// Columns, constraints and indexes as the server describes them.
fn described(store: &mut dyn Store) -> Vec<String> {
    let queries = [
        "SELECT table_name, column_name, ordinal_position::bigint, data_type, is_nullable, column_default \
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3",
        "SELECT conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
        "SELECT tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    ];
    let mut facts = Vec::new();
    for query in queries {
        let rows = store.query(query, &[]).unwrap();
        facts.extend(
            rows.iter().map(|row| format!("{row:?}")).filter(|fact| !fact.contains("plimsoll_schema")),
        );
    }
    facts
}

#[test]
fn baseline_and_steps_make_the_current_schema_and_steps_can_run_twice() {
    let Some(mut by_steps) = Database::on_postgres() else { return };
    let Some(mut at_once) = Database::on_postgres() else { return };
    at_once.store.run_script("DROP SCHEMA public CASCADE; CREATE SCHEMA public;").unwrap();
    at_once.store.run_script(SCHEMA.current.postgres).unwrap();
    let once = described(by_steps.store.as_mut());
    assert!(once.len() > 150, "{}", once.len());
    assert_eq!(once, described(at_once.store.as_mut()));
    for step in SCHEMA.steps {
        schema::apply_step(by_steps.store.as_mut(), step).unwrap();
    }
    assert_eq!(described(by_steps.store.as_mut()), once);
}

#[test]
fn the_real_hearings_change_nothing_and_exactly_what_is_planted_is_taken() {
    let Some(file) = support::snapshot() else { return };
    let Some(mut database) = Database::on_postgres() else { return };
    let mut original = Database::copy_of(&file);
    database.fill_from(&mut original);
    // The digest of a table is the same in both databases.
    assert_eq!(database.digests(), original.digests());
    let corpus = snapshot::load(&file).unwrap();
    let server = served(Scenario::unchanged(&corpus, 1), Faults::none());
    let (records, _) = read(open(&server).as_mut());
    let started = Instant::now();
    assert_unchanged(&mut database, &records);
    println!("planned {} unchanged records on PostgreSQL in {:?}", records.len(), started.elapsed());
    let mutation = Mutation { changes: 90, bad: 20, seed: 4, ..Mutation::default() };
    takes_exactly_what_is_planted(database, &corpus, &mutation, Faults::none());
}

#[test]
fn of_generated_hearings_exactly_what_is_planted_is_taken_or_refused() {
    for seed in [1, 2] {
        let Some(mut database) = Database::on_postgres() else { return };
        let corpus = generate::corpus(300, seed);
        database.fill_from(&mut Database::of_corpus(&corpus));
        let mutation = Mutation { changes: 100, bad: 30, seed, ..Mutation::default() };
        takes_exactly_what_is_planted(database, &corpus, &mutation, Faults::mild(seed));
    }
}

#[test]
fn both_databases_come_to_the_same_rows() {
    let corpus = generate::corpus(250, 11);
    let scenario =
        || Scenario::mutate(&corpus, &Mutation { changes: 80, bad: 0, seed: 11, ..Mutation::default() });
    let server = served(scenario().unwrap(), Faults::none());
    let (records, _) = read(open(&server).as_mut());
    let mut sqlite = Database::of_corpus(&corpus);
    let Some(mut postgres) = Database::on_postgres() else { return };
    postgres.fill_from(&mut sqlite);
    for database in [&mut sqlite, &mut postgres] {
        for record in &records {
            if let support::Planned::Changes(item) = database.plan_record(record) {
                database.write(&item.changes).unwrap();
            }
        }
    }
    assert_eq!(sqlite.digests(), postgres.digests());
}
