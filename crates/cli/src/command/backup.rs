//! `backup`, `restore` and `purge`.

use std::process::ExitCode;

use plimsoll_engine::change::setup::{self, Named};
use plimsoll_engine::change::{retention, routine};
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_store::backup::{self as store_backup, Backup};
use serde_json::json;

use super::{Context, split};
use crate::registry;
use crate::ui::{grouped, plural, table};

fn store_error(error: impl std::fmt::Display) -> EngineError {
    EngineError::new(ErrorKind::Store, error.to_string())
}

fn document(backup: &Backup) -> serde_json::Value {
    json!({
        "id": backup.id, "method": backup.method, "location": backup.location, "bytes": backup.bytes,
        "verified_at": backup.verified_at, "tables": backup.digests,
    })
}

/// Makes a backup or lists backups.
pub(crate) fn backup(context: &Context, system: &str, list: bool) -> Result<ExitCode, EngineError> {
    if let Ok(system) = registry::find_analytic(system) {
        return split::backup(context, system, list);
    }
    let system = registry::find(system)?;
    let mut session = context.session(system)?;
    if list {
        let backups = store_backup::list(session.store.as_mut()).map_err(store_error)?;
        let documents: Vec<_> = backups.iter().map(document).collect();
        context.ui.print(&documents, || {
            let row = |b: &Backup| {
                vec![b.id.short().to_owned(), b.verified_at.clone(), grouped(b.bytes), b.location.clone()]
            };
            table(&["backup", "verified", "bytes", "location"], &backups.iter().map(row).collect::<Vec<_>>())
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = context.backups(&session.store.url());
    let made = routine::make_backup(&mut session, system, &folder)?;
    context.ui.print(&document(&made), || {
        format!("backup {} verified: {} bytes at {}", made.id.short(), grouped(made.bytes), made.location)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Brings a system's tables back to a backup.
pub(crate) fn restore(
    context: &Context,
    system: &str,
    prefix: &str,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    if let Ok(system) = registry::find_analytic(system) {
        return split::restore(context, system, prefix, dry_run);
    }
    let system = registry::find(system)?;
    let mut session = context.session(system)?;
    let id = setup::find_id(&mut session, Named::Backup, prefix)?;
    let backups = store_backup::list(session.store.as_mut()).map_err(store_error)?;
    let Some(found) = backups.into_iter().find(|backup| backup.id == id) else {
        return Err(EngineError::usage(format!("there is no backup {id}")));
    };
    let now = setup::digests(&mut session, system)?;
    let differing: Vec<&str> = now
        .iter()
        .filter(|digest| !found.digests.contains(digest))
        .map(|digest| digest.table.as_str())
        .collect();
    if dry_run {
        let preview = json!({ "backup": document(&found), "tables_that_differ": differing });
        context.ui.print(&preview, || {
            format!(
                "restoring {} would replace {}: {}",
                id.short(),
                plural(differing.len() as u64, "table"),
                differing.join(", ")
            )
        })?;
        return Ok(ExitCode::SUCCESS);
    }
    // What is there now is kept too, so that a restore can be taken back.
    let folder = context.backups(&session.store.url());
    let kept = routine::make_backup(&mut session, system, &folder)?;
    routine::restore_backup(&mut session, system, &found)?;
    let result = json!({ "restored": document(&found), "kept": document(&kept) });
    context.ui.print(&result, || format!("tables of {} are as in backup {}", system.name, id.short()))?;
    context.ui.say(&format!("undo with: plimsoll restore {} {}", system.name, kept.id.short()));
    Ok(ExitCode::SUCCESS)
}

/// Forgets prior images of old runs, or says what that would lose.
pub(crate) fn purge(
    context: &Context,
    before: &str,
    confirm: bool,
    reason: &str,
) -> Result<ExitCode, EngineError> {
    let mut previews = Vec::new();
    for mut session in context.journals()? {
        previews.push(retention::purge(&mut session, before, !confirm, reason)?);
    }
    let (runs, bytes) =
        previews.iter().fold((0, 0), |(runs, bytes), p| (runs + p.runs.len() as u64, bytes + p.bytes));
    context.ui.print(&json!({ "purged": confirm, "stores": previews }), || {
        let verb = if confirm { "can no longer be undone" } else { "could no longer be undone" };
        format!("{} {verb}; {} bytes of prior images", plural(runs, "run"), grouped(bytes))
    })?;
    if !confirm {
        context.ui.say("nothing was forgotten; --confirm does it");
    }
    Ok(ExitCode::SUCCESS)
}
