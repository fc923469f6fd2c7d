//! The ingest of OpenCode's files and databases: whatever happens on the way, the tables say what the sources say.
//!
//! Owns the proofs that bulk, live, overlapping, interrupted and rebuilt ingests agree, and that a source is only read.
//! What a document becomes is tested beside the readers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests write files, follow them in threads and wait, as a user would"
)]

mod bulk;
mod live;
mod real;
mod support;
