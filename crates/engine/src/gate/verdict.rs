//! Verdicts: evaluating a gate, keeping what it rests on, judging it again, and baselines.
//!
//! Owns the stored form: the input (gate, readings, baseline, time) and the document (the judgement), both as JSON text.
//!
//! Invariants: a verdict and its event commit together; judging the stored input gives the stored document, byte for
//! byte - that is what [`replay`] proves.

use plimsoll_core::digest::Hashing;
use plimsoll_core::gate::{Gate, Judgement, Reading, judge};
use plimsoll_core::id::{Id, is_prefix};
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::evidence::Evidence;
use super::file::Sample;
use super::gather::{finish, gather};
use super::record::next_number;
use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::{Session, in_transaction};

/// Everything that a judgement depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Input {
    gate: Gate,
    readings: Vec<Vec<Reading>>,
    baseline: Option<Baseline>,
    at: String,
}

impl Input {
    fn judge(&self) -> Judgement {
        let mut judgement = judge(&self.gate, &self.readings, &self.at);
        if let (Some(readiness), Some(baseline)) = (judgement.readiness.as_mut(), &self.baseline) {
            readiness.compare(&baseline.scores, &baseline.at);
        }
        judgement
    }
}

/// A stored verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// Its id.
    pub id: Id,
    /// The gate.
    pub gate: String,
    /// When it was judged.
    pub at: String,
    /// Who asked.
    pub actor: String,
    /// The verdict's word.
    pub verdict: String,
    /// Gate, readings, baseline and time, as JSON text.
    #[serde(skip)]
    pub input: String,
    /// The judgement, as JSON text.
    #[serde(skip)]
    pub document: String,
    digest: String,
}

/// Scores by category to compare later ones with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The gate.
    pub gate: String,
    /// When they were counted.
    pub at: String,
    /// Who set it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The verdict that they come from.
    pub verdict: Id,
    /// The scores.
    pub scores: Vec<(String, f64)>,
}

/// Evaluates a gate on what evidence says now, and stores the verdict.
///
/// # Errors
/// When the control store fails. Evidence that cannot be read is part of the verdict.
pub fn evaluate(
    session: &mut Session,
    gate: &Gate,
    outside: &mut dyn Evidence,
) -> Result<(Id, Judgement), EngineError> {
    let at = session.clock.now();
    let readings = gather(session, gate, outside, &at)?;
    let baseline = baselines(session, &gate.gate)?.into_iter().next();
    let input = Input { gate: gate.clone(), readings, baseline, at };
    let judgement = input.judge();
    let id = store(session, &input, &judgement)?;
    Ok((id, judgement))
}

/// Judges a gate on figures that somebody states. Nothing is stored: a claim is no evidence.
///
/// # Errors
/// Usage when the figures are of another gate.
pub fn rehearse(gate: &Gate, sample: &Sample, now: &str) -> Result<Judgement, EngineError> {
    if sample.sample_of != gate.gate {
        return Err(EngineError::usage(format!(
            "these figures are of the gate `{}`, not of `{}`",
            sample.sample_of, gate.gate
        )));
    }
    let readings = gate.criteria.iter().map(|criterion| {
        let all = criterion.evidence.iter().enumerate();
        all.map(|(place, asked)| {
            let reading = sample.reading(&asked.source.query());
            finish(asked, reading, &[], (&criterion.id, place), now)
        })
        .collect()
    });
    let readings: Vec<Vec<Reading>> = readings.collect();
    Ok(judge(gate, &readings, now))
}

fn store(session: &mut Session, input: &Input, judgement: &Judgement) -> Result<Id, EngineError> {
    let (id, input_text, document) =
        (new_id(), serde_json::to_string(input)?, serde_json::to_string(judgement)?);
    let digest = digest(&input_text, &document);
    in_transaction(session, |session| {
        let detail = json!({
            "id": id, "verdict": judgement.verdict, "digest": digest,
            "blockers": judgement.blockers.iter().map(|blocker| &blocker.text).collect::<Vec<_>>(),
        });
        event::record(session, "gate.evaluated", &input.gate.gate, "", &detail)?;
        let number = next_number(session.store.as_mut(), "plimsoll_gate_verdict")?;
        let row = vec![
            Value::text(id.as_str()),
            Value::Integer(number),
            Value::text(&input.gate.gate),
            Value::text(&input.at),
            Value::text(&session.actor),
            Value::text(judgement.verdict.as_str()),
            Value::text(&input_text),
            Value::text(&document),
            Value::text(&digest),
        ];
        let columns = ["id", "number", "gate", "at", "actor", "verdict", "input", "document", "digest"];
        session.store.append("plimsoll_gate_verdict", &columns, &[row])?;
        Ok(())
    })?;
    Ok(id)
}

fn digest(input: &str, document: &str) -> String {
    let mut hashing = Hashing::new("gate verdict");
    hashing.part(input.as_bytes()).part(document.as_bytes());
    hashing.hex()
}

const COLUMNS: &str = "id, gate, at, actor, verdict, input, document, digest";

fn read(cells: &Cells) -> Result<Stored, EngineError> {
    Ok(Stored {
        id: Id(cells.text(0)?),
        gate: cells.text(1)?,
        at: cells.text(2)?,
        actor: cells.text(3)?,
        verdict: cells.text(4)?,
        input: cells.text(5)?,
        document: cells.text(6)?,
        digest: cells.text(7)?,
    })
}

