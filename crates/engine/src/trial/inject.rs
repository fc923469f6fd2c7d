//! Failure injection: bad items among good ones, and what becomes of the good ones (HB-44).
//!
//! Owns which items are damaged and what must hold then. The measure of it is a second store: the same plan
//! without the damaged items, applied on the plain path. After the run with them every table must equal that,
//! so a bad item has no effect at all on the others, in its own batch or any other.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::digest::{Hashing, TableDigest};
use plimsoll_core::item::Item;
use serde::Serialize;

use super::bench::Bench;
use super::damage::{Damager, Refuser};
use super::scratch::ScratchStore;
use super::{checks, variant};
use crate::change::plan::read_items;
use crate::error::EngineError;

/// One case of injected failures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Injection {
    /// Which of the four kinds of cases it is: `validation`, `independence`, `partial success`.
    pub kind: &'static str,
    /// Where the bad items are.
    pub case: String,
    /// Items in one batch.
    pub batch_size: u64,
    /// Batches that were committed.
    pub batches: u64,
    /// Items that were damaged.
    pub injected: u64,
    /// Good items that are left.
    pub good: u64,
    /// Good items that were committed.
    pub committed: u64,
    /// Whether exactly the bad items were refused.
    pub exactly_the_bad: bool,
    /// Whether the tables are those of the plan without the damaged items.
    pub tables_as_without: bool,
}

/// The share of good items that is damaged for partial success: one in this many.
const ONE_IN: u64 = 20;

/// Damaged items by number.
type Damaged = BTreeMap<u64, Item>;

/// What was injected, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Injections {
    /// Every case.
    pub cases: Vec<Injection>,
    /// Cases that could not be made, and why.
    pub left_out: Vec<String>,
}

struct Injector<'bench, 't> {
    bench: &'bench mut Bench<'t>,
    damager: Damager,
    /// A store with the plan, to read items from.
    planned: ScratchStore,
    /// The tables of the plan without these items.
    without: BTreeMap<Vec<u64>, Vec<TableDigest>>,
    found: Injections,
}

/// Injects failures of both kinds into the first, a middle, the last and every batch, and into a share of all
/// items.
///
/// # Errors
/// What stopped a run.
pub(crate) fn run(bench: &mut Bench<'_>, asked_size: u64) -> Result<Injections, EngineError> {
    let untouched = bench.scratch.fresh(&bench.base)?;
    let damager = Damager::new(untouched, &bench.plan, bench.change);
    let planned = bench.scratch.fresh(&bench.planned)?;
    let mut injector =
        Injector { bench, damager, planned, without: BTreeMap::new(), found: Injections::default() };
    injector.independence(asked_size)?;
    injector.partial_success(asked_size)?;
    Ok(injector.found)
}

impl Injector<'_, '_> {
    fn independence(&mut self, asked_size: u64) -> Result<(), EngineError> {
        let size = self.bench.size_for_four(asked_size);
        let batches = self.bench.plan.items.div_ceil(size);
        if batches < 3 {
            let items = self.bench.plan.items;
            self.found.left_out.push(format!("independence of batches: {items} items give no three batches"));
            return Ok(());
        }
        let places = [
            ("first batch", vec![0]),
            ("middle batch", vec![batches / 2]),
            ("last batch", vec![batches - 1]),
            ("every batch", (0..batches).collect()),
        ];
        for refuser in [Refuser::Validation, Refuser::Database] {
            for (place, wanted) in &places {
                let mut damaged = Damaged::new();
                for &batch in wanted {
                    let end = ((batch + 1) * size).min(self.bench.plan.items);
                    damaged.extend(self.damage_one(batch * size, end, refuser)?);
                }
                let case = format!("one item refused by {refuser} in the {place}");
                // A batch of bad items only cannot get another one; an empty case would prove nothing.
                if damaged.is_empty() {
                    self.found.left_out.push(format!("{case}: no item there can be made bad that way"));
                    continue;
                }
                let kind = if refuser == Refuser::Validation { "validation" } else { "independence" };
                self.inject(kind, case, &damaged, size)?;
            }
        }
        Ok(())
    }

