//! Stopping and going on: the error budget, pause, cancel, resume, pace, and who may work on a run.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plimsoll_core::id::Id;
use plimsoll_core::item::Item;
use plimsoll_core::run::RunStatus;
use plimsoll_engine::change::apply;
use plimsoll_engine::change::run::{self, LONGEST_THROTTLE_MS, MOST_WORKERS, Run, RunSettings};
use plimsoll_engine::change::{control, undo, verify};
use plimsoll_engine::event;
use plimsoll_engine::session::Session;
use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_testkit::fixture::*;
use plimsoll_testkit::probe::{Acting, CrashAt};

crate::on_each_store!(
    too_many_errors_stop_the_run_and_a_larger_budget_lets_it_go_on,
    a_number_of_errors_stops_the_run_too,
    a_run_pauses_after_its_batch_and_another_session_resumes_it,
    a_cancelled_run_keeps_what_it_applied_and_goes_no_further,
    a_run_whose_process_is_gone_is_paused_and_cancelled_at_once,
    a_run_of_a_living_process_is_not_taken_over,
    a_process_that_lost_its_run_writes_nothing_more_and_stops_nobody,
    a_run_taken_over_and_finished_stays_finished,
    an_error_that_is_not_the_datas_stops_the_run_and_resume_goes_on,
    resume_may_change_the_pace
);

/// Does something each time a point is passed, with the number of the pass from 1.
fn at(
    point: &'static str,
    act: impl Fn(u32) -> Result<(), EngineError> + Send + Sync + 'static,
) -> Arc<dyn plimsoll_engine::session::Probe> {
    let passes = AtomicU32::new(0);
    Arc::new(Acting(move |reached| {
        if reached != point {
            return Ok(());
        }
        act(passes.fetch_add(1, Ordering::SeqCst) + 1)
    }))
}

fn balances(session: &mut Session, count: i64) -> Vec<Item> {
    seed(session, 1..=count);
    (1..=count).map(|id| set_balance(session, id, 1)).collect()
}

fn started(session: &mut Session, items: &[Item], settings: RunSettings) -> Id {
    let plan = plan(session, items);
    apply::start(session, &plan, &start_with(settings)).unwrap().id
}

fn load(session: &mut Session, id: &Id) -> Run {
    run::load(session.store.as_mut(), id).unwrap()
}

fn done(session: &mut Session) -> i64 {
    number(session, "SELECT count(*) FROM account WHERE balance = 1")
}

fn too_many_errors_stop_the_run_and_a_larger_budget_lets_it_go_on(place: &Place) {
    let session = &mut place.session();
    let mut items = balances(session, 300);
    for id in (2..=140).step_by(2) {
        items[usize::try_from(id - 1).unwrap()] = set_balance(session, id, -1);
    }
    let settings = RunSettings { max_error_share: 0.3, ..batches_of(50) };
    let id = started(session, &items, settings);
    let error = apply::drive(session, &id, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped);
    assert!(error.message.contains("more than the 30 % allowed"), "{error}");
    let stopped = load(session, &id);
    assert_eq!((stopped.status, stopped.batches), (RunStatus::Stopped, 2));
    assert_eq!(stopped.stop_class.as_deref(), Some("error_budget"));
    assert_eq!(done(session), 50);
    // With the same budget it applies one more batch and stops again.
    let session = &mut place.session();
    control::resume(session, &id, None, &|_| {}).unwrap_err();
    assert_eq!(load(session, &id).batches, 3);
    let run = control::resume(session, &id, None, &|settings| settings.max_error_share = 0.9).unwrap();
    assert_eq!((run.status, run.tally.applied, run.tally.quarantined), (RunStatus::Finished, 230, 70));
    assert_eq!((run.stop_class, run.stop_reason), (None, None));
    assert!(run.tally.conserved() && verify::verify(session, &id).unwrap().ok);
}

fn a_number_of_errors_stops_the_run_too(place: &Place) {
    let session = &mut place.session();
    let mut items = balances(session, 40);
    for id in [1, 2, 12] {
        items[usize::try_from(id - 1).unwrap()] = set_balance(session, id, -1);
    }
    let id = started(session, &items, RunSettings { max_errors: Some(2), ..batches_of(10) });
    let error = apply::drive(session, &id, None).unwrap_err();
    assert!(error.message.contains("3 items failed or conflicted, more than the 2 allowed"), "{error}");
    assert_eq!(load(session, &id).batches, 2);
    let run = control::resume(session, &id, None, &|settings| settings.max_errors = None).unwrap();
    assert_eq!((run.status, run.batches, run.tally.quarantined), (RunStatus::Finished, 4, 3));
}

