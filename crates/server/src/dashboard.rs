//! Dashboards as code: TOML files that say which view or metric each panel shows.
//!
//! Owns reading them, finding them - shipped ones, and the user's in the folder `dashboards`, which is read each time, so a
//! file that was saved is there at the next question - and what is wrong with one. What a panel shows is a view's
//! answer or samples of a metric; nothing is computed here.
//!
//! Invariant: a panel names a view or a metric that exists, with columns of its own; a file of the user's that is wrong is
//! told by name and hides no other.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a panel is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PanelKind {
    /// One figure, or a few.
    Number,
    /// A line for each column of `y`, or for each value of `series`.
    Line,
    /// Bars beside each other.
    Bar,
    /// Bars on each other.
    Stacked,
    /// Colours over `x` and `y`.
    Heatmap,
    /// How often values of `x` fall between bounds.
    Histogram,
    /// Rows.
    Table,
    /// Bars over time: `x`, `length`, `label`, `depth`.
    Timeline,
    /// Flows from `source` to `target`.
    Sankey,
}

/// A dashboard, as its file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Its name, also that of its file.
    pub dashboard: String,
    /// A title for people.
    pub title: String,
    /// What it answers.
    #[serde(default)]
    pub about: String,
    /// The system whose views it shows; none for metrics only.
    pub system: Option<String>,
    /// Parameters that a person may set: those of the views.
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Identifiers of the requirements that it serves.
    #[serde(default)]
    pub requirements: Vec<String>,
    /// Rows of panels.
    #[serde(rename = "row")]
    pub rows: Vec<Row>,
}

/// A row of panels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// A heading.
    #[serde(default)]
    pub title: String,
    /// The panels from left to right.
    #[serde(rename = "panel")]
    pub panels: Vec<Panel>,
}

/// One panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Its name in the dashboard.
    pub panel: String,
    /// A title for people.
    pub title: String,
    /// How it is drawn.
    pub kind: PanelKind,
    /// The view that answers.
    pub view: Option<String>,
    /// The part of a view's answer that is an object.
    pub section: Option<String>,
    /// The metric whose samples are shown: a row for each, with its labels and `value`.
    pub metric: Option<String>,
    /// The column along the first axis.
    pub x: Option<String>,
    /// Columns of values.
    #[serde(default)]
    pub y: Vec<String>,
    /// The column that tells series apart.
    pub series: Option<String>,
    /// What each thing on a timeline is called.
    pub label: Option<String>,
    /// How long it took.
    pub length: Option<String>,
    /// How deep it stands.
    pub depth: Option<String>,
    /// Where a flow comes from.
    pub source: Option<String>,
    /// Where a flow goes.
    pub target: Option<String>,
    /// The unit, where the columns do not say it.
    pub unit: Option<String>,
    /// Parameters that the panel sets by itself.
    #[serde(default)]
    pub set: BTreeMap<String, String>,
    /// Where a click leads.
    pub drill: Option<Drill>,
    /// How wide, of twelve.
    #[serde(default = "half")]
    pub width: u8,
}

fn half() -> u8 {
    6
}

/// Where a click on a value leads: another dashboard, with a parameter set from a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The dashboard.
    pub dashboard: String,
    /// Its parameter.
    pub parameter: String,
    /// The column whose value it takes.
    pub column: String,
}

impl Dashboard {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence, with what is wrong and where.
    pub fn parse(text: &str) -> Result<Self, String> {
        let dashboard: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut names: Vec<&str> = Vec::new();
        for panel in dashboard.panels() {
            if names.contains(&panel.panel.as_str()) {
                return Err(format!("two panels are named `{}`", panel.panel));
            }
            names.push(&panel.panel);
            if panel.view.is_some() == panel.metric.is_some() {
                return Err(format!("panel `{}` names either a view or a metric", panel.panel));
            }
            if panel.view.is_some() && dashboard.system.is_none() {
                return Err(format!("panel `{}` names a view, and the dashboard no system", panel.panel));
            }
        }
        if names.is_empty() {
            return Err("it has no panel".to_owned());
        }
        Ok(dashboard)
    }

    /// Every panel, row by row.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        self.rows.iter().flat_map(|row| &row.panels)
    }

    /// The columns that a panel draws.
    #[must_use]
    pub fn columns(panel: &Panel) -> Vec<&str> {
        [&panel.x, &panel.series, &panel.label, &panel.length, &panel.depth, &panel.source, &panel.target]
            .into_iter()
            .filter_map(Option::as_deref)
            .chain(panel.y.iter().map(String::as_str))
            .collect()
    }
}

/// Every dashboard, and what is wrong with files of the user's.
#[derive(Debug, Clone, Default)]
pub struct Dashboards {
    /// By name, each with where it is from.
    pub known: BTreeMap<String, (Dashboard, String)>,
    /// Files that are none, and why.
    pub problems: Vec<String>,
}

impl Dashboards {
    /// Reads the shipped ones and those in a folder; one of the user's takes the place of a shipped one of its name.
    pub fn load(shipped: &[&[&str]], folder: &Path) -> Self {
        let mut all = Self::default();
        for text in PLATFORM.iter().chain(shipped.iter().copied().flatten()) {
            all.add(text, "shipped".to_owned());
        }
        let mut paths: Vec<_> = std::fs::read_dir(folder)
            .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
            .unwrap_or_default();
        paths.retain(|path: &std::path::PathBuf| path.extension().is_some_and(|kind| kind == "toml"));
        paths.sort();
        for path in paths {
            match std::fs::read_to_string(&path) {
                Ok(text) => all.add(&text, path.display().to_string()),
                Err(error) => all.problems.push(format!("{}: {error}", path.display())),
            }
        }
        all
    }

    fn add(&mut self, text: &str, from: String) {
        match Dashboard::parse(text) {
            Ok(dashboard) => drop(self.known.insert(dashboard.dashboard.clone(), (dashboard, from))),
            Err(problem) => self.problems.push(format!("{from}: {problem}")),
        }
    }
}

/// Dashboards over the metrics that every installation has.
pub const PLATFORM: &[&str] = &[
    include_str!("../dashboards/platform.toml"),
    include_str!("../dashboards/sync.toml"),
    include_str!("../dashboards/gauges.toml"),
    include_str!("../dashboards/runs.toml"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shipped_is_right_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.toml"), "dashboard = 'mine'\ntitle = 'Mine'\nrow = []\n")
            .unwrap();
        let all = Dashboards::load(&[], folder.path());
        assert_eq!(all.known.len(), PLATFORM.len());
        assert_eq!(all.problems.len(), 1, "{:?}", all.problems);
        assert!(all.problems[0].contains("mine.toml") && all.problems[0].contains("no panel"));
        let good = "dashboard = 'sync'\ntitle = 'My sync'\n[[row]]\n[[row.panel]]\npanel = 'a'\ntitle = 'A'\nkind = 'number'\nmetric = 'plimsoll_store_up'\n";
        std::fs::write(folder.path().join("mine.toml"), good).unwrap();
        let all = Dashboards::load(&[], folder.path());
        assert_eq!(all.known["sync"].0.title, "My sync", "read again, and in the place of the shipped one");
        assert!(Dashboard::parse(&good.replace("metric", "measure")).is_err());
    }
}
