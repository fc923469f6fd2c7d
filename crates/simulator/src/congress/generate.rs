//! Invented meetings of the shape of real ones, from a seed.
//!
//! Owns the drawing of whole corpora and of single new meetings. It deliberately copies no real meeting: the
//! words come from `vocabulary`, the proportions (length of titles, numbers of witnesses, meetings without
//! title and date) from what a year of real meetings looks like.
//!
//! Invariants:
//! - Meeting `i` of a seed is the same whatever the size of the corpus.
//! - Every title that is not empty begins with `Demo: `.

use jiff::civil::{Date, date};

use super::model::{
    Bill, Committee, Corpus, Location, Meeting, MeetingDate, MeetingDocument, Transcript, Video,
    WitnessDocument, meeting_url, witness_token,
};
use super::people::witnesses;
use super::titles::title;
use super::vocabulary as words;
use crate::random::Random;

/// The congress all generated meetings belong to.
pub const CONGRESS: i64 = 119;
/// What every generated title begins with.
pub const DEMO_MARK: &str = "Demo: ";

const FIRST_DAY: Date = date(2025, 1, 14);
/// The first event id of generated House meetings.
pub(super) const FIRST_HOUSE_EVENT: usize = 117_200;
/// The first event id of generated Senate meetings.
pub(super) const FIRST_SENATE_EVENT: usize = 336_500;

/// `count` invented meetings and the committees that hold them.
pub fn corpus(count: usize, seed: u64) -> Corpus {
    let committees = committees();
    let draw = Draw::new(&committees);
    let meetings = (0..count)
        .map(|place| {
            let mut random = Random::named(seed, &["meeting", &place.to_string()]);
            let house = place % 2 == 0;
            let (chamber, first) =
                if house { ("House", FIRST_HOUSE_EVENT) } else { ("Senate", FIRST_SENATE_EVENT) };
            // The two series meet only beyond 400,000 meetings; from there House ids continue above both.
            let offset = place / 2;
            let event_id = if house && offset >= 200_000 { 10_000_000 + offset } else { first + offset };
            let mut meeting = draw.meeting(&mut random, event_id.to_string(), chamber);
            meeting.update_date = Some(update_date(&mut random));
            meeting
        })
        .collect();
    Corpus { committees, meetings }
}

/// The invented committees.
pub fn committees() -> Vec<Committee> {
    words::COMMITTEES
        .iter()
        .map(|(code, name)| {
            let chamber = match code.as_bytes()[0] {
                b'h' => "House",
                b's' => "Senate",
                _ => "Joint",
            };
            let parent = (!code.ends_with("00")).then(|| format!("{}00", &code[..4]));
            let committee_type = match (chamber, &parent) {
                ("Joint", _) => "Joint",
                (_, Some(_)) => "Subcommittee",
                _ if code.starts_with("hl") => "Select",
                _ => "Standing",
            };
            Committee {
                system_code: (*code).to_owned(),
                name: (*name).to_owned(),
                chamber: chamber.to_owned(),
                committee_type: committee_type.to_owned(),
                parent,
                url: Some(format!(
                    "https://api.congress.gov/v3/committee/{}/{code}?format=json",
                    chamber.to_lowercase()
                )),
                congress: CONGRESS,
            }
        })
        .collect()
}

fn update_date(random: &mut Random) -> String {
    let day = day_after(FIRST_DAY, random.below(260));
    format!("{day}T{:02}:{:02}:{:02}Z", random.below(20), random.below(60), random.below(60))
}

/// The day `days` after `first`; `first` itself where the calendar ends.
pub(super) fn day_after(first: Date, days: usize) -> Date {
    first.checked_add(jiff::Span::new().days(days.min(3_000) as i64)).unwrap_or(first)
}

/// Draws meetings that are held by the committees it was given.
pub(super) struct Draw<'a> {
    house: Vec<&'a str>,
    senate: Vec<&'a str>,
}

impl<'a> Draw<'a> {
    pub(super) fn new(committees: impl IntoIterator<Item = &'a Committee>) -> Self {
        let mut draw = Self { house: Vec::new(), senate: Vec::new() };
        for committee in committees {
            match committee.chamber.as_str() {
                "House" => draw.house.push(&committee.system_code),
                "Senate" => draw.senate.push(&committee.system_code),
                _ => {}
            }
        }
        draw
    }

