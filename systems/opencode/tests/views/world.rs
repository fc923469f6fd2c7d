//! A small history: two projects, eight sessions, one of them a fork, one delegated.

use plimsoll_engine::check::HEALTH_CHECK_HISTORY;
use plimsoll_engine::ingest::{AnalyticTable, ledger};
use plimsoll_engine::view::{Parameters, Table, View};
use plimsoll_opencode::table::{DERIVED, DOCUMENTS};
use plimsoll_opencode::views::VIEWS;
use plimsoll_store::duckdb::Analytics;

use crate::rows::Collected;

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 86_400 * SECOND;
/// 2026-03-02, a Monday.
pub(crate) const START: i64 = 20_514 * DAY;
/// One US dollar.
pub(crate) const DOLLAR: i64 = 10_000_000_000;

pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) project: usize,
    pub(crate) parent: Option<usize>,
    pub(crate) created: i64,
}

pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) session: usize,
    /// The user's message that it answers; none for a user's message.
    pub(crate) answers: Option<usize>,
    pub(crate) agent: &'static str,
    pub(crate) model: &'static str,
    pub(crate) created: i64,
    pub(crate) milliseconds: i64,
    /// Input, output, reasoning, cache read, cache write.
    pub(crate) tokens: [i64; 5],
    pub(crate) stored_cost: i64,
    pub(crate) list_cost: Option<i64>,
    pub(crate) error: Option<&'static str>,
    pub(crate) copy: bool,
}

pub(crate) struct Call {
    pub(crate) part: String,
    pub(crate) message: usize,
    pub(crate) tool: &'static str,
    pub(crate) milliseconds: i64,
    pub(crate) failed: bool,
    pub(crate) aborted: bool,
}

pub(crate) struct World {
    pub(crate) sessions: Vec<Session>,
    pub(crate) messages: Vec<Message>,
    pub(crate) calls: Vec<Call>,
}

pub(crate) const PROJECTS: [(&str, &str); 2] = [
    ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", "/srv/ada/engine"),
    ("a9993e364706816aba3e25717850c26c9cd0d89d", "/srv/ada/notes"),
];
pub(crate) const AGENTS: [&str; 3] = ["build", "plan", "general"];
pub(crate) const MODELS: [&str; 3] = ["claude-sonnet-4-5", "gpt-5", "house-model"];
const TOOLS: [&str; 4] = ["bash", "edit", "read", "task"];

/// Numbers that look random and are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as i64) % bound
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let mut numbers = Numbers(7);
        let mut world = Self { sessions: Vec::new(), messages: Vec::new(), calls: Vec::new() };
        for number in 0..8 {
            let created = START + number * 40 * 3_600 * SECOND;
            let parent = (number == 6).then_some(5);
            let project = usize::from(number == 1 || number == 4);
            world.sessions.push(Session { id: format!("ses_{number}"), project, parent, created });
            if number < 7 {
                world.talk(number as usize, &mut numbers);
            }
        }
        // The last session is a fork of the first: the same messages under other names, nothing of its own.
        let copied: Vec<usize> =
            (0..world.messages.len()).filter(|at| world.messages[*at].session == 0).collect();
        let first = world.messages.len();
        for at in &copied {
            let original = &world.messages[*at];
            let answers =
                original.answers.map(|user| first + copied.iter().position(|at| *at == user).unwrap());
            let copy =
                Message { id: format!("{}_copy", original.id), session: 7, answers, copy: true, ..*original };
            world.messages.push(copy);
        }
        world
    }

    fn talk(&mut self, session: usize, numbers: &mut Numbers) {
        let mut time = self.sessions[session].created;
        for turn in 0..6 {
            let user = self.messages.len();
            let agent = AGENTS[(session + turn) % 3];
            time += 60 * SECOND;
            self.messages.push(Message {
                id: format!("msg_{session}_{turn}_user"),
                session,
                answers: None,
                agent,
                model: "",
                created: time,
                milliseconds: 0,
                tokens: [0; 5],
                stored_cost: 0,
                list_cost: None,
                error: None,
                copy: false,
            });
            for step in 0..2 {
                let milliseconds = 1_000 + numbers.below(20_000);
                let model = MODELS[numbers.below(3) as usize];
                let tokens = [
                    100 + numbers.below(9_000),
                    1 + numbers.below(900),
                    numbers.below(300),
                    numbers.below(50_000),
                    0,
                ];
                let priced = model != "house-model";
                let cost = tokens[0] * 30_000 + (tokens[1] + tokens[2]) * 150_000 + tokens[3] * 3_000;
                let message = self.messages.len();
                time += 5 * SECOND;
                self.messages.push(Message {
                    id: format!("msg_{session}_{turn}_{step}"),
                    session,
                    answers: Some(user),
                    agent,
                    model,
                    created: time,
                    milliseconds,
                    tokens,
                    stored_cost: if priced { cost } else { 7 },
                    list_cost: priced.then_some(cost),
                    error: (turn == 4 && step == 1 && session == 2).then_some("APIError"),
                    copy: false,
                });
                for call in 0..numbers.below(4) {
                    let tool = TOOLS[numbers.below(3) as usize];
                    self.calls.push(Call {
                        part: format!("prt_{session}_{turn}_{step}_{call}"),
                        message,
                        tool,
                        milliseconds: numbers.below(5_000),
                        failed: numbers.below(10) == 0,
                        aborted: numbers.below(25) == 0,
                    });
                }
                time += milliseconds * 1_000;
            }
            time += 3 * 3_600 * SECOND;
        }
    }

    pub(crate) fn session_of(&self, call: &Call) -> &Session {
        &self.sessions[self.messages[call.message].session]
    }

    /// Answers that count: no copies.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &Message> {
        self.messages.iter().filter(|message| message.answers.is_some() && !message.copy)
    }

    /// A store in memory that holds the world.
    pub(crate) fn store(&self) -> Analytics {
        let store = empty();
        let rows = Collected::default();
        self.fill(&rows);
        rows.write(&store);
        // A call that delegated.
        let delegated = "UPDATE tool_calls SET child_session_id = 'ses_6'
            WHERE part_id = (SELECT min(part_id) FROM tool_calls)";
        store.execute(delegated, &[]).unwrap();
        store
    }
}

/// A store in memory with all tables and no row.
pub(crate) fn empty() -> Analytics {
    let store = Analytics::open_in_memory().unwrap();
    store.create_tables(&tables()).unwrap();
    store.create_tables(ledger::TABLES).unwrap();
    store.create_tables(&[&HEALTH_CHECK_HISTORY]).unwrap();
    store
}

/// The system's tables.
pub(crate) fn tables() -> Vec<&'static AnalyticTable> {
    DOCUMENTS.iter().chain(DERIVED).copied().collect()
}

/// All views.
pub(crate) fn views() -> Vec<View> {
    View::parse_all(VIEWS).unwrap()
}

/// The answer of a view with these parameters.
pub(crate) fn ask(store: &Analytics, name: &str, parameters: &[(&str, &str)]) -> Table {
    let mut set = Parameters::new();
    for (name, value) in parameters {
        set.set(name, value).unwrap();
    }
    View::named(&views(), name).unwrap().run(store, &set).unwrap()
}
