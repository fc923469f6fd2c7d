//! Aliases: what a system does and knows, in the words of its own domain, as routes of HTTP.
//!
//! Owns the declarations - a view of a store that a function answers, a field of a request, a route - and the two ways to
//! serve one: asking a view in one snapshot, and reading what a caller sent into the request of a change. Whoever serves
//! them (the server, the command, a description of the API) takes them from here; what they mean is the system's.
//!
//! Invariants: a view only reads, and sees one moment; what a route takes is what its view or change declares, and
//! anything else is refused by name.

use plimsoll_core::change::Change;
use plimsoll_store::Access;
use serde_json::{Map, Value as Json};

use crate::error::EngineError;
use crate::session::Session;

/// What kind of value a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A text.
    Text,
    /// A whole number.
    Number,
    /// True or false.
    Truth,
    /// A list of texts, or one text with commas.
    Texts,
    /// A day, such as 2026-11-29.
    Day,
    /// A moment, or a day.
    Moment,
}

impl FieldKind {
    /// What a person is told to send.
    pub const fn wanted(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Number => "a whole number",
            Self::Truth => "true or false",
            Self::Texts => "a list of texts",
            Self::Day => "a day such as 2026-11-29",
            Self::Moment => "a day or a moment such as 2026-11-29T12:00:00Z",
        }
    }

    fn takes(self, value: &Json) -> bool {
        let text = value.as_str();
        match self {
            Self::Text => text.is_some() || value.is_number(),
            Self::Number => value.is_i64() || text.is_some_and(|text| text.trim().parse::<i64>().is_ok()),
            Self::Truth => value.is_boolean() || matches!(text, Some("true" | "false" | "yes" | "no")),
            Self::Texts => {
                text.is_some() || value.as_array().is_some_and(|list| list.iter().all(Json::is_string))
            }
            Self::Day => text.is_some_and(plimsoll_core::value::is_date),
            Self::Moment => text.is_some_and(|text| {
                plimsoll_core::value::is_date(text)
                    || plimsoll_core::value::is_timestamp(&plimsoll_core::value::canonical_timestamp(text))
            }),
        }
    }
}

/// One field of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its name: in the path, the query, the body and on the command line.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// True when a request without it is refused.
    pub required: bool,
    /// What it says, for people.
    pub help: &'static str,
}

impl Field {
    /// A field that must be there.
    pub const fn needed(name: &'static str, kind: FieldKind, help: &'static str) -> Self {
        Self { name, kind, required: true, help }
    }

    /// A field that may be left out.
    pub const fn optional(name: &'static str, kind: FieldKind, help: &'static str) -> Self {
        Self { name, kind, required: false, help }
    }
}

/// What was asked, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Asked {
    fields: Map<String, Json>,
}

impl Asked {
    /// What a caller sent, looked over: every field is declared, is of its kind, and those that must be there are.
    ///
    /// # Errors
    /// Every fault, as pairs of the field and what is wrong.
    pub fn read(fields: Map<String, Json>, declared: &[Field]) -> Result<Self, Vec<(String, String)>> {
        let mut wrong = Vec::new();
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            match declared.iter().find(|field| field.name == name) {
                None => wrong.push((name.clone(), format!("there is no field `{name}` here"))),
                Some(field) if !field.kind.takes(value) => {
                    wrong.push((name.clone(), format!("`{name}` is {value}; it is {}", field.kind.wanted())));
                }
                Some(_) => {}
            }
        }
        let absent = |name: &str| match fields.get(name) {
            None | Some(Json::Null) => true,
            Some(Json::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        for field in declared.iter().filter(|field| field.required && absent(field.name)) {
            wrong.push((field.name.to_owned(), format!("the field `{}` is missing", field.name)));
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let fields = fields.into_iter().filter(|(_, value)| !value.is_null()).collect();
        Ok(Self { fields })
    }

    /// The fields.
    pub fn fields(&self) -> &Map<String, Json> {
        &self.fields
    }

    /// The fields, handed over.
    pub fn into_fields(self) -> Map<String, Json> {
        self.fields
    }

    /// The text of a field; none when it is absent or blank.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Json::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// Whether a field says yes.
    pub fn truth(&self, name: &str) -> bool {
        self.fields.get(name) == Some(&Json::Bool(true))
            || matches!(self.text(name).as_deref(), Some("true" | "yes"))
    }
}

/// What a view answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered {
    /// A document.
    Json(Json),
    /// A file.
    File {
        /// Its media type, such as `text/csv; charset=utf-8`.
        kind: &'static str,
        /// What to call it.
        name: String,
        /// Its content.
        body: String,
    },
    /// What was asked for is not there.
    Missing(String),
}

/// A view of a store of rows, answered by a function that only reads.
#[derive(Debug)]
pub struct StoreView {
    /// Its name, such as `incomplete`.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// What it takes.
    pub fields: &'static [Field],
    /// Answers.
    pub answer: fn(&mut Session, &Asked) -> Result<Answered, EngineError>,
}

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Looks.
    Get,
    /// Does something.
    Post,
    /// Keeps something as it is said.
    Put,
}

