//! Evaluation: what a snapshot answers, and that it agrees with the cohorts of the core.

use std::collections::BTreeSet;

use plimsoll_core::flag::{
    Algorithm, Constraint, Flag, Operator, Percent, Prerequisite, Rule, Stage, State, Variant, cohort,
};
use plimsoll_engine::flag::{Evaluation, EvaluationContext, Flags, How, Reason, Snapshot, change, store};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::support::{Place, at_percent};

fn snapshot_of(flags: Vec<Flag>) -> Snapshot {
    let place = Place::sqlite();
    let how = How { keep_faults: true, ..How::because("a test") };
    change::put_all(&mut place.session(), flags, &[], &how).unwrap();
    store::snapshot(&mut place.session()).unwrap()
}

fn ask(snapshot: &Snapshot, name: &str, key: &str) -> Evaluation {
    let context = EvaluationContext::of(key);
    let answer = snapshot.evaluate(name, &context);
    assert_eq!(answer.on, snapshot.is_on(name, &context), "the fast answer is the whole one");
    answer
}

#[test]
fn a_new_flag_is_off_and_an_unknown_one_too() {
    let snapshot = snapshot_of(vec![Flag::new("pilot")]);
    assert_eq!(
        (ask(&snapshot, "pilot", "17").on, ask(&snapshot, "pilot", "17").reason),
        (false, Reason::Disabled)
    );
    assert_eq!(
        (ask(&snapshot, "nobody", "17").on, ask(&snapshot, "nobody", "17").reason),
        (false, Reason::Unknown)
    );
}

#[test]
fn each_way_of_deciding_has_its_reason() {
    let mut pilot = at_percent("pilot", 50, Algorithm::Unleash1);
    pilot.allow.insert("allowed".into(), None);
    pilot.deny.insert("denied".into());
    let mut ruled = Flag { state: State::On, ..Flag::new("ruled") };
    ruled.rules = vec![Rule::of(vec![Constraint::one_of("region", vec!["north".into()])])];
    let everybody = Flag { state: State::On, ..Flag::new("everybody") };
    let killed = Flag { state: State::Killed, ..Flag::new("killed") };
    let needs = |flag: &str| Prerequisite { flag: flag.into(), on: true, variants: Vec::new() };
    let child = Flag { state: State::On, requires: vec![needs("killed")], ..Flag::new("child") };
    let happy = Flag { state: State::On, requires: vec![needs("everybody")], ..Flag::new("happy") };
    let snapshot = snapshot_of(vec![pilot, ruled, everybody, killed, child, happy]);
    let context = |region: &str| EvaluationContext::of("17").with("region", region);
    for (name, context, on, reason) in [
        ("pilot", EvaluationContext::of("allowed"), true, Reason::TargetingMatch),
        ("pilot", EvaluationContext::of("denied"), false, Reason::TargetingMatch),
        ("ruled", context("north"), true, Reason::TargetingMatch),
        ("ruled", context("south"), false, Reason::TargetingMatch),
        ("everybody", context("south"), true, Reason::Static),
        ("killed", context("south"), false, Reason::Disabled),
        ("child", context("south"), false, Reason::Disabled),
        ("happy", context("south"), true, Reason::Static),
    ] {
        let answer = snapshot.evaluate(name, &context);
        assert_eq!((answer.on, answer.reason), (on, reason), "{name}");
        assert_eq!(answer.value, Some(Json::Bool(on)));
    }
    assert_eq!(ask(&snapshot, "pilot", "1").reason, Reason::Split);
    let nobody = snapshot.evaluate("pilot", &EvaluationContext::default());
    assert!(!nobody.on && nobody.key_missing);
}

