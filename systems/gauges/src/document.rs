//! Documents that sets come from: lines of comma-separated values, or a JSON list.
//!
//! Owns reading them into objects by the names of their first line (RFC 4180), with the number of the line that each began
//! on. What the columns mean is the caller's.

use plimsoll_engine::EngineError;
use serde_json::{Map, Value as Json};

/// One record: the line it began on, and its cells by name; or what is wrong with it.
pub type Record = (usize, Result<Map<String, Json>, String>);

/// The records of a document: a JSON list of objects, or CSV with a line of names. Empty cells are absent.
///
/// # Errors
/// Usage, when the document as a whole is neither.
pub fn read(document: &str) -> Result<Vec<Record>, EngineError> {
    let document = document.trim_start_matches('\u{feff}');
    if document.trim_start().starts_with('[') {
        let list: Vec<Json> = serde_json::from_str(document)
            .map_err(|error| EngineError::usage(format!("the document is no JSON list: {error}")))?;
        let record = |(at, item): (usize, Json)| match item {
            Json::Object(fields) => (at + 1, Ok(fields)),
            other => (at + 1, Err(format!("{other} is no object"))),
        };
        return Ok(list.into_iter().enumerate().map(record).collect());
    }
    let mut lines = cells(document)?.into_iter();
    let Some((_, names)) = lines.next() else {
        return Err(EngineError::usage("the document is empty\nhint: its first line names the columns"));
    };
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name)) {
        return Err(EngineError::usage(format!("line 1 names the column `{}` twice", twice.1)));
    }
    let record = |(line, row): (usize, Vec<String>)| {
        if row.len() != names.len() {
            return (line, Err(format!("it has {} cells, and line 1 names {}", row.len(), names.len())));
        }
        let filled = names.iter().zip(row).filter(|(_, cell)| !cell.trim().is_empty());
        (line, Ok(filled.map(|(name, cell)| (name.clone(), Json::from(cell.trim()))).collect()))
    };
    Ok(lines.map(record).collect())
}

/// The cells of each line that is not blank, with the number of the line it began on.
fn cells(text: &str) -> Result<Vec<(usize, Vec<String>)>, EngineError> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut began, mut quoted) = (1, 1, false);
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && signs.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                line += 1;
                row.push(std::mem::take(&mut cell));
                if row != [""] {
                    rows.push((began, std::mem::take(&mut row)));
                }
                row.clear();
                began = line;
            }
            other => {
                line += usize::from(other == '\n');
                cell.push(other);
            }
        }
    }
    if quoted {
        return Err(EngineError::usage(format!("a quote that opens in line {began} is never closed")));
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push((began, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_commas_and_line_breaks_are_read() {
        let found = read("\u{feff}go,name\r\nG1,\"a, \"\"b\"\"\nc\"\r\n\r\nG2,\nG3\n").unwrap();
        assert_eq!(found.len(), 3);
        let first = found[0].1.as_ref().unwrap();
        assert_eq!((found[0].0, first["name"].as_str()), (2, Some("a, \"b\"\nc")));
        assert_eq!((found[1].0, found[1].1.as_ref().unwrap().len()), (5, 1), "an empty cell is absent");
        assert_eq!((found[2].0, found[2].1.clone()), (6, Err("it has 1 cells, and line 1 names 2".into())));
        assert!(read("a,a\n1,2").unwrap_err().message.contains("`a` twice"));
        assert!(read("a\n\"1").unwrap_err().message.contains("never closed"));
        assert_eq!(read("[{\"go\":\"G1\"},3]").unwrap()[1].1.as_ref().unwrap_err(), "3 is no object");
    }
}
