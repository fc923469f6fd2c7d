//! The links to the legacy side: one for each entity, and how its fields merge.
//!
//! Owns the mirrors' columns, the change units with their policies, and the form in which people read a legacy row. The
//! remote is the engine's ([`plimsoll_engine::pilot::remote`]).
//!
//! The earlier system had one policy for everything, by name: `newest_wins`, `legacy_wins`, `new_system_wins`, `manual`
//! and `auto_merged`. Here a policy is for the fields that have no rule of their own; a status only moves forward, and the
//! time of the last change is the later one.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use plimsoll_core::pilot::mapping::Problem;
use plimsoll_core::sync::field::{ChangeUnit, FieldClass, LinkShape, Policy, Rules};
use plimsoll_core::sync::record::Fields;
use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::declare::TROUBLE;
use plimsoll_engine::pilot::remote::LegacyRemote;
use plimsoll_engine::sync::{Link, MirrorTable, Remote};

use crate::mapping::rule::Rule;
use crate::mapping::status::{FURTHER, OrderRules};
use crate::mapping::{ENTITIES, EntityMap};
use crate::pilot::LuckyGas;

/// The mirror of the legacy table `clients`.
pub static CUSTOMER_MIRROR: MirrorTable = MirrorTable {
    table: "luckygas_client_mirror",
    key: "record_key",
    scope: "side",
    fields: &[
        "id",
        "client_code",
        "invoice_title",
        "short_name",
        "address",
        "contact_person",
        "tax_id",
        "is_corporate",
        "district",
        "area",
        "latitude",
        "longitude",
        "is_active",
        "is_terminated",
        "payment_method",
        "pricing_method",
        "delivery_time_preference",
        "needs_same_day_delivery",
        "has_flow_meter",
        "has_switch",
        "cylinder_50kg",
        "cylinder_20kg",
        "cylinder_16kg",
        "cylinder_10kg",
        "cylinder_4kg",
        "monthly_delivery_volume",
        "daily_usage_avg",
        "notes",
        "created_at",
        "updated_at",
        TROUBLE,
    ],
};

/// The mirror of the legacy table `drivers`.
pub static DRIVER_MIRROR: MirrorTable = MirrorTable {
    table: "luckygas_driver_mirror",
    key: "record_key",
    scope: "side",
    fields: &[
        "id",
        "employee_id",
        "name",
        "phone",
        "license_type",
        "experience_years",
        "familiar_areas",
        "is_active",
        "is_available",
        "created_at",
        "updated_at",
        TROUBLE,
    ],
};

/// The mirror of the legacy table `vehicles`.
pub static VEHICLE_MIRROR: MirrorTable = MirrorTable {
    table: "luckygas_vehicle_mirror",
    key: "record_key",
    scope: "side",
    fields: &[
        "id",
        "plate_number",
        "vehicle_type",
        "capacity_kg",
        "is_active",
        "last_maintenance_date",
        "notes",
        "created_at",
        "updated_at",
        TROUBLE,
    ],
};

/// The mirror of the legacy table `deliveries`.
pub static ORDER_MIRROR: MirrorTable = MirrorTable {
    table: "luckygas_delivery_mirror",
    key: "record_key",
    scope: "side",
    fields: &[
        "id",
        "client_id",
        "driver_id",
        "vehicle_id",
        "status",
        "scheduled_date",
        "actual_delivery_time",
        "qty_50kg",
        "qty_20kg",
        "qty_16kg",
        "qty_10kg",
        "qty_4kg",
        "returned_50kg",
        "returned_20kg",
        "returned_16kg",
        "returned_10kg",
        "returned_4kg",
        "notes",
        "created_at",
        "updated_at",
        TROUBLE,
    ],
};

/// Who wins where both sides changed a field without a rule of its own, by the earlier system's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Winner {
    /// A person decides.
    #[default]
    Manual,
    /// The later change.
    Newest,
    /// The legacy side.
    Legacy,
    /// The new side.
    New,
    /// As the fields' classes say; a register goes to a person.
    Merge,
}

