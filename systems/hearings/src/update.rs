//! The change `daily-update`: reads the committee meetings of congress.gov and brings the rows in step.
//!
//! Owns how the source is asked: which congresses, and which of the listed meetings in detail. Listing them is
//! `listing`'s, what a meeting means `mapping`'s.
//!
//! Invariants:
//! - Every entry of the list ends in the summary: delivered, or left out and counted.
//! - A meeting that cannot be shown is delivered with the reason, never dropped.
//! - Records are delivered oldest update first, whatever order the pages had, so the same source gives the same plan.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use plimsoll_core::decision::Criterion;
use plimsoll_core::item::Item;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{PlanContext, Proposal};
use plimsoll_engine::source::{
    Fetch, FetchError, Query, SourceDeclaration, SourceRecord, SourceRequest, SourceSummary,
};
use plimsoll_engine::system::ChangeKind;
use serde_json::{Value as Json, json};

use crate::api::{self, KNOWN_MEMBERS, ListEntry};
use crate::{listing, mapping, rules};

/// The most meetings asked in detail when the caller does not say.
const MOST_DETAILS: u64 = 4_000;
/// How far back a meeting is asked again when not all of them are: the source back-dates late updates.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Where congress.gov answers.
const SOURCE: SourceDeclaration =
    SourceDeclaration { address: "https://api.congress.gov", root: "v3", requests_per_hour: 5_000 };
/// Members that most meetings have; when no record has one of them, the API has probably renamed it.
const COMMON_MEMBERS: [&str; 5] = ["title", "type", "meetingStatus", "date", "committees"];
/// Records that must lack a common member before it is worth a note.
const DRIFT_SAMPLE: u64 = 20;

/// The change `daily-update`.
#[derive(Debug, Clone, Copy)]
pub struct DailyUpdate;

impl ChangeKind for DailyUpdate {
    fn name(&self) -> &'static str {
        "daily-update"
    }

    fn help(&self) -> &'static str {
        "Bring hearings in step with the committee meetings of congress.gov (options: congress, max_details)"
    }

    fn needs_backup(&self) -> bool {
        true
    }

    fn known_until(&self) -> Option<(&'static str, &'static str)> {
        Some(("hearings", "update_date"))
    }

    fn source(&self) -> Option<&'static SourceDeclaration> {
        Some(&SOURCE)
    }

    fn read(
        &self,
        fetch: &mut dyn Fetch,
        request: &SourceRequest,
        each: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError> {
        let options = Options::of(request)?;
        let mut summary = SourceSummary::default();
        let listing = listing::list(fetch, &options, &mut summary.notes)?;
        summary.listed = listing.len() as u64;
        let chosen = choose(listing, fetch.budget_left(), &options, &mut summary);
        let mut drift = Drift::default();
        let mut unreadable = 0;
        for entry in chosen {
            let record = detail(fetch, &entry)?;
            match &record.body {
                Ok(body) => drift.look(body),
                Err(_) => unreadable += 1,
            }
            summary.delivered += 1;
            each(record)?;
        }
        if unreadable > 0 {
            summary.notes.push(format!("{unreadable} meetings are listed but cannot be shown by the source"));
        }
        summary.notes.extend(drift.notes());
        Ok(summary)
    }

    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
        mapping::propose(record, context)
    }

    fn validate(&self, items: &[Item]) -> Vec<(usize, String)> {
        rules::check_items(items)
    }

    fn criteria(&self) -> &'static [Criterion] {
        crate::decision::CRITERIA
    }
}

/// What a request asks for, read.
pub(crate) struct Options {
    pub(crate) congresses: Option<Vec<i64>>,
    pub(crate) max_details: u64,
    pub(crate) since: Option<Timestamp>,
    pub(crate) known_until: Option<Timestamp>,
}

impl Options {
    fn of(request: &SourceRequest) -> Result<Self, EngineError> {
        let mut options = Self {
            congresses: None,
            max_details: MOST_DETAILS,
            since: None,
            // The store's own text, which may be of any form that a database prints.
            known_until: request.known_until.as_deref().and_then(api::instant),
        };
        if let Some(text) = &request.since {
            options.since = Some(since(text)?);
        }
        for (name, value) in &request.options {
            let refuse = |wanted: &str| {
                EngineError::usage(format!("option `{name}` is `{value}`\nhint: it is {wanted}"))
            };
            match name.as_str() {
                "congress" => {
                    let numbers: Result<Vec<i64>, _> =
                        value.split(',').map(|part| part.trim().parse()).collect();
                    let numbers =
                        numbers.ok().filter(|all| all.iter().all(|n| rules::CONGRESSES.contains(n)));
                    options.congresses =
                        Some(numbers.ok_or_else(|| refuse("a congress such as 119, or several as 118,119"))?);
                }
                "max_details" => {
                    options.max_details =
                        value.parse().map_err(|_| refuse("the most meetings to ask in detail"))?;
                }
                _ => {
                    return Err(EngineError::usage(format!(
                        "the daily update has no option `{name}`\nhint: it has congress and max_details"
                    )));
                }
            }
        }
        Ok(options)
    }

