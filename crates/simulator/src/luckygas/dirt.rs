//! What is wrong with the rows, on purpose.
//!
//! Owns the kinds of dirt and which row has which, by chance from the seed and the row's number alone. A row has one kind
//! at most, so that a count of bad rows is a count of what was planted.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::random::Random;

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dirt {
    /// The client has the code of the first.
    DuplicateCode,
    /// The client has no code.
    NoCode,
    /// Bytes in a text that are no Big5.
    BrokenText,
    /// Bytes in a text that each program reads as another character.
    ForeignText,
    /// A word that no list has.
    UnknownWord,
    /// A flag that is neither 0 nor 1.
    OddFlag,
    /// A time that is none.
    NoTime,
    /// A delivery of a client that is not there.
    OrphanClient,
    /// A delivery by a driver who is not there.
    OrphanDriver,
    /// A text of the new side with a character that Big5 does not have.
    BeyondBig5,
}

const OF_CLIENTS: [Dirt; 7] = [
    Dirt::DuplicateCode,
    Dirt::NoCode,
    Dirt::BrokenText,
    Dirt::ForeignText,
    Dirt::UnknownWord,
    Dirt::OddFlag,
    Dirt::NoTime,
];

const OF_DELIVERIES: [Dirt; 6] = [
    Dirt::BrokenText,
    Dirt::ForeignText,
    Dirt::UnknownWord,
    Dirt::NoTime,
    Dirt::OrphanClient,
    Dirt::OrphanDriver,
];

/// The dirt of a client. The first has none: its code is the one that others have too.
pub(super) fn of_client(seed: u64, number: u64, percent: u8) -> Option<Dirt> {
    if number < 2 { None } else { drawn(seed, "client", number, percent, &OF_CLIENTS) }
}

/// The dirt of a delivery.
pub(super) fn of_delivery(seed: u64, number: u64, percent: u8) -> Option<Dirt> {
    drawn(seed, "delivery", number, percent, &OF_DELIVERIES)
}

/// The dirt of a customer of the new side.
pub(super) fn of_customer(seed: u64, number: u64, percent: u8) -> Option<Dirt> {
    drawn(seed, "customer", number, percent, &[Dirt::BeyondBig5])
}

fn drawn(seed: u64, what: &str, number: u64, percent: u8, kinds: &[Dirt]) -> Option<Dirt> {
    let mut random = Random::named(seed, &["luckygas", "dirt", what, &number.to_string()]);
    random.percent(percent.into()).then(|| *random.pick(kinds))
}

/// Counts by kind.
pub type Planted = BTreeMap<Dirt, u64>;
