//! Why somebody gets a flag or not, now or at a past time.
//!
//! Owns the steps of an explanation, the flags as they were at a time - taken from the definitions that the log of events
//! holds - and the history of one flag. It changes nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use plimsoll_core::flag::bucket::BucketField;
use plimsoll_core::flag::{Algorithm, Constraint, Flag, Operator, Rule, Segment, State};
use plimsoll_core::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::context::EvaluationContext;
use super::key_list;
use super::snapshot::{Definitions, Evaluation, Snapshot};
use super::store::{self, StoredFlag};
use super::unleash::{self, Part};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::Session;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was looked at, as a sentence.
    pub what: String,
    /// Whether it held.
    pub holds: bool,
}

/// Why somebody gets a flag or not.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The answer.
    pub evaluation: Evaluation,
    /// The time of the answer.
    pub at: String,
    /// What was looked at, in order; the last one that is listed decided.
    pub steps: Vec<Step>,
    /// The whole in one sentence.
    pub sentence: String,
    /// The change that made the flag what it was then.
    pub last_change: Option<Entry>,
}

/// One change of a flag.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// The flag's version after it.
    pub version: i64,
    /// The version of all flags after it.
    pub of_all: i64,
    /// When.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What kind of change.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// Who entered, left and was swapped, in numbers.
    pub effect: [i64; 3],
    /// True when the numbers are of known keys.
    pub exact: bool,
    /// True when it archived the flag.
    pub archived: bool,
    /// The definition before.
    pub before: Option<Flag>,
    /// The definition after.
    pub after: Flag,
}

#[derive(Deserialize)]
struct Detail {
    version: i64,
    flag_version: i64,
    archived: bool,
    before: Option<Flag>,
    after: Flag,
    enter: i64,
    leave: i64,
    swap: i64,
    exact: bool,
}

/// The changes of a flag, oldest first.
///
/// # Errors
/// Usage when there is and was no such flag.
pub fn history(session: &mut Session, name: &str) -> Result<Vec<Entry>, EngineError> {
    let Some(stored) = store::lookup(session.store.as_mut(), name)? else {
        return Err(EngineError::usage(format!("there is and was no flag `{name}`")));
    };
    entries(session, &stored.id)
}

fn entries(session: &mut Session, id: &str) -> Result<Vec<Entry>, EngineError> {
    let sql = "SELECT at, actor, kind, reason, detail FROM plimsoll_event WHERE subject = $1 ORDER BY number";
    let rows = session.store.query(sql, &[Value::text(id)])?;
    let mut out = Vec::new();
    for row in rows {
        let cells = Cells(row);
        let kind = cells.text(2)?;
        // Other events may be about a flag too; those that change it hold its definition.
        let Ok(detail) = serde_json::from_str::<Detail>(&cells.text(4)?) else { continue };
        out.push(Entry {
            version: detail.flag_version,
            of_all: detail.version,
            at: cells.text(0)?,
            actor: cells.text(1)?,
            kind,
            reason: cells.text(3)?,
            effect: [detail.enter, detail.leave, detail.swap],
            exact: detail.exact,
            archived: detail.archived,
            before: detail.before,
            after: detail.after,
        });
    }
    Ok(out)
}

/// A flag's definition at one of its versions, and whether it was archived.
pub(super) fn version_of(session: &mut Session, id: &str, version: i64) -> Result<(Flag, bool), EngineError> {
    let entries = entries(session, id)?;
    let last = entries.last().map_or(0, |entry| entry.version);
    entries.into_iter().find(|entry| entry.version == version).map(|entry| (entry.after, entry.archived)).ok_or_else(
        || EngineError::usage(format!("there is no version {version}\nhint: versions are 1 to {last}; `plimsoll flag history` lists them")),
    )
}

/// All flags as they were at a time, given as `YYYY-MM-DDTHH:MM:SS.fffZ`.
///
/// # Errors
/// When the store fails.
pub fn definitions_at(session: &mut Session, at: &str) -> Result<Definitions, EngineError> {
    let sql = "SELECT at, kind, subject, detail FROM plimsoll_event WHERE kind >= 'flag.' AND kind < 'flag/' AND at <= $1 ORDER BY number";
    let rows = session.store.query(sql, &[Value::text(at)])?;
    let mut flags: BTreeMap<String, StoredFlag> = BTreeMap::new();
    let mut segments: BTreeMap<String, Segment> = BTreeMap::new();
    let mut version = 0;
    for row in rows {
        let cells = Cells(row);
        let (changed_at, kind, subject, detail) =
            (cells.text(0)?, cells.text(1)?, cells.text(2)?, cells.text(3)?);
        if kind == "flag.segment" {
            let detail: Json = serde_json::from_str(&detail)?;
            version = detail["version"].as_i64().unwrap_or(version);
            match serde_json::from_value::<Option<Segment>>(detail["after"].clone())? {
                Some(segment) => segments.insert(subject, segment),
                None => segments.remove(&subject),
            };
            continue;
        }
        let Ok(detail) = serde_json::from_str::<Detail>(&detail) else { continue };
        version = detail.version;
        let created_at =
            flags.get(&subject).map_or_else(|| changed_at.clone(), |flag| flag.created_at.clone());
        let stored = StoredFlag {
            id: subject.clone(),
            version: detail.flag_version,
            archived: detail.archived,
            created_at,
            changed_at,
            flag: detail.after,
        };
        flags.insert(subject, stored);
    }
    let flags: Vec<StoredFlag> = flags.into_values().filter(|stored| !stored.archived).collect();
    let mut keys = HashMap::new();
    for stored in &flags {
        if stored.flag.rollout.as_ref().is_some_and(|rollout| rollout.algorithm == Algorithm::Quota1) {
            keys.insert(
                stored.id.clone(),
                key_list::known(session.store.as_mut(), &stored.id, Some(version))?,
            );
        }
    }
    Ok(Definitions { version, flags, segments: segments.into_values().collect(), keys })
}

