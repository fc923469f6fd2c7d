//! The pilot that is served: its two sides, and the work on both.
//!
//! Owns opening drivers and the rule that one of them moves members at a time in this process. A carrier of another process
//! (`plimsoll pilot run --watch`) may work beside it: leases and fences keep them apart. What a move means is the engine's.
//!
//! Invariants: the legacy side is only opened to be written by work that moves or carries; looking at members reads the new
//! side alone. The secret that signs certificates leaves this process in signatures only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::gate::Verdict;
use plimsoll_core::pilot::cutover::cohort::CohortRules;
use plimsoll_engine::pilot::carry::{Paces, Reach};
use plimsoll_engine::pilot::customer::Customer;
use plimsoll_engine::pilot::declare::Pilot;
use plimsoll_engine::pilot::drive::{Driver, Key, Opening};
use plimsoll_engine::pilot::member;
use plimsoll_engine::sync::{LinkedSystem, now_ms};
use plimsoll_engine::system::System;
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::{Store, StoreUrl};
use tokio::sync::Mutex;

use crate::access::Caller;
use crate::error::ApiError;
use crate::sessions::Sessions;

/// Asks a gate in the name of somebody.
pub type AskGate = Arc<dyn Fn(&str, &str) -> Result<Verdict, EngineError> + Send + Sync>;

/// One side of a served pilot.
#[derive(Clone)]
pub struct ServedSide {
    /// Its tables.
    pub system: &'static System,
    /// Where they are.
    pub store: StoreUrl,
}

/// A pilot, and what serving it needs.
#[derive(Clone)]
pub struct ServedPilot {
    /// How its sides map to each other.
    pub pilot: &'static dyn Pilot,
    /// The side where customers come from.
    pub legacy: ServedSide,
    /// The side where they go; its tables, those of selections among them, are up to date.
    pub new: ServedSide,
    /// The links between the sides, whose conflicts go to the inbox.
    pub links: Vec<&'static LinkedSystem>,
    /// The name of the secret that signs certificates, and the secret.
    pub key: (&'static str, Arc<[u8]>),
    /// Asks a gate.
    pub ask_gate: AskGate,
}

/// The pilot with what the server keeps of it.
pub(crate) struct PilotState {
    pub(crate) served: ServedPilot,
    pub(crate) store: Sessions,
    /// Held by whoever moves or carries.
    turn: Mutex<()>,
    opened: AtomicU64,
}

impl PilotState {
    pub(crate) fn new(served: ServedPilot, store: Sessions) -> Self {
        Self { served, store, turn: Mutex::default(), opened: AtomicU64::default() }
    }

    /// Looks at the new side in the name of a caller.
    ///
    /// # Errors
    /// What the engine says.
    pub(crate) async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        caller: &Caller,
        work: impl FnOnce(&mut Session, &Self) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let pilot = Arc::clone(self);
        self.store.run(&caller.name, move |session| work(session, &pilot)).await
    }

    /// A member, found on the new side alone: who asks about somebody else opens no driver.
    ///
    /// # Errors
    /// 404 when there is no such member.
    pub(crate) async fn member(
        self: &Arc<Self>,
        caller: &Caller,
        code: String,
    ) -> Result<Customer, ApiError> {
        let found = self.look(caller, move |session, _| {
            let found = member::one(session.store.as_mut(), &code)?;
            Ok(Customer { code: found.customer, number: found.number })
        });
        found.await.map_err(ApiError::missing)
    }

    /// Works with a driver of both sides in the name of a caller, when nobody else here does.
    ///
    /// # Errors
    /// 409 while somebody else here moves members; what the engine says.
    pub(crate) async fn drive<T: Send + 'static>(
        self: &Arc<Self>,
        caller: &Caller,
        rules: CohortRules,
        reach: Reach,
        work: impl FnOnce(&mut Driver<'_>) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let _turn = self.turn.try_lock().map_err(|_| {
            ApiError::from(EngineError::refused(
                "somebody else moves members at this moment\nhint: ask again when that is over",
            ))
        })?;
        self.look(caller, move |session, pilot| {
            let served = &pilot.served;
            let paces = Paces::new(served.pilot, now_ms(session));
            let mut legacy = Session::new(plimsoll_store::open(&served.legacy.store)?, session.actor.clone());
            legacy.request.clone_from(&session.request);
            let number = pilot.opened.fetch_add(1, Ordering::Relaxed);
            let opening = Opening {
                pilot: served.pilot,
                systems: [served.legacy.system, served.new.system],
                legacy: served.legacy.store.clone(),
                paces: &paces,
                reach,
                rules,
                key: Key { id: served.key.0, secret: &served.key.1 },
                name: format!("server-{}-{number}", std::process::id()),
            };
            work(&mut Driver::open(session.fork()?, legacy, opening)?)
        })
        .await
    }

    /// The legacy side, strictly to read it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn legacy_to_read(&self) -> Result<Box<dyn Store>, EngineError> {
        Ok(match &self.served.legacy.store {
            StoreUrl::Sqlite { path, .. } => plimsoll_store::read_only_sqlite(path)?,
            url @ StoreUrl::Postgres { .. } => plimsoll_store::open(url)?,
        })
    }
}
