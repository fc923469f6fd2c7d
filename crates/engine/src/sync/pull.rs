//! Pulling: what changed at the remote, and now and then everything.
//!
//! Owns both. A pull of changes goes on from the last row that it saw, with an overlap, because rows may be stamped
//! earlier than they can be seen. A complete pull reads a listing from its first page to its last; only then does
//! absence mean something, and each missing row is asked for by its key before it counts as gone.
//!
//! Invariants:
//! - The rows of a page and the place from which to go on commit together.
//! - A listing that died or changed its size is begun anew; an incomplete one deletes nothing.
//! - A remote whose rows lost a critical field, or too many fields, is not believed: nothing is written.

use std::collections::HashSet;

use plimsoll_core::sync::breaker::BreakerRule;
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::RowState;
use plimsoll_core::sync::vanish::Vanishing;
use plimsoll_core::value::Value;
use serde_json::json;

use super::declare::{Cursor, GoneRow, Link, Remote, RemoteRow, Trouble};
use super::drift::Drift;
use super::journal::happen;
use super::page::{take_gone, take_rows};
use super::record;
use super::take::{Because, advance, transact};
use super::worker::Pace;
use crate::change::cells::{Cells, number};
use crate::error::EngineError;
use crate::session::{Progress, Session};

/// Rows asked for at once.
const PAGE: u64 = 500;
/// A pull of changes begins so long before the last row that it saw.
const OVERLAP_MS: u64 = 600_000;
/// How often a request that failed is repeated, and a listing that died begun anew.
const TRIES: u32 = 6;
/// What a pull did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct PullReport {
    /// Rows seen.
    pub seen: u64,
    /// Of them, new or changed.
    pub changed: u64,
    /// Rows that are gone.
    pub gone: u64,
    /// Why rows that are missing are held, when they are.
    pub held: Option<String>,
    /// Fields that the remote left out, and fields that it added.
    pub drift: Drift,
    /// Requests.
    pub requests: u64,
}

/// What a pull works with.
pub struct Puller<'a> {
    /// Where to store.
    pub session: &'a mut Session,
    /// The link.
    pub link: &'a dyn Link,
    /// The other side.
    pub remote: &'a mut dyn Remote,
    /// What may be sent when.
    pub pace: &'a Pace,
}

pub(super) const BECAUSE: Because<'static> = Because { actor: "remote", why: "pull" };

