//! What one record means for the parts of a hearing: committees, bills, people, documents.

use serde_json::{Value as Json, json};

use crate::support::{Database, meeting, meeting_with, told};

const PEOPLE: &str = "SELECT appearance_order, full_name, organization, position, appearance_id \
     FROM witness_appearances JOIN witnesses USING (witness_id) ORDER BY appearance_order, appearance_id";

fn person(name: &str, position: &str) -> Json {
    json!({ "name": name, "position": position, "organization": "Board" })
}

fn people(database: &mut Database) -> Vec<String> {
    database.ask(PEOPLE).into_iter().map(|row| format!("{} {}", row[0], row[1])).collect()
}

fn with_people(people: &[Json]) -> Json {
    meeting_with(json!({ "witnesses": people, "witnessDocuments": null }))
}

#[test]
fn committees_are_a_set_of_links_and_known_ones_are_not_touched() {
    let mut database = Database::empty();
    database.take(&meeting());
    let both = json!([{ "systemCode": "hsii24", "name": "Renamed" }, { "systemCode": "hsii00", "name": "Natural Resources" }]);
    let item = database.take(&meeting_with(json!({ "committees": both })));
    assert_eq!(told(&item)[..2], ["insert committees", "insert hearing_committees"]);
    let links = "SELECT system_code, name, is_primary FROM hearing_committees JOIN committees USING (committee_id) ORDER BY 1";
    let rows: Vec<String> = database.ask(links).iter().map(|row| row.join("|")).collect();
    assert_eq!(rows, ["hsii00|Natural Resources|0", "hsii24|Indian and Insular Affairs Subcommittee|1"]);
    // The order of committees is no statement.
    let turned = json!([{ "systemCode": "hsii00" }, { "systemCode": "hsii24" }, { "systemCode": "hsii24" }]);
    assert!(database.plan(&meeting_with(json!({ "committees": turned }))).is_unchanged());
    // The other one takes over, and becomes the primary one.
    database.take(&meeting_with(json!({ "committees": [{ "systemCode": "hsii00" }] })));
    assert_eq!(
        database.ask(links).iter().map(|row| row.join("|")).collect::<Vec<_>>(),
        ["hsii00|Natural Resources|1"]
    );
    // None at all, stated.
    database.take(&meeting_with(json!({ "committees": { "item": [] } })));
    assert_eq!(database.ask(links).len(), 0);
    assert_eq!(database.ask_one("SELECT count(*) FROM committees"), "2", "committees stay");
    database.check();
}

#[test]
fn a_new_subcommittee_finds_its_parent_and_one_without_a_name_gets_its_code() {
    let mut database = Database::empty();
    database.take(&meeting_with(
        json!({ "committees": [{ "systemCode": "hsii00", "name": "Natural Resources" }] }),
    ));
    database.take(&meeting_with(json!({ "eventId": "2", "committees": [{ "systemCode": "hsii99" }] })));
    let child = "SELECT child.name, parent.system_code FROM committees child \
         JOIN committees parent ON parent.committee_id = child.parent_committee_id";
    assert_eq!(database.ask_one(child), "hsii99 | hsii00");
}

#[test]
fn real_links_that_are_all_primary_are_left_so() {
    let mut database = Database::empty();
    let both = json!([{ "systemCode": "hsii24" }, { "systemCode": "hsii00" }]);
    database.take(&meeting_with(json!({ "committees": both })));
    database.store.execute("UPDATE hearing_committees SET is_primary = 1", &[]).unwrap();
    assert!(database.plan(&meeting_with(json!({ "committees": both }))).is_unchanged());
}

#[test]
fn bills_are_a_set_of_links() {
    let mut database = Database::empty();
    database.take(&meeting());
    let bills = |list: Json| meeting_with(json!({ "relatedItems": { "bills": list } }));
    let two = json!([
        { "congress": "119", "type": "hr", "number": "12", "url": "another address" },
        { "congress": 119, "type": "SJRES", "number": 3 },
        { "congress": 119, "type": "SJRES", "number": 3 },
    ]);
    let item = database.take(&bills(two.clone()));
    assert_eq!(told(&item)[..2], ["insert bills", "insert hearing_bills"]);
    assert!(database.plan(&bills(two)).is_unchanged());
    let item = database.take(&bills(json!([])));
    assert_eq!(told(&item)[..2], ["delete hearing_bills", "delete hearing_bills"]);
    assert_eq!(database.ask_one("SELECT count(*) FROM bills"), "2", "bills stay");
    database.check();
}

