//! What the rules speak about: gauges, what they are, and the words of the tables.
//!
//! Owns the words (each an enum with the text that is stored) and the typed form of a gauge's row. It reads no database:
//! rows are handed in.
//!
//! Invariant: a word that the schema does not know is an error of the store, never a default.

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::CurrentRow;
use serde::{Deserialize, Serialize};

/// An enum whose variants are words of the tables.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The one that `word` stands for.
            pub fn read(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words!(
    /// Where a gauge stands.
    Status {
        /// On its shelf and fit for use, as far as its due date and seal say.
        Available = "available",
        /// With somebody.
        CheckedOut = "checked_out",
        /// Its calibration has run out.
        CalibrationDue = "calibration_due",
        /// Came back and waits for inspection.
        PendingQc = "pending_qc",
        /// Not fit for use until somebody says so.
        OutOfService = "out_of_service",
        /// Somebody asked to open its seal.
        PendingUnseal = "pending_unseal",
        /// Worn out; never used again.
        Retired = "retired",
        /// At the calibration laboratory.
        OutForCalibration = "out_for_calibration",
        /// Back from calibration, without its certificate.
        PendingCertificate = "pending_certificate",
        /// Its certificate is verified; its place is not.
        PendingRelease = "pending_release",
        /// Returned to the customer who owns it.
        Returned = "returned",
        /// Nobody knows where it is.
        Lost = "lost",
        /// Registered by mistake.
        Deleted = "deleted",
    }
);

impl Status {
    /// True for the ends of a gauge's life.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Retired | Self::Returned | Self::Deleted)
    }
}

words!(
    /// Which of the two a thread gauge is. It never changes.
    Side {
        /// Must enter.
        Go = "go",
        /// Must not enter.
        NoGo = "nogo",
    }
);

impl Side {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Go => Self::NoGo,
            Self::NoGo => Self::Go,
        }
    }

    /// As people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::NoGo => "NO-GO",
        }
    }
}

words!(
    /// What a person may do; each role may do what those before it may.
    Role {
        /// Uses gauges.
        User = "user",
        /// Inspects, registers, pairs and calibrates.
        Qc = "qc",
        /// Unpairs and retires.
        Supervisor = "supervisor",
        /// Keeps the registers.
        Admin = "admin",
    }
);

words!(
    /// What kind of equipment it is.
    Equipment {
        /// A GO or NO-GO thread gauge.
        ThreadGauge = "thread_gauge",
        /// A hand tool such as a caliper.
        HandTool = "hand_tool",
        /// Equipment that stays where it is.
        LargeEquipment = "large_equipment",
        /// A standard that others are calibrated against.
        CalibrationStandard = "calibration_standard",
    }
);

words!(
    /// Whose it is.
    Ownership {
        /// The company's.
        Company = "company",
        /// A customer's.
        Customer = "customer",
        /// An employee's.
        Employee = "employee",
    }
);

/// What both members of a set have in common. Two thread gauges of one set are equal in all of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Likeness {
    /// The category, such as `SP`.
    pub category: String,
    /// The size, such as `.500-20`.
    pub thread_size: String,
    /// The thread's type, such as `metric`.
    pub thread_type: String,
    /// The thread's form, where the type has forms.
    pub thread_form: Option<String>,
    /// The class, such as `2A`.
    pub thread_class: String,
    /// Plug or ring.
    pub gauge_type: String,
    /// Right- or left-handed.
    pub hand: String,
    /// Starts of an Acme thread.
    pub acme_starts: Option<i64>,
    /// Whose both are.
    pub ownership: Ownership,
    /// Which customer's, or which employee's.
    pub owner: Option<String>,
}

/// What a thread gauge is, its side apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// What it shares with its partner.
    pub likeness: Likeness,
    /// GO or NO-GO.
    pub side: Side,
}

/// A gauge as its row says. What a rule may change is what [`Gauge::mutable`] lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gauge {
    /// The identity, which nothing changes.
    pub serial: String,
    /// The category.
    pub category: String,
    /// The kind of equipment.
    pub equipment: Equipment,
    /// Whose it is.
    pub ownership: Ownership,
    /// The customer, of a customer's.
    pub customer: Option<String>,
    /// The employee, of an employee's.
    pub employee: Option<String>,
    /// What thread it measures; none for other equipment.
    pub thread: Option<Thread>,
    /// Where it stands.
    pub status: Status,
    /// The set that it is in, or was in when it was retired; none for a spare.
    pub set_id: Option<String>,
    /// Sealed since its calibration.
    pub sealed: bool,
    /// Where it is kept.
    pub location: Option<String>,
    /// Days from one calibration to the next.
    pub interval_days: i64,
    /// The date of its current certificate.
    pub certified_on: Option<String>,
    /// When its seal was opened.
    pub unsealed_on: Option<String>,
    /// Until when it may be used.
    pub due_on: Option<String>,
    /// Why it was deleted.
    pub deleted_reason: Option<String>,
}

