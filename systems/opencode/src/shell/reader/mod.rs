//! Reading the words of a shell text, character by character.
//!
//! Owns words, operators, here-documents and substitutions; the commands it returns still have `sudo` and the like as
//! their first word. It deliberately knows no program.

mod here_document;

use super::{Command, MOST_NESTED, Redirect};
use here_document::Awaited;

/// Words that begin or end a construct and are followed by a command.
const BEFORE_COMMANDS: &[&str] =
    &["if", "then", "else", "elif", "fi", "do", "done", "while", "until", "{", "}", "!", "time", "esac"];
/// Words that begin a list of words, not a command.
const BEFORE_WORDS: &[&str] = &["for", "select", "case", "function"];

pub(super) struct Reader<'a> {
    characters: Vec<char>,
    at: usize,
    depth: usize,
    next_pipeline: &'a mut usize,
    commands: Vec<Command>,
    nested: Vec<Command>,
    current: Command,
    words: Vec<String>,
    skips_words: bool,
    awaited: Vec<Awaited>,
    open_parentheses: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &str, depth: usize, next_pipeline: &'a mut usize) -> Self {
        let mut reader = Self {
            characters: text.chars().collect(),
            at: 0,
            depth,
            next_pipeline,
            commands: Vec::new(),
            nested: Vec::new(),
            current: Command::default(),
            words: Vec::new(),
            skips_words: false,
            awaited: Vec::new(),
            open_parentheses: 0,
        };
        reader.begin_pipeline();
        reader
    }

    /// All commands of the text; those of substitutions stand before the one that uses them.
    pub(super) fn read(mut self) -> Vec<Command> {
        self.list(false);
        self.commands
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Reads commands to the end, or to the parenthesis that closes a substitution.
    fn list(&mut self, in_substitution: bool) {
        while let Some(character) = self.peek(0) {
            match character {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '\n' => {
                    self.at += 1;
                    self.end_command();
                    self.begin_pipeline();
                    self.here_documents();
                }
                '#' => {
                    while self.peek(0).is_some_and(|next| next != '\n') {
                        self.at += 1;
                    }
                }
                ';' => self.separator(1),
                '&' if self.peek(1) == Some('>') => self.redirect(),
                '&' => self.separator(if self.peek(1) == Some('&') { 2 } else { 1 }),
                '|' if self.peek(1) == Some('|') => self.separator(2),
                '|' => {
                    self.at += if self.peek(1) == Some('&') { 2 } else { 1 };
                    self.end_command();
                }
                '(' => {
                    self.open_parentheses += 1;
                    self.separator(1);
                }
                ')' if in_substitution && self.open_parentheses == 0 => {
                    self.at += 1;
                    break;
                }
                ')' => {
                    self.open_parentheses = self.open_parentheses.saturating_sub(1);
                    self.separator(1);
                }
                '<' | '>' if self.peek(1) == Some('(') => self.push_word(),
                '<' | '>' => self.redirect(),
                '0'..='9' if self.digits_before_redirect() => self.redirect(),
                _ => self.push_word(),
            }
        }
        self.end_command();
    }

    fn separator(&mut self, length: usize) {
        self.at += length;
        self.end_command();
        self.begin_pipeline();
    }

    fn begin_pipeline(&mut self) {
        *self.next_pipeline += 1;
        self.current.pipeline = *self.next_pipeline;
    }

    fn end_command(&mut self) {
        let pipeline = self.current.pipeline;
        let mut command = std::mem::take(&mut self.current);
        self.current.pipeline = pipeline;
        let words = std::mem::take(&mut self.words);
        self.skips_words = false;
        self.commands.append(&mut self.nested);
        // An index of an awaited here-document is that of the command about to be pushed.
        for awaited in self.awaited.iter_mut().filter(|awaited| awaited.command == usize::MAX) {
            awaited.command = self.commands.len();
        }
        let is_empty = words.is_empty() && command.redirects.is_empty() && command.assignments.is_empty();
        if !is_empty {
            command.arguments = words;
            self.commands.push(command);
        }
    }

    fn push_word(&mut self) {
        let begins_at = self.at;
        let (word, is_quoted) = self.word();
        if self.at == begins_at {
            // A character that begins nothing; skipped so that reading always goes on.
            self.at += 1;
            return;
        }
        if self.words.is_empty() && !is_quoted {
            if BEFORE_COMMANDS.contains(&word.as_str()) {
                return;
            }
            if BEFORE_WORDS.contains(&word.as_str()) {
                self.skips_words = true;
                return;
            }
        }
        if self.skips_words {
            return;
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && !name.starts_with(|first: char| first.is_ascii_digit())
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        match word.split_once('=') {
            Some((name, value)) if self.words.is_empty() && is_name(name) => {
                self.current.assignments.push((name.to_owned(), value.to_owned()));
            }
            _ => self.words.push(word),
        }
    }

    /// A word, and whether any of it was quoted.
    fn word(&mut self) -> (String, bool) {
        let mut word = String::new();
        let mut is_quoted = false;
        while let Some(character) = self.peek(0) {
            match character {
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | ')' => break,
                '<' | '>' if self.peek(1) == Some('(') => {
                    self.at += 2;
                    word.push_str(&self.substitution());
                }
                '(' | '<' | '>' => break,
                '\'' => {
                    is_quoted = true;
                    self.at += 1;
                    while let Some(inner) = self.next_unless('\'') {
                        word.push(inner);
                    }
                }
                '"' => {
                    is_quoted = true;
                    self.at += 1;
                    self.double_quoted(&mut word);
                }
                '\\' => {
                    self.at += 1;
                    match self.peek(0) {
                        Some('\n') => {}
                        Some(escaped) => {
                            is_quoted = true;
                            word.push(escaped);
                        }
                        None => word.push('\\'),
                    }
                    self.at += 1;
                }
                '$' | '`' => self.dollar(&mut word, false),
                other => {
                    word.push(other);
                    self.at += 1;
                }
            }
        }
        (word, is_quoted)
    }

    /// The next character, taken, unless it is `end`, which is then taken too.
    fn next_unless(&mut self, end: char) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        (next != end).then_some(next)
    }

    fn double_quoted(&mut self, word: &mut String) {
        while let Some(character) = self.peek(0) {
            match character {
                '"' => {
                    self.at += 1;
                    return;
                }
                '\\' if matches!(self.peek(1), Some('"' | '\\' | '$' | '`')) => {
                    word.extend(self.peek(1));
                    self.at += 2;
                }
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '$' | '`' => self.dollar(word, true),
                other => {
                    word.push(other);
                    self.at += 1;
                }
            }
        }
    }

    /// A substitution, a variable, or a quoted text with escapes.
    fn dollar(&mut self, word: &mut String, in_quotes: bool) {
        if self.peek(0) == Some('`') {
            self.at += 1;
            let mut inner = String::new();
            while let Some(character) = self.next_unless('`') {
                inner.push(character);
            }
            self.nested_text(&inner);
            word.push_str("$()");
            return;
        }
        match (self.peek(1), self.peek(2)) {
            (Some('('), Some('(')) => self.copy_until(word, "))"),
            (Some('('), _) => {
                self.at += 2;
                word.push_str(&self.substitution());
            }
            (Some('{'), _) => self.copy_until(word, "}"),
            (Some('\''), _) if !in_quotes => {
                self.at += 2;
                while let Some(inner) = self.next_unless('\'') {
                    if inner == '\\' {
                        word.push(match self.peek(0) {
                            Some('n') => '\n',
                            Some('t') => '\t',
                            Some(escaped) => escaped,
                            None => '\\',
                        });
                        self.at += 1;
                    } else {
                        word.push(inner);
                    }
                }
            }
            _ => {
                word.push('$');
                self.at += 1;
            }
        }
    }

    fn copy_until(&mut self, word: &mut String, end: &str) {
        let from = word.len();
        while let Some(character) = self.peek(0) {
            word.push(character);
            self.at += 1;
            if word[from..].ends_with(end) {
                return;
            }
        }
    }

    /// Reads the commands of `$(..)` after its parenthesis; what stands for them in the word.
    ///
    /// That is the text itself for `$(cat <<EOF .. EOF)`, the usual way of giving a message of several lines.
    fn substitution(&mut self) -> String {
        if self.depth >= MOST_NESTED {
            self.at = self.characters.len();
            return "$()".to_owned();
        }
        let characters = std::mem::take(&mut self.characters);
        let mut inner = Reader::new("", self.depth + 1, self.next_pipeline);
        inner.characters = characters;
        inner.at = self.at;
        inner.list(true);
        let (characters, at, commands) = (inner.characters, inner.at, inner.commands);
        self.characters = characters;
        self.at = at;
        let text = match &commands[..] {
            [only]
                if only.arguments == ["cat"]
                    && only.redirects.len() == 1
                    && only.redirects[0].operator == "<<" =>
            {
                only.redirects[0].target.trim_end_matches('\n').to_owned()
            }
            _ => "$()".to_owned(),
        };
        self.nested.extend(commands);
        text
    }

    fn nested_text(&mut self, text: &str) {
        if self.depth < MOST_NESTED {
            let commands = Reader::new(text, self.depth + 1, self.next_pipeline).read();
            self.nested.extend(commands);
        }
    }

    fn digits_before_redirect(&self) -> bool {
        let digits =
            self.characters[self.at..].iter().take_while(|character| character.is_ascii_digit()).count();
        matches!(self.peek(digits), Some('<' | '>'))
    }

    fn redirect(&mut self) {
        while self.peek(0).is_some_and(|character| character.is_ascii_digit()) {
            self.at += 1;
        }
        let mut operator = String::new();
        while let Some(character @ ('<' | '>' | '&' | '|')) = self.peek(0) {
            // `>&` and `>|` end the operator; `<<<` is the longest.
            if operator.len() == 3 || (character == '|' && operator != ">") {
                break;
            }
            operator.push(character);
            self.at += 1;
        }
        let strips_tabs = operator == "<<" && self.peek(0) == Some('-');
        if strips_tabs {
            self.at += 1;
        }
        while matches!(self.peek(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let (target, _) = self.word();
        if operator == "<<" {
            self.awaited.push(Awaited {
                command: usize::MAX,
                redirect: self.current.redirects.len(),
                delimiter: target,
                strips_tabs,
            });
            self.current.redirects.push(Redirect { operator, target: String::new() });
        } else {
            self.current.redirects.push(Redirect { operator, target });
        }
    }
}
