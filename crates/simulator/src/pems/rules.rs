//! What a row of the simulated PEMS may hold, and how it may change.
//!
//! Owns the business rules and the form of each kind of value. It judges stored names and tells problems under
//! them; `remote` translates them to the wire. The other amount of a row (the purchase price of a rental) need
//! only be well formed.

use jiff::civil::Date;
use serde_json::Value;

use super::model::{FieldKind, Fields};

/// The pairs of dates whose start may not lie after their end.
const DATE_PAIRS: [(&str, &str); 3] = [
    ("pfs_p_startdate", "pfs_p_enddate"),
    ("pfs_f_startdate", "pfs_f_enddate"),
    ("pfs_a_startdate", "pfs_a_enddate"),
];

/// A field, by its stored name, and what is wrong with it.
pub(crate) type Problem = (String, String);

/// What is wrong with the form of `value` in a field of `kind`.
pub(crate) fn form_problem(kind: FieldKind, value: &Value) -> Option<String> {
    let text = value.as_str();
    let (fits, form) = match kind {
        FieldKind::Text => (value.is_null() || text.is_some(), "text or null".to_owned()),
        FieldKind::Date => {
            (value.is_null() || text.is_some_and(is_date), "a date like 2026-03-31, or null".to_owned())
        }
        FieldKind::Decimal => {
            let form = "a decimal number as text like \"1250.00\", or null".to_owned();
            (value.is_null() || text.is_some_and(is_decimal), form)
        }
        FieldKind::Flag => (matches!(text, Some("Y" | "N")), "\"Y\" or \"N\"".to_owned()),
        FieldKind::Choice(choices) => {
            (text.is_some_and(|text| choices.contains(&text)), format!("one of {}", choices.join(", ")))
        }
        FieldKind::Instant | FieldKind::Integer => (false, "left to the system".to_owned()),
    };
    (!fits).then(|| format!("must be {form}"))
}

/// The rules that `after` breaks, a row that was `before` (nothing for a new one).
pub(crate) fn broken(before: Option<&Fields>, after: &Fields) -> Vec<Problem> {
    let text = |name: &str| after.get(name).and_then(Value::as_str);
    let mut problems = Vec::new();
    let mut problem = |field: &str, what: &str| problems.push((field.to_owned(), what.to_owned()));
    for (start, end) in DATE_PAIRS {
        // Texts of this form sort like the dates they name.
        if let (Some(from), Some(to)) = (text(start), text(end))
            && from > to
        {
            problem(start, "must not lie after the end");
            problem(end, "must not lie before the start");
        }
    }
    let amount = if text("pfs_f_source") == Some("Rental") { "pfs_f_rental" } else { "pfs_f_purchase" };
    match text(amount) {
        None => problem(amount, "is needed for this pfs_f_source"),
        Some(value) if is_negative(value) => problem(amount, "must not be negative"),
        Some(_) => {}
    }
    let Some(before) = before else { return problems };
    let earlier = |name: &str| before.get(name).and_then(Value::as_str);
    if earlier("pfs_f_actualized") == Some("Y") {
        if earlier("pfs_f_source") != text("pfs_f_source") {
            problem("pfs_f_source", "must not change once the row is actualized");
        }
        if let (Some(was), Some(is)) = (earlier("pfs_a_startdate"), text("pfs_a_startdate"))
            && is > was
        {
            problem("pfs_a_startdate", "must not move later once the row is actualized");
        }
    }
    if earlier("pfs_f_discontinued") == Some("Y") && text("pfs_f_discontinued") != Some("Y") {
        problem("pfs_f_discontinued", "must not go back to N");
    }
    problems
}

fn is_date(text: &str) -> bool {
    // The length keeps out the other forms that the parser would take.
    text.len() == 10 && text.parse::<Date>().is_ok()
}

fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

fn is_negative(text: &str) -> bool {
    text.starts_with('-') && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_are_told_apart() {
        let fits = |kind, value: Value| form_problem(kind, &value).is_none();
        for (text, expected) in
            [("2026-03-31", true), ("2026-02-30", false), ("20260331", false), ("", false)]
        {
            assert_eq!(fits(FieldKind::Date, json!(text)), expected, "{text}");
        }
        for (text, expected) in
            [("0", true), ("1250.00", true), ("-3.5", true), ("1.", false), (".5", false), ("1e3", false)]
        {
            assert_eq!(fits(FieldKind::Decimal, json!(text)), expected, "{text}");
        }
        assert!(!fits(FieldKind::Decimal, json!(12.5)));
        assert!(fits(FieldKind::Flag, json!("N")) && !fits(FieldKind::Flag, Value::Null));
        assert!(!fits(FieldKind::Choice(&["BEO"]), json!("beo")) && !fits(FieldKind::Integer, json!(1)));
        assert!(is_negative("-0.01") && !is_negative("-0.00") && !is_negative("3"));
    }
}
