//! Balance: whether the cohort is like the rest.
//!
//! Owns the table that compares the cohort with the rest: seats against exact shares by stratum, the standardized mean
//! difference of every figure, and of the share of every region and customer type. **The rest** are those who could have
//! been drawn and were not: a criterion makes the cohort unlike those it keeps out, which is wanted.
//!
//! The standardized mean difference is the difference of the means over the root of the mean of both sample variances; for
//! a share p the variance is p(1 - p). Below [`BALANCED`] a difference is usually held to be negligible. It is `None` where it
//! is not defined: fewer than two figures on a side, or no variance and different means.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::quota::Room;
use super::{Customer, StratumName};

/// A standardized difference below this is held to be negligible.
pub const BALANCED: f64 = 0.1;

/// The whole table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Balance {
    /// Seats by stratum.
    pub strata: Vec<StratumBalance>,
    /// Means by figure; `orders` comes first.
    pub covariates: Vec<MeanBalance>,
    /// Shares of each region.
    pub regions: Vec<ShareBalance>,
    /// Shares of each customer type.
    pub customer_types: Vec<ShareBalance>,
}

/// One stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StratumBalance {
    /// The region.
    pub region: String,
    /// The customer type.
    pub customer_type: String,
    /// Those who could be drawn, members included.
    pub eligible: u64,
    /// Members before this selection.
    pub earlier: u64,
    /// Members.
    pub members: u64,
    /// The exact share of the seats.
    pub exact: f64,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MeanBalance {
    /// Its name.
    pub name: String,
    /// The mean of the cohort; `None` without a figure.
    pub cohort: Option<f64>,
    /// The mean of the rest.
    pub rest: Option<f64>,
    /// Customers for whom nobody knows it, on both sides.
    pub missing: u64,
    /// The standardized mean difference.
    pub difference: Option<f64>,
}

/// One value of a region or customer type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareBalance {
    /// The value.
    pub name: String,
    /// Its share of the cohort, 0 to 1.
    pub cohort: f64,
    /// Its share of the rest.
    pub rest: f64,
    /// The standardized difference.
    pub difference: Option<f64>,
}

impl Balance {
    /// The largest standardized difference, without its sign. One that is not defined counts as infinite if the means
    /// differ at all, and not at all if there is nothing to compare.
    pub fn worst(&self) -> f64 {
        let means = self.covariates.iter().map(|row| (row.difference, row.cohort, row.rest));
        let shares = self.regions.iter().chain(&self.customer_types);
        let shares = shares.map(|row| (row.difference, Some(row.cohort), Some(row.rest)));
        let size = |(difference, cohort, rest): (Option<f64>, Option<f64>, Option<f64>)| match difference {
            Some(difference) => difference.abs(),
            None if cohort.zip(rest).is_some_and(|(cohort, rest)| cohort != rest) => f64::INFINITY,
            None => 0.0,
        };
        means.chain(shares).map(size).fold(0.0, f64::max)
    }
}

pub(super) fn balance(
    drawn: &[(&Customer, usize)],
    members: &BTreeSet<String>,
    rooms: &[(StratumName<'_>, Room)],
    seats: u64,
) -> Balance {
    let all: u64 = rooms.iter().map(|(_, room)| room.population).sum();
    let mut strata: Vec<StratumBalance> = rooms
        .iter()
        .map(|(name, room)| StratumBalance {
            region: name.0.to_owned(),
            customer_type: name.1.to_owned(),
            eligible: room.population,
            earlier: room.least,
            members: 0,
            exact: if all == 0 { 0.0 } else { seats as f64 * room.population as f64 / all as f64 },
        })
        .collect();
    let mut sides: [Vec<&Customer>; 2] = [Vec::new(), Vec::new()];
    // In the order of the ids, so that no order of the input reaches the last bits of a sum.
    let mut sorted: Vec<&(&Customer, usize)> = drawn.iter().collect();
    sorted.sort_unstable_by(|a, b| a.0.id.cmp(&b.0.id));
    for (customer, at) in sorted {
        let member = members.contains(&customer.id);
        strata[*at].members += u64::from(member);
        sides[usize::from(!member)].push(customer);
    }
    let names: BTreeSet<&str> =
        drawn.iter().flat_map(|(customer, _)| customer.covariates.keys().map(String::as_str)).collect();
    let mut covariates = vec![mean("orders", &sides, |customer| Some(customer.orders as f64))];
    covariates.extend(names.into_iter().map(|name| {
        mean(name, &sides, |customer| {
            customer.covariates.get(name).copied().filter(|value| value.is_finite())
        })
    }));
    Balance {
        strata,
        covariates,
        regions: shares(&sides, |customer| &customer.region),
        customer_types: shares(&sides, |customer| &customer.customer_type),
    }
}

fn mean(name: &str, sides: &[Vec<&Customer>; 2], figure: impl Fn(&Customer) -> Option<f64>) -> MeanBalance {
    let figures =
        sides.each_ref().map(|side| side.iter().filter_map(|one| figure(one)).collect::<Vec<f64>>());
    let known: usize = figures.iter().map(Vec::len).sum();
    let all: usize = sides.iter().map(Vec::len).sum();
    let [cohort, rest] = figures.each_ref().map(|side| moments(side));
    let difference =
        cohort.zip(rest).and_then(|(cohort, rest)| standardized(cohort.0, cohort.1?, rest.0, rest.1?));
    MeanBalance {
        name: name.to_owned(),
        cohort: cohort.map(|side| side.0),
        rest: rest.map(|side| side.0),
        missing: (all - known) as u64,
        difference,
    }
}

/// Mean and sample variance, the latter from two figures on.
fn moments(figures: &[f64]) -> Option<(f64, Option<f64>)> {
    let count = figures.len() as f64;
    if figures.is_empty() {
        return None;
    }
    let mean = figures.iter().sum::<f64>() / count;
    let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
    Some((mean, (figures.len() > 1).then(|| squares / (count - 1.0))))
}

fn standardized(cohort: f64, cohort_variance: f64, rest: f64, rest_variance: f64) -> Option<f64> {
    let pooled = ((cohort_variance + rest_variance) / 2.0).sqrt();
    if cohort == rest {
        return Some(0.0);
    }
    (pooled > 0.0).then(|| (cohort - rest) / pooled)
}

fn shares<'a>(sides: &[Vec<&'a Customer>; 2], value: impl Fn(&'a Customer) -> &'a str) -> Vec<ShareBalance> {
    let mut counts: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for (side, customers) in sides.iter().enumerate() {
        for customer in customers {
            counts.entry(value(customer)).or_default()[side] += 1;
        }
    }
    let share = |count: u64, side: usize| {
        if sides[side].is_empty() { 0.0 } else { count as f64 / sides[side].len() as f64 }
    };
    let both = sides.iter().all(|side| !side.is_empty());
    counts
        .into_iter()
        .map(|(name, [cohort, rest])| {
            let (cohort, rest) = (share(cohort, 0), share(rest, 1));
            let variance = |share: f64| share * (1.0 - share);
            let difference =
                both.then(|| standardized(cohort, variance(cohort), rest, variance(rest))).flatten();
            ShareBalance { name: name.to_owned(), cohort, rest, difference }
        })
        .collect()
}
