//! The text forms that Prometheus scrapes: its own, version 0.0.4, and OpenMetrics 1.0.
//!
//! Owns the encoding: families together in one block, labels escaped, values as the formats write them. The rules
//! are those of Prometheus' exposition formats and of OpenMetrics; `promtool check metrics` and a real Prometheus are
//! the judges in the tests.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Kind, Sample};

/// The content type of the text form.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes samples in the text form, sorted by family.
pub fn render(samples: &[Sample]) -> String {
    blocks(samples, "")
}

/// Writes samples in the form of OpenMetrics, sorted by family, without the line `# EOF` that ends a whole document.
pub fn render_open_metrics(samples: &[Sample]) -> String {
    // The only difference that these samples meet: a counter's family is named without the ending of its samples.
    blocks(samples, "_total")
}

fn blocks(samples: &[Sample], ending: &str) -> String {
    let mut families: BTreeMap<&str, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        families.entry(family_of(sample)).or_default().push(sample);
    }
    let mut out = String::new();
    for (name, samples) in families {
        let Some(first) = samples.first() else { continue };
        let name = if first.kind == Kind::Counter { name.strip_suffix(ending).unwrap_or(name) } else { name };
        // Writing to a string does not fail.
        let _ = writeln!(out, "# HELP {name} {}", first.help.replace('\\', "\\\\").replace('\n', "\\n"));
        let _ = writeln!(out, "# TYPE {name} {}", first.kind.as_str());
        for sample in samples {
            out.push_str(&sample.name);
            for (at, (label, value)) in sample.labels.iter().enumerate() {
                let _ = write!(out, "{}{label}=\"{}\"", if at == 0 { '{' } else { ',' }, escape(value));
            }
            if !sample.labels.is_empty() {
                out.push('}');
            }
            let _ = writeln!(out, " {}", number(sample.value));
        }
    }
    out
}

fn family_of(sample: &Sample) -> &str {
    let name = sample.name.as_str();
    if sample.kind != Kind::Histogram {
        return name;
    }
    ["_bucket", "_sum", "_count"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}
