//! Prepared statements, kept by a name.
//!
//! Owns the cache, its bound and the age of a statement. When it is full everything is forgotten at once:
//! the statements of a run are few, so this happens to programs that build texts from values, which they
//! should not.
//!
//! A statement is prepared anew after some uses. After its fifth use PostgreSQL plans a statement once and
//! for all; a plan made while a table was almost empty reads the whole table each time and stays when the
//! table has grown, until the server happens to analyze it. Measured on a table that the same session fills
//! from empty: 22,000 rows a CPU second with such a plan, 52,000 without.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use ::postgres::{Client, Error, Statement};

/// Statements kept prepared.
const KEPT: usize = 256;

/// How often a statement is used before it is prepared anew.
const USES: u32 = 64;

/// The cache.
pub(super) struct Statements<Name> {
    prepared: HashMap<Name, (Statement, u32)>,
}

impl<Name: Eq + Hash> Statements<Name> {
    /// An empty cache.
    pub(super) fn new() -> Self {
        Self { prepared: HashMap::new() }
    }

    /// The prepared statement of a name, whose text is `sql`.
    pub(super) fn get<Known: Eq + Hash + ToOwned<Owned = Name> + ?Sized>(
        &mut self,
        client: &mut Client,
        name: &Known,
        sql: impl FnOnce() -> String,
    ) -> Result<Statement, Error>
    where
        Name: Borrow<Known>,
    {
        if let Some((statement, uses)) = self.prepared.get_mut(name)
            && *uses < USES
        {
            *uses += 1;
            return Ok(statement.clone());
        }
        let statement = client.prepare(&sql())?;
        if self.prepared.len() >= KEPT {
            self.prepared.clear();
        }
        self.prepared.insert(name.to_owned(), (statement.clone(), 1));
        Ok(statement)
    }

    /// Forgets all statements.
    pub(super) fn clear(&mut self) {
        self.prepared.clear();
    }
}
