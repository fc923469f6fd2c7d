//! Views: named questions to an analytical store.
//!
//! Owns the form of a view - one SQL file with a header -, its parameters, running it, and showing the answer as
//! JSON, CSV or a table of text. Which views there are is the systems' business; where the answer is printed is the
//! caller's.
//!
//! Invariants: a view only reads; parameters are bound, never pasted; a view with a wrong header is an error that
//! names file and line, found by the test that parses all views.
//!
//! # The form of a file
//!
//! ```sql
//! -- view: cost-by-day
//! -- title: Cost by day
//! -- answers: What did each day cost?
//! -- parameters: project model from to
//! -- shape: rows
//! -- chart: line x=day y=stored_cost
//! -- requirements: OC-51
//! -- budget_ms: 250
//!
//! SELECT day, sum(stored_cost) AS stored_cost FROM .. WHERE ($project IS NULL OR project_id = $project) ..
//! ```
//!
//! `chart` may be left out. With `shape: object` the first statement gives one row, whose columns may have names such
//! as `tokens.input`, and each further statement begins with a line `-- section: models` and gives a list.

mod bind;
mod cell;
mod chart;
mod computed;
pub(crate) mod csv;
mod header;
mod json;
mod parameter;
mod run;
#[cfg(test)]
mod tests;
mod text;

use crate::error::EngineError;

pub(crate) use bind::split;
pub use chart::{Chart, ChartKind};
pub use computed::{Computed, Request, WantedCommits};
pub use csv::to_csv;
pub(crate) use header::Header;
pub use json::to_json;
pub use parameter::{Name, Parameters};
pub(crate) use run::column_type;
pub use run::{Column, Section, Table};
pub use text::to_text;

use bind::Statement;
/// A cell of an answer.
pub use plimsoll_store::analytics::OwnedCell;

/// What the answer of a view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A list of rows.
    Rows,
    /// One object, with lists in it.
    Object,
}

/// A view, as its file says.
#[derive(Debug, Clone)]
pub struct View {
    /// Its name, also that of its file without `.sql`.
    pub name: &'static str,
    /// A title for people.
    pub title: &'static str,
    /// The question that it answers.
    pub answers: &'static str,
    /// The parameters that it takes.
    pub parameters: Vec<Name>,
    /// What its answer is.
    pub shape: Shape,
    /// How a dashboard shows it.
    pub chart: Option<Chart>,
    /// Identifiers of the requirements that it serves.
    pub requirements: Vec<&'static str>,
    /// The longest that it may take, in milliseconds.
    pub budget_ms: u64,
    statements: Vec<Statement>,
}

impl View {
    /// Reads a view's file.
    ///
    /// # Errors
    /// What is wrong in the header or with a parameter, with file and line.
    pub fn parse(text: &'static str) -> Result<Self, EngineError> {
        let header = Header::read("view", text)?;
        header.only(&[
            "view",
            "title",
            "answers",
            "parameters",
            "shape",
            "chart",
            "requirements",
            "budget_ms",
        ])?;
        let parameters = header
            .words("parameters")?
            .into_iter()
            .map(|word| Name::read(word).ok_or_else(|| header.wrong("parameters", &Name::refusal(word))))
            .collect::<Result<Vec<_>, _>>()?;
        let shape = match header.needed("shape")? {
            "rows" => Shape::Rows,
            "object" => Shape::Object,
            other => return Err(header.wrong("shape", &format!("`{other}` is neither `rows` nor `object`"))),
        };
        let chart = match header.found("chart") {
            None => None,
            Some(text) => Some(Chart::read(text).map_err(|reason| header.wrong("chart", &reason))?),
        };
        let budget = header.needed("budget_ms")?;
        let budget_ms = budget.parse().map_err(|_| header.wrong("budget_ms", "not a whole number"))?;
        let statements = bind::statements(&header, &parameters)?;
        if shape == Shape::Rows && statements.len() > 1 {
            return Err(header.wrong("shape", "a view with sections has `shape: object`"));
        }
        Ok(Self {
            name: header.name,
            title: header.needed("title")?,
            answers: header.needed("answers")?,
            parameters,
            shape,
            chart,
            requirements: header.words("requirements")?,
            budget_ms,
            statements,
        })
    }

    /// Reads all views of a system and finds names that occur twice.
    ///
    /// # Errors
    /// The first file that is wrong, or a name that two files have.
    pub fn parse_all(texts: &[&'static str]) -> Result<Vec<Self>, EngineError> {
        let views = texts.iter().map(|text| Self::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for (at, view) in views.iter().enumerate() {
            if views[..at].iter().any(|earlier| earlier.name == view.name) {
                return Err(EngineError::usage(format!("two views are named `{}`", view.name)));
            }
        }
        Ok(views)
    }

    /// The view of this name.
    ///
    /// # Errors
    /// When there is none; the message names those that are alike.
    pub fn named<'a>(views: &'a [Self], name: &str) -> Result<&'a Self, EngineError> {
        if let Some(view) = views.iter().find(|view| view.name == name) {
            return Ok(view);
        }
        let near: Vec<&str> = views
            .iter()
            .map(|view| view.name)
            .filter(|known| known.split('-').any(|word| word.len() > 2 && name.contains(word)))
            .take(8)
            .collect();
        let hint = if near.is_empty() {
            format!("hint: there are {} views; list them", views.len())
        } else {
            format!("hint: did you mean one of these? {}", near.join(", "))
        };
        Err(EngineError::usage(format!("there is no view `{name}`\n{hint}")))
    }
}
