//! Changes: every one is an event with actor and reason, a live pilot is not swapped, and the past can be asked.

use plimsoll_core::flag::{Algorithm, Flag, Percent, Prerequisite, State};
use plimsoll_engine::flag::{EvaluationContext, How, change, explain, store};
use plimsoll_engine::{ErrorKind, Session, event};

use crate::support::{Place, at_percent};

fn set_percent(session: &mut Session, percent: u32, how: &How<'_>) -> change::Changed {
    let edit = |flag: &mut Flag| {
        flag.rollout.as_mut().unwrap().percent = Percent::whole(percent);
        Ok(())
    };
    change::update(session, "pilot", "flag.changed", how, edit).unwrap()
}

fn customers(count: u32) -> std::collections::BTreeSet<String> {
    (1..=count).map(|number| format!("c{number}")).collect()
}

#[test]
fn every_change_is_an_event_with_actor_reason_and_both_definitions() {
    Place::each(|place| {
        let session = &mut place.session();
        change::create(session, Flag::new("pilot"), &How::because("a pilot")).unwrap();
        change::update(session, "pilot", "flag.changed", &How::because("start"), |flag| {
            *flag = at_percent("pilot", 10, Algorithm::Unleash1);
            Ok(())
        })
        .unwrap();
        change::set_keys(session, "pilot", customers(200), &How::because("the list")).unwrap();
        change::rename(session, "pilot", "pilot-north", &How::because("a better name")).unwrap();
        change::kill(session, "pilot-north", &How::because("errors")).unwrap();
        change::restore(session, "pilot-north", 3, &How::because("it was the network")).unwrap();
        change::archive(session, "pilot", &How::because("done")).unwrap();
        let history = explain::history(session, "pilot").unwrap();
        let kinds: Vec<&str> = history.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "flag.created",
                "flag.changed",
                "flag.keys",
                "flag.renamed",
                "flag.killed",
                "flag.restored",
                "flag.archived"
            ]
        );
        for (at, entry) in history.iter().enumerate() {
            assert_eq!((entry.version, entry.actor.as_str()), (at as i64 + 1, "anna"));
            assert!(!entry.reason.is_empty());
            assert_eq!(entry.before, at.checked_sub(1).map(|before| history[before].after.clone()));
        }
        assert_eq!(event::verify(session.store.as_mut()).unwrap(), Vec::<String>::new());
        assert_eq!(store::version(session.store.as_mut()).unwrap(), 7);
        assert!(store::find(session.store.as_mut(), "pilot").is_err());
    });
}

#[test]
fn a_change_without_a_reason_and_a_wrong_one_leave_nothing() {
    Place::each(|place| {
        let session = &mut place.session();
        assert_eq!(
            change::create(session, Flag::new("x"), &How::because(" ")).unwrap_err().kind,
            ErrorKind::Usage
        );
        let mut wrong = Flag::new("x");
        wrong.default_variant = Some("nowhere".into());
        assert!(change::create(session, wrong, &How::because("y")).unwrap_err().message.contains("nowhere"));
        let dry = How { dry_run: true, ..How::because("y") };
        assert!(change::create(session, Flag::new("x"), &dry).unwrap().dry_run);
        assert!(store::list(session.store.as_mut(), true).unwrap().is_empty());
        assert_eq!(store::version(session.store.as_mut()).unwrap(), 0);
        assert!(event::list(session.store.as_mut(), None).unwrap().is_empty());
    });
}

