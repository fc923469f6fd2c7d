//! Writing what was read: rows and ledger in one transaction.
//!
//! Owns deleting a document's old rows, appending its new ones, its line in the ledger, and noting the scopes whose
//! derived rows are out of date. Nothing else writes to the tables of documents.
//!
//! Invariant: whatever moment the process dies at, the ledger says exactly which documents' rows are in the tables.

use std::collections::{BTreeMap, HashSet};

use plimsoll_store::StoreError;
use plimsoll_store::duckdb::{Analytics, Parameter};

use super::declare::{Documents, Refusal, RowBuffer};
use super::derive::note_all;
use super::difference::Work;
use super::ledger::{self, Entry, Ledger, Outcome};
use super::reader::{Chunk, Reading};
use crate::error::EngineError;

/// Documents written before a transaction ends, at most.
const TRANSACTION_DOCUMENTS: usize = 40_000;
/// Bytes read before a transaction ends, about. Full row groups go to the file as they come; a commit writes what is left
/// of each table, and the next one writes that again.
const TRANSACTION_BYTES: u64 = 192 << 20;
/// A document that cannot be read and has not changed for so long is quarantined.
pub(crate) const SETTLE_US: i64 = 2_000_000;

/// What a pass did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// Documents whose rows were written.
    pub stored: u64,
    /// Documents whose content was what the store has.
    pub unchanged: u64,
    /// Documents superseded by a better one.
    pub superseded: u64,
    /// Documents that are gone.
    pub forgotten: u64,
    /// Documents that cannot be read yet.
    pub waiting: u64,
    /// Documents that cannot be read.
    pub quarantined: u64,
    /// Bytes read.
    pub bytes: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.stored += other.stored;
        self.unchanged += other.unchanged;
        self.superseded += other.superseded;
        self.forgotten += other.forgotten;
        self.waiting += other.waiting;
        self.quarantined += other.quarantined;
        self.bytes += other.bytes;
    }

    /// Documents that were read or tried.
    pub fn looked_at(&self) -> u64 {
        self.stored + self.unchanged + self.waiting + self.quarantined
    }

    /// True when the store was left as it was.
    pub fn is_nothing(&self) -> bool {
        *self == Self { bytes: self.bytes, unchanged: self.unchanged, ..Self::default() }
    }
}

