//! From the body of a request to a flag's definition.
//!
//! Owns the two ways in which a request words a change: members merged into the definition, and a percentage.

use plimsoll_core::flag::{Algorithm, Flag, Percent, Rollout, State};
use plimsoll_engine::EngineError;
use serde_json::{Map, Value};

/// Merges members into a definition (RFC 7396: `null` takes a member away, objects are merged, anything else replaces).
///
/// # Errors
/// Usage, when the result is no flag's definition.
pub(crate) fn merge(flag: &mut Flag, members: Map<String, Value>) -> Result<(), EngineError> {
    if members.is_empty() {
        return Ok(());
    }
    let mut whole = serde_json::to_value(&*flag)?;
    merge_value(&mut whole, Value::Object(members));
    *flag = serde_json::from_value(whole)
        .map_err(|error| EngineError::usage(format!("this is no definition of a flag: {error}")))?;
    Ok(())
}

fn merge_value(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge_value(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Sets the percentage that holds from `now` on, and turns the flag on.
///
/// # Errors
/// Refused when the flag was killed: only an explicit `on` brings it back.
pub(crate) fn set_percent(flag: &mut Flag, percent: Percent, now: &str) -> Result<(), EngineError> {
    if percent > Percent::NOBODY {
        if flag.state == State::Killed {
            return Err(EngineError::refused(format!(
                "`{0}` was killed\nhint: its history tells why; set its state to `on` to turn it on again",
                flag.name
            )));
        }
        flag.state = State::On;
    }
    let salt = flag.salt.clone();
    // Unleash's clients agree on whole percent only.
    let algorithm = if percent.as_whole().is_some() { Algorithm::Unleash1 } else { Algorithm::Plimsoll1 };
    let rollout = flag.rollout.get_or_insert_with(|| Rollout {
        percent,
        algorithm,
        salt,
        stages: Vec::new(),
        constraints: Vec::new(),
        segments: Vec::new(),
    });
    rollout.percent = percent;
    // Stages of the past would take the percentage back at once.
    rollout.stages.retain(|stage| stage.at.as_str() > now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn members_are_merged_and_null_takes_away() {
        let mut flag = Flag::new("a");
        merge(&mut flag, members(json!({ "owner": "me", "state": "on", "deny": ["x"] }))).unwrap();
        assert_eq!((flag.owner.as_str(), flag.state, flag.deny.len()), ("me", State::On, 1));
        merge(&mut flag, members(json!({ "owner": null, "allow": { "k": null } }))).unwrap();
        assert_eq!((flag.owner.as_str(), flag.deny.len()), ("", 1));
        let problem = merge(&mut flag, members(json!({ "stat": "on" }))).unwrap_err();
        assert!(problem.message.contains("stat"), "{problem}");
    }

    #[test]
    fn a_percentage_turns_on_but_does_not_raise_the_dead() {
        let mut flag = Flag::new("a");
        set_percent(&mut flag, Percent::whole(10), "2026-01-01").unwrap();
        assert_eq!((flag.state, flag.rollout.as_ref().unwrap().percent), (State::On, Percent::whole(10)));
        flag.state = State::Killed;
        assert!(set_percent(&mut flag, Percent::whole(20), "2026-01-01").is_err());
        set_percent(&mut flag, Percent::NOBODY, "2026-01-01").unwrap();
        assert_eq!(flag.state, State::Killed);
    }
}
