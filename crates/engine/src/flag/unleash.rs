//! A flag as the evaluator takes it, and Unleash documents as flags.
//!
//! Owns the translation in both directions. An imported feature keeps every part that decides; the tests run the Unleash
//! client specification through it. Two translations out: `compile` for our own evaluator, in which a flag goes by its
//! salt, so that renaming it moves nobody; and `feed` for Unleash clients, in which it goes by its name.

use std::collections::{BTreeMap, HashMap};

use plimsoll_core::flag::bucket::BucketField;
use plimsoll_core::flag::{
    Algorithm, Constraint, Flag, Operator, Percent, Prerequisite, Rollout, Rule, RuleVariant, Segment, State,
    Variant,
};
use serde_json::Value as Json;
use unleash_types::client_features as wire;

use crate::error::EngineError;

/// The members of exact quotas, by salt and percentage of the rollout.
pub(super) type Quotas = BTreeMap<Percent, Vec<String>>;

/// Which part of a flag a strategy stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// The allow list, with the variant that those on it get.
    Allow(Option<String>),
    /// The rollout, from a stage on.
    Rollout(Percent),
    /// A rule, by its place from 0.
    Rule(usize),
    /// Everybody.
    Everybody,
}

/// The strategies of a flag with the part that each stands for, in the order in which they decide.
pub(super) fn strategies(flag: &Flag, quotas: &Quotas) -> Vec<(Part, wire::Strategy)> {
    let mut out = Vec::new();
    let mut by_variant: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    for (key, variant) in &flag.allow {
        by_variant.entry(variant.as_deref()).or_default().push(key.clone());
    }
    // Those with a fixed variant first: the first strategy that matches decides the variant.
    for (variant, keys) in by_variant.into_iter().rev() {
        let mut rule = Rule::of(vec![Constraint::one_of(&flag.key, keys)]);
        if let Some(variant) = variant.and_then(|name| flag.variant(name)) {
            rule.variants = vec![RuleVariant {
                name: variant.name.clone(),
                weight: 1_000,
                value: variant.value.clone(),
                payload_type: variant.payload_type.clone(),
                stickiness: None,
            }];
        }
        out.push((Part::Allow(variant.map(str::to_owned)), rule));
    }
    if let Some(rollout) = &flag.rollout {
        out.extend(rollout_rules(flag, rollout, quotas));
    }
    out.extend(flag.rules.iter().cloned().enumerate().map(|(at, rule)| (Part::Rule(at), rule)));
    if flag.rollout.is_none() && flag.rules.is_empty() {
        out.push((Part::Everybody, Rule::of(Vec::new())));
    }
    if !flag.deny.is_empty() {
        let denied: Vec<String> = flag.deny.iter().cloned().collect();
        for (_, rule) in &mut out {
            rule.constraints.push(Constraint::one_of(&flag.key, denied.clone()).inverse());
        }
    }
    out.into_iter().map(|(part, rule)| (part, strategy(&rule))).collect()
}

fn rollout_rules(flag: &Flag, rollout: &Rollout, quotas: &Quotas) -> Vec<(Part, Rule)> {
    let starts = rollout.stages.iter().map(|stage| (Some(stage.at.as_str()), stage.percent));
    let starts: Vec<(Option<&str>, Percent)> = [(None, rollout.percent)].into_iter().chain(starts).collect();
    let mut out = Vec::new();
    for (at, (start, percent)) in starts.iter().enumerate() {
        let mut rule = rollout_rule(flag, rollout, *percent, quotas);
        // From this moment on, included: not before it.
        if let Some(start) = start {
            rule.constraints.push(Constraint::than("currentTime", Operator::DateBefore, *start).inverse());
        }
        if let Some((Some(end), _)) = starts.get(at + 1) {
            rule.constraints.push(Constraint::than("currentTime", Operator::DateBefore, *end));
        }
        out.push((Part::Rollout(*percent), rule));
    }
    out
}

fn rollout_rule(flag: &Flag, rollout: &Rollout, percent: Percent, quotas: &Quotas) -> Rule {
    let mut rule = Rule { segments: rollout.segments.clone(), ..Rule::of(rollout.constraints.clone()) };
    match (rollout.algorithm, percent.as_whole()) {
        (Algorithm::Unleash1, Some(whole)) => {
            rule.strategy = "flexibleRollout".into();
            rule.parameters = BTreeMap::from([
                ("rollout".to_owned(), whole.to_string()),
                ("stickiness".to_owned(), flag.key.clone()),
                ("groupId".to_owned(), rollout.salt.clone()),
            ]);
        }
        (Algorithm::Quota1, _) => {
            let members = quotas.get(&percent).cloned().unwrap_or_default();
            rule.constraints.push(Constraint::one_of(&flag.key, members));
        }
        (algorithm, _) => {
            let (buckets, key, salt) = (10_000, flag.key.clone(), rollout.salt.clone());
            let field = BucketField { algorithm, buckets, key, salt };
            let end = percent.hundredths().to_string();
            rule.constraints.push(Constraint::than(field.name(), Operator::NumLt, end));
        }
    }
    rule
}

