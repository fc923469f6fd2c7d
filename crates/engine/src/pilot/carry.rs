//! Rounds: what changed on either side is heard, brought to each record, and sent.
//!
//! Owns the order of a round and what is due. Both sides are heard through their outboxes: legacy changes are pulled into
//! the mirrors by the links, new changes make their records due; then every due record is reconciled, parents before
//! children; then what was queued is sent. A record that waits for another one is looked at again in the next round.
//!
//! Invariants: the place up to which an outbox was heard and what that made due commit together; a record stays due
//! until the transaction that reconciles it commits; changes of one transaction of the new side become due together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{Store, StoreUrl, schema as versions};
use serde::Serialize;

use super::declare::{Pilot, PilotEntity};
use super::due::{READER, due, due_since, make_due, new_place, pulled_through, records_of};
pub use super::reconcile::Reach;
use super::reconcile::{Ended, Reconcile};
use super::record::SideStore;
use super::remote::{LegacyRemote, SCOPE, born_new, stamp};
use super::schema::{PILOT_SCHEMA, SCHEMA as PARITY};
use crate::change::cells::Cells;
use crate::change::setup;
use crate::error::EngineError;
use crate::session::{Progress, Session};
use crate::sync::declare::Cursor;
use crate::sync::pull::Puller;
use crate::sync::take::transact;
use crate::sync::worker::{Pace, WorkReport, Worker, WorkerSettings};
use crate::sync::{Remote, SCHEMA as SYNC};
use crate::system::System;

/// Lines of the new outbox that are heard at once, unless one transaction has more.
const LINES: u64 = 1_000;

/// Records that are reconciled in one transaction.
const TOGETHER: usize = 32;

/// A database answers in milliseconds: what a carrier held that died is free again this soon.
const LEASE_MS: u64 = 2_000;

/// How long a transaction that holds the outbox back is waited for before the next look.
const BEHIND_MS: u64 = 5;

/// Brings the tables of both sides up to date.
///
/// # Errors
/// Refused when a store is newer than this program.
pub fn prepare(
    new: &mut Session,
    legacy: &mut Session,
    systems: (&System, &System),
) -> Result<(), EngineError> {
    setup::prepare(new, Some(systems.0))?;
    setup::prepare(legacy, Some(systems.1))?;
    let now = new.clock.now();
    for schema in [&SYNC, &PILOT_SCHEMA, &PARITY] {
        versions::upgrade(new.store.as_mut(), schema, &now)?;
    }
    versions::upgrade(legacy.store.as_mut(), &PARITY, &now)?;
    new.store.forget_shapes();
    legacy.store.forget_shapes();
    Ok(())
}

/// One pace for each entity, shared by all who speak to the legacy side in a process.
#[derive(Debug)]
pub struct Paces(BTreeMap<&'static str, Pace>);

impl Paces {
    /// Without a limit: a database answers as fast as it can.
    pub fn new(pilot: &dyn Pilot, now_ms: u64) -> Self {
        Self(pilot.entities().iter().map(|entity| (entity.name, Pace::new(None, now_ms))).collect())
    }

    /// The pace of an entity.
    pub fn of(&self, entity: &str) -> Option<&Pace> {
        self.0.get(entity)
    }
}

/// What a round did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Carried {
    /// Legacy rows seen.
    pub pulled: u64,
    /// Lines of the new outbox heard.
    pub heard: u64,
    /// Lines of users that are there and cannot be heard yet, because a transaction is open that began before.
    pub behind: u64,
    /// Records with something to be sent that another worker has for now, perhaps one that died.
    pub open: u64,
    /// Records reconciled.
    pub reconciled: u64,
    /// Of them, waiting for another one.
    pub waiting: u64,
    /// Of them, that cannot be carried.
    pub held: u64,
    /// What was sent to the legacy side.
    pub sent: WorkReport,
}

impl Carried {
    /// Whether the round found nothing to do.
    pub fn is_idle(&self) -> bool {
        self.pulled == 0
            && self.heard == 0
            && self.behind == 0
            && self.open == 0
            && self.reconciled == self.waiting
            && self.sent == WorkReport::default()
    }

    fn add(&mut self, other: &Self) {
        self.pulled += other.pulled;
        self.heard += other.heard;
        self.behind = other.behind;
        self.open = other.open;
        self.reconciled += other.reconciled;
        self.waiting = other.waiting;
        self.held += other.held;
        self.sent.add(&other.sent);
    }
}

