//! What OpenCode leaves on disk: which files and database tables are documents.
//!
//! Owns the layouts of all generations, so far as they can be told from a path or a table's name. How a document
//! becomes rows is `read`'s. A root is the folder that contains `storage/` and `opencode.db`.
//!
//! Identifiers and parents come from paths, as OpenCode's own move to SQLite took them: sessions were moved between
//! projects without the files being rewritten.
//!
//! Invariants: no column of a credential, account, event or share secret is ever named here, so none can be fetched.

use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{
    AnalyticTable, Derivation, Document, DocumentKind, FileIdentity, ForeignTable, Generation, Refusal, Rows,
};

use crate::table::{core, focused};

/// Position of projects in [`Documents::kinds`].
pub const PROJECT: usize = 0;
/// Position of sessions.
pub const SESSION: usize = 1;
/// Position of messages.
pub const MESSAGE: usize = 2;
/// Position of parts.
pub const PART: usize = 3;
/// Position of todo lists, and of their lines in a database.
pub const TODO: usize = 4;
/// Position of the lists of files that a session changed.
pub const SESSION_DIFF: usize = 5;

/// The OpenCode system's documents.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenCode;

static KINDS: &[DocumentKind] = &[
    DocumentKind { name: "project", tables: &[(&core::PROJECTS, "id")], scope: None },
    DocumentKind {
        name: "session",
        tables: &[(&core::SESSIONS, "id")],
        scope: Some((&core::SESSIONS, "id")),
    },
    // A message of the second SQLite generation holds its parts; their rows name it in `document_id`.
    DocumentKind {
        name: "message",
        tables: &[
            (&core::MESSAGES, "id"),
            (&focused::ERRORS, "document_id"),
            (&core::PARTS, "document_id"),
            (&focused::TEXT_MESSAGES, "document_id"),
            (&focused::THINKING_BLOCKS, "document_id"),
            (&focused::TOOL_CALLS, "document_id"),
            (&focused::STEP_EVENTS, "document_id"),
            (&focused::COMPACTIONS, "document_id"),
            (&focused::ATTACHMENTS, "document_id"),
            (&focused::AGENT_MENTIONS, "document_id"),
            (&focused::RETRIES, "document_id"),
            (&focused::SNAPSHOTS, "document_id"),
            (&focused::FILE_OPERATIONS, "document_id"),
            (&focused::GIT_FACTS, "document_id"),
            (&focused::SECURITY_FINDINGS, "document_id"),
        ],
        scope: Some((&core::MESSAGES, "session_id")),
    },
    DocumentKind {
        name: "part",
        tables: &[
            (&core::PARTS, "id"),
            (&focused::TEXT_MESSAGES, "part_id"),
            (&focused::THINKING_BLOCKS, "part_id"),
            (&focused::TOOL_CALLS, "part_id"),
            (&focused::STEP_EVENTS, "part_id"),
            (&focused::PATCHES, "part_id"),
            (&focused::COMPACTIONS, "part_id"),
            (&focused::ATTACHMENTS, "part_id"),
            (&focused::AGENT_MENTIONS, "part_id"),
            (&focused::SUBTASKS, "part_id"),
            (&focused::RETRIES, "part_id"),
            (&focused::SNAPSHOTS, "part_id"),
            (&focused::ERRORS, "part_id"),
            (&focused::FILE_OPERATIONS, "part_id"),
            (&focused::GIT_FACTS, "part_id"),
            (&focused::SECURITY_FINDINGS, "part_id"),
        ],
        scope: Some((&core::PARTS, "session_id")),
    },
    DocumentKind {
        name: "todo",
        tables: &[(&core::TODOS, "document_id")],
        scope: Some((&core::TODOS, "session_id")),
    },
    DocumentKind {
        name: "session_diff",
        tables: &[(&core::SESSION_DIFFS, "session_id")],
        scope: Some((&core::SESSION_DIFFS, "session_id")),
    },
];

