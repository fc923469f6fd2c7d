//! The whole store before it has words: its projects, sessions, and exactly how many messages and parts
//! each session has.
//!
//! Owns the distribution of the asked totals over sessions and slots, the relations between sessions (a
//! sub-agent's session, a fork), versions, start times and session identifiers. Everything that needs to
//! know of two sessions is decided here, so that sessions can be written independently of each other.
//!
//! Invariants: the numbers of sessions, messages and parts are exactly those asked for, fork copies included;
//! the same settings give the same plan.

use super::id::{Mint, WRAP};
use super::placement::{self, Placement};
use super::prose::hexadecimal;
use super::script::{self, Kind, Slot};
use super::version::Version;
use super::vocabulary as words;
use super::{Error, Settings};
use crate::random::Random;

/// How a session came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A person started it.
    Root,
    /// A person opened it and never wrote anything.
    Empty,
    /// A sub-agent of that session runs in it.
    Child { parent: usize },
    /// It began as a copy of that session's first messages.
    Fork { source: usize, number: usize },
}

/// What one session is on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    /// It used more than 2^31 tokens.
    Huge,
    /// It begins before identifiers wrap and goes on after.
    OverWrap,
}

/// A project.
#[derive(Debug, Clone)]
pub(super) struct Project {
    /// The first commit, or `global`.
    pub(super) id: String,
    pub(super) worktree: &'static str,
    pub(super) is_git: bool,
}

/// One session to be.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    pub(super) index: usize,
    pub(super) origin: Origin,
    pub(super) special: Option<Special>,
    pub(super) placement: Placement,
    pub(super) version: Version,
    pub(super) project: usize,
    pub(super) id: String,
    /// When it was created, in milliseconds since 1970.
    pub(super) created: u64,
    /// What the offsets of its slots are counted from; differs from `created` in a fork.
    pub(super) start: u64,
    pub(super) slots: Vec<Slot>,
    /// How many of the slots, from the first on, a fork copied from its source.
    pub(super) copied: usize,
}

/// The store to be.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) projects: Vec<Project>,
    pub(super) sessions: Vec<Outline>,
}

/// How many eighths of the source's messages a fork copies.
fn eighths(fork: usize) -> usize {
    [8, 6, 4, 7, 2][fork % 5]
}

/// How many messages follow the copied ones in a fork.
fn own_messages(fork: usize) -> usize {
    [0, 2, 7][fork % 3]
}

fn origins(count: usize) -> Vec<Origin> {
    let mut origins: Vec<Origin> = Vec::with_capacity(count);
    let mut forks = vec![0; count];
    for index in 0..count {
        // Session 0 to 7 are roots, one of each version.
        let root_before = |wanted: usize| (0..wanted).rev().find(|&at| origins[at] == Origin::Root);
        let origin = if index < 8 {
            Origin::Root
        } else if index % 40 == 34 {
            Origin::Empty
        } else if index % 25 == 8 {
            // Every fourth fork has the same source as the one before it.
            let from = if index % 100 == 58 { index - 25 } else { index };
            root_before(from).map_or(Origin::Root, |source| {
                forks[source] += 1;
                Origin::Fork { source, number: forks[source] }
            })
        } else if index % 12 == 9 {
            root_before(index).map_or(Origin::Root, |parent| Origin::Child { parent })
        } else {
            Origin::Root
        };
        origins.push(origin);
    }
    origins
}

