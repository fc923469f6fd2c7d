//! Copying a whole SQLite database while it is in use.
//!
//! Owns the call of SQLite's online backup. What makes the copy a backup is `backup`'s.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, MAIN_DB};

use super::SqliteStore;
use super::fault::explain;
use crate::error::{ErrorClass, StoreError};

impl SqliteStore {
    /// Copies the database as the open transaction sees it to a new file, which is on the disk when this
    /// returns and is not in WAL mode, so that reading it leaves no files beside it.
    ///
    /// The copy reads through this connection, hence its snapshot; other connections may write meanwhile.
    pub(crate) fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let explained =
            |error: rusqlite::Error| explain(&error).during(&format!("writing {}", file.display()));
        #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
        let mut copy = Connection::open(file).map_err(explained)?;
        {
            let backup =
                Backup::new_with_names(&self.connection, MAIN_DB, &mut copy, MAIN_DB).map_err(explained)?;
            match backup.step(-1).map_err(explained)? {
                StepResult::Done => {}
                other => {
                    let message = format!("the copy to {} stopped: {other:?}", file.display());
                    return Err(StoreError::new(ErrorClass::Timeout, message));
                }
            }
        }
        let mode: String =
            copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(explained)?;
        if mode != "delete" {
            let message = format!("{} stays in journal mode {mode}", file.display());
            return Err(StoreError::new(ErrorClass::Other, message));
        }
        copy.close().map_err(|(_, error)| explained(error))
    }
}
