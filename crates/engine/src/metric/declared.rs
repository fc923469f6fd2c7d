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

use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;

use super::{Family, Kind, Sample};
use crate::error::EngineError;
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

    /// Asks the store.
    ///
    /// # Errors
    /// When the query fails or does not have the columns that the labels want.
    pub fn samples(&self, store: &Analytics) -> Result<Vec<Sample>, EngineError> {
        let during = |error: EngineError| error.during(&format!("metrics/{}.sql", self.file));
        let answer = store.query(self.sql, &[]).map_err(|error| during(error.into()))?;
        let columns: Vec<&str> = answer.columns.iter().map(|(name, _)| name.as_str()).collect();
        let expected: Vec<&str> = self.family.labels.iter().copied().chain(["value"]).collect();
        if columns != expected {
            let message =
                format!("the columns are {}, and must be {}", columns.join(", "), expected.join(", "));
            return Err(during(EngineError::usage(message)));
        }
        if answer.rows.len() > MOST {
            let message = format!("{} samples, and {MOST} are the most", answer.rows.len());
            return Err(during(EngineError::usage(message)));
        }
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