/// A flag for our own evaluator. `salts` gives the salt of each flag by its name.
pub(super) fn compile(flag: &Flag, quotas: &Quotas, salts: &HashMap<String, String>) -> wire::ClientFeature {
    let required = |prerequisite: &Prerequisite| wire::FeatureDependency {
        // A name that no salt has: what is not there is not fulfilled.
        feature: salts
            .get(&prerequisite.flag)
            .cloned()
            .unwrap_or_else(|| format!("\u{0}{}", prerequisite.flag)),
        enabled: Some(prerequisite.on),
        variants: (!prerequisite.variants.is_empty()).then(|| prerequisite.variants.clone()),
    };
    wire::ClientFeature {
        name: flag.salt.clone(),
        enabled: flag.state == State::On,
        strategies: Some(strategies(flag, quotas).into_iter().map(|(_, strategy)| strategy).collect()),
        variants: variants(flag),
        dependencies: (!flag.requires.is_empty()).then(|| flag.requires.iter().map(required).collect()),
        ..wire::ClientFeature::default()
    }
}

fn variants(flag: &Flag) -> Option<Vec<wire::Variant>> {
    let one = |variant: &Variant| wire::Variant {
        name: variant.name.clone(),
        weight: variant.weight.max(0),
        weight_type: None,
        stickiness: Some(variant.stickiness.clone().unwrap_or_else(|| flag.key.clone())),
        payload: payload(variant.value.as_ref(), variant.payload_type.as_deref()),
        overrides: (!variant.overrides.is_empty()).then(|| {
            let each = |(context_name, values): &(String, Vec<String>)| wire::Override {
                context_name: context_name.clone(),
                values: values.clone(),
            };
            variant.overrides.iter().map(each).collect()
        }),
    };
    (!flag.variants.is_empty()).then(|| flag.variants.iter().map(one).collect())
}

/// The segments as the evaluator takes them.
pub(super) fn segments(segments: &[Segment]) -> Option<Vec<wire::Segment>> {
    let one = |segment: &Segment| wire::Segment {
        id: segment.number,
        constraints: segment.constraints.iter().map(constraint).collect(),
    };
    (!segments.is_empty()).then(|| segments.iter().map(one).collect())
}

/// A rule as a strategy.
pub(super) fn strategy(rule: &Rule) -> wire::Strategy {
    let variant = |variant: &RuleVariant| wire::StrategyVariant {
        name: variant.name.clone(),
        weight: variant.weight.max(0),
        payload: payload(variant.value.as_ref(), variant.payload_type.as_deref()),
        stickiness: variant.stickiness.clone(),
    };
    wire::Strategy {
        name: rule.strategy.clone(),
        sort_order: None,
        segments: (!rule.segments.is_empty()).then(|| rule.segments.clone()),
        constraints: (!rule.constraints.is_empty())
            .then(|| rule.constraints.iter().map(constraint).collect()),
        parameters: (!rule.parameters.is_empty())
            .then(|| rule.parameters.iter().map(|(name, text)| (name.clone(), text.clone())).collect()),
        variants: (!rule.variants.is_empty()).then(|| rule.variants.iter().map(variant).collect()),
    }
}

/// A constraint as Unleash writes it.
pub(super) fn constraint(constraint: &Constraint) -> wire::Constraint {
    wire::Constraint {
        context_name: constraint.field.clone(),
        operator: operator(&constraint.operator),
        case_insensitive: constraint.ignore_case,
        inverted: constraint.inverted,
        values: Some(constraint.values.clone()),
        value: constraint.value.clone(),
    }
}

fn operator(operator: &Operator) -> wire::Operator {
    use wire::Operator as Wire;
    match operator {
        Operator::In => Wire::In,
        Operator::NotIn => Wire::NotIn,
        Operator::StrStartsWith => Wire::StrStartsWith,
        Operator::StrEndsWith => Wire::StrEndsWith,
        Operator::StrContains => Wire::StrContains,
        Operator::NumEq => Wire::NumEq,
        Operator::NumGt => Wire::NumGt,
        Operator::NumGte => Wire::NumGte,
        Operator::NumLt => Wire::NumLt,
        Operator::NumLte => Wire::NumLte,
        Operator::DateAfter => Wire::DateAfter,
        Operator::DateBefore => Wire::DateBefore,
        Operator::SemverEq => Wire::SemverEq,
        Operator::SemverGt => Wire::SemverGt,
        Operator::SemverGte => Wire::SemverGte,
        Operator::SemverLt => Wire::SemverLt,
        Operator::SemverLte => Wire::SemverLte,
        Operator::InCidr => Wire::InCidr,
        Operator::Regex => Wire::RegexMatch,
        Operator::Unknown(word) => Wire::Unknown(word.clone()),
    }
}

