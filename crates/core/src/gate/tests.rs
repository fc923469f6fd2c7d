//! The truth table of verdicts, and the score of the Lucky Gas report.

use super::declare::{Asked, Bound, Category, Criterion, Duration, Gate, Source};
use super::judge::{Answer, Judgement, Standing, Verdict, judge};
use super::reading::{Outcome, Reading};
use super::score::{Color, color};

const NOW: &str = "2026-03-02T12:00:00.000Z";

fn asked(rule: &str) -> Asked {
    Asked {
        text: None,
        hint: None,
        rule: Bound::read(rule).unwrap(),
        expression: None,
        min_sample: Some(500),
        base_rate: None,
        see_factor: None,
        sample_of: Some("requests".into()),
        max_age: None,
        of_last: None,
        must_hold: None,
        points: 1.0,
        full: None,
        source: Source::Metric { metric: "success".into() },
    }
}

fn criterion(id: &str, evidence: Vec<Asked>) -> Criterion {
    Criterion {
        id: id.into(),
        text: format!("text of {id}"),
        required: true,
        guards_data: false,
        category: None,
        evidence,
    }
}

fn gate(criteria: Vec<Criterion>) -> Gate {
    Gate {
        gate: "a/gate".into(),
        title: "A gate".into(),
        notes: Vec::new(),
        requirements: Vec::new(),
        categories: Vec::new(),
        least_score: None,
        criteria,
    }
}

fn good() -> Reading {
    Reading::of("metric success", 99.0, "a basis").resting_on(500)
}

/// The seven things that evidence can say, and what a gate makes of it (bar 6, pain 2).
fn said() -> Vec<(&'static str, Reading, Standing, Verdict)> {
    let with = |outcome| Reading { outcome, ..good() };
    vec![
        ("value ok", good(), Standing::Ok, Verdict::Go),
        ("breach", Reading::of("", 94.9, "").resting_on(500), Standing::Breach, Verdict::NoGo),
        ("NaN", with(Outcome::of(f64::NAN)), Standing::NotANumber, Verdict::Unknown),
        ("infinite", with(Outcome::Value(f64::INFINITY)), Standing::NotANumber, Verdict::Unknown),
        ("empty", with(Outcome::Empty), Standing::Empty, Verdict::Unknown),
        ("timeout", with(Outcome::TimedOut(10_000)), Standing::TimedOut, Verdict::Unknown),
        ("low sample", good().resting_on(88), Standing::LowSample, Verdict::Inconclusive),
        ("no sample", Reading { sample: None, ..good() }, Standing::LowSample, Verdict::Inconclusive),
        ("error", with(Outcome::Error("no such table".into())), Standing::Error, Verdict::Unknown),
        ("missing", Reading::missing("", "no report on record"), Standing::Missing, Verdict::Unknown),
    ]
}

#[test]
fn truth_table_only_ok_with_enough_sample_is_go() {
    let three = gate(["first", "middle", "last"].map(|id| criterion(id, vec![asked(">= 95 %")])).into());
    for place in 0..3 {
        for (name, reading, standing, verdict) in said() {
            let mut readings = vec![vec![good()], vec![good()], vec![good()]];
            readings[place] = vec![reading];
            let found = judge(&three, &readings, NOW);
            assert_eq!(found.criteria[place].evidence[0].standing, standing, "{name} at {place}");
            assert_eq!(found.verdict, verdict, "{name} at {place}");
            assert_eq!(found.verdict == Verdict::Go, name == "value ok", "{name} at {place}");
            let blocked: Vec<&str> =
                found.blockers.iter().map(|blocker| blocker.criterion.as_str()).collect();
            let wanted: Vec<&str> =
                if name == "value ok" { vec![] } else { vec![["first", "middle", "last"][place]] };
            assert_eq!(blocked, wanted, "{name} at {place}");
        }
        let mut readings = vec![vec![good()]; 3];
        readings[place] = Vec::new();
        assert_eq!(judge(&three, &readings, NOW).verdict, Verdict::Unknown, "not asked at {place}");
    }
}

