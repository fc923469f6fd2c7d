//! What is accepted: the rules that a record, and an item of a plan, must keep.
//!
//! Owns the rules for the fields that nothing else can judge: the key, the title, the chamber, the congress, dates, and
//! the keys of committees and bills. It deliberately leaves `type`, `meetingStatus` and the types of bills and documents
//! to the database's own constraints: the database is the last judge, and a record it refuses is isolated and quarantined
//! by the engine like one refused here, only later.
//!
//! Invariants:
//! - The validator and the schema accept the same chambers ([`CHAMBERS`]); a test compares the two.
//! - A blank title is accepted, because the API has meetings without one; it never replaces a title
//!   ([`erased_title`]).
//! - A refusal names the event, the field, the value and what to do.

use std::collections::HashMap;
use std::fmt;

use plimsoll_core::change::Change;
use plimsoll_core::item::Item;
use plimsoll_core::table::ColumnType;
use plimsoll_core::value::{Value, is_date};

use crate::api::{self, Statements};

/// The chambers that a hearing may have, in the rules and in the schema. A joint meeting has no chamber of its own.
pub const CHAMBERS: [&str; 3] = ["House", "Senate", "NoChamber"];
/// The congresses that a hearing may belong to.
pub const CONGRESSES: std::ops::RangeInclusive<i64> = 1..=200;

/// A record that keeps the rules. `None` is what the record does not state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meeting {
    /// Digits.
    pub event_id: String,
    /// One of [`CONGRESSES`].
    pub congress: i64,
    /// One of [`CHAMBERS`].
    pub chamber: &'static str,
    /// Byte for byte; may be empty.
    pub title: String,
    /// Left to the database.
    pub meeting_type: Option<String>,
    /// Left to the database.
    pub status: Option<String>,
    /// When it is held.
    pub held: Option<Held>,
    /// Where.
    pub location: Option<String>,
    /// The API's address.
    pub url: Option<String>,
    /// When the source last touched it, canonical.
    pub update_date: Option<String>,
    /// Who holds it, each once.
    pub committees: Option<Vec<Committee>>,
    /// Who testifies, in order.
    pub witnesses: Option<Vec<Witness>>,
    /// Documents with an address, each once.
    pub witness_documents: Option<Vec<api::DocumentStatement>>,
    /// Documents of the meeting.
    pub meeting_documents: Option<Vec<api::DocumentStatement>>,
    /// Printed transcripts.
    pub transcripts: Option<Vec<api::TranscriptStatement>>,
    /// Bills, each once.
    pub bills: Option<Vec<Bill>>,
    /// Addresses of recordings.
    pub videos: Option<Vec<String>>,
}

/// When a meeting is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// `HH:MM:SS` in UTC; `None` where only the day is stated.
    pub time: Option<String>,
}

/// A committee that holds a meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committee {
    /// The API's key.
    pub system_code: String,
    /// The name, where it is stated.
    pub name: Option<String>,
    /// The API's address, where it is stated.
    pub url: Option<String>,
}

/// A person who testifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The full name.
    pub name: String,
    /// The position held at the time.
    pub position: Option<String>,
    /// The organization spoken for.
    pub organization: Option<String>,
}

/// A bill or resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The congress it was introduced in.
    pub congress: i64,
    /// In capitals; left to the database.
    pub bill_type: String,
    /// Its number.
    pub number: i64,
    /// The API's address, where it is stated.
    pub url: Option<String>,
}

/// A rule that is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the record, as a path that a repair can name.
    pub field: String,
    /// What stands there; `None` when nothing does.
    pub value: Option<String>,
    /// What the rule wants.
    pub wanted: &'static str,
    /// What to do.
    pub hint: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "`{}` is {value:?}, not {}", self.field, self.wanted),
            None => write!(f, "`{}` is missing; it must be {}", self.field, self.wanted),
        }
    }
}

/// The refusal's text for the problems of one record.
pub fn refusal(event: Option<&str>, problems: &[Problem]) -> String {
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let mut hints: Vec<&str> = Vec::new();
    for problem in problems {
        if !hints.contains(&problem.hint) {
            hints.push(problem.hint);
        }
    }
    let event = event.unwrap_or("without an event id");
    format!("hearing {event}: {}\nhint: {}", told.join("; "), hints.join("; "))
}

const REPAIR: &str = "look at the meeting on congress.gov, repair the record and replay it";

/// The problem that a blank title would replace `known`.
pub fn erased_title(title: &str, known: &str) -> Option<Problem> {
    (title.trim().is_empty() && !known.trim().is_empty()).then(|| Problem {
        field: "committeeMeeting.title".into(),
        value: Some(title.to_owned()),
        wanted: "a title, like the one the store has",
        hint: "a title does not vanish; repair the record and replay it, or wait for the source to mend it",
    })
}

