//! What tokens cost: the list price of a request, and what OpenCode of some version would have written.
//!
//! Owns the two computations and the rules by which the rates of a long request are chosen. It deliberately does not
//! find the price; see [`super::book`].
//!
//! Invariants:
//! - All products and sums are whole numbers; one rounding, half to even, at the end.
//! - The list price charges each token once. The recomputed cost charges what that version charged, mistakes included.

use crate::money::{Money, divide_half_even};
use crate::price::{Price, Rates};
use crate::tokens::{StoredTokens, Tokens};
use crate::writer::{CostRule, cost_rule};

/// Rates are for this many tokens.
const TOKENS_PER_RATE: i128 = 1_000_000;
/// Above this a request is long, for prices that know only one limit.
const LONG_CONTEXT: i128 = 200_000;
/// Units of 10^-11 dollar, in which Copilot reports: OpenCode divides by 10^11.
const COPILOT_UNITS_PER_UNIT: i128 = 10;

/// How the rates of a request are chosen by its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierRule {
    /// One price for every length.
    Flat,
    /// The over-200k rates where input and cache reads together exceed 200,000 tokens.
    Over200k,
    /// The largest tier that the whole input exceeds, cached tokens included; else the over-200k rates if it exceeds
    /// 200,000.
    Tiers,
}

/// The list price of a request: each token once, reasoning at its own rate where there is one, else as output.
///
/// `None` if it does not fit [`Money`].
#[must_use]
pub fn list_cost(tokens: &Tokens, price: &Price, rule: TierRule) -> Option<Money> {
    let rates = rates_for(tokens.input, tokens.cache_read, tokens.cache_write, price, rule);
    charge(&[
        (tokens.input, rates.input),
        (tokens.output_without_reasoning, rates.output),
        (tokens.reasoning, rates.reasoning.unwrap_or(rates.output)),
        (tokens.cache_read, rates.cache_read.unwrap_or_default()),
        (tokens.cache_write, rates.cache_write.unwrap_or_default()),
    ])
}

/// What OpenCode of `writer_version` would have written as the cost of a step with these stored tokens.
///
/// Until 1.3.2 that charges reasoning twice, and until 1.0.61 cached input twice for most providers; it is for
/// comparison with the stored cost, not for what was owed.
///
/// `copilot_nano_units` is what GitHub Copilot reported as `totalNanoAiu`, where a record holds it; since 1.17.0 it
/// replaces the computation. OpenCode's stores do not keep it, so costs of Copilot cannot be recomputed from them.
///
/// `None` if it does not fit [`Money`].
#[must_use]
pub fn recomputed_cost(
    writer_version: &str,
    tokens: &StoredTokens,
    price: &Price,
    copilot_nano_units: Option<i64>,
) -> Option<Money> {
    let rule = cost_rule(writer_version);
    if let (CostRule::TieredOrReported, Some(reported)) = (rule, copilot_nano_units) {
        return Money::from_units(divide_half_even(i128::from(reported), COPILOT_UNITS_PER_UNIT));
    }
    let (tier_rule, reasoning) = match rule {
        CostRule::Flat => (TierRule::Flat, 0),
        CostRule::Over200k => (TierRule::Over200k, tokens.reasoning),
        CostRule::Tiered | CostRule::TieredOrReported => (TierRule::Tiers, tokens.reasoning),
    };
    let rates = rates_for(tokens.input, tokens.cache_read, tokens.cache_write, price, tier_rule);
    let cost = charge(&[
        (tokens.input, rates.input),
        (tokens.output, rates.output),
        (tokens.cache_read, rates.cache_read.unwrap_or_default()),
        (tokens.cache_write, rates.cache_write.unwrap_or_default()),
        (reasoning, rates.output),
    ])?;
    let is_clamped = matches!(rule, CostRule::Tiered | CostRule::TieredOrReported);
    Some(if is_clamped { cost.max(Money::ZERO) } else { cost })
}

