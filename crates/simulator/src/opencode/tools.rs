//! Tool calls: what a model asks of each tool and what the tool gives back.
//!
//! Owns the choice of tools, their input, output, title and metadata as OpenCode keeps them. Whether a call
//! is finished, running or failed is `parts`'s; which words a failure has is `failure`'s.

use super::json::{Json, Object};
use super::prose::{Prose, encoded, fill, hexadecimal};
use super::shell;
use super::version::Version;
use super::vocabulary as words;
use crate::random::Random;

/// What is known of a call by whoever made it up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) tool: &'static str,
    /// The exit code of a shell command that ended.
    pub(super) exit: Option<i32>,
    /// The family of the failure, exit codes other than 0 included.
    pub(super) failure: Option<&'static str>,
    /// The kind of git command.
    pub(super) git: Option<&'static str>,
    /// The kind of risk.
    pub(super) risk: Option<&'static str>,
    /// A person stopped it.
    pub(super) aborted: bool,
}

/// One call, as if it had succeeded.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) facts: Facts,
    pub(super) input: Object,
    pub(super) title: String,
    pub(super) output: String,
    pub(super) metadata: Object,
    pub(super) attachments: Option<Vec<Json>>,
    /// The file it is about; empty where there is none.
    pub(super) path: String,
    /// It changed that file.
    pub(super) changes_file: bool,
}

/// Where and for whom calls are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) prose: &'a Prose,
    pub(super) version: Version,
    pub(super) worktree: &'a str,
    /// Thousandths by which the usual lengths of texts are scaled.
    pub(super) scale: usize,
}

impl Place<'_> {
    /// A length around `usual` bytes with a long tail.
    pub(super) fn length(&self, random: &mut Random, usual: usize) -> usize {
        let percent = [20, 40, 60, 80, 100, 120, 180, 250, 500][random.below(9)];
        usual * percent * self.scale / 100_000
    }

    fn file(&self, random: &mut Random) -> String {
        format!("{}/{}", self.worktree.trim_end_matches('/'), random.word(&words::FILES))
    }
}

/// Draws a call. `child` is the session of a sub-agent that it must start, and the
/// sub-agent's name.
pub(super) fn draw(random: &mut Random, place: &Place<'_>, child: Option<(&str, &'static str)>) -> Call {
    if let Some((session, agent)) = child {
        return task(random, place, session, agent);
    }
    match random.below(100) {
        0..=24 => read(random, place),
        25..=49 => shell::bash(random, place),
        50..=63 => edit(random, place),
        64..=72 => search(random, place, "grep"),
        73..=78 => search(random, place, "glob"),
        79..=84 => write(random, place),
        85..=90 => todos(random, place),
        91..=93 => web(random, place),
        94..=96 => server(random, place),
        97 if place.version.since_1_0_100() => patch(random, place),
        98 if place.version.since_1_0_100() => skill(random, place),
        _ => list(random, place),
    }
}

/// A call of a tool that is about no file.
pub(super) fn call(
    tool: &'static str,
    input: Object,
    title: impl Into<String>,
    output: String,
    metadata: Object,
) -> Call {
    Call {
        facts: Facts { tool, ..Facts::default() },
        input,
        title: title.into(),
        output,
        metadata,
        attachments: None,
        path: String::new(),
        changes_file: false,
    }
}

