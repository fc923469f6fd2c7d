//! Databases: the tables of 1.x and their rows.
//!
//! Owns one database file while it is written: its tables and the order of its rows. Rows of 2.x are made by
//! `newest`, those that nobody may read by `private`.
//!
//! Invariants: a session is written in one transaction; `data` columns are what OpenCode puts there, compact
//! and without the fields that have columns of their own.

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll_core::value::Value;
use plimsoll_store::{Access, Durability, Store, StoreError, StoreUrl};

use super::Error;
use super::json::{Json, Object};
use super::manifest::SourceCount;
use super::money::{Money, Usage};
use super::plan::Project;
use super::private;
use super::session::Session;
use super::version::Version;

const FIRST: &str = include_str!("ddl/first.sql");
const SECOND_EMPTY: &str = include_str!("ddl/second_empty.sql");
const SECOND: &str = include_str!("ddl/second.sql");

/// When the files of older versions were taken over into the database, in milliseconds since 1970.
pub(super) const TAKEN_OVER: u64 = 1_772_323_200_000;

const SESSION: &[&str] = &[
    "id",
    "project_id",
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
    "time_created",
    "time_updated",
    "time_compacting",
    "time_archived",
];
const MESSAGE: &[&str] = &["id", "session_id", "time_created", "time_updated", "data"];
const PART: &[&str] = &["id", "message_id", "session_id", "time_created", "time_updated", "data"];
const TODO: &[&str] =
    &["session_id", "content", "status", "priority", "position", "time_created", "time_updated"];

/// Rows of one table.
pub(super) type Rows = Vec<Vec<Value>>;

/// The rows of one session.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Of `session`, `message`, `part` and `todo`.
    pub(super) first: Option<[Rows; 4]>,
    /// Of `session_v2` and `session_message`.
    pub(super) second: Option<[Rows; 2]>,
    /// How many of the rows of `session_message` are messages.
    pub(super) second_messages: u64,
}

/// A database that is being written.
pub(super) struct Database {
    store: Box<dyn Store>,
    path: PathBuf,
    /// What its tables of 1.x hold.
    pub(super) first: SourceCount,
    /// What its tables of 2.x hold.
    pub(super) second: SourceCount,
    pending: u32,
}

impl Database {
    /// A new database with its tables. `newest` gives it those of 2.x.
    pub(super) fn create(path: &Path, name: &str, newest: bool, canary: &str) -> Result<Self, Error> {
        let open = || -> Result<Box<dyn Store>, StoreError> {
            let url = StoreUrl::Sqlite { path: path.to_owned(), durability: Durability::Normal };
            let mut store = plimsoll_store::open(&url)?;
            // Generated data can be generated again, so nothing waits for the disk.
            store.run_script("PRAGMA synchronous = OFF;")?;
            store.begin(Access::ReadWrite)?;
            store.run_script(FIRST)?;
            store.run_script(if newest { SECOND } else { SECOND_EMPTY })?;
            private::fill(store.as_mut(), canary)?;
            store.commit()?;
            Ok(store)
        };
        let store = open().map_err(|source| failed(path, source))?;
        let count = |generation: &str| SourceCount {
            path: name.to_owned(),
            generation: generation.to_owned(),
            ..SourceCount::default()
        };
        Ok(Self {
            store,
            path: path.to_owned(),
            first: count("sqlite-v1"),
            second: count("sqlite-v2"),
            pending: 0,
        })
    }

    /// Writes the projects.
    pub(super) fn projects(&mut self, projects: &[Project], since: u64) -> Result<(), Error> {
        const COLUMNS: &[&str] = &["id", "worktree", "vcs", "time_created", "time_updated", "sandboxes"];
        let rows: Rows = projects
            .iter()
            .map(|project| {
                vec![
                    Value::text(&project.id),
                    Value::text(project.worktree),
                    Value::optional_text(project.is_git.then_some("git")),
                    time(since),
                    time(since + 86_400_000),
                    Value::text("[]"),
                ]
            })
            .collect();
        self.first.projects = rows.len() as u64;
        self.second.projects = rows.len() as u64;
        self.store.append("project", COLUMNS, &rows).map_err(|source| failed(&self.path, source))
    }

