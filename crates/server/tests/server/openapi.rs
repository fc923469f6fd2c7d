//! The document of the API: what it says of roles holds. That it is the one that is committed is `cargo xtask generate --check`'s.

use std::time::Duration;

use plimsoll_server::{Role, Roles, Tokens, user};
use serde_json::{Value, json};

use crate::support::{Answered, Served};

const PASSWORD: &str = "correct horse battery";

fn document() -> Value {
    serde_json::from_str(&plimsoll_server::openapi::text(&[]).unwrap()).unwrap()
}

/// A route as the document names it.
struct Route {
    method: String,
    path: String,
    role: Option<Role>,
    of_item: bool,
}

fn routes() -> Vec<Route> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| Route {
            method: method.to_uppercase(),
            path: path.replace("{system}", "fixture"),
            role: operation["x-role"].as_str().map(|role| role.parse().unwrap()),
            of_item: operation["x-of-item"] == json!(true),
        })
    });
    all.collect()
}

/// A server with a user for each role in the fixture's system, one without any role there, and a token.
fn guarded() -> Served {
    Served::with(|settings| {
        let store = plimsoll_store::open(&settings.control).unwrap();
        let mut session = plimsoll_engine::Session::new(store, "test");
        user::prepare(&mut session).unwrap();
        for role in Role::ALL {
            let mut roles = Roles::default();
            roles.set("fixture", Some(role));
            user::add(&mut session, role.as_str(), PASSWORD, &roles, "").unwrap();
        }
        let mut elsewhere = Roles::default();
        elsewhere.set("other", Some(Role::Admin));
        user::add(&mut session, "elsewhere", PASSWORD, &elsewhere, "").unwrap();
        user::add(&mut session, "root", PASSWORD, &Roles::everywhere(Role::Admin), "").unwrap();
        settings.limits.request_timeout = Duration::from_secs(20);
    })
}

/// A browser that logged in.
struct Browser {
    cookie: String,
    csrf: String,
}

fn log_in(served: &Served, name: &str) -> Browser {
    let answered = served.post("/api/v1/session", &json!({ "name": name, "password": PASSWORD }));
    assert_eq!(answered.status, 200, "{answered:?}");
    let cookie = answered.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    Browser { cookie, csrf: answered.json()["csrf"].as_str().unwrap().to_owned() }
}

/// Asks for a route with parameters that name nothing, so that nothing is changed.
fn ask(served: &Served, route: &Route, headers: &[(&str, &str)]) -> Answered {
    let path: String = route
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "0a0a0a0a" } else { part })
        .collect::<Vec<_>>()
        .join("/");
    served.send(&route.method, &path, "{", headers)
}

fn streams(route: &Route) -> bool {
    route.path.ends_with("/events")
}

#[test]
fn nobody_passes_a_guarded_route_without_being_known() {
    let served = guarded();
    for route in routes().iter().filter(|route| route.role.is_some()) {
        let at = format!("{} {}", route.method, route.path);
        assert_eq!(ask(&served, route, &[]).status, 401, "{at}");
        let expired = ask(&served, route, &[("cookie", "plimsoll_session=gone"), ("x-csrf-token", "gone")]);
        assert_eq!(expired.status, 401, "{at}");
        assert_eq!(ask(&served, route, &[("x-api-key", "plimsoll_wrong")]).status, 401, "{at}");
    }
}

#[test]
fn each_route_takes_the_roles_that_the_document_says_and_no_other() {
    let served = guarded();
    let browsers: Vec<(Role, Browser)> =
        Role::ALL.map(|role| (role, log_in(&served, role.as_str()))).into_iter().collect();
    let elsewhere = log_in(&served, "elsewhere");
    for route in routes().iter().filter(|route| !streams(route) && !route.path.ends_with("/session")) {
        let Some(needed) = route.role else { continue };
        let at = format!("{} {}", route.method, route.path);
        let of_fixture = route.path.contains("/fixture");
        for (role, browser) in &browsers {
            let known = [("cookie", &*browser.cookie), ("x-csrf-token", &*browser.csrf)];
            let status = ask(&served, route, &known).status;
            // What belongs to no system needs a role in every system, unless it only looks.
            let everywhere = !of_fixture && !route.of_item && needed > Role::Viewer;
            let may = *role >= needed && !everywhere;
            assert_eq!(status != 403, may, "{role} {at}: {status}");
            assert_ne!(status, 401, "{role} {at}");
            assert!(status < 500 || status == 502, "{role} {at}: {status}");
        }
        let known = [("cookie", &*elsewhere.cookie), ("x-csrf-token", &*elsewhere.csrf)];
        if of_fixture {
            assert_eq!(ask(&served, route, &known).status, 403, "a role in another system: {at}");
        }
    }
}

