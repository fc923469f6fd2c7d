//! `serve`: the HTTP API, and beside it the loop that runs schedules and delivers notices.

mod host;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plimsoll_engine::alert::Transport;
use plimsoll_engine::schedule::Runner;
use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::{
    Library, Limits, REFRESH_INTERVAL, RunningServer, ServedAnalytic, ServedLink, ServedPilot, ServedSide,
    ServedSystem, ServerError, ServerSettings,
};

use super::Context;
use super::gate::ask;
use super::metrics::{Collector, exists};
use super::pilot::CERTIFICATE_KEY;
use super::schedule::BinaryHost;
use crate::args::ServeArguments;
use crate::registry::{self, ANALYTIC_SYSTEMS, LINKED_SYSTEMS, PILOT, PILOT_SIDES, STANDING_SYSTEMS};
use host::ServerHost;

/// The link of a system, with its tables up to date.
fn served_link(
    context: &Context,
    session: &mut Session,
    linked: &'static LinkedSystem,
) -> Result<ServedLink, EngineError> {
    plimsoll_engine::sync::prepare(session, linked)?;
    Ok(ServedLink {
        linked,
        remote: context.config.sources.get(linked.system.name).cloned(),
        token: context.config.remote_token.clone(),
        requests_per_second: None,
    })
}

/// The pilot, when both its databases are there; their runs are served too.
fn served_pilot(
    context: &Context,
    systems: &mut Vec<ServedSystem>,
) -> Result<Option<ServedPilot>, EngineError> {
    let Ok([legacy_url, new_url]) = context.pilot_urls() else { return Ok(None) };
    if !exists(&legacy_url) || !exists(&new_url) {
        return Ok(None);
    }
    let [legacy, new] = &PILOT_SIDES;
    let mut session = context.new_side()?;
    let links = LINKED_SYSTEMS.iter().filter(|linked| linked.system.name == new.system.name).copied();
    let links: Vec<&LinkedSystem> = links.collect();
    for linked in &links {
        plimsoll_engine::sync::prepare(&mut session, linked)?;
    }
    systems.push(ServedSystem { system: new.system, store: new_url.clone(), link: None });
    // The legacy database belongs to another program: nothing is set up there before somebody enrols members.
    let has_journal = context.open(&legacy_url)?.store.shape("plimsoll_run")?.is_some();
    if has_journal {
        context.session(legacy.system)?;
        systems.push(ServedSystem { system: legacy.system, store: legacy_url.clone(), link: None });
    }
    let asking = context.silent();
    Ok(Some(ServedPilot {
        pilot: PILOT,
        legacy: ServedSide { system: legacy.system, store: legacy_url },
        new: ServedSide { system: new.system, store: new_url },
        links,
        key: (CERTIFICATE_KEY, context.certificate_secret()?.into()),
        ask_gate: Arc::new(move |gate, actor| {
            let catalog = asking.gates()?;
            let mut control = asking.control_session()?;
            actor.clone_into(&mut control.actor);
            Ok(ask(&asking, &mut control, catalog.find(gate)?)?.1.verdict)
        }),
    }))
}

/// Serves the HTTP API and runs schedules until the process is told to end.
pub(crate) fn serve(context: &Context, arguments: &ServeArguments) -> Result<ExitCode, EngineError> {
    let mut systems = Vec::new();
    for system in STANDING_SYSTEMS {
        let mut session = context.session(system)?;
        let link = LINKED_SYSTEMS.iter().find(|linked| linked.system.name == system.name);
        let link = link.map(|linked| served_link(context, &mut session, linked)).transpose()?;
        systems.push(ServedSystem { system, store: context.store_url(system)?, link });
    }
    let pilot = served_pilot(context, &mut systems)?;
    let control = context.control_session()?.store.url();
    let control_text = control.to_string();
    let rate = Some(arguments.rate_limit).filter(|rate| *rate > 0);
    let settings = ServerSettings {
        listen: arguments.listen,
        systems,
        pilot,
        // A store that is named for all systems is no DuckDB file; then there are no analytical ones.
        analytics: ANALYTIC_SYSTEMS
            .iter()
            .filter_map(|&system| Some(ServedAnalytic { system, path: context.analytic_path(system).ok()? }))
            .collect(),
        library: Library {
            gates: registry::GATES,
            playbooks: registry::PLAYBOOKS,
            dashboards: registry::DASHBOARDS,
            folder: context.config.data.clone(),
        },
        host: Arc::new(ServerHost::new(context)),
        control,
        actor: context.config.actor.clone(),
        tokens: context.config.tokens.clone(),
        limits: Limits { requests_per_second: rate, ..Limits::default() },
        refresh_interval: REFRESH_INTERVAL,
        cache: context.config.cache.clone(),
        collect: Collector::new(context).into_collect(),
    };

    let runner = Runner {
        session: context.control_session()?,
        host: Arc::new(BinaryHost::new(context)),
        policy: context.alert_policy(),
        transport: context.optional_webhook().map(|webhook| Box::new(webhook) as Box<dyn Transport + Send>),
    };
    // The note lives as long as the server: other commands find the server by it.
    let note = std::cell::OnceCell::new();
    let folder = &context.config.data;
    let ready = |address| {
        match RunningServer::announce(folder, address, &control_text) {
            Ok(announcement) => drop(note.set(announcement)),
            Err(error) => {
                context
                    .ui
                    .say(&format!("other commands will not find this server: {}: {error}", folder.display()));
            }
        }
        context.ui.line(&format!("http://{address}"));
    };
    let stop = AtomicBool::new(false);
    let served = std::thread::scope(|scope| {
        scope.spawn(|| runner.run(&stop));
        let served = plimsoll_server::serve(settings, &ready);
        stop.store(true, Ordering::SeqCst);
        served
    });
    served.map_err(|error| match error {
        ServerError::Control(error) => error,
        error => EngineError::usage(error.to_string()),
    })?;
    Ok(ExitCode::SUCCESS)
}
