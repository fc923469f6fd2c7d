//! Git facts from the commands that an agent ran and what they printed.
//!
//! OpenCode stores no branch and no commit: its snapshots are trees of a private repository. What can be known about the
//! user's repository is what commands like `git commit` and `git switch` say. Owns reading that. It deliberately opens
//! no repository.
//!
//! Invariants:
//! - A hash is only taken from what Git printed, never from what a command was meant to do.
//! - A fact that neither the output nor the exit code confirms is marked so, not left out.

mod printed;

use crate::shell::{Command, commands};
use printed::Printed;

/// Lines and files that changed, as Git counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiffStat {
    /// Files changed.
    pub files: u64,
    /// Lines inserted.
    pub insertions: u64,
    /// Lines deleted.
    pub deletions: u64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A commit was made.
    Commit {
        /// Its hash as printed, usually shortened; `None` if Git did not print it.
        hash: Option<String>,
        /// The branch, `None` if it is not known or HEAD was detached.
        branch: Option<String>,
        /// The whole message from the command, else the first line that Git printed.
        message: Option<String>,
        /// Whether it replaced the commit before it.
        amended: bool,
        /// What changed, where Git printed it.
        stat: Option<DiffStat>,
    },
    /// This branch is checked out from here on.
    Branch {
        /// Its name.
        name: String,
        /// Whether it was made by this command.
        created: bool,
    },
    /// HEAD is on no branch.
    Detached {
        /// The commit, as printed or given.
        at: String,
    },
    /// HEAD is this commit.
    Head {
        /// Its hash, as printed.
        hash: String,
    },
    /// The size of a difference that was shown.
    Stat(DiffStat),
    /// Commits were sent.
    Push {
        /// The remote, where it is named.
        remote: Option<String>,
        /// The branch, where it is named.
        branch: Option<String>,
        /// Whether history at the remote could be replaced.
        forced: bool,
    },
    /// A branch was merged into this one.
    Merge {
        /// What was merged.
        from: Option<String>,
    },
    /// Commits were moved onto another.
    Rebase {
        /// Onto what.
        onto: Option<String>,
    },
}

/// A fact, where, and whether it is certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitFact {
    /// What.
    pub fact: Fact,
    /// The folder that `-C` or a `cd` before it names, as written; `None` is the folder the command ran in.
    pub directory: Option<String>,
    /// Whether the output shows it, or the whole line ended with code 0.
    pub confirmed: bool,
}

/// All Git facts of one shell command line, in order.
///
/// `output` is what the line printed, both streams; `exit` its exit code.
#[must_use]
pub fn facts(command_line: &str, output: &str, exit: Option<i64>) -> Vec<GitFact> {
    let all = commands(command_line);
    let mut found = Vec::new();
    let mut printed = Printed::of(output);
    let mut folder: Option<String> = None;
    let answers = answers(&all, output);
    let mut answers = answers.into_iter();
    for command in &all {
        if command.program == "cd" {
            folder = command.operands().next().map(ToOwned::to_owned);
        }
        if command.program != "git" {
            continue;
        }
        let (git, directory) = Invocation::of(command);
        let directory = directory.or_else(|| folder.clone());
        let answer = if is_question(&git) { answers.next() } else { None };
        for (fact, shown) in read(&git, &mut printed, answer.as_deref(), exit) {
            let confirmed = shown || exit == Some(0);
            found.push(GitFact { fact, directory: directory.clone(), confirmed });
        }
    }
    found
}

/// A subcommand with its arguments, without Git's own options.
struct Invocation<'a> {
    name: &'a str,
    command: Command,
}

impl<'a> Invocation<'a> {
    fn of(command: &'a Command) -> (Self, Option<String>) {
        let mut directory = None;
        let mut rest = command.arguments.iter();
        let mut name = "";
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-C" => directory = rest.next().cloned(),
                "-c" | "--git-dir" | "--work-tree" | "--namespace" => {
                    rest.next();
                }
                option if option.starts_with('-') => {}
                subcommand => {
                    name = subcommand;
                    break;
                }
            }
        }
        let arguments = rest.cloned().collect();
        (Self { name, command: Command { arguments, ..command.clone() } }, directory)
    }

    /// The value of an option in any of its forms: `-m x`, `-mx`, `--message x`, `--message=x`, `-am x`.
    fn value(&self, short: char, long: &str) -> Vec<&str> {
        let mut values = Vec::new();
        let mut rest = self.command.arguments.iter().map(String::as_str);
        while let Some(word) = rest.next() {
            if let Some(name) = word.strip_prefix("--") {
                match name.split_once('=') {
                    Some((given, value)) if given == long => values.push(value),
                    None if name == long => values.extend(rest.next()),
                    _ => {}
                }
            } else if let Some((before, after)) =
                word.strip_prefix('-').and_then(|letters| letters.split_once(short))
                && before.chars().all(|letter| letter.is_ascii_alphabetic())
            {
                if after.is_empty() { values.extend(rest.next()) } else { values.push(after) }
            }
        }
        values
    }
}

