//! What a stored number of tokens means, by the version that wrote it.
//!
//! Owns the step from the five numbers as stored to five numbers that never count a token twice. It deliberately leaves
//! alone which record is counted: the steps of a message are its truth, its own field is only the last step.
//!
//! Invariants:
//! - The five numbers of [`Tokens`] are disjoint, and none is negative.
//! - Evidence in the record goes before the version's rule, and the answer says which of the two decided.

use crate::writer::{TokenRule, token_rule};

/// Numbers of tokens as a record states them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredTokens {
    /// `tokens.input`.
    pub input: i64,
    /// `tokens.output`.
    pub output: i64,
    /// `tokens.reasoning`.
    pub reasoning: i64,
    /// `tokens.cache.read`.
    pub cache_read: i64,
    /// `tokens.cache.write`.
    pub cache_write: i64,
    /// `tokens.total`; since 1.1.65, and not by every provider.
    pub total: Option<i64>,
}

/// Numbers of tokens, disjoint, none negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Input that was neither read from nor written to a cache.
    pub input: i64,
    /// Output that was not reasoning.
    pub output_without_reasoning: i64,
    /// Reasoning.
    pub reasoning: i64,
    /// Input read from a cache.
    pub cache_read: i64,
    /// Input written to a cache.
    pub cache_write: i64,
}

impl Tokens {
    /// Output as providers bill it: with the reasoning.
    #[must_use]
    pub const fn output_with_reasoning(&self) -> i64 {
        self.output_without_reasoning.saturating_add(self.reasoning)
    }

    /// All input, cached or not: what fills the context.
    #[must_use]
    pub const fn context(&self) -> i64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// All tokens.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.context().saturating_add(self.output_with_reasoning())
    }

    /// The sums, field by field; they end at the largest number instead of wrapping.
    #[must_use]
    pub const fn saturating_add(&self, other: &Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            output_without_reasoning: self
                .output_without_reasoning
                .saturating_add(other.output_without_reasoning),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            cache_read: self.cache_read.saturating_add(other.cache_read),
            cache_write: self.cache_write.saturating_add(other.cache_write),
        }
    }
}

/// Why numbers were taken as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decided {
    /// By the version that wrote the record.
    ByVersion,
    /// By the record itself, against its version's rule: its total counts the reasoning beside the output, or it has
    /// more reasoning than output, or more cached tokens than input.
    ByRecord,
}

/// Disjoint numbers, and how they came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Normalized {
    /// The numbers.
    pub tokens: Tokens,
    /// The rule of the writer's version.
    pub rule: TokenRule,
    /// Whether the record overruled it.
    pub decided: Decided,
}

/// Makes the stored numbers disjoint, by the version of the session and the provider and model of the message.
///
/// `provider` and `model` matter only for versions up to 1.0.61 ([`TokenRule::Raw`]): their input has the cached tokens
/// in it, except from providers that report as Anthropic does.
///
/// Differences end at zero. Negative stored numbers, which versions before 1.14 could write, count as zero.
#[must_use]
pub fn normalize(version: &str, provider: &str, model: &str, stored: &StoredTokens) -> Normalized {
    let rule = token_rule(version);
    let input = stored.input.max(0);
    let output = stored.output.max(0);
    let reasoning = stored.reasoning.max(0);
    let cache_read = stored.cache_read.max(0);
    let cache_write = stored.cache_write.max(0);
    let mut decided = Decided::ByVersion;

    let output_without_reasoning = if rule == TokenRule::Disjoint || reasoning == 0 {
        output
    } else if reasoning > output || total_counts_reasoning_apart(stored) {
        decided = Decided::ByRecord;
        output
    } else {
        output - reasoning
    };
    let input = if rule != TokenRule::Raw || reports_input_without_cache(provider, model) {
        input
    } else if cache_read > input {
        decided = Decided::ByRecord;
        input
    } else {
        input - cache_read
    };
    let tokens = Tokens { input, output_without_reasoning, reasoning, cache_read, cache_write };
    Normalized { tokens, rule, decided }
}

/// Whether the record's own total adds up only if the reasoning is counted beside the output.
fn total_counts_reasoning_apart(stored: &StoredTokens) -> bool {
    let together = [stored.input, stored.output, stored.cache_read, stored.cache_write];
    let together: i128 = together.into_iter().map(i128::from).sum();
    stored.total.is_some_and(|total| i128::from(total) == together + i128::from(stored.reasoning))
}

