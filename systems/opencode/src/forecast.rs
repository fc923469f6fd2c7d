//! What spending will be, and whether a budget will hold.
//!
//! Owns two pure computations over amounts per day: a forecast of the next days, and the state of a budget. It
//! deliberately knows no calendar but the weekday of the first day, and reads no clock; the caller gives one amount for
//! every day, zero included.
//!
//! The forecast: a line through the last [`WINDOW`] days (Theil and Sen: the median of all slopes between two days, so
//! that a single dear day does not bend it), plus what each weekday usually lies above or below that line (the median of
//! its differences, where at least [`WEEKS_FOR_PROFILE`] weeks are known). The range is the line with the tenth and the
//! ninetieth hundredth of what the past days lay away from their own forecast.
//!
//! Invariants:
//! - A constant series is continued exactly, and so is a straight line, as long as it does not fall below zero.
//! - No forecast is negative.
//! - All numbers are whole units of [`Money`]; the same series gives the same forecast on every machine.

use crate::money::{Money, divide_half_even};

/// Days that the forecast looks back.
pub const WINDOW: usize = 28;
/// Weeks that must be known before weekdays are told apart.
pub const WEEKS_FOR_PROFILE: usize = 3;
/// Fewer days than this are no ground for a forecast.
pub const LEAST_DAYS: usize = 3;
const DAYS_PER_WEEK: usize = 7;
/// Slopes and levels are kept in this part of a unit, so that what rounding adds up to over a window stays below one.
const FINER: i128 = 2 * 27 * 28;

/// One day of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastDay {
    /// The likely amount.
    pub likely: Money,
    /// One day in ten is expected below this.
    pub low: Money,
    /// One day in ten is expected above this.
    pub high: Money,
}

/// The state of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetState {
    /// Less than 80 in a hundred are spent.
    Under,
    /// At least 80 in a hundred are spent.
    Warning,
    /// More than the budget is spent.
    Over,
}

impl BudgetState {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Under => "under",
            Self::Warning => "warning",
            Self::Over => "over",
        }
    }
}

/// A budget in the middle of its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// What is spent.
    pub spent: Money,
    /// What will be spent by the end, if there is a forecast.
    pub projected: Option<Money>,
    /// Where it stands now.
    pub state: BudgetState,
    /// Where it will stand at the end, if there is a forecast.
    pub projected_state: Option<BudgetState>,
}

/// At which part of a budget the warning begins, in hundredths.
const WARNING_AT: i128 = 80;

/// The next `days` days after `daily`, one amount for each day, oldest first.
///
/// `first_weekday` is the weekday of `daily[0]`, any numbering modulo seven. `None` for fewer than [`LEAST_DAYS`] days,
/// and for amounts that leave [`Money`].
#[must_use]
pub fn forecast(daily: &[Money], first_weekday: usize, days: usize) -> Option<Vec<ForecastDay>> {
    if daily.len() < LEAST_DAYS {
        return None;
    }
    let start = daily.len().saturating_sub(WINDOW);
    let amounts: Vec<i128> = daily[start..].iter().map(|amount| i128::from(amount.units()) * FINER).collect();
    let weekday = |position: usize| (first_weekday % DAYS_PER_WEEK + start + position) % DAYS_PER_WEEK;

    let line = Line::through(&amounts);
    let away: Vec<i128> = (0..).zip(&amounts).map(|(position, amount)| amount - line.at(position)).collect();
    let profile = profile(&away, weekday);
    let mut left: Vec<i128> =
        away.iter().enumerate().map(|(position, away)| away - profile[weekday(position)]).collect();
    left.sort_unstable();
    let (low, high) = (left[left.len() / 10], left[left.len() - 1 - left.len() / 10]);

    (amounts.len()..amounts.len() + days)
        .map(|position| {
            let likely = line.at(i128::try_from(position).ok()?) + profile[weekday(position)];
            let money = |fine: i128| Money::from_units(divide_half_even(fine, FINER).max(0));
            Some(ForecastDay {
                likely: money(likely)?,
                low: money(likely + low)?,
                high: money(likely + high)?,
            })
        })
        .collect()
}

