//! The figures of an organization: how many assets, what they cost, how the plan moved.
//!
//! Owns computing them from merged rows, so that they count what people see: edits that are committed here included.
//! Money is added in cents; nothing is rounded.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_engine::sync::read::MergedRow;

use crate::fields::NAMES;

/// The figures.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kpi {
    /// Records that are not discontinued.
    pub active: u64,
    /// Records that are.
    pub discontinued: u64,
    /// Active records that are actualized.
    pub actualized: u64,
    /// Active rentals and what they cost a month.
    pub rentals: u64,
    /// Their monthly rates added up, with two places.
    pub monthly_rates: String,
    /// Active purchases.
    pub purchases: u64,
    /// Their prices added up, with two places.
    pub purchase_prices: String,
    /// Active records whose forecast ends after the original plan.
    pub late: u64,
    /// Days by which those are late, added up.
    pub late_days: u64,
    /// Active records by category.
    pub categories: BTreeMap<String, u64>,
    /// Records with an edit that is not settled.
    pub open_edits: u64,
}

/// Computes the figures of these rows.
pub fn of(rows: &[MergedRow]) -> Kpi {
    let place = |name: &str| NAMES.iter().position(|known| *known == name).unwrap_or(usize::MAX);
    let (source, rate, price) = (place("source"), place("monthly_rate"), place("purchase_price"));
    let (discontinued, actualized, category) =
        (place("is_discontinued"), place("is_actualized"), place("category"));
    let (planned, forecast) = (place("original_end"), place("forecast_end"));
    let mut kpi = Kpi::default();
    let (mut rates, mut prices) = (0_i128, 0_i128);
    for row in rows {
        let text = |at: usize| row.fields.get(at).and_then(Value::as_text);
        kpi.open_edits += u64::from(row.badge != "synced");
        if text(discontinued) == Some("Y") {
            kpi.discontinued += 1;
            continue;
        }
        kpi.active += 1;
        kpi.actualized += u64::from(text(actualized) == Some("Y"));
        match text(source) {
            Some("Rental") => {
                kpi.rentals += 1;
                rates += cents(text(rate));
            }
            Some("Purchase") => {
                kpi.purchases += 1;
                prices += cents(text(price));
            }
            _ => {}
        }
        let days =
            text(planned).zip(text(forecast)).and_then(|(planned, forecast)| days_between(planned, forecast));
        if let Some(days) = days.filter(|days| *days > 0) {
            kpi.late += 1;
            kpi.late_days += days.unsigned_abs();
        }
        let name = text(category).unwrap_or("(none)").to_owned();
        *kpi.categories.entry(name).or_insert(0) += 1;
    }
    kpi.monthly_rates = amount(rates);
    kpi.purchase_prices = amount(prices);
    kpi
}

fn cents(text: Option<&str>) -> i128 {
    let Some((whole, places)) = text.map(|text| text.split_once('.').unwrap_or((text, "00"))) else {
        return 0;
    };
    format!("{whole}{places:0<2}").parse().unwrap_or(0)
}

fn amount(cents: i128) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn days_between(from: &str, to: &str) -> Option<i64> {
    let (from, to): (jiff::civil::Date, jiff::civil::Date) = (from.parse().ok()?, to.parse().ok()?);
    Some((to.duration_since(from).as_hours()) / 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, &str)], badge: &'static str) -> MergedRow {
        let value = |name: &&str| {
            let found = fields.iter().find(|(known, _)| known == name);
            found.map_or(Value::Null, |(_, text)| Value::text(*text))
        };
        MergedRow { key: "P".into(), scope: "O".into(), fields: NAMES.iter().map(value).collect(), badge }
    }

    #[test]
    fn money_is_exact_and_discontinued_records_do_not_count() {
        let rows = [
            row(&[("source", "Rental"), ("monthly_rate", "0.10"), ("category", "Crane")], "synced"),
            row(&[("source", "Rental"), ("monthly_rate", "0.20"), ("category", "Crane")], "queued"),
            row(&[("source", "Purchase"), ("purchase_price", "99999999999.99")], "synced"),
            row(&[("source", "Rental"), ("monthly_rate", "5.00"), ("is_discontinued", "Y")], "synced"),
            row(&[("original_end", "2026-02-27"), ("forecast_end", "2026-03-02")], "synced"),
        ];
        let kpi = of(&rows);
        assert_eq!((kpi.active, kpi.discontinued, kpi.rentals, kpi.purchases), (4, 1, 2, 1));
        assert_eq!((kpi.monthly_rates.as_str(), kpi.purchase_prices.as_str()), ("0.30", "99999999999.99"));
        assert_eq!((kpi.late, kpi.late_days, kpi.open_edits), (1, 3, 1));
        assert_eq!(kpi.categories["Crane"], 2);
    }
}
