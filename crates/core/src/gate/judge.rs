//! Judging: from a gate and its readings to a verdict.
//!
//! Owns how each piece of evidence stands, what that makes of its criterion, the verdict on the gate, and the lines
//! that say what is in the way and how to get on.
//!
//! Invariants: the same gate, readings and time give the same judgement. Only [`Standing::Ok`] counts for GO.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::declare::{Asked, Criterion, Duration, Gate};
use super::reading::{Outcome, Reading};
use super::sample;
use super::score::{self, Readiness};
use crate::decision::with_unit;

/// How a piece of evidence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It keeps its rule, on enough sample, and is fresh.
    Ok,
    /// It breaks its rule.
    Breach,
    /// Its value is no finite number.
    NotANumber,
    /// It answered with nothing.
    Empty,
    /// It was never recorded.
    Missing,
    /// It did not answer in time.
    TimedOut,
    /// It rests on too little.
    LowSample,
    /// Asking failed.
    Error,
    /// It is too old.
    Expired,
}

impl Standing {
    /// Whether nothing at all is known from it.
    pub fn is_unreadable(self) -> bool {
        !matches!(self, Self::Ok | Self::Breach | Self::LowSample)
    }

    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Breach => "breach",
            Self::NotANumber => "not a number",
            Self::Empty => "empty",
            Self::Missing => "missing",
            Self::TimedOut => "timed out",
            Self::LowSample => "low sample",
            Self::Error => "error",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a criterion comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Answer {
    /// All its evidence holds.
    Yes,
    /// Some of it does.
    Partial,
    /// None of it does, and some says the opposite.
    No,
    /// None of it says anything.
    Unknown,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Yes => "YES",
            Self::Partial => "PARTIAL",
            Self::No => "NO",
            Self::Unknown => "UNKNOWN",
        })
    }
}

/// What the gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Everything required holds.
    #[serde(rename = "GO")]
    Go,
    /// Something required does not hold.
    #[serde(rename = "NO-GO")]
    NoGo,
    /// Nothing speaks against it, but something required rests on too little.
    #[serde(rename = "INCONCLUSIVE")]
    Inconclusive,
    /// Nothing speaks against it, but something required cannot be known.
    #[serde(rename = "UNKNOWN")]
    Unknown,
}

impl Verdict {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A piece of evidence with its reading and how it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgedEvidence {
    /// What was asked, so that it can be asked again.
    pub query: String,
    /// The value, when it is a number.
    pub value: Option<f64>,
    /// What the value must be.
    pub threshold: String,
    /// On how much it rests.
    pub sample: Option<u64>,
    /// On how much it must rest.
    pub least_sample: Option<u64>,
    /// How much is missing to that.
    pub missing_sample: Option<u64>,
    /// When the evidence came to be.
    pub at: Option<String>,
    /// From when on it no longer counts.
    pub expires_at: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// One line for a person: the value or what is wrong, and what was asked.
    pub says: String,
}

/// A criterion and what it comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its short name.
    pub id: String,
    /// What it asks.
    pub text: String,
    /// Whether the gate stays shut without it.
    pub required: bool,
    /// Whether data is at risk without it.
    pub guards_data: bool,
    /// What it comes to.
    pub answer: Answer,
    /// Its evidence.
    pub evidence: Vec<JudgedEvidence>,
}

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Blocker {
    /// The criterion.
    pub criterion: String,
    /// What must hold and does not.
    pub text: String,
    /// How the evidence stands.
    pub standing: Standing,
    /// The value or what is wrong, and what was asked.
    pub says: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// How many points of the score it would add; 0 without a score.
    pub adds: f64,
}

/// The verdict and everything that led to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The gate.
    pub gate: String,
    /// What it decides.
    pub title: String,
    /// When it was judged.
    pub at: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The criteria, in the order of the file.
    pub criteria: Vec<Judged>,
    /// What stands in the way of GO, in the order of the file.
    pub blockers: Vec<Blocker>,
    /// What does not hold and is not required.
    pub advisories: Vec<Blocker>,
    /// How much more sample is needed, one line each.
    pub missing_sample: Vec<String>,
    /// The fewest things to do to come to GO, those that add most to the score first.
    pub path: Vec<Blocker>,
    /// The readiness score, where the gate has categories.
    pub readiness: Option<Readiness>,
}

