//! Meetings as the JSON that congress.gov API v3 sends: list entries, items and their containers.
//!
//! Owns the shapes. It deliberately does not know about pages, requests or faults; the server wraps what is
//! made here. The shapes follow the API's published element list and OpenAPI description
//! (<https://github.com/LibraryOfCongress/api.congress.gov>), including where the two disagree: a container
//! is sometimes a bare list and sometimes `{"item": [..]}`, and an optional field without a value is
//! sometimes absent and sometimes null. Which one it is depends on the seed and the meeting, never on the
//! request.
//!
//! Invariant: no choice of style changes what is stated. A client that reads a missing field, a null and an
//! empty object alike, and both container shapes alike, reads the same meeting under every seed.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::model::{Committee, Location, Meeting, MeetingDate};
use super::mutate::Served;
use crate::random::mix;

/// Renders meetings of one corpus under one seed.
#[derive(Debug)]
pub struct Renderer<'a> {
    seed: u64,
    committees: HashMap<&'a str, &'a Committee>,
    renamed: &'a [(String, String)],
}

impl<'a> Renderer<'a> {
    /// A renderer over `committees`; `renamed` are pairs of an item's field and the name it is sent under
    /// instead.
    pub fn new(
        seed: u64,
        committees: impl IntoIterator<Item = &'a Committee>,
        renamed: &'a [(String, String)],
    ) -> Self {
        let committees =
            committees.into_iter().map(|committee| (committee.system_code.as_str(), committee)).collect();
        Self { seed, committees, renamed }
    }

    /// The entry of a list page.
    pub fn list_entry(&self, meeting: &Meeting) -> Value {
        let mut entry = Map::new();
        entry.insert("eventId".into(), json!(meeting.event_id));
        entry.insert("congress".into(), json!(meeting.congress));
        entry.insert("chamber".into(), json!(meeting.chamber));
        if let Some(url) = &meeting.url {
            entry.insert("url".into(), json!(url));
        }
        if let Some(update_date) = &meeting.update_date {
            entry.insert("updateDate".into(), json!(update_date));
        }
        Value::Object(entry)
    }

    /// The whole answer to a request for one meeting, with its defect planted in it.
    ///
    /// The `request` member repeats the path under which the list offers the meeting.
    pub fn item(&self, served: &Served) -> Value {
        let meeting = &served.meeting;
        let mut item = self.meeting(meeting, &served.emptied);
        if let Some(defect) = &served.defect {
            defect.plant(&mut item);
        }
        for (from, to) in self.renamed {
            if let Some(value) = item.remove(from) {
                item.insert(to.clone(), value);
            }
        }
        json!({ "committeeMeeting": item, "request": request_of(meeting) })
    }

