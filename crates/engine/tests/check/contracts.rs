//! Contracts of other tools: what they mean here, and what is accepted and refused.

use std::path::PathBuf;

use plimsoll_engine::check::import::{self, Imported};
use plimsoll_engine::check::{Check, Severity, Verdict};

use crate::shop::Shop;

fn odcs(quality: &str) -> Imported {
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: shop\nversion: 1.0.0\nstatus: active\nschema:\n{quality}"
    );
    import::parse(&contract, false).unwrap_or_else(|faults| panic!("{}\n{contract}", faults.join("\n")))
}

/// Verdict and value of each check of a contract, with its name.
fn verdicts(shop: &mut Shop, checks: &[Check]) -> Vec<(String, Verdict, Option<f64>)> {
    let report = shop.run(checks);
    report.findings.into_iter().map(|found| (found.check, found.verdict, found.value)).collect()
}

const LIBRARY: &str = "
  - name: clients
    physicalName: customers
    quality:
      - {metric: rowCount, mustBe: 4}
      - {metric: duplicateValues, arguments: {properties: [clients.country, clients.age]}, mustBe: 0}
    properties:
      - name: mail
        physicalName: email
        required: true
        unique: true
        quality:
          - {metric: nullValues, unit: percent, mustBeLessThan: 25}
          - {metric: missingValues, arguments: {missingValues: [null, '', n/a]}, mustBe: 0}
          - {metric: invalidValues, arguments: {pattern: '^[a-z]+@[a-z.]+$'}, mustBe: 0}
          - {metric: duplicateValues, mustBe: 0}
      - name: country
        quality:
          - {metric: invalidValues, arguments: {validValues: [TW, JP]}, mustBe: 0, severity: warning, dimension: cf}
      - {name: age}
  - name: orders
    properties:
      - name: customer_id
        relationships: [{to: clients.id}]
        quality:
          - {id: positive, type: sql, query: 'SELECT count(*) FROM ${object} WHERE ${property} < 0', mustBe: 0}
";

#[test]
fn the_library_of_the_standard_on_every_database() {
    let with_key = LIBRARY
        .replace("      - {name: age}\n", "      - {name: age}\n      - {name: id, primaryKey: true}\n");
    let imported = odcs(&with_key);
    assert!(imported.not_run.is_empty());
    for mut shop in Shop::everywhere() {
        for (name, verdict, value) in verdicts(&mut shop, &imported.checks) {
            assert_eq!(verdict, Verdict::Pass, "{}: {name} {value:?}", shop.name);
        }
        shop.script(
            "UPDATE customers SET email = 'n/a' WHERE id = 1; UPDATE customers SET email = NULL WHERE id = 2;
             UPDATE customers SET email = 'dee@example.org', country = 'FR' WHERE id = 3;
             UPDATE orders SET customer_id = -1 WHERE id = 1",
        );
        let found = verdicts(&mut shop, &imported.checks);
        let of = |name: &str| {
            found.iter().find(|(known, ..)| known == name).unwrap_or_else(|| panic!("{name}: {found:?}"))
        };
        for (name, value) in [
            ("customers-email-required", 1.0),
            ("customers-email-unique", 1.0),
            ("customers-email-nullvalues", 25.0),
            ("customers-email-missingvalues", 2.0),
            ("customers-email-invalidvalues", 1.0),
            ("customers-email-duplicatevalues", 1.0),
            ("customers-country-invalidvalues", 1.0),
            ("orders-customer-id-refers", 1.0),
            ("orders-customer-id-positive", 1.0),
        ] {
            assert_eq!((of(name).1, of(name).2), (Verdict::Fail, Some(value)), "{}: {name}", shop.name);
        }
        assert_eq!(of("customers-rowcount").1, Verdict::Pass);
    }
    let country =
        imported.checks.iter().find(|check| check.name == "customers-country-invalidvalues").unwrap();
    assert_eq!((country.severity, country.dimension), (Severity::Warn, "conformity"));
}

#[test]
fn all_eight_operators_at_their_bounds() {
    let mut shop = Shop::sqlite();
    for (operator, kept, broken) in [
        ("mustBe", "4", "3"),
        ("mustNotBe", "3", "4"),
        ("mustBeGreaterThan", "3", "4"),
        ("mustBeGreaterOrEqualTo", "4", "5"),
        ("mustBeLessThan", "5", "4"),
        ("mustBeLessOrEqualTo", "4", "3"),
        ("mustBeBetween", "[4, 5]", "[5, 6]"),
        ("mustNotBeBetween", "[5, 6]", "[4, 6]"),
    ] {
        for (bound, expected) in [(kept, Verdict::Pass), (broken, Verdict::Fail)] {
            let imported = odcs(&format!(
                "  - name: customers\n    quality: [{{metric: rowCount, {operator}: {bound}}}]"
            ));
            assert_eq!(verdicts(&mut shop, &imported.checks)[0].1, expected, "{operator}: {bound}");
        }
    }
}

#[test]
fn the_promise_of_freshness() {
    let contract = |value: &str| {
        odcs(&format!(
            "  - name: customers\n    properties: [{{name: seen_at}}]\nslaProperties:\n  \
             - {{property: freshness, value: {value}, unit: h, element: customers.seen_at}}\n  \
             - {{property: retention, value: 3, unit: y}}"
        ))
    };
    let mut shop = Shop::sqlite();
    assert_eq!(verdicts(&mut shop, &contract("7").checks)[0].1, Verdict::Pass);
    assert_eq!(verdicts(&mut shop, &contract("5").checks)[0].1, Verdict::Fail);
    assert!(contract("5").not_run[0].contains("retention"));
}

