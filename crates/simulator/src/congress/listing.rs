//! What the API offers, made ready once: list entries, items, their order, and the pages of a list.
//!
//! Owns the selection of a list (congress, chamber, window of update dates), the cutting of pages, and the
//! two faults of lists. It deliberately knows nothing of HTTP.
//!
//! Invariants:
//! - `count` is the number of distinct meetings of the list, whatever the pages repeat or leave out.
//! - A page that repeats or leaves out an entry does so the first time it is read with its filters and size;
//!   a list that is read twice, page by page, has shown every meeting.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use jiff::Timestamp;

use super::faults::Faults;
use super::mutate::Scenario;
use super::render::Renderer;
use crate::random::Random;

/// How many pages are remembered as read; beyond that pages are exact.
const REMEMBERED_PAGES: usize = 100_000;

/// Which meetings a list holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Filter {
    /// Only of this congress.
    pub(crate) congress: Option<i64>,
    /// Only of this chamber, in lower case.
    pub(crate) chamber: Option<String>,
    /// Only updated at or after this instant.
    pub(crate) from: Option<Timestamp>,
    /// Only updated at or before this instant.
    pub(crate) to: Option<Timestamp>,
}

/// One page of a list.
pub(crate) struct Page<'a> {
    /// Distinct meetings of the whole list.
    pub(crate) count: usize,
    /// The entries of this page.
    pub(crate) entries: Vec<&'a Bytes>,
    /// True when the page repeats the entry before it.
    pub(crate) repeats: bool,
    /// How many entries were left out.
    pub(crate) left_out: usize,
}

/// A meeting, ready to be sent.
#[derive(Debug)]
pub(crate) struct Offer {
    event_id: String,
    congress: i64,
    chamber: String,
    updated: Option<Timestamp>,
    entry: Bytes,
    /// The status of the item's answer; 200 unless the planted defect is that there is no item.
    pub(crate) status: u16,
    /// The item's answer.
    pub(crate) item: Bytes,
    /// True when the planted defect is that there is no item.
    pub(crate) fails: bool,
    /// True until the first page that should hold the entry was read without it.
    held_back: AtomicBool,
}

/// Every offer, newest update first, as congress.gov sorts them.
#[derive(Debug)]
pub(crate) struct Catalog {
    offers: Vec<Offer>,
    by_event: HashMap<String, usize>,
    duplicates_across_pages: u32,
    read: Mutex<HashSet<(Filter, usize, usize)>>,
}

impl Catalog {
    /// Renders everything; returns also which meetings are held back once.
    pub(crate) fn new(scenario: &Scenario, faults: &Faults) -> (Self, Vec<String>) {
        let renderer =
            Renderer::new(scenario.manifest.seed, &scenario.committees, faults.renamed_fields.as_slice());
        let mut offers: Vec<Offer> = scenario
            .served
            .iter()
            .map(|served| {
                let meeting = &served.meeting;
                let refusal = served.defect.as_ref().and_then(|defect| defect.answer(meeting));
                let fails = refusal.is_some();
                let (status, item) = refusal.unwrap_or_else(|| (200, renderer.item(served)));
                Offer {
                    event_id: meeting.event_id.clone(),
                    congress: meeting.congress,
                    chamber: meeting.chamber.to_lowercase(),
                    updated: meeting.update_date.as_deref().and_then(|text| text.parse().ok()),
                    entry: Bytes::from(renderer.list_entry(meeting).to_string()),
                    status,
                    item: Bytes::from(item.to_string()),
                    fails,
                    held_back: AtomicBool::new(false),
                }
            })
            .collect();
        offers.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.event_id.cmp(&b.event_id)));
        let mut places: Vec<usize> = (0..offers.len()).collect();
        Random::named(faults.seed, &["missing"]).shuffle(&mut places);
        places.truncate(faults.missing_once);
        let mut missing = Vec::new();
        for place in places {
            offers[place].held_back = AtomicBool::new(true);
            missing.push(offers[place].event_id.clone());
        }
        missing.sort();
        let by_event =
            offers.iter().enumerate().map(|(place, offer)| (offer.event_id.clone(), place)).collect();
        let catalog = Self {
            offers,
            by_event,
            duplicates_across_pages: faults.duplicates_across_pages,
            read: Mutex::default(),
        };
        (catalog, missing)
    }

    /// The offer at the address that its list entry states.
    pub(crate) fn offer(&self, congress: i64, chamber: &str, event_id: &str) -> Option<&Offer> {
        let offer = &self.offers[*self.by_event.get(event_id)?];
        (offer.congress == congress && offer.chamber == chamber).then_some(offer)
    }

    /// The page of `limit` entries that starts at `offset`.
    pub(crate) fn page(&self, filter: &Filter, offset: usize, limit: usize) -> Page<'_> {
        let matching: Vec<&Offer> = self.offers.iter().filter(|offer| filter.holds(offer)).collect();
        let count = matching.len();
        let start = offset.min(count);
        let end = start.saturating_add(limit).min(count);
        let repeats = self.repeats(filter, start, limit);
        // Moved one entry towards the start; a page that was not full keeps its last entry.
        let (first, last) =
            if repeats { (start - 1, (start - 1).saturating_add(limit).min(count)) } else { (start, end) };
        // What this page should hold counts as having been left out now, even where the move pushed it off
        // the page.
        let held: HashSet<&str> = matching[start..end]
            .iter()
            .filter(|offer| offer.held_back.swap(false, Ordering::Relaxed))
            .map(|offer| offer.event_id.as_str())
            .collect();
        let sent = matching[first..last].iter().filter(|offer| !held.contains(offer.event_id.as_str()));
        let entries = sent.map(|offer| &offer.entry).collect();
        Page { count, entries, repeats, left_out: held.len() }
    }

    fn repeats(&self, filter: &Filter, start: usize, limit: usize) -> bool {
        let every = self.duplicates_across_pages as usize;
        if every == 0 || limit == 0 || start == 0 || !(start / limit).is_multiple_of(every) {
            return false;
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.len() < REMEMBERED_PAGES && read.insert((filter.clone(), start, limit))
    }
}

impl Filter {
    fn holds(&self, offer: &Offer) -> bool {
        self.congress.is_none_or(|congress| congress == offer.congress)
            && self.chamber.as_ref().is_none_or(|chamber| *chamber == offer.chamber)
            && self.from.is_none_or(|from| offer.updated.is_some_and(|updated| updated >= from))
            && self.to.is_none_or(|to| offer.updated.is_some_and(|updated| updated <= to))
    }
}
