//! Playbook documents: Markdown with front matter and steps.
//!
//! Owns reading them. The front matter is TOML between two lines `+++` at the beginning; a step is a fenced block with
//! the info word `step`, in TOML, and bears the title of the heading above it. Everything else is for people, but task
//! lists (`- [ ]`, `- [x]`, `- [~]` for in progress) are counted, and headings are held against the template.
//!
//! Invariant: unknown keys are errors: a misspelt `rollback` must not be a step without one.

use std::collections::BTreeMap;

use plimsoll_core::gate::declare::Duration;
use plimsoll_core::playbook::PlanState;
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Steps to be run.
    #[default]
    Playbook,
    /// A plan of work with all sections of the template; it may have steps too.
    Plan,
}

/// The front matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontMatter {
    /// Its name, by which it is run.
    pub playbook: String,
    /// What it is about.
    pub title: String,
    /// What it is.
    #[serde(default)]
    pub kind: DocumentKind,
    /// Who answers for it.
    pub owner: String,
    /// What it is for.
    pub purpose: String,
    /// Where it stood when the file was written; the control store knows where it stands.
    pub state: PlanState,
    /// When it was written, as a date.
    pub created: String,
    /// When it is to be done: a date, a sprint, an event.
    pub target: String,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Option<String>,
    /// Links to the decisions that it carries out.
    #[serde(default)]
    pub decisions: Vec<String>,
    /// Requirements that it serves.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// What must be there before it can run, for a person.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The system whose absence keeps it from running, where it waits for one.
    #[serde(default)]
    pub needs_system: Option<String>,
    /// Commands of this program without which it cannot run, where it waits for one.
    #[serde(default)]
    pub needs_commands: Vec<String>,
    /// Values that its steps use.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterDeclaration>,
}

/// A value that steps use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterDeclaration {
    /// What it is.
    pub help: String,
    /// Its value unless set; without one it must be set.
    #[serde(default)]
    pub default: Option<String>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepKind {
    /// A plimsoll command line.
    Command,
    /// The checks of a system; none of severity `error` may fail.
    Check,
    /// A gate; it must say GO.
    Gate,
    /// A verified backup of a system.
    Backup,
    /// A person's approval.
    Approval,
    /// Time that must pass.
    Wait,
    /// Time during which a command must go on ending well.
    Watch,
    /// A flag is set.
    Flag,
}

impl StepKind {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Check => "check",
            Self::Gate => "gate",
            Self::Backup => "backup",
            Self::Approval => "approval",
            Self::Wait => "wait",
            Self::Watch => "watch",
            Self::Flag => "flag",
        }
    }

    /// Whether it only looks or waits, so that there is nothing to take back.
    pub const fn only_looks(self) -> bool {
        !matches!(self, Self::Command | Self::Flag)
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Its name.
    pub id: String,
    /// The heading above it.
    #[serde(default)]
    pub title: String,
    /// What it does.
    pub kind: StepKind,
    /// The command line, without the program's name: of `command`, and of `watch`.
    #[serde(default)]
    pub run: Option<String>,
    /// The system: of `check` and `backup`.
    #[serde(default)]
    pub system: Option<String>,
    /// The gate: of `gate`.
    #[serde(default)]
    pub gate: Option<String>,
    /// The flag: of `flag`.
    #[serde(default)]
    pub flag: Option<String>,
    /// What it is set to, as the options of `flag set`: of `flag`.
    #[serde(default)]
    pub set: Option<String>,
    /// Who is asked: of `approval`.
    #[serde(default)]
    pub by: Option<String>,
    /// The system whose data it changes. It then refuses to start before a backup of it was made in the same run.
    #[serde(default)]
    pub changes: Option<String>,
    /// How long: of `wait` and `watch`.
    #[serde(default, rename = "for")]
    pub lasts: Option<Duration>,
    /// How often: of `watch`.
    #[serde(default)]
    pub every: Option<Duration>,
    /// How many times in a row a watched command may fail before the step does.
    #[serde(default)]
    pub failures_allowed: u64,
    /// The exit codes that are good.
    #[serde(default = "only_zero")]
    pub expect: Vec<i32>,
    /// How long a command may take.
    #[serde(default = "half_an_hour")]
    pub limit: Duration,
    /// Command lines that take it back, in this order.
    #[serde(default)]
    pub rollback: Vec<String>,
    /// Why there is nothing to take back.
    #[serde(default)]
    pub nothing_to_take_back: Option<String>,
}

