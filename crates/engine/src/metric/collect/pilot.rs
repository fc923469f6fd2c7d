//! Samples of a pilot: members by stage, what is due, what cannot be carried, and what happened.
//!
//! Owns the questions, which go to the new side's store. None grows with the number of records: members are counted, and of
//! records only those that are due or held, by an index.

use std::collections::BTreeMap;

use plimsoll_core::pilot::cutover::Stage;
use plimsoll_core::value::Value;

use crate::change::cells::Cells;
use crate::error::EngineError;
use crate::metric::{
    PILOT_CERTIFICATES, PILOT_DUE, PILOT_EVENTS, PILOT_HELD, PILOT_MEMBERS, PILOT_WRITERS, Sample,
};
use crate::session::Session;

/// Who writes for a member, in the label.
const WRITERS: [&str; 3] = ["legacy", "new", "nobody"];

/// Every sample of the pilot whose new side this store is. A store that was never prepared for one has none.
pub(super) fn collect(
    session: &mut Session,
    system: &str,
    samples: &mut Vec<Sample>,
) -> Result<(), EngineError> {
    if session.store.shape("plimsoll_pilot_member")?.is_none() {
        return Ok(());
    }
    let sql = "SELECT stage, count(*) FROM plimsoll_pilot_member GROUP BY stage";
    let stages = counts(session, sql)?;
    for stage in Stage::ALL.map(Stage::as_str) {
        samples.push(PILOT_MEMBERS.count(&[system, stage], stages.get(stage).copied().unwrap_or(0)));
    }
    let of = |among: &[Stage]| among.iter().filter_map(|stage| stages.get(stage.as_str())).sum::<u64>();
    let new = of(&[Stage::Soak, Stage::Done]);
    let nobody = of(&[Stage::WriteSwitch, Stage::GoingBack]);
    let legacy = stages.values().sum::<u64>() - new - nobody;
    for (writer, count) in WRITERS.into_iter().zip([legacy, new, nobody]) {
        samples.push(PILOT_WRITERS.count(&[system, writer], count));
    }
    for (family, sql) in [
        (PILOT_DUE, "SELECT entity, count(*) FROM plimsoll_pilot_due GROUP BY entity"),
        (
            PILOT_HELD,
            "SELECT entity, count(*) FROM plimsoll_pilot_record WHERE held IS NOT NULL GROUP BY entity",
        ),
    ] {
        for (entity, count) in counts(session, sql)? {
            samples.push(family.count(&[system, &entity], count));
        }
    }
    let sql = "SELECT kind, count(*) FROM plimsoll_pilot_event GROUP BY kind";
    for (kind, count) in counts(session, sql)? {
        samples.push(PILOT_EVENTS.count(&[system, &kind], count));
    }
    for row in session.store.query("SELECT count(*) FROM plimsoll_pilot_certificate", &[])? {
        samples.push(PILOT_CERTIFICATES.count(&[system], Cells(row).count(0)?));
    }
    Ok(())
}

fn counts(session: &mut Session, sql: &str) -> Result<BTreeMap<String, u64>, EngineError> {
    let read = |row: Vec<Value>| {
        let cells = Cells(row);
        Ok((cells.text(0)?, cells.count(1)?))
    };
    session.store.query(sql, &[])?.into_iter().map(read).collect()
}
