//! Anomalies: is the last point of a series like the others?
//!
//! Owns the measure and its self-test, both pure. Where the points come from is `measure`'s.
//!
//! The last point is held against the median of the others - it is never in its own baseline, so a 3-sigma rule that
//! cannot fire below 11 points has no place here -, and its distance is told in scaled median absolute deviations
//! (1.4826 MAD, which is the standard deviation where points are normal). Days that are known incidents are left out. Where
//! days of the week have enough points each, a point is expected at the median of its own weekday, and the deviation is
//! that of all points from theirs.
//!
//! The self-test injects a fault of a known size into every point of the history, one at a time, and tells how often
//! the rule would have seen it, and how often it fires on the history as it is.

use jiff::civil::{Date, Weekday};

/// A point of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its day.
    pub day: Date,
    /// Its value.
    pub value: f64,
}

/// How far the last point is from what was expected.
#[derive(Debug, Clone, PartialEq)]
pub struct Anomaly {
    /// The distance in scaled median absolute deviations; never negative.
    pub deviation: f64,
    /// What was expected.
    pub expected: f64,
    /// One scaled median absolute deviation.
    pub scale: f64,
    /// The point that was tested.
    pub tested: Point,
    /// How many other points there are.
    pub baseline: usize,
    /// Whether days of the week were told apart.
    pub weekly: bool,
    /// What the rule can see.
    pub power: Power,
}

/// What a rule can see, found by injecting faults into the history.
#[derive(Debug, Clone, PartialEq)]
pub struct Power {
    /// Size of the fault as a share of the value, and the share of points at which the rule fires on it.
    pub fires_at: Vec<(f64, f64)>,
    /// The share of points of the history at which the rule fires without a fault.
    pub false_alarms: f64,
    /// How many points were tried.
    pub tried: usize,
}

/// So many points of a weekday make a level of its own.
const POINTS_OF_A_WEEKDAY: usize = 4;
/// A deviation is never taken for smaller than this share of what is expected: a series that never moved would
/// otherwise call every change infinite.
const SMALLEST_SCALE: f64 = 0.005;
/// The faults that are injected, as shares of the value.
const FAULTS: [f64; 4] = [0.2, 0.5, -0.2, -0.5];
const NORMAL: f64 = 1.4826;

/// Tests the last point of `points` (in order of their days) with the rule "at most `limit` deviations"; none when there
/// are fewer than `minimum` others.
pub fn test(
    points: &[Point],
    incidents: &[Date],
    minimum: usize,
    weekly: bool,
    limit: f64,
) -> Option<Anomaly> {
    let (tested, others) = points.split_last()?;
    let baseline: Vec<Point> =
        others.iter().copied().filter(|point| !incidents.contains(&point.day)).collect();
    if baseline.len() < minimum {
        return None;
    }
    let model = Model::of(&baseline, weekly);
    let (expected, scale) = model.expected(tested.day, None);
    Some(Anomaly {
        deviation: (tested.value - expected).abs() / scale,
        expected,
        scale,
        tested: *tested,
        baseline: baseline.len(),
        weekly: model.weekly,
        power: model.power(limit),
    })
}

struct Model<'a> {
    points: &'a [Point],
    weekly: bool,
}

impl<'a> Model<'a> {
    fn of(points: &'a [Point], weekly: bool) -> Self {
        let enough = |weekday: Weekday| {
            let count = points.iter().filter(|point| point.day.weekday() == weekday).count();
            count == 0 || count > POINTS_OF_A_WEEKDAY
        };
        let days = Weekday::Sunday.cycle_forward().take(7);
        Self { points, weekly: weekly && days.into_iter().all(enough) }
    }

