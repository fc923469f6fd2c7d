//! Time zones: what the clock on the wall of a place shows.
//!
//! Owns finding a zone by its name and the local time of a moment. The rules come from the machine's zone database
//! where it has one, which is updated with it, and else from the one inside the program. Everything else in Plimsoll
//! is in UTC.

use jiff::Zoned;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::instant;
use crate::error::EngineError;

/// A time zone, by its name in the zone database: `Europe/Berlin`, `UTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// What the clock on the wall shows at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime(Zoned);

impl Zone {
    /// The zone of this name.
    ///
    /// # Errors
    /// Usage when the zone database has none.
    pub fn read(name: &str) -> Result<Self, EngineError> {
        if name == "UTC" {
            return Ok(Self::utc());
        }
        let rules = TimeZone::get(name).map_err(|_| {
            EngineError::usage(format!(
                "there is no time zone `{name}`\nhint: zones have names such as Europe/Berlin, Asia/Taipei, UTC"
            ))
        })?;
        let name = rules.iana_name().unwrap_or(name).to_owned();
        Ok(Self { name, rules })
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), rules: TimeZone::UTC }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The local time of a moment.
    ///
    /// # Errors
    /// Integrity when `moment` is not one.
    pub fn local(&self, moment: &str) -> Result<LocalTime, EngineError> {
        Ok(LocalTime(self.zoned(moment)?))
    }

    pub(crate) fn zoned(&self, moment: &str) -> Result<Zoned, EngineError> {
        Ok(instant(moment)?.to_zoned(self.rules.clone()))
    }
}

impl LocalTime {
    /// Minutes since midnight that the clock on the wall shows, 0 to 1439.
    pub fn minute_of_day(&self) -> i32 {
        i32::from(self.0.hour()) * 60 + i32::from(self.0.minute())
    }

    /// Whether it is Saturday or Sunday.
    pub fn is_weekend(&self) -> bool {
        matches!(self.0.weekday(), Weekday::Saturday | Weekday::Sunday)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::read(&name).map_err(|error| serde::de::Error::custom(error.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_follows_summer_time() {
        let berlin = Zone::read("Europe/Berlin").unwrap();
        assert_eq!(berlin.local("2026-01-15T21:30:00.000Z").unwrap().minute_of_day(), 22 * 60 + 30);
        assert_eq!(berlin.local("2026-07-15T21:30:00.000Z").unwrap().minute_of_day(), 23 * 60 + 30);
        assert!(berlin.local("2026-01-16T23:30:00.000Z").unwrap().is_weekend());
        assert!(!berlin.local("2026-01-16T22:30:00.000Z").unwrap().is_weekend());
        assert!(Zone::read("Europe/Nowhere").unwrap_err().message.contains("hint:"));
    }
}
