//! A source in a folder: saved answers, one file each.
//!
//! Owns the rule that turns a question into a file name and back, reading such a folder, and recording one
//! ([`SavingFetch`]). It deliberately ignores every parameter but `offset`: a folder holds one state of the source,
//! and pages are told apart by where they begin.
//!
//! # File names
//!
//! | question | file |
//! |---|---|
//! | `committee-meeting/119/house/118296` | `committee-meeting/119/house/118296.json` |
//! | `committee-meeting/119` with `offset=250` | `committee-meeting/119/page-250.json` |
//!
//! A byte of a path segment that is not a letter, digit, `-` or `_` or a `.` inside the segment is written as `%XX`; so
//! is the `p` of a segment that would read as a page. So every file stands for exactly one question
//! ([`question_of`]), and no question leads out of the folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{Fetch, FetchError, FetchStatistics, Query};
use crate::error::EngineError;

/// Answers questions from a folder of saved answers.
#[derive(Debug)]
pub struct DirectoryFetch {
    folder: PathBuf,
    statistics: FetchStatistics,
}

impl DirectoryFetch {
    /// A source over `folder`.
    ///
    /// # Errors
    /// Usage, when there is no such folder.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, EngineError> {
        let folder = folder.into();
        if !folder.is_dir() {
            return Err(EngineError::usage(format!(
                "the source {} is not a folder\nhint: give an http(s) address or a folder of saved answers",
                folder.display()
            )));
        }
        Ok(Self { folder, statistics: FetchStatistics::default() })
    }
}

impl Fetch for DirectoryFetch {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        self.statistics.requests += 1;
        let file = self.folder.join(file_of(query));
        let bytes = fs::read(&file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                FetchError::Answer(format!("there is no saved answer {}", file.display()))
            }
            _ => FetchError::Answer(format!("the saved answer {} cannot be read: {error}", file.display())),
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            FetchError::Answer(format!("the saved answer {} is not JSON: {error}", file.display()))
        })
    }

    fn budget_left(&self) -> Option<u64> {
        None
    }

    fn statistics(&self) -> FetchStatistics {
        self.statistics
    }
}

/// Passes questions on and saves every answer into a folder that [`DirectoryFetch`] reads.
#[derive(Debug)]
pub struct SavingFetch<F> {
    inner: F,
    folder: PathBuf,
}

impl<F: Fetch> SavingFetch<F> {
    /// Saves the answers of `inner` into `folder`, which is made when absent.
    ///
    /// # Errors
    /// Usage, when the folder cannot be made.
    pub fn new(inner: F, folder: impl Into<PathBuf>) -> Result<Self, EngineError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|error| {
            EngineError::usage(format!("the folder {} cannot be made: {error}", folder.display()))
        })?;
        Ok(Self { inner, folder })
    }

    /// The source whose answers were saved.
    pub fn into_inner(self) -> F {
        self.inner
    }
}

impl<F: Fetch> Fetch for SavingFetch<F> {
    fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
        let answer = self.inner.get(query)?;
        let file = self.folder.join(file_of(query));
        save(&file, &answer).map_err(|error| {
            FetchError::Source(format!(
                "the answer cannot be saved as {}: {error}\nhint: check the folder and the free space",
                file.display()
            ))
        })?;
        Ok(answer)
    }

    fn budget_left(&self) -> Option<u64> {
        self.inner.budget_left()
    }

    fn statistics(&self) -> FetchStatistics {
        self.inner.statistics()
    }

    fn now(&self) -> Option<String> {
        self.inner.now()
    }
}

/// Writes beside the file first, so that a reader never meets half an answer.
fn save(file: &Path, answer: &Json) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_string_pretty(answer)?;
    text.push('\n');
    let partial = file.with_extension("partial");
    fs::write(&partial, text)?;
    fs::rename(&partial, file)
}

/// The file of a question, relative to the folder.
pub fn file_of(query: &Query) -> PathBuf {
    let mut segments: Vec<String> =
        query.path.split('/').filter(|segment| !segment.is_empty()).map(encode_segment).collect();
    let offset = query.parameters.iter().find(|(name, _)| name == "offset");
    if let Some(offset) = offset.and_then(|(_, value)| value.parse::<u64>().ok()) {
        segments.push(format!("page-{offset}"));
    } else if segments.is_empty() {
        // A question about nothing; `%` alone stands for no other segment.
        segments.push("%".to_owned());
    }
    let mut path = PathBuf::from(segments.join("/"));
    if let Some(name) = path.file_name().and_then(|name| name.to_str()).map(|name| format!("{name}.json")) {
        path.set_file_name(name);
    }
    path
}

