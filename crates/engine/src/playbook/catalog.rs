//! Which playbooks there are, and where each stands.
//!
//! Owns the catalog - shipped documents, and those of a folder, which stand before shipped ones of the same name - and
//! the state of each plan in the control store, which changes only along the table of
//! [`plimsoll_core::playbook::PlanState`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plimsoll_core::digest::Hashing;
use plimsoll_core::playbook::{PlanEvent, PlanState};
use plimsoll_core::value::Value;
use serde::Serialize;
use serde_json::json;

use super::document::{Document, DocumentKind};
use super::journal::{self, PlaybookRun, PlaybookStatus};
use super::run::is_done;
use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::{Session, in_transaction};

/// Playbooks that belong to no system's crate. Each is the text of a file.
pub const SHIPPED: &[&str] = &[include_str!("../../playbooks/luckygas-pilot.md")];

/// Every playbook there is, by name.
#[derive(Debug, Clone, Default)]
pub struct Playbooks {
    documents: BTreeMap<String, (Document, Option<PathBuf>)>,
}

impl Playbooks {
    /// Shipped documents and those of a folder (`*.md`). A folder that does not exist has none.
    ///
    /// # Errors
    /// The first file that cannot be read, by its path.
    pub fn load(shipped: &[&[&str]], folder: &Path) -> Result<Self, EngineError> {
        let mut playbooks = Self::default();
        for text in shipped.iter().copied().flatten() {
            let document = Document::parse(text)?;
            playbooks.documents.insert(document.front.playbook.clone(), (document, None));
        }
        let mut paths = Vec::new();
        if folder.is_dir() {
            let failed = |error: std::io::Error| EngineError::usage(format!("{}: {error}", folder.display()));
            for entry in std::fs::read_dir(folder).map_err(failed)? {
                paths.push(entry.map_err(failed)?.path());
            }
        }
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "md"));
        paths.sort();
        for path in paths {
            let document = read(&path)?;
            playbooks.documents.insert(document.front.playbook.clone(), (document, Some(path)));
        }
        Ok(playbooks)
    }

    /// Every document with its file, when it has one.
    pub fn iter(&self) -> impl Iterator<Item = (&Document, Option<&Path>)> {
        self.documents.values().map(|(document, path)| (document, path.as_deref()))
    }

    /// The document called `name`, or in the file of that path.
    ///
    /// # Errors
    /// Usage, naming the playbooks there are.
    pub fn find(&self, name: &str) -> Result<(Document, Option<PathBuf>), EngineError> {
        if let Some(found) = self.documents.get(name) {
            return Ok(found.clone());
        }
        let path = Path::new(name);
        if path.is_file() {
            return Ok((read(path)?, Some(path.to_owned())));
        }
        let names: Vec<&str> = self.documents.keys().map(String::as_str).collect();
        Err(EngineError::usage(format!(
            "there is no playbook `{name}`\nhint: there are {}",
            names.join(", ")
        )))
    }
}

fn read(path: &Path) -> Result<Document, EngineError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?;
    Document::parse(&text).map_err(|error| error.during(&path.display().to_string()))
}

/// A plan in the registry (PFA-25, PFA-26).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Registered {
    /// Its name.
    pub playbook: String,
    /// What it is about.
    pub title: String,
    /// What it is for.
    pub purpose: String,
    /// What it is.
    pub kind: DocumentKind,
    /// Where it stands.
    pub state: PlanState,
    /// Who answers for it.
    pub owner: String,
    /// How urgent it is.
    pub priority: Option<String>,
    /// When it is to be done.
    pub target: String,
    /// Tasks and steps that are done, of all it has, in percent; `None` when it has none.
    pub progress_percent: Option<f64>,
    /// Tasks that are done, in progress, and not begun.
    pub tasks: [u64; 3],
    /// Steps that the latest run did, and all steps.
    pub steps: [u64; 2],
    /// The latest run.
    pub latest: Option<PlaybookRun>,
}

/// Where a plan stands: as the control store says, or as its file does when it was never begun.
///
/// # Errors
/// When the store fails.
pub fn state(session: &mut Session, document: &Document) -> Result<PlanState, EngineError> {
    let sql = "SELECT state FROM plimsoll_playbook WHERE name = $1";
    let rows = session.store.query(sql, &[Value::text(&document.front.playbook)])?;
    let Some(row) = rows.into_iter().next() else { return Ok(document.front.state) };
    let word = Cells(row).text(0)?;
    PlanState::read(&word).ok_or_else(|| EngineError::integrity(format!("a plan is `{word}`")))
}

