//! The PFA system: plant and facility assets, kept in step with the master system PEMS.
//!
//! Owns the mirror's table, the fields with their names at both sides, the rules of a record, PEMS as a remote, and
//! reading edits from CSV. It declares; the engine syncs. It deliberately never opens a database or waits.
//!
//! Reading order: [`fields`], [`rules`], [`schema`], [`remote`] (PEMS), [`import`] (CSV), [`kpi`].
//!
//! Invariants:
//! - The mirror holds what PEMS said; edits are the engine's overlay.
//! - A record is never deleted by the earlier system's users: they discontinue it, which has no way back.

pub mod fields;
pub mod import;
pub mod kpi;
pub mod remote;
pub mod rules;
pub mod schema;

use std::sync::LazyLock;

use plimsoll_core::sync::field::{ChangeUnit, FieldClass, LinkShape, Policy, Rules};
use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::sync::{Link, LinkedSystem, MirrorTable, Remote};
use plimsoll_engine::system::{SettingDeclaration, System};

/// The PFA system.
pub static SYSTEM: System = System {
    name: "pfa",
    title: "Plant and facility assets, kept in step with the master system PEMS",
    schema: schema::SCHEMA,
    tables: schema::TABLES,
    changes: &[],
    checks: &[],
    settings: &[SettingDeclaration {
        environment: "PFA_TOKEN",
        default: "",
        help: "The token for PEMS; without the right to write, edits wait and nothing is lost.",
    }],
    ..System::EMPTY
};

/// The link to PEMS.
#[derive(Debug)]
pub struct PfaLink;

/// The system with its link.
pub static LINKED: LinkedSystem = LinkedSystem {
    system: &SYSTEM,
    link: &PfaLink,
    import: import::read,
    figures: |rows| serde_json::to_value(kpi::of(rows)).unwrap_or_default(),
};

static MIRROR: MirrorTable =
    MirrorTable { table: "pfa_mirror", key: "pfa_id", scope: "organization", fields: fields::NAMES };

static SHAPE: LazyLock<LinkShape> = LazyLock::new(|| {
    let unit = |fields: &[&str], class, policy| ChangeUnit {
        fields: fields.iter().map(ToString::to_string).collect(),
        class,
        policy,
    };
    let units = vec![
        // A date without its other end, or a rate without its source, says nothing.
        unit(&["original_start", "original_end"], FieldClass::Register, Policy::Manual),
        unit(&["forecast_start", "forecast_end"], FieldClass::Register, Policy::Manual),
        unit(&["actual_start", "actual_end"], FieldClass::Register, Policy::Manual),
        unit(&["source", "monthly_rate", "purchase_price"], FieldClass::Register, Policy::Manual),
        unit(&["is_discontinued"], FieldClass::ForwardOnly(vec!["N".into(), "Y".into()]), Policy::Merge),
    ];
    // The list above is fixed and tested.
    LinkShape::new(units).unwrap_or_default()
});

impl Link for PfaLink {
    fn name(&self) -> &'static str {
        "pfa"
    }

    fn mirror(&self) -> &'static MirrorTable {
        &MIRROR
    }

    fn shape(&self) -> &LinkShape {
        &SHAPE
    }

    fn rules(&self) -> &dyn Rules {
        &rules::PfaRules
    }

    fn parse(&self, field: &str, text: &str) -> Result<Value, String> {
        let known = fields::find(field).ok_or_else(|| format!("there is no field `{field}`"))?;
        known.parse(text)
    }

    fn holds_numbers(&self, field: &str) -> bool {
        fields::find(field).is_some_and(|field| field.kind == fields::Kind::Money)
    }

    fn critical_fields(&self) -> &'static [&'static str] {
        &["source", "forecast_start", "forecast_end"]
    }

    fn connect(&self, base: &str, token: Option<&str>) -> Result<Box<dyn Remote>, EngineError> {
        Ok(Box::new(remote::Pems::new(base, token)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_units_are_those_declared() {
        assert_eq!(SHAPE.unit_of("forecast_end").fields, ["forecast_start", "forecast_end"]);
        assert_eq!(SHAPE.unit_of("monthly_rate").fields.len(), 3);
        assert_eq!(SHAPE.unit_of("model").policy, Policy::Manual);
        assert_eq!(SHAPE.unit_of("is_discontinued").policy, Policy::Merge);
    }
}
