//! PEMS as a remote: its HTTP interface, one request a call.
//!
//! Owns the addresses, the bodies and what a status means. It repeats nothing.
//!
//! A write sends the version that its author's edit was merged with (defect P2: the earlier system sent the newest one,
//! which guards nothing), and the operation's id in `X-Operation-Id`, which PEMS may keep and does not compare.

use std::time::Duration;

use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Expected, Fields, OperationId, Origin, Version};
use plimsoll_engine::EngineError;
use plimsoll_engine::sync::declare::{Cursor, ListingPage, Page, Remote, RemoteRow, Trouble, Written};
use plimsoll_engine::sync::http::{Answer, JsonClient, Method, encoded};
use serde_json::{Map, Value as Json, json};

use crate::fields::{self, FIELDS};

/// Longer than PEMS needs when it is slow, and shorter than a lease.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Fields of the wire that are no fields of the record.
const BOOKKEEPING: &[&str] = &["pfs_id", "pfs_organization", "pfs_lastmodified", "version", "last_operation"];

/// PEMS.
#[derive(Debug)]
pub struct Pems {
    client: JsonClient,
    /// Names this client's listings at PEMS.
    session: String,
}

impl Pems {
    /// PEMS at `base`.
    ///
    /// # Errors
    /// Usage, when the address is not one.
    pub fn new(base: &str, token: Option<&str>) -> Result<Self, EngineError> {
        let client = JsonClient::new(base, token, TIMEOUT)?;
        Ok(Self { client, session: plimsoll_engine::clock::new_id().to_string() })
    }

    fn get(&self, path: &str) -> Result<Answer, Trouble> {
        self.client.send(Method::Get, path, None, None)
    }
}

fn strange(what: &str) -> Trouble {
    Trouble::Unknown(format!("PEMS answered with {what}"))
}

/// A row from the wire.
fn row(body: &Json) -> Result<RemoteRow, Trouble> {
    let Some(body) = body.as_object() else { return Err(strange("a row that is no object")) };
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    let key = text("pfs_id").ok_or_else(|| strange("a row without pfs_id"))?;
    let scope = text("pfs_organization").ok_or_else(|| strange("a row without pfs_organization"))?;
    let version =
        body.get("version").and_then(Json::as_u64).ok_or_else(|| strange("a row without version"))?;
    let stamp = text("pfs_lastmodified").and_then(|stamp| stamp.parse::<jiff::Timestamp>().ok());
    let mut fields = Fields::new();
    for field in FIELDS {
        let Some(value) = body.get(field.wire) else { continue };
        let value =
            field.from_wire(value).map_err(|why| strange(&format!("{key}, {}: {why}", field.wire)))?;
        fields.insert(field.name.to_owned(), value);
    }
    let known = |name: &str| BOOKKEEPING.contains(&name) || FIELDS.iter().any(|field| field.wire == name);
    let origin = match body.get("last_operation") {
        None => Origin::Untold,
        Some(told) => told.as_str().and_then(operation).map_or(Origin::Elsewhere, Origin::Operation),
    };
    Ok(RemoteRow {
        key: key.to_owned(),
        scope: scope.to_owned(),
        version: Version(version),
        changed_ms: stamp.and_then(|stamp| u64::try_from(stamp.as_millisecond()).ok()),
        origin,
        fields,
        unknown: body.keys().filter(|name| !known(name)).cloned().collect(),
    })
}

/// An operation's id from its text.
fn operation(text: &str) -> Option<OperationId> {
    let (stream, number) = text.rsplit_once('#')?;
    Some(OperationId { stream: stream.to_owned(), number: number.parse().ok()? })
}

fn rows(body: &Json) -> Result<Vec<RemoteRow>, Trouble> {
    let rows = body.get("rows").and_then(Json::as_array).ok_or_else(|| strange("a page without rows"))?;
    rows.iter().map(row).collect()
}

fn wire(fields: &Fields) -> Json {
    let known = fields.iter().filter_map(|(name, value)| Some((fields::find(name)?, value)));
    let map: Map<String, Json> =
        known.map(|(field, value)| (field.wire.to_owned(), field.to_wire(value))).collect();
    Json::Object(map)
}

