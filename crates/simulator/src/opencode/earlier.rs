//! The analytics database of an earlier monitor: every part in one wide table.
//!
//! Owns its tables, its indexes and demo rows in them, for tests of what splits that table. The columns are those that
//! monitor had when it planned to split them: 29, and seven more about risk in its last version. Rows are computed by
//! the database from a seed. The file says of itself that it is generated.

use std::path::Path;

use plimsoll_store::StoreError;
use plimsoll_store::duckdb::{Analytics, Parameter, Resources};

use super::error::Error;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// Rows of `parts`.
    pub parts: u64,
    /// The seed of everything that is chosen.
    pub seed: u64,
    /// The mean length of a text or an output, in characters.
    pub mean_characters: u64,
    /// With the columns about risk, and with tables whose names the new ones would like to have.
    pub latest: bool,
}

impl Default for Earlier {
    fn default() -> Self {
        Self { parts: 5_000, seed: 1, mean_characters: 300, latest: false }
    }
}

const TABLES: &str = "
CREATE TABLE generated_by (note VARCHAR);
CREATE TABLE sessions (id VARCHAR PRIMARY KEY, project_id VARCHAR, directory VARCHAR, title VARCHAR,
    created_at TIMESTAMP, updated_at TIMESTAMP);
CREATE TABLE messages (id VARCHAR PRIMARY KEY, session_id VARCHAR, parent_id VARCHAR, role VARCHAR, agent VARCHAR,
    model_id VARCHAR, provider_id VARCHAR, tokens_input INTEGER DEFAULT 0, tokens_output INTEGER DEFAULT 0,
    created_at TIMESTAMP, completed_at TIMESTAMP);
CREATE TABLE parts (id VARCHAR PRIMARY KEY, session_id VARCHAR, message_id VARCHAR, part_type VARCHAR,
    content VARCHAR, tool_name VARCHAR, tool_status VARCHAR, created_at TIMESTAMP, call_id VARCHAR,
    ended_at TIMESTAMP, duration_ms INTEGER, arguments VARCHAR, result_summary VARCHAR, error_message VARCHAR,
    error_data VARCHAR, child_session_id VARCHAR, reasoning_text VARCHAR, anthropic_signature VARCHAR,
    compaction_auto BOOLEAN, file_mime VARCHAR, file_name VARCHAR, file_url VARCHAR, cost DECIMAL(10,6),
    tokens_input INTEGER, tokens_output INTEGER, tokens_reasoning INTEGER, tokens_cache_read INTEGER,
    tokens_cache_write INTEGER, tool_title VARCHAR);
";

const LATEST: &str = "
ALTER TABLE parts ADD COLUMN risk_score INTEGER;
ALTER TABLE parts ADD COLUMN risk_level VARCHAR;
ALTER TABLE parts ADD COLUMN risk_reason VARCHAR;
ALTER TABLE parts ADD COLUMN mitre_techniques VARCHAR;
ALTER TABLE parts ADD COLUMN security_enriched_at TIMESTAMP;
ALTER TABLE parts ADD COLUMN scope_verdict VARCHAR;
ALTER TABLE parts ADD COLUMN scope_resolved_path VARCHAR;
CREATE TABLE step_events (id VARCHAR PRIMARY KEY, session_id VARCHAR NOT NULL, event_type VARCHAR NOT NULL);
CREATE TABLE file_operations (id VARCHAR PRIMARY KEY, session_id VARCHAR, operation VARCHAR, file_path VARCHAR);
INSERT INTO step_events VALUES ('demo-step', 'demo-session', 'finish');
INSERT INTO file_operations VALUES ('demo-operation', 'demo-session', 'read', '/srv/demo/a.rs');
CREATE VIEW tools_used AS SELECT tool_name, count(*) AS calls FROM parts WHERE tool_name IS NOT NULL GROUP BY 1;
";

