//! The rules of one customer's cut-over, one by one.

use super::*;

fn go(state: &Cutover, event: Event) -> Cutover {
    step(&rules(), state, event).unwrap().state
}

fn refused(state: &Cutover, event: Event) -> String {
    let text = step(&rules(), state, event).unwrap_err().to_string();
    assert!(text.contains("\nhint: "), "{text}");
    text
}

fn back() -> Event {
    Event::Back { by: said(), at_ms: 9_000 }
}

fn force(writes: u64) -> Event {
    let loss = LossBound { writes, what: "the orders of today".into() };
    Event::Force { loss, by: said(), at_ms: 5 }
}

#[test]
fn the_whole_way_forward() {
    let done = at_stage(Stage::Done);
    assert_eq!((done.writer, done.reads, done.epoch), (Some(Side::New), Side::New, 2));
    assert!(outstanding(&done).is_empty() && done.forced.is_empty());
    let text = refused(&done, back());
    assert!(text.contains("done cannot go back"), "{text}");
    assert!(!standing(&done).reverse && !standing(&done).forward);
}

#[test]
fn every_stage_can_be_left_backwards_until_done() {
    for stage in [Stage::Snapshot, Stage::CatchUp, Stage::Verify, Stage::ShadowReads, Stage::Canary] {
        let state = go(&at_stage(stage), back());
        assert_eq!(
            (state.stage, state.writer, state.reads),
            (Stage::RolledBack, Some(Side::Legacy), Side::Legacy)
        );
        assert_eq!(outstanding(&state), [Order::Certify { turn: state.turn }]);
        assert!(refused(&state, Event::Start { at_ms: 0 }).contains("certificate"));
        let anew = go(&answer_all(&state, 1), Event::Start { at_ms: 10 });
        assert_eq!((anew.stage, anew.round, anew.epoch), (Stage::Snapshot, 2, 1));
    }
    for stage in [Stage::WriteSwitch, Stage::Soak] {
        let mut state = go(&at_stage(stage), back());
        assert_eq!((state.stage, state.writer, state.epoch), (Stage::GoingBack, None, 3));
        for at_ms in 0..9 {
            state = answer_all(&state, at_ms);
        }
        assert_eq!(
            (state.stage, state.writer, state.certified),
            (Stage::RolledBack, Some(Side::Legacy), true)
        );
    }
}

#[test]
fn positions_are_taken_after_both_sides_are_closed() {
    let state = at_stage(Stage::WriteSwitch);
    let (turn, epoch) = (state.turn, 2);
    let close = |side| Order::Close { turn, side, epoch };
    assert_eq!(outstanding(&state), [close(Side::Legacy), close(Side::New)]);
    assert_eq!(state.writer, None, "nobody writes meanwhile");
    let half = go(&state, Event::Closed { turn, side: Side::New, position: 0 });
    assert_eq!(outstanding(&half), [close(Side::Legacy)]);
    let closed = go(&half, Event::Closed { turn, side: Side::Legacy, position: 7 });
    assert_eq!(outstanding(&closed), [Order::Carry { turn: turn + 1, from: Side::Legacy, through: 7 }]);
    let part = go(&closed, Event::Carried { turn: turn + 1, from: Side::Legacy, through: 6 });
    assert_eq!((outstanding(&part), part.known_loss()), (outstanding(&closed), 1));
    let carried = go(&part, Event::Carried { turn: turn + 1, from: Side::Legacy, through: 7 });
    assert_eq!(outstanding(&carried), [Order::Compare { turn: turn + 2 }]);
    let late = go(&carried, Event::Closed { turn, side: Side::Legacy, position: 9 });
    assert_eq!(late, carried, "an answer of an earlier turn changes nothing");
}

#[test]
fn a_difference_at_the_switch_gives_the_right_back_to_legacy() {
    let mut state = at_stage(Stage::WriteSwitch);
    while state.handover.as_ref().unwrap().part != Part::Comparing {
        state = answer_all(&state, 1);
    }
    state = go(&state, Event::Compared { turn: state.turn, differing: 2, pending: 0, at_ms: 1 });
    assert_eq!((state.stage, state.epoch), (Stage::GoingBack, 3));
    state = answer_all(&answer_all(&state, 2), 3);
    assert_eq!((state.stage, state.writer), (Stage::Canary, Some(Side::Legacy)));
    assert!(
        state.evidence.reverse.is_some() && missing(&rules(), &state, 4).len() == 2,
        "{:?}",
        missing(&rules(), &state, 4)
    );
    let differs = go(&state, Event::Compared { turn: state.turn, differing: 2, pending: 0, at_ms: 4 });
    let repair = Order::Repair { turn: state.turn, truth: Side::Legacy };
    assert!(outstanding(&differs).contains(&repair));
    let repaired = go(&differs, Event::Repaired { turn: differs.turn });
    assert!(outstanding(&repaired).contains(&Order::Compare { turn: repaired.turn }));
}

#[test]
fn l7_going_back_with_differences_repairs_legacy_before_it_writes() {
    let mut state = go(&at_stage(Stage::Soak), back());
    while state.handover.as_ref().unwrap().part != Part::Comparing {
        state = answer_all(&state, 1);
    }
    state = go(&state, Event::Compared { turn: state.turn, differing: 2, pending: 0, at_ms: 1 });
    assert_eq!(outstanding(&state), [Order::Repair { turn: state.turn, truth: Side::New }]);
    let again = go(&state, Event::Repaired { turn: state.turn });
    assert_eq!(outstanding(&again), [Order::Compare { turn: again.turn }]);
    assert_eq!(again.writer, None);
}

