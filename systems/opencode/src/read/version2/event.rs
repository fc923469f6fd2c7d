//! Commands that a user ran, and compactions.
//!
//! Owns the messages of types `shell` and `compaction`.

use plimsoll_engine::ingest::{Refusal, Rows};

use super::Message;
use crate::read::fields::Fields;
use crate::read::leftovers::Leftovers;
use crate::read::part::{self, Compaction};
use crate::read::tool_calls::Call;

impl<'s, 'a: 's> Message<'s, 'a> {
    /// A command that the user ran is stored as a call of the shell tool.
    pub(super) fn shell<'f>(
        &mut self,
        fields: &mut Fields<'f>,
        left: &mut Leftovers<'f>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        fields.is_a("session_message.shell");
        let exit = fields.integer("exit");
        let status = fields.whole().text_of("status");
        let is_running = status.as_deref() == Some("running") && exit.is_none() && self.completed.is_none();
        left.keep(fields, "status");
        let call = Call {
            call_id: fields.text("shellID").or_else(|| fields.text("callID")),
            tool: Some("shell".into()),
            status: Some(if is_running { "running" } else { "completed" }.into()),
            command: fields.text("command"),
            output: fields.text("output"),
            exit,
            start: self.created.at,
            end: self.completed,
            ..Call::default()
        };
        let part = self.next_part();
        let outline = call.store(&part, rows)?;
        part::store(&part, "tool", outline, Leftovers::default(), rows)
    }

    pub(super) fn compaction<'f>(
        &mut self,
        fields: &mut Fields<'f>,
        left: &mut Leftovers<'f>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        fields.is_a("session_message.compaction");
        self.is_summary = Some(true);
        let automatic = fields.whole().get("reason").map(|reason| reason.is_text("auto"));
        left.keep(fields, "reason");
        let compaction = Compaction {
            automatic: automatic.or_else(|| fields.boolean("auto")),
            overflow: fields.boolean("overflow"),
            status: fields.text("status"),
            summary: fields.text("summary"),
            recent: fields.json("recent"),
            ..Compaction::default()
        };
        let part = self.next_part();
        let outline = compaction.store(&part, rows)?;
        part::store(&part, "compaction", outline, Leftovers::default(), rows)?;
        self.take_usage(fields, left, None, None, rows)
    }
}
