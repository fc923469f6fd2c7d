//! Every effect that rows have seen, in order, with who caused it.
//!
//! Owns the record by which a test proves that an operation had one effect and that nobody's edit was
//! overwritten unseen. It is never asked whether an operation was done already: the real system cannot tell.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

/// Who caused an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A client of the API.
    Client,
    /// Another user of the remote system.
    Another,
}

/// What was done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It came to be.
    Create,
    /// Fields were written.
    Update,
    /// It went.
    Delete,
}

/// One effect.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Effect {
    /// Its place in the order of effects, counted from 1.
    pub number: u64,
    /// Who caused it.
    pub author: Author,
    /// The `X-Operation-Id` of the request.
    pub operation: Option<String>,
    /// What was done.
    pub action: Action,
    /// The row.
    pub id: String,
    /// The version it led to; of a deletion the version that went.
    pub version: u64,
    /// The values written, by their names before any drift.
    pub fields: Map<String, Value>,
}

/// How many effects clients had; effects of other users are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// By `X-Operation-Id`.
    pub operations: BTreeMap<String, u64>,
    /// Those of requests without an `X-Operation-Id`.
    pub unnamed: u64,
    /// All of them.
    pub total: u64,
}

/// Who writes, and under which operation.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pub(crate) author: Author,
    pub(crate) operation: Option<String>,
}

impl Writer {
    /// Another user.
    pub(crate) fn another() -> Self {
        Self { author: Author::Another, operation: None }
    }
}

/// The record.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    effects: Vec<Effect>,
}

impl Ledger {
    pub(crate) fn record(
        &mut self,
        writer: &Writer,
        action: Action,
        id: &str,
        version: u64,
        fields: &Map<String, Value>,
    ) {
        self.effects.push(Effect {
            number: self.effects.len() as u64 + 1,
            author: writer.author,
            operation: writer.operation.clone(),
            action,
            id: id.to_owned(),
            version,
            fields: fields.clone(),
        });
    }

    /// Every effect in order.
    pub(crate) fn all(&self) -> &[Effect] {
        &self.effects
    }

    /// The effects of clients, counted.
    pub(crate) fn counted(&self) -> Effects {
        let mut counted = Effects::default();
        for effect in self.effects.iter().filter(|effect| effect.author == Author::Client) {
            counted.total += 1;
            match &effect.operation {
                Some(operation) => *counted.operations.entry(operation.clone()).or_default() += 1,
                None => counted.unnamed += 1,
            }
        }
        counted
    }
}
