//! The loop against a host that only remembers: order, journal, interruption at every point, taking back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use plimsoll_core::gate::Duration;
use plimsoll_core::playbook::{PlanEvent, PlanState};
use plimsoll_store::{Durability, StoreUrl};
use serde_json::json;

use super::*;
use crate::error::ErrorKind;
use crate::session::{Probe, Session};

const FRONT: &str = "+++\nplaybook = \"move\"\ntitle = \"A move\"\nowner = \"us\"\npurpose = \"to test\"\nstate = \"Draft\"\ncreated = \"2026-01-01\"\ntarget = \"now\"\n+++\n";

fn text(steps: &[&str]) -> String {
    let blocks: Vec<String> =
        steps.iter().map(|step| format!("### A step\n\n```step\n{step}\n```\n")).collect();
    format!("{FRONT}\n{}", blocks.join("\n"))
}

const BACKUP: &str = "id = \"backup\"\nkind = \"backup\"\nsystem = \"shop\"";
const MOVE: &str = "id = \"move\"\nkind = \"command\"\nrun = \"run shop move\"\nchanges = \"shop\"\nrollback = [\"undo ${move.run}\", \"restore shop ${backup.id}\"]";
const GATE: &str = "id = \"gate\"\nkind = \"gate\"\ngate = \"shop/ready\"";
const WATCH: &str = "id = \"watch\"\nkind = \"watch\"\nfor = \"24h\"\nevery = \"6h\"\nrun = \"check shop\"";
const FLAG: &str = "id = \"flag\"\nkind = \"flag\"\nflag = \"new-shop\"\nset = \"--on\"";

/// Remembers what it was asked, and fails what it was told to.
#[derive(Default)]
struct Memory {
    asked: Vec<String>,
    failing: Vec<&'static str>,
    alarms: Vec<Alarm>,
}

impl Host for Memory {
    fn run(
        &mut self,
        words: &[String],
        _limit: Duration,
        _started: &mut dyn FnMut(u32) -> Result<(), EngineError>,
    ) -> Result<Ended, EngineError> {
        let line = words.join(" ").replace(" --json", "");
        let failing = self.failing.iter().any(|failing| line.starts_with(failing));
        let out = match words[0].as_str() {
            "backup" => r#"{"id": "b1"}"#,
            "run" => r#"{"run": "r1"}"#,
            "gate" if failing => r#"{"judgement": {"blockers": [{"text": "nobody signed"}]}}"#,
            _ => "{}",
        };
        self.asked.push(line);
        Ok(Ended { code: Some(if failing { 4 } else { 0 }), out: out.to_owned(), err: String::new() })
    }

    fn problem(&self, _words: &[String]) -> Option<String> {
        None
    }

    fn has_system(&self, name: &str) -> bool {
        name == "shop"
    }

    fn has_command(&self, _name: &str) -> bool {
        true
    }

    fn has_gate(&self, name: &str) -> bool {
        name == "shop/ready"
    }

    fn alert(&mut self, _session: &mut Session, alarm: &Alarm) -> Result<(), EngineError> {
        self.alarms.push(alarm.clone());
        Ok(())
    }
}

struct Desk {
    _folder: tempfile::TempDir,
    session: Session,
    host: Memory,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite { path: folder.path().join("control.db"), durability: Durability::Normal };
        let mut session = Session::new(plimsoll_store::open(&url).unwrap(), "tester");
        crate::control::prepare(&mut session).unwrap();
        Self { _folder: folder, session, host: Memory::default() }
    }

    fn start(&mut self, steps: &[&str]) -> PlaybookRun {
        let document = Document::parse(&text(steps)).unwrap();
        let settings = StartSettings { simulated: true, ..StartSettings::default() };
        start(&mut self.session, &document, settings).unwrap()
    }

    fn drive(&mut self, run: &PlaybookRun) -> Result<PlaybookRun, EngineError> {
        let latest = find_run(&mut self.session, run.id.as_str())?;
        let clock = simulated_clock(&latest.clock_at)?;
        Runner { session: &mut self.session, host: &mut self.host, clock, say: &|_| {} }.drive(&run.id)
    }

    fn entries(&mut self, run: &PlaybookRun) -> Vec<(String, String, String)> {
        let entries = entries(&mut self.session, &run.id).unwrap();
        entries.into_iter().map(|entry| (entry.step, entry.action, entry.status)).collect()
    }
}

const ALL: [&str; 5] = [BACKUP, MOVE, GATE, FLAG, WATCH];
const LINES: [&str; 4] = [
    "backup shop",
    "run shop move",
    "gate evaluate shop/ready",
    "flag set new-shop --on --reason playbook step flag",
];

