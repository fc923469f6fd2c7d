//! What the model tests share: all rows in a map, what the database allows, and things done to a row.
//!
//! Owns no word of what the engine does with them: that is written in each model test, from the documents.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::change::Change;
use plimsoll_core::table::Image;
use plimsoll_core::value::Value;
use plimsoll_engine::session::Session;
use plimsoll_testkit::fixture::*;
use proptest::prelude::*;
use proptest::test_runner::Config;

/// A row: its table and its id.
pub(crate) type Row = (&'static str, i64);

/// Every row by table and id.
pub(crate) type State = BTreeMap<Row, Image>;

/// One row written: which, from, to.
pub(crate) type Written = (Row, Option<Image>, Option<Image>);

/// Positions of the columns in the two tables.
pub(crate) mod column {
    pub(crate) const NAME: usize = 1;
    pub(crate) const BALANCE: usize = 2;
    pub(crate) const NOTE: usize = 3;
    pub(crate) const ACCOUNT: usize = 1;
    pub(crate) const AMOUNT: usize = 2;
    pub(crate) const MEMO: usize = 3;
}

/// Something done to one row, as far as it can be done when its turn comes.
#[derive(Debug, Clone)]
pub(crate) struct Op {
    pub(crate) kind: Kind,
    pub(crate) id: i64,
    pub(crate) account: i64,
    pub(crate) columns: u8,
}

/// What is done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    InsertAccount,
    UpdateAccount,
    DeleteAccount,
    InsertEntry,
    UpdateEntry,
    DeleteEntry,
}

/// Any op on one of a few rows.
pub(crate) fn op() -> impl Strategy<Value = Op> {
    let kind = prop_oneof![
        2 => Just(Kind::InsertAccount),
        4 => Just(Kind::UpdateAccount),
        2 => Just(Kind::DeleteAccount),
        2 => Just(Kind::InsertEntry),
        2 => Just(Kind::UpdateEntry),
        2 => Just(Kind::DeleteEntry),
    ];
    (kind, 1..=6_i64, 1..=6_i64, 1..8_u8).prop_map(|(kind, id, account, columns)| Op {
        kind,
        id,
        account,
        columns,
    })
}

/// What the database allows.
pub(crate) fn valid(state: &State) -> bool {
    let mut names = BTreeSet::new();
    state.iter().all(|((table, _), row)| match *table {
        "account" => {
            let name = &row[column::NAME];
            !name.is_null()
                && names.insert(name.to_string())
                && row[column::BALANCE].as_integer().is_some_and(|balance| balance >= 0)
        }
        _ => state.contains_key(&("account", row[column::ACCOUNT].as_integer().unwrap())),
    })
}

/// Writes, or with `None` removes, a row.
pub(crate) fn put(state: &mut State, key: Row, row: Option<Image>) {
    match row {
        Some(row) => drop(state.insert(key, row)),
        None => drop(state.remove(&key)),
    }
}

/// Makes values that were never there before.
#[derive(Debug, Clone)]
pub(crate) struct Maker {
    fresh: i64,
}

impl Maker {
    pub(crate) fn new() -> Self {
        Self { fresh: 1_000 }
    }

    /// What the op writes on `state`, or `None` where there is nothing to do it to or the database forbids it.
    pub(crate) fn written(&mut self, session: &mut Session, state: &State, op: &Op) -> Option<Written> {
        let (key, before, after) = self.proposed(session, state, op)?;
        let mut next = state.clone();
        put(&mut next, key, after.clone());
        valid(&next).then_some((key, before, after))
    }

    /// What the op would write, allowed or not.
    pub(crate) fn proposed(&mut self, session: &mut Session, state: &State, op: &Op) -> Option<Written> {
        self.fresh += 1;
        let fresh = self.fresh;
        let account = ("account", op.id);
        let entry = ("entry", op.id);
        let (key, after) = match op.kind {
            Kind::InsertAccount if !state.contains_key(&account) => {
                let values = [
                    ("id", Value::Integer(op.id)),
                    ("name", Value::text(format!("name {fresh}"))),
                    ("balance", Value::Integer(fresh)),
                ];
                (account, Some(row(session, "account", &values)))
            }
            Kind::UpdateAccount => {
                let new = [
                    (column::NAME, Value::text(format!("name {fresh}"))),
                    (column::BALANCE, Value::Integer(fresh)),
                    (column::NOTE, Value::text(format!("note {fresh}"))),
                ];
                (account, Some(with(state.get(&account)?, op.columns, new)))
            }
            Kind::DeleteAccount => {
                state.get(&account)?;
                (account, None)
            }
            Kind::InsertEntry if !state.contains_key(&entry) => {
                let values = [
                    ("id", Value::Integer(op.id)),
                    ("account_id", Value::Integer(op.account)),
                    ("amount", Value::Integer(fresh)),
                ];
                (entry, Some(row(session, "entry", &values)))
            }
            Kind::UpdateEntry => {
                let new = [
                    (column::ACCOUNT, Value::Integer(op.account)),
                    (column::AMOUNT, Value::Integer(fresh)),
                    (column::MEMO, Value::text(format!("memo {fresh}"))),
                ];
                (entry, Some(with(state.get(&entry)?, op.columns | 2, new)))
            }
            Kind::DeleteEntry => {
                state.get(&entry)?;
                (entry, None)
            }
            _ => return None,
        };
        Some((key, state.get(&key).cloned(), after))
    }
}

fn with(row: &Image, columns: u8, new: [(usize, Value); 3]) -> Image {
    let mut row = row.clone();
    for (bit, (at, value)) in new.into_iter().enumerate() {
        if columns & (1 << bit) != 0 {
            row[at] = value;
        }
    }
    row
}

/// What was written, as a change.
pub(crate) fn change_of(session: &mut Session, (key, before, after): &Written) -> Change {
    Change::new(shape(session, key.0), before.clone(), after.clone()).unwrap()
}

/// The tables must hold exactly the model's rows.
pub(crate) fn check(session: &mut Session, state: &State, what: &str) {
    let found = dump(session);
    let mut expected: BTreeMap<&str, Vec<Image>> = BTreeMap::from([("account", vec![]), ("entry", vec![])]);
    for ((table, _), row) in state {
        expected.get_mut(table).unwrap().push(row.clone());
    }
    assert_eq!(found, expected, "{what}");
}

/// So many cases without being asked; `PROPTEST_CASES` asks for more.
pub(crate) fn cases(usual: u32) -> Config {
    let asked = Config::default();
    // Proptest does not tell its own number from one that was asked for.
    let cases = if asked.cases == 256 { usual } else { asked.cases };
    Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..asked }
}
