//! A server on loopback with a store of its own, and a client that keeps what it was answered.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use plimsoll_engine::Session;
use plimsoll_server::{Limits, REFRESH_INTERVAL, ServedSystem, ServerSettings, Tokens, serve_until};
use plimsoll_store::{Durability, StoreUrl};
use plimsoll_testkit::fixture::{self, Place};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A running server; it ends when this is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) place: Place,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) text: String,
}

impl Answered {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The one error of a refusal: its code.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{self:?}");
        assert!(body["errors"][0]["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{self:?}");
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

/// What a test changes about the settings.
pub(crate) type Adjust = fn(&mut ServerSettings);

impl Served {
    /// A server on loopback without tokens.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    /// A server with settings of the test's.
    pub(crate) fn with(adjust: Adjust) -> Self {
        let place = Place::sqlite(Durability::Normal);
        let mut settings = settings(&place);
        adjust(&mut settings);
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            serve_until(settings, &|address| ready.send(address).unwrap(), stopped).unwrap();
        });
        let address = address.recv().expect("the server listens");
        Self { address, place, stop: Some(stop), thread: Some(thread) }
    }

    /// Tells the server to end and waits until it has.
    pub(crate) fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Asks for a path.
    pub(crate) fn get(&self, path: &str) -> Answered {
        self.get_with(path, &[])
    }

    /// Asks for a path with headers.
    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = agent().get(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.call().unwrap())
    }

    /// Posts JSON to a path.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answered {
        self.post_with(path, &body.to_string(), &[])
    }

    /// Creates a flag with members of a definition.
    pub(crate) fn create(&self, name: &str, definition: Value) {
        let body = json!({ "name": name, "definition": definition, "reason": "a test" });
        let answered = self.post("/api/v1/flags", &body);
        assert_eq!(answered.status, 200, "{answered:?}");
    }

    /// Kills a flag.
    pub(crate) fn kill(&self, name: &str) {
        let answered =
            self.post(&format!("/api/v1/flags/{name}/kill?wait_ms=0"), &json!({ "reason": "a test" }));
        assert_eq!(answered.status, 200, "{answered:?}");
    }

    /// Asks for one flag as OFREP does.
    pub(crate) fn evaluate(&self, flag: &str, key: &str) -> Answered {
        let body = json!({ "context": { "targetingKey": key } });
        self.post(&format!("/ofrep/v1/evaluate/flags/{flag}"), &body)
    }

    /// A session on the control store, as another process would have it.
    pub(crate) fn control(&self) -> Session {
        Session::new(plimsoll_store::open(&settings(&self.place).control).unwrap(), "elsewhere")
    }

    /// Sends any method with a body of JSON.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        request = request.header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if method == "GET" { String::new() } else { body.to_owned() };
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        let request = agent.configure_request(request.body(body).unwrap());
        answered(agent.run(request.build()).unwrap())
    }

    /// Posts text to a path with headers.
    pub(crate) fn post_with(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answered {
        let mut request = agent().post(self.url(path));
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answered(request.send(body).unwrap())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn settings(place: &Place) -> ServerSettings {
    let store = place.session().store.url();
    let StoreUrl::Sqlite { path, durability } = &store else { panic!("the place is a SQLite file") };
    let control = StoreUrl::Sqlite { path: path.with_file_name("control.db"), durability: *durability };
    let mut session = Session::new(plimsoll_store::open(&control).unwrap(), "test");
    plimsoll_engine::control::prepare(&mut session).unwrap();
    ServerSettings {
        cache: None,
        listen: ([127, 0, 0, 1], 0).into(),
        pilot: None,
        systems: vec![ServedSystem { system: &fixture::SYSTEM, store, link: None }],
        analytics: Vec::new(),
        library: plimsoll_server::Library::default(),
        host: std::sync::Arc::new(plimsoll_server::NoHost),
        control,
        actor: "local".into(),
        tokens: Tokens::default(),
        limits: Limits::default(),
        refresh_interval: REFRESH_INTERVAL,
        collect: std::sync::Arc::new(|| vec![plimsoll_engine::metric::BUILD.sample(&["test"], 1.0)]),
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

fn answered(mut response: ureq::http::Response<ureq::Body>) -> Answered {
    let text = response.body_mut().read_to_string().unwrap();
    Answered { status: response.status().as_u16(), headers: response.headers().clone(), text }
}
