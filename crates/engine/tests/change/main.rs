//! The change engine against real stores: one test program, a module for each part of it.
//!
//! Owns what the engine promises about rows, journal and receipts, on the fixture of the test kit. The pure
//! parts have their tests beside them; the stores have a suite of their own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

/// Makes tests of functions that take a place: for each a test on SQLite in both durabilities, and one test
/// that runs all of them on PostgreSQL, so that a module starts one server however tests are run.
macro_rules! on_each_store {
    ($($name:ident),+) => {
        mod sqlite {
            use plimsoll_store::Durability;
            use plimsoll_testkit::fixture::Place;
            $(#[test]
            fn $name() {
                super::$name(&Place::sqlite(Durability::Full));
                super::$name(&Place::sqlite(Durability::Normal));
            })+
        }

        #[test]
        fn postgres() {
            $(if let Some(place) = plimsoll_testkit::fixture::Place::postgres() {
                println!("{}", stringify!($name));
                $name(&place);
            })+
        }
    };
}
pub(crate) use on_each_store;

mod apply;
mod apply_model;
mod assess;
mod control;
mod crash;
mod defects;
mod exchange;
mod isolation;
mod model;
mod quarantine;
mod request;
mod retention;
mod undo;
mod undo_model;
mod verify;
