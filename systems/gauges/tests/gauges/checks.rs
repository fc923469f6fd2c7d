//! The checks and metrics: each check sees the fault it looks for, and every metric has its value on both databases.

use std::collections::BTreeSet;

use plimsoll_engine::check::{Check, Checkup, Report, Verdict};
use plimsoll_engine::metric::DeclaredMetric;
use plimsoll_gauges::SYSTEM;
use serde_json::json;

use crate::support::{Lab, on_both};

fn run(lab: &mut Lab) -> Report {
    let checks = Check::parse_all(SYSTEM.checks).unwrap();
    let clock = std::sync::Arc::clone(&lab.clock);
    let run = plimsoll_engine::clock::new_id();
    Checkup::new(SYSTEM.name, &checks, clock.as_ref(), run.as_str())
        .run_on(lab.session.store.as_mut())
        .unwrap()
}

/// Check, what plants its fault in SQLite, and what is measured then.
const FAULTS: &[(&str, &str, f64)] = &[
    ("members-and-gauges-agree", "UPDATE gauges SET set_id = NULL WHERE serial = 'G1'", 1.0),
    (
        "members-are-alike",
        "UPDATE gauge_thread_specifications SET thread_class = '3B' WHERE serial = 'N1'",
        1.0,
    ),
    ("ids-are-in-the-ledger", "DELETE FROM gauge_set_ids WHERE set_id = 'SP0001'", 1.0),
    ("ids-were-checked", "UPDATE gauge_set_ids SET reuse_checked = 0 WHERE set_id = 'SP0001'", 1.0),
    ("history-follows-itself", "UPDATE gauge_history SET digest = 'x' WHERE entry = 3", 1.0),
    ("every-set-has-history", "DELETE FROM gauge_history_subjects WHERE subject = 'set:SP0002'", 1.0),
    ("no-overdue-gauge-is-out", "UPDATE gauges SET due_on = '2020-01-01' WHERE serial = 'G2'", 1.0),
    (
        "sets-are-complete",
        "UPDATE gauge_set_members SET until_entry = 99, until_at = '2026-02-01T00:00:00.000Z' WHERE serial = 'G1'",
        1.0,
    ),
];

fn furnished() -> Lab {
    let mut lab = Lab::sqlite();
    sets(&mut lab);
    lab
}

fn sets(lab: &mut Lab) {
    lab.set("G1", "N1");
    let second = lab.set("G2", "N2");
    // The checks ask the database for the day, not the test's clock.
    for serial in ["G1", "N1", "G2", "N2"] {
        lab.ok("set-interval", json!({"serial": serial, "interval_days": 36500}));
    }
    lab.ok("check-out", json!({"set": second, "holder": "uma"}));
}

#[test]
fn every_check_sees_its_fault_and_nothing_else() {
    let named: BTreeSet<&str> = FAULTS.iter().map(|(name, ..)| *name).collect();
    let all: BTreeSet<String> =
        Check::parse_all(SYSTEM.checks).unwrap().into_iter().map(|check| check.name).collect();
    assert_eq!(all, named.iter().map(|name| (*name).to_owned()).collect());
    for (name, fault, measured) in FAULTS {
        let mut lab = furnished();
        for trigger in
            lab.rows("SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'gauge%'")
        {
            let trigger = trigger[0].as_text().unwrap().to_owned();
            lab.session.store.execute(&format!("DROP TRIGGER {trigger}"), &[]).unwrap();
        }
        lab.session.store.execute(fault, &[]).unwrap();
        let report = run(&mut lab);
        let finding = report.finding(name).unwrap();
        assert_ne!(finding.verdict, Verdict::Pass, "{name}");
        assert_eq!(finding.value, Some(*measured), "{name}");
        assert!(finding.samples.is_some(), "{name} shows which");
    }
}

#[test]
fn sound_data_passes_on_both_databases_and_so_does_an_empty_store() {
    on_both(|lab: &mut Lab| {
        for full in [false, true] {
            if full {
                sets(lab);
            }
            let report = run(lab);
            for finding in &report.findings {
                assert_eq!(finding.verdict, Verdict::Pass, "{finding:?}");
            }
            assert!(report.is_healthy());
        }
    });
}

#[test]
fn every_metric_has_its_value() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let other = lab.set("G2", "N2");
        lab.set("G3", "N3");
        lab.ok("check-out", json!({"set": set, "holder": "uma"}));
        lab.ok("lose", json!({"serial": "G2"}));
        lab.clock.add_days(8);
        lab.reuse_check(false);
        lab.set("G4", "N4");
        let metrics = DeclaredMetric::parse_all(SYSTEM.metrics).unwrap();
        let mut value = |name: &str, label: &str| -> Option<f64> {
            let metric = metrics.iter().find(|metric| metric.family.name == name).unwrap();
            let samples = metric.store_samples(&mut lab.session).unwrap();
            let fits = |labels: &[(&'static str, String)]| labels.iter().all(|(_, value)| value == label);
            samples.iter().find(|sample| fits(&sample.labels)).map(|sample| sample.value)
        };
        assert_eq!(value("plimsoll_gauges_sets", "complete"), Some(3.0));
        assert_eq!(value("plimsoll_gauges_sets", "retired"), Some(0.0));
        assert_eq!(value("plimsoll_gauges_incomplete_sets", "0"), Some(1.0));
        assert_eq!(value("plimsoll_gauges_incomplete_sets", "7"), Some(1.0), "vacant for eight days");
        assert_eq!(value("plimsoll_gauges_gauges", "checked_out"), Some(2.0));
        assert_eq!(value("plimsoll_gauges_operations_total", "create-set"), Some(4.0));
        assert_eq!(value("plimsoll_gauges_ids_unchecked_total", ""), Some(1.0));
        assert_eq!(value("plimsoll_gauges_tolerance_cases", "open"), Some(0.0));
        assert_eq!(value("plimsoll_gauges_overdue_in_use", ""), Some(0.0));
        assert_eq!(value("plimsoll_gauges_calibrations_due", "30"), Some(0.0));
        lab.clock.add_days(350);
        let mut value = |name: &str, label: &str| -> Option<f64> {
            let metric = metrics.iter().find(|metric| metric.family.name == name).unwrap();
            let samples = metric.store_samples(&mut lab.session).unwrap();
            let fits = |labels: &[(&'static str, String)]| labels.iter().all(|(_, value)| value == label);
            samples.iter().find(|sample| fits(&sample.labels)).map(|sample| sample.value)
        };
        assert_eq!(
            value("plimsoll_gauges_calibrations_due", "7"),
            Some(5.0),
            "all that are not lost and not the last two"
        );
        assert_eq!(value("plimsoll_gauges_calibrations_due", "overdue"), Some(0.0));
        lab.clock.add_days(10);
        assert_eq!(other, "SP0002");
        let metric =
            metrics.iter().find(|metric| metric.family.name == "plimsoll_gauges_overdue_in_use").unwrap();
        assert_eq!(metric.store_samples(&mut lab.session).unwrap()[0].value, 2.0);
    });
}