/// Every combination of two: the graver of the two decides, in the order NO-GO, UNKNOWN, INCONCLUSIVE, GO.
#[test]
fn the_graver_of_two_decides() {
    let two = gate(vec![criterion("a", vec![asked(">= 95")]), criterion("b", vec![asked(">= 95")])]);
    let grave = [Verdict::Go, Verdict::Inconclusive, Verdict::Unknown, Verdict::NoGo];
    let rank = |verdict: Verdict| grave.iter().position(|known| *known == verdict);
    for (a_name, a, _, a_verdict) in said() {
        for (b_name, b, _, b_verdict) in said() {
            let found = judge(&two, &[vec![a.clone()], vec![b.clone()]], NOW);
            let worse = if rank(a_verdict) > rank(b_verdict) { a_verdict } else { b_verdict };
            assert_eq!(found.verdict, worse, "{a_name}, {b_name}");
        }
    }
}

#[test]
fn without_anything_required_nothing_is_go() {
    assert_eq!(judge(&gate(Vec::new()), &[], NOW).verdict, Verdict::Unknown);
    let optional = Criterion { required: false, ..criterion("a", vec![asked(">= 95")]) };
    let found = judge(&gate(vec![optional]), &[vec![good()]], NOW);
    assert_eq!(found.verdict, Verdict::Unknown);
    let unbound = judge(&gate(vec![criterion("a", Vec::new())]), &[Vec::new()], NOW);
    assert_eq!((unbound.verdict, unbound.criteria[0].answer), (Verdict::Unknown, Answer::Unknown));
    assert!(!gate(vec![criterion("a", Vec::new())]).problems().is_empty(), "and the file is refused");
}

#[test]
fn missing_sample_is_told_in_full() {
    let one = gate(vec![criterion("errors", vec![asked(">= 95 %")])]);
    let found = judge(&one, &[vec![good().resting_on(88)]], NOW);
    assert_eq!(found.missing_sample, ["errors: 412 more requests needed: 88 of 500"]);
    let evidence = &found.criteria[0].evidence[0];
    assert_eq!((evidence.missing_sample, evidence.least_sample), (Some(412), Some(500)));
    let rate = Asked { min_sample: None, base_rate: Some(0.01), see_factor: Some(2.0), ..asked("< 2 %") };
    let needed = rate.least_sample().unwrap();
    let one = gate(vec![criterion("errors", vec![rate])]);
    let found = judge(&one, &[vec![Reading::of("", 1.0, "").resting_on(needed - 412)]], NOW);
    let wanted = format!(
        "errors: 412 more requests needed to see 2 times a rate of 1 %: {} of {needed}",
        needed - 412
    );
    assert_eq!((found.verdict, found.missing_sample), (Verdict::Inconclusive, vec![wanted]));
}

#[test]
fn evidence_expires() {
    let day = Asked { max_age: Some(Duration::read("24h").unwrap()), ..asked(">= 95 %") };
    let one = gate(vec![criterion("drill", vec![day])]);
    let at = |reading: Reading| judge(&one, &[vec![reading]], NOW).verdict;
    assert_eq!(at(good().from_time("2026-03-01T12:00:00.001Z")), Verdict::Go);
    assert_eq!(at(good().from_time("2026-03-01T12:00:00.000Z")), Verdict::Unknown, "to the millisecond");
    assert_eq!(at(good()), Verdict::Go, "measured in this evaluation");
    assert_eq!(at(good().from_time("yesterday")), Verdict::Unknown, "an unknown age is not fresh");
    let stated = |until: &str| Reading { expires_at: Some(until.into()), ..good() };
    assert_eq!(at(stated("2026-03-02T12:00:00.000Z")), Verdict::Unknown);
    assert_eq!(at(stated("2026-03-02T12:00:01Z")), Verdict::Go, "however the time is written");
    let earlier = stated("2026-04-01T00:00:00.000Z").from_time("2026-03-01T00:00:00.000Z");
    assert_eq!(at(earlier), Verdict::Unknown, "the earlier of the two counts");
}

