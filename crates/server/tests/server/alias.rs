//! Routes that a system declares: what they take, answer and refuse, with a system made for it.

use plimsoll_core::change::Change;
use plimsoll_core::item::Refusal;
use plimsoll_core::value::Value as Cell;
use plimsoll_engine::EngineError;
use plimsoll_engine::Session;
use plimsoll_engine::alias::{Alias, Answered, Asked, Does, Field, FieldKind, Method, StoreView};
use plimsoll_engine::change::context::{PlanContext, Proposal};
use plimsoll_engine::source::{Fetch, SourceRecord, SourceRequest, SourceSummary};
use plimsoll_engine::system::{ChangeKind, System};
use plimsoll_testkit::fixture;
use serde_json::{Map, Value, json};

use crate::support::Served;

/// Keeps an account; refuses by rules that have names.
struct Keep;

const FIELDS: &[Field] = &[
    Field::needed("id", FieldKind::Number, "The account"),
    Field::needed("name", FieldKind::Text, "Its name"),
    Field::optional("balance", FieldKind::Number, "What is on it"),
];

impl ChangeKind for Keep {
    fn name(&self) -> &'static str {
        "keep"
    }
    fn help(&self) -> &'static str {
        "keeps an account"
    }
    fn needs_backup(&self) -> bool {
        false
    }
    fn fields(&self) -> Vec<Field> {
        FIELDS.to_vec()
    }
    fn read(
        &self,
        _: &mut dyn Fetch,
        _: &SourceRequest,
        _: &mut dyn FnMut(SourceRecord) -> Result<(), EngineError>,
    ) -> Result<SourceSummary, EngineError> {
        Ok(SourceSummary::default())
    }
    fn propose(&self, record: &SourceRecord, context: &mut PlanContext<'_>) -> Result<Proposal, EngineError> {
        let mut record = record.clone();
        if let Ok(body) = &mut record.body {
            let refused = match body["name"].as_str() {
                Some("two") => "it is too short [name.short]; it is a number [name.number]",
                Some("nobody") => "there is no such customer [unknown]",
                Some("boss") => "this is for the boss [role]",
                _ => "",
            };
            if !refused.is_empty() {
                return Ok(Proposal::Refuse(Refusal::quarantined("rule", refused)));
            }
            // What comes from the path is a text.
            let number = body["id"].as_str().and_then(|text| text.parse::<i64>().ok());
            if let Some(number) = number {
                body["id"] = json!(number);
            }
        }
        fixture::SYNC.propose(&record, context)
    }
}

static ACCOUNT: StoreView = StoreView {
    name: "account",
    title: "One account",
    fields: &[
        Field::needed("id", FieldKind::Number, "The account"),
        Field::optional("form", FieldKind::Text, "csv for a file"),
    ],
    answer: account,
};

fn account(session: &mut Session, asked: &Asked) -> Result<Answered, EngineError> {
    let id = asked.number("id").unwrap_or_default();
    let rows = session.store.query("SELECT name FROM account WHERE id = $1", &[Cell::Integer(id)])?;
    let Some(name) = rows.first().and_then(|row| row[0].as_text()) else {
        return Ok(Answered::Missing(format!("there is no account {id}\nhint: the first is 1")));
    };
    if asked.text("form").is_some() {
        let (kind, body) = ("text/csv; charset=utf-8", format!("name\r\n{name}\r\n"));
        return Ok(Answered::File { kind, name: "account.csv".into(), body });
    }
    Ok(Answered::Json(json!({ "id": id, "name": name })))
}

fn tells(changes: &[Change]) -> Map<String, Value> {
    Map::from_iter([(
        "tables".to_owned(),
        json!(changes.iter().map(|one| &one.table.name).collect::<Vec<_>>()),
    )])
}

static SYSTEM: System = System {
    name: "fixture",
    title: "Accounts over HTTP",
    tables: &["account", "entry"],
    changes: &[&Keep],
    views: &[&ACCOUNT],
    aliases: &[
        Alias {
            method: Method::Get,
            path: "/accounts/{id}",
            summary: "One account",
            does: Does::View(&ACCOUNT),
        },
        Alias {
            method: Method::Put,
            path: "/accounts/{id}",
            summary: "Keep an account",
            does: Does::Change { change: "keep", tells },
        },
    ],
    ..System::EMPTY
};