    /// Level and scale for a day, from all points but the one at `left_out`.
    fn expected(&self, day: Date, left_out: Option<usize>) -> (f64, f64) {
        let level = |weekday: Option<Weekday>, out: Option<usize>| {
            let mut values: Vec<f64> = self
                .points
                .iter()
                .enumerate()
                .filter(|(at, point)| {
                    Some(*at) != out && weekday.is_none_or(|day| point.day.weekday() == day)
                })
                .map(|(_, point)| point.value)
                .collect();
            if values.is_empty() { None } else { Some(median(&mut values)) }
        };
        let of = |day: Date, out| {
            let own = if self.weekly { level(Some(day.weekday()), out) } else { None };
            own.or_else(|| level(None, out)).unwrap_or(0.0)
        };
        let expected = of(day, left_out);
        let mut distances: Vec<f64> = self
            .points
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != left_out)
            .map(|(_, point)| (point.value - of(point.day, left_out)).abs())
            .collect();
        let scale = if distances.is_empty() { 0.0 } else { NORMAL * median(&mut distances) };
        (expected, scale.max(SMALLEST_SCALE * expected.abs()).max(f64::MIN_POSITIVE))
    }

    fn power(&self, limit: f64) -> Power {
        let mut fires = FAULTS.map(|fault| (fault, 0_usize));
        let mut false_alarms = 0_usize;
        for (at, point) in self.points.iter().enumerate() {
            let (expected, scale) = self.expected(point.day, Some(at));
            let is_seen = |value: f64| (value - expected).abs() / scale > limit;
            false_alarms += usize::from(is_seen(point.value));
            for (fault, seen) in &mut fires {
                *seen += usize::from(is_seen(point.value * (1.0 + *fault)));
            }
        }
        let tried = self.points.len();
        let share = |count: usize| count as f64 / tried.max(1) as f64;
        Power {
            fires_at: fires.iter().map(|(fault, seen)| (*fault, share(*seen))).collect(),
            false_alarms: share(false_alarms),
            tried,
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values {
        [] => f64::NAN,
        _ if values.len() % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

impl Anomaly {
    /// What was expected, and what the rule can see, in words.
    pub fn told(&self) -> String {
        let power: Vec<String> = self
            .power
            .fires_at
            .iter()
            .map(|(fault, share)| format!("{:+.0} % with p = {share:.2}", fault * 100.0))
            .collect();
        format!(
            "{} was {}; expected {} with a deviation of {} from {} other points{}.\nSelf-test on {} points: fires on {}; \
             expect {:.1} false alarms in 30 points.",
            self.tested.day,
            super::text::short(self.tested.value),
            super::text::short(self.expected),
            super::text::short(self.scale),
            self.baseline,
            if self.weekly { ", by day of the week" } else { "" },
            self.power.tried,
            power.join(", "),
            self.power.false_alarms * 30.0,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(at: i64) -> Date {
        jiff::civil::date(2026, 1, 5).checked_add(jiff::Span::new().days(at)).unwrap()
    }

    fn series(values: &[f64]) -> Vec<Point> {
        values.iter().enumerate().map(|(at, value)| Point { day: day(at as i64), value: *value }).collect()
    }

    #[test]
    fn a_point_is_not_in_its_own_baseline() {
        // With the point in it, no z-score of n points exceeds (n - 1) / sqrt(n): 1.5 for these four.
        let found = test(&series(&[100.0, 101.0, 99.0, 125.0]), &[], 3, false, 5.0).unwrap();
        assert!(found.deviation > 15.0, "{found:?}");
        assert_eq!((found.expected, found.baseline), (100.0, 3));
    }

    #[test]
    fn an_incident_does_not_poison_the_baseline() {
        // Nearly half of the days were bad, and are known.
        let mut values = vec![100.0, 102.0, 98.0, 101.0, 99.0, 900.0, 950.0, 920.0, 930.0, 940.0];
        values.push(500.0);
        let points = series(&values);
        let incidents: Vec<Date> = (5..10).map(day).collect();
        let poisoned = test(&points, &[], 3, false, 5.0).unwrap();
        let clean = test(&points, &incidents, 3, false, 5.0).unwrap();
        assert!(poisoned.deviation < 5.0 && clean.deviation > 100.0, "{poisoned:?} {clean:?}");
        assert_eq!(clean.baseline, 5);
    }

    #[test]
    fn weekends_are_held_against_weekends() {
        // Six weeks: 1000 on working days, 100 on the other two.
        let level = |at: i64| if at % 7 >= 5 { 100.0 } else { 1_000.0 };
        let noise = |at: i64| [0.0, 8.0, -6.0, 4.0, -9.0][usize::try_from(at % 5).unwrap()];
        let mut values: Vec<f64> = (0..41).map(|at| level(at) + noise(at)).collect();
        // The 42nd day is a Sunday: as on working days is an anomaly, as on Sundays is none.
        values.push(1_000.0);
        assert!(test(&series(&values), &[], 7, true, 5.0).unwrap().deviation > 50.0);
        assert!(test(&series(&values), &[], 7, false, 5.0).unwrap().deviation < 5.0);
        values[41] = 103.0;
        let found = test(&series(&values), &[], 7, true, 5.0).unwrap();
        assert!(found.weekly && found.deviation < 5.0, "{found:?}");
    }

    #[test]
    fn the_self_test_tells_a_blunt_rule_from_a_sharp_one() {
        let calm: Vec<f64> = (0..30).map(|at| 100.0 + f64::from(at % 5)).collect();
        let sharp = test(&series(&calm), &[], 7, false, 5.0).unwrap().power;
        assert_eq!(sharp.fires_at, [(0.2, 1.0), (0.5, 1.0), (-0.2, 1.0), (-0.5, 1.0)]);
        assert_eq!((sharp.false_alarms, sharp.tried), (0.0, 29));
        // Between 20 and 180, without any order: a fifth more is nothing unusual.
        let wild: Vec<f64> = (0..30).map(|at| 20.0 + f64::from(at * 71 % 160)).collect();
        let blunt = test(&series(&wild), &[], 7, false, 5.0).unwrap().power;
        assert!(blunt.fires_at.iter().all(|(_, share)| *share == 0.0), "{blunt:?}");
        // A rule that fires all the time says so.
        let nervous = test(&series(&wild), &[], 7, false, 0.01).unwrap().power;
        assert!(nervous.false_alarms > 0.9, "{nervous:?}");
    }

    #[test]
    fn a_series_that_never_moved_does_not_call_everything_infinite() {
        let mut values = vec![100.0; 20];
        values.push(101.0);
        assert_eq!(test(&series(&values), &[], 7, false, 5.0).unwrap().deviation.round(), 2.0);
        assert!(test(&series(&values[..5]), &[], 7, false, 5.0).is_none());
    }
}
