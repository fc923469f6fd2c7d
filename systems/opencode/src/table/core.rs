//! Projects, sessions, messages, parts, todo lists and file changes of sessions.
//!
//! Owns the tables that every generation of OpenCode has. A column is null where the writer's version did not know the
//! field. `extra` keeps fields that this version of Plimsoll does not know, as JSON. `time_source` says where a
//! moment comes from: `field`, `row` (a database column) or `id` (decoded from the identifier, the only clock of
//! parts that carry none).

use plimsoll_engine::ingest::ColumnType::{Boolean, Integer, Json, Money, Text, Timestamp};
use plimsoll_engine::ingest::{AnalyticTable, column};

/// Projects: work trees in which the agent ran.
pub static PROJECTS: AnalyticTable = AnalyticTable {
    name: "projects",
    help: "One work tree in which the agent ran; `global` stands for folders without version control.",
    columns: &[
        column("id", Text, "hash of the first root commit, or `global`"),
        column("worktree", Text, "folder of the work tree"),
        column("vcs", Text, "version control, `git` where there is one"),
        column("name", Text, "name given by a person"),
        column("icon", Json, "icon"),
        column("sandboxes", Json, "folders of sandboxes"),
        column("commands", Json, "commands that start it"),
        column("time_created", Timestamp, "first seen by OpenCode"),
        column("time_updated", Timestamp, "last changed"),
        column("time_initialized", Timestamp, "when it was set up"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known"),
    ],
    key: &["id"],
    references: &[],
};

/// Sessions.
pub static SESSIONS: AnalyticTable = AnalyticTable {
    name: "sessions",
    help: "One conversation with the agent.",
    columns: &[
        column("id", Text, "identifier, `ses_..`"),
        column("project_id", Text, "its project"),
        column("parent_id", Text, "the session that delegated it"),
        column("slug", Text, "short name"),
        column("directory", Text, "folder in which it ran"),
        column("path", Text, "path below the work tree"),
        column("title", Text, "title"),
        column("version", Text, "version of OpenCode that wrote it; decides what its token numbers mean"),
        column("share_url", Text, "public address, when shared"),
        column("summary_additions", Integer, "lines added"),
        column("summary_deletions", Integer, "lines deleted"),
        column("summary_files", Integer, "files changed"),
        column("summary_diffs", Json, "changes of files"),
        column("revert", Json, "the point to which it was taken back"),
        column("permission", Json, "permissions given"),
        column("metadata", Json, "metadata"),
        column("workspace_id", Text, "workspace"),
        column("agent", Text, "agent"),
        column("provider", Text, "provider of the session's model"),
        column("model", Text, "the session's model"),
        column("model_variant", Text, "variant of the model"),
        column("stored_cost", Money, "cost that OpenCode keeps for the session"),
        column("stored_tokens_input", Integer, "tokens that OpenCode keeps for the session"),
        column("stored_tokens_output", Integer, "tokens that OpenCode keeps for the session"),
        column("stored_tokens_reasoning", Integer, "tokens that OpenCode keeps for the session"),
        column("stored_tokens_cache_read", Integer, "tokens that OpenCode keeps for the session"),
        column("stored_tokens_cache_write", Integer, "tokens that OpenCode keeps for the session"),
        column("fork_session_id", Text, "the session it was forked from (second SQLite generation)"),
        column("fork_boundary", Text, "where it was forked (second SQLite generation)"),
        column("time_created", Timestamp, "began"),
        column("time_updated", Timestamp, "last changed"),
        column("time_compacting", Timestamp, "began to compact"),
        column("time_archived", Timestamp, "archived"),
        column("time_suspended", Timestamp, "suspended (second SQLite generation)"),
        column("time_idle", Timestamp, "became idle (second SQLite generation)"),
        column("time_viewed", Timestamp, "last looked at (second SQLite generation)"),
        column("resume_attempts", Integer, "attempts to resume (second SQLite generation)"),
        column("idle_outcome", Text, "how it became idle (second SQLite generation)"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known"),
    ],
    key: &["id"],
    references: &[("project_id", "projects", "id")],
};

/// Messages.
pub static MESSAGES: AnalyticTable = AnalyticTable {
    name: "messages",
    help: "One message of a user or of the model. Its text is in the parts.",
    columns: &[
        column("id", Text, "identifier, `msg_..`"),
        column("session_id", Text, "its session"),
        column("role", Text, "`user`, `assistant`, or a type of the second SQLite generation"),
        column("sequence", Integer, "order in the session (second SQLite generation)"),
        column("parent_id", Text, "the user message that it answers"),
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        column("model_variant", Text, "variant of the model"),
        column("mode", Text, "mode"),
        column("agent", Text, "agent; before 1.0.224 the mode"),
        column("root_path", Text, "root of the work tree"),
        column("working_directory", Text, "folder"),
        column("finish", Text, "why the model stopped"),
        column("is_summary", Boolean, "written by a compaction"),
        column("summary_title", Text, "title of a user message"),
        column("summary_body", Text, "summary of a user message"),
        column("summary_diffs", Json, "changes of files since the message"),
        column("system", Json, "system prompt"),
        column("tools", Json, "tools switched on or off"),
        column("format", Json, "format asked for"),
        column("structured", Json, "structured answer"),
        column("snapshot", Json, "work tree before and after (second SQLite generation)"),
        column("stored_cost", Money, "cost as OpenCode stored it: the sum over steps"),
        column("tokens_input", Integer, "as stored: of the last step only"),
        column("tokens_output", Integer, "as stored: of the last step only"),
        column("tokens_reasoning", Integer, "as stored: of the last step only"),
        column("tokens_cache_read", Integer, "as stored: of the last step only"),
        column("tokens_cache_write", Integer, "as stored: of the last step only"),
        column("tokens_total", Integer, "as stored: of the last step only"),
        column("error_name", Text, "name of the error that ended it"),
        column("error_data", Json, "the error's details"),
        column("time_created", Timestamp, "began"),
        column("time_completed", Timestamp, "ended; null while it runs, or after a crash"),
        column(
            "time_minted",
            Timestamp,
            "when the identifier was made; long after `time_created` in a fork's copy",
        ),
        column("time_source", Text, "`field`, `row` or `id`"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known"),
    ],
    key: &["id"],
    references: &[("session_id", "sessions", "id")],
};

/// Parts.
pub static PARTS: AnalyticTable = AnalyticTable {
    name: "parts",
    help: "One part of a message, of any type; what is particular to a type is in that type's table.",
    columns: &[
        column("id", Text, "identifier, `prt_..`"),
        column("message_id", Text, "its message"),
        column("session_id", Text, "its session"),
        column("part_type", Text, "`text`, `reasoning`, `tool`, `step-start`, ..; unknown types too"),
        column("time_created", Timestamp, "when the part began, or its identifier was made"),
        column("time_source", Text, "`field`, `row` or `id`"),
        column("character_count", Integer, "characters of its text, output or prompt"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known, and the whole part of an unknown type"),
        column(
            "document_id",
            Text,
            "the message it was read with, where one document holds both; null for a part with a document of its own",
        ),
    ],
    key: &["id"],
    references: &[("message_id", "messages", "id"), ("session_id", "sessions", "id")],
};

/// Todo lists.
pub static TODOS: AnalyticTable = AnalyticTable {
    name: "todos",
    help: "One line of a session's todo list.",
    columns: &[
        column("session_id", Text, "its session"),
        column("position", Integer, "place in the list, from 0"),
        column("todo_id", Text, "identifier (until 1.2.1)"),
        column("content", Text, "what is to do"),
        column("status", Text, "`pending`, `in_progress`, `completed`, `cancelled`"),
        column("priority", Text, "`high`, `medium`, `low`"),
        column("time_created", Timestamp, "written (SQLite only)"),
        column("time_updated", Timestamp, "last changed (SQLite only)"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known"),
        column(
            "document_id",
            Text,
            "the database row that it comes from, `session/position`, or the file by its first line, `session/0`",
        ),
    ],
    key: &["session_id", "position"],
    references: &[("session_id", "sessions", "id")],
};

/// Changes of files by a session.
pub static SESSION_DIFFS: AnalyticTable = AnalyticTable {
    name: "session_diffs",
    help: "One file that a session changed, before and after.",
    columns: &[
        column("session_id", Text, "its session"),
        column("position", Integer, "place in the list, from 0"),
        column("path", Text, "the file"),
        column("status", Text, "`added`, `modified`, `deleted`"),
        column("additions", Integer, "lines added"),
        column("deletions", Integer, "lines deleted"),
        column("before", Text, "content before"),
        column("after", Text, "content after"),
        column("patch", Text, "the change as a patch (from 1.4.10)"),
        column("generation", Text, "`json`, `sqlite-v1` or `sqlite-v2`"),
        column("extra", Json, "fields not known"),
    ],
    key: &["session_id", "position"],
    references: &[("session_id", "sessions", "id")],
};
