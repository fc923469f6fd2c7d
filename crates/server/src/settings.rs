//! What the caller of the server decides: where it listens, which stores it serves, who may call, and how much.
//!
//! Owns the settings' types, their defaults and what can keep the server from running. It reads
//! no file and no environment: the command does that.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::cache::Cache;
use plimsoll_engine::metric::Sample;
use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::system::System;
use plimsoll_store::StoreUrl;

use crate::access::Tokens;
use crate::host::Host;
use crate::login::SessionLimits;
use crate::pilots::ServedPilot;

/// A system with the store that holds its tables.
#[derive(Clone)]
pub struct ServedSystem {
    /// The system.
    pub system: &'static System,
    /// Its store, whose tables are up to date.
    pub store: StoreUrl,
    /// Its link with a remote, where it has one; its tables are up to date too.
    pub link: Option<ServedLink>,
}

/// A link of a served system, and where its remote is.
#[derive(Clone)]
pub struct ServedLink {
    /// The link.
    pub linked: &'static LinkedSystem,
    /// The remote's address. Without one nothing is pulled or sent from here; a worker elsewhere may.
    pub remote: Option<String>,
    /// The token that the remote wants. It is a secret.
    pub token: Option<String>,
    /// Requests per second at most; what the link allows unless set, as many as the remote answers for 0.
    pub requests_per_second: Option<u64>,
}

/// An analytical system with the file that holds its figures; the file need not be there.
#[derive(Clone)]
pub struct ServedAnalytic {
    /// The system.
    pub system: &'static AnalyticSystem,
    /// Its DuckDB file.
    pub path: PathBuf,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Library({})", self.folder.display())
    }
}

/// Documents of the systems, and the folder with those of the user: `gates`, `playbooks` and `dashboards`.
#[derive(Clone, Default)]
pub struct Library {
    /// Gate files.
    pub gates: &'static [&'static [&'static str]],
    /// Playbooks.
    pub playbooks: &'static [&'static [&'static str]],
    /// Dashboards.
    pub dashboards: &'static [&'static [&'static str]],
    /// The user's.
    pub folder: PathBuf,
}

/// How much one server takes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// The largest request body, in bytes. A larger one is answered with 413.
    pub body_bytes: usize,
    /// How long one request may take until its answer begins; 504 after that. Streams of events go on.
    pub request_timeout: Duration,
    /// Requests worked on at once; a further one waits within its own time limit.
    pub concurrent_requests: usize,
    /// Streams of events open at once; a further one is answered with 503.
    pub event_clients: usize,
    /// Connections to one store at once.
    pub sessions_per_store: usize,
    /// Requests that one caller may make in a second, and in one go after a pause; 429 above. `None` never refuses.
    pub requests_per_second: Option<u32>,
    /// How long a session of somebody who logged in lasts.
    pub sessions: SessionLimits,
    /// How long the server waits for the answers it owes when it is told to end.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            request_timeout: Duration::from_secs(30),
            concurrent_requests: 512,
            event_clients: 4_096,
            sessions_per_store: 4,
            requests_per_second: Some(10_000),
            sessions: SessionLimits::default(),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}

/// What the stores have to say to Prometheus, computed when it asks.
pub type Collect = Arc<dyn Fn() -> Vec<Sample> + Send + Sync>;

/// What to serve, to whom, and where.
#[derive(Clone)]
pub struct ServerSettings {
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Each system with its store.
    pub systems: Vec<ServedSystem>,
    /// The pilot, where both its databases are there. Its sides may be among the systems too, for their runs.
    pub pilot: Option<ServedPilot>,
    /// Systems whose figures are in DuckDB files.
    pub analytics: Vec<ServedAnalytic>,
    /// Gates, playbooks and dashboards.
    pub library: Library,
    /// The program around the server.
    pub host: Arc<dyn Host>,
    /// The control store, which holds the flags.
    pub control: StoreUrl,
    /// Who acts, as recorded in events, while there are no tokens.
    pub actor: String,
    /// Who may call. Without any, everybody on this machine.
    pub tokens: Tokens,
    /// How much the server takes on.
    pub limits: Limits,
    /// How often the control store is asked whether another process changed a flag.
    pub refresh_interval: Duration,
    /// A cache for what is read often, where there is one.
    pub cache: Option<Arc<Cache>>,
    /// Samples of the stores, which `/metrics` shows beside the server's own.
    pub collect: Collect,
}

/// How often the control store is asked for news unless set otherwise: the question costs some microseconds.
pub const REFRESH_INTERVAL: Duration = Duration::from_millis(20);

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is not on loopback and there are neither users nor tokens.
    #[error(
        "{0} is not a loopback address, and there are neither users nor tokens\nhint: listen on 127.0.0.1 or [::1], or \
         let `plimsoll user add` add a user or `plimsoll token create` make a token first"
    )]
    NotLoopback(SocketAddr),
    /// The operating system refused.
    #[error("the server cannot run on {address}: {problem}\nhint: --listen ADDRESS names another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        problem: std::io::Error,
    },
    /// The operating system refused later.
    #[error("the server cannot run: {0}")]
    Io(#[from] std::io::Error),
    /// The control store cannot be read.
    #[error("{0}")]
    Control(#[from] plimsoll_engine::EngineError),
}
