//! `plimsoll serve` at a home, as a process of its own, and a program that asks it.

use std::io::{BufRead as _, BufReader};
use std::process::Child;

use serde_json::Value as Json;

use super::home::Home;

/// A running server; it ends when this is dropped.
pub(crate) struct Web {
    child: Child,
    pub(crate) address: String,
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
    pub(crate) fn json(&self) -> Json {
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
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

impl Web {
    /// Serves what the home has.
    pub(crate) fn at(home: &Home) -> Self {
        let mut child = home.start(&["serve", "--listen", "127.0.0.1:0"]);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().trim_start_matches("http://").to_owned();
        assert!(!address.is_empty(), "the server says where it listens");
        Self { child, address }
    }

    /// One request; `kind` is the content type of the body.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, &str)>,
    ) -> Answered {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = match body {
            Some((kind, text)) => {
                agent.run(request.header("content-type", kind).body(text.to_owned()).unwrap())
            }
            None => agent.run(request.body(()).unwrap()),
        }
        .unwrap();
        let text = response.body_mut().read_to_string().unwrap();
        Answered { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }
}

/// A stream of events that is read as they come.
pub(crate) struct Stream(BufReader<ureq::BodyReader<'static>>);

impl Stream {
    /// The next event's data.
    pub(crate) fn next(&mut self) -> Json {
        let (mut id, mut data) = (None, None);
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the stream ended");
            let line = line.trim_end();
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.to_owned());
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = Some(serde_json::from_str::<Json>(text).unwrap());
            } else if line.is_empty()
                && let Some(data) = data.take()
            {
                assert_eq!(data["id"].as_str(), id.as_deref());
                return data;
            }
        }
    }

    /// The next event of a kind.
    pub(crate) fn until(&mut self, kind: &str) -> Json {
        loop {
            let event = self.next();
            if event["kind"] == kind {
                return event;
            }
        }
    }
}

impl Web {
    /// Follows a stream of events, behind the event with this id.
    pub(crate) fn follow(&self, path: &str, last: Option<&str>) -> Stream {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .proxy(None)
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .build()
            .into();
        let mut request = agent.get(format!("http://{}{path}", self.address));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.call().unwrap();
        Stream(BufReader::new(response.into_body().into_reader()))
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