impl Winner {
    /// The word on the command line and in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Newest => "newest",
            Self::Legacy => "legacy",
            Self::New => "new",
            Self::Merge => "merge",
        }
    }

    /// The one of this name.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Manual, Self::Newest, Self::Legacy, Self::New, Self::Merge];
        all.into_iter().find(|winner| winner.as_str() == text)
    }

    fn policy(self) -> Policy {
        match self {
            Self::Manual => Policy::Manual,
            Self::Newest => Policy::Newest,
            Self::Legacy => Policy::Theirs,
            Self::New => Policy::Mine,
            Self::Merge => Policy::Merge,
        }
    }
}

static WINNER: OnceLock<Winner> = OnceLock::new();

/// Sets who wins, once for the process and before anything is carried. Returns whether it was the first.
pub fn set_winner(winner: Winner) -> bool {
    WINNER.set(winner).is_ok()
}

/// The name of the merge that keeps the later of two times.
const LATER: &str = "later";

/// The link of one entity.
#[derive(Debug)]
pub struct LegacyLink {
    /// Its name in the tables and on the command line.
    pub name: &'static str,
    /// The entity's name.
    pub entity: &'static str,
    mirror: &'static MirrorTable,
}

static CUSTOMER_LINK: LegacyLink =
    LegacyLink { name: "luckygas-customer", entity: "customer", mirror: &CUSTOMER_MIRROR };
static DRIVER_LINK: LegacyLink =
    LegacyLink { name: "luckygas-driver", entity: "driver", mirror: &DRIVER_MIRROR };
static VEHICLE_LINK: LegacyLink =
    LegacyLink { name: "luckygas-vehicle", entity: "vehicle", mirror: &VEHICLE_MIRROR };
static ORDER_LINK: LegacyLink = LegacyLink { name: "luckygas-order", entity: "order", mirror: &ORDER_MIRROR };

/// The link of an entity; that of the customers for a name that is none.
pub const fn of(entity: &str) -> &'static LegacyLink {
    // No two entities begin alike, and a constant cannot compare texts.
    match entity.as_bytes() {
        [b'd', ..] => &DRIVER_LINK,
        [b'v', ..] => &VEHICLE_LINK,
        [b'o', ..] => &ORDER_LINK,
        _ => &CUSTOMER_LINK,
    }
}

/// The map of an entity.
pub fn map_of(entity: &str) -> Option<&'static EntityMap> {
    ENTITIES.iter().copied().find(|map| map.name == entity)
}

static SHAPES: LazyLock<BTreeMap<(&'static str, Winner), LinkShape>> = LazyLock::new(|| {
    let mut shapes = BTreeMap::new();
    for map in ENTITIES {
        for winner in [Winner::Manual, Winner::Newest, Winner::Legacy, Winner::New, Winner::Merge] {
            let unit = |fields: &[&str], policy| ChangeUnit {
                fields: fields.iter().map(ToString::to_string).collect(),
                class: FieldClass::Register,
                policy,
            };
            let mut units = Vec::new();
            let mut own: Vec<&str> = Vec::new();
            if map.name == "order" {
                units.push(unit(&["status"], Policy::Custom(FURTHER.into())));
                own.push("status");
            }
            if map.name == "customer" {
                // A place is one place.
                units.push(unit(&["latitude", "longitude"], winner.policy()));
                own.extend(["latitude", "longitude"]);
            }
            units.push(unit(&["updated_at"], Policy::Custom(LATER.into())));
            own.extend(["updated_at", "id"]);
            let mut seen: Vec<&str> = own;
            for field in map.fields {
                if !seen.contains(&field.legacy) {
                    seen.push(field.legacy);
                    units.push(unit(&[field.legacy], winner.policy()));
                }
            }
            // The lists above are fixed and tested.
            shapes.insert((map.name, winner), LinkShape::new(units).unwrap_or_default());
        }
    }
    shapes
});

static NONE: LazyLock<LinkShape> = LazyLock::new(LinkShape::default);

/// The later time, and the status that is further on.
#[derive(Debug)]
struct LegacyRules;

impl Rules for LegacyRules {
    fn merge(&self, name: &str, base: &[Value], mine: &[Value], theirs: &[Value]) -> Option<Vec<Value>> {
        match (name, mine, theirs) {
            (LATER, [mine], [theirs]) => {
                let later = if mine.as_text() >= theirs.as_text() { mine } else { theirs };
                Some(vec![later.clone()])
            }
            (FURTHER, [mine], [theirs]) => {
                let words = [mine, theirs].map(new_status);
                let merged = OrderRules.merge(name, base, &[words[0].clone()?], &[words[1].clone()?])?;
                let further = if Some(&merged[0]) == words[0].as_ref() { mine } else { theirs };
                Some(vec![further.clone()])
            }
            _ => None,
        }
    }
}

