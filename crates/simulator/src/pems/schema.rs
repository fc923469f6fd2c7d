//! The fields as they look on the wire, and how that drifts.
//!
//! Owns the names that clients see and their way to the stored names. It deliberately changes no row: what a
//! drift removes is hidden, and comes back when the drift is taken back.

use serde_json::{Map, Value, json};

use super::model::{FIELDS, FieldKind, Fields, Row, stamp};
use super::refusal::Refusal;
use super::rules::form_problem;

/// A change of the schema that nobody announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// A field goes by another name.
    Rename {
        /// The name now.
        field: String,
        /// The name from now on.
        to: String,
    },
    /// A field of kind text comes in; rows have null in it until somebody writes.
    Add {
        /// Its name.
        field: String,
    },
    /// A field is no longer served, and refused when it is written.
    Remove {
        /// Its name.
        field: String,
    },
    /// Every drift so far is taken back.
    Restore,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SchemaField {
    name: String,
    stored: String,
    kind: FieldKind,
    required: bool,
    writable: bool,
}

/// The fields as clients see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Schema {
    fields: Vec<SchemaField>,
}

impl Schema {
    /// The schema before any drift.
    pub(crate) fn original() -> Self {
        let field = |spec: &super::model::FieldSpec| SchemaField {
            name: spec.name.to_owned(),
            stored: spec.name.to_owned(),
            kind: spec.kind,
            required: spec.required,
            writable: spec.writable,
        };
        Self { fields: FIELDS.iter().map(field).collect() }
    }

    /// `{"fields": [{"name", "type", "required"}]}`.
    pub(crate) fn describe(&self) -> Value {
        let describe = |field: &SchemaField| json!({ "name": field.name, "type": field.kind.name(), "required": field.required });
        json!({ "fields": self.fields.iter().map(describe).collect::<Vec<_>>() })
    }

    /// A row as it is served.
    pub(crate) fn render(&self, row: &Row) -> Value {
        let mut served = Map::new();
        for field in &self.fields {
            let value = match field.stored.as_str() {
                "pfs_id" => json!(row.id),
                "pfs_organization" => json!(row.organization),
                "pfs_lastmodified" => json!(stamp(row.modified)),
                "version" => json!(row.version),
                stored => row.fields.get(stored).cloned().unwrap_or_default(),
            };
            served.insert(field.name.clone(), value);
        }
        Value::Object(served)
    }

    /// The values that a client sent, under their stored names.
    pub(crate) fn accept(&self, sent: &Map<String, Value>) -> Result<Fields, Refusal> {
        let mut accepted = Fields::new();
        let mut problems = Vec::new();
        for (name, value) in sent {
            let problem = match self.fields.iter().find(|field| field.name == *name) {
                None => Some("is no field of the schema".to_owned()),
                Some(field) if !field.writable => Some("is stated by the system".to_owned()),
                Some(field) => {
                    accepted.insert(field.stored.clone(), value.clone());
                    form_problem(field.kind, value)
                }
            };
            problems.extend(problem.map(|problem| (name.clone(), problem)));
        }
        if problems.is_empty() { Ok(accepted) } else { Err(Refusal::validation(&problems)) }
    }

    /// The fields that a new row must be given and `sent` (by stored name) lacks, by wire name.
    pub(crate) fn lacking(&self, sent: &Fields) -> Vec<String> {
        let wanted = self.fields.iter().filter(|field| field.writable && field.required);
        wanted.filter(|field| !sent.contains_key(&field.stored)).map(|field| field.name.clone()).collect()
    }

    /// What a stored name is called now; the stored name itself when it is hidden.
    pub(crate) fn wire_name(&self, stored: &str) -> String {
        let field = self.fields.iter().find(|field| field.stored == stored);
        field.map_or(stored, |field| field.name.as_str()).to_owned()
    }

    /// True before any drift.
    pub(crate) fn is_original(&self) -> bool {
        *self == Self::original()
    }

    /// Drifts.
    pub(crate) fn drift(&mut self, drift: &Drift) -> Result<(), Refusal> {
        let unknown = |name: &str| Refusal::malformed(format!("the schema has no field `{name}`"));
        let place = |name: &str| self.fields.iter().position(|field| field.name == name);
        match drift {
            Drift::Rename { field, to } => {
                let at = place(field).ok_or_else(|| unknown(field))?;
                self.must_be_free(to)?;
                self.fields[at].name.clone_from(to);
            }
            Drift::Add { field } => {
                self.must_be_free(field)?;
                self.fields.push(SchemaField {
                    name: field.clone(),
                    stored: field.clone(),
                    kind: FieldKind::Text,
                    required: false,
                    writable: true,
                });
            }
            Drift::Remove { field } => {
                let at = place(field).ok_or_else(|| unknown(field))?;
                self.fields.remove(at);
            }
            Drift::Restore => *self = Self::original(),
        }
        Ok(())
    }

    /// A name is taken when it is served, and also when it is stored: two fields would share one value.
    fn must_be_free(&self, name: &str) -> Result<(), Refusal> {
        let served = self.fields.iter().any(|field| field.name == name || field.stored == name);
        if name.is_empty() || served || FIELDS.iter().any(|spec| spec.name == name) {
            return Err(Refusal::malformed(format!("`{name}` is no free name for a field")));
        }
        Ok(())
    }
}