fn put(served: &Served, path: &str, body: &Value) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let sent = agent.put(served.url(path)).header("content-type", "application/json").send(body.to_string());
    let mut answer = sent.unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
}

#[test]
fn a_declared_route_takes_what_it_declares_and_names_every_reason() {
    let served = Served::with(|settings| settings.systems[0].system = &SYSTEM);
    let path = "/api/v1/accounts/901";
    let missing = served.get(path);
    assert_eq!((missing.status, missing.code().as_str()), (404, "not_found"));
    assert_eq!(missing.json()["errors"][0]["hint"], "the first is 1");

    let (status, dry) =
        put(&served, path, &json!({"name": "Ann", "balance": 1, "reason": "a test", "dry_run": true}));
    assert_eq!(
        (status, &dry["run"], &dry["rows"], &dry["dry_run"]),
        (200, &Value::Null, &json!(1), &json!(true))
    );
    assert_eq!(served.get(path).status, 404, "a dry run writes nothing");
    let (status, done) = put(&served, path, &json!({"name": "Ann", "balance": 12, "reason": "a test"}));
    assert_eq!(
        (status, &done["tables"], done["run"].is_string()),
        (200, &json!(["account"]), true),
        "{done}"
    );
    assert_eq!(served.get(path).json(), json!({"id": 901, "name": "Ann"}));
    let file = served.get(&format!("{path}?form=csv"));
    assert_eq!(
        (file.header("content-type"), file.text.as_str()),
        ("text/csv; charset=utf-8", "name\r\nAnn\r\n")
    );
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"account.csv\"");

    let (status, wrong) = put(&served, path, &json!({"colour": "red", "balance": "much"}));
    let fields: Vec<&str> =
        wrong["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!((status, fields), (400, vec!["balance", "colour", "name", "reason"]));
    let (status, two) = put(&served, path, &json!({"name": "two", "reason": "a test"}));
    let errors = two["errors"].as_array().unwrap();
    assert_eq!((status, errors.len(), &errors[1]["rule"]), (409, 2, &json!("name.number")));
    assert_eq!((&errors[0]["code"], &errors[0]["detail"]), (&json!("refused"), &json!("it is too short")));
    for (name, status, code) in [("nobody", 404, "not_found"), ("boss", 403, "forbidden")] {
        let (found, refused) = put(&served, path, &json!({"name": name, "reason": "a test"}));
        assert_eq!((found, &refused["errors"][0]["code"]), (status, &json!(code)));
    }
    let (status, _) = put(&served, path, &json!({"id": 7, "name": "Bob", "reason": "a test"}));
    assert_eq!(status, 400, "the address and the body name different accounts");
    assert_eq!(served.post(path, &json!({})).status, 405);
    let shown = served.get("/api/v1/systems/fixture").json();
    let route = shown["routes"].as_array().unwrap().iter().find(|route| route["method"] == "PUT").unwrap();
    assert_eq!((&route["path"], &route["role"]), (&json!("/api/v1/accounts/{id}"), &json!("operator")));
    assert_eq!(
        route["fields"][0],
        json!({"name": "id", "in": "path", "kind": "number", "required": true, "help": "The account"})
    );
}

#[test]
fn many_at_once_wait_for_their_turn_and_nobody_fails() {
    let served = Served::with(|settings| settings.systems[0].system = &SYSTEM);
    std::thread::scope(|scope| {
        for client in 0..40 {
            let served = &served;
            scope.spawn(move || {
                let path = format!("/api/v1/accounts/{}", 1_000 + client);
                let body = json!({"name": format!("Ann {client}"), "balance": 1, "reason": "a test"});
                let (status, done) = put(served, &path, &body);
                assert_eq!(status, 200, "{done}");
            });
        }
    });
    for client in 0..40 {
        assert_eq!(served.get(&format!("/api/v1/accounts/{}", 1_000 + client)).status, 200);
    }
}
