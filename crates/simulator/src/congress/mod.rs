//! A simulated congress.gov API v3: its committee meetings, with planted changes, bad meetings and faults.
//!
//! Owns the corpus ([`model`]), its JSON ([`render`]), two ways to get one ([`snapshot`], [`generate`]) and
//! one back into tables ([`baseline`]), the planting ([`mutate`], [`defects`], [`manifest`]), and the server
//! ([`faults`], [`server`]). It deliberately has no client and no mapping; both are written from this page.
//!
//! # Columns and JSON
//!
//! `list` is an entry of a list page, `item` the object `committeeMeeting` of a detail. **Absent, null and
//! `{}` state nothing**: the row keeps what it has, and a new row gets the column's default. A container that
//! is present, even empty, states all its entries. A container is `[..]` or `{"item": [..]}`.
//!
//! | column of `hearings` | JSON | rule |
//! |---|---|---|
//! | `event_id` | list and item `eventId` | text; digits |
//! | `congress` | item `congress` | 1 to 200 |
//! | `chamber` | item `chamber` | `House`, `Senate`, `NoChamber`, byte for byte |
//! | `title` | item `title` | byte for byte, `\r\n`, no-break spaces and curly quotes included. `""` is a title (20 real rows have it); missing or null is not |
//! | `hearing_type` | item `type` | `Hearing`, `Meeting`, `Markup` |
//! | `status` | item `meetingStatus` | `Scheduled`, `Canceled`, `Postponed`, `Rescheduled` |
//! | `hearing_date`, `hearing_date_only` | item `date`, its first ten characters | both columns hold the same day |
//! | `hearing_time` | item `date`, characters 12 to 19 | UTC as sent, no time zone is applied. A `date` of ten characters states the day and nothing about the time |
//! | `location` | item `location` | `address` where there is one, else `room`, `, `, `building` |
//! | `jacket_number` | item `hearingTranscript`, first entry's `jacketNumber` | a number or text; the column is text |
//! | `url` | list `url` | always `https://api.congress.gov/v3/committee-meeting/{congress}/{chamber in lower case}/{event_id}?format=json`, also here: it is data, not an address to follow. Ask for the item below the base address |
//! | `update_date` | list and item `updateDate` | `YYYY-MM-DDTHH:MM:SSZ` for `YYYY-MM-DD HH:MM:SS`. A meeting that differs in nothing else is unchanged, and its row is not rewritten |
//! | `video_url` | item `videos`, first entry's `url` | its `name` states nothing; `youtube_video_id` and `video_type` follow from the address as in [`baseline::youtube_id`] and [`baseline::video_type`] |
//! | `hearing_id`, `congress_gov_url`, `created_at`, `updated_at` | - | never stated |
//!
//! | table | JSON | rule |
//! |---|---|---|
//! | `committees`, `hearing_committees` | item `committees`: `systemCode`, `name`, `url` | a set of links by `systemCode`. `is_primary` is not stated (every real link has 1, also where a meeting has two). Of a known committee nothing is changed. Of an unknown one the chamber follows from the first letter of the code (`h`, `s`, `j`) and the parent from its first four characters and `00`; no planted change needs one |
//! | `witness_appearances`, `witnesses` | item `witnesses`: `name`, `position`, `organization` | `name` is `full_name` (`first_name` is what stands before the first space, `last_name` the rest), `organization` the witness's, `position` the appearance's. Inside an entry absent and null both mean NULL. Compare the sequence of (name, organization, position) with the rows ordered by (`appearance_order`, `appearance_id`): an order is stated, numbers are not (56 real meetings have gaps, and 3 list everybody twice under equal numbers). A planted witness comes last: next number. A planted removal: the appearance goes, with its documents; the others keep their numbers |
//! | `witnesses.title`, `witness_appearances.witness_type` | - | never stated. Of a new witness the earlier system took `title` from `position` |
//! | `witness_documents` | item `witnessDocuments`: `documentType`, `format`, `url` | `document_url`, `format_type`; types as in [`snapshot::WITNESS_DOCUMENT_TYPES`]. Which witness: the file name holds [`model::witness_token`] of the name between hyphens. An `url` that a row has already needs no witness. `title` is not stated |
//! | `supporting_documents` | item `meetingDocuments`: `name`, `description`, `documentType`, `format`, `url` | `title`, `description`, `document_type`, `format_type`, `document_url` |
//! | `hearing_transcripts` | item `hearingTranscript`: `jacketNumber`, `url` | `jacket_number`, `document_url`; the other columns are not stated |
//! | `bills`, `hearing_bills` | item `relatedItems.bills`: `congress`, `type`, `number`, `url` | `relationship_type` is not stated; [`baseline`] writes `related` |
//!
//! # What a careful client does
//!
//! 1. It asks for the list in steps of the `limit` it sent (at most 250; the API takes a larger one as 250),
//!    from offset 0 until the offset reaches `pagination.count`. A short page, or one that repeats entries,
//!    does not end the list.
//! 2. It keeps entries by `eventId`.
//! 3. When it then has fewer than `count`, it reads the same pages again. Here the second reading is exact: a
//!    fault of the list strikes a page (under its filters, offset and limit) or a meeting once in a server's
//!    life.
//! 4. It asks for each item below its own base address with the list's `congress` and `chamber`. What the
//!    *item* says of them is data, and is the part that can be bad.
//! 5. It repeats a request that ended without an answer, with 429 (after `Retry-After`), or with 500, 502,
//!    503 or 504. The repetition succeeds, except where the planted defect is that there is no item: that
//!    answer is JSON with a text under `error` and the event under `request`, with status 500 or 200, however
//!    often it is asked. It concerns that meeting alone, and is no reason to open a circuit breaker. A
//!    passing 500 has an object under `error`, a passing 503 no JSON at all.
//! 6. It selects by a window of update dates, if at all, relative to the newest `update_date` of its store
//!    (or has the planting moved to its own time by [`Mutation::updated_after`]): the corpus has dates of its
//!    own.
//!
//! # Not simulated
//!
//! XML, `/hearing` and the other collections, treaties and nominations, and the order in which congress.gov
//! sorts meetings of one update date.

pub mod baseline;
pub mod defects;
mod edit;
pub mod faults;
pub mod generate;
mod listing;
pub mod manifest;
pub mod model;
pub mod mutate;
mod people;
pub mod render;
mod routes;
mod schema;
pub mod server;
pub mod snapshot;
mod stats;
mod titles;
mod vocabulary;

pub use faults::Faults;
pub use manifest::Manifest;
pub use model::{Corpus, Meeting};
pub use mutate::{Mutation, Scenario};
pub use routes::{DEFAULT_LIMIT, HOURLY_REQUESTS, LARGEST_LIMIT, RequestBudget};
pub use server::{Running, ServeOptions, serve, serve_with};
pub use stats::Stats;
