//! Records of one side in the form that both have in common: the legacy row.
//!
//! Owns reading records by their keys and giving each its common key and digest. A record of the new side that cannot be
//! carried has a digest of the reasons, which no legacy row has: it differs, and the comparison says why.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::digest::{RowHash, name_order, row_hash};
use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::pilot::mapping::{NewRows, References};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::table::{Column, ColumnType, RowKey, TableShape};
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::declare::{Pilot, PilotEntity};
use crate::error::EngineError;

/// A record in the common form.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its key in the common form: the legacy number, or the new code while it has none.
    pub record_key: RowKey,
    /// The legacy row, or why there can be none.
    pub form: Result<Fields, String>,
}

impl Record {
    /// Its digest.
    pub fn hash(&self) -> RowHash {
        match &self.form {
            Ok(fields) => hash(fields),
            Err(reason) => {
                hash(&Fields::from([("(cannot be carried)".to_owned(), Value::text(reason.as_str()))]))
            }
        }
    }
}

fn hash(fields: &Fields) -> RowHash {
    let shape = shape_of(fields);
    let image: Vec<Value> = fields.values().cloned().collect();
    row_hash(&shape, &name_order(&shape), &image)
}

/// A shape with these fields as columns, in the order of their names.
pub(crate) fn shape_of(fields: &Fields) -> TableShape {
    let column = |name: &String| Column {
        name: name.clone(),
        column_type: ColumnType::Text,
        declared: String::new(),
        nullable: true,
    };
    TableShape { name: String::new(), columns: fields.keys().map(column).collect(), key: vec![0] }
}

/// A side's store with what its records mean.
pub struct SideStore<'side> {
    /// Which side.
    pub side: Side,
    /// Its store.
    pub store: &'side mut dyn Store,
    /// The pilot.
    pub pilot: &'side dyn Pilot,
}

