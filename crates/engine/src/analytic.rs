//! The seam of analytical systems: what a system that is filled from documents contributes.
//!
//! Owns the declaration only. Ingest, views and checks are the engine's ([`crate::ingest`], [`crate::view`],
//! [`crate::check`]); nothing in a declaration opens a file or a connection.

use crate::change::split::Split;
use crate::error::EngineError;
use crate::ingest::Documents;
use crate::view::Computed;

/// A system filled from documents, described as data.
pub struct AnalyticSystem {
    /// The name used on the command line.
    pub name: &'static str,
    /// One line for people.
    pub title: &'static str,
    /// Documents, tables and derivations.
    pub documents: &'static dyn Documents,
    /// Views, each the text of an SQL file with its header.
    pub views: &'static [&'static str],
    /// Checks, each the text of an SQL file with its header.
    pub checks: &'static [&'static str],
    /// Its texts, for search by meaning.
    pub texts: TextSource,
    /// Questions computed over views.
    pub computed: &'static [Computed],
    /// Wide tables of earlier systems that it can split.
    pub splits: &'static [&'static Split],
    /// Metrics, each the text of an SQL file with its header.
    pub metrics: &'static [&'static str],
    /// The folder below the user's data folder in which its documents lie, such as `opencode`.
    pub data_folder: &'static str,
    /// Reads prices that a user gives, and says how many there are, or what is wrong with them.
    pub check_prices: fn(&str) -> Result<usize, String>,
    /// A query for one line of figures that make sense as soon as the first stage is read.
    pub first_figures: &'static str,
}

/// Where a system keeps its texts.
#[derive(Debug, Clone, Copy)]
pub struct TextSource {
    /// The table.
    pub table: &'static str,
    /// The column that tells texts apart.
    pub key: &'static str,
    /// The column of the text.
    pub text: &'static str,
    /// The column of the conversation it is part of.
    pub session: &'static str,
}

impl AnalyticSystem {
    /// The split that a change names, and whether the change is the one that drops what the split kept.
    ///
    /// # Errors
    /// Usage, naming the changes there are.
    pub fn split(&self, change: &str) -> Result<(&'static Split, bool), EngineError> {
        for split in self.splits {
            if split.name == change || split.drop_name == change {
                return Ok((split, split.drop_name == change));
            }
        }
        let names: Vec<&str> = self.splits.iter().flat_map(|split| [split.name, split.drop_name]).collect();
        Err(EngineError::usage(format!(
            "system `{}` has no change `{change}`\nhint: it has {}; `plimsoll ingest {0}` fills it",
            self.name,
            names.join(", ")
        )))
    }

    /// The folder of documents that a path given by a user means: itself, the one in it, or the one around it.
    ///
    /// # Errors
    /// Usage, when there are no documents in any of them.
    pub fn root_at(&self, path: &std::path::Path) -> Result<std::path::PathBuf, EngineError> {
        let inside = path.join(self.data_folder);
        let around = path.parent().map(std::path::Path::to_owned);
        [Some(path.to_owned()), Some(inside), around]
            .into_iter()
            .flatten()
            .find(|folder| crate::ingest::holds_documents(self.documents, folder))
            .ok_or_else(|| {
                EngineError::usage(format!(
                    "{} holds nothing of {}\nhint: name the folder that contains {}",
                    path.display(),
                    self.title,
                    self.documents.folders().join(", ")
                ))
            })
    }
}
