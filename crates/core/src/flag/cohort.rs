//! Cohorts: who is a member of a rollout, and what a change does to the members.
//!
//! Owns membership over a known list of keys, the difference between two memberships - "N enter, M leave, K swap" - and
//! the rule that a live pilot's members are not swapped unasked. It looks at the key alone: whether a member also keeps
//! the rollout's constraints is known only when it asks.
//!
//! Invariants: with the same salt, algorithm and list, a larger percentage has all members of a smaller one; earlier
//! members of an exact quota stay whatever keys are added to the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::bucket::{Algorithm, murmur3_32};
use super::definition::{Flag, Rollout, State, Variant};
use super::percent::Percent;

/// How many made-up keys stand for the customers while nobody gave their list.
pub const SAMPLE: usize = 10_000;

/// The seed with which Unleash hashes variants, so that they do not follow the rollout (client specification, 5.1).
const VARIANT_SEED: u32 = 86_028_157;

/// Who gets a flag, and which variant.
pub type Members = BTreeMap<String, Option<String>>;

/// The keys within a rollout at a percentage.
///
/// `earlier` are the members so far; only [`Algorithm::Quota1`] asks for them.
pub fn within<'a>(
    rollout: &Rollout,
    percent: Percent,
    keys: impl IntoIterator<Item = &'a str>,
    earlier: &BTreeSet<String>,
) -> BTreeSet<String> {
    if rollout.algorithm == Algorithm::Quota1 {
        return quota(rollout, percent, keys, earlier);
    }
    let included = keys.into_iter().filter(|key| rollout.algorithm.includes(&rollout.salt, key, percent));
    included.map(str::to_owned).collect()
}

/// The place of a key in the order in which an exact quota takes its members: the lowest first. It depends on the salt and
/// the key alone, so it is the same on every machine and for ever.
pub fn rank(salt: &str, key: &str) -> u32 {
    murmur3_32(format!("{salt}:{key}").as_bytes(), 0)
}

/// Exactly the asked share of the keys, rounded to the nearest: earlier members first, then by the lowest hash.
fn quota<'a>(
    rollout: &Rollout,
    percent: Percent,
    keys: impl IntoIterator<Item = &'a str>,
    earlier: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut ranked: Vec<(bool, u32, &str)> =
        keys.into_iter().map(|key| (!earlier.contains(key), rank(&rollout.salt, key), key)).collect();
    ranked.sort_unstable();
    ranked.dedup();
    let asked = percent.of(ranked.len() as u64);
    ranked.into_iter().take(asked as usize).map(|(_, _, key)| key.to_owned()).collect()
}

/// The variant that a key gets, by the flag's own variants; `None` when it has none.
pub fn variant<'a>(flag: &'a Flag, key: &str) -> Option<&'a Variant> {
    let total: u64 =
        flag.variants.iter().map(|variant| u64::from(variant.weight.max(0).unsigned_abs())).sum();
    let total = u32::try_from(total).ok().filter(|total| *total > 0)?;
    let target = murmur3_32(format!("{}:{key}", flag.salt).as_bytes(), VARIANT_SEED) % total + 1;
    let mut sum = 0;
    flag.variants.iter().find(|variant| {
        sum += variant.weight.max(0).unsigned_abs();
        sum >= target
    })
}

/// Who of `keys` gets the flag at a time, as far as the key alone decides: the lists, the rollout, and everybody where
/// there is neither rollout nor rule.
pub fn members<'a>(
    flag: &Flag,
    at: &str,
    keys: impl IntoIterator<Item = &'a str> + Clone,
    earlier: &BTreeSet<String>,
) -> Members {
    if flag.state != State::On {
        return Members::new();
    }
    let mut within_rollout: BTreeSet<String> = match &flag.rollout {
        Some(rollout) => within(rollout, rollout.percent_at(at), keys.clone(), earlier),
        None if flag.rules.is_empty() => keys.clone().into_iter().map(str::to_owned).collect(),
        None => BTreeSet::new(),
    };
    within_rollout.extend(keys.into_iter().filter(|key| flag.allow.contains_key(*key)).map(str::to_owned));
    within_rollout
        .into_iter()
        .filter(|key| !flag.deny.contains(key))
        .map(|key| {
            let fixed = flag.allow.get(&key).cloned().flatten();
            let variant = fixed.or_else(|| variant(flag, &key).map(|variant| variant.name.clone()));
            (key, variant)
        })
        .collect()
}

/// Made-up keys, for a difference that is an estimate.
pub fn sample_keys() -> Vec<String> {
    (1..=SAMPLE).map(|number| number.to_string()).collect()
}

/// What a change does to the members.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Difference {
    /// Who gets it and did not before.
    pub enter: Vec<String>,
    /// Who got it and does not any more.
    pub leave: Vec<String>,
    /// Who keeps it, but in another variant.
    pub switch: Vec<String>,
    /// How many keep it as it was.
    pub stay: usize,
    /// How many keys were looked at.
    pub of: usize,
    /// True when the keys are the real ones; false when they were made up and the figures are an estimate.
    pub exact: bool,
}

