//! Questions asked of the wide table and of the new ones: equal answers (OC-63), and how long they took (OC-64).

use std::time::Instant;

use plimsoll_simulator::opencode::Earlier;

use super::support::{World, cells, small};

/// Questions of that monitor, as asked before and after.
const PAIRS: [(&str, &str, &str); 7] = [
    (
        "tools by session",
        "SELECT tool_name, count(*), sum(duration_ms) FROM parts_legacy
         WHERE session_id = 'ses_demo000004' AND tool_name IS NOT NULL GROUP BY 1 ORDER BY 1",
        "SELECT tool_name, count(*), sum(duration_ms) FROM tool_calls t JOIN parts p ON p.id = t.part_id
         WHERE t.session_id = 'ses_demo000004' GROUP BY 1 ORDER BY 1",
    ),
    (
        "calls by tool and status",
        "SELECT tool_name, tool_status, count(*) FROM parts_legacy WHERE tool_name IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT tool_name, tool_status, count(*) FROM tool_calls GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    (
        "errors by type",
        "SELECT TRY_CAST(error_data AS JSON)->>'$.type', count(*) FROM parts_legacy
         WHERE error_message IS NOT NULL GROUP BY 1 ORDER BY 1",
        "SELECT error_type, count(*) FROM errors WHERE error_message IS NOT NULL GROUP BY 1 ORDER BY 1",
    ),
    (
        "tokens and cost by session",
        "SELECT session_id, sum(tokens_input), sum(tokens_output), CAST(sum(cost) AS DECIMAL(18,6)) FROM parts_legacy
         WHERE cost IS NOT NULL GROUP BY 1 ORDER BY 1",
        "SELECT session_id, sum(tokens_input), sum(tokens_output), CAST(sum(cost) AS DECIMAL(18,6)) FROM step_events
         GROUP BY 1 ORDER BY 1",
    ),
    (
        "texts that hold a word",
        "SELECT count(*) FROM parts_legacy WHERE contains(content, 'text 42')",
        "SELECT count(*) FROM text_messages WHERE contains(content, 'text 42')",
    ),
    (
        "parts by type",
        "SELECT part_type, count(*) FROM parts_legacy GROUP BY 1 ORDER BY 1",
        "SELECT part_type, count(*) FROM parts GROUP BY 1 ORDER BY 1",
    ),
    (
        "everything of a message",
        "SELECT * FROM parts_legacy WHERE message_id = 'msg_demo00000044' ORDER BY id",
        "SELECT * FROM parts_wide WHERE message_id = 'msg_demo00000044' ORDER BY id",
    ),
];

#[test]
fn every_question_has_the_same_answer_before_and_after() {
    let world = World::new(small());
    world.split();
    let place = world.place();
    for (name, before, after) in PAIRS {
        let expected = cells(&place, before);
        assert!(!expected.is_empty(), "{name}");
        assert_eq!(cells(&place, after), expected, "{name}");
    }
}

/// `cargo nextest run -p plimsoll-opencode --test split --run-ignored only speed --no-capture`.
#[test]
#[ignore = "a measurement at the mission's size; prints its figures"]
fn speed_of_the_questions_before_and_after() {
    let parts = 187_331;
    let world = World::new(Earlier { parts, seed: 7, mean_characters: 3_000, latest: false });
    let began = Instant::now();
    let (_, run) = world.split();
    println!("split of {parts} parts with its backup: {:.1} s", began.elapsed().as_secs_f64());
    let place = world.place();
    for (name, before, after) in PAIRS {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..9 {
            for (times, sql) in times.iter_mut().zip([before, after]) {
                let began = Instant::now();
                cells(&place, sql);
                times.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
        }
        let [old, new] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        });
        println!("{name:<28} wide {old:8.2} ms   focused {new:8.2} ms   {:6.2} times as fast", old / new);
    }
    drop(place);
    let began = Instant::now();
    world.undo(&run.id, plimsoll_core::undo::UndoMode::Skip).unwrap();
    println!("undo of it: {:.1} s", began.elapsed().as_secs_f64());
}
