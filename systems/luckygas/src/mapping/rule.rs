//! How one value is carried from one side to the other.
//!
//! Owns the rules and their two ways. Null is carried as null, but for codes and numbers, which a row must have.
//!
//! Legacy texts come as bytes: a cell that SQLite keeps as text was not written by the legacy program, and its bytes on
//! the way back would be another storage class, so it is refused. Legacy times have no zone; they are taken as Taipei's,
//! eight hours before UTC all year (its summer time ended in 1979), which makes the mapping one to one.

use jiff::civil::DateTime;
use jiff::{SignedDuration, ToSpan};
use plimsoll_core::value::{Value, is_date, is_timestamp};

use super::References;
use crate::big5;

/// A word of the legacy side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// A text.
    Text(&'static str),
    /// A number.
    Integer(i64),
}

/// A closed table of words: what is not in it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Legacy word and new word, one to one.
    pub pairs: &'static [(Word, &'static str)],
    /// New words that the legacy side has no word for, and the word that is written for them.
    pub narrowed: &'static [(&'static str, Word)],
}

/// How a value is carried.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// A text that is the key of the record: exact, and not empty.
    Code,
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// The legacy number, which a row must have.
    Number,
    /// A code that the new side makes of the legacy number, unless the record has one.
    Derived(fn(i64) -> String),
    /// A double, by its bits.
    Float,
    /// 0 and 1 as truth values.
    Flag,
    /// Words of a closed table.
    Words(&'static Words),
    /// `YYYY-MM-DD HH:MM:SS` in Taipei as an instant.
    Instant,
    /// `YYYY-MM-DD`.
    Date,
    /// The number of a record of this entity as its code. `required` when a row must have one.
    Reference {
        /// The entity.
        entity: &'static str,
        /// Whether null is refused.
        required: bool,
    },
}

/// Taipei is ahead of UTC by so much.
const AHEAD: SignedDuration = SignedDuration::from_hours(8);

/// Years that both databases print alike.
const FIRST_YEAR: i16 = 1900;

impl Rule {
    /// In a word, for the page.
    pub fn name(&self) -> String {
        match self {
            Self::Code => "code".into(),
            Self::Text => "text (Big5)".into(),
            Self::Integer => "whole number".into(),
            Self::Number => "legacy number".into(),
            Self::Derived(_) => "made of the legacy number".into(),
            Self::Float => "double, by its bits".into(),
            Self::Flag => "0, 1".into(),
            Self::Words(words) => {
                let pairs = words.pairs.iter().map(|(legacy, new)| format!("{} {new}", legacy.show()));
                format!("words: {}", pairs.collect::<Vec<_>>().join(", "))
            }
            Self::Instant => "time of Taipei as an instant".into(),
            Self::Date => "date".into(),
            Self::Reference { entity, .. } => format!("number of the {entity} as its code"),
        }
    }

    fn needs_value(&self) -> bool {
        matches!(self, Self::Code | Self::Number | Self::Derived(_) | Self::Reference { required: true, .. })
    }

    /// From legacy to new. `entity` is the one that the row belongs to.
    ///
    /// # Errors
    /// Why the value cannot be carried.
    pub fn to_new(&self, entity: &str, value: &Value, references: &dyn References) -> Result<Value, String> {
        if value.is_null() {
            return if self.needs_value() {
                Err("the row must have a value here".into())
            } else {
                Ok(Value::Null)
            };
        }
        match self {
            Self::Code | Self::Text => text_of(value)
                .and_then(|text| {
                    if text.is_empty() && self.needs_value() {
                        Err("the text is empty".into())
                    } else {
                        Ok(text)
                    }
                })
                .map(Value::Text),
            Self::Integer | Self::Number => integer(value).map(Value::Integer),
            Self::Derived(make) => {
                let number = integer(value)?;
                Ok(Value::Text(references.code_of(entity, number).unwrap_or_else(|| make(number))))
            }
            Self::Float => float(value).map(Value::Float),
            Self::Flag => match value {
                Value::Integer(flag @ (0 | 1)) => Ok(Value::Boolean(*flag == 1)),
                _ => Err(format!("{value} is neither 0 nor 1")),
            },
            Self::Words(words) => words.to_new(value).map(Value::text),
            Self::Instant => instant(&text_of(value)?).map(Value::Timestamp),
            Self::Date => {
                let text = text_of(value)?;
                if is_date(&text) && text.as_str() >= "1900" {
                    Ok(Value::Date(text))
                } else {
                    Err(format!("{text:?} is no date like 2026-03-31 from 1900 on"))
                }
            }
            Self::Reference { entity, .. } => {
                let number = integer(value)?;
                let code = references.code_of(entity, number);
                code.map(Value::Text).ok_or_else(|| format!("there is no {entity} with the number {number}"))
            }
        }
    }

