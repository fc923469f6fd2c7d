//! Checks over a cohort beside its control.
//!
//! Owns the cohort - a list of keys, such as the customers of a pilot -, the condition in SQL that tells its rows from
//! the others, and the comparison. Who is in a cohort is the caller's.
//!
//! Keys are data and travel as one parameter. A row whose key is null belongs to the control.

use super::answers::Database;
use super::identifier::Name;
use super::report::CohortFinding;

/// The keys of those who are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Its name, for reports and the history.
    pub name: String,
    /// The keys, as texts.
    pub keys: Vec<String>,
}

impl Cohort {
    /// A cohort.
    pub fn new(name: impl Into<String>, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), keys: keys.into_iter().map(Into::into).collect() }
    }

    /// The keys as the parameter that [`member`] reads.
    pub(super) fn parameter(&self) -> String {
        serde_json::to_string(&self.keys).unwrap_or_default()
    }
}

/// 1 for rows of the cohort and 0 for the others, as an expression over the column; `$1` is the cohort's parameter.
pub(super) fn member(database: Database, column: &Name) -> String {
    let list = match database {
        Database::Sqlite => "SELECT value FROM json_each($1)",
        Database::Postgres => "SELECT json_array_elements_text(CAST($1 AS json))",
        Database::Duckdb => "SELECT unnest(from_json(CAST($1 AS VARCHAR), '[\"VARCHAR\"]'))",
    };
    format!("CASE WHEN CAST({} AS text) IN ({list}) THEN 1 ELSE 0 END", column.quoted())
}

/// One side of the comparison.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) value: Option<f64>,
    pub(super) size: Option<u64>,
}

/// Compares both sides; `share` says that the values are percentages of rows.
pub(super) fn compare(name: &str, cohort: Side, control: Side, share: bool) -> CohortFinding {
    let difference = cohort.value.zip(control.value).map(|(cohort, control)| cohort - control);
    let interval = match (share, cohort.value, cohort.size, control.value, control.size) {
        (true, Some(a), Some(n), Some(b), Some(m)) => newcombe(a / 100.0, n, b / 100.0, m),
        _ => None,
    };
    CohortFinding {
        cohort: name.to_owned(),
        control: control.value,
        control_size: control.size,
        difference,
        interval: interval.map(|(low, high)| (100.0 * low, 100.0 * high)),
    }
}

/// The interval of the difference of two shares: Newcombe's hybrid of two Wilson intervals (Statistics in Medicine 17,
/// 1998, method 10), at 95 percent. It keeps its promise for small samples and for shares of 0 and 1.
fn newcombe(a: f64, n: u64, b: f64, m: u64) -> Option<(f64, f64)> {
    if n == 0 || m == 0 {
        return None;
    }
    let ((low_a, high_a), (low_b, high_b)) = (wilson(a, n as f64), wilson(b, m as f64));
    let difference = a - b;
    let low = difference - ((a - low_a).powi(2) + (high_b - b).powi(2)).sqrt();
    let high = difference + ((high_a - a).powi(2) + (b - low_b).powi(2)).sqrt();
    Some((low, high))
}

fn wilson(share: f64, size: f64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let square = Z * Z;
    let middle = (share + square / (2.0 * size)) / (1.0 + square / size);
    let half =
        Z / (1.0 + square / size) * (share * (1.0 - share) / size + square / (4.0 * size * size)).sqrt();
    (middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_published_one() {
        // Newcombe 1998, table II, example (a): 56/70 and 48/80, and (e): 9/10 and 3/10.
        let rounded = |a: f64, n, b: f64, m| {
            newcombe(a, n, b, m).map(|(low, high)| ((low * 1e4).round() / 1e4, (high * 1e4).round() / 1e4))
        };
        assert_eq!(rounded(56.0 / 70.0, 70, 48.0 / 80.0, 80), Some((0.0524, 0.3339)));
        assert_eq!(rounded(9.0 / 10.0, 10, 3.0 / 10.0, 10), Some((0.1705, 0.8090)));
        assert_eq!(newcombe(0.5, 0, 0.5, 10), None);
    }
}
