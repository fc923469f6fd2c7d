//! Expressions: a value computed from what the evidence holds, in the Common Expression Language.
//!
//! Owns the translation between readings and CEL. The names are `value`, `sample`, `age_hours` and `facts`; what is not
//! known is null. Numbers do not mix: `double(facts.failed) / double(facts.tests)`.

use std::collections::HashMap;

use cel::{Context, Program, Value};
use jiff::Timestamp;
use plimsoll_core::gate::{Outcome, Reading};
use serde_json::Value as Json;

/// Longer expressions are refused before they are parsed.
const LONGEST: usize = 2_000;

/// Why an expression cannot be used, when it cannot.
pub(super) fn problem(expression: &str) -> Option<String> {
    compile(expression).err()
}

fn compile(expression: &str) -> Result<Program, String> {
    if expression.len() > LONGEST {
        return Err(format!("the expression is longer than {LONGEST} characters"));
    }
    Program::compile(expression).map_err(|error| format!("the expression `{expression}`: {error}"))
}

/// The same reading with the value that the expression gives it. Evidence that has no answer at all keeps its outcome.
pub(super) fn apply(expression: &str, reading: Reading, now: &str) -> Reading {
    let asked_in_vain =
        matches!(reading.outcome, Outcome::Missing(_) | Outcome::TimedOut(_) | Outcome::Error(_));
    if asked_in_vain {
        return reading;
    }
    let outcome = evaluate(expression, &reading, now).unwrap_or_else(Outcome::Error);
    Reading { outcome, ..reading }
}

fn evaluate(expression: &str, reading: &Reading, now: &str) -> Result<Outcome, String> {
    let program = compile(expression)?;
    let mut context = Context::default();
    let value = match reading.outcome {
        Outcome::Value(value) => Value::Float(value),
        Outcome::NotANumber => Value::Float(f64::NAN),
        _ => Value::Null,
    };
    let sample =
        reading.sample.map_or(Value::Null, |sample| Value::Int(i64::try_from(sample).unwrap_or(i64::MAX)));
    let names = [
        ("value", value),
        ("sample", sample),
        ("age_hours", age_hours(reading, now).map_or(Value::Null, Value::Float)),
        ("facts", from_json(&reading.facts)),
    ];
    for (name, value) in names {
        context.add_variable_from_value(name, value);
    }
    match program.execute(&context).map_err(|error| format!("the expression `{expression}`: {error}"))? {
        Value::Bool(holds) => Ok(Outcome::Value(f64::from(u8::from(holds)))),
        Value::Int(value) => Ok(Outcome::of(value as f64)),
        Value::UInt(value) => Ok(Outcome::of(value as f64)),
        Value::Float(value) => Ok(Outcome::of(value)),
        Value::Null => Ok(Outcome::Empty),
        other => {
            Err(format!("the expression `{expression}` gives {:?}, which is no number", other.type_of()))
        }
    }
}

fn age_hours(reading: &Reading, now: &str) -> Option<f64> {
    let at: Timestamp = reading.at.as_ref()?.parse().ok()?;
    let now: Timestamp = now.parse().ok()?;
    Some(now.duration_since(at).as_secs_f64() / 3_600.0)
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        // One type of whole numbers, so that an author need not know how they were written.
        Json::Number(number) => match number.as_i64() {
            Some(number) => Value::Int(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(entries) => Value::from(entries.iter().map(from_json).collect::<Vec<Value>>()),
        Json::Object(members) => {
            let members: HashMap<String, Value> =
                members.iter().map(|(name, value)| (name.clone(), from_json(value))).collect();
            Value::from(members)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: &str = "2026-03-02T12:00:00.000Z";

    fn outcome(expression: &str) -> Outcome {
        let mut reading =
            Reading::of("a query", 12.0, "").resting_on(40).from_time("2026-03-02T09:00:00.000Z");
        reading.facts = json!({"tests": 40, "failed": 2, "share": 0.5, "suites": ["a", "b"], "none": null});
        apply(expression, reading, NOW).outcome
    }

    #[test]
    fn expressions_compute_from_what_evidence_holds() {
        for (expression, wanted) in [
            ("value * 2.0", Outcome::Value(24.0)),
            ("sample >= 40 && facts.failed < 3", Outcome::Value(1.0)),
            ("double(facts.failed) / double(facts.tests) * 100.0", Outcome::Value(5.0)),
            ("age_hours", Outcome::Value(3.0)),
            ("size(facts.suites)", Outcome::Value(2.0)),
            ("facts.none", Outcome::Empty),
            ("1.0 / 0.0", Outcome::NotANumber),
        ] {
            assert_eq!(outcome(expression), wanted, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_an_error_and_never_a_value() {
        for expression in ["facts.typo > 1", "value * 2", "'text'", "1 / 0", "unknown_name", "value >"] {
            assert!(
                matches!(outcome(expression), Outcome::Error(_)),
                "{expression}: {:?}",
                outcome(expression)
            );
        }
        assert!(problem("value >").is_some() && problem("value > 1.0").is_none());
        assert!(problem(&"1+".repeat(2_000)).is_some());
        let failed = Reading::error("a query", "no such table");
        assert_eq!(
            apply("1.0", failed.clone(), NOW),
            failed,
            "an expression cannot make up for missing evidence"
        );
    }
}
