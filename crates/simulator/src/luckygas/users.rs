//! Users of both systems, at work while customers move, and a ledger of what they were told.
//!
//! Owns what users do and what must be true of it in the end: a change that was acknowledged is there, on each side where
//! the customer's records are kept in step; one that was refused is not; one of unknown outcome may be either. A row made
//! by a user is known by a number of its own in `qty_4kg`, which nobody edits; its `notes` hold the last change.
//!
//! Users know of no pilot. They write where they are used to write, and are refused by the database where a customer is not
//! written now.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_store::{ErrorClass, Store, StoreError};
use serde::{Deserialize, Serialize};

use crate::random::Random;

/// Numbers of rows made by users begin here; nobody orders so many cylinders.
const FIRST: u64 = 1_000_000;

/// What users were told about one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The customer's legacy number.
    pub customer: i64,
    /// The last change that was acknowledged; none for a row that was deleted.
    pub last: Option<String>,
    /// Changes after that whose outcome is unknown; none stands for a deletion.
    pub perhaps: Vec<Option<String>>,
}

/// What users were told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Counts what users did.
    pub number: u64,
    /// Notes of customers, by legacy number.
    pub customers: BTreeMap<i64, Told>,
    /// Orders made by users, by their number.
    pub orders: BTreeMap<u64, Told>,
    /// Changes that a side acknowledged: legacy, new.
    pub accepted: [u64; 2],
    /// Changes that a side refused.
    pub refused: [u64; 2],
    /// Changes of unknown outcome.
    pub unknown: u64,
}

/// Users of both systems.
pub struct Users<'a> {
    random: Random,
    legacy: &'a mut dyn Store,
    new: &'a mut dyn Store,
    /// What they were told.
    pub ledger: Ledger,
    customers: Vec<i64>,
}

enum Answer {
    Accepted,
    Refused,
    Unknown,
}

impl<'a> Users<'a> {
    /// Users who work for these customers, by legacy number.
    pub fn new(
        seed: u64,
        legacy: &'a mut dyn Store,
        new: &'a mut dyn Store,
        customers: Vec<i64>,
        ledger: Ledger,
    ) -> Self {
        let random = Random::new(seed.wrapping_add(ledger.number));
        Self { random, legacy, new, ledger, customers }
    }

    /// One thing that a user does. `false` when the connection to the new side has to be opened again.
    pub fn act(&mut self) -> bool {
        let Some(customer) = self.pick() else { return true };
        self.ledger.number += 1;
        let number = self.ledger.number;
        let token = format!("u{number}");
        // Most users work where the customer is written; some have not heard that it moved.
        let code = self.code_of(customer);
        let on_new = code.is_some() && self.random.percent(50);
        match self.random.below(10) {
            0..=5 => {
                let answer = self.edit_customer(customer, code.as_deref().filter(|_| on_new), &token);
                self.note_customer(customer, on_new, &token, &answer);
                !matches!(answer, Answer::Unknown)
            }
            6..=7 => {
                let row = FIRST + number;
                let answer = self.make_order(customer, code.as_deref().filter(|_| on_new), row, &token);
                self.note_order(row, customer, on_new, Some(token), &answer);
                !matches!(answer, Answer::Unknown)
            }
            what => {
                let of: Vec<u64> = self
                    .ledger
                    .orders
                    .iter()
                    .filter(|(_, told)| told.customer == customer && told.last.is_some())
                    .map(|(row, _)| *row)
                    .collect();
                let Some(row) = of.get(self.random.below(of.len().max(1))).copied() else { return true };
                let wanted = (what == 8 || self.random.percent(70)).then_some(token);
                let answer = self.change_order(on_new, row, wanted.as_deref());
                self.note_order(row, customer, on_new, wanted, &answer);
                !matches!(answer, Answer::Unknown)
            }
        }
    }

    fn pick(&mut self) -> Option<i64> {
        let at = self.random.below(self.customers.len().max(1));
        self.customers.get(at).copied()
    }

