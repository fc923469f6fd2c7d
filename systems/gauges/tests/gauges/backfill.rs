//! Bringing in what existed before: the traps are listed, the rest comes in once, four checks say so, and there is a way back.

use plimsoll_engine::change::{routine, setup};
use plimsoll_gauges::SYSTEM;
use plimsoll_gauges::backfill::{self, EarlierGauge};
use serde_json::json;

use crate::support::{Lab, on_both};

fn earlier(id: i64, set: &str, serial: &str, is_go: bool) -> EarlierGauge {
    EarlierGauge {
        id,
        serial: serial.into(),
        set_id: (!set.is_empty()).then(|| set.to_owned()),
        is_go,
        category: "SP".into(),
        name: "plug".into(),
        thread_size: ".500-20".into(),
        thread_form: Some("UNF".into()),
        thread_class: "2B".into(),
        hand: "RH".into(),
        location: "A1".into(),
        certified_on: Some("2025-12-01".into()),
        created_at: "2019-03-01T00:00:00Z".into(),
        ..EarlierGauge::default()
    }
}

/// 500 good sets, every third with its ids reversed, and one of each trap.
fn left_behind(good: i64) -> Vec<EarlierGauge> {
    let mut all = Vec::new();
    for number in 1..=good {
        let (set, first, second) = (format!("SP{number:04}"), number * 10, number * 10 + 1);
        let (go, nogo) = if number % 3 == 0 { (second, first) } else { (first, second) };
        all.push(earlier(go, &set, &format!("E{number}-go"), true));
        all.push(earlier(nogo, &set, &format!("E{number}-nogo"), false));
    }
    all.push(earlier(90_001, "SP9001", "alone", true));
    for (at, serial) in ["three-a", "three-b", "three-c"].iter().enumerate() {
        all.push(earlier(90_010 + at as i64, "SP9002", serial, at == 0));
    }
    all.push(earlier(90_020, "SP9003", "go-1", true));
    all.push(earlier(90_021, "SP9003", "go-2", true));
    all.push(earlier(90_030, "SP9004", "big", true));
    all.push(EarlierGauge { thread_size: ".250-28".into(), ..earlier(90_031, "SP9004", "small", false) });
    all.push(earlier(90_040, "SP-9005", "typo-go", true));
    all.push(earlier(90_041, "SP-9005", "typo-nogo", false));
    // A deleted third gauge does not make a set odd; a deleted one does not complete it either.
    all.push(EarlierGauge { deleted: true, ..earlier(90_050, "SP0001", "gone", false) });
    all.push(earlier(90_060, "", "spare", true));
    all
}

#[test]
fn d14_the_traps_are_listed_and_not_brought_in() {
    let found = backfill::assess(&left_behind(30));
    assert_eq!((found.sets, found.good.len(), found.spares), (35, 30, 1));
    assert_eq!(found.reversed.len(), 10, "told, and no reason to leave them out");
    let odd: Vec<(&str, &str)> =
        found.odd.iter().map(|odd| (odd.set_id.as_str(), odd.problems[0].as_str())).collect();
    assert_eq!(
        odd,
        [
            ("SP-9005", "`SP-9005` is no set ID: it begins with the letters of a category, such as SP0222"),
            ("SP9001", "it has 1 members, not 2"),
            ("SP9002", "it has 3 members, not 2"),
            ("SP9003", "it has 2 GO and 0 NO-GO"),
            ("SP9004", "size differs: .500-20 and .250-28"),
        ]
    );
}

