//! `/api/v1/overview` and `/api/v1/search`: everything at a glance, and finding anything.

use axum::extract::State;
use axum::{Extension, Json};
use futures_util::future::try_join_all;
use plimsoll_core::flag::State as FlagState;
use plimsoll_engine::change::listing;
use plimsoll_engine::change::quarantine::OPEN;
use plimsoll_engine::sync::conflicts::{self, ConflictFilter};
use plimsoll_engine::sync::status;
use plimsoll_engine::{Session, alert, flag, playbook, schedule};
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::seen;
use super::{check, gate};
use crate::access::Caller;
use crate::body::Query;
use crate::error::ApiError;
use crate::settings::ServedSystem;
use crate::state::Server;

/// Each system: its health, last run, what waits; and what belongs to none.
#[utoipa::path(get, path = "/api/v1/overview")]
pub(crate) async fn show(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Value>, ApiError> {
    // Each system has a store of its own, as a rule; they are asked side by side.
    let visible = server.settings.systems.iter().filter(|served| caller.sees(served.system.name));
    let mut systems = try_join_all(visible.map(|served| of_system(&server, &caller, served))).await?;
    for desk in server.desks.iter().filter(|desk| caller.sees(desk.system.name)) {
        let filled = desk.ask(|store, _| {
            let results = plimsoll_engine::check::history::latest_of_all_analytics(store)?;
            let failed = results.iter().filter(|result| !result.verdict.is_kept()).count();
            Ok((results.len(), failed))
        });
        let (state, checks, failed) = match filled.await {
            Ok((checks, failed)) => (if failed == 0 { "ok" } else { "failing" }, checks, failed),
            Err(error) if error.code == "busy" => ("busy", 0, 0),
            Err(_) => ("empty", 0, 0),
        };
        systems.push(json!({
            "system": desk.system.name, "title": desk.system.title, "kind": "analytic", "health": state,
            "checks": checks, "failed_checks": failed, "last_run": null, "open_quarantine": 0, "open_conflicts": 0,
            "views": desk.views.len(),
        }));
    }
    let gates = gate::lines(&server, &caller).await?;
    let read = |session: &mut Session| {
        let incidents = alert::list(session, false)?;
        let flags = flag::store::list(session.store.as_mut(), false)?;
        let on = flags.iter().filter(|stored| stored.flag.state == FlagState::On).count();
        let runs = playbook::runs(session, None)?;
        let waiting = runs
            .iter()
            .filter(|run| run.status != playbook::PlaybookStatus::Done && run.finished_at.is_none());
        Ok(json!({
            "incidents": incidents, "flags": flags.len(), "flags_on": on,
            "playbook_runs_open": waiting.count(), "schedules": schedule::list(session)?.len(),
        }))
    };
    let mut told = server.control.run(&caller.name, read).await?;
    told["systems"] = json!(systems);
    told["gates"] = json!(gates);
    Ok(Json(told))
}

async fn of_system(server: &Server, caller: &Caller, served: &ServedSystem) -> Result<Value, ApiError> {
    let system = served.system;
    let store = server.store_of(served)?;
    let read = move |session: &mut Session| {
        let of = session.store.as_mut();
        let own = listing::Wanted::of([system.name]);
        let (last, runs) = listing::runs(of, &own, 1)?;
        let open = listing::Wanted { status: Some(OPEN.to_owned()), ..own.clone() };
        let (_, waiting) = listing::quarantined(of, &open, 0)?;
        let (_, plans) = listing::plans(of, &own, 0)?;
        let mut rows = serde_json::Map::new();
        for table in system.tables {
            let counted = of.query(&format!("SELECT count(*) FROM {table}"), &[])?;
            let count =
                counted.first().and_then(|row| row.first()).and_then(plimsoll_core::value::Value::as_integer);
            rows.insert((*table).to_owned(), json!(count));
        }
        Ok((last.into_iter().next(), runs, waiting, plans, rows))
    };
    let (last, runs, waiting, plans, rows) = store.run(&caller.name, read).await?;
    let checks = check::of_rows(server, caller, served).await?;
    let failed = checks
        .iter()
        .filter(|line| {
            line["last"]["verdict"].as_str().is_some_and(|verdict| !["pass", "warn"].contains(&verdict))
        })
        .count();
    let (mut open_conflicts, mut sync) = (0, Value::Null);
    if let Ok(link) = server.link(system.name) {
        let filter = ConflictFilter::default();
        open_conflicts =
            link.run(caller, move |session, linked| conflicts::count(session, linked.link, filter)).await?;
        sync = link
            .run(caller, |session, linked| Ok(serde_json::to_value(status::of(session, linked.link)?)?))
            .await?;
    }
    let health = match (failed, waiting, open_conflicts) {
        (1.., _, _) => "failing",
        (0, 0, 0) => "ok",
        _ => "waiting",
    };
    Ok(json!({
        "system": system.name, "title": system.title, "kind": if served.link.is_some() { "linked" } else { "rows" },
        "health": health, "checks": checks.len(), "failed_checks": failed, "last_run": last, "runs": runs, "plans": plans,
        "open_quarantine": waiting, "open_conflicts": open_conflicts, "sync": sync, "rows": rows,
    }))
}

/// What to look for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Sought {
    #[serde(default)]
    q: String,
}

/// How many runs, plans and quarantined items of a store are looked at.
const LOOKED_AT: u64 = 100;
/// How many of each kind are found.
const OF_EACH: usize = 8;

