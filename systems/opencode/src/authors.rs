//! Who is written down as the author of the agent's commits: a join with the person's own repositories (OC-10).
//!
//! Owns which commits are asked for and how the answer is laid beside what OpenCode recorded. OpenCode records no author;
//! where the repository does not have the commit, there is none here either.

use std::collections::HashMap;

use plimsoll_engine::ingest::ColumnType;
use plimsoll_engine::view::{Computed, OwnedCell, Request, Table};

use crate::spending::table;

/// The question.
pub const COMMIT_AUTHORS: Computed = Computed {
    name: "commit-authors",
    title: "Authors of the agent's commits",
    answers: "Who do your repositories name as author of each commit? Asks git in the work trees, and only reads.",
    over: "commits",
    commits: Some(wanted),
    compute: beside,
};

fn text_at(rows: &Table, at: usize, column: &str) -> Option<String> {
    rows.cell(at, column).as_text().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn wanted(rows: &Table) -> Vec<(String, String)> {
    (0..rows.rows.len())
        .filter_map(|at| Some((text_at(rows, at, "worktree")?, text_at(rows, at, "commit_hash")?)))
        .collect()
}

fn beside(rows: &Table, request: &Request) -> Result<Table, String> {
    let known: HashMap<(&str, &str), _> = request
        .commits
        .iter()
        .map(|(worktree, commit)| ((worktree.as_str(), commit.asked.as_str()), commit))
        .collect();
    let mut out = Vec::with_capacity(rows.rows.len());
    for at in 0..rows.rows.len() {
        let (worktree, hash) = (text_at(rows, at, "worktree"), text_at(rows, at, "commit_hash"));
        let commit = worktree.as_deref().zip(hash.as_deref()).and_then(|key| known.get(&key));
        let said =
            |member: Option<&String>| member.map_or(OwnedCell::Null, |text| OwnedCell::Text(text.clone()));
        out.push(vec![
            rows.cell(at, "time_created").clone(),
            rows.cell(at, "session_id").clone(),
            rows.cell(at, "worktree").clone(),
            rows.cell(at, "branch").clone(),
            rows.cell(at, "commit_hash").clone(),
            rows.cell(at, "commit_message").clone(),
            said(commit.map(|commit| &commit.author)),
            said(commit.map(|commit| &commit.email)),
            said(commit.map(|commit| &commit.authored_at)),
            said(commit.map(|commit| &commit.subject)),
        ]);
    }
    let columns = [
        ("time_created", ColumnType::Timestamp),
        ("session_id", ColumnType::Text),
        ("worktree", ColumnType::Text),
        ("branch", ColumnType::Text),
        ("commit_hash", ColumnType::Text),
        ("commit_message", ColumnType::Text),
        ("author", ColumnType::Text),
        ("author_email", ColumnType::Text),
        ("authored_at", ColumnType::Text),
        ("repository_subject", ColumnType::Text),
    ];
    Ok(table(&columns, out))
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::source::git::Commit;

    use super::*;

    #[test]
    fn an_author_stands_beside_the_commit_of_its_own_work_tree_only() {
        let columns = [("worktree", ColumnType::Text), ("commit_hash", ColumnType::Text)];
        let text = |text: &str| OwnedCell::Text(text.to_owned());
        let rows = table(
            &columns,
            vec![
                vec![text("/srv/a"), text("abcd123")],
                vec![text("/srv/b"), text("abcd123")],
                vec![text("/srv/a"), OwnedCell::Null],
                vec![OwnedCell::Null, text("abcd123")],
            ],
        );
        let pairs = [("/srv/a", "abcd123"), ("/srv/b", "abcd123")];
        assert_eq!(wanted(&rows), pairs.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let commit = Commit {
            asked: "abcd123".into(),
            hash: "abcd1234".into(),
            author: "Ada".into(),
            email: "ada@example.org".into(),
            authored_at: "2026-01-01T00:00:00Z".into(),
            subject: "s".into(),
        };
        let request = Request { commits: vec![("/srv/a".into(), commit)], ..Request::default() };
        let answer = beside(&rows, &request).unwrap();
        assert_eq!(answer.rows.len(), 4);
        assert_eq!(answer.cell(0, "author"), &text("Ada"));
        for at in 1..4 {
            assert_eq!(answer.cell(at, "author"), &OwnedCell::Null);
        }
    }
}
