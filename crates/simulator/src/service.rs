//! A simulator's server on a thread of its own, so that synchronous code can start and stop it.
//!
//! Owns the listening socket, the thread, its runtime and their end. It deliberately knows no request: what is
//! answered is the router it is given.
//!
//! Invariants:
//! - When [`Service::start`] returns, the port accepts connections.
//! - When a [`Service`] is dropped or shut down, its port is closed and its open connections are cut.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::sync::oneshot;

use crate::SimulatorError;
use crate::connection::{Cut, CutListener};

/// A socket that is bound already and not served yet.
#[derive(Debug)]
pub(crate) struct Bound {
    listener: TcpListener,
    /// Where it listens; never port 0.
    pub(crate) socket: SocketAddr,
}

/// Binds `listen`, where port 0 takes any free one.
///
/// # Errors
/// [`SimulatorError::Listen`] when the address cannot be bound.
pub(crate) fn bind(listen: SocketAddr) -> Result<Bound, SimulatorError> {
    let refused = |source| SimulatorError::Listen { address: listen, source };
    let listener = TcpListener::bind(listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let socket = listener.local_addr().map_err(refused)?;
    Ok(Bound { listener, socket })
}

/// A server that is answering.
#[derive(Debug)]
pub(crate) struct Service {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Service {
    /// Serves `app` on `bound` from a thread called `name`; handlers can ask for the [`Cut`] of their
    /// connection.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when no thread or runtime can be had.
    pub(crate) fn start(name: &str, bound: Bound, app: Router) -> Result<Self, SimulatorError> {
        let failed = |what| move |source| SimulatorError::Server { what, source };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name(name)
            .enable_all()
            .build()
            .map_err(failed("start its runtime"))?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let result = runtime.block_on(async {
                    let listener = CutListener(tokio::net::TcpListener::from_std(bound.listener)?);
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
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server ends by itself.
    pub(crate) fn wait(mut self) -> Result<(), SimulatorError> {
        self.join()
    }

    /// Stops serving.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server had ended with an error.
    pub(crate) fn shutdown(mut self) -> Result<(), SimulatorError> {
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

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
        // Whoever wanted to know about an error called `shutdown`.
        drop(self.join());
    }
}
