//! What failed.
//!
//! Owns the rows of `errors`: a tool that reports an error, a command that ended with another exit code than 0, a
//! message that was cut short, a request that was tried again. What kind of failure it is, is decided by the error
//! taxonomy.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::fields::Fields;
use super::json::{Json, Kind};
use super::leftovers::{Leftovers, write_string};
use crate::error::{self, Classified, FailureSource};
use crate::table::focused::ERRORS;

/// Characters of what was said that are kept in `error_data`, and of a command's output.
const TEXT_CHARACTERS: usize = 2000;

/// An error as OpenCode stores it: a name, and data that depend on it.
#[derive(Debug)]
pub(super) struct WriterError<'a> {
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) data: Option<Json<'a>>,
}

impl<'a> WriterError<'a> {
    /// What an error is: `{name, data}`, or of another shape, which is then the data.
    pub(super) fn of(error: Json<'a>) -> Self {
        match (error.text_of("name"), error.get("data")) {
            (Some(name), Some(data)) => Self { name: Some(name), data: Some(data) },
            (name, _) => {
                let name = name.or_else(|| error.text_of("type")).or_else(|| error.text_of("_tag"));
                Self { name, data: Some(error) }
            }
        }
    }

    /// Takes the field `error`.
    pub(super) fn take(fields: &mut Fields<'a>, left: &mut Leftovers<'a>) -> Option<Self> {
        let error = fields.whole().get("error").filter(|error| !error.is_null())?;
        let taken = Self::of(error);
        if taken.data.is_some_and(|data| data.raw().len() == error.raw().len()) {
            fields.json("error");
        } else if let Some(mut inside) = fields.object("error") {
            inside.text("name");
            inside.json("data");
            left.add(inside);
        }
        Some(taken)
    }

    /// The failure that it tells of.
    pub(super) fn failure(&self) -> Failure<'_> {
        Failure::of_writer(self.name.as_deref(), self.data)
    }
}

/// Where a failure was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// A tool reported it.
    #[default]
    Tool,
    /// A command ended with another exit code than 0, or was stopped.
    Command,
    /// A message was cut short.
    Message,
    /// A request was made again.
    Retry,
}

impl Origin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Command => "command",
            Self::Message => "message",
            Self::Retry => "retry",
        }
    }
}

/// A failure to be stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure<'a> {
    pub(super) id: &'a str,
    pub(super) origin: Origin,
    pub(super) part_id: Option<&'a str>,
    pub(super) message_id: Option<&'a str>,
    pub(super) session_id: Option<&'a str>,
    pub(super) tool: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) code: Option<i64>,
    pub(super) text: Cow<'a, str>,
    pub(super) retryable: Option<bool>,
    /// The writer's own details.
    pub(super) stored: Option<Json<'a>>,
    pub(super) created: Option<i64>,
    pub(super) document_id: Option<&'a str>,
}

impl<'a> Failure<'a> {
    /// What the error of a message or of a retry tells.
    pub(super) fn of_writer(name: Option<&'a str>, data: Option<Json<'a>>) -> Self {
        let text = data.and_then(|data| {
            data.text()
                .or_else(|| data.text_of("message"))
                .or_else(|| (data.kind() != Kind::Object).then(|| data.raw().into()))
        });
        Self {
            name,
            code: data.and_then(|data| data.integer_of("statusCode")),
            text: text.unwrap_or_default(),
            retryable: data.and_then(|data| match data.get("isRetryable")?.kind() {
                Kind::True => Some(true),
                Kind::False => Some(false),
                _ => None,
            }),
            stored: data,
            ..Self::default()
        }
    }
}

/// What the taxonomy says of a failure.
fn classify(failure: &Failure<'_>) -> Classified {
    error::classify(&error::Failure {
        source: match failure.origin {
            Origin::Tool => FailureSource::ToolError,
            Origin::Command => FailureSource::BashExit,
            Origin::Message | Origin::Retry => FailureSource::MessageError,
        },
        tool: failure.tool.unwrap_or_default(),
        name: failure.name.unwrap_or_default(),
        text: &failure.text,
        exit: failure.code.filter(|_| matches!(failure.origin, Origin::Tool | Origin::Command)),
        status_code: failure.code.filter(|_| matches!(failure.origin, Origin::Message | Origin::Retry)),
    })
}

/// Adds the failure to `errors`.
pub(super) fn store(failure: &Failure<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let class = classify(failure);
    // The output of a command is kept with the call; its end says what went wrong.
    let text = match failure.origin {
        Origin::Command => ending(&failure.text, TEXT_CHARACTERS),
        _ => &failure.text,
    };
    let details = details(failure, text, class.category.name());
    push_row!(rows, ERRORS, {
        id: failure.id,
        origin: failure.origin.as_str(),
        part_id: failure.part_id,
        message_id: failure.message_id,
        session_id: failure.session_id,
        tool_name: failure.tool,
        error_name: failure.name,
        error_data: details.as_str(),
        text: (!text.is_empty()).then_some(text),
        category: class.category.name(),
        severity: class.severity.name(),
        retryable: failure.retryable.unwrap_or(class.retryable),
        rule: class.rule,
        time_created: failure.created,
        document_id: failure.document_id,
    })
}

/// The column `error_data`.
fn details(failure: &Failure<'_>, said: &str, category: &str) -> String {
    let mut text = String::from("{\"type\":");
    write_string(category, &mut text);
    if let Some(code) = failure.code {
        text.push_str(&format!(",\"code\":{code}"));
    }
    text.push_str(",\"text\":");
    write_string(beginning(said, TEXT_CHARACTERS), &mut text);
    if let Some(stored) = failure.stored {
        text.push_str(",\"stored\":");
        text.push_str(stored.raw());
    }
    text.push('}');
    text
}

/// The first characters of a text.
pub(super) fn beginning(text: &str, characters: usize) -> &str {
    text.char_indices().nth(characters).map_or(text, |(end, _)| &text[..end])
}

/// The last characters of a text.
pub(super) fn ending(text: &str, characters: usize) -> &str {
    characters
        .checked_sub(1)
        .and_then(|last| text.char_indices().nth_back(last))
        .map_or(text, |(start, _)| &text[start..])
}
