//! Entity tags: answering 304 where nothing changed.
//!
//! Owns making a tag from the bytes of an answer and comparing it with `If-None-Match` (RFC 9110, 13.1.2: weak
//! comparison, a list, or `*`).

use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

/// The tag of an answer's bytes, with its quotes.
pub(crate) fn of(bytes: &[u8]) -> String {
    format!("\"{}\"", &blake3::hash(bytes).to_hex()[..32])
}

/// True when the caller has what `tag` names.
pub(crate) fn matches(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|list| {
        list.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
    })
}

/// The JSON in `body`, or 304 when the caller has it.
pub(crate) fn answer(headers: &HeaderMap, tag: &str, body: Bytes) -> Response {
    let tagged = HeaderValue::from_str(tag).map(|tag| [(ETAG, tag), (CACHE_CONTROL, NO_CACHE)]);
    let mut response = if matches(headers, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
    };
    if let Ok(tagged) = tagged {
        response.headers_mut().extend(tagged);
    }
    response
}

/// Keep it, and ask before using it.
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_weakly_and_in_lists() {
        let tag = of(b"[]");
        let with = |text: &str| HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_str(text).unwrap())]);
        for text in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            assert!(matches(&with(&text), &tag), "{text}");
        }
        assert!(!matches(&with("\"x\""), &tag) && !matches(&HeaderMap::new(), &tag));
        assert_ne!(tag, of(b"[1]"));
    }
}
