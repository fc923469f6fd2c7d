//! The fields of a JSON object, taken one by one, and what is left over.
//!
//! Owns the rule that nothing is lost: a field is *taken* when it has the shape that its reader wants; every other
//! field - of an unknown name, or of an unexpected shape - stays, is kept in the row's `extra` under the place where it
//! stood, and is counted by that place. Shapes are taken leniently: a number written as text is a number, a null is a
//! missing field.
//!
//! Invariants: a field is stored in a column or in `extra`, never in neither; `extra` is written in the writer's own
//! spelling, in the order of the document.

use std::borrow::Cow;

use super::json::{Json, Kind};
use crate::money::Money;

/// Microseconds of the last moment that a store takes: the end of the year 9999.
const LAST_MOMENT: i64 = 253_402_300_799_999_999;

/// Where an object stands: `part.tool`, then the keys inside the document.
#[derive(Debug, Clone, Copy)]
struct Place {
    document: &'static str,
    keys: [&'static str; 4],
    depth: usize,
}

/// An object whose fields are being taken.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    object: Json<'a>,
    place: Place,
    /// Bit n: entry n is taken. Entries behind the 128th are always left over.
    taken: u128,
    is_all_taken: bool,
}

impl<'a> Fields<'a> {
    /// The fields of a whole document; `None` when it is no object.
    pub(super) fn new(object: Json<'a>, document: &'static str) -> Option<Self> {
        let place = Place { document, keys: [""; 4], depth: 0 };
        (object.kind() == Kind::Object).then_some(Self { object, place, taken: 0, is_all_taken: false })
    }

    /// The object as it was written.
    pub(super) fn whole(&self) -> Json<'a> {
        self.object
    }

    /// Says more exactly what the document is, such as `part.tool`, once that is known.
    pub(super) fn is_a(&mut self, document: &'static str) {
        self.place.document = document;
    }

    /// Takes the field if `read` can make something of it. Of several with one key the last counts, as in JavaScript.
    fn take<T>(&mut self, key: &str, read: impl FnOnce(Json<'a>) -> Option<T>) -> Option<T> {
        let mut found = None;
        for (ordinal, (name, value)) in self.object.entries().take(128).enumerate() {
            if name.is_text(key) {
                found = Some((ordinal, value));
            }
        }
        let (ordinal, value) = found?;
        if value.is_null() {
            self.taken |= 1 << ordinal;
            return None;
        }
        let read = read(value)?;
        self.taken |= 1 << ordinal;
        Some(read)
    }

    /// A text; a number or a truth value is taken as it is written.
    pub(super) fn text(&mut self, key: &str) -> Option<Cow<'a, str>> {
        self.take(key, |value| match value.kind() {
            Kind::Number | Kind::True | Kind::False => Some(Cow::Borrowed(value.raw())),
            _ => value.text(),
        })
    }

    /// A text that must be this one: an identifier that the path tells already. Another one is left over.
    pub(super) fn same(&mut self, key: &str, expected: Option<&str>) {
        self.take(key, |value| expected.is_some_and(|expected| value.is_text(expected)).then_some(()));
    }

    /// A whole number.
    pub(super) fn integer(&mut self, key: &str) -> Option<i64> {
        self.take(key, |value| whole(&digits(value)?))
    }

    /// A moment in microseconds, written in milliseconds since 1970.
    pub(super) fn moment(&mut self, key: &str) -> Option<i64> {
        self.take(key, |value| moment(&digits(value)?))
    }

    /// An amount of dollars in 1e-10, exactly as its digits say.
    pub(super) fn money(&mut self, key: &str) -> Option<i64> {
        self.take(key, |value| Money::parse(&digits(value)?).map(Money::units))
    }

    /// A truth value.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        self.take(key, |value| match value.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ if value.is_text("true") => Some(true),
            _ if value.is_text("false") => Some(false),
            _ => None,
        })
    }

    /// Any value, as it is.
    pub(super) fn json(&mut self, key: &str) -> Option<Json<'a>> {
        self.take(key, Some)
    }

    /// An object; its own fields are taken from the answer, which is given to [`super::leftovers::Leftovers::add`] in the end.
    pub(super) fn object(&mut self, key: &'static str) -> Option<Self> {
        let mut place = self.place;
        if let Some(last) = place.keys.get_mut(place.depth) {
            *last = key;
            place.depth += 1;
        }
        self.take(key, |value| {
            (value.kind() == Kind::Object).then_some(Self {
                object: value,
                place,
                taken: 0,
                is_all_taken: false,
            })
        })
    }

    /// What kind of document it is in.
    pub(super) fn document(&self) -> &'static str {
        self.place.document
    }

    /// The keys under which it stands in the document.
    pub(super) fn keys(&self) -> impl Iterator<Item = Cow<'a, str>> {
        let place = self.place;
        (0..place.depth).map(move |at| Cow::Borrowed(place.keys[at]))
    }

    /// Takes everything.
    pub(super) fn take_all(&mut self) {
        self.is_all_taken = true;
    }

    /// The entries that are not taken.
    pub(super) fn rest(&self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let (taken, all) = (self.taken, self.is_all_taken);
        let is_left = move |ordinal: usize| !all && (ordinal >= 128 || taken & (1 << ordinal) == 0);
        self.object
            .entries()
            .enumerate()
            .filter(move |(ordinal, _)| is_left(*ordinal))
            .map(|(_, entry)| entry)
    }

    /// Takes a field that is not stored, and says so by its name: a secret.
    pub(super) fn withhold(&mut self, key: &str) {
        self.take(key, Some);
    }
}

