//! Command lines and their outputs, and what is known after them.

use super::*;

fn only(command_line: &str, output: &str, exit: i64) -> GitFact {
    let mut found = facts(command_line, output, Some(exit));
    assert_eq!(found.len(), 1, "{command_line}: {found:?}");
    found.remove(0)
}

fn branch(name: &str, created: bool) -> Fact {
    Fact::Branch { name: name.to_owned(), created }
}

#[test]
fn a_commit_is_read_with_its_hash_branch_message_and_size() {
    let output = "[feature/x a1b2c3d] parser: take tabs\n 2 files changed, 10 insertions(+), 1 deletion(-)\n create mode 100644 a.rs\n";
    for command_line in [
        "git commit -m 'parser: take tabs'",
        "git add -A && git commit -am \"parser: take tabs\"",
        "cd . ; GIT_AUTHOR_NAME=x git -c user.name=y commit --message='parser: take tabs' --no-verify",
        "git commit --message 'parser: take tabs'",
        "git commit -m\"parser: take tabs\"",
        "git commit -F message.txt",
    ] {
        let found = facts(command_line, output, Some(0)).pop().unwrap();
        let expected = Fact::Commit {
            hash: Some("a1b2c3d".to_owned()),
            branch: Some("feature/x".to_owned()),
            message: Some("parser: take tabs".to_owned()),
            amended: false,
            stat: Some(DiffStat { files: 2, insertions: 10, deletions: 1 }),
        };
        assert_eq!((found.fact, found.confirmed), (expected, true), "{command_line}");
    }
}

#[test]
fn messages_of_several_lines_are_whole() {
    for command_line in [
        "git commit -m \"$(cat <<'EOF'\nFix: don't crash\n\nIt (did).\nEOF\n)\"",
        "git commit -m \"Fix: don't crash\" -m 'It (did).'",
    ] {
        let Fact::Commit { message, .. } = only(command_line, "[main 1234567] Fix: don't crash", 0).fact
        else {
            panic!()
        };
        assert_eq!(message.unwrap(), "Fix: don't crash\n\nIt (did).", "{command_line}");
    }
}

#[test]
fn special_commits_are_read() {
    for (command_line, output, expected_branch, amended) in [
        ("git commit -m a", "[main (root-commit) 1234567] a", Some("main"), false),
        ("git commit -m a", "[detached HEAD 1234567] a", None, false),
        ("git commit --amend --no-edit", "[main 1234567] a\n Date: today", Some("main"), true),
    ] {
        let Fact::Commit { hash, branch, message, amended: is_amended, .. } =
            only(command_line, output, 0).fact
        else {
            panic!()
        };
        assert_eq!((hash.as_deref(), message.as_deref()), (Some("1234567"), Some("a")), "{output}");
        assert_eq!((branch.as_deref(), is_amended), (expected_branch, amended), "{output}");
    }
}

