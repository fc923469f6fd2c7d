//! How flags look on a terminal.

use plimsoll_core::flag::analysis::{self, Severity};
use plimsoll_core::flag::{Flag, Segment, State, TriggerAction};
use plimsoll_engine::flag::explain::{Entry, Explanation, constraint_words};
use plimsoll_engine::flag::{Changed, StoredFlag, store};
use plimsoll_engine::{EngineError, Session};
use serde_json::json;

use super::super::Context;
use crate::ui::{plural, table};

/// The flags as a table.
pub(super) fn list(flags: &[StoredFlag], now: &str) -> String {
    if flags.is_empty() {
        return "there is no flag yet\nhint: plimsoll flag create NAME --reason \"..\"".to_owned();
    }
    let rows: Vec<Vec<String>> = flags
        .iter()
        .map(|stored| {
            let flag = &stored.flag;
            let expired = flag.expires_at.as_deref().is_some_and(|at| at <= now);
            let mut state = if stored.archived { "deleted" } else { flag.state.as_str() }.to_owned();
            if expired && !stored.archived {
                state += ", expired";
            }
            vec![flag.name.clone(), state, who(flag, now), flag.owner.clone(), stored.changed_at.clone()]
        })
        .collect();
    table(&["flag", "state", "who gets it", "owner", "changed"], &rows)
}

/// Who gets it, in a few words.
fn who(flag: &Flag, now: &str) -> String {
    if flag.state != State::On {
        return "nobody".to_owned();
    }
    let mut parts = Vec::new();
    match &flag.rollout {
        Some(rollout) => {
            let mut words = format!("{} %", rollout.percent_at(now));
            if !rollout.constraints.is_empty() || !rollout.segments.is_empty() {
                words += " of some";
            }
            if let Some(next) = rollout.stages.iter().find(|stage| stage.at.as_str() > now) {
                words += &format!(", {} % from {}", next.percent, next.at);
            }
            parts.push(words);
        }
        None if flag.rules.is_empty() => parts.push("everybody".to_owned()),
        None => {}
    }
    for (count, word) in [(flag.rules.len(), "rule"), (flag.allow.len(), "allowed key")] {
        if count > 0 {
            parts.push(plural(count as u64, word));
        }
    }
    let mut words = parts.join(", ");
    if !flag.deny.is_empty() {
        words += &format!(", but {}", plural(flag.deny.len() as u64, "denied key"));
    }
    if !flag.variants.is_empty() {
        words += &format!("; {}", plural(flag.variants.len() as u64, "variant"));
    }
    words
}

/// One flag.
pub(super) fn show(
    context: &Context,
    session: &mut Session,
    name: &str,
    members: bool,
) -> Result<(), EngineError> {
    let stored = store::find(session.store.as_mut(), name)?;
    let now = session.clock.now();
    let segments = store::segments(session.store.as_mut())?;
    let others = store::list(session.store.as_mut(), false)?;
    let others = others
        .into_iter()
        .filter(|other| other.id != stored.id)
        .map(|other| (other.flag.name.clone(), other.flag))
        .collect();
    let findings = analysis::analyze(&stored.flag, &others, &segments, &now);
    let (keys, cohort) = store::cohort(session.store.as_mut(), &stored.id)?;
    let mut document = json!({
        "flag": stored,
        "who": who(&stored.flag, &now),
        "findings": findings,
        "known_keys": keys,
        "members": cohort.len(),
    });
    if members {
        document["member_list"] = json!(cohort);
    }
    context.ui.print(&document, || {
        let mut lines = description(&stored, &now);
        if keys > 0 {
            lines.push(format!("members: {} of {} known keys", cohort.len(), keys));
        }
        for finding in &findings {
            lines.push(finding_line(finding));
        }
        if members {
            lines.extend(cohort.iter().map(|(key, variant)| match variant {
                Some(variant) => format!("{key}\t{variant}"),
                None => key.clone(),
            }));
        }
        lines.join("\n")
    })
}

fn finding_line(finding: &analysis::Finding) -> String {
    let word = if finding.severity == Severity::Error { "error" } else { "warning" };
    format!("{word}: {}: {}", finding.place, finding.what)
}

