//! Security findings: what an agent did that a person should know about.
//!
//! Owns the decision over one tool call: commands that destroy, open, send or hide something, and files that hold
//! secrets or change how the machine behaves. The rules with their severity and MITRE ATT&CK technique are in [`rule`].
//! It deliberately judges what was asked for, not whether it worked, and reads no file.
//!
//! Invariants:
//! - What stands in quotes as an argument is text: `echo "rm -rf /"` is no finding.
//! - A finding never shows a secret that it found.
//! - One rule is found at most once for one command.

mod command;
mod path;
mod pipe;
mod program;
pub mod rule;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::Value;

pub use crate::error::Severity;
use crate::shell::{self, Command};
pub use rule::{RULES, Rule};

/// Characters of a command that are shown with a finding.
const SHOWN: usize = 160;

/// A rule that a tool call broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// The command, path or address, cut short, with secrets masked.
    pub evidence: String,
}

/// What a file is touched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// All findings of one tool call; `input` is the tool's input as stored.
///
/// Knows `bash` and its later name `shell`, `read`, `write`, `edit`, `apply_patch`, `patch`, `webfetch`, `grep`, `glob`
/// and `list`. Other tools have none.
#[must_use]
pub fn findings(tool: &str, input: &Value) -> Vec<Finding> {
    let mut found = Found::default();
    let text = |names: &[&str]| names.iter().find_map(|name| input.get(name)?.as_str());
    match tool {
        "bash" | "shell" => {
            if let Some(command_line) = text(&["command"]) {
                of_command_line(command_line, &mut found);
            }
        }
        "read" | "grep" | "glob" | "list" => {
            if let Some(file) = text(&["filePath", "path"]) {
                found.add_all(path::touched(file, Access::Read), file);
            }
        }
        "write" | "edit" => {
            if let Some(file) = text(&["filePath", "path"]) {
                found.add_all(path::touched(file, Access::Write), file);
            }
            if let Some(content) = text(&["content", "newString"]) {
                found.add_secret(content);
            }
        }
        "apply_patch" | "patch" => {
            let patch = text(&["patchText", "patch"]).unwrap_or_default();
            for file in patched_files(patch) {
                found.add_all(path::touched(file, Access::Write), file);
            }
            let added: String = patch
                .lines()
                .filter_map(|line| line.strip_prefix('+'))
                .fold(String::new(), |text, line| text + line + "\n");
            found.add_secret(&added);
        }
        "webfetch" => {
            if let Some(address) = text(&["url"]) {
                if program::is_metadata_service(address) {
                    found.add("cloud-metadata", address);
                }
                found.add_secret(address);
            }
        }
        _ => {}
    }
    found.findings
}

fn of_command_line(command_line: &str, found: &mut Found) {
    if command::is_fork_bomb(command_line) {
        found.add("fork-bomb", command_line);
    }
    let commands = shell::commands(command_line);
    for command in &commands {
        let evidence = shown_command(command);
        found.add_all(command::of(command), &evidence);
        for (file, access) in files_of(command) {
            found.add_all(path::touched(file, access), &evidence);
        }
    }
    for (rule, command) in pipe::of(&commands) {
        found.add(rule, &shown_command(command));
    }
    found.add_secret(command_line);
}

/// The files that a command names, and what for.
fn files_of(command: &Command) -> Vec<(&str, Access)> {
    let mut files: Vec<_> = command.written_files().map(|file| (file, Access::Write)).collect();
    files.extend(
        command
            .redirects
            .iter()
            .filter(|redirect| redirect.operator == "<")
            .map(|redirect| (redirect.target.as_str(), Access::Read)),
    );
    let operands: Vec<_> = command.operands().collect();
    match command.program.as_str() {
        "tee" | "truncate" | "touch" => files.extend(operands.into_iter().map(|file| (file, Access::Write))),
        "sed" | "perl" if command.has_option('i', "in-place") => {
            files.extend(operands.into_iter().skip(1).map(|file| (file, Access::Write)));
        }
        "cp" | "mv" | "install" | "ln" => {
            if let Some((last, sources)) = operands.split_last() {
                files.extend(sources.iter().map(|file| (*file, Access::Read)));
                files.push((*last, Access::Write));
            }
        }
        "cat" | "less" | "more" | "head" | "tail" | "strings" | "xxd" | "hexdump" | "od" | "base64"
        | "sed" | "awk" | "grep" | "rg" | "scp" | "rsync" | "tar" | "zip" | "source" | "." | "cut"
        | "sort" | "nl" | "bat" | "openssl" | "jq" => {
            files.extend(operands.into_iter().map(|file| (file, Access::Read)));
        }
        _ => {}
    }
    files
}

/// The files that a patch in OpenCode's notation, or a unified diff, changes.
fn patched_files(patch: &str) -> impl Iterator<Item = &str> {
    patch.lines().filter_map(|line| {
        ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: ", "+++ b/"]
            .into_iter()
            .find_map(|mark| line.strip_prefix(mark))
            .map(str::trim)
    })
}

fn shown_command(command: &Command) -> String {
    let words = command.wrappers.iter().chain([&command.program]).chain(&command.arguments);
    let redirects = command.redirects.iter().filter(|redirect| !redirect.operator.starts_with("<<"));
    let mut shown: Vec<String> = words.filter(|word| !word.is_empty()).cloned().collect();
    shown.extend(redirects.map(|redirect| format!("{} {}", redirect.operator, redirect.target)));
    shown.join(" ")
}

/// Findings so far, each rule once for each evidence.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    seen: HashSet<(&'static str, String)>,
}

impl Found {
    fn add(&mut self, id: &'static str, evidence: &str) {
        let Some(rule) = RULES.iter().find(|rule| rule.id == id) else { return };
        let mut evidence = secret::masked(evidence);
        if let Some((end, _)) = evidence.char_indices().nth(SHOWN) {
            evidence.truncate(end);
            evidence.push('…');
        }
        if self.seen.insert((id, evidence.clone())) {
            self.findings.push(Finding { rule, evidence });
        }
    }

    fn add_all(&mut self, ids: impl IntoIterator<Item = &'static str>, evidence: &str) {
        for id in ids {
            self.add(id, evidence);
        }
    }

    fn add_secret(&mut self, text: &str) {
        if let Some(line) = secret::first_line_with_one(text) {
            self.add("secret-in-text", line);
        }
    }
}
