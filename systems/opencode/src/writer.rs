//! Which OpenCode wrote a record, and what that changes about its numbers.
//!
//! Owns the version number of a session (`session.version`) and the two boundaries that matter: how token fields are
//! meant ([`TokenRule`]) and how the cost was computed ([`CostRule`]). It deliberately computes neither; see
//! [`crate::tokens`] and [`crate::price`].
//!
//! The rules were read from the published programs of the versions 1.0.61, 1.0.98, 1.1.65, 1.3.2, 1.14.34, 1.14.48,
//! 1.15.0, 1.15.13 and 1.17.0. A version between two of them follows the nearer one: where both ends differ in the last
//! number, that number decides; between 1.3.2 and 1.14.34 the middle number does.
//!
//! Invariants:
//! - Every text has rules: what is no version (`local`, builds of a branch) counts as the newest.

/// A released version of OpenCode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterVersion {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

/// What the stored numbers of tokens mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenRule {
    /// Up to 1.0.61: `input` is what the provider reported, with cached tokens in it unless the provider speaks as
    /// Anthropic does; `output` has the reasoning in it.
    Raw,
    /// 1.0.98 to 1.3.2: `input` is without cached tokens; `output` still has the reasoning in it.
    OutputWithReasoning,
    /// Since 1.14.34: all five numbers are disjoint.
    Disjoint,
}

impl TokenRule {
    /// The name that is stored beside normalized numbers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::OutputWithReasoning => "output_with_reasoning",
            Self::Disjoint => "disjoint",
        }
    }
}

/// How the cost in a record was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CostRule {
    /// Up to 1.0.61: reasoning is not charged; one price for every length.
    Flat,
    /// 1.0.98 to 1.14.48: reasoning is charged at the price of output; the whole request at the over-200k price once
    /// input and cache reads together exceed 200,000 tokens.
    Over200k,
    /// Since 1.15.0: the largest tier that the full input exceeds, cached tokens included, for the whole request; else
    /// the over-200k price.
    Tiered,
    /// Since 1.17.0: as [`Self::Tiered`], but what GitHub Copilot reports as its own price is taken instead.
    TieredOrReported,
}

impl CostRule {
    /// The name that is stored beside a recomputed cost.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Over200k => "over_200k",
            Self::Tiered => "tiered",
            Self::TieredOrReported => "tiered_or_reported",
        }
    }
}

impl WriterVersion {
    /// Builds a version.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `1.1.65`, `v1.1.65` or `1.1.65-beta.2`; `None` for builds without a released number, such as `local` or
    /// `0.0.0-dev-202609212252`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let core = text.split(['-', '+']).next()?;
        let mut numbers = core.split('.').map(|number| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            if digits { number.parse::<u32>().ok() } else { None }
        });
        let version = Self::new(numbers.next()??, numbers.next()??, numbers.next()??);
        (numbers.next().is_none() && version != Self::new(0, 0, 0)).then_some(version)
    }
}

/// What the token fields of a record mean that `version` wrote.
#[must_use]
pub fn token_rule(version: &str) -> TokenRule {
    // 1.0.79 is as near to 1.0.61 as a version can be that is not nearer to 1.0.98; 1.8 lies between 1.3 and 1.14.
    match WriterVersion::parse(version) {
        Some(version) if version < WriterVersion::new(1, 0, 80) => TokenRule::Raw,
        Some(version) if version < WriterVersion::new(1, 9, 0) => TokenRule::OutputWithReasoning,
        _ => TokenRule::Disjoint,
    }
}

/// How `version` computed the cost in a record.
#[must_use]
pub fn cost_rule(version: &str) -> CostRule {
    match WriterVersion::parse(version) {
        Some(version) if version < WriterVersion::new(1, 0, 80) => CostRule::Flat,
        Some(version) if version < WriterVersion::new(1, 15, 0) => CostRule::Over200k,
        // The versions 1.15.14 to 1.16.x: only Copilot's own price tells the two apart.
        Some(version) if version < WriterVersion::new(1, 17, 0) => CostRule::Tiered,
        _ => CostRule::TieredOrReported,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            ("1.1.65", Some((1, 1, 65))),
            ("v0.5.29", Some((0, 5, 29))),
            ("1.14.34-beta.1", Some((1, 14, 34))),
            ("2.0.12+build", Some((2, 0, 12))),
            ("local", None),
            ("0.0.0-dev-202609212252", None),
            ("1.1", None),
            ("1.1.x", None),
            ("1.1.1.1", None),
            ("1..1", None),
            ("+1.0.0", None),
            ("1.1.99999999999", None),
            ("", None),
        ] {
            let expected = expected.map(|(major, minor, patch)| WriterVersion::new(major, minor, patch));
            assert_eq!(WriterVersion::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn rules_change_where_the_published_versions_do() {
        for (version, tokens, cost) in [
            ("0.5.29", TokenRule::Raw, CostRule::Flat),
            ("1.0.0", TokenRule::Raw, CostRule::Flat),
            ("1.0.61", TokenRule::Raw, CostRule::Flat),
            ("1.0.79", TokenRule::Raw, CostRule::Flat),
            ("1.0.80", TokenRule::OutputWithReasoning, CostRule::Over200k),
            ("1.0.98", TokenRule::OutputWithReasoning, CostRule::Over200k),
            ("1.1.16", TokenRule::OutputWithReasoning, CostRule::Over200k),
            ("1.3.2", TokenRule::OutputWithReasoning, CostRule::Over200k),
            ("1.4.10", TokenRule::OutputWithReasoning, CostRule::Over200k),
            ("1.14.19", TokenRule::Disjoint, CostRule::Over200k),
            ("1.14.34", TokenRule::Disjoint, CostRule::Over200k),
            ("1.14.48", TokenRule::Disjoint, CostRule::Over200k),
            ("1.15.0", TokenRule::Disjoint, CostRule::Tiered),
            ("1.15.13", TokenRule::Disjoint, CostRule::Tiered),
            ("1.16.9", TokenRule::Disjoint, CostRule::Tiered),
            ("1.17.0", TokenRule::Disjoint, CostRule::TieredOrReported),
            ("1.18.34", TokenRule::Disjoint, CostRule::TieredOrReported),
            ("2.0.12", TokenRule::Disjoint, CostRule::TieredOrReported),
            ("local", TokenRule::Disjoint, CostRule::TieredOrReported),
            ("0.0.0-dev-202609212252", TokenRule::Disjoint, CostRule::TieredOrReported),
        ] {
            assert_eq!((token_rule(version), cost_rule(version)), (tokens, cost), "{version}");
        }
    }
}