/// Judges a gate. `readings` are those of each criterion's evidence, in the order of the file; one that is left out is
/// missing. `now` is the time of the judgement.
pub fn judge(gate: &Gate, readings: &[Vec<Reading>], now: &str) -> Judgement {
    let missing = Reading::missing("", "it was not asked");
    let mut criteria = Vec::new();
    let mut standings = Vec::new();
    for (at, criterion) in gate.criteria.iter().enumerate() {
        let found: Vec<JudgedEvidence> = criterion
            .evidence
            .iter()
            .enumerate()
            .map(|(place, asked)| {
                let reading = readings.get(at).and_then(|of| of.get(place)).unwrap_or(&missing);
                judge_evidence(asked, reading, now)
            })
            .collect();
        standings.push(found.clone());
        criteria.push(Judged {
            id: criterion.id.clone(),
            text: criterion.text.clone(),
            required: criterion.required,
            guards_data: criterion.guards_data,
            answer: answer(&found),
            evidence: found,
        });
    }
    let readiness = (!gate.categories.is_empty()).then(|| score::readiness(gate, &standings));
    let in_the_way = |required: bool| -> Vec<Blocker> {
        let all = gate.criteria.iter().zip(&criteria);
        all.filter(|(criterion, _)| criterion.required == required)
            .flat_map(|(criterion, judged)| blockers_of(gate, criterion, judged))
            .collect()
    };
    let (blockers, advisories) = (in_the_way(true), in_the_way(false));
    let short_of = gate.least_score.zip(readiness.as_ref()).filter(|(least, found)| found.score < *least);
    let verdict = verdict(gate, &blockers, short_of.is_some());
    let missing_sample = criteria
        .iter()
        .flat_map(|judged| judged.evidence.iter().map(move |evidence| (&judged.id, evidence)))
        .filter(|(_, evidence)| evidence.standing == Standing::LowSample)
        .map(|(id, evidence)| format!("{id}: {}", evidence.says))
        .collect();
    let path = path(gate, &blockers, &advisories, readiness.as_ref());
    Judgement {
        gate: gate.gate.clone(),
        title: gate.title.clone(),
        at: now.to_owned(),
        verdict,
        criteria,
        blockers,
        advisories,
        missing_sample,
        path,
        readiness,
    }
}

fn verdict(gate: &Gate, blockers: &[Blocker], short_of_score: bool) -> Verdict {
    let any = |wanted: fn(Standing) -> bool| blockers.iter().any(|blocker| wanted(blocker.standing));
    let bound = gate.criteria.iter().any(|criterion| criterion.required && !criterion.evidence.is_empty());
    if any(|standing| standing == Standing::Breach) {
        Verdict::NoGo
    } else if any(Standing::is_unreadable) || !bound {
        Verdict::Unknown
    } else if any(|standing| standing == Standing::LowSample) {
        Verdict::Inconclusive
    } else if short_of_score || !blockers.is_empty() {
        Verdict::NoGo
    } else {
        Verdict::Go
    }
}

fn answer(evidence: &[JudgedEvidence]) -> Answer {
    let held = evidence.iter().filter(|found| found.standing == Standing::Ok).count();
    let denied = evidence.iter().any(|found| found.standing == Standing::Breach);
    if held == evidence.len() && held > 0 {
        Answer::Yes
    } else if held > 0 {
        Answer::Partial
    } else if denied {
        Answer::No
    } else {
        Answer::Unknown
    }
}

/// How one piece of evidence stands.
fn judge_evidence(asked: &Asked, reading: &Reading, now: &str) -> JudgedEvidence {
    let expires_at = expiry(asked, reading);
    let least_sample = asked.least_sample();
    let mut missing_sample = None;
    let value = match reading.outcome {
        Outcome::Value(value) if value.is_finite() => Some(value),
        _ => None,
    };
    let wanted = format!("asked {}", asked.rule);
    let (standing, says) = match &reading.outcome {
        Outcome::NotANumber => (Standing::NotANumber, format!("the value is not a number, {wanted}")),
        Outcome::Empty => (Standing::Empty, format!("nothing came back, {wanted}")),
        Outcome::Missing(what) => (Standing::Missing, what.clone()),
        Outcome::TimedOut(limit) => {
            (Standing::TimedOut, format!("no answer within {}, {wanted}", Duration { ms: *limit }))
        }
        Outcome::Error(why) => (Standing::Error, why.clone()),
        Outcome::Value(_) => match value {
            None => (Standing::NotANumber, format!("the value is not a number, {wanted}")),
            Some(value) => {
                let (standing, says, missing) = judge_value(asked, reading, value, expires_at.as_ref(), now);
                missing_sample = missing;
                (standing, says)
            }
        },
    };
    JudgedEvidence {
        query: if reading.query.is_empty() { asked.source.query() } else { reading.query.clone() },
        value,
        threshold: asked.rule.to_string(),
        sample: reading.sample,
        least_sample,
        missing_sample,
        at: reading.at.clone(),
        expires_at: expires_at.unwrap_or_default(),
        standing,
        says,
    }
}

