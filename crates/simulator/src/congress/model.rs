//! The corpus a simulated congress.gov holds: committees, and committee meetings with all they carry.
//!
//! Owns the types and the comparison of two versions of a meeting. It deliberately keeps only what the API
//! can state: what the earlier schema holds beyond that (a witness's own title, the kind of a witness, notes
//! on bills) has no place here and is never sent.
//!
//! Invariants:
//! - `witnesses`, `committees` and the documents keep the order in which they are sent.
//! - A witness document points at a witness of the same meeting.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// The three chambers the API and the earlier schema both know.
pub const CHAMBERS: [&str; 3] = ["House", "Senate", "NoChamber"];
/// The meeting types the earlier schema takes.
pub const MEETING_TYPES: [&str; 3] = ["Hearing", "Meeting", "Markup"];
/// The statuses the earlier schema takes.
pub const STATUSES: [&str; 4] = ["Scheduled", "Canceled", "Postponed", "Rescheduled"];
/// The congresses a meeting may belong to.
pub const CONGRESSES: std::ops::RangeInclusive<i64> = 1..=200;

/// Committees and meetings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Corpus {
    /// Every committee that a meeting names, and any others the source had.
    pub committees: Vec<Committee>,
    /// The meetings, in the order of their source.
    pub meetings: Vec<Meeting>,
}

/// A committee or subcommittee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committee {
    /// The API's key, for example `hsqa00`; a subcommittee shares the first four characters of its parent.
    pub system_code: String,
    /// The name as printed.
    pub name: String,
    /// `House`, `Senate` or `Joint`.
    pub chamber: String,
    /// `Standing`, `Subcommittee`, `Joint` and so on. The API's meetings do not state it.
    pub committee_type: String,
    /// The parent's system code. The API's meetings do not state it.
    pub parent: Option<String>,
    /// The API's address of the committee.
    pub url: Option<String>,
    /// The congress it was recorded for.
    pub congress: i64,
}

/// One committee meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// The event identifier; digits, except for planted bad ones.
    pub event_id: String,
    /// The congress, 1 to 200.
    pub congress: i64,
    /// One of [`CHAMBERS`].
    pub chamber: String,
    /// The title; may be empty and may hold line breaks.
    pub title: String,
    /// One of [`MEETING_TYPES`].
    pub meeting_type: String,
    /// One of [`STATUSES`].
    pub status: String,
    /// When it is held, where that is known.
    pub date: Option<MeetingDate>,
    /// Where it is held, where that is known.
    pub location: Option<Location>,
    /// The API's own address of the meeting, as its list states it.
    pub url: Option<String>,
    /// When the source last touched it, as `YYYY-MM-DDTHH:MM:SSZ`.
    pub update_date: Option<String>,
    /// System codes of the committees that hold it.
    pub committees: Vec<String>,
    /// Who testifies, in order.
    pub witnesses: Vec<Witness>,
    /// What witnesses handed in; absent where the corpus cannot say (then the API says nothing either).
    pub witness_documents: Option<Vec<WitnessDocument>>,
    /// What the committee handed out.
    pub meeting_documents: Vec<MeetingDocument>,
    /// Printed transcripts; absent where the corpus cannot say.
    pub transcripts: Option<Vec<Transcript>>,
    /// Bills and resolutions on the agenda.
    pub bills: Vec<Bill>,
    /// Recordings.
    pub videos: Vec<Video>,
}

/// A day, and the time of that day in UTC where it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingDate {
    /// `YYYY-MM-DD`.
    pub day: String,
    /// `HH:MM:SS`, UTC.
    pub time: Option<String>,
}

/// Where a meeting is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// On Capitol Hill.
    Room {
        /// The room, for example `1324`.
        room: String,
        /// The building's name.
        building: String,
    },
    /// A field meeting's address.
    Address(String),
}

/// A person who testifies at a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The full name.
    pub name: String,
    /// The position held at the time.
    pub position: Option<String>,
    /// The organization spoken for.
    pub organization: Option<String>,
}

/// A document of a witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessDocument {
    /// Index into the meeting's witnesses. The API states it only through the file name in `url`.
    pub witness: usize,
    /// The API's word, for example `Witness Statement`.
    pub document_type: String,
    /// For example `PDF`.
    pub format: Option<String>,
    /// Where the document is.
    pub url: String,
}

/// A document of the meeting itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeetingDocument {
    /// Its name.
    pub name: Option<String>,
    /// A description.
    pub description: Option<String>,
    /// For example `Support Document`.
    pub document_type: String,
    /// For example `PDF`.
    pub format: Option<String>,
    /// Where the document is.
    pub url: Option<String>,
}

/// A printed transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// The jacket number.
    pub jacket_number: Option<String>,
    /// The API's address of the hearing record.
    pub url: Option<String>,
}