    /// Writes the rows of a session.
    pub(super) fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        const EVERY: u32 = 40;
        let mut write = || -> Result<(), StoreError> {
            if self.pending == 0 {
                self.store.begin(Access::ReadWrite)?;
            }
            if let Some([sessions, messages, parts, todos]) = &batch.first {
                self.store.append("session", SESSION, sessions)?;
                self.store.append("message", MESSAGE, messages)?;
                self.store.append("part", PART, parts)?;
                self.store.append("todo", TODO, todos)?;
                self.first.sessions += sessions.len() as u64;
                self.first.messages += messages.len() as u64;
                self.first.parts += parts.len() as u64;
                self.first.todos += todos.len() as u64;
            }
            if let Some([sessions, rows]) = &batch.second {
                self.store.append("session_v2", super::newest::SESSION, sessions)?;
                self.store.append("session_message", super::newest::MESSAGE, rows)?;
                self.second.sessions += sessions.len() as u64;
                self.second.messages += batch.second_messages;
            }
            self.pending += 1;
            if self.pending == EVERY {
                self.pending = 0;
                self.store.commit()?;
            }
            Ok(())
        };
        write().map_err(|source| failed(&self.path, source))
    }

    /// Ends the writing: one file, as OpenCode leaves it when it ends.
    pub(super) fn close(mut self) -> Result<(SourceCount, SourceCount), Error> {
        self.commit()?;
        Ok((self.first, self.second))
    }

    /// Ends the writing as if OpenCode was still running: the rows are in the write-ahead log beside the file
    /// and not in the file. `to` gets both; this database's own file goes away.
    pub(super) fn close_with_log(mut self, to: &Path) -> Result<(SourceCount, SourceCount), Error> {
        self.commit()?;
        let beside = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push("-wal");
            PathBuf::from(name)
        };
        for (from, to) in [(self.path.clone(), to.to_owned()), (beside(&self.path), beside(to))] {
            fs::copy(&from, &to).map_err(|source| Error::writing(&to, source))?;
        }
        let path = self.path.clone();
        let counts = (self.first, self.second);
        drop(self.store);
        fs::remove_file(&path).map_err(|source| Error::writing(&path, source))?;
        Ok(counts)
    }

    /// Keeps all rows in the write-ahead log from here on.
    pub(super) fn keep_log(&mut self) -> Result<(), Error> {
        let set = self.store.run_script("PRAGMA wal_autocheckpoint = 0;");
        set.map_err(|source| failed(&self.path, source))
    }

    fn commit(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.pending) > 0 {
            self.store.commit().map_err(|source| failed(&self.path, source))?;
        }
        Ok(())
    }
}

fn failed(path: &Path, source: StoreError) -> Error {
    Error::Database { path: path.to_owned(), source: Box::new(source) }
}

/// A time or another whole number.
pub(super) fn time(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The value of a record's field for a column of its own; objects and lists as JSON text.
pub(super) fn column(record: Option<&Json>) -> Value {
    match record {
        None | Some(Json::Null) => Value::Null,
        Some(Json::Text(text)) => Value::text(text.as_ref()),
        Some(Json::Integer(number)) => Value::Integer(*number),
        Some(other) => Value::Text(other.compact()),
    }
}

/// A field of an object inside a record.
pub(super) fn inner<'a>(record: &'a Object, name: &str, field: &str) -> Option<&'a Json> {
    match record.get(name) {
        Some(Json::Object(object)) => object.get(field),
        _ => None,
    }
}

/// Cost and tokens of a session's messages, as its columns state them.
pub(super) fn usage(session: &Session<'_>) -> [Value; 6] {
    let answers = || session.messages.iter().filter_map(|message| message.answer.as_ref());
    let mut usage = Usage::default();
    for answer in answers() {
        usage += answer.stored;
    }
    let cost: Money = answers().map(|answer| answer.cost).sum();
    [
        Value::Float(cost.float()),
        time(usage.input),
        time(usage.output),
        time(usage.reasoning),
        time(usage.cache_read),
        time(usage.cache_write),
    ]
}

/// The rows of a session in the tables of 1.x.
pub(super) fn rows(session: &Session<'_>, worktree: &str) -> [Rows; 4] {
    let (outline, info) = (session.outline, &session.info);
    let id = || Value::text(&outline.id);
    // Rows that came from files were written when the files were taken over.
    let written = |at: u64| if outline.version < Version::V1_2_27 { TAKEN_OVER.max(at) } else { at };
    let directory = match info.text("directory") {
        "" => worktree,
        directory => directory,
    };
    let [cost, input, output, reasoning, read, write] = usage(session);
    let row = vec![
        id(),
        Value::text(session.project),
        column(info.get("parentID")),
        Value::text(info.text("slug")),
        Value::text(directory),
        column(info.get("path")),
        Value::text(info.text("title")),
        Value::text(outline.version.text()),
        column(inner(info, "share", "url")),
        column(inner(info, "summary", "additions")),
        column(inner(info, "summary", "deletions")),
        column(inner(info, "summary", "files")),
        cost,
        input,
        output,
        reasoning,
        read,
        write,
        column(info.get("revert")),
        column(info.get("permission")),
        column(info.get("agent")),
        column(info.get("model")),
        time(outline.created),
        time(session.updated),
        column(inner(info, "time", "compacting")),
        column(inner(info, "time", "archived")),
    ];
    let mut messages = Rows::with_capacity(session.messages.len());
    let mut parts = Rows::new();
    for message in &session.messages {
        messages.push(vec![
            Value::text(&message.id),
            id(),
            time(message.created),
            time(written(message.updated)),
            Value::Text(message.info.compact_without(&["id", "sessionID"])),
        ]);
        for part in &message.parts {
            parts.push(vec![
                Value::text(&part.id),
                Value::text(&message.id),
                id(),
                time(written(part.created)),
                time(written(part.updated)),
                Value::Text(part.info.compact_without(&["id", "sessionID", "messageID"])),
            ]);
        }
    }
    let todos = session.todos.iter().flatten().enumerate().map(|(place, item)| {
        let field = |name: &str| match item {
            Json::Object(item) => Value::text(item.text(name)),
            _ => Value::Null,
        };
        let at = time(written(session.updated));
        vec![id(), field("content"), field("status"), field("priority"), time(place as u64), at.clone(), at]
    });
    [vec![row], messages, parts, todos.collect()]
}
