//! All flags, ready to be asked.
//!
//! Owns the compiled state of one version of the flags and the evaluation against it. A snapshot never changes, so any
//! number of threads may ask it without a lock. Rules are evaluated by `unleash-yggdrasil`; what is added here is the time,
//! buckets that it does not know, values, and the reason of each answer.
//!
//! Invariant: what cannot be evaluated is off: an unknown flag, a rule that does not compile, a missing key.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, OnceLock};

use plimsoll_core::clock::Clock;
use plimsoll_core::flag::bucket::BucketField;
use plimsoll_core::flag::{Algorithm, Constraint, Flag, Percent, Segment, State, cohort};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use unleash_types::client_features::{ClientFeatures, Segment as WireSegment, Strategy};
use unleash_yggdrasil::EngineState;
use unleash_yggdrasil::state::{EnrichedContext, PropertiesCow, PropertiesRef};
use unleash_yggdrasil::strategy_parsing::{RuleFragment, compile_rule};
use unleash_yggdrasil::strategy_upgrade::upgrade;

use super::context::EvaluationContext;
use super::store::StoredFlag;
use super::unleash::{self, Feed, Part, Quotas};

/// Why an answer is what it is, in the words of OFREP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The same for everybody.
    Static,
    /// A list, a rule or a prerequisite decided.
    TargetingMatch,
    /// A percentage or the weights of variants decided.
    Split,
    /// The flag is off, or a flag that it requires is.
    Disabled,
    /// There is no such flag.
    Unknown,
}

impl Reason {
    /// OFREP's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The flag.
    pub flag: String,
    /// Whether the caller gets it.
    pub on: bool,
    /// The value; absent: the caller's own default.
    pub value: Option<Json>,
    /// The variant.
    pub variant: Option<String>,
    /// Why.
    pub reason: Reason,
    /// The version of the flag that answered; 0 when there is none.
    pub version: i64,
    /// True when the flag looks at a context field that the caller did not send (OFREP `TARGETING_KEY_MISSING`).
    pub key_missing: bool,
}

/// One flag, compiled.
pub(super) struct Compiled {
    pub(super) stored: Arc<StoredFlag>,
    pub(super) quotas: Quotas,
    /// Whether the answer depends on the time.
    timed: bool,
    /// Buckets to be computed before the rules are asked, each with the name that the rules ask for.
    buckets: Vec<(String, BucketField)>,
    boolean: bool,
    keyed: bool,
    fragments: OnceLock<Vec<(Part, RuleFragment)>>,
}

impl Compiled {
    fn flag(&self) -> &Flag {
        &self.stored.flag
    }
}

/// All flags at one version.
pub struct Snapshot {
    version: i64,
    engine: EngineState,
    flags: HashMap<String, Compiled>,
    segments: Vec<Segment>,
    wire_segments: HashMap<i32, WireSegment>,
    warnings: Vec<String>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("version", &self.version).field("flags", &self.flags.len()).finish()
    }
}

/// What a snapshot is made of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Definitions {
    /// The version of the whole.
    pub version: i64,
    /// The flags, without archived ones.
    pub flags: Vec<StoredFlag>,
    /// The segments.
    pub segments: Vec<Segment>,
    /// The known keys of flags with an exact quota, and those who are members, by the flag's id.
    pub keys: HashMap<String, KnownKeys>,
}

/// The known keys of a flag.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct KnownKeys {
    /// All of them.
    pub keys: Vec<String>,
    /// The members.
    pub members: BTreeSet<String>,
}