/// The digits of a number, or of a text that holds one.
fn digits(value: Json<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::Number => Some(Cow::Borrowed(value.raw())),
        _ => value.text(),
    }
}

/// A whole number from its text, `1.0` and `1e3` among them.
pub(super) fn whole(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    // Beyond 2^53 a double does not tell whole numbers apart.
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 is exact")]
    (number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Microseconds since 1970 from milliseconds, whole or broken.
pub(super) fn moment(text: &str) -> Option<i64> {
    let microseconds = match whole(text) {
        Some(milliseconds) => milliseconds.checked_mul(1000)?,
        // Ten decimals of a millisecond are more than are kept.
        None => text.parse::<f64>().ok().filter(|number| number.abs() < 1e15).map(|number| {
            #[expect(clippy::cast_possible_truncation, reason = "below 1e18, within 64 bits")]
            let microseconds = (number * 1000.0).round() as i64;
            microseconds
        })?,
    };
    (-LAST_MOMENT..=LAST_MOMENT).contains(&microseconds).then_some(microseconds)
}

#[cfg(test)]
mod tests {
    use plimsoll_engine::ingest::Rows;

    use super::super::json::Tape;
    use super::super::leftovers::Leftovers;
    use super::*;

    fn left(text: &str, take: impl FnOnce(&mut Fields<'_>)) -> (Option<String>, Vec<String>) {
        let tape = Tape::new(text).unwrap();
        let mut fields = Fields::new(tape.root(), "thing").unwrap();
        take(&mut fields);
        let mut left = Leftovers::default();
        let mut rows = Rows::new(&[]);
        left.add(fields);
        let extra = left.into_extra(&mut rows);
        (extra, rows.unknown.into_keys().collect())
    }

    #[test]
    fn shapes_are_taken_leniently() {
        let text = r#"{"a":12,"b":"34","c":1.0,"d":"x","e":true,"f":"false","g":null,"h":0.1,"i":"1e3"}"#;
        let (extra, unknown) = left(text, |fields| {
            assert_eq!(fields.integer("a"), Some(12));
            assert_eq!(fields.integer("b"), Some(34));
            assert_eq!(fields.integer("c"), Some(1));
            assert_eq!(fields.text("d").as_deref(), Some("x"));
            assert_eq!(fields.text("e").as_deref(), Some("true"));
            assert_eq!(fields.boolean("f"), Some(false));
            assert_eq!(fields.integer("g"), None);
            assert_eq!(fields.money("h"), Some(1_000_000_000));
            assert_eq!(fields.moment("i"), Some(1_000_000));
        });
        assert_eq!((extra, unknown), (None, Vec::new()));
    }

    #[test]
    fn what_does_not_fit_is_kept_and_counted_by_its_place() {
        let text =
            r#"{"n": [1, 2], "m":"no number", "t":{"b":1.5,"c":{"d" : 2}},"new":"\u0041","money":1e9}"#;
        let tape = Tape::new(text).unwrap();
        let mut fields = Fields::new(tape.root(), "thing").unwrap();
        let (mut left, mut rows) = (Leftovers::default(), Rows::new(&[]));
        assert_eq!(fields.integer("n"), None);
        assert_eq!(fields.integer("m"), None);
        assert_eq!(fields.money("money"), None);
        let mut time = fields.object("t").unwrap();
        assert_eq!(time.integer("b"), None);
        let inner = time.object("c").unwrap();
        left.add(inner);
        left.add(time);
        left.add(fields);
        let extra = left.into_extra(&mut rows).unwrap();
        assert_eq!(
            extra,
            r#"{"t":{"c":{"d":2},"b":1.5},"n":[1, 2],"m":"no number","new":"\u0041","money":1e9}"#
        );
        let places: Vec<&str> = rows.unknown.keys().map(String::as_str).collect();
        assert_eq!(places, ["thing.m", "thing.money", "thing.n", "thing.new", "thing.t.b", "thing.t.c.d"]);
    }

    #[test]
    fn fields_beyond_the_128th_are_left_over() {
        let many: Vec<String> = (0..200).map(|n| format!("\"f{n}\":{n}")).collect();
        let (extra, unknown) = left(&format!("{{{}}}", many.join(",")), |fields| {
            assert_eq!(fields.integer("f127"), Some(127));
            assert_eq!(fields.integer("f128"), None);
        });
        assert_eq!(unknown.len(), 199);
        assert!(extra.unwrap().contains("\"f199\":199"));
    }

    #[test]
    fn the_last_of_equal_keys_counts_and_the_others_are_kept() {
        let (extra, _) = left(r#"{"a":1,"a":2}"#, |fields| assert_eq!(fields.integer("a"), Some(2)));
        assert_eq!(extra.as_deref(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn moments_are_exact_and_within_the_years_that_stores_know() {
        assert_eq!(moment("1795308817110"), Some(1_795_308_817_110_000));
        assert_eq!(moment("1795308817110.25"), Some(1_795_308_817_110_250));
        assert_eq!(moment("9e15"), None);
        assert_eq!(moment("NaN"), None);
        assert_eq!(moment("inf"), None);
        assert_eq!(whole("9223372036854775807"), Some(i64::MAX));
        assert_eq!(whole("9223372036854775808"), None);
    }
}
