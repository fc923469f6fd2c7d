//! Rules: what a check's value must be.
//!
//! Owns reading and judging `> 95 percent` and `between 1 and 5`. Whether a unit changes what is measured is the
//! measure's business; here it is for people. Invariant: a value that is no number keeps no rule.

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
    /// Not the same.
    NotEqual,
    /// At least the first bound and at most the second.
    Between,
    /// Below the first bound or above the second.
    NotBetween,
}

impl Comparison {
    const SIGNS: [(&'static str, Self); 6] = [
        (">", Self::Above),
        (">=", Self::AtLeast),
        ("<", Self::Below),
        ("<=", Self::AtMost),
        ("=", Self::Equal),
        ("!=", Self::NotEqual),
    ];
}

/// A rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// How the value is held against the bound.
    pub comparison: Comparison,
    /// The bound; the lower one of two.
    pub bound: f64,
    /// The upper bound of `between`; otherwise the same as `bound`.
    pub upper: f64,
    /// The unit, such as `percent`; may be empty.
    pub unit: String,
}

impl Rule {
    /// A rule with one bound.
    pub fn new(comparison: Comparison, bound: f64, unit: impl Into<String>) -> Self {
        Self { comparison, bound, upper: bound, unit: unit.into() }
    }

    /// Reads `value > 95 percent` or `not between 1 and 5`; the word `value` may be left out.
    ///
    /// # Errors
    /// Why it is no rule.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut words = text.split(' ').filter(|word| !word.is_empty()).peekable();
        words.next_if_eq(&"value");
        let sign = words.next().unwrap_or_default();
        let simple = Comparison::SIGNS.iter().find(|(known, _)| *known == sign).map(|(_, found)| *found);
        let comparison = match (simple, sign) {
            (Some(found), _) => found,
            (None, "between") => Comparison::Between,
            (None, "not") if words.next_if_eq(&"between").is_some() => Comparison::NotBetween,
            _ => return Err(format!("`{sign}` is none of >, >=, <, <=, =, !=, between, not between")),
        };
        let bound = number(words.next())?;
        let upper = if simple.is_some() {
            bound
        } else {
            match words.next() {
                Some("and") => number(words.next())?,
                _ => return Err("the form is `between 1 and 5`".to_owned()),
            }
        };
        if upper < bound {
            return Err(format!("{upper} is below {bound}"));
        }
        let unit = words.next().unwrap_or_default().to_owned();
        match words.next() {
            None => Ok(Self { comparison, bound, upper, unit }),
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
            Comparison::NotEqual => !value.is_nan() && value != self.bound,
            Comparison::Between => value >= self.bound && value <= self.upper,
            Comparison::NotBetween => value < self.bound || value > self.upper,
        }
    }

    /// Which of two values is better under the rule: `Greater` when `value` is better than `before`.
    pub fn compare(&self, value: f64, before: f64) -> Ordering {
        let ordering = match self.comparison {
            Comparison::Above | Comparison::AtLeast => value.partial_cmp(&before),
            Comparison::Below | Comparison::AtMost => before.partial_cmp(&value),
            Comparison::Equal | Comparison::Between => {
                self.distance(before).partial_cmp(&self.distance(value))
            }
            Comparison::NotEqual | Comparison::NotBetween => {
                self.depth(before).partial_cmp(&self.depth(value))
            }
        };
        ordering.unwrap_or(Ordering::Equal)
    }

    /// How far outside of the bounds a value is.
    fn distance(&self, value: f64) -> f64 {
        (self.bound - value).max(value - self.upper).max(0.0)
    }

    /// How far within the bounds a value is; below zero outside.
    fn depth(&self, value: f64) -> f64 {
        (value - self.bound).min(self.upper - value)
    }
}

fn number(word: Option<&str>) -> Result<f64, String> {
    let word = word.unwrap_or_default();
    match word.parse::<f64>() {
        Ok(bound) if bound.is_finite() => Ok(bound),
        _ => Err(format!("`{word}` is not a number")),
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.comparison {
            Comparison::Between => write!(f, "between {} and {}", self.bound, self.upper)?,
            Comparison::NotBetween => write!(f, "not between {} and {}", self.bound, self.upper)?,
            simple => {
                let sign = Comparison::SIGNS.iter().find(|(_, known)| *known == simple);
                write!(f, "{} {}", sign.map_or("", |(sign, _)| *sign), self.bound)?;
            }
        }
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
            ("!= 0", [true, false, true], "!= 0"),
            ("between 0 and 1 rows", [false, true, true], "between 0 and 1 rows"),
            ("not between 0 and 0", [true, false, true], "not between 0 and 0"),
        ];
        for (text, expected, shown) in cases {
            let rule = Rule::read(text).unwrap();
            assert_eq!([-1.0, 0.0, 1.0].map(|value| rule.holds(value)), expected, "{text}");
            assert!(!rule.holds(f64::NAN), "{text}");
            assert_eq!(rule.to_string(), shown);
            assert_eq!(Rule::read(shown).unwrap(), rule);
        }
        let wrong =
            ["", "about 3", "> many", "> 3 per cent", "between 1", "between 2 and 1", "not 3", "> NaN"];
        for wrong in wrong {
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
        assert_eq!(rule("between 1 and 5").compare(3.0, 4.0), Ordering::Equal);
        assert_eq!(rule("between 1 and 5").compare(7.0, 6.0), Ordering::Less);
        assert_eq!(rule("not between 1 and 5").compare(3.0, 1.0), Ordering::Less);
        assert_eq!(rule("!= 3").compare(4.0, 3.0), Ordering::Greater);
    }
}