    /// The customer's code on the new side, if it is there.
    fn code_of(&mut self, customer: i64) -> Option<String> {
        let sql = "SELECT customer_code FROM customers WHERE legacy_id = $1";
        let rows = self.new.query(sql, &[Value::Integer(customer)]).ok()?;
        rows.first().and_then(|row| row.first()).and_then(Value::as_text).map(str::to_owned)
    }

    fn edit_customer(&mut self, customer: i64, code: Option<&str>, token: &str) -> Answer {
        match code {
            Some(code) => judge(self.new.execute(
                "UPDATE customers SET notes = $1 WHERE customer_code = $2",
                &[Value::text(token), Value::text(code)],
            )),
            None => judge(self.legacy.execute(
                "UPDATE clients SET notes = $1 WHERE id = $2",
                &[bytes(token), Value::Integer(customer)],
            )),
        }
    }

    fn make_order(&mut self, customer: i64, code: Option<&str>, row: u64, token: &str) -> Answer {
        let mark = Value::Integer(i64::try_from(row).unwrap_or(i64::MAX));
        match code {
            Some(code) => {
                let sql = "INSERT INTO orders (order_number, customer_code, status, qty_4kg, notes) VALUES ($1, $2, 'pending', $3, $4)";
                judge(self.new.execute(
                    sql,
                    &[Value::text(format!("U{row}")), Value::text(code), mark, Value::text(token)],
                ))
            }
            None => {
                let sql =
                    "INSERT INTO deliveries (client_id, status, qty_4kg, notes) VALUES ($1, $2, $3, $4)";
                // The legacy program's word for a waiting order, in Big5.
                let waiting = Value::Bytes(vec![0xAB, 0xDD, 0xAC, 0xA3]);
                judge(self.legacy.execute(sql, &[Value::Integer(customer), waiting, mark, bytes(token)]))
            }
        }
    }

    fn change_order(&mut self, on_new: bool, row: u64, token: Option<&str>) -> Answer {
        let mark = Value::Integer(i64::try_from(row).unwrap_or(i64::MAX));
        let result = match (on_new, token) {
            (true, Some(token)) => self
                .new
                .execute("UPDATE orders SET notes = $1 WHERE qty_4kg = $2", &[Value::text(token), mark]),
            (false, Some(token)) => self
                .legacy
                .execute("UPDATE deliveries SET notes = $1 WHERE qty_4kg = $2", &[bytes(token), mark]),
            (true, None) => {
                let part = "DELETE FROM deliveries WHERE order_number IN (SELECT order_number FROM orders WHERE qty_4kg = $1)";
                plimsoll_store::in_transaction(&mut *self.new, plimsoll_store::Access::ReadWrite, |store| {
                    store.execute(part, std::slice::from_ref(&mark))?;
                    store.execute("DELETE FROM orders WHERE qty_4kg = $1", std::slice::from_ref(&mark))
                })
            }
            (false, None) => self.legacy.execute("DELETE FROM deliveries WHERE qty_4kg = $1", &[mark]),
        };
        judge(result)
    }

    fn count(&mut self, on_new: bool, answer: &Answer) {
        match answer {
            Answer::Accepted => self.ledger.accepted[usize::from(on_new)] += 1,
            Answer::Refused => self.ledger.refused[usize::from(on_new)] += 1,
            Answer::Unknown => self.ledger.unknown += 1,
        }
    }

    fn note_customer(&mut self, customer: i64, on_new: bool, token: &str, answer: &Answer) {
        self.count(on_new, answer);
        let told =
            self.ledger.customers.entry(customer).or_insert_with(|| Told { customer, ..Told::default() });
        note(told, Some(token.to_owned()), answer);
    }

    fn note_order(&mut self, row: u64, customer: i64, on_new: bool, wanted: Option<String>, answer: &Answer) {
        self.count(on_new, answer);
        if matches!(answer, Answer::Refused) {
            return;
        }
        let told = self.ledger.orders.entry(row).or_insert_with(|| Told { customer, ..Told::default() });
        note(told, wanted, answer);
    }
}

