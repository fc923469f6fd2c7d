//! What the API says: the JSON of congress.gov's committee meetings, read tolerantly.
//!
//! Owns the shapes that the API is known to send and turns them into statements. It deliberately judges nothing: a
//! statement is kept as text even where it makes no sense, and [`crate::rules`] decides.
//!
//! The API's page of elements (<https://github.com/LibraryOfCongress/api.congress.gov>, `CommitteeMeetingEndpoint.md`)
//! and its OpenAPI description disagree, and so do answers:
//! - a container is a bare list, `{"item": [..]}`, `{"item": {..}}`, or an object around a list of another name;
//! - a field without a value is absent, null, or an empty object;
//! - numbers come as numbers or as text; `eventId` is also spelt `eventid` and `eventID`;
//! - `relatedItems` is an object of lists, or a list of such objects, or a list of bills.
//!
//! Invariant: absent, null and `{}` state nothing (`None`); a list that is there, even empty, states its entries.

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

/// The members of a meeting that this system knows, including those it has no column for.
pub const KNOWN_MEMBERS: &[&str] = &[
    "eventId",
    "eventid",
    "eventID",
    "updateDate",
    "congress",
    "type",
    "title",
    "meetingStatus",
    "date",
    "chamber",
    "isManuallyCurated",
    "committees",
    "continuations",
    "location",
    "videos",
    "witnesses",
    "witnessDocuments",
    "meetingDocuments",
    "hearingTranscript",
    "relatedItems",
    "url",
];

/// What one record states, as the API spelt it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statements {
    /// `eventId` of the meeting, or of its list entry when the meeting has none.
    pub event_id: Option<String>,
    /// `eventId` of the list entry, when it is another one.
    pub listed_as: Option<String>,
    /// `congress`.
    pub congress: Option<String>,
    /// `chamber`.
    pub chamber: Option<String>,
    /// `title`; may be empty.
    pub title: Option<String>,
    /// `type`.
    pub meeting_type: Option<String>,
    /// `meetingStatus`.
    pub status: Option<String>,
    /// `date`.
    pub date: Option<String>,
    /// `location` as one text: the address, or room and building joined by `, `.
    pub location: Option<String>,
    /// `url` of the list entry.
    pub url: Option<String>,
    /// `updateDate`.
    pub update_date: Option<String>,
    /// `committees`.
    pub committees: Option<Vec<CommitteeStatement>>,
    /// `witnesses`.
    pub witnesses: Option<Vec<WitnessStatement>>,
    /// `witnessDocuments`.
    pub witness_documents: Option<Vec<DocumentStatement>>,
    /// `meetingDocuments`.
    pub meeting_documents: Option<Vec<DocumentStatement>>,
    /// `hearingTranscript`.
    pub transcripts: Option<Vec<TranscriptStatement>>,
    /// `relatedItems.bills`.
    pub bills: Option<Vec<BillStatement>>,
    /// The addresses in `videos`.
    pub videos: Option<Vec<String>>,
}

/// An entry of `committees`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitteeStatement {
    /// `systemCode`.
    pub system_code: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `url`.
    pub url: Option<String>,
}

/// An entry of `witnesses`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WitnessStatement {
    /// `name`.
    pub name: Option<String>,
    /// `position`.
    pub position: Option<String>,
    /// `organization`.
    pub organization: Option<String>,
}

/// An entry of `witnessDocuments` or `meetingDocuments`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentStatement {
    /// `documentType`.
    pub document_type: Option<String>,
    /// `name`.
    pub name: Option<String>,
    /// `description`.
    pub description: Option<String>,
    /// `format`.
    pub format: Option<String>,
    /// `url`.
    pub url: Option<String>,
}

/// An entry of `hearingTranscript`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TranscriptStatement {
    /// `jacketNumber`.
    pub jacket_number: Option<String>,
    /// `url`.
    pub url: Option<String>,
}

/// An entry of `relatedItems.bills`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BillStatement {
    /// `congress`.
    pub congress: Option<String>,
    /// `type`.
    pub bill_type: Option<String>,
    /// `number`.
    pub number: Option<String>,
    /// `url`.
    pub url: Option<String>,
}

/// An entry of the list of meetings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// `eventId`, when there is one.
    pub event_id: Option<String>,
    /// `congress`, or the one in `url`.
    pub congress: Option<String>,
    /// `chamber` in lower case, or the one in `url`.
    pub chamber: Option<String>,
    /// `updateDate` as an instant.
    pub updated: Option<Timestamp>,
    /// The entry as it came.
    pub body: Json,
}

