//! What all handlers share.
//!
//! Owns the bundle and the two questions that many of them ask: which system, and which store knows an id.

use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_core::id::Id;
use plimsoll_engine::change::setup::{self, Named};
use plimsoll_engine::change::{plan, quarantine, run};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_engine::{EngineError, Session};
use tokio::sync::{Semaphore, watch};

use crate::access::Caller;
use crate::clients::Clients;
use crate::desk::Desk;
use crate::error::ApiError;
use crate::figures::Figures;
use crate::links::LinkState;
use crate::live::Live;
use crate::login::Logins;
use crate::metric::Metrics;
use crate::pilots::PilotState;
use crate::rate::Rates;
use crate::request::RequestIds;
use crate::role::Role;
use crate::sessions::Sessions;
use crate::settings::{ServedLink, ServedSystem, ServerError, ServerSettings};
use crate::user;

/// The server, as handlers see it.
pub(crate) type Server = Arc<Shared>;

/// What all handlers share.
pub(crate) struct Shared {
    pub(crate) settings: ServerSettings,
    pub(crate) clock: Arc<dyn Clock>,
    /// One gate for each different store of the systems.
    pub(crate) stores: Vec<Sessions>,
    /// The links of the systems that have one.
    pub(crate) links: Vec<Arc<LinkState>>,
    /// The pilot, where there is one.
    pub(crate) pilot: Option<Arc<PilotState>>,
    /// The analytical systems.
    pub(crate) desks: Vec<Arc<Desk>>,
    /// The gate of the control store.
    pub(crate) control: Sessions,
    /// The flags as they are.
    pub(crate) live: Live,
    /// Who follows the flags.
    pub(crate) clients: Arc<Clients>,
    /// Who logged in with a browser.
    pub(crate) logins: Logins,
    pub(crate) rates: Rates,
    pub(crate) metrics: Metrics,
    /// Figures of all stores, as panels show them.
    pub(crate) figures: Figures,
    pub(crate) request_ids: RequestIds,
    /// Places for requests that are worked on.
    pub(crate) places: Semaphore,
    /// The place for a trial: two at once would measure each other.
    pub(crate) trials: Arc<Semaphore>,
    /// Places for clients that follow links.
    pub(crate) event_places: Arc<Semaphore>,
    /// The route of requests that no route takes, in logs and figures.
    pub(crate) no_route: Arc<str>,
    /// Who acts while there are no tokens.
    pub(crate) local: Caller,
    /// True once the server is ending.
    pub(crate) ending: watch::Sender<bool>,
}

impl Shared {
    /// Opens what the settings name.
    ///
    /// # Errors
    /// When the flags cannot be read.
    pub(crate) fn open(settings: ServerSettings) -> Result<Server, ServerError> {
        let limits = &settings.limits;
        let mut control =
            Session::new(plimsoll_store::open(&settings.control).map_err(EngineError::from)?, "server");
        let live = Live::open(&mut control, settings.cache.clone())?;
        let mut stores: Vec<Sessions> = Vec::new();
        for served in &settings.systems {
            if stores.iter().all(|known| *known.url() != served.store) {
                let sessions = Sessions::new(served.store.clone(), limits.sessions_per_store);
                stores.push(sessions.asking(live.switches()));
            }
        }
        let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
        let links = settings.systems.iter().filter_map(|served| {
            let store = stores.iter().find(|known| *known.url() == served.store)?;
            Some(Arc::new(LinkState::new(
                served.link.as_ref()?,
                store.clone(),
                settings.cache.clone(),
                clock.as_ref(),
            )))
        });
        let mut links: Vec<Arc<LinkState>> = links.collect();
        let pilot = settings.pilot.clone().map(|served| {
            let known = stores.iter().find(|known| *known.url() == served.new.store).cloned();
            let store =
                known.unwrap_or_else(|| Sessions::new(served.new.store.clone(), limits.sessions_per_store));
            // A pilot's rounds go through its carrier, so these links know no remote: they are looked at and decided.
            for linked in &served.links {
                let link = ServedLink { linked, remote: None, token: None, requests_per_second: None };
                links.push(Arc::new(LinkState::new(&link, store.clone(), None, clock.as_ref())));
            }
            Arc::new(PilotState::new(served, store))
        });
        let clients = Arc::new(Clients::new(limits.event_clients));
        let local = Caller::local(&settings.actor);
        user::prepare(&mut control)?;
        if !settings.listen.ip().is_loopback()
            && settings.tokens.is_empty()
            && user::list(&mut control)?.is_empty()
        {
            return Err(ServerError::NotLoopback(settings.listen));
        }
        let callers = settings.tokens.names().chain([Arc::clone(&local.name)]);
        let desks = settings.analytics.iter().map(|served| Desk::new(served).map(Arc::new));
        let desks = desks.collect::<Result<Vec<_>, _>>()?;
        Ok(Arc::new(Self {
            desks,
            stores,
            links,
            pilot,
            control: Sessions::new(settings.control.clone(), limits.sessions_per_store),
            live,
            logins: Logins::new(limits.sessions),
            rates: Rates::new(limits.requests_per_second, callers),
            figures: Figures::default(),
            metrics: Metrics::new(clock.as_ref(), Arc::clone(&clients)),
            request_ids: RequestIds::new(),
            trials: Arc::new(Semaphore::new(1)),
            event_places: Arc::new(Semaphore::new(limits.event_clients)),
            places: Semaphore::new(limits.concurrent_requests),
            no_route: "none".into(),
            local,
            ending: watch::channel(false).0,
            clients,
            clock,
            settings,
        }))
    }

