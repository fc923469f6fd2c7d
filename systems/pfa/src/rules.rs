//! What must be true of a PFA record.
//!
//! Owns the rules of the earlier system's validation, judged on the whole row as it would be: an edited start date is
//! right or wrong by the end date that nobody edited (the earlier system looked at the edit alone, defect P10).

use plimsoll_core::sync::field::{Broken, Rules};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;

/// The rules.
#[derive(Debug, Clone, Copy)]
pub struct PfaRules;

const PAIRS: [(&str, &str); 3] =
    [("original_start", "original_end"), ("forecast_start", "forecast_end"), ("actual_start", "actual_end")];

fn text<'row>(row: &'row Fields, name: &str) -> Option<&'row str> {
    row.get(name).and_then(Value::as_text)
}

fn broken(fields: &[&str], message: impl Into<String>) -> Result<(), Broken> {
    Err(Broken { fields: fields.iter().map(ToString::to_string).collect(), message: message.into() })
}

impl Rules for PfaRules {
    fn check(&self, before: Option<&Fields>, merged: &Fields) -> Result<(), Broken> {
        for (start, end) in PAIRS {
            // Dates of this form sort as text.
            if let (Some(from), Some(to)) = (text(merged, start), text(merged, end))
                && from > to
            {
                return broken(&[start, end], format!("{start} {from} lies after {end} {to}"));
            }
        }
        let needed = match text(merged, "source") {
            Some("Rental") => Some("monthly_rate"),
            Some("Purchase") => Some("purchase_price"),
            _ => None,
        };
        if let Some(needed) = needed.filter(|needed| text(merged, needed).is_none()) {
            return broken(&["source", needed], format!("{needed} is needed for this source"));
        }
        let Some(before) = before else { return Ok(()) };
        if text(before, "is_actualized") == Some("Y") {
            if text(before, "source") != text(merged, "source") {
                return broken(&["source"], "the source of an actualized record is fixed");
            }
            let moved = text(before, "actual_start").zip(text(merged, "actual_start"));
            if moved.is_some_and(|(was, is)| is > was) {
                return broken(
                    &["actual_start"],
                    "the actual start of an actualized record does not move later",
                );
            }
        }
        if text(before, "is_discontinued") == Some("Y") && text(merged, "is_discontinued") != Some("Y") {
            return broken(&["is_discontinued"], "a discontinued record stays discontinued");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)]) -> Fields {
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect()
    }

    #[test]
    fn each_rule_is_kept() {
        let rental = [("source", "Rental"), ("monthly_rate", "10.00")];
        let actualized = row(&[rental[0], rental[1], ("is_actualized", "Y"), ("actual_start", "2026-01-10")]);
        let cases: &[(Option<&Fields>, Fields, Option<&str>)] = &[
            (
                None,
                row(&[("forecast_start", "2026-02-01"), ("forecast_end", "2026-01-31")]),
                Some("forecast_start"),
            ),
            (None, row(&[("forecast_start", "2026-01-31"), ("forecast_end", "2026-01-31")]), None),
            (None, row(&[("source", "Rental")]), Some("monthly_rate")),
            (None, row(&[("source", "Purchase"), ("monthly_rate", "1.00")]), Some("purchase_price")),
            (None, row(&rental), None),
            (Some(&actualized), row(&[("source", "Purchase"), ("purchase_price", "1.00")]), Some("source")),
            (
                Some(&actualized),
                row(&[rental[0], rental[1], ("actual_start", "2026-01-11")]),
                Some("actual_start"),
            ),
            (Some(&actualized), row(&[rental[0], rental[1], ("actual_start", "2026-01-09")]), None),
            (
                Some(&row(&[("is_discontinued", "Y")])),
                row(&[("is_discontinued", "N")]),
                Some("is_discontinued"),
            ),
        ];
        for (before, merged, expected) in cases {
            let found = PfaRules.check(*before, merged).err();
            let names = |field: &&str| {
                found.as_ref().is_some_and(|broken| broken.fields.iter().any(|name| name == field))
            };
            assert_eq!(found.is_some(), expected.is_some(), "{merged:?}: {found:?}");
            assert!(expected.iter().all(names), "{merged:?}: {found:?}");
        }
    }
}
