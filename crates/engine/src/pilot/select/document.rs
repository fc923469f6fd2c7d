//! A selection as a document: what was asked, who was chosen, how alike they are.
//!
//! Owns the form in which the command and the HTTP API tell it. What is said about each customer is in the export.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::id::Id;
use plimsoll_core::pilot::selection::balance::BALANCED;
use plimsoll_core::pilot::selection::{Balance, Explanation, Hindrance, Selection};
use serde::Serialize;

use super::kept::StoredSelection;

/// A selection as a document: everything but what is said about each customer, which the export has.
#[derive(Serialize)]
pub struct SelectionDocument<'made> {
    /// None for a dry run.
    id: Option<&'made Id>,
    number: Option<u64>,
    made_at: &'made str,
    made_by: &'made str,
    reason: &'made str,
    algorithm: &'made str,
    request: &'made Selection,
    customers: u64,
    eligible: u64,
    asked: u64,
    members: Vec<&'made str>,
    entered: Vec<&'made str>,
    gone: Vec<&'made str>,
    unknown_exclusions: Vec<&'made str>,
    /// How many customers each criterion keeps out.
    kept_out: BTreeMap<String, u64>,
    balance: &'made Balance,
    worst_difference: f64,
    is_balanced: bool,
    is_reproduced: bool,
    dry_run: bool,
}

impl<'made> SelectionDocument<'made> {
    /// The document of a selection.
    pub fn of(made: &'made StoredSelection, dry_run: bool) -> Self {
        let selected = &made.selected;
        let names = |ids: &'made BTreeSet<String>| ids.iter().map(String::as_str).collect();
        let worst = selected.balance.worst();
        Self {
            id: (!dry_run).then_some(&made.id),
            number: (!dry_run).then_some(made.number),
            made_at: &made.made_at,
            made_by: &made.made_by,
            reason: &made.reason,
            algorithm: &selected.algorithm,
            request: &selected.selection,
            customers: selected.of,
            eligible: selected.eligible,
            asked: selected.asked,
            members: names(&selected.members),
            entered: names(&selected.enter),
            gone: names(&selected.gone),
            unknown_exclusions: names(&selected.unknown_exclusions),
            kept_out: kept_out(made),
            balance: &selected.balance,
            worst_difference: worst,
            is_balanced: worst < BALANCED,
            is_reproduced: made.is_reproduced(),
            dry_run,
        }
    }
}

/// Customers by what keeps them out: criteria, and each mark by its name. Who is kept out by several counts for each.
pub fn kept_out(made: &StoredSelection) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for explanation in made.selected.explanations.values() {
        let Explanation::Hindered { hindrances } = explanation else { continue };
        for hindrance in hindrances {
            let what = match hindrance {
                Hindrance::MarkRefused { mark } => mark.clone(),
                other => other.criterion().to_owned(),
            };
            *counts.entry(what).or_insert(0) += 1;
        }
    }
    counts
}
