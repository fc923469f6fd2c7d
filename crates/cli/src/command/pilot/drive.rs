//! Opening a driver of the pilot.
//!
//! Owns the connections to both sides, the rules of the stages, and the secret that signs certificates: 32 random bytes in
//! the data folder, made when they are first needed and readable by their owner alone.

use std::path::PathBuf;

use plimsoll_core::pilot::cutover::cohort::CohortRules;
use plimsoll_core::pilot::cutover::{CutoverRules, Said};
use plimsoll_engine::EngineError;
use plimsoll_engine::clock::new_id;
use plimsoll_engine::pilot::carry::{Paces, Reach};
use plimsoll_engine::pilot::drive::{Driver, Key, Opening};
use plimsoll_engine::sync::now_ms;

use crate::args::StageArguments;
use crate::command::Context;
use crate::registry::{PILOT, PILOT_SIDES, set_pilot_winner};

/// What a driver borrows.
pub(in crate::command) struct Means {
    paces: Paces,
    secret: Vec<u8>,
}

/// The name of the secret in certificates.
pub(in crate::command) const KEY: &str = "certificate.key";

impl Context {
    /// What a driver needs for as long as it is open.
    pub(in crate::command) fn pilot_means(&self) -> Result<Means, EngineError> {
        let session = self.new_side()?;
        let paces = Paces::new(PILOT, now_ms(&session));
        Ok(Means { paces, secret: self.certificate_secret()? })
    }

    /// A driver with these rules.
    pub(in crate::command) fn driver<'means>(
        &self,
        means: &'means Means,
        stages: Option<&StageArguments>,
    ) -> Result<Driver<'means>, EngineError> {
        let [legacy, new] = &PILOT_SIDES;
        let [legacy_url, _] = self.pilot_urls()?;
        // A pilot with a database that is not there would find it empty.
        self.open_existing(&legacy_url)?;
        if let Some(stages) = stages {
            set_pilot_winner(&stages.policy);
        }
        let sessions = (self.session(new.system)?, self.session(legacy.system)?);
        let reach =
            if stages.is_some_and(|stages| stages.everyone) { Reach::Everyone } else { Reach::Members };
        let opening = Opening {
            pilot: PILOT,
            systems: [legacy.system, new.system],
            legacy: legacy_url,
            paces: &means.paces,
            reach,
            rules: stages.map_or_else(CohortRules::default, rules),
            key: Key { id: KEY, secret: &means.secret },
            name: format!("{}-{}", self.config.actor, std::process::id()),
        };
        Driver::open(sessions.0, sessions.1, opening)
    }

    /// Who does something to members, and why.
    pub(super) fn said(&self, reason: &str) -> Said {
        Said { actor: self.config.actor.clone(), reason: reason.to_owned() }
    }

    /// The secret that signs certificates.
    pub(in crate::command) fn certificate_secret(&self) -> Result<Vec<u8>, EngineError> {
        let path = self.certificate_key();
        if let Ok(secret) = std::fs::read(&path) {
            return Ok(secret);
        }
        let failed = |error: std::io::Error| {
            EngineError::usage(format!(
                "{}: {error}\nhint: --data DIR names a folder that can be written",
                path.display()
            ))
        };
        std::fs::create_dir_all(&self.config.data).map_err(failed)?;
        // Two random ids are 244 random bits.
        let secret = format!("{}{}", new_id(), new_id()).into_bytes();
        write_alone(&path, &secret).map_err(failed)?;
        self.ui.say(&format!("{} was made: who has it can sign certificates of rollbacks", path.display()));
        Ok(secret)
    }

    fn certificate_key(&self) -> PathBuf {
        self.config.data.join(KEY)
    }
}

fn rules(stages: &StageArguments) -> CohortRules {
    let member = CutoverRules {
        shadow_reads: stages.shadow_reads,
        canary_reads: stages.canary_reads,
        soak_ms: stages.soak.ms,
        ..CutoverRules::default()
    };
    CohortRules { member, handovers_at_most: stages.handovers }
}

/// Writes a file that only its owner can read, unless somebody else made it meanwhile.
fn write_alone(path: &std::path::Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
