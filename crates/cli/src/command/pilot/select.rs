//! `pilot select`.

use std::process::ExitCode;

use plimsoll_core::pilot::selection::{Caps, Selection, Size};
use plimsoll_engine::EngineError;
use plimsoll_engine::pilot::select::document::SelectionDocument;
use plimsoll_engine::pilot::select::{Ask, select};

use super::print;
use crate::args::SelectArguments;
use crate::command::Context;
use crate::registry::PILOT;

/// Chooses customers.
pub(super) fn execute(context: &Context, arguments: &SelectArguments) -> Result<ExitCode, EngineError> {
    let mut new = context.new_side()?;
    let mut legacy = context.legacy_to_read()?;
    let ask = Ask {
        selection: request(arguments),
        best_of: arguments.best_of,
        reason: &arguments.reason,
        dry_run: arguments.dry_run,
    };
    let made = select(&mut new, legacy.as_mut(), PILOT, &ask)?;
    context.ui.print(&SelectionDocument::of(&made, ask.dry_run), || print::selection(&made))?;
    if ask.dry_run {
        context.ui.say("dry run: nothing was kept");
    } else {
        context.ui.say(&format!(
            "next: plimsoll pilot show {0} --customer CODE, plimsoll pilot show {0} --export FILE.csv",
            made.number
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn request(arguments: &SelectArguments) -> Selection {
    // The grammar asks for one of both.
    let size = match (arguments.percent, arguments.count) {
        (Some(percent), _) => Size::Percent(percent),
        (None, count) => Size::Count(count.unwrap_or(0)),
    };
    Selection {
        share_of: arguments.share_of.into(),
        minimum_orders: arguments.min_orders,
        regions: arguments.regions.iter().cloned().collect(),
        customer_types: arguments.customer_types.iter().cloned().collect(),
        required_marks: arguments.required_marks.iter().cloned().collect(),
        refused_marks: arguments.refused_marks.iter().cloned().collect(),
        exclusions: arguments.exclusions.iter().cloned().collect(),
        caps: Caps {
            total: arguments.max_total,
            regions: arguments.max_regions.iter().cloned().collect(),
            customer_types: arguments.max_types.iter().cloned().collect(),
        },
        ..Selection::new(size, &arguments.salt)
    }
}
