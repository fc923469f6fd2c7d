//! Table digests, computed by reading the table.
//!
//! Owns the scan; how rows are hashed is [`plimsoll_core::digest`]'s.

use plimsoll_core::digest::{TableDigest, TableHashing, name_order};

use crate::error::StoreError;
use crate::store::{Access, Store, in_transaction};

/// The digest and row count of each named table, from one consistent snapshot. A table that does not exist
/// counts as empty.
///
/// # Errors
/// [`StoreError`] when a table cannot be read.
pub fn table_digests(store: &mut dyn Store, tables: &[&str]) -> Result<Vec<TableDigest>, StoreError> {
    in_transaction(store, Access::ReadOnly, |store| digests_inside(store, tables))
}

/// As [`table_digests`], inside the open transaction.
///
/// # Errors
/// [`StoreError`] when a table cannot be read.
pub fn digests_inside(store: &mut dyn Store, tables: &[&str]) -> Result<Vec<TableDigest>, StoreError> {
    tables
        .iter()
        .map(|table| {
            let mut hashing = TableHashing::default();
            if let Some(shape) = store.shape(table)? {
                let order = name_order(&shape);
                store.scan_rows(&shape, &mut |image| {
                    hashing.add(&shape, &order, &image);
                    Ok(())
                })?;
            }
            Ok(hashing.finish(table))
        })
        .collect()
}
