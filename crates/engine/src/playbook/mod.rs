//! Playbooks: plan documents whose steps are executable.
//!
//! Owns the tables in the control store.

mod schema;

pub use schema::SCHEMA;
