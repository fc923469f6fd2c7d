//! Plants changes and bad meetings in a corpus, and says exactly what it planted.
//!
//! Owns the choice of meetings, the edits, and the update dates. It deliberately keeps the corpus it was
//! given apart from what is served, so that a test can compare the two.
//!
//! Invariants:
//! - Every good change and every bad meeting is on a meeting of its own; none is on two lists.
//! - A good change differs from the corpus in at least one field other than the update date, and leaves a
//!   meeting that a careful client takes.
//! - A bad meeting that the corpus had differs from it in its defect and its update date only.
//! - Every planted or touched meeting has an update date of its own, newer than any in the corpus.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::defects::{BadReason, Defect};
use super::edit;
use super::generate::{Draw, FIRST_HOUSE_EVENT, FIRST_SENATE_EVENT};
use super::manifest::{ChangeKind, Manifest, PlannedFaults, Planted, PlantedBad, PlantedChange, Updated};
use super::model::{Committee, Corpus, Meeting, meeting_url};
use crate::SimulatorError;
use crate::random::Random;

/// What to plant.
#[derive(Debug, Clone, Default)]
pub struct Mutation {
    /// How many good changes.
    pub changes: usize,
    /// How many bad meetings.
    pub bad: usize,
    /// The seed of every choice, and of the style of everything served.
    pub seed: u64,
    /// How many other meetings get a newer update date and nothing else; by default one in forty.
    pub touched: Option<usize>,
    /// Update dates of what is planted come after this instant (`YYYY-MM-DDTHH:MM:SSZ`) as well as after
    /// everything in the corpus. A caller whose client asks for the last days by the clock sets it.
    pub updated_after: Option<String>,
}

/// A meeting as it is served.
#[derive(Debug, Clone)]
pub struct Served {
    /// The meeting, good.
    pub meeting: Meeting,
    /// What is wrong with it, if anything is.
    pub defect: Option<Defect>,
    /// Containers (by the API's name) that a change has emptied: they are sent empty instead of left out.
    pub emptied: Vec<&'static str>,
}

/// Everything a server needs: meetings, committees, and the account of what was planted.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Committees by which the meetings are rendered.
    pub committees: Vec<Committee>,
    /// What is served.
    pub served: Vec<Served>,
    /// What was planted. The address and the faults are filled in by the server.
    pub manifest: Manifest,
}

/// The kinds of good changes in the order they are dealt; a corpus that cannot take one takes the next.
const KINDS: [ChangeKind; 9] = [
    ChangeKind::Title,
    ChangeKind::Status,
    ChangeKind::Date,
    ChangeKind::Location,
    ChangeKind::WitnessAdded,
    ChangeKind::WitnessRemoved,
    ChangeKind::DocumentAdded,
    ChangeKind::Committee,
    ChangeKind::New,
];

impl Scenario {
    /// The corpus as it is: no change, nothing bad.
    pub fn unchanged(corpus: &Corpus, seed: u64) -> Self {
        let manifest = Manifest {
            address: String::new(),
            seed,
            hearings: corpus.meetings.len(),
            listed: corpus.meetings.len(),
            planted: Planted::default(),
            changes: Vec::new(),
            bad: Vec::new(),
            touched: Vec::new(),
            updated: None,
            faults: PlannedFaults::default(),
        };
        let served = corpus.meetings.iter().cloned().map(Served::good).collect();
        Self { committees: corpus.committees.clone(), served, manifest }
    }

    /// The corpus with exactly `mutation.changes` good changes and `mutation.bad` bad meetings.
    ///
    /// One in nine good changes is a new meeting and about half of the bad ones are; the others need a
    /// meeting of the corpus each.
    ///
    /// # Errors
    /// [`SimulatorError::NotEnoughMeetings`] when the corpus has too few meetings, and
    /// [`SimulatorError::NotAnInstant`] when an update date cannot be read.
    pub fn mutate(corpus: &Corpus, mutation: &Mutation) -> Result<Self, SimulatorError> {
        let Mutation { changes, bad, .. } = *mutation;
        let (needed, available) = (needed_meetings(changes, bad), corpus.meetings.len());
        if needed > available {
            return Err(SimulatorError::NotEnoughMeetings { changes, bad, needed, available });
        }
        let mut planting = Planting::new(corpus, mutation)?;
        for place in 0..mutation.changes {
            planting.plant_change(KINDS[place % KINDS.len()]);
        }
        for place in 0..mutation.bad {
            let reasons = BadReason::ALL;
            // Every other one is on a meeting of the corpus, and which reasons those are alternates.
            let existing = (place + place / reasons.len()).is_multiple_of(2);
            planting.plant_bad(reasons[place % reasons.len()], existing);
        }
        planting.touch(mutation.touched.unwrap_or(corpus.meetings.len() / 40));
        Ok(planting.finish())
    }
}

impl Served {
    fn good(meeting: Meeting) -> Self {
        Self { meeting, defect: None, emptied: Vec::new() }
    }
}

