//! Rollback certificates, as they are made: what was measured while nobody could write, and what is signed of it.
//!
//! Owns the two measurements - when the new side was opened, and when both were closed for the way back - and issuing. The
//! form and the signature are [`plimsoll_core::pilot::certificate`]'s.
//!
//! Invariants: what is certified was measured while both sides were closed; a round has one certificate.

use std::collections::BTreeSet;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::pilot::certificate::{Certificate, FORM, Moved, Scope, Signed};
use plimsoll_core::pilot::cutover::{Cutover, Said};
use plimsoll_core::value::Value;
use plimsoll_store::Store;
use serde::{Deserialize, Serialize};

use super::customer::{Customer, digests};
use super::declare::Pilot;
use super::fence;
use super::member::{Happened, happen};
use crate::change::cells::{Cells, number};
use crate::error::EngineError;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) at: String,
    pub(super) legacy: Vec<TableDigest>,
    pub(super) oracle: Vec<TableDigest>,
    pub(super) keys: Vec<Vec<String>>,
    pub(super) legacy_position: u64,
    pub(super) new_position: u64,
}

/// Measures a customer, and writes it down under `kind`.
pub(super) fn measure(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    customer: &Customer,
    (kind, actor, at): (&str, &str, &str),
) -> Result<(), EngineError> {
    let found = digests(legacy, new, pilot, customer)?;
    let measured = Measured {
        at: at.to_owned(),
        legacy: found.legacy,
        oracle: found.oracle,
        keys: found.keys,
        legacy_position: fence::last_position(legacy, pilot)?,
        new_position: fence::last_position(new, pilot)?,
    };
    let what = Happened {
        at: at.to_owned(),
        customer: customer.code.clone(),
        actor: actor.to_owned(),
        kind: kind.to_owned(),
        detail: serde_json::to_string(&measured)?,
    };
    happen(new, &what)
}

/// The last measurement of a kind.
fn measured(store: &mut dyn Store, customer: &str, kind: &str) -> Result<Option<Measured>, EngineError> {
    let sql = "SELECT detail FROM plimsoll_pilot_event WHERE customer = $1 AND kind = $2 ORDER BY number DESC LIMIT 1";
    let row = store.query(sql, &[Value::text(customer), Value::text(kind)])?.into_iter().next();
    row.map(|row| Ok(serde_json::from_str(&Cells(row).text(0)?)?)).transpose()
}

/// What a secret is called.
pub struct Key<'a> {
    /// Its name in the certificate.
    pub id: &'a str,
    /// Its bytes, at least 32.
    pub secret: &'a [u8],
}

/// Issues the certificate of a customer who was rolled back, and keeps it.
pub(super) fn issue(
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    pilot: &dyn Pilot,
    customer: &Customer,
    state: &Cutover,
    key: &Key<'_>,
    now: &str,
) -> Result<Signed, EngineError> {
    let switched = measured(new, &customer.code, "switched")?;
    let closed = measured(new, &customer.code, "closed")?;
    let closed = match closed {
        Some(closed) => closed,
        // It never wrote on the new side, so nothing could move; the legacy rows are their own oracle.
        None => {
            let found = digests(legacy, new, pilot, customer)?;
            Measured {
                at: now.to_owned(),
                oracle: found.legacy.clone(),
                legacy: found.legacy,
                keys: found.keys,
                legacy_position: fence::last_position(legacy, pilot)?,
                new_position: fence::last_position(new, pilot)?,
            }
        }
    };
    let before = switched.as_ref().unwrap_or(&closed);
    let mut tables = Vec::new();
    for (at, after) in closed.legacy.iter().enumerate() {
        let keys = |measured: &Measured| -> BTreeSet<String> {
            measured.keys.get(at).map_or_else(BTreeSet::new, |keys| keys.iter().cloned().collect())
        };
        let (had, has) = (keys(before), keys(&closed));
        let kept = had.intersection(&has);
        let through = (before.legacy_position, closed.legacy_position);
        tables.push(Moved {
            inserted: has.difference(&had).count() as u64,
            updated: carried_back(legacy, pilot, &after.table, kept, through)?,
            deleted: had.difference(&has).count() as u64,
            before: before.legacy.get(at).unwrap_or(after).clone(),
            after: after.clone(),
            oracle: closed.oracle.get(at).unwrap_or(after).clone(),
        });
    }
    let by =
        state.back.clone().unwrap_or_else(|| Said { actor: "plimsoll".into(), reason: "rolled back".into() });
    let certificate = Certificate {
        form: FORM.to_owned(),
        scope: Scope::Customer(customer.code.clone()),
        by,
        began_at: closed.at.clone(),
        ended_at: now.to_owned(),
        epoch: state.epoch,
        legacy_position: closed.legacy_position,
        new_position: closed.new_position,
        tables,
        forced: state.forced.clone(),
    };
    let signed =
        certificate.sign(key.id, key.secret).map_err(|error| EngineError::usage(error.to_string()))?;
    let document = signed.to_bytes().map_err(|error| EngineError::integrity(error.to_string()))?;
    let sql = "INSERT INTO plimsoll_pilot_certificate (customer, round, issued_at, certificate) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer, round) DO NOTHING";
    let parameters = [
        Value::text(customer.code.as_str()),
        number(state.round.into()),
        Value::text(now),
        Value::text(String::from_utf8_lossy(&document)),
    ];
    new.execute(sql, &parameters)?;
    Ok(signed)
}

/// How many of these rows the way back wrote between two positions of the legacy side.
fn carried_back<'keys>(
    legacy: &mut dyn Store,
    pilot: &dyn Pilot,
    table: &str,
    keys: impl Iterator<Item = &'keys String>,
    (since, through): (u64, u64),
) -> Result<u64, EngineError> {
    let Some(entity) = pilot.entities().iter().find(|entity| entity.legacy_table == table) else {
        return Ok(0);
    };
    let stream = format!("{}/%", pilot.link(entity.name).name());
    let sql = format!(
        "SELECT 1 FROM {} WHERE table_name = $1 AND row_key = $2 AND position > $3 AND position <= $4
         AND origin LIKE $5 LIMIT 1",
        pilot.outbox().0
    );
    let mut written = 0;
    for key in keys {
        let parameters = [
            Value::text(table),
            Value::text(key.as_str()),
            number(since),
            number(through),
            Value::text(stream.as_str()),
        ];
        written += u64::from(!legacy.query(&sql, &parameters)?.is_empty());
    }
    Ok(written)
}

/// The certificate of a customer's last rollback, as it was issued.
///
/// # Errors
/// Usage when there is none.
pub fn certificate(store: &mut dyn Store, customer: &str) -> Result<String, EngineError> {
    let sql =
        "SELECT certificate FROM plimsoll_pilot_certificate WHERE customer = $1 ORDER BY round DESC LIMIT 1";
    let row = store.query(sql, &[Value::text(customer)])?.into_iter().next();
    row.map_or_else(
        || {
            Err(EngineError::usage(format!(
                "there is no certificate of `{customer}`\nhint: it is issued when a rollback is through; `plimsoll pilot run` goes on with one"
            )))
        },
        |row| Cells(row).text(0),
    )
}