impl Difference {
    /// Between two memberships.
    pub fn between(before: &Members, after: &Members, of: usize, exact: bool) -> Self {
        let mut difference = Self { of, exact, ..Self::default() };
        for (key, variant) in after {
            match before.get(key) {
                None => difference.enter.push(key.clone()),
                Some(earlier) if earlier != variant => difference.switch.push(key.clone()),
                Some(_) => difference.stay += 1,
            }
        }
        difference.leave = before.keys().filter(|key| !after.contains_key(*key)).cloned().collect();
        difference
    }

    /// How many members are replaced by others or moved to another variant: what the growth or the shrinking of the
    /// rollout does not explain.
    pub fn swaps(&self) -> usize {
        self.enter.len().min(self.leave.len()) + self.switch.len()
    }

    /// True when nobody is affected.
    pub fn is_empty(&self) -> bool {
        self.enter.is_empty() && self.leave.is_empty() && self.switch.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (enter, leave) = (self.enter.len(), self.leave.len());
        write!(f, "{enter} enter, {leave} leave, {} swap", self.swaps())?;
        if self.exact {
            write!(f, " (of {} known keys)", self.of)
        } else {
            write!(f, " (estimated on {} made-up keys)", self.of)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rollout(percent: u32, algorithm: Algorithm, salt: &str) -> Rollout {
        Rollout {
            percent: Percent::from_hundredths(percent),
            algorithm,
            salt: salt.into(),
            stages: Vec::new(),
            constraints: Vec::new(),
            segments: Vec::new(),
        }
    }

    fn on(rollout: Rollout) -> Flag {
        Flag { state: State::On, rollout: Some(rollout), ..Flag::new("pilot") }
    }

    const NOW: &str = "2026-11-28T12:00:00.000Z";

    fn list(keys: &[String]) -> Vec<&str> {
        keys.iter().map(String::as_str).collect()
    }

    fn algorithm() -> impl Strategy<Value = Algorithm> {
        prop::sample::select(Algorithm::ALL.to_vec())
    }

    proptest! {
        /// Growing keeps everybody, under every algorithm.
        #[test]
        fn growth_is_monotone(
            algorithm in algorithm(), salt in "[a-z]{1,8}",
            mut percents in prop::collection::vec(0_u32..=100, 2..6),
            keys in prop::collection::btree_set("[a-z0-9]{1,6}", 1..200),
        ) {
            percents.sort_unstable();
            let keys: Vec<String> = keys.into_iter().collect();
            let mut earlier = BTreeSet::new();
            for percent in percents {
                let now = within(&rollout(percent * 100, algorithm, &salt), Percent::whole(percent), list(&keys), &earlier);
                prop_assert!(earlier.is_subset(&now), "{earlier:?} {now:?}");
                earlier = now;
            }
        }

        /// Keys that join the list later displace nobody of an exact quota, and its size is exact.
        #[test]
        fn a_quota_is_exact_and_keeps_its_members(
            percent in 0_u32..=100,
            first in prop::collection::btree_set("[a-z0-9]{1,6}", 1..100),
            more in prop::collection::btree_set("[a-z0-9]{1,6}", 0..100),
        ) {
            let quota = rollout(percent * 100, Algorithm::Quota1, "pilot");
            let before = within(&quota, quota.percent, first.iter().map(String::as_str), &BTreeSet::new());
            prop_assert_eq!(before.len(), (first.len() * percent as usize + 50) / 100);
            let all: BTreeSet<String> = first.union(&more).cloned().collect();
            let after = within(&quota, quota.percent, all.iter().map(String::as_str), &before);
            prop_assert_eq!(after.len(), (all.len() * percent as usize + 50) / 100);
            prop_assert!(before.is_subset(&after));
        }

        /// The name says nothing about the members.
        #[test]
        fn renaming_moves_nobody(percent in 0_u32..=100, name in "[a-z]{1,10}") {
            let keys = sample_keys();
            let keys = list(&keys[..500]);
            let mut flag = on(rollout(percent * 100, Algorithm::Unleash1, "pilot"));
            flag.variants = vec![
                Variant { name: "a".into(), weight: 500, ..Variant::default() },
                Variant { name: "b".into(), weight: 500, ..Variant::default() },
            ];
            let before = members(&flag, NOW, keys.clone(), &BTreeSet::new());
            flag.name = name;
            let after = members(&flag, NOW, keys, &BTreeSet::new());
            prop_assert!(Difference::between(&before, &after, 500, true).is_empty());
        }

        /// Deny beats allow beats percentage.
        #[test]
        fn deny_beats_allow_beats_percentage(percent in 0_u32..=100, denied: bool, allowed: bool, key in "[a-z]{1,6}") {
            let mut flag = on(rollout(percent * 100, Algorithm::Unleash1, "pilot"));
            let by_percentage = members(&flag, NOW, [key.as_str()], &BTreeSet::new()).contains_key(&key);
            if denied { flag.deny.insert(key.clone()); }
            if allowed { flag.allow.insert(key.clone(), None); }
            let gets = members(&flag, NOW, [key.as_str()], &BTreeSet::new()).contains_key(&key);
            prop_assert_eq!(gets, if denied { false } else { allowed || by_percentage });
        }

        /// The difference against plain set arithmetic.
        #[test]
        fn differences_add_up(
            before in prop::collection::btree_map("[a-f]{1,2}", prop::option::of("[ab]"), 0..20),
            after in prop::collection::btree_map("[a-f]{1,2}", prop::option::of("[ab]"), 0..20),
        ) {
            let difference = Difference::between(&before, &after, 0, true);
            prop_assert_eq!(difference.stay + difference.switch.len() + difference.leave.len(), before.len());
            prop_assert_eq!(difference.stay + difference.switch.len() + difference.enter.len(), after.len());
            if before.keys().eq(after.keys()) { prop_assert_eq!(difference.swaps(), difference.switch.len()); }
        }
    }

    /// 10,000 ids: the share is within four standard deviations of what was asked, for every algorithm.
    #[test]
    fn shares_are_what_was_asked() {
        let keys = sample_keys();
        for algorithm in Algorithm::ALL {
            for percent in [1, 5, 10, 25, 50, 90, 100] {
                let rollout = rollout(percent * 100, algorithm, "pilot");
                let count = within(&rollout, rollout.percent, list(&keys), &BTreeSet::new()).len() as f64;
                let share = f64::from(percent) / 100.0;
                let deviation = (SAMPLE as f64 * share * (1.0 - share)).sqrt();
                let off = (count - SAMPLE as f64 * share).abs();
                assert!(off <= 4.0 * deviation + 0.5, "{algorithm} {percent} %: {count}");
            }
        }
    }

    /// Chi-square of the 2 x 2 table of two flags with different salts: below the 0.1 % point of one degree of freedom.
    /// With the same salt they are the same members.
    #[test]
    fn flags_are_independent_of_each_other() {
        let keys = sample_keys();
        for algorithm in [Algorithm::Unleash1, Algorithm::Plimsoll1, Algorithm::Flagd3] {
            for (first, second) in
                [("pilot", "billing"), ("a", "b"), ("flag-1", "flag-2"), ("pilot", "pilot2")]
            {
                let chi_square = chi_square(algorithm, first, second, &keys);
                assert!(chi_square < 10.83, "{algorithm} {first} {second}: {chi_square}");
            }
            assert!(chi_square(algorithm, "pilot", "pilot", &keys) > 1_000.0);
        }
    }

    fn chi_square(algorithm: Algorithm, first: &str, second: &str, keys: &[String]) -> f64 {
        let percent = Percent::whole(30);
        let mut table = [[0.0_f64; 2]; 2];
        for key in keys {
            let a = usize::from(algorithm.includes(first, key, percent));
            let b = usize::from(algorithm.includes(second, key, percent));
            table[a][b] += 1.0;
        }
        let total: f64 = table.iter().flatten().sum();
        let mut chi_square = 0.0;
        for row in &table {
            for (b, observed) in row.iter().enumerate() {
                let expected = row.iter().sum::<f64>() * (table[0][b] + table[1][b]) / total;
                chi_square += (observed - expected).powi(2) / expected;
            }
        }
        chi_square
    }

    #[test]
    fn another_salt_swaps_and_a_larger_share_does_not() {
        let keys = sample_keys();
        let of = |percent: u32, salt: &str| {
            members(
                &on(rollout(percent * 100, Algorithm::Unleash1, salt)),
                NOW,
                list(&keys),
                &BTreeSet::new(),
            )
        };
        let (small, large, other) = (of(10, "pilot"), of(25, "pilot"), of(10, "other"));
        let growth = Difference::between(&small, &large, SAMPLE, true);
        assert!(growth.leave.is_empty() && growth.swaps() == 0 && growth.enter.len() > 1_000);
        let redrawn = Difference::between(&small, &other, SAMPLE, true);
        assert!(redrawn.swaps() > 800, "{redrawn}");
    }

    #[test]
    fn stages_take_over_at_their_moment() {
        let mut rollout = rollout(100, Algorithm::Unleash1, "pilot");
        let stage =
            |at: &str, percent| super::super::Stage { at: at.into(), percent: Percent::whole(percent) };
        rollout.stages = vec![stage("2026-12-01T00:00:00.000Z", 10), stage("2026-12-08T00:00:00.000Z", 50)];
        assert_eq!(rollout.percent_at(NOW), Percent::whole(1));
        assert_eq!(rollout.percent_at("2026-12-01T00:00:00.000Z"), Percent::whole(10));
        assert_eq!(rollout.percent_at("2027-01-01T00:00:00.000Z"), Percent::whole(50));
        assert_eq!(rollout.largest_from(NOW), Percent::whole(50));
    }
}
