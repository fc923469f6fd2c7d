//! `pilot` and `parity` as their users meet them: real files, and PostgreSQL as the new side.

use std::collections::BTreeSet;

use plimsoll_store::Store;
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::Value as Json;

use crate::support::home::Home;

/// A home with both sides; the new one is PostgreSQL where its address is given.
fn home(clients: &str, deliveries: &str, dirty: &str, new: Option<&str>) -> Home {
    let home = Home::new();
    if let Some(url) = new {
        std::fs::write(home.file("plimsoll.toml"), format!("[stores]\nluckygas = \"{url}\"\n")).unwrap();
    }
    home.expect(
        0,
        &[
            "simulate",
            "luckygas",
            "--clients",
            clients,
            "--deliveries",
            deliveries,
            "--seed",
            "11",
            "--dirty",
            dirty,
        ],
    );
    home
}

pub(crate) fn legacy(home: &Home) -> Box<dyn Store> {
    let url = format!("sqlite:{}", home.file("data/luckygas-legacy.db").display());
    plimsoll_store::open(&url.parse().unwrap()).unwrap()
}

fn strings(list: &Json) -> BTreeSet<String> {
    serde_json::from_value(list.clone()).unwrap()
}

/// Homes on files, and with the new side in PostgreSQL where that is installed.
pub(crate) fn homes(clients: &str, deliveries: &str, dirty: &str) -> Vec<Home> {
    let mut homes = vec![home(clients, deliveries, dirty, None)];
    if let Some(server) = PostgresServer::shared() {
        homes.push(home(clients, deliveries, dirty, Some(&server.database().unwrap())));
    }
    homes
}

#[test]
fn lg_18_a_pilot_is_selected_grown_explained_and_exported() {
    for home in homes("600", "2400", "6") {
        let before = home.expect(0, &["digest", "luckygas-legacy", "--json"]).json();
        let tried = home.expect(0, &["pilot", "select", "--percent", "10", "--dry-run", "--json"]).json();
        assert_eq!((tried["members"].as_array().unwrap().len(), &tried["number"]), (60, &Json::Null));
        home.expect(2, &["pilot", "show"]);

        let mut earlier = BTreeSet::new();
        for (percent, members) in [("1", 6), ("5", 30), ("10", 60), ("25", 150)] {
            let made = home
                .expect(0, &["pilot", "select", "--percent", percent, "--reason", "the next stage", "--json"])
                .json();
            let now = strings(&made["members"]);
            assert_eq!(now.len(), members);
            assert!(earlier.is_subset(&now));
            assert_eq!(strings(&made["entered"]), now.difference(&earlier).cloned().collect());
            assert_eq!((&made["customers"], &made["is_reproduced"]), (&600.into(), &true.into()));
            earlier = now;
        }
        assert_eq!(home.expect(0, &["digest", "luckygas-legacy", "--json"]).json(), before);

        // The newest, an earlier one by its number, and the list.
        let shown = home.expect(0, &["pilot", "show", "--json"]).json();
        assert_eq!((&shown["number"], strings(&shown["members"])), (&4.into(), earlier.clone()));
        let first = home.expect(0, &["pilot", "show", "1", "--json"]).json();
        assert_eq!((first["members"].as_array().unwrap().len(), &first["made_by"]), (6, &"tester".into()));
        assert_eq!(
            home.expect(0, &["pilot", "show", "--list", "--json"]).json().as_array().unwrap().len(),
            4
        );
        let text = home.expect(0, &["pilot", "show"]).out;
        for part in
            ["150 of 600 customers, 25 % asked", "60 stayed, 90 entered", "exact share", "type household"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }

        // One customer of each kind, with the reason.
        let member = earlier.iter().next().unwrap();
        let why = home.expect(0, &["pilot", "show", "--customer", member, "--json"]).json();
        assert_eq!((&why[0]["in"], why.as_array().unwrap().len()), (&true.into(), 1));
        let twice = home.expect(0, &["pilot", "show", "--customer", "D0000001"]).out;
        assert!(twice.contains("D0000001#1: out: `duplicate_code` keeps out"), "{twice}");
        home.expect(2, &["pilot", "show", "--customer", "D9999999"]);

        let file = home.file("cohort.csv");
        home.expect(0, &["pilot", "show", "--export", file.to_str().unwrap()]);
        let csv = std::fs::read_to_string(file).unwrap();
        let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!((rows.len(), rows[0][0], rows[0][2]), (601, "customer", "in"));
        let listed: BTreeSet<String> =
            rows.iter().filter(|row| row[2] == "yes").map(|row| row[0].to_owned()).collect();
        assert_eq!(listed, earlier);
    }
}

