//! Shell commands: ordinary ones, git, risky ones, and those that fail.
//!
//! Owns how often each kind appears and what it prints. A command that fails is still a completed call; only
//! its exit code says so.

use super::failure;
use super::json::Object;
use super::prose::{fill, hexadecimal};
use super::tools::{Call, Facts, Place, call, truncated};
use super::vocabulary as words;
use crate::random::Random;

/// A shell command.
pub(super) fn bash(random: &mut Random, place: &Place<'_>) -> Call {
    let mut facts = Facts { tool: "bash", exit: Some(0), ..Facts::default() };
    let (command, description, output) = match random.below(100) {
        0..=9 => {
            let (family, command, exit, output) = failure::of_shell(random);
            (facts.failure, facts.exit) = (Some(family), Some(exit));
            (command.to_owned(), "Runs a command", output.to_owned())
        }
        10..=24 => {
            let (kind, template) = *random.pick(&words::GIT);
            facts.git = Some(kind);
            let subject = fill(random, "{verb} {object}");
            let branch = format!(
                "{}/{}-{}",
                random.word(&["feature", "fix"]),
                random.word(&words::IDENTIFIERS),
                random.below(100)
            );
            let output = git_output(random, place, kind, &subject, &branch);
            (template.replace("{m}", &subject).replace("{b}", &branch), "Uses git", output)
        }
        25..=31 => {
            let (kind, command) = *random.pick(&words::RISKY);
            facts.risk = Some(kind);
            if kind == "force_push" {
                facts.git = Some("push");
            } else if kind == "history_rewrite" {
                facts.git = Some("reset");
            }
            (command.to_owned(), "Runs a command", "done\n".to_owned())
        }
        _ => {
            let (command, description) = *random.pick(&words::COMMANDS);
            let length = place.length(random, 3_600);
            (command.to_owned(), description, place.prose.code(random, length))
        }
    };
    let input = Object::new()
        .with("command", &command)
        .maybe("timeout", random.percent(15).then_some(120_000_u64))
        .with("description", description);
    let metadata = Object::new().with("output", &output).maybe("exit", facts.exit);
    let metadata =
        if place.version.newer_order() { metadata } else { metadata.with("description", description) };
    let title = if place.version.newer_order() { command } else { description.to_owned() };
    Call { facts, ..call("bash", input, title, output, truncated(place, metadata)) }
}

fn git_output(random: &mut Random, place: &Place<'_>, kind: &str, subject: &str, branch: &str) -> String {
    let file = random.word(&words::FILES);
    let (plus, minus) = (random.between(1, 80), random.below(40));
    match kind {
        "commit" => format!(
            "[{branch} {}] {subject}\n 1 file changed, {plus} insertions(+), {minus} deletions(-)\n",
            hexadecimal(random, 7)
        ),
        "branch_switch" => format!("Switched to a new branch '{branch}'\n"),
        "branch_list" => format!("* {branch}\n  main\n"),
        "diff_stat" => format!(
            " {file} | {} {}{}\n 1 file changed, {plus} insertions(+), {minus} deletions(-)\n",
            plus + minus,
            "+".repeat(plus.min(20)),
            "-".repeat(minus.min(20))
        ),
        "diff" => {
            let length = place.length(random, 2_500);
            format!(
                "diff --git a/{file} b/{file}\n--- a/{file}\n+++ b/{file}\n{}",
                place.prose.code(random, length)
            )
        }
        "status" => format!(" M {file}\n?? notes.txt\n"),
        "log" => (0..8)
            .map(|_| format!("{} {}\n", hexadecimal(random, 7), fill(random, "{verb} {object}")))
            .collect(),
        "push" => format!("To git@example.com:acme/demo.git\n * [new branch]      {branch} -> {branch}\n"),
        _ => "Merge made by the 'ort' strategy.\n".to_owned(),
    }
}
