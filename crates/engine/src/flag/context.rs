//! Who asks: the context of an evaluation.
//!
//! Owns the mapping from the context that a program sends (OpenFeature's `targetingKey` and any other fields) to the
//! fields that rules name. It does not decide which field says who asks: each flag does.
//!
//! `targetingKey` and `userId` are the same field; when both are given and differ, `targetingKey` is the one. Objects are
//! flattened with dots (`address.city`); numbers and truth values become text; lists are the texts of their JSON.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};
use unleash_yggdrasil::Context;

/// Who asks.
#[derive(Debug, Clone)]
pub struct EvaluationContext {
    pub(super) inner: Context,
}

impl Default for EvaluationContext {
    fn default() -> Self {
        Self {
            inner: Context {
                user_id: None,
                session_id: None,
                environment: None,
                app_name: None,
                current_time: None,
                remote_address: None,
                properties: None,
            },
        }
    }
}

impl EvaluationContext {
    /// A context that says nothing but who asks.
    pub fn of(key: impl Into<String>) -> Self {
        Self::default().with("userId", key)
    }

    /// The same context with one more field.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<String>) -> Self {
        self.set(field, value.into());
        self
    }

    /// Sets a field.
    pub fn set(&mut self, field: &str, value: String) {
        let inner = &mut self.inner;
        match field {
            "userId" | "targetingKey" => inner.user_id = Some(value),
            "sessionId" => inner.session_id = Some(value),
            "environment" => inner.environment = Some(value),
            "appName" => inner.app_name = Some(value),
            "currentTime" => inner.current_time = Some(value),
            "remoteAddress" => inner.remote_address = Some(value),
            _ => {
                inner.properties.get_or_insert_with(HashMap::new).insert(field.to_owned(), value);
            }
        }
    }

    /// A field's value.
    pub fn get(&self, field: &str) -> Option<&str> {
        let inner = &self.inner;
        match field {
            "userId" | "targetingKey" => inner.user_id.as_deref(),
            "sessionId" => inner.session_id.as_deref(),
            "environment" => inner.environment.as_deref(),
            "appName" => inner.app_name.as_deref(),
            "currentTime" => inner.current_time.as_deref(),
            "remoteAddress" => inner.remote_address.as_deref(),
            _ => inner.properties.as_ref().and_then(|fields| fields.get(field)).map(String::as_str),
        }
    }

    /// The context in an OFREP request, or any JSON object of fields.
    pub fn from_json(fields: &Map<String, Json>) -> Self {
        let mut context = Self::default();
        context.take("", fields);
        // The last word on who asks, whatever the order of the fields.
        if let Some(key) = fields.get("targetingKey").and_then(text) {
            context.set("targetingKey", key);
        }
        context
    }

    fn take(&mut self, prefix: &str, fields: &Map<String, Json>) {
        for (field, value) in fields {
            let name = format!("{prefix}{field}");
            match value {
                // The nested fields of an Unleash context are its fields.
                Json::Object(inner) if name == "properties" => self.take("", inner),
                Json::Object(inner) => self.take(&format!("{name}."), inner),
                other => {
                    if let Some(value) = text(other) {
                        self.set(&name, value);
                    }
                }
            }
        }
    }
}

fn text(value: &Json) -> Option<String> {
    match value {
        Json::Null | Json::Object(_) => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

impl From<Context> for EvaluationContext {
    fn from(inner: Context) -> Self {
        Self { inner }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_fields_of_a_request_are_found_by_their_names() {
        let fields = json!({
            "userId": "other", "targetingKey": "17", "age": 33, "vip": true, "none": null,
            "address": {"city": "Tainan", "zip": {"code": 700}}, "tags": ["a"], "properties": {"plan": "pro"},
        });
        let context = EvaluationContext::from_json(fields.as_object().unwrap());
        for (field, value) in [
            ("targetingKey", "17"),
            ("userId", "17"),
            ("age", "33"),
            ("vip", "true"),
            ("address.city", "Tainan"),
            ("address.zip.code", "700"),
            ("tags", "[\"a\"]"),
            ("plan", "pro"),
        ] {
            assert_eq!(context.get(field), Some(value), "{field}");
        }
        assert_eq!(context.get("none"), None);
    }
}
