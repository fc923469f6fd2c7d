//! JsonLogic conditions as alternatives of constraints.
//!
//! Owns the reading of a condition and its normal form: a list of alternatives, each a list of constraints that must all
//! hold, which is what a flag's rules are.

use std::collections::BTreeMap;

use plimsoll_core::flag::{Algorithm, Constraint, Operator};
use serde_json::Value as Json;

/// How many alternatives one condition may unfold into.
const MOST: usize = 64;

/// Alternatives of constraints.
pub(super) type Alternatives = Vec<Vec<Constraint>>;

/// A condition.
#[derive(Debug, Clone)]
enum Condition {
    Always(bool),
    Leaf(Constraint),
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
}

/// The names that a flag's rules may refer to.
pub(super) struct Scope<'a> {
    pub(super) flag: &'a str,
    pub(super) evaluators: &'a BTreeMap<String, Json>,
    /// The generation of flagd whose hash is meant.
    pub(super) algorithm: Algorithm,
}

impl Scope<'_> {
    /// The rule behind a reference, or the value itself.
    pub(super) fn resolve<'b>(&'b self, value: &'b Json) -> Result<&'b Json, String> {
        match value.get("$ref").and_then(Json::as_str) {
            Some(name) => self
                .evaluators
                .get(name)
                .ok_or_else(|| format!("a reference to `{name}`, which there is not")),
            None => Ok(value),
        }
    }

    /// A condition's alternatives.
    pub(super) fn alternatives(&self, value: &Json) -> Result<Alternatives, String> {
        let alternatives = unfold(&self.condition(value)?, true)?;
        Ok(alternatives)
    }

    fn condition(&self, value: &Json) -> Result<Condition, String> {
        let value = self.resolve(value)?;
        if let Some(always) = value.as_bool() {
            return Ok(Condition::Always(always));
        }
        let Some((operation, arguments)) =
            value.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next())
        else {
            return Err(format!("the condition {value}"));
        };
        let single = std::slice::from_ref(arguments);
        let arguments = arguments.as_array().map_or(single, Vec::as_slice);
        let every = || arguments.iter().map(|each| self.condition(each)).collect::<Result<Vec<_>, _>>();
        match (operation.as_str(), arguments) {
            ("and", _) => Ok(Condition::All(every()?)),
            ("or", _) => Ok(Condition::Any(every()?)),
            ("!", [one]) => Ok(Condition::Not(Box::new(self.condition(one)?))),
            ("!!", [one]) => self.condition(one),
            ("==" | "===", [a, b]) => self.equal(a, b),
            ("!=" | "!==", [a, b]) => Ok(Condition::Not(Box::new(self.equal(a, b)?))),
            ("<" | "<=" | ">" | ">=", [a, b]) => self.ordered(operation, a, b),
            ("in", [a, b]) => self.within(a, b),
            ("starts_with", [a, b]) => self.text(Operator::StrStartsWith, a, b),
            ("ends_with", [a, b]) => self.text(Operator::StrEndsWith, a, b),
            ("sem_ver", [a, sign, b]) => self.version(a, sign, b),
            _ => Err(format!("the operation `{operation}` with {} arguments", arguments.len())),
        }
    }

    /// The context field that a `var` names.
    pub(super) fn field(&self, value: &Json) -> Option<String> {
        let name = match value.get("var")? {
            Json::String(name) => name.as_str(),
            Json::Array(names) if names.len() == 1 => names[0].as_str()?,
            _ => return None,
        };
        Some(if name == "targetingKey" { "userId" } else { name }.to_owned())
    }

    fn equal(&self, a: &Json, b: &Json) -> Result<Condition, String> {
        for (drawn, name) in [(a, b), (b, a)] {
            if let (Some(arguments), Some(name)) = (drawn.get("fractional"), name.as_str()) {
                return self.drawn(arguments, name);
            }
        }
        let (field, literal) = match (self.field(a), self.field(b)) {
            (Some(field), None) => (field, b),
            (None, Some(field)) => (field, a),
            _ => return Err(format!("the comparison of {a} with {b}")),
        };
        match literal {
            Json::String(text) if field == "$flagd.flagKey" => Ok(Condition::Always(text == self.flag)),
            Json::String(text) => Ok(Condition::Leaf(Constraint::one_of(field, vec![text.clone()]))),
            Json::Bool(value) => Ok(Condition::Leaf(Constraint::one_of(field, vec![value.to_string()]))),
            Json::Number(number) => {
                Ok(Condition::Leaf(Constraint::than(field, Operator::NumEq, number.to_string())))
            }
            other => Err(format!("the comparison with {other}")),
        }
    }

    /// True for those whom a `fractional` gives this name.
    fn drawn(&self, arguments: &Json, name: &str) -> Result<Condition, String> {
        let single = std::slice::from_ref(arguments);
        let shares = self.shares(arguments.as_array().map_or(single, Vec::as_slice))?;
        let named = shares.ranges().into_iter().filter(|(share, _)| *share == name);
        Ok(Condition::Any(
            named
                .map(|(_, range)| Condition::All(range.into_iter().map(Condition::Leaf).collect()))
                .collect(),
        ))
    }

    fn ordered(&self, sign: &str, a: &Json, b: &Json) -> Result<Condition, String> {
        let (field, literal, sign) = match (self.field(a), self.field(b)) {
            (Some(field), None) => (field, b, sign),
            (None, Some(field)) => {
                let turned = match sign {
                    "<" => ">",
                    "<=" => ">=",
                    ">" => "<",
                    _ => "<=",
                };
                (field, a, turned)
            }
            _ => return Err(format!("the comparison of {a} with {b}")),
        };
        let Some(number) = literal.as_f64() else { return Err(format!("the comparison with {literal}")) };
        if field == "$flagd.timestamp" {
            let moment =
                jiff::Timestamp::from_second(number as i64).map_err(|_| format!("the time {number}"))?;
            let than = |operator| Constraint::than("currentTime", operator, format!("{moment:.3}"));
            return Ok(Condition::Leaf(match sign {
                ">" => than(Operator::DateAfter),
                "<" => than(Operator::DateBefore),
                ">=" => than(Operator::DateBefore).inverse(),
                _ => than(Operator::DateAfter).inverse(),
            }));
        }
        let operator = match sign {
            ">" => Operator::NumGt,
            "<" => Operator::NumLt,
            ">=" => Operator::NumGte,
            _ => Operator::NumLte,
        };
        Ok(Condition::Leaf(Constraint::than(field, operator, literal.to_string())))
    }

    fn within(&self, a: &Json, b: &Json) -> Result<Condition, String> {
        if let (Some(field), Some(list)) = (self.field(a), b.as_array()) {
            let texts = list.iter().map(|each| match each {
                Json::String(text) => Ok(text.clone()),
                Json::Number(number) => Ok(number.to_string()),
                other => Err(format!("the list member {other}")),
            });
            return Ok(Condition::Leaf(Constraint::one_of(field, texts.collect::<Result<_, _>>()?)));
        }
        match (a.as_str(), self.field(b)) {
            (Some(part), Some(field)) => Ok(Condition::Leaf(Constraint {
                operator: Operator::StrContains,
                ..Constraint::one_of(field, vec![part.to_owned()])
            })),
            _ => Err(format!("`in` of {a} and {b}")),
        }
    }

    fn text(&self, operator: Operator, a: &Json, b: &Json) -> Result<Condition, String> {
        match (self.field(a), b.as_str()) {
            (Some(field), Some(text)) => Ok(Condition::Leaf(Constraint {
                operator,
                ..Constraint::one_of(field, vec![text.to_owned()])
            })),
            _ => Err(format!("a text operation on {a} and {b}")),
        }
    }

    fn version(&self, a: &Json, sign: &Json, b: &Json) -> Result<Condition, String> {
        let (Some(field), Some(sign), Some(version)) = (self.field(a), sign.as_str(), b.as_str()) else {
            return Err(format!("`sem_ver` of {a} and {b}"));
        };
        let than = |operator| Condition::Leaf(Constraint::than(field.clone(), operator, version));
        match sign {
            "=" => Ok(than(Operator::SemverEq)),
            "!=" => Ok(Condition::Not(Box::new(than(Operator::SemverEq)))),
            "<" => Ok(than(Operator::SemverLt)),
            "<=" => Ok(than(Operator::SemverLte)),
            ">" => Ok(than(Operator::SemverGt)),
            ">=" => Ok(than(Operator::SemverGte)),
            other => Err(format!("`sem_ver` with `{other}`")),
        }
    }
}

