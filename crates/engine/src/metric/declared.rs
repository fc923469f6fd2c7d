//! Metrics that a system declares: an SQL file with a header.
//!
//! Owns the form and asking the store. Which metrics there are is the system's business.
//!
//! ```sql
//! -- metric: cost
//! -- name: plimsoll_opencode_cost_dollars
//! -- help: What answers cost, in US dollars, by model.
//! -- kind: counter
//! -- labels: model
//!
//! SELECT model, sum(stored_cost) AS value FROM message_usage GROUP BY ALL
//! ```
//!
//! Each row is one sample: a column for each label, in order, and a last column `value`. A row whose value is null is
//! left out. A null label is an empty text, which for Prometheus is the same as no label.

use plimsoll_core::value::Value;
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;

use super::{Family, Kind, Sample};
use crate::error::EngineError;
use crate::session::Session;
use crate::view::Header;

/// The most samples of one metric: more are a sign that a label has too many values.
const MOST: usize = 2_000;

/// A metric, as its file says.
#[derive(Debug, Clone)]
pub struct DeclaredMetric {
    /// Name, help, kind and labels.
    pub family: Family,
    sql: &'static str,
    file: &'static str,
}

impl DeclaredMetric {
    /// Reads a metric's file.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn parse(text: &'static str) -> Result<Self, EngineError> {
        let header = Header::read("metric", text)?;
        header.only(&["metric", "name", "help", "kind", "labels"])?;
        let kind = match header.needed("kind")? {
            "counter" => Kind::Counter,
            "gauge" => Kind::Gauge,
            other => return Err(header.wrong("kind", &format!("`{other}` is neither `counter` nor `gauge`"))),
        };
        let name = header.needed("name")?;
        let proper =
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !proper || !name.starts_with("plimsoll_") {
            return Err(
                header.wrong("name", "it begins with `plimsoll_` and has lower-case letters, digits and `_`")
            );
        }
        if (kind == Kind::Counter) != name.ends_with("_total") {
            return Err(header.wrong("name", "a counter's name ends with `_total`, and no other does"));
        }
        let labels = header.words("labels")?;
        let sql = header.body.trim();
        if sql.is_empty() {
            return Err(header.wrong_at(header.body_line, "there is no statement"));
        }
        Ok(Self {
            // A declaration is read once in a program's life.
            family: Family { name, help: header.needed("help")?, kind, labels: labels.leak() },
            sql,
            file: header.name,
        })
    }

    /// Reads all metrics of a system and finds names that occur twice.
    ///
    /// # Errors
    /// The first file that is wrong, or a name that two files have.
    pub fn parse_all(texts: &[&'static str]) -> Result<Vec<Self>, EngineError> {
        let metrics = texts.iter().map(|text| Self::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for (at, metric) in metrics.iter().enumerate() {
            if metrics[..at].iter().any(|earlier| earlier.family.name == metric.family.name) {
                return Err(EngineError::usage(format!("two metrics are named `{}`", metric.family.name)));
            }
        }
        Ok(metrics)
    }

    /// Asks a store of rows. `{today}`, `{today-7}` and the like in the statement are days as texts, so that one statement
    /// serves both databases.
    ///
    /// # Errors
    /// As [`Self::samples`].
    pub fn store_samples(&self, session: &mut Session) -> Result<Vec<Sample>, EngineError> {
        let during = |error: EngineError| error.during(&format!("metrics/{}.sql", self.file));
        let sql = days(self.sql, &session.clock.now()).map_err(during)?;
        let answer = session.store.query_named(&sql, &[]).map_err(|error| during(error.into()))?;
        self.fits(answer.columns.iter().map(String::as_str), answer.rows.len()).map_err(during)?;
        let mut samples = Vec::with_capacity(answer.rows.len());
        for row in answer.rows {
            let Some((last, labels)) = row.split_last() else { continue };
            #[expect(clippy::cast_precision_loss, reason = "the text form of Prometheus has doubles only")]
            let value = match last {
                Value::Integer(number) => *number as f64,
                other => match other.as_text().and_then(|text| text.parse().ok()) {
                    Some(number) => number,
                    None => continue,
                },
            };
            let labels: Vec<&str> = labels.iter().map(|label| label.as_text().unwrap_or_default()).collect();
            samples.push(self.family.sample(&labels, value));
        }
        Ok(samples)
    }

    /// Refuses an answer that has not the columns that the labels want, or too many rows.
    fn fits<'a>(&self, columns: impl Iterator<Item = &'a str>, rows: usize) -> Result<(), EngineError> {
        let columns: Vec<&str> = columns.collect();
        let expected: Vec<&str> = self.family.labels.iter().copied().chain(["value"]).collect();
        if columns != expected {
            return Err(EngineError::usage(format!(
                "the columns are {}, and must be {}",
                columns.join(", "),
                expected.join(", ")
            )));
        }
        if rows > MOST {
            return Err(EngineError::usage(format!("{rows} samples, and {MOST} are the most")));
        }
        Ok(())
    }

    /// Asks an analytical store.
    ///
    /// # Errors
    /// When the query fails or does not have the columns that the labels want.
    pub fn samples(&self, store: &Analytics) -> Result<Vec<Sample>, EngineError> {
        let during = |error: EngineError| error.during(&format!("metrics/{}.sql", self.file));
        let answer = store.query(self.sql, &[]).map_err(|error| during(error.into()))?;
        self.fits(answer.columns.iter().map(|(name, _)| name.as_str()), answer.rows.len()).map_err(during)?;
        let mut samples = Vec::with_capacity(answer.rows.len());
        for row in answer.rows {
            let Some((last, labels)) = row.split_last() else { continue };
            let Some(value) = number(last) else { continue };
            let labels: Vec<String> = labels.iter().map(text).collect();
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            samples.push(self.family.sample(&labels, value));
        }
        Ok(samples)
    }
}

