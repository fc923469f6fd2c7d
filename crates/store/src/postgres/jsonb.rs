//! The text in which `jsonb` gives a document back.
//!
//! Owns a model of `jsonb`'s normal form, because asking the server for every document of a large plan
//! would cost a round trip each: members sorted by length and then bytes, the last of equal names kept,
//! numbers as exact decimals, one space after `:` and `,`. The property test beside PostgreSQL holds it to
//! the server's own answer.
//!
//! Invariant: a document outside what is modelled gives `None`, never a wrong text.

use std::fmt;
use std::fmt::Write as _;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// How deep a document may be nested before the server is asked instead.
const DEEPEST: usize = 64;

/// How many characters a number may have before the server is asked instead.
const LONGEST_NUMBER: usize = 300;

/// The normal form of a JSON text; `None` when it is not JSON or not modelled.
pub(super) fn normal_form(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 16);
    write_value(serde_json::from_str(text).ok()?, DEEPEST, &mut out)?;
    Some(out)
}

fn write_value(raw: &RawValue, depth: usize, out: &mut String) -> Option<()> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'{' => {
            let mut members = serde_json::from_str::<Members<'_>>(text).ok()?.0;
            // A stable sort keeps equal names in the order of the text; the last one counts.
            members.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
            let last = |at: usize| members.get(at + 1).is_none_or(|next| next.0 != members[at].0);
            out.push('{');
            let mut first = true;
            for (at, (name, value)) in members.iter().enumerate() {
                if !last(at) {
                    // What is left out must still be a document that the server takes.
                    write_value(value, depth.checked_sub(1)?, &mut String::new())?;
                    continue;
                }
                if !first {
                    out.push_str(", ");
                }
                first = false;
                write_string(name, out)?;
                out.push_str(": ");
                write_value(value, depth.checked_sub(1)?, out)?;
            }
            out.push('}');
        }
        b'[' => {
            out.push('[');
            for (at, value) in serde_json::from_str::<Vec<&RawValue>>(text).ok()?.into_iter().enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_value(value, depth.checked_sub(1)?, out)?;
            }
            out.push(']');
        }
        b'"' => write_string(&serde_json::from_str::<String>(text).ok()?, out)?,
        b't' | b'f' | b'n' => out.push_str(text),
        _ => out.push_str(&number(text)?),
    }
    Some(())
}

fn write_string(text: &str, out: &mut String) -> Option<()> {
    out.push('"');
    for character in text.chars() {
        match character {
            // The server refuses it.
            '\0' => return None,
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            character if character < ' ' => write!(out, "\\u{:04x}", character as u32).ok()?,
            character => out.push(character),
        }
    }
    out.push('"');
    Some(())
}

/// A JSON number as `numeric` prints it: without an exponent, with the digits after the point as given.
fn number(text: &str) -> Option<String> {
    if text.len() > LONGEST_NUMBER {
        return None;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    if exponent.unsigned_abs() > LONGEST_NUMBER as u64 {
        return None;
    }
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all: String = [whole, fraction].concat();
    let point = whole.len() as i64 + exponent;
    let scale = (fraction.len() as i64 - exponent).max(0) as usize;
    let (before, after) = if point <= 0 {
        (String::new(), format!("{}{all}", "0".repeat(point.unsigned_abs() as usize)))
    } else {
        let point = point as usize;
        let padded = format!("{all}{}", "0".repeat(point.saturating_sub(all.len())));
        let (before, after) = padded.split_at(point);
        (before.to_owned(), after.to_owned())
    };
    let after = after.get(..scale)?;
    super::canonical::plain_decimal(&format!("{sign}{before}{}{after}", if scale > 0 { "." } else { "" }))
}

/// The members of an object, in the order of the text, equal names included.
struct Members<'text>(Vec<(String, &'text RawValue)>);

impl<'de: 'text, 'text> Deserialize<'de> for Members<'text> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_back_as_jsonb_prints_them() {
        for (text, normal) in [
            (r#"{"bb":1,"a":[ ],"bb":2.50}"#, r#"{"a": [], "bb": 2.50}"#),
            (r#"[1e2, 1.5e1, -0, -0.0, 12e-3, 0e5]"#, "[100, 15, 0, 0.0, 0.012, 0]"),
            ("\"\\u00e9\\n\\u001f\\/\"", "\"é\\n\\u001f/\""),
            (" true ", "true"),
        ] {
            assert_eq!(normal_form(text).as_deref(), Some(normal), "{text}");
        }
        for text in ["", "{", "[1,]", "\"\\u0000\"", "01", "1e999999", "\"\\ud800\""] {
            assert_eq!(normal_form(text), None, "{text}");
        }
    }
}