/// The verdicts of a gate, newest first.
///
/// # Errors
/// When the store fails.
pub fn history(session: &mut Session, gate: &str, limit: u64) -> Result<Vec<Stored>, EngineError> {
    let sql =
        format!("SELECT {COLUMNS} FROM plimsoll_gate_verdict WHERE gate = $1 ORDER BY number DESC LIMIT $2");
    let limit = Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = session.store.query(&sql, &[Value::text(gate), limit])?;
    rows.into_iter().map(|row| read(&Cells(row))).collect()
}

/// The last verdict of a gate.
///
/// # Errors
/// When the store fails.
pub fn last(session: &mut Session, gate: &str) -> Result<Option<Stored>, EngineError> {
    Ok(history(session, gate, 1)?.pop())
}

pub(super) fn latest_judgements(
    session: &mut Session,
    gate: &str,
    limit: u64,
) -> Result<Vec<Judgement>, EngineError> {
    let stored = history(session, gate, limit)?;
    stored.iter().map(|stored| Ok(serde_json::from_str(&stored.document)?)).collect()
}

/// The verdict whose id begins with `prefix`.
///
/// # Errors
/// Usage when there is none, or more than one.
pub fn find(session: &mut Session, prefix: &str) -> Result<Stored, EngineError> {
    if !is_prefix(prefix) {
        return Err(EngineError::usage(format!(
            "`{prefix}` is no id\nhint: `plimsoll gate history NAME` lists ids"
        )));
    }
    let sql =
        format!("SELECT {COLUMNS} FROM plimsoll_gate_verdict WHERE id LIKE $1 ORDER BY number DESC LIMIT 2");
    let mut rows = session.store.query(&sql, &[Value::text(format!("{prefix}%"))])?;
    match (rows.pop(), rows.is_empty()) {
        (Some(row), true) => read(&Cells(row)),
        (None, _) => Err(EngineError::usage(format!(
            "no verdict has the id `{prefix}`\nhint: `plimsoll gate history NAME` lists ids"
        ))),
        _ => Err(EngineError::usage(format!(
            "`{prefix}` names more than one verdict\nhint: give more of the id"
        ))),
    }
}

/// Judges a stored verdict again from its stored readings. Returns the judgement when it is the same to the byte.
///
/// # Errors
/// Integrity when what is stored was changed, or this program would judge otherwise.
pub fn replay(stored: &Stored) -> Result<Judgement, EngineError> {
    if digest(&stored.input, &stored.document) != stored.digest {
        return Err(EngineError::integrity(format!(
            "the verdict {} was changed after it was written",
            stored.id
        )));
    }
    let input: Input = serde_json::from_str(&stored.input)?;
    let judgement = input.judge();
    let document = serde_json::to_string(&judgement)?;
    if document == stored.document {
        return Ok(judgement);
    }
    let place = document.bytes().zip(stored.document.bytes()).position(|(a, b)| a != b);
    let place = place.unwrap_or(document.len().min(stored.document.len()));
    Err(EngineError::integrity(format!(
        "judged again the verdict {} is {} and was {}; the documents differ from byte {place} on\nhint: it was judged by another version of plimsoll",
        stored.id, judgement.verdict, stored.verdict
    )))
}

/// Keeps the scores of the last verdict as the baseline.
///
/// # Errors
/// Usage when the gate was never evaluated or has no score.
pub fn set_baseline(session: &mut Session, gate: &str, reason: &str) -> Result<Baseline, EngineError> {
    let Some(stored) = last(session, gate)? else {
        return Err(EngineError::usage(format!(
            "the gate `{gate}` was never evaluated\nhint: plimsoll gate evaluate {gate}"
        )));
    };
    let judgement: Judgement = serde_json::from_str(&stored.document)?;
    let Some(readiness) = judgement.readiness else {
        return Err(EngineError::usage(format!("the gate `{gate}` has no score: it declares no categories")));
    };
    let scores = readiness.categories.into_iter().map(|scored| (scored.name, scored.score)).collect();
    let baseline = Baseline {
        gate: gate.to_owned(),
        at: judgement.at,
        actor: session.actor.clone(),
        reason: reason.to_owned(),
        verdict: stored.id,
        scores,
    };
    in_transaction(session, |session| {
        let detail = json!({ "verdict": baseline.verdict, "scores": baseline.scores });
        event::record(session, "gate.baseline", gate, reason, &detail)?;
        let number = next_number(session.store.as_mut(), "plimsoll_gate_baseline")?;
        let row = vec![
            Value::text(new_id().as_str()),
            Value::Integer(number),
            Value::text(gate),
            Value::text(&baseline.at),
            Value::text(&baseline.actor),
            Value::text(reason),
            Value::text(baseline.verdict.as_str()),
            Value::text(serde_json::to_string(&baseline.scores)?),
        ];
        let columns = ["id", "number", "gate", "at", "actor", "reason", "verdict", "scores"];
        session.store.append("plimsoll_gate_baseline", &columns, &[row])?;
        Ok(())
    })?;
    Ok(baseline)
}

/// The baselines of a gate, newest first.
///
/// # Errors
/// When the store fails.
pub fn baselines(session: &mut Session, gate: &str) -> Result<Vec<Baseline>, EngineError> {
    let sql = "SELECT at, actor, reason, verdict, scores FROM plimsoll_gate_baseline WHERE gate = $1 ORDER BY number DESC";
    let rows = session.store.query(sql, &[Value::text(gate)])?;
    rows.into_iter()
        .map(|row| {
            let cells = Cells(row);
            Ok(Baseline {
                gate: gate.to_owned(),
                at: cells.text(0)?,
                actor: cells.text(1)?,
                reason: cells.text(2)?,
                verdict: Id(cells.text(3)?),
                scores: serde_json::from_str(&cells.text(4)?)?,
            })
        })
        .collect()
}
