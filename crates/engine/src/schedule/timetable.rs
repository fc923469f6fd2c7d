//! When: a cron expression in a time zone.
//!
//! Owns reading expressions and finding the next time. The rules are those of the crate `croner`: five fields, names
//! of days and months, `L`, `#`, `W`, and nicknames such as `@daily`. Where the clock goes forward, a fixed time that
//! does not exist is run right after the gap; where it goes back, a fixed time is run once and an interval goes on.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::error::EngineError;
use crate::zone::Zone;

/// A cron expression in a time zone.
#[derive(Debug, Clone)]
pub struct Timetable {
    cron: Cron,
    zone: Zone,
}

impl Timetable {
    /// Reads an expression of five fields.
    ///
    /// # Errors
    /// Usage, when it is none or never comes.
    pub fn read(cron: &str, zone: &str) -> Result<Self, EngineError> {
        let zone = Zone::read(zone)?;
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let parsed = parser.parse(cron).map_err(|error| {
            EngineError::usage(format!(
                "`{cron}` is no cron expression: {error}\nhint: minute hour day month weekday, such as `0 6 * * *` for every day at six"
            ))
        })?;
        Ok(Self { cron: parsed, zone })
    }

    /// The time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The expression in words.
    pub fn in_words(&self) -> String {
        self.cron.describe()
    }

    /// The first time after `moment`; `None` when there is none.
    ///
    /// # Errors
    /// Integrity when `moment` is not one.
    pub fn next(&self, moment: &str) -> Result<Option<String>, EngineError> {
        let from = self.zone.zoned(moment)?;
        let next = self.cron.find_next_occurrence(&from, false).ok();
        Ok(next.map(|next| format!("{:.3}", next.timestamp())))
    }

    /// The last time up to `moment`, itself included; `None` when there is none.
    ///
    /// # Errors
    /// Integrity when `moment` is not one.
    pub fn last(&self, moment: &str) -> Result<Option<String>, EngineError> {
        let from = self.zone.zoned(moment)?;
        let last = self.cron.find_previous_occurrence(&from, true).ok();
        Ok(last.map(|last| format!("{:.3}", last.timestamp())))
    }

    /// The day that the calendar of the zone shows at `moment`, such as `2026-01-31`.
    ///
    /// # Errors
    /// Integrity when `moment` is not one.
    pub fn day(&self, moment: &str) -> Result<String, EngineError> {
        Ok(self.zone.zoned(moment)?.date().to_string())
    }
}
