//! What a legacy row says of a client whom a pilot might take.
//!
//! Owns the region, which the legacy side keeps in the address alone, the customer type, the marks and the figures by which
//! a cohort is compared with the rest. Who is chosen is the engine's.
//!
//! The region is the first of the 22 cities and counties that the address names; 臺 is read as 台. The six cities are called
//! by their names without 市, as the earlier system's selection called them, and what was a county until 2010 (台北縣, now
//! 新北市) is the city that it became. An address that names none is of the region `other`: districts are not looked up,
//! for several cities have one of the same name.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::pilot::selection::Customer;
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_engine::pilot::select::candidates::Candidate;

use crate::big5;
use crate::mapping::entities::CUSTOMER;
use crate::mapping::{Problem, References};

/// The region of an address that names none.
pub const OTHER: &str = "other";

/// What addresses say, and the region that it stands for. A name of a city without 市 is one too.
const PLACES: &[(&str, &str)] = &[
    ("台北縣", "新北"),
    ("台北", "台北"),
    ("新北", "新北"),
    ("桃園", "桃園"),
    ("台中", "台中"),
    ("台南", "台南"),
    ("高雄", "高雄"),
    ("基隆市", "基隆市"),
    ("新竹市", "新竹市"),
    ("嘉義市", "嘉義市"),
    ("新竹縣", "新竹縣"),
    ("苗栗縣", "苗栗縣"),
    ("彰化縣", "彰化縣"),
    ("南投縣", "南投縣"),
    ("雲林縣", "雲林縣"),
    ("嘉義縣", "嘉義縣"),
    ("屏東縣", "屏東縣"),
    ("宜蘭縣", "宜蘭縣"),
    ("花蓮縣", "花蓮縣"),
    ("台東縣", "台東縣"),
    ("澎湖縣", "澎湖縣"),
    ("金門縣", "金門縣"),
    ("連江縣", "連江縣"),
];

/// A client whose contract ended, by the legacy side's own flag.
pub const TERMINATED: &str = "terminated";
/// A client whom the legacy side does not hold to be active.
pub const INACTIVE: &str = "inactive";

/// The kilograms of each kind of cylinder.
const CYLINDERS: &[(&str, i64)] = &[
    ("cylinder_50kg", 50),
    ("cylinder_20kg", 20),
    ("cylinder_16kg", 16),
    ("cylinder_10kg", 10),
    ("cylinder_4kg", 4),
];

/// A row of `clients` as a candidate.
pub fn read(legacy: &Fields) -> Candidate {
    let text = |column: &str| legacy.get(column).and_then(decoded);
    let problems = CUSTOMER.to_new(legacy, &Nobody).err().unwrap_or_default();
    let customer = Customer {
        id: text("client_code").unwrap_or_default(),
        orders: 0,
        region: text("address").map_or(OTHER, |address| region(&address)).to_owned(),
        customer_type: match legacy.get("is_corporate") {
            Some(Value::Integer(0)) => "household",
            Some(Value::Integer(1)) => "business",
            _ => "unknown",
        }
        .to_owned(),
        marks: marks(legacy),
        covariates: figures(legacy),
    };
    Candidate { customer, problems: problems.iter().map(words).collect(), orders: Vec::new() }
}

/// The region that an address names.
pub fn region(address: &str) -> &'static str {
    let address = address.replace('臺', "台");
    let found = PLACES.iter().filter_map(|(name, region)| Some((address.find(name)?, *region)));
    // The list has the longer of two names that begin alike first.
    found.min_by_key(|(at, _)| *at).map_or(OTHER, |(_, region)| region)
}

fn marks(legacy: &Fields) -> BTreeSet<String> {
    let flag = |column: &str| legacy.get(column).and_then(Value::as_integer);
    let marks = [(flag("is_terminated") == Some(1), TERMINATED), (flag("is_active") == Some(0), INACTIVE)];
    marks.into_iter().filter(|(is, _)| *is).map(|(_, mark)| mark.to_owned()).collect()
}

fn figures(legacy: &Fields) -> BTreeMap<String, f64> {
    let float = |column: &str| match legacy.get(column) {
        Some(Value::Float(number)) if number.is_finite() => Some(*number),
        _ => None,
    };
    let cylinders = CYLINDERS.iter().filter_map(|(column, weight)| {
        let count = legacy.get(*column).and_then(Value::as_integer)?;
        Some(count.checked_mul(*weight)? as f64)
    });
    let weight = cylinders.reduce(|all, one| all + one);
    let figures = [
        ("monthly_volume", float("monthly_delivery_volume")),
        ("daily_usage", float("daily_usage_avg")),
        ("cylinder_kg", weight),
    ];
    figures.into_iter().filter_map(|(name, figure)| Some((name.to_owned(), figure?))).collect()
}

fn decoded(value: &Value) -> Option<String> {
    match value {
        Value::Bytes(bytes) => big5::decode(bytes).ok(),
        _ => None,
    }
}

fn words(problem: &Problem) -> String {
    format!("{}: {}", problem.column, problem.reason)
}

/// A client's row refers to nobody.
struct Nobody;

impl References for Nobody {
    fn code_of(&self, _entity: &str, _legacy_id: i64) -> Option<String> {
        None
    }

    fn legacy_id_of(&self, _entity: &str, _code: &str) -> Option<i64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_the_first_place_that_the_address_names() {
        let cases = [
            ("台北市信義區示範路1號", "台北"),
            ("臺北市大安區", "台北"),
            ("台北信義", "台北"),
            ("台北縣板橋市示範街2號", "新北"),
            ("新北市板橋區", "新北"),
            ("桃園縣中壢市", "桃園"),
            ("高雄市三民區台北路", "高雄"),
            ("新竹縣竹北市台中街", "新竹縣"),
            ("嘉義市東區", "嘉義市"),
            ("臺東縣", "台東縣"),
            ("信義區示範路", OTHER),
            ("", OTHER),
        ];
        for (address, expected) in cases {
            assert_eq!(region(address), expected, "{address}");
        }
    }

    #[test]
    fn no_name_hides_a_longer_one() {
        for (at, (name, _)) in PLACES.iter().enumerate() {
            let hidden = PLACES[at + 1..].iter().find(|(later, _)| later.starts_with(name));
            assert_eq!(hidden, None, "{name}");
        }
    }
}