/// The rates of a request of this length.
fn rates_for(input: i64, cache_read: i64, cache_write: i64, price: &Price, rule: TierRule) -> &Rates {
    let read = i128::from(input) + i128::from(cache_read);
    let full = read + i128::from(cache_write);
    let over_200k = |length: i128| price.over_200k.as_ref().filter(|_| length > LONG_CONTEXT);
    let chosen = match rule {
        TierRule::Flat => None,
        TierRule::Over200k => over_200k(read),
        TierRule::Tiers => price
            .tiers
            .iter()
            .filter(|tier| full > i128::from(tier.size))
            .max_by_key(|tier| tier.size)
            .map(|tier| &tier.rates)
            .or_else(|| over_200k(full)),
    };
    chosen.unwrap_or(&price.rates)
}

/// The sum of tokens times rates, rounded once.
fn charge(lines: &[(i64, Money)]) -> Option<Money> {
    // 2^63 tokens times 10^18 units is below 2^123, so five of them fit 128 bits.
    let units: i128 = lines.iter().map(|(tokens, rate)| i128::from(*tokens) * i128::from(rate.units())).sum();
    Money::from_units(divide_half_even(units, TOKENS_PER_RATE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::price::Tier;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn rates(input: &str, output: &str, cache_read: &str, cache_write: &str) -> Rates {
        Rates {
            input: money(input),
            output: money(output),
            cache_read: Money::parse(cache_read),
            cache_write: Money::parse(cache_write),
            reasoning: None,
        }
    }

    fn sonnet() -> Price {
        let long = rates("6", "22.5", "0.6", "7.5");
        Price {
            rates: rates("3", "15", "0.3", "3.75"),
            over_200k: Some(long),
            tiers: vec![Tier { size: 200_000, rates: long }],
        }
    }

    const fn stored(
        input: i64,
        output: i64,
        reasoning: i64,
        cache_read: i64,
        cache_write: i64,
    ) -> StoredTokens {
        StoredTokens { input, output, reasoning, cache_read, cache_write, total: None }
    }

    #[test]
    fn costs_that_real_versions_wrote_are_recomputed_exactly() {
        let gpt_5 = Price { rates: rates("1.25", "10", "0.125", ""), ..Price::default() };
        for (version, tokens, price, written) in [
            ("1.1.16", stored(1458, 318, 79, 728, 0), &sonnet(), "0.0105474"),
            ("1.1.16", stored(1523, 309, 77, 761, 0), &sonnet(), "0.010587300000000001"),
            ("1.18.33", stored(2022, 174, 58, 1011, 0), &gpt_5, "0.004973875"),
            ("1.18.33", stored(2231, 288, 96, 1115, 0), &gpt_5, "0.006768125"),
        ] {
            assert_eq!(
                recomputed_cost(version, &tokens, price, None),
                Some(money(written)),
                "{version} {tokens:?}"
            );
        }
    }

    #[test]
    fn reasoning_is_charged_by_version() {
        let tokens = stored(0, 1_000_000, 400_000, 0, 0);
        for (version, expected) in [("1.0.61", "15"), ("1.0.98", "21"), ("1.3.2", "21"), ("1.18.34", "21")] {
            assert_eq!(
                recomputed_cost(version, &tokens, &sonnet(), None),
                Some(money(expected)),
                "{version}"
            );
        }
    }

    #[test]
    fn the_rates_of_a_long_request_are_chosen_by_version() {
        // 150,000 fresh, 40,000 read, 20,000 written: over 200,000 only if what is written counts.
        let tokens = stored(150_000, 0, 0, 40_000, 20_000);
        let (short, long) = ("0.537", "1.074");
        for (version, expected) in
            [("1.0.61", short), ("1.1.16", short), ("1.14.48", short), ("1.15.0", long)]
        {
            assert_eq!(
                recomputed_cost(version, &tokens, &sonnet(), None),
                Some(money(expected)),
                "{version}"
            );
        }
        let tokens = stored(150_000, 0, 0, 50_001, 0);
        let (short, long) = ("0.4650003", "0.9300006");
        for (version, expected) in [("1.0.61", short), ("1.0.98", long), ("1.14.34", long), ("1.18.34", long)]
        {
            assert_eq!(
                recomputed_cost(version, &tokens, &sonnet(), None),
                Some(money(expected)),
                "{version}"
            );
        }
    }

    #[test]
    fn exactly_at_the_limit_is_not_over_it() {
        for (input, expected) in [(200_000, "0.6"), (200_001, "1.200006")] {
            for version in ["1.3.2", "1.18.34"] {
                let cost = recomputed_cost(version, &stored(input, 0, 0, 0, 0), &sonnet(), None);
                assert_eq!(cost, Some(money(expected)), "{version} {input}");
            }
        }
    }

    #[test]
    fn of_several_tiers_the_largest_that_is_exceeded_counts_for_the_whole() {
        let tier = |size, input| Tier { size, rates: rates(input, "0", "", "") };
        let price = Price {
            rates: rates("1", "0", "", ""),
            over_200k: Some(rates("9", "0", "", "")),
            // Their order must not matter.
            tiers: vec![tier(256_000, "4"), tier(32_000, "2"), tier(128_000, "3")],
        };
        for (input, expected) in
            [(32_000, "0.032"), (40_000, "0.08"), (128_001, "0.384003"), (250_000, "0.75"), (300_000, "1.2")]
        {
            let cost = recomputed_cost("1.18.34", &stored(input, 0, 0, 0, 0), &price, None);
            assert_eq!(cost, Some(money(expected)), "{input}");
        }
        let only_over = Price { tiers: vec![], ..price };
        assert_eq!(
            recomputed_cost("1.18.34", &stored(250_000, 0, 0, 0, 0), &only_over, None),
            Some(money("2.25"))
        );
    }

    #[test]
    fn what_copilot_reports_counts_since_1_17() {
        let tokens = stored(1_000_000, 0, 0, 0, 0);
        assert_eq!(recomputed_cost("1.17.0", &tokens, &sonnet(), Some(2_500_000_000)), Some(money("0.025")));
        assert_eq!(recomputed_cost("1.17.0", &tokens, &sonnet(), Some(15)), Some(money("0.0000000002")));
        assert_eq!(recomputed_cost("1.15.13", &tokens, &sonnet(), Some(2_500_000_000)), Some(money("6")));
    }

    #[test]
    fn negative_input_lowers_an_old_cost_and_never_makes_a_new_one_negative() {
        let tokens = stored(-1_000_000, 0, 0, 0, 0);
        assert_eq!(recomputed_cost("1.0.98", &tokens, &sonnet(), None), Some(money("-3")));
        assert_eq!(recomputed_cost("1.18.34", &tokens, &sonnet(), None), Some(Money::ZERO));
    }

    #[test]
    fn the_list_price_charges_each_token_once() {
        let tokens = Tokens {
            input: 1_000_000,
            output_without_reasoning: 600_000,
            reasoning: 400_000,
            cache_read: 0,
            cache_write: 0,
        };
        assert_eq!(list_cost(&tokens, &sonnet(), TierRule::Flat), Some(money("18")));
        assert_eq!(list_cost(&tokens, &sonnet(), TierRule::Tiers), Some(money("28.5")));
        let mut priced_apart = sonnet();
        priced_apart.rates.reasoning = Some(money("5"));
        assert_eq!(list_cost(&tokens, &priced_apart, TierRule::Flat), Some(money("14")));
    }

    #[test]
    fn a_cost_that_does_not_fit_is_none() {
        let tokens = stored(i64::MAX, i64::MAX, i64::MAX, i64::MAX, i64::MAX);
        assert_eq!(recomputed_cost("1.18.34", &tokens, &sonnet(), None), None);
    }
}
