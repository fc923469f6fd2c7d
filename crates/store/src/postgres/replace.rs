//! Whole tables at once: copies of them, and bringing them to what a copy holds.
//!
//! Owns the set-based SQL that backups need. Which copy is good is `backup`'s to decide.
//!
//! Replacing deletes what the copy does not have, updates what differs and inserts what is missing, so an
//! equal row is not touched and no cascade runs for a row that stays. Foreign keys are deferred meanwhile,
//! also those that were not declared so, and checked as a whole at the end.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use plimsoll_core::table::TableShape;
use plimsoll_core::value::Value;

use super::PostgresStore;
use super::catalog::Layout;
use super::column::quoted;
use super::fault::explain;
use crate::error::{ErrorClass, StoreError};
use crate::store::Store;

/// How often the tables are gone through when updates run into each other's unique values.
const MOST_PASSES: usize = 3;

/// A table and the relation that it is to equal.
struct Target {
    layout: Arc<Layout>,
    /// The relation's name, quoted and qualified.
    source: String,
    /// Names of the columns that the relation has, quoted; none when it does not exist, as for a table that
    /// came after the copy. Such a table becomes empty.
    columns: HashSet<String>,
}

impl PostgresStore {
    /// Copies tables into a new schema, inside the open transaction. Absent tables are left out.
    pub(crate) fn copy_tables(&mut self, tables: &[&str], schema: &str) -> Result<(), StoreError> {
        let schema = quoted(schema);
        self.run_script(&format!("CREATE SCHEMA {schema}"))?;
        for table in tables {
            let Some(shape) = self.shape(table)? else { continue };
            let (copy, table) = (format!("{schema}.{}", quoted(table)), quoted(table));
            self.run_script(&format!(
                "CREATE TABLE {copy} AS SELECT {} FROM {table}; ALTER TABLE {copy} ADD PRIMARY KEY ({})",
                column_list(&shape),
                key_list(&shape)
            ))?;
        }
        Ok(())
    }

    /// Fetches tables of another database into temporary ones, which end with the open transaction.
    pub(crate) fn receive_tables(&mut self, from: &mut Self, tables: &[&str]) -> Result<(), StoreError> {
        for (number, table) in tables.iter().enumerate() {
            let Some(theirs) = from.shape(table)? else { continue };
            let Some(ours) = self.shape(table)? else { continue };
            for column in &theirs.columns {
                must_have(&ours, &column.name)?;
            }
            let (copy, columns, table) = (received(number), column_list(&theirs), quoted(table));
            self.run_script(&format!(
                "CREATE TEMPORARY TABLE {copy} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"
            ))?;
            let failed = |error: &::postgres::Error| explain(error).during(&format!("fetching {table}"));
            // As text: the binary form names types by numbers that differ between databases.
            let mut reader = from
                .client
                .copy_out(&format!("COPY {table} ({columns}) TO STDOUT"))
                .map_err(|error| failed(&error))?;
            let mut writer = self
                .client
                .copy_in(&format!("COPY {copy} ({columns}) FROM STDIN"))
                .map_err(|error| failed(&error))?;
            io::copy(&mut reader, &mut writer).map_err(|error| {
                StoreError::new(ErrorClass::Connection, format!("fetching {table}: {error}"))
            })?;
            writer.finish().map_err(|error| failed(&error))?;
            self.run_script(&format!(
                "ALTER TABLE {copy} ADD PRIMARY KEY ({}); ANALYZE {copy}",
                key_list(&theirs)
            ))?;
        }
        Ok(())
    }

    /// Brings tables to what [`Self::receive_tables`] fetched, inside the open transaction.
    pub(crate) fn replace_with_received(&mut self, tables: &[&str]) -> Result<(), StoreError> {
        let pairs = tables.iter().enumerate().map(|(number, table)| (*table, received(number)));
        self.replace(&pairs.collect::<Vec<_>>())
    }

    /// Brings tables to what their copies in a schema hold, inside the open transaction.
    pub(crate) fn replace_with_copies(&mut self, tables: &[&str], schema: &str) -> Result<(), StoreError> {
        let pairs = tables.iter().map(|table| (*table, format!("{}.{}", quoted(schema), quoted(table))));
        self.replace(&pairs.collect::<Vec<_>>())
    }

