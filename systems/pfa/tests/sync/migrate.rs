//! Moving to PostgreSQL with everything that is open.

use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::sync::migrate;
use plimsoll_pfa::LINKED;
use plimsoll_simulator::pems::{FaultKind, Options};
use plimsoll_testkit::postgres_server::PostgresServer;

use crate::support::Bench;

#[test]
fn everything_open_moves_along_and_goes_on_there() {
    let Some(server) = PostgresServer::shared() else { return };
    let mut bench = Bench::sqlite(Options::default());
    bench.pull();
    bench.edit("anna", &bench.key(0), &[("model", "Demo waits")]);
    bench.edit("anna", &bench.key(1), &[("model", "Demo mine")]);
    bench.elsewhere(&bench.key(1), &[("model", "Demo theirs")]);
    bench.pems.force(FaultKind::LostAcknowledgement, 1);
    bench.send();
    let before = bench.status();
    assert!(before.conflicts == 1 && before.due == 1, "{before:?}");
    let mut source = bench.session("anna");
    bench.move_to(server.database().unwrap().parse().unwrap());
    let mut session = bench.session("anna");
    let plan = migrate::plan(&mut session, &LINKED, source.store.as_mut()).unwrap();
    let run = apply::start(&mut session, &plan, &StartRun::default()).unwrap();
    apply::drive(&mut session, &run.id, None).unwrap();
    let compared = migrate::compare(&LINKED, source.store.as_mut(), session.store.as_mut()).unwrap();
    for one in &compared {
        assert!(one.equal, "{one:?}");
    }
    assert_eq!(compared[0].to.rows, 200);
    assert_eq!(bench.status().conflicts, 1);
    bench.settle();
    bench.assert_sent_once();
    assert_eq!(bench.there(&bench.key(0), "model").as_deref(), Some("Demo waits"));
}
