//! The loop that a server runs: what is due is started, what waits is delivered.
//!
//! Owns the loop and its pace. Several processes may run it on one control store: claims and leases keep them apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::claim::claim_due;
use super::execute::{Host, execute};
use crate::alert::{self, Policy, Transport};
use crate::error::EngineError;
use crate::session::Session;

/// How often the loop looks, in milliseconds.
const PACE_MS: u64 = 1_000;
/// How often it looks whether it has to end, in milliseconds.
const STEP_MS: u64 = 50;
/// How many commands may run at once.
const AT_ONCE: usize = 4;

/// What the loop works with.
pub struct Runner {
    /// A session on the control store.
    pub session: Session,
    /// Who carries commands out.
    pub host: Arc<dyn Host + Send + Sync>,
    /// When people are told.
    pub policy: Policy,
    /// Where notices go; without one they wait in the outbox.
    pub transport: Option<Box<dyn Transport + Send>>,
}

impl Runner {
    /// Works until `stop` is set, and then until the commands that were started have ended. A control store that
    /// fails is tried again at the next look.
    pub fn run(mut self, stop: &AtomicBool) {
        let running = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            while !stop.load(Ordering::SeqCst) {
                let free = AT_ONCE.saturating_sub(running.load(Ordering::SeqCst));
                match self.start(free) {
                    Ok(claims) => {
                        for (mut session, claim) in claims {
                            running.fetch_add(1, Ordering::SeqCst);
                            let (host, running) = (Arc::clone(&self.host), &running);
                            scope.spawn(move || {
                                if let Err(error) = execute(&mut session, host.as_ref(), &claim) {
                                    tracing::warn!(schedule = %claim.schedule.name, error = %error.message, "the run was not recorded");
                                }
                                running.fetch_sub(1, Ordering::SeqCst);
                            });
                        }
                    }
                    Err(error) => tracing::warn!(error = %error.message, "schedules cannot be looked at"),
                }
                let transport = self.transport.as_deref().map(|transport| transport as &dyn Transport);
                if let Err(error) = alert::deliver(&mut self.session, &self.policy, transport) {
                    tracing::warn!(error = %error.message, "notices cannot be delivered");
                }
                // In short steps, so that the end is not waited for.
                for _ in 0..PACE_MS / STEP_MS {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    self.session.clock.sleep_ms(STEP_MS);
                }
            }
        });
    }

    fn start(&mut self, free: usize) -> Result<Vec<(Session, super::Claim)>, EngineError> {
        let claims = claim_due(&mut self.session, free)?;
        claims.into_iter().map(|claim| Ok((self.session.fork()?, claim))).collect()
    }
}
