//! Cells as text.
//!
//! Owns how one value is written: money exactly and without zeros at its end, moments in UTC with milliseconds,
//! days as they are. How cells stand together is the formats'.

use jiff::Timestamp;
use jiff::civil::Date;
use plimsoll_store::analytics::{ColumnType, OwnedCell};

/// The value as a person or a program reads it in CSV; `None` for null. Numbers are valid in JSON too.
pub(super) fn plain(cell: &OwnedCell, kind: ColumnType) -> Option<String> {
    Some(match cell {
        OwnedCell::Null => return None,
        OwnedCell::Text(text) => text.clone(),
        OwnedCell::Integer(number) => match kind {
            ColumnType::Timestamp => moment_text(*number),
            ColumnType::Date => day_text(*number),
            _ => number.to_string(),
        },
        OwnedCell::Decimal(digits, scale) => decimal(*digits, *scale),
        OwnedCell::Boolean(value) => value.to_string(),
        OwnedCell::Double(number) if number.is_finite() => number.to_string(),
        OwnedCell::Double(_) => return None,
    })
}

/// True when the value is written as a number.
pub(super) fn is_number(kind: ColumnType) -> bool {
    matches!(kind, ColumnType::Integer | ColumnType::Money | ColumnType::Double)
}

/// A decimal number in full: every digit behind the point that is not a zero at the end.
pub(super) fn decimal(digits: i128, scale: u8) -> String {
    let sign = if digits < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let mut text = digits.unsigned_abs().to_string();
    if scale == 0 {
        return format!("{sign}{text}");
    }
    if text.len() <= scale {
        text.insert_str(0, &"0".repeat(scale + 1 - text.len()));
    }
    let (whole, behind) = text.split_at(text.len() - scale);
    match behind.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        behind => format!("{sign}{whole}.{behind}"),
    }
}

/// A moment in microseconds since 1970, such as `2026-01-31T12:30:00.000Z`.
fn moment_text(micros: i64) -> String {
    match Timestamp::from_microsecond(micros) {
        Ok(moment) if micros % 1_000 == 0 => format!("{moment:.3}"),
        Ok(moment) => format!("{moment:.6}"),
        // Beyond the calendar: the number is better than nothing.
        Err(_) => micros.to_string(),
    }
}

/// A day counted since 1970, such as `2026-01-31`.
fn day_text(days: i64) -> String {
    let epoch = Date::constant(1970, 1, 1);
    let span = jiff::Span::new().try_days(days);
    match span.and_then(|span| epoch.checked_add(span)) {
        Ok(day) => day.to_string(),
        Err(_) => days.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_exact_and_short() {
        assert_eq!(decimal(123_450_000_000, 10), "12.345");
        assert_eq!(decimal(-1, 10), "-0.0000000001");
        assert_eq!(decimal(0, 10), "0");
        assert_eq!(decimal(100_000_000_000, 10), "10");
        assert_eq!(decimal(99_999_999_999_999_999_999_999_999_999, 10), "9999999999999999999.9999999999");
        assert_eq!(decimal(7, 0), "7");
    }

    #[test]
    fn moments_and_days_are_those_of_the_calendar() {
        assert_eq!(moment_text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(moment_text(1_769_862_600_123_456), "2026-01-31T12:30:00.123456Z");
        assert_eq!(day_text(20_484), "2026-01-31");
        assert_eq!(day_text(-1), "1969-12-31");
        assert_eq!(day_text(i64::MAX), i64::MAX.to_string());
    }
}
