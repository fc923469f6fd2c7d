//! The registers: what people ask of gauges and sets as they are.
//!
//! Owns reads: a set with its members and state, incomplete sets with their candidates, what is due or overdue, whether an
//! ID is free, what an out-of-tolerance gauge may have touched. Nothing here writes; the state of a set is computed.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_engine::{EngineError, Session};
use serde::Serialize;

use crate::model::{Equipment, Gauge, Likeness, Ownership, Side, Status, Thread};
use crate::rules::candidate::{Candidate, Vacancy, rank};
use crate::rules::due::{self, Standing};
use crate::rules::set_id::SetId;
use crate::rules::set_state::{self, SetState};

const GAUGE: &str = "g.serial, g.category, g.equipment_type, g.ownership, g.customer, g.employee, g.status, g.set_id, g.sealed,
    g.location, g.interval_days, g.certified_on, g.unsealed_on, g.due_on, t.thread_size, t.thread_type, t.thread_form,
    t.thread_class, t.gauge_type, t.hand, t.acme_starts, t.side";
const FROM: &str = "FROM gauges g LEFT JOIN gauge_thread_specifications t ON t.serial = g.serial";

/// The gauges for which `condition` holds, in the order of their serials.
///
/// # Errors
/// When the store cannot be read.
fn gauges(session: &mut Session, condition: &str, parameters: &[Value]) -> Result<Vec<Gauge>, EngineError> {
    let sql = format!("SELECT {GAUGE} {FROM} WHERE {condition} ORDER BY g.serial");
    let rows = session.store.query(&sql, parameters)?;
    rows.iter()
        .map(|row| {
            read(row).ok_or_else(|| {
                EngineError::integrity(format!("gauge {} has a word that is none of the schema's", row[0]))
            })
        })
        .collect()
}

fn read(row: &[Value]) -> Option<Gauge> {
    let text = |at: usize| row[at].as_text().map(str::to_owned);
    let (customer, employee) = (text(4), text(5));
    let ownership = Ownership::read(row[3].as_text()?)?;
    let thread = match row[21].as_text() {
        None => None,
        Some(side) => Some(Thread {
            side: Side::read(side)?,
            likeness: Likeness {
                category: text(1)?,
                thread_size: text(14)?,
                thread_type: text(15)?,
                thread_form: text(16),
                thread_class: text(17)?,
                gauge_type: text(18)?,
                hand: text(19)?,
                acme_starts: row[20].as_integer(),
                ownership,
                owner: customer.clone().or_else(|| employee.clone()),
            },
        }),
    };
    Some(Gauge {
        serial: text(0)?,
        category: text(1)?,
        equipment: Equipment::read(row[2].as_text()?)?,
        ownership,
        customer,
        employee,
        thread,
        status: Status::read(row[6].as_text()?)?,
        set_id: text(7),
        sealed: matches!(row[8], Value::Boolean(true) | Value::Integer(1)),
        location: text(9),
        interval_days: row[10].as_integer()?,
        certified_on: text(11),
        unsealed_on: text(12),
        due_on: text(13),
        deleted_reason: None,
    })
}

/// A member as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// GO or NO-GO.
    pub side: Side,
    /// The gauge.
    pub serial: String,
    /// Where it stands.
    pub status: Status,
    /// Sealed.
    pub sealed: bool,
    /// Its place.
    pub location: Option<String>,
    /// Until when it may be used.
    pub due_on: Option<String>,
}

/// A set as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SetView {
    /// The ID.
    pub set_id: String,
    /// What its members have in common.
    pub likeness: Likeness,
    /// Since when it exists.
    pub created_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Its state today.
    pub state: SetState,
    /// Its members.
    pub members: Vec<Member>,
}

/// One set.
///
/// # Errors
/// Usage, when there is none.
pub fn set(session: &mut Session, set_id: &str, today: &str) -> Result<SetView, EngineError> {
    let sql = "SELECT likeness, created_at, ended, ended_at FROM gauge_sets WHERE set_id = $1";
    let rows = session.store.query(sql, &[Value::text(set_id)])?;
    let Some(row) = rows.first() else {
        return Err(EngineError::usage(format!("there is no set {set_id}\nhint: IDs look like SP0222")));
    };
    let likeness = serde_json::from_str(row[0].as_text().unwrap_or_default())?;
    let members = gauges(
        session,
        "EXISTS (SELECT 1 FROM gauge_set_members m WHERE m.serial = g.serial AND m.set_id = $1 AND m.until_entry IS NULL)",
        &[Value::text(set_id)],
    )?;
    let side = |side: Side| members.iter().find(|gauge| gauge.side() == Some(side));
    let state = set_state::of(side(Side::Go), side(Side::NoGo), row[2].as_text(), today);
    let seen = members.iter().filter_map(|gauge| {
        Some(Member {
            side: gauge.side()?,
            serial: gauge.serial.clone(),
            status: gauge.status,
            sealed: gauge.sealed,
            location: gauge.location.clone(),
            due_on: gauge.due_on.clone(),
        })
    });
    Ok(SetView {
        set_id: set_id.to_owned(),
        likeness,
        created_at: row[1].as_text().unwrap_or_default().to_owned(),
        ended_at: row[3].as_text().map(str::to_owned),
        state,
        members: seen.collect(),
    })
}

