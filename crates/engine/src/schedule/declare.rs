//! The list of schedules: adding, removing, enabling, disabling.
//!
//! Owns the rows and what may be in them. Each change is an event.

use plimsoll_core::value::Value;
use serde::Serialize;
use serde_json::json;

use super::timetable::Timetable;
use super::{Missed, cause};
use crate::alert::{self, Severity};
use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::session::{Session, in_transaction};

/// What a schedule may run: the first words of a command line. Nothing here asks back or shows a page.
pub const ALLOWED: &[&[&str]] = &[
    &["check"],
    &["run"],
    &["ingest"],
    &["report"],
    &["backup"],
    &["verify"],
    &["gate"],
    &["playbook", "run"],
    &["alert", "budget"],
    &["alert", "digest"],
    &["alert", "send"],
];

/// The longest name.
const LONGEST_NAME: usize = 60;

/// A schedule to add.
#[derive(Debug, Clone)]
pub struct NewSchedule {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// The cron expression.
    pub cron: String,
    /// The time zone.
    pub zone: String,
    /// The command line, without the program's name.
    pub command: Vec<String>,
    /// What to do about missed times.
    pub missed: Missed,
    /// How grave it is when it fails.
    pub severity: Severity,
    /// Minutes after which a run is ended.
    pub limit_minutes: u32,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The cron expression.
    pub cron: String,
    /// The time zone.
    pub zone: String,
    /// The command line, without the program's name. `{date}` stands for the day in the time zone.
    pub command: Vec<String>,
    /// What to do about missed times.
    pub missed: Missed,
    /// How grave it is when it fails.
    pub severity: Severity,
    /// Minutes after which a run is ended.
    pub limit_minutes: u64,
    /// Whether it runs.
    pub enabled: bool,
    /// The next time that nobody started yet; none when it is disabled.
    pub due_at: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// When it was last enabled, disabled or replaced.
    pub changed_at: String,
}

impl Schedule {
    /// When it runs.
    ///
    /// # Errors
    /// When the stored expression cannot be read any more.
    pub fn timetable(&self) -> Result<Timetable, EngineError> {
        Timetable::read(&self.cron, &self.zone)
    }

    /// The command line for a run that is due at a moment.
    ///
    /// # Errors
    /// When the stored expression cannot be read any more.
    pub fn command_for(&self, due_at: &str) -> Result<Vec<String>, EngineError> {
        let day = self.timetable()?.day(due_at)?;
        Ok(self.command.iter().map(|word| word.replace("{date}", &day)).collect())
    }
}

const COLUMNS: &str =
    "name, cron, zone, command, missed, severity, limit_minutes, enabled, due_at, created_at, changed_at";

fn from_row(row: Vec<Value>) -> Result<Schedule, EngineError> {
    let cells = Cells(row);
    let (missed, severity) = (cells.text(4)?, cells.text(5)?);
    let unknown = |what: &str| EngineError::integrity(format!("a schedule has {what}"));
    Ok(Schedule {
        name: cells.text(0)?,
        cron: cells.text(1)?,
        zone: cells.text(2)?,
        command: serde_json::from_str(&cells.text(3)?)?,
        missed: Missed::read(&missed).ok_or_else(|| unknown(&format!("the policy `{missed}`")))?,
        severity: Severity::read(&severity).ok_or_else(|| unknown(&format!("the severity `{severity}`")))?,
        limit_minutes: cells.count(6)?,
        enabled: cells.integer(7)? == 1,
        due_at: cells.optional_text(8)?,
        created_at: cells.text(9)?,
        changed_at: cells.text(10)?,
    })
}

/// Every schedule, by name.
///
/// # Errors
/// When the control store fails.
pub fn list(session: &mut Session) -> Result<Vec<Schedule>, EngineError> {
    let rows = session.store.query(&format!("SELECT {COLUMNS} FROM plimsoll_schedule ORDER BY name"), &[])?;
    rows.into_iter().map(from_row).collect()
}

/// The schedule of this name.
///
/// # Errors
/// Usage when there is none.
pub fn find(session: &mut Session, name: &str) -> Result<Schedule, EngineError> {
    let sql = format!("SELECT {COLUMNS} FROM plimsoll_schedule WHERE name = $1");
    let found = session.store.query(&sql, &[Value::text(name)])?.into_iter().next();
    found.map(from_row).transpose()?.ok_or_else(|| {
        EngineError::usage(format!("there is no schedule `{name}`\nhint: `plimsoll schedule list`"))
    })
}