pub(super) fn make(settings: &Settings) -> Result<Plan, Error> {
    let seed = settings.seed;
    let origins = origins(settings.sessions);
    let mut sessions = outlines(settings, &origins);
    let counts = message_counts(settings, &origins)?;
    for outline in &mut sessions {
        let index = outline.index;
        let mut random = Random::named(seed, &["script", &index.to_string()]);
        let child = matches!(outline.origin, Origin::Child { .. });
        // The newest tables keep compactions in another way, beside the messages.
        let compacts = !child && !outline.placement.newest;
        if matches!(outline.origin, Origin::Fork { .. }) {
            outline.copied = counts[index] - own_messages(index);
        }
        outline.slots =
            script::slots(&mut random, outline.version, counts[index] - outline.copied, child, compacts);
        if let (Some(Special::Huge), Some(slot)) = (outline.special, outline.slots.get_mut(1)) {
            slot.kind = Kind::Answer;
        }
    }
    let copied: Vec<(usize, usize, usize)> = sessions
        .iter()
        .filter_map(|outline| match outline.origin {
            Origin::Fork { source, .. } => Some((outline.index, source, outline.copied)),
            _ => None,
        })
        .collect();
    part_counts(settings, &mut sessions, &copied)?;
    place_children(&mut sessions);
    place_in_time(settings, &mut sessions);
    for (fork, source, count) in copied {
        let mut slots = sessions[source].slots[..count].to_vec();
        let fork = &mut sessions[fork];
        let later = fork.created - fork.start + 4_000;
        slots.extend(fork.slots.drain(..).map(|slot| Slot { offset: slot.offset + later, ..slot }));
        fork.slots = slots;
    }
    Ok(Plan { projects: projects(seed), sessions })
}

fn projects(seed: u64) -> Vec<Project> {
    let mut random = Random::named(seed, &["projects"]);
    let mut projects: Vec<Project> = words::WORKTREES
        .iter()
        .map(|worktree| Project { id: hexadecimal(&mut random, 40), worktree, is_git: true })
        .collect();
    projects.push(Project { id: "global".to_owned(), worktree: "/", is_git: false });
    projects
}

/// Sessions with everything but slots, times and identifiers.
fn outlines(settings: &Settings, origins: &[Origin]) -> Vec<Outline> {
    let mut sessions: Vec<Outline> = Vec::with_capacity(origins.len());
    for (index, &origin) in origins.iter().enumerate() {
        let mut random = Random::named(settings.seed, &["outline", &index.to_string()]);
        let (mut placement, mut version) = placement::draw(&mut random, settings.generation, index);
        let mut project = random.below(7).min(5);
        if let Origin::Child { parent: like } | Origin::Fork { source: like, .. } = origin {
            let like: &Outline = &sessions[like];
            (placement, version, project) = (like.placement, like.version, like.project);
        }
        let special = match index {
            _ if settings.ordinary => None,
            3 => Some(Special::Huge),
            10 => Some(Special::OverWrap),
            _ => None,
        };
        if special == Some(Special::OverWrap) {
            (placement, version) = (placement::of_last_json_version(settings.generation), Version::V1_1_65);
        }
        sessions.push(Outline {
            index,
            origin,
            special,
            placement,
            version,
            project,
            id: String::new(),
            created: 0,
            start: 0,
            slots: Vec::new(),
            copied: 0,
        });
    }
    sessions
}

/// How many messages each session has; their sum is what was asked for.
fn message_counts(settings: &Settings, origins: &[Origin]) -> Result<Vec<usize>, Error> {
    const LEAST: usize = 2;
    let mut weights: Vec<u64> = Vec::with_capacity(origins.len());
    for (index, origin) in origins.iter().enumerate() {
        let mut random = Random::named(settings.seed, &["weight", &index.to_string()]);
        let base = random.between(8, 60) as u64;
        weights.push(match origin {
            Origin::Root => base * [1, 1, 1, 2, 2, 4, 9][random.below(7)],
            Origin::Child { .. } => base / 2,
            Origin::Fork { .. } | Origin::Empty => 0,
        });
    }
    let least =
        |origin: &Origin| if matches!(origin, Origin::Root | Origin::Child { .. }) { LEAST } else { 0 };
    // A message that forks copy counts once more for each of them.
    let mut shared = vec![8; origins.len()];
    let mut spent = 0;
    for (index, origin) in origins.iter().enumerate() {
        spent += least(origin);
        if let Origin::Fork { source, .. } = origin {
            shared[*source] += eighths(index) as u64;
            spent += LEAST * eighths(index) / 8 + own_messages(index);
        }
    }
    let total: u64 = weights.iter().zip(&shared).map(|(weight, shared)| weight * shared).sum();
    let Some(spare) = settings.messages.checked_sub(spent) else {
        return Err(Error::too_few("messages", settings.messages, spent));
    };
    let share = |index: usize| (spare as u64 * weights[index] * 8 / total.max(1)) as usize;
    let mut counts: Vec<usize> =
        origins.iter().enumerate().map(|(index, origin)| least(origin) + share(index)).collect();
    for (index, origin) in origins.iter().enumerate() {
        if let Origin::Fork { source, .. } = origin {
            counts[index] = counts[*source] * eighths(index) / 8 + own_messages(index);
        }
    }
    let free: Vec<usize> =
        (0..origins.len()).filter(|&index| shared[index] == 8 && weights[index] > 0).collect();
    spread(settings.messages - counts.iter().sum::<usize>(), &free, |index| counts[index] += 1);
    Ok(counts)
}

