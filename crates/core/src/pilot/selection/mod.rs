//! Selection: which customers a pilot takes, exactly so many, and why.
//!
//! Owns the request, the draw, and what is said about each customer. `quota` shares the seats among the strata, [`balance`]
//! compares the cohort with the rest, [`explain`] holds the reasons. It freezes nothing: the caller stores the members in
//! the pilot's flag and hands them back as the earlier members of the next, larger selection.
//!
//! The rules:
//! - **Size.** A percentage is rounded to the nearest whole customer, half up ([`Percent::of`]); it is a share of all
//!   customers, or of the eligible ones if the request says so. The cohort has exactly this size or there is an error; only
//!   a cap on the whole lowers it, and the result says so.
//! - **Strata.** A stratum is a region and a customer type. Seats go to the strata so that the sum of the squared deviations
//!   from their exact shares is the least possible under the caps; without caps and earlier members that is the method
//!   of the largest remainder, so that no stratum is off by a whole seat.
//! - **Draw.** Within a stratum the lowest [`cohort::rank`] of salt and id enters, the order in which `quota-1` takes members.
//!
//! Invariants: earlier members stay, whatever customers joined or changed since; the result depends on the set of
//! customers, never on their order; nobody new enters against a criterion, an exclusion or a cap.

pub mod balance;
pub mod explain;
mod quota;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::flag::Percent;
use crate::flag::cohort;

pub use balance::Balance;
pub use explain::{Explanation, Hindrance, SelectionError};
use quota::Room;

/// The name of these rules, stored with what they chose. What they choose never changes under it.
pub const ALGORITHM: &str = "strata-1";

/// One customer, as far as a selection asks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The id that the pilot's flag hashes and lists.
    pub id: String,
    /// How many orders there are.
    pub orders: u64,
    /// The region, as the system derives it from the address.
    pub region: String,
    /// The customer type, such as `household` or `restaurant`.
    pub customer_type: String,
    /// What is known of the customer: `agreement_signed`, `good_payer`, `open_incident`.
    #[serde(default)]
    pub marks: BTreeSet<String>,
    /// Figures by which cohort and rest are compared, beside the orders.
    #[serde(default)]
    pub covariates: BTreeMap<String, f64>,
}

/// How many are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// A share.
    Percent(Percent),
    /// A number.
    Count(u64),
}

/// What a percentage is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareOf {
    /// All customers: 10 % of 2,000 is 200, whoever is excluded.
    #[default]
    Customers,
    /// Those who keep the criteria, and the earlier members.
    Eligible,
}

/// How many there may be at most. Earlier members stay even above a cap; it then keeps newcomers out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// In the whole cohort: it lowers the size.
    pub total: Option<u64>,
    /// By region.
    pub regions: BTreeMap<String, u64>,
    /// By customer type.
    pub customer_types: BTreeMap<String, u64>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// How many.
    pub size: Size,
    /// What a percentage is a share of.
    #[serde(default)]
    pub share_of: ShareOf,
    /// Another salt draws others; the earlier members stay.
    pub salt: String,
    /// Fewer orders keep a customer out.
    #[serde(default)]
    pub minimum_orders: u64,
    /// Only these regions; empty for all.
    #[serde(default)]
    pub regions: BTreeSet<String>,
    /// Only these customer types; empty for all.
    #[serde(default)]
    pub customer_types: BTreeSet<String>,
    /// Every one of these marks is needed.
    #[serde(default)]
    pub required_marks: BTreeSet<String>,
    /// Any of these marks keeps a customer out.
    #[serde(default)]
    pub refused_marks: BTreeSet<String>,
    /// Customers who stay out, by id, with the reason.
    #[serde(default)]
    pub exclusions: BTreeMap<String, String>,
    /// The caps.
    #[serde(default)]
    pub caps: Caps,
}

impl Selection {
    /// A request without criteria.
    pub fn new(size: Size, salt: impl Into<String>) -> Self {
        Self {
            size,
            share_of: ShareOf::Customers,
            salt: salt.into(),
            minimum_orders: 0,
            regions: BTreeSet::new(),
            customer_types: BTreeSet::new(),
            required_marks: BTreeSet::new(),
            refused_marks: BTreeSet::new(),
            exclusions: BTreeMap::new(),
            caps: Caps::default(),
        }
    }
}

