//! Tables computed from the documents' rows.
//!
//! Owns their columns; how they are computed is `derive`'s. All can be dropped and computed again.

use plimsoll_engine::ingest::ColumnType::{Boolean, Date, Double, Integer, Json, Money, Text, Timestamp};
use plimsoll_engine::ingest::{AnalyticTable, column};

/// What each answer of a model used and cost.
pub static MESSAGE_USAGE: AnalyticTable = AnalyticTable {
    name: "message_usage",
    help: "One assistant message: tokens made disjoint, and its cost three ways. Sums leave `is_fork_copy` out.",
    columns: &[
        column("message_id", Text, "the message"),
        column("session_id", Text, "its session"),
        column("root_session_id", Text, "the session at the top of the delegation"),
        column("project_id", Text, "its project"),
        column("root_path", Text, "root of the work tree"),
        column("agent", Text, "agent"),
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        column("time_created", Timestamp, "began"),
        column("time_completed", Timestamp, "ended"),
        column("day", Date, "day (UTC) it began"),
        column("is_fork_copy", Boolean, "copied by a fork: already counted in the original"),
        column("is_summary", Boolean, "written by a compaction"),
        column("steps", Integer, "requests to the model; 0 when only the message's own figures are known"),
        column("tokens_input", Integer, "not from the cache"),
        column("tokens_output", Integer, "without reasoning"),
        column("tokens_reasoning", Integer, "reasoning"),
        column("tokens_cache_read", Integer, "read from the cache"),
        column("tokens_cache_write", Integer, "written to the cache"),
        column(
            "tokens_stored_output",
            Integer,
            "output as stored, with or without reasoning by the writer's version",
        ),
        column("token_rule", Text, "which version's meaning was applied"),
        column("stored_cost", Money, "what OpenCode stored; 0 with a subscription"),
        column("recomputed_cost", Money, "by OpenCode's own formula of that version; null without a price"),
        column("list_cost", Money, "disjoint tokens at list price; null without a price"),
        column("price_source", Text, "price snapshot or override; null for an unknown model"),
        column("response_ms", Integer, "from creation to completion, in milliseconds"),
        column("error_name", Text, "error that ended it"),
        column("tool_calls", Integer, "calls of tools"),
        column("tool_failures", Integer, "calls that failed"),
        column("tool_ms", Integer, "sum of tools' times, in milliseconds"),
        column("step_tokens", Json, "where there are several steps: tokens of each, all kinds, by its part"),
    ],
    key: &["message_id"],
    references: &[("message_id", "messages", "id"), ("session_id", "sessions", "id")],
};

/// Exchanges: a user's turn and what came of it.
pub static EXCHANGES: AnalyticTable = AnalyticTable {
    name: "exchanges",
    help: "A user's turn and all answers to it.",
    columns: &[
        column("id", Text, "the user message's identifier"),
        column("session_id", Text, "its session"),
        column("exchange_number", Integer, "from 1, in order of time"),
        column("user_message_id", Text, "the user message"),
        column("assistant_message_id", Text, "the last answer; null when there is none"),
        column("assistant_messages", Integer, "how many answers"),
        column("agent", Text, "agent"),
        column("provider", Text, "provider of the last answer"),
        column("model", Text, "model of the last answer"),
        column("prompt_input", Text, "what the user wrote"),
        column("prompt_output", Text, "the last text of the last answer"),
        column("time_start", Timestamp, "when the user's message came"),
        column("time_end", Timestamp, "when the last answer ended"),
        column("duration_ms", Integer, "between them, in milliseconds"),
        column("tokens_input", Integer, "sum over answers"),
        column("tokens_output", Integer, "sum over answers"),
        column("tokens_reasoning", Integer, "sum over answers"),
        column("tokens_cache_read", Integer, "sum over answers"),
        column("tokens_cache_write", Integer, "sum over answers"),
        column("stored_cost", Money, "sum over answers"),
        column("list_cost", Money, "sum over answers; null when a price is missing"),
        column("tool_calls", Integer, "calls of tools"),
        column("tool_failures", Integer, "calls that failed"),
        column("thinking_blocks", Integer, "reasoning parts"),
        column("is_fork_copy", Boolean, "copied by a fork"),
    ],
    key: &["id"],
    references: &[("session_id", "sessions", "id"), ("user_message_id", "messages", "id")],
};