/// Writes within one pass.
pub(crate) struct Writer<'a> {
    system: &'a dyn Documents,
    store: &'a Analytics,
    ledger: &'a mut Ledger,
    /// Every scope is out of date anyway.
    all_affected: bool,
    /// New state of documents, applied to the ledger in memory when the transaction is committed.
    pending: Vec<(u32, Option<Entry>)>,
    lines: RowBuffer,
    old_lines: Vec<i64>,
    unknown: BTreeMap<String, u64>,
    open: bool,
    documents: usize,
    bytes: u64,
    /// What was done so far, committed or not.
    pub(crate) tally: Tally,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        system: &'a dyn Documents,
        store: &'a Analytics,
        ledger: &'a mut Ledger,
        all_affected: bool,
    ) -> Self {
        Self {
            system,
            store,
            ledger,
            all_affected,
            pending: Vec::new(),
            lines: RowBuffer::new(&ledger::DOCUMENTS),
            old_lines: Vec::new(),
            unknown: BTreeMap::new(),
            open: false,
            documents: 0,
            bytes: 0,
            tally: Tally::default(),
        }
    }

    fn begin(&mut self) -> Result<(), EngineError> {
        if !self.open {
            self.store.begin()?;
            self.open = true;
            if self.all_affected {
                note_all(self.store)?;
            }
        }
        Ok(())
    }

    /// Takes the documents that are gone, or superseded, out of the store.
    pub(crate) fn leave(&mut self, work: &Work, now: i64) -> Result<(), EngineError> {
        let Work { forget, supersede, withdraw, .. } = work;
        if forget.is_empty() && supersede.is_empty() && withdraw.is_empty() {
            return Ok(());
        }
        self.begin()?;
        let going: HashSet<u32> = forget.iter().copied().collect();
        let mut orphaned: Vec<(usize, String)> = Vec::new();
        for at in forget {
            let Some(entry) = self.ledger.get(*at) else { continue };
            // An heir is read later in this pass, perhaps in another transaction: the rows go now.
            let stays = |other: &u32| {
                !going.contains(other)
                    && self.ledger.get(*other).is_some_and(|other| other.outcome == Outcome::Stored)
            };
            if entry.has_rows && !self.ledger.same(*at).iter().any(stays) {
                orphaned.push((entry.kind.into(), entry.id.to_string()));
            }
            if entry.line != 0 {
                self.old_lines.push(entry.line);
            }
            self.pending.push((*at, None));
            self.tally.forgotten += 1;
        }
        for at in withdraw {
            let Some(mut entry) = self.ledger.get(*at).cloned() else { continue };
            if entry.has_rows {
                orphaned.push((entry.kind.into(), entry.id.to_string()));
            }
            entry.outcome = Outcome::Superseded;
            entry.ingested_at = now;
            entry.attempts = 0;
            entry.digest = 0;
            entry.has_rows = false;
            self.line(*at, entry, Some(("superseded", "what it belongs to holds it, written later")))?;
            self.tally.superseded += 1;
        }
        self.delete_rows(&orphaned)?;
        for at in supersede {
            let Some(mut entry) = self.ledger.get(*at).cloned() else { continue };
            entry.outcome = Outcome::Superseded;
            entry.ingested_at = now;
            entry.attempts = 0;
            // Its rows, if it has any, stay until the better one's are written; the digest remembers them.
            if !entry.has_rows {
                entry.digest = 0;
            }
            self.line(
                *at,
                entry,
                Some(("superseded", "another source has the same document, written later")),
            )?;
            self.tally.superseded += 1;
        }
        Ok(())
    }

    /// Writes a chunk.
    pub(crate) fn chunk(&mut self, mut chunk: Chunk, now: i64) -> Result<(), EngineError> {
        self.begin()?;
        let mut replaced: Vec<(usize, String)> = Vec::new();
        let mut read: Vec<(usize, String)> = Vec::new();
        let mut settled: Vec<(u32, Entry, Option<Refusal>)> = Vec::new();
        for (at, reading) in std::mem::take(&mut chunk.readings) {
            let Some(mut entry) = self.ledger.get(at).cloned() else { continue };
            let name = (usize::from(entry.kind), entry.id.to_string());
            let rows_there = self
                .ledger
                .same(at)
                .iter()
                .any(|other| self.ledger.get(*other).is_some_and(|other| other.has_rows));
            self.documents += 1;
            let mut problem = None;
            match reading {
                Reading::Gone => continue,
                Reading::Same { bytes } => {
                    entry.outcome = Outcome::Stored;
                    entry.attempts = 0;
                    self.tally.unchanged += 1;
                    self.bytes += bytes;
                    self.tally.bytes += bytes;
                }
                Reading::Rows { digest, bytes } => {
                    if rows_there {
                        replaced.push(name.clone());
                    }
                    if !self.all_affected {
                        read.push(name);
                    }
                    entry.outcome = Outcome::Stored;
                    entry.digest = digest;
                    entry.has_rows = true;
                    entry.attempts = 0;
                    self.tally.stored += 1;
                    self.bytes += bytes;
                    self.tally.bytes += bytes;
                }
                Reading::Refused(refusal) => {
                    entry.attempts += 1;
                    if now.saturating_sub(entry.stamp.modified / 1_000) < SETTLE_US {
                        entry.outcome = Outcome::Waiting;
                        self.tally.waiting += 1;
                    } else {
                        entry.outcome = Outcome::Quarantined;
                        if rows_there {
                            replaced.push(name);
                        }
                        entry.digest = 0;
                        entry.has_rows = false;
                        self.tally.quarantined += 1;
                    }
                    problem = Some(refusal);
                }
            }
            entry.ingested_at = now;
            settled.push((at, entry, problem));
        }
        self.delete_rows(&replaced)?;
        for rows in chunk.rows.buffers_mut() {
            self.store.append(rows)?;
        }
        self.affect(&read)?;
        for (at, entry, problem) in settled {
            self.line(at, entry, problem.as_ref().map(|problem| (problem.class, problem.reason.as_str())))?;
        }
        for (place, count) in std::mem::take(&mut chunk.rows.unknown) {
            *self.unknown.entry(place).or_insert(0) += count;
        }
        if self.documents >= TRANSACTION_DOCUMENTS || self.bytes >= TRANSACTION_BYTES {
            self.commit()?;
        }
        Ok(())
    }

    /// Gives a document its new line; the old one goes.
    fn line(&mut self, at: u32, mut entry: Entry, problem: Option<(&str, &str)>) -> Result<(), EngineError> {
        if entry.line != 0 {
            self.old_lines.push(entry.line);
        }
        entry.line = self.ledger.new_line();
        let kind = self.system.kinds()[usize::from(entry.kind)].name;
        ledger::push_line(&mut self.lines, &entry, kind, problem)?;
        self.pending.push((at, Some(entry)));
        Ok(())
    }

    /// Notes the scopes of these documents, as their rows are now.
    fn affect(&mut self, documents: &[(usize, String)]) -> Result<(), EngineError> {
        if self.all_affected {
            return Ok(());
        }
        for (kind, ids) in by_kind(documents) {
            let kind = &self.system.kinds()[kind];
            let Some((table, scope)) = kind.scope else { continue };
            let Some((_, column)) = kind.tables.iter().find(|(found, _)| std::ptr::eq(*found, table)) else {
                continue;
            };
            let sql = format!(
                "INSERT INTO plimsoll_ingest_affected SELECT DISTINCT {scope} FROM {} WHERE {column} IN
                 (SELECT unnest(from_json($1, '[\"VARCHAR\"]'))) AND {scope} IS NOT NULL",
                table.name
            );
            self.store.execute(&sql, &[Parameter::Text(ids)])?;
        }
        Ok(())
    }

    /// Deletes the rows of these documents, after noting their scopes.
    fn delete_rows(&mut self, documents: &[(usize, String)]) -> Result<(), EngineError> {
        if documents.is_empty() {
            return Ok(());
        }
        self.affect(documents)?;
        if !self.all_affected {
            spread(self.system, self.store)?;
        }
        for (kind, ids) in by_kind(documents) {
            for (table, column) in self.system.kinds()[kind].tables {
                let sql = format!(
                    "DELETE FROM {} WHERE {column} IN (SELECT unnest(from_json($1, '[\"VARCHAR\"]')))",
                    table.name
                );
                self.store.execute(&sql, &[Parameter::Text(ids.clone())])?;
            }
        }
        Ok(())
    }

    /// Commits what was written, and lets the ledger in memory know.
    pub(crate) fn commit(&mut self) -> Result<(), EngineError> {
        if !self.open {
            return Ok(());
        }
        if !self.old_lines.is_empty() {
            let lines = serde_json::to_string(&self.old_lines)?;
            let sql = "DELETE FROM plimsoll_ingest_document WHERE line IN (SELECT unnest(from_json($1, '[\"BIGINT\"]')))";
            self.store.execute(sql, &[Parameter::Text(lines)])?;
            self.old_lines.clear();
        }
        self.store.append(&mut self.lines)?;
        for (place, count) in std::mem::take(&mut self.unknown) {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            let sql = "UPDATE plimsoll_ingest_unknown SET occurrences = occurrences + $2 WHERE place = $1";
            let place = Parameter::Text(place);
            if self.store.execute(sql, &[place.clone(), count.into()])? == 0 {
                let sql = "INSERT INTO plimsoll_ingest_unknown VALUES ($1, $2)";
                self.store.execute(sql, &[place, count.into()])?;
            }
        }
        self.store.commit()?;
        self.open = false;
        self.documents = 0;
        self.bytes = 0;
        for (at, entry) in std::mem::take(&mut self.pending) {
            match entry {
                None => self.ledger.remove(at),
                Some(entry) => {
                    // Whoever had the rows before has them no more.
                    if entry.outcome == Outcome::Stored || entry.outcome == Outcome::Quarantined {
                        for other in self.ledger.same(at).to_vec() {
                            if let Some(other) = self.ledger.get_mut(other) {
                                other.has_rows = false;
                            }
                        }
                    }
                    if let Some(place) = self.ledger.get_mut(at) {
                        *place = entry;
                    }
                }
            }
        }
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if self.open {
            self.store.rollback();
        }
    }
}