#[test]
fn steps_are_done_in_order_and_a_day_is_watched_on_a_simulated_clock() {
    let mut desk = Desk::new();
    let run = desk.start(&ALL);
    let ended = desk.drive(&run).unwrap();
    assert_eq!(ended.status, PlaybookStatus::Done);
    assert_eq!(desk.host.asked[..4], LINES);
    assert_eq!(desk.host.asked[4..], ["check shop"; 5], "at 0, 6, 12, 18 and 24 hours");
    let watched = entries(&mut desk.session, &run.id).unwrap().pop().unwrap();
    let told = watched.message.unwrap();
    assert!(told.contains("1d passed, on a simulated clock; 5 looks, 0 of them bad"), "{told}");
    let again = desk.drive(&run).unwrap_err();
    assert_eq!(again.kind, ErrorKind::Refused, "what is done is not done again");
}

/// Ends the work at the n-th point that is passed, as if the process had died there.
struct DieAt(AtomicUsize, usize);

impl Probe for DieAt {
    fn reach(&self, point: &'static str) -> Result<(), EngineError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == self.1 {
            return Err(EngineError::new(ErrorKind::Crash, point));
        }
        Ok(())
    }
}

#[test]
fn a_death_at_every_point_resumes_at_the_right_step() {
    let mut deaths = 0;
    for point in 0.. {
        let mut desk = Desk::new();
        let run = desk.start(&ALL);
        desk.session.probe = Arc::new(DieAt(AtomicUsize::new(0), point));
        let died = match desk.drive(&run) {
            Ok(ended) => {
                assert_eq!(ended.status, PlaybookStatus::Done);
                break;
            }
            Err(error) => error,
        };
        assert_eq!(died.kind, ErrorKind::Crash);
        deaths += 1;
        desk.session.probe = Arc::new(crate::session::NoProbe);
        let ended = desk.drive(&run).unwrap();
        assert_eq!(ended.status, PlaybookStatus::Done, "at {point}: {}", died.message);
        for line in LINES {
            let times = desk.host.asked.iter().filter(|asked| *asked == line).count();
            let most = if died.message == "playbook.ran" { 2 } else { 1 };
            assert!((1..=most).contains(&times), "{line} was done {times} times, death at {}", died.message);
        }
        let done = desk.entries(&run).into_iter().filter(|(_, _, status)| status == "done").count();
        assert_eq!(done, ALL.len(), "each step is done once on record");
        let entries = entries(&mut desk.session, &run.id).unwrap();
        let (first, last) = (entries.iter().find(|e| e.step == "watch").unwrap(), entries.last().unwrap());
        assert_eq!(first.clock_started_at, last.clock_started_at, "a watch goes on from where it began");
    }
    assert!(deaths > 15, "{deaths} points");
}

#[test]
fn a_failing_step_stops_takes_everything_back_and_alerts() {
    let mut desk = Desk::new();
    desk.host.failing = vec!["gate evaluate"];
    let run = desk.start(&ALL);
    let ended = desk.drive(&run).unwrap();
    assert_eq!(ended.status, PlaybookStatus::RolledBack);
    assert_eq!(desk.host.asked, [LINES[0], LINES[1], LINES[2], "undo r1", "restore shop b1"]);
    let [alarm] = desk.host.alarms.as_slice() else { panic!("{:?}", desk.host.alarms) };
    assert!(
        alarm.detail.contains("nobody signed") && alarm.detail.contains("Everything was taken back"),
        "{alarm:?}"
    );
}

#[test]
fn a_watched_failure_turns_the_flag_off_first_and_the_data_back_after() {
    let mut desk = Desk::new();
    desk.host.failing = vec!["check shop"];
    let run = desk.start(&ALL);
    assert_eq!(desk.drive(&run).unwrap().status, PlaybookStatus::RolledBack);
    let back = &desk.host.asked[5..];
    assert_eq!(back, ["flag kill new-shop --reason taken back by a playbook", "undo r1", "restore shop b1"]);
}

