//! Triggers: what turns a flag down or off by itself.
//!
//! Owns judging the triggers of live flags against measures, and what a fired one does: one change of the flag, with the
//! expression and the measured values as its reason, and a word to whoever listens (an alert). It measures nothing itself.
//!
//! What cannot be judged is never fine: a missing measure, a value that is no number, a sample that is too small, an
//! expression that does not compile - each is told, as loudly as a trigger that fired. It leaves the flag as it is: a broken
//! meter is no reason to take a feature away from customers, and a person decides.

use std::collections::BTreeMap;

use cel::{Context, Program, Value};
use plimsoll_core::flag::{Flag, MeasureSource, State, Trigger, TriggerAction};
use serde::Serialize;

use super::change::{self, Changed, How};
use super::store::{self, StoredFlag};
use crate::error::EngineError;
use crate::session::Session;

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Measured {
    /// The value.
    pub value: f64,
    /// How many observations it rests on.
    pub sample: u64,
}

/// Where triggers get measures from: metrics, and results of checks.
pub trait Measures {
    /// The current value of a measure; `None` when there is none. `source` is where the trigger says it comes from.
    ///
    /// # Errors
    /// When the source cannot be asked.
    fn measure(
        &mut self,
        name: &str,
        source: Option<&MeasureSource>,
    ) -> Result<Option<Measured>, EngineError>;
}

impl Measures for BTreeMap<String, Measured> {
    fn measure(&mut self, name: &str, _: Option<&MeasureSource>) -> Result<Option<Measured>, EngineError> {
        Ok(self.get(name).copied())
    }
}

/// How a trigger was judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The expression is false on enough data.
    Quiet,
    /// The expression is true: the flag was changed.
    Fired,
    /// Measures are missing, or their values are no numbers.
    NoData {
        /// Which.
        missing: Vec<String>,
    },
    /// A sample is too small to judge.
    SmallSample {
        /// The measure with the smallest sample.
        measure: String,
        /// How many observations are still needed.
        needed: u64,
    },
    /// The expression cannot be judged.
    Broken {
        /// Why.
        message: String,
    },
}

/// One trigger, judged.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// The flag.
    pub flag: String,
    /// The trigger.
    pub trigger: String,
    /// Its expression.
    pub when: String,
    /// How it was judged.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The measures that it looked at.
    pub measured: BTreeMap<String, Measured>,
    /// What it did to the flag.
    pub changed: Option<Changed>,
}

impl Judged {
    /// True when somebody has to know: it fired, or it could not be judged.
    pub fn needs_attention(&self) -> bool {
        !matches!(self.outcome, Outcome::Quiet)
    }

    /// The whole in one sentence.
    pub fn sentence(&self) -> String {
        let values: Vec<String> = self
            .measured
            .iter()
            .map(|(name, measured)| {
                format!("{name} = {} of {} observations", measured.value, measured.sample)
            })
            .collect();
        let what = match &self.outcome {
            Outcome::Quiet => "is quiet".to_owned(),
            Outcome::Fired => "fired".to_owned(),
            Outcome::NoData { missing } => format!("has no data for {}", missing.join(", ")),
            Outcome::SmallSample { measure, needed } => {
                format!("needs {needed} more observations of {measure} before it judges")
            }
            Outcome::Broken { message } => format!("cannot be judged: {message}"),
        };
        let with = if values.is_empty() { String::new() } else { format!(" with {}", values.join(", ")) };
        format!("trigger `{}` of flag `{}` ({}) {what}{with}", self.trigger, self.flag, self.when)
    }
}

/// Judges every trigger of every flag that is on, and does what those that fire say. Each result goes to `tell` as it is
/// found, so that an alert does not wait for the rest.
///
/// # Errors
/// When the store fails.
pub fn run(
    session: &mut Session,
    measures: &mut dyn Measures,
    dry_run: bool,
    tell: &mut dyn FnMut(&Judged),
) -> Result<Vec<Judged>, EngineError> {
    let mut all = Vec::new();
    for stored in store::list(session.store.as_mut(), false)? {
        if stored.flag.state != State::On {
            continue;
        }
        for trigger in &stored.flag.triggers {
            let (outcome, measured) = judge(trigger, measures);
            let mut judged = Judged {
                flag: stored.flag.name.clone(),
                trigger: trigger.name.clone(),
                when: trigger.when.clone(),
                outcome,
                measured,
                changed: None,
            };
            if judged.outcome == Outcome::Fired {
                judged.changed = act(session, &stored, trigger, &judged.sentence(), dry_run)?;
            }
            tell(&judged);
            all.push(judged);
        }
    }
    Ok(all)
}

