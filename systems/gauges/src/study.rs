//! Measurement-system studies: attribute agreement for GO/NO-GO gauges, and gage R&R for measured values.
//!
//! Owns the arithmetic. Method and limits are those of the AIAG manual "Measurement Systems Analysis" (4th edition): for
//! attributes kappa, effectiveness, miss rate and false alarms; for variables the average-and-range method with its K
//! constants, %GRR of the total variation, and the number of distinct categories.

use serde::Serialize;

/// One appraiser's verdicts: by part, by trial; `true` accepts.
pub type Verdicts = [Vec<bool>];

/// How well an appraiser agrees with the reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Cohen's kappa against the reference, over all trials; none when it is not defined (everything is one class).
    pub kappa: Option<f64>,
    /// The share of parts on which every trial was right.
    pub effectiveness: f64,
    /// The share of trials on bad parts that accepted.
    pub miss_rate: f64,
    /// The share of trials on good parts that rejected.
    pub false_alarm_rate: f64,
    /// The share of parts on which the appraiser agreed with themselves.
    pub repeatability: f64,
    /// What to think of it.
    pub verdict: Rating,
}

/// A rating of a measurement system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// Good enough.
    Acceptable,
    /// Good enough for some uses; a person decides.
    Marginal,
    /// Not good enough.
    Unacceptable,
}

/// Judges one appraiser against the reference. `None` when sizes do not fit or nothing was tried.
pub fn agreement(reference: &[bool], verdicts: &Verdicts) -> Option<Agreement> {
    if reference.is_empty() || reference.len() != verdicts.len() || verdicts.iter().any(Vec::is_empty) {
        return None;
    }
    // By reference and verdict: bad-reject, bad-accept, good-reject, good-accept.
    let mut counts = [[0_u32; 2]; 2];
    let (mut right, mut steady) = (0_u32, 0_u32);
    for (good, trials) in reference.iter().zip(verdicts) {
        for verdict in trials {
            counts[usize::from(*good)][usize::from(*verdict)] += 1;
        }
        right += u32::from(trials.iter().all(|verdict| verdict == good));
        steady += u32::from(trials.iter().all(|verdict| *verdict == trials[0]));
    }
    let parts = f64::from(u32::try_from(reference.len()).ok()?);
    let effectiveness = f64::from(right) / parts;
    let miss_rate = share(counts[0][1], counts[0][0] + counts[0][1]);
    let false_alarm_rate = share(counts[1][0], counts[1][0] + counts[1][1]);
    let verdict = if effectiveness >= 0.9 && miss_rate <= 0.02 && false_alarm_rate <= 0.05 {
        Rating::Acceptable
    } else if effectiveness >= 0.8 && miss_rate <= 0.05 && false_alarm_rate <= 0.1 {
        Rating::Marginal
    } else {
        Rating::Unacceptable
    };
    Some(Agreement {
        kappa: kappa(counts),
        effectiveness,
        miss_rate,
        false_alarm_rate,
        repeatability: f64::from(steady) / parts,
        verdict,
    })
}

/// Cohen's kappa between two appraisers, trial by trial. `None` as in [`agreement`], or when it is not defined.
pub fn kappa_between(first: &Verdicts, second: &Verdicts) -> Option<f64> {
    if first.len() != second.len() || first.iter().zip(second).any(|(a, b)| a.len() != b.len()) {
        return None;
    }
    let mut counts = [[0_u32; 2]; 2];
    for (a, b) in first.iter().flatten().zip(second.iter().flatten()) {
        counts[usize::from(*a)][usize::from(*b)] += 1;
    }
    kappa(counts)
}

/// Kappa of a table of two classes: agreement beyond chance.
fn kappa(counts: [[u32; 2]; 2]) -> Option<f64> {
    let all = f64::from(counts.iter().flatten().sum::<u32>());
    let agreed = f64::from(counts[0][0] + counts[1][1]) / all;
    let class = |at: usize| {
        f64::from(counts[at][0] + counts[at][1]) / all * (f64::from(counts[0][at] + counts[1][at]) / all)
    };
    let chance = class(0) + class(1);
    (all > 0.0 && chance < 1.0).then(|| (agreed - chance) / (1.0 - chance))
}

