//! Records of a linked system over HTTP: the real server as a process, a simulated PEMS, and the command beside it.

use plimsoll_simulator::pems::{Options, Running, serve};
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::{Map, Value as Json, json};

use crate::support::home::Home;
use crate::support::web::{Answered, Web};

mod access;
mod conflicts;
mod edits;
mod reads;
mod watching;

const ROWS: usize = 80;

/// A home with a pulled link, a server on it, and what its remote is.
struct Place {
    web: Web,
    pems: Running,
    home: Home,
    /// Headers of every request.
    token: Option<String>,
}

impl Place {
    /// A server without tokens.
    fn open() -> Self {
        Self::on(None, &[])
    }

    /// A server without tokens whose link is in this store, with further variables of its environment.
    fn on(store: Option<&str>, environment: &[(&str, &str)]) -> Self {
        let (mut home, pems) = Self::pulled(store);
        for (name, value) in environment {
            home.set(name, value);
        }
        Self { web: Web::at(&home), pems, home, token: None }
    }

    /// Runs a test on SQLite, and on PostgreSQL where it is installed.
    fn each(test: impl Fn(&Self)) {
        test(&Self::open());
        if let Some(server) = PostgresServer::shared() {
            test(&Self::on(Some(&server.database().unwrap()), &[]));
        }
    }

    fn pulled(store: Option<&str>) -> (Home, Running) {
        let home = Home::new();
        let pems = serve(Options { rows_per_organization: ROWS, ..Options::default() }).unwrap();
        let mut settings = format!("[sources]\npfa = \"{}\"\n", pems.address());
        if let Some(store) = store {
            settings.push_str(&format!("[stores]\npfa = \"{store}\"\n"));
        }
        std::fs::write(home.file("plimsoll.toml"), settings).unwrap();
        home.expect(0, &["sync", "pfa", "--scope", "DEMO01", "--rate", "0"]);
        (home, pems)
    }

    /// A server with a token of each of these names and scopes; the first one asks.
    fn with_tokens(names: &[(&str, &str)]) -> (Self, Vec<String>) {
        let (mut home, pems) = Self::pulled(None);
        let file = home.file("tokens").to_str().unwrap().to_owned();
        let secrets: Vec<String> = names
            .iter()
            .map(|(name, scope)| {
                let made = home.expect(0, &["token", "create", name, "--scope", scope, "--file", &file]);
                made.out.trim().to_owned()
            })
            .collect();
        home.set("PLIMSOLL_TOKENS_FILE", &file);
        let token = secrets.first().cloned();
        (Self { web: Web::at(&home), pems, home, token }, secrets)
    }

    fn ask_as(&self, token: Option<&str>, method: &str, path: &str, body: Option<&Json>) -> Answered {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<(&str, &str)> = bearer.iter().map(|text| ("authorization", text.as_str())).collect();
        let text = body.map(ToString::to_string);
        let path = format!("/api/v1/systems/pfa/{path}");
        self.web.ask(method, &path, &headers, text.as_deref().map(|text| ("application/json", text)))
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Json>) -> Answered {
        self.ask_as(self.token.as_deref(), method, path, body)
    }

    fn get(&self, path: &str) -> Json {
        let answered = self.ask("GET", path, None);
        assert_eq!(answered.status, 200, "{path}: {answered:?}");
        answered.json()
    }

    fn put(&self, path: &str, body: &Json) -> Json {
        let answered = self.ask("PUT", path, Some(body));
        assert_eq!(answered.status, 200, "{path}: {answered:?}");
        answered.json()
    }

    fn post(&self, path: &str, body: &Json) -> Json {
        let answered = self.ask("POST", path, Some(body));
        assert_eq!(answered.status, 200, "{path}: {answered:?}");
        answered.json()
    }

    /// What Prometheus is told under this name, labels included.
    fn figure(&self, name: &str) -> f64 {
        let text = self.web.ask("GET", "/metrics", &[], None).text;
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned));
        line.unwrap_or_else(|| panic!("{name} is not there\n{text}")).parse().unwrap()
    }

    /// Runs the command that an answer names.
    fn run(&self, command: &Json) {
        let words: Vec<&str> = command.as_str().unwrap().split(' ').collect();
        assert_eq!(words.first(), Some(&"plimsoll"), "{command}");
        self.home.expect(0, &words[1..]);
    }

    fn elsewhere(&self, key: &str, model: &str) {
        let fields: Map<String, Json> = [("pfs_f_model".to_owned(), json!(model))].into_iter().collect();
        self.pems.edit(key, &fields).unwrap();
    }

    fn there(&self, key: &str) -> Json {
        self.pems.row(key).unwrap()["pfs_f_model"].clone()
    }
}
