//! A selection as CSV: one line for each customer, members first.
//!
//! Owns the columns. It is what is handed to those who tell the customers (LG-20).

use std::collections::BTreeSet;

use super::candidates::Listed;
use super::kept::StoredSelection;
use crate::view::csv::line;

const FIXED: [&str; 9] =
    ["customer", "legacy_number", "in", "entered", "region", "customer_type", "orders", "marks", "why"];

/// The selection as CSV (RFC 4180): the fixed columns, then one for each figure that customers are compared by.
pub fn to_csv(selection: &StoredSelection) -> String {
    let figures: BTreeSet<&str> = selection
        .candidates
        .iter()
        .flat_map(|one| one.customer.covariates.keys().map(String::as_str))
        .collect();
    let mut out = String::new();
    line(FIXED.into_iter().chain(figures.iter().copied()).map(|name| Some(name.to_owned())), &mut out);
    let is_in = |one: &&Listed| selection.selected.members.contains(&one.customer.id);
    let members = selection.candidates.iter().filter(is_in);
    let others = selection.candidates.iter().filter(|one| !is_in(one));
    for one in members.chain(others) {
        let customer = &one.customer;
        let yes = |answer: bool| if answer { "yes" } else { "no" }.to_owned();
        let why = selection.selected.explanations.get(&customer.id).map(ToString::to_string);
        let marks: Vec<&str> = customer.marks.iter().map(String::as_str).collect();
        let fixed = [
            Some(customer.id.clone()),
            Some(one.number.to_string()),
            Some(yes(is_in(&one))),
            is_in(&one).then(|| {
                if selection.selected.enter.contains(&customer.id) { "now" } else { "before" }.to_owned()
            }),
            Some(customer.region.clone()),
            Some(customer.customer_type.clone()),
            Some(customer.orders.to_string()),
            Some(marks.join(" ")),
            why,
        ];
        let figures = figures.iter().map(|name| customer.covariates.get(*name).map(ToString::to_string));
        line(fixed.into_iter().chain(figures), &mut out);
    }
    out
}
