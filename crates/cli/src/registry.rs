//! The systems of this binary. This is the only file that names them.

use plimsoll_engine::EngineError;
use plimsoll_engine::analytic::AnalyticSystem;
use plimsoll_engine::pilot::declare::Pilot;
use plimsoll_engine::sync::LinkedSystem;
use plimsoll_engine::system::{Schema, System};

/// Every system, in the order in which they are listed.
pub(crate) static SYSTEMS: &[&System] = &[
    &plimsoll_hearings::SYSTEM,
    &plimsoll_pfa::SYSTEM,
    &plimsoll_gauges::SYSTEM,
    &plimsoll_luckygas::SYSTEM,
    &plimsoll_luckygas::LEGACY,
];

/// Every system that the server opens, and that has a ready-made schedule of backups. The pilot's sides are not among
/// them: tables of both have the same names, so that one `--store` for all systems cannot hold both, and the legacy
/// database belongs to another program.
pub(crate) static STANDING_SYSTEMS: &[&System] =
    &[&plimsoll_hearings::SYSTEM, &plimsoll_pfa::SYSTEM, &plimsoll_gauges::SYSTEM];

/// The laboratory of gauge sets, which `simulate` fills.
pub(crate) static LABORATORY: &System = &plimsoll_gauges::SYSTEM;

/// Brings in the sets that the laboratory's earlier system left.
pub(crate) use plimsoll_gauges::backfill;

/// One side of the pilot.
pub(crate) struct Side {
    /// Its tables.
    pub(crate) system: &'static System,
    /// Its schema before changes were captured.
    pub(crate) before_capture: Schema,
}

/// The pilot's sides: legacy and new.
pub(crate) static PILOT_SIDES: [Side; 2] = [
    Side {
        system: &plimsoll_luckygas::LEGACY,
        before_capture: plimsoll_luckygas::schema::before_capture(&plimsoll_luckygas::schema::LEGACY),
    },
    Side {
        system: &plimsoll_luckygas::SYSTEM,
        before_capture: plimsoll_luckygas::schema::before_capture(&plimsoll_luckygas::schema::NEW),
    },
];

/// The pilot: how its sides map to each other.
pub(crate) static PILOT: &dyn Pilot = &plimsoll_luckygas::pilot::LuckyGas;

/// Sets who wins in the pilot where both sides changed a field without a rule of its own.
pub(crate) fn set_pilot_winner(word: &str) {
    if let Some(winner) = plimsoll_luckygas::link::Winner::parse(word) {
        plimsoll_luckygas::link::set_winner(winner);
    }
}

/// The system called `name`.
///
/// # Errors
/// Usage, naming the systems there are.
pub(crate) fn find(name: &str) -> Result<&'static System, EngineError> {
    SYSTEMS.iter().copied().find(|system| system.name == name).ok_or_else(|| {
        let names: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
        EngineError::usage(format!("there is no system `{name}`\nhint: there are {}", names.join(", ")))
    })
}

/// Every analytical system.
pub(crate) static ANALYTIC_SYSTEMS: &[&AnalyticSystem] = &[&plimsoll_opencode::SYSTEM];

/// The analytical system called `name`.
///
/// # Errors
/// Usage, naming the systems there are.
pub(crate) fn find_analytic(name: &str) -> Result<&'static AnalyticSystem, EngineError> {
    ANALYTIC_SYSTEMS.iter().copied().find(|system| system.name == name).ok_or_else(|| {
        let names: Vec<&str> = ANALYTIC_SYSTEMS.iter().map(|system| system.name).collect();
        EngineError::usage(format!(
            "there is no analytical system `{name}`\nhint: there are {}",
            names.join(", ")
        ))
    })
}

/// Gate files of every system, and those that belong to none here.
pub(crate) static GATES: &[&[&str]] =
    &[plimsoll_hearings::gates::GATES, plimsoll_opencode::gates::GATES, plimsoll_engine::gate::SHIPPED];

/// Playbooks of every system, and those that belong to none here.
pub(crate) static PLAYBOOKS: &[&[&str]] = &[
    plimsoll_hearings::gates::PLAYBOOKS,
    plimsoll_opencode::gates::PLAYBOOKS,
    plimsoll_gauges::checks::PLAYBOOKS,
    plimsoll_engine::playbook::SHIPPED,
];

/// Dashboards of every system.
pub(crate) static DASHBOARDS: &[&[&str]] = &[plimsoll_opencode::dashboards::DASHBOARDS];

/// Every system whose records are linked with a remote.
pub(crate) static LINKED_SYSTEMS: &[&LinkedSystem] = &[
    &plimsoll_pfa::LINKED,
    &plimsoll_luckygas::LINKED[0],
    &plimsoll_luckygas::LINKED[1],
    &plimsoll_luckygas::LINKED[2],
    &plimsoll_luckygas::LINKED[3],
];

/// The linked system called `name`, by the name of its link.
///
/// # Errors
/// Usage, naming the systems there are.
pub(crate) fn find_linked(name: &str) -> Result<&'static LinkedSystem, EngineError> {
    LINKED_SYSTEMS.iter().copied().find(|linked| linked.link.name() == name).ok_or_else(|| {
        let names: Vec<&str> = LINKED_SYSTEMS.iter().map(|linked| linked.link.name()).collect();
        EngineError::usage(format!(
            "there is no linked system `{name}`\nhint: there are {}",
            names.join(", ")
        ))
    })
}
