//! Writing flagd definitions.

use std::collections::HashMap;

use plimsoll_core::flag::bucket::BucketField;
use plimsoll_core::flag::{Algorithm, Constraint, Flag, Operator, Percent, Rule, Segment, State};
use serde_json::{Map, Value as Json, json};

use super::{Exported, Unsupported};
use crate::flag::snapshot::KnownKeys;
use crate::flag::store::StoredFlag;

/// Writes flags as a flagd document. Where flagd cannot hash as a rollout does, the members are written as a list, when
/// they are known (`known`, by the flag's id).
pub fn export(flags: &[&StoredFlag], segments: &[Segment], known: &HashMap<String, KnownKeys>) -> Exported {
    let mut out = Exported::default();
    let mut document = Map::new();
    for stored in flags {
        let writer = Writer { flag: &stored.flag, segments, known: known.get(&stored.id) };
        match writer.write() {
            Ok(definition) => {
                document.insert(stored.flag.name.clone(), definition);
            }
            Err(construct) => out.unsupported.push(Unsupported {
                flag: stored.flag.name.clone(),
                construct,
                left_out: true,
            }),
        }
        if !stored.flag.triggers.is_empty() {
            let construct = "triggers".to_owned();
            out.unsupported.push(Unsupported { flag: stored.flag.name.clone(), construct, left_out: false });
        }
    }
    out.document = json!({"$schema": "https://flagd.dev/schema/v0/flags.json", "flags": document});
    out
}

struct Writer<'a> {
    flag: &'a Flag,
    segments: &'a [Segment],
    known: Option<&'a KnownKeys>,
}

impl Writer<'_> {
    fn write(&self) -> Result<Json, String> {
        let flag = self.flag;
        if !flag.requires.is_empty() {
            return Err("prerequisites".to_owned());
        }
        let mut variants = Map::new();
        for variant in &flag.variants {
            let value = variant.value.clone().unwrap_or_else(|| json!(variant.name));
            variants.insert(variant.name.clone(), value);
        }
        let plain = variants.is_empty();
        if plain {
            variants.insert("on".to_owned(), json!(true));
            variants.insert("off".to_owned(), json!(false));
        }
        let miss = if plain { Some("off".to_owned()) } else { flag.default_variant.clone() };
        let mut definition = Map::new();
        let state = if flag.state == State::On { "ENABLED" } else { "DISABLED" };
        definition.insert("state".to_owned(), json!(state));
        definition.insert("variants".to_owned(), Json::Object(variants));
        // flagd knows null as "the caller's default".
        definition.insert("defaultVariant".to_owned(), json!(miss));
        let parts = self.parts(miss.as_deref())?;
        if !parts.is_empty() {
            definition.insert("targeting".to_owned(), json!({"if": parts}));
        }
        if !flag.description.is_empty() || !flag.owner.is_empty() {
            definition
                .insert("metadata".to_owned(), json!({"description": flag.description, "owner": flag.owner}));
        }
        Ok(Json::Object(definition))
    }

    /// Condition, result, condition, result, ...
    fn parts(&self, miss: Option<&str>) -> Result<Vec<Json>, String> {
        let flag = self.flag;
        let mut parts = Vec::new();
        let key = var(&flag.key);
        if !flag.deny.is_empty() {
            parts.extend([json!({"in": [key, flag.deny]}), json!(miss)]);
        }
        for (allowed, variant) in &flag.allow {
            let result = variant.clone().map_or_else(|| self.hit(), |name| Ok(json!(name)))?;
            parts.extend([json!({"==": [key, allowed]}), result]);
        }
        if flag.rollout.is_some() {
            let starts = self.stages()?;
            for condition in starts {
                parts.extend([condition, self.hit()?]);
            }
        }
        for rule in &flag.rules {
            parts.extend([self.rule(rule)?, self.result(rule)?]);
        }
        if flag.rollout.is_none() && flag.rules.is_empty() {
            parts.extend([json!(true), self.hit()?]);
        }
        Ok(parts)
    }

    /// What those get who get the flag.
    fn hit(&self) -> Result<Json, String> {
        match self.flag.variants.as_slice() {
            [] => Ok(json!("on")),
            [only] => Ok(json!(only.name)),
            _ => Err("variants by weight, which flagd would draw anew".to_owned()),
        }
    }

    fn result(&self, rule: &Rule) -> Result<Json, String> {
        match rule.variants.as_slice() {
            [] => self.hit(),
            [only] => Ok(json!(only.name)),
            _ => Err("variants by weight, which flagd would draw anew".to_owned()),
        }
    }

    fn stages(&self) -> Result<Vec<Json>, String> {
        let Some(rollout) = &self.flag.rollout else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        let starts: Vec<(Option<&str>, Percent)> = [(None, rollout.percent)]
            .into_iter()
            .chain(rollout.stages.iter().map(|stage| (Some(stage.at.as_str()), stage.percent)))
            .collect();
        for (at, (start, percent)) in starts.iter().enumerate() {
            let mut conditions = vec![self.share(*percent)?];
            for constraint in &rollout.constraints {
                conditions.push(condition(constraint)?);
            }
            conditions.extend(self.within(&rollout.segments)?);
            if let Some(start) = start {
                conditions.push(condition(
                    &Constraint::than("currentTime", Operator::DateBefore, *start).inverse(),
                )?);
            }
            if let Some((Some(end), _)) = starts.get(at + 1) {
                conditions.push(condition(&Constraint::than("currentTime", Operator::DateBefore, *end))?);
            }
            all.push(json!({"and": conditions}));
        }
        Ok(all)
    }

    fn share(&self, percent: Percent) -> Result<Json, String> {
        let Some(rollout) = &self.flag.rollout else { return Ok(json!(true)) };
        if percent == Percent::NOBODY {
            return Ok(json!(false));
        }
        match (rollout.algorithm, self.known) {
            (algorithm @ (Algorithm::Flagd1 | Algorithm::Flagd2 | Algorithm::Flagd3), _) => {
                let (buckets, key, salt) = (10_000, self.flag.key.clone(), rollout.salt.clone());
                let field = BucketField { algorithm, buckets, key, salt };
                bucket(&field, 0, i64::from(percent.hundredths()), &self.flag.name)
            }
            (_, Some(known)) if rollout.stages.is_empty() => {
                Ok(json!({"in": [var(&self.flag.key), known.members]}))
            }
            (algorithm, _) => Err(format!(
                "a rollout by {algorithm}, which flagd would draw anew; with the keys known (`flag set --keys`) the members are written as a list"
            )),
        }
    }

    fn rule(&self, rule: &Rule) -> Result<Json, String> {
        if rule.strategy != "default" {
            return Err(format!("a rule by `{}`", rule.strategy));
        }
        let mut conditions =
            rule.constraints.iter().map(|one| self.constraint(one)).collect::<Result<Vec<_>, _>>()?;
        conditions.extend(self.within(&rule.segments)?);
        Ok(if conditions.is_empty() { json!(true) } else { json!({"and": conditions}) })
    }

    fn constraint(&self, constraint: &Constraint) -> Result<Json, String> {
        let Some(field) = BucketField::parse(&constraint.field) else { return condition(constraint) };
        let bound = constraint.value.as_deref().and_then(|value| value.parse::<i64>().ok()).unwrap_or(0);
        let whole = i64::from(field.buckets);
        match constraint.operator {
            Operator::NumLt => bucket(&field, 0, bound, &self.flag.name),
            Operator::NumGte => bucket(&field, bound, whole, &self.flag.name),
            _ => Err("a computed bucket compared otherwise".to_owned()),
        }
    }

    fn within(&self, numbers: &[i32]) -> Result<Vec<Json>, String> {
        let mut conditions = Vec::new();
        for number in numbers {
            let segment = self.segments.iter().find(|segment| segment.number == *number);
            let segment = segment.ok_or_else(|| format!("segment {number}, which there is not"))?;
            for constraint in &segment.constraints {
                conditions.push(condition(constraint)?);
            }
        }
        Ok(conditions)
    }
}

