//! The change engine: the only code that writes a system's tables.

pub mod context;
