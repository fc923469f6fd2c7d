//! The rows of the simulated PEMS and the three ways to write one.
//!
//! Owns the rows, their order by stamp, the versions of deleted rows, and the check of versions and rules. It
//! knows nothing of HTTP, and of faults only the skewed clock, which belongs to every edit.
//!
//! Invariants:
//! - A write has one effect or none; a refused one leaves everything as it was.
//! - The version of an id only rises, also when it is deleted and created again: a version names one state.
//! - Names here are stored names. Refusals carry the names that clients see.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::clock::Clock;
use super::faults::{FaultKind, Strikes};
use super::grid::Grids;
use super::ledger::{Action, Ledger, Writer};
use super::model::{FIELDS, FieldKind, Fields, Row};
use super::refusal::Refusal;
use super::rules::{Problem, broken};
use super::schema::Schema;

/// How far a skewed clock is off at most.
const LARGEST_SKEW_MICROSECONDS: usize = 300_000_000;

/// Everything the simulated system holds.
#[derive(Debug)]
pub(crate) struct Remote {
    rows: BTreeMap<String, Row>,
    /// The rows in the order of the keyset.
    order: BTreeSet<(Timestamp, String)>,
    /// The last version of every deleted id.
    buried: BTreeMap<String, u64>,
    pub(crate) schema: Schema,
    pub(crate) clock: Clock,
    pub(crate) strikes: Strikes,
    pub(crate) grids: Grids,
    pub(crate) ledger: Ledger,
    /// True when a single row is served with the operation that wrote it last.
    pub(crate) remembers_operations: bool,
}

impl Remote {
    pub(crate) fn new(rows: Vec<Row>, clock: Clock, strikes: Strikes, remembers_operations: bool) -> Self {
        Self {
            order: rows.iter().map(|row| (row.modified, row.id.clone())).collect(),
            rows: rows.into_iter().map(|row| (row.id.clone(), row)).collect(),
            buried: BTreeMap::new(),
            schema: Schema::original(),
            clock,
            strikes,
            grids: Grids::default(),
            ledger: Ledger::default(),
            remembers_operations,
        }
    }

    /// The row, if it is there.
    pub(crate) fn row(&self, id: &str) -> Option<&Row> {
        self.rows.get(id)
    }

    /// True when there is no row at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row as it is served.
    pub(crate) fn served(&self, id: &str) -> Result<Value, Refusal> {
        self.rows.get(id).map(|row| self.schema.render(row)).ok_or_else(|| Refusal::not_found(id))
    }

    /// The rows of an organization, or all, sorted by id.
    pub(crate) fn rows<'a>(&'a self, organization: Option<&'a str>) -> impl Iterator<Item = &'a Row> {
        self.rows.values().filter(move |row| organization.is_none_or(|wanted| row.organization == wanted))
    }

    /// Up to `limit` rows behind `since` in the order of (stamp, id), and whether there are more.
    pub(crate) fn behind(
        &self,
        organization: Option<&str>,
        since: Option<(Timestamp, String)>,
        limit: usize,
    ) -> (Vec<&Row>, bool) {
        let from = since.map_or(Bound::Unbounded, Bound::Excluded);
        let behind = self.order.range((from, Bound::Unbounded)).filter_map(|(_, id)| self.rows.get(id));
        let mut wanted = behind.filter(|row| organization.is_none_or(|wanted| row.organization == wanted));
        let page = wanted.by_ref().take(limit).collect();
        (page, wanted.next().is_some())
    }