    fn meeting(&self, meeting: &Meeting, emptied: &[&'static str]) -> Map<String, Value> {
        let style = Style { seed: self.seed, event_id: &meeting.event_id, emptied };
        let mut item = Map::new();
        item.insert("eventId".into(), json!(meeting.event_id));
        item.insert("congress".into(), json!(meeting.congress));
        item.insert("chamber".into(), json!(meeting.chamber));
        item.insert("title".into(), json!(meeting.title));
        item.insert("type".into(), json!(meeting.meeting_type));
        item.insert("meetingStatus".into(), json!(meeting.status));
        if let Some(update_date) = &meeting.update_date {
            item.insert("updateDate".into(), json!(update_date));
        }
        match &meeting.date {
            Some(date) => drop(item.insert("date".into(), json!(date_text(date)))),
            None => style.nothing(&mut item, "date", &[Value::Null]),
        }
        match &meeting.location {
            Some(Location::Room { room, building }) => {
                item.insert("location".into(), json!({ "room": room, "building": building }));
            }
            Some(Location::Address(address)) => {
                item.insert("location".into(), json!({ "address": address }));
            }
            None => style.nothing(&mut item, "location", &[Value::Null, json!({})]),
        }
        if style.chooses("isManuallyCurated", 5) {
            item.insert("isManuallyCurated".into(), json!(false));
        }
        self.containers(meeting, &style, &mut item);
        item
    }

    fn containers(&self, meeting: &Meeting, style: &Style<'_>, item: &mut Map<String, Value>) {
        let committees = meeting.committees.iter().map(|code| self.committee(code)).collect();
        style.container(item, "committees", committees);

        let witnesses = meeting.witnesses.iter().enumerate().map(|(place, witness)| {
            let mut entry = Map::new();
            entry.insert("name".into(), json!(witness.name));
            for (field, value) in [("position", &witness.position), ("organization", &witness.organization)] {
                match value {
                    Some(value) => drop(entry.insert(field.into(), json!(value))),
                    None if style.chooses(&format!("{field}{place}"), 2) => {
                        entry.insert(field.into(), Value::Null);
                    }
                    None => {}
                }
            }
            Value::Object(entry)
        });
        style.container(item, "witnesses", witnesses.collect());

        if let Some(documents) = &meeting.witness_documents {
            let documents = documents.iter().map(|document| {
                json!({ "documentType": document.document_type, "format": document.format, "url": document.url })
            });
            style.container(item, "witnessDocuments", documents.collect());
        }
        let documents = meeting.meeting_documents.iter().map(|document| {
            json!({
                "name": document.name, "description": document.description,
                "documentType": document.document_type, "format": document.format, "url": document.url,
            })
        });
        style.container(item, "meetingDocuments", documents.collect());
        if let Some(transcripts) = &meeting.transcripts {
            let transcripts = transcripts.iter().map(|transcript| {
                json!({ "jacketNumber": jacket_number(transcript.jacket_number.as_deref()), "url": transcript.url })
            });
            style.container(item, "hearingTranscript", transcripts.collect());
        }
        let videos = meeting.videos.iter().map(|video| json!({ "name": video.name, "url": video.url }));
        style.container(item, "videos", videos.collect());

        let bills: Vec<Value> = meeting
            .bills
            .iter()
            .map(|bill| {
                let mut entry = Map::new();
                entry.insert("congress".into(), json!(bill.congress));
                entry.insert("type".into(), json!(bill.bill_type));
                entry.insert("number".into(), json!(bill.number));
                if let Some(url) = &bill.url {
                    entry.insert("url".into(), json!(url));
                }
                Value::Object(entry)
            })
            .collect();
        if bills.is_empty() {
            style.nothing(item, "relatedItems", &[json!({}), json!([])]);
        } else {
            let mut related = Map::new();
            style.container(&mut related, "bills", bills);
            item.insert("relatedItems".into(), Value::Object(related));
        }
    }

    fn committee(&self, system_code: &str) -> Value {
        let mut entry = Map::new();
        entry.insert("systemCode".into(), json!(system_code));
        if let Some(committee) = self.committees.get(system_code) {
            entry.insert("name".into(), json!(committee.name));
            if let Some(url) = &committee.url {
                entry.insert("url".into(), json!(url));
            }
        }
        Value::Object(entry)
    }
}

/// What the API repeats of the request, as the list's own address of the meeting asks it.
pub(crate) fn request_of(meeting: &Meeting) -> Value {
    json!({
        "congress": meeting.congress.to_string(), "chamber": meeting.chamber.to_lowercase(),
        "eventId": meeting.event_id, "contentType": "application/json", "format": "json",
    })
}

/// `YYYY-MM-DDTHH:MM:SSZ`, or only the day where the time is not known.
fn date_text(date: &MeetingDate) -> String {
    date.time.as_ref().map_or_else(|| date.day.clone(), |time| format!("{}T{time}Z", date.day))
}

/// A number where that keeps the text, so `00123` stays text.
fn jacket_number(text: Option<&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    match text.parse::<u32>() {
        Ok(number) if number.to_string() == text => json!(number),
        _ => json!(text),
    }
}

/// The seeded choices of style for one meeting.
struct Style<'a> {
    seed: u64,
    event_id: &'a str,
    emptied: &'a [&'static str],
}

impl Style<'_> {
    /// True for one in `odds` meetings.
    fn chooses(&self, what: &str, odds: u64) -> bool {
        self.choice(what, odds) == 0
    }

    fn choice(&self, what: &str, choices: u64) -> u64 {
        mix(self.seed, &["style", self.event_id, what]) % choices
    }

    /// A container: a bare list or `{"item": [..]}`.
    ///
    /// One without entries is an empty list or left out; one that a change has emptied is never left out,
    /// because leaving it out states nothing.
    fn container(&self, item: &mut Map<String, Value>, name: &str, entries: Vec<Value>) {
        if entries.is_empty() && !self.emptied.contains(&name) && self.chooses(&format!("{name}?"), 2) {
            return;
        }
        let entries = Value::Array(entries);
        let entries = if self.chooses(name, 3) { json!({ "item": entries }) } else { entries };
        item.insert(name.into(), entries);
    }

    /// A field without a value: absent, or one of `forms`.
    fn nothing(&self, item: &mut Map<String, Value>, name: &str, forms: &[Value]) {
        let choice = self.choice(name, forms.len() as u64 + 1) as usize;
        if let Some(form) = forms.get(choice) {
            item.insert(name.into(), form.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jacket_number_is_a_number_only_where_that_keeps_its_text() {
        assert_eq!(jacket_number(Some("58428")), json!(58_428));
        for text in ["00123", "58428a", "+58428", ""] {
            assert_eq!(jacket_number(Some(text)), json!(text));
        }
        assert_eq!(jacket_number(None), Value::Null);
    }
}