/// Carries changes both ways.
pub struct Carrier<'a> {
    /// The new side's store, where the links' records are.
    pub session: Session,
    pilot: &'static dyn Pilot,
    /// A connection to the legacy side, to hear whether something changed.
    legacy: Box<dyn Store>,
    remotes: BTreeMap<&'static str, Box<dyn Remote>>,
    workers: Vec<Worker<'a>>,
    paces: &'a Paces,
    reach: Reach,
    /// Whether every legacy row was read once.
    is_whole: bool,
}

impl<'a> Carrier<'a> {
    /// Connects to both sides. `name` tells carriers apart; two must not share one.
    ///
    /// # Errors
    /// When a store cannot be opened.
    pub fn open(
        session: Session,
        pilot: &'static dyn Pilot,
        legacy: &StoreUrl,
        paces: &'a Paces,
        reach: Reach,
        name: &str,
    ) -> Result<Self, EngineError> {
        let base = legacy.to_string();
        let mut remotes: BTreeMap<&'static str, Box<dyn Remote>> = BTreeMap::new();
        let mut workers = Vec::new();
        for entity in pilot.entities() {
            remotes.insert(entity.name, Box::new(LegacyRemote::open(pilot, entity.name, &base)?));
            if !entity.both_ways {
                continue;
            }
            let pace = paces.of(entity.name);
            let pace = pace.ok_or_else(|| EngineError::integrity(format!("no pace for {}", entity.name)))?;
            let remote = Box::new(LegacyRemote::open(pilot, entity.name, &base)?);
            let settings = WorkerSettings {
                lease_ms: LEASE_MS,
                ..WorkerSettings::named(format!("{name}-{}", entity.name))
            };
            workers.push(Worker::new(session.fork()?, pilot.link(entity.name), remote, pace, settings)?);
        }
        let legacy = plimsoll_store::open(legacy)?;
        Ok(Self { session, pilot, legacy, remotes, workers, paces, reach, is_whole: false })
    }

