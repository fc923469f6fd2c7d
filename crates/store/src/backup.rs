//! Backups: copies that were read back before they count.
//!
//! Owns making, verifying and restoring copies of a store. It does not decide when a backup is needed (the
//! engine does) and does not delete old ones.