impl Method {
    /// As HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Does {
    /// Answers a view. It needs the scope `read`.
    View(&'static StoreView),
    /// Performs a change. It needs the scope `operate`; who may is besides the system's to say.
    Change {
        /// The change's name.
        change: &'static str,
        /// What the answer tells of the rows that were written.
        tells: fn(&[Change]) -> Map<String, Json>,
    },
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// How it is asked.
    pub method: Method,
    /// Its path below `/api/v1`, such as `/gauge-sets/{set}/replace`; the names in braces are fields.
    pub path: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What it does.
    pub does: Does,
}

/// Where a field of a route stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the body of JSON.
    Body,
}

impl Alias {
    /// The names in the path's braces.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// Every field with its place, for descriptions of the API. A change also takes `reason` and `dry_run`.
    ///
    /// # Errors
    /// Usage, when the system has no such change.
    pub fn fields(&self, system: &crate::system::System) -> Result<Vec<(Field, Placed)>, EngineError> {
        let (declared, elsewhere) = match self.does {
            Does::View(view) => (view.fields.to_vec(), Placed::Query),
            Does::Change { change, .. } => (system.change(change)?.fields(), Placed::Body),
        };
        let mut placed: Vec<(Field, Placed)> = declared
            .into_iter()
            .map(|field| {
                let in_path = self.path_fields().any(|name| name == field.name);
                // What the path names is always there.
                let field = Field { required: field.required || in_path, ..field };
                (field, if in_path { Placed::Path } else { elsewhere })
            })
            .collect();
        if let Does::Change { .. } = self.does {
            placed.push((REASON, Placed::Body));
            placed.push((DRY_RUN, Placed::Body));
        }
        Ok(placed)
    }
}

/// Why a change is asked for.
pub const REASON: Field = Field::needed("reason", FieldKind::Text, "Why, for the history");

/// Whether everything is to be tried and taken back.
pub const DRY_RUN: Field =
    Field::optional("dry_run", FieldKind::Truth, "Try it with all its rules and write nothing");

/// Asks a view, in one snapshot of the store.
///
/// # Errors
/// What the view says, or the store.
pub fn ask(session: &mut Session, view: &StoreView, asked: &Asked) -> Result<Answered, EngineError> {
    session.store.begin(Access::ReadOnly)?;
    let answer = (view.answer)(session, asked);
    // Nothing was written, so nothing is lost when this fails with the connection.
    drop(session.store.rollback());
    answer
}

/// One reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The rule, where the system names one.
    pub rule: Option<String>,
    /// What does not fit.
    pub text: String,
}

/// The reasons of a refusal that names each as `text [rule]`, one behind the other.
pub fn reasons(refusal: &str) -> Vec<Reason> {
    let mut all = Vec::new();
    let mut rest = refusal;
    while !rest.is_empty() {
        let (one, next) = match rest.find("]; ") {
            Some(at) => (&rest[..=at], &rest[at + 3..]),
            None => (rest, ""),
        };
        rest = next;
        let named = one.strip_suffix(']').and_then(|one| one.rsplit_once(" ["));
        let reason = match named {
            Some((text, rule)) if !rule.contains(' ') => {
                Reason { rule: Some(rule.to_owned()), text: text.to_owned() }
            }
            _ => Reason { rule: None, text: one.to_owned() },
        };
        all.push(reason);
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::needed("set", FieldKind::Text, "the set"),
        Field::optional("days", FieldKind::Number, "how long"),
        Field::optional("sealed", FieldKind::Truth, "sealed"),
        Field::optional("on", FieldKind::Day, "when"),
    ];

    fn read(fields: Json) -> Result<Asked, Vec<(String, String)>> {
        Asked::read(fields.as_object().cloned().unwrap(), FIELDS)
    }

    #[test]
    fn every_fault_of_a_request_is_named() {
        let asked = read(json!({"set": " SP1 ", "days": "12", "sealed": true, "on": null})).unwrap();
        assert_eq!((asked.text("set").as_deref(), asked.number("days")), (Some("SP1"), Some(12)));
        assert!(asked.truth("sealed") && asked.fields().get("on").is_none());
        let wrong = read(json!({"days": "many", "sealed": 3, "on": "soon", "colour": "red"})).unwrap_err();
        let named: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(named, ["colour", "days", "on", "sealed", "set"]);
        assert!(read(json!({"set": "  "})).is_err(), "blank is absent");
    }

    #[test]
    fn a_refusal_is_taken_apart_into_its_reasons() {
        let two = reasons("size differs: a; b [pair.size]; T-1 is out [status]");
        assert_eq!(two.len(), 2);
        assert_eq!((two[0].text.as_str(), two[0].rule.as_deref()), ("size differs: a; b", Some("pair.size")));
        assert_eq!(two[1].rule.as_deref(), Some("status"));
        assert_eq!(reasons("a key occurs twice"), [Reason { rule: None, text: "a key occurs twice".into() }]);
    }

    #[test]
    fn a_route_says_where_each_field_stands() {
        fn none(_: &mut Session, _: &Asked) -> Result<Answered, EngineError> {
            Ok(Answered::Json(Json::Null))
        }
        static VIEW: StoreView = StoreView { name: "one", title: "one", fields: FIELDS, answer: none };
        let alias =
            Alias { method: Method::Get, path: "/sets/{set}", summary: "one", does: Does::View(&VIEW) };
        let fields = alias.fields(&crate::system::System::EMPTY).unwrap();
        assert_eq!((fields[0].0.name, fields[0].1), ("set", Placed::Path));
        assert_eq!((fields[1].0.name, fields[1].1), ("days", Placed::Query));
    }
}
