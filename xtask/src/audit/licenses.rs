//! Whether a package's licence is one that we allow.
//!
//! Owns the reading of deny.toml's allow-list and of SPDX expressions, as far as crates use them:
//! `AND`, `OR`, `WITH`, brackets, and the old `/` for `OR`. It reads only the `[licenses]` table, one
//! entry per line, which is how our deny.toml is written; cargo-deny reads the whole.

use crate::failure::Failure;
use crate::metadata::Package;

/// What deny.toml allows.
#[derive(Debug, Default)]
pub(super) struct Policy {
    allowed: Vec<String>,
    /// Package name and the licence allowed for it alone.
    exceptions: Vec<(String, String)>,
}

impl Policy {
    /// Reads the `[licenses]` table.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let mut policy = Self::default();
        let mut list = "";
        let lines = text.lines().skip_while(|line| line.trim() != "[licenses]").skip(1);
        for line in lines.take_while(|line| !line.starts_with('[')) {
            let line = line.split('#').next().unwrap_or_default().trim();
            if let Some((name, _)) = line.split_once(" = [").filter(|_| !line.starts_with('{')) {
                list = name;
            }
            let words: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            match (list, words.as_slice()) {
                ("allow", words) => policy.allowed.extend(words.iter().map(|word| (*word).to_owned())),
                ("exceptions", [license, package]) => {
                    policy.exceptions.push(((*package).to_owned(), (*license).to_owned()));
                }
                _ => {}
            }
            if line.ends_with(']') {
                list = "";
            }
        }
        if policy.allowed.is_empty() {
            return Err(Failure::new("deny.toml has no `allow` list in its [licenses] table"));
        }
        Ok(policy)
    }

    /// Accepts a package, or says why not.
    pub(super) fn judge(&self, package: &Package) -> Result<(), String> {
        let license = package.license.as_deref().ok_or("it states no license in its manifest")?;
        let allowed = |name: &str| {
            let excepted = self.exceptions.iter().any(|(of, license)| *of == package.name && license == name);
            excepted || self.allowed.iter().any(|allowed| allowed == name)
        };
        match Expression::satisfied(license, &allowed) {
            Some(true) => Ok(()),
            Some(false) => Err(format!("`{license}` is not allowed")),
            None => Err(format!("`{license}` is not an SPDX expression")),
        }
    }
}

/// An SPDX expression on its way through the parser; `AND` binds tighter than `OR`.
struct Expression<'a, Allowed> {
    words: Vec<&'a str>,
    next: usize,
    allowed: &'a Allowed,
}

impl<'a, Allowed: Fn(&str) -> bool> Expression<'a, Allowed> {
    /// Whether the licences allowed suffice for the expression; `None` if it is not one.
    fn satisfied(text: &str, allowed: &Allowed) -> Option<bool> {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let mut expression = Expression { words: spaced.split_whitespace().collect(), next: 0, allowed };
        let satisfied = expression.any_of()?;
        (expression.next == expression.words.len()).then_some(satisfied)
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.words.get(self.next) == Some(&word);
        self.next += usize::from(taken);
        taken
    }

    fn name(&mut self) -> Option<&'a str> {
        let word = *self.words.get(self.next)?;
        self.next += 1;
        (!matches!(word, "AND" | "OR" | "WITH" | "(" | ")")).then_some(word)
    }

    fn any_of(&mut self) -> Option<bool> {
        let mut satisfied = self.all_of()?;
        while self.take("OR") {
            satisfied |= self.all_of()?;
        }
        Some(satisfied)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut satisfied = self.one()?;
        while self.take("AND") {
            satisfied &= self.one()?;
        }
        Some(satisfied)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.any_of()?;
            return self.take(")").then_some(satisfied);
        }
        let license = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Some((self.allowed)(&format!("{license} WITH {exception}")));
        }
        Some((self.allowed)(license))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = r#"
[bans]
allow = ["Never-Read"]

[licenses]
version = 2
allow = [
    "MIT", # the usual
    "Apache-2.0",
    # "Not-This",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-3-Clause", "ISC",
]
exceptions = [
    { allow = ["MPL-2.0"], crate = "weak" }, # a file-level copyleft, unmodified
]

[sources]
allow = ["Never-Read-Either"]
"#;

    fn judge(name: &str, license: Option<&str>) -> Result<(), String> {
        let package =
            Package { name: name.into(), license: license.map(str::to_owned), ..Package::default() };
        Policy::parse(DENY).unwrap().judge(&package)
    }

    #[test]
    fn the_allow_list_is_read_from_its_own_table_only() {
        let policy = Policy::parse(DENY).unwrap();
        assert_eq!(
            policy.allowed,
            ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "ISC"]
        );
        assert_eq!(policy.exceptions, [("weak".to_owned(), "MPL-2.0".to_owned())]);
        assert!(Policy::parse("[bans]\nallow = [\"MIT\"]\n").is_err());
    }

    #[test]
    fn expressions_are_judged_as_spdx_says() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "(MIT OR GPL-3.0) AND BSD-3-Clause",
            "GPL-3.0 AND GPL-2.0 OR ISC",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert_eq!(judge("x", Some(good)), Ok(()), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MIT AND (GPL-3.0 OR AGPL-3.0)",
            "MIT WITH Some-exception",
            "MPL-2.0",
            "Not-This",
            "Never-Read",
            "Never-Read-Either",
            "MIT OR",
            "MIT MIT",
            "(MIT",
            "",
        ] {
            assert!(judge("x", Some(bad)).is_err(), "{bad}");
        }
        assert!(judge("x", None).is_err());
    }

    #[test]
    fn an_exception_is_for_its_package_alone() {
        assert_eq!(judge("weak", Some("MPL-2.0")), Ok(()));
        assert!(judge("weak", Some("GPL-3.0")).is_err());
        assert!(judge("other", Some("MPL-2.0")).is_err());
    }
}
