//! Selection against brute force: exact, stratified, monotone, the same in any order, and explained.

use proptest::prelude::*;

use super::*;

fn customer(id: usize, region: usize, kind: usize, orders: u64) -> Customer {
    Customer {
        id: format!("C{id:05}"),
        orders,
        region: ["台北", "新北", "桃園"][region].to_owned(),
        customer_type: ["household", "restaurant"][kind].to_owned(),
        marks: if orders.is_multiple_of(7) {
            BTreeSet::from(["critical".to_owned()])
        } else {
            BTreeSet::new()
        },
        covariates: BTreeMap::from([("volume".to_owned(), orders as f64 * 1.5)]),
    }
}

fn customers(from: usize, most: usize) -> impl Strategy<Value = Vec<Customer>> {
    prop::collection::vec((0_usize..3, 0_usize..2, 0_u64..40), 1..most).prop_map(move |rows| {
        let one = |(at, (region, kind, orders)): (usize, (usize, usize, u64))| {
            customer(from + at, region, kind, orders)
        };
        rows.into_iter().enumerate().map(one).collect()
    })
}

fn percent(whole: u32) -> Selection {
    Selection::new(Size::Percent(Percent::whole(whole)), "pilot_program")
}

fn two_thousand() -> Vec<Customer> {
    // Uneven strata, by a fixed rule.
    (0..2_000)
        .map(|id| customer(id, (id * id / 7) % 3, usize::from(id % 5 == 0), (id as u64 * 37) % 90))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// 1 % -> 5 % -> 10 % -> 25 % while customers join: exact each time, nobody leaves, the draw is by rank.
    #[test]
    fn growth_is_exact_and_keeps_everybody(
        waves in prop::collection::vec(customers(0, 150), 4), salt in "[a-z]{1,6}", minimum in 0_u64..4,
    ) {
        let mut all: Vec<Customer> = Vec::new();
        let mut earlier = BTreeSet::new();
        for (wave, (mut joined, share)) in waves.into_iter().zip([1, 5, 10, 25]).enumerate() {
            for one in &mut joined {
                one.id = format!("{wave}-{}", one.id);
            }
            all.extend(joined);
            let asked = Selection { salt: salt.clone(), minimum_orders: minimum, ..percent(share) };
            let selected = match select(&all, &asked, &earlier) {
                Ok(selected) => selected,
                Err(SelectionError::Nobody { .. } | SelectionError::TooFew { .. }) => continue,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            };
            let exact = (all.len() as f64 * f64::from(share) / 100.0 + 0.5).floor() as usize;
            prop_assert_eq!(selected.members.len(), exact);
            prop_assert!(earlier.is_subset(&selected.members));
            prop_assert_eq!(selected.members.len(), earlier.len() + selected.enter.len());
            // Brute force: within a stratum nobody who is out has a lower rank than a newcomer.
            for entered in all.iter().filter(|one| selected.enter.contains(&one.id)) {
                prop_assert!(entered.orders >= minimum);
                let passed_over = all.iter().find(|other| {
                    stratum(other) == stratum(entered) && other.orders >= minimum
                        && !selected.members.contains(&other.id)
                        && (cohort::rank(&salt, &other.id), &other.id) < (cohort::rank(&salt, &entered.id), &entered.id)
                });
                prop_assert_eq!(passed_over, None);
            }
            prop_assert_eq!(selected.explanations.len(), all.len());
            for (id, explanation) in &selected.explanations {
                prop_assert_eq!(explanation.is_in(), selected.members.contains(id));
            }
            earlier = selected.members;
        }
    }

    /// No stratum of a first selection is off by a whole seat, and the order of the customers says nothing.
    #[test]
    fn every_stratum_gets_its_share_in_any_order(all in customers(0, 300), share in 1_u32..=100, turn in 0_usize..300) {
        let Ok(selected) = select(&all, &percent(share), &BTreeSet::new()) else { return Ok(()) };
        for row in &selected.balance.strata {
            prop_assert!((row.members as f64 - row.exact).abs() < 1.0, "{row:?}");
        }
        let mut turned = all.clone();
        turned.rotate_left(turn % all.len());
        turned.reverse();
        prop_assert_eq!(select(&turned, &percent(share), &BTreeSet::new()).unwrap(), selected.clone());
        let text = serde_json::to_string(&selected).unwrap();
        prop_assert_eq!(serde_json::from_str::<Selected>(&text).unwrap().members, selected.members);
    }

    /// Caps hold for everybody who enters, and a cap on the whole lowers the size.
    #[test]
    fn caps_hold(all in customers(0, 120), region in 0_u64..9, kind in 0_u64..20, total in 1_u64..30) {
        let mut asked = percent(30);
        asked.caps.total = Some(total);
        let first = all[0].clone();
        asked.caps.regions.insert(first.region.clone(), region);
        asked.caps.customer_types.insert(first.customer_type.clone(), kind);
        let count = |selected: &Selected, keep: &dyn Fn(&Customer) -> bool| {
            all.iter().filter(|one| selected.members.contains(&one.id) && keep(one)).count() as u64
        };
        match select(&all, &asked, &BTreeSet::new()) {
            Ok(selected) => {
                prop_assert_eq!(selected.members.len() as u64, selected.asked.min(total));
                prop_assert!(count(&selected, &|one| one.region == first.region) <= region);
                prop_assert!(count(&selected, &|one| one.customer_type == first.customer_type) <= kind);
            }
            Err(SelectionError::Capped { wanted, possible }) => {
                prop_assert!(possible < wanted);
                if possible > 0 {
                    asked.size = Size::Count(possible);
                    prop_assert!(select(&all, &asked, &BTreeSet::new()).is_ok(), "the hint holds");
                    asked.size = Size::Count(possible + 1);
                    prop_assert!(select(&all, &asked, &BTreeSet::new()).is_err());
                }
            }
            Err(SelectionError::Nobody { .. }) => {}
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
    }
}

#[test]
fn lg_18_ten_percent_of_two_thousand_is_two_hundred_and_balanced() {
    let all = two_thousand();
    let selected = select(&all, &percent(10), &BTreeSet::new()).unwrap();
    assert_eq!((selected.members.len(), selected.asked, selected.of), (200, 200, 2_000));
    assert!(selected.balance.strata.iter().all(|row| (row.members as f64 - row.exact).abs() < 1.0));
    let salts: Vec<String> = (0..40).map(|salt| format!("pilot-{salt}")).collect();
    let best = best_salt(&all, &percent(10), &BTreeSet::new(), &salts).unwrap().unwrap();
    assert!(best.balance.worst() < balance::BALANCED, "{}", best.balance.worst());
    assert!(best.balance.worst() <= selected.balance.worst());
    // The members of a fixed request, for ever: a change here is a change of who is in a pilot.
    let names: Vec<&str> = selected.members.iter().take(3).map(String::as_str).collect();
    assert_eq!(names, FIRST);
}

/// Computed once; [`ALGORITHM`] stands for them.
const FIRST: [&str; 3] = ["C00000", "C00001", "C00012"];

/// Means and variances of a case small enough for pencil and paper.
#[test]
fn the_standardized_difference_is_the_textbooks() {
    let one = |id: usize, orders| Customer { marks: BTreeSet::new(), ..customer(id, 0, 0, orders) };
    let all: Vec<Customer> =
        [2, 4, 6, 1, 3].iter().enumerate().map(|(id, orders)| one(id, *orders)).collect();
    let earlier: BTreeSet<String> = ["C00000", "C00001", "C00002"].map(String::from).into();
    let selected = select(&all, &Selection::new(Size::Count(3), "s"), &earlier).unwrap();
    let orders = &selected.balance.covariates[0];
    // Means 4 and 2, variances 4 and 2: (4 - 2) / sqrt(3).
    assert_eq!((orders.cohort, orders.rest), (Some(4.0), Some(2.0)));
    assert!((orders.difference.unwrap() - 2.0 / 3.0_f64.sqrt()).abs() < 1e-12);
    assert_eq!(selected.balance.regions[0].difference, Some(0.0));
}

#[test]
fn members_stay_although_a_criterion_turned_against_them() {
    let all = two_thousand();
    let first = select(&all, &percent(1), &BTreeSet::new()).unwrap();
    let mut later = all.clone();
    let leaver = first.members.first().unwrap().clone();
    later.retain(|one| one.id != leaver);
    let asked = Selection { minimum_orders: 50, ..percent(5) };
    let second = select(&later, &asked, &first.members).unwrap();
    assert_eq!(second.members.len(), 100);
    assert_eq!(second.gone, BTreeSet::from([leaver.clone()]));
    let kept = first.members.iter().filter(|id| **id != leaver);
    assert!(kept.clone().all(|id| second.members.contains(id)));
    let few = kept.clone().find(|id| all.iter().any(|one| one.id == **id && one.orders < 50)).unwrap();
    let text = second.explanations[few].to_string();
    assert!(text.contains("stays although") && text.contains("50 are needed"), "{text}");
}

#[test]
fn impossible_requests_say_what_is_possible() {
    let all = two_thousand();
    let nobody = BTreeSet::new();
    let fails =
        |asked: &Selection, earlier: &BTreeSet<String>| select(&all, asked, earlier).unwrap_err().to_string();
    let has = |text: String, parts: &[&str]| {
        assert!(text.contains("\nhint: ") && parts.iter().all(|part| text.contains(part)), "{text}");
    };
    has(fails(&percent(0), &nobody), &["0 % of 2000 customers is nobody", "0.03 %"]);
    has(
        fails(&Selection { minimum_orders: 89, ..percent(10) }, &nobody),
        &["200 are asked", "the minimum of orders"],
    );
    let mut capped = percent(10);
    capped.caps.customer_types.insert("household".into(), 10);
    capped.caps.customer_types.insert("restaurant".into(), 20);
    has(fails(&capped, &nobody), &["leave 30"]);
    has(
        fails(&Selection { regions: BTreeSet::from(["高雄".into()]), ..percent(1) }, &nobody),
        &["高雄", "`台北`"],
    );
    let members = select(&all, &percent(5), &nobody).unwrap().members;
    has(fails(&percent(1), &members), &["100 are members already"]);
    let mut excluded = percent(10);
    excluded.exclusions.insert(members.first().unwrap().clone(), "moved away".into());
    has(fails(&excluded, &members), &["roll the customer back"]);
    let mark = BTreeSet::from(["vip".to_owned()]);
    has(
        fails(&Selection { required_marks: mark.clone(), refused_marks: mark, ..percent(1) }, &nobody),
        &["vip"],
    );
    let doubled = [all[0].clone(), all[0].clone()];
    has(select(&doubled, &percent(50), &nobody).unwrap_err().to_string(), &["C00000", "twice"]);
}

#[test]
fn the_share_may_be_of_the_eligible_ones() {
    let all = two_thousand();
    let refused = Selection { refused_marks: BTreeSet::from(["critical".into()]), ..percent(10) };
    let of_all = select(&all, &refused, &BTreeSet::new()).unwrap();
    let of_eligible =
        select(&all, &Selection { share_of: ShareOf::Eligible, ..refused }, &BTreeSet::new()).unwrap();
    assert_eq!(of_all.members.len(), 200);
    assert_eq!(of_eligible.members.len() as u64, Percent::whole(10).of(of_eligible.eligible));
    assert!(of_eligible.members.len() < 200);
    assert!(all.iter().all(|one| !of_all.members.contains(&one.id) || !one.marks.contains("critical")));
}
