//! The command as its users meet it: the real binary, real stores, a simulated congress.gov.
//!
//! One binary. `support` starts simulators and runs the command in an environment of its own.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop where they cannot go on, and arrange files and environments"
)]

mod alerts;
mod cloud;
mod dashboards;
mod gate;
mod gauges;
mod gauges_http;
mod ingest;
mod luckygas;
mod messages;
mod monitoring;
mod pilot;
mod pilot_served;
mod playbook;
mod postgres;
mod records;
mod scenarios;
mod serve;
mod snapshot;
mod split;
mod support;
mod sync;
mod trial;
mod users;
mod verbs;
