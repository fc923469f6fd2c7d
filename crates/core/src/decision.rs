//! Decisions: whether to go on, from criteria and measured values.
//!
//! Owns what a criterion is, how a measured value is compared with it, and the verdict on all of them. It does
//! not measure anything and knows no criterion: a system declares its own.
//!
//! Invariants:
//! - A criterion without a measured value is [`Standing::Unknown`], never met, and blocks like one that is not
//!   met. No criterion is waived.
//! - [`Verdict::Proceed`] means that every criterion is met, and that there is at least one.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How a measured value must stand to the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Smaller than the threshold.
    Below,
    /// Not larger than the threshold.
    AtMost,
    /// Equal to the threshold; for counts and full shares.
    Exactly,
    /// Not smaller than the threshold.
    AtLeast,
    /// Larger than the threshold.
    Above,
}

impl Comparison {
    /// Whether `value` stands so to `threshold`.
    pub fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
            Self::Exactly => (value - threshold).abs() < f64::EPSILON,
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
        }
    }

    /// The sign used in tables.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Exactly => "=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }
}

/// One thing that must hold before a change is let loose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Criterion {
    /// Its short name, such as `F1`.
    pub id: &'static str,
    /// What it asks, for a person.
    pub text: &'static str,
    /// The name of the measured value that it looks at.
    pub measure: &'static str,
    /// How the value must stand to the threshold.
    pub comparison: Comparison,
    /// The threshold, in `unit`.
    pub threshold: f64,
    /// The unit of the value and the threshold, such as `ms` or `%`; empty for a count.
    pub unit: &'static str,
    /// True when data is at risk while it is not met: the verdict is then [`Verdict::Abort`].
    pub guards_data: bool,
}

/// What was measured, or why it was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value; `None` when there is none.
    pub value: Option<f64>,
    /// What it was computed from; without a value, what is missing.
    pub basis: String,
}

impl Measured {
    /// A value, and what it was computed from. A value that is no finite number is none.
    pub fn of(value: f64, basis: impl Into<String>) -> Self {
        let basis = basis.into();
        if value.is_finite() {
            Self { value: Some(value), basis }
        } else {
            Self { value: None, basis: format!("{basis}: the result is not a number") }
        }
    }

    /// No value, and what is missing.
    pub fn missing(what: impl Into<String>) -> Self {
        Self { value: None, basis: what.into() }
    }
}

/// Measured values by name.
pub type Measures = BTreeMap<String, Measured>;

/// How a criterion stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Measured, and as asked.
    Met,
    /// Measured, and not as asked.
    NotMet,
    /// Not measured.
    Unknown,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Unknown => "unknown",
        })
    }
}

/// A criterion with its value and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// The criterion.
    #[serde(flatten)]
    pub criterion: Criterion,
    /// Its measured value.
    pub value: Option<f64>,
    /// What the value was computed from, or what is missing.
    pub basis: String,
    /// How it stands.
    pub standing: Standing,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every criterion is met.
    Proceed,
    /// Something is not met or not known, but no data is at risk: mend it, or measure it, and try again.
    Iterate,
    /// A criterion that guards data is not met: stop and go back.
    Abort,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Proceed => "Proceed",
            Self::Iterate => "Iterate",
            Self::Abort => "Abort",
        })
    }
}

/// The verdict and everything that led to it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// What to do.
    pub verdict: Verdict,
    /// How many criteria are met.
    pub met: usize,
    /// How many are not.
    pub not_met: usize,
    /// How many are not known.
    pub unknown: usize,
    /// Every criterion, in the order in which it was declared.
    pub criteria: Vec<Judged>,
    /// One line for each criterion that stands in the way.
    pub blocking: Vec<String>,
}

