//! The numbers that checks measure, defined.
//!
//! Owns their names, what exactly each counts, and which other tool's number each equals, so that a threshold keeps
//! its meaning when it moves from one tool to another. Measuring is `table`'s and `measure`'s.
//!
//! Sources: the tools' own documentation and runs of Great Expectations 1.24, Soda 4.28, datacontract-cli 1.2.8 and
//! dbt 1.9 over the same rows, in which one value that 200 rows share was counted as 200, 199 and 1 "duplicates".

/// One number of a kind of check.
#[derive(Debug, Clone, Copy)]
pub struct NumberDefinition {
    /// The kind of check.
    pub kind: &'static str,
    /// Its name in reports and in `number:`.
    pub name: &'static str,
    /// What it counts.
    pub definition: &'static str,
    /// What other tools call the same number; empty where none has it.
    pub equals: &'static str,
}

const fn number(
    kind: &'static str,
    name: &'static str,
    definition: &'static str,
    equals: &'static str,
) -> NumberDefinition {
    NumberDefinition { kind, name, definition, equals }
}

/// Every number of every built-in kind; the first of a kind is the one that is judged unless `number:` says otherwise.
pub static NUMBERS: &[NumberDefinition] = &[
    number(
        "completeness",
        "missing",
        "rows in which the column is null or one of the `missing:` values",
        "Great Expectations unexpected_count of expect_column_values_to_not_be_null; Soda missing_count; dbt not_null \
         failures; ODCS nullValues and missingValues",
    ),
    number("completeness", "present", "rows in which it is neither", ""),
    number(
        "uniqueness",
        "duplicate_rows",
        "rows whose value another row has too",
        "Great Expectations unexpected_count of expect_column_values_to_be_unique",
    ),
    number(
        "uniqueness",
        "surplus_rows",
        "rows that would have to go for every value to be there once: rows minus distinct values",
        "Soda duplicate_count",
    ),
    number(
        "uniqueness",
        "repeated_values",
        "values that more than one row has",
        "datacontract-cli duplicate_count; dbt unique failures; ODCS duplicateValues",
    ),
    number("uniqueness", "distinct_values", "values, each counted once", "Soda distinct count"),
    number(
        "range",
        "invalid",
        "rows whose value is below `min:`, above `max:` or not a number; nulls are not counted",
        "Great Expectations unexpected_count of expect_column_values_to_be_between; Soda invalid_count",
    ),
    number("range", "valid", "rows whose value is within", ""),
    number(
        "accepted-values",
        "invalid",
        "rows whose value is none of `values:`; nulls are not counted",
        "Great Expectations unexpected_count of expect_column_values_to_be_in_set; Soda invalid_count; ODCS \
         invalidValues; dbt counts distinct values here instead",
    ),
    number("accepted-values", "valid", "rows whose value is one of them", ""),
    number(
        "pattern",
        "invalid",
        "rows whose value as text does not match `pattern:`; nulls are not counted",
        "Great Expectations unexpected_count of expect_column_values_to_match_regex; Soda invalid_count; ODCS \
         invalidValues",
    ),
    number("pattern", "valid", "rows whose value matches", ""),
    number(
        "orphans",
        "orphans",
        "rows whose reference is not null and names no row of the other table",
        "dbt relationships failures",
    ),
    number("orphans", "matched", "rows whose reference names a row", ""),
    number("row-count", "rows", "rows of the table", "Soda row_count; ODCS rowCount"),
    number(
        "freshness",
        "age",
        "time from the newest value of the column to the start of the run, in the rule's unit (s, min, h or d)",
        "Soda freshness; dbt source freshness; ODCS freshness",
    ),
    number(
        "schema",
        "deviations",
        "declared columns that are missing, of another type or nullable where they must not be, and columns that are \
         not declared where `exact: true`",
        "Soda schema check, counted",
    ),
    number("latency", "milliseconds", "the middle time of several runs of the query", ""),
    number("latency", "slowest", "the longest of these times", ""),
    number("index-use", "full_scans", "tables that the query reads whole although told to use indexes", ""),
    number(
        "anomaly",
        "deviation",
        "distance of the last point from the median of the other points, in scaled median absolute deviations",
        "",
    ),
];

/// The numbers of a kind, the one that is judged by default first.
pub fn numbers_of(kind: &str) -> impl Iterator<Item = &'static NumberDefinition> {
    NUMBERS.iter().filter(move |number| number.kind == kind)
}
