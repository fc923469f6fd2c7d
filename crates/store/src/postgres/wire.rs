//! Values on the wire: parameters of general statements and cells of results.
//!
//! Owns the binary encodings of the types that have a meaning here, in both directions. Cells of tables are
//! read with the same decoding; which expression reads a column is `column`'s.
//!
//! Formats are those of PostgreSQL's `send` functions: numbers big-endian, instants as microseconds and
//! dates as days since 2000-01-01, `numeric` as digits of base 10,000.
//!
//! Invariant: a decoded value is exact, or there is an error that tells what to cast.

use std::error::Error;
use std::fmt::Write as _;

use ::postgres::types::private::BytesMut;
use ::postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};
use plimsoll_core::value::{Value, is_date, is_timestamp};

/// A parameter that does not fit what the statement expects.
#[derive(Debug, thiserror::Error)]
#[error("a value of type {given} cannot be passed as {wanted}: {problem}\nhint: cast it in the SQL")]
pub(super) struct BindError {
    given: &'static str,
    wanted: String,
    problem: String,
}

/// A result type without an exact reading here.
#[derive(Debug, thiserror::Error)]
#[error("a result of type {found} is not read directly\nhint: cast it in the SQL, for example `::text`")]
pub(super) struct DecodeError {
    found: String,
}

type Failure = Box<dyn Error + Sync + Send>;

/// A value as a parameter of a general statement; adapts to the type that the statement expects.
#[derive(Debug)]
pub(super) struct Bound<'value>(pub(super) &'value Value);

impl Bound<'_> {
    fn refuse(&self, wanted: &Type, problem: impl Into<String>) -> Failure {
        let given = self.0.type_name();
        Box::new(BindError { given, wanted: wanted.to_string(), problem: problem.into() })
    }

    fn integer<T: TryFrom<i64> + ToSql>(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        let value = self.0.as_integer().ok_or_else(|| self.refuse(ty, "the types differ"))?;
        let fitted = T::try_from(value).map_err(|_| self.refuse(ty, format!("{value} is out of range")))?;
        fitted.to_sql(ty, out)
    }
}

impl ToSql for Bound<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        if self.0.is_null() {
            return Ok(IsNull::Yes);
        }
        let differ = || self.refuse(ty, "the types differ");
        match *ty {
            Type::INT2 => self.integer::<i16>(ty, out),
            Type::INT4 => self.integer::<i32>(ty, out),
            Type::INT8 => self.integer::<i64>(ty, out),
            Type::FLOAT8 => match self.0 {
                Value::Float(value) => value.to_sql(ty, out),
                _ => Err(differ()),
            },
            Type::FLOAT4 => match self.0 {
                Value::Float(value) if f64::from(*value as f32).to_bits() == value.to_bits() => {
                    (*value as f32).to_sql(ty, out)
                }
                Value::Float(_) => Err(self.refuse(ty, "it would be rounded")),
                _ => Err(differ()),
            },
            Type::BOOL => match self.0 {
                Value::Boolean(value) => value.to_sql(ty, out),
                _ => Err(differ()),
            },
            Type::BYTEA => match self.0 {
                Value::Bytes(bytes) => bytes.to_sql(ty, out),
                _ => Err(differ()),
            },
            // Everything else goes as text, which the type's own input function reads.
            _ => match self.0 {
                Value::Integer(value) if *ty == Type::NUMERIC => {
                    out.extend_from_slice(value.to_string().as_bytes());
                    Ok(IsNull::No)
                }
                value => {
                    let text = value.as_text().ok_or_else(differ)?;
                    if text.contains('\0') {
                        return Err(self.refuse(ty, "PostgreSQL stores no NUL character in text"));
                    }
                    out.extend_from_slice(text.as_bytes());
                    Ok(IsNull::No)
                }
            },
        }
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        let binary =
            [Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::BOOL, Type::BYTEA];
        if binary.contains(ty) { Format::Binary } else { Format::Text }
    }

    to_sql_checked!();
}

/// A cell of a result.
pub(super) struct Cell(pub(super) Value);

