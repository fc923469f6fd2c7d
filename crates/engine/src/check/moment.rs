//! Moments as databases write them, and their age.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::error::EngineError;

/// Clocks of two machines may differ by so many seconds.
const TOLERANCE_S: f64 = 60.0;

/// Reads a moment: RFC 3339 or the form of a database, a date, or a number of seconds, milliseconds or microseconds
/// since 1970. One without a time zone is in UTC; a date is its first moment.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return moment.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp());
    }
    if let Ok(day) = text.parse::<Date>() {
        return day.to_zoned(TimeZone::UTC).ok().map(|moment| moment.timestamp());
    }
    let number: i64 = text.split('.').next()?.parse().ok()?;
    match number.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(number).ok(),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number).ok(),
        _ => Timestamp::from_microsecond(number).ok(),
    }
}

/// The age of the newest value in `unit`: `s`, `min`, `h` (also when it is empty) or `d`.
///
/// # Errors
/// When it is no moment, the unit is not known, or the moment lies in the future: an age below zero would keep every rule.
pub(super) fn age(newest: &str, now: Timestamp, unit: &str) -> Result<f64, EngineError> {
    let seconds = unit_seconds(unit).ok_or_else(|| {
        EngineError::usage(format!("`{unit}` is no unit of time\nhint: use s, min, h or d"))
    })?;
    let Some(moment) = read(newest) else {
        return Err(EngineError::usage(format!("the newest value is `{newest}`, which is no moment")));
    };
    let age = now.duration_since(moment).as_secs_f64();
    if age < -TOLERANCE_S {
        return Err(EngineError::usage(format!(
            "the newest value is {newest}, which lies in the future, so the age is not known\nhint: look for wrong dates"
        )));
    }
    Ok(age.max(0.0) / seconds)
}

/// So many seconds has a unit; the words of contracts are known too.
pub(super) fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit.to_ascii_lowercase().as_str() {
        "s" | "second" | "seconds" => 1.0,
        "min" | "m" | "minute" | "minutes" => 60.0,
        "h" | "" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        "y" | "year" | "years" => SignedDuration::from_hours(24 * 365).as_secs_f64(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_all_databases_are_read() {
        let noon = "2026-01-31T12:00:00Z".parse::<Timestamp>().unwrap();
        for text in [
            "2026-01-31T12:00:00Z",
            "2026-01-31 12:00:00+00",
            "2026-01-31 14:00:00+02",
            "2026-01-31 12:00:00",
            "2026-01-31T12:00:00.000",
            "1769860800",
            "1769860800000",
            "1769860800000000",
        ] {
            assert_eq!(read(text), Some(noon), "{text}");
        }
        assert_eq!(read("2026-01-31"), Some("2026-01-31T00:00:00Z".parse().unwrap()));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn a_date_in_the_future_is_not_fresh() {
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        assert_eq!(age("2026-01-31 06:00:00", now, "h").unwrap(), 6.0);
        assert_eq!(age("2026-01-31 12:00:30", now, "s").unwrap(), 0.0);
        assert!(age("2026-02-01 12:00:00", now, "h").unwrap_err().message.contains("future"));
        assert!(age("2026-01-31 06:00:00", now, "parsec").is_err());
    }
}
