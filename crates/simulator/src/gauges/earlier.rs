//! The rows of the earlier system: good sets, and the traps that a backfill must not fall into.
//!
//! Owns one set by its number. Ids say nothing about which gauge is the GO: of every third set they are reversed.

use serde_json::{Value as Json, json};

use super::{Manifest, Settings, before};
use crate::random::Random;

/// A good set, as the work of the first week needs to know it.
pub(super) struct Fit {
    pub(super) set_id: String,
    pub(super) go: String,
    pub(super) nogo: String,
    pub(super) kind: Kind,
    pub(super) overdue: bool,
}

/// What a set measures.
#[derive(Clone)]
pub(super) struct Kind {
    pub(super) category: &'static str,
    pub(super) size: &'static str,
    pub(super) form: Option<&'static str>,
    pub(super) class: &'static str,
    pub(super) hand: &'static str,
}

const KINDS: &[(&str, &str, Option<&str>, &str)] = &[
    ("SP", ".250-28", Some("UNF"), "2B"),
    ("SP", ".500-20", Some("UNF"), "2B"),
    ("SP", ".500-13", Some("UN"), "3B"),
    ("SP", ".750-16", Some("UNF"), "2B"),
    ("SR", ".500-20", Some("UNF"), "2A"),
    ("SR", "1.000-12", Some("UNJ"), "3A"),
    ("MP", "M6x1.0", None, "6H"),
    ("MP", "M10x1.5", None, "6H"),
    ("MR", "M10x1.5", None, "6g"),
    ("MR", "M12x1.25", None, "6g"),
];

/// The rows, and the sets that are good.
pub(super) fn rows(settings: &Settings, manifest: &mut Manifest) -> (Vec<Json>, Vec<Fit>) {
    let mut rows = Vec::new();
    let mut fit = Vec::new();
    let mut numbers = std::collections::BTreeMap::<&str, u64>::new();
    let mut id = 1;
    let mut random = Random::named(settings.seed, &["gauges", "earlier"]);
    // One trap for every twenty-five good sets, of each kind in turn, and always one of each.
    let traps = (settings.sets / 25).max(4);
    for number in 0..settings.sets + traps {
        let (category, size, form, class) = *random.pick(KINDS);
        let hand = if random.percent(8) { "LH" } else { "RH" };
        let kind = Kind { category, size, form, class, hand };
        let counter = numbers.entry(category).or_default();
        *counter += 1;
        let set_id = format!("{category}{counter:04}{}", if hand == "LH" { "-LH" } else { "" });
        let age = random.between(5, 420) as u64;
        let overdue = age > 365;
        let member = |is_go: bool, suffix: &str, id: u64, kind: &Kind| {
            json!({
                "id": id,
                "serial": format!("DEMO-{number:04}-{suffix}"),
                "set_id": set_id,
                "is_go": is_go,
                "category": kind.category,
                "name": format!("Demo thread gauge {}", kind.size),
                "thread_size": kind.size,
                "thread_form": kind.form,
                "thread_class": kind.class,
                "hand": kind.hand,
                "location": *["CAB-1", "CAB-2", "RACK-1"].get(usize::try_from(id % 3).unwrap_or(0)).unwrap_or(&"CAB-1"),
                "certified_on": before(&settings.today, age),
                "sealed": false,
                "deleted": false,
                "created_at": format!("{}T08:00:00Z", before(&settings.today, 900 + age)),
            })
        };
        if number < settings.sets {
            let reversed = number % 3 == 2;
            let (go, nogo) = if reversed { (id + 1, id) } else { (id, id + 1) };
            let pair = [member(true, "G", go, &kind), member(false, "N", nogo, &kind)];
            manifest.good_sets += 1;
            manifest.reversed_sets += u64::from(reversed);
            manifest.overdue_sets += u64::from(overdue);
            rows.extend(pair);
            if number % 40 == 7 {
                let mut gone = member(false, "X", id + 2, &kind);
                gone["deleted"] = json!(true);
                manifest.deleted_gauges += 1;
                rows.push(gone);
            }
            let serial = |suffix: &str| format!("DEMO-{number:04}-{suffix}");
            fit.push(Fit { set_id: set_id.clone(), go: serial("G"), nogo: serial("N"), kind, overdue });
        } else {
            let mut other = kind.clone();
            other.class = "other";
            let (members, count) = match number % 4 {
                0 => (vec![member(true, "G", id, &kind)], &mut manifest.single_sets),
                1 => (
                    vec![
                        member(true, "G", id, &kind),
                        member(false, "N", id + 1, &kind),
                        member(false, "M", id + 2, &kind),
                    ],
                    &mut manifest.triple_sets,
                ),
                2 => (
                    vec![member(true, "G", id, &kind), member(true, "H", id + 1, &kind)],
                    &mut manifest.two_go_sets,
                ),
                _ => (
                    vec![member(true, "G", id, &kind), member(false, "N", id + 1, &other)],
                    &mut manifest.unlike_sets,
                ),
            };
            *count += 1;
            rows.extend(members);
        }
        id += 10;
    }
    (rows, fit)
}