#[test]
fn a_rule_may_look_back() {
    let back = Asked { of_last: Some(3), must_hold: Some(2), ..asked(">= 95") };
    let one = gate(vec![criterion("soak", vec![back])]);
    let verdict = |holds: bool, earlier: &[bool]| {
        let value = if holds { 99.0 } else { 10.0 };
        let reading = Reading { earlier: earlier.to_vec(), ..Reading::of("", value, "").resting_on(500) };
        judge(&one, &[vec![reading]], NOW).verdict
    };
    assert_eq!(verdict(true, &[]), Verdict::Inconclusive, "once is not twice");
    assert_eq!(verdict(true, &[true]), Verdict::Go);
    assert_eq!(verdict(false, &[true, true]), Verdict::Go);
    assert_eq!(verdict(false, &[true, false, true]), Verdict::NoGo, "older ones do not count");
    assert_eq!(verdict(true, &[false, false]), Verdict::NoGo);
}

#[test]
fn answers_are_yes_no_partial_and_unknown() {
    let two = gate(vec![criterion("sync", vec![asked(">= 95"), asked(">= 95")])]);
    let bad = || Reading::of("", 1.0, "").resting_on(500);
    let nothing = || Reading::missing("", "never recorded");
    for (a, b, wanted) in [
        (good(), good(), Answer::Yes),
        (good(), bad(), Answer::Partial),
        (good(), nothing(), Answer::Partial),
        (bad(), bad(), Answer::No),
        (bad(), nothing(), Answer::No),
        (nothing(), nothing(), Answer::Unknown),
    ] {
        let found = judge(&two, &[vec![a, b]], NOW);
        assert_eq!(found.criteria[0].answer, wanted);
        assert_eq!(found.verdict == Verdict::Go, wanted == Answer::Yes, "partial is not enough");
    }
}

/// A value that rounds to its threshold is told in full.
#[test]
fn a_near_miss_is_not_rounded_away() {
    let one = gate(vec![criterion("all", vec![Asked { min_sample: None, ..asked("= 100 %") }])]);
    let found = judge(&one, &[vec![Reading::of("", 99.999_9, "")]], NOW);
    assert_eq!(found.blockers[0].says, "99.9999 %, asked = 100 %");
}

/// A gate of the six categories of the Lucky Gas report, each with one figure out of 100.
fn six() -> Gate {
    let figures = [
        ("infrastructure", 10.0, 40.0),
        ("security", 20.0, 45.0),
        ("testing", 30.0, 35.0),
        ("documentation", 10.0, 55.0),
        ("monitoring", 10.0, 30.0),
        ("data integrity", 20.0, 40.0),
    ];
    let mut six = gate(Vec::new());
    for (name, weight, baseline) in figures {
        six.categories.push(Category { name: name.into(), weight, baseline: Some(baseline) });
        let figure = Asked { min_sample: None, full: Some(100.0), ..asked(">= 80 %") };
        six.criteria.push(Criterion { category: Some(name.into()), ..criterion(name, vec![figure]) });
    }
    six
}

fn scored(values: [f64; 6]) -> Judgement {
    let readings: Vec<Vec<Reading>> = values.iter().map(|value| vec![Reading::of("", *value, "")]).collect();
    judge(&six(), &readings, NOW)
}

/// 65 of 100 and +25: exactly, under weights 10, 20, 30, 10, 10, 20 (C-13, LG-28, LG-29). Under equal weights they
/// would be 69.2 and 28.3.
#[test]
fn the_score_of_the_lucky_gas_report_is_reproduced() {
    let found = scored([70.0, 85.0, 45.0, 75.0, 80.0, 60.0]);
    let readiness = found.readiness.unwrap();
    assert_eq!((readiness.score, readiness.change), (65.0, Some(25.0)));
    let changes: Vec<Option<f64>> = readiness.categories.iter().map(|scored| scored.change).collect();
    assert_eq!(changes, [30.0, 40.0, 10.0, 20.0, 50.0, 20.0].map(Some));
    let status = color(found.verdict, false, Some(readiness.score), readiness.change);
    assert_eq!(status, Color::Yellow, "behind, on the way, no data at risk (LG-32)");
}

