//! Reads a corpus from a hearings database of the earlier schema.
//!
//! Owns the SQL, and the decision of what a row states. The correspondence of columns and JSON fields is the
//! table in [`crate::congress`]. The database is opened read-only, by the store.
//!
//! What the API cannot say is left unsaid, so that a client sees no change in it:
//! - a `hearing_date` that differs from `hearing_date_only`, and a time without a day: `date` is not sent;
//! - a `hearing_time` that is not `HH:MM:SS`: only the day is sent;
//! - an `update_date` that is no UTC instant: not sent (such a meeting never falls into a window of update
//!   dates);
//! - a `jacket_number` that is not the first transcript's: no transcript is sent;
//! - a witness document without an address: no witness document of that meeting is sent;
//! - the numbers in `appearance_order`: only their order is sent. Real rows have gaps, and rows that share a
//!   number; they are sent by (`appearance_order`, `appearance_id`).

use std::collections::HashMap;
use std::path::Path;

use plimsoll_core::value::{Value, is_date, is_timestamp};
use plimsoll_store::Store;

use super::model::{
    Bill, Committee, Corpus, Location, Meeting, MeetingDate, MeetingDocument, Transcript, Video, Witness,
    WitnessDocument,
};
use crate::SimulatorError;

/// The API's word and the earlier schema's word for each kind of witness document.
pub const WITNESS_DOCUMENT_TYPES: [(&str, &str); 5] = [
    ("Witness Statement", "Statement"),
    ("Witness Biography", "Biography"),
    ("Witness Truth in Testimony", "Truth Statement"),
    ("Questions for Record", "Questions for Record"),
    ("Witness Supporting Document", "Supplemental"),
];

/// Reads the hearings database at `path`.
///
/// Tables of documents, transcripts and bills, and the columns of recordings, may be absent.
///
/// # Errors
/// [`SimulatorError::Snapshot`] when the file cannot be read, [`SimulatorError::SnapshotCell`] when a key or
/// a required text is not what its column promises.
pub fn load(path: &Path) -> Result<Corpus, SimulatorError> {
    let failed = |source| SimulatorError::Snapshot { path: path.to_owned(), source: Box::new(source) };
    let mut snapshot = Snapshot { path, store: plimsoll_store::read_only_sqlite(path).map_err(failed)? };
    let committees = snapshot.committees()?;
    let (mut meetings, keys) = snapshot.hearings()?;
    let by_key: HashMap<i64, usize> = keys.iter().enumerate().map(|(place, key)| (*key, place)).collect();
    let mut load = Load { snapshot: &mut snapshot, meetings: &mut meetings, by_key: &by_key };
    load.links()?;
    let appearances = load.witnesses()?;
    load.witness_documents(&appearances)?;
    load.meeting_documents()?;
    load.transcripts(&keys)?;
    load.bills()?;
    Ok(Corpus { committees, meetings })
}

struct Snapshot<'a> {
    path: &'a Path,
    store: Box<dyn Store>,
}

impl Snapshot<'_> {
    fn rows(&mut self, table: &'static str, sql: &str) -> Result<Vec<Row>, SimulatorError> {
        let rows = self.store.query(sql, &[]).map_err(|source| SimulatorError::Snapshot {
            path: self.path.to_owned(),
            source: Box::new(source),
        })?;
        Ok(rows.into_iter().map(|cells| Row { table, cells }).collect())
    }

    fn has_table(&mut self, table: &'static str) -> Result<bool, SimulatorError> {
        let sql = format!("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{table}'");
        Ok(!self.rows(table, &sql)?.is_empty())
    }

    fn committees(&mut self) -> Result<Vec<Committee>, SimulatorError> {
        let sql = "SELECT c.system_code, c.name, c.chamber, c.type, p.system_code, c.url, c.congress \
                   FROM committees c LEFT JOIN committees p ON p.committee_id = c.parent_committee_id \
                   ORDER BY c.committee_id";
        let rows = self.rows("committees", sql)?;
        rows.iter()
            .map(|row| {
                Ok(Committee {
                    system_code: row.text(0, "system_code")?,
                    name: row.text(1, "name")?,
                    chamber: row.text(2, "chamber")?,
                    committee_type: row.text(3, "type")?,
                    parent: row.optional(4),
                    url: row.optional(5),
                    congress: row.integer(6, "congress")?,
                })
            })
            .collect()
    }

    fn hearings(&mut self) -> Result<(Vec<Meeting>, Vec<i64>), SimulatorError> {
        let columns = self.rows("hearings", "SELECT name FROM pragma_table_info('hearings')")?;
        let has_video = columns.iter().any(|row| row.optional(0).as_deref() == Some("video_url"));
        let video = if has_video { "video_url" } else { "NULL" };
        let sql = format!(
            "SELECT hearing_id, event_id, congress, chamber, title, hearing_type, status, hearing_date, \
             hearing_date_only, hearing_time, location, url, update_date, {video} FROM hearings ORDER BY hearing_id"
        );
        let mut keys = Vec::new();
        let mut meetings = Vec::new();
        for row in self.rows("hearings", &sql)? {
            keys.push(row.integer(0, "hearing_id")?);
            let title = row.text(4, "title")?;
            let videos = row.optional(13).map(|url| Video { name: title.clone(), url });
            meetings.push(Meeting {
                event_id: row.text(1, "event_id")?,
                congress: row.integer(2, "congress")?,
                chamber: row.text(3, "chamber")?,
                meeting_type: row.text(5, "hearing_type")?,
                status: row.text(6, "status")?,
                date: date(row.optional(7), row.optional(8), row.optional(9)),
                location: row.optional(10).and_then(|text| Location::from_text(&text)),
                url: row.optional(11),
                update_date: instant(row.cell(12)),
                committees: Vec::new(),
                witnesses: Vec::new(),
                witness_documents: Some(Vec::new()),
                meeting_documents: Vec::new(),
                transcripts: Some(Vec::new()),
                bills: Vec::new(),
                videos: videos.into_iter().collect(),
                title,
            });
        }
        Ok((meetings, keys))
    }
}

