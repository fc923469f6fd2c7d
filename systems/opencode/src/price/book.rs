//! Price books: what each model costs, by provider and model id.
//!
//! Owns a book as a map, its compact text form, the embedded book, and the order in which several books are asked. It
//! deliberately does not match names loosely: OpenCode writes the ids of models.dev, so a price is found by the very
//! ids or not at all.
//!
//! Invariants:
//! - A later book goes before an earlier one, model by model; the embedded book and then the requirement's rows come
//!   last.
//! - Written and read again, a book is the same book.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use crate::money::Money;
use crate::price::seed::{self, SEED};
use crate::price::{Price, Rates, Tier};

/// The embedded facts.
const EMBEDDED: &str = include_str!("../../prices.tsv");
const SNAPSHOT_MARK: &str = "# snapshot: ";
/// Thousands of tokens in the million that rates are for.
const THOUSANDS_PER_MILLION: i128 = 1000;

/// Why a book cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// The text is not JSON, or not in the shape of models.dev.
    #[error(
        "the prices are not JSON in the shape of models.dev: {reason}\nhint: expected {{\"provider\": {{\"models\": {{\"model\": {{\"cost\": {{\"input\": 3, \"output\": 15}}}}}}}}}}, in US dollars per million tokens"
    )]
    NotModelsDev {
        /// What the parser met, and where.
        reason: String,
    },
    /// A rate is no amount of money, or negative.
    #[error(
        "the price of `{provider}/{model}` has the {field} `{text}`\nhint: a rate is a number of US dollars per million tokens, from 0 to below 100,000,000"
    )]
    BadRate {
        /// The provider's id.
        provider: String,
        /// The model's id.
        model: String,
        /// Which rate.
        field: String,
        /// What stands there.
        text: String,
    },
    /// A line of a written book does not have its shape.
    #[error(
        "line {line} of the written prices cannot be read: {reason}\nhint: the file was changed by hand or cut off; write it again from a models.dev file"
    )]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Prices from one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceBook {
    label: String,
    providers: BTreeMap<String, BTreeMap<String, Price>>,
}

/// A price, and the label of the book it is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The price.
    pub price: &'a Price,
    /// Which snapshot; stored beside every cost that is computed from it.
    pub source: &'a str,
}

impl PriceBook {
    /// An empty book; `label` names its origin and date, in one line.
    #[must_use]
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), providers: BTreeMap::new() }
    }

    /// The facts that are part of this program, read at the first call.
    #[must_use]
    pub fn embedded() -> &'static Self {
        static BOOK: OnceLock<PriceBook> = OnceLock::new();
        BOOK.get_or_init(|| {
            // A test reads every line of the embedded text, so an empty book cannot be shipped.
            Self::from_tsv(EMBEDDED).unwrap_or_default()
        })
    }

    /// The requirement's rows, per million tokens.
    fn requirement() -> &'static Self {
        static BOOK: OnceLock<PriceBook> = OnceLock::new();
        BOOK.get_or_init(|| {
            let mut book = Self::new(seed::SOURCE);
            for row in &SEED {
                let per_million = |per_1k| {
                    let units = i128::from(Money::parse(per_1k)?.units()) * THOUSANDS_PER_MILLION;
                    Money::from_units(units)
                };
                if let (Some(input), Some(output)) =
                    (per_million(row.input_per_1k), per_million(row.output_per_1k))
                {
                    let rates = Rates { input, output, ..Rates::default() };
                    book.insert(row.vendor, row.model, Price { rates, ..Price::default() });
                }
            }
            book
        })
    }

    /// Origin and date.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The price of a model by its very ids.
    #[must_use]
    pub fn get(&self, provider: &str, model: &str) -> Option<&Price> {
        self.providers.get(provider)?.get(model)
    }

    /// Sets the price of a model.
    pub fn insert(&mut self, provider: &str, model: &str, mut price: Price) {
        price.tiers.sort_by_key(|tier| tier.size);
        self.providers.entry(provider.to_owned()).or_default().insert(model.to_owned(), price);
    }

    /// How many models have a price.
    #[must_use]
    pub fn len(&self) -> usize {
        self.providers.values().map(BTreeMap::len).sum()
    }

    /// Whether no model has a price.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All prices, by provider and model.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Price)> {
        self.providers.iter().flat_map(|(provider, models)| {
            models.iter().map(move |(model, price)| (provider.as_str(), model.as_str(), price))
        })
    }

    /// Reads the compact form that [`Self::to_tsv`] writes.
    ///
    /// # Errors
    ///
    /// [`PriceError::BadLine`] with the number of the first line that is not understood.
    pub fn from_tsv(text: &str) -> Result<Self, PriceError> {
        let mut book = Self::default();
        for (line, content) in (1..).zip(text.lines()) {
            if let Some(label) = content.strip_prefix(SNAPSHOT_MARK) {
                label.clone_into(&mut book.label);
            }
            if content.starts_with('#') || content.is_empty() {
                continue;
            }
            let (provider, model, price) =
                read_line(content).map_err(|reason| PriceError::BadLine { line, reason })?;
            book.providers.entry(provider.to_owned()).or_default().insert(model.to_owned(), price);
        }
        Ok(book)
    }

    /// Writes the compact form: the label, then a line for each model.
    #[must_use]
    pub fn to_tsv(&self) -> String {
        let mut text = format!("{SNAPSHOT_MARK}{}\n", self.label.replace(['\r', '\n'], " "));
        for (provider, model, price) in self.iter() {
            let line = write_line(provider, model, price);
            text.push_str(line.trim_end_matches('\t'));
            text.push('\n');
        }
        text
    }
}

