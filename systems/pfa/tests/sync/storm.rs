//! Storms: everything goes wrong at once, on a seed, and in the end everything is where it belongs.

use std::sync::atomic::AtomicBool;

use plimsoll_core::sync::conflict::Pick;
use plimsoll_engine::sync::conflicts::{self, ConflictFilter};
use plimsoll_engine::sync::{edit, status};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::{Drift, Options};

use crate::support::Bench;

/// One history: edits on both sides while the network and PEMS misbehave; then calm, and what must be true.
fn history(bench: &Bench, seed: u64, rounds: u64) {
    bench.pems.turn_faults(false);
    bench.pull();
    bench.pems.turn_faults(true);
    let mut random = seed;
    let mut pick = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut committed = Vec::new();
    for round in 0..rounds {
        for _ in 0..6 {
            let key = bench.key(usize::try_from(pick(30)).unwrap());
            let value = format!("Demo {seed} {round} {}", pick(1_000_000));
            let field = ["model", "manufacturer", "area_silo"][usize::try_from(pick(3)).unwrap()];
            match pick(3) {
                0 => bench.elsewhere(&key, &[(field, &value)]),
                // A record that waits for a decision, or was edited by a colleague meanwhile, refuses.
                _ => {
                    let author = ["anna", "bert"][usize::try_from(pick(2)).unwrap()];
                    if let Ok(id) = bench.try_edit(author, &key, &[(field, &value)]) {
                        committed.push((id, key, field, value));
                    }
                }
            }
        }
        std::thread::scope(|scope| {
            for name in ["one", "two"] {
                let mut worker = bench.worker(name);
                scope.spawn(move || worker.drain(&AtomicBool::new(false)).unwrap());
            }
        });
        if pick(2) == 0 {
            // A page whose schema drifted is refused, and says so.
            drop(bench.try_pull());
        }
        bench.clock.advance_us(7_000_000);
    }
    bench.pems.turn_faults(false);
    drop(bench.pems.drift(&Drift::Restore));
    let mut anna = bench.session("anna");
    for _ in 0..20 {
        bench.settle();
        bench.pull();
        let filter = ConflictFilter { limit: 10_000, ..ConflictFilter::default() };
        let open = conflicts::list(&mut anna, &PfaLink, filter).unwrap();
        conflicts::resolve_all(&mut anna, &PfaLink, &open, &Pick::Mine, "calm").unwrap();
        for letter in status::dead_letters(&mut anna, &PfaLink).unwrap() {
            drop(status::decide_dead_letter(&mut anna, &PfaLink, &letter.key, &letter.operation.id, true));
        }
        if open.is_empty() && bench.status().due == 0 {
            break;
        }
    }
    bench.complete();
    bench.settle();
    // I1, I5: both sides hold the same, and nothing more is sent.
    bench.assert_converged();
    assert_eq!(bench.send().sent, 0);
    // I2, I8: every edit ended.
    let filter = edit::EditFilter { limit: 100_000, ..edit::EditFilter::default() };
    for line in edit::list(&mut anna, &PfaLink, filter).unwrap() {
        assert!(["synced", "discarded", "draft"].contains(&line.state.as_str()), "seed {seed}: {line:?}");
    }
    // I3: one effect for each operation.
    bench.assert_sent_once();
    // I2, by value: what was committed is there, was there, or is written down as given up.
    let log = bench.pems.log();
    for (id, key, field, value) in committed {
        let wire = plimsoll_pfa::fields::find(field).unwrap().wire;
        let was_there = log
            .iter()
            .any(|effect| effect.id == key && effect.fields.get(wire) == Some(&value.clone().into()));
        let happened = status::happenings(&mut anna, &PfaLink, &key).unwrap();
        let given_up =
            happened.iter().any(|one| one.kind.starts_with("lost_") && one.detail.contains(&value));
        let coalesced = happened.iter().any(|one| one.kind == "coalesced");
        assert!(was_there || given_up || coalesced, "seed {seed}: {id} {key} {field}={value}: {happened:?}");
    }
}

#[test]
fn after_the_storm_everything_is_where_it_belongs() {
    for seed in 1..=6 {
        let bench = Bench::sqlite(Options { rows_per_organization: 40, ..Options::stormy(seed) });
        history(&bench, seed, 12);
        assert!(
            bench.pems.injected().values().filter(|count| **count > 0).count() >= 6,
            "{:?}",
            bench.pems.injected()
        );
    }
}

#[test]
fn after_the_storm_on_postgres_too() {
    Bench::each(&Options { rows_per_organization: 40, ..Options::stormy(77) }, |bench| {
        history(bench, 77, 12);
    });
}
