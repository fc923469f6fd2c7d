//! Bad files beside good ones: what crashes, full disks and races leave in a store.
//!
//! Owns the planting. Bad files are always additional: no good file is changed, so that every number of the
//! manifest stays true.

use std::fs;
use std::path::Path;

use super::Error;
use super::id::Mint;
use super::json::{Json, Object};
use super::live::names;
use super::manifest::{BadFile, BadKind};
use super::plan::{Outline, Plan};
use crate::random::Random;

const KINDS: [BadKind; 5] =
    [BadKind::Empty, BadKind::Truncated, BadKind::NulFilled, BadKind::NotJson, BadKind::Orphan];

/// Plants `count` bad files into `root/storage` and names them by their path relative to `root`.
pub(super) fn plant(root: &Path, plan: &Plan, seed: u64, count: usize) -> Result<Vec<BadFile>, Error> {
    let sessions: Vec<&Outline> =
        plan.sessions.iter().filter(|outline| outline.placement.json && !outline.slots.is_empty()).collect();
    if sessions.is_empty() {
        return Err(Error::NoFiles);
    }
    let mut bad = Vec::with_capacity(count);
    for place in 0..count {
        let mut random = Random::named(seed, &["bad", &place.to_string()]);
        let session = *random.pick::<&Outline>(&sessions);
        let at = session.start + random.below(1_000_000) as u64;
        let mut mint = Mint::new(random.clone());
        let kind = KINDS[place % KINDS.len()];
        let (folder, id) = match (kind, random.below(10)) {
            (BadKind::Orphan, _) => {
                let message = mint.ascending("msg", at);
                (format!("storage/part/{message}"), mint.ascending("prt", at))
            }
            (_, 0) => {
                let project = &plan.projects[session.project].id;
                (format!("storage/session/{project}"), mint.descending("ses", at))
            }
            (_, 1..=3) => (format!("storage/message/{}", session.id), mint.ascending("msg", at)),
            _ => {
                let messages = names(&root.join("storage/message").join(&session.id))?;
                let message = random.pick(&messages);
                (format!("storage/part/{message}"), mint.ascending("prt", at))
            }
        };
        let path = format!("{folder}/{id}.json");
        let message = folder.rsplit('/').next().unwrap_or_default();
        let bytes = contents(&mut random, kind, &id, &session.id, message);
        let folder = root.join(&folder);
        fs::create_dir_all(&folder).map_err(|source| Error::writing(&folder, source))?;
        let file = root.join(&path);
        fs::write(&file, bytes).map_err(|source| Error::writing(&file, source))?;
        bad.push(BadFile { path, kind });
    }
    bad.sort();
    Ok(bad)
}

fn contents(random: &mut Random, kind: BadKind, id: &str, session: &str, message: &str) -> Vec<u8> {
    let good = || {
        let part = Object::new()
            .with("id", id.to_owned())
            .with("sessionID", session.to_owned())
            .with("messageID", message.to_owned())
            .with("type", "text")
            .with("text", "A good part that came to a bad end.");
        let mut bytes = Vec::new();
        Json::from(part).pretty(&mut bytes);
        bytes
    };
    match kind {
        BadKind::Empty => Vec::new(),
        BadKind::Truncated => {
            let mut bytes = good();
            bytes.truncate(random.between(1, bytes.len() - 1));
            bytes
        }
        // Lengths that people have reported.
        BadKind::NulFilled => vec![0; *random.pick(&[413, 1_518])],
        BadKind::NotJson => {
            if random.percent(50) {
                return b"<html><body>502 Bad Gateway</body></html>\n".to_vec();
            }
            // A shorter text written over a longer one.
            let mut bytes = good();
            bytes.extend_from_slice(b"tail\"\n}");
            bytes
        }
        BadKind::Orphan => good(),
    }
}
