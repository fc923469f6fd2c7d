//! `cloud` against the stand-in: real requests over HTTP, and what goes wrong with them.

use plimsoll_simulator::cloud::{Options, Running, serve};

use crate::support::home::Home;

fn stand_in(read_only: bool) -> Running {
    serve(Options { port: 0, bucket: "demo-bucket".into(), read_only }).unwrap()
}

fn home(cloud: &Running, bucket: &str) -> Home {
    let home = Home::new();
    let address = cloud.address();
    let text = format!("[cloud]\nbucket = \"{bucket}\"\nstorage = \"{address}\"\nmetadata = \"{address}\"\n");
    std::fs::write(home.file("plimsoll.toml"), text).unwrap();
    home
}

fn steps(home: &Home, code: i32) -> Vec<(String, bool)> {
    let checked = home.expect(code, &["cloud", "check", "--json"]).json();
    let steps = checked["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["what"].as_str().unwrap().to_owned(), step["works"] == true)).collect()
}

#[test]
fn lg_43_the_set_up_is_tried_step_by_step() {
    let cloud = stand_in(false);
    let good = steps(&home(&cloud, "demo-bucket"), 0);
    assert_eq!(good.len(), 5);
    assert!(good.iter().all(|(_, works)| *works), "{good:?}");
    assert_eq!(cloud.names(), [""; 0], "a probe is taken away again");

    let other = home(&cloud, "other-bucket");
    assert_eq!(steps(&other, 3).last(), Some(&("the bucket".to_owned(), false)));
    let told = other.expect(3, &["cloud", "check"]);
    assert!(told.out.contains("404") && told.out.contains("hint: `bucket` of [cloud]"), "{told:?}");

    let refused = steps(&home(&stand_in(true), "demo-bucket"), 3);
    assert_eq!(refused.last(), Some(&("writing and reading back".to_owned(), false)));

    // A token of the caller's own, and one that nobody handed out.
    let mut own = home(&cloud, "demo-bucket");
    own.set("PLIMSOLL_CLOUD_TOKEN", "demo-token-1");
    assert_eq!(steps(&own, 0).len(), 5);
    own.set("PLIMSOLL_CLOUD_TOKEN", "secret-of-mine");
    let told = own.expect(3, &["cloud", "check"]);
    assert!(told.out.contains("401") && !told.out.contains("secret-of-mine"), "{told:?}");

    let nowhere = Home::new();
    assert!(nowhere.expect(2, &["cloud", "check"]).err.contains("docs/guide/cloud.md"));
}

#[test]
fn copies_are_compared_and_never_overwrite() {
    let cloud = stand_in(false);
    let home = home(&cloud, "demo-bucket");
    for number in 0..5 {
        let name = format!("backup {number}.db");
        std::fs::write(home.file(&name), vec![number; 100]).unwrap();
        home.expect(0, &["cloud", "put", &name, "--name", &format!("backups/{name}")]);
    }
    let listed = home.expect(0, &["cloud", "list", "--prefix", "backups/", "--json"]).json();
    assert_eq!(listed.as_array().unwrap().len(), 5, "all pages are read");
    assert_eq!(listed[4]["bytes"], 100);
    let again = home.expect(4, &["cloud", "put", "backup 1.db", "--name", "backups/backup 1.db"]);
    assert!(again.err.contains("nothing is overwritten"), "{again:?}");
    home.expect(0, &["cloud", "put", "backup 1.db", "--name", "other", "--dry-run"]);
    home.expect(0, &["cloud", "get", "backups/backup 3.db", "back.db"]);
    assert_eq!(std::fs::read(home.file("back.db")).unwrap(), vec![3; 100]);
    home.expect(4, &["cloud", "get", "backups/backup 3.db", "back.db"]);
    home.expect(2, &["cloud", "get", "nothing", "other.db"]);
    home.expect(0, &["cloud", "delete", "backups/backup 3.db"]);
    home.expect(2, &["cloud", "delete", "backups/backup 3.db"]);
    assert_eq!(cloud.names().len(), 4);
}
