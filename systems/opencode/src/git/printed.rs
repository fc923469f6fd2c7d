//! The lines that Git prints, and what they say.
//!
//! Owns recognizing them. It deliberately does not know which command printed a line; see [`super::facts`].

use super::{DiffStat, Fact};

/// A commit as Git prints it.
#[derive(Debug, Default)]
pub(super) struct PrintedCommit {
    pub(super) hash: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) stat: Option<DiffStat>,
}

/// What Git printed, waiting for the commands that caused it.
#[derive(Debug, Default)]
pub(super) struct Printed {
    pub(super) commits: Vec<PrintedCommit>,
    pub(super) stats: Vec<DiffStat>,
    pub(super) status: Option<Fact>,
    pub(super) switched: Option<Fact>,
    pub(super) head: Option<String>,
    pub(super) pushed: bool,
    pub(super) pushed_branch: Option<String>,
    pub(super) merged: bool,
    pub(super) rebased: bool,
}

impl Printed {
    pub(super) fn of(output: &str) -> Self {
        let mut printed = Self::default();
        // The summary of a commit follows its line; anything in between is listed below it.
        let mut awaits_stat = false;
        for line in output.lines().map(str::trim_end) {
            if let Some(commit) = commit_line(line) {
                printed.commits.push(commit);
                awaits_stat = true;
            } else if let Some(stat) = stat_line(line) {
                match printed.commits.last_mut().filter(|commit| awaits_stat && commit.stat.is_none()) {
                    Some(commit) => commit.stat = Some(stat),
                    None => printed.stats.push(stat),
                }
                awaits_stat = false;
            } else {
                printed.other_line(line);
            }
        }
        printed
    }

    fn other_line(&mut self, line: &str) {
        let between = |before: &str| line.strip_prefix(before).and_then(|rest| rest.split('\'').next());
        if let Some(name) = between("Switched to a new branch '") {
            self.switched = Some(Fact::Branch { name: name.to_owned(), created: true });
        } else if let Some(name) =
            ["Switched to branch '", "Already on '", "Switched to and reset branch '", "Reset branch '"]
                .into_iter()
                .find_map(between)
        {
            self.switched = Some(Fact::Branch { name: name.to_owned(), created: false });
        } else if let Some(name) = line.strip_prefix("On branch ") {
            self.status = Some(Fact::Branch { name: name.to_owned(), created: false });
        } else if let Some(at) =
            line.strip_prefix("HEAD detached at ").or_else(|| line.strip_prefix("HEAD detached from "))
        {
            self.status = Some(Fact::Detached { at: at.to_owned() });
        } else if let Some(name) = line.strip_prefix("## ") {
            let name = name.strip_prefix("No commits yet on ").unwrap_or(name);
            let name = name.split("...").next().unwrap_or(name);
            self.status = Some(if name.contains(' ') {
                Fact::Detached { at: "HEAD".to_owned() }
            } else {
                Fact::Branch { name: name.to_owned(), created: false }
            });
        } else if let Some(rest) = line.strip_prefix("HEAD is now at ") {
            let at = rest.split(' ').next().unwrap_or(rest).to_owned();
            self.head = Some(at.clone());
            self.switched.get_or_insert(Fact::Detached { at });
        } else if let Some((_, branch)) =
            line.split_once(" -> ").filter(|_| line.starts_with([' ', '+', '*']))
        {
            // `   a1b2c3d..d4e5f6a  main -> main`, ` * [new branch]  x -> x`; a rejected one begins with ` ! `.
            if !line.trim_start().starts_with('!') && !line.contains('|') {
                self.pushed = true;
                self.pushed_branch = branch.split(' ').next().map(ToOwned::to_owned);
            }
        } else if line == "Everything up-to-date" {
            self.pushed = true;
        } else if line.starts_with("Merge made by")
            || line == "Fast-forward"
            || line.starts_with("Already up to date")
        {
            self.merged = true;
        } else if line.starts_with("Successfully rebased") || line.ends_with("is up to date.") {
            self.rebased = true;
        }
    }
}

/// `[main a1b2c3d] Subject`, `[main (root-commit) a1b2c3d] Subject`, `[detached HEAD a1b2c3d] Subject`.
fn commit_line(line: &str) -> Option<PrintedCommit> {
    let (head, subject) = line.strip_prefix('[')?.split_once("] ")?;
    let (place, hash) = head.rsplit_once(' ')?;
    if !(4..=64).contains(&hash.len()) || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let place = place.strip_suffix(" (root-commit)").unwrap_or(place);
    let branch = (place != "detached HEAD").then(|| place.to_owned());
    if branch.as_ref().is_some_and(|branch| branch.contains(' ')) {
        return None;
    }
    Some(PrintedCommit { hash: Some(hash.to_owned()), branch, subject: Some(subject.to_owned()), stat: None })
}

/// ` 3 files changed, 10 insertions(+), 2 deletions(-)`.
fn stat_line(line: &str) -> Option<DiffStat> {
    let mut stat = DiffStat::default();
    let mut parts = line.trim().split(", ");
    let files = parts.next()?;
    stat.files =
        files.strip_suffix(" files changed").or_else(|| files.strip_suffix(" file changed"))?.parse().ok()?;
    for part in parts {
        let (number, what) = part.split_once(' ')?;
        let number = number.parse().ok()?;
        match what {
            "insertions(+)" | "insertion(+)" => stat.insertions = number,
            "deletions(-)" | "deletion(-)" => stat.deletions = number,
            _ => return None,
        }
    }
    Some(stat)
}
