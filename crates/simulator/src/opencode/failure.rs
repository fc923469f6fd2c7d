//! What goes wrong in generated sessions, in the words that real programs use, each with the family it
//! belongs to.
//!
//! Owns the tables of failing tool calls, of shell commands that end with another exit code than 0, and of
//! answers that end with an error. The families are the expectation that a classifier is measured against;
//! they are named in the manifest and written nowhere else.

use super::json::{Json, Object};
use super::version::Version;
use crate::random::Random;

/// A failed tool call: its family, the tools it happens to, and the text.
type ToolFailure = (&'static str, &'static [&'static str], &'static str);

const FILE_TOOLS: &[&str] = &["read", "write", "edit"];
const WEB_TOOLS: &[&str] = &["webfetch", "websearch", "codesearch"];
const MCP_TOOLS: &[&str] = &["github_search_issues", "context7_get_library_docs", "websearch"];
const EDITS: &[&str] = &["edit", "write"];
const SEARCHES: &[&str] = &["grep", "glob"];

const TOOL_FAILURES: &[ToolFailure] = &[
    ("file_not_found", &["read", "edit"], "Error: File not found: {path}"),
    ("file_not_found", &["read"], "Error: ENOENT: no such file or directory, open '{path}'"),
    ("edit_no_match", &["edit"], "Error: oldString not found in content"),
    (
        "edit_ambiguous",
        &["edit"],
        "Error: Found multiple matches for oldString. Provide more surrounding lines in oldString to identify the correct match.",
    ),
    (
        "not_read_first",
        EDITS,
        "Error: You must read the file {path} before overwriting it. Use the Read tool first",
    ),
    (
        "changed_since_read",
        EDITS,
        "Error: File {path} has been modified since it was last read.\n\nPlease read the file again before modifying it.",
    ),
    ("permission_denied", FILE_TOOLS, "Error: EACCES: permission denied, open '{path}'"),
    (
        "rejected_by_user",
        &["bash", "edit", "write", "webfetch"],
        "Error: The user rejected permission to use this specific tool call.",
    ),
    ("is_directory", &["read"], "Error: EISDIR: illegal operation on a directory, read"),
    ("binary_file", &["read"], "Error: Cannot read binary file: {path}"),
    ("disk_full", &["write"], "Error: ENOSPC: no space left on device, write"),
    ("timeout", WEB_TOOLS, "Error: The operation timed out."),
    ("timeout", MCP_TOOLS, "Error: MCP error -32001: Request timed out"),
    ("network", WEB_TOOLS, "Error: Unable to connect. Is the computer able to access the url?"),
    ("network", &["webfetch"], "Error: getaddrinfo ENOTFOUND docs.example.com"),
    ("http_status", &["webfetch"], "Error: Request failed with status code: 404"),
    ("http_status", &["webfetch"], "Error: Request failed with status code: 403"),
    ("server_error", WEB_TOOLS, "Error: Request failed with status code: 503"),
    ("rate_limit", MCP_TOOLS, "Error: Request failed with status code: 429 Too Many Requests"),
    ("authentication", MCP_TOOLS, "Error: MCP error -32603: 401 Unauthorized: the token has expired"),
    (
        "invalid_arguments",
        &["*"],
        "Error: The tool was called with invalid arguments: [\n  {\n    \"expected\": \"string\",\n    \"code\": \"invalid_type\",\n    \"path\": [\n      \"filePath\"\n    ],\n    \"message\": \"Invalid input: expected string, received undefined\"\n  }\n].\nPlease rewrite the input so it satisfies the expected schema.",
    ),
    ("pattern_syntax", SEARCHES, "Error: regex parse error:\n    tide(\n        ^\nerror: unclosed group"),
    ("program_missing", SEARCHES, "Error: Executable not found in $PATH: \"rg\""),
    ("program_missing", SEARCHES, "ripgrep execution failed"),
    ("out_of_memory", &["bash"], "Error: spawn ENOMEM"),
    ("unknown_agent", &["task"], "Error: Unknown agent type: harbor-master is not a valid agent type"),
];

/// What a person's escape leaves in a running tool.
pub(super) const ABORTED: &str = "Tool execution aborted";

/// A failure of `tool`: its family and its text.
pub(super) fn of_tool(
    random: &mut Random,
    tool: &str,
    path: &str,
    version: Version,
) -> (&'static str, String) {
    let fitting: Vec<&ToolFailure> =
        TOOL_FAILURES.iter().filter(|(_, tools, _)| tools.contains(&tool) || tools.contains(&"*")).collect();
    let (family, _, text) = **random.pick(&fitting);
    let text = text.replace("{path}", path);
    // The newest versions leave the class of the error out.
    let text = if version >= Version::V1_18_34 { text.replacen("Error: ", "", 1) } else { text };
    (family, text)
}

/// A shell command that failed: family, command, exit code, output.
const SHELL_FAILURES: &[(&str, &str, i32, &str)] = &[
    (
        "test_failure",
        "cargo test --workspace",
        101,
        "---- lexer::tests::empty stdout ----\nthread 'lexer::tests::empty' panicked at src/parser/lexer.rs:88:9:\nassertion `left == right` failed\n  left: 3\n right: 4\n\ntest result: FAILED. 41 passed; 1 failed; 0 ignored\n",
    ),
    (
        "test_failure",
        "pytest -q python/tests",
        1,
        "FAILED python/tests/test_loader.py::test_limit - AssertionError: assert 9 == 10\n1 failed, 27 passed in 0.61s\n",
    ),
    (
        "test_failure",
        "npm test",
        1,
        "FAIL web/src/lib/date.test.ts\n  ● formats a day\n    Expected: \"2026-01-01\"\n    Received: \"2025-12-31\"\nTests: 1 failed, 12 passed, 13 total\n",
    ),
    (
        "compile_error",
        "cargo build",
        101,
        "error[E0308]: mismatched types\n  --> src/cache.rs:17:22\n   |\n17 |     let size: usize = \"12\";\n   |               -----   ^^^^ expected `usize`, found `&str`\nerror: could not compile `acme-parser` due to 1 previous error\n",
    ),
    (
        "compile_error",
        "npm run build",
        2,
        "src/App.tsx(14,7): error TS2322: Type 'string' is not assignable to type 'number'.\n",
    ),
    (
        "syntax_error",
        "python3 python/loader.py",
        1,
        "  File \"python/loader.py\", line 12\n    def load(path\n            ^\nSyntaxError: '(' was never closed\n",
    ),
    (
        "syntax_error",
        "bash -n scripts/release.sh",
        2,
        "scripts/release.sh: line 9: syntax error near unexpected token `fi'\n",
    ),
    ("command_not_found", "just lint", 127, "/bin/bash: line 1: just: command not found\n"),
    ("command_not_found", "python python/loader.py", 127, "zsh:1: command not found: python\n"),
    ("file_not_found", "cat docs/missing.md", 1, "cat: docs/missing.md: No such file or directory\n"),
    ("file_not_found", "ls src/nowhere", 2, "ls: cannot access 'src/nowhere': No such file or directory\n"),
    (
        "permission_denied",
        "./scripts/release.sh",
        126,
        "/bin/bash: line 1: ./scripts/release.sh: Permission denied\n",
    ),
    (
        "permission_denied",
        "touch /etc/demo.conf",
        1,
        "touch: cannot touch '/etc/demo.conf': Permission denied\n",
    ),
    (
        "dependency_missing",
        "node web/dist/server.js",
        1,
        "Error: Cannot find module 'express'\nRequire stack:\n- /srv/demo/lantern-web/web/dist/server.js\n",
    ),
    ("dependency_missing", "python3 -m loader", 1, "ModuleNotFoundError: No module named 'loader'\n"),
    (
        "network",
        "curl -fsS https://docs.example.com/guide",
        6,
        "curl: (6) Could not resolve host: docs.example.com\n",
    ),
    (
        "network",
        "git fetch origin",
        128,
        "ssh: connect to host git.example.com port 22: Connection refused\nfatal: Could not read from remote repository.\n",
    ),
    ("authentication", "gh pr list", 4, "HTTP 401: Bad credentials (https://api.example.com/graphql)\n"),
    (
        "git_conflict",
        "git merge main",
        1,
        "Auto-merging src/cache.rs\nCONFLICT (content): Merge conflict in src/cache.rs\nAutomatic merge failed; fix conflicts and then commit the result.\n",
    ),
    (
        "git_failure",
        "git push origin main",
        1,
        "! [rejected]        main -> main (non-fast-forward)\nerror: failed to push some refs\n",
    ),
    (
        "timeout",
        "cargo bench",
        124,
        "Running benches/tide.rs\n\n<metadata>\nCommand timed out after 120000 ms\n</metadata>",
    ),
    (
        "out_of_memory",
        "npm run build -- --profile",
        137,
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\nKilled\n",
    ),
    (
        "lint",
        "cargo clippy -- -D warnings",
        101,
        "error: this `if` has identical blocks\n   --> src/parser/mod.rs:40:12\n",
    ),
    (
        "disk_full",
        "cp big.bin /mnt/small/",
        1,
        "cp: error writing '/mnt/small/big.bin': No space left on device\n",
    ),
    ("other", "grep -q needle src/main.rs", 1, ""),
    ("other", "exit 3", 3, "(no output)"),
];

/// A shell command that ends with another exit code than 0: family, command, exit code, output.
pub(super) fn of_shell(random: &mut Random) -> (&'static str, &'static str, i32, &'static str) {
    *random.pick(SHELL_FAILURES)
}

/// An answer that failed: its family and the error as the message keeps it.
pub(super) fn of_answer(random: &mut Random, provider: &str, version: Version) -> (&'static str, Json) {
    let error =
        |name: &'static str, data: Object| Json::from(Object::new().with("name", name).with("data", data));
    let unknown = |text: &'static str| error("UnknownError", Object::new().with("message", text));
    let api = |status: u64, retry: bool, message: &'static str, body: &'static str| {
        let headers = Object::new().with("content-type", "application/json").with("retry-after", "12");
        let metadata = Object::new().with("url", "https://api.example.com/v1/messages");
        let data = Object::new()
            .with("message", message)
            .with("statusCode", status)
            .with("isRetryable", retry)
            .with("responseHeaders", headers)
            .with("responseBody", body)
            .maybe("metadata", version.since_1_0_100().then_some(metadata));
        error("APIError", data)
    };
    let typed = version >= Version::V1_0_61;
    match random.below(16) {
        0 | 1 if typed => (
            "rate_limit",
            api(
                429,
                true,
                "Too Many Requests: rate limit exceeded for tokens per minute",
                r#"{"type":"error","error":{"type":"rate_limit_error","message":"rate limited"}}"#,
            ),
        ),
        2 if typed => (
            "overloaded",
            api(
                529,
                true,
                "Overloaded",
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            ),
        ),
        3 if typed => ("server_error", api(500, true, "Internal server error", "{\"error\":\"internal\"}")),
        4 if typed => (
            "invalid_request",
            api(
                400,
                false,
                "messages.3: tool_use ids were found without tool_result blocks",
                "{\"error\":{\"type\":\"invalid_request_error\"}}",
            ),
        ),
        5 if typed => {
            ("quota", api(402, false, "Insufficient credits. Add more to continue.", "{\"code\":402}"))
        }
        6 if typed => (
            "model_not_found",
            api(404, false, "model: quokka-9b was not found", "{\"error\":\"not_found\"}"),
        ),
        7 | 8 => {
            let data = Object::new()
                .with("providerID", provider.to_owned())
                .with("message", "API key is missing or invalid. Run `opencode auth login`.");
            ("authentication", error("ProviderAuthError", data))
        }
        9 => ("output_length", error("MessageOutputLengthError", Object::new())),
        10 if version.since_1_0_100() => {
            let data =
                Object::new().with("message", "prompt is too long: 214583 tokens > 200000 maximum").maybe(
                    "responseBody",
                    version.newer_order().then_some("{\"error\":{\"type\":\"invalid_request_error\"}}"),
                );
            ("context_overflow", error("ContextOverflowError", data))
        }
        11 if version.since_1_0_100() => {
            let data = Object::new()
                .with("message", "Model did not produce structured output")
                .with("retries", 2_u64);
            ("structured_output", error("StructuredOutputError", data))
        }
        12 if version >= Version::V1_18_34 => (
            "content_filter",
            error(
                "ContentFilterError",
                Object::new().with("message", "The response was stopped by a content filter"),
            ),
        ),
        13 => ("network", unknown("Error: Unable to connect. Is the computer able to access the url?")),
        14 => ("network", unknown("ECONNRESET: The socket connection was closed unexpectedly")),
        15 => ("timeout", unknown("The operation timed out.")),
        _ => ("rate_limit", unknown("\"Rate limit exceeded: too many requests\"")),
    }
}

/// The error of an answer that a person stopped.
pub(super) fn stopped(version: Version) -> Json {
    let data =
        Object::new().maybe("message", (version >= Version::V1_0_61).then_some("The operation was aborted."));
    Object::new().with("name", "MessageAbortedError").with("data", data).into()
}

/// An error of the provider that was tried again, as a retry part keeps it.
pub(super) fn retried() -> Json {
    let data =
        Object::new().with("message", "Overloaded").with("statusCode", 529_u64).with("isRetryable", true);
    Object::new().with("name", "APIError").with("data", data).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_are_many_families_and_every_tool_can_fail() {
        let mut families: HashSet<&str> = TOOL_FAILURES.iter().map(|(family, ..)| *family).collect();
        families.extend(SHELL_FAILURES.iter().map(|(family, ..)| *family));
        let mut random = Random::new(1);
        for _ in 0..400 {
            families.insert(of_answer(&mut random, "openai", Version::V1_18_34).0);
        }
        assert!(families.len() >= 30, "{}", families.len());
        for tool in ["read", "bash", "todowrite", "grep", "task"] {
            assert!(!of_tool(&mut random, tool, "/a", Version::V1_1_65).1.contains("{path}"));
        }
        assert!(SHELL_FAILURES.iter().all(|(_, _, exit, _)| *exit != 0));
    }
}
