//! The checks of the hearings system: rules over one table in `checks/hearings.toml`, queries in SQL files beside it.
//!
//! Owns only the list. What must be true is in the files; the engine reads and runs them ([`plimsoll_engine::check`]).

/// The text of every file of checks.
pub static CHECKS: &[&str] = &[
    include_str!("../checks/hearings.toml"),
    include_str!("../checks/committees-of-hearings.sql"),
    include_str!("../checks/dates-of-congress.sql"),
    include_str!("../checks/days-agree.sql"),
];
