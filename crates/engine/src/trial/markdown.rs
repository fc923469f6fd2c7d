//! Markdown: tables and lists for the reports.
//!
//! Owns how values are written for a person. What is written is `reports`'.

use std::fmt::Display;

use super::gauge::Spread;
use super::ledger::Share;

/// A document that grows block by block.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    /// The last block was a list, which the next entries continue.
    in_list: bool,
}

impl Document {
    /// A document with its title.
    pub(crate) fn new(title: &str) -> Self {
        Self { text: format!("# {title}\n"), in_list: false }
    }

    fn block(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text);
        self.text.push('\n');
        self.in_list = false;
    }

    /// A heading.
    pub(crate) fn heading(&mut self, text: &str) {
        self.block(&format!("## {text}"));
    }

    /// A paragraph.
    pub(crate) fn paragraph(&mut self, text: impl Display) {
        self.block(&text.to_string());
    }

    /// A list; nothing for an empty one.
    pub(crate) fn list<T: Display>(&mut self, entries: impl IntoIterator<Item = T>) {
        for entry in entries {
            if !self.in_list {
                self.text.push('\n');
                self.in_list = true;
            }
            self.text.push_str(&format!("- {}\n", one_line(&entry.to_string())));
        }
    }

    /// A table.
    pub(crate) fn table(&mut self, heads: &[&str], rows: &[Vec<String>]) {
        let mut text = format!("| {} |\n|{}", heads.join(" | "), "---|".repeat(heads.len()));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| one_line(cell).replace('|', "\\|")).collect();
            text.push_str(&format!("\n| {} |", cells.join(" | ")));
        }
        self.block(&text);
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A number with two decimals, or a dash.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

/// The median of a spread, or a dash.
pub(crate) fn p50(spread: Option<Spread>) -> String {
    number(spread.map(|spread| spread.p50))
}

/// The median and the 99th percentile of a spread, or a dash.
pub(crate) fn p50_p99(spread: Option<Spread>) -> String {
    spread.map_or_else(|| "-".to_owned(), |spread| format!("{:.2} / {:.2}", spread.p50, spread.p99))
}

/// `yes` or `NO`.
pub(crate) fn yes(holds: bool) -> String {
    if holds { "yes" } else { "NO" }.to_owned()
}

/// `12 of 12 (100 %)`, or `not seen`.
pub(crate) fn share(share: &Share) -> String {
    match share.percent() {
        // A share just short of all is not rounded up to it.
        Some(percent) => {
            format!("{} of {} ({} %)", share.good, share.of, (percent * 100.0).floor() / 100.0)
        }
        None => "not seen".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_keep_to_their_line_and_column() {
        let mut document = Document::new("A title");
        document.table(&["a", "b"], &[vec!["x|y".into(), "two\nlines".into()]]);
        document.list(["one"]);
        document.list(["two"]);
        document.heading("Next");
        let text = "# A title\n\n| a | b |\n|---|---|\n| x\\|y | two lines |\n\n- one\n- two\n\n## Next\n";
        assert_eq!(document.finish(), text);
    }

    #[test]
    fn shares_are_not_rounded_up() {
        let of = |good, of| Share { good, of, problems: Vec::new() };
        assert_eq!(share(&of(3, 3)), "3 of 3 (100 %)");
        assert_eq!(share(&of(99_999, 100_000)), "99999 of 100000 (99.99 %)");
        assert_eq!(share(&of(0, 0)), "not seen");
    }
}
