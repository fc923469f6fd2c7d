//! The demo's last story: all five systems in one data folder, served with the web app.
//!
//! Owns filling the folder - a run that was undone and one that can be, quarantined rows, sessions, records in conflict,
//! members on their way, an incomplete gauge set, a flag that is ramped, a playbook behind a gate - and the server over it.
//! All of it is generated. The stories before prove that the parts work; this one only leaves them for people to look at.
//!
//! Invariants: the folder is made anew each time; the simulators that the systems have for remotes live as long as the
//! server; every system must answer with data before the address is told.

use std::fs;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::program::{Program, Running};
use super::simulator::Simulator;
use super::{BAD, BATCH, DONE, DONE_WITH_QUARANTINE, heading, http};
use crate::failure::Failure;
use crate::{json, metadata, process};

/// How much there is to look at.
pub(crate) struct Size {
    /// Arguments of the agent's generated sessions.
    sessions: &'static [&'static str],
    /// Records of the organization in the simulated PEMS.
    records: &'static str,
    /// Clients of the legacy database.
    clients: &'static str,
}

/// Enough for every page, and made in seconds.
pub(crate) const SMALL: Size =
    Size { sessions: &["--sessions", "60", "--bad", "5"], records: "3000", clients: "400" };

/// The sizes that the requirements name: OC-01, PFA-01, LG-18.
pub(crate) const MISSION: Size = Size {
    sessions: &["--sessions", "877", "--messages", "43060", "--parts", "187331", "--bad", "5"],
    records: "20000",
    clients: "2000",
};

const SCOPE: &str = "DEMO01";
/// How long members may take until their copies are compared.
const PATIENCE: Duration = Duration::from_secs(300);
/// A verdict that is no GO, or something that a check finds wrong.
const FOUND: &[i32] = &[0, 1, 3, 4];
/// Where people find the server, when nobody else listens there.
const USUAL: &str = "127.0.0.1:8620";

/// A gate and a playbook for people to try, as a user's own files.
const GATE: &str = r#"gate = "demo/may-go-on"
title = "Demo: may the next step follow?"

[[criterion]]
id = "agreed"
text = "Somebody has looked at the figures"
guards_data = true
[[criterion.evidence]]
kind = "facts"
facts = "demo-figures"
member = "problems"
rule = "= 0 problems"
max_age = "24h"
hint = "plimsoll gate facts record demo-figures FILE"
"#;

const PLAYBOOK: &str = r#"+++
playbook = "demo-first-steps"
title = "Demo: a playbook through a gate"
owner = "whoever looks at the demo"
purpose = "Shows steps, a gate, a person's approval and what takes each step back, on demo data"
state = "Draft"
created = "2026-11-29"
target = "right now"
priority = "low"
requirements = []
+++

# Demo: a playbook through a gate

All of it is demo data.

## Steps

### 1. A flag for the demo, off at first

```step
id = "flag"
kind = "command"
run = "flag create demo-first-steps --reason \"the playbook of the demo\""
rollback = ["flag delete demo-first-steps --reason \"the playbook was taken back\""]
```

### 2. May it go on?

```step
id = "gate"
kind = "gate"
gate = "demo/may-go-on"
```

### 3. A person agrees

```step
id = "agree"
kind = "approval"
by = "whoever looks at the demo"
```

### 4. On for a tenth

```step
id = "ramp"
kind = "command"
run = "flag set demo-first-steps --percent 10 --reason \"the playbook of the demo\""
rollback = ["flag set demo-first-steps --off --reason \"the playbook was taken back\""]
```
"#;

/// The systems, filled, and what they have for remotes.
pub(crate) struct Alive {
    program: Program,
    size: Size,
    _remotes: [Simulator; 2],
}

/// A server over them.
pub(crate) struct Served {
    server: Simulator,
    alive: Alive,
}

/// The folder that is filled: below the build folder, so that nothing of it is in the tree.
pub(crate) fn folder() -> Result<PathBuf, Failure> {
    Ok(metadata::target_folder()?.join("demo"))
}