/// The day and time that the three columns agree on.
fn date(full: Option<String>, day: Option<String>, time: Option<String>) -> Option<MeetingDate> {
    let full = full?;
    if day.as_deref() != Some(full.as_str()) || !is_date(&full) {
        return None;
    }
    let time = time.filter(|time| is_timestamp(&format!("{full}T{time}Z")));
    Some(MeetingDate { day: full, time })
}

/// The instant that a cell holds in the earlier schema's form, `YYYY-MM-DD HH:MM:SS`, in the API's form.
fn instant(cell: &Value) -> Option<String> {
    match cell {
        Value::Timestamp(text) => Some(text.clone()),
        Value::Text(text) => {
            let text = text.replacen(' ', "T", 1) + "Z";
            is_timestamp(&text).then_some(text)
        }
        _ => None,
    }
}

/// Fills meetings with what other tables hold of them.
struct Load<'a, 'path> {
    snapshot: &'a mut Snapshot<'path>,
    meetings: &'a mut Vec<Meeting>,
    by_key: &'a HashMap<i64, usize>,
}

impl Load<'_, '_> {
    /// The meeting that a row's first cell names; rows of no meeting are left out.
    fn meeting(&mut self, row: &Row) -> Result<Option<&mut Meeting>, SimulatorError> {
        let key = row.integer(0, "hearing_id")?;
        Ok(self.by_key.get(&key).map(|place| &mut self.meetings[*place]))
    }

    fn links(&mut self) -> Result<(), SimulatorError> {
        let sql = "SELECT l.hearing_id, c.system_code FROM hearing_committees l \
                   JOIN committees c ON c.committee_id = l.committee_id ORDER BY l.rowid";
        for row in self.snapshot.rows("hearing_committees", sql)? {
            let code = row.text(1, "system_code")?;
            if let Some(meeting) = self.meeting(&row)? {
                meeting.committees.push(code);
            }
        }
        Ok(())
    }

    /// Fills the witnesses; returns, for each appearance, its meeting and its place among the witnesses.
    fn witnesses(&mut self) -> Result<HashMap<i64, (usize, usize)>, SimulatorError> {
        let sql = "SELECT a.hearing_id, a.appearance_id, w.full_name, a.position, w.organization \
                   FROM witness_appearances a JOIN witnesses w ON w.witness_id = a.witness_id \
                   ORDER BY a.hearing_id, a.appearance_order, a.appearance_id";
        let mut appearances = HashMap::new();
        for row in self.snapshot.rows("witness_appearances", sql)? {
            let Some(place) = self.by_key.get(&row.integer(0, "hearing_id")?) else { continue };
            let witnesses = &mut self.meetings[*place].witnesses;
            appearances.insert(row.integer(1, "appearance_id")?, (*place, witnesses.len()));
            witnesses.push(Witness {
                name: row.text(2, "full_name")?,
                position: row.optional(3),
                organization: row.optional(4),
            });
        }
        Ok(appearances)
    }

