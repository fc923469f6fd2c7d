//! Rows of documents, made by hand.

use plimsoll_engine::ingest::{AnalyticTable, Cell, RowBuffer};
use plimsoll_opencode::table::{core, focused};
use plimsoll_store::duckdb::Analytics;

/// Two seconds before ids begin again from zero: what happens here crosses it.
pub(crate) const BASE: i64 = 1_786_706_395_136 - 2_000;
pub(crate) const PROVIDERS: [(&str, &str); 3] =
    [("google", "gemini-2.5-pro"), ("openai", "gpt-5"), ("acme", "mystery")];

#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub id: String,
    pub parent: Option<String>,
    pub version: Option<String>,
    pub fork: Option<String>,
    pub project: Option<String>,
    pub created: i64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Message {
    pub id: String,
    pub session: String,
    pub role: String,
    pub parent: Option<String>,
    pub model: Option<(String, String)>,
    pub agent: Option<String>,
    pub mode: Option<String>,
    pub root_path: Option<String>,
    pub created: i64,
    pub completed: Option<i64>,
    pub minted: Option<i64>,
    pub sequence: Option<i64>,
    pub is_summary: Option<bool>,
    pub cost: Option<i64>,
    /// Input, output, reasoning, cache read, cache write, total.
    pub tokens: [Option<i64>; 6],
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub id: String,
    pub message: String,
    pub session: String,
    /// The true order of minting, which ids lose when they begin again from zero.
    pub order: i64,
    pub created: i64,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub(crate) enum Body {
    Text {
        text: String,
        synthetic: bool,
        ignored: bool,
    },
    Reasoning {
        ms: Option<i64>,
    },
    Tool {
        name: String,
        status: String,
        ms: Option<i64>,
        failure: bool,
        aborted: bool,
        child: Option<String>,
    },
    Start,
    Finish {
        cost: Option<i64>,
        tokens: [Option<i64>; 6],
    },
    Patch,
    Compaction,
    File,
    Unknown,
}

impl Body {
    pub(crate) fn part_type(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Reasoning { .. } => "reasoning",
            Self::Tool { .. } => "tool",
            Self::Start => "step-start",
            Self::Finish { .. } => "step-finish",
            Self::Patch => "patch",
            Self::Compaction => "compaction",
            Self::File => "file",
            Self::Unknown => "hologram",
        }
    }
}

/// What a store holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    pub sessions: Vec<Session>,
    pub messages: Vec<Message>,
    pub parts: Vec<Part>,
    /// Where its ids begin to count, so that two stories have none in common but those of sessions.
    pub salt: usize,
}

/// An identifier minted at `ms`, number `counter` of that millisecond.
pub(crate) fn minted_id(prefix: &str, ms: i64, counter: usize) -> String {
    let number = (i128::from(ms) * 4096 + counter as i128) & ((1 << 48) - 1);
    format!("{prefix}_{number:012x}{counter:014}")
}

impl Story {
    /// The number in the id of the row after `rows` others.
    pub(crate) fn next(&self, rows: usize) -> usize {
        rows + 1 + self.salt
    }

    /// A session of version 1.14.34.
    pub(crate) fn session(&mut self, id: &str, parent: Option<&str>) -> &mut Session {
        self.sessions.push(Session {
            id: id.into(),
            parent: parent.map(Into::into),
            version: Some("1.14.34".into()),
            project: Some("project".into()),
            created: BASE,
            ..Session::default()
        });
        self.sessions.last_mut().unwrap()
    }

    /// A message, `at` milliseconds after the beginning; its id is made of that.
    pub(crate) fn message(&mut self, session: &str, role: &str, at: i64) -> String {
        let created = BASE + at;
        let id = minted_id("msg", created, self.next(self.messages.len()));
        let is_answer = role == "assistant";
        self.messages.push(Message {
            id: id.clone(),
            session: session.into(),
            role: role.into(),
            model: is_answer.then(|| (PROVIDERS[0].0.into(), PROVIDERS[0].1.into())),
            agent: Some("build".into()),
            created,
            completed: is_answer.then_some(created + 400),
            minted: Some(created),
            cost: is_answer.then_some(1_000_000),
            tokens: if is_answer {
                [Some(100), Some(50), Some(10), Some(0), Some(0), None]
            } else {
                [None; 6]
            },
            ..Message::default()
        });
        id
    }

    /// The message with this id.
    pub(crate) fn at(&mut self, id: &str) -> &mut Message {
        self.messages.iter_mut().find(|message| message.id == id).unwrap()
    }

