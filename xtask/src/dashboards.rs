//! Grafana dashboards, written from one compact source: `ops/grafana/dashboards.txt`.
//!
//! Owns the form of the source, where panels stand, and Grafana's JSON (schema 39). What a panel shows is the source's.
//! Each dashboard lets its reader choose the Prometheus that it asks.

use std::fmt::Write as _;
use std::fs;

use crate::failure::Failure;
use crate::project;

/// The source, relative to the project's folder.
const SOURCE: &str = "ops/grafana/dashboards.txt";
/// How many columns a row has.
const COLUMNS: usize = 24;

/// A dashboard of the source.
#[derive(Debug)]
pub(crate) struct Dashboard {
    pub(crate) name: String,
    title: String,
    pub(crate) panels: Vec<Panel>,
}

/// A panel of a dashboard.
#[derive(Debug)]
pub(crate) struct Panel {
    kind: String,
    title: String,
    unit: String,
    width: usize,
    height: usize,
    text: Vec<String>,
    pub(crate) queries: Vec<Query>,
}

/// A query of a panel, and the name of its series.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) expression: String,
    legend: String,
}

/// Every dashboard of the source.
pub(crate) fn read() -> Result<Vec<Dashboard>, Failure> {
    let text = fs::read_to_string(project::root().join(SOURCE))
        .map_err(|error| Failure::new(format!("{SOURCE}: {error}")))?;
    parse(&text)
}

/// The path of a dashboard's file and its whole text.
pub(crate) fn files() -> Result<Vec<(String, String)>, Failure> {
    let dashboards = read()?;
    Ok(dashboards.iter().map(|one| (format!("ops/grafana/{}.json", one.name), one.to_json())).collect())
}

fn parse(text: &str) -> Result<Vec<Dashboard>, Failure> {
    let mut dashboards: Vec<Dashboard> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let wrong = |why: &str| Failure::new(format!("{SOURCE}, line {}: {why}", at + 1));
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix("dashboard ") {
            let (name, title) = rest.split_once('|').ok_or_else(|| wrong("there is no title"))?;
            let (name, title) = (name.trim().to_owned(), title.trim().to_owned());
            dashboards.push(Dashboard { name, title, panels: Vec::new() });
            continue;
        }
        let dashboard = dashboards.last_mut().ok_or_else(|| wrong("it comes before the first dashboard"))?;
        if let Some(query) = line.strip_prefix("  ") {
            let panel =
                dashboard.panels.last_mut().ok_or_else(|| wrong("it comes before the first panel"))?;
            let (expression, legend) = query.split_once(" => ").unwrap_or((query, ""));
            panel
                .queries
                .push(Query { expression: expression.trim().to_owned(), legend: legend.trim().to_owned() });
        } else if let Some(words) = line.strip_prefix("> ") {
            let panel =
                dashboard.panels.last_mut().ok_or_else(|| wrong("it comes before the first panel"))?;
            panel.text.push(words.to_owned());
        } else {
            dashboard.panels.push(panel(line).map_err(|why| wrong(&why))?);
        }
    }
    for dashboard in &dashboards {
        let empty = dashboard.panels.iter().find(|panel| panel.queries.is_empty() && panel.text.is_empty());
        if let Some(empty) = empty {
            let what = format!("{SOURCE}: the panel `{}` of {} is empty", empty.title, dashboard.name);
            return Err(Failure::new(what));
        }
    }
    Ok(dashboards)
}

fn panel(line: &str) -> Result<Panel, String> {
    let (head, title) = line.split_once('|').unwrap_or((line, ""));
    let words: Vec<&str> = head.split_whitespace().collect();
    let (kind, width, height, unit) = match words.as_slice() {
        [kind @ "text", width, height] => (kind, width, height, ""),
        [kind @ ("stat" | "timeseries" | "table" | "bar"), width, height, unit] => {
            (kind, width, height, *unit)
        }
        _ => return Err(format!("`{head}` begins no panel")),
    };
    let size = |word: &str, most: usize| {
        let size = word.parse().ok().filter(|size| (1..=most).contains(size));
        size.ok_or_else(|| format!("`{word}` is no size from 1 to {most}"))
    };
    Ok(Panel {
        kind: (*kind).to_owned(),
        title: title.trim().to_owned(),
        unit: unit.to_owned(),
        width: size(width, COLUMNS)?,
        height: size(height, 40)?,
        text: Vec::new(),
        queries: Vec::new(),
    })
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

impl Dashboard {
    fn to_json(&self) -> String {
        let mut panels = Vec::new();
        let (mut x, mut y, mut tallest) = (0, 0, 0);
        for (at, panel) in self.panels.iter().enumerate() {
            if x + panel.width > COLUMNS {
                (x, y, tallest) = (0, y + tallest, 0);
            }
            panels.push(panel.to_json(at + 1, x, y));
            x += panel.width;
            tallest = tallest.max(panel.height);
        }
        format!(
            "{{
  \"uid\": {uid},
  \"title\": {title},
  \"tags\": [\"plimsoll\"],
  \"schemaVersion\": 39,
  \"version\": 1,
  \"editable\": true,
  \"refresh\": \"30s\",
  \"time\": {{ \"from\": \"now-6h\", \"to\": \"now\" }},
  \"templating\": {{
    \"list\": [
      {{ \"name\": \"prometheus\", \"label\": \"Prometheus\", \"type\": \"datasource\", \"query\": \"prometheus\" }}
    ]
  }},
  \"annotations\": {{ \"list\": [] }},
  \"panels\": [
{panels}
  ]
}}
",
            uid = quoted(&format!("plimsoll-{}", self.name)),
            title = quoted(&self.title),
            panels = panels.join(",\n")
        )
    }
}