#[test]
fn evidence_is_asked_and_is_of_this_stage() {
    let state = at_stage(Stage::Canary);
    let named = |state: &Cutover, part: &str| {
        let text = refused(state, advance(10));
        assert!(text.contains(part), "{text}");
    };
    named(&state, "not compared in this stage");
    named(&state, "0 of 5 reads");
    named(&state, "the way back is not proved");
    let turn = state.turn;
    let ready = answer_all(&state, 10);
    assert_eq!(missing(&rules(), &ready, 10), Vec::<String>::new());
    let differs = go(&ready, Event::ReadsCompared { turn, compared: 11, differing: 1 });
    named(&differs, "1 reads differed");
    // A doubled, older report takes nothing back.
    named(&go(&differs, Event::ReadsCompared { turn, compared: 10, differing: 0 }), "1 reads differed");
    let old = missing(&rules(), &ready, 10 + rules().parity_fresh_ms + 1);
    assert!(old[0].contains("comparison is"), "{old:?}");
    for verdict in [Verdict::NoGo, Verdict::Inconclusive, Verdict::Unknown] {
        let text = refused(&ready, Event::Advance { verdict, at_ms: 10 });
        assert!(text.contains("gate after canary"), "{text}");
    }
    let soak = answer_all(&at_stage(Stage::Soak), 20_000);
    assert!(refused(&soak, advance(soak.evidence.since_ms + 999)).contains("lasted 999 of 1000 ms"));
    let turn = soak.turn;
    let pending = go(&soak, Event::Compared { turn, differing: 0, pending: 3, at_ms: 20_000 });
    assert!(
        refused(&pending, advance(soak.evidence.since_ms + 1_000)).contains("3 rows are on their way back")
    );
}

#[test]
fn a_forced_step_names_its_loss_and_never_skips_a_fence() {
    let mut state = at_stage(Stage::WriteSwitch);
    assert!(refused(&state, force(1_000)).contains("a fence is never skipped"));
    for (side, position) in [(Side::Legacy, 20), (Side::New, 0)] {
        state = go(&state, Event::Closed { turn: state.turn, side, position });
    }
    let known = state.known_loss();
    assert_eq!(known, 17, "legacy stands at 20 and 3 are carried");
    assert!(refused(&state, force(16)).contains("17 are known"));
    let forced = go(&state, force(17));
    assert_eq!(forced.forced[0].loss.writes, 17);
    assert_eq!(forced.forced[0].known, 17);
    assert!(matches!(outstanding(&forced)[..], [Order::Open { side: Side::New, epoch: 2, .. }]));
    assert!(refused(&forced, force(17)).contains("a fence is never skipped"));
    let canary = go(&at_stage(Stage::Canary), force(0));
    assert!(canary.forced[0].missing.iter().any(|missing| missing.contains("way back")));
    let nameless = Event::Force {
        loss: LossBound { writes: 0, what: "nothing".into() },
        by: Said { actor: "lin".into(), reason: " ".into() },
        at_ms: 0,
    };
    assert!(refused(&at_stage(Stage::Canary), nameless).contains("who does this"));
    let vague = Event::Force { loss: LossBound { writes: 9, what: String::new() }, by: said(), at_ms: 0 };
    assert!(refused(&at_stage(Stage::Canary), vague).contains("at most 9"));
}

#[test]
fn a_pause_resumes_where_it_was() {
    for stage in
        [Stage::Snapshot, Stage::CatchUp, Stage::Verify, Stage::ShadowReads, Stage::Canary, Stage::Soak]
    {
        let state = at_stage(stage);
        let paused = go(&state, Event::Pause);
        assert!(outstanding(&paused).is_empty() && !standing(&paused).compare_reads);
        assert!(refused(&paused, Event::Pause).contains("it is paused"));
        let resumed = step(&rules(), &paused, Event::Resume).unwrap();
        assert_eq!((resumed.state, resumed.orders), (state.clone(), outstanding(&state)), "{stage}");
        // What was under way when it was paused is not lost.
        let order = outstanding(&state)[0].clone();
        let answered = go(&paused, answer(&state, &order, 7));
        assert_eq!(go(&answered, Event::Resume), go(&state, answer(&state, &order, 7)), "{stage}");
    }
    // A handover comes to its end first: a customer without a writer is no place to rest.
    let mut state = go(&at_stage(Stage::WriteSwitch), Event::Pause);
    for at_ms in 0..9 {
        state = answer_all(&state, at_ms);
    }
    assert_eq!((state.stage, state.writer, outstanding(&state)), (Stage::Soak, Some(Side::New), Vec::new()));
    assert!(refused(&state, advance(99_999)).contains("paused"));
    assert!(!go(&state, back()).paused, "going back is no less urgent for a pause");
}

#[test]
fn the_state_reads_back_as_stored() {
    for stage in Stage::ALL {
        if matches!(stage, Stage::Waiting | Stage::RolledBack | Stage::GoingBack) {
            continue;
        }
        let state = at_stage(stage);
        let text = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<Cutover>(&text).unwrap(), state);
        assert_eq!(serde_json::to_string(&stage).unwrap(), format!("\"{stage}\""));
    }
}