fn only_zero() -> Vec<i32> {
    vec![0]
}

const fn half_an_hour() -> Duration {
    Duration { ms: 1_800_000 }
}

/// How a task of a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// `- [x]`
    Done,
    /// `- [~]`
    InProgress,
    /// `- [ ]`
    NotStarted,
}

/// An entry of a task list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// How it stands.
    pub state: TaskState,
    /// What it is.
    pub text: String,
    /// Its points, where it says `(3 points)`.
    pub points: Option<u64>,
    /// The section that it is in.
    pub section: String,
}

/// A heading with the text below it, up to the next heading of its level or above.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    pub(crate) level: usize,
    pub(crate) title: String,
    pub(crate) line: usize,
    pub(crate) text: String,
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The front matter.
    pub front: FrontMatter,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    pub(crate) sections: Vec<Section>,
    /// The whole text.
    pub text: String,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// Usage: what is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, EngineError> {
        let wrong = |line: usize, problem: &str| EngineError::usage(format!("line {line}: {problem}"));
        let mut lines = text.lines();
        if lines.next().map(str::trim_end) != Some("+++") {
            return Err(wrong(1, "a playbook begins with front matter: TOML between two lines `+++`"));
        }
        let matter: Vec<&str> = lines.by_ref().take_while(|line| line.trim_end() != "+++").collect();
        let body_from = matter.len() + 2;
        if text.lines().nth(body_from - 1).is_none() {
            return Err(wrong(1, "the front matter is not closed by a line `+++`"));
        }
        let front: FrontMatter = toml::from_str(&matter.join("\n"))
            .map_err(|error| wrong(1, &format!("front matter: {error}")))?;
        let mut document =
            Self { front, steps: Vec::new(), tasks: Vec::new(), sections: Vec::new(), text: text.to_owned() };
        document.read_body(text, body_from)?;
        Ok(document)
    }

    fn read_body(&mut self, text: &str, from: usize) -> Result<(), EngineError> {
        let wrong = |line: usize, problem: String| EngineError::usage(format!("line {line}: {problem}"));
        let mut title = String::new();
        // An open fence: its marker, whether it is a step, where it began, what is in it.
        let mut fence: Option<(String, bool, usize, String)> = None;
        for (number, line) in (1..).zip(text.lines()).skip(from) {
            let bare = line.trim();
            if let Some((marker, is_step, began, content)) = fence.as_mut() {
                if bare.starts_with(marker.as_str()) && bare.trim_matches('`').is_empty() {
                    if *is_step {
                        let mut step: Step = toml::from_str(content)
                            .map_err(|error| wrong(*began, format!("step: {error}")))?;
                        if step.title.is_empty() {
                            step.title.clone_from(&title);
                        }
                        self.steps.push(step);
                    }
                    fence = None;
                } else {
                    content.push_str(line);
                    content.push('\n');
                }
                continue;
            }
            if bare.starts_with("```") {
                let marker: String = bare.chars().take_while(|character| *character == '`').collect();
                let info = bare.trim_start_matches('`').trim();
                fence = Some((marker, info == "step", number, String::new()));
                continue;
            }
            let level = line.len() - line.trim_start_matches('#').len();
            if (1..=6).contains(&level) && line[level..].starts_with(' ') {
                line[level..].trim().clone_into(&mut title);
                self.sections.push(Section {
                    level,
                    title: title.clone(),
                    line: number,
                    text: String::new(),
                });
                continue;
            }
            self.tasks.extend(task(bare, &title));
            // A section holds what is below its subsections too.
            let mut inside = usize::MAX;
            for section in self.sections.iter_mut().rev() {
                if section.level < inside {
                    inside = section.level;
                    section.text.push_str(line);
                    section.text.push('\n');
                }
            }
        }
        match fence {
            Some((_, _, began, _)) => Err(wrong(began, "the block is not closed".to_owned())),
            None => Ok(()),
        }
    }

    /// The step called `id`.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Done tasks, tasks in progress, and those not begun.
    pub fn task_counts(&self) -> [u64; 3] {
        let count = |state| self.tasks.iter().filter(|task| task.state == state).count() as u64;
        [count(TaskState::Done), count(TaskState::InProgress), count(TaskState::NotStarted)]
    }
}

