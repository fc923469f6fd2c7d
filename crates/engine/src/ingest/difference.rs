//! What has to be done so that the store says what the sources say.
//!
//! Owns the comparison of what was found with the ledger, as a pure function of both: which documents to read, which
//! are superseded by a better one, which are gone. It reads no file and writes nothing.
//!
//! Invariants: of documents with the same kind and identifier exactly one is read, the one of the latest generation,
//! then of the source named last, then of the greatest path; a document that stands as the store has it causes no work.

use std::collections::HashSet;
use std::sync::Arc;

use super::declare::Generation;
use super::ledger::{Entry, Ledger, Outcome, Stamp};

/// A document as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its source.
    pub source: u32,
    /// Path below the source's folder, or table and key.
    pub path: Arc<str>,
    /// Position in the system's kinds.
    pub kind: u8,
    /// Identifier.
    pub id: Arc<str>,
    /// What a row of a database belongs to.
    pub parent: Option<Arc<str>>,
    /// How it was written.
    pub generation: Generation,
    /// As it is now.
    pub stamp: Stamp,
}

/// What there is.
#[derive(Debug, Default)]
pub struct Seen {
    /// Documents that may be new.
    pub found: Vec<Found>,
    /// Documents that are in the ledger, by place, as they are now.
    pub known: Vec<(u32, Stamp)>,
}

impl Seen {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len() + self.known.len()
    }
}

/// The kind and the identifier of what a document belongs to, where that may hold the document itself.
pub type ParentOf<'a> = &'a dyn Fn(&Entry) -> Option<(usize, Arc<str>)>;

/// Which documents of the ledger are gone unless they were found.
#[derive(Clone, Copy)]
pub enum Covered<'a> {
    /// All for which this is true: their places were looked through.
    Matching(&'a dyn Fn(&Entry) -> bool),
    /// Only these: their paths were looked at one by one.
    Only(&'a [u32]),
}

/// What is to do, by place in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Read these, in this order.
    pub read: Vec<u32>,
    /// These are superseded from now on; the better document's rows take the place of theirs.
    pub supersede: Vec<u32>,
    /// These are superseded by what they belong to; their rows go.
    pub withdraw: Vec<u32>,
    /// These are gone. Their rows go too when no document with the same identity is left.
    pub forget: Vec<u32>,
}

impl Work {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
            && self.supersede.is_empty()
            && self.withdraw.is_empty()
            && self.forget.is_empty()
    }
}