#[test]
fn what_cannot_be_taken_back_is_told_and_can_be_asked_again() {
    let mut desk = Desk::new();
    desk.host.failing = vec!["gate evaluate", "restore"];
    let run = desk.start(&ALL);
    assert_eq!(desk.drive(&run).unwrap().status, PlaybookStatus::Failed);
    assert!(desk.host.alarms[0].detail.contains("DID NOT SUCCEED"), "{:?}", desk.host.alarms);
    desk.host.failing.clear();
    desk.host.asked.clear();
    let failed = find_run(&mut desk.session, run.id.as_str()).unwrap();
    let clock = Arc::clone(&desk.session.clock);
    let mut runner = Runner { session: &mut desk.session, host: &mut desk.host, clock, say: &|_| {} };
    assert_eq!(runner.rollback(&failed).unwrap().status, PlaybookStatus::RolledBack);
    assert_eq!(desk.host.asked, ["restore shop b1"], "the undo that succeeded is not done twice");
}

#[test]
fn data_is_not_changed_without_a_backup_of_the_same_run() {
    let mut desk = Desk::new();
    let run = desk.start(&[MOVE]);
    let ended = desk.drive(&run).unwrap();
    assert_eq!((ended.status, desk.host.asked.len()), (PlaybookStatus::RolledBack, 0), "nothing was begun");
    let told = lint(&Document::parse(&text(&[MOVE])).unwrap(), &desk.host);
    assert!(
        told.iter().any(|problem| problem.fatal && problem.text.contains("without a backup step")),
        "{told:?}"
    );
    let sound = lint(&Document::parse(&text(&ALL)).unwrap(), &desk.host);
    assert!(sound.is_empty(), "{sound:?}");
}

#[test]
fn an_approval_is_waited_for_and_bound_to_the_document() {
    let ask = "id = \"agree\"\nkind = \"approval\"\nby = \"the owner\"";
    let mut desk = Desk::new();
    let run = desk.start(&[BACKUP, ask, GATE]);
    let waiting = desk.drive(&run).unwrap();
    assert_eq!((waiting.status, desk.host.asked.len()), (PlaybookStatus::Waiting, 1));
    assert_eq!(desk.drive(&run).unwrap().status, PlaybookStatus::Waiting, "it goes on waiting");
    assert!(
        approve(&mut desk.session, &run, "gate", "a person", "").is_err(),
        "only what asks can be approved"
    );
    approve(&mut desk.session, &run, "agree", "a person", "looks good").unwrap();
    assert!(approve(&mut desk.session, &run, "agree", "another", "").is_err());
    let (_, told) = run_report(&mut desk.session, &waiting).unwrap();
    let given = &told["approvals"][0];
    assert_eq!(
        (&given["step"], &given["actor"], &given["reason"]),
        (&json!("agree"), &json!("a person"), &json!("looks good"))
    );
    assert_eq!(desk.drive(&run).unwrap().status, PlaybookStatus::Done);
    let other = desk.start(&[BACKUP, ask]);
    assert_eq!(desk.drive(&other).unwrap().status, PlaybookStatus::Waiting, "an approval is of one run");
    approve(&mut desk.session, &other, "agree", "a person", "").unwrap();
    desk.session.store.execute("UPDATE plimsoll_playbook_approval SET digest = 'x'", &[]).unwrap();
    assert_eq!(desk.drive(&other).unwrap_err().kind, ErrorKind::Integrity);
}

#[test]
fn lint_finds_what_would_go_wrong() {
    let host = Memory::default();
    for (step, told) in [
        ("id = \"a\"\nkind = \"command\"\nrun = \"x\"", "neither how it is taken back"),
        ("id = \"a\"\nkind = \"command\"\nrollback = [\"x\"]", "`run` is missing"),
        ("id = \"a\"\nkind = \"gate\"\ngate = \"none\"", "there is no gate `none`"),
        ("id = \"a\"\nkind = \"wait\"", "`for` is missing"),
        ("id = \"a\"\nkind = \"watch\"\nfor = \"1h\"", "needs `every` and `run`"),
        ("id = \"a\"\nkind = \"approval\"", "who is asked"),
        ("id = \"a\"\nkind = \"command\"\nrun = \"x ${typo}\"\nrollback = [\"y\"]", "neither a parameter"),
        (FLAG, "before anything was checked"),
    ] {
        let found = lint(&Document::parse(&text(&[step])).unwrap(), &host);
        assert!(
            found.iter().any(|problem| problem.fatal && problem.text.contains(told)),
            "{told}: {found:?}"
        );
    }
}

