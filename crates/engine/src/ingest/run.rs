//! An open ingest: the store, its ledger in memory, and its sources.
//!
//! Owns the order of a pass - find, compare, leave, read and write, derive - for everything ([`Ingest::pass`]) and for
//! a few paths ([`Ingest::touch`]). Both go through the same steps, so a live event and a full pass cannot disagree.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use plimsoll_core::clock::Clock;
use plimsoll_store::duckdb::{Analytics, Parameter, Resources};
use plimsoll_store::foreign::ForeignDatabase;

use super::declare::{Documents, Generation, Settings};
use super::derive::derive_in_little_memory;
use super::deriver::Deriver;
use super::difference::{Covered, Seen, Work, difference};
use super::ledger::{self, Entry, Ledger, Outcome};
use super::reader::{Task, read_all};
use super::scan::{Source, databases, list_table, look_at, tables_of, walk};
use super::writer::{Tally, Writer};
use crate::error::EngineError;

/// Above so many documents in a pass, everything derived is computed again instead of scope by scope.
const ALL_AFFECTED: usize = 2_000;

/// Memory of the database while documents are read, in megabytes; the readers' share comes on top.
const READING_MEMORY_MB: u32 = 160;

/// How an ingest runs.
#[derive(Debug, Clone)]
pub struct IngestSettings {
    /// Folders to read; each may hold files and databases.
    pub roots: Vec<PathBuf>,
    /// Threads that read.
    pub threads: usize,
    /// What derivations may know.
    pub derive: Settings,
}

/// What a pass tells while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Looking for documents.
    Finding,
    /// So many documents were found and so many are to be read, in one of so many stages.
    Found {
        /// Which stage, from 1.
        stage: usize,
        /// How many stages there are.
        stages: usize,
        /// Documents found.
        found: u64,
        /// Documents to read.
        to_read: u64,
    },
    /// Documents read and written.
    Read {
        /// So many of this stage.
        done: u64,
        /// Of so many.
        of: u64,
        /// Bytes read in this pass.
        bytes: u64,
    },
    /// All documents of a stage are read and their rows can be asked for; they are committed next.
    StageDone {
        /// Which stage, from 1.
        stage: usize,
    },
    /// Computing derived tables.
    Deriving,
}

/// What a pass came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct PassReport {
    /// Documents found.
    pub found: u64,
    /// What was done.
    pub tally: Tally,
    /// Scopes whose derived rows were computed.
    pub derived: u64,
    /// Folders and databases that could not be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// An open ingest.
pub struct Ingest {
    system: &'static dyn Documents,
    store: Analytics,
    clock: Arc<dyn Clock>,
    settings: IngestSettings,
    ledger: Ledger,
    sources: Vec<Source>,
}

impl Ingest {
    /// Opens the ingest of a system into a store: creates what is missing, and reads the ledger.
    ///
    /// # Errors
    /// When the store was made by another version, or cannot be read.
    pub fn open(
        system: &'static dyn Documents,
        store: Analytics,
        clock: Arc<dyn Clock>,
        settings: IngestSettings,
    ) -> Result<Self, EngineError> {
        store.create_tables(ledger::TABLES)?;
        crate::check::history::prepare_analytics(&store)?;
        store.create_tables(system.tables())?;
        let derived: Vec<_> = system.derivations().iter().map(|derivation| derivation.table).collect();
        store.create_tables(&derived)?;
        let kinds: Vec<&str> = system.kinds().iter().map(|kind| kind.name).collect();
        let ledger = Ledger::load(&store, &kinds)?;
        let mut ingest = Self { system, store, clock, settings, ledger, sources: Vec::new() };
        ingest.find_sources(true)?;
        Ok(ingest)
    }

