//! The fields of requests: what each holds and says, the same in every operation that has it.
//!
//! Owns the words for descriptions of the API and for refusing what is of another kind before any rule is asked. Which
//! operation has which fields is said with the operation.

use plimsoll_engine::alias::{Field, FieldKind};

const fn field(name: &'static str, kind: FieldKind, help: &'static str) -> Field {
    Field::needed(name, kind, help)
}

/// Every field of every operation.
pub const FIELDS: &[Field] = &[
    field("acknowledged", FieldKind::Truth, "Whoever returns it for somebody else knows that it is theirs"),
    field("acme_starts", FieldKind::Number, "Starts of an Acme thread, 1 to 4"),
    field("allowed", FieldKind::Text, "Kinds of equipment that the place takes, with commas; empty for all"),
    field("as_found", FieldKind::Text, "What was measured before anything was adjusted"),
    field("as_left", FieldKind::Text, "What was measured afterwards"),
    field("batch", FieldKind::Text, "The calibration batch"),
    field("building", FieldKind::Text, "The building"),
    field("calibrated_on", FieldKind::Day, "When it was calibrated"),
    field("case", FieldKind::Number, "The out-of-tolerance case: the number of the line that opened it"),
    field("category", FieldKind::Text, "The category, whose capital letters begin its set IDs, such as SP"),
    field("certificate", FieldKind::Text, "The certificate's number"),
    field("certified_on", FieldKind::Day, "The date of the certificate"),
    field("customer", FieldKind::Text, "The customer whose gauge it is"),
    field("department", FieldKind::Text, "The user's department"),
    field("disposition", FieldKind::Text, "What is done about what the gauge may have touched"),
    field("earlier", FieldKind::Text, "What the earlier system knew of the set"),
    field("employee", FieldKind::Text, "The employee whose gauge it is"),
    field("entry", FieldKind::Number, "The number of a line of history"),
    field(
        "equipment_type",
        FieldKind::Text,
        "thread_gauge, hand_tool, large_equipment or calibration_standard",
    ),
    field("expected_on", FieldKind::Day, "When it is expected back"),
    field("facility", FieldKind::Text, "The facility"),
    field("file_digest", FieldKind::Text, "The digest of the certificate's file"),
    field("file_name", FieldKind::Text, "The name of the certificate's file"),
    field("full_name", FieldKind::Text, "The user's full name"),
    field("gauge_type", FieldKind::Text, "plug or ring"),
    field("go", FieldKind::Text, "The serial of the GO"),
    field("hand", FieldKind::Text, "RH or LH; right-handed unless said otherwise"),
    field("holder", FieldKind::Text, "Who takes it; whoever asks unless said otherwise"),
    field("id", FieldKind::Text, "The set ID; the next one of the category unless said otherwise"),
    field("in_tolerance", FieldKind::Truth, "It was in tolerance as it was found"),
    field("inactive", FieldKind::Truth, "It is no longer used"),
    field(
        "interval_days",
        FieldKind::Number,
        "Days from one calibration to the next; 365 unless said otherwise",
    ),
    field("issued_on", FieldKind::Day, "The date of the certificate"),
    field(
        "kind",
        FieldKind::Text,
        "Of a batch: internal or external; of a place: bin, shelf, rack, cabinet, drawer, room or other",
    ),
    field("laboratory", FieldKind::Text, "Who calibrated"),
    field("location", FieldKind::Text, "The place"),
    field("manufacturer", FieldKind::Text, "The manufacturer"),
    field("model", FieldKind::Text, "The model"),
    field("name", FieldKind::Text, "What people call it"),
    field("new", FieldKind::Text, "The serial of the spare that joins"),
    field("nogo", FieldKind::Text, "The serial of the NO-GO"),
    field("notified", FieldKind::Text, "Who was told, and how"),
    field("old", FieldKind::Text, "The serial of the member that leaves; none for a vacant place"),
    field("ownership", FieldKind::Text, "company, customer or employee; the company's unless said otherwise"),
    field("part", FieldKind::Text, "The part that is inspected with it"),
    field("rejection_reason", FieldKind::Text, "The code of a rejection reason"),
    field("result", FieldKind::Text, "pass or fail"),
    field("role", FieldKind::Text, "user, qc, supervisor or admin"),
    field("sealed", FieldKind::Truth, "It is sealed since its calibration"),
    field("serial", FieldKind::Text, "The serial of a gauge"),
    field("serials", FieldKind::Texts, "The serials of gauges"),
    field("set", FieldKind::Text, "The ID of a set"),
    field("side", FieldKind::Text, "go or nogo"),
    field("standards", FieldKind::Texts, "The serials of the standards that were used"),
    field("technician", FieldKind::Text, "Who measured"),
    field("thread_class", FieldKind::Text, "The class, such as 2A"),
    field("thread_form", FieldKind::Text, "The form, where the type has forms, such as UNF"),
    field("thread_size", FieldKind::Text, "The size, such as .500-20"),
    field("thread_type", FieldKind::Text, "standard, metric, acme, npt, sti or spiralock"),
    field("title", FieldKind::Text, "What people call it"),
    field("to", FieldKind::Text, "Who is to have it"),
    field("tracking", FieldKind::Text, "The tracking number of the shipment"),
    field("user", FieldKind::Text, "The user's name, as the token or the configuration has it"),
    field("vendor", FieldKind::Text, "The laboratory that an external batch goes to"),
    field("work_job", FieldKind::Text, "The job it is taken for"),
    field("work_order", FieldKind::Text, "The work order"),
    field("zone", FieldKind::Text, "The zone"),
];

/// The fields of an operation; a name that ends in `?` may be left out.
pub fn declared(names: &[&'static str]) -> Vec<Field> {
    names
        .iter()
        .map(|written| {
            let name = written.trim_end_matches('?');
            let known = FIELDS.iter().find(|field| field.name == name).copied();
            let field = known.unwrap_or(field(name, FieldKind::Text, ""));
            Field { required: !written.ends_with('?'), ..field }
        })
        .collect()
}
