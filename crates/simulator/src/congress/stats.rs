//! What a server has answered so far, by kind.
//!
//! Owns the counters and the shape in which `/_simulator/stats` shows them.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a server has answered so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Requests, those of `/_simulator` left out.
    pub requests: u64,
    /// List pages sent.
    pub list_pages: u64,
    /// Items sent, bad ones included.
    pub items: u64,
    /// Items refused because the planted defect is that there is none.
    pub failed_items: u64,
    /// Answers 429 by fault.
    pub rate_limited: u64,
    /// Answers 429 because the budget was used up.
    pub over_budget: u64,
    /// Passing answers 500 and 503.
    pub server_errors: u64,
    /// Late answers.
    pub slow: u64,
    /// Connections cut.
    pub dropped: u64,
    /// List pages that repeated an entry of the page before.
    pub duplicated_pages: u64,
    /// Entries left out of a list page.
    pub missing_items: u64,
    /// Answers 403.
    pub refused_keys: u64,
    /// Answers 400, 404 and 405.
    pub not_answered: u64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        /// The same numbers while they are counted.
        #[derive(Debug, Default)]
        pub(super) struct Counters { $(pub(super) $name: AtomicU64),* }
        impl Counters {
            pub(super) fn stats(&self) -> Stats {
                Stats { $($name: self.$name.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters!(
    requests,
    list_pages,
    items,
    failed_items,
    rate_limited,
    over_budget,
    server_errors,
    slow,
    dropped,
    duplicated_pages,
    missing_items,
    refused_keys,
    not_answered
);