/// Finds runs, plans, quarantined items, flags, gates, playbooks, schedules, incidents, views, checks and dashboards.
#[utoipa::path(get, path = "/api/v1/search", params(Sought))]
pub(crate) async fn search(
    State(server): State<Server>,
    Extension(caller): Extension<Caller>,
    Query(sought): Query<Sought>,
) -> Result<Json<Value>, ApiError> {
    let words = sought.q.trim().to_lowercase();
    let mut found = Found { words: words.clone(), items: Vec::new() };
    if words.is_empty() {
        return Ok(Json(json!({ "items": [], "total": 0, "offset": 0, "limit": 0 })));
    }
    for served in server.settings.systems.iter().filter(|served| caller.sees(served.system.name)) {
        let (name, title) = (served.system.name, served.system.title);
        found.add("system", name, name, title, &format!("/systems/{name}"));
        for table in served.system.tables {
            found.add(
                "table",
                name,
                table,
                "its rows have a history",
                &format!("/systems/{name}/history?table={table}"),
            );
        }
    }
    for store in &server.stores {
        // The newest ones, whose kind and system may be among the words, and those that hold the longest word.
        let newest = seen(&server, &caller, None);
        let longest = words.split_whitespace().max_by_key(|word| word.len()).map(str::to_owned);
        let with_text = listing::Wanted { text: longest, ..newest.clone() };
        let read = move |session: &mut Session| {
            let of = session.store.as_mut();
            let (mut runs, mut plans) = (Vec::new(), Vec::new());
            for wanted in [&newest, &with_text] {
                for run in listing::runs(of, wanted, LOOKED_AT)?.0 {
                    runs.extend((!runs.contains(&run)).then_some(run));
                }
                for plan in listing::plans(of, wanted, LOOKED_AT)?.0 {
                    plans.extend((!plans.contains(&plan)).then_some(plan));
                }
            }
            let mut items = Vec::new();
            for wanted in [newest, with_text] {
                let open = listing::Wanted { status: Some(OPEN.to_owned()), ..wanted };
                for item in listing::quarantined(of, &open, LOOKED_AT)?.0 {
                    items.extend((!items.contains(&item)).then_some(item));
                }
            }
            Ok((runs, plans, items))
        };
        let (runs, plans, items) = store.run(&caller.name, read).await?;
        for run in &runs {
            let detail = format!("{} {}", run.status, run.reason);
            found.add(
                "run",
                &run.system,
                &format!("{} {}", run.change, run.id),
                &detail,
                &format!("/runs/{}", run.id),
            );
        }
        for plan in &plans {
            let title = format!("{} {}", plan.change, plan.id);
            found.add("plan", &plan.system, &title, &plan.source, &format!("/plans/{}", plan.id));
        }
        for item in &items {
            found.add(
                "quarantine",
                &item.system,
                &item.label,
                &item.reason,
                &format!("/quarantine/{}", item.id),
            );
        }
    }
    let read = |session: &mut Session| {
        let flags = flag::store::list(session.store.as_mut(), false)?;
        Ok((flags, alert::list(session, true)?, schedule::list(session)?))
    };
    let (flags, incidents, schedules) = server.control.run(&caller.name, read).await?;
    for stored in &flags {
        let name = &stored.flag.name;
        found.add("flag", "", name, &stored.flag.owner, &format!("/flags/{name}"));
    }
    for incident in &incidents {
        let title = format!("#{} {}", incident.number, incident.title);
        found.add("incident", "", &title, &incident.cause, &format!("/alerts/{}", incident.id));
    }
    for one in &schedules {
        found.add("schedule", "", &one.name, &one.command.join(" "), "/schedules");
    }
    for line in gate::lines(&server, &caller).await? {
        let (name, title) =
            (line["gate"].as_str().unwrap_or_default(), line["title"].as_str().unwrap_or_default());
        found.add("gate", "", name, title, &format!("/gates/{name}"));
    }
    for desk in server.desks.iter().filter(|desk| caller.sees(desk.system.name)) {
        let system = desk.system.name;
        for view in &desk.views {
            found.add("view", system, view.name, view.title, &format!("/views/{system}/{}", view.name));
        }
    }
    let all = crate::dashboard::Dashboards::load(
        server.settings.library.dashboards,
        &server.settings.library.folder.join("dashboards"),
    );
    for (dashboard, _) in all.known.values() {
        let system = dashboard.system.as_deref().unwrap_or_default();
        if system.is_empty() || caller.sees(system) {
            let (name, title) = (&dashboard.dashboard, &dashboard.title);
            found.add("dashboard", system, name, title, &format!("/dashboards/{name}"));
        }
    }
    let total = found.items.len();
    Ok(Json(json!({ "items": found.items, "total": total, "offset": 0, "limit": total })))
}

struct Found {
    words: String,
    items: Vec<Value>,
}

impl Found {
    fn add(&mut self, kind: &str, system: &str, title: &str, detail: &str, href: &str) {
        let text = format!("{kind} {system} {title} {detail}").to_lowercase();
        let same = self.items.iter().filter(|item| item["kind"] == kind).count();
        if same < OF_EACH && self.words.split_whitespace().all(|word| text.contains(word)) {
            self.items.push(
                json!({ "kind": kind, "system": system, "title": title, "detail": detail, "href": href }),
            );
        }
    }
}
