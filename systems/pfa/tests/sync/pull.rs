//! Pulling: everything once, deletions too, and nothing of a remote that is not to be believed.

use plimsoll_engine::ErrorKind;
use plimsoll_engine::sync::history;
use plimsoll_engine::sync::pull::confirm_missing;
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::{Drift, FaultKind, Options};

use crate::support::{Bench, SCOPE};

#[test]
fn a_pull_takes_every_row_and_a_second_one_none() {
    Bench::each(&Options { rows_per_organization: 1_200, ..Options::default() }, |bench| {
        let first = bench.pull();
        assert_eq!(first.changed, 1_200);
        bench.assert_converged();
        assert_eq!(bench.pull().changed, 0);
        bench.elsewhere(&bench.key(7), &[("model", "Demo other")]);
        assert_eq!(bench.pull().changed, 1);
        bench.assert_converged();
    });
}

#[test]
fn defect_p11_deletions_travel_and_a_late_page_revives_nothing() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let gone = bench.key(3);
        bench.pems.delete(&gone).unwrap();
        assert_eq!(bench.pull().gone, 0, "a pull of changes cannot see it");
        let report = bench.complete();
        assert_eq!((report.gone, report.held), (1, None));
        bench.assert_converged();
        assert_eq!(bench.complete().gone, 0);
        let history = history::of(&mut bench.session("anna"), &PfaLink, &gone).unwrap();
        assert!(history.newest.is_none() && history.version(0).unwrap().is_some());
    });
}

#[test]
fn a_remote_that_lost_half_its_rows_deletes_nothing_unasked() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let keys: Vec<String> = (0..100).map(|at| bench.key(at)).collect();
    for key in &keys {
        bench.pems.delete(key).unwrap();
    }
    let report = bench.complete();
    assert!(report.held.is_some() && report.gone == 0, "{report:?}");
    assert_eq!(bench.status().mirrored, 200);
    assert!(bench.status().pulls[0].held.is_some());
    confirm_missing(&mut bench.session("anna"), &PfaLink, SCOPE, 100).unwrap();
    assert_eq!(bench.complete().gone, 100);
    bench.assert_converged();
}

#[test]
fn a_listing_that_dies_or_moves_is_begun_anew() {
    for kind in [FaultKind::GridLost, FaultKind::GridMoved, FaultKind::LostRequest, FaultKind::ServerError] {
        let bench = Bench::sqlite(Options { rows_per_organization: 1_300, ..Options::default() });
        bench.pull();
        let gone = bench.key(11);
        bench.pems.delete(&gone).unwrap();
        bench.pems.force(kind, 2);
        let report = bench.complete();
        assert!(bench.pems.injected()[kind.name()] >= 1, "{kind:?}");
        assert!(report.gone >= 1, "{kind:?}: {report:?}");
        bench.pull();
        bench.assert_converged();
    }
}

#[test]
fn a_schema_that_drifted_far_is_not_believed_and_a_little_is_told() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    bench.pems.drift(&Drift::Add { field: "pfs_new".into() }).unwrap();
    bench.elsewhere(&bench.key(0), &[("model", "Demo one")]);
    let report = bench.pull();
    assert_eq!(report.changed, 1);
    assert!(report.drift.unknown.contains("pfs_new"), "{report:?}");
    bench.pems.drift(&Drift::Remove { field: "pfs_f_source".into() }).unwrap();
    bench.elsewhere(&bench.key(0), &[("model", "Demo two")]);
    let error = bench.try_pull().unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert_eq!(bench.here("anna", &bench.key(0), "model").0.as_deref(), Some("Demo one"));
}

#[test]
fn rows_stamped_in_the_past_are_seen_by_the_overlap() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    bench.pems.force(FaultKind::ClockSkew, 40);
    for at in 0..40 {
        bench.elsewhere(&bench.key(at), &[("model", "Demo skewed")]);
    }
    bench.pull();
    bench.assert_converged();
}

/// Found by `cargo xtask crash --what sync`: both wrote the next version of a row's history, and one of them died of it.
#[test]
fn two_pulls_at_once_take_the_same_rows_over_once() {
    Bench::each(&Options { rows_per_organization: 40, ..Options::default() }, |bench| {
        bench.pull();
        for round in 0..20 {
            for at in 0..40 {
                bench.elsewhere(&bench.key(at), &[("model", &format!("Demo {round}"))]);
            }
            std::thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| bench.pull());
                }
            });
        }
        bench.assert_converged();
        let mut session = bench.session("look");
        let history = history::of(&mut session, &PfaLink, &bench.key(7)).unwrap();
        assert_eq!(history.steps.len(), 20, "one step for each round");
    });
}
