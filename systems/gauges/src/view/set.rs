//! Views of sets.
//!
//! Owns the list of sets, one set, its history, who was a member when, incomplete sets, and which IDs are free.

use plimsoll_core::value::Value;
use plimsoll_engine::alias::{Answered, Asked, Field, FieldKind, StoreView};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use super::{LIMIT, OFFSET, is_there, list, page, today, told, window};
use crate::register;

const SET_FIELD: Field = Field::needed("set", FieldKind::Text, "The ID of a set");

/// The list.
pub static SETS: StoreView = StoreView {
    name: "sets",
    title: "Sets with their members and today's state, in the order of their IDs",
    fields: &[
        Field::optional("category", FieldKind::Text, "Only sets of this category"),
        Field::optional("state", FieldKind::Text, "complete, incomplete, live, or how they ended"),
        Field::optional("text", FieldKind::Text, "Only IDs, serials and sizes that contain this"),
        LIMIT,
        OFFSET,
    ],
    answer: sets,
};

fn sets(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    const MEMBERS: &str =
        "(SELECT count(*) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL)";
    let mut wanted = vec!["1 = 1".to_owned()];
    let mut parameters = Vec::new();
    let mut with = |value: String, condition: &str| {
        parameters.push(Value::text(value));
        wanted.push(condition.replace("$$", &format!("${}", parameters.len())));
    };
    if let Some(category) = asked.text("category") {
        with(category, "s.category = $$");
    }
    if let Some(text) = asked.text("text") {
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        with(
            format!("%{}%", escaped.to_lowercase()),
            "(lower(s.set_id) LIKE $$ ESCAPE '\\' OR lower(s.likeness) LIKE $$ ESCAPE '\\' OR EXISTS (SELECT 1 FROM
                gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL AND lower(m.serial) LIKE $$ ESCAPE '\\'))",
        );
    }
    match asked.text("state").as_deref() {
        None => {}
        Some("live") => wanted.push("s.ended IS NULL".into()),
        Some("complete") => wanted.push(format!("s.ended IS NULL AND {MEMBERS} = 2")),
        Some("incomplete") => wanted.push(format!("s.ended IS NULL AND {MEMBERS} < 2")),
        Some(how) => {
            parameters.push(Value::text(how));
            wanted.push(format!("s.ended = ${}", parameters.len()));
        }
    }
    let filter = wanted.join(" AND ");
    let sql = format!("SELECT count(*) FROM gauge_sets s WHERE {filter}");
    let total = session.store.query(&sql, &parameters)?.first().and_then(|row| row[0].as_integer());
    let (limit, offset) = window(asked);
    let sql = format!(
        "SELECT s.set_id FROM gauge_sets s WHERE {filter} ORDER BY s.set_id LIMIT {limit} OFFSET {offset}"
    );
    let ids = session.store.query(&sql, &parameters)?;
    let today = today(session);
    let mut items = Vec::with_capacity(ids.len());
    for id in ids.iter().filter_map(|row| row[0].as_text()) {
        items.push(serde_json::to_value(register::set(session, id, &today)?)?);
    }
    Ok(Answered::Json(json!({ "items": items, "total": total, "offset": offset, "limit": limit })))
}

/// One set.
pub static SET: StoreView = StoreView {
    name: "set",
    title: "One set: what its members have in common, who they are, and whether it may be used today",
    fields: &[SET_FIELD],
    answer: set,
};

fn set(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_set(session, asked, |session, id| {
        let today = today(session);
        Ok(Answered::Json(serde_json::to_value(register::set(session, id, &today)?)?))
    })
}

fn with_set(
    session: &mut Session,
    asked: &Asked,
    answer: impl FnOnce(&mut Session, &str) -> Result<Answered, EngineError>,
) -> Result<Answered, EngineError> {
    let id = asked.text("set").unwrap_or_default();
    if !is_there(session, "gauge_sets", "set_id", &id)? {
        return Ok(Answered::Missing(format!("there is no set {id}\nhint: IDs look like SP0222")));
    }
    answer(session, &id)
}

/// Everything that happened to a set.
pub static HISTORY: StoreView = StoreView {
    name: "set-history",
    title: "Every line of history about a set, oldest first: who, when, what, why, from what to what",
    fields: &[SET_FIELD, LIMIT, OFFSET],
    answer: history,
};

