//! A stand-in for Google's object storage and for the identity of a machine there, on loopback.
//!
//! Owns one bucket in memory and the requests below, written from Google's public descriptions of the JSON API and of
//! instance metadata. It deliberately shares no code with the client that it answers.
//!
//! | request | answer |
//! |---|---|
//! | `GET /computeMetadata/v1/instance/service-accounts/default/token`, header `Metadata-Flavor: Google` | `{"access_token", "expires_in", "token_type"}`; 403 without the header |
//! | `GET /storage/v1/b/{bucket}` | the bucket, or 404 |
//! | `POST /upload/storage/v1/b/{bucket}/o?uploadType=media&name&ifGenerationMatch=0` | the object, or 412 when there is one |
//! | `GET /storage/v1/b/{bucket}/o?prefix&pageToken` | `{"items", "nextPageToken"}`, two to a page, so that whoever reads one page only is found out |
//! | `GET /storage/v1/b/{bucket}/o/{object}?alt=media` | its bytes, or 404 |
//! | `DELETE /storage/v1/b/{bucket}/o/{object}` | 204, or 404 |
//!
//! Every request to the storage needs `Authorization: Bearer` with a token that was handed out, else 401; under
//! [`Options::read_only`] whatever writes is 403. Not simulated: everything else.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;

use crate::SimulatorError;
use crate::service::{self, Service};

/// What to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// The one bucket that there is.
    pub bucket: String,
    /// Whether the identity may only look.
    pub read_only: bool,
}

#[derive(Debug)]
struct Held {
    bucket: String,
    read_only: bool,
    tokens: u64,
    objects: BTreeMap<String, Bytes>,
}

type Shared = Arc<Mutex<Held>>;

/// A stand-in that is answering.
#[derive(Debug)]
pub struct Running {
    address: String,
    shared: Shared,
    service: Service,
}

/// Objects on a page.
const PAGE: usize = 2;
/// How long a token is good for, in seconds, as the real one says at most.
const TOKEN_SECONDS: u64 = 3_599;

/// Serves from a thread of its own.
///
/// # Errors
/// [`SimulatorError`] when the port, a thread or a runtime cannot be had.
pub fn serve(options: Options) -> Result<Running, SimulatorError> {
    let bound = service::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))?;
    let address = format!("http://{}", bound.socket);
    let Options { bucket, read_only, .. } = options;
    let shared = Arc::new(Mutex::new(Held { bucket, read_only, tokens: 0, objects: BTreeMap::new() }));
    let app = Router::new()
        .route("/computeMetadata/v1/instance/service-accounts/default/token", get(token))
        .route("/storage/v1/b/{bucket}", get(bucket_of))
        .route("/storage/v1/b/{bucket}/o", get(list))
        .route("/upload/storage/v1/b/{bucket}/o", post(upload))
        .route("/storage/v1/b/{bucket}/o/{object}", get(object).delete(delete))
        .with_state(Arc::clone(&shared));
    let service = Service::start("cloud-simulator", bound, app)?;
    Ok(Running { address, shared, service })
}

impl Running {
    /// The base address of both the storage and the metadata.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The names of the objects that there are.
    pub fn names(&self) -> Vec<String> {
        lock(&self.shared).objects.keys().cloned().collect()
    }