/// Adds the scopes that depend on those noted as out of date. Those noted already are noted again: a computation under
/// way may be about to take their notes away.
pub(crate) fn spread(system: &dyn Documents, store: &Analytics) -> Result<(), StoreError> {
    if system.spread().is_empty() {
        return Ok(());
    }
    fill_affected(store)?;
    for statement in system.spread() {
        store.execute(statement, &[])?;
    }
    let sql = "INSERT INTO plimsoll_ingest_affected SELECT DISTINCT scope_id FROM affected
        WHERE scope_id IS NOT NULL";
    store.execute(sql, &[]).map(drop)
}

/// Puts the scopes noted as out of date into the temporary table that derivations name.
pub(crate) fn fill_affected(store: &Analytics) -> Result<(), StoreError> {
    store.run_script("CREATE TEMP TABLE IF NOT EXISTS affected (scope_id VARCHAR); DELETE FROM affected;")?;
    store
        .execute("INSERT INTO affected SELECT DISTINCT scope_id FROM plimsoll_ingest_affected", &[])
        .map(drop)
}

fn by_kind(documents: &[(usize, String)]) -> BTreeMap<usize, String> {
    let mut kinds: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (kind, id) in documents {
        kinds.entry(*kind).or_default().push(id);
    }
    kinds
        .into_iter()
        // A list of texts is always JSON.
        .map(|(kind, ids)| (kind, serde_json::to_string(&ids).unwrap_or_else(|_| "[]".into())))
        .collect()
}
