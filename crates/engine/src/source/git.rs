//! Commits of a person's own repository, asked of the `git` program; nothing is written there.
//!
//! Owns asking for the author, the date and the subject of commits that are known by hash. It runs only when a person
//! asks a question that needs it, in work trees that the store names, without hooks, pagers, prompts, locks, or fetching
//! what is missing. A folder that is gone or no repository has no commits; that is no error.
//!
//! Invariant: what git does not say is absent.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a repository says of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The hash as it was asked for; perhaps shortened.
    pub asked: String,
    /// The whole hash.
    pub hash: String,
    /// Who wrote it.
    pub author: String,
    /// Their address.
    pub email: String,
    /// When, in UTC or with an offset, as git writes it (ISO 8601).
    pub authored_at: String,
    /// The first line of its message.
    pub subject: String,
}

/// Between the members of a commit, and at its end: bytes that no name or subject has.
const BETWEEN: char = '\u{1f}';
const END: char = '\u{1e}';

/// What the repository of a work tree says of these commits. Those that it does not have are left out.
pub fn commits(worktree: &Path, hashes: &[String]) -> Vec<Commit> {
    let is_hash =
        |text: &&String| (4..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let asked: Vec<&String> = hashes.iter().filter(is_hash).collect();
    if asked.is_empty() || !worktree.is_dir() {
        return Vec::new();
    }
    // One line for each hash, in order: whole hash and type, or what was asked and `missing` or `ambiguous`.
    let lines: String = asked.iter().map(|hash| format!("{hash}\n")).collect();
    let Some(found) = ask(worktree, &["cat-file", "--batch-check=%(objectname) %(objecttype)"], &lines)
    else {
        return Vec::new();
    };
    let known: Vec<(&String, &str)> = asked
        .into_iter()
        .zip(found.lines())
        .filter_map(|(asked, line)| Some((asked, line.strip_suffix(" commit")?)))
        .collect();
    if known.is_empty() {
        return Vec::new();
    }
    let lines: String = known.iter().map(|(_, hash)| format!("{hash}\n")).collect();
    let format = format!("--format=%H{BETWEEN}%an{BETWEEN}%ae{BETWEEN}%aI{BETWEEN}%s{END}");
    let words = ["log", "--no-walk=unsorted", "--no-show-signature", "--stdin", &format];
    let told = ask(worktree, &words, &lines).unwrap_or_default();
    let said: Vec<Vec<&str>> =
        told.split(END).map(|commit| commit.trim_start_matches('\n').split(BETWEEN).collect()).collect();
    known
        .into_iter()
        .filter_map(|(asked, hash)| {
            let commit = said.iter().find(|commit| commit.first() == Some(&hash) && commit.len() == 5)?;
            Some(Commit {
                asked: asked.clone(),
                hash: hash.to_owned(),
                author: commit[1].to_owned(),
                email: commit[2].to_owned(),
                authored_at: commit[3].to_owned(),
                subject: commit[4].to_owned(),
            })
        })
        .collect()
}

/// Runs git in a work tree and returns what it printed; `None` when it is not there or refuses.
fn ask(worktree: &Path, words: &[&str], input: &str) -> Option<String> {
    let mut child = Command::new("git")
        .args(["--no-pager", "--no-optional-locks", "--no-replace-objects", "-c", "core.fsmonitor=false"])
        .arg("-C")
        .arg(worktree)
        .args(words)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let input = input.to_owned();
    // Git answers while it still reads; a thread of its own keeps both from waiting for each other.
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let output = child.wait_with_output().ok()?;
    // A git that refused does not read to the end; its status says so.
    drop(writing.join());
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, words: &[&str]) -> String {
        let output = Command::new("git")
            .args([
                "-c",
                "user.name=Ada Demo",
                "-c",
                "user.email=ada@example.org",
                "-c",
                "commit.gpgsign=false",
            ])
            .arg("-C")
            .arg(folder)
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn a_commit_is_told_by_whole_and_by_shortened_hash_and_nothing_else_is() {
        if Command::new("git").arg("--version").output().is_err() {
            println!("skipped: git is not at hand");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        git(path, &["init", "--quiet"]);
        git(path, &["commit", "--quiet", "--allow-empty", "-m", "First: with \"marks\"\n\nA body."]);
        let first = git(path, &["rev-parse", "HEAD"]);
        git(path, &["commit", "--quiet", "--allow-empty", "-m", "Second"]);
        let tree = git(path, &["rev-parse", "HEAD^{tree}"]);
        let asked = [
            first[..9].to_owned(),
            "0123456789012345678901234567890123456789".to_owned(),
            tree,
            "--output=x".to_owned(),
            first.clone(),
        ];
        let found = commits(path, &asked);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].asked.as_str(), found[1].asked.as_str()), (&first[..9], first.as_str()));
        for commit in &found {
            assert_eq!((commit.hash.as_str(), commit.author.as_str()), (first.as_str(), "Ada Demo"));
            assert_eq!(
                (commit.email.as_str(), commit.subject.as_str()),
                ("ada@example.org", "First: with \"marks\"")
            );
            assert!(commit.authored_at.contains('T'));
        }
        assert!(!path.join("x").exists());
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(commits(elsewhere.path(), &asked).is_empty());
        assert!(commits(&path.join("gone"), &asked).is_empty());
    }
}
