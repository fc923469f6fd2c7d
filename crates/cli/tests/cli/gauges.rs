//! Gauge sets by the generic verbs: a laboratory is made, an operation is run from its options, a refusal names its reasons.

use crate::support::home::Home;

#[test]
fn a_laboratory_is_made_and_worked_in() {
    let home = Home::new();
    let made = home.expect(0, &["simulate", "gauges", "--sets", "60", "--json"]).json();
    assert_eq!((made["brought_in"].as_u64(), made["left_out"].as_u64()), (Some(60), Some(4)));
    home.expect(2, &["simulate", "gauges", "--sets", "60"]);
    // Of the first sets some are overdue, out or unpaired; one that can be retired is among the first twenty.
    let retired = (1..=20).map(|number| format!("SP{number:04}")).find(|set| {
        let set = format!("set={set}");
        let arguments =
            ["run", "gauges", "retire-set", "--option", &set, "--option", "reason=worn beyond its limits"];
        home.run(&arguments).code == 0
    });
    let retired = retired.expect("one of them can be retired");
    let set = format!("set={retired}");
    let again =
        home.expect(4, &["run", "gauges", "check-out", "--option", &set, "--option", "reason=for a job"]);
    assert!(again.err.contains(&format!("set {retired} is retired [set.ended]")), "{}", again.err);
    let runs = home.expect(0, &["log", "--json"]).json();
    assert!(runs.to_string().contains("retire-set"));
}