/// What was chosen. This is what `pilot select` exports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selected {
    /// The rules under which it was chosen: [`ALGORITHM`].
    pub algorithm: String,
    /// The request.
    pub selection: Selection,
    /// How many customers were looked at.
    pub of: u64,
    /// How many of them keep the criteria or were members already.
    pub eligible: u64,
    /// The size that the request comes to, before the cap on the whole.
    pub asked: u64,
    /// The members, sorted.
    pub members: BTreeSet<String>,
    /// Those who are new among them.
    pub enter: BTreeSet<String>,
    /// Earlier members whom the customers do not know any more: not members, not counted.
    pub gone: BTreeSet<String>,
    /// Exclusions that name nobody.
    pub unknown_exclusions: BTreeSet<String>,
    /// Cohort against rest.
    pub balance: Balance,
    /// Why, for every customer.
    pub explanations: BTreeMap<String, Explanation>,
}

/// Chooses the members of a pilot. `earlier` are the members so far.
///
/// # Errors
/// [`SelectionError`] when the request cannot be met; it says what could be.
pub fn select(
    customers: &[Customer],
    selection: &Selection,
    earlier: &BTreeSet<String>,
) -> Result<Selected, SelectionError> {
    explain::refuse_contradictions(customers, selection, earlier)?;
    let pool = Pool::new(customers, selection, earlier);
    let of = customers.len() as u64;
    let eligible = pool.drawn.len() as u64;
    let asked = match (selection.size, selection.share_of) {
        (Size::Count(count), _) => count,
        (Size::Percent(percent), ShareOf::Customers) => percent.of(of),
        (Size::Percent(percent), ShareOf::Eligible) => percent.of(eligible),
    };
    let wanted = selection.caps.total.map_or(asked, |most| asked.min(most));
    let members_so_far =
        pool.drawn.iter().filter(|(customer, _)| earlier.contains(&customer.id)).count() as u64;
    if wanted == 0 {
        return Err(SelectionError::Nobody { asked: selection.size, of });
    }
    if wanted < members_so_far {
        return Err(SelectionError::Smaller { wanted, earlier: members_so_far });
    }
    if wanted > eligible {
        return Err(SelectionError::TooFew { wanted, eligible, of, first: pool.commonest_hindrance() });
    }
    let seats = pool.seats(selection, wanted)?;
    let mut selected = Selected {
        algorithm: ALGORITHM.to_owned(),
        selection: selection.clone(),
        of,
        eligible,
        asked,
        members: BTreeSet::new(),
        enter: BTreeSet::new(),
        gone: earlier.iter().filter(|id| !pool.known.contains(id.as_str())).cloned().collect(),
        unknown_exclusions: selection
            .exclusions
            .keys()
            .filter(|id| !pool.known.contains(id.as_str()))
            .cloned()
            .collect(),
        balance: Balance::default(),
        explanations: BTreeMap::new(),
    };
    pool.draw(&seats, &mut selected);
    selected.balance = balance::balance(&pool.drawn, &selected.members, &pool.rooms, wanted);
    Ok(selected)
}

/// The one of `salts` whose cohort is most like the rest: the least of the largest standardized differences. The first
/// wins a tie. `None` without salts.
///
/// # Errors
/// As [`select`].
pub fn best_salt(
    customers: &[Customer],
    selection: &Selection,
    earlier: &BTreeSet<String>,
    salts: &[String],
) -> Result<Option<Selected>, SelectionError> {
    let mut best: Option<(f64, Selected)> = None;
    for salt in salts {
        let asked = Selection { salt: salt.clone(), ..selection.clone() };
        let selected = select(customers, &asked, earlier)?;
        let worst = selected.balance.worst();
        if best.as_ref().is_none_or(|(least, _)| worst < *least) {
            best = Some((worst, selected));
        }
    }
    Ok(best.map(|(_, selected)| selected))
}

/// A stratum's name: region and customer type.
pub(crate) type StratumName<'a> = (&'a str, &'a str);

