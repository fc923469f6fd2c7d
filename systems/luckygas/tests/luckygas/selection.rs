//! Choosing from real databases: exact shares that only grow, the legacy side untouched, and who cannot be moved stays out.

use std::collections::BTreeSet;

use plimsoll_core::flag::Percent;
use plimsoll_core::pilot::cutover::{Cutover, Stage};
use plimsoll_core::pilot::selection::{Selection, ShareOf, Size};
use plimsoll_core::value::Value;
use plimsoll_engine::change::setup;
use plimsoll_engine::pilot::member::{self, Member};
use plimsoll_engine::pilot::schema::PILOT_SCHEMA;
use plimsoll_engine::pilot::select::candidates::{
    CANNOT_BE_CARRIED, DUPLICATE_CODE, Listed, NO_CODE, ORDER_CANNOT_BE_CARRIED, UNMOVABLE,
};
use plimsoll_engine::pilot::select::kept::{self, StoredSelection};
use plimsoll_engine::pilot::select::{Ask, export, prepare, select};
use plimsoll_engine::{EngineError, ErrorKind, Session, event};
use plimsoll_luckygas::SYSTEM;
use plimsoll_luckygas::pilot::LuckyGas;
use plimsoll_luckygas::schema::{LEGACY, NEW, before_capture};
use plimsoll_simulator::luckygas::dirt::Dirt;
use plimsoll_simulator::luckygas::{Manifest, Settings, generate};
use plimsoll_store::digest::table_digests;
use plimsoll_store::schema::upgrade;

use crate::support::{Database, big5};

struct Pilot {
    legacy: Database,
    new: Session,
    manifest: Manifest,
    _kept: Database,
}

impl Pilot {
    fn of(settings: &Settings, mut new: Database) -> Self {
        let mut legacy = Database::sqlite(&before_capture(&LEGACY));
        let manifest = generate(settings, legacy.store.as_mut(), new.store.as_mut(), &mut |_, _| {}).unwrap();
        let mut session = Session::new(new.store.reopen().unwrap(), "tester");
        setup::prepare(&mut session, Some(&SYSTEM)).unwrap();
        prepare(&mut session).unwrap();
        Self { legacy, new: session, manifest, _kept: new }
    }

    fn select(&mut self, selection: &Selection) -> Result<StoredSelection, EngineError> {
        let ask = Ask { selection: selection.clone(), best_of: 1, reason: "a test", dry_run: false };
        select(&mut self.new, self.legacy.store.as_mut(), &LuckyGas, &ask)
    }
}

fn percent(whole: u32) -> Selection {
    Selection::new(Size::Percent(Percent::whole(whole)), "")
}

fn two_thousand() -> Settings {
    Settings { dirty_percent: 8, ..Settings::of(2_000, 17) }
}

/// 1 % -> 5 % -> 10 % -> 25 % of 2,000 on both databases: 20, 100, 200 and 500, each with all of the one before.
#[test]
fn lg_18_shares_are_exact_and_only_grow() {
    let databases =
        [Some(Database::sqlite(&before_capture(&NEW))), Database::postgres(&before_capture(&NEW))];
    for database in databases.into_iter().flatten() {
        let mut pilot = Pilot::of(&two_thousand(), database);
        let before =
            table_digests(pilot.legacy.store.as_mut(), plimsoll_luckygas::schema::LEGACY_TABLES).unwrap();
        let mut earlier = BTreeSet::new();
        for (number, (share, members)) in [(1, 20), (5, 100), (10, 200), (25, 500)].into_iter().enumerate() {
            let made = pilot.select(&percent(share)).unwrap();
            assert_eq!(made.selected.members.len(), members);
            assert_eq!((made.number, made.selected.of), (number as u64 + 1, 2_000));
            assert!(earlier.is_subset(&made.selected.members));
            assert_eq!(made.selected.selection.salt, "pilot_program");
            // As it was kept, it is the same, and drawn again it chooses the same.
            let again = kept::find(pilot.new.store.as_mut(), &made.id.as_str()[..8]).unwrap();
            assert_eq!(again.selected.members, made.selected.members);
            assert_eq!(again.candidates, made.candidates);
            assert!(again.is_reproduced());
            earlier.clone_from(&made.selected.members);
            // The cohort is a place where there is no dirt.
            let marked = made.candidates.iter().filter(|one| earlier.contains(&one.customer.id));
            assert!(marked.clone().all(|one| one.problems.is_empty()), "{marked:?}");
        }
        assert_eq!(kept::list(pilot.new.store.as_mut()).unwrap().len(), 4);
        assert_eq!(kept::latest(pilot.new.store.as_mut()).unwrap().unwrap().selected.members, earlier);
        let events = event::list(pilot.new.store.as_mut(), None).unwrap();
        assert_eq!(events.iter().filter(|one| one.kind == "pilot.selected").count(), 4);
        let after =
            table_digests(pilot.legacy.store.as_mut(), plimsoll_luckygas::schema::LEGACY_TABLES).unwrap();
        assert_eq!(after, before, "the legacy side is only read");
    }
}

