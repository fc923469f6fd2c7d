//! Judgements for people: plain text and Markdown.
//!
//! Owns the wording. Every figure is the judgement's; nothing is computed here but what is shown of it.

use std::fmt::Write as _;

use plimsoll_core::decision::with_unit;
use plimsoll_core::gate::{Answer, Blocker, Gate, Judgement, Standing, color};

use super::file::weights;

/// The color of a judgement (LG-32).
pub(super) fn color_of(judgement: &Judgement) -> plimsoll_core::gate::Color {
    let at_risk = judgement.criteria.iter().any(|judged| {
        judged.guards_data && judged.evidence.iter().any(|evidence| evidence.standing == Standing::Breach)
    });
    let readiness = judgement.readiness.as_ref();
    let score = readiness.map(|readiness| readiness.score);
    color(judgement.verdict, at_risk, score, readiness.and_then(|readiness| readiness.change))
}

fn counts(judgement: &Judgement) -> String {
    let count = |answer| judgement.criteria.iter().filter(|judged| judged.answer == answer).count();
    format!(
        "{} YES, {} PARTIAL, {} NO, {} UNKNOWN",
        count(Answer::Yes),
        count(Answer::Partial),
        count(Answer::No),
        count(Answer::Unknown)
    )
}

fn signed(change: f64) -> String {
    let sign = if change > 0.0 { "+" } else { "" };
    format!("{sign}{}", with_unit(change, ""))
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn blocker(blocker: &Blocker) -> String {
    let mut line =
        format!("{}: {}: {} ({})", blocker.criterion, blocker.text, blocker.says, blocker.standing);
    if blocker.adds > 0.0 {
        let _ = write!(line, " [+{} points]", with_unit(blocker.adds, ""));
    }
    line
}

/// What is said below the table.
fn notes(judgement: &Judgement) -> Vec<(String, Vec<String>)> {
    let mut sections = Vec::new();
    if let Some(readiness) = &judgement.readiness {
        let mut lines = Vec::new();
        for scored in &readiness.categories {
            let change = scored.change.map(|change| format!(", {}", signed(change))).unwrap_or_default();
            let open = if scored.at_most > scored.score {
                format!(", at most {}: {} unknown", with_unit(scored.at_most, ""), scored.unknown)
            } else {
                String::new()
            };
            lines.push(format!(
                "{} {}/100 (weight {}{change}{open})",
                scored.name,
                with_unit(scored.score, ""),
                with_unit(scored.weight_percent, "%")
            ));
        }
        let change = readiness.change.map(|change| format!(" ({} since the baseline)", signed(change)));
        let title = format!("readiness {}/100{}", with_unit(readiness.score, ""), change.unwrap_or_default());
        sections.push((title, lines));
    }
    let in_the_way: Vec<String> = judgement.blockers.iter().map(blocker).collect();
    if !in_the_way.is_empty() {
        sections.push((plural(in_the_way.len(), "blocker"), in_the_way));
    }
    if !judgement.missing_sample.is_empty() {
        sections.push(("missing sample".to_owned(), judgement.missing_sample.clone()));
    }
    let others: Vec<String> = judgement.advisories.iter().map(blocker).collect();
    if !others.is_empty() {
        sections.push(("not required, and not met".to_owned(), others));
    }
    if !judgement.path.is_empty() {
        let adds: f64 = judgement.path.iter().map(|step| step.adds).sum();
        let points = if adds > 0.0 { format!(", +{} points", with_unit(adds, "")) } else { String::new() };
        let title = format!("shortest path to GO: {}{points}", plural(judgement.path.len(), "item"));
        let steps = judgement
            .path
            .iter()
            .map(|step| format!("{}: {}", step.criterion, step.hint.as_deref().unwrap_or(&step.text)));
        sections.push((title, steps.collect()));
    }
    sections
}

/// Plain text.
pub fn to_text(judgement: &Judgement) -> String {
    let mut text = String::new();
    let width = judgement.criteria.iter().map(|judged| judged.id.chars().count()).max().unwrap_or(0);
    for judged in &judgement.criteria {
        let optional = if judged.required { "" } else { " (not required)" };
        let _ = writeln!(text, "{:<8} {:<width$}  {}{optional}", judged.answer, judged.id, judged.text);
        for evidence in &judged.evidence {
            let _ = writeln!(text, "         {:<width$}  - {}: {}", "", evidence.standing, evidence.says);
        }
    }
    let _ = writeln!(
        text,
        "\n{} {} ({}): {}",
        judgement.gate,
        judgement.verdict,
        color_of(judgement),
        counts(judgement)
    );
    for (title, lines) in notes(judgement) {
        let _ = writeln!(text, "{title}");
        for line in lines {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// Markdown, with the published weights and the queries, so that a reader can ask again.
pub fn to_markdown(gate: &Gate, judgement: &Judgement) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut text = format!("# {}\n\n", judgement.title);
    let _ = writeln!(
        text,
        "Gate `{}`, judged at {}: **{}** ({}). {}.\n",
        judgement.gate,
        judgement.at,
        judgement.verdict,
        color_of(judgement),
        counts(judgement)
    );
    text.push_str("| criterion | asks | answer | evidence | says |\n|---|---|---|---|---|\n");
    for judged in &judgement.criteria {
        for evidence in &judged.evidence {
            let _ = writeln!(
                text,
                "| {} | {} | {} | `{}` | {}: {} |",
                cell(&judged.id),
                cell(&judged.text),
                judged.answer,
                cell(&evidence.query),
                evidence.standing,
                cell(&evidence.says)
            );
        }
    }
    for (title, lines) in notes(judgement) {
        let _ = writeln!(text, "\n## {title}\n");
        for line in lines {
            let _ = writeln!(text, "- {line}");
        }
    }
    if !gate.categories.is_empty() {
        let _ = writeln!(text, "\nWeights: {}.", weights(&gate.categories));
    }
    for note in &gate.notes {
        let _ = writeln!(text, "\n{note}");
    }
    text
}