fn a_run_pauses_after_its_batch_and_another_session_resumes_it(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let id = started(session, &items, batches_of(10));
    let (asked, wanted) = (std::sync::Mutex::new(place.session()), id.clone());
    session.probe = at("batch.committed", move |pass| {
        if pass == 2 {
            control::pause(&mut asked.lock().unwrap(), &wanted, "lunch")?;
        }
        Ok(())
    });
    let paused = apply::drive(session, &id, None).unwrap();
    assert_eq!((paused.status, paused.batches, done(session)), (RunStatus::Paused, 2, 20));
    assert_eq!((paused.requested, paused.owner), (None, None));
    let other = &mut place.session();
    let run = control::resume(other, &id, None, &|_| {}).unwrap();
    assert_eq!((run.status, run.batches, done(other)), (RunStatus::Finished, 5, 50));
    assert!(verify::verify(other, &id).unwrap().ok);
    let events = event::list(other.store.as_mut(), Some(id.as_str())).unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    let wanted = ["run.started", "run.pause_requested", "run.paused", "run.resumed", "run.finished"];
    assert_eq!(kinds, wanted);
}

fn a_cancelled_run_keeps_what_it_applied_and_goes_no_further(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let before = digests(session);
    let id = started(session, &items, batches_of(10));
    let (asked, wanted) = (std::sync::Mutex::new(place.session()), id.clone());
    session.probe = at("batch.committed", move |pass| {
        if pass == 3 {
            control::cancel(&mut asked.lock().unwrap(), &wanted, "wrong file")?;
        }
        Ok(())
    });
    let cancelled = apply::drive(session, &id, None).unwrap();
    assert_eq!((cancelled.status, cancelled.batches, done(session)), (RunStatus::Cancelled, 3, 30));
    assert!(cancelled.finished_at.is_some());
    let session = &mut place.session();
    for error in [
        control::resume(session, &id, None, &|_| {}).unwrap_err(),
        control::pause(session, &id, "").unwrap_err(),
        control::cancel(session, &id, "").unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Usage, "{error}");
        assert!(error.message.contains("plimsoll undo"), "{error}");
    }
    assert!(verify::verify(session, &id).unwrap().ok);
    let mode = plimsoll_core::undo::UndoMode::Refuse;
    undo::undo(session, &id, mode, &batches_of(7), "").unwrap();
    assert_eq!(digests(session), before);
}

fn give_to(session: &mut Session, id: &Id, owner: &str) {
    sql(session, &format!("UPDATE plimsoll_run SET owner = '{owner}' WHERE id = '{id}'"));
}

fn a_run_whose_process_is_gone_is_paused_and_cancelled_at_once(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 20);
    let id = started(session, &items, batches_of(10));
    give_to(session, &id, "");
    assert_eq!(control::pause(session, &id, "").unwrap().status, RunStatus::Paused);
    // Asked for while paused, it takes effect at once too.
    assert_eq!(control::cancel(session, &id, "").unwrap().status, RunStatus::Cancelled);
    assert_eq!(done(session), 0);
}

/// The text form of a process that lives as long as the machine.
fn first_process() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let stat = fs::read_to_string("/proc/1/stat").unwrap();
    let start = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(19).unwrap().to_owned();
    format!("{}/1/{start}", host.trim())
}

fn a_run_of_a_living_process_is_not_taken_over(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 20);
    let id = started(session, &items, batches_of(10));
    give_to(session, &id, &first_process());
    let error = control::resume(session, &id, None, &|_| {}).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains("is being applied by process"), "{error}");
    assert_eq!(control::pause(session, &id, "").unwrap().status, RunStatus::Running);
    // A process elsewhere is believed until its lease ends.
    give_to(session, &id, "elsewhere/1/1");
    assert_eq!(control::resume(session, &id, None, &|_| {}).unwrap_err().kind, ErrorKind::Refused);
    place.clock().advance_us(61_000_000);
    let run = control::resume(session, &id, None, &|_| {}).unwrap();
    assert_eq!((run.status, done(session)), (RunStatus::Finished, 20));
}