/// What happened in an exchange, in order.
pub static EXCHANGE_TRACES: AnalyticTable = AnalyticTable {
    name: "exchange_traces",
    help: "One event of an exchange.",
    columns: &[
        column("exchange_id", Text, "its exchange"),
        column("session_id", Text, "its session"),
        column("event_order", Integer, "from 1"),
        column(
            "event_type",
            Text,
            "`prompt`, `reasoning`, `text`, `tool`, `step`, `patch`, `delegation`, `error`, `compaction`, ..",
        ),
        column("part_id", Text, "the part; null for events of a message"),
        column("message_id", Text, "the message"),
        column("name", Text, "tool, agent or reason"),
        column("status", Text, "state of a tool call; `failed` for a command's non-zero exit"),
        column("child_session_id", Text, "the session to which it delegated"),
        column("time_created", Timestamp, "when"),
        column("duration_ms", Integer, "how long, in milliseconds"),
        column("tokens", Integer, "tokens of a step, all kinds"),
        column("character_count", Integer, "characters of its text or output"),
        column("event_data", Json, "a few details"),
    ],
    key: &["exchange_id", "event_order"],
    references: &[("exchange_id", "exchanges", "id"), ("session_id", "sessions", "id")],
};

/// Sessions as trees of delegation.
pub static SESSION_TRACES: AnalyticTable = AnalyticTable {
    name: "session_traces",
    help: "A session in its tree of delegation; `total_` covers the sessions below it too.",
    columns: &[
        column("session_id", Text, "the session"),
        column("root_session_id", Text, "top of the tree"),
        column("parent_session_id", Text, "the session that delegated it"),
        column("depth", Integer, "0 at the top"),
        column("descendants", Integer, "sessions below"),
        column("status", Text, "`completed`, `running` or `error` by its last message"),
        column("time_start", Timestamp, "began"),
        column("time_end", Timestamp, "last event"),
        column("tokens", Integer, "all kinds, own"),
        column("stored_cost", Money, "own"),
        column("list_cost", Money, "own; null when a price is missing"),
        column("total_tokens", Integer, "with the sessions below"),
        column("total_stored_cost", Money, "with the sessions below"),
        column("total_list_cost", Money, "with the sessions below"),
        column("total_tool_calls", Integer, "with the sessions below"),
    ],
    key: &["session_id"],
    references: &[("session_id", "sessions", "id"), ("root_session_id", "sessions", "id")],
};

/// What a session used.
pub static SESSION_RESOURCE_METRICS: AnalyticTable = AnalyticTable {
    name: "session_resource_metrics",
    help: "What a session used and cost. Fork copies are left out of sums.",
    columns: &[
        column("session_id", Text, "the session"),
        column("project_id", Text, "its project"),
        column("title", Text, "title"),
        column("root_path", Text, "root of the work tree"),
        column("tokens_input", Integer, "not from the cache"),
        column("tokens_output", Integer, "without reasoning"),
        column("tokens_reasoning", Integer, "reasoning"),
        column("tokens_cache_read", Integer, "read from the cache"),
        column("tokens_cache_write", Integer, "written to the cache"),
        column(
            "root_tokens",
            Integer,
            "input and output together, as the tracing of the earlier system counts them",
        ),
        column("stored_cost", Money, "as stored"),
        column("list_cost", Money, "at list price; null when a price is missing"),
        column("messages", Integer, "all roles"),
        column("user_messages", Integer, "of the user"),
        column("exchanges", Integer, "turns"),
        column("tool_calls", Integer, "calls of tools"),
        column("tool_failures", Integer, "calls that failed"),
        column("errors", Integer, "errors of any origin"),
        column("fork_copies", Integer, "messages copied by a fork"),
        column("average_response_ms", Double, "mean time of an answer, in milliseconds"),
        column("execution_ms", Integer, "sum of tools' times, in milliseconds"),
        column("time_created", Timestamp, "began"),
        column("time_updated", Timestamp, "last changed"),
        column(
            "status",
            Text,
            "`completed`, `running` or `error` by its last message; null without messages",
        ),
        column("time_last", Timestamp, "last event"),
    ],
    key: &["session_id"],
    references: &[("session_id", "sessions", "id")],
};