#[test]
fn a_bill_on_a_markups_agenda_is_marked_up_and_a_known_link_keeps_its_word() {
    let mut database = Database::empty();
    let markup = meeting_with(json!({ "type": "Markup" }));
    database.take(&markup);
    let word = "SELECT relationship_type FROM hearing_bills";
    assert_eq!(database.ask_one(word), "markup");
    database.store.execute("UPDATE hearing_bills SET relationship_type = 'primary_subject'", &[]).unwrap();
    assert!(database.plan(&markup).is_unchanged());
}

#[test]
fn a_witness_who_is_added_gets_the_next_number_and_one_who_goes_leaves_a_gap() {
    let mut database = Database::empty();
    database.take(&with_people(&[person("A A", "1"), person("B B", "2"), person("C C", "3")]));
    let item = database.take(&with_people(&[person("A A", "1"), person("C C", "3")]));
    assert_eq!(told(&item), ["delete witness_appearances", "update hearings updated_at"]);
    assert_eq!(people(&mut database), ["1 A A", "3 C C"]);
    database.take(&with_people(&[person("A A", "1"), person("C C", "3"), person("D D", "4")]));
    assert_eq!(people(&mut database), ["1 A A", "3 C C", "4 D D"]);
    assert_eq!(database.ask_one("SELECT count(*) FROM witnesses"), "4", "witnesses stay");
}

#[test]
fn a_new_order_is_counted_again_and_gaps_and_equal_numbers_are_no_new_order() {
    let mut database = Database::empty();
    let three = [person("A A", "1"), person("B B", "2"), person("C C", "3")];
    database.take(&with_people(&three));
    for (numbers, same_order) in [("3, 7, 9", true), ("2, 2, 2", true), ("1, 3, 2", false)] {
        let numbers: Vec<&str> = numbers.split(", ").collect();
        for (name, number) in ["A A", "B B", "C C"].iter().zip(&numbers) {
            let sql = format!(
                "UPDATE witness_appearances SET appearance_order = {number} WHERE witness_id = \
                 (SELECT witness_id FROM witnesses WHERE full_name = '{name}')"
            );
            database.store.execute(&sql, &[]).unwrap();
        }
        assert_eq!(database.plan(&with_people(&three)).is_unchanged(), same_order, "{numbers:?}");
    }
    database.take(&with_people(&three));
    assert_eq!(people(&mut database), ["1 A A", "2 B B", "3 C C"]);
    database.take(&with_people(&[
        person("A A", "1"),
        person("New N", "2"),
        person("B B", "2"),
        person("C C", "3"),
    ]));
    assert_eq!(people(&mut database), ["1 A A", "2 New N", "3 B B", "4 C C"]);
}

#[test]
fn a_new_position_or_organization_keeps_the_appearance_and_its_documents() {
    let mut database = Database::empty();
    database.take(&meeting());
    let ids = "SELECT group_concat(appearance_id || ':' || hearing_id) FROM witness_appearances";
    let before =
        (database.ask_one(ids), database.ask_one("SELECT group_concat(document_id) FROM witness_documents"));
    let moved = meeting_with(json!({ "witnesses": [
        { "name": "Nicol Turner Lee", "position": "Chair", "organization": "Institute of Lamps" },
        { "name": "Mary Osceola", "position": "Keeper", "organization": "Harbour Board" },
    ] }));
    let item = database.take(&moved);
    assert_eq!(
        told(&item)[..3],
        ["update witness_appearances position", "insert witnesses", "update witness_appearances witness_id"]
    );
    let after =
        (database.ask_one(ids), database.ask_one("SELECT group_concat(document_id) FROM witness_documents"));
    assert_eq!(after, before);
    assert!(database.plan(&moved).is_unchanged());
    database.check();
}