impl Alive {
    /// Fills a folder, which is emptied first.
    pub(crate) fn fill(plimsoll: &Path, folder: &Path, size: Size) -> Result<Self, Failure> {
        let began = Instant::now();
        if folder.exists() {
            fs::remove_dir_all(folder)
                .map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        }
        let data = folder.join("data");
        for (below, name, text) in
            [("gates", "may-go-on.toml", GATE), ("playbooks", "demo-first-steps.md", PLAYBOOK)]
        {
            let below = data.join(below);
            write(&below, name, text)?;
        }
        let congress = Simulator::start(plimsoll, folder, &data.join("hearings.db"), BAD)?;
        let pems = Simulator::pems(plimsoll, folder, &["--rows", size.records, "--seed", "5"])?;
        let sources =
            format!("[sources]\nhearings = \"{}\"\npfa = \"{}\"\n", congress.address(), pems.address());
        write(folder, "plimsoll.toml", &sources)?;
        let pems_address = pems.address().to_owned();
        let program = Program { plimsoll: plimsoll.to_owned(), folder: folder.to_owned() };
        let alive = Self { program, size, _remotes: [congress, pems] };
        alive.hearings()?;
        alive.sessions()?;
        alive.records(&pems_address)?;
        alive.pilot()?;
        alive.gauges()?;
        alive.platform()?;
        println!("filled in {:.0} seconds: {}", began.elapsed().as_secs_f64(), folder.display());
        Ok(alive)
    }

    /// The binary in the folder.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Starts a server at an address, with these variables, and holds it to having data of every system.
    pub(crate) fn serve(self, listen: &str, variables: &[(&str, &str)]) -> Result<Served, Failure> {
        let mut command = self.program.command(&["serve", "--listen", listen]);
        command.envs(variables.iter().copied());
        let server = Simulator::of(command, &self.program.folder.join("serve.log"))?;
        Ok(Served { server, alive: self })
    }

    fn may(&self, arguments: &[&str], codes: &[i32]) -> Result<(), Failure> {
        println!("$ plimsoll {}", process::shown_arguments(&self.program.command(arguments)));
        process::capture_with_codes(&mut self.program.command(arguments), codes).map(drop)
    }

    /// A run that was undone, and one that can be, with its quarantined rows.
    fn hearings(&self) -> Result<(), Failure> {
        let update = ["run", "hearings", "daily-update", "--batch-size", BATCH];
        // What is in quarantine is not read in again: the run that is undone has a source without bad records.
        let Program { plimsoll, folder } = &self.program;
        let good = Simulator::start(plimsoll, folder, &folder.join("before.db"), 0)?;
        let first = self.program.json(&[&update[..], &["--source", good.address()]].concat(), DONE)?;
        let run = json::text(&first, "run").ok_or_else(|| Failure::new("the report names no run"))?;
        self.may(&["undo", run], &[DONE])?;
        self.may(&update, &[DONE_WITH_QUARANTINE])?;
        self.trial()
    }

    /// A trial over few hearings, for its report: the story of the trial before took what is asked, and its time.
    fn trial(&self) -> Result<(), Failure> {
        let Program { plimsoll, folder } = &self.program;
        let few = Simulator::few(plimsoll, folder, &folder.join("tried.db"))?;
        let words =
            ["trial", "hearings", "daily-update", "--out", "trials/demo", "--reason", "demo: few hearings"];
        let on = ["--store", "sqlite:tried.db", "--source", few.address()];
        let short = ["--sizes", "10,20", "--rounds", "2", "--quiet"];
        self.may(&[&words[..], &on, &short].concat(), FOUND)
    }

    fn sessions(&self) -> Result<(), Failure> {
        let generate = ["simulate", "opencode", "--to", "agent", "--seed", "11", "--generation", "mixed"];
        self.may(&[&generate[..], self.size.sessions].concat(), &[DONE])?;
        self.may(&["ingest", "opencode", "--from", "agent"], &[DONE_WITH_QUARANTINE])
    }

