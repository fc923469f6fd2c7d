//! Merged reads through Redis: the same answers as without it, whatever happens to the rows and to the server.

use plimsoll_core::value::Value;
use plimsoll_engine::cache::{Cache, PAUSE};
use plimsoll_engine::sync::cached::{self, Question};
use plimsoll_engine::sync::read::{self, Filter, RowPage};
use plimsoll_engine::sync::{Sort, edit, history};
use plimsoll_engine::{EngineError, Session};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::Options;
use plimsoll_testkit::redis_server::RedisServer;

use crate::support::{Bench, SCOPE, values};

pub(crate) fn rendered(page: &RowPage) -> Result<Vec<u8>, EngineError> {
    Ok(serde_json::to_vec(&(&page.rows, page.total, &page.next))?)
}

fn ask(session: &mut Session, cache: &Cache, reader: &str, filter: &Filter) -> Vec<u8> {
    let question = Question { reader, filter, count: true, form: "test" };
    cached::answer(session, &PfaLink, Some(cache), &question, rendered).unwrap().bytes
}

fn filters() -> [Filter; 5] {
    let all = Filter { scope: Some(SCOPE.into()), ..Filter::default() };
    let cranes = Filter { equal: [("category".to_owned(), Value::text("Cranes"))].into(), ..all.clone() };
    // The same rows in another order, and of one state only: other answers at the same stamp.
    let sort = Sort { field: Some("model".into()), descending: true };
    let sorted = Filter { sort, limit: 7, ..Filter::default() };
    let drafts = Filter { state: Some("draft".into()), ..all.clone() };
    [all, cranes, Filter { limit: 7, ..Filter::default() }, sorted, drafts]
}

/// Every kind of change, in an order that a seed chooses; two readers look after each, on sessions of their own.
fn wander(bench: &Bench, redis: &mut RedisServer, seed: u64) {
    let cache = Cache::at(&redis.url()).unwrap();
    bench.pull();
    let mut looking = [bench.session("anna"), bench.session("bert")];
    let mut chance = seed;
    let mut next = |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    for step in 0..60 {
        let key = bench.key(next(12) as usize);
        let author = ["anna", "bert"][next(2) as usize];
        let model = format!("Demo {step}");
        let words = [("model", model.as_str())];
        let mut session = bench.session(author);
        match next(8) {
            0 => drop(edit::draft(&mut session, &PfaLink, &key, None, Some(&values(&words)))),
            1 => drop(bench.try_edit(author, &key, &words)),
            2 => bench.elsewhere(&key, &words),
            3 => drop(bench.try_pull()),
            4 => drop(bench.send()),
            5 => {
                let filter = edit::EditFilter { limit: 1_000, ..edit::EditFilter::default() };
                let lines = edit::list(&mut session, &PfaLink, filter).unwrap();
                if let Some(draft) = lines.iter().find(|line| line.state == "draft" && line.author == author)
                {
                    edit::discard(&mut session, &PfaLink, &draft.edit).unwrap();
                }
            }
            6 => drop(history::restore(&mut session, &PfaLink, &key, 0)),
            _ => {}
        }
        match step {
            // Flushed, gone, and back.
            20 | 50 => redis.restart().unwrap(),
            35 => redis.stop(),
            _ => {}
        }
        if matches!(step, 22 | 52) {
            // The connection broke at the restart; from now on the server is asked again.
            std::thread::sleep(PAUSE);
        }
        for (session, reader) in looking.iter_mut().zip(["anna", "bert"]) {
            for filter in filters() {
                let direct =
                    rendered(&read::page(session, &PfaLink, reader, &filter, true).unwrap()).unwrap();
                assert!(
                    ask(session, &cache, reader, &filter) == direct,
                    "seed {seed}, step {step}, {reader}"
                );
                assert!(ask(session, &cache, reader, &filter) == direct, "again: seed {seed}, step {step}");
            }
        }
    }
    let counts = cache.counts();
    assert!(counts.hits > 150 && counts.misses > 50 && counts.failures > 0, "{counts:?}");
}

#[test]
fn the_cache_never_changes_an_answer_also_when_it_is_flushed_or_gone() {
    let Some(mut redis) = RedisServer::start().unwrap() else { return };
    let options = Options { rows_per_organization: 60, ..Options::default() };
    let mut seed = 1;
    let redis = std::cell::RefCell::new(&mut redis);
    let seed = std::cell::RefCell::new(&mut seed);
    Bench::each(&options, |bench| {
        **seed.borrow_mut() += 1;
        wander(bench, &mut redis.borrow_mut(), **seed.borrow());
        redis.borrow_mut().restart().unwrap();
    });
}

#[test]
fn two_stores_never_answer_for_each_other() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let cache = Cache::at(&redis.url()).unwrap();
    let options = Options { rows_per_organization: 20, ..Options::default() };
    let (first, second) = (Bench::sqlite(options.clone()), Bench::sqlite(options));
    let all = &filters()[0];
    for (bench, model) in [(&first, "Demo first"), (&second, "Demo second")] {
        bench.pull();
        bench.edit("anna", &bench.key(0), &[("model", model)]);
    }
    for _ in 0..2 {
        for (bench, model) in [(&first, "Demo first"), (&second, "Demo second")] {
            let answer = ask(&mut bench.session("bert"), &cache, "bert", all);
            assert!(String::from_utf8(answer).unwrap().contains(model));
        }
    }
    assert_eq!(cache.counts().hits, 2);
}

#[test]
fn a_pull_that_sees_nothing_new_leaves_the_answers_where_they_are() {
    let Some(redis) = RedisServer::start().unwrap() else { return };
    let cache = Cache::at(&redis.url()).unwrap();
    let bench = Bench::sqlite(Options { rows_per_organization: 20, ..Options::default() });
    bench.pull();
    // A record that was edited here is looked at anew by every pull.
    bench.edit("anna", &bench.key(0), &[("model", "Demo first")]);
    bench.settle();
    bench.complete();
    let all = &filters()[0];
    let mut session = bench.session("bert");
    ask(&mut session, &cache, "bert", all);
    bench.complete();
    ask(&mut session, &cache, "bert", all);
    assert_eq!((cache.counts().hits, cache.counts().misses), (1, 1));
    bench.elsewhere(&bench.key(0), &[("model", "Demo second")]);
    bench.pull();
    assert!(String::from_utf8(ask(&mut session, &cache, "bert", all)).unwrap().contains("Demo second"));
}