#[test]
fn what_is_unknown_adds_nothing_and_opens_an_interval() {
    let six = six();
    let mut readings: Vec<Vec<Reading>> = vec![vec![Reading::of("", 100.0, "")]; 6];
    readings[2] = vec![Reading::missing("", "tests never ran")];
    let readiness = judge(&six, &readings, NOW).readiness.unwrap();
    assert_eq!((readiness.score, readiness.at_most), (70.0, 100.0));
    assert_eq!((readiness.categories[2].score, readiness.categories[2].unknown), (0.0, 1));
    let mut later = readiness.clone();
    later.compare(&[("testing".to_owned(), 20.0)], NOW);
    assert_eq!(later.categories[2].change, Some(-20.0));
    assert_eq!(later.change, None, "a baseline without a category says nothing about the whole");
}

#[test]
fn the_shortest_path_is_what_is_required_and_then_the_fewest_others() {
    let mut six = six();
    six.least_score = Some(80.0);
    for criterion in &mut six.criteria {
        criterion.required = criterion.id == "security";
    }
    let readings: Vec<Vec<Reading>> =
        [70.0, 70.0, 45.0, 75.0, 79.0, 60.0].iter().map(|value| vec![Reading::of("", *value, "")]).collect();
    let found = judge(&six, &readings, NOW);
    // 61.9 now; security adds 6, testing 16.5: two things, and 84.4.
    let path: Vec<(&str, f64)> = found.path.iter().map(|step| (step.criterion.as_str(), step.adds)).collect();
    assert_eq!(path, [("security", 6.0), ("testing", 16.5)]);
    let mut readings = readings;
    readings[1] = vec![Reading::of("", 85.0, "")];
    let found = judge(&six, &readings, NOW);
    assert_eq!(found.verdict, Verdict::NoGo, "all required holds, the score is too low");
    assert!(found.blockers.is_empty() && !found.path.is_empty());
}

#[test]
fn colors() {
    for (verdict, at_risk, score, change, wanted) in [
        (Verdict::Go, false, None, None, Color::Green),
        (Verdict::Go, false, Some(91.0), Some(-1.0), Color::Green),
        (Verdict::NoGo, false, None, None, Color::Red),
        (Verdict::Unknown, false, None, None, Color::Yellow),
        (Verdict::Inconclusive, true, None, None, Color::Red),
        (Verdict::NoGo, false, Some(65.0), Some(25.0), Color::Yellow),
        (Verdict::NoGo, false, Some(65.0), None, Color::Yellow),
        (Verdict::NoGo, false, Some(65.0), Some(-5.0), Color::Red),
        (Verdict::NoGo, true, Some(65.0), Some(25.0), Color::Red),
        (Verdict::NoGo, false, Some(49.9), Some(25.0), Color::Red),
        (Verdict::NoGo, false, Some(50.0), Some(0.0), Color::Yellow),
    ] {
        assert_eq!(
            color(verdict, at_risk, score, change),
            wanted,
            "{verdict} {at_risk} {score:?} {change:?}"
        );
    }
}

#[test]
fn bounds_and_spans_are_read_and_written() {
    for text in ["< 5 s", "<= 10 %", "= 1", ">= 95 %", "> 85.5 %"] {
        assert_eq!(Bound::read(text).unwrap().to_string(), text);
    }
    for wrong in ["", "95", "about 3", ">= many", ">= NaN"] {
        assert!(Bound::read(wrong).is_err(), "{wrong}");
    }
    for text in ["250ms", "90s", "30m", "24h", "7d"] {
        let shown = Duration::read(text).unwrap().to_string();
        assert_eq!(Duration::read(&shown), Duration::read(text));
    }
    assert_eq!(Duration::read("48h").unwrap().ms, 172_800_000);
    for wrong in ["", "h", "5", "5 weeks", "-1h", "99999999999999999999d"] {
        assert!(Duration::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_is_wrong_in_a_declaration_is_told() {
    let mut wrong = gate(vec![
        criterion("a", vec![Asked { of_last: Some(2), ..asked("= 1") }]),
        Criterion { category: Some("none".into()), ..criterion("a", Vec::new()) },
    ]);
    wrong.categories.push(Category { name: "x".into(), weight: 0.0, baseline: None });
    let told = wrong.problems().join("\n");
    for part in [
        "weight is not above 0",
        "no criterion counts for it",
        "declared twice",
        "no evidence",
        "no category `none`",
        "come together",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(six().problems().is_empty(), "{:?}", six().problems());
}