fn operator_of(operator: &wire::Operator) -> Operator {
    use wire::Operator as Wire;
    match operator {
        Wire::In => Operator::In,
        Wire::NotIn => Operator::NotIn,
        Wire::StrStartsWith => Operator::StrStartsWith,
        Wire::StrEndsWith => Operator::StrEndsWith,
        Wire::StrContains => Operator::StrContains,
        Wire::NumEq => Operator::NumEq,
        Wire::NumGt => Operator::NumGt,
        Wire::NumGte => Operator::NumGte,
        Wire::NumLt => Operator::NumLt,
        Wire::NumLte => Operator::NumLte,
        Wire::DateAfter => Operator::DateAfter,
        Wire::DateBefore => Operator::DateBefore,
        Wire::SemverEq => Operator::SemverEq,
        Wire::SemverGt => Operator::SemverGt,
        Wire::SemverGte => Operator::SemverGte,
        Wire::SemverLt => Operator::SemverLt,
        Wire::SemverLte => Operator::SemverLte,
        Wire::InCidr => Operator::InCidr,
        Wire::RegexMatch => Operator::Regex,
        Wire::Unknown(word) => Operator::Unknown(word.clone()),
    }
}

/// A variant's value as an Unleash payload. Texts that were imported keep their type.
fn payload(value: Option<&Json>, declared: Option<&str>) -> Option<wire::Payload> {
    let (payload_type, text) = match (value?, declared) {
        (Json::String(text), declared) => (declared.unwrap_or("string"), text.clone()),
        (Json::Number(number), declared) => (declared.unwrap_or("number"), number.to_string()),
        (Json::Bool(value), declared) => (declared.unwrap_or("boolean"), value.to_string()),
        (other, declared) => (declared.unwrap_or("json"), other.to_string()),
    };
    Some(wire::Payload { payload_type: payload_type.to_owned(), value: text })
}

/// The value that a payload stands for.
pub(super) fn value_of(payload: &wire::Payload) -> Json {
    let parsed = match payload.payload_type.as_str() {
        "number" | "json" | "boolean" => serde_json::from_str(&payload.value).ok(),
        _ => None,
    };
    parsed.unwrap_or_else(|| Json::String(payload.value.clone()))
}

/// Reads an Unleash document (`/api/client/features`) into flags and segments.
///
/// # Errors
/// Usage when it is none.
pub fn parse(text: &str) -> Result<(Vec<Flag>, Vec<Segment>), EngineError> {
    let document: wire::ClientFeatures = serde_json::from_str(text)
        .map_err(|error| EngineError::usage(format!("it is no Unleash document: {error}")))?;
    Ok(read(&document))
}

/// The flags and segments of an Unleash document.
pub fn read(document: &wire::ClientFeatures) -> (Vec<Flag>, Vec<Segment>) {
    let segment = |segment: &wire::Segment| Segment {
        number: segment.id,
        name: format!("segment {}", segment.id),
        constraints: segment.constraints.iter().map(constraint_of).collect(),
    };
    let segments = document.segments.iter().flatten().map(segment).collect();
    (document.features.iter().map(import).collect(), segments)
}

/// An Unleash feature as a flag. Everything that decides is kept.
pub fn import(feature: &wire::ClientFeature) -> Flag {
    let text =
        |payload: &Option<wire::Payload>| payload.as_ref().map(|payload| Json::String(payload.value.clone()));
    let kind = |payload: &Option<wire::Payload>| payload.as_ref().map(|payload| payload.payload_type.clone());
    let mut flag = Flag::new(&feature.name);
    flag.description = feature.description.clone().unwrap_or_default();
    flag.purpose = feature.feature_type.clone().unwrap_or_default();
    flag.project = feature.project.clone();
    flag.impression_data = feature.impression_data.unwrap_or_default();
    flag.state = if feature.enabled { State::On } else { State::Off };
    flag.rules = feature.strategies.iter().flatten().map(rule_of).collect();
    for variant in feature.variants.iter().flatten() {
        flag.variants.push(Variant {
            name: variant.name.clone(),
            weight: variant.weight,
            value: text(&variant.payload),
            payload_type: kind(&variant.payload),
            stickiness: Some(variant.stickiness.clone().unwrap_or_else(|| "default".to_owned())),
            overrides: variant
                .overrides
                .iter()
                .flatten()
                .map(|each| (each.context_name.clone(), each.values.clone()))
                .collect(),
        });
    }
    for dependency in feature.dependencies.iter().flatten() {
        flag.requires.push(Prerequisite {
            flag: dependency.feature.clone(),
            on: dependency.enabled.unwrap_or(true),
            variants: dependency.variants.clone().unwrap_or_default(),
        });
    }
    flag
}

