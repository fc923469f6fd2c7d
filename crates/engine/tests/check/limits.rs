//! A run reads only, and no query of it takes longer than it may.

use std::time::{Duration, Instant};

use plimsoll_engine::check::{Checkup, Verdict};

use crate::shop::{Place, Shop, check, named};

#[test]
fn a_query_that_takes_too_long_is_stopped_and_the_others_go_on() {
    for mut shop in Shop::everywhere() {
        let endless = match shop.name {
            "PostgreSQL" => "SELECT 1 AS value FROM pg_sleep(60)",
            "SQLite" => {
                "SELECT n AS value FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1e12) \
                 SELECT max(n) AS n FROM c)"
            }
            _ => "SELECT sum(sqrt(i)) AS value FROM range(1000000000000) t(i)",
        };
        let checks = [
            named("endless", &format!("rule: = 0\n{endless}")),
            named("quick", "rule: = 6\nSELECT count(*) FROM orders"),
            named("table", "kind: row-count\ntable: orders\nrule: = 6"),
        ];
        let start = Instant::now();
        let report =
            shop.run_with(&checks, None, |checkup| Checkup { limit: Duration::from_millis(200), ..checkup });
        assert!(start.elapsed() < Duration::from_secs(30), "{}: {:?}", shop.name, start.elapsed());
        let found = report.finding("endless").unwrap();
        assert_eq!(found.verdict, Verdict::Error, "{}: {}", shop.name, report.to_text());
        assert!(
            found.message.as_ref().unwrap().contains("longer than its limit"),
            "{}: {found:?}",
            shop.name
        );
        assert_eq!(
            report.finding("quick").unwrap().verdict,
            Verdict::Pass,
            "{}: {}",
            shop.name,
            report.to_text()
        );
        // The limit ends with the run.
        shop.script("UPDATE orders SET amount = 1");
    }
}

#[test]
fn a_check_cannot_write() {
    for mut shop in Shop::everywhere() {
        for sql in ["DELETE FROM orders RETURNING id", "COMMIT", "UPDATE orders SET amount = 0 RETURNING 1"] {
            let mut write = check("rule: >= 0\nSELECT 1");
            write.kind = plimsoll_engine::check::Kind::Query { sql: sql.into(), sample: Some(sql.into()) };
            let found = shop.find(&write);
            assert_eq!(found.verdict, Verdict::Error, "{} {sql}: {found:?}", shop.name);
        }
        let intact = check("rule: = 210.5\nSELECT sum(amount) FROM orders");
        let found = shop.find(&intact);
        assert_eq!(found.verdict, Verdict::Pass, "{}: {found:?}", shop.name);
    }
}

#[test]
fn a_store_of_somebody_else_gets_no_table() {
    let mut shop = Shop::sqlite();
    let checks = [named("rows", "kind: row-count\ntable: orders\nrule: = 6")];
    let Place::Store(store, _) = &mut shop.place else { panic!() };
    let report = Checkup::new("shop", &checks, &shop.clock, "run").look_at(store.as_mut()).unwrap();
    assert!(report.is_healthy());
    let tables =
        store.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", &[]).unwrap();
    assert_eq!(tables.len(), 2, "{tables:?}");
}
