//! Files that tools worked on.
//!
//! Owns the rows of `file_operations`. A tool's metadata come before its input: they tell what was done, not what was
//! asked for. Lines are counted where a tool says them, or where the new file is in the input.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::json::{Json, Kind};
use super::part::Part;
use super::tool_calls::{Call, Ending};
use crate::patch::{FilePatch, language, unified};
use crate::table::focused::FILE_OPERATIONS;

/// One operation on one file.
#[derive(Debug, Default)]
struct Operation<'a> {
    operation: &'static str,
    path: Option<Cow<'a, str>>,
    additions: Option<i64>,
    deletions: Option<i64>,
    bytes: Option<i64>,
}

/// Adds the rows of a call that has ended.
pub(super) fn store(
    call: &Call<'_>,
    part: &Part<'_>,
    how: Ending,
    created: Option<i64>,
    rows: &mut Rows,
) -> Result<(), Refusal> {
    if how == Ending::None {
        return Ok(());
    }
    let name = call.name();
    for (ordinal, operation) in (0_i64..).zip(operations(call, name)) {
        let path = operation.path.as_deref();
        push_row!(rows, FILE_OPERATIONS, {
            part_id: &*part.id,
            ordinal: ordinal,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            tool_name: name,
            operation: operation.operation,
            path: path,
            language: path.and_then(language),
            additions: operation.additions,
            deletions: operation.deletions,
            byte_count: operation.bytes,
            succeeded: how == Ending::Success,
            time_created: created,
            document_id: part.document,
        })?;
    }
    Ok(())
}

fn operations<'a>(call: &Call<'a>, name: &str) -> Vec<Operation<'a>> {
    let one = |operation| vec![Operation { operation, path: call.file_path(), ..Operation::default() }];
    match name {
        "read" => one("read"),
        "write" => vec![written(call)],
        "edit" => vec![edited(call, call.metadata)],
        "multiedit" => {
            let results = call.metadata.and_then(|metadata| metadata.get("results"));
            let each: Vec<_> =
                results.into_iter().flat_map(Json::items).map(|result| edited(call, Some(result))).collect();
            if each.is_empty() { one("edit") } else { each }
        }
        "apply_patch" => patched(call),
        "glob" | "grep" => {
            vec![Operation { operation: "search", path: call.argument("path"), ..Operation::default() }]
        }
        "list" => vec![Operation { operation: "list", path: call.argument("path"), ..Operation::default() }],
        _ => Vec::new(),
    }
}

fn written<'a>(call: &Call<'a>) -> Operation<'a> {
    let content = call.argument("content");
    let (mut additions, mut deletions) = difference(call.metadata);
    let is_new = call
        .metadata
        .and_then(|metadata| metadata.get("exists"))
        .is_some_and(|exists| exists.kind() == Kind::False);
    if additions.is_none() && is_new {
        additions =
            content.as_deref().map(|content| i64::try_from(content.lines().count()).unwrap_or(i64::MAX));
        deletions = Some(0);
    }
    let bytes = content.as_deref().and_then(|content| i64::try_from(content.len()).ok());
    Operation { operation: "write", path: call.file_path(), additions, deletions, bytes }
}

fn edited<'a>(call: &Call<'a>, metadata: Option<Json<'a>>) -> Operation<'a> {
    let (additions, deletions) = difference(metadata);
    let file =
        metadata.and_then(|metadata| metadata.get("filediff")).and_then(|change| change.text_of("file"));
    Operation { operation: "edit", path: call.file_path().or(file), additions, deletions, bytes: None }
}

/// Lines added and deleted, as `filediff` says or the patch in `diff` shows.
fn difference(metadata: Option<Json<'_>>) -> (Option<i64>, Option<i64>) {
    let Some(metadata) = metadata else { return (None, None) };
    let change = metadata.get("filediff").unwrap_or(metadata);
    let told = (change.integer_of("additions"), change.integer_of("deletions"));
    match (told, metadata.text_of("diff")) {
        ((None, None), Some(diff)) => lines_of_diff(&diff),
        _ => told,
    }
}

/// Counts a patch's lines; without one line that is marked, nothing is known.
fn lines_of_diff(diff: &str) -> (Option<i64>, Option<i64>) {
    let files = unified(diff);
    let count = |count: fn(&FilePatch) -> u64| i64::try_from(files.iter().map(count).sum::<u64>()).ok();
    match (count(|file| file.additions), count(|file| file.deletions)) {
        (Some(0), Some(0)) => (None, None),
        counts => counts,
    }
}

/// A patch of several files: what the tool says it did, else what the patch asks for.
fn patched<'a>(call: &Call<'a>) -> Vec<Operation<'a>> {
    let files = call.metadata.and_then(|metadata| metadata.get("files"));
    let told: Vec<_> = files
        .into_iter()
        .flat_map(Json::items)
        .filter(|file| file.kind() == Kind::Object)
        .map(|file| {
            let operation = match file.text_of("type").or_else(|| file.text_of("status")).as_deref() {
                Some("add" | "added") => "write",
                Some("delete" | "deleted") => "delete",
                Some("move" | "moved" | "renamed") => "move",
                _ => "edit",
            };
            let path =
                ["filePath", "path", "file", "relativePath"].into_iter().find_map(|key| file.text_of(key));
            let (additions, deletions) = difference(Some(file));
            Operation { operation, path, additions, deletions, bytes: None }
        })
        .collect();
    if told.is_empty() { asked(call) } else { told }
}

/// The files of a patch in OpenCode's own form: `*** Add File: a`, then lines with `+`, `-` or a space.
fn asked<'a>(call: &Call<'a>) -> Vec<Operation<'a>> {
    let Some(patch) = call.argument("patchText").or_else(|| call.argument("patch")) else {
        return Vec::new();
    };
    let mut operations: Vec<Operation<'a>> = Vec::new();
    for line in patch.lines() {
        let head = |mark: &str| line.strip_prefix(mark).map(|path| Some(Cow::Owned(path.trim().to_owned())));
        let begun =
            [("*** Add File: ", "write"), ("*** Update File: ", "edit"), ("*** Delete File: ", "delete")]
                .into_iter()
                .find_map(|(mark, operation)| head(mark).map(|path| (operation, path)));
        if let Some((operation, path)) = begun {
            let counts = if operation == "delete" { (None, None) } else { (Some(0), Some(0)) };
            operations.push(Operation {
                operation,
                path,
                additions: counts.0,
                deletions: counts.1,
                bytes: None,
            });
        } else if let Some(last) = operations.last_mut() {
            if let Some(path) = head("*** Move to: ") {
                last.operation = "move";
                last.path = path;
            } else if line.starts_with('+') {
                last.additions = last.additions.map(|count| count + 1);
            } else if line.starts_with('-') {
                last.deletions = last.deletions.map(|count| count + 1);
            }
        }
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_inside_of_hunks_only() {
        let diff =
            "Index: a\n===\n--- a\n+++ a\n@@ -1,2 +1,3 @@\n x\n-y\n+z\n+w\n\\ No newline at end of file\n";
        assert_eq!(lines_of_diff(diff), (Some(2), Some(1)));
        assert_eq!(lines_of_diff("--- a\n+++ a\n"), (None, None));
        assert_eq!(lines_of_diff(""), (None, None));
    }
}
