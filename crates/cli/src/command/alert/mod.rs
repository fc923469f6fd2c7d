//! `alert`: incidents, who takes them, and the notices about them.
//!
//! Owns the wording. What is an incident, when people are told, and what became of a notice is the engine's to say.

mod arguments;
mod budget;

use std::process::ExitCode;

use plimsoll_engine::alert::{
    self, Delivery, Figure, Incident, NoticeStatus, Policy, Signal, Status, Transport, Webhook,
};
use plimsoll_engine::{EngineError, Session, metric};
use serde_json::json;

pub(crate) use arguments::AlertCommand;

use super::Context;
use crate::exit;
use crate::ui::{plural, table};

/// Runs one of the commands about alerts.
pub(crate) fn execute(context: &Context, command: AlertCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    match command {
        AlertCommand::List { all } => list(context, &mut session, all),
        AlertCommand::Show { incident } => show(context, &mut session, &incident),
        AlertCommand::Acknowledge { incident, reason, dry_run } => {
            let known = alert::find(&mut session, &incident)?;
            if dry_run {
                context.ui.say(&format!("would acknowledge incident {}: {}", known.number, known.title));
                return Ok(ExitCode::SUCCESS);
            }
            let taken = alert::acknowledge(&mut session, &incident, &reason)?;
            context.ui.print(&taken, || format!("incident {} is yours: {}", taken.number, taken.title))?;
            context.ui.say("no reminders until it gets worse or is over");
            Ok(ExitCode::SUCCESS)
        }
        AlertCommand::Resolve { incident, reason, dry_run } => {
            let known = alert::find(&mut session, &incident)?;
            if dry_run {
                context.ui.say(&format!("would resolve incident {}: {}", known.number, known.title));
                return Ok(ExitCode::SUCCESS);
            }
            let over = alert::resolve(&mut session, &incident, &reason)?;
            context.ui.print(&over, || format!("incident {} is resolved: {}", over.number, over.title))?;
            context.ui.say("when its cause still holds, the next signal opens it again");
            Ok(ExitCode::SUCCESS)
        }
        AlertCommand::Send { dry_run } => send(context, &mut session, dry_run),
        AlertCommand::Test => {
            context.webhook()?;
            alert::send_test(&mut session)?;
            deliver(context, &mut session)
        }
        AlertCommand::Budget { system, budget, project, dry_run } => {
            budget::hold(context, &mut session, &system, &budget, project.as_deref(), dry_run)
        }
        AlertCommand::Digest { days, send, report } => {
            let digest = alert::digest(&mut session, days, figures(context))?;
            let text = digest.to_markdown();
            if let Some(file) = report {
                if let Some(folder) = file.parent() {
                    // The write below says what is wrong when this did not help.
                    drop(std::fs::create_dir_all(folder));
                }
                std::fs::write(&file, &text).map_err(|error| {
                    EngineError::usage(format!("{}: {error}\nhint: --report FILE", file.display()))
                })?;
                context.ui.say(&format!("digest written to {}", file.display()));
            }
            context.ui.print(&digest, || text)?;
            if !send {
                return Ok(ExitCode::SUCCESS);
            }
            context.webhook()?;
            digest.send(&mut session)?;
            let delivery = pass(context, &mut session)?;
            Ok(outcome(&delivery))
        }
    }
}

impl Context {
    /// The webhook that notices go to.
    ///
    /// # Errors
    /// Usage when none is configured.
    fn webhook(&self) -> Result<Webhook, EngineError> {
        self.optional_webhook().ok_or_else(|| {
            EngineError::usage(
                "no webhook is configured, so notices wait\nhint: PLIMSOLL_ALERT_WEBHOOK, or PLIMSOLL_ALERT_WEBHOOK_FILE with a file that holds its address",
            )
        })
    }

    /// The webhook that notices go to, when one is configured.
    pub(crate) fn optional_webhook(&self) -> Option<Webhook> {
        self.config.alert_webhook.clone().map(Webhook::new)
    }

    /// Raises an incident and sends what is due, when there is somewhere to send it. A notice that does not arrive
    /// waits in the outbox, and is told here.
    ///
    /// # Errors
    /// When the control store fails.
    pub(crate) fn raise(&self, session: &mut Session, signal: &Signal) -> Result<(), EngineError> {
        let (incident, _) = alert::raise(session, signal)?;
        self.ui.say(&format!("incident {}: {}", incident.number, incident.title));
        self.send_due(session)
    }

    /// Sends what is due, when there is somewhere to send it. A notice that does not arrive waits, and is told here.
    ///
    /// # Errors
    /// When the control store fails.
    pub(crate) fn send_due(&self, session: &mut Session) -> Result<(), EngineError> {
        if let Some(webhook) = self.optional_webhook() {
            let delivery = alert::deliver(session, &self.alert_policy(), Some(&webhook as &dyn Transport))?;
            if let Some(error) = &delivery.last_error {
                self.ui.say(&format!("{error}\nhint: `plimsoll alert send` tries again"));
            }
        }
        Ok(())
    }

    /// When people are told.
    pub(crate) fn alert_policy(&self) -> Policy {
        Policy { quiet: self.config.quiet_hours.clone() }
    }
}

fn list(context: &Context, session: &mut Session, all: bool) -> Result<ExitCode, EngineError> {
    let incidents = alert::list(session, all)?;
    context.ui.print(&incidents, || {
        if incidents.is_empty() {
            return "nothing is wrong".to_owned();
        }
        let rows: Vec<_> = incidents.iter().map(row).collect();
        table(&["number", "severity", "status", "signals", "since", "last", "title"], &rows)
    })?;
    let waiting = alert::notices(session, None)?.len();
    if waiting > 0 {
        let waiting = plural(u64::try_from(waiting).unwrap_or(u64::MAX), "notice");
        context.ui.say(&format!("{waiting} in the outbox; `plimsoll alert send` delivers what is due"));
    }
    Ok(ExitCode::SUCCESS)
}

