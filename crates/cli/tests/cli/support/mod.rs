//! A desk: a temporary folder with a store, a simulated congress.gov, and the command.

pub(crate) mod home;
pub(crate) mod receiver;
pub(crate) mod web;

use std::path::PathBuf;
use std::process::Command;

use plimsoll_simulator::congress::baseline::baseline_sql;
use plimsoll_simulator::congress::faults::Faults;
use plimsoll_simulator::congress::generate;
use plimsoll_simulator::congress::manifest::Manifest;
use plimsoll_simulator::congress::model::Corpus;
use plimsoll_simulator::congress::mutate::{Mutation, Scenario};
use plimsoll_simulator::congress::server::{Running, serve};
use plimsoll_store::{Durability, StoreUrl};
use serde_json::Value as Json;
use tempfile::TempDir;

/// What a command printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A folder, a store in it, and a source.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) store: String,
    pub(crate) source: Option<Running>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Desk {
    /// A SQLite store of `hearings` generated hearings and a source with `changes` good and `bad` bad ones.
    pub(crate) fn generated(hearings: usize, changes: usize, bad: usize, seed: u64) -> Self {
        let corpus = generate::corpus(hearings, seed);
        let desk = Self::empty();
        let url = StoreUrl::Sqlite { path: desk.file("store.db"), durability: Durability::Normal };
        fill(&url, &corpus);
        desk.with_source(&corpus, changes, bad, seed)
    }

    /// A folder without a store file or a source.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("store.db").display());
        Self { folder, store, source: None, environment: Vec::new() }
    }

    /// The same desk with a source that serves `corpus` with planted changes.
    pub(crate) fn with_source(mut self, corpus: &Corpus, changes: usize, bad: usize, seed: u64) -> Self {
        let mutation = Mutation { changes, bad, seed, ..Mutation::default() };
        let scenario = Scenario::mutate(corpus, &mutation).unwrap();
        self.source = Some(serve(scenario, Faults::none(), ([127, 0, 0, 1], 0).into()).unwrap());
        self
    }

    /// A file of the folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the source planted.
    pub(crate) fn manifest(&self) -> &Manifest {
        self.source.as_ref().unwrap().manifest()
    }

    /// Sets an environment variable for the commands that follow.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Runs the command on this desk's store, with nothing of the machine's environment.
    pub(crate) fn plimsoll(&self, words: &[&str]) -> Ended {
        self.plimsoll_on(&self.store, words)
    }

    /// The same on another store.
    pub(crate) fn plimsoll_on(&self, store: &str, words: &[&str]) -> Ended {
        self.run_with(words, &["--store", store])
    }

    fn run_with(&self, words: &[&str], more: &[&str]) -> Ended {
        let output = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(words)
            .args(more)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(profile())
            .env("HOME", self.folder.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PLIMSOLL_ACTOR", "tester")
            .envs(self.environment.iter().cloned())
            .output()
            .unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the command on the stores of the desk's own data folder, without `--store`.
    pub(crate) fn at_home(&self, words: &[&str]) -> Ended {
        self.run_with(words, &[])
    }

    /// `run hearings daily-update` from this desk's source, with `--json` and further words.
    pub(crate) fn update(&self, words: &[&str]) -> Ended {
        self.update_on(&self.store, words)
    }

    /// The same on another store.
    pub(crate) fn update_on(&self, store: &str, words: &[&str]) -> Ended {
        let address = self.source.as_ref().unwrap().address();
        let mut all = vec!["run", "hearings", "daily-update", "--source", address, "--json"];
        all.extend(words);
        self.plimsoll_on(store, &all)
    }

    /// The table digests of the store.
    pub(crate) fn digest(&self) -> Json {
        let ended = self.plimsoll(&["digest", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json()
    }

    /// Ids of the open quarantined items.
    pub(crate) fn quarantined(&self) -> Vec<Json> {
        let ended = self.plimsoll(&["quarantine", "list", "--json"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended.json().as_array().unwrap().clone()
    }

    /// One figure from the store.
    pub(crate) fn figure(&self, sql: &str) -> i64 {
        let mut store = plimsoll_store::open(&self.store.parse().unwrap()).unwrap();
        store.query(sql, &[]).unwrap()[0][0].as_integer().unwrap()
    }
}

/// Writes a corpus into a new SQLite store.
pub(crate) fn fill(url: &StoreUrl, corpus: &Corpus) {
    let mut store = plimsoll_store::open(url).unwrap();
    plimsoll_store::in_transaction(store.as_mut(), plimsoll_store::Access::ReadWrite, |store| {
        baseline_sql(corpus).iter().try_for_each(|statement| store.run_script(statement))
    })
    .unwrap();
}

/// Where a program that counts the lines it runs (`cargo xtask coverage`) writes what it counted.
pub(crate) fn profile() -> Option<(&'static str, std::ffi::OsString)> {
    let name = "LLVM_PROFILE_FILE";
    std::env::var_os(name).map(|file| (name, file))
}
