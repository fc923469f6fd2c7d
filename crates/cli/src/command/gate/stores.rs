//! Stores of systems, opened for a gate to ask.

use plimsoll_engine::gate::live::{Opened, Stores};
use plimsoll_engine::metric::Sample;
use plimsoll_engine::{EngineError, Session};
use plimsoll_store::StoreUrl;

use crate::command::Context;
use crate::registry;

impl Context {
    /// The same settings without `--store`: for a command on the control store it names that one, and systems keep
    /// their own.
    pub(crate) fn systems(&self) -> Self {
        Self { ui: self.ui, config: self.config.clone(), store: None }
    }
}

/// Opens the stores of systems, read-only where the database can.
pub(crate) struct SystemStores {
    context: Context,
    samples: Option<Vec<Sample>>,
}

impl SystemStores {
    /// The stores that the settings of `context` name.
    pub(crate) fn new(context: Context) -> Self {
        Self { context, samples: None }
    }
}

impl Stores for SystemStores {
    fn open(&mut self, system: &str) -> Result<Opened, EngineError> {
        if let Ok(analytic) = registry::find_analytic(system) {
            return Ok(Opened::Analytic(self.context.analytic(analytic)?));
        }
        let url = self.context.store_url(registry::find(system)?)?;
        let session = match &url {
            StoreUrl::Sqlite { path, .. } if path.is_file() => {
                let store = plimsoll_store::read_only_sqlite(path)
                    .map_err(|error| EngineError::from(error).during(&format!("opening {url}")))?;
                Session::new(store, self.context.config.actor.clone())
            }
            _ => self.context.open_existing(&url)?,
        };
        Ok(Opened::Journal(Box::new(session)))
    }

    fn metrics(&mut self) -> &[Sample] {
        let context = &self.context;
        self.samples.get_or_insert_with(|| context.samples())
    }
}
