//! A corpus as a hearings database of the earlier schema: its tables, rows, and the SQL that makes them.
//!
//! Owns the way back from meetings to rows: what a database would hold that had taken every meeting of the
//! corpus. It deliberately opens no database; the caller runs the statements through the store.
//!
//! Invariants:
//! - Reading the rows back with [`super::snapshot::load`] gives the same corpus.
//! - Keys are counted from 1 in the order of the corpus; nothing reads the clock.

use std::collections::HashMap;
use std::fmt::Write as _;

use plimsoll_core::value::Value;

use super::model::{Corpus, Location, Meeting};
pub use super::schema::baseline_schema;
use super::snapshot::WITNESS_DOCUMENT_TYPES;

/// When every row of a baseline says it was made.
const RECORDED_AT: &str = "2025-10-02 06:00:00";

/// The rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineTable {
    /// The table's name.
    pub table: &'static str,
    /// The columns that the rows give, in their order; the others take their defaults.
    pub columns: &'static [&'static str],
    /// The rows, one value per column.
    pub rows: Vec<Vec<Value>>,
}

/// The statements that make a database of `corpus`: its schema, then its rows.
///
/// Run them in one transaction; each is complete and without parameters.
pub fn baseline_sql(corpus: &Corpus) -> Vec<String> {
    let mut statements = baseline_schema();
    statements.extend(baseline_inserts(corpus));
    statements
}

/// The rows of `corpus` as `INSERT` statements of up to 200 rows.
pub fn baseline_inserts(corpus: &Corpus) -> Vec<String> {
    let mut statements = Vec::new();
    for table in baseline_rows(corpus) {
        for rows in table.rows.chunks(200) {
            let mut sql = format!("INSERT INTO {} ({}) VALUES ", table.table, table.columns.join(", "));
            for (place, row) in rows.iter().enumerate() {
                let cells: Vec<String> = row.iter().map(literal).collect();
                let separator = if place == 0 { "" } else { ", " };
                // Writing to a String cannot fail.
                let _ = write!(sql, "{separator}({})", cells.join(", "));
            }
            statements.push(sql);
        }
    }
    statements
}

/// The rows of `corpus`, table by table in the order of their references.
pub fn baseline_rows(corpus: &Corpus) -> Vec<BaselineTable> {
    let mut tables = Tables::default();
    let keys: HashMap<&str, i64> =
        corpus.committees.iter().map(|committee| committee.system_code.as_str()).zip(1..).collect();
    for committee in &corpus.committees {
        let parent = committee.parent.as_deref().and_then(|code| keys.get(code));
        tables.committees.push(vec![
            Value::Integer(tables.committees.len() as i64 + 1),
            Value::text(&committee.system_code),
            Value::text(&committee.name),
            Value::text(&committee.chamber),
            Value::text(&committee.committee_type),
            parent.map_or(Value::Null, |key| Value::Integer(*key)),
            Value::Boolean(true),
            Value::optional_text(committee.url.as_deref()),
            Value::Integer(committee.congress),
            Value::text(RECORDED_AT),
            Value::text(RECORDED_AT),
        ]);
    }
    // A parent may come after its child; the reference must not point forward while rows are inserted.
    tables.committees.sort_by_key(|row| !row[5].is_null());
    for meeting in &corpus.meetings {
        tables.meeting(meeting, &keys);
    }
    tables.into_tables()
}

#[derive(Default)]
struct Tables {
    committees: Vec<Vec<Value>>,
    hearings: Vec<Vec<Value>>,
    links: Vec<Vec<Value>>,
    bills: Vec<Vec<Value>>,
    bill_keys: HashMap<(i64, String, i64), i64>,
    bill_links: Vec<Vec<Value>>,
    witnesses: Vec<Vec<Value>>,
    witness_keys: HashMap<(String, Option<String>), i64>,
    appearances: Vec<Vec<Value>>,
    witness_documents: Vec<Vec<Value>>,
    meeting_documents: Vec<Vec<Value>>,
    transcripts: Vec<Vec<Value>>,
}

