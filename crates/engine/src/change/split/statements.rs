//! The SQL of a split, made from its declaration and the columns that were found.
//!
//! Owns the text of every statement that creates, fills, compares or joins the tables. Pure: it runs nothing. Names
//! come from declarations and from the catalog, and are quoted; values are parameters.
//!
//! Invariant: what [`Statements::rebuild`] selects has the columns, the order and the types of the wide table.

use super::declare::{Focused, FocusedColumn, Split};

/// What a new table is called while it is filled: free of every other name.
pub(super) fn in_the_making(table: &str) -> String {
    format!("{table}_split")
}

/// A name in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The range of keys of a batch: above `$1`, which may be null, up to `$2`, which may be null.
fn in_range(key: &str) -> String {
    format!(
        "(CAST($1 AS VARCHAR) IS NULL OR {key} > CAST($1 AS VARCHAR))
         AND (CAST($2 AS VARCHAR) IS NULL OR {key} <= CAST($2 AS VARCHAR))"
    )
}

/// The statements for one wide table as it was found.
pub(super) struct Statements<'a> {
    split: &'static Split,
    columns: &'a [(String, String)],
}

impl<'a> Statements<'a> {
    /// `columns` are names and types of the wide table, in order.
    pub(super) fn new(split: &'static Split, columns: &'a [(String, String)]) -> Self {
        Self { split, columns }
    }

    fn found(&self, name: &str) -> Option<&str> {
        self.columns.iter().find(|(found, _)| found == name).map(|(_, kind)| kind.as_str())
    }

    fn core(&self) -> Vec<&'static str> {
        self.split.core.iter().copied().filter(|name| self.found(name).is_some()).collect()
    }

    fn repeated(&self) -> Vec<&'static str> {
        self.split.repeated.iter().copied().filter(|name| self.found(name).is_some()).collect()
    }

    fn own(&self, focused: &'static Focused) -> Vec<&'static FocusedColumn> {
        focused.columns.iter().filter(|column| self.found(column.name).is_some()).collect()
    }

    /// The focused tables for which the wide table has columns.
    pub(super) fn focused(&self) -> Vec<&'static Focused> {
        self.split.focused.iter().filter(|focused| !self.own(focused).is_empty()).collect()
    }

    /// The statements that create all new tables, named as while they are filled.
    pub(super) fn create(&self) -> Vec<String> {
        let typed = |name: &str, kind: &str| format!("{} {kind}", quoted(name));
        let kept = |name: &str| typed(name, self.found(name).unwrap_or("VARCHAR"));
        let table = |name: &str, columns: Vec<String>| {
            format!("CREATE TABLE {} ({})", quoted(&in_the_making(name)), columns.join(", "))
        };
        let mut statements =
            vec![table(self.split.table, self.core().into_iter().map(kept).collect::<Vec<_>>())];
        for focused in self.focused() {
            let mut columns =
                vec![typed(self.split.reference, self.found(self.split.key).unwrap_or("VARCHAR"))];
            columns.extend(self.repeated().into_iter().map(kept));
            for column in self.own(focused) {
                let kind = column.kind.or(self.found(column.name)).unwrap_or("VARCHAR");
                columns.push(typed(column.name, kind));
                columns.extend(column.otherwise.map(|name| typed(name, "VARCHAR")));
            }
            statements.push(table(focused.table, columns));
        }
        statements
    }

    /// The statements that fill the new tables from the wide rows in a range: the core's, then one for each focused
    /// table with its name.
    pub(super) fn copy(&self) -> Vec<(&'static str, String)> {
        let from = quoted(self.split.table);
        let range = in_range(&quoted(self.split.key));
        let list = |names: &[&str]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let core = format!(
            "INSERT INTO {} SELECT {} FROM {from} WHERE {range}",
            quoted(&in_the_making(self.split.table)),
            list(&self.core())
        );
        let mut statements = vec![(self.split.table, core)];
        for focused in self.focused() {
            let mut selected = vec![quoted(self.split.key)];
            selected.extend(self.repeated().into_iter().map(quoted));
            for column in self.own(focused) {
                let name = quoted(column.name);
                match (column.kind, column.otherwise) {
                    (Some(kind), Some(_)) => {
                        selected.push(format!("TRY_CAST({name} AS {kind})"));
                        selected
                            .push(format!("CASE WHEN TRY_CAST({name} AS {kind}) IS NULL THEN {name} END"));
                    }
                    (Some(kind), None) => selected.push(format!("CAST({name} AS {kind})")),
                    (None, _) => selected.push(name),
                }
            }
            let sql = format!(
                "INSERT INTO {} SELECT {} FROM {from} WHERE {range} AND ({})",
                quoted(&in_the_making(focused.table)),
                selected.join(", "),
                self.holds(focused)
            );
            statements.push((focused.table, sql));
        }
        statements
    }

    /// Which wide rows have a row in a focused table.
    pub(super) fn holds(&self, focused: &'static Focused) -> String {
        let any: Vec<String> =
            self.own(focused).iter().map(|column| format!("{} IS NOT NULL", quoted(column.name))).collect();
        any.join(" OR ")
    }

    /// The wide table made again from the new ones, for keys in a range, or whole. `named` says how a declared table
    /// is called now.
    pub(super) fn rebuild(&self, named: &dyn Fn(&str) -> String, whole: bool) -> String {
        let (key, reference) = (quoted(self.split.key), quoted(self.split.reference));
        let mut selected = Vec::new();
        for (name, kind) in self.columns {
            let place = self.focused().into_iter().enumerate().find_map(|(at, focused)| {
                let column = self.own(focused).into_iter().find(|column| column.name == name)?;
                Some((at, column))
            });
            let value = match place {
                None => format!("core.{}", quoted(name)),
                Some((at, FocusedColumn { otherwise: Some(otherwise), .. })) => {
                    let otherwise = quoted(otherwise);
                    format!("coalesce(CAST(f{at}.{} AS VARCHAR), f{at}.{otherwise})", quoted(name))
                }
                Some((at, _)) => format!("f{at}.{}", quoted(name)),
            };
            selected.push(format!("CAST({value} AS {kind}) AS {}", quoted(name)));
        }
        let part = |table: &str, key: &str| {
            let name = quoted(&named(table));
            if whole { name } else { format!("(SELECT * FROM {name} WHERE {})", in_range(key)) }
        };
        let mut sql = format!("SELECT {} FROM {} core", selected.join(", "), part(self.split.table, &key));
        for (at, focused) in self.focused().into_iter().enumerate() {
            sql += &format!(
                " LEFT JOIN {} f{at} ON f{at}.{reference} = core.{key}",
                part(focused.table, &reference)
            );
        }
        sql
    }

    /// The wide rows of a table in a range, with the columns in order.
    pub(super) fn wide_rows(&self, table: &str) -> String {
        let columns: Vec<String> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        format!(
            "SELECT {} FROM {} WHERE {}",
            columns.join(", "),
            quoted(table),
            in_range(&quoted(self.split.key))
        )
    }

    /// Compares two selections of wide rows by key: rows missing in the second, rows only there, rows that differ, and
    /// a key of one such row.
    pub(super) fn compare(&self, expected: &str, found: &str) -> String {
        let key = quoted(self.split.key);
        let differs: Vec<String> = self
            .columns
            .iter()
            .filter(|(name, _)| name != self.split.key)
            .map(|(name, _)| format!("e.{0} IS DISTINCT FROM f.{0}", quoted(name)))
            .collect();
        let differs = differs.join(" OR ");
        format!(
            "SELECT count(*) FILTER (f.{key} IS NULL), count(*) FILTER (e.{key} IS NULL),
                count(*) FILTER (e.{key} IS NOT NULL AND f.{key} IS NOT NULL AND ({differs})),
                min(coalesce(e.{key}, f.{key})) FILTER (f.{key} IS NULL OR e.{key} IS NULL OR {differs})
             FROM ({expected}) e FULL JOIN ({found}) f ON e.{key} = f.{key}"
        )
    }

    /// Count and digest of a selection of wide rows. The digest is a sum over rows, so their order does not matter; it
    /// is comparable within one version of the database library.
    pub(super) fn digest(selection: &str) -> String {
        format!("SELECT count(*), CAST(coalesce(sum(hash(w)), 0) AS VARCHAR) FROM ({selection}) w")
    }
}