    /// A whole meeting, without an update date.
    pub(super) fn meeting(&self, random: &mut Random, event_id: String, chamber: &str) -> Meeting {
        let house = chamber == "House";
        // One in a hundred is a placeholder: no title, no date, nothing attached, as congress.gov has them.
        if random.percent(1) {
            return self.placeholder(random, event_id, chamber);
        }
        // The Senate calls everything a meeting.
        let meeting_type = if !house || random.percent(12) {
            "Meeting"
        } else if random.percent(15) {
            "Markup"
        } else {
            "Hearing"
        };
        let title = format!("{DEMO_MARK}{}", title(random, meeting_type));
        let day = day_after(FIRST_DAY, random.below(280));
        let time = (!random.percent(1)).then(|| random.word(&words::TIMES).to_owned());
        let status = match random.below(50) {
            0 => "Canceled",
            1 | 2 => "Postponed",
            3 => "Rescheduled",
            _ => "Scheduled",
        };
        let witnesses = if meeting_type == "Markup" { Vec::new() } else { witnesses(random) };
        let committees = self.committees(random, house);
        let code = committees.first().map_or_else(|| "QZ00".to_owned(), |code| code[2..].to_uppercase());
        let file_stem = format!("HHRG-{CONGRESS}-{code}");
        let folder =
            format!("https://www.congress.gov/{CONGRESS}/meeting/{}/{event_id}", chamber.to_lowercase());
        let stamp = day.to_string().replace('-', "");
        let mut witness_documents = Vec::new();
        for (place, witness) in witnesses.iter().enumerate() {
            for (odds, kind, document_type) in [
                (60, "Wstate", "Witness Statement"),
                (25, "Bio", "Witness Biography"),
                (15, "TTF", "Witness Truth in Testimony"),
                (3, "Supp", "Witness Supporting Document"),
            ] {
                if house && random.percent(odds) {
                    let token = witness_token(&witness.name);
                    witness_documents.push(WitnessDocument {
                        witness: place,
                        document_type: document_type.to_owned(),
                        format: Some("PDF".to_owned()),
                        url: format!("{folder}/witnesses/{file_stem}-{kind}-{token}-{stamp}.pdf"),
                    });
                }
            }
        }
        let documents = if house { random.below(4) } else { 0 };
        let meeting_documents = (0..documents)
            .map(|place| {
                meeting_document(
                    random,
                    &format!("{folder}/documents/{file_stem}-{stamp}-SD{:03}.pdf", place + 1),
                )
            })
            .collect();
        let printed = house && day < date(2025, 5, 1) && random.percent(30);
        let transcripts = printed.then(|| {
            let jacket = 58_000 + random.below(4_000);
            Transcript {
                jacket_number: Some(jacket.to_string()),
                url: Some(format!(
                    "https://api.congress.gov/v3/hearing/{CONGRESS}/house/{jacket}?format=json"
                )),
            }
        });
        let videos = random
            .percent(40)
            .then(|| Video { name: title.clone(), url: video_url(random, chamber, &event_id) });
        Meeting {
            congress: CONGRESS,
            chamber: chamber.to_owned(),
            meeting_type: meeting_type.to_owned(),
            status: status.to_owned(),
            date: Some(MeetingDate { day: day.to_string(), time }),
            location: location(random, house),
            url: Some(meeting_url(CONGRESS, chamber, &event_id)),
            update_date: None,
            committees,
            witnesses,
            witness_documents: Some(witness_documents),
            meeting_documents,
            transcripts: Some(transcripts.into_iter().collect()),
            bills: bills(random),
            videos: videos.into_iter().collect(),
            title,
            event_id,
        }
    }

    fn placeholder(&self, random: &mut Random, event_id: String, chamber: &str) -> Meeting {
        Meeting {
            congress: CONGRESS,
            chamber: chamber.to_owned(),
            title: String::new(),
            meeting_type: if chamber == "House" { "Hearing" } else { "Meeting" }.to_owned(),
            status: "Scheduled".to_owned(),
            date: None,
            location: None,
            url: Some(meeting_url(CONGRESS, chamber, &event_id)),
            update_date: None,
            committees: self.committees(random, chamber == "House"),
            witnesses: Vec::new(),
            witness_documents: Some(Vec::new()),
            meeting_documents: Vec::new(),
            transcripts: Some(Vec::new()),
            bills: Vec::new(),
            videos: Vec::new(),
            event_id,
        }
    }

    fn committees(&self, random: &mut Random, house: bool) -> Vec<String> {
        let from = if house { &self.house } else { &self.senate };
        let wanted = match random.below(20) {
            0..=15 => 1,
            16..=18 => 2,
            _ => 3,
        };
        let mut drawn: Vec<String> = Vec::new();
        for _ in 0..wanted.min(from.len()) {
            let code = random.word(from);
            if !drawn.iter().any(|have| have == code) {
                drawn.push(code.to_owned());
            }
        }
        drawn
    }
}

/// A location that a real meeting of the chamber could have, or none.
pub(super) fn location(random: &mut Random, house: bool) -> Option<Location> {
    match random.below(20) {
        0 => None,
        1 => {
            let state = random.word(&words::STATES);
            Some(Location::Address(format!(
                "{} Demo Street, Saltmarsh, {state}, 00000",
                random.between(1, 999)
            )))
        }
        _ => {
            let buildings = if house { &words::HOUSE_BUILDINGS } else { &words::SENATE_BUILDINGS };
            let room = if house {
                random.between(1_100, 2_400).to_string()
            } else {
                format!("SD-{}", random.between(106, 699))
            };
            Some(Location::Room { room, building: random.word(buildings).to_owned() })
        }
    }
}

