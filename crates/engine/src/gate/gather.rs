//! Gathering: asks every piece of evidence of a gate once.
//!
//! Owns which questions the control store answers itself - what is on record, other gates, playbooks, flags - and passes the
//! others on. Nothing here judges.

use std::collections::BTreeMap;

use plimsoll_core::flag::State;
use plimsoll_core::gate::{Asked, Gate, Judgement, Outcome, Reading, Source};
use plimsoll_core::value::Value;
use serde_json::{Value as Json, json};

use super::evidence::Evidence;
use super::record::{Kind, Record, latest};
use super::{expression, verdict};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::flag;
use crate::session::Session;

/// The readings of a gate's evidence, by criterion.
pub(super) fn gather(
    session: &mut Session,
    gate: &Gate,
    outside: &mut dyn Evidence,
    now: &str,
) -> Result<Vec<Vec<Reading>>, EngineError> {
    let mut asked_before: BTreeMap<String, Reading> = BTreeMap::new();
    let looks_back =
        gate.criteria.iter().flat_map(|criterion| &criterion.evidence).filter_map(|a| a.of_last).max();
    let past = match looks_back {
        Some(last) => verdict::latest_judgements(session, &gate.gate, last.saturating_sub(1))?,
        None => Vec::new(),
    };
    let mut all = Vec::new();
    for criterion in &gate.criteria {
        let mut readings = Vec::new();
        for (place, asked) in criterion.evidence.iter().enumerate() {
            let query = asked.source.query();
            let reading = match asked_before.get(&query) {
                Some(reading) => reading.clone(),
                None => {
                    let reading = ask(session, &asked.source, outside);
                    asked_before.insert(query, reading.clone());
                    reading
                }
            };
            readings.push(finish(asked, reading, &past, (&criterion.id, place), now));
        }
        all.push(readings);
    }
    Ok(all)
}

/// A reading with what the gate makes of it before it is judged: its expression, and how it stood earlier.
pub(super) fn finish(
    asked: &Asked,
    reading: Reading,
    past: &[Judgement],
    at: (&str, usize),
    now: &str,
) -> Reading {
    let mut reading = match &asked.expression {
        Some(expression) => expression::apply(expression, reading, now),
        None => reading,
    };
    if let Some(last) = asked.of_last {
        let earlier = past.iter().filter_map(|judgement| held(asked, judgement, at));
        reading.earlier =
            earlier.take(usize::try_from(last.saturating_sub(1)).unwrap_or(usize::MAX)).collect();
    }
    reading
}

/// Whether the evidence kept its rule in an earlier judgement, looking at that moment alone.
fn held(asked: &Asked, judgement: &Judgement, (criterion, place): (&str, usize)) -> Option<bool> {
    let found = judgement.criteria.iter().find(|judged| judged.id == criterion)?.evidence.get(place)?;
    let enough = asked.least_sample().is_none_or(|least| found.sample.is_some_and(|sample| sample >= least));
    let kept = found.value.is_some_and(|value| asked.rule.comparison.holds(value, asked.rule.threshold));
    Some(kept && enough && !found.standing.is_unreadable())
}

fn ask(session: &mut Session, source: &Source, outside: &mut dyn Evidence) -> Reading {
    let query = source.query();
    let answered = match source {
        Source::SignOff { role } => on_record(session, Kind::SignOff, role, &query, signed),
        Source::Drill { drill } => on_record(session, Kind::Drill, drill, &query, drilled),
        Source::TestReport { report } => on_record(session, Kind::TestReport, report, &query, tested),
        Source::Facts { facts, member } => {
            on_record(session, Kind::Facts, facts, &query, |query, record| stated(query, record, member))
        }
        Source::Trial { system, change, measure } => {
            on_record(session, Kind::Trial, &format!("{system} {change}"), &query, |query, record| {
                measured(query, record, measure)
            })
        }
        Source::Gate { gate } => other_gate(session, gate, &query),
        Source::Playbook { playbook } => last_playbook(session, playbook, &query),
        Source::Flag { flag, state } => flag_state(session, flag, state, &query),
        _ => Ok(outside.read(source)),
    };
    answered.unwrap_or_else(|error| Reading::error(query, error.message))
}

fn on_record(
    session: &mut Session,
    kind: Kind,
    name: &str,
    query: &str,
    tell: impl FnOnce(&str, &Record) -> Reading,
) -> Result<Reading, EngineError> {
    let Some(record) = latest(session, kind, name)? else {
        return Ok(Reading::missing(query, format!("no {} `{name}` is on record", kind.as_str())));
    };
    let mut reading = tell(query, &record);
    reading.at = Some(record.at);
    reading.expires_at = record.expires_at;
    if reading.facts.is_null() {
        reading.facts = record.body;
    }
    Ok(reading)
}

fn signed(query: &str, record: &Record) -> Reading {
    let signed = record.body.get("signed").and_then(Json::as_bool).unwrap_or(false);
    let word = if signed { "signed" } else { "withdrawn" };
    Reading::of(query, f64::from(u8::from(signed)), format!("{word} by {}", record.source))
}

