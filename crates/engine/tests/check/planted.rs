//! Every kind of check over tables: green as things are, red with its number after its fault was planted.

use plimsoll_engine::check::{Check, Finding, Verdict};

use crate::shop::{Shop, check, named};

/// Green before, red after, everywhere; with a sample row where the kind has some.
fn planted(lines: &str, fault: &str, value: f64, sampled: bool) {
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        let before = shop.find(&check);
        assert_eq!(before.verdict, Verdict::Pass, "{} before: {before:?}", shop.name);
        shop.script(fault);
        let after = shop.find(&check);
        assert_eq!((after.verdict, after.value), (Verdict::Fail, Some(value)), "{}: {after:?}", shop.name);
        let rows = after.samples.as_ref().map_or(0, |table| table.rows.len());
        assert_eq!(rows > 0, sampled, "{}: {after:?}", shop.name);
    }
}

fn number(finding: &Finding, name: &str) -> f64 {
    finding.numbers.iter().find(|number| number.name == name).map_or(f64::NAN, |number| number.value)
}

#[test]
fn completeness() {
    let lines = "kind: completeness\ntable: customers\ncolumn: email\nrule: = 0";
    planted(lines, "UPDATE customers SET email = NULL WHERE id < 3", 2.0, true);
    let share = "kind: completeness\ntable: customers\ncolumn: email\nmissing: n/a, none\nrule: < 25 percent";
    planted(share, "UPDATE customers SET email = 'n/a' WHERE id = 3", 25.0, true);
    let present = "kind: completeness\ntable: customers\ncolumn: email\nnumber: present\nrule: > 75 percent";
    planted(present, "UPDATE customers SET email = NULL WHERE id = 3", 75.0, true);
}

#[test]
fn uniqueness() {
    let lines = "kind: uniqueness\ntable: orders\ncolumn: number\nrule: = 0";
    planted(lines, "UPDATE orders SET number = 'A-1' WHERE id < 4", 3.0, true);
    let together =
        "kind: uniqueness\ntable: customers\ncolumns: country age\nnumber: surplus-rows\nrule: = 0";
    planted(together, "UPDATE customers SET age = 36 WHERE id < 3", 1.0, true);
    // Two nulls are not the same value.
    let nulls = check("kind: uniqueness\ntable: orders\ncolumn: number\nrule: = 0");
    for mut shop in Shop::everywhere() {
        shop.script("UPDATE orders SET number = NULL WHERE id > 3");
        assert_eq!(shop.find(&nulls).verdict, Verdict::Pass, "{}", shop.name);
    }
}

#[test]
fn the_three_duplicate_counts_of_other_tools() {
    // One value in 200 rows: Great Expectations says 200, Soda 199, datacontract-cli 1.
    let checks: Vec<Check> = [("duplicate_rows", 200.0), ("surplus_rows", 199.0), ("repeated_values", 1.0)]
        .iter()
        .map(|(name, _)| {
            named(
                &name.replace('_', "-"),
                &format!("kind: uniqueness\ntable: many\ncolumn: code\nnumber: {name}\nrule: = 0"),
            )
        })
        .collect();
    for mut shop in Shop::everywhere() {
        shop.script("CREATE TABLE many (code text)");
        let same = vec!["('x')"; 200].join(", ");
        shop.script(&format!("INSERT INTO many VALUES ('a'), ('b'), ('c'), {same}"));
        let report = shop.run(&checks);
        let values: Vec<Option<f64>> = report.findings.iter().map(|found| found.value).collect();
        assert_eq!(values, [Some(200.0), Some(199.0), Some(1.0)], "{}", shop.name);
        let found = &report.findings[0];
        assert_eq!(found.sample_size, Some(203));
        assert_eq!((number(found, "distinct_values"), number(found, "surplus_rows")), (4.0, 199.0));
    }
}

#[test]
fn range() {
    let lines = "kind: range\ntable: customers\ncolumn: age\nmin: 0\nmax: 120\nrule: = 0";
    planted(
        lines,
        "UPDATE customers SET age = 120.5 WHERE id = 1; UPDATE customers SET age = -1 WHERE id = 2",
        2.0,
        true,
    );
    let days = "kind: range\ntable: customers\ncolumn: seen_at\nmin: 2020-01-01\nrule: = 0";
    planted(days, "UPDATE customers SET seen_at = '1970-01-01 00:00:00' WHERE id = 1", 1.0, true);
    let exact = "kind: range\ntable: orders\ncolumn: amount\nmin: 0.01\nrule: = 0";
    planted(exact, "UPDATE orders SET amount = 0 WHERE id = 1", 1.0, true);
}

#[test]
fn accepted_values() {
    let lines = "kind: accepted-values\ntable: orders\ncolumn: status\nvalues: paid, open\nrule: = 0";
    planted(lines, "UPDATE orders SET status = 'O''Neil' WHERE id = 1", 1.0, true);
    // Null is a matter of completeness.
    let nulls = check(lines);
    for mut shop in Shop::everywhere() {
        shop.script("UPDATE orders SET status = NULL WHERE id < 4");
        let found = shop.find(&nulls);
        assert_eq!((found.verdict, found.sample_size), (Verdict::Pass, Some(3)), "{}", shop.name);
    }
}

