//! Command lines of steps: words, and what is put in for `${NAME}`.
//!
//! Owns the splitting and the filling-in. No shell is ever involved: a value that is filled in stays one word whatever is
//! in it, so nothing in a parameter can become another argument.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Splits a line at blanks; double quotes keep blanks together, and a backslash in them the next character.
///
/// # Errors
/// When a quote is not closed.
pub(crate) fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().extend(characters.next()),
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    if quoted {
        return Err(format!("a quote is not closed in `{line}`"));
    }
    words.extend(word);
    Ok(words)
}

/// The names that a line asks for.
pub(crate) fn names(line: &str) -> Vec<&str> {
    line.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

/// What lines can be filled with: parameters by name, and members of what earlier steps printed as `STEP.MEMBER`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) outputs: BTreeMap<String, Json>,
}

impl Known {
    fn value(&self, name: &str) -> Result<String, String> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let mut parts = name.split('.');
        let step = parts.next().unwrap_or_default();
        let mut found = self.outputs.get(step).ok_or_else(|| {
            format!("`${{{name}}}` is neither a parameter nor a member of what an earlier step printed")
        })?;
        for part in parts {
            let inside = match part.parse::<usize>() {
                Ok(at) if found.is_array() => found.get(at),
                _ => found.get(part),
            };
            found = inside.ok_or_else(|| format!("step `{step}` printed no `{name}`"))?;
        }
        match found {
            Json::String(text) => Ok(text.clone()),
            Json::Number(_) | Json::Bool(_) => Ok(found.to_string()),
            _ => Err(format!("`{name}` is no single value")),
        }
    }

    /// The words of a line, filled. Words between `[` and `]` are left out when what fills one of them is empty.
    pub(crate) fn words(&self, line: &str) -> Result<Vec<String>, String> {
        let mut words = Vec::new();
        // Where an optional group began, and whether it is to be left out.
        let mut group: Option<(usize, bool)> = None;
        for raw in split(line)? {
            let (mut raw, mut closes) = (raw.as_str(), false);
            if group.is_none()
                && let Some(inside) = raw.strip_prefix('[')
            {
                group = Some((words.len(), false));
                raw = inside;
            }
            if group.is_some()
                && let Some(inside) = raw.strip_suffix(']')
            {
                closes = true;
                raw = inside;
            }
            let filled = self.fill(raw)?;
            if let Some((_, left_out)) = group.as_mut() {
                *left_out |= filled.is_empty();
            }
            words.push(filled);
            if let Some((from, left_out)) = group.take_if(|_| closes)
                && left_out
            {
                words.truncate(from);
            }
        }
        match group {
            Some(_) => Err(format!("`[` is not closed in `{line}`")),
            None => Ok(words),
        }
    }

    fn fill(&self, word: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) =
                after.split_once('}').ok_or_else(|| format!("`${{` is not closed in `{word}`"))?;
            filled += before;
            filled += &self.value(name)?;
            rest = behind;
        }
        Ok(filled + rest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_split_without_a_shell() {
        assert_eq!(
            split(r#"run  hearings --reason "a b" x"#).unwrap(),
            ["run", "hearings", "--reason", "a b", "x"]
        );
        assert_eq!(split(r#"a "" "say \"no\"""#).unwrap(), ["a", "", "say \"no\""]);
        assert_eq!(split("a;b $(c) | d").unwrap(), ["a;b", "$(c)", "|", "d"], "nothing of it means anything");
        assert!(split("a \"b").is_err());
    }

    #[test]
    fn what_is_filled_in_stays_one_word() {
        let known = Known {
            parameters: [("source".to_owned(), "a b --force".to_owned())].into(),
            outputs: [("backup".to_owned(), json!({"id": "ab12", "tables": [{"rows": 3}], "none": null}))]
                .into(),
        };
        let words =
            known.words("run --source ${source} --backup=${backup.id} ${backup.tables.0.rows}").unwrap();
        assert_eq!(words, ["run", "--source", "a b --force", "--backup=ab12", "3"]);
        for wrong in ["${typo}", "${backup.typo}", "${backup.none}", "${backup.tables}", "${source"] {
            assert!(known.words(wrong).is_err(), "{wrong}");
        }
        let optional = Known {
            parameters: [("from".to_owned(), String::new()), ("to".to_owned(), "x y".to_owned())].into(),
            ..Known::default()
        };
        assert_eq!(
            optional.words("ingest [--from ${from}] [--to ${to}] -q").unwrap(),
            ["ingest", "--to", "x y", "-q"]
        );
        assert!(optional.words("ingest [--to ${to}").is_err());
        assert_eq!(names("a ${b} c${d.e}"), ["b", "d.e"]);
    }
}
