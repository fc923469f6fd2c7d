//! Values: one cell of a row, with the type the database gave it.
//!
//! Owns the value type, its canonical texts and its JSON form. It does not convert between types: a
//! store that cannot represent a value exactly says so instead of rounding.
//!
//! Invariants:
//! - What is read is what is written back. A store returns the typed variants ([`Value::Timestamp`],
//!   [`Value::Date`], [`Value::Decimal`], [`Value::Json`]) only when the canonical text stands for the
//!   stored bytes exactly; anything else stays [`Value::Text`] or [`Value::Bytes`].
//! - Equality is equality of what is stored: floats compare by bits, decimals by text (`1.0` is not `1.00`).

use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One cell of a row.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// SQL `NULL`.
    #[default]
    Null,
    /// A truth value.
    Boolean(bool),
    /// A signed 64-bit integer.
    Integer(i64),
    /// A double; compared by bits.
    Float(f64),
    /// An exact decimal number as the text the database prints, for example `-12.50`.
    Decimal(String),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant in UTC as `YYYY-MM-DDTHH:MM:SS[.ffffff]Z` (RFC 3339), or a database's `infinity`.
    Timestamp(String),
    /// A calendar date as `YYYY-MM-DD`.
    Date(String),
    /// JSON text exactly as stored.
    Json(String),
}

impl Value {
    /// Text from anything printable.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Text, or null for an absent one.
    pub fn optional_text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Self::Null, |text| Self::Text(text.into()))
    }

    /// True for SQL `NULL`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The text of any textual variant (text, decimal, timestamp, date, JSON).
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text)
            | Self::Decimal(text)
            | Self::Timestamp(text)
            | Self::Date(text)
            | Self::Json(text) => Some(text),
            _ => None,
        }
    }

    /// The integer, when it is one.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            _ => None,
        }
    }

    /// The name of the variant, as printed in errors and stored in digests.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "timestamp",
            Self::Date(_) => "date",
            Self::Json(_) => "json",
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Decimal(a), Self::Decimal(b))
            | (Self::Text(a), Self::Text(b))
            | (Self::Timestamp(a), Self::Timestamp(b))
            | (Self::Date(a), Self::Date(b))
            | (Self::Json(a), Self::Json(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Null => {}
            Self::Boolean(value) => value.hash(state),
            Self::Integer(value) => value.hash(state),
            Self::Float(value) => value.to_bits().hash(state),
            Self::Bytes(value) => value.hash(state),
            Self::Decimal(text)
            | Self::Text(text)
            | Self::Timestamp(text)
            | Self::Date(text)
            | Self::Json(text) => text.hash(state),
        }
    }
}

impl fmt::Display for Value {
    /// Readable form for diffs and reports; not parsed back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Bytes(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Self::Decimal(text) | Self::Timestamp(text) | Self::Date(text) | Self::Json(text) => {
                f.write_str(text)
            }
        }
    }
}

impl Serialize for Value {
    /// Null, booleans, integers, finite floats and text are plain JSON; every other type is an object of
    /// one member named after it, such as `{"decimal":"1.50"}`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |serializer: S, tag: &str, text: &str| {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(tag, text)?;
            map.end()
        };
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(value) => tagged(serializer, "float_bits", &format!("{:016x}", value.to_bits())),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Decimal(text) => tagged(serializer, "decimal", text),
            Self::Bytes(bytes) => tagged(serializer, "bytes", &BASE64.encode(bytes)),
            Self::Timestamp(text) => tagged(serializer, "timestamp", text),
            Self::Date(text) => tagged(serializer, "date", text),
            Self::Json(text) => tagged(serializer, "json", text),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, a boolean, a number, a string, or an object of one typed member")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Integer)
            .map_err(|_| E::custom(format!("{value} does not fit a signed 64-bit integer")))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some((tag, text)) = map.next_entry::<String, String>()? else {
            return Err(de::Error::custom("an empty object is not a value"));
        };
        let value = match tag.as_str() {
            "decimal" => Value::Decimal(text),
            "timestamp" => Value::Timestamp(text),
            "date" => Value::Date(text),
            "json" => Value::Json(text),
            "bytes" => Value::Bytes(BASE64.decode(&text).map_err(de::Error::custom)?),
            "float_bits" => {
                let bits = u64::from_str_radix(&text, 16).map_err(de::Error::custom)?;
                Value::Float(f64::from_bits(bits))
            }
            other => return Err(de::Error::custom(format!("unknown value type `{other}`"))),
        };
        if map.next_entry::<String, String>()?.is_some() {
            return Err(de::Error::custom("a typed value has exactly one member"));
        }
        Ok(value)
    }
}

