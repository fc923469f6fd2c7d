//! Two databases of a gas-delivery company that never was: the legacy one in Big5, and the new one beside it.
//!
//! Owns the invented rows and the count of what is wrong with them. The tables are the caller's: rows are written into
//! databases that have them. Each row depends on the seed and its number alone, and is written as it is made, so a
//! million rows take no more memory than a thousand.
//!
//! Reading order: this file, [`dirt`], `legacy`, `new`.
//!
//! Invariants: everything that names somebody says 示範 (demonstration) or DEMO; the counts of [`Manifest`] are counted
//! while rows are written, not computed from the settings.

mod clock;
pub mod dirt;
mod legacy;
mod new;
pub mod users;
mod vocabulary;

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store};
use serde::Serialize;

use self::dirt::{Dirt, Planted};
use self::legacy::Legacy;
use crate::error::SimulatorError;

/// What is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// Legacy clients.
    pub clients: u64,
    /// Legacy deliveries.
    pub deliveries: u64,
    /// Customers who are in the new database alone.
    pub new_customers: u64,
    /// How many of 100 rows have something wrong with them.
    pub dirty_percent: u8,
}

impl Settings {
    /// The usual company with this many legacy clients: four deliveries each, a new customer for every fifty.
    pub fn of(clients: u64, seed: u64) -> Self {
        Self { seed, clients, deliveries: clients * 4, new_customers: clients / 50, dirty_percent: 4 }
    }
}

/// What was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// The seed.
    pub seed: u64,
    /// Rows of each legacy table.
    pub legacy: BTreeMap<&'static str, u64>,
    /// Rows of each new table.
    pub new: BTreeMap<&'static str, u64>,
    /// What is wrong with the legacy clients.
    pub dirty_clients: Planted,
    /// What is wrong with the legacy deliveries.
    pub dirty_deliveries: Planted,
    /// What is wrong with the new customers.
    pub dirty_customers: Planted,
}

/// Rows of one transaction.
const CHUNK: u64 = 2_000;

/// Fills both databases; `told` hears how many of how many rows are written.
///
/// # Errors
/// When rows cannot be written.
pub fn generate(
    settings: &Settings,
    legacy: &mut dyn Store,
    new: &mut dyn Store,
    told: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, SimulatorError> {
    let maker = Legacy::new(settings.seed, settings.dirty_percent, settings.clients);
    let mut manifest = Manifest { seed: settings.seed, ..Manifest::default() };
    let all = settings.clients + settings.deliveries + 2 * maker.drivers + 4 * settings.new_customers;
    let mut progress = Progress { told, done: 0, all };
    let plain = |row: Vec<Value>| (row, None);

    let clients = Table { name: "clients", columns: legacy::CLIENTS, rows: settings.clients };
    let planted = clients.fill(legacy, &mut progress, |id| maker.client(id))?;
    manifest.dirty_clients = planted;
    let drivers = Table { name: "drivers", columns: legacy::DRIVERS, rows: maker.drivers };
    drivers.fill(legacy, &mut progress, |id| plain(maker.driver(id)))?;
    let vehicles = Table { name: "vehicles", columns: legacy::VEHICLES, rows: maker.drivers };
    vehicles.fill(legacy, &mut progress, |id| plain(maker.vehicle(id)))?;
    let deliveries = Table { name: "deliveries", columns: legacy::DELIVERIES, rows: settings.deliveries };
    manifest.dirty_deliveries = deliveries.fill(legacy, &mut progress, |id| maker.delivery(id))?;
    for table in [&clients, &drivers, &vehicles, &deliveries] {
        manifest.legacy.insert(table.name, table.rows);
    }

    let products = new::products();
    new.append("products", new::PRODUCTS, &products)?;
    manifest.new.insert("products", products.len() as u64);
    manifest.dirty_customers = customers(settings, new, &mut progress)?;
    for table in ["customers", "orders", "deliveries", "sms_log"] {
        manifest.new.insert(table, settings.new_customers);
    }
    Ok(manifest)
}

fn customers(
    settings: &Settings,
    store: &mut dyn Store,
    progress: &mut Progress<'_>,
) -> Result<Planted, SimulatorError> {
    let mut planted = Planted::new();
    for first in (1..=settings.new_customers).step_by(CHUNK as usize) {
        let last = settings.new_customers.min(first + CHUNK - 1);
        let mut rows: [Vec<Vec<Value>>; 4] = Default::default();
        for id in first..=last {
            let made = new::customer(settings.seed, id, settings.dirty_percent);
            count(&mut planted, made.dirt);
            let parts = [made.customer, made.order, made.delivery, made.message];
            rows.iter_mut().zip(parts).for_each(|(rows, part)| rows.push(part));
        }
        let columns = [new::CUSTOMERS, new::ORDERS, new::DELIVERIES, new::MESSAGES];
        let tables = ["customers", "orders", "deliveries", "sms_log"];
        plimsoll_store::in_transaction(store, Access::ReadWrite, |store| {
            let parts = tables.iter().zip(columns).zip(&rows);
            parts.into_iter().try_for_each(|((table, columns), rows)| store.append(table, columns, rows))
        })
        .map_err(SimulatorError::from)?;
        progress.add(4 * (last - first + 1));
    }
    Ok(planted)
}

struct Progress<'told> {
    told: &'told mut dyn FnMut(u64, u64),
    done: u64,
    all: u64,
}

impl Progress<'_> {
    fn add(&mut self, rows: u64) {
        self.done += rows;
        (self.told)(self.done, self.all);
    }
}

struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    rows: u64,
}

impl Table {
    fn fill(
        &self,
        store: &mut dyn Store,
        progress: &mut Progress<'_>,
        make: impl Fn(u64) -> (Vec<Value>, Option<Dirt>),
    ) -> Result<Planted, SimulatorError> {
        let mut planted = Planted::new();
        for first in (1..=self.rows).step_by(CHUNK as usize) {
            let last = self.rows.min(first + CHUNK - 1);
            let mut rows = Vec::with_capacity((last - first + 1) as usize);
            for id in first..=last {
                let (row, dirt) = make(id);
                count(&mut planted, dirt);
                rows.push(row);
            }
            plimsoll_store::in_transaction(store, Access::ReadWrite, |store| {
                store.append(self.name, self.columns, &rows)
            })
            .map_err(SimulatorError::from)?;
            progress.add(last - first + 1);
        }
        Ok(planted)
    }
}

fn count(planted: &mut Planted, dirt: Option<Dirt>) {
    if let Some(dirt) = dirt {
        *planted.entry(dirt).or_insert(0) += 1;
    }
}