impl Tables {
    fn meeting(&mut self, meeting: &Meeting, committees: &HashMap<&str, i64>) {
        let hearing_id = self.hearings.len() as i64 + 1;
        let hearing = Value::Integer(hearing_id);
        let recorded = || Value::text(RECORDED_AT);
        let day = Value::optional_text(meeting.date.as_ref().map(|date| date.day.as_str()));
        let time = meeting.date.as_ref().and_then(|date| date.time.as_deref());
        let updated =
            meeting.update_date.as_ref().map(|text| text.replace('T', " ").trim_end_matches('Z').to_owned());
        let video = meeting.videos.first().map(|video| video.url.as_str());
        let youtube = video.and_then(youtube_id);
        self.hearings.push(vec![
            hearing.clone(),
            Value::text(&meeting.event_id),
            Value::Integer(meeting.congress),
            Value::text(&meeting.chamber),
            Value::text(&meeting.title),
            Value::text(&meeting.meeting_type),
            Value::text(&meeting.status),
            day.clone(),
            Value::optional_text(meeting.location.as_ref().map(Location::text)),
            Value::optional_text(meeting.jacket_number()),
            Value::optional_text(meeting.url.as_deref()),
            Value::optional_text(updated),
            recorded(),
            recorded(),
            day,
            Value::optional_text(time),
            Value::optional_text(video),
            Value::optional_text(youtube),
            Value::optional_text(video.map(video_type)),
        ]);
        for code in &meeting.committees {
            if let Some(committee) = committees.get(code.as_str()) {
                self.links.push(vec![
                    hearing.clone(),
                    Value::Integer(*committee),
                    Value::Boolean(true),
                    recorded(),
                ]);
            }
        }
        for bill in &meeting.bills {
            let key = (bill.congress, bill.bill_type.clone(), bill.number);
            let next = self.bills.len() as i64 + 1;
            let bill_id = *self.bill_keys.entry(key).or_insert(next);
            if bill_id == next {
                self.bills.push(vec![
                    Value::Integer(bill_id),
                    Value::Integer(bill.congress),
                    Value::text(&bill.bill_type),
                    Value::Integer(bill.number),
                    Value::optional_text(bill.url.as_deref()),
                    recorded(),
                    recorded(),
                ]);
            }
            let link = self.bill_links.len() as i64 + 1;
            let related = Value::text("related");
            self.bill_links.push(vec![
                Value::Integer(link),
                hearing.clone(),
                Value::Integer(bill_id),
                related,
                recorded(),
            ]);
        }
        let first_appearance = self.appearances.len() as i64 + 1;
        for (place, witness) in meeting.witnesses.iter().enumerate() {
            let next = self.witnesses.len() as i64 + 1;
            let key = (witness.name.clone(), witness.organization.clone());
            let witness_id = *self.witness_keys.entry(key).or_insert(next);
            if witness_id == next {
                let (first, last) =
                    witness.name.split_once(' ').map_or((witness.name.as_str(), None), |(f, l)| (f, Some(l)));
                self.witnesses.push(vec![
                    Value::Integer(witness_id),
                    Value::text(first),
                    Value::optional_text(last),
                    Value::text(&witness.name),
                    Value::optional_text(witness.position.as_deref()),
                    Value::optional_text(witness.organization.as_deref()),
                    recorded(),
                    recorded(),
                ]);
            }
            self.appearances.push(vec![
                Value::Integer(first_appearance + place as i64),
                Value::Integer(witness_id),
                hearing.clone(),
                Value::optional_text(witness.position.as_deref()),
                Value::Integer(place as i64 + 1),
                recorded(),
            ]);
        }
        for document in meeting.witness_documents.iter().flatten() {
            let key = self.witness_documents.len() as i64 + 1;
            let known = WITNESS_DOCUMENT_TYPES.iter().find(|(api, _)| *api == document.document_type);
            self.witness_documents.push(vec![
                Value::Integer(key),
                Value::Integer(first_appearance + document.witness as i64),
                Value::text(known.map_or(document.document_type.as_str(), |(_, column)| column)),
                Value::text(&document.url),
                Value::optional_text(document.format.as_deref()),
                recorded(),
                recorded(),
            ]);
        }
        for document in &meeting.meeting_documents {
            let key = self.meeting_documents.len() as i64 + 1;
            self.meeting_documents.push(vec![
                Value::Integer(key),
                hearing.clone(),
                Value::text(&document.document_type),
                Value::optional_text(document.name.as_deref()),
                Value::optional_text(document.description.as_deref()),
                Value::optional_text(document.url.as_deref()),
                Value::optional_text(document.format.as_deref()),
                recorded(),
                recorded(),
            ]);
        }
        for transcript in meeting.transcripts.iter().flatten() {
            let key = self.transcripts.len() as i64 + 1;
            self.transcripts.push(vec![
                Value::Integer(key),
                hearing.clone(),
                Value::optional_text(transcript.jacket_number.as_deref()),
                Value::optional_text(transcript.url.as_deref()),
                recorded(),
                recorded(),
            ]);
        }
    }

