//! What is printed: one line for each policy, as a table or as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::replay::Outcome;

/// All lines, and what they have in common.
#[derive(Serialize)]
pub struct Report {
    /// Nodes of the file.
    pub nodes: usize,
    /// Instances that arrive.
    pub instances: u64,
    /// The fewest nodes that hold the peak demand; none if no number does.
    pub lower_bound: Option<usize>,
    /// One for each policy.
    pub lines: Vec<Line>,
}

/// How a policy did; a field is absent where there is nothing to say.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    policy: &'static str,
    fleet: Option<usize>,
    placed: Option<u64>,
    rejected: Option<u64>,
    rule_violations: Option<u64>,
    nodes_touched: Option<usize>,
    peak_nodes_in_use: Option<usize>,
    gap_percent: Option<f64>,
    stranded_cpu_percent: Option<f64>,
    stranded_memory_percent: Option<f64>,
    gpu_allocated_percent: Option<f64>,
    placements_per_second: Option<f64>,
    note: Option<String>,
}

impl Line {
    /// Of an outcome on so many nodes, of which `needed` stand against the bound.
    pub fn of(policy: &'static str, fleet: usize, needed: usize, bound: Option<usize>, outcome: &Outcome) -> Self {
        // The bound is for all that is asked: who rejects some of it needs fewer nodes, and that is no merit.
        let bound = bound.filter(|bound| *bound > 0 && outcome.rejected == 0);
        let seconds = outcome.took.as_secs_f64();
        Self {
            policy,
            fleet: Some(fleet),
            placed: Some(outcome.placed),
            rejected: Some(outcome.rejected),
            rule_violations: Some(outcome.violations),
            nodes_touched: Some(outcome.touched),
            peak_nodes_in_use: Some(outcome.peak_in_use),
            gap_percent: bound.map(|bound| (needed as f64 / bound as f64 - 1.0) * 100.0),
            stranded_cpu_percent: Some(outcome.stranded[0]),
            stranded_memory_percent: Some(outcome.stranded[1]),
            gpu_allocated_percent: outcome.device_percent,
            placements_per_second: (seconds > 0.0).then(|| outcome.placed as f64 / seconds),
            note: None,
        }
    }

    /// Of a policy that rejects something on every fleet that was tried.
    pub fn without_fleet(policy: &'static str, times: usize) -> Self {
        let note = format!("rejects something on every fleet up to {times} times the bound");
        Self { policy, note: Some(note), ..Self::default() }
    }

    fn cells(&self) -> [String; 11] {
        let whole = |value: Option<u64>| value.map_or("-".into(), |value| value.to_string());
        let count = |value: Option<usize>| whole(value.map(|value| value as u64));
        let percent = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
        [
            count(self.fleet),
            whole(self.placed),
            whole(self.rejected),
            whole(self.rule_violations),
            count(self.nodes_touched),
            count(self.peak_nodes_in_use),
            percent(self.gap_percent),
            percent(self.stranded_cpu_percent),
            percent(self.stranded_memory_percent),
            percent(self.gpu_allocated_percent),
            self.placements_per_second.map_or("-".into(), |rate| format!("{rate:.0}")),
        ]
    }
}

/// Heads of the columns after the policy.
const HEADS: [&str; 11] = [
    "fleet",
    "placed",
    "rejected",
    "rule violations",
    "nodes touched",
    "peak in use",
    "gap %",
    "stranded CPU %",
    "stranded memory %",
    "GPU allocated %",
    "placements/s",
];

impl Report {
    /// As a table of Markdown.
    pub fn table(&self) -> String {
        let bound =
            self.lower_bound.map_or("none: something is asked that no node has".into(), |bound| bound.to_string());
        let mut text = format!("{} nodes, {} instances, lower bound {bound}\n\n", self.nodes, self.instances);
        let rows: Vec<Vec<String>> =
            self.lines.iter().map(|line| [vec![line.policy.to_string()], line.cells().to_vec()].concat()).collect();
        let heads: Vec<String> = ["policy"].into_iter().chain(HEADS).map(Into::into).collect();
        let width = |of: usize| rows.iter().chain([&heads]).map(|row| row[of].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..heads.len()).map(width).collect();
        let mut write = |row: &[String]| {
            for (of, (cell, width)) in row.iter().zip(&widths).enumerate() {
                // Names begin on the left, numbers end on the right.
                let _ = if of == 0 { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
            }
            text.push_str("|\n");
        };
        write(&heads);
        let rule = |(of, width): (usize, &usize)| {
            if of == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width - 1)) }
        };
        write(&widths.iter().enumerate().map(rule).collect::<Vec<_>>());
        rows.iter().for_each(|row| write(row));
        for line in &self.lines {
            if let Some(note) = &line.note {
                let _ = writeln!(text, "\n{}: {note}", line.policy);
            }
        }
        text
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a report has string keys only");
        format!("{text}\n")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report() -> Report {
        let outcome = Outcome {
            placed: 10,
            rejected: 0,
            violations: 0,
            touched: 5,
            peak_in_use: 5,
            stranded: [1.0, 2.5],
            device_percent: None,
            took: Duration::from_millis(10),
        };
        let rejecting = Outcome { rejected: 1, ..outcome.clone() };
        let lines = vec![
            Line::of("core", 6, 5, Some(4), &outcome),
            Line::of("rejecting", 3, 3, Some(4), &rejecting),
            Line::without_fleet("other", 6),
        ];
        Report { nodes: 6, instances: 11, lower_bound: Some(4), lines }
    }

    #[test]
    fn the_table_has_a_line_for_each_policy_and_says_what_is_missing() {
        let table = report().table();
        assert!(table.starts_with("6 nodes, 11 instances, lower bound 4\n"), "{table}");
        assert!(table.contains("| core      |     6 |     10 |        0 |"), "{table}");
        assert!(table.contains("25.00"), "{table}");
        assert!(table.ends_with("other: rejects something on every fleet up to 6 times the bound\n"), "{table}");
    }

    #[test]
    fn the_json_has_the_same_numbers() {
        let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
        assert_eq!(json["lower_bound"], 4);
        assert_eq!(json["lines"][0]["gap_percent"], 25.0);
        assert_eq!(json["lines"][0]["placements_per_second"], 1000.0);
        assert!(json["lines"][1]["gap_percent"].is_null(), "who rejects has no gap");
        assert!(json["lines"][2]["fleet"].is_null());
    }
}