impl SideStore<'_> {
    /// Records by their keys on this side, in the order of the keys; none where there is no such record.
    ///
    /// # Errors
    /// When the store fails, or lacks a table.
    pub fn records(
        &mut self,
        entity: &PilotEntity,
        keys: &[RowKey],
    ) -> Result<Vec<Option<Record>>, EngineError> {
        if self.side == Side::Legacy {
            let rows = self.read(entity.legacy_table, keys)?;
            let record = |(key, row): (&RowKey, Option<Fields>)| {
                row.map(|fields| Record { record_key: key.clone(), form: Ok(fields) })
            };
            return Ok(keys.iter().zip(rows).map(record).collect());
        }
        let rows = self.new_rows(entity, keys)?;
        let references = self.references_of(entity, rows.iter().flatten())?;
        let record = |(key, rows): (&RowKey, Option<NewRows>)| {
            let rows = rows?;
            let number = rows.get(entity.root()).and_then(|root| root.get("legacy_id"));
            let form = match number {
                Some(Value::Integer(_)) => {
                    self.pilot.to_legacy(entity.name, &rows, &references).map_err(|problems| {
                        let words = problems.iter().map(|one| format!("{}: {}", one.column, one.reason));
                        words.collect::<Vec<_>>().join("; ")
                    })
                }
                _ => Err("it has no legacy number yet".to_owned()),
            };
            let record_key = match number {
                Some(number @ Value::Integer(_)) => RowKey(vec![number.clone()]),
                _ => key.clone(),
            };
            Some(Record { record_key, form })
        };
        Ok(keys.iter().zip(rows).map(record).collect())
    }

    /// The new rows of records by their codes.
    ///
    /// # Errors
    /// As [`Self::records`].
    pub fn new_rows(
        &mut self,
        entity: &PilotEntity,
        keys: &[RowKey],
    ) -> Result<Vec<Option<NewRows>>, EngineError> {
        let mut all: Vec<Option<NewRows>> = Vec::new();
        for table in entity.tables {
            let rows = self.read(table, keys)?;
            if *table == entity.root() {
                all = rows.into_iter().map(|row| row.map(|row| NewRows::from([(*table, row)]))).collect();
                continue;
            }
            for (record, row) in all.iter_mut().zip(rows) {
                if let (Some(record), Some(row)) = (record, row) {
                    record.insert(table, row);
                }
            }
        }
        Ok(all)
    }

    /// The keys after `after`, at most `limit`, in their order on this side.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keys_after(
        &mut self,
        entity: &PilotEntity,
        after: Option<&RowKey>,
        limit: u64,
    ) -> Result<Vec<RowKey>, EngineError> {
        let table = self.table(entity);
        let shape = self.shape(table)?;
        let key = shape.key_columns().next().unwrap_or("id").to_owned();
        let collated = match (self.store.kind(), self.side) {
            (plimsoll_store::DatabaseKind::Postgres, Side::New) => " COLLATE \"C\"",
            _ => "",
        };
        let (place, mut parameters) = match after.and_then(|key| key.0.first()) {
            Some(value) => (format!("WHERE {key}{collated} > $1"), vec![value.clone()]),
            None => (String::new(), Vec::new()),
        };
        parameters.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
        let sql =
            format!("SELECT {key} FROM {table} {place} ORDER BY {key}{collated} LIMIT ${}", parameters.len());
        Ok(self.store.query(&sql, &parameters)?.into_iter().map(RowKey).collect())
    }

    /// The table on this side whose key is the record's.
    pub fn table(&self, entity: &PilotEntity) -> &'static str {
        if self.side == Side::Legacy { entity.legacy_table } else { entity.root() }
    }

    /// The entity of a captured table.
    pub fn entity_of(&self, table: &str) -> Option<&'static PilotEntity> {
        self.pilot.entities().iter().find(|entity| match self.side {
            Side::Legacy => entity.legacy_table == table,
            Side::New => entity.tables.contains(&table),
        })
    }

    pub(super) fn references_of<'rows>(
        &mut self,
        entity: &PilotEntity,
        rows: impl Iterator<Item = &'rows NewRows> + Clone,
    ) -> Result<Numbers, EngineError> {
        let mut numbers = Numbers::default();
        for reference in entity.references {
            let codes: BTreeSet<&str> = rows
                .clone()
                .filter_map(|rows| rows.get(reference.table)?.get(reference.column)?.as_text())
                .collect();
            let found = self.pilot.entities().iter().find(|known| known.name == reference.entity);
            let Some(target) = found else { continue };
            let keys: Vec<RowKey> = codes.iter().map(|code| RowKey(vec![Value::text(*code)])).collect();
            for (code, row) in codes.iter().zip(self.read(target.root(), &keys)?) {
                let number = row.and_then(|row| row.get("legacy_id").and_then(Value::as_integer));
                if let Some(number) = number {
                    numbers.0.entry(reference.entity).or_default().insert((*code).to_owned(), number);
                }
            }
        }
        Ok(numbers)
    }

    fn read(&mut self, table: &str, keys: &[RowKey]) -> Result<Vec<Option<Fields>>, EngineError> {
        let shape = self.shape(table)?;
        let fields = |image: Vec<Value>| {
            shape.columns.iter().map(|column| column.name.clone()).zip(image).collect::<Fields>()
        };
        let rows = self.store.read_rows(&shape, keys)?;
        Ok(rows.into_iter().map(|row| row.map(fields)).collect())
    }

    /// The shape of a table that must be there.
    pub(crate) fn shape(&mut self, table: &str) -> Result<std::sync::Arc<TableShape>, EngineError> {
        self.store.shape(table)?.ok_or_else(|| {
            EngineError::usage(format!(
                "the store has no table `{table}`\nhint: `plimsoll systems` names the store of each side"
            ))
        })
    }
}

/// Legacy numbers by entity and code.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<&'static str, BTreeMap<String, i64>>);

impl References for Numbers {
    fn code_of(&self, _entity: &str, _legacy_id: i64) -> Option<String> {
        None
    }

    fn legacy_id_of(&self, entity: &str, code: &str) -> Option<i64> {
        self.0.get(entity)?.get(code).copied()
    }
}