/// True when `text` is a plain decimal number: an optional sign, digits, and optionally a point with digits.
pub fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole) && fraction.is_none_or(all_digits)
}

/// True when `text` is a real calendar date written `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.is_ascii()
        && text.parse::<jiff::civil::Date>().is_ok_and(|d| d.to_string() == text)
}

/// True when `text` is a UTC instant in the canonical form of [`Value::Timestamp`].
///
/// The fraction, when present, has one to six digits and does not end in zero.
pub fn is_timestamp(text: &str) -> bool {
    let Some(body) = text.strip_suffix('Z') else { return false };
    let Some((date, time)) = body.split_once('T') else { return false };
    let (clock, fraction) = time.split_once('.').map_or((time, None), |(c, f)| (c, Some(f)));
    let clock_ok = clock.len() == 8
        && clock
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 2 || at == 5 { b == b':' } else { b.is_ascii_digit() })
        && &clock[0..2] < "24"
        && &clock[3..5] < "60"
        && &clock[6..8] < "60";
    let fraction_ok = fraction.is_none_or(|digits| {
        (1..=6).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.ends_with('0')
    });
    is_date(date) && clock_ok && fraction_ok
}

/// An instant in UTC without the trailing zeros of its fraction: the canonical form of [`Value::Timestamp`].
pub fn canonical_timestamp(text: &str) -> String {
    let body = text.strip_suffix('Z').unwrap_or(text);
    let trimmed = if body.contains('.') { body.trim_end_matches('0').trim_end_matches('.') } else { body };
    format!("{trimmed}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_form_keeps_every_type() {
        for value in [
            Value::Null,
            Value::Boolean(true),
            Value::Integer(i64::MIN),
            Value::Float(0.1),
            Value::Float(-0.0),
            Value::Float(1.0),
            Value::Float(f64::NAN),
            Value::Decimal("-0.10".into()),
            Value::text("a\u{0}b\n"),
            Value::Bytes(vec![0, 255]),
            Value::Timestamp("2025-10-01T19:59:54Z".into()),
            Value::Date("2025-10-01".into()),
            Value::Json("{\"a\": 1}".into()),
        ] {
            let text = serde_json::to_string(&value).unwrap();
            let back: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(back, value, "{text}");
        }
    }

    #[test]
    fn floats_and_integers_stay_apart() {
        assert_eq!(serde_json::from_str::<Value>("1").unwrap(), Value::Integer(1));
        assert_eq!(serde_json::from_str::<Value>("1.0").unwrap(), Value::Float(1.0));
        assert!(serde_json::from_str::<Value>("18446744073709551615").is_err());
        assert!(serde_json::from_str::<Value>("{\"kind\":\"x\"}").is_err());
        assert!(serde_json::from_str::<Value>("{\"date\":\"x\",\"json\":\"y\"}").is_err());
    }

    #[test]
    fn canonical_texts() {
        assert!(is_timestamp("2025-10-01T19:59:54Z") && is_timestamp("2025-10-01T19:59:54.5Z"));
        for text in [
            "2025-10-01 19:59:54",
            "2025-10-01T19:59:54.50Z",
            "2025-13-01T00:00:00Z",
            "2025-10-01T24:00:00Z",
            "Z",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
        assert_eq!(canonical_timestamp("2025-10-01T19:59:50.120Z"), "2025-10-01T19:59:50.12Z");
        assert_eq!(canonical_timestamp("2025-10-01T19:59:50.000Z"), "2025-10-01T19:59:50Z");
        assert_eq!(canonical_timestamp("2025-10-01T19:59:50Z"), "2025-10-01T19:59:50Z");
        assert!(is_date("2024-02-29") && !is_date("2025-02-29") && !is_date("2025-2-1"));
        assert!(is_decimal("-12.50") && is_decimal("7") && !is_decimal(".5") && !is_decimal("1e3"));
    }
}
