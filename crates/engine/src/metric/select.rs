//! Finding one value among samples by a selector.
//!
//! Owns the form `name{label="value", other!="value"}` - a part of what Prometheus understands - and the functions
//! `sum(..)`, `max(..)`, `min(..)`, `count(..)` around it. Gates and triggers decide by the answer, so it is never a
//! guess: several samples without a function around them are an error, and none is `None`, not zero.

use super::Sample;
use crate::error::EngineError;

/// How several values become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    One,
    Sum,
    Max,
    Min,
    Count,
}

#[derive(Debug)]
struct Selector<'a> {
    fold: Fold,
    name: &'a str,
    wanted: Vec<(&'a str, bool, String)>,
}

/// The value that a selector finds; `None` when no sample matches.
///
/// # Errors
/// Usage when the selector is not one, when several samples match and no function says what to do with them, or when
/// a label that it names is not one of the metric's.
pub fn value(samples: &[Sample], selector: &str) -> Result<Option<f64>, EngineError> {
    let wrong = |why: String| {
        EngineError::usage(format!(
            "metric `{selector}`: {why}\nhint: the form is name{{label=\"value\"}}, or sum(..), max(..), min(..), count(..) of it; `plimsoll metrics` lists names"
        ))
    };
    let parsed = parse(selector.trim()).map_err(&wrong)?;
    let named: Vec<&Sample> = samples.iter().filter(|sample| sample.name == parsed.name).collect();
    for (label, _, _) in &parsed.wanted {
        if let Some(sample) = named.first()
            && !sample.labels.iter().any(|(known, _)| known == label)
        {
            return Err(wrong(format!("`{label}` is no label of {}", parsed.name)));
        }
    }
    let matching: Vec<f64> = named
        .iter()
        .filter(|sample| {
            parsed.wanted.iter().all(|(label, equal, value)| {
                sample.labels.iter().any(|(known, found)| known == label && (found == value) == *equal)
            })
        })
        .map(|sample| sample.value)
        .collect();
    if matching.is_empty() {
        return Ok(None);
    }
    // A NaN says that a value is not known; it must not get lost in a comparison.
    if matching.iter().any(|value| value.is_nan()) && parsed.fold != Fold::Count {
        return Ok(Some(f64::NAN));
    }
    Ok(Some(match parsed.fold {
        Fold::One => match matching.as_slice() {
            [only] => *only,
            _ => {
                return Err(wrong(format!("{} samples match, and one is wanted", matching.len())));
            }
        },
        Fold::Sum => matching.iter().sum(),
        Fold::Max => matching.into_iter().fold(f64::NEG_INFINITY, f64::max),
        Fold::Min => matching.into_iter().fold(f64::INFINITY, f64::min),
        #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 samples")]
        Fold::Count => matching.len() as f64,
    }))
}

fn parse(text: &str) -> Result<Selector<'_>, String> {
    let folds = [("sum", Fold::Sum), ("max", Fold::Max), ("min", Fold::Min), ("count", Fold::Count)];
    let (fold, inner) = folds
        .iter()
        .find_map(|(word, fold)| {
            let rest = text.strip_prefix(word)?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
            Some((*fold, rest.trim()))
        })
        .unwrap_or((Fold::One, text));
    let (name, labels) = match inner.split_once('{') {
        None => (inner, ""),
        Some((name, rest)) => {
            (name.trim_end(), rest.strip_suffix('}').ok_or("the brace is not closed")?.trim())
        }
    };
    let named = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if name.is_empty() || !named {
        return Err(format!("`{name}` is no name"));
    }
    Ok(Selector { fold, name, wanted: matchers(labels)? })
}

fn matchers(mut text: &str) -> Result<Vec<(&str, bool, String)>, String> {
    let mut wanted = Vec::new();
    while !text.is_empty() {
        let at = text.find('=').ok_or_else(|| format!("`{text}` has no `=`"))?;
        let (label, equal) = match text[..at].strip_suffix('!') {
            Some(label) => (label.trim(), false),
            None => (text[..at].trim(), true),
        };
        let quoted = text[at + 1..].trim_start();
        let quoted =
            quoted.strip_prefix('"').ok_or_else(|| format!("the value of `{label}` is not quoted"))?;
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        let end = loop {
            match characters.next() {
                None => return Err(format!("the value of `{label}` does not end")),
                Some((at, '"')) => break at + 1,
                Some((_, '\\')) => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, other)) => value.push(other),
                    None => return Err(format!("the value of `{label}` does not end")),
                },
                Some((_, other)) => value.push(other),
            }
        };
        wanted.push((label, equal, value));
        let rest = quoted[end..].trim_start();
        text = match rest.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(format!("`{rest}` follows where a comma belongs")),
        };
    }
    Ok(wanted)
}