    /// Changes a byte of an object, as a broken disk would.
    pub fn spoil(&self, name: &str) {
        if let Some(bytes) = lock(&self.shared).objects.get_mut(name) {
            let mut spoiled = bytes.to_vec();
            if let Some(byte) = spoiled.first_mut() {
                *byte ^= 1;
            }
            *bytes = spoiled.into();
        }
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// [`SimulatorError::Server`] when the server ends by itself.
    pub fn wait(self) -> Result<(), SimulatorError> {
        self.service.wait()
    }
}

fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Held> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

type Refusal = (StatusCode, Json<serde_json::Value>);

fn refuse(status: StatusCode, message: &str) -> Refusal {
    (status, Json(json!({ "error": { "code": status.as_u16(), "message": message } })))
}

/// The bucket, for whoever may use it.
fn entered<'shared>(
    shared: &'shared Shared,
    bucket: &str,
    headers: &HeaderMap,
    writes: bool,
) -> Result<std::sync::MutexGuard<'shared, Held>, Refusal> {
    let held = lock(shared);
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let number = token.strip_prefix("Bearer demo-token-").and_then(|number| number.parse::<u64>().ok());
    if number.is_none_or(|number| number == 0 || number > held.tokens) {
        return Err(refuse(StatusCode::UNAUTHORIZED, "Invalid Credentials"));
    }
    if held.bucket != bucket {
        return Err(refuse(StatusCode::NOT_FOUND, "The specified bucket does not exist."));
    }
    if writes && held.read_only {
        return Err(refuse(
            StatusCode::FORBIDDEN,
            "demo@example.test does not have storage.objects.create access",
        ));
    }
    Ok(held)
}

async fn token(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if headers.get("metadata-flavor").is_none_or(|value| value != "Google") {
        return refuse(StatusCode::FORBIDDEN, "the header Metadata-Flavor is missing").into_response();
    }
    let mut held = lock(&shared);
    held.tokens += 1;
    let token = format!("demo-token-{}", held.tokens);
    Json(json!({ "access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer" }))
        .into_response()
}

async fn bucket_of(State(shared): State<Shared>, Path(bucket): Path<String>, headers: HeaderMap) -> Response {
    match entered(&shared, &bucket, &headers, false) {
        Ok(held) => Json(json!({ "kind": "storage#bucket", "name": held.bucket })).into_response(),
        Err(refused) => refused.into_response(),
    }
}

#[derive(Deserialize)]
struct Uploading {
    name: String,
    #[serde(rename = "ifGenerationMatch")]
    generation: Option<u64>,
}

async fn upload(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    Query(asked): Query<Uploading>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut held = match entered(&shared, &bucket, &headers, true) {
        Ok(held) => held,
        Err(refused) => return refused.into_response(),
    };
    if asked.generation == Some(0) && held.objects.contains_key(&asked.name) {
        return refuse(StatusCode::PRECONDITION_FAILED, "At least one of the pre-conditions did not hold.")
            .into_response();
    }
    let size = body.len().to_string();
    held.objects.insert(asked.name.clone(), body);
    Json(json!({ "kind": "storage#object", "name": asked.name, "size": size })).into_response()
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    prefix: String,
    #[serde(rename = "pageToken", default)]
    page: String,
}

async fn list(
    State(shared): State<Shared>,
    Path(bucket): Path<String>,
    Query(asked): Query<Listing>,
    headers: HeaderMap,
) -> Response {
    let held = match entered(&shared, &bucket, &headers, false) {
        Ok(held) => held,
        Err(refused) => return refused.into_response(),
    };
    let wanted = |name: &&String| name.starts_with(&asked.prefix) && **name > asked.page;
    let names: Vec<&String> = held.objects.keys().filter(wanted).collect();
    let next = names.get(PAGE - 1).filter(|_| names.len() > PAGE);
    let items: Vec<_> = names.iter().take(PAGE).map(|name| {
        json!({ "name": name, "size": held.objects[*name].len().to_string(), "updated": "2026-01-01T00:00:00Z" })
    }).collect();
    Json(json!({ "items": items, "nextPageToken": next })).into_response()
}

async fn object(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match entered(&shared, &bucket, &headers, false) {
        Ok(held) => held.objects.get(&name).cloned().map_or_else(
            || refuse(StatusCode::NOT_FOUND, "No such object").into_response(),
            IntoResponse::into_response,
        ),
        Err(refused) => refused.into_response(),
    }
}

async fn delete(
    State(shared): State<Shared>,
    Path((bucket, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match entered(&shared, &bucket, &headers, true) {
        Ok(mut held) => match held.objects.remove(&name) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => refuse(StatusCode::NOT_FOUND, "No such object").into_response(),
        },
        Err(refused) => refused.into_response(),
    }
}
