//! The rows of the world: documents, and what is computed from them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use plimsoll_engine::ingest::{AnalyticTable, Cell, RowBuffer};
use plimsoll_opencode::table::{core, derived, focused};
use plimsoll_store::duckdb::Analytics;

use crate::world::{AGENTS, Call, DAY, DOLLAR, MODELS, Message, PROJECTS, SECOND, START, Session, World};

/// Rows of many tables, to be written at once.
#[derive(Default)]
pub(crate) struct Collected {
    buffers: RefCell<BTreeMap<&'static str, RowBuffer>>,
}

impl Collected {
    /// Adds a row; columns that are not named are null.
    pub(crate) fn put(&self, table: &'static AnalyticTable, cells: &[(&str, Cell<'_>)]) {
        let mut row = vec![Cell::Null; table.columns.len()];
        for (name, cell) in cells {
            let position = table.position(name).unwrap_or_else(|| panic!("{}.{name}", table.name));
            row[position] = *cell;
        }
        let mut buffers = self.buffers.borrow_mut();
        buffers.entry(table.name).or_insert_with(|| RowBuffer::new(table)).push(&row).unwrap();
    }

    pub(crate) fn write(self, store: &Analytics) {
        for mut buffer in self.buffers.into_inner().into_values() {
            store.append(&mut buffer).unwrap();
        }
    }
}

impl World {
    pub(crate) fn fill(&self, rows: &Collected) {
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
}
