//! `gate`: may we go on, from evidence.
//!
//! Owns the wording around a judgement and the exit code: 0 for GO, 4 for everything else. Judging is the engine's.

mod arguments;
pub(crate) mod record;
mod stores;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use plimsoll_core::gate::{Gate, Judgement, Verdict};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::gate::live::Live;
use plimsoll_engine::gate::{self as engine_gate, Catalog, Sample};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

pub(crate) use arguments::GateArguments;
use arguments::{BaselineCommand, EvaluateArguments, GateCommand};
pub(crate) use stores::SystemStores;

use super::Context;
use crate::exit;
use crate::registry;
use crate::ui::table;

/// Runs `gate`.
pub(crate) fn execute(context: &Context, arguments: GateArguments) -> Result<ExitCode, EngineError> {
    match (arguments.command, arguments.name) {
        (Some(command), _) => run(context, command),
        (None, Some(name)) => {
            evaluate(context, &EvaluateArguments { name, sample: false, readings: None, report: None })
        }
        (None, None) => list(context),
    }
}

fn run(context: &Context, command: GateCommand) -> Result<ExitCode, EngineError> {
    match command {
        GateCommand::List => list(context),
        GateCommand::Show { name } => show(context, &name),
        GateCommand::Evaluate(arguments) => evaluate(context, &arguments),
        GateCommand::SignOff(arguments) => record::sign_off(context, &arguments),
        GateCommand::Drill(arguments::DrillCommand::Record(arguments)) => record::drill(context, &arguments),
        GateCommand::Report(arguments::ReportCommand::Record(arguments)) => {
            record::report(context, &arguments)
        }
        GateCommand::Facts(arguments::FactsCommand::Record(arguments)) => record::facts(context, &arguments),
        GateCommand::Evidence => record::list(context),
        GateCommand::Baseline(command) => baseline(context, command),
        GateCommand::History { name, limit } => history(context, &name, limit),
        GateCommand::Replay { id } => replay(context, &id),
    }
}

impl Context {
    /// Every gate: shipped ones, and the user's in the folder `gates` of the data folder.
    pub(crate) fn gates(&self) -> Result<Catalog, EngineError> {
        Catalog::load(registry::GATES, &self.config.data.join("gates"))
    }
}

/// The code of a verdict.
fn code(verdict: Verdict) -> ExitCode {
    ExitCode::from(if verdict == Verdict::Go { exit::DONE } else { exit::REFUSED })
}

