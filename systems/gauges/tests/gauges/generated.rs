//! The generated laboratory: everything in it is taken, and what was planted is found.

use plimsoll_gauges::backfill::{self, EarlierGauge};
use plimsoll_gauges::register;
use plimsoll_simulator::gauges::{Laboratory, Settings, generate};

use crate::sequences::assert_invariants;
use crate::support::{Lab, perform};

/// A laboratory of 500 sets lives its first week: backfill with its checks, replace, unpair, retire, loss; then the registers
/// say what the generator counted.
#[test]
fn a_laboratory_of_500_sets() {
    let lab = &mut Lab::bare();
    let today = lab.today();
    let made: Laboratory = generate(&Settings::of(500, 7, &today, "ada"));
    assert_eq!(
        made,
        generate(&Settings::of(500, 7, &today, "ada")),
        "the same settings make the same laboratory"
    );
    let ask = |lab: &mut Lab, request: &plimsoll_simulator::gauges::Request| {
        lab.clock.add_seconds(1);
        let answer = perform(&mut lab.session, request.operation, request.fields.clone()).unwrap();
        answer.unwrap_or_else(|why| panic!("{request:?}: {why}"));
    };
    for request in &made.registers {
        ask(lab, request);
    }
    let earlier: Vec<EarlierGauge> =
        made.earlier.iter().map(|row| serde_json::from_value(row.clone()).unwrap()).collect();
    let report = backfill::run(&mut lab.session, &earlier, false).unwrap();
    let manifest = &made.manifest;
    assert_eq!((report.brought_in, report.refused.len()), (manifest.good_sets, 0), "{:?}", report.refused);
    assert!(report.checks.iter().all(|check| check.ok), "{:?}", report.checks);
    let assessed = &report.assessment;
    assert_eq!(assessed.reversed.len() as u64, manifest.reversed_sets);
    let odd = manifest.single_sets + manifest.triple_sets + manifest.two_go_sets + manifest.unlike_sets;
    assert_eq!((assessed.odd.len() as u64, assessed.sets), (odd, 500 + odd));
    for request in &made.work {
        ask(lab, request);
    }
    assert!(manifest.lost >= 10 && manifest.checked_out >= 10 && manifest.overdue_sets >= 20, "{manifest:?}");
    let incomplete = register::incomplete(&mut lab.session, &today).unwrap();
    assert_eq!(incomplete.len() as u64, manifest.lost);
    let repairable =
        incomplete.iter().filter(|set| set.candidates.first().is_some_and(|best| best.fits)).count();
    assert!(repairable as u64 >= manifest.lost / 2, "{repairable}");
    // One incomplete set is found and repaired with the first candidate.
    let broken = incomplete.iter().find(|set| set.candidates.first().is_some_and(|best| best.fits)).unwrap();
    let new = broken.candidates[0].serial.clone();
    lab.ok("replace", serde_json::json!({"set": broken.set_id, "new": new}));
    assert_eq!(register::incomplete(&mut lab.session, &today).unwrap().len() as u64, manifest.lost - 1);
    let overdue = register::overdue(&mut lab.session, &today).unwrap();
    assert_eq!(overdue.len() as u64, 2 * manifest.overdue_sets);
    let out = lab.number("SELECT count(DISTINCT set_id) FROM gauge_checkouts WHERE returned_entry IS NULL");
    assert_eq!(out as u64, manifest.checked_out);
    assert_invariants(&mut lab.session);
    lab.sound();
}
