//! The shape of a synced record: which fields belong together, how they merge, and who wins.
//!
//! Owns change units, field classes, policies and the seam for rules that only a system knows. It merges nothing.
//!
//! A *change unit* is the set of fields that make sense only together (a start and an end date): a change to one of
//! them is a change to the unit. A field without a unit is a unit of its own, a register, decided by a person.
//!
//! Invariants: a field belongs to at most one unit; only single fields have a class other than register.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::record::Fields;
use crate::value::Value;

/// How the values of a field relate to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldClass {
    /// One value replaces another.
    #[default]
    Register,
    /// An integer whose *differences* add up. No value of the row shows whether an increment is in it: another user's
    /// may be equal, or have taken it back. So an increment that was sent, was not acknowledged, and meets a row that
    /// moved goes to a person unless the remote tells which operations it applied.
    Counter,
    /// The value only moves forward in this order; the one further on wins.
    ForwardOnly(Vec<String>),
    /// A JSON array in which order and repetition do not count; additions and removals merge.
    Set,
}

/// Who wins when both sides changed a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// A person decides.
    #[default]
    Manual,
    /// The remote.
    Theirs,
    /// The local edit.
    Mine,
    /// The later edit by the hybrid clock; without comparable times a person decides.
    Newest,
    /// As the field's class says; a register cannot be merged, so a person decides.
    Merge,
    /// As the system's [`Rules::merge`] of this name says.
    Custom(String),
}

/// Fields that change together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeUnit {
    /// The fields.
    pub fields: Vec<String>,
    /// How their values merge.
    #[serde(default)]
    pub class: FieldClass,
    /// Who wins.
    #[serde(default)]
    pub policy: Policy,
}

impl ChangeUnit {
    /// Whether increments of both sides add up, so that no value shows whether one of them is in it.
    pub fn adds_up(&self) -> bool {
        self.class == FieldClass::Counter && self.policy == Policy::Merge
    }
}

/// The declared units of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LinkShape {
    units: Vec<ChangeUnit>,
    #[serde(skip)]
    unit_of: BTreeMap<String, usize>,
}

/// A shape that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A unit without fields.
    #[error("change unit {0} has no fields\nhint: name its fields or leave it out")]
    Empty(usize),
    /// A field in two places.
    #[error("field `{0}` is named twice\nhint: a field belongs to one change unit; join the units")]
    Twice(String),
    /// A class that needs a field of its own.
    #[error(
        "the unit of `{0}` has several fields, so it is a register\nhint: give the field a unit of its own"
    )]
    ClassOfSeveral(String),
    /// An order that is none.
    #[error(
        "the order of `{0}` names fewer than two values or one of them twice\nhint: list every value once"
    )]
    Order(String),
}

impl LinkShape {
    /// A shape of these units.
    ///
    /// # Errors
    /// [`ShapeError`] when the units contradict themselves or each other.
    pub fn new(units: Vec<ChangeUnit>) -> Result<Self, ShapeError> {
        let mut unit_of = BTreeMap::new();
        for (at, unit) in units.iter().enumerate() {
            let first = unit.fields.first().ok_or(ShapeError::Empty(at))?;
            if unit.fields.len() > 1 && unit.class != FieldClass::Register {
                return Err(ShapeError::ClassOfSeveral(first.clone()));
            }
            if let FieldClass::ForwardOnly(order) = &unit.class {
                let distinct: BTreeSet<&String> = order.iter().collect();
                if order.len() < 2 || distinct.len() != order.len() {
                    return Err(ShapeError::Order(first.clone()));
                }
            }
            for field in &unit.fields {
                if unit_of.insert(field.clone(), at).is_some() {
                    return Err(ShapeError::Twice(field.clone()));
                }
            }
        }
        Ok(Self { units, unit_of })
    }

    /// The unit that a field belongs to.
    pub fn unit_of(&self, field: &str) -> ChangeUnit {
        self.unit_of.get(field).map_or_else(
            || ChangeUnit {
                fields: vec![field.to_owned()],
                class: FieldClass::Register,
                policy: Policy::Manual,
            },
            |at| self.units[*at].clone(),
        )
    }
}

/// A rule that a merged row breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The fields to be shown.
    pub fields: Vec<String>,
    /// What is wrong, in one sentence.
    pub message: String,
}

/// What only the system knows: its cross-field rules and its own merges.
pub trait Rules {
    /// Judges the whole row as it would be, never the edit alone: an edited start date is right or wrong by the end
    /// date that was not edited. `before` is the row at the remote.
    ///
    /// # Errors
    /// The rule that the row breaks.
    fn check(&self, before: Option<&Fields>, merged: &Fields) -> Result<(), Broken> {
        let _ = (before, merged);
        Ok(())
    }

    /// Merges a unit whose policy is [`Policy::Custom`]; the values are in the order of the unit's fields. `None`
    /// leaves it to a person.
    fn merge(&self, name: &str, base: &[Value], mine: &[Value], theirs: &[Value]) -> Option<Vec<Value>> {
        let _ = (name, base, mine, theirs);
        None
    }
}

/// No rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRules;

impl Rules for NoRules {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_contradicts_itself_is_refused() {
        let unit = |fields: &[&str], class| ChangeUnit {
            fields: fields.iter().map(ToString::to_string).collect(),
            class,
            policy: Policy::Merge,
        };
        let refused = |units| LinkShape::new(units).unwrap_err();
        let order =
            |values: &[&str]| FieldClass::ForwardOnly(values.iter().map(ToString::to_string).collect());
        assert_eq!(refused(vec![unit(&[], FieldClass::Set)]), ShapeError::Empty(0));
        assert_eq!(
            refused(vec![unit(&["a"], FieldClass::Set), unit(&["b", "a"], FieldClass::Register)]),
            ShapeError::Twice("a".into())
        );
        assert_eq!(refused(vec![unit(&["a", "b"], FieldClass::Set)]), ShapeError::ClassOfSeveral("a".into()));
        assert_eq!(refused(vec![unit(&["a"], order(&["x"]))]), ShapeError::Order("a".into()));
        assert_eq!(refused(vec![unit(&["a"], order(&["x", "y", "x"]))]), ShapeError::Order("a".into()));
        let shape = LinkShape::new(vec![unit(&["a", "b"], FieldClass::Register)]).unwrap();
        assert_eq!(shape.unit_of("b").fields, ["a", "b"]);
        assert_eq!(shape.unit_of("c").policy, Policy::Manual);
    }
}
