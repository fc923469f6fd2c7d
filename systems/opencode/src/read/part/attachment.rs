//! Attached files and agents that were named.
//!
//! Owns the rows of `attachments` and `agent_mentions`. The address of an attached file is often the file itself, as a
//! `data:` address; its size is counted without decoding it.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::{Outline, Part};
use crate::read::cells::push_row;
use crate::read::fields::Fields;
use crate::read::json::Json;
use crate::table::focused::{AGENT_MENTIONS, ATTACHMENTS};

/// An attached file.
#[derive(Debug, Default)]
pub(in crate::read) struct Attachment<'a> {
    pub(in crate::read) mime: Option<Cow<'a, str>>,
    pub(in crate::read) filename: Option<Cow<'a, str>>,
    pub(in crate::read) url: Option<Cow<'a, str>>,
    pub(in crate::read) source: Option<Json<'a>>,
}

impl Attachment<'_> {
    /// Adds the row of `attachments`.
    pub(in crate::read) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let moment = part.moment(None);
        let url = self.url.as_deref();
        let path = self.source.and_then(|source| source.text_of("path").or_else(|| source.text_of("uri")));
        push_row!(rows, ATTACHMENTS, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            mime: self.mime.as_deref(),
            filename: self.filename.as_deref(),
            url_scheme: url.and_then(scheme),
            byte_count: url.and_then(content_bytes),
            url: url,
            source: self.source.map(|source| source.raw()),
            source_path: path.as_deref(),
            time_created: moment.at,
            document_id: part.document,
        })?;
        Ok(Outline { moment, characters: None })
    }
}

pub(super) fn file<'a>(
    part: &Part<'_>,
    fields: &mut Fields<'a>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    fields.is_a("part.file");
    let attachment = Attachment {
        mime: fields.text("mime"),
        filename: fields.text("filename"),
        url: fields.text("url"),
        source: fields.json("source"),
    };
    attachment.store(part, rows)
}

pub(super) fn agent(part: &Part<'_>, fields: &mut Fields<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
    fields.is_a("part.agent");
    let name = fields.text("name");
    let source = fields.json("source").map(|source| source.raw());
    mention(part, name.as_deref(), source, rows)
}

/// Adds the row of `agent_mentions`.
pub(in crate::read) fn mention(
    part: &Part<'_>,
    name: Option<&str>,
    source: Option<&str>,
    rows: &mut Rows,
) -> Result<Outline, Refusal> {
    let moment = part.moment(None);
    push_row!(rows, AGENT_MENTIONS, {
        part_id: &*part.id,
        message_id: part.message.as_deref(),
        session_id: part.session.as_deref(),
        name: name,
        source: source,
        time_created: moment.at,
        document_id: part.document,
    })?;
    Ok(Outline { moment, characters: None })
}

/// The scheme of an address: letters up to the first colon.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    let is_scheme =
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (is_scheme && !scheme.is_empty()).then_some(scheme)
}

/// Bytes of the content of a `data:` address (RFC 2397), decoded.
fn content_bytes(url: &str) -> Option<i64> {
    let (head, content) = url.strip_prefix("data:")?.split_once(',')?;
    let count = if head.ends_with(";base64") {
        let digits = content.trim_end_matches('=').len();
        digits / 4 * 3 + (digits % 4).saturating_sub(1)
    } else {
        content.len() - 2 * content.matches('%').count().min(content.len() / 3)
    };
    i64::try_from(count).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_content_is_counted_without_decoding() {
        for (url, expected) in [
            ("data:text/plain;base64,", Some(0)),
            ("data:text/plain;base64,QQ==", Some(1)),
            ("data:text/plain;base64,QUI=", Some(2)),
            ("data:text/plain;base64,QUJD", Some(3)),
            ("data:text/plain;base64,QUJDRA", Some(4)),
            ("data:,a%20b", Some(3)),
            ("data:,%%%", Some(1)),
            ("data:x", None),
            ("file:///a,b", None),
        ] {
            assert_eq!(content_bytes(url), expected, "{url}");
        }
    }

    #[test]
    fn schemes() {
        for (url, expected) in [
            ("file:///a", Some("file")),
            ("data:text/plain,x", Some("data")),
            ("/a:b", None),
            (":x", None),
            ("plain", None),
        ] {
            assert_eq!(scheme(url), expected, "{url}");
        }
    }
}