/// A bill or resolution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// The congress it was introduced in.
    pub congress: i64,
    /// `HR`, `S`, `HJRES`, `SJRES`, `HCONRES`, `SCONRES`, `HRES` or `SRES`.
    pub bill_type: String,
    /// Its number.
    pub number: i64,
    /// The API's address of the bill.
    pub url: Option<String>,
}

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    /// Its name.
    pub name: String,
    /// Where it can be watched.
    pub url: String,
}

impl Corpus {
    /// Committees by system code.
    pub fn committees_by_code(&self) -> HashMap<&str, &Committee> {
        self.committees.iter().map(|committee| (committee.system_code.as_str(), committee)).collect()
    }
}

impl Location {
    /// The text of the earlier schema's one column: the address, or room and building joined by `, `.
    pub fn text(&self) -> String {
        match self {
            Self::Room { room, building } => format!("{room}, {building}"),
            Self::Address(address) => address.clone(),
        }
    }

    /// The location whose [`Location::text`] is `text`; none for an empty text.
    ///
    /// A text with exactly one `, ` is a room and a building, anything else an address.
    pub fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        match text.split_once(", ") {
            Some((room, building))
                if !building.contains(", ") && !room.is_empty() && !building.is_empty() =>
            {
                Some(Self::Room { room: room.to_owned(), building: building.to_owned() })
            }
            _ => Some(Self::Address(text.to_owned())),
        }
    }
}

impl Meeting {
    /// The jacket number of the earlier schema's hearings table: that of the first transcript.
    pub fn jacket_number(&self) -> Option<&str> {
        self.transcripts.as_deref()?.first()?.jacket_number.as_deref()
    }

    /// What differs between two versions, in the earlier schema's words; `update_date` is left out, because
    /// on its own it is not a change.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let day = |meeting: &Self| meeting.date.as_ref().map(|date| date.day.clone());
        let time = |meeting: &Self| meeting.date.as_ref().and_then(|date| date.time.clone());
        let place = |meeting: &Self| meeting.location.as_ref().map(Location::text);
        let statements = [
            ("congress", self.congress != other.congress),
            ("chamber", self.chamber != other.chamber),
            ("title", self.title != other.title),
            ("hearing_type", self.meeting_type != other.meeting_type),
            ("status", self.status != other.status),
            ("hearing_date", day(self) != day(other)),
            ("hearing_time", time(self) != time(other)),
            ("location", place(self) != place(other)),
            ("jacket_number", self.jacket_number() != other.jacket_number()),
            ("url", self.url != other.url),
            ("committees", self.committees != other.committees),
            ("witnesses", self.witnesses != other.witnesses),
            ("witness_documents", self.witness_documents != other.witness_documents),
            ("meeting_documents", self.meeting_documents != other.meeting_documents),
            ("transcripts", self.transcripts != other.transcripts),
            ("bills", self.bills != other.bills),
            ("videos", self.videos != other.videos),
        ];
        statements.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
    }
}

/// The part of a witness document's file name that names the witness: the ASCII letters of everything after
/// the first space of the name, then the first ASCII letter of what stands before it, for example
/// `TurnerLeeN` for `Nicol Turner Lee`.
///
/// This follows the Clerk's file names (`HHRG-118-II24-Wstate-OsceolaM-20230324.pdf`); it is the only
/// statement the API makes about whose document it is.
pub fn witness_token(name: &str) -> String {
    let (first, rest) = name.split_once(' ').unwrap_or(("", name));
    let mut token: String = rest.chars().filter(char::is_ascii_alphabetic).collect();
    token.extend(first.chars().find(char::is_ascii_alphabetic));
    token
}

/// The address congress.gov's list states for a meeting; also the earlier schema's `url`.
pub fn meeting_url(congress: i64, chamber: &str, event_id: &str) -> String {
    let chamber = chamber.to_lowercase();
    format!("https://api.congress.gov/v3/committee-meeting/{congress}/{chamber}/{event_id}?format=json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_survives_its_text() {
        for text in ["2141, Rayburn House Office Building", "1 Long Street, Port Example, ZZ", "Webex", ", x"]
        {
            assert_eq!(Location::from_text(text).unwrap().text(), text);
        }
        assert!(matches!(Location::from_text("2141, Rayburn"), Some(Location::Room { .. })));
        assert_eq!(Location::from_text(""), None);
    }

    #[test]
    fn a_token_takes_the_letters_the_clerk_takes() {
        assert_eq!(witness_token("Nicol Turner Lee"), "TurnerLeeN");
        assert_eq!(witness_token("Zoë Núñez, Jr."), "NezJrZ");
        assert_eq!(witness_token("Prince"), "Prince");
    }
}