/// True for the buckets from `low` to before `high`, computed as flagd does.
fn bucket(field: &BucketField, low: i64, high: i64, flag: &str) -> Result<Json, String> {
    let mut arguments = Vec::new();
    let explicit = match (field.algorithm, field.salt.strip_prefix("text:")) {
        (Algorithm::Flagd3, None) => None,
        (Algorithm::Flagd3, Some(prefix)) => Some(prefix),
        _ => Some(field.salt.as_str()),
    };
    match explicit {
        Some("") => arguments.push(var(&field.key)),
        Some(prefix) => arguments.push(json!({"cat": [prefix, var(&field.key)]})),
        None if field.salt == flag && field.key == "userId" => {}
        None => return Err("a salt that is not the flag's name, which flagd-3 cannot hash with".to_owned()),
    }
    for (name, weight) in [("below", low), ("in", high - low), ("above", i64::from(field.buckets) - high)] {
        arguments.push(json!([name, weight]));
    }
    Ok(json!({"==": [{"fractional": arguments}, "in"]}))
}

fn var(field: &str) -> Json {
    json!({"var": if field == "userId" { "targetingKey" } else { field }})
}

fn condition(constraint: &Constraint) -> Result<Json, String> {
    if constraint.ignore_case {
        return Err("a comparison that ignores case".to_owned());
    }
    let field = var(&constraint.field);
    let text = constraint.value.clone().unwrap_or_default();
    let number =
        || serde_json::from_str::<serde_json::Number>(&text).map_err(|_| format!("the number {text}"));
    let any =
        |one: &dyn Fn(&String) -> Json| json!({"or": constraint.values.iter().map(one).collect::<Vec<_>>()});
    let written = match &constraint.operator {
        Operator::In => json!({"in": [field, constraint.values]}),
        Operator::NotIn => json!({"!": [{"in": [field, constraint.values]}]}),
        Operator::StrStartsWith => any(&|value| json!({"starts_with": [field, value]})),
        Operator::StrEndsWith => any(&|value| json!({"ends_with": [field, value]})),
        Operator::StrContains => any(&|value| json!({"in": [value, field]})),
        Operator::NumEq => json!({"==": [field, number()?]}),
        Operator::NumGt => json!({">": [field, number()?]}),
        Operator::NumGte => json!({">=": [field, number()?]}),
        Operator::NumLt => json!({"<": [field, number()?]}),
        Operator::NumLte => json!({"<=": [field, number()?]}),
        Operator::SemverEq => json!({"sem_ver": [field, "=", text]}),
        Operator::SemverGt => json!({"sem_ver": [field, ">", text]}),
        Operator::SemverGte => json!({"sem_ver": [field, ">=", text]}),
        Operator::SemverLt => json!({"sem_ver": [field, "<", text]}),
        Operator::SemverLte => json!({"sem_ver": [field, "<=", text]}),
        Operator::DateAfter | Operator::DateBefore if constraint.field == "currentTime" => {
            let moment: jiff::Timestamp = text.parse().map_err(|_| format!("the date {text}"))?;
            let sign = if constraint.operator == Operator::DateAfter { ">" } else { "<" };
            json!({sign: [{"var": "$flagd.timestamp"}, moment.as_second()]})
        }
        other => return Err(format!("the operator {}", serde_json::to_string(other).unwrap_or_default())),
    };
    Ok(if constraint.inverted { json!({"!": [written]}) } else { written })
}