/// Judges every criterion by its measured value.
pub fn decide(criteria: &[Criterion], measures: &Measures) -> Decision {
    let criteria: Vec<Judged> = criteria.iter().map(|criterion| judge(criterion, measures)).collect();
    let count = |standing| criteria.iter().filter(|judged| judged.standing == standing).count();
    let (met, not_met, unknown) = (count(Standing::Met), count(Standing::NotMet), count(Standing::Unknown));
    let at_risk =
        criteria.iter().any(|judged| judged.standing == Standing::NotMet && judged.criterion.guards_data);
    let mut blocking: Vec<String> = criteria.iter().filter_map(blocking_line).collect();
    if criteria.is_empty() {
        blocking.push("there is no criterion to decide by".to_owned());
    }
    let verdict = if at_risk {
        Verdict::Abort
    } else if blocking.is_empty() {
        Verdict::Proceed
    } else {
        Verdict::Iterate
    };
    Decision { verdict, met, not_met, unknown, criteria, blocking }
}

fn judge(criterion: &Criterion, measures: &Measures) -> Judged {
    let (value, basis) = match measures.get(criterion.measure) {
        // A value that is no number, for example out of a stored document, says nothing.
        Some(measured) => (measured.value.filter(|value| value.is_finite()), measured.basis.clone()),
        None => (None, format!("`{}` was not measured", criterion.measure)),
    };
    let standing = match value {
        Some(value) if criterion.comparison.holds(value, criterion.threshold) => Standing::Met,
        Some(_) => Standing::NotMet,
        None => Standing::Unknown,
    };
    Judged { criterion: *criterion, value, basis, standing }
}

fn blocking_line(judged: &Judged) -> Option<String> {
    let Criterion { id, text, comparison, threshold, unit, guards_data, .. } = &judged.criterion;
    let asked = format!("asked {} {}", comparison.sign(), with_unit(*threshold, unit));
    match (judged.standing, judged.value) {
        (Standing::Met, _) => None,
        (Standing::NotMet, Some(value)) => {
            let risk = if *guards_data { "; data is at risk" } else { "" };
            let mut shown = with_unit(value, unit);
            if shown == with_unit(*threshold, unit) {
                // So close that rounding would hide the difference.
                shown = format!("{value} {unit}");
            }
            Some(format!("{id} not met: {text}: {shown}, {asked}{risk}"))
        }
        _ => Some(format!("{id} unknown: {text}: {}, {asked}", judged.basis)),
    }
}