impl Panel {
    fn to_json(&self, id: usize, x: usize, y: usize) -> String {
        let position = format!(
            "\"gridPos\": {{ \"x\": {x}, \"y\": {y}, \"w\": {}, \"h\": {} }}",
            self.width, self.height
        );
        if self.kind == "text" {
            let content = quoted(&self.text.join("\n"));
            return format!(
                "    {{ \"id\": {id}, \"type\": \"text\", \"title\": \"\", {position},\n      \"options\": {{ \"mode\": \"markdown\", \"content\": {content} }} }}"
            );
        }
        // What a bar or a figure shows is the present; only lines go through time.
        let (grafana, instant) = match self.kind.as_str() {
            "bar" => ("bargauge", true),
            "stat" => ("stat", true),
            "table" => ("table", true),
            _ => ("timeseries", false),
        };
        let mut targets = Vec::new();
        for (query, letter) in self.queries.iter().zip('A'..) {
            let mut target =
                format!("        {{ \"refId\": \"{letter}\", \"expr\": {}", quoted(&query.expression));
            // Writing to a String cannot fail.
            let _ = write!(target, ", \"legendFormat\": {}", quoted(&query.legend));
            let _ = write!(target, ", \"instant\": {instant}, \"range\": {}", !instant);
            if self.kind == "table" {
                target.push_str(", \"format\": \"table\"");
            }
            target.push_str(" }");
            targets.push(target);
        }
        format!(
            "    {{ \"id\": {id}, \"type\": \"{grafana}\", \"title\": {title}, {position},
      \"datasource\": {{ \"type\": \"prometheus\", \"uid\": \"${{prometheus}}\" }},
      \"fieldConfig\": {{ \"defaults\": {{ \"unit\": {unit} }}, \"overrides\": [] }},
      \"options\": {{ {options} }},
      \"targets\": [
{targets}
      ] }}",
            title = quoted(&self.title),
            unit = quoted(&self.unit),
            options = options(&self.kind),
            targets = targets.join(",\n"),
        )
    }
}

fn options(kind: &str) -> &'static str {
    match kind {
        "stat" => "\"reduceOptions\": { \"calcs\": [\"lastNotNull\"] }, \"colorMode\": \"none\"",
        "bar" => {
            "\"reduceOptions\": { \"calcs\": [\"lastNotNull\"] }, \"orientation\": \"horizontal\", \"displayMode\": \"basic\""
        }
        "timeseries" => "\"legend\": { \"displayMode\": \"list\", \"placement\": \"bottom\" }",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dashboard_is_json_and_its_panels_do_not_overlap() {
        for (path, text) in files().unwrap() {
            let json = crate::json::parse(&path, &text).unwrap();
            let panels = crate::json::items(&json, "panels");
            assert!(panels.len() > 4, "{path}");
            let mut taken = std::collections::HashSet::new();
            for panel in panels {
                let position = crate::json::member(panel, "gridPos").unwrap();
                let at = |name| crate::json::number(position, name).unwrap() as usize;
                for x in at("x")..at("x") + at("w") {
                    for y in at("y")..at("y") + at("h") {
                        assert!(x < COLUMNS && taken.insert((x, y)), "{path}: {x}, {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_in_the_source_is_told_with_its_line() {
        for (text, why) in [
            ("stat 1 1 s | a\n", "line 1: it comes before the first dashboard"),
            ("dashboard a | A\n  up\n", "line 2: it comes before the first panel"),
            ("dashboard a | A\npie 1 1 s | a\n", "line 2: `pie 1 1 s ` begins no panel"),
            ("dashboard a | A\nstat 25 1 s | a\n", "line 2: `25` is no size"),
            ("dashboard a | A\nstat 4 1 s | b\n", "the panel `b` of a is empty"),
        ] {
            let failure = parse(text).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
    }
}
