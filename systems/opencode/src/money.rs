//! Exact money: US dollars as whole numbers of 10^-10 dollar.
//!
//! Owns reading from the text of a JSON number, writing, and sums. It deliberately knows no prices, and no floating
//! point: OpenCode computes a cost in decimal and writes it as a JSON number, so the decimal digits are the truth, and
//! a store keeps them as `DECIMAL(18,10)`.
//!
//! Invariants:
//! - An amount always fits `DECIMAL(18,10)`: its absolute value is below 100,000,000 dollars.
//! - What does not fit is `None`, never clipped and never wrapped.
//! - Every rounding is half to even, and happens once.

use std::fmt;

/// Decimals that are kept.
pub const DECIMALS: u32 = 10;
/// Units in one dollar.
pub const UNITS_PER_DOLLAR: i64 = 10_i64.pow(DECIMALS);
/// The first amount that is too large, in units: 18 digits are kept.
const TOO_LARGE: i128 = 10_i128.pow(18);

/// An amount in US dollars, exact to 10^-10.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From units of 10^-10 dollar; `None` beyond `DECIMAL(18,10)`.
    #[must_use]
    pub fn from_units(units: i128) -> Option<Self> {
        if units.abs() >= TOO_LARGE { None } else { i64::try_from(units).ok().map(Self) }
    }

    /// Units of 10^-10 dollar, as a `DECIMAL(18,10)` stores them.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }

    /// Reads the text of a JSON number: `0.0105474`, `-1`, `1e-7`, `1.5E+2`.
    ///
    /// More than ten decimals are rounded half to even. `None` for text that is no JSON number, and for an amount that
    /// does not fit.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let number = JsonNumber::parse(text)?;
        let magnitude = number.scaled()?;
        Self::from_units(if number.negative { -magnitude } else { magnitude })
    }

    /// The sum; `None` if it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_units(i128::from(self.0) + i128::from(other.0))
    }

    /// The difference; `None` if it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::from_units(i128::from(self.0) - i128::from(other.0))
    }

    /// The sum of all; `None` if it does not fit, or if any amount is missing.
    #[must_use]
    pub fn sum(amounts: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        let mut units = 0_i128;
        for amount in amounts {
            units += i128::from(amount?.0);
        }
        Self::from_units(units)
    }
}

/// Shortest exact decimal: `0.0105474`, `-3`, `0`.
impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let unit = UNITS_PER_DOLLAR.unsigned_abs();
        let (whole, rest) = (magnitude / unit, magnitude % unit);
        let decimals = format!("{rest:010}");
        let decimals = decimals.trim_end_matches('0');
        let (point, decimals) = if decimals.is_empty() { ("", "") } else { (".", decimals) };
        formatter.pad_integral(self.0 >= 0, "", &format!("{whole}{point}{decimals}"))
    }
}

