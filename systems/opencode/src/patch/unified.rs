//! Unified diffs: which files they change and by how many lines.
//!
//! Owns reading them as Git, `diff -u` and OpenCode write them. It deliberately does not check that a patch applies.

/// What a diff does to one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePatch {
    /// The file after, or before if it is deleted; without `a/` and `b/`.
    pub path: String,
    /// Lines added.
    pub additions: u64,
    /// Lines deleted.
    pub deletions: u64,
    /// Whether the file is new.
    pub created: bool,
    /// Whether the file is gone after.
    pub deleted: bool,
}

/// The files of a unified diff, in order.
///
/// Inside of a hunk, a line belongs to the file whatever it looks like (`--- a` can be a deleted line `-- a`); the
/// numbers in the hunk's head say where it ends.
#[must_use]
pub fn unified(diff: &str) -> Vec<FilePatch> {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut left = Left::default();
    let mut before = "";
    let mut from_git = false;
    for line in diff.lines() {
        if let Some(file) = files.last_mut().filter(|_| left.is_inside()) {
            match line.bytes().next() {
                Some(b'+') => {
                    file.additions += 1;
                    left.after = left.after.saturating_sub(1);
                    continue;
                }
                Some(b'-') => {
                    file.deletions += 1;
                    left.before = left.before.saturating_sub(1);
                    continue;
                }
                Some(b'\\') => continue,
                // An empty line is one whose only space was cut off.
                None | Some(b' ') => {
                    left.before = left.before.saturating_sub(1);
                    left.after = left.after.saturating_sub(1);
                    continue;
                }
                // Not a line of a hunk: it was cut off.
                Some(_) => left = Left::default(),
            }
        }
        if let Some(rest) = line.strip_prefix("diff --git ") {
            let path = rest.rsplit_once(" b/").map_or(rest, |(_, path)| path);
            files.push(FilePatch { path: path.to_owned(), ..FilePatch::default() });
            from_git = true;
        } else if let Some(path) = line.strip_prefix("Index: ") {
            files.push(FilePatch { path: path.to_owned(), ..FilePatch::default() });
            from_git = true;
        } else if let Some(path) = line.strip_prefix("--- ") {
            before = file_name(path);
        } else if let Some(path) = line.strip_prefix("+++ ") {
            let after = file_name(path);
            if !from_git {
                files.push(FilePatch::default());
            }
            from_git = false;
            if let Some(file) = files.last_mut() {
                file.created = before == "/dev/null";
                file.deleted = after == "/dev/null";
                let path = if file.deleted { before } else { after };
                let prefix = if file.deleted { "a/" } else { "b/" };
                path.strip_prefix(prefix).unwrap_or(path).clone_into(&mut file.path);
            }
        } else if let Some(found) = Left::of(line) {
            left = found;
        } else if let Some(file) = files.last_mut() {
            file.created |= line.starts_with("new file mode ");
            file.deleted |= line.starts_with("deleted file mode ");
        }
    }
    files
}

/// The name without the time that `diff -u` writes after it.
fn file_name(path: &str) -> &str {
    path.split('\t').next().unwrap_or(path).trim_end()
}

/// Lines that a hunk still has.
#[derive(Debug, Clone, Copy, Default)]
struct Left {
    before: u64,
    after: u64,
}

impl Left {
    /// From `@@ -1,5 +1,6 @@`.
    fn of(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("@@ ")?.split(' ');
        let length = |range: &str| match range.split_once(',') {
            Some((_, length)) => length.parse().ok(),
            None => Some(1),
        };
        let before = length(words.next()?.strip_prefix('-')?)?;
        let after = length(words.next()?.strip_prefix('+')?)?;
        Some(Self { before, after })
    }

    const fn is_inside(self) -> bool {
        self.before > 0 || self.after > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(diff: &str) -> Vec<String> {
        let flags = |file: &FilePatch| match (file.created, file.deleted) {
            (true, _) => " new",
            (_, true) => " gone",
            _ => "",
        };
        let show = |file: FilePatch| {
            format!("{} +{} -{}{}", file.path, file.additions, file.deletions, flags(&file))
        };
        unified(diff).into_iter().map(show).collect()
    }

    #[test]
    fn diffs_of_all_writers_are_counted() {
        for (diff, expected) in [
            ("", &[][..]),
            ("--- a/x.rs\n+++ b/x.rs\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n", &["x.rs +2 -1"]),
            (
                "diff --git a/x y b/x y\nindex 1..2 100644\n--- a/x y\n+++ b/x y\n@@ -1 +1 @@\n-a\n+b\n",
                &["x y +1 -1"],
            ),
            (
                "Index: src/a.ts\n=====\n--- src/a.ts\n+++ src/a.ts\n@@ -1,1 +1,1 @@\n-a\n+b\n",
                &["src/a.ts +1 -1"],
            ),
            (
                "--- /dev/null\n+++ b/n\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n",
                &["n +2 -0 new"],
            ),
            ("--- a/o\t2026-01-01 10:00:00\n+++ /dev/null\t1970\n@@ -1,1 +0,0 @@\n-a\n", &["o +0 -1 gone"]),
            ("diff --git a/e b/e\nnew file mode 100644\nindex 0..e\n", &["e +0 -0 new"]),
            (
                "--- a/1\n+++ b/1\n@@ -1,2 +1,2 @@\n--- a\n+++ b\n c\n--- a/2\n+++ b/2\n@@ -5 +5,0 @@ fn x()\n-q\n",
                &["1 +1 -1", "2 +0 -1"],
            ),
            ("--- a/1\n+++ b/1\n@@ -1,9 +1,9 @@\n a\n\n-b\ndiff --git a/2 b/2\n", &["1 +0 -1", "2 +0 -0"]),
            ("some text\n+ that is no diff\n- at all\n", &[]),
        ] {
            assert_eq!(shown(diff), expected, "{diff}");
        }
    }
}