#[test]
fn a_backfill_runs_once_and_its_four_checks_see_what_is_wrong() {
    on_both(|lab: &mut Lab| {
        let all = left_behind(40);
        lab.session.actor = "ada".into();
        let lines = lab.last_entry();
        let dry = backfill::run(&mut lab.session, &all, true).unwrap();
        assert_eq!(
            (dry.brought_in, dry.checks.len(), lab.last_entry()),
            (0, 0, lines),
            "a dry run writes nothing"
        );
        let done = backfill::run(&mut lab.session, &all, false).unwrap();
        assert_eq!((done.brought_in, done.refused.len()), (40, 0), "{:?}", done.refused);
        assert!(done.checks.len() == 4 && done.checks.iter().all(|check| check.ok), "{:?}", done.checks);
        let again = backfill::run(&mut lab.session, &all, false).unwrap();
        assert_eq!((again.brought_in, again.there_already), (0, 40), "running again adds nothing");
        // Reversed ids: the side is what the gauge is.
        let side = lab.text("SELECT side FROM gauge_set_members WHERE serial = 'E3-go'");
        assert_eq!(side.as_deref(), Some("go"));
        assert_eq!(lab.set("G1", "N1"), "SP0041", "the next number is behind what was brought in");
        let why = lab.refused("create-set", {
            let mut typed = crate::support::new_set("G2", "N2", "2026-01-05");
            typed["id"] = json!("SP0007");
            typed
        });
        assert!(why.contains("[set_id.live]"), "{why}");
        lab.sound();

        // Each check fails on the fault that it is for.
        let fails = |lab: &mut Lab, all: &[EarlierGauge], fault: &str| -> Vec<&'static str> {
            lab.session.store.begin(plimsoll_store::Access::ReadWrite).unwrap();
            if !fault.is_empty() {
                lab.session.store.run_script(fault).unwrap();
            }
            let checks = backfill::check(&mut lab.session, all).unwrap();
            lab.session.store.rollback().unwrap();
            checks.iter().filter(|check| !check.ok).map(|check| check.name).collect()
        };
        let mut more = all.clone();
        more.extend([
            earlier(95_000, "SP9100", "late-go", true),
            earlier(95_001, "SP9100", "late-nogo", false),
        ]);
        assert_eq!(fails(lab, &more, ""), ["counts match"]);
        let mut swapped = all.clone();
        for gauge in &mut swapped {
            gauge.is_go = !gauge.is_go;
        }
        assert!(fails(lab, &swapped, "").contains(&"spot checks agree"));
        let silent =
            "INSERT INTO gauge_sets (set_id, category, likeness, created_entry, created_at, created_by)
            VALUES ('SP7000', 'SP', '{}', 1, 'x', 'x')";
        assert_eq!(fails(lab, &all, silent), ["no set without history"]);
        let twice = "INSERT INTO gauge_history SELECT entry + 100000, at, actor, operation, set_id, reason, subjects, detail, previous, digest
            FROM gauge_history WHERE set_id = 'SP0005'";
        assert_eq!(fails(lab, &all, twice), ["no set brought in twice"]);
    });
}

/// The way back: the backup that was made before. Every table is as it was, and the guards stand again.
#[test]
fn a_backfill_is_taken_back_by_its_backup() {
    on_both(|lab: &mut Lab| {
        let folder = tempfile::tempdir().unwrap();
        lab.session.actor = "ada".into();
        lab.set("G1", "N1");
        let before = setup::digests(&mut lab.session, &SYSTEM).unwrap();
        let backup = routine::make_backup(&mut lab.session, &SYSTEM, folder.path()).unwrap();
        // Its ID is taken: that set is refused by name, the others come in.
        let done = backfill::run(&mut lab.session, &left_behind(12), false).unwrap();
        assert_eq!((done.brought_in, done.refused.len()), (11, 1));
        assert!(done.refused[0].1.contains("[set_id.live]"), "{:?}", done.refused);
        assert!(!done.checks[0].ok, "and the counts say so");
        routine::restore_backup(&mut lab.session, &SYSTEM, &backup).unwrap();
        assert_eq!(setup::digests(&mut lab.session, &SYSTEM).unwrap(), before);
        let error = lab.session.store.execute("DELETE FROM gauge_history", &[]).unwrap_err();
        assert_eq!(error.class.as_str(), "trigger", "{error}");
        lab.sound();
    });
}
