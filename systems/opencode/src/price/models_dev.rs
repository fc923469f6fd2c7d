//! Prices in the shape of models.dev, which OpenCode itself uses: providers, their models, the cost of each.
//!
//! Owns reading such a text, whole (`prices update --from FILE`) or with a few models only (a user's own prices). It
//! deliberately ignores what is not price: limits, names, abilities, audio.
//!
//! Invariants:
//! - Numbers are read from their digits, never through floating point.
//! - A model without a cost is left out; a cost that cannot be read refuses the whole file and names the model.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::money::Money;
use crate::price::book::{PriceBook, PriceError};
use crate::price::{Price, Rates, Tier};

#[derive(Deserialize)]
struct Provider<'a> {
    #[serde(borrow, default)]
    models: BTreeMap<String, Model<'a>>,
}

#[derive(Deserialize)]
struct Model<'a> {
    #[serde(borrow)]
    cost: Option<Statement<'a>>,
}

/// Rates as digits: of a model, and inside it of a tier.
#[derive(Deserialize)]
struct Statement<'a> {
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_read: Option<&'a RawValue>,
    #[serde(borrow)]
    cache_write: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    context_over_200k: Option<Box<Self>>,
    #[serde(borrow, default)]
    tiers: Vec<Self>,
    tier: Option<Bound>,
}

/// From where a tier counts.
#[derive(Deserialize)]
struct Bound {
    #[serde(rename = "type")]
    kind: String,
    size: i64,
}

/// Reads a text in the shape of models.dev; `label` names its origin and date.
///
/// Tiers by anything but the length of the context are left out, as OpenCode leaves them out.
///
/// # Errors
///
/// [`PriceError::NotModelsDev`] for another shape, [`PriceError::BadRate`] for a rate that is missing or no amount.
pub fn parse(text: &str, label: &str) -> Result<PriceBook, PriceError> {
    let providers: BTreeMap<String, Provider<'_>> =
        serde_json::from_str(text).map_err(|error| PriceError::NotModelsDev { reason: error.to_string() })?;
    let mut book = PriceBook::new(label);
    for (provider, Provider { models }) in &providers {
        for (model, Model { cost }) in models {
            let Some(cost) = cost else { continue };
            let price = Place { provider, model }.price(cost)?;
            book.insert(provider, model, price);
        }
    }
    Ok(book)
}

/// Where a rate stands, for what is told about it.
struct Place<'a> {
    provider: &'a str,
    model: &'a str,
}

impl Place<'_> {
    fn price(&self, cost: &Statement<'_>) -> Result<Price, PriceError> {
        let mut tiers = Vec::new();
        for tier in &cost.tiers {
            let Some(bound) = tier.tier.as_ref().filter(|bound| bound.kind == "context") else { continue };
            tiers.push(Tier { size: bound.size, rates: self.rates(tier)? });
        }
        let over_200k = cost.context_over_200k.as_deref().map(|over| self.rates(over)).transpose()?;
        Ok(Price { rates: self.rates(cost)?, over_200k, tiers })
    }

    fn rates(&self, statement: &Statement<'_>) -> Result<Rates, PriceError> {
        Ok(Rates {
            input: self.required("input", statement.input)?,
            output: self.required("output", statement.output)?,
            cache_read: self.optional("cache_read", statement.cache_read)?,
            cache_write: self.optional("cache_write", statement.cache_write)?,
            reasoning: self.optional("reasoning", statement.reasoning)?,
        })
    }

    fn required(&self, field: &str, value: Option<&RawValue>) -> Result<Money, PriceError> {
        self.optional(field, value)?.ok_or_else(|| self.bad(field, "nothing"))
    }

    fn optional(&self, field: &str, value: Option<&RawValue>) -> Result<Option<Money>, PriceError> {
        let Some(text) = value.map(RawValue::get) else { return Ok(None) };
        match Money::parse(text) {
            Some(rate) if rate >= Money::ZERO => Ok(Some(rate)),
            _ => Err(self.bad(field, text)),
        }
    }

    fn bad(&self, field: &str, text: &str) -> PriceError {
        PriceError::BadRate {
            provider: self.provider.to_owned(),
            model: self.model.to_owned(),
            field: field.to_owned(),
            text: text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    #[test]
    fn prices_are_read_from_their_digits() {
        let text = r#"{
            "google": {"id": "google", "name": "Google", "models": {
                "gemini": {"name": "Gemini", "limit": {"context": 1048576}, "cost": {
                    "input": 1.25, "output": 10, "cache_read": 0.12500000000000003, "reasoning": 3e0, "input_audio": 1,
                    "context_over_200k": {"input": 2.5, "output": 15, "cache_read": 0.25},
                    "tiers": [
                        {"input": 9, "output": 9, "tier": {"type": "context", "size": 512000}},
                        {"input": 2.5, "output": 15, "tier": {"type": "context", "size": 200000}},
                        {"input": 0, "output": 0, "tier": {"type": "hour", "size": 3}},
                        {"input": 0, "output": 0}
                    ]
                }},
                "no-cost": {"name": "Unpriced"},
                "null-cost": {"cost": null}
            }},
            "empty": {"name": "No models"}
        }"#;
        let book = parse(text, "a test").unwrap();
        assert_eq!((book.label(), book.len()), ("a test", 1));
        let price = book.get("google", "gemini").unwrap();
        assert_eq!(price.rates.cache_read, Some(money("0.125")));
        assert_eq!(price.rates.reasoning, Some(money("3")));
        assert_eq!(price.over_200k.unwrap().cache_read, Some(money("0.25")));
        assert_eq!(price.tiers.iter().map(|tier| tier.size).collect::<Vec<_>>(), [200_000, 512_000]);
        // What was read can be kept in the compact form.
        assert_eq!(PriceBook::from_tsv(&book.to_tsv()), Ok(book));
    }

    #[test]
    fn a_rate_that_is_none_refuses_the_file_and_is_named() {
        for (cost, field, value) in [
            (r#"{"input": "3", "output": 1}"#, "input", "\"3\""),
            (r#"{"input": 3, "output": -1}"#, "output", "-1"),
            (r#"{"input": 3}"#, "output", "nothing"),
            (r#"{"input": 3, "output": null}"#, "output", "nothing"),
            (r#"{"input": 3, "output": 1, "cache_read": 1e99}"#, "cache_read", "1e99"),
            (r#"{"input": 3, "output": 1, "context_over_200k": {"output": 1}}"#, "input", "nothing"),
        ] {
            let text = format!(r#"{{"mock": {{"models": {{"a/b": {{"cost": {cost}}}}}}}}}"#);
            let expected = PriceError::BadRate {
                provider: "mock".to_owned(),
                model: "a/b".to_owned(),
                field: field.to_owned(),
                text: value.to_owned(),
            };
            assert_eq!(parse(&text, ""), Err(expected), "{cost}");
        }
    }

    #[test]
    fn another_shape_is_refused_with_the_place() {
        for text in
            ["", "[]", "{\"a\": 1}", "{\"a\": {\"models\": [1]}}", "{\"gpt-4o\": {\"models\": {\"m\": 3}}}"]
        {
            let error = parse(text, "").unwrap_err().to_string();
            assert!(error.contains("line 1 column") && error.contains("\nhint: "), "{text}: {error}");
        }
    }
}
