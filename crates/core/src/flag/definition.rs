//! What a flag is.
//!
//! Owns the types that are stored, printed as JSON and kept in the audit log. Rules, constraints and segments have the
//! shape of the Unleash feature model, so that any Unleash document can be kept without loss. It evaluates nothing.
//!
//! The order in which a flag decides, first match wins: its state (off means off for everybody), its prerequisites, the
//! deny list, the allow list, the rollout and the rules. A flag without a rollout and without rules is on for everybody
//! once it is on.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::bucket::Algorithm;
use super::measure::MeasureSource;
use super::percent::Percent;

/// The context field that says who asks, unless a flag names another: OFREP's `targetingKey` is the same field.
pub const DEFAULT_KEY: &str = "userId";

/// Whether a flag decides at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Off for everybody. A new flag is off.
    #[default]
    Off,
    /// It decides by its lists, rollout and rules.
    On,
    /// Off for everybody by the kill switch; only an explicit `on` turns it on again.
    Killed,
}

impl State {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Killed => "killed",
        }
    }
}

/// A flag.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// What programs ask for.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// What sort of flag it is, as Unleash names them: `release`, `experiment`, `operational`, `kill-switch`, `permission`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
    /// Whether it decides at all.
    #[serde(default)]
    pub state: State,
    /// What is hashed with a key: the name that the flag was created with, unless another flag has that. It stays when the
    /// flag is renamed.
    #[serde(default)]
    pub salt: String,
    /// The context field that the lists and the rollout look at.
    #[serde(default = "default_key", skip_serializing_if = "is_default_key")]
    pub key: String,
    /// Keys that never get it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deny: BTreeSet<String>,
    /// Keys that always get it, with the variant they get, where one is fixed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub allow: BTreeMap<String, Option<String>>,
    /// The percentage that gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,
    /// Further ways to get it; the first that matches decides the variant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// What there is to get, beyond on and off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// The variant of those whom no rule matches; absent: they get the caller's own default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_variant: Option<String>,
    /// Other flags that must be on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Prerequisite>,
    /// When it should be gone from the code, as `YYYY-MM-DDTHH:MM:SS.fffZ`. A date that has passed is reported and changes
    /// nothing for anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What turns it down or off by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// The Unleash project, where it was imported with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Whether Unleash clients report each evaluation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub impression_data: bool,
}

fn default_key() -> String {
    DEFAULT_KEY.to_owned()
}

fn is_default_key(key: &str) -> bool {
    key == DEFAULT_KEY
}

impl Flag {
    /// A new flag: off, for everybody once it is on.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { salt: name.clone(), name, key: default_key(), ..Self::default() }
    }

    /// True when some people can get it: it is on, and not at 0 % with nobody allowed and no rule.
    pub fn is_live(&self) -> bool {
        let nobody = self.rollout.as_ref().is_some_and(|rollout| {
            rollout.percent == Percent::NOBODY && rollout.stages.iter().all(|s| s.percent == Percent::NOBODY)
        });
        self.state == State::On && !(nobody && self.allow.is_empty() && self.rules.is_empty())
    }

    /// The variant called `name`.
    pub fn variant(&self, name: &str) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    /// True when every variant's value is true or false: whether the flag is on is then the variant's value.
    pub fn has_boolean_variants(&self) -> bool {
        !self.variants.is_empty()
            && self.variants.iter().all(|variant| matches!(variant.value, Some(Json::Bool(_))))
    }
}

/// A percentage rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// The share that gets it before the first stage.
    pub percent: Percent,
    /// How keys are hashed.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// What is hashed with the key. It stays when the flag is renamed; flags that share it have the same members.
    pub salt: String,
    /// Later percentages, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Stage>,
    /// Only contexts that keep all of these take part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// Only contexts within all of these segments take part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<i32>,
}

impl Rollout {
    /// The percentage at a time, given as `YYYY-MM-DDTHH:MM:SS.fffZ`.
    pub fn percent_at(&self, at: &str) -> Percent {
        let reached = self.stages.iter().rfind(|stage| stage.at.as_str() <= at);
        reached.map_or(self.percent, |stage| stage.percent)
    }

