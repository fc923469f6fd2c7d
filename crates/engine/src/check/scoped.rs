//! Queries of checks that can be asked about a cohort.
//!
//! Owns the mark `{cohort:column}`: the condition that a row belongs to the cohort, to its control, or - in a run over
//! all rows - nothing at all.

use super::answers::Database;
use super::cohort::member;
use super::identifier::Name;
use crate::error::EngineError;

const MARK: &str = "{cohort:";

/// True when the query has the mark.
pub(super) fn is_scoped(sql: &str) -> bool {
    sql.contains(MARK)
}

/// The query for one side: 1 the cohort, 0 the others, none for all rows; and whether it takes the cohort's parameter.
pub(super) fn fill(sql: &str, database: Database, side: Option<i64>) -> Result<(String, bool), EngineError> {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut uses = false;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let inner = &rest[at + MARK.len()..];
        let Some(end) = inner.find('}') else {
            return Err(EngineError::usage("`{cohort:` is not closed\nhint: write {cohort:column}"));
        };
        match side {
            None => out.push_str("1 = 1"),
            Some(side) => {
                uses = true;
                out.push_str(&format!("({}) = {side}", member(database, &Name::new(inner[..end].trim()))));
            }
        }
        rest = &inner[end + 1..];
    }
    out.push_str(rest);
    Ok((out, uses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_becomes_a_condition() {
        let sql = "SELECT count(*) FROM t WHERE {cohort:id} AND a = 1";
        let all = fill(sql, Database::Sqlite, None).unwrap();
        assert_eq!(all, ("SELECT count(*) FROM t WHERE 1 = 1 AND a = 1".to_owned(), false));
        let (inside, uses) = fill(sql, Database::Sqlite, Some(1)).unwrap();
        assert!(
            uses && inside.contains("CAST(\"id\" AS text) IN (SELECT value FROM json_each($1))"),
            "{inside}"
        );
        assert!(inside.contains(") = 1 AND a = 1"), "{inside}");
        assert!(fill("{cohort:id", Database::Sqlite, None).is_err());
    }
}