/// Per day.
pub static DAILY_STATS: AnalyticTable = AnalyticTable {
    name: "daily_stats",
    help: "Usage of one day, project, agent, provider and model. Fork copies are left out of sums.",
    columns: &[
        column("day", Date, "day (UTC)"),
        column("project_id", Text, "project"),
        column("agent", Text, "agent"),
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        column("sessions", Integer, "sessions with an answer that day"),
        column("messages", Integer, "answers"),
        column("fork_copies", Integer, "answers copied by a fork, not in the sums"),
        column("tokens_input", Integer, "not from the cache"),
        column("tokens_output", Integer, "without reasoning"),
        column("tokens_reasoning", Integer, "reasoning"),
        column("tokens_cache_read", Integer, "read from the cache"),
        column("tokens_cache_write", Integer, "written to the cache"),
        column("stored_cost", Money, "as stored"),
        column("list_cost", Money, "at list price, of the answers with a price"),
        column("unpriced_messages", Integer, "answers without a price"),
        column("errors", Integer, "answers that ended with an error"),
        column("response_ms", Integer, "sum of the answers' times, in milliseconds"),
    ],
    key: &["day", "project_id", "agent", "provider", "model"],
    references: &[],
};

/// Agents.
pub static AGENTS: AnalyticTable = AnalyticTable {
    name: "agents",
    help: "One agent. Fork copies are left out of sums.",
    columns: &[
        column("name", Text, "its name"),
        column("sessions", Integer, "sessions"),
        column("messages", Integer, "answers"),
        column("tokens", Integer, "all kinds"),
        column("stored_cost", Money, "as stored"),
        column("list_cost", Money, "at list price, of the answers with a price"),
        column("tool_calls", Integer, "calls of tools"),
        column("tool_failures", Integer, "calls that failed"),
        column("average_response_ms", Double, "mean time of an answer, in milliseconds"),
        column("first_used", Timestamp, "first answer"),
        column("last_used", Timestamp, "last answer"),
    ],
    key: &["name"],
    references: &[],
};

/// Models.
pub static MODELS: AnalyticTable = AnalyticTable {
    name: "models",
    help: "One model of one provider. Fork copies are left out of sums.",
    columns: &[
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        column("vendor", Text, "who made it, by its name; the provider where the name says nothing"),
        column("sessions", Integer, "sessions"),
        column("messages", Integer, "answers"),
        column("tokens_input", Integer, "not from the cache"),
        column("tokens_output", Integer, "without reasoning"),
        column("tokens_reasoning", Integer, "reasoning"),
        column("tokens_cache_read", Integer, "read from the cache"),
        column("tokens_cache_write", Integer, "written to the cache"),
        column("stored_cost", Money, "as stored"),
        column("list_cost", Money, "at list price; null without a price"),
        column("has_price", Boolean, "whether a price is known"),
        column("average_response_ms", Double, "mean time of an answer, in milliseconds"),
        column("output_per_second", Double, "output and reasoning tokens per second of answer"),
        column("errors", Integer, "answers that ended with an error"),
        column("first_used", Timestamp, "first answer"),
        column("last_used", Timestamp, "last answer"),
    ],
    key: &["provider", "model"],
    references: &[],
};

/// Tools.
pub static TOOLS: AnalyticTable = AnalyticTable {
    name: "tools",
    help: "One tool. Latencies leave aborted and unfinished calls out; all sums leave fork copies out.",
    columns: &[
        column("tool_name", Text, "the tool"),
        column("calls", Integer, "calls"),
        column("failures", Integer, "calls that failed"),
        column("aborted", Integer, "calls that the user stopped"),
        column("sessions", Integer, "sessions"),
        column("execution_ms", Integer, "sum of times, in milliseconds"),
        column("p50_ms", Double, "median time, in milliseconds"),
        column("p95_ms", Double, "95th percentile, in milliseconds"),
        column("p99_ms", Double, "99th percentile, in milliseconds"),
        column("max_ms", Integer, "longest, in milliseconds"),
        column("output_characters", Integer, "characters of output"),
        column("last_used", Timestamp, "last call"),
    ],
    key: &["tool_name"],
    references: &[],
};

