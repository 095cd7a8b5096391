//! `job`: the outermost block.

use super::multiregion::MULTIREGION;
use super::periodic::{PARAMETERIZED, PERIODIC};
use super::placement::{AFFINITY, CONSTRAINT, SPREAD};
use super::policy::{MIGRATE, RESCHEDULE, UPDATE};
use super::secret::{SECRET, VAULT};
use super::{Block, Entries, Fault, Kind, Times, attribute, block};
use super::{group::GROUP, task::TASK};
use crate::source::Span;
use crate::tree::{Node, Tree};

pub(crate) const JOB_TYPES: &[&str] = &["service", "batch", "system", "sysbatch"];

pub(crate) static JOB: Block = Block::new(
    "job",
    "What to run: groups of tasks, and the rules for them.",
    &[
        attribute("", "ID", Kind::Text, "The job's id, given as the label."),
        attribute("name", "Name", Kind::Text, "Shown to people; the id unless given."),
        attribute("region", "Region", Kind::Text, "The region whose servers own the job; `global` unless given."),
        attribute("namespace", "Namespace", Kind::Text, "The namespace; `default` unless given."),
        attribute("type", "Type", Kind::Choice(JOB_TYPES), "How instances are counted and what their end means."),
        attribute("priority", "Priority", Kind::Whole(i32::MIN as i64, i32::MAX as i64), "1 to 100, 50 unless given."),
        attribute("all_at_once", "AllAtOnce", Kind::Bool, "Place all instances, at most 10,000, together or none."),
        attribute("datacenters", "Datacenters", Kind::Texts, "Patterns of datacenter names; all unless given."),
        attribute("node_pool", "NodePool", Kind::Text, "The pool of nodes; `all` for every pool."),
        attribute(
            "scheduler_algorithm",
            "SchedulerAlgorithm",
            Kind::Choice(&["binpack", "spread"]),
            "How nodes are chosen; as the pool or the cluster has it unless given.",
        ),
        attribute(
            "meta",
            "Meta",
            Kind::TextMap,
            "Free values by name, handed to tasks; `sched_rebalance = \"never\"` keeps instances where they are.",
        ),
        block("constraint", "Constraints", &CONSTRAINT, Times::Many),
        block("affinity", "Affinities", &AFFINITY, Times::Many),
        block("spread", "Spreads", &SPREAD, Times::Many),
        block("group", "TaskGroups", &GROUP, Times::Many),
        block("task", "", &TASK, Times::Many),
        block("update", "Update", &UPDATE, Times::Once),
        block("migrate", "Migrate", &MIGRATE, Times::Once),
        block("reschedule", "Reschedule", &RESCHEDULE, Times::Once),
        block("periodic", "Periodic", &PERIODIC, Times::Once).not_yet(),
        block("parameterized", "ParameterizedJob", &PARAMETERIZED, Times::Once).not_yet(),
        block("multiregion", "Multiregion", &MULTIREGION, Times::Once).not_yet(),
        block("ui", "UI", &UI, Times::Once).not_yet(),
        block("vault", "", &VAULT, Times::Once).not_yet(),
        block("secret", "", &SECRET, Times::Many).not_yet(),
        attribute("consul_token", "ConsulToken", Kind::Text, "Of a flow that Nomad has removed.").not_yet(),
        attribute("vault_token", "VaultToken", Kind::Text, "Of a flow that Nomad has removed.").not_yet(),
    ],
)
.labelled("ID")
.of::<model::Job>()
.finish(spread_to_tasks);

static UI: Block = Block::new(
    "ui",
    "A description and links for the web UI.",
    &[
        attribute("description", "Description", Kind::Text, "The description, in Markdown."),
        block("link", "Links", &LINK, Times::Many),
    ],
)
.of::<model::Ui>();

static LINK: Block = Block::new(
    "link",
    "A link.",
    &[attribute("label", "Label", Kind::Text, "What it says."), attribute("url", "URL", Kind::Text, "Where it leads.")],
)
.of::<model::Link>();

/// What stands in the job and belongs to tasks: lone tasks become groups, and what each task may have for itself is
/// copied to those that lack it.
fn spread_to_tasks(entries: &mut Entries, span: &Span) -> Result<(), Fault> {
    groups_of_lone_tasks(entries, span)?;
    for (word, json) in [("vault", "Vault"), ("secret", "Secrets")] {
        let Some(shared) = entries.remove(word) else { continue };
        for task in entries.get_mut("TaskGroups").into_iter().flat_map(|groups| groups.inner("Tasks")) {
            task.entry(json.into()).or_insert_with(|| shared.clone());
        }
    }
    Ok(())
}

/// A task directly under the job becomes a group of its own name.
fn groups_of_lone_tasks(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    let Some(Node { tree: Tree::List(tasks), .. }) = entries.remove("task") else { return Ok(()) };
    let first = tasks.first().map_or(0..0, |task| task.span.clone());
    let groups = entries.entry("TaskGroups".into()).or_insert(Node { span: first, tree: Tree::List(Vec::new()) });
    let Tree::List(groups) = &mut groups.tree else { return Ok(()) };
    for task in tasks {
        let span = task.span.clone();
        let name = match &task.tree {
            Tree::Map(entries) => entries.get("Name").cloned(),
            Tree::Leaf(_) | Tree::List(_) => None,
        };
        let tasks = Node { span: span.clone(), tree: Tree::List(vec![task]) };
        let mut group = Entries::from([("Tasks".to_string(), tasks)]);
        group.extend(name.map(|name| ("Name".to_string(), name)));
        groups.push(Node { span, tree: Tree::Map(group) });
    }
    Ok(())
}
