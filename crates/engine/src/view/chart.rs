//! How a dashboard shows a view.
//!
//! Owns reading the hint in a view's header, such as `line x=day y=cost,list_cost series=model`. Drawing is the
//! dashboard's.

/// A kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartKind {
    /// Lines over `x`.
    Line,
    /// Stacked areas over `x`.
    Area,
    /// Bars.
    Bar,
    /// Shares of a whole, `label` and `value`.
    Pie,
    /// A field of `x` and `y` colored by `value`.
    Heatmap,
    /// Spans on a line of time: `x`, `length`, `label`.
    Timeline,
    /// A tree by `parent`, with `label`.
    Tree,
    /// A table.
    Table,
}

impl ChartKind {
    const ALL: [(&'static str, Self); 8] = [
        ("line", Self::Line),
        ("area", Self::Area),
        ("bar", Self::Bar),
        ("pie", Self::Pie),
        ("heatmap", Self::Heatmap),
        ("timeline", Self::Timeline),
        ("tree", Self::Tree),
        ("table", Self::Table),
    ];
}

/// A hint how a dashboard shows a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// The kind.
    pub kind: ChartKind,
    /// Which column is what: `("x", ["day"])`, `("y", ["cost", "list_cost"])`.
    pub roles: Vec<(&'static str, Vec<&'static str>)>,
}

impl Chart {
    /// Reads a hint; on failure, why.
    pub(super) fn read(text: &'static str) -> Result<Self, String> {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let first = words.next().unwrap_or_default();
        let kind = ChartKind::ALL.iter().find(|(name, _)| *name == first).map(|(_, kind)| *kind);
        let Some(kind) = kind else {
            let known: Vec<&str> = ChartKind::ALL.iter().map(|(name, _)| *name).collect();
            return Err(format!("`{first}` is none of {}", known.join(", ")));
        };
        let roles = words.map(|word| match word.split_once('=') {
            Some((role, columns)) if !columns.is_empty() => Ok((role, columns.split(',').collect())),
            _ => Err(format!("`{word}` is not of the form role=column")),
        });
        Ok(Self { kind, roles: roles.collect::<Result<_, _>>()? })
    }

    /// All columns that it names.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.roles.iter().flat_map(|(_, columns)| columns.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_a_kind_and_roles() {
        let chart = Chart::read("line x=day y=a,b").unwrap();
        assert_eq!(chart.kind, ChartKind::Line);
        assert_eq!(chart.columns().collect::<Vec<_>>(), ["day", "a", "b"]);
        assert!(Chart::read("blob x=a").unwrap_err().contains("heatmap"));
        assert!(Chart::read("line x").unwrap_err().contains("role=column"));
    }
}