/// Prices.
pub static MODEL_PRICING: AnalyticTable = AnalyticTable {
    name: "model_pricing",
    help: "List price of a model; only models that occur, and those that were asked for by name.",
    columns: &[
        column("model_name", Text, "`provider/model`, or a model's bare name"),
        column("vendor", Text, "provider or vendor"),
        column("input_token_cost_per_1k", Money, "US dollars per 1,000 tokens"),
        column("output_token_cost_per_1k", Money, "US dollars per 1,000 tokens"),
        column("cache_read_token_cost_per_1k", Money, "US dollars per 1,000 tokens"),
        column("cache_write_token_cost_per_1k", Money, "US dollars per 1,000 tokens"),
        column("reasoning_token_cost_per_1k", Money, "US dollars per 1,000 tokens, where the model has one"),
        column("tiers", Json, "rates for long contexts"),
        column("price_source", Text, "`embedded <date>`, `override`, .."),
        column("updated_at", Timestamp, "date of the price"),
    ],
    key: &["model_name"],
    references: &[],
};

/// Where each message stands.
pub static MESSAGE_PLACES: AnalyticTable = AnalyticTable {
    name: "message_places",
    help: "Where a message stands: in its session, in a user's turn, in the tree of delegation, and whether a fork copied it. \
           What belongs to a copied message (parts, tool calls, errors) is a copy too.",
    columns: &[
        column("message_id", Text, "the message, of any role"),
        column("session_id", Text, "its session"),
        column("root_session_id", Text, "the session at the top of the delegation"),
        column("role", Text, "its role"),
        column("position", Integer, "place in the session, from 1"),
        column("exchange_id", Text, "the turn it belongs to; null before the first user message"),
        column("is_fork_copy", Boolean, "copied by a fork: already counted in the original"),
        column("original_message_id", Text, "for a copy: the message that counts"),
        column("original_session_id", Text, "for a copy: the session of the message that counts"),
    ],
    key: &["message_id"],
    references: &[("message_id", "messages", "id")],
};

/// What sessions used, by day, agent and model.
pub static SESSION_USAGE: AnalyticTable = AnalyticTable {
    name: "session_usage",
    help: "What one session used on one day with one agent and one model; what a fork copied is apart. Days, agents and models are summed up from it.",
    columns: &[
        column("session_id", Text, "the session"),
        column("day", Date, "day (UTC)"),
        column("project_id", Text, "project"),
        column("agent", Text, "agent"),
        column("provider", Text, "provider"),
        column("model", Text, "model"),
        column("is_fork_copy", Boolean, "copied by a fork: already counted in the original"),
        column("messages", Integer, "answers"),
        column("tokens_input", Integer, "not from the cache"),
        column("tokens_output", Integer, "without reasoning"),
        column("tokens_reasoning", Integer, "reasoning"),
        column("tokens_cache_read", Integer, "read from the cache"),
        column("tokens_cache_write", Integer, "written to the cache"),
        column("stored_cost", Money, "as stored"),
        column("list_cost", Money, "at list price, of the answers with a price; null when there are none"),
        column("priced_messages", Integer, "answers with a price"),
        column("errors", Integer, "answers that ended with an error"),
        column("timed_messages", Integer, "answers that were completed"),
        column("response_ms", Integer, "sum of their times, in milliseconds"),
        column("timed_tokens", Integer, "output and reasoning of answers that took any time"),
        column("tool_calls", Integer, "calls of tools"),
        column("tool_failures", Integer, "calls that failed"),
        column("first_used", Timestamp, "first answer"),
        column("last_used", Timestamp, "last answer"),
    ],
    key: &["session_id", "day", "project_id", "agent", "provider", "model", "is_fork_copy"],
    references: &[("session_id", "sessions", "id")],
};