impl Remote for Pems {
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble> {
        let answer = self.get(&format!("api/pems/pfa/{}", encoded(key)))?;
        match answer.status {
            200 => row(&answer.body).map(Some),
            // Another 404, of a proxy say, is no proof that the row is gone.
            404 if answer.code() == "not_found" => Ok(None),
            _ => Err(strange(&answer.said())),
        }
    }

    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        let operation = dispatch.operation.to_string();
        let path = format!("api/pems/pfa/{}", encoded(key));
        let send =
            |method, path: &str, body: Option<&Json>| self.client.send(method, path, Some(&operation), body);
        let answer = match (&dispatch.fields, dispatch.expected) {
            (None, Expected::Version(version)) => {
                send(Method::Delete, &format!("{path}?version={}", version.0), None)?
            }
            // There is nothing to delete; a reading says so.
            (None, Expected::Absent { .. }) => return Ok(Written::Rejected),
            (Some(fields), Expected::Version(version)) => {
                send(Method::Put, &path, Some(&json!({"version": version.0, "fields": wire(fields)})))?
            }
            (Some(fields), Expected::Absent { .. }) => {
                let body = json!({"id": key, "organization": scope, "fields": wire(fields)});
                send(Method::Post, "api/pems/pfa", Some(&body))?
            }
        };
        match answer.status {
            204 => Ok(Written::Deleted),
            200 | 201 => Ok(Written::Applied(Box::new(row(&answer.body)?))),
            // Moved, or gone: the row is read to learn which.
            404 | 409 | 412 => Ok(Written::Rejected),
            _ => Ok(Written::Refused(answer.said())),
        }
    }

    fn changes(&mut self, scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble> {
        let mut path = format!("api/pems/pfa?organization={}&limit={limit}", encoded(scope));
        for (name, value) in [("since", &cursor.stamp), ("since_id", &cursor.key)] {
            if !value.is_empty() {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        let answer = self.get(&path)?;
        if answer.status != 200 {
            return Err(strange(&answer.said()));
        }
        let last = answer.body.get("rows").and_then(Json::as_array).and_then(|rows| rows.last());
        let text = |name: &str| last.and_then(|row| row.get(name)).and_then(Json::as_str).map(str::to_owned);
        let next = match text("pfs_lastmodified").zip(text("pfs_id")) {
            Some((stamp, key)) => Cursor { stamp, key },
            None => cursor.clone(),
        };
        let more = answer.body.get("more").and_then(Json::as_bool).unwrap_or(false);
        Ok(Page { rows: rows(&answer.body)?, gone: Vec::new(), next, more })
    }

    fn listing(
        &mut self,
        scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble> {
        let grid = listing.map(|grid| format!("&grid={}", encoded(grid))).unwrap_or_default();
        let path = format!(
            "api/pems/grids/pfa?organization={}&session={}&offset={offset}&limit={limit}{grid}",
            encoded(scope),
            encoded(&self.session)
        );
        let answer = self.get(&path)?;
        match answer.status {
            200 => {}
            410 => return Err(Trouble::ListingGone(answer.said())),
            _ => return Err(strange(&answer.said())),
        }
        let listing = match answer.body.get("grid") {
            Some(Json::String(grid)) => grid.clone(),
            Some(grid @ Json::Number(_)) => grid.to_string(),
            _ => return Err(strange("a listing without a name")),
        };
        let total = answer
            .body
            .get("total")
            .and_then(Json::as_u64)
            .ok_or_else(|| strange("a listing without a total"))?;
        Ok(ListingPage { listing, total, rows: rows(&answer.body)? })
    }

    fn before(&self, cursor: &Cursor, overlap_ms: u64) -> Cursor {
        let Ok(stamp) = cursor.stamp.parse::<jiff::Timestamp>() else { return Cursor::default() };
        let back = jiff::SignedDuration::from_millis(i64::try_from(overlap_ms).unwrap_or(i64::MAX));
        stamp.checked_sub(back).map_or_else(
            |_| Cursor::default(),
            |stamp| Cursor { stamp: format!("{stamp:.6}"), key: String::new() },
        )
    }
}
