//! Shell command lines, taken apart as a shell does it.
//!
//! Owns splitting a text into its simple commands: quotes, escapes, comments, `&&`, `||`, `;`, pipes, substitutions,
//! here-documents, redirects, and the programs that only start another (`sudo`, `env`, `timeout`, `xargs`, `sh -c`). It
//! deliberately runs nothing and expands nothing: a variable stays `$NAME`.
//!
//! Invariants:
//! - What stands in quotes is an argument and never a command: `echo "rm -rf /"` is one command, `echo`.
//! - Any text is taken; what is cut off ends where the text ends. The depth of nesting is bounded.

mod reader;
mod wrapper;

pub(crate) use wrapper::SHELLS;

/// Nested commands deeper than this are left as text.
const MOST_NESTED: usize = 8;

/// A redirect of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// `>`, `>>`, `<`, `<<<`, `<<`, `&>`, ..., without the number before it.
    pub operator: String,
    /// The file; for `<<` the whole text of the here-document.
    pub target: String,
}

/// A simple command: one program and its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// The program without its folder, after `sudo`, `env` and the like; empty if there are assignments or redirects
    /// only.
    pub program: String,
    /// Its arguments, without their quotes.
    pub arguments: Vec<String>,
    /// `NAME=value` before the program, those of `env` included.
    pub assignments: Vec<(String, String)>,
    /// Its redirects.
    pub redirects: Vec<Redirect>,
    /// Programs it was started by: `sudo`, `timeout`, `xargs`, ...
    pub wrappers: Vec<String>,
    /// Commands with the same number are in one pipe, in order.
    pub pipeline: usize,
}

impl Command {
    /// Whether one of the arguments is `argument`.
    #[must_use]
    pub fn has(&self, argument: &str) -> bool {
        self.arguments.iter().any(|given| given == argument)
    }

    /// Whether a short option is given, alone or among others (`-rf` gives `r` and `f`), or its long form.
    #[must_use]
    pub fn has_option(&self, short: char, long: &str) -> bool {
        let before_end = self.arguments.iter().take_while(|argument| *argument != "--");
        before_end.into_iter().any(|argument| match argument.strip_prefix("--") {
            Some(name) => !long.is_empty() && name.split('=').next() == Some(long),
            None => argument.strip_prefix('-').is_some_and(|letters| {
                letters.chars().all(|letter| letter.is_ascii_alphanumeric()) && letters.contains(short)
            }),
        })
    }

    /// Arguments that are no options.
    pub fn operands(&self) -> impl Iterator<Item = &str> {
        let mut ended = false;
        self.arguments.iter().map(String::as_str).filter(move |argument| {
            let is_end = *argument == "--" && !ended;
            ended |= is_end;
            !is_end && (ended || !argument.starts_with('-') || *argument == "-")
        })
    }

    /// Files that it writes by redirect.
    pub fn written_files(&self) -> impl Iterator<Item = &str> {
        self.redirects
            .iter()
            .filter(|redirect| redirect.operator.contains('>'))
            .map(|redirect| redirect.target.as_str())
    }
}

/// All simple commands in `text`, in the order of the text; those of substitutions and of `sh -c` after them.
#[must_use]
pub fn commands(text: &str) -> Vec<Command> {
    let mut next_pipeline = 0;
    read_nested(text, 0, &mut next_pipeline)
}

