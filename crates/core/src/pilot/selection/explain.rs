//! Reasons: why a customer is in or not, and why a request cannot be met.
//!
//! Owns the criteria, what is said about each customer, and the errors with their hints. It shares out no seats.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Customer, Selection, Size};

/// A criterion that a customer does not keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "criterion", rename_all = "snake_case")]
pub enum Hindrance {
    /// Excluded by name.
    Excluded {
        /// Why.
        reason: String,
    },
    /// Too few orders.
    Orders {
        /// How many there are.
        has: u64,
        /// How many are needed.
        needs: u64,
    },
    /// Another region.
    Region {
        /// The customer's.
        region: String,
    },
    /// Another customer type.
    CustomerType {
        /// The customer's.
        customer_type: String,
    },
    /// A mark is missing.
    MarkMissing {
        /// The mark.
        mark: String,
    },
    /// A mark keeps the customer out.
    MarkRefused {
        /// The mark.
        mark: String,
    },
}

impl Hindrance {
    /// The criterion in words.
    pub fn criterion(&self) -> &'static str {
        match self {
            Self::Excluded { .. } => "the exclusions",
            Self::Orders { .. } => "the minimum of orders",
            Self::Region { .. } => "the regions",
            Self::CustomerType { .. } => "the customer types",
            Self::MarkMissing { .. } => "the required marks",
            Self::MarkRefused { .. } => "the refused marks",
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded { reason } => write!(f, "excluded: {reason}"),
            Self::Orders { has, needs } => write!(f, "{has} orders, {needs} are needed"),
            Self::Region { region } => write!(f, "region `{region}` is not asked for"),
            Self::CustomerType { customer_type } => {
                write!(f, "customer type `{customer_type}` is not asked for")
            }
            Self::MarkMissing { mark } => write!(f, "`{mark}` is missing"),
            Self::MarkRefused { mark } => write!(f, "`{mark}` keeps out"),
        }
    }
}

/// Why a customer is in or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Explanation {
    /// In: a member before.
    Member {
        /// What would keep the customer out if this were the first selection.
        #[serde(default)]
        against: Vec<Hindrance>,
    },
    /// In: drawn.
    Drawn {
        /// The place in the stratum's order, from 1; earlier members come first.
        place: u64,
        /// The seats of the stratum.
        seats: u64,
        /// How many could be drawn there.
        of: u64,
    },
    /// Out: others of the stratum come first.
    NotDrawn {
        /// The place in the stratum's order, from 1.
        place: u64,
        /// The seats of the stratum.
        seats: u64,
        /// How many could be drawn there.
        of: u64,
    },
    /// Out: criteria are not kept.
    Hindered {
        /// Which; all of them.
        hindrances: Vec<Hindrance>,
    },
}

impl Explanation {
    /// Whether the customer is a member.
    pub fn is_in(&self) -> bool {
        matches!(self, Self::Member { .. } | Self::Drawn { .. })
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |hindrances: &[Hindrance]| {
            hindrances.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        match self {
            Self::Member { against } if against.is_empty() => f.write_str("in: a member before"),
            Self::Member { against } => {
                write!(f, "in: a member before, and stays although today: {}", list(against))
            }
            Self::Drawn { place, seats, of } => {
                write!(f, "in: number {place} of {of} in its region and type, which has {seats} seats")
            }
            Self::NotDrawn { place, seats, of } => {
                write!(f, "out: number {place} of {of} in its region and type, which has {seats} seats")
            }
            Self::Hindered { hindrances } => write!(f, "out: {}", list(hindrances)),
        }
    }
}

/// Why a request cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// Two customers have one id, or one has none.
    #[error(
        "customer id `{0}` is empty or stands twice among the customers\nhint: an id names one customer; clean the list first"
    )]
    Id(String),
    /// A name that no customer has.
    #[error("no customer has the {what} `{name}`\nhint: there are {known}")]
    Unknown {
        /// Region or customer type.
        what: &'static str,
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A member is excluded.
    #[error(
        "`{id}` is in the pilot and is to be excluded ({reason})\n\
         hint: earlier members stay; roll the customer back, then exclude it"
    )]
    ExcludedMember {
        /// The customer.
        id: String,
        /// Why it is to be excluded.
        reason: String,
    },
    /// A mark is both required and refused.
    #[error("the mark `{0}` is both required and refused\nhint: nobody can keep both; drop one")]
    Mark(String),
    /// The size comes to nobody.
    #[error("{} of {of} customers is nobody\nhint: ask for {} or more, or for a number; and look at the cap on the whole", shown(.asked), one_of(*.of))]
    Nobody {
        /// What was asked.
        asked: Size,
        /// How many customers there are.
        of: u64,
    },
    /// There are more members already.
    #[error(
        "{wanted} are asked for and {earlier} are members already\n\
         hint: earlier members stay; ask for {earlier} or more, or roll members back first"
    )]
    Smaller {
        /// How many are asked for.
        wanted: u64,
        /// How many are members.
        earlier: u64,
    },
    /// Too few keep the criteria.
    #[error(
        "{wanted} are asked for and {eligible} of {of} customers keep the criteria\nhint: {}",
        too_few(.first, *.eligible)
    )]
    TooFew {
        /// How many are asked for.
        wanted: u64,
        /// How many keep the criteria or are members.
        eligible: u64,
        /// How many customers there are.
        of: u64,
        /// The criterion that keeps most out, and how many.
        first: Option<(String, u64)>,
    },
    /// The caps leave too few.
    #[error(
        "{wanted} are asked for and the caps by region and customer type leave {possible}\n\
         hint: ask for {possible} or fewer, or raise a cap"
    )]
    Capped {
        /// How many are asked for.
        wanted: u64,
        /// How many there can be.
        possible: u64,
    },
}

