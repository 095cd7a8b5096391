//! Why instances of a group found no node: the sums that an evaluation carries, as sentences.

use crate::api::Metric;
use crate::show::{Tone, text};

/// The lines for one group, the commonest reason first.
pub fn lines(group: &str, metric: &Metric) -> Vec<String> {
    let instances = text::count(metric.unplaced(), "instance");
    let mut lines = vec![format!("  group {}: {instances} without a node", Tone::Bold.paint(&text::escape(group)))];
    if metric.nodes_evaluated == 0 && metric.nodes_in_pool == 0 {
        lines.push("    no node was eligible: none in the job's datacenters and pool is ready".into());
        return lines;
    }
    let exhausted = text::count(metric.nodes_exhausted, "node");
    let filtered = text::count(metric.nodes_filtered, "node");
    lines.push(format!(
        "    {} looked at: {filtered} excluded, {exhausted} full",
        text::count(metric.nodes_evaluated, "node")
    ));
    let mut reasons: Vec<(u64, String)> = Vec::new();
    let mut add = |nodes: &u64, words: String| reasons.push((*nodes, words));
    let exhausted = |name: &str| match name.starts_with("port ") {
        true => format!("{name} is taken"),
        false => format!("too little {name}"),
    };
    metric.dimension_exhausted.iter().for_each(|(name, nodes)| add(nodes, exhausted(name)));
    metric.constraint_filtered.iter().for_each(|(name, nodes)| add(nodes, format!("excluded by {name}")));
    metric.class_filtered.iter().for_each(|(name, nodes)| add(nodes, format!("excluded, node class {name}")));
    reasons.sort_by(|left, right| right.0.cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    lines.extend(
        reasons
            .into_iter()
            .map(|(nodes, words)| format!("    {}: {}", text::count(nodes, "node"), text::escape(&words))),
    );
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reasons_come_with_their_numbers_and_the_commonest_first() {
        let metric: Metric = serde_json::from_value(json!({
            "NodesEvaluated": 5, "NodesFiltered": 1, "NodesExhausted": 4, "CoalescedFailures": 2,
            "DimensionExhausted": { "memory": 4, "port 8082": 2 }, "ConstraintFiltered": { "${attr.kernel.name} = linux": 1 }
        }))
        .unwrap();
        let text = anstream::adapter::strip_str(&lines("web", &metric).join("\n")).to_string();
        assert_eq!(
            text,
            "  group web: 3 instances without a node\n    5 nodes looked at: 1 node excluded, 4 nodes full\n    \
             4 nodes: too little memory\n    2 nodes: port 8082 is taken\n    1 node: excluded by ${attr.kernel.name} = linux"
        );
    }

    #[test]
    fn no_eligible_node_is_said_so() {
        assert_eq!(lines("web", &Metric::default()).len(), 2);
    }
}