/// A set with a vacant place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incomplete {
    /// The ID.
    pub set_id: String,
    /// The vacant sides.
    pub missing: Vec<Side>,
    /// The member that is left.
    pub remaining: Option<String>,
    /// Its place.
    pub location: Option<String>,
    /// Since when a place is vacant.
    pub since: String,
    /// Days since then.
    pub age_days: i64,
    /// Spares for the first vacant side, best first.
    pub candidates: Vec<Candidate>,
}

/// Every set with a vacant place, the oldest vacancy first, with the spares that could fill it.
///
/// # Errors
/// When the store cannot be read.
pub fn incomplete(session: &mut Session, today: &str) -> Result<Vec<Incomplete>, EngineError> {
    let sql = "SELECT s.set_id, s.likeness, s.created_at,
            (SELECT max(m.until_at) FROM gauge_set_members m WHERE m.set_id = s.set_id),
            (SELECT max(m.serial) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.side = 'go' AND m.until_entry IS NULL),
            (SELECT max(m.serial) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.side = 'nogo' AND m.until_entry IS NULL)
        FROM gauge_sets s WHERE s.ended IS NULL
          AND (SELECT count(*) FROM gauge_set_members m WHERE m.set_id = s.set_id AND m.until_entry IS NULL) < 2
        ORDER BY 4, 1";
    let rows = session.store.query(sql, &[])?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let text = |at: usize| row[at].as_text().map(str::to_owned);
        let likeness: Likeness = serde_json::from_str(row[1].as_text().unwrap_or_default())?;
        let since = text(3).or_else(|| text(2)).unwrap_or_default();
        let (go, nogo) = (text(4), text(5));
        let missing: Vec<Side> = [(Side::Go, &go), (Side::NoGo, &nogo)]
            .iter()
            .filter(|(_, member)| member.is_none())
            .map(|(side, _)| *side)
            .collect();
        let remaining = go.or(nogo);
        let partner = match &remaining {
            Some(serial) => gauges(session, "g.serial = $1", &[Value::text(serial)])?.pop(),
            None => None,
        };
        let location = partner.as_ref().and_then(|gauge| gauge.location.clone());
        let spares = spares_near(session, &likeness)?;
        let candidates = missing.first().map_or_else(Vec::new, |side| {
            let vacancy = Vacancy {
                side: *side,
                likeness: &likeness,
                location: location.as_deref(),
                sealed: partner.as_ref().map(|gauge| gauge.sealed),
            };
            rank(vacancy, &spares, today)
        });
        found.push(Incomplete {
            set_id: text(0).unwrap_or_default(),
            missing,
            remaining,
            location,
            age_days: days_between(&since, today),
            since,
            candidates,
        });
    }
    Ok(found)
}

/// Spares for a side of a set that has not ended, the best first: for the vacant side, unless one is named.
///
/// # Errors
/// Usage, when there is no such set or no side is vacant and none is named; refused when the set ended.
pub fn candidates(
    session: &mut Session,
    set_id: &str,
    side: Option<Side>,
    today: &str,
) -> Result<Vec<Candidate>, EngineError> {
    let set = set(session, set_id, today)?;
    if let set_state::Membership::Ended { how } = &set.state.membership {
        return Err(EngineError::refused(format!("set {set_id} is {how}; nothing joins it any more")));
    }
    let vacant = Side::ALL.iter().copied().find(|side| set.members.iter().all(|member| member.side != *side));
    let side = side.or(vacant).ok_or_else(|| {
        EngineError::usage(format!("set {set_id} is complete\nhint: name the `side` that is to be replaced"))
    })?;
    let partner = set.members.iter().find(|member| member.side != side);
    let spares = spares_near(session, &set.likeness)?;
    let vacancy = Vacancy {
        side,
        likeness: &set.likeness,
        location: partner.and_then(|member| member.location.as_deref()),
        sealed: partner.map(|member| member.sealed),
    };
    Ok(rank(vacancy, &spares, today))
}

