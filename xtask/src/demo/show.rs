//! JSON told as indented lines, for people.
//!
//! Members come in the order of their names, so that two demos can be compared. A long list is counted
//! and a digest is cut short, rather than shown whole.

use std::collections::HashMap;

use tinyjson::JsonValue;

/// Items of a list that are shown before the rest is only counted.
const LIST_LIMIT: usize = 16;
/// Digits of a digest that are shown.
const DIGEST_DIGITS: usize = 12;

/// Prints a value.
pub(super) fn value(value: &JsonValue) {
    for line in lines(value) {
        println!("  {line}");
    }
}

/// Prints only some members of an object, those that it has.
pub(super) fn members(value: &JsonValue, names: &[&str]) {
    let JsonValue::Object(members) = value else { return };
    let mut chosen = members.clone();
    chosen.retain(|name, _| names.contains(&name.as_str()));
    self::value(&JsonValue::Object(chosen));
}

fn lines(value: &JsonValue) -> Vec<String> {
    match value {
        JsonValue::Object(members) => members_as_lines(members),
        JsonValue::Array(items) => {
            let mut lines: Vec<String> = items.iter().take(LIST_LIMIT).flat_map(item_as_lines).collect();
            if items.len() > LIST_LIMIT {
                lines.push(format!("… and {} more", items.len() - LIST_LIMIT));
            }
            lines
        }
        scalar => vec![scalar_as_text(scalar)],
    }
}

fn members_as_lines(members: &HashMap<String, JsonValue>) -> Vec<String> {
    let mut names: Vec<&String> = members.keys().collect();
    names.sort();
    let mut shown = Vec::new();
    for name in names {
        match &members[name] {
            JsonValue::Array(items) if items.is_empty() => shown.push(format!("{name}: none")),
            inner @ (JsonValue::Object(_) | JsonValue::Array(_)) => {
                shown.push(format!("{name}:"));
                shown.extend(lines(inner).into_iter().map(|line| format!("  {line}")));
            }
            scalar => shown.push(format!("{name}: {}", scalar_as_text(scalar))),
        }
    }
    shown
}

/// A list's item on one line if its members are plain, else on several.
fn item_as_lines(item: &JsonValue) -> Vec<String> {
    let inner = lines(item);
    if inner.iter().any(|line| line.starts_with(' ')) {
        return inner;
    }
    vec![format!("- {}", inner.join(", "))]
}

fn scalar_as_text(value: &JsonValue) -> String {
    match value {
        JsonValue::String(text) if is_digest(text) => format!("{}…", &text[..DIGEST_DIGITS]),
        JsonValue::String(text) => text.lines().next().unwrap_or_default().to_owned(),
        JsonValue::Number(number) => number.to_string(),
        JsonValue::Boolean(true) => "yes".to_owned(),
        JsonValue::Boolean(false) => "no".to_owned(),
        _ => "-".to_owned(),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_in_order_and_long_lists_are_counted() {
        let text = r#"{"b": 2, "a": "x", "t": {"rows": 3}, "n": null, "e": [],
                       "l": [{"k": 1, "m": true}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]}"#;
        let shown = lines(&text.parse().unwrap());
        assert_eq!(shown[..2], ["a: x", "b: 2"]);
        assert!(shown.contains(&"e: none".to_owned()) && shown.contains(&"n: -".to_owned()));
        assert!(
            shown.contains(&"  - k: 1, m: yes".to_owned()) && shown.contains(&"  … and 2 more".to_owned())
        );
        assert_eq!(shown[shown.len() - 2..], ["t:", "  rows: 3"]);
        assert_eq!(lines(&JsonValue::String("0f".repeat(32))), ["0f0f0f0f0f0f…"]);
    }
}