/// What is to be said about a meeting once the order of update dates is known.
enum Note {
    Change(ChangeKind, Vec<String>),
    Bad(BadReason, bool),
    Touched,
}

struct Planting<'a> {
    corpus: &'a Corpus,
    scenario: Scenario,
    /// Meetings of the corpus that nothing has happened to, as indexes, in random order.
    untouched: Vec<usize>,
    notes: Vec<(usize, Note)>,
    event_ids: HashSet<String>,
    next_event: [u64; 2],
    newest: Timestamp,
    random: Random,
    /// Committees that some meeting names; new links go to these only, so that no change needs a new
    /// committee.
    linked: Vec<&'a Committee>,
}

impl<'a> Planting<'a> {
    fn new(corpus: &'a Corpus, mutation: &Mutation) -> Result<Self, SimulatorError> {
        let mut newest = Timestamp::UNIX_EPOCH;
        let mut next_event = [FIRST_HOUSE_EVENT as u64, FIRST_SENATE_EVENT as u64];
        for meeting in &corpus.meetings {
            if let Some(text) = &meeting.update_date {
                newest = newest.max(instant(text, &format!("updateDate of {}", meeting.event_id))?);
            }
            if let Ok(number) = meeting.event_id.parse::<u64>() {
                let series = &mut next_event[usize::from(meeting.chamber != "House")];
                *series = (*series).max(number + 1);
            }
        }
        if let Some(text) = &mutation.updated_after {
            newest = newest.max(instant(text, "updated_after")?);
        }
        let mut random = Random::named(mutation.seed, &["mutate"]);
        let mut untouched: Vec<usize> = (0..corpus.meetings.len()).collect();
        random.shuffle(&mut untouched);
        let named: HashSet<&str> =
            corpus.meetings.iter().flat_map(|meeting| &meeting.committees).map(String::as_str).collect();
        let linked =
            corpus.committees.iter().filter(|committee| named.contains(committee.system_code.as_str()));
        Ok(Self {
            corpus,
            scenario: Scenario::unchanged(corpus, mutation.seed),
            untouched,
            notes: Vec::new(),
            event_ids: corpus.meetings.iter().map(|meeting| meeting.event_id.clone()).collect(),
            next_event,
            newest,
            random,
            linked: linked.collect(),
        })
    }

    /// Plants a change of this kind, or of the next kind that some untouched meeting can take.
    ///
    /// A title can always be edited, so an existing meeting is found as long as one is untouched.
    fn plant_change(&mut self, wanted: ChangeKind) {
        let first = KINDS.iter().position(|kind| *kind == wanted).unwrap_or(0);
        let edits =
            KINDS.iter().cycle().skip(first).take(KINDS.len()).filter(|kind| **kind != ChangeKind::New);
        for kind in edits.filter(|_| wanted != ChangeKind::New) {
            for place in (0..self.untouched.len()).rev() {
                let index = self.untouched[place];
                let before = &self.corpus.meetings[index];
                let mut after = before.clone();
                edit::apply(*kind, &mut after, &mut self.random, &self.linked);
                let fields = before.differences(&after);
                if fields.is_empty() {
                    continue;
                }
                self.untouched.remove(place);
                self.scenario.served[index] =
                    Served { emptied: emptied(before, &after), meeting: after, defect: None };
                let fields = fields.into_iter().map(str::to_owned).collect();
                self.notes.push((index, Note::Change(*kind, fields)));
                return;
            }
        }
        let meeting = self.new_meeting();
        let fields = stated(&meeting);
        let index = self.push(Served::good(meeting));
        self.notes.push((index, Note::Change(ChangeKind::New, fields)));
    }

    /// Plants a bad meeting: on one of the corpus where `existing` and one is fit for it, else on a new one.
    fn plant_bad(&mut self, reason: BadReason, existing: bool) {
        let defect = Some(Defect::draw(reason, &mut self.random));
        let needs_committee = reason == BadReason::CommitteeWithoutCode;
        let fits = |meeting: &Meeting| !needs_committee || !meeting.committees.is_empty();
        if existing && reason != BadReason::EventIdNotNumeric {
            let place = self.untouched.iter().rposition(|index| fits(&self.corpus.meetings[*index]));
            if let Some(place) = place {
                let index = self.untouched.remove(place);
                self.scenario.served[index].defect = defect;
                self.notes.push((index, Note::Bad(reason, true)));
                return;
            }
        }
        let mut meeting = self.new_meeting();
        if !fits(&meeting) {
            // Only a corpus without committees gets here; the entry will lack its code anyway.
            meeting.committees.push("hsqa00".to_owned());
        }
        if reason == BadReason::EventIdNotNumeric {
            meeting.event_id = self.hexadecimal_id();
            meeting.url = Some(meeting_url(meeting.congress, &meeting.chamber, &meeting.event_id));
        }
        let index = self.push(Served { meeting, defect, emptied: Vec::new() });
        self.notes.push((index, Note::Bad(reason, false)));
    }

