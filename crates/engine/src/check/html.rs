//! A report as one HTML page that needs nothing else: no script, no font, no picture from anywhere.
//!
//! Owns the page. Every text from outside is escaped.

use std::fmt::Write as _;

use super::report::{Finding, Report, Verdict, threshold};
use super::text::{cohort_text, numbers_text, trend_text, value_text};
use crate::view::{Table, to_text};

const STYLE: &str = "
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .3rem}p{margin:.3rem 0}
.counts{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0}.count{border:1px solid #d5dde5;border-radius:6px;padding:.4rem .9rem}
.count b{font-size:1.3rem;display:block}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #e4eaf0;vertical-align:top}td.n{text-align:right;white-space:nowrap}
.v{font-weight:600;border-radius:4px;padding:.05rem .45rem;white-space:nowrap}
.pass{background:#dcf3e3;color:#0b5a2a}.warn{background:#fdf0cf;color:#6b4a00}.fail,.error{background:#fbdcdc;color:#8a1111}
.unknown{background:#e5e9ee;color:#3c4a58}pre{background:#f5f7f9;padding:.6rem;overflow-x:auto}.muted{color:#5b6b7b}
svg{vertical-align:middle}
@media(prefers-color-scheme:dark){body{background:#12181f;color:#dde5ec}th,td{border-color:#2a3541}.count{border-color:#2a3541}
pre{background:#1a222b}.muted{color:#93a3b3}}";

impl Report {
    /// As an HTML page.
    pub fn to_html(&self) -> String {
        let title = format!("Checks of {}", self.system);
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
             <title>{0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n<p class=\"muted\">{1}, run {2}{3}</p>\n",
            escaped(&title),
            escaped(&self.checked_at),
            escaped(&self.run_id),
            self.cohort.as_ref().map(|name| format!(", cohort {}", escaped(name))).unwrap_or_default(),
        );
        out.push_str("<div class=\"counts\">\n");
        for verdict in Verdict::ALL {
            let count = self.count(verdict);
            let word = verdict.as_str();
            add(
                &mut out,
                format_args!(
                    "<div class=\"count\"><b>{count}</b><span class=\"v {word}\">{word}</span></div>\n"
                ),
            );
        }
        add(&mut out, format_args!("</div>\n<p>{}.</p>\n", escaped(&self.summary())));
        out.push_str(
            "<table><thead><tr><th>verdict</th><th>check</th><th>value</th><th>rule</th><th>trend</th>\
             <th>severity</th></tr></thead><tbody>\n",
        );
        for found in &self.findings {
            row(&mut out, found);
        }
        out.push_str("</tbody></table>\n");
        for found in self.told() {
            section(&mut out, found);
        }
        if !self.not_run.is_empty() {
            out.push_str("<h2>Not run</h2>\n<ul>\n");
            for line in &self.not_run {
                add(&mut out, format_args!("<li>{}</li>\n", escaped(line)));
            }
            out.push_str("</ul>\n");
        }
        out.push_str("</body></html>\n");
        out
    }
}

fn row(out: &mut String, found: &Finding) {
    let word = found.verdict.as_str();
    add(
        out,
        format_args!(
            "<tr><td><span class=\"v {word}\">{word}</span></td><td>{}<br><span class=\"muted\">{}, {}</span></td>\
             <td class=\"n\">{}</td><td>{}</td><td>{} {}</td><td>{}</td></tr>\n",
            escaped(&found.title),
            escaped(&found.check),
            escaped(found.kind),
            escaped(&value_text(found)),
            escaped(&threshold(found)),
            escaped(&trend_text(found)),
            curve(&found.history, found.value),
            found.severity.as_str(),
        ),
    );
}

fn section(out: &mut String, found: &Finding) {
    add(out, format_args!("<h2>{}</h2>\n<p>{}.</p>\n", escaped(&found.check), escaped(&found.title)));
    if !found.numbers.is_empty() {
        add(out, format_args!("<p>Measured: {}.</p>\n", escaped(&numbers_text(found))));
    }
    if let Some(line) = cohort_text(found) {
        add(out, format_args!("<p>The {}.</p>\n", escaped(&line)));
    }
    if let Some(message) = &found.message {
        add(out, format_args!("<pre>{}</pre>\n", escaped(message)));
    }
    if let Some(samples) = found.samples.as_ref().filter(|table| !table.rows.is_empty()) {
        sample_table(out, samples);
    }
    add(out, format_args!("<p><b>Hint:</b> {}</p>\n", escaped(&found.hint)));
}

fn sample_table(out: &mut String, samples: &Table) {
    add(out, format_args!("<pre>{}</pre>\n", escaped(&to_text(samples))));
}

/// The values of earlier runs and this one as a small curve.
fn curve(history: &[f64], value: Option<f64>) -> String {
    let points: Vec<f64> = history.iter().copied().chain(value).filter(|value| value.is_finite()).collect();
    if points.len() < 2 {
        return String::new();
    }
    let low = points.iter().copied().fold(f64::INFINITY, f64::min);
    let high = points.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let height = |value: f64| if high > low { 18.0 - 16.0 * (value - low) / (high - low) } else { 10.0 };
    let step = 90.0 / (points.len() - 1) as f64;
    let path: Vec<String> = points
        .iter()
        .enumerate()
        .map(|(at, value)| format!("{:.1},{:.1}", 1.0 + at as f64 * step, height(*value)))
        .collect();
    format!(
        "<svg width=\"92\" height=\"20\" role=\"img\" aria-label=\"values of the last {} runs\"><polyline points=\"{}\" \
         fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/></svg>",
        points.len(),
        path.join(" ")
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_cannot_become_markup() {
        assert_eq!(escaped("<b>&\"</b>"), "&lt;b&gt;&amp;&quot;&lt;/b&gt;");
    }

    #[test]
    fn a_curve_needs_two_points() {
        assert_eq!(curve(&[], Some(1.0)), "");
        assert!(curve(&[1.0, 3.0], Some(2.0)).contains("1.0,18.0 46.0,2.0 91.0,10.0"));
        assert!(curve(&[5.0], Some(5.0)).contains("1.0,10.0 91.0,10.0"));
    }
}
