//! Isolation: which items of a failing batch are bad, found inside the batch's own transaction.
//!
//! Owns the search. It does not know what an item is or how it is applied: the caller offers [`Attempts`],
//! backed by savepoints, and gets the verdict.
//!
//! The search. A failing batch is halved; a half that applies stays applied, so its sibling is known to
//! fail and is halved without another try. About `k * log2(B / k)` tries find `k` bad items of `B`. Each
//! suspect is then tried alone on the rows as they were before the batch. A suspect that applies alone is
//! the victim of an interaction (two items that take the same unique value): binary search over the items
//! before it finds the smallest group that fails together, and the whole group is refused.
//!
//! Invariants: when [`isolate`] returns, exactly the `good` items are applied, in their original order; a
//! stop (lost connection, full disk) is passed on at once and classifies nothing.

/// Applies items inside savepoints.
pub trait Attempts {
    /// Why an item cannot be applied (a data error).
    type Fault;
    /// Why nothing can be tried any more.
    type Stop;

    /// Applies `items` in order on top of what is applied now. On a fault none of them stays applied.
    ///
    /// # Errors
    /// The stop that ended the attempt.
    fn apply(&mut self, items: &[usize]) -> Result<Result<(), Self::Fault>, Self::Stop>;

    /// Takes back everything applied since the batch began.
    ///
    /// # Errors
    /// The stop that prevented it.
    fn reset(&mut self) -> Result<(), Self::Stop>;
}

/// Items refused together, with the fault that refused them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad<F> {
    /// The items, in order: one, or a smallest group that fails together.
    pub items: Vec<usize>,
    /// What the last failing attempt said.
    pub fault: F,
}

/// The verdict on a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isolation<F> {
    /// Items that are applied.
    pub good: Vec<usize>,
    /// Items that are not, each in exactly one entry.
    pub bad: Vec<Bad<F>>,
    /// How often [`Attempts::apply`] was called.
    pub attempts: u32,
}

struct Search<'a, A: Attempts> {
    attempts: &'a mut A,
    count: u32,
}

/// Applies as many of `items` as can be applied and names the rest.
///
/// # Errors
/// The stop that an attempt met.
pub fn isolate<A: Attempts>(items: &[usize], attempts: &mut A) -> Result<Isolation<A::Fault>, A::Stop> {
    let mut search = Search { attempts, count: 0 };
    let mut remaining = items.to_vec();
    let mut bad: Vec<Bad<A::Fault>> = Vec::new();
    loop {
        if remaining.is_empty() {
            return Ok(Isolation { good: remaining, bad, attempts: search.count });
        }
        let Err(fault) = search.apply(&remaining)? else {
            return Ok(Isolation { good: remaining, bad, attempts: search.count });
        };
        let mut suspects = Vec::new();
        search.halve(&remaining, fault, &mut suspects)?;
        for (suspect, fault) in suspects {
            if !remaining.contains(&suspect) {
                continue;
            }
            let found = search.explain(&remaining, suspect, fault)?;
            remaining.retain(|item| !found.items.contains(item));
            bad.push(found);
        }
        search.attempts.reset()?;
    }
}

