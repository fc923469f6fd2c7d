//! The tables of a database that nobody but OpenCode may read, and its own list of schema changes.
//!
//! Owns a canary text in every table that holds secrets or events. A reader that lets it appear anywhere has
//! read what it must not.

use plimsoll_core::value::Value;
use plimsoll_store::{Store, StoreError};

use super::database::{Rows, TAKEN_OVER, time};

/// The schema changes that OpenCode 1.18 notes as applied. It opens a database only where all are there.
const APPLIED: [&str; 38] = [
    "20260127222353_familiar_lady_ursula",
    "20260211171708_add_project_commands",
    "20260213144116_wakeful_the_professor",
    "20260225215848_workspace",
    "20260227213759_add_session_workspace_id",
    "20260228203230_blue_harpoon",
    "20260303231226_add_workspace_fields",
    "20260309230000_move_org_to_state",
    "20260312043431_session_message_cursor",
    "20260323234822_events",
    "20260410174513_workspace-name",
    "20260413175956_chief_energizer",
    "20260423070820_add_icon_url_override",
    "20260427172553_slow_nightmare",
    "20260428004200_add_session_path",
    "20260501142318_next_venus",
    "20260504145000_add_sync_owner",
    "20260507164347_add_workspace_time",
    "20260510033149_session_usage",
    "20260511000411_data_migration_state",
    "20260511173437_session-metadata",
    "20260601010001_normalize_storage_paths",
    "20260601202201_amazing_prowler",
    "20260602002951_lowly_union_jack",
    "20260602182828_add_project_directories",
    "20260603001617_session_message_projection_indexes",
    "20260603040000_session_message_projection_order",
    "20260603141458_session_input_inbox",
    "20260603160727_jittery_ezekiel_stane",
    "20260604172448_event_sourced_session_input",
    "20260605003541_add_session_context_snapshot",
    "20260605042240_add_context_epoch_agent",
    "20260611035744_credential",
    "20260611192811_lush_chimera",
    "20260612174303_project_dir_strategy",
    "20260622142730_simplify_session_context_epoch",
    "20260622170816_reset_v2_session_state",
    "20260622202450_simplify_session_input",
];

/// Fills the tables that no reader may touch.
pub(super) fn fill(store: &mut dyn Store, canary: &str) -> Result<(), StoreError> {
    let at = time(TAKEN_OVER);
    let text = |text: &str| Value::text(text);
    let account = vec![
        text("acc_1"),
        text("demo@example.com"),
        text("https://example.com"),
        text(canary),
        text(canary),
        at.clone(),
        at.clone(),
    ];
    let columns = ["id", "email", "url", "access_token", "refresh_token", "time_created", "time_updated"];
    store.append("account", &columns, &[account])?;
    let control = vec![
        text("demo@example.com"),
        text("https://example.com"),
        text(canary),
        text(canary),
        Value::Integer(1),
        at.clone(),
        at.clone(),
    ];
    let columns = ["email", "url", "access_token", "refresh_token", "active", "time_created", "time_updated"];
    store.append("control_account", &columns, &[control])?;
    let credential = vec![text("cred_1"), text("demo key"), text(canary), at.clone(), at.clone()];
    store.append("credential", &["id", "label", "value", "time_created", "time_updated"], &[credential])?;
    let share = vec![
        text("ses_shared"),
        text("share_1"),
        text(canary),
        text("https://share.example.com/s/1"),
        at.clone(),
        at.clone(),
    ];
    let columns = ["session_id", "id", "secret", "url", "time_created", "time_updated"];
    store.append("session_share", &columns, &[share])?;
    store.append(
        "event_sequence",
        &["aggregate_id", "seq"],
        &[vec![text("ses_events"), Value::Integer(40)]],
    )?;
    let events: Rows = (0..40)
        .map(|seq| {
            let data = format!("{{\"sessionID\":\"ses_events\",\"note\":\"{canary}\"}}");
            vec![
                Value::text(format!("evt_{seq:04}")),
                text("ses_events"),
                Value::Integer(seq),
                text("message.updated.1"),
                Value::Text(data),
            ]
        })
        .collect();
    store.append("event", &["id", "aggregate_id", "seq", "type", "data"], &events)?;
    let applied: Rows = APPLIED.iter().map(|name| vec![text(name), at.clone()]).collect();
    store.append("migration", &["id", "time_completed"], &applied)
}
