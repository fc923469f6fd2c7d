//! Reports: of one run, and of a week (LG-50).
//!
//! Owns what is counted. Every line comes from the control store or from a document; where nothing is on record the
//! report says so instead of inventing a figure.

use std::fmt::Write as _;

use plimsoll_core::gate::{Judgement, Readiness};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::catalog::{Playbooks, Registered, registry};
use super::document::TaskState;
use super::journal::{self, Entry, PlaybookRun};
use super::risk::{Risk, risks};
use crate::error::EngineError;
use crate::event;
use crate::gate::{self, Kind};
use crate::session::Session;

/// A week's progress.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weekly {
    /// From when on.
    pub from: String,
    /// Until when.
    pub to: String,
    /// What was achieved: steps done, plans completed, gates that said GO.
    pub achievements: Vec<String>,
    /// What stood in the way: steps that failed, gates that did not open.
    pub challenges: Vec<String>,
    /// The last verdict of each gate.
    pub gates: Vec<GateLine>,
    /// Tasks of all plans: done, in progress, not begun.
    pub tasks: [u64; 3],
    /// Points of all plans' tasks: planned and done; `None` where no task states points.
    pub points: Option<[u64; 2]>,
    /// The latest test reports.
    pub tests: Vec<String>,
    /// The latest facts on record, and how they changed since the record before.
    pub metrics: Vec<String>,
    /// Risks that are not closed.
    pub risks: Vec<Risk>,
    /// What comes next: open tasks, and the shortest path to GO of gates that are shut.
    pub next: Vec<String>,
    /// The plans.
    pub plans: Vec<Registered>,
}

/// The last verdict of a gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateLine {
    /// The gate.
    pub gate: String,
    /// When it was judged.
    pub at: String,
    /// What it said.
    pub verdict: String,
    /// Its score, where it has one.
    pub readiness: Option<Readiness>,
}

/// The progress from `from` to now.
///
/// # Errors
/// When the store fails.
pub fn weekly(
    session: &mut Session,
    playbooks: &Playbooks,
    gates: &[String],
    from: &str,
) -> Result<Weekly, EngineError> {
    let to = session.clock.now();
    let (mut achievements, mut challenges) = (Vec::new(), Vec::new());
    for event in event::list(session.store.as_mut(), None)? {
        if event.at.as_str() < from {
            continue;
        }
        let detail: Json = serde_json::from_str(&event.detail).unwrap_or(Json::Null);
        let member = |name: &str| detail.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        match event.kind.as_str() {
            "playbook.done" => achievements.push(format!("{}: run {} ended well", event.at, event.subject)),
            "playbook.step_failed" => {
                challenges.push(format!("{}: step {}: {}", event.at, member("step"), event.reason));
            }
            "playbook.rolled_back" => {
                challenges.push(format!("{}: run {} was taken back", event.at, event.subject));
            }
            "plan.state" if member("to") == "Complete" => {
                achievements.push(format!("{}: the plan {} is complete", event.at, event.subject));
            }
            "gate.evaluated" if member("verdict") == "GO" => {
                achievements.push(format!("{}: the gate {} says GO", event.at, event.subject));
            }
            "gate.evaluated" => {
                let blockers = detail.get("blockers").and_then(Json::as_array).map_or(0, Vec::len);
                challenges.push(format!(
                    "{}: the gate {} says {}, {blockers} blockers",
                    event.at,
                    event.subject,
                    member("verdict")
                ));
            }
            _ => {}
        }
    }
    let plans = registry(session, playbooks)?;
    let (mut lines, mut next) = (Vec::new(), Vec::new());
    for name in gates {
        let Some(stored) = gate::last(session, name)? else { continue };
        let judgement: Judgement = serde_json::from_str(&stored.document)?;
        next.extend(judgement.path.iter().take(3).map(|step| {
            format!("{name}, {}: {}", step.criterion, step.hint.as_deref().unwrap_or(&step.text))
        }));
        lines.push(GateLine {
            gate: name.clone(),
            at: stored.at.clone(),
            verdict: stored.verdict.clone(),
            readiness: judgement.readiness,
        });
    }
    let mut tasks = [0; 3];
    let (mut planned, mut done) = (0, 0);
    for (document, _) in playbooks.iter() {
        for (sum, count) in tasks.iter_mut().zip(document.task_counts()) {
            *sum += count;
        }
        for task in &document.tasks {
            planned += task.points.unwrap_or(0);
            done += task.points.filter(|_| task.state == TaskState::Done).unwrap_or(0);
            if task.state != TaskState::Done {
                next.push(format!("{}: {}", document.front.playbook, task.text));
            }
        }
    }
    let (tests, metrics) = on_record(session)?;
    let mut risks = risks(session, None)?;
    risks.retain(|risk| risk.state != "closed");
    Ok(Weekly {
        from: from.to_owned(),
        to,
        achievements,
        challenges,
        gates: lines,
        tasks,
        points: (planned > 0).then_some([planned, done]),
        tests,
        metrics,
        risks,
        next,
        plans,
    })
}

