//! Who holds a hearing: committees and the links to them.
//!
//! Owns the set of links of one hearing, and what is recorded of a committee that the store does not know. Of a committee
//! that it knows nothing is changed: the meetings' endpoint is not the place that knows committees.
//!
//! Invariant: links are a set by `system_code`; neither their order nor `is_primary` is stated by the source.

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::{CurrentRow, PlanContext};

use super::{Hearing, children, key, now};
use crate::rules::Committee;

pub(super) fn propose(hearing: &Hearing<'_>, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    let Some(stated) = &hearing.meeting.committees else { return Ok(()) };
    let links = children(hearing, "hearing_committees", context)?;
    let mut wanted = Vec::with_capacity(stated.len());
    for committee in stated {
        let row = find_or_insert(committee, hearing.meeting.congress, context)?;
        wanted.push(key(&row, "committee_id")?);
    }
    let mut kept: Vec<(i64, &CurrentRow)> = Vec::new();
    for link in &links {
        let committee = key(link, "committee_id")?;
        if wanted.contains(&committee) {
            kept.push((committee, link));
        } else {
            context.delete(link)?;
        }
    }
    let mut has_primary = kept.iter().any(|(_, link)| *link.get("is_primary") != Value::Boolean(false));
    // A hearing that loses its primary committee gets the first of the others.
    if let (false, true, Some((_, first))) = (has_primary, kept.len() < links.len(), kept.first()) {
        context.update(first, &[("is_primary", Value::Boolean(true))])?;
        has_primary = true;
    }
    for committee in wanted {
        if kept.iter().any(|(known, _)| *known == committee) {
            continue;
        }
        let link = [
            ("hearing_id", Value::Integer(hearing.id)),
            ("committee_id", Value::Integer(committee)),
            ("is_primary", Value::Boolean(!has_primary)),
            ("created_at", now(context)),
        ];
        context.insert("hearing_committees", &link)?;
        has_primary = true;
    }
    Ok(())
}

fn find_or_insert(
    committee: &Committee,
    congress: i64,
    context: &mut PlanContext<'_>,
) -> Result<CurrentRow, EngineError> {
    let code = committee.system_code.as_str();
    let identity = [("system_code", Value::text(code))];
    if let Some(row) = context.find("committees", &identity)?.into_iter().next() {
        return Ok(row);
    }
    let name = committee.name.as_deref().unwrap_or(code);
    let parent = match parent_code(code) {
        Some(parent) => {
            context.find("committees", &[("system_code", Value::text(parent))])?.into_iter().next()
        }
        None => None,
    };
    let parent = parent.map(|row| key(&row, "committee_id")).transpose()?;
    let now = now(context);
    let rest = [
        ("name", Value::text(name)),
        ("chamber", Value::text(chamber(code))),
        ("type", Value::text(kind(code, name))),
        ("parent_committee_id", parent.map_or(Value::Null, Value::Integer)),
        ("is_current", Value::Boolean(true)),
        ("url", Value::optional_text(committee.url.as_deref())),
        ("congress", Value::Integer(congress)),
        ("created_at", now.clone()),
        ("updated_at", now),
    ];
    context.find_or_insert("committees", "committee_id", &identity, &rest)
}

/// The chamber that the first letter of a committee's code stands for.
fn chamber(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'h' | b'H') => "House",
        Some(b's' | b'S') => "Senate",
        Some(b'j' | b'J') => "Joint",
        _ => "NoChamber",
    }
}

/// The code of the parent: a subcommittee shares four characters with it, and only parents end in `00`.
fn parent_code(code: &str) -> Option<String> {
    let stem = code.get(..4)?;
    (code.len() > 4 && !code.ends_with("00")).then(|| format!("{stem}00"))
}

/// The type of a committee, from its code and name, in the schema's words.
fn kind(code: &str, name: &str) -> &'static str {
    let name = name.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if says(&["commission", "caucus"]) {
        "Commission or Caucus"
    } else if says(&["task force"]) {
        "Task Force"
    } else if parent_code(code).is_some() {
        "Subcommittee"
    } else if chamber(code) == "Joint" {
        "Joint"
    } else if says(&["select"]) {
        "Select"
    } else if says(&["special"]) {
        "Special"
    } else if chamber(code) == "NoChamber" {
        "Other"
    } else {
        "Standing"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_committee_is_read_from_its_code_and_name() {
        let cases = [
            ("hsii24", "Subcommittee on Indian and Insular Affairs", "House", "Subcommittee", Some("hsii00")),
            ("ssju00", "Committee on the Judiciary", "Senate", "Standing", None),
            ("hlig00", "Permanent Select Committee on Intelligence", "House", "Select", None),
            ("spag00", "Special Committee on Aging", "Senate", "Special", None),
            ("jsec00", "Joint Economic Committee", "Joint", "Joint", None),
            (
                "jcse00",
                "Commission on Security and Cooperation in Europe",
                "Joint",
                "Commission or Caucus",
                None,
            ),
            ("x", "Something", "NoChamber", "Other", None),
            ("é", "Something", "NoChamber", "Other", None),
        ];
        for (code, name, wanted_chamber, wanted_kind, wanted_parent) in cases {
            assert_eq!(chamber(code), wanted_chamber, "{code}");
            assert_eq!(kind(code, name), wanted_kind, "{code}");
            assert_eq!(parent_code(code).as_deref(), wanted_parent, "{code}");
        }
    }
}