/// A document of a meeting at `url`.
pub(super) fn meeting_document(random: &mut Random, url: &str) -> MeetingDocument {
    let (document_type, name) = *random.pick(&[
        ("Support Document", "Hearing Notice"),
        ("Hearing: Witness List", "Witness List"),
        ("Member Statements", "Statement of the Chair"),
        ("Committee Amendment", "Amendment in the Nature of a Substitute"),
        ("Bills and Resolutions", "Text as Introduced"),
        ("Generic Document", "Letters for the Record – Various"),
    ]);
    let description = random.percent(30).then(|| format!("On {}", random.word(&words::TOPICS)));
    MeetingDocument {
        name: Some(name.to_owned()),
        description,
        document_type: document_type.to_owned(),
        format: Some("PDF".to_owned()),
        url: Some(url.to_owned()),
    }
}

fn bills(random: &mut Random) -> Vec<Bill> {
    let wanted = if random.percent(25) { random.between(1, 5) } else { 0 };
    let mut drawn: Vec<Bill> = Vec::new();
    for _ in 0..wanted {
        let bill_type = random.word(&["HR", "HR", "HR", "S", "S", "HJRES", "SJRES", "HCONRES", "SRES"]);
        let number = random.between(1, 4_999) as i64;
        let url = format!(
            "https://api.congress.gov/v3/bill/{CONGRESS}/{}/{number}?format=json",
            bill_type.to_lowercase()
        );
        if !drawn.iter().any(|bill| bill.number == number && bill.bill_type == bill_type) {
            drawn.push(Bill { congress: CONGRESS, bill_type: bill_type.to_owned(), number, url: Some(url) });
        }
    }
    drawn
}

fn video_url(random: &mut Random, chamber: &str, event_id: &str) -> String {
    // An identifier of the length YouTube uses; `Demo` inside it keeps it from being anybody's.
    let tail: String = (0..7).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
    match random.below(3) {
        0 => {
            let chamber = chamber.to_lowercase();
            format!("https://www.congress.gov/event/{CONGRESS}th-congress/{chamber}-event/{event_id}")
        }
        1 => format!("https://www.congress.gov/committees/video/demo/hsqa00/Demo{tail}"),
        _ => format!("https://www.youtube.com/watch?v=Demo{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_meetings_at_every_size() {
        let small = corpus(40, 9);
        let large = corpus(400, 9);
        assert_eq!(small.meetings[..], large.meetings[..40]);
        assert_ne!(small.meetings, corpus(40, 10).meetings);
    }

    #[test]
    fn generated_meetings_have_every_shape_the_mapping_must_survive() {
        let corpus = corpus(2_000, 1);
        let ids: HashSet<&str> = corpus.meetings.iter().map(|meeting| meeting.event_id.as_str()).collect();
        assert_eq!(ids.len(), 2_000);
        let titles = || corpus.meetings.iter().map(|meeting| meeting.title.as_str());
        assert!(titles().all(|title| title.is_empty() || title.starts_with(DEMO_MARK)));
        assert!(titles().any(str::is_empty));
        assert!(titles().any(|title| title.contains("\r\n")));
        assert!(titles().any(|title| title.contains('“') && title.contains('”')));
        assert!(titles().any(|title| title.contains('\u{a0}')));
        assert!(titles().any(|title| title.len() > 1_500));
        let some = |test: &dyn Fn(&Meeting) -> bool| corpus.meetings.iter().any(test);
        for wanted in 0..=6 {
            assert!(some(&|meeting| meeting.witnesses.len() == wanted), "{wanted} witnesses");
        }
        for wanted in 1..=3 {
            assert!(some(&|meeting| meeting.committees.len() == wanted), "{wanted} committees");
        }
        assert!(some(&|meeting| meeting.date.as_ref().is_some_and(|date| date.time.is_none())));
        assert!(some(&|meeting| matches!(meeting.location, Some(Location::Address(_)))));
        assert!(some(&|meeting| meeting.location.is_none()));
        assert!(some(&|meeting| meeting.jacket_number().is_some()));
        assert!(some(&|meeting| meeting.bills.len() > 1));
        assert!(some(&|meeting| !meeting.videos.is_empty()));
        assert!(some(&|meeting| meeting.witnesses.iter().any(|witness| !witness.name.is_ascii())));
        assert!(
            corpus
                .meetings
                .iter()
                .all(|meeting| meeting.chamber != "Senate" || meeting.meeting_type == "Meeting")
        );
    }
}
