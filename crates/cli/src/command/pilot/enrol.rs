//! `pilot enrol`.

use std::collections::BTreeSet;
use std::process::ExitCode;

use plimsoll_core::flag::{Algorithm, Flag, Percent, Rollout, State};
use plimsoll_engine::EngineError;
use plimsoll_engine::flag::change::{How, create, update};
use plimsoll_engine::flag::store::lookup;
use plimsoll_engine::pilot::customer::Customer;
use plimsoll_engine::pilot::select::{SALT, kept};
use serde_json::json;

use crate::args::EnrolArguments;
use crate::command::Context;
use crate::ui::plural;

/// Makes customers members.
pub(super) fn execute(context: &Context, arguments: &EnrolArguments) -> Result<ExitCode, EngineError> {
    let mut new = context.new_side()?;
    let selection = match &arguments.selection {
        Some(name) => kept::find(new.store.as_mut(), name)?,
        None => kept::latest(new.store.as_mut())?.ok_or_else(|| {
            EngineError::usage("nobody was selected yet\nhint: plimsoll pilot select --percent 10")
        })?,
    };
    let chosen = selection.members();
    if let Some(other) =
        arguments.customers.iter().chain(&arguments.canary).find(|code| !chosen.contains_key(*code))
    {
        return Err(EngineError::usage(format!(
            "`{other}` is not in selection {0}\nhint: plimsoll pilot show {0} --customer {other} says why",
            selection.number
        )));
    }
    let wanted: BTreeSet<&String> = arguments.customers.iter().collect();
    let customers: Vec<Customer> = chosen
        .into_iter()
        .filter(|(code, _)| wanted.is_empty() || wanted.contains(code))
        .map(|(code, number)| Customer { code, number })
        .collect();
    if arguments.dry_run {
        let codes: Vec<&str> = customers.iter().map(|one| one.code.as_str()).collect();
        context
            .ui
            .print(&json!({ "selection": selection.number, "would_enrol": codes }), || codes.join("\n"))?;
        context.ui.say("dry run: nobody was enrolled");
        return Ok(ExitCode::SUCCESS);
    }
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let canary: BTreeSet<String> = arguments.canary.iter().cloned().collect();
    let enrolled = driver.enrol(&customers, &canary, &context.said(&arguments.reason))?;
    freeze(context, &customers, &arguments.reason)?;
    let document = json!({ "selection": selection.number, "enrolled": enrolled, "members": customers.len(), "flag": SALT });
    context.ui.print(&document, || {
        format!(
            "{} enrolled, {} of selection {} are members; flag {SALT} has them",
            plural(enrolled.len() as u64, "customer"),
            customers.len(),
            selection.number
        )
    })?;
    context.ui.say("next: plimsoll pilot start --reason TEXT, plimsoll pilot run");
    context.ui.say("take it back: plimsoll pilot rollback --customer CODE --reason TEXT");
    Ok(ExitCode::SUCCESS)
}

/// The members stand in the flag by name, so that whoever asks it gets the same people however percentages change.
fn freeze(context: &Context, customers: &[Customer], reason: &str) -> Result<(), EngineError> {
    let mut control = context.control_session()?;
    let how = How::because(reason);
    if lookup(control.store.as_mut(), SALT)?.is_none_or(|stored| stored.archived) {
        let mut flag = Flag::new(SALT);
        flag.description = "Customers of the pilot: those who are enrolled, and nobody else".into();
        flag.key = "customerId".into();
        flag.rollout = Some(Rollout {
            percent: Percent::NOBODY,
            algorithm: Algorithm::default(),
            salt: SALT.into(),
            stages: Vec::new(),
            constraints: Vec::new(),
            segments: Vec::new(),
        });
        create(&mut control, flag, &how)?;
    }
    update(&mut control, SALT, "flag.allowed", &how, |flag| {
        flag.state = State::On;
        flag.allow.extend(customers.iter().map(|one| (one.code.clone(), None)));
        Ok(())
    })?;
    Ok(())
}
