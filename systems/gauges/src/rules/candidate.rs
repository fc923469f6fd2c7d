//! Which spare fits a vacant place best, and why each of the others does not.
//!
//! Owns the ranking: what fits comes before what does not; among those that fit, the one on the shelf of the set, sealed
//! like the remaining member, and with the longest time to its next calibration.

use serde::Serialize;

use crate::model::{Gauge, Likeness, Side};
use crate::rules::due::{Standing, standing};
use crate::rules::{Refusals, pairing};

/// A spare, judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The gauge.
    pub serial: String,
    /// It may be taken.
    pub fits: bool,
    /// Why it may not; empty when it fits.
    pub refused: Refusals,
    /// What speaks for and against it.
    pub notes: Vec<String>,
    /// Its place.
    pub location: Option<String>,
    /// Larger is better, among those that fit.
    #[serde(skip)]
    rank: (bool, bool, i64),
}

/// What a vacant place asks for.
#[derive(Debug, Clone, Copy)]
pub struct Vacancy<'set> {
    /// Which side.
    pub side: Side,
    /// Like what.
    pub likeness: &'set Likeness,
    /// Where the set is kept.
    pub location: Option<&'set str>,
    /// Whether the remaining member is sealed.
    pub sealed: Option<bool>,
}

/// Judges spares for a vacant place, the best first. Equal ones are in the order of their serials.
pub fn rank<'gauge>(
    vacancy: Vacancy<'_>,
    spares: impl IntoIterator<Item = &'gauge Gauge>,
    today: &str,
) -> Vec<Candidate> {
    let mut ranked: Vec<Candidate> = spares.into_iter().map(|spare| judge(vacancy, spare, today)).collect();
    ranked.sort_by(|a, b| {
        let few = |candidate: &Candidate| candidate.refused.len();
        b.fits
            .cmp(&a.fits)
            .then_with(|| few(a).cmp(&few(b)))
            .then_with(|| b.rank.cmp(&a.rank))
            .then_with(|| a.serial.cmp(&b.serial))
    });
    ranked
}

fn judge(vacancy: Vacancy<'_>, spare: &Gauge, today: &str) -> Candidate {
    let refused = pairing::unfit(spare, vacancy.side, Some(vacancy.likeness));
    let mut notes = Vec::new();
    let here = vacancy.location.is_some() && vacancy.location == spare.location.as_deref();
    notes.push(match (&spare.location, here) {
        (Some(place), true) => format!("already at {place}"),
        (Some(place), false) => format!("at {place}, would move to the set"),
        (None, _) => "has no place on record".to_owned(),
    });
    let alike = vacancy.sealed.is_none_or(|sealed| sealed == spare.sealed);
    if !alike {
        notes.push(format!("is {}, its partner is not", if spare.sealed { "sealed" } else { "unsealed" }));
    }
    let days = match standing(spare, today) {
        Standing::Sealed => i64::MAX,
        Standing::DaysLeft(days) => days,
        Standing::Overdue(days) => -days,
        Standing::NeverCertified => i64::MIN,
    };
    notes.push(match standing(spare, today) {
        Standing::Sealed => "sealed, its calibration has not begun to run".to_owned(),
        Standing::DaysLeft(days) => format!("calibrated for {days} more days"),
        Standing::Overdue(days) => format!("calibration overdue for {days} days"),
        Standing::NeverCertified => "has no certificate".to_owned(),
    });
    Candidate {
        serial: spare.serial.clone(),
        fits: refused.is_empty(),
        refused,
        notes,
        location: spare.location.clone(),
        rank: (here, alike, days),
    }
}
