//! `flag import` and `flag export`.

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;

use plimsoll_core::flag::Algorithm;
use plimsoll_engine::flag::flagd::{self, Unsupported};
use plimsoll_engine::flag::{Changed, How, change, store, unleash};
use plimsoll_engine::{EngineError, Session};
use serde_json::{Value as Json, json};

use super::arguments::{Format, HowArguments};
use super::print;
use crate::command::Context;
use crate::exit;

/// Takes over a document.
pub(super) fn import(
    context: &Context,
    session: &mut Session,
    file: &Path,
    format: Option<Format>,
    algorithm: Algorithm,
    how: &HowArguments,
) -> Result<ExitCode, EngineError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        EngineError::usage(format!("{}: {error}\nhint: flag import FILE", file.display()))
    })?;
    // Both have `flags` or `features` at the top, and only one of them.
    let told = serde_json::from_str::<Json>(&text).ok();
    let is_unleash = told.is_some_and(|document| document.get("features").is_some());
    let format = format.unwrap_or(if is_unleash { Format::Unleash } else { Format::Flagd });
    let during = |error: EngineError| error.during(&file.display().to_string());
    let (flags, segments, unsupported) = match format {
        Format::Unleash => {
            let (flags, segments) = unleash::parse(&text).map_err(during)?;
            (flags, segments, Vec::new())
        }
        Format::Flagd => {
            let imported = flagd::import(&text, algorithm).map_err(during)?;
            (imported.flags, Vec::new(), imported.unsupported)
        }
    };
    let found = flags.len();
    // A document may hold flags that are wrong there too; they are told, and off.
    let how = How { keep_faults: true, ..how.how() };
    let changes = change::put_all(session, flags, &segments, &how)?;
    let (left_out, rest): (Vec<_>, Vec<_>) = unsupported.iter().partition(|each| each.left_out);
    let undo: Vec<String> = changes.iter().filter_map(|changed| super::undo(context, changed)).collect();
    let document = json!({
        "found": found,
        "changed": changes,
        "unchanged": found - changes.len(),
        "unsupported": unsupported,
        "dry_run": how.dry_run,
        "undo": undo,
    });
    context.ui.print(&document, || {
        let mut lines = vec![summary(&changes, found, how.dry_run)];
        for changed in &changes {
            lines.extend(
                changed.findings.iter().map(|finding| {
                    format!("{}: {}: {}", changed.after.flag.name, finding.place, finding.what)
                }),
            );
        }
        lines.extend(left_out.iter().map(|each| format!("left out `{}`: {}", each.flag, each.construct)));
        lines.extend(
            rest.iter()
                .map(|each| format!("`{}`: {} is not kept; it decides nothing", each.flag, each.construct)),
        );
        lines.extend(undo.iter().map(|command| format!("undo: {command}")));
        lines.join("\n")
    })?;
    Ok(if left_out.is_empty() { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn summary(changes: &[Changed], found: usize, dry_run: bool) -> String {
    let created = changes.iter().filter(|changed| changed.before.is_none()).count();
    let dry = if dry_run { "dry run: nothing was changed; this would be it: " } else { "" };
    format!(
        "{dry}{found} read: {created} created, {} changed, {} as they were",
        changes.len() - created,
        found - changes.len()
    )
}

/// Writes all flags.
pub(super) fn export(
    context: &Context,
    session: &mut Session,
    format: Format,
    to: Option<&Path>,
) -> Result<ExitCode, EngineError> {
    let snapshot = store::snapshot(session)?;
    let (document, unsupported) = match format {
        Format::Unleash => {
            let feed = snapshot.feed();
            let unsupported = feed
                .differs
                .into_iter()
                .map(|(flag, construct)| Unsupported { flag, construct, left_out: false })
                .collect();
            (serde_json::to_value(&feed.document)?, unsupported)
        }
        Format::Flagd => {
            let mut known = HashMap::new();
            for stored in snapshot.flags() {
                let keys = store::known_keys(session.store.as_mut(), &stored.id)?;
                if !keys.keys.is_empty() {
                    known.insert(stored.id.clone(), keys);
                }
            }
            let exported = flagd::export(&snapshot.flags(), snapshot.segments(), &known);
            (exported.document, exported.unsupported)
        }
    };
    let text = serde_json::to_string_pretty(&document)?;
    match to {
        Some(path) => {
            std::fs::write(path, text + "\n").map_err(|error| {
                EngineError::usage(format!("{}: {error}\nhint: --to FILE", path.display()))
            })?;
            let result = json!({"file": path, "unsupported": unsupported});
            context
                .ui
                .print(&result, || format!("written to {}", print::quoted(&path.display().to_string())))?;
        }
        None => context.ui.line(&text),
    }
    for each in &unsupported {
        let what = if each.left_out { "left out" } else { "decided otherwise there" };
        context.ui.say(&format!("{what}: `{}`: {}", each.flag, each.construct));
    }
    let left_out = unsupported.iter().any(|each| each.left_out || format == Format::Unleash);
    Ok(if left_out { exit::incomplete() } else { ExitCode::SUCCESS })
}
