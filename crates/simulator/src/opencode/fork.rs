//! Forks: sessions that begin as a copy of another one's messages.
//!
//! Owns what copying changes and, more important, what it does not: identifiers are new and minted when the
//! fork was made, while tokens, cost and the original times stay. Nothing in the copy names its source.

use std::collections::HashMap;

use super::id::Mint;
use super::session::Session;
use crate::random::Random;

/// Puts copies of the first messages of `source` in front of the fork's own.
pub(super) fn join<'a>(source: Session<'_>, mut fork: Session<'a>, random: Random) -> Session<'a> {
    let outline = fork.outline;
    let mut mint = Mint::new(random);
    let mut names: HashMap<String, String> = HashMap::new();
    let mut copies = source.messages;
    copies.truncate(outline.copied);
    for message in &mut copies {
        let id = mint.ascending("msg", outline.created);
        message.info.set("id", &id);
        message.info.set("sessionID", &outline.id);
        if let Some(parent) = names.get(message.info.text("parentID")) {
            message.info.set("parentID", parent);
        }
        for part in &mut message.parts {
            part.id = mint.ascending("prt", outline.created + 1);
            part.info.set("id", &part.id);
            part.info.set("sessionID", &outline.id);
            part.info.set("messageID", &id);
            part.updated = outline.created + 1;
        }
        message.updated = outline.created + 1;
        let old = std::mem::replace(&mut message.id, id.clone());
        names.insert(old, id);
    }
    copies.append(&mut fork.messages);
    fork.messages = copies;
    fork
}
