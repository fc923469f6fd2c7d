//! Projects.
//!
//! Owns `storage/project/<id>.json` and the table `project`, whose icon is spread over columns.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::fields::Fields;
use super::leftovers::{Leftovers, write_string};
use super::{Source, no_object, split};
use crate::table::core::PROJECTS;

pub(super) fn read(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    match source.file {
        Some(text) => file(source, text, rows),
        None => row(source, rows),
    }
}

fn file(source: &Source<'_>, text: &str, rows: &mut Rows) -> Result<(), Refusal> {
    let tape = split(text)?;
    let mut fields = Fields::new(tape.root(), "project").ok_or_else(|| no_object("project"))?;
    fields.same("id", Some(source.id));
    let worktree = fields.text("worktree");
    let vcs = fields.text("vcs");
    let name = fields.text("name");
    let icon = fields.json("icon");
    let sandboxes = fields.json("sandboxes");
    let commands = fields.json("commands");
    let mut time = fields.object("time");
    let mut moment = |key| time.as_mut().and_then(|time| time.moment(key));
    let (created, updated, initialized) = (moment("created"), moment("updated"), moment("initialized"));
    let mut left = Leftovers::default();
    left.add(time);
    left.add(fields);
    let extra = left.into_extra(rows);
    push_row!(rows, PROJECTS, {
        id: source.id,
        worktree: worktree.as_deref(),
        vcs: vcs.as_deref(),
        name: name.as_deref(),
        icon: icon.map(|icon| icon.raw()),
        sandboxes: sandboxes.map(|sandboxes| sandboxes.raw()),
        commands: commands.map(|commands| commands.raw()),
        time_created: created,
        time_updated: updated,
        time_initialized: initialized,
        generation: source.generation.as_str(),
        extra: extra.as_deref(),
    })
}

fn row(source: &Source<'_>, rows: &mut Rows) -> Result<(), Refusal> {
    let columns = source.columns;
    let mut icon = String::new();
    for (key, column) in [("url", "icon_url"), ("override", "icon_url_override"), ("color", "icon_color")] {
        if let Some(value) = columns.text(column) {
            icon.push(if icon.is_empty() { '{' } else { ',' });
            write_string(key, &mut icon);
            icon.push(':');
            write_string(&value, &mut icon);
        }
    }
    if !icon.is_empty() {
        icon.push('}');
    }
    push_row!(rows, PROJECTS, {
        id: source.id,
        worktree: columns.text("worktree").as_deref(),
        vcs: columns.text("vcs").as_deref(),
        name: columns.text("name").as_deref(),
        icon: (!icon.is_empty()).then_some(icon.as_str()),
        sandboxes: columns.json("sandboxes").as_deref(),
        commands: columns.json("commands").as_deref(),
        time_created: columns.moment("time_created"),
        time_updated: columns.moment("time_updated"),
        time_initialized: columns.moment("time_initialized"),
        generation: source.generation.as_str(),
    })
}