    /// The pilot.
    pub fn pilot(&self) -> &'static dyn Pilot {
        self.pilot
    }

    /// Reads every legacy row once, so that rows from before changes were captured are in the mirrors too.
    ///
    /// # Errors
    /// When a side fails; what was read stays.
    pub fn snapshot(&mut self) -> Result<u64, EngineError> {
        let mut seen = 0;
        if self.is_whole {
            return Ok(seen);
        }
        for entity in self.pilot.entities() {
            let sql =
                "SELECT 1 FROM plimsoll_sync_pull WHERE link = $1 AND scope = $2 AND complete_at IS NOT NULL";
            let parameters = [Value::text(self.pilot.link(entity.name).name()), Value::text(SCOPE)];
            if !self.session.store.query(sql, &parameters)?.is_empty() {
                continue;
            }
            // From before the rows are read: what changes meanwhile is heard again.
            self.begin_place(entity)?;
            seen += self.pull(entity, true)?;
        }
        self.is_whole = true;
        Ok(seen)
    }

    /// One round.
    ///
    /// # Errors
    /// When a side fails; what was done before stays, and the next round goes on.
    pub fn round(&mut self, stop: &AtomicBool) -> Result<Carried, EngineError> {
        let mut carried =
            Carried { pulled: self.hear_legacy()?, heard: self.hear_new()?, ..Carried::default() };
        self.reconcile_due(stop, &mut carried)?;
        for worker in &mut self.workers {
            carried.sent.add(&worker.drain(stop)?);
        }
        if carried.heard == 0 {
            let place = new_place(self.session.store.as_mut())?;
            let lines = self.pilot.outbox().seen(self.session.store.as_mut(), place)?;
            carried.behind = lines.iter().filter(|line| line.origin.is_none()).count() as u64;
        }
        for entity in self.pilot.entities().iter().filter(|entity| entity.both_ways) {
            let sql = "SELECT count(*) FROM plimsoll_sync_record WHERE link = $1 AND due_ms IS NOT NULL";
            let link = Value::text(self.pilot.link(entity.name).name());
            let rows = self.session.store.query(sql, &[link])?;
            carried.open += rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
        }
        Ok(carried)
    }

    /// Rounds until nothing is left to do but what waits for something else, at most `most`.
    ///
    /// # Errors
    /// As [`Self::round`].
    pub fn settle(&mut self, stop: &AtomicBool, most: u32) -> Result<Carried, EngineError> {
        let mut all = Carried::default();
        for _ in 0..most {
            let round = self.round(stop)?;
            all.add(&round);
            if round.is_idle() || stop.load(Ordering::Relaxed) {
                break;
            }
            if round.behind + round.open > 0 && round.sent == WorkReport::default() {
                self.session.clock.sleep_ms(BEHIND_MS);
            }
        }
        Ok(all)
    }

    /// Pulls the entities of which a legacy row changed. Returns how many rows were seen.
    fn hear_legacy(&mut self) -> Result<u64, EngineError> {
        let mut seen = 0;
        for entity in self.pilot.entities() {
            if self.unpulled(entity, i64::MAX, 1)? > 0 {
                seen += self.pull(entity, false)?;
            }
        }
        Ok(seen)
    }

    /// How many legacy changes of an entity are not in its mirror, up to a position and counted to `most`.
    pub(super) fn unpulled(
        &mut self,
        entity: &PilotEntity,
        through: i64,
        most: i64,
    ) -> Result<u64, EngineError> {
        let place = pulled_through(self.session.store.as_mut(), self.pilot, entity)?;
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {} WHERE table_name = $1 AND position > $2 AND position <= $3 LIMIT $4) AS lines",
            self.pilot.outbox().0
        );
        let numbers = [place, through, most].map(Value::Integer);
        let parameters = [&[Value::text(entity.legacy_table)][..], &numbers].concat();
        self.legacy.query(&sql, &parameters)?.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))
    }

    fn begin_place(&mut self, entity: &PilotEntity) -> Result<(), EngineError> {
        let place = super::fence::last_position(self.legacy.as_mut(), self.pilot)?;
        let cursor = Cursor { stamp: stamp(place), key: String::new() };
        let sql = "INSERT INTO plimsoll_sync_pull (link, scope, cursor, drift, confirmed)
            VALUES ($1, $2, $3, $4, 0) ON CONFLICT (link, scope) DO NOTHING";
        let drift = serde_json::to_string(&crate::sync::drift::Drift::default())?;
        let parameters = [
            Value::text(self.pilot.link(entity.name).name()),
            Value::text(SCOPE),
            Value::text(serde_json::to_string(&cursor)?),
            Value::text(drift),
        ];
        self.session.store.execute(sql, &parameters)?;
        Ok(())
    }

    fn pull(&mut self, entity: &'static PilotEntity, complete: bool) -> Result<u64, EngineError> {
        let (remote, pace) =
            self.remotes.get_mut(entity.name).zip(self.paces.of(entity.name)).ok_or_else(|| {
                EngineError::integrity(format!("there is no connection for {}", entity.name))
            })?;
        let link = self.pilot.link(entity.name);
        let mut puller = Puller { session: &mut self.session, link, remote: remote.as_mut(), pace };
        let report = if complete { puller.complete(SCOPE)? } else { puller.changes(SCOPE)? };
        Ok(report.seen + report.gone)
    }

    /// Hears what changed on the new side, and makes it due. Returns how many lines were heard.
    fn hear_new(&mut self) -> Result<u64, EngineError> {
        let pilot = self.pilot;
        let place = new_place(self.session.store.as_mut())?;
        let outbox = pilot.outbox();
        let mut lines = outbox.read(self.session.store.as_mut(), place, LINES)?;
        if lines.len() as u64 == LINES {
            // A transaction is heard whole.
            lines = whole(lines, |limit| outbox.read(self.session.store.as_mut(), place, limit))?;
        }
        let Some(last) = lines.last().map(|line| line.place) else { return Ok(0) };
        let heard = lines.len() as u64;
        let mut due: BTreeMap<(&'static str, String), String> = BTreeMap::new();
        for line in &lines {
            if line.origin.is_some() {
                continue;
            }
            let entity = pilot.entities().iter().find(|entity| entity.tables.contains(&line.table.as_str()));
            let code = line.key.0.first().and_then(Value::as_text);
            let (Some(entity), Some(code)) = (entity, code) else { continue };
            let key = record_key(self.session.store.as_mut(), pilot, entity, code, line.counterpart)?;
            due.entry((entity.name, key)).or_insert_with(|| line.captured_at.clone());
        }
        transact(&mut self.session, |store, _| {
            for ((entity, key), since) in &due {
                due_since(store, entity, key, since)?;
            }
            let sql = "INSERT INTO plimsoll_pilot_place (reader, writer, position) VALUES ($1, $2, $3)
                ON CONFLICT (reader) DO UPDATE SET writer = excluded.writer, position = excluded.position";
            let parameters =
                [Value::text(READER), Value::Integer(last.writer), Value::Integer(last.position)];
            store.execute(sql, &parameters)?;
            Ok(())
        })?;
        Ok(heard)
    }

    /// Reconciles what is due, and what becomes due by it, until only records are left that wait.
    fn reconcile_due(&mut self, stop: &AtomicBool, carried: &mut Carried) -> Result<(), EngineError> {
        let mut looked: BTreeSet<(&'static str, String)> = BTreeSet::new();
        for entity in self.pilot.entities() {
            loop {
                let due = due(self.session.store.as_mut(), entity, 2_000)?;
                let due: Vec<(String, String)> =
                    due.into_iter().filter(|(key, _)| looked.insert((entity.name, key.clone()))).collect();
                if due.is_empty() || stop.load(Ordering::Relaxed) {
                    break;
                }
                let total = due.len() as u64;
                for (at, some) in due.chunks(TOGETHER).enumerate() {
                    self.reconcile(entity, some, carried)?;
                    let done = (at * TOGETHER + some.len()) as u64;
                    (self.session.progress)(&Progress {
                        phase: "carrying",
                        done,
                        total: Some(total),
                        eta_ms: None,
                    });
                }
            }
        }
        Ok(())
    }

    fn reconcile(
        &mut self,
        entity: &'static PilotEntity,
        due: &[(String, String)],
        carried: &mut Carried,
    ) -> Result<(), EngineError> {
        let (pilot, reach) = (self.pilot, self.reach);
        let ended = transact(&mut self.session, |store, now| {
            let mut one = Reconcile { pilot, entity, reach, store, now, since: String::new() };
            due.iter().map(|(key, since)| one.record(key, since)).collect::<Result<Vec<Ended>, _>>()
        });
        self.session.probe.reach("pilot:reconciled")?;
        let ended = match ended {
            // One of them cannot be done: each for itself, so that it is known which.
            Err(error) if due.len() > 1 && error.class.is_some_and(|class| class.is_data()) => {
                for one in due {
                    self.reconcile(entity, std::slice::from_ref(one), carried)?;
                }
                return Ok(());
            }
            ended => ended?,
        };
        carried.reconciled += ended.len() as u64;
        carried.waiting += ended.iter().filter(|ended| matches!(ended, Ended::Waits(_))).count() as u64;
        carried.held += ended.iter().filter(|ended| matches!(ended, Ended::Held(_))).count() as u64;
        Ok(())
    }

    /// Makes every record of a customer due: the customer's own and what belongs to it, as either side knows them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn make_customer_due(&mut self, number: i64) -> Result<u64, EngineError> {
        let pilot = self.pilot;
        transact(&mut self.session, |store, _| {
            let mut count = 0;
            for entity in pilot.entities() {
                for key in records_of(store, entity, number)? {
                    make_due(store, entity.name, &key)?;
                    count += 1;
                }
            }
            Ok(count)
        })
    }
}

