//! Who is in which set: pair, replace, unpair, retire, lose, find.
//!
//! Owns the decisions on membership. One rule for every loss (the earlier system had two, D6): whoever is lost or fails
//! calibration leaves, and the set stays, incomplete, under its ID, until somebody fills the place or ends the set.

use plimsoll_core::value::Value;
use serde_json::json;

use super::registration::{issue, place_for};
use super::{Operation, Undo, gauge_of, set_of};
use crate::ask::Ask;
use crate::draft::Draft;
use crate::facts::{Facts, Set};
use crate::model::{Gauge, Role, Side, Status};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused, pairing};

/// Makes a set of two spares.
pub static PAIR: Operation = Operation {
    name: "pair",
    help: "Make a set of two spares, which move to one place",
    role: Role::Qc,
    fields: &["go", "nogo", "location", "id?"],
    plan: pair,
    undo: Undo::Restore,
};

/// Puts a spare in the place of a member, or in a vacant place.
pub static REPLACE: Operation = Operation {
    name: "replace",
    help: "Put a spare in the place of a member or in a vacant place; the set keeps its ID",
    role: Role::Qc,
    fields: &["set", "new", "old?", "location?"],
    plan: replace,
    undo: Undo::Restore,
};

/// Ends a set whose gauges are used again.
pub static UNPAIR: Operation = Operation {
    name: "unpair",
    help: "End a set; its gauges become spares and its ID is never used again",
    role: Role::Supervisor,
    fields: &["set"],
    plan: unpair,
    undo: Undo::Never("its ID is never used again; pair the gauges anew"),
};

/// Ends a set whose gauges are worn out.
pub static RETIRE_SET: Operation = Operation {
    name: "retire-set",
    help: "Retire a set with both its gauges, for good",
    role: Role::Supervisor,
    fields: &["set"],
    plan: retire_set,
    undo: Undo::Never("retiring is for good"),
};

/// A gauge cannot be found.
pub static LOSE: Operation = Operation {
    name: "lose",
    help: "Report a gauge as lost; its set stays, incomplete",
    role: Role::User,
    fields: &["serial"],
    plan: lose,
    undo: Undo::Restore,
};

/// A gauge is found.
pub static FIND: Operation = Operation {
    name: "find",
    help: "Report a lost gauge as found; it waits for QC as a spare",
    role: Role::User,
    fields: &["serial", "location"],
    plan: find,
    undo: Undo::Restore,
};

/// The shortest reason for retiring.
const RETIRE_REASON: usize = 10;

/// What keeps a gauge from leaving its place besides its status: it is listed for calibration.
pub(crate) fn listed(facts: &Facts, gauge: &Gauge) -> Option<Refused> {
    let row = facts
        .of("gauge_calibration_members", "serial", &gauge.serial)
        .find(|row| matches!(row.get("state").as_text(), Some("added" | "sent")))?;
    let batch = row.get("batch").as_text().unwrap_or_default();
    Some(Refused::new(
        "calibration.listed",
        format!("gauge {} is on calibration batch {batch}", gauge.serial),
    ))
}

fn pair(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let mut refused = Refusals::new();
    let mut named = Vec::new();
    for side in Side::ALL {
        match gauge_of(facts, &ask.text(side.as_str()).unwrap_or_default()) {
            Ok(gauge) => named.push(gauge),
            Err(why) => refused.push(why),
        }
    }
    let [go, nogo] = named.as_slice() else { return Err(refused) };
    refused.extend(pairing::pair(go, nogo));
    let place = ask.text("location").unwrap_or_default();
    refused.extend(place_for(facts, &place, go.equipment).err());
    if !refused.is_empty() {
        return Err(refused);
    }
    let Some(likeness) = go.thread.as_ref().map(|thread| thread.likeness.clone()) else {
        return Err(vec![Refused::new("pair.thread_gauge", format!("{} is no thread gauge", go.serial))]);
    };
    let mut draft = Draft { movement: "paired", ..Draft::default() };
    let set_id =
        issue(&mut draft, facts, &likeness, ask.text("id").as_deref(), "paired").map_err(|why| vec![why])?;
    if go.sealed != nogo.sealed {
        draft.note("warning", "one member is sealed, the other is not");
    }
    for (gauge, side) in [(go, Side::Go), (nogo, Side::NoGo)] {
        join(&mut draft, gauge, &set_id, side, Some(&place));
    }
    Ok(draft)
}

