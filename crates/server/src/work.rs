//! Work that takes longer than a request: it goes on when the answer was given.
//!
//! Owns starting it, and waiting a moment for what the caller wants to know at once - the id of the run that began, or
//! why it could not. What becomes of it is in the store; a failure that nobody waits for any more is in the log.

use std::time::Duration;

use plimsoll_engine::{EngineError, Session};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::access::Caller;
use crate::error::ApiError;
use crate::request;
use crate::sessions::Sessions;
use crate::state::Server;

/// How long an answer waits for work to begin.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks whether it did.
const LOOK: Duration = Duration::from_millis(25);
/// How long a command line may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// What can be said when the answer is due.
pub(crate) enum Begun<T> {
    /// The work began, and this is known of it.
    Going(T),
    /// The work is done already.
    Done(Value),
    /// Neither is known yet; it goes on.
    Unknown,
}

/// Starts work on a store and waits until `began` sees it, or until it ended.
///
/// # Errors
/// Why the work failed, when it did so while the answer waited.
pub(crate) async fn start<T: Send + 'static>(
    store: &Sessions,
    caller: &Caller,
    work: impl FnOnce(&mut Session) -> Result<Value, EngineError> + Send + 'static,
    began: impl Fn(&mut Session) -> Result<Option<T>, EngineError> + Clone + Send + 'static,
) -> Result<Begun<T>, ApiError> {
    let (on, actor) = (store.clone(), caller.name.to_string());
    let span = tracing::Span::current();
    let task = request::spawn(async move {
        let _span = span;
        on.run(&actor, work).await
    });
    follow(store, caller, task, began).await
}

/// Starts a command line of this program, and waits as [`start`] does. What is `held` is let go when the command ended.
///
/// # Errors
/// What the command said, when it failed while the answer waited.
pub(crate) async fn start_command<T: Send + 'static>(
    server: &Server,
    caller: &Caller,
    words: Vec<String>,
    held: impl Send + 'static,
    began: impl Fn(&mut Session) -> Result<Option<T>, EngineError> + Clone + Send + 'static,
) -> Result<Begun<T>, ApiError> {
    let (on, actor) = (Server::clone(server), caller.name.to_string());
    let task = request::spawn(async move {
        let _held = held;
        run_command(&on, &actor, words).await
    });
    follow(&server.control, caller, task, began).await
}

/// Runs a command line of this program to its end and gives what it printed.
///
/// # Errors
/// 409 with what the command said, for any code that is neither "done" nor "done with exceptions".
#[expect(clippy::disallowed_methods, reason = "a process is waited for, and no store of this one is used")]
pub(crate) async fn run_command(server: &Server, actor: &str, words: Vec<String>) -> Result<Value, ApiError> {
    let (host, actor) = (std::sync::Arc::clone(&server.settings.host), actor.to_owned());
    let request = request::current();
    let ended = tokio::task::spawn_blocking(move || host.command(&words, &actor, request.as_deref(), LIMIT))
        .await
        .map_err(|error| ApiError::internal(error.to_string()))?;
    let printed = serde_json::from_str(&ended.out).unwrap_or_else(|_| Value::String(ended.out.clone()));
    // 3 is "done, with exceptions": what they are is in the data.
    if [0, 3, 4].contains(&ended.code) && !ended.out.trim().is_empty() {
        return Ok(printed);
    }
    let said = ended.err.trim().trim_start_matches("error: ").to_owned();
    Err(ApiError::from(EngineError::refused(if said.is_empty() {
        "the command failed".to_owned()
    } else {
        said
    })))
}

async fn follow<T: Send + 'static>(
    store: &Sessions,
    caller: &Caller,
    mut task: JoinHandle<Result<Value, ApiError>>,
    began: impl Fn(&mut Session) -> Result<Option<T>, EngineError> + Clone + Send + 'static,
) -> Result<Begun<T>, ApiError> {
    let until = Instant::now() + PATIENCE;
    loop {
        tokio::select! {
            ended = &mut task => {
                let ended = ended.map_err(|error| ApiError::internal(error.to_string()))??;
                let known = store.run(&caller.name, began).await?;
                return Ok(known.map_or(Begun::Done(ended), Begun::Going));
            }
            () = tokio::time::sleep(LOOK) => {
                if let Some(known) = store.run(&caller.name, began.clone()).await? {
                    tokio::spawn(tell(task));
                    return Ok(Begun::Going(known));
                }
                if Instant::now() >= until {
                    tokio::spawn(tell(task));
                    return Ok(Begun::Unknown);
                }
            }
        }
    }
}

/// A failure that nobody waits for goes to the log.
async fn tell(task: JoinHandle<Result<Value, ApiError>>) {
    match task.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(detail = %error.detail, "work in the background failed"),
        Err(error) => tracing::error!(%error, "work in the background broke"),
    }
}
