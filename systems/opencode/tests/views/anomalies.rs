//! Checks of anomalies: impossible figures, and days that are far from usual.

use plimsoll_engine::check::Verdict;
use plimsoll_store::duckdb::Analytics;

use crate::checks::{planted, verdict};
use crate::world::empty;

/// Eight days: seven as usual, and one that is told.
fn days(usual: &str, last: &str) -> Analytics {
    let store = empty();
    store
        .run_script(&format!(
            "INSERT INTO message_usage (message_id, session_id, is_fork_copy, day, steps, stored_cost, tokens_input)
                 SELECT 'm' || i, 's', false, CAST(DATE '2026-03-01' + CAST(i AS INTEGER) AS DATE), 1, {usual}
                 FROM range(7) t(i)
                 UNION ALL SELECT 'last', 's', false, DATE '2026-03-08', 1, {last}"
        ))
        .unwrap();
    store
}

#[test]
fn cost_anomaly() {
    planted(
        "cost-anomaly",
        "UPDATE message_usage SET stored_cost = -0.01 WHERE message_id = 'msg_0_0_0'",
        1.0,
    );
    assert_eq!(verdict(&days("1, 0", "5, 0"), "cost-anomaly"), (Verdict::Pass, Some(0.0)));
    assert_eq!(verdict(&days("1, 0", "5.0000000001, 0"), "cost-anomaly"), (Verdict::Fail, Some(1.0)));
    // Cents are no matter, and the sixth day has too few before it.
    assert_eq!(verdict(&days("0.01, 0", "1, 0"), "cost-anomaly").0, Verdict::Pass);
    let young = days("1, 0", "50, 0");
    young.run_script("DELETE FROM message_usage WHERE message_id = 'm0'").unwrap();
    assert_eq!(verdict(&young, "cost-anomaly").0, Verdict::Pass);
    // A spike that is long past is not told again.
    let old = days("1, 0", "50, 0");
    let later = "INSERT INTO message_usage (message_id, is_fork_copy, day, stored_cost)
        VALUES ('later', false, DATE '2026-03-15', 1)";
    old.run_script(later).unwrap();
    assert_eq!(verdict(&old, "cost-anomaly").0, Verdict::Pass);
}

#[test]
fn token_anomaly() {
    planted(
        "token-anomaly",
        "UPDATE message_usage SET tokens_output = -1 WHERE message_id = 'msg_0_0_0'",
        1.0,
    );
    assert_eq!(verdict(&days("0, 1000000", "0, 5000000"), "token-anomaly"), (Verdict::Pass, Some(0.0)));
    assert_eq!(verdict(&days("0, 1000000", "0, 5000001"), "token-anomaly"), (Verdict::Fail, Some(1.0)));
    assert_eq!(verdict(&days("0, 3000000", "0, 10000000"), "token-anomaly").0, Verdict::Pass);
    assert_eq!(verdict(&days("0, 3000000", "0, 10000001"), "token-anomaly"), (Verdict::Fail, Some(1.0)));
}

/// Seven days of 100 answers with so many failures, and one of `answers` with `failures`.
fn failing(usual: i64, answers: i64, failures: i64) -> Analytics {
    let store = empty();
    store
        .run_script(&format!(
            "INSERT INTO message_usage (message_id, is_fork_copy, day, error_name)
                 SELECT 'm' || d || '-' || i, false, CAST(DATE '2026-03-01' + CAST(d AS INTEGER) AS DATE),
                     CASE WHEN i < CASE WHEN d < 7 THEN {usual} ELSE {failures} END THEN 'APIError' END
                 FROM range(8) days(d), range(100) rows(i) WHERE d < 7 OR i < {answers}"
        ))
        .unwrap();
    store
}

#[test]
fn error_rate_anomaly() {
    let burst = "INSERT INTO message_usage (message_id, is_fork_copy, day, error_name)
        SELECT 'burst' || i, false, (SELECT max(day) FROM message_usage), 'APIError' FROM range(200) t(i)";
    planted("error-rate-anomaly", burst, 1.0);
    assert_eq!(verdict(&failing(7, 100, 21), "error-rate-anomaly"), (Verdict::Pass, Some(0.0)));
    assert_eq!(verdict(&failing(7, 100, 22), "error-rate-anomaly"), (Verdict::Fail, Some(1.0)));
    assert_eq!(verdict(&failing(0, 100, 20), "error-rate-anomaly").0, Verdict::Pass);
    assert_eq!(verdict(&failing(0, 100, 21), "error-rate-anomaly").0, Verdict::Fail);
    assert_eq!(verdict(&failing(0, 19, 19), "error-rate-anomaly").0, Verdict::Pass);
    assert_eq!(verdict(&failing(0, 20, 20), "error-rate-anomaly").0, Verdict::Fail);
}
