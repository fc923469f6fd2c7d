//! `simulate luckygas`: the two databases of a gas-delivery company that never was.
//!
//! The databases are where the systems `luckygas` and `luckygas-legacy` look for them, and capture changes from the
//! moment on at which they are whole.

use std::collections::BTreeMap;
use std::process::ExitCode;

use plimsoll_engine::change::setup;
use plimsoll_engine::session::Progress;
use plimsoll_engine::{EngineError, ErrorKind, Session};
use plimsoll_simulator::luckygas::dirt::Planted;
use plimsoll_simulator::luckygas::{Manifest, Settings, generate};
use plimsoll_store::{StoreUrl, schema};
use serde::Serialize;

use crate::args::LuckygasArguments;
use crate::command::Context;
use crate::registry::{self, Side};
use crate::ui::{grouped, plural};

/// Writes both databases and prints what is in them.
pub(super) fn execute(context: &Context, arguments: &LuckygasArguments) -> Result<ExitCode, EngineError> {
    let usual = Settings::of(arguments.clients, arguments.seed);
    let settings = Settings {
        deliveries: arguments.deliveries.unwrap_or(usual.deliveries),
        dirty_percent: arguments.dirty,
        ..usual
    };
    let [legacy_side, new_side] = &registry::PILOT_SIDES;
    let (legacy_url, new_url) = (context.store_url(legacy_side.system)?, context.store_url(new_side.system)?);
    if legacy_url == new_url {
        return Err(EngineError::usage(
            "both sides would be one database\nhint: leave out --store; name each in `[stores]` of plimsoll.toml",
        ));
    }
    if !matches!(legacy_url, StoreUrl::Sqlite { .. }) {
        return Err(EngineError::usage(format!(
            "the legacy side would be {legacy_url}, and no other database than SQLite holds Big5 in its texts\n\
             hint: name a SQLite file for `{}` in `[stores]` of plimsoll.toml",
            legacy_side.system.name
        )));
    }
    let mut legacy = empty(context, legacy_side)?;
    let mut new = empty(context, new_side)?;
    let sink = context.ui.progress();
    let told = &mut |done, all| {
        sink(&Progress { phase: "writing", done, total: Some(all), eta_ms: None });
    };
    let manifest = generate(&settings, legacy.store.as_mut(), new.store.as_mut(), told)
        .map_err(|error| EngineError::new(ErrorKind::Source, error.to_string()))?;
    if arguments.carried {
        let (carried, left_out) =
            super::luckygas_carried::fill(&mut legacy, &mut new, registry::PILOT, &sink)?;
        context.ui.say(&format!(
            "{} carried over, {} left out",
            plural(carried, "record"),
            grouped(left_out)
        ));
    }
    setup::prepare(&mut legacy, Some(legacy_side.system))?;
    setup::prepare(&mut new, Some(new_side.system))?;
    let stores = [&legacy, &new].map(|side| side.store.url().to_string());
    let document = Document { legacy_store: &stores[0], new_store: &stores[1], manifest: &manifest };
    context.ui.print(&document, || text(&document))?;
    Ok(ExitCode::SUCCESS)
}

/// A side's store without rows, from before its changes were captured. One with rows is left as it is.
fn empty(context: &Context, side: &Side) -> Result<Session, EngineError> {
    let mut session = context.bare_session(side.system)?;
    let now = session.clock.now();
    let store = session.store.as_mut();
    let mut in_use = schema::version(store, side.system.schema.component)? > side.before_capture.latest();
    for table in side.system.tables {
        in_use |= store.shape(table)?.is_some()
            && !store.query(&format!("SELECT 1 FROM {table} LIMIT 1"), &[])?.is_empty();
    }
    if in_use {
        return Err(EngineError::usage(format!(
            "{} is in use\nhint: name a folder without one, as in `--data demo`",
            store.url()
        )));
    }
    schema::upgrade(store, &side.before_capture, &now)?;
    Ok(session)
}

/// What is printed.
#[derive(Serialize)]
struct Document<'made> {
    legacy_store: &'made str,
    new_store: &'made str,
    #[serde(flatten)]
    manifest: &'made Manifest,
}

fn text(document: &Document<'_>) -> String {
    let Document { legacy_store, new_store, manifest } = document;
    let rows = |tables: &BTreeMap<&str, u64>| {
        let each = tables.iter().map(|(table, rows)| format!("{table} {}", grouped(*rows)));
        each.collect::<Vec<_>>().join(", ")
    };
    let dirty = |planted: &Planted, noun| plural(planted.values().sum(), noun);
    format!(
        "demo databases, seed {}\n  {legacy_store}: {}\n  {new_store}: {}\nwith something wrong: {}, {}, {}",
        manifest.seed,
        rows(&manifest.legacy),
        rows(&manifest.new),
        dirty(&manifest.dirty_clients, "client"),
        dirty(&manifest.dirty_deliveries, "delivery"),
        dirty(&manifest.dirty_customers, "new customer"),
    )
}