/// Gauges in no set that are of the category or of the size: whatever somebody might think of.
fn spares_near(session: &mut Session, likeness: &Likeness) -> Result<Vec<Gauge>, EngineError> {
    gauges(
        session,
        "g.set_id IS NULL AND g.equipment_type = 'thread_gauge' AND g.status NOT IN ('retired', 'returned', 'deleted', 'lost')
         AND (g.category = $1 OR t.thread_size = $2)",
        &[Value::text(&likeness.category), Value::text(&likeness.thread_size)],
    )
}

fn days_between(from: &str, until: &str) -> i64 {
    let day = |text: &str| text.get(..10).and_then(|day| day.parse::<jiff::civil::Date>().ok());
    day(from).zip(day(until)).map_or(0, |(from, until)| until.duration_since(from).as_hours() / 24)
}

/// A gauge whose calibration runs out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The gauge.
    pub serial: String,
    /// Its set.
    pub set_id: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// The due date; none when it was never certified.
    pub due_on: Option<String>,
    /// Days left; negative when overdue, none when it was never certified.
    pub days: Option<i64>,
    /// Who has it.
    pub holder: Option<String>,
}

/// Gauges that are overdue or fall due within `within` days, the most urgent first.
///
/// # Errors
/// When the store cannot be read.
pub fn due_within(session: &mut Session, today: &str, within: i64) -> Result<Vec<Due>, EngineError> {
    let holders: BTreeMap<String, String> = session
        .store
        .query("SELECT serial, holder FROM gauge_checkouts WHERE returned_entry IS NULL", &[])?
        .iter()
        .filter_map(|row| Some((row[0].as_text()?.to_owned(), row[1].as_text()?.to_owned())))
        .collect();
    let found =
        gauges(session, "NOT g.sealed AND g.status NOT IN ('retired', 'returned', 'deleted', 'lost')", &[])?;
    let mut all: Vec<Due> = found
        .into_iter()
        .filter_map(|gauge| {
            let days = match due::standing(&gauge, today) {
                Standing::Sealed => return None,
                Standing::DaysLeft(days) if days > within => return None,
                Standing::DaysLeft(days) => Some(days),
                Standing::Overdue(days) => Some(-days),
                Standing::NeverCertified => None,
            };
            let holder = holders.get(&gauge.serial).cloned();
            Some(Due {
                serial: gauge.serial,
                set_id: gauge.set_id,
                status: gauge.status,
                due_on: gauge.due_on,
                days,
                holder,
            })
        })
        .collect();
    all.sort_by(|a, b| a.days.cmp(&b.days).then_with(|| a.serial.cmp(&b.serial)));
    Ok(all)
}

/// Gauges that are overdue, those that are in somebody's hands first of all.
///
/// # Errors
/// As [`due_within`].
pub fn overdue(session: &mut Session, today: &str) -> Result<Vec<Due>, EngineError> {
    let mut all = due_within(session, today, -1)?;
    all.sort_by_key(|due| due.holder.is_none());
    Ok(all)
}

/// The alerts of a day: gauges that fall due in exactly 30, 14, 7 or 0 days.
///
/// # Errors
/// As [`due_within`].
pub fn alerts(session: &mut Session, today: &str) -> Result<Vec<Due>, EngineError> {
    let mut all = due_within(session, today, due::ALERT_DAYS[0])?;
    all.retain(|due| due.days.is_some_and(|days| due::ALERT_DAYS.contains(&days)));
    Ok(all)
}

/// Whether an ID can still be given out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// It can.
    pub available: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The next free ID of its category.
    pub suggestion: Option<String>,
}

/// Whether a typed ID is free: one look into the ledger.
///
/// # Errors
/// When the store cannot be read.
pub fn check_availability(session: &mut Session, typed: &str) -> Result<Availability, EngineError> {
    let id = match SetId::read(typed) {
        Ok(id) => id,
        Err(refused) => {
            return Ok(Availability { available: false, reason: Some(refused.text), suggestion: None });
        }
    };
    let sql = "SELECT next_number, thread_type FROM gauge_categories WHERE category = $1";
    let rows = session.store.query(sql, &[Value::text(&id.prefix)])?;
    let Some(next) = rows.first().and_then(|row| row[0].as_integer()) else {
        let reason = Some(format!("there is no category {}", id.prefix));
        return Ok(Availability { available: false, reason, suggestion: None });
    };
    let suggestion = Some(SetId { number: next, ..id.clone() }.to_string());
    let sql = "SELECT i.issued_at, s.ended, s.ended_at FROM gauge_set_ids i LEFT JOIN gauge_sets s ON s.set_id = i.set_id
        WHERE i.set_id = $1 ORDER BY i.issue DESC LIMIT 1";
    let rows = session.store.query(sql, &[Value::text(id.to_string())])?;
    let reason = rows.first().map(|row| match (row[1].as_text(), row[2].as_text()) {
        (Some(ended), Some(at)) => format!("{id} was used before ({ended} at {at}) and is never used again"),
        _ => format!("{id} is in use since {}", row[0].as_text().unwrap_or_default()),
    });
    Ok(Availability { available: reason.is_none(), suggestion: reason.as_ref().and(suggestion), reason })
}

