//! A small history: two projects, eight sessions, one of them a fork, one delegated.

use std::cell::RefCell;
use std::collections::BTreeMap;

use plimsoll_engine::check::HEALTH_CHECK_HISTORY;
use plimsoll_engine::ingest::{AnalyticTable, Cell, RowBuffer, ledger};
use plimsoll_engine::view::{Parameters, Table, View};
use plimsoll_opencode::table::{DERIVED, DOCUMENTS, core, derived, focused};
use plimsoll_opencode::views::VIEWS;
use plimsoll_store::duckdb::Analytics;

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
const AGENTS: [&str; 3] = ["build", "plan", "general"];
const MODELS: [&str; 3] = ["claude-sonnet-4-5", "gpt-5", "house-model"];
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

    fn fill(&self, rows: &Collected) {
        for (number, (id, worktree)) in PROJECTS.iter().enumerate() {
            let created = Cell::Integer(START - DAY + number as i64);
            rows.put(
                &core::PROJECTS,
                &[
                    ("id", (*id).into()),
                    ("worktree", (*worktree).into()),
                    ("vcs", "git".into()),
                    ("time_created", created),
                ],
            );
        }
        for session in &self.sessions {
            self.fill_session(rows, session);
        }
        let mut positions = vec![0; self.sessions.len()];
        for message in &self.messages {
            positions[message.session] += 1;
            self.fill_message(rows, message, positions[message.session]);
        }
        for call in &self.calls {
            self.fill_call(rows, call);
        }
        self.fill_aggregates(rows);
        self.fill_rest(rows);
    }

    fn fill_session(&self, rows: &Collected, session: &Session) {
        let number = self.sessions.iter().position(|known| known.id == session.id).unwrap();
        let title = format!("Session {number}");
        let (project, root) = PROJECTS[session.project];
        let parent = session.parent.map(|at| self.sessions[at].id.as_str());
        rows.put(
            &core::SESSIONS,
            &[
                ("id", (&session.id).into()),
                ("project_id", project.into()),
                ("parent_id", parent.into()),
                ("title", (&title).into()),
                ("directory", root.into()),
                ("version", "1.1.65".into()),
                ("time_created", session.created.into()),
                ("time_updated", (session.created + DAY / 24).into()),
                ("summary_files", 3.into()),
                ("generation", "json".into()),
            ],
        );
        let own: Vec<&Message> = self.messages.iter().filter(|m| m.session == number).collect();
        let counted: Vec<&&Message> = own.iter().filter(|m| m.answers.is_some() && !m.copy).collect();
        let tokens = |kind: usize| counted.iter().map(|m| m.tokens[kind]).sum::<i64>();
        let cost: i64 = counted.iter().map(|m| m.stored_cost).sum();
        let calls = self.calls.iter().filter(|call| self.messages[call.message].session == number);
        let all: i64 = (0..5).map(tokens).sum();
        rows.put(
            &derived::SESSION_RESOURCE_METRICS,
            &[
                ("session_id", (&session.id).into()),
                ("project_id", project.into()),
                ("title", (&title).into()),
                ("root_path", root.into()),
                ("tokens_input", tokens(0).into()),
                ("tokens_output", tokens(1).into()),
                ("tokens_reasoning", tokens(2).into()),
                ("tokens_cache_read", tokens(3).into()),
                ("tokens_cache_write", tokens(4).into()),
                ("root_tokens", (tokens(0) + tokens(1)).into()),
                ("stored_cost", cost.into()),
                ("messages", (own.len() as i64).into()),
                ("tool_calls", (calls.clone().count() as i64).into()),
                ("tool_failures", (calls.filter(|call| call.failed).count() as i64).into()),
                ("fork_copies", (own.iter().filter(|m| m.copy).count() as i64).into()),
                ("time_created", session.created.into()),
                ("time_updated", (session.created + DAY / 24).into()),
            ],
        );
        let root_session = session.parent.map_or(&session.id, |at| &self.sessions[at].id);
        let descendants = self.sessions.iter().filter(|s| s.parent == Some(number)).count() as i64;
        rows.put(
            &derived::SESSION_TRACES,
            &[
                ("session_id", (&session.id).into()),
                ("root_session_id", root_session.into()),
                ("parent_session_id", parent.into()),
                ("depth", i64::from(parent.is_some()).into()),
                ("descendants", descendants.into()),
                ("status", "completed".into()),
                ("time_start", session.created.into()),
                ("time_end", (session.created + DAY / 24).into()),
                ("tokens", all.into()),
                ("stored_cost", cost.into()),
                ("total_tokens", all.into()),
                ("total_stored_cost", cost.into()),
            ],
        );
    }

    fn fill_message(&self, rows: &Collected, message: &Message, position: i64) {
        let session = &self.sessions[message.session];
        let (project, root) = PROJECTS[session.project];
        let answer = message.answers.is_some();
        let ended = message.created + message.milliseconds * 1_000;
        let role = if answer { "assistant" } else { "user" };
        let some = |number: i64| if answer { Cell::Integer(number) } else { Cell::Null };
        let text = |text: &'static str| if answer { Cell::Text(text) } else { Cell::Null };
        // As the version stores it: output with reasoning in it.
        rows.put(
            &core::MESSAGES,
            &[
                ("id", (&message.id).into()),
                ("session_id", (&session.id).into()),
                ("role", role.into()),
                ("provider", text("house")),
                ("model", text(message.model)),
                ("agent", message.agent.into()),
                ("root_path", if answer { root.into() } else { Cell::Null }),
                ("finish", text("stop")),
                ("stored_cost", some(message.stored_cost)),
                ("tokens_input", some(message.tokens[0])),
                ("tokens_output", some(message.tokens[1] + message.tokens[2])),
                ("tokens_reasoning", some(message.tokens[2])),
                ("tokens_cache_read", some(message.tokens[3])),
                ("tokens_cache_write", some(message.tokens[4])),
                ("error_name", message.error.into()),
                ("time_created", message.created.into()),
                ("time_completed", some(ended)),
                ("time_source", "field".into()),
                ("generation", "json".into()),
            ],
        );
        let user = message.answers.map_or(&message.id, |at| &self.messages[at].id);
        rows.put(
            &derived::MESSAGE_PLACES,
            &[
                ("message_id", (&message.id).into()),
                ("session_id", (&session.id).into()),
                ("role", role.into()),
                ("root_session_id", (&session.id).into()),
                ("position", position.into()),
                ("exchange_id", user.into()),
                ("is_fork_copy", message.copy.into()),
            ],
        );
        if !answer {
            rows.put(
                &derived::EXCHANGES,
                &[
                    ("id", (&message.id).into()),
                    ("session_id", (&session.id).into()),
                    ("exchange_number", position.into()),
                    ("user_message_id", (&message.id).into()),
                    ("agent", message.agent.into()),
                    ("model", "gpt-5".into()),
                    ("prompt_input", "Please mend the Engine".into()),
                    ("time_start", message.created.into()),
                    ("duration_ms", 9_000.into()),
                    ("stored_cost", DOLLAR.into()),
                    ("is_fork_copy", message.copy.into()),
                ],
            );
            rows.put(
                &derived::EXCHANGE_TRACES,
                &[
                    ("exchange_id", (&message.id).into()),
                    ("session_id", (&session.id).into()),
                    ("event_order", 1.into()),
                    ("event_type", "prompt".into()),
                    ("message_id", (&message.id).into()),
                    ("time_created", message.created.into()),
                    (
                        "child_session_id",
                        if message.session == 5 && position == 1 { "ses_6".into() } else { Cell::Null },
                    ),
                ],
            );
            return;
        }
        let day = message.created.div_euclid(DAY);
        rows.put(
            &derived::MESSAGE_USAGE,
            &[
                ("message_id", (&message.id).into()),
                ("session_id", (&session.id).into()),
                ("root_session_id", (&session.id).into()),
                ("project_id", project.into()),
                ("root_path", root.into()),
                ("agent", message.agent.into()),
                ("provider", "house".into()),
                ("model", message.model.into()),
                ("time_created", message.created.into()),
                ("time_completed", ended.into()),
                ("day", day.into()),
                ("is_fork_copy", message.copy.into()),
                ("is_summary", false.into()),
                ("steps", 1.into()),
                ("tokens_input", message.tokens[0].into()),
                ("tokens_output", message.tokens[1].into()),
                ("tokens_reasoning", message.tokens[2].into()),
                ("tokens_cache_read", message.tokens[3].into()),
                ("tokens_cache_write", message.tokens[4].into()),
                ("token_rule", "1.0.98".into()),
                ("stored_cost", message.stored_cost.into()),
                ("recomputed_cost", message.list_cost.into()),
                ("list_cost", message.list_cost.into()),
                ("response_ms", message.milliseconds.into()),
                ("error_name", message.error.into()),
            ],
        );
    }

    fn fill_call(&self, rows: &Collected, call: &Call) {
        let message = &self.messages[call.message];
        let session = &self.session_of(call).id;
        let start = message.created + SECOND;
        rows.put(
            &core::PARTS,
            &[
                ("id", (&call.part).into()),
                ("message_id", (&message.id).into()),
                ("session_id", session.into()),
                ("part_type", "tool".into()),
                ("time_created", start.into()),
                ("time_source", "field".into()),
                ("character_count", 100.into()),
                ("generation", "json".into()),
            ],
        );
        // A call that was stopped has a time here, so that a view that counts it is found out.
        let command = if call.tool == "bash" { Cell::Text("LANG=C cargo test --all") } else { Cell::Null };
        rows.put(
            &focused::TOOL_CALLS,
            &[
                ("part_id", (&call.part).into()),
                ("message_id", (&message.id).into()),
                ("session_id", session.into()),
                ("tool", call.tool.into()),
                ("tool_name", call.tool.into()),
                ("status", if call.failed { "error" } else { "completed" }.into()),
                ("input", "{}".into()),
                ("output", "All tests of the engine pass".into()),
                ("output_character_count", 28.into()),
                ("time_start", start.into()),
                ("time_end", (start + call.milliseconds * 1_000).into()),
                ("execution_time_ms", call.milliseconds.into()),
                ("is_failure", call.failed.into()),
                ("is_aborted", call.aborted.into()),
                ("command", command),
            ],
        );
        if call.failed {
            rows.put(
                &focused::ERRORS,
                &[
                    ("id", (&call.part).into()),
                    ("origin", "tool".into()),
                    ("part_id", (&call.part).into()),
                    ("message_id", (&message.id).into()),
                    ("session_id", session.into()),
                    ("tool_name", call.tool.into()),
                    ("error_data", r#"{"type": "timeout", "code": 7}"#.into()),
                    ("text", "Timed out".into()),
                    ("category", if call.tool == "bash" { "timeout" } else { "file_not_found" }.into()),
                    ("severity", if call.tool == "bash" { "high" } else { "low" }.into()),
                    ("retryable", (call.tool == "bash").into()),
                    ("rule", "test".into()),
                    ("time_created", start.into()),
                ],
            );
        }
    }

    fn fill_aggregates(&self, rows: &Collected) {
        for agent in AGENTS {
            let own: Vec<&Message> = self.answers().filter(|m| m.agent == agent).collect();
            rows.put(
                &derived::AGENTS,
                &[
                    ("name", agent.into()),
                    ("messages", (own.len() as i64).into()),
                    ("tokens", own.iter().map(|m| m.tokens.iter().sum::<i64>()).sum::<i64>().into()),
                    ("stored_cost", own.iter().map(|m| m.stored_cost).sum::<i64>().into()),
                    ("tool_calls", 8.into()),
                    ("tool_failures", 1.into()),
                    ("average_response_ms", 1_234.56.into()),
                ],
            );
        }
        for model in MODELS {
            let own: Vec<&Message> = self.answers().filter(|m| m.model == model).collect();
            rows.put(
                &derived::MODELS,
                &[
                    ("provider", "house".into()),
                    ("model", model.into()),
                    ("vendor", "house".into()),
                    ("messages", (own.len() as i64).into()),
                    ("stored_cost", own.iter().map(|m| m.stored_cost).sum::<i64>().into()),
                ],
            );
        }
        let mut days: Vec<i64> = self.answers().map(|m| m.created.div_euclid(DAY)).collect();
        days.sort_unstable();
        days.dedup();
        for day in days {
            let own: Vec<&Message> = self.answers().filter(|m| m.created.div_euclid(DAY) == day).collect();
            rows.put(
                &derived::DAILY_STATS,
                &[
                    ("day", day.into()),
                    ("messages", (own.len() as i64).into()),
                    ("stored_cost", own.iter().map(|m| m.stored_cost).sum::<i64>().into()),
                    ("response_ms", 5.into()),
                ],
            );
        }
    }

    /// One row of everything else, so that no view is empty.
    fn fill_rest(&self, rows: &Collected) {
        let (message, session, at) = ("msg_0_0_0", "ses_0", START + DAY / 2);
        for (number, kind) in
            ["text", "reasoning", "step-finish", "patch", "compaction", "file", "retry"].iter().enumerate()
        {
            let id = format!("prt_rest_{number}");
            rows.put(
                &core::PARTS,
                &[
                    ("id", (&id).into()),
                    ("message_id", message.into()),
                    ("session_id", session.into()),
                    ("part_type", (*kind).into()),
                    ("time_created", at.into()),
                    ("time_source", "id".into()),
                    ("character_count", 40.into()),
                ],
            );
        }
        let part = |number: &'static str| {
            [("part_id", Cell::Text(number)), ("message_id", message.into()), ("session_id", session.into())]
        };
        let add =
            |table, number, more: &[(&str, Cell<'_>)]| rows.put(table, &[&part(number)[..], more].concat());
        add(
            &focused::TEXT_MESSAGES,
            "prt_rest_0",
            &[("text", "The engine is mended; the Engine runs.".into()), ("character_count", 38.into())],
        );
        add(
            &focused::THINKING_BLOCKS,
            "prt_rest_1",
            &[("text", "hm".into()), ("duration_ms", 40.into()), ("time_start", at.into())],
        );
        add(
            &focused::STEP_EVENTS,
            "prt_rest_2",
            &[("event", "finish".into()), ("cost", DOLLAR.into()), ("time_created", at.into())],
        );
        add(
            &focused::PATCHES,
            "prt_rest_3",
            &[("files", r#"["/a.rs"]"#.into()), ("file_count", 1.into()), ("time_created", at.into())],
        );
        let between =
            self.messages.iter().filter(|m| m.session == 0 && m.answers.is_some()).nth(3).unwrap().created;
        add(
            &focused::COMPACTIONS,
            "prt_rest_4",
            &[("automatic", true.into()), ("time_created", (between + 1).into())],
        );
        add(
            &focused::ATTACHMENTS,
            "prt_rest_5",
            &[("mime", "image/png".into()), ("url_scheme", "data".into()), ("byte_count", 9.into())],
        );
        add(&focused::RETRIES, "prt_rest_6", &[("attempt", 2.into()), ("time_created", at.into())]);
        // A part of the fork, with a text that must not be found twice.
        rows.put(
            &core::PARTS,
            &[
                ("id", "prt_copy".into()),
                ("message_id", "msg_0_0_0_copy".into()),
                ("session_id", "ses_7".into()),
                ("part_type", "text".into()),
                ("time_created", at.into()),
            ],
        );
        rows.put(
            &focused::TEXT_MESSAGES,
            &[
                ("part_id", "prt_copy".into()),
                ("message_id", "msg_0_0_0_copy".into()),
                ("session_id", "ses_7".into()),
                ("text", "The engine is mended; the Engine runs.".into()),
            ],
        );
        let fact = |number: i64, kind, branch: Option<&'static str>, hash: Option<&'static str>| {
            add(
                &focused::GIT_FACTS,
                "prt_rest_0",
                &[
                    ("ordinal", number.into()),
                    ("kind", kind),
                    ("branch", branch.into()),
                    ("commit_hash", hash.into()),
                    ("succeeded", true.into()),
                    ("time_created", (at + number).into()),
                ],
            );
        };
        fact(0, Cell::Text("switch"), Some("main"), None);
        fact(1, Cell::Text("commit"), None, Some("1a2b3c4"));
        for (number, operation) in ["read", "edit"].iter().enumerate() {
            add(
                &focused::FILE_OPERATIONS,
                "prt_rest_0",
                &[
                    ("ordinal", (number as i64).into()),
                    ("tool_name", (*operation).into()),
                    ("operation", (*operation).into()),
                    ("path", "/a.rs".into()),
                    ("language", "rust".into()),
                    ("additions", 3.into()),
                    ("succeeded", true.into()),
                    ("time_created", at.into()),
                ],
            );
        }
        add(
            &focused::SECURITY_FINDINGS,
            "prt_rest_0",
            &[
                ("ordinal", 0.into()),
                ("severity", "high".into()),
                ("rule", "pipe-to-shell".into()),
                ("technique", "T1059.004".into()),
                ("tool_name", "bash".into()),
                ("time_created", at.into()),
            ],
        );
        let todo = |position: i64, status| {
            rows.put(
                &core::TODOS,
                &[
                    ("session_id", session.into()),
                    ("position", position.into()),
                    ("status", status),
                    ("content", "x".into()),
                ],
            )
        };
        todo(0, Cell::Text("completed"));
        todo(1, Cell::Text("pending"));
        rows.put(
            &core::SESSION_DIFFS,
            &[("session_id", session.into()), ("position", 0.into()), ("path", "/a.rs".into())],
        );
        rows.put(
            &derived::MODEL_PRICING,
            &[("model_name", "house/gpt-5".into()), ("input_token_cost_per_1k", (DOLLAR / 800).into())],
        );
        rows.put(&ledger::SOURCES, &[("source", 1.into()), ("root", "/data".into()), ("name", "".into())]);
        rows.put(
            &ledger::DOCUMENTS,
            &[
                ("source", 1.into()),
                ("path", "storage/part/a.json".into()),
                ("kind", "part".into()),
                ("outcome", "stored".into()),
                ("size", 10.into()),
                ("modified_ns", (START * 1_000).into()),
                ("ingested_at", (START + 90_000).into()),
            ],
        );
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

/// Rows of many tables, to be written at once.
#[derive(Default)]
struct Collected {
    buffers: RefCell<BTreeMap<&'static str, RowBuffer>>,
}

impl Collected {
    /// Adds a row; columns that are not named are null.
    fn put(&self, table: &'static AnalyticTable, cells: &[(&str, Cell<'_>)]) {
        let mut row = vec![Cell::Null; table.columns.len()];
        for (name, cell) in cells {
            let position = table.position(name).unwrap_or_else(|| panic!("{}.{name}", table.name));
            row[position] = *cell;
        }
        let mut buffers = self.buffers.borrow_mut();
        buffers.entry(table.name).or_insert_with(|| RowBuffer::new(table)).push(&row).unwrap();
    }

    fn write(self, store: &Analytics) {
        for mut buffer in self.buffers.into_inner().into_values() {
            store.append(&mut buffer).unwrap();
        }
    }
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
