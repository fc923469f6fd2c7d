//! What was handed in and out: documents of witnesses, of the meeting, and printed transcripts.
//!
//! Owns the matching of stated documents with rows, mostly by address. Whose document a witness document is, the
//! source says only in its file name (`HHRG-118-II24-Wstate-OsceolaM-20230324.pdf`, the Clerk's form). One that no
//! witness of the hearing fits is kept among the supporting documents, under the source's own type, instead of being
//! guessed or dropped.
//!
//! Invariants:
//! - A document that has a place already keeps it, whatever its file name says.
//! - A row without an address can be stated by nobody among the witness documents, so it stays.
//! - A supporting document with a witness document's type is removed only by a record that states both containers,
//!   because either may have put it there.

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext};

use super::witnesses::Appearance;
use super::{Hearing, children, now};
use crate::api::{DocumentStatement, TranscriptStatement};

/// The source's words for the types of witness documents, and the schema's.
pub const WITNESS_DOCUMENT_TYPES: [(&str, &str); 5] = [
    ("Witness Statement", "Statement"),
    ("Witness Biography", "Biography"),
    ("Witness Truth in Testimony", "Truth Statement"),
    ("Questions for Record", "Questions for Record"),
    ("Witness Supporting Document", "Supplemental"),
];

pub(super) fn propose(
    hearing: &Hearing<'_>,
    appearances: &[Appearance],
    context: &mut PlanContext<'_>,
) -> Result<(), EngineError> {
    let homeless = witness_documents(hearing, appearances, context)?;
    supporting_documents(hearing, &homeless, context)?;
    transcripts(hearing, context)
}

/// Proposes the documents of witnesses; returns those that fit no witness.
fn witness_documents<'meeting>(
    hearing: &Hearing<'meeting>,
    appearances: &[Appearance],
    context: &mut PlanContext<'_>,
) -> Result<Vec<&'meeting DocumentStatement>, EngineError> {
    let Some(stated) = &hearing.meeting.witness_documents else { return Ok(Vec::new()) };
    let mut known = Vec::new();
    for appearance in appearances.iter().filter(|appearance| !appearance.is_new) {
        known.extend(context.find("witness_documents", &[("appearance_id", Value::Integer(appearance.id))])?);
    }
    for row in &known {
        let url = row.get("document_url").as_text();
        if url.is_some() && !stated.iter().any(|document| document.url.as_deref() == url) {
            context.delete(row)?;
        }
    }
    let mut homeless = Vec::new();
    for document in stated {
        let url = document.url.as_deref();
        let mut values = vec![
            ("document_type", document_type(document)),
            ("format_type", Value::optional_text(document.format.as_deref())),
        ];
        let place = known.iter().find(|row| row.get("document_url").as_text() == url);
        if let Some(row) = place {
            if context.differs(row, &values)? {
                values.push(("updated_at", now(context)));
                context.update(row, &values)?;
            }
        } else if let Some(appearance) = author(url.unwrap_or_default(), appearances) {
            let now = now(context);
            values.extend([
                ("document_id", Value::Integer(context.next_id("witness_documents")?)),
                ("appearance_id", Value::Integer(appearance.id)),
                ("document_url", Value::optional_text(url)),
                ("created_at", now.clone()),
                ("updated_at", now),
            ]);
            context.insert("witness_documents", &values)?;
        } else {
            homeless.push(document);
        }
    }
    Ok(homeless)
}

/// The schema's word for a document's type; a word that is not known goes to the database, which refuses it.
fn document_type(document: &DocumentStatement) -> Value {
    let word = document.document_type.as_deref();
    let known = word.and_then(|word| WITNESS_DOCUMENT_TYPES.iter().find(|(api, _)| *api == word.trim()));
    known.map_or_else(|| Value::optional_text(word), |(_, column)| Value::text(*column))
}

/// The only witness whose mark is in the file name, or the only witness there is.
fn author<'a>(url: &str, appearances: &'a [Appearance]) -> Option<&'a Appearance> {
    let file = url.rsplit('/').next().unwrap_or_default();
    let mut marked = appearances.iter().filter(|appearance| {
        let mark = mark(&appearance.name);
        !mark.is_empty() && file.split(['-', '.']).any(|part| part == mark)
    });
    match (marked.next(), marked.next(), appearances) {
        (Some(only), None, _) | (None, None, [only]) => Some(only),
        _ => None,
    }
}

/// The part of a file name that names a witness in the Clerk's form: the letters of all names but the first, then the
/// first one's initial: `TurnerLeeN` for Nicol Turner Lee.
pub fn mark(name: &str) -> String {
    let (first, others) = name.split_once(' ').unwrap_or(("", name));
    let mut mark: String = others.chars().filter(char::is_ascii_alphabetic).collect();
    mark.extend(first.chars().find(char::is_ascii_alphabetic));
    mark
}

