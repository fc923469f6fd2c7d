//! A simulated PEMS: the master system of equipment plans (PFA rows), which others edit at the same time.
//!
//! Owns the rows ([`server::Options`] says how many), their rules, the API below, faults and a record of every
//! effect. It deliberately has no client and no mapping; both are written from this page.
//!
//! # The API
//!
//! JSON over HTTP. A refusal is `{"error": {"code", "message", ..}}`. `Authorization: Bearer TOKEN` is asked
//! for when the options name a token: else 401, and 403 where a token that may only read writes.
//!
//! | request | answer |
//! |---|---|
//! | `GET /api/pems/pfa?organization&since&since_id&limit` | `{"rows", "more"}`: rows with (`pfs_lastmodified`, `pfs_id`) behind (`since`, `since_id`), in that order, at most [`LARGEST_LIMIT`]. Without `since` from the beginning, without `since_id` from the first row of that stamp. A deleted row is simply absent |
//! | `GET /api/pems/grids/pfa?organization&session&offset&limit` | `{"grid", "total", "rows"}`: opens a grid, a list of ids sorted by id. Later pages say `grid=G`. A session keeps its last [`KEPT_GRIDS`]; one that is gone is 410 `grid_gone` |
//! | `GET /api/pems/pfa/{id}` | the row, or 404 `not_found`. With `remembers_operations` also `last_operation` |
//! | `PUT /api/pems/pfa/{id}` `{"version", "fields"}` | the new row, or 409 `conflict` with `current_version` and, where still known, `conflicting_fields`: those of the sent fields whose value is another than at that version |
//! | `POST /api/pems/pfa` `{"id", "organization", "fields"}` | 201 and the row, or 409 `exists` |
//! | `DELETE /api/pems/pfa/{id}?version=N` | 204, or 409 as for PUT, about all fields |
//! | `GET /api/pems/schema` | `{"fields": [{"name", "type", "required"}]}`; types are text, date, decimal (as text), flag, choice, instant, integer |
//!
//! `X-Operation-Id` of a write is recorded with its effect and **never** used to tell a repetition: the real
//! system has no such keys. Below `/control` (no token, no faults) are `GET effects`, `log`, `counters`,
//! `faults` and `rows?organization`, `PUT faults` (`on`, a rate per 1000 under the name of a kind,
//! `retry_after`, `slow_for_ms`, `next` with strikes to force by kind) and `POST edit`, `delete`, `create` and
//! `drift` (`kind` is `rename` with `field` and `to`, `add`, `remove` or `restore`).
//!
//! A row has the fields of the schema; every effect raises its `version` by one and gives it a new
//! `pfs_lastmodified`, also when the values written were there already. 400 `validation` with `fields` answers
//! a write that breaks a rule: the start of a pair of dates lies after its end; a rental has no `pfs_f_rental`
//! of 0 or more, a purchase no `pfs_f_purchase`; an actualized row's `pfs_a_startdate` moves later or its
//! `pfs_f_source` changes; `pfs_f_discontinued` goes back to `N`; a field is unknown, stated by the system, or
//! of another form.
//!
//! # What a careful client does
//!
//! 1. It repeats a *read* that ended without an answer, with 429 (after `Retry-After`) or with 500, 502 or 503.
//! 2. A *write* that ended without an answer may have been done ([`FaultKind::LostAcknowledgement`]) or not
//!    ([`FaultKind::LostRequest`]). It reads the row back and compares values; a 409 to a blind repetition can
//!    be about its own first attempt. 429 and 5xx here mean that nothing was done.
//! 3. It follows a keyset while `more` says so, however few rows a page has, and keeps the place of its last
//!    row. Without [`FaultKind::ClockSkew`] no edit is stamped at or before what was shown already; with it, an
//!    edit can lie five minutes behind, so it asks again from some minutes earlier and drops what it knows.
//! 4. It reads a grid from offset 0 in steps of its own `limit` until the offset reaches `total`. When `total`
//!    changes, an id comes twice, or the grid is gone, it begins again. A row that is in no page is not proved
//!    deleted: it asks for it by id, because a deletion and a creation in one go leave `total` as it was.
//! 5. It sends the version that its author saw, not the newest one it knows.
//! 6. It looks at the schema before it trusts an absent field.
//!
//! # Invariants
//!
//! - Answers are a function of the options and the requests so far; the clock is simulated ([`TokenBucket`]
//!   alone asks how much time has passed).
//! - A fault is counted when it has its effect, and only then.
//!
//! # Not simulated
//!
//! Sessions that expire, paging beyond these two ways, and everything of PEMS but PFA rows.

mod bucket;
mod changes;
mod clock;
mod control;
pub mod faults;
mod generate;
mod grid;
mod ledger;
mod model;
mod refusal;
mod remote;
mod routes;
mod rules;
mod schema;
pub mod server;

pub use bucket::TokenBucket;
pub use faults::{FaultKind, Faults};
pub use grid::KEPT_GRIDS;
pub use ledger::{Action, Author, Effect, Effects};
pub use refusal::Refusal;
pub use routes::{Counters, DEFAULT_LIMIT, LARGEST_LIMIT};
pub use schema::Drift;
pub use server::{Options, Running, serve};