    /// Writes fields of a row; with `expected`, only when it has that version.
    pub(crate) fn update(
        &mut self,
        id: &str,
        expected: Option<u64>,
        changed: &Fields,
        writer: &Writer,
    ) -> Result<(), Refusal> {
        let row = self.rows.get(id).ok_or_else(|| Refusal::not_found(id))?;
        self.must_have_version(row, expected, changed.keys())?;
        if changed.is_empty() {
            return Err(Refusal::malformed("an update needs at least one field"));
        }
        let mut after = row.fields.clone();
        after.extend(changed.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.must_hold_rules(Some(&row.fields), &after)?;
        let modified = self.stamp();
        let Some(row) = self.rows.get_mut(id) else { return Err(Refusal::not_found(id)) };
        self.order.remove(&(row.modified, id.to_owned()));
        self.order.insert((modified, id.to_owned()));
        row.change(changed, modified, writer.operation.clone());
        self.ledger.record(writer, Action::Update, id, row.version, changed);
        Ok(())
    }

    /// Makes a row; fields that are not given are `N` where they are flags, and null otherwise.
    pub(crate) fn create(
        &mut self,
        id: &str,
        organization: &str,
        fields: &Fields,
        writer: &Writer,
    ) -> Result<(), Refusal> {
        for (name, text) in [("id", id), ("organization", organization)] {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            if text.is_empty() || text.len() > 64 || !text.bytes().all(fits) {
                let problem = "must be 1 to 64 letters, digits, dots, underscores or hyphens".to_owned();
                return Err(Refusal::validation(&[(name.to_owned(), problem)]));
            }
        }
        if self.rows.contains_key(id) {
            return Err(Refusal::new(409, "exists", format!("there is a row `{id}` already")));
        }
        let lacking = self.schema.lacking(fields);
        if !lacking.is_empty() {
            let problems: Vec<Problem> =
                lacking.into_iter().map(|name| (name, "is needed for a new row".to_owned())).collect();
            return Err(Refusal::validation(&problems));
        }
        let mut complete = Fields::new();
        for spec in FIELDS.iter().filter(|spec| spec.writable) {
            let otherwise = if spec.kind == FieldKind::Flag { json!("N") } else { Value::Null };
            complete.insert(spec.name.to_owned(), otherwise);
        }
        complete.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.must_hold_rules(None, &complete)?;
        let version = self.buried.remove(id).unwrap_or(0) + 1;
        let modified = self.stamp();
        self.ledger.record(writer, Action::Create, id, version, &complete);
        let mut row = Row::new(id.to_owned(), organization.to_owned(), complete, modified, version);
        row.last_operation.clone_from(&writer.operation);
        self.order.insert((modified, id.to_owned()));
        self.rows.insert(id.to_owned(), row);
        Ok(())
    }

    /// Deletes a row; with `expected`, only when it has that version. Nothing is left of it to be pulled.
    pub(crate) fn delete(&mut self, id: &str, expected: Option<u64>, writer: &Writer) -> Result<(), Refusal> {
        let row = self.rows.get(id).ok_or_else(|| Refusal::not_found(id))?;
        self.must_have_version(row, expected, row.fields.keys())?;
        let (modified, version) = (row.modified, row.version);
        self.rows.remove(id);
        self.order.remove(&(modified, id.to_owned()));
        self.buried.insert(id.to_owned(), version);
        self.ledger.record(writer, Action::Delete, id, version, &Fields::new());
        Ok(())
    }

    fn must_have_version<'a>(
        &self,
        row: &Row,
        expected: Option<u64>,
        names: impl Iterator<Item = &'a String>,
    ) -> Result<(), Refusal> {
        let Some(expected) = expected.filter(|expected| *expected != row.version) else { return Ok(()) };
        let message = format!("row `{}` has version {}, not {expected}", row.id, row.version);
        let mut refusal = Refusal::new(409, "conflict", message).with("current_version", json!(row.version));
        if let Some(changed) = row.changed_since(expected, names) {
            let named: Vec<String> = changed.into_iter().map(|name| self.schema.wire_name(name)).collect();
            refusal = refusal.with("conflicting_fields", json!(named));
        }
        Err(refusal)
    }

    fn must_hold_rules(&self, before: Option<&Fields>, after: &Fields) -> Result<(), Refusal> {
        let problems = broken(before, after);
        if problems.is_empty() {
            return Ok(());
        }
        let named = |(field, problem): Problem| (self.schema.wire_name(&field), problem);
        Err(Refusal::validation(&problems.into_iter().map(named).collect::<Vec<_>>()))
    }

    /// The stamp of an edit, skewed where that fault strikes.
    fn stamp(&mut self) -> Timestamp {
        let stamp = self.clock.edit();
        if !self.strikes.strikes(FaultKind::ClockSkew) {
            return stamp;
        }
        let mut random = self.strikes.random(FaultKind::ClockSkew);
        let off = SignedDuration::from_micros(random.between(1, LARGEST_SKEW_MICROSECONDS) as i64);
        if random.percent(50) { stamp + off } else { stamp - off }
    }
}
