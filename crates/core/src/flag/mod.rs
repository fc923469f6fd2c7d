//! Flags: who gets it. The words as types, hashing into cohorts, and what a change does to them.
//!
//! Owns what a flag is ([`definition`]), which bucket a key falls into under a named algorithm ([`bucket`]), who is a
//! member of a rollout and what a change of it does to the members ([`cohort`]), and what is wrong or dead in a flag
//! before anybody gets it ([`analysis`]). It deliberately evaluates no rule: that is done by the Unleash engine, behind
//! the engine's snapshot.
//!
//! Invariants: an algorithm that has a name never changes; a new one gets a new name. Growing a rollout keeps every
//! earlier member. Membership depends on the stored salt, never on the flag's name.
//!
//! Reading order: [`definition`], [`bucket`], [`cohort`], [`analysis`].

pub mod analysis;
pub mod bucket;
pub mod cohort;
pub mod condition;
pub mod definition;
pub mod measure;
pub mod percent;

pub use bucket::Algorithm;
pub use cohort::Difference;
pub use definition::{
    Constraint, Flag, Operator, Prerequisite, Rollout, Rule, RuleVariant, Segment, Stage, State, Trigger,
    TriggerAction, Variant,
};
pub use measure::MeasureSource;
pub use percent::Percent;
