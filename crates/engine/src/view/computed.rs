//! Questions whose answer is computed over that of a view.
//!
//! Owns the seam and running one: the view is asked as ever, a pure function of the system makes the answer of it. The
//! moment is the caller's clock's; the function gets it as a day.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_core::clock::Clock;
use plimsoll_store::duckdb::Analytics;

use super::parameter::Parameters;
use super::{Table, View};
use crate::error::EngineError;
use crate::source::git::{self, Commit};

/// Says which commits are asked for, as work tree and hash.
pub type WantedCommits = fn(&Table) -> Vec<(String, String)>;

/// A question answered by computing over the answer of a view.
#[derive(Debug)]
pub struct Computed {
    /// Its name; no view has it.
    pub name: &'static str,
    /// A title for people.
    pub title: &'static str,
    /// The question that it answers.
    pub answers: &'static str,
    /// The view over whose answer it is computed; its parameters are this one's.
    pub over: &'static str,
    /// The commits that it needs to know of, as work tree and hash, when it asks a person's repositories. Asking this
    /// question is the person's consent.
    pub commits: Option<WantedCommits>,
    /// Computes the answer, or says what is missing.
    pub compute: fn(&Table, &Request) -> Result<Table, String>,
}

/// What is known besides the view's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Today in UTC, in days since 1970.
    pub today: i64,
    /// So many days ahead.
    pub days: Option<u32>,
    /// A budget in US dollars, as a person wrote it.
    pub budget: Option<String>,
    /// A bill, as comma-separated values.
    pub bill: Option<String>,
    /// What repositories say: work tree and commit.
    pub commits: Vec<(String, Commit)>,
}

impl Request {
    /// A request of today.
    pub fn at(clock: &dyn Clock) -> Self {
        let moment = clock.now().parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second);
        Self { today: moment.div_euclid(86_400), ..Self::default() }
    }
}

impl Computed {
    /// Asks the view and computes.
    ///
    /// # Errors
    /// What the view or the database says, or what the computation misses.
    pub fn run(
        &self,
        views: &[View],
        store: &Analytics,
        parameters: &Parameters,
        request: &Request,
    ) -> Result<Table, EngineError> {
        let series = View::named(views, self.over)?.run(store, parameters)?;
        let mut request = request.clone();
        if let Some(wanted) = self.commits {
            let mut by_worktree: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (worktree, hash) in wanted(&series) {
                by_worktree.entry(worktree).or_default().push(hash);
            }
            for (worktree, hashes) in by_worktree {
                let found = git::commits(Path::new(&worktree), &hashes);
                request.commits.extend(found.into_iter().map(|commit| (worktree.clone(), commit)));
            }
        }
        (self.compute)(&series, &request)
            .map_err(|missing| EngineError::usage(format!("`{}`: {missing}", self.name)))
    }
}