/// The question that a file of the folder answers; none when it is not a saved answer.
pub fn question_of(file: &Path) -> Option<Query> {
    let mut segments: Vec<&str> = Vec::new();
    for part in file.components() {
        segments.push(part.as_os_str().to_str()?);
    }
    let name = segments.pop()?.strip_suffix(".json")?;
    let page = name.strip_prefix("page-").filter(|_| is_page(name));
    let mut path = segments.into_iter().map(decode_segment).collect::<Option<Vec<String>>>()?;
    if page.is_none() && !(name == "%" && path.is_empty()) {
        path.push(decode_segment(name)?);
    }
    let query = Query::new(path.join("/"));
    let query = match page {
        Some(offset) => query.with("offset", offset),
        None => query,
    };
    (file_of(&query) == file).then_some(query)
}

fn is_page(segment: &str) -> bool {
    segment
        .strip_prefix("page-")
        .is_some_and(|rest| rest.parse::<u64>().is_ok_and(|offset| offset.to_string() == rest))
}

fn encode_segment(segment: &str) -> String {
    let last = segment.len().saturating_sub(1);
    let mut encoded = String::with_capacity(segment.len());
    for (place, byte) in segment.bytes().enumerate() {
        let inner_point = byte == b'.' && place > 0 && place < last;
        let page = place == 0 && is_page(segment);
        if (byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || inner_point) && !page {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decode_segment(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'%' {
            let hex = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Canned(Json);

    impl Fetch for Canned {
        fn get(&mut self, query: &Query) -> Result<Json, FetchError> {
            if query.path == "bad" {
                return Err(FetchError::Answer("bad".into()));
            }
            Ok(json!({ "asked": query.path, "body": self.0 }))
        }

        fn budget_left(&self) -> Option<u64> {
            Some(7)
        }

        fn statistics(&self) -> FetchStatistics {
            FetchStatistics::default()
        }
    }

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("plimsoll-directory-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn names_are_as_documented() {
        let item = Query::new("committee-meeting/119/house/118296").with("format", "json");
        assert_eq!(file_of(&item), Path::new("committee-meeting/119/house/118296.json"));
        let page = Query::new("committee-meeting/119").with("limit", 250).with("offset", 250);
        assert_eq!(file_of(&page), Path::new("committee-meeting/119/page-250.json"));
    }

    #[test]
    fn every_question_has_its_own_file_and_the_way_back() {
        let paths = [
            "a",
            "a/b",
            "a.b/c",
            "../etc/passwd",
            ".hidden",
            "page-0",
            "page-00",
            "a/page-5/b",
            "ä b%c",
            "",
            "%",
        ];
        let mut seen = std::collections::HashMap::new();
        for path in paths {
            for query in
                [Query::new(path), Query::new(path).with("offset", 0), Query::new(path).with("offset", 250)]
            {
                let file = file_of(&query);
                assert!(file.is_relative() && !file.to_string_lossy().contains(".."), "{}", file.display());
                assert_eq!(question_of(&file).as_ref(), Some(&query), "{}", file.display());
                let other = seen.insert(file.clone(), query.clone());
                assert_eq!(other, None, "{}", file.display());
            }
        }
        for foreign in ["notes.txt", "a/%zz.json", "a/b.partial", "%41.json"] {
            assert_eq!(question_of(Path::new(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn what_was_saved_is_read_back() {
        let folder = folder("saved");
        let mut saving = SavingFetch::new(Canned(json!([1, "ü"])), &folder).unwrap();
        let queries = [Query::new("m/119/house/1"), Query::new("m/119").with("offset", 0).with("limit", 250)];
        let answers: Vec<Json> = queries.iter().map(|query| saving.get(query).unwrap()).collect();
        assert_eq!(saving.budget_left(), Some(7));
        assert_eq!(saving.get(&Query::new("bad")), Err(FetchError::Answer("bad".into())));

        let mut saved = DirectoryFetch::open(&folder).unwrap();
        for (query, answer) in queries.iter().zip(&answers) {
            assert_eq!(saved.get(query).as_ref(), Ok(answer));
        }
        // Only the offset tells pages apart.
        assert_eq!(
            saved.get(&Query::new("m/119").with("limit", 20).with("offset", 0)).as_ref(),
            Ok(&answers[1])
        );
        let missing = saved.get(&Query::new("bad")).unwrap_err();
        assert!(matches!(&missing, FetchError::Answer(text) if text.contains("bad.json")), "{missing}");
        fs::write(folder.join("torn.json"), "{\"a\":").unwrap();
        let torn = saved.get(&Query::new("torn")).unwrap_err();
        assert!(matches!(&torn, FetchError::Answer(text) if text.contains("not JSON")), "{torn}");
        assert_eq!(saved.statistics().requests, 5);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused() {
        let error = DirectoryFetch::open("/nowhere/at/all").unwrap_err();
        assert!(error.message.contains("hint:"), "{error}");
    }
}
