//! What the API says when it cannot do something: one envelope, `{"errors":[{"detail","hint","code"}]}`.
//!
//! Owns the error type of every handler, the status of each kind of engine error, and the rule that a database's own
//! words stay in the log. OFREP prescribes bodies of its own; those are in `routes::ofrep`.

use std::borrow::Cow;

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use plimsoll_engine::{EngineError, ErrorKind};
use serde_json::{Value, json};

/// An answer that says what went wrong and what to do.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// A word for programs.
    pub(crate) code: &'static str,
    /// A sentence for people.
    pub(crate) detail: Cow<'static, str>,
    pub(crate) hint: Option<Cow<'static, str>>,
    /// Seconds.
    retry_after: Option<u64>,
    /// What only the log may know.
    private: Option<Box<str>>,
    /// Every error, when there are several; each has a `detail`.
    several: Box<[Value]>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            hint: None,
            retry_after: None,
            private: None,
            several: Box::default(),
        }
    }

    /// Several errors of one kind at once, each with its `detail` and what else is known of it.
    pub(crate) fn several(status: StatusCode, code: &'static str, errors: Vec<Value>) -> Self {
        Self { several: errors.into(), ..Self::new(status, code, "the request is refused") }
    }

    /// The request is wrong.
    pub(crate) fn usage(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "usage", detail)
    }

    /// The caller is unknown.
    pub(crate) fn unauthorized(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// The caller is known and may not.
    pub(crate) fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// There is nothing there.
    pub(crate) fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The server is at a limit of its own.
    pub(crate) fn busy(detail: impl Into<Cow<'static, str>>) -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        error.retry_after(1)
    }

    /// The caller asks too often; `seconds` until it may ask again.
    pub(crate) fn too_many(seconds: u64) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "this caller asks too often")
            .hint(
                "wait as long as Retry-After says; --rate-limit sets how many requests a second are answered",
            )
            .retry_after(seconds)
    }

    /// Something broke that no caller can mend.
    pub(crate) fn internal(private: impl Into<String>) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the server failed; its log says why under this request id",
        );
        error.private = Some(private.into().into());
        error
    }

    /// The same with what to do.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same as "there is nothing there", when the request named something that the engine does not know.
    #[must_use]
    pub(crate) fn missing(mut self) -> Self {
        if self.status == StatusCode::BAD_REQUEST {
            (self.status, self.code) = (StatusCode::NOT_FOUND, "not_found");
        }
        self
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let (status, code) = match error.kind {
            ErrorKind::Usage => (StatusCode::BAD_REQUEST, "usage"),
            ErrorKind::Refused => (StatusCode::CONFLICT, "refused"),
            ErrorKind::Stopped => (StatusCode::CONFLICT, "stopped"),
            ErrorKind::Source => (StatusCode::BAD_GATEWAY, "source"),
            ErrorKind::Store | ErrorKind::Integrity | ErrorKind::Crash => {
                return Self::internal(error.message);
            }
        };
        let (detail, hint) = match error.message.split_once("\nhint: ") {
            Some((detail, hint)) => (detail.to_owned(), Some(hint.to_owned().into())),
            None => (error.message, None),
        };
        Self { hint, ..Self::new(status, code, detail) }
    }
}

impl IntoResponse for ApiError {
    fn into_response(mut self) -> Response {
        let mut error = json!({ "code": self.code, "detail": self.detail });
        if let Some(hint) = &self.hint {
            error["hint"] = json!(hint);
        }
        let mut errors = std::mem::take(&mut self.several).into_vec();
        for error in &mut errors {
            error["code"] = json!(self.code);
        }
        if errors.is_empty() {
            errors.push(error);
        }
        let mut response = (self.status, Json(json!({ "errors": errors }))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The middleware logs it, because only it knows the request's id.
        if let Some(private) = self.private.take() {
            response.extensions_mut().insert(Private(private.into()));
        }
        response
    }
}

/// What only the log may know, on its way to the middleware that writes it.
#[derive(Clone)]
pub(crate) struct Private(pub(crate) String);
