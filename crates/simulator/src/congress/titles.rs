//! Titles of invented meetings, from a few words to a few thousand characters.
//!
//! Owns their forms: a quoted theme, an oversight hearing, the Senate's "Hearings to examine", a list of
//! nominations, a markup's agenda over many lines. Whose meeting it is and that it is a demo is the caller's
//! to say.

use super::people::person;
use super::vocabulary as words;
use crate::random::Random;

/// A title for a meeting of this type, without the demo mark.
pub(super) fn title(random: &mut Random, meeting_type: &str) -> String {
    if meeting_type == "Markup" {
        return agenda(random);
    }
    let topic = random.word(&words::TOPICS);
    match random.below(10) {
        0..=2 => format!("“{topic}: {}”", random.word(&words::QUESTIONS)),
        3..=4 => format!("Oversight hearing titled “{topic}.”"),
        5..=6 => format!("Hearings to examine\u{a0}{topic}."),
        7 => nominations(random),
        8 => agenda(random),
        _ => format!("{topic} – {}", random.word(&words::QUESTIONS)),
    }
}

/// A markup's agenda: numbered bills on lines of their own, up to a few thousand characters.
fn agenda(random: &mut Random) -> String {
    let mut text = "Full Committee Markup of the following:".to_owned();
    for number in 1..=random.between(1, 24) {
        let bullet = if random.percent(20) { "•\t".to_owned() } else { format!("{number}) ") };
        let line = format!(
            "\r\n\r\n{bullet}H.R. {}, the {}, as offered by Ms. {} of {};",
            random.between(1, 4_999),
            random.word(&words::ACTS),
            random.word(&words::LAST_NAMES),
            random.word(&words::STATES),
        );
        text.push_str(&line);
    }
    text.push_str("\r\n \r\nand several postal naming measures.");
    text
}

fn nominations(random: &mut Random) -> String {
    let mut parts = Vec::new();
    for _ in 0..random.between(1, 9) {
        let person = person(random);
        let office = person.position.as_deref().unwrap_or("Member");
        let body = person.organization.as_deref().unwrap_or("Federal Office of Tidal Works");
        parts.push(format!(
            "{}, of {}, to be {office} of the {body}",
            person.name,
            random.word(&words::STATES)
        ));
    }
    format!("Hearings to examine the nominations of {}.", parts.join(", and "))
}