fn task(line: &str, section: &str) -> Option<Task> {
    // `- [x] text` or `1. [x] text`.
    let rest = line.strip_prefix("- ").or_else(|| {
        let (number, rest) = line.split_once(". ")?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(rest)
    })?;
    let rest = rest.trim_start().strip_prefix('[')?;
    let (mark, text) = rest.split_once(']')?;
    let state = match mark {
        "x" | "X" => TaskState::Done,
        "~" => TaskState::InProgress,
        " " => TaskState::NotStarted,
        _ => return None,
    };
    let points = text.rsplit_once('(').and_then(|(_, inside)| {
        inside
            .trim_end_matches(')')
            .strip_suffix("points")
            .or(inside.trim_end_matches(')').strip_suffix("point"))
    });
    Some(Task {
        state,
        text: text.trim().to_owned(),
        points: points.and_then(|points| points.trim().parse().ok()),
        section: section.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const FRONT: &str = "+++\nplaybook = \"a\"\ntitle = \"A\"\nowner = \"o\"\npurpose = \"p\"\nstate = \"Draft\"\ncreated = \"2026-01-01\"\ntarget = \"soon\"\n+++\n";

    #[test]
    fn a_document_is_read_with_its_steps_tasks_and_sections() {
        let text = format!(
            "{FRONT}# A\n\n## Steps\n\n### 1. Look\n\n```step\nid = \"look\"\nkind = \"check\"\nsystem = \"s\"\n```\n\n```sh\n- [x] not a task\n```\n\n## Work\n\n- [x] one (3 points)\n- [~] two\n1. [ ] three (1 point)\n- [link](x)\n"
        );
        let found = Document::parse(&text).unwrap();
        assert_eq!((found.steps[0].id.as_str(), found.steps[0].title.as_str()), ("look", "1. Look"));
        assert_eq!(found.task_counts(), [1, 1, 1]);
        assert_eq!(found.tasks[0].points, Some(3));
        assert_eq!(found.tasks[2].points, Some(1));
        let work = found.sections.iter().find(|section| section.title == "Work").unwrap();
        assert!(work.text.contains("three") && work.level == 2);
        let whole = &found.sections[0];
        assert!(whole.title == "A" && whole.text.contains("three"), "a section holds its subsections' text");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, told) in [
            ("# A\n".to_owned(), "line 1: a playbook begins with front matter"),
            ("+++\nplaybook = \"a\"\n".to_owned(), "not closed"),
            (FRONT.replace("owner", "ovner"), "ovner"),
            (FRONT.replace("Draft", "Done"), "Done"),
            (
                format!("{FRONT}\n```step\nid = \"x\"\nkind = \"check\"\nrolback = []\n```\n"),
                "line 11: step:",
            ),
            (format!("{FRONT}\n```step\nid = \"x\"\n"), "line 11: the block is not closed"),
        ] {
            let message = Document::parse(&text).unwrap_err().message;
            assert!(message.contains(told), "{message}");
        }
    }
}