    /// The system.
    pub fn system(&self) -> &'static dyn Documents {
        self.system
    }

    /// The store.
    pub fn store(&self) -> &Analytics {
        &self.store
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The sources, in the order in which they were found; the last one wins among equals.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The moment, in microseconds since 1970.
    fn now(&self) -> i64 {
        self.clock.now().parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_microsecond)
    }

    /// Numbers the roots and their databases; a known one keeps its number. New ones are written down unless this is
    /// only to foresee.
    fn find_sources(&mut self, write: bool) -> Result<(), EngineError> {
        let rows = self.store.query("SELECT source, root, name FROM plimsoll_ingest_source", &[])?.rows;
        let mut known: Vec<Source> = rows
            .iter()
            .map(|row| Source {
                number: row[0].as_integer().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
                root: PathBuf::from(ledger::text(&row[1])),
                name: ledger::text(&row[2]).to_owned(),
            })
            .collect();
        let mut sources = Vec::new();
        for root in &self.settings.roots {
            let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.clone());
            let mut names = vec![String::new()];
            names.extend(databases(self.system, &root));
            for name in names {
                let found = known.iter().find(|source| source.root == root && source.name == name).cloned();
                let source = match found {
                    Some(source) => source,
                    None => {
                        let number = known.iter().map(|source| source.number).max().unwrap_or(0) + 1;
                        let source = Source { number, root: root.clone(), name };
                        let sql = "INSERT INTO plimsoll_ingest_source VALUES ($1, $2, $3, '')";
                        let path = source.root.display().to_string();
                        let parameters = [
                            i64::from(number).into(),
                            Parameter::Text(path),
                            Parameter::Text(source.name.clone()),
                        ];
                        if write {
                            self.store.execute(sql, &parameters)?;
                        }
                        known.push(source.clone());
                        source
                    }
                };
                sources.push(source);
            }
        }
        // A source that was read before and is not among the roots now stays as it is.
        self.sources = sources;
        Ok(())
    }

    /// Brings the store in step with everything that lies in the sources.
    ///
    /// # Errors
    /// When the store fails. A folder or database that cannot be read is reported, and what it held stays.
    pub fn pass(
        &mut self,
        force: bool,
        observe: &mut dyn FnMut(&Self, Progress),
    ) -> Result<PassReport, EngineError> {
        let began = self.clock.monotonic_ms();
        self.find_sources(true)?;
        self.note_phase("bulk", 0, 0)?;
        // The readers have the threads, and those of the database would wait for each other.
        self.store.use_resources(Resources { memory_mb: READING_MEMORY_MB, threads: 1 })?;
        let mut report = PassReport::default();
        let all: Vec<usize> = (0..self.system.kinds().len()).collect();
        let whole: &[&[usize]] = &[&all];
        let stages = if self.system.stages().is_empty() { whole } else { self.system.stages() };
        for (at, kinds) in stages.iter().enumerate() {
            observe(self, Progress::Finding);
            let (seen, unread) = self.find(kinds, &mut report.unreadable);
            report.found += seen.count() as u64;
            let sources: Vec<u32> = self.sources.iter().map(|source| source.number).collect();
            let count = seen.count() as u64;
            let covers = |entry: &ledger::Entry| {
                kinds.contains(&usize::from(entry.kind))
                    && sources.contains(&entry.source)
                    && !unread.iter().any(|(source, prefix)| {
                        *source == entry.source && entry.path.starts_with(prefix.as_str())
                    })
            };
            let system = self.system;
            let work = difference(
                &mut self.ledger,
                seen,
                Covered::Matching(&covers),
                &|entry| parent_of(system, entry),
                force,
            );
            let to_read = work.read.len() as u64;
            observe(self, Progress::Found { stage: at + 1, stages: stages.len(), found: count, to_read });
            let tally = self.work(&work, Some(at + 1), observe)?;
            report.tally.add(&tally);
        }
        observe(self, Progress::Deriving);
        // The readers are done; the statements may have their threads and their memory.
        report.derived = self.derive()?;
        self.note_phase("idle", 0, 0)?;
        report.duration_ms = self.clock.monotonic_ms().saturating_sub(began);
        Ok(report)
    }

    fn derive(&self) -> Result<u64, EngineError> {
        let Self { system, store, settings, .. } = self;
        derive_in_little_memory(*system, store, &settings.derive, settings.threads)
    }

    /// Something that computes the derived tables while this goes on.
    pub(super) fn deriver(&self) -> Result<Deriver, EngineError> {
        Deriver::start(self.system, &self.store, self.settings.derive.clone(), self.settings.threads)
    }

    /// Finds the documents of these kinds. Second: what could not be looked at, as source and prefix of paths.
    fn find(&self, kinds: &[usize], unreadable: &mut Vec<(String, String)>) -> (Seen, Vec<(u32, String)>) {
        let wanted = |kind: usize| kinds.contains(&kind);
        let mut seen = Seen::default();
        let mut unread = Vec::new();
        for source in &self.sources {
            if source.name.is_empty() {
                let walked = walk(self.system, source, &self.ledger, &wanted, self.settings.threads);
                seen.found.extend(walked.seen.found);
                seen.known.extend(walked.seen.known);
                for (folder, reason) in walked.unreadable {
                    unreadable.push((source.root.join(&folder).display().to_string(), reason));
                    unread.push((source.number, folder));
                }
                continue;
            }
            let listed = seen.found.len();
            if let Err(error) = self.list_database(source, &wanted, &mut seen.found) {
                seen.found.truncate(listed);
                unreadable.push((source.path().display().to_string(), error.message));
                unread.push((source.number, String::new()));
            }
        }
        (seen, unread)
    }

    fn list_database(
        &self,
        source: &Source,
        wanted: &dyn Fn(usize) -> bool,
        found: &mut Vec<super::difference::Found>,
    ) -> Result<(), EngineError> {
        let database = ForeignDatabase::open(&source.path())?;
        for (table, _) in tables_of(self.system, &database)? {
            if wanted(table.kind) {
                list_table(&database, source.number, table, found)?;
            }
        }
        Ok(())
    }

    /// Brings the store in step with a few files, or with whole databases (an empty path).
    ///
    /// # Errors
    /// When the store or a database fails.
    pub fn touch(
        &mut self,
        paths: &[(u32, String)],
        observe: &mut dyn FnMut(&Self, Progress),
    ) -> Result<PassReport, EngineError> {
        let began = self.clock.monotonic_ms();
        let mut report = self.take_over(paths, observe)?;
        report.derived = self.derive()?;
        report.duration_ms = self.clock.monotonic_ms().saturating_sub(began);
        Ok(report)
    }

    /// As [`Ingest::touch`], and leaves the derived tables as they are: what is out of date is noted.
    pub(super) fn take_over(
        &mut self,
        paths: &[(u32, String)],
        observe: &mut dyn FnMut(&Self, Progress),
    ) -> Result<PassReport, EngineError> {
        let began = self.clock.monotonic_ms();
        let mut report = PassReport::default();
        let mut found = Vec::new();
        let mut listed: Vec<u32> = Vec::new();
        let mut looked: Vec<u32> = Vec::new();
        for (number, path) in paths {
            let Some(source) = self.sources.iter().find(|source| source.number == *number) else { continue };
            if !source.name.is_empty() {
                if !listed.contains(number) {
                    self.list_database(source, &|_| true, &mut found)?;
                    listed.push(*number);
                }
                continue;
            }
            match look_at(self.system, *number, &source.root, path) {
                Some(file) => found.push(file),
                None => looked.extend(self.ledger.at_path(*number, path)),
            }
        }
        report.found = found.len() as u64;
        if !listed.is_empty() {
            let of_listed = self.ledger.iter().filter(|(_, entry)| listed.contains(&entry.source));
            looked.extend(of_listed.map(|(at, _)| at));
        }
        let covered = Covered::Only(&looked);
        let system = self.system;
        let seen = Seen { found, known: Vec::new() };
        let work = difference(&mut self.ledger, seen, covered, &|entry| parent_of(system, entry), false);
        report.tally = self.work(&work, None, observe)?;
        report.duration_ms = self.clock.monotonic_ms().saturating_sub(began);
        Ok(report)
    }

    /// Documents that could not be read and may be readable soon.
    pub fn waiting(&self) -> Vec<(u32, String)> {
        self.ledger
            .iter()
            .filter(|(_, entry)| entry.outcome == Outcome::Waiting)
            .map(|(_, entry)| (entry.source, entry.path.to_string()))
            .collect()
    }

    /// Does the work, of a stage of a pass or of a few paths.
    fn work(
        &mut self,
        work: &Work,
        stage: Option<usize>,
        observe: &mut dyn FnMut(&Self, Progress),
    ) -> Result<Tally, EngineError> {
        let done = |ingest: &Self, observe: &mut dyn FnMut(&Self, Progress)| {
            if let Some(stage) = stage {
                observe(ingest, Progress::StageDone { stage });
            }
        };
        if work.is_empty() {
            done(self, observe);
            return Ok(Tally::default());
        }
        let now = self.now();
        let position = |number: u32| self.sources.iter().position(|source| source.number == number);
        let tasks: Vec<Task> = work
            .read
            .iter()
            .filter_map(|at| {
                let entry = self.ledger.get(*at)?;
                Some(Task {
                    at: *at,
                    source: position(entry.source)?,
                    path: Arc::clone(&entry.path),
                    kind: entry.kind.into(),
                    id: Arc::clone(&entry.id),
                    parent: entry.parent.clone(),
                    size: entry.stamp.size,
                    generation: entry.generation,
                    known: if entry.has_rows && entry.outcome != Outcome::Superseded {
                        entry.digest
                    } else {
                        0
                    },
                })
            })
            .collect();
        let all_affected = tasks.len() + work.forget.len() > ALL_AFFECTED;
        let (system, threads) = (self.system, self.settings.threads);
        let sources = self.sources.clone();
        let mut ledger = std::mem::take(&mut self.ledger);
        let mut writer = Writer::new(system, &self.store, &mut ledger, all_affected);
        let written = std::thread::scope(|scope| {
            writer.leave(work, now)?;
            let (outlet, chunks) = sync_channel(2);
            let (tasks, sources) = (&tasks, &sources);
            scope.spawn(move || read_all(system, sources, tasks, threads, &outlet));
            let mut failure = None;
            for chunk in chunks {
                match chunk {
                    Ok(chunk) => writer.chunk(chunk, now)?,
                    // What else was read is kept; the failure is told at the end.
                    Err(error) => failure = Some(error),
                }
                let (done, bytes) = (writer.tally.looked_at(), writer.tally.bytes);
                observe(self, Progress::Read { done, of: tasks.len() as u64, bytes });
            }
            done(self, observe);
            writer.commit()?;
            failure.map_or(Ok(()), Err)
        });
        let tally = writer.tally.clone();
        drop(writer);
        self.ledger = ledger;
        written?;
        Ok(tally)
    }

    /// Takes note of where the ingest stands, for who looks at the store.
    ///
    /// # Errors
    /// When the store fails.
    pub fn note_phase(&self, phase: &str, done: u64, total: u64) -> Result<(), EngineError> {
        let number = |count: u64| Parameter::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        self.store.in_transaction(|store| {
            store.execute("DELETE FROM plimsoll_ingest_state", &[])?;
            let sql = "INSERT INTO plimsoll_ingest_state VALUES ($1, $2, $3, $4)";
            let parameters = [phase.into(), number(done), number(total), Parameter::Timestamp(self.now())];
            store.execute(sql, &parameters)?;
            Ok(())
        })
    }

    /// The store, when the ingest is over.
    pub fn into_store(self) -> Analytics {
        self.store
    }
}

