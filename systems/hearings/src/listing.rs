//! The list of committee meetings: every page of it, read until it is complete.
//!
//! Owns the paging and what is made of gaps and repetitions. Which meetings are then asked in detail is
//! [`crate::update`]'s.
//!
//! Invariants: the offset goes on until it reaches the count that the list states, whatever a page holds; of two entries
//! for one meeting the one updated last is kept; an entry that names no meeting is kept too.

use std::collections::BTreeMap;

use plimsoll_engine::EngineError;
use plimsoll_engine::source::{Fetch, FetchError, Query};
use serde_json::Value as Json;

use crate::api::{self, ListEntry};
use crate::update::Options;

/// Entries of one list page; the most that the API sends.
const PAGE: u64 = 250;
/// How often the whole list is read before missing entries are given up.
const LIST_READINGS: u32 = 3;

/// Lists the meetings of every congress that is asked.
pub(crate) fn list(
    fetch: &mut dyn Fetch,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Vec<ListEntry>, EngineError> {
    let now = fetch.now().as_deref().and_then(api::instant);
    let Some(congresses) = options.congresses(now) else {
        let found = Listing::read(fetch, "committee-meeting", options, notes).map_err(list_failed)?;
        return Ok(found.into_entries());
    };
    let mut listing = Vec::new();
    let mut refused = None;
    let mut answered = false;
    for congress in &congresses {
        match Listing::read(fetch, &format!("committee-meeting/{congress}"), options, notes) {
            Ok(found) => {
                answered = true;
                listing.extend(found.into_entries());
            }
            Err(FetchError::Answer(reason)) => {
                notes.push(format!("congress {congress} is not listed: {reason}"));
                refused = Some(reason);
            }
            Err(error) => return Err(list_failed(error)),
        }
    }
    if let (false, Some(reason)) = (answered, refused) {
        return Err(list_failed(FetchError::Answer(reason)));
    }
    let first_load = options.congresses.is_none() && options.known_until.is_none();
    if let (true, true, [current]) = (listing.is_empty(), first_load, congresses.as_slice()) {
        // A new congress lists nothing for its first days.
        let before = current - 1;
        notes.push(format!("nothing is listed yet for congress {current}; took congress {before}"));
        let found = Listing::read(fetch, &format!("committee-meeting/{before}"), options, notes);
        listing.extend(found.map_err(list_failed)?.into_entries());
    }
    Ok(listing)
}

fn list_failed(error: FetchError) -> EngineError {
    match error {
        FetchError::Source(text) => EngineError::source(text),
        FetchError::Answer(text) => EngineError::source(format!(
            "the list of committee meetings cannot be read: {text}\nhint: name a congress that the source has, with --option congress=119"
        )),
    }
}

/// One list, read until it is complete.
#[derive(Default)]
struct Listing {
    by_event: BTreeMap<String, ListEntry>,
    /// Entries that name no meeting, each once.
    nameless: Vec<ListEntry>,
    count: u64,
    repeated: u64,
}

impl Listing {
    fn read(
        fetch: &mut dyn Fetch,
        path: &str,
        options: &Options,
        notes: &mut Vec<String>,
    ) -> Result<Self, FetchError> {
        let mut listing = Self::default();
        let mut missing_at_first = 0;
        let mut readings = 0;
        while readings < LIST_READINGS {
            readings += 1;
            listing.read_once(fetch, path, options)?;
            let missing = listing.count.saturating_sub(listing.found());
            if readings == 1 {
                missing_at_first = missing;
            }
            if missing == 0 {
                break;
            }
        }
        let missing = listing.count.saturating_sub(listing.found());
        if missing > 0 {
            notes.push(format!(
                "{path} counts {} meetings, but {readings} readings found {}: {missing} are missing from the list",
                listing.count,
                listing.found()
            ));
        } else if readings > 1 {
            notes.push(format!(
                "{path} was read {readings} times, because the first reading lacked {missing_at_first} of {} meetings",
                listing.count
            ));
        }
        if listing.repeated > 0 {
            notes.push(format!("{path} listed {} entries more than once", listing.repeated));
        }
        Ok(listing)
    }

    fn found(&self) -> u64 {
        (self.by_event.len() + self.nameless.len()) as u64
    }

    /// Reads every page from the first, until the offset reaches the count.
    fn read_once(&mut self, fetch: &mut dyn Fetch, path: &str, options: &Options) -> Result<(), FetchError> {
        let mut offset = 0;
        loop {
            let mut query =
                Query::new(path).with("format", "json").with("limit", PAGE).with("offset", offset);
            if let Some(since) = options.since {
                query = query.with("fromDateTime", format!("{since:.0}"));
            }
            let page = fetch.get(&query)?;
            let (entries, count) = read_page(&page)
                .map_err(|problem| FetchError::Answer(format!("{path} at offset {offset} {problem}")))?;
            for entry in entries {
                self.add(entry);
            }
            self.count = count;
            offset += PAGE;
            if offset >= count {
                return Ok(());
            }
        }
    }

    /// Keeps the entry; of two for one meeting, the one that was updated last.
    fn add(&mut self, entry: ListEntry) {
        let Some(event) = entry.event_id.clone() else {
            if self.nameless.contains(&entry) {
                self.repeated += 1;
            } else {
                self.nameless.push(entry);
            }
            return;
        };
        match self.by_event.get_mut(&event) {
            Some(known) => {
                self.repeated += 1;
                if entry.updated > known.updated {
                    *known = entry;
                }
            }
            None => {
                self.by_event.insert(event, entry);
            }
        }
    }

    fn into_entries(self) -> Vec<ListEntry> {
        self.nameless.into_iter().chain(self.by_event.into_values()).collect()
    }
}

/// The entries of a list page, and how many the whole list has.
fn read_page(page: &Json) -> Result<(Vec<ListEntry>, u64), String> {
    let container = page.get("committeeMeetings").ok_or("holds no committeeMeetings")?;
    let entries = api::entries(container).unwrap_or_default();
    let entries: Vec<ListEntry> = entries.into_iter().map(ListEntry::of).collect();
    let count = page.get("pagination").and_then(|pagination| api::text(pagination.get("count")));
    let count = count.and_then(|text| text.parse().ok()).ok_or("holds no pagination.count")?;
    Ok((entries, count))
}
