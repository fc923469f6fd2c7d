//! Control stores for tests.

use std::sync::Arc;

use plimsoll_core::flag::{Algorithm, Flag, Percent, Rollout, State};
use plimsoll_engine::{Session, control};
use plimsoll_store::{Durability, StoreUrl};
use plimsoll_testkit::fixture::SimulatedClock;
use plimsoll_testkit::postgres_server::PostgresServer;
use tempfile::TempDir;

/// A control store in a folder of its own, with a clock that stands still.
pub(crate) struct Place {
    pub(crate) clock: Arc<SimulatedClock>,
    url: StoreUrl,
    _folder: Option<TempDir>,
}

impl Place {
    /// A SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = StoreUrl::Sqlite { path: folder.path().join("control.db"), durability: Durability::Normal };
        Self { clock: Arc::new(SimulatedClock::default()), url, _folder: Some(folder) }
    }

    /// A database of its own on a real PostgreSQL, where there is one.
    pub(crate) fn postgres() -> Option<Self> {
        let url = PostgresServer::shared()?.database().unwrap().parse().unwrap();
        Some(Self { clock: Arc::new(SimulatedClock::default()), url, _folder: None })
    }

    /// A fresh connection, as another process has.
    pub(crate) fn session(&self) -> Session {
        let mut session = Session::new(plimsoll_store::open(&self.url).unwrap(), "anna");
        session.clock = Arc::<SimulatedClock>::clone(&self.clock);
        control::prepare(&mut session).unwrap();
        session
    }

    /// SQLite, and PostgreSQL where there is one.
    pub(crate) fn each(test: impl Fn(&Self)) {
        test(&Self::sqlite());
        if let Some(place) = Self::postgres() {
            test(&place);
        }
    }
}

/// A flag that is on for a percentage.
pub(crate) fn at_percent(name: &str, percent: u32, algorithm: Algorithm) -> Flag {
    let mut flag = Flag { state: State::On, ..Flag::new(name) };
    flag.rollout = Some(Rollout {
        percent: Percent::from_hundredths(percent * 100),
        algorithm,
        salt: name.to_owned(),
        stages: Vec::new(),
        constraints: Vec::new(),
        segments: Vec::new(),
    });
    flag
}
