//! Readiness: a score out of 100 from evidence, by category, under weights that everybody can read.
//!
//! Owns the arithmetic: a category's score is the points of its evidence that holds, of all its points; the score is
//! the weighted mean of the categories. The weights of a gate are in its file.
//!
//! Invariants: what is not known adds nothing, so the score is a lower bound; [`Readiness::at_most`] is what it would
//! be if everything unknown turned out well. Changing a weight changes no category's score.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::declare::{Asked, Category, Criterion, Gate};
use super::judge::{JudgedEvidence, Standing, Verdict};

/// The color of a state (LG-32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Color {
    /// GO.
    Green,
    /// Not there, and on the way.
    Yellow,
    /// Data at risk, far away, or going back.
    Red,
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Green => "GREEN",
            Self::Yellow => "YELLOW",
            Self::Red => "RED",
        })
    }
}

/// Below this score a state is red.
pub const RED_BELOW: f64 = 50.0;

/// The color of a verdict.
///
/// Green is GO. Red is: a criterion that guards data is not met; or a score below [`RED_BELOW`], or below its baseline;
/// without a score, NO-GO. Everything else is yellow.
pub fn color(verdict: Verdict, data_at_risk: bool, score: Option<f64>, change: Option<f64>) -> Color {
    if verdict == Verdict::Go {
        return Color::Green;
    }
    let red = match score {
        Some(score) => score < RED_BELOW || change.is_some_and(|change| change < 0.0),
        None => verdict == Verdict::NoGo,
    };
    if data_at_risk || red { Color::Red } else { Color::Yellow }
}

/// A category with its score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// The category.
    pub name: String,
    /// Its weight in percent of all weights.
    pub weight_percent: f64,
    /// Its score, 0 to 100.
    pub score: f64,
    /// What it would be if everything unknown turned out well.
    pub at_most: f64,
    /// Pieces of evidence of which nothing is known.
    pub unknown: u64,
    /// By how much it changed since the baseline, where there is one.
    pub change: Option<f64>,
}

/// The readiness score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// 0 to 100.
    pub score: f64,
    /// What it would be if everything unknown turned out well.
    pub at_most: f64,
    /// By how much it changed since the baseline, where there is one.
    pub change: Option<f64>,
    /// When the baseline was set; empty for one that the gate's file states.
    pub baseline_at: Option<String>,
    /// The categories.
    pub categories: Vec<Scored>,
}

impl Readiness {
    /// Compares with scores by category, in place of the file's baseline. A category that the baseline does not know
    /// leaves the whole without a change.
    pub fn compare(&mut self, baseline: &[(String, f64)], at: &str) {
        let mut before = Some(0.0);
        for scored in &mut self.categories {
            let found = baseline.iter().find(|(name, _)| *name == scored.name).map(|(_, score)| *score);
            scored.change = found.map(|found| tidy(scored.score - found));
            before = before.zip(found).map(|(sum, found)| sum + found * scored.weight_percent / 100.0);
        }
        self.change = before.map(|before| tidy(self.score - before));
        self.baseline_at = Some(at.to_owned());
    }
}

/// The score of a gate whose evidence stands as found.
pub fn readiness(gate: &Gate, found: &[Vec<JudgedEvidence>]) -> Readiness {
    let total: f64 = gate.categories.iter().map(|category| category.weight).sum();
    let categories: Vec<Scored> = gate
        .categories
        .iter()
        .map(|category| {
            let (mut earned, mut open, mut all, mut unknown) = (0.0, 0.0, 0.0, 0);
            for (criterion, found) in gate.criteria.iter().zip(found) {
                if criterion.category.as_ref() != Some(&category.name) {
                    continue;
                }
                for (asked, found) in criterion.evidence.iter().zip(found) {
                    all += asked.points;
                    earned += asked.points * credit(asked, found);
                    if found.standing.is_unreadable() || found.standing == Standing::LowSample {
                        open += asked.points;
                        unknown += 1;
                    }
                }
            }
            let share = |points: f64| if all > 0.0 { tidy(points / all * 100.0) } else { 0.0 };
            let score = share(earned);
            Scored {
                name: category.name.clone(),
                weight_percent: tidy(category.weight / total * 100.0),
                score,
                at_most: share(earned + open),
                unknown,
                change: category.baseline.map(|baseline| tidy(score - baseline)),
            }
        })
        .collect();
    let weighted = |value: fn(&Scored) -> f64| weighted_mean(&gate.categories, &categories, value);
    let change = categories
        .iter()
        .all(|scored| scored.change.is_some())
        .then(|| weighted(|scored| scored.change.unwrap_or_default()));
    Readiness {
        score: weighted(|scored| scored.score),
        at_most: weighted(|scored| scored.at_most),
        change,
        baseline_at: change.map(|_| String::new()),
        categories,
    }
}

fn weighted_mean(categories: &[Category], scored: &[Scored], value: fn(&Scored) -> f64) -> f64 {
    let total: f64 = categories.iter().map(|category| category.weight).sum();
    let sum: f64 =
        categories.iter().zip(scored).map(|(category, scored)| category.weight * value(scored)).sum();
    tidy(sum / total)
}

/// Which part of its points a piece of evidence earns, 0 to 1.
fn credit(asked: &Asked, found: &JudgedEvidence) -> f64 {
    match (asked.full, found.standing, found.value) {
        (Some(full), Standing::Ok | Standing::Breach, Some(value)) => (value / full).clamp(0.0, 1.0),
        (_, Standing::Ok, _) => 1.0,
        _ => 0.0,
    }
}

/// How many points of the whole score a piece of evidence would add if it held.
pub(super) fn would_add(gate: &Gate, criterion: &Criterion, asked: &Asked, found: &JudgedEvidence) -> f64 {
    let Some(category) =
        gate.categories.iter().find(|category| criterion.category.as_ref() == Some(&category.name))
    else {
        return 0.0;
    };
    let total: f64 = gate.categories.iter().map(|category| category.weight).sum();
    let all: f64 = gate
        .criteria
        .iter()
        .filter(|other| other.category == criterion.category)
        .flat_map(|other| other.evidence.iter().map(|asked| asked.points))
        .sum();
    if all <= 0.0 || total <= 0.0 {
        return 0.0;
    }
    tidy(category.weight / total * asked.points / all * (1.0 - credit(asked, found)) * 100.0)
}

/// Without the last bits of binary fractions, so that 65 is 65.
fn tidy(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded == 0.0 { 0.0 } else { rounded }
}