    fn witness_documents(
        &mut self,
        appearances: &HashMap<i64, (usize, usize)>,
    ) -> Result<(), SimulatorError> {
        if !self.snapshot.has_table("witness_documents")? {
            return Ok(());
        }
        let sql = "SELECT appearance_id, document_type, format_type, document_url FROM witness_documents \
                   ORDER BY document_id";
        for row in self.snapshot.rows("witness_documents", sql)? {
            let Some((meeting, witness)) = appearances.get(&row.integer(0, "appearance_id")?) else {
                continue;
            };
            let documents = &mut self.meetings[*meeting].witness_documents;
            let stored = row.text(1, "document_type")?;
            let known = WITNESS_DOCUMENT_TYPES.iter().find(|(_, column)| *column == stored);
            match (row.optional(3), documents.as_mut()) {
                (Some(url), Some(documents)) => documents.push(WitnessDocument {
                    witness: *witness,
                    document_type: known.map_or(stored.clone(), |(api, _)| (*api).to_owned()),
                    format: row.optional(2),
                    url,
                }),
                _ => *documents = None,
            }
        }
        Ok(())
    }

    fn meeting_documents(&mut self) -> Result<(), SimulatorError> {
        if !self.snapshot.has_table("supporting_documents")? {
            return Ok(());
        }
        let sql = "SELECT hearing_id, title, description, document_type, format_type, document_url \
                   FROM supporting_documents ORDER BY document_id";
        for row in self.snapshot.rows("supporting_documents", sql)? {
            let document = MeetingDocument {
                name: row.optional(1),
                description: row.optional(2),
                document_type: row.text(3, "document_type")?,
                format: row.optional(4),
                url: row.optional(5),
            };
            if let Some(meeting) = self.meeting(&row)? {
                meeting.meeting_documents.push(document);
            }
        }
        Ok(())
    }

    fn transcripts(&mut self, keys: &[i64]) -> Result<(), SimulatorError> {
        if self.snapshot.has_table("hearing_transcripts")? {
            let sql = "SELECT hearing_id, jacket_number, document_url FROM hearing_transcripts ORDER BY transcript_id";
            for row in self.snapshot.rows("hearing_transcripts", sql)? {
                let transcript = Transcript { jacket_number: row.optional(1), url: row.optional(2) };
                if let Some(transcripts) =
                    self.meeting(&row)?.and_then(|meeting| meeting.transcripts.as_mut())
                {
                    transcripts.push(transcript);
                }
            }
        }
        let rows =
            self.snapshot.rows("hearings", "SELECT jacket_number FROM hearings ORDER BY hearing_id")?;
        for (row, key) in rows.iter().zip(keys) {
            let Some(place) = self.by_key.get(key) else { continue };
            let meeting = &mut self.meetings[*place];
            if row.optional(0).as_deref() != meeting.jacket_number() {
                meeting.transcripts = None;
            }
        }
        Ok(())
    }

    fn bills(&mut self) -> Result<(), SimulatorError> {
        if !self.snapshot.has_table("hearing_bills")? {
            return Ok(());
        }
        let sql = "SELECT l.hearing_id, b.congress, b.bill_type, b.bill_number, b.url FROM hearing_bills l \
                   JOIN bills b ON b.bill_id = l.bill_id ORDER BY l.hearing_bill_id";
        for row in self.snapshot.rows("hearing_bills", sql)? {
            let bill = Bill {
                congress: row.integer(1, "congress")?,
                bill_type: row.text(2, "bill_type")?,
                number: row.integer(3, "bill_number")?,
                url: row.optional(4),
            };
            if let Some(meeting) = self.meeting(&row)? {
                meeting.bills.push(bill);
            }
        }
        Ok(())
    }
}

/// One row of a result.
struct Row {
    table: &'static str,
    cells: Vec<Value>,
}

impl Row {
    fn refuse(&self, column: &'static str, found: &Value, expected: &'static str) -> SimulatorError {
        let row = self.cells.first().map_or_else(String::new, Value::to_string);
        SimulatorError::SnapshotCell { table: self.table, column, row, found: found.to_string(), expected }
    }

    fn cell(&self, place: usize) -> &Value {
        self.cells.get(place).unwrap_or(&Value::Null)
    }

    fn text(&self, place: usize, column: &'static str) -> Result<String, SimulatorError> {
        let cell = self.cell(place);
        cell.as_text().map(str::to_owned).ok_or_else(|| self.refuse(column, cell, "text"))
    }

    fn optional(&self, place: usize) -> Option<String> {
        self.cell(place).as_text().map(str::to_owned)
    }

    fn integer(&self, place: usize, column: &'static str) -> Result<i64, SimulatorError> {
        let cell = self.cell(place);
        cell.as_integer().ok_or_else(|| self.refuse(column, cell, "an integer"))
    }
}