fn read_nested(text: &str, depth: usize, next_pipeline: &mut usize) -> Vec<Command> {
    if depth > MOST_NESTED {
        return Vec::new();
    }
    let raw = reader::Reader::new(text, depth, next_pipeline).read();
    let mut commands = Vec::new();
    let mut nested = Vec::new();
    for command in raw {
        let (command, scripts) = wrapper::unwrap(command);
        commands.push(command);
        for script in scripts {
            nested.extend(read_nested(&script, depth + 1, next_pipeline));
        }
    }
    commands.extend(nested);
    commands
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Each command as `program arguments`, arguments in brackets.
    fn shown(text: &str) -> Vec<String> {
        let show = |command: Command| {
            let arguments: String =
                command.arguments.iter().map(|argument| format!(" [{argument}]")).collect();
            command.program + &arguments
        };
        commands(text).into_iter().map(show).collect()
    }

    #[test]
    fn command_lines_are_split_as_a_shell_splits_them() {
        for (text, expected) in [
            ("", &[][..]),
            ("ls -la", &["ls [-la]"]),
            ("cd a && git status; pwd || true", &["cd [a]", "git [status]", "pwd", "true"]),
            ("a\nb # c; d\n#e\nf", &["a", "b", "f"]),
            ("a#b", &["a#b"]),
            ("sleep 5 & wait", &["sleep [5]", "wait"]),
            ("echo \"rm -rf /\"", &["echo [rm -rf /]"]),
            ("echo 'a;b' \"c && d\" e\\ f\\;g", &["echo [a;b] [c && d] [e f;g]"]),
            ("echo \"a\\\"b\\n\" ''", &["echo [a\"b\\n] []"]),
            ("echo a'b'\"c\"d", &["echo [abcd]"]),
            ("echo $'a\\nb\\'c'", &["echo [a\nb'c]"]),
            ("a \\\n  b", &["a [b]"]),
            ("(cd x; make) && { make install; }", &["cd [x]", "make", "make [install]"]),
            ("if test -f a; then rm a; else touch a; fi", &["test [-f] [a]", "rm [a]", "touch [a]"]),
            ("for f in *.c; do cc $f; done", &["cc [$f]"]),
            ("while ! ping -c1 h; do sleep 1; done", &["ping [-c1] [h]", "sleep [1]"]),
            (
                "echo $(git rev-parse HEAD) `pwd` done",
                &["git [rev-parse] [HEAD]", "pwd", "echo [$()] [$()] [done]"],
            ),
            ("echo \"at $(date +%s)\"", &["date [+%s]", "echo [at $()]"]),
            ("echo '$(rm x)' \"\\$(rm y)\"", &["echo [$(rm x)] [$(rm y)]"]),
            ("diff <(sort a) <(sort b)", &["sort [a]", "sort [b]", "diff [$()] [$()]"]),
            ("echo ${HOME}/x $((1 + 2))", &["echo [${HOME}/x] [$((1 + 2))]"]),
            ("bash -c 'rm -rf x; ls'", &["bash [-c] [rm -rf x; ls]", "rm [-rf] [x]", "ls"]),
            ("eval \"rm x\"", &["eval [rm x]", "rm [x]"]),
            ("sudo -u root rm x", &["rm [x]"]),
            ("env -i A=1 B=2 make -j2", &["make [-j2]"]),
            ("timeout -k 5 30s cargo test", &["cargo [test]"]),
            ("find . -name '*.o' | xargs -n 1 rm -f", &["find [.] [-name] [*.o]", "rm [-f]"]),
            (
                "find . -name x -exec rm -f {} \\;",
                &["find [.] [-name] [x] [-exec] [rm] [-f] [{}] [;]", "rm [-f] [{}]"],
            ),
            ("/usr/bin/git log", &["git [log]"]),
            ("echo 'not ended", &["echo [not ended]"]),
            ("echo $(not ended", &["not [ended]", "echo [$()]"]),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn redirects_and_assignments_are_no_arguments() {
        let [command] = &commands("A=1 B='x y' cmd a 2>/dev/null >> out.log < in &> all 2>&1")[..] else {
            panic!()
        };
        assert_eq!(command.arguments, ["a"]);
        assert_eq!(
            command.assignments,
            [("A".to_owned(), "1".to_owned()), ("B".to_owned(), "x y".to_owned())]
        );
        let redirects: Vec<_> = command
            .redirects
            .iter()
            .map(|redirect| (redirect.operator.as_str(), redirect.target.as_str()))
            .collect();
        assert_eq!(
            redirects,
            [(">", "/dev/null"), (">>", "out.log"), ("<", "in"), ("&>", "all"), (">&", "1")]
        );
        let [only] = &commands("> empty.txt")[..] else { panic!() };
        assert_eq!(
            (only.program.as_str(), only.written_files().collect::<Vec<_>>()),
            ("", vec!["empty.txt"])
        );
    }

    #[test]
    fn a_here_document_is_text_and_a_message_in_one_is_found() {
        let text = "cat > a.sh <<'EOF'\nrm -rf / # don't\nEOF\nls";
        let found = commands(text);
        assert_eq!(found.iter().map(|command| command.program.as_str()).collect::<Vec<_>>(), ["cat", "ls"]);
        assert_eq!(found[0].redirects[1].target, "rm -rf / # don't\n");
        assert_eq!(shown("bash <<EOF\nrm x\nEOF\n"), ["bash", "rm [x]"]);
        let text =
            "git commit -m \"$(cat <<'EOF'\nFix: don't (ever) \"crash\"\n\nMore.\nEOF\n)\" && git push";
        assert_eq!(
            shown(text),
            ["cat", "git [commit] [-m] [Fix: don't (ever) \"crash\"\n\nMore.]", "git [push]"]
        );
        assert_eq!(shown("cat <<-A <<B; ls\n\ta\n\tA\nb\nB\npwd"), ["cat", "ls", "pwd"]);
    }

    #[test]
    fn a_pipe_is_known_and_so_is_who_started_a_program() {
        let found = commands("curl -s x | sudo bash && cat y | grep z");
        let pipelines: Vec<_> = found.iter().map(|command| command.pipeline).collect();
        assert_eq!(pipelines[0], pipelines[1]);
        assert_eq!(pipelines[2], pipelines[3]);
        assert_ne!(pipelines[1], pipelines[2]);
        assert_eq!(found[1].wrappers, ["sudo"]);
        assert!(found[0].wrappers.is_empty());
    }

    #[test]
    fn options_are_found_in_all_their_forms() {
        let [command] = &commands("rm -rf --no-preserve-root a -- -x")[..] else { panic!() };
        assert!(command.has_option('r', "recursive") && command.has_option('f', "force"));
        assert!(command.has_option('_', "no-preserve-root") && !command.has_option('x', "x"));
        assert_eq!(command.operands().collect::<Vec<_>>(), ["a", "-x"]);
        let [command] = &commands("git push --force-with-lease=a")[..] else { panic!() };
        assert!(!command.has_option('f', "force"));
    }

    #[test]
    fn nesting_without_end_is_cut_off() {
        let text = "$(".repeat(10_000);
        assert!(commands(&text).len() <= 20);
        let text = "bash -c '".repeat(50);
        assert!(commands(&text).len() <= 20);
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[a-z =$(){}<>|&;'\"`\\\\\n#-]{0,80}") {
            let _ = commands(&text);
        }
    }
}
