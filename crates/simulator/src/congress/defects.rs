//! The ways a planted meeting is bad, one per meeting.
//!
//! Owns the list of defects, how each one changes what is sent, and the name it has in the manifest. All of
//! them are statements no earlier row may hold, or answers that hold no meeting; none is a transport fault,
//! which a retry would cure.
//!
//! Invariant: a defect is in the item only. The list entry of the same meeting is well formed (except for a
//! non-numeric event id, whose defect *is* the entry), so a client always gets as far as asking for the item.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::model::Meeting;
use super::render::request_of;
use crate::random::Random;

/// Why a planted meeting is bad, as the manifest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadReason {
    /// The item has no `title`.
    TitleMissing,
    /// The item's `title` is null.
    TitleNull,
    /// The item's `chamber` is not `House`, `Senate` or `NoChamber`.
    ChamberUnknown,
    /// The item's `meetingStatus` is not one of the four.
    StatusUnknown,
    /// The item's `type` is not one of the three.
    TypeUnknown,
    /// The item's `date` is no date of the calendar.
    DateImpossible,
    /// The item's `congress` is outside 1 to 200.
    CongressOutOfRange,
    /// The first committee of the item has no `systemCode`, and no address to guess it from.
    CommitteeWithoutCode,
    /// The list offers an event id that is not a number; asking for it answers 500, always.
    EventIdNotNumeric,
    /// Asking for the item answers with a JSON error instead of a meeting, always: with status 500, or 200.
    DetailError,
}

impl BadReason {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::TitleMissing,
        Self::TitleNull,
        Self::ChamberUnknown,
        Self::StatusUnknown,
        Self::TypeUnknown,
        Self::DateImpossible,
        Self::CongressOutOfRange,
        Self::CommitteeWithoutCode,
        Self::EventIdNotNumeric,
        Self::DetailError,
    ];
}

/// One planted defect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Its name.
    pub reason: BadReason,
    kind: DefectKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum DefectKind {
    Remove(&'static str),
    Replace(&'static str, Value),
    CommitteeWithoutCode,
    Answer(u16),
}

impl Defect {
    /// A defect of this `reason`, its details drawn from `random`.
    pub(crate) fn draw(reason: BadReason, random: &mut Random) -> Self {
        let kind = match reason {
            BadReason::TitleMissing => DefectKind::Remove("title"),
            BadReason::TitleNull => DefectKind::Replace("title", Value::Null),
            BadReason::ChamberUnknown => {
                DefectKind::Replace("chamber", json!(random.pick(&["Joint", "Assembly", "Upper House"])))
            }
            BadReason::StatusUnknown => {
                DefectKind::Replace("meetingStatus", json!(random.pick(&["Completed", "In Progress", "TBD"])))
            }
            BadReason::TypeUnknown => {
                DefectKind::Replace("type", json!(random.pick(&["Briefing", "Roundtable", "Field Trip"])))
            }
            BadReason::DateImpossible => {
                let impossible = ["2025-02-30T14:00:00Z", "2025-13-01T15:00:00Z", "2025-06-31", "not a date"];
                DefectKind::Replace("date", json!(random.pick(&impossible)))
            }
            BadReason::CongressOutOfRange => {
                DefectKind::Replace("congress", json!(random.pick(&[0, -1, 201, 1190])))
            }
            BadReason::CommitteeWithoutCode => DefectKind::CommitteeWithoutCode,
            BadReason::EventIdNotNumeric => DefectKind::Answer(500),
            BadReason::DetailError => DefectKind::Answer(*random.pick(&[500, 200])),
        };
        Self { reason, kind }
    }

    /// Changes the item as the defect says.
    pub(crate) fn plant(&self, item: &mut Map<String, Value>) {
        match &self.kind {
            DefectKind::Remove(field) => drop(item.remove(*field)),
            DefectKind::Replace(field, value) => drop(item.insert((*field).to_owned(), value.clone())),
            DefectKind::CommitteeWithoutCode => {
                let entries = match item.get_mut("committees") {
                    Some(Value::Object(wrapper)) => wrapper.get_mut("item"),
                    other => other,
                };
                if let Some(Value::Object(first)) = entries.and_then(|entries| entries.get_mut(0)) {
                    first.remove("systemCode");
                    first.remove("url");
                }
            }
            DefectKind::Answer(_) => {}
        }
    }

    /// The status and body that answer every request for the item, when the defect is that there is none.
    pub(crate) fn answer(&self, meeting: &Meeting) -> Option<(u16, Value)> {
        let DefectKind::Answer(status) = self.kind else { return None };
        let error = match self.reason {
            BadReason::EventIdNotNumeric => format!("no route leads to event `{}`", meeting.event_id),
            _ => "the meeting cannot be written as JSON".to_owned(),
        };
        Some((status, json!({ "error": error, "request": request_of(meeting) })))
    }
}