#[test]
fn two_commits_in_one_line_are_not_mixed_up() {
    let output = "[main aaaaaaa] one\n 1 file changed, 1 insertion(+)\n[main bbbbbbb] two\n 3 files changed, 4 deletions(-)\n";
    let found = facts("git commit -m one a && git commit -m two b", output, Some(0));
    let read: Vec<_> = found
        .into_iter()
        .map(|found| match found.fact {
            Fact::Commit { hash, stat, .. } => (hash.unwrap(), stat.unwrap().files),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(read, [("aaaaaaa".to_owned(), 1), ("bbbbbbb".to_owned(), 3)]);
}

#[test]
fn what_did_not_happen_is_not_confirmed_and_has_no_hash() {
    let found = only("git commit -m a", "On branch main\nnothing to commit, working tree clean", 1);
    let Fact::Commit { hash: None, .. } = found.fact else { panic!("{found:?}") };
    assert!(!found.confirmed);
    assert!(!only("git push origin main", " ! [rejected]        main -> main (fetch first)", 1).confirmed);
    for command_line in [
        "git commit --dry-run",
        "echo \"git commit -m x\"",
        "# git commit -m x",
        "git log --oneline",
        "git push --dry-run",
        "gitk commit",
        "git",
        "git merge --abort",
        "grep -r 'git switch main' .",
    ] {
        assert_eq!(facts(command_line, "", Some(0)), [], "{command_line}");
    }
}

#[test]
fn branches_are_known_from_commands_and_from_outputs() {
    for (command_line, output, exit, expected, confirmed) in [
        ("git checkout -b fix/one", "Switched to a new branch 'fix/one'", 0, branch("fix/one", true), true),
        ("git checkout -b fix/one", "", 0, branch("fix/one", true), true),
        (
            "git checkout -b fix/one",
            "fatal: a branch named 'fix/one' already exists",
            128,
            branch("fix/one", true),
            false,
        ),
        ("git switch -c two", "Switched to a new branch 'two'", 0, branch("two", true), true),
        ("git switch --create=two", "", 0, branch("two", true), true),
        (
            "git switch main",
            "Switched to branch 'main'\nYour branch is up to date with 'origin/main'.",
            0,
            branch("main", false),
            true,
        ),
        ("git switch main", "", 0, branch("main", false), true),
        ("git checkout main", "Already on 'main'", 0, branch("main", false), true),
        ("git branch --show-current", "feature/x\n", 0, branch("feature/x", false), true),
        ("git rev-parse --abbrev-ref HEAD", "main\n", 0, branch("main", false), true),
        ("git symbolic-ref HEAD", "refs/heads/main\n", 0, branch("main", false), true),
        ("git status", "On branch main\nnothing to commit", 0, branch("main", false), true),
        ("git status -sb", "## main...origin/main [ahead 1]\n M a.rs", 0, branch("main", false), true),
        (
            "git status",
            "HEAD detached at a1b2c3d\nnothing to commit",
            0,
            Fact::Detached { at: "a1b2c3d".to_owned() },
            true,
        ),
        (
            "git checkout v1.2",
            "Note: switching to 'v1.2'.\n\nHEAD is now at a1b2c3d release",
            0,
            Fact::Detached { at: "a1b2c3d".to_owned() },
            true,
        ),
        ("git rev-parse --abbrev-ref HEAD", "HEAD\n", 0, Fact::Detached { at: "HEAD".to_owned() }, true),
        (
            "git reset --hard HEAD~1",
            "HEAD is now at a1b2c3d before",
            0,
            Fact::Head { hash: "a1b2c3d".to_owned() },
            true,
        ),
    ] {
        let found = only(command_line, output, exit);
        assert_eq!((found.fact, found.confirmed), (expected, confirmed), "{command_line}: {output}");
    }
    for (command_line, output) in [
        ("git checkout -- src/main.rs", ""),
        ("git checkout src/main.rs", "Updated 1 path from the index"),
        ("git branch --show-current", ""),
        ("git branch --show-current", "fatal: not a git repository (or any of the parent directories): .git"),
        ("git branch", "* main\n  two"),
        ("git switch nowhere", "fatal: invalid reference: nowhere"),
    ] {
        assert_eq!(facts(command_line, output, Some(128)), [], "{command_line}");
    }
}

#[test]
fn answers_are_matched_to_questions_only_where_it_is_clear() {
    let hash = "0123456789abcdef0123456789abcdef01234567";
    let found = facts("git branch --show-current && git rev-parse HEAD", &format!("main\n{hash}\n"), Some(0));
    let read: Vec<_> = found.into_iter().map(|found| found.fact).collect();
    assert_eq!(read, [branch("main", false), Fact::Head { hash: hash.to_owned() }]);
    assert_eq!(facts("ls; git branch --show-current", "a.rs\nmain\n", Some(0)), []);
}

#[test]
fn sizes_of_differences_are_read() {
    let stat = |files, insertions, deletions| Fact::Stat(DiffStat { files, insertions, deletions });
    for (command_line, output, expected) in [
        (
            "git diff --stat",
            " a.rs | 4 ++--\n b.rs | 1 +\n 2 files changed, 3 insertions(+), 2 deletions(-)\n",
            stat(2, 3, 2),
        ),
        ("git diff --shortstat HEAD~1", " 1 file changed, 1 deletion(-)", stat(1, 0, 1)),
        ("git show --stat", " 1 file changed, 0 insertions(+), 0 deletions(-)", stat(1, 0, 0)),
    ] {
        assert_eq!(only(command_line, output, 0).fact, expected, "{command_line}");
    }
    assert_eq!(facts("git diff --stat", " 2 files were changed, sorry\n", Some(0)), []);
}

#[test]
fn sending_merging_and_moving_are_read() {
    let push = |remote: Option<&str>, branch: Option<&str>, forced| Fact::Push {
        remote: remote.map(ToOwned::to_owned),
        branch: branch.map(ToOwned::to_owned),
        forced,
    };
    for (command_line, output, expected) in [
        (
            "git push",
            "To example.org:a.git\n   a1b2c3d..d4e5f6a  main -> main\n",
            push(None, Some("main"), false),
        ),
        ("git push -u origin feature", "", push(Some("origin"), Some("feature"), false)),
        ("git push origin HEAD:refs/heads/x --force", "", push(Some("origin"), Some("refs/heads/x"), true)),
        ("git push origin +main", "", push(Some("origin"), Some("main"), true)),
        (
            "git push --force-with-lease",
            " + a1b2c3d...d4e5f6a x -> x (forced update)",
            push(None, Some("x"), true),
        ),
        (
            "git merge --no-ff topic",
            "Merge made by the 'ort' strategy.",
            Fact::Merge { from: Some("topic".to_owned()) },
        ),
        (
            "git rebase main",
            "Successfully rebased and updated refs/heads/x.",
            Fact::Rebase { onto: Some("main".to_owned()) },
        ),
        ("git rebase --onto next old", "", Fact::Rebase { onto: Some("next".to_owned()) }),
    ] {
        assert_eq!(only(command_line, output, 0).fact, expected, "{command_line}");
    }
}

#[test]
fn the_folder_is_known_from_git_or_from_the_shell() {
    for (command_line, expected) in [
        ("git status", None),
        ("git -C ../other status", Some("../other")),
        ("cd 'my app' && git status", Some("my app")),
        ("cd a && git -C b status", Some("b")),
    ] {
        assert_eq!(only(command_line, "On branch main", 0).directory.as_deref(), expected, "{command_line}");
    }
}
