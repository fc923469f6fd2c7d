//! What dual write and the stages take, measured by command (`cargo xtask bench pilot --what dual-write`), not in the gate.

#![expect(clippy::disallowed_methods, reason = "a measurement asks the time")]

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use plimsoll_core::gate::Verdict;
use plimsoll_core::pilot::cutover::cohort::{CohortEvent, CohortRules};
use plimsoll_core::pilot::cutover::{CutoverRules, Said, Stage};
use plimsoll_core::value::Value;
use plimsoll_engine::pilot::carry::Reach;
use plimsoll_engine::pilot::customer::Customer;
use plimsoll_engine::pilot::drive::{Driver, Key};
use plimsoll_luckygas::schema::NEW;
use plimsoll_simulator::luckygas::Settings;

use crate::carry::{Dual, session};
use crate::support::{Database, big5};

static GO: AtomicBool = AtomicBool::new(false);

fn settings(clients: u64) -> Settings {
    Settings { deliveries: clients * 4, new_customers: 0, dirty_percent: 0, ..Settings::of(clients, 31) }
}

fn sides() -> Vec<(&'static str, Database)> {
    let postgres = Database::postgres(&NEW).map(|database| ("PostgreSQL", database));
    std::iter::once(("SQLite", Database::sqlite(&NEW))).chain(postgres).collect()
}

fn line(what: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    let mean = took.iter().sum::<f64>() / took.len() as f64;
    println!(
        "{what}: mean {mean:.1} ms, p50 {:.1}, p95 {:.1}, p99 {:.1} ({} changes)",
        at(0.5),
        at(0.95),
        at(0.99),
        took.len()
    );
}

/// From the commit on one side to the commit on the other, by a carrier that looks at once.
#[test]
#[ignore = "a measurement"]
fn what_dual_write_takes() {
    for (name, new) in sides() {
        let mut dual = Dual::generated(&settings(500), new, Reach::Everyone);
        dual.settle();
        let (mut forward, mut back) = (Vec::new(), Vec::new());
        for change in 0..400_i64 {
            let (number, note) = (Value::Integer(1 + change % 500), format!("change {change}"));
            dual.on_legacy("UPDATE clients SET notes = $1 WHERE id = $2", &[big5(&note), number.clone()]);
            let began = Instant::now();
            let there = format!("SELECT count(*) FROM customers WHERE notes = '{note}'");
            while dual.new.count(&there) == 0 {
                dual.carrier.round(&GO).unwrap();
            }
            forward.push(began.elapsed().as_secs_f64() * 1_000.0);
            let note = format!("back {change}");
            dual.on_new(
                "UPDATE customers SET notes = $1 WHERE legacy_id = $2",
                &[Value::text(note.as_str()), number.clone()],
            );
            let began = Instant::now();
            while dual.legacy_row("customer", number.as_integer().unwrap()).unwrap()["notes"] != big5(&note) {
                dual.carrier.round(&GO).unwrap();
            }
            back.push(began.elapsed().as_secs_f64() * 1_000.0);
        }
        line(&format!("{name}: legacy to new"), forward);
        line(&format!("{name}: new to legacy"), back);
    }
}

/// A hundred customers with four orders each: to the soak, and back.
#[test]
#[ignore = "a measurement"]
fn what_a_hundred_customers_take() {
    for (name, new) in sides() {
        let dual = Dual::generated(&settings(300), new, Reach::Members);
        let Dual { mut legacy, new: _new, carrier } = dual;
        let rows = legacy
            .store
            .query("SELECT id, CAST(client_code AS text) FROM clients WHERE id <= 100", &[])
            .unwrap();
        let customers: Vec<Customer> = rows
            .iter()
            .map(|row| Customer {
                code: row[1].as_text().unwrap().to_owned(),
                number: row[0].as_integer().unwrap(),
            })
            .collect();
        let member = CutoverRules { shadow_reads: 3, canary_reads: 3, soak_ms: 0, ..CutoverRules::default() };
        let mut driver = Driver {
            carrier,
            legacy: session(&legacy, "driver"),
            rules: CohortRules { member, handovers_at_most: 100 },
            key: Key { id: "bench", secret: b"a secret of thirty-two bytes or more" },
            systems: ("luckygas", "luckygas-legacy"),
        };
        let by = Said { actor: "bench".into(), reason: "measured".into() };
        driver.enrol(&customers, &BTreeSet::new(), &by).unwrap();
        let began = Instant::now();
        driver.happen(CohortEvent::Start { at_ms: 1 }, &by).unwrap();
        let all = |driver: &mut Driver<'_>, stage: Stage| {
            driver.members().unwrap().iter().all(|member| member.state.stage == stage)
        };
        while !all(&mut driver, Stage::Soak) {
            driver.run(&GO, 50).unwrap();
            let at = driver.carrier.session.clock.now().parse::<jiff::Timestamp>().unwrap().as_millisecond();
            let at_ms = u64::try_from(at).unwrap();
            // Nobody waits while a handover is under way.
            drop(driver.happen(CohortEvent::Advance { verdict: Verdict::Go, at_ms }, &by));
            driver.run(&GO, 50).unwrap();
        }
        let forward = began.elapsed().as_secs_f64();
        let began = Instant::now();
        driver.happen(CohortEvent::Back { by: by.clone(), at_ms: 2 }, &by).unwrap();
        while !all(&mut driver, Stage::RolledBack) {
            driver.run(&GO, 50).unwrap();
        }
        let back = began.elapsed().as_secs_f64();
        println!(
            "{name}: 100 customers with their orders to the soak in {forward:.1} s ({:.0} each second), back with certificates in {back:.1} s",
            100.0 / forward
        );
    }
}
