//! What a set is, computed from its members and never stored.
//!
//! Owns completeness, sealing and usability. Only how a set ended is on record.

use serde::Serialize;

use crate::model::{Gauge, Side, Status};
use crate::rules::due;

/// Whether a set has its two members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// One GO and one NO-GO.
    Complete,
    /// A side, or both, is vacant.
    Incomplete {
        /// The vacant sides.
        missing: Vec<Side>,
    },
    /// It ended: unpaired, retired, returned, deleted.
    Ended {
        /// How.
        how: String,
    },
}

/// A set as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetState {
    /// Complete, incomplete or ended.
    pub membership: Membership,
    /// Any member is sealed.
    pub sealed: bool,
    /// Complete, and both members may be used today.
    pub usable: bool,
    /// Why it is not usable, one reason each.
    pub blocked: Vec<String>,
}

/// The state of a set with these members.
pub fn of(go: Option<&Gauge>, nogo: Option<&Gauge>, ended: Option<&str>, today: &str) -> SetState {
    let members = [(Side::Go, go), (Side::NoGo, nogo)];
    let sealed = members.iter().any(|(_, gauge)| gauge.is_some_and(|gauge| gauge.sealed));
    let mut blocked = Vec::new();
    let missing: Vec<Side> =
        members.iter().filter(|(_, gauge)| gauge.is_none()).map(|(side, _)| *side).collect();
    let membership = match ended {
        Some(how) => {
            blocked.push(format!("the set is {how}"));
            Membership::Ended { how: how.to_owned() }
        }
        None if missing.is_empty() => Membership::Complete,
        None => {
            blocked.extend(missing.iter().map(|side| format!("the {} is missing", side.title())));
            Membership::Incomplete { missing }
        }
    };
    for gauge in members.iter().filter_map(|(_, gauge)| *gauge) {
        if gauge.status != Status::Available {
            blocked.push(format!("{} is {}", gauge.serial, gauge.status));
        } else if due::is_due(gauge, today) {
            blocked.push(format!("calibration of {} is overdue", gauge.serial));
        }
        if gauge.sealed {
            blocked.push(format!("{} is sealed", gauge.serial));
        }
    }
    let usable = membership == Membership::Complete && blocked.is_empty();
    SetState { membership, sealed, usable, blocked }
}
