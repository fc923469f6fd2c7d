//! The four prices that the requirements name, and their formula.
//!
//! Owns OC-43, OC-44 and OC-45: rows of `model_pricing` per thousand tokens, and the cost under them. These rows are
//! the requirement's, not a provider's present price; where they differ, they are shown beside each other.
//!
//! Invariants:
//! - They are found only by their exact name, and never replace a price from a book.

use crate::money::{Money, divide_half_even};

/// A row as the requirement words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedPrice {
    /// Who makes the model.
    pub vendor: &'static str,
    /// The model.
    pub model: &'static str,
    /// Dollars for a thousand tokens of input, as decimal text.
    pub input_per_1k: &'static str,
    /// Dollars for a thousand tokens of output, as decimal text.
    pub output_per_1k: &'static str,
}

/// How these rows are labeled wherever a price's origin is shown.
pub const SOURCE: &str = "requirement OC-44";

/// The rows.
pub const SEED: [SeedPrice; 4] = [
    SeedPrice { vendor: "anthropic", model: "claude-3-opus", input_per_1k: "0.015", output_per_1k: "0.075" },
    SeedPrice {
        vendor: "anthropic",
        model: "claude-3-sonnet",
        input_per_1k: "0.003",
        output_per_1k: "0.015",
    },
    SeedPrice { vendor: "openai", model: "gpt-4-turbo", input_per_1k: "0.01", output_per_1k: "0.03" },
    SeedPrice { vendor: "openai", model: "gpt-4o", input_per_1k: "0.005", output_per_1k: "0.015" },
];

/// `input / 1000 * input_price + output / 1000 * output_price`, exact, rounded once, half to even.
///
/// `None` if it does not fit [`Money`].
#[must_use]
pub fn cost_per_1k(
    input_tokens: i64,
    output_tokens: i64,
    input_per_1k: Money,
    output_per_1k: Money,
) -> Option<Money> {
    let units = i128::from(input_tokens) * i128::from(input_per_1k.units())
        + i128::from(output_tokens) * i128::from(output_per_1k.units());
    Money::from_units(divide_half_even(units, 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_is_exact() {
        for (row, input, output, expected) in [
            (0, 1000, 1000, "0.09"),
            (0, 1, 1, "0.00009"),
            (1, 12_345, 678, "0.047205"),
            (2, 333, 77, "0.00564"),
            (3, 0, 0, "0"),
            (3, 2_147_483_648, 1, "10737.418255"),
        ] {
            let SeedPrice { input_per_1k, output_per_1k, .. } = SEED[row];
            let (input_price, output_price) =
                (Money::parse(input_per_1k).unwrap(), Money::parse(output_per_1k).unwrap());
            let cost = cost_per_1k(input, output, input_price, output_price).unwrap();
            assert_eq!(cost.to_string(), expected, "{}", SEED[row].model);
        }
        let dollar = Money::parse("1").unwrap();
        assert_eq!(cost_per_1k(i64::MAX, i64::MAX, dollar, dollar), None);
    }
}
