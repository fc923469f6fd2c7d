//! Starting and stopping the simulated congress.gov.
//!
//! Owns the server's thread with its own runtime, so that synchronous code can use it. What is answered is
//! decided in `routes`.
//!
//! Invariants:
//! - When [`serve`] returns, the port accepts connections.
//! - When a [`Running`] is dropped or shut down, its port is closed and its open connections are cut.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use tokio::sync::oneshot;

use super::connection::{Cut, CutListener};
use super::faults::{Faults, Strikes};
use super::listing::Catalog;
use super::manifest::Manifest;
use super::mutate::Scenario;
use super::routes::{Parts, RequestBudget, Shared, answer};
use super::stats::Stats;
use crate::SimulatorError;

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
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
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
    let failed = |what| move |source| SimulatorError::Server { what, source };
    let refused = |source| SimulatorError::Listen { address: listen, source };
    // Bound here, so that the port answers from the moment this function returns.
    let listener = std::net::TcpListener::bind(listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let socket = listener.local_addr().map_err(refused)?;

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

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("congress-simulator")
        .enable_all()
        .build()
        .map_err(failed("start its runtime"))?;
    let (stop, stopped) = oneshot::channel();
    let state = Arc::clone(&shared);
    let thread = std::thread::Builder::new()
        .name("congress-simulator".to_owned())
        .spawn(move || {
            let result = runtime.block_on(async {
                let listener = CutListener(tokio::net::TcpListener::from_std(listener)?);
                let app = Router::new().fallback(answer).with_state(state);
                let serving = axum::serve(listener, app.into_make_service_with_connect_info::<Cut>());
                tokio::select! {
                    result = serving.into_future() => result,
                    // A dropped sender means the same as a sent stop: nobody holds the simulator any more.
                    _ = stopped => Ok(()),
                }
            });
            // Cuts the connections that clients keep open instead of waiting for them.
            runtime.shutdown_timeout(Duration::from_secs(1));
            result
        })
        .map_err(failed("start its thread"))?;
    Ok(Running { socket, manifest, shared, stop: Some(stop), thread: Some(thread) })
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
    pub fn wait(mut self) -> Result<(), SimulatorError> {
        self.join()
    }

    /// Stops serving.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server had ended with an error.
    pub fn shutdown(mut self) -> Result<(), SimulatorError> {
        self.stop();
        self.join()
    }

    fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the server has ended already.
            let _ = stop.send(());
        }
    }

    fn join(&mut self) -> Result<(), SimulatorError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let ended = thread.join().unwrap_or_else(|_| Err(std::io::Error::other("its thread panicked")));
        ended.map_err(|source| SimulatorError::Server { what: "go on serving", source })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        // Whoever wanted to know about an error called `shutdown`.
        drop(self.join());
    }
}