/// Reads on until the last transaction is whole.
fn whole(
    lines: Vec<crate::capture::Captured>,
    mut read: impl FnMut(u64) -> Result<Vec<crate::capture::Captured>, EngineError>,
) -> Result<Vec<crate::capture::Captured>, EngineError> {
    let writer = lines.last().map_or(0, |line| line.place.writer);
    // SQLite tells no transactions apart; its outbox is read as it is.
    if writer == 0 {
        return Ok(lines);
    }
    let mut limit = LINES;
    loop {
        limit *= 2;
        let more = read(limit)?;
        if (more.len() as u64) < limit || more.last().is_some_and(|line| line.place.writer != writer) {
            return Ok(more.into_iter().filter(|line| line.place.writer <= writer).collect());
        }
    }
}

/// The key of a record by its code on the new side. A line of a part of a record, such as an order's delivery, does not
/// tell the number, and one of a row that was numbered since tells none: the row itself does.
fn record_key(
    store: &mut dyn Store,
    pilot: &dyn Pilot,
    entity: &'static PilotEntity,
    code: &str,
    counterpart: Option<i64>,
) -> Result<String, EngineError> {
    let sql = "SELECT record_key FROM plimsoll_pilot_record WHERE entity = $1 AND code = $2";
    let known = store.query(sql, &[Value::text(entity.name), Value::text(code)])?.into_iter().next();
    if let Some(row) = known {
        return Cells(row).text(0);
    }
    let mut side = SideStore { side: Side::New, store, pilot };
    let rows = side.new_rows(entity, &[RowKey(vec![Value::text(code)])])?.pop().flatten();
    let number = rows.as_ref().and_then(|rows| rows.get(entity.root())?.get("legacy_id")?.as_integer());
    Ok(number.or(counterpart).map_or_else(|| born_new(code), |number| number.to_string()))
}
