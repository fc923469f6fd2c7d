//! A pilot from end to end between two real databases: forward through every stage, and back with what was written since.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

use plimsoll_core::gate::Verdict;
use plimsoll_core::pilot::certificate::Signed;
use plimsoll_core::pilot::cutover::cohort::{CohortEvent, CohortRules};
use plimsoll_core::pilot::cutover::{CutoverRules, Event, Said, Stage};
use plimsoll_core::value::Value;
use plimsoll_engine::pilot::carry::Reach;
use plimsoll_engine::pilot::customer::Customer;
use plimsoll_engine::pilot::drive::{Driver, Key, certificate};
use plimsoll_luckygas::schema::NEW;
use plimsoll_simulator::luckygas::Settings;

use crate::carry::{Dual, session};
use crate::support::{Database, big5};

static GO: AtomicBool = AtomicBool::new(false);
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

fn rules() -> CohortRules {
    let member = CutoverRules { shadow_reads: 6, canary_reads: 6, soak_ms: 0, ..CutoverRules::default() };
    CohortRules { member, handovers_at_most: 4 }
}

fn by() -> Said {
    Said { actor: "lin".into(), reason: "pilot week 1".into() }
}

struct Pilot {
    legacy: Database,
    new: Database,
    driver: Driver<'static>,
}

impl Pilot {
    /// A pilot with these customers enrolled, the first of them being the canary.
    fn of(numbers: &[i64], new: Database) -> Self {
        let settings = Settings {
            clients: 30,
            deliveries: 120,
            new_customers: 0,
            dirty_percent: 0,
            ..Settings::of(30, 21)
        };
        let dual = Dual::generated(&settings, new, Reach::Members);
        let Dual { mut legacy, new, carrier } = dual;
        let mut customers = Vec::new();
        for number in numbers {
            let sql = "SELECT CAST(client_code AS text) FROM clients WHERE id = $1";
            let rows = legacy.store.query(sql, &[Value::Integer(*number)]).unwrap();
            customers.push(Customer { code: rows[0][0].as_text().unwrap().to_owned(), number: *number });
        }
        let legacy_session = session(&legacy, "driver");
        let mut driver = Driver {
            carrier,
            legacy: legacy_session,
            rules: rules(),
            key: Key { id: "test", secret: SECRET },
            systems: ("luckygas", "luckygas-legacy"),
        };
        let canary: BTreeSet<String> = customers.iter().take(1).map(|one| one.code.clone()).collect();
        assert_eq!(driver.enrol(&customers, &canary, &by()).unwrap().len(), numbers.len());
        assert_eq!(driver.enrol(&customers, &canary, &by()).unwrap().len(), 0);
        Self { legacy, new, driver }
    }

    fn run(&mut self) {
        // Open transactions of other tests on the same server hold the reading of its outbox back.
        for _ in 0..500 {
            let driven = self.driver.run(&GO, 50).unwrap();
            if driven.stopped.is_empty() {
                return;
            }
            assert!(
                driven.stopped.iter().all(|(_, why)| why.contains("on their way")),
                "{:?}",
                driven.stopped
            );
            self.driver.carrier.session.clock.sleep_ms(10);
        }
        panic!("it does not come to rest");
    }

    fn advance(&mut self) -> Vec<String> {
        let at_ms =
            self.driver.carrier.session.clock.now().parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let event = CohortEvent::Advance { verdict: Verdict::Go, at_ms: u64::try_from(at_ms).unwrap() };
        let moved = self.driver.happen(event, &by()).unwrap().moved;
        self.run();
        moved
    }

    fn stages(&mut self) -> Vec<Stage> {
        self.driver.members().unwrap().into_iter().map(|member| member.state.stage).collect()
    }

    fn start(&mut self) {
        self.driver.happen(CohortEvent::Start { at_ms: 1 }, &by()).unwrap();
        self.run();
    }

    /// Advances until every member soaks.
    fn soak(&mut self) {
        for _ in 0..12 {
            if self.stages().iter().all(|stage| *stage == Stage::Soak) {
                return;
            }
            self.advance();
        }
        panic!("{:?}", self.stages());
    }