fn shown(size: &Size) -> String {
    match size {
        Size::Percent(percent) => format!("{percent} %"),
        Size::Count(count) => count.to_string(),
    }
}

/// The least percentage that is one customer.
fn one_of(of: u64) -> String {
    use crate::flag::Percent;
    let least = (0..=10_000).map(Percent::from_hundredths).find(|percent| percent.of(of) > 0);
    least.map_or_else(|| "a list with customers".to_owned(), |percent| format!("{percent} %"))
}

fn too_few(first: &Option<(String, u64)>, eligible: u64) -> String {
    match first {
        Some((criterion, count)) => {
            format!("ask for {eligible} or fewer, or loosen {criterion}, which keep {count} out")
        }
        None => format!("ask for {eligible} or fewer"),
    }
}

/// The criteria that a customer does not keep.
pub(super) fn hindrances(customer: &Customer, selection: &Selection) -> Vec<Hindrance> {
    let mut found = Vec::new();
    if let Some(reason) = selection.exclusions.get(&customer.id) {
        found.push(Hindrance::Excluded { reason: reason.clone() });
    }
    if customer.orders < selection.minimum_orders {
        found.push(Hindrance::Orders { has: customer.orders, needs: selection.minimum_orders });
    }
    if !selection.regions.is_empty() && !selection.regions.contains(&customer.region) {
        found.push(Hindrance::Region { region: customer.region.clone() });
    }
    if !selection.customer_types.is_empty() && !selection.customer_types.contains(&customer.customer_type) {
        found.push(Hindrance::CustomerType { customer_type: customer.customer_type.clone() });
    }
    let missing = selection.required_marks.difference(&customer.marks);
    found.extend(missing.map(|mark| Hindrance::MarkMissing { mark: mark.clone() }));
    let refused = selection.refused_marks.intersection(&customer.marks);
    found.extend(refused.map(|mark| Hindrance::MarkRefused { mark: mark.clone() }));
    found
}

/// Refuses what no draw could meet.
pub(super) fn refuse_contradictions(
    customers: &[Customer],
    selection: &Selection,
    earlier: &BTreeSet<String>,
) -> Result<(), SelectionError> {
    let mut seen = BTreeSet::new();
    for customer in customers {
        if customer.id.is_empty() || !seen.insert(customer.id.as_str()) {
            return Err(SelectionError::Id(customer.id.clone()));
        }
    }
    let regions: BTreeSet<&str> = customers.iter().map(|customer| customer.region.as_str()).collect();
    let types: BTreeSet<&str> = customers.iter().map(|customer| customer.customer_type.as_str()).collect();
    let caps = |caps: &BTreeMap<String, u64>| caps.keys().cloned().collect::<Vec<_>>();
    let asked_regions = selection.regions.iter().cloned().chain(caps(&selection.caps.regions));
    let asked_types = selection.customer_types.iter().cloned().chain(caps(&selection.caps.customer_types));
    known("region", asked_regions, &regions)?;
    known("customer type", asked_types, &types)?;
    if let Some(mark) = selection.required_marks.intersection(&selection.refused_marks).next() {
        return Err(SelectionError::Mark(mark.clone()));
    }
    for (id, reason) in &selection.exclusions {
        if earlier.contains(id) && seen.contains(id.as_str()) {
            return Err(SelectionError::ExcludedMember { id: id.clone(), reason: reason.clone() });
        }
    }
    Ok(())
}

fn known(
    what: &'static str,
    asked: impl Iterator<Item = String>,
    names: &BTreeSet<&str>,
) -> Result<(), SelectionError> {
    for name in asked {
        if !names.contains(name.as_str()) {
            let known = names.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "no customers at all".to_owned() } else { known };
            return Err(SelectionError::Unknown { what, name, known });
        }
    }
    Ok(())
}