/// Compares what was seen with the ledger. `covered` tells which documents of the ledger would have been found if
/// they were still there; others are left alone. With `force`, stamps are not believed.
///
/// New documents get a place in the ledger, and known ones their new stamp when they are to be read.
pub fn difference(
    ledger: &mut Ledger,
    seen: Seen,
    covered: Covered<'_>,
    parent_of: ParentOf<'_>,
    force: bool,
) -> Work {
    let Seen { found, known } = seen;
    ledger.reserve(found.len());
    let mut present = vec![false; ledger.places() + found.len()];
    let mut stamps: Vec<(u32, Stamp)> = Vec::with_capacity(found.len() + known.len());
    let mut take = |at: u32, stamp| {
        if !std::mem::replace(&mut present[at as usize], true) {
            stamps.push((at, stamp));
        }
    };
    known.into_iter().for_each(|(at, stamp)| take(at, stamp));
    for one in found {
        let at = match ledger.at_path(one.source, &one.path) {
            Some(at) => {
                if let Some(entry) = ledger.get_mut(at) {
                    entry.parent = one.parent;
                }
                at
            }
            None => ledger.insert(Entry {
                source: one.source,
                path: one.path,
                kind: one.kind,
                id: one.id,
                parent: one.parent,
                generation: one.generation,
                stamp: one.stamp,
                digest: 0,
                outcome: Outcome::New,
                has_rows: false,
                attempts: 0,
                ingested_at: 0,
                line: 0,
            }),
        };
        take(at, one.stamp);
    }
    let is_present = |at: u32| present[at as usize];
    let gone: Vec<u32> = match covered {
        Covered::Matching(covers) => {
            ledger.iter().filter(|(at, entry)| !is_present(*at) && covers(entry)).map(|(at, _)| at).collect()
        }
        Covered::Only(places) => places.iter().copied().filter(|at| !is_present(*at)).collect(),
    };
    let gone_set: HashSet<u32> = gone.iter().copied().collect();
    let mut work = Work { forget: gone, ..Work::default() };
    // A document that is gone leaves its place to the next best one, which may not have been looked at now.
    let mut heirs: HashSet<u32> = HashSet::new();
    for at in &work.forget {
        if let Some(heir) = winner(ledger, *at, &gone_set) {
            heirs.insert(heir);
        }
    }
    for (at, stamp) in stamps {
        heirs.remove(&at);
        let best = winner(ledger, at, &gone_set);
        if overruled(ledger, at, &gone_set, parent_of) {
            if let Some(entry) = ledger.get_mut(at)
                && (entry.outcome != Outcome::Superseded || entry.stamp != stamp)
            {
                entry.stamp = stamp;
                work.withdraw.push(at);
            }
            continue;
        }
        let Some(entry) = ledger.get_mut(at) else { continue };
        if best == Some(at) {
            if force || !entry.is_settled_at(stamp) {
                entry.stamp = stamp;
                work.read.push(at);
            }
        } else {
            // The better one takes over the rows, so it is read even when it stands as it was.
            if let Some(best) = best {
                let takes_over = entry.has_rows && !is_present(best);
                if takes_over {
                    heirs.insert(best);
                }
            }
            let Some(entry) = ledger.get_mut(at) else { continue };
            if entry.outcome != Outcome::Superseded || entry.stamp != stamp {
                entry.stamp = stamp;
                work.supersede.push(at);
            }
        }
    }
    let unread = |at: &u32| {
        ledger.get(*at).is_some_and(|entry| !matches!(entry.outcome, Outcome::Stored | Outcome::Quarantined))
    };
    work.read.extend(heirs.into_iter().filter(unread));
    work.read.retain(|at| !overruled(ledger, *at, &gone_set, parent_of));
    let ledger = &*ledger;
    let order = |at: &u32| ledger.get(*at).map(|entry| (entry.kind, entry.source, &*entry.path));
    work.read.sort_by(|a, b| order(a).cmp(&order(b)));
    work.supersede.sort_by(|a, b| order(a).cmp(&order(b)));
    work.withdraw.sort_by(|a, b| order(a).cmp(&order(b)));
    work.forget.sort_by(|a, b| order(a).cmp(&order(b)));
    work
}

/// What decides between documents that are the same one; the greatest wins.
fn rank(ledger: &Ledger, at: u32) -> Option<(Generation, u32, &str)> {
    ledger.get(at).map(|entry| (entry.generation, entry.source, &*entry.path))
}

/// True when what the document belongs to is there in the latest generation and holds what it held.
fn overruled(ledger: &Ledger, at: u32, gone: &HashSet<u32>, parent_of: ParentOf<'_>) -> bool {
    if !ledger.has_latest() {
        return false;
    }
    let Some(entry) = ledger.get(at).filter(|entry| entry.generation < Generation::SqliteV2) else {
        return false;
    };
    let Some((kind, parent)) = parent_of(entry) else { return false };
    let kind = u8::try_from(kind).unwrap_or(u8::MAX);
    ledger.find(kind, &parent).iter().any(|parent| {
        !gone.contains(parent)
            && ledger.get(*parent).is_some_and(|parent| parent.generation == Generation::SqliteV2)
    })
}