fn share(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// A gage R&R study's result; variations are standard deviations in the unit of the measurements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GageStudy {
    /// Repeatability: equipment variation.
    pub equipment: f64,
    /// Reproducibility: appraiser variation.
    pub appraiser: f64,
    /// Both: gage R&R.
    pub gage: f64,
    /// Part variation.
    pub part: f64,
    /// Total variation.
    pub total: f64,
    /// Gage R&R as a share of the total, in percent.
    pub percent_gage: f64,
    /// Distinct categories.
    pub distinct_categories: u32,
    /// What to think of it.
    pub verdict: Rating,
}

/// K1 by trials (2, 3): 1/d2* for the range of repeated trials.
const K1: [f64; 2] = [0.8862, 0.5908];
/// K2 by appraisers (2, 3).
const K2: [f64; 2] = [std::f64::consts::FRAC_1_SQRT_2, 0.5231];
/// K3 by parts (2 to 10).
const K3: [f64; 9] =
    [std::f64::consts::FRAC_1_SQRT_2, 0.5231, 0.4467, 0.4030, 0.3742, 0.3534, 0.3375, 0.3249, 0.3146];

/// The average-and-range method. `measured` is by appraiser, by part, by trial: 2 or 3 appraisers, 2 to 10 parts, 2 or 3
/// trials. `None` for other sizes.
pub fn gage_study(measured: &[Vec<Vec<f64>>]) -> Option<GageStudy> {
    let parts = measured.first()?.len();
    let trials = measured.first()?.first()?.len();
    let fits = measured
        .iter()
        .all(|parts_of| parts_of.len() == parts && parts_of.iter().all(|of| of.len() == trials));
    let k1 = *K1.get(trials.checked_sub(2)?)?;
    let k2 = *K2.get(measured.len().checked_sub(2)?)?;
    let k3 = *K3.get(parts.checked_sub(2)?)?;
    if !fits {
        return None;
    }
    let ranges: Vec<f64> = measured.iter().flatten().map(|trials| range(trials)).collect();
    let averages: Vec<f64> = measured.iter().map(|parts| mean(&parts.concat())).collect();
    let by_part: Vec<f64> = (0..parts)
        .map(|part| mean(&measured.iter().flat_map(|parts| parts[part].clone()).collect::<Vec<_>>()))
        .collect();
    let equipment = mean(&ranges) * k1;
    let trials_of_all = (parts * trials) as f64;
    let appraiser = ((range(&averages) * k2).powi(2) - equipment.powi(2) / trials_of_all).max(0.0).sqrt();
    let gage = equipment.hypot(appraiser);
    let part = range(&by_part) * k3;
    let total = gage.hypot(part);
    if total <= 0.0 {
        return None;
    }
    let percent_gage = 100.0 * gage / total;
    let categories = if gage > 0.0 { (1.41 * part / gage).floor() } else { f64::from(u16::MAX) };
    let distinct_categories = categories.clamp(1.0, f64::from(u16::MAX)) as u32;
    let verdict = if percent_gage < 10.0 && distinct_categories >= 5 {
        Rating::Acceptable
    } else if percent_gage <= 30.0 {
        Rating::Marginal
    } else {
        Rating::Unacceptable
    };
    Some(GageStudy { equipment, appraiser, gage, part, total, percent_gage, distinct_categories, verdict })
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn range(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    largest - smallest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, wanted: f64, within: f64) {
        assert!((found - wanted).abs() <= within, "{found} is not {wanted}");
    }

    /// The table of the manual's attribute example: 97 + 100 agreed, 3 and 3 not, of 150 × 3 trials would be long; a small
    /// table by hand is as good: agreed 0.9, chance 0.5.
    #[test]
    fn kappa_by_hand() {
        near(kappa([[45, 5], [5, 45]]).unwrap(), 0.8, 1e-12);
        near(kappa([[25, 25], [25, 25]]).unwrap(), 0.0, 1e-12);
        near(kappa([[20, 5], [10, 15]]).unwrap(), 0.4, 1e-12);
        assert_eq!(kappa([[0, 0], [0, 50]]), None, "everything accepted by both: chance explains all");
        near(kappa([[0, 50], [50, 0]]).unwrap(), -1.0, 1e-12);
    }

    #[test]
    fn an_appraiser_is_rated_by_misses_and_false_alarms() {
        let reference: Vec<bool> = (0..50).map(|part| part % 5 != 0).collect();
        let perfect: Vec<Vec<bool>> = reference.iter().map(|good| vec![*good; 3]).collect();
        let found = agreement(&reference, &perfect).unwrap();
        assert_eq!((found.kappa, found.verdict), (Some(1.0), Rating::Acceptable));
        let mut one_miss = perfect.clone();
        one_miss[0][1] = true;
        let found = agreement(&reference, &one_miss).unwrap();
        near(found.effectiveness, 0.98, 1e-12);
        near(found.miss_rate, 1.0 / 30.0, 1e-12);
        near(found.repeatability, 0.98, 1e-12);
        assert_eq!((found.false_alarm_rate, found.verdict), (0.0, Rating::Marginal));
        let careless: Vec<Vec<bool>> = reference.iter().map(|_| vec![true, true]).collect();
        let found = agreement(&reference, &careless).unwrap();
        assert_eq!((found.kappa, found.miss_rate, found.verdict), (Some(0.0), 1.0, Rating::Unacceptable));
        assert_eq!(agreement(&reference, &perfect[..49]), None);
        assert_eq!(agreement(&[], &[]), None);
        near(kappa_between(&perfect, &perfect).unwrap(), 1.0, 1e-12);
    }

    /// The manual's own example (10 parts, 3 appraisers, 3 trials): R&R 26.68 %, 5 categories.
    #[test]
    fn the_example_of_the_manual() {
        let by_trial: [[[f64; 10]; 3]; 3] = [
            [
                [0.29, -0.56, 1.34, 0.47, -0.80, 0.02, 0.59, -0.31, 2.26, -1.36],
                [0.41, -0.68, 1.17, 0.50, -0.92, -0.11, 0.75, -0.20, 1.99, -1.25],
                [0.64, -0.58, 1.27, 0.64, -0.84, -0.21, 0.66, -0.17, 2.01, -1.31],
            ],
            [
                [0.08, -0.47, 1.19, 0.01, -0.56, -0.20, 0.47, -0.63, 1.80, -1.68],
                [0.25, -1.22, 0.94, 1.03, -1.20, 0.22, 0.55, 0.08, 2.12, -1.62],
                [0.07, -0.68, 1.34, 0.20, -1.28, 0.06, 0.83, -0.34, 2.19, -1.50],
            ],
            [
                [0.04, -1.38, 0.88, 0.14, -1.46, -0.29, 0.02, -0.46, 1.77, -1.49],
                [-0.11, -1.13, 1.09, 0.20, -1.07, -0.67, 0.01, -0.56, 1.45, -1.77],
                [-0.15, -0.96, 0.67, 0.11, -1.45, -0.49, 0.21, -0.49, 1.87, -2.16],
            ],
        ];
        let measured: Vec<Vec<Vec<f64>>> = by_trial
            .iter()
            .map(|trials| (0..10).map(|part| trials.iter().map(|trial| trial[part]).collect()).collect())
            .collect();
        let found = gage_study(&measured).unwrap();
        near(found.equipment, 0.20188, 2e-4);
        near(found.appraiser, 0.22963, 2e-4);
        near(found.gage, 0.30575, 2e-4);
        near(found.part, 1.10456, 2e-4);
        near(found.total, 1.14610, 2e-4);
        near(found.percent_gage, 26.68, 0.02);
        assert_eq!((found.distinct_categories, found.verdict), (5, Rating::Marginal));
        assert_eq!(gage_study(&measured[..1]), None, "one appraiser reproduces nothing");
        assert_eq!(gage_study(&[vec![vec![1.0; 2]; 2], vec![vec![1.0; 2]; 2]]), None, "no variation at all");
    }
}