/// The meeting that a record states, when it keeps the rules.
///
/// # Errors
/// Every rule that it breaks.
pub fn accept(statements: &Statements) -> Result<Meeting, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut refuse = |field: String, value: Option<&String>, wanted, hint| {
        problems.push(Problem { field, value: value.cloned(), wanted, hint });
    };
    let member = |name: &str| format!("committeeMeeting.{name}");

    let event_id = statements.event_id.clone().unwrap_or_default();
    if !is_event_id(&event_id) {
        let hint = "congress.gov lists a few meetings under such ids and cannot show them; drop the item";
        refuse(member("eventId"), statements.event_id.as_ref(), "a number", hint);
    }
    if let Some(listed) = &statements.listed_as {
        let hint = "the source answered with another meeting; plan again";
        refuse("list.eventId".into(), Some(listed), "the id of the meeting beside it", hint);
    }
    let congress =
        statements.congress.as_deref().and_then(whole).filter(|number| CONGRESSES.contains(number));
    if congress.is_none() {
        refuse(member("congress"), statements.congress.as_ref(), "a congress from 1 to 200", REPAIR);
    }
    let chamber = statements.chamber.as_deref().and_then(chamber);
    if chamber.is_none() {
        let wanted = "House, Senate or NoChamber";
        refuse(member("chamber"), statements.chamber.as_ref(), wanted, REPAIR);
    }
    if statements.title.is_none() {
        refuse(member("title"), None, "a title", REPAIR);
    }
    let held = statements.date.as_deref().map(held);
    if held == Some(None) {
        refuse(member("date"), statements.date.as_ref(), "a date of the calendar", REPAIR);
    }
    let update_date = statements.update_date.as_deref().map(canonical_instant);
    if update_date == Some(None) {
        refuse(member("updateDate"), statements.update_date.as_ref(), "an instant", REPAIR);
    }
    let mut committees: Option<Vec<Committee>> = statements.committees.as_ref().map(|_| Vec::new());
    for (place, stated) in statements.committees.iter().flatten().enumerate() {
        match stated.system_code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
            Some(code) => {
                let known = committees.get_or_insert_default();
                if !known.iter().any(|committee| committee.system_code == code) {
                    let (name, url) = (stated.name.clone(), stated.url.clone());
                    known.push(Committee { system_code: code.to_owned(), name, url });
                }
            }
            None => refuse(
                member(&format!("committees.{place}.systemCode")),
                stated.system_code.as_ref(),
                "the key of a committee",
                "take the key from the committee's page on congress.gov, repair the record and replay it",
            ),
        }
    }
    let mut bills: Option<Vec<Bill>> = statements.bills.as_ref().map(|_| Vec::new());
    for (place, stated) in statements.bills.iter().flatten().enumerate() {
        let part = |name: &str| member(&format!("relatedItems.bills.{place}.{name}"));
        let congress = stated.congress.as_deref().and_then(whole);
        let number = stated.number.as_deref().and_then(whole);
        let bill_type = stated.bill_type.as_deref().map(|text| text.trim().to_uppercase());
        match (congress, number, bill_type) {
            (Some(congress), Some(number), Some(bill_type)) => {
                let known = bills.get_or_insert_default();
                let bill = Bill { congress, bill_type, number, url: stated.url.clone() };
                if !known.iter().any(|other| other.is(&bill)) {
                    known.push(bill);
                }
            }
            (None, ..) => refuse(part("congress"), stated.congress.as_ref(), "a number", REPAIR),
            (_, None, _) => refuse(part("number"), stated.number.as_ref(), "a number", REPAIR),
            (.., None) => refuse(part("type"), None, "a type such as HR", REPAIR),
        }
    }
    let (Some(congress), Some(chamber), Some(title), true) =
        (congress, chamber, statements.title.clone(), problems.is_empty())
    else {
        return Err(problems);
    };
    Ok(Meeting {
        event_id,
        congress,
        chamber,
        title,
        meeting_type: statements.meeting_type.clone(),
        status: statements.status.clone(),
        held: held.flatten(),
        location: statements.location.clone(),
        url: statements.url.clone(),
        update_date: update_date.flatten(),
        committees,
        witnesses: statements
            .witnesses
            .as_ref()
            .map(|witnesses| witnesses.iter().filter_map(named).collect()),
        witness_documents: statements.witness_documents.as_deref().map(addressed),
        meeting_documents: statements.meeting_documents.as_deref().map(some_content),
        transcripts: statements.transcripts.clone(),
        bills,
        videos: statements.videos.clone(),
    })
}

impl Bill {
    fn is(&self, other: &Self) -> bool {
        (self.congress, &self.bill_type, self.number) == (other.congress, &other.bill_type, other.number)
    }
}

/// True for what the API uses as the key of a meeting: digits.
pub fn is_event_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The chamber that a text names, in the schema's spelling.
fn chamber(text: &str) -> Option<&'static str> {
    CHAMBERS.into_iter().find(|chamber| chamber.eq_ignore_ascii_case(text.trim()))
}

fn whole(text: &str) -> Option<i64> {
    text.trim().parse().ok()
}

