//! One table for each type of part, and what is read out of parts: errors, file operations, git, security.
//!
//! Owns the columns that are particular to a type. Every row names its part, message and session; rows of `errors`
//! that come from a message have no part.

use plimsoll_engine::ingest::ColumnType::{Boolean, Integer, Json, Money, Text, Timestamp};
use plimsoll_engine::ingest::{AnalyticColumn, AnalyticTable, column};

const PART: AnalyticColumn = column("part_id", Text, "its part");
const MESSAGE: AnalyticColumn = column("message_id", Text, "its message");
const SESSION: AnalyticColumn = column("session_id", Text, "its session");
const STARTED: AnalyticColumn = column("time_start", Timestamp, "began");
const ENDED: AnalyticColumn = column("time_end", Timestamp, "ended");
const CREATED: AnalyticColumn = column("time_created", Timestamp, "when it happened");
const METADATA: AnalyticColumn = column("metadata", Json, "metadata of the provider");

const DOCUMENT: AnalyticColumn = column(
    "document_id",
    Text,
    "the message it was read with, where one document holds a message and its parts; null for a part with a document of its own",
);

const OF_PART: &[(&str, &str, &str)] =
    &[("part_id", "parts", "id"), ("message_id", "messages", "id"), ("session_id", "sessions", "id")];

