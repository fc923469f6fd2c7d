//! Reading flagd definitions.

use std::collections::BTreeMap;

use plimsoll_core::flag::{Algorithm, Constraint, Flag, Rule, RuleVariant, State, Variant};
use serde_json::{Map, Value as Json};

use super::logic::{Alternatives, Scope, both};
use super::{Imported, Unsupported};
use crate::error::EngineError;

/// Reads a document. `algorithm` is the generation of flagd whose members are kept.
///
/// # Errors
/// Usage when it is no flagd document, or `algorithm` is none of flagd's.
pub fn import(text: &str, algorithm: Algorithm) -> Result<Imported, EngineError> {
    if !matches!(algorithm, Algorithm::Flagd1 | Algorithm::Flagd2 | Algorithm::Flagd3) {
        return Err(EngineError::usage(format!(
            "`{algorithm}` is not how flagd hashes\nhint: flagd-1 (until March 2026), flagd-2 (until October 2026), flagd-3"
        )));
    }
    let fault = |what: &str| EngineError::usage(format!("it is no flagd document: {what}"));
    let document: Json = serde_json::from_str(text).map_err(|error| fault(&error.to_string()))?;
    let evaluators: BTreeMap<String, Json> = document
        .get("$evaluators")
        .and_then(Json::as_object)
        .map(|all| all.iter().map(|(name, rule)| (name.clone(), rule.clone())).collect())
        .unwrap_or_default();
    let named: Vec<(String, &Json)> = match document.get("flags") {
        Some(Json::Object(flags)) => flags.iter().map(|(name, flag)| (name.clone(), flag)).collect(),
        Some(Json::Array(flags)) => flags
            .iter()
            .map(|flag| Some((flag.get("key")?.as_str()?.to_owned(), flag)))
            .collect::<Option<_>>()
            .ok_or_else(|| fault("a flag in the list has no `key`"))?,
        _ => return Err(fault("it has no `flags`")),
    };
    let mut imported = Imported::default();
    for (name, definition) in named {
        let Some(definition) = definition.as_object() else {
            return Err(fault(&format!("`{name}` is no object")));
        };
        let scope = Scope { flag: &name, evaluators: &evaluators, algorithm };
        match read(&scope, definition) {
            Ok(flag) => imported.flags.push(flag),
            Err(construct) => {
                imported.unsupported.push(Unsupported { flag: name.clone(), construct, left_out: true });
            }
        }
        let decides = ["state", "variants", "defaultVariant", "targeting", "key"];
        for member in definition.keys().filter(|member| !decides.contains(&member.as_str())) {
            let construct = format!("`{member}`");
            imported.unsupported.push(Unsupported { flag: name.clone(), construct, left_out: false });
        }
    }
    Ok(imported)
}

fn read(scope: &Scope<'_>, definition: &Map<String, Json>) -> Result<Flag, String> {
    let mut flag = Flag::new(scope.flag);
    flag.state = match definition.get("state").and_then(Json::as_str) {
        Some("ENABLED") => State::On,
        Some("DISABLED") => State::Off,
        other => return Err(format!("the state {other:?}")),
    };
    let variants = definition.get("variants").and_then(Json::as_object).ok_or("no `variants`")?;
    for (name, value) in variants {
        flag.variants.push(Variant { name: name.clone(), value: Some(value.clone()), ..Variant::default() });
    }
    flag.default_variant = match definition.get("defaultVariant") {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) if flag.variant(name).is_some() => Some(name.clone()),
        Some(other) => return Err(format!("the default variant {other}")),
    };
    let targeting =
        definition.get("targeting").filter(|rule| rule.as_object().is_some_and(|rule| !rule.is_empty()));
    let mut rules = Vec::new();
    if let Some(rule) = targeting {
        outcome(scope, &flag, rule, &vec![Vec::new()], &mut rules)?;
    }
    if rules.is_empty() {
        // Nobody is matched, so that everybody gets the default variant.
        let nobody = vec![vec![Constraint::one_of("userId", Vec::new())]];
        let any = flag.variants.first().map(|variant| variant.name.clone()).ok_or("no variant at all")?;
        give(&flag, &any, &nobody, &mut rules)?;
    }
    flag.rules = rules;
    Ok(flag)
}

/// Appends the rules of what a targeting rule results in, where `when` holds.
fn outcome(
    scope: &Scope<'_>,
    flag: &Flag,
    rule: &Json,
    when: &Alternatives,
    rules: &mut Vec<Rule>,
) -> Result<(), String> {
    let rule = scope.resolve(rule)?;
    let fixed = match rule {
        Json::String(name) => Some(name.clone()),
        Json::Bool(value) => Some(value.to_string()),
        Json::Null => {
            let name = flag.default_variant.clone();
            Some(name.ok_or("a `null` before other rules, without a default variant")?)
        }
        _ => None,
    };
    if let Some(name) = fixed {
        return give(flag, &name, when, rules);
    }
    let Some((operation, arguments)) =
        rule.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next())
    else {
        return Err(format!("the result {rule}"));
    };
    let single = std::slice::from_ref(arguments);
    let arguments = arguments.as_array().map_or(single, Vec::as_slice);
    match operation.as_str() {
        "if" => {
            let mut parts = arguments.chunks(2);
            for part in &mut parts {
                match part {
                    [condition, result] => {
                        let within = both(when, &scope.alternatives(condition)?)?;
                        outcome(scope, flag, result, &within, rules)?;
                    }
                    [Json::Null] => break,
                    [result] => outcome(scope, flag, result, when, rules)?,
                    _ => {}
                }
            }
            // An `if` without `else` inside another one results in null there.
            if arguments.len().is_multiple_of(2) && *when != vec![Vec::new()] {
                outcome(scope, flag, &Json::Null, when, rules)?;
            }
            Ok(())
        }
        "fractional" => fractional(scope, flag, arguments, when, rules),
        other => {
            // A condition as a result: the variants `true` and `false`.
            let holds =
                scope.alternatives(rule).map_err(|_| format!("the operation `{other}` as a result"))?;
            give(flag, "true", &both(when, &holds)?, rules)?;
            give(flag, "false", when, rules)
        }
    }
}

fn give(flag: &Flag, name: &str, when: &Alternatives, rules: &mut Vec<Rule>) -> Result<(), String> {
    let variant = flag.variant(name).ok_or_else(|| format!("the variant `{name}`, which there is not"))?;
    for constraints in when {
        let variants = vec![RuleVariant {
            name: variant.name.clone(),
            weight: 1_000,
            value: variant.value.clone(),
            ..RuleVariant::default()
        }];
        rules.push(Rule { variants, ..Rule::of(constraints.clone()) });
    }
    Ok(())
}

fn fractional(
    scope: &Scope<'_>,
    flag: &Flag,
    arguments: &[Json],
    when: &Alternatives,
    rules: &mut Vec<Rule>,
) -> Result<(), String> {
    let shares = scope.shares(arguments)?;
    for (name, range) in shares.ranges() {
        give(flag, name, &both(when, &vec![range])?, rules)?;
    }
    Ok(())
}
