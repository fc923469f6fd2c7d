//! Checks over a cohort, beside its control.

use plimsoll_engine::check::{Cohort, Verdict, history};

use crate::shop::{Shop, named};

#[test]
fn a_fault_of_the_cohort_is_seen_where_the_whole_hides_it() {
    let cohort = Cohort::new("pilot", ["1", "2"]);
    let checks = [
        named(
            "missing",
            "kind: completeness\ntable: customers\ncolumn: email\ncohort: id\nrule: < 50 percent",
        ),
        named("ages", "kind: range\ntable: customers\ncolumn: age\nmin: 0\ncohort: id\nrule: = 0"),
        named(
            "countries",
            "kind: uniqueness\ntable: customers\ncolumn: country\nnumber: surplus_rows\ncohort: id\nrule: <= 2",
        ),
        named(
            "orphans",
            "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: customers.id\ncohort: customer_id\nrule: = 0",
        ),
        named("newest", "kind: freshness\ntable: customers\ncolumn: seen_at\ncohort: id\nrule: < 9 h"),
        named("custom", "rule: < 100\nSELECT sum(amount) AS value FROM orders WHERE {cohort:customer_id}"),
        named("whole", "kind: row-count\ntable: orders\nrule: = 6"),
    ];
    for mut shop in Shop::everywhere() {
        // One of two in the cohort, none of two in the control: a quarter of all.
        shop.script("UPDATE customers SET email = NULL WHERE id = 1");
        let all = shop.run(&checks);
        assert_eq!(all.finding("missing").unwrap().value, Some(25.0), "{}", shop.name);
        assert_eq!(all.finding("missing").unwrap().verdict, Verdict::Pass, "{}", shop.name);
        assert_eq!(all.finding("custom").unwrap().value, Some(210.5), "{}", shop.name);

        let report = shop.run_with(&checks, Some(&cohort), |checkup| checkup);
        let found = |name: &str| report.finding(name).unwrap_or_else(|| panic!("{name}"));
        let missing = found("missing");
        assert_eq!(
            (missing.verdict, missing.value, missing.sample_size),
            (Verdict::Fail, Some(50.0), Some(2)),
            "{}",
            shop.name
        );
        let compared = missing.cohort.as_ref().unwrap();
        assert_eq!((compared.control, compared.difference), (Some(0.0), Some(50.0)), "{}", shop.name);
        let (low, high) = compared.interval.unwrap();
        assert!(low < 0.0 && high > 50.0, "two rows prove nothing: {low} {high}");
        assert_eq!(missing.samples.as_ref().unwrap().rows.len(), 1, "{}", shop.name);
        assert_eq!(found("countries").value, Some(1.0), "{}", shop.name);
        assert_eq!(found("orphans").cohort.as_ref().unwrap().control, Some(0.0), "{}", shop.name);
        assert_eq!(found("orphans").sample_size, Some(3), "{}", shop.name);
        assert_eq!(found("newest").value.map(f64::floor), Some(6.0), "{}", shop.name);
        assert_eq!(
            found("newest").cohort.as_ref().unwrap().control.map(f64::floor),
            Some(54.0),
            "{}",
            shop.name
        );
        assert_eq!(found("custom").value, Some(60.5), "{}", shop.name);
        assert_eq!(found("custom").cohort.as_ref().unwrap().difference, Some(-89.5), "{}", shop.name);
        assert!(
            found("whole").cohort.is_none() && found("whole").message.as_ref().unwrap().contains("all rows")
        );
        let text = report.to_text();
        assert!(text.contains("control: 0, difference: +50 (95 percent certain: "), "{text}");

        // Results over a cohort are not taken for those over all rows.
        if shop.name != "DuckDB" {
            let latest = history::latest(shop.store(), "shop", "missing").unwrap().unwrap();
            assert_eq!((latest.verdict, latest.value), (Verdict::Pass, Some(25.0)));
            let scoped =
                history::latest_of_cohort(shop.store(), "shop", "missing", "pilot").unwrap().unwrap();
            assert_eq!((scoped.verdict, scoped.value), (Verdict::Fail, Some(50.0)));
        }
    }
}

#[test]
fn keys_are_data_and_not_sql() {
    let cohort = Cohort::new("odd", ["1') OR ('1' = '1", "\"", "O'Neil"]);
    let check = [named("it", "kind: completeness\ntable: customers\ncolumn: email\ncohort: id\nrule: = 0")];
    for mut shop in Shop::everywhere() {
        let report = shop.run_with(&check, Some(&cohort), |checkup| checkup);
        // Nobody is in it: nothing is known, and nothing is green.
        assert_eq!(report.findings[0].verdict, Verdict::Unknown, "{}: {}", shop.name, report.to_text());
        assert_eq!(report.findings[0].cohort.as_ref().unwrap().control_size, Some(4));
    }
}
