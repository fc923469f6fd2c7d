//! Tool calls of the JSON and the first SQLite generation.
//!
//! Owns the shape `{callID, tool, state}`; what the rows of a call are is [`crate::read::tool_calls`]'.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::{Outline, Part};
use crate::read::fields::Fields;
use crate::read::leftovers::Leftovers;
use crate::read::tool_calls::Call;

pub(super) fn read<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    left: &mut Leftovers<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.tool");
    let mut call = Call {
        call_id: fields.text("callID"),
        tool: fields.text("tool"),
        part_metadata: fields.json("metadata"),
        ..Call::default()
    };
    if let Some(mut state) = fields.object("state") {
        call.status = state.text("status");
        call.input = state.json("input");
        call.raw = state.text("raw");
        call.output = state.text("output");
        call.title = state.text("title");
        call.error = state.text("error");
        call.metadata = state.json("metadata");
        call.attachments = state.json("attachments");
        if let Some(mut time) = state.object("time") {
            call.start = time.moment("start");
            call.end = time.moment("end");
            call.compacted = time.moment("compacted");
            left.add(time);
        }
        left.add(state);
    }
    call.store(part, rows)
}