/// The evaluator and the pure cohorts agree for every key, so a difference that was shown is the one that happens.
#[test]
fn the_evaluator_and_the_cohorts_agree() {
    let keys: Vec<String> = (1..=2_000).map(|number| format!("customer-{number}")).collect();
    for algorithm in
        [Algorithm::Unleash1, Algorithm::Plimsoll1, Algorithm::Flagd1, Algorithm::Flagd2, Algorithm::Flagd3]
    {
        let mut flag = at_percent("pilot", 30, algorithm);
        flag.variants = vec![
            Variant { name: "a".into(), weight: 700, value: Some(json!("blue")), ..Variant::default() },
            Variant { name: "b".into(), weight: 300, ..Variant::default() },
        ];
        flag.allow.insert("customer-1".into(), Some("b".into()));
        flag.deny.insert("customer-2".into());
        let expected = cohort::members(&flag, "", keys.iter().map(String::as_str), &BTreeSet::new());
        let snapshot = snapshot_of(vec![flag]);
        for key in &keys {
            let answer = ask(&snapshot, "pilot", key);
            assert_eq!(answer.on, expected.contains_key(key), "{algorithm} {key}");
            assert_eq!(answer.variant, expected.get(key).cloned().flatten(), "{algorithm} {key}");
            let value = match answer.variant.as_deref() {
                Some("a") => Some(json!("blue")),
                Some(name) => Some(json!(name)),
                None => None,
            };
            assert_eq!(answer.value, value);
        }
    }
}

/// LG-02: variants have their shares, and the same key the same variant.
#[test]
fn variants_have_their_shares_and_stick() {
    let mut flag = Flag { state: State::On, ..Flag::new("test") };
    for (name, weight) in [("a", 50), ("b", 30), ("c", 20)] {
        flag.variants.push(Variant { name: name.into(), weight, ..Variant::default() });
    }
    let (first, second) = (snapshot_of(vec![flag.clone()]), snapshot_of(vec![flag]));
    let mut counts = std::collections::BTreeMap::<String, u32>::new();
    for number in 0..10_000 {
        let key = number.to_string();
        let answer = ask(&first, "test", &key);
        assert_eq!(answer.reason, Reason::Split);
        assert_eq!(answer, Evaluation { version: answer.version, ..ask(&second, "test", &key) });
        *counts.entry(answer.variant.unwrap()).or_default() += 1;
    }
    for (name, share) in [("a", 5_000), ("b", 3_000), ("c", 2_000)] {
        assert!(counts[name].abs_diff(share) < 200, "{counts:?}");
    }
}

#[test]
fn a_boolean_variant_flag_is_on_when_its_value_is_true() {
    let mut flag = Flag { state: State::On, default_variant: Some("no".into()), ..Flag::new("imported") };
    let rule = |field: &str, name: &str, value: bool| Rule {
        variants: vec![plimsoll_core::flag::RuleVariant {
            name: name.into(),
            weight: 1_000,
            value: Some(json!(value)),
            ..Default::default()
        }],
        ..Rule::of(vec![Constraint::one_of(field, vec!["1".into()])])
    };
    flag.rules = vec![rule("off", "no", false), rule("on", "yes", true)];
    flag.variants = vec![
        Variant { name: "yes".into(), value: Some(json!(true)), ..Variant::default() },
        Variant { name: "no".into(), value: Some(json!(false)), ..Variant::default() },
    ];
    let snapshot = snapshot_of(vec![flag]);
    for (context, on, variant) in [
        (EvaluationContext::of("x").with("on", "1"), true, "yes"),
        (EvaluationContext::of("x").with("off", "1").with("on", "1"), false, "no"),
        (EvaluationContext::of("x"), false, "no"),
    ] {
        let answer = snapshot.evaluate("imported", &context);
        assert_eq!((answer.on, answer.variant.as_deref()), (on, Some(variant)));
        assert_eq!(answer.value, Some(json!(on)));
        assert_eq!(snapshot.is_on("imported", &context), on);
    }
}

