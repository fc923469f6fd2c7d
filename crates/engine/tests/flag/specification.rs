//! The Unleash client specification, through our own store: every feature is saved, loaded, made into a snapshot, asked.

use plimsoll_engine::flag::{EvaluationContext, How, change, store, unleash};
use serde::Deserialize;
use serde_json::Value as Json;
use unleash_types::client_features::{ClientFeatures, ClientFeaturesDelta, Context};

use crate::support::Place;

const PACKAGE: &str = "@unleash/client-specification";
const VERSION: &str = "6.1.0";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    name: String,
    state: Json,
    #[serde(default)]
    tests: Vec<Case>,
    #[serde(default)]
    variant_tests: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    description: String,
    context: Context,
    toggle_name: String,
    expected_result: Json,
}

/// All 279 tests of the 22 files.
#[test]
fn the_whole_client_specification_passes_through_the_store() {
    let Some(folder) = plimsoll_testkit::npm::package(PACKAGE, VERSION) else { return };
    let folder = folder.join("specifications");
    let index = std::fs::read_to_string(folder.join("index.json")).unwrap();
    let files: Vec<String> = serde_json::from_str(&index).unwrap();
    let (mut passed, mut failed) = (0, Vec::new());
    for file in &files {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let suite: Suite = serde_json::from_str(&text).unwrap();
        let place = Place::sqlite();
        save(&place, suite.state);
        let snapshot = store::snapshot(&mut place.session()).unwrap();
        for case in suite.tests {
            let context = EvaluationContext::from(case.context);
            let fast = snapshot.is_on(&case.toggle_name, &context);
            let whole = snapshot.evaluate(&case.toggle_name, &context);
            if Json::Bool(fast) == case.expected_result && whole.on == fast {
                passed += 1;
            } else {
                failed.push(format!("{}: {}: {fast}, {whole:?}", suite.name, case.description));
            }
        }
        for case in suite.variant_tests {
            let context = EvaluationContext::from(case.context);
            let got = snapshot.evaluate(&case.toggle_name, &context);
            if variant_is(&got, &case.expected_result) {
                passed += 1;
            } else {
                failed.push(format!(
                    "{}: {}: {got:?}, not {}",
                    suite.name, case.description, case.expected_result
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{passed} passed, {} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!((files.len(), passed), (22, 279));
}

/// Writes the state of a suite into the store: a document, or a sequence of events of the delta API.
fn save(place: &Place, state: Json) {
    let mut session = place.session();
    let how = How { keep_faults: true, ..How::because("the specification") };
    let document: ClientFeatures = if state.get("events").is_some() {
        let delta: ClientFeaturesDelta = serde_json::from_value(state).unwrap();
        let mut document = ClientFeatures::default();
        document.apply_delta(&delta);
        document
    } else {
        serde_json::from_value(state).unwrap()
    };
    let (flags, segments) = unleash::read(&document);
    change::put_all(&mut session, flags, &segments, &how).unwrap();
}

fn variant_is(got: &plimsoll_engine::flag::Evaluation, expected: &Json) -> bool {
    let on = expected["feature_enabled"].as_bool() == Some(got.on);
    if expected["enabled"] == Json::Bool(false) {
        return on && got.variant.is_none();
    }
    let name = expected["name"].as_str() == got.variant.as_deref();
    let payload = match expected.get("payload").filter(|payload| !payload.is_null()) {
        None => got.value.as_ref().and_then(Json::as_str) == got.variant.as_deref(),
        Some(payload) => {
            let text = payload["value"].as_str().unwrap();
            match payload["type"].as_str().unwrap() {
                "string" | "csv" => got.value == Some(Json::String(text.to_owned())),
                _ => got.value == serde_json::from_str(text).ok(),
            }
        }
    };
    on && name && payload
}
