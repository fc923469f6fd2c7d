//! The language of a file, by its name.

/// Names of whole files.
const NAMES: &[(&str, &str)] = &[
    ("dockerfile", "Dockerfile"),
    ("containerfile", "Dockerfile"),
    ("makefile", "Makefile"),
    ("gnumakefile", "Makefile"),
    ("cmakelists.txt", "CMake"),
    ("jenkinsfile", "Groovy"),
    ("gemfile", "Ruby"),
    ("rakefile", "Ruby"),
    ("justfile", "Just"),
    ("build.bazel", "Starlark"),
    (".gitignore", "Ignore"),
    (".env", "Environment"),
];

/// Extensions, sorted.
const EXTENSIONS: &[(&str, &str)] = &[
    ("astro", "Astro"),
    ("bash", "Shell"),
    ("bat", "Batch"),
    ("bzl", "Starlark"),
    ("c", "C"),
    ("cc", "C++"),
    ("cfg", "INI"),
    ("cjs", "JavaScript"),
    ("clj", "Clojure"),
    ("cljs", "Clojure"),
    ("cmake", "CMake"),
    ("conf", "INI"),
    ("cpp", "C++"),
    ("cs", "C#"),
    ("css", "CSS"),
    ("csv", "CSV"),
    ("cts", "TypeScript"),
    ("cxx", "C++"),
    ("dart", "Dart"),
    ("env", "Environment"),
    ("erl", "Erlang"),
    ("ex", "Elixir"),
    ("exs", "Elixir"),
    ("fish", "Shell"),
    ("fs", "F#"),
    ("fsx", "F#"),
    ("go", "Go"),
    ("gql", "GraphQL"),
    ("gradle", "Groovy"),
    ("graphql", "GraphQL"),
    ("groovy", "Groovy"),
    ("h", "C"),
    ("hcl", "HCL"),
    ("hh", "C++"),
    ("hpp", "C++"),
    ("hrl", "Erlang"),
    ("hs", "Haskell"),
    ("htm", "HTML"),
    ("html", "HTML"),
    ("hxx", "C++"),
    ("ini", "INI"),
    ("ipynb", "Notebook"),
    ("java", "Java"),
    ("jl", "Julia"),
    ("js", "JavaScript"),
    ("json", "JSON"),
    ("json5", "JSON"),
    ("jsonc", "JSON"),
    ("jsonl", "JSON"),
    ("jsx", "JavaScript"),
    ("kt", "Kotlin"),
    ("kts", "Kotlin"),
    ("less", "CSS"),
    ("lock", "Lock file"),
    ("lua", "Lua"),
    ("m", "Objective-C"),
    ("markdown", "Markdown"),
    ("md", "Markdown"),
    ("mdx", "Markdown"),
    ("mjs", "JavaScript"),
    ("ml", "OCaml"),
    ("mli", "OCaml"),
    ("mm", "Objective-C"),
    ("mts", "TypeScript"),
    ("nix", "Nix"),
    ("nu", "Shell"),
    ("php", "PHP"),
    ("pl", "Perl"),
    ("pm", "Perl"),
    ("proto", "Protocol Buffers"),
    ("ps1", "PowerShell"),
    ("psm1", "PowerShell"),
    ("py", "Python"),
    ("pyi", "Python"),
    ("r", "R"),
    ("rb", "Ruby"),
    ("rs", "Rust"),
    ("rst", "reStructuredText"),
    ("sass", "CSS"),
    ("scala", "Scala"),
    ("scss", "CSS"),
    ("sh", "Shell"),
    ("sol", "Solidity"),
    ("sql", "SQL"),
    ("svelte", "Svelte"),
    ("svg", "SVG"),
    ("swift", "Swift"),
    ("tcl", "Tcl"),
    ("tex", "TeX"),
    ("tf", "HCL"),
    ("tfvars", "HCL"),
    ("toml", "TOML"),
    ("ts", "TypeScript"),
    ("tsv", "CSV"),
    ("tsx", "TypeScript"),
    ("txt", "Text"),
    ("vb", "Visual Basic"),
    ("vue", "Vue"),
    ("xml", "XML"),
    ("yaml", "YAML"),
    ("yml", "YAML"),
    ("zig", "Zig"),
    ("zsh", "Shell"),
];

/// The language of a file by its name, `None` if it is not known.
///
/// Paths of both kinds are taken, `/` and `\`.
#[must_use]
pub fn language(path: &str) -> Option<&'static str> {
    let name = path.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    if let Some((_, language)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(language);
    }
    if name.starts_with("dockerfile.") {
        return Some("Dockerfile");
    }
    let (stem, extension) = name.rsplit_once('.')?;
    let at = EXTENSIONS.binary_search_by(|(known, _)| (*known).cmp(extension)).ok()?;
    (!stem.is_empty()).then_some(EXTENSIONS[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_known_by_name() {
        for (path, expected) in [
            ("src/main.rs", Some("Rust")),
            ("C:\\work\\App.TSX", Some("TypeScript")),
            ("a.d.ts", Some("TypeScript")),
            ("Dockerfile", Some("Dockerfile")),
            ("docker/Dockerfile.dev", Some("Dockerfile")),
            ("x/CMakeLists.txt", Some("CMake")),
            ("notes.txt", Some("Text")),
            (".env", Some("Environment")),
            (".rs", None),
            ("LICENSE", None),
            ("a.rs/b", None),
            ("a.unknown", None),
            ("", None),
        ] {
            assert_eq!(language(path), expected, "{path}");
        }
    }

    #[test]
    fn the_table_is_sorted_so_that_it_can_be_searched() {
        assert!(EXTENSIONS.is_sorted_by(|one, other| one.0 < other.0));
    }
}
