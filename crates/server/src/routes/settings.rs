//! How a run is applied, as the body of a request asks for it.
//!
//! Owns laying what was asked over what the configuration says. What a setting may be is the engine's to check.

use plimsoll_engine::change::run::RunSettings;
use serde::Deserialize;

use crate::error::ApiError;

/// Settings of a run, under the names that the run itself shows them; what is left out stays as it is.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AskedSettings {
    /// Items in one batch; chooses the batch path whatever the configuration says.
    #[schema(minimum = 1)]
    batch_size: Option<u64>,
    /// Workers for disjoint ranges (PostgreSQL); chosen when a run begins.
    #[schema(minimum = 1, maximum = 64)]
    workers: Option<u32>,
    /// Let the batch size follow this duration of a batch, in milliseconds; chosen when a run begins.
    adaptive_target_ms: Option<u64>,
    /// Milliseconds to wait between batches.
    #[schema(maximum = 30000)]
    throttle_ms: Option<u64>,
    /// Stop when more items than this fail or conflict.
    max_errors: Option<u64>,
    /// Stop when a larger share of at least 100 items fails or conflicts, 0 to 1.
    #[schema(minimum = 0, maximum = 1)]
    max_error_share: Option<f64>,
}

impl AskedSettings {
    /// What was asked, over settings that are there already.
    pub(super) fn over(&self, settings: &RunSettings) -> RunSettings {
        RunSettings {
            batch_size: self.batch_size.or(settings.batch_size),
            workers: self.workers.unwrap_or(settings.workers),
            adaptive_target_ms: self.adaptive_target_ms.or(settings.adaptive_target_ms),
            throttle_ms: self.throttle_ms.unwrap_or(settings.throttle_ms),
            max_errors: self.max_errors.or(settings.max_errors),
            max_error_share: self.max_error_share.unwrap_or(settings.max_error_share),
        }
    }

    /// Refuses what a run that began cannot be told any more: its ranges are cut already.
    ///
    /// # Errors
    /// 400, naming the setting.
    pub(super) fn of_begun(&self) -> Result<(), ApiError> {
        let late = match (self.workers, self.adaptive_target_ms) {
            (Some(_), _) => "workers",
            (_, Some(_)) => "adaptive_target_ms",
            (None, None) => return Ok(()),
        };
        Err(ApiError::usage(format!("`{late}` is chosen when a run begins"))
            .hint("going on takes batch_size, throttle_ms, max_errors and max_error_share"))
    }
}