/// A spare becomes a member and moves to the set's place.
fn join(draft: &mut Draft, gauge: &Gauge, set_id: &str, side: Side, place: Option<&str>) {
    let changed = draft.gauge(gauge);
    changed.set_id = Some(set_id.to_owned());
    if let Some(place) = place {
        changed.location = Some(place.to_owned());
    }
    if let Some(status) = Step::Join.from(changed.status) {
        changed.status = status;
    }
    draft.joins.push((set_id.to_owned(), side, gauge.serial.clone()));
}

fn replace(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let set = set_of(ask, facts)?;
    let new = gauge_of(facts, &ask.text("new").unwrap_or_default()).map_err(|why| vec![why])?;
    let mut refused = Refusals::new();
    let members = facts.members(set);
    for member in members.iter().filter(|member| member.status == Status::CheckedOut) {
        refused.push(Refused::new("replace.checked_out", format!("gauge {} is checked out", member.serial)));
    }
    let old = match ask.text("old") {
        Some(old) => {
            let found = members.iter().find(|member| member.serial == old).copied();
            if found.is_none() {
                refused.push(Refused::new(
                    "replace.member",
                    format!("{old} is not a member of set {}", set.set_id),
                ));
            }
            found
        }
        None => None,
    };
    let side = match old.and_then(Gauge::side) {
        Some(side) => Some(side),
        None if ask.text("old").is_none() => {
            let vacant = Side::ALL.iter().copied().filter(|side| set.member(*side).is_none());
            let vacant: Vec<Side> = vacant.collect();
            let fits = vacant.iter().copied().find(|side| new.side() == Some(*side));
            if vacant.is_empty() {
                refused.push(Refused::new(
                    "replace.complete",
                    format!("set {} is complete: name the `old` gauge", set.set_id),
                ));
            }
            fits.or(vacant.first().copied())
        }
        None => None,
    };
    if let Some(side) = side {
        refused.extend(pairing::unfit(new, side, Some(&set.likeness)));
    }
    if let Some(old) = old {
        refused.extend(Step::Leave.of(&old.serial, old.status).err());
        refused.extend(listed(facts, old));
    }
    let stays = members.iter().find(|member| old.is_none_or(|old| old.serial != member.serial));
    let place = stays
        .and_then(|member| member.location.clone())
        .or_else(|| old.and_then(|old| old.location.clone()))
        .or_else(|| ask.text("location"));
    if place.is_none() {
        refused.push(Refused::new(
            "place",
            format!("set {} has no place on record: name its `location`", set.set_id),
        ));
    }
    if let Some(named) = ask.text("location").filter(|named| place.as_ref() == Some(named)) {
        refused.extend(place_for(facts, &named, new.equipment).err());
    }
    let (Some(side), true) = (side, refused.is_empty()) else { return Err(refused) };
    let mut draft = Draft { movement: "replaced", set_id: Some(set.set_id.clone()), ..Draft::default() };
    if let Some(old) = old {
        leave(&mut draft, set, side, old);
        draft.note("old", old.serial.clone());
    }
    draft.note("new", new.serial.clone());
    join(&mut draft, new, &set.set_id, side, place.as_deref());
    Ok(draft)
}

/// A member becomes a spare.
pub(crate) fn leave(draft: &mut Draft, set: &Set, side: Side, gauge: &Gauge) {
    let changed = draft.gauge(gauge);
    changed.set_id = None;
    draft.leave(set, side);
}

/// Ends a set.
pub(crate) fn end(draft: &mut Draft, facts: &Facts, set: &Set, how: &'static str) {
    draft.set_id = Some(set.set_id.clone());
    draft.updates.push((
        set.row.clone(),
        vec![
            ("ended", Value::text(how)),
            ("ended_entry", Value::Integer(facts.head.entry + 1)),
            ("ended_at", Value::text(&facts.now)),
        ],
    ));
}