#[test]
fn of_two_people_with_one_name_each_keeps_the_own_appearance() {
    let mut database = Database::empty();
    let twin = |organization: &str, position: &str| json!({ "name": "A A", "organization": organization, "position": position });
    database.take(&with_people(&[twin("North", "1"), twin("South", "2")]));
    let item = database.take(&with_people(&[twin("South", "3"), twin("North", "4")]));
    let lines = told(&item);
    assert_eq!(lines[..2], ["update witness_appearances position,appearance_order"; 2], "{lines:?}");
    assert_eq!(database.ask("SELECT 1 FROM witnesses").len(), 2);
}

#[test]
fn a_witness_is_shared_by_name_and_organization() {
    let mut database = Database::empty();
    database.take(&with_people(&[person("A A", "Governor")]));
    let mut other = with_people(&[person("A A", "Former Governor"), json!({ "name": "A A" })]);
    other["eventId"] = json!("2");
    database.take(&other);
    let witnesses = "SELECT full_name, organization, title FROM witnesses ORDER BY witness_id";
    let rows: Vec<String> = database.ask(witnesses).iter().map(|row| row.join("|")).collect();
    assert_eq!(rows, ["A A|Board|Governor", "A A|null|null"]);
    assert!(database.plan(&other).is_unchanged());
}

#[test]
fn a_hearing_that_lists_everybody_twice_is_left_alone_and_a_new_repetition_is_dropped() {
    let mut database = Database::empty();
    let twice =
        with_people(&[person("A A", "1"), person("B B", "2"), person("A A", "1"), person("B B", "2")]);
    // A new hearing takes each person once: the schema has room for one appearance of a witness.
    database.take(&twice);
    assert_eq!(people(&mut database), ["1 A A", "2 B B"]);
    assert!(database.plan(&twice).is_unchanged());
    // The earlier system made two witnesses of each; such rows stay while the source repeats them.
    for (id, name, order) in [(90, "A A", 1), (91, "B B", 2)] {
        let sql = format!(
            "INSERT INTO witnesses (witness_id, full_name, organization, title) VALUES ({id}, '{name}', 'Board', '{order}'); \
             INSERT INTO witness_appearances (appearance_id, witness_id, hearing_id, position, appearance_order) \
             VALUES ({id}, {id}, 1, '{order}', {order});"
        );
        database.store.run_script(&sql).unwrap();
    }
    let sorted =
        with_people(&[person("A A", "1"), person("A A", "1"), person("B B", "2"), person("B B", "2")]);
    assert!(database.plan(&sorted).is_unchanged());
    let item = database.plan(&with_people(&[person("A A", "1"), person("B B", "2")])).changes();
    assert_eq!(told(&item)[..2], ["delete witness_appearances", "delete witness_appearances"]);
}

#[test]
fn witnesses_without_a_name_are_nobody() {
    let mut database = Database::empty();
    database.take(&with_people(&[
        json!({ "name": null, "organization": "Board" }),
        json!({ "name": " " }),
        person("A A", "1"),
    ]));
    assert_eq!(people(&mut database), ["1 A A"]);
}

#[test]
fn a_witness_who_goes_takes_the_documents_along_even_when_those_are_not_stated() {
    let mut database = Database::empty();
    database.take(&meeting());
    let item = database.take(&meeting_with(json!({ "witnesses": [], "witnessDocuments": null })));
    assert_eq!(
        told(&item)[..3],
        ["delete witness_appearances", "delete witness_documents", "delete witness_appearances"]
    );
    assert_eq!(database.ask_one("SELECT count(*) FROM witness_documents"), "0");
    database.check();
}

#[test]
fn documents_of_witnesses_follow_their_addresses() {
    let mut database = Database::empty();
    database.take(&meeting());
    let own = |kind: &str, url: &str| json!({ "documentType": kind, "format": "PDF", "url": url });
    let first = "https://x/HHRG-119-II24-Wstate-OsceolaM-20250521.pdf";
    let lee = "https://x/HHRG-119-II24-Bio-TurnerLeeN-20250521.pdf";
    let documents = json!([
        own("Witness Truth in Testimony", first),
        own("Witness Biography", lee),
        own("Witness Biography", lee)
    ]);
    let record = meeting_with(json!({ "witnessDocuments": documents }));
    database.take(&record);
    let stored = "SELECT full_name, document_type, document_url FROM witness_documents \
         JOIN witness_appearances USING (appearance_id) JOIN witnesses USING (witness_id) ORDER BY document_id";
    let rows: Vec<String> = database.ask(stored).iter().map(|row| row.join("|")).collect();
    assert_eq!(
        rows,
        [format!("Mary Osceola|Truth Statement|{first}"), format!("Nicol Turner Lee|Biography|{lee}")]
    );
    assert!(database.plan(&record).is_unchanged());
    database.take(&meeting_with(json!({ "witnessDocuments": [] })));
    assert_eq!(database.ask(stored).len(), 0);
}