impl<A: Attempts> Search<'_, A> {
    fn apply(&mut self, items: &[usize]) -> Result<Result<(), A::Fault>, A::Stop> {
        self.count += 1;
        self.attempts.apply(items)
    }

    fn fresh(&mut self, items: &[usize]) -> Result<Result<(), A::Fault>, A::Stop> {
        self.attempts.reset()?;
        self.apply(items)
    }

    /// `items` is known to fail, with `fault`, on top of what is applied now. Leaves its good part applied.
    fn halve(
        &mut self,
        items: &[usize],
        fault: A::Fault,
        suspects: &mut Vec<(usize, A::Fault)>,
    ) -> Result<(), A::Stop> {
        if let [only] = items {
            suspects.push((*only, fault));
            return Ok(());
        }
        let (left, right) = items.split_at(items.len() / 2);
        match self.apply(left)? {
            // The left half is good, so it is the right one that fails: no need to try it.
            Ok(()) => return self.halve(right, fault, suspects),
            Err(fault) => self.halve(left, fault, suspects)?,
        }
        match self.apply(right)? {
            Ok(()) => Ok(()),
            Err(fault) => self.halve(right, fault, suspects),
        }
    }

    /// Whether the suspect fails alone, and if not, the smallest group before it that it fails with.
    fn explain(
        &mut self,
        remaining: &[usize],
        suspect: usize,
        seen: A::Fault,
    ) -> Result<Bad<A::Fault>, A::Stop> {
        if let Err(fault) = self.fresh(&[suspect])? {
            return Ok(Bad { items: vec![suspect], fault });
        }
        let mut before: Vec<usize> = remaining.iter().copied().take_while(|item| *item != suspect).collect();
        let mut group = vec![suspect];
        let mut last = seen;
        loop {
            let whole: Vec<usize> = before.iter().chain(&group).copied().collect();
            let Err(fault) = self.fresh(&whole)? else { break };
            last = fault;
            let (mut fits, mut fails) = (0, before.len());
            while fits < fails {
                let middle = usize::midpoint(fits, fails);
                let probe: Vec<usize> = before[..middle].iter().chain(&group).copied().collect();
                match self.fresh(&probe)? {
                    Ok(()) => fits = middle + 1,
                    Err(fault) => {
                        last = fault;
                        fails = middle;
                    }
                }
            }
            if fails == 0 {
                break;
            }
            group.insert(0, before[fails - 1]);
            before.truncate(fails - 1);
        }
        Ok(Bad { items: group, fault: last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Items fail alone (`alone`) or as the last of a group that is complete (`groups`).
    #[derive(Debug, Clone)]
    struct Model {
        alone: Vec<usize>,
        groups: Vec<Vec<usize>>,
        applied: Vec<usize>,
        tries: u32,
    }

    impl Model {
        fn fault(&self, applied: &[usize]) -> Option<&'static str> {
            if applied.iter().any(|item| self.alone.contains(item)) {
                return Some("alone");
            }
            let complete = |group: &Vec<usize>| group.iter().all(|item| applied.contains(item));
            self.groups.iter().any(complete).then_some("group")
        }
    }

    impl Attempts for Model {
        type Fault = &'static str;
        type Stop = ();
        fn apply(&mut self, items: &[usize]) -> Result<Result<(), &'static str>, ()> {
            self.tries += 1;
            let mut next = self.applied.clone();
            next.extend(items);
            match self.fault(&next) {
                Some(fault) => Ok(Err(fault)),
                None => {
                    self.applied = next;
                    Ok(Ok(()))
                }
            }
        }
        fn reset(&mut self) -> Result<(), ()> {
            self.applied.clear();
            Ok(())
        }
    }

    fn model(alone: &[usize], groups: &[&[usize]]) -> Model {
        let groups = groups.iter().map(|group| group.to_vec()).collect();
        Model { alone: alone.to_vec(), groups, applied: Vec::new(), tries: 0 }
    }

    #[test]
    fn one_bad_of_a_thousand_needs_at_most_25_tries_wherever_it_is() {
        for bad in 0..1000 {
            let mut model = model(&[bad], &[]);
            let items: Vec<usize> = (0..1000).collect();
            let verdict = isolate(&items, &mut model).unwrap();
            assert_eq!(verdict.bad, vec![Bad { items: vec![bad], fault: "alone" }]);
            assert_eq!(verdict.good.len(), 999);
            assert!(verdict.attempts <= 25, "{} tries for item {bad}", verdict.attempts);
        }
    }

    #[test]
    fn a_pair_that_only_fails_together_is_refused_together() {
        let mut model = model(&[7], &[&[3, 41]]);
        let verdict = isolate(&(0..50).collect::<Vec<_>>(), &mut model).unwrap();
        let mut refused: Vec<_> = verdict.bad.iter().map(|bad| bad.items.clone()).collect();
        refused.sort();
        assert_eq!(refused, vec![vec![3, 41], vec![7]]);
        assert_eq!(model.applied, verdict.good);
    }

    proptest! {
        #[test]
        fn good_stay_in_order_and_every_item_is_accounted_for(
            size in 1_usize..70,
            alone in prop::collection::btree_set(0_usize..70, 0..6),
            pairs in prop::collection::vec((0_usize..70, 0_usize..70, 0_usize..70), 0..3),
        ) {
            let groups: Vec<Vec<usize>> = pairs
                .iter()
                .map(|(a, b, c)| { let mut g = vec![*a, *b, *c]; g.sort_unstable(); g.dedup(); g })
                .filter(|group| group.len() > 1)
                .collect();
            let alone: Vec<usize> = alone.into_iter().collect();
            let mut model = Model { alone: alone.clone(), groups, applied: vec![], tries: 0 };
            let items: Vec<usize> = (0..size).collect();
            let verdict = isolate(&items, &mut model).unwrap();
            prop_assert_eq!(&model.applied, &verdict.good);
            prop_assert!(verdict.good.is_sorted());
            let mut all: Vec<usize> = verdict.bad.iter().flat_map(|bad| bad.items.clone()).collect();
            all.extend(&verdict.good);
            all.sort_unstable();
            prop_assert_eq!(all, items);
            for item in alone.iter().filter(|item| **item < size) {
                prop_assert!(verdict.bad.iter().any(|bad| bad.items == vec![*item]));
            }
            for bad in &verdict.bad {
                // Every refused set really fails as it stands, and no part of it does.
                prop_assert!(model.fault(&bad.items).is_some());
                for left_out in &bad.items {
                    let part: Vec<usize> = bad.items.iter().copied().filter(|i| i != left_out).collect();
                    prop_assert!(part.is_empty() || model.fault(&part).is_none());
                }
            }
            let bound = 2 + 8 * (verdict.bad.len() as u32 + 1) * (8 + size.ilog2());
            prop_assert!(verdict.attempts <= bound, "{} tries > {}", verdict.attempts, bound);
        }
    }
}
