//! `trial`.

use std::process::ExitCode;
use std::sync::Arc;

use plimsoll_core::decision::{Decision, Verdict, with_unit};
use plimsoll_engine::change::run::RunSettings;
use plimsoll_engine::trial::evidence::Evidence;
use plimsoll_engine::trial::{self as engine_trial, Subject, TrialSettings, reports};
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::{Durability, StoreUrl};

use super::{Context, gate, source};
use crate::args::TrialArguments;
use crate::config::Config;
use crate::exit;
use crate::registry;
use crate::ui::table;

/// Tries a change on scratch copies, writes the three reports, and prints the decision.
pub(crate) fn trial(context: &Context, arguments: &TrialArguments) -> Result<ExitCode, EngineError> {
    let system = registry::find(&arguments.system)?;
    let change = system.change(&arguments.change)?;
    // Read before the work: a wrong file must not be found out minutes later.
    let evidence = arguments.evidence.as_deref().map(Evidence::read).transpose()?;
    let url = context.store_url(system)?;
    let mut session = only_reading(context, &url)?;
    let mut open = source::open(context, system, change, &session, &arguments.source)?;
    let settings = TrialSettings {
        sizes: arguments.sizes.clone(),
        rounds: arguments.rounds,
        durability: match url {
            StoreUrl::Sqlite { durability, .. } => durability,
            StoreUrl::Postgres { .. } => Durability::Full,
        },
        scratch: &arguments.out,
        evidence,
        clock: Arc::clone(&session.clock),
        progress: context.ui.progress(),
    };
    let subject = Subject {
        system,
        change,
        from: session.store.as_mut(),
        fetch: open.fetch.as_mut(),
        source: &open.address,
        request: &open.request,
        route: &|size| switched(&context.config, size),
    };
    let found = engine_trial::run(subject, settings)?;
    let files = reports::write(&found, &arguments.out)?;
    let decision = reports::decision_json(&found);
    gate::record::trial(
        context,
        &format!("{} {}", system.name, change.name()),
        arguments,
        reports::record_json(&found),
    )?;
    context.ui.print(&decision, || text(&found.decision))?;
    for file in files {
        context.ui.say(&format!("written: {}", file.display()));
    }
    Ok(ExitCode::from(match found.decision.verdict {
        Verdict::Proceed => exit::DONE,
        Verdict::Iterate => exit::DONE_WITH_EXCEPTIONS,
        Verdict::Abort => exit::REFUSED,
    }))
}

/// A session that cannot write: a trial must not even be able to.
fn only_reading(context: &Context, url: &StoreUrl) -> Result<Session, EngineError> {
    let StoreUrl::Sqlite { path, .. } = url else { return context.open_existing(url) };
    if !path.is_file() {
        // The same words as for every command that needs a store.
        return context.open_existing(url);
    }
    let store = plimsoll_store::read_only_sqlite(path)
        .map_err(|error| EngineError::from(error).during(&format!("opening {url}")))?;
    Ok(Session::new(store, context.config.actor.clone()))
}

/// How a run goes when nothing but the two settings is given: the function that decides it for `run`.
fn switched(config: &Config, size: Option<u64>) -> RunSettings {
    let config = Config { batch_size: size.unwrap_or(config.batch_size), ..config.clone() };
    config.run_settings(size.is_some(), None)
}

/// The decision for a person.
fn text(decision: &Decision) -> String {
    let rows: Vec<Vec<String>> = decision
        .criteria
        .iter()
        .map(|judged| {
            let criterion = &judged.criterion;
            let (sign, unit) = (criterion.comparison.sign(), criterion.unit);
            vec![
                criterion.id.to_owned(),
                judged.standing.to_string(),
                judged.value.map_or_else(|| "-".to_owned(), |value| with_unit(value, unit)),
                format!("{sign} {}", with_unit(criterion.threshold, unit)),
                criterion.text.to_owned(),
            ]
        })
        .collect();
    let mut lines = vec![
        table(&["", "standing", "measured", "asked", "criterion"], &rows),
        String::new(),
        format!(
            "{}: {} met, {} not met, {} unknown",
            decision.verdict, decision.met, decision.not_met, decision.unknown
        ),
    ];
    lines.extend(decision.blocking.iter().map(|line| format!("  {line}")));
    lines.join("\n")
}
