//! `/api/v1/systems/{system}/pilot/..` and `/parity`: moving customers from the legacy side to the new one.
//!
//! Owns nothing itself. Every handler asks for the pilot of the system in its path, calls the engine functions that the
//! command calls, in the name of the caller, and answers with what they return. A change takes `reason` and `dry_run`.

pub(crate) mod look;
pub(crate) mod moves;
pub(crate) mod parity;
pub(crate) mod selections;

use std::sync::Arc;

use plimsoll_core::pilot::cutover::cohort::CohortRules;
use plimsoll_core::pilot::cutover::{CutoverRules, Said};
use serde::Deserialize;

use crate::access::Caller;
use crate::error::ApiError;
use crate::pilots::PilotState;
use crate::state::Server;

/// What the stages ask, where a request says otherwise than the defaults.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Stages {
    shadow_reads: Option<u64>,
    canary_reads: Option<u64>,
    soak_ms: Option<u64>,
    handovers: Option<usize>,
}

impl Stages {
    /// The rules.
    pub(crate) fn rules(self) -> CohortRules {
        let CohortRules { member: usual, handovers_at_most } = CohortRules::default();
        let member = CutoverRules {
            shadow_reads: self.shadow_reads.unwrap_or(usual.shadow_reads),
            canary_reads: self.canary_reads.unwrap_or(usual.canary_reads),
            soak_ms: self.soak_ms.unwrap_or(usual.soak_ms),
            ..usual
        };
        CohortRules { member, handovers_at_most: self.handovers.unwrap_or(handovers_at_most).max(1) }
    }
}

/// The pilot of the system called `name`.
pub(crate) fn pilot_of<'server>(
    server: &'server Server,
    name: &str,
) -> Result<&'server Arc<PilotState>, ApiError> {
    server.pilot.as_ref().filter(|pilot| pilot.served.new.system.name == name).ok_or_else(|| {
        ApiError::not_found(format!("`{name}` has no pilot here")).hint(
            "a pilot is served when both its databases are there: `[stores]` of plimsoll.toml names them",
        )
    })
}

/// Who says so, and why.
fn said(caller: &Caller, reason: &str) -> Result<Said, ApiError> {
    if reason.trim().is_empty() {
        return Err(
            ApiError::usage("`reason` is empty").hint("say why in a few words; it stands in the history")
        );
    }
    Ok(Said { actor: caller.name.to_string(), reason: reason.to_owned() })
}
