//! The rules against models that are written another way: brute force, and case by case.

use std::collections::BTreeSet;

use proptest::prelude::*;

use plimsoll_gauges::model::{Equipment, Gauge, Likeness, Ownership, Role, Side, Status, Thread};
use plimsoll_gauges::operation::{OPERATIONS, Undo};
use plimsoll_gauges::rules::candidate::{Vacancy, rank};
use plimsoll_gauges::rules::machine::{MATRIX, Step, to_markdown};
use plimsoll_gauges::rules::set_id::SetId;
use plimsoll_gauges::rules::{due, pairing, set_state};

fn likeness() -> Likeness {
    Likeness {
        category: "SP".into(),
        thread_size: ".500-20".into(),
        thread_type: "standard".into(),
        thread_form: Some("UNF".into()),
        thread_class: "2B".into(),
        gauge_type: "plug".into(),
        hand: "RH".into(),
        acme_starts: None,
        ownership: Ownership::Company,
        owner: None,
    }
}

pub(crate) fn gauge(serial: &str, side: Side) -> Gauge {
    Gauge {
        serial: serial.into(),
        category: "SP".into(),
        equipment: Equipment::ThreadGauge,
        ownership: Ownership::Company,
        customer: None,
        employee: None,
        thread: Some(Thread { likeness: likeness(), side }),
        status: Status::Available,
        set_id: None,
        sealed: false,
        location: Some("A1".into()),
        interval_days: 365,
        certified_on: Some("2026-01-01".into()),
        unsealed_on: None,
        due_on: Some("2027-01-01".into()),
        deleted_reason: None,
    }
}

/// The published matrix is the one in the README, every step and status of it.
#[test]
fn the_published_matrix_is_the_one_that_is_used() {
    let readme = include_str!("../../README.md");
    let matrix = to_markdown();
    assert!(readme.contains(&matrix), "README.md must contain:\n{matrix}");
    let steps: BTreeSet<Step> = MATRIX.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps.len(), MATRIX.len(), "a step twice");
    for (step, cells) in MATRIX {
        let from: BTreeSet<Status> = cells.iter().map(|(from, _)| *from).collect();
        assert_eq!(from.len(), cells.len(), "{step:?} begins twice in one status");
        assert!(from.iter().all(|status| !status.is_final()), "{step:?} leads out of an end");
    }
}

/// Every status but the first can be reached, and from every status that is no end an end can be.
#[test]
fn no_status_is_an_island() {
    let edges: Vec<(Status, Status)> = MATRIX.iter().flat_map(|(_, cells)| cells.iter().copied()).collect();
    let reach = |from: Status| {
        let mut seen = BTreeSet::from([from]);
        loop {
            let more: BTreeSet<Status> =
                edges.iter().filter(|(from, _)| seen.contains(from)).map(|(_, to)| *to).collect();
            let before = seen.len();
            seen.extend(more);
            if seen.len() == before {
                return seen;
            }
        }
    };
    assert_eq!(reach(Status::Available).len(), Status::ALL.len());
    for status in Status::ALL.iter().filter(|status| !status.is_final()) {
        assert!(reach(*status).contains(&Status::Retired), "{status}");
    }
}

