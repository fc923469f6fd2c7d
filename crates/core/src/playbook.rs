//! Plans and playbooks: their states, and when one is needed.
//!
//! Owns the state machine of a plan document and the rule about which work needs one. The document itself is the
//! engine's.
//!
//! Invariant: a state changes only along [`PlanState::after`]; complete is an end.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a plan stands (PFA-27).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PlanState {
    /// Being written.
    Draft,
    /// Being carried out.
    #[serde(rename = "In Progress")]
    InProgress,
    /// Carried out.
    Complete,
    /// Put aside for a while.
    Paused,
}

/// What happens to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanEvent {
    /// Work begins.
    Start,
    /// Work is put aside.
    Pause,
    /// Work goes on.
    Resume,
    /// Everything is done.
    Complete,
    /// What was done is taken back, and the plan is written anew.
    TakeBack,
}

impl PlanState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Draft, Self::InProgress, Self::Complete, Self::Paused];

    /// The word used in documents.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::InProgress => "In Progress",
            Self::Complete => "Complete",
            Self::Paused => "Paused",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state after an event; `None` when the event cannot happen now.
    pub const fn after(self, event: PlanEvent) -> Option<Self> {
        match (self, event) {
            (Self::Draft, PlanEvent::Start) | (Self::Paused, PlanEvent::Resume) => Some(Self::InProgress),
            (Self::InProgress, PlanEvent::Pause) => Some(Self::Paused),
            (Self::InProgress, PlanEvent::Complete) => Some(Self::Complete),
            (Self::InProgress | Self::Paused, PlanEvent::TakeBack) => Some(Self::Draft),
            _ => None,
        }
    }
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Kinds of work (PFA-29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Work {
    /// A feature that takes more than one sprint.
    MajorFeature,
    /// Moving data or a framework.
    Migration,
    /// Carrying out a decision about the architecture.
    ArchitectureChange,
    /// A first or a changed production set-up.
    Deployment,
    /// Rebuilding something for speed.
    PerformanceWork,
    /// A small fix.
    SmallFix,
    /// A feature that fits into one sprint.
    MinorFeature,
    /// Only words.
    Documentation,
}

impl Work {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::MajorFeature,
        Self::Migration,
        Self::ArchitectureChange,
        Self::Deployment,
        Self::PerformanceWork,
        Self::SmallFix,
        Self::MinorFeature,
        Self::Documentation,
    ];

    /// The word used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MajorFeature => "major-feature",
            Self::Migration => "migration",
            Self::ArchitectureChange => "architecture-change",
            Self::Deployment => "deployment",
            Self::PerformanceWork => "performance-work",
            Self::SmallFix => "small-fix",
            Self::MinorFeature => "minor-feature",
            Self::Documentation => "documentation",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// The words there are.
    pub fn read(word: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|work| work.as_str() == word).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|work| work.as_str()).collect();
            format!("`{word}` is none of {}", words.join(", "))
        })
    }

    /// Whether it needs a plan, and why or why not.
    pub const fn needs_plan(self) -> (bool, &'static str) {
        match self {
            Self::MajorFeature => {
                (true, "it takes more than one sprint: phases must be agreed on and watched")
            }
            Self::Migration => {
                (true, "data is moved: there must be a backup, a verification, and a way back")
            }
            Self::ArchitectureChange => (true, "it carries out a decision that others build on"),
            Self::Deployment => {
                (true, "users are affected: steps, gates and the way back must be written down")
            }
            Self::PerformanceWork => {
                (true, "much changes for speed: figures before and after must be compared")
            }
            Self::SmallFix => (false, "a test and a review are enough"),
            Self::MinorFeature => (false, "it fits into one sprint: an issue is enough"),
            Self::Documentation => (false, "only words change"),
        }
    }
}

/// Whether work of several kinds needs a plan: when any kind does.
pub fn needs_plan(work: &[Work]) -> bool {
    work.iter().any(|work| work.needs_plan().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole table: four states, five events.
    #[test]
    fn states_change_only_along_the_table() {
        use PlanEvent::{Complete, Pause, Resume, Start, TakeBack};
        let events = [Start, Pause, Resume, Complete, TakeBack];
        let table = [
            (PlanState::Draft, [Some(PlanState::InProgress), None, None, None, None]),
            (
                PlanState::InProgress,
                [None, Some(PlanState::Paused), None, Some(PlanState::Complete), Some(PlanState::Draft)],
            ),
            (PlanState::Complete, [None; 5]),
            (PlanState::Paused, [None, None, Some(PlanState::InProgress), None, Some(PlanState::Draft)]),
        ];
        for (state, after) in table {
            for (event, wanted) in events.into_iter().zip(after) {
                assert_eq!(state.after(event), wanted, "{state} {event:?}");
            }
            assert_eq!(PlanState::read(state.as_str()), Some(state));
            let json = serde_json::to_string(&state).unwrap();
            assert_eq!(json, format!("\"{state}\""), "documents and JSON use one word");
        }
    }

    /// Eight cases: five yes, three no.
    #[test]
    fn which_work_needs_a_plan() {
        let yes: Vec<&str> =
            Work::ALL.into_iter().filter(|work| work.needs_plan().0).map(Work::as_str).collect();
        assert_eq!(
            yes,
            ["major-feature", "migration", "architecture-change", "deployment", "performance-work"]
        );
        assert!(needs_plan(&[Work::SmallFix, Work::Migration]), "one is enough");
        assert!(!needs_plan(&[Work::SmallFix, Work::MinorFeature, Work::Documentation]));
        assert!(!needs_plan(&[]));
        for work in Work::ALL {
            assert_eq!(Work::read(work.as_str()), Ok(work));
        }
        assert!(Work::read("meeting").is_err());
    }
}