fn is_question(git: &Invocation<'_>) -> bool {
    match git.name {
        "branch" => git.command.has("--show-current"),
        "rev-parse" => git.command.operands().any(|operand| operand == "HEAD"),
        "symbolic-ref" => git.command.has("HEAD"),
        _ => false,
    }
}

/// The lines that answer the questions of a command line, in order; none if it is not clear which line answers what.
fn answers(all: &[Command], output: &str) -> Vec<String> {
    let questions =
        all.iter().filter(|command| command.program == "git" && is_question(&Invocation::of(command).0));
    let (questions, lines) = (questions.count(), output.lines().filter(|line| !line.trim().is_empty()));
    let lines: Vec<String> = lines.map(|line| line.trim().to_owned()).collect();
    if lines.len() == questions { lines } else { Vec::new() }
}

/// What a subcommand says, and whether the output shows it.
fn read(
    git: &Invocation<'_>,
    printed: &mut Printed,
    answer: Option<&str>,
    exit: Option<i64>,
) -> Vec<(Fact, bool)> {
    match git.name {
        "commit" => commit(git, printed),
        "checkout" | "switch" => switched(git, printed, exit),
        "status" => printed.status.take().map(|fact| (fact, true)).into_iter().collect(),
        "branch" | "symbolic-ref" | "rev-parse" => {
            answer.and_then(answered).map(|fact| (fact, true)).into_iter().collect()
        }
        "diff" | "show" | "log" | "pull" => stat(printed),
        "push" if !git.command.has("--dry-run") => {
            let mut operands = git.command.operands();
            let remote = operands.next().map(ToOwned::to_owned);
            let target = operands.next();
            let forced = git.command.has_option('f', "force")
                || git.command.has_option('\0', "force-with-lease")
                || target.is_some_and(|target| target.starts_with('+'));
            let branch = target
                .map(|target| target.trim_start_matches('+').rsplit(':').next().unwrap_or(target).to_owned())
                .filter(|branch| branch != "HEAD")
                .or_else(|| printed.pushed_branch.take());
            vec![(Fact::Push { remote, branch, forced }, printed.pushed)]
        }
        "merge" if !git.command.has("--abort") => {
            let from = git.command.operands().next().map(ToOwned::to_owned);
            let mut found = vec![(Fact::Merge { from }, printed.merged)];
            found.extend(stat(printed));
            found
        }
        "rebase" if !git.command.has("--abort") => {
            let onto = git.value('\0', "onto").first().copied().or_else(|| git.command.operands().next());
            vec![(Fact::Rebase { onto: onto.map(ToOwned::to_owned) }, printed.rebased)]
        }
        "worktree" | "reset" => {
            printed.head.take().map(|hash| (Fact::Head { hash }, true)).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn commit(git: &Invocation<'_>, printed: &mut Printed) -> Vec<(Fact, bool)> {
    if git.command.has("--dry-run") {
        return Vec::new();
    }
    let given = git.value('m', "message").join("\n\n");
    let amended = git.command.has("--amend");
    let shown = if printed.commits.is_empty() { None } else { Some(printed.commits.remove(0)) };
    let is_shown = shown.is_some();
    let shown = shown.unwrap_or_default();
    let message = Some(given).filter(|message| !message.is_empty()).or(shown.subject);
    vec![(
        Fact::Commit { hash: shown.hash, branch: shown.branch, message, amended, stat: shown.stat },
        is_shown,
    )]
}

fn switched(git: &Invocation<'_>, printed: &mut Printed, exit: Option<i64>) -> Vec<(Fact, bool)> {
    if let Some(fact) = printed.switched.take() {
        return vec![(fact, true)];
    }
    let short = if git.name == "switch" { ['c', 'C'] } else { ['b', 'B'] };
    let created = short.iter().flat_map(|short| git.value(*short, "create")).next();
    if let Some(name) = created {
        return vec![(Fact::Branch { name: name.to_owned(), created: true }, false)];
    }
    // Without `--`, one operand may be a branch or a file; only `switch` and its success say that it is a branch.
    match git.command.operands().next() {
        Some(name) if git.name == "switch" && !git.command.has("--detach") && exit == Some(0) => {
            vec![(Fact::Branch { name: name.to_owned(), created: false }, false)]
        }
        _ => Vec::new(),
    }
}

fn stat(printed: &mut Printed) -> Vec<(Fact, bool)> {
    printed.stats.drain(..).map(|stat| (Fact::Stat(stat), true)).collect()
}

/// What `branch --show-current` and the like answer.
fn answered(line: &str) -> Option<Fact> {
    let is_hash = (7..=64).contains(&line.len()) && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash && line.len() >= 40 {
        return Some(Fact::Head { hash: line.to_owned() });
    }
    let name = line.strip_prefix("refs/heads/").unwrap_or(line);
    match name {
        "HEAD" => Some(Fact::Detached { at: "HEAD".to_owned() }),
        _ if name.starts_with("fatal:") || name.contains(' ') => None,
        _ if is_hash && line.bytes().any(|byte| byte.is_ascii_digit()) => {
            Some(Fact::Head { hash: line.to_owned() })
        }
        _ => Some(Fact::Branch { name: name.to_owned(), created: false }),
    }
}

#[cfg(test)]
mod tests;
