//! `flag`: who gets it.
//!
//! Owns the mapping from arguments to the engine's changes of flags, and the command that takes each back.

mod arguments;
mod arrival;
mod edit;
mod exchange;
mod print;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use plimsoll_core::flag::{Flag, Percent, Segment, State, condition};
use plimsoll_engine::alert::{self, Severity, Signal};
use plimsoll_engine::flag::measure::LiveMeasures;
use plimsoll_engine::flag::{Changed, EvaluationContext, How, change, explain, moment, store, trigger};
use plimsoll_engine::{EngineError, Session};
use plimsoll_server::Arrival;
use serde_json::json;

pub(crate) use self::arguments::FlagCommand;
use self::arguments::{CreateArguments, HowArguments, ListArguments, SetArguments};
use super::Context;
use super::gate::SystemStores;

/// Runs one of the commands on flags.
pub(crate) fn execute(context: &Context, command: FlagCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    let session = &mut session;
    match command {
        FlagCommand::List { archived } => {
            let flags = store::list(session.store.as_mut(), archived)?;
            context.ui.print(&flags, || print::list(&flags, &session.clock.now()))?;
        }
        FlagCommand::Show { name, members } => print::show(context, session, &name, members)?,
        FlagCommand::Create(arguments) => {
            let changed = create(session, &arguments)?;
            tell(context, &changed, &arguments.how)?;
        }
        FlagCommand::Set(arguments) => {
            for changed in set(session, &arguments)? {
                tell(context, &changed, &arguments.how)?;
            }
        }
        FlagCommand::Allow(arguments) => {
            let changed = allow(session, &arguments)?;
            tell(context, &changed, &arguments.how)?;
        }
        FlagCommand::Deny(arguments) => {
            let changed = deny(session, &arguments)?;
            tell(context, &changed, &arguments.how)?;
        }
        FlagCommand::Kill { name, how } => {
            let changed = change::kill(session, &name, &how.how())?;
            let arrival = arrival::ask(context, session, &changed);
            tell_arrival(context, &changed, &how, arrival.as_ref())?;
        }
        FlagCommand::Explain { name, key, fields, at } => {
            let mut asker = EvaluationContext::default();
            let stored = store::lookup(session.store.as_mut(), &name)?;
            if let Some(key) = key {
                let field = stored.map_or_else(|| Flag::new("").key, |stored| stored.flag.key);
                asker.set(&field, key);
            }
            for (field, value) in fields {
                asker.set(&field, value);
            }
            let at = at.map(|text| moment::parse(&text, &session.clock.now())).transpose()?;
            let explanation = explain::explain(session, &name, &asker, at.as_deref())?;
            context.ui.print(&explanation, || print::explanation(&explanation))?;
        }
        FlagCommand::History { name } => {
            let history = explain::history(session, &name)?;
            context.ui.print(&history, || print::history(&history))?;
        }
        FlagCommand::Rename { name, new, how } => {
            let changed = change::rename(session, &name, &new, &how.how())?;
            tell(context, &changed, &how)?;
        }
        FlagCommand::Delete { name, how } => {
            let changed = change::archive(session, &name, &how.how())?;
            tell(context, &changed, &how)?;
        }
        FlagCommand::Import { file, format, algorithm, how } => {
            return exchange::import(context, session, &file, format, algorithm.into(), &how);
        }
        FlagCommand::Export { format, to } => {
            return exchange::export(context, session, format, to.as_deref());
        }
        FlagCommand::Triggers { measures, dry_run } => return triggers(context, session, &measures, dry_run),
        FlagCommand::Segment { number, name, conditions, remove, reason, dry_run } => {
            let how = How { reason: &reason, dry_run, ..How::default() };
            segment(context, session, number, name, &conditions, remove, &how)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl HowArguments {
    fn how(&self) -> How<'_> {
        How { dry_run: self.dry_run, override_swap: self.override_swap, ..How::because(&self.reason) }
    }
}

fn create(session: &mut Session, arguments: &CreateArguments) -> Result<Changed, EngineError> {
    let mut flag = Flag::new(&arguments.name);
    if let Some(key) = &arguments.key {
        flag.key.clone_from(key);
    }
    edit::about(&mut flag, &arguments.about, &session.clock.now())?;
    change::create(session, flag, &arguments.how.how())
}

/// Usually one change; two when the keys are given and the definition changes as well.
fn set(session: &mut Session, arguments: &SetArguments) -> Result<Vec<Changed>, EngineError> {
    let how = arguments.how.how();
    if let Some(version) = arguments.to_version {
        return Ok(vec![change::restore(session, &arguments.name, version, &how)?]);
    }
    let mut done = Vec::new();
    if let Some(path) = &arguments.keys {
        let keys = read_keys(path)?;
        done.push(change::set_keys(session, &arguments.name, keys, &how)?);
    }
    let now = session.clock.now();
    let before = store::find(session.store.as_mut(), &arguments.name)?.flag;
    let mut wanted = before.clone();
    edit::apply(&mut wanted, arguments, &now)?;
    if wanted != before {
        let changed = change::update(session, &arguments.name, "flag.changed", &how, |flag| {
            edit::apply(flag, arguments, &now)
        })?;
        done.push(changed);
    }
    if done.is_empty() {
        return Err(EngineError::usage(format!(
            "`{}` is so already, or nothing was asked for\nhint: `plimsoll flag set --help` lists what can be set",
            arguments.name
        )));
    }
    Ok(done)
}

/// The keys in a file, one a line; empty lines and lines that begin with `#` are left out.
fn read_keys(path: &std::path::Path) -> Result<BTreeSet<String>, EngineError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| EngineError::usage(format!("{}: {error}\nhint: --keys FILE", path.display())))?;
    let keys: BTreeSet<String> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if keys.is_empty() {
        return Err(EngineError::usage(format!("{} has no key\nhint: one key a line", path.display())));
    }
    Ok(keys)
}

