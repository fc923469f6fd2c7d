//! `playbook risk`: the register of risks.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::playbook::{Risk, find_risk, new_risk, put_risk, risks};

use super::arguments::{RiskArguments, RiskCommand};
use crate::command::Context;
use crate::ui::table;

/// Runs `playbook risk`.
pub(super) fn execute(context: &Context, command: RiskCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let found = match command {
        RiskCommand::List { playbook } => risks(&mut session, playbook.as_deref())?,
        RiskCommand::Add { playbook, title, about } => {
            let name = context.playbooks()?.find(&playbook)?.0.front.playbook;
            let mut risk = new_risk(&session, &name, &title);
            apply(&mut risk, &about);
            put_risk(&mut session, &risk, &about.reason)?;
            vec![risk]
        }
        RiskCommand::Set { id, state, about } => {
            let mut risk = find_risk(&mut session, &id)?;
            if let Some(state) = state {
                risk.state = state;
            }
            apply(&mut risk, &about);
            risk.changed_at = session.clock.now();
            put_risk(&mut session, &risk, &about.reason)?;
            vec![risk]
        }
    };
    context.ui.print(&found, || {
        let row = |risk: &Risk| {
            vec![
                risk.id.short().to_owned(),
                risk.playbook.clone(),
                risk.priority.clone(),
                risk.state.clone(),
                risk.title.clone(),
                risk.impact.clone(),
                risk.mitigation.clone(),
                risk.owner.clone(),
            ]
        };
        let heads = ["risk", "plan", "priority", "state", "what", "impact", "mitigation", "owner"];
        table(&heads, &found.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn apply(risk: &mut Risk, about: &RiskArguments) {
    let set = |to: &mut String, from: &Option<String>| {
        if let Some(value) = from {
            to.clone_from(value);
        }
    };
    set(&mut risk.priority, &about.priority);
    set(&mut risk.impact, &about.impact);
    set(&mut risk.mitigation, &about.mitigation);
    set(&mut risk.owner, &about.owner);
}