#[test]
fn what_is_asked_of_customers_holds_and_what_cannot_be_met_says_what_can() {
    let home = home("600", "2400", "0", None);
    let out = "D0000007=asked to wait";
    let made = home
        .expect(
            0,
            &[
                "pilot",
                "select",
                "--count",
                "20",
                "--min-orders",
                "3",
                "--region",
                "台北",
                "--region",
                "新北",
                "--customer-type",
                "household",
                "--without-mark",
                "terminated",
                "--max-region",
                "新北=8",
                "--exclude",
                out,
                "--best-of",
                "5",
                "--json",
            ],
        )
        .json();
    let members = strings(&made["members"]);
    assert_eq!(members.len(), 20);
    let mut store = legacy(&home);
    let mut of_region = 0;
    for code in &members {
        let sql =
            "SELECT is_corporate, is_terminated, (SELECT count(*) FROM deliveries d WHERE d.client_id = c.id)
                   FROM clients c WHERE cast(client_code AS text) = $1";
        let row = store.query(sql, &[plimsoll_core::value::Value::text(code.as_str())]).unwrap().remove(0);
        assert_eq!(row[0].as_integer(), Some(0));
        assert_ne!(row[1].as_integer(), Some(1));
        assert!(row[2].as_integer().unwrap() >= 3);
        let why = home.expect(0, &["pilot", "show", "--customer", code, "--json"]).json();
        let region = why[0]["customer"]["customer"]["region"].as_str().unwrap().to_owned();
        assert!(["台北", "新北"].contains(&region.as_str()), "{region}");
        of_region += u64::from(region == "新北");
    }
    assert!(of_region <= 8, "{of_region}");
    let why = home.expect(0, &["pilot", "show", "--customer", "D0000007"]).out;
    assert!(why.contains("excluded: asked to wait"), "{why}");

    for (words, part) in [
        (vec!["--percent", "1"], "20 are members already"),
        (vec!["--count", "30", "--region", "Taipei"], "no customer has the region `Taipei`"),
        (vec!["--count", "30", "--min-orders", "50"], "the minimum of orders"),
        (vec!["--percent", "200"], "percentage"),
        (vec!["--max-total", "5"], "--percent"),
    ] {
        let refused = home.expect(2, &[&["pilot", "select"], words.as_slice()].concat());
        assert!(refused.err.contains(part), "{refused:?}");
    }
    assert_eq!(home.expect(0, &["pilot", "show", "--list", "--json"]).json().as_array().unwrap().len(), 1);

    let address = format!("sqlite:{}", home.file("one.db").display());
    let refused = home.expect(2, &["pilot", "select", "--count", "1", "--store", &address]);
    assert!(refused.err.contains("both sides would be one database"), "{refused:?}");
}

/// The differing records of an entity, as `parity --json` tells them.
fn of<'found>(found: &'found Json, entity: &str) -> &'found Json {
    found["entities"].as_array().unwrap().iter().find(|one| one["entity"] == entity).unwrap()
}

