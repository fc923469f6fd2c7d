//! What is wrong, dead or overdue in flags, found before anybody gets them.
//!
//! Owns the findings on definitions alone. Errors refuse a change; warnings are told. It evaluates nothing and knows no
//! customer: "this rule matches none of yours" is a check over a list of keys, not an analysis.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::bucket::{Algorithm, BucketField};
use super::definition::{Constraint, Flag, Operator, Rule, Segment, State};
use super::percent::Percent;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The flag cannot mean what it says; it is refused.
    Error,
    /// It can be saved, and somebody should look at it.
    Warning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The part of the flag: `rollout`, `rule 2`, `variant blue`.
    pub place: String,
    /// What is wrong.
    pub what: String,
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Error, place: place.into(), what: what.into() });
    }

    fn warning(&mut self, place: impl Into<String>, what: impl Into<String>) {
        self.0.push(Finding { severity: Severity::Warning, place: place.into(), what: what.into() });
    }
}

/// Everything there is to say about a flag among the others, at a time given as `YYYY-MM-DDTHH:MM:SS.fffZ`.
pub fn analyze(
    flag: &Flag,
    others: &BTreeMap<String, Flag>,
    segments: &[Segment],
    now: &str,
) -> Vec<Finding> {
    let mut findings = Findings(Vec::new());
    names(flag, &mut findings);
    lists(flag, &mut findings);
    rollout(flag, now, &mut findings);
    rules(flag, segments, now, &mut findings);
    variants(flag, &mut findings);
    prerequisites(flag, others, &mut findings);
    if flag.expires_at.as_deref().is_some_and(|at| at <= now) {
        let at = flag.expires_at.as_deref().unwrap_or_default();
        findings.warning(
            "expiry",
            format!("it was to be gone by {at}; take it out of the code, or move the date"),
        );
    }
    let mut seen = BTreeSet::new();
    for trigger in &flag.triggers {
        if !seen.insert(&trigger.name) {
            findings.error("trigger", format!("there are two triggers `{}`", trigger.name));
        }
    }
    findings.0
}

/// Text that can stand in the evaluator's quoted names.
fn quotable(text: &str) -> bool {
    !text.contains(['"', '\\']) && !text.chars().any(char::is_control)
}

fn names(flag: &Flag, findings: &mut Findings) {
    if flag.name.trim().is_empty() || flag.name.trim() != flag.name || flag.name.chars().any(char::is_control)
    {
        findings.error("name", "a name is not empty, has no control characters and no space at its ends");
    }
    if flag.name.chars().count() > 200 {
        findings.error("name", "a name has at most 200 characters");
    }
    for (place, text) in [("salt", &flag.salt), ("key", &flag.key)] {
        if text.is_empty() || !quotable(text) {
            findings.error(
                place,
                format!("`{text}` is empty or has a quote, a backslash or a control character"),
            );
        }
    }
}

fn lists(flag: &Flag, findings: &mut Findings) {
    for key in flag.allow.keys().filter(|key| flag.deny.contains(*key)) {
        findings.warning("allow", format!("`{key}` is denied too, and deny wins"));
    }
    for key in flag.allow.keys().chain(&flag.deny).filter(|key| key.is_empty() || !quotable(key)) {
        findings.error(
            "lists",
            format!("the key `{key}` is empty or has a quote, a backslash or a control character"),
        );
    }
    for (key, variant) in &flag.allow {
        if let Some(variant) = variant
            && flag.variant(variant).is_none()
        {
            findings.error("allow", format!("`{key}` is to get the variant `{variant}`, which there is not"));
        }
    }
}