/// Allowing somebody turns a flag on only where nobody else gets it by that.
fn allow(session: &mut Session, arguments: &ListArguments) -> Result<Changed, EngineError> {
    change::update(session, &arguments.name, "flag.changed", &arguments.how.how(), |flag| {
        for key in &arguments.keys {
            if arguments.remove {
                flag.allow.remove(key);
            } else {
                flag.allow.insert(key.clone(), arguments.variant.clone());
            }
        }
        let untouched = flag.state == State::Off && flag.rollout.is_none() && flag.rules.is_empty();
        if untouched && !arguments.remove {
            flag.rollout = Some(edit::rollout_of(flag, Percent::NOBODY));
            flag.state = State::On;
        }
        Ok(())
    })
}

fn deny(session: &mut Session, arguments: &ListArguments) -> Result<Changed, EngineError> {
    if arguments.variant.is_some() {
        return Err(EngineError::usage("--variant belongs to `flag allow`: who is denied gets none"));
    }
    change::update(session, &arguments.name, "flag.changed", &arguments.how.how(), |flag| {
        for key in &arguments.keys {
            if arguments.remove {
                flag.deny.remove(key);
            } else {
                flag.deny.insert(key.clone());
            }
        }
        Ok(())
    })
}

fn segment(
    context: &Context,
    session: &mut Session,
    number: Option<i32>,
    name: String,
    conditions: &[String],
    remove: bool,
    how: &How<'_>,
) -> Result<(), EngineError> {
    let segments = store::segments(session.store.as_mut())?;
    let Some(number) = number else {
        return context.ui.print(&segments, || print::segments(&segments));
    };
    let known = segments.iter().find(|segment| segment.number == number);
    let undo = match known {
        Some(segment) => print::segment_command(context, segment),
        None => format!("plimsoll flag segment {number} --remove --reason \"..\""),
    };
    if remove {
        change::remove_segment(session, number, how)?;
    } else {
        let constraints = conditions
            .iter()
            .map(|text| condition::parse(text))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| EngineError::usage(error.to_string()))?;
        if constraints.is_empty() {
            return Err(EngineError::usage("a segment needs a condition\nhint: --where region=north,south"));
        }
        let name =
            if name.is_empty() { known.map_or_else(String::new, |known| known.name.clone()) } else { name };
        change::put_segment(session, &Segment { number, name, constraints }, how)?;
    }
    let segments = store::segments(session.store.as_mut())?;
    let document = json!({"segments": segments, "dry_run": how.dry_run, "undo": undo});
    context.ui.print(&document, || format!("{}\nundo: {undo}", print::segments(&segments)))
}

