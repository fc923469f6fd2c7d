//! The cache of this process: how often it was asked.

use crate::cache::CacheCounts;

use super::{CACHE_REQUESTS, Sample};

/// Samples of a cache. They count from the start of the process: what a cache did is in no journal.
pub fn cache(counts: CacheCounts) -> Vec<Sample> {
    [("hit", counts.hits), ("miss", counts.misses), ("failure", counts.failures)]
        .map(|(outcome, count)| CACHE_REQUESTS.count(&[outcome], count))
        .to_vec()
}
