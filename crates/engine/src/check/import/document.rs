//! YAML and JSON as one kind of tree, with keys that are there twice refused.

use serde_json::{Map, Number, Value};
use yaml_rust2::{Yaml, YamlLoader};

/// Reads a document; on failure, why not.
pub(super) fn read(text: &str, json: bool) -> Result<Value, String> {
    if json {
        serde_json::from_str::<Value>(text).map_err(|error| error.to_string())?;
    }
    // JSON is YAML too; this reader is the one that refuses a key that is there twice.
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let [document] = documents.as_slice() else {
        return Err(format!("there are {} documents instead of one", documents.len()));
    };
    let value = tree(document)?;
    if value.is_object() { Ok(value) } else { Err("the document is no mapping".to_owned()) }
}

fn tree(yaml: &Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(value) => Value::Bool(*value),
        Yaml::Integer(number) => Value::Number((*number).into()),
        Yaml::Real(text) => text
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map_or_else(|| Value::from(text.as_str()), Value::Number),
        Yaml::String(text) => Value::from(text.as_str()),
        Yaml::Array(values) => Value::Array(values.iter().map(tree).collect::<Result<_, _>>()?),
        Yaml::Hash(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                let Some(key) = key_text(key) else { return Err(format!("{key:?} is no key")) };
                if map.insert(key.clone(), tree(value)?).is_some() {
                    return Err(format!("the key `{key}` is there twice"));
                }
            }
            Value::Object(map)
        }
        Yaml::Alias(_) | Yaml::BadValue => return Err("a value cannot be read".to_owned()),
    })
}

fn key_text(key: &Yaml) -> Option<String> {
    match key {
        Yaml::String(text) | Yaml::Real(text) => Some(text.clone()),
        Yaml::Integer(number) => Some(number.to_string()),
        Yaml::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

/// The text of a key.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The list of a key; empty where there is none.
pub(super) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A plain value as a text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        assert!(read("a: 1\nb: {c: 2, c: 3}", false).is_err());
        assert!(read("{\"a\": 1, \"a\": 2}", true).is_err());
        assert!(read("{not json", true).is_err());
        assert!(read("a: [open", false).is_err());
        assert!(read("- a", false).is_err());
        assert_eq!(read("a: {b: [1, x]}", false).unwrap()["a"]["b"][1], "x");
    }
}