fn a_process_that_lost_its_run_writes_nothing_more_and_stops_nobody(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let id = started(session, &items, batches_of(10));
    let (winner, wanted) = (std::sync::Mutex::new(place.session()), id.clone());
    session.probe = at("batch.committed", move |pass| {
        if pass == 1 {
            let winner = &mut winner.lock().unwrap();
            winner.probe = CrashAt::new("batch.committed", 2);
            let error = control::resume(winner, &wanted, None, &|_| {}).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Crash, "{error}");
        }
        Ok(())
    });
    let error = apply::drive(session, &id, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped, "{error}");
    let left = load(session, &id);
    assert_eq!((left.status, left.batches, done(session)), (RunStatus::Running, 3, 30));
    assert!(left.owner.is_some());
    let run = control::resume(&mut place.session(), &id, None, &|_| {}).unwrap();
    assert_eq!((run.status, run.batches, run.tally.applied), (RunStatus::Finished, 5, 50));
    assert!(verify::verify(session, &id).unwrap().ok);
}

fn a_run_taken_over_and_finished_stays_finished(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let id = started(session, &items, batches_of(10));
    let (winner, wanted) = (std::sync::Mutex::new(place.session()), id.clone());
    session.probe = at("batch.committed", move |pass| {
        if pass == 1 {
            let winner = &mut winner.lock().unwrap();
            assert_eq!(control::resume(winner, &wanted, None, &|_| {})?.status, RunStatus::Finished);
        }
        Ok(())
    });
    assert_eq!(apply::drive(session, &id, None).unwrap_err().kind, ErrorKind::Stopped);
    let run = load(session, &id);
    assert_eq!((run.status, run.batches, run.tally.applied), (RunStatus::Finished, 5, 50));
    assert_eq!(run.stop_reason, None);
}

fn an_error_that_is_not_the_datas_stops_the_run_and_resume_goes_on(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let id = started(session, &items, batches_of(10));
    let other = std::sync::Mutex::new(place.session());
    session.probe = at("batch.committed", move |pass| {
        if pass == 2 {
            sql(&mut other.lock().unwrap(), "ALTER TABLE account RENAME TO away");
        }
        Ok(())
    });
    let error = apply::drive(session, &id, None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Store, "{error}");
    let session = &mut place.session();
    let stopped = load(session, &id);
    assert_eq!((stopped.status, stopped.batches), (RunStatus::Stopped, 2));
    assert_eq!(stopped.stop_class.as_deref(), Some("schema"));
    assert_eq!(number(session, "SELECT count(*) FROM plimsoll_quarantine"), 0);
    sql(session, "ALTER TABLE away RENAME TO account");
    let run = control::resume(session, &id, None, &|_| {}).unwrap();
    assert_eq!((run.status, run.tally.applied, done(session)), (RunStatus::Finished, 50, 50));
}

fn resume_may_change_the_pace(place: &Place) {
    let session = &mut place.session();
    let items = balances(session, 50);
    let id = started(session, &items, batches_of(10));
    session.probe = CrashAt::new("batch.committed", 1);
    apply::drive(session, &id, None).unwrap_err();
    let session = &mut place.session();
    let error = control::resume(session, &id, None, &|settings| settings.batch_size = Some(0)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage, "{error}");
    let run = control::resume(session, &id, None, &|settings| settings.batch_size = None).unwrap();
    assert_eq!((run.status, run.batches, run.tally.applied), (RunStatus::Finished, 2, 50));
    assert!(verify::verify(session, &id).unwrap().ok);
}

#[test]
fn throttle_waits_between_batches_only() {
    let place = place();
    let session = &mut place.session();
    let items = balances(session, 50);
    let plan = plan(session, &items);
    apply_plan(session, &plan, RunSettings { throttle_ms: 100, ..batches_of(10) }).unwrap();
    assert_eq!(place.clock().slept_ms(), 400);
}

