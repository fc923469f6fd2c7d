//! Asking for a flag in the middle of an operation.
//!
//! Owns the seam between an operation, which runs on a system's store, and the flags, which live in the control store:
//! what a system says about a flag that it asks for, and who answers. An operation asks inside its own transaction, once,
//! and writes down what it was told; so a flag that is flipped meanwhile changes the next operation and fails none.
//!
//! Invariant: an answer that cannot be had is the declared default, never a refusal.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use plimsoll_store::StoreUrl;

use super::context::EvaluationContext;
use super::live::Flags;
use super::snapshot::{Reason, Snapshot};
use crate::error::EngineError;
use crate::session::Session;

/// A flag that a system asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagDeclaration {
    /// Its name.
    pub name: &'static str,
    /// What holds while nobody has created it, or while it cannot be asked.
    pub default: bool,
    /// What it switches.
    pub help: &'static str,
}

/// What was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switched {
    /// On or off.
    pub on: bool,
    /// The version of the flag that decided; none when the default did.
    pub version: Option<i64>,
}

/// Somebody who knows the flags.
pub trait Switches: Send + Sync + Debug {
    /// What a flag says; `None` where there is none of that name, or nobody can be asked.
    fn ask(&self, flag: &str, context: &EvaluationContext) -> Option<Switched>;
}

impl Switches for Snapshot {
    fn ask(&self, flag: &str, context: &EvaluationContext) -> Option<Switched> {
        let answer = self.evaluate(flag, context);
        (answer.reason != Reason::Unknown)
            .then_some(Switched { on: answer.on, version: Some(answer.version) })
    }
}

impl Switches for Flags {
    fn ask(&self, flag: &str, context: &EvaluationContext) -> Option<Switched> {
        self.current().ask(flag, context)
    }
}

/// The flags of a control store, asked anew each time: for a process that does not follow them. The store is opened when
/// the first flag is asked for.
pub struct AskedFlags {
    control: StoreUrl,
    opened: Mutex<Option<(Session, Flags)>>,
}

impl Debug for AskedFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskedFlags").field("control", &self.control.to_string()).finish_non_exhaustive()
    }
}

impl AskedFlags {
    /// The flags of the control store at this address, which need not be there.
    pub fn of(control: StoreUrl) -> Self {
        Self { control, opened: Mutex::default() }
    }

    fn open(&self) -> Result<(Session, Flags), EngineError> {
        let mut session = Session::new(plimsoll_store::open(&self.control)?, "");
        let flags = Flags::load(&mut session)?;
        Ok((session, flags))
    }
}

impl Switches for AskedFlags {
    fn ask(&self, flag: &str, context: &EvaluationContext) -> Option<Switched> {
        // Where there is no control store there is no flag, and none is made for a question.
        if matches!(&self.control, StoreUrl::Sqlite { path, .. } if !path.is_file()) {
            return None;
        }
        // A panic while the store was asked leaves the last flags in force.
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = match opened.as_mut() {
            Some((session, flags)) => flags.refresh(session).map(drop),
            None => self.open().map(|new| *opened = Some(new)),
        };
        if let Err(error) = asked {
            tracing::warn!(flag, error = %error.message, "the flags cannot be read; what was known of them holds");
        }
        opened.as_ref().and_then(|(_, flags)| flags.ask(flag, context))
    }
}

/// What a declared flag says, by whoever knows, or by default.
pub(crate) fn ask(
    switches: Option<&dyn Switches>,
    flag: &FlagDeclaration,
    context: &EvaluationContext,
) -> Switched {
    let answer = switches.and_then(|switches| switches.ask(flag.name, context));
    answer.unwrap_or(Switched { on: flag.default, version: None })
}
