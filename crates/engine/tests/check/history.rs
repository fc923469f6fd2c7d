//! Every result is kept and read back, on every database.

use plimsoll_engine::check::{Trend, Verdict, history};

use crate::shop::{Place, Shop, check, named};

#[test]
fn trends_come_from_the_history() {
    let missing = check("kind: completeness\ntable: customers\ncolumn: email\nrule: = 0");
    for mut shop in Shop::everywhere() {
        assert_eq!(shop.find(&missing).trend, Trend::First, "{}", shop.name);
        shop.script("UPDATE customers SET email = NULL WHERE id < 3");
        let broke = shop.find(&missing);
        assert_eq!((broke.trend, broke.before), (Trend::Broke, Some(0.0)), "{}", shop.name);
        shop.script("UPDATE customers SET email = NULL WHERE id = 3");
        assert_eq!(shop.find(&missing).trend, Trend::Worse, "{}", shop.name);
        shop.script("UPDATE customers SET email = 'x' WHERE id < 4");
        let last = shop.find(&missing);
        assert_eq!((last.trend, last.history), (Trend::Recovered, vec![0.0, 2.0, 3.0]), "{}", shop.name);
    }
}

#[test]
fn a_gate_reads_the_latest_result() {
    let checks = [
        named("missing", "kind: completeness\ntable: customers\ncolumn: email\nrule: < 1 percent"),
        named("lost", "rule: = 0\nSELECT lost FROM customers"),
    ];
    for mut shop in Shop::everywhere() {
        shop.run(&checks);
        shop.script("UPDATE customers SET email = NULL WHERE id = 1");
        shop.run(&checks);
        let (latest, none) = match &mut shop.place {
            Place::Store(store, _) => (
                history::latest(store.as_mut(), "shop", "missing").unwrap(),
                history::latest(store.as_mut(), "shop", "other").unwrap(),
            ),
            Place::Analytics(store) => (
                history::latest_analytics(store, "missing").unwrap(),
                history::latest_analytics(store, "other").unwrap(),
            ),
        };
        let latest = latest.unwrap();
        assert_eq!((latest.verdict, latest.value), (Verdict::Fail, Some(25.0)), "{}", shop.name);
        assert_eq!((latest.sample_size, latest.run.as_str()), (Some(4), "run-2"), "{}", shop.name);
        assert_eq!(
            (latest.threshold.as_str(), latest.unit.as_str()),
            ("< 1 percent", "percent"),
            "{}",
            shop.name
        );
        assert!(
            latest.checked_at.starts_with("2026-03-20T12:0") && latest.checked_at.ends_with(".000Z"),
            "{latest:?}"
        );
        assert!(none.is_none());
        if let Place::Store(store, _) = &mut shop.place {
            let all = history::latest_of_all(store.as_mut(), "shop").unwrap();
            let names: Vec<(&str, Verdict)> =
                all.iter().map(|one| (one.check.as_str(), one.verdict)).collect();
            assert_eq!(names, [("lost", Verdict::Error), ("missing", Verdict::Fail)], "{}", shop.name);
            assert!(all[0].message.as_ref().unwrap().contains("lost"), "{all:?}");
            assert_eq!(history::recent(store.as_mut(), "shop", "missing", 9).unwrap().len(), 2);
        }
    }
}

#[test]
fn a_store_that_was_never_checked_has_no_result() {
    let mut shop = Shop::sqlite();
    assert!(history::latest(shop.store(), "shop", "missing").unwrap().is_none());
    assert!(history::latest_of_all(shop.store(), "shop").unwrap().is_empty());
}

#[test]
fn an_anomaly_of_a_check_s_own_history() {
    let checks = [
        named("rows", "kind: row-count\ntable: orders\nrule: > 0"),
        named("rows-as-usual", "kind: anomaly\nseries: history of rows\nminimum: 3\nrule: < 5"),
    ];
    let mut shop = Shop::sqlite();
    shop.run(&checks);
    for day in 10..19 {
        let rows = 100 + day % 3;
        shop.script(&format!(
            "INSERT INTO plimsoll_check_result (run, system, check_name, checked_at, kind, severity, verdict, value, unit,
                 threshold, numbers, duration_ms)
             VALUES ('d{day}', 'shop', 'rows', '2026-03-{day}T06:00:00.000Z', 'row-count', 'error', 'pass', {rows}, '',
                 '> 0', '{{}}', 1)"
        ));
    }
    let report = shop.run(&checks);
    let found = report.finding("rows-as-usual").unwrap();
    // Six rows on the last day, after about a hundred on nine days.
    assert_eq!((found.verdict, found.sample_size), (Verdict::Fail, Some(9)), "{}", report.to_text());
}

#[test]
fn an_older_history_of_an_analytical_store_is_kept() {
    let mut shop = Shop::duckdb();
    shop.script(
        "CREATE TABLE health_check_history (run_id VARCHAR, check_name VARCHAR, checked_at TIMESTAMP, severity VARCHAR,
             value DOUBLE, threshold VARCHAR, verdict VARCHAR, samples JSON, duration_ms BIGINT, message VARCHAR);
         INSERT INTO health_check_history VALUES ('old', 'it', TIMESTAMP '2026-01-01', 'error', 3, '= 0', 'fail', NULL, 1, NULL)",
    );
    let found = shop.find(&check("kind: row-count\ntable: orders\nrule: = 6"));
    assert_eq!((found.trend, found.before), (Trend::Recovered, Some(3.0)));
}

#[test]
fn reports_tell_the_same_in_every_form() {
    let mut shop = Shop::sqlite();
    shop.script("UPDATE customers SET email = NULL, country = '<b>' WHERE id < 3");
    let checks = [
        named(
            "missing",
            "kind: completeness\ntable: customers\ncolumn: email\nrule: < 10 percent\nwarn: < 1 percent",
        ),
        named("rows", "kind: row-count\ntable: orders\nrule: > 0\nwarn: > 9"),
        named("lost", "rule: = 0\nSELECT lost FROM customers"),
    ];
    let report = shop.run(&checks);
    let summary = "0 of 3 checks pass, 1 warn, 1 fail, 1 could not run";
    assert_eq!(report.summary(), summary);
    let (text, markdown, html) = (report.to_text(), report.to_markdown(), report.to_html());
    for form in [&text, &markdown, &html] {
        assert!(form.contains(summary), "{form}");
        assert!(form.contains("no such column: lost"), "{form}");
        assert!(form.contains("missing 2, present 2"), "{form}");
    }
    assert!(html.contains("&lt;b&gt;") && !html.contains("<b>,"), "{html}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["warned"], &json["failed"], &json["errors"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(json["findings"][0]["numbers"]["missing"], 2.0);
    assert_eq!(json["findings"][0]["sample_size"], 4);
    assert_eq!(json["findings"][0]["threshold"], "< 10 percent, warn unless < 1 percent");
}
