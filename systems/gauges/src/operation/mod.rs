//! Operations: everything that can be done to gauges and sets, each a change kind of the engine.
//!
//! Owns what all of them share: who may, that there is a reason, reading the request, naming every refusal. What each
//! decides is its module's; what becomes of a decision is [`crate::draft`]'s.
//!
//! Invariant: an operation is a pure function of its request and the current rows; it either decides everything it needs
//! or refuses with all its reasons, and then proposes nothing.

pub mod calibration;
pub mod customer;
pub mod desk;
pub mod fields;
pub mod keep;
pub mod membership;
pub mod registration;
pub mod service;
pub mod take_back;
pub mod tolerance;

use plimsoll_core::item::Refusal;
use plimsoll_engine::EngineError;
use plimsoll_engine::alias::Field;
use plimsoll_engine::change::context::{PlanContext, Proposal};
use plimsoll_engine::source::{Fetch, SourceRecord, SourceRequest, SourceSummary};
use plimsoll_engine::system::ChangeKind;
use serde_json::{Map, Value as Json};

use crate::ask::Ask;
use crate::draft::{self, Draft};
use crate::facts::{self, Facts, Set};
use crate::model::{Gauge, Role};
use crate::rules::{Refusals, Refused};

/// How an operation is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// By `take-back`, which puts everything back as it was, as long as nothing happened to its gauges since.
    Restore,
    /// Not at all, for this reason.
    Never(&'static str),
}

/// What decides.
pub type Plan = fn(&Ask, &Facts) -> Result<Draft, Refusals>;

/// One operation.
pub struct Operation {
    /// Its name, such as `check-out`.
    pub name: &'static str,
    /// One line for people.
    pub help: &'static str,
    /// Who may at least.
    pub role: Role,
    /// Its fields besides `reason`; those that end in `?` may be left out.
    pub fields: &'static [&'static str],
    /// Decides.
    pub plan: Plan,
    /// How it is taken back.
    pub undo: Undo,
}

/// Every operation.
pub static OPERATIONS: &[&Operation] = &[
    &keep::USER,
    &keep::CATEGORY,
    &keep::LOCATION,
    &keep::REJECTION_REASON,
    &registration::REGISTER,
    &registration::CREATE_SET,
    &registration::SET_INTERVAL,
    &membership::PAIR,
    &membership::REPLACE,
    &membership::UNPAIR,
    &membership::RETIRE_SET,
    &membership::LOSE,
    &membership::FIND,
    &desk::CHECK_OUT,
    &desk::RETURN,
    &desk::TRANSFER,
    &desk::ACCEPT_TRANSFER,
    &desk::REJECT_TRANSFER,
    &service::QC,
    &service::MOVE,
    &service::OUT_OF_SERVICE,
    &service::BACK_IN_SERVICE,
    &service::ASK_UNSEAL,
    &service::APPROVE_UNSEAL,
    &service::CONFIRM_UNSEAL,
    &service::KEEP_SEAL,
    &service::FALL_DUE,
    &calibration::OPEN_BATCH,
    &calibration::ADD_TO_BATCH,
    &calibration::REMOVE_FROM_BATCH,
    &calibration::SEND_BATCH,
    &calibration::RECEIVE,
    &calibration::CERTIFY,
    &calibration::VERIFY_CERTIFICATE,
    &calibration::RELEASE,
    &customer::RETURN_TO_CUSTOMER,
    &customer::DELETE,
    &tolerance::DISPOSE_CASE,
    &tolerance::NOTIFY_CASE,
    &tolerance::CLOSE_CASE,
    &take_back::TAKE_BACK,
    &crate::backfill::BRING_IN,
    &crate::import::IMPORT_SET,
];

/// Every operation, as the engine sees it.
pub static ALL: &[&dyn ChangeKind] = &{
    let mut all: [&dyn ChangeKind; OPERATIONS.len()] = [OPERATIONS[0]; OPERATIONS.len()];
    let mut at = 0;
    while at < OPERATIONS.len() {
        all[at] = OPERATIONS[at];
        at += 1;
    }
    all
};

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().copied().find(|operation| operation.name == name)
}

impl Operation {
    /// Decides, after the questions that every operation asks.
    ///
    /// # Errors
    /// Every reason why not.
    pub fn decide(&self, ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
        let mut refused = self.questions(ask, facts);
        if !refused.is_empty() {
            return Err(refused);
        }
        (self.plan)(ask, facts).map_err(|more| {
            refused.extend(more);
            refused
        })
    }

    fn questions(&self, ask: &Ask, facts: &Facts) -> Refusals {
        let mut refused = Refusals::new();
        let first = facts.head.entry == 0 && self.name == keep::USER.name;
        match &facts.actor {
            // Somebody has to be the first.
            None if first => {}
            None => {
                refused.push(Refused::new("actor", format!("{} is no registered user", facts.actor_name)));
            }
            Some(actor) if !actor.active => {
                refused.push(Refused::new("actor", format!("user {} is not active", actor.name)));
            }
            Some(actor) if actor.role < self.role => refused.push(Refused::new(
                "role",
                format!("{} is for {} and above; {} is {}", self.name, self.role, actor.name, actor.role),
            )),
            Some(_) => {}
        }
        if ask.reason().is_none() {
            refused.push(Refused::new("reason", "a reason is needed"));
        }
        let known = |name: &str| {
            name == "reason" || self.fields.iter().any(|field| field.trim_end_matches('?') == name)
        };
        for name in ask.fields().keys().filter(|name| !known(name)) {
            refused.push(Refused::new("field", format!("{} has no field `{name}`", self.name)));
        }
        for field in self.fields.iter().filter(|field| !field.ends_with('?')) {
            if ask.texts(field).is_empty() && !ask.flag(field) {
                refused.push(Refused::new("field", format!("the field `{field}` is missing")));
            }
        }
        refused
    }
}

