//! Random rows: the engine's tables must be the model's.

use proptest::prelude::*;

use crate::model;
use crate::run::{assert_same, computed, derive, empty, note, tables};
use crate::story::{BASE, Body, Message, PROVIDERS, Session, Story, minted_id};

const VERSIONS: [Option<&str>; 5] = [Some("1.0.50"), Some("1.1.65"), Some("1.14.34"), Some("local"), None];
const TOKENS: [[Option<i64>; 6]; 5] = [
    [Some(100), Some(50), Some(10), Some(5), Some(0), None],
    [Some(250_000), Some(50), Some(80), Some(0), Some(3), Some(250_133)],
    [None; 6],
    [Some(1000), Some(300), Some(80), Some(600), Some(0), Some(1980)],
    [Some(40), Some(9), Some(0), Some(600), Some(7), None],
];
const COSTS: [Option<i64>; 3] = [None, Some(0), Some(1_234_567)];

/// Any story; `salt` tells its ids from those of another.
pub(crate) fn story(salt: usize) -> impl Strategy<Value = Story> {
    let sessions = prop::collection::vec((prop::option::of(0..6_usize), 0..5_usize, any::<bool>()), 1..5);
    let message = (0..4_usize, 0..8_u8, 0..8_i64, 0..5_u8, prop::option::of(0..16_usize), any::<[u8; 6]>());
    let messages = prop::collection::vec(message, 0..14);
    let parts = prop::collection::vec((0..16_usize, 0..16_u8, any::<[u8; 3]>()), 0..26);
    let forks =
        prop::collection::vec((0..4_usize, 0..3_usize, 0..8_usize, any::<bool>(), any::<bool>()), 0..3);
    (sessions, messages, parts, forks).prop_map(move |(sessions, messages, parts, forks)| {
        let mut story = Story { salt, ..Story::default() };
        for (at, (parent, version, has_project)) in sessions.iter().enumerate() {
            story.sessions.push(Session {
                id: format!("ses_{at}"),
                parent: parent.map(|parent| format!("ses_{parent}")),
                version: VERSIONS[*version].map(Into::into),
                fork: None,
                project: has_project.then(|| "project".into()),
                created: BASE + at as i64,
            });
        }
        for (session, role, slot, mint, parent, bits) in messages {
            let session = session % (sessions.len() + usize::from(bits[5] > 250));
            push_message(&mut story, session, role, slot, mint, parent, bits);
        }
        for (message, kind, bits) in parts {
            if story.messages.is_empty() {
                break;
            }
            let message = story.messages[message % story.messages.len()].id.clone();
            story.part(&message, body(kind, bits));
            // Damaged: the part says that it is of another session than its message.
            if bits[0] % 16 == 7 {
                story.parts.last_mut().unwrap().session = "ses_0".into();
            }
        }
        for (at, (source, delay, count, says_so, maps)) in forks.iter().enumerate() {
            let source = story.sessions[source % story.sessions.len()].id.clone();
            let delay = [0, 500, 90_000][*delay];
            story.fork(&source, &format!("ses_fork{at}"), delay, *count, *says_so, *maps);
        }
        story
    })
}

fn push_message(
    story: &mut Story,
    session: usize,
    role: u8,
    slot: i64,
    mint: u8,
    parent: Option<usize>,
    bits: [u8; 6],
) {
    let created = BASE + slot * 700;
    let minted = match mint {
        0 => None,
        1 => Some(created + 1000),
        2 => Some(created + 1001),
        _ => Some(created),
    };
    let id = minted_id("msg", minted.unwrap_or(created), story.next(story.messages.len()));
    let role =
        ["user", "user", "user", "assistant", "assistant", "assistant", "assistant", "shell"][role as usize];
    let parent = parent.filter(|_| !story.messages.is_empty());
    let parent = parent.map(|parent| story.messages[parent % story.messages.len()].id.clone());
    let model =
        PROVIDERS.get(bits[0] as usize % 4).map(|(provider, model)| ((*provider).into(), (*model).into()));
    story.messages.push(Message {
        id,
        session: format!("ses_{session}"),
        role: role.into(),
        parent,
        model,
        agent: ["build", "plan"].get(bits[1] as usize % 3).map(|agent| (*agent).into()),
        mode: (bits[1] > 128).then(|| "explore".into()),
        root_path: bits[1].is_multiple_of(5).then(|| "/other".into()),
        created,
        completed: (!bits[2].is_multiple_of(4)).then_some(created + i64::from(bits[2] % 3) * 350 - 100),
        minted,
        sequence: bits[3].is_multiple_of(7).then_some(i64::from(bits[3])),
        is_summary: [None, Some(true), Some(false)][bits[3] as usize % 3],
        cost: COSTS[bits[4] as usize % 3],
        tokens: TOKENS[bits[4] as usize % 5],
        error: bits[5].is_multiple_of(6).then(|| "APIError".into()),
    });
}

fn body(kind: u8, bits: [u8; 3]) -> Body {
    let text = |text: &str, synthetic, ignored| Body::Text { text: text.into(), synthetic, ignored };
    match kind {
        0 | 1 => text(["fix it", "", "why?"][bits[0] as usize % 3], false, false),
        2 | 3 => text("go on", true, false),
        4 => text("The following tool was executed by the user", true, false),
        5 => text("notice", false, true),
        6 => Body::Reasoning { ms: bits[0].is_multiple_of(2).then_some(i64::from(bits[1])) },
        7 | 8 => {
            let aborted = bits[0].is_multiple_of(5);
            Body::Tool {
                name: ["bash", "read", "task"][bits[1] as usize % 3].into(),
                status: ["completed", "completed", "error", "running"][bits[0] as usize % 4].into(),
                ms: (!aborted).then_some(i64::from(bits[2]) * 10),
                failure: bits[1].is_multiple_of(4),
                aborted,
                child: bits[2].is_multiple_of(4).then(|| "ses_1".into()),
            }
        }
        9 | 10 => Body::Start,
        11 | 12 => Body::Finish {
            cost: COSTS[bits[0] as usize % 3],
            tokens: TOKENS[bits[1] as usize % TOKENS.len()],
        },
        13 => Body::Compaction,
        14 => [Body::Patch, Body::File][bits[0] as usize % 2].clone(),
        _ => Body::Unknown,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_shrink_iters: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_are_what_plain_loops_compute(story in story(0)) {
        assert_same(&computed(&story), &model::expected(&story), &story);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_rows_came_does_not_matter(story in story(0)) {
        let store = empty();
        let mut reversed = story.clone();
        reversed.sessions.reverse();
        reversed.messages.reverse();
        reversed.parts.reverse();
        // In two portions, so that they are in two row groups.
        reversed.write(&store, |session| session.ends_with('1'));
        reversed.write(&store, |session| !session.ends_with('1'));
        note(&store, "*");
        derive(&store);
        assert_same(&tables(&store), &computed(&story), &story);
    }
}

/// A database holds an id once; two stories with ids in common would ask the engine for what cannot be.
#[test]
fn stories_of_different_salt_share_no_id() {
    let ids = |salt| {
        let mut story = Story { salt, ..Story::default() };
        story.session("ses_a", None);
        let message = story.message("ses_a", "user", 0);
        story.text(&message, "fix it");
        story.fork("ses_a", "ses_b", 0, 9, false, true);
        let messages = story.messages.into_iter().map(|message| message.id);
        messages.chain(story.parts.into_iter().map(|part| part.id)).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(ids(0).len(), 4);
    assert!(ids(0).is_disjoint(&ids(500)));
}