/// The statement with its days: `{today}` and `{today+N}` or `{today-N}`, of the moment `now`.
fn days(sql: &str, now: &str) -> Result<String, EngineError> {
    const MARK: &str = "{today";
    let (mut text, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(at) = rest.find(MARK) {
        let (before, marked) = rest.split_at(at);
        let wrong = || EngineError::usage("a day is written {today}, {today+N} or {today-N}");
        let (offset, after) = marked[MARK.len()..].split_once('}').ok_or_else(wrong)?;
        let offset: i64 = if offset.is_empty() { 0 } else { offset.parse().map_err(|_| wrong())? };
        let today: jiff::civil::Date = now.get(..10).unwrap_or_default().parse().map_err(|_| wrong())?;
        let day = today.checked_add(jiff::Span::new().days(offset)).map_err(|_| wrong())?;
        text.push_str(before);
        text.push_str(&day.to_string());
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn text(cell: &OwnedCell) -> String {
    match cell {
        OwnedCell::Text(text) => text.clone(),
        OwnedCell::Integer(number) => number.to_string(),
        OwnedCell::Boolean(truth) => truth.to_string(),
        _ => String::new(),
    }
}

/// The number in a cell; money in dollars.
pub(super) fn number(cell: &OwnedCell) -> Option<f64> {
    match cell {
        #[expect(clippy::cast_precision_loss, reason = "the text form of Prometheus has doubles only")]
        OwnedCell::Integer(number) => Some(*number as f64),
        #[expect(clippy::cast_precision_loss, reason = "the text form of Prometheus has doubles only")]
        OwnedCell::Decimal(digits, scale) => Some(*digits as f64 / 10_f64.powi(i32::from(*scale))),
        OwnedCell::Double(number) => Some(*number),
        OwnedCell::Boolean(truth) => Some(if *truth { 1.0 } else { 0.0 }),
        OwnedCell::Null | OwnedCell::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_today() {
        let now = "2026-02-27T23:59:59.999Z";
        assert_eq!(
            days("a '{today-1}' b '{today+3}' '{today}'", now).unwrap(),
            "a '2026-02-26' b '2026-03-02' '2026-02-27'"
        );
        assert!(days("{today+x}", now).is_err() && days("{today", now).is_err());
        assert_eq!(days("nothing {else}", now).unwrap(), "nothing {else}");
    }
}