#[test]
fn settings_with_which_a_run_would_never_end_or_look_abandoned_are_refused() {
    let place = place();
    let session = &mut place.session();
    let items = balances(session, 20);
    let plan = plan(session, &items);
    for (settings, named) in [
        (RunSettings { batch_size: Some(0), ..RunSettings::default() }, "at least one item"),
        (RunSettings { workers: 0, ..RunSettings::default() }, "1 to 64 workers"),
        (RunSettings { workers: MOST_WORKERS + 1, ..RunSettings::default() }, "1 to 64 workers"),
        (RunSettings { max_error_share: 1.01, ..RunSettings::default() }, "no share"),
        (RunSettings { max_error_share: f64::NAN, ..RunSettings::default() }, "no share"),
        (RunSettings { throttle_ms: LONGEST_THROTTLE_MS + 1, ..RunSettings::default() }, "abandoned"),
    ] {
        let error = apply::start(session, &plan, &start_with(settings)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage, "{error}");
        assert!(error.message.contains(named) && error.message.contains("hint: "), "{error}");
    }
    apply_plan(session, &plan, RunSettings { throttle_ms: LONGEST_THROTTLE_MS, ..batches_of(10) }).unwrap();
}

fn sizes(session: &mut Session) -> Vec<i64> {
    let rows = session.store.query("SELECT end_item - first_item FROM plimsoll_batch ORDER BY number", &[]);
    rows.unwrap().into_iter().map(|row| row[0].as_integer().unwrap()).collect()
}

#[test]
fn an_adaptive_batch_grows_while_it_is_fast_and_shrinks_when_it_is_slow() {
    let place = place();
    let session = &mut place.session();
    let items = balances(session, 400);
    let clock = Arc::clone(place.clock());
    session.probe = at("batch.written", move |pass| {
        clock.advance_us(if pass <= 4 { 2_000 } else { 1_000_000 });
        Ok(())
    });
    let plan = plan(session, &items);
    let settings = RunSettings { adaptive_target_ms: Some(50), ..batches_of(10) };
    let run = apply_plan(session, &plan, settings).unwrap();
    assert_eq!(run.status, RunStatus::Finished);
    let sizes = sizes(session);
    assert_eq!(sizes[..6], [10, 20, 40, 80, 160, 40], "{sizes:?}");
    assert_eq!((sizes[6], sizes[7], sizes[8]), (10, 2, 1), "{sizes:?}");
    assert_eq!(done(session), 400);
}

#[test]
fn progress_is_told_with_what_is_left() {
    let place = place();
    let session = &mut place.session();
    let items = balances(session, 40);
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let clock = Arc::clone(place.clock());
    session.probe = at("batch.written", move |_| {
        clock.advance_us(10_000);
        Ok(())
    });
    let to = Arc::clone(&told);
    session.progress = Arc::new(move |progress| {
        if progress.phase == "applying" {
            to.lock().unwrap().push((progress.done, progress.total, progress.eta_ms.unwrap() / 10));
        }
    });
    let plan = plan(session, &items);
    apply_plan(session, &plan, batches_of(10)).unwrap();
    let told = told.lock().unwrap().clone();
    assert_eq!(told.iter().map(|told| told.0).collect::<Vec<_>>(), [10, 20, 30, 40]);
    assert!(told.iter().all(|told| told.1 == Some(40)));
    assert_eq!(told.iter().map(|told| told.2).collect::<Vec<_>>(), [3, 2, 1, 0]);
}

#[test]
fn a_deadlock_is_tried_again() {
    let Some(place) = Place::postgres() else { return };
    let session = &mut place.session();
    let items = balances(session, 2);
    let id = started(session, &items, batches_of(10));
    let mut other = place.session();
    other.store.begin(plimsoll_store::Access::ReadWrite).unwrap();
    other.store.execute("UPDATE account SET note = 'mine' WHERE id = 2", &[]).unwrap();
    let run = std::thread::scope(|scope| {
        let handle = scope.spawn(|| apply::drive(session, &id, None).unwrap());
        // Until the run waits for account 2, holding account 1.
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let mut watch = place.session();
        while number(&mut watch, waiting) == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let second = other.store.execute("UPDATE account SET note = 'mine' WHERE id = 1", &[]);
        match second {
            Ok(_) => other.store.commit().unwrap(),
            Err(_) => other.store.rollback().unwrap(),
        }
        handle.join().unwrap()
    });
    assert_eq!((run.status, run.tally.ended()), (RunStatus::Finished, 2));
    assert!(verify::verify(session, &id).unwrap().ok);
    let mine = number(session, "SELECT count(*) FROM account WHERE note = 'mine'");
    assert_eq!(run.tally.conflicted, u64::try_from(mine).unwrap());
}
