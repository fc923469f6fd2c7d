//! `user`: people who log in, added by the command and known to the server.

use serde_json::json;

use crate::support::home::Home;
use crate::support::web::Web;

#[test]
fn a_user_is_added_granted_logs_in_and_is_removed() {
    let home = Home::new();
    let file = home.file("password");
    std::fs::write(&file, "correct horse battery\n").unwrap();
    let password = ["--password-file", file.to_str().unwrap()];
    let add = [&["user", "add", "ann", "--roles", "viewer"][..], &password].concat();
    home.expect(0, &add);
    assert_ne!(home.run(&add).code, 0, "there is an ann already");
    home.expect(0, &["user", "grant", "ann", "operator", "--system", "pfa"]);
    let listed = home.expect(0, &["user", "list", "--json"]);
    assert_eq!(listed.json()[0]["roles"], json!({ "*": "viewer", "pfa": "operator" }));
    assert!(!listed.out.contains("argon2"), "digests are nobody's business: {listed:?}");

    let web = Web::at(&home);
    assert_eq!(web.ask("GET", "/api/v1/systems", &[], None).status, 401);
    let given = json!({ "name": "ann", "password": "correct horse battery" }).to_string();
    let begun = web.ask("POST", "/api/v1/session", &[], Some(("application/json", &given)));
    assert_eq!((begun.status, &begun.json()["role"]), (200, &json!("operator")));
    let cookie = begun.header("set-cookie").split(';').next().unwrap().to_owned();
    let known = [("cookie", &*cookie)];
    assert_eq!(web.ask("GET", "/api/v1/systems", &known, None).status, 200);
    // Another process removes her: the server knows a second later.
    home.expect(0, &["user", "remove", "ann", "--reason", "left"]);
    std::thread::sleep(std::time::Duration::from_millis(1_200));
    let after = web.ask("GET", "/api/v1/systems", &known, None);
    assert_eq!(after.status, 200, "nobody is left, so this machine is open again");
    assert_eq!(web.ask("GET", "/api/v1/session", &known, None).json()["mode"], "open");
}
