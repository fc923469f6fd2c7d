//! Writing a planned store: sessions are made by several threads, files are written by whichever made
//! them, databases by one thread and in the order of the plan.
//!
//! Owns the threads and the list of sources. It decides nothing about content.
//!
//! Invariant: which thread makes a session changes no byte of the store (a write-ahead log aside, whose
//! salt SQLite draws itself).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::database::{self, Batch, Database};
use super::manifest::SourceCount;
use super::session::{Maker, Session};
use super::stale;
use super::tally::Tally;
use super::tree::Tree;
use super::{Error, newest};
use crate::random::Random;

/// What one session adds to the databases.
#[derive(Debug, Default)]
struct Batches {
    main: Option<Batch>,
    beta: Option<Batch>,
}

/// The databases of a store.
struct Databases {
    main: Database,
    has_newest: bool,
    beta: Option<(Database, PathBuf)>,
}

/// Writes the whole store into `root`; returns the tally and what each source holds.
pub(super) fn write(
    maker: &Maker<'_>,
    root: &Path,
    canary: &str,
) -> Result<(Tally, Vec<SourceCount>), Error> {
    let placements = || maker.plan.sessions.iter().map(|outline| outline.placement);
    let since = maker.plan.sessions.iter().map(|outline| outline.created).min().unwrap_or(0);
    let storage = placements().any(|placement| placement.json).then(|| root.join("storage"));
    let mut sources = Vec::new();
    if let Some(storage) = &storage {
        let mut tree = Tree::new(storage);
        tree.begin(&maker.plan.projects, since)?;
        sources.push(tree.count);
    }
    let databases = open(maker, root, canary, since)?;
    let (sender, receiver) = sync_channel(4);
    let next = AtomicUsize::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
    thread::scope(|scope| {
        let sender = databases.is_some().then_some(sender);
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let (sender, storage, next) = (sender.clone(), storage.as_deref(), &next);
                scope.spawn(move || work(maker, storage, sender.as_ref(), next))
            })
            .collect();
        drop(sender);
        let written = databases.map_or_else(|| Ok(Vec::new()), |databases| in_order(databases, receiver));
        let mut tally = Tally::default();
        for worker in workers {
            let (more, count) = worker.join().map_err(|_| Error::Thread)??;
            tally.add(more);
            if let (Some(files), Some(count)) = (sources.first_mut(), count) {
                files.add(&count);
            }
        }
        sources.extend(written?);
        Ok((tally, sources))
    })
}

fn open(maker: &Maker<'_>, root: &Path, canary: &str, since: u64) -> Result<Option<Databases>, Error> {
    let any = |test: fn(&super::placement::Placement) -> bool| {
        maker.plan.sessions.iter().any(|outline| test(&outline.placement))
    };
    let (has_newest, has_beta) = (any(|placement| placement.newest), any(|placement| placement.beta));
    if !has_newest && !has_beta && !any(|placement| placement.main) {
        return Ok(None);
    }
    let mut main = Database::create(&root.join("opencode.db"), "opencode.db", has_newest, canary)?;
    main.projects(&maker.plan.projects, since)?;
    let beta = if has_beta {
        let mut beta =
            Database::create(&root.join("opencode-beta.db.writing"), "opencode-beta.db", false, canary)?;
        beta.keep_log()?;
        beta.projects(&maker.plan.projects, since)?;
        Some((beta, root.join("opencode-beta.db")))
    } else {
        None
    };
    Ok(Some(Databases { main, has_newest, beta }))
}

/// Makes sessions until there are none left.
fn work(
    maker: &Maker<'_>,
    storage: Option<&Path>,
    sender: Option<&SyncSender<(usize, Batches)>>,
    next: &AtomicUsize,
) -> Result<(Tally, Option<SourceCount>), Error> {
    let mut tally = Tally::default();
    let mut tree = storage.map(Tree::new);
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        if index >= maker.plan.sessions.len() {
            return Ok((tally, tree.map(|tree| tree.count)));
        }
        let session = maker.session(index);
        let placement = session.outline.placement;
        if let (true, Some(tree)) = (placement.json, &mut tree) {
            if placement.has_stale_files() {
                tree.session(&stale::older(&session))?;
            } else {
                tree.session(&session)?;
            }
        }
        if let Some(sender) = sender
            && sender.send((index, batches(maker, &session))).is_err()
        {
            // The thread that writes has failed and says why.
            return Ok((tally, None));
        }
        tally.session(&session);
    }
}

fn batches(maker: &Maker<'_>, session: &Session<'_>) -> Batches {
    let placement = session.outline.placement;
    let worktree = maker.plan.projects[session.outline.project].worktree;
    let first = || Some(database::rows(session, worktree));
    let mut batches = Batches::default();
    if placement.main || placement.newest {
        let mut batch = Batch { first: placement.main.then(first).flatten(), ..Batch::default() };
        if placement.newest {
            let random = Random::named(maker.settings.seed, &["newest", &session.outline.index.to_string()]);
            let (rows, messages) = newest::rows(session, maker.plan, random);
            (batch.second, batch.second_messages) = (Some(rows), messages);
        }
        batches.main = Some(batch);
    }
    if placement.beta {
        batches.beta = Some(Batch { first: first(), ..Batch::default() });
    }
    batches
}

/// Writes what arrives in the order of the plan.
fn in_order(
    mut databases: Databases,
    receiver: Receiver<(usize, Batches)>,
) -> Result<Vec<SourceCount>, Error> {
    let mut early: BTreeMap<usize, Batches> = BTreeMap::new();
    let mut next = 0;
    for (index, batches) in receiver {
        early.insert(index, batches);
        while let Some(batches) = early.remove(&next) {
            if let Some(batch) = &batches.main {
                databases.main.write(batch)?;
            }
            if let (Some(batch), Some((beta, _))) = (&batches.beta, &mut databases.beta) {
                beta.write(batch)?;
            }
            next += 1;
        }
    }
    let (first, second) = databases.main.close()?;
    let mut counts = vec![first];
    counts.extend(databases.has_newest.then_some(second));
    if let Some((beta, to)) = databases.beta {
        counts.push(beta.close_with_log(&to)?.0);
    }
    Ok(counts)
}
