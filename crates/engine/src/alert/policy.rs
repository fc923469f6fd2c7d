//! When people are told: the ladder of reminders, quiet hours, damping.
//!
//! Owns the declared intervals and the decision. It asks no clock: the moment is given.

use crate::error::EngineError;
use crate::zone::Zone;

use super::Severity;

const MINUTE_MS: i64 = 60_000;

/// A cause that comes back within this time after it was resolved opens the same incident again.
pub(super) const REOPEN_MS: i64 = 30 * MINUTE_MS;
/// After coming back this often, an incident flaps.
pub(super) const FLAPS: u64 = 3;
/// An incident that flaps is resolved once it has stayed clear for this long.
pub(super) const SETTLE_MS: i64 = 15 * MINUTE_MS;

/// The ladder: minutes from one notice of an incident to the next while nobody takes it. The last one repeats.
const LADDER: [(Severity, &[i64]); 3] = [
    (Severity::P0, &[5, 10, 15, 30, 60]),
    (Severity::P1, &[30, 60, 120, 240]),
    (Severity::P2, &[1_440, 4_320, 10_080]),
];

/// Hours in which only P0 is told at once; everything else waits for their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    zone: Zone,
    from_minute: i32,
    to_minute: i32,
    weekends: bool,
}

impl QuietHours {
    /// Reads `22:00-07:00 Europe/Berlin`, with `weekends` after it when Saturday and Sunday are quiet all day.
    ///
    /// # Errors
    /// Usage, saying what the form is.
    pub fn read(text: &str) -> Result<Self, EngineError> {
        let wrong = |why: &str| {
            EngineError::usage(format!(
                "quiet hours `{text}`: {why}\nhint: the form is `22:00-07:00 Europe/Berlin`, then `weekends` if those are quiet too"
            ))
        };
        let mut words = text.split_whitespace();
        let (from, to) = words
            .next()
            .and_then(|hours| hours.split_once('-'))
            .ok_or_else(|| wrong("there are no hours"))?;
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let (hour, minute) = (hour.parse::<i32>().ok()?, minute.parse::<i32>().ok()?);
            ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
        };
        let from_minute = minute(from).ok_or_else(|| wrong(&format!("`{from}` is not a time of day")))?;
        let to_minute = minute(to).ok_or_else(|| wrong(&format!("`{to}` is not a time of day")))?;
        let zone = words.next().ok_or_else(|| wrong("there is no time zone"))?;
        let zone = Zone::read(zone).map_err(|error| wrong(&error.message))?;
        let weekends = match words.next() {
            None => false,
            Some("weekends") => true,
            Some(other) => return Err(wrong(&format!("`{other}` is one word too many"))),
        };
        Ok(Self { zone, from_minute, to_minute, weekends })
    }

    /// Whether it is quiet at this moment.
    ///
    /// # Errors
    /// When `moment` is not one.
    pub fn at(&self, moment: &str) -> Result<bool, EngineError> {
        let local = self.zone.local(moment)?;
        if self.weekends && local.is_weekend() {
            return Ok(true);
        }
        let minute = local.minute_of_day();
        Ok(if self.from_minute <= self.to_minute {
            (self.from_minute..self.to_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.to_minute
        })
    }
}

/// Who is told how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Hours in which only P0 is told.
    pub quiet: Option<QuietHours>,
}

impl Policy {
    /// Milliseconds from the latest of `notices` notices to the next, for an incident that nobody took.
    pub fn pause_ms(severity: Severity, notices: u64) -> i64 {
        let rungs = LADDER.iter().find(|(known, _)| *known == severity).map_or(&[][..], |(_, rungs)| rungs);
        let at = usize::try_from(notices.saturating_sub(1)).unwrap_or(usize::MAX);
        rungs.get(at).or(rungs.last()).copied().unwrap_or(60) * MINUTE_MS
    }

    /// Whether a notice of this severity must wait now.
    ///
    /// # Errors
    /// When `moment` is not one.
    pub fn holds(&self, severity: Severity, moment: &str) -> Result<bool, EngineError> {
        match &self.quiet {
            Some(quiet) if severity != Severity::P0 => quiet.at(moment),
            _ => Ok(false),
        }
    }
}