    /// The congresses whose meetings are listed, unless all are: from the one of the newest known update to the one of
    /// today. The first two days of an odd year count to the new congress here; the range makes up for it.
    pub(crate) fn congresses(&self, now: Option<Timestamp>) -> Option<Vec<i64>> {
        if let Some(named) = &self.congresses {
            return Some(named.clone());
        }
        let of = |instant: Timestamp| {
            let year = i64::from(instant.to_zoned(jiff::tz::TimeZone::UTC).year());
            ((year - 1789).div_euclid(2) + 1).clamp(*rules::CONGRESSES.start(), *rules::CONGRESSES.end())
        };
        match (self.known_until.map(of), now.map(of)) {
            (Some(known), Some(now)) => Some((known.min(now)..=now).collect()),
            // A folder has no today; what it lacks is skipped.
            (Some(known), None) => Some(vec![known, known + 1]),
            (None, Some(now)) => Some(vec![now]),
            (None, None) => None,
        }
    }
}

fn since(text: &str) -> Result<Timestamp, EngineError> {
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    api::instant(&whole).ok_or_else(|| {
        EngineError::usage(format!(
            "`{text}` is no time\nhint: give one like 2026-01-31 or 2026-01-31T00:00:00Z"
        ))
    })
}

/// The entries to ask in detail, oldest update first: all, when they fit; otherwise those that may have changed.
fn choose(
    mut listing: Vec<ListEntry>,
    budget: Option<u64>,
    options: &Options,
    summary: &mut SourceSummary,
) -> Vec<ListEntry> {
    listing.sort_by(|a, b| (a.updated, &a.event_id).cmp(&(b.updated, &b.event_id)));
    if let Some(since) = options.since {
        // A source that cannot filter by time, as a folder, sends them all.
        listing.retain(|entry| entry.updated.is_none_or(|updated| updated >= since));
    }
    // A twentieth of the budget is kept for repetitions.
    let allowed = budget.map_or(u64::MAX, |budget| budget - budget / 20).min(options.max_details);
    let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
    if listing.len() > allowed {
        let may_have_changed = |entry: &ListEntry, known: Timestamp| {
            let from = known.checked_sub(OVERLAP).unwrap_or(known);
            entry.updated.is_none_or(|updated| updated > from)
        };
        if let Some(known) = options.known_until {
            listing.retain(|entry| may_have_changed(entry, known));
            // What is certainly newer goes first: when even that is too much, the oldest of it is taken, so that the
            // newest known update moves on and the next run continues there.
            listing.sort_by_key(|entry| entry.updated.is_some_and(|updated| updated <= known));
        }
        listing.truncate(allowed);
        listing.sort_by(|a, b| (a.updated, &a.event_id).cmp(&(b.updated, &b.event_id)));
    }
    summary.left_out = summary.listed - listing.len() as u64;
    if summary.left_out > 0 {
        summary.notes.push(format!(
            "{} of {} listed meetings were not asked in detail: {} fit into the request budget and the option max_details, or the time asked for",
            summary.left_out,
            summary.listed,
            listing.len()
        ));
    }
    listing
}

/// Asks for one meeting. The record holds the answer with the list entry beside it, because only the list states the
/// meeting's address.
fn detail(fetch: &mut dyn Fetch, entry: &ListEntry) -> Result<SourceRecord, EngineError> {
    let Some(event) = &entry.event_id else {
        let label = "a hearing without an event id".to_owned();
        return Ok(SourceRecord { label, body: Err(format!("its list entry is {}", entry.body)) });
    };
    let record = |body| Ok(SourceRecord { label: format!("hearing {event}"), body });
    if !rules::is_event_id(event) {
        // The API answers such ids with HTTP 500 however often it is asked; the rules refuse them.
        return record(Ok(json!({ "list": entry.body })));
    }
    let (Some(congress), Some(chamber)) = (&entry.congress, &entry.chamber) else {
        return record(Err("its list entry says neither congress and chamber nor an address".to_owned()));
    };
    let query = Query::new(format!("committee-meeting/{congress}/{chamber}/{event}")).with("format", "json");
    match fetch.get(&query) {
        Ok(answer) => match answer.get("committeeMeeting").filter(|meeting| meeting.is_object()) {
            Some(meeting) => record(Ok(json!({ "committeeMeeting": meeting, "list": entry.body }))),
            None => {
                let said = answer.get("error").map(|error| format!(": {error}")).unwrap_or_default();
                record(Err(format!("the answer holds no committeeMeeting{said}")))
            }
        },
        Err(FetchError::Answer(reason)) => record(Err(reason)),
        Err(FetchError::Source(reason)) => Err(EngineError::source(reason)),
    }
}

/// Watches for members that come or go, as after a change of the API.
#[derive(Default)]
struct Drift {
    records: u64,
    unknown: HashMap<String, u64>,
    common: [u64; COMMON_MEMBERS.len()],
}

impl Drift {
    fn look(&mut self, body: &Json) {
        let Some(members) = body.get("committeeMeeting").and_then(Json::as_object) else { return };
        self.records += 1;
        for name in members.keys().filter(|name| !KNOWN_MEMBERS.contains(&name.as_str())) {
            *self.unknown.entry(name.clone()).or_default() += 1;
        }
        for (name, seen) in COMMON_MEMBERS.iter().zip(&mut self.common) {
            *seen += u64::from(members.contains_key(*name));
        }
    }

    fn notes(self) -> Vec<String> {
        let mut unknown: Vec<(String, u64)> = self.unknown.into_iter().collect();
        unknown.sort();
        let records = self.records;
        let mut notes: Vec<String> = unknown
            .into_iter()
            .map(|(name, seen)| {
                format!("`{name}` is not a member this program knows ({seen} of {records} meetings have it)")
            })
            .collect();
        for (name, seen) in COMMON_MEMBERS.iter().zip(self.common) {
            if seen == 0 && records >= DRIFT_SAMPLE {
                notes.push(format!("none of {records} meetings has `{name}`; the API may have renamed it"));
            }
        }
        notes
    }
}