/// D4: one mutation after the other; each is named, alone, by its own rule.
#[test]
fn d4_each_way_to_be_unlike_is_named_by_its_rule() {
    let (go, nogo) = (gauge("G", Side::Go), gauge("N", Side::NoGo));
    assert!(pairing::pair(&go, &nogo).is_empty());
    type Mutation = fn(&mut Gauge);
    fn like(gauge: &mut Gauge) -> &mut Likeness {
        &mut gauge.thread.as_mut().unwrap().likeness
    }
    let mutations: &[(&str, Mutation)] = &[
        ("pair.category", |gauge| like(gauge).category = "SR".into()),
        ("pair.size", |gauge| like(gauge).thread_size = ".250-28".into()),
        ("pair.type", |gauge| like(gauge).thread_type = "metric".into()),
        ("pair.form", |gauge| like(gauge).thread_form = Some("UNJ".into())),
        ("pair.form", |gauge| like(gauge).thread_form = None),
        ("pair.class", |gauge| like(gauge).thread_class = "3B".into()),
        ("pair.gauge_type", |gauge| like(gauge).gauge_type = "ring".into()),
        ("pair.hand", |gauge| like(gauge).hand = "LH".into()),
        ("pair.starts", |gauge| like(gauge).acme_starts = Some(2)),
        ("pair.owner", |gauge| like(gauge).owner = Some("Acme".into())),
        ("pair.owner", |gauge| like(gauge).ownership = Ownership::Customer),
        ("pair.side", |gauge| gauge.thread.as_mut().unwrap().side = Side::Go),
        ("pair.spare", |gauge| gauge.set_id = Some("SP0001".into())),
        ("pair.thread_gauge", |gauge| gauge.thread = None),
        ("pair.pending_qc", |gauge| gauge.status = Status::PendingQc),
    ];
    for (rule, mutate) in mutations {
        let mut other = nogo.clone();
        mutate(&mut other);
        let found: Vec<&str> = pairing::pair(&go, &other).iter().map(|refused| refused.rule).collect();
        assert_eq!(found, [*rule], "{other:?}");
    }
    let mut npt = [go.clone(), nogo.clone()];
    for gauge in &mut npt {
        like(gauge).thread_type = "npt".into();
    }
    assert!(pairing::pair(&npt[0], &npt[1]).iter().all(|refused| refused.rule == "pair.npt"));
    for status in Status::ALL {
        let mut other = nogo.clone();
        other.status = *status;
        let may = matches!(status, Status::Available | Status::CalibrationDue);
        assert_eq!(pairing::pair(&go, &other).is_empty(), may, "{status}");
    }
    assert!(pairing::pair(&go, &go).iter().any(|refused| refused.rule == "pair.two"));
}

/// 13 × 13 statuses, sealed or not: usable when both are available, calibrated and unsealed, and in no other case.
#[test]
fn a_set_is_usable_exactly_when_both_members_are() {
    for first in Status::ALL {
        for second in Status::ALL {
            for sealed in [(false, false), (true, false), (false, true)] {
                let (mut go, mut nogo) = (gauge("G", Side::Go), gauge("N", Side::NoGo));
                (go.status, nogo.status, go.sealed, nogo.sealed) = (*first, *second, sealed.0, sealed.1);
                let state = set_state::of(Some(&go), Some(&nogo), None, "2026-06-01");
                let available = *first == Status::Available && *second == Status::Available;
                assert_eq!(state.usable, available && sealed == (false, false));
                assert_eq!(state.sealed, sealed != (false, false));
                assert_eq!(state.usable, state.blocked.is_empty());
            }
        }
    }
    let go = gauge("G", Side::Go);
    assert!(!set_state::of(Some(&go), None, None, "2026-06-01").usable);
    assert!(!set_state::of(Some(&go), Some(&gauge("N", Side::NoGo)), Some("retired"), "2026-06-01").usable);
    assert!(!set_state::of(Some(&go), Some(&gauge("N", Side::NoGo)), None, "2027-01-02").usable, "overdue");
    assert!(
        set_state::of(Some(&go), Some(&gauge("N", Side::NoGo)), None, "2027-01-01").usable,
        "on its last day"
    );
}

fn any_day() -> impl Strategy<Value = i64> {
    0_i64..1_500
}

fn day(number: i64) -> String {
    let first: jiff::civil::Date = "2024-01-01".parse().unwrap();
    first.checked_add(jiff::Span::new().days(number)).unwrap().to_string()
}

