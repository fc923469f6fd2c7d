//! The merge of one unit against a brute-force model, and its laws.

use proptest::prelude::*;

use super::super::merge::{Side, Three, UnitMerge, merge_unit};
use super::*;

const ORDER: [&str; 4] = ["a", "b", "c", "d"];

/// Makes a value of a class from any number.
type MakeValue = fn(u8) -> Value;

fn classes() -> [(FieldClass, MakeValue); 4] {
    [
        (FieldClass::Register, |seed| Value::Integer(i64::from(seed % 4))),
        (FieldClass::Counter, |seed| Value::Integer(i64::from(seed % 4))),
        (FieldClass::ForwardOnly(ORDER.map(String::from).to_vec()), |seed| {
            Value::text(ORDER[usize::from(seed % 4)])
        }),
        (FieldClass::Set, |seed| {
            let bits = (0..3).filter(|bit| seed & (1 << bit) != 0).map(|bit| format!("\"{bit}\""));
            Value::Json(format!("[{}]", bits.collect::<Vec<_>>().join(",")))
        }),
    ]
}

fn policies() -> [Policy; 6] {
    [
        Policy::Manual,
        Policy::Theirs,
        Policy::Mine,
        Policy::Newest,
        Policy::Merge,
        Policy::Custom("longest".into()),
    ]
}

struct Longest;

impl Rules for Longest {
    fn merge(&self, name: &str, _base: &[Value], mine: &[Value], theirs: &[Value]) -> Option<Vec<Value>> {
        let longer = mine[0].to_string().len() > theirs[0].to_string().len();
        (name == "longest").then(|| if longer { mine.to_vec() } else { theirs.to_vec() })
    }
}

/// What the merged value is, said as plainly as possible; `None` is a conflict.
fn model(class: &FieldClass, policy: &Policy, values: [&Value; 3], newer: Option<Side>) -> Option<Value> {
    let [base, mine, theirs] = values;
    let adds_up = (class, policy) == (&FieldClass::Counter, &Policy::Merge);
    match (mine != base, theirs != base) {
        (_, false) => return Some(mine.clone()),
        (false, true) => return Some(theirs.clone()),
        (true, true) if mine == theirs && !adds_up => return Some(mine.clone()),
        (true, true) => {}
    }
    match policy {
        Policy::Manual => None,
        Policy::Mine => Some(mine.clone()),
        Policy::Theirs => Some(theirs.clone()),
        Policy::Newest => newer.map(|side| if side == Side::Mine { mine.clone() } else { theirs.clone() }),
        Policy::Custom(_) => Longest
            .merge("longest", &[], std::slice::from_ref(mine), std::slice::from_ref(theirs))
            .and_then(|mut list| list.pop()),
        Policy::Merge => match class {
            FieldClass::Register => None,
            FieldClass::Counter => {
                let number = |value: &Value| value.as_integer().unwrap();
                Some(Value::Integer(number(mine) + number(theirs) - number(base)))
            }
            FieldClass::ForwardOnly(_) => {
                // One letter each, in order.
                Some(if mine.as_text() > theirs.as_text() { mine.clone() } else { theirs.clone() })
            }
            FieldClass::Set => {
                let has = |value: &Value, bit: u8| value.as_text().unwrap().contains(&format!("\"{bit}\""));
                let kept = (0..3).filter(|bit| {
                    let (was, here, there) = (has(base, *bit), has(mine, *bit), has(theirs, *bit));
                    if here == was { there } else { here }
                });
                let texts: Vec<String> = kept.map(|bit| format!("\"{bit}\"")).collect();
                Some(Value::Json(format!("[{}]", texts.join(","))))
            }
        },
    }
}