fn list(context: &Context) -> Result<ExitCode, EngineError> {
    let catalog = context.gates()?;
    let mut session = context.control_session()?;
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for (gate, from) in catalog.iter() {
        let last = engine_gate::last(&mut session, &gate.gate)?;
        rows.push(vec![
            gate.gate.clone(),
            gate.criteria.len().to_string(),
            last.as_ref().map_or_else(|| "never asked".to_owned(), |last| last.verdict.clone()),
            last.as_ref().map(|last| last.at.clone()).unwrap_or_default(),
            gate.title.clone(),
        ]);
        documents.push(json!({
            "gate": gate.gate, "title": gate.title, "criteria": gate.criteria.len(), "from": from, "last": last,
            "requirements": gate.requirements,
        }));
    }
    context.ui.print(&documents, || table(&["gate", "criteria", "last verdict", "at", "decides"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, name: &str) -> Result<ExitCode, EngineError> {
    let catalog = context.gates()?;
    let gate = catalog.find(name)?;
    context.ui.print(gate, || {
        let mut rows = Vec::new();
        for criterion in &gate.criteria {
            for asked in &criterion.evidence {
                let fresh = asked.max_age.map(|age| age.to_string()).unwrap_or_default();
                let sample = asked.least_sample().map(|least| least.to_string()).unwrap_or_default();
                rows.push(vec![
                    criterion.id.clone(),
                    asked.text.clone().unwrap_or_else(|| criterion.text.clone()),
                    asked.rule.to_string(),
                    sample,
                    fresh,
                    asked.source.query(),
                ]);
            }
        }
        let heads = ["criterion", "asks", "rule", "sample", "not older", "evidence"];
        let mut lines = vec![gate.title.clone(), String::new(), table(&heads, &rows)];
        if !gate.categories.is_empty() {
            let weights: Vec<String> = gate
                .categories
                .iter()
                .map(|category| format!("{} {}", category.name, category.weight))
                .collect();
            lines.push(format!("\nweights: {}", weights.join(", ")));
        }
        lines.extend(gate.notes.iter().map(|note| format!("\n{note}")));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn evaluate(context: &Context, arguments: &EvaluateArguments) -> Result<ExitCode, EngineError> {
    let catalog = context.gates()?;
    let gate = catalog.find(&arguments.name)?;
    let sample = match (&arguments.readings, arguments.sample) {
        (Some(file), _) => Some(Sample::parse(&read(file)?)?),
        (None, true) => Some(catalog.sample(gate)?),
        (None, false) => None,
    };
    let mut session = context.control_session()?;
    let (id, judgement) = match &sample {
        Some(sample) => {
            let now = session.clock.now();
            (None, engine_gate::rehearse(gate, sample, &now)?)
        }
        None => {
            let (id, judgement) = ask(context, &mut session, gate)?;
            (Some(id), judgement)
        }
    };
    if let Some(file) = &arguments.report {
        std::fs::write(file, engine_gate::to_markdown(gate, &judgement))
            .map_err(|error| EngineError::usage(format!("{}: {error}", file.display())))?;
        context.ui.say(&format!("report written to {}", file.display()));
    }
    let rehearsal = sample.as_ref().map(|sample| sample.from.as_str());
    let document = json!({ "id": id, "rehearsed_on": rehearsal, "judgement": judgement });
    context.ui.print(&document, || engine_gate::to_text(&judgement))?;
    match (&id, rehearsal) {
        (Some(id), _) => {
            context.ui.say(&format!("kept as {0}; judge it again: plimsoll gate replay {0}", id.short()));
        }
        (None, Some(from)) => context.ui.say(&format!("REHEARSAL on {from}; nothing was kept")),
        (None, None) => {}
    }
    Ok(code(judgement.verdict))
}

/// Asks a gate's evidence and keeps the verdict.
pub(super) fn ask(
    context: &Context,
    session: &mut Session,
    gate: &Gate,
) -> Result<(plimsoll_core::id::Id, Judgement), EngineError> {
    let mut stores = SystemStores::new(context.systems());
    let mut live = Live { stores: &mut stores, clock: Arc::new(MachineClock::new()) };
    engine_gate::evaluate(session, gate, &mut live)
}

fn baseline(context: &Context, command: BaselineCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let found = match command {
        BaselineCommand::Set { name, reason } => {
            vec![engine_gate::set_baseline(&mut session, &context.gates()?.find(&name)?.gate, &reason)?]
        }
        BaselineCommand::List { name } => engine_gate::baselines(&mut session, &name)?,
    };
    context.ui.print(&found, || {
        let rows: Vec<Vec<String>> = found
            .iter()
            .map(|baseline| {
                let scores: Vec<String> =
                    baseline.scores.iter().map(|(name, score)| format!("{name} {score}")).collect();
                vec![baseline.at.clone(), baseline.actor.clone(), scores.join(", "), baseline.reason.clone()]
            })
            .collect();
        table(&["at", "actor", "scores", "reason"], &rows)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn history(context: &Context, name: &str, limit: u64) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let found = engine_gate::history(&mut session, name, limit)?;
    context.ui.print(&found, || {
        let row = |stored: &engine_gate::Stored| {
            vec![
                stored.id.short().to_owned(),
                stored.at.clone(),
                stored.actor.clone(),
                stored.verdict.clone(),
            ]
        };
        table(&["verdict", "at", "actor", "says"], &found.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn replay(context: &Context, id: &str) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let stored = engine_gate::find(&mut session, id)?;
    let judgement = engine_gate::replay(&stored)?;
    let document =
        json!({ "id": stored.id, "same": true, "bytes": stored.document.len(), "judgement": judgement });
    context.ui.print(&document, || {
        let text = engine_gate::to_text(&judgement);
        format!("{text}judged again: the same {} bytes", stored.document.len())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A file's text.
pub(crate) fn read(file: &Path) -> Result<String, EngineError> {
    std::fs::read_to_string(file).map_err(|error| EngineError::usage(format!("{}: {error}", file.display())))
}
