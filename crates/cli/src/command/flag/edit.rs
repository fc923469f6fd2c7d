//! From the options of `flag set` to a definition.

use std::collections::BTreeMap;

use plimsoll_core::flag::{
    Algorithm, Constraint, Flag, MeasureSource, Percent, Prerequisite, Rollout, Rule, Stage, State, Trigger,
    TriggerAction, Variant, condition,
};
use plimsoll_engine::EngineError;
use plimsoll_engine::flag::moment;

use super::arguments::{AboutArguments, AlgorithmName, SetArguments};

impl From<AlgorithmName> for Algorithm {
    fn from(name: AlgorithmName) -> Self {
        match name {
            AlgorithmName::Unleash1 => Self::Unleash1,
            AlgorithmName::Plimsoll1 => Self::Plimsoll1,
            AlgorithmName::Quota1 => Self::Quota1,
            AlgorithmName::Flagd1 => Self::Flagd1,
            AlgorithmName::Flagd2 => Self::Flagd2,
            AlgorithmName::Flagd3 => Self::Flagd3,
        }
    }
}

/// What decides nothing.
pub(super) fn about(flag: &mut Flag, arguments: &AboutArguments, now: &str) -> Result<(), EngineError> {
    if let Some(text) = &arguments.description {
        flag.description.clone_from(text);
    }
    if let Some(text) = &arguments.owner {
        flag.owner.clone_from(text);
    }
    if let Some(text) = &arguments.purpose {
        flag.purpose.clone_from(text);
    }
    if let Some(text) = &arguments.expires {
        flag.expires_at = if text.is_empty() { None } else { Some(moment::parse(text, now)?) };
    }
    Ok(())
}

/// A rollout for a flag that has none yet.
pub(super) fn rollout_of(flag: &Flag, percent: Percent) -> Rollout {
    Rollout {
        percent,
        // Unleash clients agree on whole percent only.
        algorithm: if percent.as_whole().is_some() { Algorithm::Unleash1 } else { Algorithm::Plimsoll1 },
        salt: flag.salt.clone(),
        stages: Vec::new(),
        constraints: Vec::new(),
        segments: Vec::new(),
    }
}

/// All options of `flag set`.
pub(super) fn apply(flag: &mut Flag, arguments: &SetArguments, now: &str) -> Result<(), EngineError> {
    about(flag, &arguments.about, now)?;
    if let Some(key) = &arguments.key {
        flag.key.clone_from(key);
    }
    rollout(flag, arguments, now)?;
    rules(flag, arguments)?;
    variants(flag, arguments)?;
    prerequisites(flag, arguments);
    triggers(flag, arguments)?;
    state(flag, arguments)
}

fn state(flag: &mut Flag, arguments: &SetArguments) -> Result<(), EngineError> {
    let asks_for_people = arguments.percent.is_some_and(|percent| percent > Percent::NOBODY);
    if arguments.on {
        flag.state = State::On;
    } else if arguments.off {
        flag.state = State::Off;
    } else if asks_for_people && flag.state == State::Killed {
        return Err(EngineError::refused(format!(
            "`{0}` was killed\nhint: `plimsoll flag history {0}` tells why; --on turns it on again",
            flag.name
        )));
    } else if asks_for_people {
        flag.state = State::On;
    }
    Ok(())
}

fn rollout(flag: &mut Flag, arguments: &SetArguments, now: &str) -> Result<(), EngineError> {
    if arguments.everybody {
        flag.rollout = None;
    }
    let constraints = conditions(&arguments.conditions)?;
    let asked = arguments.percent.is_some()
        || arguments.algorithm.is_some()
        || arguments.salt.is_some()
        || !arguments.stages.is_empty()
        || !constraints.is_empty()
        || !arguments.segments.is_empty();
    if flag.rollout.is_none() && !asked {
        return Ok(());
    }
    // Conditions without a percentage mean all of those; a schedule alone starts at nobody.
    let narrows = !constraints.is_empty() || !arguments.segments.is_empty();
    let first = if narrows && arguments.stages.is_empty() { Percent::EVERYBODY } else { Percent::NOBODY };
    let percent = arguments.percent.unwrap_or(first);
    let fresh = rollout_of(flag, percent);
    let rollout = flag.rollout.get_or_insert(fresh);
    if let Some(percent) = arguments.percent {
        rollout.percent = percent;
        // A percentage is what holds from now on: stages of the past would take it back at once.
        rollout.stages.retain(|stage| stage.at.as_str() > now);
    }
    if let Some(algorithm) = arguments.algorithm {
        rollout.algorithm = algorithm.into();
    }
    if let Some(salt) = &arguments.salt {
        rollout.salt.clone_from(salt);
    }
    if arguments.no_stages {
        rollout.percent = rollout.percent_at(now);
        rollout.stages.clear();
    }
    if !arguments.stages.is_empty() {
        rollout.percent = arguments.percent.unwrap_or_else(|| rollout.percent_at(now));
        rollout.stages = arguments
            .stages
            .iter()
            .map(|(at, percent)| {
                let percent =
                    percent.parse::<Percent>().map_err(|error| EngineError::usage(error.to_string()))?;
                Ok(Stage { at: moment::parse(at, now)?, percent })
            })
            .collect::<Result<_, EngineError>>()?;
        rollout.stages.sort_by(|a, b| a.at.cmp(&b.at));
    }
    if arguments.anywhere {
        rollout.constraints.clear();
        rollout.segments.clear();
    }
    if !constraints.is_empty() {
        rollout.constraints = constraints;
    }
    if !arguments.segments.is_empty() {
        rollout.segments.clone_from(&arguments.segments);
    }
    Ok(())
}