    /// A legacy value in the form that people read: texts decoded, everything else as it is.
    ///
    /// # Errors
    /// Why it has no such form.
    pub fn shown(&self, value: &Value) -> Result<Value, String> {
        if value.is_null() {
            return Ok(Value::Null);
        }
        match self {
            Self::Integer | Self::Number | Self::Derived(_) | Self::Flag | Self::Reference { .. } => {
                integer(value).map(Value::Integer)
            }
            Self::Float => float(value).map(Value::Float),
            Self::Words(_) if value.as_integer().is_some() => Ok(value.clone()),
            Self::Code | Self::Text | Self::Words(_) | Self::Instant | Self::Date => {
                text_of(value).map(Value::Text)
            }
        }
    }

    /// The way back from [`Self::shown`].
    ///
    /// # Errors
    /// Why the legacy database cannot keep it.
    pub fn kept(&self, shown: &Value) -> Result<Value, String> {
        match shown {
            Value::Null | Value::Integer(_) => Ok(shown.clone()),
            Value::Float(_) => float(shown).map(Value::Float),
            Value::Text(text) => bytes_of(text),
            _ => Err(format!("{shown} is no value of the legacy side")),
        }
    }

    /// A value in the form that people read, from what they wrote.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let whole = || text.parse().map(Value::Integer).map_err(|_| format!("`{text}` is no whole number"));
        match self {
            Self::Integer | Self::Number | Self::Derived(_) | Self::Reference { .. } | Self::Flag => whole(),
            Self::Float => {
                let number = text.parse().map_err(|_| format!("`{text}` is no number"))?;
                float(&Value::Float(number)).map(Value::Float)
            }
            Self::Words(words) if words.pairs.iter().any(|(word, _)| matches!(word, Word::Integer(_))) => {
                whole()
            }
            Self::Code | Self::Text | Self::Words(_) | Self::Instant | Self::Date => {
                bytes_of(text)?;
                Ok(Value::text(text))
            }
        }
    }

    /// From new to legacy; nothing where the legacy side has no column for it.
    ///
    /// # Errors
    /// Why the value cannot be carried.
    pub fn to_legacy(&self, value: &Value, references: &dyn References) -> Result<Option<Value>, String> {
        if matches!(self, Self::Derived(_)) {
            return Ok(None);
        }
        if value.is_null() {
            return if self.needs_value() {
                Err("the row must have a value here".into())
            } else {
                Ok(Some(Value::Null))
            };
        }
        let carried = match self {
            Self::Derived(_) => Value::Null,
            Self::Code | Self::Text => {
                let text = value.as_text().ok_or_else(|| format!("{value} is no text"))?;
                if text.is_empty() && self.needs_value() {
                    return Err("the text is empty".into());
                }
                bytes_of(text)?
            }
            Self::Integer | Self::Number => Value::Integer(integer(value)?),
            Self::Float => Value::Float(float(value)?),
            Self::Flag => match value {
                Value::Boolean(flag) => Value::Integer(i64::from(*flag)),
                _ => return Err(format!("{value} is no truth value")),
            },
            Self::Words(words) => words.to_legacy(value)?,
            Self::Instant => bytes_of(&local(value)?)?,
            Self::Date => match value {
                Value::Date(text) if is_date(text) && text.as_str() >= "1900" => bytes_of(text)?,
                _ => return Err(format!("{value} is no date from 1900 on")),
            },
            Self::Reference { entity, .. } => {
                let code = value.as_text().ok_or_else(|| format!("{value} is no code"))?;
                let number = references.legacy_id_of(entity, code);
                Value::Integer(number.ok_or_else(|| format!("the {entity} `{code}` has no legacy number"))?)
            }
        };
        Ok(Some(carried))
    }
}

