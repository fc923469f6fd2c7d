//! Three-way merge: base, mine and theirs, unit by unit.
//!
//! Owns the merge of one unit and of a whole intent against the remote's row. It is a pure function of its arguments
//! and changes no record.
//!
//! Values are compared, versions are not: a row that only got a new version conflicts with nothing, and a row that
//! already holds what was written needs no write, whoever wrote it.
//!
//! Invariants: the outcome depends on nothing but the arguments; swapping the sides, the policy included, swaps only
//! what is called lost; what was merged merges again to itself; a value that gives way is named in the outcome.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::conflict::FieldConflict;
use super::field::{ChangeUnit, FieldClass, LinkShape, Policy, Rules};
use super::hybrid::HybridTime;
use super::record::{Exposed, FieldEdit, Fields, Observed};
use crate::value::Value;

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Here.
    Mine,
    /// At the remote.
    Theirs,
}

/// A value that gave way to the other side by a policy. It goes to the journal, from where it can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// The field.
    pub field: String,
    /// Whose value it was.
    pub side: Side,
    /// The value.
    pub value: Value,
}

/// The three states of one unit, in the order of its fields, and when the sides changed it.
#[derive(Debug, Clone, Copy)]
pub struct Three<'a> {
    /// What both started from.
    pub base: &'a [Value],
    /// The local values.
    pub mine: &'a [Value],
    /// The remote's values.
    pub theirs: &'a [Value],
    /// When the local side changed it.
    pub mine_at: Option<&'a HybridTime>,
    /// When the remote changed it.
    pub theirs_at: Option<&'a HybridTime>,
}

/// What became of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitMerge {
    /// Both sides are to hold these values; `lost` is the side whose change is not in them.
    Agreed {
        /// The values.
        values: Vec<Value>,
        /// The side that gave way.
        lost: Option<Side>,
    },
    /// A person decides.
    Clash,
}

/// Merges one unit.
pub fn merge_unit(unit: &ChangeUnit, three: Three<'_>, rules: &dyn Rules) -> UnitMerge {
    let agreed = |values: &[Value], lost| UnitMerge::Agreed { values: values.to_vec(), lost };
    let mine = || agreed(three.mine, Some(Side::Theirs));
    let theirs = || agreed(three.theirs, Some(Side::Mine));
    if three.theirs == three.base {
        return agreed(three.mine, None);
    }
    if three.mine == three.base {
        return agreed(three.theirs, None);
    }
    // Two equal increments are two increments, not one seen twice.
    if three.mine == three.theirs && !unit.adds_up() {
        return agreed(three.theirs, None);
    }
    match &unit.policy {
        Policy::Manual => UnitMerge::Clash,
        Policy::Mine => mine(),
        Policy::Theirs => theirs(),
        Policy::Newest => match (three.mine_at, three.theirs_at) {
            (Some(here), Some(there)) if here > there => mine(),
            (Some(here), Some(there)) if here < there => theirs(),
            _ => UnitMerge::Clash,
        },
        Policy::Merge => merge_by_class(&unit.class, three),
        Policy::Custom(name) => match rules.merge(name, three.base, three.mine, three.theirs) {
            Some(values) if values.len() == unit.fields.len() => UnitMerge::Agreed { values, lost: None },
            _ => UnitMerge::Clash,
        },
    }
}

fn merge_by_class(class: &FieldClass, three: Three<'_>) -> UnitMerge {
    let ([base], [mine], [theirs]) = (three.base, three.mine, three.theirs) else { return UnitMerge::Clash };
    let merged = match class {
        FieldClass::Register => None,
        FieldClass::Counter => merge_counter(base, mine, theirs).map(|value| (value, None)),
        FieldClass::Set => merge_set(base, mine, theirs).map(|value| (value, None)),
        FieldClass::ForwardOnly(order) => {
            let place = |value: &Value| order.iter().position(|name| value.as_text() == Some(name));
            place(mine).zip(place(theirs)).map(|(here, there)| {
                let (value, lost) = if here > there { (mine, Side::Theirs) } else { (theirs, Side::Mine) };
                (value.clone(), Some(lost))
            })
        }
    };
    merged.map_or(UnitMerge::Clash, |(value, lost)| UnitMerge::Agreed { values: vec![value], lost })
}

fn merge_counter(base: &Value, mine: &Value, theirs: &Value) -> Option<Value> {
    let (base, mine, theirs) = (base.as_integer()?, mine.as_integer()?, theirs.as_integer()?);
    // In 128 bits: the sum may fit although a difference does not.
    let sum = i128::from(mine) + i128::from(theirs) - i128::from(base);
    i64::try_from(sum).ok().map(Value::Integer)
}

