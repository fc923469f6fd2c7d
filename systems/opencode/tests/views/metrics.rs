//! Every metric: listed, on empty tables, on the world, and equal to what views say.

use std::collections::BTreeSet;

use plimsoll_engine::metric::{DeclaredMetric, Sample, value};
use plimsoll_engine::view::{Parameters, View};
use plimsoll_opencode::metrics::METRICS;
use plimsoll_opencode::views::VIEWS;
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;

use crate::world::{World, empty};

fn metrics() -> Vec<DeclaredMetric> {
    DeclaredMetric::parse_all(METRICS).unwrap()
}

fn samples(store: &Analytics) -> Vec<Sample> {
    metrics().iter().flat_map(|metric| metric.samples(store).unwrap()).collect()
}

#[test]
fn every_file_is_listed_and_bears_the_systems_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/metrics");
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, METRICS.len());
    let names: BTreeSet<&str> = metrics().iter().map(|metric| metric.family.name).collect();
    assert!(names.iter().all(|name| name.starts_with("plimsoll_opencode_")), "{names:?}");
}

#[test]
fn every_metric_can_be_asked_of_empty_tables() {
    for metric in metrics() {
        metric.samples(&empty()).unwrap();
    }
}

#[test]
fn every_metric_has_samples_on_the_world() {
    let store = World::new().store();
    for metric in metrics() {
        assert!(!metric.samples(&store).unwrap().is_empty(), "{}", metric.family.name);
    }
}

#[test]
fn totals_are_those_of_the_views() {
    let store = World::new().store();
    let samples = samples(&store);
    let ask = |selector: &str| value(&samples, selector).unwrap().unwrap();
    let views = View::parse_all(VIEWS).unwrap();
    let total = |view: &str, column: &str| -> f64 {
        let table = View::named(&views, view).unwrap().run(&store, &Parameters::new()).unwrap();
        let at = table.position(column).unwrap();
        table
            .rows
            .iter()
            .map(|row| match &row[at] {
                OwnedCell::Integer(number) => *number as f64,
                OwnedCell::Decimal(digits, scale) => *digits as f64 / 10_f64.powi(i32::from(*scale)),
                _ => 0.0,
            })
            .sum()
    };
    let equal =
        |left: f64, right: f64| assert!((left - right).abs() < 1e-9 && left > 0.0, "{left} is not {right}");
    equal(ask("plimsoll_opencode_total_cost_dollars"), total("cost-by-day", "stored_cost"));
    equal(ask("sum(plimsoll_opencode_cost_dollars)"), total("cost-by-day", "stored_cost"));
    equal(ask("sum(plimsoll_opencode_list_cost_dollars)"), total("cost-by-day", "list_cost"));
    equal(ask("sum(plimsoll_opencode_answers)"), total("cost-by-model", "messages"));
}
