//! Following what happens, and pages of records: the same on SQLite and PostgreSQL.

use std::collections::BTreeSet;

use plimsoll_core::value::Value;
use plimsoll_engine::sync::events::{Follower, Found, MOST, SyncEvent};
use plimsoll_engine::sync::read::{self, Filter, MergedRow};
use plimsoll_engine::sync::{Sort, edit};
use plimsoll_pfa::{PfaLink, fields};
use plimsoll_simulator::pems::Options;

use crate::support::{Bench, SCOPE, values};

fn look(bench: &Bench, follower: &mut Follower) -> Vec<SyncEvent> {
    match follower.look(&mut bench.session("look"), &PfaLink).unwrap() {
        Found::Events(events) => events,
        Found::TooMany(_) => panic!("too many"),
    }
}

/// Something that happened so long ago and is only now in the store.
fn commits_late(bench: &Bench, number: u64, ago_ms: u64) {
    let mut session = bench.session("late");
    let now: jiff::Timestamp = session.clock.now().parse().unwrap();
    let at = now - std::time::Duration::from_millis(ago_ms);
    let sql = "INSERT INTO plimsoll_sync_happening (link, record_key, number, at, actor, kind, detail)
        VALUES ('pfa', 'late', $1, $2, 'late', 'sent', 'late')";
    let number = Value::Integer(number.try_into().unwrap());
    session.store.execute(sql, &[number, Value::text(format!("{at:.3}"))]).unwrap();
}

#[test]
fn who_follows_is_told_everything_once() {
    Bench::each(&Options::default(), |bench| {
        bench.pull();
        let mut follower = Follower::now(&mut bench.session("look"), &PfaLink).unwrap();
        assert_eq!(look(bench, &mut follower), []);
        bench.clock.advance_us(10_000_000);
        let key = bench.key(4);
        bench.edit("anna", &key, &[("model", "Demo")]);
        let first = look(bench, &mut follower);
        let kinds: Vec<&str> = first.iter().map(|event| event.kind.as_str()).collect();
        assert!(kinds.contains(&"changed") && kinds.contains(&"queued"), "{kinds:?}");
        assert!(first.iter().all(|event| event.key.as_deref() == Some(&key) && event.actor == "anna"));
        assert_eq!(look(bench, &mut follower), [], "told once");
        bench.settle();
        let kinds: Vec<String> = look(bench, &mut follower).into_iter().map(|event| event.kind).collect();
        assert!(kinds.contains(&"sent".into()) && kinds.contains(&"arrived".into()), "{kinds:?}");
        // Committed a little later than others that carry a later time.
        commits_late(bench, 1, 3_000);
        assert_eq!(look(bench, &mut follower).len(), 1);
        assert_eq!(look(bench, &mut follower), []);
        // Resumed behind the first event: everything after it, and it not again.
        let mut resumed = Follower::after(&first[0].id).unwrap();
        let again: BTreeSet<String> = look(bench, &mut resumed).into_iter().map(|event| event.id).collect();
        assert!(!again.contains(&first[0].id) && first[1..].iter().all(|event| again.contains(&event.id)));
        // Too many at once are not told, and what follows is.
        bench.clock.advance_us(10_000_000);
        let mut session = bench.session("burst");
        let now = session.clock.now();
        let columns = ["link", "record_key", "number", "at", "actor", "kind", "detail"];
        let rows: Vec<Vec<Value>> = (0..=i64::try_from(MOST).unwrap())
            .map(|number| {
                let text = |text: &str| Value::text(text);
                vec![
                    text("pfa"),
                    text("burst"),
                    Value::Integer(number),
                    text(&now),
                    text("x"),
                    text("sent"),
                    text("y"),
                ]
            })
            .collect();
        session.store.append("plimsoll_sync_happening", &columns, &rows).unwrap();
        let found = follower.look(&mut bench.session("look"), &PfaLink).unwrap();
        assert!(matches!(found, Found::TooMany(_)), "{found:?}");
        bench.clock.advance_us(10_000_000);
        commits_late(bench, 2, 0);
        assert_eq!(look(bench, &mut follower).len(), 1);
        assert!(Follower::after("nonsense").is_err());
    });
}

fn pages(bench: &Bench, filter: &Filter) -> (Vec<MergedRow>, BTreeSet<u64>) {
    let (mut rows, mut totals) = (Vec::new(), BTreeSet::new());
    let mut filter = Filter { limit: 7, ..filter.clone() };
    loop {
        let page = read::page(&mut bench.session("anna"), &PfaLink, "anna", &filter, true).unwrap();
        totals.extend(page.total);
        rows.extend(page.rows);
        let Some((value, key)) = page.next else { return (rows, totals) };
        (filter.after_value, filter.after) = (value, Some(key));
    }
}

#[test]
fn pages_in_any_order_hold_every_row_once() {
    Bench::each(&Options { rows_per_organization: 90, ..Options::default() }, |bench| {
        bench.pull();
        // Capital and small letters and signs sort by bytes, whatever language the database speaks.
        for (at, model) in [(3, "a"), (20, "B"), (40, ""), (41, "\u{e4}"), (60, "_"), (61, "Zz"), (62, "zZ")]
        {
            let mut anna = bench.session("anna");
            let (id, _) = edit::draft(
                &mut anna,
                &PfaLink,
                &bench.key(at),
                Some(SCOPE),
                Some(&values(&[("model", model)])),
            )
            .unwrap();
            if at % 2 == 0 {
                edit::commit(&mut anna, &PfaLink, &id).unwrap();
            }
        }
        bench.settle();
        for key in [61, 62] {
            bench.edit("bert", &bench.key(key), &[("monthly_rate", "9.50"), ("purchase_price", "9.50")]);
        }
        let all = Filter { scope: Some(SCOPE.into()), ..Filter::default() };
        let whole = read::rows(&mut bench.session("anna"), &PfaLink, "anna", &all).unwrap();
        let place = |name: &str| fields::NAMES.iter().position(|known| *known == name).unwrap();
        for name in ["model", "monthly_rate", "forecast_start", "source"] {
            for descending in [false, true] {
                let sort = Sort { field: Some(name.into()), descending };
                let (rows, totals) = pages(bench, &Filter { sort, ..all.clone() });
                assert_eq!(totals, [whole.len() as u64].into(), "{name}");
                let mut expected = whole.clone();
                // Stable: by key where the fields are equal.
                expected.sort_by(|a, b| {
                    let held = |row: &MergedRow| row.fields[place(name)].as_text().map(str::to_owned);
                    let order = |a: &String, b: &String| match name {
                        "monthly_rate" => a.parse::<f64>().unwrap().total_cmp(&b.parse().unwrap()),
                        _ => a.cmp(b),
                    };
                    match (held(a), held(b)) {
                        (Some(a), Some(b)) if descending => order(&b, &a),
                        (Some(a), Some(b)) => order(&a, &b),
                        (a, b) => a.is_none().cmp(&b.is_none()),
                    }
                });
                assert_eq!(rows, expected, "{name} descending {descending}");
            }
        }
        let (drafts, totals) = pages(bench, &Filter { state: Some("draft".into()), ..all.clone() });
        // The third one is of a record that something else waits for, which is told first.
        assert_eq!((drafts.len(), totals), (2, [2].into()));
        let model = whole[0].fields[place("model")].clone();
        let some = Filter { equal: [("model".to_owned(), model.clone())].into(), ..all };
        let (rows, totals) = pages(bench, &some);
        let expected = whole.iter().filter(|row| row.fields[place("model")] == model).count();
        assert_eq!((rows.len(), totals), (expected, [expected as u64].into()));
    });
}