/// What a document belongs to, where that may hold the document itself: by a file's path, or as the row says.
fn parent_of(system: &dyn Documents, entry: &Entry) -> Option<(usize, Arc<str>)> {
    let kind = system.parent_kind(entry.kind.into())?;
    let parent = match &entry.parent {
        Some(parent) => Some(Arc::clone(parent)),
        None if entry.generation == Generation::Json => {
            system.identify(&entry.path).and_then(|identity| identity.parent).map(Into::into)
        }
        None => None,
    };
    Some((kind, parent?))
}

/// What a pass would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Documents to read.
    pub read: u64,
    /// Documents to set aside for a better one.
    pub superseded: u64,
    /// Documents to forget.
    pub forgotten: u64,
}

/// What a pass over these roots would do; nothing is written.
///
/// # Errors
/// When the store cannot be read.
pub fn foresee(
    system: &'static dyn Documents,
    store: &Analytics,
    roots: &[PathBuf],
) -> Result<Foreseen, EngineError> {
    let filled = store.table_names()?.contains(ledger::DOCUMENTS.name);
    let store = if filled { store.another()? } else { Analytics::open_in_memory()? };
    if !filled {
        store.create_tables(ledger::TABLES)?;
    }
    let kinds: Vec<&str> = system.kinds().iter().map(|kind| kind.name).collect();
    let ledger = Ledger::load(&store, &kinds)?;
    let settings = IngestSettings { roots: roots.to_vec(), threads: 2, derive: Settings::default() };
    let clock = Arc::new(crate::clock::MachineClock::new());
    let mut open = Ingest { system, store, clock, settings, ledger, sources: Vec::new() };
    open.find_sources(false)?;
    let every: Vec<usize> = (0..system.kinds().len()).collect();
    let (seen, unread) = open.find(&every, &mut Vec::new());
    let sources: Vec<u32> = open.sources.iter().map(|source| source.number).collect();
    let covers = |entry: &ledger::Entry| {
        sources.contains(&entry.source) && !unread.iter().any(|(source, _)| *source == entry.source)
    };
    let work = difference(
        &mut open.ledger,
        seen,
        Covered::Matching(&covers),
        &|entry| parent_of(system, entry),
        false,
    );
    Ok(Foreseen {
        read: work.read.len() as u64,
        superseded: (work.supersede.len() + work.withdraw.len()) as u64,
        forgotten: work.forget.len() as u64,
    })
}