#[test]
fn a_live_pilot_is_not_swapped_without_an_override() {
    Place::each(|place| {
        let session = &mut place.session();
        change::create(session, at_percent("pilot", 10, Algorithm::Unleash1), &How::because("a pilot"))
            .unwrap();
        change::set_keys(session, "pilot", customers(1_000), &How::because("the list")).unwrap();
        let id = store::find(session.store.as_mut(), "pilot").unwrap().id;
        let (known, before) = store::cohort(session.store.as_mut(), &id).unwrap();
        assert_eq!(known, 1_000);
        // Growth: nobody leaves.
        let grown = set_percent(session, 25, &How::because("more"));
        assert!(
            grown.difference.leave.is_empty() && grown.difference.exact && grown.difference.enter.len() > 100
        );
        let (_, after) = store::cohort(session.store.as_mut(), &id).unwrap();
        assert!(
            before.keys().all(|key| after.contains_key(key))
                && after.len() == before.len() + grown.difference.enter.len()
        );
        // Another salt or algorithm: refused, and nothing is written.
        for plant in [
            |flag: &mut Flag| flag.rollout.as_mut().unwrap().salt = "other".into(),
            |flag: &mut Flag| flag.rollout.as_mut().unwrap().algorithm = Algorithm::Plimsoll1,
            |flag: &mut Flag| flag.key = "company".into(),
        ] {
            let edit = |flag: &mut Flag| {
                plant(flag);
                Ok(())
            };
            let keyed = {
                let mut flag = Flag::new("x");
                flag.rollout = at_percent("x", 1, Algorithm::Unleash1).rollout;
                plant(&mut flag);
                flag.key != "userId"
            };
            let result = change::update(session, "pilot", "flag.changed", &How::because("oops"), edit);
            if keyed {
                // Another field: the same keys of another kind; members by key stay, so it is told, not refused.
                assert!(result.is_ok());
                continue;
            }
            let error = result.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            assert!(error.message.contains("swap"), "{}", error.message);
            assert_eq!(store::cohort(session.store.as_mut(), &id).unwrap().1, after);
            // Seen before it is done: a dry run with the override shows who.
            let dry = How { dry_run: true, override_swap: true, ..How::because("look") };
            let shown = change::update(session, "pilot", "flag.changed", &dry, edit).unwrap();
            assert!(shown.difference.swaps() > 100);
            assert_eq!(store::cohort(session.store.as_mut(), &id).unwrap().1, after);
        }
        // Renaming moves nobody.
        let renamed = change::rename(session, "pilot", "north", &How::because("name")).unwrap();
        assert!(renamed.difference.is_empty());
        assert_eq!(store::cohort(session.store.as_mut(), &id).unwrap().1, after);
        // With the override it is done, and the log says so.
        let how = How { override_swap: true, ..How::because("a new draw") };
        let edit = |flag: &mut Flag| {
            flag.rollout.as_mut().unwrap().salt = "other".into();
            Ok(())
        };
        let done = change::update(session, "north", "flag.changed", &how, edit).unwrap();
        let last = event::list(session.store.as_mut(), Some(&id)).unwrap().pop().unwrap();
        assert!(last.detail.contains("\"override_swap\":true"));
        assert!(last.detail.contains(&format!("\"swap\":{}", done.difference.swaps())));
    });
}

#[test]
fn keys_that_come_later_displace_nobody_of_a_quota() {
    let place = Place::sqlite();
    let session = &mut place.session();
    change::create(session, at_percent("pilot", 10, Algorithm::Quota1), &How::because("a pilot")).unwrap();
    change::set_keys(session, "pilot", customers(200), &How::because("the list")).unwrap();
    let id = store::find(session.store.as_mut(), "pilot").unwrap().id;
    let first = store::cohort(session.store.as_mut(), &id).unwrap().1;
    assert_eq!(first.len(), 20);
    let later =
        change::set_keys(session, "pilot", customers(1_000), &How::because("more customers")).unwrap();
    assert_eq!((later.difference.enter.len(), later.difference.leave.len()), (80, 0));
    let snapshot = store::snapshot(session).unwrap();
    let on = customers(1_000)
        .into_iter()
        .filter(|key| snapshot.is_on("pilot", &EvaluationContext::of(key)))
        .count();
    assert_eq!(on, 100);
    assert!(first.keys().all(|key| snapshot.is_on("pilot", &EvaluationContext::of(key))));
    // Stopped and started again, it has the same members.
    change::kill(session, "pilot", &How::because("errors")).unwrap();
    let edit = |flag: &mut Flag| {
        flag.state = State::On;
        Ok(())
    };
    let back = change::update(session, "pilot", "flag.changed", &How::because("fixed"), edit).unwrap();
    assert_eq!((back.difference.enter.len(), back.difference.swaps()), (100, 0));
}

