//! The categories of errors, and what each means for whoever reads them.
//!
//! Owns the list, the stored names, the severity, and whether the same call may succeed when it is made again. It
//! deliberately does not decide which category a text has; see [`super::classify`].
//!
//! Invariants:
//! - A stored name never changes its meaning; a new category gets a new name.

/// How bad an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Part of ordinary work: the agent sees it and goes another way.
    Low,
    /// Costs time: a failing build, a slow network.
    Medium,
    /// Stops the session until a person does something, or loses an answer.
    High,
    /// The machine itself is in trouble.
    Critical,
}

impl Severity {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

macro_rules! categories {
    ($($(#[doc = $doc:literal])+ $variant:ident, $name:literal, $severity:ident, $retryable:literal;)+) => {
        /// What kind of error it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Category {
            /// All categories, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stored name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// How bad errors of this kind are.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }

            /// Whether the very same call may succeed when it is made again later.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),+ }
            }
        }
    };
}

categories! {
    /// Something did not answer or end in time.
    Timeout, "timeout", Medium, true;
    /// Credentials are missing, wrong, expired or not sufficient.
    Auth, "auth", High, false;
    /// A host, a port or a secure connection could not be reached.
    Network, "network", Medium, true;
    /// Too many requests in a short time.
    RateLimit, "rate_limit", Medium, true;
    /// A plan, a budget or a balance is used up.
    Quota, "quota", High, false;
    /// A file, page, model or other named thing is not there.
    NotFound, "not_found", Low, false;
    /// The operating system or a site forbids it.
    Permission, "permission", Medium, false;
    /// The user, or a rule of the user, said no.
    Rejected, "rejected", Low, false;
    /// Stopped on purpose before it ended.
    Aborted, "aborted", Low, false;
    /// Arguments, options or a request that cannot be right.
    InvalidInput, "invalid_input", Low, false;
    /// A tool or an agent that does not exist.
    UnknownTool, "unknown_tool", Low, false;
    /// The text to replace is not in the file, or more than once.
    EditMismatch, "edit_mismatch", Low, false;
    /// The file was not read before, or changed since.
    StaleRead, "stale_read", Low, false;
    /// Program text, a configuration or data that cannot be parsed.
    Syntax, "syntax", Medium, false;
    /// A compiler, type checker or linker refused.
    Compile, "compile", Medium, false;
    /// Tests ran, and some failed.
    TestFailure, "test_failure", Medium, false;
    /// A linter or formatter objects.
    Lint, "lint", Low, false;
    /// More input than the model takes.
    ContextOverflow, "context_overflow", High, false;
    /// More output than the model gives.
    OutputLimit, "output_limit", Medium, false;
    /// The provider blocked the content.
    ContentFilter, "content_filter", Medium, false;
    /// The model did not keep to the required structure.
    StructuredOutput, "structured_output", Medium, true;
    /// The provider or a server failed on its side.
    Provider, "provider", High, true;
    /// A disk is full or cannot be written.
    Disk, "disk", Critical, false;
    /// Memory ran out.
    Memory, "memory", Critical, false;
    /// A program, module or package is missing, or versions do not go together.
    Dependency, "dependency", Medium, false;
    /// Git refused: a conflict, a rejected push, no repository.
    Git, "git", Medium, false;
    /// A setting is missing or wrong.
    Configuration, "configuration", High, false;
    /// A program crashed on its own: an exception, a panic, a signal.
    Runtime, "runtime", Medium, false;
    /// A command ended with a failure and did not say why.
    CommandFailed, "command_failed", Low, false;
    /// Nothing above is recognized.
    Unknown, "unknown", Medium, false;
}

impl Category {
    /// The category with this stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.name() == name)
    }
}

impl std::fmt::Display for Category {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_fifteen_and_the_required_four_come_first() {
        assert!(Category::ALL.len() >= 15, "{}", Category::ALL.len());
        let first: Vec<_> = Category::ALL.iter().take(4).map(|category| category.name()).collect();
        assert_eq!(first, ["timeout", "auth", "network", "rate_limit"]);
    }

    #[test]
    fn a_name_leads_back_to_its_category() {
        for category in Category::ALL {
            assert_eq!(Category::from_name(category.name()), Some(*category));
        }
        assert_eq!(Category::from_name("Timeout"), None);
    }

    #[test]
    fn every_severity_is_used_and_what_may_be_repeated_is_never_on_purpose() {
        for severity in [Severity::Low, Severity::Medium, Severity::High, Severity::Critical] {
            assert!(
                Category::ALL.iter().any(|category| category.severity() == severity),
                "{}",
                severity.name()
            );
        }
        for category in [Category::Aborted, Category::Rejected, Category::Quota, Category::Auth] {
            assert!(!category.is_retryable(), "{category}");
        }
    }
}