/// A value as a person reads it: at most three decimals, and its unit.
pub fn with_unit(value: f64, unit: &str) -> String {
    let digits = format!("{value:.3}");
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    // A small negative value is printed as zero, not as minus zero.
    let digits = if digits == "-0" { "0" } else { digits };
    if unit.is_empty() { digits.to_owned() } else { format!("{digits} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn criterion(id: &'static str, comparison: Comparison, threshold: f64, guards_data: bool) -> Criterion {
        Criterion { id, text: "a text", measure: id, comparison, threshold, unit: "%", guards_data }
    }

    fn measures(values: &[(&str, Option<f64>)]) -> Measures {
        let measured = |value: &Option<f64>| Measured { value: *value, basis: "a basis".into() };
        values.iter().map(|(name, value)| ((*name).to_owned(), measured(value))).collect()
    }

    #[test]
    fn each_comparison_at_its_threshold() {
        for (comparison, below, at, above) in [
            (Comparison::Below, true, false, false),
            (Comparison::AtMost, true, true, false),
            (Comparison::Exactly, false, true, false),
            (Comparison::AtLeast, false, true, true),
            (Comparison::Above, false, false, true),
        ] {
            for (value, expected) in [(94.9, below), (95.0, at), (95.1, above)] {
                assert_eq!(comparison.holds(value, 95.0), expected, "{value} {} 95", comparison.sign());
            }
            assert!(!comparison.holds(f64::NAN, 95.0), "what is no number meets nothing");
        }
    }

    /// The truth table: one criterion that guards data and one that does not, each met, not met, unknown.
    #[test]
    fn the_verdict_for_every_combination() {
        let criteria = [
            criterion("guard", Comparison::AtLeast, 95.0, true),
            criterion("plain", Comparison::AtLeast, 95.0, false),
        ];
        let (met, bad, unknown) = (Some(100.0), Some(66.7), None);
        for (guard, plain, verdict) in [
            (met, met, Verdict::Proceed),
            (met, bad, Verdict::Iterate),
            (met, unknown, Verdict::Iterate),
            (bad, met, Verdict::Abort),
            (bad, bad, Verdict::Abort),
            (bad, unknown, Verdict::Abort),
            (unknown, met, Verdict::Iterate),
            (unknown, bad, Verdict::Iterate),
            (unknown, unknown, Verdict::Iterate),
        ] {
            let decision = decide(&criteria, &measures(&[("guard", guard), ("plain", plain)]));
            assert_eq!(decision.verdict, verdict, "{guard:?} {plain:?}");
            let standing: Vec<bool> =
                decision.criteria.iter().map(|judged| judged.standing == Standing::Met).collect();
            assert_eq!(standing, [guard == met, plain == met]);
            let not_met = usize::from(guard != met) + usize::from(plain != met);
            assert_eq!(decision.blocking.len(), not_met, "every criterion in the way is named");
            assert_eq!((decision.met, decision.not_met + decision.unknown), (2 - not_met, not_met));
        }
    }

    #[test]
    fn what_was_not_measured_is_unknown_and_says_so() {
        let criteria = [criterion("R1", Comparison::AtLeast, 95.0, true)];
        let decision = decide(&criteria, &Measures::new());
        assert_eq!((decision.verdict, decision.unknown), (Verdict::Iterate, 1));
        assert!(decision.blocking[0].contains("`R1` was not measured"), "{:?}", decision.blocking);
        let stored = Measured { value: Some(f64::INFINITY), basis: String::new() };
        let decision = decide(&criteria, &Measures::from([("R1".to_owned(), stored)]));
        assert_eq!(decision.criteria[0].standing, Standing::Unknown, "infinity is no measured value");
        assert_eq!(Measured::of(f64::NAN, "0 of 0").value, None);
    }

    #[test]
    fn a_value_just_short_of_the_threshold_is_not_rounded_to_it() {
        let criteria = [criterion("R3", Comparison::Exactly, 100.0, true)];
        let decision = decide(&criteria, &measures(&[("R3", Some(99.999_9))]));
        assert!(decision.blocking[0].contains("99.9999 %, asked = 100 %"), "{:?}", decision.blocking);
    }

    #[test]
    fn without_criteria_nothing_proceeds() {
        assert_eq!(decide(&[], &Measures::new()).verdict, Verdict::Iterate);
    }

    /// The earlier system passed its gate with R1 at 66.7 % of the batches and P1 and P4 "N/A".
    #[test]
    fn the_figures_of_the_earlier_system_never_proceed() {
        let criteria = [
            criterion("P1", Comparison::Below, 5.0, false),
            criterion("P2", Comparison::Below, 50.0, false),
            criterion("P4", Comparison::Below, 100.0, false),
            criterion("R1", Comparison::AtLeast, 95.0, true),
        ];
        let whole = measures(&[("P1", None), ("P2", Some(0.9)), ("P4", None), ("R1", Some(66.7))]);
        let decision = decide(&criteria, &whole);
        assert_eq!((decision.verdict, decision.met, decision.unknown), (Verdict::Abort, 1, 2));
        assert!(decision.blocking.iter().any(|line| line.contains("66.7 %, asked >= 95 %; data is at risk")));
        // Each of its three gaps alone is enough.
        for (name, value, verdict) in [
            ("P1", None, Verdict::Iterate),
            ("P4", None, Verdict::Iterate),
            ("R1", Some(66.7), Verdict::Abort),
        ] {
            let mut good =
                measures(&[("P1", Some(0.2)), ("P2", Some(0.9)), ("P4", Some(10.0)), ("R1", Some(100.0))]);
            assert_eq!(decide(&criteria, &good).verdict, Verdict::Proceed);
            good.extend(measures(&[(name, value)]));
            assert_eq!(decide(&criteria, &good).verdict, verdict, "{name}");
        }
    }

    #[test]
    fn values_read_well() {
        assert_eq!(with_unit(66.666_666, "%"), "66.667 %");
        assert_eq!(with_unit(100.0, "%"), "100 %");
        assert_eq!(with_unit(-0.000_1, "ms"), "0 ms");
        assert_eq!(with_unit(3.0, ""), "3");
    }
}