fn short(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// Adds what later versions say of every output.
pub(super) fn truncated(place: &Place<'_>, metadata: Object) -> Object {
    metadata.maybe("truncated", place.version.since_1_0_100().then_some(false))
}

fn read(random: &mut Random, place: &Place<'_>) -> Call {
    let path = place.file(random);
    if random.percent(2) && place.version.since_1_0_100() {
        return image(random, place);
    }
    let length = place.length(random, 7_200);
    let text = place.prose.numbered(random, length);
    let preview: String = text.chars().take(400).collect();
    let output = format!("<file>\n{text}\n(End of file - total {} lines)\n</file>", text.lines().count());
    let part = random.percent(30);
    let input = Object::new()
        .with("filePath", &path)
        .maybe("offset", part.then(|| random.between(10, 900)))
        .maybe("limit", part.then_some(200_usize));
    let metadata = truncated(place, Object::new().with("preview", preview));
    Call { path: path.clone(), ..call("read", input, short(&path), output, metadata) }
}

fn image(random: &mut Random, place: &Place<'_>) -> Call {
    let path = format!("{}/docs/screenshot-{}.png", place.worktree, random.below(40));
    let length = place.length(random, 30_000);
    let attachment = Object::new()
        .with("id", format!("prt_{}", hexadecimal(random, 26)))
        .with("type", "file")
        .with("mime", "image/png")
        .with("url", format!("data:image/png;base64,{}", encoded(random, length)));
    let input = Object::new().with("filePath", &path);
    let metadata = truncated(place, Object::new().with("preview", "Image read successfully"));
    let output = "Image read successfully".to_owned();
    Call {
        attachments: Some(vec![attachment.into()]),
        path: path.clone(),
        ..call("read", input, short(&path), output, metadata)
    }
}

fn edit(random: &mut Random, place: &Place<'_>) -> Call {
    let path = place.file(random);
    let length = place.length(random, 260);
    let (old, new) = (place.prose.code(random, length), place.prose.code(random, length + 60));
    let around = place.length(random, 3_000);
    let (head, tail) = (place.prose.code(random, around / 2), place.prose.code(random, around / 2));
    let (additions, deletions) = (new.lines().count(), old.lines().count());
    let removed: String = old.lines().map(|line| format!("-{line}\n")).collect();
    let added: String = new.lines().map(|line| format!("+{line}\n")).collect();
    let diff = format!(
        "Index: {path}\n===================================================================\n--- {path}\n+++ {path}\n@@ -12,{deletions} +12,{additions} @@\n{removed}{added}"
    );
    let filediff = if place.version.diffs_are_patches() {
        Object::new().with("file", &path).with("patch", &diff)
    } else {
        Object::new()
            .with("file", &path)
            .with("before", format!("{head}{old}{tail}"))
            .with("after", format!("{head}{new}{tail}"))
    };
    let filediff = filediff.with("additions", additions).with("deletions", deletions);
    let metadata =
        Object::new().with("diagnostics", Object::new()).with("diff", diff).with("filediff", filediff);
    let input = Object::new()
        .with("filePath", &path)
        .with("oldString", old)
        .with("newString", new)
        .maybe("replaceAll", random.percent(10).then_some(true));
    let output =
        if place.version.newer_order() { "Edit applied successfully.".to_owned() } else { String::new() };
    let title = short(&path);
    Call { path, changes_file: true, ..call("edit", input, title, output, truncated(place, metadata)) }
}

fn write(random: &mut Random, place: &Place<'_>) -> Call {
    let path = place.file(random);
    let length = place.length(random, 4_500);
    let input = Object::new().with("filePath", &path).with("content", place.prose.code(random, length));
    let metadata = Object::new()
        .with("diagnostics", Object::new())
        .with("filepath", &path)
        .with("exists", random.percent(40));
    let title = short(&path);
    let output = "Wrote file successfully.".to_owned();
    Call { path, changes_file: true, ..call("write", input, title, output, truncated(place, metadata)) }
}

fn patch(random: &mut Random, place: &Place<'_>) -> Call {
    let path = place.file(random);
    let length = place.length(random, 1_800);
    let body: String = place.prose.code(random, length).lines().map(|line| format!("+{line}\n")).collect();
    let text = format!("*** Begin Patch\n*** Update File: {path}\n@@\n{body}*** End Patch");
    let metadata =
        Object::new().with("diff", body).with("files", Vec::new()).with("diagnostics", Object::new());
    let input = Object::new().with("patchText", text);
    let output = format!("Success. Updated the following files:\nM {path}");
    Call {
        path,
        changes_file: true,
        ..call("apply_patch", input, "1 file", output, truncated(place, metadata))
    }
}

fn search(random: &mut Random, place: &Place<'_>, tool: &'static str) -> Call {
    let found = random.below(120);
    let lines: String = (0..found)
        .map(|_| {
            let file = place.file(random);
            if tool == "grep" {
                format!("{file}:\n  Line {}: {}\n", random.between(1, 900), random.word(&words::SENTENCES))
            } else {
                file + "\n"
            }
        })
        .collect();
    let pattern = if tool == "grep" {
        format!("{}_\\d+", random.word(&words::IDENTIFIERS))
    } else {
        format!("**/*.{}", random.word(&["rs", "ts", "py", "md"]))
    };
    let count = if tool == "grep" { "matches" } else { "count" };
    let input = Object::new()
        .with("pattern", &pattern)
        .maybe("path", random.percent(30).then(|| place.worktree.to_owned()));
    let output = if found == 0 { "No files found".to_owned() } else { lines };
    call(tool, input, pattern, output, Object::new().with(count, found).with("truncated", found >= 100))
}

fn list(random: &mut Random, place: &Place<'_>) -> Call {
    let input = Object::new().with("path", place.worktree.to_owned());
    let found = random.between(3, 60);
    let output = (0..found).map(|_| format!("  {}\n", random.word(&words::FILES))).collect();
    call("list", input, "", output, Object::new().with("count", found).with("truncated", false))
}

/// The items of a list of things to do, as the tool and the store keep them.
pub(super) fn todo_items(random: &mut Random, version: Version) -> Vec<Json> {
    let count = random.between(1, 7);
    let done = random.below(count + 1);
    (0..count)
        .map(|place| {
            let status = match place {
                place if place < done => ["completed", "completed", "cancelled"][random.below(3)],
                place if place == done => "in_progress",
                _ => "pending",
            };
            let numbered = version < Version::V1_2_27;
            Object::new()
                .with("content", fill(random, "{verb} {object}"))
                .with("status", status)
                .with("priority", random.word(&["high", "medium", "low"]).to_owned())
                .maybe("id", numbered.then(|| (place + 1).to_string()))
                .into()
        })
        .collect()
}

fn todos(random: &mut Random, place: &Place<'_>) -> Call {
    let items = Json::List(todo_items(random, place.version));
    let mut output = Vec::new();
    items.pretty(&mut output);
    let output = String::from_utf8_lossy(&output).into_owned();
    let metadata = truncated(place, Object::new().with("todos", items.clone()));
    if random.percent(20) {
        return call("todoread", Object::new(), "3 todos", output, metadata);
    }
    call("todowrite", Object::new().with("todos", items), "3 todos", output, metadata)
}

fn web(random: &mut Random, place: &Place<'_>) -> Call {
    let page = random.word(&words::PAGES);
    let length = place.length(random, 9_000);
    let output = place.prose.sentences(random, length);
    if place.version.since_1_0_100() && random.percent(30) {
        let input =
            Object::new().with("query", fill(random, "how to {verb} {object}")).with("numResults", 8_u64);
        return call("websearch", input, "Web search", output, truncated(place, Object::new()));
    }
    let input = Object::new().with("url", page.to_owned()).with("format", "markdown");
    call("webfetch", input, format!("{page} (text/html)"), output, truncated(place, Object::new()))
}

/// A tool of a server that speaks the Model Context Protocol.
fn server(random: &mut Random, place: &Place<'_>) -> Call {
    let tool = *random.pick(&["github_search_issues", "context7_get_library_docs"]);
    let length = place.length(random, 5_000);
    let input = Object::new().with("query", fill(random, "{object}")).with("limit", random.between(1, 30));
    call(tool, input, "", place.prose.sentences(random, length), truncated(place, Object::new()))
}

fn skill(random: &mut Random, place: &Place<'_>) -> Call {
    let input = Object::new().with("name", "release-notes");
    let metadata = Object::new()
        .with("name", "release-notes")
        .with("dir", format!("{}/.opencode/skill", place.worktree));
    call(
        "skill",
        input,
        "Loaded skill: release-notes",
        place.prose.sentences(random, 800),
        truncated(place, metadata),
    )
}

fn task(random: &mut Random, place: &Place<'_>, session: &str, agent: &'static str) -> Call {
    let description = fill(random, "{verb} {object}");
    let input = Object::new()
        .with("description", &description)
        .with(
            "prompt",
            fill(random, "Find every place that has to do with {object} and report file and line."),
        )
        .with("subagent_type", agent);
    let model = Object::new()
        .with("modelID", super::money::SMALL.id)
        .with("providerID", super::money::SMALL.provider);
    let metadata = Object::new()
        .with("summary", Vec::new())
        .with("sessionId", session.to_owned())
        .maybe("model", place.version.since_1_0_100().then_some(model));
    let length = place.length(random, 1_800);
    let text = place.prose.sentences(random, length);
    let output = format!("{text}\n\n<task_metadata>\nsession_id: {session}\n</task_metadata>");
    call("task", input, description, output, truncated(place, metadata))
}