#[test]
fn the_template_is_a_plan_with_thirteen_sections() {
    let host = Memory::default();
    let new = new_document("a-plan", "A plan", "us", "2026-01-01", DocumentKind::Plan);
    let document = Document::parse(&new).unwrap();
    let sections = document.sections.iter().filter(|section| section.level == 2).count();
    assert_eq!(sections, 13, "PFA-28");
    let told = lint(&document, &host);
    assert!(told.iter().all(|problem| !problem.fatal), "{told:?}");
    let begun = Document::parse(&new.replace("\"Draft\"", "\"In Progress\"")).unwrap();
    assert!(lint(&begun, &host).iter().any(|problem| problem.text.contains("still says TODO")));
    for section in
        ["Summary", "Goals", "Phases", "Tests", "Migration", "Risks", "Performance", "Security", "Progress"]
    {
        let cut = new.replace(&format!("## {section}\n"), "## Else\n");
        let found = lint(&Document::parse(&cut).unwrap(), &host);
        let wanted = format!("the section `## {section}` is missing");
        assert!(found.iter().any(|problem| problem.fatal && problem.text == wanted), "{section}: {found:?}");
    }
    for (from, to, told) in [
        ("Coverage: at least 80 %", "Coverage: some", "PFA-30"),
        ("a backup is taken", "a copy is made", "PFA-31"),
        ("| memory |", "| space |", "PFA-33"),
        ("Credentials", "Secrets", "PFA-34"),
        ("Deliverable: TODO", "", "PFA-37"),
        (
            "TODO: a figure and its threshold, such as p99 below 50 ms, or a gate",
            "it is faster",
            "not measurable",
        ),
    ] {
        let found = lint(&Document::parse(&new.replace(from, to)).unwrap(), &host);
        assert!(
            found.iter().any(|problem| problem.fatal && problem.text.contains(told)),
            "{told}: {found:?}"
        );
    }
}

#[test]
fn a_plan_is_completed_logged_and_archived() {
    let mut desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let open = Document::parse(&format!("{FRONT}\n- [ ] a task\n")).unwrap();
    let done = Document::parse(&format!("{FRONT}\n- [x] a task (2 points)\n")).unwrap();
    assert!(complete(&mut desk.session, &done, folder.path(), "").is_err(), "a draft is not complete");
    change_state(&mut desk.session, &open, PlanEvent::Start, "").unwrap();
    assert!(complete(&mut desk.session, &open, folder.path(), "").is_err(), "a task is open");
    let archived = complete(&mut desk.session, &done, folder.path(), "all done").unwrap();
    let text = std::fs::read_to_string(archived).unwrap();
    assert!(text.contains("state = \"Complete\""), "{text}");
    let log = std::fs::read_to_string(folder.path().join("archive/log.md")).unwrap();
    assert!(log.contains("tester: `move` is complete: all done"), "{log}");
    assert_eq!(state(&mut desk.session, &done).unwrap(), PlanState::Complete);
    assert!(change_state(&mut desk.session, &done, PlanEvent::Start, "").is_err(), "complete is an end");
    let events = crate::event::list(desk.session.store.as_mut(), Some("move")).unwrap();
    assert_eq!(events.len(), 2);
}

/// 45 points planned, 24 done: 53 % (LG-52); 8, 3 and 4 of 15 tasks (LG-50).
#[test]
fn the_weekly_report_counts() {
    let mut desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let task = |mark: char, points: u64, count: usize| {
        format!("- [{mark}] a task ({points} points)\n").repeat(count)
    };
    let body = format!("{FRONT}\n{}{}{}", task('x', 3, 8), task('~', 3, 3), task(' ', 3, 4));
    std::fs::write(folder.path().join("move.md"), body).unwrap();
    let playbooks = Playbooks::load(&[], folder.path()).unwrap();
    let mut risk = new_risk(&desk.session, "move", "The tests are broken");
    risk.priority = "high".into();
    put_risk(&mut desk.session, &risk, "").unwrap();
    let other = new_risk(&desk.session, "move", "Else");
    put_risk(&mut desk.session, &other, "").unwrap();
    risk.priority = "grave".into();
    assert!(put_risk(&mut desk.session, &risk, "").is_err());
    let found = weekly(&mut desk.session, &playbooks, &[], "2026-01-01T00:00:00.000Z").unwrap();
    assert_eq!((found.tasks, found.points), ([8, 3, 4], Some([45, 24])));
    assert_eq!(found.velocity_percent(), Some(53.0));
    let titles: Vec<&str> = found.risks.iter().map(|risk| risk.title.as_str()).collect();
    assert_eq!(titles, ["The tests are broken", "Else"], "the gravest first");
    let text = found.to_markdown();
    for part in [
        "done 8/15",
        "in progress 3/15",
        "not started 4/15",
        "45 planned, 24 done (53 %)",
        "No gate was evaluated",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plans = registry(&mut desk.session, &playbooks).unwrap();
    assert_eq!(plans[0].progress_percent, Some(53.3), "8 of 15 tasks");
}