    /// A part of a message, minted after the others.
    pub(crate) fn part(&mut self, message: &str, body: Body) -> String {
        let counter = self.next(self.parts.len());
        let owner = self.messages.iter().find(|found| found.id == message).unwrap();
        let minted = owner.minted.unwrap_or(owner.created) + 1 + counter as i64;
        let id = minted_id("prt", minted, counter);
        self.parts.push(Part {
            id: id.clone(),
            message: message.into(),
            session: owner.session.clone(),
            order: minted * 4096 + counter as i64,
            created: minted,
            body,
        });
        id
    }

    pub(crate) fn text(&mut self, message: &str, text: &str) -> String {
        self.part(message, Body::Text { text: text.into(), synthetic: false, ignored: false })
    }

    pub(crate) fn synthetic(&mut self, message: &str, text: &str) -> String {
        self.part(message, Body::Text { text: text.into(), synthetic: true, ignored: false })
    }

    /// Copies a session as OpenCode's fork does: new ids minted `delay` later, times and figures as they were.
    pub(crate) fn fork(
        &mut self,
        source: &str,
        copy: &str,
        delay: i64,
        count: usize,
        says_so: bool,
        maps_parents: bool,
    ) {
        let mut session = self.sessions.iter().find(|found| found.id == source).unwrap().clone();
        session.id = copy.into();
        session.parent = None;
        session.fork = says_so.then(|| source.into());
        self.sessions.push(session);
        let mut originals: Vec<Message> =
            self.messages.iter().filter(|message| message.session == source).cloned().collect();
        originals.sort_by_key(|message| {
            (message.created, message.sequence.unwrap_or(i64::MAX), message.id.clone())
        });
        let mut renamed = std::collections::HashMap::new();
        for mut message in originals.into_iter().take(count) {
            let minted = message.minted.unwrap_or(message.created) + delay;
            let id = minted_id("msg", minted, self.next(self.messages.len()));
            renamed.insert(message.id.clone(), id.clone());
            let of_original = std::mem::replace(&mut message.id, id);
            message.session = copy.into();
            message.minted = message.minted.map(|_| minted);
            if maps_parents {
                message.parent = message.parent.and_then(|parent| renamed.get(&parent).cloned());
            }
            let parts: Vec<Part> =
                self.parts.iter().filter(|part| part.message == of_original).cloned().collect();
            let id = message.id.clone();
            self.messages.push(message);
            for mut part in parts {
                let counter = self.next(self.parts.len());
                part.order += delay * 4096;
                part.id = minted_id("prt", part.order / 4096, counter);
                part.order = part.order / 4096 * 4096 + counter as i64;
                part.message = id.clone();
                part.session = copy.into();
                self.parts.push(part);
            }
        }
    }

    /// Appends the rows of the sessions that `wanted` takes.
    pub(crate) fn write(&self, store: &Analytics, wanted: impl Fn(&str) -> bool) {
        let mut rows = Buffers::default();
        for session in self.sessions.iter().filter(|session| wanted(&session.id)) {
            rows.push(
                &core::SESSIONS,
                &[
                    ("id", text(&session.id)),
                    ("parent_id", optional(&session.parent)),
                    ("version", optional(&session.version)),
                    ("fork_session_id", optional(&session.fork)),
                    ("project_id", optional(&session.project)),
                    ("title", text(&session.id)),
                    ("time_created", moment(session.created)),
                    ("time_updated", moment(session.created + 7)),
                ],
            );
        }
        for message in self.messages.iter().filter(|message| wanted(&message.session)) {
            rows.message(message);
        }
        for part in self.parts.iter().filter(|part| wanted(&part.session)) {
            rows.part(part);
        }
        rows.append(store);
    }
}

/// Writes the one project.
pub(crate) fn write_project(store: &Analytics) {
    let mut rows = Buffers::default();
    rows.push(&core::PROJECTS, &[("id", text("project")), ("worktree", text("/work"))]);
    rows.append(store);
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(text)
}

fn optional(text: &Option<String>) -> Cell<'_> {
    text.as_ref().into()
}

fn moment(ms: i64) -> Cell<'static> {
    Cell::Integer(ms * 1000)
}

#[derive(Default)]
struct Buffers {
    buffers: Vec<RowBuffer>,
}

