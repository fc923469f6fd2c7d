//! Here-documents: texts that begin on the line after the command that reads them.
//!
//! Owns which are awaited and reading them. It deliberately expands nothing in them.

use super::Reader;

/// A here-document that begins after the line on which it is named.
pub(super) struct Awaited {
    pub(super) command: usize,
    pub(super) redirect: usize,
    pub(super) delimiter: String,
    pub(super) strips_tabs: bool,
}

impl Reader<'_> {
    /// Reads the here-documents that the line before named.
    pub(super) fn here_documents(&mut self) {
        for awaited in std::mem::take(&mut self.awaited) {
            let mut body = String::new();
            while self.at < self.characters.len() {
                let line = self.line();
                let line = if awaited.strips_tabs { line.trim_start_matches('\t') } else { &line };
                if line == awaited.delimiter {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            let redirects = self.commands.get_mut(awaited.command).map(|command| &mut command.redirects);
            if let Some(redirect) = redirects.and_then(|redirects| redirects.get_mut(awaited.redirect)) {
                redirect.target = body;
            }
        }
    }

    fn line(&mut self) -> String {
        let line: String =
            self.characters[self.at..].iter().take_while(|character| **character != '\n').collect();
        self.at += line.chars().count() + 1;
        self.at = self.at.min(self.characters.len());
        line
    }
}
