//! Times as a person types them.
//!
//! Owns the reading of `14:03`, `2026-11-28`, `2026-11-28 14:03` and RFC 3339 into the one text in which times are stored
//! and compared. What names no zone is UTC; a time without a day is of the day that it is.

use crate::error::EngineError;

/// The time as `YYYY-MM-DDTHH:MM:SS.fffZ`. `now` is in that form.
///
/// # Errors
/// Usage when the text is no time.
pub fn parse(text: &str, now: &str) -> Result<String, EngineError> {
    let text = text.trim();
    let day = now.split('T').next().unwrap_or_default();
    let with_day = if text.len() >= 10 { text.replacen(' ', "T", 1) } else { format!("{day}T{text}") };
    let moment = with_day.parse::<jiff::Timestamp>().or_else(|_| {
        with_day
            .parse::<jiff::civil::DateTime>()
            .and_then(|civil| civil.to_zoned(jiff::tz::TimeZone::UTC))
            .map(|zoned| zoned.timestamp())
    });
    moment.map(|moment| format!("{moment:.3}")).map_err(|_| {
        EngineError::usage(format!(
            "`{text}` is not a time\nhint: 14:03, 2026-11-28, 2026-11-28T14:03, or 2026-11-28T14:03:00+08:00; without a zone it is UTC"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_one_form() {
        let now = "2026-11-28T17:00:00.000Z";
        for (text, expected) in [
            ("14:03", "2026-11-28T14:03:00.000Z"),
            ("14:03:05", "2026-11-28T14:03:05.000Z"),
            ("2026-11-27", "2026-11-27T00:00:00.000Z"),
            ("2026-11-27 14:03", "2026-11-27T14:03:00.000Z"),
            ("2026-11-27T14:03:05.25Z", "2026-11-27T14:03:05.250Z"),
            ("2026-11-27T14:03:00+08:00", "2026-11-27T06:03:00.000Z"),
        ] {
            assert_eq!(parse(text, now).unwrap(), expected, "{text}");
        }
        for text in ["", "noon", "2026-13-01", "25:00"] {
            assert!(parse(text, now).is_err(), "{text}");
        }
    }
}