    fn touch(&mut self, wanted: usize) {
        for _ in 0..wanted.min(self.untouched.len()) {
            if let Some(index) = self.untouched.pop() {
                self.notes.push((index, Note::Touched));
            }
        }
    }

    /// Gives everything planted its update date and writes the manifest.
    fn finish(mut self) -> Scenario {
        let mut notes = std::mem::take(&mut self.notes);
        self.random.shuffle(&mut notes);
        let mut at = self.newest + SignedDuration::from_hours(1);
        let mut dates = Vec::new();
        for (index, note) in notes {
            at += SignedDuration::from_secs(self.random.between(1, 9) as i64);
            let meeting = &mut self.scenario.served[index].meeting;
            meeting.update_date = Some(at.to_string());
            dates.push(at.to_string());
            let event_id = meeting.event_id.clone();
            let manifest = &mut self.scenario.manifest;
            match note {
                Note::Change(kind, fields) => manifest.changes.push(PlantedChange { event_id, kind, fields }),
                Note::Bad(reason, existing) => manifest.bad.push(PlantedBad { event_id, reason, existing }),
                Note::Touched => manifest.touched.push(event_id),
            }
        }
        let manifest = &mut self.scenario.manifest;
        manifest.listed = self.scenario.served.len();
        manifest.planted = Planted { changes: manifest.changes.len(), bad: manifest.bad.len() };
        if let (Some(from), Some(to)) = (dates.first().cloned(), dates.last().cloned()) {
            manifest.updated = Some(Updated { from, to });
        }
        self.scenario
    }

    fn push(&mut self, served: Served) -> usize {
        self.scenario.served.push(served);
        self.scenario.served.len() - 1
    }

    fn new_meeting(&mut self) -> Meeting {
        let chamber = self.random.word(&["House", "Senate"]);
        let event_id = loop {
            let next = &mut self.next_event[usize::from(chamber != "House")];
            let event_id = next.to_string();
            *next += 1;
            if self.event_ids.insert(event_id.clone()) {
                break event_id;
            }
        };
        let draw = Draw::new(self.linked.iter().copied());
        loop {
            let meeting = draw.meeting(&mut self.random, event_id.clone(), chamber);
            // A new meeting has something to say; placeholders belong to the corpus.
            if !meeting.title.is_empty() {
                return meeting;
            }
        }
    }

    /// An identifier of the kind that reached congress.gov's list by accident: 24 hexadecimal digits, one of
    /// them certainly a letter.
    fn hexadecimal_id(&mut self) -> String {
        loop {
            let id = format!("{:016x}{:07x}f", self.random.next(), self.random.next() & 0x0FFF_FFFF);
            if self.event_ids.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// How many meetings of the corpus a mutation uses up.
fn needed_meetings(changes: usize, bad: usize) -> usize {
    let reasons = BadReason::ALL;
    let existing = (0..bad)
        .filter(|place| (place + place / reasons.len()).is_multiple_of(2))
        .filter(|place| reasons[place % reasons.len()] != BadReason::EventIdNotNumeric)
        .count();
    changes - changes / KINDS.len() + existing
}

fn instant(text: &str, what: &str) -> Result<Timestamp, SimulatorError> {
    text.parse().map_err(|_| SimulatorError::NotAnInstant { text: text.to_owned(), what: what.to_owned() })
}

/// The fields a new meeting states, in the words of [`Meeting::differences`].
fn stated(meeting: &Meeting) -> Vec<String> {
    let nothing = Meeting {
        event_id: meeting.event_id.clone(),
        congress: 0,
        chamber: String::new(),
        title: String::new(),
        meeting_type: String::new(),
        status: String::new(),
        date: None,
        location: None,
        url: None,
        update_date: None,
        committees: Vec::new(),
        witnesses: Vec::new(),
        witness_documents: Some(Vec::new()),
        meeting_documents: Vec::new(),
        transcripts: Some(Vec::new()),
        bills: Vec::new(),
        videos: Vec::new(),
    };
    nothing.differences(meeting).into_iter().map(str::to_owned).collect()
}

/// Containers that had entries before and have none after.
fn emptied(before: &Meeting, after: &Meeting) -> Vec<&'static str> {
    let documents = |meeting: &Meeting| meeting.witness_documents.as_ref().map_or(0, Vec::len);
    let containers = [
        ("committees", before.committees.len(), after.committees.len()),
        ("witnesses", before.witnesses.len(), after.witnesses.len()),
        ("witnessDocuments", documents(before), documents(after)),
        ("meetingDocuments", before.meeting_documents.len(), after.meeting_documents.len()),
        ("videos", before.videos.len(), after.videos.len()),
    ];
    let now_empty = containers.into_iter().filter(|(_, before, after)| *before > 0 && *after == 0);
    now_empty.map(|(name, ..)| name).collect()
}
