//! Flags: who gets it, kept in the control store, evaluated in the process, audited.
//!
//! In reading order: [`context`] (who asks), [`unleash`] (a flag as the evaluator takes it), [`snapshot`] (all flags,
//! ready to be asked), [`store`] (reading them), [`change`] (the only way to change one: audited, with its effect on the
//! members), [`live`] (the snapshot of a running process, lock-free, refreshed when the store's version moves),
//! [`explain`] (why, now or at a past time), [`switch`] (asking in the middle of an operation).
//!
//! It deliberately has no evaluator: rules are evaluated by `unleash-yggdrasil`.
//!
//! Invariants: a change and its event commit in one transaction, and the event holds the whole definition before and
//! after; a live pilot's members are not swapped without an explicit override; a flag that cannot be evaluated is off.

pub mod cache;
pub mod change;
pub mod context;
pub mod explain;
pub mod flagd;
mod key_list;
pub mod live;
pub mod measure;
pub mod moment;
mod schema;
pub mod snapshot;
pub mod store;
pub mod switch;
pub mod trigger;
pub mod unleash;

pub use change::{Changed, How};
pub use context::EvaluationContext;
pub use live::Flags;
pub use schema::SCHEMA;
pub use snapshot::{Evaluation, Reason, Snapshot};
pub use store::StoredFlag;
pub use switch::{AskedFlags, FlagDeclaration, Switched, Switches};