    fn partial_success(&mut self, size: u64) -> Result<(), EngineError> {
        let good = self.bench.good();
        let wanted = good.div_ceil(ONE_IN);
        let step = (self.bench.plan.items / wanted.max(1)).max(1);
        let mut damaged = Damaged::new();
        for place in 0..wanted {
            let refuser = if place.is_multiple_of(2) { Refuser::Database } else { Refuser::Validation };
            let end = ((place + 1) * step).min(self.bench.plan.items);
            damaged.extend(self.damage_one(place * step, end, refuser)?);
        }
        let case = format!("{} of {good} good items made bad, all over the plan", damaged.len());
        if damaged.is_empty() {
            self.found.left_out.push(format!("{case}: no item can be made bad"));
            return Ok(());
        }
        self.inject("partial success", case, &damaged, size)
    }

    /// The first good item in the range that can be damaged.
    fn damage_one(
        &mut self,
        first: u64,
        end: u64,
        refuser: Refuser,
    ) -> Result<Option<(u64, Item)>, EngineError> {
        let store = self.planned.session.store.as_mut();
        for stored in read_items(store, &self.bench.plan, first, end, &mut Hashing::new("damage"))? {
            if self.bench.bad.contains(&stored.number) {
                continue;
            }
            if let Some(damaged) = self.damager.damage(&stored.item, refuser)? {
                return Ok(Some((stored.number, damaged)));
            }
        }
        Ok(None)
    }

    fn inject(
        &mut self,
        kind: &'static str,
        case: String,
        damaged: &Damaged,
        size: u64,
    ) -> Result<(), EngineError> {
        self.bench.show("injecting failures", self.found.cases.len() as u64, 9);
        let wanted = self.tables_without(damaged)?;
        let bench = &mut *self.bench;
        let mut copy = bench.scratch.fresh(&bench.base)?;
        let plan =
            variant::edited(&mut self.planned.session, &bench.plan, &mut copy.session, &mut |stored| {
                Ok(Some(damaged.get(&stored.number).cloned().unwrap_or(stored.item)))
            })?;
        let settings = bench.settings(Some(size));
        let ran = bench.apply(&mut copy.session, &plan, settings, &case)?;
        let good = bench.good() - damaged.len() as u64;
        bench.expect(&ran, good, &wanted, &case);
        let bad: BTreeSet<u64> = bench.bad.iter().chain(damaged.keys()).copied().collect();
        let injection = Injection {
            kind,
            batch_size: size,
            batches: ran.report.batches,
            injected: damaged.len() as u64,
            good,
            committed: ran.report.applied + ran.report.noop,
            exactly_the_bad: checks::not_taken(&ran.exceptions) == bad,
            tables_as_without: ran.tables == wanted,
            case,
        };
        let all_committed = ran.report.batches == plan.items.div_ceil(size);
        let unharmed = injection.exactly_the_bad && injection.tables_as_without && all_committed;
        bench.ledger.neighbours.add(unharmed, || {
            format!(
                "{}: {} of {} good items committed in {} batches",
                injection.case, injection.committed, injection.good, injection.batches
            )
        });
        bench.undo(&mut copy.session, &ran.run.id, &injection.case)?;
        checks::whole_file(&mut copy.session, &injection.case, &mut bench.ledger)?;
        self.found.cases.push(injection);
        Ok(())
    }

    /// The tables that the plan without these items leaves.
    fn tables_without(&mut self, damaged: &Damaged) -> Result<Vec<TableDigest>, EngineError> {
        let left_out: Vec<u64> = damaged.keys().copied().collect();
        if let Some(known) = self.without.get(&left_out) {
            return Ok(known.clone());
        }
        let bench = &mut *self.bench;
        let mut copy = bench.scratch.fresh(&bench.base)?;
        let plan =
            variant::edited(&mut self.planned.session, &bench.plan, &mut copy.session, &mut |stored| {
                Ok((!damaged.contains_key(&stored.number)).then_some(stored.item))
            })?;
        let settings = bench.settings(None);
        let what = format!("the plan without {} items", left_out.len());
        let ran = bench.apply(&mut copy.session, &plan, settings, &what)?;
        self.without.insert(left_out, ran.tables.clone());
        Ok(ran.tables)
    }
}
