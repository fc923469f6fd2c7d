//! What other tools have reported as green: none of it is green here.

use plimsoll_engine::check::{Check, Verdict};

use crate::shop::{Shop, check};

#[test]
fn no_checks_are_not_healthy() {
    for mut shop in Shop::everywhere() {
        let report = shop.run(&[]);
        assert!(!report.is_healthy(), "{}", shop.name);
        assert!(report.to_text().contains("nothing is known"), "{}", report.to_text());
    }
}

/// One check that must not be green, with its verdict.
fn is_red(lines: &str, prepare: &str, expected: Verdict) {
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        shop.script(prepare);
        let report = shop.run(std::slice::from_ref(&check));
        assert_eq!(report.findings[0].verdict, expected, "{}: {lines}: {}", shop.name, report.to_text());
        assert!(!report.is_healthy(), "{}: {lines}", shop.name);
    }
}

const EMPTY: &str = "DELETE FROM orders; DELETE FROM customers";

#[test]
fn an_empty_table_is_not_green() {
    for lines in [
        "kind: completeness\ntable: customers\ncolumn: email\nrule: = 0",
        "kind: completeness\ntable: customers\ncolumn: email\nrule: < 5 percent",
        "kind: uniqueness\ntable: customers\ncolumn: email\nrule: = 0",
        "kind: range\ntable: customers\ncolumn: age\nmin: 0\nrule: = 0",
        "kind: accepted-values\ntable: orders\ncolumn: status\nvalues: paid\nrule: = 0",
        "kind: pattern\ntable: orders\ncolumn: status\npattern: a\nrule: = 0",
        "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: customers.id\nrule: = 0",
        "kind: freshness\ntable: customers\ncolumn: seen_at\nrule: < 1 h",
        "rule: < 5\nSELECT max(amount) AS value FROM orders",
    ] {
        is_red(lines, EMPTY, Verdict::Unknown);
    }
    is_red("kind: row-count\ntable: orders\nrule: > 0", EMPTY, Verdict::Fail);
    // Unless somebody says that nothing is as it should be, or that it is not.
    is_red("kind: uniqueness\ntable: orders\ncolumn: number\nempty: fail\nrule: = 0", EMPTY, Verdict::Fail);
    let stated = check("kind: uniqueness\ntable: orders\ncolumn: number\nempty: pass\nrule: = 0");
    for mut shop in Shop::everywhere() {
        shop.script(EMPTY);
        assert_eq!(shop.find(&stated).verdict, Verdict::Pass, "{}", shop.name);
    }
}

#[test]
fn a_column_of_nulls_is_not_green() {
    let nulls = "UPDATE customers SET age = NULL, seen_at = NULL";
    is_red("kind: range\ntable: customers\ncolumn: age\nmin: 0\nrule: = 0", nulls, Verdict::Unknown);
    is_red("kind: freshness\ntable: customers\ncolumn: seen_at\nrule: < 1 h", nulls, Verdict::Unknown);
    is_red("kind: uniqueness\ntable: customers\ncolumn: age\nrule: = 0", nulls, Verdict::Unknown);
}

#[test]
fn an_error_is_not_green() {
    is_red("rule: = 0\nSELECT count(*) AS value FROM nowhere", "", Verdict::Error);
    is_red("rule: = 0\nSELECT count(*) AS value FROM orders WHERE", "", Verdict::Error);
    is_red("kind: completeness\ntable: customers\ncolumn: lost\nrule: = 0", "", Verdict::Error);
    is_red("kind: completeness\ntable: nowhere\ncolumn: lost\nrule: = 0", "", Verdict::Error);
    is_red(
        "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: nowhere.id\nrule: = 0",
        "",
        Verdict::Error,
    );
    is_red(
        "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: customers.lost\nrule: = 0",
        "",
        Verdict::Error,
    );
    is_red("kind: slowest-view\nviews: costs\nrule: < 9 ms", "", Verdict::Error);
}

#[test]
fn no_row_several_rows_and_null_are_not_green() {
    is_red("rule: = 0\nSELECT amount AS value FROM orders WHERE id = 99", "", Verdict::Error);
    is_red("rule: > 0\nSELECT amount AS value FROM orders", "", Verdict::Error);
    is_red("rule: > 0\nSELECT id, amount FROM orders WHERE id = 1", "", Verdict::Error);
    is_red("rule: >= 0\nSELECT NULL AS value", "", Verdict::Unknown);
    is_red("rule: > 0\nSELECT 'many' AS value", "", Verdict::Error);
}

#[test]
fn not_a_number_is_not_green() {
    for mut shop in Shop::everywhere() {
        // SQLite has no value that is not a number: it stores null.
        let nan = if shop.name == "SQLite" { continue } else { "CAST('NaN' AS double precision)" };
        for rule in ["= 0", "!= 0", "> 0", "<= 0", "between 0 and 9", "not between 0 and 9"] {
            let check = check(&format!("rule: {rule}\nSELECT {nan} AS value"));
            assert_eq!(shop.find(&check).verdict, Verdict::Error, "{} {rule}", shop.name);
        }
        shop.script(&format!("UPDATE customers SET age = {nan} WHERE id = 1"));
        for bounds in ["min: 0", "max: 120", "min: 0\nmax: 120"] {
            let check = check(&format!("kind: range\ntable: customers\ncolumn: age\n{bounds}\nrule: = 0"));
            let found = shop.find(&check);
            assert_eq!((found.verdict, found.value), (Verdict::Fail, Some(1.0)), "{} {bounds}", shop.name);
        }
    }
}

#[test]
fn an_infinite_value_is_an_error() {
    let check =
        Check::parse("-- check: a\n-- title: a\n-- severity: error\n-- rule: < 5\n-- hint: a\n\nSELECT 1")
            .unwrap();
    assert_eq!(check.verdict(f64::NEG_INFINITY), Verdict::Error);
}

#[test]
fn something_that_is_not_supported_is_an_error() {
    use plimsoll_engine::check::{Comparison, Kind, Rule};
    let rule = Rule::new(Comparison::Equal, 0.0, "");
    let check = Check::new("it", "It", rule, Kind::Unsupported("engine `other` is not here".into()));
    for mut shop in Shop::everywhere() {
        let report = shop.run(std::slice::from_ref(&check));
        assert_eq!(report.findings[0].verdict, Verdict::Error);
        assert!(report.to_text().contains("engine `other` is not here"), "{}", report.to_text());
    }
}