proptest! {
    /// Against a model that counts days as numbers.
    #[test]
    fn due_dates_agree_with_counting_days(certified in any_day(), unsealed in proptest::option::of(any_day()),
        sealed: bool, interval in 1_i64..900, today in any_day()) {
        let (from, opened) = (day(certified), unsealed.map(day));
        let found = due::due_on(Some(&from), sealed, opened.as_deref(), interval);
        let clock = unsealed.filter(|opened| *opened >= certified).unwrap_or(certified);
        let model = (!sealed).then(|| clock + interval);
        prop_assert_eq!(&found, &model.map(day));
        let mut one = gauge("G", Side::Go);
        (one.sealed, one.due_on) = (sealed, found);
        let overdue = model.is_some_and(|due| today > due);
        prop_assert_eq!(due::is_due(&one, &day(today)), overdue);
        let told = model.map(|due| due - today).filter(|left| [30, 14, 7, 0].contains(left));
        prop_assert_eq!(due::alert(&one, &day(today)), told);
    }

    /// One spelling for each ID, and every other spelling of it is refused.
    #[test]
    fn a_set_id_has_one_spelling(prefix in "[A-Z]{1,3}", number in 1_i64..200_000, left: bool) {
        let id = SetId { prefix, number, left };
        let written = id.to_string();
        prop_assert_eq!(SetId::read(&written).unwrap(), id.clone());
        prop_assert_eq!(SetId::read(&format!(" {} ", written.to_lowercase())).unwrap(), id.clone());
        let longer = written.replacen(&id.prefix, &format!("{}0", id.prefix), 1);
        prop_assert!(SetId::read(&longer).is_err(), "{}", longer);
        if number < 1_000 {
            let shorter = format!("{}{}{}", id.prefix, number, if left { "-LH" } else { "" });
            prop_assert!(SetId::read(&shorter).is_err(), "{}", shorter);
        }
    }

    /// The ranking is a sort by brute force: whatever fits comes first, and it fits exactly when pairing says so.
    #[test]
    fn candidates_are_ranked_as_pairing_judges_them(kinds in proptest::collection::vec((0_usize..8, any_day(), any::<bool>(), any::<bool>()), 0..12)) {
        let spares: Vec<Gauge> = kinds.iter().enumerate().map(|(at, (kind, due, here, sealed))| {
            let mut spare = gauge(&format!("X{at:02}"), if *kind == 1 { Side::Go } else { Side::NoGo });
            if *kind == 2 { spare.thread.as_mut().unwrap().likeness.thread_size = "other".into(); }
            if *kind == 3 { spare.status = Status::PendingQc; }
            if *kind == 4 { spare.set_id = Some("SP0009".into()); }
            spare.location = Some(if *here { "A1" } else { "B2" }.into());
            spare.sealed = *sealed;
            spare.due_on = (!sealed).then(|| day(*due));
            spare
        }).collect();
        let wanted = likeness();
        let vacancy = Vacancy { side: Side::NoGo, likeness: &wanted, location: Some("A1"), sealed: Some(false) };
        let ranked = rank(vacancy, &spares, "2025-06-01");
        prop_assert_eq!(ranked.len(), spares.len());
        for candidate in &ranked {
            let spare = spares.iter().find(|spare| spare.serial == candidate.serial).unwrap();
            prop_assert_eq!(candidate.fits, pairing::pair(&gauge("G", Side::Go), spare).is_empty());
            prop_assert_eq!(candidate.fits, candidate.refused.is_empty());
        }
        let first_unfit = ranked.iter().position(|candidate| !candidate.fits).unwrap_or(ranked.len());
        prop_assert!(ranked[first_unfit..].iter().all(|candidate| !candidate.fits));
        let best = spares.iter().filter(|spare| pairing::pair(&gauge("G", Side::Go), spare).is_empty())
            .max_by_key(|spare| (spare.location.as_deref() == Some("A1"), !spare.sealed, spare.due_on.clone(), std::cmp::Reverse(spare.serial.clone())));
        prop_assert_eq!(ranked.first().filter(|candidate| candidate.fits).map(|candidate| &candidate.serial), best.map(|spare| &spare.serial));
    }
}

#[test]
fn an_interval_is_reviewed_by_what_calibration_found() {
    assert_eq!(due::review(365, &[true, true]), None);
    assert_eq!(due::review(365, &[true, true, true]), Some(438));
    assert_eq!(due::review(700, &[true, true, true]), Some(730));
    assert_eq!(due::review(730, &[true, true, true]), None);
    assert_eq!(due::review(365, &[true, true, false]), Some(292));
    assert_eq!(due::review(365, &[false, true, true, true]), Some(438), "only the last three count");
}

/// Do and undo stand side by side: every operation says how it is taken back, or why it is not.
#[test]
fn every_operation_says_who_and_how_it_is_taken_back() {
    let mut names = BTreeSet::new();
    for operation in OPERATIONS {
        assert!(names.insert(operation.name), "{} twice", operation.name);
        assert!(!operation.help.is_empty());
        assert!(Role::ALL.contains(&operation.role));
        if let Undo::Never(why) = operation.undo {
            assert!(!why.is_empty(), "{}", operation.name);
        }
    }
    assert_eq!(plimsoll_gauges::operation::ALL.len(), OPERATIONS.len());
    let supervised = ["unpair", "retire-set", "delete", "take-back", "close-case"];
    for operation in OPERATIONS {
        assert_eq!(
            operation.role == Role::Supervisor,
            supervised.contains(&operation.name),
            "{}",
            operation.name
        );
    }
}