/// Texts.
pub static TEXT_MESSAGES: AnalyticTable = AnalyticTable {
    name: "text_messages",
    help: "What a user or the model wrote.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("text", Text, "the text"),
        column("character_count", Integer, "characters"),
        column("line_count", Integer, "lines"),
        column("format", Text, "`plain`, `markdown` or `code`, by its marks"),
        column("synthetic", Boolean, "written by OpenCode, not by the user"),
        column("ignored", Boolean, "not sent to the model"),
        METADATA,
        STARTED,
        ENDED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Reasoning.
pub static THINKING_BLOCKS: AnalyticTable = AnalyticTable {
    name: "thinking_blocks",
    help: "What the model thought, where the provider shows it.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("text", Text, "the text; some providers send none"),
        column("character_count", Integer, "characters"),
        column("duration_ms", Integer, "how long it took, in milliseconds"),
        METADATA,
        STARTED,
        ENDED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Tool calls.
pub static TOOL_CALLS: AnalyticTable = AnalyticTable {
    name: "tool_calls",
    help: "One call of a tool. A command that ended with another exit code than 0 is `completed` and a failure.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("call_id", Text, "the provider's identifier of the call"),
        column("tool", Text, "the tool, as written"),
        column("tool_name", Text, "the tool under the name it has in all generations"),
        column("status", Text, "`pending`, `running`, `completed` or `error`"),
        column("title", Text, "one line for people"),
        column("input", Json, "input"),
        column("raw", Text, "input as far as it was received"),
        column("output", Text, "output"),
        column("output_character_count", Integer, "characters of the output"),
        column("error", Text, "error"),
        column("state_metadata", Json, "what the tool says besides its output"),
        column("part_metadata", Json, "metadata of the provider"),
        column("attachments", Json, "files attached to the output"),
        column("executed", Boolean, "whether the provider executed it (second SQLite generation)"),
        STARTED,
        ENDED,
        column("time_compacted", Timestamp, "when the output was dropped from the context"),
        column(
            "execution_time_ms",
            Integer,
            "from start to end in milliseconds; null for calls that did not run to their end",
        ),
        column("exit_code", Integer, "exit code of a command"),
        column("is_failure", Boolean, "error, or an exit code other than 0"),
        column("is_aborted", Boolean, "the user stopped it; left out of latencies"),
        column("command", Text, "command line of a shell tool"),
        column("file_path", Text, "file that it works on"),
        column("child_session_id", Text, "the session to which it delegated"),
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Steps.
pub static STEP_EVENTS: AnalyticTable = AnalyticTable {
    name: "step_events",
    help: "Beginning or end of one request to the model. The ends are the truth about tokens and cost.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("event", Text, "`start` or `finish`"),
        column("snapshot", Text, "tree of the work tree, in OpenCode's own shadow repository"),
        column("reason", Text, "why the model stopped"),
        column("cost", Money, "cost as OpenCode computed it"),
        column("tokens_input", Integer, "as stored"),
        column("tokens_output", Integer, "as stored"),
        column("tokens_reasoning", Integer, "as stored"),
        column("tokens_cache_read", Integer, "as stored"),
        column("tokens_cache_write", Integer, "as stored"),
        column("tokens_total", Integer, "as stored"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Patches.
pub static PATCHES: AnalyticTable = AnalyticTable {
    name: "patches",
    help: "Files that a step changed.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("tree_hash", Text, "tree in OpenCode's shadow repository; not a commit"),
        column("files", Json, "paths"),
        column("file_count", Integer, "how many"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Compactions.
pub static COMPACTIONS: AnalyticTable = AnalyticTable {
    name: "compactions",
    help: "A point at which the conversation was summarized to make room.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("automatic", Boolean, "started by OpenCode, not by the user"),
        column("overflow", Boolean, "the context had overflowed"),
        column("tail_start_id", Text, "first message that was kept"),
        column("status", Text, "state (second SQLite generation)"),
        column("summary", Text, "summary (second SQLite generation)"),
        column("recent", Json, "what was kept (second SQLite generation)"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Files that a user attached.
pub static ATTACHMENTS: AnalyticTable = AnalyticTable {
    name: "attachments",
    help: "A file attached to a message.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("mime", Text, "media type"),
        column("filename", Text, "name"),
        column("url_scheme", Text, "`data`, `file`, `http`, .."),
        column("byte_count", Integer, "size of the content of a `data:` address, decoded"),
        column("url", Text, "address, or the content itself"),
        column("source", Json, "where in the work tree it comes from"),
        column("source_path", Text, "path in the source"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Agents named in a message.
pub static AGENT_MENTIONS: AnalyticTable = AnalyticTable {
    name: "agent_mentions",
    help: "An agent that a user named.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("name", Text, "the agent"),
        column("source", Json, "where"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Sub-tasks.
pub static SUBTASKS: AnalyticTable = AnalyticTable {
    name: "subtasks",
    help: "Work that a user gave to a sub-agent.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("prompt", Text, "what is to do"),
        column("description", Text, "in short"),
        column("agent", Text, "the agent"),
        column("command", Text, "the command that started it"),
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Retries.
pub static RETRIES: AnalyticTable = AnalyticTable {
    name: "retries",
    help: "A request that was tried again.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("attempt", Integer, "which attempt"),
        column("error", Json, "why"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Snapshots.
pub static SNAPSHOTS: AnalyticTable = AnalyticTable {
    name: "snapshots",
    help: "State of the work tree.",
    columns: &[
        PART,
        MESSAGE,
        SESSION,
        column("snapshot", Text, "tree in OpenCode's shadow repository"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id"],
    references: OF_PART,
};

/// Errors.
pub static ERRORS: AnalyticTable = AnalyticTable {
    name: "errors",
    help: "Something that failed: a tool, a command, a message, a request.",
    columns: &[
        column("id", Text, "the part or message that failed"),
        column("origin", Text, "`tool`, `command`, `message` or `retry`"),
        PART,
        MESSAGE,
        SESSION,
        column("tool_name", Text, "the tool"),
        column("error_name", Text, "name that OpenCode gives it"),
        column(
            "error_data",
            Json,
            "details: `type` is the category, `code` the exit or status code, `text`, and what the writer stored",
        ),
        column("text", Text, "what was said"),
        column("category", Text, "category of the taxonomy"),
        column("severity", Text, "`low`, `medium`, `high` or `critical`"),
        column("retryable", Boolean, "trying again may help"),
        column("rule", Text, "the rule that decided"),
        CREATED,
        DOCUMENT,
    ],
    key: &["id"],
    references: &[("message_id", "messages", "id"), ("session_id", "sessions", "id")],
};

/// File operations.
pub static FILE_OPERATIONS: AnalyticTable = AnalyticTable {
    name: "file_operations",
    help: "One file that a tool read, wrote, edited, deleted or searched.",
    columns: &[
        PART,
        column("ordinal", Integer, "which file of the call, from 0"),
        MESSAGE,
        SESSION,
        column("tool_name", Text, "the tool"),
        column("operation", Text, "`read`, `write`, `edit`, `delete`, `move`, `search` or `list`"),
        column("path", Text, "the file or folder"),
        column("language", Text, "language by its extension"),
        column("additions", Integer, "lines added"),
        column("deletions", Integer, "lines deleted"),
        column("byte_count", Integer, "bytes read or written, where known"),
        column("succeeded", Boolean, "whether it worked"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id", "ordinal"],
    references: OF_PART,
};

/// Git facts.
pub static GIT_FACTS: AnalyticTable = AnalyticTable {
    name: "git_facts",
    help: "What a shell command says about version control.",
    columns: &[
        PART,
        column("ordinal", Integer, "which fact of the command, from 0"),
        MESSAGE,
        SESSION,
        column("kind", Text, "`commit`, `branch`, `switch`, `push`, `merge`, `diff-stat`, `status`, .."),
        column("branch", Text, "branch"),
        column("commit_hash", Text, "commit, as far as shown"),
        column("commit_message", Text, "message"),
        column("files_changed", Integer, "files"),
        column("insertions", Integer, "lines inserted"),
        column("deletions", Integer, "lines deleted"),
        column("succeeded", Boolean, "whether the command worked"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id", "ordinal"],
    references: OF_PART,
};

/// Security findings.
pub static SECURITY_FINDINGS: AnalyticTable = AnalyticTable {
    name: "security_findings",
    help: "A risky command or path.",
    columns: &[
        PART,
        column("ordinal", Integer, "which finding of the call, from 0"),
        MESSAGE,
        SESSION,
        column("tool_name", Text, "the tool"),
        column("rule", Text, "the rule"),
        column("severity", Text, "`low`, `medium`, `high` or `critical`"),
        column("technique", Text, "technique of MITRE ATT&CK, such as T1059.004"),
        column("explanation", Text, "why it is risky"),
        column("excerpt", Text, "the command or path"),
        CREATED,
        DOCUMENT,
    ],
    key: &["part_id", "ordinal"],
    references: OF_PART,
};