fn conditions(texts: &[String]) -> Result<Vec<Constraint>, EngineError> {
    let parsed = texts.iter().map(|text| condition::parse(text)).collect::<Result<Vec<_>, _>>();
    parsed.map_err(|error| EngineError::usage(error.to_string()))
}

fn rules(flag: &mut Flag, arguments: &SetArguments) -> Result<(), EngineError> {
    if arguments.no_rules {
        flag.rules.clear();
    }
    if !arguments.rules.is_empty() {
        flag.rules = arguments
            .rules
            .iter()
            .map(|text| {
                let parts: Vec<String> = text.split('&').map(|part| part.trim().to_owned()).collect();
                Ok(Rule::of(conditions(&parts)?))
            })
            .collect::<Result<_, EngineError>>()?;
    }
    Ok(())
}

fn variants(flag: &mut Flag, arguments: &SetArguments) -> Result<(), EngineError> {
    if arguments.no_variants {
        flag.variants.clear();
    }
    if !arguments.variants.is_empty() {
        flag.variants = arguments
            .variants
            .iter()
            .map(|(name, text)| {
                let (weight, value) = text.split_once(':').map_or((text.as_str(), None), |(w, v)| (w, Some(v)));
                let weight = weight.trim().parse::<i32>().ok().filter(|weight| *weight >= 0).ok_or_else(|| {
                    EngineError::usage(format!(
                        "the weight of `{name}` is `{weight}`\nhint: --variant NAME=WEIGHT[:VALUE], with a whole number"
                    ))
                })?;
                let value = value.map(|text| {
                    serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::String(text.to_owned()))
                });
                Ok(Variant { name: name.clone(), weight, value, ..Variant::default() })
            })
            .collect::<Result<_, EngineError>>()?;
    }
    if let Some(name) = &arguments.default_variant {
        flag.default_variant = (!name.is_empty()).then(|| name.clone());
    }
    Ok(())
}

fn prerequisites(flag: &mut Flag, arguments: &SetArguments) {
    if arguments.no_requires {
        flag.requires.clear();
    }
    if !arguments.requires.is_empty() {
        flag.requires = arguments
            .requires
            .iter()
            .map(|text| {
                let (on, name) = text.strip_prefix('!').map_or((true, text.as_str()), |name| (false, name));
                Prerequisite { flag: name.to_owned(), on, variants: Vec::new() }
            })
            .collect();
    }
}

fn triggers(flag: &mut Flag, arguments: &SetArguments) -> Result<(), EngineError> {
    if arguments.no_triggers {
        flag.triggers.clear();
    }
    if !arguments.triggers.is_empty() {
        let action = arguments.trigger_percent.map_or(TriggerAction::Kill, TriggerAction::Percent);
        let minimum_sample = arguments.minimum_sample;
        let measures = arguments
            .measures
            .iter()
            .map(|(name, source)| Ok((name.clone(), source.parse().map_err(EngineError::usage)?)))
            .collect::<Result<BTreeMap<String, MeasureSource>, EngineError>>()?;
        let one = |(name, when): &(String, String)| Trigger {
            name: name.clone(),
            when: when.clone(),
            minimum_sample,
            measures: measures.clone(),
            action,
        };
        flag.triggers = arguments.triggers.iter().map(one).collect();
    }
    Ok(())
}
