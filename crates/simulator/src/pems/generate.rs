//! Seeded rows for a PEMS that never was.
//!
//! Owns the invented data: every maker and model says `Demo`.
//!
//! Invariants:
//! - Every row holds the rules.
//! - Ids and stamps are in different orders, and several rows of an organization share a stamp.
//! - A row depends on the seed, its organization and its number only, its stamp also on how many there are.

use jiff::civil::{Date, date};
use jiff::{SignedDuration, ToSpan};
use serde_json::{Value, json};

use super::clock::START;
use super::model::{Fields, Row};
use crate::random::Random;

/// How long before the first request the rows were last edited.
const PAST: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(crate) const AREAS: [&str; 5] = ["Demo North", "Demo South", "Demo Yard", "Demo Harbor", "Demo Plant"];
pub(crate) const CATEGORIES: [&str; 5] = ["Cranes", "Lifts", "Earthmoving", "Power", "Welding"];
pub(crate) const CLASSES: [&str; 4] = ["Light", "Medium", "Heavy", "Special"];
pub(crate) const MANUFACTURERS: [&str; 5] =
    ["Demo Lifting Works", "Demo Boom & Mast", "Demo Earthmovers", "Demo Generators", "Demo Welders"];

/// The name of an organization by its number, counted from 0.
pub(crate) fn organization(number: usize) -> String {
    format!("DEMO{:02}", number + 1)
}

/// `rows` rows for each of `organizations` organizations.
pub(crate) fn rows(seed: u64, organizations: usize, rows: usize) -> Vec<Row> {
    let mut generated = Vec::with_capacity(organizations * rows);
    for organization in (0..organizations).map(organization) {
        let mut random = Random::named(seed, &["pems", "stamps", &organization]);
        let mut numbers: Vec<usize> = (1..=rows).collect();
        random.shuffle(&mut numbers);
        let step = (PAST.as_micros() / rows.max(1) as i128) as usize;
        let mut modified = START - PAST;
        for number in numbers {
            if !random.percent(30) {
                modified += SignedDuration::from_micros(random.between(1, step.max(1)) as i64);
            }
            let id = format!("{organization}-{number:06}");
            let fields = fields(&mut Random::named(seed, &["pems", "row", &id]));
            generated.push(Row::new(id, organization.clone(), fields, modified, 1));
        }
    }
    generated
}

/// The values of one row.
pub(crate) fn fields(random: &mut Random) -> Fields {
    let rental = random.percent(60);
    let flag = |yes: bool| json!(if yes { "Y" } else { "N" });
    let actualized = random.percent(30);
    let planned = date(2026, 1, 1) + (random.between(0, 300) as i64).days();
    let planned_end = later(planned, random, 30, 400);
    let forecast = planned + (random.between(0, 40) as i64 - 10).days();
    let forecast_end = later(forecast, random, 20, 420);
    let actual = actualized.then(|| forecast + (random.between(0, 20) as i64).days());
    let actual_end = actual.filter(|_| random.percent(40)).map(|start| later(start, random, 5, 300));
    let day = |day: Option<Date>| day.map_or(Value::Null, |day| json!(day.to_string()));
    let model = format!("Demo {}-{}", random.word(&["L", "K", "M", "X"]), random.between(10, 99) * 10);
    let values = json!({
        "pfs_f_area": random.word(&AREAS),
        "pfs_f_category": random.word(&CATEGORIES),
        "pfs_f_class": random.word(&CLASSES),
        "pfs_f_source": if rental { "Rental" } else { "Purchase" },
        "pfs_f_dor": random.word(&["BEO", "PROJECT"]),
        "pfs_f_actualized": flag(actualized),
        "pfs_f_discontinued": flag(random.percent(6)),
        "pfs_f_fundstrans": flag(random.percent(20)),
        "pfs_f_rental": if rental { json!(amount(random, 200, 9_000)) } else { Value::Null },
        "pfs_f_purchase": if rental { Value::Null } else { json!(amount(random, 2_000, 400_000)) },
        "pfs_f_manufacturer": random.word(&MANUFACTURERS),
        "pfs_f_model": model,
        "pfs_p_projcode": format!("DEMO-P{:03}", random.between(1, 40)),
        "pfs_equipment_tag":
            if random.percent(80) { json!(format!("DEMO-T{:05}", random.below(100_000))) } else { Value::Null },
        "pfs_p_startdate": day(Some(planned)),
        "pfs_p_enddate": day(Some(planned_end)),
        "pfs_f_startdate": day(Some(forecast)),
        "pfs_f_enddate": day(Some(forecast_end)),
        "pfs_a_startdate": day(actual),
        "pfs_a_enddate": day(actual_end),
    });
    match values {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// A decimal as text, with cents.
pub(crate) fn amount(random: &mut Random, low: usize, high: usize) -> String {
    format!("{}.{}", random.between(low, high), random.word(&["00", "00", "50", "95"]))
}

fn later(start: Date, random: &mut Random, low: usize, high: usize) -> Date {
    start + (random.between(low, high) as i64).days()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::pems::model::FIELDS;
    use crate::pems::rules::{broken, form_problem};

    #[test]
    fn every_generated_row_holds_the_rules_and_states_every_field() {
        let rows = rows(3, 4, 250);
        assert_eq!(rows.len(), 1_000);
        for row in &rows {
            assert_eq!(broken(None, &row.fields), []);
            for spec in FIELDS.iter().filter(|spec| spec.writable) {
                assert_eq!(form_problem(spec.kind, &row.fields[spec.name]), None, "{}", spec.name);
            }
            let rental = row.text("pfs_f_source") == Some("Rental");
            assert_eq!(
                (row.text("pfs_f_rental").is_some(), row.text("pfs_f_purchase").is_none()),
                (rental, rental)
            );
        }
        let stamps: BTreeSet<_> = rows.iter().map(|row| (&row.organization, row.modified)).collect();
        assert!((600..800).contains(&stamps.len()), "{} different stamps", stamps.len());
        assert!(rows.iter().all(|row| row.modified < START));
    }
}
