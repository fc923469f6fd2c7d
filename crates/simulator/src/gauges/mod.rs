//! A calibration laboratory that never was: what an earlier system left of its gauge sets, and a first week of work.
//!
//! Owns invented gauges, people, places and requests, and the count of what is wrong with what the earlier system left.
//! It writes nothing: rows are data for the caller to bring in, requests are for the caller to make. So it can share no
//! mistake with the system that takes them.
//!
//! Reading order: this file, `earlier`, `work`.
//!
//! Invariants: everything that names somebody says demo; the counts of [`Manifest`] are counted while rows are made; the
//! same settings make the same laboratory.

mod earlier;
mod work;

use serde::Serialize;
use serde_json::{Value as Json, json};

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// Sets that can be brought in.
    pub sets: u64,
    /// The day on which it is (`2026-11-29`); dates lie before it.
    pub today: String,
    /// Who makes the requests and so is the first admin.
    pub admin: String,
}

impl Settings {
    /// The usual laboratory.
    pub fn of(sets: u64, seed: u64, today: &str, admin: &str) -> Self {
        Self { seed, sets, today: today.to_owned(), admin: admin.to_owned() }
    }
}

/// One request to the system.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The operation.
    pub operation: &'static str,
    /// Its fields, the reason among them.
    pub fields: Json,
}

impl Request {
    fn new(operation: &'static str, reason: &str, mut fields: Json) -> Self {
        fields["reason"] = json!(reason);
        Self { operation, fields }
    }
}

/// What was made, as counted while making it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The seed.
    pub seed: u64,
    /// Sets that can be brought in.
    pub good_sets: u64,
    /// Of them, those whose NO-GO has the smaller id.
    pub reversed_sets: u64,
    /// Sets with one member.
    pub single_sets: u64,
    /// Sets with three.
    pub triple_sets: u64,
    /// Sets of two GOs.
    pub two_go_sets: u64,
    /// Sets of unlike gauges.
    pub unlike_sets: u64,
    /// Deleted gauges among the rows.
    pub deleted_gauges: u64,
    /// Spares that are registered afterwards.
    pub spares: u64,
    /// Gauges that are lost in the first week, each leaving a set incomplete.
    pub lost: u64,
    /// Sets that are checked out at its end.
    pub checked_out: u64,
    /// Good sets of which a member is overdue today.
    pub overdue_sets: u64,
}

/// A laboratory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Laboratory {
    /// Registers: people, categories, places, reasons, standards. Made first.
    pub registers: Vec<Request>,
    /// The rows that the earlier system left.
    pub earlier: Vec<Json>,
    /// What happens after they are brought in.
    pub work: Vec<Request>,
    /// What there is.
    pub manifest: Manifest,
}

/// Makes a laboratory.
pub fn generate(settings: &Settings) -> Laboratory {
    let mut manifest = Manifest { seed: settings.seed, ..Manifest::default() };
    let registers = work::registers(settings);
    let (earlier, fit) = earlier::rows(settings, &mut manifest);
    let work = work::first_week(settings, &fit, &mut manifest);
    Laboratory { registers, earlier, work, manifest }
}

/// A day so many days before another.
fn before(today: &str, days: u64) -> String {
    let today = today.parse::<jiff::civil::Date>().unwrap_or(jiff::civil::Date::constant(2026, 1, 1));
    let span = jiff::Span::new().try_days(i64::try_from(days).unwrap_or(0)).unwrap_or_default();
    today.checked_sub(span).map_or_else(|_| today.to_string(), |day| day.to_string())
}