/// What did customer 17 get then, and why: from the log alone, whatever happened since.
#[test]
fn the_past_is_answered_from_the_log() {
    Place::each(|place| {
        let session = &mut place.session();
        let tick = || place.clock.advance_us(60_000_000);
        change::create(session, Flag::new("parent"), &How::because("base")).unwrap();
        change::create(session, at_percent("pilot", 0, Algorithm::Unleash1), &How::because("a pilot"))
            .unwrap();
        tick();
        let nobody = session.clock.now();
        tick();
        change::update(session, "pilot", "flag.changed", &How::because("customer 17 asked for it"), |flag| {
            flag.allow.insert("17".into(), None);
            Ok(())
        })
        .unwrap();
        tick();
        let allowed = session.clock.now();
        tick();
        change::update(session, "pilot", "flag.changed", &How::because("needs the base"), |flag| {
            flag.requires = vec![Prerequisite { flag: "parent".into(), on: true, variants: Vec::new() }];
            Ok(())
        })
        .unwrap();
        tick();
        let waiting = session.clock.now();
        change::rename(session, "pilot", "renamed", &How::because("name")).unwrap();
        change::update(session, "renamed", "flag.changed", &How::because("no more"), |flag| {
            flag.requires.clear();
            Ok(())
        })
        .unwrap();
        change::archive(session, "parent", &How::because("gone")).unwrap();
        change::kill(session, "renamed", &How::because("errors")).unwrap();
        let customer = EvaluationContext::of("17");
        let mut at =
            |name: &str, time: Option<&str>| explain::explain(session, name, &customer, time).unwrap();
        let then = at("pilot", Some(&nobody));
        assert!(!then.evaluation.on && then.sentence.contains("0 % get it"), "{}", then.sentence);
        let then = at("pilot", Some(&allowed));
        assert!(then.evaluation.on && then.sentence.contains("allow list"), "{}", then.sentence);
        assert!(then.sentence.contains("by anna: customer 17 asked for it"), "{}", then.sentence);
        let then = at("pilot", Some(&waiting));
        assert!(
            !then.evaluation.on && then.sentence.contains("requires `parent` to be on"),
            "{}",
            then.sentence
        );
        let now = at("renamed", None);
        assert!(!now.evaluation.on && now.sentence.contains("killed"), "{}", now.sentence);
        let error =
            explain::explain(session, "pilot", &customer, Some("2025-01-01T00:00:00.000Z")).unwrap_err();
        assert!(error.message.contains("there was no flag"), "{}", error.message);
    });
}

/// A log that was changed is not believed.
#[test]
fn a_log_that_was_tampered_with_explains_nothing() {
    let place = Place::sqlite();
    let session = &mut place.session();
    change::create(session, Flag::new("pilot"), &How::because("a pilot")).unwrap();
    session
        .store
        .run_script("DROP TRIGGER plimsoll_event_no_update; UPDATE plimsoll_event SET reason = 'other'")
        .unwrap();
    let error = explain::explain(session, "pilot", &EvaluationContext::of("17"), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Integrity);
}

#[test]
fn a_flag_that_others_require_is_not_deleted_and_its_children_follow_its_name() {
    let place = Place::sqlite();
    let session = &mut place.session();
    change::create(session, Flag { state: State::On, ..Flag::new("parent") }, &How::because("base")).unwrap();
    let requires = vec![Prerequisite { flag: "parent".into(), on: true, variants: Vec::new() }];
    let child = Flag { state: State::On, requires, ..Flag::new("child") };
    change::create(session, child, &How::because("child")).unwrap();
    assert_eq!(change::archive(session, "parent", &How::because("x")).unwrap_err().kind, ErrorKind::Refused);
    change::rename(session, "parent", "base", &How::because("name")).unwrap();
    let snapshot = store::snapshot(session).unwrap();
    assert!(snapshot.is_on("child", &EvaluationContext::of("17")));
    // A new flag with the old name has a salt of its own.
    change::create(session, Flag::new("parent"), &How::because("again")).unwrap();
    assert_eq!(store::find(session.store.as_mut(), "parent").unwrap().flag.salt, "parent-2");
}