impl Puller<'_> {
    /// Takes over what changed in `scope` since the last pull.
    ///
    /// # Errors
    /// Source, when the remote cannot be read; refused, when its fields are not believed. What was taken over stays.
    pub fn changes(&mut self, scope: &str) -> Result<PullReport, EngineError> {
        self.noted(scope, false, |puller| puller.take_changes(scope))
    }

    fn take_changes(&mut self, scope: &str) -> Result<PullReport, EngineError> {
        let mut report = PullReport::default();
        let known = self.cursor(scope)?;
        let mut cursor = self.remote.before(&known, OVERLAP_MS);
        let mut furthest = known;
        loop {
            let asked = cursor.clone();
            let page = self.ask(&mut report, |remote| remote.changes(scope, &asked, PAGE))?;
            report.seen += page.rows.len() as u64;
            // Within the overlap the place is behind what is known; it never goes back.
            if (&page.next.stamp, &page.next.key) > (&furthest.stamp, &furthest.key) {
                furthest.clone_from(&page.next);
            }
            self.take_page(scope, (&page.rows, &page.gone), &furthest, &mut report)?;
            if !page.more {
                return Ok(report);
            }
            if page.next == cursor {
                return Err(EngineError::source(
                    "the remote says that there is more and gives nothing\nhint: try again; tell whoever runs it",
                ));
            }
            cursor = page.next;
        }
    }

    /// Reads everything there is in `scope`, and finds out what is gone.
    ///
    /// # Errors
    /// As [`Puller::changes`].
    pub fn complete(&mut self, scope: &str) -> Result<PullReport, EngineError> {
        self.noted(scope, true, |puller| puller.take_everything(scope))
    }

    /// A pull, and a note of it for whoever looks at the store.
    fn noted(
        &mut self,
        scope: &str,
        complete: bool,
        work: impl FnOnce(&mut Self) -> Result<PullReport, EngineError>,
    ) -> Result<PullReport, EngineError> {
        let began = self.session.clock.monotonic_ms();
        let done = work(self);
        let took_ms = self.session.clock.monotonic_ms().saturating_sub(began);
        let noted = note(self.session, self.link, scope, complete, took_ms, &done)
            .and_then(|()| self.pace.note(self.session, self.link));
        // The first error is the one to tell.
        let report = done?;
        noted.map(|()| report)
    }

    fn take_everything(&mut self, scope: &str) -> Result<PullReport, EngineError> {
        let mut report = PullReport::default();
        let furthest = self.cursor(scope)?;
        let mut why = String::new();
        for _ in 0..TRIES {
            let began = self.session.clock.now();
            match self.listing(scope, &furthest, &mut report)? {
                Ok(seen) => {
                    self.missing(scope, &began, &seen, &mut report)?;
                    return Ok(report);
                }
                Err(died) => why = died,
            }
        }
        Err(EngineError::source(format!(
            "no complete listing in {TRIES} tries: {why}\nhint: nothing was deleted; try again when the remote is calmer"
        )))
    }

    /// One listing from its first page to its last; the keys that it held, or why it has to begin anew.
    fn listing(
        &mut self,
        scope: &str,
        furthest: &Cursor,
        report: &mut PullReport,
    ) -> Result<Result<HashSet<String>, String>, EngineError> {
        let mut seen = HashSet::new();
        let mut listing: Option<String> = None;
        let mut total = None;
        let mut offset = 0;
        loop {
            let asked = listing.clone();
            let page =
                self.ask(report, |remote| match remote.listing(scope, asked.as_deref(), offset, PAGE) {
                    Err(Trouble::ListingGone(why)) => Ok(Err(why)),
                    answer => answer.map(Ok),
                })?;
            let page = match page {
                Ok(page) => page,
                Err(why) => return Ok(Err(why)),
            };
            if listing.as_ref().is_some_and(|known| *known != page.listing) {
                return Ok(Err("the remote went on with another listing".into()));
            }
            if total.is_some_and(|known| known != page.total) {
                return Ok(Err("rows came or went while the listing was read".into()));
            }
            listing = Some(page.listing.clone());
            total = Some(page.total);
            offset += page.rows.len() as u64;
            report.seen += page.rows.len() as u64;
            seen.extend(page.rows.iter().map(|row| row.key.clone()));
            self.take_page(scope, (&page.rows, &[]), furthest, report)?;
            (self.session.progress)(&Progress {
                phase: "reading",
                done: offset,
                total: Some(page.total),
                eta_ms: None,
            });
            if offset >= page.total {
                // A row that moved between two pages was seen twice, and another one not at all.
                let whole = seen.len() as u64 == page.total;
                return Ok(if whole {
                    Ok(seen)
                } else {
                    Err("rows moved while the listing was read".into())
                });
            }
            if page.rows.is_empty() {
                return Ok(Err("a page of the listing was empty before its end".into()));
            }
        }
    }

    /// Asks for each row that a complete listing did not hold, and takes note of those that are gone.
    fn missing(
        &mut self,
        scope: &str,
        began: &str,
        seen: &HashSet<String>,
        report: &mut PullReport,
    ) -> Result<(), EngineError> {
        let mirror = self.link.mirror();
        let sql =
            format!("SELECT {}, observed_at FROM {} WHERE {} = $1", mirror.key, mirror.table, mirror.scope);
        let rows = self.session.store.query(&sql, &[Value::text(scope)])?;
        let known = rows.len() as u64;
        let mut missing = Vec::new();
        for row in rows {
            let cells = Cells(row);
            let key = cells.text(0)?;
            // What was first seen while the listing was read is newer than the listing.
            if !seen.contains(&key) && cells.text(1)?.as_str() < began {
                missing.push(key);
            }
        }
        let count = missing.len() as u64;
        let confirmed = self.confirmed(scope)? >= count;
        if let Vanishing::Held { reason } = self.link.vanish_cap().judge(known, count, true)
            && !confirmed
        {
            let sql = "UPDATE plimsoll_sync_pull SET held = $3 WHERE link = $1 AND scope = $2";
            let parameters = [
                Value::text(self.link.name()),
                Value::text(scope),
                Value::text(format!("{count}: {reason}")),
            ];
            self.session.store.execute(sql, &parameters)?;
            report.held = Some(reason);
            return Ok(());
        }
        for key in missing {
            let row = self.ask(report, |remote| remote.read(&key))?;
            self.judge_missing(&key, row, report)?;
        }
        let sql =
            "UPDATE plimsoll_sync_pull SET held = NULL, confirmed = 0, complete_at = $3, complete_rows = $4
            WHERE link = $1 AND scope = $2";
        let parameters = [
            Value::text(self.link.name()),
            Value::text(scope),
            Value::text(self.session.clock.now()),
            number(seen.len() as u64),
        ];
        self.session.store.execute(sql, &parameters)?;
        Ok(())
    }

    fn judge_missing(
        &mut self,
        key: &str,
        row: Option<RemoteRow>,
        report: &mut PullReport,
    ) -> Result<(), EngineError> {
        let link = self.link;
        let shape = record::shape_of(self.session.store.as_mut(), link.mirror())?;
        let gone = row.is_none();
        transact(self.session, |store, now| {
            let mut kept = record::lock(store, link, key, now)?;
            let mirror = &kept.record.mirror;
            let state = match &row {
                Some(row) => RowState::Present(record::observed(&*store, &shape, link, row, mirror.fields())),
                None => RowState::Gone { version: mirror.version().unwrap_or_default() },
            };
            advance(store, link, &mut kept, Event::Observed(state), BECAUSE, now)?;
            record::keep(store, link, &kept, now)
        })?;
        if gone {
            report.gone += 1;
        }
        Ok(())
    }

    /// One request, repeated while that may help.
    fn ask<T>(
        &mut self,
        report: &mut PullReport,
        mut request: impl FnMut(&mut dyn Remote) -> Result<T, Trouble>,
    ) -> Result<T, EngineError> {
        let mut tries = 0;
        loop {
            while let Err(wait) = self.pace.wait(self.session, 120_000) {
                self.session.clock.sleep_ms(wait.min(30_000));
            }
            report.requests += 1;
            tries += 1;
            let answer = request(self.remote);
            self.pace.learn(&answer, &BreakerRule::default(), super::now_ms(self.session));
            match answer {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Denied(why)) => {
                    return Err(EngineError::source(format!(
                        "{why}\nhint: look at the token, or at what the remote lets it do"
                    )));
                }
                Err(Trouble::Busy { retry_after_ms }) if tries < TRIES * 4 => {
                    self.session.clock.sleep_ms(retry_after_ms.unwrap_or(500));
                }
                Err(trouble) if tries < TRIES => {
                    tracing::debug!(reason = trouble.reason(), "pull: again");
                    self.session.clock.sleep_ms(100 << tries);
                }
                Err(trouble) => {
                    return Err(EngineError::source(format!(
                        "{} ({tries} tries)\nhint: what was read stays; run it again and it goes on",
                        trouble.reason()
                    )));
                }
            }
        }
    }

    /// Takes over the rows of a page, and the place from which to go on.
    fn take_page(
        &mut self,
        scope: &str,
        (rows, gone): (&[RemoteRow], &[GoneRow]),
        next: &Cursor,
        report: &mut PullReport,
    ) -> Result<(), EngineError> {
        let link = self.link;
        self.session.probe.reach("sync:page_read")?;
        if !rows.is_empty() {
            let drift = Drift::of(link, rows);
            let alarm = drift.alarm(link);
            report.drift.add(drift);
            if let Some(alarm) = alarm {
                self.note_drift(scope, &report.drift)?;
                return Err(EngineError::refused(format!(
                    "{alarm}, so nothing of this page was taken over\nhint: `plimsoll links` shows which; has the remote's schema changed?"
                )));
            }
        }
        let shape = record::shape_of(self.session.store.as_mut(), link.mirror())?;
        let cursor = serde_json::to_string(next)?;
        let drift = serde_json::to_string(&report.drift)?;
        let (changed, left) = transact(self.session, |store, now| {
            // First, for it makes pulls of one scope take their pages one after the other.
            let sql = "INSERT INTO plimsoll_sync_pull (link, scope, cursor, changed_at, drift, confirmed)
                VALUES ($1, $2, $3, $4, $5, 0)
                ON CONFLICT (link, scope) DO UPDATE
                SET cursor = excluded.cursor, changed_at = excluded.changed_at, drift = excluded.drift";
            let parameters = [
                Value::text(link.name()),
                Value::text(scope),
                Value::text(cursor.as_str()),
                Value::text(now),
                Value::text(drift.as_str()),
            ];
            store.execute(sql, &parameters)?;
            let changed = take_rows(store, link, &shape, rows, now)?;
            Ok((changed, take_gone(store, link, gone, now)?))
        })?;
        report.changed += changed;
        report.gone += left;
        Ok(())
    }

    fn note_drift(&mut self, scope: &str, drift: &Drift) -> Result<(), EngineError> {
        let sql = "INSERT INTO plimsoll_sync_pull (link, scope, cursor, drift, confirmed) VALUES ($1, $2, '{\"stamp\":\"\",\"key\":\"\"}', $3, 0)
            ON CONFLICT (link, scope) DO UPDATE SET drift = excluded.drift";
        let drift = serde_json::to_string(drift)?;
        let parameters = [Value::text(self.link.name()), Value::text(scope), Value::text(drift)];
        self.session.store.execute(sql, &parameters)?;
        Ok(())
    }

    fn cursor(&mut self, scope: &str) -> Result<Cursor, EngineError> {
        let sql = "SELECT cursor FROM plimsoll_sync_pull WHERE link = $1 AND scope = $2";
        let rows = self.session.store.query(sql, &[Value::text(self.link.name()), Value::text(scope)])?;
        match rows.into_iter().next() {
            Some(row) => Ok(serde_json::from_str(&Cells(row).text(0)?)?),
            None => Ok(Cursor::default()),
        }
    }

    fn confirmed(&mut self, scope: &str) -> Result<u64, EngineError> {
        let sql = "SELECT confirmed FROM plimsoll_sync_pull WHERE link = $1 AND scope = $2";
        let rows = self.session.store.query(sql, &[Value::text(self.link.name()), Value::text(scope)])?;
        rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
    }
}

