//! A request: which operation, with which fields, and why.
//!
//! Owns reading fields, which come as JSON from the API and as texts from the command line.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use crate::rules::Refused;

/// One request.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    fields: Map<String, Json>,
}

/// Fields that name gauges.
const SERIALS: &[&str] = &["serial", "serials", "go", "nogo", "old", "new", "standard"];

impl Ask {
    /// A request with these fields.
    pub fn new(fields: Map<String, Json>) -> Self {
        Self { fields }
    }

    /// The fields.
    pub fn fields(&self) -> &Map<String, Json> {
        &self.fields
    }

    /// The text of a field; none when it is absent or blank.
    pub fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// The texts of a field: a list, or one text with commas.
    pub fn texts(&self, name: &str) -> Vec<String> {
        let split = |text: &str| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect::<Vec<_>>()
        };
        match self.fields.get(name) {
            Some(Json::String(text)) if SERIALS.contains(&name) || name == "set" => split(text),
            Some(Json::String(text)) if !text.trim().is_empty() => vec![text.trim().to_owned()],
            Some(Json::Array(list)) => {
                list.iter().filter_map(Json::as_str).map(|text| text.trim().to_owned()).collect()
            }
            Some(Json::Number(number)) => vec![number.to_string()],
            _ => Vec::new(),
        }
    }

    /// The text of a field that must be there.
    ///
    /// # Errors
    /// Rule `field`.
    pub fn needed(&self, name: &'static str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| Refused::new("field", format!("the field `{name}` is missing")))
    }

    /// True when a field says so.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.fields.get(name), Some(Json::Bool(true)))
            || self.text(name).is_some_and(|text| text == "true" || text == "yes")
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// Every gauge that the request names.
    pub fn serials(&self) -> BTreeSet<String> {
        let mut named: BTreeSet<String> = SERIALS.iter().flat_map(|field| self.texts(field)).collect();
        named.extend(self.texts("standards"));
        named
    }

    /// Why, in the actor's words.
    pub fn reason(&self) -> Option<String> {
        self.text("reason")
    }
}