/// The best of the documents that are the same one as `at` and not gone.
pub fn winner(ledger: &Ledger, at: u32, gone: &HashSet<u32>) -> Option<u32> {
    let same = ledger.same(at);
    if let [only] = same {
        return (!gone.contains(only)).then_some(*only);
    }
    same.iter()
        .copied()
        .filter(|at| !gone.contains(at))
        .max_by(|a, b| rank(ledger, *a).cmp(&rank(ledger, *b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: u32, path: &str, id: &str, generation: Generation, modified: i64) -> Found {
        Found {
            source,
            path: path.into(),
            kind: 0,
            id: id.into(),
            parent: None,
            generation,
            stamp: Stamp { size: 1, modified, inode: 1 },
        }
    }

    fn seen(found: Vec<Found>) -> Seen {
        Seen { found, known: Vec::new() }
    }

    /// Does the work, as the writer would.
    fn settle(ledger: &mut Ledger, work: &Work) -> Vec<String> {
        let mut told = Vec::new();
        for at in &work.forget {
            let entry = ledger.get(*at).unwrap();
            told.push(format!("forget {}", entry.path));
            ledger.remove(*at);
        }
        for at in &work.supersede {
            let entry = ledger.get_mut(*at).unwrap();
            entry.outcome = Outcome::Superseded;
            entry.has_rows = false;
            told.push(format!("supersede {}", entry.path));
        }
        for at in &work.read {
            let entry = ledger.get_mut(*at).unwrap();
            entry.outcome = Outcome::Stored;
            entry.has_rows = true;
            entry.ingested_at = i64::MAX;
            told.push(format!("read {}", entry.path));
        }
        told
    }

    fn pass(ledger: &mut Ledger, found: Vec<Found>) -> Vec<String> {
        let work = difference(ledger, seen(found), Covered::Matching(&|_| true), &|_| None, false);
        settle(ledger, &work)
    }

    #[test]
    fn the_better_of_two_is_read_and_leaves_its_place_to_the_other() {
        let mut ledger = Ledger::default();
        let json = || found(1, "a.json", "a", Generation::Json, 1);
        let row = || found(2, "message/a", "a", Generation::SqliteV1, 1);
        assert_eq!(pass(&mut ledger, vec![json()]), ["read a.json"]);
        assert_eq!(pass(&mut ledger, vec![json()]), [""; 0]);
        assert_eq!(pass(&mut ledger, vec![json(), row()]), ["supersede a.json", "read message/a"]);
        assert_eq!(pass(&mut ledger, vec![json(), row()]), [""; 0]);
        assert_eq!(pass(&mut ledger, vec![json()]), ["forget message/a", "read a.json"]);
        assert_eq!(pass(&mut ledger, vec![]), ["forget a.json"]);
        assert!(ledger.is_empty());
    }

    #[test]
    fn what_changed_is_read_again_and_what_is_not_covered_is_left() {
        let mut ledger = Ledger::default();
        let at = |modified| vec![found(1, "a.json", "a", Generation::Json, modified)];
        pass(&mut ledger, at(1));
        assert_eq!(pass(&mut ledger, at(2)), ["read a.json"]);
        let nothing = Covered::Matching(&|_| false);
        assert!(difference(&mut ledger, seen(vec![]), nothing, &|_| None, false).is_empty());
        let everything = Covered::Matching(&|_| true);
        assert_eq!(difference(&mut ledger, seen(at(2)), everything, &|_| None, true).read.len(), 1);
    }

    #[test]
    fn a_document_seen_by_its_place_is_as_good_as_one_found_by_its_path() {
        let mut ledger = Ledger::default();
        pass(&mut ledger, vec![found(1, "a.json", "a", Generation::Json, 1)]);
        let place = ledger.at_path(1, "a.json").unwrap();
        let mut look = |modified| {
            let known = vec![(place, Stamp { size: 1, modified, inode: 1 })];
            let work = difference(
                &mut ledger,
                Seen { found: Vec::new(), known },
                Covered::Matching(&|_| true),
                &|_| None,
                false,
            );
            settle(&mut ledger, &work)
        };
        assert_eq!(look(1), [""; 0]);
        assert_eq!(look(2), ["read a.json"]);
    }

    #[test]
    fn a_file_read_right_after_it_was_written_is_read_once_more() {
        let mut ledger = Ledger::default();
        let file = || vec![found(1, "a.json", "a", Generation::Json, 5_000_000_000)];
        pass(&mut ledger, file());
        let at = ledger.at_path(1, "a.json").unwrap();
        ledger.get_mut(at).unwrap().ingested_at = 5_000_001;
        assert_eq!(pass(&mut ledger, file()), ["read a.json"]);
        assert_eq!(pass(&mut ledger, file()), [""; 0]);
    }
}