    fn replace(&mut self, pairs: &[(&str, String)]) -> Result<(), StoreError> {
        let mut targets = Vec::new();
        for (table, source) in pairs {
            if let Some(target) = self.target(table, source)? {
                targets.push(target);
            }
        }
        let names: Vec<&str> = targets.iter().map(|target| target.layout.name.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        self.run_script(&format!("LOCK TABLE {} IN EXCLUSIVE MODE", names.join(", ")))?;
        let (defer, restore) = self.constraints(&names)?;
        self.run_script(&format!("{defer}; SET CONSTRAINTS ALL DEFERRED"))?;
        let targets = self.parents_first(targets)?;
        for _ in 0..MOST_PASSES {
            if self.pass(&targets)? {
                break;
            }
        }
        self.run_script(&format!("SET CONSTRAINTS ALL IMMEDIATE; {restore}"))
    }

    fn target(&mut self, table: &str, source: &str) -> Result<Option<Target>, StoreError> {
        let Some(shape) = self.shape(table)? else { return Ok(None) };
        let sql = "SELECT attname::text FROM pg_attribute
                   WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
        let mut columns = HashSet::new();
        for name in self.query(sql, &[Value::text(source)])?.concat() {
            let name = name.as_text().unwrap_or_default();
            must_have(&shape, name)?;
            columns.insert(quoted(name));
        }
        Ok(Some(Target { layout: self.layout(&shape)?, source: source.to_owned(), columns }))
    }

    /// Statements that make every foreign key from and to these tables deferrable, and that undo this.
    fn constraints(&mut self, tables: &[&str]) -> Result<(String, String), StoreError> {
        let sql = format!(
            "SELECT format('ALTER TABLE %s ALTER CONSTRAINT %I', conrelid::regclass, conname) FROM pg_constraint
             WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0
               AND (conrelid = ANY (ARRAY[{0}]) OR confrelid = ANY (ARRAY[{0}]))",
            regclasses(tables)
        );
        let found = self.query(&sql, &[])?.concat();
        let each = |suffix: &str| {
            let statements: Vec<String> =
                found.iter().filter_map(Value::as_text).map(|alter| format!("{alter} {suffix}")).collect();
            statements.join("; ")
        };
        Ok((each("DEFERRABLE"), each("NOT DEFERRABLE")))
    }

    /// The tables, each after those that it refers to as far as there is such an order.
    fn parents_first(&mut self, targets: Vec<Target>) -> Result<Vec<Target>, StoreError> {
        let names: Vec<&str> = targets.iter().map(|target| target.layout.name.as_str()).collect();
        let sql = format!(
            "SELECT a.place, b.place FROM pg_constraint c
             JOIN unnest(ARRAY[{0}]) WITH ORDINALITY AS a (oid, place) ON a.oid = c.conrelid
             JOIN unnest(ARRAY[{0}]) WITH ORDINALITY AS b (oid, place) ON b.oid = c.confrelid
             WHERE c.contype = 'f' AND a.oid <> b.oid",
            regclasses(&names)
        );
        let mut edges = Vec::new();
        for row in self.query(&sql, &[])? {
            if let [Value::Integer(child), Value::Integer(parent)] = row.as_slice() {
                edges.push((*child, *parent));
            }
        }
        let mut depth = vec![0_usize; targets.len() + 1];
        for _ in 0..targets.len() {
            for &(child, parent) in &edges {
                let below = usize::try_from(parent).ok().and_then(|at| depth.get(at)).map_or(0, |d| d + 1);
                if let Some(own) = usize::try_from(child).ok().and_then(|at| depth.get_mut(at)) {
                    *own = (*own).max(below);
                }
            }
        }
        let mut ordered: Vec<(usize, Target)> = depth.into_iter().skip(1).zip(targets).collect();
        ordered.sort_by_key(|(depth, _)| *depth);
        Ok(ordered.into_iter().map(|(_, target)| target).collect())
    }

    /// Goes through all tables once; returns whether one pass is enough.
    fn pass(&mut self, targets: &[Target]) -> Result<bool, StoreError> {
        for target in targets.iter().rev() {
            self.run_script(&target.delete(&target.same_key()))?;
        }
        let mut enough = true;
        for target in targets.iter().rev() {
            let Some(update) = target.update() else { continue };
            self.savepoint("update_rows")?;
            match self.run_script(&update) {
                // Two rows that swap a unique value: both go, and come back with the inserts.
                Err(error) if error.class == ErrorClass::Unique => {
                    self.rollback_to("update_rows")?;
                    self.refuse_cascades_outside(target, targets)?;
                    self.run_script(&target.delete(&target.equal()))?;
                    enough = false;
                }
                other => other?,
            }
            self.release("update_rows")?;
        }
        for target in targets.iter().filter(|target| !target.columns.is_empty()) {
            self.run_script(&target.insert())?;
        }
        Ok(enough)
    }

    /// Rows that are deleted to come back must not take rows of other tables with them.
    fn refuse_cascades_outside(&mut self, target: &Target, targets: &[Target]) -> Result<(), StoreError> {
        let names: Vec<&str> = targets.iter().map(|target| target.layout.name.as_str()).collect();
        let sql = format!(
            "SELECT conrelid::regclass::text FROM pg_constraint
             WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') AND confrelid = {}
               AND conrelid <> ALL (ARRAY[{}])",
            regclasses(&[target.layout.name.as_str()]),
            regclasses(&names)
        );
        let outside = self.query(&sql, &[])?.concat();
        let Some(table) = outside.first().and_then(Value::as_text) else { return Ok(()) };
        let message = format!(
            "rows of {} would have to be deleted and inserted again, which would delete rows of {table}\nhint: restore {table} too",
            target.layout.shape.name
        );
        Err(StoreError::new(ErrorClass::Refused, message))
    }
}

impl Target {
    /// The condition that two rows have the same key to the letter, which equality need not mean.
    fn same_key(&self) -> String {
        let parts = self.layout.shape.key.iter().map(|&at| self.layout.treatments[at].same("t", "s"));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that two rows have equal keys, so that the key's index finds them.
    fn key(&self) -> String {
        let shape = &self.layout.shape;
        let parts = shape.key.iter().map(|&at| format!("t.{0} = s.{0}", self.layout.treatments[at].name));
        parts.collect::<Vec<_>>().join(" AND ")
    }

    /// The condition that a row is as in the copy. A column that the table has gained since must be null,
    /// as it is after an insert.
    fn equal(&self) -> String {
        let compare = self.layout.treatments.iter().map(|column| {
            let name = &column.name;
            if self.columns.contains(name) { column.same("t", "s") } else { format!("t.{name} IS NULL") }
        });
        compare.collect::<Vec<_>>().join(" AND ")
    }

    /// Deletes the rows without one in the copy that has their key and meets `condition`.
    fn delete(&self, condition: &str) -> String {
        if self.columns.is_empty() {
            return format!("DELETE FROM {}", self.layout.name);
        }
        format!(
            "DELETE FROM {} AS t WHERE NOT EXISTS (SELECT 1 FROM {} AS s WHERE {} AND {condition})",
            self.layout.name,
            self.source,
            self.key()
        )
    }

    fn update(&self) -> Option<String> {
        let shape = &self.layout.shape;
        let sets: Vec<String> = (0..shape.columns.len())
            .filter(|at| !shape.key.contains(at))
            .map(|at| {
                let name = &self.layout.treatments[at].name;
                if self.columns.contains(name) {
                    format!("{name} = s.{name}")
                } else {
                    format!("{name} = NULL")
                }
            })
            .collect();
        (!sets.is_empty() && !self.columns.is_empty()).then(|| {
            format!(
                "UPDATE {} AS t SET {} FROM {} AS s WHERE {} AND NOT ({})",
                self.layout.name,
                sets.join(", "),
                self.source,
                self.key(),
                self.equal()
            )
        })
    }

    fn insert(&self) -> String {
        let names: Vec<&str> = self
            .layout
            .treatments
            .iter()
            .map(|column| column.name.as_str())
            .filter(|name| self.columns.contains(*name))
            .collect();
        format!(
            "INSERT INTO {0} ({1}) OVERRIDING SYSTEM VALUE SELECT {1} FROM {2} AS s
             WHERE NOT EXISTS (SELECT 1 FROM {0} AS t WHERE {3})",
            self.layout.name,
            names.join(", "),
            self.source,
            self.key()
        )
    }
}

/// Refuses a copy with a column that the table no longer has.
fn must_have(shape: &TableShape, column: &str) -> Result<(), StoreError> {
    if shape.position(column).is_some() {
        return Ok(());
    }
    let message = format!(
        "table `{}` no longer has the column `{column}`, which the backup has\nhint: restore into a store of the same version",
        shape.name
    );
    Err(StoreError::new(ErrorClass::Schema, message))
}

/// The name of the temporary table for the table at a place.
fn received(number: usize) -> String {
    format!("pg_temp.plimsoll_received_{number}")
}

fn column_list(shape: &TableShape) -> String {
    shape.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
}

fn key_list(shape: &TableShape) -> String {
    shape.key_columns().map(quoted).collect::<Vec<_>>().join(", ")
}

/// Quoted names as constants of type `regclass`.
fn regclasses(names: &[&str]) -> String {
    let one = |name: &&str| format!("'{}'::regclass", name.replace('\'', "''"));
    names.iter().map(one).collect::<Vec<_>>().join(", ")
}