/// Hands out `left` one by one over `places`.
fn spread(left: usize, places: &[usize], mut give: impl FnMut(usize)) {
    for step in 0..left {
        if let Some(&place) = places.get(step % places.len().max(1)) {
            give(place);
        }
    }
}

/// Gives every slot its parts; their sum, copies included, is what was asked for.
fn part_counts(
    settings: &Settings,
    sessions: &mut [Outline],
    copied: &[(usize, usize, usize)],
) -> Result<(), Error> {
    // How often each slot appears: once, and once more for every fork that copies it.
    let times = |session: usize, slot: usize| {
        1 + copied.iter().filter(|(_, source, count)| *source == session && slot < *count).count() as u64
    };
    let mut pulls: Vec<(usize, usize, u64, u64)> = Vec::with_capacity(settings.messages);
    let (mut spent, mut total) = (0, 0);
    for outline in sessions.iter() {
        let mut random = Random::named(settings.seed, &["parts", &outline.index.to_string()]);
        let is_source = copied.iter().any(|(_, source, _)| *source == outline.index);
        for (at, slot) in outline.slots.iter().enumerate() {
            let times = if is_source { times(outline.index, at) } else { 1 };
            let pull = slot.kind.pull(&mut random, outline.version);
            spent += times * slot.kind.least_parts() as u64;
            total += times * pull;
            pulls.push((outline.index, at, pull, times));
        }
    }
    let Some(spare) = (settings.parts as u64).checked_sub(spent) else {
        return Err(Error::too_few("parts", settings.parts, spent as usize));
    };
    let mut left = spare;
    for &(session, at, pull, times) in &pulls {
        let extra = spare * pull / total.max(1);
        let slot = &mut sessions[session].slots[at];
        slot.parts = slot.kind.least_parts() + extra as usize;
        left -= extra * times;
    }
    let free: Vec<usize> =
        (0..pulls.len()).filter(|&place| pulls[place].3 == 1 && pulls[place].2 > 0).collect();
    if free.is_empty() && left > 0 {
        return Err(Error::too_few("messages", settings.messages, settings.messages + 1));
    }
    spread(left as usize, &free, |place| {
        let (session, at, ..) = pulls[place];
        sessions[session].slots[at].parts += 1;
    });
    Ok(())
}

/// Finds each sub-agent's session a tool call of its parent, and makes room for it there.
fn place_children(sessions: &mut [Outline]) {
    for index in 0..sessions.len() {
        let Origin::Child { parent } = sessions[index].origin else { continue };
        let duration = script::end(&sessions[index].slots) + 1_500;
        let many_steps = sessions[parent].version.many_steps();
        let host = sessions[parent].slots.iter().position(|slot| {
            let fits = if many_steps { slot.kind == Kind::Answer } else { slot.kind == Kind::Work };
            fits && slot.child.is_none() && slot.parts >= 3
        });
        match host {
            Some(at) => script::host(&mut sessions[parent].slots, at, index, duration),
            None => sessions[index].origin = Origin::Root,
        }
    }
}