/// Sums once, then by change; down to the field; repaired by a plan; taken back by the command that it prints.
#[test]
fn lg_22_what_differs_is_found_repaired_and_taken_back() {
    for home in homes("200", "400", "0") {
        let first = home.expect(3, &["parity", "--json"]).json();
        // Clients, as many drivers and vehicles as there are (3 each), and deliveries; nothing was carried over yet.
        assert_eq!(first["built"]["legacy"], 200 + 2 * 3 + 400);
        assert_eq!(of(&first, "customer")["differing"].as_u64(), Some(200 + 4), "{first}");

        // Nothing was carried over, and nobody's rows go for that.
        let refused = home.expect(4, &["parity", "--repair", "legacy"]);
        assert!(
            refused.err.contains("would delete 606 records") && refused.err.contains("--max-deletes 606"),
            "{refused:?}"
        );
        assert_eq!(legacy(&home).query("SELECT 1 FROM clients", &[]).unwrap().len(), 200);

        // A whole carry-over is one repair of the new side. What began there stays: it has no legacy number yet.
        let tried = home.expect(0, &["parity", "--repair", "new", "--dry-run", "--json"]).json();
        assert_eq!((&tried["dry_run"], &tried["report"]), (&true.into(), &Json::Null));
        let done =
            home.expect(3, &["parity", "--repair", "new", "--reason", "the snapshot", "--json"]).json();
        assert_eq!(done["report"]["applied"].as_u64(), Some(200 + 2 * 3 + 400), "{}", done["report"]);
        let rest = home.expect(3, &["parity", "--json"]).json();
        assert_eq!((&rest["built"], of(&rest, "driver")["differing"].as_u64()), (&Json::Null, Some(0)));
        assert_eq!(
            rest["differing"].as_u64(),
            Some(4 + 4),
            "customers and orders that began on the new side"
        );

        // One field of one client; its text is shown as it reads.
        let mut store = legacy(&home);
        let sql = "UPDATE clients SET area = $1 WHERE id = 5";
        let bytes = plimsoll_core::value::Value::Bytes(vec![0xA7, 0xEF]);
        store.execute(sql, &[bytes]).unwrap();
        let found = home.expect(3, &["parity", "--entity", "customer", "--json"]).json();
        assert_eq!(found["entities"].as_array().unwrap().len(), 1);
        let one = of(&found, "customer")["shown"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["how"] == "values")
            .unwrap();
        assert_eq!(one["fields"].as_array().unwrap().len(), 1);
        assert_eq!(one["fields"][0]["column"], "area");
        let text = home.expect(3, &["parity", "--shown", "9"]).out;
        assert!(text.contains("area: legacy `改`, new `"), "{text}");
        assert!(text.contains("NOT EQUAL: 9 records differ"), "{text}");

        let digest = || home.expect(0, &["digest", "luckygas", "--json"]).json();
        let before = digest();
        let done = home.expect(3, &["parity", "--repair", "new", "--entity", "customer", "--json"]).json();
        assert_eq!(done["report"]["applied"], 1);
        assert_eq!(home.expect(3, &["parity", "--json"]).json()["differing"], 8);
        assert_ne!(digest(), before);
        let words: Vec<&str> = done["undo"].as_str().unwrap().split(' ').skip(1).collect();
        home.expect(0, &words);
        assert_eq!(digest(), before);
        assert_eq!(home.expect(3, &["parity", "--json"]).json()["differing"], 9);

        // Built anew, it is the same.
        let again = home.expect(3, &["parity", "--build", "--json"]).json();
        assert_eq!(
            (&again["differing"], &again["built"]["legacy"]),
            (&9.into(), &(200 + 2 * 3 + 400).into())
        );

        // The other side can be put right too: the legacy client gets its area back.
        home.expect(3, &["parity", "--repair", "legacy", "--entity", "customer", "--json"]);
        let found = home.expect(3, &["parity", "--json"]).json();
        assert_eq!(found["differing"], 8);
        let refused = home.expect(2, &["parity", "--entity", "clients"]);
        assert!(refused.err.contains("customer, driver, vehicle, order"), "{refused:?}");
    }
}

#[test]
fn sides_that_are_not_there_are_not_found_equal() {
    let home = Home::new();
    let refused = home.expect(2, &["parity"]);
    assert!(refused.err.contains("there is no store"), "{refused:?}");
    assert!(!home.file("data/luckygas.db").exists());
}

/// What the stages ask, in a test.
const STAGES: [&str; 6] = ["--shadow-reads", "3", "--canary-reads", "3", "--soak", "0s"];