impl Gauge {
    /// Reads a gauge from its row and that of its thread specification.
    ///
    /// # Errors
    /// When a word is not one of the schema's.
    pub fn read(row: &CurrentRow, specification: Option<&CurrentRow>) -> Result<Self, EngineError> {
        let serial = needed(row, "serial")?;
        let category = needed(row, "category")?;
        let ownership = word(row, "ownership", Ownership::read)?;
        let (customer, employee) = (text(row, "customer"), text(row, "employee"));
        let thread = match specification {
            Some(found) => Some(Thread {
                side: word(found, "side", Side::read)?,
                likeness: Likeness {
                    category: category.clone(),
                    thread_size: needed(found, "thread_size")?,
                    thread_type: needed(found, "thread_type")?,
                    thread_form: text(found, "thread_form"),
                    thread_class: needed(found, "thread_class")?,
                    gauge_type: needed(found, "gauge_type")?,
                    hand: needed(found, "hand")?,
                    acme_starts: found.get("acme_starts").as_integer(),
                    ownership,
                    owner: customer.clone().or_else(|| employee.clone()),
                },
            }),
            None => None,
        };
        Ok(Self {
            equipment: word(row, "equipment_type", Equipment::read)?,
            status: word(row, "status", Status::read)?,
            set_id: text(row, "set_id"),
            sealed: flag(row, "sealed"),
            location: text(row, "location"),
            interval_days: row.get("interval_days").as_integer().unwrap_or(0),
            certified_on: text(row, "certified_on"),
            unsealed_on: text(row, "unsealed_on"),
            due_on: text(row, "due_on"),
            deleted_reason: text(row, "deleted_reason"),
            serial,
            category,
            ownership,
            customer,
            employee,
            thread,
        })
    }

    /// The columns that operations may change, with their values.
    pub fn mutable(&self) -> [(&'static str, Value); 9] {
        let optional = |text: &Option<String>| Value::optional_text(text.as_deref());
        [
            ("status", Value::text(self.status.as_str())),
            ("set_id", optional(&self.set_id)),
            ("sealed", Value::Boolean(self.sealed)),
            ("location", optional(&self.location)),
            ("interval_days", Value::Integer(self.interval_days)),
            ("certified_on", optional(&self.certified_on)),
            ("unsealed_on", optional(&self.unsealed_on)),
            ("due_on", optional(&self.due_on)),
            ("deleted_reason", optional(&self.deleted_reason)),
        ]
    }

    /// Its side, when it is a thread gauge.
    pub fn side(&self) -> Option<Side> {
        self.thread.as_ref().map(|thread| thread.side)
    }

    /// True while it is in a set and not retired with it.
    pub fn is_member(&self) -> bool {
        self.set_id.is_some() && !self.status.is_final()
    }
}

/// The text of a column.
pub fn text(row: &CurrentRow, column: &str) -> Option<String> {
    row.get(column).as_text().map(str::to_owned)
}

/// The text of a column that is never null.
///
/// # Errors
/// When it is.
pub fn needed(row: &CurrentRow, column: &str) -> Result<String, EngineError> {
    text(row, column).ok_or_else(|| unexpected(row, column))
}

/// The truth value of a column; SQLite keeps it as a number.
pub fn flag(row: &CurrentRow, column: &str) -> bool {
    matches!(row.get(column), Value::Boolean(true) | Value::Integer(1))
}

fn word<T>(row: &CurrentRow, column: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, EngineError> {
    row.get(column).as_text().and_then(read).ok_or_else(|| unexpected(row, column))
}

fn unexpected(row: &CurrentRow, column: &str) -> EngineError {
    EngineError::integrity(format!(
        "table `{}` holds {} in column `{column}`\nhint: something other than plimsoll wrote it; see `plimsoll history`",
        row.table.name,
        row.get(column)
    ))
}
