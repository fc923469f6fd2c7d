//! `simulate luckygas-users`: people at work in both systems, and what they were told.
//!
//! Owns whom they work for - the members, and some others - their pace, and the ledger's file, which is written anew after
//! every action so that a user who is killed leaves what was acknowledged.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_simulator::luckygas::users::{Ledger, Users, check};
use plimsoll_store::Store;
use serde_json::json;

use crate::args::LuckygasUsersArguments;
use crate::command::Context;
use crate::exit;
use crate::ui::{grouped, plural};

/// A side that is away is tried again after so long.
const AWAY: Duration = Duration::from_millis(100);

/// Lets users work, or compares both sides with what they were told.
pub(super) fn execute(
    context: &Context,
    arguments: &LuckygasUsersArguments,
) -> Result<ExitCode, EngineError> {
    let [legacy, new] = context.pilot_urls()?;
    let mut ledger: Ledger = match std::fs::read(&arguments.ledger) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| EngineError::usage(format!("{}: {error}", arguments.ledger.display())))?,
        Err(_) => Ledger::default(),
    };
    let mut legacy = context.open_existing(&legacy)?.store;
    let mut side = context.open_existing(&new)?.store;
    if arguments.check {
        let problems = check(&ledger, legacy.as_mut(), side.as_mut())?;
        let document = json!({ "customers": ledger.customers.len(), "orders": ledger.orders.len(), "problems": problems });
        context.ui.print(&document, || {
            let mut lines = vec![format!(
                "{} and {} are compared with what users were told: {}",
                plural(ledger.customers.len() as u64, "customer"),
                plural(ledger.orders.len() as u64, "order"),
                plural(problems.len() as u64, "problem")
            )];
            lines.extend(problems.iter().cloned());
            lines.join("\n")
        })?;
        return Ok(if problems.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() });
    }
    let customers = customers(legacy.as_mut(), side.as_mut(), arguments.others)?;
    let pause = Duration::from_micros(1_000_000 / arguments.rate);
    let mut left = arguments.actions;
    while left > 0 {
        let mut users = Users::new(arguments.seed, legacy.as_mut(), side.as_mut(), customers.clone(), ledger);
        let mut connected = true;
        while connected && left > 0 {
            let began = Instant::now();
            connected = users.act();
            left -= 1;
            keep(arguments, &users.ledger)?;
            std::thread::sleep(pause.saturating_sub(began.elapsed()));
        }
        ledger = std::mem::take(&mut users.ledger);
        if !connected {
            std::thread::sleep(AWAY);
            if let Ok(session) = context.open_existing(&new) {
                side = session.store;
            }
        }
    }
    context.ui.print(&json!({ "accepted": ledger.accepted, "refused": ledger.refused, "unknown": ledger.unknown }), || {
        format!(
            "acknowledged: {} on the legacy side, {} on the new one; refused: {} and {}; of unknown outcome: {}",
            grouped(ledger.accepted[0]),
            grouped(ledger.accepted[1]),
            grouped(ledger.refused[0]),
            grouped(ledger.refused[1]),
            ledger.unknown
        )
    })?;
    context.ui.say(&format!(
        "next: plimsoll simulate luckygas-users --check --ledger {}",
        arguments.ledger.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Whom users work for: members, and the others with the lowest numbers.
fn customers(legacy: &mut dyn Store, new: &mut dyn Store, others: u64) -> Result<Vec<i64>, EngineError> {
    let number = |row: Vec<Value>| row.first().and_then(Value::as_integer);
    let mut found = Vec::new();
    if new.shape("plimsoll_pilot_member")?.is_some() {
        let rows = new.query("SELECT number FROM plimsoll_pilot_member ORDER BY number", &[])?;
        found.extend(rows.into_iter().filter_map(number));
    }
    let limit = Value::Integer(i64::try_from(others).unwrap_or(i64::MAX));
    let rows = legacy.query("SELECT id FROM clients ORDER BY id LIMIT $1", &[limit])?;
    found.extend(rows.into_iter().filter_map(number));
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Written beside and then put in its place, so that it is never half there.
fn keep(arguments: &LuckygasUsersArguments, ledger: &Ledger) -> Result<(), EngineError> {
    let path = &arguments.ledger;
    let beside = path.with_extension("part");
    let written = serde_json::to_vec(ledger)
        .map_err(std::io::Error::other)
        .and_then(|bytes| std::fs::write(&beside, bytes))
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))
}