/// Whether a provider's number of input tokens leaves out the cached ones.
///
/// OpenCode saw that in the metadata of the answer, which is not stored: Anthropic's own interface and Bedrock's. The
/// gateway `opencode` passes Claude through in Anthropic's form.
fn reports_input_without_cache(provider: &str, model: &str) -> bool {
    match provider {
        "anthropic" | "amazon-bedrock" | "google-vertex-anthropic" => true,
        "opencode" => model.starts_with("claude"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn stored(
        input: i64,
        output: i64,
        reasoning: i64,
        cache_read: i64,
        cache_write: i64,
    ) -> StoredTokens {
        StoredTokens { input, output, reasoning, cache_read, cache_write, total: None }
    }

    const fn tokens(input: i64, output: i64, reasoning: i64, cache_read: i64, cache_write: i64) -> Tokens {
        Tokens { input, output_without_reasoning: output, reasoning, cache_read, cache_write }
    }

    #[test]
    fn each_generation_is_read_by_its_own_rule() {
        // The same request: 1,000 tokens of input, 600 of them cached; 300 of output, 80 of them reasoning.
        let expected = tokens(400, 220, 80, 600, 0);
        for (version, stored) in [
            ("1.0.61", stored(1000, 300, 80, 600, 0)),
            ("1.1.16", stored(400, 300, 80, 600, 0)),
            ("1.18.33", stored(400, 220, 80, 600, 0)),
        ] {
            let normalized = normalize(version, "openai", "gpt-5", &stored);
            assert_eq!((normalized.tokens, normalized.decided), (expected, Decided::ByVersion), "{version}");
            assert_eq!(normalized.tokens.total(), 1300, "{version}");
        }
    }

    #[test]
    fn early_input_from_anthropic_is_without_the_cache_already() {
        for (provider, model, input) in [
            ("anthropic", "claude-sonnet-4", 1000),
            ("amazon-bedrock", "us.anthropic.claude", 1000),
            ("opencode", "claude-sonnet-4-5", 1000),
            ("opencode", "gpt-5", 400),
            ("openrouter", "anthropic/claude-sonnet-4", 400),
        ] {
            let normalized = normalize("1.0.50", provider, model, &stored(1000, 10, 0, 600, 50));
            assert_eq!(normalized.tokens, tokens(input, 10, 0, 600, 50), "{provider}/{model}");
        }
    }

    #[test]
    fn what_the_record_proves_goes_before_the_version() {
        // More reasoning than output: it cannot be part of it.
        let normalized = normalize("1.1.16", "google", "gemini-2.5-pro", &stored(10, 50, 80, 0, 0));
        assert_eq!((normalized.tokens.output_without_reasoning, normalized.decided), (50, Decided::ByRecord));
        // More cached tokens than input: they cannot be part of it.
        let normalized = normalize("1.0.50", "custom", "claude", &stored(10, 50, 0, 600, 0));
        assert_eq!((normalized.tokens.input, normalized.decided), (10, Decided::ByRecord));
        // The total says whether the reasoning is beside the output or in it.
        for (total, output, decided) in
            [(1380, 300, Decided::ByRecord), (1300, 220, Decided::ByVersion), (9, 220, Decided::ByVersion)]
        {
            let record = StoredTokens { total: Some(total), ..stored(400, 300, 80, 600, 0) };
            let normalized = normalize("1.3.2", "google", "gemini-2.5-pro", &record);
            assert_eq!(
                (normalized.tokens.output_without_reasoning, normalized.decided),
                (output, decided),
                "{total}"
            );
        }
    }

    #[test]
    fn negative_numbers_count_as_none() {
        let normalized = normalize("1.0.98", "openai", "gpt-5", &stored(-200, 30, -1, 600, -5));
        assert_eq!(normalized.tokens, tokens(0, 30, 0, 600, 0));
    }

    #[test]
    fn large_numbers_are_kept_and_sums_end_at_the_largest() {
        let large = i64::from(u32::MAX) * 8;
        let normalized = normalize("1.18.33", "openai", "gpt-5", &stored(large, large, 0, 0, 0));
        assert_eq!(normalized.tokens.total(), 2 * large);
        let most = tokens(i64::MAX, 1, 1, 1, 1);
        assert_eq!(most.total(), i64::MAX);
        assert_eq!(most.saturating_add(&most).input, i64::MAX);
        assert_eq!(most.saturating_add(&most).reasoning, 2);
    }

    proptest! {
        #[test]
        fn the_numbers_are_never_negative_and_never_grow(
            version in prop::sample::select(vec!["0.5.29", "1.0.61", "1.0.98", "1.3.2", "1.14.34", "local"]),
            provider in prop::sample::select(vec!["anthropic", "openai"]),
            fields in prop::array::uniform5(any::<i64>()),
            total in any::<Option<i64>>(),
        ) {
            let [input, output, reasoning, cache_read, cache_write] = fields;
            let stored = StoredTokens { input, output, reasoning, cache_read, cache_write, total };
            let tokens = normalize(version, provider, "any", &stored).tokens;
            for (number, was) in [
                (tokens.input, input),
                (tokens.output_without_reasoning, output),
                (tokens.reasoning, reasoning),
                (tokens.cache_read, cache_read),
                (tokens.cache_write, cache_write),
            ] {
                prop_assert!((0..=was.max(0)).contains(&number), "{number} of {was}");
            }
        }
    }
}
