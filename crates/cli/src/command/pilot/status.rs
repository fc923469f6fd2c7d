//! `pilot status` and `pilot report`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use plimsoll_core::pilot::cutover::{Stage, missing};
use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::carry::held;
use plimsoll_engine::pilot::customer::Customer;
use plimsoll_engine::pilot::drive::Driver;
use plimsoll_engine::pilot::member::{self, Member};
use plimsoll_engine::sync::{now_ms, status};
use plimsoll_store::Store;
use serde_json::json;

use crate::args::ReportArguments;
use crate::command::Context;
use crate::registry::PILOT;
use crate::ui::{plural, table};

/// Held records that are shown at most.
const SHOWN: u64 = 50;

/// Shows where members stand.
pub(super) fn execute(context: &Context, customer: Option<&str>) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let at_ms = now_ms(&driver.carrier.session);
    let mut members = driver.members()?;
    if let Some(code) = customer {
        members = vec![member::one(driver.carrier.session.store.as_mut(), code)?];
    }
    let happened = match customer {
        Some(code) => member::happenings(driver.carrier.session.store.as_mut(), Some(code), 100)?,
        None => Vec::new(),
    };
    let held = held(driver.carrier.session.store.as_mut(), SHOWN)?;
    let lines: Vec<serde_json::Value> = members
        .iter()
        .map(|one| {
            json!({
                "customer": one.customer, "number": one.number, "canary": one.canary, "stage": one.state.stage,
                "writer": one.state.writer, "reads": one.state.reads, "epoch": one.state.epoch, "paused": one.state.paused,
                "missing": missing(&driver.rules.member, &one.state, at_ms),
            })
        })
        .collect();
    let document = json!({ "members": lines, "held": held, "happened": happened });
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = members
            .iter()
            .map(|one| {
                let writer = one.state.writer.map_or_else(|| "nobody".to_owned(), |side| side.to_string());
                let waits = missing(&driver.rules.member, &one.state, at_ms);
                let stage = if one.state.paused {
                    format!("{} (paused)", one.state.stage)
                } else {
                    one.state.stage.to_string()
                };
                vec![one.customer.clone(), stage, writer, one.state.reads.to_string(), waits.join("; ")]
            })
            .collect();
        let mut text = table(&["customer", "stage", "writes", "reads", "missing"], &rows);
        for one in &held {
            text.push_str(&format!("\n{} {}: {}", one.entity, one.key, one.why));
        }
        for one in &happened {
            text.push_str(&format!("\n{} {} {}: {}", one.at, one.actor, one.kind, one.detail));
        }
        text
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What the stage gate asks: records of members that differ now, writes that were carried, and those that failed.
fn facts(driver: &mut Driver<'_>, members: &[Member]) -> Result<serde_json::Value, EngineError> {
    let (mut compared, mut differences) = (0, 0);
    for member in
        members.iter().filter(|member| !matches!(member.state.stage, Stage::Waiting | Stage::RolledBack))
    {
        let customer = Customer { code: member.customer.clone(), number: member.number };
        let parity = driver.compare(&customer)?;
        compared += parity.records;
        differences += parity.differing;
    }
    let outbox = PILOT.outbox().0;
    let count = |store: &mut dyn Store, sql: &str| -> Result<i64, EngineError> {
        let rows = store.query(sql, &[])?;
        Ok(rows.first().and_then(|row| row.first()).and_then(Value::as_integer).unwrap_or(0))
    };
    let users = format!("SELECT count(*) FROM {outbox} WHERE origin IS NULL");
    let writes =
        count(driver.legacy.store.as_mut(), &users)? + count(driver.carrier.session.store.as_mut(), &users)?;
    let failed = "SELECT count(*) FROM plimsoll_sync_record WHERE badge = 'failed'";
    let failed = count(driver.carrier.session.store.as_mut(), failed)?;
    Ok(json!({ "records": compared, "differences": differences, "writes": writes, "failed": failed }))
}

/// Summarizes the pilot.
pub(super) fn report(context: &Context, arguments: &ReportArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let members = driver.members()?;
    let mut stages: BTreeMap<Stage, u64> = BTreeMap::new();
    let (mut compared, mut differing, mut forced) = (0, 0, 0);
    for one in &members {
        *stages.entry(one.state.stage).or_default() += 1;
        compared += one.state.evidence.reads.compared;
        differing += one.state.evidence.reads.differing;
        forced += one.state.forced.len();
    }
    let mut links = Vec::new();
    for entity in PILOT.entities() {
        let found = status::of(&mut driver.carrier.session, PILOT.link(entity.name))?;
        links.push(json!({ "entity": entity.name, "status": found }));
    }
    if let Some(path) = &arguments.facts {
        let facts = facts(&mut driver, &members)?;
        std::fs::write(path, serde_json::to_vec_pretty(&facts)?)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
        context.ui.say(&format!("next: plimsoll gate facts record luckygas-stage {}", path.display()));
    }
    let held = held(driver.carrier.session.store.as_mut(), SHOWN)?;
    let stages: BTreeMap<&str, u64> =
        stages.into_iter().map(|(stage, count)| (stage.as_str(), count)).collect();
    let document = json!({
        "members": members.len(), "stages": stages, "reads_compared": compared, "reads_differing": differing,
        "forced_steps": forced, "held": held.len(), "links": links,
    });
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> =
            stages.iter().map(|(stage, count)| vec![(*stage).to_owned(), count.to_string()]).collect();
        format!(
            "{}\n\n{}\n{} compared in the present stages, {differing} differed; {} forced; {} held",
            plural(members.len() as u64, "member"),
            table(&["stage", "members"], &rows),
            plural(compared, "read"),
            plural(forced as u64, "step"),
            plural(held.len() as u64, "record"),
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