fn rollout(flag: &Flag, now: &str, findings: &mut Findings) {
    let Some(rollout) = &flag.rollout else { return };
    if rollout.salt.is_empty() || !quotable(&rollout.salt) {
        findings.error("rollout", "the salt is empty or has a quote, a backslash or a control character");
    }
    let percents = rollout.stages.iter().map(|stage| stage.percent).chain([rollout.percent]);
    if let Some(percent) = percents.into_iter().find(|percent| !rollout.algorithm.supports(*percent)) {
        let algorithm = rollout.algorithm;
        findings.error(
            "rollout",
            format!("{algorithm} knows whole percent only, not {percent}; plimsoll-1 knows hundredths"),
        );
    }
    if !rollout.stages.windows(2).all(|pair| pair[0].at < pair[1].at) {
        findings.error("schedule", "stages are in the order of their dates, and no two have the same");
    }
    let shrinks = rollout.stages.iter().scan(rollout.percent, |last, stage| {
        let smaller = stage.percent < *last;
        *last = stage.percent;
        Some(smaller)
    });
    if shrinks.into_iter().any(|smaller| smaller) {
        findings.warning("schedule", "a later stage is smaller: members will leave at its date");
    }
    let everybody = rollout.percent_at(now) == Percent::EVERYBODY
        && rollout.constraints.is_empty()
        && rollout.segments.is_empty();
    if flag.state == State::On && everybody && flag.variants.is_empty() && flag.deny.is_empty() {
        findings.warning("rollout", "everybody gets it: it can be taken out of the code");
    }
    if flag.state == State::On && !flag.is_live() {
        findings.warning("rollout", "it is on, and nobody gets it: 0 %, nobody allowed, no rule");
    }
    if rollout.algorithm == Algorithm::Quota1
        && !(rollout.constraints.is_empty() && rollout.segments.is_empty())
    {
        findings
            .warning("rollout", "the quota counts all known keys, not only those that keep the constraints");
    }
    constraints("rollout", &rollout.constraints, now, findings);
}

fn rules(flag: &Flag, segments: &[Segment], now: &str, findings: &mut Findings) {
    let known: BTreeSet<i32> = segments.iter().map(|segment| segment.number).collect();
    let named = flag.rules.iter().enumerate().map(|(at, rule)| (format!("rule {}", at + 1), rule));
    for (place, rule) in named.clone() {
        constraints(&place, &rule.constraints, now, findings);
        for number in rule.segments.iter().filter(|number| !known.contains(number)) {
            findings.error(&place, format!("there is no segment {number}"));
        }
        for (name, text) in &rule.parameters {
            if ["groupId", "stickiness"].contains(&name.as_str()) && !quotable(text) {
                findings.error(
                    &place,
                    format!("{name} `{text}` has a quote, a backslash or a control character"),
                );
            }
        }
    }
    let rollout_segments = flag.rollout.iter().flat_map(|rollout| &rollout.segments);
    for number in rollout_segments.filter(|number| !known.contains(number)) {
        findings.error("rollout", format!("there is no segment {number}"));
    }
    let always =
        |rule: &Rule| rule.strategy == "default" && rule.constraints.is_empty() && rule.segments.is_empty();
    if let Some(first) = flag.rules.iter().position(always)
        && first + 1 < flag.rules.len()
    {
        findings.warning(
            format!("rule {}", first + 2),
            format!("it is never reached: rule {} matches everybody", first + 1),
        );
    }
    for (at, rule) in flag.rules.iter().enumerate() {
        if flag.rules[..at].contains(rule) {
            findings.warning(format!("rule {}", at + 1), "an earlier rule is the same");
        }
    }
}

fn constraints(place: &str, constraints: &[Constraint], now: &str, findings: &mut Findings) {
    for constraint in constraints {
        value(place, constraint, findings);
        if constraint.operator == Operator::DateBefore
            && constraint.field == "currentTime"
            && !constraint.inverted
            && constraint.value.as_deref().is_some_and(|at| at <= now)
        {
            findings
                .warning(place, format!("it ended at {}", constraint.value.as_deref().unwrap_or_default()));
        }
    }
    contradictions(place, constraints, findings);
}

