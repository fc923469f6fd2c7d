//! The edits of good changes: one function per kind.
//!
//! Owns what an edit does to a meeting. It deliberately does not decide whether the meeting is fit for it: an
//! edit that cannot be made leaves the meeting as it was, and the caller looks for another meeting.
//!
//! Invariants:
//! - No edit differs in white space or letter case alone, which a client may rightly fold away.
//! - Witnesses and documents are added last and the others keep their order, because the API states an order
//!   and no places in it.

use std::collections::HashSet;

use jiff::civil::Date;

use super::generate::{self, day_after};
use super::manifest::ChangeKind;
use super::model::{Committee, Meeting, MeetingDate, MeetingDocument, WitnessDocument, witness_token};
use super::people::person;
use super::vocabulary as words;
use crate::random::Random;

/// Makes an edit of `kind`, or none where the meeting cannot take it.
pub(super) fn apply(kind: ChangeKind, meeting: &mut Meeting, random: &mut Random, committees: &[&Committee]) {
    match kind {
        ChangeKind::Title => title(meeting, random),
        ChangeKind::Status => status(meeting, random),
        ChangeKind::Date => date(meeting, random),
        ChangeKind::Location => {
            if let Some(location) = generate::location(random, meeting.chamber != "Senate") {
                meeting.location = Some(location);
            }
        }
        ChangeKind::WitnessAdded => witness_added(meeting, random),
        ChangeKind::WitnessRemoved => witness_removed(meeting, random),
        ChangeKind::DocumentAdded => document_added(meeting, random),
        ChangeKind::Committee => committee(meeting, random, committees),
        ChangeKind::New => {}
    }
}

fn title(meeting: &mut Meeting, random: &mut Random) {
    if meeting.title.is_empty() {
        meeting.title =
            format!("{}Business meeting on {}.", generate::DEMO_MARK, random.word(&words::TOPICS));
        return;
    }
    match random.below(4) {
        0 => meeting.title.push_str(" (Updated Agenda)"),
        1 => meeting.title = format!("“{}” – Continued", meeting.title),
        2 => {
            let line = format!(
                "\r\n\r\nAdded: H.R. {}, the {}.",
                random.between(1, 4_999),
                random.word(&words::ACTS)
            );
            meeting.title.push_str(&line);
        }
        _ => meeting.title = format!("Day 2: {}", meeting.title),
    }
}

fn status(meeting: &mut Meeting, random: &mut Random) {
    let (first, second) =
        if random.percent(50) { ("Postponed", "Canceled") } else { ("Canceled", "Postponed") };
    meeting.status = if meeting.status == first { second } else { first }.to_owned();
}

fn date(meeting: &mut Meeting, random: &mut Random) {
    let Some(held) = &mut meeting.date else {
        let day = day_after(jiff::civil::date(2025, 6, 2), random.below(60)).to_string();
        meeting.date = Some(MeetingDate { day, time: Some(random.word(&words::TIMES).to_owned()) });
        return;
    };
    let Ok(day) = held.day.parse::<Date>() else { return };
    held.day = day_after(day, random.between(1, 28)).to_string();
    if random.percent(50) {
        held.time = Some(random.word(&words::TIMES).to_owned());
    }
}

fn witness_added(meeting: &mut Meeting, random: &mut Random) {
    let taken: HashSet<String> =
        meeting.witnesses.iter().map(|witness| witness_token(&witness.name)).collect();
    // Two draws in a row are almost never both taken; a meeting so crowded is left as it is.
    for _ in 0..20 {
        let witness = person(random);
        if !taken.contains(&witness_token(&witness.name)) {
            meeting.witnesses.push(witness);
            return;
        }
    }
}

fn witness_removed(meeting: &mut Meeting, random: &mut Random) {
    if meeting.witnesses.is_empty() {
        return;
    }
    let gone = random.below(meeting.witnesses.len());
    let removed = meeting.witnesses.remove(gone);
    if meeting.witnesses.contains(&removed) {
        // The corpus lists this person twice. Which of two equal rows goes would be a guess for the client.
        meeting.witnesses.insert(gone, removed);
        return;
    }
    if let Some(documents) = &mut meeting.witness_documents {
        documents.retain(|document| document.witness != gone);
        for document in documents.iter_mut().filter(|document| document.witness > gone) {
            document.witness -= 1;
        }
    }
}

fn document_added(meeting: &mut Meeting, random: &mut Random) {
    let chamber = meeting.chamber.to_lowercase();
    let folder =
        format!("https://www.congress.gov/{}/meeting/{chamber}/{}", meeting.congress, meeting.event_id);
    let tokens: Vec<String> = meeting.witnesses.iter().map(|witness| witness_token(&witness.name)).collect();
    let own: Vec<usize> = (0..tokens.len())
        .filter(|place| tokens.iter().filter(|token| **token == tokens[*place]).count() == 1)
        .collect();
    let statement = random.percent(50);
    if let (true, Some(documents), false) = (statement, &mut meeting.witness_documents, own.is_empty()) {
        let witness = *random.pick(&own);
        let url =
            format!("{folder}/witnesses/HHRG-{}-QZ00-Wstate-{}-U001.pdf", meeting.congress, tokens[witness]);
        documents.push(WitnessDocument {
            witness,
            document_type: "Witness Statement".to_owned(),
            format: Some("PDF".to_owned()),
            url,
        });
        return;
    }
    let url = format!("{folder}/documents/HHRG-{}-QZ00-SD901.pdf", meeting.congress);
    let document = generate::meeting_document(random, &url);
    meeting.meeting_documents.push(MeetingDocument { description: None, ..document });
}

fn committee(meeting: &mut Meeting, random: &mut Random, committees: &[&Committee]) {
    let others: Vec<&str> = committees
        .iter()
        .filter(|committee| committee.chamber == meeting.chamber)
        .map(|committee| committee.system_code.as_str())
        .filter(|code| !meeting.committees.iter().any(|have| have == code))
        .collect();
    if others.is_empty() {
        return;
    }
    let code = random.word(&others).to_owned();
    if meeting.committees.is_empty() || (meeting.committees.len() < 3 && random.percent(50)) {
        meeting.committees.push(code);
    } else if let Some(last) = meeting.committees.last_mut() {
        *last = code;
    }
}
