//! Invented people who testify.
//!
//! Owns their names, positions and organizations.
//!
//! Invariant: within one meeting no two share the token by which their documents are told apart.

use std::collections::HashSet;

use super::model::{Witness, witness_token};
use super::vocabulary as words;
use crate::random::Random;

/// An invented person.
pub(super) fn person(random: &mut Random) -> Witness {
    let mut name = random.word(&words::FIRST_NAMES).to_owned();
    if random.percent(30) {
        name.push(' ');
        name.push(char::from(b'A' + random.below(26) as u8));
        name.push('.');
    }
    name.push(' ');
    name.push_str(random.word(&words::LAST_NAMES));
    if random.percent(6) {
        name.push_str(", ");
        name.push_str(random.word(&words::NAME_SUFFIXES));
    }
    let position = (!random.percent(2)).then(|| random.word(&words::POSITIONS).to_owned());
    let organization = (!random.percent(8)).then(|| random.word(&words::ORGANIZATIONS).to_owned());
    Witness { name, position, organization }
}

/// The witnesses of one meeting, in order, often none.
pub(super) fn witnesses(random: &mut Random) -> Vec<Witness> {
    let wanted = match random.below(20) {
        0..=7 => 0,
        8..=9 => 1,
        10..=11 => 2,
        12..=14 => 3,
        15..=17 => 4,
        18 => 5,
        _ => 6,
    };
    let mut tokens = HashSet::new();
    let mut drawn = Vec::new();
    while drawn.len() < wanted {
        let witness = person(random);
        if tokens.insert(witness_token(&witness.name)) {
            drawn.push(witness);
        }
    }
    drawn
}