    /// The system called `name`.
    pub(crate) fn system(&self, name: &str) -> Result<&ServedSystem, ApiError> {
        self.settings.systems.iter().find(|served| served.system.name == name).ok_or_else(|| {
            let names: Vec<_> = self.settings.systems.iter().map(|served| served.system.name).collect();
            ApiError::not_found(format!("there is no system `{name}`"))
                .hint(format!("there are {}", names.join(", ")))
        })
    }

    /// The gate of a served system's store.
    pub(crate) fn store(&self, system: &System) -> Result<&Sessions, ApiError> {
        self.store_of(self.system(system.name)?)
    }

    /// The gate of a system's store.
    pub(crate) fn store_of(&self, served: &ServedSystem) -> Result<&Sessions, ApiError> {
        let found = self.stores.iter().find(|known| *known.url() == served.store);
        found.ok_or_else(|| ApiError::internal(format!("{} has no store", served.system.name)))
    }

    /// The analytical system called `name`.
    pub(crate) fn desk(&self, name: &str) -> Result<&Arc<Desk>, ApiError> {
        self.desks.iter().find(|desk| desk.system.name == name).ok_or_else(|| {
            let names: Vec<_> = self.desks.iter().map(|desk| desk.system.name).collect();
            let error = ApiError::not_found(format!("there is no analytical system `{name}`"));
            if names.is_empty() { error } else { error.hint(format!("there are {}", names.join(", "))) }
        })
    }

    /// The system and change kind that a run or plan names; change kinds such as `undo` have no declaration.
    pub(crate) fn declared(
        &self,
        system: &str,
        change: &str,
    ) -> Result<(&'static System, Option<&'static dyn ChangeKind>), EngineError> {
        let served = self.settings.systems.iter().find(|served| served.system.name == system);
        let Some(system) = served.map(|served| served.system) else {
            return Err(EngineError::usage(format!("this server does not serve `{system}`")));
        };
        Ok((system, system.changes.iter().copied().find(|kind| kind.name() == change)))
    }

    /// The link of that name, or of the system of that name where it has one.
    pub(crate) fn link(&self, name: &str) -> Result<&Arc<LinkState>, ApiError> {
        if let Some(link) = self.links.iter().find(|link| link.linked.link.name() == name) {
            return Ok(link);
        }
        let system = self.system(name)?.system.name;
        let mut of = self.links.iter().filter(|link| link.linked.system.name == system);
        let only = of.next().filter(|_| of.next().is_none());
        only.ok_or_else(|| {
            let names: Vec<_> = self.links.iter().map(|link| link.linked.link.name()).collect();
            let error = ApiError::not_found(format!("the records of `{name}` are not linked with a remote"));
            if names.is_empty() { error } else { error.hint(format!("those of {} are", names.join(", "))) }
        })
    }

    /// The store in which an id or its prefix means something, and the id. The caller needs `role` in the system that the
    /// plan, run or item belongs to.
    pub(crate) async fn find(
        &self,
        caller: &Caller,
        role: Role,
        named: Named,
        prefix: &str,
    ) -> Result<(&Sessions, Id), ApiError> {
        let mut first_error = None;
        for store in &self.stores {
            let prefix = prefix.to_owned();
            let found = store.run(&caller.name, move |session| {
                let id = setup::find_id(session, named, &prefix)?;
                let system = system_of(session, named, &id)?;
                Ok((id, system))
            });
            match found.await {
                Ok((id, system)) => {
                    caller.must(role, &system)?;
                    return Ok((store, id));
                }
                Err(error) => first_error = first_error.or(Some(error.missing())),
            }
        }
        Err(first_error.unwrap_or_else(|| ApiError::not_found("this server serves no system")))
    }
}

fn system_of(session: &mut Session, named: Named, id: &Id) -> Result<String, EngineError> {
    let store = session.store.as_mut();
    Ok(match named {
        Named::Plan => plan::load(store, id)?.system,
        Named::Run => run::load(store, id)?.system,
        Named::Quarantined => quarantine::load(store, id)?.system,
        Named::Backup => return Err(EngineError::usage("a backup is not asked for here")),
    })
}
