//! The state of one record between two sides: what was agreed, what was observed, what was edited here.
//!
//! Owns the three parts (base, mirror, overlay) as plain data, the operations that make up the overlay, and the views
//! that are read from them. It decides nothing; [`super::plan`] does.
//!
//! Invariants:
//! - The mirror is what the remote said, never what was edited here: a view is the mirror with the overlay over it.
//! - An edit carries the value that its author saw, so that a merge compares with that and not with what the mirror
//!   became since.
//! - At most one operation is on its way. What is committed meanwhile waits, merged into one.
//! - An operation that was sent is never changed under its id; a new content gets a new id.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::conflict::Conflict;
use super::hybrid::HybridTime;
use super::outbox::OutboxState;
use crate::value::Value;

/// Values by the name of their field.
pub type Fields = BTreeMap<String, Value>;

/// The remote's version of a record. It rises with every change and never returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

/// The identity of one effect at the remote; the idempotency key where the remote takes one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId {
    /// The record's stream, see [`SyncRecord::stream`].
    pub stream: String,
    /// Counts the operations of the record.
    pub number: u64,
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.stream, self.number)
    }
}

/// Who made a version of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The remote does not tell, so it may be ours.
    #[default]
    Untold,
    /// Somebody else: the remote tells, and it names no operation of ours.
    Elsewhere,
    /// One of our operations.
    Operation(OperationId),
}

/// A row as the remote showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Its version.
    pub version: Version,
    /// Its fields.
    pub fields: Fields,
    /// When it was changed there, by a clock that ours can be compared with; absent where there is none.
    pub changed_at: Option<HybridTime>,
    /// Who made this version.
    pub origin: Origin,
}

/// What a side holds of a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Never seen.
    #[default]
    Unknown,
    /// There.
    Present(Observed),
    /// Deleted, or vanished from a complete pull.
    Gone {
        /// The version of the deletion; for a vanished row the last version that the pull's beginning knew.
        version: Version,
    },
}

impl RowState {
    /// The version, unless the record was never seen.
    pub fn version(&self) -> Option<Version> {
        match self {
            Self::Unknown => None,
            Self::Present(row) => Some(row.version),
            Self::Gone { version } => Some(*version),
        }
    }

    /// The fields of a row that is there.
    pub fn fields(&self) -> Option<&Fields> {
        match self {
            Self::Present(row) => Some(&row.fields),
            Self::Unknown | Self::Gone { .. } => None,
        }
    }

    /// The operation that made the row, where the remote tells.
    pub fn origin(&self) -> Option<&OperationId> {
        match self {
            Self::Present(Observed { origin: Origin::Operation(id), .. }) => Some(id),
            Self::Present(_) | Self::Unknown | Self::Gone { .. } => None,
        }
    }

    /// What a write has to expect so that it cannot overwrite anything newer.
    pub fn expected(&self) -> Expected {
        match self {
            Self::Present(row) => Expected::Version(row.version),
            Self::Unknown => Expected::Absent { gone: None },
            Self::Gone { version } => Expected::Absent { gone: Some(*version) },
        }
    }
}

/// What the remote must hold for a write to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// No row.
    Absent {
        /// The deletion that the author knew of. A later one is news that the author has to be asked about; a remote
        /// that keeps tombstones can compare it too. One that neither does so nor knows idempotency keys may apply a
        /// creation that the network doubled again after a deletion; nothing on this side can prevent it.
        gone: Option<Version>,
    },
    /// This version.
    Version(Version),
}

/// One field's edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldEdit {
    /// What the author saw.
    pub seen: Value,
    /// What the author wrote; equal to `seen` for a field that only belongs to the same unit.
    pub mine: Value,
    /// When.
    pub at: HybridTime,
}

/// What an operation wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// Fields written; a new row when the operation expects none.
    Write(BTreeMap<String, FieldEdit>),
    /// The row deleted.
    Delete {
        /// The row that the author saw.
        seen: Fields,
    },
}

impl Intent {
    /// The values that a write sends: the edited fields, without those that only belong to the same unit.
    pub fn values(&self) -> Fields {
        let Self::Write(edits) = self else { return Fields::new() };
        let edited = edits.iter().filter(|(_, edit)| edit.mine != edit.seen);
        edited.map(|(name, edit)| (name.clone(), edit.mine.clone())).collect()
    }

    /// The row with this intent over it.
    pub fn over(&self, row: Option<&Fields>) -> Option<Fields> {
        let Self::Write(_) = self else { return None };
        let mut fields = row.cloned().unwrap_or_default();
        fields.extend(self.values());
        Some(fields)
    }

