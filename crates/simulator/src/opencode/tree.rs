//! The JSON generation on disk: `storage/` with one file per project, session, message and part.
//!
//! Owns paths and the writing of files. Files are written as OpenCode writes them: in place, pretty-printed,
//! without a newline at the end. Sessions of versions before 0.6 were brought here by OpenCode's own upgrade,
//! which writes compactly; so they are compact here too.

use std::fs;
use std::path::{Path, PathBuf};

use super::Error;
use super::json::{Json, Object};
use super::manifest::SourceCount;
use super::plan::Project;
use super::session::Session;
use super::version::Version;

/// Writes into one `storage` folder.
#[derive(Debug)]
pub(super) struct Tree {
    storage: PathBuf,
    buffer: Vec<u8>,
    /// What was written so far.
    pub(super) count: SourceCount,
}

impl Tree {
    /// A writer into `storage`, which need not exist yet.
    pub(super) fn new(storage: &Path) -> Self {
        let count = SourceCount {
            path: "storage".to_owned(),
            generation: "json".to_owned(),
            ..SourceCount::default()
        };
        Self { storage: storage.to_owned(), buffer: Vec::with_capacity(1 << 16), count }
    }

    /// Writes what belongs to no session.
    pub(super) fn begin(&mut self, projects: &[Project], since: u64) -> Result<(), Error> {
        for folder in ["session", "message", "part", "todo", "session_diff", "project"] {
            self.folder(folder)?;
        }
        self.buffer.clear();
        self.buffer.push(b'2');
        self.put("migration")?;
        for project in projects {
            let time = Object::new().with("created", since).with("updated", since + 86_400_000);
            let record = Object::new()
                .with("id", &project.id)
                .with("worktree", project.worktree)
                .maybe("vcs", project.is_git.then_some("git"))
                .with("sandboxes", Vec::new())
                .with("time", time);
            self.write(&format!("project/{}.json", project.id), &record.into(), false)?;
            self.folder(&format!("session/{}", project.id))?;
            self.count.projects += 1;
        }
        Ok(())
    }

    /// Writes a session with everything in it.
    pub(super) fn session(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let outline = session.outline;
        let compact = outline.version < Version::V1_0_61;
        let id = &outline.id;
        let path = format!("session/{}/{id}.json", session.project);
        self.object(&path, &session.info, compact)?;
        self.count.sessions += 1;
        if !session.messages.is_empty() {
            self.folder(&format!("message/{id}"))?;
        }
        for message in &session.messages {
            self.object(&format!("message/{id}/{}.json", message.id), &message.info, compact)?;
            self.count.messages += 1;
            if !message.parts.is_empty() {
                self.folder(&format!("part/{}", message.id))?;
            }
            for part in &message.parts {
                self.object(&format!("part/{}/{}.json", message.id, part.id), &part.info, compact)?;
                self.count.parts += 1;
            }
        }
        if let Some(todos) = &session.todos {
            self.write(&format!("todo/{id}.json"), &Json::List(todos.clone()), false)?;
            self.count.todos += 1;
        }
        if !session.messages.is_empty() && !compact {
            self.write(&format!("session_diff/{id}.json"), &Json::List(session.diffs.clone()), false)?;
            self.count.session_diffs += 1;
        }
        Ok(())
    }

    fn object(&mut self, path: &str, object: &Object, compact: bool) -> Result<(), Error> {
        self.buffer.clear();
        object.write(&mut self.buffer, compact);
        self.put(path)
    }

    fn write(&mut self, path: &str, value: &Json, compact: bool) -> Result<(), Error> {
        self.buffer.clear();
        if compact {
            self.buffer.extend_from_slice(value.compact().as_bytes());
        } else {
            value.pretty(&mut self.buffer);
        }
        self.put(path)
    }

    fn put(&mut self, path: &str) -> Result<(), Error> {
        let path = self.storage.join(path);
        fs::write(&path, &self.buffer).map_err(|source| Error::writing(&path, source))?;
        self.count.bytes += self.buffer.len() as u64;
        Ok(())
    }

    fn folder(&self, path: &str) -> Result<(), Error> {
        let path = self.storage.join(path);
        fs::create_dir_all(&path).map_err(|source| Error::writing(&path, source))
    }
}
