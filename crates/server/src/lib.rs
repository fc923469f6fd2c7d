//! The HTTP server of Plimsoll: the API, OFREP, the feed of Unleash's clients, metrics and live events.
//!
//! Owns everything that speaks HTTP to a user's programs. It knows no system by name: the caller hands them over. It
//! has no logic that the command lacks: handlers call engine functions and shape the answer. This is the only crate of
//! the product that is asynchronous; all work on stores goes through one blocking gate (`sessions`).
//!
//! Invariants: without users and tokens it listens on loopback only; with them every route but `/healthz`, the app's
//! files and logging in needs one; every
//! answer carries a request id, and every refusal has one shape (`error`).
//!
//! Reading order: [`settings`], `router`, `state`, `request`, `access`, `role`, `user`, `login`, `audit`, `openapi`, `error`, `sessions`, `live`, `clients`, `events`,
//! `routes`, [`serve`](serve()).

pub mod access;
mod app;
mod ask;
mod audit;
mod body;
mod clients;
pub mod dashboard;
mod desk;
mod edit;
mod error;
mod etag;
mod events;
mod feed;
mod figures;
pub mod host;
mod links;
mod live;
mod login;
mod metric;
pub mod openapi;
mod pilots;
mod rate;
mod request;
pub mod role;
mod router;
mod routes;
mod serve;
mod sessions;
pub mod settings;
mod state;
pub mod user;
mod work;

pub use crate::access::{Scope, Token, Tokens};
pub use crate::ask::{Announcement, Asked, RunningServer};
pub use crate::clients::{Arrival, Silent, Timed, Why};
pub use crate::host::{Ended, Host, NoHost, OpenedSource};
pub use crate::login::SessionLimits;
pub use crate::pilots::{AskGate, ServedPilot, ServedSide};
pub use crate::role::{Role, Roles};
pub use crate::serve::{serve, serve_until};
pub use crate::settings::{
    Collect, Library, Limits, REFRESH_INTERVAL, ServedAnalytic, ServedLink, ServedSystem, ServerError,
    ServerSettings,
};
