//! The web app: the files that `ui/dist` held when the program was built, and how a browser may use them.
//!
//! Owns embedding, the answer of one file, the page of every address that is no file (the app finds its way by
//! itself), and the policy of what the page may load. It deliberately does not build the app: without `ui/dist` the
//! program still compiles and says how to build it. A debug build reads the folder each time.
//!
//! Invariants: nothing from elsewhere is ever loaded and no script stands in a page; a style element needs the nonce
//! of its answer. Files whose names carry a digest are kept for ever, everything else is asked for again.

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use plimsoll_engine::clock::new_id;
use rust_embed::RustEmbed;

use crate::error::ApiError;
use crate::etag;

/// The files of the app. The folder need not be there.
#[derive(RustEmbed)]
#[folder = "../../ui/dist/"]
#[allow_missing = true]
struct Files;

/// The page that every address of the app begins with.
const PAGE: &str = "index.html";
/// What stands in the page where the nonce of the answer belongs; Vite's `html.cspNonce` puts it there.
const NONCE_MARK: &str = "PLIMSOLL_CSP_NONCE";
/// Names in this folder carry a digest of what they hold.
const HASHED: &str = "assets/";
/// Encodings that the build may have left beside a file, the best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];
/// Paths below these are for programs and never answered with the page.
const FOR_PROGRAMS: [&str; 4] = ["/api/", "/ofrep/", "/metrics", "/healthz"];

const ABSENT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Plimsoll</title><body>\
<h1>Plimsoll</h1><p>This program was built without the web app.</p>\
<p>To have it, run <code>cargo xtask ui</code> and build again. The API answers below <code>/api/v1</code> all the same.</p>";

/// Answers what no route takes: a file of the app, its page, or that there is nothing.
pub(crate) async fn serve(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    if FOR_PROGRAMS.iter().any(|prefix| path.starts_with(prefix)) || path == "/api" {
        return nothing().into_response();
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Some(name).filter(|name| !name.is_empty() && *name != PAGE).and_then(Files::get) {
        return if method.is_safe() {
            answer_file(name, file.data, &headers)
        } else {
            no_method().into_response()
        };
    }
    // A person's browser asks for a page; a program that has the wrong address is told so.
    let for_person = headers
        .get(ACCEPT)
        .and_then(|kinds| kinds.to_str().ok())
        .is_some_and(|kinds| kinds.contains("text/html"));
    if path != "/" && (!for_person || name.starts_with(HASHED)) {
        return nothing().into_response();
    }
    if !method.is_safe() {
        return no_method().into_response();
    }
    page()
}

fn nothing() -> ApiError {
    ApiError::not_found("there is no such route").hint("docs/guide/server.md lists the routes")
}

fn no_method() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this route does not take the method")
}

/// The page, with a nonce of its own. It has no entity tag: its bytes and its policy belong together.
fn page() -> Response {
    let (nonce, present) = (new_id().to_string(), Files::get(PAGE));
    let text = present.as_ref().map_or(Cow::Borrowed(ABSENT), |file| {
        Cow::Owned(String::from_utf8_lossy(&file.data).replace(NONCE_MARK, &nonce))
    });
    let mut response = (
        [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        ],
        text.into_owned(),
    )
        .into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What the page may load and do: its own files, its own API, and styles under its nonce.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

/// One file, in the best encoding that the build left beside it and the caller takes.
fn answer_file(name: &str, plain: Cow<'static, [u8]>, headers: &HeaderMap) -> Response {
    let (encoding, data) =
        encoded(name, headers).map_or((None, plain), |(encoding, data)| (Some(encoding), data));
    let tag = etag::of(&data);
    let keep = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = if etag::matches(headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match data {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        body.into_response()
    };
    let answered = response.headers_mut();
    answered.insert(CONTENT_TYPE, HeaderValue::from_static(media_type(name)));
    answered.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    answered.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answered.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answered.insert(ETAG, tag);
    }
    response
}

fn encoded(name: &str, headers: &HeaderMap) -> Option<(&'static str, Cow<'static, [u8]>)> {
    let accepted = headers.get(ACCEPT_ENCODING)?.to_str().ok()?;
    let takes = |encoding: &str| {
        accepted.split(',').any(|one| {
            let (kind, weight) = one.trim().split_once(';').unwrap_or((one.trim(), ""));
            kind.eq_ignore_ascii_case(encoding) && !["q=0", "q=0.0"].contains(&weight.trim())
        })
    };
    ENCODINGS
        .into_iter()
        .filter(|(encoding, _)| takes(encoding))
        .find_map(|(encoding, suffix)| Some((encoding, Files::get(&format!("{name}{suffix}"))?.data)))
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, kind)| kind) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_no_script_stand_in_a_page_and_nothing_come_from_elsewhere() {
        let policy = policy("n");
        assert!(
            policy.contains("script-src 'self';") && policy.contains("style-src 'self' 'nonce-n';"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("http") && !policy.contains('*'), "{policy}");
    }

    #[test]
    fn a_file_says_how_long_it_may_be_kept() {
        let none = HeaderMap::new();
        let kept = answer_file("assets/app-1a2b.js", Cow::Borrowed(b"1"), &none);
        assert_eq!(kept.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(kept.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        let asked = answer_file("favicon.svg", Cow::Borrowed(b"1"), &none);
        assert_eq!(asked.headers()[CACHE_CONTROL], "no-cache");
        let known =
            HeaderMap::from_iter([(axum::http::header::IF_NONE_MATCH, asked.headers()[ETAG].clone())]);
        assert_eq!(
            answer_file("favicon.svg", Cow::Borrowed(b"1"), &known).status(),
            StatusCode::NOT_MODIFIED
        );
    }
}
