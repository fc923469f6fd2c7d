//! Starting and stopping the simulated congress.gov.
//!
//! Owns the options and the handle. The thread is `service`'s; what is answered is decided in `routes`.
//!
//! Invariants:
//! - When [`serve`] returns, the port accepts connections.
//! - When a [`Running`] is dropped or shut down, its port is closed and its open connections are cut.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;

use super::faults::{Faults, Strikes};
use super::listing::Catalog;
use super::manifest::Manifest;
use super::mutate::Scenario;
use super::routes::{Parts, RequestBudget, Shared, answer};
use super::stats::Stats;
use crate::SimulatorError;
use crate::service::{self, Service};

/// How a scenario is served.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Where; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The faults of the transport.
    pub faults: Faults,
    /// The API key that every request must give; without it any key and none are accepted.
    pub require_key: Option<String>,
    /// How many requests are granted; without it there is no limit, though the headers state congress.gov's.
    pub budget: Option<RequestBudget>,
}

impl ServeOptions {
    /// No faults, no key, no budget.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, faults: Faults::none(), require_key: None, budget: None }
    }
}

/// A simulator that is answering.
#[derive(Debug)]
pub struct Running {
    socket: SocketAddr,
    manifest: Manifest,
    shared: Arc<Shared>,
    service: Service,
}

/// Serves `scenario` with `faults` on `listen`, from a thread of its own.
///
/// # Errors
/// [`SimulatorError::Listen`] when the address cannot be bound, [`SimulatorError::Server`] when no thread or
/// runtime can be had.
pub fn serve(scenario: Scenario, faults: Faults, listen: SocketAddr) -> Result<Running, SimulatorError> {
    serve_with(scenario, ServeOptions { faults, ..ServeOptions::at(listen) })
}

/// Serves `scenario` as `options` say.
///
/// # Errors
/// As [`serve`].
pub fn serve_with(scenario: Scenario, options: ServeOptions) -> Result<Running, SimulatorError> {
    let ServeOptions { listen, faults, require_key, budget } = options;
    // Bound here, so that the port answers from the moment this function returns.
    let bound = service::bind(listen)?;
    let socket = bound.socket;

    let (catalog, missing) = Catalog::new(&scenario, &faults);
    let mut manifest = scenario.manifest;
    manifest.address = format!("http://{socket}");
    manifest.faults = faults.planned(missing);
    let shared = Arc::new(Shared::new(Parts {
        address: manifest.address.clone(),
        catalog,
        slow_for: faults.slow_for,
        retry_after: faults.retry_after,
        strikes: Strikes::new(faults),
        key: require_key,
        budget,
        manifest: Bytes::from(serde_json::json!(manifest).to_string()),
    }));

    let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
    let service = Service::start("congress-simulator", bound, app)?;
    Ok(Running { socket, manifest, shared, service })
}

impl Running {
    /// The base address, for example `http://127.0.0.1:41234`; the API is below `/v3`.
    pub fn address(&self) -> &str {
        &self.manifest.address
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// What was planted, and which faults are planned.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What was answered so far; also at `/_simulator/stats`.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
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
