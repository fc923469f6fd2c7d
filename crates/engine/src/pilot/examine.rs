//! Examining parity: whether both sides say the same, as a person asks for it.
//!
//! Owns when sums are computed anew, how far that is, and what a repair works on. How sums are kept is [`super::follow`]'s,
//! how they are compared [`super::compare`]'s.
//!
//! Invariant: both sides' sums are made for the same number of records, and by the same command.

use std::collections::BTreeSet;
use std::sync::Arc;

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::parity::RowDifference;
use plimsoll_core::value::Value;
use plimsoll_store::schema;
use serde::Serialize;

use super::compare::{Difference, EntityParity, Through, compare};
use super::declare::Pilot;
use super::due::places;
use super::follow::{build, kept};
use super::record::SideStore;
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::{Progress, ProgressSink, Session};

/// The least number of records that sums are made for, so that a small table that grows keeps good ones.
const LEAST: u64 = 1_000;

/// How both sides are to be compared.
#[derive(Debug, Clone, Default)]
pub struct Examine {
    /// Compute all sums anew.
    pub build: bool,
    /// Only these entities; all when empty.
    pub entities: BTreeSet<String>,
    /// Differing records of each entity that are read and told with their fields.
    pub shown: usize,
}

/// Sums of a side that were computed anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Built {
    /// Records of the legacy side.
    pub legacy: u64,
    /// Records of the new side.
    pub new: u64,
    /// How long both took.
    pub duration_ms: u64,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// Whether nothing differs but what is on its way.
    pub equal: bool,
    /// Records that differ without a change on its way.
    pub differing: u64,
    /// Records that differ and have a change on its way.
    pub pending: u64,
    /// What was computed anew, if it was.
    pub built: Option<Built>,
    /// How long the comparison took, catching up included.
    pub duration_ms: u64,
    /// Each entity.
    pub entities: Vec<EntityParity>,
}

/// Brings the tables of parity in a side's store up to date.
///
/// # Errors
/// When the store fails.
pub fn prepare(side: &mut Session) -> Result<(), EngineError> {
    let now = side.clock.now();
    schema::upgrade(side.store.as_mut(), &super::schema::SCHEMA, &now)?;
    Ok(())
}

/// Compares both sides. `carried` says how far each side's changes were carried over, and is asked after sums were built.
///
/// # Errors
/// Usage when an entity is not known; when a store fails.
pub fn examine(
    legacy: &mut Session,
    new: &mut Session,
    pilot: &dyn Pilot,
    carried: &mut dyn FnMut(&mut Session, &mut Session) -> Result<Through, EngineError>,
    how: &Examine,
) -> Result<Examined, EngineError> {
    let known: Vec<&str> = pilot.entities().iter().map(|entity| entity.name).collect();
    if let Some(unknown) = how.entities.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(EngineError::usage(format!(
            "there is no entity `{unknown}`\nhint: there are {}",
            known.join(", ")
        )));
    }
    let levels = (kept(legacy.store.as_mut(), Side::Legacy)?, kept(new.store.as_mut(), Side::New)?);
    let usable = matches!(levels, (Some(legacy), Some(new)) if legacy.levels == new.levels);
    let built = if how.build || !usable { Some(build_both(legacy, new, pilot)?) } else { None };
    let carried = carried(legacy, new)?;
    let began = new.clock.monotonic_ms();
    let mut entities = compare(
        &mut SideStore { side: Side::Legacy, store: legacy.store.as_mut(), pilot },
        &mut SideStore { side: Side::New, store: new.store.as_mut(), pilot },
        carried,
        how.shown,
    )?;
    if !how.entities.is_empty() {
        entities.retain(|parity| how.entities.contains(&parity.entity));
    }
    let differing = entities.iter().map(|parity| parity.differing).sum();
    Ok(Examined {
        equal: differing == 0,
        differing,
        pending: entities.iter().map(|parity| parity.pending).sum(),
        built,
        duration_ms: new.clock.monotonic_ms().saturating_sub(began),
        entities,
    })
}