fn check(new: &NewSchedule) -> Result<Timetable, EngineError> {
    let proper = !new.name.is_empty()
        && new.name.len() <= LONGEST_NAME
        && new.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !proper {
        return Err(EngineError::usage(format!(
            "`{}` is no name of a schedule\nhint: lower-case letters, digits and hyphens, at most {LONGEST_NAME}",
            new.name
        )));
    }
    let allowed = ALLOWED.iter().any(|words| {
        new.command.len() >= words.len() && words.iter().zip(&new.command).all(|(word, given)| word == given)
    });
    if !allowed {
        let list: Vec<String> = ALLOWED.iter().map(|words| words.join(" ")).collect();
        return Err(EngineError::usage(format!(
            "a schedule cannot run `{}`\nhint: it runs one of: {}",
            new.command.join(" "),
            list.join(", ")
        )));
    }
    if new.limit_minutes == 0 {
        return Err(EngineError::usage("a run needs a minute at least\nhint: --limit-minutes N"));
    }
    Timetable::read(&new.cron, &new.zone)
}

/// Adds a schedule, enabled.
///
/// # Errors
/// Usage when there is one of that name, or when the name, the expression or the command line is not acceptable.
pub fn add(session: &mut Session, new: &NewSchedule, reason: &str) -> Result<Schedule, EngineError> {
    let timetable = check(new)?;
    in_transaction(session, |session| {
        let now = session.clock.now();
        let due_at = timetable.next(&now)?.ok_or_else(|| {
            EngineError::usage(format!("`{}` never comes\nhint: look at its day and month", new.cron))
        })?;
        let added = session.store.execute(
            &format!(
                "INSERT INTO plimsoll_schedule ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $9)
                 ON CONFLICT (name) DO NOTHING"
            ),
            &[
                Value::text(&new.name),
                Value::text(&new.cron),
                Value::text(timetable.zone().name()),
                Value::text(serde_json::to_string(&new.command)?),
                Value::text(new.missed.as_str()),
                Value::text(new.severity.as_str()),
                Value::Integer(i64::from(new.limit_minutes)),
                Value::text(due_at),
                Value::text(now),
            ],
        )?;
        if added == 0 {
            return Err(EngineError::usage(format!(
                "there is a schedule `{}` already\nhint: `plimsoll schedule remove {0}` first, or take another name",
                new.name
            )));
        }
        let detail = json!({ "cron": new.cron, "zone": timetable.zone().name(), "command": new.command });
        crate::event::record(session, "schedule.added", &new.name, reason, &detail)?;
        find(session, &new.name)
    })
}

/// Removes a schedule; its history stays.
///
/// # Errors
/// Usage when there is none.
pub fn remove(session: &mut Session, name: &str, reason: &str) -> Result<Schedule, EngineError> {
    in_transaction(session, |session| {
        let schedule = find(session, name)?;
        session.store.execute("DELETE FROM plimsoll_schedule WHERE name = $1", &[Value::text(name)])?;
        alert::clear_within(session, &cause(name), "the schedule was removed")?;
        let detail = serde_json::to_value(&schedule)?;
        crate::event::record(session, "schedule.removed", name, reason, &detail)?;
        Ok(schedule)
    })
}

/// Enables or disables a schedule. Times that passed while it was disabled are not missed.
///
/// # Errors
/// Usage when there is none.
pub fn set_enabled(
    session: &mut Session,
    name: &str,
    enabled: bool,
    reason: &str,
) -> Result<Schedule, EngineError> {
    in_transaction(session, |session| {
        let schedule = find(session, name)?;
        if schedule.enabled == enabled {
            return Ok(schedule);
        }
        let now = session.clock.now();
        let due_at = if enabled { schedule.timetable()?.next(&now)? } else { None };
        session.store.execute(
            "UPDATE plimsoll_schedule SET enabled = $2, due_at = $3, changed_at = $4 WHERE name = $1",
            &[
                Value::text(name),
                Value::Integer(i64::from(enabled)),
                Value::optional_text(due_at),
                Value::text(now),
            ],
        )?;
        let kind = if enabled { "schedule.enabled" } else { "schedule.disabled" };
        crate::event::record(session, kind, name, reason, &json!({}))?;
        find(session, name)
    })
}
