//! Who may call, and how everybody is answered.

use std::net::TcpStream;

use plimsoll_server::{ServerError, Tokens, serve_until};

use crate::support::Served;

/// Digests of the secrets `plimsoll_r`, `plimsoll_o` and `plimsoll_a`.
fn tokens() -> Tokens {
    let line = |name: &str, scope: &str, secret: &str| {
        let scope = scope.parse().unwrap();
        plimsoll_server::Token::create(name, scope, secret).unwrap().0.to_string()
    };
    let lines = [line("reader", "read", "r"), line("operator", "operate", "o"), line("admin", "admin", "a")];
    Tokens::parse(&lines.join("\n")).unwrap()
}

fn guarded() -> Served {
    Served::with(|settings| settings.tokens = tokens())
}

#[test]
fn with_tokens_every_route_but_health_needs_one() {
    let served = guarded();
    assert_eq!(served.get("/healthz").text, "ok");
    for path in ["/metrics", "/api/v1/systems", "/api/v1/runs", "/api/v1/plans/00aa", "/api/v1/quarantine"] {
        let refused = served.get(path);
        assert_eq!((refused.status, &*refused.code()), (401, "unauthorized"), "{path}");
        assert_eq!(refused.header("www-authenticate"), "Bearer", "{path}");
        assert_eq!(served.get_with(path, &[("x-api-key", "plimsoll_wrong")]).status, 401, "{path}");
    }
    for header in [("authorization", "Bearer plimsoll_r"), ("x-api-key", "plimsoll_r")] {
        assert_eq!(served.get_with("/api/v1/systems", &[header]).status, 200, "{header:?}");
    }
}

#[test]
fn beyond_loopback_the_server_starts_with_tokens_only() {
    let mut listening = Served::with(|settings| {
        settings.listen = ([0, 0, 0, 0], 0).into();
        settings.tokens = tokens();
    });
    listening.address.set_ip([127, 0, 0, 1].into());
    assert_eq!(listening.get("/api/v1/runs").status, 401);

    let mut settings = crate::support::settings(&listening.place);
    settings.listen = ([0, 0, 0, 0], 0).into();
    let (_stop, stopped) = tokio::sync::oneshot::channel();
    let error = serve_until(settings, &|_| panic!("it listens"), stopped).unwrap_err();
    assert!(matches!(error, ServerError::NotLoopback(_)), "{error}");
    assert!(error.to_string().contains("hint:"), "{error}");
}

#[test]
fn without_tokens_a_page_of_another_origin_gets_nothing() {
    let served = Served::open();
    let own = served.address.to_string();
    assert_eq!(served.get_with("/api/v1/runs", &[("host", "evil.example")]).status, 403);
    assert_eq!(served.get_with("/api/v1/runs", &[("host", &own)]).status, 200);
    assert_eq!(served.get_with("/api/v1/runs", &[("host", "localhost:1")]).status, 200);
}

#[test]
fn every_answer_carries_an_id_and_the_headers_that_keep_browsers_safe() {
    let served = Served::open();
    for (path, status) in
        [("/healthz", 200), ("/api/v1/systems", 200), ("/nowhere", 404), ("/api/v1/runs/zz", 404)]
    {
        let answered = served.get(path);
        assert_eq!(answered.status, status, "{path}");
        assert!(!answered.header("x-request-id").is_empty(), "{path}");
        assert_eq!(answered.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answered.header("x-frame-options"), "DENY", "{path}");
        assert!(answered.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    assert_eq!(served.get_with("/healthz", &[("x-request-id", "mine-7")]).header("x-request-id"), "mine-7");
}

#[test]
fn refusals_have_one_shape() {
    let served = Served::open();
    for (path, status, code) in [
        ("/nowhere", 404, "not_found"),
        ("/api/v1/systems/none", 404, "not_found"),
        ("/api/v1/runs/ffff", 404, "not_found"),
        ("/api/v1/plans/zz", 404, "not_found"),
        ("/api/v1/runs?limit=many", 400, "usage"),
    ] {
        let refused = served.get(path);
        assert_eq!((refused.status, &*refused.code()), (status, code), "{path}: {refused:?}");
    }
    let wrong = served.post_with("/api/v1/systems", "{}", &[]);
    assert_eq!((wrong.status, &*wrong.code()), (405, "method_not_allowed"));
}

#[test]
fn told_to_end_the_server_ends_and_frees_its_address() {
    let mut served = Served::open();
    assert_eq!(served.get("/healthz").status, 200);
    served.end();
    assert!(TcpStream::connect(served.address).is_err(), "nobody listens any more");
}
