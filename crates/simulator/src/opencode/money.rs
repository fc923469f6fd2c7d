//! Models, their prices, tokens, and what OpenCode says an answer cost.
//!
//! Owns exact money ([`Money`], whole units of 1e-10 USD), the models that generated sessions use with their
//! list prices, and the rules by which each version turned a provider's usage into stored tokens and cost.
//! Prices are facts as models.dev published them in November 2026.
//!
//! Invariant: no floating-point number takes part in a price; a price of 1e-4 USD per million tokens times a
//! token is exactly one unit.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

use super::json::{Json, Object, number};
use super::version::Version;

/// Money in whole units of 1e-10 USD.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Money(pub(super) u64);

impl Money {
    /// USD as exact decimal text, such as `12.0034`.
    pub(super) fn text(self) -> String {
        let (whole, rest) = (self.0 / 10_000_000_000, self.0 % 10_000_000_000);
        let decimals = format!("{rest:010}");
        match decimals.trim_end_matches('0') {
            "" => whole.to_string(),
            decimals => format!("{whole}.{decimals}"),
        }
    }

    /// USD as the floating-point number that JavaScript would hold.
    pub(super) fn float(self) -> f64 {
        // Both are exact below 2^53 units (900,000 USD), so this is the number nearest to the decimal.
        self.0 as f64 / 1e10
    }

    pub(super) fn json(self) -> Json {
        number(self.float())
    }
}

impl Add for Money {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::default(), Add::add)
    }
}

/// Prices in 1e-4 USD per million tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prices {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
}

/// How a provider reports cached tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Beside the input; writing the cache is reported and charged.
    Anthropic,
    /// Inside the input; writing the cache is not reported.
    OpenAi,
}

/// A model.
#[derive(Debug, Clone, Copy)]
pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) id: &'static str,
    pub(super) style: Style,
    /// Absent for a model that no price list knows.
    prices: Option<Prices>,
    /// Prices of a whole request beyond a context, and that context.
    long: Option<(u64, Prices)>,
    /// Paid by subscription: OpenCode stores cost 0.
    pub(super) subscription: bool,
    /// Tokens that a request can hold.
    pub(super) context: u64,
    pub(super) reasons: bool,
}

const fn prices(input: u64, output: u64, cache_read: u64, cache_write: u64) -> Option<Prices> {
    Some(Prices { input, output, cache_read, cache_write })
}

const fn long(
    size: u64,
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
) -> Option<(u64, Prices)> {
    Some((size, Prices { input, output, cache_read, cache_write }))
}

const fn model(provider: &'static str, id: &'static str, style: Style, prices: Option<Prices>) -> Model {
    Model { provider, id, style, prices, long: None, subscription: false, context: 200_000, reasons: true }
}

use Style::{Anthropic, OpenAi};

/// The models, the most used first.
pub(super) const MODELS: &[Model] = &[
    Model {
        context: 1_000_000,
        ..model("anthropic", "claude-sonnet-4-5", Anthropic, prices(30_000, 150_000, 3_000, 37_500))
    },
    model("anthropic", "claude-opus-4-5", Anthropic, prices(50_000, 250_000, 5_000, 62_500)),
    Model { context: 400_000, ..model("openai", "gpt-5.2", OpenAi, prices(17_500, 140_000, 1_750, 0)) },
    Model { context: 400_000, ..model("openai", "gpt-5", OpenAi, prices(12_500, 100_000, 1_250, 0)) },
    Model {
        long: long(272_000, 50_000, 225_000, 5_000, 0),
        context: 1_050_000,
        ..model("openai", "gpt-5.4", OpenAi, prices(25_000, 150_000, 2_500, 0))
    },
    Model {
        long: long(200_000, 25_000, 150_000, 2_500, 0),
        context: 1_048_576,
        ..model("google", "gemini-2.5-pro", OpenAi, prices(12_500, 100_000, 1_250, 0))
    },
    Model {
        subscription: true,
        ..model("github-copilot", "claude-sonnet-4.6", Anthropic, prices(30_000, 150_000, 3_000, 37_500))
    },
    Model {
        long: long(200_000, 60_000, 225_000, 6_000, 75_000),
        context: 1_000_000,
        ..model(
            "openrouter",
            "anthropic/claude-sonnet-4.5",
            Anthropic,
            prices(30_000, 150_000, 3_000, 37_500),
        )
    },
    Model { reasons: false, ..model("zai", "glm-4.6", OpenAi, prices(6_000, 22_000, 1_100, 0)) },
    model("opencode", "big-pickle", OpenAi, prices(0, 0, 0, 0)),
    model("opencode", "grok-code", OpenAi, prices(0, 0, 0, 0)),
    model(
        "amazon-bedrock",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        Anthropic,
        prices(33_000, 165_000, 3_300, 41_250),
    ),
    Model {
        reasons: false,
        ..model("mistral", "devstral-medium-latest", OpenAi, prices(4_000, 20_000, 0, 0))
    },
    Model { reasons: false, ..model("demo-lab", "quokka-7b-preview", OpenAi, None) },
];

