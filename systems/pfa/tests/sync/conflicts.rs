//! Conflicts: found whatever moved, decided by what was shown, and never invented.

use std::collections::BTreeMap;

use plimsoll_core::sync::conflict::{Answer, Pick};
use plimsoll_core::sync::merge::Side;
use plimsoll_engine::ErrorKind;
use plimsoll_engine::sync::conflicts::{self, ConflictFilter, ConflictLine};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::Options;

use crate::support::Bench;

fn inbox(bench: &Bench) -> Vec<ConflictLine> {
    let filter = ConflictFilter { limit: 1_000, ..ConflictFilter::default() };
    conflicts::list(&mut bench.session("anna"), &PfaLink, filter).unwrap()
}

fn answer(shown: u64, otherwise: Pick) -> Answer {
    Answer { shown, otherwise, fields: BTreeMap::new() }
}

#[test]
fn defect_p1_a_conflict_is_found_when_the_version_moved_by_one_or_two_and_not_when_it_only_moved() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        for (at, moves) in [(0, 1), (1, 2), (2, 5)] {
            let key = bench.key(at);
            bench.edit("anna", &key, &[("model", "Demo mine")]);
            for step in 0..moves {
                bench.elsewhere(&key, &[("model", &format!("Demo theirs {step}"))]);
            }
            bench.settle();
            assert_eq!(bench.here("anna", &key, "model").1, "conflict", "moved by {moves}");
        }
        // Another field moved, or the same values were written again: no conflict.
        let key = bench.key(3);
        let manufacturer = bench.there(&key, "manufacturer").unwrap();
        bench.edit("anna", &key, &[("model", "Demo mine")]);
        bench.elsewhere(&key, &[("manufacturer", &manufacturer)]);
        bench.elsewhere(&key, &[("contract", "Demo contract")]);
        bench.settle();
        assert_eq!(bench.there(&key, "model").as_deref(), Some("Demo mine"));
        assert_eq!(bench.there(&key, "contract").as_deref(), Some("Demo contract"));
        // Both wrote the same.
        let key = bench.key(4);
        bench.edit("anna", &key, &[("model", "Demo same")]);
        bench.elsewhere(&key, &[("model", "Demo same")]);
        bench.settle();
        assert_eq!(bench.here("anna", &key, "model").1, "synced");
        assert_eq!(inbox(bench).len(), 3);
        let shown = &inbox(bench)[0];
        let asked = &shown.question.fields["model"];
        assert_eq!(asked.mine.as_ref().and_then(|value| value.as_text()), Some("Demo mine"));
        assert!(!asked.base.is_null());
    });
}

#[test]
fn each_answer_leads_to_its_row_and_is_written_down() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let picks = [
            (Pick::Mine, "Demo mine"),
            (Pick::Theirs, "Demo theirs"),
            (Pick::Value(plimsoll_core::value::Value::text("Demo third")), "Demo third"),
        ];
        for (at, (pick, expected)) in picks.into_iter().enumerate() {
            let key = bench.key(at);
            let id = bench.edit("anna", &key, &[("model", "Demo mine")]);
            bench.elsewhere(&key, &[("model", "Demo theirs")]);
            bench.settle();
            let revision = inbox(bench).iter().find(|line| line.key == key).unwrap().revision;
            let mut bert = bench.session("bert");
            conflicts::resolve(&mut bert, &PfaLink, &key, &answer(revision, pick), "because").unwrap();
            bench.settle();
            assert_eq!(bench.there(&key, "model").as_deref(), Some(expected));
            assert_eq!(bench.here("anna", &key, "model"), (Some(expected.into()), "synced"));
            let closed = conflicts::list(
                &mut bert,
                &PfaLink,
                ConflictFilter { closed: true, key: Some(&key), limit: 10, offset: 0 },
            )
            .unwrap();
            assert_eq!(closed[0].closed_by.as_deref(), Some("bert"));
            assert!(closed[0].answer.is_some());
            if expected == "Demo theirs" {
                assert_eq!(bench.edit_state(&id).0, "discarded");
                // What was given up can be had again.
                conflicts::undo(&mut bert, &PfaLink, &key, revision).unwrap();
                bench.settle();
                assert_eq!(bench.there(&key, "model").as_deref(), Some("Demo mine"));
            }
        }
        assert!(inbox(bench).is_empty());
        bench.assert_converged();
    });
}