static FOREIGN: &[ForeignTable] = &[
    ForeignTable {
        table: "project",
        kind: PROJECT,
        generation: Generation::SqliteV1,
        listing: "id, time_updated",
        key: "id",
        parent: "",
        columns: &[
            "id",
            "worktree",
            "vcs",
            "name",
            "icon_url",
            "icon_url_override",
            "icon_color",
            "time_created",
            "time_updated",
            "time_initialized",
            "sandboxes",
            "commands",
        ],
        condition: "",
    },
    ForeignTable {
        table: "session",
        kind: SESSION,
        generation: Generation::SqliteV1,
        listing: "id, time_updated",
        key: "id",
        parent: "",
        columns: SESSION_COLUMNS,
        condition: "",
    },
    ForeignTable {
        table: "message",
        kind: MESSAGE,
        generation: Generation::SqliteV1,
        listing: "id, time_updated, octet_length(data)",
        key: "id",
        parent: "",
        columns: &["id", "session_id", "time_created", "time_updated", "data"],
        condition: "",
    },
    ForeignTable {
        table: "part",
        kind: PART,
        generation: Generation::SqliteV1,
        listing: "id, time_updated, octet_length(data)",
        key: "id",
        parent: "message_id",
        columns: &["id", "message_id", "session_id", "time_created", "time_updated", "data"],
        condition: "",
    },
    ForeignTable {
        table: "todo",
        kind: TODO,
        generation: Generation::SqliteV1,
        listing: "session_id || '/' || position, time_updated, status, priority, octet_length(content)",
        key: "session_id || '/' || position",
        parent: "",
        columns: &["session_id", "content", "status", "priority", "position", "time_created", "time_updated"],
        condition: "",
    },
    ForeignTable {
        table: "session_v2",
        kind: SESSION,
        generation: Generation::SqliteV2,
        listing: "id, time_updated",
        key: "id",
        parent: "",
        columns: SESSION_COLUMNS,
        condition: "",
    },
    ForeignTable {
        table: "session_message",
        kind: MESSAGE,
        generation: Generation::SqliteV2,
        listing: "id, time_updated, seq, octet_length(data)",
        key: "id",
        parent: "",
        columns: &["id", "session_id", "type", "seq", "time_created", "time_updated", "data"],
        condition: "",
    },
];

static SESSION_COLUMNS: &[&str] = &[
    "id",
    "project_id",
    "workspace_id",
    "parent_id",
    "slug",
    "directory",
    "path",
    "title",
    "version",
    "share_url",
    "summary_additions",
    "summary_deletions",
    "summary_files",
    "summary_diffs",
    "metadata",
    "cost",
    "tokens_input",
    "tokens_output",
    "tokens_reasoning",
    "tokens_cache_read",
    "tokens_cache_write",
    "revert",
    "permission",
    "agent",
    "model",
    "fork_session_id",
    "fork_boundary",
    "time_created",
    "time_updated",
    "time_compacting",
    "time_archived",
    "time_suspended",
    "resume_attempts",
    "time_idle",
    "time_viewed",
    "idle_outcome",
];

