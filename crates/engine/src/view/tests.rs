//! Views from the file to the form that is printed.

use plimsoll_store::duckdb::Analytics;

use super::{Parameters, View, to_csv, to_json, to_text};

const ROWS: &str = "-- view: costs
-- title: Costs
-- answers: What did it cost?
-- parameters: model limit
-- shape: rows
-- chart: bar x=model y=cost
-- requirements: X-1 X-2
-- budget_ms: 10

SELECT model, count(*) AS messages, sum(cost) AS cost, max(day) AS day, max(details) AS details
FROM costs
WHERE ($model IS NULL OR model = $model)
GROUP BY model
ORDER BY model
LIMIT coalesce($limit, 10)
";

const OBJECT: &str = "-- view: totals
-- title: Totals
-- answers: How much in all?
-- parameters: model
-- shape: object
-- requirements:
-- budget_ms: 10

SELECT count(*) AS messages, coalesce(sum(cost), 0) AS \"cost.stored\", 7 AS \"cost.other\"
FROM costs WHERE ($model IS NULL OR model = $model);

-- section: models
SELECT model FROM costs WHERE ($model IS NULL OR model = $model) ORDER BY model;
";

fn store() -> Analytics {
    let store = Analytics::open_in_memory().unwrap();
    store
        .run_script(
            "CREATE TABLE costs (model VARCHAR, cost DECIMAL(18,10), day DATE, details JSON);
             INSERT INTO costs VALUES ('a \"b\", c', 1234.0000000001, '2026-03-02', '{\"n\": 1}'),
                 ('d', 2, NULL, NULL), ('d', -0.5, NULL, NULL)",
        )
        .unwrap();
    store
}

#[test]
fn rows_in_every_form() {
    let view = View::parse(ROWS).unwrap();
    assert_eq!((view.name, view.budget_ms, view.requirements.len()), ("costs", 10, 2));
    let table = view.run(&store(), &Parameters::new()).unwrap();
    let json = r#"[
  {"model": "a \"b\", c", "messages": 1, "cost": 1234.0000000001, "day": "2026-03-02", "details": {"n": 1}},
  {"model": "d", "messages": 2, "cost": 1.5, "day": null, "details": null}
]
"#;
    assert_eq!(to_json(&table), json);
    let csv = "model,messages,cost,day,details\r\n\
               \"a \"\"b\"\", c\",1,1234.0000000001,2026-03-02,\"{\"\"n\"\": 1}\"\r\n\
               d,2,1.5,,\r\n";
    assert_eq!(to_csv(&table), csv);
    let text = "\
model     messages        cost  day         details
--------  --------  ----------  ----------  --------
a \"b\", c         1  1,234.0000  2026-03-02  {\"n\": 1}
d                2      1.5000
";
    assert_eq!(to_text(&table), text);
}

#[test]
fn an_object_in_every_form() {
    let view = View::parse(OBJECT).unwrap();
    let table = view.run(&store(), &Parameters::new().with("model", "d").unwrap()).unwrap();
    let json = r#"{
  "messages": 2,
  "cost": {
    "stored": 1.5,
    "other": 7
  },
  "models": [
    {"model": "d"},
    {"model": "d"}
  ]
}
"#;
    assert_eq!(to_json(&table), json);
    let csv = "section,row,column,value\r\n\"\",1,messages,2\r\n\"\",1,cost.stored,1.5\r\n\"\",1,cost.other,7\r\n\
               models,1,model,d\r\nmodels,2,model,d\r\n";
    assert_eq!(to_csv(&table), csv);
    let text = "messages     2\ncost.stored  1.5000\ncost.other   7\n\nmodels\nmodel\n-----\nd\nd\n";
    assert_eq!(to_text(&table), text);
}

#[test]
fn a_text_is_bound_and_never_pasted() {
    let view = View::parse(ROWS).unwrap();
    let set = Parameters::new().with("model", "x' OR '1' = '1").unwrap();
    assert!(view.run(&store(), &set).unwrap().rows.is_empty());
    assert_eq!(to_json(&view.run(&store(), &set).unwrap()), "[]\n");
}

#[test]
fn the_columns_are_known_without_rows() {
    let columns = View::parse(OBJECT).unwrap().columns(&store()).unwrap();
    assert_eq!(
        columns.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(),
        ["messages", "cost.stored", "cost.other"]
    );
    assert!(columns.rows.is_empty());
    assert_eq!(columns.section("models").unwrap().columns.len(), 1);
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line() {
    let cases: [(&str, &str, &str); 7] = [
        (
            "shape: rows",
            "shape: row",
            "views/costs.sql, line 5: `shape`: `row` is neither `rows` nor `object`",
        ),
        (
            "model limit",
            "model limits",
            "views/costs.sql, line 4: `parameters`: `limits` is none of project, agent",
        ),
        ("model limit", "model limit tool", "views/costs.sql, line 4: `parameters`: `tool` is not used"),
        (
            "model limit",
            "limit",
            "views/costs.sql, line 12: `$model` is not among the parameters of the header",
        ),
        ("budget_ms: 10", "budget_ms: ten", "views/costs.sql, line 8: `budget_ms`: not a whole number"),
        ("chart: bar", "chart: bars", "views/costs.sql, line 6: `chart`: `bars` is none of line, area"),
        (
            "-- requirements: X-1 X-2\n",
            "",
            "views/costs.sql, line 1: the header has no line `-- requirements:`",
        ),
    ];
    for (from, to, expected) in cases {
        let text: &'static str = Box::leak(ROWS.replace(from, to).into_boxed_str());
        let message = View::parse(text).unwrap_err().message;
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn an_unknown_view_is_answered_with_those_that_are_like_it() {
    let views = View::parse_all(&[ROWS, OBJECT]).unwrap();
    assert!(View::named(&views, "totals-by-day").unwrap_err().message.ends_with("one of these? totals"));
    assert!(View::named(&views, "zz").unwrap_err().message.ends_with("there are 2 views; list them"));
    assert!(View::parse_all(&[ROWS, ROWS]).unwrap_err().message.contains("`costs`"));
}
