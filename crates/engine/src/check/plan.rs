//! How a database would run a query: which tables it reads whole.
//!
//! Owns reading the plans of SQLite (`EXPLAIN QUERY PLAN`) and PostgreSQL (`EXPLAIN`, told not to read tables one row
//! after the other wherever there is another way).

use plimsoll_store::analytics::OwnedCell;

use super::answers::Database;
use super::measure::Measured;
use super::report::Number;
use crate::view::Table;

/// Counts the tables that are read whole, and the indexes that should be used and are not.
pub(super) fn judge(database: Database, explained: Table, indexes: &[String]) -> Measured {
    let position = explained.position("detail").unwrap_or(0);
    let lines: Vec<String> = explained
        .rows
        .iter()
        .filter_map(|row| row.get(position).and_then(OwnedCell::as_text).map(str::to_owned))
        .collect();
    let whole = match database {
        Database::Sqlite => whole_in_sqlite(&lines),
        Database::Postgres | Database::Duckdb => whole_in_postgres(&lines),
    };
    let unused: Vec<&str> = indexes
        .iter()
        .map(String::as_str)
        .filter(|index| !lines.iter().any(|line| line.split([' ', ')', ',']).any(|word| word == *index)))
        .collect();
    let mut told: Vec<String> = whole.iter().map(|line| format!("read whole: {line}")).collect();
    told.extend(unused.iter().map(|index| format!("not used: index {index}")));
    let value = (whole.len() + unused.len()) as f64;
    Measured {
        value: Some(value),
        numbers: vec![Number { name: "full_scans", value: whole.len() as f64 }],
        message: (!told.is_empty()).then(|| told.join("\n")),
        samples: Some(explained),
        ..Measured::default()
    }
}

fn whole_in_sqlite(lines: &[String]) -> Vec<String> {
    let is_whole = |line: &&String| {
        line.starts_with("SCAN ")
            && !line.contains(" USING ")
            && !line.contains("CONSTANT ROW")
            && !line.contains("VIRTUAL TABLE")
            && !line.contains("(subquery")
    };
    lines.iter().filter(is_whole).cloned().collect()
}

fn whole_in_postgres(lines: &[String]) -> Vec<String> {
    let mut whole = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let node = line.trim().trim_start_matches("->").trim();
        let by_index = node.starts_with("Index Scan using")
            || node.starts_with("Index Only Scan using")
            || node.starts_with("Parallel Index");
        // The lines of a node up to the next one.
        let own = lines[at + 1..].iter().take_while(|line| !line.trim_start().starts_with("->"));
        let without_condition =
            by_index && !own.clone().any(|line| line.trim_start().starts_with("Index Cond:"));
        if node.starts_with("Seq Scan") || node.starts_with("Parallel Seq Scan") || without_condition {
            whole.push(node.split("  (").next().unwrap_or(node).to_owned());
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn whole_reads_are_found() {
        let sqlite =
            "SCAN a\nSEARCH b USING INDEX ix (id=?)\nSCAN c USING COVERING INDEX ix2\nSCAN CONSTANT ROW";
        assert_eq!(whole_in_sqlite(&lines(sqlite)), ["SCAN a"]);
        let postgres = "Nested Loop  (cost=1..2)\n  ->  Seq Scan on a  (cost=1..2 rows=3)\n        Filter: (x = 1)\n  \
                        ->  Index Scan using ix on b  (cost=1..2)\n        Index Cond: (id = a.id)\n  \
                        ->  Index Only Scan using pk on c  (cost=1..2)\n        Filter: (y = 1)";
        assert_eq!(whole_in_postgres(&lines(postgres)), ["Seq Scan on a", "Index Only Scan using pk on c"]);
    }
}