impl Documents for OpenCode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn tables(&self) -> &'static [&'static AnalyticTable] {
        crate::table::DOCUMENTS
    }

    fn kinds(&self) -> &'static [DocumentKind] {
        KINDS
    }

    fn folders(&self) -> &'static [&'static str] {
        &[
            "storage/project",
            "storage/session",
            "storage/message",
            "storage/part",
            "storage/todo",
            "storage/session_diff",
            "project",
        ]
    }

    fn identify(&self, path: &str) -> Option<FileIdentity> {
        let path = path.strip_suffix(".json")?;
        let names: Vec<&str> = path.split('/').collect();
        if names.iter().any(|name| name.is_empty() || *name == "." || *name == "..") {
            return None;
        }
        let (kind, id, parent) = match names.as_slice() {
            ["storage", "project", id] => (PROJECT, id, None),
            ["storage", "session", project, id] => (SESSION, id, Some(project)),
            ["storage", "message", session, id] => (MESSAGE, id, Some(session)),
            ["storage", "part", message, id] => (PART, id, Some(message)),
            // A database has a row for each line, `session/position`: where there is a first line, it supersedes the file.
            ["storage", "todo", session] => {
                return Some(FileIdentity {
                    kind: TODO,
                    id: format!("{session}/0"),
                    parent: Some((*session).to_owned()),
                });
            }
            ["storage", "session_diff", session] => (SESSION_DIFF, session, None),
            // The oldest layout, in which the folder of a project is named after the path of its work tree.
            ["project", _, "storage", "session", "info", id] => (SESSION, id, None),
            ["project", _, "storage", "session", "message", session, id] => (MESSAGE, id, Some(session)),
            ["project", _, "storage", "session", "part", _, message, id] => (PART, id, Some(message)),
            _ => return None,
        };
        Some(FileIdentity { kind, id: (*id).to_owned(), parent: parent.map(|parent| (*parent).to_owned()) })
    }

    fn is_database(&self, name: &str) -> bool {
        let Some(stem) = name.strip_suffix(".db") else { return false };
        let channel = stem.strip_prefix("opencode-");
        stem == "opencode"
            || channel.is_some_and(|channel| {
                let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
                !channel.is_empty() && channel.bytes().all(is_letter)
            })
    }

    fn foreign_tables(&self) -> &'static [ForeignTable] {
        FOREIGN
    }

    fn read(&self, document: &Document<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        crate::read::read(document, rows)
    }

    fn derivations(&self) -> &'static [Derivation] {
        crate::derive::DERIVATIONS
    }

    fn spread(&self) -> &'static [&'static str] {
        crate::derive::SPREAD
    }

    fn stages(&self) -> &'static [&'static [usize]] {
        // Messages carry cost and tokens: the totals are there before the many parts are read.
        &[&[PROJECT, SESSION, MESSAGE], &[PART, TODO, SESSION_DIFF]]
    }

    fn kinds_in(&self, folder: &str) -> &'static [usize] {
        match folder {
            "storage/project" => &[PROJECT],
            "storage/session" => &[SESSION],
            "storage/message" => &[MESSAGE],
            "storage/part" => &[PART],
            "storage/todo" => &[TODO],
            "storage/session_diff" => &[SESSION_DIFF],
            "project" => &[SESSION, MESSAGE, PART],
            _ => &[],
        }
    }

    fn parent_kind(&self, kind: usize) -> Option<usize> {
        // A message of the second SQLite generation holds its parts; those that 1.x left behind say the same.
        (kind == PART).then_some(MESSAGE)
    }

    fn scopes(&self) -> &'static str {
        "SELECT id AS scope_id FROM sessions \
         UNION SELECT session_id FROM messages WHERE session_id IS NOT NULL \
         UNION SELECT session_id FROM parts WHERE session_id IS NOT NULL"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(kind: usize, id: &str, parent: Option<&str>) -> Option<FileIdentity> {
        Some(FileIdentity { kind, id: id.to_owned(), parent: parent.map(str::to_owned) })
    }

    #[test]
    fn a_path_tells_kind_identifier_and_parent() {
        for (path, expected) in [
            ("storage/project/global.json", identity(PROJECT, "global", None)),
            ("storage/session/abc/ses_1.json", identity(SESSION, "ses_1", Some("abc"))),
            ("storage/message/ses_1/msg_1.json", identity(MESSAGE, "msg_1", Some("ses_1"))),
            ("storage/part/msg_1/prt_1.json", identity(PART, "prt_1", Some("msg_1"))),
            ("storage/todo/ses_1.json", identity(TODO, "ses_1/0", Some("ses_1"))),
            ("storage/session_diff/ses_1.json", identity(SESSION_DIFF, "ses_1", None)),
            ("project/home-dev-x/storage/session/info/ses_1.json", identity(SESSION, "ses_1", None)),
            ("project/-/storage/session/message/ses_1/msg_1.json", identity(MESSAGE, "msg_1", Some("ses_1"))),
            ("project/-/storage/session/part/ses_1/msg_1/prt_1.json", identity(PART, "prt_1", Some("msg_1"))),
            ("storage/migration", None),
            ("storage/session/ses_1.json", None),
            ("storage/session_share/ses_1.json", None),
            ("storage/share/ses_1.json", None),
            ("storage/permission/abc.json", None),
            ("storage/part/msg_1/prt_1.json.tmp", None),
            ("storage/part/msg_1/.json", None),
            ("storage/part/../prt_1.json", None),
            ("storage//msg_1/prt_1.json", None),
            ("auth.json", None),
            ("project/x/storage/session/share/ses_1.json", None),
        ] {
            assert_eq!(OpenCode.identify(path), expected, "{path}");
        }
    }

    #[test]
    fn a_document_lies_in_a_folder_that_is_searched_for_its_kind() {
        for path in [
            "storage/project/global.json",
            "storage/session/abc/ses_1.json",
            "storage/message/ses_1/msg_1.json",
            "storage/part/msg_1/prt_1.json",
            "storage/todo/ses_1.json",
            "storage/session_diff/ses_1.json",
            "project/x/storage/session/info/ses_1.json",
            "project/x/storage/session/message/ses_1/msg_1.json",
            "project/x/storage/session/part/ses_1/msg_1/prt_1.json",
        ] {
            let kind = OpenCode.identify(path).unwrap().kind;
            let folders = OpenCode.folders().iter().filter(|folder| path.starts_with(&format!("{folder}/")));
            let searched: Vec<_> =
                folders.filter(|folder| OpenCode.kinds_in(folder).contains(&kind)).collect();
            assert_eq!(searched.len(), 1, "{path}: {searched:?}");
        }
    }

    #[test]
    fn every_kind_is_read_in_one_stage() {
        let mut kinds: Vec<usize> =
            OpenCode.stages().iter().flat_map(|stage| stage.iter().copied()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, (0..OpenCode.kinds().len()).collect::<Vec<_>>());
    }

    #[test]
    fn databases_of_all_channels_are_found() {
        for name in ["opencode.db", "opencode-next.db", "opencode-my.branch_2-x.db"] {
            assert!(OpenCode.is_database(name), "{name}");
        }
        for name in
            ["opencode.db-wal", "opencode.db-shm", "opencode-.db", "opencode", "other.db", "opencode-a b.db"]
        {
            assert!(!OpenCode.is_database(name), "{name}");
        }
    }

    #[test]
    fn secrets_are_never_fetched() {
        for foreign in OpenCode.foreign_tables() {
            let forbidden =
                ["account", "credential", "event", "share_secret", "secret", "session_share", "permission"];
            assert!(!forbidden.contains(&foreign.table), "{}", foreign.table);
            let texts = foreign.columns.iter().copied().chain([foreign.listing, foreign.key]);
            for text in texts {
                for word in ["secret", "credential", "account", "token ", "password"] {
                    assert!(!text.contains(word), "{}: {text}", foreign.table);
                }
            }
        }
    }

    #[test]
    fn kinds_and_columns_exist_under_the_names_given() {
        let names: Vec<&str> = OpenCode.kinds().iter().map(|kind| kind.name).collect();
        assert_eq!(names, ["project", "session", "message", "part", "todo", "session_diff"]);
        for kind in OpenCode.kinds() {
            for (table, column) in kind.tables.iter().chain(&kind.scope) {
                assert!(table.position(column).is_some(), "{}.{column}", table.name);
                assert!(OpenCode.tables().iter().any(|found| std::ptr::eq(*found, *table)), "{}", table.name);
            }
        }
        for foreign in OpenCode.foreign_tables() {
            assert!(foreign.kind < names.len());
        }
    }
}