/// What is planted is what is marked; it stays out and says why, and its share of the whole still counts.
#[test]
fn who_cannot_be_moved_stays_out_with_the_reason() {
    let mut pilot = Pilot::of(&two_thousand(), Database::sqlite(&before_capture(&NEW)));
    let made = pilot.select(&Selection { share_of: ShareOf::Eligible, ..percent(100) }).unwrap();
    let planted = &pilot.manifest.dirty_clients;
    let of = |dirt: &Dirt| planted.get(dirt).copied().unwrap_or(0);
    let marked =
        |mark: &str| made.candidates.iter().filter(|one| one.customer.marks.contains(mark)).count() as u64;
    assert_eq!(marked(NO_CODE), of(&Dirt::NoCode));
    // Whoever has the code of the first, and the first.
    let first = u64::from(made.candidates[0].customer.id == "D0000001#1");
    assert_eq!(marked(DUPLICATE_CODE), of(&Dirt::DuplicateCode) + first);
    let refused: u64 =
        planted.iter().filter(|(dirt, _)| **dirt != Dirt::DuplicateCode).map(|(_, rows)| rows).sum();
    assert_eq!(marked(CANNOT_BE_CARRIED), refused);
    let is_out = |one: &&Listed| UNMOVABLE.iter().any(|mark| one.customer.marks.contains(*mark));
    let out: BTreeSet<&str> =
        made.candidates.iter().filter(is_out).map(|one| one.customer.id.as_str()).collect();
    assert!(out.len() > 100, "{}", out.len());
    assert!(made.selected.members.iter().all(|id| !out.contains(id.as_str())));
    assert_eq!(made.selected.members.len() + out.len(), 2_000);
    assert_eq!(first, 1, "another client has the code of the first");
    let about = made.about("D0000001");
    assert!(about.len() as u64 == of(&Dirt::DuplicateCode) + 1, "{about:?}");
    assert_eq!(about[0].1.to_string(), "out: `duplicate_code` keeps out");
    let time = made
        .candidates
        .iter()
        .find(|one| {
            !one.customer.marks.contains(ORDER_CANNOT_BE_CARRIED)
                && one.problems.iter().any(|text| text.starts_with("updated_at: "))
        })
        .unwrap();
    assert_eq!(made.about(&time.customer.id)[0].1.to_string(), "out: `cannot_be_carried` keeps out");

    // Orders that cannot be carried: every planted one but those of nobody.
    let dirty_orders: u64 = pilot.manifest.dirty_deliveries.values().sum();
    let of_nobody = pilot.manifest.dirty_deliveries[&Dirt::OrphanClient];
    let told = made.candidates.iter().flat_map(|one| &one.problems).filter(|text| text.starts_with("order "));
    // Of one customer at most three are told.
    let (told, planted_orders) = (told.count() as u64, dirty_orders - of_nobody);
    assert!((planted_orders - 4..=planted_orders).contains(&told), "{told} of {planted_orders}");
    let with_orders = marked(ORDER_CANNOT_BE_CARRIED);
    assert!(with_orders > 300 && with_orders <= planted_orders, "{with_orders}");

    // Region, type, orders and figures are those of the rows, counted by the database.
    let corporate = pilot.legacy.count("SELECT count(*) FROM clients WHERE is_corporate = 1");
    let business = made.candidates.iter().filter(|one| one.customer.customer_type == "business").count();
    assert_eq!(business as i64, corporate);
    let orders: u64 = made.candidates.iter().map(|one| one.customer.orders).sum();
    let counted =
        pilot.legacy.count("SELECT count(*) FROM deliveries WHERE client_id IN (SELECT id FROM clients)");
    assert_eq!(orders as i64, counted);
    let regions: BTreeSet<&str> = made.candidates.iter().map(|one| one.customer.region.as_str()).collect();
    assert_eq!(
        regions,
        ["台北", "新北", "桃園", "台中", "台南", "高雄", "新竹縣", "other"].into_iter().collect()
    );
    let volume =
        made.candidates.iter().filter(|one| one.customer.covariates.contains_key("monthly_volume")).count();
    let known = pilot.legacy.count("SELECT count(*) FROM clients WHERE monthly_delivery_volume IS NOT NULL");
    assert_eq!(volume as i64, known);

    // The export has a line for each, members first.
    let csv = export::to_csv(&made);
    let lines: Vec<&str> = csv.split("\r\n").collect();
    assert_eq!(lines.len(), 2_002);
    assert!(lines[0].starts_with("customer,legacy_number,in,entered,region,"), "{}", lines[0]);
    assert!(lines[made.selected.members.len()].contains(",yes,now,"));
    assert!(lines[made.selected.members.len() + 1].contains(",no,,"));
}