fn description(stored: &StoredFlag, now: &str) -> Vec<String> {
    let flag = &stored.flag;
    let mut lines = vec![format!(
        "{}: {}, {} (version {})",
        flag.name,
        flag.state.as_str(),
        who(flag, now),
        stored.version
    )];
    for (word, text) in [
        ("for", flag.description.as_str()),
        ("owner", flag.owner.as_str()),
        ("purpose", flag.purpose.as_str()),
        ("expires", flag.expires_at.as_deref().unwrap_or_default()),
        (
            "key",
            if flag.key == plimsoll_core::flag::definition::DEFAULT_KEY { "" } else { flag.key.as_str() },
        ),
    ] {
        if !text.is_empty() {
            lines.push(format!("{word}: {text}"));
        }
    }
    if let Some(rollout) = &flag.rollout {
        lines.push(format!(
            "rollout: {} % by {}, salt `{}`",
            rollout.percent, rollout.algorithm, rollout.salt
        ));
        for stage in &rollout.stages {
            lines.push(format!("  from {}: {} %", stage.at, stage.percent));
        }
        for constraint in &rollout.constraints {
            lines.push(format!("  only if {}", constraint_words(constraint)));
        }
    }
    for (at, rule) in flag.rules.iter().enumerate() {
        let mut words: Vec<String> = rule.constraints.iter().map(constraint_words).collect();
        words.extend(rule.segments.iter().map(|number| format!("segment {number}")));
        if rule.strategy != "default" {
            words.insert(0, rule.strategy.clone());
        }
        let words = if words.is_empty() { "everybody".to_owned() } else { words.join(" and ") };
        lines.push(format!("rule {}: {words}", at + 1));
    }
    for variant in &flag.variants {
        let value = variant.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
        let default = if flag.default_variant.as_ref() == Some(&variant.name) { ", default" } else { "" };
        lines.push(format!("variant {}: weight {}{value}{default}", variant.name, variant.weight));
    }
    for required in &flag.requires {
        lines.push(format!("requires: {} {}", required.flag, if required.on { "on" } else { "off" }));
    }
    for (word, keys) in [
        ("allowed", flag.allow.keys().cloned().collect::<Vec<_>>()),
        ("denied", flag.deny.iter().cloned().collect()),
    ] {
        if !keys.is_empty() {
            lines.push(format!("{word}: {}", keys.join(", ")));
        }
    }
    for trigger in &flag.triggers {
        let action = match trigger.action {
            TriggerAction::Kill => "kills it".to_owned(),
            TriggerAction::Percent(percent) => format!("turns it down to {percent} %"),
        };
        lines.push(format!(
            "trigger {}: {} {action} (sample of at least {})",
            trigger.name, trigger.when, trigger.minimum_sample
        ));
        lines.extend(trigger.measures.iter().map(|(name, source)| format!("  {name}: {source}")));
    }
    lines
}

/// What a change did.
pub(super) fn changed(changed: &Changed, undo: Option<&str>, dry_run: bool) -> String {
    let mut lines = Vec::new();
    if dry_run {
        lines.push("dry run: nothing was changed; this would be it".to_owned());
    }
    if changed.after.archived {
        lines.push(format!("{} is deleted; its history is kept", changed.after.flag.name));
    } else {
        lines.extend(description(&changed.after, &changed.after.changed_at));
    }
    if !changed.difference.is_empty() || changed.kind == "flag.keys" {
        lines.push(format!("members: {}", changed.difference));
    }
    lines.extend(changed.findings.iter().map(finding_line));
    if let Some(undo) = undo {
        lines.push(format!("undo: {undo}"));
    }
    lines.join("\n")
}

/// Why.
pub(super) fn explanation(explanation: &Explanation) -> String {
    let mut lines = vec![explanation.sentence.clone()];
    for step in &explanation.steps {
        lines.push(format!("  {} {}", if step.holds { "yes" } else { "no " }, step.what));
    }
    let answer = &explanation.evaluation;
    let value = answer.value.as_ref().map_or_else(|| "the caller's default".to_owned(), ToString::to_string);
    lines.push(format!("value: {value}, reason: {}", answer.reason.as_str()));
    lines.join("\n")
}

/// Every change.
pub(super) fn history(entries: &[Entry]) -> String {
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let [enter, leave, swap] = entry.effect;
            let about = if entry.exact { "" } else { "~" };
            vec![
                entry.version.to_string(),
                entry.at.clone(),
                entry.actor.clone(),
                entry.kind.trim_start_matches("flag.").to_owned(),
                if entry.archived { "deleted".to_owned() } else { who(&entry.after, &entry.at) },
                format!("{about}{enter} / {about}{leave} / {about}{swap}"),
                entry.reason.clone(),
            ]
        })
        .collect();
    table(&["version", "at", "by", "change", "who gets it", "enter / leave / swap", "reason"], &rows)
}

/// The segments.
pub(super) fn segments(segments: &[Segment]) -> String {
    let rows: Vec<Vec<String>> = segments
        .iter()
        .map(|segment| {
            let words: Vec<String> = segment.constraints.iter().map(constraint_words).collect();
            vec![segment.number.to_string(), segment.name.clone(), words.join(" and ")]
        })
        .collect();
    table(&["segment", "name", "who is in it"], &rows)
}

/// The command that makes a segment what it is.
pub(super) fn segment_command(context: &Context, segment: &Segment) -> String {
    let store = context.store.as_ref().map(|url| format!(" --store {url}")).unwrap_or_default();
    let conditions: Vec<String> = segment
        .constraints
        .iter()
        .filter_map(plimsoll_core::flag::condition::text)
        .map(|text| format!(" --where {}", quoted(&text)))
        .collect();
    format!(
        "plimsoll flag segment {} --name {}{} --reason \"..\"{store}",
        segment.number,
        quoted(&segment.name),
        conditions.concat()
    )
}

/// A word for a shell: quoted where it needs it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:,=@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
