//! When something happened, and how that is known.
//!
//! Owns the choice between the three clocks: a field of the document, the identifier, a column of the row - in this
//! order, because the move from files to SQLite gave all rows the time of the move. The time in an identifier comes
//! back every 795 days; the era is the one in which the identifier can have been made:
//! - not after the row was written that holds it;
//! - not before the record that it names began (a fork's copy keeps the time of the original);
//! - without either, in the first era after OpenCode began to write such identifiers. This is right until July 2027,
//!   for files only, which OpenCode stopped writing in February 2026.

use crate::identifier::{ERA_MS, Identifier};

/// 2025-05-01T00:00:00Z: no file of a generation that is read is older.
const FIRST_MS: i64 = 1_746_057_600_000;
/// How far clocks may have been set back between two records, in milliseconds.
const SLACK_MS: i64 = 30 * 86_400_000;

/// A moment in microseconds, and where it comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Option<i64>,
    pub(super) source: Option<&'static str>,
}

impl Moment {
    /// The field if there is one, else the identifier's time, else the row's.
    pub(super) fn of(field: Option<i64>, id: &str, message: Option<&str>, row: Option<i64>) -> Self {
        let (at, source) = match (field, minted(id, message, row), row) {
            (Some(at), _, _) => (at, "field"),
            (None, Some(at), _) => (at, "id"),
            (None, None, Some(at)) => (at, "row"),
            (None, None, None) => return Self::default(),
        };
        Self { at: Some(at), source: Some(source) }
    }
}

/// When an identifier was made, in microseconds, by what else is known of its record.
fn minted(id: &str, message: Option<&str>, row: Option<i64>) -> Option<i64> {
    if let Some(row) = row {
        return decode(id, row / 1000 + SLACK_MS - ERA_MS / 2);
    }
    let first = |id| Identifier::parse(id).map(|id| id.time_ms(FIRST_MS + ERA_MS / 2));
    // A part is made with its message or after it, never most of an era apart.
    match message.and_then(first) {
        Some(message) => decode(id, message),
        None => decode(id, FIRST_MS + ERA_MS / 2),
    }
}

/// When the identifier of a record that began then was made, in microseconds: with it, or later in a fork's copy.
pub(super) fn minted_since(id: &str, created: i64) -> Option<i64> {
    decode(id, created / 1000 - SLACK_MS + ERA_MS / 2)
}

fn decode(id: &str, near_ms: i64) -> Option<i64> {
    Identifier::parse(id)?.time_ms(near_ms).checked_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "prt_200c72d43001FXNalKtNyYz3mu";
    const MADE: i64 = 1_795_309_382_979_000;

    #[test]
    fn a_field_comes_before_the_identifier_and_that_before_the_row() {
        let id = Moment { at: Some(MADE), source: Some("id") };
        assert_eq!(Moment::of(Some(5), ID, None, Some(7)), Moment { at: Some(5), source: Some("field") });
        assert_eq!(Moment::of(None, ID, None, Some(MADE + 9_000_000_000)), id);
        assert_eq!(Moment::of(None, ID, None, None), id);
        assert_eq!(Moment::of(None, ID, Some("msg_200c6fdd8001qqUjy1EAXzKpjb"), None), id);
        assert_eq!(Moment::of(None, "other", None, Some(7)), Moment { at: Some(7), source: Some("row") });
        assert_eq!(Moment::of(None, "other", None, None), Moment::default());
    }

    #[test]
    fn a_row_that_was_written_years_later_does_not_move_the_identifier_to_the_next_era() {
        let two_years = 2 * 365 * 86_400_000_000;
        assert_eq!(Moment::of(None, ID, None, Some(MADE + two_years)).at, Some(MADE));
        assert_eq!(Moment::of(None, ID, None, Some(MADE - 1_000_000)).at, Some(MADE));
    }

    #[test]
    fn a_copy_is_made_after_its_original() {
        let two_years = 2 * 365 * 86_400_000_000;
        assert_eq!(minted_since(ID, MADE), Some(MADE));
        assert_eq!(minted_since(ID, MADE - two_years), Some(MADE));
        assert_eq!(minted_since(ID, MADE + 86_400_000_000), Some(MADE));
        assert_eq!(minted_since("other", MADE), None);
    }

    #[test]
    fn a_part_lies_beside_its_message_at_the_border_of_two_eras() {
        // The message in the last milliseconds of an era, its part in the first of the next.
        let message = "msg_fffffffff001AAAAAAAAAAAAAA";
        let part = "prt_000000001001AAAAAAAAAAAAAA";
        let begins = 1_786_706_395_136_000;
        assert_eq!(Moment::of(None, part, Some(message), None).at, Some(begins + 1000));
    }
}