#[test]
fn an_answer_to_what_is_not_shown_any_more_is_refused() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let key = bench.key(0);
    bench.edit("anna", &key, &[("model", "Demo mine")]);
    bench.elsewhere(&key, &[("model", "Demo first")]);
    bench.settle();
    let shown = inbox(&bench)[0].revision;
    bench.elsewhere(&key, &[("model", "Demo second")]);
    bench.pull();
    let mut anna = bench.session("anna");
    let error =
        conflicts::resolve(&mut anna, &PfaLink, &key, &answer(shown, Pick::Mine), "late").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    let reopened = &inbox(&bench)[0];
    assert!(reopened.revision > shown);
    let theirs = reopened.question.fields["model"].theirs.clone().unwrap();
    assert_eq!(theirs.as_text(), Some("Demo second"));
    conflicts::resolve(&mut anna, &PfaLink, &key, &answer(reopened.revision, Pick::Mine), "now").unwrap();
    bench.settle();
    assert_eq!(bench.there(&key, "model").as_deref(), Some("Demo mine"));
}

#[test]
fn fields_that_belong_together_conflict_together() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let pair = bench.key(0);
    bench.edit("anna", &pair, &[("forecast_start", "2026-01-01"), ("forecast_end", "2026-06-30")]);
    bench.settle();
    bench.edit("anna", &pair, &[("forecast_start", "2026-03-01")]);
    bench.elsewhere(&pair, &[("forecast_end", "2026-02-01")]);
    bench.settle();
    let found = inbox(&bench);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].question.fields.len(), 2, "a date pair is one unit");
    assert_eq!(bench.there(&pair, "forecast_start").as_deref(), Some("2026-01-01"), "nothing was sent");
}

#[test]
fn deleted_there_and_edited_here_is_always_asked() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        for (at, pick) in [(0, Pick::Theirs), (1, Pick::Mine)] {
            let key = bench.key(at);
            bench.edit("anna", &key, &[("model", "Demo mine")]);
            bench.pems.delete(&key).unwrap();
            bench.settle();
            let line = inbox(bench).into_iter().find(|line| line.key == key).unwrap();
            let mut anna = bench.session("anna");
            conflicts::resolve(&mut anna, &PfaLink, &key, &answer(line.revision, pick.clone()), "asked")
                .unwrap();
            bench.settle();
            let there = bench.pems.row(&key);
            assert_eq!(there.is_some(), pick == Pick::Mine, "{pick:?}");
        }
        bench.complete();
        bench.assert_converged();
    });
}

#[test]
fn the_same_answer_again_and_what_a_rule_would_have_done() {
    let bench = Bench::sqlite(Options::default());
    bench.pull();
    let clash = |at: usize| {
        let key = bench.key(at);
        bench.edit("anna", &key, &[("model", "Demo mine")]);
        bench.elsewhere(&key, &[("model", "Demo theirs")]);
        bench.settle();
        key
    };
    clash(0);
    clash(1);
    let mut anna = bench.session("anna");
    let found = inbox(&bench);
    let done = conflicts::resolve_all(&mut anna, &PfaLink, &found, &Pick::Theirs, "bulk").unwrap();
    assert!(done.len() == 2 && done.iter().all(|(_, outcome)| outcome.is_ok()), "{done:?}");
    let run = conflicts::dry_run(&mut anna, &PfaLink, "model", Side::Theirs).unwrap();
    assert_eq!((run.asked, run.same, run.other, run.lost.len()), (2, 2, 0, 2));
    conflicts::set_rule(&mut anna, &PfaLink, "model", Some(Side::Theirs), "PEMS knows models").unwrap();
    let key = clash(2);
    assert!(inbox(&bench).is_empty(), "the rule answered");
    assert_eq!(bench.here("anna", &key, "model"), (Some("Demo theirs".into()), "synced"));
    conflicts::set_rule(&mut anna, &PfaLink, "model", None, "").unwrap();
    clash(3);
    assert_eq!(inbox(&bench).len(), 1);
}