fn merge_set(base: &Value, mine: &Value, theirs: &Value) -> Option<Value> {
    let (base, mine, there) = (elements(base)?, elements(mine)?, elements(theirs)?);
    let everything = base.iter().chain(&mine).chain(&there);
    let kept = everything.filter(|element| {
        let (here, there) = (mine.contains(*element), there.contains(*element));
        if base.contains(*element) { here && there } else { here || there }
    });
    let merged: BTreeSet<&String> = kept.collect();
    if merged.len() == there.len() && merged.iter().all(|element| there.contains(*element)) {
        // Written the remote's way, or it would be sent back only to be sorted.
        return Some(theirs.clone());
    }
    let texts: Vec<&str> = merged.into_iter().map(String::as_str).collect();
    Some(Value::Json(format!("[{}]", texts.join(","))))
}

/// The elements of a set, each as its JSON text. Null is the empty set.
fn elements(value: &Value) -> Option<BTreeSet<String>> {
    match value {
        Value::Null => Some(BTreeSet::new()),
        Value::Json(text) | Value::Text(text) => {
            let list: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
            Some(list.iter().map(ToString::to_string).collect())
        }
        _ => None,
    }
}

/// What became of the edits of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteMerge {
    /// What is still to be written, based on the remote's row; units in conflict keep what their author saw.
    pub remaining: BTreeMap<String, FieldEdit>,
    /// Values that gave way.
    pub lost: Vec<Lost>,
    /// Fields that a person has to decide.
    pub clashes: BTreeMap<String, FieldConflict>,
    /// Whether one of them is an increment that may be in the remote's row already.
    pub doubtful: bool,
}

/// Merges the edits of an operation with the remote's row; `theirs` is `None` when there is none.
///
/// `exposed` is what may be in that row already. Everything but an increment can be merged again without harm. An
/// increment would be added twice, and no value proves anything, not even the one that its author saw: others may have
/// taken back what was added. So it goes to a person.
pub fn merge_write(
    shape: &LinkShape,
    rules: &dyn Rules,
    edits: &BTreeMap<String, FieldEdit>,
    theirs: Option<&Observed>,
    exposed: Option<&Exposed>,
) -> WriteMerge {
    let mut merge = WriteMerge::default();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let empty = Fields::new();
    let row = theirs.map_or(&empty, |row| &row.fields);
    let theirs_at = theirs.and_then(|row| row.changed_at.as_ref());
    for name in edits.keys() {
        if done.contains(name.as_str()) {
            continue;
        }
        let unit = shape.unit_of(name);
        let members: Vec<(&String, &FieldEdit)> =
            unit.fields.iter().filter_map(|field| edits.get_key_value(field)).collect();
        done.extend(members.iter().map(|(field, _)| field.as_str()));
        // Edits made before the unit was declared may lack a member; what is there is merged.
        let base: Vec<Value> = members.iter().map(|(_, edit)| edit.seen.clone()).collect();
        let mine: Vec<Value> = members.iter().map(|(_, edit)| edit.mine.clone()).collect();
        let there: Vec<Value> =
            members.iter().map(|(field, _)| row.get(*field).cloned().unwrap_or_default()).collect();
        let mine_at = members.iter().map(|(_, edit)| &edit.at).max();
        let three = Three { base: &base, mine: &mine, theirs: &there, mine_at, theirs_at };
        let sent = exposed.and_then(|exposed| exposed.increments.get(name));
        merge.doubtful |= sent.is_some();
        let outcome = if sent.is_some() { UnitMerge::Clash } else { merge_unit(&unit, three, rules) };
        match outcome {
            UnitMerge::Clash => {
                for (at, (field, edit)) in members.iter().enumerate() {
                    merge.remaining.insert((*field).clone(), (*edit).clone());
                    let (mut mine, mut theirs) = (edit.mine.clone(), there[at].clone());
                    if let Some(sent) = sent {
                        mine = merge_counter(&edit.seen, &edit.mine, &there[at]).unwrap_or(mine);
                        theirs = merge_counter(&sent.mine, &edit.mine, &there[at]).unwrap_or(theirs);
                    }
                    let conflict =
                        FieldConflict { base: edit.seen.clone(), mine: Some(mine), theirs: Some(theirs) };
                    merge.clashes.insert((*field).clone(), conflict);
                }
            }
            UnitMerge::Agreed { values, lost } => {
                for (at, (field, edit)) in members.iter().enumerate() {
                    let (from, to) = (&there[at], &values[at]);
                    let side = lost.map(|side| (side, if side == Side::Mine { &mine[at] } else { from }));
                    if let Some((side, value)) = side.filter(|(_, value)| *value != to) {
                        merge.lost.push(Lost { field: (*field).clone(), side, value: value.clone() });
                    }
                    if values != there {
                        let rebased = FieldEdit { seen: from.clone(), mine: to.clone(), at: edit.at.clone() };
                        merge.remaining.insert((*field).clone(), rebased);
                    }
                }
            }
        }
    }
    merge
}