/// Tells those who must know that a trigger fired or could not be judged, and that it is quiet again.
fn raise_or_clear(
    context: &Context,
    session: &mut Session,
    judged: &trigger::Judged,
) -> Result<(), EngineError> {
    let cause = format!("flag/{}/{}", judged.flag, judged.trigger);
    if !judged.needs_attention() {
        alert::clear(session, &cause, "the trigger is quiet")?;
        return Ok(());
    }
    let fired = judged.outcome == trigger::Outcome::Fired;
    let signal = Signal {
        cause,
        severity: if fired { Severity::P1 } else { Severity::P2 },
        title: format!(
            "trigger {} of flag {} {}",
            judged.trigger,
            judged.flag,
            if fired { "fired" } else { "cannot be judged" }
        ),
        detail: judged.sentence(),
        runbook: "docs/runbooks/flag-killed.md".to_owned(),
        system: String::new(),
    };
    context.raise(session, &signal)
}

/// Judges the triggers against measures that the caller gives, and those that metrics and checks give.
fn triggers(
    context: &Context,
    session: &mut Session,
    measures: &[(String, String)],
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let mut measured = BTreeMap::new();
    for (name, text) in measures {
        let (value, sample) = text.split_once(':').unwrap_or((text, "0"));
        let (Ok(value), Ok(sample)) = (value.parse::<f64>(), sample.parse::<u64>()) else {
            return Err(EngineError::usage(format!(
                "the measure `{name}` is `{text}`\nhint: --measure error_rate=0.02:1500, a value and its number of observations"
            )));
        };
        measured.insert(name.clone(), trigger::Measured { value, sample });
    }
    let mut stores = SystemStores::new(context.systems());
    let mut measures = LiveMeasures::new(measured, &mut stores);
    let judged = trigger::run(session, &mut measures, dry_run, &mut |judged| {
        if judged.needs_attention() {
            tracing::warn!("{}", judged.sentence());
        }
    })?;
    if !dry_run {
        for judged in &judged {
            raise_or_clear(context, session, judged)?;
        }
    }
    context.ui.print(&judged, || match judged.as_slice() {
        [] => "no flag that is on has a trigger".to_owned(),
        all => all.iter().map(trigger::Judged::sentence).collect::<Vec<_>>().join("\n"),
    })?;
    let attention = judged.iter().any(trigger::Judged::needs_attention);
    Ok(if attention { crate::exit::incomplete() } else { ExitCode::SUCCESS })
}

/// Prints what a change did, and the command that takes it back.
fn tell(context: &Context, changed: &Changed, how: &HowArguments) -> Result<(), EngineError> {
    tell_arrival(context, changed, how, None)
}

/// The same, and who has said that it has arrived.
fn tell_arrival(
    context: &Context,
    changed: &Changed,
    how: &HowArguments,
    arrival: Option<&Arrival>,
) -> Result<(), EngineError> {
    let undo = undo(context, changed);
    let document = json!({
        "kind": changed.kind,
        "flag": changed.after,
        "members": {
            "enter": changed.difference.enter.len(),
            "leave": changed.difference.leave.len(),
            "swap": changed.difference.swaps(),
            "stay": changed.difference.stay,
            "of": changed.difference.of,
            "exact": changed.difference.exact,
        },
        "findings": changed.findings,
        "version": changed.version,
        "dry_run": changed.dry_run,
        "undo": undo,
        "arrival": arrival,
    });
    context.ui.print(&document, || {
        let text = print::changed(changed, undo.as_deref(), how.dry_run);
        arrival.map_or_else(|| text.clone(), |arrival| format!("{}\n{text}", arrival.sentence("off")))
    })
}

/// The command that takes a change back, as a person would type it.
fn undo(context: &Context, changed: &Changed) -> Option<String> {
    if changed.is_noop() || changed.kind == "flag.keys" {
        return None;
    }
    let store = context.store.as_ref().map(|url| format!(" --store {url}")).unwrap_or_default();
    let name = print::quoted(&changed.after.flag.name);
    Some(match &changed.before {
        None => format!("plimsoll flag delete {name} --reason \"..\"{store}"),
        Some(before) => {
            // Back again, as many are swapped as on the way here.
            let swap = if changed.difference.swaps() > 0 { " --override-swap" } else { "" };
            format!("plimsoll flag set {name} --to-version {}{swap} --reason \"..\"{store}", before.version)
        }
    })
}