fn supporting_documents(
    hearing: &Hearing<'_>,
    homeless: &[&DocumentStatement],
    context: &mut PlanContext<'_>,
) -> Result<(), EngineError> {
    let meeting = hearing.meeting;
    if meeting.meeting_documents.is_none() && homeless.is_empty() && meeting.witness_documents.is_none() {
        return Ok(());
    }
    let known = children(hearing, "supporting_documents", context)?;
    let stated: Vec<Vec<(&'static str, Value)>> =
        meeting.meeting_documents.iter().flatten().chain(homeless.iter().copied()).map(columns).collect();
    let matched = pair(&stated, &known, "document_url");
    let both_stated = meeting.meeting_documents.is_some() && meeting.witness_documents.is_some();
    for (_, row) in known.iter().enumerate().filter(|(at, _)| !matched.contains(&Some(*at))) {
        let kind = row.get("document_type").as_text().unwrap_or_default().trim();
        let of_witness = WITNESS_DOCUMENT_TYPES.iter().any(|(api, _)| *api == kind);
        if both_stated || (meeting.meeting_documents.is_some() && !of_witness) {
            context.delete(row)?;
        }
    }
    write(hearing, "supporting_documents", "document_id", stated, &matched, &known, context)
}

fn columns(document: &DocumentStatement) -> Vec<(&'static str, Value)> {
    vec![
        ("document_type", Value::optional_text(document.document_type.as_deref())),
        ("title", Value::optional_text(document.name.as_deref())),
        ("description", Value::optional_text(document.description.as_deref())),
        ("document_url", Value::optional_text(document.url.as_deref())),
        ("format_type", Value::optional_text(document.format.as_deref())),
    ]
}

fn transcripts(hearing: &Hearing<'_>, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    let Some(stated) = &hearing.meeting.transcripts else { return Ok(()) };
    let stated: Vec<Vec<(&'static str, Value)>> = stated
        .iter()
        .filter(|transcript| **transcript != TranscriptStatement::default())
        .map(|transcript| {
            vec![
                ("jacket_number", Value::optional_text(transcript.jacket_number.as_deref())),
                ("document_url", Value::optional_text(transcript.url.as_deref())),
            ]
        })
        .collect();
    let known = children(hearing, "hearing_transcripts", context)?;
    let matched = pair(&stated, &known, "jacket_number");
    for (_, row) in known.iter().enumerate().filter(|(at, _)| !matched.contains(&Some(*at))) {
        context.delete(row)?;
    }
    write(hearing, "hearing_transcripts", "transcript_id", stated, &matched, &known, context)
}

/// For each stated row the known one that it is: first those that agree in everything, then those with the same value
/// in `identity`.
fn pair(stated: &[Vec<(&'static str, Value)>], known: &[CurrentRow], identity: &str) -> Vec<Option<usize>> {
    let mut matched: Vec<Option<usize>> = vec![None; stated.len()];
    let mut taken = vec![false; known.len()];
    for whole in [true, false] {
        for (values, place) in stated.iter().zip(&mut matched).filter(|(_, place)| place.is_none()) {
            let fits = |row: &CurrentRow| {
                values
                    .iter()
                    .filter(|(column, _)| whole || *column == identity)
                    .all(|(column, value)| (whole || !value.is_null()) && row.get(column) == value)
            };
            if let Some(at) = (0..known.len()).find(|at| !taken[*at] && fits(&known[*at])) {
                taken[at] = true;
                *place = Some(at);
            }
        }
    }
    matched
}

/// Proposes updates of the matched rows and inserts the others.
fn write(
    hearing: &Hearing<'_>,
    table: &str,
    id_column: &'static str,
    stated: Vec<Vec<(&'static str, Value)>>,
    matched: &[Option<usize>],
    known: &[CurrentRow],
    context: &mut PlanContext<'_>,
) -> Result<(), EngineError> {
    for (mut values, found) in stated.into_iter().zip(matched) {
        let now = now(context);
        if let Some(row) = found.and_then(|at| known.get(at)) {
            if context.differs(row, &values)? {
                values.push(("updated_at", now));
                context.update(row, &values)?;
            }
        } else {
            values.extend([
                (id_column, Value::Integer(context.next_id(table)?)),
                ("hearing_id", Value::Integer(hearing.id)),
                ("created_at", now.clone()),
                ("updated_at", now),
            ]);
            context.insert(table, &values)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn appearances(names: &[&str]) -> Vec<Appearance> {
        let appearance = |(name, id): (&&str, i64)| Appearance { id, name: (*name).into(), is_new: false };
        names.iter().zip(1..).map(appearance).collect()
    }

    #[test]
    fn a_file_name_says_whose_document_it_is() {
        let hearing = appearances(&["Nicol Turner Lee", "Mary Osceola", "Martin Osceola", "Zoë Núñez, Jr."]);
        let author = |file: &str| {
            author(&format!("https://www.congress.gov/118/x-OsceolaZ/{file}"), &hearing).map(|found| found.id)
        };
        assert_eq!(author("HHRG-118-II24-Wstate-TurnerLeeN-20230324.pdf"), Some(1));
        assert_eq!(author("HHRG-118-II24-Bio-NezJrZ-20230324.pdf"), Some(4));
        // Two witnesses have this mark, and nobody has the next: it is not guessed.
        assert_eq!(author("HHRG-118-II24-Wstate-OsceolaM-20230324.pdf"), None);
        assert_eq!(author("HHRG-118-II24-Wstate-SomebodyE-20230324.pdf"), None);
        let alone = appearances(&["Mary Osceola"]);
        assert_eq!(super::author("https://x/statement.pdf", &alone).map(|found| found.id), Some(1));
        assert_eq!(super::author("https://x/statement.pdf", &[]), None);
    }
}
