//! The source of a trial: asked once, replayed from then on.
//!
//! Owns the recording of everything that a system can learn from a source - answers, refusals, the source's
//! time and its budget - and the replay of exactly that. The answers lie in a folder, as
//! [`crate::source::directory`] saves them; the rest is remembered.
//!
//! Invariant: a question that was answered or refused while recording is answered or refused the same way in
//! every replay.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::error::EngineError;
use crate::source::directory::{DirectoryFetch, SavingFetch, file_of};
use crate::source::{Fetch, FetchError, FetchStatistics, Query};

/// What a recorded source said.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    folder: PathBuf,
    refused: HashMap<PathBuf, String>,
    budgets: Vec<Option<u64>>,
    now: Option<String>,
    /// What was asked while recording.
    pub(crate) statistics: FetchStatistics,
}

struct Borrowed<'source>(&'source mut dyn Fetch);

impl Fetch for Borrowed<'_> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        self.0.get(query)
    }

    fn budget_left(&self) -> Option<u64> {
        self.0.budget_left()
    }

    fn statistics(&self) -> FetchStatistics {
        self.0.statistics()
    }

    fn now(&self) -> Option<String> {
        self.0.now()
    }
}

/// Passes questions on and remembers what was said.
pub(crate) struct Recording<'source> {
    inner: SavingFetch<Borrowed<'source>>,
    folder: PathBuf,
    refused: HashMap<PathBuf, String>,
    budgets: RefCell<Vec<Option<u64>>>,
    now: RefCell<Option<String>>,
}

impl<'source> Recording<'source> {
    /// Records `source` into `folder`.
    ///
    /// # Errors
    /// Usage when the folder cannot be made.
    pub(crate) fn new(source: &'source mut dyn Fetch, folder: &Path) -> Result<Self, EngineError> {
        Ok(Self {
            inner: SavingFetch::new(Borrowed(source), folder)?,
            folder: folder.to_owned(),
            refused: HashMap::new(),
            budgets: RefCell::default(),
            now: RefCell::default(),
        })
    }

    /// What was recorded.
    pub(crate) fn finish(self) -> Answers {
        Answers {
            statistics: self.inner.statistics(),
            folder: self.folder,
            refused: self.refused,
            budgets: self.budgets.into_inner(),
            now: self.now.into_inner(),
        }
    }
}

impl Fetch for Recording<'_> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        let answer = self.inner.get(query);
        if let Err(FetchError::Answer(reason)) = &answer {
            self.refused.insert(file_of(query), reason.clone());
        }
        answer
    }

    fn budget_left(&self) -> Option<u64> {
        let left = self.inner.budget_left();
        self.budgets.borrow_mut().push(left);
        left
    }

    fn statistics(&self) -> FetchStatistics {
        self.inner.statistics()
    }

    fn now(&self) -> Option<String> {
        let now = self.inner.now();
        self.now.borrow_mut().clone_from(&now);
        now
    }
}

impl Answers {
    /// A source that says the same again.
    ///
    /// # Errors
    /// When the folder is gone.
    pub(crate) fn replay(&self) -> Result<Replay<'_>, EngineError> {
        Ok(Replay { saved: DirectoryFetch::open(&self.folder)?, answers: self, asked_budgets: Cell::new(0) })
    }
}

/// Says what was recorded.
pub(crate) struct Replay<'answers> {
    saved: DirectoryFetch,
    answers: &'answers Answers,
    asked_budgets: Cell<usize>,
}

impl Fetch for Replay<'_> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        match self.answers.refused.get(&file_of(query)) {
            Some(reason) => Err(FetchError::Answer(reason.clone())),
            None => self.saved.get(query),
        }
    }

    fn budget_left(&self) -> Option<u64> {
        let at = self.asked_budgets.replace(self.asked_budgets.get() + 1);
        // Asked more often than while recording, the last answer stands.
        self.answers.budgets.get(at).or(self.answers.budgets.last()).copied().flatten()
    }

    fn statistics(&self) -> FetchStatistics {
        self.saved.statistics()
    }

    fn now(&self) -> Option<String> {
        self.answers.now.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Counts down its budget and refuses one question.
    struct Stubborn(u64);

    impl Fetch for Stubborn {
        fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
            self.0 -= 1;
            match query.path.as_str() {
                "refused" => Err(FetchError::Answer("no such meeting".into())),
                _ => Ok(json!({ "asked": query.path, "left": self.0 })),
            }
        }

        fn budget_left(&self) -> Option<u64> {
            Some(self.0)
        }

        fn statistics(&self) -> FetchStatistics {
            FetchStatistics { requests: 100 - self.0, ..FetchStatistics::default() }
        }

        fn now(&self) -> Option<String> {
            Some("2026-01-02T03:04:05Z".into())
        }
    }

    #[test]
    fn a_replay_says_exactly_what_the_source_said() {
        let folder = std::env::temp_dir().join(format!("plimsoll-answers-{}", std::process::id()));
        let mut source = Stubborn(100);
        let mut recording = Recording::new(&mut source, &folder).unwrap();
        let ask = |fetch: &mut dyn Fetch| {
            let first = fetch.get(&Query::new("a/1"));
            let budget = fetch.budget_left();
            let refused = fetch.get(&Query::new("refused"));
            (first, budget, refused, fetch.budget_left(), fetch.now())
        };
        let heard = ask(&mut recording);
        assert!(heard.0.is_ok() && heard.2.is_err());
        let answers = recording.finish();
        assert_eq!(answers.statistics.requests, 2);
        for _ in 0..2 {
            assert_eq!(ask(&mut answers.replay().unwrap()), heard);
        }
        assert_eq!(source.0, 98, "a replay asks the source nothing");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
