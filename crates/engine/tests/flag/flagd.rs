//! flagd definitions, in and out: what is read decides as flagd does, and what is written reads back the same.

use std::collections::HashMap;

use plimsoll_core::flag::bucket::murmur3_32;
use plimsoll_core::flag::{Algorithm, Constraint, Flag, Operator, Rule, State};
use plimsoll_engine::flag::flagd::{export, import};
use plimsoll_engine::flag::{EvaluationContext, How, Snapshot, change, store};
use serde_json::{Value as Json, json};

use crate::support::{Place, at_percent};

fn snapshot_of(flags: Vec<Flag>) -> Snapshot {
    let place = Place::sqlite();
    let how = How { keep_faults: true, ..How::because("a test") };
    change::put_all(&mut place.session(), flags, &[], &how).unwrap();
    store::snapshot(&mut place.session()).unwrap()
}

fn document() -> Json {
    json!({
        "$schema": "https://flagd.dev/schema/v0/flags.json",
        "flags": {
            "welcome": {
                "state": "ENABLED",
                "variants": {"on": true, "off": false},
                "defaultVariant": "off",
                "targeting": {"if": [{"$ref": "isStaff"}, "on"]}
            },
            "color": {
                "state": "ENABLED",
                "variants": {"red": "#f00", "blue": "#00f", "green": "#0f0"},
                "defaultVariant": "red",
                "targeting": {"if": [
                    {"and": [{">=": [{"var": "age"}, 18]}, {"!": [{"in": [{"var": "region"}, ["south", "west"]]}]}]}, "blue",
                    {"or": [{"==": [{"var": "plan"}, "pro"]}, {"sem_ver": [{"var": "version"}, ">=", "2.0.0"]}]},
                    {"fractional": [["green", 30], ["red", 70]]}
                ]}
            },
            "dark": {"state": "DISABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
            "strange": {
                "state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on",
                "targeting": {"if": [{"some": [{"var": "tags"}, {"==": [{"var": ""}, "x"]}]}, "on"]}
            }
        },
        "$evaluators": {"isStaff": {"ends_with": [{"var": "email"}, "@example.org"]}}
    })
}

#[test]
fn a_definition_decides_as_flagd_does() {
    let imported = import(&document().to_string(), Algorithm::Flagd2).unwrap();
    let left_out: Vec<&str> = imported.unsupported.iter().map(|each| each.flag.as_str()).collect();
    assert_eq!(left_out, ["strange"]);
    assert!(imported.unsupported[0].left_out && imported.unsupported[0].construct.contains("some"));
    let snapshot = snapshot_of(imported.flags);
    let value = |name: &str, fields: Json| {
        snapshot.evaluate(name, &EvaluationContext::from_json(fields.as_object().unwrap())).value
    };
    for (name, fields, expected) in [
        ("welcome", json!({"targetingKey": "1", "email": "a@example.org"}), json!(true)),
        ("welcome", json!({"targetingKey": "1", "email": "a@example.com"}), json!(false)),
        ("color", json!({"targetingKey": "1", "age": 18, "region": "north"}), json!("#00f")),
        ("color", json!({"targetingKey": "1", "age": 17, "region": "north"}), json!("#f00")),
        ("color", json!({"targetingKey": "1", "age": 30, "region": "south"}), json!("#f00")),
    ] {
        assert_eq!(value(name, fields.clone()), Some(expected), "{name} {fields}");
    }
    assert_eq!(value("dark", json!({"targetingKey": "1"})), None, "a disabled flag has no say");
    // `fractional`, computed here as flagd's second generation computes it.
    for number in 0..500 {
        let key = format!("customer-{number}");
        let hash = murmur3_32(format!("color{key}").as_bytes(), 0);
        let bucket = (u64::from(hash) * 100) >> 32;
        let expected = if bucket < 30 { "#0f0" } else { "#f00" };
        assert_eq!(value("color", json!({"targetingKey": key, "plan": "pro"})), Some(json!(expected)));
    }
}

/// What is written reads back and decides the same, for every generation of flagd.
#[test]
fn what_is_exported_reads_back_the_same() {
    for algorithm in [Algorithm::Flagd1, Algorithm::Flagd2, Algorithm::Flagd3] {
        let mut flags = import(&document().to_string(), algorithm).unwrap().flags;
        let mut pilot = at_percent("pilot", 30, algorithm);
        pilot.allow.insert("customer-3".into(), None);
        pilot.deny.insert("customer-4".into());
        pilot.rollout.as_mut().unwrap().constraints = vec![Constraint::than("age", Operator::NumLt, "60")];
        flags.push(pilot);
        let mut ruled = Flag { state: State::On, ..Flag::new("ruled") };
        ruled.rules = vec![Rule::of(vec![Constraint::one_of("region", vec!["north".into()]).inverse()])];
        flags.push(ruled);
        let first = snapshot_of(flags);
        let exported = export(&first.flags(), first.segments(), &HashMap::new());
        assert_eq!(exported.unsupported, [], "{algorithm}");
        let again = import(&exported.document.to_string(), algorithm).unwrap();
        assert_eq!(again.unsupported, [], "{algorithm}");
        let second = snapshot_of(again.flags);
        for number in 0..400_u32 {
            let context = EvaluationContext::of(format!("customer-{number}"))
                .with("age", (number % 80).to_string())
                .with("region", ["north", "south"][number as usize % 2])
                .with("plan", ["pro", "free"][number as usize / 2 % 2])
                .with("email", ["a@example.org", "b@example.com"][number as usize / 4 % 2]);
            for stored in first.flags() {
                let (a, b) = (
                    first.evaluate(&stored.flag.name, &context),
                    second.evaluate(&stored.flag.name, &context),
                );
                assert_eq!((a.on, a.value), (b.on, b.value), "{algorithm} {} {number}", stored.flag.name);
            }
        }
    }
}

#[test]
fn what_flagd_cannot_say_is_named() {
    let rollout = at_percent("pilot", 30, Algorithm::Unleash1);
    let regex = Flag {
        state: State::On,
        rules: vec![Rule::of(vec![Constraint::than("mail", Operator::Regex, "a.*")])],
        ..Flag::new("regex")
    };
    let snapshot = snapshot_of(vec![rollout, regex]);
    let exported = export(&snapshot.flags(), &[], &HashMap::new());
    let named: Vec<&str> = exported.unsupported.iter().map(|each| each.flag.as_str()).collect();
    assert_eq!(named, ["pilot", "regex"]);
    assert!(exported.document["flags"].as_object().unwrap().is_empty());
    // With the keys known, the members are a list, and nobody is drawn anew.
    let place = Place::sqlite();
    let session = &mut place.session();
    change::create(session, at_percent("pilot", 30, Algorithm::Unleash1), &How::because("x")).unwrap();
    let keys = (0..200).map(|number| format!("c{number}")).collect();
    change::set_keys(session, "pilot", keys, &How::because("x")).unwrap();
    let snapshot = store::snapshot(session).unwrap();
    let id = snapshot.flag("pilot").unwrap().id.clone();
    let known = HashMap::from([(id.clone(), store::known_keys(session.store.as_mut(), &id).unwrap())]);
    let exported = export(&snapshot.flags(), &[], &known);
    assert_eq!(exported.unsupported, []);
    let back = snapshot_of(import(&exported.document.to_string(), Algorithm::Flagd3).unwrap().flags);
    for number in 0..200 {
        let context = EvaluationContext::of(format!("c{number}"));
        assert_eq!(back.is_on("pilot", &context), snapshot.is_on("pilot", &context), "{number}");
    }
}