fn judge_value(
    asked: &Asked,
    reading: &Reading,
    value: f64,
    expires_at: Result<&Option<String>, &String>,
    now: &str,
) -> (Standing, String, Option<u64>) {
    let expires_at = match expires_at {
        Ok(expires_at) => expires_at,
        Err(problem) => return (Standing::Error, problem.clone(), None),
    };
    // Times have one width, so they compare as texts.
    if let Some(expired) = expires_at.as_ref().filter(|expires_at| expires_at.as_str() <= now) {
        return (Standing::Expired, format!("it no longer counts since {expired}"), None);
    }
    if let Some(least) = asked.least_sample() {
        let missing = sample::missing(least, reading.sample);
        if missing > 0 {
            return (Standing::LowSample, low_sample(asked, reading, least, missing), Some(missing));
        }
    }
    let holds = asked.rule.comparison.holds(value, asked.rule.threshold);
    let unit = &asked.rule.unit;
    let mut shown = with_unit(value, unit);
    if !holds && shown == with_unit(asked.rule.threshold, unit) {
        // So close that rounding would hide the difference.
        shown = format!("{value} {unit}").trim_end().to_owned();
    }
    let basis = if reading.basis.is_empty() { String::new() } else { format!(" ({})", reading.basis) };
    let says = format!("{shown}, asked {}{basis}", asked.rule);
    if let (Some(last), Some(must_hold)) = (asked.of_last, asked.must_hold) {
        let seen = 1 + reading.earlier.len() as u64;
        let window = usize::try_from(last.saturating_sub(1)).unwrap_or(usize::MAX);
        let held =
            u64::from(holds) + reading.earlier.iter().take(window).filter(|held| **held).count() as u64;
        if seen < last && held < must_hold {
            let missing = last - seen;
            return (
                Standing::LowSample,
                format!("{missing} more evaluations needed: {says}"),
                Some(missing),
            );
        }
        let says = format!("held in {held} of the last {}, asked {must_hold}: {says}", seen.min(last));
        return (if held >= must_hold { Standing::Ok } else { Standing::Breach }, says, None);
    }
    (if holds { Standing::Ok } else { Standing::Breach }, says, None)
}

fn low_sample(asked: &Asked, reading: &Reading, least: u64, missing: u64) -> String {
    let what = asked.sample_of.as_deref().unwrap_or("in the sample");
    let found = reading.sample.map_or_else(|| "not counted".to_owned(), |sample| sample.to_string());
    let reason = match (asked.base_rate, asked.see_factor) {
        (Some(base), Some(factor)) if asked.needed_to_see() == Some(least) => {
            format!(" to see {factor} times a rate of {}", with_unit(base * 100.0, "%"))
        }
        _ => String::new(),
    };
    format!("{missing} more {what} needed{reason}: {found} of {least}")
}

/// The earlier of what the one who recorded it said and what the gate allows.
///
/// # Errors
/// When a time cannot be read: evidence of an unknown age is not fresh.
fn expiry(asked: &Asked, reading: &Reading) -> Result<Option<String>, String> {
    let readable = |text: &String| -> Result<Timestamp, String> {
        text.parse().map_err(|error| format!("its time `{text}` cannot be read: {error}"))
    };
    let stated = reading.expires_at.as_ref().map(readable).transpose()?;
    let by_age = match (asked.max_age, &reading.at) {
        (Some(age), Some(at)) => {
            let span = jiff::SignedDuration::from_millis(i64::try_from(age.ms).unwrap_or(i64::MAX));
            Some(readable(at)?.saturating_add(span).map_err(|error| error.to_string())?)
        }
        // Without a time it was measured in this evaluation.
        _ => None,
    };
    let first = match (stated, by_age) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    Ok(first.map(|time| format!("{time:.3}")))
}

fn blockers_of(gate: &Gate, criterion: &Criterion, judged: &Judged) -> Vec<Blocker> {
    criterion
        .evidence
        .iter()
        .zip(&judged.evidence)
        .filter(|(_, found)| found.standing != Standing::Ok)
        .map(|(asked, found)| Blocker {
            criterion: criterion.id.clone(),
            text: asked.text.clone().unwrap_or_else(|| criterion.text.clone()),
            standing: found.standing,
            says: found.says.clone(),
            hint: asked.hint.clone(),
            adds: score::would_add(gate, criterion, asked, found),
        })
        .collect()
}

/// Everything required, and where the score is still too low the fewest others that lift it.
fn path(
    gate: &Gate,
    blockers: &[Blocker],
    advisories: &[Blocker],
    readiness: Option<&Readiness>,
) -> Vec<Blocker> {
    let by_gain = |a: &Blocker, b: &Blocker| b.adds.total_cmp(&a.adds);
    let mut path = blockers.to_vec();
    path.sort_by(by_gain);
    if let (Some(least), Some(readiness)) = (gate.least_score, readiness) {
        let mut reached = readiness.score + path.iter().map(|blocker| blocker.adds).sum::<f64>();
        let mut others = advisories.to_vec();
        others.sort_by(by_gain);
        for other in others {
            if reached >= least - 1e-9 {
                break;
            }
            reached += other.adds;
            path.push(other);
        }
    }
    path
}
