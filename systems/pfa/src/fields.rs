//! The fields of a PFA record: what they are called here and at PEMS, and what they hold.
//!
//! Owns the one list of fields and the two ways of reading a value: from the wire and from what a person or a file
//! wrote. It judges single values; what must be true of a whole row is `rules`'.
//!
//! Source of the names: the field mapping of the earlier system (`pfs_*` to camel case), in this project's spelling.

use plimsoll_core::value::Value;
use serde_json::Value as Json;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Money: a decimal with two places, not negative.
    Money,
    /// A calendar date.
    Date,
}

/// One field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name here: the column of the mirror.
    pub name: &'static str,
    /// Its name at PEMS.
    pub wire: &'static str,
    /// What it holds.
    pub kind: Kind,
}

const FLAG: Kind = Kind::Choice(&["N", "Y"]);

/// Every field.
pub const FIELDS: &[Field] = &[
    Field { name: "category", wire: "pfs_f_category", kind: Kind::Text },
    Field { name: "class", wire: "pfs_f_class", kind: Kind::Text },
    Field { name: "source", wire: "pfs_f_source", kind: Kind::Choice(&["Rental", "Purchase"]) },
    Field { name: "dor", wire: "pfs_f_dor", kind: Kind::Choice(&["BEO", "PROJECT"]) },
    Field { name: "area_silo", wire: "pfs_f_area", kind: Kind::Text },
    Field { name: "manufacturer", wire: "pfs_f_manufacturer", kind: Kind::Text },
    Field { name: "model", wire: "pfs_f_model", kind: Kind::Text },
    Field { name: "contract", wire: "pfs_p_projcode", kind: Kind::Text },
    Field { name: "equipment_tag", wire: "pfs_equipment_tag", kind: Kind::Text },
    Field { name: "monthly_rate", wire: "pfs_f_rental", kind: Kind::Money },
    Field { name: "purchase_price", wire: "pfs_f_purchase", kind: Kind::Money },
    Field { name: "original_start", wire: "pfs_p_startdate", kind: Kind::Date },
    Field { name: "original_end", wire: "pfs_p_enddate", kind: Kind::Date },
    Field { name: "forecast_start", wire: "pfs_f_startdate", kind: Kind::Date },
    Field { name: "forecast_end", wire: "pfs_f_enddate", kind: Kind::Date },
    Field { name: "actual_start", wire: "pfs_a_startdate", kind: Kind::Date },
    Field { name: "actual_end", wire: "pfs_a_enddate", kind: Kind::Date },
    Field { name: "is_actualized", wire: "pfs_f_actualized", kind: FLAG },
    Field { name: "is_discontinued", wire: "pfs_f_discontinued", kind: FLAG },
    Field { name: "is_funds_transferable", wire: "pfs_f_fundstrans", kind: FLAG },
];

/// The names of the fields, in their order.
pub const NAMES: &[&str] = &{
    let mut names = [""; FIELDS.len()];
    let mut at = 0;
    while at < FIELDS.len() {
        names[at] = FIELDS[at].name;
        at += 1;
    }
    names
};

/// The field called `name`.
pub fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

impl Field {
    /// A value from what a person or a file wrote; white space around it is dropped, and nothing is null.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        match self.kind {
            Kind::Text => Ok(Value::text(text)),
            Kind::Choice(words) => {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
                word.map(|word| Value::text(*word))
                    .ok_or_else(|| format!("`{text}` is none of {}", words.join(", ")))
            }
            Kind::Money => money(text).map(Value::Decimal),
            Kind::Date => {
                let date: Result<jiff::civil::Date, _> = text.parse();
                // Only the form that PEMS has: a parser that takes more would change what was written.
                let valid = text.len() == 10 && date.is_ok();
                if valid {
                    Ok(Value::Date(text.to_owned()))
                } else {
                    Err(format!("`{text}` is no date like 2026-03-31"))
                }
            }
        }
    }

    /// A value from the wire.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn from_wire(&self, value: &Json) -> Result<Value, String> {
        match value {
            Json::Null => Ok(Value::Null),
            Json::String(text) => self.parse(text),
            Json::Number(number) if self.kind == Kind::Money => self.parse(&number.to_string()),
            other => Err(format!("{} is {other}", self.wire)),
        }
    }

    /// A value for the wire.
    pub fn to_wire(&self, value: &Value) -> Json {
        value.as_text().map_or(Json::Null, |text| Json::String(text.to_owned()))
    }
}

/// An amount with exactly two places. More places than two are refused, not rounded.
fn money(text: &str) -> Result<String, String> {
    let refused = || format!("`{text}` is no amount like 1250.00, not negative and with two places at most");
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(places) {
        return Err(refused());
    }
    let places = places.trim_end_matches('0');
    if places.len() > 2 {
        return Err(refused());
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    Ok(format!("{whole}.{places:0<2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, expected) in
            [("0", "0.00"), ("007.5", "7.50"), ("1250", "1250.00"), ("0.10", "0.10"), ("3.140", "3.14")]
        {
            assert_eq!(money(text).as_deref(), Ok(expected), "{text}");
        }
        for text in ["", ".", ".5", "-1", "1.005", "1e3", "1,5", "12345678901234", "NaN"] {
            money(text).unwrap_err();
        }
    }

    #[test]
    fn every_value_goes_to_the_wire_and_back() {
        let values = [
            ("category", "Crane  of two"),
            ("source", "Rental"),
            ("monthly_rate", "12.30"),
            ("forecast_end", "2026-02-28"),
            ("is_discontinued", "Y"),
        ];
        for (name, text) in values {
            let field = find(name).unwrap();
            let value = field.parse(text).unwrap();
            assert_eq!(field.from_wire(&field.to_wire(&value)), Ok(value), "{name}");
        }
        assert_eq!(find("model").unwrap().from_wire(&Json::Null), Ok(Value::Null));
        find("forecast_end").unwrap().parse("2026-02-29").unwrap_err();
        find("forecast_end").unwrap().parse("20260228").unwrap_err();
        assert_eq!(find("source").unwrap().parse("rental"), Ok(Value::text("Rental")));
    }
}