#[cfg(test)]
mod tests {
    use super::super::declare::{WideColumn, same, wider};
    use super::*;

    static SPLIT: Split = Split {
        name: "split-t",
        help: "",
        drop_name: "drop-t-legacy",
        drop_help: "",
        table: "t",
        key: "id",
        reference: "t_id",
        columns: &[WideColumn { name: "id", types: &["VARCHAR"], required: true }],
        core: &["id", "at"],
        repeated: &["at"],
        focused: &[
            Focused { table: "a", help: "", columns: &[same("x"), wider("n", "BIGINT")] },
            Focused { table: "b", help: "", columns: &[same("absent")] },
        ],
        additions: &[],
        keep_days: 7,
    };

    fn columns() -> Vec<(String, String)> {
        [("id", "VARCHAR"), ("n", "INTEGER"), ("at", "TIMESTAMP"), ("x", "VARCHAR")]
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
            .into()
    }

    #[test]
    fn a_table_without_its_columns_is_not_made() {
        let columns = columns();
        let statements = Statements::new(&SPLIT, &columns);
        assert_eq!(
            statements.create(),
            [
                r#"CREATE TABLE "t_split" ("id" VARCHAR, "at" TIMESTAMP)"#,
                r#"CREATE TABLE "a_split" ("t_id" VARCHAR, "at" TIMESTAMP, "x" VARCHAR, "n" BIGINT)"#,
            ]
        );
    }

    #[test]
    fn the_wide_table_is_made_again_in_its_order_and_types() {
        let columns = columns();
        let sql = Statements::new(&SPLIT, &columns).rebuild(&|table| format!("{table}_now"), true);
        assert!(sql.starts_with(
            r#"SELECT CAST(core."id" AS VARCHAR) AS "id", CAST(f0."n" AS INTEGER) AS "n", CAST(core."at" AS TIMESTAMP) AS "at""#
        ));
        assert!(sql.ends_with(r#"FROM "t_now" core LEFT JOIN "a_now" f0 ON f0."t_id" = core."id""#), "{sql}");
    }
}