/// All prices that are known: the user's books over the embedded one.
#[derive(Debug, Clone, Default)]
pub struct Prices {
    books: Vec<Arc<PriceBook>>,
}

impl Prices {
    /// The embedded prices only.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    /// Puts `book` over those that are there.
    #[must_use]
    pub fn with(mut self, book: Arc<PriceBook>) -> Self {
        self.books.push(book);
        self
    }

    /// The price of a model, from the latest book that has it; `None` if none has.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<Found<'_>> {
        let books = self.books.iter().rev().map(Arc::as_ref);
        let books = books.chain([PriceBook::embedded(), PriceBook::requirement()]);
        books
            .filter_map(|book| book.get(provider, model).map(|price| Found { price, source: &book.label }))
            .next()
    }
}

fn read_line(line: &str) -> Result<(&str, &str, Price), String> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().unwrap_or_default();
    let (provider, model) = (field(), field());
    if provider.is_empty() || model.is_empty() {
        return Err("a provider and a model are expected first".to_owned());
    }
    let rates = read_rates([field(), field(), field(), field(), field()])?;
    let over_200k = Some(field()).filter(|text| !text.is_empty()).map(read_joined_rates).transpose()?;
    let tiers =
        field().split(';').filter(|text| !text.is_empty()).map(read_tier).collect::<Result<_, _>>()?;
    fields.next().map_or(Ok((provider, model, Price { rates, over_200k, tiers })), |_| {
        Err("more fields than expected".to_owned())
    })
}

fn read_tier(text: &str) -> Result<Tier, String> {
    let (size, rates) = text.split_once(':').ok_or_else(|| format!("`{text}` is not a tier"))?;
    let size = size.parse().map_err(|_| format!("`{size}` is not a number of tokens"))?;
    Ok(Tier { size, rates: read_joined_rates(rates)? })
}

fn read_joined_rates(text: &str) -> Result<Rates, String> {
    let mut fields = text.split('/');
    let mut field = || fields.next().unwrap_or_default();
    let five = [field(), field(), field(), field(), field()];
    if fields.next().is_some() {
        return Err(format!("`{text}` has more rates than expected"));
    }
    read_rates(five)
}

fn read_rates([input, output, cache_read, cache_write, reasoning]: [&str; 5]) -> Result<Rates, String> {
    let read = |text: &str| {
        let rate = Money::parse(text).filter(|rate| *rate >= Money::ZERO);
        rate.ok_or_else(|| format!("`{text}` is not a rate"))
    };
    let optional = |text: &str| if text.is_empty() { Ok(None) } else { read(text).map(Some) };
    Ok(Rates {
        input: read(input)?,
        output: read(output)?,
        cache_read: optional(cache_read)?,
        cache_write: optional(cache_write)?,
        reasoning: optional(reasoning)?,
    })
}

fn write_line(provider: &str, model: &str, price: &Price) -> String {
    let rates = rates_as_text(&price.rates).join("\t");
    let over_200k = price.over_200k.as_ref().map(joined_rates).unwrap_or_default();
    let mut line = format!("{provider}\t{model}\t{rates}\t{over_200k}\t");
    for (index, tier) in price.tiers.iter().enumerate() {
        let separator = if index == 0 { "" } else { ";" };
        // Writing to a String cannot fail.
        let _ = write!(line, "{separator}{}:{}", tier.size, joined_rates(&tier.rates));
    }
    line
}

fn joined_rates(rates: &Rates) -> String {
    rates_as_text(rates).join("/").trim_end_matches('/').to_owned()
}