/// Digest and number of rows of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalyticDigest {
    /// The table.
    pub table: &'static str,
    /// Its digest: the sum over its rows, so their order does not matter. Comparable between files of one version of
    /// the database library.
    pub digest: String,
    /// Its rows.
    pub rows: u64,
}

/// The digests of a system's tables: those of documents, then those derived.
///
/// # Errors
/// When a table cannot be read.
pub fn digests(system: &dyn Documents, store: &Analytics) -> Result<Vec<AnalyticDigest>, EngineError> {
    let derived = system.derivations().iter().map(|derivation| derivation.table);
    let tables = system.tables().iter().copied().chain(derived);
    tables
        .map(|table| {
            let sql =
                format!("SELECT count(*), CAST(coalesce(sum(hash(t)), 0) AS VARCHAR) FROM {} t", table.name);
            let rows = store.query(&sql, &[])?.rows;
            let count = rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
            Ok(AnalyticDigest {
                table: table.name,
                digest: ledger::text(&rows[0][1]).to_owned(),
                rows: count,
            })
        })
        .collect()
}

/// True when a folder holds something that the system reads.
pub fn holds_documents(system: &dyn Documents, root: &Path) -> bool {
    system.folders().iter().any(|folder| root.join(folder).is_dir()) || !databases(system, root).is_empty()
}