impl Snapshot {
    /// A snapshot of definitions.
    pub fn new(definitions: Definitions, clock: Arc<dyn Clock>) -> Self {
        let Definitions { version, flags, segments, keys } = definitions;
        let salts: HashMap<String, String> =
            flags.iter().map(|stored| (stored.flag.name.clone(), stored.flag.salt.clone())).collect();
        let mut compiled = HashMap::with_capacity(flags.len());
        let mut features = Vec::with_capacity(flags.len());
        for stored in flags {
            let quotas = quotas(&stored.flag, keys.get(&stored.id));
            features.push(unleash::compile(&stored.flag, &quotas, &salts));
            let fields = fields(&stored.flag, &segments);
            let one = Compiled {
                timed: fields.contains("currentTime"),
                buckets: fields
                    .iter()
                    .filter_map(|field| Some((field.clone(), BucketField::parse(field)?)))
                    .collect(),
                boolean: stored.flag.has_boolean_variants(),
                keyed: is_keyed(&stored.flag),
                fragments: OnceLock::new(),
                quotas,
                stored: Arc::new(stored),
            };
            compiled.insert(one.stored.flag.name.clone(), one);
        }
        inherit(&mut compiled);
        let wire = unleash::segments(&segments);
        let wire_segments = wire.iter().flatten().map(|segment| (segment.id, segment.clone())).collect();
        let engine = EngineState::initial_state(chrono_epoch());
        let state = ClientFeatures { version: 2, features, segments: wire, query: None, meta: None };
        let warnings = engine.apply_client_features(state).unwrap_or_default();
        let by_salt: HashMap<&String, &String> = salts.iter().map(|(name, salt)| (salt, name)).collect();
        let warnings = warnings
            .into_iter()
            .map(|warning| {
                let name = by_salt
                    .get(&warning.toggle_name)
                    .map_or(warning.toggle_name.as_str(), |name| name.as_str());
                format!("flag `{name}`: {}", warning.message)
            })
            .collect();
        Self { version, engine, flags: compiled, segments, wire_segments, warnings, clock }
    }

    /// The version: it grows with every change of any flag or segment.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Rules that could not be compiled; their flags are off.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The flags, by name.
    pub fn flags(&self) -> Vec<&StoredFlag> {
        let mut all: Vec<&StoredFlag> = self.flags.values().map(|flag| flag.stored.as_ref()).collect();
        all.sort_by(|a, b| a.flag.name.cmp(&b.flag.name));
        all
    }

    /// One flag.
    pub fn flag(&self, name: &str) -> Option<&StoredFlag> {
        self.flags.get(name).map(|flag| flag.stored.as_ref())
    }

    /// The segments.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The flags as an Unleash client takes them (`/api/client/features`).
    pub fn feed(&self) -> Feed {
        unleash::feed(self.flags.values().map(|flag| (flag.flag(), &flag.quotas)), &self.segments)
    }

    /// Whether the caller gets it: the fast answer, without value and reason. An unknown flag is off.
    pub fn is_on(&self, name: &str, context: &EvaluationContext) -> bool {
        let Some(flag) = self.flags.get(name) else { return false };
        self.with_context(flag, context, |context| {
            if flag.boolean {
                self.boolean(flag, context)
            } else {
                self.engine.check_enabled(context).unwrap_or(false)
            }
        })
    }

    fn boolean(&self, flag: &Compiled, context: &EnrichedContext<'_>) -> bool {
        let variant =
            self.engine.check_variant(context).filter(|variant| variant.enabled).map(|variant| variant.name);
        let off = flag.flag().state != State::On;
        let name = variant.as_deref().or(flag.flag().default_variant.as_deref().filter(|_| !off));
        let value =
            name.and_then(|name| flag.flag().variant(name)).and_then(|variant| variant.value.as_ref());
        value == Some(&Json::Bool(true))
    }

    /// Whether the caller gets it, what, and why.
    pub fn evaluate(&self, name: &str, context: &EvaluationContext) -> Evaluation {
        let Some(compiled) = self.flags.get(name) else {
            return Evaluation {
                flag: name.to_owned(),
                on: false,
                value: None,
                variant: None,
                reason: Reason::Unknown,
                version: 0,
                key_missing: false,
            };
        };
        let flag = compiled.flag();
        self.with_context(compiled, context, |enriched| {
            let enabled = self.engine.check_enabled(enriched).unwrap_or(false);
            let key = context.get(&flag.key);
            let key_missing = compiled.keyed && flag.state == State::On && key.is_none();
            let mut answer = Evaluation {
                flag: name.to_owned(),
                on: enabled,
                value: Some(Json::Bool(enabled)),
                variant: None,
                reason: self.reason(compiled, enriched, key, enabled),
                version: compiled.stored.version,
                key_missing,
            };
            let has_variants =
                !flag.variants.is_empty() || flag.rules.iter().any(|rule| !rule.variants.is_empty());
            if has_variants {
                self.choose(compiled, enriched, &mut answer);
            }
            answer
        })
    }

    /// Every flag's answer, by name.
    pub fn evaluate_all(&self, context: &EvaluationContext) -> Vec<Evaluation> {
        let mut names: Vec<&String> = self.flags.keys().collect();
        names.sort_unstable();
        names.into_iter().map(|name| self.evaluate(name, context)).collect()
    }

