//! Sessions.
//!
//! Owns `storage/session/<project>/<id>.json` and the tables `session` and `session_v2`. The secret of a shared session
//! is not stored.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::fields::Fields;
use super::json::Tape;
use super::leftovers::Leftovers;
use super::usage::Tokens;
use super::{Source, no_object, split};
use crate::table::core::SESSIONS;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    match source.file {
        Some(text) => file(source, text, rows),
        None => row(source, rows),
    }
}

fn file(source: &Source<'_>, text: &str, rows: &mut Rows) -> Result<(), Refusal> {
    let tape = split(text)?;
    let mut fields = Fields::new(tape.root(), "session").ok_or_else(|| no_object("session"))?;
    let mut left = Leftovers::default();
    fields.same("id", Some(source.id));
    let project = match source.parent {
        Some(parent) => {
            fields.same("projectID", Some(parent));
            Some(parent.into())
        }
        None => fields.text("projectID"),
    };
    let parent = fields.text("parentID");
    let slug = fields.text("slug").filter(|slug| !slug.is_empty());
    let directory = fields.text("directory");
    let path = fields.text("path");
    let title = fields.text("title");
    let version = fields.text("version");
    let workspace = fields.text("workspaceID");
    let agent = fields.text("agent");
    let revert = fields.json("revert");
    let permission = fields.json("permission");
    let metadata = fields.json("metadata");
    let cost = fields.money("cost");

    let mut share = fields.object("share");
    let share_url = share.as_mut().and_then(|share| {
        share.withhold("secret");
        share.text("url")
    });
    left.add(share);

    let mut summary = fields.object("summary");
    let mut lines = |key| summary.as_mut().and_then(|summary| summary.integer(key));
    let (additions, deletions, files) = (lines("additions"), lines("deletions"), lines("files"));
    let diffs = summary.as_mut().and_then(|summary| summary.json("diffs"));
    left.add(summary);

    let mut model = fields.object("model");
    let mut name = |key| model.as_mut().and_then(|model| model.text(key));
    let provider = name("providerID");
    let model_id = name("id").or_else(|| name("modelID"));
    let variant = name("variant");
    left.add(model);

    let tokens = Tokens::take(&mut fields, &mut left);

    let mut time = fields.object("time");
    let mut moment = |key| time.as_mut().and_then(|time| time.moment(key));
    let (created, updated) = (moment("created"), moment("updated"));
    let (compacting, archived) = (moment("compacting"), moment("archived"));
    left.add(time);
    left.add(fields);
    let extra = left.into_extra(rows);
    push_row!(rows, SESSIONS, {
        id: source.id,
        project_id: project.as_deref(),
        parent_id: parent.as_deref(),
        slug: slug.as_deref(),
        directory: directory.as_deref(),
        path: path.as_deref(),
        title: title.as_deref(),
        version: version.as_deref(),
        share_url: share_url.as_deref(),
        summary_additions: additions,
        summary_deletions: deletions,
        summary_files: files,
        summary_diffs: diffs.map(|diffs| diffs.raw()),
        revert: revert.map(|revert| revert.raw()),
        permission: permission.map(|permission| permission.raw()),
        metadata: metadata.map(|metadata| metadata.raw()),
        workspace_id: workspace.as_deref(),
        agent: agent.as_deref(),
        provider: provider.as_deref(),
        model: model_id.as_deref(),
        model_variant: variant.as_deref(),
        stored_cost: cost,
        stored_tokens_input: tokens.input,
        stored_tokens_output: tokens.output,
        stored_tokens_reasoning: tokens.reasoning,
        stored_tokens_cache_read: tokens.cache_read,
        stored_tokens_cache_write: tokens.cache_write,
        time_created: created,
        time_updated: updated,
        time_compacting: compacting,
        time_archived: archived,
        generation: source.generation.as_str(),
        extra: extra.as_deref(),
    })
}

fn row(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let columns = source.columns;
    let model = columns.json("model");
    let tape = model.as_deref().and_then(|model| Tape::new(model).ok());
    let mut left = Leftovers::default();
    let (mut provider, mut model_id, mut variant) = (None, None, None);
    if let Some(mut fields) = tape.as_ref().and_then(|tape| Fields::new(tape.root(), "session.model")) {
        provider = fields.text("providerID");
        model_id = fields.text("id").or_else(|| fields.text("modelID"));
        variant = fields.text("variant");
        left.add(fields);
    } else if let Some(text) = columns.filled("model") {
        model_id = Some(text);
    }
    let extra = left.into_extra(rows);
    push_row!(rows, SESSIONS, {
        id: source.id,
        project_id: columns.text("project_id").as_deref(),
        parent_id: columns.text("parent_id").as_deref(),
        slug: columns.filled("slug").as_deref(),
        directory: columns.text("directory").as_deref(),
        path: columns.text("path").as_deref(),
        title: columns.text("title").as_deref(),
        version: columns.text("version").as_deref(),
        share_url: columns.text("share_url").as_deref(),
        summary_additions: columns.integer("summary_additions"),
        summary_deletions: columns.integer("summary_deletions"),
        summary_files: columns.integer("summary_files"),
        summary_diffs: columns.json("summary_diffs").as_deref(),
        revert: columns.json("revert").as_deref(),
        permission: columns.json("permission").as_deref(),
        metadata: columns.json("metadata").as_deref(),
        workspace_id: columns.text("workspace_id").as_deref(),
        agent: columns.text("agent").as_deref(),
        provider: provider.as_deref(),
        model: model_id.as_deref(),
        model_variant: variant.as_deref(),
        stored_cost: columns.money("cost"),
        stored_tokens_input: columns.integer("tokens_input"),
        stored_tokens_output: columns.integer("tokens_output"),
        stored_tokens_reasoning: columns.integer("tokens_reasoning"),
        stored_tokens_cache_read: columns.integer("tokens_cache_read"),
        stored_tokens_cache_write: columns.integer("tokens_cache_write"),
        fork_session_id: columns.text("fork_session_id").as_deref(),
        fork_boundary: columns.text("fork_boundary").as_deref(),
        time_created: columns.moment("time_created"),
        time_updated: columns.moment("time_updated"),
        time_compacting: columns.moment("time_compacting"),
        time_archived: columns.moment("time_archived"),
        time_suspended: columns.moment("time_suspended"),
        time_idle: columns.moment("time_idle"),
        time_viewed: columns.moment("time_viewed"),
        resume_attempts: columns.integer("resume_attempts"),
        idle_outcome: columns.text("idle_outcome").as_deref(),
        generation: source.generation.as_str(),
        extra: extra.as_deref(),
    })
}