fn row(incident: &Incident) -> Vec<String> {
    let flaps = if incident.flaps() && incident.status != Status::Resolved { ", flaps" } else { "" };
    vec![
        incident.number.to_string(),
        incident.severity.as_str().to_owned(),
        format!("{}{flaps}", incident.status.as_str()),
        incident.occurrences.to_string(),
        incident.first_at.clone(),
        incident.last_at.clone(),
        incident.title.clone(),
    ]
}

fn show(context: &Context, session: &mut Session, which: &str) -> Result<ExitCode, EngineError> {
    let incident = alert::find(session, which)?;
    let notices = alert::notices(session, Some(&incident.id))?;
    let document =
        json!({ "incident": incident, "response": incident.severity.response(), "notices": notices });
    context.ui.print(&document, || {
        let mut lines = vec![
            format!("incident {}: {}", incident.number, incident.title),
            format!("  cause     {}", incident.cause),
            format!("  severity  {}: {}", incident.severity.as_str(), incident.severity.response()),
            format!("  status    {}", incident.status.as_str()),
            format!(
                "  signals   {}, first {}, last {}",
                incident.occurrences, incident.first_at, incident.last_at
            ),
        ];
        let mut fact = |name: &str, value: &Option<String>| {
            if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
                lines.push(format!("  {name:<9} {value}"));
            }
        };
        fact("runbook", &Some(incident.runbook.clone()));
        fact("taken by", &incident.acknowledged_by);
        fact("taken at", &incident.acknowledged_at);
        fact("over at", &incident.resolved_at);
        fact("because", &incident.resolution);
        if !incident.detail.is_empty() {
            lines.extend([String::new(), incident.detail.clone()]);
        }
        if !notices.is_empty() {
            let rows: Vec<_> = notices
                .iter()
                .map(|notice| {
                    let state = match notice.status {
                        NoticeStatus::Sent => notice.sent_at.clone().unwrap_or_default(),
                        NoticeStatus::Waiting => format!("not before {}", notice.not_before),
                        NoticeStatus::Withdrawn => String::new(),
                    };
                    vec![
                        notice.kind.as_str().to_owned(),
                        notice.status.as_str().to_owned(),
                        state,
                        notice.attempts.to_string(),
                        notice.last_error.clone().unwrap_or_default(),
                    ]
                })
                .collect();
            lines.extend([String::new(), table(&["notice", "status", "at", "attempts", "error"], &rows)]);
        }
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}

fn send(context: &Context, session: &mut Session, dry_run: bool) -> Result<ExitCode, EngineError> {
    if !dry_run {
        context.webhook()?;
        return deliver(context, session);
    }
    let waiting = alert::notices(session, None)?;
    context.ui.print(&waiting, || {
        let rows: Vec<_> = waiting
            .iter()
            .map(|notice| {
                let text = notice.body["text"].as_str().unwrap_or_default().to_owned();
                vec![notice.severity.as_str().to_owned(), notice.not_before.clone(), text]
            })
            .collect();
        if rows.is_empty() {
            "nothing waits".to_owned()
        } else {
            table(&["severity", "not before", "notice"], &rows)
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn pass(context: &Context, session: &mut Session) -> Result<Delivery, EngineError> {
    let webhook = context.webhook()?;
    alert::deliver(session, &context.alert_policy(), Some(&webhook as &dyn Transport))
}

fn deliver(context: &Context, session: &mut Session) -> Result<ExitCode, EngineError> {
    let delivery = pass(context, session)?;
    context.ui.print(&delivery, || {
        let mut line = format!(
            "{} sent, {} not taken, {} held in quiet hours",
            delivery.sent, delivery.failed, delivery.held
        );
        if let Some(error) = &delivery.last_error {
            line += &format!("\n{error}; it is tried again");
        }
        line
    })?;
    Ok(outcome(&delivery))
}

fn outcome(delivery: &Delivery) -> ExitCode {
    if delivery.failed > 0 { exit::incomplete() } else { ExitCode::SUCCESS }
}

/// The figures of the digest: what the stores say now.
fn figures(context: &Context) -> Vec<Figure> {
    let samples = metric::collect(&mut context.metric_stores());
    let ask = |selector: &str| metric::value(&samples, selector).ok().flatten();
    let mut figures = Vec::new();
    let mut add = |name: &str, value: Option<f64>, unit: &str| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let value = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.2}") };
            figures.push(Figure { name: name.to_owned(), value: format!("{value}{unit}") });
        }
    };
    add("Runs started, ever", ask("sum(plimsoll_runs_started_total)"), "");
    add("Items applied, ever", ask("sum(plimsoll_items_total{outcome=\"applied\"})"), "");
    add("Items in quarantine", ask("sum(plimsoll_quarantine_open_items)"), "");
    add("Documents stored", ask("sum(plimsoll_ingest_documents{outcome=\"stored\"})"), "");
    add("Documents in quarantine", ask("sum(plimsoll_ingest_documents{outcome=\"quarantined\"})"), "");
    add("Checks that fail", ask("count(plimsoll_check_status{verdict=\"fail\"})"), "");
    add("Checks that pass", ask("count(plimsoll_check_status{verdict=\"pass\"})"), "");
    for sample in
        samples.iter().filter(|sample| sample.labels.is_empty() && sample.name.ends_with("_dollars"))
    {
        add(sample.help.trim_end_matches('.'), Some(sample.value), " USD");
    }
    add("Stores, size", ask("sum(plimsoll_store_size_bytes)").map(|bytes| bytes / 1_048_576.0), " MiB");
    figures
}