#[test]
fn a_document_that_fits_no_witness_is_kept_with_the_meetings_until_it_does() {
    let mut database = Database::empty();
    let stray = json!([{ "documentType": "Witness Statement", "format": "PDF", "url": "https://x/Wstate-NobodyX.pdf" }]);
    let record = meeting_with(json!({ "witnessDocuments": stray }));
    database.take(&record);
    let kept = "SELECT document_type, document_url FROM supporting_documents ORDER BY document_id";
    assert_eq!(database.ask(kept)[1].join("|"), "Witness Statement|https://x/Wstate-NobodyX.pdf");
    assert!(database.plan(&record).is_unchanged());
    // Half a statement does not remove it.
    for silent in ["witnessDocuments", "meetingDocuments"] {
        let mut half = record.clone();
        half.as_object_mut().unwrap().remove(silent);
        assert!(database.plan(&half).is_unchanged(), "{silent}");
    }
    // Its witness turns up.
    let mut known = record.clone();
    known["witnesses"].as_array_mut().unwrap().push(json!({ "name": "Xavier Nobody" }));
    database.take(&known);
    assert_eq!(database.ask(kept).len(), 1);
    assert_eq!(database.ask_one("SELECT count(*) FROM witness_documents"), "1");
    assert!(database.plan(&known).is_unchanged());
    database.check();
}

#[test]
fn documents_of_the_meeting_are_added_changed_and_removed() {
    let mut database = Database::empty();
    database.take(&meeting());
    let notice = |name: &str, url: Json| json!({ "name": name, "documentType": "Support Document", "format": "PDF", "url": url });
    let first = json!("https://x/HHRG-119-II24-20250521-SD001.pdf");
    let record = |list: Json| meeting_with(json!({ "meetingDocuments": list }));
    let item =
        database.take(&record(json!([notice("New Name", first.clone()), notice("Other", Json::Null), {}])));
    assert_eq!(
        told(&item)[..2],
        ["update supporting_documents title,updated_at", "insert supporting_documents"]
    );
    let same = record(json!([notice("Other", Json::Null), notice("New Name", first.clone())]));
    assert!(database.plan(&same).is_unchanged(), "the order of documents is no statement");
    let item = database.take(&record(json!([notice("New Name", first)])));
    assert_eq!(told(&item)[..1], ["delete supporting_documents"]);
    let item = database.take(&record(json!([])));
    assert_eq!(told(&item)[..1], ["delete supporting_documents"]);
}

#[test]
fn transcripts_give_the_jacket_number() {
    let mut database = Database::empty();
    database.take(&meeting());
    let record = |list: Json| meeting_with(json!({ "hearingTranscript": list }));
    assert!(
        database
            .plan(&record(json!([{ "jacketNumber": "58428", "url": "https://x/hearing/119/house/58428" }])))
            .is_unchanged()
    );
    database.take(&record(
        json!([{ "jacketNumber": 58_428, "url": "https://x/moved" }, { "jacketNumber": "00123" }]),
    ));
    let rows: Vec<String> = database
        .ask("SELECT transcript_id, jacket_number, document_url FROM hearing_transcripts ORDER BY 1")
        .iter()
        .map(|row| row.join("|"))
        .collect();
    assert_eq!(rows, ["1|58428|https://x/moved", "2|00123|null"]);
    database.take(&record(json!([])));
    assert_eq!(database.ask_one("SELECT jacket_number FROM hearings"), "null");
    assert_eq!(database.ask_one("SELECT count(*) FROM hearing_transcripts"), "0");
}

#[test]
fn a_recordings_kind_that_was_put_right_by_hand_stays() {
    let mut database = Database::empty();
    database.take(&meeting());
    database.store.execute("UPDATE hearings SET video_type = 'house_video'", &[]).unwrap();
    assert!(database.plan(&meeting()).is_unchanged());
}