/// Why the caller gets a flag or not at a time; `None` for now.
///
/// # Errors
/// Usage when there was no such flag then; integrity when the log of events was tampered with.
pub fn explain(
    session: &mut Session,
    name: &str,
    context: &EvaluationContext,
    at: Option<&str>,
) -> Result<Explanation, EngineError> {
    let problems = crate::event::verify(session.store.as_mut())?;
    if let Some(problem) = problems.first() {
        return Err(EngineError::integrity(format!(
            "the log of events cannot be trusted: {problem}\nhint: restore a backup of the control store"
        )));
    }
    let now = session.clock.now();
    let definitions = match at {
        Some(at) => definitions_at(session, at)?,
        None => store::definitions(session.store.as_mut())?,
    };
    let at = at.unwrap_or(&now).to_owned();
    let snapshot = Snapshot::new(definitions, Arc::clone(&session.clock));
    let mut context = context.clone();
    if context.get("currentTime").is_none() {
        context.set("currentTime", at.clone());
    }
    let Some(stored) = snapshot.flag(name) else {
        return Err(EngineError::usage(format!(
            "there was no flag `{name}` at {at}\nhint: `plimsoll flag history {name}` tells since when there is one"
        )));
    };
    let last_change = entries(session, &stored.id)?.into_iter().find(|entry| entry.version == stored.version);
    let evaluation = snapshot.evaluate(name, &context);
    let steps = steps(&snapshot, name, &context);
    let sentence = sentence(&evaluation, &stored.flag, &context, &at, &steps, last_change.as_ref());
    Ok(Explanation { evaluation, at, steps, sentence, last_change })
}

fn steps(snapshot: &Snapshot, name: &str, context: &EvaluationContext) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(compiled) = snapshot.compiled(name) else { return steps };
    let flag = &compiled.stored.flag;
    let mut step = |what: String, holds: bool| {
        steps.push(Step { what, holds });
        holds
    };
    if !step(format!("the flag is {}", flag.state.as_str()), flag.state == State::On) {
        return steps;
    }
    for required in &flag.requires {
        let parent = snapshot.evaluate(&required.flag, context);
        let wanted = if required.on { "on" } else { "off" };
        let variants = if required.variants.is_empty() {
            String::new()
        } else {
            format!(" with the variant {}", required.variants.join(" or "))
        };
        let only = Flag { requires: vec![required.clone()], ..flag.clone() };
        let holds =
            snapshot.with_context(compiled, context, |enriched| snapshot.is_fulfilled(&only, enriched));
        let is = if parent.on { "on" } else { "off" };
        if !step(
            format!("it requires `{}` to be {wanted}{variants}, which is {is} here", required.flag),
            holds,
        ) {
            return steps;
        }
    }
    let key = context.get(&flag.key);
    if let Some(key) = key.filter(|key| flag.deny.contains(*key)) {
        step(format!("{} `{key}` is on the deny list", flag.key), true);
        return steps;
    }
    let parts = unleash::strategies(flag, &compiled.quotas);
    for (part, strategy) in &parts {
        let fragment = snapshot.fragment(strategy);
        let holds = snapshot.with_context(compiled, context, |enriched| fragment(enriched));
        // Of a schedule only the stage in force is worth a line, of the allow list only a hit.
        let told = match part {
            Part::Allow(_) => {
                holds.then(|| format!("{} `{}` is on the allow list", flag.key, key.unwrap_or_default()))
            }
            Part::Everybody => Some("it is on for everybody".to_owned()),
            Part::Rollout(percent) => {
                let at = context.get("currentTime").unwrap_or_default();
                let in_force =
                    flag.rollout.as_ref().is_some_and(|rollout| rollout.percent_at(at) == *percent);
                in_force.then(|| rollout_words(flag, key, at))
            }
            Part::Rule(at) => flag
                .rules
                .get(*at)
                .map(|rule| format!("rule {} ({})", at + 1, rule_words(snapshot, compiled, rule, context))),
        };
        if let Some(told) = told
            && step(told, holds)
        {
            return steps;
        }
    }
    steps
}