/// Counts of pulls are kept under this name, apart from those of workers.
pub(crate) const COUNTED_BY: &str = "pull";

fn note(
    session: &mut Session,
    link: &dyn Link,
    scope: &str,
    complete: bool,
    took_ms: u64,
    done: &Result<PullReport, EngineError>,
) -> Result<(), EngineError> {
    let (kind, detail, counts) = match done {
        Ok(report) => {
            let detail = json!({
                "scope": scope, "complete": complete, "seen": report.seen, "changed": report.changed,
                "gone": report.gone, "held": report.held, "took_ms": took_ms,
            });
            let counts = [("done", 1), ("ms", took_ms), ("seen", report.seen), ("changed", report.changed)];
            ("pulled", detail, counts.to_vec())
        }
        Err(error) => {
            let why = error.message.lines().next().unwrap_or_default();
            let counts = vec![("done", 0), ("failed", 1)];
            ("pull_failed", json!({ "scope": scope, "complete": complete, "why": why }), counts)
        }
    };
    transact(session, |store, now| {
        // The counts first: the row of the first one makes pulls that end at once number their happenings in turn.
        for (what, amount) in &counts {
            super::status::add(store, link, COUNTED_BY, what, *amount)?;
        }
        happen(store, link, "", kind, &detail.to_string(), BECAUSE, now)?;
        if done.is_ok() {
            super::status::set(store, link, COUNTED_BY, "last_ms", took_ms)?;
        }
        Ok(())
    })
}

/// A person confirms that up to so many rows of `scope` are really gone; the next complete pull takes note of them.
///
/// # Errors
/// When the store fails.
pub fn confirm_missing(
    session: &mut Session,
    link: &dyn Link,
    scope: &str,
    most: u64,
) -> Result<(), EngineError> {
    let sql = "UPDATE plimsoll_sync_pull SET confirmed = $3 WHERE link = $1 AND scope = $2";
    session.store.execute(sql, &[Value::text(link.name()), Value::text(scope), number(most)])?;
    Ok(())
}
