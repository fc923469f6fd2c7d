//! The metrics of the OpenCode system: one SQL file each, in `metrics/`.
//!
//! Owns only the list. A file says in its header what the number is; the engine reads and asks it
//! ([`plimsoll_engine::metric`]).

/// The text of every metric, in order of their names.
pub static METRICS: &[&str] = &[
    include_str!("../metrics/answers.sql"),
    include_str!("../metrics/completeness.sql"),
    include_str!("../metrics/cost.sql"),
    include_str!("../metrics/errors.sql"),
    include_str!("../metrics/list-cost.sql"),
    include_str!("../metrics/newest-answer.sql"),
    include_str!("../metrics/recent-cost.sql"),
    include_str!("../metrics/response-seconds.sql"),
    include_str!("../metrics/sessions.sql"),
    include_str!("../metrics/tokens.sql"),
    include_str!("../metrics/tool-calls.sql"),
    include_str!("../metrics/total-cost.sql"),
    include_str!("../metrics/unpriced.sql"),
];