fn stage(home: &Home, customer: &str) -> String {
    let status = home.expect(0, &["pilot", "status", customer, "--json"]).json();
    status["members"][0]["stage"].as_str().unwrap().to_owned()
}

/// A gate that asks for one fact, which the test puts on record.
pub(crate) fn open_gate(home: &Home) {
    let gate = "gate = \"test/stage\"\ntitle = \"Test\"\n\n[[criterion]]\nid = \"equal\"\ntext = \"Both sides agree\"\n\
        [[criterion.evidence]]\nkind = \"facts\"\nfacts = \"stage\"\nmember = \"differences\"\nrule = \"= 0 rows\"\n\
        max_age = \"1h\"\nhint = \"plimsoll pilot report --facts FILE\"\n";
    std::fs::create_dir_all(home.file("data/gates")).unwrap();
    std::fs::write(home.file("data/gates/test.toml"), gate).unwrap();
}

#[test]
fn lg_21_a_member_goes_through_its_gates_and_back_with_a_certificate() {
    for home in homes("100", "300", "0") {
        open_gate(&home);
        home.expect(0, &["pilot", "select", "--count", "3"]);
        let chosen = home.expect(0, &["pilot", "show", "--json"]).json();
        let code = chosen["members"][0].as_str().unwrap().to_owned();
        let tried = home.expect(0, &["pilot", "enrol", "--reason", "test", "--dry-run", "--json"]).json();
        assert_eq!(tried["would_enrol"].as_array().unwrap().len(), 3);
        home.expect(2, &["pilot", "enrol", "--customer", "NOBODY", "--reason", "test"]);
        let told =
            home.expect(0, &["pilot", "enrol", "--customer", &code, "--reason", "test", "--json"]).json();
        assert_eq!(told["enrolled"], serde_json::json!([code]));
        // The flag has exactly the member (LG-20).
        let asked = |customer: &str| {
            let words = ["flag", "explain", "pilot_program", "--key", customer, "--json"];
            home.expect(0, &words).json()["evaluation"]["on"] == true
        };
        assert!(asked(&code) && !asked("NOBODY"));

        home.expect(0, &["pilot", "start", "--reason", "test"]);
        let run = [&["pilot", "run"][..], &STAGES].concat();
        home.expect(0, &run);
        assert_eq!(stage(&home, &code), "verify");
        let advance =
            [&["pilot", "advance", "--gate", "test/stage", "--reason", "test"][..], &STAGES].concat();
        // Without its evidence the gate stays shut (LG-49).
        let refused = home.expect(4, &advance);
        assert!(refused.err.contains("hint:"), "{refused:?}");
        let facts = home.file("facts.json").display().to_string();
        home.expect(0, &["pilot", "report", "--facts", &facts]);
        home.expect(0, &["gate", "facts", "record", "stage", &facts]);
        for after in ["shadow_reads", "canary", "soak"] {
            home.expect(0, &advance);
            home.expect(0, &run);
            home.expect(0, &run);
            assert_eq!(stage(&home, &code), after);
        }
        let answer = home.expect(0, &["pilot", "read", &code, "orders", "--json"]).json();
        assert_eq!(answer["shown_from"], "new");
        home.expect(0, &["pilot", "sync", &code]);
        let members = home.expect(0, &["parity", "--members", "--json"]).json();
        assert_eq!((&members["members"], &members["differing"]), (&1.into(), &0.into()));
        home.expect(2, &["pilot", "certificate", &code]);

        home.expect(0, &["pilot", "rollback", "--customer", &code, "--reason", "test"]);
        home.expect(0, &run);
        assert_eq!(stage(&home, &code), "rolled_back");
        let file = home.file("certificate.json").display().to_string();
        home.expect(0, &["pilot", "certificate", &code, "--out", &file]);
        home.expect(0, &["pilot", "certificate", &code, "--verify", &file]);
        let changed = std::fs::read_to_string(&file).unwrap().replace("\"inserted\":0", "\"inserted\":1");
        std::fs::write(&file, changed).unwrap();
        let refused = home.run(&["pilot", "certificate", &code, "--verify", &file]);
        assert!(refused.err.contains("was changed"), "{refused:?}");
    }
}
