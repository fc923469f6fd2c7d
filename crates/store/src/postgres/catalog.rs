//! What the catalog says about a table: its shape, and what its statements must mind.
//!
//! Owns reading `pg_catalog`. Domains are resolved to the type under them, since that is what casts and
//! results name; the domain's own checks still run on every write. Generated columns are left out: they
//! cannot be written and follow from the others. Identity columns are kept.

use std::sync::Arc;

use ::postgres::types::ToSql;
use ::postgres::{Client, Error, Row};
use plimsoll_core::change::ChangeKind;
use plimsoll_core::table::{Column, TableShape};

use super::column::{Treatment, column_type, quoted};

const COLUMNS: &str = "
WITH RECURSIVE resolved AS (
    SELECT a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS modifier, a.attnotnull AS required,
           t.typtype, t.typbasetype, t.typtypmod, t.typnotnull
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    UNION ALL
    SELECT r.attnum, r.attname, r.typbasetype, r.typtypmod, r.required OR r.typnotnull,
           t.typtype, t.typbasetype, t.typtypmod, t.typnotnull
    FROM resolved r JOIN pg_type t ON t.oid = r.typbasetype WHERE r.typtype = 'd'
)
SELECT attnum::int8, attname::text, format_type(type, modifier), required
FROM resolved WHERE typtype <> 'd' ORDER BY attnum";

const KEY: &str = "
SELECT k.attnum::int8
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
WHERE i.indrelid = to_regclass($1) AND i.indisprimary AND k.place <= i.indnkeyatts
ORDER BY k.place";

/// Key columns whose order in the index is not that of their bytes.
const COLLATED: &str = "
SELECT a.attname::text
FROM pg_attribute a
JOIN pg_collation c ON c.oid = a.attcollation
JOIN pg_database d ON d.datname = current_database()
WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  AND CASE WHEN c.collname = 'default' THEN d.datcollate NOT IN ('C', 'POSIX')
           ELSE c.collprovider = 'i' OR c.collcollate NOT IN ('C', 'POSIX') END";

/// Columns under a unique or exclusion constraint besides the primary key; null for an expression.
const UNIQUE: &str = "
SELECT DISTINCT a.attname::text
FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) AS k (attnum)
LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE i.indrelid = to_regclass($1) AND NOT i.indisprimary AND (i.indisunique OR i.indisexclusion)";

/// Events for which row triggers fire, as the bits of `pg_trigger.tgtype`: 4 insert, 8 delete, 16 update;
/// and whether a delete acts on other rows of the same table.
const TRIGGERS: &str = "
SELECT coalesce(bit_or(t.tgtype::int8) FILTER (WHERE NOT t.tgisinternal AND t.tgtype & 1 = 1), 0),
       EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conrelid = to_regclass($1)
               AND c.confrelid = c.conrelid AND c.contype = 'f' AND c.confdeltype IN ('c', 'n', 'd'))
FROM pg_trigger t WHERE t.tgrelid = to_regclass($1) AND t.tgenabled <> 'D'";

fn ask(client: &mut Client, sql: &str, table: &str) -> Result<Vec<Row>, Error> {
    let name = quoted(table);
    let parameters: [&(dyn ToSql + Sync); 1] = [&name];
    client.query(sql, &parameters)
}

/// The shape of a table in the search path. Its key is empty when the table has no primary key.
pub(super) fn shape(client: &mut Client, table: &str) -> Result<Option<TableShape>, Error> {
    let mut columns = Vec::new();
    let mut numbers: Vec<i64> = Vec::new();
    for row in ask(client, COLUMNS, table)? {
        let declared: String = row.try_get(2)?;
        let required: bool = row.try_get(3)?;
        numbers.push(row.try_get(0)?);
        columns.push(Column {
            name: row.try_get(1)?,
            column_type: column_type(&declared),
            declared,
            nullable: !required,
        });
    }
    if columns.is_empty() {
        return Ok(None);
    }
    let mut key = Vec::new();
    for row in ask(client, KEY, table)? {
        let number: i64 = row.try_get(0)?;
        if let Some(at) = numbers.iter().position(|found| *found == number) {
            key.push(at);
        }
    }
    Ok(Some(TableShape { name: table.to_owned(), columns, key }))
}

/// A table as statements see it.
#[derive(Debug)]
pub(super) struct Layout {
    /// The shape that images follow.
    pub(super) shape: Arc<TableShape>,
    /// The quoted name.
    pub(super) name: String,
    /// How each column is treated.
    pub(super) treatments: Vec<Treatment>,
    /// `SELECT` list of every column of row `t`.
    pub(super) reading: String,
    /// `ORDER BY` list of the key of row `t`.
    pub(super) ordering: String,
    /// Columns under a second unique constraint; `None` when one is over an expression.
    unique: Option<Vec<usize>>,
    /// The bits of [`TRIGGERS`].
    triggers: i64,
    deletes_cascade_inside: bool,
}

impl Layout {
    /// Reads what `shape` does not say.
    pub(super) fn read(client: &mut Client, shape: &Arc<TableShape>) -> Result<Self, Error> {
        let table = &shape.name;
        let mut collated: Vec<String> = Vec::new();
        for row in ask(client, COLLATED, table)? {
            collated.push(row.try_get(0)?);
        }
        let mut unique = Some(Vec::new());
        for row in ask(client, UNIQUE, table)? {
            let name: Option<String> = row.try_get(0)?;
            match (name.and_then(|name| shape.position(&name)), &mut unique) {
                (Some(at), Some(columns)) => columns.push(at),
                _ => unique = None,
            }
        }
        let (mut triggers, mut deletes_cascade_inside) = (0, false);
        for row in ask(client, TRIGGERS, table)? {
            (triggers, deletes_cascade_inside) = (row.try_get(0)?, row.try_get(1)?);
        }
        let treat = |column: &Column| Treatment::of(column, collated.contains(&column.name));
        let treatments: Vec<Treatment> = shape.columns.iter().map(treat).collect();
        let reading = treatments.iter().map(|column| column.reading("t"));
        let ordering = shape.key.iter().map(|&at| treatments[at].ordering("t"));
        Ok(Self {
            shape: Arc::clone(shape),
            name: quoted(table),
            reading: reading.collect::<Vec<_>>().join(", "),
            ordering: ordering.collect::<Vec<_>>().join(", "),
            treatments,
            unique,
            triggers,
            deletes_cascade_inside,
        })
    }

    /// True when several changes of this kind may be one statement, because their order cannot matter.
    ///
    /// It can where a row trigger sees the rows between two changes, where an update moves a unique value
    /// from row to row, and where deleting one row acts on another one of the same table.
    pub(super) fn may_be_grouped(&self, kind: ChangeKind, changed: &[usize]) -> bool {
        let (event, free) = match kind {
            ChangeKind::Insert => (4, true),
            ChangeKind::Delete => (8, !self.deletes_cascade_inside),
            ChangeKind::Update => {
                let unique = self.unique.as_ref();
                (16, unique.is_some_and(|unique| !changed.iter().any(|at| unique.contains(at))))
            }
        };
        free && self.triggers & event == 0
    }
}