/// A member keeps its place when another row takes its code, and when its own row can no longer be carried.
#[test]
fn members_stay_whatever_happens_to_the_legacy_rows() {
    let settings = Settings { dirty_percent: 0, ..Settings::of(400, 5) };
    let mut pilot = Pilot::of(&settings, Database::sqlite(&before_capture(&NEW)));
    let first = pilot.select(&percent(10)).unwrap();
    let members: Vec<(String, i64)> = first.members().into_iter().collect();
    let ((copied, number), (spoiled, other), (deleted, gone)) = (&members[0], &members[1], &members[2]);
    let store = pilot.legacy.store.as_mut();
    store.execute("INSERT INTO clients (id, client_code) VALUES (90001, $1)", &[big5(copied)]).unwrap();
    store.execute("UPDATE clients SET is_active = 7 WHERE id = $1", &[Value::Integer(*other)]).unwrap();
    store.execute("DELETE FROM clients WHERE id = $1", &[Value::Integer(*gone)]).unwrap();
    let second = pilot.select(&percent(25)).unwrap();
    assert_eq!(second.selected.members.len(), 100);
    assert_eq!(second.selected.gone, BTreeSet::from([deleted.clone()]));
    assert_eq!(second.members().get(copied), Some(number), "the one who was chosen, not the one who came");
    assert!(second.selected.members.contains(spoiled));
    let why = second.about(spoiled)[0].1.to_string();
    assert_eq!(why, "in: a member before, and stays although today: `cannot_be_carried` keeps out");
    assert_eq!(second.about(copied).len(), 2);
    assert!(second.is_reproduced());
    let smaller = pilot.select(&percent(1)).unwrap_err();
    assert_eq!(smaller.kind, ErrorKind::Usage);
    assert!(smaller.message.contains("100 are members already"), "{smaller}");
    assert_eq!(kept::list(pilot.new.store.as_mut()).unwrap().len(), 2, "what is refused is not kept");
}

/// Who was taken back has no claim to stay: excluded, it leaves, and the number of members is still exact.
#[test]
fn a_member_that_was_rolled_back_may_leave() {
    let settings = Settings { dirty_percent: 0, ..Settings::of(400, 5) };
    let mut pilot = Pilot::of(&settings, Database::sqlite(&before_capture(&NEW)));
    let first = pilot.select(&percent(10)).unwrap();
    let (code, number) = first.members().into_iter().next().unwrap();
    let excluding = Selection { exclusions: [(code.clone(), "moved away".into())].into(), ..percent(10) };
    let refused = pilot.select(&excluding).unwrap_err();
    assert!(refused.message.contains("roll the customer back, then exclude it"), "{refused}");
    let now = pilot.new.clock.now();
    upgrade(pilot.new.store.as_mut(), &PILOT_SCHEMA, &now).unwrap();
    let mut state = Cutover::new();
    state.stage = Stage::RolledBack;
    let back = Member {
        customer: code.clone(),
        number,
        canary: false,
        state,
        enrolled_at: now.clone(),
        enrolled_by: "tester".into(),
        reason: "a test".into(),
    };
    assert!(member::enrol(pilot.new.store.as_mut(), &back, &now).unwrap());
    let after = pilot.select(&excluding).unwrap();
    assert!(!after.selected.members.contains(&code));
    assert_eq!(after.selected.members.len(), 40);
    assert!(after.is_reproduced());
}

/// Two that select at the same time: one of them is told, and no member is lost.
#[test]
fn a_selection_that_does_not_know_the_newest_is_not_kept() {
    let settings = Settings { dirty_percent: 0, ..Settings::of(300, 5) };
    let mut pilot = Pilot::of(&settings, Database::sqlite(&before_capture(&NEW)));
    let mut other = pilot.new.fork().unwrap();
    let ask = Ask { selection: percent(10), best_of: 1, reason: "", dry_run: true };
    // The dry run stands for one that has drawn and has not written yet.
    let drawn = select(&mut other, pilot.legacy.store.as_mut(), &LuckyGas, &ask).unwrap();
    assert!(kept::latest(pilot.new.store.as_mut()).unwrap().is_none(), "a dry run keeps nothing");
    pilot.select(&percent(5)).unwrap();
    let refused = plimsoll_engine::pilot::select::keep(&mut other, &drawn).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused, "{refused}");
    assert_eq!(kept::list(pilot.new.store.as_mut()).unwrap().len(), 1);
}

#[test]
fn the_best_of_several_salts_is_at_least_as_like_the_rest() {
    let mut pilot = Pilot::of(&two_thousand(), Database::sqlite(&before_capture(&NEW)));
    let one = Ask { selection: percent(10), best_of: 1, reason: "", dry_run: true };
    let many = Ask { best_of: 20, ..one.clone() };
    let one = select(&mut pilot.new, pilot.legacy.store.as_mut(), &LuckyGas, &one).unwrap();
    let many = select(&mut pilot.new, pilot.legacy.store.as_mut(), &LuckyGas, &many).unwrap();
    assert!(many.selected.balance.worst() <= one.selected.balance.worst());
    assert!(many.selected.balance.worst() < 0.1, "{}", many.selected.balance.worst());
    assert_eq!(many.selected.members.len(), 200);
}
