//! Figures of all stores for the panels that show them.
//!
//! Owns collecting them once for everybody who asks at about the same time: a dashboard of ten panels would otherwise open
//! every store ten times. Prometheus is answered without it, with figures of that very moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use plimsoll_engine::metric::Sample;
use tokio::sync::Mutex;

use crate::error::ApiError;
use crate::settings::Collect;

/// How old a figure in a panel may be.
const FRESH: Duration = Duration::from_secs(5);

/// Figures, with the moment at which they were collected.
type Collected = (Instant, Arc<Vec<Sample>>);

/// The figures that were collected last.
#[derive(Default)]
pub(crate) struct Figures(Mutex<Option<Collected>>);

impl Figures {
    /// Every figure, no older than some seconds. Whoever asks while they are collected waits for the same ones.
    ///
    /// # Errors
    /// 500 when collecting broke.
    #[expect(
        clippy::disallowed_methods,
        reason = "collecting opens every store once, on sessions of its own"
    )]
    pub(crate) async fn recent(&self, collect: &Collect) -> Result<Arc<Vec<Sample>>, ApiError> {
        let mut kept = self.0.lock().await;
        if let Some((at, samples)) = &*kept
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(samples));
        }
        let collect = Arc::clone(collect);
        let collected = tokio::task::spawn_blocking(move || collect()).await;
        let samples = Arc::new(collected.map_err(|error| ApiError::internal(error.to_string()))?);
        *kept = Some((Instant::now(), Arc::clone(&samples)));
        Ok(samples)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[tokio::test]
    async fn panels_that_ask_together_are_answered_by_one_collection() {
        static TIMES: AtomicU64 = AtomicU64::new(0);
        let collect: Collect = Arc::new(|| {
            TIMES.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(50));
            Vec::new()
        });
        let figures = Figures::default();
        let asked = (0..10).map(|_| figures.recent(&collect));
        assert!(futures_util::future::join_all(asked).await.iter().all(Result::is_ok));
        assert_eq!(TIMES.load(Ordering::SeqCst), 1);
        if let Some(kept) = &mut *figures.0.lock().await {
            kept.0 -= FRESH;
        }
        assert!(figures.recent(&collect).await.is_ok());
        assert_eq!(TIMES.load(Ordering::SeqCst), 2, "figures that are too old are collected anew");
    }
}