fn value(place: &str, constraint: &Constraint, findings: &mut Findings) {
    let field = &constraint.field;
    if field.is_empty() || (!quotable(field) && BucketField::parse(field).is_none()) {
        findings.error(
            place,
            format!("the field `{field}` is empty or has a quote, a backslash or a control character"),
        );
    }
    let text = constraint.value.as_deref().unwrap_or_default();
    match &constraint.operator {
        Operator::Unknown(word) => findings.error(place, format!("there is no operator `{word}`")),
        Operator::In
        | Operator::NotIn
        | Operator::StrStartsWith
        | Operator::StrEndsWith
        | Operator::StrContains
        | Operator::InCidr => {
            if constraint.values.is_empty() {
                findings.warning(place, format!("`{field}` is compared with an empty list"));
            }
            if let Some(bad) = constraint.values.iter().find(|value| value.ends_with('\\')) {
                findings.error(place, format!("the value `{bad}` ends with a backslash"));
            }
        }
        Operator::NumEq | Operator::NumGt | Operator::NumGte | Operator::NumLt | Operator::NumLte => {
            if text.parse::<f64>().is_ok_and(f64::is_finite) {
                return;
            }
            findings.error(place, format!("`{text}` is compared with `{field}` as a number and is none"));
        }
        Operator::DateAfter | Operator::DateBefore => {
            if text.parse::<jiff::Timestamp>().is_err() {
                findings.error(place, format!("`{text}` is compared with `{field}` as a date and is none"));
            }
        }
        Operator::SemverEq
        | Operator::SemverGt
        | Operator::SemverGte
        | Operator::SemverLt
        | Operator::SemverLte => {
            let core = text.split(['-', '+']).next().unwrap_or_default();
            let parts: Vec<&str> = core.split('.').collect();
            if parts.len() != 3 || parts.iter().any(|part| part.parse::<u64>().is_err()) {
                findings
                    .error(place, format!("`{text}` is compared with `{field}` as a version and is none"));
            }
        }
        Operator::Regex => {
            if text.is_empty() {
                findings.warning(place, format!("`{field}` is matched against an empty pattern"));
            }
        }
    }
}

/// Constraints on one field that no value can keep together.
fn contradictions(place: &str, constraints: &[Constraint], findings: &mut Findings) {
    let mut fields: BTreeMap<&str, Vec<&Constraint>> = BTreeMap::new();
    for constraint in constraints {
        fields.entry(&constraint.field).or_default().push(constraint);
    }
    for (field, together) in fields {
        let mut allowed: Option<BTreeSet<&str>> = None;
        let mut refused: BTreeSet<&str> = BTreeSet::new();
        let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
        for constraint in together {
            let values = constraint.values.iter().map(String::as_str);
            let number = constraint.value.as_deref().and_then(|text| text.parse::<f64>().ok());
            match (&constraint.operator, constraint.inverted, number) {
                (Operator::In, false, _) | (Operator::NotIn, true, _) => {
                    let these: BTreeSet<&str> = values.collect();
                    allowed = Some(
                        allowed.map_or(these.clone(), |all| all.intersection(&these).copied().collect()),
                    );
                }
                (Operator::NotIn, false, _) | (Operator::In, true, _) => refused.extend(values),
                (Operator::NumGt | Operator::NumGte, false, Some(number)) => low = low.max(number),
                (Operator::NumLt | Operator::NumLte, false, Some(number)) => high = high.min(number),
                (Operator::NumEq, false, Some(number)) => {
                    low = low.max(number);
                    high = high.min(number);
                }
                _ => {}
            }
        }
        let none_left = allowed.is_some_and(|all| all.iter().all(|value| refused.contains(value)));
        if none_left || low > high {
            findings.warning(place, format!("it never matches: no `{field}` keeps all of its constraints"));
        }
    }
}

