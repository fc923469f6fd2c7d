//! `migrate-store`: a linked system moves to another store.

use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::sync::migrate as engine;
use serde_json::json;

use super::super::{Context, parse_url};
use super::open;
use crate::ui::{grouped, plural, table};

/// Rows copied in one transaction.
const BATCH: u64 = 1_000;

/// Runs `migrate-store`.
pub(crate) fn migrate(
    context: &Context,
    system: &str,
    from: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let (mut session, linked) = open(context, system)?;
    let mut source = context.open_existing(&parse_url(from)?)?;
    let plan = engine::plan(&mut session, linked, source.store.as_mut())?;
    if dry_run {
        context.ui.print(&plan, || {
            format!(
                "{} would be copied; plan {} is kept, nothing else was done",
                plural(plan.items, "row"),
                plan.id.short()
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let settings = RunSettings { batch_size: Some(BATCH), ..RunSettings::default() };
    let run = apply::start(&mut session, &plan, &StartRun { settings, ..StartRun::default() })?;
    let run = apply::drive(&mut session, &run.id, None)?;
    let compared = engine::compare(linked, source.store.as_mut(), session.store.as_mut())?;
    let equal = compared.iter().all(|one| one.equal);
    let document = json!({"run": run.id, "status": run.status, "equal": equal, "tables": compared});
    context.ui.print(&document, || {
        let rows: Vec<Vec<String>> = compared
            .iter()
            .map(|one| {
                let word = if one.equal { "equal" } else { "DIFFERENT" };
                vec![one.from.table.clone(), grouped(one.from.rows), grouped(one.to.rows), word.into()]
            })
            .collect();
        table(&["table", "rows there", "rows here", "content"], &rows)
    })?;
    context.ui.say(&format!("undo with: {}", context.undo_command(&run.id)));
    if equal {
        return Ok(ExitCode::SUCCESS);
    }
    Err(EngineError::integrity(
        "the stores differ\nhint: end every worker of the old store and run it again; rows that changed meanwhile are not copied twice, so undo the run first",
    ))
}