/// `dividend / divisor` rounded half to even; the divisor is positive.
#[must_use]
pub(crate) fn divide_half_even(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    let up = match (rest * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    quotient + i128::from(up)
}

/// The parts of a JSON number.
struct JsonNumber<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> JsonNumber<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_number = !whole.is_empty() && digits(whole) && digits(fraction);
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        (is_number && !leading_zero).then_some(Self { negative, whole, fraction, exponent })
    }

    /// The magnitude in units, rounded; `None` if it is larger than any amount.
    fn scaled(&self) -> Option<i128> {
        // The position of the decimal point among the digits, once the number is counted in units.
        let kept = i64::try_from(self.whole.len()).ok()? + self.exponent + i64::from(DECIMALS);
        let mut units = 0_i128;
        let mut position = 0_i64;
        let mut digits = self.whole.bytes().chain(self.fraction.bytes()).map(|byte| i128::from(byte - b'0'));
        while position < kept {
            // Beyond the last digit there are zeros; a number of zeros only stays zero however many follow.
            let digit = match digits.next() {
                Some(digit) => digit,
                None if units == 0 => return Some(0),
                None => 0,
            };
            units = units * 10 + digit;
            if units >= TOO_LARGE {
                return None;
            }
            position += 1;
        }
        // What is cut off: the next digit and whether anything follows it. With the point to the left of all digits
        // there are zeros first, so it is less than half.
        let first = if kept < 0 { 0 } else { digits.next().unwrap_or(0) };
        let more = kept < 0 || digits.any(|digit| digit != 0);
        let up = first > 5 || (first == 5 && (more || units % 2 != 0));
        Some(units + i128::from(up))
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // An exponent that needs more digits is beyond any amount in both directions.
    let magnitude = digits.parse::<u32>().map_or(i64::from(u32::MAX), i64::from);
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Option<i64> {
        Money::parse(text).map(Money::units)
    }

    #[test]
    fn numbers_are_read_as_json_writes_them() {
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("0.0", 0),
            ("3", 30_000_000_000),
            ("0.0105474", 105_474_000),
            ("0.004973875", 49_738_750),
            ("-0.5", -5_000_000_000),
            ("1e-7", 1_000),
            ("1E-7", 1_000),
            ("9.5e-7", 9_500),
            ("1.5e+2", 1_500_000_000_000),
            ("12e0", 120_000_000_000),
            ("1e-10", 1),
            ("5.0e-10", 5),
            ("0e999999999999", 0),
            ("0.000e-999999999999", 0),
            ("1e-999999999999", 0),
            ("10000e-11", 1_000),
        ] {
            assert_eq!(units(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_cut_off_is_rounded_half_to_even() {
        for (text, expected) in [
            // What a binary fraction leaves behind the decimal digits.
            ("0.010547400000000001", 105_474_000),
            ("0.0024499999999999995", 24_500_000),
            ("0.00000000005", 0),
            ("0.00000000015", 2),
            ("0.00000000025", 2),
            ("0.000000000250000001", 3),
            ("0.00000000005000", 0),
            ("0.000000000051", 1),
            ("-0.00000000015", -2),
            ("-0.00000000005", 0),
            ("5e-11", 0),
            ("15e-11", 2),
            ("51e-12", 1),
            ("9e-12", 0),
            ("0.99999999999", 10_000_000_000),
        ] {
            assert_eq!(units(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in [
            "", "-", "+1", ".5", "1.", "01", "1e", "1e+", "e5", "1.2.3", "NaN", "Infinity", "1 ", "1_0",
            "１", "null",
        ] {
            assert_eq!(Money::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_amount_that_does_not_fit_is_refused() {
        assert_eq!(units("99999999.9999999999"), Some(999_999_999_999_999_999));
        for text in ["100000000", "99999999.99999999995", "-100000000", "1e8", "1e300", "1e999999999999999"] {
            assert_eq!(Money::parse(text), None, "{text}");
        }
        let most = Money::parse("99999999.9999999999").unwrap();
        let least = Money::parse("1e-10").unwrap();
        assert_eq!(most.checked_add(least), None);
        assert_eq!(most.checked_sub(least).and_then(|money| money.checked_add(least)), Some(most));
    }

    #[test]
    fn a_sum_with_an_unknown_amount_is_unknown() {
        let cent = Money::parse("0.01");
        assert_eq!(Money::sum([cent, cent, cent]).unwrap().to_string(), "0.03");
        assert_eq!(Money::sum([cent, None]), None);
        assert_eq!(Money::sum([]), Some(Money::ZERO));
    }

    #[test]
    fn money_is_written_short_and_exact() {
        for (text, expected) in
            [("0", "0"), ("3.00", "3"), ("-0.10", "-0.1"), ("1e-10", "0.0000000001"), ("12.5e1", "125")]
        {
            assert_eq!(Money::parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn division_is_half_to_even_on_both_sides_of_zero() {
        for (dividend, expected) in
            [(5, 0), (15, 2), (25, 2), (35, 4), (-5, 0), (-15, -2), (-25, -2), (-26, -3), (26, 3)]
        {
            assert_eq!(divide_half_even(dividend, 10), expected, "{dividend}/10");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(units in -999_999_999_999_999_999_i64..=999_999_999_999_999_999) {
            let money = Money::from_units(i128::from(units)).unwrap();
            prop_assert_eq!(Money::parse(&money.to_string()), Some(money));
        }

        #[test]
        fn digits_are_scaled_as_whole_numbers_are(digits in 0_i64..1_000_000_000_000, decimals in 0_u32..24) {
            let text = format!("{digits}e-{decimals}");
            let expected = if decimals <= DECIMALS {
                i128::from(digits) * 10_i128.pow(DECIMALS - decimals)
            } else {
                divide_half_even(i128::from(digits), 10_i128.pow(decimals - DECIMALS))
            };
            prop_assert_eq!(Money::parse(&text), Money::from_units(expected));
        }

        #[test]
        fn no_text_breaks_it(text in "[-+0-9.eE]{0,30}") {
            let _ = Money::parse(&text);
        }
    }
}
