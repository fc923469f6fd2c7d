//! What can go wrong while a store is generated.

use std::path::{Path, PathBuf};

/// Why a store could not be generated or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The totals do not fit the number of sessions.
    #[error(
        "{asked} {what} are too few: this many sessions and messages need at least {needed}\nhint: ask for more {what}, or for fewer sessions"
    )]
    TooFew {
        /// `messages` or `parts`.
        what: &'static str,
        /// How many were asked for.
        asked: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Bad files were asked for where there are no files.
    #[error("bad files can only be planted among files\nhint: ask for the generation json or mixed")]
    NoFiles,
    /// There is a store already.
    #[error("{path} exists already\nhint: name another folder, or remove it first", path = path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A file or folder could not be written or read.
    #[error("{path} cannot be written: {source}\nhint: check that the folder is writable and the disk is not full", path = path.display())]
    Writing {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file or folder that a change needs is not there or cannot be read.
    #[error("{path} cannot be read: {source}\nhint: the folder must hold a generated JSON store", path = path.display())]
    Reading {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A database could not be written.
    #[error("{path} cannot be written: {source}", path = path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the store said.
        source: Box<plimsoll_store::StoreError>,
    },
    /// A thread of the generator ended early.
    #[error(
        "a thread of the generator ended early\nhint: this is a defect of the generator; its message is above"
    )]
    Thread,
}

impl Error {
    pub(super) fn too_few(what: &'static str, asked: usize, needed: usize) -> Self {
        Self::TooFew { what, asked, needed }
    }

    pub(super) fn writing(path: &Path, source: std::io::Error) -> Self {
        Self::Writing { path: path.to_owned(), source }
    }
}