fn rates_as_text(rates: &Rates) -> [String; 5] {
    let optional = |rate: Option<Money>| rate.map(|rate| rate.to_string()).unwrap_or_default();
    [
        rates.input.to_string(),
        rates.output.to_string(),
        optional(rates.cache_read),
        optional(rates.cache_write),
        optional(rates.reasoning),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    fn flat(input: &str, output: &str) -> Price {
        let rates = Rates { input: money(input), output: money(output), ..Rates::default() };
        Price { rates, ..Price::default() }
    }

    #[test]
    fn the_embedded_facts_are_read_whole_and_written_back_the_same() {
        let book = PriceBook::from_tsv(EMBEDDED).unwrap();
        assert_eq!(book.label(), "models.dev 2026-09-30");
        assert_eq!(book.len(), 7914);
        assert_eq!(book.iter().filter(|(_, _, price)| !price.tiers.is_empty()).count(), 609);
        assert_eq!(book.iter().filter(|(_, _, price)| price.over_200k.is_some()).count(), 514);
        assert_eq!(book.iter().filter(|(_, _, price)| price.rates.reasoning.is_some()).count(), 152);
        assert_eq!(book.iter().map(|(_, _, price)| price.tiers.len()).sum::<usize>(), 653);
        let facts = |text: &str| {
            text.lines().filter(|line| !line.starts_with('#')).map(ToOwned::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(facts(&book.to_tsv()), facts(EMBEDDED), "sorted, normalized, complete");
        assert!(EMBEDDED.len() < 1_000_000, "{} bytes", EMBEDDED.len());
        assert_eq!(PriceBook::embedded(), &book);
    }

    #[test]
    fn well_known_prices_are_found_with_their_snapshot() {
        let prices = Prices::embedded();
        let found = prices.find("google", "gemini-2.5-pro").unwrap();
        assert_eq!(found.source, "models.dev 2026-09-30");
        let Price { rates, over_200k, tiers } = found.price;
        assert_eq!(
            (rates.input, rates.output, rates.cache_read),
            (money("1.25"), money("10"), Money::parse("0.125"))
        );
        assert_eq!((rates.cache_write, rates.reasoning), (None, None));
        assert_eq!(over_200k.unwrap().output, money("15"));
        assert_eq!(
            (tiers.len(), tiers[0].size, tiers[0].rates.cache_read),
            (1, 200_000, Money::parse("0.25"))
        );
    }

    #[test]
    fn the_rows_of_the_requirement_are_there_and_labeled_but_never_go_first() {
        let prices = Prices::embedded();
        for (model, input, output) in [("claude-3-opus", "15", "75"), ("claude-3-sonnet", "3", "15")] {
            let found = prices.find("anthropic", model).unwrap();
            assert_eq!((found.price, found.source), (&flat(input, output), seed::SOURCE), "{model}");
        }
        for (model, input, output) in [("gpt-4-turbo", "10", "30"), ("gpt-4o", "5", "15")] {
            assert_eq!(PriceBook::requirement().get("openai", model), Some(&flat(input, output)), "{model}");
            assert_eq!(prices.find("openai", model).unwrap().source, "models.dev 2026-09-30", "{model}");
        }
        assert_eq!(PriceBook::requirement().len(), 4);
    }

    #[test]
    fn an_unknown_model_has_no_price() {
        let prices = Prices::embedded();
        for (provider, model) in
            [("mock", "gpt-5"), ("openai", "gpt-0"), ("", ""), ("OpenAI", "gpt-4o"), ("openai", "")]
        {
            assert_eq!(prices.find(provider, model), None, "{provider}/{model}");
        }
    }

    #[test]
    fn a_later_book_goes_first_model_by_model() {
        let mut older = PriceBook::new("older");
        older.insert("mock", "a", flat("1", "2"));
        older.insert("mock", "b", flat("3", "4"));
        let mut newer = PriceBook::new("newer");
        newer.insert("mock", "a", flat("5", "6"));
        newer.insert("openai", "gpt-4o", flat("0", "0"));
        let prices = Prices::embedded().with(Arc::new(older)).with(Arc::new(newer));
        let source = |provider, model| prices.find(provider, model).map(|found| found.source.to_owned());
        assert_eq!(source("mock", "a").unwrap(), "newer");
        assert_eq!(source("mock", "b").unwrap(), "older");
        assert_eq!(source("openai", "gpt-4o").unwrap(), "newer");
        assert!(prices.find("openai", "gpt-4o").unwrap().price.is_free());
        assert_eq!(source("openai", "gpt-4-turbo").unwrap(), "models.dev 2026-09-30");
    }

    #[test]
    fn a_damaged_line_is_named() {
        for (line, reason) in [
            ("mock", "a provider and a model are expected first"),
            ("mock\ta\t1", "`` is not a rate"),
            ("mock\ta\t1\tx", "`x` is not a rate"),
            ("mock\ta\t1\t-2", "`-2` is not a rate"),
            ("mock\ta\t1\t2\t\t\t\t1", "`` is not a rate"),
            ("mock\ta\t1\t2\t\t\t\t\t1/2", "`1/2` is not a tier"),
            ("mock\ta\t1\t2\t\t\t\t\tx:1/2", "`x` is not a number of tokens"),
            ("mock\ta\t1\t2\t\t\t\t\t9:1/2/3/4/5/6", "`1/2/3/4/5/6` has more rates than expected"),
            ("mock\ta\t1\t2\t\t\t\t\t\tmore", "more fields than expected"),
        ] {
            let expected = PriceError::BadLine { line: 2, reason: reason.to_owned() };
            assert_eq!(PriceBook::from_tsv(&format!("# head\n{line}\n")), Err(expected), "{line}");
        }
    }
}