    /// The variant and its value.
    fn choose(&self, compiled: &Compiled, context: &EnrichedContext<'_>, answer: &mut Evaluation) {
        let flag = compiled.flag();
        // Without its key a variant would be drawn anew each time, so there is none.
        let chosen = if answer.on && !answer.key_missing { self.engine.check_variant(context) } else { None };
        match chosen.filter(|variant| variant.enabled) {
            Some(variant) => {
                let payload = variant.payload.as_ref().map(unleash::value_of);
                answer.value = Some(payload.unwrap_or_else(|| Json::String(variant.name.clone())));
                answer.variant = Some(variant.name);
                if answer.reason == Reason::Static && flag.variants.len() > 1 {
                    answer.reason = Reason::Split;
                }
            }
            None if answer.on && flag.default_variant.is_none() => {}
            None => {
                // Those whom nothing matches get the default variant; a flag that is off has no say at all.
                let name = flag.default_variant.as_ref().filter(|_| flag.state == State::On);
                answer.value = name.and_then(|name| flag.variant(name)).map(|variant| {
                    variant.value.clone().unwrap_or_else(|| Json::String(variant.name.clone()))
                });
                answer.variant = name.cloned();
            }
        }
        if compiled.boolean {
            answer.on = answer.value == Some(Json::Bool(true));
        }
    }

    fn reason(
        &self,
        compiled: &Compiled,
        context: &EnrichedContext<'_>,
        key: Option<&str>,
        on: bool,
    ) -> Reason {
        let flag = compiled.flag();
        if flag.state != State::On {
            return Reason::Disabled;
        }
        if !on && !flag.requires.is_empty() && !self.is_fulfilled(flag, context) {
            return Reason::Disabled;
        }
        if key.is_some_and(|key| flag.deny.contains(key) || flag.allow.contains_key(key)) {
            return Reason::TargetingMatch;
        }
        let percentage = |rollout: &plimsoll_core::flag::Rollout| {
            let fixed =
                rollout.stages.is_empty() && rollout.constraints.is_empty() && rollout.segments.is_empty();
            if fixed && [Percent::NOBODY, Percent::EVERYBODY].contains(&rollout.percent) {
                Reason::Static
            } else {
                Reason::Split
            }
        };
        match (&flag.rollout, flag.rules.is_empty()) {
            (None, true) => Reason::Static,
            (Some(rollout), true) => percentage(rollout),
            (rollout, false) => match self.matched(compiled, context) {
                Some(Part::Rule(at))
                    if flag.rules.get(*at).is_some_and(|rule| rule.strategy != "flexibleRollout") =>
                {
                    Reason::TargetingMatch
                }
                Some(Part::Rule(_) | Part::Rollout(_)) => Reason::Split,
                Some(Part::Allow(_)) => Reason::TargetingMatch,
                Some(Part::Everybody) => Reason::Static,
                None if rollout.is_some() => Reason::Split,
                None => Reason::TargetingMatch,
            },
        }
    }

