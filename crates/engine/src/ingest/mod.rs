//! Ingest: what lies in files and foreign databases, brought into an analytical store exactly once.
//!
//! Owns finding documents, telling what changed, reading them in parallel, writing rows and ledger in one
//! transaction, computing derived tables, watching, and quarantining what cannot be read. What a document means is
//! the system's ([`declare`]).
//!
//! Invariants: files are the truth, and the store can be dropped and built again to the same digests; sources are
//! never written; a document's rows and its line in the ledger commit together; nothing is skipped silently.

pub mod declare;
mod derive;
mod deriver;
pub mod difference;
pub mod ledger;
mod live;
mod reader;
mod run;
mod scan;
mod sync_state;
mod watch;
mod writer;

pub use derive::{DERIVING_MEMORY_MB, derive, derive_all};
pub use deriver::Derived;
pub use live::{Live, WatchSettings};
pub use run::{
    AnalyticDigest, Foreseen, Ingest, IngestSettings, PassReport, Progress, digests, foresee, holds_documents,
};
pub use scan::Source;
pub use sync_state::{BulkLock, SyncState};
pub use writer::Tally;

pub use declare::{
    AnalyticColumn, AnalyticTable, Body, Cell, ColumnType, Derivation, Document, DocumentKind, Documents,
    ErrorClass, FileIdentity, ForeignTable, Generation, How, OwnedCell, Refusal, RowBuffer, Rows, Scope,
    Settings, StoreError, column, relative,
};
