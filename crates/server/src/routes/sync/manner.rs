//! How a change of records is asked for.
//!
//! Owns the members `reason` and `dry_run` of every changing body, `dry_run` of every query, and reading values of
//! fields from JSON.

use plimsoll_core::sync::record::Fields;
use plimsoll_engine::EngineError;
use plimsoll_engine::sync::Link;
use plimsoll_engine::sync::edit::{self, How};
use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// Members of every changing body.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct Manner {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// The query of every changing request.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Dry {
    #[serde(default)]
    dry_run: bool,
}

impl Manner {
    /// The same, with what the query says.
    #[must_use]
    pub(crate) fn and(mut self, query: Dry) -> Self {
        self.dry_run |= query.dry_run;
        self
    }

    /// Whether nothing is to be done.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run
    }

    /// Why.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    /// How the engine is asked.
    pub(crate) fn how(&self) -> How<'_> {
        How { why: &self.reason, dry_run: self.dry_run }
    }

    /// `None` for a dry run: nothing is there to be taken back.
    pub(crate) fn undo(&self, command: impl FnOnce() -> String) -> Option<String> {
        (!self.dry_run).then(command)
    }
}

/// A value's text as a person would write it: null empties the field.
///
/// # Errors
/// Usage for a list or an object.
pub(crate) fn text(name: &str, value: &Json) -> Result<String, EngineError> {
    match value {
        Json::Null => Ok(String::new()),
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(truth) => Ok(truth.to_string()),
        Json::Array(_) | Json::Object(_) => {
            Err(EngineError::usage(format!("{name}: a text, a number, true, false or null is wanted")))
        }
    }
}

/// Fields from a body.
///
/// # Errors
/// Usage, with the field and what is wrong with it.
pub(crate) fn fields(link: &dyn Link, members: &Map<String, Json>) -> Result<Fields, EngineError> {
    let texts: Vec<(&str, String)> = members
        .iter()
        .map(|(name, value)| Ok((name.as_str(), text(name, value)?)))
        .collect::<Result<_, EngineError>>()?;
    edit::written(link, texts.iter().map(|(name, text)| (*name, text.as_str())))
}
