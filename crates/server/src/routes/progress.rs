//! `/api/v1/runs/{run}/events`: a run as it goes, as server-sent events.
//!
//! Owns looking at the run in its store several times a second - it may be applied by any process - and telling what
//! changed: `progress` with rate and time to go, `batch`, `status`, and `end`, after which the stream ends.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::{Stream, stream};
use plimsoll_core::id::Id;
use plimsoll_core::run::RunStatus;
use plimsoll_engine::change::plan;
use plimsoll_engine::change::run::{self, Run};
use plimsoll_engine::change::setup::Named;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::access::Caller;
use crate::body::PathPart;
use crate::error::ApiError;
use crate::role::Role;
use crate::sessions::Sessions;
use crate::state::Server;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often the run is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Over how long the rate is measured.
const RATE_OVER: Duration = Duration::from_secs(20);

/// Follows a run until it ends or stops.
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(crate) async fn follow(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    PathPart(prefix): PathPart,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, ApiError> {
    let (store, id) = server.find(&caller, Role::Viewer, Named::Run, &prefix).await?;
    let room = Arc::clone(&server.event_places).try_acquire_owned();
    let room = room.map_err(|_| ApiError::busy("no further client can follow the events"))?;
    let of = id.clone();
    let total = store.run(&caller.name, move |session| {
        let run = run::load(session.store.as_mut(), &of)?;
        Ok(plan::load(session.store.as_mut(), &run.plan)?.items)
    });
    let following = Following {
        total: total.await?,
        store: store.clone(),
        actor: Arc::clone(&caller.name),
        id,
        ending: server.ending.subscribe(),
        last: None,
        seen: VecDeque::new(),
        waiting: VecDeque::new(),
        over: false,
        _room: room,
    };
    let stream = stream::unfold(following, Following::next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

struct Following {
    store: Sessions,
    actor: Arc<str>,
    id: Id,
    total: u64,
    ending: watch::Receiver<bool>,
    last: Option<Run>,
    /// When so many items were done, for the rate.
    seen: VecDeque<(Instant, u64)>,
    waiting: VecDeque<(&'static str, Value)>,
    over: bool,
    _room: OwnedSemaphorePermit,
}

impl Following {
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        loop {
            if let Some((kind, data)) = self.waiting.pop_front() {
                let event = sse::Event::default().event(kind).data(data.to_string());
                return Some((Ok(event), self));
            }
            if self.over {
                return None;
            }
            if self.last.is_some() {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.ending.wait_for(|ending| *ending) => return None,
                }
            }
            let id = self.id.clone();
            let looked = self.store.run(&self.actor, move |session| run::load(session.store.as_mut(), &id));
            match looked.await {
                Ok(run) => self.compare(run),
                // The run or its store is gone; the client asks again and is told why.
                Err(_) => return None,
            }
        }
    }

    fn compare(&mut self, run: Run) {
        let tally = &run.tally;
        let done = tally.applied + tally.noop + tally.conflicted + tally.quarantined + tally.skipped;
        let now = Instant::now();
        self.seen.push_back((now, done));
        while self.seen.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_OVER)
            && self.seen.len() > 2
        {
            self.seen.pop_front();
        }
        let before = self.last.as_ref();
        if before.is_none_or(|before| before.tally != run.tally || before.status != run.status) {
            let rate = self.rate();
            let left = self.total.saturating_sub(done);
            // Whole seconds are near enough for a person.
            let eta = rate.filter(|rate| *rate > 0.0).map(|rate| (left as f64 / rate).ceil());
            self.waiting.push_back(("progress", json!({
                "done": done, "total": self.total, "batches": run.batches, "rate": rate, "eta_seconds": eta,
                "tally": run.tally, "status": run.status,
            })));
        }
        if before.is_some_and(|before| before.batches != run.batches) {
            let batch = json!({ "batch": run.batches, "rows_written": run.rows_written, "tally": run.tally });
            self.waiting.push_back(("batch", batch));
        }
        if before.is_none_or(|before| before.status != run.status || before.requested != run.requested) {
            self.waiting.push_back((
                "status",
                json!({
                    "status": run.status, "requested": run.requested, "stop_class": run.stop_class,
                    "stop_reason": run.stop_reason,
                }),
            ));
        }
        if run.status != RunStatus::Running
            && !(before.is_none() && run.status != RunStatus::Finished && run.status != RunStatus::Cancelled)
        {
            self.waiting.push_back(("end", json!({ "run": run.id, "status": run.status })));
            self.over = true;
        }
        self.last = Some(run);
    }

    /// Items a second, when there is something to measure.
    fn rate(&self) -> Option<f64> {
        let (first, last) = (self.seen.front()?, self.seen.back()?);
        let seconds = last.0.duration_since(first.0).as_secs_f64();
        let items = last.1.saturating_sub(first.1);
        (seconds > 0.0 && items > 0).then(|| items as f64 / seconds)
    }
}
