//! Which two gauges make a set: every mismatch by name.
//!
//! Owns the comparison. NPT gauges are single gauges and never pair (ASME B1.20.1: one L1 gauge decides). A sealed and an
//! unsealed gauge may pair; that is worth a note, not a refusal.

use crate::model::{Gauge, Likeness, Side, Status};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused};

/// Why a gauge cannot be the `side` member of a set with this likeness; empty when it can.
pub fn unfit(gauge: &Gauge, side: Side, wanted: Option<&Likeness>) -> Refusals {
    let mut refused = Refusals::new();
    let name = &gauge.serial;
    let Some(thread) = &gauge.thread else {
        return vec![Refused::new(
            "pair.thread_gauge",
            format!("{name} is a {}, not a thread gauge", gauge.equipment),
        )];
    };
    if let Some(set_id) = gauge.set_id.as_ref().filter(|_| !gauge.status.is_final()) {
        refused.push(Refused::new("pair.spare", format!("{name} is no spare: it is in set {set_id}")));
    }
    if gauge.status == Status::PendingQc {
        refused.push(Refused::new("pair.pending_qc", format!("{name} waits for QC")));
    } else if let Err(why) = Step::Join.of(name, gauge.status) {
        refused.push(Refused { rule: "pair.status", ..why });
    }
    if thread.likeness.thread_type == "npt" {
        refused.push(Refused::new("pair.npt", format!("{name} is an NPT gauge, which is used alone")));
    }
    if thread.side != side {
        refused.push(Refused::new(
            "pair.side",
            format!("{name} is the {}, not the {}", thread.side.title(), side.title()),
        ));
    }
    if let Some(wanted) = wanted {
        refused.extend(unlike(name, &thread.likeness, wanted));
    }
    refused
}

/// Every respect in which a gauge is unlike what is wanted.
pub fn unlike(name: &str, found: &Likeness, wanted: &Likeness) -> Refusals {
    let none = || "none".to_owned();
    let starts = |likeness: &Likeness| likeness.acme_starts.map_or_else(none, |starts| starts.to_string());
    let owner = |likeness: &Likeness| match &likeness.owner {
        Some(owner) => format!("{} {owner}", likeness.ownership),
        None => likeness.ownership.to_string(),
    };
    let respects: [(&str, &str, String, String); 9] = [
        ("pair.category", "category", found.category.clone(), wanted.category.clone()),
        ("pair.size", "thread size", found.thread_size.clone(), wanted.thread_size.clone()),
        ("pair.type", "thread type", found.thread_type.clone(), wanted.thread_type.clone()),
        (
            "pair.form",
            "thread form",
            found.thread_form.clone().unwrap_or_else(none),
            wanted.thread_form.clone().unwrap_or_else(none),
        ),
        ("pair.class", "thread class", found.thread_class.clone(), wanted.thread_class.clone()),
        ("pair.gauge_type", "gauge type", found.gauge_type.clone(), wanted.gauge_type.clone()),
        ("pair.hand", "hand", found.hand.clone(), wanted.hand.clone()),
        ("pair.starts", "Acme starts", starts(found), starts(wanted)),
        ("pair.owner", "owner", owner(found), owner(wanted)),
    ];
    respects
        .into_iter()
        .filter(|(_, _, found, wanted)| found != wanted)
        .map(|(rule, what, found, wanted)| {
            Refused::new(rule, format!("{what} of {name} is {found}, wanted is {wanted}"))
        })
        .collect()
}

/// Why two gauges cannot be paired as GO and NO-GO; empty when they can.
pub fn pair(go: &Gauge, nogo: &Gauge) -> Refusals {
    let mut refused = unfit(go, Side::Go, None);
    if go.serial == nogo.serial {
        refused.push(Refused::new("pair.two", format!("{} cannot be both members of a set", go.serial)));
    }
    let wanted = go.thread.as_ref().map(|thread| &thread.likeness);
    refused.extend(unfit(nogo, Side::NoGo, wanted));
    refused
}
