//! Opening the source that a command line or the configuration names.

use std::path::Path;
use std::sync::Arc;

use plimsoll_engine::EngineError;
use plimsoll_engine::Session;
use plimsoll_engine::source::directory::{DirectoryFetch, SavingFetch};
use plimsoll_engine::source::http::{ApiKey, HttpFetch, HttpSettings};
use plimsoll_engine::source::{Fetch, NoSource, SourceRequest};
use plimsoll_engine::system::{ChangeKind, System};

use super::Context;
use crate::args::SourceArguments;

/// The source, its address for the journal, and what to ask of it.
pub(crate) struct OpenSource {
    /// The source.
    pub(crate) fetch: Box<dyn Fetch>,
    /// Its address.
    pub(crate) address: String,
    /// What to ask.
    pub(crate) request: SourceRequest,
}

/// Opens the source.
pub(crate) fn open(
    context: &Context,
    system: &System,
    change: &'static dyn ChangeKind,
    session: &Session,
    arguments: &SourceArguments,
) -> Result<OpenSource, EngineError> {
    let request = SourceRequest {
        known_until: None,
        since: arguments.since.clone(),
        options: arguments.options.clone(),
    };
    if !change.asks_source() {
        return Ok(OpenSource { fetch: Box::new(NoSource), address: "request".to_owned(), request });
    }
    let address = arguments.source.clone().or_else(|| context.config.sources.get(system.name).cloned());
    let address = address.ok_or_else(|| {
        EngineError::usage(format!(
            "no source is named for `{}`\nhint: --source URL, or `sources.{}` in plimsoll.toml",
            system.name, system.name
        ))
    })?;
    let fetch: Box<dyn Fetch> = if address.starts_with("http://") || address.starts_with("https://") {
        let mut settings = HttpSettings::new(&address);
        change.source_root().clone_into(&mut settings.root);
        settings.key = context.config.api_key.as_deref().and_then(ApiKey::new);
        // A simulator on this machine has no hourly budget of its own.
        if is_loopback(&address) {
            settings.requests_per_hour = None;
        }
        let http = HttpFetch::new(settings, Arc::clone(&session.clock))?;
        match &arguments.save {
            Some(folder) => Box::new(SavingFetch::new(http, folder)?),
            None => Box::new(http),
        }
    } else if Path::new(&address).is_dir() {
        Box::new(DirectoryFetch::open(&address)?)
    } else {
        return Err(EngineError::usage(format!(
            "`{address}` is neither an http address nor a folder\nhint: --source http://.. or --source FOLDER"
        )));
    };
    Ok(OpenSource { fetch, address, request })
}

fn is_loopback(address: &str) -> bool {
    let host = address.split("://").nth(1).unwrap_or_default();
    ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name))
}
