//! Hearing of changes: the operating system's notifications for the folders of a root.
//!
//! Owns one watch per folder, new folders included, and turns what it hears into paths. What it says is a hint: a path
//! is looked at before anything is done. Where notifications are lost (a full queue, too many folders, a folder that
//! moved) it says so, and a full pass repairs it.
//!
//! Opening and reading are not listened to: the ingest's own reading would fill the queue.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask, Watches};

use super::declare::Documents;
use super::scan::Source;
use crate::error::EngineError;

/// How often the queue is looked at.
const POLL: Duration = Duration::from_millis(3);

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Heard {
    /// The file at a path of a source was written, moved or deleted; or a database, with an empty path.
    Changed(u32, String),
    /// A new database appeared in a root, so there is a new source.
    NewDatabase,
    /// Something was lost: only a full pass tells.
    Lost(String),
}

/// Listens to all roots until it is dropped.
#[derive(Debug)]
pub(crate) struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    /// Folders listened to.
    pub(crate) folders: usize,
    /// Roots that cannot be listened to as a whole, and why.
    pub(crate) deaf: Vec<(PathBuf, String)>,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

const FOLDER: WatchMask = WatchMask::CREATE
    .union(WatchMask::CLOSE_WRITE)
    .union(WatchMask::MOVED_TO)
    .union(WatchMask::MOVED_FROM)
    .union(WatchMask::DELETE)
    .union(WatchMask::ONLYDIR);

struct Listener {
    system: &'static dyn Documents,
    sources: Vec<Source>,
    watches: Watches,
    /// The folder of each watch: number of the files' source, path below its root.
    folders: HashMap<WatchDescriptor, (u32, String)>,
    outlet: Sender<Heard>,
    deaf: Vec<(PathBuf, String)>,
}

impl Watcher {
    /// Starts listening; when it returns, every change is heard.
    pub(crate) fn start(
        system: &'static dyn Documents,
        sources: &[Source],
        outlet: Sender<Heard>,
    ) -> Result<Self, EngineError> {
        let failing = |error: std::io::Error| {
            EngineError::source(format!(
                "the operating system gives no notifications: {error}\n\
                 hint: too many programs may be watching (fs.inotify.max_user_instances)"
            ))
        };
        let mut inotify = Inotify::init().map_err(failing)?;
        let mut listener = Listener {
            system,
            sources: sources.to_vec(),
            watches: inotify.watches(),
            folders: HashMap::new(),
            outlet,
            deaf: Vec::new(),
        };
        for source in sources.iter().filter(|source| source.name.is_empty()) {
            listener.root(source);
        }
        let folders = listener.folders.len();
        let deaf = std::mem::take(&mut listener.deaf);
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 256 << 10];
            while !stopping.load(Ordering::Relaxed) {
                match inotify.read_events(&mut buffer) {
                    Ok(events) => {
                        for event in events {
                            listener.event(&event.wd, event.mask, event.name);
                        }
                    }
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::sleep(POLL),
                    Err(error) => {
                        listener.say(Heard::Lost(error.to_string()));
                        return;
                    }
                }
            }
        });
        Ok(Self { stop, thread: Some(thread), folders, deaf })
    }
}

impl Listener {
    fn say(&self, heard: Heard) {
        // Nobody listens any more: the watcher is being dropped.
        drop(self.outlet.send(heard));
    }

    fn root(&mut self, source: &Source) {
        // Databases are changed in place while they are open.
        let mask = FOLDER | WatchMask::MODIFY;
        match self.watches.add(&source.root, mask) {
            Ok(watch) => drop(self.folders.insert(watch, (source.number, String::new()))),
            Err(error) => self.deaf.push((source.root.clone(), error.to_string())),
        }
        for folder in children(&source.root) {
            if self.is_relevant(&folder) {
                self.tree(source.number, &source.root, folder, false);
            }
        }
    }

    fn is_relevant(&self, folder: &str) -> bool {
        let below =
            |path: &str, folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        self.system
            .folders()
            .iter()
            .any(|wanted| *wanted == folder || below(wanted, folder) || below(folder, wanted))
    }

    /// Listens to a folder and all below; with `tell`, says what lies there already.
    fn tree(&mut self, source: u32, root: &Path, folder: String, tell: bool) {
        let mut left = vec![folder];
        while let Some(folder) = left.pop() {
            match self.watches.add(root.join(&folder), FOLDER) {
                Ok(watch) => drop(self.folders.insert(watch, (source, folder.clone()))),
                // Gone again.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => {
                    self.deaf.push((root.join(&folder), error.to_string()));
                    self.say(Heard::Lost(format!("{}: {error}", root.join(&folder).display())));
                    return;
                }
            }
            let Ok(entries) = std::fs::read_dir(root.join(&folder)) else { continue };
            for entry in entries.flatten() {
                let Ok(name) = entry.file_name().into_string() else { continue };
                let path = format!("{folder}/{name}");
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && self.is_relevant(&path) => left.push(path),
                    Ok(kind) if kind.is_file() && tell => self.file(source, path),
                    _ => {}
                }
            }
        }
    }

    fn file(&self, source: u32, path: String) {
        if self.system.identify(&path).is_some() {
            self.say(Heard::Changed(source, path));
        }
    }

    fn event(&mut self, watch: &WatchDescriptor, mask: EventMask, name: Option<&std::ffi::OsStr>) {
        if mask.contains(EventMask::Q_OVERFLOW) {
            self.say(Heard::Lost("the queue of notifications was full".into()));
            return;
        }
        if mask.contains(EventMask::IGNORED) {
            self.folders.remove(watch);
            return;
        }
        let Some((source, folder)) = self.folders.get(watch).cloned() else { return };
        let Some(name) = name.and_then(std::ffi::OsStr::to_str) else { return };
        let Some(root) =
            self.sources.iter().find(|found| found.number == source).map(|found| found.root.clone())
        else {
            return;
        };
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        if mask.contains(EventMask::ISDIR) {
            if !self.is_relevant(&path) {
                return;
            }
            if mask.intersects(EventMask::CREATE | EventMask::MOVED_TO) {
                self.tree(source, &root, path, true);
            } else if mask.contains(EventMask::MOVED_FROM) {
                self.say(Heard::Lost(format!("{} was moved away", root.join(path).display())));
            }
            return;
        }
        if folder.is_empty() {
            self.database(&root, name);
        }
        // A file that was only created is not written yet.
        if mask.intersects(
            EventMask::CLOSE_WRITE | EventMask::MOVED_TO | EventMask::MOVED_FROM | EventMask::DELETE,
        ) {
            self.file(source, path);
        }
    }

    fn database(&self, root: &Path, name: &str) {
        let database = name.strip_suffix("-wal").unwrap_or(name);
        if !self.system.is_database(database) {
            return;
        }
        match self.sources.iter().find(|source| source.root == root && source.name == database) {
            Some(source) => self.say(Heard::Changed(source.number, String::new())),
            None => self.say(Heard::NewDatabase),
        }
    }
}

fn children(root: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(root) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