    fn into_tables(self) -> Vec<BaselineTable> {
        let table = |table, columns, rows| BaselineTable { table, columns, rows };
        vec![
            table(
                "committees",
                &[
                    "committee_id",
                    "system_code",
                    "name",
                    "chamber",
                    "type",
                    "parent_committee_id",
                    "is_current",
                    "url",
                    "congress",
                    "created_at",
                    "updated_at",
                ] as &'static [&'static str],
                self.committees,
            ),
            table(
                "hearings",
                &[
                    "hearing_id",
                    "event_id",
                    "congress",
                    "chamber",
                    "title",
                    "hearing_type",
                    "status",
                    "hearing_date",
                    "location",
                    "jacket_number",
                    "url",
                    "update_date",
                    "created_at",
                    "updated_at",
                    "hearing_date_only",
                    "hearing_time",
                    "video_url",
                    "youtube_video_id",
                    "video_type",
                ],
                self.hearings,
            ),
            table(
                "hearing_committees",
                &["hearing_id", "committee_id", "is_primary", "created_at"],
                self.links,
            ),
            table(
                "bills",
                &["bill_id", "congress", "bill_type", "bill_number", "url", "created_at", "updated_at"],
                self.bills,
            ),
            table(
                "hearing_bills",
                &["hearing_bill_id", "hearing_id", "bill_id", "relationship_type", "created_at"],
                self.bill_links,
            ),
            table(
                "witnesses",
                &[
                    "witness_id",
                    "first_name",
                    "last_name",
                    "full_name",
                    "title",
                    "organization",
                    "created_at",
                    "updated_at",
                ],
                self.witnesses,
            ),
            table(
                "witness_appearances",
                &["appearance_id", "witness_id", "hearing_id", "position", "appearance_order", "created_at"],
                self.appearances,
            ),
            table(
                "witness_documents",
                &[
                    "document_id",
                    "appearance_id",
                    "document_type",
                    "document_url",
                    "format_type",
                    "created_at",
                    "updated_at",
                ],
                self.witness_documents,
            ),
            table(
                "supporting_documents",
                &[
                    "document_id",
                    "hearing_id",
                    "document_type",
                    "title",
                    "description",
                    "document_url",
                    "format_type",
                    "created_at",
                    "updated_at",
                ],
                self.meeting_documents,
            ),
            table(
                "hearing_transcripts",
                &["transcript_id", "hearing_id", "jacket_number", "document_url", "created_at", "updated_at"],
                self.transcripts,
            ),
        ]
    }
}

/// The identifier in an address of YouTube, or of congress.gov's page for a YouTube recording.
pub fn youtube_id(url: &str) -> Option<&str> {
    let id = match url.split_once("youtube.com/watch?v=") {
        Some((_, rest)) => rest.split('&').next()?,
        None if url.contains("congress.gov/committees/video/") => url.rsplit('/').next()?,
        None => return None,
    };
    (id.len() == 11).then_some(id)
}

/// The earlier schema's word for the kind of a recording's address.
pub fn video_type(url: &str) -> &'static str {
    if url.contains("youtube.com") || url.contains("youtu.be") {
        "youtube"
    } else if url.contains("senate.gov/isvp") {
        "senate_isvp"
    } else if url.contains("house.gov") {
        "house_video"
    } else if url.contains("congress.gov/committees/video") {
        "committee_video"
    } else {
        "event_page"
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(truth) => i64::from(*truth).to_string(),
        Value::Integer(number) => number.to_string(),
        other => format!("'{}'", other.as_text().unwrap_or_default().replace('\'', "''")),
    }
}