/// Where a budget stands, with what is spent and what the forecast adds until the end of the period.
///
/// `None` if the sums leave [`Money`]. A budget of zero is over as soon as anything is spent.
#[must_use]
pub fn budget(limit: Money, spent: &[Money], coming: Option<&[ForecastDay]>) -> Option<Budget> {
    let spent = Money::sum(spent.iter().copied().map(Some))?;
    let projected = match coming {
        Some(days) => {
            Some(Money::sum([Some(spent)].into_iter().chain(days.iter().map(|day| Some(day.likely))))?)
        }
        None => None,
    };
    let projected_state = projected.map(|projected| budget_state(limit, projected));
    Some(Budget { spent, projected, state: budget_state(limit, spent), projected_state })
}

/// Where `spent` stands against `limit`: a warning from 80 in a hundred on, over only above the whole.
#[must_use]
pub fn budget_state(limit: Money, spent: Money) -> BudgetState {
    if spent > limit {
        BudgetState::Over
    } else if spent > Money::ZERO && i128::from(spent.units()) * 100 >= i128::from(limit.units()) * WARNING_AT
    {
        BudgetState::Warning
    } else {
        BudgetState::Under
    }
}

/// `level + slope * position`.
struct Line {
    level: i128,
    slope: i128,
}

impl Line {
    fn through(amounts: &[i128]) -> Self {
        let mut slopes = Vec::with_capacity(amounts.len() * (amounts.len() - 1) / 2);
        for (later, amount) in (0_i128..).zip(amounts) {
            for (earlier, before) in (0_i128..later).zip(amounts) {
                slopes.push(divide_half_even(amount - before, later - earlier));
            }
        }
        let slope = median(&mut slopes);
        let mut levels: Vec<i128> =
            (0_i128..).zip(amounts).map(|(position, amount)| amount - slope * position).collect();
        Self { level: median(&mut levels), slope }
    }

    const fn at(&self, position: i128) -> i128 {
        self.level + self.slope * position
    }
}

/// What each weekday usually lies above the line; zeros where too few weeks are known.
fn profile(away: &[i128], weekday: impl Fn(usize) -> usize) -> [i128; DAYS_PER_WEEK] {
    let mut profile = [0; DAYS_PER_WEEK];
    if away.len() < WEEKS_FOR_PROFILE * DAYS_PER_WEEK {
        return profile;
    }
    for (day, usual) in profile.iter_mut().enumerate() {
        let mut on_day: Vec<i128> = away
            .iter()
            .enumerate()
            .filter(|(position, _)| weekday(*position) == day)
            .map(|(_, away)| *away)
            .collect();
        *usual = median(&mut on_day);
    }
    profile
}