/// The new side's word for a legacy status.
fn new_status(shown: &Value) -> Option<Value> {
    let map = map_of("order")?;
    let field = map.fields.iter().find(|field| field.legacy == "status")?;
    let legacy = field.rule.kept(shown).ok()?;
    field.rule.to_new("order", &legacy, &NoReferences).ok()
}

struct NoReferences;

impl plimsoll_core::pilot::mapping::References for NoReferences {
    fn code_of(&self, _entity: &str, _legacy_id: i64) -> Option<String> {
        None
    }

    fn legacy_id_of(&self, _entity: &str, _code: &str) -> Option<i64> {
        None
    }
}

/// A legacy row as people read it.
pub fn shown(map: &EntityMap, legacy: &Fields) -> Fields {
    let mut fields = Fields::new();
    let mut troubles: Vec<String> = Vec::new();
    for (column, value) in legacy {
        let field = map.fields.iter().find(|field| field.legacy == column);
        let read = match field {
            Some(field) => field.rule.shown(value),
            None => Err("the mapping does not know this column".into()),
        };
        match read {
            Ok(value) => drop(fields.insert(column.clone(), value)),
            Err(reason) => {
                troubles.push(format!("{column} {value}: {reason}"));
                fields.insert(column.clone(), Value::Null);
            }
        }
    }
    let trouble = (!troubles.is_empty()).then(|| troubles.join("; "));
    fields.insert(TROUBLE.into(), Value::optional_text(trouble.as_deref()));
    fields
}

/// What people read, as the legacy database keeps it.
///
/// # Errors
/// Every value that cannot be kept there.
pub fn kept(map: &EntityMap, shown: &Fields) -> Result<Fields, Vec<Problem>> {
    let mut fields = Fields::new();
    let mut problems = Vec::new();
    for (column, value) in shown {
        let field = map.fields.iter().find(|field| field.legacy == column);
        let kept = match field {
            Some(field) => field.rule.kept(value),
            None => Err("the mapping does not know this column".into()),
        };
        match kept {
            Ok(value) => drop(fields.insert(column.clone(), value)),
            Err(reason) => problems.push(Problem { column: column.clone(), value: value.clone(), reason }),
        }
    }
    if problems.is_empty() { Ok(fields) } else { Err(problems) }
}

impl Link for LegacyLink {
    fn name(&self) -> &'static str {
        self.name
    }

    fn mirror(&self) -> &'static MirrorTable {
        self.mirror
    }

    fn shape(&self) -> &LinkShape {
        let winner = WINNER.get().copied().unwrap_or_default();
        SHAPES.get(&(self.entity, winner)).unwrap_or(&NONE)
    }

    fn rules(&self) -> &dyn Rules {
        &LegacyRules
    }

    fn parse(&self, field: &str, text: &str) -> Result<Value, String> {
        let known = map_of(self.entity).and_then(|map| map.fields.iter().find(|known| known.legacy == field));
        let text = text.trim();
        if text.is_empty() {
            return Ok(Value::Null);
        }
        match known {
            Some(known) => known.rule.parse(text),
            None if field == TROUBLE => Err("it says what the legacy side holds, and is not edited".into()),
            None => Err(format!("there is no field `{field}`")),
        }
    }

    fn holds_numbers(&self, field: &str) -> bool {
        let known = map_of(self.entity).and_then(|map| map.fields.iter().find(|known| known.legacy == field));
        known.is_some_and(|known| {
            matches!(known.rule, Rule::Integer | Rule::Number | Rule::Float | Rule::Reference { .. })
        })
    }

    fn critical_fields(&self) -> &'static [&'static str] {
        &["id"]
    }

    fn requests_per_second(&self) -> u64 {
        100_000
    }

    fn pilot_entity(&self) -> Option<&'static str> {
        Some(self.entity)
    }

    fn connect(&self, base: &str, _token: Option<&str>) -> Result<Box<dyn Remote>, EngineError> {
        Ok(Box::new(LegacyRemote::open(&LuckyGas, self.entity, base)?))
    }
}