impl Word {
    fn value(self) -> Result<Value, String> {
        match self {
            Self::Text(text) => bytes_of(text),
            Self::Integer(number) => Ok(Value::Integer(number)),
        }
    }

    fn show(self) -> String {
        match self {
            Self::Text(text) => text.into(),
            Self::Integer(number) => number.to_string(),
        }
    }
}

impl Words {
    fn to_new(self, value: &Value) -> Result<&'static str, String> {
        let found = match value {
            Value::Integer(number) => self.pairs.iter().find(|(word, _)| *word == Word::Integer(*number)),
            other => {
                let text = text_of(other)?;
                self.pairs.iter().find(|(word, _)| matches!(word, Word::Text(known) if *known == text))
            }
        };
        found.map(|(_, new)| *new).ok_or_else(|| {
            let known: Vec<String> = self.pairs.iter().map(|(word, _)| word.show()).collect();
            let shown = text_of(value).unwrap_or_else(|_| value.to_string());
            format!("`{shown}` is none of {}", known.join(", "))
        })
    }

    fn to_legacy(self, value: &Value) -> Result<Value, String> {
        let text = value.as_text().ok_or_else(|| format!("{value} is no word"))?;
        let pair = self.pairs.iter().find(|(_, new)| *new == text).map(|(word, _)| *word);
        let word = pair.or_else(|| self.narrowed.iter().find(|(new, _)| *new == text).map(|(_, word)| *word));
        word.ok_or_else(|| format!("the legacy side has no word for `{text}`"))?.value()
    }
}

fn text_of(value: &Value) -> Result<String, String> {
    let Value::Bytes(bytes) = value else {
        return Err(format!("the cell is {}, not Big5 bytes", value.type_name()));
    };
    let text = big5::decode(bytes).map_err(|refused| refused.to_string())?;
    // PostgreSQL has no text with it.
    if text.contains('\0') { Err("the text has a zero byte".into()) } else { Ok(text) }
}

fn bytes_of(text: &str) -> Result<Value, String> {
    if text.contains('\0') {
        return Err("the text has a zero byte".into());
    }
    big5::encode(text).map(Value::Bytes).map_err(|refused| refused.to_string())
}

fn integer(value: &Value) -> Result<i64, String> {
    value.as_integer().ok_or_else(|| format!("{value} is no whole number"))
}

/// Finite, and not negative zero, which SQLite cannot keep.
fn float(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) if number.is_finite() && number.to_bits() != (-0.0_f64).to_bits() => Ok(*number),
        _ => Err(format!("{value} is no number that both sides hold")),
    }
}

fn instant(text: &str) -> Result<String, String> {
    let refused = || format!("{text:?} is no time like 2026-03-31 08:30:00 from {FIRST_YEAR} on");
    let shape = "dddd-dd-dd dd:dd:dd";
    let fits = text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, kind)| if kind == b'd' { byte.is_ascii_digit() } else { byte == kind });
    let local: DateTime = text.parse().ok().filter(|_| fits).ok_or_else(refused)?;
    // A leap second would be read as the second before it.
    if local.year() < FIRST_YEAR || text.ends_with("60") {
        return Err(refused());
    }
    let utc = local.checked_sub(AHEAD).map_err(|_| refused())?;
    Ok(format!("{utc}Z"))
}

/// The legacy text of an instant; fractions of a second are left behind.
fn local(value: &Value) -> Result<String, String> {
    let refused = || format!("{value} is no instant from {FIRST_YEAR} on");
    let Value::Timestamp(text) = value else { return Err(refused()) };
    let utc: DateTime = match text.strip_suffix('Z') {
        Some(body) if is_timestamp(text) => body.parse().map_err(|_| refused())?,
        _ => return Err(refused()),
    };
    let local = utc.checked_add(AHEAD).map_err(|_| refused())?;
    let whole =
        local.checked_sub(i64::from(local.subsec_nanosecond()).nanoseconds()).map_err(|_| refused())?;
    if whole.year() < FIRST_YEAR {
        Err(refused())
    } else {
        Ok(whole.strftime("%Y-%m-%d %H:%M:%S").to_string())
    }
}
