//! After a change of some sessions, only they and what depends on them are computed again; the tables must be the same as
//! when everything is.

use plimsoll_opencode::derive::SPREAD;
use plimsoll_store::duckdb::Analytics;
use proptest::prelude::*;

use crate::random::story;
use crate::run::{assert_same, computed, derive, empty, note, tables};
use crate::story::Story;

const OF_SESSIONS: [&str; 11] = [
    "messages",
    "parts",
    "text_messages",
    "thinking_blocks",
    "tool_calls",
    "step_events",
    "patches",
    "compactions",
    "attachments",
    "errors",
    "sessions",
];

/// As the ingest does before it deletes rows.
fn spread(store: &Analytics) {
    store
        .run_script(
            "CREATE TEMP TABLE IF NOT EXISTS affected (scope_id VARCHAR); DELETE FROM affected;
             INSERT INTO affected SELECT DISTINCT scope_id FROM plimsoll_ingest_affected;",
        )
        .unwrap();
    for statement in SPREAD {
        store.execute(statement, &[]).unwrap();
    }
    store.run_script("INSERT INTO plimsoll_ingest_affected SELECT DISTINCT scope_id FROM affected").unwrap();
}

fn delete(store: &Analytics, session: &str) {
    for table in OF_SESSIONS {
        let column = if table == "sessions" { "id" } else { "session_id" };
        store.execute(&format!("DELETE FROM {table} WHERE {column} = ?"), &[session.into()]).unwrap();
    }
}

/// Replaces some sessions of `before` by those of `after`, or deletes them.
pub(crate) fn change(before: &Story, after: &Story, changed: impl Fn(&str) -> bool + Copy) {
    let store = empty();
    before.write(&store, |_| true);
    note(&store, "*");
    derive(&store);

    let sessions = |story: &Story| -> Vec<String> {
        let of_messages = story.messages.iter().map(|message| message.session.clone());
        let all = story.sessions.iter().map(|session| session.id.clone()).chain(of_messages);
        all.filter(|id| changed(id)).collect()
    };
    let (gone, come) = (sessions(before), sessions(after));
    for session in gone.iter().chain(&come) {
        note(&store, session);
    }
    spread(&store);
    for session in &gone {
        delete(&store, session);
    }
    after.write(&store, changed);
    derive(&store);

    let mut now = before.clone();
    now.sessions.retain(|session| !changed(&session.id));
    now.messages.retain(|message| !changed(&message.session));
    now.parts.retain(|part| !changed(&part.session));
    now.sessions.extend(after.sessions.iter().filter(|session| changed(&session.id)).cloned());
    now.messages.extend(after.messages.iter().filter(|message| changed(&message.session)).cloned());
    now.parts.extend(after.parts.iter().filter(|part| changed(&part.session)).cloned());
    assert_same(&tables(&store), &computed(&now), &(before, after));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_computed_for_some_sessions_is_what_is_computed_for_all(
        before in story(0),
        after in story(500),
        which in 0..6_usize,
        only_deletes in any::<bool>(),
    ) {
        let name = ["ses_0", "ses_1", "ses_2", "ses_3", "ses_fork0", "ses_fork1"][which];
        let after = if only_deletes { Story::default() } else { after };
        change(&before, &after, |session| session == name);
    }
}

/// The original of a fork's copy is deleted: the copy counts from now on.
#[test]
fn a_copy_counts_once_its_original_is_gone() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let asked = story.message("ses_a", "user", 0);
    story.text(&asked, "fix it");
    let answer = story.message("ses_a", "assistant", 100);
    story.at(&answer).parent = Some(asked);
    story.fork("ses_a", "ses_b", 90_000, 9, false, true);
    change(&story, &Story::default(), |session| session == "ses_a");
}

/// A session comes after those that it delegated to: their root changes.
#[test]
fn sessions_below_follow_when_the_one_above_comes_or_goes() {
    let mut story = Story::default();
    story.session("ses_b", Some("ses_a"));
    story.session("ses_c", Some("ses_b"));
    story.message("ses_c", "assistant", 100);
    let mut above = Story::default();
    above.session("ses_a", None);
    change(&story, &above, |session| session == "ses_a");
    story.session("ses_a", None);
    change(&story, &Story::default(), |session| session == "ses_a");
}
