//! Percentages: exact to a hundredth of a percent.
//!
//! Owns the type, its text and its JSON form. A float would make `0.07 %` depend on rounding; a rollout may not.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A share between 0 % and 100 %, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(u32);

/// Text that is no percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a percentage\nhint: 0 to 100, with at most two decimals, such as 10 or 0.25")]
pub struct NotAPercentage(String);

impl Percent {
    /// Nobody.
    pub const NOBODY: Self = Self(0);
    /// Everybody.
    pub const EVERYBODY: Self = Self(10_000);

    /// So many hundredths of a percent; more than 10,000 is 100 %.
    pub fn from_hundredths(hundredths: u32) -> Self {
        Self(hundredths.min(10_000))
    }

    /// So many whole percent; more than 100 is 100 %.
    pub fn whole(percent: u32) -> Self {
        Self::from_hundredths(percent.saturating_mul(100))
    }

    /// In hundredths of a percent.
    pub fn hundredths(self) -> u32 {
        self.0
    }

    /// In whole percent, when it is whole.
    pub fn as_whole(self) -> Option<u32> {
        self.0.is_multiple_of(100).then_some(self.0 / 100)
    }

    /// So much of `count`, rounded to the nearest whole; half a one counts as one.
    pub fn of(self, count: u64) -> u64 {
        let exact = u128::from(count) * u128::from(self.0);
        u64::try_from((exact + 5_000) / 10_000).unwrap_or(u64::MAX)
    }

    /// As a share between 0 and 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 100, self.0 % 100);
        match (rest, rest % 10) {
            (0, _) => write!(f, "{whole}"),
            (_, 0) => write!(f, "{whole}.{}", rest / 10),
            _ => write!(f, "{whole}.{rest:02}"),
        }
    }
}

impl FromStr for Percent {
    type Err = NotAPercentage;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || NotAPercentage(text.to_owned());
        let digits = text.trim().trim_end_matches('%').trim_end();
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 3 || !all_digits(whole) || !all_digits(fraction) {
            return Err(fault());
        }
        let fraction = fraction.trim_end_matches('0');
        let hundredths = match fraction.len() {
            0 => 0,
            1 => fraction.parse::<u32>().map_err(|_| fault())? * 10,
            2 => fraction.parse::<u32>().map_err(|_| fault())?,
            _ => return Err(fault()),
        };
        let value = whole.parse::<u32>().map_err(|_| fault())? * 100 + hundredths;
        if value > 10_000 { Err(fault()) } else { Ok(Self(value)) }
    }
}

impl Serialize for Percent {
    /// A JSON number: `10`, `0.25`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_whole() {
            Some(whole) => serializer.serialize_u32(whole),
            None => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        number.to_string().parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_keep_hundredths() {
        for (text, hundredths) in [("10", 1_000), ("0.25", 25), ("0.5", 50), ("100", 10_000), ("7.07", 707)] {
            let percent: Percent = text.parse().unwrap();
            assert_eq!(percent.hundredths(), hundredths);
            assert_eq!(percent.to_string(), text);
            let json = serde_json::to_string(&percent).unwrap();
            assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent, "{json}");
        }
        assert_eq!("10 %".parse::<Percent>().unwrap(), Percent::whole(10));
        for text in ["", "-1", "100.01", "1.234", "1e1", "ten", "."] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_hundredth_survives_json() {
        for hundredths in 0..=10_000 {
            let percent = Percent::from_hundredths(hundredths);
            let json = serde_json::to_string(&percent).unwrap();
            assert_eq!(serde_json::from_str::<Percent>(&json).unwrap(), percent, "{json}");
        }
    }
}