proptest! {
    #[test]
    fn a_unit_merges_as_the_model_says_and_by_its_laws(
        class in 0..4_usize, policy in 0..6_usize, seeds in any::<[u8; 3]>(), times in any::<[bool; 2]>(),
    ) {
        let (class, value) = classes()[class].clone();
        let policy = policies()[policy].clone();
        let unit = unit(&["f"], class.clone(), policy.clone());
        let [base, mine, theirs] = seeds.map(|seed| [value(seed)]);
        let (early, late) = (at(1), at(2));
        let pick = |is_late| if is_late { &late } else { &early };
        let three = Three {
            base: &base, mine: &mine, theirs: &theirs,
            mine_at: Some(pick(times[0])), theirs_at: Some(pick(times[1])),
        };
        let newer = match (times[0], times[1]) {
            (true, false) => Some(Side::Mine),
            (false, true) => Some(Side::Theirs),
            _ => None,
        };
        let merged = merge_unit(&unit, three, &Longest);
        prop_assert_eq!(&merge_unit(&unit, three, &Longest), &merged, "deterministic");
        let value = match &merged {
            UnitMerge::Agreed { values, .. } => Some(values[0].clone()),
            UnitMerge::Clash => None,
        };
        prop_assert_eq!(&value, &model(&class, &policy, [&base[0], &mine[0], &theirs[0]], newer));

        // Swapping the sides and the policy changes nothing but who is called the loser. A custom merge is its
        // author's; this one prefers theirs when both are as long.
        if !matches!(policy, Policy::Custom(_)) {
            let swapped_policy = match &policy {
                Policy::Mine => Policy::Theirs,
                Policy::Theirs => Policy::Mine,
                other => other.clone(),
            };
            let swapped = Three {
                base: &base, mine: &theirs, theirs: &mine, mine_at: three.theirs_at, theirs_at: three.mine_at,
            };
            let mirrored = super::unit(&["f"], class, swapped_policy);
            let back = match merge_unit(&mirrored, swapped, &Longest) {
                UnitMerge::Agreed { values, .. } => Some(values[0].clone()),
                UnitMerge::Clash => None,
            };
            prop_assert_eq!(&back, &value, "symmetric");
        }

        // What was merged merges again to itself: against the row it was merged with, and against itself as base.
        if let Some(value) = value {
            let value = [value];
            let again = merge_unit(&unit, Three { base: &theirs, mine: &value, ..three }, &Longest);
            prop_assert_eq!(again, UnitMerge::Agreed { values: value.to_vec(), lost: None }, "idempotent");
        }
    }
}

#[test]
fn fields_of_one_unit_are_not_mixed() {
    let unit = unit(&["start", "end"], FieldClass::Register, Policy::Merge);
    let [base, mine, theirs] = [[1, 5], [2, 5], [1, 6]].map(|pair| pair.map(Value::Integer));
    let three = Three { base: &base, mine: &mine, theirs: &theirs, mine_at: None, theirs_at: None };
    assert_eq!(merge_unit(&unit, three, &NoRules), UnitMerge::Clash);
}

#[test]
fn newest_asks_when_the_times_say_nothing() {
    let unit = unit(&["f"], FieldClass::Register, Policy::Newest);
    let [base, mine, theirs] = [1, 2, 3].map(|value| [Value::Integer(value)]);
    let (here, there) = (at(5), HybridTime { node: "there".into(), ..at(5) });
    let merge = |mine_at, theirs_at| {
        merge_unit(&unit, Three { base: &base, mine: &mine, theirs: &theirs, mine_at, theirs_at }, &NoRules)
    };
    assert_eq!(merge(Some(&here), None), UnitMerge::Clash);
    // The same instant on two nodes: the names decide, on both nodes alike.
    let wins = UnitMerge::Agreed { values: theirs.to_vec(), lost: Some(Side::Mine) };
    assert_eq!(merge(Some(&here), Some(&there)), wins);
}

#[test]
fn sums_that_do_not_fit_and_values_of_another_kind_go_to_a_person() {
    let clash = |class, values: [Value; 3]| {
        let unit = unit(&["f"], class, Policy::Merge);
        let [base, mine, theirs] = values.map(|value| [value]);
        let three = Three { base: &base, mine: &mine, theirs: &theirs, mine_at: None, theirs_at: None };
        merge_unit(&unit, three, &NoRules) == UnitMerge::Clash
    };
    let order = FieldClass::ForwardOnly(ORDER.map(String::from).to_vec());
    assert!(clash(FieldClass::Counter, [0, i64::MAX, 1].map(Value::Integer)));
    assert!(!clash(FieldClass::Counter, [i64::MAX, -1, i64::MAX - 1].map(Value::Integer)), "the sum fits");
    assert!(clash(FieldClass::Counter, [Value::Null, Value::Integer(1), Value::Integer(2)]));
    assert!(clash(order, [Value::text("a"), Value::text("b"), Value::text("unheard of")]));
    assert!(clash(FieldClass::Set, [Value::Null, Value::Json("{}".into()), Value::Json("[1]".into())]));
}