#[test]
fn pattern() {
    let lines = "kind: pattern\ntable: customers\ncolumn: email\npattern: ^[a-z]+@[a-z.]+$\nrule: = 0";
    planted(lines, "UPDATE customers SET email = 'Ada''s' WHERE id = 1", 1.0, true);
    let wrong = check("kind: pattern\ntable: customers\ncolumn: email\npattern: [\nrule: = 0");
    for mut shop in Shop::everywhere() {
        assert_eq!(shop.find(&wrong).verdict, Verdict::Error, "{}", shop.name);
    }
}

#[test]
fn orphans() {
    let lines = "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: customers.id\nrule: = 0";
    planted(lines, "UPDATE orders SET customer_id = 99 WHERE id < 3", 2.0, true);
    let together = "kind: orphans\ntable: orders\ncolumns: customer_id id\nrefers-to: customers (id, id)\nwhere: id = 1\nrule: = 0";
    planted(together, "UPDATE orders SET customer_id = 2 WHERE id = 1", 1.0, true);
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        shop.script("DELETE FROM customers WHERE id = 1");
        let found = shop.find(&check);
        // An order without a customer refers to nobody and is not lost.
        assert_eq!(
            (found.value, found.sample_size, number(&found, "matched")),
            (Some(2.0), Some(5), 3.0),
            "{}",
            shop.name
        );
    }
}

#[test]
fn row_count() {
    planted(
        "kind: row-count\ntable: orders\nrule: between 5 and 10",
        "DELETE FROM orders WHERE id > 3",
        3.0,
        false,
    );
    planted(
        "kind: row-count\ntable: orders\nwhere: status = 'paid'\nrule: > 2",
        "DELETE FROM orders WHERE id = 1",
        2.0,
        false,
    );
    planted("kind: row-count\ntable: orders\nrule: > 0", "DELETE FROM orders", 0.0, false);
}

#[test]
fn freshness() {
    let lines = "kind: freshness\ntable: customers\ncolumn: seen_at\nrule: < 7 h";
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        let found = shop.find(&check);
        assert_eq!(
            (found.verdict, found.value.map(f64::floor)),
            (Verdict::Pass, Some(6.0)),
            "{}: {found:?}",
            shop.name
        );
        shop.script("DELETE FROM customers WHERE id = 1");
        let found = shop.find(&check);
        assert_eq!(
            (found.verdict, found.value.map(f64::floor)),
            (Verdict::Fail, Some(30.0)),
            "{}: {found:?}",
            shop.name
        );
        // A date in the future would be fresh for ever.
        shop.script("UPDATE customers SET seen_at = '2062-03-20 06:00:00' WHERE id = 2");
        let found = shop.find(&check);
        assert_eq!(found.verdict, Verdict::Error, "{}: {found:?}", shop.name);
        assert!(found.message.unwrap().contains("future"));
    }
}

#[test]
fn schema() {
    let lines = "kind: schema\ntable: customers\ncolumns: id bigint, email text, age double, country text, seen_at timestamp\n\
                 exact: true\nrule: = 0";
    planted(
        lines,
        "ALTER TABLE customers ADD COLUMN note text; ALTER TABLE customers RENAME COLUMN email TO mail",
        3.0,
        true,
    );
    let types =
        check("kind: schema\ntable: customers\ncolumns: id text, email text not null, lost\nrule: = 0");
    for mut shop in Shop::everywhere() {
        let found = shop.find(&types);
        assert_eq!((found.verdict, found.value), (Verdict::Fail, Some(3.0)), "{}: {found:?}", shop.name);
    }
}

#[test]
fn custom_sql_with_its_sample() {
    let lines = "rule: = 0\nSELECT count(*) AS value FROM orders WHERE amount > 100\n\
                 -- sample:\nSELECT id, amount FROM orders WHERE amount > 100";
    planted(lines, "UPDATE orders SET amount = 100.01 WHERE id = 1", 1.0, true);
}

#[test]
fn latency_of_a_query() {
    // The clock moves on a millisecond with each question.
    let quick = check("kind: latency\nruns: 3\nrule: < 2 ms\nSELECT count(*) FROM orders");
    let slow = check("kind: latency\nruns: 3\nrule: < 1 ms\nSELECT count(*) FROM orders");
    for mut shop in Shop::everywhere() {
        assert_eq!(shop.find(&quick).verdict, Verdict::Pass, "{}", shop.name);
        let found = shop.find(&slow);
        assert_eq!((found.verdict, found.value), (Verdict::Fail, Some(1.0)), "{}", shop.name);
    }
}

