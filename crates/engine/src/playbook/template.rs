//! The template of a plan (PFA-28): thirteen sections.
//!
//! Owns the text that `playbook new` writes. It passes lint as a draft; every `TODO` is for its author.

use super::document::DocumentKind;

/// A new document.
pub fn new_document(name: &str, title: &str, owner: &str, day: &str, kind: DocumentKind) -> String {
    let word = match kind {
        DocumentKind::Plan => "plan",
        DocumentKind::Playbook => "playbook",
    };
    let front = format!(
        "+++\nplaybook = \"{name}\"\ntitle = {title:?}\nkind = \"{word}\"\nowner = {owner:?}\npurpose = \"What this is for, in one sentence\"\nstate = \"Draft\"\ncreated = \"{day}\"\ntarget = \"the next sprint\"\npriority = \"medium\"\ndecisions = []\n+++\n\n# {title}\n"
    );
    match kind {
        DocumentKind::Plan => front + PLAN,
        DocumentKind::Playbook => front + PLAYBOOK,
    }
}

const PLAN: &str = r#"
## Summary

TODO: what is done, for whom, and why now, in a few sentences.

## Goals

### Success criteria

- [ ] TODO: a figure and its threshold, such as p99 below 50 ms, or a gate

### Non-goals

- TODO: what this deliberately leaves alone

## Context

TODO: what is there today, and what led to this.

## Technical approach

TODO: the way it is done. The decisions are linked in the front matter.

## Phases

### Phase 1 (1 to 2 sprints)

- [ ] TODO: a task (3 points)

Deliverable: TODO

## Tests

- Unit: TODO
- Integration (endpoints, transactions): TODO
- End to end (a user's workflow): TODO
- Coverage: at least 80 %

## Migration

- [ ] a backup is taken
- [ ] it is tested on staging
- [ ] users are notified

### Rollback

TODO: how it is taken back, and how long that takes.

## Risks

| risk | priority | impact | mitigation | owner |
|---|---|---|---|---|
| TODO | high | TODO | TODO | TODO |

## Dependencies

TODO: what must be there first.

## Performance

| measure | before | after |
|---|---|---|
| query time | TODO | TODO |
| memory | TODO | TODO |
| API latency | TODO | TODO |

## Security

- Credentials: TODO
- Access: TODO

## Documentation

- [ ] README
- [ ] ARCHITECTURE
- [ ] API reference
- [ ] development log

## Progress

TODO: what was done when.
"#;

const PLAYBOOK: &str = r#"
## Steps

### 1. Back up

```step
id = "backup"
kind = "backup"
system = "hearings"
```

### 2. Check

```step
id = "verify"
kind = "command"
run = "verify --all"
nothing_to_take_back = "it only looks"
```
"#;