impl Statements {
    /// What a record states. The record is an answer of the API, `{"committeeMeeting": {..}}`, with the meeting's
    /// list entry beside it under `list`; a bare meeting is taken too.
    pub fn of(record: &Json) -> Self {
        let empty = Map::new();
        let object = |value: Option<&'_ Json>| value.and_then(Json::as_object).cloned();
        let meeting = object(record.get("committeeMeeting")).unwrap_or_else(|| {
            let wrapped = record.get("committeeMeeting").is_some() || record.get("list").is_some();
            if wrapped { empty.clone() } else { record.as_object().cloned().unwrap_or_default() }
        });
        let list = object(record.get("list")).unwrap_or_default();
        let own_id = event_id(&meeting);
        let listed_id = event_id(&list);
        // The list repeats a few members; they fill in for ones the meeting lacks.
        let either = |name: &str| text(meeting.get(name)).or_else(|| text(list.get(name)));
        Self {
            listed_as: listed_id.clone().filter(|listed| own_id.as_ref().is_some_and(|own| own != listed)),
            event_id: own_id.or(listed_id),
            congress: either("congress"),
            chamber: either("chamber"),
            title: text(meeting.get("title")),
            meeting_type: text(meeting.get("type")),
            status: text(meeting.get("meetingStatus")),
            date: text(meeting.get("date")),
            location: meeting.get("location").and_then(location),
            url: either("url"),
            update_date: either("updateDate"),
            committees: all(&meeting, "committees", |entry| CommitteeStatement {
                system_code: text(entry.get("systemCode")),
                name: text(entry.get("name")),
                url: text(entry.get("url")),
            }),
            witnesses: all(&meeting, "witnesses", |entry| WitnessStatement {
                name: text(entry.get("name")),
                position: text(entry.get("position")),
                organization: text(entry.get("organization")),
            }),
            witness_documents: all(&meeting, "witnessDocuments", document),
            meeting_documents: all(&meeting, "meetingDocuments", document),
            transcripts: all(&meeting, "hearingTranscript", |entry| TranscriptStatement {
                jacket_number: text(entry.get("jacketNumber")),
                url: text(entry.get("url")),
            }),
            bills: meeting.get("relatedItems").and_then(bills),
            videos: all(&meeting, "videos", |entry| text(entry.get("url")))
                .map(|videos| videos.into_iter().flatten().collect()),
        }
    }
}

impl ListEntry {
    /// Reads one entry of a list page.
    pub fn of(entry: &Json) -> Self {
        let empty = Map::new();
        let members = entry.as_object().unwrap_or(&empty);
        // https://api.congress.gov/v3/committee-meeting/119/house/118296?format=json
        let url = text(members.get("url")).unwrap_or_default();
        let after = url.split_once("committee-meeting/").map_or("", |(_, after)| after);
        let mut parts = after.split(['/', '?']).map(str::to_owned).filter(|part| !part.is_empty());
        let (congress, chamber) = (parts.next(), parts.next());
        Self {
            event_id: event_id(members),
            congress: text(members.get("congress")).or(congress),
            chamber: text(members.get("chamber")).or(chamber).map(|chamber| chamber.to_lowercase()),
            updated: text(members.get("updateDate")).as_deref().and_then(instant),
            body: entry.clone(),
        }
    }
}

/// The instant that a text of the API stands for.
///
/// Takes `2023-03-27T18:11:19Z`, `2023-03-27 18:11:19+00:00` and the same without a zone, which means UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let day = text.get(..10)?;
    let rest = text.get(10..)?.strip_prefix(['T', ' ', 't'])?;
    let zoned = rest.ends_with(['Z', 'z']) || rest.contains(['+', '-']);
    let zone = if zoned { "" } else { "Z" };
    format!("{day}T{rest}{zone}").parse().ok()
}