fn variants(flag: &Flag, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    for variant in &flag.variants {
        if !seen.insert(&variant.name) {
            findings.error(format!("variant {}", variant.name), "there are two of this name");
        }
        if variant.weight < 0 {
            findings.error(format!("variant {}", variant.name), "its weight is negative");
        }
        let fixed = flag.allow.values().any(|name| name.as_ref() == Some(&variant.name))
            || flag.default_variant.as_ref() == Some(&variant.name)
            || flag.rules.iter().any(|rule| rule.variants.iter().any(|other| other.name == variant.name))
            || !variant.overrides.is_empty();
        if variant.weight == 0 && !fixed {
            findings.warning(format!("variant {}", variant.name), "nobody can get it: its weight is 0");
        }
    }
    if let Some(name) = &flag.default_variant
        && flag.variant(name).is_none()
    {
        findings.error("default variant", format!("there is no variant `{name}`"));
    }
}

fn prerequisites(flag: &Flag, others: &BTreeMap<String, Flag>, findings: &mut Findings) {
    for required in &flag.requires {
        let place = &format!("prerequisite {}", required.flag);
        if required.flag == flag.name {
            findings.error(place, "a flag cannot require itself");
            continue;
        }
        let Some(other) = others.get(&required.flag) else {
            findings.error(place, "there is no such flag: nobody would get this one");
            continue;
        };
        if !other.requires.is_empty() {
            findings
                .error(place, "it has prerequisites itself; a prerequisite has none (the rule of Unleash)");
        }
        if let Some(name) = required.variants.iter().find(|name| other.variant(name).is_none()) {
            findings.warning(place, format!("it has no variant `{name}`"));
        }
    }
    if !flag.requires.is_empty()
        && let Some(child) =
            others.values().find(|other| other.requires.iter().any(|required| required.flag == flag.name))
    {
        findings.error(
            "prerequisites",
            format!("`{}` requires this flag, so it may require none itself", child.name),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flag::{Prerequisite, Rollout, Stage, Variant};

    const NOW: &str = "2026-11-28T12:00:00.000Z";

    fn good() -> Flag {
        let mut flag = Flag { state: State::On, ..Flag::new("pilot") };
        flag.rollout = Some(Rollout {
            percent: Percent::whole(10),
            algorithm: Algorithm::Unleash1,
            salt: "pilot".into(),
            stages: Vec::new(),
            constraints: Vec::new(),
            segments: Vec::new(),
        });
        flag
    }

    fn found(flag: &Flag) -> String {
        let others = BTreeMap::from([
            ("parent".to_owned(), Flag::new("parent")),
            ("child".to_owned(), Flag { requires: vec![needs("parent")], ..Flag::new("child") }),
        ]);
        let findings = analyze(flag, &others, &[], NOW);
        findings.iter().map(|f| format!("{:?} {}: {}\n", f.severity, f.place, f.what)).collect()
    }

    fn needs(flag: &str) -> Prerequisite {
        Prerequisite { flag: flag.into(), on: true, variants: Vec::new() }
    }

    /// Each fault planted once; a good flag has no finding.
    #[test]
    fn every_planted_fault_is_named() {
        assert_eq!(found(&good()), "");
        let constraint = |operator, value: &str| Constraint::than("age", operator, value);
        let one_of = |field: &str, value: &str| Constraint::one_of(field, vec![value.into()]);
        type Plant = Box<dyn Fn(&mut Flag)>;
        let plants: Vec<(&str, Plant)> = vec![
            ("Error name", Box::new(|f| f.name = " x".into())),
            ("Error salt", Box::new(|f| f.salt = "a\"b".into())),
            (
                "deny wins",
                Box::new(|f| {
                    f.deny.insert("1".into());
                    f.allow.insert("1".into(), None);
                }),
            ),
            (
                "the variant `x`",
                Box::new(|f| {
                    f.allow.insert("1".into(), Some("x".into()));
                }),
            ),
            (
                "whole percent only",
                Box::new(|f| f.rollout.as_mut().unwrap().percent = Percent::from_hundredths(50)),
            ),
            (
                "order of their dates",
                Box::new(|f| {
                    f.rollout.as_mut().unwrap().stages = vec![
                        Stage { at: "2027-01-02T00:00:00.000Z".into(), percent: Percent::whole(20) },
                        Stage { at: "2027-01-01T00:00:00.000Z".into(), percent: Percent::whole(30) },
                    ];
                }),
            ),
            (
                "members will leave",
                Box::new(|f| {
                    f.rollout.as_mut().unwrap().stages =
                        vec![Stage { at: "2027-01-02T00:00:00.000Z".into(), percent: Percent::whole(5) }];
                }),
            ),
            ("taken out of the code", Box::new(|f| f.rollout.as_mut().unwrap().percent = Percent::EVERYBODY)),
            ("nobody gets it", Box::new(|f| f.rollout.as_mut().unwrap().percent = Percent::NOBODY)),
            (
                "no segment 7",
                Box::new(|f| f.rules = vec![Rule { segments: vec![7], ..Rule::of(Vec::new()) }]),
            ),
            (
                "never reached",
                Box::new(move |f| f.rules = vec![Rule::of(Vec::new()), Rule::of(vec![one_of("a", "b")])]),
            ),
            (
                "an earlier rule is the same",
                Box::new(move |f| f.rules = vec![Rule::of(vec![one_of("a", "b")]); 2]),
            ),
            (
                "as a number",
                Box::new(move |f| f.rules = vec![Rule::of(vec![constraint(Operator::NumGt, "5 or true")])]),
            ),
            (
                "as a date",
                Box::new(move |f| f.rules = vec![Rule::of(vec![constraint(Operator::DateAfter, "soon")])]),
            ),
            (
                "as a version",
                Box::new(move |f| f.rules = vec![Rule::of(vec![constraint(Operator::SemverEq, "1.2")])]),
            ),
            (
                "no operator",
                Box::new(move |f| {
                    f.rules = vec![Rule::of(vec![constraint(Operator::Unknown("X".into()), "")])];
                }),
            ),
            (
                "never matches",
                Box::new(move |f| f.rules = vec![Rule::of(vec![one_of("a", "b"), one_of("a", "c")])]),
            ),
            (
                "never matches",
                Box::new(move |f| {
                    f.rules = vec![Rule::of(vec![
                        constraint(Operator::NumGt, "5"),
                        constraint(Operator::NumLt, "3"),
                    ])];
                }),
            ),
            (
                "it ended at",
                Box::new(|f| {
                    f.rules = vec![Rule::of(vec![Constraint::than(
                        "currentTime",
                        Operator::DateBefore,
                        "2026-01-01T00:00:00.000Z",
                    )])];
                }),
            ),
            (
                "two of this name",
                Box::new(|f| {
                    f.variants = vec![Variant { name: "a".into(), weight: 1, ..Variant::default() }; 2];
                }),
            ),
            (
                "weight is 0",
                Box::new(|f| f.variants = vec![Variant { name: "a".into(), ..Variant::default() }]),
            ),
            ("no variant `x`", Box::new(|f| f.default_variant = Some("x".into()))),
            ("require itself", Box::new(|f| f.requires = vec![needs("pilot")])),
            ("no such flag", Box::new(|f| f.requires = vec![needs("nobody")])),
            ("has prerequisites itself", Box::new(|f| f.requires = vec![needs("child")])),
            ("was to be gone", Box::new(|f| f.expires_at = Some("2026-11-01T00:00:00.000Z".into()))),
        ];
        for (wanted, plant) in plants {
            let mut flag = good();
            plant(&mut flag);
            assert!(found(&flag).contains(wanted), "{wanted}: {}", found(&flag));
        }
    }

    #[test]
    fn a_prerequisite_of_others_may_have_none() {
        let parent = Flag { requires: vec![needs("other")], ..Flag::new("parent") };
        assert!(found(&parent).contains("may require none"), "{}", found(&parent));
    }
}
