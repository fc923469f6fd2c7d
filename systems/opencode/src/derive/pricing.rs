//! Prices for derived rows.
//!
//! Owns which books are asked (the user's over the embedded one), and the rows of `model_pricing`. What a price means
//! and costs is [`crate::price`]'s.
//!
//! Invariants: a model that no book has gets no row, never a price of zero; a rate that is not stated is null.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::sync::Arc;

use plimsoll_engine::ingest::{Cell, OwnedCell, RowBuffer, Settings};
use plimsoll_engine::ingest::{ErrorClass, StoreError};

use super::cells::Cells;
use crate::money::{Money, divide_half_even};
use crate::price::seed::{SEED, SOURCE};
use crate::price::{Price, PriceBook, Prices, Rates, models_dev};

/// The label of prices that the user gave.
const OVERRIDE: &str = "override";
const MICROSECONDS_PER_DAY: i64 = 86_400_000_000;

thread_local! {
    /// The prices that were read last, and the text of the user's that they were read from.
    static KNOWN: RefCell<Option<(Option<String>, Rc<Prices>)>> = const { RefCell::new(None) };
}

/// The prices to apply: read anew only when the user's are others than the last time.
///
/// Rows come one by one, and comparing a text of megabytes for each would cost more than all else. So it is compared
/// only for the first row of a buffer; those after it are of the same run.
///
/// # Errors
/// When the user's prices cannot be read; the error names the place.
pub(super) fn prices(settings: &Settings, rows: &RowBuffer) -> Result<Rc<Prices>, StoreError> {
    KNOWN.with_borrow_mut(|known| {
        if let Some((text, prices)) = known
            && (!rows.is_empty() || *text == settings.prices)
        {
            return Ok(Rc::clone(prices));
        }
        let mut prices = Prices::embedded();
        if let Some(text) = &settings.prices {
            let is_json = text.trim_start().starts_with('{');
            let book = if is_json { models_dev::parse(text, OVERRIDE) } else { PriceBook::from_tsv(text) };
            let book = book.map_err(|error| StoreError::new(ErrorClass::Value, error.to_string()))?;
            prices = prices.with(Arc::new(book));
        }
        let prices = Rc::new(prices);
        *known = Some((settings.prices.clone(), Rc::clone(&prices)));
        Ok(prices)
    })
}

/// A row of `model_pricing`, from a model's name.
pub(super) fn row(cells: &[OwnedCell], settings: &Settings, rows: &mut RowBuffer) -> Result<(), StoreError> {
    let mut cells = Cells::new(rows.table().name, cells);
    let (name, provider, model, vendor) = (cells.text()?, cells.text()?, cells.text()?, cells.text()?);
    let (Some(name), Some(model)) = (name, model) else { return Ok(()) };
    let Some(provider) = provider else { return seed_row(name, model, rows) };
    let prices = prices(settings, rows)?;
    let Some(found) = prices.find(provider, model) else { return Ok(()) };
    let rates = &found.price.rates;
    let tiers = tiers(found.price);
    rows.push(&[
        name.into(),
        vendor.into(),
        per_1k(Some(rates.input)),
        per_1k(Some(rates.output)),
        per_1k(rates.cache_read),
        per_1k(rates.cache_write),
        per_1k(rates.reasoning),
        tiers.as_deref().into(),
        found.source.into(),
        date_of(found.source).into(),
    ])
}

/// One of the four rows of the requirements.
fn seed_row(name: &str, model: &str, rows: &mut RowBuffer) -> Result<(), StoreError> {
    let Some(seed) = SEED.iter().find(|seed| seed.model == model) else { return Ok(()) };
    let rate = |text| Cell::from(Money::parse(text).map(Money::units));
    let none = Cell::Null;
    let (input, output) = (rate(seed.input_per_1k), rate(seed.output_per_1k));
    rows.push(&[name.into(), seed.vendor.into(), input, output, none, none, none, none, SOURCE.into(), none])
}

/// The day that a label ends with, as a moment.
fn date_of(label: &str) -> Option<i64> {
    let (_, date) = label.rsplit_once(' ')?;
    let mut numbers = date.split('-').map(|number| number.parse::<i64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_date = date.len() == 10 && (1..=12).contains(&month) && (1..=31).contains(&day);
    (is_date && numbers.next().is_none()).then(|| days_since_1970(year, month, day) * MICROSECONDS_PER_DAY)
}

/// Days from 1970-01-01, in the calendar as it is counted today.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the day that some of them have more is their last.
    let year = if month > 2 { year } else { year - 1 };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// A rate for a thousand tokens, from one for a million.
fn per_1k(rate: Option<Money>) -> Cell<'static> {
    thousandth(rate).map(Money::units).into()
}

fn thousandth(rate: Option<Money>) -> Option<Money> {
    Money::from_units(divide_half_even(i128::from(rate?.units()), 1000))
}

/// The rates for long contexts as JSON, for a thousand tokens; `None` where there are none.
fn tiers(price: &Price) -> Option<String> {
    let tiers = price.tiers.iter().map(|tier| (tier.size, &tier.rates));
    let older = price.over_200k.iter().map(|rates| (200_000, rates)).filter(|_| price.tiers.is_empty());
    let written: Vec<String> = tiers.chain(older).map(|(size, rates)| tier(size, rates)).collect();
    (!written.is_empty()).then(|| format!("[{}]", written.join(",")))
}

fn tier(size: i64, rates: &Rates) -> String {
    let mut text = format!("{{\"over_tokens\":{size}");
    let named = [
        ("input", Some(rates.input)),
        ("output", Some(rates.output)),
        ("cache_read", rates.cache_read),
        ("cache_write", rates.cache_write),
        ("reasoning", rates.reasoning),
    ];
    for (name, rate) in named {
        if let Some(rate) = thousandth(rate) {
            // Writing to a text cannot fail.
            let _ = write!(text, ",\"{name}\":{rate}");
        }
    }
    text.push('}');
    text
}