/// Judges one trigger; changes nothing.
pub fn judge(trigger: &Trigger, measures: &mut dyn Measures) -> (Outcome, BTreeMap<String, Measured>) {
    let mut measured = BTreeMap::new();
    let broken = |message: String, measured| (Outcome::Broken { message }, measured);
    let program = match Program::compile(&trigger.when) {
        Ok(program) => program,
        Err(error) => return broken(error.to_string(), measured),
    };
    let references = program.references();
    let mut missing = Vec::new();
    for name in references.variables() {
        match measures.measure(name, trigger.measures.get(name)) {
            Ok(Some(found)) if found.value.is_finite() => {
                measured.insert(name.to_owned(), found);
            }
            Ok(_) => missing.push(name.to_owned()),
            Err(error) => return broken(format!("{name}: {}", error.message), measured),
        }
    }
    if !missing.is_empty() {
        missing.sort();
        return (Outcome::NoData { missing }, measured);
    }
    if measured.is_empty() {
        return broken("the expression names no measure".to_owned(), measured);
    }
    let smallest = measured.iter().min_by_key(|(_, found)| found.sample);
    if let Some((name, found)) = smallest
        && found.sample < trigger.minimum_sample
    {
        let outcome =
            Outcome::SmallSample { measure: name.clone(), needed: trigger.minimum_sample - found.sample };
        return (outcome, measured);
    }
    let mut context = Context::default();
    for (name, found) in &measured {
        context.add_variable_from_value(name.clone(), found.value);
    }
    match program.execute(&context) {
        Ok(Value::Bool(true)) => (Outcome::Fired, measured),
        Ok(Value::Bool(false)) => (Outcome::Quiet, measured),
        Ok(_) => broken("the expression is neither true nor false".to_owned(), measured),
        Err(error) => broken(error.to_string(), measured),
    }
}

/// Does what a fired trigger says; nothing when the flag is there already.
fn act(
    session: &mut Session,
    stored: &StoredFlag,
    trigger: &Trigger,
    reason: &str,
    dry_run: bool,
) -> Result<Option<Changed>, EngineError> {
    let how = How { dry_run, ..How::because(reason) };
    let edit = |flag: &mut Flag| {
        match trigger.action {
            TriggerAction::Kill => flag.state = State::Killed,
            TriggerAction::Percent(percent) => {
                if let Some(rollout) = &mut flag.rollout {
                    rollout.percent = rollout.percent.min(percent);
                    // Later stages would turn it up again by themselves.
                    rollout.stages.clear();
                } else {
                    flag.state = State::Killed;
                }
            }
        }
        Ok(())
    };
    // Another trigger of the same flag may have acted a moment ago.
    let mut wanted = store::find(session.store.as_mut(), &stored.flag.name)?.flag;
    let now = wanted.clone();
    edit(&mut wanted)?;
    if wanted == now {
        return Ok(None);
    }
    let actor = std::mem::replace(&mut session.actor, format!("trigger {}", trigger.name));
    let changed = change::update(session, &stored.flag.name, "flag.triggered", &how, edit);
    session.actor = actor;
    changed.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(when: &str, minimum_sample: u64, measures: &[(&str, f64, u64)]) -> Outcome {
        let trigger = Trigger {
            name: "t".into(),
            when: when.into(),
            minimum_sample,
            measures: BTreeMap::new(),
            action: TriggerAction::Kill,
        };
        let mut measures: BTreeMap<String, Measured> = measures
            .iter()
            .map(|(name, value, sample)| ((*name).to_owned(), Measured { value: *value, sample: *sample }))
            .collect();
        judge(&trigger, &mut measures).0
    }

    /// Value ok, breach, not a number, missing, too few, broken: only "ok with enough sample" is quiet.
    #[test]
    fn only_a_good_value_of_enough_sample_is_quiet() {
        let when = "error_rate > 0.05";
        let no_data = Outcome::NoData { missing: vec!["error_rate".into()] };
        assert_eq!(judged(when, 100, &[("error_rate", 0.01, 100)]), Outcome::Quiet);
        assert_eq!(judged(when, 100, &[("error_rate", 0.06, 100)]), Outcome::Fired);
        assert_eq!(judged(when, 100, &[("error_rate", f64::NAN, 100)]), no_data);
        assert_eq!(judged(when, 100, &[("error_rate", f64::INFINITY, 100)]), no_data);
        assert_eq!(judged(when, 100, &[]), no_data);
        let few = Outcome::SmallSample { measure: "error_rate".into(), needed: 1 };
        assert_eq!(judged(when, 100, &[("error_rate", 0.99, 99)]), few);
        for broken in ["error_rate >", "1 > 2", "error_rate + 1.0", "error_rate > \"x\""] {
            let outcome = judged(broken, 0, &[("error_rate", 0.01, 100)]);
            assert!(matches!(outcome, Outcome::Broken { .. }), "{broken}: {outcome:?}");
        }
        let two = "error_rate > 0.05 && latency_ms > 200.0";
        assert_eq!(judged(two, 0, &[("error_rate", 0.06, 1), ("latency_ms", 300.0, 1)]), Outcome::Fired);
        assert_eq!(judged(two, 0, &[("error_rate", 0.06, 1), ("latency_ms", 100.0, 1)]), Outcome::Quiet);
    }
}
