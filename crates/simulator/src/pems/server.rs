//! Starting and stopping the simulated PEMS, and looking into it.
//!
//! Owns the options and the handle, whose methods do in the process what `/control` does over HTTP.
//!
//! Invariants:
//! - It listens on loopback only: nothing below `/control` asks for a token.
//! - When [`serve`] returns, the port accepts connections; when a [`Running`] is dropped or shut down, its port
//!   is closed and its open connections are cut.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use serde_json::{Map, Value};

use super::bucket::{Bucket, TokenBucket};
use super::clock::Clock;
use super::faults::{FaultKind, Faults, Strikes};
use super::generate::rows;
use super::ledger::{Effect, Effects, Writer};
use super::refusal::Refusal;
use super::remote::Remote;
use super::routes::{Access, Counters, Held, Shared, answer};
use super::schema::Drift;
use crate::SimulatorError;
use crate::service::{self, Service};

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides the rows, the strikes of faults and what other users do.
    pub seed: u64,
    /// How many organizations there are, called `DEMO01`, `DEMO02`, ...
    pub organizations: usize,
    /// How many rows each organization has.
    pub rows_per_organization: usize,
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// The token that may read and write; without this one and the next, nobody is asked for one.
    pub token: Option<String>,
    /// A token that may only read.
    pub read_only_token: Option<String>,
    /// True when GET of one row also tells `last_operation`, the `X-Operation-Id` that wrote it last.
    pub remembers_operations: bool,
    /// How many requests are granted; without it any number.
    pub limit: Option<TokenBucket>,
    /// The faults.
    pub faults: Faults,
}

impl Default for Options {
    /// Two organizations of 200 rows each on any free port: no token, no limit, no fault.
    fn default() -> Self {
        Self {
            seed: 1,
            organizations: 2,
            rows_per_organization: 200,
            port: 0,
            token: None,
            read_only_token: None,
            remembers_operations: false,
            limit: None,
            faults: Faults::none(),
        }
    }
}

impl Options {
    /// The default with [`Faults::stormy`].
    pub fn stormy(seed: u64) -> Self {
        Self { seed, faults: Faults::stormy(), ..Self::default() }
    }
}

/// A simulated PEMS that is answering.
#[derive(Debug)]
pub struct Running {
    socket: SocketAddr,
    address: String,
    shared: Arc<Shared>,
    service: Service,
}

/// Serves what `options` say, from a thread of its own.
///
/// # Errors
/// [`SimulatorError::Listen`] when the port cannot be had, [`SimulatorError::Server`] when no thread or runtime
/// can be had.
pub fn serve(options: Options) -> Result<Running, SimulatorError> {
    let bound = service::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))?;
    let socket = bound.socket;
    let remote = Remote::new(
        rows(options.seed, options.organizations, options.rows_per_organization),
        Clock::new(options.seed),
        Strikes::new(options.seed, options.faults),
        options.remembers_operations,
    );
    let shared = Arc::new(Shared {
        access: Access { token: options.token, read_only_token: options.read_only_token },
        held: Mutex::new(Held {
            remote,
            counters: Counters::default(),
            bucket: options.limit.map(Bucket::new),
        }),
    });
    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = Service::start("pems-simulator", bound, app)?;
    Ok(Running { socket, address: format!("http://{socket}"), shared, service })
}

impl Running {
    /// The base address, for example `http://127.0.0.1:41234`; the API is below `/api/pems`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The rows of an organization, or of all, as they are served, sorted by id.
    pub fn rows(&self, organization: Option<&str>) -> Vec<Value> {
        self.shared.held().remote.all_served(organization)
    }

    /// One row as it is served.
    pub fn row(&self, id: &str) -> Option<Value> {
        self.shared.held().remote.served(id).ok()
    }

    /// How many effects each operation had.
    pub fn effects(&self) -> Effects {
        self.shared.held().remote.ledger.counted()
    }

    /// Every effect in order, other users' among them.
    pub fn log(&self) -> Vec<Effect> {
        self.shared.held().remote.ledger.all().to_vec()
    }

    /// How often each kind of fault struck, by its name.
    pub fn injected(&self) -> BTreeMap<&'static str, u64> {
        self.shared.held().remote.strikes.injected()
    }

    /// What was answered so far.
    pub fn counters(&self) -> Counters {
        self.shared.held().counters.clone()
    }

    /// From now on these faults strike, and they are on.
    pub fn set_faults(&self, faults: Faults) {
        let strikes = &mut self.shared.held().remote.strikes;
        strikes.faults = faults;
        strikes.on = true;
    }

    /// Turns the faults off, or on again at their rates.
    pub fn turn_faults(&self, on: bool) {
        self.shared.held().remote.strikes.on = on;
    }

    /// Lets `kind` strike on its next `times` occasions, whatever its rate and also while faults are off.
    pub fn force(&self, kind: FaultKind, times: u32) {
        self.shared.held().remote.strikes.force(kind, times);
    }

    /// Another user edits a row: the row as it is served then.
    ///
    /// # Errors
    /// What the API would answer to such a write.
    pub fn edit(&self, id: &str, fields: &Map<String, Value>) -> Result<Value, Refusal> {
        self.shared.held().remote.edit(id, fields)
    }

    /// Another user creates a row: the row as it is served then.
    ///
    /// # Errors
    /// As [`Running::edit`].
    pub fn create(
        &self,
        id: &str,
        organization: &str,
        fields: &Map<String, Value>,
    ) -> Result<Value, Refusal> {
        self.shared.held().remote.add(id, organization, fields)
    }

    /// Another user deletes a row.
    ///
    /// # Errors
    /// A [`Refusal`] with status 404 when it is not there.
    pub fn delete(&self, id: &str) -> Result<(), Refusal> {
        self.shared.held().remote.delete(id, None, &Writer::another())
    }

    /// The schema drifts.
    ///
    /// # Errors
    /// A [`Refusal`] when there is no such field, or the new name is taken.
    pub fn drift(&self, drift: &Drift) -> Result<(), Refusal> {
        self.shared.held().remote.schema.drift(drift)
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server ends by itself.
    pub fn wait(self) -> Result<(), SimulatorError> {
        self.service.wait()
    }

    /// Stops serving.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server had ended with an error.
    pub fn shutdown(self) -> Result<(), SimulatorError> {
        self.service.shutdown()
    }
}