impl Buffers {
    fn push(&mut self, table: &'static AnalyticTable, values: &[(&str, Cell<'_>)]) {
        let mut cells = vec![Cell::Null; table.columns.len()];
        for (column, value) in values {
            cells[table.position(column).unwrap_or_else(|| panic!("{}.{column}", table.name))] = *value;
        }
        let known = self.buffers.iter().position(|buffer| std::ptr::eq(buffer.table(), table));
        let at = known.unwrap_or_else(|| {
            self.buffers.push(RowBuffer::new(table));
            self.buffers.len() - 1
        });
        self.buffers[at].push(&cells).unwrap();
    }

    fn append(mut self, store: &Analytics) {
        for buffer in &mut self.buffers {
            store.append(buffer).unwrap();
        }
    }

    fn message(&mut self, message: &Message) {
        let [input, output, reasoning, cache_read, cache_write, total] = message.tokens;
        let (provider, model) = message.model.as_ref().map_or((None, None), |(p, m)| (Some(p), Some(m)));
        self.push(
            &core::MESSAGES,
            &[
                ("id", text(&message.id)),
                ("session_id", text(&message.session)),
                ("role", text(&message.role)),
                ("sequence", message.sequence.into()),
                ("parent_id", optional(&message.parent)),
                ("provider", provider.into()),
                ("model", model.into()),
                ("mode", optional(&message.mode)),
                ("agent", optional(&message.agent)),
                ("root_path", optional(&message.root_path)),
                ("is_summary", message.is_summary.into()),
                ("stored_cost", message.cost.into()),
                ("tokens_input", input.into()),
                ("tokens_output", output.into()),
                ("tokens_reasoning", reasoning.into()),
                ("tokens_cache_read", cache_read.into()),
                ("tokens_cache_write", cache_write.into()),
                ("tokens_total", total.into()),
                ("error_name", optional(&message.error)),
                ("time_created", moment(message.created)),
                ("time_completed", message.completed.map(|ms| ms * 1000).into()),
                ("time_minted", message.minted.map(|ms| ms * 1000).into()),
            ],
        );
        if let Some(error) = &message.error {
            self.push(
                &focused::ERRORS,
                &[
                    ("id", text(&message.id)),
                    ("origin", text("message")),
                    ("message_id", text(&message.id)),
                    ("session_id", text(&message.session)),
                    ("error_name", text(error)),
                    ("time_created", moment(message.created)),
                ],
            );
        }
    }

    fn part(&mut self, part: &Part) {
        let ids = [
            ("part_id", text(&part.id)),
            ("message_id", text(&part.message)),
            ("session_id", text(&part.session)),
        ];
        let created = ("time_created", moment(part.created));
        self.push(
            &core::PARTS,
            &[
                ("id", text(&part.id)),
                ids[1],
                ids[2],
                created,
                ("part_type", text(part.body.part_type())),
                ("character_count", Cell::Integer(7)),
            ],
        );
        let mut row = |table: &'static AnalyticTable, values: &[(&str, Cell<'_>)]| {
            self.push(table, &[ids.as_slice(), values].concat());
        };
        match &part.body {
            Body::Text { text: words, synthetic, ignored } => row(
                &focused::TEXT_MESSAGES,
                &[
                    ("text", text(words)),
                    ("character_count", Cell::Integer(words.len() as i64)),
                    ("synthetic", (*synthetic).into()),
                    ("ignored", (*ignored).into()),
                ],
            ),
            Body::Reasoning { ms } => row(
                &focused::THINKING_BLOCKS,
                &[
                    ("duration_ms", (*ms).into()),
                    ("character_count", Cell::Integer(9)),
                    ("time_start", moment(part.created + 5)),
                ],
            ),
            Body::Tool { name, status, ms, failure, aborted, child } => row(
                &focused::TOOL_CALLS,
                &[
                    ("tool_name", text(name)),
                    ("status", text(status)),
                    ("title", text("a \"title\"")),
                    ("output_character_count", Cell::Integer(11)),
                    ("time_start", moment(part.created + 3)),
                    ("time_end", ms.map(|ms| (part.created + 3 + ms) * 1000).into()),
                    ("execution_time_ms", (*ms).into()),
                    ("is_failure", (*failure).into()),
                    ("is_aborted", (*aborted).into()),
                    ("child_session_id", optional(child)),
                ],
            ),
            Body::Start => row(&focused::STEP_EVENTS, &[("event", text("start")), created]),
            Body::Finish { cost, tokens } => {
                let [input, output, reasoning, cache_read, cache_write, total] = *tokens;
                row(
                    &focused::STEP_EVENTS,
                    &[
                        ("event", text("finish")),
                        ("reason", text("stop")),
                        ("cost", (*cost).into()),
                        ("tokens_input", input.into()),
                        ("tokens_output", output.into()),
                        ("tokens_reasoning", reasoning.into()),
                        ("tokens_cache_read", cache_read.into()),
                        ("tokens_cache_write", cache_write.into()),
                        ("tokens_total", total.into()),
                        created,
                    ],
                );
            }
            Body::Patch => {
                row(
                    &focused::PATCHES,
                    &[("tree_hash", text("abc")), ("file_count", Cell::Integer(2)), created],
                );
            }
            Body::Compaction => row(&focused::COMPACTIONS, &[("automatic", true.into()), created]),
            Body::File => row(
                &focused::ATTACHMENTS,
                &[("filename", text("a.png")), ("mime", text("image/png")), created],
            ),
            Body::Unknown => {}
        }
    }
}