#[test]
fn index_use() {
    let lines = "kind: index-use\nindexes: orders_customer\nrule: = 0\n\
                 SELECT * FROM orders WHERE customer_id = 3";
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        let without = shop.find(&check);
        if shop.name == "DuckDB" {
            assert_eq!(without.verdict, Verdict::Error);
            assert!(without.message.unwrap().contains("no indexes"));
            continue;
        }
        assert_eq!(
            (without.verdict, without.value),
            (Verdict::Fail, Some(2.0)),
            "{}: {without:?}",
            shop.name
        );
        shop.script("CREATE INDEX orders_customer ON orders (customer_id)");
        let with = shop.find(&check);
        assert_eq!((with.verdict, with.value), (Verdict::Pass, Some(0.0)), "{}: {with:?}", shop.name);
        shop.script("DROP INDEX orders_customer");
        assert_eq!(shop.find(&check).verdict, Verdict::Fail, "{}", shop.name);
    }
}

#[test]
fn anomaly_of_a_series() {
    let lines = "kind: anomaly\nminimum: 7\nweekly: false\nrule: < 5\n\
                 SELECT day, value FROM sales ORDER BY day";
    let check = check(lines);
    for mut shop in Shop::everywhere() {
        shop.script("CREATE TABLE sales (day date, value double precision)");
        let rows: Vec<String> =
            (1..=20).map(|day| format!("('2026-02-{day:02}', {})", 100 + (day * 7) % 5)).collect();
        shop.script(&format!("INSERT INTO sales VALUES {}", rows.join(", ")));
        let calm = shop.find(&check);
        assert_eq!((calm.verdict, calm.sample_size), (Verdict::Pass, Some(19)), "{}: {calm:?}", shop.name);
        assert!(calm.message.as_ref().unwrap().contains("fires on +20 % with p = 1.00"), "{calm:?}");
        shop.script("INSERT INTO sales VALUES ('2026-02-21', 125)");
        let found = shop.find(&check);
        assert_eq!(found.verdict, Verdict::Fail, "{}: {found:?}", shop.name);
        shop.script("DELETE FROM sales WHERE day < '2026-02-16'");
        assert_eq!(shop.find(&check).verdict, Verdict::Unknown, "{}", shop.name);
    }
}

#[test]
fn checks_of_one_table_are_one_scan() {
    let checks = [
        named("a", "kind: completeness\ntable: customers\ncolumn: email\nrule: = 0"),
        named("b", "kind: completeness\ntable: customers\ncolumn: country\nrule: = 0"),
        named("c", "kind: range\ntable: customers\ncolumn: age\nmin: 0\nrule: = 0"),
        named("d", "kind: accepted-values\ntable: customers\ncolumn: country\nvalues: TW, JP\nrule: = 0"),
        named("e", "kind: row-count\ntable: customers\nrule: > 0"),
        named("f", "kind: freshness\ntable: customers\ncolumn: seen_at\nrule: < 7 h"),
        named("g", "kind: row-count\ntable: orders\nrule: > 0"),
        named("h", "kind: orphans\ntable: orders\ncolumn: customer_id\nrefers-to: customers.id\nrule: = 0"),
        named("i", "kind: uniqueness\ntable: orders\ncolumn: number\nrule: = 0"),
        named("j", "kind: uniqueness\ntable: orders\ncolumn: number\nnumber: surplus_rows\nrule: = 0"),
    ];
    for mut shop in Shop::everywhere() {
        let report = shop.run(&checks);
        assert!(report.is_healthy(), "{}: {}", shop.name, report.to_text());
        // Two catalogs, two scans, one statement for orphans, one for both checks of repeated values.
        assert_eq!(report.statements, 6, "{}", shop.name);
    }
}

#[test]
fn a_bad_condition_does_not_blame_its_neighbors() {
    let checks = [
        named("good", "kind: completeness\ntable: customers\ncolumn: email\nrule: = 0"),
        named("lost-column", "kind: completeness\ntable: customers\ncolumn: mail\nrule: = 0"),
        named("bad-condition", "kind: row-count\ntable: customers\nwhere: nonsense(id) > 3\nrule: > 0"),
        named("lost-table", "kind: row-count\ntable: people\nrule: >= 0"),
        named("also-good", "kind: range\ntable: customers\ncolumn: age\nmin: 0\nrule: = 0"),
        named("bad-query", "rule: = 0\nSELECT lost FROM customers"),
        named("last", "rule: = 4\nSELECT count(*) FROM customers"),
    ];
    for mut shop in Shop::everywhere() {
        let report = shop.run(&checks);
        let verdicts: Vec<Verdict> = report.findings.iter().map(|found| found.verdict).collect();
        use Verdict::{Error, Pass};
        assert_eq!(
            verdicts,
            [Pass, Error, Error, Error, Pass, Error, Pass],
            "{}: {}",
            shop.name,
            report.to_text()
        );
        let message = report.finding("lost-column").unwrap().message.as_ref().unwrap();
        assert!(message.contains("hint: it has id, email"), "{message}");
        assert!(!report.is_healthy());
    }
}
