//! The names: every metric of the engine and the server, described once.
//!
//! Owns the list. Dashboards, rules, runbooks, gates and `docs/reference/metrics.md` use these names; `cargo xtask
//! invariants` finds one that is not here. The metrics of systems are declared in their own SQL files.

use super::Kind::{Counter, Gauge, Histogram};
use super::{Family, Kind};

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, help, kind, labels }
}

macro_rules! families {
    ($list:ident, $about:literal: $($constant:ident = $name:literal, $kind:expr, [$($label:literal),*], $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Family = family($name, $kind, &[$($label),*], $help);
        )*
        #[doc = $about]
        pub const $list: &[Family] = &[$($constant),*];
    };
}

families! {
    FAMILIES, "Every metric of the engine and the server.":

    BUILD = "plimsoll_build_info", Gauge, ["version"], "Always 1; the version of the program is the label.";
    SCRAPE_SECONDS = "plimsoll_scrape_duration_seconds", Gauge, [],
        "How long it took to compute all samples, in seconds.";

    STORE_UP = "plimsoll_store_up", Gauge, ["system"], "1 when the store can be read, 0 when it cannot.";
    STORE_BYTES = "plimsoll_store_size_bytes", Gauge, ["system"], "Size of the store in bytes.";

    CACHE_REQUESTS = "plimsoll_cache_requests_total", Counter, ["outcome"],
        "Questions to the cache by what came of them: hit, miss, failure; absent without a cache.";

    RUNS = "plimsoll_runs", Gauge, ["system", "change", "status"],
        "Runs by what they change and where they stand now: running, paused, stopped, cancelled, finished.";
    RUNS_STARTED = "plimsoll_runs_started_total", Counter, ["system", "change"], "Runs that were started.";
    RUN_LAST_END = "plimsoll_run_last_end_timestamp_seconds", Gauge, ["system", "change"],
        "When the last run ended, in seconds since 1970.";
    RUN_LAST_SECONDS = "plimsoll_run_last_duration_seconds", Gauge, ["system", "change"],
        "How long the run that ended last took, in seconds.";
    RUN_SECONDS = "plimsoll_run_duration_seconds_total", Counter, ["system", "change"],
        "Time spent in runs, in seconds.";
    ITEMS = "plimsoll_items_total", Counter, ["system", "change", "outcome"],
        "Items of runs by what became of them: applied, noop, conflicted, quarantined, skipped.";
    BATCHES = "plimsoll_batches_total", Counter, ["system", "change"], "Batches that were committed.";
    ROWS_WRITTEN = "plimsoll_rows_written_total", Counter, ["system", "change"], "Rows that runs wrote.";
    QUARANTINE_OPEN = "plimsoll_quarantine_open_items", Gauge, ["system"],
        "Items in quarantine that were neither replayed nor dropped.";
    QUARANTINE_OLDEST = "plimsoll_quarantine_oldest_timestamp_seconds", Gauge, ["system"],
        "When the oldest open item came into quarantine, in seconds since 1970; absent when there is none.";
    EVENTS = "plimsoll_events_total", Counter, ["system"], "Events in the store's journal.";
    BACKUPS = "plimsoll_backups", Gauge, ["system"], "Verified backups that the journal knows.";
    BACKUP_LAST = "plimsoll_backup_last_timestamp_seconds", Gauge, ["system"],
        "When the newest backup was verified, in seconds since 1970; absent when there is none.";
    BACKUP_BYTES = "plimsoll_backup_last_size_bytes", Gauge, ["system"], "Size of the newest backup in bytes.";

    CHECK_STATUS = "plimsoll_check_status", Gauge, ["system", "check", "severity", "verdict"],
        "Always 1; the verdict of the check's last result is the label.";
    CHECK_VALUE = "plimsoll_check_value", Gauge, ["system", "check"],
        "What the check measured last, in the unit of its rule; absent when there was nothing to measure.";
    CHECK_LAST = "plimsoll_check_last_run_timestamp_seconds", Gauge, ["system", "check"],
        "When the check last ran, in seconds since 1970.";
    CHECK_SECONDS = "plimsoll_check_duration_seconds", Gauge, ["system", "check"],
        "How long the check took the last time, in seconds.";
    CHECK_RESULTS = "plimsoll_check_results_total", Counter, ["system", "severity", "verdict"],
        "Results of checks in the history.";

    INGEST_DOCUMENTS = "plimsoll_ingest_documents", Gauge, ["system", "outcome"],
        "Documents in the ledger by what became of them: stored, superseded, waiting, quarantined.";
    INGEST_BYTES = "plimsoll_ingest_documents_size_bytes", Gauge, ["system"], "Size of the documents in the ledger.";
    INGEST_LAST = "plimsoll_ingest_last_document_timestamp_seconds", Gauge, ["system"],
        "When a document was last read, in seconds since 1970.";
    INGEST_LAG = "plimsoll_ingest_lag_seconds", Gauge, ["system"],
        "The longest time that a document of the last hundred waited from its last change until it was read.";
    INGEST_PHASE = "plimsoll_ingest_phase", Gauge, ["system", "phase"],
        "Always 1; what the ingest does is the label: idle, bulk, draining, live.";
    INGEST_UNKNOWN = "plimsoll_ingest_unknown_fields", Gauge, ["system"],
        "Places at which documents have fields that the reader does not know; their content is kept.";

    INCIDENTS = "plimsoll_incidents", Gauge, ["severity", "status"],
        "Incidents that are not resolved, by severity: open, or acknowledged by somebody.";
    INCIDENTS_OPENED = "plimsoll_incidents_opened_total", Counter, ["severity"],
        "Incidents that were ever opened, by their gravest severity.";
    INCIDENT_SIGNALS = "plimsoll_incident_signals_total", Counter, ["severity"],
        "Signals that were counted in incidents.";
    INCIDENT_OLDEST = "plimsoll_incident_oldest_timestamp_seconds", Gauge, ["severity"],
        "When the oldest incident that nobody took was first signalled, in seconds since 1970; absent when there is none.";
    NOTICES = "plimsoll_notices", Gauge, ["status"],
        "Notices in the outbox: waiting for the receiver, sent, withdrawn.";
    NOTICE_OLDEST = "plimsoll_notice_oldest_waiting_timestamp_seconds", Gauge, [],
        "When the oldest notice that waits was made, in seconds since 1970; absent when there is none.";
    NOTICE_ATTEMPTS = "plimsoll_notice_failed_attempts", Gauge, [],
        "The most attempts that a waiting notice has behind it.";

    SCHEDULE_ENABLED = "plimsoll_schedule_enabled", Gauge, ["schedule"], "1 when the schedule is enabled, 0 when not.";
    SCHEDULE_RUNS = "plimsoll_schedule_runs_total", Counter, ["schedule", "outcome"],
        "Runs of schedules: done, exceptions, refused, failed, abandoned, skipped.";
    SCHEDULE_LAST = "plimsoll_schedule_last_start_timestamp_seconds", Gauge, ["schedule"],
        "When the schedule was last started, in seconds since 1970.";
    SCHEDULE_LAST_SECONDS = "plimsoll_schedule_last_duration_seconds", Gauge, ["schedule"],
        "How long the last run of the schedule took, in seconds.";
    SCHEDULE_LAST_OUTCOME = "plimsoll_schedule_last_outcome", Gauge, ["schedule", "outcome"],
        "Always 1; the outcome of the last run is the label.";
    SCHEDULE_LAG = "plimsoll_schedule_lag_seconds", Gauge, ["schedule"],
        "How long an enabled schedule has been due without being started, in seconds; 0 when it is not due.";

    FLAG_STATE = "plimsoll_flag_state", Gauge, ["flag", "state"],
        "Always 1; the state of the flag is the label: off, on, killed.";
    FLAG_PERCENT = "plimsoll_flag_rollout_percent", Gauge, ["flag"],
        "The percentage that gets the flag; absent when it has no percentage.";
    FLAG_CHANGES = "plimsoll_flag_changes_total", Counter, ["flag"], "Changes of the flag.";
    GATE_VERDICT = "plimsoll_gate_verdict", Gauge, ["gate", "verdict"],
        "Always 1; the last verdict of the gate is the label.";
    GATE_LAST = "plimsoll_gate_last_verdict_timestamp_seconds", Gauge, ["gate"],
        "When the gate was last decided, in seconds since 1970.";
    FACT = "plimsoll_fact", Gauge, ["name", "member"],
        "What the latest facts on record of this name state, such as coverage in percent or open bugs; absent once they expired.";
    GATE_VERDICTS = "plimsoll_gate_verdicts_total", Counter, ["gate", "verdict"], "Verdicts of the gate.";

    SYNC_LAG = "plimsoll_sync_lag_seconds", Gauge, ["link"],
        "How long the oldest committed edit that has not arrived has waited, in seconds; 0 when none waits.";
    SYNC_EDITS = "plimsoll_sync_open_edits", Gauge, ["link", "state"],
        "Edits that are not over, by where they stand: draft, committed, queued, syncing, limbo, conflict, failed.";
    SYNC_DUE = "plimsoll_sync_due_records", Gauge, ["link"], "Records that a worker has to look at.";
    SYNC_RETRYING = "plimsoll_sync_retrying_records", Gauge, ["link"],
        "Records whose last request the remote could not take and that are tried again.";
    SYNC_CONFLICTS = "plimsoll_sync_open_conflicts", Gauge, ["link"], "Conflicts that nobody decided yet.";
    SYNC_LIMBO = "plimsoll_sync_limbo_records", Gauge, ["link"], "Records with a write whose outcome is not known yet.";
    SYNC_DEAD_LETTERS = "plimsoll_sync_dead_letters", Gauge, ["link"],
        "Edits that were refused or given up and wait for a person.";
    SYNC_WRITES = "plimsoll_sync_writes_total", Counter, ["link"], "Requests that write, as sent to the remote.";
    SYNC_OUTCOMES = "plimsoll_sync_write_outcomes_total", Counter, ["link", "outcome"],
        "Requests that write by how they ended: applied, rejected (the row had moved), refused, postponed, unknown.";
    SYNC_RETRIES = "plimsoll_sync_retries_total", Counter, ["link"],
        "Requests that have to be repeated: postponed by the remote, or without a known outcome.";
    SYNC_READ_BACKS = "plimsoll_sync_read_backs_total", Counter, ["link"],
        "Rows that were read to learn what became of a request.";
    SYNC_GIVEN_UP = "plimsoll_sync_given_up_total", Counter, ["link"], "Operations that were given up after many attempts.";
    SYNC_PULLS = "plimsoll_sync_pulls_total", Counter, ["link", "outcome"], "Pulls by how they ended: done, failed.";
    SYNC_PULL_SECONDS = "plimsoll_sync_pull_duration_seconds_total", Counter, ["link"],
        "Time spent in pulls that were done, in seconds.";
    SYNC_PULL_LAST_SECONDS = "plimsoll_sync_last_pull_duration_seconds", Gauge, ["link"],
        "How long the last pull took, in seconds.";
    SYNC_PULL_LAST = "plimsoll_sync_last_pull_timestamp_seconds", Gauge, ["link"],
        "When changes were last taken over, in seconds since 1970, of the scope for which that is longest ago; absent when nothing was pulled.";
    SYNC_PULL_ROWS = "plimsoll_sync_pulled_rows_total", Counter, ["link", "outcome"],
        "Rows that pulls read: seen, and of them changed.";
    SYNC_BREAKER = "plimsoll_sync_breaker", Gauge, ["link", "state"],
        "1 for what the circuit breaker does, as the last process that spoke to the remote noted it: closed, half_open, open; absent before.";
    SYNC_RATE = "plimsoll_sync_allowed_requests_per_second", Gauge, ["link"],
        "Requests per second that are sent at most, as adapted to the remote's answers; absent without a limit.";
    SYNC_HELD = "plimsoll_sync_held_scopes", Gauge, ["link"],
        "Scopes of which so many rows vanished that a person has to confirm it.";

    PILOT_MEMBERS = "plimsoll_pilot_members", Gauge, ["system", "stage"], "Members of the pilot by the stage where they stand.";
    PILOT_WRITERS = "plimsoll_pilot_writers", Gauge, ["system", "writer"],
        "Members by the side that takes their writes: legacy, new, or nobody for the moments of a handover.";
    PILOT_DUE = "plimsoll_pilot_due_records", Gauge, ["system", "entity"],
        "Records that changed on a side and were not brought to the other one yet; absent when there are none.";
    PILOT_HELD = "plimsoll_pilot_held_records", Gauge, ["system", "entity"],
        "Records that cannot be carried until somebody mends them; absent when there are none.";
    PILOT_EVENTS = "plimsoll_pilot_events_total", Counter, ["system", "kind"],
        "What happened to members: enrol, start, stage, advance, force, pause, resume, rollback, switched, closed.";
    PILOT_CERTIFICATES = "plimsoll_pilot_certificates_total", Counter, ["system"], "Certificates of rollbacks that were issued.";

    HTTP_REQUESTS = "plimsoll_http_requests_total", Counter, ["method", "route", "status"],
        "Requests that the server answered.";
    HTTP_SECONDS = "plimsoll_http_request_duration_seconds", Histogram, ["route"],
        "How long answers took, in seconds.";

    SERVER_UPTIME = "plimsoll_server_uptime_seconds", Gauge, [], "How long the server has been up, in seconds.";

    PROCESS_CPU = "process_cpu_seconds_total", Counter, [], "Processor time that the process used, in seconds.";
    PROCESS_MEMORY = "process_resident_memory_bytes", Gauge, [], "Memory of the process in bytes.";
    PROCESS_START = "process_start_time_seconds", Gauge, [], "When the process started, in seconds since 1970.";
    PROCESS_FILES = "process_open_fds", Gauge, [], "Files that the process has open.";
    PROCESS_MAX_FILES = "process_max_fds", Gauge, [], "Files that the process may have open.";
    PROCESS_THREADS = "process_threads", Gauge, [], "Threads of the process.";
}