/// Moves a plan on, with its event.
///
/// # Errors
/// Refused when the event cannot happen now.
pub fn change_state(
    session: &mut Session,
    document: &Document,
    event: PlanEvent,
    reason: &str,
) -> Result<PlanState, EngineError> {
    let name = document.front.playbook.as_str();
    let before = state(session, document)?;
    let after = before.after(event).ok_or_else(|| {
        EngineError::refused(format!("the plan `{name}` is {before}: {event:?} cannot happen now"))
    })?;
    in_transaction(session, |session| {
        let detail = json!({ "from": before, "to": after });
        event::record(session, "plan.state", name, reason, &detail)?;
        let now = session.clock.now();
        let archived = (after == PlanState::Complete).then(|| now.clone());
        session.store.execute(
            "INSERT INTO plimsoll_playbook (name, state, text, source, changed_at, archived_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET state = excluded.state, \
             text = excluded.text, changed_at = excluded.changed_at, archived_at = excluded.archived_at",
            &[
                Value::text(name),
                Value::text(after.as_str()),
                Value::text(&document.text),
                Value::text(""),
                Value::text(now),
                Value::optional_text(archived.as_deref()),
            ],
        )?;
        Ok(after)
    })
}

/// The registry: every plan with where it stands and how far it is.
///
/// # Errors
/// When the store fails.
pub fn registry(session: &mut Session, playbooks: &Playbooks) -> Result<Vec<Registered>, EngineError> {
    playbooks.iter().map(|(document, _)| registered(session, document)).collect()
}

pub(super) fn registered(session: &mut Session, document: &Document) -> Result<Registered, EngineError> {
    let front = &document.front;
    let state = state(session, document)?;
    let latest = journal::runs(session, Some(&front.playbook))?.into_iter().next();
    let done = match &latest {
        Some(run) => {
            let entries = journal::entries(session, &run.id)?;
            document.steps.iter().filter(|step| is_done(&entries, &step.id)).count() as u64
        }
        None => 0,
    };
    let tasks = document.task_counts();
    let steps = [done, document.steps.len() as u64];
    let all = tasks.iter().sum::<u64>() + steps[1];
    let progress = (all > 0).then(|| ((tasks[0] + done) as f64 / all as f64 * 1_000.0).round() / 10.0);
    Ok(Registered {
        playbook: front.playbook.clone(),
        title: front.title.clone(),
        purpose: front.purpose.clone(),
        kind: front.kind,
        state,
        owner: front.owner.clone(),
        priority: front.priority.clone(),
        target: front.target.clone(),
        progress_percent: if state == PlanState::Complete { Some(100.0) } else { progress },
        tasks,
        steps,
        latest,
    })
}

/// How a run is to go.
#[derive(Debug, Clone, Default)]
pub struct StartSettings {
    /// What the parameters are set to.
    pub parameters: BTreeMap<String, String>,
    /// Whether waiting is simulated.
    pub simulated: bool,
    /// Whether what was done stands when a step fails.
    pub keep: bool,
    /// Why.
    pub reason: String,
}

