//! Isolation: which items of a failing batch are bad, found inside the batch's own transaction.
//!
//! Owns the search. It does not know what an item is or how it is applied: the caller offers [`Attempts`],
//! backed by savepoints, and gets the verdict.
//!
//! The search. A failing batch is halved; a half that applies stays applied, so its sibling is known to
//! fail and is halved without another try. About `k * log2(B / k)` tries find `k` bad items of `B`. Each
//! suspect is then tried on the rows as they were before the batch, on top of nothing but the items that it
//! builds on. A suspect that applies so is the victim of an interaction (two items that take the same
//! unique value): binary search over the items before it finds the smallest group that fails together, and
//! the whole group is refused.
//!
//! Invariants: when [`isolate`] returns, exactly the `good` items are applied, in their original order; an
//! item is never refused for building on a bad one or for being built on by a bad one; a stop (lost
//! connection, full disk) is passed on at once and classifies nothing.

use std::collections::HashSet;

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

    /// The items before `item` without which it means nothing, because they change the same rows; theirs
    /// included.
    fn builds_on(&mut self, item: usize) -> Vec<usize> {
        let _ = item;
        Vec::new()
    }
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

/// What became of a suspect.
enum Explained<F> {
    /// It is refused, maybe with others.
    Bad(Bad<F>),
    /// It fails no more.
    Spared(F),
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
        let known = bad.len();
        let mut spared = None;
        for (suspect, fault) in suspects {
            if !remaining.contains(&suspect) {
                continue;
            }
            match search.explain(&remaining, suspect, fault)? {
                Explained::Bad(found) => {
                    remaining.retain(|item| !found.items.contains(item));
                    bad.push(found);
                }
                Explained::Spared(fault) => drop(spared.get_or_insert((suspect, fault))),
            }
        }
        // What failed failed for something. Without this a batch that fails now and then never ended.
        if let (true, Some((suspect, fault))) = (bad.len() == known, spared) {
            remaining.retain(|item| *item != suspect);
            bad.push(Bad { items: vec![suspect], fault });
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

    /// Why the suspect fails: by itself, or with the smallest group of items before it. It is spared
    /// when it fails no more, because what it failed with is gone from `remaining`.
    fn explain(
        &mut self,
        remaining: &[usize],
        suspect: usize,
        seen: A::Fault,
    ) -> Result<Explained<A::Fault>, A::Stop> {
        let present: HashSet<usize> = remaining.iter().copied().collect();
        let mut base = HashSet::new();
        self.widen(&mut base, suspect, &present);
        if !base.is_empty() && self.fresh(&in_order(remaining, &[&base]))?.is_err() {
            // What it builds on does not hold by itself, so it is part of the question.
            base.clear();
        }
        let first = if base.is_empty() { self.fresh(&[suspect])? } else { self.apply(&[suspect])? };
        if let Err(fault) = first {
            return Ok(Explained::Bad(Bad { items: vec![suspect], fault }));
        }
        let before_it = remaining.iter().copied().take_while(|item| *item != suspect);
        let mut before: Vec<usize> = before_it.filter(|item| !base.contains(item)).collect();
        let mut group = HashSet::from([suspect]);
        let mut last = None;
        loop {
            let mut probe = |search: &mut Self, count: usize| {
                let part: HashSet<usize> = before[..count].iter().copied().collect();
                match search.fresh(&in_order(remaining, &[&part, &base, &group]))? {
                    Ok(()) => Ok(false),
                    Err(fault) => {
                        last = Some(fault);
                        Ok(true)
                    }
                }
            };
            let (mut fits, mut fails) = (0, before.len());
            if !probe(self, fails)? {
                break;
            }
            while fits < fails {
                let middle = usize::midpoint(fits, fails);
                if probe(self, middle)? {
                    fails = middle;
                } else {
                    fits = middle + 1;
                }
            }
            if fails == 0 {
                break;
            }
            let found = before[fails - 1];
            group.insert(found);
            before.truncate(fails - 1);
            self.widen(&mut base, found, &present);
            base.retain(|item| !group.contains(item));
            before.retain(|item| !base.contains(item));
        }
        Ok(match last {
            Some(fault) => Explained::Bad(Bad { items: in_order(remaining, &[&group]), fault }),
            None => Explained::Spared(seen),
        })
    }

    /// Adds to `base` what `item` builds on, of the items that are still there.
    fn widen(&mut self, base: &mut HashSet<usize>, item: usize, present: &HashSet<usize>) {
        base.extend(self.attempts.builds_on(item).into_iter().filter(|item| present.contains(item)));
    }
}

/// The items of `remaining` that are in one of the sets.
fn in_order(remaining: &[usize], sets: &[&HashSet<usize>]) -> Vec<usize> {
    remaining.iter().copied().filter(|item| sets.iter().any(|set| set.contains(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Items fail alone (`alone`) or as the last of a group that is complete (`groups`). An item that builds on
    /// one that is not applied does nothing (`chains`, pairs of an item and one before it).
    #[derive(Debug, Clone)]
    struct Model {
        alone: Vec<usize>,
        groups: Vec<Vec<usize>>,
        chains: Vec<(usize, usize)>,
        applied: Vec<usize>,
        tries: u32,
    }

    impl Model {
        /// The items of `applied` that do something.
        fn effective(&self, applied: &[usize]) -> Vec<usize> {
            let mut effective: Vec<usize> = Vec::new();
            for item in applied {
                let ready = |(later, earlier): &(usize, usize)| later != item || effective.contains(earlier);
                if self.chains.iter().all(ready) {
                    effective.push(*item);
                }
            }
            effective
        }

        fn fault(&self, applied: &[usize]) -> Option<&'static str> {
            let applied = self.effective(applied);
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
        fn builds_on(&mut self, item: usize) -> Vec<usize> {
            let direct: Vec<usize> =
                self.chains.iter().filter(|(later, _)| *later == item).map(|(_, earlier)| *earlier).collect();
            let mut all = direct.clone();
            for earlier in direct {
                all.extend(self.builds_on(earlier));
            }
            all
        }
    }

    fn model(alone: &[usize], groups: &[&[usize]]) -> Model {
        let groups = groups.iter().map(|group| group.to_vec()).collect();
        Model { alone: alone.to_vec(), groups, chains: Vec::new(), applied: Vec::new(), tries: 0 }
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

    #[test]
    fn an_item_that_failed_with_a_refused_one_is_good_without_it() {
        let mut model = model(&[], &[&[3, 20], &[3, 30]]);
        let verdict = isolate(&(0..40).collect::<Vec<_>>(), &mut model).unwrap();
        assert_eq!(verdict.bad, vec![Bad { items: vec![3, 20], fault: "group" }]);
        assert!(verdict.good.contains(&30));
    }

    #[test]
    fn a_bad_item_that_builds_on_a_good_one_is_refused_without_it() {
        let mut model = model(&[9], &[&[4, 30]]);
        model.chains = vec![(9, 2), (2, 1), (12, 9), (30, 28)];
        let verdict = isolate(&(0..40).collect::<Vec<_>>(), &mut model).unwrap();
        let mut refused: Vec<_> = verdict.bad.iter().map(|bad| bad.items.clone()).collect();
        refused.sort();
        assert_eq!(refused, vec![vec![4, 30], vec![9]]);
        assert!([1, 2, 12, 28].iter().all(|item| verdict.good.contains(item)));
    }

    proptest! {
        #[test]
        fn good_stay_in_order_and_every_item_is_accounted_for(
            size in 1_usize..70,
            alone in prop::collection::btree_set(0_usize..70, 0..6),
            pairs in prop::collection::vec((0_usize..70, 0_usize..70, 0_usize..70), 0..3),
            chains in prop::collection::vec((1_usize..70, 1_usize..70), 0..12),
        ) {
            let chains: Vec<_> =
                chains.into_iter().map(|(item, back)| (item, item.saturating_sub(back))).collect();
            let groups: Vec<Vec<usize>> = pairs
                .iter()
                .map(|(a, b, c)| { let mut g = vec![*a, *b, *c]; g.sort_unstable(); g.dedup(); g })
                .filter(|group| group.len() > 1)
                .collect();
            let alone: Vec<usize> = alone.into_iter().collect();
            let mut model = Model { alone: alone.clone(), groups, chains, applied: vec![], tries: 0 };
            let items: Vec<usize> = (0..size).collect();
            let verdict = isolate(&items, &mut model).unwrap();
            prop_assert_eq!(&model.applied, &verdict.good);
            prop_assert!(verdict.good.is_sorted());
            let mut all: Vec<usize> = verdict.bad.iter().flat_map(|bad| bad.items.clone()).collect();
            all.extend(&verdict.good);
            all.sort_unstable();
            prop_assert_eq!(all, items);
            let refused = |item: &usize| verdict.bad.iter().any(|bad| bad.items.contains(item));
            for item in alone.iter().filter(|item| **item < size) {
                let by_itself = verdict.bad.iter().any(|bad| bad.items == vec![*item]);
                prop_assert!(by_itself || model.builds_on(*item).iter().any(refused), "{item}");
            }
            for bad in &verdict.bad {
                // Every refused set really fails on what it builds on, and no part of it does.
                let mut other = model.clone();
                let mut fails = |items: &[usize]| {
                    let mut all: Vec<usize> = items.to_vec();
                    for item in items {
                        all.extend(other.builds_on(*item).into_iter().filter(|base| !bad.items.contains(base)));
                    }
                    all.sort_unstable();
                    all.dedup();
                    all.iter().any(|item| refused(item) && !bad.items.contains(item)) || other.fault(&all).is_some()
                };
                prop_assert!(fails(&bad.items));
                for left_out in bad.items.iter().filter(|_| bad.items.len() > 1) {
                    let part: Vec<usize> = bad.items.iter().copied().filter(|i| i != left_out).collect();
                    let unclear = part.iter().any(|item| model.builds_on(*item).iter().any(refused));
                    prop_assert!(unclear || !fails(&part), "{part:?}");
                }
            }
            let bound = 2 + 8 * (verdict.bad.len() as u32 + 1) * (8 + size.ilog2());
            prop_assert!(verdict.attempts <= bound, "{} tries > {}", verdict.attempts, bound);
        }
    }
}