fn history(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_set(session, asked, |session, id| {
        let lines = crate::audit::lines_about(session, &format!("set:{id}"))?;
        Ok(page(asked, lines.iter().map(told).collect()))
    })
}

/// Who were the members at a moment.
pub static MEMBERS_AT: StoreView = StoreView {
    name: "members-at",
    title: "Which gauges a set had at a moment, with the certificates that were current then",
    fields: &[SET_FIELD, Field::needed("at", FieldKind::Moment, "The moment; a day means its end")],
    answer: members_at,
};

fn members_at(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_set(session, asked, |session, id| {
        let at = asked.text("at").unwrap_or_default();
        let members = crate::audit::members_at(session, id, &at)?;
        Ok(Answered::Json(json!({ "set": id, "at": at, "members": list(&members)? })))
    })
}

/// Sets with a vacant place.
pub static INCOMPLETE: StoreView = StoreView {
    name: "incomplete",
    title: "Sets with a vacant place, the oldest vacancy first: which side, where, since when, how many spares fit",
    fields: &[
        Field::optional("older_than", FieldKind::Number, "Only vacancies of at least so many days"),
        LIMIT,
        OFFSET,
    ],
    answer: incomplete,
};

fn incomplete(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let today = today(session);
    let least = asked.number("older_than").unwrap_or(0);
    let found = register::incomplete(session, &today)?;
    let told = |set: &register::Incomplete| {
        let fitting: Vec<&str> =
            set.candidates.iter().filter(|one| one.fits).map(|one| one.serial.as_str()).collect();
        json!({
            "set": set.set_id, "missing": set.missing, "remaining": set.remaining, "location": set.location,
            "since": set.since, "age_days": set.age_days, "fitting": fitting.len(), "best": fitting.first(),
        })
    };
    Ok(page(asked, found.iter().filter(|set| set.age_days >= least).map(told).collect()))
}

/// Spares for a vacant place, or for a member that is to be replaced.
pub static CANDIDATES: StoreView = StoreView {
    name: "candidates",
    title: "Spares for one side of a set, the best first, each with why it fits or why not",
    fields: &[
        SET_FIELD,
        Field::optional("side", FieldKind::Text, "go or nogo; the vacant side unless said otherwise"),
        LIMIT,
        OFFSET,
    ],
    answer: candidates,
};

fn candidates(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    with_set(session, asked, |session, id| {
        let today = today(session);
        let side = match asked.text("side") {
            None => None,
            Some(word) => Some(
                crate::model::Side::read(&word)
                    .ok_or_else(|| EngineError::usage(format!("`side` is `{word}`; it is go or nogo")))?,
            ),
        };
        Ok(page(asked, list(&register::candidates(session, id, side, &today)?)?))
    })
}

/// Whether an ID is free.
pub static AVAILABILITY: StoreView = StoreView {
    name: "check-availability",
    title: "Whether a set ID can still be given out; if not, why, and which one can",
    fields: &[Field::needed("id", FieldKind::Text, "The ID, as somebody types it")],
    answer: availability,
};

fn availability(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let found = register::check_availability(session, &asked.text("id").unwrap_or_default())?;
    Ok(Answered::Json(serde_json::to_value(found)?))
}

/// The next ID.
pub static NEXT_ID: StoreView = StoreView {
    name: "next-set-id",
    title: "The ID that the next set of a category gets",
    fields: &[
        Field::needed("category", FieldKind::Text, "The category, such as SP"),
        Field::optional("hand", FieldKind::Text, "LH for a left-handed set"),
    ],
    answer: next_id,
};

fn next_id(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let category = asked.text("category").unwrap_or_default();
    let sql = "SELECT next_number FROM gauge_categories WHERE category = $1";
    let rows = session.store.query(sql, &[Value::text(&category)])?;
    let Some(number) = rows.first().and_then(|row| row[0].as_integer()) else {
        return Ok(Answered::Missing(format!("there is no category {category}")));
    };
    let left = asked.text("hand").as_deref() == Some("LH");
    let id = crate::rules::set_id::SetId { prefix: category, number, left };
    Ok(Answered::Json(json!({ "id": Json::from(id.to_string()) })))
}
