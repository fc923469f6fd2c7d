//! Until when a gauge may be used.
//!
//! Owns the due date: certificate date + interval; for a gauge that was sealed, the clock starts when its seal is opened. A
//! sealed gauge has no due date yet, and a gauge without a certificate is due at once.

use jiff::civil::Date;

use crate::model::Gauge;

/// Days before the due date on which somebody is told, and the day itself.
pub const ALERT_DAYS: [i64; 4] = [30, 14, 7, 0];

/// The due date of a gauge; `None` while its clock does not run.
pub fn due_on(
    certified_on: Option<&str>,
    sealed: bool,
    unsealed_on: Option<&str>,
    interval_days: i64,
) -> Option<String> {
    if sealed {
        return None;
    }
    let certified: Date = certified_on?.parse().ok()?;
    let unsealed: Option<Date> = unsealed_on.and_then(|text| text.parse().ok());
    // A seal that was opened before the certificate belongs to an earlier calibration.
    let from = unsealed.filter(|unsealed| *unsealed >= certified).unwrap_or(certified);
    let days = jiff::Span::new().try_days(interval_days).ok()?;
    from.checked_add(days).ok().map(|date| date.to_string())
}

/// Sets the due date of a gauge from its other columns.
pub fn set(gauge: &mut Gauge) {
    gauge.due_on = due_on(
        gauge.certified_on.as_deref(),
        gauge.sealed,
        gauge.unsealed_on.as_deref(),
        gauge.interval_days,
    );
}

/// Where a gauge stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Sealed: its clock does not run.
    Sealed,
    /// May be used for this many more days, the day itself included.
    DaysLeft(i64),
    /// Was due this many days ago.
    Overdue(i64),
    /// Has no certificate.
    NeverCertified,
}

/// Where a gauge stands on `today`. On its due date a gauge may still be used.
pub fn standing(gauge: &Gauge, today: &str) -> Standing {
    if gauge.sealed {
        return Standing::Sealed;
    }
    let parsed =
        gauge.due_on.as_deref().and_then(|due| due.parse::<Date>().ok()).zip(today.parse::<Date>().ok());
    match parsed {
        Some((due, today)) => {
            let days = due.duration_since(today).as_hours() / 24;
            if days < 0 { Standing::Overdue(-days) } else { Standing::DaysLeft(days) }
        }
        None => Standing::NeverCertified,
    }
}

/// True when a gauge may not be used for its calibration.
pub fn is_due(gauge: &Gauge, today: &str) -> bool {
    matches!(standing(gauge, today), Standing::Overdue(_) | Standing::NeverCertified)
}

/// The alert that falls on `today`, in days before the due date.
pub fn alert(gauge: &Gauge, today: &str) -> Option<i64> {
    match standing(gauge, today) {
        Standing::DaysLeft(days) if ALERT_DAYS.contains(&days) => Some(days),
        _ => None,
    }
}

/// An interval worth looking at: so many of the last calibrations were out of tolerance as found.
///
/// Proposes the interval times 0.8 after any such finding among the last three, times 1.2 after at least three good ones
/// in a row (at most two years), else nothing. Method A1 of NCSLI RP-1 in its simplest form; a person decides.
pub fn review(interval_days: i64, as_found_in_tolerance: &[bool]) -> Option<i64> {
    let last = as_found_in_tolerance.len().saturating_sub(3);
    let recent = &as_found_in_tolerance[last..];
    if recent.contains(&false) {
        Some((interval_days * 4 / 5).max(1))
    } else if recent.len() == 3 && interval_days < 730 {
        Some((interval_days * 6 / 5).min(730))
    } else {
        None
    }
}