impl ChangeKind for Operation {
    fn name(&self) -> &'static str {
        self.name
    }

    fn help(&self) -> &'static str {
        self.help
    }

    fn needs_backup(&self) -> bool {
        false
    }

    fn asks_source(&self) -> bool {
        false
    }

    fn fields(&self) -> Vec<Field> {
        fields::declared(self.fields)
    }

    fn read(
        &self,
        _fetch: &mut dyn Fetch,
        request: &SourceRequest,
        each: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError> {
        let fields: Map<String, Json> =
            request.options.iter().map(|(name, value)| (name.clone(), Json::from(value.as_str()))).collect();
        each(record(self.name, fields))?;
        Ok(SourceSummary { listed: 1, delivered: 1, ..SourceSummary::default() })
    }

    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
        let fields = match &record.body {
            Ok(Json::Object(fields)) => fields.clone(),
            Ok(_) => return Ok(refuse(&[Refused::new("request", "the request is no JSON object")])),
            Err(problem) => return Ok(refuse(&[Refused::new("request", problem.as_str())])),
        };
        let ask = Ask::new(fields);
        let facts = facts::load(context, &ask)?;
        match self.decide(&ask, &facts) {
            Ok(draft) => {
                let reason = ask.reason().unwrap_or_default();
                draft::write(context, &facts, self.name, &reason, draft)?;
                Ok(Proposal::Change)
            }
            Err(refused) => Ok(refuse(&refused)),
        }
    }
}

/// A request as the record that the engine plans.
pub fn record(operation: &str, fields: Map<String, Json>) -> SourceRecord {
    let named = ["set", "serial", "go", "id", "batch"];
    let subject =
        named.iter().find_map(|field| fields.get(*field).and_then(Json::as_str)).unwrap_or_default();
    let label = format!("{operation} {subject}").trim().to_owned();
    SourceRecord { label, body: Ok(Json::Object(fields)) }
}

fn refuse(refused: &[Refused]) -> Proposal {
    let reasons: Vec<String> = refused.iter().map(ToString::to_string).collect();
    Proposal::Refuse(Refusal::quarantined("rule", reasons.join("; ")))
}

/// The set that the field `set` names.
///
/// # Errors
/// Rule `unknown` when there is none, `set.ended` when it ended.
pub(crate) fn set_of<'facts>(ask: &Ask, facts: &'facts Facts) -> Result<&'facts Set, Refusals> {
    let name = ask.needed("set").map_err(|refused| vec![refused])?;
    let set = facts
        .sets
        .get(&name)
        .ok_or_else(|| vec![Refused::new("unknown", format!("there is no set {name}"))])?;
    match &set.ended {
        Some(how) => Err(vec![Refused::new("set.ended", format!("set {name} is {how}"))]),
        None => Ok(set),
    }
}

/// The gauge with this serial.
///
/// # Errors
/// Rule `unknown`.
pub(crate) fn gauge_of<'facts>(facts: &'facts Facts, serial: &str) -> Result<&'facts Gauge, Refused> {
    facts.gauges.get(serial).ok_or_else(|| Refused::new("unknown", format!("there is no gauge {serial}")))
}

/// Whom a request is about: the members of the set that it names, or the gauges, each with its partner when the operation
/// is one for both.
///
/// # Errors
/// Rules `unknown`, `set.ended`, and `field` when it names nothing.
pub(crate) fn whom<'facts>(
    ask: &Ask,
    facts: &'facts Facts,
    both: bool,
) -> Result<(Option<&'facts Set>, Vec<&'facts Gauge>), Refusals> {
    if ask.text("set").is_some() {
        let set = set_of(ask, facts)?;
        let members = facts.members(set);
        if members.is_empty() {
            return Err(vec![Refused::new("set.empty", format!("set {} has no member", set.set_id))]);
        }
        return Ok((Some(set), members));
    }
    let serial =
        ask.needed("serial").map_err(|_| vec![Refused::new("field", "name a `set` or a `serial`")])?;
    let gauge = gauge_of(facts, &serial).map_err(|refused| vec![refused])?;
    let set = gauge.set_id.as_ref().filter(|_| gauge.is_member()).and_then(|set_id| facts.sets.get(set_id));
    match set {
        Some(set) if both => Ok((Some(set), facts.members(set))),
        Some(set) => Ok((Some(set), vec![gauge])),
        None => Ok((None, vec![gauge])),
    }
}

/// Takes every step or none.
///
/// # Errors
/// Rule `status`, once for each gauge that cannot.
pub(crate) fn all_step(
    draft: &mut Draft,
    gauges: &[&Gauge],
    step: crate::rules::machine::Step,
) -> Result<(), Refusals> {
    let mut refused = Refusals::new();
    for gauge in gauges {
        match step.of(&gauge.serial, gauge.status) {
            Ok(status) => draft.gauge(gauge).status = status,
            Err(why) => refused.push(why),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(refused) }
}
