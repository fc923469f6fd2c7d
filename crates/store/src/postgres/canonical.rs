//! Canonical values: what a read returns after a write.
//!
//! Owns answering that question without a round trip where the type's rules are simple, and otherwise by
//! asking the server once for each distinct text. The server is asked over a connection of its own: a
//! question that fails (a text that is no value of the type) must not end the caller's transaction.
//!
//! Invariant: a value that the column cannot take comes back unchanged; the write then says why.

use std::cell::RefCell;
use std::collections::HashMap;

use ::postgres::Client;
use plimsoll_core::table::{Column, ColumnType};
use plimsoll_core::value::{Value, is_date, is_timestamp};

use super::column::{Carried, Treatment, base_type, carried, is_plain_uuid, modifiers};
use super::connect::Address;
use super::jsonb;
use super::wire::Cell;

/// How many answers are remembered.
const REMEMBERED: usize = 10_000;

/// The texts longer than this are asked again instead of remembered.
const LONGEST_REMEMBERED: usize = 4_096;

/// Answers what a read returns after a write.
pub(super) struct Oracle {
    address: Address,
    client: RefCell<Option<Client>>,
    /// By declared type and text; `None` when the type does not take the text.
    answers: RefCell<HashMap<(String, String), Option<Value>>>,
}

impl Oracle {
    /// An oracle for the database at `address`; connects only when it has to.
    pub(super) fn new(address: Address) -> Self {
        Self { address, client: RefCell::new(None), answers: RefCell::new(HashMap::new()) }
    }

    /// Forgets the answers, after types may have changed.
    pub(super) fn forget(&self) {
        self.answers.borrow_mut().clear();
    }

    /// What a read of `column` returns once `value` was written.
    pub(super) fn canonical(&self, column: &Column, value: Value) -> Value {
        match carried(column, &value) {
            Ok(given) => self.stored(column, &given).unwrap_or(value),
            Err(_) => value,
        }
    }

    /// What a read returns once a carried value was written; `None` when the column does not take it.
    pub(super) fn stored(&self, column: &Column, given: &Carried<'_>) -> Option<Value> {
        match given {
            Carried::Null => Some(Value::Null),
            Carried::Boolean(value) => Some(Value::Boolean(*value)),
            Carried::Bytes(bytes) => Some(Value::Bytes(bytes.to_vec())),
            Carried::Integer(value) => {
                let fits = match column.declared.as_str() {
                    "smallint" => i16::try_from(*value).is_ok(),
                    "integer" => i32::try_from(*value).is_ok(),
                    _ => true,
                };
                fits.then_some(Value::Integer(*value))
            }
            Carried::Float(value) if column.declared == "real" => {
                let narrow = *value as f32;
                // The server refuses what would overflow to infinity or underflow to zero.
                let fits =
                    (narrow.is_infinite() == value.is_infinite()) && ((narrow == 0.0) == (*value == 0.0));
                fits.then_some(Value::Float(f64::from(narrow)))
            }
            Carried::Float(value) => Some(Value::Float(*value)),
            Carried::Text(text) => match known(column, text) {
                Known::Value(value) => Some(value),
                Known::Refused => None,
                Known::AskServer => self.ask(column, text),
            },
        }
    }

    fn ask(&self, column: &Column, text: &str) -> Option<Value> {
        let name = (column.declared.clone(), text.to_owned());
        if let Some(answer) = self.answers.borrow().get(&name) {
            return answer.clone();
        }
        let treatment = Treatment::of(column, false);
        // First without length or scale, as a write casts it, then with them, as an assignment applies them.
        let cast = format!("($1::text::{})::{}", base_type(&column.declared), column.declared);
        let sql = format!("SELECT {}", treatment.reading_of(&cast));
        let answer = self.query(&sql, text)?;
        let mut answers = self.answers.borrow_mut();
        if answers.len() >= REMEMBERED {
            answers.clear();
        }
        if text.len() <= LONGEST_REMEMBERED {
            answers.insert(name, answer.clone());
        }
        answer
    }

