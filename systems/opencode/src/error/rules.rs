//! The rules by which an error text gets its category.
//!
//! Owns reading the table `rules.txt`, which holds only words that tools print; codes of exits and answers are in
//! [`super::classify`]. It deliberately is a table beside the program: a rule is read, compared and moved more often
//! than anything around it is changed.
//!
//! Invariants:
//! - The first rule that matches decides, so a rule stands before those that its words would mislead: what a test
//!   runner or a compiler says about its run stands before what it quotes.
//! - A test reads every line of the table, so that a mistake in it cannot be shipped.

use std::sync::OnceLock;

use super::category::Category;
use super::pattern::Pattern;

const TABLE: &str = include_str!("rules.txt");

/// A rule over text.
#[derive(Debug)]
pub(super) struct Rule {
    /// What is told as the reason.
    pub(super) id: &'static str,
    /// What it decides.
    pub(super) category: Category,
    /// Whose texts it reads: `b` a command's output, `t` a tool's error, `m` a message's error.
    pub(super) reads: &'static str,
    /// One of these must match a line.
    pub(super) patterns: Vec<Pattern>,
}

/// The rules, in order.
pub(super) fn rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| read(TABLE).unwrap_or_default())
}

/// Reads a table; the error is the first line that is not understood.
fn read(table: &'static str) -> Result<Vec<Rule>, &'static str> {
    let mut rules: Vec<Rule> = Vec::new();
    for line in table.lines().filter(|line| !line.is_empty() && !line.starts_with("## ")) {
        if let Some(head) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let [id, category, reads] = head.split(' ').collect::<Vec<_>>()[..] else { return Err(line) };
            let category = Category::from_name(category).ok_or(line)?;
            if reads.is_empty() || !reads.bytes().all(|reader| b"btm".contains(&reader)) {
                return Err(line);
            }
            rules.push(Rule { id, category, reads, patterns: Vec::new() });
        } else {
            let pattern = Pattern::new(line).ok_or(line)?;
            rules.last_mut().ok_or(line)?.patterns.push(pattern);
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_table_is_read_whole_and_nothing_stands_twice() {
        let rules = read(TABLE).unwrap();
        assert_eq!(rules.len(), TABLE.lines().filter(|line| line.starts_with('[')).count());
        let mut ids = HashSet::new();
        let mut patterns = HashSet::new();
        for rule in &rules {
            assert!(ids.insert(rule.id), "{}", rule.id);
            assert!(!rule.patterns.is_empty(), "{}", rule.id);
            for pattern in &rule.patterns {
                let text = pattern.text();
                assert_eq!(text, text.to_lowercase(), "{}", rule.id);
                for reader in rule.reads.chars() {
                    assert!(patterns.insert((text, reader)), "{}: {text}", rule.id);
                }
            }
        }
        assert!(patterns.len() > 300, "{}", patterns.len());
    }

    #[test]
    fn a_line_that_is_not_understood_is_returned() {
        for table in [
            "pattern before any rule",
            "[id timeout]",
            "[id no_category b]",
            "[id timeout x]",
            "[id timeout b]\n*",
        ] {
            assert_eq!(read(table).map(|_| ()), Err(table.lines().last().unwrap()), "{table}");
        }
    }
}
