//! What shell commands tell about version control, and which calls are risky.
//!
//! Owns the rows of `git_facts` and `security_findings`; the reading of commands is [`crate::git`]'s, the rules are
//! those of [`crate::security`].

use plimsoll_engine::ingest::{Refusal, Rows};
use serde_json::{Map, Value};

use super::cells::push_row;
use super::part::Part;
use super::tool_calls::{Call, Ending};
use crate::git::{Fact, facts};
use crate::security::findings;
use crate::table::focused::{GIT_FACTS, SECURITY_FINDINGS};

/// Fields of a tool's input that the rules look at.
const JUDGED: [&str; 8] =
    ["command", "filePath", "path", "content", "newString", "patchText", "patch", "url"];

/// Adds the rows of a call.
pub(super) fn store(
    call: &Call<'_>,
    command: Option<&str>,
    part: &Part<'_>,
    how: Ending,
    created: Option<i64>,
    rows: &mut Rows,
) -> Result<(), Refusal> {
    if how != Ending::None
        && let Some(command) = command.filter(|command| command.contains("git"))
    {
        store_git(call, command, part, created, rows)?;
    }
    store_findings(call, command, part, created, rows)
}

/// A fact as a row tells it.
#[derive(Default)]
struct Told {
    kind: &'static str,
    branch: Option<String>,
    hash: Option<String>,
    message: Option<String>,
    stat: Option<crate::git::DiffStat>,
}

fn store_git(
    call: &Call<'_>,
    command: &str,
    part: &Part<'_>,
    created: Option<i64>,
    rows: &mut Rows,
) -> Result<(), Refusal> {
    let found = facts(command, call.output.as_deref().unwrap_or_default(), call.exit_code());
    for (ordinal, fact) in (0_i64..).zip(found) {
        let told = told(fact.fact);
        let count = |count: fn(&crate::git::DiffStat) -> u64| {
            told.stat.as_ref().and_then(|stat| i64::try_from(count(stat)).ok())
        };
        push_row!(rows, GIT_FACTS, {
            part_id: &*part.id,
            ordinal: ordinal,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            kind: told.kind,
            branch: told.branch.as_deref(),
            commit_hash: told.hash.as_deref(),
            commit_message: told.message.as_deref(),
            files_changed: count(|stat| stat.files),
            insertions: count(|stat| stat.insertions),
            deletions: count(|stat| stat.deletions),
            succeeded: fact.confirmed,
            time_created: created,
            document_id: part.document,
        })?;
    }
    Ok(())
}

fn told(fact: Fact) -> Told {
    let one = |kind| Told { kind, ..Told::default() };
    match fact {
        Fact::Commit { hash, branch, message, amended, stat } => {
            Told { kind: if amended { "amend" } else { "commit" }, branch, hash, message, stat }
        }
        Fact::Branch { name, created } => {
            Told { branch: Some(name), ..one(if created { "branch" } else { "switch" }) }
        }
        Fact::Detached { at } => Told { hash: Some(at), ..one("detached") },
        Fact::Head { hash } => Told { hash: Some(hash), ..one("head") },
        Fact::Stat(stat) => Told { stat: Some(stat), ..one("diff-stat") },
        Fact::Push { branch, forced, .. } => {
            Told { branch, ..one(if forced { "forced-push" } else { "push" }) }
        }
        Fact::Merge { from } => Told { branch: from, ..one("merge") },
        Fact::Rebase { onto } => Told { branch: onto, ..one("rebase") },
    }
}

fn store_findings(
    call: &Call<'_>,
    command: Option<&str>,
    part: &Part<'_>,
    created: Option<i64>,
    rows: &mut Rows,
) -> Result<(), Refusal> {
    let name = call.name();
    let is_judged = matches!(
        name,
        "bash" | "read" | "grep" | "glob" | "list" | "write" | "edit" | "apply_patch" | "webfetch"
    );
    if !is_judged {
        return Ok(());
    }
    let mut input = Map::new();
    for key in JUDGED {
        let value = if key == "command" { command.map(Into::into) } else { call.argument(key) };
        if let Some(value) = value {
            input.insert(key.to_owned(), Value::String(value.into_owned()));
        }
    }
    for (ordinal, finding) in (0_i64..).zip(findings(name, &Value::Object(input))) {
        push_row!(rows, SECURITY_FINDINGS, {
            part_id: &*part.id,
            ordinal: ordinal,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            tool_name: name,
            rule: finding.rule.id,
            severity: finding.rule.severity.name(),
            technique: finding.rule.technique,
            explanation: finding.rule.explanation,
            excerpt: finding.evidence.as_str(),
            time_created: created,
            document_id: part.document,
        })?;
    }
    Ok(())
}
