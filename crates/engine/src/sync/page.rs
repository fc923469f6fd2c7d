//! The rows of a page, taken over.
//!
//! Owns which of them say something new, and the short way of a row that nobody edits here: straight into the mirror,
//! without a line of its own.
//!
//! Invariants: an older page never overwrites what a newer one brought; a row that somebody begins to edit meanwhile goes
//! through the planner.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::{Observed, RowState};
use plimsoll_core::table::TableShape;
use plimsoll_store::Store;

use super::declare::{GoneRow, Link, RemoteRow};
use super::journal::write_history;
use super::pull::BECAUSE;
use super::take::advance;
use super::{record, stamp};
use crate::error::EngineError;
use crate::pilot::due::make_due;

/// The keys that have a line.
fn lined(store: &mut dyn Store, link: &dyn Link, keys: &[String]) -> Result<HashSet<String>, EngineError> {
    Ok(record::lines(store, link, keys)?.into_iter().map(|kept| kept.key).collect())
}

/// Whether a row that was seen says something that the mirror does not.
fn is_newer(seen: &Observed, mirror: Option<&Observed>) -> bool {
    mirror.is_none_or(|mirror| {
        seen.version > mirror.version || (seen.version == mirror.version && seen.fields != mirror.fields)
    })
}

/// Takes over deletions that the remote tells. Returns how many were news.
pub(super) fn take_gone(
    store: &mut dyn Store,
    link: &dyn Link,
    gone: &[GoneRow],
    now: &str,
) -> Result<u64, EngineError> {
    // In one order, so that two pages never wait for each other.
    let gone: BTreeMap<&str, &GoneRow> = gone.iter().map(|row| (row.key.as_str(), row)).collect();
    let mut news = 0;
    for (key, row) in gone {
        let mut kept = record::lock(store, link, key, now)?;
        let before = kept.record.mirror.clone();
        let event = Event::Observed(RowState::Gone { version: row.version });
        advance(store, link, &mut kept, event, BECAUSE, now)?;
        news += u64::from(before != kept.record.mirror);
        record::keep(store, link, &kept, now)?;
    }
    Ok(news)
}

/// Takes over rows. A row that nobody edits here goes straight into the mirror; the planner would say the same.
pub(super) fn take_rows(
    store: &mut dyn Store,
    link: &dyn Link,
    shape: &Arc<TableShape>,
    rows: &[RemoteRow],
    now: &str,
) -> Result<u64, EngineError> {
    // Of a row that a page holds twice, the later one counts.
    let rows: BTreeMap<&str, &RemoteRow> = rows.iter().map(|row| (row.key.as_str(), row)).collect();
    let keys: Vec<String> = rows.keys().map(ToString::to_string).collect();
    let mut lined = lined(store, link, &keys)?;
    let mut known = record::mirror_rows(store, link, &keys)?;
    // Most rows of a page are known already, and done with here.
    let rows: BTreeMap<&str, &RemoteRow> = rows
        .into_iter()
        .filter(|(key, row)| {
            let mirror = known.get(*key).map(|(_, mirror)| mirror);
            let seen = || record::observed(&*store, shape, link, row, mirror.map(|mirror| &mirror.fields));
            lined.contains(*key) || is_newer(&seen(), mirror)
        })
        .collect();
    // What has no line is looked at again now that nobody else can change it any more.
    let held: Vec<String> =
        rows.keys().filter(|key| !lined.contains(**key)).map(ToString::to_string).collect();
    record::hold_mirror_rows(store, link, &held)?;
    lined.extend(self::lined(store, link, &held)?);
    known.extend(record::mirror_rows(store, link, &held)?);
    let mut changed = 0;
    let mut touched = BTreeSet::new();
    for (key, row) in rows {
        let mirror = known.get(key).map(|(_, mirror)| mirror);
        let seen = record::observed(&*store, shape, link, row, mirror.map(|mirror| &mirror.fields));
        if lined.contains(key) {
            let mut kept = record::lock(store, link, key, now)?;
            let before = (kept.scope.clone(), kept.record.clone());
            row.scope.clone_into(&mut kept.scope);
            advance(store, link, &mut kept, Event::Observed(RowState::Present(seen)), BECAUSE, now)?;
            changed += u64::from(before.1.mirror != kept.record.mirror);
            record::write_line(store, link, &kept, now)?;
            // A row that is only seen again leaves the answers that are kept as good as they are.
            if before != (kept.scope.clone(), kept.record) {
                touched.extend([before.0, kept.scope]);
            }
            continue;
        }
        if is_newer(&seen, mirror) {
            if let Some(mirror) = mirror {
                write_history(store, link, key, Some(&mirror.fields), Some(&seen.fields), BECAUSE, now)?;
            }
            record::write_mirror(store, link, key, &row.scope, &RowState::Present(seen), now)?;
            if let Some(entity) = link.pilot_entity() {
                make_due(store, entity, key)?;
            }
            changed += 1;
            touched.insert(row.scope.clone());
            touched.extend(known.get(key).map(|(scope, _)| scope.clone()));
        }
    }
    // At the end, and in one order, so that two pages never wait for each other.
    for scope in touched {
        stamp::touch(store, link, &scope, keys.first().map_or("", String::as_str))?;
    }
    Ok(changed)
}
