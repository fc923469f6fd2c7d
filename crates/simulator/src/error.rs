//! What can go wrong while a simulator is prepared or started.
//!
//! Owns the crate's one error type. Errors that the simulated API answers with are not errors here: they are
//! responses, and belong to the server.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why a simulator could not be prepared or started.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address could not be bound.
    #[error(
        "the simulator cannot listen on {address}: {source}\nhint: choose another port, or port 0 for any free one"
    )]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be started, or ended with an error.
    #[error("the simulator's server could not {what}: {source}")]
    Server {
        /// What it was doing.
        what: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The snapshot database could not be read.
    #[error("the hearings snapshot {path} cannot be read: {source}\nhint: a snapshot is a SQLite file with the tables hearings, committees, hearing_committees, witnesses and witness_appearances", path = path.display())]
    Snapshot {
        /// The file asked for.
        path: PathBuf,
        /// What the store said.
        source: Box<plimsoll_store::StoreError>,
    },
    /// A cell of the snapshot does not hold what its column must hold.
    #[error(
        "the hearings snapshot has {found} in {table}.{column} of row {row}, where {expected} is needed\nhint: repair the row, or serve generated hearings instead"
    )]
    SnapshotCell {
        /// The table's name.
        table: &'static str,
        /// The column's name.
        column: &'static str,
        /// Which row, by its key or its place in the result.
        row: String,
        /// What was found.
        found: String,
        /// What is needed.
        expected: &'static str,
    },
    /// More changes and bad meetings were asked for than there are meetings to put them on.
    #[error(
        "planting {changes} changes and {bad} bad meetings needs {needed} existing meetings, but the corpus has {available}\nhint: ask for fewer, or start from a larger corpus"
    )]
    NotEnoughMeetings {
        /// Good changes asked for.
        changes: usize,
        /// Bad meetings asked for.
        bad: usize,
        /// How many existing meetings that takes.
        needed: usize,
        /// How many the corpus has.
        available: usize,
    },
    /// Generated rows could not be written.
    #[error("the generated rows cannot be written: {source}\nhint: generate into databases that are new")]
    Write {
        /// What the store said.
        source: Box<plimsoll_store::StoreError>,
    },
    /// A time that must be a UTC instant is not one.
    #[error("`{text}` ({what}) is not a UTC instant\nhint: write it as YYYY-MM-DDTHH:MM:SSZ")]
    NotAnInstant {
        /// The text found.
        text: String,
        /// Where it was found.
        what: String,
    },
}

impl From<plimsoll_store::StoreError> for SimulatorError {
    fn from(source: plimsoll_store::StoreError) -> Self {
        Self::Write { source: Box::new(source) }
    }
}