/// The latest test reports and facts, by name, with the change since the record before (LG-52).
fn on_record(session: &mut Session) -> Result<(Vec<String>, Vec<String>), EngineError> {
    let records = gate::list(session)?;
    let (mut tests, mut metrics) = (Vec::new(), Vec::new());
    for (at, record) in records.iter().enumerate() {
        let same = |other: &&gate::Record| other.kind == record.kind && other.name == record.name;
        if records[..at].iter().any(|newer| same(&newer)) {
            continue;
        }
        let before = records[at + 1..].iter().find(same);
        let number = |body: &Json, name: &str| body.get(name).and_then(Json::as_f64);
        match record.kind {
            Kind::TestReport => {
                let count = |name: &str| number(&record.body, name).unwrap_or(0.0);
                tests.push(format!(
                    "{} at {}: {} ran, {} passed, {} failed, {} skipped",
                    record.name,
                    record.at,
                    count("ran"),
                    count("passed"),
                    count("failed"),
                    count("skipped")
                ));
            }
            Kind::Facts => {
                for (name, value) in record.body.as_object().into_iter().flatten() {
                    let Some(value) = value.as_f64() else { continue };
                    let change =
                        before.and_then(|before| number(&before.body, name)).map(|before| value - before);
                    let change = change.map(|change| format!(" ({change:+})")).unwrap_or_default();
                    metrics.push(format!("{} {name}: {value}{change}, at {}", record.name, record.at));
                }
            }
            _ => {}
        }
    }
    Ok((tests, metrics))
}

impl Weekly {
    /// Planned and done points in percent, such as 24 of 45 are 53 %.
    pub fn velocity_percent(&self) -> Option<f64> {
        self.points.map(|[planned, done]| (done as f64 / planned as f64 * 100.0).round())
    }

    /// Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("# Progress from {} to {}\n", self.from, self.to);
        let mut section = |title: &str, lines: &[String], nothing: &str| {
            let _ = write!(text, "\n## {title}\n\n");
            for line in lines {
                let _ = writeln!(text, "- {line}");
            }
            if lines.is_empty() {
                let _ = writeln!(text, "{nothing}");
            }
        };
        section("Achievements", &self.achievements, "Nothing is on record.");
        section("Challenges", &self.challenges, "Nothing is on record.");
        let scores: Vec<String> = self.gates.iter().map(GateLine::text).collect();
        section("Gates and scores", &scores, "No gate was evaluated.");
        let [done, doing, open] = self.tasks;
        let all = done + doing + open;
        let mut tasks = vec![
            format!("done {done}/{all}"),
            format!("in progress {doing}/{all}"),
            format!("not started {open}/{all}"),
        ];
        if let (Some([planned, done]), Some(percent)) = (self.points, self.velocity_percent()) {
            tasks.push(format!("points: {planned} planned, {done} done ({percent} %)"));
        }
        section("Tasks", &tasks, "");
        section("Tests", &self.tests, "No test report is on record.");
        section("Metrics", &self.metrics, "No facts are on record.");
        let risks: Vec<String> = self
            .risks
            .iter()
            .map(|risk| {
                format!(
                    "{} ({}, {}): {}; {}; owner {}",
                    risk.title, risk.priority, risk.state, risk.impact, risk.mitigation, risk.owner
                )
            })
            .collect();
        section("Risks", &risks, "No risk is on record.");
        section("Next", &self.next, "Nothing is open.");
        let plans: Vec<String> = self
            .plans
            .iter()
            .map(|plan| {
                let progress = plan
                    .progress_percent
                    .map_or_else(|| "nothing to count".to_owned(), |percent| format!("{percent} %"));
                format!(
                    "{} ({}): {}, {progress}, target {}",
                    plan.playbook, plan.owner, plan.state, plan.target
                )
            })
            .collect();
        section("Plans", &plans, "There is no plan.");
        text
    }
}

impl GateLine {
    fn text(&self) -> String {
        let score = self.readiness.as_ref().map(|readiness| {
            let change = readiness.change.map(|change| format!(" ({change:+})")).unwrap_or_default();
            format!(", readiness {}/100{change}", readiness.score)
        });
        format!("{}: {} at {}{}", self.gate, self.verdict, self.at, score.unwrap_or_default())
    }
}

/// A run with everything that was done in it, as JSON.
///
/// # Errors
/// When the store fails.
pub fn run_report(session: &mut Session, run: &PlaybookRun) -> Result<(Vec<Entry>, Json), EngineError> {
    let entries = journal::entries(session, &run.id)?;
    let document = json!({ "run": run, "steps": entries, "approvals": journal::approvals(session, run)? });
    Ok((entries, document))
}

/// A run as Markdown.
pub fn run_markdown(run: &PlaybookRun, entries: &[Entry]) -> String {
    let clock = if run.simulated { " Waiting was on a SIMULATED CLOCK: this is a rehearsal." } else { "" };
    let mut text = format!(
        "# Playbook {}: run {}\n\nStarted by {} at {}; {}{}.{clock}\n\n| | step | action | ended | took | code | says |\n|---|---|---|---|---|---|---|\n",
        run.playbook,
        run.id.short(),
        run.actor,
        run.started_at,
        run.status.as_str(),
        run.finished_at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default(),
    );
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for entry in entries {
        let took = entry.clock_finished_at.as_ref().and_then(|end| {
            let (from, to) =
                (entry.clock_started_at.parse::<jiff::Timestamp>(), end.parse::<jiff::Timestamp>());
            Some(format!("{:.1} s", to.ok()?.duration_since(from.ok()?).as_secs_f64()))
        });
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            entry.sequence,
            cell(&entry.step),
            entry.action,
            entry.status,
            took.unwrap_or_default(),
            entry.code.map(|code| code.to_string()).unwrap_or_default(),
            cell(entry.message.as_deref().unwrap_or(&entry.command))
        );
    }
    text
}