    fn on_legacy(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, String> {
        self.legacy.store.execute(sql, parameters).map_err(|error| error.message)
    }

    fn on_new(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, String> {
        self.new.store.execute(sql, parameters).map_err(|error| error.message)
    }
}

fn sides() -> Vec<Database> {
    std::iter::once(Database::sqlite(&NEW)).chain(Database::postgres(&NEW)).collect()
}

#[test]
fn members_go_forward_stage_by_stage_and_back_with_what_was_written_since() {
    for new in sides() {
        let mut pilot = Pilot::of(&[3, 4, 5], new);
        // Only legacy writes for a member; the new side refuses, by its own trigger.
        pilot.start();
        assert_eq!(pilot.stages(), [Stage::Verify; 3]);
        assert_eq!(pilot.new.count("SELECT count(*) FROM customers"), 3, "members only");
        let refused = pilot.on_new("UPDATE customers SET notes = 'x' WHERE legacy_id = 3", &[]).unwrap_err();
        assert!(refused.contains("not written on this side"), "{refused}");
        assert_eq!(pilot.on_legacy("UPDATE clients SET notes = $1 WHERE id = 3", &[big5("before")]), Ok(1));

        // The canary goes before the others.
        assert_eq!(pilot.advance().len(), 3);
        assert_eq!(pilot.stages(), [Stage::ShadowReads; 3]);
        assert_eq!(pilot.advance().len(), 1);
        pilot.soak();
        assert!(pilot.on_legacy("UPDATE clients SET notes = NULL WHERE id = 3", &[]).is_err());
        assert!(pilot.on_legacy("DELETE FROM deliveries WHERE client_id = 4", &[]).is_err());
        assert!(pilot.on_legacy("UPDATE clients SET notes = NULL WHERE id = 9", &[]).is_ok(), "no member");
        assert_eq!(pilot.new.count("SELECT count(*) FROM customers WHERE notes = 'before'"), 1);

        // The new side writes: an edit, a new order, a deletion. All of it is on the legacy side too, soon.
        assert_eq!(pilot.on_new("UPDATE customers SET notes = '新系統' WHERE legacy_id = 3", &[]), Ok(1));
        let code =
            pilot.new.store.query("SELECT customer_code FROM customers WHERE legacy_id = 3", &[]).unwrap();
        let code = code[0][0].as_text().unwrap().to_owned();
        let sql = "INSERT INTO orders (order_number, customer_code, status, qty_20kg) VALUES ('N-1', $1, 'pending', 1)";
        assert_eq!(pilot.on_new(sql, &[Value::text(code.as_str())]), Ok(1));

        // One customer goes back, and takes everything along.
        let back = CohortEvent::Member { customer: code.clone(), event: Event::Back { by: by(), at_ms: 9 } };
        pilot.driver.happen(back, &by()).unwrap();
        pilot.run();
        assert_eq!(pilot.driver.members().unwrap()[0].state.stage, Stage::RolledBack);
        let notes = pilot.legacy.store.query("SELECT notes FROM clients WHERE id = 3", &[]).unwrap();
        assert_eq!(notes[0][0], big5("新系統"));
        let issued = certificate(pilot.new.store.as_mut(), &code).unwrap();
        let signed = Signed::verify(issued.as_bytes(), SECRET).unwrap();
        assert!(signed.certificate.is_whole(), "{}", signed.to_markdown());
        let moved: Vec<u64> =
            signed.certificate.tables.iter().map(|table| table.inserted + table.updated).collect();
        assert_eq!(moved, [1, 1], "{}", signed.to_markdown());
        assert!(Signed::verify(issued.replace('1', "2").as_bytes(), SECRET).is_err());
        // Legacy writes again, and the new side does not.
        assert!(pilot.on_legacy("UPDATE clients SET notes = NULL WHERE id = 3", &[]).is_ok());
        assert!(pilot.on_new("UPDATE customers SET notes = NULL WHERE legacy_id = 3", &[]).is_err());

        // Then the cohort.
        pilot.driver.happen(CohortEvent::Back { by: by(), at_ms: 10 }, &by()).unwrap();
        pilot.run();
        assert_eq!(pilot.stages(), [Stage::RolledBack; 3]);
    }
}

#[test]
fn a_rollback_before_the_switch_moves_nothing_and_a_pause_holds_the_stage() {
    let mut pilot = Pilot::of(&[6, 7], Database::sqlite(&NEW));
    pilot.start();
    pilot.driver.happen(CohortEvent::Pause, &by()).unwrap();
    let refused =
        pilot.driver.happen(CohortEvent::Advance { verdict: Verdict::Go, at_ms: 2 }, &by()).unwrap_err();
    assert!(refused.message.contains("paused"), "{refused}");
    assert_eq!(pilot.stages(), [Stage::Verify; 2]);
    pilot.driver.happen(CohortEvent::Resume, &by()).unwrap();
    pilot.run();
    assert_eq!(pilot.advance().len(), 2);
    pilot.driver.happen(CohortEvent::Back { by: by(), at_ms: 3 }, &by()).unwrap();
    pilot.run();
    assert_eq!(pilot.stages(), [Stage::RolledBack; 2]);
    let code = pilot.driver.members().unwrap()[0].customer.clone();
    let signed =
        Signed::verify(certificate(pilot.new.store.as_mut(), &code).unwrap().as_bytes(), SECRET).unwrap();
    assert!(signed.certificate.is_whole());
    assert!(
        signed.certificate.tables.iter().all(|table| table.inserted + table.updated + table.deleted == 0)
    );
}

#[test]
fn a_difference_that_somebody_planted_stops_the_switch_and_is_repaired_from_the_right_side() {
    let mut pilot = Pilot::of(&[8], Database::sqlite(&NEW));
    pilot.start();
    // Past the fences and past capture, as a person with the file in an editor would.
    pilot.new.store.run_script("UPDATE luckygas_carrier SET at_work = 1; UPDATE customers SET address = 'elsewhere' WHERE legacy_id = 8; UPDATE luckygas_carrier SET at_work = 0; UPDATE luckygas_outbox SET origin = 'x' WHERE origin IS NULL;").unwrap();
    assert_eq!(pilot.advance().len(), 1);
    let address = pilot.new.store.query("SELECT address FROM customers WHERE legacy_id = 8", &[]).unwrap();
    assert_ne!(address[0][0].as_text(), Some("elsewhere"), "legacy is right until the switch");
    assert_eq!(pilot.stages(), [Stage::ShadowReads]);
}

/// A repair that somebody ran is captured like everybody's writes, and the line of a part of a record does not tell the
/// record's number. Taken for a record of its own, it once had the order deleted on both sides.
#[test]
fn a_row_that_came_over_by_a_repair_is_no_new_record() {
    let mut pilot = Pilot::of(&[9], Database::sqlite(&NEW));
    pilot.start();
    let made = "INSERT INTO deliveries (client_id, status, qty_4kg) VALUES (9, $1, 777)";
    assert_eq!(pilot.on_legacy(made, &[big5("待派")]), Ok(1));
    let number = pilot.legacy.count("SELECT id FROM deliveries WHERE qty_4kg = 777");
    let script = format!(
        "UPDATE luckygas_carrier SET at_work = 1;
         INSERT INTO orders (order_number, legacy_id, customer_code, status, qty_4kg)
         SELECT 'L{number:09}', {number}, customer_code, 'pending', 777 FROM customers WHERE legacy_id = 9;
         INSERT INTO deliveries (order_number) VALUES ('L{number:09}');
         UPDATE luckygas_carrier SET at_work = 0;"
    );
    pilot.new.store.run_script(&script).unwrap();
    pilot.soak();
    pilot.run();
    assert_eq!(pilot.legacy.count("SELECT count(*) FROM deliveries WHERE qty_4kg = 777"), 1);
    assert_eq!(pilot.new.count("SELECT count(*) FROM orders WHERE qty_4kg = 777"), 1);
}

/// What a side wrote and nobody heard of yet is on its way, and no difference that a repair would touch.
#[test]
fn what_nobody_heard_of_yet_is_on_its_way() {
    let mut pilot = Pilot::of(&[10], Database::sqlite(&NEW));
    pilot.start();
    let customer = Customer { code: pilot.driver.members().unwrap()[0].customer.clone(), number: 10 };
    assert_eq!(pilot.on_legacy("UPDATE clients SET notes = $1 WHERE id = 10", &[big5("x")]), Ok(1));
    let parity = pilot.driver.compare(&customer).unwrap();
    assert_eq!((parity.differing, parity.pending), (0, 1), "{parity:?}");
    pilot.run();
    let parity = pilot.driver.compare(&customer).unwrap();
    assert_eq!((parity.differing, parity.pending), (0, 0), "{parity:?}");
}
