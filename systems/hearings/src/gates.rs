//! The gates and playbooks of this system: the decision on the batch path.
//!
//! Owns their files as data. How they are judged and run is the engine's.

/// Gate files.
pub const GATES: &[&str] = &[include_str!("../gates/decision.toml")];

/// Playbooks.
pub const PLAYBOOKS: &[&str] = &[include_str!("../playbooks/trial.md")];

#[cfg(test)]
mod tests {
    use plimsoll_core::gate::Source;

    use super::*;
    use crate::decision::CRITERIA;

    /// The gate asks what a trial asks: the same criteria, values, thresholds and guards, in the same order.
    #[test]
    fn the_gate_asks_the_19_criteria_of_a_trial() {
        let gate = plimsoll_engine::gate::parse(GATES[0]).unwrap();
        assert_eq!((gate.gate.as_str(), gate.criteria.len()), ("hearings/decision", 19));
        for (asked, declared) in gate.criteria.iter().zip(CRITERIA) {
            assert_eq!((asked.id.as_str(), asked.text.as_str()), (declared.id, declared.text));
            assert_eq!((asked.guards_data, asked.required), (declared.guards_data, true), "{}", asked.id);
            let [evidence] = asked.evidence.as_slice() else { panic!("{}: one value each", asked.id) };
            let rule = (&evidence.rule.comparison, evidence.rule.threshold, evidence.rule.unit.as_str());
            assert_eq!(rule, (&declared.comparison, declared.threshold, declared.unit), "{}", asked.id);
            let Source::Trial { system, change, measure } = &evidence.source else { panic!("{}", asked.id) };
            assert_eq!((system.as_str(), change.as_str()), ("hearings", "daily-update"));
            assert_eq!(measure, declared.measure);
        }
    }
}