/// A text or number as text; nothing for null, absent, or anything else.
pub fn text(value: Option<&Json>) -> Option<String> {
    match value? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The entries of a container, whatever its shape; none when it states nothing.
pub fn entries(container: &Json) -> Option<Vec<&Json>> {
    match container {
        Json::Array(list) => Some(list.iter().collect()),
        Json::Object(members) if members.is_empty() => None,
        Json::Object(members) => match (members.len(), members.values().next()) {
            // The one member is named after the entries: `item`, `bill`, `witness`.
            (1, Some(Json::Array(list))) => Some(list.iter().collect()),
            (1, Some(only @ Json::Object(_))) => Some(vec![only]),
            (1, Some(Json::Null)) => None,
            _ => Some(vec![container]),
        },
        _ => None,
    }
}

fn event_id(members: &Map<String, Json>) -> Option<String> {
    ["eventId", "eventid", "eventID"].into_iter().find_map(|name| text(members.get(name)))
}

fn all<T>(meeting: &Map<String, Json>, name: &str, read: impl Fn(&Json) -> T) -> Option<Vec<T>> {
    let entries = entries(meeting.get(name)?)?;
    Some(entries.into_iter().filter(|entry| entry.is_object()).map(read).collect())
}

fn document(entry: &Json) -> DocumentStatement {
    DocumentStatement {
        document_type: text(entry.get("documentType")),
        name: text(entry.get("name")),
        description: text(entry.get("description")),
        format: text(entry.get("format")),
        url: text(entry.get("url")),
    }
}

/// The address, or room and building. An address in parts is joined in the order of an envelope.
fn location(value: &Json) -> Option<String> {
    if let Json::String(whole) = value {
        return Some(whole.clone());
    }
    let part = |value: &Json, name: &str| text(value.get(name)).filter(|part| !part.is_empty());
    match value.get("address") {
        Some(Json::Object(parts)) if !parts.is_empty() => {
            let address = Json::Object(parts.clone());
            let names = ["buildingName", "streetAddress", "city", "state", "postalCode"];
            let stated: Vec<String> = names.iter().filter_map(|name| part(&address, name)).collect();
            if !stated.is_empty() {
                return Some(stated.join(", "));
            }
        }
        address => {
            if let Some(address) = text(address).filter(|address| !address.is_empty()) {
                return Some(address);
            }
        }
    }
    let stated: Vec<String> = ["room", "building"].iter().filter_map(|name| part(value, name)).collect();
    (!stated.is_empty()).then(|| stated.join(", "))
}

/// The bills among the related items. An empty container of related items states nothing about bills, because that is
/// how meetings without any are sent; an empty list of bills states that there are none.
fn bills(related: &Json) -> Option<Vec<BillStatement>> {
    let read = |entry: &Json| BillStatement {
        congress: text(entry.get("congress")),
        bill_type: text(entry.get("type")),
        number: text(entry.get("number")),
        url: text(entry.get("url")),
    };
    let bills_of = |object: &Json| -> Option<Vec<BillStatement>> {
        let entries = entries(object.get("bills")?)?;
        Some(entries.into_iter().filter(|entry| entry.is_object()).map(read).collect())
    };
    match related {
        Json::Object(_) if related.get("item").is_some() => bills(related.get("item")?),
        Json::Object(_) => bills_of(related),
        Json::Array(list) => {
            let mut stated: Option<Vec<BillStatement>> = None;
            for entry in list {
                let is_bill = entry.get("number").is_some() && entry.get("type").is_some();
                let found = if is_bill { Some(vec![read(entry)]) } else { bills_of(entry) };
                if let Some(found) = found {
                    stated.get_or_insert_default().extend(found);
                }
            }
            stated
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meeting(members: Json) -> Statements {
        Statements::of(&json!({ "committeeMeeting": members }))
    }

    #[test]
    fn both_shapes_of_containers_and_single_entries_read_alike() {
        let entry = json!({ "systemCode": "hsii24", "name": "A" });
        for shape in [
            json!([entry]),
            json!({ "item": [entry] }),
            json!({ "item": entry }),
            json!({ "committee": [entry] }),
        ] {
            let committees = meeting(json!({ "committees": shape })).committees.unwrap();
            assert_eq!(committees.len(), 1, "{shape}");
            assert_eq!(committees[0].system_code.as_deref(), Some("hsii24"));
        }
    }

    #[test]
    fn nothing_is_stated_by_absent_null_and_empty_objects_but_by_an_empty_list() {
        for shape in [
            json!({}),
            json!({ "witnesses": null }),
            json!({ "witnesses": {} }),
            json!({ "witnesses": { "item": null } }),
        ] {
            assert_eq!(meeting(shape.clone()).witnesses, None, "{shape}");
        }
        for shape in [json!([]), json!({ "item": [] })] {
            assert_eq!(meeting(json!({ "witnesses": shape })).witnesses, Some(Vec::new()));
        }
    }

    #[test]
    fn event_ids_are_found_under_every_spelling_and_as_numbers() {
        for members in
            [json!({ "eventId": "118296" }), json!({ "eventid": "118296" }), json!({ "eventID": 118_296 })]
        {
            assert_eq!(meeting(members).event_id.as_deref(), Some("118296"));
        }
        let record = json!({ "committeeMeeting": { "eventId": "1" }, "list": { "eventId": "2" } });
        assert_eq!(Statements::of(&record).listed_as.as_deref(), Some("2"));
        let record =
            json!({ "committeeMeeting": {}, "list": { "eventId": "2", "url": "u", "chamber": "House" } });
        let statements = Statements::of(&record);
        assert_eq!((statements.event_id.as_deref(), statements.listed_as), (Some("2"), None));
        assert_eq!((statements.url.as_deref(), statements.chamber.as_deref()), (Some("u"), Some("House")));
        // A list entry alone, as for a meeting whose detail is not asked.
        let record = json!({ "list": { "eventId": "x", "title": "not the meeting's" } });
        assert_eq!(Statements::of(&record).title, None);
    }

    #[test]
    fn a_bare_meeting_is_a_record_too() {
        let statements = Statements::of(&json!({ "eventId": "7", "title": "T" }));
        assert_eq!((statements.event_id.as_deref(), statements.title.as_deref()), (Some("7"), Some("T")));
    }

    #[test]
    fn locations_come_in_four_shapes() {
        let cases = [
            (json!({ "room": "1324", "building": "Longworth" }), Some("1324, Longworth")),
            (json!({ "address": "1 Long Street, Port Example" }), Some("1 Long Street, Port Example")),
            (
                json!({ "address": { "city": "Ames", "streetAddress": "1 A St", "state": "IA" } }),
                Some("1 A St, Ames, IA"),
            ),
            (json!({ "room": "WEBEX" }), Some("WEBEX")),
            (json!("Virtual"), Some("Virtual")),
            (json!({}), None),
            (json!(null), None),
            (json!({ "address": "", "room": null }), None),
        ];
        for (shape, wanted) in cases {
            assert_eq!(meeting(json!({ "location": shape })).location.as_deref(), wanted, "{shape}");
        }
    }

    #[test]
    fn related_items_are_an_object_or_a_list_and_numbers_may_be_text() {
        let bill = json!({ "congress": 119, "type": "HR", "number": "12" });
        for shape in [
            json!({ "bills": [bill] }),
            json!({ "bills": { "item": [bill] } }),
            json!({ "bills": { "bill": [bill] }, "treaties": [] }),
            json!([{ "bills": [bill] }, { "nominations": [] }]),
            json!([bill]),
            json!({ "item": [bill] }),
        ] {
            let bills = meeting(json!({ "relatedItems": shape })).bills.unwrap_or_default();
            assert_eq!(bills.len(), 1, "{shape}");
            assert_eq!((bills[0].number.as_deref(), bills[0].congress.as_deref()), (Some("12"), Some("119")));
        }
        for shape in [json!({}), json!([]), json!(null), json!({ "treaties": [] })] {
            assert_eq!(meeting(json!({ "relatedItems": shape })).bills, None, "{shape}");
        }
        assert_eq!(meeting(json!({ "relatedItems": { "bills": [] } })).bills, Some(Vec::new()));
    }

    #[test]
    fn instants_come_with_t_or_space_and_with_or_without_a_zone() {
        let wanted: Timestamp = "2023-03-27T18:11:19Z".parse().unwrap();
        for text in [
            "2023-03-27T18:11:19Z",
            "2023-03-27 18:11:19+00:00",
            "2023-03-27 18:11:19+00",
            "2023-03-27 18:11:19",
            "2023-03-27T14:11:19-04:00",
        ] {
            assert_eq!(instant(text), Some(wanted), "{text}");
        }
        for text in [
            "2023-03-27",
            "2023-02-30T00:00:00Z",
            "2023-03-24 13T00:00:00Z",
            "",
            "soon",
            "2023-03-2\u{e9}T00:00:00Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_entry_falls_back_on_its_address() {
        let entry = ListEntry::of(&json!({
            "eventid": "118296",
            "url": "https://api.congress.gov/v3/committee-meeting/119/house/118296?format=json",
            "updateDate": "2025-10-01 19:59:54+00:00",
        }));
        assert_eq!(entry.congress.as_deref(), Some("119"));
        assert_eq!(entry.chamber.as_deref(), Some("house"));
        assert!(entry.updated.is_some());
        assert_eq!(ListEntry::of(&json!("junk")).event_id, None);
    }
}
