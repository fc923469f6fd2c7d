//! What a demo or a test may see and do behind the back of the API, below `/control`.
//!
//! Owns these paths. No fault strikes here, no token is asked for, and the clock stands still except for the
//! stamps of edits: looking on changes nothing of what clients are answered.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::faults::FaultKind;
use super::ledger::Writer;
use super::refusal::Refusal;
use super::remote::Remote;
use super::routes::{Held, Outcome, Request, nothing_there, object_in, text_in};
use super::schema::Drift;

/// Answers a request below `/control`.
pub(crate) fn control(held: &mut Held, request: &Request<'_>) -> Result<Outcome, Refusal> {
    let remote = &mut held.remote;
    let found = |body: Value| Ok(Outcome::of(200, Some(body)));
    match (request.method.as_str(), &request.segments[1..]) {
        ("GET", ["effects"]) => found(json!(remote.ledger.counted())),
        ("GET", ["log"]) => found(json!({ "effects": remote.ledger.all() })),
        ("GET", ["counters"]) => found(json!(held.counters)),
        ("GET", ["rows"]) => found(json!({ "rows": remote.all_served(request.parameter("organization")) })),
        ("GET", ["faults"]) => found(faults(remote)),
        ("PUT", ["faults"]) => {
            set_faults(remote, &request.object()?)?;
            found(faults(remote))
        }
        ("POST", ["edit"]) => {
            let body = request.object()?;
            found(remote.edit(text_in(&body, "id")?, object_in(&body, "fields")?)?)
        }
        ("POST", ["delete"]) => {
            remote.delete(text_in(&request.object()?, "id")?, None, &Writer::another())?;
            Ok(Outcome::of(204, None))
        }
        ("POST", ["create"]) => {
            let body = request.object()?;
            let organization = text_in(&body, "organization")?;
            let row = remote.add(text_in(&body, "id")?, organization, object_in(&body, "fields")?)?;
            Ok(Outcome::of(201, Some(row)))
        }
        ("POST", ["drift"]) => {
            let drift = drift(&request.object()?)?;
            remote.schema.drift(&drift)?;
            found(remote.schema.describe())
        }
        _ => Err(nothing_there()),
    }
}

impl Remote {
    /// Every row of an organization, or of all, as it is served, sorted by id.
    pub(crate) fn all_served(&self, organization: Option<&str>) -> Vec<Value> {
        self.rows(organization).map(|row| self.schema.render(row)).collect()
    }

    /// Another user edits a row.
    pub(crate) fn edit(&mut self, id: &str, fields: &Map<String, Value>) -> Result<Value, Refusal> {
        let fields = self.schema.accept(fields)?;
        self.update(id, None, &fields, &Writer::another())?;
        self.served(id)
    }

    /// Another user creates a row.
    pub(crate) fn add(
        &mut self,
        id: &str,
        organization: &str,
        fields: &Map<String, Value>,
    ) -> Result<Value, Refusal> {
        let fields = self.schema.accept(fields)?;
        self.create(id, organization, &fields, &Writer::another())?;
        self.served(id)
    }
}

fn faults(remote: &Remote) -> Value {
    let strikes = &remote.strikes;
    let rates: Map<String, Value> = FaultKind::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), json!(strikes.faults.rate(kind))))
        .collect();
    json!({
        "on": strikes.on,
        "injected": strikes.injected(),
        "rates": rates,
        "retry_after": strikes.faults.retry_after,
        "slow_for_ms": strikes.faults.slow_for.as_millis() as u64,
    })
}

/// Takes over what `body` states, all of it or nothing.
fn set_faults(remote: &mut Remote, body: &Map<String, Value>) -> Result<(), Refusal> {
    let mut faults = remote.strikes.faults.clone();
    let mut on = remote.strikes.on;
    let mut forced = Vec::new();
    let kind = |name: &str| {
        let known = FaultKind::ALL.map(FaultKind::name).join(", ");
        FaultKind::from_name(name)
            .ok_or_else(|| Refusal::malformed(format!("`{name}` is no fault; there are {known}")))
    };
    let number = |name: &str, value: &Value| {
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| Refusal::malformed(format!("`{name}` must be a whole number")))
    };
    for (name, value) in body {
        match name.as_str() {
            "on" => on = value.as_bool().ok_or_else(|| Refusal::malformed("`on` must be true or false"))?,
            "retry_after" => faults.retry_after = number(name, value)?.into(),
            "slow_for_ms" => faults.slow_for = Duration::from_millis(number(name, value)?.into()),
            "next" => {
                for (name, times) in object_in(body, "next")? {
                    forced.push((kind(name)?, number(name, times)?));
                }
            }
            name => faults = faults.with(kind(name)?, number(name, value)?),
        }
    }
    remote.strikes.faults = faults;
    remote.strikes.on = on;
    for (kind, times) in forced {
        remote.strikes.force(kind, times);
    }
    Ok(())
}

fn drift(body: &Map<String, Value>) -> Result<Drift, Refusal> {
    let field = || text_in(body, "field").map(str::to_owned);
    match text_in(body, "kind")? {
        "rename" => {
            let field = field()?;
            let to =
                body.get("to").and_then(Value::as_str).map_or_else(|| format!("{field}_v2"), str::to_owned);
            Ok(Drift::Rename { field, to })
        }
        "add" => Ok(Drift::Add { field: field()? }),
        "remove" => Ok(Drift::Remove { field: field()? }),
        "restore" => Ok(Drift::Restore),
        other => {
            Err(Refusal::malformed(format!("`{other}` is no drift; there are rename, add, remove, restore")))
        }
    }
}
