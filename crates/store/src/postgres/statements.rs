//! Prepared statements, kept by their text.
//!
//! Owns the cache and its bound. When it is full everything is forgotten at once: the texts of a run are
//! few, so this happens to programs that build texts from values, which they should not.

use std::collections::HashMap;

use ::postgres::{Client, Error, Statement};

/// Statements kept prepared.
const KEPT: usize = 256;

/// The cache.
#[derive(Default)]
pub(super) struct Statements {
    prepared: HashMap<String, Statement>,
}

impl Statements {
    /// The prepared statement for a text.
    pub(super) fn get(&mut self, client: &mut Client, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(sql)?;
        if self.prepared.len() >= KEPT {
            self.prepared.clear();
        }
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// Forgets all statements.
    pub(super) fn clear(&mut self) {
        self.prepared.clear();
    }
}
