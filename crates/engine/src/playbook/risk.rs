//! The register of risks (LG-51).
//!
//! Owns its rows. A risk is never deleted: it is closed, and stays on record.

use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use serde::Serialize;
use serde_json::json;

use crate::change::cells::Cells;
use crate::change::number_alone;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::{Session, in_transaction};

/// The priorities, gravest first.
pub const PRIORITIES: [&str; 3] = ["high", "medium", "low"];
/// The states of a risk.
pub const STATES: [&str; 3] = ["open", "mitigated", "closed"];

/// A risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Risk {
    /// Its id.
    pub id: Id,
    /// The plan that it belongs to.
    pub playbook: String,
    /// What may happen.
    pub title: String,
    /// One of [`PRIORITIES`].
    pub priority: String,
    /// What it would mean.
    pub impact: String,
    /// What is done about it.
    pub mitigation: String,
    /// Who answers for it.
    pub owner: String,
    /// One of [`STATES`].
    pub state: String,
    /// When it was added.
    pub added_at: String,
    /// When it was changed last.
    pub changed_at: String,
}

/// Adds a risk, or changes the one of the same id, with its event.
///
/// # Errors
/// Usage when a word is none of those there are.
pub fn put_risk(session: &mut Session, risk: &Risk, reason: &str) -> Result<(), EngineError> {
    for (name, value, words) in [("priority", &risk.priority, PRIORITIES), ("state", &risk.state, STATES)] {
        if !words.contains(&value.as_str()) {
            return Err(EngineError::usage(format!("the {name} `{value}` is none of {}", words.join(", "))));
        }
    }
    in_transaction(session, |session| {
        event::record(session, "risk", risk.id.as_str(), reason, &json!(risk))?;
        number_alone(session.store.as_mut(), "plimsoll_playbook_risk")?;
        session.store.execute(
            "INSERT INTO plimsoll_playbook_risk \
             (id, number, playbook, title, priority, impact, mitigation, owner, state, added_at, changed_at) \
             VALUES ($1, (SELECT coalesce(max(number), 0) + 1 FROM plimsoll_playbook_risk), $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (id) DO UPDATE SET title = excluded.title, priority = excluded.priority, impact = excluded.impact, \
             mitigation = excluded.mitigation, owner = excluded.owner, state = excluded.state, changed_at = excluded.changed_at",
            &[
                Value::text(risk.id.as_str()),
                Value::text(&risk.playbook),
                Value::text(&risk.title),
                Value::text(&risk.priority),
                Value::text(&risk.impact),
                Value::text(&risk.mitigation),
                Value::text(&risk.owner),
                Value::text(&risk.state),
                Value::text(&risk.added_at),
                Value::text(&risk.changed_at),
            ],
        )?;
        Ok(())
    })
}

/// A new risk, open.
pub fn new_risk(session: &Session, playbook: &str, title: &str) -> Risk {
    let now = session.clock.now();
    Risk {
        id: new_id(),
        playbook: playbook.to_owned(),
        title: title.to_owned(),
        priority: "medium".to_owned(),
        impact: String::new(),
        mitigation: String::new(),
        owner: String::new(),
        state: "open".to_owned(),
        added_at: now.clone(),
        changed_at: now,
    }
}

/// The risks of a plan, or of all: open ones first, the gravest first.
///
/// # Errors
/// When the store fails.
pub fn risks(session: &mut Session, playbook: Option<&str>) -> Result<Vec<Risk>, EngineError> {
    let sql = "SELECT id, playbook, title, priority, impact, mitigation, owner, state, added_at, changed_at \
               FROM plimsoll_playbook_risk ORDER BY number";
    let rows = session.store.query(sql, &[])?;
    let mut found = Vec::new();
    for row in rows {
        let cells = Cells(row);
        found.push(Risk {
            id: Id(cells.text(0)?),
            playbook: cells.text(1)?,
            title: cells.text(2)?,
            priority: cells.text(3)?,
            impact: cells.text(4)?,
            mitigation: cells.text(5)?,
            owner: cells.text(6)?,
            state: cells.text(7)?,
            added_at: cells.text(8)?,
            changed_at: cells.text(9)?,
        });
    }
    found.retain(|risk| playbook.is_none_or(|playbook| risk.playbook == playbook));
    let rank = |words: [&str; 3], word: &str| words.iter().position(|known| *known == word);
    found.sort_by_key(|risk| (rank(STATES, &risk.state), rank(PRIORITIES, &risk.priority)));
    Ok(found)
}

/// The risk whose id begins with `prefix`.
///
/// # Errors
/// Usage when there is none, or more than one.
pub fn find_risk(session: &mut Session, prefix: &str) -> Result<Risk, EngineError> {
    let mut found: Vec<Risk> =
        risks(session, None)?.into_iter().filter(|risk| risk.id.as_str().starts_with(prefix)).collect();
    match (found.pop(), found.is_empty()) {
        (Some(risk), true) => Ok(risk),
        (None, _) => Err(EngineError::usage(format!(
            "no risk has the id `{prefix}`\nhint: plimsoll playbook risk list"
        ))),
        _ => Err(EngineError::usage(format!("`{prefix}` names more than one risk"))),
    }
}
