//! Tables of results.

use std::fmt;

/// Rows under a title, with exceeded budgets.
#[derive(Debug)]
pub(crate) struct Table {
    title: &'static str,
    head: &'static [&'static str],
    rows: Vec<Vec<String>>,
    pub(crate) exceeded: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: &'static str, head: &'static [&'static str]) -> Self {
        Self { title, head, rows: Vec::new(), exceeded: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: &[&dyn fmt::Display]) {
        self.rows.push(cells.iter().map(ToString::to_string).collect());
    }

    /// Records `what` if the budget does not hold.
    pub(crate) fn budget(&mut self, holds: bool, what: String) {
        if !holds {
            self.exceeded.push(what);
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "\n=== {}", self.title)?;
        let head: Vec<String> = self.head.iter().map(ToString::to_string).collect();
        let lines: Vec<&Vec<String>> = std::iter::once(&head).chain(&self.rows).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        for line in &lines {
            let cells = line.iter().enumerate().map(|(column, cell)| format!("{cell:<0$}", width(column)));
            writeln!(formatter, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}
