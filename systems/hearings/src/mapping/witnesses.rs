//! Who testifies: witnesses and their appearances.
//!
//! Owns the matching of stated people with the appearances of one hearing. The source has no key for people: a
//! witness is a name and an organization, shared by hearings, and what a person was at the time is the appearance's.
//!
//! Invariants:
//! - An appearance that matches in name, organization and position is left alone, also where the hearing has several
//!   such (real hearings list everybody twice).
//! - A person who changed organization keeps the appearance, which then points at another witness.
//! - The source states an order, not numbers: numbers stay while they agree with it, and otherwise count from 1.
//! - A witness is never changed or deleted here; other hearings may share it.

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext};

use super::{Hearing, children, key, now};
use crate::rules::Witness;

/// An appearance as it will be after the item: whose it is, and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Appearance {
    pub(super) id: i64,
    pub(super) name: String,
    /// True when the item inserts it, so that it has no documents yet.
    pub(super) is_new: bool,
}

/// An appearance that the store has, with its witness.
struct Known {
    id: i64,
    row: CurrentRow,
    witness: CurrentRow,
}

impl Known {
    fn is(&self, witness: &Witness) -> bool {
        self.is_named(witness) && same(self.witness.get("organization"), witness.organization.as_deref())
    }

    fn is_named(&self, witness: &Witness) -> bool {
        self.witness.get("full_name").as_text() == Some(witness.name.as_str())
    }

    fn holds(&self, witness: &Witness) -> bool {
        same(self.row.get("position"), witness.position.as_deref())
    }

    fn order(&self) -> Option<i64> {
        self.row.get("appearance_order").as_integer()
    }
}

fn same(value: &Value, text: Option<&str>) -> bool {
    value.as_text() == text
}

/// Proposes the stated witnesses and returns the appearances that the hearing then has.
pub(super) fn propose(
    hearing: &Hearing<'_>,
    context: &mut PlanContext<'_>,
) -> Result<Vec<Appearance>, EngineError> {
    let known = known(hearing, context)?;
    let Some(stated) = &hearing.meeting.witnesses else {
        return known.iter().map(Known::appearance).collect();
    };
    let matched = pair(stated, &known);
    for appearance in known.iter().enumerate().filter(|(at, _)| !matched.contains(&Some(*at))) {
        remove(appearance.1, context)?;
    }
    let wanted: Vec<(&Witness, Option<&Known>)> = stated
        .iter()
        .zip(&matched)
        .enumerate()
        .filter(|(place, (witness, found))| {
            found.is_some() || !is_repeated(stated, &matched, *place, witness)
        })
        .map(|(_, (witness, found))| (witness, found.map(|at| &known[at])))
        .collect();
    let numbers = numbers(&wanted);
    let mut appearances = Vec::with_capacity(wanted.len());
    // Known ones first, so that a witness who is free again can be taken by a new one.
    for ((witness, found), number) in wanted.iter().zip(&numbers) {
        if let Some(found) = found {
            let mut values = vec![("position", Value::optional_text(witness.position.as_deref()))];
            if !found.is(witness) {
                values.push(("witness_id", Value::Integer(witness_id(witness, context)?)));
            }
            if let Some(number) = number {
                values.push(("appearance_order", Value::Integer(*number)));
            }
            context.update(&found.row, &values)?;
        }
    }
    for ((witness, found), number) in wanted.into_iter().zip(numbers) {
        let name = witness.name.clone();
        let (id, is_new) = match found {
            Some(found) => (found.id, false),
            None => (insert(hearing, witness, number, context)?, true),
        };
        appearances.push(Appearance { id, name, is_new });
    }
    Ok(appearances)
}

impl Known {
    fn appearance(&self) -> Result<Appearance, EngineError> {
        let name = self.witness.get("full_name").as_text().unwrap_or_default().to_owned();
        Ok(Appearance { id: self.id, name, is_new: false })
    }
}

/// The appearances that the store has, in their order.
fn known(hearing: &Hearing<'_>, context: &mut PlanContext<'_>) -> Result<Vec<Known>, EngineError> {
    let mut known = Vec::new();
    for row in children(hearing, "witness_appearances", context)? {
        let id = key(&row, "appearance_id")?;
        let witness = context.find("witnesses", &[("witness_id", row.get("witness_id").clone())])?;
        let witness = witness.into_iter().next().ok_or_else(|| {
            EngineError::integrity(format!(
                "appearance {id} has no witness {}\nhint: repair the foreign keys of the store first",
                row.get("witness_id")
            ))
        })?;
        known.push(Known { id, row, witness });
    }
    known.sort_by_key(|appearance| (appearance.order(), appearance.id));
    Ok(known)
}