/// Begins a run; nothing of it is done yet.
///
/// # Errors
/// Refused when the plan is complete or another run of it is under way; usage when a parameter is missing or unknown.
pub fn start(
    session: &mut Session,
    document: &Document,
    settings: StartSettings,
) -> Result<PlaybookRun, EngineError> {
    let front = &document.front;
    if document.steps.is_empty() {
        return Err(EngineError::usage(format!("`{}` has no steps", front.playbook)));
    }
    for name in settings.parameters.keys() {
        if !front.parameters.contains_key(name) {
            let names: Vec<&str> = front.parameters.keys().map(String::as_str).collect();
            return Err(EngineError::usage(format!(
                "there is no parameter `{name}`\nhint: there are {}",
                names.join(", ")
            )));
        }
    }
    for (name, declared) in &front.parameters {
        if declared.default.is_none() && !settings.parameters.contains_key(name) {
            return Err(EngineError::usage(format!(
                "`{name}` is needed: {}\nhint: --set {name}=VALUE",
                declared.help
            )));
        }
    }
    let under_way = journal::runs(session, Some(&front.playbook))?.into_iter().find(|run| {
        matches!(run.status, PlaybookStatus::Running | PlaybookStatus::Waiting | PlaybookStatus::Paused)
    });
    if let Some(run) = under_way {
        let (id, status) = (run.id.short(), run.status.as_str());
        return Err(EngineError::refused(format!(
            "run {id} of it is {status}\nhint: plimsoll playbook resume {id}, or plimsoll playbook rollback {id}"
        )));
    }
    if !settings.simulated {
        // A rehearsal moves no plan.
        match state(session, document)? {
            PlanState::Draft => {
                change_state(session, document, PlanEvent::Start, &settings.reason)?;
            }
            PlanState::Paused => {
                change_state(session, document, PlanEvent::Resume, &settings.reason)?;
            }
            PlanState::InProgress => {}
            PlanState::Complete => {
                return Err(EngineError::refused(format!("the plan `{}` is complete", front.playbook)));
            }
        }
    }
    let mut hashing = Hashing::new("playbook");
    hashing.part(document.text.as_bytes());
    let now = session.clock.now();
    let run = PlaybookRun {
        id: new_id(),
        playbook: front.playbook.clone(),
        text: document.text.clone(),
        digest: hashing.hex(),
        parameters: settings.parameters,
        simulated: settings.simulated,
        keep: settings.keep,
        status: PlaybookStatus::Running,
        requested: None,
        actor: session.actor.clone(),
        reason: settings.reason,
        started_at: now.clone(),
        finished_at: None,
        clock_at: now,
        owner: Some(crate::owner::current()),
    };
    in_transaction(session, |session| journal::insert(session, &run))?;
    Ok(run)
}

/// Approves a step of a run.
///
/// # Errors
/// Usage when the run has no such step; refused when it was approved already.
pub fn approve(
    session: &mut Session,
    run: &PlaybookRun,
    step: &str,
    by: &str,
    reason: &str,
) -> Result<(), EngineError> {
    let document = Document::parse(&run.text)?;
    let asks = |step: &&super::document::Step| step.kind == super::document::StepKind::Approval;
    if document.steps.iter().filter(asks).all(|known| known.id != step) {
        let names: Vec<&str> = document.steps.iter().filter(asks).map(|step| step.id.as_str()).collect();
        return Err(EngineError::usage(format!(
            "no step `{step}` asks for an approval\nhint: there are {}",
            names.join(", ")
        )));
    }
    if let Some(by) = journal::approval(session, run, step)? {
        return Err(EngineError::refused(format!("step `{step}` was approved by {by} already")));
    }
    journal::insert_approval(session, run, step, by, reason)
}

/// Marks a plan complete, logs it, and archives its document (PFA-35). Returns the archived file.
///
/// # Errors
/// Refused when steps or tasks are open, or the plan is not in progress.
pub fn complete(
    session: &mut Session,
    document: &Document,
    folder: &Path,
    reason: &str,
) -> Result<PathBuf, EngineError> {
    let name = &document.front.playbook;
    let [_, doing, open] = document.task_counts();
    if doing + open > 0 {
        return Err(EngineError::refused(format!("{} tasks of `{name}` are open", doing + open)));
    }
    if !document.steps.is_empty() {
        let done = journal::runs(session, Some(name))?
            .into_iter()
            .any(|run| run.status == PlaybookStatus::Done && !run.simulated);
        if !done {
            return Err(EngineError::refused(format!(
                "no run of `{name}` ended well; a run on a simulated clock is a rehearsal\nhint: plimsoll playbook run {name}"
            )));
        }
    }
    change_state(session, document, PlanEvent::Complete, reason)?;
    let now = session.clock.now();
    let day = now.get(..10).unwrap_or(&now);
    let archive = folder.join("archive");
    let failed = |error: std::io::Error| EngineError::usage(format!("{}: {error}", archive.display()));
    std::fs::create_dir_all(&archive).map_err(failed)?;
    let path = archive.join(format!("{name}-{day}.md"));
    let state = format!("state = \"{}\"", document.front.state);
    let text = document.text.replacen(&state, "state = \"Complete\"", 1);
    std::fs::write(&path, text).map_err(failed)?;
    // Beside what it tells of, and out of the folder whose files are read as playbooks.
    let log = archive.join("log.md");
    let mut lines = std::fs::read_to_string(&log).unwrap_or_else(|_| "# Completed plans\n\n".to_owned());
    let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    lines += &format!("- {now}, {}: `{name}` is complete{why}; {name}-{day}.md\n", session.actor);
    std::fs::write(&log, lines).map_err(failed)?;
    Ok(path)
}
