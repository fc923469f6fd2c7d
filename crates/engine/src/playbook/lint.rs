//! Lint: what is wrong with a playbook before it is run.
//!
//! Owns the rules about documents: of a plan, all sections of the template with what each must hold (PFA-28 to PFA-37);
//! of steps, that each can be run, taken back, and is preceded by what it needs.

use plimsoll_core::playbook::PlanState;
use serde::Serialize;

use super::document::{Document, DocumentKind, Section, Step, StepKind};
use super::host::Host;
use super::run::line;
use super::words;

/// A problem of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether it keeps the playbook from being run; otherwise it is advice, or something that is not there yet.
    pub fatal: bool,
    /// What is wrong, and where.
    pub text: String,
}

/// The sections of a plan: title, and a word that must occur in it, with why.
pub(super) const SECTIONS: [(&str, &[(&str, &str)]); 13] = [
    ("Summary", &[]),
    ("Goals", &[("success criteria", "measurable success criteria"), ("non-goals", "what it does not do")]),
    ("Context", &[]),
    ("Technical approach", &[]),
    ("Phases", &[("deliverable", "what each phase delivers (PFA-37)")]),
    (
        "Tests",
        &[
            ("unit", "unit tests (PFA-30)"),
            ("integration", "integration tests (PFA-30)"),
            ("end to end", "tests of whole workflows (PFA-30)"),
            ("%", "the coverage aimed at, at least 80 % (PFA-30)"),
        ],
    ),
    (
        "Migration",
        &[
            ("backup", "that a backup is taken first (PFA-31)"),
            ("staging", "that it is tested on staging (PFA-31)"),
            ("notif", "that users are notified (PFA-31)"),
            ("rollback", "how it is taken back (PFA-32)"),
        ],
    ),
    ("Risks", &[("mitigation", "what is done about each risk")]),
    ("Dependencies", &[]),
    (
        "Performance",
        &[
            ("query time", "query time before and after (PFA-33)"),
            ("memory", "memory before and after (PFA-33)"),
            ("latency", "latency before and after (PFA-33)"),
            ("before", "a column for before (PFA-33)"),
            ("after", "a column for after (PFA-33)"),
        ],
    ),
    (
        "Security",
        &[
            ("credential", "which credentials it touches (PFA-34)"),
            ("access", "which access changes (PFA-34)"),
        ],
    ),
    ("Documentation", &[("readme", "which pages are brought in step (PFA-36)")]),
    ("Progress", &[]),
];

/// Every problem of a document.
pub fn lint(document: &Document, host: &dyn Host) -> Vec<Problem> {
    let mut problems = Vec::new();
    front(document, &mut problems);
    if document.front.kind == DocumentKind::Plan {
        plan(document, &mut problems);
    } else if document.steps.is_empty() {
        fatal(&mut problems, "it has no step: there is nothing to run");
    }
    for (at, step) in document.steps.iter().enumerate() {
        step_problems(document, at, step, host, &mut problems);
    }
    let lacking = lacking(document, host);
    if !lacking.is_empty() {
        let needs = document.front.needs.join("; ");
        let needs = if needs.is_empty() { needs } else { format!(". It needs: {needs}") };
        advice(&mut problems, &format!("it cannot be run yet: there is no {}{needs}", lacking.join(", no ")));
    }
    problems
}

/// What a document waits for and this program does not have: its system, commands.
pub fn lacking(document: &Document, host: &dyn Host) -> Vec<String> {
    let front = &document.front;
    let system = front.needs_system.iter().filter(|system| !host.has_system(system));
    let commands = front.needs_commands.iter().filter(|command| !host.has_command(command));
    system
        .map(|system| format!("system `{system}`"))
        .chain(commands.map(|command| format!("command `{command}`")))
        .collect()
}

fn fatal(problems: &mut Vec<Problem>, text: &str) {
    problems.push(Problem { fatal: true, text: text.to_owned() });
}

fn advice(problems: &mut Vec<Problem>, text: &str) {
    problems.push(Problem { fatal: false, text: text.to_owned() });
}

fn front(document: &Document, problems: &mut Vec<Problem>) {
    let front = &document.front;
    let name_good = !front.playbook.is_empty()
        && front.playbook.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !name_good {
        fatal(problems, "front matter: `playbook` is a name of small letters, digits and hyphens");
    }
    for (name, value) in [
        ("title", &front.title),
        ("owner", &front.owner),
        ("purpose", &front.purpose),
        ("target", &front.target),
    ] {
        if value.trim().is_empty() || value.contains("TODO") {
            fatal(problems, &format!("front matter: `{name}` says nothing"));
        }
    }
    let created = front.created.parse::<jiff::civil::Date>();
    if created.is_err() {
        fatal(problems, "front matter: `created` is no date such as 2026-01-31");
    }
    if front.kind == DocumentKind::Plan && front.decisions.is_empty() {
        advice(problems, "front matter: `decisions` links no decision (PFA-37)");
    }
}