/// Rows, from the number `i` of each and a seed; `r` is a number from 0 to 99 that decides the type.
const ROWS: &str = "
INSERT INTO parts BY NAME
WITH numbered AS (
    SELECT i, hash(i, $1) AS h, hash(i, $1, 'type') % 100 AS r, hash(i, $1, 'failure') % 100 AS f,
        1 + hash(i, $1, 'length') % (2 * $2) AS length
    FROM range($3) t(i)
), typed AS (
    SELECT *, CASE WHEN r < 18 THEN 'text' WHEN r < 28 THEN 'reasoning' WHEN r < 68 THEN 'tool'
        WHEN r < 80 THEN 'step-start' WHEN r < 92 THEN 'step-finish' WHEN r < 96 THEN 'patch'
        WHEN r < 99 THEN 'file' ELSE 'compaction' END AS part_type,
        TIMESTAMP '2026-01-05 08:00:00' + to_milliseconds(CAST(i * 700 + h % 600 AS BIGINT)) AS created_at,
        repeat('demo text ' || (h % 97) || ' ', CAST(1 + length / 13 AS BIGINT)) AS words
    FROM numbered
), made AS (
    SELECT *, part_type = 'tool' AS tool, part_type = 'tool' AND f < 8 AS failed, part_type = 'step-finish' AS step
    FROM typed
)
SELECT printf('prt_%012x', 28000000000000 + i * 4096 + 1) || left(md5(i || ':' || $1), 14) AS id,
    printf('ses_demo%06d', i // 210) AS session_id,
    printf('msg_demo%08d', i // 4) AS message_id,
    part_type, created_at,
    CASE WHEN part_type = 'text' THEN words END AS content,
    CASE WHEN tool THEN ['bash', 'read', 'edit', 'grep', 'task', 'webfetch'][CAST(1 + h % 6 AS INTEGER)] END AS tool_name,
    CASE WHEN failed THEN 'error' WHEN tool THEN 'completed' END AS tool_status,
    CASE WHEN tool THEN 'Demo call ' || i END AS tool_title,
    CASE WHEN tool THEN 'call_' || left(md5('call' || i), 24) END AS call_id,
    CASE WHEN tool THEN created_at + to_milliseconds(CAST(h % 9000 AS BIGINT)) END AS ended_at,
    CASE WHEN tool THEN h % 9000 END AS duration_ms,
    CASE WHEN tool THEN '{\"command\": \"ls ' || (h % 31) || '\"}' END AS arguments,
    CASE WHEN tool AND NOT failed THEN words END AS result_summary,
    CASE WHEN tool AND h % 6 = 4 THEN printf('ses_demo%06d', i // 210 + 1) END AS child_session_id,
    CASE WHEN failed THEN ['timed out after 30 s', 'no such file', 'connection refused'][CAST(1 + f % 3 AS INTEGER)]
        END AS error_message,
    CASE WHEN failed AND f = 7 THEN '{\"type\": \"timeout\", \"cut off' || i
        WHEN failed THEN '{ \"type\":\"' || ['timeout', 'not_found', 'network'][CAST(1 + f % 3 AS INTEGER)]
            || '\",  \"code\": ' || (400 + f) || ' }' END AS error_data,
    CASE WHEN part_type = 'reasoning' THEN words END AS reasoning_text,
    CASE WHEN part_type = 'reasoning' AND h % 2 = 0 THEN md5('signature' || i) END AS anthropic_signature,
    CASE WHEN part_type = 'compaction' THEN h % 2 = 0 END AS compaction_auto,
    CASE WHEN part_type = 'file' THEN 'image/png' END AS file_mime,
    CASE WHEN part_type = 'file' THEN 'demo-' || i || '.png' END AS file_name,
    CASE WHEN part_type = 'file' THEN 'data:image/png;base64,' || to_base64(encode(words)) END AS file_url,
    CASE WHEN step THEN CAST(h % 90000 AS DECIMAL(18,6)) / 1000000 END AS cost,
    CASE WHEN step THEN h % 9000 END AS tokens_input,
    CASE WHEN step THEN h % 1700 END AS tokens_output,
    CASE WHEN step THEN h % 300 END AS tokens_reasoning,
    CASE WHEN step THEN h % 90000 END AS tokens_cache_read,
    CASE WHEN step THEN h % 800 END AS tokens_cache_write
FROM made";

const REST: &str = "
INSERT INTO sessions SELECT session_id, 'demo', '/srv/demo', 'Demo ' || session_id,
    min(created_at), max(created_at) FROM parts GROUP BY session_id;
INSERT INTO messages (id, session_id, role, agent, model_id, provider_id, created_at)
    SELECT message_id, min(session_id), 'assistant', 'build', 'demo-model', 'demo', min(created_at)
    FROM parts GROUP BY message_id;
CREATE INDEX idx_parts_message ON parts(message_id);
CREATE INDEX idx_parts_session ON parts(session_id);
CREATE INDEX idx_parts_message_tool ON parts(message_id, tool_name);
CREATE INDEX idx_parts_error_message ON parts(error_message);
";

const RISKS: &str = "
UPDATE parts SET risk_score = hash(id) % 100, risk_level = 'low', risk_reason = 'demo',
    security_enriched_at = created_at WHERE tool_name = 'bash';
";

/// Writes the database to a new file.
///
/// # Errors
/// When the file exists, or the database refuses.
pub fn generate_earlier(settings: &Earlier, file: &Path) -> Result<(), Error> {
    if file.exists() {
        return Err(Error::Exists { path: file.to_owned() });
    }
    let database = |error: StoreError| Error::Database { path: file.to_owned(), source: Box::new(error) };
    let store = Analytics::open(file, Resources::default()).map_err(database)?;
    let number = |number: u64| Parameter::from(i64::try_from(number).unwrap_or(i64::MAX));
    let note = format!(
        "demo data, generated: {} parts, seed {}; the layout of an earlier monitor",
        settings.parts, settings.seed
    );
    store.run_script(TABLES).map_err(database)?;
    store.execute("INSERT INTO generated_by VALUES ($1)", &[note.as_str().into()]).map_err(database)?;
    let parameters = [number(settings.seed), number(settings.mean_characters.max(1)), number(settings.parts)];
    store.execute(ROWS, &parameters).map_err(database)?;
    if settings.latest {
        store.run_script(LATEST).map_err(database)?;
        store.run_script(RISKS).map_err(database)?;
    }
    store.run_script(REST).map_err(database)?;
    store.checkpoint().map_err(database)
}
