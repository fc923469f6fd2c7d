//! Every view: on empty tables, on the world, and as its header says.

use std::collections::BTreeSet;

use plimsoll_engine::view::{Parameters, Shape, to_csv, to_json, to_text};
use plimsoll_opencode::views::VIEWS;
use plimsoll_store::analytics::OwnedCell;

use crate::world::{World, empty, views};

#[test]
fn every_file_is_listed_and_bears_its_views_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/views");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .collect();
    let listed: BTreeSet<String> = views().iter().map(|view| view.name.to_owned()).collect();
    assert_eq!(files, listed);
    assert_eq!(listed.len(), VIEWS.len());
    assert!(listed.len() >= 48, "{} views", listed.len());
}

#[test]
fn every_view_runs_on_empty_tables() {
    let store = empty();
    for view in views() {
        let table = view.run(&store, &Parameters::new()).unwrap();
        assert!(!table.columns.is_empty(), "{}", view.name);
        assert_eq!(table.columns, view.columns(&store).unwrap().columns, "{}", view.name);
        serde_json::from_str::<serde_json::Value>(&to_json(&table)).unwrap();
    }
}

#[test]
fn every_view_has_rows_on_the_world_and_each_form_holds_them() {
    let world = World::new();
    let store = world.store();
    // Nothing of this is in the world.
    let none = ["health-checks", "health-history", "quarantine", "search-text", "unknown-fields"];
    for view in views() {
        let table = view.run(&store, &Parameters::new()).unwrap();
        assert_eq!(table.rows.is_empty(), none.contains(&view.name), "{}", view.name);
        let json: serde_json::Value = serde_json::from_str(&to_json(&table)).unwrap();
        match view.shape {
            Shape::Rows => assert_eq!(json.as_array().unwrap().len(), table.rows.len(), "{}", view.name),
            Shape::Object => assert!(json.is_object(), "{}", view.name),
        }
        assert!(to_csv(&table).ends_with("\r\n"), "{}", view.name);
        assert!(to_text(&table).lines().count() > table.rows.len().min(1), "{}", view.name);
    }
}

#[test]
fn the_same_question_has_the_same_answer() {
    let store = World::new().store();
    for view in views() {
        let first = view.run(&store, &Parameters::new()).unwrap();
        assert_eq!(first, view.run(&store, &Parameters::new()).unwrap(), "{}", view.name);
    }
}

#[test]
fn charts_name_columns_that_there_are() {
    let store = empty();
    for view in views() {
        let table = view.columns(&store).unwrap();
        for column in view.chart.iter().flat_map(|chart| chart.columns()) {
            assert!(table.position(column).is_some(), "{}: chart names `{column}`", view.name);
        }
    }
}

#[test]
fn no_two_columns_have_one_name() {
    let store = empty();
    for view in views() {
        let table = view.columns(&store).unwrap();
        for part in std::iter::once(&table).chain(table.sections.iter().map(|section| &section.table)) {
            let names: BTreeSet<&str> = part.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(names.len(), part.columns.len(), "{}", view.name);
        }
    }
}

#[test]
fn money_is_decimal_and_never_a_floating_point_number() {
    let store = World::new().store();
    for view in views() {
        let table = view.run(&store, &Parameters::new()).unwrap();
        for row in &table.rows {
            for (column, cell) in table.columns.iter().zip(row) {
                let money = column.name.ends_with("cost") && column.name != "answers_cost";
                assert!(
                    !(money && matches!(cell, OwnedCell::Double(_))),
                    "{}.{} is a floating point number",
                    view.name,
                    column.name
                );
            }
        }
    }
}

/// A view reads: no statement writes, and rows come in an order that does not depend on chance.
#[test]
fn every_statement_only_reads_and_lists_are_ordered() {
    for text in VIEWS {
        let name = text.lines().next().unwrap();
        let object = text.contains("-- shape: object");
        let body = text.split_once("\n\n").unwrap().1;
        for (number, statement) in body.split("-- section:").enumerate() {
            let code: Vec<&str> = statement
                .lines()
                .skip(usize::from(number > 0))
                .filter(|line| !line.is_empty() && !line.starts_with("--"))
                .collect();
            let upper = code.join("\n").to_uppercase();
            assert!(upper.starts_with("SELECT") || upper.starts_with("WITH"), "{name}: {upper}");
            // Every second piece between quotation marks is a text.
            let inner = upper.trim_end_matches(';').split('\'').step_by(2).any(|piece| piece.contains(';'));
            assert!(!inner, "{name} has a statement within a statement");
            assert!(
                !upper.contains("NOW(") && !upper.contains("RANDOM(") && !upper.contains("CURRENT_"),
                "{name}"
            );
            assert!(
                (object && number == 0) || upper.contains("ORDER BY"),
                "{name} has a list without an order"
            );
        }
    }
}
