//! What is kept in a cloud: copies of backups, certificates and reports, off the machine that made them.
//!
//! Owns the settings, the seam [`Bucket`] that a provider answers to, and [`check()`], which tries everything that is set up
//! before somebody relies on it. Google's object storage is the one provider ([`google`]). A managed PostgreSQL needs
//! nothing of this: it is an address in `[stores]` like any other.
//!
//! Invariants: no key file is read, and no credential is kept: an access token comes from the machine's own identity or from
//! the caller's environment, lives in memory, and is in no message; what is read back is compared with what was written.

pub mod check;
pub mod google;

pub use check::{Checked, Step, check};
pub use google::{Credential, GoogleBucket, GoogleSettings};

use crate::error::EngineError;

/// An object in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Object {
    /// Its name; slashes are part of it.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, as the provider says.
    pub updated: String,
}

/// Where objects are kept.
pub trait Bucket {
    /// What it is called, for people.
    fn name(&self) -> String;

    /// How long the credential at hand is good for, in seconds, asking for a new one where there is none.
    ///
    /// # Errors
    /// Source errors, with what to do.
    fn credential_seconds(&mut self) -> Result<u64, EngineError>;

    /// Whether it is there and may be looked at.
    ///
    /// # Errors
    /// As above.
    fn look(&mut self) -> Result<(), EngineError>;

    /// Writes an object. One that is there already is refused, so that nothing is ever overwritten.
    ///
    /// # Errors
    /// As above; refused when there is one of that name.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), EngineError>;

    /// Reads an object.
    ///
    /// # Errors
    /// As above; usage when there is none.
    fn get(&mut self, name: &str) -> Result<Vec<u8>, EngineError>;

    /// Takes an object away.
    ///
    /// # Errors
    /// As above; usage when there is none.
    fn delete(&mut self, name: &str) -> Result<(), EngineError>;

    /// The objects whose names begin with `prefix`, by name.
    ///
    /// # Errors
    /// As above.
    fn list(&mut self, prefix: &str) -> Result<Vec<Object>, EngineError>;
}

/// Writes an object and reads it back.
///
/// # Errors
/// As [`Bucket::put`]; integrity when what is read is not what was written.
pub fn put_and_compare(bucket: &mut dyn Bucket, name: &str, bytes: &[u8]) -> Result<(), EngineError> {
    bucket.put(name, bytes)?;
    if bucket.get(name)? == bytes {
        return Ok(());
    }
    Err(EngineError::integrity(format!(
        "{}: `{name}` was written and something else was read back\nhint: take it away and copy it again; ask the provider",
        bucket.name()
    )))
}
