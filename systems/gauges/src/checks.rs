//! The checks, metrics and playbooks of the gauges system, each a file.
//!
//! Owns only the lists. What must be true, what is counted and which steps follow each other is in the files.

/// The text of every check.
pub static CHECKS: &[&str] = &[
    include_str!("../checks/members-and-gauges-agree.sql"),
    include_str!("../checks/members-are-alike.sql"),
    include_str!("../checks/ids-are-in-the-ledger.sql"),
    include_str!("../checks/ids-were-checked.sql"),
    include_str!("../checks/history-follows-itself.sql"),
    include_str!("../checks/every-set-has-history.sql"),
    include_str!("../checks/no-overdue-gauge-is-out.sql"),
    include_str!("../checks/sets-are-complete.sql"),
];

/// The text of every metric.
pub static METRICS: &[&str] = &[
    include_str!("../metrics/sets.sql"),
    include_str!("../metrics/incomplete.sql"),
    include_str!("../metrics/gauges.sql"),
    include_str!("../metrics/operations.sql"),
    include_str!("../metrics/calibrations-due.sql"),
    include_str!("../metrics/overdue-in-use.sql"),
    include_str!("../metrics/ids-unchecked.sql"),
    include_str!("../metrics/tolerance-cases.sql"),
];

/// The text of every playbook.
pub const PLAYBOOKS: &[&str] = &[include_str!("../playbooks/rollout.md")];
