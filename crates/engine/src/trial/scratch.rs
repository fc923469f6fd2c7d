//! Scratch stores: SQLite files in a temporary folder, on which everything of a trial happens.
//!
//! Owns the folder and the files in it, and removes both. A template is filled once; each measured run gets a
//! copy of its own, so no run sees what another one left.
//!
//! Invariants: the store that the trial is about is only ever read; a copy is made of a file that no
//! connection has open.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::clock::Clock;
use plimsoll_store::{Durability, StoreUrl};

use super::clock::TrialClock;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::session::{NoProbe, ProgressSink, Session};

/// The folder of a trial, removed with everything in it when this is dropped.
pub(crate) struct Scratch {
    folder: PathBuf,
    durability: Durability,
    copies: AtomicU64,
    pub(crate) clock: Arc<TrialClock>,
    pub(crate) progress: ProgressSink,
}

impl Scratch {
    /// Makes a new folder below `parent`.
    ///
    /// # Errors
    /// Usage when it cannot be made.
    pub(crate) fn create(
        parent: &Path,
        durability: Durability,
        clock: Arc<TrialClock>,
        progress: ProgressSink,
    ) -> Result<Self, EngineError> {
        let folder = parent.join(format!("scratch-{}", new_id().short()));
        std::fs::create_dir_all(&folder).map_err(|error| {
            EngineError::usage(format!("the folder {} cannot be made: {error}", folder.display()))
        })?;
        Ok(Self { folder, durability, copies: AtomicU64::new(0), clock, progress })
    }

    /// A file or folder of this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Opens, and makes when absent, the scratch store of this name. It stays when it is dropped.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn open(&self, path: &Path) -> Result<Session, EngineError> {
        let url = StoreUrl::Sqlite { path: path.to_owned(), durability: self.durability };
        Ok(Session {
            store: plimsoll_store::open(&url)?,
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            actor: "trial".to_owned(),
            request: None,
            // The trial tells how far it is as a whole.
            progress: Arc::new(|_| {}),
            probe: Arc::new(NoProbe),
            passage: None,
            switches: None,
            held_back: None,
        })
    }

    /// Copies a closed scratch store to another one.
    ///
    /// # Errors
    /// When a connection still has it open, or the disk refuses.
    pub(crate) fn duplicate(&self, from: &Path, to: &Path) -> Result<(), EngineError> {
        // The last connection to close takes the write-ahead log into the file and removes it.
        if with_suffix(from, "-wal").exists() {
            let open = format!("the scratch store {} is still open", from.display());
            return Err(EngineError::integrity(open));
        }
        let copied = std::fs::copy(from, to).and_then(|_| match self.durability {
            // Else the first commit of a measured run would wait for the whole file.
            Durability::Full => std::fs::File::open(to)?.sync_all(),
            Durability::Normal => Ok(()),
        });
        copied.map_err(|error| {
            let hint = "hint: a trial needs a few times the size of the store as free space";
            EngineError::usage(format!("{} cannot be copied: {error}\n{hint}", from.display()))
        })
    }

    /// A copy of a template, removed when it is dropped.
    ///
    /// # Errors
    /// As [`Self::duplicate`] and [`Self::open`].
    pub(crate) fn fresh(&self, template: &Path) -> Result<ScratchStore, EngineError> {
        let number = self.copies.fetch_add(1, Ordering::Relaxed);
        let path = self.path(&format!("copy-{number}.db"));
        self.duplicate(template, &path)?;
        Ok(ScratchStore { session: self.open(&path)?, path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "the scratch folder stays");
        }
    }
}

/// A copy of a template with a session on it.
pub(crate) struct ScratchStore {
    pub(crate) session: Session,
    path: PathBuf,
}

impl ScratchStore {
    /// Leaves the session as a dying process would and opens another one on the same file.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn reopen(&mut self) -> Result<(), EngineError> {
        self.session = Session { probe: Arc::new(NoProbe), ..self.session.fork()? };
        Ok(())
    }
}

impl Drop for ScratchStore {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            // What is not there needs no removing; the folder goes as a whole later.
            drop(std::fs::remove_file(with_suffix(&self.path, suffix)));
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