fn rule_of(strategy: &wire::Strategy) -> Rule {
    Rule {
        strategy: strategy.name.clone(),
        parameters: strategy
            .parameters
            .iter()
            .flatten()
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect(),
        constraints: strategy.constraints.iter().flatten().map(constraint_of).collect(),
        segments: strategy.segments.clone().unwrap_or_default(),
        variants: strategy
            .variants
            .iter()
            .flatten()
            .map(|variant| RuleVariant {
                name: variant.name.clone(),
                weight: variant.weight,
                value: variant.payload.as_ref().map(|payload| Json::String(payload.value.clone())),
                payload_type: variant.payload.as_ref().map(|payload| payload.payload_type.clone()),
                stickiness: variant.stickiness.clone(),
            })
            .collect(),
    }
}

/// A constraint of an Unleash document.
pub fn constraint_of(constraint: &wire::Constraint) -> Constraint {
    Constraint {
        field: constraint.context_name.clone(),
        operator: operator_of(&constraint.operator),
        values: constraint.values.clone().unwrap_or_default(),
        value: constraint.value.clone(),
        inverted: constraint.inverted,
        ignore_case: constraint.case_insensitive,
    }
}

/// What Unleash clients get, and what they cannot be told.
#[derive(Debug, Clone)]
pub struct Feed {
    /// The document.
    pub document: wire::ClientFeatures,
    /// Flags that such a client would decide otherwise, with the reason. It keeps them off.
    pub differs: Vec<(String, String)>,
}

/// The flags as Unleash clients take them: by name, with everything that is hashed spelt out.
pub(super) fn feed<'a>(flags: impl Iterator<Item = (&'a Flag, &'a Quotas)>, shared: &[Segment]) -> Feed {
    let mut differs = Vec::new();
    let mut features = Vec::new();
    for (flag, quotas) in flags {
        let mut feature = compile(flag, quotas, &HashMap::new());
        feature.name.clone_from(&flag.name);
        feature.feature_type = (!flag.purpose.is_empty()).then(|| flag.purpose.clone());
        feature.description = (!flag.description.is_empty()).then(|| flag.description.clone());
        feature.project = Some(flag.project.clone().unwrap_or_else(|| "default".to_owned()));
        feature.impression_data = Some(flag.impression_data);
        for (dependency, required) in feature.dependencies.iter_mut().flatten().zip(&flag.requires) {
            dependency.feature.clone_from(&required.flag);
        }
        if flag.name != flag.salt {
            by_salt(flag, &mut feature, &mut differs);
        }
        let computed = |strategy: &wire::Strategy| {
            strategy.constraints.iter().flatten().any(|c| BucketField::parse(&c.context_name).is_some())
        };
        if feature.strategies.iter().flatten().any(computed) {
            let what = "it is hashed by an algorithm that Unleash clients do not have";
            differs.push((flag.name.clone(), what.to_owned()));
        }
        features.push(feature);
    }
    features.sort_by(|a, b| a.name.cmp(&b.name));
    let document =
        wire::ClientFeatures { version: 2, features, segments: segments(shared), query: None, meta: None };
    Feed { document, differs }
}

/// A renamed flag: clients hash with the name unless a group is named, so the salt is named as the group.
fn by_salt(flag: &Flag, feature: &mut wire::ClientFeature, differs: &mut Vec<(String, String)>) {
    let own = feature.variants.take().unwrap_or_default();
    if own.iter().any(|variant| variant.overrides.is_some()) {
        let what =
            "it was renamed and its variants have overrides, which Unleash clients find by the name only";
        differs.push((flag.name.clone(), what.to_owned()));
    }
    for strategy in feature.strategies.iter_mut().flatten() {
        let parameters = strategy.parameters.get_or_insert_with(HashMap::new);
        let group = parameters.entry("groupId".to_owned()).or_insert_with(|| flag.salt.clone());
        if strategy.variants.as_ref().is_none_or(Vec::is_empty) && !own.is_empty() {
            if *group != flag.salt {
                let what =
                    "it was renamed and shares its rollout's salt, so its variants would be hashed otherwise";
                differs.push((flag.name.clone(), what.to_owned()));
            }
            let stickiness = own.first().and_then(|variant| variant.stickiness.clone());
            parameters.entry("stickiness".to_owned()).or_insert_with(|| stickiness.unwrap_or_default());
            let each = |variant: &wire::Variant| wire::StrategyVariant {
                name: variant.name.clone(),
                weight: variant.weight,
                payload: variant.payload.clone(),
                stickiness: variant.stickiness.clone(),
            };
            strategy.variants = Some(own.iter().map(each).collect());
        }
    }
}