/// The middle of the values; of two middle ones, half of their sum.
fn median(values: &mut [i128]) -> i128 {
    values.sort_unstable();
    let half = values.len() / 2;
    match values.len() {
        0 => 0,
        odd if odd % 2 == 1 => values[half],
        _ => divide_half_even(values[half - 1] + values[half], 2),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(amounts: impl IntoIterator<Item = i64>) -> Vec<Money> {
        amounts.into_iter().map(|units| Money::from_units(i128::from(units)).unwrap()).collect()
    }

    fn likely(daily: &[Money], days: usize) -> Vec<i64> {
        forecast(daily, 0, days).unwrap().into_iter().map(|day| day.likely.units()).collect()
    }

    #[test]
    fn too_few_days_have_no_forecast() {
        assert_eq!(forecast(&series([]), 0, 3), None);
        assert_eq!(forecast(&series([1, 2]), 0, 3), None);
        assert_eq!(likely(&series([1, 2, 3]), 2), [4, 5]);
        assert_eq!(forecast(&series([1, 2, 3]), 0, 0), Some(vec![]));
    }

    #[test]
    fn a_week_with_its_pattern_is_continued() {
        // Five working days and a quiet weekend, four weeks.
        let week = [100, 110, 120, 110, 100, 5, 0];
        let daily = series((0..28).map(|day| week[day % 7]));
        assert_eq!(likely(&daily, 14), [week, week].concat());
        for day in forecast(&daily, 3, 14).unwrap() {
            assert_eq!((day.low, day.high), (day.likely, day.likely));
        }
    }

    #[test]
    fn a_single_dear_day_does_not_bend_the_forecast() {
        let mut daily = series([1_000; 28]);
        daily[20] = Money::from_units(1_000_000_000).unwrap();
        assert_eq!(likely(&daily, 7), [1_000; 7]);
    }

    #[test]
    fn only_the_window_counts() {
        let mut daily = series([9_999; 300]);
        daily.extend(series([10; WINDOW]));
        assert_eq!(likely(&daily, 3), [10; 3]);
    }

    #[test]
    fn a_falling_series_ends_at_zero() {
        let daily = series((0..10).map(|day| 100 - 10 * day));
        assert_eq!(likely(&daily, 3), [0, 0, 0]);
    }

    #[test]
    fn the_range_holds_most_of_what_happened() {
        let daily = series((0..28).map(|day| 1_000 + (day * 37 % 11) * 20));
        let within = |days: Vec<ForecastDay>| {
            let [day] = days[..] else { panic!() };
            assert!(day.low <= day.likely && day.likely <= day.high);
            daily.iter().filter(|amount| (day.low..=day.high).contains(amount)).count()
        };
        let most = within(forecast(&daily, 0, 1).unwrap());
        assert!((12..=28).contains(&most), "{most}");
    }

    #[test]
    fn budgets_warn_from_eighty_in_a_hundred_and_are_over_above_the_whole() {
        let limit = Money::parse("100").unwrap();
        for (spent, expected) in [
            ("0", BudgetState::Under),
            ("79.9999999999", BudgetState::Under),
            ("80", BudgetState::Warning),
            ("100", BudgetState::Warning),
            ("100.0000000001", BudgetState::Over),
        ] {
            assert_eq!(budget_state(limit, Money::parse(spent).unwrap()), expected, "{spent}");
        }
        assert_eq!(budget_state(Money::ZERO, Money::ZERO), BudgetState::Under);
        assert_eq!(budget_state(Money::ZERO, Money::parse("1e-10").unwrap()), BudgetState::Over);
    }

    #[test]
    fn a_budget_looks_ahead() {
        let limit = Money::parse("30").unwrap();
        let spent = vec![Money::parse("2").unwrap(); 10];
        let coming = forecast(&spent, 0, 20).unwrap();
        let found = budget(limit, &spent, Some(&coming)).unwrap();
        assert_eq!((found.spent.to_string(), found.state), ("20".to_owned(), BudgetState::Under));
        assert_eq!(found.projected.unwrap().to_string(), "60");
        assert_eq!(found.projected_state, Some(BudgetState::Over));
        assert_eq!(budget(limit, &spent, None).unwrap().projected_state, None);
    }

    proptest! {
        #[test]
        fn a_constant_is_continued_exactly(amount in 0_i64..1_000_000_000_000, days in 3_usize..60, weekday in 0_usize..7) {
            let found = forecast(&series(vec![amount; days]), weekday, 30).unwrap();
            for day in found {
                prop_assert_eq!((day.likely.units(), day.low.units(), day.high.units()), (amount, amount, amount));
            }
        }

        #[test]
        fn a_straight_line_is_continued_exactly(
            start in 0_i64..1_000_000_000,
            step in 0_i64..1_000_000,
            days in 3_i64..60,
            weekday in 0_usize..7,
        ) {
            let daily = series((0..days).map(|day| start + step * day));
            let found = forecast(&daily, weekday, 10).unwrap();
            for (day, found) in (days..).zip(found) {
                prop_assert_eq!(found.likely.units(), start + step * day);
            }
        }

        #[test]
        fn no_series_breaks_it(amounts in prop::collection::vec(-999_999_999_999_999_999_i64..1_000_000_000_000_000_000, 0..40)) {
            for day in forecast(&series(amounts), 6, 7).unwrap_or_default() {
                prop_assert!(Money::ZERO <= day.low && day.low <= day.high);
            }
        }
    }
}