/// The alternatives of a condition, or of its opposite.
fn unfold(condition: &Condition, holds: bool) -> Result<Alternatives, String> {
    let alternatives = match (condition, holds) {
        (Condition::Always(value), _) => {
            if *value == holds {
                vec![Vec::new()]
            } else {
                Vec::new()
            }
        }
        (Condition::Leaf(constraint), true) => vec![vec![constraint.clone()]],
        (Condition::Leaf(constraint), false) => vec![vec![constraint.clone().inverse()]],
        (Condition::Not(inner), _) => unfold(inner, !holds)?,
        (Condition::All(parts), true) | (Condition::Any(parts), false) => {
            let mut all: Alternatives = vec![Vec::new()];
            for part in parts {
                all = both(&all, &unfold(part, holds)?)?;
            }
            all
        }
        (Condition::Any(parts), true) | (Condition::All(parts), false) => {
            let mut any = Alternatives::new();
            for part in parts {
                any.extend(unfold(part, holds)?);
            }
            any
        }
    };
    if alternatives.len() > MOST {
        return Err(format!("a condition of more than {MOST} alternatives"));
    }
    Ok(alternatives)
}

/// The alternatives in which both hold.
pub(super) fn both(a: &Alternatives, b: &Alternatives) -> Result<Alternatives, String> {
    if a.len() * b.len() > MOST {
        return Err(format!("a condition of more than {MOST} alternatives"));
    }
    let pair = |first: &Vec<Constraint>| {
        let first = first.clone();
        b.iter().map(move |second| first.iter().chain(second).cloned().collect::<Vec<_>>())
    };
    Ok(a.iter().flat_map(pair).collect())
}