impl<'raw> FromSql<'raw> for Cell {
    fn from_sql(ty: &Type, raw: &'raw [u8]) -> Result<Self, Failure> {
        let text = || Ok::<_, Failure>(std::str::from_utf8(raw)?.to_owned());
        Ok(Self(match *ty {
            Type::INT2 => Value::Integer(i64::from(i16::from_sql(ty, raw)?)),
            Type::INT4 => Value::Integer(i64::from(i32::from_sql(ty, raw)?)),
            Type::INT8 => Value::Integer(i64::from_sql(ty, raw)?),
            Type::FLOAT4 => Value::Float(f64::from(f32::from_sql(ty, raw)?)),
            Type::FLOAT8 => Value::Float(f64::from_sql(ty, raw)?),
            Type::BOOL => Value::Boolean(bool::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => Value::Text(text()?),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            Type::NUMERIC => decimal(raw)?,
            Type::TIMESTAMPTZ => instant(i64::from_sql(&Type::INT8, raw)?),
            Type::TIMESTAMP => Value::Text(clock_text(i64::from_sql(&Type::INT8, raw)?)),
            Type::DATE => date(i32::from_sql(&Type::INT4, raw)?),
            Type::JSON => Value::Json(text()?),
            Type::JSONB => match raw.split_first() {
                Some((1, body)) => Value::Json(std::str::from_utf8(body)?.to_owned()),
                _ => return Err(Box::new(DecodeError { found: "jsonb of another version".into() })),
            },
            Type::UUID => Value::Text(uuid(raw)),
            _ => return Err(Box::new(DecodeError { found: ty.to_string() })),
        }))
    }

    fn from_sql_null(_ty: &Type) -> Result<Self, Failure> {
        Ok(Self(Value::Null))
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }
}

/// True when [`Cell`] reads this type exactly as it stands.
pub(super) fn is_read_directly(declared: &str) -> bool {
    matches!(
        declared,
        "boolean"
            | "smallint"
            | "integer"
            | "bigint"
            | "real"
            | "double precision"
            | "numeric"
            | "bytea"
            | "timestamp with time zone"
            | "timestamp without time zone"
            | "date"
            | "json"
            | "jsonb"
            | "uuid"
            | "text"
            | "character varying"
            | "bpchar"
            | "name"
    )
}

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// An instant; in the canonical text where that can say it.
fn instant(micros: i64) -> Value {
    if let Some(infinite) = infinity(micros == i64::MAX, micros == i64::MIN) {
        return Value::Timestamp(infinite.to_owned());
    }
    let stored = clock_text(micros);
    let canonical = stored.replacen(' ', "T", 1) + "Z";
    if is_timestamp(&canonical) {
        return Value::Timestamp(canonical);
    }
    // Before year 1 or after year 9999: as PostgreSQL prints it.
    Value::Text(match stored.strip_suffix(" BC") {
        Some(body) => format!("{body}+00 BC"),
        None => format!("{stored}+00"),
    })
}

/// `YYYY-MM-DD HH:MM:SS[.ffffff][ BC]`, as PostgreSQL prints a timestamp without zone.
fn clock_text(micros: i64) -> String {
    if let Some(infinite) = infinity(micros == i64::MAX, micros == i64::MIN) {
        return infinite.to_owned();
    }
    let (day, clock) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
    let (date, before_christ) = date_text(day);
    let (seconds, fraction) = (clock / SECOND, clock % SECOND);
    let mut text = format!("{date} {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        let digits = format!("{fraction:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    if before_christ {
        text.push_str(" BC");
    }
    text
}

fn date(days: i32) -> Value {
    if let Some(infinite) = infinity(days == i32::MAX, days == i32::MIN) {
        return Value::Text(infinite.to_owned());
    }
    let (text, before_christ) = date_text(i64::from(days));
    if before_christ {
        return Value::Text(text + " BC");
    }
    if is_date(&text) { Value::Date(text) } else { Value::Text(text) }
}

fn infinity(positive: bool, negative: bool) -> Option<&'static str> {
    match (positive, negative) {
        (true, _) => Some("infinity"),
        (_, true) => Some("-infinity"),
        _ => None,
    }
}

/// The calendar date of a day counted from 2000-01-01, and whether its year is before year 1.
///
/// The Gregorian calendar repeats every 146,097 days; counting years from March puts the leap day last.
fn date_text(day: i64) -> (String, bool) {
    const DAYS_TO_2000_MARCH: i64 = 60;
    let day = day - DAYS_TO_2000_MARCH;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = 2000 + era * 400 + year_of_era + i64::from(month <= 2);
    let before_christ = year <= 0;
    let shown = if before_christ { 1 - year } else { year };
    (format!("{shown:04}-{month:02}-{of_month:02}"), before_christ)
}

fn decimal(raw: &[u8]) -> Result<Value, Failure> {
    let unreadable = || Box::new(DecodeError { found: "numeric of unknown form".into() });
    let words: Vec<u16> = raw.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
    let [count, weight, sign, scale, digits @ ..] = words.as_slice() else { return Err(unreadable()) };
    if digits.len() != usize::from(*count) || !raw.len().is_multiple_of(2) {
        return Err(unreadable());
    }
    let mut text = String::new();
    match sign {
        0x0000 => {}
        0x4000 => text.push('-'),
        // Not numbers, so not decimals: text, which a write casts back.
        0xC000 => return Ok(Value::Text("NaN".into())),
        0xD000 => return Ok(Value::Text("Infinity".into())),
        0xF000 => return Ok(Value::Text("-Infinity".into())),
        _ => return Err(unreadable()),
    }
    let weight = i64::from(weight.cast_signed());
    let digit = |at: i64| usize::try_from(at).ok().and_then(|at| digits.get(at)).copied().unwrap_or(0);
    if weight < 0 {
        text.push('0');
    }
    for at in 0..=weight {
        // Writing to a String cannot fail.
        let _ = if at == 0 { write!(text, "{}", digit(at)) } else { write!(text, "{:04}", digit(at)) };
    }
    let scale = usize::from(*scale);
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut at = weight + 1;
        while text.len() < end {
            let _ = write!(text, "{:04}", digit(at));
            at += 1;
        }
        text.truncate(end);
    }
    Ok(Value::Decimal(text))
}

fn uuid(raw: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in raw.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