    /// This intent followed by a later one. What the author of the earlier one saw stays what was seen, but for a field
    /// that the earlier one leaves as it was: it is in no view, so what the later author saw of it was the remote's.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Write(mut edits), Self::Write(later)) => {
                for (name, edit) in later {
                    let earlier = edits.remove(&name).filter(|earlier| earlier.mine != earlier.seen);
                    let seen = earlier.map_or(edit.seen, |earlier| earlier.seen);
                    edits.insert(name, FieldEdit { seen, ..edit });
                }
                Self::Write(edits)
            }
            (Self::Write(edits), Self::Delete { mut seen }) => {
                let edited = edits.into_iter().filter(|(_, edit)| edit.mine != edit.seen);
                seen.extend(edited.map(|(name, edit)| (name, edit.seen)));
                Self::Delete { seen }
            }
            (earlier @ Self::Delete { .. }, _) => earlier,
        }
    }
}

/// One edit as its author made it; several may travel in one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Its id, chosen by the caller.
    pub id: String,
    /// Who made it.
    pub author: String,
}

/// What went out for an operation and was not acknowledged. Whatever was answered was said of one copy of the request:
/// something on the way (a proxy that repeats it) may have had another one applied. Values show whether they are
/// there; an increment does not, so it is not added again before the remote says that it was not applied, or a person
/// does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposed {
    /// Under which ids.
    pub operations: Vec<OperationId>,
    /// The increments as they were sent last; later edits of the same fields are not in them.
    pub increments: BTreeMap<String, FieldEdit>,
}

/// What is sent, or will be, as one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its identity, kept over all its attempts.
    pub id: OperationId,
    /// What it wants.
    pub intent: Intent,
    /// What the remote must hold. Only a merge moves it, so the remote guards what the author saw.
    pub expected: Expected,
    /// The edits in it.
    pub edits: Vec<Edit>,
    /// Where it stands.
    pub state: OutboxState,
    /// How often it, or what it was merged from, was sent.
    pub attempts: u32,
    /// An attempt's outcome is unknown, so it may have been applied once already.
    pub doubtful: bool,
    /// What went out and was not acknowledged.
    #[serde(default)]
    pub exposed: Option<Exposed>,
    /// Why it failed, waits or conflicts.
    pub reason: Option<String>,
}

/// The local edits over a record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// Drafts, each seen by its author only.
    pub drafts: Vec<Operation>,
    /// The operation that was sent and is not settled.
    pub sending: Option<Operation>,
    /// The one that follows it, into which later edits go.
    pub pending: Option<Operation>,
}

/// Everything about one record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRecord {
    /// Names the record's operations for the remote. The caller makes it unique for ever: a state restored from a
    /// backup counts from an old number and so needs a new stream.
    pub stream: String,
    /// The number of the next operation.
    pub next_number: u64,
    /// The last state that the overlay was merged with without a conflict.
    pub base: RowState,
    /// The last state observed.
    pub mirror: RowState,
    /// The local edits.
    pub overlay: Overlay,
    /// The open conflict.
    pub conflict: Option<Conflict>,
    /// Counts the conflicts and their changes.
    pub conflict_revision: u64,
    /// Operations that were refused or given up; they wait for a person.
    pub dead_letters: Vec<Operation>,
}

impl SyncRecord {
    /// A record of which nothing is known yet.
    pub fn new(stream: impl Into<String>) -> Self {
        Self { stream: stream.into(), ..Self::default() }
    }

    /// The row as everyone here sees it: the mirror with what is committed over it; `None` when there is none.
    pub fn view(&self) -> Option<Fields> {
        let committed = self.overlay.sending.iter().chain(&self.overlay.pending);
        committed.fold(self.mirror.fields().cloned(), |row, operation| operation.intent.over(row.as_ref()))
    }

    /// The one word that stands beside the record: the state of the operation that needs attention most.
    pub fn badge(&self) -> OutboxState {
        if self.conflict.is_some() {
            return OutboxState::Conflict;
        }
        if !self.dead_letters.is_empty() {
            return OutboxState::Failed;
        }
        let open = self.overlay.sending.iter().chain(&self.overlay.pending).chain(&self.overlay.drafts);
        open.map(|operation| operation.state).next().unwrap_or(OutboxState::Synced)
    }

    /// Whether nothing is left to do without a person or a new edit.
    pub fn is_quiet(&self) -> bool {
        self.overlay.sending.is_none()
            && self.overlay.pending.as_ref().is_none_or(|operation| operation.state == OutboxState::Conflict)
    }

    /// The identity of a new operation.
    pub(super) fn next_id(&mut self) -> OperationId {
        let number = self.next_number;
        self.next_number += 1;
        OperationId { stream: self.stream.clone(), number }
    }
}
