//! The mapping as a page.
//!
//! Owns the Markdown that the system's README shows; a test holds the two together, so the page is what the program does.

use std::fmt::Write as _;

use super::{Direction, ENTITIES};

/// Every entity with its fields, what is lost, and the new side's own columns.
pub fn markdown() -> String {
    let mut text = String::new();
    for entity in ENTITIES {
        let way = match entity.direction {
            Direction::Both => "both ways",
            Direction::ToNew => "from legacy to new",
        };
        let after = if entity.after.is_empty() {
            String::new()
        } else {
            format!(", after {}", entity.after.join(", "))
        };
        // Writing to a text never fails.
        let _ = write!(
            text,
            "### {}\n\n`{}` to `{}`, {way}{after}.\n\n| legacy | new | carried as | lost to new | lost to legacy |\n|---|---|---|---|---|\n",
            entity.name,
            entity.legacy_table,
            entity.tables.join("`, `"),
        );
        for field in entity.fields {
            let _ = writeln!(
                text,
                "| `{}` | `{}.{}` | {} | {} | {} |",
                field.legacy,
                field.table,
                field.new,
                field.rule.name(),
                field.loss.to_new().unwrap_or_default(),
                field.loss.to_legacy().unwrap_or_default(),
            );
        }
        for own in entity.new_only {
            let _ = writeln!(text, "| | `{}.{}` | not carried | | the value |", own.table, own.column);
        }
        text.push('\n');
    }
    text
}