    /// The largest percentage of all stages, from `at` on.
    pub fn largest_from(&self, at: &str) -> Percent {
        let later = self.stages.iter().filter(|stage| stage.at.as_str() > at).map(|stage| stage.percent);
        later.chain([self.percent_at(at)]).max().unwrap_or_default()
    }
}

/// A percentage from a date on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// From when on, as `YYYY-MM-DDTHH:MM:SS.fffZ`.
    pub at: String,
    /// The share.
    pub percent: Percent,
}

/// One way to get a flag, in the shape of an Unleash strategy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The strategy: `default` (constraints alone), `flexibleRollout`, `userWithId`, `remoteAddress`, ...
    #[serde(default = "default_strategy")]
    pub strategy: String,
    /// The strategy's parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    /// All of these must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Constraint>,
    /// The context must be within all of these segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<i32>,
    /// Variants of those whom this rule matches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<RuleVariant>,
}

fn default_strategy() -> String {
    "default".to_owned()
}

impl Rule {
    /// A rule of constraints alone.
    pub fn of(constraints: Vec<Constraint>) -> Self {
        Self { strategy: default_strategy(), constraints, ..Self::default() }
    }
}

/// A variant within a rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleVariant {
    /// Its name.
    pub name: String,
    /// Its share of the sum of all weights.
    pub weight: i32,
    /// What the program gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// The Unleash payload's type, where it was imported with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// The context field that decides; absent: the rule's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<String>,
}

/// Something to get.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its share of the sum of all weights.
    pub weight: i32,
    /// What the program gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// The Unleash payload's type, where it was imported with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_type: Option<String>,
    /// The context field that decides; absent: the flag's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stickiness: Option<String>,
    /// Contexts that always get this variant: a field and its values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<(String, Vec<String>)>,
}

/// A flag that must be on, or off, or show one of some variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prerequisite {
    /// The flag.
    pub flag: String,
    /// Whether it must be on; `false` asks for off.
    #[serde(default = "yes")]
    pub on: bool,
    /// One of these variants, when there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<String>,
}

fn yes() -> bool {
    true
}

/// How a context field is compared. The words are those of Unleash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the words say it")]
pub enum Operator {
    In,
    NotIn,
    StrStartsWith,
    StrEndsWith,
    StrContains,
    NumEq,
    NumGt,
    NumGte,
    NumLt,
    NumLte,
    DateAfter,
    DateBefore,
    SemverEq,
    SemverGt,
    SemverGte,
    SemverLt,
    SemverLte,
    InCidr,
    Regex,
    /// A word of a later Unleash; a rule with it never matches.
    #[serde(untagged)]
    Unknown(String),
}

/// A condition on one context field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// The field; `currentTime` is the time of the evaluation.
    pub field: String,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with, for operators on lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What it is compared with, for operators on one value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether the result is turned around.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inverted: bool,
    /// Whether large and small letters are the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_case: bool,
}

impl Constraint {
    /// The field has one of these values.
    pub fn one_of(field: impl Into<String>, values: Vec<String>) -> Self {
        let (operator, value) = (Operator::In, None);
        Self { field: field.into(), operator, values, value, inverted: false, ignore_case: false }
    }

    /// The field compares so with one value.
    pub fn than(field: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        let value = Some(value.into());
        Self { field: field.into(), operator, values: Vec::new(), value, inverted: false, ignore_case: false }
    }

    /// The opposite.
    #[must_use]
    pub fn inverse(mut self) -> Self {
        self.inverted = !self.inverted;
        self
    }
}

/// Constraints with a name, shared by flags.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Its number, by which rules name it.
    pub number: i32,
    /// Its name.
    pub name: String,
    /// All of these must hold.
    pub constraints: Vec<Constraint>,
}

/// What turns a flag down or off by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// Its name, unique within the flag.
    pub name: String,
    /// A CEL expression over measures, such as `error_rate > 0.05`; true fires.
    pub when: String,
    /// How large the sample of every measure must be before it is judged at all.
    #[serde(default)]
    pub minimum_sample: u64,
    /// Where the measures come from, by the names that `when` uses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub measures: BTreeMap<String, MeasureSource>,
    /// What is done.
    pub action: TriggerAction,
}

/// What a trigger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerAction {
    /// Pulls the kill switch.
    Kill,
    /// Takes the rollout down to a percentage.
    Percent(Percent),
}
