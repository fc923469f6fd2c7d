//! Planning from a source: records in, a stored plan out.
//!
//! Owns the loop that reads a system's source, lets the system propose changes for each record, and stores
//! them. What a record means is the system's; how a source is asked is [`crate::source`]'s.
//!
//! Invariants: nothing of the system's tables is written; every record that the source lists ends in the
//! plan, among the unchanged, or among the records that the source itself left out, and the three are counted.

use plimsoll_core::digest::Hashing;
use plimsoll_core::item::{Item, Refusal};
use plimsoll_core::value::{Value, canonical_timestamp};
use plimsoll_store::Store;
use serde_json::{Value as Json, json};

use super::context::{PlanContext, PlanMemory, Proposal};
use super::plan::{NewPlan, Plan, PlanWriter};
use super::retention;
use crate::error::EngineError;
use crate::event;
use crate::session::{Progress, Session};
use crate::source::{Fetch, SourceRecord, SourceRequest};
use crate::system::{ChangeKind, System};

/// Reads the source and stores the plan that brings the tables in step with it.
///
/// # Errors
/// When the source as a whole cannot be read, or the store fails. The unfinished plan is removed.
pub fn propose(
    session: &mut Session,
    system: &System,
    change: &'static dyn ChangeKind,
    fetch: &mut dyn Fetch,
    source: &str,
    request: &SourceRequest,
) -> Result<Plan, EngineError> {
    sweep(session)?;
    let request = with_known_until(session.store.as_mut(), change, request)?;
    let new = NewPlan {
        system: system.name.to_owned(),
        change: change.name().to_owned(),
        source: source.to_owned(),
        ..NewPlan::default()
    };
    let mut writer = PlanWriter::create(session, &new)?;
    let now = canonical_timestamp(&session.clock.now());
    let mut memory = PlanMemory::of(session);
    let (mut unchanged, mut read) = (0, 0);
    let summary = {
        let mut each = |record: SourceRecord| {
            read += 1;
            (session.progress)(&Progress { phase: "planning", done: read, total: None, eta_ms: None });
            let item = plan_record(session.store.as_mut(), change, &record, &mut memory, &now)?;
            match item {
                Some(item) => {
                    let item = skip_if_waiting(session.store.as_mut(), system.name, item)?;
                    writer.add(session, &item)
                }
                None => {
                    unchanged += 1;
                    Ok(())
                }
            }
        };
        change.read(fetch, &request, &mut each)
    };
    let summary = match summary {
        Ok(summary) => summary,
        Err(error) => {
            writer.abandon(session)?;
            return Err(error.during(&format!("reading {source}")));
        }
    };
    let facts = json!({ "source_summary": summary, "fetch": fetch.statistics() });
    let plan = writer.finish(session, unchanged, facts)?;
    let detail = json!({ "digest": plan.digest, "items": plan.items, "source": source });
    super::in_write(session, |session| event::record(session, "plan.made", plan.id.as_str(), "", &detail))?;
    Ok(plan)
}

/// Hours after which a plan that is still being made is taken for the left-over of a crash.
const UNFINISHED_FOR_HOURS: i64 = 24;

/// Removes what crashed planning left behind.
fn sweep(session: &mut Session) -> Result<(), EngineError> {
    let now = session.clock.now();
    let before = now
        .parse::<jiff::Timestamp>()
        .and_then(|now| now.checked_sub(jiff::SignedDuration::from_hours(UNFINISHED_FOR_HOURS)))
        .map_err(|error| EngineError::integrity(format!("the clock says `{now}`: {error}")))?;
    retention::sweep_unfinished(session, &before.to_string())?;
    Ok(())
}

/// Tells the source what the store already knows.
fn with_known_until(
    store: &mut dyn Store,
    change: &dyn ChangeKind,
    request: &SourceRequest,
) -> Result<SourceRequest, EngineError> {
    let mut request = request.clone();
    let (None, Some((table, column))) = (&request.known_until, change.known_until()) else {
        return Ok(request);
    };
    if store.shape(table)?.is_some() {
        let rows = store.query(&format!("SELECT CAST(max({column}) AS text) FROM {table}"), &[])?;
        request.known_until =
            rows.first().and_then(|row| row.first()).and_then(Value::as_text).map(str::to_owned);
    }
    Ok(request)
}

/// The item for one record: its changes, or its refusal. `None` when nothing needs to change.
///
/// # Errors
/// When current rows cannot be read.
pub fn plan_record(
    store: &mut dyn Store,
    change: &dyn ChangeKind,
    record: &SourceRecord,
    memory: &mut PlanMemory,
    now: &str,
) -> Result<Option<Item>, EngineError> {
    let mut context = PlanContext::new(store, memory, now);
    let body = record.body.as_ref().ok().map(Json::to_string);
    match change.propose(record, &mut context)? {
        Proposal::Refuse(refusal) => {
            context.discard();
            let label = record.label.clone();
            Ok(Some(Item { label, changes: Vec::new(), record: body, refusal: Some(refusal) }))
        }
        Proposal::Change => {
            let changes = context.accept();
            let item = Item { label: record.label.clone(), changes, record: body, refusal: None };
            Ok((!item.changes.is_empty()).then_some(item))
        }
    }
}

/// The digest by which a refused record is recognised when the source delivers it again.
pub(crate) fn record_digest(item: &Item) -> String {
    let mut hashing = Hashing::new("record");
    hashing.part(item.label.as_bytes()).optional(item.record.as_deref());
    hashing.hex()
}

/// A record that waits in quarantine exactly as it is now is not quarantined again.
fn skip_if_waiting(store: &mut dyn Store, system: &str, mut item: Item) -> Result<Item, EngineError> {
    let waiting = store.query(
        "SELECT id FROM plimsoll_quarantine WHERE system = $1 AND record_digest = $2 AND status <> 'replayed' LIMIT 1",
        &[Value::text(system), Value::text(record_digest(&item))],
    )?;
    if let Some(id) = waiting.first().and_then(|row| row.first()).and_then(Value::as_text) {
        let reason = format!("the same record already waits in quarantine as {id}");
        item.refusal = Some(Refusal::skipped("waiting", reason));
        item.changes.clear();
    }
    Ok(item)
}
