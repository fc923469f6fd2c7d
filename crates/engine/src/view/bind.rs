//! From the SQL of a file to statements with numbered parameters.
//!
//! Owns finding `$project` and its like outside of texts and comments, and cutting a file into statements. A
//! parameter is cast to its type, so that an unset one is a null of that type.

use super::header::Header;
use super::parameter::Name;
use crate::error::EngineError;

/// One statement, with `$1`, `$2`, .. for the parameters of `order`.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// The name after `-- section:`; none for the first statement.
    pub(super) section: Option<&'static str>,
    pub(super) sql: String,
    pub(super) order: Vec<Name>,
}

/// One statement as it is written.
#[derive(Debug)]
pub(crate) struct Part<'text> {
    /// The value after the mark; empty for the first statement.
    pub(crate) name: &'text str,
    pub(crate) sql: &'text str,
    /// The number of its first line, from 1.
    pub(crate) line: usize,
}

/// Cuts the body at lines `-- mark: name`.
pub(crate) fn split<'text>(header: &Header<'text>, mark: &str) -> Vec<Part<'text>> {
    let begin = format!("-- {mark}:");
    let mut parts = vec![Part { name: "", sql: "", line: header.body_line }];
    let (mut from, mut at) = (0, 0);
    for (number, line) in header.body.split_inclusive('\n').enumerate() {
        if let Some(name) = line.strip_prefix(&begin) {
            if let Some(last) = parts.last_mut() {
                last.sql = &header.body[from..at];
            }
            from = at + line.len();
            parts.push(Part { name: name.trim(), sql: "", line: header.body_line + number + 1 });
        }
        at += line.len();
    }
    if let Some(last) = parts.last_mut() {
        last.sql = &header.body[from..];
    }
    parts
}

/// The statements of a view's file.
pub(super) fn statements(header: &Header<'static>, declared: &[Name]) -> Result<Vec<Statement>, EngineError> {
    let mut statements = Vec::new();
    for part in split(header, "section") {
        if part.sql.trim().is_empty() {
            return Err(header.wrong_at(part.line, "there is no statement"));
        }
        let (sql, order) = number(part.sql, declared)
            .map_err(|(line, reason)| header.wrong_at(part.line + line, &reason))?;
        let section = if statements.is_empty() { None } else { Some(part.name) };
        statements.push(Statement { section, sql, order });
    }
    let unused = declared.iter().find(|name| !statements.iter().any(|one| one.order.contains(name)));
    match unused {
        None => Ok(statements),
        Some(name) => Err(header.wrong("parameters", &format!("`{}` is not used", name.as_str()))),
    }
}

/// Replaces `$name` by a cast of `$1` and so on. On failure: lines below the first, and why.
fn number(sql: &str, declared: &[Name]) -> Result<(String, Vec<Name>), (usize, String)> {
    let mut order: Vec<Name> = Vec::new();
    let mut out = String::with_capacity(sql.len() + 256);
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        // What is copied as it is: a comment, a text, a quoted name, or one character.
        let copied = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '\'' || first == '"' {
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else if first == '$' {
            let name: &str = &rest[1..];
            let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(name.len());
            let word = &name[..end];
            let line = sql[..sql.len() - rest.len()].matches('\n').count();
            let Some(found) = Name::read(word) else { return Err((line, Name::refusal(word))) };
            if !declared.contains(&found) {
                return Err((line, format!("`${word}` is not among the parameters of the header")));
            }
            let position = order.iter().position(|known| *known == found).unwrap_or_else(|| {
                order.push(found);
                order.len() - 1
            });
            out.push_str(&format!("CAST(${} AS {})", position + 1, found.sql_type()));
            rest = &name[end..];
            continue;
        } else {
            first.len_utf8()
        };
        out.push_str(&rest[..copied]);
        rest = &rest[copied..];
    }
    let trimmed = out.trim().trim_end_matches(';').trim_end().len();
    let start = out.len() - out.trim_start().len();
    Ok((out[start..start + trimmed].to_owned(), order))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_order_of_appearance_and_only_where_they_are_some() {
        let sql =
            "\nSELECT '$tool', \"$tool\" -- $tool\nFROM t WHERE a = $agent OR b >= $from OR c = $agent;\n";
        let (numbered, order) = number(sql, &[Name::From, Name::Agent]).unwrap();
        let expected = "SELECT '$tool', \"$tool\" -- $tool\nFROM t WHERE a = CAST($1 AS VARCHAR) \
                        OR b >= CAST($2 AS TIMESTAMP) OR c = CAST($1 AS VARCHAR)";
        assert_eq!((numbered.as_str(), order), (expected, vec![Name::Agent, Name::From]));
    }

    #[test]
    fn to_is_not_mistaken_for_tool() {
        let (sql, order) = number("$to $tool", &[Name::To, Name::Tool]).unwrap();
        assert_eq!(sql, "CAST($1 AS TIMESTAMP) CAST($2 AS VARCHAR)");
        assert_eq!(order, [Name::To, Name::Tool]);
    }

    #[test]
    fn an_unknown_and_an_undeclared_parameter_are_told_with_their_line() {
        assert!(
            number("SELECT\n$projekt", &[]).is_err_and(|(line, why)| line == 1 && why.contains("projekt"))
        );
        assert!(number("SELECT $project", &[]).is_err_and(|(line, why)| line == 0 && why.contains("header")));
    }
}
