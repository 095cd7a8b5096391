//! `scaling`: bounds and policy for an autoscaler.

use serde_json::Value as Json;

use super::kind::AMOUNT;
use super::{Block, Entries, Fault, Kind, attribute};
use crate::source::Span;
use crate::tree::{Node, Tree};

/// What can be scaled: the label in a jobspec, and its word in JSON.
const LABELS: [(&str, &str); 2] = [("cpu", "vertical_cpu"), ("mem", "vertical_mem")];

pub(super) static SCALING: Block = Block::new(
    "scaling",
    "Bounds and policy for an autoscaler.",
    &[
        attribute("", "ID", Kind::Text, "Set by the servers."),
        attribute("", "Namespace", Kind::Text, "Set by the servers."),
        attribute("", "Type", Kind::Text, "What is scaled, given as the label: `cpu` or `mem` for a task."),
        attribute("", "Target", Kind::TextMap, "Set by the servers."),
        attribute("enabled", "Enabled", Kind::Bool, "Whether it is on."),
        attribute("min", "Min", AMOUNT, "The least; the group's count unless given."),
        attribute("max", "Max", AMOUNT, "The most."),
        attribute("policy", "Policy", Kind::Free, "The autoscaler's rules."),
    ],
)
.maybe_labelled("Type")
.of::<model::Scaling>()
.finish(name_kind);

fn name_kind(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    if let Some(Node { tree: Tree::Leaf(Json::String(kind)), .. }) = entries.get_mut("Type")
        && let Some((_, json)) = LABELS.iter().find(|(label, _)| label == kind)
    {
        *kind = (*json).into();
    }
    Ok(())
}
