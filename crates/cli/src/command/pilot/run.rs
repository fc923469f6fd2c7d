//! `pilot run`, `pilot sync` and `pilot read`: carrying, and doing what the stages order.

use std::process::ExitCode;
use std::sync::atomic::AtomicBool;

use plimsoll_engine::pilot::customer::{Customer, CustomerParity};
use plimsoll_engine::pilot::drive::Driven;
use plimsoll_engine::pilot::{member, standing};
use plimsoll_engine::{EngineError, ErrorKind};
use serde_json::json;

use crate::args::{PilotRunArguments, ReadArguments};
use crate::command::Context;
use crate::exit;

use crate::ui::{grouped, plural};

/// Passes at most, where nobody asked to watch.
const PASSES: u32 = 1_000;
/// How often one customer's changes are carried before it is compared.
const ROUNDS: u32 = 100;

/// Carries changes and moves members.
pub(super) fn execute(context: &Context, arguments: &PilotRunArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, Some(&arguments.stages))?;
    if arguments.dry_run {
        let orders = standing::waiting(&mut driver)?;
        context.ui.print(&json!({ "orders": orders }), || {
            format!("{} wait to be done", plural(orders.len() as u64, "order"))
        })?;
        context.ui.say("dry run: nothing was done");
        return Ok(ExitCode::SUCCESS);
    }
    let stop = AtomicBool::new(false);
    if !arguments.watch {
        let driven = driver.run(&stop, PASSES)?;
        context.ui.print(&driven, || text(&driven))?;
        return Ok(if driven.stopped.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() });
    }
    let mut quiet = false;
    loop {
        match driver.carrier.snapshot().and_then(|_| driver.pass(&stop)) {
            Ok(driven) => {
                let is_quiet = driven.orders == 0 && driven.carried.is_idle();
                if !is_quiet || !quiet {
                    if context.ui.json {
                        context.ui.line(&serde_json::to_string(&driven)?);
                    } else {
                        context.ui.line(&text(&driven));
                    }
                }
                if is_quiet {
                    driver.carrier.session.clock.sleep_ms(arguments.every_ms);
                }
                quiet = is_quiet;
            }
            // A side that is away for a while does not end the watch.
            Err(error) if matches!(error.kind, ErrorKind::Store | ErrorKind::Source | ErrorKind::Refused) => {
                context.ui.say(&error.message);
                driver.carrier.session.clock.sleep_ms(1_000);
                driver = context.driver(&means, Some(&arguments.stages)).unwrap_or(driver);
            }
            Err(error) => return Err(error),
        }
    }
}

fn text(driven: &Driven) -> String {
    let carried = &driven.carried;
    let mut lines = vec![format!(
        "{} done, {} moved on; pulled {}, heard {}, reconciled {}, sent {}",
        plural(driven.orders, "order"),
        plural(driven.moved, "member"),
        grouped(carried.pulled),
        grouped(carried.heard),
        grouped(carried.reconciled),
        grouped(carried.sent.applied),
    )];
    lines.extend(driven.stopped.iter().map(|(customer, why)| format!("{customer} waits: {why}")));
    lines.join("\n")
}

/// Carries one customer over, and compares it.
pub(super) fn sync(context: &Context, code: &str) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let member = member::one(driver.carrier.session.store.as_mut(), code)?;
    let customer = Customer { code: member.customer, number: member.number };
    let (carried, parity) = driver.sync(&customer, ROUNDS)?;
    let document =
        json!({ "customer": code, "stage": member.state.stage, "carried": carried, "parity": parity });
    context.ui.print(&document, || compared(code, &parity))?;
    Ok(if parity.differing + parity.pending == 0 { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn compared(code: &str, parity: &CustomerParity) -> String {
    format!(
        "{code}: {} compared, {} differ, {} on their way",
        plural(parity.records, "record"),
        parity.differing,
        parity.pending
    )
}

/// Answers a question.
pub(super) fn read(context: &Context, arguments: &ReadArguments) -> Result<ExitCode, EngineError> {
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let asked = driver.read(&arguments.customer, &arguments.question)?;
    context.ui.print(&asked, || {
        let rows: Vec<Vec<String>> = asked
            .rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| cell.as_text().map_or_else(|| cell.to_string(), str::to_owned))
                    .collect()
            })
            .collect();
        rows.iter().map(|row| row.join(" | ")).collect::<Vec<_>>().join("\n")
    })?;
    match asked.is_equal {
        Some(false) => context.ui.say(&format!("the {} side answers otherwise", asked.shown_from.other())),
        Some(true) => context.ui.say(&format!("the {} side answers the same", asked.shown_from.other())),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}
