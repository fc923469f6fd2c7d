//! What a notice looks like: the message that Slack and what is compatible with it understand.
//!
//! Owns the JSON form: a `text` for receivers that show only that, and one attachment with a color and fields. The
//! rules of the form are Slack's (incoming webhooks; `&`, `<` and `>` are escaped in texts). It sends nothing.

use serde_json::{Value as Json, json};

use super::Severity;
use super::incident::Incident;
use super::notice::NoticeKind;

/// The longest text of a field that is sent, in characters; the incident itself keeps all of it.
const LONGEST: usize = 2_000;

const GREEN: &str = "#2e7d32";
const BLUE: &str = "#1565c0";

/// Escapes a text as Slack wants it.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            break;
        }
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

const fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::P0 => "#b71c1c",
        Severity::P1 => "#ef6c00",
        Severity::P2 => "#f9a825",
    }
}

fn field(title: &str, value: &str) -> Json {
    json!({ "title": title, "value": escape(value), "short": value.len() < 40 })
}

/// The message that tells of an incident.
pub(super) fn of_incident(incident: &Incident, kind: NoticeKind) -> Json {
    let severity = incident.severity.as_str();
    let what = match kind {
        NoticeKind::Reopened => format!("{severity} again"),
        NoticeKind::Escalated => format!("{severity}, it got worse"),
        NoticeKind::Reminder => format!("{severity}, still there"),
        NoticeKind::Resolved => "resolved".to_owned(),
        NoticeKind::Opened | NoticeKind::Digest | NoticeKind::Test => severity.to_owned(),
    };
    let text = format!("[{what}] {} (incident {})", escape(&incident.title), incident.number);
    let mut fields = vec![field("Cause", &incident.cause), field("Since", &incident.first_at)];
    if incident.occurrences > 1 {
        fields
            .push(field("Signalled", &format!("{} times, last {}", incident.occurrences, incident.last_at)));
    }
    if !incident.system.is_empty() {
        fields.push(field("System", &incident.system));
    }
    if kind == NoticeKind::Resolved {
        fields.push(field("Until", incident.resolved_at.as_deref().unwrap_or_default()));
        fields.push(field("Resolved by", incident.resolved_by.as_deref().unwrap_or_default()));
        fields.push(field("Because", incident.resolution.as_deref().unwrap_or_default()));
    } else {
        fields.push(field("What to do", incident.severity.response()));
        fields.push(field("Take it", &format!("plimsoll alert acknowledge {}", incident.number)));
        if incident.flaps() {
            fields.push(field("It flaps", "it is resolved once it has stayed clear for 15 minutes"));
        }
    }
    if !incident.runbook.is_empty() {
        fields.push(field("Runbook", &incident.runbook));
    }
    let mut attachment = json!({
        "color": if kind == NoticeKind::Resolved { GREEN } else { color(incident.severity) },
        "title": escape(&incident.title),
        "text": escape(&incident.detail),
        "fields": fields,
        "fallback": text,
    });
    if incident.runbook.starts_with("https://") || incident.runbook.starts_with("http://") {
        attachment["title_link"] = json!(incident.runbook);
    }
    json!({ "text": text, "attachments": [attachment] })
}

/// The message that tells whether the way to the receiver works.
pub(super) fn of_test(actor: &str, now: &str) -> Json {
    let text = format!("[test] alerts of plimsoll arrive here; {} asked at {now}", escape(actor));
    json!({ "text": text, "attachments": [{ "color": BLUE, "text": "Nothing is wrong.", "fallback": text }] })
}

/// One message in place of many: what is new, by severity, and where to look.
pub(super) fn of_many(texts: &[(Severity, &str)]) -> Json {
    let gravest = texts.iter().map(|(severity, _)| *severity).min().unwrap_or(Severity::P2);
    let text = format!("[{}] {} notices at once", gravest.as_str(), texts.len());
    let mut lines: Vec<&str> = texts.iter().map(|(_, text)| *text).take(20).collect();
    let more = format!("and {} more", texts.len().saturating_sub(lines.len()));
    if texts.len() > lines.len() {
        lines.push(&more);
    }
    let attachment = json!({
        "color": color(gravest),
        "title": "All of them: plimsoll alert list",
        "text": lines.join("\n"),
        "footer": "plimsoll",
        "fallback": text,
    });
    json!({ "text": text, "attachments": [attachment] })
}

/// The message that carries a digest.
pub(super) fn of_digest(title: &str, lines: &str) -> Json {
    let attachment = json!({ "color": BLUE, "text": escape(lines), "fallback": escape(title) });
    json!({ "text": escape(title), "attachments": [attachment] })
}