#[test]
fn a_change_by_cookie_needs_the_second_secret() {
    let served = guarded();
    let root = log_in(&served, "root");
    let other = log_in(&served, "root");
    for route in routes().iter().filter(|route| route.role.is_some() && route.method != "GET") {
        let at = format!("{} {}", route.method, route.path);
        for csrf in [None, Some(""), Some("wrong"), Some(&*other.csrf)] {
            let mut headers = vec![("cookie", &*root.cookie)];
            headers.extend(csrf.map(|csrf| ("x-csrf-token", csrf)));
            let refused = ask(&served, route, &headers);
            assert_eq!((refused.status, &*refused.code()), (403, "csrf"), "{at}");
        }
    }
}

#[test]
fn a_session_ends_by_logging_out_by_time_and_with_its_user() {
    let served = guarded();
    let status =
        |browser: &Browser| served.get_with("/api/v1/session", &[("cookie", &*browser.cookie)]).status;
    let known = |browser: &Browser| -> Vec<(String, String)> {
        vec![("cookie".into(), browser.cookie.clone()), ("x-csrf-token".into(), browser.csrf.clone())]
    };
    let (viewer, root) = (log_in(&served, "viewer"), log_in(&served, "root"));
    assert_eq!((status(&viewer), status(&root)), (200, 200));
    let headers = known(&root);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let removed = served.send("DELETE", "/api/v1/users/viewer?reason=left", "", &headers);
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(status(&viewer), 401, "its user is gone");
    let audit = served.get_with("/api/v1/audit", &headers).json();
    let line = audit["items"].as_array().unwrap().iter().find(|line| line["method"] == "DELETE").unwrap();
    assert_eq!(
        (&line["actor"], &line["reason"], &line["status"]),
        (&json!("root"), &json!("left"), &json!(200))
    );
    assert_eq!(line["path"], "/api/v1/users/viewer");
    assert!(!line["request_id"].as_str().unwrap().is_empty());
    assert_eq!(served.send("DELETE", "/api/v1/session", "", &headers).status, 200);
    assert_eq!(status(&root), 401, "logged out");

    let short = Served::with(|settings| {
        let mut session =
            plimsoll_engine::Session::new(plimsoll_store::open(&settings.control).unwrap(), "test");
        user::prepare(&mut session).unwrap();
        user::add(&mut session, "ann", PASSWORD, &Roles::everywhere(Role::Viewer), "").unwrap();
        settings.limits.sessions.idle = Duration::ZERO;
    });
    let ann = log_in(&short, "ann");
    assert_eq!(
        short.get_with("/api/v1/session", &[("cookie", &*ann.cookie)]).status,
        401,
        "idle for too long"
    );
}

#[test]
fn wrong_passwords_and_unknown_names_are_told_the_same_and_slowed_down() {
    let served = guarded();
    let mut answers = Vec::new();
    for name in ["viewer", "nobody-of-this-name"] {
        let refused = served.post("/api/v1/session", &json!({ "name": name, "password": "wrong" }));
        assert_eq!(refused.status, 401);
        answers.push(refused.text);
    }
    assert_eq!(answers[0], answers[1]);
    let wrong = json!({ "name": "viewer", "password": "wrong" });
    let all: Vec<Answered> = (0..8).map(|_| served.post("/api/v1/session", &wrong)).collect();
    let last = all.last().unwrap();
    assert_eq!(last.status, 429, "{last:?}");
    let right = served.post("/api/v1/session", &json!({ "name": "viewer", "password": PASSWORD }));
    assert_eq!(right.status, 429, "even the right one waits, so that guessing is slow");
    log_in(&served, "operator");
}

#[test]
fn with_users_only_the_server_answers_whoever_logged_in_and_starts_beyond_loopback() {
    let served = guarded();
    assert_eq!(served.get("/api/v1/systems").status, 401);
    assert_eq!(served.get_with("/", &[("accept", "text/html")]).status, 200, "the page that logs in");
    let open = Served::open();
    let session = open.get("/api/v1/session").json();
    assert_eq!((&session["mode"], &session["role"]), (&json!("open"), &json!("admin")));
    let tokens = Served::with(|settings| {
        let line =
            plimsoll_server::Token::create("ci", "approve".parse().unwrap(), "t").unwrap().0.to_string();
        settings.tokens = Tokens::parse(&line).unwrap();
    });
    let session = tokens.get_with("/api/v1/session", &[("x-api-key", "plimsoll_t")]).json();
    assert_eq!((&session["mode"], &session["role"]), (&json!("token"), &json!("approver")));
}