/// A schedule needs no job: the date decides, at the very moment of each stage.
#[test]
fn a_schedule_grows_by_date_and_keeps_everybody() {
    let mut flag = at_percent("pilot", 1, Algorithm::Unleash1);
    let stage = |at: &str, percent| Stage { at: at.into(), percent: Percent::whole(percent) };
    flag.rollout.as_mut().unwrap().stages =
        vec![stage("2026-12-01T00:00:00.000Z", 10), stage("2026-12-08T00:00:00.000Z", 50)];
    let snapshot = snapshot_of(vec![flag]);
    let at = |time: &str| -> BTreeSet<u32> {
        let on = |number: &u32| {
            let context = EvaluationContext::of(number.to_string()).with("currentTime", time);
            snapshot.is_on("pilot", &context)
        };
        (0..2_000).filter(on).collect()
    };
    let before = at("2026-11-30T23:59:59.999Z");
    let (first, second) = (at("2026-12-01T00:00:00.000Z"), at("2026-12-08T00:00:00.000Z"));
    assert!(before.is_subset(&first) && first.is_subset(&second));
    assert!(
        (5..40).contains(&before.len())
            && (150..250).contains(&first.len())
            && (900..1_100).contains(&second.len())
    );
    assert_eq!(at("2027-06-01T00:00:00.000Z"), second);
    // Without a time in the context, the clock's: 2026-01-01 in tests.
    let by_clock: BTreeSet<u32> = (0..2_000)
        .filter(|number| snapshot.is_on("pilot", &EvaluationContext::of(number.to_string())))
        .collect();
    assert_eq!(by_clock, before);
}

#[test]
fn stickiness_is_on_any_field_of_the_context() {
    let mut flag = at_percent("pilot", 50, Algorithm::Unleash1);
    flag.key = "company".into();
    flag.allow.insert("acme".into(), None);
    let snapshot = snapshot_of(vec![flag]);
    let on = |user: &str, company: &str| {
        snapshot.is_on("pilot", &EvaluationContext::of(user).with("company", company))
    };
    for company in 0..50 {
        let company = company.to_string();
        assert_eq!(on("1", &company), on("2", &company), "the company decides, not the user");
    }
    assert!(on("1", "acme"));
    assert!(snapshot.evaluate("pilot", &EvaluationContext::of("1")).key_missing);
}

#[test]
fn a_rollout_may_be_of_some_only() {
    let mut flag = at_percent("pilot", 100, Algorithm::Unleash1);
    flag.rollout.as_mut().unwrap().constraints = vec![Constraint::than("age", Operator::NumGte, "18")];
    let snapshot = snapshot_of(vec![flag]);
    for (age, on) in [("17", false), ("18", true)] {
        assert_eq!(snapshot.is_on("pilot", &EvaluationContext::of("1").with("age", age)), on);
    }
}

/// One process changes, another sees it at its next look, and threads that ask meanwhile never wait.
#[test]
fn a_change_reaches_another_process_at_its_next_look() {
    Place::each(|place| {
        let mut writer = place.session();
        let mut reader = place.session();
        change::create(&mut writer, Flag::new("pilot"), &How::because("new")).unwrap();
        let flags = Flags::load(&mut reader).unwrap();
        let customer = EvaluationContext::of("17");
        assert!(!flags.is_on("pilot", &customer) && !flags.refresh(&mut reader).unwrap());
        let turn = |flag: &mut Flag| {
            flag.state = State::On;
            Ok(())
        };
        change::update(&mut writer, "pilot", "flag.changed", &How::because("go"), turn).unwrap();
        assert!(!flags.is_on("pilot", &customer));
        assert!(flags.refresh(&mut reader).unwrap() && flags.is_on("pilot", &customer));
        change::kill(&mut writer, "pilot", &How::because("errors")).unwrap();
        assert!(flags.refresh(&mut reader).unwrap() && !flags.is_on("pilot", &customer));
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Deny beats allow beats percentage, asked of the evaluator.
    #[test]
    fn deny_beats_allow_beats_percentage(percent in 0_u32..=100, denied: bool, allowed: bool, key in "[a-z0-9]{1,8}") {
        let mut flag = at_percent("pilot", percent, Algorithm::Unleash1);
        let by_percentage = Algorithm::Unleash1.includes("pilot", &key, Percent::whole(percent));
        if denied { flag.deny.insert(key.clone()); }
        if allowed { flag.allow.insert(key.clone(), None); }
        let answer = ask(&snapshot_of(vec![flag]), "pilot", &key);
        prop_assert_eq!(answer.on, if denied { false } else { allowed || by_percentage });
    }
}