/// The model that sub-agents use beside that of their session.
pub(super) const SMALL: Model =
    model("anthropic", "claude-haiku-4-5", Anthropic, prices(10_000, 50_000, 1_000, 12_500));

/// What one request used, each token in one place only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// Input that was not in the cache.
    pub(super) input: u64,
    /// Output that could be seen.
    pub(super) output: u64,
    pub(super) reasoning: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write: u64,
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input += other.input;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.cache_read += other.cache_read;
        self.cache_write += other.cache_write;
    }
}

impl Usage {
    /// The fields as a version stores them.
    pub(super) fn stored(self, version: Version, style: Style) -> Self {
        let cached = if version.input_holds_cached() && style == Style::OpenAi { self.cache_read } else { 0 };
        let reasoned = if version.output_holds_reasoning() { self.reasoning } else { 0 };
        Self { input: self.input + cached, output: self.output + reasoned, ..self }
    }

    /// All tokens, each counted once.
    pub(super) fn total(self) -> u64 {
        self.input + self.output + self.reasoning + self.cache_read + self.cache_write
    }

    /// The JSON of stored tokens. `total` is that of the usage itself.
    pub(super) fn json(self, version: Version, total: u64) -> Json {
        let total = (version.writes_total() && total > 0).then_some(total);
        let cache = if version.newer_order() {
            Object::new().with("write", self.cache_write).with("read", self.cache_read)
        } else {
            Object::new().with("read", self.cache_read).with("write", self.cache_write)
        };
        Object::new()
            .maybe("total", total)
            .with("input", self.input)
            .with("output", self.output)
            .with("reasoning", self.reasoning)
            .with("cache", cache)
            .into()
    }
}

/// What `version` said that a request with this usage cost.
pub(super) fn cost(version: Version, model: &Model, usage: Usage, subscription: bool) -> Money {
    let Some(list) = model.prices else { return Money::default() };
    if subscription {
        return Money::default();
    }
    let stored = usage.stored(version, model.style);
    let prices = match model.long {
        Some((size, prices)) if version.has_long_context() => {
            let whole = usage.input + usage.cache_read + usage.cache_write;
            let beyond_tier = version.has_tiers() && whole > size;
            let beyond_200k = if version.has_tiers() {
                whole > 200_000
            } else {
                stored.input + stored.cache_read > 200_000
            };
            if beyond_tier || beyond_200k { prices } else { list }
        }
        _ => list,
    };
    let reasoning = if version.charges_reasoning() { stored.reasoning } else { 0 };
    Money(
        stored.input * prices.input
            + (stored.output + reasoning) * prices.output
            + stored.cache_read * prices.cache_read
            + stored.cache_write * prices.cache_write,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use Version::{V0_5_29, V1_1_65, V1_18_34};

    const USAGE: Usage =
        Usage { input: 1_000, output: 200, reasoning: 50, cache_read: 4_000, cache_write: 300 };

    #[test]
    fn money_is_exact_decimal_text() {
        assert_eq!(Money(0).text(), "0");
        assert_eq!(Money(105_474_000).text(), "0.0105474");
        assert_eq!(Money(30_000_000_001).text(), "3.0000000001");
        assert_eq!(Money(105_474_000).json().compact(), "0.0105474");
        assert_eq!(Money(1_250).json().compact(), "1.25e-7");
    }

    #[test]
    fn stored_tokens_and_costs_follow_the_version() {
        let gpt = &MODELS[3];
        assert_eq!(gpt.id, "gpt-5");
        let usage = Usage { cache_write: 0, ..USAGE };
        let old = usage.stored(V0_5_29, gpt.style);
        assert_eq!((old.input, old.output), (5_000, 250));
        // 5,000 in and 4,000 of them again as cached; reasoning only inside the output.
        assert_eq!(cost(V0_5_29, gpt, usage, false).text(), "0.00925");
        let middle = usage.stored(V1_1_65, gpt.style);
        assert_eq!((middle.input, middle.output), (1_000, 250));
        assert_eq!(cost(V1_1_65, gpt, usage, false).text(), "0.00475");
        let new = usage.stored(V1_18_34, gpt.style);
        assert_eq!((new.input, new.output), (1_000, 200));
        assert_eq!(cost(V1_18_34, gpt, usage, false).text(), "0.00425");
        assert_eq!(cost(V1_18_34, gpt, usage, true), Money(0));
        assert_eq!(cost(V1_18_34, &MODELS[0], USAGE, false).text(), "0.009075");
    }

    #[test]
    fn a_long_context_costs_more() {
        let gemini = &MODELS[5];
        let usage = Usage { input: 10_000, cache_read: 195_000, ..Usage::default() };
        assert_eq!(cost(V1_1_65, gemini, usage, false).text(), "0.07375");
        assert_eq!(cost(V0_5_29, gemini, usage, false).text(), "0.280625");
    }
}