    /// The first part of a flag that matches.
    pub(super) fn matched<'a>(
        &self,
        compiled: &'a Compiled,
        context: &EnrichedContext<'_>,
    ) -> Option<&'a Part> {
        let fragments = compiled.fragments.get_or_init(|| {
            let strategies = unleash::strategies(compiled.flag(), &compiled.quotas);
            strategies.into_iter().map(|(part, strategy)| (part, self.fragment(&strategy))).collect()
        });
        fragments.iter().find(|(_, rule)| rule(context)).map(|(part, _)| part)
    }

    /// One strategy compiled alone; one that does not compile never matches.
    pub(super) fn fragment(&self, strategy: &Strategy) -> RuleFragment {
        let rule =
            upgrade(std::slice::from_ref(strategy), &self.wire_segments).and_then(|text| compile_rule(&text));
        rule.unwrap_or_else(|_| Box::new(|_: &EnrichedContext<'_>| false))
    }

    /// Whether everything that a flag requires is as it should be.
    pub(super) fn is_fulfilled(&self, flag: &Flag, context: &EnrichedContext<'_>) -> bool {
        flag.requires.iter().all(|required| {
            let Some(parent) = self.flags.get(&required.flag) else { return false };
            let context = context.with_toggle_name(&parent.flag().salt);
            let on = self.engine.check_enabled(&context).unwrap_or(false);
            let variant = || self.engine.check_variant(&context).map(|variant| variant.name);
            on == required.on
                && (required.variants.is_empty()
                    || variant().is_some_and(|name| required.variants.contains(&name)))
        })
    }

    pub(super) fn compiled(&self, name: &str) -> Option<&Compiled> {
        self.flags.get(name)
    }

    /// Asks with everything that the flag needs: its salt as its name, the time, and computed buckets.
    pub(super) fn with_context<T>(
        &self,
        flag: &Compiled,
        context: &EvaluationContext,
        ask: impl FnOnce(&EnrichedContext<'_>) -> T,
    ) -> T {
        let mut enriched = EnrichedContext::from(&context.inner, &flag.stored.flag.salt, None);
        let now;
        if flag.timed && enriched.current_time.is_none() {
            now = self.clock.now();
            enriched.current_time = Some(&now);
        }
        if flag.buckets.is_empty() {
            return ask(&enriched);
        }
        let mut properties = PropertiesCow::new();
        for (name, value) in context.inner.properties.iter().flatten() {
            properties.insert(Cow::Borrowed(name), Cow::Borrowed(value));
        }
        for (name, field) in &flag.buckets {
            if let Some(key) = context.get(&field.key) {
                let bucket = field.algorithm.bucket(&field.salt, key, field.buckets);
                properties.insert(Cow::Borrowed(name), Cow::Owned(bucket.to_string()));
            }
        }
        enriched.properties = Some(PropertiesRef::Cows(&properties));
        ask(&enriched)
    }
}

/// The moment from which the evaluator counts its own metrics, which nobody reads here.
fn chrono_epoch<T: Default>() -> T {
    T::default()
}

/// Whether a flag's answer depends on its key. Imported variants name their own field.
fn is_keyed(flag: &Flag) -> bool {
    let own = flag.variants.iter().any(|variant| variant.stickiness.is_none());
    flag.rollout.is_some() || (flag.variants.len() > 1 && own)
}

/// The members of an exact quota at each percentage that the rollout has.
fn quotas(flag: &Flag, known: Option<&KnownKeys>) -> Quotas {
    let mut quotas = Quotas::new();
    let (Some(rollout), Some(known)) = (&flag.rollout, known) else { return quotas };
    if rollout.algorithm != Algorithm::Quota1 {
        return quotas;
    }
    let percents = rollout.stages.iter().map(|stage| stage.percent).chain([rollout.percent]);
    for percent in percents.collect::<BTreeSet<_>>() {
        let keys = known.keys.iter().map(String::as_str);
        quotas.insert(percent, cohort::within(rollout, percent, keys, &known.members).into_iter().collect());
    }
    quotas
}

/// Every context field that a flag looks at.
fn fields(flag: &Flag, segments: &[Segment]) -> BTreeSet<String> {
    let mut fields: BTreeSet<String> = BTreeSet::new();
    let mut constraints: Vec<&Constraint> = Vec::new();
    let numbers = flag.rollout.iter().flat_map(|rollout| &rollout.segments);
    let numbers = numbers.chain(flag.rules.iter().flat_map(|rule| &rule.segments));
    for segment in numbers.filter_map(|number| segments.iter().find(|segment| segment.number == *number)) {
        constraints.extend(&segment.constraints);
    }
    constraints.extend(flag.rules.iter().flat_map(|rule| &rule.constraints));
    if let Some(rollout) = &flag.rollout {
        constraints.extend(&rollout.constraints);
        if !rollout.stages.is_empty() {
            fields.insert("currentTime".to_owned());
        }
        let own = rollout.algorithm != Algorithm::Unleash1 && rollout.algorithm != Algorithm::Quota1;
        let (algorithm, buckets, key, salt) =
            (rollout.algorithm, 10_000, flag.key.clone(), rollout.salt.clone());
        if own {
            fields.insert(BucketField { algorithm, buckets, key, salt }.name());
        }
    }
    fields.extend(constraints.into_iter().map(|constraint| constraint.field.clone()));
    fields
}

/// A flag needs what the flags that it requires need.
fn inherit(flags: &mut HashMap<String, Compiled>) {
    let needs: HashMap<String, (bool, Vec<(String, BucketField)>)> =
        flags.iter().map(|(name, flag)| (name.clone(), (flag.timed, flag.buckets.clone()))).collect();
    for flag in flags.values_mut() {
        for required in &flag.stored.flag.requires {
            if let Some((timed, buckets)) = needs.get(&required.flag) {
                flag.timed |= timed;
                flag.buckets.extend(buckets.iter().cloned());
            }
        }
    }
}