/// For each stated witness, the known appearance that is theirs: first those that agree in everything, then those of
/// the same witness in another position, then those of the same name in another organization.
fn pair(stated: &[Witness], known: &[Known]) -> Vec<Option<usize>> {
    let mut matched: Vec<Option<usize>> = vec![None; stated.len()];
    let mut taken = vec![false; known.len()];
    let passes: [fn(&Known, &Witness) -> bool; 3] = [
        |known, witness| known.is(witness) && known.holds(witness),
        |known, witness| known.is(witness),
        |known, witness| known.is_named(witness),
    ];
    for fits in passes {
        for (witness, place) in stated.iter().zip(&mut matched).filter(|(_, place)| place.is_none()) {
            let free = (0..known.len()).find(|at| !taken[*at] && fits(&known[*at], witness));
            if let Some(at) = free {
                taken[at] = true;
                *place = Some(at);
            }
        }
    }
    matched
}

/// True when a witness without an appearance is listed another time as well, with an appearance or earlier. A hearing can
/// have a witness once.
fn is_repeated(stated: &[Witness], matched: &[Option<usize>], place: usize, witness: &Witness) -> bool {
    stated.iter().zip(matched).enumerate().any(|(other, (twin, found))| {
        other != place
            && twin.name == witness.name
            && twin.organization == witness.organization
            && (found.is_some() || other < place)
    })
}

/// The number of each appearance that gets one: the new ones continue behind the known ones; where the known ones no
/// longer follow the stated order, or a new one stands between them, all count from 1.
fn numbers(wanted: &[(&Witness, Option<&Known>)]) -> Vec<Option<i64>> {
    let places: Vec<Option<(Option<i64>, i64)>> =
        wanted.iter().map(|(_, found)| found.map(|known| (known.order(), known.id))).collect();
    let first_new = places.iter().position(Option::is_none).unwrap_or(places.len());
    let known_first = places[first_new..].iter().all(Option::is_none);
    let in_order = places[..first_new].is_sorted();
    if !(known_first && in_order) {
        return (1..).take(wanted.len()).map(Some).collect();
    }
    let known_numbers = wanted.iter().filter_map(|(_, found)| found.and_then(Known::order));
    let last = known_numbers.max().unwrap_or(0).max(first_new as i64);
    let fresh = (last + 1..).map(Some);
    std::iter::repeat_n(None, first_new).chain(fresh).take(wanted.len()).collect()
}

fn remove(known: &Known, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    for document in context.find("witness_documents", &[("appearance_id", Value::Integer(known.id))])? {
        context.delete(&document)?;
    }
    context.delete(&known.row)
}

fn insert(
    hearing: &Hearing<'_>,
    witness: &Witness,
    number: Option<i64>,
    context: &mut PlanContext<'_>,
) -> Result<i64, EngineError> {
    let witness_id = witness_id(witness, context)?;
    let id = context.next_id("witness_appearances")?;
    let values = [
        ("appearance_id", Value::Integer(id)),
        ("witness_id", Value::Integer(witness_id)),
        ("hearing_id", Value::Integer(hearing.id)),
        ("position", Value::optional_text(witness.position.as_deref())),
        ("appearance_order", number.map_or(Value::Null, Value::Integer)),
        ("created_at", now(context)),
    ];
    context.insert("witness_appearances", &values)?;
    Ok(id)
}

/// The witness of this name and organization: one whose title is the position, else any, else a new one.
fn witness_id(witness: &Witness, context: &mut PlanContext<'_>) -> Result<i64, EngineError> {
    let identity = [
        ("full_name", Value::text(&witness.name)),
        ("organization", Value::optional_text(witness.organization.as_deref())),
    ];
    let found = context.find("witnesses", &identity)?;
    let title = |row: &&CurrentRow| same(row.get("title"), witness.position.as_deref());
    if let Some(row) = found.iter().find(title).or(found.first()) {
        return key(row, "witness_id");
    }
    let (first, last) = match witness.name.split_once(' ') {
        Some((first, last)) => (first, Some(last)),
        None => (witness.name.as_str(), None),
    };
    let now = now(context);
    let rest = [
        ("first_name", Value::text(first)),
        ("last_name", Value::optional_text(last)),
        ("title", Value::optional_text(witness.position.as_deref())),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    key(&context.find_or_insert("witnesses", "witness_id", &identity, &rest)?, "witness_id")
}
