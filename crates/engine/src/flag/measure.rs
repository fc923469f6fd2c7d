//! Measures of triggers, asked of metrics and checks as they are now.
//!
//! Owns where a [`MeasureSource`] leads. Opening stores is the caller's.

use std::collections::BTreeMap;

use plimsoll_core::flag::MeasureSource;

use super::trigger::{Measured, Measures};
use crate::error::EngineError;
use crate::gate::live::{Stores, latest_results};
use crate::metric;

/// Measures from this program's own metrics and checks; what the caller gives by name comes first.
pub struct LiveMeasures<'a> {
    given: BTreeMap<String, Measured>,
    stores: &'a mut dyn Stores,
}

impl<'a> LiveMeasures<'a> {
    /// Asks `stores` for what is not `given`.
    pub fn new(given: BTreeMap<String, Measured>, stores: &'a mut dyn Stores) -> Self {
        Self { given, stores }
    }

    fn metric(&mut self, selector: &str) -> Result<Option<f64>, EngineError> {
        metric::value(self.stores.metrics(), selector)
    }

    fn check(&mut self, system: &str, check: &str) -> Result<Option<Measured>, EngineError> {
        let found = latest_results(self.stores, system)?.into_iter().find(|result| result.check == check);
        Ok(found.and_then(|result| {
            Some(Measured { value: result.value?, sample: result.sample_size.unwrap_or(1) })
        }))
    }
}

impl Measures for LiveMeasures<'_> {
    fn measure(
        &mut self,
        name: &str,
        source: Option<&MeasureSource>,
    ) -> Result<Option<Measured>, EngineError> {
        if let Some(given) = self.given.get(name) {
            return Ok(Some(*given));
        }
        match source {
            None => Ok(None),
            Some(MeasureSource::Check { system, check }) => self.check(system, check),
            Some(MeasureSource::Metric { metric, sample }) => {
                let Some(value) = self.metric(metric)? else { return Ok(None) };
                let sample = match sample {
                    None => 1,
                    Some(selector) => self.metric(selector)?.map_or(0, observations),
                };
                Ok(Some(Measured { value, sample }))
            }
        }
    }
}

/// A count as a metric gives it. What is no count is none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is at least zero and whole enough"
)]
fn observations(count: f64) -> u64 {
    if count.is_finite() && count > 0.0 { count as u64 } else { 0 }
}