fn plan(document: &Document, problems: &mut Vec<Problem>) {
    let title =
        |section: &Section| section.title.trim_start_matches(|c: char| !c.is_alphabetic()).to_lowercase();
    let top: Vec<&Section> = document.sections.iter().filter(|section| section.level == 2).collect();
    for (name, needed) in SECTIONS {
        let Some(section) = top.iter().find(|section| title(section).starts_with(&name.to_lowercase()))
        else {
            fatal(problems, &format!("the section `## {name}` is missing"));
            continue;
        };
        let subtitles = document.sections.iter().filter(|other| {
            other.line > section.line
                && top.iter().all(|next| next.line <= section.line || other.line < next.line)
        });
        let mut text = section.text.to_lowercase();
        for subtitle in subtitles {
            text += &subtitle.title.to_lowercase();
            text.push('\n');
        }
        if document.front.state != PlanState::Draft && text.trim().is_empty() {
            fatal(problems, &format!("line {}: `## {name}` is empty", section.line));
        }
        for (word, why) in needed {
            if !text.contains(word) {
                fatal(problems, &format!("line {}: `## {name}` does not say {why}", section.line));
            }
        }
        if document.front.state != PlanState::Draft && text.contains("todo") {
            fatal(problems, &format!("line {}: `## {name}` still says TODO", section.line));
        }
    }
    for criterion in document.sections.iter().filter(|section| title(section).starts_with("success criteria"))
    {
        let entries = criterion.text.lines().filter(|line| line.trim_start().starts_with("- "));
        for entry in entries {
            let measurable = entry.chars().any(|c| c.is_ascii_digit()) || entry.contains("gate ");
            if !measurable && !entry.contains("TODO") {
                fatal(
                    problems,
                    &format!("line {}: not measurable, without a number or a gate:{entry}", criterion.line)
                        .replace(":-", ": -"),
                );
            }
        }
    }
}

fn step_problems(document: &Document, at: usize, step: &Step, host: &dyn Host, problems: &mut Vec<Problem>) {
    let earlier = &document.steps[..at];
    let wrong =
        |problems: &mut Vec<Problem>, text: &str| fatal(problems, &format!("step `{}`: {text}", step.id));
    if earlier.iter().any(|other| other.id == step.id) {
        wrong(problems, "the name is used twice");
    }
    match line(step) {
        Err(problem) => fatal(problems, &problem),
        Ok(line) if !line.is_empty() => command(document, earlier, step, &line, host, problems),
        Ok(_) => {}
    }
    if matches!(step.kind, StepKind::Wait | StepKind::Watch) && step.lasts.is_none() {
        wrong(problems, "`for` is missing: how long?");
    }
    if step.kind == StepKind::Watch && (step.every.is_none() || step.run.is_none()) {
        wrong(problems, "a watch needs `every` and `run`");
    }
    if step.kind == StepKind::Approval && step.by.is_none() {
        wrong(problems, "`by` is missing: who is asked?");
    }
    if let Some(gate) = step.gate.as_ref().filter(|gate| !host.has_gate(gate)) {
        wrong(problems, &format!("there is no gate `{gate}`"));
    }
    let takes_back = !step.rollback.is_empty() || step.nothing_to_take_back.is_some();
    if !step.kind.only_looks() && step.kind != StepKind::Flag && !takes_back {
        wrong(
            problems,
            "it says neither how it is taken back (`rollback`) nor why there is `nothing_to_take_back`",
        );
    }
    for line in &step.rollback {
        command(document, &document.steps[..=at], step, line, host, problems);
    }
    if let Some(system) = &step.changes {
        let backed_up = earlier
            .iter()
            .any(|other| other.kind == StepKind::Backup && other.system.as_ref() == Some(system));
        if !backed_up {
            wrong(problems, &format!("it changes `{system}` without a backup step of it before"));
        }
        if step.rollback.is_empty() {
            wrong(problems, &format!("it changes `{system}` and cannot be taken back"));
        }
    }
    let verified = earlier.iter().any(|other| {
        matches!(other.kind, StepKind::Gate | StepKind::Check)
            || other.run.as_deref().is_some_and(|run| run.starts_with("verify"))
    });
    if step.kind == StepKind::Flag && !verified {
        wrong(problems, "a flag is set before anything was checked");
    }
}

fn command(
    document: &Document,
    known: &[Step],
    step: &Step,
    line: &str,
    host: &dyn Host,
    problems: &mut Vec<Problem>,
) {
    let wrong =
        |problems: &mut Vec<Problem>, text: &str| fatal(problems, &format!("step `{}`: {text}", step.id));
    for name in words::names(line) {
        let (first, member) = name.split_once('.').unwrap_or((name, ""));
        let is_parameter = document.front.parameters.contains_key(name);
        let is_output = !member.is_empty() && known.iter().any(|other| other.id == first);
        if !is_parameter && !is_output {
            wrong(problems, &format!("`${{{name}}}` is neither a parameter nor of an earlier step"));
        }
    }
    match words::split(line) {
        Err(problem) => wrong(problems, &problem),
        Ok(words) => {
            // What is filled in later is taken for a plain word.
            let words: Vec<String> =
                words.iter().map(|word| filled(word.trim_start_matches('[').trim_end_matches(']'))).collect();
            if let Some(problem) = host.problem(&words) {
                let waits = !lacking(document, host).is_empty();
                problems.push(Problem {
                    fatal: !waits,
                    text: format!("step `{}`: `{line}`: {problem}", step.id),
                });
            }
        }
    }
}

fn filled(word: &str) -> String {
    let mut text = word.to_owned();
    while let (Some(from), Some(to)) = (text.find("${"), text.find('}')) {
        if to < from {
            break;
        }
        text.replace_range(from..=to, "1");
    }
    text
}