/// One use of a gauge that an out-of-tolerance finding makes doubtful.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Touched {
    /// Who had it.
    pub holder: String,
    /// Their department.
    pub department: Option<String>,
    /// The job.
    pub work_job: Option<String>,
    /// The part.
    pub part: Option<String>,
    /// The work order.
    pub work_order: Option<String>,
    /// From when.
    pub out_at: String,
    /// Until when; none while it is out.
    pub returned_at: Option<String>,
}

/// What a gauge may have touched in a case's window: from its last good calibration to the finding, both days included.
///
/// # Errors
/// Usage, when there is no such case.
pub fn touched(session: &mut Session, case: i64) -> Result<Vec<Touched>, EngineError> {
    let sql = "SELECT serial, window_from, window_until FROM gauge_tolerance_cases WHERE case_entry = $1";
    let rows = session.store.query(sql, &[Value::Integer(case)])?;
    let Some(row) = rows.first() else {
        return Err(EngineError::usage(format!(
            "there is no case {case}\nhint: a case has the number of the line that opened it"
        )));
    };
    let from = format!("{}T00:00:00.000Z", row[1].as_text().unwrap_or("0000-01-01"));
    let until = format!("{}T23:59:59.999Z", row[2].as_text().unwrap_or_default());
    let sql = "SELECT holder, department, work_job, part, work_order, out_at, returned_at FROM gauge_checkouts
        WHERE serial = $1 AND out_at <= $3 AND (returned_at IS NULL OR returned_at >= $2) ORDER BY out_at, entry";
    let rows = session.store.query(sql, &[row[0].clone(), Value::text(from), Value::text(until)])?;
    Ok(rows
        .iter()
        .map(|row| {
            let text = |at: usize| row[at].as_text().map(str::to_owned);
            Touched {
                holder: text(0).unwrap_or_default(),
                department: text(1),
                work_job: text(2),
                part: text(3),
                work_order: text(4),
                out_at: text(5).unwrap_or_default(),
                returned_at: text(6),
            }
        })
        .collect())
}

/// One link of a chain: a gauge, the standard it was calibrated against, and that one's certificate then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChainLink {
    /// The gauge or standard.
    pub serial: String,
    /// When it was calibrated.
    pub calibrated_on: String,
    /// By whom.
    pub laboratory: String,
    /// The standard that was used.
    pub standard: String,
    /// The standard's certificate at that time.
    pub standard_certificate: Option<String>,
}

/// The chain of standards behind a gauge's last calibration, link after link, up to standards that were calibrated elsewhere.
///
/// # Errors
/// When the store cannot be read.
pub fn chain(session: &mut Session, serial: &str) -> Result<Vec<ChainLink>, EngineError> {
    let sql = "SELECT u.serial, c.calibrated_on, c.laboratory, u.standard, u.standard_certificate
        FROM gauge_standards_used u JOIN gauge_calibrations c ON c.serial = u.serial AND c.entry = u.entry
        WHERE u.serial = $1 AND u.entry = (SELECT max(entry) FROM gauge_calibrations WHERE serial = $1) ORDER BY u.standard";
    let (mut waiting, mut seen, mut links) = (vec![serial.to_owned()], Vec::new(), Vec::new());
    while let Some(next) = waiting.pop() {
        if seen.contains(&next) {
            continue;
        }
        for row in session.store.query(sql, &[Value::text(&next)])? {
            let text = |at: usize| row[at].as_text().unwrap_or_default().to_owned();
            links.push(ChainLink {
                serial: text(0),
                calibrated_on: text(1),
                laboratory: text(2),
                standard: text(3),
                standard_certificate: row[4].as_text().map(str::to_owned),
            });
            waiting.push(text(3));
        }
        seen.push(next);
    }
    Ok(links)
}