fn note(told: &mut Told, wanted: Option<String>, answer: &Answer) {
    match answer {
        Answer::Accepted => {
            told.last = wanted;
            told.perhaps.clear();
        }
        Answer::Refused => {}
        Answer::Unknown => told.perhaps.push(wanted),
    }
}

fn bytes(ascii: &str) -> Value {
    Value::Bytes(ascii.as_bytes().to_vec())
}

/// A statement that changed no row found that the row had not come over yet, or was gone: nothing was acknowledged.
fn judge(result: Result<u64, StoreError>) -> Answer {
    match result {
        Ok(0) => Answer::Refused,
        Ok(_) => Answer::Accepted,
        Err(error)
            if error.class.is_data()
                || matches!(error.class, ErrorClass::Contention | ErrorClass::Timeout) =>
        {
            Answer::Refused
        }
        Err(_) => Answer::Unknown,
    }
}

/// What is not as users were told: of each side, rows that are lost, doubled, or hold something else.
///
/// # Errors
/// When a side cannot be read.
pub fn check(
    ledger: &Ledger,
    legacy: &mut dyn Store,
    new: &mut dyn Store,
) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    // Which sides hold what users were told: legacy until the customer is done, new from the first copy on.
    let sides = |new: &mut dyn Store, customer: i64| -> Result<(bool, bool), StoreError> {
        let sql = "SELECT stage FROM plimsoll_pilot_member WHERE number = $1";
        let rows = new.query(sql, &[Value::Integer(customer)])?;
        let stage =
            rows.first().and_then(|row| row.first()).and_then(Value::as_text).unwrap_or("").to_owned();
        Ok((stage != "done", !matches!(stage.as_str(), "" | "waiting" | "rolled_back")))
    };
    for (customer, told) in &ledger.customers {
        if told.last.is_none() && told.perhaps.is_empty() {
            continue;
        }
        let (on_legacy, on_new) = sides(new, *customer)?;
        if on_legacy {
            let found = texts(legacy, "SELECT notes FROM clients WHERE id = $1", *customer)?;
            judge_row(&mut problems, &format!("legacy client {customer}"), told, &found, 1);
        }
        if on_new {
            let found = texts(new, "SELECT notes FROM customers WHERE legacy_id = $1", *customer)?;
            judge_row(&mut problems, &format!("new customer {customer}"), told, &found, 1);
        }
    }
    for (row, told) in &ledger.orders {
        let mark = i64::try_from(*row).unwrap_or(i64::MAX);
        let (on_legacy, on_new) = sides(new, told.customer)?;
        if on_legacy {
            let found = texts(legacy, "SELECT notes FROM deliveries WHERE qty_4kg = $1", mark)?;
            let what = format!("legacy delivery {row} of client {}", told.customer);
            judge_row(&mut problems, &what, told, &found, 0);
        }
        if on_new {
            let found = texts(new, "SELECT notes FROM orders WHERE qty_4kg = $1", mark)?;
            judge_row(
                &mut problems,
                &format!("new order {row} of customer {}", told.customer),
                told,
                &found,
                0,
            );
        }
    }
    Ok(problems)
}

fn texts(store: &mut dyn Store, sql: &str, key: i64) -> Result<Vec<String>, StoreError> {
    let text = |row: Vec<Value>| match row.first() {
        Some(Value::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    Ok(store.query(sql, &[Value::Integer(key)])?.into_iter().map(text).collect())
}

/// A row is there as often as told; `least` is 1 for a row that nobody deletes.
fn judge_row(problems: &mut Vec<String>, what: &str, told: &Told, found: &[String], least: usize) {
    let allowed: Vec<&Option<String>> = std::iter::once(&told.last).chain(&told.perhaps).collect();
    match found {
        // A customer of whom nothing was acknowledged keeps what it had.
        [_] if told.last.is_none() && least == 1 => {}
        [one] if allowed.iter().any(|allowed| allowed.as_ref() == Some(one)) => {}
        [] if least == 0 && allowed.iter().any(|allowed| allowed.is_none()) => {}
        found => problems.push(format!("{what}: {found:?}, told {:?} or {:?}", told.last, told.perhaps)),
    }
}
