//! The server as programs meet it: the real router on a real socket of loopback.
//!
//! One binary. `support` starts servers and asks them.

#![expect(clippy::unwrap_used, reason = "tests stop where they cannot go on")]

mod access;
mod acting;
mod alias;
mod app;
mod flags;
mod limits;
mod ofrep;
mod openapi;
mod providers;
mod push;
mod reading;
mod support;
mod trials;
mod unleash;
