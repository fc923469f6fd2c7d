//! `pilot enrol`.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::enrol::{self, Wanted};
use serde_json::json;

use crate::args::EnrolArguments;
use crate::command::Context;
use crate::ui::plural;

/// Makes customers members.
pub(super) fn execute(context: &Context, arguments: &EnrolArguments) -> Result<ExitCode, EngineError> {
    let mut new = context.new_side()?;
    let wanted = Wanted {
        selection: arguments.selection.clone(),
        customers: arguments.customers.iter().cloned().collect(),
        canary: arguments.canary.iter().cloned().collect(),
    };
    let plan = enrol::plan(new.store.as_mut(), &wanted)?;
    if arguments.dry_run {
        let codes: Vec<&str> = plan.customers.iter().map(|one| one.code.as_str()).collect();
        context
            .ui
            .print(&json!({ "selection": plan.selection, "would_enrol": codes }), || codes.join("\n"))?;
        context.ui.say("dry run: nobody was enrolled");
        return Ok(ExitCode::SUCCESS);
    }
    let means = context.pilot_means()?;
    let mut driver = context.driver(&means, None)?;
    let mut control = context.control_session()?;
    let made = enrol::enrol(&mut driver, &mut control, &plan, &context.said(&arguments.reason))?;
    context.ui.print(&made, || {
        format!(
            "{} enrolled, {} of selection {} are members; flag {} has them",
            plural(made.enrolled.len() as u64, "customer"),
            made.members,
            made.selection,
            made.flag
        )
    })?;
    context.ui.say("next: plimsoll pilot start --reason TEXT, plimsoll pilot run");
    context.ui.say("take it back: plimsoll pilot rollback --customer CODE --reason TEXT");
    Ok(ExitCode::SUCCESS)
}
