//! History as differences: every version of a record from the newest one and the steps that led to it.
//!
//! Owns the difference of two states of a record, its application in both directions, and the walk to any version. It
//! stores nothing and knows nothing of sides; what a version is called is the caller's.
//!
//! Invariants: `forward(before, diff(before, after)) = after` and `backward(after, diff(before, after)) = before`,
//! exactly, absent fields and absent records included; a difference that does not fit the state it is applied to is
//! refused, so a damaged history is found and not repaired by guessing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::record::Fields;
use crate::value::Value;

/// One field before and after. An absent field is not a field that is null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// Before; absent when the field was not there.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub before: Option<Value>,
    /// After; absent when the field is not there any more.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub after: Option<Value>,
}

/// A field that is there and null is written as `null`; serde alone would read it back as absent.
mod present {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::value::Value;

    pub(super) fn serialize<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
        value.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

/// What one version changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordDiff {
    /// Whether the record was there before.
    pub was_there: bool,
    /// Whether it is there after.
    pub is_there: bool,
    /// The fields that differ.
    pub fields: BTreeMap<String, FieldDiff>,
}

/// A history that does not fit the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A difference does not fit the state that it is applied to.
    #[error(
        "the history does not fit the record at `{at}`: {expected} was expected, {found} was found\n\
         hint: the history or the record was changed by hand; compare with a backup before undoing anything"
    )]
    Misfit {
        /// The field, or `record` for its existence.
        at: String,
        /// What the difference starts from.
        expected: String,
        /// What the state holds.
        found: String,
    },
    /// There are not so many versions.
    #[error("there is no version {asked}; the history holds 0 to {last}\nhint: ask for one of those")]
    NoSuchVersion {
        /// What was asked for.
        asked: usize,
        /// The newest version.
        last: usize,
    },
}

/// The difference of two states; `None` is a record that is not there.
pub fn diff(before: Option<&Fields>, after: Option<&Fields>) -> RecordDiff {
    let get = |side: Option<&Fields>, name: &str| side.and_then(|fields| fields.get(name)).cloned();
    let names: BTreeSet<&String> = before.into_iter().chain(after).flat_map(BTreeMap::keys).collect();
    let fields = names.into_iter().filter_map(|name| {
        let (was, is) = (get(before, name), get(after, name));
        (was != is).then(|| (name.clone(), FieldDiff { before: was, after: is }))
    });
    RecordDiff { was_there: before.is_some(), is_there: after.is_some(), fields: fields.collect() }
}

impl RecordDiff {
    /// The same step the other way: undoing is applying this.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let turn = |(name, field): (&String, &FieldDiff)| {
            (name.clone(), FieldDiff { before: field.after.clone(), after: field.before.clone() })
        };
        Self {
            was_there: self.is_there,
            is_there: self.was_there,
            fields: self.fields.iter().map(turn).collect(),
        }
    }

    /// The state after, from the state before.
    ///
    /// # Errors
    /// [`HistoryError::Misfit`] when `before` is not the state that the difference was taken from.
    pub fn forward(&self, before: Option<&Fields>) -> Result<Option<Fields>, HistoryError> {
        let misfit = |at: &str, expected: String, found: String| HistoryError::Misfit {
            at: at.into(),
            expected,
            found,
        };
        let existence = |there: bool| String::from(if there { "a record" } else { "no record" });
        if before.is_some() != self.was_there {
            return Err(misfit("record", existence(self.was_there), existence(before.is_some())));
        }
        let mut state = before.cloned().unwrap_or_default();
        for (name, field) in &self.fields {
            let found = state.remove(name);
            if found != field.before {
                let show = |value: &Option<Value>| {
                    value.as_ref().map_or_else(|| String::from("nothing"), ToString::to_string)
                };
                return Err(misfit(name, show(&field.before), show(&found)));
            }
            if let Some(after) = &field.after {
                state.insert(name.clone(), after.clone());
            }
        }
        if !self.is_there {
            let Some(name) = state.keys().next() else { return Ok(None) };
            return Err(misfit(name, "nothing".into(), "a value".into()));
        }
        Ok(Some(state))
    }

    /// The state before, from the state after.
    ///
    /// # Errors
    /// [`HistoryError::Misfit`] when `after` is not the state that the difference leads to.
    pub fn backward(&self, after: Option<&Fields>) -> Result<Option<Fields>, HistoryError> {
        self.inverse().forward(after)
    }
}

/// Version number `version` of a record that is `newest` now; `steps[0]` led from version 0 to version 1.
///
/// # Errors
/// [`HistoryError`] when there is no such version or a step does not fit.
pub fn version(
    steps: &[RecordDiff],
    newest: Option<&Fields>,
    version: usize,
) -> Result<Option<Fields>, HistoryError> {
    if version > steps.len() {
        return Err(HistoryError::NoSuchVersion { asked: version, last: steps.len() });
    }
    let mut state = newest.cloned();
    for step in steps[version..].iter().rev() {
        state = step.backward(state.as_ref())?;
    }
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn state() -> impl Strategy<Value = Option<Fields>> {
        let value = prop_oneof![Just(Value::Null), (0..3_i64).prop_map(Value::Integer)];
        proptest::option::of(proptest::collection::btree_map("[a-d]", value, 0..4))
    }

    proptest! {
        #[test]
        fn any_version_is_reconstructed_exactly(states in proptest::collection::vec(state(), 1..12)) {
            let pairs = states.windows(2);
            let steps: Vec<RecordDiff> = pairs.map(|pair| diff(pair[0].as_ref(), pair[1].as_ref())).collect();
            let stored = serde_json::to_string(&steps).unwrap();
            let steps: Vec<RecordDiff> = serde_json::from_str(&stored).unwrap();
            let newest = states[states.len() - 1].as_ref();
            for (number, state) in states.iter().enumerate() {
                prop_assert_eq!(&version(&steps, newest, number).unwrap(), state);
            }
            for (number, step) in steps.iter().enumerate() {
                prop_assert_eq!(&step.forward(states[number].as_ref()).unwrap(), &states[number + 1]);
                prop_assert_eq!(&step.inverse().inverse(), step);
            }
            prop_assert!(version(&steps, newest, states.len()).is_err());
        }

        #[test]
        fn a_step_fits_only_where_it_was_taken(a in state(), b in state(), c in state()) {
            let step = diff(a.as_ref(), b.as_ref());
            let fits = step.forward(c.as_ref()).is_ok_and(|got| step.backward(got.as_ref()) == Ok(c.clone()));
            let there = |side: &Option<Fields>| side.is_some();
            let same = |name: &String| {
                let get = |side: &Option<Fields>| side.as_ref().and_then(|fields| fields.get(name)).cloned();
                get(&a) == get(&c)
            };
            let expected = there(&a) == there(&c)
                && step.fields.keys().all(same)
                && (there(&b) || c.iter().flatten().all(|(name, _)| step.fields.contains_key(name)));
            prop_assert_eq!(fits, expected);
        }
    }
}