#[test]
fn what_cannot_be_tried_is_an_error_and_prose_is_told() {
    let imported = odcs(
        "  - name: customers
    quality:
      - {type: text, description: Names are real}
      - {name: theirs, type: custom, engine: soda, implementation: x}
      - {metric: rowCount, unit: percent, mustBe: 4}
      - {metric: rowCount}
      - {metric: nullValues, mustBe: 0}
    properties:
      - name: email
        quality:
          - {metric: invalidValues, arguments: {minLength: 3}, mustBe: 0}
          - {metric: invalidValues, mustBe: 0}
          - {metric: nullValues, mustBe: none}
      - name: tags
        logicalType: array
        items: {quality: [{metric: nullValues, mustBe: 0}]}",
    );
    assert_eq!(imported.not_run.len(), 2, "{:?}", imported.not_run);
    assert!(imported.not_run[0].contains("Names are real") && imported.not_run[1].contains("customers.tags"));
    let mut shop = Shop::sqlite();
    let found = verdicts(&mut shop, &imported.checks);
    assert_eq!(found.len(), 7, "{found:?}");
    for (name, verdict, _) in found {
        assert_eq!(verdict, Verdict::Error, "{name}");
    }
}

/// The fixtures of the crate `odcs`, where its sources are on this machine.
#[expect(clippy::disallowed_methods, reason = "a test looks for sources that cargo keeps")]
fn fixtures() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")))?;
    for registry in std::fs::read_dir(home.join("registry/src")).ok()?.flatten() {
        for package in std::fs::read_dir(registry.path()).ok()?.flatten() {
            let folder = package.path().join("tests/fixtures");
            if package.file_name().to_string_lossy().starts_with("odcs-0.9") && folder.is_dir() {
                return Some(folder);
            }
        }
    }
    None
}

#[test]
fn contracts_are_accepted_and_refused_as_by_the_reference_implementation() {
    let Some(folder) = fixtures() else {
        println!("skipped: the sources of the crate `odcs` 0.9 are not here");
        return;
    };
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [folder.clone(), folder.join("upstream")] {
        files.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    let mut seen = (0, 0);
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let is_contract =
            [".yaml", ".json"].iter().any(|end| name.ends_with(end)) && !name.contains("json-schema-v3");
        if !is_contract {
            continue;
        }
        let is_bad = ["invalid-", "malformed", "unknown-field", "nested-unknown", "unsupported"]
            .iter()
            .any(|begin| name.starts_with(begin));
        let text = std::fs::read_to_string(&file).unwrap();
        let result = import::parse(&text, name.ends_with(".json"));
        if is_bad {
            seen.1 += 1;
        } else {
            seen.0 += 1;
        }
        match result {
            Ok(_) if is_bad => wrong.push(format!("{name} was accepted")),
            Err(faults) if !is_bad => wrong.push(format!("{name} was refused: {}", faults.join("; "))),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.0 >= 30 && seen.1 >= 40, "{seen:?}");
}

const DBT: &str = "
version: 2
models:
  - name: customers
    columns:
      - name: email
        tests: [not_null, unique]
      - name: country
        data_tests:
          - accepted_values: {arguments: {values: [TW, JP]}, config: {severity: warn}}
  - name: orders
    columns:
      - name: customer_id
        tests:
          - relationships: {to: ref('customers'), field: id}
          - not_null: {config: {where: \"status = 'paid'\", error_if: '>1', warn_if: '>0'}}
";

#[test]
fn tests_of_dbt_on_every_database() {
    let imported = import::parse(DBT, false).unwrap();
    assert_eq!(imported.checks.len(), 5);
    for mut shop in Shop::everywhere() {
        for (name, verdict, value) in verdicts(&mut shop, &imported.checks) {
            assert_eq!(verdict, Verdict::Pass, "{}: {name} {value:?}", shop.name);
        }
        shop.script(
            "UPDATE customers SET email = NULL, country = 'FR' WHERE id = 1;
             UPDATE customers SET email = 'dee@example.org' WHERE id = 3;
             UPDATE orders SET customer_id = 9 WHERE id = 4; UPDATE orders SET customer_id = NULL WHERE id = 3",
        );
        let found: Vec<(Verdict, Option<f64>)> = verdicts(&mut shop, &imported.checks)
            .into_iter()
            .map(|(_, verdict, value)| (verdict, value))
            .collect();
        let fail = |value| (Verdict::Fail, Some(value));
        assert_eq!(
            found,
            [fail(1.0), fail(1.0), fail(1.0), fail(1.0), (Verdict::Warn, Some(1.0))],
            "{}",
            shop.name
        );
    }
}

#[test]
fn a_test_of_dbt_that_is_not_known_is_an_error() {
    let text = "models:\n  - name: customers\n    tests: [dbt_utils.at_least_one]\n    columns:\n      \
                - {name: id, tests: [expression_is_true: {expression: '> 0'}, unique: {config: {limit: 3}}]}";
    let imported = import::parse(text, false).unwrap();
    let mut shop = Shop::sqlite();
    let found = verdicts(&mut shop, &imported.checks);
    assert_eq!(found.len(), 3);
    assert!(found.iter().all(|(_, verdict, _)| *verdict == Verdict::Error), "{found:?}");
}