/// Decides when each session begins, and mints the session identifiers.
fn place_in_time(settings: &Settings, sessions: &mut [Outline]) {
    for index in 0..sessions.len() {
        let mut random = Random::named(settings.seed, &["time", &index.to_string()]);
        let (first, last) = sessions[index].version.window();
        let drawn = first + (random.next() % (last - first));
        let outline = &sessions[index];
        let (created, start) = match outline.origin {
            // Half of it lies behind the wrap.
            _ if outline.special == Some(Special::OverWrap) => {
                let middle = outline.slots.get(outline.slots.len() / 2).map_or(0, |slot| slot.offset);
                (WRAP - middle, WRAP - middle)
            }
            Origin::Child { parent } => {
                let host = &sessions[parent];
                let slot = host.slots.iter().find(|slot| slot.child == Some(index));
                let start = host.start + slot.map_or(0, |slot| slot.offset + 700);
                (start, start)
            }
            Origin::Fork { source, .. } => {
                let source = &sessions[source];
                let later = random.between(60_000, 172_800_000) as u64;
                (source.start + script::end(&source.slots) + later, source.start)
            }
            // Two that begin an hour before and an hour after the wrap.
            _ if index == 11 => (WRAP - 3_600_000, WRAP - 3_600_000),
            _ if index == 12 => (WRAP + 3_600_000, WRAP + 3_600_000),
            Origin::Root | Origin::Empty => (drawn, drawn),
        };
        let id = Mint::new(random).descending("ses", created);
        let outline = &mut sessions[index];
        (outline.created, outline.start, outline.id) = (created, start, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(sessions: usize, messages: usize, parts: usize) -> Plan {
        make(&Settings { sessions, messages, parts, seed: 5, ..Settings::default() }).unwrap()
    }

    #[test]
    fn totals_are_exactly_those_asked_for() {
        for (sessions, messages, parts) in
            [(1, 2, 8), (9, 60, 300), (60, 2_000, 9_000), (877, 43_060, 187_331)]
        {
            let plan = plan(sessions, messages, parts);
            assert_eq!(plan.sessions.len(), sessions);
            assert_eq!(plan.sessions.iter().map(|session| session.slots.len()).sum::<usize>(), messages);
            let slots = plan.sessions.iter().flat_map(|session| &session.slots);
            assert_eq!(slots.map(|slot| slot.parts).sum::<usize>(), parts);
        }
    }

    #[test]
    fn every_relation_and_both_sides_of_the_wrap_appear() {
        let plan = plan(120, 4_000, 18_000);
        let count = |test: &dyn Fn(&Outline) -> bool| plan.sessions.iter().filter(|one| test(one)).count();
        assert!(count(&|one| matches!(one.origin, Origin::Fork { .. })) >= 4);
        assert!(count(&|one| matches!(one.origin, Origin::Fork { number: 2, .. })) >= 1);
        assert!(count(&|one| matches!(one.origin, Origin::Child { .. })) >= 6);
        assert!(count(&|one| one.origin == Origin::Empty) >= 2);
        assert!(count(&|one| one.created < WRAP) > 20 && count(&|one| one.created >= WRAP) > 5);
        for outline in &plan.sessions {
            if let Origin::Child { parent } = outline.origin {
                let parent = &plan.sessions[parent];
                let slot = parent.slots.iter().find(|slot| slot.child == Some(outline.index)).unwrap();
                let (from, to) = (parent.start + slot.offset, parent.start + slot.offset + slot.duration);
                assert!(outline.created > from && outline.start + script::end(&outline.slots) < to);
            }
        }
    }

    #[test]
    fn too_few_are_refused() {
        let small = Settings { sessions: 50, messages: 60, parts: 500, seed: 1, ..Settings::default() };
        assert!(make(&small).unwrap_err().to_string().contains("messages"));
        let thin = Settings { sessions: 5, messages: 60, parts: 60, seed: 1, ..Settings::default() };
        assert!(make(&thin).unwrap_err().to_string().contains("parts"));
    }
}
