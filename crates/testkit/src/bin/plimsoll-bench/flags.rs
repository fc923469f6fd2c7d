//! `bench flags`: nanoseconds of an evaluation, beside the bare evaluator in the same run, and the memory of many flags.
//!
//! The figures of the HTTP server are measured beside it; this file measures what a process does for itself.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use plimsoll_core::flag::{Algorithm, Constraint, Flag, Percent, Rollout, Rule, State, Variant};
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::flag::snapshot::Definitions;
use plimsoll_engine::flag::{EvaluationContext, Snapshot, StoredFlag};
use unleash_types::client_features::{ClientFeature, ClientFeatures, Context, Strategy};
use unleash_yggdrasil::EngineState;

use crate::Failure;
use crate::table::{grouped, median};

const FLAGS: usize = 1_000;

/// Runs the benchmark.
pub(crate) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut rounds = 9;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--rounds" => rounds = words.next().ok_or("--rounds N")?.parse()?,
            "--quick" => rounds = 3,
            other => return Err(format!("unknown option `{other}`").into()),
        }
    }
    let before = resident_kb()?;
    let began = Instant::now();
    let snapshot = Snapshot::new(definitions(), Arc::new(MachineClock::new()));
    let built = began.elapsed();
    let grown = resident_kb()?.saturating_sub(before);
    println!(
        "bench flags: {FLAGS} flags loaded, median of {rounds} rounds of 200,000 evaluations, aim <= 400 ns"
    );
    println!(
        "  snapshot of {FLAGS} flags: built in {:.1} ms, {:.1} MB ({:.1} KB a flag)",
        built.as_secs_f64() * 1_000.0,
        grown as f64 / 1_024.0,
        grown as f64 / FLAGS as f64
    );
    let keys: Vec<EvaluationContext> = (0..512).map(customer).collect();
    for (what, name) in [
        ("boolean, on for everybody", "boolean-500"),
        ("boolean, off", "off-500"),
        ("50 % by unleash-1", "percent-500"),
        ("50 % of tier in [pro, ent] (reference case)", "reference-500"),
        ("50 % by plimsoll-1", "own-500"),
        ("50 %, 100 allowed and 100 denied keys", "lists-500"),
        ("schedule of 3 stages", "schedule-500"),
        ("unknown flag", "nowhere"),
    ] {
        line(what, rounds, |at| snapshot.is_on(name, &keys[at % keys.len()]));
    }
    line("with value and reason: 50 % by unleash-1", rounds, |at| {
        snapshot.evaluate("percent-500", &keys[at % keys.len()]).on
    });
    line("with value and reason: 2 variants", rounds, |at| {
        snapshot.evaluate("variants-500", &keys[at % keys.len()]).variant.is_some()
    });
    bare(rounds);
    let mut times = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        black_box(snapshot.evaluate_all(&keys[0]));
        times.push(began.elapsed().as_secs_f64() * 1e6);
    }
    let flags = snapshot.flags().len();
    println!("  all {flags} flags with value and reason: {:.0} us", median(times).0);
    Ok(())
}

/// The evaluator alone, on the reference case.
fn bare(rounds: usize) {
    let engine = EngineState::initial_state(Default::default());
    let feature = |at: usize| ClientFeature {
        name: format!("reference-{at}"),
        enabled: true,
        strategies: Some(vec![Strategy {
            name: "flexibleRollout".into(),
            sort_order: None,
            segments: None,
            constraints: Some(vec![unleash_types::client_features::Constraint {
                context_name: "tier".into(),
                operator: unleash_types::client_features::Operator::In,
                case_insensitive: false,
                inverted: false,
                values: Some(vec!["pro".into(), "ent".into()]),
                value: None,
            }]),
            parameters: Some(HashMap::from([
                ("rollout".to_owned(), "50".to_owned()),
                ("stickiness".to_owned(), "userId".to_owned()),
                ("groupId".to_owned(), format!("reference-{at}")),
            ])),
            variants: None,
        }]),
        ..ClientFeature::default()
    };
    let features = (0..FLAGS).map(feature).collect();
    engine.apply_client_features(ClientFeatures { features, ..ClientFeatures::default() });
    let contexts: Vec<Context> = (0..512)
        .map(|number| Context {
            user_id: Some(format!("customer-{number}")),
            properties: Some(HashMap::from([("tier".to_owned(), tier(number).to_owned())])),
            session_id: None,
            environment: None,
            app_name: None,
            current_time: None,
            remote_address: None,
        })
        .collect();
    line("the bare evaluator (floor), reference case", rounds, |at| {
        engine.is_enabled("reference-500", &contexts[at % contexts.len()], &None)
    });
}

