//! Bulk and live together: listen first, then pass over everything, then follow what is heard.
//!
//! Owns the hand-off. What happens while the pass runs is queued and looked at after it; what notifications miss, a
//! pass now and then repairs. Rows are committed and told at once; what is computed from them follows in another
//! thread, so that no document waits for a computation. Any moment is a good one to stop or to die at: what is out of
//! date is noted in the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::deriver::{Derived, Deriver};
use super::run::{Ingest, PassReport, Progress};
use super::sync_state::SyncState;
use super::watch::{Heard, Watcher};
use crate::error::EngineError;

/// How the ingest follows changes.
#[derive(Debug, Clone, Copy)]
pub struct WatchSettings {
    /// Changes that come within this time are taken together.
    pub gather: Duration,
    /// How often everything is compared, whatever was heard.
    pub reconcile_every: Duration,
}

impl Default for WatchSettings {
    fn default() -> Self {
        Self { gather: Duration::from_millis(12), reconcile_every: Duration::from_secs(60) }
    }
}

/// What is told while changes are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Live {
    /// A pass tells of itself.
    Pass(Progress),
    /// The first pass, or one that repairs, ended.
    Passed(PassReport),
    /// Listening to so many folders; some roots may be deaf.
    Listening(usize, Vec<String>),
    /// Changes were taken over: their rows are in the tables of documents.
    Touched(PassReport),
    /// The derived tables are in step with what was taken over before.
    Derived(Derived),
    /// Notifications were lost; a pass follows.
    Lost(String),
}

/// How often documents that could not be read are tried again.
const RETRY: Duration = Duration::from_millis(300);
/// How long to listen before looking up; shorter while a computation is to be told.
const LISTEN: Duration = Duration::from_millis(50);
const LISTEN_BUSY: Duration = Duration::from_millis(5);

impl Ingest {
    /// Follows the sources until `stop` is set. The bulk lock of `state` is held during passes.
    ///
    /// # Errors
    /// When the store fails, or another pass of this process holds the lock.
    pub fn watch(
        &mut self,
        state: &SyncState,
        stop: &AtomicBool,
        settings: WatchSettings,
        observe: &mut dyn FnMut(&Self, Live),
    ) -> Result<(), EngineError> {
        loop {
            let (outlet, inlet) = channel();
            let watcher = Watcher::start(self.system(), self.sources(), outlet)?;
            let deaf = watcher.deaf.iter().map(|(root, why)| format!("{}: {why}", root.display())).collect();
            observe(self, Live::Listening(watcher.folders, deaf));
            self.locked_pass(state, observe)?;
            self.note_phase("live", 0, 0)?;
            let mut deriver = self.deriver()?;
            let changed = self.follow(&inlet, state, stop, settings, &mut deriver, observe)?;
            self.finish(&mut deriver, observe)?;
            // A new database is a new source: everything is set up again.
            if !changed {
                self.note_phase("idle", 0, 0)?;
                return Ok(());
            }
        }
    }

    fn locked_pass(
        &mut self,
        state: &SyncState,
        observe: &mut dyn FnMut(&Self, Live),
    ) -> Result<(), EngineError> {
        let Some(_lock) = state.acquire_bulk_lock() else {
            return Err(EngineError::refused("another pass over the same store is running"));
        };
        let report = self.pass(false, &mut |ingest, progress| observe(ingest, Live::Pass(progress)))?;
        observe(self, Live::Passed(report));
        Ok(())
    }

    /// Waits for the computation under way; then this thread may write to the derived tables.
    fn finish(&self, deriver: &mut Deriver, observe: &mut dyn FnMut(&Self, Live)) -> Result<(), EngineError> {
        if let Some(derived) = deriver.finish()? {
            observe(self, Live::Derived(derived));
        }
        Ok(())
    }

    /// Takes over what is heard; true when the sources changed, false when it was asked to stop.
    fn follow(
        &mut self,
        inlet: &Receiver<Heard>,
        state: &SyncState,
        stop: &AtomicBool,
        settings: WatchSettings,
        deriver: &mut Deriver,
        observe: &mut dyn FnMut(&Self, Live),
    ) -> Result<bool, EngineError> {
        let mut compared = Instant::now();
        let mut tried: HashMap<(u32, String), Instant> = HashMap::new();
        // Looked up after each change only: the ledger is long.
        let mut waiting = self.waiting();
        while !stop.load(Ordering::Relaxed) {
            if let Some(derived) = deriver.poll()? {
                observe(self, Live::Derived(derived));
            }
            let mut paths = BTreeSet::new();
            let mut lost = None;
            let mut wait = if deriver.is_busy() { LISTEN_BUSY } else { LISTEN };
            let mut gathering: Option<Instant> = None;
            loop {
                match inlet.recv_timeout(wait) {
                    Ok(Heard::Changed(source, path)) => drop(paths.insert((source, path))),
                    Ok(Heard::NewDatabase) => return Ok(true),
                    Ok(Heard::Lost(why)) => lost = Some(why),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => {
                        lost = Some("the watcher ended".into());
                        break;
                    }
                }
                let began = *gathering.get_or_insert_with(Instant::now);
                // A steady stream is cut, so that what came first is not kept waiting.
                wait = settings.gather.saturating_sub(began.elapsed());
                if wait.is_zero() {
                    break;
                }
            }
            let now = Instant::now();
            for key in &waiting {
                let due = tried.get(key).is_none_or(|at| now.duration_since(*at) >= RETRY);
                if due {
                    tried.insert(key.clone(), now);
                    paths.insert(key.clone());
                }
            }
            tried.retain(|_, at| now.duration_since(*at) < RETRY * 4);
            if !paths.is_empty() {
                while !state.wait_for_bulk_completion(Duration::from_millis(100)) {
                    if stop.load(Ordering::Relaxed) {
                        return Ok(false);
                    }
                }
                let paths: Vec<(u32, String)> = paths.into_iter().collect();
                let report = self.take_over(&paths, &mut |_, _| {})?;
                waiting = self.waiting();
                if !report.tally.is_nothing() {
                    deriver.ask();
                    observe(self, Live::Touched(report));
                }
            }
            if let Some(why) = lost {
                observe(self, Live::Lost(why));
                return Ok(true);
            }
            if compared.elapsed() >= settings.reconcile_every {
                self.finish(deriver, observe)?;
                self.locked_pass(state, observe)?;
                waiting = self.waiting();
                self.note_phase("live", 0, 0)?;
                compared = Instant::now();
            }
        }
        Ok(false)
    }
}
