//! Times of the invented rows.
//!
//! Owns the moments, which depend on nothing but the row's number and chance: nobody asks what time it is.

use jiff::ToSpan;
use jiff::civil::{DateTime, date};

use crate::random::Random;

/// When the first row was written, in Taipei.
const START: DateTime = date(2024, 1, 2).at(8, 0, 0, 0);

/// The minute of a row. About a third of the rows share the minute of another, as rows that a program writes at once do.
pub(super) fn moment(random: &mut Random, number: u64) -> DateTime {
    let shared = if random.percent(35) { number - number % 4 } else { number };
    let minutes = i64::try_from(shared % 900_000).unwrap_or(0);
    START.checked_add(minutes.minutes()).unwrap_or(START)
}

/// As the legacy program writes it.
pub(super) fn legacy(moment: DateTime) -> Vec<u8> {
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string().into_bytes()
}

/// As an instant, Taipei being eight hours ahead.
pub(super) fn instant(moment: DateTime) -> String {
    let utc = moment.checked_sub(8.hours()).unwrap_or(moment);
    format!("{}Z", utc.strftime("%Y-%m-%dT%H:%M:%S"))
}
