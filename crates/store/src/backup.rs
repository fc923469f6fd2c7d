//! Backups: copies that were read back before they count.
//!
//! Owns making, verifying and restoring copies of a store. It does not decide when a backup is needed (the
//! engine does) and does not delete old ones. (Being written.)

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;

use crate::error::StoreError;
use crate::store::Store;

/// A verified copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id.
    pub id: Id,
    /// How it was made.
    pub method: String,
    /// Where it is.
    pub location: String,
    /// Its size.
    pub bytes: u64,
    /// The digests of the tables in it.
    pub digests: Vec<TableDigest>,
    /// When it was verified.
    pub verified_at: String,
}

/// Makes and verifies a copy.
///
/// # Errors
/// Not written yet.
pub fn create(_store: &mut dyn Store, _folder: &std::path::Path, _id: &Id, _tables: &[&str], _now: &str) -> Result<Backup, StoreError> {
    Err(StoreError::new(crate::error::ErrorClass::Refused, "being written"))
}
/// Records a backup.
///
/// # Errors
/// Not written yet.
pub fn record(_store: &mut dyn Store, _backup: &Backup) -> Result<(), StoreError> {
    Err(StoreError::new(crate::error::ErrorClass::Refused, "being written"))
}
/// Lists backups.
///
/// # Errors
/// Not written yet.
pub fn list(_store: &mut dyn Store) -> Result<Vec<Backup>, StoreError> {
    Err(StoreError::new(crate::error::ErrorClass::Refused, "being written"))
}
/// Restores a backup.
///
/// # Errors
/// Not written yet.
pub fn restore(_store: &mut dyn Store, _backup: &Backup, _tables: &[&str]) -> Result<(), StoreError> {
    Err(StoreError::new(crate::error::ErrorClass::Refused, "being written"))
}
