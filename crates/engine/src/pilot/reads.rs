//! Shadow reads: both sides are asked the same, and only one answer is shown.
//!
//! Owns asking and comparing. Whose answer is shown is the cut-over's ([`plimsoll_core::pilot::cutover::standing`]); what
//! is asked, the system's.
//!
//! Invariant: an answer that is not to be shown leaves this module as a difference and never as rows.

use plimsoll_core::pilot::cutover::Side;
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::Serialize;

use super::customer::Customer;
use super::declare::{Pilot, Question};
use crate::error::EngineError;

/// Rows in the form in which two databases can be compared.
pub type Answer = Vec<Vec<Value>>;

/// A question that both sides were asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// Its name.
    pub question: String,
    /// The side whose answer is shown.
    pub shown_from: Side,
    /// The answer.
    pub rows: Answer,
    /// Whether the other side, if it was asked, said the same.
    pub is_equal: Option<bool>,
}

/// Asks a question of the side whose answer is shown, and of the other one where both are to be compared.
///
/// # Errors
/// When the side whose answer is shown fails. The other one's failure is a difference.
pub fn ask<'store>(
    (legacy, new): (&'store mut dyn Store, &'store mut dyn Store),
    pilot: &dyn Pilot,
    question: &Question,
    customer: &Customer,
    shown_from: Side,
    compare: bool,
) -> Result<Asked, EngineError> {
    let (shown, other) = match shown_from {
        Side::Legacy => ((legacy, question.legacy), (new, question.new)),
        Side::New => ((new, question.new), (legacy, question.legacy)),
    };
    let rows = answer(shown.0, shown.1, pilot, customer)?;
    let is_equal =
        compare.then(|| answer(other.0, other.1, pilot, customer).is_ok_and(|other| other == rows));
    Ok(Asked { question: question.name.to_owned(), shown_from, rows, is_equal })
}

fn answer(
    store: &mut dyn Store,
    sql: &str,
    pilot: &dyn Pilot,
    customer: &Customer,
) -> Result<Answer, EngineError> {
    let rows = store.query(sql, &[Value::Integer(customer.number)])?;
    Ok(rows.into_iter().map(|row| row.into_iter().map(|cell| plain(pilot, cell)).collect()).collect())
}

/// A cell as both databases have it.
fn plain(pilot: &dyn Pilot, cell: Value) -> Value {
    match cell {
        bytes @ Value::Bytes(_) => pilot.readable(&bytes).map_or(bytes, Value::Text),
        Value::Boolean(flag) => Value::Integer(i64::from(flag)),
        Value::Decimal(text) | Value::Date(text) | Value::Timestamp(text) | Value::Json(text) => {
            Value::Text(text)
        }
        other => other,
    }
}