fn rollout_words(flag: &Flag, key: Option<&str>, at: &str) -> String {
    let Some(rollout) = &flag.rollout else { return String::new() };
    let percent = rollout.percent_at(at);
    let Some(key) = key else { return format!("{percent} % get it, but the context has no {}", flag.key) };
    let (algorithm, salt) = (rollout.algorithm, &rollout.salt);
    let mut words = match algorithm {
        Algorithm::Unleash1 => {
            let bucket = algorithm.bucket(salt, key, 100) + 1;
            format!("{percent} % get it: `{key}` is in bucket {bucket} of 100 ({algorithm}, salt `{salt}`)")
        }
        Algorithm::Quota1 => {
            format!("exactly {percent} % of the known keys get it ({algorithm}, salt `{salt}`)")
        }
        _ => {
            let bucket = algorithm.bucket(salt, key, 10_000);
            format!(
                "{percent} % get it: `{key}` is in bucket {bucket} of 10,000, from 0 ({algorithm}, salt `{salt}`)"
            )
        }
    };
    if !rollout.constraints.is_empty() {
        let all: Vec<String> = rollout.constraints.iter().map(constraint_words).collect();
        words += &format!(", of those with {}", all.join(" and "));
    }
    words
}

fn rule_words(
    snapshot: &Snapshot,
    compiled: &super::snapshot::Compiled,
    rule: &Rule,
    context: &EvaluationContext,
) -> String {
    let mut words = Vec::new();
    match rule.strategy.as_str() {
        "default" => {}
        "flexibleRollout" => {
            let percent = rule.parameters.get("rollout").map_or("?", String::as_str);
            words.push(format!("{percent} %"));
        }
        other => words.push(other.to_owned()),
    }
    for constraint in &rule.constraints {
        let alone = snapshot.fragment(&unleash::strategy(&Rule::of(vec![constraint.clone()])));
        let holds = snapshot.with_context(compiled, context, |enriched| alone(enriched));
        let is = match context.get(&constraint.field) {
            Some(value) => format!("it is `{value}`"),
            None if BucketField::parse(&constraint.field).is_some() => "computed".to_owned(),
            None => "it is not given".to_owned(),
        };
        let sign = if holds { "yes" } else { "no" };
        words.push(format!("{}: {sign}, {is}", constraint_words(constraint)));
    }
    for number in &rule.segments {
        let name = snapshot.segments().iter().find(|segment| segment.number == *number);
        words.push(format!(
            "segment {}",
            name.map_or_else(|| number.to_string(), |segment| segment.name.clone())
        ));
    }
    if words.is_empty() { "everybody".to_owned() } else { words.join("; ") }
}

/// A constraint for a person: `region is one of north, south`.
pub fn constraint_words(constraint: &Constraint) -> String {
    let verb = match &constraint.operator {
        Operator::In => "is one of",
        Operator::NotIn => "is none of",
        Operator::StrStartsWith => "starts with",
        Operator::StrEndsWith => "ends with",
        Operator::StrContains => "contains",
        Operator::NumEq | Operator::SemverEq => "=",
        Operator::NumGt | Operator::SemverGt => ">",
        Operator::NumGte | Operator::SemverGte => ">=",
        Operator::NumLt | Operator::SemverLt => "<",
        Operator::NumLte | Operator::SemverLte => "<=",
        Operator::DateAfter => "is after",
        Operator::DateBefore => "is before",
        Operator::InCidr => "is in network",
        Operator::Regex => "matches",
        Operator::Unknown(word) => word,
    };
    let mut values = constraint.values.clone();
    values.extend(constraint.value.clone());
    if values.len() > 6 {
        let more = values.len() - 5;
        values.truncate(5);
        values.push(format!(".. {more} more"));
    }
    let not = if constraint.inverted { "not: " } else { "" };
    format!("{not}{} {verb} {}", constraint.field, values.join(", "))
}

fn sentence(
    evaluation: &Evaluation,
    flag: &Flag,
    context: &EvaluationContext,
    at: &str,
    steps: &[Step],
    last: Option<&Entry>,
) -> String {
    let who =
        context.get(&flag.key).map_or_else(|| "a caller without a key".to_owned(), |key| format!("`{key}`"));
    let what = match (&evaluation.variant, evaluation.on) {
        (Some(variant), true) => format!("gets `{}`, variant `{variant}`", flag.name),
        (Some(variant), false) => format!("does not get `{}` (variant `{variant}`)", flag.name),
        (None, true) => format!("gets `{}`", flag.name),
        (None, false) => format!("does not get `{}`", flag.name),
    };
    let because = match steps.last() {
        Some(step) if step.holds => step.what.clone(),
        Some(_) => steps
            .iter()
            .filter(|step| !step.holds)
            .map(|step| format!("not: {}", step.what))
            .collect::<Vec<_>>()
            .join("; "),
        None => "nothing matched".to_owned(),
    };
    let since = last.map(|entry| {
        format!(
            ". The flag was at version {} since {}, by {}: {}",
            entry.version, entry.at, entry.actor, entry.reason
        )
    });
    format!("At {at}, {who} {what}, because {because}{}", since.unwrap_or_default())
}
