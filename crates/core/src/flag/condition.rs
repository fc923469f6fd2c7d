//! Conditions as a person types them: `region=north,south`, `age>=18`, `version<2.0.0`, `mail$=@example.org`.
//!
//! Owns the text of a constraint on the command line. Everything that a constraint can say beyond it is said in JSON.
//!
//! | text | means |
//! |---|---|
//! | `field=a,b` and `field!=a,b` | one of, none of |
//! | `field>1`, `>=`, `<`, `<=` | as numbers; as versions when the value has three parts; as dates when it is one (`>` and `<`) |
//! | `field^=a`, `field$=a`, `field*=a` | starts with, ends with, contains; several values mean any of them |
//! | `field~=regex` | matches |
//! | `field@=10.0.0.0/8` | is in a network |

use super::definition::{Constraint, Operator};

/// Text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a condition\nhint: field=a,b  field!=a  field>=18  field<2.0.0  field^=start  field$=end  field*=part  field~=regex  field@=10.0.0.0/8"
)]
pub struct NotACondition(String);

/// Longer signs first, so that `>=` is not read as `>`.
const SIGNS: [&str; 11] = ["!=", ">=", "<=", "^=", "$=", "*=", "~=", "@=", "=", ">", "<"];

/// Reads a condition.
///
/// # Errors
/// When the text is none, or compares with something that is neither a number, a version nor a date.
pub fn parse(text: &str) -> Result<Constraint, NotACondition> {
    let fault = || NotACondition(text.to_owned());
    let found = SIGNS.iter().filter_map(|sign| text.find(sign).map(|at| (at, *sign)));
    let (at, sign) = found.min_by_key(|(at, sign)| (*at, std::cmp::Reverse(sign.len()))).ok_or_else(fault)?;
    let (field, value) = (text[..at].trim(), text[at + sign.len()..].trim());
    if field.is_empty() || value.is_empty() {
        return Err(fault());
    }
    let list = |operator: Operator| Constraint {
        operator,
        ..Constraint::one_of(field, value.split(',').map(|each| each.trim().to_owned()).collect())
    };
    Ok(match sign {
        "=" => list(Operator::In),
        "!=" => list(Operator::NotIn),
        "^=" => list(Operator::StrStartsWith),
        "$=" => list(Operator::StrEndsWith),
        "*=" => list(Operator::StrContains),
        "@=" => list(Operator::InCidr),
        "~=" => Constraint::than(field, Operator::Regex, value),
        sign => {
            let operator = ordered(sign, value).ok_or_else(fault)?;
            Constraint::than(field, operator, value)
        }
    })
}

/// The text of a constraint; `None` when it says more than a text can.
pub fn text(constraint: &Constraint) -> Option<String> {
    let sign = match (&constraint.operator, constraint.inverted) {
        (Operator::In, false) | (Operator::NotIn, true) => "=",
        (Operator::NotIn, false) | (Operator::In, true) => "!=",
        (Operator::StrStartsWith, false) => "^=",
        (Operator::StrEndsWith, false) => "$=",
        (Operator::StrContains, false) => "*=",
        (Operator::InCidr, false) => "@=",
        (Operator::Regex, false) => "~=",
        (Operator::NumGt | Operator::SemverGt | Operator::DateAfter, false) => ">",
        (Operator::NumGte | Operator::SemverGte, false) => ">=",
        (Operator::NumLt | Operator::SemverLt | Operator::DateBefore, false) => "<",
        (Operator::NumLte | Operator::SemverLte, false) => "<=",
        _ => return None,
    };
    let value = constraint.value.clone().unwrap_or_else(|| constraint.values.join(","));
    let written = format!("{}{sign}{value}", constraint.field);
    // What reads back as something else is not its text.
    let plain = Constraint { inverted: false, ..constraint.clone() };
    let same = parse(&written).is_ok_and(|read| read.values == plain.values && read.value == plain.value);
    (same && !constraint.ignore_case).then_some(written)
}

fn ordered(sign: &str, value: &str) -> Option<Operator> {
    if value.parse::<f64>().is_ok_and(f64::is_finite) {
        return Some(match sign {
            ">" => Operator::NumGt,
            ">=" => Operator::NumGte,
            "<" => Operator::NumLt,
            _ => Operator::NumLte,
        });
    }
    if value.parse::<jiff::Timestamp>().is_ok() {
        return match sign {
            ">" => Some(Operator::DateAfter),
            "<" => Some(Operator::DateBefore),
            _ => None,
        };
    }
    let parts: Vec<&str> = value.split(['-', '+']).next().unwrap_or_default().split('.').collect();
    let version = parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok());
    version.then_some(match sign {
        ">" => Operator::SemverGt,
        ">=" => Operator::SemverGte,
        "<" => Operator::SemverLt,
        _ => Operator::SemverLte,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let values = |text: &str| {
            let read = parse(text).unwrap();
            (
                read.field,
                read.operator,
                if read.values.is_empty() { read.value.unwrap() } else { read.values.join("|") },
            )
        };
        for (text, field, operator, value) in [
            ("region=north, south", "region", Operator::In, "north|south"),
            ("region != north", "region", Operator::NotIn, "north"),
            ("age>=18", "age", Operator::NumGte, "18"),
            ("age<-1.5", "age", Operator::NumLt, "-1.5"),
            ("version>1.2.3-beta", "version", Operator::SemverGt, "1.2.3-beta"),
            ("version<=2.0.0", "version", Operator::SemverLte, "2.0.0"),
            ("since>2026-11-28T00:00:00Z", "since", Operator::DateAfter, "2026-11-28T00:00:00Z"),
            ("mail$=@example.org", "mail", Operator::StrEndsWith, "@example.org"),
            ("mail^=a,b", "mail", Operator::StrStartsWith, "a|b"),
            ("mail*=x=y", "mail", Operator::StrContains, "x=y"),
            ("mail~=^a.*=b$", "mail", Operator::Regex, "^a.*=b$"),
            ("ip@=10.0.0.0/8", "ip", Operator::InCidr, "10.0.0.0/8"),
        ] {
            assert_eq!(parse(&super::text(&parse(text).unwrap()).unwrap()), parse(text));
            assert_eq!(values(text), (field.to_owned(), operator, value.to_owned()), "{text}");
        }
        for text in ["", "region", "=x", "region=", "age>old", "since>=2026-11-28T00:00:00Z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
