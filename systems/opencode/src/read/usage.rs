//! Token counts.
//!
//! Owns the object `tokens`, which sessions, messages and steps have alike. What the numbers mean depends on the
//! version that wrote them; here they are only read.

use super::fields::Fields;
use super::leftovers::Leftovers;

/// Tokens as they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tokens {
    pub(super) input: Option<i64>,
    pub(super) output: Option<i64>,
    pub(super) reasoning: Option<i64>,
    pub(super) cache_read: Option<i64>,
    pub(super) cache_write: Option<i64>,
    pub(super) total: Option<i64>,
}

impl Tokens {
    /// True when nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        let counts = [self.input, self.output, self.reasoning, self.cache_read, self.cache_write, self.total];
        counts.iter().all(Option::is_none)
    }

    /// Takes the field `tokens`.
    pub(super) fn take<'a>(fields: &mut Fields<'a>, left: &mut Leftovers<'a>) -> Self {
        let Some(mut tokens) = fields.object("tokens") else { return Self::default() };
        let mut cache = tokens.object("cache");
        let mut cached = |key| cache.as_mut().and_then(|cache| cache.integer(key));
        let taken = Self {
            input: tokens.integer("input"),
            output: tokens.integer("output"),
            reasoning: tokens.integer("reasoning"),
            cache_read: cached("read"),
            cache_write: cached("write"),
            total: tokens.integer("total"),
        };
        left.add(cache);
        left.add(tokens);
        taken
    }
}