fn drilled(query: &str, record: &Record) -> Reading {
    let passed = record.body.get("passed").and_then(Json::as_bool);
    let value = passed.map_or(Outcome::Empty, |passed| Outcome::Value(f64::from(u8::from(passed))));
    Reading::with(query, value, format!("drilled by {}, {}", record.actor, record.source))
}

fn tested(query: &str, record: &Record) -> Reading {
    let count = |name: &str| record.body.get(name).and_then(Json::as_u64).unwrap_or(0);
    let (ran, passed) = (count("ran"), count("passed"));
    // A report in which nothing ran has no share that passed.
    let outcome = if ran == 0 { Outcome::Empty } else { Outcome::of(passed as f64 / ran as f64 * 100.0) };
    Reading::with(query, outcome, format!("{passed} of {ran} passed, {}", record.source)).resting_on(ran)
}

fn stated(query: &str, record: &Record, member: &str) -> Reading {
    let outcome = match record.body.get(member) {
        Some(Json::Bool(value)) => Outcome::Value(f64::from(u8::from(*value))),
        Some(Json::Number(number)) => number.as_f64().map_or(Outcome::NotANumber, Outcome::of),
        Some(Json::Null) | None => Outcome::Empty,
        Some(other) => Outcome::Error(format!("`{member}` is {other}, which is no number")),
    };
    Reading::with(query, outcome, format!("stated by {}", record.source))
}

fn measured(query: &str, record: &Record, measure: &str) -> Reading {
    let found = record.body.get("measures").and_then(|measures| measures.get(measure));
    let basis = |found: &Json| found.get("basis").and_then(Json::as_str).unwrap_or_default().to_owned();
    let reading = match found {
        Some(found) => match found.get("value").and_then(Json::as_f64) {
            Some(value) => Reading::of(query, value, basis(found)),
            None => Reading::missing(query, basis(found)),
        },
        None => Reading::missing(query, format!("the trial did not measure `{measure}`")),
    };
    // The whole report would be in every reading of it.
    Reading { facts: json!({ "record": record.id, "source": record.source }), ..reading }
}

fn other_gate(session: &mut Session, gate: &str, query: &str) -> Result<Reading, EngineError> {
    let Some(stored) = verdict::last(session, gate)? else {
        return Ok(Reading::missing(query, format!("the gate `{gate}` was never evaluated")));
    };
    let judgement: Judgement = serde_json::from_str(&stored.document)?;
    let go = f64::from(u8::from(judgement.verdict == plimsoll_core::gate::Verdict::Go));
    let mut reading = Reading::of(query, go, format!("{} at {}", judgement.verdict, judgement.at));
    reading.at = Some(judgement.at.clone());
    reading.facts = json!({
        "verdict": judgement.verdict, "id": stored.id,
        "score": judgement.readiness.map(|readiness| readiness.score),
    });
    Ok(reading)
}

/// Whether a flag stands as asked. One that was deleted stands nowhere.
fn flag_state(session: &mut Session, flag: &str, asked: &str, query: &str) -> Result<Reading, EngineError> {
    let Some(stored) = flag::store::lookup(session.store.as_mut(), flag)?.filter(|found| !found.archived)
    else {
        return Ok(Reading::missing(query, format!("there is no flag `{flag}`")));
    };
    let state = stored.flag.state;
    let holds = match asked {
        "exists" => true,
        "on" => state == State::On,
        "off" => state != State::On,
        other => {
            return Err(EngineError::usage(format!("the state `{other}`\nhint: it is on, off or exists")));
        }
    };
    let basis = format!("`{flag}` is {}, version {}", state.as_str(), stored.version);
    let mut reading = Reading::of(query, f64::from(u8::from(holds)), basis).from_time(stored.changed_at);
    reading.facts = json!({ "state": state.as_str(), "version": stored.version });
    Ok(reading)
}

fn last_playbook(session: &mut Session, playbook: &str, query: &str) -> Result<Reading, EngineError> {
    let sql = "SELECT id, status, coalesce(finished_at, started_at), simulated FROM plimsoll_playbook_run \
               WHERE playbook = $1 ORDER BY number DESC LIMIT 1";
    let rows = session.store.query(sql, &[Value::text(playbook)])?;
    let Some(cells) = rows.into_iter().next().map(Cells) else {
        return Ok(Reading::missing(query, format!("the playbook `{playbook}` never ran")));
    };
    let (id, status, at, simulated) = (cells.text(0)?, cells.text(1)?, cells.text(2)?, cells.integer(3)?);
    // A rehearsal on a simulated clock did not wait: it is no evidence that the real thing was watched.
    let done = status == "done" && simulated == 0;
    let label = if simulated == 0 { "" } else { ", on a simulated clock" };
    let mut reading =
        Reading::of(query, f64::from(u8::from(done)), format!("run {id}: {status}{label}")).from_time(at);
    reading.facts = json!({ "run": id, "status": status, "simulated": simulated != 0 });
    Ok(reading)
}