fn line(what: &str, rounds: usize, ask: impl Fn(usize) -> bool) {
    const TIMES: usize = 200_000;
    let mut figures = Vec::new();
    let mut hits = 0_usize;
    for _ in 0..rounds {
        let began = Instant::now();
        for at in 0..TIMES {
            hits += usize::from(black_box(ask(black_box(at))));
        }
        figures.push(began.elapsed().as_secs_f64() * 1e9 / TIMES as f64);
    }
    let best = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let (middle, spread) = median(figures);
    let share = hits * 100 / (TIMES * rounds);
    println!(
        "  {what:<46} {:>7} ns  (best {best:.0}, spread {:.0} %, {share} % on)",
        grouped(middle),
        spread * 100.0
    );
}

fn tier(number: usize) -> &'static str {
    ["pro", "ent", "free"][number % 3]
}

fn customer(number: usize) -> EvaluationContext {
    EvaluationContext::of(format!("customer-{number}")).with("tier", tier(number))
}

fn definitions() -> Definitions {
    let kinds = ["boolean", "off", "percent", "reference", "own", "lists", "schedule", "variants"];
    // Every kind has the number that is asked for; the rest share the other numbers.
    let numbers =
        (0..FLAGS).map(|at| if at < kinds.len() { (at, 500) } else { (at % kinds.len(), at + 1_000) });
    let flags = numbers.map(|(kind, number)| stored(kinds[kind], number)).collect();
    Definitions { version: 1, flags, ..Definitions::default() }
}

fn stored(kind: &str, number: usize) -> StoredFlag {
    let name = format!("{kind}-{number}");
    let mut flag = Flag { state: State::On, ..Flag::new(&name) };
    let mut rollout = Rollout {
        percent: Percent::whole(50),
        algorithm: Algorithm::Unleash1,
        salt: name.clone(),
        stages: Vec::new(),
        constraints: Vec::new(),
        segments: Vec::new(),
    };
    let tiers = || Constraint::one_of("tier", vec!["pro".into(), "ent".into()]);
    match kind {
        "off" => flag.state = State::Off,
        "percent" => flag.rollout = Some(rollout),
        "reference" => {
            rollout.constraints = vec![tiers()];
            flag.rollout = Some(rollout);
        }
        "own" => {
            rollout.algorithm = Algorithm::Plimsoll1;
            flag.rollout = Some(rollout);
        }
        "lists" => {
            flag.allow = (0..100).map(|key| (format!("customer-{key}"), None)).collect();
            flag.deny = (100..200).map(|key| format!("customer-{key}")).collect();
            flag.rollout = Some(rollout);
        }
        "schedule" => {
            let stage = |at: &str, percent| plimsoll_core::flag::Stage {
                at: at.into(),
                percent: Percent::whole(percent),
            };
            rollout.stages =
                vec![stage("2020-01-01T00:00:00.000Z", 60), stage("2090-01-01T00:00:00.000Z", 80)];
            flag.rollout = Some(rollout);
        }
        "variants" => {
            for name in ["a", "b"] {
                flag.variants.push(Variant { name: name.into(), weight: 500, ..Variant::default() });
            }
            flag.rules = vec![Rule::of(vec![tiers()])];
        }
        _ => {}
    }
    let at = "2026-01-01T00:00:00.000Z".to_owned();
    StoredFlag { id: name, version: 1, archived: false, created_at: at.clone(), changed_at: at, flag }
}

/// The resident size: `VmRSS` of `/proc/self/status` (proc(5)).
fn resident_kb() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
