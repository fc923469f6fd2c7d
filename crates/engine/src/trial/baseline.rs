//! The baseline: the plan with the switch off, and which of its items are bad.
//!
//! Owns the first run of a trial, from which every later run learns what it must come to: the tables, and the
//! items that cannot be applied. An item is only believed to be bad when it is refused alone, too, on the
//! untouched store: a path that loses good items beside bad ones does not get to call them bad.

use std::collections::BTreeSet;

use super::bench::{Bench, Ran};
use super::{checks, variant};
use crate::change::{assess, retention};
use crate::error::EngineError;

/// Runs the plan with the switch off, takes it back, and tries what was refused alone.
///
/// # Errors
/// What stopped a run.
pub(crate) fn run(bench: &mut Bench<'_>) -> Result<(), EngineError> {
    let what = "the baseline with the switch off";
    let mut copy = bench.scratch.fresh(&bench.planned)?;
    let (plan, settings) = (bench.plan.clone(), bench.settings(None));
    let ran = bench.apply(&mut copy.session, &plan, settings, what)?;
    bench.after.clone_from(&ran.tables);
    bench.bad = refused_alone(bench, &ran)?;
    let (good, tables) = (bench.good(), bench.after.clone());
    bench.expect(&ran, good, &tables, what);
    bench.undo(&mut copy.session, &ran.run.id, what)?;
    checks::whole_file(&mut copy.session, what, &mut bench.ledger)
}

/// Of the items that a run refused, those that are refused on the untouched store, alone or in the group that
/// was refused together.
fn refused_alone(bench: &Bench<'_>, ran: &Ran) -> Result<BTreeSet<u64>, EngineError> {
    let mut planned = bench.scratch.fresh(&bench.planned)?;
    let mut untouched = bench.scratch.fresh(&bench.base)?;
    let mut bad = BTreeSet::new();
    let not_taken = checks::not_taken(&ran.exceptions);
    let refused = ran.exceptions.iter().filter(|exception| not_taken.contains(&exception.item));
    for (done, exception) in refused.enumerate() {
        bench.show("trying refused items alone", done as u64, not_taken.len() as u64);
        let mut group: Vec<u64> = exception.together_with.clone();
        group.push(exception.item);
        group.sort_unstable();
        let items = group
            .iter()
            .map(|number| variant::item(&mut planned.session, &bench.plan, *number))
            .collect::<Result<Vec<_>, _>>()?;
        let plan = variant::only(&bench.plan, &mut untouched.session, &items)?;
        let tried = assess::assess(&mut untouched.session, &plan, Some(bench.change))?;
        if tried.canary.quarantined == plan.items {
            bad.insert(exception.item);
        }
        retention::discard(&mut untouched.session, &plan.id)?;
    }
    Ok(bad)
}
