//! Rules: what a check's value must be.
//!
//! Owns reading and judging `> 95 percent`. A unit is for people; it changes nothing.

use std::cmp::Ordering;
use std::fmt;

/// How the value is held against the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Above.
    Above,
    /// At least.
    AtLeast,
    /// Below.
    Below,
    /// At most.
    AtMost,
    /// The same.
    Equal,
}

impl Comparison {
    const ALL: [(&'static str, Self); 5] = [
        (">", Self::Above),
        (">=", Self::AtLeast),
        ("<", Self::Below),
        ("<=", Self::AtMost),
        ("=", Self::Equal),
    ];
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// How the value is held against the bound.
    pub comparison: Comparison,
    /// The bound.
    pub bound: f64,
    /// The unit, such as `percent`; may be empty.
    pub unit: &'static str,
}

impl Rule {
    /// Reads `value > 95 percent`; the word `value` may be left out. On failure, why.
    pub(super) fn read(text: &'static str) -> Result<Self, String> {
        let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
        words.next_if_eq(&"value");
        let sign = words.next().unwrap_or_default();
        let comparison = Comparison::ALL.iter().find(|(known, _)| *known == sign).map(|(_, found)| *found);
        let Some(comparison) = comparison else {
            return Err(format!("`{sign}` is none of >, >=, <, <=, ="));
        };
        let number = words.next().unwrap_or_default();
        let bound = match number.parse::<f64>() {
            Ok(bound) if bound.is_finite() => bound,
            _ => return Err(format!("`{number}` is not a number")),
        };
        let unit = words.next().unwrap_or_default();
        match words.next() {
            None => Ok(Self { comparison, bound, unit }),
            Some(more) => Err(format!("`{more}` is one word too many")),
        }
    }

    /// Whether the value keeps the rule.
    pub fn holds(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.bound,
            Comparison::AtLeast => value >= self.bound,
            Comparison::Below => value < self.bound,
            Comparison::AtMost => value <= self.bound,
            Comparison::Equal => value == self.bound,
        }
    }

    /// Which of two values is better under the rule: `Greater` when `value` is better than `before`.
    pub fn compare(&self, value: f64, before: f64) -> Ordering {
        let ordering = match self.comparison {
            Comparison::Above | Comparison::AtLeast => value.partial_cmp(&before),
            Comparison::Below | Comparison::AtMost => before.partial_cmp(&value),
            Comparison::Equal => (before - self.bound).abs().partial_cmp(&(value - self.bound).abs()),
        };
        ordering.unwrap_or(Ordering::Equal)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Comparison::ALL.iter().find(|(_, known)| *known == self.comparison);
        let sign = sign.map_or("", |(sign, _)| *sign);
        write!(f, "{sign} {}", self.bound)?;
        if self.unit.is_empty() { Ok(()) } else { write!(f, " {}", self.unit) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_judge_at_their_bound() {
        let cases = [
            ("value > 0", [false, false, true], "> 0"),
            (">= 0 percent", [false, true, true], ">= 0 percent"),
            ("< 0 ms", [true, false, false], "< 0 ms"),
            ("<= 0", [true, true, false], "<= 0"),
            ("= 0", [false, true, false], "= 0"),
        ];
        for (text, expected, shown) in cases {
            let rule = Rule::read(text).unwrap();
            assert_eq!([-1.0, 0.0, 1.0].map(|value| rule.holds(value)), expected, "{text}");
            assert_eq!(rule.to_string(), shown);
        }
        for wrong in ["", "about 3", "> many", "> 3 per cent"] {
            assert!(Rule::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn better_depends_on_the_direction() {
        let rule = |text| Rule::read(text).unwrap();
        assert_eq!(rule("> 95").compare(97.0, 96.0), Ordering::Greater);
        assert_eq!(rule("< 95").compare(97.0, 96.0), Ordering::Less);
        assert_eq!(rule("= 0").compare(1.0, -2.0), Ordering::Greater);
        assert_eq!(rule("= 0").compare(2.0, -2.0), Ordering::Equal);
    }
}
