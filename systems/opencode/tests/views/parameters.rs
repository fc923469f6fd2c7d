//! Parameters: each filters what its name says, in every view that has it.

use plimsoll_engine::view::{Name, Parameters};

use crate::world::{World, ask, views};

#[test]
fn every_parameter_of_every_view_can_be_set() {
    let store = World::new().store();
    for view in views() {
        let all = view.columns(&store).unwrap();
        for name in &view.parameters {
            let value = match name {
                Name::Project => "/srv/ada/engine",
                Name::Agent => "build",
                Name::Model => "gpt-5",
                Name::Tool => "bash",
                Name::Session => "ses_5",
                Name::Exchange => "msg_5_0_user",
                Name::From | Name::To => "2026-03-04",
                Name::Text => "engine",
                Name::Limit => "1",
            };
            let set = Parameters::new().with(name.as_str(), value).unwrap();
            let some = view.run(&store, &set).unwrap();
            let context = format!("{} with {}", view.name, name.as_str());
            assert_eq!(all.columns, some.columns, "{context}");
            if *name == Name::Limit {
                assert!(some.rows.len() <= 1, "{context}");
            }
            // What cannot be anywhere is found nowhere, unless the view answers with sums of nothing.
            if matches!(
                name,
                Name::Project | Name::Agent | Name::Model | Name::Tool | Name::Session | Name::Exchange
            ) {
                let none = Parameters::new().with(name.as_str(), "nowhere").unwrap();
                let found = view.run(&store, &none).unwrap();
                let sums = ["usage", "completeness"].contains(&view.name);
                assert!(sums || found.rows.is_empty(), "{context}: {:?}", found.rows);
            }
        }
    }
}

#[test]
fn times_cut_where_they_say() {
    let world = World::new();
    let store = world.store();
    let days = |parameters: &[(&str, &str)]| {
        let table = ask(&store, "cost-by-day", parameters);
        table.rows.iter().map(|row| row[0].as_integer().unwrap() - 20_514).collect::<Vec<_>>()
    };
    let all = days(&[]);
    assert!(all.len() > 4, "{all:?}");
    let middle = all[2];
    // 2026-03-02 is day 0.
    let day = format!("2026-03-{:02}", middle + 2);
    assert_eq!(days(&[("from", &day)]), all[2..]);
    assert_eq!(days(&[("to", &day)]), all[..3]);
    assert_eq!(days(&[("from", &day), ("to", &day)]), [middle]);
    assert_eq!(days(&[("to", &format!("{day}T00:00:00"))]), all[..2]);
}

#[test]
fn a_project_is_known_by_folder_and_by_identifier_and_a_model_by_both_its_names() {
    let store = World::new().store();
    let by_folder = ask(&store, "cost-by-session", &[("project", "/srv/ada/notes")]);
    let by_id = ask(&store, "cost-by-session", &[("project", "a9993e364706816aba3e25717850c26c9cd0d89d")]);
    assert_eq!(by_folder, by_id);
    assert_eq!(by_folder.rows.len(), 2);
    let short = ask(&store, "cost-by-day", &[("model", "gpt-5")]);
    assert_eq!(short, ask(&store, "cost-by-day", &[("model", "house/gpt-5")]));
    assert!(!short.rows.is_empty());
}

#[test]
fn a_parameter_that_a_view_does_not_have_is_refused_with_those_it_has() {
    let store = World::new().store();
    let set = Parameters::new().with("tool", "bash").unwrap();
    let view = views().into_iter().find(|view| view.name == "models").unwrap();
    let message = view.run(&store, &set).unwrap_err().message;
    assert_eq!(message, "view `models` has no parameter `tool`\nhint: it has model");
    let set = Parameters::new().with("from", "2026-03-05").unwrap().with("to", "2026-03-04").unwrap();
    let view = views().into_iter().find(|view| view.name == "cost-by-day").unwrap();
    assert!(view.run(&store, &set).unwrap_err().message.contains("not before"));
}

#[test]
fn a_search_finds_texts_and_patterns_whatever_their_case() {
    let store = World::new().store();
    let table = ask(&store, "search-text", &[("text", "ENGINE is mended")]);
    assert_eq!((table.rows.len(), table.cell(0, "part_id").as_text()), (1, Some("prt_rest_0")));
    assert!(table.cell(0, "excerpt").as_text().unwrap().contains("mended"));
    let table = ask(&store, "search-text", &[("text", "/eng[aeiou]ne runs\\.$/")]);
    assert_eq!((table.rows.len(), table.cell(0, "kind").as_text()), (1, Some("text")));
    // What was written comes before what a tool printed.
    let table = ask(&store, "search-text", &[("text", "engine"), ("limit", "3")]);
    assert_eq!((table.rows.len(), table.cell(0, "part_id").as_text()), (3, Some("prt_rest_0")));
    assert!(ask(&store, "search-text", &[("text", "100%_")]).rows.is_empty());
}
