//! The history of records: any version comes back exactly, and differences take less room than whole rows.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_engine::sync::history;
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::Options;

use crate::support::Bench;

const FIELDS: [&str; 5] = ["model", "manufacturer", "area_silo", "contract", "equipment_tag"];

/// The newest row of a record as bytes, and the number of its version.
fn newest(bench: &Bench, key: &str) -> (u64, String) {
    let history = history::of(&mut bench.session("look"), &PfaLink, key).unwrap();
    (history.steps.last().map_or(0, |step| step.version), serde_json::to_string(&history.newest).unwrap())
}

#[test]
fn any_version_comes_back_byte_for_byte_and_differences_are_smaller_than_rows() {
    let options = Options { organizations: 1, rows_per_organization: 20, ..Options::default() };
    Bench::each(&options, |bench| {
        bench.pull();
        let mut random = 11_u64;
        let mut pick = |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((random >> 33) % below).unwrap()
        };
        let mut seen: BTreeMap<(String, u64), String> = BTreeMap::new();
        let keys: Vec<String> = (0..20).map(|at| bench.key(at)).collect();
        for key in &keys {
            let (version, row) = newest(bench, key);
            seen.insert((key.clone(), version), row);
        }
        for round in 0..90 {
            let key = &keys[pick(20)];
            let value = format!("Demo {round}");
            let changed = [(FIELDS[pick(5)], value.as_str()), (FIELDS[pick(5)], value.as_str())];
            match pick(3) {
                0 => {
                    bench.elsewhere(key, &changed);
                    bench.pull();
                }
                1 => drop(bench.edit("anna", key, &changed)),
                _ => {
                    let (last, _) = newest(bench, key);
                    let to = u64::try_from(pick(last + 1)).unwrap();
                    history::restore(&mut bench.session("anna"), &PfaLink, key, to).unwrap();
                    // PFA-22: what was gone back to is what was seen then.
                    if let Some(then) = seen.get(&(key.clone(), to)) {
                        assert_eq!(&newest(bench, key).1, then, "{key} back to {to}");
                    }
                }
            }
            // The edit is one version; what PEMS makes of it may be another.
            let (version, row) = newest(bench, key);
            seen.insert((key.clone(), version), row);
            bench.settle();
            let (version, row) = newest(bench, key);
            seen.insert((key.clone(), version), row);
        }
        let mut rows = 0;
        for ((key, version), then) in &seen {
            let history = history::of(&mut bench.session("look"), &PfaLink, key).unwrap();
            let now = serde_json::to_string(&history.version(*version).unwrap()).unwrap();
            assert_eq!(&now, then, "{key} {version}");
            rows += then.len();
        }
        let sql = "SELECT count(*), CAST(sum(length(difference)) AS bigint) FROM plimsoll_sync_history";
        let found = bench.session("look").store.query(sql, &[]).unwrap();
        let figures: Vec<i64> = found[0].iter().filter_map(Value::as_integer).collect();
        let (steps, bytes) = (figures[0], usize::try_from(figures[1]).unwrap());
        let whole = rows / seen.len() * usize::try_from(steps).unwrap();
        println!(
            "{steps} versions: {bytes} bytes as differences, {whole} as whole rows: {:.1} % of them",
            bytes as f64 * 100.0 / whole as f64
        );
        assert!(bytes * 2 < whole, "PFA-21: {bytes} bytes of differences, {whole} of rows");
    });
}