fn unpair(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let set = set_of(ask, facts)?;
    let members = facts.members(set);
    let mut refused = Refusals::new();
    for member in &members {
        refused.extend(Step::Leave.of(&member.serial, member.status).err());
        refused.extend(listed(facts, member));
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    let mut draft = Draft::default();
    for member in members {
        if let Some(side) = member.side() {
            leave(&mut draft, set, side, member);
        }
    }
    end(&mut draft, facts, set, "unpaired");
    Ok(draft)
}

fn retire_set(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let set = set_of(ask, facts)?;
    let members = facts.members(set);
    let mut refused = Refusals::new();
    if ask.reason().is_none_or(|reason| reason.chars().count() < RETIRE_REASON) {
        refused.push(Refused::new(
            "retire.reason",
            format!("the reason has at least {RETIRE_REASON} characters"),
        ));
    }
    if members.len() != 2 {
        refused.push(Refused::new(
            "retire.two",
            format!("set {} has {} of its two members", set.set_id, members.len()),
        ));
    }
    let mut draft = Draft::default();
    for member in members {
        refused.extend(listed(facts, member));
        match (Step::Retire.of(&member.serial, member.status), member.side()) {
            (Ok(status), Some(side)) => {
                // The ID stays on the row: it says in which set the gauge ended.
                draft.gauge(member).status = status;
                draft.leave(set, side);
            }
            (Err(why), _) => refused.push(why),
            (Ok(_), None) => {}
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    end(&mut draft, facts, set, "retired");
    Ok(draft)
}

/// Whatever is open about a gauge ends with its loss.
pub(crate) fn close_all(draft: &mut Draft, facts: &Facts, serial: &str) {
    let entry = Value::Integer(facts.head.entry + 1);
    let now = Value::text(&facts.now);
    for row in facts.of("gauge_checkouts", "serial", serial).filter(|row| row.get("returned_entry").is_null())
    {
        let values = vec![
            ("returned_entry", entry.clone()),
            ("returned_at", now.clone()),
            ("returned_by", Value::text(&facts.actor_name)),
        ];
        draft.updates.push((row.clone(), values));
    }
    close_requests(draft, facts, serial);
    for row in facts.of("gauge_calibration_members", "serial", serial) {
        if matches!(row.get("state").as_text(), Some("added" | "sent")) {
            draft.updates.push((row.clone(), vec![("state", Value::text("removed"))]));
        }
    }
}

/// Open transfers and unseal requests end.
pub(crate) fn close_requests(draft: &mut Draft, facts: &Facts, serial: &str) {
    let entry = Value::Integer(facts.head.entry + 1);
    for (table, state) in [("gauge_transfers", "cancelled"), ("gauge_unseal_requests", "rejected")] {
        for row in facts.of(table, "serial", serial).filter(|row| row.get("ended_entry").is_null()) {
            draft
                .updates
                .push((row.clone(), vec![("state", Value::text(state)), ("ended_entry", entry.clone())]));
        }
    }
}

fn lose(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let gauge = gauge_of(facts, &ask.text("serial").unwrap_or_default()).map_err(|why| vec![why])?;
    let status = Step::Lose.of(&gauge.serial, gauge.status).map_err(|why| vec![why])?;
    let mut draft = Draft::default();
    let set = gauge.set_id.as_ref().and_then(|set_id| facts.sets.get(set_id));
    if let (Some(set), Some(side)) = (set, gauge.side()) {
        leave(&mut draft, set, side, gauge);
        draft.set_id = Some(set.set_id.clone());
        draft.note("incomplete", json!({ "set": set.set_id, "missing": side }));
    }
    draft.gauge(gauge).status = status;
    close_all(&mut draft, facts, &gauge.serial);
    Ok(draft)
}

fn find(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let gauge = gauge_of(facts, &ask.text("serial").unwrap_or_default()).map_err(|why| vec![why])?;
    let place = ask.text("location").unwrap_or_default();
    let mut refused = Refusals::new();
    refused.extend(place_for(facts, &place, gauge.equipment).err());
    let status = Step::Find.of(&gauge.serial, gauge.status);
    let (Ok(status), true) = (status.clone(), refused.is_empty()) else {
        refused.extend(status.err());
        return Err(refused);
    };
    let mut draft = Draft { movement: "found", ..Draft::default() };
    let changed = draft.gauge(gauge);
    changed.status = status;
    changed.location = Some(place);
    Ok(draft)
}