/// A day alone, or an instant; `None` for what is neither.
fn held(text: &str) -> Option<Held> {
    let text = text.trim();
    if is_date(text) {
        return Some(Held { day: text.to_owned(), time: None });
    }
    let instant = api::instant(text)?.to_string();
    let (day, time) = instant.split_once('T')?;
    Some(Held { day: day.to_owned(), time: time.get(..8).map(str::to_owned) })
}

/// An instant in the form of [`Value::Timestamp`], to the microsecond.
pub fn canonical_instant(text: &str) -> Option<String> {
    let instant = api::instant(text)?;
    let microseconds = jiff::Timestamp::from_microsecond(instant.as_microsecond()).ok()?;
    Some(microseconds.to_string())
}

/// A witness without a name is nobody who could be recorded.
fn named(stated: &api::WitnessStatement) -> Option<Witness> {
    let name = stated.name.clone().filter(|name| !name.trim().is_empty())?;
    Some(Witness { name, position: stated.position.clone(), organization: stated.organization.clone() })
}

/// Documents of witnesses are known by their address only; one without it cannot be told from another.
fn addressed(stated: &[api::DocumentStatement]) -> Vec<api::DocumentStatement> {
    let mut kept: Vec<api::DocumentStatement> = Vec::new();
    for document in stated {
        if document.url.is_some() && !kept.iter().any(|other| other.url == document.url) {
            kept.push(document.clone());
        }
    }
    kept
}

fn some_content(stated: &[api::DocumentStatement]) -> Vec<api::DocumentStatement> {
    stated.iter().filter(|document| **document != api::DocumentStatement::default()).cloned().collect()
}

/// The items of a batch that must not be applied: a hearing that comes twice, and rows that break the rules. Plans
/// made here have passed them already; plans that came from a file, and repaired ones, have not.
pub fn check_items(items: &[Item]) -> Vec<(usize, String)> {
    let mut refused = Vec::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        if item.refusal.is_some() {
            continue;
        }
        let mut reasons: Vec<String> = item.changes.iter().filter_map(broken_rule).collect();
        for event in item.changes.iter().filter_map(event_of) {
            let first = *seen.entry(event.clone()).or_insert(place);
            if first != place {
                reasons.push(format!(
                    "hearing {event}: the batch has it twice; the first one, {}, is taken\nhint: keep one of them in the plan",
                    items[first].label
                ));
            }
        }
        if let Some(reason) = reasons.into_iter().next() {
            refused.push((place, reason));
        }
    }
    refused
}

/// The event whose hearing a change touches.
fn event_of(change: &Change) -> Option<String> {
    let image = change.after.as_ref().or(change.before.as_ref())?;
    let event = (change.table.name == "hearings").then(|| change.table.get(image, "event_id").as_text());
    event.flatten().map(str::to_owned)
}

/// The first rule that the new values of a row break. Values that an update leaves alone are not judged.
fn broken_rule(change: &Change) -> Option<String> {
    let after = change.after.as_ref()?;
    let table = change.table.name.as_str();
    for at in change.changed() {
        let (Some(column), Some(value)) = (change.table.columns.get(at), after.get(at)) else { continue };
        let wanted = match (table, column.name.as_str()) {
            ("hearings", "event_id") if !value.as_text().is_some_and(is_event_id) => "a number",
            ("hearings", "title") if value.as_text().is_none() => "a title",
            ("hearings", "title") if erases_title(change, value) => "a title, like the one the row has",
            ("hearings", "chamber") if !value.as_text().is_some_and(|text| CHAMBERS.contains(&text)) => {
                "House, Senate or NoChamber"
            }
            ("hearings", "congress")
                if !value.as_integer().is_some_and(|number| CONGRESSES.contains(&number)) =>
            {
                "a congress from 1 to 200"
            }
            ("committees", "system_code") if value.as_text().is_none_or(|code| code.trim().is_empty()) => {
                "the key of a committee"
            }
            ("hearings", _) if column.column_type == ColumnType::Date && is_stray(value, is_date) => {
                "a date of the calendar"
            }
            ("hearings", "update_date") if is_stray(value, |text| canonical_instant(text).is_some()) => {
                "an instant"
            }
            _ => continue,
        };
        let event = event_of(change)
            .map_or_else(|| format!("row {}", change.key()), |event| format!("hearing {event}"));
        return Some(format!(
            "{event}: `{table}.{}` is {value}, not {wanted}\nhint: repair the value and replay the item",
            column.name
        ));
    }
    None
}

fn erases_title(change: &Change, title: &Value) -> bool {
    let before = change.before.as_ref().map(|image| change.table.get(image, "title"));
    let known = before.and_then(Value::as_text).unwrap_or_default();
    title.as_text().is_some_and(|title| erased_title(title, known).is_some())
}

/// True for a value that is there and is not what its column is for.
fn is_stray(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Null | Value::Timestamp(_) => false,
        other => !other.as_text().is_some_and(fits),
    }
}
