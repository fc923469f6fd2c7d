//! The gates and playbooks of this system: the milestones of the analytics programme.
//!
//! Owns their files as data. How they are judged and run is the engine's.

/// Gate files.
pub const GATES: &[&str] = &[
    include_str!("../gates/m1.toml"),
    include_str!("../gates/m2.toml"),
    include_str!("../gates/m3.toml"),
    include_str!("../gates/m4.toml"),
];

/// Playbooks.
pub const PLAYBOOKS: &[&str] = &[include_str!("../playbooks/go-live.md")];

#[cfg(test)]
mod tests {
    use plimsoll_core::gate::Source;
    use plimsoll_engine::check::Check;

    use super::*;

    #[test]
    fn milestones_follow_each_other_and_name_checks_that_there_are() {
        let checks = Check::parse_all(crate::checks::CHECKS).unwrap();
        let gates: Vec<_> = GATES.iter().map(|text| plimsoll_engine::gate::parse(text).unwrap()).collect();
        let names: Vec<&str> = gates.iter().map(|gate| gate.gate.as_str()).collect();
        assert_eq!(names, ["opencode/m1", "opencode/m2", "opencode/m3", "opencode/m4"]);
        for (at, gate) in gates.iter().enumerate() {
            let sources =
                gate.criteria.iter().flat_map(|criterion| &criterion.evidence).map(|asked| &asked.source);
            let mut before = None;
            for source in sources {
                match source {
                    Source::Check { check, .. } => {
                        assert!(checks.iter().any(|known| known.name == *check), "{}: {check}", gate.gate);
                    }
                    Source::Gate { gate } => before = Some(gate.as_str()),
                    _ => {}
                }
            }
            let wanted = at.checked_sub(1).map(|before| names[before]);
            assert_eq!(before, wanted, "{}: no stage begins before the last is cleared", gate.gate);
        }
    }
}
