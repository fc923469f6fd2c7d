//! Prices of models, and what tokens cost under them.
//!
//! Owns the price of a model ([`Price`]), the books that hold them ([`book`]), the file they come from ([`models_dev`]),
//! the requirement's own four rows ([`seed`]) and the computation ([`cost`]). It deliberately fetches nothing: a book is
//! embedded or read from a text that the engine read.
//!
//! Invariants:
//! - A model that no book has, has no price. It never costs zero for that.
//! - A rate that a price does not state is charged at nothing, as OpenCode charges it, except reasoning, which costs
//!   what output costs.
//! - The longest tier that applies counts for the whole request, not only for what exceeds it.

pub mod book;
pub mod cost;
pub mod models_dev;
pub mod seed;

pub use crate::price::book::{Found, PriceBook, Prices};
pub use crate::price::cost::{TierRule, list_cost, recomputed_cost};

use crate::money::Money;

/// What a million tokens cost, by kind.
///
/// Rates are [`Money`] for one million tokens, exact to 10^-10 dollar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Input that is not cached.
    pub input: Money,
    /// Output.
    pub output: Money,
    /// Input read from a cache; `None` if the provider states none.
    pub cache_read: Option<Money>,
    /// Input written to a cache; `None` if the provider states none.
    pub cache_write: Option<Money>,
    /// Reasoning, where it is priced apart from output.
    pub reasoning: Option<Money>,
}

/// Rates that count once the context is longer than `size`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// Tokens of input, cached ones included, that must be exceeded.
    pub size: i64,
    /// The rates then.
    pub rates: Rates,
}

/// The price of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Price {
    /// The rates of a short request.
    pub rates: Rates,
    /// The rates over 200,000 tokens; OpenCode's older way of stating a tier.
    pub over_200k: Option<Rates>,
    /// Tiers, smallest first.
    pub tiers: Vec<Tier>,
}

impl Price {
    /// Whether all stated rates are zero: a free model, or one paid by subscription.
    #[must_use]
    pub fn is_free(&self) -> bool {
        let tiers = self.tiers.iter().map(|tier| &tier.rates);
        tiers.chain(&self.over_200k).chain([&self.rates]).all(|rates| {
            let optional = [rates.cache_read, rates.cache_write, rates.reasoning];
            [rates.input, rates.output]
                .into_iter()
                .chain(optional.into_iter().flatten())
                .all(|rate| rate == Money::ZERO)
        })
    }
}