    /// The outer `None`: the server cannot be asked. The inner one: it refuses the text.
    fn query(&self, sql: &str, text: &str) -> Option<Option<Value>> {
        let mut slot = self.client.borrow_mut();
        if slot.as_ref().is_none_or(Client::is_closed) {
            match self.address.connect() {
                Ok(client) => *slot = Some(client),
                Err(error) => {
                    tracing::warn!("values cannot be brought into the server's form: {error}");
                    return None;
                }
            }
        }
        let client = slot.as_mut()?;
        match client.query_one(sql, &[&text]) {
            Ok(row) => Some(row.try_get::<_, Cell>(0).ok().map(|cell| cell.0)),
            Err(error) if error.as_db_error().is_some() => Some(None),
            Err(_) => None,
        }
    }
}

/// What is known without asking.
enum Known {
    Value(Value),
    Refused,
    AskServer,
}

fn known(column: &Column, text: &str) -> Known {
    let base = base_type(&column.declared);
    let numbers = modifiers(&column.declared);
    let value_or_ask = |value: Option<Value>| value.map_or(Known::AskServer, Known::Value);
    match base.as_str() {
        "text" => Known::Value(Value::text(text)),
        "character varying" | "bpchar" => sized_text(text, numbers.first().copied(), base == "bpchar"),
        "numeric" => value_or_ask(scaled_decimal(text, &numbers).map(Value::Decimal)),
        "timestamp with time zone" => {
            let plain = is_timestamp(text) && !text.starts_with("0000") && numbers.is_empty();
            value_or_ask(plain.then(|| Value::Timestamp(text.to_owned())))
        }
        "timestamp without time zone" => {
            let canonical =
                if text.ends_with('Z') { text.to_owned() } else { text.replacen(' ', "T", 1) + "Z" };
            let plain = is_timestamp(&canonical) && !canonical.starts_with("0000") && numbers.is_empty();
            let stored = || canonical.replacen('T', " ", 1).trim_end_matches('Z').to_owned();
            value_or_ask(plain.then(|| Value::Text(stored())))
        }
        "date" => {
            let plain = is_date(text) && !text.starts_with("0000");
            value_or_ask(plain.then(|| Value::Date(text.to_owned())))
        }
        "json" => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            // `json` keeps the text as it is. What our parser refuses the server may still take.
            Ok(_) => Known::Value(Value::Json(text.to_owned())),
            Err(_) => Known::AskServer,
        },
        "jsonb" => value_or_ask(jsonb::normal_form(text).map(Value::Json)),
        "uuid" => value_or_ask(is_plain_uuid(text).then(|| Value::Text(text.to_ascii_lowercase()))),
        _ if column.column_type == ColumnType::Text => Known::AskServer,
        _ => Known::AskServer,
    }
}

/// Text in a column with a length: spaces beyond it are cut, anything else is refused; `char(n)` is padded.
fn sized_text(text: &str, length: Option<i64>, padded: bool) -> Known {
    let Some(length) = length.and_then(|length| usize::try_from(length).ok()) else {
        return Known::Value(Value::text(text));
    };
    let count = text.chars().count();
    if count <= length {
        let padding = if padded { length - count } else { 0 };
        return Known::Value(Value::Text(format!("{text}{}", " ".repeat(padding))));
    }
    let kept: String = text.chars().take(length).collect();
    if text[kept.len()..].chars().all(|character| character == ' ') {
        Known::Value(Value::Text(kept))
    } else {
        Known::Refused
    }
}

/// A decimal in a `numeric(precision, scale)`; `None` when it must be rounded or is out of the ordinary.
fn scaled_decimal(text: &str, numbers: &[i64]) -> Option<String> {
    let plain = plain_decimal(text)?;
    let [precision, scale] = numbers else { return Some(plain).filter(|_| numbers.is_empty()) };
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = whole.trim_start_matches('-').trim_start_matches('0').len() as i64;
    let missing = usize::try_from(scale - fraction.len() as i64).ok()?;
    if digits > precision - scale {
        return None;
    }
    let point = if *scale > 0 && fraction.is_empty() { "." } else { "" };
    Some(format!("{plain}{point}{}", "0".repeat(missing)))
}

/// A plain decimal as `numeric` prints it: no leading zeros, no negative zero, the scale as given.
pub(super) fn plain_decimal(text: &str) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !fraction.is_none_or(|part| !part.is_empty() && all_digits(part)) {
        return None;
    }
    if (whole.is_empty() && fraction.is_none()) || text.len() > 1_000 {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let zero = whole.is_empty() && fraction.is_none_or(|part| part.bytes().all(|byte| byte == b'0'));
    let sign = if zero { "" } else { sign };
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    })
}
