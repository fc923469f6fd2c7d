//! Small readers for JSON values, so that the commands say what they want in one line.

use std::collections::HashMap;

use tinyjson::JsonValue;

use crate::failure::Failure;

/// Parses a text, naming `what` it is when it is not JSON.
pub(crate) fn parse(what: &str, text: &str) -> Result<JsonValue, Failure> {
    text.parse::<JsonValue>().map_err(|error| {
        Failure::new(format!("{what} is not JSON: {error}\nit begins: {:.200}", text.trim_start()))
    })
}

/// The member of an object, if it is there.
pub(crate) fn member<'a>(value: &'a JsonValue, name: &str) -> Option<&'a JsonValue> {
    value.get::<HashMap<String, JsonValue>>()?.get(name)
}

/// A text member of an object, if it is there.
pub(crate) fn text<'a>(value: &'a JsonValue, name: &str) -> Option<&'a str> {
    member(value, name)?.get::<String>().map(String::as_str)
}

/// A number member of an object, if it is there.
pub(crate) fn number(value: &JsonValue, name: &str) -> Option<f64> {
    member(value, name)?.get::<f64>().copied()
}

/// The items of an array member, none if it is absent.
pub(crate) fn items<'a>(value: &'a JsonValue, name: &str) -> &'a [JsonValue] {
    member(value, name).and_then(|list| list.get::<Vec<JsonValue>>()).map_or(&[], Vec::as_slice)
}