    /// Edits on both sides: conflicts that wait for a person, and a draft.
    fn records(&self, pems: &str) -> Result<(), Failure> {
        let sync = ["sync", "pfa", "--scope", SCOPE, "--rate", "0"];
        self.may(&sync, &[DONE])?;
        for number in 1..=6 {
            let key = format!("{SCOPE}-00000{number}");
            self.may(&["edit", "pfa", &key, &format!("model=Demo {number}"), "--commit"], &[DONE])?;
        }
        for number in 10..=14 {
            let key = format!("{SCOPE}-0000{number}");
            self.may(&["edit", "pfa", &key, "model=Demo here", "--commit"], &[DONE])?;
            let there = format!("{{\"id\":\"{key}\",\"fields\":{{\"pfs_f_model\":\"Demo there\"}}}}");
            http::ask(pems, "POST", "/control/edit", &there)?;
        }
        self.may(&["edit", "pfa", &format!("{SCOPE}-000020"), "model=A draft"], &[DONE])?;
        self.may(&[&sync[..], &["--drain"]].concat(), &[DONE, DONE_WITH_QUARANTINE])
    }

    /// Members whose copies are compared, and sums of both sides.
    fn pilot(&self) -> Result<(), Failure> {
        self.may(
            &["simulate", "luckygas", "--clients", self.size.clients, "--seed", "9", "--dirty", "2"],
            &[DONE],
        )?;
        self.may(&["pilot", "select", "--percent", "10", "--reason", "demo"], &[DONE])?;
        self.may(&["pilot", "enrol", "--reason", "demo"], &[DONE])?;
        self.may(&["pilot", "start", "--reason", "demo"], &[DONE])?;
        let carrier: Running = self.program.start(&["pilot", "run", "--watch"])?;
        let began = Instant::now();
        loop {
            let status = self.program.json(&["pilot", "status"], DONE)?;
            let under_way = json::items(&status, "members").iter().any(|member| {
                matches!(json::text(member, "stage"), Some("waiting" | "snapshot" | "catch_up"))
            });
            if !under_way {
                break;
            }
            if began.elapsed() > PATIENCE {
                return Err(Failure::new("the copies of the pilot's members were never compared"));
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(carrier);
        self.may(&["parity", "--build"], FOUND)
    }

    /// Sets that were brought in, one of them without its NO-GO, and one at work.
    fn gauges(&self) -> Result<(), Failure> {
        self.may(
            &["simulate", "gauges", "--sets", "500", "--seed", "11", "--earlier", "earlier.json"],
            &[DONE],
        )?;
        self.may(&["run", "gauges", "backfill", "--source", "earlier.json"], &[DONE_WITH_QUARANTINE])?;
        let page = ["view", "gauges", "sets", "--limit", "200", "--option", "state=complete"];
        let page = self.program.json(&page, DONE)?;
        let usable = json::items(&page, "items").iter().filter(|set| {
            let state = json::member(set, "state").and_then(|state| json::member(state, "usable"));
            state.and_then(|usable| usable.get::<bool>()) == Some(&true)
        });
        let names: Vec<&str> = usable.filter_map(|set| json::text(set, "set_id")).collect();
        let [.., out, incomplete] = names.as_slice() else {
            return Err(Failure::new("fewer than two sets can be used"));
        };
        let set = ["view", "gauges", "set", "--option", &format!("set={incomplete}")];
        let set = self.program.json(&set, DONE)?;
        let members = json::items(&set, "members").iter();
        let serial = members.filter(|member| json::text(member, "side") == Some("nogo"));
        let serial = serial.filter_map(|member| json::text(member, "serial")).next();
        let serial = serial.ok_or_else(|| Failure::new("a complete set has no NO-GO"))?;
        let of = |name: &str, value: &str| format!("{name}={value}");
        self.may(
            &[
                "run",
                "gauges",
                "lose",
                "--option",
                &of("serial", serial),
                "--option",
                "reason=not on its shelf",
            ],
            &[DONE],
        )?;
        let check_out = ["holder=demo-uma", "work_job=J-17", "reason=inspection of a lot"];
        let mut words = vec!["run", "gauges", "check-out", "--option"];
        let set = of("set", out);
        words.push(&set);
        words.extend(check_out.iter().flat_map(|field| ["--option", field]));
        self.may(&words, &[DONE])
    }

    /// Flags, checks, schedules and what a gate says.
    fn platform(&self) -> Result<(), Failure> {
        let why = ["--reason", "demo"];
        for (name, words) in [
            ("new-billing", &["--percent", "25"][..]),
            ("demo-everybody", &["--on"]),
            ("demo-tenth", &["--percent", "10"]),
        ] {
            self.may(&[&["flag", "create", name, "--owner", "demo"][..], &why].concat(), &[DONE])?;
            self.may(&[&["flag", "set", name][..], words, &why].concat(), &[DONE])?;
        }
        for system in ["hearings", "opencode", "pfa", "gauges"] {
            self.may(&["check", system], FOUND)?;
        }
        for schedule in ["daily-health-hearings", "daily-health-opencode"] {
            self.may(&["schedule", "add", schedule], &[DONE])?;
        }
        self.may(&["gate", "evaluate", "luckygas/readiness", "--sample"], FOUND)?;
        write(&self.program.folder, "figures.json", "{\"problems\": 0}\n")?;
        self.may(&["gate", "facts", "record", "demo-figures", "figures.json"], &[DONE])?;
        write(&self.program.folder, "quality.json", "{\"coverage_percent\": 90.0, \"bugs_open\": 2}\n")?;
        self.may(&["gate", "facts", "record", "demo-quality", "quality.json"], &[DONE])
    }
}

impl Served {
    /// Where it listens, such as `http://127.0.0.1:8620`.
    pub(crate) fn address(&self) -> &str {
        self.server.address()
    }

    /// The binary in the folder that is served.
    pub(crate) fn program(&self) -> &Program {
        self.alive.program()
    }

    /// Asks for something of each system, as the app's pages do.
    fn look(&self) -> Result<(), Failure> {
        const ROUTES: &[&str] = &[
            "/runs?system=hearings",
            "/quarantine",
            "/flags",
            "/gates",
            "/playbooks",
            "/schedules",
            "/dashboards",
            "/systems/pfa/conflicts",
            "/systems/pfa/records?limit=1",
            "/systems/luckygas/pilot/members",
            "/gauge-sets/incomplete",
            "/gauge-sets?limit=1",
            "/views/opencode/sessions?limit=1",
        ];
        for route in ROUTES {
            let answer = http::ask(self.address(), "GET", &format!("/api/v1{route}"), "")?;
            let lists = ["items", "rows", "members"].map(|name| json::items(&answer, name).len());
            if lists.iter().all(|length| *length == 0) {
                return Err(Failure::new(format!("{route} has nothing to show")));
            }
        }
        Ok(())
    }

    fn stays(mut self) -> Result<(), Failure> {
        self.server.wait()
    }
}

/// Fills, serves, looks, and tells the address. It stays until it is interrupted when somebody sits before it, or asks for it.
pub(super) fn tell(plimsoll: &Path, stay: bool) -> Result<(), Failure> {
    heading("30. All five systems alive");
    let folder = folder()?;
    let alive = Alive::fill(plimsoll, &folder, SMALL)?;
    let stay = stay || (std::io::stdin().is_terminal() && std::io::stdout().is_terminal());
    // Two demos at once, or a server of the user's own: any other port does.
    let free = std::net::TcpListener::bind(USUAL).is_ok();
    let served = alive.serve(if free && stay { USUAL } else { "127.0.0.1:0" }, &[])?;
    served.look()?;
    println!("\nEvery system answers with demo data. From the overview to an undone run: docs/guide/app.md.");
    if stay {
        println!("\ndemo: ok\nOpen {} (Ctrl-C ends it)", served.address());
        return served.stays();
    }
    println!("It was served at {}; `cargo xtask demo --serve` serves it until you end it.", served.address());
    Ok(())
}

fn write(folder: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let file = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}