/// How far each side's changes were carried over. Where no carrier ran yet, everything that can be read counts as carried:
/// nothing is on its way that nobody carries.
///
/// # Errors
/// When a store fails.
pub fn through(legacy: &mut Session, new: &mut Session, pilot: &dyn Pilot) -> Result<Through, EngineError> {
    let outbox = pilot.outbox();
    Ok(match places(new.store.as_mut(), pilot)? {
        Some((new, legacy)) => Through { legacy, new },
        None => Through { legacy: outbox.end(legacy.store.as_mut())?, new: outbox.end(new.store.as_mut())? },
    })
}

/// How many of the differing records that are shown a repair of this side deletes: those that only it has.
pub fn deletes(target: Side, found: &[EntityParity]) -> u64 {
    let only = match target {
        Side::Legacy => RowDifference::OnlyLegacy,
        Side::New => RowDifference::OnlyNew,
    };
    // What began on the new side and has no number yet is refused, and not deleted.
    let goes = |one: &&Difference| one.how == only && matches!(one.record.0.as_slice(), [Value::Integer(_)]);
    found.iter().flat_map(|parity| &parity.shown).filter(goes).count() as u64
}

/// Refuses a repair that deletes more than `most` records: a side that lacks much has most likely not been filled yet.
///
/// # Errors
/// Refused, with the number.
pub fn refuse_deletes(target: Side, found: &[EntityParity], most: u64) -> Result<(), EngineError> {
    let deletes = deletes(target, found);
    if deletes <= most {
        return Ok(());
    }
    let (side, other) = match target {
        Side::Legacy => ("legacy", "new"),
        Side::New => ("new", "legacy"),
    };
    Err(EngineError::refused(format!(
        "repairing the {side} side would delete {deletes} records that the {other} side does not have, and {most} are allowed\n\
         hint: what was not carried over yet is missing there too; look at it with --dry-run, and allow it with --max-deletes {deletes}"
    )))
}

/// Computes the sums of both sides anew.
fn build_both(legacy: &mut Session, new: &mut Session, pilot: &dyn Pilot) -> Result<Built, EngineError> {
    let began = new.clock.monotonic_ms();
    let totals = (records(legacy, Side::Legacy, pilot)?, records(new, Side::New, pilot)?);
    // Trees are made for the largest entity.
    let expected = totals.0.1.max(totals.1.1).max(LEAST);
    let one = |session: &mut Session, side: Side, total: u64, phase: &'static str| {
        let sink = told(session, total, phase);
        build(&mut SideStore { side, store: session.store.as_mut(), pilot }, expected, &sink)
    };
    let records = (
        one(legacy, Side::Legacy, totals.0.0, "summing up the legacy side")?,
        one(new, Side::New, totals.1.0, "summing up the new side")?,
    );
    let duration_ms = new.clock.monotonic_ms().saturating_sub(began);
    Ok(Built { legacy: records.0, new: records.1, duration_ms })
}

/// How many records a side has, and the largest entity.
fn records(session: &mut Session, side: Side, pilot: &dyn Pilot) -> Result<(u64, u64), EngineError> {
    let (mut all, mut largest) = (0, 0);
    for entity in pilot.entities() {
        let of = SideStore { side, store: session.store.as_mut(), pilot };
        let table = of.table(entity);
        let rows = of.store.query(&format!("SELECT count(*) FROM {table}"), &[])?;
        let count = rows.into_iter().next().map_or(Ok(0), |row| Cells(row).count(0))?;
        all += count;
        largest = largest.max(count);
    }
    Ok((all, largest))
}

/// A sink that knows how many records there are, and tells how long it still takes.
fn told(session: &Session, total: u64, phase: &'static str) -> ProgressSink {
    let (sink, clock) = (Arc::clone(&session.progress), Arc::clone(&session.clock));
    let began = clock.monotonic_ms();
    Arc::new(move |progress: &Progress| {
        let took = clock.monotonic_ms().saturating_sub(began);
        let left = total.saturating_sub(progress.done);
        let eta_ms = took.saturating_mul(left).checked_div(progress.done);
        sink(&Progress { phase, done: progress.done, total: Some(total), eta_ms });
    })
}