/// The customers, sorted into those who may be drawn and those who may not.
struct Pool<'a> {
    /// Who may be drawn or is a member, with the stratum's place in `rooms`; in the order of the draw.
    drawn: Vec<(&'a Customer, usize)>,
    /// The strata, in the order of their names.
    rooms: Vec<(StratumName<'a>, Room)>,
    hindered: Vec<(&'a Customer, Vec<Hindrance>)>,
    /// Members whom the criteria would keep out today.
    tolerated: BTreeMap<&'a str, Vec<Hindrance>>,
    earlier: &'a BTreeSet<String>,
    known: BTreeSet<&'a str>,
}

impl<'a> Pool<'a> {
    fn new(customers: &'a [Customer], selection: &Selection, earlier: &'a BTreeSet<String>) -> Self {
        let mut ranked = Vec::new();
        let mut hindered = Vec::new();
        let mut tolerated = BTreeMap::new();
        let mut strata: BTreeMap<StratumName<'a>, (u64, u64)> = BTreeMap::new();
        for customer in customers {
            let member = earlier.contains(&customer.id);
            let hindrances = explain::hindrances(customer, selection);
            if !hindrances.is_empty() && !member {
                hindered.push((customer, hindrances));
                continue;
            }
            if !hindrances.is_empty() {
                tolerated.insert(customer.id.as_str(), hindrances);
            }
            let (population, least) = strata.entry(stratum(customer)).or_default();
            *population += 1;
            *least += u64::from(member);
            ranked.push((!member, cohort::rank(&selection.salt, &customer.id), customer));
        }
        ranked.sort_unstable_by(|a, b| (a.0, a.1, &a.2.id).cmp(&(b.0, b.1, &b.2.id)));
        let regions: BTreeSet<&str> = strata.keys().map(|name| name.0).collect();
        let types: BTreeSet<&str> = strata.keys().map(|name| name.1).collect();
        let place = |names: &BTreeSet<&str>, name: &str| names.range(..name).count();
        let rooms: Vec<(StratumName<'a>, Room)> = strata
            .into_iter()
            .map(|(name, (population, least))| {
                let tie = cohort::rank(&selection.salt, &format!("{}\u{1f}{}", name.0, name.1));
                (
                    name,
                    Room {
                        population,
                        least,
                        row: place(&regions, name.0),
                        column: place(&types, name.1),
                        tie,
                    },
                )
            })
            .collect();
        let at = |customer: &Customer| rooms.partition_point(|(name, _)| *name < stratum(customer));
        let drawn = ranked.iter().map(|(_, _, customer)| (*customer, at(customer))).collect();
        let known = customers.iter().map(|customer| customer.id.as_str()).collect();
        Self { drawn, rooms, hindered, tolerated, earlier, known }
    }

    /// How many seats each stratum gets.
    fn seats(&self, selection: &Selection, wanted: u64) -> Result<Vec<u64>, SelectionError> {
        let rooms: Vec<Room> = self.rooms.iter().map(|(_, room)| room.clone()).collect();
        let cap = |caps: &BTreeMap<String, u64>, names: BTreeSet<&str>| -> Vec<Option<u64>> {
            names.into_iter().map(|name| caps.get(name).copied()).collect()
        };
        let rows = cap(&selection.caps.regions, self.rooms.iter().map(|(name, _)| name.0).collect());
        let columns =
            cap(&selection.caps.customer_types, self.rooms.iter().map(|(name, _)| name.1).collect());
        quota::allocate(&rooms, wanted, &rows, &columns)
            .map_err(|possible| SelectionError::Capped { wanted, possible })
    }

    fn draw(&self, seats: &[u64], selected: &mut Selected) {
        let mut taken = vec![0_u64; seats.len()];
        for (customer, at) in &self.drawn {
            let (place, seats) = (taken[*at] + 1, seats[*at]);
            taken[*at] = place;
            let population = self.rooms[*at].1.population;
            let explanation = if self.earlier.contains(&customer.id) {
                let against = self.tolerated.get(customer.id.as_str()).cloned().unwrap_or_default();
                Explanation::Member { against }
            } else if place <= seats {
                selected.enter.insert(customer.id.clone());
                Explanation::Drawn { place, seats, of: population }
            } else {
                Explanation::NotDrawn { place, seats, of: population }
            };
            if explanation.is_in() {
                selected.members.insert(customer.id.clone());
            }
            selected.explanations.insert(customer.id.clone(), explanation);
        }
        for (customer, hindrances) in &self.hindered {
            let out = Explanation::Hindered { hindrances: hindrances.clone() };
            selected.explanations.insert(customer.id.clone(), out);
        }
    }

    /// What keeps the most customers out, and how many.
    fn commonest_hindrance(&self) -> Option<(String, u64)> {
        let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
        for hindrance in self.hindered.iter().flat_map(|(_, hindrances)| hindrances) {
            *counts.entry(hindrance.criterion()).or_default() += 1;
        }
        let most =
            counts.into_iter().max_by_key(|(criterion, count)| (*count, std::cmp::Reverse(*criterion)));
        most.map(|(criterion, count)| (criterion.to_owned(), count))
    }
}

fn stratum(customer: &Customer) -> StratumName<'_> {
    (&customer.region, &customer.customer_type)
}
